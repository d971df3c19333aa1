/* SPDX-License-Identifier: GPL-2.0-only */
/* Model and rules on a bench: events in as text, findings out, for the tests of src/rules. */
#ifndef DMS_TESTS_RULEBENCH_H
#define DMS_TESTS_RULEBENCH_H

#include <jansson.h>

#include <dmascope/rules.h>

#include "textsource.h"

#define MAX_TOLD 16

/** One finding as it was told: its row, and what it says. */
struct told {
	const struct dms_rule *rule;
	char head[128]; /* "ID SEVERITY CONFIDENCE" */
	char *message;
	json_t *facts;
};

/** Model and rules under test, and what they told since the last event. */
struct bench {
	struct dms_names names;
	struct dms_model *model;
	struct dms_rules *rules;
	struct dms_model_config config;
	char inventory[2048], iomem[2048]; /* text, as scripts give it */
	bool is_configured;
	uint32_t hidden; /* DMS_HAS_* bits taken from every event */
	struct told told[MAX_TOLD];
	unsigned int n_told;
};

void bench_create(struct bench *bench);
void bench_destroy(struct bench *bench);
/** Forget what was told. */
void bench_forget(struct bench *bench);
/** True if @line tells what is known beforehand: "@inventory LINE" and so on. */
bool bench_setting(struct bench *bench, const char *line);
/** Give the model what the settings told; once, before the first event. */
void bench_configure(struct bench *bench);
/** One line of a script. False if it tells nothing that happens. */
bool bench_feed(struct bench *bench, const char *line);

#endif

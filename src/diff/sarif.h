/* SPDX-License-Identifier: LGPL-2.1-only */
/* A SARIF log in the making: results by sarif_result.c, the rest by out_sarif.c. */
#ifndef DMS_DIFF_SARIF_H
#define DMS_DIFF_SARIF_H

#include <jansson.h>

#include "../report/local.h"
#include "local.h"

/** The rule of metrics that got worse. */
#define SARIF_METRIC_RULE "metric-worse"

struct sarif {
	const struct dms_comparison *comparison;
	json_t *rules, *notes, *results; /* arrays */
	json_t *indices;		 /* id of a rule to its place in rules */
	size_t bytes;			 /* of the results */
	size_t n_lost, n_notes_lost;	 /* for which there was no room */
};

/** @text on one line, harmless, not too long, and without links. NULL: memory. */
json_t *sarif_text(const char *text);
/** "error", "warning", "note". */
const char *sarif_level(enum dms_severity severity);
/** The result of one change; NULL: memory. */
json_t *sarif_finding(const struct sarif *sarif, const struct dms_finding_change *change);
json_t *sarif_metric(const struct sarif *sarif, const struct dms_metric_change *change);

#endif

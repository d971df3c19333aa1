/* SPDX-License-Identifier: GPL-2.0-only */
/* What `dmascope diff` and `dmascope check` have in common: runs compared, told, judged. */
#ifndef DMASCOPE_JUDGING_H
#define DMASCOPE_JUDGING_H

#include <dmascope/diff.h>

#include "cli.h"

/** A comparison to be made and told, open from dms_judging_open() to dms_judging_close(). */
struct dms_judging {
	const struct dms_judging_args *args;
	struct dms_config *config;
	struct dms_compare_options options;
	struct dms_judging_output {
		const struct dms_diff_output *format;
		const char *path; /* "-": standard output */
	} *outputs;
	size_t n_outputs, outputs_capacity;
	struct dms_baseline **runs; /* base first, then head */
	size_t n_runs, n_base, runs_capacity;
};

/** Read what @args names, before anything that takes time. Errors: DMS_ERROR_USAGE, unreadable files. */
struct dms_error *dms_judging_open(struct dms_judging *judging,
				   const struct dms_judging_args *args);
void dms_judging_close(struct dms_judging *judging);
/** Refuse to write over @path, which is read: an input that is gone cannot be compared again. */
struct dms_error *dms_judging_spare(const struct dms_judging *judging, const char *path);
/** Read the run @path, known as @name. All of base come before all of head. */
struct dms_error *dms_judging_add(struct dms_judging *judging, const char *path, const char *name,
				  bool is_base);
/** Compare, write every output, and say by *@ret what it amounts to. */
struct dms_error *dms_judging_finish(struct dms_judging *judging, enum dms_exit *ret);

#endif

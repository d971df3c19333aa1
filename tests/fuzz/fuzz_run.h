/* SPDX-License-Identifier: GPL-2.0-only */
/* A whole run over the bytes under test: input to rules, what is told of it, both formats. */
#ifndef FUZZ_RUN_H
#define FUZZ_RUN_H

#include "../../src/run/run.h"
#include "fuzz.h"

static inline struct dms_error *fuzz_tell(struct dms_run *run)
{
	struct dms_summary summary;
	struct dms_error *err = dms_run_summarise(run, &summary);

	summary.whole_stacks = true;
	if (!err)
		err = dms_summary_print(&summary, DMS_FORMAT_TEXT, fuzz_sink(), 80, true);
	return err ? err : dms_summary_print(&summary, DMS_FORMAT_JSON, fuzz_sink(), 80, false);
}

/** Analyze @path as the program does, without a database. What cannot be read is an error, no more. */
static inline void fuzz_run(const char *path, struct dms_run_options *options)
{
	const struct dms_run_filter filter = {0};
	struct dms_error *err;
	struct dms_run run;

	options->keep_stacks = true;
	err = dms_run_open(&run, &path, 1, options);
	if (!err)
		err = dms_run_filter_open(&run, &filter);
	if (!err)
		err = dms_run_read(&run, options);
	if (!err)
		err = dms_run_finish(&run);
	if (!err)
		err = fuzz_tell(&run);
	dms_error_free(err);
	dms_run_close(&run);
}

#endif

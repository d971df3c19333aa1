// SPDX-License-Identifier: GPL-2.0-only
/* dmascope analyze: traces in; a summary, and on request a database, out. */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"
#include "progress.h"
#include "run.h"

#define PIPE_WIDTH 132 /* where there is no terminal to ask */

static unsigned int output_width(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return PIPE_WIDTH;
}

static bool wants_progress(const struct dms_call *call, const struct dms_analyze_args *args)
{
	if (args->progress != DMS_PROGRESS_AUTO)
		return args->progress == DMS_PROGRESS_ON;
	return !call->common.quiet && isatty(STDERR_FILENO);
}

static struct dms_error *print_summary(struct dms_run *run, const struct dms_analyze_args *args)
{
	bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	struct dms_summary summary;
	struct dms_error *err = dms_run_summarise(run, &summary);

	if (err)
		return err;
	return dms_summary_print(&summary, (enum dms_output)args->format, stdout, output_width(),
				 colour);
}

static struct dms_error *analyze(struct dms_run *run, const struct dms_call *call,
				 struct dms_run_options *options, struct progress *progress)
{
	struct dms_error *err;

	err = dms_run_open(run, call->operands, call->n_operands, options);
	if (err)
		return err;
	progress_begin(progress);
	err = dms_run_read(run, options);
	progress_end(progress);
	if (!err && !run->events)
		err = dms_run_nothing_found(run);
	return err ? err : dms_run_finish(run);
}

struct dms_error *dms_cmd_analyze(const struct dms_call *call, enum dms_exit *ret)
{
	const struct dms_analyze_args *args = call->args;
	struct progress progress;
	struct dms_run_options options = {
		.output = args->output,
		.keep_events = args->keep_events,
		.keep_stacks = true, /* they tell drivers, with and without a database */
		.inventory = args->inventory,
		.salvage = args->salvage,
		.rule_switches = args->rules.items,
		.n_rule_switches = args->rules.n_items,
		.progress = wants_progress(call, args) ? progress_draw : NULL,
		.progress_context = &progress,
	};
	struct dms_run run;
	struct dms_error *err;
	bool any;

	if (args->keep_events && !args->output)
		return dms_error_new(DMS_ERROR_USAGE, "--events needs --output");
	err = analyze(&run, call, &options, &progress);
	if (!err)
		err = print_summary(&run, args);
	if (!err && args->fail_on && (int)dms_run_worst(&run, &any) + 1 >= args->fail_on && any)
		*ret = DMS_EXIT_FINDINGS;
	dms_run_close(&run);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/* dmascope analyze: traces in; a summary, and on request a database, out. */
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "progress.h"
#include "terminal.h"
#include "unfinished.h"
#include "../run/run.h"

bool dms_wants_progress(const struct dms_call *call, int progress)
{
	if (progress != DMS_PROGRESS_AUTO)
		return progress == DMS_PROGRESS_ON;
	return !call->common.quiet && isatty(STDERR_FILENO);
}

static struct dms_error *print_summary(struct dms_run *run, const struct dms_call *call)
{
	const struct dms_analyze_args *args = call->args;
	struct dms_summary summary;
	struct dms_error *err = dms_run_summarise(run, &summary);

	if (err)
		return err;
	summary.whole_stacks = call->common.verbose > 0;
	return dms_summary_print(&summary, (enum dms_output)args->format, stdout,
				 dms_terminal_width(stdout), dms_terminal_has_colour(stdout));
}

static struct dms_error *check_events(const struct dms_run *run)
{
	if (run->events && run->since_ts <= run->last_ts)
		return NULL;
	/* a map that dma-debug complains of may fail without an event: the kernel's log tells */
	if (dms_run_has_finding(run, DMS_SEVERITY_INFO, DMS_POSSIBLE))
		return NULL;
	if (run->events)
		return dms_error_new(DMS_ERROR_INPUT, "no DMA event from --since %s on",
				     run->filter->since);
	if (run->until_ts != UINT64_MAX)
		return dms_error_new(DMS_ERROR_INPUT, "no DMA event up to --until %s",
				     run->filter->until);
	return dms_run_nothing_found(run);
}

struct dms_error *dms_analyze(struct dms_run *run, const struct dms_call *call,
			      const struct dms_run_options *options,
			      const struct dms_run_filter *filter, struct progress *progress)
{
	struct dms_error *err;

	if ((err = dms_run_open(run, call->operands, call->n_operands, options)) ||
	    (err = dms_run_filter_open(run, filter)))
		return err;
	progress_begin(progress);
	err = dms_run_read(run, options);
	progress_end(progress);
	if (!err)
		err = check_events(run);
	return err ? err : dms_run_finish(run);
}

static bool is_failing(const struct dms_run *run, int fail_on)
{
	return fail_on && dms_run_has_finding(run, (enum dms_severity)DMS_FAIL_SEVERITY(fail_on),
					      (enum dms_confidence)DMS_FAIL_CONFIDENCE(fail_on));
}

struct dms_error *dms_cmd_analyze(const struct dms_call *call, enum dms_exit *ret)
{
	const struct dms_analyze_args *args = call->args;
	struct progress progress;
	struct dms_run_options options = {
		.output = args->output,
		.part_watch = &dms_unfinished_watch,
		.keep_events = args->keep_events,
		.keep_stacks = true, /* they tell drivers, with and without a database */
		.inventory = args->inventory,
		.iomem = args->iomem,
		.dump_seed = args->dump_seed,
		.kernel_log = args->kernel_log,
		.kallsyms = args->kallsyms,
		.formats_dir = args->formats_dir,
		.salvage = args->salvage,
		.rule_switches = args->switches.items,
		.n_rule_switches = args->switches.n_items,
		.progress = dms_wants_progress(call, args->progress) ? progress_draw : NULL,
		.progress_context = &progress,
	};
	const struct dms_run_filter filter = {
		.devices = args->devices,
		.drivers = args->drivers,
		.rules = args->rules,
		.since = args->since,
		.until = args->until,
		.limit = args->limit,
	};
	struct dms_run run;
	struct dms_error *err;

	if (args->keep_events && !args->output)
		return dms_error_new(DMS_ERROR_USAGE, "--events needs --output");
	err = dms_analyze(&run, call, &options, &filter, &progress);
	if (!err)
		err = print_summary(&run, call);
	if (!err && is_failing(&run, args->fail_on))
		*ret = DMS_EXIT_FINDINGS;
	dms_run_close(&run);
	return err;
}

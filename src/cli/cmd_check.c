// SPDX-License-Identifier: GPL-2.0-only
/* dmascope check: traces in, judged at once against baselines: what a CI job calls. */
#include "../run/run.h"
#include "cli.h"
#include "judging.h"
#include "progress.h"
#include "scratch.h"
#include "unfinished.h"

/* Nobody asks for the rows of a run whose database is gone in a moment. */
static struct dms_error *analyze(const struct dms_call *call, const char *path, bool is_kept)
{
	const struct dms_check_args *args = call->args;
	struct progress progress;
	const struct dms_run_options options = {
		.output = path,
		.part_watch = &dms_unfinished_watch,
		.figures_only = !is_kept,
		.keep_stacks = true,
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
	const struct dms_run_filter filter = {.devices = args->devices, .drivers = args->drivers};
	struct dms_run run;
	struct dms_error *err = dms_analyze(&run, call, &options, &filter, &progress);

	dms_run_close(&run);
	return err;
}

/* The traces have a database for as long as it takes, unless one is asked for. */
static struct dms_error *add_head(struct dms_judging *judging, const struct dms_call *call)
{
	const struct dms_check_args *args = call->args;
	struct dms_scratch scratch = {.sweeper = -1};
	const char *name = call->operands[0];
	struct dms_error *err = NULL;

	if (!args->output)
		err = dms_scratch_open(&scratch, "run.db");
	if (!err)
		err = analyze(call, args->output ? args->output : scratch.path, args->output);
	if (!err && args->output)
		name = args->output;
	if (!err) /* SQLite reads on from a file whose name is gone */
		err = dms_judging_add(judging, args->output ? args->output : scratch.path, name,
				      false);
	dms_scratch_close(&scratch);
	return err;
}

/* Before the trace is read: that may take minutes. */
static struct dms_error *spare_inputs(const struct dms_judging *judging,
				      const struct dms_call *call)
{
	struct dms_error *err = NULL;

	for (size_t i = 0; !err && i < call->n_operands; i++)
		err = dms_judging_spare(judging, call->operands[i]);
	return err;
}

struct dms_error *dms_cmd_check(const struct dms_call *call, enum dms_exit *ret)
{
	const struct dms_check_args *args = call->args;
	const struct dms_strings *baselines = &args->baselines;
	struct dms_judging judging;
	struct dms_error *err = dms_judging_open(&judging, &args->judging);

	if (!err)
		err = spare_inputs(&judging, call);
	for (size_t i = 0; !err && i < baselines->n_items; i++)
		err = dms_judging_add(&judging, baselines->items[i], baselines->items[i], true);
	if (!err)
		err = add_head(&judging, call);
	if (!err)
		err = dms_judging_finish(&judging, ret);
	dms_judging_close(&judging);
	return err;
}

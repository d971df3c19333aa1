// SPDX-License-Identifier: LGPL-2.1-only
/* struct dmascope_analysis: one run behind a handle, with what its caller wants. */
#include <string.h>

#include "local.h"

_Static_assert((int)DMASCOPE_LOG_DEBUG == (int)DMS_LOG_DEBUG, "levels are the same");

/* ---- options ---------------------------------------------------------------------------------- */

const char *api_keep(struct dmascope_analysis *analysis, const char *text, bool *ok)
{
	size_t bytes = text ? strlen(text) + 1 : 0;
	char *copy = text ? dms_arena_alloc(analysis->arena, bytes) : NULL;

	if (copy)
		memcpy(copy, text, bytes);
	else if (text)
		*ok = false;
	return copy;
}

static struct dms_strings keep_list(struct dmascope_analysis *analysis,
				    const char *const *list, bool *ok)
{
	struct dms_strings kept = {0};

	while (list && list[kept.n_items])
		kept.n_items++;
	if (!kept.n_items)
		return kept;
	kept.items = dms_arena_alloc(analysis->arena, kept.n_items * sizeof(*kept.items));
	if (!kept.items) {
		*ok = false;
		return (struct dms_strings){0};
	}
	for (size_t i = 0; i < kept.n_items; i++)
		kept.items[i] = api_keep(analysis, list[i], ok);
	return kept;
}

static void tell_progress(void *context, uint64_t bytes_done, uint64_t bytes_total,
			  uint64_t records)
{
	const struct dmascope_analysis *analysis = context;

	analysis->options.on_progress(analysis->options.context, bytes_done, bytes_total, records);
}

static void set_run_options(struct dmascope_analysis *analysis, bool *ok)
{
	const struct dmascope_options *from = &analysis->options;
	struct dms_strings switches = keep_list(analysis, from->rule_switches, ok);

	analysis->run_options = (struct dms_run_options){
		.output = api_keep(analysis, from->output, ok),
		.inventory = api_keep(analysis, from->inventory, ok),
		.iomem = api_keep(analysis, from->iomem, ok),
		.dump_seed = api_keep(analysis, from->dump_seed, ok),
		.kernel_log = api_keep(analysis, from->kernel_log, ok),
		.kallsyms = api_keep(analysis, from->kallsyms, ok),
		.formats_dir = api_keep(analysis, from->formats_dir, ok),
		.keep_events = from->flags & DMASCOPE_KEEP_EVENTS,
		.figures_only = from->flags & DMASCOPE_FIGURES_ONLY,
		.salvage = from->flags & DMASCOPE_SALVAGE,
		.keep_stacks = true, /* they tell drivers */
		.rule_switches = switches.items,
		.n_rule_switches = switches.n_items,
		.progress = from->on_progress ? tell_progress : NULL,
		.progress_context = analysis,
		.watcher =
			{
				.step = from->on_mapping ? api_tell_step : NULL,
				.finding = from->on_finding ? api_tell_finding : NULL,
				.context = analysis,
			},
	};
	analysis->filter = (struct dms_run_filter){
		.devices = keep_list(analysis, from->devices, ok),
		.drivers = keep_list(analysis, from->drivers, ok),
		.rules = keep_list(analysis, from->rules, ok),
		.since = api_keep(analysis, from->since, ok),
		.until = api_keep(analysis, from->until, ok),
		.limit = from->limit,
	};
}

static struct dmascope_error *check_flags(uint32_t flags)
{
	const uint32_t known = DMASCOPE_KEEP_EVENTS | DMASCOPE_FIGURES_ONLY | DMASCOPE_SALVAGE;

	return flags & ~known ? api_usage("flags 0x%x are not known to libdmascope %s",
					  flags & ~known, DMS_VERSION)
			      : NULL;
}

struct dmascope_error *dmascope_analysis_create(const struct dmascope_options *options,
						struct dmascope_analysis **ret)
{
	struct dmascope_error *error = api_need(__func__, ret);
	struct dmascope_analysis *analysis;
	bool ok = true;

	if (error)
		return error;
	*ret = NULL;
	analysis = dms_zalloc(sizeof(*analysis));
	if (!analysis)
		return api_error(&dms_error_nomem);
	error = api_copy(&analysis->options, sizeof(analysis->options), options,
			 "dmascope_options");
	if (!error)
		error = check_flags(analysis->options.flags);
	if (!error) {
		analysis->arena = dms_arena_create();
		if (analysis->arena)
			set_run_options(analysis, &ok);
		if (!analysis->arena || !ok)
			error = api_error(&dms_error_nomem);
	}
	if (error) {
		dmascope_analysis_destroy(analysis);
		return error;
	}
	*ret = analysis;
	return NULL;
}

void dmascope_analysis_destroy(struct dmascope_analysis *analysis)
{
	struct dms_log_sink before;

	if (!analysis)
		return;
	before = api_enter(analysis);
	if (analysis->is_open)
		dms_run_close(&analysis->run);
	dms_log_redirect(before);
	for (size_t i = 0; i < analysis->n_formats; i++)
		dms_free((char *)analysis->formats[i].text);
	dms_free(analysis->formats);
	dms_arena_destroy(analysis->arena);
	dms_free(analysis);
}

/* ---- a call ----------------------------------------------------------------------------------- */

static void take_line(void *context, enum dms_log_level level, const char *line)
{
	const struct dmascope_options *options = &((struct dmascope_analysis *)context)->options;

	if (options->on_message)
		options->on_message(options->context, (enum dmascope_level)level, line);
}

struct dms_log_sink api_enter(struct dmascope_analysis *analysis)
{
	return dms_log_redirect((struct dms_log_sink){take_line, analysis});
}

struct dmascope_error *api_leave(struct dmascope_analysis *analysis, struct dms_log_sink before,
				 struct dms_error *err)
{
	dms_log_redirect(before);
	if (!err)
		return NULL;
	/* what is half done must not be taken for a run, nor hold its lock */
	analysis->state = API_BROKEN;
	if (analysis->is_open)
		dms_run_close(&analysis->run);
	analysis->is_open = false;
	return analysis->is_stopped ? api_stopped(err) : api_error(err);
}

struct dms_error *api_open(struct dmascope_analysis *analysis, const char *const *paths,
			   size_t n_paths)
{
	struct dms_error *err;

	analysis->is_open = true;
	err = dms_run_open(&analysis->run, paths, n_paths, &analysis->run_options);
	return err ? err : dms_run_filter_open(&analysis->run, &analysis->filter);
}

/* Nothing to judge is no clean bill. */
static struct dms_error *check_events(const struct dms_run *run)
{
	if ((run->events && run->since_ts <= run->last_ts) ||
	    dms_run_has_finding(run, DMS_SEVERITY_INFO, DMS_POSSIBLE))
		return NULL;
	if (run->events)
		return dms_error_new(DMS_ERROR_INPUT, "no DMA event from --since %s on",
				     run->filter->since);
	if (run->until_ts != UINT64_MAX)
		return dms_error_new(DMS_ERROR_INPUT, "no DMA event up to --until %s",
				     run->filter->until);
	return dms_run_nothing_found(run);
}

struct dms_error *api_finish(struct dmascope_analysis *analysis)
{
	struct dms_error *err = check_events(&analysis->run);

	if (!err)
		err = dms_run_finish(&analysis->run);
	if (!err)
		analysis->state = API_DONE;
	return err;
}

static struct dmascope_error *check_paths(const struct dmascope_analysis *analysis,
					  const char *const *paths, size_t n_paths)
{
	struct dmascope_error *error =
		api_need("dmascope_analysis_files", analysis && (paths || !n_paths));

	if (error)
		return error;
	if (analysis->state != API_NEW || analysis->n_formats)
		return api_usage("a handle is for one run, of files or of records");
	if (!n_paths)
		return api_usage("no file to analyze");
	for (size_t i = 0; i < n_paths; i++) {
		if (!paths[i])
			return api_usage("file %zu of %zu is NULL", i + 1, n_paths);
	}
	return NULL;
}

struct dmascope_error *dmascope_analysis_files(struct dmascope_analysis *analysis,
					       const char *const *paths, size_t n_paths)
{
	struct dmascope_error *error = check_paths(analysis, paths, n_paths);
	struct dms_log_sink before;
	struct dms_error *err;

	if (error)
		return error;
	before = api_enter(analysis);
	err = api_open(analysis, paths, n_paths);
	if (!err)
		err = dms_run_read(&analysis->run, &analysis->run_options);
	if (!err)
		err = api_finish(analysis);
	return api_leave(analysis, before, err);
}

// SPDX-License-Identifier: LGPL-2.1-only
/* The pipeline as one loop: input, decode, model, and its steps to statistics and store. */
#include <inttypes.h>
#include <string.h>

#include "run.h"
#include "digest.h"
#include "ledger.h"
#include "pump.h"
#include "recognise.h"
#include "share.h"
#include "tally.h"
#include "trust.h"

/* Look at the clock of the progress bar this often, in records. */
#define PROGRESS_RECORDS 65536
/* Some 20 ms: the first few, when the model's tables have to be filled, tell nothing of what follows. */
#define WATCHED_STRETCHES 256

/* A step that more listen to than the statistics. */
_apart_ static struct dms_error *take_told(struct dms_run *run, const struct dms_step *step)
{
	const struct dms_books books = {run->model, run->stats, run->late_tally, run->series,
					run->store};
	struct dms_error *err;

	if ((err = dms_run_judge(run, step)))
		return err;
	if (run->watcher.step && (err = run->watcher.step(run->watcher.context, step)))
		return err;
	if (run->ledger)
		return dms_ledger_step(run->ledger, step, run->event);
	/* The end, which tells all of each device, may never come. */
	if (run->store && run->in_place && step->kind == DMS_STEP_DEVICE &&
	    (err = dms_store_device(run->store, &run->names, step->device, NULL, NULL)))
		return err;
	/* A step told late is about an event that was stored long ago. */
	if (run->store && step->mapping && run->keep_events && step->event == run->event &&
	    step->kind != DMS_STEP_ENDED)
		run->mapping_row = dms_mapping_row(run->model, step->mapping);
	return dms_books_enter(&books, step);
}

/* Who wants to know steps beside the statistics? Asked when that changes, not at each step. */
static void note_listeners(struct dms_run *run)
{
	run->has_listeners = run->ledger || run->store || run->watcher.step;
}

/* The model tells; whoever wants to know listens. Nobody answers. */
_flat_ static struct dms_error *take_step(void *context, const struct dms_step *step)
{
	struct dms_run *run = context;

	if (run->has_listeners || dms_run_may_judge(run, step))
		return take_told(run, step);
	if (run->late_tally)
		return dms_tally_step(run->late_tally, step);
	return dms_stats_step(run->stats, step);
}

/* ---- opening --------------------------------------------------------------------------------- */

static struct dms_error *open_sources(struct dms_run *run, const char *const *paths, size_t n_paths,
				      struct dms_run_options *options)
{
	_cleanup_(dms_freep) struct dms_source **sources =
		dms_zalloc((n_paths + 1) * sizeof(*sources));
	struct dms_error *err = NULL;
	uint32_t n_open = 0;

	if (!sources) {
		dms_source_close(options->source);
		return &dms_error_nomem;
	}
	if (options->source)
		sources[n_open++] = options->source;
	else
		err = dms_run_recognise(run, paths, n_paths, options, sources, &n_open);
	if (!err && !(run->merge = dms_merge_create(sources, n_open)))
		err = &dms_error_nomem;
	while (err && n_open)
		dms_source_close(sources[--n_open]);
	return err;
}

/* Half a trace gives half an answer: only whoever asks for it gets it. */
static struct dms_error *check_whole(const struct dms_source *source)
{
	const struct dms_source_info *info = dms_source_info(source);
	const char *damage;

	if (dms_source_damage(source, &damage)) /* compressed data: found when it was unpacked */
		return dms_error_new(DMS_ERROR_INPUT, "%s: %s; --salvage analyzes what is left",
				     info->path, damage);
	if (!info->missing_bytes)
		return NULL;
	return dms_error_new(DMS_ERROR_INPUT,
			     "%s: truncated: expected %" PRIu64
			     " more bytes of trace data at offset %#" PRIx64
			     "; --salvage analyzes what is left",
			     info->path, info->missing_bytes, info->missing_offset);
}

/* The first file that can tell its clock: a text names none. */
static const struct dms_source_info *clock_teller(const struct dms_run *run)
{
	for (uint32_t i = 0; i < dms_merge_count(run->merge); i++) {
		const struct dms_source_info *info = dms_source_info(dms_merge_source(run->merge, i));

		if (!info->is_text || info->clock)
			return info;
	}
	return dms_source_info(dms_merge_source(run->merge, 0));
}

/* Time stamps of two clocks have no order among each other. */
static struct dms_error *check_same_clock(const struct dms_run *run, uint32_t file)
{
	const struct dms_source_info *first = clock_teller(run);
	const struct dms_source_info *info = dms_source_info(dms_merge_source(run->merge, file));
	const char *a = first->clock ? first->clock : "local";
	const char *b = info->clock ? info->clock : "local";

	if (info->is_text && !info->clock && info->clock_is_ns != first->clock_is_ns)
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s: its times are %s, those of %s are %s: files of one run "
				     "need one clock",
				     info->path, info->clock_is_ns ? "seconds" : "ticks", first->path,
				     first->clock_is_ns ? "seconds" : "ticks");
	if (!strcmp(a, b) || (info->is_text && !info->clock))
		return NULL;
	return dms_error_new(
		DMS_ERROR_INPUT,
		"%s: recorded with clock \"%s\", but %s with \"%s\": files of one run need "
		"one clock",
		info->path, b, first->path, a);
}

static struct dms_error *open_decoders(struct dms_run *run, bool salvage)
{
	struct dms_error *err;

	run->n_files = dms_merge_count(run->merge);
	run->decoders = dms_arena_alloc(run->arena, run->n_files * sizeof(struct dms_decoder *));
	run->first_instance = dms_arena_alloc(run->arena, (run->n_files + 1) * sizeof(uint32_t));
	run->file_inputs = dms_arena_alloc(run->arena, run->n_files * sizeof(uint32_t));
	if (!run->decoders || !run->first_instance || !run->file_inputs)
		return &dms_error_nomem;
	run->clock_is_ns = true;
	dms_merge_find_holes(run->merge);
	for (uint32_t i = 0; i < run->n_files; i++) {
		struct dms_source *source = dms_merge_source(run->merge, i);

		if (!salvage && (err = check_whole(source)))
			return err;
		if ((err = check_same_clock(run, i)))
			return err;
		if ((err = dms_decoder_create(source, &run->names, &run->decoders[i])))
			return err;
		run->file_inputs[i] = dms_decoder_inputs(run->decoders[i]);
		run->clock_is_ns &= dms_source_info(source)->clock_is_ns;
		run->names.is_in_ticks = !run->clock_is_ns;
		run->first_instance[i + 1] =
			run->first_instance[i] + dms_source_info(source)->n_instances;
	}
	return dms_merge_check_machine(run->merge);
}

struct dms_error *dms_run_open(struct dms_run *run, const char *const *paths, size_t n_paths,
			       const struct dms_run_options *options)
{
	struct dms_store_options store_options = {.keep_events = options->keep_events,
						  .in_place = options->in_place,
						  .figures_only = options->figures_only,
						  .part_watch = options->part_watch};
	struct dms_run_options all = *options; /* and the side files among @paths */
	struct dms_error *err;

	*run = (struct dms_run){.first_ts = UINT64_MAX,
				.until_ts = UINT64_MAX,
				.keep_events = options->keep_events && !options->figures_only,
				.in_place = options->in_place,
				.figures_only = options->figures_only,
				.watcher = options->watcher};
	run->arena = dms_arena_create();
	run->names.devices = dms_strtab_create();
	run->names.stacks = options->keep_stacks ? dms_stacks_create() : NULL;
	run->stats = dms_stats_create();
	run->task_bits = dms_zalloc(DMS_RUN_PID_LIMIT / 8);
	run->salvage = options->salvage;
	if (!run->arena || !run->names.devices || !run->stats || !run->task_bits ||
	    (options->keep_stacks && !run->names.stacks)) {
		dms_source_close(options->source);
		return &dms_error_nomem;
	}
	if ((err = open_sources(run, paths, n_paths, &all)) ||
	    (err = open_decoders(run, options->salvage)) ||
	    (err = dms_run_findings_create(run, options)) ||
	    (err = dms_model_create(&run->names, take_step, run, &run->model)))
		return err;
	if (options->output && !(run->series = dms_series_create()))
		return &dms_error_nomem;
	if (options->output &&
	    (err = dms_store_create(options->output, &store_options, &run->store)))
		return err;
	note_listeners(run);
	run->kallsyms_file = all.kallsyms ? dms_run_file_name(run, all.kallsyms) : NULL;
	return dms_run_side_open(run, &all);
}

void dms_run_close(struct dms_run *run)
{
	dms_digest_destroy(run->digest);
	for (uint32_t i = 0; run->decoders && i < run->n_files; i++)
		dms_decoder_destroy(run->decoders[i]);
	dms_store_destroy(run->store);
	dms_series_destroy(run->series);
	dms_stats_destroy(run->stats);
	dms_run_findings_destroy(run->findings);
	dms_run_groups_destroy(run->groups);
	dms_model_destroy(run->model);
	dms_symbols_destroy(run->symbols); /* borrows text from a source */
	dms_merge_destroy(run->merge);
	dms_run_side_close(run);
	dms_run_files_close(run);
	dms_run_twins_destroy(run->twins);
	dms_inventory_destroy(run->inventory);
	dms_stacks_destroy(run->names.stacks);
	dms_strtab_destroy(run->names.devices);
	dms_free(run->symbol_text.text);
	dms_free(run->chain);
	dms_free(run->task_bits);
	dms_free(run->notes.notes);
	dms_free(run->notes.devices);
	dms_arena_destroy(run->arena);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void note_time(struct dms_run *run, uint64_t ts)
{
	if (ts < run->first_ts)
		run->first_ts = ts;
	if (ts > run->last_ts)
		run->last_ts = ts;
}

static void note_task(struct dms_run *run, uint32_t pid)
{
	if (pid < DMS_RUN_PID_LIMIT)
		run->task_bits[pid / 64] |= 1ull << pid % 64;
}

/* What cannot be decoded is as good as lost. */
_apart_ static struct dms_error *take_malformed(struct dms_run *run, const struct dms_decoded *decoded)
{
	const struct dms_gap gap = {
		.after_ts = decoded->ts,
		.before_ts = decoded->ts,
		.lost = 1,
		.cpu = decoded->event.cpu,
		.instance = decoded->event.instance,
	};

	return dms_model_gap(run->model, &gap);
}

_flat_ static struct dms_error *take_event(struct dms_run *run, const struct dms_decoded *decoded)
{
	const struct dms_event *event = &decoded->event;
	struct dms_error *err;

	run->records++;
	/* written when it changes only: what lies beside it the reading thread looks at */
	if (run->file_inputs[decoded->file] != decoded->inputs)
		run->file_inputs[decoded->file] = decoded->inputs;
	if (event->kind == DMS_EV_NONE)
		return decoded->is_malformed ? take_malformed(run, decoded) : NULL;
	if (run->n_files > 1 && (err = dms_run_twins_note(run, decoded->file, event)))
		return err;
	run->events++;
	note_time(run, event->ts);
	run->mapping_row = 0;
	if ((err = dms_run_side_event(run, event)))
		return err;
	run->event = event;
	err = dms_model_event(run->model, event);
	run->event = NULL;
	if (err || !run->keep_events)
		return err;
	return run->store ? dms_store_event(run->store, event, run->mapping_row) : NULL;
}

/* In order of reading; it looks at nothing of the run that taking what it makes changes. */
static struct dms_error *decode_record(void *context, const struct dms_item *item,
				       struct dms_decoded *ret)
{
	struct dms_run *run = context;
	struct dms_decoder *decoder = run->decoders[item->file];
	uint64_t n_malformed = dms_decoder_malformed(decoder);
	uint32_t inputs = dms_decoder_inputs(decoder);
	const struct dms_record *record = dms_run_chain(run, item->file, &item->record);
	struct dms_error *err;

	if (!record)
		return &dms_error_nomem;
	if ((err = dms_decode(decoder, record, &ret->event)))
		return err;
	ret->inputs = dms_decoder_inputs(decoder);
	ret->is_malformed = dms_decoder_malformed(decoder) != n_malformed;
	if (ret->is_malformed) {
		ret->event.cpu = record->cpu;
		ret->event.instance = record->instance;
	}
	if (ret->event.kind != DMS_EV_NONE)
		note_task(run, ret->event.pid);
	else
		ret->is_silent = !ret->is_malformed && ret->inputs == inputs;
	if (ret->is_malformed || ret->event.kind != DMS_EV_NONE)
		ret->event.instance += run->first_instance[item->file];
	return NULL;
}

static struct dms_error *take_decoded(struct dms_run *run, const struct dms_decoded *decoded)
{
	struct dms_gap gap;

	if (decoded->kind == DMS_ITEM_RECORD)
		return take_event(run, decoded);
	gap = decoded->gap;
	gap.instance += run->first_instance[decoded->file];
	run->gaps++;
	run->sized_gaps += gap.lost != 0;
	run->hole_gaps += gap.is_hole;
	run->clock_gaps += gap.is_clock;
	run->lost_events += gap.lost;
	return dms_model_gap(run->model, &gap);
}

struct dms_error *dms_run_take(struct dms_run *run, const struct dms_item *item)
{
	struct dms_decoded decoded;
	struct dms_error *err;

	decoded.kind = item->kind;
	decoded.file = item->file;
	decoded.ts = dms_item_ts(item);
	if (item->kind == DMS_ITEM_GAP)
		decoded.gap = item->gap;
	else if ((err = decode_record(run, item, &decoded)))
		return err;
	return take_decoded(run, &decoded);
}

static void report_progress(const struct dms_run *run, const struct dms_run_options *options)
{
	uint64_t done, total;

	dms_pump_progress(run->pump, &done, &total);
	options->progress(options->progress_context, done, total, run->records);
}

static struct dms_error *check_undamaged(const struct dms_run *run)
{
	for (uint32_t i = 0; i < run->n_files; i++) {
		struct dms_source *source = dms_merge_source(run->merge, i);
		const char *first;
		uint64_t n_damaged = dms_source_damage(source, &first);

		if (n_damaged)
			return dms_error_new(DMS_ERROR_INPUT,
					     "%s: damaged in %" PRIu64 " place%s, first %s; "
					     "--salvage analyzes what is left",
					     dms_source_info(source)->path, n_damaged,
					     n_damaged == 1 ? "" : "s", first);
	}
	return NULL;
}

struct dms_error *dms_run_end(struct dms_run *run)
{
	struct dms_error *err = dms_run_twins_end(run);

	if (!err)
		err = dms_run_side_end(run);
	return err ? err : dms_model_end(run->model, run->last_ts);
}

/* Everything told so far is entered, and counted. */
static struct dms_error *drain(struct dms_run *run)
{
	struct dms_error *err = run->ledger ? dms_ledger_drain(run->ledger) : NULL;

	return err ? err : dms_share_drain(run);
}

/* Figures begin anew with the window: those of before must be complete. */
static struct dms_error *begin_window(struct dms_run *run, uint64_t ts)
{
	if (!run->since_ts || run->is_window_begun || ts < run->since_ts)
		return NULL;
	return drain(run);
}

/* Item by item. *@ret_is_over: what comes is not told. */
static struct dms_error *take_each(struct dms_run *run, const struct dms_stretch *stretch,
				   bool *ret_is_over)
{
	struct dms_error *err;

	for (uint32_t i = 0; i < stretch->n_items; i++) {
		const struct dms_decoded *decoded = &stretch->items[i];

		if ((err = begin_window(run, decoded->ts)))
			return err;
		*ret_is_over = !dms_run_window_at(run, decoded->ts) ||
			       decoded->kind == DMS_ITEM_END;
		if (*ret_is_over || (err = take_decoded(run, decoded)))
			return err;
	}
	return NULL;
}

/* True if nobody but the model has to look at the events of @stretch one by one, as nearly always. */
static bool is_for_model(const struct dms_run *run, const struct dms_stretch *stretch)
{
	bool may_begin_window = run->since_ts && !run->is_window_begun;

	return stretch->is_plain && run->n_files == 1 && !run->keep_events &&
	       !(may_begin_window && stretch->last_ts >= run->since_ts) &&
	       dms_run_side_is_idle(run, stretch->kinds);
}

/* What take_each() does with them amounts to this. */
_flat_ static struct dms_error *take_events(struct dms_run *run, const struct dms_stretch *stretch)
{
	struct dms_error *err = NULL;

	run->records += stretch->n_items;
	run->events += stretch->n_items;
	run->file_inputs[stretch->items->file] = stretch->items->inputs;
	note_time(run, stretch->first_ts);
	note_time(run, stretch->last_ts);
	for (uint32_t i = 0; !err && i < stretch->n_items; i++) {
		run->event = &stretch->items[i].event;
		err = dms_model_event(run->model, run->event);
	}
	run->event = NULL;
	return err;
}

/* From the first item to the last one that is told. */
static struct dms_error *take_all(struct dms_run *run, const struct dms_run_options *options)
{
	uint64_t next_report = PROGRESS_RECORDS;
	struct dms_stretch stretch;
	struct dms_error *err;
	bool is_over = false;

	for (;;) {
		if ((err = dms_pump_next(run->pump, &stretch)) || (err = dms_share_turn(run)))
			return err;
		run->records += stretch.n_silent;
		err = is_for_model(run, &stretch) ? take_events(run, &stretch)
						  : take_each(run, &stretch, &is_over);
		if (err || is_over)
			return err;
		if (run->records >= next_report && options->progress)
			report_progress(run, options);
		if (run->records >= next_report)
			next_report = run->records + PROGRESS_RECORDS;
	}
}

/* The batch that was taken last is needed until all steps of it are entered. */
static void turned(void *context)
{
	struct dms_run *run = context;

	if (run->ledger)
		dms_ledger_turn(run->ledger);
	else
		dms_pump_release(run->pump);
}

/* Rows of --events, and what is to last from its beginning, are stored as the model tells them. */
static bool wants_ledger(const struct dms_run *run, unsigned int n_threads)
{
	return n_threads > 2 && !run->keep_events && !run->in_place;
}

/* What need not wait for the model, in threads of their own. */
static struct dms_error *start_threads(struct dms_run *run, const struct dms_run_options *options,
				       unsigned int n_threads)
{
	const struct dms_books books = {run->model, run->stats, NULL, run->series, run->store};
	struct dms_error *err = NULL;

	if (!dms_pump_has_thread(run->pump)) {
		dms_share_end(run);
		return NULL;
	}
	if (run->store && !options->source)
		err = dms_digest_create(run->merge, &run->digest);
	if (!err && wants_ledger(run, n_threads))
		err = dms_ledger_create(&books, run->pump, &run->ledger);
	note_listeners(run);
	return err;
}

static struct dms_error *end_threads(struct dms_run *run, struct dms_error *err)
{
	if (!err)
		err = drain(run);
	dms_ledger_destroy(run->ledger);
	run->ledger = NULL;
	note_listeners(run);
	dms_pump_destroy(run->pump); /* from here on the sources are ours again */
	run->pump = NULL;
	dms_share_end(run);
	return err;
}

struct dms_error *dms_run_read(struct dms_run *run, const struct dms_run_options *options)
{
	bool is_in_step = dms_run_side_asks_decoders(run);
	unsigned int n_threads = is_in_step ? 1 : dms_pump_threads(run->merge, run->store);
	const struct dms_pump_options pump_options = {
		.until_ts = run->until_ts,
		.decode = decode_record,
		.turned = wants_ledger(run, n_threads) ? turned : NULL,
		.help = n_threads > 1 ? dms_share_help : NULL,
		.n_watched = WATCHED_STRETCHES,
		.context = run,
		.has_thread = n_threads > 1,
		.is_in_step = is_in_step,
	};
	struct dms_error *err = NULL;

	if (n_threads > 1)
		err = dms_share_begin(run, !wants_ledger(run, n_threads));
	if (!err)
		err = dms_pump_create(run->merge, &pump_options, &run->pump);
	if (!err)
		err = start_threads(run, options, n_threads);
	if (!err)
		err = take_all(run, options);
	if ((err = end_threads(run, err)))
		return err;
	if (!options->salvage && (err = check_undamaged(run)))
		return err;
	return dms_run_end(run);
}

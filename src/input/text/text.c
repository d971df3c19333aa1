// SPDX-License-Identifier: LGPL-2.1-only
/* A text dump of a trace as a source: lines in, records of made-up formats out. */
#include <inttypes.h>
#include <stdio.h>

#include "../source.h"
#include "notes.h"
#include "run.h"

struct text_source {
	struct dms_source common;
	struct file file;
	struct text_survey survey;
	struct text_notes notes;
	struct text_run_reader *runs[TEXT_MAX_RUNS];
	struct text_slot *heads[TEXT_MAX_RUNS]; /* of each run, the record that is next */
	bool is_done[TEXT_MAX_RUNS];		/* there is none */
	uint32_t n_runs;
	uint32_t given; /* run whose record was given last; TEXT_MAX_RUNS: none */
	uint64_t last_ts[TEXT_MAX_CPUS], newest_ts;
	uint32_t next_first_gap; /* 0: that over all; then those of CPUs, plus 1 */
	size_t next_loss;	 /* of the survey's */
	bool is_end_told;
	uint64_t n_late; /* records that came too late to be put in order */
	char *first_damage;
	char *tasks; /* "pid comm" lines */
	char format[64];
};

static const char *const instances[] = {""};

static void set_gap(const struct text_source *source, const struct text_slot *slot,
		    struct dms_item *ret)
{
	ret->kind = DMS_ITEM_GAP;
	ret->gap = (struct dms_gap){
		.after_ts = source->last_ts[slot->cpu],
		.before_ts = slot->ts,
		.lost = slot->lost,
		.cpu = slot->cpu,
	};
}

/* Time never goes back for those who read on. */
static struct dms_error *note_late(struct text_source *source, struct text_slot *slot)
{
	if (slot->ts >= source->newest_ts) {
		source->newest_ts = slot->ts;
		return NULL;
	}
	if (!source->n_late++) {
		dms_free(source->first_damage);
		source->first_damage = dms_asprintf(
			"at offset %#" PRIx64 ": an event %" PRIu64
			" ns older than those before it, more than %d lines ago",
			slot->offset, source->newest_ts - slot->ts, TEXT_WINDOW);
		if (!source->first_damage)
			return &dms_error_nomem;
	}
	slot->ts = source->newest_ts;
	return NULL;
}

static void set_record(struct text_source *source, const struct text_slot *slot,
		       struct dms_item *ret)
{
	ret->kind = DMS_ITEM_RECORD;
	ret->record = (struct dms_record){
		.ts = slot->ts,
		.offset = slot->offset,
		.data = slot->data,
		.size = slot->size,
		.cpu = slot->cpu,
		.chain = slot->chain,
		.n_chain = slot->n_chain,
	};
	source->last_ts[slot->cpu] = slot->ts;
}

/* The run whose next record is the oldest; TEXT_MAX_RUNS: there are no more. */
static struct dms_error *choose(struct text_source *source, uint32_t *ret)
{
	struct dms_error *err;

	*ret = TEXT_MAX_RUNS;
	for (uint32_t i = 0; i < source->n_runs; i++) {
		if (!source->heads[i] && !source->is_done[i] &&
		    (err = text_run_peek(source->runs[i], &source->heads[i])))
			return err;
		if (source->heads[i] && (*ret == TEXT_MAX_RUNS ||
					 source->heads[i]->ts < source->heads[*ret]->ts))
			*ret = i;
	}
	return NULL;
}

/* A run that is at its end may have lost something there. */
static bool take_end_gap(struct text_source *source, uint64_t before_ts, struct dms_item *ret)
{
	for (uint32_t i = 0; i < source->n_runs; i++) {
		struct text_slot slot = {.ts = before_ts};

		if (source->heads[i] || source->is_done[i])
			continue;
		source->is_done[i] = true;
		if (!text_run_end_gap(source->runs[i], &slot.lost, &slot.cpu))
			continue;
		set_gap(source, &slot, ret);
		return true;
	}
	return false;
}

/*
 * Entries that the header counts and that are not in the file: behind a cut if there is one, else
 * anywhere.
 */
static bool misses_end(const struct text_survey *survey)
{
	return survey->n_missing && survey->is_open && survey->order.n_runs == 1;
}

/* Where a CPU's time goes back, nobody knows what belongs together, or what is between. */
static bool is_jumbled(const struct text_survey *survey)
{
	if (survey->n_dumps) /* its parts may come in any order, which is made out */
		return false;
	return survey->buffers.n_back ||
	       (survey->buffers.n_joined && survey->order.n_runs > 1);
}

/* The gap over all, then what was overwritten before each CPU's first event. False: no more. */
static bool give_first_gap(struct text_source *source, struct dms_item *ret)
{
	const struct text_survey *survey = &source->survey;

	while (source->next_first_gap <= survey->n_cpus) {
		uint32_t next = source->next_first_gap++;
		struct dms_gap gap = {.before_ts = UINT64_MAX, .lost = survey->n_missing};
		bool is_lost = (survey->n_missing && !misses_end(survey)) || is_jumbled(survey);

		if (next) {
			gap = (struct dms_gap){.cpu = next - 1};
			gap.before_ts = survey->first_ts[gap.cpu];
			is_lost = survey->lost && gap.before_ts != UINT64_MAX;
		}
		if (!is_lost)
			continue;
		ret->kind = DMS_ITEM_GAP;
		ret->gap = gap;
		return true;
	}
	return false;
}

/* A loss that begins before @ts: when it does, not when its CPU goes on. False: there is none. */
static bool give_loss(struct text_source *source, uint64_t ts, struct dms_item *ret)
{
	const struct text_losses *losses = &source->survey.losses;
	const struct text_loss *loss;

	if (source->next_loss >= losses->n_items)
		return false;
	loss = &losses->items[source->next_loss];
	if (loss->after_ts >= ts && ts != UINT64_MAX)
		return false;
	source->next_loss++;
	ret->kind = DMS_ITEM_GAP;
	ret->gap = (struct dms_gap){
		.after_ts = loss->after_ts,
		.before_ts = loss->before_ts,
		.lost = loss->lost,
		.cpu = loss->cpu,
	};
	return true;
}

/* What a cut took away, beside the line it is in. */
static void give_end(struct text_source *source, struct dms_item *ret)
{
	const struct text_survey *survey = &source->survey;

	if (source->is_end_told)
		return;
	source->is_end_told = true;
	if (!misses_end(survey) && (!survey->is_dump_cut || survey->is_open))
		return;
	ret->kind = DMS_ITEM_GAP;
	ret->gap = (struct dms_gap){
		.after_ts = source->newest_ts,
		.before_ts = UINT64_MAX,
		.lost = misses_end(survey) ? survey->n_missing : 0,
	};
}

static struct dms_error *text_next(struct dms_source *common, struct dms_item *ret)
{
	struct text_source *source = (struct text_source *)common;
	struct text_slot *slot = NULL;
	struct dms_error *err;
	uint32_t run;

	ret->kind = DMS_ITEM_END;
	ret->file = 0;
	if (give_first_gap(source, ret))
		return NULL;
	if (source->given < TEXT_MAX_RUNS) {
		text_run_take(source->runs[source->given]);
		source->heads[source->given] = NULL;
		source->given = TEXT_MAX_RUNS;
	}
	if ((err = choose(source, &run)))
		return err;
	if (run < TEXT_MAX_RUNS)
		slot = source->heads[run];
	if (give_loss(source, slot ? slot->ts : UINT64_MAX, ret) ||
	    take_end_gap(source, slot ? slot->ts : UINT64_MAX, ret))
		return NULL;
	if (!slot) {
		give_end(source, ret);
		return NULL;
	}
	if ((err = note_late(source, slot)))
		return err;
	if (slot->has_gap) {
		slot->has_gap = false;
		set_gap(source, slot, ret);
		return NULL;
	}
	source->given = run;
	set_record(source, slot, ret);
	return NULL;
}

static struct dms_error *text_kallsyms(struct dms_source *common, const char **ret,
				       size_t *ret_size)
{
	struct text_source *source = (struct text_source *)common;

	*ret = NULL;
	*ret_size = 0;
	if (!text_symbols_exist(source->survey.symbols))
		return NULL;
	*ret = text_symbols_kallsyms(source->survey.symbols, ret_size);
	return *ret ? NULL : &dms_error_nomem;
}

static void text_progress(const struct dms_source *common, uint64_t *ret_done, uint64_t *ret_total)
{
	const struct text_source *source = (const struct text_source *)common;

	*ret_total = source->survey.end - source->survey.offset;
	*ret_done = 0;
	for (uint32_t i = 0; i < source->n_runs; i++)
		*ret_done += text_run_position(source->runs[i]) - source->survey.order.runs[i].offset;
	if (*ret_done > *ret_total)
		*ret_done = *ret_total;
}

static uint64_t text_damage(const struct dms_source *common, const char **ret_first)
{
	const struct text_source *source = (const struct text_source *)common;

	*ret_first = source->first_damage;
	return source->n_late;
}

static void text_close(struct dms_source *common)
{
	struct text_source *source = (struct text_source *)common;

	for (uint32_t i = 0; i < source->n_runs; i++)
		text_run_close(source->runs[i]);
	text_notes_deinit(&source->notes);
	text_survey_deinit(&source->survey);
	dms_free(source->tasks);
	dms_free(source->first_damage);
	file_close(&source->file);
	dms_free(source);
}

static const struct source_ops text_ops = {
	.next = text_next,
	.kallsyms = text_kallsyms,
	.progress = text_progress,
	.damage = text_damage,
	.close = text_close,
};

/* The page size is in no text: page frame numbers cannot be made addresses of. */
static struct dms_error *fill_info(struct text_source *source)
{
	const struct text_survey *survey = &source->survey;
	struct dms_error *err;

	snprintf(source->format, sizeof(source->format), "text (%s)", survey->dialect);
	source->common.info = (struct dms_source_info){
		.path = source->file.path,
		.format = source->format,
		.release = *survey->release ? survey->release : NULL,
		.clock = survey->is_in_ticks ? "unknown" : NULL,
		.instances = instances,
		.n_instances = 1,
		.n_cpus = survey->n_cpus,
		.long_size = survey->is_32bit ? 4 : 8,
		.big_endian = HOST_BIG_ENDIAN, /* of the records made here */
		.clock_is_ns = !survey->is_in_ticks,
		.is_text = true,
		.resolution_ns = survey->resolution_ns,
		.file_size = source->file.size,
		.lost_by_stats = survey->lost,
	};
	if ((err = text_notes_make(&source->notes, survey)))
		return err;
	source->common.info.notes = (const char *const *)source->notes.notes;
	source->common.info.n_notes = (uint32_t)source->notes.n_notes;
	source->tasks = text_comms_text(survey->comms);
	source->common.cmdlines = source->tasks && *source->tasks ? source->tasks : NULL;
	return source->tasks ? NULL : &dms_error_nomem;
}

/* Which module a function is in, a text seldom tells; kallsyms of that kernel does. */
static struct dms_error *learn_modules(struct text_source *source, const char *path)
{
	_cleanup_(dms_freep) char *text = NULL;
	struct dms_error *err;
	size_t bytes;

	if (!path || !text_symbols_may_learn(source->survey.symbols))
		return NULL;
	err = kallsyms_read(path, &text, &bytes);
	return err ? err : text_symbols_learn(source->survey.symbols, text, bytes);
}

static struct dms_error *open_runs(struct text_source *source)
{
	const struct text_survey *survey = &source->survey;
	struct dms_error *err = NULL;

	for (uint32_t i = 0; i < survey->order.n_runs && !err; i++) {
		err = text_run_open(survey, &source->file, i, &source->runs[i]);
		source->n_runs++;
	}
	return err;
}

/* No event at all: if that is because of how the trace was written, say so. */
static struct dms_error *refuse(const struct text_source *source)
{
	const struct text_trouble *strange = &source->survey.strange;
	const struct text_trouble *cut = &source->survey.cut;

	if (!strange->count && cut->count && cut->why)
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s: none of its %" PRIu64 " event line%s can be used, the "
				     "first at offset %#" PRIx64 ": %s",
				     source->file.path, cut->count, cut->count == 1 ? "" : "s",
				     cut->offset, cut->why);
	if (!strange->count)
		return NULL;
	return dms_error_new(DMS_ERROR_INPUT, "%s: at offset %#" PRIx64 ": %s", source->file.path,
			     strange->offset, strange->why);
}

/* Two traces in one text, or one of them twice: pairs across them would be none. */
static struct dms_error *check_single(const struct text_source *source)
{
	uint64_t offset;
	const char *why = text_buffers_refuse(&source->survey.buffers, &offset);

	if (!why)
		return NULL;
	return dms_error_new(DMS_ERROR_INPUT, "%s: at offset %#" PRIx64 ": %s", source->file.path,
			     offset, why);
}

struct dms_error *text_source_open(struct file *file, const struct dms_source_options *options,
				   struct dms_source **ret)
{
	struct text_source *source = dms_zalloc(sizeof(*source));
	struct dms_error *err;

	*ret = NULL;
	if (!source) {
		file_close(file);
		return &dms_error_nomem;
	}
	source->common.ops = &text_ops;
	source->file = *file;
	*file = (struct file){.fd = -1};
	source->given = TEXT_MAX_RUNS;
	err = text_survey(&source->survey, &source->file);
	if (!err && !source->survey.n_events && !source->survey.dialect) {
		err = refuse(source);
		text_close(&source->common);
		return err;
	}
	if (!err)
		err = check_single(source);
	if (!err)
		err = text_shapes_formats(source->survey.shapes, source->survey.is_32bit,
					  &source->common.formats, &source->common.n_formats);
	if (!err)
		err = fill_info(source);
	if (!err)
		err = learn_modules(source, options->kallsyms);
	if (!err)
		err = open_runs(source);
	if (err)
		text_close(&source->common);
	else
		*ret = &source->common;
	return err;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* A perf.data as a source: its samples in time order, and what was lost between them. */
#include <inttypes.h>

#include "reader.h"

/* ---- taking in records -------------------------------------------------------------------------
 */

static struct dms_error *take_sample(struct perf_source *source, const struct perf_raw *raw)
{
	const struct perf_head *head = &source->head;
	const struct perf_attr *attr = perf_record_attr(head, raw->data);
	struct perf_entry entry = {.block = raw->block};
	struct dms_error *err;
	struct perf_cpu *cpu;
	uint32_t number = 0;
	uint64_t period = 0;

	if (!attr)
		return perf_source_damage(source, raw, "a sample of an event that the head does not name");
	if (!attr->is_tracepoint)
		return NULL;
	if (raw->size < attr->layout.rest + 4u)
		return perf_source_damage(source, raw, "a sample shorter than its fields");
	entry.ts = load64(raw->data + attr->layout.time, head->swap);
	entry.at = (uint32_t)(raw->data - raw->block->data);
	entry.attr = (uint32_t)(attr - head->attrs);
	if (attr->layout.cpu)
		number = load32(raw->data + attr->layout.cpu, head->swap);
	if (number >= PERF_MAX_CPUS)
		return perf_source_damage(source, raw, "a sample of a CPU that cannot be");
	if (!(cpu = perf_source_cpu(source, number)))
		return &dms_error_nomem;
	if (attr->is_sampled && attr->layout.period)
		period = load64(raw->data + attr->layout.period, head->swap);
	if (period > 1) /* told in figures only: note_manner() put a gap over all */
		source->top->common.info.lost_by_stats += period - 1;
	if ((err = perf_watch_clock(source, cpu, number, entry.ts)))
		return err;
	perf_note_sample(source, number, entry.ts);
	perf_reader_keep(raw->block);
	return perf_sort_add(&source->sort, &entry) ? NULL : &dms_error_nomem;
}

static struct dms_error *take_comm(struct perf_source *source, const struct perf_raw *raw)
{
	return perf_comms_record(&source->top->comms, &source->head, raw) ? NULL : &dms_error_nomem;
}

static struct dms_error *begin_merge(struct perf_source *source, uint64_t limit)
{
	source->limit = limit;
	source->is_merging = true;
	return perf_sort_begin(&source->sort) ? NULL : &dms_error_nomem;
}

/*
 * perf has emptied the buffer of each CPU once. What comes from now on is later than all that was
 * seen up to the round before.
 */
static struct dms_error *take_round(struct perf_source *source, const struct perf_raw *raw)
{
	uint64_t limit = source->round_ts;
	struct dms_error *err = perf_add_round_gaps(source, source->max_ts);

	(void)raw;
	perf_note_round(source);
	return err ? err : begin_merge(source, limit);
}

static const struct {
	uint32_t type;
	struct dms_error *(*take)(struct perf_source *source, const struct perf_raw *raw);
} record_rows[] = {
	{PERF_SAMPLE, take_sample}, {PERF_COMM, take_comm},
	{PERF_FORK, take_comm},	    {PERF_FINISHED_ROUND, take_round},
	{PERF_LOST, perf_take_lost}, {PERF_LOST_SAMPLES, perf_take_lost_samples},
};

static size_t waiting_bytes(const struct perf_source *source)
{
	return source->reader.loaded_bytes + source->sort.n_waiting * sizeof(*source->sort.entries);
}

/* One more record of the file; at its end, or if too many wait, the merge begins. */
static struct dms_error *take_one(struct perf_source *source)
{
	struct dms_error *err;
	struct perf_raw raw;

	if ((err = perf_reader_next(&source->reader, &raw)))
		return err;
	if (!raw.data) {
		source->is_ended = true;
		if ((err = perf_add_round_gaps(source, UINT64_MAX)) ||
		    (err = perf_add_end_gaps(source)))
			return err;
		return begin_merge(source, UINT64_MAX);
	}
	for (size_t i = 0; i < DMS_ARRAY_SIZE(record_rows); i++) {
		if (record_rows[i].type != raw.type)
			continue;
		if ((err = record_rows[i].take(source, &raw)))
			return err;
		break;
	}
	if (source->is_merging || waiting_bytes(source) < source->max_waiting_bytes)
		return NULL;
	source->is_forced = true;
	return begin_merge(source, UINT64_MAX);
}

/* ---- giving them out ---------------------------------------------------------------------------
 */

static struct dms_error *note_task(struct perf_source *source, const struct perf_attr *attr,
				   const uint8_t *data)
{
	struct perf_source *top = source->top;

	if (!attr->layout.tid || (top->was_told && !top->common.cmdlines))
		return NULL; /* they have been asked for: the text must not move any more */
	if (!perf_comms_want(&top->comms,
			     load32(data + attr->layout.tid + 4, source->head.swap)))
		return &dms_error_nomem;
	top->common.cmdlines = top->comms.text;
	top->was_told = top->comms.text != NULL;
	return NULL;
}

/* A sample whose inside is damaged was an event all the same: a gap of one stands in its place. */
static void give_unreadable(struct perf_source *source, uint64_t ts, struct dms_item *ret)
{
	/* its members share memory with the record's */
	struct dms_gap gap = {.after_ts = source->given_ts, .before_ts = ts, .lost = 1};

	gap.cpu = ret->record.cpu;
	ret->kind = DMS_ITEM_GAP;
	ret->gap = gap;
	source->n_damaged++; /* it is told: no other gap for it */
}

static struct dms_error *give_sample(struct perf_source *source, const struct perf_entry *entry,
				     struct dms_item *ret)
{
	const struct perf_attr *attr = &source->head.attrs[entry->attr];
	struct dms_error *err;
	const uint8_t *data;
	const char *wrong;
	uint64_t offset;

	source->given_block = entry->block;
	if ((err = perf_block_record(&source->reader, entry->block, entry->at, &data)))
		return err;
	offset = perf_block_offset(entry->block, data);
	wrong = perf_sample_read(&source->head, attr, data, &ret->record, source->chain);
	if (wrong) {
		give_unreadable(source, entry->ts, ret);
		return perf_reader_damage(&source->reader, offset, wrong);
	}
	if (entry->ts < source->given_ts &&
	    (err = perf_reader_damage(&source->reader, offset, "a sample out of time order")))
		return err;
	if ((err = note_task(source, attr, data)))
		return err;
	ret->record.offset = offset;
	ret->kind = DMS_ITEM_RECORD;
	if (entry->ts > source->given_ts)
		source->given_ts = entry->ts;
	return NULL;
}

static void give_gap(struct perf_source *source, const struct perf_entry *entry,
		     struct dms_item *ret)
{
	ret->kind = DMS_ITEM_GAP;
	ret->gap = source->gaps[entry->at];
	source->n_gaps_waiting--;
}

/* The next of those whose turn it is; ret->kind DMS_ITEM_END: none for now. */
static struct dms_error *give_one(struct perf_source *source, struct dms_item *ret)
{
	struct perf_entry entry;

	while (!source->is_forced || waiting_bytes(source) > source->max_waiting_bytes / 4 * 3) {
		struct dms_error *err = NULL;

		if (source->given_block)
			perf_reader_release(&source->reader, source->given_block);
		source->given_block = NULL;
		if (!perf_sort_take(&source->sort, source->limit, &entry))
			break;
		if (entry.block)
			err = give_sample(source, &entry, ret);
		else
			give_gap(source, &entry, ret);
		if (err || ret->kind != DMS_ITEM_END)
			return err;
	}
	perf_sort_end(&source->sort);
	source->is_merging = source->is_forced = false;
	return NULL;
}

struct dms_error *perf_next_waiting(struct perf_source *source, struct dms_item *ret)
{
	struct dms_error *err;

	ret->file = 0;
	ret->kind = DMS_ITEM_END;
	if (!source->is_merging && (err = begin_merge(source, UINT64_MAX)))
		return err;
	return give_one(source, ret);
}

struct dms_error *perf_next(struct dms_source *common, struct dms_item *ret)
{
	struct perf_source *source = (struct perf_source *)common;
	struct dms_error *err;

	ret->file = 0;
	ret->kind = DMS_ITEM_END;
	for (;;) {
		if (source->is_merging &&
		    ((err = give_one(source, ret)) || ret->kind != DMS_ITEM_END))
			return err;
		if (source->is_ended && !source->is_merging)
			return NULL;
		while (!source->is_merging) {
			if ((err = take_one(source)))
				return err;
		}
	}
}

/* A table that was given needs no more of the file's own than where the kernel was. */
struct dms_error *perf_kallsyms(struct dms_source *common, const char **ret, size_t *ret_size)
{
	struct perf_source *source = (struct perf_source *)common;
	const struct perf_head *head = &source->head;
	struct dms_error *err = NULL;

	if (!source->kallsyms && head->kallsyms_size) {
		source->kallsyms = dms_alloc(head->kallsyms_size + 1);
		if (!source->kallsyms)
			return &dms_error_nomem;
		source->kallsyms[head->kallsyms_size] = '\0';
		err = file_read(&head->file, head->kallsyms_offset, source->kallsyms,
				head->kallsyms_size);
	}
	if (!source->kallsyms && common->given && common->given->kallsyms && head->text_addr) {
		source->kallsyms = dms_asprintf("%016" PRIx64 " T %s\n", head->text_addr,
						head->text_name);
		if (!source->kallsyms)
			return &dms_error_nomem;
	}
	*ret = source->kallsyms;
	*ret_size = head->kallsyms_size ? head->kallsyms_size
		    : source->kallsyms	? strlen(source->kallsyms)
					: 0;
	return err;
}

static void perf_progress(const struct dms_source *common, uint64_t *ret_done, uint64_t *ret_total)
{
	const struct perf_reader *reader = &((const struct perf_source *)common)->reader;

	*ret_total = reader->end - reader->head->data_offset;
	*ret_done = reader->position - reader->head->data_offset;
}

static uint64_t perf_damage(const struct dms_source *common, const char **ret_first)
{
	const struct perf_reader *reader = &((const struct perf_source *)common)->reader;

	*ret_first = reader->first_damage;
	return reader->n_damaged;
}

/* ---- closing -----------------------------------------------------------------------------------
 */

void perf_source_deinit(struct perf_source *source)
{
	if (source->given_block)
		perf_reader_release(&source->reader, source->given_block);
	source->limit = UINT64_MAX;
	if (source->sort.n_waiting && (source->is_merging || perf_sort_begin(&source->sort))) {
		struct perf_entry entry;

		while (perf_sort_take(&source->sort, UINT64_MAX, &entry)) {
			if (entry.block)
				perf_reader_release(&source->reader, entry.block);
		}
	}
	perf_reader_close(&source->reader);
	perf_sort_deinit(&source->sort);
	dms_free(source->gaps);
	dms_free(source->cpus);
}

static void perf_close(struct dms_source *common)
{
	struct perf_source *source = (struct perf_source *)common;

	perf_source_deinit(source);
	perf_comms_deinit(&source->comms);
	dms_free(source->kallsyms);
	perf_head_close(&source->head);
	dms_free(source);
}

const struct source_ops perf_ops = {
	.next = perf_next,
	.kallsyms = perf_kallsyms,
	.progress = perf_progress,
	.damage = perf_damage,
	.close = perf_close,
};

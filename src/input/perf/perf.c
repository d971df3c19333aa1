// SPDX-License-Identifier: LGPL-2.1-only
/* A perf.data as a source: its samples in time order, and what was lost between them. */
#include "reader.h"

/* What waits for its turn, in all; beyond it the oldest goes first, come what may. */
#define MAX_WAITING_BYTES (96u << 20)
#define MAX_CPUS	  65536u
#define STILL_NS	  1000000u /* what a clock stands still beyond what the model bears */
#define DAMAGED_ROUNDS	  2	   /* what was lost may be as late as the next round */

/* ---- gaps --------------------------------------------------------------------------------------
 */

/* NULL: not a number a CPU can have, or out of memory. */
static struct perf_cpu *cpu_state(struct perf_source *source, uint32_t cpu)
{
	if (cpu >= MAX_CPUS ||
	    !dms_grow(&source->cpus, &source->cpus_capacity, cpu + 1u, sizeof(*source->cpus)))
		return NULL;
	if (cpu >= source->n_cpus)
		source->n_cpus = cpu + 1u;
	return &source->cpus[cpu];
}

struct dms_error *perf_source_add_gap(struct perf_source *source, const struct dms_gap *gap)
{
	struct perf_entry entry = {.ts = gap->after_ts};

	if (!source->n_gaps_waiting)
		source->n_gaps = 0;
	if (!dms_grow(&source->gaps, &source->gaps_capacity, source->n_gaps + 1,
		      sizeof(*source->gaps)))
		return &dms_error_nomem;
	entry.at = (uint32_t)source->n_gaps;
	source->gaps[source->n_gaps++] = *gap;
	source->n_gaps_waiting++;
	return perf_sort_add(&source->sort, &entry) ? NULL : &dms_error_nomem;
}

/* Damage may have hidden records of any CPU, of this round or (if its end was hidden) the next. */
static struct dms_error *add_damage_gap(struct perf_source *source, uint64_t before_ts)
{
	struct dms_gap gap = {.after_ts = source->given_ts, .before_ts = before_ts};

	if (source->reader.n_damaged != source->n_damaged) {
		source->n_damaged = source->reader.n_damaged;
		source->n_damaged_rounds = DAMAGED_ROUNDS;
	}
	if (!source->n_damaged_rounds)
		return NULL;
	source->n_damaged_rounds--;
	return perf_source_add_gap(source, &gap);
}

/* What the kernel's counters know of and no LOST record told: it came after the last record. */
static struct dms_error *add_end_gaps(struct perf_source *source)
{
	struct dms_error *err = NULL;

	for (uint32_t i = 0; i < source->n_cpus && !err; i++) {
		const struct perf_cpu *cpu = &source->cpus[i];
		struct dms_gap gap = {.after_ts = cpu->last_ts, .before_ts = UINT64_MAX, .cpu = i};

		if (cpu->n_by_stats <= cpu->n_marked)
			continue;
		gap.lost = cpu->n_by_stats - cpu->n_marked;
		err = perf_source_add_gap(source, &gap);
	}
	if (!err && source->head.missing_bytes) {
		struct dms_gap gap = {.after_ts = source->round_ts, .before_ts = UINT64_MAX};

		err = perf_source_add_gap(source, &gap);
	}
	return err;
}

/* ---- taking in records -------------------------------------------------------------------------
 */

static struct dms_error *damage(struct perf_source *source, const struct perf_raw *raw,
				const char *what)
{
	return perf_reader_damage(&source->reader, perf_block_offset(raw->block, raw->data), what);
}

/*
 * Where the TSC is unstable the kernel stops a CPU's clock rather than let it run ahead (clamping
 * in kernel/sched/clock.c): what happened up to its next time stamp stands too early in the trace.
 * Two events of one CPU with one time show it; a gap says that order is not known there.
 */
static struct dms_error *watch_clock(struct perf_source *source, struct perf_cpu *cpu,
				     uint32_t number, uint64_t ts)
{
	struct dms_gap gap = {.after_ts = cpu->last_ts, .before_ts = ts, .cpu = number};
	bool was_still = cpu->is_still;
	struct dms_error *err;

	cpu->is_still = cpu->last_ts == ts;
	if (!was_still || ts < cpu->last_ts || ts - cpu->last_ts < STILL_NS)
		return NULL;
	if ((err = perf_source_add_gap(source, &gap)) || source->has_still_clock)
		return err;
	source->has_still_clock = true;
	err = perf_head_note(
		&source->head,
		dms_strdup("the clock of a CPU stood still in places (an unstable TSC): "
			   "they count as gaps, for the order of events is not known "
			   "there (record with -k mono)"));
	source->common.info.notes = source->head.notes;
	source->common.info.n_notes = (uint32_t)source->head.n_notes;
	return err;
}

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
		return damage(source, raw, "a sample of an event that the head does not name");
	if (!attr->is_tracepoint)
		return NULL;
	if (raw->size < attr->layout.rest + 4u)
		return damage(source, raw, "a sample shorter than its fields");
	entry.ts = load64(raw->data + attr->layout.time, head->swap);
	entry.at = (uint32_t)(raw->data - raw->block->data);
	entry.attr = (uint32_t)(attr - head->attrs);
	if (attr->layout.cpu)
		number = load32(raw->data + attr->layout.cpu, head->swap);
	if (number >= MAX_CPUS)
		return damage(source, raw, "a sample of a CPU that cannot be");
	if (!(cpu = cpu_state(source, number)))
		return &dms_error_nomem;
	if (attr->is_sampled && attr->layout.period)
		period = load64(raw->data + attr->layout.period, head->swap);
	if (period > 1) /* told in figures only: note_manner() put a gap over all */
		source->common.info.lost_by_stats += period - 1;
	if ((err = watch_clock(source, cpu, number, entry.ts)))
		return err;
	cpu->last_ts = entry.ts;
	if (entry.ts > source->max_ts)
		source->max_ts = entry.ts;
	perf_reader_keep(raw->block);
	return perf_sort_add(&source->sort, &entry) ? NULL : &dms_error_nomem;
}

/* The CPU of a record's trailer; 0 if it does not tell. */
static uint32_t trailer_cpu(const struct perf_source *source, const struct perf_raw *raw,
			    const struct perf_attr *attr)
{
	uint16_t end = attr ? attr->layout.end_cpu : 0;

	return end && end + PERF_HEADER_BYTES <= raw->size
		       ? load32(raw->data + raw->size - end, source->head.swap)
		       : 0;
}

/* LOST: u64 id, u64 lost. The kernel tells it when there is room again, on that CPU. */
static struct dms_error *take_lost(struct perf_source *source, const struct perf_raw *raw)
{
	const struct perf_attr *attr = perf_record_attr(&source->head, raw->data);
	uint32_t number = trailer_cpu(source, raw, attr);
	struct dms_gap gap = {.before_ts = UINT64_MAX};
	struct perf_cpu *cpu;

	if (raw->size < PERF_HEADER_BYTES + 16)
		return damage(source, raw, "a LOST record that is too short");
	if (number >= MAX_CPUS)
		return damage(source, raw, "a LOST record of a CPU that cannot be");
	if (!(cpu = cpu_state(source, number)))
		return &dms_error_nomem;
	gap.cpu = number;
	gap.lost = load64(raw->data + PERF_HEADER_BYTES + 8, source->head.swap);
	gap.after_ts = cpu->last_ts;
	if (attr && attr->layout.end_time && attr->layout.end_time + 24u <= raw->size)
		gap.before_ts =
			load64(raw->data + raw->size - attr->layout.end_time, source->head.swap);
	cpu->n_marked += gap.lost;
	return perf_source_add_gap(source, &gap);
}

/* LOST_SAMPLES: u64 lost. perf asks the kernel for these counters at the end. */
static struct dms_error *take_lost_samples(struct perf_source *source, const struct perf_raw *raw)
{
	const struct perf_attr *attr = perf_record_attr(&source->head, raw->data);
	uint32_t number = trailer_cpu(source, raw, attr);
	struct perf_cpu *cpu;
	uint64_t lost;

	if (raw->size < PERF_HEADER_BYTES + 8 || number >= MAX_CPUS)
		return damage(source, raw, "a LOST_SAMPLES record that makes no sense");
	/* those of hardware events are none of ours, nor those the user did not want */
	if ((attr && !attr->is_tracepoint) ||
	    perf_record_misc(&source->head, raw->data) & PERF_MISC_BPF_DROPPED)
		return NULL;
	if (!(cpu = cpu_state(source, number)))
		return &dms_error_nomem;
	lost = load64(raw->data + PERF_HEADER_BYTES, source->head.swap);
	cpu->n_by_stats += lost;
	source->common.info.lost_by_stats += lost;
	return NULL;
}

static struct dms_error *take_comm(struct perf_source *source, const struct perf_raw *raw)
{
	return perf_comms_record(&source->comms, &source->head, raw) ? NULL : &dms_error_nomem;
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
	struct dms_error *err = add_damage_gap(source, source->max_ts);

	(void)raw;
	source->round_ts = source->max_ts;
	return err ? err : begin_merge(source, limit);
}

static const struct {
	uint32_t type;
	struct dms_error *(*take)(struct perf_source *source, const struct perf_raw *raw);
} record_rows[] = {
	{PERF_SAMPLE, take_sample}, {PERF_COMM, take_comm},
	{PERF_FORK, take_comm},	    {PERF_FINISHED_ROUND, take_round},
	{PERF_LOST, take_lost},	    {PERF_LOST_SAMPLES, take_lost_samples},
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
		if ((err = add_damage_gap(source, UINT64_MAX)) || (err = add_end_gaps(source)))
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
	if (source->is_merging || waiting_bytes(source) < MAX_WAITING_BYTES)
		return NULL;
	source->is_forced = true;
	return begin_merge(source, UINT64_MAX);
}

/* ---- giving them out ---------------------------------------------------------------------------
 */

static struct dms_error *note_task(struct perf_source *source, const struct perf_attr *attr,
				   const uint8_t *data)
{
	if (!attr->layout.tid || (source->was_told && !source->common.cmdlines))
		return NULL; /* they have been asked for: the text must not move any more */
	if (!perf_comms_want(&source->comms,
			     load32(data + attr->layout.tid + 4, source->head.swap)))
		return &dms_error_nomem;
	source->common.cmdlines = source->comms.text;
	source->was_told = source->comms.text != NULL;
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

	while (!source->is_forced || waiting_bytes(source) > MAX_WAITING_BYTES / 4 * 3) {
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

static struct dms_error *perf_next(struct dms_source *common, struct dms_item *ret)
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

static struct dms_error *perf_kallsyms(struct dms_source *common, const char **ret,
				       size_t *ret_size)
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
	*ret = source->kallsyms;
	*ret_size = head->kallsyms_size;
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

static void perf_close(struct dms_source *common)
{
	struct perf_source *source = (struct perf_source *)common;

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
	perf_comms_deinit(&source->comms);
	dms_free(source->gaps);
	dms_free(source->cpus);
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

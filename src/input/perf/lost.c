// SPDX-License-Identifier: LGPL-2.1-only
/* What a perf.data lacks: events that were lost, hidden by damage, or left to another file. */
#include "reader.h"

#define STILL_NS       1000000u /* what a clock stands still beyond what the model bears */
#define DAMAGED_ROUNDS 2	/* what was lost may be as late as the next round */

struct perf_cpu *perf_source_cpu(struct perf_source *source, uint32_t cpu)
{
	if (cpu >= PERF_MAX_CPUS ||
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

struct dms_error *perf_source_damage(struct perf_source *source, const struct perf_raw *raw,
				     const char *what)
{
	return perf_reader_damage(&source->reader, perf_block_offset(raw->block, raw->data), what);
}

/* ---- how far the file is whole ------------------------------------------------------------------
 *
 * In each round perf empties the buffers of the CPUs in turn, that of the lowest first. So all that
 * happened before a round began is in the file when the round ends, and all that is no later than
 * the last event of the CPU whose turn came first; of the other CPUs it has later events, too. At
 * an ordinary end that does not matter: events are switched off, and then emptied all is once more.
 * Source: record__mmap_read_evlist() and __cmd_record() of tools/perf/builtin-record.c, 6.1 to 7.2
 */

void perf_note_sample(struct perf_source *source, uint32_t number, uint64_t ts)
{
	struct perf_cpu *cpu = &source->cpus[number];

	if (!cpu->has_sample) {
		cpu->first_ts = ts;
		cpu->has_sample = true;
		source->n_seen_cpus++;
		if (source->n_seen_cpus == 1 || number < source->lowest_cpu)
			source->lowest_cpu = number;
	}
	cpu->last_ts = ts;
	if (ts > source->max_ts)
		source->max_ts = ts;
	source->is_in_round = true;
}

void perf_note_round(struct perf_source *source)
{
	source->before_round_ts = source->round_ts;
	source->round_ts = source->max_ts;
	source->is_in_round = false;
}

/* The time up to which nothing is missing where the last round was the last thing perf did. */
static uint64_t whole_until(const struct perf_source *source)
{
	uint64_t began = source->is_in_round ? source->round_ts : source->before_round_ts;
	uint64_t lowest = source->n_seen_cpus ? source->cpus[source->lowest_cpu].last_ts : 0;

	return lowest > began ? lowest : began;
}

/* A file of several begins as the one before it ended: the CPUs follow one after the other. */
static struct dms_error *add_begin_gap(struct perf_source *source)
{
	struct dms_gap gap = {.before_ts = 0};

	if (!source->head.is_switched || source->has_begun)
		return NULL;
	source->has_begun = true;
	if (source->n_seen_cpus < source->head.n_online)
		gap.before_ts = source->max_ts; /* the last one's turn was before the next round */
	for (uint32_t i = 0; i < source->n_cpus; i++) {
		if (source->cpus[i].has_sample && source->cpus[i].first_ts > gap.before_ts)
			gap.before_ts = source->cpus[i].first_ts;
	}
	return perf_source_add_gap(source, &gap);
}

/* ---- gaps --------------------------------------------------------------------------------------
 */

struct dms_error *perf_add_round_gaps(struct perf_source *source, uint64_t before_ts)
{
	/* damage may have hidden records of any CPU, of this round or (was its end hidden) the next */
	struct dms_gap gap = {.after_ts = source->given_ts, .before_ts = before_ts};
	struct dms_error *err = add_begin_gap(source);

	if (err)
		return err;
	if (source->reader.n_damaged != source->n_damaged) {
		source->n_damaged = source->reader.n_damaged;
		source->n_damaged_rounds = DAMAGED_ROUNDS;
	}
	if (!source->n_damaged_rounds)
		return NULL;
	source->n_damaged_rounds--;
	return perf_source_add_gap(source, &gap);
}

/* Losses of which no LOST record told came after the last record of their CPU. */
static struct dms_error *add_untold(struct perf_source *source)
{
	struct dms_gap any = {.after_ts = UINT64_MAX, .before_ts = UINT64_MAX};
	uint64_t n_marked = 0, n_by_stats = source->n_stats_anywhere;

	for (uint32_t i = 0; i < source->n_cpus; i++) {
		const struct perf_cpu *cpu = &source->cpus[i];
		struct dms_gap gap = {.after_ts = cpu->last_ts, .before_ts = UINT64_MAX, .cpu = i};
		struct dms_error *err;

		n_marked += cpu->n_marked;
		n_by_stats += cpu->n_by_stats;
		if (cpu->has_sample && cpu->last_ts < any.after_ts)
			any.after_ts = cpu->last_ts;
		if (source->n_stats_anywhere || cpu->n_by_stats <= cpu->n_marked)
			continue;
		gap.lost = cpu->n_by_stats - cpu->n_marked;
		if ((err = perf_source_add_gap(source, &gap)))
			return err;
	}
	if (!source->n_stats_anywhere || n_by_stats <= n_marked)
		return NULL;
	if (!source->n_seen_cpus)
		any.after_ts = 0;
	any.lost = n_by_stats - n_marked; /* of which CPU is not told for all: only sums compare */
	return perf_source_add_gap(source, &any);
}

struct dms_error *perf_add_end_gaps(struct perf_source *source)
{
	const struct perf_head *head = &source->head;
	struct dms_gap gap = {.after_ts = whole_until(source), .before_ts = UINT64_MAX};
	struct dms_error *err = source->top == source ? add_untold(source) : NULL;
	bool is_open = head->is_switched || head->is_unfinished;

	if (!err && (head->missing_bytes || (is_open && gap.after_ts < source->max_ts)))
		err = perf_source_add_gap(source, &gap);
	return err;
}

/*
 * Where the TSC is unstable the kernel stops a CPU's clock rather than let it run ahead (clamping
 * in kernel/sched/clock.c): what happened up to its next time stamp stands too early in the trace.
 * Two events of one CPU with one time show it; a gap says that order is not known there.
 */
struct dms_error *perf_watch_clock(struct perf_source *source, struct perf_cpu *cpu,
				   uint32_t number, uint64_t ts)
{
	struct dms_gap gap = {
		.after_ts = cpu->last_ts, .before_ts = ts, .cpu = number, .is_clock = true};
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

/* ---- records that tell of losses -----------------------------------------------------------------
 */

/* The number that stands @end bytes before a record's end; @fallback if it is too short. */
static uint64_t trailer(const struct perf_source *source, const struct perf_raw *raw, uint16_t end,
			uint64_t fallback)
{
	return end && end + PERF_HEADER_BYTES <= raw->size
		       ? load64(raw->data + raw->size - end, source->head.swap)
		       : fallback;
}

/* The CPU of a record's trailer, where it stands in four bytes of eight; 0 if it does not tell. */
static uint32_t trailer_cpu(const struct perf_source *source, const struct perf_raw *raw,
			    const struct perf_attr *attr)
{
	uint16_t end = attr ? attr->layout.end_cpu : 0;

	return end && end + PERF_HEADER_BYTES <= raw->size
		       ? load32(raw->data + raw->size - end, source->head.swap)
		       : 0;
}

struct dms_error *perf_take_lost(struct perf_source *source, const struct perf_raw *raw)
{
	const struct perf_attr *attr = perf_record_attr(&source->head, raw->data);
	uint32_t number = trailer_cpu(source, raw, attr);
	struct dms_gap gap = {.before_ts = UINT64_MAX};
	struct perf_cpu *cpu;

	if (raw->size < PERF_HEADER_BYTES + 16)
		return perf_source_damage(source, raw, "a LOST record that is too short");
	if (number >= PERF_MAX_CPUS)
		return perf_source_damage(source, raw, "a LOST record of a CPU that cannot be");
	if (!(cpu = perf_source_cpu(source, number)))
		return &dms_error_nomem;
	gap.cpu = number;
	gap.lost = load64(raw->data + PERF_HEADER_BYTES + 8, source->head.swap);
	gap.after_ts = cpu->last_ts;
	if (raw->size >= PERF_HEADER_BYTES + 16u + (attr ? attr->layout.end_time : 0u))
		gap.before_ts = trailer(source, raw, attr ? attr->layout.end_time : 0, UINT64_MAX);
	cpu->n_marked += gap.lost;
	return perf_source_add_gap(source, &gap);
}

/*
 * Whose losses: the id's CPU. In the trailer perf leaves time and CPU 0, and only the kernel, which
 * gives a time, a CPU.
 */
static uint32_t cpu_of_losses(const struct perf_source *source, const struct perf_raw *raw,
			      const struct perf_attr *attr)
{
	const struct perf_head *head = &source->head;
	uint32_t cpu = perf_head_cpu(head, trailer(source, raw, head->end_id_at, 0));

	if (cpu == PERF_NO_CPU && attr && trailer(source, raw, attr->layout.end_time, 0))
		cpu = trailer_cpu(source, raw, attr);
	return cpu;
}

struct dms_error *perf_take_lost_samples(struct perf_source *source, const struct perf_raw *raw)
{
	const struct perf_attr *attr = perf_record_attr(&source->head, raw->data);
	uint32_t number = cpu_of_losses(source, raw, attr);
	struct perf_cpu *cpu;
	uint64_t lost;

	if (raw->size < PERF_HEADER_BYTES + 8 || (number >= PERF_MAX_CPUS && number != PERF_NO_CPU))
		return perf_source_damage(source, raw, "a LOST_SAMPLES record that makes no sense");
	/* those of hardware events are none of ours, nor those the user did not want */
	if ((attr && !attr->is_tracepoint) ||
	    perf_record_misc(&source->head, raw->data) & PERF_MISC_BPF_DROPPED)
		return NULL;
	lost = load64(raw->data + PERF_HEADER_BYTES, source->head.swap);
	source->top->common.info.lost_by_stats += lost;
	if (number == PERF_NO_CPU) {
		source->n_stats_anywhere += lost;
		return NULL;
	}
	if (!(cpu = perf_source_cpu(source, number)))
		return &dms_error_nomem;
	cpu->n_by_stats += lost;
	return NULL;
}

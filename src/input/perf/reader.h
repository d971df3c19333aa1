/* SPDX-License-Identifier: LGPL-2.1-only */
/* The inside of a perf.data source, shared by what opens it and what walks it. */
#ifndef DMS_INPUT_PERF_SOURCE_H
#define DMS_INPUT_PERF_SOURCE_H

#include "perf.h"

/* What is known of one CPU, in the order of the file. */
struct perf_cpu {
	uint64_t first_ts;   /* of its first sample */
	uint64_t last_ts;    /* of its last one */
	uint64_t n_marked;   /* events lost by LOST records */
	uint64_t n_by_stats; /* and by the kernel's counters, told at the end */
	bool has_sample;     /* there was one */
	bool is_still;	     /* its last two samples have the same time */
};

struct perf_source {
	struct dms_source common;
	struct perf_source *top; /* the folder this is one file of; else this one itself */
	struct dms_merge *parts; /* of a folder: its files */
	size_t max_waiting_bytes;
	struct perf_head head;
	struct perf_reader reader;
	struct perf_sort sort;
	struct perf_comms comms;
	struct dms_gap *gaps; /* that wait */
	size_t n_gaps, n_gaps_waiting, gaps_capacity;
	struct perf_cpu *cpus;
	size_t n_cpus, cpus_capacity;

	uint64_t max_ts;    /* of all samples read */
	uint64_t round_ts;  /* max_ts when the last round ended */
	uint64_t before_round_ts; /* and when the one before it did */
	uint64_t n_stats_anywhere; /* lost, by counters of which the CPU is not known */
	uint32_t n_seen_cpus, lowest_cpu;
	bool is_in_round; /* there was a sample since the last round ended */
	bool has_begun;	  /* what is missing at the beginning was told */
	uint64_t limit;	    /* while merging: what is later must wait */
	uint64_t given_ts;  /* of the record given last */
	uint64_t n_damaged; /* of the reader, when last looked at */
	unsigned int n_damaged_rounds;
	bool is_merging, is_forced, is_ended;
	bool has_still_clock;		/* that was noted */
	bool was_told;			/* the comms' text was given to the head of sources */
	struct perf_block *given_block; /* of the record given last */
	char format[48];
	char tool[64];
	char *kallsyms;
	uint64_t chain[PERF_MAX_CHAIN];
};

/* What waits for its turn, in all; beyond it the oldest goes first, come what may. */
#define PERF_WAITING_BYTES (96u << 20)

/* perf.c */
extern const struct source_ops perf_ops;
struct dms_error *perf_next(struct dms_source *common, struct dms_item *ret);
/** Only what waits already; ret->kind DMS_ITEM_END: no more. */
struct dms_error *perf_next_waiting(struct perf_source *source, struct dms_item *ret);
struct dms_error *perf_kallsyms(struct dms_source *common, const char **ret, size_t *ret_size);
/** Free what reads and sorts; not the head, nor the names. */
void perf_source_deinit(struct perf_source *source);

/* folder.c */
extern const struct source_ops perf_folder_ops;
/** Open the files of @top, whose head says that it is a folder. */
struct dms_error *perf_folder_open(struct perf_source *top);

/* ---- lost.c: what is missing ------------------------------------------------------------------ */

#define PERF_MAX_CPUS 65536u

/** What is known of @cpu; NULL: not a number a CPU can have, or out of memory. */
struct perf_cpu *perf_source_cpu(struct perf_source *source, uint32_t cpu);
/** A gap goes into the queue where it begins. Errors: memory. */
struct dms_error *perf_source_add_gap(struct perf_source *source, const struct dms_gap *gap);
/** Count damage of @raw. */
struct dms_error *perf_source_damage(struct perf_source *source, const struct perf_raw *raw,
				     const char *what);
/** CPU @number, which perf_source_cpu() knows, has a sample. */
void perf_note_sample(struct perf_source *source, uint32_t number, uint64_t ts);
/** Each CPU's buffer was emptied. */
void perf_note_round(struct perf_source *source);
/** What damage hid in the round that ends, up to @before_ts; and what is missing at the beginning. */
struct dms_error *perf_add_round_gaps(struct perf_source *source, uint64_t before_ts);
/** What is missing at the end of the file. */
struct dms_error *perf_add_end_gaps(struct perf_source *source);
/** The next sample of @cpu, called @number, is of @ts. */
struct dms_error *perf_watch_clock(struct perf_source *source, struct perf_cpu *cpu,
				   uint32_t number, uint64_t ts);
/** LOST: u64 id, u64 lost. The kernel tells it when there is room again, on that CPU. */
struct dms_error *perf_take_lost(struct perf_source *source, const struct perf_raw *raw);
/**
 * LOST_SAMPLES: u64 lost. perf asks the kernel for these counters at the end: the same losses once
 * more, and those for which there never was room for a LOST record.
 */
struct dms_error *perf_take_lost_samples(struct perf_source *source, const struct perf_raw *raw);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The inside of a perf.data source, shared by what opens it and what walks it. */
#ifndef DMS_INPUT_PERF_SOURCE_H
#define DMS_INPUT_PERF_SOURCE_H

#include "perf.h"

/* What is known of one CPU, in the order of the file. */
struct perf_cpu {
	uint64_t last_ts;    /* of its last record */
	uint64_t n_marked;   /* events lost by LOST records */
	uint64_t n_by_stats; /* and by the kernel's counters, told at the end */
	bool is_still;	     /* its last two records have the same time */
};

struct perf_source {
	struct dms_source common;
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
	uint64_t limit;	    /* while merging: what is later must wait */
	uint64_t given_ts;  /* of the record given last */
	uint64_t n_damaged; /* of the reader, when last looked at */
	unsigned int n_damaged_rounds;
	bool is_merging, is_forced, is_ended;
	bool has_still_clock;		/* that was noted */
	bool was_told;			/* the comms' text was given to the head of sources */
	struct perf_block *given_block; /* of the record given last */
	char format[32];
	char tool[64];
	char *kallsyms;
	uint64_t chain[PERF_MAX_CHAIN];
};

/* perf.c */
extern const struct source_ops perf_ops;
/** A gap goes into the queue where it begins. Errors: memory. */
struct dms_error *perf_source_add_gap(struct perf_source *source, const struct dms_gap *gap);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which lines belong together in a text dump: sorted runs of events, and stacks with their event. */
#ifndef DMS_INPUT_TEXT_ORDER_H
#define DMS_INPUT_TEXT_ORDER_H

#include "reader.h"

/** Runs beyond these are not told apart: their records come too late, and are damage. */
#define TEXT_MAX_RUNS 64
/** How many event lines one may stand too late, or a stack behind its event. */
#define TEXT_WINDOW 1024

/* ---- time order: of the first pass ----------------------------------------------------------- */

/** A stretch of the file whose events are in time order, but for TEXT_WINDOW. */
struct text_run {
	uint64_t offset, end;	 /* in the file */
	struct text_state state; /* what the lines before it tell */
};

/** The newest time up to each of the last events of a run, in a ring. */
struct text_track {
	uint64_t newest[TEXT_WINDOW];
	uint64_t n; /* events */
};

/**
 * Finds the runs. An event that is older than those before it either comes a little late, or a
 * new run begins with it: that shows when those behind it catch up, or do not.
 */
struct text_order {
	struct text_run runs[TEXT_MAX_RUNS];
	uint32_t n_runs;
	uint32_t depth; /* most events of a run that stand before an older one */
	struct text_track run;
	/* events that are older than the newest one, without a break: a run of their own? */
	struct text_track back;
	struct text_run back_run;
	uint32_t back_depth;
};

/** An event of time @ts at @offset; @state: what the lines before it tell. */
void text_order_event(struct text_order *order, uint64_t ts, uint64_t offset,
		      const struct text_state *state);
/** There are no more; what was read is from @offset to @end of the file. */
void text_order_end(struct text_order *order, uint64_t offset, uint64_t end);

/* ---- stacks: of both passes ------------------------------------------------------------------ */

/** Events are numbered from 1, stacks belong to one of them. */
struct text_stacks {
	uint64_t n_events;
	uint64_t open; /* whose frames follow; 0: nobody's */
	uint64_t orphans;
	uint64_t barrier; /* up to this one they get none any more */
	bool is_closed; /* no frame may follow without a head */
	struct {
		uint64_t event; /* 0: none, or it has its stack */
		uint32_t pid;
	} last[TEXT_MAX_CPUS];
};

/** An event begins. Return: its number. */
uint64_t text_stacks_event(struct text_stacks *stacks, const struct text_head *head);
/** An event's line was lost: what follows may be its stack, and nobody else's. */
void text_stacks_skip(struct text_stacks *stacks);
/**
 * Number of the event that the line @item, of a stack, belongs to; 0: to none. The stack is that of
 * the last event of its CPU and task, at most TEXT_WINDOW before it, that has none yet: the kernel
 * records it right behind, but other CPUs come between in a text.
 */
uint64_t text_stacks_line(struct text_stacks *stacks, const struct text_item *item);

#endif

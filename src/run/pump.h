/* SPDX-License-Identifier: LGPL-2.1-only */
/* Read-ahead: one thread reads the files, another one makes sense of what it reads. */
#ifndef DMASCOPE_RUN_PUMP_H
#define DMASCOPE_RUN_PUMP_H

#include <dmascope/input.h>

struct dms_pump;

/** How a run reads. */
struct dms_pump_options {
	uint64_t until_ts; /* the first item behind it is the last one read */
	const uint32_t
		*stacks; /* of each file: the type of records that hold the call stack of the
			    record before them; what else stands behind a record is not told */
	bool has_thread; /* see dms_pump_pays() */
};

/**
 * True if a thread of its own for reading pays: there is more than one CPU, and enough to read.
 * DMASCOPE_THREADS in the environment decides otherwise: 1 is without, more is with.
 */
bool dms_pump_pays(const struct dms_merge *merge);

/**
 * Begin to read @merge, which is borrowed; @options.stacks, too. With a thread, the sources are the
 * pump's as long as it lives: all they can be asked for is what dms_source_info says of the file as
 * it was opened. Errors: memory.
 */
struct dms_error *dms_pump_create(struct dms_merge *merge, const struct dms_pump_options *options,
				  struct dms_pump **ret);
/** Waits for the thread, which stops where it is. */
void dms_pump_destroy(struct dms_pump *pump);

/**
 * What dms_merge_next() would give, in the same order, its errors among it. *@ret is borrowed until
 * the next call.
 */
struct dms_error *dms_pump_next(struct dms_pump *pump, const struct dms_item **ret);
/** As dms_source_progress(), of all files together, up to about the item given last. */
void dms_pump_progress(const struct dms_pump *pump, uint64_t *ret_done, uint64_t *ret_total);

#endif

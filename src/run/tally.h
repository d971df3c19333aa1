/* SPDX-License-Identifier: LGPL-2.1-only */
/* Steps noted for the statistics, and counted by whichever thread has time. */
#ifndef DMASCOPE_RUN_TALLY_H
#define DMASCOPE_RUN_TALLY_H

#include <dmascope/stats.h>

struct dms_tally;

/** @stats is borrowed, and the tally's as long as it lives. Return: NULL when memory is short. */
struct dms_tally *dms_tally_create(struct dms_stats *stats);
/** No thread may be counting. NULL is allowed. */
void dms_tally_destroy(struct dms_tally *tally);

/** Count @step in time. Errors, also of steps before it: memory. */
struct dms_error *dms_tally_step(struct dms_tally *tally, const struct dms_step *step);
/** Count what is left: until the next step the statistics are the caller's. Errors: memory. */
struct dms_error *dms_tally_drain(struct dms_tally *tally);

/** By any thread: count some of what waits. False: nothing does. */
bool dms_tally_help(struct dms_tally *tally);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the model's thread puts off for the reading one, while that has time. */
#ifndef DMASCOPE_RUN_SHARE_H
#define DMASCOPE_RUN_SHARE_H

#include "run.h"

/** Before another thread begins: there may be help. @counts: with the statistics, too. Errors: memory. */
struct dms_error *dms_share_begin(struct dms_run *run, bool counts);
/** Do what is left. No other thread may be there. */
void dms_share_end(struct dms_run *run);

/** With each stretch: put off what can wait, or no more, as the other thread has time. Errors: memory. */
struct dms_error *dms_share_turn(struct dms_run *run);
/** By either thread: do some of it. @run is a struct dms_run. False: none waits. */
bool dms_share_help(void *run);
/** The statistics are complete until the next step. Errors: memory. */
struct dms_error *dms_share_drain(struct dms_run *run);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What of a run is told: the model sees everything, the reader what was asked for. */
#ifndef DMASCOPE_RUN_FILTER_H
#define DMASCOPE_RUN_FILTER_H

#include <dmascope/base.h>

/** As given on the command line; empty lists and NULL texts filter nothing. */
struct dms_run_filter {
	struct dms_strings devices, drivers, rules; /* names and ids that are told */
	const char *since, *until;		    /* times as dms_time_parse() takes them */
	uint64_t limit; /* findings kept for each rule, device and severity; 0: the default */
};

#define DMS_FILTER_LIMIT 1000 /* the default: a flood must not fill the disk */

struct dms_run;
struct dms_item;

/** Check the names of rules, read the times: after dms_run_open(). Errors: DMS_ERROR_USAGE. */
struct dms_error *dms_run_filter_open(struct dms_run *run, const struct dms_run_filter *filter);
/**
 * Called with every item, which is at @ts, before it is used: statistics begin anew where the window
 * begins. Return: false if it lies behind the window's end: the trace ends here.
 */
bool dms_run_window_at(struct dms_run *run, uint64_t ts);
bool dms_run_window(struct dms_run *run, const struct dms_item *item);
/** Is this told? @device: index, or DMS_ID_NONE. Drivers count once dms_run_finish() knows them. */
bool dms_run_tells_rule(const struct dms_run *run, const char *id);
bool dms_run_tells_device(const struct dms_run *run, uint32_t device);
bool dms_run_tells_time(const struct dms_run *run, uint64_t ts);
/** How many findings are kept one by one. */
uint64_t dms_run_limit(const struct dms_run *run);
/** A name that fits no device would make a clean bill out of a typo. Errors: DMS_ERROR_INPUT. */
struct dms_error *dms_run_filter_check(const struct dms_run *run);
/** Say what was filtered, @n_filtered findings and @n_outside of the window among it. */
struct dms_error *dms_run_note_filter(struct dms_run *run, uint64_t n_filtered, uint64_t n_outside);

/**
 * Read @text, given to --@option, as a time: seconds, nanoseconds with "ns" behind them, or plain
 * ticks where the clock does not count nanoseconds. Errors: DMS_ERROR_USAGE. (timearg.c)
 */
struct dms_error *dms_time_parse(const char *option, const char *text, bool clock_is_ns,
				 uint64_t *ret);

#endif

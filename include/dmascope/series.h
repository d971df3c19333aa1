/* SPDX-License-Identifier: LGPL-2.1-only */
/* Figures over time per device, in time buckets that grow with the trace: a consumer of steps. */
#ifndef DMASCOPE_SERIES_H
#define DMASCOPE_SERIES_H

#include <dmascope/base.h>
#include <dmascope/model.h>

/**
 * Buckets of a series: a trace fills between 384 and 768 of them, whether it lasts 10 ms or 10 h.
 * A bucket is a power of two of clock ticks long; when the trace outgrows the last one, each pair
 * becomes one.
 */
#define DMS_SERIES_BUCKETS 768
/** The shortest bucket, in clock ticks: 2^14 ns are 16 us. */
#define DMS_SERIES_MIN_SHIFT 14

/** What is measured in each bucket. */
enum dms_measure {
	DMS_MEASURE_MAPS,   /* maps and allocations begun */
	DMS_MEASURE_UNMAPS, /* unmaps and frees, matched or not */
	DMS_MEASURE_SYNCS,
	DMS_MEASURE_FAILED, /* maps and allocations */
	DMS_MEASURE_BOUNCES,
	DMS_MEASURE_BYTES_TO_DEVICE, /* of streaming maps */
	DMS_MEASURE_BYTES_FROM_DEVICE,
	DMS_MEASURE_BYTES_BIDIRECTIONAL,
	DMS_MEASURE_LIVE,	/* the most at any time of the bucket */
	DMS_MEASURE_LIVE_BYTES, /* the same */
	DMS_N_MEASURES
};
/** "maps", "live_bytes", ...; and "mappings", "bytes", "calls". */
const char *dms_measure_name(enum dms_measure measure);
const char *dms_measure_unit(enum dms_measure measure);

/** The series of all devices of a run. dms_series_create() returns NULL when memory is short. */
struct dms_series;
struct dms_series *dms_series_create(void);
/** Free @series; NULL is allowed. */
void dms_series_destroy(struct dms_series *series);
/**
 * Count one step; END completes the levels: a mapping older than the trace shows only by its end,
 * and lived in every bucket up to then. Errors: memory.
 */
struct dms_error *dms_series_step(struct dms_series *series, const struct dms_step *step);

/** Length of a bucket in clock ticks; and where bucket 0 begins. */
uint64_t dms_series_bucket_ns(const struct dms_series *series);
uint64_t dms_series_start(const struct dms_series *series);
/** Buckets that have begun. */
uint32_t dms_series_count(const struct dms_series *series);
/** The figure of device @device in bucket @bucket, complete after the END step; 0 if the device had no step. */
uint64_t dms_series_value(const struct dms_series *series, uint32_t device,
			  enum dms_measure measure, uint32_t bucket);

#endif

// SPDX-License-Identifier: LGPL-2.1-only
/* Figures over time per device, in time buckets that grow with the trace: a consumer of steps. */
#include <string.h>

#include <dmascope/series.h>

static const struct measure_row {
	const char *name, *unit;
	bool is_gauge; /* a level, not a count: buckets hold its peak, and it carries on */
} measure_rows[DMS_N_MEASURES] = {
	[DMS_MEASURE_MAPS] = {"maps", "mappings", false},
	[DMS_MEASURE_UNMAPS] = {"unmaps", "calls", false},
	[DMS_MEASURE_SYNCS] = {"syncs", "calls", false},
	[DMS_MEASURE_FAILED] = {"failed", "calls", false},
	[DMS_MEASURE_BOUNCES] = {"bounces", "events", false},
	[DMS_MEASURE_BYTES_TO_DEVICE] = {"bytes_to_device", "bytes", false},
	[DMS_MEASURE_BYTES_FROM_DEVICE] = {"bytes_from_device", "bytes", false},
	[DMS_MEASURE_BYTES_BIDIRECTIONAL] = {"bytes_bidirectional", "bytes", false},
	[DMS_MEASURE_LIVE] = {"live", "mappings", true},
	[DMS_MEASURE_LIVE_BYTES] = {"live_bytes", "bytes", true},
};

const char *dms_measure_name(enum dms_measure measure)
{
	return measure_rows[measure].name;
}

const char *dms_measure_unit(enum dms_measure measure)
{
	return measure_rows[measure].unit;
}

/** One device's buckets. */
struct track {
	uint64_t values[DMS_SERIES_BUCKETS][DMS_N_MEASURES];
	/*
	 * Mappings older than the trace show when they end: they lived in all buckets before that
	 * one, to which they are added at the end of the trace.
	 */
	uint64_t older[DMS_SERIES_BUCKETS], older_bytes[DMS_SERIES_BUCKETS];
	uint64_t live, live_bytes; /* now */
	uint32_t n_carried;	   /* buckets below this have their gauges filled in */
};

struct dms_series {
	struct track **tracks; /* by device index; NULL: no step yet */
	size_t capacity;
	uint64_t start; /* a multiple of the bucket's length */
	unsigned int shift;
	uint32_t count;
	bool has_begun;
};

struct dms_series *dms_series_create(void)
{
	struct dms_series *series = dms_zalloc(sizeof(*series));

	if (series)
		series->shift = DMS_SERIES_MIN_SHIFT;
	return series;
}

void dms_series_destroy(struct dms_series *series)
{
	if (!series)
		return;
	for (size_t i = 0; i < series->capacity; i++)
		dms_free(series->tracks[i]);
	dms_free(series->tracks);
	dms_free(series);
}

/* ---- buckets ------------------------------------------------------------------------------- */

/* Gauges stay what they were in the buckets nothing happened in. */
static void carry(struct track *track, uint32_t bucket)
{
	for (; track->n_carried <= bucket; track->n_carried++) {
		track->values[track->n_carried][DMS_MEASURE_LIVE] = track->live;
		track->values[track->n_carried][DMS_MEASURE_LIVE_BYTES] = track->live_bytes;
	}
}

static void merge_pair(uint64_t *into, const uint64_t *first, const uint64_t *second)
{
	for (unsigned int i = 0; i < DMS_N_MEASURES; i++) {
		if (measure_rows[i].is_gauge)
			into[i] = first[i] > second[i] ? first[i] : second[i];
		else
			into[i] = first[i] + second[i];
	}
}

/* The older ones of the second bucket of a pair lived in the first, too. */
static void merge_older(struct track *track, uint64_t *first, uint32_t into, uint32_t second)
{
	first[DMS_MEASURE_LIVE] += track->older[second];
	first[DMS_MEASURE_LIVE_BYTES] += track->older_bytes[second];
	track->older[into] += track->older[second];
	track->older_bytes[into] += track->older_bytes[second];
}

/* Pairs of buckets become one. @odd: bucket 0 is the second of its pair. */
static void halve(struct track *track, bool odd)
{
	uint32_t n = track->n_carried + odd, half = (n + 1) / 2, n_bytes;

	for (uint32_t i = 0; i < half; i++) {
		uint64_t first[DMS_N_MEASURES] = {0}, second[DMS_N_MEASURES] = {0};
		uint32_t at = 2 * i - odd;

		if (i || !odd) {
			memcpy(first, track->values[at], sizeof(first));
			track->older[i] = track->older[at];
			track->older_bytes[i] = track->older_bytes[at];
		}
		if (2 * i + 1 < n) {
			memcpy(second, track->values[at + 1], sizeof(second));
			if (i || !odd)
				merge_older(track, first, i, at + 1);
		}
		merge_pair(track->values[i], first, second);
	}
	n_bytes = (track->n_carried - half) * (uint32_t)sizeof(track->older[0]);
	memset(track->values[half], 0, (size_t)n_bytes * DMS_N_MEASURES);
	memset(&track->older[half], 0, n_bytes);
	memset(&track->older_bytes[half], 0, n_bytes);
	track->n_carried = half;
}

static void outgrow(struct dms_series *series)
{
	bool odd = (series->start >> series->shift) & 1;

	for (size_t i = 0; i < series->capacity; i++) {
		if (series->tracks[i])
			halve(series->tracks[i], odd);
	}
	series->shift++;
	series->start = series->start >> series->shift << series->shift;
	series->count = (series->count + odd + 1) / 2;
}

/* The bucket of @ts. Steps told late count where they belong, those before the first one there. */
static uint32_t bucket_at(struct dms_series *series, uint64_t ts)
{
	uint64_t bucket;

	if (!series->has_begun) {
		series->has_begun = true;
		series->start = ts >> series->shift << series->shift;
	}
	if (ts < series->start)
		return 0;
	while ((bucket = (ts - series->start) >> series->shift) >= DMS_SERIES_BUCKETS)
		outgrow(series);
	if (bucket >= series->count)
		series->count = (uint32_t)bucket + 1;
	return (uint32_t)bucket;
}

static struct track *track_at(struct dms_series *series, uint32_t index)
{
	if (index >= series->capacity &&
	    !dms_grow(&series->tracks, &series->capacity, (size_t)index + 1,
		      sizeof(*series->tracks)))
		return NULL;
	if (!series->tracks[index])
		series->tracks[index] = dms_zalloc(sizeof(struct track));
	return series->tracks[index];
}

/* ---- steps --------------------------------------------------------------------------------- */

static const uint8_t direction_measures[] = {
	[DMS_DIR_BIDIRECTIONAL] = DMS_MEASURE_BYTES_BIDIRECTIONAL,
	[DMS_DIR_TO_DEVICE] = DMS_MEASURE_BYTES_TO_DEVICE,
	[DMS_DIR_FROM_DEVICE] = DMS_MEASURE_BYTES_FROM_DEVICE,
};

static void note_level(struct track *track, uint64_t *values)
{
	if (track->live > values[DMS_MEASURE_LIVE])
		values[DMS_MEASURE_LIVE] = track->live;
	if (track->live_bytes > values[DMS_MEASURE_LIVE_BYTES])
		values[DMS_MEASURE_LIVE_BYTES] = track->live_bytes;
}

static void begin(struct track *track, uint32_t bucket, const struct dms_step *step)
{
	const struct dms_mapping *mapping = step->mapping;
	uint64_t *values = track->values[bucket];

	values[DMS_MEASURE_MAPS]++;
	if (mapping->kind <= DMS_MAPPING_SG && mapping->dir < DMS_ARRAY_SIZE(direction_measures))
		values[direction_measures[mapping->dir]] += mapping->size;
	track->live++;
	track->live_bytes += mapping->size;
	note_level(track, values);
}

/* It lived from before the trace up to now. */
static void count_older(struct track *track, uint32_t bucket, const struct dms_mapping *mapping)
{
	track->older[bucket]++;
	track->older_bytes[bucket] += mapping->size;
	track->values[bucket][DMS_MEASURE_LIVE]++;
	track->values[bucket][DMS_MEASURE_LIVE_BYTES] += mapping->size;
}

static void drop(struct track *track, const struct dms_mapping *mapping)
{
	if (track->live)
		track->live--;
	track->live_bytes -= mapping->size < track->live_bytes ? mapping->size : track->live_bytes;
}

static void end(struct track *track, uint32_t bucket, const struct dms_step *step)
{
	track->values[bucket][DMS_MEASURE_UNMAPS]++;
	if (step->mapping->is_seeded)
		count_older(track, bucket, step->mapping);
	else
		drop(track, step->mapping);
}

static void end_silently(struct track *track, uint32_t bucket, const struct dms_step *step)
{
	if (step->mapping->is_seeded)
		count_older(track, bucket, step->mapping);
	else if (step->end != DMS_END_LIVE) /* what lives when the trace ends is live in the last bucket */
		drop(track, step->mapping);
}

static void count_unmatched(struct track *track, uint32_t bucket, const struct dms_step *step)
{
	track->values[bucket][DMS_MEASURE_UNMAPS]++;
	if (step->end == DMS_END_PRE_TRACE && step->mapping)
		count_older(track, bucket, step->mapping);
}

static void count_sync(struct track *track, uint32_t bucket, const struct dms_step *step)
{
	(void)step;
	track->values[bucket][DMS_MEASURE_SYNCS]++;
}

static void count_failed(struct track *track, uint32_t bucket, const struct dms_step *step)
{
	(void)step;
	track->values[bucket][DMS_MEASURE_FAILED]++;
}

static void count_bounce(struct track *track, uint32_t bucket, const struct dms_step *step)
{
	(void)step;
	track->values[bucket][DMS_MEASURE_BOUNCES]++;
}

static void (*const step_rows[DMS_N_STEPS])(struct track *track, uint32_t bucket,
					    const struct dms_step *step) = {
	[DMS_STEP_MAP] = begin,
	[DMS_STEP_UNMAP] = end,
	[DMS_STEP_ENDED] = end_silently,
	[DMS_STEP_UNMAP_UNMATCHED] = count_unmatched,
	[DMS_STEP_SYNC] = count_sync,
	[DMS_STEP_SYNC_UNMATCHED] = count_sync,
	[DMS_STEP_MAP_FAILED] = count_failed,
	[DMS_STEP_BOUNCE] = count_bounce,
};

/* There is nothing to come: those that were older than the trace get their buckets. */
static void settle(struct track *track)
{
	uint64_t older = 0, bytes = 0;

	for (uint32_t i = track->n_carried; i--;) {
		track->values[i][DMS_MEASURE_LIVE] += older;
		track->values[i][DMS_MEASURE_LIVE_BYTES] += bytes;
		older += track->older[i];
		bytes += track->older_bytes[i];
	}
}

static void settle_all(struct dms_series *series)
{
	for (size_t i = 0; i < series->capacity; i++) {
		if (series->tracks[i])
			settle(series->tracks[i]);
	}
}

struct dms_error *dms_series_step(struct dms_series *series, const struct dms_step *step)
{
	struct track *track;
	uint32_t bucket;

	if (step->kind == DMS_STEP_END)
		settle_all(series);
	if (!step_rows[step->kind] || !step->device)
		return NULL;
	bucket = bucket_at(series, step->ts);
	track = track_at(series, step->device->index);
	if (!track)
		return &dms_error_nomem;
	carry(track, bucket);
	step_rows[step->kind](track, bucket, step);
	return NULL;
}

/* ---- reading ------------------------------------------------------------------------------- */

uint64_t dms_series_bucket_ns(const struct dms_series *series)
{
	return 1ull << series->shift;
}

uint64_t dms_series_start(const struct dms_series *series)
{
	return series->start;
}

uint32_t dms_series_count(const struct dms_series *series)
{
	return series->count;
}

uint64_t dms_series_value(const struct dms_series *series, uint32_t device,
			  enum dms_measure measure, uint32_t bucket)
{
	const struct track *track = device < series->capacity ? series->tracks[device] : NULL;

	if (!track || bucket >= series->count)
		return 0;
	if (bucket < track->n_carried)
		return track->values[bucket][measure];
	if (measure == DMS_MEASURE_LIVE)
		return track->live;
	return measure == DMS_MEASURE_LIVE_BYTES ? track->live_bytes : 0;
}

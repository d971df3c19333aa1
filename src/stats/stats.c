// SPDX-License-Identifier: LGPL-2.1-only
/* Per-device counters, peaks and lifetimes, counted step by step. */
#include <dmascope/stats.h>

static const struct counter_row {
	const char *name, *unit;
} counter_rows[DMS_N_COUNTERS] = {
	[DMS_COUNT_MAPS] = {"maps", "mappings"},
	[DMS_COUNT_UNMAPS] = {"unmaps", "calls"},
	[DMS_COUNT_ALLOCS] = {"allocs", "mappings"},
	[DMS_COUNT_FREES] = {"frees", "calls"},
	[DMS_COUNT_SYNCS_FOR_CPU] = {"syncs_for_cpu", "calls"},
	[DMS_COUNT_SYNCS_FOR_DEVICE] = {"syncs_for_device", "calls"},
	[DMS_COUNT_MAP_ERRORS] = {"dma_map_errors", "calls"},
	[DMS_COUNT_ERRORS_UNCHECKED] = {"dma_map_errors_not_checked", "mappings"},
	[DMS_COUNT_UNMAP_ERRORS] = {"dma_unmap_errors", "calls"},
	[DMS_COUNT_PRE_TRACE] = {"pre_trace", "calls"},
	[DMS_COUNT_NULL_FREES] = {"null_frees", "calls"},
	[DMS_COUNT_BOUNCES] = {"bounces", "events"},
	[DMS_COUNT_BOUNCED_BYTES] = {"bounced_bytes", "bytes"},
	[DMS_COUNT_BYTES_TO_DEVICE] = {"bytes_to_device", "bytes"},
	[DMS_COUNT_BYTES_FROM_DEVICE] = {"bytes_from_device", "bytes"},
	[DMS_COUNT_BYTES_BIDIRECTIONAL] = {"bytes_bidirectional", "bytes"},
	[DMS_COUNT_BYTES_ALLOCATED] = {"bytes_allocated", "bytes"},
	[DMS_COUNT_SG_ENTRIES] = {"sg_entries", "entries"},
	[DMS_COUNT_SG_SEGMENTS] = {"sg_segments", "segments"},
	[DMS_COUNT_LIVE_AT_END] = {"live_at_end", "mappings"},
	[DMS_COUNT_LIVE_BYTES_AT_END] = {"live_bytes_at_end", "bytes"},
	[DMS_COUNT_ENDED_LOST] = {"ended_lost", "mappings"},
	[DMS_COUNT_ENDED_ELIDED] = {"ended_elided", "mappings"},
	[DMS_COUNT_MAYBE_ELIDED] = {"maybe_elided", "mappings"},
	[DMS_COUNT_FAULTS] = {"faults", "events"},
};

const char *dms_counter_name(enum dms_counter counter)
{
	return counter_rows[counter].name;
}

const char *dms_counter_unit(enum dms_counter counter)
{
	return counter_rows[counter].unit;
}

/* A cell of a table that names a counter; an empty cell, 0, names none. */
#define COUNTER(name) (DMS_COUNT_##name + 1)

/* By the event: which call it was. The mapping's kind may differ, that is a finding. */
static const uint8_t call_counters[DMS_EV_N_KINDS] = {
	[DMS_EV_UNMAP] = COUNTER(UNMAPS),
	[DMS_EV_UNMAP_RESOURCE] = COUNTER(UNMAPS),
	[DMS_EV_UNMAP_SG] = COUNTER(UNMAPS),
	[DMS_EV_FREE] = COUNTER(FREES),
	[DMS_EV_FREE_PAGES] = COUNTER(FREES),
	[DMS_EV_FREE_SGT] = COUNTER(FREES),
	[DMS_EV_SYNC_FOR_CPU] = COUNTER(SYNCS_FOR_CPU),
	[DMS_EV_SYNC_SG_FOR_CPU] = COUNTER(SYNCS_FOR_CPU),
	[DMS_EV_SYNC_FOR_DEVICE] = COUNTER(SYNCS_FOR_DEVICE),
	[DMS_EV_SYNC_SG_FOR_DEVICE] = COUNTER(SYNCS_FOR_DEVICE),
};

static const uint8_t direction_counters[] = {
	[DMS_DIR_BIDIRECTIONAL] = COUNTER(BYTES_BIDIRECTIONAL),
	[DMS_DIR_TO_DEVICE] = COUNTER(BYTES_TO_DEVICE),
	[DMS_DIR_FROM_DEVICE] = COUNTER(BYTES_FROM_DEVICE),
	[DMS_DIR_NONE] = 0,
	[DMS_DIR_UNKNOWN] = 0,
};

static const uint8_t unmatched_counters[DMS_N_ENDS] = {
	[DMS_END_PRE_TRACE] = COUNTER(PRE_TRACE),
	[DMS_END_UNMATCHED] = COUNTER(UNMAP_ERRORS),
};

static const uint8_t ended_counters[DMS_N_ENDS] = {
	[DMS_END_LIVE] = COUNTER(LIVE_AT_END),
	[DMS_END_LOST] = COUNTER(ENDED_LOST),
	[DMS_END_ELIDED] = COUNTER(ENDED_ELIDED),
};

struct dms_stats {
	struct dms_device_stats **devices; /* by index; NULL: no step yet */
	size_t capacity;
};

struct dms_stats *dms_stats_create(void)
{
	return dms_zalloc(sizeof(struct dms_stats));
}

void dms_stats_destroy(struct dms_stats *stats)
{
	if (!stats)
		return;
	for (size_t i = 0; i < stats->capacity; i++) {
		if (stats->devices[i])
			dms_free(stats->devices[i]->lifetime);
		dms_free(stats->devices[i]);
	}
	dms_free(stats->devices);
	dms_free(stats);
}

const struct dms_device_stats *dms_stats_device(const struct dms_stats *stats, uint32_t index)
{
	return index < stats->capacity ? stats->devices[index] : NULL;
}

/* Figures of device @index, made on first use; NULL when memory is short. */
static struct dms_device_stats *device_at(struct dms_stats *stats, uint32_t index, uint64_t ts)
{
	struct dms_device_stats *device;

	if (index < stats->capacity && stats->devices[index])
		return stats->devices[index];
	if (!dms_grow(&stats->devices, &stats->capacity, (size_t)index + 1,
		      sizeof(*stats->devices)))
		return NULL;
	device = dms_zalloc(sizeof(*device));
	if (!device)
		return NULL;
	device->lifetime = dms_zalloc(sizeof(*device->lifetime));
	if (!device->lifetime) {
		dms_free(device);
		return NULL;
	}
	device->first_ts = ts;
	device->last_ts = ts;
	stats->devices[index] = device;
	return device;
}

/* @counter is a COUNTER() cell of a table; 0 counts nothing. */
static void count(struct dms_device_stats *device, unsigned int counter, uint64_t by)
{
	if (counter)
		device->counters[counter - 1] += by;
}

static bool is_streaming(const struct dms_mapping *mapping)
{
	return mapping->kind == DMS_MAPPING_PAGE || mapping->kind == DMS_MAPPING_RESOURCE ||
	       mapping->kind == DMS_MAPPING_SG;
}

static void count_call(struct dms_device_stats *device, const struct dms_step *step)
{
	if (step->event)
		count(device, call_counters[step->event->kind], 1);
}

/* Most maps of a device repeat the one before; once the sample is full, this costs nothing. */
static void sample_stack(struct dms_device_stats *device, uint32_t stack)
{
	uint32_t n = device->n_map_stacks;

	if (stack == DMS_ID_NONE || n == DMS_STATS_MAP_STACKS)
		return;
	for (uint32_t i = n; i > 0; i--) {
		if (device->map_stacks[i - 1] == stack)
			return;
	}
	device->map_stacks[device->n_map_stacks++] = stack;
}

static void begin(struct dms_device_stats *device, const struct dms_step *step)
{
	const struct dms_mapping *mapping = step->mapping;
	uint8_t dir = mapping->dir;

	sample_stack(device, mapping->map_stack);
	if (!is_streaming(mapping)) {
		count(device, COUNTER(ALLOCS), 1);
		count(device, COUNTER(BYTES_ALLOCATED), mapping->size);
	} else {
		count(device, COUNTER(MAPS), 1);
		if (dir < DMS_ARRAY_SIZE(direction_counters))
			count(device, direction_counters[dir], mapping->size);
	}
	if (mapping->kind == DMS_MAPPING_SG) {
		count(device, COUNTER(SG_ENTRIES), mapping->nents);
		count(device, COUNTER(SG_SEGMENTS), mapping->ents);
	}
	if (++device->live > device->peak_live) {
		device->peak_live = device->live;
		device->peak_live_ts = step->ts;
	}
	device->live_bytes += mapping->size;
	if (device->live_bytes > device->peak_live_bytes) {
		device->peak_live_bytes = device->live_bytes;
		device->peak_live_bytes_ts = step->ts;
	}
}

static void end(struct dms_device_stats *device, const struct dms_mapping *mapping)
{
	if (device->live)
		device->live--;
	device->live_bytes -=
		mapping->size < device->live_bytes ? mapping->size : device->live_bytes;
}

static void count_unmap(struct dms_device_stats *device, const struct dms_step *step)
{
	const struct dms_mapping *mapping = step->mapping;
	uint64_t unmap_ts = step->event ? step->event->ts : step->ts;

	count_call(device, step);
	end(device, mapping);
	if (!is_streaming(mapping) || !mapping->has)
		return;
	/* clocks of two CPUs may disagree by a little */
	dms_histogram_add(device->lifetime,
			  unmap_ts > mapping->map_ts ? unmap_ts - mapping->map_ts : 0);
}

static void count_ended(struct dms_device_stats *device, const struct dms_step *step)
{
	end(device, step->mapping);
	count(device, ended_counters[step->end], 1);
	if (step->end == DMS_END_LIVE)
		count(device, COUNTER(LIVE_BYTES_AT_END), step->mapping->size);
	if (step->doubts & DMS_DOUBT_ELIDED)
		count(device, COUNTER(MAYBE_ELIDED), 1);
}

static void count_unmatched(struct dms_device_stats *device, const struct dms_step *step)
{
	bool is_error = step->end == DMS_END_UNMATCHED &&
			dms_confidence_of(step->doubts) != DMS_POSSIBLE;

	/* An unmap that may be of a mapping we did not see is not counted against the driver. */
	count_call(device, step);
	count(device, unmatched_counters[is_error ? DMS_END_UNMATCHED : DMS_END_PRE_TRACE], 1);
}

static void count_failed(struct dms_device_stats *device, const struct dms_step *step)
{
	(void)step;
	count(device, COUNTER(MAP_ERRORS), 1);
}

static void count_null_free(struct dms_device_stats *device, const struct dms_step *step)
{
	(void)step;
	count(device, COUNTER(NULL_FREES), 1);
}

static void count_bounce(struct dms_device_stats *device, const struct dms_step *step)
{
	count(device, COUNTER(BOUNCES), 1);
	count(device, COUNTER(BOUNCED_BYTES), step->event ? step->event->size : 0);
}

static void count_fault(struct dms_device_stats *device, const struct dms_step *step)
{
	(void)step;
	count(device, COUNTER(FAULTS), 1);
}

/* What each kind of step counts; NULL: nothing. needs_mapping: it reads step->mapping. */
static const struct step_row {
	void (*count)(struct dms_device_stats *device, const struct dms_step *step);
	bool needs_mapping;
} step_rows[DMS_N_STEPS] = {
	[DMS_STEP_MAP] = {begin, true},
	[DMS_STEP_MAP_FAILED] = {count_failed, false},
	[DMS_STEP_UNMAP] = {count_unmap, true},
	[DMS_STEP_UNMAP_UNMATCHED] = {count_unmatched, false},
	[DMS_STEP_FREE_NULL] = {count_null_free, false},
	[DMS_STEP_SYNC] = {count_call, false},
	[DMS_STEP_SYNC_UNMATCHED] = {count_call, false},
	[DMS_STEP_ENDED] = {count_ended, true},
	[DMS_STEP_BOUNCE] = {count_bounce, false},
	[DMS_STEP_FAULT] = {count_fault, false},
};

/* A step may be told late, so the span only widens; steps without an event are no activity. */
static void widen_span(struct dms_device_stats *device, const struct dms_event *event)
{
	if (event && event->ts < device->first_ts)
		device->first_ts = event->ts;
	if (event && event->ts > device->last_ts)
		device->last_ts = event->ts;
}

struct dms_error *dms_stats_step(struct dms_stats *stats, const struct dms_step *step)
{
	const struct step_row *row = &step_rows[step->kind];
	struct dms_device_stats *device;
	uint32_t index;

	if (step->device)
		index = step->device->index;
	else if (step->mapping)
		index = step->mapping->device;
	else
		return NULL; /* a gap, the end, an event that names no device */
	device = device_at(stats, index, step->event ? step->event->ts : step->ts);
	if (!device)
		return &dms_error_nomem;
	widen_span(device, step->event);
	if (row->count && (step->mapping || !row->needs_mapping))
		row->count(device, step);
	return NULL;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Per-device counters, peaks and lifetimes, counted step by step. */
#include <string.h>

#include <dmascope/stats.h>

static const struct counter_row {
	const char *name, *unit;
	bool is_optional; /* recorded only on request: 0 may mean that nobody looked */
} counter_rows[DMS_N_COUNTERS] = {
	[DMS_COUNT_MAPS] = {"maps", "mappings", false},
	[DMS_COUNT_UNMAPS] = {"unmaps", "calls", false},
	[DMS_COUNT_ALLOCS] = {"allocs", "mappings", false},
	[DMS_COUNT_FREES] = {"frees", "calls", false},
	[DMS_COUNT_SYNCS_FOR_CPU] = {"syncs_for_cpu", "calls", false},
	[DMS_COUNT_SYNCS_FOR_DEVICE] = {"syncs_for_device", "calls", false},
	[DMS_COUNT_MAP_ERRORS] = {"dma_map_errors", "calls", false},
	[DMS_COUNT_ERRORS_UNCHECKED] = {"dma_map_errors_not_checked", "calls", false},
	[DMS_COUNT_UNMAP_ERRORS] = {"dma_unmap_errors", "calls", false},
	[DMS_COUNT_PRE_TRACE] = {"pre_trace", "calls", false},
	[DMS_COUNT_NULL_FREES] = {"null_frees", "calls", false},
	[DMS_COUNT_BOUNCES] = {"bounces", "events", false},
	[DMS_COUNT_BOUNCED_BYTES] = {"bounced_bytes", "bytes", false},
	[DMS_COUNT_BYTES_TO_DEVICE] = {"bytes_to_device", "bytes", false},
	[DMS_COUNT_BYTES_FROM_DEVICE] = {"bytes_from_device", "bytes", false},
	[DMS_COUNT_BYTES_BIDIRECTIONAL] = {"bytes_bidirectional", "bytes", false},
	[DMS_COUNT_BYTES_ALLOCATED] = {"bytes_allocated", "bytes", false},
	[DMS_COUNT_SG_ENTRIES] = {"sg_entries", "entries", false},
	[DMS_COUNT_SG_SEGMENTS] = {"sg_segments", "segments", false},
	[DMS_COUNT_LIVE_AT_END] = {"live_at_end", "mappings", false},
	[DMS_COUNT_LIVE_BYTES_AT_END] = {"live_bytes_at_end", "bytes", false},
	[DMS_COUNT_ENDED_LOST] = {"ended_lost", "mappings", false},
	[DMS_COUNT_ENDED_ELIDED] = {"ended_elided", "mappings", false},
	[DMS_COUNT_MAYBE_ELIDED] = {"maybe_elided", "mappings", false},
	[DMS_COUNT_FAULTS] = {"faults", "events", false},
	[DMS_COUNT_SWIOTLB_FULL] = {"swiotlb_full", "messages", true},
	[DMS_COUNT_SEGMENT_MESSAGES] = {"segment_messages", "messages", true},
	[DMS_COUNT_POOL_ALLOCS] = {"pool_allocs", "calls", true},
	[DMS_COUNT_POOL_FREES] = {"pool_frees", "calls", true},
};

const char *dms_counter_name(enum dms_counter counter)
{
	return counter_rows[counter].name;
}

const char *dms_counter_unit(enum dms_counter counter)
{
	return counter_rows[counter].unit;
}

bool dms_stats_knows(const struct dms_device_stats *device, enum dms_counter counter)
{
	if (counter == DMS_COUNT_ERRORS_UNCHECKED)
		return device->has_checks;
	return !counter_rows[counter].is_optional || device->counters[counter];
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

/* Of events that concern no mapping. */
static const uint8_t note_counters[DMS_EV_N_KINDS] = {
	[DMS_EV_POOL_ALLOC] = COUNTER(POOL_ALLOCS),
	[DMS_EV_POOL_FREE] = COUNTER(POOL_FREES),
};

static const uint8_t message_counters[DMS_N_MESSAGES] = {
	[DMS_MSG_SWIOTLB_FULL] = COUNTER(SWIOTLB_FULL),
	[DMS_MSG_SEGMENT_LONG] = COUNTER(SEGMENT_MESSAGES),
	[DMS_MSG_SEGMENT_BOUNDARY] = COUNTER(SEGMENT_MESSAGES),
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

void dms_stats_restart(struct dms_stats *stats, uint64_t ts)
{
	for (size_t i = 0; i < stats->capacity; i++) {
		struct dms_device_stats *device = stats->devices[i];

		if (!device)
			continue;
		memset(device->counters, 0, sizeof(device->counters));
		memset(device->lifetime, 0, sizeof(*device->lifetime));
		device->unchecked = 0;
		device->peak_live = device->live;
		device->peak_live_ts = ts;
		device->peak_live_bytes = device->live_bytes;
		device->peak_live_bytes_ts = ts;
	}
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
	if (mapping->is_seeded)
		return; /* its beginning was not counted */
	if (device->live)
		device->live--;
	device->live_bytes -=
		mapping->size < device->live_bytes ? mapping->size : device->live_bytes;
}

/* Failed maps count as unchecked only where checks are seen at all. */
static void know_checks(struct dms_device_stats *device, bool are_seen)
{
	device->has_checks |= are_seen;
	if (device->has_checks)
		device->counters[DMS_COUNT_ERRORS_UNCHECKED] = device->unchecked;
}

static void count_unmap(struct dms_device_stats *device, const struct dms_step *step)
{
	const struct dms_mapping *mapping = step->mapping;
	uint64_t unmap_ts = step->event ? step->event->ts : step->ts;

	count_call(device, step);
	know_checks(device, mapping->is_check_seen);
	end(device, mapping);
	if (!is_streaming(mapping) || !mapping->has || mapping->is_seeded)
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
	count(device, COUNTER(MAP_ERRORS), 1);
	/* A list or an allocation that fails has no error value to check. */
	if (step->event &&
	    (step->event->kind == DMS_EV_MAP || step->event->kind == DMS_EV_MAP_RESOURCE))
		device->unchecked++;
	know_checks(device, false);
}

/*
 * The driver checked a map; without a mapping a failed one. Which of several is not known: a driver
 * that looks twice may hide one that does not look, but none is accused that does.
 */
static void count_check(struct dms_device_stats *device, const struct dms_step *step)
{
	if (!step->mapping && device->unchecked)
		device->unchecked--;
	know_checks(device, true);
}

static void count_note(struct dms_device_stats *device, const struct dms_step *step)
{
	if (step->event)
		count(device, note_counters[step->event->kind], 1);
}

static void count_message(struct dms_device_stats *device, const struct dms_step *step)
{
	if (step->event && step->event->message < DMS_N_MESSAGES)
		count(device, message_counters[step->event->message], 1);
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
	[DMS_STEP_CHECK] = {count_check, false},
	[DMS_STEP_NOTE] = {count_note, false},
	[DMS_STEP_MESSAGE] = {count_message, false},
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

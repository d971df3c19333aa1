// SPDX-License-Identifier: LGPL-2.1-only
/* Per-device counters, peaks and distributions, counted step by step. */
#include <string.h>

#include "parts.h"

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

struct dms_stats *dms_stats_create(void)
{
	return dms_zalloc(sizeof(struct dms_stats));
}

void dms_stats_destroy(struct dms_stats *stats)
{
	if (!stats)
		return;
	for (size_t i = 0; i < stats->capacity; i++) {
		struct dms_device_stats *device = stats->devices[i];

		if (!device)
			continue;
		for (unsigned int k = 0; k < DMS_N_DISTRIBUTIONS; k++)
			dms_free(device->histograms[k]);
		breakdown_deinit(device);
		dms_free(device->reuse);
		dms_free(device);
	}
	dms_free(stats->devices);
	dms_free(stats->latencies.cpus);
	dms_free(stats);
}

static void no_iova(struct dms_device_stats *device)
{
	device->iova_low = UINT64_MAX;
	device->iova_high = 0;
}

void dms_stats_restart(struct dms_stats *stats, uint64_t ts)
{
	for (size_t i = 0; i < stats->capacity; i++) {
		struct dms_device_stats *device = stats->devices[i];

		if (!device)
			continue;
		memset(device->counters, 0, sizeof(device->counters));
		for (unsigned int k = 0; k < DMS_N_DISTRIBUTIONS; k++) {
			dms_free(device->histograms[k]);
			device->histograms[k] = NULL;
		}
		breakdown_restart(device);
		no_iova(device);
		device->unchecked = 0;
		device->peak_live = device->live;
		device->peak_live_ts = ts;
		device->peak_live_bytes = device->live_bytes;
		device->peak_live_bytes_ts = ts;
		device->peak_bounced_bytes = device->bounced_bytes;
		device->peak_bounced_bytes_ts = ts;
	}
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
	no_iova(device);
	device->recent_key = BREAKDOWN_NO_KEY;
	device->first_ts = ts;
	device->last_ts = ts;
	stats->devices[index] = device;
	return device;
}

bool stats_begin_histogram(struct dms_device_stats *device, enum dms_distribution distribution)
{
	device->histograms[distribution] = dms_zalloc(sizeof(struct dms_histogram));
	return device->histograms[distribution];
}

/* @counter is a COUNTER() cell of a table; 0 counts nothing. */
static void count(struct dms_device_stats *device, unsigned int counter, uint64_t by)
{
	if (counter)
		device->counters[counter - 1] += by;
}

static bool is_streaming(unsigned int kind)
{
	return kind <= DMS_MAPPING_SG;
}

/* Counters that the breakdown by kind and direction holds already, so that maps need not count twice. */
static void settle(struct dms_device_stats *device)
{
	uint64_t *counters = device->counters;

	breakdown_settle(device);
	counters[DMS_COUNT_MAPS] = counters[DMS_COUNT_ALLOCS] = 0;
	counters[DMS_COUNT_BYTES_ALLOCATED] = 0;
	for (size_t dir = 0; dir < DMS_ARRAY_SIZE(direction_counters); dir++) {
		if (direction_counters[dir])
			counters[direction_counters[dir] - 1] = 0;
	}
	for (unsigned int kind = 0; kind < DMS_MAPPING_N_KINDS; kind++) {
		for (size_t dir = 0; dir < DMS_ARRAY_SIZE(direction_counters); dir++) {
			const struct dms_calls *calls = &device->calls[kind][dir];

			if (!is_streaming(kind)) {
				counters[DMS_COUNT_ALLOCS] += calls->maps;
				counters[DMS_COUNT_BYTES_ALLOCATED] += calls->bytes;
				continue;
			}
			counters[DMS_COUNT_MAPS] += calls->maps;
			count(device, direction_counters[dir], calls->bytes);
		}
	}
}

const struct dms_device_stats *dms_stats_device(const struct dms_stats *stats, uint32_t index)
{
	struct dms_device_stats *device = index < stats->capacity ? stats->devices[index] : NULL;

	if (device)
		settle(device);
	return device;
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

static void note_range(struct dms_device_stats *device, uint64_t addr, uint64_t size)
{
	uint64_t last = addr + size - 1;

	if (!size || last < addr)
		return; /* damage: no memory ends behind its last address */
	if (addr < device->iova_low)
		device->iova_low = addr;
	if (last > device->iova_high)
		device->iova_high = last;
}

static void note_list(struct dms_device_stats *device, const struct dms_mapping *mapping)
{
	for (uint32_t i = 0; i < mapping->sg->n_segments; i++) {
		struct dms_segment segment = dms_mapping_segment(mapping, i);

		note_range(device, segment.dma_addr, segment.size);
	}
}

/* Where the device's DMA addresses lie. */
static void note_addresses(struct dms_device_stats *device, const struct dms_mapping *mapping)
{
	if (!(mapping->has & (DMS_HAS_DMA_ADDR | DMS_HAS_DMA_LIST)))
		return;
	if (mapping->sg)
		note_list(device, mapping);
	else
		note_range(device, mapping->dma_addr, mapping->size);
}

static const uint8_t reason_counters[] = {
	[DMS_BOUNCE_NONE] = 0,
	[DMS_BOUNCE_OTHER] = COUNTER(BOUNCED_OTHER),
	[DMS_BOUNCE_MASK] = COUNTER(BOUNCED_MASK),
	[DMS_BOUNCE_FORCED] = COUNTER(BOUNCED_FORCED),
};

/* It holds room in swiotlb as long as it lives. */
static void begin_bounced(struct dms_device_stats *device, const struct dms_step *step)
{
	count(device, COUNTER(BOUNCED_MAPS), 1);
	count(device, reason_counters[step->mapping->bounce_reason], 1);
	device->bounced_bytes += step->mapping->size;
	if (device->bounced_bytes > device->peak_bounced_bytes) {
		device->peak_bounced_bytes = device->bounced_bytes;
		device->peak_bounced_bytes_ts = step->ts;
	}
}

static void begin_live(struct dms_device_stats *device, const struct dms_step *step)
{
	if (++device->live > device->peak_live) {
		device->peak_live = device->live;
		device->peak_live_ts = step->ts;
	}
	device->live_bytes += step->mapping->size;
	if (device->live_bytes > device->peak_live_bytes) {
		device->peak_live_bytes = device->live_bytes;
		device->peak_live_bytes_ts = step->ts;
	}
	if (step->mapping->bounced)
		begin_bounced(device, step);
}

static bool begin_streaming(struct dms_device_stats *device, const struct dms_mapping *mapping)
{
	if (mapping->is_remap) {
		count(device, COUNTER(REMAPS), 1);
		count(device, COUNTER(REMAPPED_BYTES), mapping->size);
	}
	if (mapping->kind == DMS_MAPPING_SG) {
		count(device, COUNTER(SG_ENTRIES), mapping->nents);
		count(device, COUNTER(SG_SEGMENTS), mapping->ents);
		if (!stats_measure(device, DMS_DIST_ENTRIES, mapping->nents) ||
		    !stats_measure(device, DMS_DIST_SEGMENTS, mapping->ents))
			return false;
	}
	return reuse_map(device, mapping->dma_addr, mapping->map_ts);
}

_flat_ static bool begin(struct dms_device_stats *device, const struct dms_step *step)
{
	const struct dms_mapping *mapping = step->mapping;
	struct dms_calls *calls =
		breakdown_calls(device, mapping->map_cpu, mapping->kind, mapping->dir);

	if (!calls)
		return false;
	calls->maps++;
	calls->bytes += mapping->size;
	sample_stack(device, mapping->map_stack);
	begin_live(device, step);
	note_addresses(device, mapping);
	if (!stats_measure(device, DMS_DIST_SIZE, mapping->size))
		return false;
	return !is_streaming(mapping->kind) || begin_streaming(device, mapping);
}

static uint64_t less(uint64_t from, uint64_t by)
{
	return from > by ? from - by : 0;
}

/*
 * It lived from before the trace up to now: at every time so far there was one more, also at that
 * of the peak. What comes from now on is compared with the peak as it then was.
 */
static void end_older(struct dms_device_stats *device, const struct dms_mapping *mapping)
{
	if (!device->peak_live++)
		device->peak_live_ts = device->peak_live_bytes_ts = device->first_ts;
	device->peak_live_bytes += mapping->size;
}

static void end(struct dms_device_stats *device, const struct dms_mapping *mapping)
{
	if (mapping->is_seeded) {
		end_older(device, mapping);
		return;
	}
	device->live = less(device->live, 1);
	device->live_bytes = less(device->live_bytes, mapping->size);
	if (mapping->bounced)
		device->bounced_bytes = less(device->bounced_bytes, mapping->size);
}

/* Failed maps count as unchecked only where checks are seen at all. */
static void know_checks(struct dms_device_stats *device, bool are_seen)
{
	device->has_checks |= are_seen;
	if (device->has_checks)
		device->counters[DMS_COUNT_ERRORS_UNCHECKED] = device->unchecked;
}

/* Of mappings whose map was seen. */
static bool count_life(struct dms_device_stats *device, const struct dms_step *step)
{
	const struct dms_mapping *mapping = step->mapping;
	uint64_t unmap_ts = step->event ? step->event->ts : step->ts;

	count(device, COUNTER(UNMAPS_MATCHED), 1);
	if (step->event && step->event->cpu != mapping->map_cpu) {
		count(device, COUNTER(HANDOVERS), 1);
		if (!breakdown_handover(device, step))
			return false;
	}
	/* clocks of two CPUs may disagree by a little */
	return !is_streaming(mapping->kind) ||
	       stats_measure(device, DMS_DIST_LIFETIME,
			     unmap_ts > mapping->map_ts ? unmap_ts - mapping->map_ts : 0);
}

/* Matched or not; nothing is known of the CPU of one that has no event. */
static bool count_release(struct dms_device_stats *device, const struct dms_step *step)
{
	const struct dms_mapping *mapping = step->mapping;
	struct dms_calls *calls;

	count_call(device, step);
	if (!step->event || !mapping)
		return true;
	calls = breakdown_calls(device, step->event->cpu, mapping->kind, mapping->dir);
	if (calls)
		calls->unmaps++;
	return calls;
}

_flat_ static bool count_unmap(struct dms_device_stats *device, const struct dms_step *step)
{
	const struct dms_mapping *mapping = step->mapping;

	know_checks(device, mapping->is_check_seen);
	end(device, mapping);
	if (is_streaming(mapping->kind) && step->event &&
	    !reuse_unmap(device, mapping->dma_addr, step->event->ts))
		return false;
	if (mapping->has && !mapping->is_seeded && !count_life(device, step))
		return false;
	return count_release(device, step);
}

static bool count_ended(struct dms_device_stats *device, const struct dms_step *step)
{
	end(device, step->mapping);
	count(device, ended_counters[step->end], 1);
	if (step->end == DMS_END_LIVE)
		count(device, COUNTER(LIVE_BYTES_AT_END), step->mapping->size);
	if (step->doubts & DMS_DOUBT_ELIDED)
		count(device, COUNTER(MAYBE_ELIDED), 1);
	return true;
}

static bool count_unmatched(struct dms_device_stats *device, const struct dms_step *step)
{
	bool is_error = step->end == DMS_END_UNMATCHED &&
			dms_confidence_of(step->doubts) != DMS_POSSIBLE;

	/* An unmap that may be of a mapping we did not see is not counted against the driver. */
	count(device, unmatched_counters[is_error ? DMS_END_UNMATCHED : DMS_END_PRE_TRACE], 1);
	if (step->end == DMS_END_PRE_TRACE && step->mapping)
		end_older(device, step->mapping);
	return count_release(device, step);
}

static bool count_failed(struct dms_device_stats *device, const struct dms_step *step)
{
	count(device, COUNTER(MAP_ERRORS), 1);
	/* A list or an allocation that fails has no error value to check. */
	if (step->event &&
	    (step->event->kind == DMS_EV_MAP || step->event->kind == DMS_EV_MAP_RESOURCE))
		device->unchecked++;
	know_checks(device, false);
	return breakdown_failed(device, step);
}

/*
 * The driver checked a map; without a mapping a failed one. Which of several is not known: a driver
 * that looks twice may hide one that does not look, but none is accused that does.
 */
static bool count_check(struct dms_device_stats *device, const struct dms_step *step)
{
	if (!step->mapping && device->unchecked)
		device->unchecked--;
	know_checks(device, true);
	return true;
}

static bool count_note(struct dms_device_stats *device, const struct dms_step *step)
{
	if (step->event)
		count(device, note_counters[step->event->kind], 1);
	return true;
}

static bool count_message(struct dms_device_stats *device, const struct dms_step *step)
{
	if (step->event && step->event->message < DMS_N_MESSAGES)
		count(device, message_counters[step->event->message], 1);
	return true;
}

static bool count_null_free(struct dms_device_stats *device, const struct dms_step *step)
{
	(void)step;
	count(device, COUNTER(NULL_FREES), 1);
	return true;
}

static bool count_bounce(struct dms_device_stats *device, const struct dms_step *step)
{
	count(device, COUNTER(BOUNCES), 1);
	count(device, COUNTER(BOUNCED_BYTES), step->event ? step->event->size : 0);
	if (step->event && step->event->size > device->counters[DMS_COUNT_BOUNCED_LARGEST])
		device->counters[DMS_COUNT_BOUNCED_LARGEST] = step->event->size;
	return true;
}

static bool count_fault(struct dms_device_stats *device, const struct dms_step *step)
{
	(void)step;
	count(device, COUNTER(FAULTS), 1);
	return true;
}

static bool count_sync(struct dms_device_stats *device, const struct dms_step *step)
{
	count_call(device, step);
	return breakdown_sync(device, step);
}

/* What each kind of step counts; NULL: nothing. False: no memory. */
static const struct step_row {
	bool (*count)(struct dms_device_stats *device, const struct dms_step *step);
	bool needs_mapping; /* it reads step->mapping */
	bool begins_latency; /* it may be the first thing that a latency begins with */
} step_rows[DMS_N_STEPS] = {
	[DMS_STEP_MAP] = {begin, true, false},
	[DMS_STEP_MAP_FAILED] = {count_failed, false, false},
	[DMS_STEP_UNMAP] = {count_unmap, true, true},
	[DMS_STEP_UNMAP_UNMATCHED] = {count_unmatched, false, false},
	[DMS_STEP_FREE_NULL] = {count_null_free, false, false},
	[DMS_STEP_SYNC] = {count_sync, false, false},
	[DMS_STEP_SYNC_UNMATCHED] = {count_sync, false, false},
	[DMS_STEP_ENDED] = {count_ended, true, false},
	[DMS_STEP_BOUNCE] = {count_bounce, false, true},
	[DMS_STEP_IOMMU] = {NULL, false, true},
	[DMS_STEP_FAULT] = {count_fault, false, false},
	[DMS_STEP_CHECK] = {count_check, false, false},
	[DMS_STEP_NOTE] = {count_note, false, false},
	[DMS_STEP_MESSAGE] = {count_message, false, false},
};

/* A step may be told late, so the span only widens; steps without an event are no activity. */
static void widen_span(struct dms_device_stats *device, const struct dms_event *event)
{
	if (event && event->ts < device->first_ts)
		device->first_ts = event->ts;
	if (event && event->ts > device->last_ts)
		device->last_ts = event->ts;
}

/* Where there is neither IOMMU nor swiotlb, nothing is that a latency could begin with. */
static bool may_tell_latency(const struct dms_stats *stats, const struct step_row *row,
			     const struct dms_step *step)
{
	if (stats->latencies.n_cpus)
		return true;
	if (!row->begins_latency || step->kind != DMS_STEP_UNMAP)
		return row->begins_latency;
	return step->mapping && step->mapping->sg && step->device &&
	       step->device->mode != DMS_MODE_DIRECT;
}

struct dms_error *dms_stats_step(struct dms_stats *stats, const struct dms_step *step)
{
	const struct step_row *row = &step_rows[step->kind];
	struct dms_device_stats *device = NULL;
	bool has_device = step->device || step->mapping; /* or it is a gap, the end, an iommu:map */
	uint32_t index = 0;

	if (has_device) {
		index = step->device ? step->device->index : step->mapping->device;
		device = device_at(stats, index, step->event ? step->event->ts : step->ts);
		if (!device)
			return &dms_error_nomem;
		widen_span(device, step->event);
		if (row->count && (step->mapping || !row->needs_mapping) &&
		    !row->count(device, step))
			return &dms_error_nomem;
	}
	if (may_tell_latency(stats, row, step) && !latency_step(stats, device, step))
		return &dms_error_nomem;
	return NULL;
}

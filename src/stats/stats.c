// SPDX-License-Identifier: LGPL-2.1-only
/* Per-device counters, peaks and distributions, counted step by step. */
#include <string.h>

#include "parts.h"

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
	struct dms_stats *stats = dms_zalloc(sizeof(*stats));

	if (stats)
		latency_init(&stats->latencies);
	return stats;
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

void dms_stats_restart(struct dms_stats *stats, uint64_t ts)
{
	for (size_t i = 0; i < stats->capacity; i++) {
		struct dms_device_stats *device = stats->devices[i];

		if (!device)
			continue;
		memset(device->counters, 0, sizeof(device->counters));
		memset(device->events, 0, sizeof(device->events));
		for (unsigned int k = 0; k < DMS_N_DISTRIBUTIONS; k++) {
			if (device->histograms[k])
				memset(device->histograms[k], 0, sizeof(*device->histograms[k]));
		}
		breakdown_restart(device);
		addresses_init(device);
		device->unchecked = 0;
		device->frees_matched = 0;
		stats_settle_live(device);
		device->peak_live = device->live;
		device->peak_live_ts = ts;
		device->peak_live_bytes = device->live_bytes;
		device->peak_live_bytes_ts = ts;
		device->spare_live = device->spare_bytes = 0;
		device->peak_bounced_bytes = device->bounced_bytes;
		device->peak_bounced_bytes_ts = ts;
	}
}

/* Figures of device @index, which is seen first in @step; NULL when memory is short. */
_apart_ static struct dms_device_stats *add_device(struct dms_stats *stats, uint32_t index,
						   const struct dms_step *step)
{
	struct dms_device_stats *device;

	if (!dms_grow(&stats->devices, &stats->capacity, (size_t)index + 1,
		      sizeof(*stats->devices)))
		return NULL;
	device = dms_zalloc(sizeof(*device));
	if (!device)
		return NULL;
	addresses_init(device);
	device->reuse_limit = UINT64_MAX;
	device->first_ts = device->last_ts = step->event ? step->event->ts : step->ts;
	stats->devices[index] = device;
	return device;
}

static struct dms_device_stats *device_of(struct dms_stats *stats, const struct dms_step *step,
					  uint32_t index)
{

	if (index < stats->capacity && stats->devices[index])
		return stats->devices[index];
	return add_device(stats, index, step);
}

_apart_ bool stats_begin_histogram(struct dms_device_stats *device,
				   enum dms_distribution distribution)
{
	device->histograms[distribution] = dms_zalloc(sizeof(struct dms_histogram));
	return device->histograms[distribution];
}

const struct dms_device_stats *dms_stats_device(const struct dms_stats *stats, uint32_t index)
{
	struct dms_device_stats *device = index < stats->capacity ? stats->devices[index] : NULL;

	if (device)
		stats_settle(device);
	return device;
}

/* Most maps of a device repeat the one before; once the sample is full, this costs nothing. */
_apart_ static void sample_stack(struct dms_device_stats *device, uint32_t stack)
{
	for (uint32_t i = device->n_map_stacks; i > 0; i--) {
		if (device->map_stacks[i - 1] == stack)
			return;
	}
	device->map_stacks[device->n_map_stacks++] = stack;
}

static const uint8_t reason_counters[] = {
	[DMS_BOUNCE_NONE] = 0,
	[DMS_BOUNCE_OTHER] = COUNTER(BOUNCED_OTHER),
	[DMS_BOUNCE_MASK] = COUNTER(BOUNCED_MASK),
	[DMS_BOUNCE_FORCED] = COUNTER(BOUNCED_FORCED),
};

/* It holds room in swiotlb as long as it lives. */
static void begin_bounced(struct dms_device_stats *device, const struct dms_mapping *mapping,
			  uint64_t ts)
{
	if (!mapping->bounced)
		return;
	count(device, COUNTER(BOUNCED_MAPS), 1);
	count(device, reason_counters[mapping->bounce_reason], 1);
	device->bounced_bytes += mapping->size;
	if (device->bounced_bytes > device->peak_bounced_bytes) {
		device->peak_bounced_bytes = device->bounced_bytes;
		device->peak_bounced_bytes_ts = ts;
	}
}

_apart_ static void raise_live(struct dms_device_stats *device, uint64_t ts)
{
	device->peak_live -= (uint64_t)device->spare_live;
	device->peak_live_ts = ts;
	device->spare_live = 0;
}

_apart_ static void raise_live_bytes(struct dms_device_stats *device, uint64_t ts)
{
	device->peak_live_bytes -= (uint64_t)device->spare_bytes;
	device->peak_live_bytes_ts = ts;
	device->spare_bytes = 0;
}

static void take_bytes(struct dms_device_stats *device, uint64_t size)
{
	device->spare_bytes = (int64_t)((uint64_t)device->spare_bytes - size);
}

static void begin_live(struct dms_device_stats *device, uint64_t size, uint64_t ts)
{
	device->spare_live--;
	if (device->spare_live < 0)
		raise_live(device, ts);
	take_bytes(device, size);
	if (device->spare_bytes < 0)
		raise_live_bytes(device, ts);
}

/* Of a list, or an allocation. */
static bool begin_compound(struct dms_device_stats *device, const struct dms_mapping *mapping)
{
	if (mapping->kind != DMS_MAPPING_SG)
		return true;
	reuse_map(device, mapping->dma_addr, mapping->map_ts);
	return stats_measure(device, DMS_DIST_ENTRIES, mapping->nents) &&
	       stats_measure(device, DMS_DIST_SEGMENTS, mapping->ents);
}

/* All but a single mapping that was not bounced. */
_apart_ static bool begin_unusual(struct dms_device_stats *device,
				  const struct dms_mapping *mapping, uint64_t ts)
{
	begin_bounced(device, mapping, ts);
	if (mapping->sg)
		addresses_use_list(device, mapping);
	else
		addresses_use(device, mapping);
	if (mapping->is_compound)
		return begin_compound(device, mapping);
	reuse_map(device, mapping->dma_addr, mapping->map_ts);
	return true;
}

static bool count_map(struct dms_device_stats *device, const struct dms_step *step)
{
	const struct dms_mapping *mapping = step->mapping;
	struct dms_cell *cell;

	if (!breakdown_find(device, mapping->kind, mapping->dir, mapping->map_cpu, &cell))
		return false;
	breakdown_map(device, cell, mapping);
	begin_live(device, mapping->size, step->ts);
	if (mapping->map_stack != DMS_ID_NONE && device->n_map_stacks < DMS_STATS_MAP_STACKS)
		sample_stack(device, mapping->map_stack);
	if (mapping->is_unusual)
		return begin_unusual(device, mapping, step->ts);
	reuse_map(device, mapping->dma_addr, mapping->map_ts);
	addresses_use(device, mapping);
	return true;
}

/*
 * It lived from before the trace up to now: at every time so far there was one more, also at that
 * of the peak. What comes from now on is compared with the peak as it then was.
 */
_apart_ static void end_older(struct dms_device_stats *device, const struct dms_mapping *mapping)
{
	if (!device->peak_live++)
		device->peak_live_ts = device->peak_live_bytes_ts = device->first_ts;
	device->spare_live++;
	device->peak_live_bytes += mapping->size;
	take_bytes(device, -mapping->size);
}

static void end_live(struct dms_device_stats *device, uint64_t size)
{
	device->spare_live++;
	take_bytes(device, -size);
}

static void end_bounced(struct dms_device_stats *device, const struct dms_mapping *mapping)
{
	if (mapping->bounced)
		device->bounced_bytes = stats_less(device->bounced_bytes, mapping->size);
}

static bool count_handover(struct dms_device_stats *device, const struct dms_mapping *mapping,
			   const struct dms_event *event)
{
	count(device, COUNTER(HANDOVERS), 1);
	return breakdown_handover(device, mapping, event->cpu);
}

/* Of mappings whose map was seen. */
static bool end_seen(struct dms_device_stats *device, const struct dms_mapping *mapping,
		     const struct dms_event *event)
{
	end_live(device, mapping->size);
	return event->cpu == mapping->map_cpu || count_handover(device, mapping, event);
}

_apart_ static void add_lifetime(struct dms_histogram *lifetimes, uint64_t begin, uint64_t end)
{
	dms_histogram_add(lifetimes, stats_less(end, begin));
}

static bool end_streaming(struct dms_device_stats *device, const struct dms_mapping *mapping,
			  const struct dms_event *event)
{
	struct dms_histogram *lifetimes = device->histograms[DMS_DIST_LIFETIME];

	/* where clocks of two CPUs disagree it is less than 0, which is too much to be usual */
	if (!dms_histogram_add_usual(lifetimes, event->ts - mapping->map_ts))
		add_lifetime(lifetimes, mapping->map_ts, event->ts);
	return reuse_unmap(device, mapping->dma_addr, event->ts);
}

/* Matched or not. */
static bool count_release(struct dms_device_stats *device, const struct dms_mapping *mapping,
			  const struct dms_event *event)
{
	struct dms_cell *cell;

	if (!breakdown_find(device, mapping->kind, mapping->dir, event->cpu, &cell))
		return false;
	cell->unmaps++;
	device->events[event->kind]++;
	return true;
}

/* A list, an allocation; what was bounced, is older than the trace, or whose check was seen. */
_apart_ static bool end_unusual(struct dms_device_stats *device, const struct dms_mapping *mapping,
				const struct dms_event *event)
{
	if (mapping->is_check_seen)
		device->has_checks = true;
	if (mapping->is_seeded) {
		end_older(device, mapping);
		return !is_streaming(mapping->kind) ||
		       reuse_unmap(device, mapping->dma_addr, event->ts);
	}
	end_bounced(device, mapping);
	if (!end_seen(device, mapping, event))
		return false;
	if (is_streaming(mapping->kind))
		return end_streaming(device, mapping, event);
	device->frees_matched++;
	return true;
}

static bool count_unmap(struct dms_device_stats *device, const struct dms_step *step)
{
	const struct dms_mapping *mapping = step->mapping;
	const struct dms_event *event = step->event;

	if (!count_release(device, mapping, event))
		return false;
	if (mapping->is_unusual)
		return end_unusual(device, mapping, event);
	return end_seen(device, mapping, event) && end_streaming(device, mapping, event);
}

static bool count_ended(struct dms_device_stats *device, const struct dms_step *step)
{
	if (step->mapping->is_seeded) {
		end_older(device, step->mapping);
	} else {
		end_live(device, step->mapping->size);
		end_bounced(device, step->mapping);
	}
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
	if (step->end == DMS_END_PRE_TRACE)
		end_older(device, step->mapping);
	return count_release(device, step->mapping, step->event);
}

static bool count_failed(struct dms_device_stats *device, const struct dms_step *step)
{
	count(device, COUNTER(MAP_ERRORS), 1);
	/* A list or an allocation that fails has no error value to check. */
	if (step->event->kind == DMS_EV_MAP || step->event->kind == DMS_EV_MAP_RESOURCE)
		device->unchecked++;
	return breakdown_failed(device, step->event);
}

/*
 * The driver checked a map; without a mapping a failed one. Which of several is not known: a driver
 * that looks twice may hide one that does not look, but none is accused that does.
 */
static bool count_check(struct dms_device_stats *device, const struct dms_step *step)
{
	if (!step->mapping && device->unchecked)
		device->unchecked--;
	device->has_checks = true;
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
	device->events[step->event->kind]++;
	return breakdown_sync(device, step);
}

/* What the other kinds of steps count; NULL: nothing. False: no memory. */
static bool (*const counts[DMS_N_STEPS])(struct dms_device_stats *device,
					 const struct dms_step *step) = {
	[DMS_STEP_MAP_FAILED] = count_failed,
	[DMS_STEP_UNMAP_UNMATCHED] = count_unmatched,
	[DMS_STEP_FREE_NULL] = count_null_free,
	[DMS_STEP_SYNC] = count_sync,
	[DMS_STEP_SYNC_UNMATCHED] = count_sync,
	[DMS_STEP_ENDED] = count_ended,
	[DMS_STEP_BOUNCE] = count_bounce,
	[DMS_STEP_FAULT] = count_fault,
	[DMS_STEP_CHECK] = count_check,
	[DMS_STEP_NOTE] = count_note,
	[DMS_STEP_MESSAGE] = count_message,
};

/* A step may be told late, so the span only widens. */
static void widen_span(struct dms_device_stats *device, uint64_t ts)
{
	if (ts > device->last_ts)
		device->last_ts = ts;
	else if (ts < device->first_ts)
		device->first_ts = ts;
}

static bool count_other(struct dms_device_stats *device, const struct dms_step *step)
{
	if (step->event) /* without one it is no activity */
		widen_span(device, step->event->ts);
	return !counts[step->kind] || counts[step->kind](device, step);
}

static bool count_rest(struct dms_stats *stats, const struct dms_step *step, uint32_t index)
{
	struct dms_device_stats *device = device_of(stats, step, index);

	return device && count_other(device, step);
}

typedef bool (*count_fn)(struct dms_device_stats *device, const struct dms_step *step);

/*
 * Maps and unmaps have mapping and event, and a device, of which a DEVICE step told before. They are
 * nearly all steps.
 */
static bool count_pair(struct dms_device_stats *device, const struct dms_step *step,
		       count_fn count_it)
{
	widen_span(device, step->event->ts);
	return count_it(device, step);
}

static uint32_t index_of(const struct dms_step *step)
{
	if (step->device)
		return step->device->index;
	return step->mapping ? step->mapping->device : DMS_ID_NONE;
}

_apart_ static bool measure_latency(struct dms_stats *stats, const struct dms_step *step)
{
	uint32_t index = index_of(step);

	return latency_step(stats, index == DMS_ID_NONE ? NULL : stats->devices[index], step);
}

static bool count_step(struct dms_stats *stats, const struct dms_step *step)
{
	uint32_t index = index_of(step);

	/* without a device: a gap, the end, iommu:map */
	return index == DMS_ID_NONE || count_rest(stats, step, index);
}

/* Of @kind, which whoever calls knows: what it needs is asked for in no table of all kinds. */
static bool measure_if_needed(struct dms_stats *stats, const struct dms_step *step,
			      enum dms_step_kind kind)
{
	return !latency_needs(&stats->latencies, kind) || measure_latency(stats, step);
}

static bool step_map(struct dms_stats *stats, const struct dms_step *step)
{
	return count_pair(stats->devices[step->device->index], step, count_map) &&
	       measure_if_needed(stats, step, DMS_STEP_MAP);
}

static bool step_unmap(struct dms_stats *stats, const struct dms_step *step)
{
	return count_pair(stats->devices[step->device->index], step, count_unmap) &&
	       measure_if_needed(stats, step, DMS_STEP_UNMAP);
}

static bool step_other(struct dms_stats *stats, const struct dms_step *step)
{
	return count_step(stats, step) && measure_if_needed(stats, step, step->kind);
}

_flat_ struct dms_error *dms_stats_step(struct dms_stats *stats, const struct dms_step *step)
{
	bool is_counted = step->kind == DMS_STEP_UNMAP ? step_unmap(stats, step)
			  : step->kind == DMS_STEP_MAP ? step_map(stats, step)
						       : step_other(stats, step);

	return is_counted ? NULL : &dms_error_nomem;
}

/* ---- later ----------------------------------------------------------------------------------- */

bool dms_stats_note(const struct dms_stats *stats, const struct dms_step *step,
		    struct dms_stats_note *ret)
{
	if (latency_needs(&stats->latencies, step->kind))
		return false; /* all of the step */
	ret->device = index_of(step);
	note_write(step, ret);
	return true;
}

static bool note_map(struct dms_device_stats *device, const struct dms_stats_note *note,
		     const struct dms_step *step)
{
	addresses_widen(device, note->low, note->high);
	return count_pair(device, step, count_map);
}

/* As dms_stats_step(), but for what dms_stats_note() refuses. */
static bool count_noted(struct dms_stats *stats, const struct dms_stats_note *note)
{
	struct noted noted;

	if (note->device == DMS_ID_NONE)
		return true;
	note_read(note, &noted);
	if (note->step == DMS_STEP_UNMAP)
		return count_pair(stats->devices[note->device], &noted.step, count_unmap);
	if (note->step == DMS_STEP_MAP)
		return note_map(stats->devices[note->device], note, &noted.step);
	return count_rest(stats, &noted.step, note->device);
}

_flat_ struct dms_error *dms_stats_count(struct dms_stats *stats, const struct dms_stats_note *notes,
					 size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!count_noted(stats, &notes[i]))
			return &dms_error_nomem;
	}
	return NULL;
}

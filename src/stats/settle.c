// SPDX-License-Identifier: LGPL-2.1-only
/* Figures that others hold already: made of them when they are asked for, and not at each step. */
#include "parts.h"

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

/* What stats_settle() sums up of other figures. */
static const uint8_t settled_counters[] = {
	DMS_COUNT_MAPS,		      DMS_COUNT_UNMAPS,
	DMS_COUNT_ALLOCS,	      DMS_COUNT_FREES,
	DMS_COUNT_SYNCS_FOR_CPU,      DMS_COUNT_SYNCS_FOR_DEVICE,
	DMS_COUNT_BYTES_TO_DEVICE,    DMS_COUNT_BYTES_FROM_DEVICE,
	DMS_COUNT_BYTES_BIDIRECTIONAL, DMS_COUNT_BYTES_ALLOCATED,
	DMS_COUNT_REMAPS,	      DMS_COUNT_REMAPPED_BYTES,
};

/* Sizes are what a trace says: more may have ended than began. */
void stats_settle_live(struct dms_device_stats *device)
{
	device->live = device->peak_live - (uint64_t)device->spare_live;
	device->live_bytes = stats_less(device->peak_live_bytes, (uint64_t)device->spare_bytes);
}

/* Of maps and allocations: the breakdown by kind and direction holds them. */
static void settle_maps(struct dms_device_stats *device, unsigned int kind)
{
	for (size_t dir = 0; dir < DMS_ARRAY_SIZE(direction_counters); dir++) {
		const struct dms_calls *calls = &device->calls[kind][dir];

		count(device, is_streaming(kind) ? COUNTER(MAPS) : COUNTER(ALLOCS), calls->maps);
		count(device,
		      is_streaming(kind) ? direction_counters[dir] : COUNTER(BYTES_ALLOCATED),
		      calls->bytes);
	}
}

static uint64_t sum_of(const struct dms_device_stats *device, enum dms_distribution distribution)
{
	const struct dms_histogram *histogram = device->histograms[distribution];

	return histogram ? histogram->sum : 0;
}

/* Counters that other figures hold already: no step need count twice. */
void stats_settle(struct dms_device_stats *device)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(settled_counters); i++)
		device->counters[settled_counters[i]] = 0;
	stats_settle_live(device);
	breakdown_settle(device);
	for (unsigned int kind = 0; kind < DMS_MAPPING_N_KINDS; kind++)
		settle_maps(device, kind);
	for (unsigned int kind = 0; kind < DMS_EV_N_KINDS; kind++)
		count(device, call_counters[kind], device->events[kind]);
	device->counters[DMS_COUNT_UNMAPS_MATCHED] = device->frees_matched;
	if (device->histograms[DMS_DIST_LIFETIME])
		device->counters[DMS_COUNT_UNMAPS_MATCHED] +=
			device->histograms[DMS_DIST_LIFETIME]->count;
	device->counters[DMS_COUNT_SG_ENTRIES] = sum_of(device, DMS_DIST_ENTRIES);
	device->counters[DMS_COUNT_SG_SEGMENTS] = sum_of(device, DMS_DIST_SEGMENTS);
	/* failed maps count as unchecked only where checks are seen at all */
	device->counters[DMS_COUNT_ERRORS_UNCHECKED] = device->has_checks ? device->unchecked : 0;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Names and units of counters and distributions, as in the database. */
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
	[DMS_COUNT_UNMAPS_MATCHED] = {"unmaps_matched", "calls", false},
	[DMS_COUNT_HANDOVERS] = {"handovers", "mappings", false},
	[DMS_COUNT_BOUNCED_MAPS] = {"bounced_maps", "mappings", false},
	[DMS_COUNT_BOUNCED_FORCED] = {"bounced_forced", "mappings", false},
	[DMS_COUNT_BOUNCED_MASK] = {"bounced_mask", "mappings", false},
	[DMS_COUNT_BOUNCED_OTHER] = {"bounced_other", "mappings", false},
	[DMS_COUNT_BOUNCED_LARGEST] = {"bounced_largest_bytes", "bytes", false},
	[DMS_COUNT_REMAPS] = {"remaps", "mappings", false},
	[DMS_COUNT_REMAPPED_BYTES] = {"remapped_bytes", "bytes", false},
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

static const struct {
	const char *name, *unit;
} distribution_rows[DMS_N_DISTRIBUTIONS] = {
	[DMS_DIST_LIFETIME] = {"lifetime", "ns"},
	[DMS_DIST_SIZE] = {"size", "bytes"},
	[DMS_DIST_ENTRIES] = {"entries", "entries"},
	[DMS_DIST_SEGMENTS] = {"segments", "segments"},
	[DMS_DIST_BOUNCE_TO_MAP] = {"bounce_to_map", "ns"},
	[DMS_DIST_IOMMU_MAP_TO_MAP] = {"iommu_map_to_map", "ns"},
	[DMS_DIST_IOMMU_UNMAP_TO_UNMAP] = {"iommu_unmap_to_unmap", "ns"},
	[DMS_DIST_UNMAP_SG_TO_IOMMU_UNMAP] = {"unmap_sg_to_iommu_unmap", "ns"},
	[DMS_DIST_REUSE] = {"reuse", "ns"},
};

const char *dms_distribution_name(enum dms_distribution distribution)
{
	return distribution_rows[distribution].name;
}

const char *dms_distribution_unit(enum dms_distribution distribution)
{
	return distribution_rows[distribution].unit;
}

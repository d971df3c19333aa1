// SPDX-License-Identifier: LGPL-2.1-only
/* What is told of a device: one row a column, for text, JSON, CSV, HTML and reading back. */
#include "local.h"

#define FIELD(name) offsetof(struct dms_device_summary, name)

/* clang-format off */
const struct dms_column dms_device_columns[] = {
	/* key, title, type, place, when text shows it, total, what it means, where it is read */
	{ "device", "device", DMS_COLUMN_TEXT, FIELD(name), DMS_TEXT_ALWAYS, DMS_TOTAL_NONE,
	  "name of the device", NULL },
	{ "generation", "generation", DMS_COLUMN_U32, FIELD(generation), DMS_TEXT_ASKED, DMS_TOTAL_NONE,
	  "of the device: 1 for the first probe seen", NULL },
	{ "driver", "driver", DMS_COLUMN_TEXT, FIELD(driver), DMS_TEXT_USED, DMS_TOTAL_NONE,
	  "of the device; NULL: not known", NULL },
	{ "address_mode", "mode", DMS_COLUMN_TEXT, FIELD(address_mode), DMS_TEXT_ALWAYS, DMS_TOTAL_NONE,
	  "as in device", NULL },
	{ "maps", "maps", DMS_COLUMN_COUNT, FIELD(maps), DMS_TEXT_ALWAYS, DMS_TOTAL_SUM,
	  "maps of every kind, allocations among them", NULL },
	{ "unmaps", "unmaps", DMS_COLUMN_COUNT, FIELD(unmaps), DMS_TEXT_ALWAYS, DMS_TOTAL_SUM,
	  "unmaps and frees, matched or not", NULL },
	{ "syncs", "syncs", DMS_COLUMN_COUNT, FIELD(syncs), DMS_TEXT_USED, DMS_TOTAL_SUM,
	  "sync calls in both directions", NULL },
	{ "live_at_end", "live at end", DMS_COLUMN_COUNT, FIELD(live_at_end), DMS_TEXT_ALWAYS, DMS_TOTAL_SUM,
	  "mappings live when the trace ended", NULL },
	{ "live_bytes_at_end", "live bytes", DMS_COLUMN_BYTES, FIELD(live_bytes_at_end), DMS_TEXT_ALWAYS, DMS_TOTAL_SUM,
	  "their bytes", NULL },
	{ "maybe_elided", "maybe elided", DMS_COLUMN_COUNT, FIELD(maybe_elided), DMS_TEXT_USED, DMS_TOTAL_SUM,
	  "mappings never unmapped, live at the end or not, whose unmap the driver may have skipped", NULL },
	{ "failed", "failed", DMS_COLUMN_COUNT, FIELD(failed), DMS_TEXT_ALWAYS, DMS_TOTAL_SUM,
	  "maps and allocations that failed", NULL },
	{ "pre_trace", "pre-trace", DMS_COLUMN_COUNT, FIELD(pre_trace), DMS_TEXT_USED, DMS_TOTAL_SUM,
	  "unmaps whose map was not seen", NULL },
	{ "bytes_to_device", "to device", DMS_COLUMN_BYTES, FIELD(bytes_to_device), DMS_TEXT_ALWAYS, DMS_TOTAL_SUM,
	  "bytes of streaming maps TO_DEVICE", NULL },
	{ "bytes_from_device", "from device", DMS_COLUMN_BYTES, FIELD(bytes_from_device), DMS_TEXT_ALWAYS, DMS_TOTAL_SUM,
	  "bytes of streaming maps FROM_DEVICE", NULL },
	{ "bytes_bidirectional", "both ways", DMS_COLUMN_BYTES, FIELD(bytes_bidirectional), DMS_TEXT_USED, DMS_TOTAL_SUM,
	  "bytes of streaming maps BIDIRECTIONAL", NULL },
	{ "bytes_allocated", "allocated", DMS_COLUMN_BYTES, FIELD(bytes_allocated), DMS_TEXT_USED, DMS_TOTAL_SUM,
	  "bytes of allocations", NULL },
	{ "lifetime_p50_ns", "life p50", DMS_COLUMN_DURATION, FIELD(lifetime_p50_ns), DMS_TEXT_ALWAYS, DMS_TOTAL_NONE,
	  "half of the lifetimes are no longer; at most 3.2 % too high", NULL },
	{ "lifetime_p99_ns", "life p99", DMS_COLUMN_DURATION, FIELD(lifetime_p99_ns), DMS_TEXT_ALWAYS, DMS_TOTAL_NONE,
	  "99 % of them are no longer; at most 3.2 % too high", NULL },
	{ "lifetime_max_ns", "life max", DMS_COLUMN_DURATION, FIELD(lifetime_max_ns), DMS_TEXT_ALWAYS, DMS_TOTAL_NONE,
	  "longest lifetime, exact", NULL },
	{ "peak_live", "peak live", DMS_COLUMN_COUNT, FIELD(peak_live), DMS_TEXT_ALWAYS, DMS_TOTAL_NONE,
	  "most mappings live at one time", NULL },
	{ "peak_live_bytes", "peak bytes", DMS_COLUMN_BYTES, FIELD(peak_live_bytes), DMS_TEXT_ALWAYS, DMS_TOTAL_NONE,
	  "most bytes mapped at one time", NULL },
	{ "peak_live_bytes_ns", "peak at", DMS_COLUMN_TIME, FIELD(peak_live_bytes_ts), DMS_TEXT_ALWAYS, DMS_TOTAL_NONE,
	  "when that was first reached", NULL },
	{ "bounces", "bounces", DMS_COLUMN_COUNT, FIELD(bounces), DMS_TEXT_USED, DMS_TOTAL_SUM,
	  "attempts to bounce through swiotlb; a list may make many, and they may fail", NULL },
	{ "bounced_bytes", "copied", DMS_COLUMN_BYTES, FIELD(bounced_bytes), DMS_TEXT_USED, DMS_TOTAL_SUM,
	  "bytes of these attempts", NULL },
	{ "lifetime_p90_ns", "life p90", DMS_COLUMN_DURATION, FIELD(lifetime_p90_ns), DMS_TEXT_ASKED, DMS_TOTAL_NONE,
	  "90 % of the lifetimes are no longer; at most 3.2 % too high", "q.life_p90" },
	{ "lifetime_p999_ns", "life p99.9", DMS_COLUMN_DURATION, FIELD(lifetime_p999_ns), DMS_TEXT_ASKED, DMS_TOTAL_NONE,
	  "99.9 % of them are no longer; at most 3.2 % too high", "q.life_p999" },
	{ "size_p50_bytes", "size p50", DMS_COLUMN_BYTES, FIELD(size_p50_bytes), DMS_TEXT_ASKED, DMS_TOTAL_NONE,
	  "half of the mappings are no larger; at most 3.2 % too high", "q.size_p50" },
	{ "size_p99_bytes", "size p99", DMS_COLUMN_BYTES, FIELD(size_p99_bytes), DMS_TEXT_ASKED, DMS_TOTAL_NONE,
	  "99 % of them are no larger; at most 3.2 % too high", "q.size_p99" },
	{ "size_max_bytes", "size max", DMS_COLUMN_BYTES, FIELD(size_max_bytes), DMS_TEXT_ASKED, DMS_TOTAL_NONE,
	  "largest mapping, exact", "q.size_max" },
	{ "maps_per_s", "maps/s", DMS_COLUMN_RATE, FIELD(maps_per_s), DMS_TEXT_ASKED, DMS_TOTAL_SUM,
	  "maps and allocations a second of the device's time in the trace", "r.maps_per_s" },
	{ "unmaps_per_s", "unmaps/s", DMS_COLUMN_RATE, FIELD(unmaps_per_s), DMS_TEXT_ASKED, DMS_TOTAL_SUM,
	  "unmaps and frees a second of it", "r.unmaps_per_s" },
	{ "syncs_per_s", "syncs/s", DMS_COLUMN_RATE, FIELD(syncs_per_s), DMS_TEXT_ASKED, DMS_TOTAL_SUM,
	  "sync calls a second of it", "r.syncs_per_s" },
	{ "bytes_per_s", "bytes/s", DMS_COLUMN_BYTE_RATE, FIELD(bytes_per_s), DMS_TEXT_ASKED, DMS_TOTAL_SUM,
	  "bytes of streaming maps a second of it", "r.bytes_per_s" },
	{ "bounced_permille", "bounced share", DMS_COLUMN_PERMILLE, FIELD(bounced_permille), DMS_TEXT_ASKED, DMS_TOTAL_NONE,
	  "of the streaming maps, those that swiotlb bounced, per mille", "1000 * b.share" },
	{ "failed_permille", "failed share", DMS_COLUMN_PERMILLE, FIELD(failed_permille), DMS_TEXT_ASKED, DMS_TOTAL_NONE,
	  "of the calls that map, those that failed, per mille", "1000.0 * s.failed / nullif(s.maps + s.failed, 0)" },
	{ "merged_permille", "merged", DMS_COLUMN_PERMILLE, FIELD(merged_permille), DMS_TEXT_ASKED, DMS_TOTAL_NONE,
	  "of the entries of scatter lists, those the IOMMU merged away, per mille", "1000 - 1000 * i.ratio" },
	{ "handovers", "hand-overs", DMS_COLUMN_COUNT, FIELD(handovers), DMS_TEXT_ASKED, DMS_TOTAL_SUM,
	  "unmaps on another CPU than the map", "c.handovers" },
	{ "remaps", "remaps", DMS_COLUMN_COUNT, FIELD(remaps), DMS_TEXT_ASKED, DMS_TOTAL_SUM,
	  "maps of a buffer that was unmapped just before: a lasting mapping would save them", "c.remaps" },
	{ "bounce_p50_ns", "bounce p50", DMS_COLUMN_DURATION, FIELD(bounce_p50_ns), DMS_TEXT_ASKED, DMS_TOTAL_NONE,
	  "from swiotlb's bounce to the end of the map, half are no longer", "q.bounce_p50" },
	{ "iommu_map_p50_ns", "IOMMU map p50", DMS_COLUMN_DURATION, FIELD(iommu_map_p50_ns), DMS_TEXT_ASKED, DMS_TOTAL_NONE,
	  "from the IOMMU's map to the end of the map, half are no longer", "q.iommu_map_p50" },
	{ "iommu_unmap_p50_ns", "IOMMU unmap p50", DMS_COLUMN_DURATION, FIELD(iommu_unmap_p50_ns), DMS_TEXT_ASKED, DMS_TOTAL_NONE,
	  "from the IOMMU's unmap to the end of the unmap, half are no longer", "q.iommu_unmap_p50" },
};
/* clang-format on */
const size_t dms_n_device_columns = DMS_ARRAY_SIZE(dms_device_columns);
_Static_assert(DMS_ARRAY_SIZE(dms_device_columns) <= DMS_MAX_COLUMNS, "struct dms_layout is full");

uint64_t dms_column_u64(const struct dms_column *column, const struct dms_device_summary *device)
{
	const char *place = (const char *)device + column->offset;

	if (column->type == DMS_COLUMN_U32)
		return *(const uint32_t *)place;
	return *(const uint64_t *)place;
}

const char *dms_column_text(const struct dms_column *column,
			    const struct dms_device_summary *device)
{
	return *(const char *const *)((const char *)device + column->offset);
}

bool dms_column_is_known(const struct dms_column *column, uint64_t value, bool is_ns)
{
	static const bool needs_ns[] = {
		[DMS_COLUMN_DURATION] = true,
		[DMS_COLUMN_RATE] = true,
		[DMS_COLUMN_BYTE_RATE] = true,
		[DMS_COLUMN_PERMILLE] = false,
	};

	if (needs_ns[column->type] && !is_ns)
		return false;
	/* what analyze counts, it knows; a sum may have come to that */
	return value != UINT64_MAX || (!column->sql && !needs_ns[column->type] &&
				       column->type != DMS_COLUMN_TIME);
}

bool dms_column_is_rate(const struct dms_column *column)
{
	return column->type == DMS_COLUMN_RATE || column->type == DMS_COLUMN_BYTE_RATE;
}

void dms_device_total(const struct dms_summary *summary, struct dms_device_summary *ret)
{
	*ret = (struct dms_device_summary){ 0 };
	for (size_t i = 0; i < dms_n_device_columns; i++) {
		const struct dms_column *column = &dms_device_columns[i];
		uint64_t *sum = (uint64_t *)((char *)ret + column->offset);

		for (size_t j = 0; column->total && j < summary->n_devices; j++) {
			uint64_t value = dms_column_u64(column, &summary->devices[j]);

			if (column->sql && value == UINT64_MAX)
				continue; /* not known of this one */
			if (__builtin_add_overflow(*sum, value, sum))
				*sum = UINT64_MAX;
		}
	}
}

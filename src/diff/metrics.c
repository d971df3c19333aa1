// SPDX-License-Identifier: LGPL-2.1-only
/* The metrics two runs are compared by, and how much each may differ before that means anything. */
#include <string.h>

#include <dmascope/diff.h>

/*
 * Two runs of one commit in virtual machines differ by a factor of two in lifetimes, and lifetimes
 * of call sites come in powers of two: below a factor of 2.5 no lifetime counts. The 99th
 * percentile of less than 1,000 values is made of less than ten of them, and the median of less
 * follows the mix of the work. Of what is live, a ring of 256 buffers and their 1 MiB may have been
 * filled before the recording, or in it: that does not count. Rates and sizes are the workload's as
 * much as the driver's: they are told and not judged, unless a project says so.
 */
// clang-format off
const struct dms_metric dms_metrics[] = {
	{"lifetime_p50", "ns", "lifetime, median",
	 DMS_LESS_IS_BETTER, {1.5, 50e3, 1000}},
	{"lifetime_p99", "ns", "lifetime, 99th percentile",
	 DMS_LESS_IS_BETTER, {3, 1e6, 1000}},
	{"peak_live", "1", "most mappings live at a time, summed over devices",
	 DMS_LESS_IS_BETTER, {0.5, 256, 100}},
	{"peak_live_bytes", "bytes", "most bytes live at a time, summed over devices",
	 DMS_LESS_IS_BETTER, {0.5, 1 << 20, 100}},
	{"live_at_end", "1", "mappings live at the end",
	 DMS_LESS_IS_BETTER, {0.5, 256, 100}},
	{"live_bytes_at_end", "bytes", "bytes live at the end",
	 DMS_LESS_IS_BETTER, {0.5, 1 << 20, 100}},
	{"failed_share", "1", "share of maps and allocations that failed",
	 DMS_LESS_IS_BETTER, {0.5, 0.005, 100}},
	{"bounced_share", "1", "share of maps that went through swiotlb",
	 DMS_LESS_IS_BETTER, {0.25, 0.05, 100}},
	{"maps_per_s", "1/s", "maps and allocations per second",
	 DMS_NEITHER, {0.5, 100, 100}},
	{"bytes_per_map", "bytes", "bytes of a map or allocation, on average",
	 DMS_NEITHER, {0.5, 256, 100}},
};
// clang-format on
const size_t dms_n_metrics = DMS_ARRAY_SIZE(dms_metrics);

const struct dms_metric *dms_metric_find(const char *name)
{
	for (size_t i = 0; i < dms_n_metrics; i++) {
		if (!strcmp(dms_metrics[i].name, name))
			return &dms_metrics[i];
	}
	return NULL;
}

const char *dms_scope_name(enum dms_scope scope)
{
	static const char *const names[DMS_MAX_SCOPES] = {
		[DMS_SCOPE_KIND] = "driver",
		[DMS_SCOPE_DEVICE] = "device",
		[DMS_SCOPE_SITE] = "site",
	};

	return names[scope];
}

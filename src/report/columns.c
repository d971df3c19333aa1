// SPDX-License-Identifier: LGPL-2.1-only
/* What is told of a device: one row a column, for text, JSON, CSV and reading back. */
#include "local.h"

#define FIELD(name) offsetof(struct dms_device_summary, name)

/* clang-format off */
const struct dms_column dms_device_columns[] = {
	/* key			title		type			place			  optional  total */
	{ "device",		"device",	DMS_COLUMN_TEXT,	FIELD(name),		    false, DMS_TOTAL_NONE },
	{ "generation",		NULL,		DMS_COLUMN_U32,		FIELD(generation),	    false, DMS_TOTAL_NONE },
	{ "driver",		"driver",	DMS_COLUMN_TEXT,	FIELD(driver),		    true,  DMS_TOTAL_NONE },
	{ "address_mode",	"mode",		DMS_COLUMN_TEXT,	FIELD(address_mode),	    false, DMS_TOTAL_NONE },
	{ "maps",		"maps",		DMS_COLUMN_COUNT,	FIELD(maps),		    false, DMS_TOTAL_SUM },
	{ "unmaps",		"unmaps",	DMS_COLUMN_COUNT,	FIELD(unmaps),		    false, DMS_TOTAL_SUM },
	{ "syncs",		"syncs",	DMS_COLUMN_COUNT,	FIELD(syncs),		    true,  DMS_TOTAL_SUM },
	{ "live_at_end",	"live at end",	DMS_COLUMN_COUNT,	FIELD(live_at_end),	    false, DMS_TOTAL_SUM },
	{ "live_bytes_at_end",	"live bytes",	DMS_COLUMN_BYTES,	FIELD(live_bytes_at_end),   false, DMS_TOTAL_SUM },
	{ "failed",		"failed",	DMS_COLUMN_COUNT,	FIELD(failed),		    false, DMS_TOTAL_SUM },
	{ "pre_trace",		"pre-trace",	DMS_COLUMN_COUNT,	FIELD(pre_trace),	    true,  DMS_TOTAL_SUM },
	{ "bytes_to_device",	"to device",	DMS_COLUMN_BYTES,	FIELD(bytes_to_device),	    false, DMS_TOTAL_SUM },
	{ "bytes_from_device",	"from device",	DMS_COLUMN_BYTES,	FIELD(bytes_from_device),   false, DMS_TOTAL_SUM },
	{ "bytes_bidirectional", "both ways",	DMS_COLUMN_BYTES,	FIELD(bytes_bidirectional), true,  DMS_TOTAL_SUM },
	{ "bytes_allocated",	"allocated",	DMS_COLUMN_BYTES,	FIELD(bytes_allocated),	    true,  DMS_TOTAL_SUM },
	{ "lifetime_p50_ns",	"life p50",	DMS_COLUMN_DURATION,	FIELD(lifetime_p50_ns),	    false, DMS_TOTAL_NONE },
	{ "lifetime_p99_ns",	"life p99",	DMS_COLUMN_DURATION,	FIELD(lifetime_p99_ns),	    false, DMS_TOTAL_NONE },
	{ "lifetime_max_ns",	"life max",	DMS_COLUMN_DURATION,	FIELD(lifetime_max_ns),	    false, DMS_TOTAL_NONE },
	{ "peak_live",		"peak live",	DMS_COLUMN_COUNT,	FIELD(peak_live),	    false, DMS_TOTAL_NONE },
	{ "peak_live_bytes",	"peak bytes",	DMS_COLUMN_BYTES,	FIELD(peak_live_bytes),	    false, DMS_TOTAL_NONE },
	{ "peak_live_bytes_ns",	"peak at",	DMS_COLUMN_TIME,	FIELD(peak_live_bytes_ts),  false, DMS_TOTAL_NONE },
	{ "bounces",		"bounces",	DMS_COLUMN_COUNT,	FIELD(bounces),		    true,  DMS_TOTAL_SUM },
	{ "bounced_bytes",	"bounced",	DMS_COLUMN_BYTES,	FIELD(bounced_bytes),	    true,  DMS_TOTAL_SUM },
};
/* clang-format on */
const size_t dms_n_device_columns = DMS_ARRAY_SIZE(dms_device_columns);

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

void dms_device_total(const struct dms_summary *summary, struct dms_device_summary *ret)
{
	*ret = (struct dms_device_summary){ 0 };
	for (size_t i = 0; i < dms_n_device_columns; i++) {
		const struct dms_column *column = &dms_device_columns[i];
		uint64_t *sum = (uint64_t *)((char *)ret + column->offset);

		for (size_t j = 0; column->total && j < summary->n_devices; j++) {
			uint64_t value = dms_column_u64(column, &summary->devices[j]);

			if (__builtin_add_overflow(*sum, value, sum))
				*sum = UINT64_MAX;
		}
	}
}

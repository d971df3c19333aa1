// SPDX-License-Identifier: LGPL-2.1-only
/* Calls by CPU, by kind and direction, and by pairs of CPUs that hand mappings over. */
#include <string.h>

#include "parts.h"

static void add(struct dms_calls *to, const struct dms_calls *calls)
{
	to->maps += calls->maps;
	to->unmaps += calls->unmaps;
	to->syncs += calls->syncs;
	to->failed += calls->failed;
	to->bytes += calls->bytes;
}

static uint32_t row_of(uint64_t key)
{
	uint64_t cpu = key >> 16;

	return cpu < DMS_STATS_CPUS ? (uint32_t)cpu : DMS_STATS_CPUS;
}

void breakdown_settle(struct dms_device_stats *device)
{
	uint64_t key = device->recent_key;
	uint8_t kind = (uint8_t)(key >> 8), dir = (uint8_t)key;

	if (key == BREAKDOWN_NO_KEY)
		return;
	add(&device->cpus[row_of(key)], &device->recent);
	add(&device->calls[kind][dir < DMS_DIR_UNKNOWN ? dir : DMS_DIR_UNKNOWN], &device->recent);
	device->recent = (struct dms_calls){0};
}

_apart_ bool breakdown_turn(struct dms_device_stats *device, uint64_t key)
{
	breakdown_settle(device);
	device->recent_key = BREAKDOWN_NO_KEY;
	if (row_of(key) >= device->n_cpus &&
	    !dms_grow(&device->cpus, &device->n_cpus, (size_t)row_of(key) + 1,
		      sizeof(*device->cpus)))
		return false;
	device->recent_key = key;
	return true;
}

/* Calls that concern no mapping are of the family their function belongs to. */
static const uint8_t event_kinds[DMS_EV_N_KINDS] = {
	[DMS_EV_MAP] = DMS_MAPPING_PAGE,
	[DMS_EV_MAP_RESOURCE] = DMS_MAPPING_RESOURCE,
	[DMS_EV_MAP_SG] = DMS_MAPPING_SG,
	[DMS_EV_MAP_SG_ERR] = DMS_MAPPING_SG,
	[DMS_EV_MAP_SG_RETURN] = DMS_MAPPING_SG,
	[DMS_EV_ALLOC] = DMS_MAPPING_COHERENT,
	[DMS_EV_ALLOC_PAGES] = DMS_MAPPING_PAGES,
	[DMS_EV_ALLOC_SGT] = DMS_MAPPING_NONCONTIGUOUS,
	[DMS_EV_ALLOC_SGT_ERR] = DMS_MAPPING_NONCONTIGUOUS,
	[DMS_EV_SYNC_FOR_CPU] = DMS_MAPPING_PAGE,
	[DMS_EV_SYNC_FOR_DEVICE] = DMS_MAPPING_PAGE,
	[DMS_EV_SYNC_SG_FOR_CPU] = DMS_MAPPING_SG,
	[DMS_EV_SYNC_SG_FOR_DEVICE] = DMS_MAPPING_SG,
};

bool breakdown_sync(struct dms_device_stats *device, const struct dms_step *step)
{
	const struct dms_mapping *mapping = step->mapping;
	const struct dms_event *event = step->event;
	struct dms_calls *calls;

	if (!event)
		return true;
	calls = breakdown_calls(device, event->cpu,
				mapping ? mapping->kind : event_kinds[event->kind],
				mapping ? mapping->dir : event->dir);
	if (calls)
		calls->syncs++;
	return calls;
}

bool breakdown_failed(struct dms_device_stats *device, const struct dms_step *step)
{
	const struct dms_event *event = step->event;
	struct dms_calls *calls;

	if (!event)
		return true;
	calls = breakdown_calls(device, event->cpu, event_kinds[event->kind], event->dir);
	if (calls)
		calls->failed++;
	return calls;
}

bool breakdown_handover(struct dms_device_stats *device, const struct dms_step *step)
{
	uint32_t map_cpu = step->mapping->map_cpu, unmap_cpu = step->event->cpu;
	struct dms_handover *row;

	if (map_cpu >= DMS_STATS_PAIR_CPUS || unmap_cpu >= DMS_STATS_PAIR_CPUS)
		return true;
	if (!device->handovers[map_cpu]) {
		device->handovers[map_cpu] = dms_zalloc(DMS_STATS_PAIR_CPUS * sizeof(*row));
		if (!device->handovers[map_cpu])
			return false;
	}
	row = &device->handovers[map_cpu][unmap_cpu];
	row->mappings++;
	row->bytes += step->mapping->size;
	return true;
}

void breakdown_deinit(struct dms_device_stats *device)
{
	dms_free(device->cpus);
	for (unsigned int i = 0; i < DMS_STATS_PAIR_CPUS; i++)
		dms_free(device->handovers[i]);
}

void breakdown_restart(struct dms_device_stats *device)
{
	device->recent = (struct dms_calls){0};
	memset(device->calls, 0, sizeof(device->calls));
	if (device->cpus)
		memset(device->cpus, 0, device->n_cpus * sizeof(*device->cpus));
	for (unsigned int i = 0; i < DMS_STATS_PAIR_CPUS; i++) {
		dms_free(device->handovers[i]);
		device->handovers[i] = NULL;
	}
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Calls by CPU, by kind and direction, and by pairs of CPUs that hand mappings over. */
#include <string.h>

#include "parts.h"

_apart_ struct dms_calls *breakdown_add_cpu(struct dms_device_stats *device, uint32_t cpu)
{
	uint32_t row = cpu < DMS_STATS_CPUS ? cpu : DMS_STATS_CPUS;

	if (row >= device->n_cpus && !dms_grow(&device->cpus, &device->n_cpus, (size_t)row + 1,
					       sizeof(*device->cpus)))
		return NULL;
	return &device->cpus[row];
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
	struct dms_calls *calls = breakdown_cpu(device, event->cpu);

	if (!calls)
		return false;
	calls->syncs++;
	if (mapping)
		breakdown_kind(device, mapping->kind, mapping->dir)->syncs++;
	else
		breakdown_kind(device, event_kinds[event->kind], event->dir)->syncs++;
	return true;
}

bool breakdown_failed(struct dms_device_stats *device, const struct dms_event *event)
{
	struct dms_calls *calls = breakdown_cpu(device, event->cpu);

	if (!calls)
		return false;
	calls->failed++;
	breakdown_kind(device, event_kinds[event->kind], event->dir)->failed++;
	return true;
}

_apart_ static bool add_handovers(struct dms_device_stats *device, uint32_t map_cpu)
{
	device->handovers[map_cpu] = dms_zalloc(DMS_STATS_PAIR_CPUS * sizeof(struct dms_handover));
	return device->handovers[map_cpu];
}

_apart_ bool breakdown_handover(struct dms_device_stats *device, const struct dms_mapping *mapping,
			uint32_t unmap_cpu)
{
	uint32_t map_cpu = mapping->map_cpu;
	struct dms_handover *row;

	if (map_cpu >= DMS_STATS_PAIR_CPUS || unmap_cpu >= DMS_STATS_PAIR_CPUS)
		return true;
	if (!device->handovers[map_cpu] && !add_handovers(device, map_cpu))
		return false;
	row = &device->handovers[map_cpu][unmap_cpu];
	row->mappings++;
	row->bytes += mapping->size;
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
	memset(device->calls, 0, sizeof(device->calls));
	if (device->cpus)
		memset(device->cpus, 0, device->n_cpus * sizeof(*device->cpus));
	for (unsigned int i = 0; i < DMS_STATS_PAIR_CPUS; i++) {
		dms_free(device->handovers[i]);
		device->handovers[i] = NULL;
	}
}

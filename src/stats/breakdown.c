// SPDX-License-Identifier: LGPL-2.1-only
/* Calls by CPU, by kind and direction, and by pairs of CPUs that hand mappings over. */
#include <string.h>

#include "parts.h"

/* Of what every map and unmap measures: who has a cell need not ask whether they are there. */
static bool begin_histograms(struct dms_device_stats *device)
{
	return (device->histograms[DMS_DIST_SIZE] ||
		stats_begin_histogram(device, DMS_DIST_SIZE)) &&
	       (device->histograms[DMS_DIST_LIFETIME] ||
		stats_begin_histogram(device, DMS_DIST_LIFETIME));
}

_apart_ struct dms_cell *breakdown_add(struct dms_device_stats *device, size_t shape, uint32_t cpu)
{
	uint32_t row = cpu < DMS_STATS_CPUS ? cpu : DMS_STATS_CPUS;

	if (!begin_histograms(device) ||
	    !dms_grow(&device->cpus, &device->n_cpus, (size_t)row + 1, sizeof(*device->cpus)) ||
	    !dms_grow(&device->cells[shape], &device->n_cells[shape], (size_t)row + 1,
		      sizeof(struct dms_cell)))
		return NULL;
	return &device->cells[shape][row];
}

/* ---- runs of one size, and sums -------------------------------------------------------------- */

_apart_ void breakdown_end_run(struct dms_device_stats *device, struct dms_cell *cell)
{
	dms_histogram_add_many(device->histograms[DMS_DIST_SIZE], cell->run_bytes,
			       cell->run_maps[0] + cell->run_maps[1]);
	for (unsigned int remap = 0; remap < 2; remap++) {
		cell->told[remap].maps += cell->run_maps[remap];
		cell->told[remap].bytes += cell->run_maps[remap] * cell->run_bytes;
		cell->run_maps[remap] = 0;
	}
}

void breakdown_begin_run(struct dms_device_stats *device, struct dms_cell *cell,
			 const struct dms_mapping *mapping)
{
	if (cell->run_maps[0] | cell->run_maps[1])
		breakdown_end_run(device, cell);
	cell->run_bytes = mapping->size;
	cell->told[mapping->is_remap].maps++;
	cell->told[mapping->is_remap].bytes += mapping->size;
	dms_histogram_add(device->histograms[DMS_DIST_SIZE], mapping->size);
}

static struct dms_calls calls_of(const struct dms_cell *cell)
{
	return (struct dms_calls){
		.maps = cell->told[0].maps + cell->told[1].maps,
		.bytes = cell->told[0].bytes + cell->told[1].bytes,
		.unmaps = cell->unmaps,
		.syncs = cell->syncs,
		.failed = cell->failed,
	};
}

/* The sum of the cells of @shape, which also count in the rows of the CPUs and among the remaps. */
static struct dms_calls sum_up(struct dms_device_stats *device, size_t shape)
{
	struct dms_calls sum = {0}, calls;

	for (size_t cpu = 0; cpu < device->n_cells[shape]; cpu++) {
		struct dms_cell *cell = &device->cells[shape][cpu];

		breakdown_end_run(device, cell);
		calls = calls_of(cell);
		dms_calls_add(&sum, &calls);
		device->counters[DMS_COUNT_REMAPS] += cell->told[1].maps;
		device->counters[DMS_COUNT_REMAPPED_BYTES] += cell->told[1].bytes;
		/* there may be more cells than rows that are told apart: room is doubled */
		dms_calls_add(&device->cpus[cpu < DMS_STATS_CPUS ? cpu : DMS_STATS_CPUS], &calls);
	}
	return sum;
}

void breakdown_settle(struct dms_device_stats *device)
{
	if (device->n_cpus)
		memset(device->cpus, 0, device->n_cpus * sizeof(*device->cpus));
	for (uint8_t kind = 0; kind < DMS_MAPPING_N_KINDS; kind++) {
		for (uint8_t dir = 0; dir <= DMS_DIR_UNKNOWN; dir++)
			device->calls[kind][dir] = sum_up(device, breakdown_shape(kind, dir));
	}
}

/* ---- calls ----------------------------------------------------------------------------------- */

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

static uint8_t known_dir(const struct dms_event *event)
{
	return event->dir < DMS_DIR_UNKNOWN ? event->dir : DMS_DIR_UNKNOWN;
}

bool breakdown_sync(struct dms_device_stats *device, const struct dms_step *step)
{
	const struct dms_mapping *mapping = step->mapping;
	const struct dms_event *event = step->event;
	uint8_t kind = mapping ? mapping->kind : event_kinds[event->kind];
	struct dms_cell *cell;

	if (!breakdown_find(device, kind, mapping ? mapping->dir : known_dir(event), event->cpu, &cell))
		return false;
	cell->syncs++;
	return true;
}

bool breakdown_failed(struct dms_device_stats *device, const struct dms_event *event)
{
	struct dms_cell *cell;

	if (!breakdown_find(device, event_kinds[event->kind], known_dir(event), event->cpu, &cell))
		return false;
	cell->failed++;
	return true;
}

_apart_ static bool add_handovers(struct dms_device_stats *device, uint32_t map_cpu)
{
	device->handovers[map_cpu] = dms_zalloc(DMS_STATS_PAIR_CPUS * sizeof(struct dms_handover));
	return device->handovers[map_cpu];
}

bool breakdown_handover(struct dms_device_stats *device, const struct dms_mapping *mapping,
			uint32_t unmap_cpu)
{
	uint32_t map_cpu = mapping->map_cpu;
	struct dms_handover *row;

	if ((map_cpu | unmap_cpu) >= DMS_STATS_PAIR_CPUS)
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
	for (unsigned int i = 0; i < DMS_STATS_SHAPES; i++)
		dms_free(device->cells[i]);
	for (unsigned int i = 0; i < DMS_STATS_PAIR_CPUS; i++)
		dms_free(device->handovers[i]);
}

void breakdown_restart(struct dms_device_stats *device)
{
	for (unsigned int i = 0; i < DMS_STATS_SHAPES; i++) {
		if (!device->n_cells[i])
			continue;
		memset(device->cells[i], 0, device->n_cells[i] * sizeof(struct dms_cell));
	}
	for (unsigned int i = 0; i < DMS_STATS_PAIR_CPUS; i++) {
		dms_free(device->handovers[i]);
		device->handovers[i] = NULL;
	}
}

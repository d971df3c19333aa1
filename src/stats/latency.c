// SPDX-License-Identifier: LGPL-2.1-only
/*
 * Times that no single event tells: within one call, from one event to the next of its CPU and
 * task; and between calls, from the unmap of an address to its next map.
 */
#include "parts.h"

/* More CPUs than any kernel is built for: a number beyond is damage, and not worth memory. */
#define MAX_CPUS 8192

static bool holds(const struct cpu_event *before, uint64_t addr)
{
	return addr - before->addr < before->size;
}

/* What the IOMMU mapped last is the end of a list: it is looked for from there. */
static bool holds_segment(const struct cpu_event *before, const struct dms_mapping *mapping)
{
	for (uint32_t i = mapping->sg ? mapping->sg->n_segments : 1; i > 0; i--) {
		struct dms_segment segment = dms_mapping_segment(mapping, i - 1);

		/* pages of the IOMMU hold the segment, or are some of its pages */
		if (holds(before, segment.dma_addr) ||
		    before->addr - segment.dma_addr < segment.size)
			return true;
	}
	return false;
}

/* ---- within one call ----------------------------------------------------------------------- */

static bool end_map(struct dms_device_stats *device, const struct dms_step *step,
		    const struct cpu_event *before)
{
	const struct dms_mapping *mapping = step->mapping;
	uint64_t ns = step->event->ts - before->ts;

	if (!is_streaming(mapping->kind))
		return true;
	if (before->kind == DMS_EV_IOMMU_MAP && holds_segment(before, mapping))
		return stats_measure(device, DMS_DIST_IOMMU_MAP_TO_MAP, ns);
	/* the model has looked for the bounced address in the list */
	if (before->kind == DMS_EV_BOUNCE && mapping->bounced &&
	    (mapping->sg || before->addr == mapping->cpu_addr))
		return stats_measure(device, DMS_DIST_BOUNCE_TO_MAP, ns);
	return true;
}

static bool end_unmap(struct dms_device_stats *device, const struct dms_step *step,
		      const struct cpu_event *before)
{
	const struct dms_event *event = step->event;

	if (before->kind != DMS_EV_IOMMU_UNMAP || !holds(before, event->dma_addr) ||
	    (event->kind != DMS_EV_UNMAP && event->kind != DMS_EV_UNMAP_RESOURCE))
		return true;
	return stats_measure(device, DMS_DIST_IOMMU_UNMAP_TO_UNMAP, event->ts - before->ts);
}

static bool end_lookup(struct dms_stats *stats, const struct dms_event *event,
		       const struct cpu_event *before)
{
	if (before->kind != DMS_EV_UNMAP_SG || event->kind != DMS_EV_IOMMU_UNMAP ||
	    (before->addr - event->dma_addr >= event->size && !holds(before, event->dma_addr)))
		return true;
	return stats_measure(stats->devices[before->device], DMS_DIST_UNMAP_SG_TO_IOMMU_UNMAP,
			     event->ts - before->ts);
}

/* Which events a latency may begin with; those of other kinds only stand between. */
static const bool begins[DMS_EV_N_KINDS] = {
	[DMS_EV_BOUNCE] = true,
	[DMS_EV_IOMMU_MAP] = true,
	[DMS_EV_IOMMU_UNMAP] = true,
	[DMS_EV_UNMAP_SG] = true,
};

static void keep(struct cpu_event *kept, const struct dms_step *step)
{
	const struct dms_event *event = step->event;

	kept->ts = event->ts;
	kept->kind = DMS_EV_NONE;
	if (!begins[event->kind])
		return;
	kept->kind = event->kind;
	kept->pid = event->pid;
	kept->addr = event->kind == DMS_EV_BOUNCE ? event->phys_addr : event->dma_addr;
	kept->size = event->size;
	if (event->kind != DMS_EV_UNMAP_SG)
		return;
	/* its own event names the entries, not where the IOMMU has them */
	if (step->kind != DMS_STEP_UNMAP || !step->device)
		kept->kind = DMS_EV_NONE;
	kept->addr = step->mapping ? step->mapping->dma_addr : 0;
	kept->size = step->mapping ? step->mapping->size : 0;
	kept->device = step->device ? step->device->index : 0;
}

/*
 * Where neither IOMMU nor swiotlb is heard of, nothing is worth keeping: a list's unmap may begin
 * something from their first event on. Then all events of dma, swiotlb and iommu stand between;
 * other steps are told beside them.
 */
#define FIRST_STEPS (DMS_BIT(DMS_STEP_BOUNCE) | DMS_BIT(DMS_STEP_IOMMU))
#define ALL_STEPS                                                                                  \
	(FIRST_STEPS | DMS_BIT(DMS_STEP_MAP) | DMS_BIT(DMS_STEP_MAP_FAILED) |                      \
	 DMS_BIT(DMS_STEP_UNMAP) | DMS_BIT(DMS_STEP_UNMAP_UNMATCHED) |                             \
	 DMS_BIT(DMS_STEP_FREE_NULL) | DMS_BIT(DMS_STEP_SYNC) | DMS_BIT(DMS_STEP_SYNC_UNMATCHED) | \
	 DMS_BIT(DMS_STEP_FAULT) | DMS_BIT(DMS_STEP_GAP))

void latency_init(struct latencies *latencies)
{
	latencies->steps = FIRST_STEPS;
}

_apart_ static bool add_cpu(struct latencies *latencies, uint32_t cpu)
{
	latencies->steps = ALL_STEPS;
	return dms_grow(&latencies->cpus, &latencies->n_cpus, (size_t)cpu + 1,
			sizeof(*latencies->cpus));
}

/* What was lost on a CPU may have stood between. */
static void forget(struct latencies *latencies, const struct dms_gap *gap)
{
	if (gap && gap->cpu < latencies->n_cpus)
		latencies->cpus[gap->cpu].kind = DMS_EV_NONE;
}

static bool end(struct dms_stats *stats, struct dms_device_stats *device,
		const struct dms_step *step, const struct cpu_event *before)
{
	if (step->kind == DMS_STEP_MAP)
		return end_map(device, step, before);
	if (step->kind == DMS_STEP_UNMAP || step->kind == DMS_STEP_UNMAP_UNMATCHED)
		return end_unmap(device, step, before);
	return step->kind != DMS_STEP_IOMMU || end_lookup(stats, step->event, before);
}

_apart_ bool latency_step(struct dms_stats *stats, struct dms_device_stats *device,
		  const struct dms_step *step)
{
	const struct dms_event *event = step->event;
	struct latencies *latencies = &stats->latencies;
	struct cpu_event *before;

	if (step->kind == DMS_STEP_GAP) {
		forget(latencies, step->gap);
		return true;
	}
	if (event->is_other_clock || event->cpu >= MAX_CPUS)
		return true;
	if (event->cpu >= latencies->n_cpus && !add_cpu(latencies, event->cpu))
		return false;
	before = &latencies->cpus[event->cpu];
	if (event->ts < before->ts)
		return true; /* told late: its time is over */
	if (before->kind && before->pid == event->pid && !end(stats, device, step, before))
		return false;
	keep(before, step);
	return true;
}

/* ---- between calls ------------------------------------------------------------------------- */

/* So many are measured of each device; then one address in 16 is enough. */
#define ALL_REUSES (1u << 14)
#define FEW_LIMIT  (UINT64_MAX >> 4) /* of reuse_hash(), whose upper bits are the best mixed */

/* By the bits below those FEW_LIMIT looks at: with it the others are the same for all. */
static uint32_t slot_of(uint64_t dma_addr)
{
	return (uint32_t)(reuse_hash(dma_addr) >> 32) % DMS_STATS_REUSE_SLOTS;
}

/* The first unmap: most of many devices may never see one. */
_apart_ static bool begin_reuse(struct dms_device_stats *device)
{
	if (!device->histograms[DMS_DIST_REUSE] && !stats_begin_histogram(device, DMS_DIST_REUSE))
		return false;
	device->reuse = dms_zalloc(sizeof(*device->reuse));
	return device->reuse;
}

void reuse_end(struct dms_device_stats *device, uint64_t dma_addr, uint64_t ts)
{
	uint32_t slot = slot_of(dma_addr);

	if (!device->reuse || device->reuse->slots[slot].key != dma_addr + 1 || !(dma_addr + 1))
		return;
	if (++device->n_reused == ALL_REUSES)
		device->reuse_limit = FEW_LIMIT;
	device->reuse->slots[slot].key = 0; /* the next map only */
	dms_histogram_add(device->histograms[DMS_DIST_REUSE],
			  stats_less(ts, device->reuse->slots[slot].unmap_ts));
}

bool reuse_begin(struct dms_device_stats *device, uint64_t dma_addr, uint64_t ts)
{
	uint32_t slot = slot_of(dma_addr);

	if (!device->reuse && !begin_reuse(device))
		return false;
	device->reuse->slots[slot].key = dma_addr + 1;
	device->reuse->slots[slot].unmap_ts = ts;
	return true;
}

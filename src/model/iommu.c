// SPDX-License-Identifier: LGPL-2.1-only
/*
 * IOMMU mappings that no DMA-API call explains. iommu:map comes inside the call, on its CPU and
 * task, before the call's own event; what is left over went through the IOVA API, which has no
 * events (kernel-dma.md section 1.3): measured, and named as not covered.
 */
#include "state.h"

static void count(struct dms_model *model, struct pending_iova *pending)
{
	model->uncovered.iommu_maps++;
	model->uncovered.iommu_bytes += pending->size;
	pending->is_set = false;
	model->n_iovas--;
}

void iommu_note_map(struct dms_model *model, const struct dms_event *event)
{
	struct pending_iova *pending = &model->iovas[model->next_iova++ % PENDING_IOVAS];

	if (pending->is_set)
		count(model, pending); /* 256 later ones, and still no call claimed it */
	*pending = (struct pending_iova){
		.iova = event->dma_addr,
		.size = event->size,
		.ts = event->ts,
		.cpu = event->cpu,
		.pid = event->pid,
		.is_set = true,
		.phys_addr = (event->has & DMS_HAS_PHYS_ADDR) ? event->phys_addr : UINT64_MAX,
	};
	model->n_iovas++;
}

/* IOMMU ranges are rounded to granules: they contain the call's range, or lie inside of it. */
static bool overlap(const struct pending_iova *pending, const struct dms_segment *range)
{
	return pending->iova - range->dma_addr < range->size ||
	       range->dma_addr - pending->iova < pending->size;
}

/* Return: what the IOMMU mapped where @range begins; NULL: nothing that is known of. */
static const struct pending_iova *cover(struct dms_model *model, const struct dms_event *event,
					const struct dms_segment *range)
{
	for (uint32_t i = 1; model->n_iovas && i <= PENDING_IOVAS; i++) {
		/* Newest first: the call's own map events are the last ones. */
		struct pending_iova *pending =
			&model->iovas[(model->next_iova - i) % PENDING_IOVAS];

		if (!pending->is_set || pending->cpu != event->cpu || pending->pid != event->pid)
			continue;
		if (!overlap(pending, range))
			continue;
		pending->is_set = false;
		model->n_iovas--;
		if (range->dma_addr - pending->iova < pending->size)
			return pending; /* nothing before it is left to find */
	}
	return NULL;
}

/* The same call, though an emulated machine is slow. */
#define CALL_NS 10000000ull
#define PAGE	4096ull
#define MAX_ROUNDING (2 * 65536ull)

/*
 * Is it this memory that was mapped there? A task may have mapped a guest's memory before (vfio),
 * whose addresses are those of anybody. Of allocations and bounce buffers the memory is not told.
 */
static bool is_translation(const struct pending_iova *pending, const struct dms_event *event,
			   const struct dms_mapping *mapping)
{
	uint64_t offset = mapping->dma_addr - pending->iova;

	if (pending->phys_addr == pending->iova)
		return false; /* a reserved region, for who needs it untranslated */
	if (pending->phys_addr != UINT64_MAX && !mapping->bounced &&
	    (mapping->has & (DMS_HAS_PHYS_ADDR | DMS_HAS_PHYS_LIST)))
		return (pending->phys_addr + offset) / PAGE == mapping->cpu_addr / PAGE;
	/* a guest's memory is larger than what a call maps, rounded to pages of up to 64 KiB */
	return event->ts - pending->ts <= CALL_NS && pending->size < mapping->size + MAX_ROUNDING;
}

_apart_ bool iommu_cover(struct dms_model *model, const struct dms_event *event,
		 const struct dms_mapping *mapping)
{
	uint32_t n = mapping->sg ? mapping->sg->n_segments : 1;
	bool is_translated = false;

	for (uint32_t i = 0; i < n; i++) {
		struct dms_segment range = dms_mapping_segment(mapping, i);
		const struct pending_iova *pending = cover(model, event, &range);

		if (!i && pending)
			is_translated = is_translation(pending, event, mapping);
	}
	return is_translated;
}

void iommu_flush(struct dms_model *model)
{
	for (uint32_t i = 0; i < PENDING_IOVAS; i++) {
		if (model->iovas[i].is_set)
			count(model, &model->iovas[i]);
	}
}

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
	};
	model->n_iovas++;
}

/* IOMMU ranges are rounded to granules: they contain the call's range, or lie inside of it. */
static bool overlap(const struct pending_iova *pending, const struct dms_segment *range)
{
	return pending->iova - range->dma_addr < range->size ||
	       range->dma_addr - pending->iova < pending->size;
}

void iommu_cover(struct dms_model *model, const struct dms_event *event,
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
			break; /* it holds the start: nothing before it is left to find */
	}
}

void iommu_flush(struct dms_model *model)
{
	for (uint32_t i = 0; i < PENDING_IOVAS; i++) {
		if (model->iovas[i].is_set)
			count(model, &model->iovas[i]);
	}
}

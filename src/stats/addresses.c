// SPDX-License-Identifier: LGPL-2.1-only
/* Where the DMA addresses of a device lie: the lowest and the highest it was given. */
#include "parts.h"

void addresses_init(struct dms_device_stats *device)
{
	device->iova_low = UINT64_MAX;
	device->iova_high = 0;
}

static void widen(struct dms_device_stats *device, uint64_t addr, uint64_t size)
{
	uint64_t last = addr + size - 1;

	if (!size || last < addr)
		return; /* damage: no memory ends behind its last address */
	if (addr < device->iova_low)
		device->iova_low = addr;
	if (last > device->iova_high)
		device->iova_high = last;
}

_apart_ static void note_new(struct dms_device_stats *device, const struct dms_mapping *mapping)
{
	if (!(mapping->has & (DMS_HAS_DMA_ADDR | DMS_HAS_DMA_LIST)))
		return;
	if (!mapping->sg)
		widen(device, mapping->dma_addr, mapping->size);
	for (uint32_t i = 0; mapping->sg && i < mapping->sg->n_segments; i++) {
		struct dms_segment segment = dms_mapping_segment(mapping, i);

		widen(device, segment.dma_addr, segment.size);
	}
}

/* Nearly all lie where others lay: then it does not matter whether they are known, or damaged. */
static bool is_inside(const struct dms_device_stats *device, uint64_t first, uint64_t last)
{
	return first >= device->iova_low && last <= device->iova_high;
}

void addresses_note(struct dms_device_stats *device, const struct dms_mapping *mapping)
{
	if (!is_inside(device, mapping->dma_addr, mapping->dma_addr + mapping->size - 1))
		note_new(device, mapping);
}

void addresses_note_list(struct dms_device_stats *device, const struct dms_mapping *mapping)
{
	uint64_t low = UINT64_MAX, high = 0;

	for (uint32_t i = 0, n = mapping->sg->n_segments; i < n; i++) {
		struct dms_segment segment = dms_mapping_segment(mapping, i);
		uint64_t last = segment.dma_addr + segment.size - 1;

		low = segment.dma_addr < low ? segment.dma_addr : low;
		high = last > high ? last : high;
	}
	if (!is_inside(device, low, high))
		note_new(device, mapping);
}

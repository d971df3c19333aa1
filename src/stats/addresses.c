// SPDX-License-Identifier: LGPL-2.1-only
/* Where the DMA addresses of a device lie: the lowest and the highest it was given. */
#include "parts.h"

void addresses_init(struct dms_device_stats *device)
{
	device->iova_low = UINT64_MAX;
	device->iova_high = 0;
}

/* Damage is left out: no memory ends behind its last address. */
static void add(uint64_t addr, uint64_t size, uint64_t *low, uint64_t *high)
{
	uint64_t last = addr + (size - 1);

	if (!size || last < addr)
		return;
	if (addr < *low)
		*low = addr;
	if (last > *high)
		*high = last;
}

void addresses_of(const struct dms_mapping *mapping, uint64_t *ret_low, uint64_t *ret_high)
{
	uint64_t low = UINT64_MAX, high = 0;
	bool is_known = mapping->has & (DMS_HAS_DMA_ADDR | DMS_HAS_DMA_LIST);

	if (is_known && !mapping->sg)
		add(mapping->dma_addr, mapping->size, &low, &high);
	for (uint32_t i = 0; is_known && mapping->sg && i < mapping->sg->n_segments; i++) {
		struct dms_segment segment = dms_mapping_segment(mapping, i);

		add(segment.dma_addr, segment.size, &low, &high);
	}
	*ret_low = low;
	*ret_high = high;
}

void addresses_widen(struct dms_device_stats *device, uint64_t low, uint64_t high)
{
	if (low < device->iova_low)
		device->iova_low = low;
	if (high > device->iova_high)
		device->iova_high = high;
}

_apart_ void addresses_use_new(struct dms_device_stats *device, const struct dms_mapping *mapping)
{
	uint64_t low, high;

	addresses_of(mapping, &low, &high);
	addresses_widen(device, low, high);
}

void addresses_use_list(struct dms_device_stats *device, const struct dms_mapping *mapping)
{
	uint64_t low = UINT64_MAX, high = 0;

	for (uint32_t i = 0, n = mapping->sg->n_segments; i < n; i++) {
		struct dms_segment segment = dms_mapping_segment(mapping, i);
		uint64_t last = segment.dma_addr + segment.size - 1;

		low = segment.dma_addr < low ? segment.dma_addr : low;
		high = last > high ? last : high;
	}
	if (!addresses_are_inside(device, low, high))
		addresses_use_new(device, mapping);
}

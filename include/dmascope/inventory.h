/* SPDX-License-Identifier: LGPL-2.1-only */
/* The device inventory: what a side file tells of devices. Format: dmascope-inventory(5). */
#ifndef DMASCOPE_INVENTORY_H
#define DMASCOPE_INVENTORY_H

#include <dmascope/base.h>

/** One device. Strings are borrowed from the inventory; NULL: not told. */
struct dms_inventory_device {
	const char *name;		/* dev_name() */
	const char *driver;		/* NULL: none is bound */
	const char *bus;
	const char *iommu_type;		/* "DMA", "identity", ... */
	int32_t iommu_group;		/* -1: not told */
	int8_t coherent;		/* 0 or 1; -1: not told */
	uint8_t dma_mask_bits;		/* 1 to 64; 0: not told */
	uint8_t coherent_dma_mask_bits; /* the same */
	uint64_t max_segment_bytes;	/* dma_get_max_seg_size(); 0: not told */
	uint64_t segment_boundary;	/* dma_get_seg_boundary(), a mask; 0: not told */
	uint32_t line;			/* where it stands, from 1; 0: in the trace */
	bool is_ambiguous;		/* devices of several buses have this name */
};

struct dms_inventory;

/**
 * Parse @text, @size bytes; it is not needed afterwards.
 * Errors: DMS_ERROR_INPUT, with the number of the line; memory.
 */
struct dms_error *dms_inventory_create(const char *text, size_t size, struct dms_inventory **ret);
/** As above, from the file @path. Errors: also if it cannot be read or is too large. */
struct dms_error *dms_inventory_read(const char *path, struct dms_inventory **ret);
void dms_inventory_destroy(struct dms_inventory *inventory);

/** What a text written to trace_marker begins with if a line of an inventory follows. */
#define DMS_INVENTORY_MARKER "dmascope-inventory: "
/**
 * Add the line @text, @size bytes, with or without its newline: one that the trace itself holds.
 * It replaces an earlier such line of the device; what was told by dms_inventory_create() stands.
 * Pointers that dms_inventory_find() gave are invalid afterwards; strings stay.
 * Errors: DMS_ERROR_INPUT if malformed, or there are too many; memory. Nothing is changed then.
 */
struct dms_error *dms_inventory_add_line(struct dms_inventory *inventory, const char *text,
					 size_t size);

/**
 * The device called @name, borrowed; NULL if @inventory is NULL or tells nothing of it, or if
 * several devices have the name: a trace does not tell which of them it means.
 */
const struct dms_inventory_device *dms_inventory_find(const struct dms_inventory *inventory,
						      const char *name);
/** How many devices it tells of, and device @index of them, sorted by name and bus; borrowed. */
uint32_t dms_inventory_count(const struct dms_inventory *inventory);
const struct dms_inventory_device *dms_inventory_at(const struct dms_inventory *inventory,
						    uint32_t index);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What side files tell of the traced machine: its memory map, and what was mapped before. */
#ifndef DMASCOPE_MACHINE_H
#define DMASCOPE_MACHINE_H

#include <dmascope/base.h>

/** What a physical address is, by /proc/iomem; the later, the worse to map. */
enum dms_area {
	DMS_AREA_UNKNOWN, /* no /proc/iomem was given, or it hides its addresses */
	DMS_AREA_RAM,	  /* System RAM, and none of those below */
	DMS_AREA_DEVICE,  /* a resource of a device or of firmware */
	DMS_AREA_NONE,	  /* in no line at all */
	DMS_AREA_TEXT,	  /* Kernel code */
	DMS_AREA_RODATA,  /* Kernel rodata */
};

/** The memory map of a machine. */
struct dms_iomem;
/**
 * Parse @text (/proc/iomem: "START-END : NAME" in hexadecimal, nested by two blanks a level).
 * Errors: DMS_ERROR_INPUT, with the line; a file whose addresses are all 0 (not read as root).
 */
struct dms_error *dms_iomem_create(const char *text, size_t size, struct dms_iomem **ret);
/** As above, from the file @path. */
struct dms_error *dms_iomem_read(const char *path, struct dms_iomem **ret);
void dms_iomem_destroy(struct dms_iomem *iomem);
/** The worst area that [@addr, @addr + @size) touches; UNKNOWN if @iomem is NULL. */
enum dms_area dms_iomem_area(const struct dms_iomem *iomem, uint64_t addr, uint64_t size);

/** One line of debugfs dma-api/dump. Strings are borrowed for the callback. */
struct dms_dump_entry {
	const char *driver, *device;
	const char *type;	/* "single", "phy", "scatter-gather", "coherent", "noncoherent", ... */
	uint64_t phys_addr, dma_addr, size;
	uint64_t attrs;		/* 7.2; 0 before */
	uint8_t dir;		/* enum dms_dir */
	bool is_checked;	/* "dma map error checked" */
	bool is_unchecked;	/* "dma map error not checked" */
};
/**
 * Read the dump @path and give each entry to @take, in the file's order.
 * Errors: unreadable; a line that is none, with its number; those of @take.
 */
struct dms_error *dms_dump_read(const char *path,
				struct dms_error *(*take)(void *context,
							  const struct dms_dump_entry *entry),
				void *context);

#endif

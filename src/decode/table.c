// SPDX-License-Identifier: LGPL-2.1-only
/*
 * One row per tracepoint spelling. A new kernel's event is a new row, never a new if.
 * Source: include/trace/events/{dma,swiotlb,iommu}.h of Linux 6.12 to 7.2; kernel-dma.md 1 and 2.
 */
#include <stdio.h>

#include "table.h"

#define AT(member)   offsetof(struct dms_event, member)
#define FIELDS(rows) rows, DMS_ARRAY_SIZE(rows)
#define REQUIRED     true
#define OPTIONAL     false

const struct field_row common_fields[] = {
	{"common_pid", FIELD_U32, AT(pid), 0, OPTIONAL},
	{"common_flags", FIELD_U8, AT(common_flags), 0, OPTIONAL},
	{"common_preempt_count", FIELD_U8, AT(preempt_count), 0, OPTIONAL},
};
const size_t n_common_fields = DMS_ARRAY_SIZE(common_fields);

/* clang-format off */
#define ROW_DEVICE { "device", FIELD_NAME, AT(device), DMS_HAS_DEVICE, REQUIRED }
#define ROW_SIZE   { "size",   FIELD_U64,  AT(size),   DMS_HAS_SIZE,   REQUIRED }
#define ROW_DIR	   { "dir",    FIELD_DIR,  AT(dir),    DMS_HAS_DIR,    OPTIONAL }
#define ROW_ATTRS  { "attrs",  FIELD_U64,  AT(attrs),  DMS_HAS_ATTRS,  OPTIONAL }

static const struct field_row map_fields[] = {
	ROW_DEVICE,
	{ "dma_addr",	 FIELD_U64,	AT(dma_addr),	DMS_HAS_DMA_ADDR,  REQUIRED },
	{ "phys_addr",	 FIELD_U64,	AT(phys_addr),	DMS_HAS_PHYS_ADDR, OPTIONAL },
	ROW_SIZE, ROW_DIR, ROW_ATTRS,
};
static const struct field_row unmap_fields[] = {
	ROW_DEVICE,
	{ "addr",	 FIELD_U64,	AT(dma_addr),	DMS_HAS_DMA_ADDR,  REQUIRED },
	ROW_SIZE, ROW_DIR, ROW_ATTRS,
};
/* dma_alloc*, dma_free*. 6.12-rc1 to -rc4 gave phys_addr in place of virt_addr. */
static const struct field_row alloc_fields[] = {
	ROW_DEVICE,
	{ "dma_addr",	 FIELD_U64,	AT(dma_addr),	DMS_HAS_DMA_ADDR,  REQUIRED },
	{ "virt_addr",	 FIELD_U64,	AT(virt_addr),	DMS_HAS_VIRT_ADDR, OPTIONAL },
	{ "virt_addr_hash", FIELD_U64,	AT(virt_addr),	DMS_HAS_VIRT_ADDR | DMS_HAS_HASH, OPTIONAL },
	{ "phys_addr",	 FIELD_U64,	AT(phys_addr),	DMS_HAS_PHYS_ADDR, OPTIONAL },
	{ "flags",	 FIELD_U32,	AT(gfp),	DMS_HAS_GFP,	   OPTIONAL },
	ROW_SIZE, ROW_DIR, ROW_ATTRS,
};
static const struct field_row sgt_fields[] = {
	ROW_DEVICE,
	{ "phys_addrs",	 FIELD_PHYS,	0,		DMS_HAS_PHYS_LIST, OPTIONAL },
	{ "dma_addr",	 FIELD_U64,	AT(dma_addr),	DMS_HAS_DMA_ADDR,  REQUIRED },
	{ "flags",	 FIELD_U32,	AT(gfp),	DMS_HAS_GFP,	   OPTIONAL },
	ROW_SIZE, ROW_DIR, ROW_ATTRS,
};
/* full_*, truncated: 6.12.74, 6.18.12, 7.0 and later */
static const struct field_row map_sg_fields[] = {
	ROW_DEVICE,
	{ "phys_addrs",	 FIELD_PHYS,	0,		DMS_HAS_PHYS_LIST, REQUIRED },
	{ "dma_addrs",	 FIELD_DMA,	0,		DMS_HAS_DMA_LIST,  REQUIRED },
	{ "lengths",	 FIELD_LENGTHS, 0,		DMS_HAS_LENGTHS,   REQUIRED },
	{ "full_nents",	 FIELD_U32,	AT(nents),	DMS_HAS_NENTS,	   OPTIONAL },
	{ "full_ents",	 FIELD_U32,	AT(ents),	DMS_HAS_NENTS,	   OPTIONAL },
	{ "truncated",	 FIELD_BOOL,	AT(truncated),	0,		   OPTIONAL },
	ROW_DIR, ROW_ATTRS,
};
static const struct field_row map_sg_err_fields[] = {
	ROW_DEVICE,
	{ "phys_addrs",	 FIELD_PHYS,	0,		DMS_HAS_PHYS_LIST, OPTIONAL },
	{ "err",	 FIELD_U32,	AT(err),	DMS_HAS_ERR,	   OPTIONAL },
	ROW_DIR, ROW_ATTRS,
};
/* "addrs" are CPU physical addresses, whatever the name says */
static const struct field_row unmap_sg_fields[] = {
	ROW_DEVICE,
	{ "addrs",	 FIELD_PHYS,	0,		DMS_HAS_PHYS_LIST, REQUIRED },
	ROW_DIR, ROW_ATTRS,
};
static const struct field_row sync_fields[] = {
	ROW_DEVICE,
	{ "dma_addr",	 FIELD_U64,	AT(dma_addr),	DMS_HAS_DMA_ADDR,  REQUIRED },
	ROW_SIZE, ROW_DIR,
};
static const struct field_row sync_sg_fields[] = {
	ROW_DEVICE,
	{ "dma_addrs",	 FIELD_DMA,	0,		DMS_HAS_DMA_LIST,  REQUIRED },
	{ "lengths",	 FIELD_LENGTHS, 0,		DMS_HAS_LENGTHS,   REQUIRED },
	ROW_DIR,
};
/* dev_addr is the original buffer's address, never the bounce slot's */
static const struct field_row bounce_fields[] = {
	{ "dev_name",	 FIELD_NAME,	AT(device),	DMS_HAS_DEVICE,	   REQUIRED },
	{ "dev_addr",	 FIELD_U64,	AT(phys_addr),	DMS_HAS_PHYS_ADDR, REQUIRED },
	{ "dma_mask",	 FIELD_U64,	AT(dma_mask),	DMS_HAS_DMA_MASK,  OPTIONAL },
	{ "force",	 FIELD_BOOL,	AT(force),	0,		   OPTIONAL },
	ROW_SIZE,
};
static const struct field_row iommu_map_fields[] = {
	{ "iova",	 FIELD_U64,	AT(dma_addr),	DMS_HAS_DMA_ADDR,  REQUIRED },
	{ "paddr",	 FIELD_U64,	AT(phys_addr),	DMS_HAS_PHYS_ADDR, OPTIONAL },
	ROW_SIZE,
};
static const struct field_row iommu_unmap_fields[] = {
	{ "iova",	 FIELD_U64,	AT(dma_addr),	DMS_HAS_DMA_ADDR,  REQUIRED },
	{ "unmapped_size", FIELD_U64,	AT(phys_addr),	DMS_HAS_UNMAPPED,  OPTIONAL },
	ROW_SIZE,
};
static const struct field_row fault_fields[] = {
	ROW_DEVICE,
	{ "driver",	 FIELD_NAME,	AT(driver),	0,		   OPTIONAL },
	{ "iova",	 FIELD_U64,	AT(dma_addr),	DMS_HAS_DMA_ADDR,  REQUIRED },
	{ "flags",	 FIELD_U32,	AT(err),	DMS_HAS_ERR,	   OPTIONAL },
};
static const struct field_row group_fields[] = {
	ROW_DEVICE,
	{ "gid",	 FIELD_U32,	AT(err),	DMS_HAS_ERR,	   OPTIONAL },
};
/* what it says of the resource is op: a pointer, see caller_by_stack() */
static const struct field_row devres_fields[] = {
	{ "devname",	 FIELD_NAME,	AT(device),	DMS_HAS_DEVICE,	   REQUIRED },
};
static const struct field_row module_fields[] = {
	{ "name",	 FIELD_NAME,	AT(driver),	0,		   REQUIRED },
};
/* page frame number and order: finish.c makes bytes of them */
static const struct field_row page_free_fields[] = {
	{ "pfn",	 FIELD_U64,	AT(phys_addr),	DMS_HAS_PHYS_ADDR, REQUIRED },
	{ "order",	 FIELD_U64,	AT(size),	DMS_HAS_SIZE,	   OPTIONAL },
};
static const struct field_row page_pool_fields[] = {
	{ "pfn",	 FIELD_U64,	AT(phys_addr),	DMS_HAS_PHYS_ADDR, REQUIRED },
};
static const struct field_row print_fields[] = {
	{ "buf",	 FIELD_TEXT,	0,		0,		   REQUIRED },
};
static const struct field_row console_fields[] = {
	{ "msg",	 FIELD_TEXT,	0,		0,		   REQUIRED },
};

const struct event_row event_table[] = {
	/* system    tracepoint			  kind			     fields */
	{ "dma",     "dma_map_page",		  DMS_EV_MAP,		     FIELDS(map_fields) },
	{ "dma",     "dma_map_phys",		  DMS_EV_MAP,		     FIELDS(map_fields) },
	{ "dma",     "dma_map_resource",	  DMS_EV_MAP_RESOURCE,	     FIELDS(map_fields) },
	{ "dma",     "dma_map_sg",		  DMS_EV_MAP_SG,	     FIELDS(map_sg_fields) },
	{ "dma",     "dma_map_sg_err",		  DMS_EV_MAP_SG_ERR,	     FIELDS(map_sg_err_fields) },
	{ "dma",     "dma_unmap_page",		  DMS_EV_UNMAP,		     FIELDS(unmap_fields) },
	{ "dma",     "dma_unmap_phys",		  DMS_EV_UNMAP,		     FIELDS(unmap_fields) },
	{ "dma",     "dma_unmap_resource",	  DMS_EV_UNMAP_RESOURCE,     FIELDS(unmap_fields) },
	{ "dma",     "dma_unmap_sg",		  DMS_EV_UNMAP_SG,	     FIELDS(unmap_sg_fields) },
	{ "dma",     "dma_alloc",		  DMS_EV_ALLOC,		     FIELDS(alloc_fields) },
	{ "dma",     "dma_alloc_pages",		  DMS_EV_ALLOC_PAGES,	     FIELDS(alloc_fields) },
	{ "dma",     "dma_alloc_sgt",		  DMS_EV_ALLOC_SGT,	     FIELDS(sgt_fields) },
	{ "dma",     "dma_alloc_sgt_err",	  DMS_EV_ALLOC_SGT_ERR,	     FIELDS(alloc_fields) },
	{ "dma",     "dma_free",		  DMS_EV_FREE,		     FIELDS(alloc_fields) },
	{ "dma",     "dma_free_pages",		  DMS_EV_FREE_PAGES,	     FIELDS(alloc_fields) },
	{ "dma",     "dma_free_sgt",		  DMS_EV_FREE_SGT,	     FIELDS(sgt_fields) },
	{ "dma",     "dma_sync_single_for_cpu",	  DMS_EV_SYNC_FOR_CPU,	     FIELDS(sync_fields) },
	{ "dma",     "dma_sync_single_for_device", DMS_EV_SYNC_FOR_DEVICE,   FIELDS(sync_fields) },
	{ "dma",     "dma_sync_sg_for_cpu",	  DMS_EV_SYNC_SG_FOR_CPU,    FIELDS(sync_sg_fields) },
	{ "dma",     "dma_sync_sg_for_device",	  DMS_EV_SYNC_SG_FOR_DEVICE, FIELDS(sync_sg_fields) },
	{ "swiotlb", "swiotlb_bounced",		  DMS_EV_BOUNCE,	     FIELDS(bounce_fields) },
	{ "iommu",   "map",			  DMS_EV_IOMMU_MAP,	     FIELDS(iommu_map_fields) },
	{ "iommu",   "unmap",			  DMS_EV_IOMMU_UNMAP,	     FIELDS(iommu_unmap_fields) },
	{ "iommu",   "io_page_fault",		  DMS_EV_IOMMU_FAULT,	     FIELDS(fault_fields) },
	{ "iommu",   "add_device_to_group",	  DMS_EV_IOMMU_GROUP_ADD,    FIELDS(group_fields) },
	{ "iommu",   "remove_device_from_group",  DMS_EV_IOMMU_GROUP_REMOVE, FIELDS(group_fields) },
	{ "iommu",   "attach_device_to_domain",	  DMS_EV_IOMMU_ATTACH,	     FIELDS(group_fields) },
	{ "dev",     "devres_log",		  DMS_EV_DEVRES,	     FIELDS(devres_fields) },
	{ "module",  "module_load",		  DMS_EV_MODULE_LOAD,	     FIELDS(module_fields) },
	{ "module",  "module_free",		  DMS_EV_MODULE_FREE,	     FIELDS(module_fields) },
	{ "kmem",    "mm_page_free",		  DMS_EV_PAGE_FREE,	     FIELDS(page_free_fields) },
	{ "kmem",    "mm_page_free_batched",	  DMS_EV_PAGE_FREE,	     FIELDS(page_free_fields) },
	{ "page_pool", "page_pool_state_hold",	  DMS_EV_PAGE_POOL_HOLD,     FIELDS(page_pool_fields) },
	{ "page_pool", "page_pool_state_release", DMS_EV_PAGE_POOL_RELEASE,  FIELDS(page_pool_fields) },
	{ "ftrace",  "print",			  DMS_EV_MARKER,	     FIELDS(print_fields) },
	{ "printk",  "console",			  DMS_EV_CONSOLE,	     FIELDS(console_fields) },
};
const size_t n_event_rows = DMS_ARRAY_SIZE(event_table);
/* clang-format on */

/*
 * dma_alloc, dma_alloc_pages and dma_alloc_sgt_err have a dir field that nobody assigned from
 * 6.13 to 6.17 and in the backports 6.12.48 to 6.12.53 (kernel-dma.md section 2). The field is
 * there and holds stack memory, so here, and only here, the release must be asked.
 */
bool alloc_dir_is_garbage(const char *release)
{
	unsigned int major, minor, patch = 0;

	if (!release || sscanf(release, "%u.%u.%u", &major, &minor, &patch) < 2)
		return false;
	if (major != 6)
		return false;
	return (minor >= 13 && minor <= 17) || (minor == 12 && patch >= 48 && patch <= 53);
}

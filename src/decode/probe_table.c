// SPDX-License-Identifier: LGPL-2.1-only
/*
 * One row per probed function, and the names its arguments may have been given. Source of the
 * prototypes: include/linux/{dma-mapping,dmapool,kobject}.h and drivers/base/dd.c of Linux 6.12
 * to 7.2; kernel-dma.md 3.1. Users name arguments as they like: these are the names of the
 * documentation, of `$arg*` (the function's own parameter names) and "argN" (unnamed ones).
 */
#include "probe.h"

#define AT(member)   offsetof(struct dms_event, member)
#define FIELDS(rows) rows, DMS_ARRAY_SIZE(rows)
#define REQUIRED     true
#define OPTIONAL     false

/* clang-format off */
#define NAME(spelling)	  { spelling, FIELD_PROBE_NAME, AT(device), DMS_HAS_DEVICE, OPTIONAL }
#define POINTER(spelling) { spelling, FIELD_U64, AT(virt_addr), DMS_HAS_POINTER, OPTIONAL }
/* A string, else a pointer: which of the two it is, is the field's type. */
#define ROW_NAMES    NAME("device"), NAME("dev_name"), NAME("devname"), NAME("name"), NAME("dev"), \
		     NAME("kobj")
#define ROW_DEVICE   ROW_NAMES, POINTER("dev"), POINTER("device")
#define ROW_DEVICE_1 ROW_NAMES, NAME("arg1"), POINTER("dev"), POINTER("device"), POINTER("kobj"), \
		     POINTER("arg1")
#define DMA(spelling, required) \
	{ spelling, FIELD_U64, AT(dma_addr), DMS_HAS_DMA_ADDR, required }
#define MASK(spelling, required) \
	{ spelling, FIELD_U64, AT(dma_mask), DMS_HAS_DMA_MASK, required }
/* A number; what tells functions apart is made of it later. */
#define RETURNED(spelling, type, required) \
	{ spelling, type, AT(err), DMS_HAS_ERR, required }
#define ROW_RETURNED RETURNED("ret", FIELD_S32, OPTIONAL), RETURNED("retval", FIELD_S32, OPTIONAL), \
		     RETURNED("rc", FIELD_S32, OPTIONAL), RETURNED("arg1", FIELD_S32, REQUIRED)
#define COUNTED(spelling, required) \
	{ spelling, FIELD_S32, AT(ents), DMS_HAS_NENTS, required }
/* The caller waits in phys_addr; see finish_check(). */
#define CALLER(spelling) { spelling, FIELD_U64, AT(phys_addr), DMS_HAS_CALLER, OPTIONAL }
#define CALLER_TEXT(spelling) { spelling, FIELD_TEXT, 0, DMS_HAS_CALLER, OPTIONAL }
#define POOL(spelling)	 { spelling, FIELD_U64, AT(phys_addr), 0, OPTIONAL }

/* debug_dma_mapping_error(dev, dma_addr) */
static const struct field_row check_fields[] = {
	ROW_DEVICE_1,
	DMA("dma_addr", OPTIONAL), DMA("addr", OPTIONAL), DMA("dma", OPTIONAL),
	DMA("handle", OPTIONAL), DMA("arg2", REQUIRED),
	CALLER_TEXT("caller"), CALLER("caller"), CALLER("stack0"), CALLER("arg3"),
};
/* Its own return address is the caller; before 6.9 a return probe sees no arguments. */
static const struct field_row check_return_fields[] = {
	ROW_DEVICE,
	DMA("dma_addr", OPTIONAL), DMA("addr", OPTIONAL), DMA("dma", OPTIONAL),
	DMA("handle", REQUIRED),
	CALLER_TEXT("caller"), CALLER("__probe_ret_ip"),
};
/* dma_set_mask(dev, mask), dma_set_coherent_mask(dev, mask) */
static const struct field_row mask_fields[] = {
	ROW_DEVICE_1,
	MASK("mask", OPTIONAL), MASK("dma_mask", OPTIONAL), MASK("arg2", REQUIRED),
};
static const struct field_row mask_return_fields[] = {
	ROW_DEVICE,
	MASK("mask", OPTIONAL), MASK("dma_mask", REQUIRED),
	ROW_RETURNED,
};
/* dma_map_sgtable() returns 0 or an error, dma_map_sg_attrs() a count */
static const struct field_row sgtable_return_fields[] = {
	ROW_DEVICE,
	ROW_RETURNED,
};
static const struct field_row sg_return_fields[] = {
	ROW_DEVICE,
	COUNTED("ret", OPTIONAL), COUNTED("retval", OPTIONAL), COUNTED("rc", OPTIONAL),
	COUNTED("arg1", REQUIRED),
};
/* dma_need_unmap() is a bool: one byte counts, whatever the width */
static const struct field_row need_unmap_fields[] = {
	ROW_DEVICE,
	RETURNED("ret", FIELD_U32, OPTIONAL), RETURNED("retval", FIELD_U32, OPTIONAL),
	RETURNED("rc", FIELD_U32, OPTIONAL), RETURNED("arg1", FIELD_U32, REQUIRED),
};
/* dma_pool_create(name, dev, size, ...): "name" is the pool's */
static const struct field_row pool_create_fields[] = {
	NAME("device"), NAME("dev_name"), NAME("devname"), NAME("dev"), NAME("arg2"),
	POINTER("dev"), POINTER("device"), POINTER("arg2"),
	{ "size",	 FIELD_U64,	AT(size),	DMS_HAS_SIZE,	   OPTIONAL },
	{ "arg3",	 FIELD_U64,	AT(size),	DMS_HAS_SIZE,	   OPTIONAL },
};
/* dma_pool_alloc(pool, mem_flags, handle) */
static const struct field_row pool_alloc_fields[] = {
	NAME("device"), NAME("dev_name"), NAME("devname"), NAME("dev"),
	POOL("pool"), POOL("arg1"),
	{ "mem_flags",	 FIELD_U32,	AT(gfp),	DMS_HAS_GFP,	   OPTIONAL },
	{ "flags",	 FIELD_U32,	AT(gfp),	DMS_HAS_GFP,	   OPTIONAL },
	{ "gfp",	 FIELD_U32,	AT(gfp),	DMS_HAS_GFP,	   OPTIONAL },
	{ "arg2",	 FIELD_U32,	AT(gfp),	DMS_HAS_GFP,	   OPTIONAL },
};
/* dma_pool_free(pool, vaddr, dma) */
static const struct field_row pool_free_fields[] = {
	NAME("device"), NAME("dev_name"), NAME("devname"), NAME("dev"),
	POOL("pool"), POOL("arg1"),
	{ "vaddr",	 FIELD_U64,	AT(virt_addr),	DMS_HAS_VIRT_ADDR, OPTIONAL },
	{ "virt_addr",	 FIELD_U64,	AT(virt_addr),	DMS_HAS_VIRT_ADDR, OPTIONAL },
	{ "arg2",	 FIELD_U64,	AT(virt_addr),	DMS_HAS_VIRT_ADDR, OPTIONAL },
	DMA("dma_addr", OPTIONAL), DMA("addr", OPTIONAL), DMA("dma", OPTIONAL),
	DMA("handle", OPTIONAL), DMA("arg3", OPTIONAL),
};
static const struct field_row pool_destroy_fields[] = {
	NAME("device"), NAME("dev_name"), NAME("devname"), NAME("dev"),
	POOL("pool"), POOL("arg1"),
};
/* Any function that maps, probed for where the mapping task's stack is. */
static const struct field_row stack_page_fields[] = {
	ROW_DEVICE_1,
	{ "stack_phys",	 FIELD_U64,	AT(phys_addr),	DMS_HAS_PHYS_ADDR, OPTIONAL },
	{ "stack_page_phys", FIELD_U64, AT(phys_addr),	DMS_HAS_PHYS_ADDR, REQUIRED },
	{ "stack_size",	 FIELD_U64,	AT(size),	DMS_HAS_SIZE,	   OPTIONAL },
};
static const struct field_row bind_fields[] = {
	ROW_DEVICE_1,
};
/* kobject_uevent_env(kobj, action, envp): a device begins with its kobject */
static const struct field_row uevent_fields[] = {
	ROW_DEVICE_1,
	{ "action",	 FIELD_U32,	AT(err),	DMS_HAS_ERR,	   OPTIONAL },
	{ "arg2",	 FIELD_U32,	AT(err),	DMS_HAS_ERR,	   REQUIRED },
};

#define ENTRY  false
#define RETURN true
#define FUNCTION(name, kind, fields) { NULL, name, kind, FIELDS(fields) }

const struct probe_row probe_table[] = {
	/* function			     kind		       fields   at	our name */
	{ FUNCTION("debug_dma_mapping_error", DMS_EV_CHECK, check_fields), ENTRY, "check" },
	{ FUNCTION("debug_dma_mapping_error", DMS_EV_CHECK, check_return_fields), RETURN, NULL },
	{ FUNCTION("dma_set_mask", DMS_EV_SET_MASK, mask_fields), ENTRY, "mask" },
	{ FUNCTION("dma_set_mask", DMS_EV_SET_MASK, mask_return_fields), RETURN, "mask" },
	{ FUNCTION("dma_set_coherent_mask", DMS_EV_SET_COHERENT_MASK, mask_fields),
	  ENTRY, "coherent_mask" },
	{ FUNCTION("dma_set_coherent_mask", DMS_EV_SET_COHERENT_MASK, mask_return_fields),
	  RETURN, "coherent_mask" },
	{ FUNCTION("dma_map_sg_attrs", DMS_EV_MAP_SG_RETURN, sg_return_fields), RETURN, "map_sg" },
	{ FUNCTION("__dma_map_sg_attrs", DMS_EV_MAP_SG_RETURN, sg_return_fields), RETURN, NULL },
	{ FUNCTION("dma_map_sgtable", DMS_EV_MAP_SG_RETURN, sgtable_return_fields),
	  RETURN, "map_sgtable" },
	{ FUNCTION("dma_need_unmap", DMS_EV_NEED_UNMAP, need_unmap_fields), RETURN, "need_unmap" },
	{ FUNCTION("dma_pool_create", DMS_EV_POOL_CREATE, pool_create_fields), ENTRY, NULL },
	{ FUNCTION("dma_pool_create_node", DMS_EV_POOL_CREATE, pool_create_fields), ENTRY, NULL },
	{ FUNCTION("dma_pool_alloc", DMS_EV_POOL_ALLOC, pool_alloc_fields), ENTRY, NULL },
	{ FUNCTION("dma_pool_free", DMS_EV_POOL_FREE, pool_free_fields), ENTRY, NULL },
	{ FUNCTION("dma_pool_destroy", DMS_EV_POOL_DESTROY, pool_destroy_fields), ENTRY, NULL },
	{ FUNCTION("dma_map_page_attrs", DMS_EV_STACK_PAGE, stack_page_fields), ENTRY, "map_stack" },
	{ FUNCTION("dma_map_phys", DMS_EV_STACK_PAGE, stack_page_fields), ENTRY, "map_stack" },
	{ FUNCTION("dma_map_resource", DMS_EV_STACK_PAGE, stack_page_fields), ENTRY, NULL },
	{ FUNCTION("dma_map_sg_attrs", DMS_EV_STACK_PAGE, stack_page_fields), ENTRY, "sg_stack" },
	{ FUNCTION("dma_map_sgtable", DMS_EV_STACK_PAGE, stack_page_fields), ENTRY, "sgt_stack" },
	{ FUNCTION("__dma_map_sg_attrs", DMS_EV_STACK_PAGE, stack_page_fields), ENTRY, NULL },
	{ FUNCTION("device_release_driver_internal", DMS_EV_UNBIND_BEGIN, bind_fields), ENTRY, NULL },
	{ FUNCTION("device_release_driver_internal", DMS_EV_UNBOUND, bind_fields), RETURN, NULL },
	{ FUNCTION("__device_release_driver", DMS_EV_UNBIND_BEGIN, bind_fields), ENTRY, NULL },
	{ FUNCTION("__device_release_driver", DMS_EV_UNBOUND, bind_fields), RETURN, NULL },
	{ FUNCTION("device_unbind_cleanup", DMS_EV_UNBIND, bind_fields), ENTRY, "unbind" },
	{ FUNCTION("device_unbind_cleanup", DMS_EV_UNBOUND, bind_fields), RETURN, NULL },
	{ FUNCTION("driver_bound", DMS_EV_BOUND, bind_fields), ENTRY, "bound" },
	{ FUNCTION("kobject_uevent_env", DMS_EV_UNBOUND, uevent_fields), ENTRY, NULL },
	{ FUNCTION("kobject_uevent", DMS_EV_UNBOUND, uevent_fields), ENTRY, NULL },
};
const size_t n_probe_rows = DMS_ARRAY_SIZE(probe_table);
/* clang-format on */

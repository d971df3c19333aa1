// SPDX-License-Identifier: LGPL-2.1-only
/*
 * Probes as rows: what no tracepoint tells, and what stands in where there are no dma events.
 * Source of the prototypes: include/linux/dma-mapping.h, drivers/base/dd.c; kernel-dma.md 3.1.
 * A device's name is that of its kobject, which both begin with.
 */
#include <stddef.h>

#include "local.h"

#define DEVICE "device=+0(+0($arg1)):string"

/* A return probe may ask for arguments since Linux 6.9: the fallback is for those before. */
/* clang-format off */
const struct dms_probe dms_probes[] = {
	{ "unbind", "device_unbind_cleanup", DEVICE, NULL, NULL,
	  "when a driver lets go of its device", false, true },
	{ "mask", "dma_set_mask", DEVICE " mask=$arg2:x64", NULL, NULL,
	  "DMA masks set while recording", false, true },
	{ "coherent_mask", "dma_set_coherent_mask", DEVICE " mask=$arg2:x64", NULL, NULL,
	  "coherent DMA masks set while recording", false, true },
	{ "map_sg", "dma_map_sg_attrs", DEVICE " ret=$retval:s32", "ret=$retval:s32", "ret == 0",
	  "lists that dma_map_sg() failed to map", true, true },
	{ "map_sgtable", "dma_map_sgtable", DEVICE " ret=$retval:s32", "ret=$retval:s32", "ret != 0",
	  "lists that dma_map_sgtable() failed to map", true, true },
	{ "bound", "driver_bound", DEVICE, NULL, NULL,
	  "when a driver is bound to a device", false, false },
	{ "need_unmap", "dma_need_unmap", DEVICE " ret=$retval:u8", "ret=$retval:u8", NULL,
	  "whether a driver may skip its unmaps", true, false },
	{ "check", "debug_dma_mapping_error", DEVICE " dma_addr=$arg2:x64 caller=$stack0:symbol",
	  DEVICE " dma_addr=$arg2:x64", NULL,
	  "whether maps are checked with dma_mapping_error(), which only kernels with "
	  "CONFIG_DMA_API_DEBUG could show", false, false },
};
const size_t dms_n_probes = DMS_ARRAY_SIZE(dms_probes);

const struct dms_probe dms_stand_ins[] = {
	{ "dma_map_page", "dma_map_page_attrs",
	  DEVICE " dma_addr=$retval:x64 size=$arg4:u64 dir=$arg5:s32 attrs=$arg6:x64", NULL, NULL,
	  "maps of pages", true, false },
	{ "dma_unmap_page", "dma_unmap_page_attrs",
	  DEVICE " addr=$arg2:x64 size=$arg3:u64 dir=$arg4:s32 attrs=$arg5:x64", NULL, NULL,
	  "unmaps of pages", false, false },
	{ "dma_map_resource", "dma_map_resource",
	  DEVICE " phys_addr=$arg2:x64 dma_addr=$retval:x64 size=$arg3:u64 dir=$arg4:s32 "
	  "attrs=$arg5:x64", NULL, NULL, "maps of resources", true, false },
	{ "dma_unmap_resource", "dma_unmap_resource",
	  DEVICE " addr=$arg2:x64 size=$arg3:u64 dir=$arg4:s32 attrs=$arg5:x64", NULL, NULL,
	  "unmaps of resources", false, false },
	{ "dma_alloc", "dma_alloc_attrs",
	  DEVICE " virt_addr=$retval:x64 dma_addr=+0($arg3):x64 size=$arg2:u64 flags=$arg4:x32 "
	  "attrs=$arg5:x64", NULL, NULL, "coherent allocations", true, false },
	{ "dma_free", "dma_free_attrs",
	  DEVICE " virt_addr=$arg3:x64 dma_addr=$arg4:x64 size=$arg2:u64 attrs=$arg5:x64", NULL, NULL,
	  "frees of coherent memory", false, false },
	/* the function of the first name came with Linux 6.10, the other went */
	{ "dma_sync_single_for_cpu", "__dma_sync_single_for_cpu",
	  DEVICE " dma_addr=$arg2:x64 size=$arg3:u64 dir=$arg4:s32", NULL, NULL,
	  "syncs for the CPU", false, false },
	{ "dma_sync_single_for_device", "__dma_sync_single_for_device",
	  DEVICE " dma_addr=$arg2:x64 size=$arg3:u64 dir=$arg4:s32", NULL, NULL,
	  "syncs for the device", false, false },
	{ "dma_sync_single_for_cpu", "dma_sync_single_for_cpu",
	  DEVICE " dma_addr=$arg2:x64 size=$arg3:u64 dir=$arg4:s32", NULL, NULL,
	  "syncs for the CPU", false, false },
	{ "dma_sync_single_for_device", "dma_sync_single_for_device",
	  DEVICE " dma_addr=$arg2:x64 size=$arg3:u64 dir=$arg4:s32", NULL, NULL,
	  "syncs for the device", false, false },
};
const size_t dms_n_stand_ins = DMS_ARRAY_SIZE(dms_stand_ins);
/* clang-format on */

char *dms_probe_line(const struct dms_probe *probe, enum dms_probing probing, const char *group,
		     const char *name, bool is_fallback)
{
	const char *arguments = is_fallback ? probe->fallback : probe->arguments;

	if (!name)
		name = probe->name;
	if (probing == DMS_PROBING_FPROBE)
		return dms_asprintf("f:%s/%s %s%s %s", group, name, probe->function,
				    probe->is_return ? "%return" : "", arguments);
	return dms_asprintf("%c:%s/%s %s %s", probe->is_return ? 'r' : 'p', group, name,
			    probe->function, arguments);
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Words for what the kernel logs as numbers. */
#include <inttypes.h>
#include <stdio.h>

#include <dmascope/decode.h>

static const char *const kind_names[DMS_EV_N_KINDS] = {
	[DMS_EV_NONE] = "none",
	[DMS_EV_MAP] = "map",
	[DMS_EV_MAP_RESOURCE] = "map_resource",
	[DMS_EV_MAP_SG] = "map_sg",
	[DMS_EV_MAP_SG_ERR] = "map_sg_err",
	[DMS_EV_UNMAP] = "unmap",
	[DMS_EV_UNMAP_RESOURCE] = "unmap_resource",
	[DMS_EV_UNMAP_SG] = "unmap_sg",
	[DMS_EV_ALLOC] = "alloc",
	[DMS_EV_ALLOC_PAGES] = "alloc_pages",
	[DMS_EV_ALLOC_SGT] = "alloc_sgt",
	[DMS_EV_ALLOC_SGT_ERR] = "alloc_sgt_err",
	[DMS_EV_FREE] = "free",
	[DMS_EV_FREE_PAGES] = "free_pages",
	[DMS_EV_FREE_SGT] = "free_sgt",
	[DMS_EV_SYNC_FOR_CPU] = "sync_for_cpu",
	[DMS_EV_SYNC_FOR_DEVICE] = "sync_for_device",
	[DMS_EV_SYNC_SG_FOR_CPU] = "sync_sg_for_cpu",
	[DMS_EV_SYNC_SG_FOR_DEVICE] = "sync_sg_for_device",
	[DMS_EV_BOUNCE] = "swiotlb_bounced",
	[DMS_EV_IOMMU_MAP] = "iommu_map",
	[DMS_EV_IOMMU_UNMAP] = "iommu_unmap",
	[DMS_EV_IOMMU_FAULT] = "io_page_fault",
	[DMS_EV_IOMMU_GROUP_ADD] = "add_device_to_group",
	[DMS_EV_IOMMU_GROUP_REMOVE] = "remove_device_from_group",
	[DMS_EV_IOMMU_ATTACH] = "attach_device_to_domain",
	[DMS_EV_CHECK] = "check",
	[DMS_EV_SET_MASK] = "set_mask",
	[DMS_EV_SET_COHERENT_MASK] = "set_coherent_mask",
	[DMS_EV_MAP_SG_RETURN] = "map_sg_return",
	[DMS_EV_NEED_UNMAP] = "need_unmap",
	[DMS_EV_POOL_CREATE] = "pool_create",
	[DMS_EV_POOL_ALLOC] = "pool_alloc",
	[DMS_EV_POOL_FREE] = "pool_free",
	[DMS_EV_POOL_DESTROY] = "pool_destroy",
	[DMS_EV_STACK_PAGE] = "stack_page",
	[DMS_EV_UNBIND_BEGIN] = "unbind_begin",
	[DMS_EV_UNBIND] = "unbind_cleanup",
	[DMS_EV_UNBOUND] = "unbound",
	[DMS_EV_BOUND] = "bound",
	[DMS_EV_DEVRES] = "devres_release",
	[DMS_EV_MODULE_LOAD] = "module_load",
	[DMS_EV_MODULE_FREE] = "module_free",
	[DMS_EV_PAGE_FREE] = "page_free",
	[DMS_EV_PAGE_POOL_HOLD] = "page_pool_hold",
	[DMS_EV_PAGE_POOL_RELEASE] = "page_pool_release",
	[DMS_EV_MARKER] = "marker",
	[DMS_EV_CONSOLE] = "console",
};

const char *dms_event_kind_name(enum dms_event_kind kind)
{
	return kind_names[kind];
}

const char *dms_dir_name(enum dms_dir dir)
{
	static const char *const names[] = {
		[DMS_DIR_BIDIRECTIONAL] = "BIDIRECTIONAL",
		[DMS_DIR_TO_DEVICE] = "TO_DEVICE",
		[DMS_DIR_FROM_DEVICE] = "FROM_DEVICE",
		[DMS_DIR_NONE] = "NONE",
		[DMS_DIR_UNKNOWN] = "UNKNOWN",
	};

	return names[dir];
}

/* Bit 11 was CACHE_CLEAN in 6.18 and 7.0; the later spelling is used for both. */
static const char *const attr_names[] = {
	[1] = "WEAK_ORDERING",
	[2] = "WRITE_COMBINE",
	[4] = "NO_KERNEL_MAPPING",
	[5] = "SKIP_CPU_SYNC",
	[6] = "FORCE_CONTIGUOUS",
	[7] = "ALLOC_SINGLE_PAGES",
	[8] = "NO_WARN",
	[9] = "PRIVILEGED",
	[10] = "MMIO",
	[11] = "CACHELINES_OVERLAP",
	[12] = "REQUIRE_COHERENT",
	[13] = "CC_SHARED",
};

const char *dms_attrs_format(uint64_t attrs, char *buf, size_t buf_size)
{
	const char *bar = "";
	size_t used = 0;

	if (buf_size)
		buf[0] = '\0';
	for (unsigned int bit = 0; bit < DMS_ARRAY_SIZE(attr_names) && used < buf_size; bit++) {
		if (!(attrs & (1ull << bit)) || !attr_names[bit])
			continue;
		used += (size_t)snprintf(buf + used, buf_size - used, "%s%s", bar, attr_names[bit]);
		attrs &= ~(1ull << bit);
		bar = "|";
	}
	if (attrs && used < buf_size)
		snprintf(buf + used, buf_size - used, "%s0x%" PRIx64, bar, attrs);
	return buf;
}

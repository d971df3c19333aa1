// SPDX-License-Identifier: LGPL-2.1-only
/* Rules of memory that is mapped twice, or freed while it is mapped, or left in the IOMMU. */
#include "rows.h"

static void fact_pair(struct dms_facts *facts, const struct dms_step *step)
{
	const struct dms_mapping *newer = step->mapping, *older = step->related;

	fact_address(facts, "dma_addr", newer->dma_addr);
	fact_number(facts, "size_bytes", newer->size);
	fact_dir(facts, "map_dir", newer->dir);
	fact_address(facts, "phys_addr", step->overlap->phys_addr);
	if (step->overlap->bytes)
		fact_number(facts, "shared_bytes", step->overlap->bytes);
	fact_number(facts, "depth", step->overlap->depth);
	fact_address(facts, "other_dma_addr", older->dma_addr);
	fact_number(facts, "other_size_bytes", older->size);
	fact_dir(facts, "other_dir", older->dir);
}

/* dma-debug counts that far only, and says so once. */
#define DEBUG_MAX_OVERLAPS 7

static bool overlaps(const struct dms_step *step, struct dms_facts *facts)
{
	bool is_elsewhere = step->mapping->device != step->related->device;

	fact_pair(facts, step);
	fact_word(facts, "what", step->overlap->bytes ? "the memory" : "a cache line");
	fact_word(facts, "whose", is_elsewhere ? "another device" : "the device");
	if (step->overlap->depth > DEBUG_MAX_OVERLAPS)
		fact_word(facts, "hint", "; exceeded 7 overlapping mappings of cacheline");
	return true;
}

static bool maps_list_twice(const struct dms_step *step, struct dms_facts *facts)
{
	if (!step->overlap->is_same_list)
		return false;
	fact_pair(facts, step);
	fact_number(facts, "entries", step->mapping->nents);
	return true;
}

static bool page_freed(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_mapping *mapping = step->mapping;

	fact_address(facts, "dma_addr", mapping->dma_addr);
	fact_number(facts, "size_bytes", mapping->size);
	fact_dir(facts, "map_dir", mapping->dir);
	fact_address(facts, "phys_addr", step->event->phys_addr);
	fact_number(facts, "freed_bytes", step->event->size);
	fact_word(facts, "until",
		  step->end == DMS_END_UNMAPPED ? "unmapped later" : "never unmapped");
	return true;
}

static bool unmaps_less(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_event *event = step->event;

	if (event->kind != DMS_EV_IOMMU_UNMAP || event->phys_addr >= event->size)
		return false;
	fact_address(facts, "iova", event->dma_addr);
	fact_number(facts, "size_bytes", event->size);
	fact_number(facts, "unmapped_bytes", event->phys_addr);
	return true;
}

const struct dms_rule dms_rules_overlap[] = {
	{
		.id = "overlapping-cacheline",
		.severity = DMS_SEVERITY_WARNING,
		.title = "cacheline tracking EEXIST, overlapping mappings aren't supported",
		.message =
			"cacheline tracking EEXIST, overlapping mappings aren't supported: {what} "
			"is "
			"mapped by {whose} already [device address={dma_addr}] [size={size_bytes} "
			"bytes] [mapped with {map_dir}] [shared from {phys_addr}] [shared={shared_bytes} bytes] "
			"[other device address={other_dma_addr}] [other size={other_size_bytes} "
			"bytes] "
			"[other mapped with {other_dir}]{hint}",
		.on = ON(OVERLAP),
		.yields_to = "sg-mapped-twice",
		.check = overlaps,
		.cause = "Two live mappings that a device writes hold the same memory, or parts of "
			 "one cache "
			 "line: an unmap was forgotten, a buffer is used twice, or two small "
			 "buffers lie side "
			 "by side. Cache maintenance or the copy out of a bounce buffer for the "
			 "one then "
			 "destroys what the other received.",
		.cure = "Unmap a buffer before it is mapped again. Give what a device writes cache "
			"lines of its own: a kmalloc() of it alone, or __aligned(ARCH_DMA_MINALIGN) "
			"in a struct. Where the overlap is meant and harmless, newer kernels have "
			"an attribute to say so, traced as CACHE_CLEAN or CACHELINES_OVERLAP.",
		.limits = "Told when both lives have ended; mappings to the device only, or with "
			  "DMA_ATTR_SKIP_CPU_SYNC, are not looked at; of lists whose entries were "
			  "merged only the entries' first bytes are known. A line shared without "
			  "a common byte matters only where DMA is not cache-coherent: if "
			  "that is not known it is only possible, and not told of a "
			  "device known to be coherent or of a bounce buffer. Devices whose driver "
			  "leaves "
			  "out unmaps legally are not judged. Lists that user space may share "
			  "(dma-buf, "
			  "RDMA) are only possible, and so are whole sectors mapped in process "
			  "context and unmapped by another task or an interrupt: one buffer given "
			  "to two O_DIRECT reads at once is user space's matter. An unmap logged within a second on "
			  "another "
			  "CPU may have come first.",
		.source = "kernel/dma/debug.c active_cacheline_insert(); "
			  "Documentation/core-api/dma-api.rst",
	},
	{
		.id = "sg-mapped-twice",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver maps a scatter-gather list again before it is unmapped",
		.message = "device driver maps a scatter-gather list of {entries} entries that is "
			   "mapped "
			   "already [device address={dma_addr}] [size={size_bytes} bytes] [mapped "
			   "with "
			   "{map_dir}] [other device address={other_dma_addr}] [other mapped with "
			   "{other_dir}]",
		.on = ON(OVERLAP),
		.check = maps_list_twice,
		.cause = "dma_map_sg() was called twice for one list: a retry or an error path "
			 "maps again what "
			 "is still mapped. The addresses of the first mapping are overwritten, and "
			 "it can "
			 "never be unmapped.",
		.cure = "Unmap the list before it is mapped again, or keep its addresses and map "
			"it once.",
		.limits = "Lists of two entries and more, of the same memory on the same device, "
			  "that the "
			  "device writes. Of whole pages it is only possible unless just one of the "
			  "two is unmapped: a buffer may be registered twice for RDMA, a dma-buf "
			  "mapped for each plane of an image. See also overlapping-cacheline.",
		.source = "Documentation/core-api/dma-api.rst: \"the mapped scatterlist must not "
			  "be mapped "
			  "again\"",
	},
	{
		.id = "page-freed-while-mapped",
		.severity = DMS_SEVERITY_ERROR,
		.title = "memory was freed while it was mapped",
		.message = "memory was freed while it was mapped, and {until} [device "
			   "address={dma_addr}] "
			   "[size={size_bytes} bytes] [mapped with {map_dir}] [freed={phys_addr}, "
			   "{freed_bytes} bytes]",
		.on = ON(PAGE_FREED),
		.inputs = DMS_INPUT_PAGE_FREES,
		.check = page_freed,
		.cause = "The page went back to the allocator before its mapping ended: the device "
			 "can still "
			 "read, or overwrite, what now belongs to somebody else.",
		.cure = "Unmap first, then free; in error paths and on removal, too.",
		.limits = "Needs kmem:mm_page_free in the trace. Slab memory goes back in whole "
			  "pages only, "
			  "long after its kfree(). Devices whose driver leaves out unmaps legally "
			  "are not "
			  "judged.",
		.source = "include/trace/events/kmem.h; Documentation/core-api/dma-api-howto.rst",
	},
	{
		.id = "iommu-unmap-mismatch",
		.severity = DMS_SEVERITY_WARNING,
		.title = "the IOMMU unmapped less than it was asked to",
		.message =
			"the IOMMU unmapped {unmapped_bytes} of {size_bytes} bytes [IOVA={iova}]",
		.on = ON(IOMMU),
		.needs = DMS_HAS_UNMAPPED | DMS_HAS_SIZE,
		.beside = ALL_DOUBTS,
		.inputs = DMS_INPUT_IOMMU,
		.check = unmaps_less,
		.cause = "Part of the range was not mapped: it was unmapped already, or with "
			 "another size than "
			 "it was mapped.",
		.cure = "Compare the sizes of map and unmap of this address; look for a second "
			"unmap.",
		.limits = "The event names no device. Beside an unmap-size-mismatch of the same "
			  "task it is "
			  "the same mistake.",
		.source = "include/trace/events/iommu.h; drivers/iommu/iommu.c __iommu_unmap(); "
			  "drivers/iommu/dma-iommu.c WARN_ON(unmapped != size)",
	},
};
const size_t dms_n_rules_overlap = DMS_ARRAY_SIZE(dms_rules_overlap);

// SPDX-License-Identifier: LGPL-2.1-only
/* Rules of unmaps and frees: check_unmap() of kernel/dma/debug.c, and what it cannot tell apart. */
#include "rows.h"

#define DEBUG_C "kernel/dma/debug.c check_unmap()"

/* ---- the unmap has a mapping, and differs from it -------------------------------------------- */

static void fact_mapping(struct dms_facts *facts, const struct dms_mapping *mapping)
{
	fact_address(facts, "dma_addr", mapping->dma_addr);
	fact_number(facts, "size_bytes", mapping->size);
}

static bool unmap_size(const struct dms_step *step, struct dms_facts *facts)
{
	fact_mapping(facts, step->mapping);
	fact_number(facts, "map_size_bytes", step->mapping->size);
	fact_number(facts, "unmap_size_bytes", step->event->size);
	return true;
}

static const char *event_kind_name(const struct dms_event *event)
{
	switch (event->kind) {
	case DMS_EV_UNMAP_RESOURCE:
		return debug_kind_name(DMS_MAPPING_RESOURCE);
	case DMS_EV_UNMAP_SG:
		return debug_kind_name(DMS_MAPPING_SG);
	case DMS_EV_FREE:
		return debug_kind_name(DMS_MAPPING_COHERENT);
	case DMS_EV_FREE_PAGES:
		return debug_kind_name(DMS_MAPPING_PAGES);
	case DMS_EV_FREE_SGT:
		return debug_kind_name(DMS_MAPPING_NONCONTIGUOUS);
	default:
		return debug_kind_name(DMS_MAPPING_PAGE);
	}
}

static bool unmap_function(const struct dms_step *step, struct dms_facts *facts)
{
	fact_mapping(facts, step->mapping);
	fact_word(facts, "mapped_as", debug_kind_name(step->mapping->kind));
	fact_word(facts, "unmapped_as", event_kind_name(step->event));
	return true;
}

static bool free_cpu_address(const struct dms_step *step, struct dms_facts *facts)
{
	fact_mapping(facts, step->mapping);
	fact_address(facts, "cpu_alloc_addr", step->mapping->cpu_addr);
	fact_address(facts, "cpu_free_addr", step->event->virt_addr);
	return true;
}

/* The classic mistake: what dma_map_sg() returned, in place of what it was given. */
static bool unmap_sg_count(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_mapping *mapping = step->mapping;
	bool is_ents = mapping->ents != mapping->nents && step->event->nents == mapping->ents;

	fact_mapping(facts, mapping);
	fact_number(facts, "map_count", mapping->nents);
	fact_number(facts, "unmap_count", step->event->nents);
	fact_word(facts, "hint", is_ents ? ": that is the count dma_map_sg() returned, not the one it "
					   "was given" : "");
	return true;
}

static bool unmap_direction(const struct dms_step *step, struct dms_facts *facts)
{
	if (step->mapping->kind == DMS_MAPPING_COHERENT)
		return false;
	fact_mapping(facts, step->mapping);
	fact_dir(facts, "map_dir", step->mapping->dir);
	fact_dir(facts, "unmap_dir", step->event->dir);
	return true;
}

static bool unmap_attrs(const struct dms_step *step, struct dms_facts *facts)
{
	fact_mapping(facts, step->mapping);
	fact_address(facts, "map_attrs", step->mapping->attrs);
	fact_address(facts, "unmap_attrs", step->event->attrs);
	return true;
}

/* ---- the unmap has none ------------------------------------------------------------------------ */

/*
 * A list's unmap tells neither DMA address nor size; its last life does, and without one where its
 * first entry lies must do.
 */
static void fact_event(struct dms_facts *facts, const struct dms_step *step)
{
	uint32_t has = step->event->has;

	if (!(has & DMS_HAS_DMA_ADDR) && step->past) {
		fact_address(facts, "dma_addr", step->past->dma_addr);
		fact_number(facts, "size_bytes", step->past->size);
		return;
	}
	if (has & DMS_HAS_DMA_ADDR)
		fact_address(facts, "dma_addr", step->mapping->dma_addr);
	else if (has & DMS_HAS_PHYS_LIST && step->event->n_phys)
		fact_address(facts, "phys_addr", step->mapping->cpu_addr);
	if (has & DMS_HAS_SIZE)
		fact_number(facts, "size_bytes", step->mapping->size);
}

static bool unmap_invalid(const struct dms_step *step, struct dms_facts *facts)
{
	if (!(step->event->has & DMS_HAS_DMA_ADDR) || step->event->dma_addr != DMS_MAPPING_ERROR64)
		return false;
	fact_event(facts, step);
	return true;
}

static bool unmap_twice(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_past *past = step->past;

	if (!past || (past->end != DMS_END_UNMAPPED && past->end != DMS_END_PRE_TRACE))
		return false;
	fact_event(facts, step);
	fact_number(facts, "ago_ns", step->ts - past->unmap_ts);
	return true;
}

static bool unmap_interior(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_mapping *around = step->related;

	if (!around)
		return false;
	fact_event(facts, step);
	fact_address(facts, "mapping_addr", around->dma_addr);
	fact_number(facts, "mapping_size_bytes", around->size);
	fact_number(facts, "offset_bytes", step->event->dma_addr - around->dma_addr);
	return true;
}

static bool unmap_other_device(const struct dms_step *step, struct dms_facts *facts)
{
	if (!step->elsewhere)
		return false;
	fact_event(facts, step);
	fact_device_once(facts, "owner_device", step->elsewhere->device);
	return true;
}

static bool unmap_unknown(const struct dms_step *step, struct dms_facts *facts)
{
	/* the leak has been told; where it may have been none, this shows that it was */
	bool is_left_over = step->past && step->past->end == DMS_END_UNBOUND &&
			    !(step->past->doubts & DMS_DOUBT_ELIDED);

	if (is_left_over || (step->doubts & DMS_DOUBT_UNTRACED))
		return false;
	fact_event(facts, step);
	return true;
}

const struct dms_rule dms_rules_unmap[] = {
	{
		.id = "unmap-size-mismatch",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver frees DMA memory with different size",
		.message = "device driver frees DMA memory with different size [device address={dma_addr}] "
			   "[map size={map_size_bytes} bytes] [unmap size={unmap_size_bytes} bytes]",
		.on = ON(UNMAP),
		.needs = DMS_HAS_SIZE,
		.yields_to = "unmap-wrong-function",
		.differs = DMS_DIFFERS_SIZE,
		.check = unmap_size,
		.cause = "The size given to the unmap or free is not the one given to the map or "
			 "allocation: a stale length variable, or the received length in place of the "
			 "buffer's.",
		.cure = "Keep the mapped length with the DMA address (DEFINE_DMA_UNMAP_LEN) and unmap "
			"with it.",
		.limits = "Scatter lists carry no length at unmap and are not judged.",
		.source = DEBUG_C,
	},
	{
		.id = "unmap-wrong-function",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver frees DMA memory with wrong function",
		.message = "device driver frees DMA memory with wrong function [device address={dma_addr}] "
			   "[size={size_bytes} bytes] [mapped as {mapped_as}] [unmapped as {unmapped_as}]",
		.on = ON(UNMAP),
		.differs = DMS_DIFFERS_KIND,
		.check = unmap_function,
		.cause = "Memory mapped by one family of calls was released by another.",
		.cure = "Release with the counterpart of the call that mapped: dma_map_single() with "
			"dma_unmap_single(), dma_map_sg() with dma_unmap_sg(), dma_alloc_coherent() with "
			"dma_free_coherent().",
		.limits = "dma_map_single() and dma_map_page() share one event and are one family; so do "
			  "dma_alloc_pages() and dma_map_page() before 6.13 and 6.12.48.",
		.source = DEBUG_C,
	},
	{
		.id = "free-cpu-address-mismatch",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver frees DMA memory with different CPU address",
		.message = "device driver frees DMA memory with different CPU address [device "
			   "address={dma_addr}] [size={size_bytes} bytes] [cpu alloc address="
			   "{cpu_alloc_addr}] [cpu free address={cpu_free_addr}]",
		.on = ON(UNMAP),
		.needs = DMS_HAS_VIRT_ADDR,
		.yields_to = "unmap-wrong-function",
		.differs = DMS_DIFFERS_CPU_ADDR,
		.check = free_cpu_address,
		.cause = "The CPU address and the DMA address of one free come from two allocations.",
		.cure = "Keep both addresses of an allocation together.",
		.source = DEBUG_C,
	},
	{
		.id = "unmap-sg-count-mismatch",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver frees DMA sg list with different entry count",
		.message = "device driver frees DMA sg list with different entry count [device "
			   "address={dma_addr}] [map count={map_count}] [unmap count={unmap_count}]{hint}",
		.on = ON(UNMAP),
		.needs = DMS_HAS_PHYS_LIST,
		.yields_to = "unmap-wrong-function",
		.differs = DMS_DIFFERS_NENTS,
		.check = unmap_sg_count,
		.cause = "dma_unmap_sg() was given another nents than dma_map_sg(); most often the value "
			 "dma_map_sg() returned.",
		.cure = "Pass the nents that was given to dma_map_sg(), or use dma_map_sgtable() and "
			"dma_unmap_sgtable().",
		.source = DEBUG_C,
	},
	{
		.id = "unmap-direction-mismatch",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver frees DMA memory with different direction",
		.message = "device driver frees DMA memory with different direction [device "
			   "address={dma_addr}] [size={size_bytes} bytes] [mapped with {map_dir}] "
			   "[unmapped with {unmap_dir}]",
		.on = ON(UNMAP),
		.needs = DMS_HAS_DIR,
		.yields_to = "unmap-wrong-function",
		.differs = DMS_DIFFERS_DIR,
		.check = unmap_direction,
		.cause = "Map and unmap name different directions: the cache maintenance of the unmap "
			 "is the wrong one on a non-coherent machine.",
		.cure = "Unmap with the direction the memory was mapped with.",
		.limits = "Coherent memory has no direction of its own and is not judged.",
		.source = DEBUG_C,
	},
	{
		.id = "unmap-attrs-mismatch",
		.severity = DMS_SEVERITY_WARNING,
		.title = "device driver frees DMA memory with different attributes",
		.message = "device driver frees DMA memory with different attributes [device "
			   "address={dma_addr}] [size={size_bytes} bytes] [mapped with {map_attrs}] "
			   "[unmapped with {unmap_attrs}]",
		.on = ON(UNMAP),
		.needs = DMS_HAS_ATTRS,
		.yields_to = "unmap-wrong-function",
		.differs = DMS_DIFFERS_ATTRS,
		.check = unmap_attrs,
		.cause = "An attribute that changes how memory is released was given at one end only.",
		.cure = "Pass the same attributes to both calls.",
		.limits = "Only NO_KERNEL_MAPPING, FORCE_CONTIGUOUS, PRIVILEGED, MMIO, REQUIRE_COHERENT and "
			  "CC_SHARED are compared, as dma-debug does since 7.1; the others may differ.",
		.source = DEBUG_C ", Linux 7.1",
	},
	{
		.id = "unmap-invalid-address",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver tries to free an invalid DMA memory address",
		.message = "device driver tries to free an invalid DMA memory address [size={size_bytes} "
			   "bytes]: it is DMA_MAPPING_ERROR, what a failed map returns",
		.on = ON(UNMAP_UNMATCHED),
		.needs = DMS_HAS_DMA_ADDR,
		.beside = ALL_DOUBTS, /* the address itself is wrong */
		.check = unmap_invalid,
		.cause = "The address a failed map returned was kept and unmapped.",
		.cure = "Check every map with dma_mapping_error() and take the error path without unmap.",
		.source = DEBUG_C,
	},
	{
		.id = "double-unmap",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver frees DMA memory a second time",
		.message = "device driver tries to free DMA memory it has not allocated [device "
			   "address={dma_addr}] [size={size_bytes} bytes]: it was freed {ago_ns} before",
		.on = ON(UNMAP_UNMATCHED),
		.yields_to = "unmap-invalid-address",
		.ends = DMS_ENDS_PAST,
		.check = unmap_twice,
		.cause = "Two paths release the same mapping: completion and teardown, or an error path "
			 "after the normal one.",
		.cure = "Clear the saved DMA address when it is unmapped, and let one owner release it.",
		.limits = "Only the last few thousand ended lives of a device are remembered.",
		.source = DEBUG_C,
	},
	{
		.id = "unmap-interior-address",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver frees an address inside a mapping",
		.message = "device driver tries to free DMA memory it has not allocated [device "
			   "address={dma_addr}] [size={size_bytes} bytes]: it lies {offset_bytes} bytes "
			   "inside the mapping at {mapping_addr} of {mapping_size_bytes} bytes",
		.on = ON(UNMAP_UNMATCHED),
		.yields_to = "unmap-invalid-address double-unmap unmap-wrong-device",
		.check = unmap_interior,
		.cause = "The driver advanced the address it saved, or unmaps a part of what it mapped.",
		.cure = "Unmap the address dma_map_*() returned, whole.",
		.source = DEBUG_C,
	},
	{
		.id = "unmap-wrong-device",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver frees DMA memory of another device",
		.message = "device driver tries to free DMA memory it has not allocated [device "
			   "address={dma_addr}] [size={size_bytes} bytes] [list at physical "
			   "address={phys_addr}]: device {owner_device} holds such a mapping",
		.on = ON(UNMAP_UNMATCHED),
		.yields_to = "unmap-invalid-address double-unmap",
		.ends = DMS_ENDS_OWNER,
		.check = unmap_other_device,
		.cause = "The memory was mapped with one struct device and unmapped with another: parent "
			 "and child, or two functions of a card.",
		.cure = "Use the same struct device for both calls.",
		.limits = "Told only if address, size and direction are those of a live mapping of "
			  "another device. Of a list, all entries and the direction, and only if the trace "
			  "holds the device's probe: the same memory may be mapped for several devices.",
		.source = DEBUG_C ", which says only \"not allocated\"",
	},
	{
		.id = "unmap-not-mapped",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver tries to free DMA memory it has not allocated",
		.message = "device driver tries to free DMA memory it has not allocated [device "
			   "address={dma_addr}] [size={size_bytes} bytes] [list at physical address={phys_addr}]",
		.on = ON(UNMAP_UNMATCHED),
		.yields_to = "unmap-invalid-address double-unmap unmap-interior-address "
			     "unmap-wrong-device",
		.check = unmap_unknown,
		.cause = "The address was never returned by a map of this device.",
		.cure = "Find where the address comes from: an uninitialised descriptor, or another "
			"device's.",
		.limits = "A mapping older than the trace looks the same: certain only if the trace holds "
			  "the device's probe.",
		.source = DEBUG_C,
	},
};
const size_t dms_n_rules_unmap = DMS_ARRAY_SIZE(dms_rules_unmap);

// SPDX-License-Identifier: LGPL-2.1-only
/* Rules of what may be mapped at all: memory areas, masks, segment limits, contexts. */
#include "rows.h"

#define DEBUG_C "kernel/dma/debug.c"

static void fact_memory(struct dms_facts *facts, const struct dms_mapping *mapping)
{
	fact_address(facts, "phys_addr", mapping->cpu_addr);
	fact_address(facts, "dma_addr", mapping->dma_addr);
	fact_number(facts, "size_bytes", mapping->size);
}

/* ---- areas, by /proc/iomem or by the kernel's own words ----------------------------------- */

static bool kernel_text(const struct dms_step *step, struct dms_facts *facts)
{
	if (step->kind == DMS_STEP_MESSAGE)
		return message_is(step, DMS_MSG_KERNEL_TEXT, facts);
	if (step->mapping->area != DMS_AREA_TEXT && step->mapping->area != DMS_AREA_RODATA)
		return false;
	if (step->mapping->kind == DMS_MAPPING_RESOURCE)
		return false; /* that is memory given as a resource, whatever it holds */
	fact_memory(facts, step->mapping);
	fact_word(facts, "area", step->mapping->area == DMS_AREA_TEXT ? "kernel text" : "kernel rodata");
	return true;
}

static bool invalid_area(const struct dms_step *step, struct dms_facts *facts)
{
	if (step->kind == DMS_STEP_MESSAGE)
		return message_is(step, DMS_MSG_INVALID_AREA, facts) ||
		       message_is(step, DMS_MSG_VMALLOC, facts);
	if (step->mapping->area != DMS_AREA_NONE ||
	    (step->mapping->kind != DMS_MAPPING_PAGE && step->mapping->kind != DMS_MAPPING_SG))
		return false;
	fact_memory(facts, step->mapping);
	return true;
}

static bool resource_ram(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_mapping *mapping = step->mapping;

	if (step->kind == DMS_STEP_MESSAGE)
		return message_is(step, DMS_MSG_RESOURCE_RAM, facts);
	if (mapping->kind != DMS_MAPPING_RESOURCE ||
	    (mapping->area != DMS_AREA_RAM && mapping->area != DMS_AREA_TEXT &&
	     mapping->area != DMS_AREA_RODATA))
		return false;
	fact_memory(facts, mapping);
	return true;
}

/* A memory map is true as long as the machine runs, and it may be another run's. */
static uint32_t area_doubts(const struct dms_step *step)
{
	return step->kind == DMS_STEP_MAP ? DMS_DOUBT_SNAPSHOT : 0;
}

/* ---- limits of lists ----------------------------------------------------------------------- */

static bool segment_long(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_mapping *mapping = step->mapping;
	uint64_t max;

	if (step->kind == DMS_STEP_MESSAGE)
		return message_is(step, DMS_MSG_SEGMENT_LONG, facts);
	max = step->device->max_segment_bytes;
	if (mapping->kind != DMS_MAPPING_SG || !mapping->sg || !max)
		return false;
	for (uint32_t i = 0; i < mapping->sg->n_segments; i++) {
		struct dms_segment segment = dms_mapping_segment(mapping, i);

		if (segment.size <= max)
			continue;
		fact_number(facts, "len", segment.size);
		fact_number(facts, "max", max);
		fact_address(facts, "dma_addr", segment.dma_addr);
		fact_number(facts, "segment", i);
		return true;
	}
	return false;
}

static bool segment_boundary(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_mapping *mapping = step->mapping;
	uint64_t boundary;

	if (step->kind == DMS_STEP_MESSAGE)
		return message_is(step, DMS_MSG_SEGMENT_BOUNDARY, facts);
	boundary = step->device->segment_boundary;
	if (mapping->kind != DMS_MAPPING_SG || !mapping->sg || !boundary)
		return false;
	for (uint32_t i = 0; i < mapping->sg->n_segments; i++) {
		struct dms_segment segment = dms_mapping_segment(mapping, i);
		uint64_t end = segment.dma_addr + segment.size - 1;

		if (!segment.size || !((segment.dma_addr ^ end) & ~boundary))
			continue;
		fact_address(facts, "start", segment.dma_addr);
		fact_address(facts, "end", end);
		fact_address(facts, "boundary", boundary);
		fact_number(facts, "segment", i);
		return true;
	}
	return false;
}

/* ---- masks --------------------------------------------------------------------------------- */

static bool is_allocation(const struct dms_mapping *mapping)
{
	return mapping->kind == DMS_MAPPING_COHERENT;
}

static bool exceeds_mask(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_mapping *mapping = step->mapping;
	uint64_t mask = is_allocation(mapping) ? step->device->coherent_mask
					       : step->device->dma_mask;
	bool is_either = mapping->kind == DMS_MAPPING_PAGES ||
			 mapping->kind == DMS_MAPPING_NONCONTIGUOUS;
	uint32_t n_segments = mapping->sg ? mapping->sg->n_segments : 1;

	/* Allocated for streaming: without an IOMMU by the coherent mask, with one by either. */
	if (is_either && step->device->coherent_mask > mask)
		return false;
	if (!mask || mapping->kind == DMS_MAPPING_RESOURCE)
		return false;
	for (uint32_t i = 0; i < n_segments; i++) {
		struct dms_segment segment = dms_mapping_segment(mapping, i);

		if (!segment.size || segment.dma_addr + segment.size - 1 <= mask)
			continue;
		fact_address(facts, "dma_addr", segment.dma_addr);
		fact_number(facts, "size_bytes", segment.size);
		fact_address(facts, "mask", mask);
		fact_word(facts, "mask_kind", is_allocation(mapping) ? "coherent" : "streaming");
		return true;
	}
	return false;
}

static uint32_t mask_doubts(const struct dms_step *step)
{
	const struct dms_device *device = step->device;

	if (is_allocation(step->mapping))
		return device->is_coherent_mask_traced ? 0 : DMS_DOUBT_SNAPSHOT;
	if (device->is_mask_traced)
		return 0;
	return device->is_mask_of_bounce ? DMS_DOUBT_UNTRACED : DMS_DOUBT_SNAPSHOT;
}

/* ---- contexts ------------------------------------------------------------------------------ */

/* common_flags of a trace entry: include/linux/trace_events.h */
static const struct {
	uint8_t flag;
	const char *words;
} atomic_contexts[] = {
	{0x40, "in an NMI"},
	{0x08, "in a hard interrupt"},
	{0x10, "in a soft interrupt"},
	{0x01, "with interrupts disabled"},
};

static bool blocks_in_atomic(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_event *event = step->event;

	if (!event || !event->may_block)
		return false;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(atomic_contexts); i++) {
		if (!(event->common_flags & atomic_contexts[i].flag))
			continue;
		fact_word(facts, "call", dms_event_kind_name(event->kind));
		fact_number(facts, "size_bytes", event->size);
		fact_address(facts, "gfp", event->gfp);
		fact_word(facts, "context", atomic_contexts[i].words);
		return true;
	}
	return false;
}

const struct dms_rule dms_rules_machine[] = {
	{
		.id = "map-kernel-text",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver maps memory from kernel text or rodata",
		.message = "device driver maps memory from kernel text or rodata [addr={phys_addr}] "
			   "[len={size_bytes}]",
		.on = ON(MAP) | ON(MESSAGE),
		.signs = DMS_SIGN_AREA,
		.beside = ALL_DOUBTS, /* of a message only the time is doubtful */
		.inputs = DMS_INPUT_IOMEM | DMS_INPUT_CONSOLE,
		.doubts = area_doubts,
		.check = kernel_text,
		.cause = "A constant or a function of the kernel image is given to the device: a string "
			 "literal, a const table, a buffer that was never allocated.",
		.cure = "Copy it into memory from kmalloc() and map that.",
		.limits = "Needs /proc/iomem of the same boot, read by root (--iomem). dma-debug itself is "
			  "silent on x86-64, where it compares the wrong alias.",
		.source = DEBUG_C " check_for_illegal_area(); /proc/iomem \"Kernel code\", \"Kernel rodata\"",
	},
	{
		.id = "map-invalid-area",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver maps memory from invalid area",
		.message = "device driver maps memory from invalid area [addr={phys_addr}] "
			   "[len={size_bytes}]",
		.on = ON(MAP) | ON(MESSAGE),
		.signs = DMS_SIGN_AREA,
		.beside = ALL_DOUBTS, /* of a message only the time is doubtful */
		.inputs = DMS_INPUT_IOMEM | DMS_INPUT_CONSOLE,
		.doubts = area_doubts,
		.check = invalid_area,
		.cause = "The address given to dma_map_single() is not one of the linear map: memory from "
			 "vmalloc() or a module, a stack that is mapped there, a wild pointer.",
		.cure = "Map what kmalloc() or the page allocator returned; map vmalloc memory page by page "
			"with vmalloc_to_page().",
		.limits = "The events tell it if the physical address is in no line of /proc/iomem "
			  "(--iomem). What the API refuses leaves no event: only the kernel log tells it "
			  "(printk:console in the trace, or --kernel-log).",
		.source = DEBUG_C " debug_dma_map_single(); include/linux/dma-mapping.h",
	},
	{
		.id = "map-resource-ram",
		.severity = DMS_SEVERITY_ERROR,
		.title = "dma_map_resource() called for RAM",
		.message = "dma_map_resource called for RAM address {phys_addr} [len={size_bytes}]",
		.on = ON(MAP) | ON(MESSAGE),
		.signs = DMS_SIGN_AREA,
		.beside = ALL_DOUBTS, /* of a message only the time is doubtful */
		.inputs = DMS_INPUT_IOMEM | DMS_INPUT_CONSOLE,
		.doubts = area_doubts,
		.check = resource_ram,
		.cause = "dma_map_resource() is for registers of devices; it does no cache maintenance.",
		.cure = "Map memory with dma_map_single() or dma_map_page().",
		.limits = "Needs /proc/iomem of the same boot, read by root (--iomem).",
		.source = DEBUG_C " debug_dma_map_phys(), Linux 6.18 and later; 6.12 does not check",
	},
	{
		.id = "sg-segment-too-long",
		.severity = DMS_SEVERITY_WARNING,
		.title = "mapping sg segment longer than device claims to support",
		.message = "mapping sg segment longer than device claims to support [len={len}] [max={max}]",
		.on = ON(MAP) | ON(MESSAGE),
		.signs = DMS_SIGN_LIMITS,
		.beside = ALL_DOUBTS, /* of a message only the time is doubtful */
		.inputs = DMS_INPUT_LIMITS | DMS_INPUT_CONSOLE,
		.doubts = area_doubts,
		.check = segment_long,
		.cause = "An entry of the list is longer than dma_get_max_seg_size() of the device.",
		.cure = "Set the limit the hardware has with dma_set_max_seg_size(), and build lists that "
			"keep it (sg_alloc_table_from_pages_segment(), queue limits).",
		.limits = "The limit is in no event: give it by max_seg_size= in the inventory. Of a list of "
			  "more than 128 entries only those are looked at.",
		.source = DEBUG_C " check_sg_segment()",
	},
	{
		.id = "sg-segment-boundary",
		.severity = DMS_SEVERITY_WARNING,
		.title = "mapping sg segment across boundary",
		.message = "mapping sg segment across boundary [start={start}] [end={end}] "
			   "[boundary={boundary}]",
		.on = ON(MAP) | ON(MESSAGE),
		.signs = DMS_SIGN_LIMITS,
		.beside = ALL_DOUBTS, /* of a message only the time is doubtful */
		.inputs = DMS_INPUT_LIMITS | DMS_INPUT_CONSOLE,
		.doubts = area_doubts,
		.check = segment_boundary,
		.cause = "A segment crosses an address the device cannot count over: "
			 "dma_get_seg_boundary().",
		.cure = "Set the boundary with dma_set_seg_boundary() before the first list is mapped, and "
			"build lists that keep it.",
		.limits = "The boundary is in no event: give it by seg_boundary= in the inventory. Of a list "
			  "of more than 128 entries only those are looked at.",
		.source = DEBUG_C " check_sg_segment()",
	},
	{
		.id = "map-exceeds-mask",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver gets an address its device cannot reach",
		.message = "DMA addr {dma_addr}+{size_bytes} overflow (mask {mask}, {mask_kind})",
		.on = ON(MAP),
		.signs = DMS_SIGN_MASK,
		.needs = DMS_HAS_DMA_ADDR,
		.beside = ALL_DOUBTS & ~DMS_DOUBT_SNAPSHOT,
		.inputs = DMS_INPUT_MASKS,
		.doubts = mask_doubts,
		.check = exceeds_mask,
		.cause = "The mapping ends above the device's DMA mask: the mask was set after the map, or "
			 "it is wider than what the hardware decodes.",
		.cure = "Set the true mask with dma_set_mask_and_coherent() in probe(), before any map.",
		.limits = "Needs the mask: a probe of dma_set_mask(), or dma_mask_bits= in the inventory, "
			  "which may also be what the data sheet says. A mask that only swiotlb_bounced told "
			  "may have changed since.",
		.source = "Documentation/core-api/dma-api.rst; kernel/dma/direct.h dma_capable()",
	},
	{
		.id = "alloc-blocking-in-atomic",
		.severity = DMS_SEVERITY_WARNING,
		.title = "device driver allocates with flags that may sleep where it must not",
		.message = "dma_{call} of {size_bytes} bytes may sleep {context} [gfp={gfp}]",
		.on = ON(MAP) | ON(MAP_FAILED),
		.signs = DMS_SIGN_BLOCKING,
		.needs = DMS_HAS_MAY_BLOCK,
		.beside = ALL_DOUBTS,
		.inputs = DMS_INPUT_GFP,
		.check = blocks_in_atomic,
		.cause = "GFP_KERNEL, or another mask that allows direct reclaim, in interrupt context or "
			 "with interrupts disabled.",
		.cure = "Allocate in probe() or in process context; where that cannot be, use GFP_ATOMIC or "
			"GFP_NOWAIT and take the failure.",
		.limits = "A spinlock that disables neither interrupts nor the bottom half is not seen: the "
			  "preempt count is 0 on kernels without preemption.",
		.source = "Documentation/core-api/dma-api.rst; include/linux/sched/mm.h might_alloc()",
	},
};
const size_t dms_n_rules_machine = DMS_ARRAY_SIZE(dms_rules_machine);

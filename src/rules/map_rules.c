// SPDX-License-Identifier: LGPL-2.1-only
/* Rules of maps and allocations. */
#include "rows.h"

static bool failed(const struct dms_step *step, struct dms_facts *facts)
{
	fact_word(facts, "call", dms_event_kind_name(step->event->kind));
	fact_number(facts, "size_bytes", step->event->size);
	if (step->event->has & DMS_HAS_PHYS_ADDR)
		fact_address(facts, "phys_addr", step->event->phys_addr);
	if (step->event->has & DMS_HAS_ERR)
		fact_number(facts, "errno", (uint64_t)-(int64_t)step->event->err);
	if (!step->storm_failures)
		return true;
	fact_word(facts, "storm", ", in a storm of failures");
	fact_number(facts, "storm_failures", step->storm_failures);
	fact_number(facts, "storm_calls", step->storm_calls);
	return true;
}

static enum dms_severity failure_grade(const struct dms_step *step)
{
	return step->storm_failures ? DMS_SEVERITY_WARNING : DMS_SEVERITY_INFO;
}

static bool zero_size(const struct dms_step *step, struct dms_facts *facts)
{
	if (step->event->size)
		return false;
	fact_address(facts, "dma_addr", step->mapping->dma_addr);
	fact_number(facts, "size_bytes", 0);
	return true;
}

static bool no_direction(const struct dms_step *step, struct dms_facts *facts)
{
	if (step->event->dir != DMS_DIR_NONE)
		return false;
	fact_address(facts, "dma_addr", step->mapping->dma_addr);
	fact_number(facts, "size_bytes", step->mapping->size);
	return true;
}

const struct dms_rule dms_rules_map[] = {
	{
		.id = "map-failed",
		.severity = DMS_SEVERITY_INFO,
		.title = "a map or allocation failed",
		.message = "dma_{call} of {size_bytes} bytes failed{storm}",
		.on = ON(MAP_FAILED),
		.check = failed,
		.grade = failure_grade,
		.cause = "No bounce buffer or IOVA was free, the address does not fit the device's mask, or "
			 "the size is beyond dma_max_mapping_size().",
		.cure = "Look at the sizes and at swiotlb_bounced beside it: a larger swiotlb=, a wider mask, "
			"or fewer mappings in flight.",
		.limits = "A dma_map_sg() that fails with an ordinary error leaves no event. The 16th failure "
			  "within a second is a warning if a quarter of the device's calls failed; it is "
			  "told once, until a second with fewer failures has passed. Calls with "
			  "DMA_ATTR_NO_WARN do not count: their caller expects failures.",
		.source = "include/trace/events/dma.h; Documentation/core-api/dma-api.rst",
	},
	{
		.id = "map-zero-size",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver maps no memory at all",
		.message = "device driver maps 0 bytes [device address={dma_addr}]",
		.on = ON(MAP),
		.signs = DMS_SIGN_EMPTY,
		.needs = DMS_HAS_SIZE,
		.beside = ALL_DOUBTS,
		.check = zero_size,
		.cause = "An empty request was not sorted out before it was mapped.",
		.cure = "Do not map what has no length.",
		.source = "Documentation/core-api/dma-api.rst",
	},
	{
		.id = "map-direction-none",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver maps with DMA_NONE",
		.message = "device driver maps with DMA_NONE [device address={dma_addr}] "
			   "[size={size_bytes} bytes]",
		.on = ON(MAP),
		.signs = DMS_SIGN_NO_DIR,
		.needs = DMS_HAS_DIR,
		.beside = ALL_DOUBTS,
		.check = no_direction,
		.cause = "DMA_NONE exists to find uninitialised directions; it must never be mapped with.",
		.cure = "Give the direction the device uses.",
		.source = "Documentation/core-api/dma-api.rst; kernel/dma/mapping.c BUG_ON(!valid_dma_direction)",
	},
};
const size_t dms_n_rules_map = DMS_ARRAY_SIZE(dms_rules_map);

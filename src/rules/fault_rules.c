// SPDX-License-Identifier: LGPL-2.1-only
/* Rules of IOMMU faults, joined to the mapping they hit or the last that lived there. */
#include "rows.h"

#define SOURCE "drivers/iommu report_iommu_fault(), iommu:io_page_fault"

static bool is_write(const struct dms_event *event)
{
	return (event->has & DMS_HAS_ERR) && (event->err & 1);
}

static void fact_fault(struct dms_facts *facts, const struct dms_step *step)
{
	fact_address(facts, "iova", step->event->dma_addr);
	fact_word(facts, "access", is_write(step->event) ? "write" : "read");
}

static bool after_unmap(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_past *past = step->past;

	if (step->mapping || !past)
		return false;
	fact_fault(facts, step);
	fact_address(facts, "dma_addr", past->dma_addr);
	fact_number(facts, "size_bytes", past->size);
	fact_number(facts, "ago_ns", step->ts - past->unmap_ts);
	if (past->map_stack != DMS_ID_NONE)
		fact_number(facts, "map_stack_id", (uint64_t)past->map_stack + 1);
	if (past->unmap_stack != DMS_ID_NONE)
		fact_number(facts, "unmap_stack_id", (uint64_t)past->unmap_stack + 1);
	return true;
}

static bool wrong_direction(const struct dms_step *step, struct dms_facts *facts)
{
	uint8_t denied = is_write(step->event) ? DMS_DIR_TO_DEVICE : DMS_DIR_FROM_DEVICE;

	if (!step->mapping || step->mapping->dir != denied)
		return false;
	fact_fault(facts, step);
	fact_address(facts, "dma_addr", step->mapping->dma_addr);
	fact_number(facts, "size_bytes", step->mapping->size);
	fact_dir(facts, "map_dir", step->mapping->dir);
	return true;
}

static bool unmapped(const struct dms_step *step, struct dms_facts *facts)
{
	if (step->mapping)
		return false;
	fact_fault(facts, step);
	return true;
}

const struct dms_rule dms_rules_fault[] = {
	{
		.id = "use-after-unmap",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device uses DMA memory after it was unmapped",
		.message = "device faults at {iova} ({access}) inside of the mapping at {dma_addr} of "
			   "{size_bytes} bytes, unmapped {ago_ns} ns before",
		.on = ON(FAULT),
		.check = after_unmap,
		.cause = "The driver unmapped a buffer the device still had in a descriptor.",
		.cure = "Stop the device, or wait for the descriptor's completion, before the unmap.",
		.limits = "With lazy IOTLB flushes a late access may hit no fault at all.",
		.source = SOURCE,
	},
	{
		.id = "fault-direction",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device accesses DMA memory against its direction",
		.message = "device faults at {iova} ({access}) inside of the live mapping at {dma_addr} of "
			   "{size_bytes} bytes mapped with {map_dir}",
		.on = ON(FAULT),
		.check = wrong_direction,
		.cause = "The memory was mapped for reads by the device only and it wrote, or the reverse.",
		.cure = "Map with the direction the device uses; BIDIRECTIONAL if it is both.",
		.source = SOURCE,
	},
	{
		.id = "fault-unmapped",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device accesses an address that is not mapped",
		.message = "device faults at {iova} ({access}), where nothing is or was mapped in this trace",
		.on = ON(FAULT),
		.yields_to = "use-after-unmap",
		.beside = ALL_DOUBTS, /* the IOMMU saw the access and found nothing for it */
		.check = unmapped,
		.cause = "A stale or uninitialised descriptor, or the value a failed map returned.",
		.cure = "Look at what the driver wrote into the descriptors last.",
		.limits = "A mapping older than the trace looks the same.",
		.source = SOURCE,
	},
};
const size_t dms_n_rules_fault = DMS_ARRAY_SIZE(dms_rules_fault);

// SPDX-License-Identifier: LGPL-2.1-only
/* Rules of IOMMU faults, joined to the mapping they hit or the last that lived there. */
#include "rows.h"

#define SOURCE "drivers/iommu report_iommu_fault(), iommu:io_page_fault, the kernel's log"

/* How long after the access a fault may be told: by a threaded interrupt. */
#define LATE_NS 10000000ull

static bool is_write(const struct dms_event *event)
{
	return event->err & 1;
}

static void fact_fault(struct dms_facts *facts, const struct dms_step *step)
{
	const char *access = is_write(step->event) ? "write" : "read";

	fact_address(facts, "iova", step->event->dma_addr);
	fact_word(facts, "access", (step->event->has & DMS_HAS_ERR) ? access : "access unknown");
}

/* True if @mapping's direction forbids the access. */
static bool is_denied(const struct dms_step *step, const struct dms_mapping *mapping)
{
	if (!(step->event->has & DMS_HAS_ERR))
		return false;
	return mapping->dir == (is_write(step->event) ? DMS_DIR_TO_DEVICE : DMS_DIR_FROM_DEVICE);
}

/*
 * Faults are told late. If the address lives again and its mapping allows what was denied, the
 * access may have come before that mapping began.
 */
static bool is_reused(const struct dms_step *step)
{
	return step->mapping && step->past && step->mapping->map_ts >= step->past->unmap_ts;
}

static bool after_unmap(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_past *past = step->past;

	if (!past || (step->mapping && (!is_reused(step) || is_denied(step, step->mapping) ||
					step->ts - step->mapping->map_ts > LATE_NS)))
		return false;
	fact_fault(facts, step);
	fact_address(facts, "dma_addr", past->dma_addr);
	fact_number(facts, "size_bytes", past->size);
	fact_number(facts, "ago_ns", step->ts > past->unmap_ts ? step->ts - past->unmap_ts : 0);
	if (step->event->is_other_clock)
		fact_word(facts, "about", ", by two clocks, about");
	fact_word(facts, "reused", is_reused(step) ? "yes" : "no");
	if (is_reused(step))
		fact_number(facts, "reused_after_ns", step->mapping->map_ts - past->unmap_ts);
	if (past->map_stack != DMS_ID_NONE)
		fact_number(facts, "map_stack_id", (uint64_t)past->map_stack + 1);
	if (past->unmap_stack != DMS_ID_NONE)
		fact_number(facts, "unmap_stack_id", (uint64_t)past->unmap_stack + 1);
	return true;
}

static uint32_t reuse_doubts(const struct dms_step *step)
{
	return is_reused(step) ? DMS_DOUBT_REORDERED : 0;
}

static bool wrong_direction(const struct dms_step *step, struct dms_facts *facts)
{
	if (!step->mapping || !is_denied(step, step->mapping))
		return false;
	fact_fault(facts, step);
	fact_address(facts, "dma_addr", step->mapping->dma_addr);
	fact_number(facts, "size_bytes", step->mapping->size);
	fact_dir(facts, "map_dir", step->mapping->dir);
	return true;
}

static bool behind_end(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_mapping *before = step->related;

	if (step->mapping || !before)
		return false;
	fact_fault(facts, step);
	fact_address(facts, "dma_addr", before->dma_addr);
	fact_number(facts, "size_bytes", before->size);
	fact_number(facts, "behind_bytes",
		    step->event->dma_addr - (before->dma_addr + before->size));
	fact_dir(facts, "map_dir", before->dir);
	return true;
}

/* Whatever was there before: what is sure is the fault, and who its neighbour is. */
#define NOT_SEEN (DMS_DOUBT_PRE_TRACE | DMS_DOUBT_LOST_EVENTS | DMS_DOUBT_TRUNCATED)

static uint32_t neighbour_doubts(const struct dms_step *step)
{
	return (step->doubts & NOT_SEEN) ? DMS_DOUBT_AMBIGUOUS : 0;
}

#define IOMMU_PAGE 4096ull

static bool is_in_last_page(uint64_t addr, uint64_t max)
{
	return addr <= max && addr > max - IOMMU_PAGE;
}

/* What such an address is often made of: NULL if it does not show. */
static const char *hint_of(const struct dms_step *step)
{
	/* DMA_MAPPING_ERROR as it is, and as descriptors of 48 and 32 bits hold it */
	static const uint64_t errors[] = {UINT64_MAX, UINT64_MAX >> 16, UINT32_MAX};
	uint64_t iova = step->event->dma_addr, mask = step->device ? step->device->dma_mask : 0;
	bool is_error = mask >= IOMMU_PAGE && is_in_last_page(iova, mask);

	for (size_t i = 0; i < DMS_ARRAY_SIZE(errors); i++)
		is_error |= is_in_last_page(iova, errors[i]);
	if (is_error)
		return "looks like DMA_MAPPING_ERROR: a failed map that was not checked";
	if (iova < IOMMU_PAGE)
		return "looks like a descriptor that was never filled in";
	return NULL;
}

static bool unmapped(const struct dms_step *step, struct dms_facts *facts)
{
	const char *hint = hint_of(step);

	if (step->mapping)
		return false;
	fact_fault(facts, step);
	if (hint)
		fact_word(facts, "hint", hint);
	return true;
}

const struct dms_rule dms_rules_fault[] = {
	{
		.id = "use-after-unmap",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device uses DMA memory after it was unmapped",
		.message =
			"device faults at {iova} ({access}) on a page of the mapping at {dma_addr} of "
			"{size_bytes} bytes, unmapped{about} {ago_ns} before",
		.on = ON(FAULT),
		.inputs = DMS_INPUT_FAULTS | DMS_INPUT_CONSOLE,
		.doubts = reuse_doubts,
		.check = after_unmap,
		.ends = DMS_ENDS_PAST,
		.cause = "The driver unmapped a buffer the device still had in a descriptor.",
		.cure = "Stop the device, or wait for the descriptor's completion, before the "
			"unmap.",
		.limits =
			"With lazy IOTLB flushes (iommu.strict=0) the old translation stays valid "
			"for up to 10 ms or 256 unmaps on a CPU, 1 s with a single queue: a use "
			"before that hits no fault. Without an IOMMU there are no faults at all.",
		.source = SOURCE,
	},
	{
		.id = "fault-direction",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device accesses DMA memory against its direction",
		.message = "device faults at {iova} ({access}) inside the live mapping at "
			   "{dma_addr} of "
			   "{size_bytes} bytes mapped with {map_dir}",
		.on = ON(FAULT),
		.inputs = DMS_INPUT_FAULTS | DMS_INPUT_CONSOLE,
		.check = wrong_direction,
		.cause = "The memory was mapped for reads by the device only and it wrote, or the "
			 "reverse.",
		.cure = "Map with the direction the device uses; BIDIRECTIONAL if it is both.",
		.limits = "IOMMUs that cannot forbid reads alone never fault on a read of "
			  "FROM_DEVICE "
			  "memory.",
		.source = SOURCE,
	},
	{
		.id = "fault-overrun",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device accesses memory past the end of a mapping",
		.message = "device faults at {iova} ({access}), {behind_bytes} bytes past the "
			   "end of the live mapping at {dma_addr} of {size_bytes} bytes",
		.on = ON(FAULT),
		.yields_to = "use-after-unmap",
		.beside = NOT_SEEN,
		.inputs = DMS_INPUT_FAULTS | DMS_INPUT_CONSOLE,
		.doubts = neighbour_doubts,
		.check = behind_end,
		.cause = "The device was told a length larger than what is mapped, or it fetches "
			 "ahead.",
		.cure = "Compare the length in the descriptor with the size given to the map.",
		.limits = "Inside the mapping's last page an overrun hits no fault. The address "
			  "may "
			  "also be a stale one that happens to be next to the mapping.",
		.source = SOURCE,
	},
	{
		.id = "fault-unmapped",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device accesses an address that is not mapped",
		.message = "device faults at {iova} ({access}), where nothing is or was mapped in "
			   "this trace",
		.on = ON(FAULT),
		.yields_to = "use-after-unmap fault-overrun",
		/* The IOMMU saw the access and found nothing for it; but is this the device? */
		.beside = ALL_DOUBTS & ~DMS_DOUBT_UNTRACED,
		.inputs = DMS_INPUT_FAULTS | DMS_INPUT_CONSOLE,
		.check = unmapped,
		.cause = "A stale or uninitialised descriptor, or the value a failed map returned.",
		.cure = "Look at what the driver wrote into the descriptors last.",
		.limits =
			"Intel's VT-d and Arm's SMMUv3 tell faults in the kernel's log only. A "
			"mapping "
			"older than the trace looks the same. If the fault names no device, or one "
			"without a mapping in this trace, it may be another's.",
		.source = SOURCE,
	},
};
const size_t dms_n_rules_fault = DMS_ARRAY_SIZE(dms_rules_fault);

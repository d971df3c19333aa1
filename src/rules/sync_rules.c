// SPDX-License-Identifier: LGPL-2.1-only
/* Rules of syncs: check_sync() of kernel/dma/debug.c, its unreachable message included. */
#include "rows.h"

#define DEBUG_C "kernel/dma/debug.c check_sync()"

/* Hard and soft interrupt, NMI: include/linux/trace_events.h */
#define IN_INTERRUPT (0x08 | 0x10 | 0x40)

static bool is_for_cpu(const struct dms_event *event)
{
	return event->kind == DMS_EV_SYNC_FOR_CPU || event->kind == DMS_EV_SYNC_SG_FOR_CPU;
}

static void fact_sync(struct dms_facts *facts, const struct dms_event *event)
{
	fact_address(facts, "dma_addr", event->dma_addr);
	fact_number(facts, "size_bytes", event->size);
}

static bool sync_direction(const struct dms_step *step, struct dms_facts *facts)
{
	if (step->mapping->dir == DMS_DIR_BIDIRECTIONAL)
		return false;
	/* A buffer mapped with SKIP_CPU_SYNC is synced for each CPU access on its own (udmabuf). */
	if (step->mapping->attrs & DMS_ATTR_SKIP_CPU_SYNC)
		return false;
	fact_sync(facts, step->event);
	fact_dir(facts, "map_dir", step->mapping->dir);
	fact_dir(facts, "sync_dir", step->event->dir);
	return true;
}

/*
 * Exporters of dma-bufs (dma-heaps) sync a list with the direction of the access that user space
 * tells them of, in its own context.
 */
static uint32_t exporter_doubts(const struct dms_step *step)
{
	const struct dms_mapping *mapping = step->mapping;

	if (!(step->event->has & DMS_HAS_DMA_LIST) || mapping->kind != DMS_MAPPING_SG ||
	    (step->event->common_flags & IN_INTERRUPT) || mapping->cpu_addr % 4096 ||
	    mapping->size % 4096)
		return 0;
	return DMS_DOUBT_UNTRACED;
}

static bool sync_read_only(const struct dms_step *step, struct dms_facts *facts)
{
	if (!is_for_cpu(step->event) || step->event->dir == DMS_DIR_TO_DEVICE ||
	    step->mapping->dir != DMS_DIR_TO_DEVICE ||
	    (step->mapping->attrs & DMS_ATTR_SKIP_CPU_SYNC))
		return false;
	fact_sync(facts, step->event);
	fact_dir(facts, "map_dir", step->mapping->dir);
	fact_dir(facts, "sync_dir", step->event->dir);
	return true;
}

static bool sync_write_only(const struct dms_step *step, struct dms_facts *facts)
{
	if (is_for_cpu(step->event) || step->event->dir == DMS_DIR_FROM_DEVICE ||
	    step->mapping->dir != DMS_DIR_FROM_DEVICE ||
	    (step->mapping->attrs & DMS_ATTR_SKIP_CPU_SYNC))
		return false;
	fact_sync(facts, step->event);
	fact_dir(facts, "map_dir", step->mapping->dir);
	fact_dir(facts, "sync_dir", step->event->dir);
	return true;
}

static bool sync_count(const struct dms_step *step, struct dms_facts *facts)
{
	if (step->mapping->truncated)
		return false;
	fact_address(facts, "dma_addr", step->mapping->dma_addr);
	fact_number(facts, "map_count", step->mapping->nents);
	fact_number(facts, "sync_count", step->event->nents);
	return true;
}

static bool sync_outside(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_mapping *around = step->related;

	if (!around)
		return false;
	fact_sync(facts, step->event);
	fact_number(facts, "map_size_bytes", around->size);
	fact_number(facts, "sync_end_bytes",
		    step->event->dma_addr - around->dma_addr + step->event->size);
	return true;
}

static bool sync_ended(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_past *past = step->past;

	if (!past || past->end != DMS_END_UNMAPPED)
		return false;
	fact_sync(facts, step->event);
	fact_number(facts, "ago_ns", step->ts - past->unmap_ts);
	return true;
}

static bool sync_unknown(const struct dms_step *step, struct dms_facts *facts)
{
	fact_sync(facts, step->event);
	return true;
}

/* Coherent memory needs no sync, and registers of a device must have none. */
static bool sync_unstreamed(const struct dms_step *step, struct dms_facts *facts)
{
	fact_sync(facts, step->event);
	fact_word(facts, "mapped_as", debug_kind_name(step->mapping->kind));
	return true;
}

const struct dms_rule dms_rules_sync[] = {
	{
		.id = "sync-not-streaming",
		.severity = DMS_SEVERITY_WARNING,
		.title = "device driver syncs memory that is no streaming mapping",
		.message = "device driver syncs memory that is no streaming mapping [device "
			   "address={dma_addr}] [size={size_bytes} bytes] [mapped as {mapped_as}]",
		.on = ON(SYNC),
		.signs = DMS_SIGN_UNSTREAMED,
		.check = sync_unstreamed,
		.cause = "dma_sync_*() is called on coherent memory, which needs none, or on registers of "
			 "a device, which have no cache lines: the call does nothing at best.",
		.cure = "Drop the call; where the CPU must see what the device wrote in coherent memory, "
			"dma_rmb() and dma_wmb() order the accesses.",
		.limits = "dma-debug is silent. Memory of dma_alloc_noncoherent() and "
			  "dma_alloc_noncontiguous() does need syncs.",
		.source = "Documentation/core-api/dma-api.rst parts Ia, Id",
	},
	{
		.id = "sync-direction-mismatch",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver syncs DMA memory with different direction",
		.message = "device driver syncs DMA memory with different direction [device "
			   "address={dma_addr}] [size={size_bytes} bytes] [mapped with {map_dir}] [synced "
			   "with {sync_dir}]",
		.on = ON(SYNC),
		.needs = DMS_HAS_DIR,
		.differs = DMS_DIFFERS_DIR,
		.doubts = exporter_doubts,
		.check = sync_direction,
		.cause = "The direction of a sync is not the mapping's, which is not bidirectional.",
		.cure = "Sync with the direction the memory was mapped with.",
		.limits = "Mappings with DMA_ATTR_SKIP_CPU_SYNC are not judged: exporters such as udmabuf "
			  "sync them with the direction of each access. So do dma-heaps: of lists of "
			  "whole pages it is only possible, unless an interrupt syncs them.",
		.source = DEBUG_C,
	},
	{
		.id = "sync-readonly-for-cpu",
		.severity = DMS_SEVERITY_WARNING,
		.title = "device driver syncs device read-only DMA memory for cpu",
		.message = "device driver syncs device read-only DMA memory for cpu [device "
			   "address={dma_addr}] [size={size_bytes} bytes] [mapped with {map_dir}] [synced "
			   "with {sync_dir}]",
		.on = ON(SYNC),
		.needs = DMS_HAS_DIR,
		.differs = DMS_DIFFERS_DIR,
		.doubts = exporter_doubts,
		.check = sync_read_only,
		.cause = "The device only reads this memory: there is nothing it could have written.",
		.cure = "Drop the sync, or map FROM_DEVICE or BIDIRECTIONAL if the device does write.",
		.source = DEBUG_C,
	},
	{
		.id = "sync-writeonly-for-device",
		.severity = DMS_SEVERITY_WARNING,
		.title = "device driver syncs device write-only DMA memory to device",
		.message = "device driver syncs device write-only DMA memory to device [device "
			   "address={dma_addr}] [size={size_bytes} bytes] [mapped with {map_dir}] [synced "
			   "with {sync_dir}]",
		.on = ON(SYNC),
		.needs = DMS_HAS_DIR,
		.differs = DMS_DIFFERS_DIR,
		.doubts = exporter_doubts,
		.check = sync_write_only,
		.cause = "The device only writes this memory, and is told that the CPU wrote it.",
		.cure = "Sync FROM_DEVICE, or map BIDIRECTIONAL if the device does read.",
		.source = DEBUG_C,
	},
	{
		.id = "sync-sg-count-mismatch",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver syncs DMA sg list with different entry count",
		.message = "device driver syncs DMA sg list with different entry count [device "
			   "address={dma_addr}] [map count={map_count}] [sync count={sync_count}]",
		.on = ON(SYNC),
		.needs = DMS_HAS_DMA_LIST,
		.differs = DMS_DIFFERS_NENTS,
		.check = sync_count,
		.cause = "dma_sync_sg_*() was given another nents than dma_map_sg().",
		.cure = "Pass the nents that was given to dma_map_sg().",
		.source = DEBUG_C,
	},
	{
		.id = "sync-outside-range",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver syncs DMA memory outside allocated range",
		.message = "device driver syncs DMA memory outside allocated range [device "
			   "address={dma_addr}] [allocation size={map_size_bytes} bytes] [sync "
			   "offset+size={sync_end_bytes}]",
		.on = ON(SYNC_UNMATCHED),
		.needs = DMS_HAS_DMA_ADDR | DMS_HAS_SIZE,
		.check = sync_outside,
		.cause = "The sync begins inside a mapping and reaches past its end.",
		.cure = "Sync at most what was mapped.",
		.source = DEBUG_C ", where this message cannot be reached",
	},
	{
		.id = "sync-after-unmap",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver syncs DMA memory after it was unmapped",
		.message = "device driver tries to sync DMA memory it has not allocated [device "
			   "address={dma_addr}] [size={size_bytes} bytes]: it was unmapped {ago_ns} before",
		.on = ON(SYNC_UNMATCHED),
		.yields_to = "sync-outside-range",
		.ends = DMS_ENDS_PAST,
		.check = sync_ended,
		.cause = "The buffer is still in use after its unmap.",
		.cure = "Sync before the unmap, or not at all: the unmap hands the memory to the CPU.",
		.limits = "The mapping must have begun at most 64 KiB before the synced address.",
		.source = DEBUG_C ", which says only \"not allocated\"",
	},
	{
		.id = "sync-not-mapped",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver tries to sync DMA memory it has not allocated",
		.message = "device driver tries to sync DMA memory it has not allocated [device "
			   "address={dma_addr}] [size={size_bytes} bytes]",
		.on = ON(SYNC_UNMATCHED),
		.yields_to = "sync-outside-range sync-after-unmap map-error-unchecked",
		.check = sync_unknown,
		.cause = "No live mapping of this device holds the range.",
		.cure = "Sync the address dma_map_*() returned, of the device it was mapped for.",
		.limits = "A mapping older than the trace looks the same: certain only if the trace holds "
			  "the device's probe.",
		.source = DEBUG_C,
	},
};
const size_t dms_n_rules_sync = DMS_ARRAY_SIZE(dms_rules_sync);

// SPDX-License-Identifier: LGPL-2.1-only
/*
 * Events as text, in the words and the order of the kernel's own print formats, and the reader of
 * text traces understands it. What is said beside them stands in brackets at the end.
 * Source: include/trace/events/{dma,swiotlb,iommu}.h of Linux 6.12 to 7.2.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "plugin.h"

typedef void (*piece_fn)(const struct printer *printer, const struct dms_event *event);

void print_name(struct trace_seq *seq, const char *str)
{
	for (const unsigned char *c = (const unsigned char *)str; *c; c++) {
		if (*c < 0x20 || *c >= 0x7f)
			trace_seq_printf(seq, "\\x%02x", *c);
		else
			trace_seq_putc(seq, *c);
	}
}

static void put_id(const struct printer *printer, uint32_t id)
{
	if (id != DMS_ID_NONE)
		print_name(printer->seq, dms_strtab_get(printer->names->devices, id));
}

/* ---- fields ---------------------------------------------------------------------------------- */

static void device(const struct printer *printer, const struct dms_event *event)
{
	put_id(printer, event->device);
}

/* A kernel that does not log it, or logs what nobody set, gives no direction. */
static void dir(const struct printer *printer, const struct dms_event *event)
{
	if (event->has & DMS_HAS_DIR)
		trace_seq_printf(printer->seq, " dir=%s", dms_dir_name((enum dms_dir)event->dir));
}

static void dma_addr(const struct printer *printer, const struct dms_event *event)
{
	trace_seq_printf(printer->seq, " dma_addr=%" PRIx64, event->dma_addr);
}

static void size(const struct printer *printer, const struct dms_event *event)
{
	trace_seq_printf(printer->seq, " size=%" PRIu64, event->size);
}

static void phys_addr(const struct printer *printer, const struct dms_event *event)
{
	if (event->has & DMS_HAS_PHYS_ADDR)
		trace_seq_printf(printer->seq, " phys_addr=%" PRIx64, event->phys_addr);
}

static void virt_addr(const struct printer *printer, const struct dms_event *event)
{
	if (event->has & DMS_HAS_VIRT_ADDR && event->virt_addr)
		trace_seq_printf(printer->seq, " virt_addr=0x%" PRIx64, event->virt_addr);
	else if (event->has & DMS_HAS_VIRT_ADDR)
		trace_seq_puts(printer->seq, " virt_addr=(nil)");
}

/* As __print_flags() does: a name takes its bits, those left are a number. */
static void gfp(const struct printer *printer, const struct dms_event *event)
{
	uint64_t left = event->gfp;
	const char *bar = "";

	if (!(event->has & DMS_HAS_GFP))
		return;
	trace_seq_puts(printer->seq, " flags=");
	for (const struct tep_print_flag_sym *flag = printer->gfp_flags; flag; flag = flag->next) {
		uint64_t bits = flag->value ? strtoull(flag->value, NULL, 0) : 0;

		if (!bits || !flag->str || (left & bits) != bits)
			continue;
		trace_seq_printf(printer->seq, "%s%s", bar, flag->str);
		left &= ~bits;
		bar = "|";
	}
	if (left || !event->gfp)
		trace_seq_printf(printer->seq, "%s0x%" PRIx64, bar, left);
}

static void attrs(const struct printer *printer, const struct dms_event *event)
{
	char words[256];

	if (event->has & DMS_HAS_ATTRS)
		trace_seq_printf(printer->seq, " attrs=%s",
				 dms_attrs_format(event->attrs, words, sizeof(words)));
}

static void err(const struct printer *printer, const struct dms_event *event)
{
	trace_seq_printf(printer->seq, " err=%" PRId32, event->err);
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* How many of @count entries are shown. */
static uint32_t shown(const struct printer *printer, uint32_t count)
{
	return printer->max_segments && printer->max_segments < count ? printer->max_segments
								      : count;
}

static void put_end(const struct printer *printer, uint32_t count)
{
	trace_seq_puts(printer->seq, shown(printer, count) < count ? ",...}" : "}");
}

static void put_addresses(const struct printer *printer, const char *key, const uint64_t *list,
			  uint32_t count)
{
	trace_seq_printf(printer->seq, " %s={", key);
	for (uint32_t i = 0; i < shown(printer, count); i++)
		trace_seq_printf(printer->seq, "%s0x%" PRIx64, i ? "," : "", list[i]);
	put_end(printer, count);
}

static void dma_addrs(const struct printer *printer, const struct dms_event *event)
{
	put_addresses(printer, "dma_addrs", event->dma_list, event->n_dma);
}

static void phys_addrs(const struct printer *printer, const struct dms_event *event)
{
	if (event->has & DMS_HAS_PHYS_LIST)
		put_addresses(printer, "phys_addrs", event->phys_list, event->n_phys);
}

static void sizes(const struct printer *printer, const struct dms_event *event)
{
	trace_seq_puts(printer->seq, " sizes={");
	for (uint32_t i = 0; i < shown(printer, event->n_dma); i++)
		trace_seq_printf(printer->seq, "%s%" PRIu32, i ? "," : "", event->lengths[i]);
	put_end(printer, event->n_dma);
}

/* The kernel's counts: logged of all there are. */
static void counts(const struct printer *printer, const struct dms_event *event)
{
	if (event->has & DMS_HAS_NENTS)
		trace_seq_printf(printer->seq,
				 " nents=%" PRIu32 "/%" PRIu32 " ents=%" PRIu32 "/%" PRIu32 "%s",
				 event->n_phys, event->nents, event->n_dma, event->ents,
				 event->truncated ? " [TRUNCATED]" : "");
}

/* "[16 segments, 65536 bytes]", "[128 of 512 segments, at least 524288 bytes]" */
static void segments(const struct printer *printer, const struct dms_event *event)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < event->n_dma; i++)
		bytes += event->lengths[i];
	if (event->ents > event->n_dma)
		trace_seq_printf(printer->seq,
				 " [%" PRIu32 " of %" PRIu32 " segments, at least %" PRIu64 " bytes]",
				 event->n_dma, event->ents, bytes);
	else
		trace_seq_printf(printer->seq, " [%" PRIu32 " segment%s, %s%" PRIu64 " bytes]",
				 event->n_dma, event->n_dma == 1 ? "" : "s",
				 event->truncated ? "at least " : "", bytes);
}

static void entries(const struct printer *printer, const struct dms_event *event)
{
	trace_seq_printf(printer->seq, " [%" PRIu32 " entr%s]", event->n_phys,
			 event->n_phys == 1 ? "y" : "ies");
}

/* ---- other words ----------------------------------------------------------------------------- */

static void failed(const struct printer *printer, const struct dms_event *event)
{
	if (event->failed)
		trace_seq_puts(printer->seq, " [failed]");
}

static void bounce(const struct printer *printer, const struct dms_event *event)
{
	trace_seq_puts(printer->seq, "dev_name: ");
	put_id(printer, event->device);
	if (event->has & DMS_HAS_DMA_MASK)
		trace_seq_printf(printer->seq, " dma_mask=%" PRIx64, event->dma_mask);
	trace_seq_printf(printer->seq, " dev_addr=%" PRIx64 " size=%" PRIu64 " %s",
			 event->phys_addr, event->size, event->force ? "FORCE" : "NORMAL");
}

/* Source: include/linux/iommu.h: IOMMU_FAULT_READ 0x0, IOMMU_FAULT_WRITE 0x1 */
static void fault(const struct printer *printer, const struct dms_event *event)
{
	trace_seq_puts(printer->seq, "IOMMU:");
	put_id(printer, event->driver);
	trace_seq_putc(printer->seq, ' ');
	put_id(printer, event->device);
	trace_seq_printf(printer->seq, " iova=0x%016" PRIx64, event->dma_addr);
	if (event->has & DMS_HAS_ERR)
		trace_seq_printf(printer->seq, " flags=0x%04" PRIx32 " [%s]", (uint32_t)event->err,
				 event->err & 1 ? "WRITE" : "READ");
}

/* ---- rows ------------------------------------------------------------------------------------ */

#define MAX_PIECES 11

/* clang-format off */
static const piece_fn layouts[DMS_EV_N_KINDS][MAX_PIECES] = {
	[DMS_EV_MAP]		= {device, dir, dma_addr, size, phys_addr, attrs, failed},
	[DMS_EV_MAP_RESOURCE]	= {device, dir, dma_addr, size, phys_addr, attrs, failed},
	[DMS_EV_MAP_SG]		= {device, dir, counts, dma_addrs, sizes, phys_addrs, attrs, segments},
	[DMS_EV_MAP_SG_ERR]	= {device, dir, phys_addrs, err, attrs, entries},
	[DMS_EV_UNMAP]		= {device, dir, dma_addr, size, attrs},
	[DMS_EV_UNMAP_RESOURCE]	= {device, dir, dma_addr, size, attrs},
	[DMS_EV_UNMAP_SG]	= {device, dir, phys_addrs, attrs, entries},
	[DMS_EV_ALLOC]		= {device, dir, dma_addr, size, phys_addr, virt_addr, gfp, attrs, failed},
	[DMS_EV_ALLOC_PAGES]	= {device, dir, dma_addr, size, phys_addr, virt_addr, gfp, attrs, failed},
	[DMS_EV_ALLOC_SGT]	= {device, dir, dma_addr, size, phys_addrs, gfp, attrs, entries},
	[DMS_EV_ALLOC_SGT_ERR]	= {device, dir, dma_addr, size, virt_addr, gfp, attrs, failed},
	[DMS_EV_FREE]		= {device, dir, dma_addr, size, phys_addr, virt_addr, attrs},
	[DMS_EV_FREE_PAGES]	= {device, dir, dma_addr, size, phys_addr, virt_addr, attrs},
	[DMS_EV_FREE_SGT]	= {device, dir, dma_addr, size, phys_addrs, entries},
	[DMS_EV_SYNC_FOR_CPU]	= {device, dir, dma_addr, size},
	[DMS_EV_SYNC_FOR_DEVICE] = {device, dir, dma_addr, size},
	[DMS_EV_SYNC_SG_FOR_CPU] = {device, dir, dma_addrs, sizes, segments},
	[DMS_EV_SYNC_SG_FOR_DEVICE] = {device, dir, dma_addrs, sizes, segments},
	[DMS_EV_BOUNCE]		= {bounce},
	[DMS_EV_IOMMU_FAULT]	= {fault},
};
/* clang-format on */

bool print_has(enum dms_event_kind kind)
{
	return kind < DMS_EV_N_KINDS && layouts[kind][0];
}

void print_event(const struct printer *printer, const struct dms_event *event)
{
	for (const piece_fn *piece = layouts[event->kind]; *piece; piece++)
		(*piece)(printer, event);
}

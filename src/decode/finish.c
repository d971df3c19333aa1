// SPDX-License-Identifier: LGPL-2.1-only
/* What follows from the fields of an event, by its kind. */
#include "decoder.h"

void finish_gfp(const struct dms_decoder *decoder, struct dms_event *event)
{
	if (!(event->has & DMS_HAS_GFP) || !decoder->direct_reclaim)
		return;
	event->may_block = event->gfp & decoder->direct_reclaim;
	event->has |= DMS_HAS_MAY_BLOCK;
}

static malformed finish_alloc(struct dms_decoder *decoder, struct dms_event *event)
{
	bool is_alloc = event->kind == DMS_EV_ALLOC || event->kind == DMS_EV_ALLOC_PAGES;

	if (is_alloc && (event->has & DMS_HAS_VIRT_ADDR) && !event->virt_addr)
		event->failed = true;
	if (event->kind == DMS_EV_ALLOC_SGT_ERR)
		event->failed = true;
	if (event->failed) { /* before 7.2.8 whatever the caller's variable held */
		event->has &= ~(uint32_t)DMS_HAS_DMA_ADDR;
		event->dma_addr = 0;
	}
	finish_gfp(decoder, event);
	if (decoder->no_alloc_dir && (is_alloc || event->failed)) {
		event->has &= ~(uint32_t)DMS_HAS_DIR;
		event->dir = DMS_DIR_UNKNOWN;
	}
	return NULL;
}

static malformed finish_list(struct dms_decoder *decoder, struct dms_event *event)
{
	(void)decoder;
	if ((event->has & DMS_HAS_LENGTHS) && decoder->lengths.count != event->n_dma)
		return "as many lengths as addresses expected";
	if (!(event->has & DMS_HAS_NENTS)) {
		event->nents = event->kind == DMS_EV_SYNC_SG_FOR_CPU ||
					       event->kind == DMS_EV_SYNC_SG_FOR_DEVICE
				       ? event->n_dma
				       : event->n_phys;
		event->ents = event->n_dma;
	}
	if (event->n_dma)
		event->dma_addr = event->dma_list[0];
	if (event->kind == DMS_EV_MAP_SG) {
		for (uint32_t i = 0; i < event->n_dma; i++)
			event->size += event->lengths[i];
		event->has |= DMS_HAS_SIZE | DMS_HAS_DMA_ADDR;
	}
	event->failed = event->kind == DMS_EV_MAP_SG_ERR;
	return NULL;
}

/*
 * A page frame number was read as if it were an address. Without the page size, which no text tells
 * (the source says so once), it says nothing: that is no damage.
 */
static malformed finish_page(struct dms_decoder *decoder, struct dms_event *event)
{
	if (!decoder->page_shift) {
		event->kind = DMS_EV_NONE;
		return NULL;
	}
	if (event->phys_addr > UINT64_MAX >> decoder->page_shift)
		return "a page frame number beyond all memory";
	event->phys_addr <<= decoder->page_shift;
	return NULL;
}

/* The size was read as the order of an allocation; the batched event has none: order 0. */
static malformed finish_page_free(struct dms_decoder *decoder, struct dms_event *event)
{
	if (event->size > 32)
		return "an allocation order beyond all memory";
	event->size = 1ull << (decoder->page_shift + event->size);
	event->has |= DMS_HAS_SIZE;
	return finish_page(decoder, event);
}

static malformed finish_marker(struct dms_decoder *decoder, struct dms_event *event)
{
	(void)decoder;
	if (!event->text_len)
		event->kind = DMS_EV_NONE;
	return NULL;
}

static malformed finish_console(struct dms_decoder *decoder, struct dms_event *event)
{
	struct dms_event said;

	event_clear(&said);
	if (!dms_console_read(&decoder->console, event->text, event->text_len,
			      decoder->names->devices, &said) ||
	    said.kind == DMS_EV_NONE) {
		event->kind = DMS_EV_NONE;
		return NULL;
	}
	said.ts = event->ts;
	said.cpu = event->cpu;
	said.pid = event->pid;
	said.common_flags = event->common_flags;
	said.preempt_count = event->preempt_count;
	said.instance = event->instance;
	*event = said;
	return NULL;
}

/* Those of finish_map() are not here: see finish_event(). */
const finish_fn finish[DMS_EV_N_KINDS] = {
	[DMS_EV_ALLOC] = finish_alloc,
	[DMS_EV_ALLOC_PAGES] = finish_alloc,
	[DMS_EV_ALLOC_SGT] = finish_alloc,
	[DMS_EV_ALLOC_SGT_ERR] = finish_alloc,
	[DMS_EV_MAP_SG] = finish_list,
	[DMS_EV_MAP_SG_ERR] = finish_list,
	[DMS_EV_UNMAP_SG] = finish_list,
	[DMS_EV_SYNC_SG_FOR_CPU] = finish_list,
	[DMS_EV_SYNC_SG_FOR_DEVICE] = finish_list,
	[DMS_EV_CHECK] = finish_check,
	[DMS_EV_SET_MASK] = finish_mask,
	[DMS_EV_SET_COHERENT_MASK] = finish_mask,
	[DMS_EV_MAP_SG_RETURN] = finish_sg_return,
	[DMS_EV_NEED_UNMAP] = finish_need_unmap,
	[DMS_EV_POOL_CREATE] = finish_pool,
	[DMS_EV_POOL_ALLOC] = finish_pool,
	[DMS_EV_POOL_FREE] = finish_pool,
	[DMS_EV_POOL_DESTROY] = finish_pool,
	[DMS_EV_STACK_PAGE] = finish_stack_page,
	[DMS_EV_UNBIND_BEGIN] = finish_bind,
	[DMS_EV_UNBIND] = finish_bind,
	[DMS_EV_UNBOUND] = finish_bind,
	[DMS_EV_BOUND] = finish_bind,
	[DMS_EV_PAGE_FREE] = finish_page_free,
	[DMS_EV_PAGE_POOL_HOLD] = finish_page,
	[DMS_EV_PAGE_POOL_RELEASE] = finish_page,
	[DMS_EV_MARKER] = finish_marker,
	[DMS_EV_CONSOLE] = finish_console,
};

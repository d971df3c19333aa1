// SPDX-License-Identifier: LGPL-2.1-only
/* Record to event: which tracepoint it is of, and what follows from its fields. */
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "probe.h"

/* ---- the decoder ------------------------------------------------------------------------------
 */

static struct dms_error *count_malformed(struct dms_decoder *decoder, struct tracepoint *tracepoint,
					 const struct dms_record *record, malformed why)
{
	decoder->n_malformed += tracepoint->row->kind < DMS_EV_CHECK;
	if (why == out_of_memory)
		return &dms_error_nomem;
	tracepoint->malformed++;
	if (tracepoint->reason)
		return NULL;
	tracepoint->reason = dms_strdup(why);
	tracepoint->reason_offset = record->offset;
	return tracepoint->reason ? NULL : &dms_error_nomem;
}

/* @record of a tracepoint without a row: a stack, a probe that may get one now, or none of ours. */
_apart_ static struct dms_error *look_at_other(struct dms_decoder *decoder,
					       struct tracepoint *tracepoint,
					       const struct dms_record *record)
{
	struct dms_error *err;

	if (tracepoint->format->id == decoder->stack_type)
		stack_count_orphan(decoder, record);
	if (!tracepoint->probe.is_pending)
		return NULL;
	err = probe_settle(decoder, tracepoint, record);
	inputs_note(decoder);
	return err || !decoder->is_short ? err : &dms_error_nomem;
}

static inline void finish_map(const struct dms_decoder *decoder, struct dms_event *event)
{
	bool is_map = event->kind == DMS_EV_MAP || event->kind == DMS_EV_MAP_RESOURCE;

	/* Since 6.18 a resource is a phys mapping with this attribute. */
	if (event->attrs & DMS_ATTR_MMIO)
		event->kind = is_map ? DMS_EV_MAP_RESOURCE : DMS_EV_UNMAP_RESOURCE;
	if (event->dma_addr == decoder->mapping_error) {
		event->failed = is_map;
		event->dma_addr = DMS_MAPPING_ERROR64; /* of a 32-bit dma_addr_t, too */
	}
}

/* What follows from the fields of @event by its kind; it may become NONE. */
static inline malformed finish_event(struct dms_decoder *decoder, struct dms_event *event)
{
	switch (event->kind) {
	case DMS_EV_MAP: /* nearly all: without a call */
	case DMS_EV_MAP_RESOURCE:
	case DMS_EV_UNMAP:
	case DMS_EV_UNMAP_RESOURCE:
		finish_map(decoder, event);
		return NULL;
	default:
		return finish[event->kind] ? finish[event->kind](decoder, event) : NULL;
	}
}

static inline malformed decode(struct dms_decoder *decoder, const struct tracepoint *tracepoint,
			       const struct dms_record *record, struct dms_event *event)
{
	malformed why;

	event_clear(event);
	event->kind = tracepoint->row->kind;
	event->ts = record->ts;
	event->cpu = record->cpu;
	event->instance = record->instance;
	if (record->size < tracepoint->min_size)
		return "the record is shorter than its fields";
	if ((why = read_fields(decoder, tracepoint, record, event)))
		return why;
	if (tracepoint->probe.half != HALF_NONE &&
	    (why = probe_join(decoder, (enum half)tracepoint->probe.half, event)))
		return why;
	if ((why = finish_event(decoder, event)) || event->kind == DMS_EV_NONE)
		return why;
	if (!stack_take(decoder, record, event))
		return out_of_memory;
	if (event->kind >= DMS_EV_CHECK) {
		caller_by_stack(decoder, event);
		if (decoder->is_short)
			return out_of_memory;
	}
	return NULL;
}

struct dms_error *dms_decode(struct dms_decoder *decoder, const struct dms_record *record,
			     struct dms_event *ret)
{
	uint32_t type = record_type(decoder, record->data, record->size);
	struct tracepoint *tracepoint;
	struct dms_error *err;
	malformed why;

	ret->kind = DMS_EV_NONE;
	if (type >= decoder->n_types || !(tracepoint = decoder->by_type[type]))
		return NULL;
	tracepoint->records++;
	if (!tracepoint->row) {
		err = look_at_other(decoder, tracepoint, record);
		if (err || !tracepoint->row)
			return err;
	}
	why = decode(decoder, tracepoint, record, ret);
	if (!why)
		return NULL;
	ret->kind = DMS_EV_NONE;
	return count_malformed(decoder, tracepoint, record, why);
}

static int compare_tracepoints(const void *left, const void *right)
{
	const struct dms_format *a = ((const struct tracepoint *)left)->format;
	const struct dms_format *b = ((const struct tracepoint *)right)->format;
	int order = strcmp(a->system, b->system);

	return order ? order : strcmp(a->name, b->name);
}

static const struct event_row *find_row(const struct dms_format *format)
{
	for (size_t i = 0; i < n_event_rows; i++) {
		if (!strcmp(event_table[i].name, format->name) &&
		    !strcmp(event_table[i].system, format->system))
			return &event_table[i];
	}
	return NULL;
}

/* Pages freed in batches are told twice, if the freeing of each page is recorded, too. */
static void drop_batched(struct dms_decoder *decoder)
{
	bool is_double = false;

	for (uint32_t i = 0; i < decoder->n_tracepoints; i++) { /* the batched one comes second */
		struct tracepoint *tracepoint = &decoder->tracepoints[i];

		if (!tracepoint->row || tracepoint->row->kind != DMS_EV_PAGE_FREE)
			continue;
		if (is_double)
			tracepoint->row = NULL;
		is_double = true;
	}
}

static struct dms_error *bind_all(struct dms_decoder *decoder)
{
	for (uint32_t i = 0; i < decoder->n_tracepoints; i++) {
		struct tracepoint *tracepoint = &decoder->tracepoints[i];
		const struct dms_format *format = tracepoint->format;
		const struct probe_half *half;
		struct dms_error *err;

		if (format->id >= decoder->n_types)
			continue; /* no record can name it */
		if (decoder->by_type[format->id])
			continue; /* the first of two formats of one id counts */
		decoder->by_type[format->id] = tracepoint;
		if (!strcmp(format->system, "ftrace") && !strcmp(format->name, "kernel_stack")) {
			stack_bind(decoder, format);
			continue;
		}
		half = probe_half_of(format);
		tracepoint->probe.half = half ? half->half : HALF_NONE;
		tracepoint->row = half ? &half->event : find_row(format);
		err = tracepoint->row ? bind_tracepoint(tracepoint) : probe_bind(tracepoint);
		if (err)
			return err;
	}
	drop_batched(decoder);
	return NULL;
}

/* swiotlb_bounced tells the width of dma_addr_t; else a 32-bit kernel has a 32-bit one. */
static uint64_t mapping_error_of(const struct dms_decoder *decoder)
{
	for (uint32_t i = 0; i < decoder->n_tracepoints; i++) {
		const struct tracepoint *tracepoint = &decoder->tracepoints[i];

		if (!tracepoint->row || tracepoint->row->kind != DMS_EV_BOUNCE)
			continue;
		for (uint32_t j = 0; j < tracepoint->n_fields; j++) {
			if (tracepoint->fields[j].has == DMS_HAS_PHYS_ADDR)
				return tracepoint->fields[j].size == 4 ? DMS_MAPPING_ERROR32
								       : DMS_MAPPING_ERROR64;
		}
	}
	return decoder->long_size == 4 ? DMS_MAPPING_ERROR32 : DMS_MAPPING_ERROR64;
}

static uint32_t direct_reclaim_of(const struct dms_decoder *decoder)
{
	for (uint32_t i = 0; i < decoder->n_tracepoints; i++) {
		const struct tracepoint *tracepoint = &decoder->tracepoints[i];
		uint32_t mask;

		if (!tracepoint->row || tracepoint->row->kind < DMS_EV_ALLOC ||
		    tracepoint->row->kind > DMS_EV_ALLOC_SGT_ERR)
			continue;
		mask = gfp_direct_reclaim(tracepoint->format->text, tracepoint->format->size);
		if (mask)
			return mask;
	}
	return 0;
}

static bool allocate(struct dms_decoder *decoder, const struct dms_format *formats, uint32_t n)
{
	decoder->n_types = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (formats[i].id < MAX_TYPES && formats[i].id >= decoder->n_types)
			decoder->n_types = formats[i].id + 1;
	}
	decoder->by_type = dms_zalloc((size_t)decoder->n_types * sizeof(*decoder->by_type));
	decoder->tracepoints = dms_zalloc((size_t)n * sizeof(*decoder->tracepoints));
	if (!decoder->by_type || !decoder->tracepoints)
		return false;
	for (uint32_t i = 0; i < n; i++)
		decoder->tracepoints[i].format = &formats[i];
	decoder->n_tracepoints = n;
	qsort(decoder->tracepoints, n, sizeof(*decoder->tracepoints), compare_tracepoints);
	return true;
}

struct dms_error *dms_decoder_create(struct dms_source *source, const struct dms_names *names,
				     struct dms_decoder **ret)
{
	const struct dms_source_info *info = dms_source_info(source);
	struct dms_decoder *decoder = dms_zalloc(sizeof(*decoder));
	const struct dms_format *formats;
	struct dms_error *err;
	uint32_t n_formats;

	if (!decoder)
		return &dms_error_nomem;
	decoder->source = source;
	decoder->names = names;
	if (info->page_size >= 4096 && !(info->page_size & (info->page_size - 1)))
		decoder->page_shift = (unsigned int)__builtin_ctz(info->page_size);
	decoder->long_size = info->long_size;
	decoder->no_alloc_dir = alloc_dir_is_garbage(info->release);
	decoder->swap = info->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	decoder->stack_type = NO_TYPE;
	decoder->taken_type = NO_TYPE;
	for (size_t i = 0; i < NAME_CACHE; i++)
		decoder->name_cache[i].bytes = UINT32_MAX; /* as no name has */
	formats = dms_source_formats(source, &n_formats);
	if (!allocate(decoder, formats, n_formats)) {
		dms_decoder_destroy(decoder);
		return &dms_error_nomem;
	}
	err = bind_all(decoder);
	if (err) {
		dms_decoder_destroy(decoder);
		return err;
	}
	decoder->mapping_error = mapping_error_of(decoder);
	decoder->direct_reclaim = direct_reclaim_of(decoder);
	inputs_note(decoder);
	*ret = decoder;
	return NULL;
}

void dms_decoder_destroy(struct dms_decoder *decoder)
{
	if (!decoder)
		return;
	for (uint32_t i = 0; i < decoder->n_tracepoints; i++)
		dms_free(decoder->tracepoints[i].reason);
	dms_free(decoder->tracepoints);
	dms_symbols_destroy(decoder->symbols);
	dms_free(decoder->calls);
	dms_free(decoder->by_type);
	dms_free(decoder->phys.values);
	dms_free(decoder->dma.values);
	dms_free(decoder->lengths.values);
	dms_free(decoder);
}

uint32_t dms_decoder_n_tracepoints(const struct dms_decoder *decoder)
{
	return decoder->n_tracepoints;
}

void dms_decoder_count(const struct dms_decoder *decoder, uint32_t index,
		       struct dms_tracepoint_count *ret)
{
	const struct tracepoint *tracepoint = &decoder->tracepoints[index];
	const struct event_row *row = tracepoint_row(tracepoint);

	*ret = (struct dms_tracepoint_count){
		.system = tracepoint->format->system,
		.name = tracepoint->format->name,
		.records = tracepoint->records,
		.malformed = tracepoint->malformed,
		.reason = tracepoint->reason,
		.reason_offset = tracepoint->reason_offset,
		/* every file has the format of trace_marker's texts, be it used or not */
		.decoded = row && (row->kind != DMS_EV_MARKER || tracepoint->records),
	};
}

bool dms_decoder_has_kind(const struct dms_decoder *decoder, enum dms_event_kind kind)
{
	for (uint32_t i = 0; i < decoder->n_tracepoints; i++) {
		const struct event_row *row = tracepoint_row(&decoder->tracepoints[i]);

		if (row && row->kind == kind)
			return true;
	}
	return false;
}

uint64_t dms_decoder_malformed(const struct dms_decoder *decoder)
{
	return decoder->n_malformed;
}

uint64_t dms_decoder_orphan_stacks(const struct dms_decoder *decoder)
{
	return decoder->orphan_stacks;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Record to event: walk the bound fields of the record's tracepoint. */
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "probe.h"

/* ---- reading fields -------------------------------------------------------------------------- */

/* Where a dynamic field's bytes are; false if that is not inside the record. Inline: see read_name(). */
__attribute__((always_inline)) static inline bool
locate(const struct dms_decoder *decoder, const struct dms_record *record,
       const struct bound_field *field, uint32_t *ret_offset, uint32_t *ret_bytes)
{
	uint32_t word;

	if (!field->is_dynamic) {
		*ret_offset = field->offset;
		*ret_bytes = field->size;
		return true;
	}
	word = (uint32_t)load((const uint8_t *)record->data + field->offset, 4, decoder->swap);
	*ret_offset = word & 0xffff;
	*ret_bytes = word >> 16;
	if (field->is_relative)
		*ret_offset += field->offset + 4;
	return *ret_offset <= record->size && *ret_bytes <= record->size - *ret_offset;
}

static inline struct name_ends ends_of(const char *str, uint32_t bytes)
{
	struct name_ends ends = {0};

	/* Loads of known size: what is pieced together through memory makes the CPU wait. */
	if (bytes >= sizeof(ends.first)) {
		memcpy(&ends.first, str, sizeof(ends.first));
		memcpy(&ends.last, str + bytes - sizeof(ends.last), sizeof(ends.last));
	} else {
		memcpy(&ends.first, str, bytes);
		ends.last = ends.first;
	}
	return ends;
}

/* The slot that a name of @bytes that ends so may be cached in. */
static inline struct cached_name *name_slot(struct dms_decoder *decoder,
					    const struct name_ends *ends, uint32_t bytes)
{
	return &decoder->name_cache[dms_hash64(ends->last ^ bytes) % NAME_CACHE];
}

/* Is it the name in the slot? Of up to 16 bytes, as nearly all have, the ends are all. */
static inline bool is_cached(const struct cached_name *cached, const struct name_ends *ends,
			     const char *str, uint32_t bytes)
{
	return cached->ends.last == ends->last && cached->ends.first == ends->first &&
	       cached->bytes == bytes && cached->str &&
	       (bytes <= 16 || !memcmp(cached->str + 8, str + 8, bytes - 16));
}

/* Number of the string of @bytes at @str in the run's names. */
static uint32_t name_id(struct dms_decoder *decoder, const char *str, uint32_t bytes)
{
	struct name_ends ends = ends_of(str, bytes);
	struct cached_name *cached = name_slot(decoder, &ends, bytes);

	if (is_cached(cached, &ends, str, bytes))
		return cached->id;
	cached->id = dms_strtab_add(decoder->names->devices, str, bytes);
	cached->ends = ends;
	cached->bytes = bytes;
	cached->str = dms_strtab_get(decoder->names->devices, cached->id);
	return cached->id;
}

/*
 * The same of a string in @room bytes. Nearly always it fills them up to its terminator and was
 * seen before: that saves looking for the terminator. DMS_STR_NONE: not so.
 */
static inline uint32_t known_name_id(struct dms_decoder *decoder, const char *str, uint32_t room)
{
	const struct cached_name *cached;
	struct name_ends ends;

	if (!room || str[room - 1])
		return DMS_STR_NONE;
	ends = ends_of(str, room - 1);
	cached = name_slot(decoder, &ends, room - 1);
	return is_cached(cached, &ends, str, room - 1) ? cached->id : DMS_STR_NONE;
}

/* Copy an array to host order. NULL: memory is short. */
static void *read_list(struct list *list, const uint8_t *at, uint32_t count, unsigned int size,
		       bool swap)
{
	uint32_t *words;

	list->count = count;
	if (!dms_grow(&list->values, &list->capacity, (size_t)count + 1, sizeof(uint64_t)))
		return NULL;
	if (!swap) {
		memcpy(list->values, at, (size_t)count * size);
		return list->values;
	}
	words = (uint32_t *)list->values;
	for (uint32_t i = 0; i < count; i++) {
		if (size == 8)
			list->values[i] = load(at + (size_t)i * 8, 8, true);
		else
			words[i] = (uint32_t)load(at + (size_t)i * 4, 4, true);
	}
	return list->values;
}

const char out_of_memory[] = "out of memory";

static malformed read_array(struct dms_decoder *decoder, const struct dms_record *record,
			    const struct bound_field *field, struct dms_event *event)
{
	uint32_t offset, bytes, count;
	struct list *list;
	void *values;

	if (!locate(decoder, record, field, &offset, &bytes))
		return "an array lies outside the record";
	if (bytes % field->size)
		return "an array is no whole number of elements";
	count = bytes / field->size;
	list = field->type == FIELD_PHYS  ? &decoder->phys
	       : field->type == FIELD_DMA ? &decoder->dma
					  : &decoder->lengths;
	values = read_list(list, (const uint8_t *)record->data + offset, count, field->size,
			   decoder->swap);
	if (!values)
		return out_of_memory;
	if (field->type == FIELD_PHYS) {
		event->phys_list = values;
		event->n_phys = count;
	} else if (field->type == FIELD_DMA) {
		event->dma_list = values;
		event->n_dma = count;
	} else {
		event->lengths = values;
	}
	return NULL;
}

/* Inline: every event has a name, and the compiler sees but two callers. */
__attribute__((always_inline)) static inline malformed read_name(struct dms_decoder *decoder,
								 const struct dms_record *record,
								 const struct bound_field *field,
								 struct dms_event *event)
{
	uint32_t offset, bytes, *member = (uint32_t *)((char *)event + field->member);
	const char *str, *nul;

	if (!locate(decoder, record, field, &offset, &bytes))
		return "a string lies outside the record";
	str = (const char *)record->data + offset;
	*member = known_name_id(decoder, str, bytes);
	if (*member != DMS_STR_NONE)
		return NULL;
	nul = memchr(str, '\0', bytes);
	if (!nul)
		return "a string is not terminated";
	*member = name_id(decoder, str, (uint32_t)(nul - str));
	return *member == DMS_STR_NONE ? out_of_memory : NULL;
}

/* Probes read strings through pointers; what they could not read is empty, or says so. */
static malformed read_probe_name(struct dms_decoder *decoder, const struct dms_record *record,
				 const struct bound_field *field, struct dms_event *event)
{
	static const char fault[] = "(fault)";
	uint32_t offset, bytes;
	const char *str;

	if (!locate(decoder, record, field, &offset, &bytes))
		return "a string lies outside the record";
	str = (const char *)record->data + offset;
	if (bytes && *str && (bytes < sizeof(fault) || memcmp(str, fault, sizeof(fault))))
		return read_name(decoder, record, field, event);
	event->has &= ~field->has;
	return NULL;
}

static malformed read_text(struct dms_decoder *decoder, const struct dms_record *record,
			   const struct bound_field *field, struct dms_event *event)
{
	uint32_t offset, bytes;
	const char *nul;

	if (!locate(decoder, record, field, &offset, &bytes))
		return "a text lies outside the record";
	if (!field->is_dynamic && !field->size)
		bytes = record->size - offset; /* all that is left of the record */
	event->text = (const char *)record->data + offset;
	nul = memchr(event->text, '\0', bytes);
	event->text_len = nul ? (uint32_t)(nul - event->text) : bytes;
	if (event->text_len && event->text[event->text_len - 1] == '\n')
		event->text_len--;
	return NULL;
}

/* Numbers that have to be converted, lists and texts; names are read_name()'s. */
static malformed read_other(struct dms_decoder *decoder, const struct dms_record *record,
			    const struct bound_field *field, struct dms_event *event)
{
	const uint8_t *at = (const uint8_t *)record->data + field->offset;
	char *member = (char *)event + field->member;
	uint32_t word;
	uint64_t value;

	switch ((enum field_type)field->type) {
	case FIELD_U64:
		value = load(at, field->size, decoder->swap);
		memcpy(member, &value, sizeof(value));
		return NULL;
	case FIELD_S32:
	case FIELD_U32:
		word = (uint32_t)load(at, field->size, decoder->swap);
		memcpy(member, &word, sizeof(word));
		return NULL;
	case FIELD_U8:
		*(uint8_t *)member = (uint8_t)load(at, field->size, decoder->swap);
		return NULL;
	case FIELD_BOOL:
		*(bool *)member = load(at, field->size, decoder->swap) != 0;
		return NULL;
	case FIELD_PROBE_NAME:
		return read_probe_name(decoder, record, field, event);
	case FIELD_TEXT:
		return read_text(decoder, record, field, event);
	default:
		return read_array(decoder, record, field, event);
	}
}

static void read_dir(const struct dms_decoder *decoder, const uint8_t *at, unsigned int size,
		     struct dms_event *event)
{
	uint64_t value = load(at, size, decoder->swap);

	if (value > DMS_DIR_NONE)
		event->has &= ~(uint32_t)DMS_HAS_DIR;
	else
		event->dir = (uint8_t)value;
}

/*
 * Ten fields an event, and nearly all of them are a number that only has to be copied: a loop for
 * each length, without a look at the type of each, makes reading fields half as dear. Return: the
 * first of those that are not copied.
 */
static inline const struct bound_field *copy_fields(const struct tracepoint *tracepoint,
						    const uint8_t *data, struct dms_event *event)
{
	const struct bound_field *field = tracepoint->fields, *end;
	char *to = (char *)event;

	for (end = tracepoint->fields + tracepoint->copied_end[0]; field < end; field++)
		memcpy(to + field->member, data + field->offset, 8);
	for (end = tracepoint->fields + tracepoint->copied_end[1]; field < end; field++)
		memcpy(to + field->member, data + field->offset, 4);
	for (end = tracepoint->fields + tracepoint->copied_end[2]; field < end; field++)
		to[field->member] = (char)data[field->offset];
	return field;
}

static malformed read_fields(struct dms_decoder *decoder, const struct tracepoint *tracepoint,
			     const struct dms_record *record, struct dms_event *event)
{
	const struct bound_field *end = tracepoint->fields + tracepoint->n_fields;
	const struct bound_field *field = tracepoint->fields;
	malformed why;

	event->has = tracepoint->has;
	if (!decoder->swap)
		field = copy_fields(tracepoint, record->data, event);
	for (; field < end; field++) {
		if (field->type == FIELD_DIR)
			read_dir(decoder, (const uint8_t *)record->data + field->offset,
				 field->size, event);
		else if ((why = field->type == FIELD_NAME
					? read_name(decoder, record, field, event)
					: read_other(decoder, record, field, event)))
			return why;
	}
	return NULL;
}

/* ---- the decoder ------------------------------------------------------------------------------
 */

static struct dms_error *count_malformed(struct tracepoint *tracepoint,
					 const struct dms_record *record, malformed why)
{
	if (why == out_of_memory)
		return &dms_error_nomem;
	tracepoint->malformed++;
	if (tracepoint->reason)
		return NULL;
	tracepoint->reason = dms_strdup(why);
	tracepoint->reason_offset = record->offset;
	return tracepoint->reason ? NULL : &dms_error_nomem;
}

struct dms_error *dms_decode(struct dms_decoder *decoder, const struct dms_record *record,
			     struct dms_event *ret)
{
	uint32_t type = record_type(decoder, record->data, record->size);
	struct tracepoint *tracepoint;
	struct dms_error *err;
	malformed why;

	ret->kind = DMS_EV_NONE;
	if (type >= decoder->n_types || !decoder->by_type[type])
		return NULL;
	tracepoint = &decoder->tracepoints[decoder->by_type[type] - 1];
	tracepoint->records++;
	if (type == decoder->stack_type)
		stack_count_orphan(decoder, record);
	if (!tracepoint->row) {
		if (!tracepoint->probe.is_pending)
			return NULL;
		err = probe_settle(decoder, tracepoint, record);
		inputs_note(decoder);
		if (err || !tracepoint->row)
			return err;
	}
	*ret = decoder->blank;
	ret->kind = tracepoint->row->kind;
	ret->ts = record->ts;
	ret->cpu = record->cpu;
	ret->instance = record->instance;
	why = record->size < tracepoint->min_size ? "the record is shorter than its fields"
						  : read_fields(decoder, tracepoint, record, ret);
	if (!why && tracepoint->probe.half != HALF_NONE) {
		why = probe_join(decoder, (enum half)tracepoint->probe.half, ret);
		if (!why && ret->kind == DMS_EV_NONE)
			return NULL;
	}
	if (!why && finish[ret->kind]) {
		why = finish[ret->kind](decoder, ret);
		if (!why && ret->kind == DMS_EV_NONE)
			return NULL;
	}
	if (!why && !stack_take(decoder, record, ret))
		why = out_of_memory;
	if (!why) {
		if (ret->kind >= DMS_EV_CHECK)
			caller_by_stack(decoder, ret);
		return NULL;
	}
	ret->kind = DMS_EV_NONE;
	decoder->n_malformed += tracepoint->row->kind < DMS_EV_CHECK;
	return count_malformed(tracepoint, record, why);
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
		decoder->by_type[format->id] = i + 1;
		if (!strcmp(format->system, "ftrace") && !strcmp(format->name, "kernel_stack")) {
			decoder->stack_type = format->id;
			decoder->stack_offset = bind_stack(format);
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
	decoder->swap = info->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	decoder->no_alloc_dir = alloc_dir_is_garbage(info->release);
	decoder->stack_type = MAX_TYPES;
	decoder->blank = (struct dms_event){
		.device = DMS_ID_NONE,
		.driver = DMS_ID_NONE,
		.stack = DMS_ID_NONE,
		.dir = DMS_DIR_UNKNOWN,
	};
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

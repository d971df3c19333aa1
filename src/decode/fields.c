// SPDX-License-Identifier: LGPL-2.1-only
/* The bound fields of a record become members of an event. */
#include <string.h>

#include "decoder.h"

const char out_of_memory[] = "out of memory";

/* Where a field's bytes are, be it dynamic; false if that is not inside the record. */
static inline bool locate(const struct dms_decoder *decoder, const struct dms_record *record,
			  const struct bound_field *field, uint32_t *ret_offset,
			  uint32_t *ret_bytes)
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

/* ---- names ------------------------------------------------------------------------------------
 */

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

/* The slot that a name that ends so may be cached in. */
static inline struct cached_name *name_slot(struct dms_decoder *decoder,
					    const struct name_ends *ends)
{
	return &decoder->name_cache[dms_hash_place(ends->last, 64 - NAME_CACHE_BITS)];
}

/* Is it the name in the slot? Of up to 16 bytes, as nearly all have, the ends are all. */
static inline bool is_cached(const struct cached_name *cached, const struct name_ends *ends,
			     const char *str, uint32_t bytes)
{
	return cached->ends.last == ends->last && cached->ends.first == ends->first &&
	       cached->bytes == bytes &&
	       (bytes <= 16 || !memcmp(cached->str + 8, str + 8, bytes - 16));
}

/* Number of the name of @bytes at @str, its terminator among them, in the run's names. */
static uint32_t name_id(struct dms_decoder *decoder, const char *str, uint32_t bytes)
{
	struct name_ends ends = ends_of(str, bytes);
	struct cached_name *cached = name_slot(decoder, &ends);
	uint32_t id;

	if (is_cached(cached, &ends, str, bytes))
		return cached->id;
	id = dms_strtab_add(decoder->names->devices, str, bytes - 1);
	if (id == DMS_STR_NONE)
		return id;
	*cached =
		(struct cached_name){dms_strtab_get(decoder->names->devices, id), ends, bytes, id};
	return id;
}

/*
 * The same of a string that fills @bytes, if its last one is its terminator and it was seen before:
 * to be like such a name proves both. DMS_STR_NONE: not so.
 */
static inline uint32_t known_name_id(struct dms_decoder *decoder, const char *str, uint32_t bytes)
{
	struct name_ends ends = ends_of(str, bytes);
	const struct cached_name *cached = name_slot(decoder, &ends);

	return is_cached(cached, &ends, str, bytes) ? cached->id : DMS_STR_NONE;
}

/* A name in @room bytes at @str. Nearly always it fills them, and was seen before. */
_apart_ static malformed find_name(struct dms_decoder *decoder, const char *str, uint32_t room,
				   uint32_t *ret)
{
	const char *nul = memchr(str, '\0', room);

	if (!nul)
		return "a string is not terminated";
	*ret = name_id(decoder, str, (uint32_t)(nul - str) + 1);
	return *ret == DMS_STR_NONE ? out_of_memory : NULL;
}

_apart_ static malformed read_name(struct dms_decoder *decoder, const struct dms_record *record,
				   const struct bound_field *field, struct dms_event *event)
{
	uint32_t offset, bytes, *member = (uint32_t *)((char *)event + field->member);

	if (!locate(decoder, record, field, &offset, &bytes))
		return "a string lies outside the record";
	return find_name(decoder, (const char *)record->data + offset, bytes, member);
}

/* ---- fields of any kind ---------------------------------------------------------------------- */

/* Copy an array to host order. NULL: memory is short. */
static void *read_list(struct list *list, const uint8_t *at, uint32_t count, unsigned int size,
		       bool swap)
{
	uint32_t *words;

	list->count = count;
	if (count >= list->capacity &&
	    !dms_grow(&list->values, &list->capacity, (size_t)count + 1, sizeof(uint64_t)))
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

_apart_ static malformed read_array(struct dms_decoder *decoder, const struct dms_record *record,
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

/* Probes read strings through pointers; what they could not read is empty, or says so. */
_apart_ static malformed read_probe_name(struct dms_decoder *decoder,
					 const struct dms_record *record,
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

_apart_ static malformed read_text(struct dms_decoder *decoder, const struct dms_record *record,
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

static void read_dir(uint64_t value, struct dms_event *event)
{
	if (value > DMS_DIR_NONE)
		event->has &= ~(uint32_t)DMS_HAS_DIR;
	else
		event->dir = (uint8_t)value;
}

/* Any field, in any byte order. What is no number is apart: those are read in a few instructions.
 */
_apart_ static malformed read_field(struct dms_decoder *decoder, const struct dms_record *record,
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
	case FIELD_DIR:
		read_dir(load(at, field->size, decoder->swap), event);
		return NULL;
	case FIELD_NAME:
		return read_name(decoder, record, field, event);
	case FIELD_PROBE_NAME:
		return read_probe_name(decoder, record, field, event);
	case FIELD_TEXT:
		return read_text(decoder, record, field, event);
	default:
		return read_array(decoder, record, field, event);
	}
}

/* ---- the usual fields --------------------------------------------------------------------------
 */

static inline void move_word(const uint8_t *data, struct dms_event *event, struct word_move move)
{
	memcpy((char *)event + move.to, data + move.from, 8);
}

static inline malformed read_usual_name(struct dms_decoder *decoder,
					const struct dms_record *record,
					const struct usual_fields *usual, struct dms_event *event)
{
	uint32_t word, offset, bytes, *member = (uint32_t *)((char *)event + usual->name_member);
	const char *str;

	memcpy(&word, (const uint8_t *)record->data + usual->name_offset, sizeof(word));
	offset = word & 0xffff;
	bytes = word >> 16;
	if (offset + bytes > record->size)
		return "a string lies outside the record";
	str = (const char *)record->data + offset;
	if (bytes < 8)
		return find_name(decoder, str, bytes, member);
	*member = known_name_id(decoder, str, bytes);
	return *member == DMS_STR_NONE ? find_name(decoder, str, bytes, member) : NULL;
}

/*
 * Nearly every event is a head, a name, a direction and up to four words of 8 bytes that only have
 * to be moved. Where they are is known: without a loop over fields and a look at the type of each,
 * reading them takes 60 instructions, and not 160.
 */
static inline malformed read_usual(struct dms_decoder *decoder, const struct dms_record *record,
				   const struct usual_fields *usual, struct dms_event *event)
{
	const uint8_t *data = record->data;

	event->common_flags = data[2];
	event->preempt_count = data[3];
	memcpy(&event->pid, data + 4, sizeof(event->pid));
	move_word(data, event, usual->words[0]);
	move_word(data, event, usual->words[1]);
	move_word(data, event, usual->words[2]);
	move_word(data, event, usual->words[3]);
	if (usual->dir_offset)
		read_dir(load(data + usual->dir_offset, 4, false), event);
	return usual->name_offset ? read_usual_name(decoder, record, usual, event) : NULL;
}

malformed read_fields(struct dms_decoder *decoder, const struct tracepoint *tracepoint,
		      const struct dms_record *record, struct dms_event *event)
{
	uint32_t i = 0;
	malformed why;

	event->has = tracepoint->has;
	if (tracepoint->n_usual && !decoder->swap) {
		if ((why = read_usual(decoder, record, &tracepoint->usual, event)))
			return why;
		i = tracepoint->n_usual;
	}
	for (; i < tracepoint->n_fields; i++) {
		if ((why = read_field(decoder, record, &tracepoint->fields[i], event)))
			return why;
	}
	return NULL;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Find the fields of a tracepoint's row in the format a file brings along. */
#include <string.h>

#include "format.h"
#include "table.h"

static bool is_number_size(uint32_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

/* An array of another element would be read as nonsense. */
static bool is_list_of(const struct format_field *field, enum field_type type)
{
	if (!field->is_dynamic)
		return false;
	if (type == FIELD_LENGTHS)
		return format_type_has(field, "int") || format_type_has(field, "32");
	return format_type_has(field, "64") || format_type_has(field, "long long");
}

/* Fill @bound from @field; false if the field is not of the row's type. */
static bool bind_field(const struct field_row *row, const struct format_field *field,
		       struct bound_field *bound)
{
	*bound = (struct bound_field){
		.has = row->has,
		.offset = field->offset,
		.member = row->member,
		.type = (uint8_t)row->type,
		.is_dynamic = field->is_dynamic,
		.is_relative = field->is_relative,
	};
	switch (row->type) {
	case FIELD_PHYS:
	case FIELD_DMA:
	case FIELD_LENGTHS:
		bound->size = row->type == FIELD_LENGTHS ? 4 : 8;
		return is_list_of(field, row->type);
	case FIELD_TEXT:
	case FIELD_PROBE_NAME:
	case FIELD_NAME: /* a fixed array is what probes make of strings in old kernels */
		bound->size = field->size < UINT8_MAX ? (uint8_t)field->size : UINT8_MAX;
		return field->is_dynamic || field->is_array;
	case FIELD_S32:
		bound->size = (uint8_t)field->size;
		return !field->is_dynamic && (field->size == 4 || field->size == 8);
	default:
		bound->size = (uint8_t)field->size;
		return !field->is_dynamic && is_number_size(field->size);
	}
}

/* True if an earlier row has filled this member: the row is another spelling of it. */
static bool is_bound(const struct tracepoint *tracepoint, const struct field_row *row)
{
	for (uint32_t i = 0; i < tracepoint->n_fields; i++) {
		const struct bound_field *bound = &tracepoint->fields[i];

		if (bound->has == row->has && bound->member == row->member && row->member)
			return true;
	}
	return false;
}

static void bind_rows(struct tracepoint *tracepoint, const struct field_row *rows, size_t n_rows,
		      const char **ret_missing)
{
	const struct dms_format *format = tracepoint->format;

	for (size_t i = 0; i < n_rows; i++) {
		struct bound_field *bound = &tracepoint->fields[tracepoint->n_fields];
		struct format_field field;
		uint32_t end;

		if (is_bound(tracepoint, &rows[i]))
			continue;
		if (!format_find(format->text, format->size, rows[i].name, &field) ||
		    !bind_field(&rows[i], &field, bound)) {
			if (rows[i].is_required)
				*ret_missing = rows[i].name;
			continue;
		}
		end = bound->offset + (bound->is_dynamic ? 4 : bound->size);
		if (end > tracepoint->min_size)
			tracepoint->min_size = end;
		tracepoint->has |= bound->has;
		tracepoint->n_fields++;
	}
}

/* Is @field the @member of a record's head, where struct trace_entry has it? See read_usual(). */
static bool is_of_head(const struct bound_field *field, size_t member, uint32_t offset)
{
	return field->member == member && field->offset == offset && !field->is_dynamic;
}

/* Take @field among the usual ones of @tracepoint. False: it is none, or there is no room. */
static bool take_usual(struct tracepoint *tracepoint, const struct bound_field *field,
		       uint32_t *n_words)
{
	struct usual_fields *usual = &tracepoint->usual;
	struct word_move move;

	if (field->offset > UINT16_MAX)
		return false;
	switch ((enum field_type)field->type) {
	case FIELD_U8:
		return is_of_head(field, offsetof(struct dms_event, common_flags), 2) ||
		       is_of_head(field, offsetof(struct dms_event, preempt_count), 3);
	case FIELD_U32:
		return is_of_head(field, offsetof(struct dms_event, pid), 4) && field->size == 4;
	case FIELD_U64:
		if (field->size != 8 || *n_words == USUAL_WORDS)
			return false;
		move = (struct word_move){(uint16_t)field->offset, field->member};
		for (uint32_t i = (*n_words)++; i < USUAL_WORDS; i++)
			usual->words[i] = move;
		return true;
	case FIELD_NAME:
		if (usual->name_offset || !field->is_dynamic || field->is_relative)
			return false;
		usual->name_offset = (uint16_t)field->offset;
		usual->name_member = field->member;
		return true;
	case FIELD_DIR:
		usual->dir_offset = field->size == 4 ? (uint16_t)field->offset : 0;
		return usual->dir_offset != 0;
	default:
		return false;
	}
}

/*
 * The usual fields come first, the others stay in order. A record without the usual head or a word
 * of 8 bytes has none.
 */
static void sort_fields(struct tracepoint *tracepoint)
{
	struct bound_field others[MAX_BOUND_FIELDS];
	uint32_t n_others = 0, n_usual = 0, n_words = 0, n_head = 0;

	for (uint32_t i = 0; i < tracepoint->n_fields; i++) {
		struct bound_field *field = &tracepoint->fields[i];

		if (take_usual(tracepoint, field, &n_words)) {
			n_head += field->type == FIELD_U8 || field->type == FIELD_U32;
			tracepoint->fields[n_usual++] = *field;
		} else {
			others[n_others++] = *field;
		}
	}
	memcpy(tracepoint->fields + n_usual, others, n_others * sizeof(*others));
	tracepoint->n_usual = n_words && n_head == n_common_fields ? n_usual : 0;
}

struct dms_error *bind_tracepoint(struct tracepoint *tracepoint)
{
	const struct event_row *row = tracepoint->row;
	const char *missing = NULL;

	tracepoint->n_fields = 0;
	tracepoint->usual = (struct usual_fields){0};
	tracepoint->has = 0;
	tracepoint->min_size = 0;
	bind_rows(tracepoint, common_fields, n_common_fields, &missing);
	bind_rows(tracepoint, row->fields, row->n_fields, &missing);
	sort_fields(tracepoint);
	if (!missing)
		return NULL;
	tracepoint->row = NULL;
	tracepoint->reason = dms_asprintf("its format has no usable field %s", missing);
	return tracepoint->reason ? NULL : &dms_error_nomem;
}

uint32_t bind_stack(const struct dms_format *format)
{
	struct format_field caller;

	return format_find(format->text, format->size, "caller", &caller) ? caller.offset : 0;
}

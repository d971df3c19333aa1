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

/* As nearly all numbers are: nothing to convert. */
static uint8_t copied_bytes(enum field_type type, uint32_t size)
{
	switch (type) {
	case FIELD_U64:
		return size == 8 ? 8 : 0;
	case FIELD_U32:
	case FIELD_S32:
		return size == 4 ? 4 : 0;
	case FIELD_U8:
		return size == 1 ? 1 : 0;
	default:
		return 0;
	}
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
		.copied = copied_bytes(row->type, field->size),
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

/* What is only copied comes first, by its length; the others stay in order. */
static void sort_fields(struct tracepoint *tracepoint)
{
	static const uint8_t lengths[] = {8, 4, 1, 0};
	struct bound_field sorted[MAX_BOUND_FIELDS];
	uint32_t n_sorted = 0;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(lengths); i++) {
		for (uint32_t j = 0; j < tracepoint->n_fields; j++) {
			if (tracepoint->fields[j].copied == lengths[i])
				sorted[n_sorted++] = tracepoint->fields[j];
		}
		if (lengths[i])
			tracepoint->copied_end[i] = n_sorted;
	}
	memcpy(tracepoint->fields, sorted, n_sorted * sizeof(*sorted));
}

struct dms_error *bind_tracepoint(struct tracepoint *tracepoint)
{
	const struct event_row *row = tracepoint->row;
	const char *missing = NULL;

	tracepoint->n_fields = 0;
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

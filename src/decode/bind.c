// SPDX-License-Identifier: LGPL-2.1-only
/* Find the fields of a tracepoint's row in the format a file brings along. */
#include <string.h>

#include <event-parse.h>

#include "table.h"

/*
 * libtraceevent parses the field list. The print format is cut off before: we do not use it, and
 * those of the list events make it fail (kernel-dma.md fact 1).
 */
static struct tep_event *parse_fields(struct tep_handle *tep, const struct dms_format *format)
{
	static const char no_print[] = "print fmt: \"\"\n";
	_cleanup_(dms_freep) char *text = NULL;
	struct tep_event *event = NULL;
	const char *print;
	size_t size;

	if (memchr(format->text, '\0', format->size))
		return NULL; /* libtraceevent 1.7 would follow a NULL pointer */
	print = memmem(format->text, format->size, "print fmt:", strlen("print fmt:"));
	size = print ? (size_t)(print - format->text) : format->size;
	text = dms_alloc(size + sizeof(no_print));
	if (!text)
		return NULL;
	memcpy(text, format->text, size);
	memcpy(text + size, no_print, sizeof(no_print));
	if (tep_parse_format(tep, &event, text, size + strlen(no_print), format->system))
		return NULL;
	return event;
}

static bool is_number_size(int size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static uint8_t list_element_size(enum field_type type)
{
	return type == FIELD_LENGTHS ? 4 : 8;
}

/* Fill @bound from @field; false if the field is not of the row's type. */
static bool bind_field(const struct field_row *row, const struct tep_format_field *field,
		       struct bound_field *bound)
{
	if (field->offset < 0 || field->size < 0)
		return false;
	*bound = (struct bound_field){
		.has = row->has,
		.offset = (uint32_t)field->offset,
		.member = row->member,
		.type = (uint8_t)row->type,
		.is_dynamic = field->flags & TEP_FIELD_IS_DYNAMIC,
		.is_relative = field->flags & TEP_FIELD_IS_RELATIVE,
	};
	switch (row->type) {
	case FIELD_PHYS:
	case FIELD_DMA:
	case FIELD_LENGTHS:
		bound->size = list_element_size(row->type);
		return bound->is_dynamic && (!field->elementsize || field->elementsize == 4 ||
					     field->elementsize == bound->size);
	case FIELD_NAME: /* a fixed array is what probes make of strings in old kernels */
		bound->size = field->size < UINT8_MAX ? (uint8_t)field->size : UINT8_MAX;
		return bound->is_dynamic || (field->flags & TEP_FIELD_IS_ARRAY);
	default:
		bound->size = (uint8_t)field->size;
		return !bound->is_dynamic && is_number_size(field->size);
	}
}

/* True if an earlier row has filled this member: the row is another spelling of it. */
static bool is_bound(const struct tracepoint *tracepoint, const struct field_row *row)
{
	for (uint32_t i = 0; i < tracepoint->n_fields; i++) {
		const struct bound_field *bound = &tracepoint->fields[i];

		if (bound->type == row->type && bound->member == row->member && row->member)
			return true;
	}
	return false;
}

static void bind_rows(struct tracepoint *tracepoint, struct tep_event *event,
		      const struct field_row *rows, size_t n_rows, const char **ret_missing)
{
	for (size_t i = 0; i < n_rows; i++) {
		const struct tep_format_field *field = tep_find_any_field(event, rows[i].name);
		struct bound_field *bound = &tracepoint->fields[tracepoint->n_fields];
		uint32_t end;

		if (is_bound(tracepoint, &rows[i]))
			continue;
		if (!field || !bind_field(&rows[i], field, bound)) {
			if (rows[i].is_required)
				*ret_missing = rows[i].name;
			continue;
		}
		end = bound->offset + (bound->is_dynamic ? 4 : bound->size);
		if (end > tracepoint->min_size)
			tracepoint->min_size = end;
		tracepoint->n_fields++;
	}
}

struct dms_error *bind_tracepoint(struct tep_handle *tep, struct tracepoint *tracepoint)
{
	const struct event_row *row = tracepoint->row;
	struct tep_event *event = parse_fields(tep, tracepoint->format);
	const char *missing = event ? NULL : "a field list";

	if (event) {
		bind_rows(tracepoint, event, common_fields, n_common_fields, &missing);
		bind_rows(tracepoint, event, row->fields, row->n_fields, &missing);
	}
	if (!missing)
		return NULL;
	tracepoint->row = NULL;
	tracepoint->reason = dms_asprintf("its format has no usable %s", missing);
	return tracepoint->reason ? NULL : &dms_error_nomem;
}

uint32_t bind_stack(struct tep_handle *tep, const struct dms_format *format)
{
	struct tep_event *event = parse_fields(tep, format);
	const struct tep_format_field *caller = event ? tep_find_field(event, "caller") : NULL;

	return caller && caller->offset > 0 ? (uint32_t)caller->offset : 0;
}

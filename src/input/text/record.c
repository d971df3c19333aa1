// SPDX-License-Identifier: LGPL-2.1-only
/* A line's event as the bytes that its made-up format describes; in this machine's byte order. */
#include <string.h>

#include "shape.h"

size_t text_record_size(const struct text_shape *shape, const struct text_body *body)
{
	size_t bytes = shape->fixed_bytes;

	for (uint32_t i = 0; i < shape->n_fields; i++) {
		const struct text_field *field = &shape->fields[i];

		if (field->type == TEXT_LIST)
			bytes += (size_t)body->values[i].n_list * field->bytes;
		else if (field->type == TEXT_STRING && !field->is_gfp)
			bytes += (size_t)body->values[i].piece.len + 1;
	}
	return bytes;
}

static void write_number(uint8_t *at, uint8_t bytes, uint64_t number)
{
	uint32_t word = (uint32_t)number;
	uint16_t half = (uint16_t)number;
	uint8_t byte = (uint8_t)number;

	switch (bytes) {
	case 1:
		memcpy(at, &byte, 1);
		break;
	case 2:
		memcpy(at, &half, 2);
		break;
	case 4:
		memcpy(at, &word, 4);
		break;
	default:
		memcpy(at, &number, 8);
	}
}

/* What a dynamic field needs behind the fixed ones: its bytes, @used of the record so far. */
static size_t write_dynamic(const struct text_field *field, const struct text_value *value,
			    uint8_t *record, size_t used)
{
	size_t bytes;

	if (field->type == TEXT_STRING) {
		bytes = (size_t)value->piece.len + 1;
		if (value->piece.len)
			memcpy(record + used, value->piece.str, value->piece.len);
		record[used + bytes - 1] = '\0';
	} else {
		bytes = (size_t)value->n_list * field->bytes;
		for (uint32_t i = 0; i < value->n_list; i++)
			write_number(record + used + (size_t)i * field->bytes, field->bytes,
				     value->list[i]);
	}
	write_number(record + field->offset, 4, (uint64_t)used | (uint64_t)bytes << 16);
	return used + bytes;
}

void text_record_write(const struct text_shape *shape, const struct text_head *head,
		       const struct text_body *body, uint8_t *at)
{
	size_t used = shape->fixed_bytes;

	write_number(at, 2, shape->id);
	at[2] = head->flags;
	at[3] = head->preempt_count;
	write_number(at + 4, 4, head->pid);
	for (uint32_t i = 0; i < shape->n_fields; i++) {
		const struct text_field *field = &shape->fields[i];
		const struct text_value *value = &body->values[i];

		if (field->is_gfp)
			write_number(at + field->offset, 4,
				     text_gfp_read(value->piece.str, value->piece.len));
		else if (field->type == TEXT_NUMBER)
			write_number(at + field->offset, field->bytes, value->number);
		else
			used = write_dynamic(field, value, at, used);
	}
}

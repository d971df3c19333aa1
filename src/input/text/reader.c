// SPDX-License-Identifier: LGPL-2.1-only
/* A stretch of a text dump line by line, each understood: what both passes over it read. */
#include "reader.h"

/* A run's; the longest line fits, and the cost of a read does not show. */
#define BUFFER_BYTES TEXT_MAX_LINE

struct dms_error *text_reader_open(struct text_reader *reader, const struct file *file,
				   uint64_t offset, uint64_t end)
{
	*reader = (struct text_reader){
		.file = file,
		.position = offset,
		.end = end,
		.capacity = BUFFER_BYTES,
	};
	reader->buffer = dms_alloc(reader->capacity);
	return reader->buffer ? NULL : &dms_error_nomem;
}

void text_reader_close(struct text_reader *reader)
{
	dms_free(reader->buffer);
	dms_free(reader->body.numbers);
	reader->buffer = NULL;
	reader->body.numbers = NULL;
}

/* Move what is left to the front and read on behind it. */
static struct dms_error *fill(struct text_reader *reader)
{
	size_t left = reader->filled - reader->at, bytes;
	struct dms_error *err;

	memmove(reader->buffer, reader->buffer + reader->at, left);
	reader->at = 0;
	reader->filled = left;
	bytes = reader->capacity - left;
	if (bytes > reader->end - reader->position)
		bytes = (size_t)(reader->end - reader->position);
	err = file_read(reader->file, reader->position, reader->buffer + left, bytes);
	if (err)
		return err;
	reader->filled += bytes;
	reader->position += bytes;
	return NULL;
}

/* Take @len bytes, and @skip behind them, as the line. */
static void take(struct text_reader *reader, size_t len, size_t skip)
{
	reader->offset = reader->position - (reader->filled - reader->at);
	reader->line = reader->buffer + reader->at;
	reader->at += len + skip;
	while (len && reader->line[len - 1] == '\r')
		len--;
	reader->len = (uint32_t)len;
}

static struct dms_error *read_line(struct text_reader *reader)
{
	const char *newline = NULL;
	struct dms_error *err;

	for (;;) {
		size_t left = reader->filled - reader->at;

		if (left)
			newline = memchr(reader->buffer + reader->at, '\n', left);
		if (newline) {
			take(reader, (size_t)(newline - (reader->buffer + reader->at)), 1);
			return NULL;
		}
		if (left == reader->capacity) { /* a line without end: in pieces, none of a trace */
			take(reader, left, 0);
			return NULL;
		}
		if (reader->position == reader->end)
			break;
		if ((err = fill(reader)))
			return err;
	}
	reader->is_end = reader->filled == reader->at;
	reader->is_open = !reader->is_end && reader->position == reader->file->size;
	take(reader, reader->filled - reader->at, 0);
	return NULL;
}

/* An element of a list takes two bytes of a line at least, and 8 of a record. */
#define NEVER_TOO_LARGE ((UINT16_MAX - 512) / 4 - TEXT_MAX_VALUES)

/* A record's lists and strings are found by 16 bits; the fields before them take some bytes. */
static bool is_too_large(const struct text_body *body, uint32_t line_len)
{
	size_t bytes = 512;

	if (line_len < NEVER_TOO_LARGE)
		return false;
	for (uint32_t i = 0; i < body->n_values; i++) {
		const struct text_value *value = &body->values[i];

		bytes += value->type == TEXT_LIST     ? (size_t)value->n_list * value->bytes
			 : value->type == TEXT_STRING ? (size_t)value->piece.len + 1
						      : 0;
	}
	return bytes > UINT16_MAX;
}

/* Why the event that was read is none, or NULL. */
static const char *check_event(struct text_reader *reader)
{
	struct text_item *item = &reader->item;
	const char *why;

	if (item->head.cpu >= TEXT_MAX_CPUS)
		return "its CPU number is beyond all kernels'";
	why = text_read_body(&item->head, &reader->body);
	if (!why && is_too_large(&reader->body, reader->len))
		why = "it is longer than a record of the kernel can be";
	return why;
}

/*
 * The last line of a file without a line end: what is left of a number or a name may look whole
 * and is another one.
 */
static bool is_cut_off(const struct text_reader *reader)
{
	enum text_kind kind = reader->item.kind;

	return kind == TEXT_EVENT || kind == TEXT_STACK || kind == TEXT_FRAME ||
	       (kind == TEXT_END_OF_STACK && reader->len) ||
	       (kind == TEXT_NOTE && reader->state.is_in_stack) ||
	       (kind == TEXT_FOREIGN && reader->state.dialect && !reader->state.is_in_dump);
}

struct dms_error *text_reader_next(struct text_reader *reader)
{
	struct text_item *item = &reader->item;
	struct dms_error *err = read_line(reader);

	if (err || reader->is_end)
		return err;
	text_read_line(&reader->state, reader->line, reader->len, item);
	reader->why = item->reason;
	if (reader->is_open && is_cut_off(reader))
		reader->why = "the file ends in it";
	else if (reader->column && reader->len >= reader->column && item->kind == TEXT_EVENT)
		reader->why = "lines were cut at its last column: a number in it may have lost digits";
	else if (item->kind == TEXT_EVENT)
		reader->why = check_event(reader);
	else
		return NULL;
	if (reader->why)
		item->kind = TEXT_CUT;
	return reader->body.has_no_memory ? &dms_error_nomem : NULL;
}

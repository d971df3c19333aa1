// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer entry: any bytes as the lines of a text dump, each in memory of exactly its size. */
#include "../../src/input/text/text.h"
#include "fuzz_lines.h"

/* Every piece is inside the line, or NULL. */
static void check_piece(const char *line, size_t len, struct text_piece piece)
{
	if (piece.str && (piece.str < line || piece.len > len ||
			  (size_t)(piece.str - line) > len - piece.len))
		abort();
}

static void check_body(const char *line, size_t len, const struct text_head *head,
		       struct text_body *body)
{
	if (text_read_body(head, body))
		return;
	if (body->n_values > TEXT_MAX_VALUES)
		abort();
	for (uint32_t i = 0; i < body->n_values; i++) {
		const struct text_value *value = &body->values[i];

		if (value->type == TEXT_STRING)
			check_piece(line, len, value->piece);
		if (value->type == TEXT_LIST && value->n_list &&
		    (value->list < body->numbers ||
		     value->list + value->n_list > body->numbers + body->n_numbers))
			abort();
	}
}

static void read_one(struct text_state *state, struct text_body *body, const uint8_t *data,
		     size_t len)
{
	char *line = malloc(len ? len : 1);
	struct text_item item;

	if (!line)
		return;
	memcpy(line, data, len);
	text_read_line(state, line, len, &item);
	if (item.kind == TEXT_EVENT) {
		check_piece(line, len, item.head.comm);
		check_piece(line, len, item.head.system);
		check_piece(line, len, item.head.name);
		check_piece(line, len, item.head.body);
		check_body(line, len, &item.head, body);
	} else if (item.kind == TEXT_FRAME) {
		check_piece(line, len, item.frame.symbol);
		check_piece(line, len, item.frame.module);
	}
	free(line);
}

FUZZ_LINES_MUTATOR

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text_state state = {0};
	struct text_body body = {0};

	while (size) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end ? (size_t)(end - data) : size;

		read_one(&state, &body, data, len);
		len += end != NULL;
		data += len;
		size -= len;
	}
	dms_free(body.numbers);
	return 0;
}

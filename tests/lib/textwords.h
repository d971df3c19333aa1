/* SPDX-License-Identifier: GPL-2.0-only */
/* What was understood of a text dump's line, in words, for the tests of src/input/text. */
#ifndef DMS_TESTS_TEXTWORDS_H
#define DMS_TESTS_TEXTWORDS_H

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input/text/text.h"

#define MAP_BODY "0000:00:05.0 dir=TO_DEVICE dma_addr=fff97936 size=74 phys_addr=7c354936 attrs="
#define ITEMS(array) array, DMS_ARRAY_SIZE(array)
/* @line in memory of exactly its size, so that a sanitizer sees each byte read beyond. */
static inline char *exact(const char *line, size_t len)
{
	char *copy = malloc(len ? len : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, line, len);
	return copy;
}

static const char *const kinds[] = {
	[TEXT_FOREIGN] = "foreign", [TEXT_NOTE] = "note",	  [TEXT_EVENT] = "event",
	[TEXT_STACK] = "stack",	    [TEXT_FRAME] = "frame",	  [TEXT_END_OF_STACK] = "end",
	[TEXT_LOST] = "lost",	    [TEXT_WRITTEN] = "written", [TEXT_CUT] = "cut",
};

/* ---- heads, as words ------------------------------------------------------------------------- */

struct buffer {
	char text[4096];
	size_t len;
};

static inline void put(struct buffer *to, const char *fmt, ...) _printf_(2, 3);
static inline void put(struct buffer *to, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(to->text + to->len, sizeof(to->text) - to->len, fmt, args);
	va_end(args);
	ck_assert_int_ge(n, 0);
	to->len += (size_t)n;
	ck_assert_uint_lt(to->len, sizeof(to->text));
}

static inline void put_piece(struct buffer *to, const char *before, struct text_piece piece)
{
	put(to, "%s%.*s", before, (int)piece.len, piece.str ? piece.str : "");
}

static inline void put_head(struct buffer *to, const struct text_head *head)
{
	put_piece(to, "", head->comm);
	put(to, "|%u|%u|%" PRIu64 "%s/%u|", head->pid, head->cpu, head->ts,
	    head->is_in_ticks ? "t" : "", head->resolution_ns);
	if (head->has_flags)
		put(to, "%02x.%x", head->flags, head->preempt_count);
	put_piece(to, "|", head->system);
	put_piece(to, ":", head->name);
}

static inline void put_frame(struct buffer *to, const struct text_frame *frame)
{
	put_piece(to, "", frame->symbol);
	put(to, "+%" PRIx64, frame->offset);
	put_piece(to, " ", frame->module);
	if (frame->has_address)
		put(to, "@%" PRIx64, frame->address);
}

static inline void put_item(struct buffer *to, const struct text_item *item)
{
	put(to, "%s ", kinds[item->kind]);
	if (item->kind == TEXT_EVENT || item->kind == TEXT_STACK)
		put_head(to, &item->head);
	else if (item->kind == TEXT_FRAME)
		put_frame(to, &item->frame);
	else if (item->kind == TEXT_LOST)
		put(to, "%" PRIu64 " on %d", item->lost, (int)item->cpu);
	else if (item->kind == TEXT_WRITTEN)
		put(to, "%" PRIu64, item->lost);
}

static inline void put_value(struct buffer *to, const struct text_value *value)
{
	put(to, "%s%.*s=", to->len ? " " : "", (int)value->name_len, value->name);
	if (value->type == TEXT_STRING) {
		put_piece(to, "\"", value->piece);
		put(to, "\"");
	} else if (value->type == TEXT_LIST) {
		for (uint32_t i = 0; i < value->n_list; i++)
			put(to, "%s%" PRIx64, i ? "," : "", value->list[i]);
	} else if (value->is_signed) {
		put(to, "%" PRId64, (int64_t)value->number);
	} else {
		put(to, "%" PRIu64, value->number);
	}
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Mutation of text that is made of lines and fields: what comes of it still looks like the format. */
#ifndef FUZZ_LINES_H
#define FUZZ_LINES_H

#include "fuzz.h"

/** Bytes of the text under mutation. */
struct fuzz_span {
	size_t at, bytes;
};

/** The text under mutation: @size of @max_size bytes are used. */
struct fuzz_text {
	uint8_t *data;
	size_t size, max_size;
	uint32_t *state;
};

/* Longer ones are taken in part. */
#define FUZZ_SPAN_BYTES 512

static inline bool fuzz_ends_field(uint8_t byte)
{
	return !byte || strchr(" \t\n,;:=()[]{}<>\"'", byte);
}

/** The field around a random place: "" between two of its ends. */
static inline struct fuzz_span fuzz_pick_field(const struct fuzz_text *text)
{
	size_t begin = fuzz_below(text->state, text->size), end = begin;

	while (begin && end - begin < FUZZ_SPAN_BYTES && !fuzz_ends_field(text->data[begin - 1]))
		begin--;
	while (end < text->size && end - begin < FUZZ_SPAN_BYTES && !fuzz_ends_field(text->data[end]))
		end++;
	return (struct fuzz_span){begin, end - begin};
}

/** The line around a random place, with its end. */
static inline struct fuzz_span fuzz_pick_line(const struct fuzz_text *text)
{
	size_t begin = fuzz_below(text->state, text->size), end = begin;

	while (begin && end - begin < FUZZ_SPAN_BYTES && text->data[begin - 1] != '\n')
		begin--;
	while (end < text->size && end - begin < FUZZ_SPAN_BYTES && text->data[end++] != '\n')
		continue;
	return (struct fuzz_span){begin, end - begin};
}

/** Put @bytes at @from, which may be of the text itself, in the place of @span; if there is room. */
static inline void fuzz_splice(struct fuzz_text *text, struct fuzz_span span, const void *from,
			       size_t bytes)
{
	uint8_t copy[FUZZ_SPAN_BYTES], *to = text->data + span.at;

	if (bytes > sizeof(copy) || text->size - span.bytes + bytes > text->max_size)
		return;
	memcpy(copy, from, bytes);
	memmove(to + bytes, to + span.bytes, text->size - span.at - span.bytes);
	memcpy(to, copy, bytes);
	text->size = text->size - span.bytes + bytes;
}

/** A number that programs mistake, as text, in the place of @span. */
static inline void fuzz_splice_number(struct fuzz_text *text, struct fuzz_span span)
{
	static const char *const formats[] = {"%lu", "0x%lx", "%lx", "%016lx", "-%lu", "%lu.%06u"};
	const char *format = formats[fuzz_below(text->state, DMS_ARRAY_SIZE(formats))];
	unsigned long number = 0;
	char digits[64];
	int n;

	fuzz_put_number((uint8_t *)&number, sizeof(number), text->state);
	n = snprintf(digits, sizeof(digits), format, number, fuzz_random(text->state) % 1000000);
	fuzz_splice(text, span, digits, (size_t)n);
}

/** One change to lines or fields. */
static inline void fuzz_change_lines(struct fuzz_text *text)
{
	struct fuzz_span line = fuzz_pick_line(text), other = fuzz_pick_line(text);
	struct fuzz_span field = fuzz_pick_field(text), from = fuzz_pick_field(text);

	switch (fuzz_below(text->state, 6)) {
	case 0: /* a line twice */
		fuzz_splice(text, (struct fuzz_span){line.at, 0}, text->data + other.at, other.bytes);
		break;
	case 1:
		fuzz_splice(text, line, "", 0);
		break;
	case 2: /* one line for another */
		fuzz_splice(text, line, text->data + other.at, other.bytes);
		break;
	case 3:
	case 4:
		fuzz_splice(text, field, text->data + from.at, from.bytes);
		break;
	default:
		fuzz_splice_number(text, field);
	}
}

/** Either that, a few times, or what libFuzzer thinks of. Returns the new size. */
static inline size_t fuzz_mutate_lines(uint8_t *data, size_t size, size_t max_size,
				       unsigned int seed)
{
	uint32_t state = fuzz_seed(seed);
	struct fuzz_text text = {data, size, max_size, &state};

	if (!size || !fuzz_below(&state, 3))
		return LLVMFuzzerMutate(data, size, max_size);
	for (size_t n = 1 + fuzz_below(&state, 4); n && text.size; n--)
		fuzz_change_lines(&text);
	return text.size ? text.size : LLVMFuzzerMutate(data, size, max_size);
}

/** The mutator of a target whose whole input is such text. */
#define FUZZ_LINES_MUTATOR                                                                         \
	size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,                \
				       unsigned int seed)                                          \
	{                                                                                          \
		return fuzz_mutate_lines(data, size, max_size, seed);                              \
	}

#endif

// SPDX-License-Identifier: LGPL-2.1-only
/* A row of cells becomes a record of SQLite's file format: types first, then values. */
#include <endian.h>
#include <string.h>

#include "leaf.h"

/*
 * https://www.sqlite.org/fileformat2.html, "Record Format". The types of integers: 0 is NULL,
 * 1 to 6 are two's complement of 1, 2, 3, 4, 6 and 8 bytes, most significant first; 8 and 9 are
 * the constants 0 and 1. 13 + 2n is text of n bytes. SQLite takes the shortest that holds the
 * value, and so does this: the record is, byte for byte, what SQLite would have written.
 */
enum { TYPE_NULL = 0, TYPE_ZERO = 8, TYPE_TEXT = 13 };

static const unsigned char type_of_bits[65] = { /* by bits of the value, without its sign */
	1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3,
	4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5,
	6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
};
static const unsigned char bytes_of_type[] = { 0, 1, 2, 3, 4, 6, 8, 0, 0, 0 };

unsigned int dms_varint_put(unsigned char *out, uint64_t value)
{
	unsigned int n = 1;

	if (value < 0x80) {
		out[0] = (unsigned char)value;
		return 1;
	}
	if (value >> 56) { /* nine bytes: the last one holds eight bits */
		for (int i = 0; i < 8; i++)
			out[i] = (unsigned char)(0x80 | (value >> (57 - 7 * i)));
		out[8] = (unsigned char)value;
		return 9;
	}
	while (value >> (7 * n))
		n++;
	for (unsigned int i = 0; i < n; i++)
		out[i] = (unsigned char)(value >> (7 * (n - 1 - i)) | 0x80);
	out[n - 1] &= 0x7f;
	return n;
}

static inline unsigned int type_of(uint64_t value)
{
	uint64_t magnitude = value ^ (uint64_t)((int64_t)value >> 63);
	unsigned int bits = 64 - (unsigned int)__builtin_clzll(magnitude << 1 | 1) - 1;

	return value <= 1 ? TYPE_ZERO + (unsigned int)value : type_of_bits[bits];
}

/* All eight bytes are stored, the first ones count: cheaper than asking how many to store. */
static inline unsigned char *put_integer(unsigned char *body, uint64_t value, unsigned int type)
{
	unsigned int bytes = bytes_of_type[type];
	uint64_t stored = htobe64(value << ((64 - 8 * bytes) & 63));

	memcpy(body, &stored, sizeof(stored));
	return body + bytes;
}

struct dms_word dms_word_make(const char *text)
{
	struct dms_word word = {.text = text ? text : ""};

	word.bytes = (int)strlen(word.text);
	memcpy(word.start, word.text,
	       word.bytes < DMS_WORD_START ? (size_t)word.bytes : DMS_WORD_START);
	return word;
}

/* Its type to *@head, its bytes to @body. */
static inline unsigned char *put_word(unsigned char **head, unsigned char *body,
				      const struct dms_word *word)
{
	uint64_t type = TYPE_TEXT + 2 * (uint64_t)word->bytes;

	if (type < 0x80)
		*(*head)++ = (unsigned char)type;
	else
		*head += dms_varint_put(*head, type);
	memcpy(body, word->start, DMS_WORD_START);
	if (word->bytes > DMS_WORD_START)
		memcpy(body, word->text, (size_t)word->bytes);
	return body + word->bytes;
}

size_t dms_payload_max_bytes(const struct dms_bulk_spec *spec, const struct dms_word *words,
			    unsigned int n_words)
{
	size_t n_texts = (size_t)__builtin_popcountll(spec->words);
	size_t text = 0, head, body;

	for (unsigned int i = spec->first_word; i < n_words; i++)
		text = (size_t)words[i].bytes > text ? (size_t)words[i].bytes : text;
	head = 1 + spec->n_columns + n_texts; /* types of texts: two bytes at most */
	body = (spec->n_columns - n_texts) * sizeof(uint64_t) + n_texts * text;
	return head > DMS_PAYLOAD_HEAD_BYTES || body > DMS_PAYLOAD_BODY_BYTES ? SIZE_MAX :
									      head + body;
}

void dms_payload_make(struct dms_payload *payload, const struct dms_bulk_spec *spec,
		     const struct dms_word *words, const uint64_t *row)
{
	uint64_t nulls = row[0] | !spec->n_keys;
	unsigned char *head = payload->head + 1, *body = payload->body;
	unsigned int type;

	for (unsigned int i = 0; i < spec->n_columns; i++) {
		if (nulls >> i & 1) {
			*head++ = TYPE_NULL;
		} else if (spec->words >> i & 1) {
			body = put_word(&head, body, &words[row[1 + i]]);
		} else {
			type = type_of(row[1 + i]);
			*head++ = (unsigned char)type;
			body = put_integer(body, row[1 + i], type);
		}
	}
	payload->head_bytes = (uint32_t)(head - payload->head);
	payload->body_bytes = (uint32_t)(body - payload->body);
	payload->head[0] = (unsigned char)payload->head_bytes;
}

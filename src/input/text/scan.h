/* SPDX-License-Identifier: LGPL-2.1-only */
/* Reading along a line: a cursor and the few steps the readers of text dumps are made of. */
#ifndef DMS_INPUT_TEXT_SCAN_H
#define DMS_INPUT_TEXT_SCAN_H

#include <string.h>

#include "text.h"

/** What is left of a line. Nothing is ever read at or beyond end. */
struct scan {
	const char *at, *end;
};

/** What a byte may be part of: bits of text_chars. */
#define TEXT_CHAR_WORD	 0x01 /* the key of a value, a symbol: letters, digits, '_' */
#define TEXT_CHAR_NAME	 0x02 /* an event's name, or a function with its offset */
#define TEXT_CHAR_DEVICE 0x04 /* a device's name */

extern const uint8_t text_chars[256];
/** A hexadecimal digit's value, plus 1; 0: it is none. */
extern const uint8_t text_hex[256];

static inline bool is_char(char c, unsigned int what)
{
	return text_chars[(unsigned char)c] & what;
}

static inline bool is_digit(char c)
{
	return (unsigned char)(c - '0') <= 9;
}

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* -1: no hexadecimal digit */
static inline int hex_value(char c)
{
	return text_hex[(unsigned char)c] - 1;
}

static inline bool is_word_char(char c)
{
	return is_char(c, TEXT_CHAR_WORD);
}

static inline size_t scan_left(const struct scan *scan)
{
	return (size_t)(scan->end - scan->at);
}

static inline bool scan_is_end(const struct scan *scan)
{
	return scan->at == scan->end;
}

static inline bool scan_is(const struct scan *scan, char c)
{
	return scan->at < scan->end && *scan->at == c;
}

/*
 * Loops go along with pointers of their own: what a char points to might be the scan, for all the
 * compiler knows, and would be read again for each.
 */
static inline void scan_blanks(struct scan *scan)
{
	const char *at = scan->at, *end = scan->end;

	while (at < end && is_blank(*at))
		at++;
	scan->at = at;
}

/* All that is of @what, see is_char(). */
static inline struct text_piece scan_chars(struct scan *scan, unsigned int what)
{
	const char *start = scan->at, *at = start, *end = scan->end;

	while (at < end && is_char(*at, what))
		at++;
	scan->at = at;
	return (struct text_piece){start, (uint32_t)(at - start)};
}

/* The same where a column's blanks are many: eight at once. */
static inline const char *skip_column(const char *at, const char *end)
{
	while (end - at >= 8 && !memcmp(at, "        ", 8))
		at += 8;
	while (at < end && is_blank(*at))
		at++;
	return at;
}

static inline bool scan_char(struct scan *scan, char c)
{
	if (!scan_is(scan, c))
		return false;
	scan->at++;
	return true;
}

static inline bool scan_begins(const struct scan *scan, const char *word, size_t len)
{
	return scan_left(scan) >= len && !memcmp(scan->at, word, len);
}

/* @word: a literal */
#define scan_word(scan, word) scan_text(scan, word, sizeof(word) - 1)

static inline bool scan_text(struct scan *scan, const char *word, size_t len)
{
	if (!scan_begins(scan, word, len))
		return false;
	scan->at += len;
	return true;
}

/* Digits; false: none, or too many for 64 bits. */
static inline bool scan_decimal(struct scan *scan, uint64_t *ret)
{
	const char *at = scan->at, *end = scan->end;
	uint64_t value = 0;

	while (at < end && is_digit(*at)) {
		unsigned int digit = (unsigned int)(*at++ - '0');

		/* 19 of them always have room */
		if (at - scan->at > 19 && value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (at == scan->at)
		return false;
	scan->at = at;
	*ret = value;
	return true;
}

/* As scan_decimal(), of at most 32 bits. */
static inline bool scan_u32(struct scan *scan, uint32_t *ret)
{
	uint64_t value;

	if (!scan_decimal(scan, &value) || value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* Hexadecimal digits, no 0x; false: none, or more than 16. */
static inline bool scan_hex(struct scan *scan, uint64_t *ret)
{
	const char *at = scan->at, *end = scan->end;
	uint64_t value = 0;
	int digit;

	while (at < end && (digit = hex_value(*at)) >= 0) {
		value = value << 4 | (unsigned int)digit;
		at++;
	}
	if (at == scan->at || at - scan->at > 16)
		return false;
	scan->at = at;
	*ret = value;
	return true;
}

/* The piece from @from up to @to, blanks cut off both ends. */
static inline struct text_piece trimmed(const char *from, const char *to)
{
	from = skip_column(from, to);
	while (from < to && (is_blank(to[-1]) || to[-1] == '\r' || to[-1] == '\n'))
		to--;
	return (struct text_piece){from, (uint32_t)(to - from)};
}

static inline bool piece_is(const struct text_piece *piece, const char *word, size_t len)
{
	return piece->len == len && !memcmp(piece->str, word, len);
}

static inline bool piece_begins(const struct text_piece *piece, const char *word, size_t len)
{
	return piece->len >= len && !memcmp(piece->str, word, len);
}

#endif

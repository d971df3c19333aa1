// SPDX-License-Identifier: LGPL-2.1-only
/* Lists of addresses and lengths: as kernels print them, and as tools dump their bytes. */
#include <endian.h>

#include "local.h"

#define MAX_ELEMENTS 65536

/* Room for @n numbers more, so that each need not ask for its own. */
static bool make_room(struct text_body *body, size_t n)
{
	body->has_no_memory |= !dms_grow(&body->numbers, &body->numbers_capacity, body->n_numbers + n,
					 sizeof(*body->numbers));
	return !body->has_no_memory;
}

/* "{0x1000,0x2000}", "{}"; our own plugin prints sizes in decimal: "{4096,512}" */
static const char *read_braces(struct scan *scan, struct text_body *body)
{
	const char *close;
	uint64_t number;

	if (scan_char(scan, '}'))
		return NULL;
	/* a digit and a comma each; what has no end is not stored either */
	close = memchr(scan->at, '}', scan_left(scan));
	if (!make_room(body, (close ? (size_t)(close - scan->at) : scan_left(scan)) / 2 + 1))
		return "out of memory";
	do {
		scan_blanks(scan);
		if (scan_word(scan, "0x") ? !scan_hex(scan, &number) : !scan_decimal(scan, &number))
			return "a list of numbers expected";
		body->numbers[body->n_numbers++] = number;
	} while (scan_char(scan, ','));
	return scan_char(scan, '}') ? NULL : "the list breaks off";
}

/* "00, 50," of tools, "00,50," of the kernel */
static bool skip_comma(struct scan *scan)
{
	if (!scan_char(scan, ','))
		return false;
	scan_char(scan, ' ');
	return true;
}

#define EACH(byte) (0x0101010101010101ull * (byte))

/* Eight hexadecimal digits to their values, in place; false: they are not all digits. */
static bool to_digits(uint64_t *text)
{
	uint64_t letters = *text >> 6 & EACH(1), digits = (*text & EACH(0x0f)) + letters * 9;

	/* 0x3N, and 0x4N or 0x6N of letters, whose N begin at 1: 10 to 15 and none of 0 to 9 */
	if (((*text | letters << 5) & EACH(0xf0)) != EACH(0x30) + letters * 0x30 ||
	    (digits >> 4 & EACH(1)) || ((digits + EACH(6)) >> 4 & EACH(1)) != letters)
		return false;
	*text = digits;
	return true;
}

/* The 16 bytes at @at begin with "00, 50, 34, 02": as read_bytes(), all digits at once. */
static bool read_four(const char *at, uint32_t *ret)
{
	const uint64_t commas = 0x202c0000202c0000ull, digits = 0x0000ffff0000ffffull;
	uint64_t first, second, text;

	memcpy(&first, at, 8);
	memcpy(&second, at + 8, 8);
	first = le64toh(first);
	second = le64toh(second);
	if ((first & ~digits) != commas || (second & ~digits & UINT32_MAX) != (commas & UINT32_MAX))
		return false;
	text = (first & digits) | (second & digits) << 16; /* bytes 0, 2, 1, 3, two digits each */
	if (!to_digits(&text))
		return false;
	text = text << 4 | text >> 8;
	*ret = (uint32_t)((text & 0xff00ff) | (text >> 24 & 0xff00ff00));
	return true;
}

/* The same, of @bytes 4 or 8. False: nothing is read, read_bytes() knows why. */
static bool read_fast(struct scan *scan, unsigned int bytes, uint64_t *ret)
{
	uint32_t low, high = 0;

	if (scan_left(scan) < (size_t)bytes * 4 || !read_four(scan->at, &low))
		return false;
	if (bytes == 8 && (memcmp(scan->at + 14, ", ", 2) != 0 || !read_four(scan->at + 16, &high)))
		return false;
	scan->at += (size_t)bytes * 4 - 2;
	*ret = (uint64_t)high << 32 | low;
	return true;
}

/* Bytes of a dump to a number, the first one being the lowest. */
static const char *read_bytes(struct scan *scan, unsigned int bytes, uint64_t *ret)
{
	uint64_t number = 0;

	if (read_fast(scan, bytes, ret))
		return NULL;
	for (unsigned int i = 0; i < bytes; i++) {
		int high, low;

		if (i && !skip_comma(scan))
			return "the list breaks off";
		if (scan_left(scan) < 2)
			return "the list breaks off";
		high = hex_value(scan->at[0]);
		low = hex_value(scan->at[1]);
		if ((high | low) < 0)
			return "the list breaks off";
		scan->at += 2;
		number |= (uint64_t)(high << 4 | low) << (8 * i);
	}
	*ret = number;
	return NULL;
}

static uint64_t swapped(uint64_t number, unsigned int bytes)
{
	return __builtin_bswap64(number) >> (8 * (8 - bytes));
}

/*
 * Addresses leave their uppermost bytes empty, more of them than the lowest ones of a page: in the
 * right order they are the smaller numbers.
 */
static void vote(struct text_body *body, uint64_t little)
{
	uint64_t big = swapped(little, 8);

	body->order += (big < little) - (little < big);
	if (body->order > 1000 || body->order < -1000)
		body->order /= 2;
}

/* Bytes in the order of the machine that was traced, up to what is no comma */
static const char *read_dump(struct scan *scan, unsigned int bytes, struct text_body *body)
{
	size_t first = body->n_numbers;
	struct scan ahead = *scan;
	uint64_t number;
	const char *wrong;

	if (!make_room(body, scan_left(scan) / (3 * bytes) + 1)) /* "00," for each byte */
		return "out of memory";
	do {
		if ((wrong = read_bytes(&ahead, bytes, &number)))
			return wrong;
		body->numbers[body->n_numbers++] = number;
		if (bytes == 8)
			vote(body, number);
	} while (skip_comma(&ahead));
	*scan = ahead;
	for (size_t i = first; body->order > 0 && i < body->n_numbers; i++)
		body->numbers[i] = swapped(body->numbers[i], bytes);
	return NULL;
}

/* "ARRAY[00, 50, 34, ...]" */
static const char *read_array(struct scan *scan, unsigned int bytes, struct text_body *body)
{
	const char *wrong;

	if (scan_char(scan, ']'))
		return NULL;
	if ((wrong = read_dump(scan, bytes, body)))
		return wrong;
	return scan_char(scan, ']') ? NULL : "the list breaks off";
}

static bool is_byte(const struct scan *scan)
{
	return scan_left(scan) >= 3 && hex_value(scan->at[0]) >= 0 && hex_value(scan->at[1]) >= 0 &&
	       scan->at[2] == ',';
}

static const char *read_elements(const struct word *word, struct scan *scan,
				 struct writing *writing, struct text_body *body)
{
	if (scan_char(scan, '{'))
		return read_braces(scan, body);
	if (scan_word(scan, "ARRAY[")) {
		writing->has_dump = true;
		return read_array(scan, word->bytes, body);
	}
	if (is_byte(scan)) /* tracefs option fields */
		return read_dump(scan, word->bytes, body);
	return writing->is_fields && (scan_is_end(scan) || is_blank(*scan->at))
		       ? NULL
		       : "a list expected";
}

const char *read_list(const struct word *word, struct scan *scan, struct writing *writing,
		      struct text_body *body)
{
	size_t first = body->n_numbers;
	struct text_value *value;
	const char *wrong;

	if ((wrong = read_elements(word, scan, writing, body)))
		return wrong;
	if ((!scan_is_end(scan) && !is_blank(*scan->at)) || body->n_numbers - first > MAX_ELEMENTS)
		return "a list expected";
	value = add_field(body, word->name, word->name_len, TEXT_LIST);
	if (!value)
		return "too many words";
	value->n_list = (uint32_t)(body->n_numbers - first);
	value->number = first; /* list is set when no more numbers come: they may move */
	value->bytes = word->bytes;
	return NULL;
}

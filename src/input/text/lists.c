// SPDX-License-Identifier: LGPL-2.1-only
/* Lists of addresses and lengths: as kernels print them, and as tools dump their bytes. */
#include "local.h"

#define MAX_ELEMENTS 65536

static bool push(struct text_body *body, uint64_t number)
{
	if (!dms_grow(&body->numbers, &body->numbers_capacity, body->n_numbers + 1,
		      sizeof(*body->numbers)))
		return false;
	body->numbers[body->n_numbers++] = number;
	return true;
}

/* "{0x1000,0x2000}", "{}"; our own plugin prints sizes in decimal: "{4096,512}" */
static const char *read_braces(struct scan *scan, struct text_body *body)
{
	uint64_t number;

	if (scan_char(scan, '}'))
		return NULL;
	do {
		scan_blanks(scan);
		if (scan_word(scan, "0x") ? !scan_hex(scan, &number) : !scan_decimal(scan, &number))
			return "a list of numbers expected";
		if (!push(body, number))
			return "out of memory";
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

/* Bytes of a dump to numbers; *@ret_big the same read from the other end. */
static const char *read_bytes(struct scan *scan, unsigned int bytes, uint64_t *ret,
			      uint64_t *ret_big)
{
	*ret = *ret_big = 0;
	for (unsigned int i = 0; i < bytes; i++) {
		int high, low;

		if (i && !skip_comma(scan))
			return "the list breaks off";
		if (scan_left(scan) < 2 || (high = hex_value(scan->at[0])) < 0 ||
		    (low = hex_value(scan->at[1])) < 0)
			return "the list breaks off";
		scan->at += 2;
		*ret |= (uint64_t)(high << 4 | low) << (8 * i);
		*ret_big = *ret_big << 8 | (unsigned int)(high << 4 | low);
	}
	return NULL;
}

/*
 * Addresses leave their uppermost bytes empty, more of them than the lowest ones of a page: in the
 * right order they are the smaller numbers.
 */
static void vote(struct text_body *body, uint64_t little, uint64_t big)
{
	body->order += (big < little) - (little < big);
	if (body->order > 1000 || body->order < -1000)
		body->order /= 2;
}

static uint64_t swapped(uint64_t number, unsigned int bytes)
{
	return __builtin_bswap64(number) >> (8 * (8 - bytes));
}

/* Bytes in the order of the machine that was traced, up to what is no comma */
static const char *read_dump(struct scan *scan, unsigned int bytes, struct text_body *body)
{
	size_t first = body->n_numbers;
	uint64_t little, big;
	const char *wrong;

	do {
		if ((wrong = read_bytes(scan, bytes, &little, &big)))
			return wrong;
		if (!push(body, little))
			return "out of memory";
		if (bytes == 8)
			vote(body, little, big);
	} while (skip_comma(scan));
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
	value = add_value(body, word->name, TEXT_LIST);
	if (!value)
		return "too many words";
	value->n_list = (uint32_t)(body->n_numbers - first);
	value->number = first; /* list is set when no more numbers come: they may move */
	value->bytes = word->bytes;
	return NULL;
}

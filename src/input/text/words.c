// SPDX-License-Identifier: LGPL-2.1-only
/* The values of an event's words, in the forms kernels and tools write them. */
#include "local.h"

/* ---- numbers --------------------------------------------------------------------------------- */

static bool is_value_end(const struct scan *scan)
{
	return scan_is_end(scan) || is_blank(*scan->at);
}

/* @is_hex: of a number without 0x */
static bool read_number(struct scan *scan, bool is_hex, uint64_t *ret)
{
	if (scan_word(scan, "0x"))
		return scan_hex(scan, ret) && is_value_end(scan);
	return (is_hex ? scan_hex(scan, ret) : scan_decimal(scan, ret)) && is_value_end(scan);
}

/*
 * A tool that cannot parse a format prints 64-bit fields in decimal, in either form under the
 * same names. Where a line does not say which it is, only digits beyond 9 do.
 */
static const char *read_hex(struct scan *scan, const struct writing *writing, uint64_t *ret)
{
	const char *start = scan->at;
	bool is_prefixed = scan_begins(scan, "0x", 2);

	if (!read_number(scan, !writing->is_failed, ret))
		return "a number expected";
	if (is_prefixed || writing->is_failed || !writing->is_fields || !writing->has_dump ||
	    *ret < 10)
		return NULL;
	for (const char *at = start; at < scan->at; at++) {
		if (!is_digit(*at))
			return NULL;
	}
	return "decimal or hexadecimal? The line does not tell";
}

static const char *read_signed(struct scan *scan, uint64_t *ret)
{
	bool is_negative = scan_char(scan, '-');

	if (!read_number(scan, false, ret))
		return "a number expected";
	if (is_negative)
		*ret = -*ret;
	return NULL;
}

/* "128/512": what is shown of how many */
static const char *read_total(struct scan *scan, uint64_t *ret)
{
	uint64_t shown;

	if (!scan_decimal(scan, &shown))
		return "a number expected";
	*ret = shown;
	if (scan_char(scan, '/') && (!scan_decimal(scan, ret) || *ret < shown))
		return "a number expected behind the bar";
	return is_value_end(scan) ? NULL : "a number expected";
}

/* "0x1000 - 0x2000": the end is kept to be held against the size */
static const char *read_range(struct scan *scan, struct writing *writing, uint64_t *ret)
{
	uint64_t end;

	if (read_hex(scan, writing, ret))
		return "a number expected";
	writing->has_range = scan_word(scan, " - ");
	if (!writing->has_range)
		return NULL;
	if (read_hex(scan, writing, &end))
		return "a number expected behind the dash";
	writing->range_bytes = end - *ret;
	return NULL;
}

/* ---- symbols --------------------------------------------------------------------------------- */

struct symbol {
	const char *name;
	uint32_t value;
	uint8_t len;
};

#define SYMBOL(name, value) {name, value, sizeof(name) - 1}

/* enum dma_data_direction */
static const struct symbol directions[] = {
	SYMBOL("BIDIRECTIONAL", 0),
	SYMBOL("TO_DEVICE", 1),
	SYMBOL("FROM_DEVICE", 2),
	SYMBOL("NONE", 3),
};

/* decode_dma_attrs() of include/trace/events/dma.h; 11 was renamed after 7.0 */
static const struct symbol attrs[] = {
	SYMBOL("WEAK_ORDERING", 1 << 1),
	SYMBOL("WRITE_COMBINE", 1 << 2),
	SYMBOL("NO_KERNEL_MAPPING", 1 << 4),
	SYMBOL("SKIP_CPU_SYNC", 1 << 5),
	SYMBOL("FORCE_CONTIGUOUS", 1 << 6),
	SYMBOL("ALLOC_SINGLE_PAGES", 1 << 7),
	SYMBOL("NO_WARN", 1 << 8),
	SYMBOL("PRIVILEGED", 1 << 9),
	SYMBOL("MMIO", 1 << 10),
	SYMBOL("CACHE_CLEAN", 1 << 11),
	SYMBOL("CACHELINES_OVERLAP", 1 << 11),
	SYMBOL("REQUIRE_COHERENT", 1 << 12),
	SYMBOL("CC_SHARED", 1 << 13),
};

static bool find_symbol(const struct symbol *symbols, size_t n, struct text_piece piece,
			uint64_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (!piece_is(&piece, symbols[i].name, symbols[i].len))
			continue;
		*ret = symbols[i].value;
		return true;
	}
	return false;
}

static struct text_piece read_token(struct scan *scan, char separator)
{
	const char *start = scan->at, *at = start, *end = scan->end;

	while (at < end && !is_blank(*at) && *at != separator)
		at++;
	scan->at = at;
	return (struct text_piece){start, (uint32_t)(at - start)};
}

static const char *read_dir(struct scan *scan, uint64_t *ret)
{
	if (!scan_is_end(scan) && is_digit(*scan->at))
		return read_number(scan, false, ret) ? NULL : "a direction expected";
	return find_symbol(directions, DMS_ARRAY_SIZE(directions), read_token(scan, ' '), ret)
		       ? NULL
		       : "a direction expected";
}

/* "WEAK_ORDERING|0x4000": bits the kernel has no name for come last */
static const char *read_attrs(struct scan *scan, uint64_t *ret)
{
	uint64_t bit;

	*ret = 0;
	if (is_value_end(scan))
		return NULL;
	if (is_digit(*scan->at))
		return read_number(scan, false, ret) ? NULL : "attributes expected";
	do {
		if (scan_begins(scan, "0x", 2)) {
			if (!read_number(scan, true, &bit))
				return "attributes expected";
		} else if (!find_symbol(attrs, DMS_ARRAY_SIZE(attrs), read_token(scan, '|'),
					&bit)) {
			return "an unknown attribute";
		}
		*ret |= bit;
	} while (scan_char(scan, '|'));
	return is_value_end(scan) ? NULL : "attributes expected";
}

/* Not made a number: its bits differ from kernel to kernel, and names stand for several. */
static const char *read_gfp(const struct word *word, struct scan *scan, struct text_body *body)
{
	struct text_piece piece;
	uint64_t number;

	if (!scan_is_end(scan) && is_digit(*scan->at)) {
		if (!read_number(scan, false, &number))
			return "flags expected";
		add_number(body, word->name, number, word->bytes);
		return NULL;
	}
	piece = read_token(scan, ' ');
	for (uint32_t i = 0; i < piece.len; i++) {
		if (!is_word_char(piece.str[i]) && piece.str[i] != '|')
			return "flags expected";
	}
	if (!piece.len || piece.str[piece.len - 1] == '|')
		return "flags expected";
	add_string(body, word->name, piece);
	return NULL;
}

/* ---- pointers -------------------------------------------------------------------------------- */

/*
 * %p. Tools print the value, with 0x. Kernels print a 32-bit hash unless told not to
 * (ptr_to_id() of lib/vsprintf.c); NULL and error pointers as they are. Of a 32-bit machine a
 * hash and a pointer look alike: taken for a hash, which is what a kernel prints by default.
 */
static const char *read_pointer(const struct word *word, struct scan *scan, struct text_body *body)
{
	bool is_plain = scan_word(scan, "0x"), is_hashed;
	const char *start;
	uint64_t number;
	size_t digits;

	if (scan_word(scan, "(null)") || scan_word(scan, "(nil)")) {
		add_number(body, word->name, 0, 8);
		return is_value_end(scan) ? NULL : "a pointer expected";
	}
	if (scan_word(scan, "(____ptrval____)") || scan_word(scan, "(ptrval)"))
		return is_value_end(scan) ? NULL : "a pointer expected"; /* it says nothing */
	start = scan->at;
	if (!scan_hex(scan, &number) || !is_value_end(scan))
		return "a pointer expected";
	digits = (size_t)(scan->at - start);
	if (!is_plain && digits != 16 && digits != 8)
		return "a pointer expected: digits are missing";
	is_hashed = !is_plain && number && !(number >> 32);
	if (is_hashed && digits == 8 && number >= 0xfffff001)
		is_hashed = false; /* an error pointer of a 32-bit machine */
	add_number(body, is_hashed ? "virt_addr_hash" : word->name, number, 8);
	return NULL;
}

/* ---- names ----------------------------------------------------------------------------------- */

/*
 * Devices may be called anything ("Fixed MDIO bus.0"), but what looks like the middle of another
 * line is none.
 */
static bool is_name(struct text_piece piece)
{
	char last = '.';

	for (uint32_t i = 0; i < piece.len; i++) {
		char c = piece.str[i];

		if (!is_char(c, TEXT_CHAR_DEVICE) || (c == ' ' && (last == ' ' || last == ':')))
			return false;
		last = c;
	}
	return piece.len > 0;
}

/* Where the next " key=" begins, or the end. */
static const char *next_key(const struct scan *scan)
{
	const char *start = scan->at, *at = memchr(start, '=', scan_left(scan));

	if (!at)
		return scan->end;
	while (at > start && !is_blank(at[-1]))
		at--;
	return at;
}

bool begins_with_key(const struct scan *scan)
{
	struct scan ahead = *scan;

	return scan_chars(&ahead, TEXT_CHAR_WORD).len && scan_is(&ahead, '=');
}

const char *read_name_value(const char *name, struct scan *scan, struct text_body *body)
{
	const char *to = next_key(scan);
	struct text_piece piece = trimmed(scan->at, to);

	if (!is_name(piece))
		return "a name expected";
	scan->at = piece.str + piece.len;
	add_string(body, name, piece);
	return NULL;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* A byte by option fields: "(1)", with "'A'" before it if that can be printed */
static bool read_byte(struct scan *scan, uint64_t *ret)
{
	if (scan_char(scan, '\''))
		scan->at += scan_left(scan) > 1 ? 2 : 0;
	return scan_char(scan, '(') && scan_decimal(scan, ret) && scan_char(scan, ')') &&
	       is_value_end(scan);
}

static const char *read_scalar(const struct word *word, struct scan *scan,
			       struct writing *writing, uint64_t *ret)
{
	switch (word->form) {
	case FORM_HEX:
		return read_hex(scan, writing, ret);
	case FORM_RANGE:
		return read_range(scan, writing, ret);
	case FORM_SIGNED:
		return read_signed(scan, ret);
	case FORM_DIR:
		return read_dir(scan, ret);
	case FORM_ATTRS:
		return read_attrs(scan, ret);
	case FORM_TOTAL:
		return read_total(scan, ret);
	default:
		return read_number(scan, false, ret) || read_byte(scan, ret) ? NULL
									     : "a number expected";
	}
}

static const char *read_plain(const struct word *word, struct scan *scan, struct writing *writing,
			      struct text_body *body)
{
	bool is_signed = word->form == FORM_SIGNED;
	struct text_value *value;
	uint64_t number = 0;
	const char *wrong = read_scalar(word, scan, writing, &number);

	if (wrong)
		return wrong;
	if (word->bytes < 8 && !is_signed && number >> (8 * word->bytes))
		return "the number is too big";
	value = add_field(body, word->name, word->name_len, TEXT_NUMBER);
	if (!value)
		return "too many words";
	value->number = number;
	value->bytes = word->bytes;
	value->is_signed = is_signed;
	return NULL;
}

const char *read_value(const struct word *word, struct scan *scan, struct writing *writing,
		       struct text_body *body)
{
	if (body->n_values == TEXT_MAX_VALUES)
		return "too many words";
	switch (word->form) {
	case FORM_NAME:
		return read_name_value(word->name, scan, body);
	case FORM_LIST:
		return read_list(word, scan, writing, body);
	case FORM_FLAGS:
		return read_gfp(word, scan, body);
	case FORM_POINTER:
		return read_pointer(word, scan, body);
	default:
		return read_plain(word, scan, writing, body);
	}
}

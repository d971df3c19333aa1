// SPDX-License-Identifier: LGPL-2.1-only
/*
 * Bodies of probes: "(dma_map_phys+0x0/0x50) dev=0x12 name="x"". Of a return probe kernels write
 * "(caller+0x1d/0x40 <- function)", tools "(function <- caller)" in bare addresses: the first is
 * print_kretprobe_event() of kernel/trace/trace_kprobe.c, the second its print fmt.
 */
#include "local.h"

/** A place in the kernel's code. */
struct place {
	struct text_piece symbol; /* NULL: only the address */
	uint64_t address;
	bool has_address;
};

static struct text_value *add_argument(struct text_body *body, struct text_piece name,
				       uint8_t type)
{
	struct text_value *value = add_value(body, "", type);

	if (!value)
		return NULL;
	value->name = name.str;
	value->name_len = name.len;
	return value;
}

/* "ffffffff88e9a864": what has no digit might be a function called "feed" */
static bool read_address(struct scan *scan, struct place *ret)
{
	struct scan ahead = *scan;
	bool is_plain = scan_word(&ahead, "0x");
	const char *start = ahead.at;

	if (!scan_hex(&ahead, &ret->address) || (!is_plain && ahead.at - start < 6) ||
	    scan_is_end(&ahead) || !strchr(" )>", *ahead.at) || !*ahead.at)
		return false;
	ret->has_address = true;
	*scan = ahead;
	return true;
}

static bool is_symbol_end(const struct scan *scan)
{
	return scan_is_end(scan) || is_blank(*scan->at) || *scan->at == ')';
}

static bool read_place(struct scan *scan, struct place *ret)
{
	const char *start = scan->at;

	*ret = (struct place){0};
	if (!read_address(scan, ret)) {
		while (!is_symbol_end(scan))
			scan->at++;
		ret->symbol = (struct text_piece){start, (uint32_t)(scan->at - start)};
		if (!ret->symbol.len)
			return false;
	}
	if (scan_word(scan, " [")) { /* its module */
		const char *close = memchr(scan->at, ']', scan_left(scan));

		if (!close)
			return false;
		scan->at = close + 1;
	}
	if (scan_word(scan, " <") && !scan_begins(scan, "- ", 2)) { /* option sym-addr */
		if (!read_address(scan, ret) || !scan_char(scan, '>'))
			return false;
	} else if (scan_begins(scan, "- ", 2)) {
		scan->at -= 2;
	}
	return true;
}

bool is_probe(const struct scan *scan)
{
	if (scan_begins(scan, "__probe_", 8))
		return true;
	return scan_is(scan, '(') && !scan_begins(scan, "(null)", 6);
}

/* A place with both is its address, and the symbol says what is there. */
static void add_place(struct text_body *body, const char *symbol_name, const char *address_name,
		      const struct place *place)
{
	struct text_value *value;

	if (!place->has_address) {
		add_string(body, symbol_name, place->symbol);
		return;
	}
	value = add_value(body, address_name, TEXT_NUMBER);
	if (!value)
		return;
	value->bytes = 8;
	value->number = place->address;
	value->piece = place->symbol;
}

static const char *read_where(struct scan *scan, struct text_body *body)
{
	static const char wrong[] = "the probe's place is cut off";
	struct place first, second;

	if (!read_place(scan, &first))
		return wrong;
	if (scan_char(scan, ')')) {
		add_place(body, "__probe_func", "__probe_ip", &first);
		return NULL;
	}
	if (!scan_word(scan, " <- ") || !read_place(scan, &second) || !scan_char(scan, ')'))
		return wrong;
	if (first.symbol.len || second.symbol.len) {
		struct place swap = first;

		first = second;
		second = swap;
	}
	add_place(body, "__probe_func", "__probe_func", &first);
	add_place(body, "__probe_caller", "__probe_ret_ip", &second);
	return NULL;
}

/* The end of a string is the quote behind which the line ends or an argument follows. */
static const char *end_of_string(const struct scan *scan)
{
	for (const char *at = scan->at; at < scan->end; at++) {
		struct scan behind = {at + 1, scan->end};

		if (*at != '"')
			continue;
		if (scan_is_end(&behind) ||
		    (scan_char(&behind, ' ') && begins_with_key(&behind)))
			return at;
	}
	return NULL;
}

static const char *read_string(struct scan *scan, struct text_piece name, struct text_body *body)
{
	const char *close = end_of_string(scan);
	struct text_value *value;

	if (!close)
		return "a string is cut off";
	value = add_argument(body, name, TEXT_STRING);
	if (value)
		value->piece = (struct text_piece){scan->at, (uint32_t)(close - scan->at)};
	scan->at = close + 1;
	return NULL;
}

/* Numbers; all else ("(fault)", symbols, lists) is what it is: a string. */
static void read_argument_value(struct scan *scan, struct text_piece name, bool is_hex,
				struct text_body *body)
{
	struct scan ahead = *scan;
	const char *start = scan->at;
	bool is_negative = scan_char(&ahead, '-'), is_number;
	struct text_value *value;
	uint64_t number;

	if (scan_word(&ahead, "0x") || is_hex)
		is_number = scan_hex(&ahead, &number);
	else
		is_number = scan_decimal(&ahead, &number);
	is_number = is_number && (scan_is_end(&ahead) || *ahead.at == ' ');
	while (!scan_is_end(scan) && *scan->at != ' ')
		scan->at++;
	value = add_argument(body, name, is_number ? TEXT_NUMBER : TEXT_STRING);
	if (!value)
		return;
	value->bytes = 8;
	value->is_signed = is_negative;
	if (is_number)
		value->number = is_negative ? -number : number;
	else
		value->piece = (struct text_piece){start, (uint32_t)(scan->at - start)};
}

/* Tracefs option fields: "0x3 (3)", "dma_set_mask+0x4/0x150 (-1431726796)": the second number */
static bool cut_repeated(struct scan *value, uint64_t *ret)
{
	const char *open = scan_left(value) > 3 && value->end[-1] == ')'
				   ? memrchr(value->at, '(', scan_left(value))
				   : NULL;
	struct scan number;
	bool is_negative;

	if (!open || open - value->at < 2 || open[-1] != ' ')
		return false;
	number = (struct scan){open + 1, value->end};
	is_negative = scan_char(&number, '-');
	if (!scan_decimal(&number, ret) || number.at + 1 != value->end)
		return false;
	if (is_negative)
		*ret = -*ret;
	value->end = open - 1;
	return true;
}

/* "dma_set_mask+0x4/0x150", "nvme_probe+0x415/0x6d0 [nvme]", and where that is */
static void add_symbol(struct text_body *body, struct text_piece name, const struct scan *value,
		       uint64_t address)
{
	struct text_value *place = add_argument(body, name, TEXT_NUMBER);

	if (!place)
		return;
	place->bytes = 8;
	place->number = address;
	place->piece = (struct text_piece){value->at, (uint32_t)scan_left(value)};
}

/* "(1)", "'A' (65)": a number of one byte, by option fields */
static bool read_char(const struct scan *value, uint64_t *ret)
{
	struct scan scan = *value;

	if (scan_char(&scan, '\'') && scan_left(&scan) > 2)
		scan.at += 2;
	scan_blanks(&scan);
	return scan_char(&scan, '(') && scan_decimal(&scan, ret) && scan_char(&scan, ')') &&
	       scan_is_end(&scan);
}

/* trace-cmd report -R: strings have no quotes, and may have blanks: up to the next " name=" */
static struct scan fields_value(const struct scan *scan)
{
	struct scan value = {scan->at, scan->end};

	for (const char *at = scan->at; at < scan->end; at++) {
		struct scan behind = {at + 1, scan->end};

		if (*at != ' ' || !begins_with_key(&behind))
			continue;
		value.end = at;
		break;
	}
	return value;
}

static const char *read_field(struct scan *scan, struct text_piece name, struct text_body *body)
{
	struct scan value = fields_value(scan);
	bool is_place = piece_begins(&name, "__probe_", 8);
	struct text_value *string;
	uint64_t number;

	scan->at = value.end;
	if (cut_repeated(&value, &number) && is_place && !scan_begins(&value, "0x", 2)) {
		add_symbol(body, name, &value, number);
		return NULL;
	}
	if (read_char(&value, &number)) {
		string = add_argument(body, name, TEXT_NUMBER);
		if (string) {
			string->bytes = 8;
			string->number = number;
		}
		return NULL;
	}
	if (!memchr(value.at, ' ', scan_left(&value))) {
		read_argument_value(&value, name, is_place, body);
		return NULL;
	}
	string = add_argument(body, name, TEXT_STRING);
	if (string)
		string->piece = trimmed(value.at, value.end);
	return NULL;
}

static const char *read_argument(struct scan *scan, bool is_fields, struct text_body *body)
{
	struct text_piece name = {scan->at, 0};

	if (!begins_with_key(scan))
		return "an argument expected";
	while (*scan->at != '=')
		scan->at++;
	name.len = (uint32_t)(scan->at++ - name.str);
	if (is_fields)
		return read_field(scan, name, body);
	if (scan_char(scan, '"'))
		return read_string(scan, name, body);
	read_argument_value(scan, name, false, body);
	return NULL;
}

const char *read_probe(struct scan *scan, struct text_body *body)
{
	bool is_fields = !scan_char(scan, '(');
	const char *wrong;

	if (!is_fields && (wrong = read_where(scan, body)))
		return wrong;
	for (scan_blanks(scan); !scan_is_end(scan); scan_blanks(scan)) {
		if ((wrong = read_argument(scan, is_fields, body)))
			return wrong;
	}
	return NULL;
}

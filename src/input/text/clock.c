// SPDX-License-Identifier: LGPL-2.1-only
/* Letters, clock and name: what stands between an event's CPU and its own words. */
#include "local.h"

/* ---- letters: irqs-off, need-resched, hardirq/softirq, preempt-depth, migrate-disable -------- */

#define IRQS_OFF 0x01
#define LAZY	 0x02 /* need-resched, lazily */
#define RESCHED	 0x04
#define HARDIRQ	 0x08
#define SOFTIRQ	 0x10
#define PREEMPT	 0x20 /* preempt-resched */
#define NMI	 0x40
#define BH_OFF	 0x80
#define IS_KNOWN 0x100

/* trace_print_lat_fmt(): by column and letter */
static const uint16_t letters[3][128] = {
	{['.'] = IS_KNOWN,
	 ['d'] = IS_KNOWN | IRQS_OFF,
	 ['b'] = IS_KNOWN | BH_OFF,
	 ['D'] = IS_KNOWN | IRQS_OFF | BH_OFF,
	 ['X'] = IS_KNOWN /* the architecture cannot tell */},
	{['.'] = IS_KNOWN,
	 ['n'] = IS_KNOWN | RESCHED,
	 ['p'] = IS_KNOWN | PREEMPT,
	 ['l'] = IS_KNOWN | LAZY,
	 ['N'] = IS_KNOWN | RESCHED | PREEMPT,
	 ['L'] = IS_KNOWN | LAZY | PREEMPT,
	 ['b'] = IS_KNOWN | RESCHED | LAZY,
	 ['B'] = IS_KNOWN | RESCHED | LAZY | PREEMPT},
	{['.'] = IS_KNOWN,
	 ['h'] = IS_KNOWN | HARDIRQ,
	 ['s'] = IS_KNOWN | SOFTIRQ,
	 ['H'] = IS_KNOWN | HARDIRQ | SOFTIRQ,
	 ['z'] = IS_KNOWN | NMI,
	 ['Z'] = IS_KNOWN | NMI | HARDIRQ},
};

/* '.' or a digit; -1: neither */
static int depth_of(char c)
{
	return c == '.' ? 0 : hex_value(c);
}

bool read_flags(struct scan *scan, struct text_head *head)
{
	unsigned int flags = 0;
	int depth[2] = {0, 0};
	size_t n = 3;

	if (scan_left(scan) < 4)
		return false;
	for (size_t i = 0; i < 3; i++) {
		unsigned int letter = letters[i][scan->at[i] & 0x7f];

		if (!letter || (scan->at[i] & 0x80))
			return false;
		flags |= letter;
	}
	/* Before 5.17 there was no fifth column. */
	for (; n < 5 && n < scan_left(scan) && !is_blank(scan->at[n]); n++) {
		if ((depth[n - 3] = depth_of(scan->at[n])) < 0)
			return false;
	}
	/* trace-cmd report -l leaves no blank before the ticks of x86-tsc */
	if (n < 4 || (n < scan_left(scan) && !is_blank(scan->at[n]) && !is_digit(scan->at[n])))
		return false;
	scan->at += n;
	head->flags = (uint8_t)flags;
	head->preempt_count = (uint8_t)(depth[1] << 4 | depth[0]);
	head->has_flags = true;
	return true;
}

bool skip_flags(struct scan *scan, struct text_head *head)
{
	size_t n = 0;

	if (read_flags(scan, head))
		return true;
	while (n < scan_left(scan) && !is_blank(scan->at[n]) && scan->at[n] > ' ')
		n++;
	if (n < 4 || n > 7 || n == scan_left(scan))
		return false;
	scan->at += n;
	return true;
}

/* ---- clock and name -------------------------------------------------------------------------- */

/* A fraction of a second has 6 or 9 decimals; one of fewer was cut off. */
#define MIN_DECIMALS 6
#define MAX_DECIMALS 9

static bool read_fraction(struct scan *scan, struct text_head *head)
{
	const char *start = scan->at;
	uint64_t fraction;
	uint32_t unit_ns = 1;
	size_t n;

	if (!scan_decimal(scan, &fraction))
		return false;
	n = (size_t)(scan->at - start);
	if (n < MIN_DECIMALS || n > MAX_DECIMALS || head->ts > UINT64_MAX / 1000000000 - 1)
		return false;
	for (; n < MAX_DECIMALS; n++)
		unit_ns *= 10;
	head->ts = head->ts * 1000000000 + fraction * unit_ns;
	head->resolution_ns = unit_ns;
	return true;
}

/* "650659us " of the latency format; what stands behind says how long the next event took. */
static bool read_us(struct scan *scan, struct text_head *head)
{
	if (scan_left(scan) < 2 || !strchr(" +!#*@$", *scan->at) || !*scan->at)
		return false;
	scan->at++;
	if (head->ts > UINT64_MAX / 1000)
		return false;
	head->ts *= 1000;
	head->resolution_ns = 1000;
	return true;
}

enum head_try read_clock(struct scan *scan, struct text_head *head)
{
	bool is_ok = true;

	scan_blanks(scan);
	if (!scan_decimal(scan, &head->ts))
		return TRY_BROKEN;
	if (scan_char(scan, '.')) {
		is_ok = read_fraction(scan, head);
	} else if (scan_word(scan, "us")) {
		is_ok = read_us(scan, head);
	} else {
		head->is_in_ticks = true;
		head->resolution_ns = 1;
	}
	return is_ok && scan_char(scan, ':') ? TRY_NOTHING : TRY_BROKEN;
}

/* Event names; functions with their offset, where trace_printk() was called. */
static bool read_name_part(struct scan *scan, struct text_piece *ret)
{
	*ret = scan_chars(scan, TEXT_CHAR_NAME);
	return ret->len > 0;
}

/* trace-cmd report --ts-diff: "(+1542)" */
static void skip_difference(struct scan *scan)
{
	struct scan ahead = *scan;
	uint64_t value;

	if (!scan_word(&ahead, "(+") || !scan_decimal(&ahead, &value) || !scan_char(&ahead, ')'))
		return;
	scan_blanks(&ahead);
	*scan = ahead;
}

/* Option sym-addr: "tracing_mark_write <ffffffffaab561a1>:" */
static void skip_address(struct scan *scan)
{
	struct scan ahead = *scan;
	uint64_t address;

	if (scan_word(&ahead, " <") && scan_hex(&ahead, &address) && scan_char(&ahead, '>') &&
	    scan_is(&ahead, ':'))
		*scan = ahead;
}

enum head_try read_name(struct scan *scan, struct text_head *head)
{
	scan_blanks(scan);
	if (scan_is(scan, '('))
		skip_difference(scan);
	if (scan_is(scan, '<')) { /* "<stack trace>" */
		head->body = trimmed(scan->at, scan->end);
		return TRY_NOTHING;
	}
	if (!read_name_part(scan, &head->name))
		return scan_is_end(scan) ? TRY_BROKEN : TRY_OTHER;
	skip_address(scan);
	if (!scan_char(scan, ':'))
		return scan_is_end(scan) || !is_blank(*scan->at) ? TRY_BROKEN : TRY_OTHER;
	if (!scan_is_end(scan) && !is_blank(*scan->at)) {
		head->system = head->name;
		if (!read_name_part(scan, &head->name) || !scan_char(scan, ':'))
			return TRY_BROKEN;
	}
	head->body = trimmed(scan->at, scan->end);
	return TRY_NOTHING;
}

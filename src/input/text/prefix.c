// SPDX-License-Identifier: LGPL-2.1-only
/*
 * What stands before a line that went through printk, a journal or a terminal program: levels, time
 * stamps, callers, host names. Skipped, not understood: an event brings its own clock.
 */
#include "local.h"

/* ESC [ 1 ; 32 m */
static bool skip_escape(struct scan *scan)
{
	struct scan ahead = *scan;

	if (!scan_word(&ahead, "\033["))
		return false;
	while (!scan_is_end(&ahead) &&
	       (is_digit(*ahead.at) || *ahead.at == ';' || *ahead.at == '?'))
		ahead.at++;
	if (scan_is_end(&ahead))
		return false;
	scan->at = ahead.at + 1;
	return true;
}

/* "<4>" of syslog, "<0>" */
static bool skip_level(struct scan *scan)
{
	struct scan ahead = *scan;
	uint32_t level;

	if (!scan_char(&ahead, '<') || !scan_u32(&ahead, &level) || !scan_char(&ahead, '>'))
		return false;
	*scan = ahead;
	return true;
}

/* "09:43:02", of any date's form: what makes a time stamp one */
static bool has_time(const char *at, const char *end)
{
	for (; end - at >= 8; at++) {
		if (is_digit(at[0]) && is_digit(at[1]) && at[2] == ':' && is_digit(at[3]) &&
		    is_digit(at[4]) && at[5] == ':' && is_digit(at[6]) && is_digit(at[7]))
			return true;
	}
	return false;
}

/* "   12.345678" of printk; "T123", "C0": its caller */
static bool is_printk_stamp(const char *at, const char *end)
{
	struct scan scan = {at, end};
	uint64_t value;

	scan_blanks(&scan);
	if (scan_char(&scan, 'T') || scan_char(&scan, 'C'))
		return scan_decimal(&scan, &value) && scan_is_end(&scan);
	if (!scan_decimal(&scan, &value))
		return false;
	if (scan_char(&scan, '.') && scan_decimal(&scan, &value))
		scan_blanks(&scan);
	else
		return false;
	return scan_is_end(&scan);
}

/* "[   12.345678] ", "[Sat Nov 21 09:43:02 2026] ", "[2026-11-21 09:43:02] " */
#define MAX_STAMP 48

static bool skip_bracket(struct scan *scan)
{
	size_t len = scan_left(scan) < MAX_STAMP ? scan_left(scan) : MAX_STAMP;
	const char *close;

	if (!len || *scan->at != '[')
		return false;
	close = memchr(scan->at, ']', len);
	if (!close || !(is_printk_stamp(scan->at + 1, close) || has_time(scan->at + 1, close)))
		return false;
	scan->at = close + 1;
	scan_char(scan, ' ');
	return true;
}

/* One word that ends in @close; at most @max bytes. */
static bool skip_token(struct scan *scan, size_t max)
{
	size_t n = 0;

	while (n < scan_left(scan) && n <= max && (unsigned char)scan->at[n] > ' ')
		n++;
	if (!n || n > max || n == scan_left(scan) || scan->at[n] != ' ')
		return false;
	scan->at += n + 1;
	return true;
}

/* "kernel: ", also "kernel[1]: " */
static bool skip_kernel(struct scan *scan)
{
	struct scan ahead = *scan;
	uint32_t pid;

	if (!scan_word(&ahead, "kernel"))
		return false;
	if (scan_char(&ahead, '[') && (!scan_u32(&ahead, &pid) || !scan_char(&ahead, ']')))
		return false;
	if (!scan_char(&ahead, ':'))
		return false;
	scan_char(&ahead, ' ');
	*scan = ahead;
	return true;
}

/* "host kernel: " */
static void skip_host(struct scan *scan)
{
	struct scan ahead = *scan;

	if (skip_kernel(scan))
		return;
	if (skip_token(&ahead, 255) && skip_kernel(&ahead))
		*scan = ahead;
}

/* "Nov 21 09:43:02 ", also with a fraction, a year */
static bool skip_short_date(struct scan *scan)
{
	struct scan ahead = *scan;
	uint32_t day;
	const char *clock;

	if (scan_left(&ahead) < 16 || ahead.at[3] != ' ' || !is_word_char(ahead.at[2]))
		return false;
	ahead.at += 4;
	scan_blanks(&ahead);
	if (!scan_u32(&ahead, &day) || day > 31 || !scan_char(&ahead, ' '))
		return false;
	clock = ahead.at;
	if (!skip_token(&ahead, 18) || !has_time(clock, ahead.at))
		return false;
	*scan = ahead;
	return true;
}

/* "2026-11-21T09:43:02+0000 ", "2026-11-21 09:43:02.123 ", "1763718182.123456 " */
static bool skip_long_date(struct scan *scan)
{
	struct scan ahead = *scan;
	const char *start = ahead.at;
	bool is_date = scan_left(&ahead) > 10 && ahead.at[4] == '-' && ahead.at[7] == '-';
	uint64_t value;

	if (!is_date) {
		struct scan after;

		if (!scan_decimal(&ahead, &value) || !scan_char(&ahead, '.') ||
		    !scan_decimal(&ahead, &value) || !scan_char(&ahead, ' '))
			return false;
		after = ahead; /* any number may begin a line: it takes a host to be a stamp */
		skip_host(&after);
		*scan = after.at == ahead.at ? *scan : ahead;
		return after.at != ahead.at;
	}
	if (!skip_token(&ahead, 40))
		return false;
	if (!has_time(start, ahead.at) &&
	    (!skip_token(&ahead, 24) || !has_time(start, ahead.at)))
		return false;
	*scan = ahead;
	return true;
}

/* "6,1234,5678901,-;" of /dev/kmsg and netconsole */
static bool skip_record(struct scan *scan)
{
	struct scan ahead = *scan;
	uint64_t value;

	for (int i = 0; i < 3; i++) {
		if (!scan_decimal(&ahead, &value) || !scan_char(&ahead, ','))
			return false;
	}
	while (!scan_is_end(&ahead) && *ahead.at != ';' && *ahead.at > ' ')
		ahead.at++;
	if (!scan_char(&ahead, ';'))
		return false;
	*scan = ahead;
	return true;
}

/* "kern  :emerg : " of dmesg --decode */
static bool skip_facility(struct scan *scan)
{
	struct scan ahead = *scan;
	size_t n;

	if (!scan_word(&ahead, "kern  :") && !scan_word(&ahead, "user  :"))
		return false;
	for (n = 0; n < scan_left(&ahead) && is_word_char(ahead.at[n]); n++)
		;
	ahead.at += n;
	scan_blanks(&ahead);
	if (!n || !scan_word(&ahead, ": "))
		return false;
	*scan = ahead;
	return true;
}

static bool skip_one(struct scan *scan)
{
	char first = *scan->at;

	if (first == '\r' || !first) {
		scan->at++;
		return true;
	}
	if (first == '\033')
		return skip_escape(scan);
	if (first == '<')
		return skip_level(scan);
	if (first == '[')
		return skip_bracket(scan);
	if (is_digit(first))
		return skip_long_date(scan) || skip_record(scan);
	if (first >= 'A' && first <= 'Z')
		return skip_short_date(scan);
	return skip_facility(scan);
}

void skip_prefix(struct scan *scan)
{
	const char *start = scan->at;

	/* Blanks are a head's own columns, and of no use in telling. */
	while (!scan_is_end(scan) && !is_blank(*scan->at) && skip_one(scan))
		;
	if (scan->at != start) {
		skip_host(scan);
		while (!scan_is_end(scan) && !is_blank(*scan->at) && skip_one(scan))
			;
	}
}

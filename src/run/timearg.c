// SPDX-License-Identifier: LGPL-2.1-only
/* A time of the trace clock as people type it: --at, --since, --until. */
#include <string.h>

#include "filter.h"

#define NS_DIGITS 9 /* decimals of a second that are still whole nanoseconds */

/* Digits from *@text on, into *@ret; false if there are none, or too many for 63 bits. */
static bool take_digits(const char **text, uint64_t *ret)
{
	const char *begin = *text;
	uint64_t value = 0;

	for (; **text >= '0' && **text <= '9'; ++*text) {
		if (value > (INT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(**text - '0');
	}
	*ret = value;
	return *text > begin;
}

/* Up to nine decimals as nanoseconds: ".7" is 700000000. */
static bool take_decimals(const char **text, uint64_t *ret)
{
	const char *begin = *text;
	ptrdiff_t n_digits;

	if (!take_digits(text, ret))
		return false;
	n_digits = *text - begin;
	if (n_digits > NS_DIGITS)
		return false;
	for (; n_digits < NS_DIGITS; n_digits++)
		*ret *= 10;
	return true;
}

static bool parse(const char *text, bool clock_is_ns, uint64_t *ret)
{
	uint64_t whole, decimals = 0;

	if (!take_digits(&text, &whole))
		return false;
	if (!strcmp(text, "ns") || (!clock_is_ns && !*text)) {
		*ret = whole;
		return true;
	}
	if (!clock_is_ns || whole > INT64_MAX / 1000000000 - 1)
		return false;
	if (*text == '.') {
		text++;
		if (!take_decimals(&text, &decimals))
			return false;
	}
	*ret = whole * 1000000000 + decimals;
	return !*text;
}

struct dms_error *dms_time_parse(const char *option, const char *text, bool clock_is_ns,
				 uint64_t *ret)
{
	if (parse(text, clock_is_ns, ret))
		return NULL;
	return dms_error_new(DMS_ERROR_USAGE, "--%s: '%s' is not a time; give %s, start or end",
			     option, text,
			     clock_is_ns ? "seconds (7.046780703), nanoseconds (7046780703ns)"
					 : "ticks of the trace clock");
}

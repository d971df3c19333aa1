// SPDX-License-Identifier: LGPL-2.1-only
/* Numbers for people: bytes, counts, times, rates. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "local.h"

const char *dms_format_bytes(uint64_t bytes, char *buf, size_t size)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	uint64_t whole, tenths;

	if (bytes < 1024) {
		snprintf(buf, size, "%" PRIu64 " B", bytes);
		return buf;
	}
	for (unsigned int i = 0; i < DMS_ARRAY_SIZE(units); i++) {
		unsigned int shift = 10 * (i + 1);

		whole = bytes >> shift;
		tenths = ((bytes & ((1ull << shift) - 1)) * 10 + (1ull << (shift - 1))) >> shift;
		whole += tenths / 10;
		/* 1023.96 KiB would round to 1024.0 KiB: it is 1.0 MiB */
		if (whole < 1024 || i + 1 == DMS_ARRAY_SIZE(units)) {
			snprintf(buf, size, "%" PRIu64 ".%" PRIu64 " %s", whole, tenths % 10,
				 units[i]);
			break;
		}
	}
	return buf;
}

const char *dms_format_count(uint64_t count, char *buf, size_t size)
{
	char digits[24], grouped[32], *end = grouped;
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, count);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*end++ = ',';
		*end++ = digits[i];
	}
	*end = '\0';
	snprintf(buf, size, "%s", grouped);
	return buf;
}

#define DIGITS_MAX 9 /* behind the point: nothing is slower */

const char *dms_format_rate(double rate, char *buf, size_t size)
{
	double step = 1;
	int decimals = 2;

	for (double limit = 9.995; decimals && rate >= limit; limit *= 10)
		decimals--;
	for (double limit = 0.9995; rate > 0 && decimals < DIGITS_MAX && rate < limit; limit /= 10)
		decimals++;
	while (rate / step >= 999.5)
		step *= 10;
	if (!(rate > 0))
		snprintf(buf, size, "0");
	else if (step > 1)
		dms_format_count(rate < 1e19 ? (uint64_t)(round(rate / step) * step) : UINT64_MAX,
				 buf, size);
	else
		snprintf(buf, size, "%.*f", decimals, rate);
	return buf;
}

const char *dms_format_byte_rate(double rate, char *buf, size_t size)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned int unit = 0;
	char number[32];

	while (rate >= 999.5 && unit + 1 < DMS_ARRAY_SIZE(units)) {
		rate /= 1024;
		unit++;
	}
	snprintf(buf, size, "%s %s", dms_format_rate(rate, number, sizeof(number)), units[unit]);
	return buf;
}

const char *dms_format_time(uint64_t ts, bool is_ns, char *buf, size_t size)
{
	if (ts == UINT64_MAX)
		snprintf(buf, size, "-");
	else if (is_ns)
		snprintf(buf, size, "%" PRIu64 ".%09" PRIu64, ts / 1000000000, ts % 1000000000);
	else
		snprintf(buf, size, "%" PRIu64, ts);
	return buf;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Durations for people: integers only, so every machine agrees. */
#include <inttypes.h>
#include <stdio.h>

#include <dmascope/base.h>

const char *dms_format_ns(uint64_t ns, char *buf, size_t size)
{
	static const struct {
		uint64_t ns;
		const char *unit;
	} units[] = {{1000, "us"}, {1000000, "ms"}, {1000000000, "s"}};
	uint64_t whole, tenths;

	if (ns == UINT64_MAX || ns < 1000) {
		if (ns == UINT64_MAX)
			snprintf(buf, size, "-");
		else
			snprintf(buf, size, "%" PRIu64 " ns", ns);
		return buf;
	}
	for (unsigned int i = 0; i < DMS_ARRAY_SIZE(units); i++) {
		whole = ns / units[i].ns;
		tenths = (ns % units[i].ns * 10 + units[i].ns / 2) / units[i].ns;
		whole += tenths / 10;
		if (whole < 1000 || i + 1 == DMS_ARRAY_SIZE(units)) {
			snprintf(buf, size, "%" PRIu64 ".%" PRIu64 " %s", whole, tenths % 10,
				 units[i].unit);
			break;
		}
	}
	return buf;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Values as a configuration and a command line write them: figures with units, words, dates, globs. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

/** A unit that may stand behind a figure of a metric. */
struct unit {
	const char *metric; /* struct dms_metric.unit */
	const char *suffix;
	double factor;
};

static const struct unit units[] = {
	{"ns", "ns", 1},	    {"ns", "us", 1e3},	      {"ns", "ms", 1e6},
	{"ns", "s", 1e9},	    {"bytes", "B", 1},	      {"bytes", "KiB", 1024},
	{"bytes", "MiB", 1048576},  {"bytes", "GiB", 1073741824.0}, {"1", "%", 0.01},
	{"1/s", "/s", 1},
};

/* What may stand behind a figure in @metric's unit, for an error. */
static const char *suffixes(const char *metric)
{
	static const struct {
		const char *metric, *words;
	} rows[] = {
		{"ns", "ns, us, ms or s"},
		{"bytes", "B, KiB, MiB or GiB"},
		{"1", "%"},
		{"1/s", "/s"},
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		if (!strcmp(rows[i].metric, metric))
			return rows[i].words;
	}
	return "nothing";
}

/* The figure @text begins with; NULL: it does not. strtod() would take nan, hexadecimal, signs. */
static const char *take_figure(const char *text, double *ret)
{
	char *end;

	if (!isdigit((unsigned char)text[0]) || text[1] == 'x' || text[1] == 'X')
		return NULL;
	*ret = strtod(text, &end);
	return isfinite(*ret) ? end : NULL;
}

struct dms_error *config_parse_value(const char *text, const char *unit, double *ret)
{
	const char *rest = take_figure(text, ret);

	if (rest)
		rest += strspn(rest, " ");
	if (rest && !*rest)
		return NULL;
	for (size_t i = 0; rest && i < DMS_ARRAY_SIZE(units); i++) {
		if (strcmp(units[i].metric, unit) || strcmp(units[i].suffix, rest))
			continue;
		*ret *= units[i].factor;
		return NULL;
	}
	return dms_error_new(DMS_ERROR_USAGE,
			     "'%s' is not a number of at least 0 with %s behind it or without a unit",
			     text, suffixes(unit));
}

struct dms_error *config_parse_share(const char *text, double *ret)
{
	const char *rest = take_figure(text, ret);

	if (rest && !strcmp(rest, "%"))
		*ret /= 100;
	else if (!rest || *rest)
		return dms_error_new(DMS_ERROR_USAGE,
				     "'%s' is not a share of at least 0, like 0.5 or 50%%", text);
	return NULL;
}

struct dms_error *config_parse_count(const char *text, uint64_t *ret)
{
	char *end = NULL;

	errno = 0;
	if (isdigit((unsigned char)text[0]))
		*ret = strtoull(text, &end, 10);
	if (!end || *end || errno)
		return dms_error_new(DMS_ERROR_USAGE, "'%s' is not a count, like 1000", text);
	return NULL;
}

struct dms_error *config_parse_polarity(const char *text, enum dms_polarity *ret)
{
	static const char *const words[] = {
		[DMS_NEITHER] = "neither",
		[DMS_LESS_IS_BETTER] = "less",
		[DMS_MORE_IS_BETTER] = "more",
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(words); i++) {
		if (!strcmp(words[i], text)) {
			*ret = (enum dms_polarity)i;
			return NULL;
		}
	}
	return dms_error_new(DMS_ERROR_USAGE,
			     "'%s' is not what is better: less, more or neither", text);
}

/* fnmatch() tries each star at each place, one within the other: no name needs so many. */
#define GLOB_STARS 6
#define GLOB_BYTES 512

struct dms_error *config_check_glob(const char *glob)
{
	size_t stars = 0;

	for (const char *at = glob; *at; at++) {
		if (*at == '\\' && at[1])
			at++;
		else
			stars += *at == '*';
	}
	if (stars > GLOB_STARS)
		return dms_error_new(DMS_ERROR_USAGE, "more than %d stars in one pattern",
				     GLOB_STARS);
	if (strlen(glob) > GLOB_BYTES)
		return dms_error_new(DMS_ERROR_USAGE, "a pattern longer than %d bytes", GLOB_BYTES);
	return *glob ? NULL : dms_error_new(DMS_ERROR_USAGE, "an empty pattern: it fits nothing");
}

/* ---- dates ------------------------------------------------------------------------------------- */

/* @digits of them as a number; -1: something else stands there. */
static int take_digits(const char *text, size_t digits)
{
	int number = 0;

	for (size_t i = 0; i < digits; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		number = number * 10 + text[i] - '0';
	}
	return number;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The years before @year that are leap years, from year 1 on. */
static int leaps_before(int year)
{
	return (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
}

int32_t dms_day_parse(const char *text)
{
	static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day, days;

	if (strlen(text) != strlen("YYYY-MM-DD") || text[4] != '-' || text[7] != '-')
		return -1;
	year = take_digits(text, 4);
	month = take_digits(text + 5, 2);
	day = take_digits(text + 8, 2);
	if (year < 1970 || month < 1 || month > 12 || day < 1)
		return -1;
	if (day > month_days[month - 1] + (month == 2 && is_leap(year)))
		return -1;
	days = (year - 1970) * 365 + leaps_before(year) - leaps_before(1970);
	for (int i = 0; i < month - 1; i++)
		days += month_days[i] + (i == 1 && is_leap(year));
	return days + day - 1;
}

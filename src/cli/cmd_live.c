// SPDX-License-Identifier: GPL-2.0-only
/* `dmascope live`: what was mapped at a time. */
#include <inttypes.h>
#include <string.h>

#include <dmascope/report.h>
#include <dmascope/store.h>

#include "cli.h"

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

/* "7.046780703", "7", "7046780703ns"; without a nanosecond clock plain ticks. */
static bool parse_time(const char *text, bool clock_is_ns, uint64_t *ret)
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

static struct dms_error *find_time(const char *text, const struct dms_summary *summary,
				   uint64_t *ret)
{
	bool has_span = summary->first_ts <= summary->last_ts;

	if (!strcmp(text, "start") || !strcmp(text, "end")) {
		if (!has_span)
			return dms_error_new(DMS_ERROR_INPUT, "the run has no events, so no %s",
					     text);
		*ret = text[0] == 's' ? summary->first_ts : summary->last_ts;
		return NULL;
	}
	if (!parse_time(text, summary->clock_is_ns, ret))
		return dms_error_new(
			DMS_ERROR_USAGE, "--at: '%s' is not a time; give %s, start or end", text,
			summary->clock_is_ns ? "seconds (7.046780703), nanoseconds (7046780703ns)"
					     : "ticks of the trace clock");
	if (has_span && (*ret < summary->first_ts || *ret > summary->last_ts))
		dms_log(DMS_LOG_WARN,
			"--at: %s is outside the trace (%" PRIu64 "ns to %" PRIu64 "ns)", text,
			summary->first_ts, summary->last_ts);
	return NULL;
}

struct dms_error *dms_cmd_live(const struct dms_call *call, enum dms_exit *ret)
{
	const struct dms_live_args *args = call->args;
	struct dms_summary *summary = NULL;
	struct sqlite3 *db = NULL;
	struct dms_error *err;
	uint64_t ts = 0;

	(void)ret;
	if (!args->at)
		return dms_error_new(DMS_ERROR_USAGE, "live: --at TIME is needed");
	if ((err = dms_db_open(call->operands[0], false, &db)))
		return err;
	err = dms_summary_read(db, &summary);
	if (!err)
		err = find_time(args->at, summary, &ts);
	if (!err)
		err = dms_live_print(db, ts, args->device, stdout);
	dms_summary_destroy(summary);
	dms_db_close(db);
	return err;
}

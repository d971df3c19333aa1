// SPDX-License-Identifier: GPL-2.0-only
/* `dmascope live`: what was mapped at a time. */
#include <string.h>

#include <dmascope/report.h>
#include <dmascope/store.h>

#include "../report/local.h"
#include "../run/filter.h"
#include "cli.h"

static struct dms_error *find_time(const char *text, const struct dms_summary *summary,
				   uint64_t *ret)
{
	bool has_span = summary->first_ts <= summary->last_ts;
	struct dms_error *err;
	char first[32], last[32];

	if (!strcmp(text, "start") || !strcmp(text, "end")) {
		if (!has_span)
			return dms_error_new(DMS_ERROR_INPUT, "the run has no events, so no %s",
					     text);
		*ret = text[0] == 's' ? summary->first_ts : summary->last_ts;
		return NULL;
	}
	err = dms_time_parse("at", text, summary->clock_is_ns, ret);
	if (err)
		return err;
	if (has_span && (*ret < summary->first_ts || *ret > summary->last_ts))
		dms_log(DMS_LOG_WARN, "--at: %s is outside the trace, which goes from %s to %s",
			text,
			dms_format_time(summary->first_ts, summary->clock_is_ns, first,
					sizeof(first)),
			dms_format_time(summary->last_ts, summary->clock_is_ns, last,
					sizeof(last)));
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

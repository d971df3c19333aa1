// SPDX-License-Identifier: GPL-2.0-only
/* `dmascope report`: a run told from its database, as text, as one HTML page, and as files for other programs. */
#include <inttypes.h>
#include <string.h>

#include <dmascope/model.h>
#include <dmascope/report.h>
#include <dmascope/rules.h>
#include <dmascope/store.h>

#include "../run/filter.h"
#include "cli.h"
#include "terminal.h"

/** A report to be written. */
struct writing {
	struct sqlite3 *db;
	const struct dms_report_args *args;
	const struct dms_layout *layout;
};

static struct dms_error *find_time(const char *option, const char *text,
				   const struct dms_summary *summary, uint64_t *ret)
{
	if (!text)
		return NULL;
	if (strcmp(text, "start") && strcmp(text, "end"))
		return dms_time_parse(option, text, summary->clock_is_ns, ret);
	*ret = text[0] == 's' ? summary->first_ts : summary->last_ts;
	return NULL;
}

/* Nothing is no clean bill. */
static struct dms_error *check_window(const struct dms_report_args *args,
				      const struct dms_selection *selection,
				      const struct dms_summary *summary)
{
	if (selection->since_ts > selection->until_ts)
		return dms_error_new(DMS_ERROR_USAGE, "--since %s is later than --until %s",
				     args->since, args->until);
	if (selection->since_ts > summary->last_ts)
		return dms_error_new(DMS_ERROR_INPUT, "no DMA event from --since %s on",
				     args->since);
	if (selection->until_ts < summary->first_ts)
		return dms_error_new(DMS_ERROR_INPUT, "no DMA event up to --until %s", args->until);
	return NULL;
}

/* Times are read in the clock of the run: it has to be asked first. */
static struct dms_error *select_part(struct sqlite3 *db, const struct dms_report_args *args)
{
	struct dms_selection selection = {
		.devices = args->devices.items,
		.n_devices = args->devices.n_items,
		.drivers = args->drivers.items,
		.n_drivers = args->drivers.n_items,
		.until_ts = UINT64_MAX,
	};
	struct dms_summary *summary;
	struct dms_error *err;

	if (!args->since && !args->until)
		return dms_select(db, &selection);
	if ((err = dms_summary_read(db, &summary)))
		return err;
	if (!(err = find_time("since", args->since, summary, &selection.since_ts)))
		err = find_time("until", args->until, summary, &selection.until_ts);
	if (!err)
		err = check_window(args, &selection, summary);
	dms_summary_destroy(summary);
	return err ? err : dms_select(db, &selection);
}

static struct dms_error *write_html(const void *context, FILE *out)
{
	const struct writing *writing = context;

	return dms_html_print(writing->db,
			      writing->args->top ? writing->args->top : DMS_REPORT_TOP,
			      writing->layout, out);
}

static struct dms_error *print_text(const struct writing *writing, FILE *out)
{
	struct dms_summary *summary;
	unsigned int width = dms_terminal_width(out);
	bool has_colour = dms_terminal_has_colour(out);
	struct dms_error *err = dms_summary_read_as(writing->db, writing->layout, &summary);

	if (err)
		return err;
	summary->top = writing->args->top == UINT64_MAX ? 0 : writing->args->top;
	err = dms_summary_print(summary, DMS_FORMAT_TEXT, out, width, has_colour);
	if (!err)
		err = dms_costs_print(writing->db, summary->top, out, width, has_colour);
	dms_summary_destroy(summary);
	return err;
}

/* More was lost than is there: that nothing was found then says nothing. */
static struct dms_error *check_losses(struct sqlite3 *db)
{
	struct dms_summary *summary;
	struct dms_error *err = dms_summary_read(db, &summary);

	if (err)
		return err;
	if (!summary->events || summary->lost_events > summary->events)
		err = dms_error_new(DMS_ERROR_INPUT,
				    "too lossy to judge: %" PRIu64 " events lost, %" PRIu64
				    " of DMA left",
				    summary->lost_events, summary->events);
	else if (summary->gaps)
		dms_log(DMS_LOG_WARN,
			"no such finding, but the trace has gaps: findings near them are "
			"only possible, of severity info");
	dms_summary_destroy(summary);
	return err;
}

static struct dms_error *judge(struct sqlite3 *db, int fail_on, enum dms_exit *ret)
{
	uint64_t n_findings;
	struct dms_error *err;

	if (!fail_on)
		return NULL;
	err = dms_findings_count(db, (enum dms_severity)DMS_FAIL_SEVERITY(fail_on),
				 (enum dms_confidence)DMS_FAIL_CONFIDENCE(fail_on), &n_findings);
	if (!err && n_findings)
		*ret = DMS_EXIT_FINDINGS;
	return err || n_findings ? err : check_losses(db);
}

static struct dms_error *report(const struct writing *writing)
{
	bool has_files = false;
	struct dms_error *err =
		dms_report_exports(writing->db, writing->args, writing->layout, &has_files);

	if (!err && writing->args->html)
		return dms_file_write(writing->args->html, write_html, writing);
	return err || has_files ? err : print_text(writing, stdout);
}

struct dms_error *dms_cmd_report(const struct dms_call *call, enum dms_exit *ret)
{
	const struct dms_report_args *args = call->args;
	struct dms_layout layout;
	struct sqlite3 *db = NULL;
	struct dms_error *err;

	if (args->columns && !strcmp(args->columns, "help")) {
		dms_layout_help(stdout);
		return NULL;
	}
	if ((err = dms_layout_parse(args->columns, args->sort, &layout)))
		return err;
	if (!call->n_operands)
		return dms_error_new(DMS_ERROR_USAGE, "report needs RUN.DB");
	if ((err = dms_db_open(call->operands[0], false, &db)))
		return err;
	err = select_part(db, args);
	if (!err)
		err = report(&(struct writing){.db = db, .args = args, .layout = &layout});
	if (!err)
		err = judge(db, args->fail_on, ret);
	dms_db_close(db);
	return err;
}

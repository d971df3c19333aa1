// SPDX-License-Identifier: GPL-2.0-only
/* `dmascope report`: a run told from its database, as text, as one HTML page, and as files for other programs. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <dmascope/report.h>
#include <dmascope/store.h>

#include "cli.h"

/** A report to be written. */
struct writing {
	struct sqlite3 *db;
	const struct dms_report_args *args;
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
	dms_summary_destroy(summary);
	if (!err && selection.since_ts > selection.until_ts)
		err = dms_error_new(DMS_ERROR_USAGE, "--since %s is later than --until %s",
				    args->since, args->until);
	return err ? err : dms_select(db, &selection);
}

static struct dms_error *write_html(const void *context, FILE *out)
{
	const struct writing *writing = context;

	return dms_html_print(writing->db,
			      writing->args->top ? writing->args->top : DMS_REPORT_TOP, out);
}

static void put_more(FILE *out, size_t n_all, size_t n_shown, const char *noun)
{
	if (n_all > n_shown)
		fprintf(out, "and %zu more %s%s: --top is too small\n", n_all - n_shown, noun,
			n_all - n_shown == 1 ? "" : "s");
}

static size_t smaller(size_t a, uint64_t b)
{
	return a < b ? a : (size_t)b;
}

static struct dms_error *print_text(struct sqlite3 *db, const struct dms_report_args *args,
				    FILE *out)
{
	uint64_t top = args->top ? args->top : UINT64_MAX;
	struct dms_summary *summary, shown;
	struct winsize size;
	bool is_terminal = isatty(fileno(out));
	const char *no_colour = getenv("NO_COLOR");
	struct dms_error *err = dms_summary_read(db, &summary);

	if (err)
		return err;
	shown = *summary;
	shown.n_devices = smaller(shown.n_devices, top);
	shown.n_findings = smaller(shown.n_findings, top);
	shown.n_notes = smaller(shown.n_notes, top);
	if (!is_terminal || ioctl(fileno(out), TIOCGWINSZ, &size) || !size.ws_col)
		size.ws_col = 132;
	err = dms_summary_print(&shown, DMS_FORMAT_TEXT, out, size.ws_col,
				is_terminal && !(no_colour && *no_colour));
	if (!err) {
		put_more(out, summary->n_devices, shown.n_devices, "device");
		put_more(out, summary->n_findings, shown.n_findings, "finding");
		put_more(out, summary->n_notes, shown.n_notes, "note");
	}
	dms_summary_destroy(summary);
	return err;
}

struct dms_error *dms_cmd_report(const struct dms_call *call, enum dms_exit *ret)
{
	const struct dms_report_args *args = call->args;
	struct sqlite3 *db = NULL;
	bool has_files = false;
	struct dms_error *err;

	(void)ret;
	if ((err = dms_db_open(call->operands[0], false, &db)))
		return err;
	err = select_part(db, args);
	if (!err)
		err = dms_report_exports(db, args, &has_files);
	if (!err && args->html)
		err = dms_file_write(args->html, write_html,
				     &(struct writing){.db = db, .args = args});
	else if (!err && !has_files)
		err = print_text(db, args, stdout);
	dms_db_close(db);
	return err;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* The summary of a run for people: facts, a table of devices, what could not be judged. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "local.h"

#define FACT_COLUMN   10 /* where the values of the facts begin */

/** Where to print, and how. */
struct paper {
	FILE *out;
	unsigned int width;
	bool colour;
};

static const char *const plain = "\033[0m", *const bold = "\033[1m", *const yellow = "\033[33m";

static void set_colour(const struct paper *paper, const char *escape)
{
	if (paper->colour)
		fputs(escape, paper->out);
}

static void put_heading(const struct paper *paper, const char *text)
{
	fputc('\n', paper->out);
	set_colour(paper, bold);
	fputs(text, paper->out);
	set_colour(paper, plain);
	fputc('\n', paper->out);
}

/* A name out of the trace or the command line; false: memory. */
static bool put_name(const struct paper *paper, const char *name)
{
	_cleanup_(dms_freep) char *harmless = dms_escape(name, strlen(name), DMS_ESCAPE_TEXT);

	if (harmless)
		fputs(harmless, paper->out);
	return harmless != NULL;
}

static void put_label(const struct paper *paper, const char *label)
{
	fprintf(paper->out, "%-*s", FACT_COLUMN, label);
}

static bool put_inputs(const struct dms_summary *summary, const struct paper *paper)
{
	for (size_t i = 0; i < summary->n_inputs; i++) {
		put_label(paper, i ? "" : "input");
		if (!put_name(paper, summary->inputs[i]))
			return false;
		fputs(" (", paper->out);
		if (!put_name(paper, summary->formats[i]))
			return false;
		fputs(")\n", paper->out);
	}
	return true;
}

/* "3 gaps", "1 gap" */
static void put_plural(const struct paper *paper, uint64_t count, const char *noun)
{
	char buf[32];

	fprintf(paper->out, "%s %s%s", dms_format_count(count, buf, sizeof(buf)), noun,
		count == 1 ? "" : "s");
}

/* Behind the name of the clock. */
static void put_clock_trouble(const struct dms_summary *summary, const struct paper *paper)
{
	if (summary->clock && !summary->clock_is_ns)
		fputs(" (not in nanoseconds)", paper->out);
	if (!summary->clock_gaps)
		return;
	set_colour(paper, yellow);
	fputs(" (stood still in ", paper->out);
	put_plural(paper, summary->clock_gaps, "place");
	fputs(": the order of events is not known there)", paper->out);
	set_colour(paper, plain);
}

static bool put_origin(const struct dms_summary *summary, const struct paper *paper)
{
	put_label(paper, "kernel");
	if (!put_name(paper, summary->kernel ? summary->kernel : "not recorded"))
		return false;
	fputc('\n', paper->out);
	put_label(paper, "clock");
	if (!put_name(paper, summary->clock ? summary->clock : "not recorded"))
		return false;
	put_clock_trouble(summary, paper);
	fputc('\n', paper->out);
	return true;
}

/* "3.5 s@which, from 63.469117386 to 66.948347847" */
static void put_times(uint64_t from_ts, uint64_t to_ts, bool is_ns, const char *which,
		      const struct paper *paper)
{
	char from[32], to[32], span[32];

	dms_format_time(from_ts, is_ns, from, sizeof(from));
	dms_format_time(to_ts, is_ns, to, sizeof(to));
	if (is_ns)
		dms_format_ns(to_ts - from_ts, span, sizeof(span));
	else
		snprintf(span, sizeof(span), "%" PRIu64 " ticks", to_ts - from_ts);
	fprintf(paper->out, "%s%s, from %s to %s\n", span, which, from, to);
}

/* Of a part of the time: which. */
static void put_told(const struct dms_summary *summary, const struct paper *paper)
{
	uint64_t from_ts = summary->told_from_ts, to_ts = summary->told_to_ts;

	if (!to_ts || (from_ts <= summary->first_ts && to_ts >= summary->last_ts))
		return;
	put_label(paper, "told");
	if (from_ts <= to_ts)
		put_times(from_ts, to_ts, summary->clock_is_ns, " of it", paper);
	else
		fputs("nothing of it: it has no such time\n", paper->out);
}

static void put_span(const struct dms_summary *summary, const struct paper *paper)
{
	put_label(paper, "span");
	if (!summary->records || summary->first_ts == UINT64_MAX ||
	    summary->last_ts < summary->first_ts) {
		fputs("empty\n", paper->out);
		return;
	}
	put_times(summary->first_ts, summary->last_ts, summary->clock_is_ns, "", paper);
	put_told(summary, paper);
}

static void put_counts(const struct dms_summary *summary, const struct paper *paper)
{
	char records[32], events[32];

	put_label(paper, "events");
	fprintf(paper->out, "%s of DMA, swiotlb and IOMMU in %s records\n",
		dms_format_count(summary->events, events, sizeof(events)),
		dms_format_count(summary->records, records, sizeof(records)));
}

static void put_losses(const struct dms_summary *summary, const struct paper *paper)
{
	uint64_t gaps = summary->gaps - summary->clock_gaps;
	bool lost = gaps || summary->lost_events;

	put_label(paper, "losses");
	if (!lost && !summary->malformed) {
		fputs("none\n", paper->out);
		return;
	}
	set_colour(paper, yellow);
	if (summary->lost_events)
		put_plural(paper, summary->lost_events, "event");
	else if (lost)
		fputs("events, the tracer does not say how many,", paper->out);
	if (lost) {
		fputs(" lost in ", paper->out);
		put_plural(paper, gaps, "gap");
	}
	if (summary->malformed) {
		fputs(lost ? "; " : "", paper->out);
		put_plural(paper, summary->malformed, "record");
		fputs(" not decodable", paper->out);
	}
	set_colour(paper, plain);
	fputc('\n', paper->out);
}

static void put_state(const struct dms_summary *summary, const struct paper *paper)
{
	if (summary->complete)
		return;
	put_label(paper, "state");
	set_colour(paper, yellow);
	fputs("incomplete: the analysis did not come to its end", paper->out);
	set_colour(paper, plain);
	fputc('\n', paper->out);
}

/* ---- the table of devices -------------------------------------------------------------------- */

static bool is_number(const struct dms_column *column)
{
	return column->type != DMS_COLUMN_TEXT;
}

static bool has_figure(const struct dms_column *column, const struct dms_device_summary *device)
{
	return is_number(column) ? dms_column_u64(column, device) != 0
				 : dms_column_text(column, device) != NULL;
}

static bool is_shown(const struct dms_column *column, const struct dms_summary *summary)
{
	if (column->text != DMS_TEXT_USED)
		return column->text == DMS_TEXT_ALWAYS;
	for (size_t i = 0; i < summary->n_devices; i++) {
		if (has_figure(column, &summary->devices[i]))
			return true;
	}
	return false;
}

/** The columns of the table: the device, and what is asked for or else worth it. */
struct shown {
	uint8_t columns[DMS_MAX_COLUMNS];
	size_t n;
};

static void choose_columns(const struct dms_summary *summary, struct shown *ret)
{
	const struct dms_layout *layout = summary->layout;
	uint8_t columns[DMS_MAX_COLUMNS];
	bool is_asked = layout && layout->n_columns;
	size_t n_columns = dms_layout_columns(layout, columns);

	*ret = (struct shown){.n = 1}; /* whose figures they are is told anyway: column 0 */
	for (size_t i = 0; i < n_columns; i++) {
		if (columns[i] && (is_asked || is_shown(&dms_device_columns[columns[i]], summary)))
			ret->columns[ret->n++] = columns[i];
	}
}

static size_t n_of(const struct dms_summary *summary, size_t n_all)
{
	return summary->top && summary->top < n_all ? (size_t)summary->top : n_all;
}

static void put_more(const struct dms_summary *summary, size_t n_all, const char *noun,
		     const struct paper *paper)
{
	char buf[32];
	size_t n_more = n_all - n_of(summary, n_all);

	if (n_more)
		fprintf(paper->out, "and %s more %s%s, left out by --top %" PRIu64 "\n",
			dms_format_count(n_more, buf, sizeof(buf)), noun, n_more == 1 ? "" : "s",
			summary->top);
}

#define RATE(thousandths) ((double)(thousandths) / 1000)

static const char *format_cell(const struct dms_column *column,
			       const struct dms_device_summary *device, bool is_ns, char *buf,
			       size_t size)
{
	uint64_t value = is_number(column) ? dms_column_u64(column, device) : 0;
	char text_of[32];
	const char *text;

	if (is_number(column) && !dms_column_is_known(column, value, is_ns))
		return "-";
	switch (column->type) {
	case DMS_COLUMN_TEXT:
		text = dms_column_text(column, device);
		return text ? text : "-";
	case DMS_COLUMN_U32:
	case DMS_COLUMN_COUNT:
		return dms_format_count(value, buf, size);
	case DMS_COLUMN_BYTES:
		return dms_format_bytes(value, buf, size);
	case DMS_COLUMN_DURATION:
		return dms_format_ns(is_ns ? value : UINT64_MAX, buf, size);
	case DMS_COLUMN_TIME:
		return dms_format_time(value, is_ns, buf, size);
	case DMS_COLUMN_RATE:
		snprintf(buf, size, "%s/s",
			 dms_format_rate(RATE(value), text_of, sizeof(text_of)));
		return buf;
	case DMS_COLUMN_BYTE_RATE:
		snprintf(buf, size, "%s/s",
			 dms_format_byte_rate(RATE(value), text_of, sizeof(text_of)));
		return buf;
	case DMS_COLUMN_PERMILLE:
		snprintf(buf, size, "%" PRIu64 ".%" PRIu64 " %%", value / 10, value % 10);
		return buf;
	}
	return "-";
}

/* Later generations of a device are told apart as "name#2". */
static bool add_name(struct dms_table *table, const struct dms_device_summary *device)
{
	_cleanup_(dms_freep) char *name = NULL;

	if (device->generation <= 1)
		return dms_table_cell(table, device->name, false);
	name = dms_asprintf("%s#%" PRIu32, device->name, device->generation);
	return name && dms_table_cell(table, name, false);
}

static bool add_device(struct dms_table *table, const struct dms_summary *summary,
		       const struct shown *shown, const struct dms_device_summary *device)
{
	bool ok = add_name(table, device);
	char buf[48];

	for (size_t i = 1; ok && i < shown->n; i++) {
		const struct dms_column *column = &dms_device_columns[shown->columns[i]];

		ok = dms_table_cell(
			table, format_cell(column, device, summary->clock_is_ns, buf, sizeof(buf)),
			is_number(column));
	}
	return ok;
}

static bool add_total(struct dms_table *table, const struct dms_summary *summary,
		      const struct shown *shown)
{
	struct dms_device_summary total;
	bool ok = dms_table_cell(table, "all devices", false);
	char buf[48];

	dms_device_total(summary, &total);
	for (size_t i = 1; ok && i < shown->n; i++) {
		const struct dms_column *column = &dms_device_columns[shown->columns[i]];
		bool is_ns = column->type == DMS_COLUMN_DURATION || summary->clock_is_ns;
		const char *text =
			column->total ? format_cell(column, &total, is_ns, buf, sizeof(buf)) : "";

		ok = dms_table_cell(table, text, is_number(column));
	}
	return ok;
}

/* The busiest first; of those as busy, the one that was first seen, as they lie in memory. */
static int compare_devices(const void *a, const void *b)
{
	const struct dms_device_summary *one = *(const struct dms_device_summary *const *)a;
	const struct dms_device_summary *other = *(const struct dms_device_summary *const *)b;
	uint64_t calls = one->maps + one->unmaps, other_calls = other->maps + other->unmaps;

	if (calls != other_calls)
		return calls < other_calls ? 1 : -1;
	return one < other ? -1 : one > other;
}

/* The devices as they are told; for dms_free(). NULL: memory. */
static const struct dms_device_summary **order_devices(const struct dms_summary *summary)
{
	const struct dms_device_summary **order =
		dms_zalloc((summary->n_devices + 1) * sizeof(struct dms_device_summary *));

	for (size_t i = 0; order && i < summary->n_devices; i++)
		order[i] = &summary->devices[i];
	if (order && !(summary->layout && summary->layout->sort))
		qsort(order, summary->n_devices, sizeof(struct dms_device_summary *), compare_devices);
	return order;
}

static bool fill_table(struct dms_table *table, const struct dms_summary *summary,
		       const struct shown *shown)
{
	size_t n_devices = n_of(summary, summary->n_devices);
	_cleanup_(dms_freep) const struct dms_device_summary **order = order_devices(summary);
	bool ok = order != NULL;

	for (size_t i = 0; ok && i < shown->n; i++)
		ok = dms_table_title(table, dms_device_columns[shown->columns[i]].title);
	for (size_t i = 0; ok && i < n_devices; i++)
		ok = add_device(table, summary, shown, order[i]);
	return ok && (summary->n_devices < 2 || add_total(table, summary, shown));
}

static bool put_devices(const struct dms_summary *summary, const struct paper *paper)
{
	struct dms_table *table;
	struct shown shown;
	bool ok;

	fputc('\n', paper->out);
	if (!summary->n_devices) {
		fputs("no device has a DMA event in this trace\n", paper->out);
		return true;
	}
	choose_columns(summary, &shown);
	table = dms_table_create(shown.n);
	ok = table && fill_table(table, summary, &shown);
	if (ok)
		dms_table_print(table, paper->out, paper->width, paper->colour);
	dms_table_destroy(table);
	put_more(summary, summary->n_devices, "device", paper);
	return ok;
}

/* ---- notes ------------------------------------------------------------------------------------
 */

/* "  rule, device: reason", in lines of the paper's width. */
static void put_note_line(const char *text, const struct paper *paper)
{
	size_t column = 1;

	fputc('-', paper->out);
	while (*text) {
		size_t bytes = strcspn(text, " ");
		_cleanup_(dms_freep) char *word = dms_strndup(text, bytes);
		size_t width = word ? dms_text_width(word) : bytes;

		if (paper->width && column > 1 && column + 1 + width > paper->width) {
			fputs("\n ", paper->out);
			column = 1;
		}
		fprintf(paper->out, " %.*s", (int)bytes, text);
		column += width + 1;
		text += bytes;
		text += *text != '\0';
	}
	fputc('\n', paper->out);
}

static void put_line(const char *text, const void *paper)
{
	put_note_line(text, paper);
}

static bool put_notes(const struct dms_summary *summary, const struct paper *paper)
{
	if (!summary->n_notes)
		return true;
	put_heading(paper, "not judged, and why");
	return dms_notes_print(summary, put_line, paper);
}

/* ---- findings ----------------------------------------------------------------------------------
 */

/* The words come out of a database, which may be anybody's. */
static bool put_reason(const struct dms_finding_summary *finding, const struct paper *paper)
{
	_cleanup_(dms_freep) char *text = NULL, *harmless = NULL;

	if (!finding->reason)
		return true;
	text = dms_asprintf("only %s: %s", finding->confidence, finding->reason);
	if (text)
		harmless = dms_escape(text, strlen(text), DMS_ESCAPE_TEXT);
	if (harmless)
		fprintf(paper->out, "    %s\n", harmless);
	return harmless != NULL;
}

static bool put_finding(const struct dms_finding_summary *finding,
			const struct dms_summary *summary, const struct paper *paper)
{
	_cleanup_(dms_freep) char *text = NULL, *harmless = NULL;
	bool is_ns = summary->clock_is_ns;
	bool is_one = finding->count == 1;
	char count[32], ts[32];

	text = dms_asprintf("%s %s: %s%s on %s, %s %s (%s): %s", finding->severity, finding->rule,
			    is_one ? "once"
				   : dms_format_count(finding->count, count, sizeof(count)),
			    is_one ? "" : " times", finding->device ? finding->device : "no device",
			    is_one ? "at" : "first at",
			    dms_format_time(finding->first_ts, is_ns, ts, sizeof(ts)),
			    finding->confidence, finding->message);
	if (text)
		harmless = dms_escape(text, strlen(text), DMS_ESCAPE_TEXT);
	if (harmless)
		put_note_line(harmless, paper);
	return harmless && put_reason(finding, paper) &&
	       dms_calls_print(finding, is_ns, summary->whole_stacks, paper->out);
}

static bool put_findings(const struct dms_summary *summary, const struct paper *paper)
{
	if (!summary->n_findings)
		return true;
	put_heading(paper, "findings");
	for (size_t i = 0; i < n_of(summary, summary->n_findings); i++) {
		if (!put_finding(&summary->findings[i], summary, paper))
			return false;
	}
	put_more(summary, summary->n_findings, "finding", paper);
	return true;
}

struct dms_error *dms_summary_text(const struct dms_summary *summary, FILE *out, unsigned int width,
				   bool colour)
{
	const struct paper paper = {.out = out, .width = width, .colour = colour};

	if (!put_inputs(summary, &paper) || !put_origin(summary, &paper))
		return &dms_error_nomem;
	put_span(summary, &paper);
	put_counts(summary, &paper);
	put_losses(summary, &paper);
	put_state(summary, &paper);
	if (!put_devices(summary, &paper) || !put_findings(summary, &paper) ||
	    !put_notes(summary, &paper))
		return &dms_error_nomem;
	return NULL;
}

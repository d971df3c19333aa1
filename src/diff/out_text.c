// SPDX-License-Identifier: LGPL-2.1-only
/* A comparison for a terminal: the verdict and why, the runs, what nobody could see, what to do. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <dmascope/report.h>

#include "out_text.h"

#define LEAST_WIDTH   40
#define MOST_COLUMNS  48 /* of a name in a table; a third of the width, if that is less */
#define LEAST_COLUMNS 20

/* ---- the paper --------------------------------------------------------------------------------
 */

void dms_paper_colour(struct dms_paper *paper, const char *escape)
{
	if (paper->colour && escape)
		fputs(escape, paper->pen.out);
}

void dms_paper_heading(struct dms_paper *paper, const char *text)
{
	dms_pen_put(&paper->pen, "\n");
	dms_paper_colour(paper, DMS_BOLD);
	dms_pen_put(&paper->pen, "%s", text);
	dms_paper_colour(paper, DMS_PLAIN);
	dms_pen_put(&paper->pen, "\n");
}

/*
 * Where a line of at most @room columns of @text ends: after a blank if there is one, else anywhere
 * between two characters.
 */
static size_t line_end(const char *text, size_t room)
{
	size_t bytes = 0, columns = 0, blank = 0;

	for (; text[bytes]; bytes++) {
		if (((unsigned char)text[bytes] & 0xc0) != 0x80 && columns++ == room)
			return blank ? blank : bytes;
		if (text[bytes] == ' ')
			blank = bytes + 1;
	}
	return bytes;
}

void dms_paper_wrapped(struct dms_paper *paper, const char *label, const char *text)
{
	_cleanup_(dms_freep) char *harmless = dms_escape(text, strlen(text), DMS_ESCAPE_TEXT);
	size_t indent = strlen(label), room = SIZE_MAX, len;
	const char *rest = harmless;

	if (!harmless) {
		paper->pen.has_failed = true;
		return;
	}
	if (paper->width)
		room = paper->width > indent + LEAST_WIDTH ? paper->width - indent : LEAST_WIDTH;
	dms_pen_put(&paper->pen, "%s", label);
	do {
		len = line_end(rest, room);
		if (rest != harmless)
			dms_pen_put(&paper->pen, "%*s", (int)indent, "");
		dms_pen_put(&paper->pen, "%.*s\n",
			    (int)(len && rest[len] && rest[len - 1] == ' ' ? len - 1 : len), rest);
		rest += len;
	} while (*rest);
}

struct dms_table *dms_paper_table(struct dms_paper *paper, const char *const *titles, size_t n)
{
	struct dms_table *table = dms_table_create(n);

	paper->pen.has_failed |= !table;
	for (size_t i = 0; table && i < n; i++)
		paper->pen.has_failed |= !dms_table_title(table, titles[i]);
	return table;
}

void dms_paper_cell(struct dms_paper *paper, struct dms_table *table, const char *text,
		    bool is_number)
{
	paper->pen.has_failed |= !dms_table_cell(table, text, is_number);
}

static size_t most_columns(const struct dms_paper *paper)
{
	size_t most = paper->width ? paper->width / 3 : MOST_COLUMNS;

	if (most > MOST_COLUMNS)
		return MOST_COLUMNS;
	return most < LEAST_COLUMNS ? LEAST_COLUMNS : most;
}

void dms_paper_name(struct dms_paper *paper, struct dms_table *table, const char *before,
		    const char *name)
{
	_cleanup_(dms_freep) char *harmless = dms_escape(name, strlen(name), DMS_ESCAPE_TEXT),
				  *cell = NULL;
	size_t width = harmless ? dms_text_width(harmless) : 0, most = most_columns(paper);
	const char *end = harmless;
	bool is_long = width > most;

	for (size_t left = is_long ? width - most + 3 : 0; left; left--)
		end += line_end(end, 1);
	if (end)
		cell = dms_asprintf("%s%s%s", before, is_long ? "..." : "", end);
	if (cell)
		dms_paper_cell(paper, table, cell, false);
	else
		paper->pen.has_failed = true;
}

void dms_paper_close(struct dms_paper *paper, struct dms_table *table)
{
	if (!paper->pen.has_failed)
		dms_table_print(table, paper->pen.out, paper->width, paper->colour);
	dms_table_destroy(table);
}

/* ---- the verdict and the sides -----------------------------------------------------------------
 */

static void put_verdict(const struct dms_comparison *comparison, struct dms_paper *paper)
{
	const char *const colours[] = {[DMS_VERDICT_PASS] = DMS_GREEN,
				       [DMS_VERDICT_FAIL] = DMS_RED,
				       [DMS_VERDICT_LOSSY] = DMS_YELLOW};
	_cleanup_(dms_freep) char *headline = dms_diff_headline(comparison);

	dms_paper_colour(paper, colours[comparison->verdict]);
	dms_pen_put(&paper->pen, "%s", dms_verdict_name(comparison->verdict));
	dms_paper_colour(paper, DMS_PLAIN);
	paper->pen.has_failed |= !headline;
	if (headline)
		dms_pen_put(&paper->pen, ": %s\n", headline);
	for (size_t i = 0; i < comparison->n_reasons; i++)
		dms_paper_wrapped(paper, "  - ", comparison->reasons[i]);
}

static const char *losses(const struct dms_baseline *run, char *buf, size_t size)
{
	const char *state = run->is_complete ? "" : ", incomplete";
	char gaps[32], events[32];

	dms_format_count(run->gaps, gaps, sizeof(gaps));
	dms_format_count(run->lost_events, events, sizeof(events));
	if (!run->gaps && !run->lost_events)
		snprintf(buf, size, "none%s", state);
	else if (!run->lost_events) /* the tracer did not count them */
		snprintf(buf, size, "%s gap%s%s", gaps, run->gaps == 1 ? "" : "s", state);
	else
		snprintf(buf, size, "%s in %s gap%s%s", events, gaps, run->gaps == 1 ? "" : "s",
			 state);
	return buf;
}

static void put_run(struct dms_paper *paper, struct dms_table *table, const char *side,
		    const struct dms_baseline *run)
{
	char seconds[32] = "-", lost[96], events[32];

	if (run->seconds > 0)
		dms_format_ns((uint64_t)(run->seconds * 1e9 + 0.5), seconds, sizeof(seconds));
	dms_paper_name(paper, table, side, run->path);
	dms_paper_name(paper, table, "", run->kernel ? run->kernel : "-");
	dms_paper_cell(paper, table, dms_format_count(run->events, events, sizeof(events)), true);
	dms_paper_cell(paper, table, seconds, true);
	dms_paper_cell(paper, table, losses(run, lost, sizeof(lost)), false);
}

static void put_sides(const struct dms_comparison *comparison, struct dms_paper *paper)
{
	static const char *const titles[] = {"run", "kernel", "events", "span", "lost"};
	struct dms_table *table;

	dms_pen_put(&paper->pen, "\n");
	table = dms_paper_table(paper, titles, DMS_ARRAY_SIZE(titles));
	if (!table)
		return;
	for (size_t i = 0; i < comparison->n_base; i++)
		put_run(paper, table, "base  ", comparison->base[i]);
	for (size_t i = 0; i < comparison->n_head; i++)
		put_run(paper, table, "head  ", comparison->head[i]);
	dms_paper_close(paper, table);
	if (!comparison->n_base)
		dms_pen_put(&paper->pen,
			    "There is no base to compare with: every finding is new.\n");
}

/* ---- what nobody could see, and what to do -----------------------------------------------------
 */

static void put_coverage(const struct dms_comparison *comparison, struct dms_paper *paper)
{
	if (comparison->n_coverage)
		dms_paper_heading(paper, "Judged on one side only");
	for (size_t i = 0; i < comparison->n_coverage; i++) {
		const struct dms_coverage_change *change = &comparison->coverage[i];
		_cleanup_(dms_freep) char *text = dms_asprintf(
			"not in %s: %s%s%s: %s", change->in_base ? "base" : "head",
			change->rule ? change->rule : "everything",
			change->device_kind ? " of " : "",
			change->device_kind ? change->device_kind : "", change->reason);

		if (text)
			dms_paper_wrapped(paper, "  - ", text);
		else
			paper->pen.has_failed = true;
	}
}

static void put_suppressions(struct dms_paper *paper, const char *heading,
			     const struct dms_suppression *const *items, size_t n)
{
	if (n)
		dms_paper_heading(paper, heading);
	for (size_t i = 0; i < n; i++) {
		dms_pen_put(&paper->pen, "  ");
		dms_pen_text(&paper->pen, items[i]->file);
		dms_pen_put(&paper->pen, ":%u: ", items[i]->line);
		dms_pen_text(&paper->pen, items[i]->name);
		dms_pen_put(&paper->pen, "\n");
	}
}

static bool has_state(const struct dms_comparison *comparison, enum dms_state state)
{
	for (size_t i = 0; i < comparison->n_findings; i++) {
		if (comparison->findings[i].state == state && !comparison->findings[i].suppressed)
			return true;
	}
	return false;
}

static bool has_losses(const struct dms_comparison *comparison)
{
	for (size_t i = 0; i < comparison->n_head; i++) {
		if (comparison->head[i]->gaps || comparison->head[i]->lost_events)
			return true;
	}
	return false;
}

static bool has_failing_metric(const struct dms_comparison *comparison)
{
	return comparison->n_metrics && comparison->metrics[0].fails;
}

/* What fails first is the first of its list. */
static const char *failing_rule(const struct dms_comparison *comparison)
{
	const struct dms_finding_change *first =
		comparison->n_findings ? &comparison->findings[0] : NULL;

	if (!first || !first->fails || !dms_rule_find(dms_change_finding(first)->rule))
		return NULL;
	return dms_change_finding(first)->rule;
}

static void put_next(const struct dms_comparison *comparison, struct dms_paper *paper)
{
	const char *rule = failing_rule(comparison);
	bool is_failing = comparison->verdict == DMS_VERDICT_FAIL;
	bool is_lossy = comparison->verdict == DMS_VERDICT_LOSSY;
	const struct {
		bool is_due;
		const char *command, *why;
	} rows[] = {
		{is_failing, "dmascope report HEAD.db", "the calls, with whole stacks"},
		{rule, "diff ... --write-suppressions FILE",
		 "to accept what is found, for a reason"},
		{has_failing_metric(comparison), "diff ... --threshold METRIC=LIMITS",
		 "how much it may differ, see dmascope-config(5)"},
		{is_failing, "dmascope baseline HEAD.db -o BASE.json",
		 "to accept it all as the new base"},
		{is_lossy && has_losses(comparison), "dmascope record --buffer-size KIB",
		 "larger buffers lose fewer events"},
		{is_lossy, "diff ... --allow-lossy", "to let it pass all the same"},
		{comparison->n_unjudged || comparison->n_coverage, "dmascope doctor TRACE",
		 "what to record for what was not judged"},
		{comparison->verdict == DMS_VERDICT_PASS, "dmascope baseline HEAD.db -o BASE.json",
		 has_state(comparison, DMS_STATE_FIXED) ? "to keep what is fixed from coming back"
							: "to keep this as the base"},
	};

	dms_paper_heading(paper, "What to do");
	if (rule)
		dms_pen_put(&paper->pen,
			    "  dmascope rules %-24s what it means, its cause and cure\n", rule);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		if (rows[i].is_due)
			dms_pen_put(&paper->pen, "  %-39s %s\n", rows[i].command, rows[i].why);
	}
}

struct dms_error *dms_diff_print_text(const struct dms_comparison *comparison, FILE *out,
				      unsigned int width, bool colour)
{
	struct dms_paper paper = {.pen = {.out = out}, .width = width, .colour = colour};

	put_verdict(comparison, &paper);
	put_sides(comparison, &paper);
	dms_paper_findings(&paper, comparison);
	dms_paper_metrics(&paper, comparison);
	put_coverage(comparison, &paper);
	put_suppressions(&paper, "Suppressions that fit nothing", comparison->unused,
			 comparison->n_unused);
	put_suppressions(&paper, "Suppressions that have expired", comparison->expired,
			 comparison->n_expired);
	put_next(comparison, &paper);
	return dms_pen_end(&paper.pen);
}

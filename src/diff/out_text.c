// SPDX-License-Identifier: LGPL-2.1-only
/* A comparison for a terminal: the verdict and why, then findings, figures, what nobody could see.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <dmascope/report.h>

#include "../report/local.h"
#include "local.h"

#define MOST_LINES   20 /* of a list of what does not fail */
#define MOST_FRAMES  8	/* of a stack */
#define LEAST_WIDTH  40
#define MOST_COLUMNS 48 /* of a name in a table */

/** Where to print, and how. */
struct paper {
	struct dms_pen pen;
	unsigned int width; /* 0: no limit */
	bool colour;
};

static const char *const plain = "\033[0m", *const bold = "\033[1m", *const red = "\033[1;31m",
			 *const yellow = "\033[33m", *const green = "\033[32m",
			 *const dim = "\033[2m";

static const char *const state_colours[DMS_MAX_STATES] = {
	[DMS_STATE_NEW] = "\033[1;31m",	     [DMS_STATE_WORSE] = "\033[1;31m",
	[DMS_STATE_BETTER] = "\033[32m",     [DMS_STATE_FIXED] = "\033[32m",
	[DMS_STATE_NOT_JUDGED] = "\033[33m", [DMS_STATE_NOISY] = "\033[33m",
};

static void set_colour(struct paper *paper, const char *escape)
{
	if (paper->colour && escape)
		fputs(escape, paper->pen.out);
}

static void put_heading(struct paper *paper, const char *text)
{
	dms_pen_put(&paper->pen, "\n");
	set_colour(paper, bold);
	dms_pen_put(&paper->pen, "%s", text);
	set_colour(paper, plain);
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

/* @text behind @label, which the lines that follow leave room for. */
static void put_wrapped(struct paper *paper, const char *label, const char *text)
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

/* ---- the verdict and the sides -----------------------------------------------------------------
 */

static void put_verdict(const struct dms_comparison *comparison, struct paper *paper)
{
	const char *const colours[] = {
		[DMS_VERDICT_PASS] = green, [DMS_VERDICT_FAIL] = red, [DMS_VERDICT_LOSSY] = yellow};
	_cleanup_(dms_freep) char *headline = dms_diff_headline(comparison);

	set_colour(paper, colours[comparison->verdict]);
	dms_pen_put(&paper->pen, "%s", dms_verdict_name(comparison->verdict));
	set_colour(paper, plain);
	paper->pen.has_failed |= !headline;
	if (headline)
		dms_pen_put(&paper->pen, ": %s\n", headline);
	for (size_t i = 0; i < comparison->n_reasons; i++)
		put_wrapped(paper, "  - ", comparison->reasons[i]);
}

static struct dms_table *open_table(struct paper *paper, const char *const *titles, size_t n)
{
	struct dms_table *table = dms_table_create(n);

	paper->pen.has_failed |= !table;
	for (size_t i = 0; table && i < n; i++)
		paper->pen.has_failed |= !dms_table_title(table, titles[i]);
	return table;
}

static void put_table_cell(struct paper *paper, struct dms_table *table, const char *text,
			   bool is_number)
{
	paper->pen.has_failed |= !dms_table_cell(table, text, is_number);
}

/* A name in a table, behind @before: of a long one its end, which tells runs and functions apart.
 */
static void put_name_cell(struct paper *paper, struct dms_table *table, const char *before,
			  const char *name)
{
	_cleanup_(dms_freep) char *harmless = dms_escape(name, strlen(name), DMS_ESCAPE_TEXT),
				  *cell = NULL;
	size_t width = harmless ? dms_text_width(harmless) : 0;
	const char *end = harmless;
	bool is_long = width > MOST_COLUMNS;

	for (size_t left = is_long ? width - MOST_COLUMNS + 3 : 0; left; left--)
		end += line_end(end, 1);
	if (end)
		cell = dms_asprintf("%s%s%s", before, is_long ? "..." : "", end);
	if (cell)
		put_table_cell(paper, table, cell, false);
	else
		paper->pen.has_failed = true;
}

static void close_table(struct paper *paper, struct dms_table *table)
{
	if (!paper->pen.has_failed)
		dms_table_print(table, paper->pen.out, paper->width, paper->colour);
	dms_table_destroy(table);
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

static void put_run(struct paper *paper, struct dms_table *table, const char *side,
		    const struct dms_baseline *run)
{
	char seconds[32] = "-", lost[96], events[32];

	if (run->seconds > 0)
		dms_format_ns((uint64_t)(run->seconds * 1e9 + 0.5), seconds, sizeof(seconds));
	put_name_cell(paper, table, side, run->path);
	put_name_cell(paper, table, "", run->kernel ? run->kernel : "-");
	put_table_cell(paper, table, dms_format_count(run->events, events, sizeof(events)), true);
	put_table_cell(paper, table, seconds, true);
	put_table_cell(paper, table, losses(run, lost, sizeof(lost)), false);
}

static void put_sides(const struct dms_comparison *comparison, struct paper *paper)
{
	static const char *const titles[] = {"run", "kernel", "events", "span", "lost"};
	struct dms_table *table;

	dms_pen_put(&paper->pen, "\n");
	table = open_table(paper, titles, DMS_ARRAY_SIZE(titles));
	if (!table)
		return;
	for (size_t i = 0; i < comparison->n_base; i++)
		put_run(paper, table, "base  ", comparison->base[i]);
	for (size_t i = 0; i < comparison->n_head; i++)
		put_run(paper, table, "head  ", comparison->head[i]);
	close_table(paper, table);
	if (!comparison->n_base)
		dms_pen_put(&paper->pen,
			    "There is no base to compare with: every finding is new.\n");
}

/* ---- findings ----------------------------------------------------------------------------------
 */

static void put_stack(struct paper *paper, const char *label, const struct dms_function *frames,
		      size_t n)
{
	for (size_t i = 0; i < n && i < MOST_FRAMES; i++) {
		dms_pen_put(&paper->pen, "%s", i ? "                " : label);
		dms_pen_frame(&paper->pen, &frames[i]);
		dms_pen_put(&paper->pen, "\n");
	}
	if (n > MOST_FRAMES)
		dms_pen_put(&paper->pen, "                and %zu more\n", n - MOST_FRAMES);
}

/* "0 -> 1,234", "in 2 of 3 runs" */
static void put_counts(struct paper *paper, const struct dms_comparison *comparison,
		       const struct dms_finding_change *change)
{
	char base[32], head[32];

	dms_format_count(change->count_base, base, sizeof(base));
	dms_format_count(change->count_head, head, sizeof(head));
	if (!comparison->n_base)
		dms_pen_put(&paper->pen, "      count     %s", head);
	else if (change->state == DMS_STATE_NOT_JUDGED && !change->head)
		dms_pen_put(&paper->pen, "      count     %s before", base);
	else
		dms_pen_put(&paper->pen, "      count     %s -> %s", base, head);
	if (comparison->n_base > 1 || comparison->n_head > 1)
		dms_pen_put(&paper->pen, ", in %" PRIu32 " of %zu -> %" PRIu32 " of %zu runs",
			    change->runs_base, comparison->n_base, change->runs_head,
			    comparison->n_head);
	dms_pen_put(&paper->pen, "\n");
}

/* "  new error: double-unmap of ethdrv at rx_refill[ethdrv]" */
static void put_title(struct paper *paper, const struct dms_finding_change *change)
{
	const struct dms_base_finding *finding = dms_change_finding(change);
	char site[512];

	dms_pen_put(&paper->pen, "  ");
	set_colour(paper, change->suppressed ? dim : state_colours[change->state]);
	dms_pen_put(&paper->pen, "%s %s", dms_state_name(change->state),
		    dms_severity_name(finding->severity));
	set_colour(paper, plain);
	dms_pen_put(&paper->pen, ": ");
	set_colour(paper, bold);
	dms_pen_text(&paper->pen, finding->rule);
	set_colour(paper, plain);
	dms_pen_put(&paper->pen, ", ");
	dms_pen_text(&paper->pen, finding->device_kind);
	dms_change_site(finding, site, sizeof(site));
	if (strcmp(site, "-")) {
		dms_pen_put(&paper->pen, finding->n_frames ? ", in " : ", mapped in ");
		dms_pen_text(&paper->pen, site);
	}
	if (change->fails)
		dms_pen_put(&paper->pen, " [fails]");
	dms_pen_put(&paper->pen, "\n");
}

static void put_confidence(struct paper *paper, const struct dms_base_finding *finding)
{
	if (finding->confidence == DMS_CERTAIN && !finding->reason)
		return;
	dms_pen_put(&paper->pen, "      only      %s", dms_confidence_name(finding->confidence));
	if (finding->reason) {
		dms_pen_put(&paper->pen, ": ");
		dms_pen_text(&paper->pen, finding->reason);
	}
	dms_pen_put(&paper->pen, "\n");
}

static void put_finding(struct paper *paper, const struct dms_comparison *comparison,
			const struct dms_finding_change *change)
{
	const struct dms_base_finding *finding = dms_change_finding(change);
	bool is_told = !change->suppressed && change->head &&
		       (change->state == DMS_STATE_NEW || change->state == DMS_STATE_WORSE);

	put_title(paper, change);
	put_wrapped(paper, "      ", finding->message ? finding->message : finding->title);
	if (change->reason)
		put_wrapped(paper, "      because   ", change->reason);
	put_confidence(paper, finding);
	put_counts(paper, comparison, change);
	if (is_told && finding->device)
		put_wrapped(paper, "      device    ", finding->device);
	if (is_told) {
		put_stack(paper, "      call      ", finding->frames, finding->n_frames);
		put_stack(paper, "      mapped    ", finding->map_frames, finding->n_map_frames);
	}
	if (change->suppressed) {
		put_wrapped(paper, "      by        ", change->suppressed->name);
		put_wrapped(paper, "      reason    ", change->suppressed->reason);
	}
	/* never wrapped: it is there to be copied */
	dms_pen_put(&paper->pen, "      is        ");
	dms_pen_text(&paper->pen, finding->fingerprint);
	dms_pen_put(&paper->pen, "\n");
}

/* Those that are suppressed, or those that are not. What fails is never left out. */
static void put_findings(const struct dms_comparison *comparison, struct paper *paper,
			 bool suppressed)
{
	size_t n[DMS_MAX_STATES] = {0}, n_all = 0, n_left = 0;

	for (size_t i = 0; i < comparison->n_findings; i++) {
		const struct dms_finding_change *change = &comparison->findings[i];

		if ((change->suppressed != NULL) != suppressed)
			continue;
		if (!n_all++)
			put_heading(paper, suppressed ? "Suppressed findings" : "Findings");
		if (change->fails || n[change->state]++ < MOST_LINES)
			put_finding(paper, comparison, change);
		else
			n_left++;
	}
	if (n_left)
		dms_pen_put(&paper->pen,
			    "  and %zu more that do not fail: --format json has them\n", n_left);
}

/* ---- metrics -----------------------------------------------------------------------------------
 */

static bool is_changed(const struct dms_metric_change *change)
{
	return change->state == DMS_STATE_WORSE || change->state == DMS_STATE_BETTER ||
	       change->state == DMS_STATE_NOISY;
}

static void put_metric(struct paper *paper, struct dms_table *table,
		       const struct dms_metric_change *change)
{
	char base[48], head[48], percent[32], runs[48], p[32], effect[32], threshold[96];
	const struct dms_metric *metric = change->metric;
	_cleanup_(dms_freep) char *name =
		dms_asprintf("  %s%s", metric->name, change->fails ? " [fails]" : "");

	if (!name) {
		paper->pen.has_failed = true;
		return;
	}
	snprintf(runs, sizeof(runs), "%" PRIu32 "+%" PRIu32, change->n_base, change->n_head);
	if (isnan(change->effect))
		snprintf(effect, sizeof(effect), "-");
	else
		snprintf(effect, sizeof(effect), "%+.2f", change->effect);
	put_table_cell(paper, table, name, false);
	put_name_cell(paper, table, "", change->subject);
	put_table_cell(paper, table, dms_state_name(change->state), false);
	put_table_cell(paper, table, dms_format_value(change->base, metric, base, sizeof(base)),
		       true);
	put_table_cell(paper, table, dms_format_value(change->head, metric, head, sizeof(head)),
		       true);
	put_table_cell(paper, table, dms_format_change(change->change, percent, sizeof(percent)),
		       true);
	put_table_cell(paper, table, runs, true);
	put_table_cell(paper, table, dms_format_p(change->p_holm, p, sizeof(p)), true);
	put_table_cell(paper, table, effect, true);
	put_table_cell(paper, table, dms_format_threshold(change, threshold, sizeof(threshold)),
		       false);
}

static void put_changed_metrics(const struct dms_comparison *comparison, struct paper *paper)
{
	static const char *const titles[] = {"  metric", "of",		 "state", "base",
					     "head",	 "change",	 "n",	  "p (Holm)",
					     "effect",	 "counts beyond"};
	struct dms_table *table = NULL;

	for (size_t i = 0; i < comparison->n_metrics && !paper->pen.has_failed; i++) {
		if (!is_changed(&comparison->metrics[i]))
			continue;
		if (!table)
			table = open_table(paper, titles, DMS_ARRAY_SIZE(titles));
		if (table)
			put_metric(paper, table, &comparison->metrics[i]);
	}
	if (table)
		close_table(paper, table);
}

static size_t count_state(const struct dms_comparison *comparison, enum dms_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < comparison->n_metrics; i++)
		n += comparison->metrics[i].state == state;
	return n;
}

static void put_unchanged(const struct dms_comparison *comparison, struct paper *paper)
{
	size_t n = count_state(comparison, DMS_STATE_UNCHANGED);

	if (n)
		dms_pen_put(&paper->pen, "  %zu unchanged\n", n);
}

/* Is @change said in the same line as the one before it? */
static bool is_like(const struct dms_metric_change *change, const struct dms_metric_change *before)
{
	const char *reason = change->reason ? change->reason : "",
		   *other = before->reason ? before->reason : "";

	return change->state == before->state && !strcmp(change->subject, before->subject) &&
	       !strcmp(reason, other);
}

/* "not judged: ethdrv: base has no value: lifetime_p50, lifetime_p99" of those from @i up to @end.
 */
static void put_why(const struct dms_comparison *comparison, struct paper *paper, size_t i,
		    size_t end)
{
	const struct dms_metric_change *change = &comparison->metrics[i];
	_cleanup_(dms_freep) char *text =
		dms_asprintf("%s: %s: %s%s%s", dms_state_name(change->state), change->subject,
			     change->reason ? change->reason : "", change->reason ? ": " : "",
			     change->metric->name);

	while (text && ++i < end) {
		char *longer = dms_asprintf("%s, %s", text, comparison->metrics[i].metric->name);

		dms_free(text);
		text = longer;
	}
	if (text)
		put_wrapped(paper, "  - ", text);
	else
		paper->pen.has_failed = true;
}

/* Why figures say nothing. Those too noisy are in the table as well. */
static void put_unjudged(const struct dms_comparison *comparison, struct paper *paper,
			 enum dms_state state)
{
	size_t n_lines = 0, n_left = 0;

	for (size_t i = 0, end; i < comparison->n_metrics; i = end) {
		for (end = i + 1; end < comparison->n_metrics &&
				  is_like(&comparison->metrics[end], &comparison->metrics[i]);)
			end++;
		if (comparison->metrics[i].state != state)
			continue;
		if (n_lines++ < MOST_LINES)
			put_why(comparison, paper, i, end);
		else
			n_left += end - i;
	}
	if (n_left)
		dms_pen_put(&paper->pen, "  %s: %zu more, --format json has them\n",
			    dms_state_name(state), n_left);
}

static void put_metrics(const struct dms_comparison *comparison, struct paper *paper)
{
	if (!comparison->n_metrics)
		return;
	put_heading(paper, "Metrics");
	put_changed_metrics(comparison, paper);
	put_unchanged(comparison, paper);
	put_unjudged(comparison, paper, DMS_STATE_NOISY);
	put_unjudged(comparison, paper, DMS_STATE_NOT_JUDGED);
}

/* ---- what nobody could see, and what to do -----------------------------------------------------
 */

static void put_coverage(const struct dms_comparison *comparison, struct paper *paper)
{
	if (comparison->n_coverage)
		put_heading(paper, "Judged on one side only");
	for (size_t i = 0; i < comparison->n_coverage; i++) {
		const struct dms_coverage_change *change = &comparison->coverage[i];
		_cleanup_(dms_freep) char *text = dms_asprintf(
			"not in %s: %s of %s: %s", change->in_base ? "base" : "head",
			change->rule ? change->rule : "everything",
			change->device_kind ? change->device_kind : "every device", change->reason);

		if (text)
			put_wrapped(paper, "  - ", text);
		else
			paper->pen.has_failed = true;
	}
}

static void put_suppressions(struct paper *paper, const char *heading,
			     const struct dms_suppression *const *items, size_t n)
{
	if (n)
		put_heading(paper, heading);
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

static void put_next(const struct dms_comparison *comparison, struct paper *paper)
{
	const struct dms_finding_change *first =
		comparison->n_findings ? &comparison->findings[0] : NULL;
	bool is_failing = comparison->verdict == DMS_VERDICT_FAIL;

	put_heading(paper, "What to do");
	if (is_failing && first && first->fails && dms_rule_find(dms_change_finding(first)->rule))
		dms_pen_put(&paper->pen,
			    "  dmascope rules %-24s what it means, its cause and cure\n",
			    dms_change_finding(first)->rule);
	if (is_failing)
		dms_pen_put(
			&paper->pen,
			"  dmascope report HEAD.db                 the calls, with whole stacks\n"
			"  diff ... --write-suppressions FILE      to accept what fails, for a "
			"reason\n"
			"  dmascope baseline HEAD.db -o BASE.json  to accept it all as the new "
			"base\n");
	if (comparison->verdict == DMS_VERDICT_LOSSY)
		dms_pen_put(
			&paper->pen,
			"  dmascope doctor TRACE                   what it cannot show, and the "
			"cure\n"
			"%s"
			"  diff ... --allow-lossy                  to let it pass all the same\n",
			has_losses(comparison) ? "  dmascope record --buffer-size KIB       larger "
						 "buffers lose fewer events\n"
					       : "");
	if (comparison->verdict == DMS_VERDICT_PASS)
		dms_pen_put(&paper->pen, "  dmascope baseline HEAD.db -o BASE.json  to keep %s\n",
			    has_state(comparison, DMS_STATE_FIXED)
				    ? "what is fixed from coming back"
				    : "this as the base");
}

struct dms_error *dms_diff_print_text(const struct dms_comparison *comparison, FILE *out,
				      unsigned int width, bool colour)
{
	struct paper paper = {.pen = {.out = out}, .width = width, .colour = colour};

	put_verdict(comparison, &paper);
	put_sides(comparison, &paper);
	put_findings(comparison, &paper, false);
	put_findings(comparison, &paper, true);
	put_metrics(comparison, &paper);
	put_coverage(comparison, &paper);
	put_suppressions(&paper, "Suppressions that fit nothing", comparison->unused,
			 comparison->n_unused);
	put_suppressions(&paper, "Suppressions that have expired", comparison->expired,
			 comparison->n_expired);
	put_next(comparison, &paper);
	return dms_pen_end(&paper.pen);
}

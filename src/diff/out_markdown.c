// SPDX-License-Identifier: LGPL-2.1-only
/* A comparison as a comment of a merge request: the verdict and tables, the rest folded away. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <dmascope/report.h>

#include "local.h"

/*
 * A comment of GitHub holds 65,536 characters, a note of GitLab more. What is said at the end
 * always has room in what is left.
 */
#define MOST_BYTES  56000
#define MOST_NAME   160 /* bytes of a name, before they are escaped */
#define MOST_TEXT   600 /* of a message or a reason */
#define MOST_ROWS   50	/* of a table */
#define MOST_FRAMES 16

// clang-format off
/*
 * In <code> and <pre> neither GitHub nor GitLab sees mentions, references, emoji or addresses; as
 * entities the characters make no markup either, inside of HTML or outside.
 */
static const struct dms_swap swaps[] = {
	{'!', "&#33;"}, {'"', "&quot;"}, {'#', "&#35;"}, {'$', "&#36;"}, {'&', "&amp;"},
	{'\'', "&#39;"}, {'*', "&#42;"}, {'.', "&#46;"}, {':', "&#58;"}, {'<', "&lt;"},
	{'>', "&gt;"}, {'@', "&#64;"}, {'[', "&#91;"}, {'\\', "&#92;"}, {']', "&#93;"},
	{'^', "&#94;"}, {'_', "&#95;"}, {'`', "&#96;"}, {'{', "&#123;"}, {'|', "&#124;"},
	{'}', "&#125;"}, {'~', "&#126;"}, {'%', "&#37;"}, {'(', "&#40;"}, {')', "&#41;"},
	{'+', "&#43;"}, {'=', "&#61;"}, {'?', "&#63;"}, {0, NULL},
};

static const char *const signs[DMS_MAX_STATES] = {
	[DMS_STATE_NEW] = "\u274c",	   [DMS_STATE_WORSE] = "\u274c",
	[DMS_STATE_UNCHANGED] = "\u25ab\ufe0f", [DMS_STATE_BETTER] = "\u2705",
	[DMS_STATE_FIXED] = "\u2705",	   [DMS_STATE_NOT_JUDGED] = "\u2754",
	[DMS_STATE_NOISY] = "\u2754",
};
// clang-format on

/* A part is written apart, and appended if it fits. */
struct comment {
	FILE *out;
	struct dms_pen pen; /* of the part */
	struct dms_text part;
	size_t left;   /* bytes there still is room for */
	size_t n_lost; /* parts left out */
};

static bool part_begin(struct comment *comment)
{
	comment->part = (struct dms_text){0};
	comment->pen.out = dms_text_open(&comment->part);
	comment->pen.has_failed |= !comment->pen.out;
	return comment->pen.out != NULL;
}

/* Return: the part is in. */
static bool part_end(struct comment *comment)
{
	bool fits;

	if (!dms_text_close(&comment->part, comment->pen.out))
		comment->pen.has_failed = true;
	comment->pen.out = NULL;
	fits = !comment->pen.has_failed && comment->part.n_bytes <= comment->left;
	if (fits) {
		fwrite(comment->part.bytes, 1, comment->part.n_bytes, comment->out);
		comment->left -= comment->part.n_bytes;
	}
	comment->n_lost += !fits;
	dms_freep(&comment->part.bytes);
	return fits;
}

/* Words that are not ours, at most @most_bytes of them. */
static void put_code(struct comment *comment, const char *text, size_t most_bytes)
{
	comment->pen.most_bytes = most_bytes;
	dms_pen_put(&comment->pen, "<code>");
	dms_pen_text(&comment->pen, *text ? text : "-");
	dms_pen_put(&comment->pen, "</code>");
}

/* ---- the head of the comment -------------------------------------------------------------------
 */

static void put_verdict(const struct dms_comparison *comparison, struct comment *comment)
{
	static const char *const verdict_signs[] = {[DMS_VERDICT_PASS] = "\u2705",
						    [DMS_VERDICT_FAIL] = "\u274c",
						    [DMS_VERDICT_LOSSY] = "\u26a0\ufe0f"};
	_cleanup_(dms_freep) char *headline = dms_diff_headline(comparison);

	comment->pen.has_failed |= !headline;
	if (!headline || !part_begin(comment))
		return;
	dms_pen_put(&comment->pen, "### %s dmascope: %s\n\n**%s**\n",
		    verdict_signs[comparison->verdict],
		    comparison->verdict == DMS_VERDICT_LOSSY
			    ? "too lossy to judge"
			    : dms_verdict_name(comparison->verdict),
		    headline);
	for (size_t i = 0; i < comparison->n_reasons && i < MOST_ROWS / 5; i++) {
		dms_pen_put(&comment->pen, "%s- ", i ? "" : "\n");
		put_code(comment, comparison->reasons[i], MOST_TEXT);
		dms_pen_put(&comment->pen, "\n");
	}
	if (comparison->n_reasons > MOST_ROWS / 5)
		dms_pen_put(&comment->pen, "- and %zu more\n",
			    comparison->n_reasons - MOST_ROWS / 5);
	part_end(comment);
}

static void put_run(struct comment *comment, const char *side, const struct dms_baseline *run)
{
	char events[32], lost[32], gaps[32];

	dms_pen_put(&comment->pen, "| %s | ", side);
	put_code(comment, run->path, MOST_NAME);
	dms_pen_put(&comment->pen, " | ");
	put_code(comment, run->kernel ? run->kernel : "-", MOST_NAME);
	dms_pen_put(&comment->pen, " | %s | ",
		    dms_format_count(run->events, events, sizeof(events)));
	if (run->lost_events)
		dms_pen_put(&comment->pen, "**%s** in ",
			    dms_format_count(run->lost_events, lost, sizeof(lost)));
	if (run->gaps || run->lost_events)
		dms_pen_put(&comment->pen, "%s gap%s",
			    dms_format_count(run->gaps, gaps, sizeof(gaps)),
			    run->gaps == 1 ? "" : "s");
	else
		dms_pen_put(&comment->pen, "none");
	dms_pen_put(&comment->pen, "%s |\n", run->is_complete ? "" : ", incomplete");
}

static void put_sides(const struct dms_comparison *comparison, struct comment *comment)
{
	if (!part_begin(comment))
		return;
	dms_pen_put(&comment->pen, "\n|  | run | kernel | events | lost |\n"
				   "|---|---|---|---:|---|\n");
	for (size_t i = 0; i < comparison->n_base && i < MOST_ROWS / 4; i++)
		put_run(comment, "base", comparison->base[i]);
	for (size_t i = 0; i < comparison->n_head && i < MOST_ROWS / 4; i++)
		put_run(comment, "head", comparison->head[i]);
	if (!comparison->n_base)
		dms_pen_put(&comment->pen,
			    "\nThere is no base to compare with: every finding is new.\n");
	part_end(comment);
}

/* ---- tables ------------------------------------------------------------------------------------
 */

/* What a table has room for, and a line about the rest. */
struct rows {
	const char *head;
	const char *noun;
	size_t n, n_left;
};

/* Begin a row; false: no room for it, or memory. */
static bool row_begin(struct comment *comment, struct rows *rows)
{
	if (rows->n >= MOST_ROWS) {
		rows->n_left++;
		return false;
	}
	if (!part_begin(comment))
		return false;
	if (!rows->n)
		dms_pen_put(&comment->pen, "%s", rows->head);
	return true;
}

static void row_end(struct comment *comment, struct rows *rows)
{
	if (part_end(comment)) {
		rows->n++;
	} else {
		comment->n_lost--; /* it is told here */
		rows->n_left++;
	}
}

static void rows_end(struct comment *comment, const struct rows *rows)
{
	if (rows->n_left && rows->n && part_begin(comment)) {
		dms_pen_put(&comment->pen, "\n%zu more %s left out.\n", rows->n_left, rows->noun);
		part_end(comment);
	} else {
		comment->n_lost += rows->n_left;
	}
}

/* A cross for what fails only: news of less weight must not look like it. */
static const char *sign_of(const struct dms_finding_change *change)
{
	if (change->suppressed)
		return "\U0001f507";
	if (change->fails || (change->state != DMS_STATE_NEW && change->state != DMS_STATE_WORSE))
		return signs[change->state];
	return dms_change_finding(change)->severity == DMS_SEVERITY_INFO ? "\u2139\ufe0f"
									 : "\u26a0\ufe0f";
}

static void put_finding_row(const struct dms_comparison *comparison,
			    const struct dms_finding_change *change, struct comment *comment)
{
	const struct dms_base_finding *finding = dms_change_finding(change);
	char base[32], head[32];

	dms_pen_put(&comment->pen, "| %s %s %s%s | ", sign_of(change),
		    dms_state_name(change->state), dms_severity_name(finding->severity),
		    change->fails ? ", **fails**" : "");
	put_code(comment, finding->fingerprint, 2 * MOST_NAME);
	dms_pen_put(&comment->pen, " | %s | %s |\n",
		    comparison->n_base ? dms_format_count(change->count_base, base, sizeof(base))
				       : "-",
		    change->state == DMS_STATE_NOT_JUDGED && !change->head
			    ? "?"
			    : dms_format_count(change->count_head, head, sizeof(head)));
}

/* In the open: what came, went, or could not be judged. */
static bool is_news(const struct dms_finding_change *change)
{
	return !change->suppressed && change->state != DMS_STATE_UNCHANGED;
}

static bool is_old(const struct dms_finding_change *change)
{
	return !change->suppressed && change->state == DMS_STATE_UNCHANGED;
}

/* What fails or would. */
static bool is_bad(const struct dms_finding_change *change)
{
	return !change->suppressed && change->head &&
	       (change->state == DMS_STATE_NEW || change->state == DMS_STATE_WORSE);
}

static bool is_suppressed(const struct dms_finding_change *change)
{
	return change->suppressed != NULL;
}

static size_t count_findings(const struct dms_comparison *comparison,
			     bool (*is_one)(const struct dms_finding_change *change))
{
	size_t n = 0;

	for (size_t i = 0; i < comparison->n_findings; i++)
		n += is_one(&comparison->findings[i]);
	return n;
}

static void put_findings(const struct dms_comparison *comparison, struct comment *comment,
			 bool (*is_one)(const struct dms_finding_change *change))
{
	struct rows rows = {.head = "\n| finding | fingerprint | base | head |\n"
				    "|---|---|---:|---:|\n",
			    .noun = "findings"};

	for (size_t i = 0; i < comparison->n_findings; i++) {
		if (!is_one(&comparison->findings[i]) || !row_begin(comment, &rows))
			continue;
		put_finding_row(comparison, &comparison->findings[i], comment);
		row_end(comment, &rows);
	}
	rows_end(comment, &rows);
}

static void put_metric_row(const struct dms_metric_change *change, struct comment *comment)
{
	char base[48], head[48], percent[32], p_text[32], effect[32] = "-", threshold[96];
	const char *p = dms_format_p(change->p_holm, p_text, sizeof(p_text));

	if (!isnan(change->effect))
		snprintf(effect, sizeof(effect), "%+.2f", change->effect);
	dms_pen_put(&comment->pen, "| %s %s%s | %s | ", signs[change->state],
		    dms_state_name(change->state), change->fails ? ", **fails**" : "",
		    change->metric->title);
	put_code(comment, change->subject, MOST_NAME);
	dms_pen_put(&comment->pen, " | %s | %s | %s | %" PRIu32 " + %" PRIu32 " | %s | %s | %s |\n",
		    dms_format_value(change->base, change->metric, base, sizeof(base)),
		    dms_format_value(change->head, change->metric, head, sizeof(head)),
		    dms_format_change(change->change, percent, sizeof(percent)), change->n_base,
		    change->n_head, *p == '<' ? "&lt;0.0001" : p, effect,
		    dms_format_threshold(change, threshold, sizeof(threshold)));
}

static void put_metrics(const struct dms_comparison *comparison, struct comment *comment)
{
	struct rows rows = {.head = "\n| state | metric | of | base | head | change | n | p | "
				    "effect | counts beyond |\n"
				    "|---|---|---|---:|---:|---:|---:|---:|---:|---|\n",
			    .noun = "metrics"};

	for (size_t i = 0; i < comparison->n_metrics; i++) {
		if (!dms_metric_is_changed(&comparison->metrics[i]) || !row_begin(comment, &rows))
			continue;
		put_metric_row(&comparison->metrics[i], comment);
		row_end(comment, &rows);
	}
	rows_end(comment, &rows);
}

/* ---- what is folded away -----------------------------------------------------------------------
 */

/* How a fold ends has room beside what is counted. */
static bool fold_begin(struct comment *comment, const char *title, size_t n)
{
	if (!n || !part_begin(comment))
		return false;
	dms_pen_put(&comment->pen, "\n<details><summary>%s (%zu)</summary>\n\n", title, n);
	return part_end(comment);
}

static void fold_end(struct comment *comment)
{
	fputs("\n</details>\n", comment->out);
}

static void put_stack(struct comment *comment, const char *label, const struct dms_function *frames,
		      size_t n)
{
	comment->pen.most_bytes = MOST_NAME;
	for (size_t i = 0; i < n && i < MOST_FRAMES; i++) {
		dms_pen_put(&comment->pen, "%s", i ? "             " : label);
		dms_pen_frame(&comment->pen, &frames[i]);
		dms_pen_put(&comment->pen, "\n");
	}
	if (n > MOST_FRAMES)
		dms_pen_put(&comment->pen, "             and %zu more\n", n - MOST_FRAMES);
}

static void put_line(struct comment *comment, const char *label, const char *text)
{
	if (!text)
		return;
	comment->pen.most_bytes = MOST_TEXT;
	dms_pen_put(&comment->pen, "%s", label);
	dms_pen_text(&comment->pen, text);
	dms_pen_put(&comment->pen, "\n");
}

/* A finding with its call stacks, in a fold of its own. */
static void put_detail(const struct dms_finding_change *change, struct comment *comment)
{
	const struct dms_base_finding *finding = dms_change_finding(change);

	if (!part_begin(comment))
		return;
	dms_pen_put(&comment->pen, "\n<details><summary>%s %s %s ", sign_of(change),
		    dms_state_name(change->state), dms_severity_name(finding->severity));
	put_code(comment, finding->rule, MOST_NAME);
	dms_pen_put(&comment->pen, " on ");
	put_code(comment, finding->device_kind, MOST_NAME);
	dms_pen_put(&comment->pen, ": %s</summary>\n\n<pre>\n",
		    finding->confidence == DMS_CERTAIN ? "call stacks"
						       : dms_confidence_name(finding->confidence));
	put_line(comment, "", finding->message ? finding->message : finding->title);
	put_line(comment, "because      ", change->reason);
	put_line(comment, "doubt        ", finding->reason);
	put_line(comment, "device       ", finding->device);
	put_stack(comment, "call         ", finding->frames, finding->n_frames);
	put_stack(comment, "mapped       ", finding->map_frames, finding->n_map_frames);
	put_line(comment, "fingerprint  ", finding->fingerprint);
	dms_pen_put(&comment->pen, "</pre>\n\n</details>\n");
	part_end(comment);
}

static void put_details(const struct dms_comparison *comparison, struct comment *comment)
{
	for (size_t i = 0; i < comparison->n_findings; i++) {
		if (is_bad(&comparison->findings[i]))
			put_detail(&comparison->findings[i], comment);
	}
}

/* One line of a list: what, of what, and why. */
static bool put_item(struct comment *comment, const char *what, const char *of, const char *reason)
{
	if (!part_begin(comment))
		return false;
	dms_pen_put(&comment->pen, "- ");
	put_code(comment, what, MOST_NAME);
	if (of) {
		dms_pen_put(&comment->pen, ", ");
		put_code(comment, of, MOST_NAME);
	}
	if (reason) {
		dms_pen_put(&comment->pen, ": ");
		put_code(comment, reason, MOST_TEXT);
	}
	dms_pen_put(&comment->pen, "\n");
	return part_end(comment);
}

static void put_unchanged(const struct dms_comparison *comparison, struct comment *comment)
{
	if (!fold_begin(comment, "Unchanged findings", count_findings(comparison, is_old)))
		return;
	put_findings(comparison, comment, is_old);
	fold_end(comment);
}

/* What is suppressed, and by what. */
static void put_suppressed(const struct dms_comparison *comparison, struct comment *comment)
{
	size_t n_shown = 0;

	if (!fold_begin(comment, "Suppressed findings", count_findings(comparison, is_suppressed)))
		return;
	put_findings(comparison, comment, is_suppressed);
	fputc('\n', comment->out);
	for (size_t i = 0; i < comparison->n_findings && n_shown < MOST_ROWS; i++) {
		const struct dms_finding_change *change = &comparison->findings[i];

		if (change->suppressed)
			n_shown += put_item(comment, dms_change_finding(change)->rule,
					    change->suppressed->name, change->suppressed->reason);
	}
	fold_end(comment);
}

/* Metrics that one reason keeps from being judged, in one line. Return: how many are told. */
static size_t put_unjudged_metrics(const struct dms_comparison *comparison, struct comment *comment)
{
	struct dms_metric_group groups[MOST_ROWS];
	size_t n_told = 0, n_left,
	       n = dms_metric_groups(comparison, DMS_STATE_NOT_JUDGED, groups, MOST_ROWS, &n_left);

	for (size_t i = 0; i < n; i++) {
		_cleanup_(dms_freep) char *what = dms_metric_group_text(&groups[i]);

		comment->pen.has_failed |= !what;
		if (what && put_item(comment, what, NULL, groups[i].first->reason))
			n_told += groups[i].n;
	}
	return n_told;
}

/* What a side or both could not judge. Return: how many are told. */
static size_t put_blindness(struct comment *comment, const struct dms_coverage_change *changes,
			    size_t n, bool one_sided)
{
	size_t n_told = 0;

	for (size_t i = 0; i < n && n_told < MOST_ROWS; i++) {
		const struct dms_coverage_change *change = &changes[i];
		_cleanup_(dms_freep) char *what =
			dms_asprintf("%s%s", change->rule ? change->rule : "everything",
				     !one_sided	       ? ""
				     : change->in_base ? " in base"
						       : " in head");

		comment->pen.has_failed |= !what;
		n_told += what && put_item(comment, what, change->device_kind, change->reason);
	}
	return n_told;
}

static void put_unjudged(const struct dms_comparison *comparison, struct comment *comment)
{
	size_t n = comparison->n_coverage + comparison->n_unjudged, n_shown = 0;

	for (size_t i = 0; i < comparison->n_metrics; i++)
		n += comparison->metrics[i].state == DMS_STATE_NOT_JUDGED;
	for (size_t i = 0; i < comparison->n_findings; i++)
		n += comparison->findings[i].state == DMS_STATE_NOT_JUDGED;
	if (!fold_begin(comment, "Not judged, and why", n))
		return;
	for (size_t i = 0; i < comparison->n_findings && n_shown < MOST_ROWS; i++) {
		const struct dms_finding_change *change = &comparison->findings[i];

		if (change->state == DMS_STATE_NOT_JUDGED)
			n_shown +=
				put_item(comment, dms_change_finding(change)->rule,
					 dms_change_finding(change)->device_kind, change->reason);
	}
	n_shown += put_unjudged_metrics(comparison, comment);
	n_shown += put_blindness(comment, comparison->coverage, comparison->n_coverage, true);
	n_shown += put_blindness(comment, comparison->unjudged, comparison->n_unjudged, false);
	if (n > n_shown)
		fprintf(comment->out, "- and %zu more\n", n - n_shown);
	fold_end(comment);
}

static void put_suppressions(struct comment *comment, const char *title,
			     const struct dms_suppression *const *items, size_t n)
{
	if (!fold_begin(comment, title, n))
		return;
	for (size_t i = 0; i < n && i < MOST_ROWS; i++)
		put_item(comment, items[i]->name, items[i]->file, items[i]->reason);
	fold_end(comment);
}

static void put_end(const struct dms_comparison *comparison, struct comment *comment)
{
	size_t n_unchanged = 0;

	for (size_t i = 0; i < comparison->n_metrics; i++)
		n_unchanged += comparison->metrics[i].state == DMS_STATE_UNCHANGED;
	if (n_unchanged)
		fprintf(comment->out, "\n%zu metric%s did not change.\n", n_unchanged,
			n_unchanged == 1 ? "" : "s");
	if (comment->n_lost)
		fprintf(comment->out,
			"\n**%zu parts had no room here**; `--format json` and `--format html` "
			"have "
			"all.\n",
			comment->n_lost);
}

struct dms_error *dms_diff_print_markdown(const struct dms_comparison *comparison, FILE *out,
					  unsigned int width, bool colour)
{
	struct comment comment = {.out = out, .pen = {.swaps = swaps}, .left = MOST_BYTES};

	(void)width;
	(void)colour;
	put_verdict(comparison, &comment);
	put_sides(comparison, &comment);
	put_findings(comparison, &comment, is_news);
	put_metrics(comparison, &comment);
	put_details(comparison, &comment);
	put_unchanged(comparison, &comment);
	put_suppressed(comparison, &comment);
	put_unjudged(comparison, &comment);
	put_suppressions(&comment, "Suppressions that fit nothing", comparison->unused,
			 comparison->n_unused);
	put_suppressions(&comment, "Suppressions that have expired", comparison->expired,
			 comparison->n_expired);
	put_end(comparison, &comment);
	comment.pen.out = out;
	return dms_pen_end(&comment.pen);
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Metrics of a comparison for a terminal: a table of those that changed, and what says nothing. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "out_text.h"

/* Runs, p and effect: of one run a side there is nothing to tell. */
static void put_tests(struct dms_paper *paper, struct dms_table *table,
		      const struct dms_metric_change *change)
{
	char runs[48], p[32], effect[32] = "-";

	snprintf(runs, sizeof(runs), "%" PRIu32 "+%" PRIu32, change->n_base, change->n_head);
	if (!isnan(change->effect))
		snprintf(effect, sizeof(effect), "%+.2f", change->effect);
	dms_paper_cell(paper, table, runs, true);
	dms_paper_cell(paper, table, dms_format_p(change->p_holm, p, sizeof(p)), true);
	dms_paper_cell(paper, table, effect, true);
}

static void put_metric(struct dms_paper *paper, struct dms_table *table,
		       const struct dms_metric_change *change, bool has_tests)
{
	char base[48], head[48], percent[32], threshold[96];
	const struct dms_metric *metric = change->metric;
	_cleanup_(dms_freep) char *name = dms_asprintf("  %s of ", metric->name);
	_cleanup_(dms_freep) char *state = dms_asprintf("%s%s", dms_state_name(change->state),
							change->fails ? " [fails]" : "");

	if (!name || !state) {
		paper->pen.has_failed = true;
		return;
	}
	dms_paper_name(paper, table, name, change->subject);
	dms_paper_cell(paper, table, state, false);
	dms_paper_cell(paper, table, dms_format_value(change->base, metric, base, sizeof(base)),
		       true);
	dms_paper_cell(paper, table, dms_format_value(change->head, metric, head, sizeof(head)),
		       true);
	dms_paper_cell(paper, table, dms_format_change(change->change, percent, sizeof(percent)),
		       true);
	dms_paper_cell(paper, table, dms_format_threshold(change, threshold, sizeof(threshold)),
		       false);
	if (has_tests)
		put_tests(paper, table, change);
}

static void put_changed_metrics(const struct dms_comparison *comparison, struct dms_paper *paper)
{
	static const char *const titles[] = {"  metric", "state",    "base",
					     "head",	 "change",   "counts beyond",
					     "n",	 "p (Holm)", "effect"};
	bool has_tests = comparison->n_base > 1 || comparison->n_head > 1;
	size_t n_titles = DMS_ARRAY_SIZE(titles) - (has_tests ? 0 : 3);
	struct dms_table *table = NULL;

	for (size_t i = 0; i < comparison->n_metrics && !paper->pen.has_failed; i++) {
		if (!dms_metric_is_changed(&comparison->metrics[i]))
			continue;
		if (!table)
			table = dms_paper_table(paper, titles, n_titles);
		if (table)
			put_metric(paper, table, &comparison->metrics[i], has_tests);
	}
	if (table)
		dms_paper_close(paper, table);
}

static void put_unchanged(const struct dms_comparison *comparison, struct dms_paper *paper)
{
	size_t n = dms_count_metrics(comparison, DMS_STATE_UNCHANGED);

	if (n)
		dms_pen_put(&paper->pen, "  %zu unchanged\n", n);
}

/* Why figures say nothing, those of like reason in one line. Those too noisy are in the table, too.
 */
static void put_unjudged(struct dms_paper *paper, const struct dms_comparison *comparison,
			 enum dms_state state)
{
	struct dms_metric_group groups[DMS_MOST_LINES];
	size_t n_left, n = dms_metric_groups(comparison, state, groups, DMS_MOST_LINES, &n_left);

	for (size_t i = 0; i < n; i++) {
		const struct dms_metric_change *first = groups[i].first;
		_cleanup_(dms_freep) char *what = dms_metric_group_text(&groups[i]);
		_cleanup_(dms_freep) char *text =
			!what ? NULL
			      : dms_asprintf("%s: %s%s%s", dms_state_name(state), what,
					     first->reason ? ": " : "",
					     first->reason ? first->reason : "");

		if (text)
			dms_paper_wrapped(paper, "  - ", text);
		else
			paper->pen.has_failed = true;
	}
	if (n_left)
		dms_pen_put(&paper->pen, "  %s: %zu more, --format json has them\n",
			    dms_state_name(state), n_left);
}

void dms_paper_metrics(struct dms_paper *paper, const struct dms_comparison *comparison)
{
	if (!comparison->n_metrics)
		return;
	dms_paper_heading(paper, "Metrics");
	put_changed_metrics(comparison, paper);
	put_unchanged(comparison, paper);
	put_unjudged(paper, comparison, DMS_STATE_NOISY);
	put_unjudged(paper, comparison, DMS_STATE_NOT_JUDGED);
}

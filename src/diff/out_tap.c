// SPDX-License-Identifier: LGPL-2.1-only
/* A comparison as TAP: a test point for each rule and device kind, and for each metric. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/report.h>

#include "local.h"

/*
 * Version 14 understands all of it, but perl's prove refuses whatever calls itself so, and those
 * that know 14 read 13 as well.
 */
#define TAP_VERSION 13

/* What begins a directive, or ends a description, is escaped; so is the escape. */
static const struct dms_swap description_swaps[] = {{'\\', "\\\\"}, {'#', "\\#"}, {0, NULL}};
/* The inside of double quotes in YAML. */
static const struct dms_swap yaml_swaps[] = {{'\\', "\\\\"}, {'"', "\\\""}, {0, NULL}};
/* Behind # there is nothing to escape it with; a second one would begin another comment. */
static const struct dms_swap comment_swaps[] = {{'#', "No."}, {0, NULL}};

/** What is written, and how far it is. */
struct tap {
	const struct dms_comparison *comparison;
	struct dms_pen pen;
	size_t n; /* points so far */
	struct dms_strings rules, kinds;
};

/* ---- the rules and the device kinds there are, each once, sorted -------------------------------
 */

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool collect(struct dms_strings *strings, const char *word)
{
	if (!dms_grow(&strings->items, &strings->capacity, strings->n_items + 1,
		      sizeof(strings->items[0])))
		return false;
	strings->items[strings->n_items++] = word;
	return true;
}

static void sort_once(struct dms_strings *strings)
{
	size_t n = 0;

	if (strings->n_items)
		qsort(strings->items, strings->n_items, sizeof(strings->items[0]), compare_words);
	for (size_t i = 0; i < strings->n_items; i++) {
		if (!n || strcmp(strings->items[i], strings->items[n - 1]))
			strings->items[n++] = strings->items[i];
	}
	strings->n_items = n;
}

static bool collect_runs(struct tap *tap, const struct dms_baseline *const *runs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < runs[i]->n_kinds; k++) {
			if (!collect(&tap->kinds, runs[i]->kinds[k].name))
				return false;
		}
	}
	return true;
}

static bool collect_all(struct tap *tap)
{
	const struct dms_comparison *comparison = tap->comparison;
	const struct dms_rule *rules[DMS_MAX_RULES];
	size_t n = dms_rules_all(rules);

	for (size_t i = 0; i < n; i++) {
		if (!collect(&tap->rules, rules[i]->id))
			return false;
	}
	for (size_t i = 0; i < comparison->n_findings; i++) {
		const struct dms_base_finding *finding =
			dms_change_finding(&comparison->findings[i]);

		if (!collect(&tap->rules, finding->rule) ||
		    !collect(&tap->kinds, finding->device_kind))
			return false;
	}
	if (!collect_runs(tap, comparison->base, comparison->n_base) ||
	    !collect_runs(tap, comparison->head, comparison->n_head))
		return false;
	sort_once(&tap->rules);
	sort_once(&tap->kinds);
	return true;
}

/* ---- what a rule says of a kind ----------------------------------------------------------------
 */

static bool fits(const char *which, const char *word)
{
	return !which || !strcmp(which, word);
}

/* Why @run says nothing about @rule on @kind; NULL: it does. */
static const char *blind_reason(const struct dms_baseline *run, const char *rule, const char *kind)
{
	bool is_seen = false;

	if (!run->is_complete)
		return "the run is not complete";
	if (run->gaps || run->lost_events)
		return "events were lost";
	for (size_t i = 0; i < run->n_rules_off; i++) {
		if (!strcmp(run->rules_off[i], rule))
			return "the rule was switched off";
	}
	for (size_t i = 0; i < run->n_blind_spots; i++) {
		const struct dms_blind_spot *spot = &run->blind_spots[i];

		if (fits(spot->rule, rule) && fits(spot->device_kind, kind))
			return spot->reason ? spot->reason : "no reason is given";
	}
	for (size_t i = 0; i < run->n_kinds; i++)
		is_seen |= !strcmp(run->kinds[i].name, kind) && run->kinds[i].maps;
	return is_seen ? NULL : "the head has no maps of such a device";
}

/* Why no run of the head says anything; NULL: one does. */
static const char *skip_reason(const struct dms_comparison *comparison, const char *rule,
			       const char *kind)
{
	const char *reason = "there is no run of the head";

	for (size_t i = 0; i < comparison->n_head && reason; i++)
		reason = blind_reason(comparison->head[i], rule, kind);
	return reason;
}

/** All changes of one rule on one kind. */
struct point {
	const char *rule, *kind;
	size_t n; /* changes there are */
	bool fails;
	const struct dms_suppression *suppressed; /* that something in the head is */
	bool is_in_head;
	const char *not_judged;
};

static bool is_of(const struct point *point, const struct dms_finding_change *change)
{
	const struct dms_base_finding *finding = dms_change_finding(change);

	return !strcmp(finding->rule, point->rule) && !strcmp(finding->device_kind, point->kind);
}

static void sum_up(const struct dms_comparison *comparison, struct point *point)
{
	for (size_t i = 0; i < comparison->n_findings; i++) {
		const struct dms_finding_change *change = &comparison->findings[i];

		if (!is_of(point, change))
			continue;
		point->n++;
		point->fails |= change->fails;
		if (change->suppressed && change->head && !point->suppressed)
			point->suppressed = change->suppressed;
		point->is_in_head |= change->head && !change->suppressed;
		if (change->state == DMS_STATE_NOT_JUDGED && !point->not_judged)
			point->not_judged = change->reason ? change->reason : "not judged";
	}
}

/* ---- points ------------------------------------------------------------------------------------
 */

static void swap_with(struct tap *tap, const struct dms_swap *swaps)
{
	tap->pen.swaps = swaps;
}

/* "not ok 3 - WHAT of WHOM" */
static void put_point(struct tap *tap, bool is_ok, const char *what, const char *whom)
{
	swap_with(tap, description_swaps);
	dms_pen_put(&tap->pen, "%sok %zu - ", is_ok ? "" : "not ", ++tap->n);
	dms_pen_text(&tap->pen, what);
	dms_pen_put(&tap->pen, " on ");
	dms_pen_text(&tap->pen, whom);
}

/* "  key: "words"", behind @indent blanks. */
static void put_yaml(struct tap *tap, const char *key, const char *words)
{
	if (!words)
		return;
	swap_with(tap, yaml_swaps);
	dms_pen_put(&tap->pen, "%s\"", key);
	dms_pen_text(&tap->pen, words);
	dms_pen_put(&tap->pen, "\"\n");
}

static void put_frames(struct tap *tap, const char *key, const struct dms_function *frames,
		       size_t n)
{
	if (!n)
		return;
	dms_pen_put(&tap->pen, "%s\n", key);
	for (size_t i = 0; i < n; i++) {
		dms_pen_put(&tap->pen, "        - \"");
		dms_pen_frame(&tap->pen, &frames[i]);
		dms_pen_put(&tap->pen, "\"\n");
	}
}

static void put_change(struct tap *tap, const struct dms_finding_change *change)
{
	const struct dms_base_finding *finding = dms_change_finding(change);

	put_yaml(tap, "    - state: ", dms_state_name(change->state));
	put_yaml(tap, "      severity: ", dms_severity_name(finding->severity));
	put_yaml(tap, "      message: ", finding->message ? finding->message : finding->title);
	put_yaml(tap, "      because: ", change->reason);
	put_yaml(tap, "      confidence: ", dms_confidence_name(finding->confidence));
	put_yaml(tap, "      doubt: ", finding->reason);
	dms_pen_put(&tap->pen, "      base: %" PRIu64 "\n      head: %" PRIu64 "\n",
		    change->count_base, change->count_head);
	put_yaml(tap, "      suppressed: ", change->suppressed ? change->suppressed->name : NULL);
	put_yaml(tap, "      device: ", finding->device);
	put_frames(tap, "      call:", finding->frames, finding->n_frames);
	put_frames(tap, "      map:", finding->map_frames, finding->n_map_frames);
	put_yaml(tap, "      fingerprint: ", finding->fingerprint);
}

static void put_diagnostics(struct tap *tap, const struct point *point)
{
	if (!point->n)
		return;
	dms_pen_put(&tap->pen, "  ---\n  findings:\n");
	for (size_t i = 0; i < tap->comparison->n_findings; i++) {
		if (is_of(point, &tap->comparison->findings[i]))
			put_change(tap, &tap->comparison->findings[i]);
	}
	dms_pen_put(&tap->pen, "  ...\n");
}

/* " # SKIP reason", or TODO. */
static void put_directive(struct tap *tap, const char *directive, const char *reason)
{
	swap_with(tap, description_swaps);
	dms_pen_put(&tap->pen, " # %s ", directive);
	dms_pen_text(&tap->pen, reason);
}

static void put_rule(struct tap *tap, const char *rule, const char *kind)
{
	struct point point = {.rule = rule, .kind = kind};
	const char *skipped;

	sum_up(tap->comparison, &point);
	skipped = point.not_judged ? point.not_judged : skip_reason(tap->comparison, rule, kind);
	put_point(tap, !point.fails && !point.suppressed, rule, kind);
	if (!point.fails && point.suppressed) {
		put_directive(tap, "TODO", "suppressed by ");
		dms_pen_text(&tap->pen, point.suppressed->name);
		dms_pen_put(&tap->pen, ": ");
		dms_pen_text(&tap->pen, point.suppressed->reason);
	} else if (!point.fails && !point.is_in_head && skipped) {
		put_directive(tap, "SKIP", skipped);
	}
	dms_pen_put(&tap->pen, "\n");
	put_diagnostics(tap, &point);
}

/* A number for YAML, which has words for those JSON lacks. */
static void put_real(struct tap *tap, const char *key, double value)
{
	if (isnan(value))
		dms_pen_put(&tap->pen, "%s.nan\n", key);
	else if (isinf(value))
		dms_pen_put(&tap->pen, "%s%s.inf\n", key, value < 0 ? "-" : "");
	else
		dms_pen_put(&tap->pen, "%s%.15g\n", key, value);
}

static void put_metric(struct tap *tap, const struct dms_metric_change *change)
{
	bool is_judged = change->state != DMS_STATE_NOT_JUDGED && change->state != DMS_STATE_NOISY;

	put_point(tap, !change->fails, change->metric->name, change->subject);
	if (!change->fails && !is_judged)
		put_directive(tap, "SKIP",
			      change->reason ? change->reason : dms_state_name(change->state));
	dms_pen_put(&tap->pen, "\n");
	if (change->state == DMS_STATE_UNCHANGED)
		return;
	dms_pen_put(&tap->pen, "  ---\n");
	put_yaml(tap, "  state: ", dms_state_name(change->state));
	put_yaml(tap, "  unit: ", change->metric->unit);
	put_yaml(tap, "  because: ", change->reason);
	put_real(tap, "  base: ", change->base);
	put_real(tap, "  head: ", change->head);
	put_real(tap, "  change: ", change->change);
	dms_pen_put(&tap->pen, "  runs_base: %" PRIu32 "\n  runs_head: %" PRIu32 "\n",
		    change->n_base, change->n_head);
	put_real(tap, "  p: ", change->p_holm);
	put_real(tap, "  effect: ", change->effect);
	dms_pen_put(&tap->pen, "  ...\n");
}

/* The last point is the verdict: nobody may take "no point failed" for "passed". */
static void put_verdict(struct tap *tap)
{
	const struct dms_comparison *comparison = tap->comparison;

	dms_pen_put(&tap->pen, "%sok %zu - verdict: %s\n",
		    comparison->verdict == DMS_VERDICT_PASS ? "" : "not ", ++tap->n,
		    dms_verdict_name(comparison->verdict));
	if (!comparison->n_reasons)
		return;
	dms_pen_put(&tap->pen, "  ---\n  reasons:\n");
	for (size_t i = 0; i < comparison->n_reasons; i++)
		put_yaml(tap, "    - ", comparison->reasons[i]);
	dms_pen_put(&tap->pen, "  ...\n");
}

static void put_head(struct tap *tap)
{
	const struct dms_comparison *comparison = tap->comparison;
	_cleanup_(dms_freep) char *headline = dms_diff_headline(comparison);

	tap->pen.has_failed |= !headline;
	dms_pen_put(&tap->pen, "TAP version %d\n1..%zu\n", TAP_VERSION,
		    tap->rules.n_items * tap->kinds.n_items + comparison->n_metrics + 1);
	swap_with(tap, comment_swaps);
	dms_pen_put(&tap->pen, "# dmascope: %s: %s\n", dms_verdict_name(comparison->verdict),
		    headline ? headline : "");
	for (size_t i = 0; i < comparison->n_base; i++) {
		dms_pen_put(&tap->pen, "# base ");
		dms_pen_text(&tap->pen, comparison->base[i]->path);
		dms_pen_put(&tap->pen, "\n");
	}
	for (size_t i = 0; i < comparison->n_head; i++) {
		dms_pen_put(&tap->pen, "# head ");
		dms_pen_text(&tap->pen, comparison->head[i]->path);
		dms_pen_put(&tap->pen, "\n");
	}
}

struct dms_error *dms_diff_print_tap(const struct dms_comparison *comparison, FILE *out,
				     unsigned int width, bool colour)
{
	struct tap tap = {.comparison = comparison, .pen = {.out = out}};

	(void)width;
	(void)colour;
	if (collect_all(&tap)) {
		put_head(&tap);
		for (size_t k = 0; k < tap.kinds.n_items; k++) {
			for (size_t r = 0; r < tap.rules.n_items; r++)
				put_rule(&tap, tap.rules.items[r], tap.kinds.items[k]);
		}
		for (size_t i = 0; i < comparison->n_metrics; i++)
			put_metric(&tap, &comparison->metrics[i]);
		put_verdict(&tap);
	} else {
		tap.pen.has_failed = true;
	}
	dms_free(tap.rules.items);
	dms_free(tap.kinds.items);
	return dms_pen_end(&tap.pen);
}

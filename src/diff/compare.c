// SPDX-License-Identifier: LGPL-2.1-only
/* Two sides compared: what is said of findings, metrics and coverage, and the verdict on it all. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"

const char *dms_state_name(enum dms_state state)
{
	static const char *const names[DMS_MAX_STATES] = {
		[DMS_STATE_NEW] = "new",
		[DMS_STATE_WORSE] = "worse",
		[DMS_STATE_UNCHANGED] = "unchanged",
		[DMS_STATE_BETTER] = "better",
		[DMS_STATE_FIXED] = "fixed",
		[DMS_STATE_NOT_JUDGED] = "not judged",
		[DMS_STATE_NOISY] = "too noisy",
	};

	return names[state];
}

/* ---- what the files that compare share ------------------------------------------------------- */

void *dms_compare_alloc(struct dms_comparing *comparing, size_t n, size_t element_bytes)
{
	void *memory = NULL;

	if (n < SIZE_MAX / element_bytes)
		memory = dms_arena_alloc(comparing->arena, (n ? n : 1) * element_bytes);
	if (!memory)
		comparing->is_out_of_memory = true;
	return memory;
}

const char *dms_compare_say(struct dms_comparing *comparing, const char *fmt, ...)
{
	_cleanup_(dms_freep) char *text = NULL;
	char *copy = NULL;
	va_list args;

	va_start(args, fmt);
	text = dms_vasprintf(fmt, args);
	va_end(args);
	if (text)
		copy = dms_arena_alloc(comparing->arena, strlen(text) + 1);
	if (copy)
		strcpy(copy, text);
	else
		comparing->is_out_of_memory = true;
	return copy;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double dms_compare_median(double *values, size_t n)
{
	if (!n)
		return NAN;
	qsort(values, n, sizeof(*values), compare_doubles);
	if (n % 2 || values[n / 2] == values[n / 2 - 1])
		return values[n / 2];
	return (values[n / 2 - 1] + values[n / 2]) / 2;
}

int dms_compare_strings(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

/* ---- suppressions ---------------------------------------------------------------------------- */

static bool is_expired(const struct dms_comparing *comparing,
		       const struct dms_suppression *suppression)
{
	return suppression->expires_day && suppression->expires_day < comparing->options->today;
}

static void list_suppressions(struct dms_comparing *comparing)
{
	struct dms_comparison *result = comparing->result;
	size_t n = comparing->n_suppressions;
	const struct dms_suppression **unused =
		dms_compare_alloc(comparing, n, sizeof(struct dms_suppression *));
	const struct dms_suppression **expired =
		dms_compare_alloc(comparing, n, sizeof(struct dms_suppression *));

	if (!unused || !expired)
		return;
	for (size_t i = 0; i < n; i++) {
		if (is_expired(comparing, &comparing->suppressions[i]))
			expired[result->n_expired++] = &comparing->suppressions[i];
		else if (!comparing->is_used[i])
			unused[result->n_unused++] = &comparing->suppressions[i];
	}
	result->unused = unused;
	result->expired = expired;
}

/* ---- the verdict ----------------------------------------------------------------------------- */

struct reasons {
	struct dms_comparing *comparing;
	const char **items;
	size_t n;
};

static void add_reason(struct reasons *reasons, const char *text)
{
	if (text)
		reasons->items[reasons->n++] = text;
}

/* "2 findings are new: double-unmap of e1000e and others" */
static void add_failures(struct reasons *reasons, const char *what, size_t n, const char *name,
			 const char *of)
{
	if (n)
		add_reason(reasons, dms_compare_say(reasons->comparing, "%zu %s: %s of %s%s", n,
						    what, name, of, n > 1 ? " and others" : ""));
}

static void count_new_and_worse(struct reasons *reasons, enum dms_state state, const char *one,
				const char *many)
{
	const struct dms_comparison *result = reasons->comparing->result;
	const struct dms_base_finding *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < result->n_findings; i++) {
		const struct dms_finding_change *change = &result->findings[i];

		if (!change->fails || change->state != state)
			continue;
		first = n++ ? first : change->head;
	}
	if (first)
		add_failures(reasons, n == 1 ? one : many, n, first->rule, first->device_kind);
}

static void count_worse_metrics(struct reasons *reasons)
{
	const struct dms_comparison *result = reasons->comparing->result;
	const struct dms_metric_change *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < result->n_metrics; i++) {
		if (result->metrics[i].fails)
			first = n++ ? first : &result->metrics[i];
	}
	if (first)
		add_failures(reasons, n == 1 ? "metric is worse" : "metrics are worse", n,
			     first->metric->name, first->subject);
}

static void count_failures(struct reasons *reasons)
{
	count_new_and_worse(reasons, DMS_STATE_NEW, "finding is new", "findings are new");
	count_new_and_worse(reasons, DMS_STATE_WORSE, "finding is worse", "findings are worse");
	count_worse_metrics(reasons);
}

/* Would fail if it were new: what has such a weight must not be lost from sight. */
static bool has_weight(const struct dms_compare_options *options,
		       const struct dms_base_finding *finding)
{
	return finding && finding->severity >= options->fail_severity &&
	       finding->confidence >= options->fail_confidence;
}

static void list_not_judged(struct reasons *reasons)
{
	const struct dms_comparison *result = reasons->comparing->result;

	for (size_t i = 0; i < result->n_findings; i++) {
		const struct dms_finding_change *change = &result->findings[i];
		const struct dms_base_finding *finding = change->base ? change->base : change->head;

		if (change->state != DMS_STATE_NOT_JUDGED || change->suppressed ||
		    !(has_weight(reasons->comparing->options, change->base) ||
		      has_weight(reasons->comparing->options, change->head)))
			continue;
		add_reason(reasons,
			   dms_compare_say(reasons->comparing, "%s of %s is not judged: %s",
					   finding->rule, finding->device_kind,
					   change->reason ? change->reason : ""));
	}
}

/* What makes a whole run doubtful, and what to do about it. */
static void list_losses(struct reasons *reasons, enum dms_side side)
{
	struct dms_comparing *comparing = reasons->comparing;

	for (size_t i = 0; i < comparing->n_runs[side]; i++) {
		const struct dms_baseline *run = comparing->runs[side][i];

		if (!run->events)
			add_reason(
				reasons,
				dms_compare_say(comparing,
						"%s has no DMA events: record the dma events while "
						"the work is done",
						run->path));
		if (!run->is_complete)
			add_reason(reasons,
				   dms_compare_say(comparing,
						   "%s is not complete: record or analyze it "
						   "again to its end",
						   run->path));
		if (run->lost_events)
			add_reason(reasons,
				   dms_compare_say(comparing,
						   "%s has lost %" PRIu64 " event%s: record with a "
						   "larger buffer",
						   run->path, run->lost_events,
						   run->lost_events == 1 ? "" : "s"));
		else if (run->gaps)
			add_reason(reasons, dms_compare_say(comparing,
							    "events may be missing in %s (%" PRIu64
							    " gap%s): "
							    "record again, as dmascope doctor advises",
							    run->path, run->gaps,
							    run->gaps == 1 ? "" : "s"));
		else if (run->filtered_devices)
			add_reason(reasons,
				   dms_compare_say(comparing,
						   "maps or unmaps of %" PRIu64 " device%s are missing "
						   "in %s: record all CPUs, tasks and events",
						   run->filtered_devices,
						   run->filtered_devices == 1 ? "" : "s",
						   run->path));
	}
}

/* What is mapped less often may be left out by chance: a disk that nobody asked. */
#define MANY_MAPS 100

static uint64_t least_maps(const struct dms_comparing *comparing, enum dms_side side,
			   const char *kind)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < comparing->n_runs[side]; i++) {
		uint64_t maps = dms_run_maps(comparing->runs[side][i], kind);

		/* that a run saw nothing at all is told already */
		if (comparing->runs[side][i]->events && maps < least)
			least = maps;
	}
	return least;
}

/* A driver that was at work in all of base and maps nothing in head was not looked at. */
static void list_absent(struct reasons *reasons)
{
	const struct dms_comparing *comparing = reasons->comparing;
	const struct dms_baseline *first =
		comparing->n_runs[DMS_BASE] ? comparing->runs[DMS_BASE][0] : NULL;

	for (size_t i = 0; first && i < first->n_kinds; i++) {
		const char *kind = first->kinds[i].name;
		uint64_t maps = least_maps(comparing, DMS_BASE, kind);

		if (maps >= MANY_MAPS && maps < UINT64_MAX &&
		    !least_maps(comparing, DMS_HEAD, kind))
			add_reason(
				reasons,
				dms_compare_say(
					reasons->comparing,
					"head has no maps of %s, base has %" PRIu64
					": was the same work done, and recorded in the same way?",
					kind, maps));
	}
}

/* No reason to fail, but a pass says nothing of these rules. */
static void list_blindness(struct reasons *reasons)
{
	struct dms_comparing *comparing = reasons->comparing;
	bool has_base = comparing->n_runs[DMS_BASE];
	const char *rules = dms_compare_blind_rules(comparing, false);

	if (rules)
		add_reason(reasons, dms_compare_say(comparing, "%s: %s",
						    has_base ? "judged in base and not in head"
							     : "not judged",
						    rules));
	if (has_base && (rules = dms_compare_blind_rules(comparing, true)))
		add_reason(reasons,
			   dms_compare_say(comparing, "judged on neither side: %s", rules));
}

static void judge_all(struct dms_comparing *comparing)
{
	struct dms_comparison *result = comparing->result;
	struct reasons reasons = {.comparing = comparing};
	size_t n_failures, n_lossy, n_kinds = result->n_base ? result->base[0]->n_kinds : 0;

	/*
	 * Failures in three ways, a finding or kind not judged each, three losses a run, no run,
	 * and two remarks on rules.
	 */
	reasons.items = dms_compare_alloc(
		comparing, 6 + result->n_findings + n_kinds + 3 * (result->n_base + result->n_head),
		sizeof(*reasons.items));
	if (!reasons.items)
		return;
	count_failures(&reasons);
	n_failures = reasons.n;
	if (!result->n_head)
		add_reason(&reasons, "there is no run to judge");
	list_not_judged(&reasons);
	list_losses(&reasons, DMS_HEAD);
	list_absent(&reasons);
	n_lossy = reasons.n - n_failures;
	list_losses(&reasons, DMS_BASE);
	list_blindness(&reasons);
	result->reasons = reasons.items;
	result->n_reasons = reasons.n;
	if (comparing->options->never_fails)
		result->verdict = DMS_VERDICT_PASS;
	else if (n_failures)
		result->verdict = DMS_VERDICT_FAIL;
	else if (n_lossy && !comparing->options->allow_lossy)
		result->verdict = DMS_VERDICT_LOSSY;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void compare_all(struct dms_comparing *comparing)
{
	const struct dms_config *config = comparing->options->config;

	if (config)
		comparing->suppressions =
			dms_config_suppressions(config, &comparing->n_suppressions);
	comparing->is_used = dms_compare_alloc(comparing, comparing->n_suppressions, sizeof(bool));
	if (!comparing->is_used)
		return;
	dms_compare_findings(comparing);
	dms_compare_metrics(comparing);
	dms_compare_coverage(comparing);
	list_suppressions(comparing);
	judge_all(comparing);
}

struct dms_error *dms_compare(const struct dms_baseline *const *base, size_t n_base,
			      const struct dms_baseline *const *head, size_t n_head,
			      const struct dms_compare_options *options,
			      struct dms_comparison **ret)
{
	struct dms_arena *arena = dms_arena_create();
	struct dms_comparing comparing = {
		.options = options,
		.arena = arena,
		.runs = {base, head},
		.n_runs = {n_base, n_head},
		.alpha = options->alpha > 0 ? options->alpha : 0.05,
	};
	struct dms_comparison *result;

	*ret = NULL;
	if (!arena)
		return &dms_error_nomem;
	result = dms_compare_alloc(&comparing, 1, sizeof(*result));
	if (result) {
		*result = (struct dms_comparison){.arena = arena,
						  .base = base,
						  .head = head,
						  .n_base = n_base,
						  .n_head = n_head,
						  .verdict = DMS_VERDICT_PASS};
		comparing.result = result;
		compare_all(&comparing);
	}
	if (comparing.is_out_of_memory) {
		dms_arena_destroy(arena);
		return &dms_error_nomem;
	}
	*ret = result;
	return NULL;
}

void dms_comparison_destroy(struct dms_comparison *comparison)
{
	if (comparison)
		dms_arena_destroy(comparison->arena); /* which holds it, too */
}

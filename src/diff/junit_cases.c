// SPDX-License-Identifier: LGPL-2.1-only
/* What became of each rule on each device kind, and of each metric: the cases of a JUnit file. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "junit.h"
#include "local.h"

/* No more findings than this are told in one case. */
#define MOST_TOLD   50
#define MOST_FRAMES 32

/* ---- text into the arena -----------------------------------------------------------------------
 */

/* Text in the making: what comes from a trace goes through the pen, which makes it one line. */
struct note {
	struct dms_pen pen;
	struct dms_text text;
};

static bool note_begin(struct note *note)
{
	*note = (struct note){0};
	note->pen.out = dms_text_open(&note->text);
	return note->pen.out != NULL;
}

static const char *keep(struct junit *junit, const char *text)
{
	size_t bytes = text ? strlen(text) + 1 : 0;
	char *kept = text ? dms_arena_alloc(junit->arena, bytes) : NULL;

	if (!kept)
		junit->has_failed = true;
	return kept ? memcpy(kept, text, bytes) : "";
}

/* The text, in the arena; NULL if there is none. */
static const char *note_end(struct junit *junit, struct note *note)
{
	const char *kept = NULL;

	junit->has_failed |= note->pen.has_failed;
	if (!dms_text_close(&note->text, note->pen.out))
		junit->has_failed = true;
	else if (note->text.n_bytes)
		kept = keep(junit, note->text.bytes);
	dms_free(note->text.bytes);
	return kept;
}

static const char *joined(struct junit *junit, const char *before, const char *name)
{
	struct note note;

	if (!note_begin(&note)) {
		junit->has_failed = true;
		return "";
	}
	dms_pen_put(&note.pen, "%s", before);
	dms_pen_text(&note.pen, name);
	return note_end(junit, &note);
}

static struct junit_case *add(struct junit *junit, const char *class, const char *name)
{
	if (!dms_grow(&junit->cases, &junit->capacity, junit->n_cases + 1, sizeof(*junit->cases))) {
		junit->has_failed = true;
		return NULL;
	}
	junit->cases[junit->n_cases] = (struct junit_case){.class = class, .name = name};
	return &junit->cases[junit->n_cases++];
}

/* ---- one finding, told -------------------------------------------------------------------------
 */

static void put_stack(struct dms_pen *pen, const char *title, const struct dms_function *frames,
		      size_t n_frames)
{
	if (!n_frames)
		return;
	dms_pen_put(pen, "  %s:\n", title);
	for (size_t i = 0; i < n_frames && i < MOST_FRAMES; i++) {
		dms_pen_put(pen, "    ");
		dms_pen_frame(pen, &frames[i]);
		dms_pen_put(pen, "\n");
	}
}

static void put_line(struct dms_pen *pen, const char *title, const char *value)
{
	if (!value)
		return;
	dms_pen_put(pen, "  %s: ", title);
	dms_pen_text(pen, value);
	dms_pen_put(pen, "\n");
}

static void put_change(struct dms_pen *pen, const struct dms_finding_change *change)
{
	const struct dms_base_finding *finding = dms_change_finding(change);
	_cleanup_(dms_freep) char *label = dms_change_label(change);

	if (!label) {
		pen->has_failed = true;
		return;
	}
	dms_pen_text(pen, label);
	dms_pen_put(pen, ": ");
	dms_pen_text(pen, finding->message ? finding->message : finding->title);
	dms_pen_put(pen, "\n");
	put_line(pen, "device", finding->device);
	put_line(pen, "why", change->reason);
	if (change->suppressed)
		put_line(pen, "suppressed because", change->suppressed->reason);
	dms_pen_put(pen, "  count: %" PRIu64 ", was %" PRIu64 "\n  confidence: %s\n",
		    change->count_head, change->count_base,
		    dms_confidence_name(finding->confidence));
	put_line(pen, "doubt", finding->reason);
	put_line(pen, "fingerprint", finding->fingerprint);
	put_stack(pen, "it was broken by", finding->frames, finding->n_frames);
	put_stack(pen, "it was mapped by", finding->map_frames, finding->n_map_frames);
}

/* ---- what becomes of a rule --------------------------------------------------------------------
 */

/* How much a change says about its case: the most telling one gives it its outcome. */
static enum junit_outcome outcome_of(const struct dms_finding_change *change)
{
	if (change->fails)
		return JUNIT_FAIL;
	return change->state == DMS_STATE_NOT_JUDGED || change->suppressed ? JUNIT_SKIP
									   : JUNIT_PASS;
}

static const char *message_of(struct junit *junit, const struct dms_finding_change *change)
{
	const struct dms_base_finding *finding = dms_change_finding(change);
	struct note note;

	if (!note_begin(&note)) {
		junit->has_failed = true;
		return "";
	}
	if (change->suppressed) {
		dms_pen_put(&note.pen, "suppressed by ");
		dms_pen_text(&note.pen, change->suppressed->name);
		dms_pen_put(&note.pen, ": ");
		dms_pen_text(&note.pen, change->suppressed->reason);
	} else if (change->state == DMS_STATE_NOT_JUDGED) {
		dms_pen_put(&note.pen, "not judged: ");
		dms_pen_text(&note.pen, change->reason ? change->reason : "no reason is given");
	} else {
		dms_pen_put(&note.pen, "%s %s: ", dms_state_name(change->state),
			    dms_severity_name(finding->severity));
		dms_pen_text(&note.pen, finding->message ? finding->message : finding->title);
	}
	return note_end(junit, &note);
}

/* A case of what was found: all findings of one rule on one kind. */
static void add_found(struct junit *junit, const char *class,
		      const struct dms_finding_change *const *changes, size_t n)
{
	const char *name = joined(junit, "", dms_change_finding(changes[0])->rule);
	struct junit_case *one = add(junit, class, name);
	const struct dms_finding_change *telling = changes[0];
	struct note note;

	if (!one || !note_begin(&note)) {
		junit->has_failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (outcome_of(changes[i]) > outcome_of(telling))
			telling = changes[i];
		if (i < MOST_TOLD)
			put_change(&note.pen, changes[i]);
	}
	if (n > MOST_TOLD)
		dms_pen_put(&note.pen, "and %zu more\n", n - MOST_TOLD);
	one->outcome = outcome_of(telling);
	one->message = message_of(junit, telling);
	one->text = note_end(junit, &note);
}

static const char *blindness(const struct dms_baseline *run, const char *kind, const char *rule)
{
	if (!run->is_complete)
		return "the run is not complete";
	if (dms_run_is_lossy(run))
		return "events were lost";
	for (size_t i = 0; i < run->n_rules_off; i++) {
		if (!strcmp(run->rules_off[i], rule))
			return "the rule was switched off";
	}
	for (size_t i = 0; i < run->n_blind_spots; i++) {
		const struct dms_blind_spot *spot = &run->blind_spots[i];

		if ((!spot->rule || !strcmp(spot->rule, rule)) &&
		    (!spot->device_kind || !strcmp(spot->device_kind, kind)))
			return spot->reason ? spot->reason : "no reason is given";
	}
	return dms_run_maps(run, kind) ? NULL : "the head has no maps of such a device";
}

/* A case of a rule nobody broke: good news only if some run of the head could have told. */
static void add_silent(struct junit *junit, const char *class, const char *kind, const char *rule)
{
	const struct dms_comparison *comparison = junit->comparison;
	struct junit_case *one = add(junit, class, rule);
	const char *reason = "there is no run";

	for (size_t i = 0; reason && i < comparison->n_head; i++)
		reason = blindness(comparison->head[i], kind, rule);
	if (one && reason) {
		one->outcome = JUNIT_SKIP;
		one->message = joined(junit, "not judged: ", reason);
	}
}

/* ---- all rules on all kinds --------------------------------------------------------------------
 */

static int compare_changes(const void *a, const void *b)
{
	const struct dms_finding_change *x = *(const struct dms_finding_change *const *)a;
	const struct dms_finding_change *y = *(const struct dms_finding_change *const *)b;
	const struct dms_base_finding *mine = dms_change_finding(x), *other = dms_change_finding(y);
	int order = strcmp(mine->device_kind, other->device_kind);

	if (!order)
		order = strcmp(mine->rule, other->rule);
	return order ? order : (x > y) - (x < y); /* both are of one list, which has an order */
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The device kinds that a run has seen or a finding names, sorted, each once. */
static size_t collect_kinds(const struct dms_comparison *comparison, const char **ret)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < comparison->n_base + comparison->n_head; i++) {
		const struct dms_baseline *run = i < comparison->n_base
							 ? comparison->base[i]
							 : comparison->head[i - comparison->n_base];

		for (size_t k = 0; k < run->n_kinds; k++)
			ret[n++] = run->kinds[k].name;
	}
	for (size_t i = 0; i < comparison->n_findings; i++)
		ret[n++] = dms_change_finding(&comparison->findings[i])->device_kind;
	qsort(ret, n, sizeof(*ret), compare_names);
	for (size_t i = 0; i < n; i++) {
		if (!kept || strcmp(ret[kept - 1], ret[i]))
			ret[kept++] = ret[i];
	}
	return kept;
}

static size_t most_kinds(const struct dms_comparison *comparison)
{
	size_t n = comparison->n_findings + 1;

	for (size_t i = 0; i < comparison->n_base; i++)
		n += comparison->base[i]->n_kinds;
	for (size_t i = 0; i < comparison->n_head; i++)
		n += comparison->head[i]->n_kinds;
	return n;
}

/* One kind: its @changes, sorted by rule, merged with the list of all rules. */
static void add_kind(struct junit *junit, const char *kind,
		     const struct dms_finding_change *const *changes, size_t n)
{
	const struct dms_rule *rules[DMS_MAX_RULES];
	size_t n_rules = dms_rules_all(rules), next = 0;
	const char *class = joined(junit, "dmascope.", kind);

	for (size_t i = 0; i < n || next < n_rules;) {
		const char *found = i < n ? dms_change_finding(changes[i])->rule : NULL;
		int order = !found ? 1 : next == n_rules ? -1 : strcmp(found, rules[next]->id);
		size_t same = 1;

		if (order > 0) {
			add_silent(junit, class, kind, rules[next++]->id);
			continue;
		}
		while (i + same < n && !strcmp(dms_change_finding(changes[i + same])->rule, found))
			same++;
		add_found(junit, class, changes + i, same);
		i += same;
		next += !order;
	}
}

static void add_kinds(struct junit *junit)
{
	const struct dms_comparison *comparison = junit->comparison;
	size_t n = comparison->n_findings, first = 0;
	_cleanup_(dms_freep) const char **kinds =
		dms_alloc(most_kinds(comparison) * sizeof(*kinds));
	_cleanup_(dms_freep) const struct dms_finding_change **changes =
		dms_alloc((n + 1) * sizeof(*changes));

	if (!kinds || !changes) {
		junit->has_failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		changes[i] = &comparison->findings[i];
	qsort(changes, n, sizeof(*changes), compare_changes);
	for (size_t i = 0, n_kinds = collect_kinds(comparison, kinds); i < n_kinds; i++) {
		size_t last = first;

		while (last < n &&
		       !strcmp(dms_change_finding(changes[last])->device_kind, kinds[i]))
			last++;
		add_kind(junit, kinds[i], changes + first, last - first);
		first = last;
	}
}

/* ---- metrics -----------------------------------------------------------------------------------
 */

static const char *tell_metric(struct junit *junit, const struct dms_metric_change *change)
{
	char base[48], head[48], much[48], limit[96], p[16], holm[16];
	struct note note;

	if (!note_begin(&note)) {
		junit->has_failed = true;
		return "";
	}
	dms_pen_put(&note.pen, "%s: %s, was %s (%s)\n", dms_state_name(change->state),
		    dms_format_value(change->head, change->metric, head, sizeof(head)),
		    dms_format_value(change->base, change->metric, base, sizeof(base)),
		    dms_format_change(change->change, much, sizeof(much)));
	dms_pen_put(&note.pen, "  limit: %s\n", dms_format_threshold(change, limit, sizeof(limit)));
	dms_pen_put(&note.pen, "  values: %" PRIu64 ", were %" PRIu64 "\n", change->samples_head,
		    change->samples_base);
	if (!isnan(change->p))
		dms_pen_put(&note.pen,
			    "  runs: %u against %u; p = %s, corrected %s; Cliff's delta %.2f\n",
			    change->n_head, change->n_base, dms_format_p(change->p, p, sizeof(p)),
			    dms_format_p(change->p_holm, holm, sizeof(holm)), change->effect);
	put_line(&note.pen, "why", change->reason);
	return note_end(junit, &note);
}

static const char *metric_message(struct junit *junit, const struct dms_metric_change *change)
{
	char base[48], head[48], much[48];
	struct note note;

	if (!note_begin(&note)) {
		junit->has_failed = true;
		return "";
	}
	if (change->state == DMS_STATE_NOISY || change->state == DMS_STATE_NOT_JUDGED) {
		dms_pen_put(&note.pen, "%s: ", dms_state_name(change->state));
		dms_pen_text(&note.pen, change->reason ? change->reason : "no reason is given");
	} else {
		dms_pen_text(&note.pen, change->metric->title);
		dms_pen_put(&note.pen, ": %s, was %s (%s)",
			    dms_format_value(change->head, change->metric, head, sizeof(head)),
			    dms_format_value(change->base, change->metric, base, sizeof(base)),
			    dms_format_change(change->change, much, sizeof(much)));
	}
	return note_end(junit, &note);
}

static const char *metric_class(struct junit *junit, const struct dms_metric_change *change)
{
	char before[48];

	snprintf(before, sizeof(before), "dmascope-metrics.%s.", dms_scope_name(change->scope));
	return joined(junit, before, change->subject);
}

static int compare_metrics(const void *a, const void *b)
{
	const struct dms_metric_change *x = *(const struct dms_metric_change *const *)a;
	const struct dms_metric_change *y = *(const struct dms_metric_change *const *)b;
	int order = (x->scope > y->scope) - (x->scope < y->scope);

	if (!order)
		order = strcmp(x->subject, y->subject);
	if (!order)
		order = strcmp(x->metric->name, y->metric->name);
	return order ? order : (x > y) - (x < y);
}

static void add_metric(struct junit *junit, const struct dms_metric_change *change)
{
	bool is_open = change->state == DMS_STATE_NOISY || change->state == DMS_STATE_NOT_JUDGED;
	struct junit_case *one =
		add(junit, metric_class(junit, change), keep(junit, change->metric->name));

	if (!one)
		return;
	one->outcome = change->fails ? JUNIT_FAIL : is_open ? JUNIT_SKIP : JUNIT_PASS;
	one->message = metric_message(junit, change);
	one->text = tell_metric(junit, change);
}

static void add_metrics(struct junit *junit)
{
	size_t n = junit->comparison->n_metrics;
	_cleanup_(dms_freep) const struct dms_metric_change **changes =
		dms_alloc((n + 1) * sizeof(*changes));

	if (!changes) {
		junit->has_failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		changes[i] = &junit->comparison->metrics[i];
	qsort(changes, n, sizeof(*changes), compare_metrics);
	for (size_t i = 0; i < n; i++)
		add_metric(junit, changes[i]);
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

/*
 * The verdict as a case of its own. It fails only if no other case does, so that one new finding
 * is one failure; a run that could not be judged is an error, since all others may have been
 * skipped.
 */
static void add_verdict(struct junit *junit, size_t place)
{
	const struct dms_comparison *comparison = junit->comparison;
	bool has_failure = false;
	struct note note;

	for (size_t i = place + 1; i < junit->n_cases; i++)
		has_failure |= junit->cases[i].outcome == JUNIT_FAIL;
	if (!note_begin(&note)) {
		junit->has_failed = true;
		return;
	}
	dms_pen_put(&note.pen, "%s\n", dms_verdict_name(comparison->verdict));
	for (size_t i = 0; i < comparison->n_reasons; i++) {
		dms_pen_text(&note.pen, comparison->reasons[i]);
		dms_pen_put(&note.pen, "\n");
	}
	junit->cases[place].text = note_end(junit, &note);
	junit->cases[place].message =
		comparison->n_reasons ? joined(junit, "", comparison->reasons[0]) : "";
	if (comparison->verdict == DMS_VERDICT_LOSSY)
		junit->cases[place].outcome = JUNIT_ERROR;
	else if (comparison->verdict == DMS_VERDICT_FAIL && !has_failure)
		junit->cases[place].outcome = JUNIT_FAIL;
}

bool junit_gather(struct junit *junit)
{
	if (!add(junit, "dmascope", "verdict"))
		return false;
	add_kinds(junit);
	add_metrics(junit);
	add_verdict(junit, 0);
	return !junit->has_failed;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Verdict, runs, findings, metrics and what could not be judged, as data of the HTML page. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "out_html.h"

#define TEXT_BYTES 600

json_t *diff_html_text(const char *text)
{
	_cleanup_(dms_freep) char *clean = NULL;
	size_t len;

	if (!text)
		return json_null();
	clean = dms_escape(text, strlen(text), DMS_ESCAPE_TEXT);
	len = clean ? strlen(clean) : 0;
	if (!clean)
		return NULL;
	if (len <= TEXT_BYTES)
		return json_string(clean);
	for (len = TEXT_BYTES; len && ((unsigned char)clean[len] & 0xc0) == 0x80;)
		len--;
	return json_sprintf("%.*s...", (int)len, clean);
}

/* JSON has neither infinity nor a number that is none; whatever grew from 0 grew most. */
static json_t *real(double value)
{
	if (isnan(value))
		return json_null();
	return json_real(isinf(value) ? copysign(1e300, value) : value);
}

static json_t *count(uint64_t value)
{
	return value <= INT64_MAX ? json_integer((json_int_t)value) : json_real((double)value);
}

/* A list as {"items": [...], "total": n}. @item: NULL for what is left out, memory or not. */
struct list {
	json_t *items;
	size_t most;
	bool has_failed;
};

static struct list list_begin(size_t most)
{
	return (struct list){.items = json_array(), .most = most};
}

static bool list_has_room(const struct list *list)
{
	return json_array_size(list->items) < list->most;
}

static void list_add(struct list *list, json_t *item)
{
	list->has_failed |= json_array_append_new(list->items, item) != 0;
}

static bool list_end(struct list *list, json_t *object, const char *name, size_t total)
{
	json_t *json = json_pack("{s:o, s:o}", "items", list->items, "total", count(total));

	return !json_object_set_new(object, name, json) && !list->has_failed;
}

/* ---- runs --------------------------------------------------------------------------------------
 */

static json_t *run_json(const struct dms_baseline *run)
{
	return json_pack("{s:o, s:o, s:o, s:b, s:b, s:b, s:o, s:o, s:o, s:o}", "path",
			 diff_html_text(run->path), "kernel", diff_html_text(run->kernel),
			 "version", diff_html_text(run->version), "complete", (int)run->is_complete,
			 "stacks", (int)run->has_stacks, "database", (int)(run->db != NULL),
			 "events", count(run->events), "gaps", count(run->gaps), "lost",
			 count(run->lost_events), "seconds", real(run->seconds));
}

static bool add_runs(struct diff_html *page, const char *name,
		     const struct dms_baseline *const *runs, size_t n)
{
	struct list list = list_begin(page->limits.notes);

	for (size_t i = 0; i < n && list_has_room(&list); i++)
		list_add(&list, run_json(runs[i]));
	return list_end(&list, page->root, name, n);
}

static bool add_verdict(struct diff_html *page)
{
	static const char *const grades[] = {
		[DMS_VERDICT_PASS] = "clean",
		[DMS_VERDICT_FAIL] = "error",
		[DMS_VERDICT_LOSSY] = "warning",
	};
	const struct dms_comparison *comparison = page->comparison;
	_cleanup_(dms_freep) char *headline = dms_diff_headline(comparison);
	struct list list = list_begin(page->limits.notes);
	json_t *verdict;

	if (!headline)
		return false;
	verdict =
		json_pack("{s:s, s:s, s:o}", "name", dms_verdict_name(comparison->verdict), "grade",
			  grades[comparison->verdict], "headline", diff_html_text(headline));
	for (size_t i = 0; i < comparison->n_reasons && list_has_room(&list); i++)
		list_add(&list, diff_html_text(comparison->reasons[i]));
	return list_end(&list, page->root, "reasons", comparison->n_reasons) &&
	       !json_object_set_new(page->root, "verdict", verdict);
}

/* ---- findings ----------------------------------------------------------------------------------
 */

static json_t *frames_json(const struct diff_html *page, const struct dms_function *frames,
			   size_t n_frames)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n_frames && i < page->limits.frames; i++) {
		const struct dms_function *frame = &frames[i];
		json_t *pair = json_pack("[o, o]", diff_html_text(frame->name),
					 diff_html_text(frame->module));

		if (json_array_append_new(list, pair)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *finding_json(const struct diff_html *page, const struct dms_finding_change *change)
{
	const struct dms_base_finding *finding = dms_change_finding(change);
	const struct dms_suppression *suppressed = change->suppressed;
	const struct dms_rule *rule = dms_rule_find(finding->rule);
	char site[512];
	json_t *json = json_pack(
		"{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "state",
		dms_state_name(change->state), "severity", dms_severity_name(finding->severity),
		"rule", diff_html_text(finding->rule), "kind", diff_html_text(finding->device_kind),
		"site", diff_html_text(dms_change_site(finding, site, sizeof(site))), "base",
		change->base ? count(change->count_base) : json_null(), "head",
		change->head ? count(change->count_head) : json_null(), "runsBase",
		count(change->runs_base), "runsHead", count(change->runs_head), "why",
		diff_html_text(change->reason), "fails", (int)change->fails);
	json_t *more = json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "device",
		diff_html_text(finding->device), "message",
		diff_html_text(finding->message ? finding->message : finding->title), "title",
		diff_html_text(finding->title), "fingerprint", diff_html_text(finding->fingerprint),
		"direction", diff_html_text(finding->direction), "suppressed",
		diff_html_text(suppressed ? suppressed->name : NULL), "because",
		diff_html_text(suppressed ? suppressed->reason : NULL), "cause",
		diff_html_text(rule ? rule->cause : NULL), "cure",
		diff_html_text(rule ? rule->cure : NULL), "confidence",
		dms_confidence_name(finding->confidence), "doubt", diff_html_text(finding->reason),
		"frames", frames_json(page, finding->frames, finding->n_frames), "mapFrames",
		frames_json(page, finding->map_frames, finding->n_map_frames));

	if (!json || !more || json_object_update(json, more)) {
		json_decref(json);
		json = NULL;
	}
	json_decref(more);
	return json;
}

static bool add_findings(struct diff_html *page)
{
	const struct dms_comparison *comparison = page->comparison;
	struct list list = list_begin(page->limits.findings);

	for (size_t i = 0; i < comparison->n_findings && list_has_room(&list); i++)
		list_add(&list, finding_json(page, &comparison->findings[i]));
	return list_end(&list, page->root, "findings", comparison->n_findings);
}

/* ---- metrics -----------------------------------------------------------------------------------
 */

static json_t *metric_json(const struct dms_metric_change *change)
{
	char base[48], head[48], much[48], limit[96], p[16], holm[16];
	json_t *json = json_pack(
		"{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:o, s:s, s:s, s:b}", "state",
		dms_state_name(change->state), "metric", change->metric->name, "title",
		change->metric->title, "scope", dms_scope_name(change->scope), "subject",
		diff_html_text(change->subject), "base", real(change->base), "head",
		real(change->head), "baseText",
		dms_format_value(change->base, change->metric, base, sizeof(base)), "headText",
		dms_format_value(change->head, change->metric, head, sizeof(head)), "change",
		real(change->change), "changeText",
		dms_format_change(change->change, much, sizeof(much)), "limit",
		dms_format_threshold(change, limit, sizeof(limit)), "fails", (int)change->fails);
	json_t *more = json_pack(
		"{s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:o}", "nBase", count(change->n_base), "nHead",
		count(change->n_head), "samplesBase", count(change->samples_base), "samplesHead",
		count(change->samples_head), "p", dms_format_p(change->p, p, sizeof(p)), "holm",
		dms_format_p(change->p_holm, holm, sizeof(holm)), "effect", real(change->effect),
		"why", diff_html_text(change->reason));

	if (!json || !more || json_object_update(json, more)) {
		json_decref(json);
		json = NULL;
	}
	json_decref(more);
	return json;
}

static bool add_metrics(struct diff_html *page)
{
	const struct dms_comparison *comparison = page->comparison;
	struct list list = list_begin(page->limits.metrics);

	for (size_t i = 0; i < comparison->n_metrics && list_has_room(&list); i++)
		list_add(&list, metric_json(&comparison->metrics[i]));
	return list_end(&list, page->root, "metrics", comparison->n_metrics);
}

/* ---- what could not be judged, suppressions ----------------------------------------------------
 */

static json_t *spot_json(const char *side, const struct dms_blind_spot *spot)
{
	return json_pack("{s:s, s:o, s:o, s:o}", "side", side, "rule", diff_html_text(spot->rule),
			 "kind", diff_html_text(spot->device_kind), "reason",
			 diff_html_text(spot->reason));
}

static void add_spots(struct list *list, const struct dms_coverage_change *changes, size_t n)
{
	for (size_t i = 0; i < n && list_has_room(list); i++) {
		const struct dms_blind_spot spot = {changes[i].rule, changes[i].device_kind,
						    changes[i].reason};
		const char *side = changes[i].in_head ? "head" : "base";

		list_add(list, spot_json(changes[i].in_base && changes[i].in_head ? "both" : side,
					 &spot));
	}
}

/* What only one side could not judge first. */
static bool add_coverage(struct diff_html *page)
{
	const struct dms_comparison *comparison = page->comparison;
	struct list list = list_begin(page->limits.notes);

	add_spots(&list, comparison->coverage, comparison->n_coverage);
	add_spots(&list, comparison->unjudged, comparison->n_unjudged);
	return list_end(&list, page->root, "coverage",
			comparison->n_coverage + comparison->n_unjudged);
}

static void add_suppressions(struct list *list, const char *what,
			     const struct dms_suppression *const *suppressions, size_t n)
{
	for (size_t i = 0; i < n && list_has_room(list); i++) {
		_cleanup_(dms_freep) char *place =
			dms_asprintf("%s:%u", suppressions[i]->file ? suppressions[i]->file : "-",
				     suppressions[i]->line);

		list->has_failed |= !place;
		list_add(list, json_pack("{s:s, s:o, s:o, s:o}", "what", what, "name",
					 diff_html_text(suppressions[i]->name), "reason",
					 diff_html_text(suppressions[i]->reason), "place",
					 diff_html_text(place)));
	}
}

static bool add_idle(struct diff_html *page)
{
	const struct dms_comparison *comparison = page->comparison;
	struct list list = list_begin(page->limits.notes);

	add_suppressions(&list, "expired", comparison->expired, comparison->n_expired);
	add_suppressions(&list, "unused", comparison->unused, comparison->n_unused);
	return list_end(&list, page->root, "idle", comparison->n_expired + comparison->n_unused);
}

struct dms_error *diff_html_add_lists(struct diff_html *page)
{
	const struct dms_comparison *comparison = page->comparison;
	bool is_fine = add_verdict(page) &&
		       add_runs(page, "baseRuns", comparison->base, comparison->n_base) &&
		       add_runs(page, "headRuns", comparison->head, comparison->n_head) &&
		       add_findings(page) && add_metrics(page) && add_coverage(page) &&
		       add_idle(page);

	return is_fine ? NULL : &dms_error_nomem;
}

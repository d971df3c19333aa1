// SPDX-License-Identifier: LGPL-2.1-only
/* A comparison as JSON, all of it, an item a line; described by schemas/diff.schema.json. */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "../report/local.h"
#include "local.h"

#define FORMAT_VERSION 1
/* 15 digits are what a double always keeps: 0.1 stays 0.1 */
#define FLAGS (JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))

/* NULL, that is memory, becomes no object: each of these takes what it is given. */
static bool add(json_t *object, const char *key, json_t *value)
{
	return !json_object_set_new(object, key, value);
}

static json_t *text(const char *words)
{
	return words ? dms_json_text(words, strlen(words)) : json_null();
}

static bool add_text(json_t *object, const char *key, const char *words)
{
	return add(object, key, text(words));
}

static bool add_u64(json_t *object, const char *key, uint64_t value)
{
	return add(object, key, dms_json_u64(value));
}

/* JSON has no infinity and no "no number": null, and not_finite says which. */
static bool add_real(json_t *object, const char *key, double value)
{
	const char *word = isnan(value) ? "nan" : value > 0 ? "infinity" : "-infinity";
	json_t *not_finite;

	if (isfinite(value))
		return add(object, key, json_real(value));
	not_finite = json_object_get(object, "not_finite");
	if (!not_finite) {
		if (!add(object, "not_finite", json_object()))
			return false;
		not_finite = json_object_get(object, "not_finite");
	}
	return add(not_finite, key, json_string(word)) && add(object, key, json_null());
}

/* @object, or NULL if something could not be added to it. */
static json_t *made(json_t *object, bool is_whole)
{
	if (is_whole)
		return object;
	json_decref(object);
	return NULL;
}

/* ---- items -------------------------------------------------------------------------------------
 */

static json_t *frames_json(const struct dms_function *frames, size_t n)
{
	json_t *list = json_array();
	bool is_whole = list != NULL;

	for (size_t i = 0; i < n && is_whole; i++) {
		json_t *frame = json_object();

		is_whole = add_text(frame, "function", frames[i].name) &&
			   add_text(frame, "module", frames[i].module);
		is_whole = !json_array_append_new(list, frame) && is_whole;
	}
	return made(list, is_whole);
}

static json_t *strings_json(const char *const *strings, size_t n)
{
	json_t *list = json_array();
	bool is_whole = list != NULL;

	for (size_t i = 0; i < n && is_whole; i++)
		is_whole = !json_array_append_new(list, text(strings[i]));
	return made(list, is_whole);
}

static json_t *kinds_json(const struct dms_baseline *run)
{
	json_t *list = json_array();
	bool is_whole = list != NULL;

	for (size_t i = 0; i < run->n_kinds && is_whole; i++) {
		json_t *kind = json_object();

		is_whole = add_text(kind, "name", run->kinds[i].name) &&
			   add_u64(kind, "devices", run->kinds[i].devices) &&
			   add_u64(kind, "maps", run->kinds[i].maps);
		is_whole = !json_array_append_new(list, kind) && is_whole;
	}
	return made(list, is_whole);
}

static json_t *blind_spots_json(const struct dms_baseline *run)
{
	json_t *list = json_array();
	bool is_whole = list != NULL;

	for (size_t i = 0; i < run->n_blind_spots && is_whole; i++) {
		json_t *spot = json_object();

		is_whole = add_text(spot, "rule", run->blind_spots[i].rule) &&
			   add_text(spot, "device_kind", run->blind_spots[i].device_kind) &&
			   add_text(spot, "reason", run->blind_spots[i].reason);
		is_whole = !json_array_append_new(list, spot) && is_whole;
	}
	return made(list, is_whole);
}

static json_t *run_json(const void *items, size_t i)
{
	const struct dms_baseline *run = ((const struct dms_baseline *const *)items)[i];
	json_t *json = json_object();

	return made(
		json,
		add_text(json, "path", run->path) && add_text(json, "kernel", run->kernel) &&
			add_text(json, "version", run->version) &&
			add(json, "is_complete", json_boolean(run->is_complete)) &&
			add(json, "has_stacks", json_boolean(run->has_stacks)) &&
			add_u64(json, "events", run->events) && add_u64(json, "gaps", run->gaps) &&
			add_u64(json, "lost_events", run->lost_events) &&
			add_real(json, "seconds", run->seconds) &&
			add(json, "rules_off", strings_json(run->rules_off, run->n_rules_off)) &&
			add(json, "device_kinds", kinds_json(run)) &&
			add(json, "not_judged", blind_spots_json(run)));
}

/* A day as "YYYY-MM-DD", by the calendar's own period of 400 years; null: never. */
static json_t *day_json(int32_t day)
{
	int64_t shifted = (int64_t)day + 719468, era, of_era, year, of_year, month;

	if (!day)
		return json_null();
	era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	of_era = shifted - era * 146097;
	year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (365 * year + year / 4 - year / 100);
	month = (5 * of_year + 2) / 153; /* 0 is March */
	return json_sprintf("%04d-%02d-%02d", (int)(year + era * 400 + (month >= 10)),
			    (int)(month < 10 ? month + 3 : month - 9),
			    (int)(of_year - (153 * month + 2) / 5 + 1));
}

static json_t *one_suppression(const struct dms_suppression *suppression)
{
	json_t *json = json_object();

	return made(json, add_text(json, "name", suppression->name) &&
				  add_text(json, "reason", suppression->reason) &&
				  add(json, "expires", day_json(suppression->expires_day)) &&
				  add_text(json, "rule", suppression->rule) &&
				  add_text(json, "driver", suppression->driver) &&
				  add_text(json, "device", suppression->device) &&
				  add(json, "frames",
				      strings_json(suppression->frames, suppression->n_frames)) &&
				  add_text(json, "file", suppression->file) &&
				  add_u64(json, "line", suppression->line));
}

static json_t *suppression_json(const void *items, size_t i)
{
	return one_suppression(((const struct dms_suppression *const *)items)[i]);
}

static json_t *finding_json(const void *items, size_t i)
{
	const struct dms_finding_change *change = (const struct dms_finding_change *)items + i;
	const struct dms_base_finding *finding = dms_change_finding(change);
	const char *before = change->base ? dms_severity_name(change->base->severity) : NULL;
	json_t *json = json_object();
	bool is_whole = add_text(json, "state", dms_state_name(change->state)) &&
			add(json, "fails", json_boolean(change->fails)) &&
			add_text(json, "fingerprint", finding->fingerprint) &&
			add_text(json, "rule", finding->rule) &&
			add_text(json, "title", finding->title) &&
			add_text(json, "severity", dms_severity_name(finding->severity)) &&
			add_text(json, "severity_base", before) &&
			add_text(json, "confidence", dms_confidence_name(finding->confidence)) &&
			add_text(json, "doubt", finding->reason) &&
			add_text(json, "reason", change->reason);

	is_whole = is_whole && add_text(json, "device_kind", finding->device_kind) &&
		   add_text(json, "device", finding->device) &&
		   add_text(json, "direction", finding->direction) &&
		   add_text(json, "message", finding->message) &&
		   add_u64(json, "count_base", change->count_base) &&
		   add_u64(json, "count_head", change->count_head) &&
		   add_u64(json, "runs_base", change->runs_base) &&
		   add_u64(json, "runs_head", change->runs_head) &&
		   add(json, "call", frames_json(finding->frames, finding->n_frames)) &&
		   add(json, "map", frames_json(finding->map_frames, finding->n_map_frames)) &&
		   add(json, "suppressed",
		       change->suppressed ? one_suppression(change->suppressed) : json_null());
	return made(json, is_whole);
}

static json_t *threshold_json(const struct dms_threshold *threshold)
{
	json_t *json = json_object();

	return made(json, add_real(json, "relative", threshold->relative) &&
				  add_real(json, "absolute", threshold->absolute) &&
				  add_u64(json, "min_samples", threshold->min_samples));
}

static json_t *metric_json(const void *items, size_t i)
{
	static const char *const polarities[] = {
		[DMS_NEITHER] = "neither",
		[DMS_LESS_IS_BETTER] = "less is better",
		[DMS_MORE_IS_BETTER] = "more is better",
	};
	const struct dms_metric_change *change = (const struct dms_metric_change *)items + i;
	json_t *json = json_object();
	bool is_whole = add_text(json, "state", dms_state_name(change->state)) &&
			add(json, "fails", json_boolean(change->fails)) &&
			add_text(json, "metric", change->metric->name) &&
			add_text(json, "title", change->metric->title) &&
			add_text(json, "unit", change->metric->unit) &&
			add_text(json, "polarity", polarities[change->polarity]) &&
			add_text(json, "scope", dms_scope_name(change->scope)) &&
			add_text(json, "subject", change->subject) &&
			add_real(json, "base", change->base) &&
			add_real(json, "head", change->head);

	is_whole = is_whole && add_real(json, "change", change->change) &&
		   add_u64(json, "n_base", change->n_base) &&
		   add_u64(json, "n_head", change->n_head) &&
		   add_u64(json, "samples_base", change->samples_base) &&
		   add_u64(json, "samples_head", change->samples_head) &&
		   add_real(json, "p", change->p) && add_real(json, "p_holm", change->p_holm) &&
		   add_real(json, "effect", change->effect) &&
		   add(json, "threshold", threshold_json(&change->threshold)) &&
		   add_text(json, "reason", change->reason);
	return made(json, is_whole);
}

static json_t *coverage_json(const void *items, size_t i)
{
	const struct dms_coverage_change *change = (const struct dms_coverage_change *)items + i;
	json_t *json = json_object();

	return made(json, add_text(json, "rule", change->rule) &&
				  add_text(json, "device_kind", change->device_kind) &&
				  add_text(json, "reason", change->reason) &&
				  add_text(json, "not_judged_in",
					   change->in_base && change->in_head ? "both"
					   : change->in_base		      ? "base"
									      : "head"));
}

static json_t *reason_json(const void *items, size_t i)
{
	return text(((const char *const *)items)[i]);
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

/* A member that is a list, an item a line. */
struct list {
	const char *key;
	json_t *(*item)(const void *items, size_t i);
	const void *items;
	size_t n;
};

static struct dms_error *put_json(json_t *json, FILE *out)
{
	int failed;

	if (!json)
		return &dms_error_nomem;
	failed = json_dumpf(json, out, FLAGS);
	json_decref(json);
	return failed && !ferror(out) ? &dms_error_nomem : NULL;
}

static struct dms_error *put_list(const struct list *list, FILE *out)
{
	struct dms_error *err = NULL;

	fprintf(out, ",\n\"%s\": [", list->key);
	for (size_t i = 0; i < list->n && !err; i++) {
		fputs(i ? ",\n" : "\n", out);
		err = put_json(list->item(list->items, i), out);
	}
	fputc(']', out);
	return err;
}

static struct dms_error *put_head(const struct dms_comparison *comparison, FILE *out)
{
	static const char *const verdicts[] = {
		[DMS_VERDICT_PASS] = "pass",
		[DMS_VERDICT_FAIL] = "fail",
		[DMS_VERDICT_LOSSY] = "too lossy to judge",
	};
	_cleanup_(dms_freep) char *headline = dms_diff_headline(comparison);
	struct dms_error *err;

	if (!headline)
		return &dms_error_nomem;
	fprintf(out,
		"{\"format\": \"dmascope-diff\", \"format_version\": %d,\n\"verdict\": \"%s\",\n",
		FORMAT_VERSION, verdicts[comparison->verdict]);
	fputs("\"headline\": ", out);
	err = put_json(text(headline), out);
	return err;
}

struct dms_error *dms_diff_print_json(const struct dms_comparison *comparison, FILE *out,
				      unsigned int width, bool colour)
{
	const struct list lists[] = {
		{"reasons", reason_json, comparison->reasons, comparison->n_reasons},
		{"base", run_json, comparison->base, comparison->n_base},
		{"head", run_json, comparison->head, comparison->n_head},
		{"findings", finding_json, comparison->findings, comparison->n_findings},
		{"metrics", metric_json, comparison->metrics, comparison->n_metrics},
		{"coverage", coverage_json, comparison->coverage, comparison->n_coverage},
		{"not_judged", coverage_json, comparison->unjudged, comparison->n_unjudged},
		{"unused_suppressions", suppression_json, comparison->unused, comparison->n_unused},
		{"expired_suppressions", suppression_json, comparison->expired,
		 comparison->n_expired},
	};
	struct dms_error *err = put_head(comparison, out);

	(void)width;
	(void)colour;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(lists) && !err; i++)
		err = put_list(&lists[i], out);
	fputs("}\n", out);
	return err ? err : dms_check_written(out);
}

// SPDX-License-Identifier: LGPL-2.1-only
/* A comparison as SARIF 2.1.0, for code scanning: rules, results, and what could not be judged. */
#include <inttypes.h>
#include <string.h>

#include "sarif.h"

/*
 * GitHub takes 25,000 results and 10 MB of gzip, and shows 5,000. No compressor makes a text much
 * longer than it was, so what is below this is below that, whatever names a trace brings.
 * Source: GitHub's documentation, "SARIF support for code scanning".
 */
#define MOST_RESULTS 25000
#define MOST_BYTES   (9u << 20)
#define MOST_NOTES   500 /* notifications */
#define FLAGS	     (JSON_COMPACT | JSON_ENSURE_ASCII)

static const char schema[] = "https://json.schemastore.org/sarif-2.1.0.json";

/* ---- rules -------------------------------------------------------------------------------------
 */

/* Metrics that got worse are results of this rule, which is none of the DMA API. */
static const struct dms_rule metric_rule = {
	.id = SARIF_METRIC_RULE,
	.severity = DMS_SEVERITY_WARNING,
	.title = "a figure got worse by more than its threshold",
	.cause = "The head differs from the base by more than the absolute and the relative "
		 "threshold of the metric.",
	.cure = "Compare both runs on the page of dmascope diff --format html, or change the "
		"threshold of the metric in the configuration.",
};

static json_t *rule_json(const struct dms_rule *rule)
{
	json_t *help =
		json_sprintf("%s%s%s", rule->cure ? rule->cure : "",
			     rule->limits ? "\n\nLimits: " : "", rule->limits ? rule->limits : "");

	return json_pack("{s:s, s:{s:s}, s:{s:s}, s:{s:o}, s:{s:s}}", "id", rule->id,
			 "shortDescription", "text", rule->title, "fullDescription", "text",
			 rule->cause ? rule->cause : rule->title, "help", "text", help,
			 "defaultConfiguration", "level", sarif_level(rule->severity));
}

/* A rule that only the file of another version knows. */
static json_t *foreign_rule_json(const struct dms_base_finding *finding)
{
	return json_pack("{s:o, s:{s:o}}", "id", sarif_text(finding->rule), "shortDescription",
			 "text", sarif_text(finding->title ? finding->title : finding->rule));
}

static bool add_rules(struct sarif *sarif)
{
	const struct dms_rule *rules[DMS_MAX_RULES + 1];
	size_t n = dms_rules_all(rules);
	const struct dms_comparison *comparison = sarif->comparison;

	rules[n++] = &metric_rule;
	for (size_t i = 0; i < n; i++) {
		if (json_array_append_new(sarif->rules, rule_json(rules[i])) ||
		    json_object_set_new(sarif->indices, rules[i]->id, json_integer((int)i)))
			return false;
	}
	for (size_t i = 0; i < comparison->n_findings; i++) {
		const struct dms_base_finding *finding =
			dms_change_finding(&comparison->findings[i]);
		json_t *key = sarif_text(finding->rule);
		bool is_known = key && json_object_get(sarif->indices, json_string_value(key));
		bool has_failed =
			!key || (!is_known &&
				 (json_object_set_new(sarif->indices, json_string_value(key),
						      json_integer((int)n++)) ||
				  json_array_append_new(sarif->rules, foreign_rule_json(finding))));

		json_decref(key);
		if (has_failed)
			return false;
	}
	return true;
}

/* ---- what is told about the run as a whole -----------------------------------------------------
 */

static bool add_note(struct sarif *sarif, const char *level, const char *rule, json_t *text)
{
	json_t *note;
	json_t *index = rule ? json_object_get(sarif->indices, rule) : NULL;

	if (json_array_size(sarif->notes) >= MOST_NOTES) {
		json_decref(text);
		sarif->n_notes_lost++;
		return true;
	}
	note = json_pack("{s:s, s:{s:o}}", "level", level, "message", "text", text);
	if (note && index &&
	    json_object_set_new(note, "associatedRule",
				json_pack("{s:s, s:O}", "id", rule, "index", index))) {
		json_decref(note);
		return false;
	}
	return !json_array_append_new(sarif->notes, note);
}

static bool add_printed(struct sarif *sarif, const char *level, const char *rule, char *text)
{
	json_t *json = text ? sarif_text(text) : NULL;

	dms_free(text);
	return json && add_note(sarif, level, rule, json);
}

static bool add_run_notes(struct sarif *sarif, const struct dms_baseline *run, const char *side)
{
	bool is_fine = true;

	if (!run->is_complete)
		is_fine = add_printed(sarif, "warning", NULL,
				      dms_asprintf("%s %s is not complete.", side, run->path));
	if (run->gaps || run->lost_events)
		is_fine = is_fine &&
			  add_printed(sarif, "warning", NULL,
				      dms_asprintf("%s %s: %" PRIu64 " events lost in %" PRIu64
						   " gaps.",
						   side, run->path, run->lost_events, run->gaps));
	for (size_t i = 0; is_fine && i < run->n_blind_spots; i++) {
		const struct dms_blind_spot *spot = &run->blind_spots[i];

		is_fine = add_printed(
			sarif, "note", spot->rule,
			dms_asprintf("%s %s: not judged: %s on %s: %s.", side, run->path,
				     spot->rule ? spot->rule : "all rules",
				     spot->device_kind ? spot->device_kind : "all devices",
				     spot->reason ? spot->reason : "no reason is given"));
	}
	return is_fine;
}

static bool add_notes(struct sarif *sarif)
{
	const struct dms_comparison *comparison = sarif->comparison;
	bool is_lossy = comparison->verdict == DMS_VERDICT_LOSSY, is_fine = true;

	if (sarif->n_lost)
		is_fine = add_printed(sarif, "warning", NULL,
				      dms_asprintf("%zu results are left out: the file would be "
						   "too large for code scanning.",
						   sarif->n_lost));
	for (size_t i = 0; is_fine && i < comparison->n_reasons; i++)
		is_fine = add_note(sarif, is_lossy ? "error" : "note", NULL,
				   sarif_text(comparison->reasons[i]));
	/* a result is an alert there, whatever its baselineState: what is fixed is told here only
	 */
	for (size_t i = 0; is_fine && i < comparison->n_findings; i++) {
		if (comparison->findings[i].state == DMS_STATE_FIXED)
			is_fine = add_printed(
				sarif, "note", comparison->findings[i].base->rule,
				dms_asprintf("fixed: %s.",
					     comparison->findings[i].base->fingerprint));
	}
	for (size_t i = 0; is_fine && i < comparison->n_head; i++)
		is_fine = add_run_notes(sarif, comparison->head[i], "head");
	for (size_t i = 0; is_fine && i < comparison->n_base; i++)
		is_fine = add_run_notes(sarif, comparison->base[i], "base");
	if (!is_fine || !sarif->n_notes_lost)
		return is_fine;
	return !json_array_append_new(
		sarif->notes,
		json_pack("{s:s, s:{s:o}}", "level", "note", "message", "text",
			  json_sprintf("%zu more are left out.", sarif->n_notes_lost)));
}

/* ---- results -----------------------------------------------------------------------------------
 */

/* Take @result if there is room for it. */
static bool add_result(struct sarif *sarif, json_t *result)
{
	size_t bytes = result ? json_dumpb(result, NULL, 0, FLAGS) : 0;

	if (!result || !bytes) {
		json_decref(result);
		return false;
	}
	if (sarif->n_lost || json_array_size(sarif->results) >= MOST_RESULTS ||
	    sarif->bytes + bytes > MOST_BYTES) {
		sarif->n_lost++;
		json_decref(result);
		return true;
	}
	sarif->bytes += bytes + 1;
	return !json_array_append_new(sarif->results, result);
}

static bool add_results(struct sarif *sarif)
{
	const struct dms_comparison *comparison = sarif->comparison;
	bool is_fine = true;

	for (size_t i = 0; is_fine && i < comparison->n_metrics; i++) {
		if (comparison->metrics[i].state == DMS_STATE_WORSE)
			is_fine = add_result(sarif, sarif_metric(sarif, &comparison->metrics[i]));
	}
	for (size_t i = 0; is_fine && i < comparison->n_findings; i++) {
		if (comparison->findings[i].state != DMS_STATE_FIXED)
			is_fine = add_result(sarif, sarif_finding(sarif, &comparison->findings[i]));
	}
	return is_fine;
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

static json_t *log_json(const struct sarif *sarif)
{
	bool has_judged = sarif->comparison->verdict != DMS_VERDICT_LOSSY;

	return json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:O}}, s:s, s:[{s:b, s:O}], s:O}]}",
			 "$schema", schema, "version", "2.1.0", "runs", "tool", "driver", "name",
			 "dmascope", "version", DMS_VERSION, "rules", sarif->rules, "columnKind",
			 "unicodeCodePoints", "invocations", "executionSuccessful", (int)has_judged,
			 "toolExecutionNotifications", sarif->notes, "results", sarif->results);
}

struct dms_error *dms_diff_print_sarif(const struct dms_comparison *comparison, FILE *out,
				       unsigned int width, bool colour)
{
	struct sarif sarif = {
		.comparison = comparison,
		.rules = json_array(),
		.indices = json_object(),
		.notes = json_array(),
		.results = json_array(),
	};
	struct dms_error *err = NULL;
	json_t *log = NULL;

	(void)width;
	(void)colour;
	if (add_rules(&sarif) && add_results(&sarif) && add_notes(&sarif))
		log = log_json(&sarif);
	if (!log)
		err = &dms_error_nomem;
	else if (!json_dumpf(log, out, FLAGS))
		fputc('\n', out);
	else if (!ferror(out))
		err = &dms_error_nomem;
	json_decref(log);
	json_decref(sarif.rules);
	json_decref(sarif.indices);
	json_decref(sarif.notes);
	json_decref(sarif.results);
	return err ? err : dms_check_written(out);
}

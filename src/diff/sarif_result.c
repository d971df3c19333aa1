// SPDX-License-Identifier: LGPL-2.1-only
/* One finding, or one metric that got worse, as a result of SARIF. */
#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

#include "sarif.h"

#define TEXT_BYTES  2000
#define MOST_FRAMES 32
/* what a reader in C# or JavaScript keeps without trouble */
#define MOST_COUNT INT32_MAX

json_t *sarif_text(const char *text)
{
	_cleanup_(dms_freep) char *clean = dms_escape(text, strlen(text), DMS_ESCAPE_TEXT);
	size_t len = clean ? strlen(clean) : 0;

	if (!clean)
		return NULL;
	if (len > TEXT_BYTES) {
		for (len = TEXT_BYTES; len && ((unsigned char)clean[len] & 0xc0) == 0x80;)
			len--;
		strcpy(clean + len, "...");
	}
	/* "[words](address)" is a link in SARIF, even in plain text: 3.11.6 */
	for (char *at = clean; (at = strstr(at, "](")); at++)
		at[1] = ' ';
	return json_string(clean);
}

const char *sarif_level(enum dms_severity severity)
{
	static const char *const levels[] = {
		[DMS_SEVERITY_INFO] = "note",
		[DMS_SEVERITY_WARNING] = "warning",
		[DMS_SEVERITY_ERROR] = "error",
	};

	return levels[severity];
}

/* The same from memory that is ours; it is freed. */
static json_t *taken_text(char *text)
{
	json_t *json = text ? sarif_text(text) : NULL;

	dms_free(text);
	return json;
}

/* ---- places ------------------------------------------------------------------------------------
 */

/* A path as a reference of RFC 3986: relative as it was given, all but the plainest
 * percent-encoded. */
static json_t *path_uri(const char *path)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t len = strlen(path);
	_cleanup_(dms_freep) char *uri = dms_alloc(len * 3 + sizeof("file://"));
	char *out = uri;

	if (!uri)
		return NULL;
	while (!strncmp(path, "./", 2))
		path += 2;
	if (*path == '/')
		out = stpcpy(out, "file://");
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				(c >= '0' && c <= '9') || strchr("-._~/", c);

		if (is_plain) {
			*out++ = (char)c;
		} else {
			*out++ = '%';
			*out++ = digits[c >> 4];
			*out++ = digits[c & 15];
		}
	}
	*out = '\0';
	return json_string(uri);
}

static json_t *function_json(const struct dms_function *function)
{
	const char *name = function->name && *function->name ? function->name : "unknown";
	json_t *json = json_pack("{s:o, s:s}", "name", sarif_text(name), "kind", "function");

	if (json && function->module && *function->module &&
	    json_object_set_new(json, "fullyQualifiedName",
				taken_text(dms_asprintf("%s[%s]", name, function->module)))) {
		json_decref(json);
		return NULL;
	}
	return json;
}

/*
 * GitHub refuses results without a file, so the run is it. Its only line is the first.
 */
static json_t *location_json(const struct dms_baseline *run, const struct dms_function *site)
{
	json_t *location =
		json_pack("{s:{s:{s:o}, s:{s:i}}}", "physicalLocation", "artifactLocation", "uri",
			  path_uri(run ? run->path : "run"), "region", "startLine", 1);
	json_t *logical;

	if (!location || !site)
		return location;
	logical = json_pack("[o]", function_json(site));
	if (json_object_set_new(location, "logicalLocations", logical)) {
		json_decref(location);
		return NULL;
	}
	if (site->module && *site->module &&
	    json_array_append_new(logical, json_pack("{s:o, s:s}", "name", sarif_text(site->module),
						     "kind", "module"))) {
		json_decref(location);
		return NULL;
	}
	return location;
}

static json_t *frame_json(const struct dms_function *function)
{
	json_t *frame =
		json_pack("{s:{s:[o]}}", "location", "logicalLocations", function_json(function));

	if (frame && function->module && *function->module &&
	    json_object_set_new(frame, "module", sarif_text(function->module))) {
		json_decref(frame);
		return NULL;
	}
	return frame;
}

static bool add_stack(json_t *stacks, const char *title, const struct dms_function *frames,
		      size_t n_frames)
{
	json_t *list = json_array();

	if (!n_frames) {
		json_decref(list);
		return true;
	}
	for (size_t i = 0; list && i < n_frames && i < MOST_FRAMES; i++) {
		if (json_array_append_new(list, frame_json(&frames[i]))) {
			json_decref(list);
			return false;
		}
	}
	return !json_array_append_new(
		stacks, json_pack("{s:{s:s}, s:o}", "message", "text", title, "frames", list));
}

/* ---- what is said ------------------------------------------------------------------------------
 */

static const struct {
	const char *baseline; /* baselineState */
	bool is_open;	      /* not known: neither passed nor failed */
} states[DMS_MAX_STATES] = {
	[DMS_STATE_NEW] = {"new", false},
	[DMS_STATE_WORSE] = {"updated", false},
	[DMS_STATE_UNCHANGED] = {"unchanged", false},
	[DMS_STATE_BETTER] = {"updated", false},
	[DMS_STATE_FIXED] = {"absent", false},
	[DMS_STATE_NOT_JUDGED] = {"unchanged", true},
	[DMS_STATE_NOISY] = {"unchanged", true},
};

static json_t *message_text(const struct dms_finding_change *change)
{
	const struct dms_base_finding *finding = dms_change_finding(change);

	return taken_text(dms_asprintf(
		"%s%s%s: %s %s, %" PRIu64 " time%s, was %" PRIu64 "%s%s.",
		finding->message ? finding->message : finding->title, finding->device ? " on " : "",
		finding->device ? finding->device : "", dms_state_name(change->state),
		dms_severity_name(finding->severity), change->count_head,
		change->count_head == 1 ? "" : "s", change->count_base,
		change->reason ? ": " : "", change->reason ? change->reason : ""));
}

/* GitHub knows results by primaryLocationLineHash alone; all of ours stand in one line of one file.
 */
static json_t *fingerprints_json(const char *fingerprint)
{
	return json_pack("{s:o, s:o}", "dmascopeFingerprint/v1", sarif_text(fingerprint),
			 "primaryLocationLineHash",
			 json_sprintf("%016" PRIx64 ":1",
				      (uint64_t)XXH64(fingerprint, strlen(fingerprint), 0)));
}

static json_t *suppressions_json(const struct dms_suppression *suppression)
{
	if (!suppression)
		return json_array();
	return json_pack(
		"[{s:s, s:s, s:o}]", "kind", "external", "status", "accepted", "justification",
		taken_text(dms_asprintf("%s: %s", suppression->name, suppression->reason)));
}

static json_t *properties_json(const struct dms_finding_change *change)
{
	const struct dms_base_finding *finding = dms_change_finding(change);

	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o}", "state", dms_state_name(change->state),
			 "confidence", dms_confidence_name(finding->confidence), "fails",
			 (int)change->fails, "deviceKind", sarif_text(finding->device_kind),
			 "baseCount", dms_json_u64(change->count_base), "headCount",
			 dms_json_u64(change->count_head));
}

/* ---- results -----------------------------------------------------------------------------------
 */

static bool set(json_t *object, const char *key, json_t *value)
{
	return !json_object_set_new(object, key, value);
}

/* What every result has. */
static json_t *result_json(const struct sarif *sarif, const char *rule, const char *level,
			   json_t *text)
{
	json_t *id = sarif_text(rule);
	json_t *index = id ? json_object_get(sarif->indices, json_string_value(id)) : NULL;

	return json_pack("{s:o, s:O, s:s, s:{s:o}}", "ruleId", id, "ruleIndex", index, "level",
			 level, "message", "text", text);
}

static bool add_finding(const struct sarif *sarif, const struct dms_finding_change *change,
			json_t *result)
{
	const struct dms_base_finding *finding = dms_change_finding(change);
	const struct dms_function *site = finding->n_frames	  ? &finding->frames[0]
					  : finding->n_map_frames ? &finding->map_frames[0]
								  : NULL;
	const struct dms_baseline *run = dms_change_run(sarif->comparison, change);
	uint64_t count = change->head ? change->count_head : change->count_base;
	json_t *stacks = json_array();
	bool has_stacks = finding->n_frames || finding->n_map_frames;

	if (states[change->state].is_open && !set(result, "kind", json_string("open")))
		return false;
	if (sarif->comparison->n_base &&
	    !set(result, "baselineState", json_string(states[change->state].baseline)))
		return false;
	if (count && !set(result, "occurrenceCount",
			  json_integer(count < MOST_COUNT ? (json_int_t)count : MOST_COUNT)))
		return false;
	if (!set(result, "stacks", stacks) ||
	    !add_stack(stacks, "it was broken by", finding->frames, finding->n_frames) ||
	    !add_stack(stacks, "it was mapped by", finding->map_frames, finding->n_map_frames))
		return false;
	if (!has_stacks)
		json_object_del(result, "stacks");
	return set(result, "locations", json_pack("[o]", location_json(run, site))) &&
	       set(result, "partialFingerprints", fingerprints_json(finding->fingerprint)) &&
	       set(result, "suppressions", suppressions_json(change->suppressed)) &&
	       set(result, "properties", properties_json(change));
}

json_t *sarif_finding(const struct sarif *sarif, const struct dms_finding_change *change)
{
	const struct dms_base_finding *finding = dms_change_finding(change);
	const char *level = states[change->state].is_open ? "none" : sarif_level(finding->severity);
	json_t *result = result_json(sarif, finding->rule, level, message_text(change));

	if (result && add_finding(sarif, change, result))
		return result;
	json_decref(result);
	return NULL;
}

json_t *sarif_metric(const struct sarif *sarif, const struct dms_metric_change *change)
{
	const struct dms_comparison *comparison = sarif->comparison;
	char base[48], head[48], much[48];
	_cleanup_(dms_freep) char *print =
		dms_asprintf("metric:%s:%s:%s", change->metric->name, dms_scope_name(change->scope),
			     change->subject);
	json_t *text = taken_text(
		dms_asprintf("%s of %s %s: %s, was %s (%s).", change->metric->title,
			     dms_scope_name(change->scope), change->subject,
			     dms_format_value(change->head, change->metric, head, sizeof(head)),
			     dms_format_value(change->base, change->metric, base, sizeof(base)),
			     dms_format_change(change->change, much, sizeof(much))));
	json_t *result =
		result_json(sarif, SARIF_METRIC_RULE, change->fails ? "error" : "warning", text);

	if (result && print && set(result, "baselineState", json_string("new")) &&
	    set(result, "locations",
		json_pack("[o]",
			  location_json(comparison->n_head ? comparison->head[0] : NULL, NULL))) &&
	    set(result, "partialFingerprints", fingerprints_json(print)) &&
	    set(result, "suppressions", json_array()) &&
	    set(result, "properties",
		json_pack("{s:s, s:b}", "state", dms_state_name(change->state), "fails",
			  (int)change->fails)))
		return result;
	json_decref(result);
	return NULL;
}

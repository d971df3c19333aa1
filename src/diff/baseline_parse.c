// SPDX-License-Identifier: LGPL-2.1-only
/* A baseline file read back: anybody may have edited it, so each value is asked for what it is. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "../report/local.h"
#include "baseline.h"

/** What a value has to be. */
enum type {
	TEXT,	      /* const char *: a string */
	TEXT_OR_NULL, /* const char * */
	COUNT,	      /* uint64_t */
	FIGURE,	      /* double: a number of at least 0 */
	BOOLEAN,      /* bool */
	SEVERITY,     /* enum dms_severity */
	CONFIDENCE,   /* enum dms_confidence */
	SCOPE,	      /* enum dms_scope */
	METRIC,	      /* const struct dms_metric *: by its name */
	FRAMES,	      /* struct dms_function *, of frames; of map_frames */
	MAP_FRAMES,
	UNIT,	  /* that of the metric, which stands before it */
	POLARITY, /* not kept: the program and its configuration have it */
	N_TYPES
};

struct field {
	const char *key;
	enum type type;
	size_t offset;
};

/** Where we are in the file, for errors: "findings[3]". */
struct place {
	struct dms_draft *draft;
	const char *list; /* NULL: at the top */
	size_t index;
	const char *key;
};

static struct dms_error *refuse(const struct place *place, const char *expected)
{
	const char *path = place->draft->run->path, *key = place->key;

	if (!place->list)
		return dms_error_new(DMS_ERROR_INPUT, "%s: \"%s\" is missing or not %s", path, key,
				     expected);
	if (!key)
		return dms_error_new(DMS_ERROR_INPUT, "%s: \"%s\"[%zu] is not %s", path,
				     place->list, place->index, expected);
	return dms_error_new(DMS_ERROR_INPUT, "%s: \"%s\" of \"%s\"[%zu] is missing or not %s",
			     path, key, place->list, place->index, expected);
}

/* ---- values ------------------------------------------------------------------------------------
 */

/* Each false: the value is not what it has to be, or memory is short: errno would not tell either.
 */
static bool parse_text(struct place *place, const json_t *value, void *ret)
{
	const char **text = ret;

	if (!json_is_string(value) || !json_string_length(value))
		return false;
	*text = dms_draft_text(place->draft, json_string_value(value));
	return *text != NULL;
}

static bool parse_text_or_null(struct place *place, const json_t *value, void *ret)
{
	return json_is_null(value) || parse_text(place, value, ret);
}

static bool parse_count(struct place *place, const json_t *value, void *ret)
{
	(void)place;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*(uint64_t *)ret = (uint64_t)json_integer_value(value);
	return true;
}

static bool parse_figure(struct place *place, const json_t *value, void *ret)
{
	double figure = json_number_value(value);

	(void)place;
	*(double *)ret = dms_draft_round(figure);
	return json_is_number(value) && isfinite(figure) && figure >= 0;
}

static bool parse_boolean(struct place *place, const json_t *value, void *ret)
{
	(void)place;
	*(bool *)ret = json_is_true(value);
	return json_is_boolean(value);
}

static bool parse_severity(struct place *place, const json_t *value, void *ret)
{
	(void)place;
	for (int i = DMS_SEVERITY_INFO; json_is_string(value) && i <= DMS_SEVERITY_ERROR; i++) {
		*(enum dms_severity *)ret = (enum dms_severity)i;
		if (!strcmp(dms_severity_name((enum dms_severity)i), json_string_value(value)))
			return true;
	}
	return false;
}

static bool parse_confidence(struct place *place, const json_t *value, void *ret)
{
	(void)place;
	for (int i = DMS_POSSIBLE; json_is_string(value) && i <= DMS_CERTAIN; i++) {
		*(enum dms_confidence *)ret = (enum dms_confidence)i;
		if (!strcmp(dms_confidence_name((enum dms_confidence)i), json_string_value(value)))
			return true;
	}
	return false;
}

static bool parse_scope(struct place *place, const json_t *value, void *ret)
{
	(void)place;
	for (int i = 0; json_is_string(value) && i < DMS_MAX_SCOPES; i++) {
		*(enum dms_scope *)ret = (enum dms_scope)i;
		if (!strcmp(dms_scope_name((enum dms_scope)i), json_string_value(value)))
			return true;
	}
	return false;
}

static bool parse_metric(struct place *place, const json_t *value, void *ret)
{
	const struct dms_metric **metric = ret;

	(void)place;
	*metric = json_is_string(value) ? dms_metric_find(json_string_value(value)) : NULL;
	return *metric != NULL;
}

static bool parse_unit(struct place *place, const json_t *value, void *ret)
{
	const struct dms_metric *const *metric = ret;

	(void)place;
	return json_is_string(value) && !strcmp(json_string_value(value), (*metric)->unit);
}

static bool parse_polarity(struct place *place, const json_t *value, void *ret)
{
	(void)place;
	(void)ret;
	return json_is_string(value);
}

/* "function[module]"; "-": not known. */
static bool parse_frame(struct place *place, const json_t *value, struct dms_function *ret)
{
	size_t bytes = json_is_string(value) ? json_string_length(value) : 0;
	char *text, *bracket;

	if (!bytes || !(text = (char *)dms_draft_text(place->draft, json_string_value(value))))
		return false;
	if (!strcmp(text, "-"))
		return true;
	bracket = text[bytes - 1] == ']' ? strchr(text, '[') : NULL;
	if (bracket) {
		text[bytes - 1] = *bracket = '\0';
		ret->module = bracket + 1;
	}
	ret->name = text;
	return true;
}

static bool parse_stack(struct place *place, const json_t *value, const struct dms_function **ret,
			size_t *ret_n)
{
	size_t n_frames = json_array_size(value);
	struct dms_function *frames;

	if (!json_is_array(value) || n_frames > DMS_BASELINE_FRAMES)
		return false;
	frames = dms_arena_alloc(place->draft->run->arena, n_frames * sizeof(*frames));
	for (size_t i = 0; i < n_frames; i++) {
		if (!frames || !parse_frame(place, json_array_get(value, i), &frames[i]))
			return false;
	}
	*ret = frames;
	*ret_n = n_frames;
	return true;
}

static bool parse_frames(struct place *place, const json_t *value, void *ret)
{
	struct dms_base_finding *finding = ret;

	return parse_stack(place, value, &finding->frames, &finding->n_frames);
}

static bool parse_map_frames(struct place *place, const json_t *value, void *ret)
{
	struct dms_base_finding *finding = ret;

	return parse_stack(place, value, &finding->map_frames, &finding->n_map_frames);
}

static const struct {
	bool (*parse)(struct place *place, const json_t *value, void *ret);
	const char *expected;
} types[N_TYPES] = {
	[TEXT] = {parse_text, "a string that is not empty"},
	[TEXT_OR_NULL] = {parse_text_or_null, "a string that is not empty, or null"},
	[COUNT] = {parse_count, "a whole number of at least 0"},
	[FIGURE] = {parse_figure, "a number of at least 0"},
	[BOOLEAN] = {parse_boolean, "true or false"},
	[SEVERITY] = {parse_severity, "\"info\", \"warning\" or \"error\""},
	[CONFIDENCE] = {parse_confidence, "\"possible\", \"likely\" or \"certain\""},
	[SCOPE] = {parse_scope, "\"driver\", \"device\" or \"site\""},
	[METRIC] = {parse_metric, "the name of a metric this dmascope knows"},
	[FRAMES] = {parse_frames, "a list of at most 16 strings that are not empty"},
	[MAP_FRAMES] = {parse_map_frames, "a list of at most 16 strings that are not empty"},
	[UNIT] = {parse_unit, "the unit of its metric"},
	[POLARITY] = {parse_polarity, "a string"},
};

/* ---- objects -----------------------------------------------------------------------------------
 */

/* A key that is not known may be a misspelt one: its value would be missing in silence. */
static struct dms_error *find_strangers(const struct place *place, json_t *object,
					const struct field *fields, size_t n_fields)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (i < n_fields && strcmp(fields[i].key, key) != 0)
			i++;
		if (i == n_fields)
			return dms_error_new(DMS_ERROR_INPUT,
					     "%s: \"%s\" holds \"%.60s\", which is no key of it",
					     place->draft->run->path, place->list, key);
	}
	return NULL;
}

static struct dms_error *parse_object(struct place *place, json_t *object,
				      const struct field *fields, size_t n_fields, void *ret)
{
	for (size_t i = 0; i < n_fields; i++) {
		const json_t *value = json_object_get(object, fields[i].key);

		place->key = fields[i].key;
		if (!value ||
		    !types[fields[i].type].parse(place, value, (char *)ret + fields[i].offset))
			return refuse(place, types[fields[i].type].expected);
	}
	return place->list ? find_strangers(place, object, fields, n_fields) : NULL;
}

#define AT(type, member) offsetof(struct type, member)

static const struct field run_fields[] = {
	{"version", TEXT_OR_NULL, AT(dms_baseline, version)},
	{"kernel", TEXT_OR_NULL, AT(dms_baseline, kernel)},
	{"complete", BOOLEAN, AT(dms_baseline, is_complete)},
	{"has_stacks", BOOLEAN, AT(dms_baseline, has_stacks)},
	{"events", COUNT, AT(dms_baseline, events)},
	{"gaps", COUNT, AT(dms_baseline, gaps)},
	{"lost_events", COUNT, AT(dms_baseline, lost_events)},
	{"seconds", FIGURE, AT(dms_baseline, seconds)},
};

static const struct field kind_fields[] = {
	{"kind", TEXT, AT(dms_base_kind, name)},
	{"devices", COUNT, AT(dms_base_kind, devices)},
	{"maps", COUNT, AT(dms_base_kind, maps)},
};

static const struct field blind_spot_fields[] = {
	{"rule", TEXT_OR_NULL, AT(dms_blind_spot, rule)},
	{"kind", TEXT_OR_NULL, AT(dms_blind_spot, device_kind)},
	{"reason", TEXT, AT(dms_blind_spot, reason)},
};

static const struct field finding_fields[] = {
	{"fingerprint", TEXT, AT(dms_base_finding, fingerprint)},
	{"rule", TEXT, AT(dms_base_finding, rule)},
	{"kind", TEXT, AT(dms_base_finding, device_kind)},
	{"direction", TEXT_OR_NULL, AT(dms_base_finding, direction)},
	{"severity", SEVERITY, AT(dms_base_finding, severity)},
	{"confidence", CONFIDENCE, AT(dms_base_finding, confidence)},
	{"reason", TEXT_OR_NULL, AT(dms_base_finding, reason)},
	{"count", COUNT, AT(dms_base_finding, count)},
	{"frames", FRAMES, 0},
	{"map_frames", MAP_FRAMES, 0},
};

static const struct field metric_fields[] = {
	{"scope", SCOPE, AT(dms_measurement, scope)},
	{"subject", TEXT, AT(dms_measurement, subject)},
	{"metric", METRIC, AT(dms_measurement, metric)},
	{"unit", UNIT, AT(dms_measurement, metric)},
	{"better", POLARITY, 0},
	{"value", FIGURE, AT(dms_measurement, value)},
	{"samples", COUNT, AT(dms_measurement, samples)},
};

/* Lists are of objects, but the first one is of strings. */
static const struct {
	const char *key;
	enum dms_draft_kind kind;
	const struct field *fields;
	size_t n_fields;
} lists[] = {
	{"rules_off", DMS_DRAFT_RULES_OFF, NULL, 0},
	{"kinds", DMS_DRAFT_KINDS, kind_fields, DMS_ARRAY_SIZE(kind_fields)},
	{"blind_spots", DMS_DRAFT_BLIND_SPOTS, blind_spot_fields,
	 DMS_ARRAY_SIZE(blind_spot_fields)},
	{"findings", DMS_DRAFT_FINDINGS, finding_fields, DMS_ARRAY_SIZE(finding_fields)},
	{"metrics", DMS_DRAFT_MEASUREMENTS, metric_fields, DMS_ARRAY_SIZE(metric_fields)},
};

static struct dms_error *parse_item(struct place *place, size_t list, json_t *value)
{
	void *item = dms_draft_add(place->draft, lists[list].kind);

	place->key = NULL;
	if (!item)
		return &dms_error_nomem;
	if (lists[list].fields)
		return json_is_object(value) ? parse_object(place, value, lists[list].fields,
							    lists[list].n_fields, item)
					     : refuse(place, "an object");
	return parse_text(place, value, item) ? NULL : refuse(place, types[TEXT].expected);
}

static struct dms_error *parse_list(struct dms_draft *draft, size_t list, json_t *value)
{
	struct place place = {.draft = draft, .key = lists[list].key};
	struct dms_error *err = NULL;

	if (!json_is_array(value))
		return refuse(&place, "a list");
	place.list = lists[list].key;
	for (; !err && place.index < json_array_size(value); place.index++)
		err = parse_item(&place, list, json_array_get(value, place.index));
	return err;
}

/* Asked before anything else: what another version wrote would only look damaged. */
static struct dms_error *check_head(const struct dms_draft *draft, const json_t *root)
{
	const char *format = json_string_value(json_object_get(root, "format"));
	const json_t *schema = json_object_get(root, "schema");

	if (!format || strcmp(format, DMS_BASELINE_FORMAT) != 0)
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s is no baseline file: it has no \"format\": \"%s\"",
				     draft->run->path, DMS_BASELINE_FORMAT);
	if (!json_is_integer(schema))
		return dms_error_new(DMS_ERROR_INPUT, "%s: \"schema\" is missing or not a number",
				     draft->run->path);
	if (json_integer_value(schema) != DMS_BASELINE_SCHEMA)
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s has baseline schema %" JSON_INTEGER_FORMAT
				     "; this dmascope reads schema %d",
				     draft->run->path, json_integer_value(schema),
				     DMS_BASELINE_SCHEMA);
	return NULL;
}

/* What has keys of its own below is known here by its name alone. */
static struct dms_error *check_keys(const struct dms_draft *draft, json_t *root)
{
	static const char *const head[] = {"format", "schema"};
	const char *key;
	json_t *value;

	json_object_foreach(root, key, value)
	{
		bool is_known = false;

		for (size_t i = 0; i < DMS_ARRAY_SIZE(head); i++)
			is_known |= !strcmp(key, head[i]);
		for (size_t i = 0; i < DMS_ARRAY_SIZE(run_fields); i++)
			is_known |= !strcmp(key, run_fields[i].key);
		for (size_t i = 0; i < DMS_ARRAY_SIZE(lists); i++)
			is_known |= !strcmp(key, lists[i].key);
		if (!is_known)
			return dms_error_new(DMS_ERROR_INPUT,
					     "%s: \"%.60s\" is no key of a baseline",
					     draft->run->path, key);
	}
	return NULL;
}

static struct dms_error *parse_root(struct dms_draft *draft, json_t *root)
{
	struct place place = {.draft = draft};
	struct dms_error *err;

	if ((err = check_head(draft, root)) || (err = check_keys(draft, root)) ||
	    (err = parse_object(&place, root, run_fields, DMS_ARRAY_SIZE(run_fields), draft->run)))
		return err;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(lists); i++) {
		if ((err = parse_list(draft, i, json_object_get(root, lists[i].key))))
			return err;
	}
	for (size_t i = 0; i < draft->lists[DMS_DRAFT_FINDINGS].n_items; i++) {
		struct dms_base_finding *finding =
			(struct dms_base_finding *)draft->lists[DMS_DRAFT_FINDINGS].items + i;

		finding->title = dms_draft_title(finding->rule);
	}
	return NULL;
}

struct dms_error *dms_draft_parse(struct dms_draft *draft, const char *text, size_t bytes)
{
	json_error_t error;
	json_t *root;
	struct dms_error *err = dms_json_read(text, bytes, JSON_REJECT_DUPLICATES, &root, &error);

	if (err)
		return err;
	if (!root)
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s:%d:%d: no baseline file, which is JSON: %s",
				     draft->run->path, error.line, error.column, error.text);
	err = parse_root(draft, root);
	json_decref(root);
	return err;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* A run to be compared out of its database: what was found, what could not be judged, its devices.
 */
#include <sqlite3.h>
#include <string.h>

#include <dmascope/symbols.h>

#include "baseline.h"

/* ---- rows -------------------------------------------------------------------------------------
 */

struct dms_error *dms_draft_error(struct sqlite3 *db, const char *doing)
{
	bool is_ours = (sqlite3_errcode(db) & 0xff) == SQLITE_NOMEM;

	return dms_error_new(is_ours ? DMS_ERROR_INTERNAL : DMS_ERROR_INPUT, "%s: %s", doing,
			     sqlite3_errmsg(db));
}

struct dms_error *dms_draft_query(struct dms_draft *draft, const char *sql, dms_draft_take *take)
{
	struct sqlite3 *db = draft->run->db;
	struct dms_error *err = NULL;
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW && (err = take(draft, stmt)))
			break;
	}
	if (!err && rc != SQLITE_DONE)
		err = dms_draft_error(db, "reading what is compared");
	sqlite3_finalize(stmt);
	return err;
}

/* Text that is NULL stays it. */
static bool take_text(struct dms_draft *draft, sqlite3_stmt *stmt, int column, const char **ret)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	*ret = text ? dms_draft_text(draft, text) : NULL;
	return *ret || !text;
}

/* The same, printable, and never NULL. */
static bool take_clean(struct dms_draft *draft, sqlite3_stmt *stmt, int column, const char **ret)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	*ret = text ? dms_draft_clean_text(draft, text, strlen(text)) : "-";
	return *ret != NULL;
}

static uint64_t take_count(sqlite3_stmt *stmt, int column)
{
	sqlite3_int64 count = sqlite3_column_int64(stmt, column);

	return count > 0 ? (uint64_t)count : 0;
}

/* ---- the run -----------------------------------------------------------------------------------
 */

static struct dms_error *add_rules_off(struct dms_draft *draft, const char *ids)
{
	for (size_t bytes; *(ids += strspn(ids, " ")); ids += bytes) {
		const char **rule = dms_draft_add(draft, DMS_DRAFT_RULES_OFF);

		bytes = strcspn(ids, " ");
		if (!rule || !(*rule = dms_draft_clean_text(draft, ids, bytes)))
			return &dms_error_nomem;
	}
	return NULL;
}

static struct dms_error *take_run(struct dms_draft *draft, sqlite3_stmt *stmt)
{
	struct dms_baseline *run = draft->run;
	const char *rules_off = (const char *)sqlite3_column_text(stmt, 7);

	run->version = run->kernel = NULL;
	if ((sqlite3_column_type(stmt, 0) != SQLITE_NULL &&
	     !take_clean(draft, stmt, 0, &run->version)) ||
	    (sqlite3_column_type(stmt, 1) != SQLITE_NULL &&
	     !take_clean(draft, stmt, 1, &run->kernel)))
		return &dms_error_nomem;
	run->events = take_count(stmt, 2);
	run->gaps = take_count(stmt, 3);
	run->lost_events = take_count(stmt, 4);
	run->seconds = dms_draft_round(sqlite3_column_double(stmt, 5));
	run->is_complete = sqlite3_column_int(stmt, 6);
	run->has_stacks = sqlite3_column_int(stmt, 8);
	run->filtered_devices = take_count(stmt, 9);
	return rules_off ? add_rules_off(draft, rules_off) : NULL;
}

static struct dms_error *take_kind(struct dms_draft *draft, sqlite3_stmt *stmt)
{
	struct dms_base_kind *kind = dms_draft_add(draft, DMS_DRAFT_KINDS);

	if (!kind || !take_clean(draft, stmt, 0, &kind->name))
		return &dms_error_nomem;
	kind->devices = take_count(stmt, 1);
	kind->maps = take_count(stmt, 2);
	return NULL;
}

static struct dms_error *take_blind_spot(struct dms_draft *draft, sqlite3_stmt *stmt)
{
	struct dms_blind_spot *spot = dms_draft_add(draft, DMS_DRAFT_BLIND_SPOTS);

	if (!spot || !take_text(draft, stmt, 0, &spot->rule) ||
	    !take_text(draft, stmt, 1, &spot->device_kind) ||
	    !take_clean(draft, stmt, 2, &spot->reason))
		return &dms_error_nomem;
	return NULL;
}

/* ---- findings ----------------------------------------------------------------------------------
 */

static bool take_function(struct dms_draft *draft, sqlite3_stmt *stmt, struct dms_function *ret)
{
	const char *name = (const char *)sqlite3_column_text(stmt, 0);
	char *words[2] = {NULL};

	if (!name)
		return true;
	ret->name = words[0] = (char *)dms_draft_clean_text(draft, name, dms_function_length(name));
	if (sqlite3_column_type(stmt, 1) == SQLITE_NULL)
		ret->module = NULL;
	else if (take_clean(draft, stmt, 1, &ret->module))
		words[1] = (char *)ret->module;
	else
		return false;
	/* brackets are what a baseline file sets the module in */
	for (size_t i = 0; i < DMS_ARRAY_SIZE(words); i++) {
		for (char *at = words[i]; at && *at; at++) {
			if (*at == '[' || *at == ']')
				*at = '_';
		}
	}
	return ret->name != NULL;
}

/* A frame that has no name may be a trampoline of the tracer: not before a driver's is seen. */
static bool is_wanted(sqlite3_stmt *stmt, size_t n_frames)
{
	const char *name = (const char *)sqlite3_column_text(stmt, 0);

	return name ? !dms_symbol_is_core(name, strlen(name)) : n_frames > 0;
}

static struct dms_error *read_stack(struct dms_draft *draft, sqlite3_int64 stack,
				    const struct dms_function **ret, size_t *ret_n)
{
	static const char sql[] = "SELECT y.name, y.module FROM main.frame AS f"
				  " LEFT JOIN main.symbol AS y ON y.id = f.symbol_id"
				  " WHERE f.stack_id = ?1 ORDER BY f.depth";
	struct dms_function frames[DMS_BASELINE_FRAMES] = {{NULL, NULL}}, *kept;
	sqlite3_stmt *stmt = NULL;
	size_t n_frames = 0;
	int rc = sqlite3_prepare_v2(draft->run->db, sql, -1, &stmt, NULL);
	bool has_memory = true;

	sqlite3_bind_int64(stmt, 1, stack);
	while (rc == SQLITE_OK && has_memory && n_frames < DMS_BASELINE_FRAMES &&
	       sqlite3_step(stmt) == SQLITE_ROW) {
		if (is_wanted(stmt, n_frames))
			has_memory = take_function(draft, stmt, &frames[n_frames++]);
	}
	rc = sqlite3_finalize(stmt) ? SQLITE_ERROR : rc;
	if (rc != SQLITE_OK)
		return dms_draft_error(draft->run->db, "reading call stacks");
	kept = dms_arena_alloc(draft->run->arena, sizeof(frames[0]) * n_frames);
	if (!kept || !has_memory)
		return &dms_error_nomem;
	memcpy(kept, frames, sizeof(frames[0]) * n_frames);
	*ret = kept;
	*ret_n = n_frames;
	return NULL;
}

static enum dms_severity severity_of(sqlite3_stmt *stmt, int column)
{
	const char *name = (const char *)sqlite3_column_text(stmt, column);
	int severity = DMS_SEVERITY_ERROR;

	while (name && severity > 0 && strcmp(dms_severity_name((enum dms_severity)severity), name))
		severity--;
	return (enum dms_severity)severity;
}

static enum dms_confidence confidence_of(sqlite3_stmt *stmt, int column)
{
	const char *name = (const char *)sqlite3_column_text(stmt, column);
	int confidence = DMS_CERTAIN;

	while (name && confidence > 0 &&
	       strcmp(dms_confidence_name((enum dms_confidence)confidence), name))
		confidence--;
	return (enum dms_confidence)confidence;
}

/*
 * Every finding_group, those of one fingerprint behind each other and the first of them first. What
 * it stands for is read by its key: no table of mappings or findings is searched.
 */
static const char findings_sql[] =
	"SELECT dms_with_kind(dms_clean(g.fingerprint), b.config_kind) AS text, g.rule, g.severity,"
	" g.confidence, g.reason, g.count, g.first_ns, coalesce(b.kind, '-'), d.name, f.message,"
	" f.stack_id, coalesce(json_extract(f.facts, '$.map_stack_id'), m.map_stack_id)"
	" FROM main.finding_group AS g"
	" LEFT JOIN main.device AS d ON d.id = g.device_id"
	" LEFT JOIN temp.base_device AS b ON b.device_id = g.device_id"
	" LEFT JOIN main.finding AS f ON f.id = g.finding_id"
	" LEFT JOIN main.mapping AS m ON m.id = f.mapping_id"
	" ORDER BY text, g.first_ns, g.id";

/* The part of @fingerprint before the last, unless it is "-". */
static bool take_direction(struct dms_draft *draft, struct dms_base_finding *finding)
{
	const char *last = strrchr(finding->fingerprint, ':'), *from = last;

	while (from && from > finding->fingerprint && from[-1] != ':')
		from--;
	if (!last || from == finding->fingerprint || (last - from == 1 && *from == '-'))
		return true;
	finding->direction = dms_draft_clean_text(draft, from, (size_t)(last - from));
	return finding->direction != NULL;
}

static struct dms_error *begin_finding(struct dms_draft *draft, sqlite3_stmt *stmt,
				       struct dms_base_finding *finding)
{
	if (!finding || !take_clean(draft, stmt, 0, &finding->fingerprint) ||
	    !take_clean(draft, stmt, 1, &finding->rule) ||
	    !take_clean(draft, stmt, 7, &finding->device_kind) ||
	    !take_text(draft, stmt, 8, &finding->device) || !take_direction(draft, finding))
		return &dms_error_nomem;
	finding->title = dms_draft_title(finding->rule);
	finding->first_ts = (uint64_t)sqlite3_column_int64(stmt, 6);
	return NULL;
}

/* Only the first findings of a kind have rows of their own. */
static struct dms_error *take_details(struct dms_draft *draft, sqlite3_stmt *stmt,
				      struct dms_base_finding *finding)
{
	struct dms_error *err = NULL;

	if (finding->message || sqlite3_column_type(stmt, 9) == SQLITE_NULL)
		return NULL;
	if (!take_text(draft, stmt, 9, &finding->message))
		return &dms_error_nomem;
	if (sqlite3_column_type(stmt, 10) != SQLITE_NULL)
		err = read_stack(draft, sqlite3_column_int64(stmt, 10), &finding->frames,
				 &finding->n_frames);
	if (!err && sqlite3_column_type(stmt, 11) != SQLITE_NULL)
		err = read_stack(draft, sqlite3_column_int64(stmt, 11), &finding->map_frames,
				 &finding->n_map_frames);
	return err;
}

static struct dms_error *take_finding(struct dms_draft *draft, sqlite3_stmt *stmt)
{
	const struct dms_draft_list *list = &draft->lists[DMS_DRAFT_FINDINGS];
	struct dms_base_finding *finding = (struct dms_base_finding *)list->items;
	const char *text = (const char *)sqlite3_column_text(stmt, 0);
	enum dms_severity severity = severity_of(stmt, 2);
	enum dms_confidence confidence = confidence_of(stmt, 3);
	struct dms_error *err;

	finding = list->n_items ? finding + list->n_items - 1 : NULL;
	if (!finding || !text || strcmp(finding->fingerprint, text)) {
		finding = dms_draft_add(draft, DMS_DRAFT_FINDINGS);
		if ((err = begin_finding(draft, stmt, finding)))
			return err;
	}
	if (__builtin_add_overflow(finding->count, take_count(stmt, 5), &finding->count))
		finding->count = UINT64_MAX;
	if (finding->count == take_count(stmt, 5) || severity > finding->severity ||
	    (severity == finding->severity && confidence > finding->confidence)) {
		finding->severity = severity;
		finding->confidence = confidence;
		if (sqlite3_column_type(stmt, 4) == SQLITE_NULL)
			finding->reason = NULL;
		else if (!take_clean(draft, stmt, 4, &finding->reason))
			return &dms_error_nomem;
	}
	return take_details(draft, stmt, finding);
}

/* ---- all of it ---------------------------------------------------------------------------------
 */

/*
 * Reasons may name the trace's files: a path is the same in no two runs. A name without a dot or
 * slash could be any word of the sentence, and stays.
 */
static const char blind_spots_sql[] =
	"WITH RECURSIVE path AS (SELECT row_number() OVER (ORDER BY length(path) DESC, path) AS n,"
	"  path FROM (SELECT DISTINCT path FROM main.input_file"
	"  WHERE instr(path, '/') OR instr(path, '.'))),"
	" plain AS (SELECT id, rule, device_id, reason, 0 AS n FROM main.not_judged"
	"  UNION ALL SELECT p.id, p.rule, p.device_id, replace(p.reason, t.path, 'the trace'), t.n"
	"  FROM plain AS p JOIN path AS t ON t.n = p.n + 1)"
	" SELECT dms_clean(p.rule) AS rule, b.kind, p.reason, min(p.id) FROM plain AS p"
	" LEFT JOIN temp.base_device AS b ON b.device_id = p.device_id"
	" WHERE p.n = (SELECT count(*) FROM path) GROUP BY 1, 2, dms_mask(dms_clean(p.reason)) "
	"ORDER BY 4";

static const struct {
	const char *sql;
	dms_draft_take *take;
} readings[] = {
	{"SELECT max(value) FILTER (WHERE key = 'tool_version'),"
	 " max(value) FILTER (WHERE key = 'kernel'), max(value) FILTER (WHERE key = 'events'),"
	 " max(value) FILTER (WHERE key = 'gaps'), max(value) FILTER (WHERE key = 'lost_events'),"
	 " (SELECT seconds FROM main.counting),"
	 " coalesce(max(value = '1') FILTER (WHERE key = 'complete'), 0)"
	 "  AND NOT EXISTS (SELECT 1 FROM main.input_file WHERE missing_bytes > 0),"
	 " max(value) FILTER (WHERE key = 'rules_off'),"
	 " EXISTS (SELECT 1 FROM main.stack WHERE frames > 0),"
	 " max(value) FILTER (WHERE key = 'filtered_devices') FROM main.run",
	 take_run},
	{"SELECT b.kind, count(DISTINCT b.name), CAST(total(c.value) AS INTEGER)"
	 " FROM temp.base_device AS b LEFT JOIN main.device_counter AS c"
	 " ON c.device_id = b.device_id AND c.name IN ('maps', 'allocs') GROUP BY b.kind",
	 take_kind},
	{findings_sql, take_finding},
	{blind_spots_sql, take_blind_spot},
};

struct dms_error *dms_draft_read(struct dms_draft *draft, const struct dms_config *config)
{
	struct dms_error *err;

	if ((err = dms_draft_name_devices(draft, config)))
		return err;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(readings); i++) {
		if ((err = dms_draft_query(draft, readings[i].sql, readings[i].take)))
			return err;
	}
	return dms_draft_measure(draft);
}

// SPDX-License-Identifier: LGPL-2.1-only
/* The whole report as one JSON object, a row at a time; described by report.schema.json. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "exports.h"

#define COMPACT (JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15))
#define HEX(column) "iif(" column " IS NULL, NULL, printf('0x%x', " column "))"

/** What is written, and how. */
struct source {
	struct sqlite3 *db;
	const struct dms_layout *layout; /* of the devices' figures; may be NULL */
};

/** A member of the report. */
struct member {
	const char *name;
	const char *sql; /* its rows */
	/* Write one row, "," before it unless it is the first. */
	struct dms_error *(*put)(const struct source *source, sqlite3_stmt *stmt, bool is_first,
				 FILE *out);
};

static struct dms_error *put_json(json_t *json, bool is_first, FILE *out)
{
	int failed;

	if (!json)
		return &dms_error_nomem;
	fputs(is_first ? "\n" : ",\n", out);
	failed = json_dumpf(json, out, COMPACT);
	json_decref(json);
	return failed && !ferror(out) ? &dms_error_nomem : NULL;
}

/* Column @index as JSON; NULL: memory. */
static json_t *value_of(sqlite3_stmt *stmt, int index)
{
	const char *text;
	size_t bytes;

	switch (sqlite3_column_type(stmt, index)) {
	case SQLITE_NULL:
		return json_null();
	case SQLITE_INTEGER:
		return json_integer(sqlite3_column_int64(stmt, index));
	case SQLITE_FLOAT:
		return dms_json_real(sqlite3_column_double(stmt, index));
	}
	text = export_text(stmt, index, &bytes);
	return text || !bytes ? dms_json_text(text ? text : "", bytes) : NULL;
}

/* The columns from @first on as members of the same names; NULL: memory. */
static json_t *object_of(sqlite3_stmt *stmt, int first)
{
	json_t *object = json_object();

	for (int i = first; object && i < sqlite3_column_count(stmt); i++) {
		const char *name = sqlite3_column_name(stmt, i);

		if (!name || json_object_set_new(object, name, value_of(stmt, i))) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static struct dms_error *put_row(const struct source *source, sqlite3_stmt *stmt, bool is_first,
				 FILE *out)
{
	(void)source;
	return put_json(object_of(stmt, 0), is_first, out);
}

/* ---- devices ----------------------------------------------------------------------------------- */

static const char devices_sql[] =
	"SELECT id, name AS device, generation, driver, bus, address_mode, " HEX("dma_mask")
	" AS dma_mask, iommu_group, first_ns, last_ns FROM device JOIN temp.device_order AS o"
	" ON o.device_id = id ORDER BY o.place";
static const char figures_sql[] = "SELECT * FROM temp.device_figures WHERE device_id = ?1";
static const char counters_sql[] =
	"SELECT name, value, unit FROM device_counter WHERE device_id = ?1 ORDER BY name";
/*
 * The buckets of a measure, how many values are in them and in those before, and what a quantile
 * in it is said to be: no more than the exact largest value, where that is counted.
 */
static const char histogram_sql[] =
	"SELECT h.measure, h.unit, h.low, h.high, h.count,"
	" sum(h.count) OVER (PARTITION BY h.measure ORDER BY h.low) AS below,"
	" sum(h.count) OVER (PARTITION BY h.measure) AS total,"
	" ifnull(min(h.high, t.max), h.high), ifnull(t.min, h.high)"
	" FROM histogram AS h LEFT JOIN distribution AS t"
	" ON t.device_id = h.device_id AND t.measure = h.measure"
	" WHERE h.device_id = ?1 ORDER BY h.measure, h.low";

static struct dms_error *add_counters(struct sqlite3 *db, int64_t device_id, json_t *device)
{
	json_t *counters = json_object();
	sqlite3_stmt *stmt = NULL;
	bool has_row = true;
	struct dms_error *err;

	if (json_object_set_new(device, "counters", counters))
		return &dms_error_nomem;
	err = export_prepare(db, counters_sql, &stmt);
	if (!err)
		sqlite3_bind_int64(stmt, 1, device_id);
	while (!err && !(err = export_step(stmt, &has_row)) && has_row) {
		_cleanup_(dms_freep) char *name = NULL;
		const char *text;
		size_t bytes;

		text = export_text(stmt, 0, &bytes);
		name = text ? dms_escape(text, bytes, DMS_ESCAPE_BYTES) : NULL;
		if (!name || json_object_set_new(counters, name,
						 json_pack("{s:o, s:o}", "value", value_of(stmt, 1),
							   "unit", value_of(stmt, 2))))
			err = &dms_error_nomem;
	}
	sqlite3_finalize(stmt);
	return err;
}

/* The bucket of this row, and the quantiles that lie in it. false: memory. */
static bool add_bucket(json_t *measure, sqlite3_stmt *stmt)
{
	static const struct {
		const char *key;
		uint64_t permille;
	} quantiles[] = {{"p50", 500}, {"p90", 900}, {"p99", 990}, {"p99_9", 999}, {"max", 1000}};
	uint64_t count = (uint64_t)sqlite3_column_int64(stmt, 4);
	uint64_t below = (uint64_t)sqlite3_column_int64(stmt, 5);
	uint64_t total = (uint64_t)sqlite3_column_int64(stmt, 6);
	json_t *bucket = json_array();
	bool failed = json_array_append_new(json_object_get(measure, "buckets"), bucket);

	for (int i = 2; i <= 4; i++)
		failed |= json_array_append_new(bucket, value_of(stmt, i)) != 0;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(quantiles); i++) {
		uint64_t rank = total / 1000 * quantiles[i].permille +
				(total % 1000 * quantiles[i].permille + 999) / 1000;

		/* of one value, and for the median of two, the smallest is exact */
		bool is_min = quantiles[i].permille < 1000 && rank == 1 && total <= 2;

		if (rank > below - count && rank <= below)
			failed |= json_object_set_new(measure, quantiles[i].key,
						      value_of(stmt, is_min ? 8 : 7)) != 0;
	}
	return !failed;
}

static struct dms_error *add_histograms(struct sqlite3 *db, int64_t device_id, json_t *device)
{
	json_t *list = json_array(), *measure = NULL;
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err;
	bool has_row = true;

	if (json_object_set_new(device, "distributions", list))
		return &dms_error_nomem;
	err = export_prepare(db, histogram_sql, &stmt);
	if (!err)
		sqlite3_bind_int64(stmt, 1, device_id);
	while (!err && !(err = export_step(stmt, &has_row)) && has_row) {
		json_t *name = value_of(stmt, 0);

		if (!measure || !json_equal(json_object_get(measure, "measure"), name)) {
			measure = json_pack("{s:O, s:o, s:o, s:[]}", "measure", name, "unit",
					    value_of(stmt, 1), "count", value_of(stmt, 6), "buckets");
			if (json_array_append_new(list, measure))
				err = &dms_error_nomem;
		}
		json_decref(name);
		if (!err && !add_bucket(measure, stmt))
			err = &dms_error_nomem;
	}
	sqlite3_finalize(stmt);
	return err;
}

/* The columns asked for, or all of them. */
static json_t *figures_of(sqlite3_stmt *stmt, const struct dms_layout *layout)
{
	json_t *figures = json_object();

	for (int i = 0; figures && i < sqlite3_column_count(stmt); i++) {
		const char *name = sqlite3_column_name(stmt, i);

		if (!name || (dms_layout_has(layout, name) &&
			      json_object_set_new(figures, name, value_of(stmt, i)))) {
			json_decref(figures);
			return NULL;
		}
	}
	return figures;
}

static struct dms_error *add_figures(const struct source *source, int64_t device_id, json_t *device)
{
	sqlite3_stmt *stmt = NULL;
	bool has_row = false;
	struct dms_error *err = export_prepare(source->db, figures_sql, &stmt);

	if (!err)
		sqlite3_bind_int64(stmt, 1, device_id);
	if (!err)
		err = export_step(stmt, &has_row);
	if (!err && json_object_set_new(device, "figures",
					has_row ? figures_of(stmt, source->layout) : json_object()))
		err = &dms_error_nomem;
	sqlite3_finalize(stmt);
	return err;
}

static struct dms_error *put_device(const struct source *source, sqlite3_stmt *stmt, bool is_first,
				    FILE *out)
{
	int64_t device_id = sqlite3_column_int64(stmt, 0);
	json_t *device = object_of(stmt, 0);
	struct dms_error *err = device ? add_counters(source->db, device_id, device) : &dms_error_nomem;

	if (!err)
		err = add_histograms(source->db, device_id, device);
	if (!err)
		err = add_figures(source, device_id, device);
	if (!err)
		return put_json(device, is_first, out);
	json_decref(device);
	return err;
}

/* ---- findings ---------------------------------------------------------------------------------- */

enum { FINDING_CPU, FINDING_PID, FINDING_STACK, FINDING_FACTS, FINDING_TS, FINDING_REST };
static const char findings_sql[] =
	"SELECT f.cpu, f.pid, f.stack_id, f.facts, f.ts_ns, f.id, f.rule, f.severity, f.confidence,"
	" f.reason, d.name AS device, d.generation, d.driver, f.device_id, f.mapping_id, f.ts_ns, "
	HEX("f.dma_addr") " AS dma_addr, f.size_bytes, f.message, f.fingerprint"
	" FROM finding AS f LEFT JOIN device AS d ON d.id = f.device_id ORDER BY f.id";

/* The call that broke the rule and those the facts tell of, with their stacks. */
static struct dms_error *add_calls(struct sqlite3 *db, sqlite3_stmt *stmt, struct dms_arena *arena,
				   json_t *object)
{
	struct dms_call_summary calls[DMS_MAX_CALLS] = {0};
	struct dms_finding_summary finding = {.calls = calls};
	struct dms_error *err;

	calls[0] = (struct dms_call_summary){
		.what = DMS_CALL_BROKE,
		.ts = (uint64_t)sqlite3_column_int64(stmt, FINDING_TS),
		.cpu = (uint32_t)sqlite3_column_int64(stmt, FINDING_CPU),
		.pid = (uint32_t)sqlite3_column_int64(stmt, FINDING_PID),
		.has_task = sqlite3_column_type(stmt, FINDING_PID) != SQLITE_NULL,
		.stack_id = (uint64_t)sqlite3_column_int64(stmt, FINDING_STACK),
	};
	finding.n_calls = 1;
	err = dms_calls_of_facts((const char *)sqlite3_column_text(stmt, FINDING_FACTS), arena,
				 calls, &finding.n_calls);
	if (!err)
		err = dms_calls_name(db, arena, &finding, 1);
	if (!err && json_object_set_new(object, "calls", dms_calls_json(&finding)))
		err = &dms_error_nomem;
	return err;
}

static struct dms_error *put_finding(const struct source *source, sqlite3_stmt *stmt, bool is_first,
				     FILE *out)
{
	json_t *facts, *finding = object_of(stmt, FINDING_REST);
	struct dms_arena *arena = dms_arena_create();
	struct dms_error *err =
		dms_facts_read((const char *)sqlite3_column_text(stmt, FINDING_FACTS), &facts);

	if (!finding || !arena)
		err = &dms_error_nomem;
	if (!json_is_object(facts)) {
		json_decref(facts);
		facts = json_object();
	}
	if (json_object_set_new(finding, "facts", facts))
		err = &dms_error_nomem;
	if (!err)
		err = add_calls(source->db, stmt, arena, finding);
	dms_arena_destroy(arena);
	if (!err)
		return put_json(finding, is_first, out);
	json_decref(finding);
	return err;
}

/* ---- series ------------------------------------------------------------------------------------ */

static const char series_sql[] =
	"SELECT s.device_id, d.name AS device, d.generation, s.measure, s.unit,"
	" max(s.length_ns) AS length_ns"
	" FROM series AS s LEFT JOIN device AS d ON d.id = s.device_id"
	" GROUP BY s.device_id, s.measure, s.unit ORDER BY s.device_id, s.measure, s.unit";
static const char points_sql[] =
	"SELECT start_ns, value FROM series WHERE device_id = ?1 AND measure = ?2 AND unit = ?3"
	" ORDER BY start_ns";

static struct dms_error *put_series(const struct source *source, sqlite3_stmt *stmt, bool is_first,
				    FILE *out)
{
	json_t *series = object_of(stmt, 0), *points = json_array();
	sqlite3_stmt *query = NULL;
	struct dms_error *err;
	bool has_row = true;

	if (json_object_set_new(series, "points", points)) {
		json_decref(series);
		return &dms_error_nomem;
	}
	err = export_prepare(source->db, points_sql, &query);
	if (!err) {
		sqlite3_bind_int64(query, 1, sqlite3_column_int64(stmt, 0));
		if (sqlite3_bind_value(query, 2, sqlite3_column_value(stmt, 3)) ||
		    sqlite3_bind_value(query, 3, sqlite3_column_value(stmt, 4)))
			err = &dms_error_nomem; /* texts are copied */
	}
	while (!err && !(err = export_step(query, &has_row)) && has_row) {
		if (json_array_append_new(points, json_pack("[oo]", value_of(query, 0),
							    value_of(query, 1))))
			err = &dms_error_nomem;
	}
	sqlite3_finalize(query);
	if (!err)
		return put_json(series, is_first, out);
	json_decref(series);
	return err;
}

/* ---- the report -------------------------------------------------------------------------------- */

static const struct member members[] = {
	{"devices", devices_sql, put_device},
	{"findings", findings_sql, put_finding},
	{"finding_groups",
	 "SELECT g.rule, g.severity, g.confidence, g.reason, d.name AS device, d.generation,"
	 " d.driver, g.device_id, g.fingerprint, g.count, g.first_ns, g.finding_id"
	 " FROM finding_group AS g LEFT JOIN device AS d ON d.id = g.device_id ORDER BY g.id",
	 put_row},
	{"call_sites",
	 "SELECT * FROM call_sites ORDER BY device, generation, function, module, first_stack_id",
	 put_row},
	{"drivers",
	 "SELECT r.driver, devices, maps, unmaps, syncs, failed, bytes, maps_per_s, unmaps_per_s,"
	 " syncs_per_s, bytes_per_s, l.p50 AS lifetime_p50_ns, l.p99 AS lifetime_p99_ns"
	 " FROM driver_rates AS r LEFT JOIN driver_distributions AS l"
	 " ON l.driver IS r.driver AND l.measure = 'lifetime' ORDER BY r.driver IS NULL, r.driver",
	 put_row},
	{"breakdown",
	 "SELECT device_id, device, generation, dimension, key, maps, unmaps, syncs, failed, bytes"
	 " FROM breakdown_rates ORDER BY device_id, dimension,"
	 " iif(dimension = 'cpu', CAST(key AS INTEGER), 0), key",
	 put_row},
	{"bounces",
	 "SELECT device_id, device, generation, bounces, bounced, share, bytes, forced, mask, other,"
	 " largest_bytes, peak_bytes, peak_ns FROM bounces WHERE bounces + bounced > 0"
	 " ORDER BY device_id",
	 put_row},
	{"iommu_merge",
	 "SELECT device_id, device, generation, lists, entries, segments, ratio FROM iommu_merge"
	 " ORDER BY device_id",
	 put_row},
	{"iova_space",
	 "SELECT device_id, device, generation, low, high, span_bytes, peak_live_bytes, fill"
	 " FROM iova_space ORDER BY device_id",
	 put_row},
	{"series", series_sql, put_series},
	{"not_judged",
	 "SELECT n.rule, d.name AS device, n.device_id, n.reason FROM " DMS_NOTES_SQL " AS n"
	 " LEFT JOIN device AS d ON d.id = n.device_id ORDER BY n.id",
	 put_row},
	{"gaps", "SELECT cpu, instance, after_ns, before_ns, lost FROM gap ORDER BY id", put_row},
	{"tracepoints",
	 "SELECT file_id, system, name, records, malformed, reason, decoded FROM tracepoint"
	 " ORDER BY file_id, system, name",
	 put_row},
};

static struct dms_error *put_member(const struct source *source, const struct member *member,
				    FILE *out)
{
	sqlite3_stmt *stmt = NULL;
	bool has_row = true, is_first = true;
	struct dms_error *err = export_prepare(source->db, member->sql, &stmt);

	fprintf(out, ",\n\"%s\":[", member->name);
	while (!err && !(err = export_step(stmt, &has_row)) && has_row) {
		err = member->put(source, stmt, is_first, out);
		is_first = false;
		if (!err)
			err = dms_check_written(out);
	}
	fputs("\n]", out);
	sqlite3_finalize(stmt);
	return err;
}

/* The summary without the lists that are told at length. */
static struct dms_error *put_summary(struct sqlite3 *db, const struct dms_layout *layout,
				     FILE *out)
{
	static const char *const told[] = {"devices", "findings", "notes"};
	struct dms_summary *summary = NULL;
	struct dms_error *err = dms_summary_read_as(db, layout, &summary);
	json_t *object = err ? NULL : dms_summary_object(summary);

	for (size_t i = 0; object && i < DMS_ARRAY_SIZE(told); i++)
		json_object_del(object, told[i]);
	if (!err) {
		fprintf(out, "{\"dmascope\":\"%s\",\"version\":1,\n\"run\":", DMS_VERSION);
		if (!object || (json_dumpf(object, out, COMPACT | JSON_SORT_KEYS) && !ferror(out)))
			err = &dms_error_nomem;
	}
	json_decref(object);
	dms_summary_destroy(summary);
	return err;
}

struct dms_error *dms_export_json(struct sqlite3 *db, const struct dms_layout *layout, FILE *out)
{
	const struct source source = {.db = db, .layout = layout};
	struct dms_error *err = put_summary(db, layout, out);

	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(members); i++)
		err = put_member(&source, &members[i], out);
	fputs("\n}\n", out);
	return err ? err : dms_check_written(out);
}

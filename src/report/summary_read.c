// SPDX-License-Identifier: LGPL-2.1-only
/* Read the summary of a finished run back from its database. */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/store.h>

#include "local.h"

/** A summary and all it points to. */
struct summary_box {
	struct dms_summary summary; /* first: what the caller holds */
	struct dms_arena *arena;
	struct dms_device_summary *devices;
	struct dms_note *notes;
	struct dms_finding_summary *findings;
	const char **inputs, **formats;
	size_t devices_capacity, notes_capacity, findings_capacity, inputs_capacity, formats_capacity;
};

enum run_type { RUN_TEXT, RUN_BOOL, RUN_U64 };

/* Keys of table run. What is missing keeps what the other tables said, or its zero. */
static const struct {
	const char *key;
	enum run_type type;
	size_t offset;
} run_keys[] = {
	{"kernel", RUN_TEXT, offsetof(struct dms_summary, kernel)},
	{"clock", RUN_TEXT, offsetof(struct dms_summary, clock)},
	{"clock_is_ns", RUN_BOOL, offsetof(struct dms_summary, clock_is_ns)},
	{"complete", RUN_BOOL, offsetof(struct dms_summary, complete)},
	{"first_ns", RUN_U64, offsetof(struct dms_summary, first_ts)},
	{"last_ns", RUN_U64, offsetof(struct dms_summary, last_ts)},
	{"counted_from_ns", RUN_U64, offsetof(struct dms_summary, told_from_ts)},
	{"counted_to_ns", RUN_U64, offsetof(struct dms_summary, told_to_ts)},
	{"records", RUN_U64, offsetof(struct dms_summary, records)},
	{"events", RUN_U64, offsetof(struct dms_summary, events)},
	{"malformed", RUN_U64, offsetof(struct dms_summary, malformed)},
	{"gaps", RUN_U64, offsetof(struct dms_summary, gaps)},
	{"clock_gaps", RUN_U64, offsetof(struct dms_summary, clock_gaps)},
	{"lost_events", RUN_U64, offsetof(struct dms_summary, lost_events)},
};

/* A copy of column @index that lives as long as the box; *@ret NULL for NULL. */
static bool keep_text(struct summary_box *box, sqlite3_stmt *stmt, int index, const char **ret)
{
	const char *text = (const char *)sqlite3_column_text(stmt, index);
	size_t bytes = (size_t)sqlite3_column_bytes(stmt, index);
	char *copy;

	*ret = NULL;
	if (!text)
		return true;
	copy = dms_arena_alloc(box->arena, bytes + 1);
	if (copy)
		memcpy(copy, text, bytes);
	*ret = copy;
	return copy != NULL;
}

/* The same where our schema has no NULL: the database may be somebody else's. */
static bool keep_needed(struct summary_box *box, sqlite3_stmt *stmt, int index, const char **ret)
{
	bool is_kept = keep_text(box, stmt, index, ret);

	if (is_kept && !*ret)
		*ret = "-";
	return is_kept;
}

static bool take_run(struct summary_box *box, sqlite3_stmt *stmt)
{
	const char *key = (const char *)sqlite3_column_text(stmt, 0);
	const char *value = (const char *)sqlite3_column_text(stmt, 1);

	for (size_t i = 0; key && value && i < DMS_ARRAY_SIZE(run_keys); i++) {
		void *place = (char *)&box->summary + run_keys[i].offset;

		if (strcmp(run_keys[i].key, key))
			continue;
		if (run_keys[i].type == RUN_TEXT)
			return keep_text(box, stmt, 1, place);
		if (run_keys[i].type == RUN_BOOL)
			*(bool *)place = !strcmp(value, "1");
		else
			*(uint64_t *)place = strtoull(value, NULL, 10);
	}
	return true;
}

static bool take_input(struct summary_box *box, sqlite3_stmt *stmt)
{
	size_t n = box->summary.n_inputs;

	if (!dms_grow(&box->inputs, &box->inputs_capacity, n + 1, sizeof(char *)) ||
	    !dms_grow(&box->formats, &box->formats_capacity, n + 1, sizeof(char *)) ||
	    !keep_needed(box, stmt, 0, &box->inputs[n]) ||
	    !keep_needed(box, stmt, 1, &box->formats[n]))
		return false;
	box->summary.n_inputs++;
	return true;
}

static bool take_note(struct summary_box *box, sqlite3_stmt *stmt)
{
	size_t n = box->summary.n_notes;

	if (!dms_grow(&box->notes, &box->notes_capacity, n + 1, sizeof(*box->notes)) ||
	    !keep_text(box, stmt, 0, &box->notes[n].rule) ||
	    !keep_text(box, stmt, 1, &box->notes[n].device) ||
	    !keep_needed(box, stmt, 2, &box->notes[n].reason))
		return false;
	box->summary.n_notes++;
	return true;
}

/* The calls of a finding: the row's own, and those its facts tell; their names come later. */
static bool take_calls(struct summary_box *box, sqlite3_stmt *stmt,
		       struct dms_finding_summary *finding)
{
	struct dms_call_summary *calls =
		dms_arena_alloc(box->arena, DMS_MAX_CALLS * sizeof(*calls));

	if (!calls)
		return false;
	calls[0] = (struct dms_call_summary){
		.what = DMS_CALL_BROKE,
		.ts = finding->first_ts,
		.cpu = (uint32_t)sqlite3_column_int64(stmt, 7),
		.pid = (uint32_t)sqlite3_column_int64(stmt, 8),
		.has_task = sqlite3_column_type(stmt, 8) != SQLITE_NULL,
		.stack_id = (uint64_t)sqlite3_column_int64(stmt, 9),
	};
	finding->calls = calls;
	finding->n_calls = 1;
	return !dms_calls_of_facts((const char *)sqlite3_column_text(stmt, 10), box->arena, calls,
				   &finding->n_calls); /* it knows no other error */
}

static bool take_finding(struct summary_box *box, sqlite3_stmt *stmt)
{
	size_t n = box->summary.n_findings;
	struct dms_finding_summary *finding;

	if (!dms_grow(&box->findings, &box->findings_capacity, n + 1, sizeof(*box->findings)))
		return false;
	finding = &box->findings[n];
	finding->count = (uint64_t)sqlite3_column_int64(stmt, 3);
	finding->first_ts = (uint64_t)sqlite3_column_int64(stmt, 4);
	if (!keep_needed(box, stmt, 0, &finding->rule) ||
	    !keep_needed(box, stmt, 1, &finding->severity) ||
	    !keep_text(box, stmt, 2, &finding->device) ||
	    !keep_needed(box, stmt, 5, &finding->confidence) ||
	    !keep_needed(box, stmt, 6, &finding->message) ||
	    !keep_text(box, stmt, 11, &finding->reason) ||
	    !keep_text(box, stmt, 12, &finding->fingerprint) || !take_calls(box, stmt, finding))
		return false;
	box->summary.n_findings++;
	return true;
}

static uint64_t thousandths(sqlite3_stmt *stmt, int index)
{
	double value = 1000 * sqlite3_column_double(stmt, index);

	/* a damaged file may hold anything */
	return value > 0 && value < 1e18 ? (uint64_t)(value + 0.5) : 0;
}

/* The view's columns are called as ours: no second list of them. */
static bool take_figure(struct summary_box *box, sqlite3_stmt *stmt, int index,
			struct dms_device_summary *device)
{
	const char *name = sqlite3_column_name(stmt, index);

	for (size_t i = 0; name && i < dms_n_device_columns; i++) {
		const struct dms_column *column = &dms_device_columns[i];
		void *place = (char *)device + column->offset;
		bool is_null = sqlite3_column_type(stmt, index) == SQLITE_NULL;

		if (strcmp(column->key, name))
			continue;
		if (column->type == DMS_COLUMN_TEXT)
			return keep_text(box, stmt, index, place);
		if (column->type == DMS_COLUMN_U32)
			*(uint32_t *)place = (uint32_t)sqlite3_column_int64(stmt, index);
		else if (dms_column_is_rate(column))
			*(uint64_t *)place = is_null ? UINT64_MAX : thousandths(stmt, index);
		else
			*(uint64_t *)place =
				is_null ? UINT64_MAX : (uint64_t)sqlite3_column_int64(stmt, index);
	}
	return name != NULL;
}

static bool take_device(struct summary_box *box, sqlite3_stmt *stmt)
{
	size_t n = box->summary.n_devices;

	if (!dms_grow(&box->devices, &box->devices_capacity, n + 1, sizeof(*box->devices)))
		return false;
	for (int i = 0; i < sqlite3_column_count(stmt); i++) {
		if (!take_figure(box, stmt, i, &box->devices[n]))
			return false;
	}
	box->summary.n_devices++;
	return true;
}

#define GRAVITY(table)                                                                             \
	"CASE " table ".severity WHEN 'error' THEN 2 WHEN 'warning' THEN 1 ELSE 0 END"

/* One row for each rule and device: all are counted, the first of the gravest is shown. */
static const char findings_sql[] =
	"WITH g AS (SELECT f.id, " GRAVITY("f") " AS gravity,"
	" row_number() OVER (PARTITION BY f.rule, f.device_id"
	" ORDER BY " GRAVITY("f") " DESC, f.id) AS nth FROM finding AS f)"
	" SELECT f.rule, f.severity, d.name, c.n, f.ts_ns, f.confidence, f.message, f.cpu, f.pid,"
	" f.stack_id, f.facts, f.reason, f.fingerprint"
	" FROM g JOIN finding AS f ON f.id = g.id AND g.nth = 1"
	" LEFT JOIN (SELECT rule, device_id, sum(count) AS n FROM finding_group GROUP BY rule, device_id)"
	" AS c ON c.rule = f.rule AND c.device_id IS f.device_id"
	" LEFT JOIN device AS d ON d.id = f.device_id"
	" ORDER BY g.gravity DESC, f.rule, f.device_id";

static const struct {
	const char *sql;
	bool (*take)(struct summary_box *box, sqlite3_stmt *stmt);
} readings[] = {
	{"SELECT key, value FROM run ORDER BY key", take_run},
	{"SELECT path, format FROM input_file ORDER BY id", take_input},
	{"SELECT f.* FROM temp.device_figures AS f JOIN temp.device_order AS o USING (device_id)"
	 " ORDER BY o.place",
	 take_device},
	{"SELECT n.rule, d.name, n.reason FROM " DMS_NOTES_SQL " AS n"
	 " LEFT JOIN device AS d ON d.id = n.device_id ORDER BY n.id",
	 take_note},
	{findings_sql, take_finding},
};

struct dms_error *dms_read_error(struct sqlite3 *db, const char *doing)
{
	static const int damage[] = {SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_IOERR, SQLITE_CANTOPEN,
				     SQLITE_ERROR /* a table of the schema is missing */};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(damage); i++) {
		if ((sqlite3_errcode(db) & 0xff) == damage[i])
			return dms_error_new(DMS_ERROR_INPUT, "%s: %s", doing, sqlite3_errmsg(db));
	}
	return dms_db_error(db, doing);
}

static struct dms_error *read_rows(struct sqlite3 *db, const char *sql, struct summary_box *box,
				   bool (*take)(struct summary_box *box, sqlite3_stmt *stmt))
{
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err = NULL;
	int rc;

	rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW && !take(box, stmt)) {
			err = &dms_error_nomem;
			break;
		}
	}
	if (!err && rc != SQLITE_DONE)
		err = dms_read_error(db, "reading the summary");
	sqlite3_finalize(stmt);
	return err;
}

struct dms_error *dms_summary_read(struct sqlite3 *db, struct dms_summary **ret)
{
	return dms_summary_read_as(db, NULL, ret);
}

struct dms_error *dms_summary_read_as(struct sqlite3 *db, const struct dms_layout *layout,
				      struct dms_summary **ret)
{
	struct summary_box *box = dms_zalloc(sizeof(*box));
	struct dms_error *err;

	if (!box || !(box->arena = dms_arena_create())) {
		dms_free(box);
		return &dms_error_nomem;
	}
	box->summary.layout = layout;
	err = dms_layout_prepare(db, layout);
	box->summary.clock_is_ns = true;
	box->summary.first_ts = UINT64_MAX;
	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(readings); i++)
		err = read_rows(db, readings[i].sql, box, readings[i].take);
	if (!err)
		err = dms_calls_name(db, box->arena, box->findings, box->summary.n_findings);
	if (err) {
		dms_summary_destroy(&box->summary);
		return err;
	}
	box->summary.inputs = box->inputs;
	box->summary.formats = box->formats;
	box->summary.devices = box->devices;
	box->summary.notes = box->notes;
	box->summary.findings = box->findings;
	*ret = &box->summary;
	return NULL;
}

void dms_summary_destroy(struct dms_summary *summary)
{
	struct summary_box *box = (struct summary_box *)summary;

	if (!box)
		return;
	dms_arena_destroy(box->arena);
	dms_free(box->devices);
	dms_free(box->notes);
	dms_free(box->findings);
	dms_free(box->inputs);
	dms_free(box->formats);
	dms_free(box);
}

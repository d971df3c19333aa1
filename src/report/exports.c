// SPDX-License-Identifier: LGPL-2.1-only
/* Rows, views and strings, as all exports of a run need them. */
#include <jansson.h>
#include <string.h>

#include "exports.h"

struct dms_error *export_prepare(struct sqlite3 *db, const char *sql, sqlite3_stmt **ret)
{
	*ret = NULL;
	if (sqlite3_prepare_v2(db, sql, -1, ret, NULL) != SQLITE_OK)
		return dms_read_error(db, "reading the run");
	return NULL;
}

struct dms_error *export_step(sqlite3_stmt *stmt, bool *ret)
{
	int rc = sqlite3_step(stmt);

	*ret = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return NULL;
	return dms_read_error(sqlite3_db_handle(stmt), "reading the run");
}

/* ---- a scan: an aggregate function that only looks ------------------------------------------- */

#define SEE "dms_see"

struct scan {
	export_see_fn see;
	void *context;
};

static void see_row(sqlite3_context *call, int n_values, sqlite3_value **values)
{
	struct scan *scan = sqlite3_user_data(call);

	(void)n_values;
	if (!scan->see(scan->context, values))
		sqlite3_result_error_nomem(call);
}

static void see_end(sqlite3_context *call)
{
	sqlite3_result_null(call);
}

/* Only our own statement may call it: not the views of a file that comes from anybody. */
static struct dms_error *define_see(struct sqlite3 *db, struct scan *scan)
{
	int rc = sqlite3_create_function_v2(db, SEE, -1, SQLITE_UTF8 | SQLITE_DIRECTONLY, scan, NULL,
					    scan ? see_row : NULL, scan ? see_end : NULL, NULL);

	return rc == SQLITE_OK ? NULL : dms_read_error(db, "reading the run");
}

struct dms_error *export_scan(struct sqlite3 *db, const char *columns, const char *from,
			      export_see_fn see, void *context)
{
	_cleanup_(dms_freep) char *sql =
		dms_asprintf("SELECT " SEE "(%s) FROM %s", columns, from);
	struct scan scan = {.see = see, .context = context};
	sqlite3_stmt *stmt = NULL;
	bool has_row;
	struct dms_error *err = sql ? define_see(db, &scan) : &dms_error_nomem;

	if (err)
		return err;
	if (!(err = export_prepare(db, sql, &stmt)))
		err = export_step(stmt, &has_row);
	sqlite3_finalize(stmt);
	dms_error_free(define_see(db, NULL));
	return err;
}

/* ---- views, strings, numbers ----------------------------------------------------------------- */

/*
 * The views of the file read the tables of the file. The same view in schema temp reads the
 * tables of schema temp, if there are any of that name.
 */
struct dms_error *export_views(struct sqlite3 *db)
{
	struct ddl ddl = {0};

	while (ddl_next(&ddl)) {
		_cleanup_(dms_freep) char *sql = NULL;

		if (!ddl.is_view)
			continue;
		sql = dms_asprintf("CREATE TEMP VIEW IF NOT EXISTS %.*s",
				   (int)(ddl.end - ddl.begin - strlen("CREATE VIEW ")),
				   ddl.begin + strlen("CREATE VIEW "));
		if (!sql)
			return &dms_error_nomem;
		if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
			return dms_read_error(db, "choosing what to report");
	}
	return NULL;
}

const char *export_text(sqlite3_stmt *stmt, int index, size_t *ret_bytes)
{
	const char *text = (const char *)sqlite3_column_text(stmt, index);

	*ret_bytes = (size_t)sqlite3_column_bytes(stmt, index);
	return text;
}

struct dms_error *export_run_i64(struct sqlite3 *db, const char *key, int64_t fallback,
				 int64_t *ret)
{
	static const char sql[] = "SELECT CAST(value AS INTEGER) FROM run"
				  " WHERE key = ?1 AND value IS NOT NULL";
	sqlite3_stmt *stmt;
	bool has_row = false;
	struct dms_error *err = export_prepare(db, sql, &stmt);

	if (!err) {
		sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
		err = export_step(stmt, &has_row);
	}
	*ret = has_row ? sqlite3_column_int64(stmt, 0) : fallback;
	sqlite3_finalize(stmt);
	return err;
}

void export_integer(FILE *out, int64_t value)
{
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[24], *at = digits + sizeof(digits);

	do {
		*--at = (char)('0' + rest % 10);
	} while (rest /= 10);
	if (value < 0)
		*--at = '-';
	fwrite(at, 1, (size_t)(digits + sizeof(digits) - at), out);
}

/* Nothing in it that JSON writes in another way. */
static bool is_plain(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
			return false;
	}
	return true;
}

bool export_json_string(FILE *out, const char *text, size_t bytes)
{
	json_t *string;
	int failed;

	if (text && is_plain(text, bytes)) {
		putc('"', out);
		fwrite(text, 1, bytes, out);
		putc('"', out);
		return true;
	}
	string = text ? dms_json_text(text, bytes) : json_null();
	failed = !string || json_dumpf(string, out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	json_decref(string);
	return !failed || ferror(out);
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Run one SQL statement that only reads, and print its rows as they come. */
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <sqlite3.h>
#include <string.h>

#include <dmascope/store.h>

#include "local.h"

/* Rows a table looks at before it settles its widths; memory stays bounded by it. */
#define TABLE_ROWS 1000

/** One query being printed. */
struct printing {
	sqlite3_stmt *stmt;
	FILE *out;
	struct dms_table *table; /* table format */
	char **keys;		 /* JSON: names of the columns, made unique */
	uint64_t n_rows;
};

/** A format: what to do before the first row, for each, and after the last. */
struct row_printer {
	struct dms_error *(*begin)(struct printing *printing);
	struct dms_error *(*row)(struct printing *printing);
	struct dms_error *(*end)(struct printing *printing);
};

/* ---- values ------------------------------------------------------------------------------------
 */

/* The value's bytes as text; a blob as hex digits in *@ret_owned. NULL for NULL or no memory. */
static const char *value_text(sqlite3_stmt *stmt, int index, size_t *ret_bytes, char **ret_owned)
{
	const unsigned char *blob;
	const char *text;
	char *hex;

	*ret_owned = NULL;
	if (sqlite3_column_type(stmt, index) != SQLITE_BLOB) {
		text = (const char *)sqlite3_column_text(stmt, index);
		*ret_bytes = (size_t)sqlite3_column_bytes(stmt, index);
		return text;
	}
	blob = sqlite3_column_blob(stmt, index);
	*ret_bytes = (size_t)sqlite3_column_bytes(stmt, index) * 2;
	*ret_owned = hex = dms_alloc(*ret_bytes + 1);
	for (size_t i = 0; hex && i < *ret_bytes / 2; i++)
		sprintf(hex + 2 * i, "%02x", blob[i]);
	if (hex)
		hex[*ret_bytes] = '\0';
	return hex;
}

static bool is_number(int type)
{
	return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

/* ---- table -------------------------------------------------------------------------------------
 */

static struct dms_error *table_begin(struct printing *printing)
{
	int n_columns = sqlite3_column_count(printing->stmt);

	printing->table = dms_table_create((size_t)n_columns);
	if (!printing->table)
		return &dms_error_nomem;
	for (int i = 0; i < n_columns; i++) {
		const char *name = sqlite3_column_name(printing->stmt, i);

		if (!name || !dms_table_title(printing->table, name))
			return &dms_error_nomem;
	}
	return NULL;
}

static struct dms_error *table_end(struct printing *printing)
{
	/* nothing left to print, unless there never was a row: then the titles alone */
	if (dms_table_rows(printing->table) || !printing->n_rows)
		dms_table_print(printing->table, printing->out, 0, false);
	return NULL;
}

static bool table_value(struct printing *printing, int index)
{
	_cleanup_(dms_freep) char *owned = NULL;
	_cleanup_(dms_freep) char *shown = NULL;
	int type = sqlite3_column_type(printing->stmt, index);
	const char *text;
	size_t bytes;

	if (type == SQLITE_NULL)
		return dms_table_cell(printing->table, "-", true);
	text = value_text(printing->stmt, index, &bytes, &owned);
	/* here rather than in the table: a text may hold NUL bytes */
	shown = text ? dms_escape(text, bytes, DMS_ESCAPE_TEXT) : NULL;
	return shown && dms_table_cell(printing->table, shown, is_number(type));
}

static struct dms_error *table_row(struct printing *printing)
{
	for (int i = 0; i < sqlite3_column_count(printing->stmt); i++) {
		if (!table_value(printing, i))
			return &dms_error_nomem;
	}
	if (dms_table_rows(printing->table) >= TABLE_ROWS)
		dms_table_print(printing->table, printing->out, 0, false);
	return NULL;
}

/* ---- CSV ---------------------------------------------------------------------------------------
 */

static struct dms_error *csv_begin(struct printing *printing)
{
	struct dms_error *err = NULL;

	for (int i = 0; !err && i < sqlite3_column_count(printing->stmt); i++) {
		const char *name = sqlite3_column_name(printing->stmt, i);

		err = name ? dms_csv_text(printing->out, i == 0, name, strlen(name))
			   : &dms_error_nomem;
	}
	dms_csv_end_line(printing->out);
	return err;
}

static struct dms_error *csv_value(struct printing *printing, int index)
{
	_cleanup_(dms_freep) char *owned = NULL;
	int type = sqlite3_column_type(printing->stmt, index);
	const char *text = "";
	size_t bytes = 0;

	if (type != SQLITE_NULL)
		text = value_text(printing->stmt, index, &bytes, &owned);
	if (!text)
		return &dms_error_nomem;
	if (type != SQLITE_NULL && !is_number(type))
		return dms_csv_text(printing->out, index == 0, text, bytes);
	dms_csv_plain(printing->out, index == 0, text);
	return NULL;
}

static struct dms_error *csv_row(struct printing *printing)
{
	struct dms_error *err = NULL;

	for (int i = 0; !err && i < sqlite3_column_count(printing->stmt); i++)
		err = csv_value(printing, i);
	dms_csv_end_line(printing->out);
	return err;
}

/* ---- JSON --------------------------------------------------------------------------------------
 */

static bool is_key_taken(const struct printing *printing, int n_keys, const char *key)
{
	for (int i = 0; i < n_keys; i++) {
		if (!strcmp(printing->keys[i], key))
			return true;
	}
	return false;
}

/* "SELECT a, a" has two columns, an object one member of a name: the second is "a_2". */
static char *unique_key(const struct printing *printing, int index)
{
	const char *name = sqlite3_column_name(printing->stmt, index);
	char *key = name ? dms_escape(name, strlen(name), DMS_ESCAPE_JSON) : NULL;

	for (int number = 2; key && is_key_taken(printing, index, key); number++) {
		dms_free(key);
		key = dms_asprintf("%s_%d", name, number);
	}
	return key;
}

static struct dms_error *json_begin(struct printing *printing)
{
	int n_columns = sqlite3_column_count(printing->stmt);

	printing->keys = dms_zalloc((size_t)n_columns * sizeof(char *));
	for (int i = 0; printing->keys && i < n_columns; i++) {
		printing->keys[i] = unique_key(printing, i);
		if (!printing->keys[i])
			return &dms_error_nomem;
	}
	fputc('[', printing->out);
	return printing->keys ? NULL : &dms_error_nomem;
}

static json_t *json_value(sqlite3_stmt *stmt, int index)
{
	_cleanup_(dms_freep) char *owned = NULL;
	const char *text;
	size_t bytes;

	switch (sqlite3_column_type(stmt, index)) {
	case SQLITE_NULL:
		return json_null();
	case SQLITE_INTEGER:
		return json_integer(sqlite3_column_int64(stmt, index));
	case SQLITE_FLOAT:
		return dms_json_real(sqlite3_column_double(stmt, index));
	default:
		text = value_text(stmt, index, &bytes, &owned);
		return text ? dms_json_text(text, bytes) : NULL;
	}
}

static struct dms_error *json_row(struct printing *printing)
{
	json_t *object = json_object();
	bool failed = !object;

	for (int i = 0; i < sqlite3_column_count(printing->stmt); i++)
		failed |= json_object_set_new(object, printing->keys[i],
					      json_value(printing->stmt, i)) != 0;
	fputs(printing->n_rows ? ",\n" : "\n", printing->out);
	if (!failed)
		failed = json_dumpf(object, printing->out,
				    JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15)) &&
			 !ferror(printing->out);
	json_decref(object);
	return failed ? &dms_error_nomem : NULL;
}

static struct dms_error *json_end(struct printing *printing)
{
	fputs(printing->n_rows ? "\n]\n" : "]\n", printing->out);
	return NULL;
}

static const struct row_printer printers[] = {
	[DMS_FORMAT_TEXT] = {table_begin, table_row, table_end},
	[DMS_FORMAT_CSV] = {csv_begin, csv_row, NULL},
	[DMS_FORMAT_JSON] = {json_begin, json_row, json_end},
};

/* ---- the statement -----------------------------------------------------------------------------
 */

/* sqlite3_stmt_readonly() is true of these, but they reach beyond the run's file. */
static int authorize(void *context, int action, const char *first, const char *second,
		     const char *third, const char *fourth)
{
	(void)context, (void)first, (void)second, (void)third, (void)fourth;
	switch (action) {
	case SQLITE_ATTACH:
	case SQLITE_DETACH:
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
		return SQLITE_DENY;
	default:
		return SQLITE_OK;
	}
}

/* SQLite's words before a name it does not know, and where the known ones stand. */
static const struct {
	const char *message, *sql;
} known_names[] = {
	{"no such table: ", "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"},
	{"no such column: ", "SELECT DISTINCT c.name FROM sqlite_schema AS s,"
			     " pragma_table_info(s.name) AS c WHERE s.type IN ('table', 'view')"},
};

/* The name nearest to the one in @message, in brackets; "" if it tells of none, or none is near. */
static const char *hint(struct sqlite3 *db, const char *message, char *buf, size_t size)
{
	struct dms_nearest nearest = {0};
	sqlite3_stmt *stmt = NULL;
	const char *name = message, *dot;

	buf[0] = '\0';
	for (size_t i = 0; i < DMS_ARRAY_SIZE(known_names) && !stmt; i++) {
		size_t len = strlen(known_names[i].message);

		if (strncmp(message, known_names[i].message, len) != 0)
			continue;
		name = message + len;
		if (sqlite3_prepare_v2(db, known_names[i].sql, -1, &stmt, NULL) != SQLITE_OK)
			return buf;
	}
	dot = strrchr(name, '.'); /* of which table was not at fault */
	name = dot ? dot + 1 : name;
	nearest = dms_nearest_to(name, strlen(name));
	while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
		const char *known = (const char *)sqlite3_column_text(stmt, 0);

		nearest.word = NULL;
		if (known)
			dms_nearest_try(&nearest, known);
		if (nearest.word)
			snprintf(buf, size, " (did you mean '%s'?)", known);
	}
	sqlite3_finalize(stmt);
	return buf;
}

static struct dms_error *sql_error(struct sqlite3 *db, const char *sql)
{
	int offset = sqlite3_error_offset(db), code = sqlite3_errcode(db) & 0xff;
	_cleanup_(dms_freep) char *message = dms_strdup(sqlite3_errmsg(db));
	char near[80];

	if (code == SQLITE_NOMEM || !message)
		return &dms_error_nomem;
	if (code == SQLITE_AUTH)
		return dms_error_new(DMS_ERROR_USAGE, "only SQL that reads is allowed");
	if (code != SQLITE_ERROR && code != SQLITE_RANGE && code != SQLITE_MISMATCH &&
	    code != SQLITE_TOOBIG && code != SQLITE_READONLY)
		return dms_read_error(db, "running SQL");
	hint(db, message, near, sizeof(near));
	if (offset < 0)
		return dms_error_new(DMS_ERROR_USAGE, "SQL: %s%s", message, near);
	return dms_error_new(DMS_ERROR_USAGE, "SQL: %s, at offset %d: \"%.20s\"%s", message, offset,
			     sql + offset, near);
}

/* Only blanks, comments and semicolons may follow the statement. */
static bool is_nothing(struct sqlite3 *db, const char *tail)
{
	sqlite3_stmt *more = NULL;
	const char *next;
	int rc;

	while (*tail) {
		rc = sqlite3_prepare_v2(db, tail, -1, &more, &next);
		sqlite3_finalize(more);
		if (rc != SQLITE_OK || more || next == tail)
			return false;
		tail = next;
	}
	return true;
}

static struct dms_error *prepare(struct sqlite3 *db, const char *sql, sqlite3_stmt **ret)
{
	const char *tail;

	if (sqlite3_prepare_v2(db, sql, -1, ret, &tail) != SQLITE_OK)
		return sql_error(db, sql);
	if (!*ret)
		return dms_error_new(DMS_ERROR_USAGE, "SQL: there is no statement in it");
	if (!sqlite3_stmt_readonly(*ret))
		return dms_error_new(DMS_ERROR_USAGE, "only SQL that reads is allowed");
	if (!is_nothing(db, tail))
		return dms_error_new(DMS_ERROR_USAGE, "SQL: one statement only");
	return NULL;
}

static struct dms_error *print_rows(struct sqlite3 *db, const char *sql,
				    const struct row_printer *printer, struct printing *printing)
{
	struct dms_error *err;
	int rc;

	if (!sqlite3_column_count(printing->stmt)) /* a PRAGMA that tells nothing */
		return NULL;
	err = printer->begin(printing);
	while (!err && (rc = sqlite3_step(printing->stmt)) == SQLITE_ROW) {
		err = printer->row(printing);
		printing->n_rows++;
		if (!err)
			err = dms_check_written(printing->out);
	}
	if (!err && rc != SQLITE_DONE)
		err = sql_error(db, sql);
	if (!err && printer->end)
		err = printer->end(printing);
	return err ? err : dms_check_written(printing->out);
}

struct dms_error *dms_query_print(struct sqlite3 *db, const char *sql, enum dms_output format,
				  FILE *out)
{
	struct printing printing = {.out = out};
	struct dms_error *err;
	int n_columns = 0;

	sqlite3_set_authorizer(db, authorize, NULL);
	err = prepare(db, sql, &printing.stmt);
	if (!err) {
		n_columns = sqlite3_column_count(printing.stmt);
		err = print_rows(db, sql, &printers[format], &printing);
	}
	sqlite3_set_authorizer(db, NULL, NULL);
	for (int i = 0; printing.keys && i < n_columns; i++)
		dms_free(printing.keys[i]);
	dms_free(printing.keys);
	dms_table_destroy(printing.table);
	sqlite3_finalize(printing.stmt);
	return err;
}

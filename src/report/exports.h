/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files that export a run share: reading rows, the schema's own words, JSON strings. */
#ifndef DMASCOPE_REPORT_EXPORTS_H
#define DMASCOPE_REPORT_EXPORTS_H

#include <sqlite3.h>

#include <dmascope/export.h>
#include <dmascope/store.h>

#include "local.h"

/* ---- exports.c ------------------------------------------------------------------------------- */

/** Prepare @sql. Ownership: *@ret is the caller's, sqlite3_finalize(); NULL after an error. */
struct dms_error *export_prepare(struct sqlite3 *db, const char *sql, sqlite3_stmt **ret);
/** Step @stmt: true in *@ret for a row, false at the end. */
struct dms_error *export_step(sqlite3_stmt *stmt, bool *ret);
/** Takes a row's @values; false: memory was short. */
typedef bool (*export_see_fn)(void *context, sqlite3_value **values);
/**
 * Have @see take each row of "SELECT @columns FROM @from". For tables of millions of rows: SQLite
 * hands the values over as they are read, in half the time that stepping from row to row takes.
 */
struct dms_error *export_scan(struct sqlite3 *db, const char *columns, const char *from,
			      export_see_fn see, void *context);
/** For dms_select(): let the views of the schema read what it has left of the tables. */
struct dms_error *export_views(struct sqlite3 *db);
/** Bytes of column @index, *@ret_bytes of them; NULL for NULL, or when memory is short. */
const char *export_text(sqlite3_stmt *stmt, int index, size_t *ret_bytes);

/** Value of @key in table run as a number; @fallback if it is not there. */
struct dms_error *export_run_i64(struct sqlite3 *db, const char *key, int64_t fallback,
				 int64_t *ret);

/** @value in decimal, many times as fast as fprintf(): most of an export are numbers. */
void export_integer(FILE *out, int64_t value);
/** @text (@bytes long; NULL: null) as a JSON string. false: memory. */
bool export_json_string(FILE *out, const char *text, size_t bytes);

/* ---- ddl.c: the schema, read as text --------------------------------------------------------- */

/** One table or view of dms_schema_sql; zeroed: before the first. */
struct ddl {
	bool is_view;
	char name[64];
	const char *begin, *end; /* from CREATE to behind the semicolon */
};
/** Go on to the next table or view; false: there is none. */
bool ddl_next(struct ddl *ddl);
/**
 * What the schema says of @column of @ddl, or of the whole (NULL); *@ret_bytes long. NULL: nothing.
 */
const char *ddl_comment(const struct ddl *ddl, const char *column, size_t *ret_bytes);

/* ---- csv_rows.c ------------------------------------------------------------------------------ */

/** One file of a CSV export. */
struct csv_file {
	const char *name;     /* of the table or view; the file is called so, with ".csv" */
	const char *order_by; /* NULL: as the rows are stored */
};
/** Write the rows of @file to @out, a header first. */
struct dms_error *csv_write_rows(struct sqlite3 *db, const struct csv_file *file, FILE *out,
				 uint64_t *ret_rows);

/* ---- csv_readme.c ---------------------------------------------------------------------------- */

/** First line of every README: an export of ours is known by it. */
extern const char csv_readme_mark[];
/** Write what comes before the files, then one file: its columns and what they mean. */
void csv_readme_head(FILE *out);
struct dms_error *csv_readme_file(struct sqlite3 *db, const struct ddl *ddl, uint64_t n_rows,
				  FILE *out);

/** The same for the table of devices, file @name. */
void csv_readme_table(const char *name, const struct dms_layout *layout, uint64_t n_rows,
		      FILE *out);

#endif

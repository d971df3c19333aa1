// SPDX-License-Identifier: LGPL-2.1-only
/* The rows of one table or view as RFC 4180 CSV. */
#include <csv.h>
#include <string.h>

#include "exports.h"

/* A short text of printable ASCII with nothing to escape needs no copy. */
static bool is_tame(const char *text, size_t bytes)
{
	if (!bytes || strchr("=+-@'", text[0]))
		return !bytes;
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] < ' ' || text[i] > '~' || text[i] == '\\')
			return false;
	}
	return true;
}

static struct dms_error *put_text(FILE *out, const char *text, size_t bytes)
{
	_cleanup_(dms_freep) char *harmless = NULL;
	char quoted[256];

	if (bytes < sizeof(quoted) / 2 - 2 && is_tame(text, bytes)) {
		fwrite(quoted, 1, csv_write(quoted, sizeof(quoted), text, bytes), out);
		return NULL;
	}
	harmless = dms_escape(text, bytes, DMS_ESCAPE_CELL);
	if (!harmless)
		return &dms_error_nomem;
	csv_fwrite(out, harmless, strlen(harmless));
	return NULL;
}

/* A number is told by its own type: one that begins with "-" is no formula, a text is. */
static struct dms_error *put_cell(FILE *out, sqlite3_stmt *stmt, int index)
{
	int type = sqlite3_column_type(stmt, index);
	const char *text;
	size_t bytes;

	if (type == SQLITE_NULL)
		return NULL;
	if (type == SQLITE_INTEGER) {
		export_integer(out, sqlite3_column_int64(stmt, index));
		return NULL;
	}
	text = export_text(stmt, index, &bytes);
	if (!text && !bytes && type == SQLITE_BLOB)
		text = ""; /* an empty blob has no address */
	if (!text)
		return &dms_error_nomem;
	if (type == SQLITE_FLOAT) {
		fwrite(text, 1, bytes, out);
		return NULL;
	}
	return put_text(out, text, bytes);
}

static struct dms_error *put_header(FILE *out, sqlite3_stmt *stmt)
{
	struct dms_error *err = NULL;

	for (int i = 0; !err && i < sqlite3_column_count(stmt); i++) {
		const char *name = sqlite3_column_name(stmt, i);

		if (i)
			putc(',', out);
		err = name ? put_text(out, name, strlen(name)) : &dms_error_nomem;
	}
	dms_csv_end_line(out);
	return err;
}

struct dms_error *csv_write_rows(struct sqlite3 *db, const struct csv_file *file, FILE *out,
				 uint64_t *ret_rows)
{
	_cleanup_(dms_freep) char *sql =
		dms_asprintf("SELECT * FROM %s%s%s", file->name, file->order_by ? " ORDER BY " : "",
			     file->order_by ? file->order_by : "");
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err = sql ? export_prepare(db, sql, &stmt) : &dms_error_nomem;
	bool has_row = true;
	int n_columns;

	*ret_rows = 0;
	if (!err)
		err = put_header(out, stmt);
	n_columns = sqlite3_column_count(stmt);
	while (!err && !(err = export_step(stmt, &has_row)) && has_row) {
		for (int i = 0; !err && i < n_columns; i++) {
			if (i)
				putc(',', out);
			err = put_cell(out, stmt, i);
		}
		dms_csv_end_line(out);
		++*ret_rows;
		if (!err)
			err = dms_check_written(out);
	}
	sqlite3_finalize(stmt);
	return err;
}

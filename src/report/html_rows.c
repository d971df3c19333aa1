// SPDX-License-Identifier: LGPL-2.1-only
/* Rows of the database as members of the HTML page's data. */
#include <string.h>

#include "html.h"

/* Longer texts are cut: a name may be as long as its owner likes. */
#define TEXT_BYTES 400

struct dms_error *html_prepare(const struct html_page *page, const char *sql, sqlite3_stmt **ret)
{
	const struct {
		const char *name;
		int64_t value;
	} parameters[] = {
		{":base", page->base_ns},	   {":top", page->limits.top},
		{":each", page->limits.each},	   {":details", page->limits.details},
		{":lanes", page->limits.lanes},
		{":notes", page->limits.notes},
		{":sorted", page->layout && page->layout->sort},
	};

	*ret = NULL;
	if (sqlite3_prepare_v2(page->db, sql, -1, ret, NULL) != SQLITE_OK)
		return dms_read_error(page->db, "reading the run");
	for (size_t i = 0; i < DMS_ARRAY_SIZE(parameters); i++) {
		int index = sqlite3_bind_parameter_index(*ret, parameters[i].name);

		if (index)
			sqlite3_bind_int64(*ret, index, parameters[i].value);
	}
	return NULL;
}

struct dms_error *html_step(const struct html_page *page, sqlite3_stmt *stmt, bool *ret)
{
	int rc = sqlite3_step(stmt);

	*ret = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return NULL;
	return dms_read_error(page->db, "reading the run");
}

struct dms_error *html_execute(const struct html_page *page, const char *sql)
{
	sqlite3_stmt *stmt;
	bool has_row = true;
	struct dms_error *err = html_prepare(page, sql, &stmt);

	while (!err && has_row)
		err = html_step(page, stmt, &has_row);
	sqlite3_finalize(stmt);
	return err;
}

json_t *html_value(sqlite3_stmt *stmt, int index)
{
	_cleanup_(dms_freep) char *harmless = NULL;
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
	text = (const char *)sqlite3_column_text(stmt, index);
	bytes = (size_t)sqlite3_column_bytes(stmt, index);
	harmless = text ? dms_escape(text, bytes > TEXT_BYTES ? TEXT_BYTES : bytes, DMS_ESCAPE_TEXT)
			: NULL;
	if (!harmless)
		return NULL;
	return bytes > TEXT_BYTES ? json_sprintf("%s...", harmless) : json_string(harmless);
}

static bool add_row(json_t *rows, sqlite3_stmt *stmt, int n_columns)
{
	json_t *row = json_array();

	for (int i = 0; row && i < n_columns; i++) {
		if (json_array_append_new(row, html_value(stmt, i))) {
			json_decref(row);
			return false;
		}
	}
	return !json_array_append_new(rows, row);
}

/* Names of the columns; the last one is no column of the table if it is called total_rows. */
static bool add_columns(json_t *columns, sqlite3_stmt *stmt, bool *ret_has_total)
{
	int n_columns = sqlite3_column_count(stmt);
	const char *last = sqlite3_column_name(stmt, n_columns - 1);

	*ret_has_total = last && !strcmp(last, "total_rows");
	for (int i = 0; i < n_columns - *ret_has_total; i++) {
		const char *name = sqlite3_column_name(stmt, i);

		if (!name || json_array_append_new(columns, json_string(name)))
			return false;
	}
	return true;
}

static struct dms_error *add_rows(struct html_page *page, sqlite3_stmt *stmt, json_t *table)
{
	json_t *columns = json_array(), *rows = json_array();
	bool has_total, has_row = true;
	struct dms_error *err = NULL;
	json_int_t total = 0;

	if (json_object_set_new(table, "columns", columns) ||
	    json_object_set_new(table, "rows", rows) || !add_columns(columns, stmt, &has_total))
		return &dms_error_nomem;
	while (!(err = html_step(page, stmt, &has_row)) && has_row) {
		int n_columns = sqlite3_column_count(stmt) - has_total;

		if (!add_row(rows, stmt, n_columns))
			return &dms_error_nomem;
		total = has_total ? sqlite3_column_int64(stmt, n_columns) : total + 1;
	}
	if (!err && json_object_set_new(table, "total", json_integer(total)))
		err = &dms_error_nomem;
	return err;
}

struct dms_error *html_table(struct html_page *page, const char *name, const char *sql)
{
	json_t *table = json_object();
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err;

	if (json_object_set_new(page->root, name, table))
		return &dms_error_nomem;
	err = html_prepare(page, sql, &stmt);
	if (!err)
		err = add_rows(page, stmt, table);
	sqlite3_finalize(stmt);
	return err;
}

unsigned int html_step_of(uint64_t value)
{
	unsigned int exponent;

	if (value < 4)
		return (unsigned int)value;
	exponent = 63 - (unsigned int)__builtin_clzll(value);
	return 4 * (exponent - 1) + (unsigned int)(value >> (exponent - 2) & 3);
}

json_t *html_steps_json(const uint64_t counts[static HTML_STEPS])
{
	json_t *steps = json_array();

	for (unsigned int i = 0; steps && i < HTML_STEPS; i++) {
		if (counts[i] &&
		    json_array_append_new(steps, json_pack("[iI]", i, (json_int_t)counts[i]))) {
			json_decref(steps);
			return NULL;
		}
	}
	return steps;
}

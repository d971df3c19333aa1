// SPDX-License-Identifier: LGPL-2.1-only
/* An answer of the server as a table of SQLite, so that it is printed as every table is. */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/store.h>

#include "local.h"

/* The format TabSeparatedWithNamesAndTypes of ClickHouse's manual: fields end with a tab or a
 * line's end, what would be taken for one is escaped with a backslash; the first line has names,
 * the second types. */

struct reading {
	char *at, *end; /* what is left of the answer */
	struct sqlite3 *db;
	sqlite3_stmt *insert;
	bool *is_number; /* of each column */
	size_t n_columns, capacity;
};

static struct dms_error *bad_answer(const char *why)
{
	return dms_error_new(DMS_ERROR_INPUT, "the server's answer is no table: %s", why);
}

/* Unescapes in place. *@ret NULL: a NULL. @ret_end: the tab or line's end behind it, '\0': none. */
static size_t take_field(struct reading *reading, char **ret, char *ret_end)
{
	static const char letters[] = "bfnrt0";
	static const char meant[] = "\b\f\n\r\t";
	char *to = reading->at, *begin = to;
	const char *letter;

	*ret = begin;
	*ret_end = '\0';
	for (; reading->at < reading->end; reading->at++) {
		char c = *reading->at;

		if (c == '\t' || c == '\n') {
			*ret_end = c;
			reading->at++;
			break;
		}
		if (c == '\\' && reading->at + 1 < reading->end) {
			c = *++reading->at;
			if (c == 'N' && to == begin)
				*ret = NULL;
			else if ((letter = strchr(letters, c)) && c)
				c = meant[letter - letters];
		}
		*to++ = c;
	}
	return (size_t)(to - begin);
}

static bool is_number_type(const char *type, size_t n)
{
	static const char *const beginnings[] = {"UInt",	  "Int",	  "Float",
						 "Nullable(UInt", "Nullable(Int", "Nullable(Float"};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(beginnings); i++) {
		size_t len = strlen(beginnings[i]);

		if (n >= len && !memcmp(type, beginnings[i], len))
			return true;
	}
	return false;
}

/* A column's name becomes part of SQL: in quotes, its own doubled. False: memory is short. */
static bool add_name(struct fleet_bytes *sql, const char *name, size_t n)
{
	bool is_added = fleet_bytes_print(sql, "%s\"", sql->n ? "," : "");

	for (size_t i = 0; is_added && i < n; i++)
		is_added = fleet_bytes_add(sql, &name[i], 1) &&
			   (name[i] != '"' || fleet_bytes_add(sql, "\"", 1));
	return is_added && fleet_bytes_add(sql, "\"", 1);
}

static struct dms_error *read_names(struct reading *reading, struct fleet_bytes *ret)
{
	char *name, end = '\t';
	size_t n;

	while (end == '\t') {
		n = take_field(reading, &name, &end);
		if (!name || !n || memchr(name, '\0', n))
			return bad_answer("a column has no name");
		if (!add_name(ret, name, n))
			return &dms_error_nomem;
		reading->n_columns++;
	}
	return end == '\n' ? NULL : bad_answer("it ends in the names of columns");
}

static struct dms_error *read_types(struct reading *reading)
{
	char *type, end = '\t';
	size_t n, number = 0;

	reading->is_number = dms_zalloc(reading->n_columns);
	if (!reading->is_number)
		return &dms_error_nomem;
	for (; end == '\t' && number < reading->n_columns; number++) {
		n = take_field(reading, &type, &end);
		reading->is_number[number] = type && is_number_type(type, n);
	}
	return number == reading->n_columns && end == '\n' ? NULL
							   : bad_answer("names and types differ");
}

static struct dms_error *make_table(struct reading *reading, const struct fleet_bytes *names)
{
	struct fleet_bytes sql = {0};
	int rc = SQLITE_NOMEM;
	bool is_made;

	is_made = fleet_bytes_print(&sql, "CREATE TABLE result(%.*s)", (int)names->n,
				    (const char *)names->data) &&
		  fleet_bytes_add(&sql, "", 1);
	if (is_made)
		rc = sqlite3_exec(reading->db, (char *)sql.data, NULL, NULL, NULL);
	sql.n = 0;
	is_made = rc == SQLITE_OK && fleet_bytes_print(&sql, "INSERT INTO result VALUES (?");
	for (size_t i = 1; is_made && i < reading->n_columns; i++)
		is_made = fleet_bytes_print(&sql, ",?");
	if (is_made && fleet_bytes_add(&sql, ")", 2))
		rc = sqlite3_prepare_v2(reading->db, (char *)sql.data, -1, &reading->insert, NULL);
	dms_free(sql.data);
	if (rc == SQLITE_OK && reading->insert)
		return NULL;
	return rc == SQLITE_OK || rc == SQLITE_NOMEM ? &dms_error_nomem
						      : bad_answer(sqlite3_errmsg(reading->db));
}

/* What is no number SQLite knows stays text, as 2^63 and above. Return: as sqlite3_bind_text(). */
static int bind_number(sqlite3_stmt *stmt, int index, const char *text, size_t n)
{
	char digits[40], *end;
	long long integer;
	double real;

	if (n >= sizeof(digits))
		return sqlite3_bind_text(stmt, index, text, (int)n, SQLITE_TRANSIENT);
	memcpy(digits, text, n);
	digits[n] = '\0';
	errno = 0;
	integer = strtoll(digits, &end, 10);
	if (!errno && end != digits && !*end)
		return sqlite3_bind_int64(stmt, index, integer);
	real = strtod(digits, &end);
	if (strpbrk(digits, ".e") && end != digits && !*end)
		return sqlite3_bind_double(stmt, index, real);
	if (!strcmp(digits, "nan") || strstr(digits, "inf")) /* of nothing: not known */
		return sqlite3_bind_null(stmt, index);
	return sqlite3_bind_text(stmt, index, text, (int)n, SQLITE_TRANSIENT);
}

static struct dms_error *read_row(struct reading *reading)
{
	char *value, end = '\t';
	size_t n, number = 0;

	for (; end == '\t' && number < reading->n_columns; number++) {
		int index = (int)number + 1, rc;

		n = take_field(reading, &value, &end);
		if (!value)
			rc = sqlite3_bind_null(reading->insert, index);
		else if (reading->is_number[number])
			rc = bind_number(reading->insert, index, value, n);
		else
			rc = sqlite3_bind_text(reading->insert, index, value, (int)n,
					       SQLITE_TRANSIENT);
		if (rc != SQLITE_OK) /* it would stay NULL */
			return dms_db_error(reading->db, "reading the server's answer");
	}
	if (number != reading->n_columns || end != '\n')
		return bad_answer("a row has another number of columns, or no end");
	sqlite3_step(reading->insert);
	return sqlite3_reset(reading->insert) == SQLITE_OK
		       ? NULL
		       : dms_db_error(reading->db, "reading the server's answer");
}

static struct dms_error *read_all(struct reading *reading)
{
	_cleanup_(dms_freep) uint8_t *names_data = NULL;
	struct fleet_bytes names = {0};
	struct dms_error *err = read_names(reading, &names);

	names_data = names.data;
	if (!err)
		err = read_types(reading);
	if (!err)
		err = make_table(reading, &names);
	while (!err && reading->at < reading->end)
		err = read_row(reading);
	return err;
}

struct dms_error *fleet_result_read(const char *text, size_t bytes, struct sqlite3 **ret)
{
	_cleanup_(dms_freep) char *copy = dms_alloc(bytes + 1);
	struct reading reading = {.at = copy, .end = copy + bytes};
	struct dms_error *err;

	if (!copy || sqlite3_open(":memory:", &reading.db) != SQLITE_OK) {
		dms_db_close(reading.db);
		return &dms_error_nomem;
	}
	if (bytes)
		memcpy(copy, text, bytes);
	err = read_all(&reading);
	sqlite3_finalize(reading.insert);
	dms_free(reading.is_number);
	if (err)
		dms_db_close(reading.db);
	else
		*ret = reading.db;
	return err;
}

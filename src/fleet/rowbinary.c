// SPDX-License-Identifier: LGPL-2.1-only
/* A row of SQLite as ClickHouse's RowBinary (its manual: "Formats", RowBinary). */
#include <endian.h>
#include <sqlite3.h>
#include <string.h>

#include "local.h"

struct dms_error *fleet_row_check(struct sqlite3_stmt *stmt, const struct fleet_table *table)
{
	size_t n = (size_t)sqlite3_column_count(stmt);

	for (size_t i = 0; i < n || i < table->n_columns; i++) {
		const char *name = i < n ? sqlite3_column_name(stmt, (int)i) : "nothing";
		const char *wanted = i < table->n_columns ? table->columns[i].name : "nothing";

		if (!name || strcmp(name, wanted))
			return dms_error_new(DMS_ERROR_INTERNAL,
					     "push/%s.sql: column %zu is %s, the table wants %s",
					     table->name, i + 1, name ? name : "?", wanted);
	}
	return NULL;
}

/* The length of text, seven bits a byte, the lowest first. */
static bool add_length(struct fleet_bytes *bytes, uint64_t n)
{
	uint8_t digits[10];
	size_t n_digits = 0;

	do {
		digits[n_digits] = (uint8_t)(n & 0x7f);
		n >>= 7;
		if (n)
			digits[n_digits] |= 0x80;
		n_digits++;
	} while (n);
	return fleet_bytes_add(bytes, digits, n_digits);
}

/** A kind of number: bytes, and what fits. */
struct number_kind {
	size_t width;
	int64_t min, max;
};

static const struct number_kind number_kinds[] = {
	[FLEET_8] = {1, 0, UINT8_MAX},
	[FLEET_32] = {4, 0, UINT32_MAX},
	[FLEET_I32] = {4, INT32_MIN, INT32_MAX},
	/* unsigned 64-bit values lie in SQLite as two's complement */
	[FLEET_64] = {8, INT64_MIN, INT64_MAX},
};

static struct dms_error *add_text(struct fleet_bytes *bytes, sqlite3_stmt *stmt, int index,
				  const struct fleet_column *column)
{
	const void *data = sqlite3_column_blob(stmt, index);
	size_t n = (size_t)sqlite3_column_bytes(stmt, index);
	bool is_added;

	if (!data && sqlite3_errcode(sqlite3_db_handle(stmt)) == SQLITE_NOMEM)
		return &dms_error_nomem; /* a number of which no text could be made */
	if (column->kind == FLEET_ID && n != DMS_RUN_ID_BYTES)
		return dms_error_new(DMS_ERROR_INTERNAL, "column %s: %zu bytes", column->name, n);
	is_added = (column->kind == FLEET_ID || add_length(bytes, n)) &&
		   fleet_bytes_add(bytes, data, n);
	return is_added ? NULL : &dms_error_nomem;
}

static struct dms_error *add_value(struct fleet_bytes *bytes, sqlite3_stmt *stmt, int index,
				   const struct fleet_column *column)
{
	const struct number_kind *kind;
	uint64_t little;
	int64_t value;

	if (column->kind == FLEET_STRING || column->kind == FLEET_ID)
		return add_text(bytes, stmt, index, column);
	kind = &number_kinds[column->kind];
	value = sqlite3_column_int64(stmt, index);
	if (sqlite3_column_type(stmt, index) != SQLITE_INTEGER || value < kind->min ||
	    value > kind->max)
		return dms_error_new(DMS_ERROR_INPUT, "the value of column %s is out of range",
				     column->name);
	little = htole64((uint64_t)value);
	return fleet_bytes_add(bytes, &little, kind->width) ? NULL : &dms_error_nomem;
}

struct dms_error *fleet_row_add(struct fleet_bytes *bytes, struct sqlite3_stmt *stmt,
				const struct fleet_table *table)
{
	struct dms_error *err = NULL;

	for (size_t i = 0; !err && i < table->n_columns; i++) {
		const struct fleet_column *column = &table->columns[i];
		uint8_t is_null = sqlite3_column_type(stmt, (int)i) == SQLITE_NULL;

		if (is_null && !column->is_nullable)
			err = dms_error_new(DMS_ERROR_INPUT, "the value of column %s is missing",
					    column->name);
		else if (column->is_nullable && !fleet_bytes_add(bytes, &is_null, 1))
			err = &dms_error_nomem;
		else if (!is_null)
			err = add_value(bytes, stmt, (int)i, column);
	}
	return err ? dms_error_wrap(err, "table %s", table->name) : NULL;
}

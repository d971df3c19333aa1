// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer entry: a database somebody else made, through everything that reads one.
 *
 * What begins as SQLite's files do is such a file, its identity set right. Anything else is a list
 * of edits to a good database: values of any type in any column of any row, rows gone or added.
 * Bytes alone would hardly get past SQLite's own checks; edits reach what we make of its values.
 */
#include <dmascope/diff.h>
#include <dmascope/export.h>
#include <dmascope/report.h>
#include <dmascope/store.h>

#include "fuzz_good.h"

#define MAX_EDITS  16
#define SQLITE_AID 68
#define SQLITE_VER 60

/* ---- edits ------------------------------------------------------------------------------------ */

/** The bytes that are left to take decisions from. */
struct dice {
	const uint8_t *at, *end;
};

static uint32_t take(struct dice *dice, uint32_t limit)
{
	uint32_t number = 0;

	for (int i = 0; i < 2 && dice->at < dice->end; i++)
		number = number << 8 | *dice->at++;
	return limit ? number % limit : 0;
}

static const char *const words[] = {
	"", "0", "-1", "1e308", "9223372036854775807", "certain", "error", "unmapped", "{}", "[]",
	"{\"map\":{\"ts_ns\":-1,\"stack\":1e99}}", "{\"call\":{\"stack\":1}}", "\x1b[31m", "</script>",
	"\n\r\t", "=1+1", "|`*_<b>", "\xff\xfe", "unmap-size-mismatch", "mappings_stored", "direct",
};

static void bind_value(sqlite3_stmt *stmt, int index, struct dice *dice)
{
	static const int64_t numbers[] = {0,  1,	 -1,	    INT64_MAX, INT64_MIN, UINT32_MAX,
					  64, 0x7fffffff, 1000000007, 1ll << 62, 65536, 255};

	switch (take(dice, 6)) {
	case 0:
		sqlite3_bind_null(stmt, index);
		break;
	case 1:
		sqlite3_bind_int64(stmt, index, numbers[take(dice, DMS_ARRAY_SIZE(numbers))]);
		break;
	case 2:
		sqlite3_bind_int64(stmt, index, (int64_t)take(dice, 1000));
		break;
	case 3:
		sqlite3_bind_double(stmt, index, take(dice, 2) ? 1e300 * 1e300 : -0.5);
		break;
	case 4:
		sqlite3_bind_text(stmt, index, words[take(dice, DMS_ARRAY_SIZE(words))], -1,
				  SQLITE_STATIC);
		break;
	default:
		sqlite3_bind_zeroblob(stmt, index, (int)take(dice, 300));
	}
}

/* Name @number of what @sql lists, for @of; empty: it lists nothing. */
static void pick(struct sqlite3 *db, const char *sql, const char *of, struct dice *dice,
		 char name[static 64])
{
	sqlite3_stmt *stmt = NULL;
	uint32_t wanted = take(dice, 40);

	name[0] = '\0';
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK) {
		sqlite3_bind_text(stmt, 1, of, -1, SQLITE_STATIC);
		while (sqlite3_step(stmt) == SQLITE_ROW) {
			snprintf(name, 64, "%s", (const char *)sqlite3_column_text(stmt, 0));
			if (!wanted--)
				break;
		}
	}
	sqlite3_finalize(stmt);
}

static void edit(struct sqlite3 *db, struct dice *dice)
{
	static const char *const shapes[] = {
		"UPDATE OR IGNORE %1$s SET %2$s = ?1",
		"UPDATE OR IGNORE %1$s SET %2$s = ?1 WHERE %2$s IS (SELECT %2$s FROM %1$s LIMIT 1 OFFSET ?2)",
		"DELETE FROM %1$s WHERE %2$s IS (SELECT %2$s FROM %1$s LIMIT 1 OFFSET ?2)",
		"INSERT OR IGNORE INTO %1$s (%2$s) VALUES (?1)",
	};	char table[64], column[64], sql[256];
	sqlite3_stmt *stmt = NULL;

	pick(db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", "", dice,
	     table);
	pick(db, "SELECT name FROM pragma_table_info(?1)", table, dice, column);
	if (!table[0] || !column[0])
		return;
	snprintf(sql, sizeof(sql), shapes[take(dice, DMS_ARRAY_SIZE(shapes))], table, column);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK) {
		bind_value(stmt, 1, dice);
		sqlite3_bind_int64(stmt, 2, take(dice, 40));
		sqlite3_step(stmt);
	}
	sqlite3_finalize(stmt);
}

/* ---- the file --------------------------------------------------------------------------------- */

static bool write_edited(struct fuzz_file *file, const uint8_t *data, size_t size)
{
	struct dice dice = {data, data + size};
	struct sqlite3 *db = NULL;
	size_t good_size;
	const uint8_t *good = fuzz_good_bytes(&good_size);

	if (!fuzz_file_open_named(file, good, good_size))
		return false;
	if (sqlite3_open_v2(file->path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		abort();
	sqlite3_exec(db,
		     "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
		     "PRAGMA ignore_check_constraints = ON",
		     NULL, NULL, NULL);
	for (int i = 0; i < MAX_EDITS && dice.at < dice.end; i++)
		edit(db, &dice);
	sqlite3_close(db);
	return true;
}

static bool write_raw(struct fuzz_file *file, const uint8_t *data, size_t size)
{
	static const uint8_t version[] = {0, 0, 0, DMS_SCHEMA_VERSION};

	if (!fuzz_file_open_named(file, data, size))
		return false;
	if (pwrite(file->fd, version, 4, SQLITE_VER) != 4 ||
	    pwrite(file->fd, "dmas", 4, SQLITE_AID) != 4)
		abort();
	return true;
}

/* ---- what reads it ---------------------------------------------------------------------------- */

static void tell(struct sqlite3 *db)
{
	struct dms_summary *summary = NULL;
	struct dms_error *err = dms_summary_read(db, &summary);
	FILE *sink = fuzz_sink();

	if (!err) {
		err = dms_summary_print(summary, DMS_FORMAT_TEXT, sink, 80, true);
		dms_error_free(err);
		err = dms_live_print(db, summary->last_ts, NULL, sink);
	}
	dms_error_free(err);
	dms_summary_destroy(summary);
}

static void tell_page(struct sqlite3 *db)
{
	dms_error_free(dms_html_print(db, 20, NULL, fuzz_sink()));
}

static void tell_json(struct sqlite3 *db)
{
	dms_error_free(dms_export_json(db, NULL, fuzz_sink()));
	dms_error_free(dms_export_trace_json(db, fuzz_sink()));
}

static void tell_lines(struct sqlite3 *db)
{
	dms_error_free(dms_export_folded(db, DMS_FOLD_BYTES, fuzz_sink()));
	dms_error_free(dms_export_folded(db, DMS_FOLD_COUNT, fuzz_sink()));
	dms_error_free(dms_export_openmetrics(db, fuzz_sink()));
	dms_error_free(dms_costs_print(db, 0, fuzz_sink(), 80, true));
}

/* Each third of the queries in a format of its own. */
static void query(struct sqlite3 *db, enum dms_output format, size_t third)
{
	for (size_t i = third; i < dms_n_named_queries; i += 3)
		dms_error_free(dms_query_print(db, dms_named_queries[i].sql, format, fuzz_sink()));
}

static void query_text(struct sqlite3 *db)
{
	query(db, DMS_FORMAT_TEXT, 0);
}

static void query_json(struct sqlite3 *db)
{
	query(db, DMS_FORMAT_JSON, 1);
}

static void query_csv(struct sqlite3 *db)
{
	query(db, DMS_FORMAT_CSV, 2);
}

/* A part of it: the figures are counted anew. */
static void tell_part(struct sqlite3 *db)
{
	const struct dms_selection selection = {.since_ts = 1, .until_ts = INT64_MAX};
	struct dms_error *err = dms_select(db, &selection);

	if (!err) {
		tell(db);
		tell_page(db);
	}
	dms_error_free(err);
}

static void compare(const char *path)
{
	struct dms_config *config = dms_config_create();
	struct dms_baseline *baseline = NULL;
	struct dms_error *err = dms_baseline_open(path, config, &baseline);

	if (!err)
		err = dms_baseline_print(baseline, fuzz_sink());
	dms_error_free(err);
	dms_baseline_destroy(baseline);
	dms_config_destroy(config);
}

static void read_it(const char *path, void (*read)(struct sqlite3 *db))
{
	struct sqlite3 *db = NULL;
	struct dms_error *err = dms_db_open(path, false, &db);

	if (!err)
		read(db);
	dms_error_free(err);
	dms_db_close(db);
}

/* The last byte says by what it is read: all of them take a quarter of a second. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(struct sqlite3 *db) = {
		tell, tell_page, tell_json, tell_lines, query_text, query_json, query_csv, tell_part,
	};
	const size_t n_readers = DMS_ARRAY_SIZE(readers);
	bool is_raw = size > 100 && !memcmp(data, "SQLite format 3", 16);
	size_t chosen = size ? data[size - 1] % (n_readers + 1) : 0;
	struct fuzz_file file;

	fuzz_be_silent();
	if (!(is_raw ? write_raw(&file, data, size) : write_edited(&file, data, size)))
		return 0;
	for (size_t i = 0; i < n_readers; i++) {
		if (FUZZ_IS_REPLAY || i == chosen)
			read_it(file.path, readers[i]);
	}
	if (FUZZ_IS_REPLAY || chosen == n_readers)
		compare(file.path);
	fuzz_file_close(&file);
	return 0;
}

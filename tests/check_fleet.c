// SPDX-License-Identifier: GPL-2.0-only
/* The fleet room without a server: addresses, credentials, bytes of rows, answers, words, times. */
#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dmascope/store.h>

#include "fleet/local.h"
#include "lib/lack.h"

/* ---- addresses --------------------------------------------------------------------------------
 */

static const struct {
	const char *url, *base, *database; /* base NULL: none */
	bool is_local;
} addresses[] = {
	{"http://lab", "http://lab:8123/", "dmascope", false},
	{"https://lab", "https://lab:8443/", "dmascope", false},
	{"https://lab:9/x_1/", "https://lab:9/", "x_1", false},
	{"http://localhost/", "http://localhost:8123/", "dmascope", true},
	{"http://127.0.0.1:1/a", "http://127.0.0.1:1/", "a", true},
	{"http://[::1]:1/a", "http://[::1]:1/", "a", true},
	{"http://127.evil.example/", "http://127.evil.example:8123/", "dmascope", false},
	{"http://lab/a/b", NULL, NULL, false},
	{"http://lab/a-b", NULL, NULL, false},
	{"http://lab/a%3Bb", NULL, NULL, false},
	{"http://lab/1a", NULL, NULL, false},
	{"http://lab/?query=DROP", NULL, NULL, false},
	{"http://lab/#x", NULL, NULL, false},
	{"http://joe@lab/", NULL, NULL, false},
	{"http://joe:x@lab/", NULL, NULL, false},
	{"ftp://lab/", NULL, NULL, false},
	{"file:///etc/passwd", NULL, NULL, false},
	{"lab", NULL, NULL, false},
	{"http://lab:99999/", NULL, NULL, false},
	{"", NULL, NULL, false},
};

START_TEST(address)
{
	struct fleet_address parsed = {0};
	struct dms_error *err = fleet_address_parse(addresses[_i].url, &parsed);

	ck_assert_msg(!err == (addresses[_i].base != NULL), "%s", addresses[_i].url);
	if (!err) {
		ck_assert_str_eq(parsed.base, addresses[_i].base);
		ck_assert_str_eq(parsed.database, addresses[_i].database);
		ck_assert_int_eq(parsed.is_local, addresses[_i].is_local);
	}
	dms_error_free(err);
	fleet_address_deinit(&parsed);
}
END_TEST

/* ---- credentials ------------------------------------------------------------------------------
 */

static const struct {
	const char *text;
	mode_t mode;
	const char *user, *password; /* both NULL: refused */
} credentials[] = {
	{"user joe\npassword a b\n", 0600, "joe", "a b"},
	{"# ours\n\npassword\tx", 0400, NULL, "x"},
	{"user joe\npassword x\n", 0640, NULL, NULL},
	{"user joe\npassword x\n", 0604, NULL, NULL},
	{"user joe\nuser jim\n", 0600, NULL, NULL},
	{"pass x\n", 0600, NULL, NULL},
	{"password x\r\n", 0600, NULL, NULL}, /* would end a header */
	{"password\n", 0600, NULL, NULL},
};

START_TEST(credential)
{
	char path[] = "/tmp/check_fleet.XXXXXX";
	size_t bytes = strlen(credentials[_i].text);
	struct fleet_credentials read = {0};
	struct dms_error *err;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, credentials[_i].text, bytes), (ssize_t)bytes);
	ck_assert_int_eq(fchmod(fd, credentials[_i].mode), 0);
	close(fd);
	err = fleet_credentials_read(path, &read);
	if (!credentials[_i].user && !credentials[_i].password) {
		ck_assert_ptr_nonnull(err);
		ck_assert_ptr_null(read.password);
		ck_assert_ptr_null(strstr(dms_error_message(err), "joe"));
	} else {
		ck_assert_ptr_null(err);
		ck_assert_pstr_eq(read.user, credentials[_i].user);
		ck_assert_pstr_eq(read.password, credentials[_i].password);
	}
	dms_error_free(err);
	fleet_credentials_deinit(&read);
	unlink(path);
}
END_TEST

START_TEST(credential_file)
{
	struct fleet_credentials read = {0};
	struct dms_error *err = fleet_credentials_read("/tmp", &read);

	ck_assert_ptr_nonnull(err);
	dms_error_free(err);
	err = fleet_credentials_read("/tmp/check_fleet.nosuch", &read);
	ck_assert_ptr_nonnull(err);
	dms_error_free(err);
}
END_TEST

/* ---- rows -------------------------------------------------------------------------------------
 */

/* One row of each case, of these columns. */
static const struct fleet_column columns[] = {
	{"a", FLEET_8, false},	{"b", FLEET_32, true},	   {"c", FLEET_I32, false},
	{"d", FLEET_64, false}, {"e", FLEET_STRING, true}, {"f", FLEET_ID, false},
};
static const struct fleet_table table = {"t", columns, DMS_ARRAY_SIZE(columns), NULL};

static const struct {
	const char *sql, *hex; /* hex NULL: refused */
} rows[] = {
	{"SELECT 255 AS a, NULL AS b, -2 AS c, -1 AS d, 'x' AS e, zeroblob(16) AS f",
	 "ff"
	 "01"
	 "feffffff"
	 "ffffffffffffffff"
	 "00"
	 "01"
	 "78"
	 "00000000000000000000000000000000"},
	{"SELECT 0 AS a, 4294967295 AS b, 1 AS c, 258 AS d, NULL AS e, "
	 "x'0102030405060708090a0b0c0d0e0f10' AS f",
	 "00"
	 "00"
	 "ffffffff"
	 "01000000"
	 "0201000000000000"
	 "01"
	 "0102030405060708090a0b0c0d0e0f10"},
	{"SELECT 0 AS a, 1 AS b, 0 AS c, 0 AS d, '' AS e, zeroblob(16) AS f",
	 "00"
	 "00"
	 "01000000"
	 "00000000"
	 "0000000000000000"
	 "00"
	 "00"
	 "00000000000000000000000000000000"},
	{"SELECT 256 AS a, 1 AS b, 0 AS c, 0 AS d, '' AS e, zeroblob(16) AS f", NULL},
	{"SELECT -1 AS a, 1 AS b, 0 AS c, 0 AS d, '' AS e, zeroblob(16) AS f", NULL},
	{"SELECT NULL AS a, 1 AS b, 0 AS c, 0 AS d, '' AS e, zeroblob(16) AS f", NULL},
	{"SELECT 1 AS a, 4294967296 AS b, 0 AS c, 0 AS d, '' AS e, zeroblob(16) AS f", NULL},
	{"SELECT 1 AS a, 1 AS b, 2147483648 AS c, 0 AS d, '' AS e, zeroblob(16) AS f", NULL},
	{"SELECT 1 AS a, 1 AS b, 0 AS c, 1.5 AS d, '' AS e, zeroblob(16) AS f", NULL},
	{"SELECT 1 AS a, 1 AS b, 0 AS c, 'x' AS d, '' AS e, zeroblob(16) AS f", NULL},
	{"SELECT 1 AS a, 1 AS b, 0 AS c, 0 AS d, '' AS e, zeroblob(15) AS f", NULL},
};

START_TEST(row)
{
	struct fleet_bytes bytes = {0};
	struct sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err;
	char hex[200] = "";

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, rows[_i].sql, -1, &stmt, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	ck_assert_ptr_null(fleet_row_check(stmt, &table));
	err = fleet_row_add(&bytes, stmt, &table);
	ck_assert_int_eq(!err, rows[_i].hex != NULL);
	for (size_t i = 0; !err && i < bytes.n; i++)
		sprintf(hex + 2 * i, "%02x", bytes.data[i]);
	if (!err)
		ck_assert_str_eq(hex, rows[_i].hex);
	dms_error_free(err);
	dms_free(bytes.data);
	sqlite3_finalize(stmt);
	dms_db_close(db);
}
END_TEST

/* The length of a text takes a byte for each seven bits. */
START_TEST(row_long_text)
{
	static const struct fleet_column text[] = {{"e", FLEET_STRING, false}};
	static const struct fleet_table one = {"t", text, 1, NULL};
	struct fleet_bytes bytes = {0};
	struct sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	ck_assert_int_eq(
		sqlite3_prepare_v2(db, "SELECT printf('%.300c', 'x') AS e", -1, &stmt, NULL),
		SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	ck_assert_ptr_null(fleet_row_add(&bytes, stmt, &one));
	ck_assert_uint_eq(bytes.n, 302);
	ck_assert_uint_eq(bytes.data[0], 0xac);
	ck_assert_uint_eq(bytes.data[1], 0x02);
	dms_free(bytes.data);
	sqlite3_finalize(stmt);
	dms_db_close(db);
}
END_TEST

/* Every table's statement gives its columns, of a database with nothing in it. */
START_TEST(tables)
{
	struct sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, dms_schema_sql, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_uint_gt(fleet_n_tables, 8);
	for (size_t i = 0; i < fleet_n_tables; i++) {
		sqlite3_stmt *stmt = NULL;
		struct dms_error *err;

		ck_assert_msg(sqlite3_prepare_v2(db, fleet_tables[i].select, -1, &stmt, NULL) ==
				      SQLITE_OK,
			      "%s: %s", fleet_tables[i].name, sqlite3_errmsg(db));
		err = fleet_row_check(stmt, &fleet_tables[i]);
		ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
		sqlite3_finalize(stmt);
	}
	ck_assert_str_eq(fleet_tables[fleet_n_tables - 1].name, "runs");
	dms_db_close(db);
}
END_TEST

/* ---- answers ----------------------------------------------------------------------------------
 */

static const struct {
	const char *text;
	const char *sql, *value; /* of the table; sql NULL: no table */
} answers[] = {
	{"a\nUInt8\n1\n2\n", "SELECT sum(a) FROM result", "3"},
	{"a\tb\nString\tNullable(String)\nx\\ty\\n\\\\\\'\t\\N\n",
	 "SELECT hex(a) || ifnull(b, '-') FROM result", "7809790A5C27-"},
	{"a\nUInt64\n18446744073709551615\n", "SELECT typeof(a) || a FROM result",
	 "text18446744073709551615"},
	{"a\nInt64\n-9223372036854775808\n", "SELECT typeof(a) || a FROM result",
	 "integer-9223372036854775808"},
	{"a\nFloat64\n1.5\nnan\n-inf\n", "SELECT sum(a) || count(a) FROM result", "1.51"},
	{"a\nString\n12\n", "SELECT typeof(a) FROM result", "text"},
	{"a\"); DROP TABLE result; --\nString\nx\n", "SELECT count(*) FROM result", "1"},
	{"a\nString\n", "SELECT count(*) FROM result", "0"},
	{"a\nString", NULL, NULL},
	{"", NULL, NULL},
	{"a", NULL, NULL},
	{"a\n", NULL, NULL},
	{"a\ta\nString\tString\n", NULL, NULL}, /* SQLite: no two of a name */
	{"a\tb\nString\n", NULL, NULL},
	{"a\nString\nx", NULL, NULL},
	{"a\nString\nx\ty\n", NULL, NULL},
	{"a\tb\nString\tString\nx\n", NULL, NULL},
	{"\nString\n", NULL, NULL},
	{"\\N\nString\n", NULL, NULL},
};

START_TEST(answer)
{
	struct sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err = fleet_result_read(answers[_i].text, strlen(answers[_i].text), &db);

	ck_assert_msg(!err == (answers[_i].sql != NULL), "case %d: %s", _i,
		      err ? dms_error_message(err) : "taken");
	if (!err) {
		ck_assert_int_eq(sqlite3_prepare_v2(db, answers[_i].sql, -1, &stmt, NULL),
				 SQLITE_OK);
		ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
		ck_assert_str_eq((const char *)sqlite3_column_text(stmt, 0), answers[_i].value);
	}
	sqlite3_finalize(stmt);
	dms_db_close(db);
	dms_error_free(err);
}
END_TEST

/* Each allocation fails alone: the answer is whole, or memory is what was short. */
START_TEST(answer_without_memory)
{
	bool is_lacking = answers[_i].sql != NULL;

	for (unsigned long n = 1; is_lacking; n++) {
		struct sqlite3 *db = NULL;
		sqlite3_stmt *stmt = NULL;
		struct dms_error *err;

		lack_begin(n);
		err = fleet_result_read(answers[_i].text, strlen(answers[_i].text), &db);
		is_lacking = lack_end();
		ck_assert_msg(!err || err == &dms_error_nomem, "%lu: %s", n,
			      err ? dms_error_message(err) : "");
		if (err)
			continue;
		ck_assert_int_eq(sqlite3_prepare_v2(db, answers[_i].sql, -1, &stmt, NULL),
				 SQLITE_OK);
		ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
		ck_assert_str_eq((const char *)sqlite3_column_text(stmt, 0), answers[_i].value);
		sqlite3_finalize(stmt);
		dms_db_close(db);
	}
}
END_TEST

/* ---- words and times ---------------------------------------------------------------------------
 */

static const struct {
	const char *sql, *filled; /* filled NULL: refused */
} fills[] = {
	{"SELECT 1", "SELECT 1"}, {"{a} = {a}", "'x\\'; --' = 'x\\'; --'"},
	{"{b}", "'{a}\\\\'"}, /* what is filled in is not filled again */
	{"{none}", NULL},	  {"{c}", NULL},
	{"{a", "'x\\'; --'"},	  {"", ""},
};

START_TEST(fill)
{
	static const struct dms_fleet_word words[] = {
		{"a", "x'; --"}, {"b", "{a}\\"}, {"none", NULL}};
	char *filled = NULL;
	struct dms_error *err =
		dms_fleet_fill(fills[_i].sql, words, DMS_ARRAY_SIZE(words), &filled);

	ck_assert_int_eq(!err, fills[_i].filled != NULL);
	ck_assert_pstr_eq(filled, fills[_i].filled);
	dms_free(filled);
	dms_error_free(err);
}
END_TEST

static const struct {
	const char *text;
	int64_t seconds; /* -1: refused */
} times[] = {
	{"@0", 0},
	{"@4294967295", 4294967295},
	{"@4294967296", -1},
	{"@-1", -1},
	{"@", -1},
	{"1970-01-02", 86400},
	{"2026-03-01 12:00:00", 1772366400},
	{"2026-03-01T12:00:00Z", 1772366400},
	{"2026-03-01 12:00", 1772366400},
	{"2026-03-01 12", -1},
	{"2026-13-01", -1},
	{"1969-01-01", -1},
	{"2200-01-01", -1},
	{"", -1},
};

START_TEST(time_of_text)
{
	uint64_t seconds = 0;
	struct dms_error *err = dms_fleet_time(times[_i].text, &seconds);

	ck_assert_msg(!err == (times[_i].seconds >= 0), "'%s'", times[_i].text);
	if (!err)
		ck_assert_uint_eq(seconds, (uint64_t)times[_i].seconds);
	dms_error_free(err);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fleet");
	TCase *tests = tcase_create("fleet");
	SRunner *runner = srunner_create(suite);
	int n_failed;

	tcase_add_loop_test(tests, address, 0, DMS_ARRAY_SIZE(addresses));
	tcase_add_loop_test(tests, credential, 0, DMS_ARRAY_SIZE(credentials));
	tcase_add_test(tests, credential_file);
	tcase_add_loop_test(tests, row, 0, DMS_ARRAY_SIZE(rows));
	tcase_add_test(tests, row_long_text);
	tcase_add_test(tests, tables);
	tcase_add_loop_test(tests, answer, 0, DMS_ARRAY_SIZE(answers));
	tcase_add_loop_test(tests, answer_without_memory, 0, DMS_ARRAY_SIZE(answers));
	tcase_add_loop_test(tests, fill, 0, DMS_ARRAY_SIZE(fills));
	tcase_add_loop_test(tests, time_of_text, 0, DMS_ARRAY_SIZE(times));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}

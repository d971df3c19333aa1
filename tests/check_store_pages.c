// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the pages src/store writes itself: SQLite must find in them what it would have put. */
#include <check.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/store_room.h"
#include "store/leaf.h"

#define WIDE "a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z"
#define MAX_COLUMNS 27
/* Of the words the first two are long. */
#define FIRST_SHORT 2
#define N_WORDS	    7

/** A table as SQLite and dms_payload_make() know it. */
struct shape {
	const char *sql;
	uint64_t before; /* keys begin after it */
	struct dms_bulk_spec spec;
	const char *delete_some, *insert_some; /* later, with the numbers of a table "numbers" */
};
static const struct shape table = {
	"CREATE TABLE t (id INTEGER PRIMARY KEY, " WIDE ")", 0,
	{ .table = "t", .n_columns = 27, .words = 1 << 3 | 1 << 26 },
	"DELETE FROM t WHERE id % 3 = 1", "INSERT INTO t (id) SELECT -value FROM numbers",
};
static const struct shape far = { /* its keys grow from eight bytes to nine */
	"CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER) STRICT", (1ull << 56) - 300,
	{ .table = "t", .n_columns = 2 },
	"DELETE FROM t WHERE id % 3 = 1", "INSERT INTO t (id) SELECT -value FROM numbers",
};
static const struct shape index_tree = {
	"CREATE TABLE t (a INTEGER NOT NULL, b INTEGER NOT NULL, c INTEGER, d INTEGER, e INTEGER, "
	"PRIMARY KEY (a, b)) STRICT, WITHOUT ROWID", 0,
	{ .table = "t", .n_columns = 5, .n_keys = 2 },
	"DELETE FROM t WHERE b % 3 = 1",
	"INSERT INTO t SELECT value / 2, -value, NULL, 1, value FROM numbers",
};
static const struct shape figures = { /* words are keys, as in series and histogram */
	"CREATE TABLE t (a INTEGER NOT NULL, b TEXT NOT NULL, c INTEGER NOT NULL, d INTEGER, e TEXT, "
	"PRIMARY KEY (a, b, c)) STRICT, WITHOUT ROWID", 0,
	{ .table = "t", .n_columns = 5, .words = 1 << 1 | 1 << 4, .first_word = FIRST_SHORT,
	  .n_keys = 3 },
	"DELETE FROM t WHERE c % 2 = 1",
	"INSERT INTO t SELECT value / 2, 'zero', value, NULL, 'x' FROM numbers",
};
static const char *const texts[N_WORDS] = {
	"a word of fifty-seven bytes has a type of one byte: so near",
	"a word of fifty-eight bytes has a type of two bytes: behold",
	"", "in sixteen bytes", "is in seventeen..", "to device", "x", /* short, in order */
};
static struct dms_word words[N_WORDS]; /* of these, made in main() */

/* ---- values ---------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15;
	return dms_hash64(*state);
}

/* One beside a power of two, or of its negative: every width of an integer, from both sides. */
static uint64_t boundary(uint64_t random)
{
	uint64_t power = 1ull << (random % 64);
	uint64_t value = power + (random >> 8) % 3 - 1;

	return random >> 16 & 1 ? -value : value;
}

/* Row @number of a table; the same for the same seed. Keys ascend, with gaps of any size. */
static void make_row(const struct dms_bulk_spec *spec, uint64_t number, uint64_t *state,
		     uint64_t *row)
{
	uint64_t random = next_random(state), key = row[1];

	row[0] = next_random(state) & next_random(state) & ~7ull; /* a quarter is NULL */
	if (random % 64 == 0)
		row[0] = UINT64_MAX & ~((1ull << spec->n_keys) - 1) & ~1ull;
	for (unsigned int i = 0; i < spec->n_columns; i++) {
		random = next_random(state);
		row[1 + i] = spec->words >> i & 1 ?
				     spec->first_word + random % (N_WORDS - spec->first_word) :
				     boundary(random);
	}
	row[1] = key + 1;
	if (spec->n_keys == 3) {
		row[1] = number / 15;
		row[2] = FIRST_SHORT + number / 3 % 5;
		row[3] = number % 3;
	} else if (spec->n_keys) {
		row[1] = number / 3;
		row[2] = number;
	} else if (random % 8 == 0) {
		row[1] += random >> 24 >> (random >> 8) % 40;
	}
}

/* ---- two files ------------------------------------------------------------------------------- */

static sqlite3 *open_new(const char *path, const struct shape *shape, uint32_t page_bytes)
{
	char sql[512];
	sqlite3 *db;

	unlink(path);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	snprintf(sql, sizeof(sql), "PRAGMA page_size = %u; PRAGMA journal_mode = OFF; "
		 "PRAGMA synchronous = OFF; BEGIN; %s; CREATE TABLE other (id INTEGER PRIMARY KEY, a); COMMIT",
		 page_bytes, shape->sql);
	ck_assert_msg(!sqlite3_exec(db, sql, NULL, NULL, NULL), "%s", sqlite3_errmsg(db));
	return db;
}

static void write_pages(const char *path, const struct shape *shape, uint32_t n_rows,
			uint32_t lock_page)
{
	uint64_t row[1 + MAX_COLUMNS] = { 0, shape->before }, state = n_rows;
	struct dms_payload payload;
	struct dms_pages *pages;
	struct dms_tree *tree;
	int fd = open(path, O_RDWR);

	room_must(dms_pages_create(fd, path, &pages));
	ck_assert_ptr_nonnull(pages);
	if (lock_page)
		pages->lock_page = lock_page;
	ck_assert_uint_le(dms_payload_max_bytes(&shape->spec, words, DMS_ARRAY_SIZE(words)),
			  dms_tree_max_bytes(pages, shape->spec.n_keys > 0));
	room_must(dms_tree_create(pages, 2, shape->spec.n_keys > 0, &tree));
	for (uint32_t i = 0; i < n_rows; i++) {
		make_row(&shape->spec, i, &state, row);
		dms_payload_make(&payload, &shape->spec, words, row);
		room_must(dms_tree_add(tree, row[1], &payload));
	}
	room_must(dms_tree_finish(tree));
	room_must(dms_pages_finish(pages));
	dms_tree_destroy(tree);
	dms_pages_destroy(pages);
	close(fd);
}

static void insert_rows(sqlite3 *db, const struct shape *shape, uint32_t n_rows)
{
	uint64_t row[1 + MAX_COLUMNS] = { 0, shape->before }, state = n_rows;
	unsigned int n_columns = shape->spec.n_columns;
	char sql[128] = "INSERT INTO t VALUES (?";
	sqlite3_stmt *statement;

	for (unsigned int i = 1; i < n_columns; i++)
		strcat(sql, ",?");
	strcat(sql, ")");
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
	for (uint32_t i = 0; i < n_rows; i++) {
		make_row(&shape->spec, i, &state, row);
		for (unsigned int k = 0; k < n_columns; k++) {
			const struct dms_word *word = &words[row[1 + k] % DMS_ARRAY_SIZE(words)];

			if (row[0] >> k & 1)
				sqlite3_bind_null(statement, (int)k + 1);
			else if (shape->spec.words >> k & 1)
				sqlite3_bind_text(statement, (int)k + 1, word->text, word->bytes,
						  SQLITE_STATIC);
			else
				sqlite3_bind_int64(statement, (int)k + 1, (int64_t)row[1 + k]);
		}
		sqlite3_step(statement);
		ck_assert_msg(!sqlite3_reset(statement), "row %u: %s", i, sqlite3_errmsg(db));
	}
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	sqlite3_finalize(statement);
}

/* Run @sql; its only answer must be @want. */
static void expect(sqlite3 *db, const char *sql, const char *want)
{
	sqlite3_stmt *statement;

	ck_assert_msg(!sqlite3_prepare_v2(db, sql, -1, &statement, NULL), "%s: %s", sql,
		      sqlite3_errmsg(db));
	ck_assert_msg(sqlite3_step(statement) == SQLITE_ROW, "%s: %s", sql, sqlite3_errmsg(db));
	ck_assert_msg(!strcmp((const char *)sqlite3_column_text(statement, 0), want),
		      "%s: '%s', wanted '%s'", sql, sqlite3_column_text(statement, 0), want);
	ck_assert_msg(sqlite3_step(statement) == SQLITE_DONE, "%s: more than one row", sql);
	sqlite3_finalize(statement);
}

static void expect_sound(sqlite3 *db)
{
	expect(db, "PRAGMA integrity_check", "ok");
	expect(db, "PRAGMA quick_check", "ok");
}

static void run(sqlite3 *db, const char *sql)
{
	ck_assert_msg(!sqlite3_exec(db, sql, NULL, NULL, NULL), "%s: %s", sql, sqlite3_errmsg(db));
}

static bool same_cell(sqlite3_stmt *a, sqlite3_stmt *b, int column)
{
	const void *left = sqlite3_column_blob(a, column);
	const void *right = sqlite3_column_blob(b, column);
	int bytes = sqlite3_column_bytes(a, column);

	return bytes == sqlite3_column_bytes(b, column) &&
	       (!bytes || !memcmp(left, right, (size_t)bytes));
}

/* Cell by cell in the order SQLite walks both; types, too. Integers compare as their text. */
static void expect_same_rows(sqlite3 *left, sqlite3 *right, uint32_t n_rows)
{
	sqlite3_stmt *a, *b;
	bool same = true;
	uint32_t n = 0;

	ck_assert_int_eq(sqlite3_prepare_v2(left, "SELECT * FROM t", -1, &a, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(right, "SELECT * FROM t", -1, &b, NULL), SQLITE_OK);
	for (; same && sqlite3_step(a) == SQLITE_ROW && sqlite3_step(b) == SQLITE_ROW; n++) {
		for (int i = 0; i < sqlite3_column_count(b) && same; i++)
			same = sqlite3_column_type(a, i) == sqlite3_column_type(b, i) &&
			       same_cell(a, b, i);
	}
	ck_assert_msg(same, "row %u of %u differs", n, n_rows);
	ck_assert_int_eq(sqlite3_step(b), SQLITE_DONE);
	ck_assert_uint_eq(n, n_rows);
	sqlite3_finalize(a);
	sqlite3_finalize(b);
}

/* What SQLite does later with a file it did not write. */
static void expect_usable(sqlite3 *db, const struct shape *shape)
{
	run(db, "CREATE TEMP TABLE numbers AS WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL "
		"SELECT value + 1 FROM n WHERE value < 500) SELECT value FROM n");
	run(db, "INSERT INTO other SELECT value, 'x' || value FROM numbers");
	expect_sound(db);
	run(db, shape->delete_some);
	run(db, shape->insert_some);
	expect_sound(db);
	run(db, "VACUUM");
	expect_sound(db);
}

/* The fields of the file's header that hold its size, and those that make them count. */
static void expect_header(const char *path, uint32_t page_bytes)
{
	unsigned char head[100];
	int fd = open(path, O_RDONLY);

	ck_assert_int_eq(pread(fd, head, sizeof(head), 0), sizeof(head));
	ck_assert_int_eq((off_t)dms_get32(head + 28) * page_bytes, lseek(fd, 0, SEEK_END));
	ck_assert_uint_eq(dms_get32(head + 24), dms_get32(head + 92));
	ck_assert_uint_ge(dms_get32(head + 24), 2);
	close(fd);
}

/* Pages between the root and a row. */
static unsigned int depth_of(const char *path, uint32_t page_bytes)
{
	unsigned char *page = dms_alloc(page_bytes);
	uint32_t number = 2;
	unsigned int depth = 1;
	int fd = open(path, O_RDONLY);

	for (;; depth++) {
		ck_assert_int_eq(pread(fd, page, page_bytes, (off_t)(number - 1) * page_bytes),
				 page_bytes);
		if (page[0] & 8)
			break;
		number = dms_get32(page + 8);
	}
	close(fd);
	dms_free(page);
	return depth;
}

/* ---- trees ----------------------------------------------------------------------------------- */

/** Two files with the same rows: by our pages, and by SQLite. */
struct pair {
	struct room room; /* for its folder */
	char plain[112];
	uint32_t page_bytes;
	uint32_t lock_page;
};

static void compare(struct pair *pair, const struct shape *shape, uint32_t n_rows)
{
	sqlite3 *ours, *plain;

	ours = open_new(pair->room.path, shape, pair->page_bytes);
	sqlite3_close(ours);
	write_pages(pair->room.path, shape, n_rows, pair->lock_page);
	expect_header(pair->room.path, pair->page_bytes);
	plain = open_new(pair->plain, shape, pair->page_bytes);
	insert_rows(plain, shape, n_rows);
	ck_assert_int_eq(sqlite3_open(pair->room.path, &ours), SQLITE_OK);
	run(ours, "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY");
	expect_sound(ours);
	expect_same_rows(ours, plain, n_rows);
	if (n_rows % 16 == 0)
		expect_usable(ours, shape);
	sqlite3_close(ours);
	sqlite3_close(plain);
}

static void pair_enter(struct pair *pair, uint32_t page_bytes)
{
	memset(pair, 0, sizeof(*pair));
	room_enter(&pair->room);
	snprintf(pair->plain, sizeof(pair->plain), "%s/plain.db", pair->room.folder);
	pair->page_bytes = page_bytes;
}

static const struct shape *const shapes[] = { &table, &far, &index_tree, &figures };

/* An empty table, the last row of a page, the first of the next, and so on. */
START_TEST(every_small_number_of_rows)
{
	struct pair pair;

	pair_enter(&pair, 512);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(shapes); i++) {
		for (uint32_t n = 0; n < 64; n++)
			compare(&pair, shapes[i], n);
	}
	room_leave(&pair.room);
}
END_TEST

static unsigned int depth_with(struct pair *pair, const struct shape *shape, uint32_t n_rows)
{
	sqlite3_close(open_new(pair->room.path, shape, pair->page_bytes));
	write_pages(pair->room.path, shape, n_rows, 0);
	return depth_of(pair->room.path, pair->page_bytes);
}

/* Around the number of rows with which a tree gets another level: pages split at its end. */
START_TEST(every_number_around_a_level)
{
	struct pair pair;
	uint32_t low, high, middle;

	pair_enter(&pair, 512);
	for (unsigned int depth = 2; depth <= 3; depth++) {
		for (size_t i = 0; i < DMS_ARRAY_SIZE(shapes); i++) {
			low = 2;
			high = 20000;
			while (high - low > 1) {
				middle = (low + high) / 2;
				if (depth_with(&pair, shapes[i], middle) >= depth)
					high = middle;
				else
					low = middle;
			}
			ck_assert_uint_lt(depth_with(&pair, shapes[i], high - 1), depth);
			for (uint32_t n = high - 8; n < high + 24; n++)
				compare(&pair, shapes[i], n);
		}
	}
	room_leave(&pair.room);
}
END_TEST

START_TEST(large_trees)
{
	static const struct {
		uint32_t page_bytes;
		unsigned int depths[DMS_ARRAY_SIZE(shapes)];
	} cases[] = {
		{ 512, { 4, 3, 4, 4 } }, { 1024, { 3, 3, 3, 3 } }, { 4096, { 3, 2, 2, 3 } },
		{ 32768, { 2, 2, 2, 2 } }, { 65536, { 2, 2, 2, 2 } },
	};
	struct pair pair;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(cases); i++) {
		pair_enter(&pair, cases[i].page_bytes);
		for (size_t k = 0; k < DMS_ARRAY_SIZE(shapes); k++) {
			compare(&pair, shapes[k], 20000);
			ck_assert_uint_eq(depth_with(&pair, shapes[k], 20000), cases[i].depths[k]);
		}
		room_leave(&pair.room);
	}
}
END_TEST

/* SQLite's page at 1 GiB, moved to where a test can afford to go. */
START_TEST(locked_page_left_out)
{
	struct pair pair;

	pair_enter(&pair, 1024);
	for (uint32_t lock_page = 66; lock_page < 70; lock_page++) {
		sqlite3_test_control(SQLITE_TESTCTRL_PENDING_BYTE, (lock_page - 1) * 1024);
		pair.lock_page = lock_page;
		compare(&pair, &table, 400);
		compare(&pair, &index_tree, 3000);
		compare(&pair, &figures, 3000);
	}
	sqlite3_test_control(SQLITE_TESTCTRL_PENDING_BYTE, 0x40000000);
	room_leave(&pair.room);
}
END_TEST

START_TEST(unknown_files_left_to_sqlite)
{
	static const char *const odd[] = { "PRAGMA auto_vacuum = FULL", "PRAGMA encoding = 'UTF-16'" };
	struct dms_pages *pages;
	struct room room;
	sqlite3 *db;
	int fd;

	room_enter(&room);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(odd); i++) {
		unlink(room.path);
		ck_assert_int_eq(sqlite3_open(room.path, &db), SQLITE_OK);
		run(db, odd[i]);
		run(db, "CREATE TABLE t (a)");
		sqlite3_close(db);
		fd = open(room.path, O_RDWR);
		room_must(dms_pages_create(fd, room.path, &pages));
		ck_assert_ptr_null(pages);
		close(fd);
	}
	fd = open("/dev/null", O_RDWR);
	room_must_fail(dms_pages_create(fd, "null", &pages), DMS_ERROR_INTERNAL, "null: reading");
	close(fd);
	room_leave(&room);
}
END_TEST

int main(void)
{
	for (int i = 0; i < N_WORDS; i++)
		words[i] = dms_word_make(texts[i]);
	const TTest *const tests[] = {
		every_small_number_of_rows, every_number_around_a_level, large_trees,
		locked_page_left_out, unknown_files_left_to_sqlite,
	};
	Suite *suite = suite_create("store_pages");
	TCase *tcase = tcase_create("store_pages");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/store with rows that come out of order: each must be found, once, in its place. */
#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store_room.h"

enum { N_ORDERED = 40000 };

typedef uint32_t (*order_fn)(uint32_t place);

static uint32_t in_order(uint32_t place)
{
	return place;
}

static uint32_t backwards(uint32_t place)
{
	return N_ORDERED - 1 - place;
}

static uint32_t shuffled(uint32_t place)
{
	return (uint32_t)((uint64_t)place * 22697 % N_ORDERED); /* 22697 is prime */
}

/* Each block of 500 backwards: what a window is for. */
static uint32_t nearly(uint32_t place)
{
	return place / 500 * 500 + 499 - place % 500;
}

/* The first 5000 last: buffers that are mapped when the trace begins and stay. */
static uint32_t first_last(uint32_t place)
{
	return (place + 5000) % N_ORDERED;
}

/* Two streams as far apart as the window is large, and one more. */
static uint32_t far_apart(uint32_t place)
{
	return place % 2 ? place / 2 : place / 2 + N_ORDERED / 2;
}

/* One row comes when the window has just gone past it, another when it just has not. */
static uint32_t two_holes(uint32_t place)
{
	if (place < 16384)
		return place + 1;
	if (place == 16384)
		return 0;
	if (place >= 20000 && place < 20000 + 16383)
		return place + 1;
	return place == 20000 + 16383 ? 20000 : place;
}

/* Row n has the address n * 4096, in whatever order the lives end. */
static void fill_in_order(struct room *room, order_fn order)
{
	struct dms_mapping *mappings = dms_alloc(N_ORDERED * sizeof(*mappings));
	uint64_t list[3] = { 1, 2, 3 };

	for (uint32_t i = 0; i < N_ORDERED; i++) {
		struct dms_step step = { .kind = DMS_STEP_MAP, .event = &room->event,
					 .mapping = &mappings[i], .device = &room->device };

		mappings[i] = room->mapping;
		dms_mapping_row(room->model, &mappings[i]);
		mappings[i].dma_addr = i * 4096ull;
		room->event.phys_list = list;
		room->event.n_phys = i % 4;
		room->event.has |= DMS_HAS_PHYS_LIST;
		room_must(dms_store_step(room->store, room->model, &step));
		room_must(dms_store_event(room->store, &room->event, i + 1));
	}
	room->event.n_phys = 0;
	for (uint32_t i = 0; i < N_ORDERED; i++) {
		struct dms_mapping *mapping = &mappings[order(i)];
		struct dms_step step = { .kind = DMS_STEP_UNMAP, .event = &room->event,
					 .device = &room->device, .mapping = mapping,
					 .end = DMS_END_UNMAPPED, .doubts = order(i) % 256 };

		room_must(dms_store_step(room->store, room->model, &step));
	}
	dms_free(mappings);
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

static void run(sqlite3 *db, const char *sql)
{
	ck_assert_msg(!sqlite3_exec(db, sql, NULL, NULL, NULL), "%s: %s", sql, sqlite3_errmsg(db));
}

static void expect_same_tables(const char *left, const char *right)
{
	static const char *const tables[] = { "run", "mapping", "mapping_segment", "gap", "event",
					      "event_segment" };
	char sql[256];
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(left, &db), SQLITE_OK);
	snprintf(sql, sizeof(sql), "ATTACH '%s' AS plain", right);
	run(db, sql);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(tables); i++) {
		snprintf(sql, sizeof(sql), "SELECT (SELECT count(*) FROM main.%s) = "
			 "(SELECT count(*) FROM plain.%s)", tables[i], tables[i]);
		expect(db, sql, "1");
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM (SELECT * FROM main.%s EXCEPT "
			 "SELECT * FROM plain.%s)", tables[i], tables[i]);
		expect(db, sql, "0");
	}
	sqlite3_close(db);
}

START_TEST(any_order)
{
	static const order_fn orders[] = { in_order, backwards, shuffled, nearly, first_last,
					   far_apart, two_holes };

	for (size_t i = 0; i < DMS_ARRAY_SIZE(orders); i++) {
		struct room ours, plain;

		room_enter(&ours);
		room_begin(&ours, true);
		fill_in_order(&ours, orders[i]);
		room_finish(&ours);
		room_enter(&plain);
		room_begin(&plain, true);
		room_must(dms_store_run(plain.store, "complete", "0")); /* from here on by SQLite */
		fill_in_order(&plain, orders[i]);
		room_finish(&plain);
		room_assert_sound(&ours);
		ASK(&ours, "SELECT count(*), sum(dma_addr <> (id - 1) * 4096) FROM mapping",
		    "40000|0");
		ASK(&ours, "SELECT count(*) FROM event_segment", "60000");
		expect_same_tables(ours.path, plain.path);
		room_leave(&ours);
		room_leave(&plain);
	}
}
END_TEST

START_TEST(any_order_same_bytes)
{
	static const order_fn orders[] = { shuffled, first_last };

	for (size_t i = 0; i < DMS_ARRAY_SIZE(orders); i++) {
		char *text[2];
		size_t size[2];

		for (int k = 0; k < 2; k++) {
			struct room room;

			room_enter(&room);
			room_begin(&room, true);
			fill_in_order(&room, orders[i]);
			room_finish(&room);
			text[k] = room_slurp(room.path, &size[k]);
			room_leave(&room);
		}
		ck_assert_uint_eq(size[0], size[1]);
		ck_assert(!memcmp(text[0], text[1], size[0]));
		dms_free(text[0]);
		dms_free(text[1]);
	}
}
END_TEST

/* A row that comes twice must not end up in the table twice, nor in silence. */
START_TEST(same_row_twice)
{
	struct room room;

	room_enter(&room);
	room_begin(&room, false);
	dms_mapping_row(room.model, &room.mapping);
	room_must(room_complete(&room, DMS_STEP_UNMAP, DMS_END_UNMAPPED));
	room_must(room_complete(&room, DMS_STEP_UNMAP, DMS_END_UNMAPPED));
	room_must_fail(dms_store_finish(room.store), DMS_ERROR_INTERNAL, "UNIQUE");
	room_must_fail(dms_store_finish(room.store), DMS_ERROR_INTERNAL, "failed before");
	room_leave(&room);
}
END_TEST

START_TEST(told_in_between)
{
	struct room room;

	room_enter(&room);
	room_begin(&room, false);
	room_fill(&room, 3000);
	room_must(dms_store_run(room.store, "which", "early"));
	room_fill(&room, 3000);
	room_finish(&room);
	ASK(&room, "SELECT count(*), max(id) FROM mapping", "6000|6000");
	room_assert_sound(&room);
	room_leave(&room);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		any_order, any_order_same_bytes, same_row_twice, told_in_between,
	};
	Suite *suite = suite_create("store_order");
	TCase *tcase = tcase_create("store_order");
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

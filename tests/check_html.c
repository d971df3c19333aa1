// SPDX-License-Identifier: GPL-2.0-only
/* The lanes of the HTML page: are the mappings around a finding those that are nearest to it? */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>

#include <dmascope/report.h>

#include "lib/export_run.h"

#define N_MAPPINGS "2000"
#define TOLD	   160 /* mappings of a lane, as in src/report/html.c */

/* A finding at the begin, in the middle, at the end; and one whose own mapping is far away. */
static const char finding_rows[] =
	"INSERT INTO run VALUES ('complete','1'),('clock_is_ns','1'),('first_ns','100');"
	"INSERT INTO device VALUES (1,'a',NULL,NULL,1,'direct',NULL,NULL,100,NULL),"
	"(2,'b',NULL,NULL,1,'direct',NULL,NULL,100,NULL),(65,'c',NULL,NULL,1,'direct',NULL,NULL,1,NULL);"
	"INSERT INTO finding SELECT column1, 'rule' || column1, 'error', 'certain', NULL, column2, column3,"
	" column4, 0, 0, NULL, column5, 8192, 'm', '{}', 'f' FROM (VALUES (1, 1, NULL, 90, 4096),"
	" (2, 1, NULL, 10007, NULL), (3, 1, NULL, 30000, 40960), (4, 2, 3, 20000, NULL),"
	" (5, 65, NULL, 5, NULL));";

/*
 * Three mappings begin at a time, 30 after the three before, and end 50 later; of one in seven the
 * map was not seen; every fifth is of the second device. Of those as near the id decides. ?1 is the
 * share of n, a mapping's number in time, in its id: a number prime to 2000.
 */
static const char mapping_rows[] =
	"WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < " N_MAPPINGS " - 1)"
	" INSERT INTO mapping(id,device_id,kind,dma_addr,size_bytes,direction,map_ns,unmap_ns,end,"
	"confidence,truncated,bounced,syncs_for_cpu,syncs_for_device)"
	" SELECT 1 + n * ?1 % " N_MAPPINGS ", 1 + (n % 5 = 0), 'page', 4096 * (n % 97), 4096, 'TO_DEVICE',"
	" iif(n % 7, n / 3 * 30, NULL), n / 3 * 30 + 50, iif(n % 7, 'unmapped', 'pre-trace'), 'certain', 0, 0, 0, 0"
	" FROM c";

/* The same by SQL: times of those told, and whether it is the finding's own. */
static const char nearest_sql[] =
	"SELECT map_ns - 100, unmap_ns - 100, own FROM (SELECT m.*, m.id = f.mapping_id AS own,"
	" iif(m.id IS f.mapping_id, 0, min(ifnull(abs(m.map_ns - f.ts_ns), 1e9),"
	" abs(m.unmap_ns - f.ts_ns)) / iif(m.dma_addr < f.dma_addr + f.size_bytes"
	" AND f.dma_addr < m.dma_addr + m.size_bytes, 16, 1)) AS distance"
	" FROM mapping AS m JOIN finding AS f ON f.device_id = m.device_id"
	" WHERE f.id = ?1 ORDER BY distance, m.id LIMIT ?2) ORDER BY id";

static struct sqlite3 *run_of(int share)
{
	struct sqlite3 *db = empty_run();
	sqlite3_stmt *stmt;

	execute(db, finding_rows);
	ck_assert_int_eq(sqlite3_prepare_v2(db, mapping_rows, -1, &stmt, NULL), SQLITE_OK);
	sqlite3_bind_int(stmt, 1, share);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_DONE);
	sqlite3_finalize(stmt);
	return db;
}

/* Member "lanes" of the page of @db. */
static json_t *lanes_of(struct sqlite3 *db)
{
	static const char mark[] = "id=\"data\">\n";
	char *text = NULL, *data;
	json_t *page, *lanes;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	ck_assert_ptr_null(dms_html_print(db, 1000, NULL, out));
	ck_assert_int_eq(fclose(out), 0);
	data = strstr(text, mark);
	ck_assert_ptr_nonnull(data);
	page = json_loads(data + strlen(mark), JSON_DISABLE_EOF_CHECK, NULL);
	ck_assert_ptr_nonnull(page);
	lanes = json_incref(json_object_get(page, "lanes"));
	json_decref(page);
	free(text);
	return lanes;
}

static void ck_time(const json_t *told, sqlite3_stmt *stmt, int index)
{
	if (sqlite3_column_type(stmt, index) == SQLITE_NULL)
		ck_assert(json_is_null(told));
	else
		ck_assert_int_eq(json_integer_value(told), sqlite3_column_int64(stmt, index));
}

/* Are the mappings of finding @id those that SQL says? Return: how many there are. */
static size_t ck_lane(struct sqlite3 *db, const json_t *lanes, int id)
{
	json_t *told = json_object_get(json_object_get(lanes, (const char[]){(char)('0' + id), 0}),
				       "mappings");
	sqlite3_stmt *stmt;
	size_t n = 0;

	ck_assert_msg(json_is_array(told), "finding %d has no lane", id);
	ck_assert_int_eq(sqlite3_prepare_v2(db, nearest_sql, -1, &stmt, NULL), SQLITE_OK);
	sqlite3_bind_int(stmt, 1, id);
	sqlite3_bind_int(stmt, 2, TOLD);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const json_t *item = json_array_get(told, n++);

		ck_time(json_array_get(item, 0), stmt, 0);
		ck_time(json_array_get(item, 1), stmt, 1);
		ck_assert_int_eq(json_integer_value(json_array_get(item, 6)),
				 sqlite3_column_int(stmt, 2));
	}
	sqlite3_finalize(stmt);
	ck_assert_uint_eq(json_array_size(told), n);
	return n;
}

/* Whatever the order in which the table has them: by time, against it, mixed. */
START_TEST(the_nearest_are_told)
{
	static const int shares[] = {1, 1999, 777};
	struct sqlite3 *db = run_of(shares[_i]);
	json_t *lanes = lanes_of(db);

	for (int id = 1; id <= 4; id++)
		ck_assert_uint_eq(ck_lane(db, lanes, id), TOLD);
	/* number 65 shares a slot with number 1, and has no mapping */
	ck_assert_uint_eq(ck_lane(db, lanes, 5), 0);
	json_decref(lanes);
	sqlite3_close(db);
}
END_TEST

/* The figures of a part of the time are not those that were read before it was chosen. */
START_TEST(a_part_is_not_the_whole)
{
	const struct dms_selection first = {.until_ts = 1000};
	struct sqlite3 *db = run_of(1);
	struct dms_summary *summary;

	execute(db, "INSERT INTO distribution VALUES (1,'size','bytes',1,7,7,7);"
		    "INSERT INTO histogram VALUES (1,'size',7,7,1,'bytes');");
	ck_assert_ptr_null(dms_summary_read(db, &summary));
	ck_assert_uint_eq(summary->devices[0].size_max_bytes, 7);
	dms_summary_destroy(summary);
	ck_assert_ptr_null(dms_select(db, &first));
	ck_assert_ptr_null(dms_summary_read(db, &summary));
	ck_assert_uint_eq(summary->devices[0].size_max_bytes, 4096);
	dms_summary_destroy(summary);
	sqlite3_close(db);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("html");
	TCase *cases = tcase_create("html");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(cases, the_nearest_are_told, 0, 3);
	tcase_add_test(cases, a_part_is_not_the_whole);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

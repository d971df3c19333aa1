// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/store: rows, determinism, reader, schema; STORE_BENCH_ROWS=n measures. */
#include <check.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/store_room.h"

/* ---- rows ------------------------------------------------------------------------------------ */

START_TEST(both_ends)
{
	struct room room;

	room_enter(&room);
	room_begin(&room, false);
	room.mapping.map_stack = 0;
	room.event.stack = 1;
	dms_stacks_add(room.names.stacks, (uint64_t[]){ 1, 2 }, 2);
	dms_stacks_add(room.names.stacks, (uint64_t[]){ 3 }, 1);
	room.mapping.syncs_for_cpu = 2;
	room.mapping.bounced = true;
	room_must(room_complete(&room, DMS_STEP_UNMAP, DMS_END_UNMAPPED));
	room_must(dms_store_stacks(room.store, room.names.stacks, NULL));
	room_finish(&room);
	ASK(&room, "SELECT * FROM mapping",
	    "1|1|page|4294963200|19087360|-|4096|TO_DEVICE|32|1|1|100|250|-|1|3|10|11|1|2|"
	    "unmapped|certain|-|0|1|2|0");
	ASK(&room, "SELECT device, dma_addr, phys_addr, virt_addr, attrs, lifetime_ns FROM mappings",
	    "0000:00:1f.2|0xfffff000|0x1234000|-|0x20|150");
	ASK(&room, "SELECT * FROM run", "complete|1");
	room_assert_sound(&room);
	room_leave(&room);
}
END_TEST

START_TEST(one_end)
{
	struct room room;
	uint64_t list[] = { 0xffff000000001000, 0x2000 };

	room_enter(&room);
	room_begin(&room, false);
	room_must(room_complete(&room, DMS_STEP_ENDED, DMS_END_LIVE));
	room_must(room_complete(&room, DMS_STEP_ENDED, DMS_END_LOST));
	room.mapping.has = 0;
	room.mapping.doubts = DMS_DOUBT_PRE_TRACE;
	room.event.dma_addr = UINT64_MAX - 4095;
	room_must(room_complete(&room, DMS_STEP_UNMAP_UNMATCHED, DMS_END_PRE_TRACE));
	room.mapping.kind = DMS_MAPPING_SG;
	room.event.has = DMS_HAS_DEVICE | DMS_HAS_PHYS_LIST;
	room.event.phys_list = list;
	room.event.n_phys = 2;
	room_must(room_complete(&room, DMS_STEP_UNMAP_UNMATCHED, DMS_END_UNMATCHED));
	room_finish(&room);
	ASK(&room, "SELECT end, map_ns, unmap_ns, ended_ns, confidence = 'certain' FROM mapping",
	    "live|100|-|-|1 lost|100|-|300|0 pre-trace|-|250|-|0 unmatched|-|250|-|0");
	ASK(&room, "SELECT dma_addr, phys_addr, size_bytes, direction, map_pid FROM mappings "
		   "WHERE map_ns IS NULL",
	    "0xfffffffffffff000|-|4096|TO_DEVICE|- -|0xffff000000001000|-|UNKNOWN|-");
	ASK(&room, "SELECT count(*) FROM live_mappings", "1");
	room_assert_sound(&room);
	room_leave(&room);
}
END_TEST

START_TEST(fields_not_traced)
{
	struct room room;

	room_enter(&room);
	room_begin(&room, false);
	room.mapping.has = DMS_HAS_DEVICE | DMS_HAS_VIRT_ADDR;
	room.mapping.kind = DMS_MAPPING_COHERENT;
	room.mapping.cpu_addr = 0xffff888000000000;
	room_must(room_complete(&room, DMS_STEP_ENDED, DMS_END_LIVE));
	room_finish(&room);
	ASK(&room, "SELECT kind, dma_addr, phys_addr, virt_addr, size_bytes, direction, attrs, "
		   "map_stack_id FROM mappings",
	    "coherent|-|-|0xffff888000000000|-|UNKNOWN|-|-");
	room_assert_sound(&room);
	room_leave(&room);
}
END_TEST

START_TEST(gaps)
{
	struct room room;
	struct dms_gap gap = { .after_ts = 10, .before_ts = 20, .lost = 3, .cpu = 1 };
	struct dms_gap first = { .before_ts = 30, .cpu = 2, .instance = 1 };
	struct dms_step step = { .kind = DMS_STEP_GAP, .gap = &gap };

	room_enter(&room);
	room_begin(&room, false);
	room_must(dms_store_step(room.store, room.model, &step));
	step.gap = &first;
	room_must(dms_store_step(room.store, room.model, &step));
	room_finish(&room);
	ASK(&room, "SELECT * FROM gap", "1|1|0|10|20|3 2|2|1|-|30|-");
	room_assert_sound(&room);
	room_leave(&room);
}
END_TEST

START_TEST(events)
{
	struct room room;
	uint64_t phys[] = { 0x1000, 0x2000, 0x3000 }, dma[] = { 0x9000 };
	uint32_t lengths[] = { 12288 };
	struct dms_step seen = { .kind = DMS_STEP_DEVICE };
	struct dms_step mapped = { .kind = DMS_STEP_MAP };

	room_enter(&room);
	room_begin(&room, true);
	seen.device = &room.device;
	room_must(dms_store_step(room.store, room.model, &seen));
	room.event.kind = DMS_EV_MAP_SG;
	room.event.device = room.device.name;
	room.event.has = DMS_HAS_DEVICE | DMS_HAS_PHYS_LIST | DMS_HAS_DMA_LIST | DMS_HAS_LENGTHS;
	room.event.phys_list = phys;
	room.event.dma_list = dma;
	room.event.lengths = lengths;
	room.event.n_phys = 3;
	room.event.n_dma = 1;
	room.mapping.kind = DMS_MAPPING_SG;
	mapped.event = &room.event;
	mapped.mapping = &room.mapping;
	room_must(dms_store_step(room.store, room.model, &mapped));
	room_must(dms_store_event(room.store, &room.event, 1));
	room.event = (struct dms_event){ .kind = DMS_EV_UNMAP_SG, .ts = 260, .stack = DMS_ID_NONE,
					 .device = DMS_ID_NONE, .has = DMS_HAS_ERR, .err = -12 };
	room_must(dms_store_event(room.store, &room.event, 0));
	room_must(room_complete(&room, DMS_STEP_UNMAP, DMS_END_UNMAPPED));
	room_finish(&room);
	ASK(&room, "SELECT id, ts_ns, kind, device_id, mapping_id, err, direction FROM event",
	    "1|250|map_sg|1|1|-|UNKNOWN 2|260|unmap_sg|-|-|-12|UNKNOWN");
	ASK(&room, "SELECT * FROM event_segment",
	    "1|0|4096|36864|12288 1|1|8192|-|- 1|2|12288|-|-");
	ASK(&room, "SELECT * FROM mapping_segment",
	    "1|0|4096|36864|12288 1|1|8192|-|- 1|2|12288|-|-");
	room_assert_sound(&room);
	room_leave(&room);
}
END_TEST

START_TEST(events_only_on_request)
{
	struct room room;

	room_enter(&room);
	room_begin(&room, false);
	room_must(dms_store_event(room.store, &room.event, 0));
	room_finish(&room);
	ASK(&room, "SELECT count(*) FROM event", "0");
	room_leave(&room);
}
END_TEST

START_TEST(device_figures)
{
	struct room room;
	struct dms_device_stats *stats = dms_zalloc(sizeof(*stats));

	room_enter(&room);
	room_begin(&room, false);
	stats->counters[DMS_COUNT_MAPS] = 7;
	stats->counters[DMS_COUNT_ALLOCS] = 2;
	stats->counters[DMS_COUNT_MAP_ERRORS] = 1;
	stats->counters[DMS_COUNT_BYTES_TO_DEVICE] = UINT64_MAX;
	stats->peak_live = 4;
	stats->last_ts = 900;
	stats->histograms[DMS_DIST_LIFETIME] = dms_zalloc(sizeof(*stats->histograms[DMS_DIST_LIFETIME]));
	dms_histogram_add(stats->histograms[DMS_DIST_LIFETIME], 100);
	dms_histogram_add(stats->histograms[DMS_DIST_LIFETIME], 5000);
	room.device.dma_mask = UINT64_MAX;
	room.device.iommu_group = 3;
	room_must(dms_store_histograms(room.store, &room.device, stats));
	room_must(dms_store_device(room.store, &room.names, &room.device, NULL, stats));
	room.device.index = 1;
	room.device.generation = 2;
	room_finish(&room);
	ASK(&room, "SELECT * FROM device", "1|0000:00:1f.2|-|-|1|direct|-1|3|5|900 "
					   "2|0000:00:1f.2|-|-|2|direct|-1|3|5|-");
	ASK(&room, "SELECT maps, failed, bytes_to_device, lifetime_max_ns, peak_live, last_ns "
		   "FROM device_summary",
	    "9|1|9223372036854775807|5000|4|900 0|0|0|-|0|-");
	ASK(&room, "SELECT sum(count), max(high) >= 5000, min(low) <= 100 FROM histogram", "2|1|1");
	ASK(&room, "SELECT count(*) FROM device_counter WHERE name = 'dma_map_errors_not_checked'",
	    "0");
	ASK(&room, "SELECT driver, devices, maps FROM driver_summary", "-|2|9");
	room_assert_sound(&room);
	dms_free(stats->histograms[DMS_DIST_LIFETIME]);
	dms_free(stats);
	room_leave(&room);
}
END_TEST

static const char kallsyms[] = "ffffffff81000000 T dma_map_page_attrs\n"
			       "ffffffff81001000 T nvme_queue_rq\t[nvme]\n"
			       "ffffffff81002000 T blk_mq_dispatch\n"
			       "ffffffff81003000 T _end\n";

START_TEST(stacks_and_call_sites)
{
	struct room room;
	struct dms_symbols *symbols;
	const uint64_t frames[] = { 0xffffffff81000010, 0xffffffff81001020, 0xffffffff81002030 };

	room_enter(&room);
	room_begin(&room, false);
	room_must(dms_symbols_create(kallsyms, sizeof(kallsyms) - 1, &symbols));
	room.mapping.map_stack = dms_stacks_add(room.names.stacks, frames, 3);
	dms_stacks_add(room.names.stacks, (uint64_t[]){ 16 }, 1);
	room_must(room_complete(&room, DMS_STEP_UNMAP, DMS_END_UNMAPPED));
	room_must(room_complete(&room, DMS_STEP_ENDED, DMS_END_LIVE));
	room_must(dms_store_stacks(room.store, room.names.stacks, symbols));
	dms_symbols_destroy(symbols);
	room_finish(&room);
	ASK(&room, "SELECT id, name, module FROM symbol",
	    "1|dma_map_page_attrs|- 2|nvme_queue_rq|nvme 3|blk_mq_dispatch|-");
	ASK(&room, "SELECT * FROM stack", "1|3|1|2 2|1|-|-");
	ASK(&room, "SELECT stack_id, depth, symbol_id, offset_bytes FROM frame",
	    "1|0|1|16 1|1|2|32 1|2|3|48 2|0|-|-");
	ASK(&room, "SELECT function, module, mappings, live_at_end, lifetime_mean_ns FROM call_sites",
	    "nvme_queue_rq|nvme|2|1|150");
	ASK(&room, "SELECT start_ns, maps, bytes_to_device FROM throughput", "0|2|8192");
	room_assert_sound(&room);
	room_leave(&room);
}
END_TEST

START_TEST(told_rows)
{
	struct room room;
	struct dms_source_info info = { .path = "a'b.dat", .format = "trace.dat v7", .n_cpus = 4,
					.page_size = 4096, .long_size = 8, .clock = "local" };
	struct dms_tracepoint_count count = { "dma", "dma_map_page", 10, 1, "short", 64, true };

	room_enter(&room);
	room_begin(&room, false);
	room_must(dms_store_run_u64(room.store, "records", UINT64_MAX));
	room_must(dms_store_run(room.store, "kernel", NULL));
	room_must(dms_store_input(room.store, 0, &info, "xxh3:12"));
	room_must(dms_store_instance(room.store, 0, 0, ""));
	room_must(dms_store_tracepoint(room.store, 0, &count));
	room_must(dms_store_task(room.store, 12, "kworker/0:1\x1b[31m"));
	room_must(dms_store_not_judged(room.store, NULL, DMS_ID_NONE, "all"));
	room_must(dms_store_not_judged(room.store, "leak-growth", 0, "short trace"));
	room_finish(&room);
	ASK(&room, "SELECT * FROM run", "complete|1 kernel|- records|18446744073709551615");
	ASK(&room, "SELECT path, hash, uname, cpus FROM input_file", "a'b.dat|xxh3:12|-|4");
	ASK(&room, "SELECT * FROM tracepoint", "0|dma|dma_map_page|10|1|short|64|1");
	ASK(&room, "SELECT * FROM not_judged", "1|-|-|all 2|leak-growth|1|short trace");
	ASK(&room, "SELECT hex(comm) FROM task", "6B776F726B65722F303A311B5B33316D");
	room_assert_sound(&room);
	room_leave(&room);
}
END_TEST

START_TEST(many_rows)
{
	struct room room;

	room_enter(&room);
	room_begin(&room, false);
	room_fill(&room, 20000);
	room_finish(&room);
	ASK(&room, "SELECT count(*), min(id), max(id), sum(dma_addr) / 4096 FROM mapping",
	    "20000|1|20000|199990000");
	ASK(&room, "SELECT count(*) FROM mapping WHERE confidence <> 'certain' AND reason IS NULL",
	    "0");
	room_assert_sound(&room);
	room_leave(&room);
}
END_TEST

START_TEST(same_rows_same_bytes)
{
	char *text[2];
	size_t size[2];

	for (int i = 0; i < 2; i++) {
		struct room room;

		room_enter(&room);
		room_begin(&room, true);
		room_fill(&room, 20000);
		room_finish(&room);
		text[i] = room_slurp(room.path, &size[i]);
		room_leave(&room);
	}
	ck_assert_uint_eq(size[0], size[1]);
	ck_assert_int_eq(memcmp(text[0], text[1], size[0]), 0);
	dms_free(text[0]);
	dms_free(text[1]);
}
END_TEST

/* ---- reader ---------------------------------------------------------------------------------- */

static void change(const char *path, const char *sql)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(!sqlite3_exec(db, sql, NULL, NULL, NULL), "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

START_TEST(reader_refuses)
{
	sqlite3 *db = NULL;
	struct room room;

	room_enter(&room);
	room_must_fail(dms_db_open(room.path, false, &db), DMS_ERROR_INPUT, "No such file");
	room_must_fail(dms_db_open(room.folder, false, &db), DMS_ERROR_INPUT, "not a dmascope");
	room_spill(room.path, "a trace, perhaps");
	room_must_fail(dms_db_open(room.path, false, &db), DMS_ERROR_INPUT, "not a dmascope");
	unlink(room.path);
	room_begin(&room, false);
	room_finish(&room);
	room_must(dms_db_open(room.path, false, &db));
	ck_assert_int_eq(sqlite3_exec(db, "DELETE FROM run", NULL, NULL, NULL), SQLITE_READONLY);
	room_must_fail(dms_db_error(db, "deleting"), DMS_ERROR_INTERNAL, "deleting: ");
	dms_db_close(db);
	change(room.path, "UPDATE run SET value = 0 WHERE key = 'complete'");
	room_must_fail(dms_db_open(room.path, false, &db), DMS_ERROR_INPUT, "not complete");
	room_must(dms_db_open(room.path, true, &db));
	dms_db_close(db);
	change(room.path, "PRAGMA user_version = 99");
	room_must_fail(dms_db_open(room.path, true, &db), DMS_ERROR_INPUT, "schema 99");
	dms_db_close(NULL);
	room_leave(&room);
}
END_TEST

START_TEST(reader_survives_truncation)
{
	sqlite3 *db = NULL;
	struct room room;

	room_enter(&room);
	room_begin(&room, false);
	room_fill(&room, 3000);
	room_finish(&room);
	ck_assert_int_eq(truncate(room.path, 40000), 0);
	room_must_fail(dms_db_open(room.path, false, &db), DMS_ERROR_INPUT, "malformed");
	room_leave(&room);
}
END_TEST

/* ---- schema, queries, man page --------------------------------------------------------------- */

START_TEST(queries_run)
{
	struct room room;
	char answer[4096];

	room_enter(&room);
	room_begin(&room, false);
	room_must(room_complete(&room, DMS_STEP_ENDED, DMS_END_LIVE));
	room_finish(&room);
	ck_assert_uint_ge(dms_n_named_queries, 10);
	for (size_t i = 0; i < dms_n_named_queries; i++) {
		ck_assert(!i || strcmp(dms_named_queries[i - 1].name, dms_named_queries[i].name) < 0);
		ck_assert_uint_gt(strlen(dms_named_queries[i].title), 10);
		ck_assert_msg(strstr(dms_named_queries[i].sql, "ORDER BY"), "%s is not ordered",
			      dms_named_queries[i].name);
		room_ask(room.path, dms_named_queries[i].sql, answer, sizeof(answer));
	}
	room_leave(&room);
}
END_TEST

static unsigned int count_comments(const char *sql)
{
	unsigned int n = 0;

	for (; (sql = strstr(sql, "-- ")); sql++)
		n++;
	return n;
}

START_TEST(schema_commented)
{
	sqlite3_stmt *statement;
	unsigned int tables = 0;
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, dms_schema_sql, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db,
		"SELECT name, sql, iif(type = 'table', (SELECT count(*) FROM "
		"pragma_table_info(s.name)), 0) FROM sqlite_schema AS s WHERE sql IS NOT NULL", -1,
		&statement, NULL), SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(statement, 0);
		const char *sql = (const char *)sqlite3_column_text(statement, 1);
		unsigned int columns = (unsigned int)sqlite3_column_int(statement, 2);

		tables++;
		ck_assert_msg(count_comments(sql) == columns + 1, "%s: %u comments, %u columns",
			      name, count_comments(sql), columns);
	}
	sqlite3_finalize(statement);
	sqlite3_close(db);
	ck_assert_uint_gt(tables, 20);
}
END_TEST

/* ".It Va NAME" after ".Ss Table NAME": the section of @table in the man page @text. */
static const char *section_of(const char *text, const char *table, char *buf, size_t size)
{
	char heading[80];
	const char *from, *end;
	size_t bytes;

	snprintf(heading, sizeof(heading), "\n.Ss %s\n", table);
	from = strstr(text, heading);
	ck_assert_msg(from, "%s is not in the man page", table);
	end = strstr(from + 4, "\n.S");
	bytes = (size_t)((end ? end : from + strlen(from)) - from);
	ck_assert_uint_lt(bytes, size);
	memcpy(buf, from, bytes);
	buf[bytes] = '\0';
	return buf;
}

START_TEST(man_page_complete)
{
	const char *root = getenv("SRCDIR");
	char path[4096], section[8192], item[80];
	sqlite3_stmt *statement;
	unsigned int columns = 0;
	sqlite3 *db;
	size_t size;
	char *text;

	snprintf(path, sizeof(path), "%s/man/dmascope-db.5", root ? root : ".");
	text = room_slurp(path, &size);
	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, dms_schema_sql, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT s.name, c.name FROM sqlite_schema AS s, "
		"pragma_table_info(s.name) AS c WHERE s.type IN ('table', 'view')", -1,
		&statement, NULL), SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		const char *table = (const char *)sqlite3_column_text(statement, 0);
		const char *column = (const char *)sqlite3_column_text(statement, 1);

		section_of(text, table, section, sizeof(section));
		snprintf(item, sizeof(item), "\n.It Va %s\n", column);
		ck_assert_msg(strstr(section, item), "%s.%s is not in the man page", table, column);
		columns++;
	}
	ck_assert_uint_gt(columns, 150);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	dms_free(text);
}
END_TEST

/* ---- bench ----------------------------------------------------------------------------------- */

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Rows a second of the writer thread: CPU time of the process less that of this thread. */
START_TEST(bench)
{
	uint32_t n = (uint32_t)strtoul(getenv("STORE_BENCH_ROWS"), NULL, 10);
	double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	double own = seconds(CLOCK_THREAD_CPUTIME_ID);
	struct rusage usage;
	struct room room;
	struct stat st;

	room_enter(&room);
	room.mapping.map_stack = 20;
	room.event.stack = 21;
	room.mapping.map_ts = 123456789012;
	room_begin(&room, false);
	for (uint32_t i = 0; i < n; i++) {
		struct dms_mapping mapping = room.mapping;
		struct dms_step step = { .kind = DMS_STEP_UNMAP, .event = &room.event,
					 .device = &room.device, .mapping = &mapping,
					 .end = DMS_END_UNMAPPED };

		mapping.dma_addr = dms_hash64(i) >> 20;
		mapping.cpu_addr = mapping.dma_addr;
		mapping.map_ts += i * 1000ull;
		room.event.ts = mapping.map_ts + 50000;
		room_must(dms_store_step(room.store, room.model, &step));
	}
	own = seconds(CLOCK_THREAD_CPUTIME_ID) - own;
	room_finish(&room);
	wall = seconds(CLOCK_MONOTONIC) - wall;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu - own;
	getrusage(RUSAGE_SELF, &usage);
	ck_assert_int_eq(stat(room.path, &st), 0);
	printf("%" PRIu32 " rows: wall %.2f s, producer %.0f ns/row, writer %.0f ns/row = %.2f M"
	       " rows/s, %.0f bytes/row, peak memory %.1f MiB\n",
	       n, wall, own / n * 1e9, cpu / n * 1e9, n / cpu / 1e6, (double)st.st_size / n,
	       (double)usage.ru_maxrss / 1024);
	fflush(stdout);
	room_leave(&room);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		both_ends, one_end, fields_not_traced, gaps, events, events_only_on_request,
		device_figures, stacks_and_call_sites, told_rows, many_rows, same_rows_same_bytes,
		reader_refuses, reader_survives_truncation, queries_run, schema_commented,
		man_page_complete,
	};
	Suite *suite = suite_create("store");
	TCase *tcase = tcase_create("store");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	if (getenv("STORE_BENCH_ROWS"))
		tcase_add_test(tcase, bench);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(tests) && !getenv("STORE_BENCH_ROWS"); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

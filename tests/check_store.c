// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/store: rows, faults, determinism, reader, schema; STORE_BENCH_ROWS=n measures. */
#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <dmascope/store.h>

#define PAGE_HAS                                                                                  \
	(DMS_HAS_DEVICE | DMS_HAS_DMA_ADDR | DMS_HAS_PHYS_ADDR | DMS_HAS_SIZE | DMS_HAS_DIR |     \
	 DMS_HAS_ATTRS | DMS_HAS_STACK)

/** One test's folder, model and names; the rows are hand-made, the model only numbers them. */
struct room {
	char folder[64];
	char path[96];
	char part[112];
	struct dms_names names;
	struct dms_model *model;
	struct dms_store *store;
	struct dms_event event;
	struct dms_mapping mapping;
	struct dms_device device;
};

static void must(struct dms_error *err)
{
	if (err)
		ck_abort_msg("%s", dms_error_message(err));
}

static void must_fail(struct dms_error *err, enum dms_error_code code, const char *word)
{
	ck_assert_msg(err, "no error, wanted one about %s", word);
	ck_assert_msg(strstr(dms_error_message(err), word), "'%s' lacks '%s'",
		      dms_error_message(err), word);
	ck_assert_msg(!strchr(dms_error_message(err), '\n'), "more than one line");
	ck_assert_int_eq(dms_error_code(err), code);
	dms_error_free(err);
}

static struct dms_error *no_sink(void *context, const struct dms_step *step)
{
	(void)context;
	(void)step;
	return NULL;
}

static void room_enter(struct room *room)
{
	memset(room, 0, sizeof(*room));
	strcpy(room->folder, "/tmp/check_store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(room->folder));
	snprintf(room->path, sizeof(room->path), "%s/run.db", room->folder);
	snprintf(room->part, sizeof(room->part), "%s.part", room->path);
	room->names.devices = dms_strtab_create();
	room->names.stacks = dms_stacks_create();
	must(dms_model_create(&room->names, no_sink, NULL, &room->model));
	room->device = (struct dms_device){
		.name = dms_strtab_add(room->names.devices, "0000:00:1f.2", 12),
		.generation = 1, .iommu_group = -1, .first_ts = 5, .mode = DMS_MODE_DIRECT,
	};
	room->mapping = (struct dms_mapping){
		.dma_addr = 0xfffff000, .cpu_addr = 0x1234000, .size = 4096, .attrs = 1ull << 5,
		.map_ts = 100, .map_cpu = 1, .map_pid = 10, .map_stack = DMS_ID_NONE,
		.has = PAGE_HAS, .nents = 1, .ents = 1, .kind = DMS_MAPPING_PAGE,
		.dir = DMS_DIR_TO_DEVICE,
	};
	room->event = (struct dms_event){
		.kind = DMS_EV_UNMAP, .has = DMS_HAS_DEVICE | DMS_HAS_DMA_ADDR | DMS_HAS_SIZE |
		DMS_HAS_DIR, .ts = 250, .cpu = 3, .pid = 11, .dma_addr = 0xfffff000, .size = 4096,
		.dir = DMS_DIR_TO_DEVICE, .stack = DMS_ID_NONE,
	};
}

static void room_leave(struct room *room)
{
	char command[128];

	dms_store_destroy(room->store);
	dms_model_destroy(room->model);
	dms_stacks_destroy(room->names.stacks);
	dms_strtab_destroy(room->names.devices);
	snprintf(command, sizeof(command), "rm -rf %s", room->folder);
	ck_assert_int_eq(system(command), 0);
}

static void begin(struct room *room, bool keep_events)
{
	struct dms_store_options options = { .keep_events = keep_events };

	must(dms_store_create(room->path, &options, &room->store));
}

static struct dms_error *complete(struct room *room, enum dms_step_kind kind, enum dms_end end)
{
	struct dms_mapping mapping = room->mapping;
	struct dms_step step = { .kind = kind, .device = &room->device, .mapping = &mapping,
				 .ts = 300, .end = end };

	if (kind != DMS_STEP_ENDED)
		step.event = &room->event;
	if (end == DMS_END_LOST)
		step.doubts = DMS_DOUBT_LOST_EVENTS;
	return dms_store_step(room->store, room->model, &step);
}

static void finish(struct room *room)
{
	must(dms_store_device(room->store, &room->names, &room->device, NULL));
	must(dms_store_finish(room->store));
	dms_store_destroy(room->store);
	room->store = NULL;
}

/* All rows of @sql: columns joined by '|', rows by ' '; NULL is '-'. */
static const char *ask(const char *path, const char *sql, char *buf, size_t size)
{
	sqlite3_stmt *statement;
	sqlite3 *db;
	size_t used = 0;

	buf[0] = '\0';
	must(dms_db_open(path, false, &db));
	ck_assert_msg(!sqlite3_prepare_v2(db, sql, -1, &statement, NULL), "%s: %s", sql,
		      sqlite3_errmsg(db));
	while (sqlite3_step(statement) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(statement); i++) {
			const char *text = (const char *)sqlite3_column_text(statement, i);

			used += (size_t)snprintf(buf + used, size - used, "%s%s",
						 i ? "|" : used ? " " : "", text ? text : "-");
			ck_assert_uint_lt(used, size);
		}
	}
	ck_assert_msg(!sqlite3_reset(statement), "%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	dms_db_close(db);
	return buf;
}

#define ASK(room, sql, want)                                                                      \
	do {                                                                                      \
		char answer[4096];                                                                \
		ck_assert_str_eq(ask((room)->path, sql, answer, sizeof(answer)), want);           \
	} while (0)

/* Every CHECK, NOT NULL and foreign key, which the writer does not evaluate itself. */
static void assert_sound(struct room *room)
{
	ASK(room, "PRAGMA foreign_key_check", "");
	ASK(room, "PRAGMA integrity_check", "ok");
}

static char *slurp(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	char *text;

	ck_assert_msg(file && !fstat(fileno(file), &st), "%s: cannot be read", path);
	text = dms_alloc((size_t)st.st_size + 1);
	*ret_size = fread(text, 1, (size_t)st.st_size, file);
	text[*ret_size] = '\0';
	fclose(file);
	return text;
}

static void spill(const char *path, const char *text)
{
	FILE *file = fopen(path, "wb");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

/* ---- rows ------------------------------------------------------------------------------------ */

START_TEST(both_ends)
{
	struct room room;

	room_enter(&room);
	begin(&room, false);
	room.mapping.map_stack = 0;
	room.event.stack = 1;
	dms_stacks_add(room.names.stacks, (uint64_t[]){ 1, 2 }, 2);
	dms_stacks_add(room.names.stacks, (uint64_t[]){ 3 }, 1);
	room.mapping.syncs_for_cpu = 2;
	room.mapping.bounced = true;
	must(complete(&room, DMS_STEP_UNMAP, DMS_END_UNMAPPED));
	must(dms_store_stacks(room.store, room.names.stacks, NULL));
	finish(&room);
	ASK(&room, "SELECT * FROM mapping",
	    "1|1|page|4294963200|19087360|-|4096|TO_DEVICE|32|1|1|100|250|-|1|3|10|11|1|2|"
	    "unmapped|certain|-|0|1|2|0");
	ASK(&room, "SELECT device, dma_addr, phys_addr, virt_addr, attrs, lifetime_ns FROM mappings",
	    "0000:00:1f.2|0xfffff000|0x1234000|-|0x20|150");
	ASK(&room, "SELECT * FROM run", "complete|1");
	assert_sound(&room);
	room_leave(&room);
}
END_TEST

START_TEST(one_end)
{
	struct room room;
	uint64_t list[] = { 0xffff000000001000, 0x2000 };

	room_enter(&room);
	begin(&room, false);
	must(complete(&room, DMS_STEP_ENDED, DMS_END_LIVE));
	must(complete(&room, DMS_STEP_ENDED, DMS_END_LOST));
	room.mapping.has = 0;
	room.mapping.doubts = DMS_DOUBT_PRE_TRACE;
	room.event.dma_addr = UINT64_MAX - 4095;
	must(complete(&room, DMS_STEP_UNMAP_UNMATCHED, DMS_END_PRE_TRACE));
	room.mapping.kind = DMS_MAPPING_SG;
	room.event.has = DMS_HAS_DEVICE | DMS_HAS_PHYS_LIST;
	room.event.phys_list = list;
	room.event.n_phys = 2;
	must(complete(&room, DMS_STEP_UNMAP_UNMATCHED, DMS_END_UNMATCHED));
	finish(&room);
	ASK(&room, "SELECT end, map_ns, unmap_ns, ended_ns, confidence = 'certain' FROM mapping",
	    "live|100|-|-|1 lost|100|-|300|0 pre-trace|-|250|-|0 unmatched|-|250|-|0");
	ASK(&room, "SELECT dma_addr, phys_addr, size_bytes, direction, map_pid FROM mappings "
		   "WHERE map_ns IS NULL",
	    "0xfffffffffffff000|-|4096|TO_DEVICE|- -|0xffff000000001000|-|UNKNOWN|-");
	ASK(&room, "SELECT count(*) FROM live_mappings", "1");
	assert_sound(&room);
	room_leave(&room);
}
END_TEST

START_TEST(fields_not_traced)
{
	struct room room;

	room_enter(&room);
	begin(&room, false);
	room.mapping.has = DMS_HAS_DEVICE | DMS_HAS_VIRT_ADDR;
	room.mapping.kind = DMS_MAPPING_COHERENT;
	room.mapping.cpu_addr = 0xffff888000000000;
	must(complete(&room, DMS_STEP_ENDED, DMS_END_LIVE));
	finish(&room);
	ASK(&room, "SELECT kind, dma_addr, phys_addr, virt_addr, size_bytes, direction, attrs, "
		   "map_stack_id FROM mappings",
	    "coherent|-|-|0xffff888000000000|-|UNKNOWN|-|-");
	assert_sound(&room);
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
	begin(&room, false);
	must(dms_store_step(room.store, room.model, &step));
	step.gap = &first;
	must(dms_store_step(room.store, room.model, &step));
	finish(&room);
	ASK(&room, "SELECT * FROM gap", "1|1|0|10|20|3 2|2|1|-|30|-");
	assert_sound(&room);
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
	begin(&room, true);
	seen.device = &room.device;
	must(dms_store_step(room.store, room.model, &seen));
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
	must(dms_store_step(room.store, room.model, &mapped));
	must(dms_store_event(room.store, &room.event, 1));
	room.event = (struct dms_event){ .kind = DMS_EV_UNMAP_SG, .ts = 260, .stack = DMS_ID_NONE,
					 .device = DMS_ID_NONE, .has = DMS_HAS_ERR, .err = -12 };
	must(dms_store_event(room.store, &room.event, 0));
	must(complete(&room, DMS_STEP_UNMAP, DMS_END_UNMAPPED));
	finish(&room);
	ASK(&room, "SELECT id, ts_ns, kind, device_id, mapping_id, err, direction FROM event",
	    "1|250|map_sg|1|1|-|UNKNOWN 2|260|unmap_sg|-|-|-12|UNKNOWN");
	ASK(&room, "SELECT * FROM event_segment",
	    "1|0|4096|36864|12288 1|1|8192|-|- 1|2|12288|-|-");
	ASK(&room, "SELECT * FROM mapping_segment",
	    "1|0|4096|36864|12288 1|1|8192|-|- 1|2|12288|-|-");
	assert_sound(&room);
	room_leave(&room);
}
END_TEST

START_TEST(events_only_on_request)
{
	struct room room;

	room_enter(&room);
	begin(&room, false);
	must(dms_store_event(room.store, &room.event, 0));
	finish(&room);
	ASK(&room, "SELECT count(*) FROM event", "0");
	room_leave(&room);
}
END_TEST

START_TEST(device_figures)
{
	struct room room;
	struct dms_device_stats *stats = dms_zalloc(sizeof(*stats));

	room_enter(&room);
	begin(&room, false);
	stats->counters[DMS_COUNT_MAPS] = 7;
	stats->counters[DMS_COUNT_ALLOCS] = 2;
	stats->counters[DMS_COUNT_MAP_ERRORS] = 1;
	stats->counters[DMS_COUNT_BYTES_TO_DEVICE] = UINT64_MAX;
	stats->peak_live = 4;
	stats->last_ts = 900;
	stats->lifetime = dms_zalloc(sizeof(*stats->lifetime));
	dms_histogram_add(stats->lifetime, 100);
	dms_histogram_add(stats->lifetime, 5000);
	room.device.dma_mask = UINT64_MAX;
	room.device.iommu_group = 3;
	must(dms_store_device(room.store, &room.names, &room.device, stats));
	room.device.index = 1;
	room.device.generation = 2;
	finish(&room);
	ASK(&room, "SELECT * FROM device", "1|0000:00:1f.2|-|-|1|direct|-1|3|5|900 "
					   "2|0000:00:1f.2|-|-|2|direct|-1|3|5|-");
	ASK(&room, "SELECT maps, failed, bytes_to_device, lifetime_max_ns, peak_live, last_ns "
		   "FROM device_summary",
	    "9|1|9223372036854775807|5000|4|900 0|0|0|-|0|-");
	ASK(&room, "SELECT sum(count), max(high) >= 5000, min(low) <= 100 FROM histogram", "2|1|1");
	ASK(&room, "SELECT count(*) FROM device_counter WHERE name = 'dma_map_errors_not_checked'",
	    "0");
	ASK(&room, "SELECT driver, devices, maps FROM driver_summary", "-|2|9");
	assert_sound(&room);
	dms_free(stats->lifetime);
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
	begin(&room, false);
	must(dms_symbols_create(kallsyms, sizeof(kallsyms) - 1, &symbols));
	room.mapping.map_stack = dms_stacks_add(room.names.stacks, frames, 3);
	dms_stacks_add(room.names.stacks, (uint64_t[]){ 16 }, 1);
	must(complete(&room, DMS_STEP_UNMAP, DMS_END_UNMAPPED));
	must(complete(&room, DMS_STEP_ENDED, DMS_END_LIVE));
	must(dms_store_stacks(room.store, room.names.stacks, symbols));
	dms_symbols_destroy(symbols);
	finish(&room);
	ASK(&room, "SELECT id, name, module FROM symbol",
	    "1|dma_map_page_attrs|- 2|nvme_queue_rq|nvme 3|blk_mq_dispatch|-");
	ASK(&room, "SELECT * FROM stack", "1|3|1|2 2|1|-|-");
	ASK(&room, "SELECT stack_id, depth, symbol_id, offset_bytes FROM frame",
	    "1|0|1|16 1|1|2|32 1|2|3|48 2|0|-|-");
	ASK(&room, "SELECT function, module, mappings, live_at_end, lifetime_mean_ns FROM call_sites",
	    "nvme_queue_rq|nvme|2|1|150");
	ASK(&room, "SELECT start_ns, maps, bytes_to_device FROM throughput", "0|2|8192");
	assert_sound(&room);
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
	begin(&room, false);
	must(dms_store_run_u64(room.store, "records", UINT64_MAX));
	must(dms_store_run(room.store, "kernel", NULL));
	must(dms_store_input(room.store, 0, &info, "xxh3:12"));
	must(dms_store_instance(room.store, 0, 0, ""));
	must(dms_store_tracepoint(room.store, 0, &count));
	must(dms_store_task(room.store, 12, "kworker/0:1\x1b[31m"));
	must(dms_store_not_judged(room.store, NULL, DMS_ID_NONE, "all"));
	must(dms_store_not_judged(room.store, "leak-growth", 0, "short trace"));
	finish(&room);
	ASK(&room, "SELECT * FROM run", "complete|1 kernel|- records|18446744073709551615");
	ASK(&room, "SELECT path, hash, uname, cpus FROM input_file", "a'b.dat|xxh3:12|-|4");
	ASK(&room, "SELECT * FROM tracepoint", "0|dma|dma_map_page|10|1|short|64|1");
	ASK(&room, "SELECT * FROM not_judged", "1|-|-|all 2|leak-growth|1|short trace");
	ASK(&room, "SELECT hex(comm) FROM task", "6B776F726B65722F303A311B5B33316D");
	assert_sound(&room);
	room_leave(&room);
}
END_TEST

/* Many rows, some numbered long before they complete. */
static void fill(struct room *room, uint32_t n)
{
	struct dms_mapping early[64];

	for (int i = 0; i < 64; i++) {
		early[i] = room->mapping;
		dms_mapping_row(room->model, &early[i]);
	}
	for (uint32_t i = 0; i < n; i++) {
		struct dms_mapping late = room->mapping;
		struct dms_mapping *mapping = i < 64 ? &early[63 - i] : &late;
		struct dms_step step = { .kind = DMS_STEP_UNMAP, .event = &room->event,
					 .device = &room->device, .mapping = mapping,
					 .end = DMS_END_UNMAPPED, .doubts = i % 256 };

		mapping->dma_addr = i * 4096ull;
		room->event.ts = 1000 + i;
		must(dms_store_step(room->store, room->model, &step));
	}
}

START_TEST(many_rows)
{
	struct room room;

	room_enter(&room);
	begin(&room, false);
	fill(&room, 20000);
	finish(&room);
	ASK(&room, "SELECT count(*), min(id), max(id), sum(dma_addr) / 4096 FROM mapping",
	    "20000|1|20000|199990000");
	ASK(&room, "SELECT count(*) FROM mapping WHERE confidence <> 'certain' AND reason IS NULL",
	    "0");
	assert_sound(&room);
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
		begin(&room, true);
		fill(&room, 20000);
		finish(&room);
		text[i] = slurp(room.path, &size[i]);
		room_leave(&room);
	}
	ck_assert_uint_eq(size[0], size[1]);
	ck_assert_int_eq(memcmp(text[0], text[1], size[0]), 0);
	dms_free(text[0]);
	dms_free(text[1]);
}
END_TEST

/* ---- faults ---------------------------------------------------------------------------------- */

START_TEST(nothing_under_the_name_before_finish)
{
	struct room room;

	room_enter(&room);
	begin(&room, false);
	must(complete(&room, DMS_STEP_ENDED, DMS_END_LIVE));
	ck_assert_int_ne(access(room.path, F_OK), 0);
	ck_assert_int_eq(access(room.part, F_OK), 0);
	dms_store_destroy(room.store);
	room.store = NULL;
	ck_assert_int_ne(access(room.path, F_OK), 0);
	ck_assert_int_ne(access(room.part, F_OK), 0);
	room_leave(&room);
}
END_TEST

START_TEST(older_database_replaced_only_at_finish)
{
	struct room room;

	room_enter(&room);
	begin(&room, false);
	must(dms_store_run(room.store, "which", "old"));
	finish(&room);
	begin(&room, false);
	must(dms_store_run(room.store, "which", "thrown away"));
	dms_store_destroy(room.store);
	ASK(&room, "SELECT value FROM run WHERE key = 'which'", "old");
	begin(&room, false);
	must(dms_store_run(room.store, "which", "new"));
	ASK(&room, "SELECT value FROM run WHERE key = 'which'", "old");
	finish(&room);
	ASK(&room, "SELECT value FROM run WHERE key = 'which'", "new");
	ck_assert_int_ne(access(room.part, F_OK), 0);
	room_leave(&room);
}
END_TEST

START_TEST(second_writer_refused)
{
	struct dms_store *second = NULL;
	struct room room;

	room_enter(&room);
	begin(&room, false);
	must_fail(dms_store_create(room.path, NULL, &second), DMS_ERROR_INTERNAL,
		  "another dmascope is writing");
	must(complete(&room, DMS_STEP_ENDED, DMS_END_LIVE));
	finish(&room);
	ASK(&room, "SELECT count(*) FROM mapping", "1");
	room_leave(&room);
}
END_TEST

START_TEST(leftover_of_a_killed_run_replaced)
{
	struct room room;
	pid_t child;
	int status;

	room_enter(&room);
	child = fork();
	if (!child) {
		begin(&room, false);
		fill(&room, 5000);
		raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(access(room.part, F_OK), 0);
	ck_assert_int_ne(access(room.path, F_OK), 0);
	begin(&room, false);
	must(complete(&room, DMS_STEP_ENDED, DMS_END_LIVE));
	finish(&room);
	ASK(&room, "SELECT count(*) FROM mapping", "1");
	room_leave(&room);
}
END_TEST

START_TEST(strange_files_never_overwritten)
{
	static const char *const texts[] = { "", "my thesis", "SQLite format 3" };
	struct dms_store *store = NULL;
	struct room room;
	char *text;
	size_t size;

	room_enter(&room);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(texts); i++) {
		spill(room.path, texts[i]);
		must_fail(dms_store_create(room.path, NULL, &store), DMS_ERROR_USAGE,
			  "not a dmascope database");
		text = slurp(room.path, &size);
		ck_assert_str_eq(text, texts[i]);
		dms_free(text);
		ck_assert_int_ne(access(room.part, F_OK), 0);
	}
	must_fail(dms_store_create(room.folder, NULL, &store), DMS_ERROR_USAGE, "folder");
	must_fail(dms_store_create("/dev/null", NULL, &store), DMS_ERROR_USAGE, "regular file");
	must_fail(dms_store_create("/tmp/check_store.none/run.db", NULL, &store),
		  DMS_ERROR_INTERNAL, "No such file");
	room_leave(&room);
}
END_TEST

START_TEST(file_that_appears_meanwhile_not_overwritten)
{
	struct room room;
	char *text;
	size_t size;

	room_enter(&room);
	begin(&room, false);
	spill(room.path, "my thesis");
	must_fail(dms_store_finish(room.store), DMS_ERROR_USAGE, "not a dmascope database");
	text = slurp(room.path, &size);
	ck_assert_str_eq(text, "my thesis");
	dms_free(text);
	room_leave(&room);
}
END_TEST

START_TEST(symbolic_link_followed)
{
	struct room room;
	struct stat st;
	char real[96];

	room_enter(&room);
	begin(&room, false);
	finish(&room);
	snprintf(real, sizeof(real), "%s/real.db", room.folder);
	ck_assert_int_eq(rename(room.path, real), 0);
	ck_assert_int_eq(symlink("real.db", room.path), 0);
	begin(&room, false);
	must(complete(&room, DMS_STEP_ENDED, DMS_END_LIVE));
	finish(&room);
	ck_assert(!lstat(room.path, &st) && S_ISLNK(st.st_mode));
	ASK(&room, "SELECT count(*) FROM mapping", "1");
	room_leave(&room);
}
END_TEST

/* In a child: a limit on the size of files stands in for a full disk. */
static int fill_a_full_disk(struct room *room)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };
	struct dms_mapping mapping;
	struct dms_step step = { .kind = DMS_STEP_ENDED, .device = &room->device,
				 .mapping = &mapping, .end = DMS_END_LIVE };
	struct dms_error *err = NULL;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	must(dms_store_create(room->path, NULL, &room->store));
	for (int i = 0; i < 1000000 && !err; i++) {
		mapping = room->mapping;
		err = dms_store_step(room->store, room->model, &step);
	}
	if (!err || dms_error_code(err) != DMS_ERROR_INTERNAL)
		return 1;
	if (!strstr(dms_error_message(err), "writing the database: File too large"))
		return 2;
	dms_error_free(err);
	err = dms_store_finish(room->store);
	if (!err)
		return 3;
	dms_error_free(err);
	dms_store_destroy(room->store);
	return access(room->part, F_OK) ? 0 : 4;
}

START_TEST(full_disk)
{
	struct room room;
	pid_t child;
	int status;

	room_enter(&room);
	begin(&room, false);
	must(dms_store_run(room.store, "which", "old"));
	finish(&room);
	child = fork();
	if (!child)
		_exit(fill_a_full_disk(&room));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "child ended with %#x", status);
	ASK(&room, "SELECT value FROM run WHERE key = 'which'", "old");
	room_leave(&room);
}
END_TEST

START_TEST(disk_full_at_the_commit)
{
	struct rlimit limit = { 0, 0 };
	struct room room;
	pid_t child;
	int status;

	room_enter(&room);
	child = fork();
	if (!child) {
		signal(SIGXFSZ, SIG_IGN);
		begin(&room, false);
		limit.rlim_cur = limit.rlim_max = 4096;
		setrlimit(RLIMIT_FSIZE, &limit);
		must_fail(dms_store_finish(room.store), DMS_ERROR_INTERNAL,
			  "writing the database");
		dms_store_destroy(room.store);
		_exit(access(room.part, F_OK) && access(room.path, F_OK) ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "child ended with %#x", status);
	room_leave(&room);
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
	must_fail(dms_db_open(room.path, false, &db), DMS_ERROR_INPUT, "No such file");
	must_fail(dms_db_open(room.folder, false, &db), DMS_ERROR_INPUT, "not a dmascope");
	spill(room.path, "a trace, perhaps");
	must_fail(dms_db_open(room.path, false, &db), DMS_ERROR_INPUT, "not a dmascope");
	unlink(room.path);
	begin(&room, false);
	finish(&room);
	must(dms_db_open(room.path, false, &db));
	ck_assert_int_eq(sqlite3_exec(db, "DELETE FROM run", NULL, NULL, NULL), SQLITE_READONLY);
	must_fail(dms_db_error(db, "deleting"), DMS_ERROR_INTERNAL, "deleting: ");
	dms_db_close(db);
	change(room.path, "UPDATE run SET value = 0 WHERE key = 'complete'");
	must_fail(dms_db_open(room.path, false, &db), DMS_ERROR_INPUT, "not complete");
	must(dms_db_open(room.path, true, &db));
	dms_db_close(db);
	change(room.path, "PRAGMA user_version = 99");
	must_fail(dms_db_open(room.path, true, &db), DMS_ERROR_INPUT, "schema 99");
	dms_db_close(NULL);
	room_leave(&room);
}
END_TEST

START_TEST(reader_survives_truncation)
{
	sqlite3 *db = NULL;
	struct room room;

	room_enter(&room);
	begin(&room, false);
	fill(&room, 3000);
	finish(&room);
	ck_assert_int_eq(truncate(room.path, 40000), 0);
	must_fail(dms_db_open(room.path, false, &db), DMS_ERROR_INPUT, "malformed");
	room_leave(&room);
}
END_TEST

/* ---- schema, queries, man page --------------------------------------------------------------- */

START_TEST(queries_run)
{
	struct room room;
	char answer[4096];

	room_enter(&room);
	begin(&room, false);
	must(complete(&room, DMS_STEP_ENDED, DMS_END_LIVE));
	finish(&room);
	ck_assert_uint_ge(dms_n_named_queries, 10);
	for (size_t i = 0; i < dms_n_named_queries; i++) {
		ck_assert(!i || strcmp(dms_named_queries[i - 1].name, dms_named_queries[i].name) < 0);
		ck_assert_uint_gt(strlen(dms_named_queries[i].title), 10);
		ck_assert_msg(strstr(dms_named_queries[i].sql, "ORDER BY"), "%s is not ordered",
			      dms_named_queries[i].name);
		ask(room.path, dms_named_queries[i].sql, answer, sizeof(answer));
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
	text = slurp(path, &size);
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
	begin(&room, false);
	for (uint32_t i = 0; i < n; i++) {
		struct dms_mapping mapping = room.mapping;
		struct dms_step step = { .kind = DMS_STEP_UNMAP, .event = &room.event,
					 .device = &room.device, .mapping = &mapping,
					 .end = DMS_END_UNMAPPED };

		mapping.dma_addr = dms_hash64(i) >> 20;
		mapping.cpu_addr = mapping.dma_addr;
		mapping.map_ts += i * 1000ull;
		room.event.ts = mapping.map_ts + 50000;
		must(dms_store_step(room.store, room.model, &step));
	}
	own = seconds(CLOCK_THREAD_CPUTIME_ID) - own;
	finish(&room);
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
		nothing_under_the_name_before_finish, older_database_replaced_only_at_finish,
		second_writer_refused, leftover_of_a_killed_run_replaced, strange_files_never_overwritten,
		file_that_appears_meanwhile_not_overwritten, symbolic_link_followed, full_disk,
		disk_full_at_the_commit, reader_refuses, reader_survives_truncation, queries_run,
		schema_commented, man_page_complete,
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

// SPDX-License-Identifier: GPL-2.0-only
/* The report room: numbers, escaping, the summary's three formats, queries, live mappings. */
#include <check.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/report.h>
#include <dmascope/store.h>

#include "report_fixtures.h"

/* ---- numbers ----------------------------------------------------------------------------------
 */

START_TEST(numbers_bytes)
{
	static const struct {
		uint64_t value;
		const char *text;
	} rows[] = {
		{0, "0 B"},
		{1023, "1023 B"},
		{1024, "1.0 KiB"},
		{1536, "1.5 KiB"},
		{1048524, "1023.9 KiB"},
		{1048525, "1.0 MiB"}, /* would round to 1024.0 KiB */
		{12897485, "12.3 MiB"},
		{1ull << 40, "1.0 TiB"},
		{UINT64_MAX, "16.0 EiB"},
	};
	char buf[32];

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++)
		ck_assert_str_eq(dms_format_bytes(rows[i].value, buf, sizeof(buf)), rows[i].text);
}
END_TEST

START_TEST(numbers_ns)
{
	static const struct {
		uint64_t value;
		const char *text;
	} rows[] = {
		{0, "0 ns"},
		{999, "999 ns"},
		{1000, "1.0 us"},
		{12345, "12.3 us"},
		{999949, "999.9 us"},
		{999950, "1.0 ms"},
		{1234567890, "1.2 s"},
		{86400000000000, "86400.0 s"},
		{UINT64_MAX - 1, "18446744073.7 s"},
		{UINT64_MAX, "-"},
	};
	char buf[32];

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++)
		ck_assert_str_eq(dms_format_ns(rows[i].value, buf, sizeof(buf)), rows[i].text);
}
END_TEST

START_TEST(numbers_count)
{
	char buf[32];

	ck_assert_str_eq(dms_format_count(0, buf, sizeof(buf)), "0");
	ck_assert_str_eq(dms_format_count(999, buf, sizeof(buf)), "999");
	ck_assert_str_eq(dms_format_count(1000, buf, sizeof(buf)), "1,000");
	ck_assert_str_eq(dms_format_count(1234567, buf, sizeof(buf)), "1,234,567");
	ck_assert_str_eq(dms_format_count(UINT64_MAX, buf, sizeof(buf)),
			 "18,446,744,073,709,551,615");
	ck_assert_str_eq(dms_format_count(1234567, buf, 4), "1,2"); /* cut, but terminated */
}
END_TEST

/* ---- summaries --------------------------------------------------------------------------------
 */

/* What @summary prints, for free(). */
static char *printed(const struct dms_summary *summary, enum dms_output format, unsigned int width,
		     bool colour)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct dms_error *err = dms_summary_print(summary, format, out, width, colour);

	ck_assert_ptr_null(err);
	fclose(out);
	return text;
}

/* The file tests/golden/report/@name, for free(); @text is left beside the build if it differs. */
static void assert_golden(const char *text, const char *name)
{
	const char *root = getenv("SRCDIR"), *build = getenv("BUILD");
	char path[4096], *golden = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/tests/golden/report/%s", root ? root : ".", name);
	file = fopen(path, "re");
	if (file) {
		ck_assert(getdelim(&golden, &size, '\0', file) >= 0);
		fclose(file);
	}
	if (golden && !strcmp(text, golden)) {
		free(golden);
		return;
	}
	free(golden);
	snprintf(path, sizeof(path), "%s/%s.new", build ? build : "/tmp", name);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	ck_abort_msg("differs from tests/golden/report/%s; what came is in %s", name, path);
}

static const struct {
	const struct dms_summary *summary;
	enum dms_output format;
	unsigned int width;
	bool colour;
	const char *golden;
} goldens[] = {
	{&tame, DMS_FORMAT_TEXT, 200, false, "tame-wide.txt"},
	{&tame, DMS_FORMAT_TEXT, 60, false, "tame-narrow.txt"},
	{&tame, DMS_FORMAT_TEXT, 200, true, "tame-colour.txt"},
	{&tame, DMS_FORMAT_JSON, 0, false, "tame.json"},
	{&tame, DMS_FORMAT_CSV, 0, false, "tame.csv"},
	{&hostile, DMS_FORMAT_TEXT, 0, false, "hostile.txt"},
	{&hostile, DMS_FORMAT_JSON, 0, false, "hostile.json"},
	{&hostile, DMS_FORMAT_CSV, 0, false, "hostile.csv"},
};

START_TEST(summary_golden)
{
	char *text = printed(goldens[_i].summary, goldens[_i].format, goldens[_i].width,
			     goldens[_i].colour);

	assert_golden(text, goldens[_i].golden);
	free(text);
}
END_TEST

START_TEST(summary_narrow_drops_nothing)
{
	char *wide = printed(&tame, DMS_FORMAT_TEXT, 0, false);

	for (unsigned int width = 1; width < 120; width += 7) {
		char *narrow = printed(&tame, DMS_FORMAT_TEXT, width, false), *state;

		/* every word of the wide one is in the narrow one */
		char *words = strdup(wide);

		for (char *word = strtok_r(words, " \n", &state); word;
		     word = strtok_r(NULL, " \n", &state))
			ck_assert_msg(strstr(narrow, word), "width %u lost '%s'", width, word);
		free(words);
		free(narrow);
	}
	free(wide);
}
END_TEST

START_TEST(summary_keeps_to_its_width)
{
	char *text = printed(&tame, DMS_FORMAT_TEXT, 80, false), *state;

	for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		ck_assert_msg(strlen(line) <= 80, "%zu columns: %s", strlen(line), line);
	free(text);
}
END_TEST

START_TEST(summary_text_is_harmless)
{
	char *text = printed(&hostile, DMS_FORMAT_TEXT, 80, false);

	for (const unsigned char *byte = (unsigned char *)text; *byte; byte++)
		ck_assert_msg(*byte == '\n' || (*byte >= 0x20 && *byte != 0x7f), "byte %#x", *byte);
	ck_assert_ptr_null(strstr(text, "\xe2\x80\xae"));
	ck_assert_ptr_null(strstr(text, "\xc2\x9b"));
	ck_assert_ptr_nonnull(strstr(text, "\xc3\xa9")); /* an e with acute is no threat */
	free(text);
}
END_TEST

START_TEST(summary_without_ns_clock)
{
	struct dms_summary ticks = tame;
	char *text, *csv;
	json_t *json, *device;

	ticks.clock_is_ns = false;
	text = printed(&ticks, DMS_FORMAT_TEXT, 0, false);
	ck_assert_ptr_null(strstr(text, "12.3 us"));
	ck_assert_ptr_nonnull(strstr(text, "not in nanoseconds"));
	free(text);
	text = printed(&ticks, DMS_FORMAT_JSON, 0, false);
	json = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(json);
	device = json_array_get(json_object_get(json, "devices"), 0);
	ck_assert(json_is_null(json_object_get(device, "lifetime_p50_ns")));
	ck_assert(json_is_integer(json_object_get(device, "peak_live_bytes_ns")));
	json_decref(json);
	free(text);
	csv = printed(&ticks, DMS_FORMAT_CSV, 0, false);
	ck_assert_ptr_null(strstr(csv, "12345,"));
	free(csv);
}
END_TEST

START_TEST(summary_of_nothing)
{
	struct dms_summary nothing = {.clock_is_ns = true, .complete = true};
	char *text = printed(&nothing, DMS_FORMAT_TEXT, 80, false);

	ck_assert_ptr_nonnull(strstr(text, "no device has a DMA event"));
	ck_assert_ptr_nonnull(strstr(text, "empty"));
	free(text);
}
END_TEST

START_TEST(summary_write_error)
{
	FILE *full = fopen("/dev/full", "we");

	ck_assert_ptr_nonnull(full);
	setvbuf(full, NULL, _IONBF, 0);
	for (int format = DMS_FORMAT_TEXT; format <= DMS_FORMAT_CSV; format++) {
		struct dms_error *err =
			dms_summary_print(&tame, (enum dms_output)format, full, 80, false);

		ck_assert_ptr_nonnull(err);
		ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INTERNAL);
		dms_error_free(err);
	}
	fclose(full);
}
END_TEST

/* ---- a run database made by hand ---------------------------------------------------------------
 */

static struct sqlite3 *hand_made(void)
{
	struct sqlite3 *db = NULL;
	char *message = NULL;

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	sqlite3_exec(db, dms_schema_sql, NULL, NULL, &message);
	ck_assert_msg(!message, "%s", message);
	sqlite3_exec(db, run_rows, NULL, NULL, &message);
	ck_assert_msg(!message, "%s", message);
	sqlite3_exec(db, mapping_rows, NULL, NULL, &message);
	ck_assert_msg(!message, "%s", message);
	return db;
}

START_TEST(summary_read_back)
{
	struct sqlite3 *db = hand_made();
	struct dms_summary *summary = NULL;

	ck_assert_ptr_null(dms_summary_read(db, &summary));
	ck_assert_uint_eq(summary->n_inputs, 1);
	ck_assert_str_eq(summary->inputs[0], "a.dat");
	ck_assert_str_eq(summary->formats[0], "trace.dat v7");
	ck_assert_str_eq(summary->kernel, "7.2.13");
	ck_assert(summary->complete && summary->clock_is_ns);
	ck_assert_uint_eq(summary->first_ts, 100);
	ck_assert_uint_eq(summary->last_ts, 1000);
	ck_assert_uint_eq(summary->lost_events, 7);
	ck_assert_uint_eq(summary->n_devices, 2);
	ck_assert_str_eq(summary->devices[0].name, "0000:00:05.0");
	ck_assert_str_eq(summary->devices[0].driver, "dmafault");
	ck_assert_uint_eq(summary->devices[0].generation, 1);
	ck_assert_uint_eq(summary->devices[0].maps, 4);
	ck_assert_uint_eq(summary->devices[0].peak_live_bytes_ts, 300);
	ck_assert_uint_eq(summary->devices[0].lifetime_p50_ns, UINT64_MAX);
	ck_assert_ptr_null(summary->devices[1].driver);
	ck_assert_str_eq(summary->devices[1].address_mode, "iommu");
	ck_assert_uint_eq(summary->n_notes, 2);
	ck_assert_str_eq(summary->notes[0].device, "0000:00:06.0");
	ck_assert_ptr_null(summary->notes[1].rule);
	dms_summary_destroy(summary);
	dms_summary_destroy(NULL);
	sqlite3_close(db);
}
END_TEST

START_TEST(summary_read_not_ours)
{
	struct sqlite3 *db = NULL;
	struct dms_summary *summary = NULL;
	struct dms_error *err;

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	err = dms_summary_read(db, &summary);
	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	dms_error_free(err);
	sqlite3_close(db);
}
END_TEST

/* ---- queries ------------------------------------------------------------------------------------
 */

/* What @sql prints, for free(); *@ret_err NULL on success. */
static char *queried(const char *sql, enum dms_output format, struct dms_error **ret_err)
{
	struct sqlite3 *db = hand_made();
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	*ret_err = dms_query_print(db, sql, format, out);
	fclose(out);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK); /* no statement left open */
	return text;
}

#define VALUES                                                                                     \
	"SELECT 1 AS a, NULL AS b, 'x,\"y\"' AS c, 0.1 AS d, x'00ff' AS e, '=1+1' AS f, "          \
	"-5 AS g, char(27)||'[0m' AS h, '' AS i, 'p'||char(10)||'q' AS a; -- end"

static const struct {
	const char *sql;
	enum dms_output format;
	const char *text;
} queries[] = {
	{VALUES, DMS_FORMAT_TEXT,
	 "a  b  c        d  e     f      g  h        i  a\n"
	 "1  -  x,\"y\"  0.1  00ff  =1+1  -5  \\x1b[0m     p\\nq\n"},
	{VALUES, DMS_FORMAT_CSV,
	 "\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"a\"\r\n"
	 "1,,\"x,\"\"y\"\"\",0.1,\"00ff\",\"'=1+1\",-5,\"\\x1b[0m\",\"\",\"p\nq\"\r\n"},
	{VALUES, DMS_FORMAT_JSON,
	 "[\n{\"a\": 1, \"b\": null, \"c\": \"x,\\\"y\\\"\", \"d\": 0.1, \"e\": \"00ff\", "
	 "\"f\": \"=1+1\", \"g\": -5, \"h\": \"\\u001B[0m\", \"i\": \"\", \"a_2\": "
	 "\"p\\nq\"}\n]\n"},
	{"SELECT 1 AS a WHERE 0", DMS_FORMAT_TEXT, "a\n"},
	{"SELECT 1 AS a WHERE 0", DMS_FORMAT_CSV, "\"a\"\r\n"},
	{"SELECT 1 AS a WHERE 0", DMS_FORMAT_JSON, "[]\n"},
	{"SELECT name, maps FROM device_summary JOIN device ON id = device_id ORDER BY 1",
	 DMS_FORMAT_TEXT, "name          maps\n0000:00:05.0     4\n0000:00:06.0     0\n"},
	{"SELECT 1e999 AS x", DMS_FORMAT_JSON, "[\n{\"x\": null}\n]\n"},
	{"SELECT CAST(x'ff41' AS TEXT) AS x", DMS_FORMAT_JSON, "[\n{\"x\": \"\\\\xffA\"}\n]\n"},
	{"SELECT dma_addr FROM mappings WHERE id = 3", DMS_FORMAT_CSV,
	 "\"dma_addr\"\r\n\"0xfffffffffffff000\"\r\n"},
};

START_TEST(query_formats)
{
	struct dms_error *err;
	char *text = queried(queries[_i].sql, queries[_i].format, &err);

	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	ck_assert_str_eq(text, queries[_i].text);
	free(text);
}
END_TEST

static const struct {
	const char *sql;
	const char *message;
} refused[] = {
	{"SELEC 1", "near \"SELEC\": syntax error, at offset 0"},
	{"SELECT nowhere FROM mapping", "no such column: nowhere, at offset 7"},
	{"", "no statement"},
	{" -- only a comment", "no statement"},
	{"SELECT 1; SELECT 2", "one statement"},
	{"SELECT 1; bogus", "one statement"},
	{"DELETE FROM mapping", "only SQL that reads"},
	{"CREATE TABLE t(a)", "only SQL that reads"},
	{"CREATE TEMP TABLE t(a)", "only SQL that reads"},
	{"ATTACH '/tmp/dmascope-test-attach.db' AS other", "only SQL that reads"},
	{"VACUUM INTO '/tmp/dmascope-test-vacuum.db'", "only SQL that reads"},
	{"VACUUM", "only SQL that reads"},
	{"BEGIN", "only SQL that reads"},
	{"PRAGMA user_version = 7", "only SQL that reads"},
	{"SELECT abs(-9223372036854775808)", "overflow"},
};

START_TEST(query_refused)
{
	struct dms_error *err;
	char *text = queried(refused[_i].sql, DMS_FORMAT_CSV, &err);

	ck_assert_msg(err, "'%s' was let through", refused[_i].sql);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_USAGE);
	ck_assert_msg(strstr(dms_error_message(err), refused[_i].message), "%s",
		      dms_error_message(err));
	dms_error_free(err);
	free(text);
}
END_TEST

START_TEST(query_table_is_bounded)
{
	struct dms_error *err;
	char *text = queried("WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n"
			     " WHERE i < 2500) SELECT i FROM n",
			     DMS_FORMAT_TEXT, &err);
	size_t n_lines = 0;

	ck_assert_ptr_null(err);
	for (const char *byte = text; *byte; byte++)
		n_lines += *byte == '\n';
	ck_assert_uint_eq(n_lines, 2501); /* one line of titles, however many parts */
	ck_assert_ptr_nonnull(strstr(text, "\n2500\n"));
	free(text);
}
END_TEST

START_TEST(query_named)
{
	struct sqlite3 *db = hand_made();
	FILE *out = fopen("/dev/null", "we");

	/* every query we ship runs on the schema we ship */
	ck_assert_uint_gt(dms_n_named_queries, 0);
	for (size_t i = 0; i < dms_n_named_queries; i++) {
		struct dms_error *err =
			dms_query_print(db, dms_named_queries[i].sql, DMS_FORMAT_JSON, out);

		ck_assert_msg(!err, "%s: %s", dms_named_queries[i].name,
			      err ? dms_error_message(err) : "");
	}
	fclose(out);
	sqlite3_close(db);
}
END_TEST

/* ---- live mappings ------------------------------------------------------------------------------
 */

#define PRE_TRACE_LINE                                                                             \
	"dmafault 0000:00:05.0 scatter-gather idx - P=0x0000000003993000 D=- L=- "                 \
	"cln=0x00000000000e64c0 DMA_TO_DEVICE dma map error check not applicable"                  \
	" (mapped before the trace)\n"
#define PAGE_LINE                                                                                  \
	"dmafault 0000:00:05.0 single idx 5999 P=0x0000000002edf000 D=2edf000 L=1000 "             \
	"cln=0x00000000000bb7c0 DMA_FROM_DEVICE dma map error check unknown\n"
#define LOST_LINE                                                                                  \
	"dmafault 0000:00:05.0 single idx 7781 P=0x0000000003cca000 D=3cca000 L=400 "              \
	"cln=0x00000000000f3280 DMA_TO_DEVICE dma map error check unknown (unmap not recorded)\n"
#define COHERENT_LINE                                                                              \
	"- 0000:00:06.0 coherent idx 16383 P=- D=fffffffffffff000 L=16900 cln=- "                  \
	"DMA_BIDIRECTIONAL dma map error check not applicable attrs=0x4\n"
#define SEGMENT_LINES                                                                              \
	"dmafault 0000:00:05.0 scatter-gather idx 3 P=0x0000000000016000 D=6000 L=1000 "           \
	"cln=0x0000000000000580 DMA_TO_DEVICE dma map error check not applicable\n"                \
	"dmafault 0000:00:05.0 scatter-gather idx 4 P=0x0000000000026000 D=9000 L=1000 "           \
	"cln=0x0000000000000980 DMA_TO_DEVICE dma map error check not applicable\n"

static const struct {
	uint64_t ts;
	const char *device;
	const char *text;
} moments[] = {
	{100, NULL, PRE_TRACE_LINE},
	{199, NULL, PRE_TRACE_LINE},
	{200, NULL, PAGE_LINE PRE_TRACE_LINE}, /* mapped at that very time: live */
	{299, NULL, PAGE_LINE LOST_LINE COHERENT_LINE PRE_TRACE_LINE},
	{300, NULL, LOST_LINE COHERENT_LINE PRE_TRACE_LINE}, /* unmapped at it: not */
	{400, NULL, LOST_LINE COHERENT_LINE},
	{499, NULL, LOST_LINE COHERENT_LINE},
	{500, NULL, COHERENT_LINE},
	{700, NULL, SEGMENT_LINES COHERENT_LINE},
	{UINT64_MAX, NULL, SEGMENT_LINES COHERENT_LINE}, /* more than SQLite can hold */
	{1000, "0000:00:06.0", COHERENT_LINE},
	{1000, "0000:00:05.0", SEGMENT_LINES},
};

START_TEST(live_at)
{
	struct sqlite3 *db = hand_made();
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_null(dms_live_print(db, moments[_i].ts, moments[_i].device, out));
	fclose(out);
	ck_assert_str_eq(text, moments[_i].text);
	free(text);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}
END_TEST

START_TEST(live_unknown_device)
{
	struct sqlite3 *db = hand_made();
	struct dms_error *err = dms_live_print(db, 500, "0000:00:07.0", stdout);

	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_USAGE);
	dms_error_free(err);
	sqlite3_close(db);
}
END_TEST

static TCase *make_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	suite_add_tcase(suite, tcase);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("report");
	SRunner *runner = srunner_create(suite);
	TCase *numbers = make_case(suite, "numbers"), *summary = make_case(suite, "summary");
	TCase *query = make_case(suite, "query"), *live = make_case(suite, "live");
	int n_failed;

	tcase_add_test(numbers, numbers_bytes);
	tcase_add_test(numbers, numbers_ns);
	tcase_add_test(numbers, numbers_count);
	tcase_add_loop_test(summary, summary_golden, 0, (int)DMS_ARRAY_SIZE(goldens));
	tcase_add_test(summary, summary_narrow_drops_nothing);
	tcase_add_test(summary, summary_keeps_to_its_width);
	tcase_add_test(summary, summary_text_is_harmless);
	tcase_add_test(summary, summary_without_ns_clock);
	tcase_add_test(summary, summary_of_nothing);
	tcase_add_test(summary, summary_write_error);
	tcase_add_test(summary, summary_read_back);
	tcase_add_test(summary, summary_read_not_ours);
	tcase_add_loop_test(query, query_formats, 0, (int)DMS_ARRAY_SIZE(queries));
	tcase_add_loop_test(query, query_refused, 0, (int)DMS_ARRAY_SIZE(refused));
	tcase_add_test(query, query_table_is_bounded);
	tcase_add_test(query, query_named);
	tcase_add_loop_test(live, live_at, 0, (int)DMS_ARRAY_SIZE(moments));
	tcase_add_test(live, live_unknown_device);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? 1 : 0;
}

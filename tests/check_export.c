// SPDX-License-Identifier: GPL-2.0-only
/* JSON, trace events, folded stacks and OpenMetrics of a hostile run and of an empty one. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>

#include <dmascope/export.h>
#include <dmascope/stats.h>

#include "lib/export_run.h"

static struct dms_error *folded_bytes(struct sqlite3 *db, FILE *out)
{
	return dms_export_folded(db, DMS_FOLD_BYTES, out);
}

static struct dms_error *folded_count(struct sqlite3 *db, FILE *out)
{
	return dms_export_folded(db, DMS_FOLD_COUNT, out);
}

/* What @export writes, for free(). */
static char *written(struct sqlite3 *db, struct dms_error *(*export)(struct sqlite3 *, FILE *))
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	ck_assert_ptr_nonnull(out);
	must(export(db, out));
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_uint_eq(strlen(text), bytes);
	return text;
}

static struct dms_error *export_json(sqlite3 *db, FILE *out)
{
	return dms_export_json(db, NULL, out);
}

/* ---- JSON -------------------------------------------------------------------------------------- */

static json_t *parsed(char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	ck_assert_msg(json != NULL, "line %d: %s", error.line, error.text);
	free(text);
	return json;
}

static json_int_t number(const json_t *object, const char *key)
{
	ck_assert_msg(json_is_integer(json_object_get(object, key)), "%s is no number", key);
	return json_integer_value(json_object_get(object, key));
}

static const char *string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "(none)";
}

START_TEST(json_tells_all)
{
	struct sqlite3 *db = hostile_run();
	json_t *json = parsed(written(db, export_json)), *item, *calls, *frames;
	size_t index;

	ck_assert_uint_eq(json_array_size(json_object_get(json, "devices")), N_HOSTILE);
	json_array_foreach(json_object_get(json, "devices"), index, item) {
		if (number(item, "id") != 1)
			continue;
		ck_assert_str_eq(string(item, "device"), hostile[0]);
		ck_assert_str_eq(string(item, "dma_mask"), "0xffffffffffffffff");
		ck_assert_int_eq(number(json_object_get(json_object_get(item, "counters"), "maps"),
					"value"), 18);
		item = json_array_get(json_object_get(item, "distributions"), 0);
		ck_assert_int_eq(number(item, "count"), 4);
		ck_assert_int_eq(number(item, "p50"), 1031);
		ck_assert_int_eq(number(item, "p90"), 1999); /* not beyond the largest */
		ck_assert_int_eq(number(item, "max"), 1999);
		ck_assert_uint_eq(json_array_size(json_object_get(item, "buckets")), 3);
	}
	item = json_array_get(json_object_get(json, "findings"), 0);
	calls = json_object_get(item, "calls");
	ck_assert_uint_eq(json_array_size(calls), 2);
	ck_assert_str_eq(string(json_array_get(calls, 0), "comm"), "=evil");
	ck_assert_str_eq(string(json_array_get(calls, 1), "what"), "map");
	frames = json_object_get(json_array_get(calls, 1), "stack");
	ck_assert_str_eq(string(json_array_get(frames, 0), "function"), "rx_map");
	ck_assert_int_eq(number(json_object_get(item, "facts"), "map_ns"), 1500);
	/* facts that are none */
	item = json_array_get(json_object_get(json, "findings"), 1);
	ck_assert(json_is_object(json_object_get(item, "facts")));
	ck_assert_uint_eq(json_array_size(json_object_get(json, "series")), 2);
	item = json_array_get(json_object_get(json, "series"), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(item, "points")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "not_judged")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "gaps")), 1);
	ck_assert_ptr_null(json_object_get(json_object_get(json, "run"), "devices"));
	json_decref(json);
	sqlite3_close(db);
}
END_TEST

/* ---- trace events ------------------------------------------------------------------------------ */

static double ts_of(const json_t *event)
{
	return json_number_value(json_object_get(event, "ts"));
}

START_TEST(trace_json_is_sound)
{
	struct sqlite3 *db = hostile_run();
	json_t *json = parsed(written(db, dms_export_trace_json)), *event, *open = json_object();
	size_t index, n_slices = 0, n_counters = 0, n_instants = 0;
	double last = 0;

	json_array_foreach(json_object_get(json, "traceEvents"), index, event) {
		const char *phase = string(event, "ph"), *id = string(event, "id");

		if (*phase == 'M')
			continue;
		ck_assert_double_ge(ts_of(event), last);
		last = ts_of(event);
		if (*phase == 'b') {
			ck_assert_ptr_null(json_object_get(open, id));
			json_object_set(open, id, event);
			n_slices++;
		} else if (*phase == 'e') {
			json_t *begin = json_object_get(open, id);

			ck_assert_ptr_nonnull(begin);
			ck_assert_str_eq(string(begin, "name"), string(event, "name"));
			ck_assert_int_eq(number(begin, "pid"), number(event, "pid"));
			/* what lives ends with the run */
			if (!strcmp(string(json_object_get(event, "args"), "end"), "live"))
				ck_assert_double_eq(ts_of(event), 9.0);
			if (!strcmp(id, "0x2"))
				ck_assert(ts_of(begin) == 1.0 && ts_of(event) == 4.001);
			json_object_del(open, id);
		}
		n_counters += *phase == 'C';
		n_instants += *phase == 'i';
	}
	ck_assert_uint_eq(json_object_size(open), 0);
	ck_assert_uint_eq(n_slices, 5); /* all but the unmap of nothing */
	ck_assert_uint_eq(n_counters, 2);
	ck_assert_uint_eq(n_instants, 2);
	json_decref(open);
	json_decref(json);
	sqlite3_close(db);
}
END_TEST

/* ---- folded stacks, OpenMetrics ---------------------------------------------------------------- */

START_TEST(folded_lines)
{
	struct sqlite3 *db = hostile_run();
	char *text = written(db, folded_count);

	ck_assert_str_eq(text, "(no device);a\\x3bb c\\x0a;rx_map [net] 1\n"
			       "-1+1;a\\x3bb c\\x0a;rx_map [net] 2\n"
			       "=cmd|'/c calc'!A0;0xfffffffffffffff0;rx_map [net] 1\n");
	free(text);
	text = written(db, folded_bytes);
	ck_assert_ptr_nonnull(strstr(text, "(no device);a\\x3bb c\\x0a;rx_map [net] 92416\n"));
	free(text);
	sqlite3_close(db);
}
END_TEST

/* One sample line: a name, labels with their escapes, a number. */
static void check_sample(const char *line, const char *family)
{
	const char *at = line + strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_:");
	char *end;

	ck_assert_msg(!strncmp(line, family, strlen(family)), "'%s' is none of %s", line, family);
	if (*at == '{') {
		do {
			at++;
			at += strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");
			if (*at == '}')
				break; /* no labels */
			ck_assert_msg(at[0] == '=' && at[1] == '"', "label at '%s'", at);
			for (at += 2; *at != '"'; at++) {
				ck_assert_msg(*at, "no end of a label: %s", line);
				if (*at == '\\')
					ck_assert_msg(strchr("\\\"n", *++at), "escape: %s", line);
			}
			at++;
		} while (*at == ',');
		ck_assert_msg(*at == '}', "labels: %s", line);
		at++;
	}
	ck_assert_msg(*at == ' ', "no value: %s", line);
	strtod(at + 1, &end);
	ck_assert_msg(end > at + 1 && !*end, "value: %s", line);
}

static void check_openmetrics(char *text)
{
	char family[80] = "", families[8192] = "", line_begin[100];
	bool is_over = false;

	ck_assert(text[strlen(text) - 1] == '\n');
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		ck_assert(!is_over);
		is_over = !strcmp(line, "# EOF");
		if (is_over)
			continue;
		if (sscanf(line, "# TYPE %79s", family) == 1) {
			snprintf(line_begin, sizeof(line_begin), " %s ", family);
			ck_assert_msg(!strstr(families, line_begin), "%s comes twice", family);
			strcat(families, line_begin);
		} else if (line[0] == '#') {
			ck_assert_msg(strstr(line, family), "%s", line);
		} else {
			check_sample(line, family);
		}
	}
	ck_assert(is_over);
	free(text);
}

START_TEST(openmetrics_parse)
{
	struct sqlite3 *db = hostile_run();
	char *text = written(db, dms_export_openmetrics);

	ck_assert_ptr_nonnull(strstr(text, "dmascope_maps_total{device=\"=cmd|'/c calc'!A0\","
					   "generation=\"1\",driver=\"=cmd|'/c calc'!A0\"} 18\n"));
	ck_assert_ptr_nonnull(strstr(text, "mapping_lifetime_seconds_sum{device=\"=cmd|'/c "
					   "calc'!A0\",generation=\"1\",driver=\"=cmd|'/c "
					   "calc'!A0\"} 1.000000007\n"));
	ck_assert_ptr_nonnull(strstr(text, "dmascope_findings{rule=\"=rule\",severity"));
	check_openmetrics(text);
	sqlite3_close(db);
}
END_TEST

/* Each counter that analyze writes is exported: its name alone in a run makes a family. */
START_TEST(openmetrics_knows_every_counter)
{
	for (int i = 0; i < DMS_N_COUNTERS; i++) {
		struct sqlite3 *db = empty_run();
		char *text, *sql = sqlite3_mprintf("INSERT INTO device VALUES (1,'a\\\"b',NULL,NULL,1,"
						   "'direct',NULL,NULL,0,0);"
						   "INSERT INTO device_counter VALUES (1,%Q,77,'u')",
						   dms_counter_name((enum dms_counter)i));

		execute(db, sql);
		text = written(db, dms_export_openmetrics);
		ck_assert_msg(strstr(text, "{device=\"a\\\\\\\"b\",generation=\"1\"") &&
				      strstr(text, "} 77\n"),
			      "no family for %s", dms_counter_name((enum dms_counter)i));
		check_openmetrics(text);
		sqlite3_free(sql);
		sqlite3_close(db);
	}
}
END_TEST

/* ---- an empty run, and outputs that fail ------------------------------------------------------- */

START_TEST(empty_run_exports)
{
	struct sqlite3 *db = empty_run();
	char *text = written(db, folded_bytes);

	ck_assert_str_eq(text, "");
	free(text);
	json_decref(parsed(written(db, export_json)));
	json_decref(parsed(written(db, dms_export_trace_json)));
	check_openmetrics(written(db, dms_export_openmetrics));
	sqlite3_close(db);
}
END_TEST

START_TEST(full_disk_is_told)
{
	static struct dms_error *(*const exports[])(struct sqlite3 *, FILE *) = {
		export_json, dms_export_trace_json, dms_export_openmetrics, folded_bytes};
	struct sqlite3 *db = hostile_run();

	for (size_t i = 0; i < DMS_ARRAY_SIZE(exports); i++) {
		FILE *out = fopen("/dev/full", "w");

		ck_assert_ptr_nonnull(out);
		setvbuf(out, NULL, _IONBF, 0);
		must_fail(exports[i](db, out), DMS_ERROR_INTERNAL);
		fclose(out);
	}
	sqlite3_close(db);
}
END_TEST

START_TEST(damaged_run_is_told)
{
	static struct dms_error *(*const exports[])(struct sqlite3 *, FILE *) = {
		export_json, dms_export_trace_json, dms_export_openmetrics, folded_bytes};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(exports); i++) {
		struct sqlite3 *db = empty_run();
		FILE *out = fopen("/dev/null", "w");

		execute(db, "PRAGMA foreign_keys = 0; DROP VIEW device_summary; DROP TABLE device");
		must_fail(exports[i](db, out), DMS_ERROR_INPUT);
		fclose(out);
		sqlite3_close(db);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("export");
	TCase *tcase = tcase_create("export");
	SRunner *runner = srunner_create(suite);
	int failures;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, json_tells_all);
	tcase_add_test(tcase, trace_json_is_sound);
	tcase_add_test(tcase, folded_lines);
	tcase_add_test(tcase, openmetrics_parse);
	tcase_add_test(tcase, openmetrics_knows_every_counter);
	tcase_add_test(tcase, empty_run_exports);
	tcase_add_test(tcase, full_disk_is_told);
	tcase_add_test(tcase, damaged_run_is_told);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

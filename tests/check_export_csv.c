// SPDX-License-Identifier: GPL-2.0-only
/* The CSV export: every file read back, and whose files it may replace. */
#include <check.h>
#include <csv.h>
#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dmascope/export.h>
#include <dmascope/report.h>

#include "lib/export_run.h"

static char work[] = "/tmp/check_export.XXXXXX";

/* ---- reading back ------------------------------------------------------------------------------ */

/** A CSV file being read beside the rows it was made of. */
struct reading {
	sqlite3_stmt *stmt;
	int column;
	uint64_t n_rows;
};

/* Undo what README tells: one leading "'", then "\xNN". In place; returns the bytes. */
static size_t undo(char **text)
{
	char *out, *in;

	if (**text == '\'')
		++*text;
	for (in = out = *text; *in; out++) {
		unsigned int byte;

		if (in[0] == '\\' && in[1] == 'x' && strspn(in + 2, "0123456789abcdef") >= 2 &&
		    sscanf(in + 2, "%2x", &byte) == 1) {
			*out = (char)byte;
			in += 4;
		} else {
			*out = *in++;
		}
	}
	*out = '\0';
	return (size_t)(out - *text);
}

static void on_cell(void *cell, size_t bytes, void *context)
{
	struct reading *reading = context;
	int index = reading->column++, type;
	char *copy, *text;

	ck_assert_int_lt(index, sqlite3_column_count(reading->stmt));
	if (!reading->n_rows) {
		ck_assert_str_eq(cell, sqlite3_column_name(reading->stmt, index));
		return;
	}
	type = sqlite3_column_type(reading->stmt, index);
	ck_assert_int_eq(type == SQLITE_NULL, cell == NULL);
	if (type == SQLITE_NULL)
		return;
	if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
		ck_assert_str_eq(cell, (const char *)sqlite3_column_text(reading->stmt, index));
		return;
	}
	ck_assert_uint_eq(strlen(cell), bytes);
	ck_assert_msg(!bytes || !strchr("=+-@\t\r\n", *(char *)cell), "a formula: %s", (char *)cell);
	text = copy = strdup(cell);
	bytes = undo(&text);
	ck_assert_uint_eq(bytes, (size_t)sqlite3_column_bytes(reading->stmt, index));
	if (bytes)
		ck_assert_mem_eq(text, sqlite3_column_blob(reading->stmt, index), bytes);
	free(copy);
}

static void on_row(int end, void *context)
{
	struct reading *reading = context;

	ck_assert_int_ne(end, -1); /* every line has its end */
	ck_assert_int_eq(reading->column, sqlite3_column_count(reading->stmt));
	reading->column = 0;
	reading->n_rows++;
	sqlite3_step(reading->stmt);
}

static char *slurp(const char *path)
{
	FILE *in = fopen(path, "rb");
	char *text = calloc(1, 1 << 20);

	ck_assert_msg(in != NULL, "no %s", path);
	ck_assert_uint_lt(fread(text, 1, (1 << 20) - 1, in), (1 << 20) - 1);
	fclose(in);
	return text;
}

/* The table of devices: a line of each device, as many cells in each as the first has. */
static void count_cell(void *cell, size_t bytes, void *context)
{
	(void)cell;
	(void)bytes;
	((size_t *)context)[0]++;
}

static void count_line(int end, void *context)
{
	size_t *counts = context;

	(void)end;
	if (!counts[1]++)
		counts[2] = counts[0];
	ck_assert_uint_eq(counts[0], counts[2]);
	counts[0] = 0;
}

static void read_table_back(struct sqlite3 *db, const char *path)
{
	size_t counts[3] = {0}; /* cells of the line, lines, cells of the first */
	char *text = slurp(path);
	struct csv_parser parser;
	sqlite3_stmt *stmt;

	ck_assert_int_eq(csv_init(&parser, CSV_STRICT | CSV_EMPTY_IS_NULL), 0);
	ck_assert_uint_eq(csv_parse(&parser, text, strlen(text), count_cell, count_line, counts),
			  strlen(text));
	csv_fini(&parser, count_cell, count_line, counts);
	csv_free(&parser);
	ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT count(*) FROM device", -1, &stmt, NULL),
			 SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	ck_assert_uint_eq(counts[1], 1 + (size_t)sqlite3_column_int64(stmt, 0));
	ck_assert_uint_gt(counts[2], 30);
	sqlite3_finalize(stmt);
	free(text);
}

static void read_back(struct sqlite3 *db, const char *dir, const char *name)
{
	static const char *const orders[][2] = {
		{"findings", "id"}, {"device_summary", "device_id"}, {"driver_summary", "driver"},
		{"call_sites", "device, generation, function, module, first_stack_id"},
		{"distributions", "device_id, measure"}, {"driver_distributions", "driver, measure"},
		{"rates", "device_id"}, {"driver_rates", "driver"}, {"bounces", "device_id"},
		{"iommu_merge", "device_id"}, {"iova_space", "device_id"},
		{"handovers", "device_id, map_cpu, unmap_cpu"}, {"call_site_rates", "id"}};
	struct reading reading = {0};
	struct csv_parser parser;
	const char *order = NULL;
	char path[300], sql[300], *text;
	json_t *utf8;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(orders); i++) {
		if (!strcmp(orders[i][0], name))
			order = orders[i][1];
	}
	snprintf(path, sizeof(path), "%s/%s.csv", dir, name);
	if (!strcmp(name, "device_table")) { /* of no table; its columns are made for it */
		read_table_back(db, path);
		return;
	}
	snprintf(sql, sizeof(sql), "SELECT * FROM %s%s%s", name, order ? " ORDER BY " : "",
		 order ? order : "");
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &reading.stmt, NULL), SQLITE_OK);
	text = slurp(path);
	ck_assert_ptr_nonnull(utf8 = json_string(text));
	json_decref(utf8);
	for (const char *at = text; *at; at++)
		ck_assert_msg((unsigned char)*at >= ' ' || *at == '\t' || *at == '\n' ||
				      (at[0] == '\r' && at[1] == '\n'),
			      "%s: control character %d", name, *at);
	ck_assert_int_eq(csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL |
						   CSV_EMPTY_IS_NULL),
			 0);
	ck_assert_uint_eq(csv_parse(&parser, text, strlen(text), on_cell, on_row, &reading),
			  strlen(text));
	ck_assert_int_eq(csv_fini(&parser, on_cell, on_row, &reading), 0);
	csv_free(&parser);
	ck_assert_int_eq(sqlite3_data_count(reading.stmt), 0); /* no row is missing */
	sqlite3_finalize(reading.stmt);
	free(text);
}

/* Read every file of @dir back; how many there are. README tells of each and of its columns. */
static int read_all_back(struct sqlite3 *db, const char *dir)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	char path[300], *readme;
	int n_files = 0;

	ck_assert_ptr_nonnull(stream);
	snprintf(path, sizeof(path), "%s/README", dir);
	readme = slurp(path);
	while ((entry = readdir(stream))) {
		char *dot = strrchr(entry->d_name, '.'), name[80];

		if (!strcmp(entry->d_name, "README") || !dot || !dot[1] || dot == entry->d_name + 1)
			continue;
		ck_assert_str_eq(dot, ".csv");
		ck_assert_ptr_nonnull(strstr(readme, entry->d_name));
		snprintf(name, sizeof(name), "%.*s", (int)(dot - entry->d_name), entry->d_name);
		read_back(db, dir, name);
		n_files++;
	}
	closedir(stream);
	/* a line of one word is a column without a word on it */
	for (char *line = strtok(readme, "\n"); line; line = strtok(NULL, "\n"))
		ck_assert_msg(strncmp(line, "  ", 2) || strchr(line + 2, ' '), "README: '%s'", line);
	free(readme);
	return n_files;
}

/* ---- the tests --------------------------------------------------------------------------------- */

static const char *folder(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", work, name);
	return path;
}

START_TEST(csv_reads_back)
{
	struct sqlite3 *db = hostile_run(), *empty = empty_run();
	sqlite3_stmt *stmt;
	int n_tables;

	ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT count(*) FROM sqlite_schema WHERE"
						" type = 'table' AND name NOT LIKE 'sqlite%'",
					    -1, &stmt, NULL),
			 SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	n_tables = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	must(dms_export_csv(db, folder("csv"), NULL));
	ck_assert_int_eq(read_all_back(db, folder("csv")), n_tables + 14);
	/* an export may be replaced, by that of an empty run too; and stay what it is */
	must(dms_export_csv(empty, folder("csv"), NULL));
	ck_assert_int_eq(read_all_back(empty, folder("csv")), n_tables + 14);
	ck_assert_int_ne(access(folder("csv/.dmascope-part"), F_OK), 0);
	sqlite3_close(db);
	sqlite3_close(empty);
}
END_TEST

static void spill(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	ck_assert_int_eq(fclose(out), 0);
}

START_TEST(csv_spares_foreign_files)
{
	struct sqlite3 *db = empty_run();
	char *text;

	ck_assert_int_eq(mkdir(folder("foreign"), 0777), 0);
	must(dms_export_csv(db, folder("foreign"), NULL)); /* empty: may be used */
	ck_assert_int_eq(unlink(folder("foreign/README")), 0);
	spill(folder("foreign/mapping.csv"), "mine");
	must_fail(dms_export_csv(db, folder("foreign"), NULL), DMS_ERROR_USAGE);
	spill(folder("foreign/README"), "a README of somebody else, long enough to be read");
	must_fail(dms_export_csv(db, folder("foreign"), NULL), DMS_ERROR_USAGE);
	text = slurp(folder("foreign/mapping.csv"));
	ck_assert_str_eq(text, "mine");
	free(text);
	must_fail(dms_export_csv(db, folder("foreign/README"), NULL), DMS_ERROR_USAGE);
	must_fail(dms_export_csv(db, folder("nowhere/csv"), NULL), DMS_ERROR_INTERNAL);
	/* what a killed run left is ours; other files beside an export are left alone */
	must(dms_export_csv(db, folder("killed"), NULL));
	ck_assert_int_eq(unlink(folder("killed/README")), 0);
	ck_assert_int_eq(mkdir(folder("killed/.dmascope-part"), 0777), 0);
	spill(folder("killed/.dmascope-part/mapping.csv"), "half");
	spill(folder("killed/notes.txt"), "mine");
	must(dms_export_csv(db, folder("killed"), NULL));
	ck_assert_int_eq(access(folder("killed/README"), F_OK), 0);
	ck_assert_int_eq(access(folder("killed/notes.txt"), F_OK), 0);
	ck_assert_int_ne(access(folder("killed/.dmascope-part"), F_OK), 0);
	/* a damaged run leaves no folder */
	execute(db, "DROP VIEW call_sites");
	must_fail(dms_export_csv(db, folder("damaged"), NULL), DMS_ERROR_INPUT);
	ck_assert_int_ne(access(folder("damaged"), F_OK), 0);
	sqlite3_close(db);
}
END_TEST

START_TEST(csv_keeps_to_the_selection)
{
	static const char *const names[] = {"-1+1"};
	struct dms_selection selection = {.devices = names, .n_devices = 1, .until_ts = UINT64_MAX};
	struct sqlite3 *db = hostile_run();
	char *text;

	must(dms_select(db, &selection));
	must(dms_export_csv(db, folder("selected"), NULL));
	text = slurp(folder("selected/call_sites.csv"));
	ck_assert_ptr_nonnull(strstr(text, "\"'-1+1\""));
	ck_assert_ptr_null(strstr(text, "cmd"));
	free(text);
	text = slurp(folder("selected/findings.csv"));
	ck_assert_ptr_null(strstr(text, "double-unmap"));
	free(text);
	sqlite3_close(db);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("export_csv");
	TCase *tcase = tcase_create("export_csv");
	SRunner *runner = srunner_create(suite);
	char command[sizeof(work) + 16];
	int failures;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, csv_reads_back);
	tcase_add_test(tcase, csv_spares_foreign_files);
	tcase_add_test(tcase, csv_keeps_to_the_selection);
	if (!mkdtemp(work))
		return 1;
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	snprintf(command, sizeof(command), "rm -rf '%s'", work);
	return system(command) || failures ? 1 : 0;
}

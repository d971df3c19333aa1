// SPDX-License-Identifier: GPL-2.0-only
/* Baseline files: what is written is read back as it was; what is damaged is refused in a line. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dmascope/diff.h>

#define HEAD                                                                                       \
	"{\"format\": \"dmascope baseline\", \"schema\": 1, \"version\": \"0.1.0\", "              \
	"\"kernel\": null, \"complete\": true, \"has_stacks\": true, \"events\": 10, "             \
	"\"gaps\": 0, \"lost_events\": 0, \"seconds\": 1.5, \"rules_off\": [], "
#define LISTS	"\"kinds\": [], \"blind_spots\": [], "
#define NOTHING "\"findings\": [], \"metrics\": []}"
#define FINDING FINDING_OF("3", "[\"a\", \"-\", \"b[m]\"]")
#define FINDING_OF(count, frames)                                                                  \
	"{\"fingerprint\": \"double-unmap:x:-:a:-:-\", \"rule\": \"double-unmap\", \"kind\": "     \
	"\"x\","                                                                                   \
	" \"direction\": null, \"severity\": \"error\", \"confidence\": \"likely\","               \
	" \"reason\": \"doubt\", \"count\": " count ", \"frames\": " frames                        \
	", \"map_frames\": []}"
#define METRIC METRIC_OF("driver", "lifetime_p99", "ns", "1234567.8")
#define METRIC_OF(scope, metric, unit, value)                                                      \
	"{\"scope\": \"" scope "\", \"subject\": \"x\", \"metric\": \"" metric                     \
	"\", \"unit\": \"" unit "\", \"better\": \"less\", \"value\": " value ", \"samples\": 7}"
#define FINDINGS(items) HEAD LISTS "\"findings\": [" items "], \"metrics\": []}"
#define METRICS(items)	HEAD LISTS "\"findings\": [], \"metrics\": [" items "]}"

/* A file that holds @bytes of @text; its name is to be removed and freed. */
static char *make_file(const char *text, size_t bytes)
{
	char *path = strdup("/tmp/check_baseline.XXXXXX");
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, bytes), bytes);
	close(fd);
	return path;
}

static struct dms_error *open_text(const char *text, size_t bytes, struct dms_baseline **ret)
{
	char *path = make_file(text, bytes);
	struct dms_error *err = dms_baseline_open(path, NULL, ret);

	unlink(path);
	free(path);
	return err;
}

static struct dms_baseline *open_good(const char *text)
{
	struct dms_baseline *run = NULL;
	struct dms_error *err = open_text(text, strlen(text), &run);

	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	return run;
}

static char *print(const struct dms_baseline *run)
{
	size_t bytes;
	char *text = NULL;
	FILE *out = open_memstream(&text, &bytes);

	ck_assert_ptr_null(dms_baseline_print(run, out));
	fclose(out);
	return text;
}

START_TEST(values_of_a_file)
{
	struct dms_baseline *run =
		open_good(HEAD LISTS "\"findings\": [" FINDING "], \"metrics\": [" METRIC "]}");
	const struct dms_base_finding *finding = run->findings;

	ck_assert_str_eq(run->version, "0.1.0");
	ck_assert_ptr_null(run->kernel);
	ck_assert_ptr_null(run->db);
	ck_assert(run->is_complete && run->has_stacks);
	ck_assert_double_eq(run->seconds, 1.5);
	ck_assert_uint_eq(run->n_findings, 1);
	ck_assert_uint_eq(finding->count, 3);
	ck_assert_int_eq(finding->severity, DMS_SEVERITY_ERROR);
	ck_assert_int_eq(finding->confidence, DMS_LIKELY);
	ck_assert_str_eq(finding->title, dms_rule_find("double-unmap")
						 ? dms_rule_find("double-unmap")->title
						 : "double-unmap");
	ck_assert_uint_eq(finding->n_frames, 3);
	ck_assert_str_eq(finding->frames[0].name, "a");
	ck_assert_ptr_null(finding->frames[0].module);
	ck_assert_ptr_null(finding->frames[1].name);
	ck_assert_str_eq(finding->frames[2].name, "b");
	ck_assert_str_eq(finding->frames[2].module, "m");
	ck_assert_uint_eq(run->n_measurements, 1);
	ck_assert_double_eq(run->measurements->value, 1234570); /* 6 digits, also by hand */
	ck_assert_str_eq(run->measurements->metric->name, "lifetime_p99");
	dms_baseline_destroy(run);
}
END_TEST

START_TEST(printed_and_read_back)
{
	struct dms_baseline *run = open_good(
		HEAD
		"\"kinds\": [{\"kind\": \"b\", \"devices\": 1, \"maps\": 9223372036854775807}, "
		"{\"kind\": \"a\\u0007\\\"\\u20ac\", \"devices\": 2, \"maps\": 0}], "
		"\"blind_spots\": [{\"rule\": null, \"kind\": null, \"reason\": \"r\"}], "
		"\"findings\": [" FINDING "], \"metrics\": [" METRIC
		", " METRIC_OF("site", "bounced_share", "1", "1e-7") "]}");
	char *first = print(run), *second;
	struct dms_baseline *again = open_good(first);

	second = print(again);
	ck_assert_str_eq(first, second);
	ck_assert_str_eq(again->kinds[0].name, "a\a\"\xe2\x82\xac"); /* sorted */
	ck_assert_uint_eq(again->kinds[1].maps, INT64_MAX);
	for (size_t i = 0; i < run->n_measurements; i++)
		ck_assert(run->measurements[i].value == again->measurements[i].value);
	ck_assert_ptr_nonnull(strstr(first, "\"value\": 1234570,"));
	for (const char *at = first; *at; at++)
		ck_assert(*at == '\n' || (*at >= ' ' && *at <= '~'));
	free(first);
	free(second);
	dms_baseline_destroy(run);
	dms_baseline_destroy(again);
}
END_TEST

static const struct {
	const char *text, *says;
} hostile[] = {
	{"", "JSON"},
	{"hello", "neither a dmascope database nor a baseline"},
	{"[]", "neither"},
	{"{", "JSON"},
	{"{}", "\"format\""},
	{"{\"format\": \"dmascope baseline\"}", "\"schema\" is missing"},
	{"{\"format\": \"dmascope baseline\", \"schema\": 2}",
	 "schema 2; this dmascope reads schema 1"},
	{"{\"format\": \"dmascope baseline\", \"schema\": \"1\"}", "\"schema\""},
	{"{\"format\": 7, \"schema\": 1}", "\"format\""},
	{"{\"format\": \"dmascope baseline\", \"schema\": 1}", "\"version\" is missing"},
	{"{\"format\": \"dmascope baseline\", \"schema\": 1, \"extra\": 1}", "\"extra\" is no key"},
	{HEAD "\"kinds\": {}, \"blind_spots\": [], " NOTHING, "\"kinds\" is missing or not a list"},
	{HEAD "\"kinds\": [7], \"blind_spots\": [], " NOTHING, "\"kinds\"[0] is not an object"},
	{HEAD "\"kinds\": [{\"kind\": \"a\", \"devices\": 1, \"maps\": 1}, {\"kind\": \"a\", "
	      "\"devices\": 1, \"maps\": 1}], \"blind_spots\": [], " NOTHING,
	 "given twice"},
	{HEAD LISTS NOTHING "x", "JSON"},
	{FINDINGS("null"), "\"findings\"[0] is not an object"},
	{FINDINGS(FINDING ", " FINDING), "two findings have one fingerprint"},
	{FINDINGS(FINDING_OF("-1", "[]")), "\"count\" of \"findings\"[0]"},
	{FINDINGS(FINDING_OF("1.5", "[]")), "not a whole number"},
	{FINDINGS(FINDING_OF("1e3", "[]")), "not a whole number"},
	{FINDINGS(FINDING_OF("99999999999999999999", "[]")), "too big"},
	{FINDINGS(FINDING_OF("1", "[7]")), "\"frames\" of \"findings\"[0]"},
	{FINDINGS(FINDING_OF("1", "[\"\"]")), "\"frames\""},
	{FINDINGS(FINDING_OF("1", "{}")), "\"frames\""},
	{FINDINGS(FINDING_OF("1",
			     "[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\","
			     "\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]")),
	 "at most 16"},
	{FINDINGS(FINDING_OF("1, \"count\": 2", "[]")), "duplicate"},
	{FINDINGS(FINDING_OF("1, \"coumt\": 2", "[]")), "\"coumt\""},
	{FINDINGS(FINDING_OF("1", "[\"\\u0000\"]")), "JSON"},
	{FINDINGS(FINDING_OF("1", "[\"\xff\"]")), "JSON"},
	{METRICS(METRIC_OF("driver", "lifetime_p99", "ns", "NaN")), "JSON"},
	{METRICS(METRIC_OF("driver", "lifetime_p99", "ns", "1e999")), "overflow"},
	{METRICS(METRIC_OF("driver", "lifetime_p99", "ns", "-1")), "a number of at least 0"},
	{METRICS(METRIC_OF("driver", "lifetime_p99", "ns", "\"1\"")), "a number of at least 0"},
	{METRICS(METRIC_OF("driver", "lifetime_p99", "bytes", "1")), "the unit of its metric"},
	{METRICS(METRIC_OF("driver", "beauty", "ns", "1")), "metric this dmascope knows"},
	{METRICS(METRIC_OF("planet", "lifetime_p99", "ns", "1")), "\"site\""},
	{METRICS(METRIC ", " METRIC), "given twice"},
};

START_TEST(damaged_files)
{
	struct dms_baseline *run = NULL;
	struct dms_error *err = open_text(hostile[_i].text, strlen(hostile[_i].text), &run);

	ck_assert_msg(err, "accepted: %s", hostile[_i].text);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	ck_assert_msg(strstr(dms_error_message(err), hostile[_i].says), "'%s', not '%s'",
		      dms_error_message(err), hostile[_i].says);
	ck_assert_ptr_nonnull(strstr(dms_error_message(err), "/tmp/check_baseline."));
	ck_assert_ptr_null(strchr(dms_error_message(err), '\n'));
	dms_error_free(err);
}
END_TEST

/* Every beginning of a good file, and every good file with one byte gone wrong. */
START_TEST(cut_and_bent)
{
	const char *good = FINDINGS(FINDING);
	size_t bytes = strlen(good);

	for (size_t i = 0; i < 2 * bytes; i++) {
		char *text = strdup(good);
		struct dms_baseline *run = NULL;
		struct dms_error *err;

		if (i >= bytes)
			text[i - bytes] ^= 0x15;
		err = open_text(text, i < bytes ? i : bytes, &run);
		ck_assert(i >= bytes || err);
		if (err)
			ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
		else
			dms_baseline_destroy(run);
		dms_error_free(err);
		free(text);
	}
}
END_TEST

START_TEST(deep_and_large)
{
	size_t bytes = (size_t)65 << 20;
	char *text = malloc(bytes);
	struct dms_baseline *run = NULL;
	struct dms_error *err;

	memset(text, '[', bytes);
	text[0] = '{';
	memcpy(text + 1, "\"a\":", 4);
	err = open_text(text, 1 << 20, &run);
	ck_assert_ptr_nonnull(err);
	ck_assert_ptr_nonnull(strstr(dms_error_message(err), "depth"));
	dms_error_free(err);
	err = open_text(text, bytes, &run);
	ck_assert_ptr_nonnull(err);
	ck_assert_ptr_nonnull(strstr(dms_error_message(err), "at most 16 MiB"));
	dms_error_free(err);
	free(text);
}
END_TEST

START_TEST(no_files)
{
	static const char *const paths[] = {"/nonexistent/run.db", "/tmp"};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(paths); i++) {
		struct dms_baseline *run = NULL;
		struct dms_error *err = dms_baseline_open(paths[i], NULL, &run);

		ck_assert_ptr_nonnull(err);
		ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
		ck_assert_ptr_nonnull(strstr(dms_error_message(err), paths[i]));
		dms_error_free(err);
	}
	dms_baseline_destroy(NULL);
}
END_TEST

START_TEST(metric_rows)
{
	for (size_t i = 0; i < dms_n_metrics; i++) {
		const struct dms_metric *metric = &dms_metrics[i];

		ck_assert_ptr_eq(dms_metric_find(metric->name), metric);
		ck_assert(metric->threshold.relative > 0 && metric->threshold.absolute > 0);
		ck_assert_uint_gt(metric->threshold.min_samples, 0);
	}
	ck_assert_ptr_null(dms_metric_find("beauty"));
	ck_assert_str_eq(dms_scope_name(DMS_SCOPE_SITE), "site");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("baseline");
	TCase *tcase = tcase_create("files");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, values_of_a_file);
	tcase_add_test(tcase, printed_and_read_back);
	tcase_add_loop_test(tcase, damaged_files, 0, DMS_ARRAY_SIZE(hostile));
	tcase_add_test(tcase, cut_and_bent);
	tcase_add_test(tcase, deep_and_large);
	tcase_add_test(tcase, no_files);
	tcase_add_test(tcase, metric_rows);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

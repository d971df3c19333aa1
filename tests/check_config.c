// SPDX-License-Identifier: GPL-2.0-only
/* Tests of configuration: YAML and the command line, units, dates, and what is refused, where. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dmascope/diff.h>

static char path[64];
static struct dms_config *config;

static void setup(void)
{
	strcpy(path, "/tmp/check_config.XXXXXX");
	close(mkstemp(path));
	config = dms_config_create();
	ck_assert_ptr_nonnull(config);
}

static void teardown(void)
{
	dms_config_destroy(config);
	unlink(path);
}

static struct dms_error *read_bytes(const char *text, size_t size)
{
	FILE *file = fopen(path, "w");

	ck_assert_uint_eq(fwrite(text, 1, size, file), size);
	fclose(file);
	return dms_config_read(config, path);
}

static void accept(const char *text)
{
	struct dms_error *err = read_bytes(text, strlen(text));

	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
}

/* Refused with "FILE:LINE: " and @words; line 0: no line. */
static void refuse_bytes(const char *text, size_t size, unsigned int line, const char *words)
{
	struct dms_error *err = read_bytes(text, size);
	char place[96];

	ck_assert_msg(err, "taken: %s", text);
	snprintf(place, sizeof(place), line ? "%s:%u: " : "%s: ", path, line);
	ck_assert_msg(!strncmp(dms_error_message(err), place, strlen(place)), "%s, not line %u",
		      dms_error_message(err), line);
	ck_assert_msg(strstr(dms_error_message(err), words), "'%s' has no '%s'",
		      dms_error_message(err), words);
	ck_assert_ptr_null(strchr(dms_error_message(err), '\n'));
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_USAGE);
	dms_error_free(err);
}

static void refuse(const char *text, unsigned int line, const char *words)
{
	refuse_bytes(text, strlen(text), line, words);
}

static struct dms_threshold threshold_of(const char *name)
{
	struct dms_threshold threshold;
	enum dms_polarity polarity;

	dms_config_threshold(config, dms_metric_find(name), &threshold, &polarity);
	return threshold;
}

START_TEST(test_defaults)
{
	struct dms_threshold threshold;
	enum dms_polarity polarity;
	size_t n;

	accept("");
	accept("# nothing\n");
	accept("thresholds:\ndevice-kinds: ~\nsuppressions: []\n");
	for (size_t i = 0; i < dms_n_metrics; i++) {
		dms_config_threshold(config, &dms_metrics[i], &threshold, &polarity);
		ck_assert(threshold.relative == dms_metrics[i].threshold.relative);
		ck_assert(threshold.absolute == dms_metrics[i].threshold.absolute);
		ck_assert_int_eq(polarity, dms_metrics[i].polarity);
	}
	ck_assert_ptr_null(dms_config_kind(config, "0000:00:05.0"));
	dms_config_suppressions(config, &n);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(test_thresholds)
{
	struct dms_threshold threshold;
	enum dms_polarity polarity;

	accept("thresholds:\n"
	       "  lifetime_p99: {relative: 75%, absolute: 50us, samples: 1000, polarity: more}\n"
	       "  peak_live_bytes: off\n");
	dms_config_threshold(config, dms_metric_find("lifetime_p99"), &threshold, &polarity);
	ck_assert(threshold.relative == 0.75 && threshold.absolute == 50000);
	ck_assert_uint_eq(threshold.min_samples, 1000);
	ck_assert_int_eq(polarity, DMS_MORE_IS_BETTER);
	ck_assert(isinf(threshold_of("peak_live_bytes").relative));
	/* a later file says the rest, and wins */
	accept("thresholds: {lifetime_p99: {samples: 7}, peak_live_bytes: {relative: 2, "
	       "absolute: 1.5 MiB}}\n");
	threshold = threshold_of("lifetime_p99");
	ck_assert(threshold.relative == 0.75 && threshold.min_samples == 7);
	threshold = threshold_of("peak_live_bytes");
	ck_assert(threshold.relative == 2 && threshold.absolute == 1572864);
}
END_TEST

START_TEST(test_command_line)
{
	static const char *const wrong[] = {
		"lifetime_p99", "lifetime_p99=", "lifetime_p99=x", "lifetime_p99=-1",
		"lifetime_p99=nan", "lifetime_p99=inf", "lifetime_p99=0x10", "lifetime_p99=1,50KiB",
		"lifetime_p99=1,2ms,", "lifetime_p99=1,2ms,-3", "lifetime_p99=1,2ms,3,4",
		"lifetime_p99=off,1", "lifetime_p98=1", "=1", "",
	};
	struct dms_threshold threshold;

	ck_assert_ptr_null(dms_config_set_threshold(config, "lifetime_p99=0.25,2ms,30"));
	threshold = threshold_of("lifetime_p99");
	ck_assert(threshold.relative == 0.25 && threshold.absolute == 2e6);
	ck_assert_uint_eq(threshold.min_samples, 30);
	ck_assert_ptr_null(dms_config_set_threshold(config, "lifetime_p99=3"));
	threshold = threshold_of("lifetime_p99");
	ck_assert(threshold.relative == 3 && threshold.absolute == 2e6);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(wrong); i++) {
		struct dms_error *err = dms_config_set_threshold(config, wrong[i]);

		ck_assert_msg(err, "%s is taken", wrong[i]);
		ck_assert_int_eq(dms_error_code(err), DMS_ERROR_USAGE);
		dms_error_free(err);
		ck_assert(threshold_of("lifetime_p99").relative == 3);
	}
	ck_assert_ptr_null(dms_config_set_threshold(config, "lifetime_p99=off"));
	ck_assert(isinf(threshold_of("lifetime_p99").relative));
}
END_TEST

START_TEST(test_kinds)
{
	struct dms_error *err;

	accept("device-kinds:\n"
	       "  - {device: '0000:00:1f.*', kind: ahci}\n"
	       "  - {device: '0000:*', kind: other}\n");
	ck_assert_str_eq(dms_config_kind(config, "0000:00:1f.2"), "ahci");
	ck_assert_str_eq(dms_config_kind(config, "0000:00:05.0"), "other");
	ck_assert_ptr_null(dms_config_kind(config, "serial8250"));
	/* a later file wins, the command line over all, its first option over its second */
	accept("device-kinds: [{device: '0000:00:1f.2', kind: sata}]\n");
	ck_assert_str_eq(dms_config_kind(config, "0000:00:1f.2"), "sata");
	ck_assert_ptr_null(dms_config_set_kind(config, "*.2=mine"));
	ck_assert_ptr_null(dms_config_set_kind(config, "*=all"));
	ck_assert_str_eq(dms_config_kind(config, "0000:00:1f.2"), "mine");
	ck_assert_str_eq(dms_config_kind(config, "0000:00:05.0"), "all");
	for (int i = 0; i < 3; i++) {
		err = dms_config_set_kind(config, ((const char *[]){"x", "=x", "x="})[i]);
		ck_assert_ptr_nonnull(err);
		dms_error_free(err);
	}
}
END_TEST

START_TEST(test_refused)
{
	refuse("thresholds:\n  lifetime_p9: off\n", 2, "did you mean 'lifetime_p99'?");
	refuse("thresholds:\n  lifetime_p99: on\n", 2, "expected off, or");
	refuse("thresholds:\n  lifetime_p99:\n    relativ: 1\n", 3, "did you mean 'relative'?");
	refuse("thresholds:\n  lifetime_p99:\n    relative: 1\n    relative: 2\n", 4, "in line 3");
	refuse("thresholds: {lifetime_p99: {absolute: 5KiB}}\n", 1, "ns, us, ms or s");
	refuse("thresholds: {lifetime_p99: {absolute: -5}}\n", 1, "absolute");
	refuse("thresholds: {lifetime_p99: {samples: 1.5}}\n", 1, "count");
	refuse("thresholds: {lifetime_p99: {polarity: better}}\n", 1, "less, more or neither");
	refuse("thresholds: [lifetime_p99]\n", 1, "expected keys with values, got a list");
	refuse("\nthreshold: {}\n", 2, "did you mean 'thresholds'?");
	refuse("zzz: {}\n", 1, "expected one of thresholds, device-kinds, suppressions");
	refuse("- thresholds\n", 1, "expected keys with values, got a list");
	refuse("words\n", 1, "got a value");
	refuse("[a]: 1\n", 1, "a key: expected a value");
	refuse("device-kinds:\n- {device: x}\n", 2, "expected device and kind");
	refuse("device-kinds: {device: x}\n", 1, "expected a list");
	refuse("device-kinds: [{device: '', kind: x}]\n", 1, "empty pattern");
	refuse("device-kinds: [{device: '*a*b*c*d*e*f*g', kind: x}]\n", 1, "stars");
	refuse("device-kinds: [{device: \"a\\0b\", kind: x}]\n", 1, "zero byte");
}
END_TEST

static void put_many(char *to, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		memcpy(to + i * strlen(text), text, strlen(text));
	to[times * strlen(text)] = '\0';
}

START_TEST(test_hostile)
{
	char *large = malloc((5 << 20) + 1);
	struct dms_error *err;

	refuse("thresholds: &a\n  lifetime_p99: *a\n", 2, "alias");
	refuse("a: &a [x]\nb: *a\n", 2, "alias *a");
	refuse("thresholds: {}\n---\nthresholds: {}\n", 2, "second document");
	refuse("thresholds: {\n", 2, "not YAML");
	refuse("thresholds:\n\tx: 1\n", 2, "not YAML");
	refuse("\x01\x02", 0, "not YAML at byte 0");
	refuse("thresholds: \xff\xfe", 0, "not YAML at byte 12");
	refuse_bytes("a: \0b\n", 6, 0, "not YAML at byte 3");
	refuse_bytes("\x7f""ELF\0\0", 6, 0, "not YAML");
	put_many(large, "[", 100000);
	refuse(large, 1, "nested deeper than 16");
	put_many(large, "- ", 100000);
	refuse(large, 1, "nested deeper than 16");
	put_many(large, "- a\n", 600000);
	refuse(large, 500000 - 2, "more than 500000 items");
	put_many(large, "a", 5 << 20);
	err = read_bytes(large, 5 << 20);
	ck_assert_ptr_nonnull(err);
	ck_assert_ptr_nonnull(strstr(dms_error_message(err), "larger than 4 MiB"));
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	dms_error_free(err);
	free(large);
}
END_TEST

START_TEST(test_unreadable)
{
	static const char *const paths[] = {"/nonexistent/config.yaml", "/tmp"};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(paths); i++) {
		struct dms_error *err = dms_config_read(config, paths[i]);

		ck_assert_ptr_nonnull(err);
		ck_assert_ptr_nonnull(strstr(dms_error_message(err), paths[i]));
		ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
		dms_error_free(err);
	}
}
END_TEST

START_TEST(test_days)
{
	static const struct {
		const char *text;
		int32_t day;
	} rows[] = {
		/* from `date -u -d DATE +%s`, divided by 86400 */
		{"1970-01-01", 0},     {"1970-01-02", 1},     {"2000-02-29", 11016},
		{"2000-03-01", 11017}, {"2024-02-29", 19782}, {"2026-11-21", 20778},
		{"2100-03-01", 47541}, {"9999-12-31", 2932896}, {"1969-12-31", -1},
		{"2100-02-29", -1},    {"2023-02-29", -1},    {"2026-04-31", -1},
		{"2026-13-01", -1},    {"2026-00-01", -1},    {"2026-01-00", -1},
		{"2026-1-01", -1},     {"2026/01/01", -1},    {"2026-01-01x", -1},
		{"20260101", -1},      {"", -1},	      {"tomorrow", -1},
		{"-026-01-01", -1},    {"2026-01- 1", -1},
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++)
		ck_assert_msg(dms_day_parse(rows[i].text) == rows[i].day, "%s: %d", rows[i].text,
			      dms_day_parse(rows[i].text));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *tcase = tcase_create("config");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_defaults);
	tcase_add_test(tcase, test_thresholds);
	tcase_add_test(tcase, test_command_line);
	tcase_add_test(tcase, test_kinds);
	tcase_add_test(tcase, test_refused);
	tcase_add_test(tcase, test_hostile);
	tcase_add_test(tcase, test_unreadable);
	tcase_add_test(tcase, test_days);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

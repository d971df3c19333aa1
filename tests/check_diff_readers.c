// SPDX-License-Identifier: GPL-2.0-only
/* The outputs of a comparison for programs, read by programs: a schema's validator, perl, jansson.
 */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/printed.h"

/* ---- other programs ----------------------------------------------------------------------------
 */

/* What @command says of @text, given as a file in $1; -1 where it cannot be run. */
static int judged(const char *command, const char *text, char *ret, size_t size)
{
	char path[] = "/tmp/check_diff_outputs.XXXXXX", line[4096];
	int fd = mkstemp(path), status;
	FILE *pipe;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	snprintf(line, sizeof(line), "sh -c '%s' sh %s 2>&1", command, path);
	pipe = popen(line, "r");
	ck_assert_ptr_nonnull(pipe);
	ret[fread(ret, 1, size - 1, pipe)] = '\0';
	status = pclose(pipe);
	unlink(path);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char validate[] =
	"python3 -c \"import json, sys, jsonschema\n"
	"v = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))\n"
	"v.validate(json.load(open(sys.argv[2])))\" " SRCDIR "/schemas/diff.schema.json $1";

static bool has_validator(void)
{
	char said[256];

	if (!judged("python3 -c \"import jsonschema; jsonschema.Draft202012Validator\"", "", said,
		    sizeof(said)))
		return true;
	puts("skip - json by its schema: python3-jsonschema is not installed");
	return false;
}

START_TEST(json_by_schema)
{
	char said[8192], *text, *state;

	if (!has_validator())
		return;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(all_comparisons); i++) {
		text = printed(dms_diff_print_json, all_comparisons[i]);
		ck_assert_msg(!judged(validate, text, said, sizeof(said)), "%s", said);
		free(text);
	}
	/* and it refuses what is wrong */
	text = printed(dms_diff_print_json, &hostile_comparison);
	state = strstr(text, "\"state\":\"new\"");
	ck_assert_ptr_nonnull(state);
	memcpy(state, "\"state\":\"old\"", strlen("\"state\":\"old\""));
	ck_assert_int_ne(judged(validate, text, said, sizeof(said)), 0);
	free(text);
}
END_TEST

START_TEST(json_figures)
{
	char *text = printed(dms_diff_print_json, &hostile_comparison);
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *metric, *finding;

	ck_assert_ptr_nonnull(json);
	ck_assert_str_eq(json_string_value(json_object_get(json, "verdict")), "fail");
	ck_assert_uint_eq(json_array_size(json_object_get(json, "findings")), 8);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "metrics")), 8);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "head")), 3);
	metric = json_array_get(json_object_get(json, "metrics"), 1);
	ck_assert(json_is_null(json_object_get(metric, "change")));
	metric = json_object_get(metric, "not_finite");
	ck_assert_str_eq(json_string_value(json_object_get(metric, "change")), "infinity");
	ck_assert_str_eq(json_string_value(json_object_get(metric, "p")), "nan");
	finding = json_array_get(json_object_get(json, "findings"), 3);
	finding = json_object_get(finding, "suppressed");
	/* date -u -d @$((20820 * 86400)) */
	ck_assert_str_eq(json_string_value(json_object_get(finding, "expires")), "2027-01-02");
	finding = json_array_get(json_object_get(json, "findings"), 4);
	ck_assert_str_eq(json_string_value(json_object_get(finding, "count_head")),
			 "0xffffffffffffffff");
	json_decref(json);
	free(text);
}
END_TEST

static const char tap_reader[] =
	"perl -MTAP::Parser -e \"local \\$/; open F, q(<), shift; \\$t = <F>;"
	"\\$p = TAP::Parser->new({tap => \\$t});"
	"while (\\$r = \\$p->next) { \\$unknown++ if \\$r->is_unknown;"
	" if (\\$r->is_yaml) { \\$d = \\$r->data; \\$y++;"
	"  \\$f = \\$d->{findings}[0]; print qq(\\$_\\n) for @{\\$f->{call}}; } }"
	"printf qq(errors %d, unknown %d, yaml %d, todo %s, failed %s, planned %s\\n),"
	" scalar(\\$p->parse_errors), \\$unknown, \\$y, join(q( ), \\$p->todo),"
	" scalar(\\$p->failed), \\$p->tests_planned == \\$p->tests_run ? q(all) : q(not all)\" $1";

START_TEST(tap_by_perl)
{
	static const char *const ends[] = {
		"errors 0, unknown 0, yaml 14, todo 109, failed 5, planned all",
		"errors 0, unknown 0, yaml 3, todo , failed 1, planned all",
		"errors 0, unknown 0, yaml 1, todo , failed 0, planned all",
		"errors 0, unknown 0, yaml 2, todo , failed 2, planned all"};
	char said[8192];

	if (judged("perl -MTAP::Parser -e 1", "", said, sizeof(said))) {
		puts("skip - TAP by perl's TAP::Parser: it is not installed");
		return;
	}
	for (size_t i = 0; i < DMS_ARRAY_SIZE(all_comparisons); i++) {
		char *text = printed(dms_diff_print_tap, all_comparisons[i]);

		ck_assert_int_eq(judged(tap_reader, text, said, sizeof(said)), 0);
		ck_has(said, ends[i]);
		/* YAML gives back what stood there, made visible */
		if (!i)
			ck_has(said, "...\\n---\\nok 1 - \"quoted\": '- {x}' \\[m]\n");
		free(text);
	}
}
END_TEST

START_TEST(tap_points)
{
	char *text = printed(dms_diff_print_tap, &hostile_comparison);

	ck_assert_int_eq(strncmp(text, "TAP version 13\n1..", 18), 0);
	ck_has(text, " - double-unmap on ethdrv\n");
	ck_has(text, " - leak-growth on ethdrv # TODO suppressed by known leak");
	ck_has(text, " - map-error-unchecked on e1000 # SKIP head has lost 12 events");
	ck_has(text, " - unmap-not-mapped on ethdrv # SKIP events were lost\n");
	ck_has(text, " - lifetime_p99 on e1000 # SKIP head has no value\n");
	ck_has(text, " - verdict: FAIL\n");
	free(text);
	text = printed(dms_diff_print_tap, &clean_comparison);
	ck_has(text, " - unmap-not-mapped on ethdrv\n");
	ck_has_not(text, "not ok");
	ck_has_not(text, "SKIP");
	free(text);
}
END_TEST

/* Lines that begin with @command, which needs a line before the first. */
static size_t count_commands(const char *text, const char *command)
{
	char with[32];

	snprintf(with, sizeof(with), "\n%s", command);
	return count(text, with) + !strncmp(text, command, strlen(command));
}

START_TEST(github)
{
	char *text = printed(dms_diff_print_github, &hostile_comparison), *rest = text, *line;

	ck_has(text, "::error title=new error%3A double-unmap on ethdrv::device driver");
	ck_has(text, "%0Acall: rx_refill[ethdrv] < ethdrv_poll[ethdrv]");
	ck_has(text, "%250A"); /* a name's own %0A stays one */
	ck_has_not(text, "leak-growth on ethdrv");
	while ((line = strsep(&rest, "\n")) && *line) {
		char *title = strstr(line, " title="), *end = strstr(line + 2, "::");

		ck_assert_msg(line[0] == ':' && line[1] == ':' && title && end > title, "%.600s",
			      line);
		*end = '\0';
		ck_assert_msg(!strpbrk(title, ":,"), "%.600s", line);
	}
	free(text);
	text = printed(dms_diff_print_github, &lossy_comparison);
	ck_has(text, "::error title=dmascope%3A TOO LOSSY TO JUDGE::");
	free(text);
}
END_TEST

START_TEST(github_of_many)
{
	struct dms_comparison *comparison = many(25);
	char *text = printed(dms_diff_print_github, comparison);

	ck_assert_uint_eq(count_commands(text, "::error "), 10);
	ck_assert_uint_le(count_commands(text, "::warning "), 10);
	/* 25 findings and a metric */
	ck_has(text, "\n::error title=dmascope%3A 17 more::17 of 26 errors are not shown here");
	many_free(comparison);
	free(text);
}
END_TEST

START_TEST(gitlab)
{
	char *text = printed(dms_diff_print_gitlab, &hostile_comparison), here[3000], path[4000];
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *item, *seen = json_object();
	struct dms_baseline run = run_head;
	const struct dms_baseline *const runs[] = {&run};
	struct dms_comparison comparison = first_comparison;
	size_t i;

	ck_assert_uint_eq(json_array_size(json), 7); /* 5 findings, 2 metrics */
	json_array_foreach(json, i, item)
	{
		const char *fingerprint = json_string_value(json_object_get(item, "fingerprint"));

		ck_assert(json_is_string(json_object_get(item, "description")));
		ck_assert(json_is_string(json_object_get(item, "check_name")));
		ck_assert_str_ne(fingerprint, finding_leak.fingerprint);
		ck_assert_ptr_null(json_object_get(seen, fingerprint));
		json_object_set(seen, fingerprint, item);
	}
	item = json_object_get(json_array_get(json, 0), "location");
	ck_assert_str_eq(json_string_value(json_object_get(item, "path")), "head-1.db");
	json_decref(json);
	json_decref(seen);
	free(text);

	ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
	snprintf(path, sizeof(path), "%s/out/x.db", here);
	run.path = path;
	comparison.head = runs;
	text = printed(dms_diff_print_gitlab, &comparison);
	ck_has(text, "\"path\":\"out/x.db\"");
	free(text);
	text = printed(dms_diff_print_gitlab, &clean_comparison);
	ck_assert_str_eq(text, "[]\n");
	free(text);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("diff readers");
	TCase *tc = tcase_create("readers");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, json_by_schema);
	tcase_add_test(tc, json_figures);
	tcase_add_test(tc, tap_by_perl);
	tcase_add_test(tc, tap_points);
	tcase_add_test(tc, github);
	tcase_add_test(tc, github_of_many);
	tcase_add_test(tc, gitlab);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *runner = srunner_create(suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

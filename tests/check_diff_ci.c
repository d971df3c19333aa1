// SPDX-License-Identifier: GPL-2.0-only
/* JUnit XML and SARIF of comparisons made by hand: counts, states, hostile names, limits. */
#include <check.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <stdlib.h>
#include <string.h>

#include "diff/local.h"
#include "lib/comparison.h"

/* What @print makes of @comparison, for free(). */
static char *printed(dms_diff_print *print, const struct dms_comparison *comparison)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	struct dms_error *err;

	ck_assert_ptr_nonnull(out);
	err = print(comparison, out, 0, false);
	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_uint_eq(strlen(text), bytes);
	return text;
}

static void same_twice(dms_diff_print *print)
{
	char *first = printed(print, &hostile_comparison);
	char *second = printed(print, &hostile_comparison);

	ck_assert_str_eq(first, second);
	free(first);
	free(second);
}

static const struct dms_comparison *const all[] = {&hostile_comparison, &lossy_comparison,
						   &clean_comparison, &first_comparison};

/* If the environment says where, leave the files there for the validators of sarif_test.sh. */
static void leave(const char *text, const char *extension, const char *name)
{
	const char *folder = getenv("DMS_CI_SAMPLES");
	char path[512];
	FILE *out;

	if (!folder)
		return;
	snprintf(path, sizeof(path), "%s/%s.%s", folder, name, extension);
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	ck_assert_int_eq(fclose(out), 0);
}

/* ---- JUnit -------------------------------------------------------------------------------------
 */

/* A document that is well-formed XML and nothing else. */
static xmlDocPtr junit_of(const struct dms_comparison *comparison)
{
	char *text = printed(dms_diff_print_junit, comparison);
	xmlDocPtr doc = xmlReadMemory(text, (int)strlen(text), "junit.xml", NULL,
				      XML_PARSE_NONET | XML_PARSE_NOERROR);

	ck_assert_msg(doc != NULL, "no XML: %s", text);
	free(text);
	return doc;
}

static double evaluate(xmlDocPtr doc, const char *expression)
{
	xmlXPathContextPtr context = xmlXPathNewContext(doc);
	xmlXPathObjectPtr result = xmlXPathEvalExpression(BAD_CAST expression, context);
	double number;

	ck_assert_msg(result != NULL, "%s", expression);
	number = xmlXPathCastToNumber(result);
	xmlXPathFreeObject(result);
	xmlXPathFreeContext(context);
	return number;
}

static void expect(xmlDocPtr doc, const char *expression, double wanted)
{
	double got = evaluate(doc, expression);

	ck_assert_msg(got == wanted, "%s is %g, not %g", expression, got, wanted);
}

/* Every count in an attribute is what can be counted. */
static void check_counts(xmlDocPtr doc)
{
	static const char *const pairs[][2] = {
		{"tests", "testcase"},
		{"failures", "testcase[failure]"},
		{"errors", "testcase[error]"},
		{"skipped", "testcase[skipped]"},
	};
	char expression[200];

	for (size_t i = 0; i < DMS_ARRAY_SIZE(pairs); i++) {
		snprintf(expression, sizeof(expression),
			 "number(/testsuites/@%s) - count(/testsuites/testsuite/%s)", pairs[i][0],
			 pairs[i][1]);
		expect(doc, expression, 0);
		snprintf(expression, sizeof(expression), "count(//testsuite[@%s != count(%s)])",
			 pairs[i][0], pairs[i][1]);
		expect(doc, expression, 0);
	}
	expect(doc, "count(//testcase[count(failure|skipped|error) > 1])", 0);
}

START_TEST(test_junit_outcomes)
{
	xmlDocPtr doc = junit_of(&hostile_comparison);

	check_counts(doc);
	/* the new one, with both stacks; the other new one; the worse one; the worse metric */
	expect(doc, "count(//failure)", 4);
	expect(doc,
	       "count(//testcase[@name='double-unmap' and @classname='dmascope.ethdrv']"
	       "/failure[contains(., 'rx_refill[ethdrv]') and contains(., 'rx_alloc[ethdrv]')"
	       " and starts-with(@message, 'new error: ')])",
	       1);
	expect(doc, "count(//testcase[@name='sync-not-mapped']/failure)", 1);
	expect(doc, "count(//testcase[@name='lifetime_p99']/failure[contains(@message, '+270')])",
	       1);
	/* suppressed, with who and why */
	expect(doc,
	       "count(//testcase[@name='leak-growth']/skipped[starts-with(@message,"
	       " 'suppressed by known leak of ethdrv, see @maintainer <b>: vendor is told')])",
	       1);
	/* not judged, never passed */
	expect(doc,
	       "count(//testcase[@name='map-error-unchecked' and @classname='dmascope.e1000']"
	       "/skipped[starts-with(@message, 'not judged: head has lost 12 events')])",
	       1);
	/* unchanged passes, and says so */
	expect(doc,
	       "count(//testcase[@name='hot-remap' and @classname='dmascope.virtio_net']"
	       "/system-out[contains(., 'unchanged info')])",
	       1);
	/* every rule on every kind */
	expect(doc, "count(//testsuite[@name='dmascope.nvme' and @tests > 40])", 1);
	xmlFreeDoc(doc);
}
END_TEST

/* Whoever could not look does not report health. */
START_TEST(test_junit_lossy)
{
	xmlDocPtr doc = junit_of(&lossy_comparison);

	check_counts(doc);
	expect(doc, "count(//testcase[@name='verdict']/error)", 1);
	expect(doc, "count(//testsuite[starts-with(@name, 'dmascope.')]/testcase[not(skipped)])",
	       0);
	xmlFreeDoc(doc);
}
END_TEST

START_TEST(test_junit_clean)
{
	xmlDocPtr doc = junit_of(&clean_comparison);

	check_counts(doc);
	expect(doc, "count(//failure|//error|//skipped)", 0);
	expect(doc, "count(//testcase[@name='verdict'])", 1);
	expect(doc, "count(//testcase) > 100", 1);
	xmlFreeDoc(doc);
}
END_TEST

/* A verdict that no case shows still is no green run. */
START_TEST(test_junit_fails_closed)
{
	struct dms_comparison comparison = clean_comparison;
	xmlDocPtr doc;

	comparison.verdict = DMS_VERDICT_FAIL;
	doc = junit_of(&comparison);
	check_counts(doc);
	expect(doc, "count(//testcase[@name='verdict']/failure)", 1);
	xmlFreeDoc(doc);
}
END_TEST

/* A rule that was switched off, or that has no input, was not passed. */
START_TEST(test_junit_silence)
{
	static const struct dms_blind_spot spots[] = {
		{"map-error-unchecked", "e1000", "needs a probe"}, {"sync-missing", NULL, NULL}};
	struct dms_baseline run = run_base_file;
	const struct dms_baseline *runs[] = {&run};
	struct dms_comparison comparison = clean_comparison;
	xmlDocPtr doc;

	run.blind_spots = spots;
	run.n_blind_spots = 2;
	run.rules_off = run_rules_off;
	run.n_rules_off = 1;
	comparison.head = runs;
	doc = junit_of(&comparison);
	check_counts(doc);
	expect(doc, "count(//skipped[@message='not judged: needs a probe'])", 1);
	expect(doc, "count(//testcase[@name='sync-missing'][skipped])", 3);
	expect(doc, "count(//testcase[@name='cacheline-misaligned'][skipped])", 3);
	expect(doc, "count(//skipped)", 7);
	xmlFreeDoc(doc);
}
END_TEST

START_TEST(test_junit_bytes)
{
	static const char *const bad[] = {"\x1b", "\x07", "\xff", "<script>", "\xef\xbf\xbf"};
	struct dms_base_finding finding = finding_evil;
	struct dms_finding_change change = {
		.state = DMS_STATE_NEW, .head = &finding, .fails = true};
	struct dms_comparison comparison = hostile_comparison;
	char *text = printed(dms_diff_print_junit, &hostile_comparison);

	for (size_t i = 0; i < DMS_ARRAY_SIZE(bad); i++)
		ck_assert_ptr_null(strstr(text, bad[i]));
	free(text);
	/* no characters of XML, though well-formed UTF-8 */
	finding.message = "a\xef\xbf\xbf\xef\xbf\xbe\x0b"
			  "b";
	finding.device_kind = "k\xef\xbf\xbf";
	comparison.findings = &change;
	comparison.n_findings = 1;
	xmlFreeDoc(junit_of(&comparison));
	same_twice(dms_diff_print_junit);
}
END_TEST

/* ---- SARIF -------------------------------------------------------------------------------------
 */

static json_t *sarif_of(const struct dms_comparison *comparison)
{
	char *text = printed(dms_diff_print_sarif, comparison);
	json_error_t error;
	json_t *log = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	ck_assert_msg(log != NULL, "%s", error.text);
	free(text);
	return log;
}

static json_t *run_of(json_t *log)
{
	return json_array_get(json_object_get(log, "runs"), 0);
}

static json_t *result_at(json_t *log, size_t index)
{
	return json_array_get(json_object_get(run_of(log), "results"), index);
}

static json_t *results_of(json_t *log)
{
	return json_object_get(run_of(log), "results");
}

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	ck_assert_msg(text != NULL, "no %s", key);
	return text;
}

/* The first result of @rule. */
static json_t *result_of(json_t *log, const char *rule)
{
	json_t *result;
	size_t i;

	json_array_foreach(results_of(log), i, result)
	{
		if (!strcmp(word(result, "ruleId"), rule))
			return result;
	}
	ck_abort_msg("no result of %s", rule);
	return NULL;
}

START_TEST(test_sarif_states)
{
	static const struct {
		const char *rule, *baseline, *level;
	} wanted[] = {
		{"double-unmap", "new", "error"},
		{"sync-not-mapped", "updated", "error"},
		{"leak-growth", "new", "warning"},
		{"hot-remap", "unchanged", "note"},
		{"map-error-unchecked", "unchanged", "none"},
		{"metric-worse", "new", "error"},
	};
	json_t *log = sarif_of(&hostile_comparison), *result;

	ck_assert_str_eq(word(log, "version"), "2.1.0");
	for (size_t i = 0; i < DMS_ARRAY_SIZE(wanted); i++) {
		result = result_of(log, wanted[i].rule);
		ck_assert_str_eq(word(result, "baselineState"), wanted[i].baseline);
		ck_assert_str_eq(word(result, "level"), wanted[i].level);
	}
	ck_assert_str_eq(word(result_of(log, "map-error-unchecked"), "kind"), "open");
	result = json_array_get(json_object_get(result_of(log, "leak-growth"), "suppressions"), 0);
	ck_assert_str_eq(word(result, "kind"), "external");
	ck_assert_ptr_nonnull(strstr(word(result, "justification"), "vendor is told"));
	/* 8 findings, one of them fixed; 2 metrics that got worse */
	ck_assert_uint_eq(json_array_size(results_of(log)), 9);
	json_decref(log);
}
END_TEST

/* Each result is complete as GitHub wants it. */
START_TEST(test_sarif_results)
{
	json_t *log = sarif_of(&hostile_comparison), *result;
	json_t *rules = json_object_get(
		json_object_get(json_object_get(run_of(log), "tool"), "driver"), "rules");
	size_t i;

	json_array_foreach(results_of(log), i, result)
	{
		json_t *rule = json_array_get(
			rules, (size_t)json_integer_value(json_object_get(result, "ruleIndex")));
		json_t *place =
			json_object_get(json_array_get(json_object_get(result, "locations"), 0),
					"physicalLocation");
		json_t *prints = json_object_get(result, "partialFingerprints");
		const char *uri = word(json_object_get(place, "artifactLocation"), "uri");

		ck_assert_str_eq(word(rule, "id"), word(result, "ruleId"));
		ck_assert_uint_eq(strspn(uri, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789-._~/%:"),
				  strlen(uri));
		ck_assert_ptr_nonnull(
			json_object_get(json_object_get(place, "region"), "startLine"));
		ck_assert_ptr_nonnull(json_object_get(prints, "dmascopeFingerprint/v1"));
		ck_assert_ptr_nonnull(json_object_get(prints, "primaryLocationLineHash"));
		ck_assert_ptr_null(strstr(word(json_object_get(result, "message"), "text"), "]("));
	}
	result = result_of(log, "double-unmap");
	ck_assert_str_eq(
		word(json_object_get(result, "partialFingerprints"), "dmascopeFingerprint/v1"),
		RX_FINGERPRINT);
	ck_assert_uint_eq(json_array_size(json_object_get(result, "stacks")), 2);
	json_decref(log);
}
END_TEST

START_TEST(test_sarif_losses)
{
	json_t *log = sarif_of(&lossy_comparison);
	json_t *invocation = json_array_get(json_object_get(run_of(log), "invocations"), 0);
	json_t *notes = json_object_get(invocation, "toolExecutionNotifications"), *note;
	size_t i, n_losses = 0, n_blind = 0;

	ck_assert(json_is_false(json_object_get(invocation, "executionSuccessful")));
	json_array_foreach(notes, i, note)
	{
		const char *text = word(json_object_get(note, "message"), "text");

		n_losses += strstr(text, "head head-1.db: 12 events lost in 1 gaps") != NULL;
		n_blind += strstr(text, "not judged: map-error-unchecked on e1000") != NULL;
	}
	ck_assert_uint_eq(n_losses, 1);
	ck_assert_uint_eq(n_blind, 1);
	json_decref(log);
	log = sarif_of(&clean_comparison);
	invocation = json_array_get(json_object_get(run_of(log), "invocations"), 0);
	ck_assert(json_is_true(json_object_get(invocation, "executionSuccessful")));
	ck_assert_uint_eq(json_array_size(results_of(log)), 0);
	json_decref(log);
	/* nothing to compare with: no state */
	log = sarif_of(&first_comparison);
	ck_assert_ptr_null(json_object_get(result_at(log, 0), "baselineState"));
	json_decref(log);
}
END_TEST

/* More than GitHub takes: cut, and said. */
START_TEST(test_sarif_limits)
{
	const size_t n = 26000;
	struct dms_finding_change *changes = calloc(n, sizeof(*changes));
	struct dms_comparison comparison = hostile_comparison;
	char *text, wanted[80];
	json_error_t error;
	size_t n_results;
	json_t *log;

	ck_assert_ptr_nonnull(changes);
	for (size_t i = 0; i < n; i++)
		changes[i] = finding_changes[i % 2];
	comparison.findings = changes;
	comparison.n_findings = n;
	comparison.n_metrics = 0;
	text = printed(dms_diff_print_sarif, &comparison);
	ck_assert_uint_lt(strlen(text), 10u << 20);
	log = json_loads(text, 0, &error);
	ck_assert_msg(log != NULL, "%s", error.text);
	n_results = json_array_size(results_of(log));
	ck_assert_uint_gt(n_results, 1000);
	ck_assert_uint_le(n_results, 25000);
	snprintf(wanted, sizeof(wanted), "%zu results are left out", n - n_results);
	ck_assert_ptr_nonnull(strstr(text, wanted));
	json_decref(log);
	free(text);
	free(changes);
	same_twice(dms_diff_print_sarif);
}
END_TEST

/* Whatever there is, the page has less than 2 MB, and says how much it leaves out. */
START_TEST(test_html_limits)
{
	const size_t n = 20000;
	struct dms_finding_change *changes = calloc(n, sizeof(*changes));
	struct dms_comparison comparison = hostile_comparison;
	char *text;

	ck_assert_ptr_nonnull(changes);
	for (size_t i = 0; i < n; i++)
		changes[i] = finding_changes[i % 2];
	comparison.findings = changes;
	comparison.n_findings = n;
	text = printed(dms_diff_print_html, &comparison);
	ck_assert_uint_lt(strlen(text), 2000000);
	ck_assert_ptr_nonnull(strstr(text, "\"total\":20000}"));
	leave(text, "html", "flood");
	free(text);
	free(changes);
	same_twice(dms_diff_print_html);
}
END_TEST

/* Whoever cannot write says so. */
START_TEST(test_full_disk)
{
	static dms_diff_print *const prints[] = {dms_diff_print_junit, dms_diff_print_sarif,
						 dms_diff_print_html};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(prints); i++) {
		FILE *out = fopen("/dev/full", "w");
		struct dms_error *err;

		ck_assert_ptr_nonnull(out);
		err = prints[i](&hostile_comparison, out, 0, false);
		ck_assert_ptr_nonnull(err);
		ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INTERNAL);
		dms_error_free(err);
		fclose(out);
	}
}
END_TEST

START_TEST(test_samples)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(all); i++) {
		const char name[] = {(char)('0' + i), '\0'};
		static const struct {
			dms_diff_print *print;
			const char *extension;
		} kinds[] = {{dms_diff_print_junit, "xml"},
			     {dms_diff_print_sarif, "sarif"},
			     {dms_diff_print_html, "html"}};

		for (size_t k = 0; k < DMS_ARRAY_SIZE(kinds); k++) {
			char *text = printed(kinds[k].print, all[i]);

			ck_assert_uint_gt(strlen(text), 100);
			leave(text, kinds[k].extension, name);
			free(text);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("diff_ci");
	TCase *junit = tcase_create("junit"), *sarif = tcase_create("sarif");
	TCase *both = tcase_create("both");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_set_timeout(junit, 60);
	tcase_set_timeout(sarif, 120);
	tcase_add_test(junit, test_junit_outcomes);
	tcase_add_test(junit, test_junit_lossy);
	tcase_add_test(junit, test_junit_clean);
	tcase_add_test(junit, test_junit_fails_closed);
	tcase_add_test(junit, test_junit_silence);
	tcase_add_test(junit, test_junit_bytes);
	tcase_add_test(sarif, test_sarif_states);
	tcase_add_test(sarif, test_sarif_results);
	tcase_add_test(sarif, test_sarif_losses);
	tcase_add_test(sarif, test_sarif_limits);
	tcase_set_timeout(both, 120);
	tcase_add_test(both, test_html_limits);
	tcase_add_test(both, test_full_disk);
	tcase_add_test(both, test_samples);
	suite_add_tcase(suite, junit);
	suite_add_tcase(suite, sarif);
	suite_add_tcase(suite, both);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

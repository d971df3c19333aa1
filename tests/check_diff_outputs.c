// SPDX-License-Identifier: GPL-2.0-only
/* The outputs of a comparison: hostile names stay names; what text and Markdown say. */
#include <check.h>
#include <jansson.h>

#include "lib/printed.h"

static dms_diff_print *const printers[] = {dms_diff_print_text,	  dms_diff_print_markdown,
					   dms_diff_print_json,	  dms_diff_print_tap,
					   dms_diff_print_github, dms_diff_print_gitlab};

/* ---- all of them -------------------------------------------------------------------------------
 */

START_TEST(plain_text_only)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(all_comparisons); i++) {
		char *text = printed(printers[_i], all_comparisons[i]),
		     *again = printed(printers[_i], all_comparisons[i]);
		json_t *utf8 = json_string(text);

		ck_assert_ptr_nonnull(utf8); /* jansson refuses what is no UTF-8 */
		for (const char *at = text; *at; at++)
			ck_assert_msg((unsigned char)*at >= 0x20 || *at == '\n',
				      "control character %#x in:\n%.600s", *at, text);
		ck_has_not(text, "\xe2\x80\xae"); /* turns the line around */
		ck_assert_str_eq(text, again);
		ck_assert_int_eq(text[strlen(text) - 1], '\n');
		json_decref(utf8);
		free(text);
		free(again);
	}
}
END_TEST

START_TEST(full_disk)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(all_comparisons); i++) {
		FILE *out = fopen("/dev/full", "w");
		struct dms_error *err = printers[_i](all_comparisons[i], out, 80, false);

		ck_assert_ptr_nonnull(err);
		ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INTERNAL);
		dms_error_free(err);
		fclose(out);
	}
}
END_TEST

START_TEST(table_of_outputs)
{
	static const char *const names[] = {"text",   "markdown", "json", "junit", "sarif",
					    "github", "gitlab",	  "tap",  "html"};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(names); i++) {
		ck_assert_str_eq(dms_diff_outputs[i].name, names[i]);
		ck_assert(dms_diff_outputs[i].print && dms_diff_outputs[i].extension &&
			  dms_diff_outputs[i].help);
	}
	ck_assert_ptr_null(dms_diff_outputs[DMS_ARRAY_SIZE(names)].name);
}
END_TEST

/* ---- words -------------------------------------------------------------------------------------
 */

START_TEST(values)
{
	// clang-format off
	static const struct dms_metric count_metric = {.name = "maps", .unit = "1"};
	static const struct {
		double value;
		const struct dms_metric *metric;
		const char *text;
	} cases[] = {
		{12345, &metric_p99, "12.3 us"}, {0, &metric_p99, "0 ns"}, {NAN, &metric_p99, "-"},
		{INFINITY, &metric_p99, "inf"}, {4096, &metric_peak, "4.0 KiB"},
		{1e30, &metric_peak, "1e+30"}, {0.031, &metric_bounced, "3.1 %"},
		{0.00004, &metric_bounced, "0.004 %"}, {0, &metric_bounced, "0.0 %"},
		{1234, &count_metric, "1,234"}, {2.5, &count_metric, "2.5"},
		{0.96, &count_metric, "1"}, {-3, &count_metric, "-3"},
		{1000.4, &metric_rate, "1,000/s"},
	};
	// clang-format on
	char buf[48];

	for (size_t i = 0; i < DMS_ARRAY_SIZE(cases); i++)
		ck_assert_str_eq(
			dms_format_value(cases[i].value, cases[i].metric, buf, sizeof(buf)),
			cases[i].text);
}
END_TEST

START_TEST(changes)
{
	// clang-format off
	static const struct {
		double change;
		const char *text;
	} cases[] = {
		{2.7001, "+270 %"}, {-0.75, "-75 %"}, {0.034, "+3.4 %"}, {11, "x12.0"},
		{999, "x1000"}, {INFINITY, "from 0"}, {NAN, "-"}, {0, "+0.0 %"},
	};
	// clang-format on
	char buf[48], tiny[3];

	for (size_t i = 0; i < DMS_ARRAY_SIZE(cases); i++)
		ck_assert_str_eq(dms_format_change(cases[i].change, buf, sizeof(buf)),
				 cases[i].text);
	ck_assert_str_eq(dms_format_p(0.00001, buf, sizeof(buf)), "<0.0001");
	ck_assert_str_eq(dms_format_p(NAN, buf, sizeof(buf)), "-");
	ck_assert_str_eq(dms_change_site(&finding_new, buf, sizeof(buf)), "rx_refill[ethdrv]");
	ck_assert_str_eq(dms_change_site(&finding_leak, buf, sizeof(buf)), "rx_alloc[ethdrv]");
	ck_assert_str_eq(dms_change_site(&finding_file, buf, sizeof(buf)), "-");
	ck_assert_str_eq(dms_change_site(&finding_new, tiny, sizeof(tiny)), "rx");
}
END_TEST

START_TEST(headline)
{
	char *text = dms_diff_headline(&hostile_comparison);

	ck_assert_str_eq(text, "2 new errors, 1 worse error, 2 worse metrics, 1 not judged "
			       "finding, 1 better, 1 fixed, 1 unchanged, 1 suppressed");
	dms_free(text);
	text = dms_diff_headline(&clean_comparison);
	ck_assert_str_eq(text, "no findings");
	dms_free(text);
}
END_TEST

/* ---- text --------------------------------------------------------------------------------------
 */

START_TEST(text_says_all)
{
	char *text = printed_as(dms_diff_print_text, &hostile_comparison, 160, false), *apart;

	ck_assert_int_eq(strncmp(text, "FAIL: 2 new errors", 18), 0);
	ck_has(text, RX_FINGERPRINT);
	ck_has(text, "new error: double-unmap, ethdrv, in rx_refill[ethdrv] [fails]");
	ck_has(text, "0 -> 1,234, in 0 of 2 -> 3 of 3 runs");
	ck_has(text, "only         likely: events were lost before it");
	ck_has(text, "fingerprint  " RX_FINGERPRINT);
	ck_has(text, "\n  fixed     error    7 -> 0, in 2 of 2 -> 0 of 3 runs");
	ck_has(text, "12.3 us  45.7 us  +270 %");
	ck_has(text, "not judged: lifetime_p99 of e1000: head has no value");
	ck_has(text, "2 unchanged");
	ck_has(text, "not in head: map-error-unchecked of e1000");
	ck_has(text, "not in base: sync-missing: no sync was seen");
	ck_has(text, "dmascope.yaml:20: old|thing");
	ck_has(text, "dmascope rules double-unmap");
	ck_has(text, "dmascope doctor TRACE");
	apart = strstr(text, "Suppressed findings");
	ck_assert_ptr_nonnull(apart);
	ck_has(apart, "leak-growth, ethdrv");
	*apart = '\0';
	ck_has_not(text, "leak-growth, ethdrv");
	free(text);
	text = printed(dms_diff_print_text, &first_comparison);
	ck_has(text, "There is no base to compare with");
	free(text);
}
END_TEST

/* Take the colours out of @text, in place. */
static void strip(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == '\033')
			from = strchr(from, 'm');
		else
			*to++ = *from;
	}
	*to = '\0';
}

START_TEST(text_colours)
{
	char *coloured = printed_as(dms_diff_print_text, &hostile_comparison, 100, true),
	     *text = printed(dms_diff_print_text, &hostile_comparison);

	ck_has(coloured, "\033[1;31mFAIL\033[0m");
	strip(coloured);
	ck_assert_str_eq(coloured, text);
	free(coloured);
	free(text);
}
END_TEST

START_TEST(text_width)
{
	char *text = printed_as(dms_diff_print_text, &lossy_comparison, 80, false);

	/* names may be longer than any line; our own words are not */
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		ck_assert_msg(strlen(line) <= 80 || strstr(line, "events were lost"), "%.600s",
			      line);
	free(text);
}
END_TEST

/* Unchanged findings have a line each; reasons that differ in numbers only have one together. */
START_TEST(text_is_brief)
{
	static const struct dms_finding_change findings[] = {
		{.state = DMS_STATE_UNCHANGED, .base = &finding_new, .head = &finding_new,
		 .count_base = 9, .count_head = 1234},
		{.state = DMS_STATE_FIXED, .base = &finding_fixed, .count_base = 7},
	};
	static const char *const why[] = {"too few samples: 3 in head, 100 needed",
					  "too few samples: 45 in head, 100 needed",
					  "head has no value"};
	struct dms_metric_change metrics[3];
	struct dms_comparison comparison = clean_comparison;
	char *text;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(metrics); i++) {
		metrics[i] = metric_changes[6];
		metrics[i].subject = i ? "second" : "first";
		metrics[i].reason = why[i];
	}
	comparison.findings = findings;
	comparison.metrics = metrics;
	comparison.n_findings = DMS_ARRAY_SIZE(findings);
	comparison.n_metrics = DMS_ARRAY_SIZE(metrics);
	text = printed(dms_diff_print_text, &comparison);
	ck_has(text, "\nFindings\n"
		     "  unchanged error    9 -> 1,234  " RX_FINGERPRINT "\n"
		     "  fixed     error    7 -> 0      unmap-direction-mismatch:e1000:-:tx_clean[e1000]");
	ck_has(text, "  - not judged: lifetime_p99 of first and 1 more: too few samples: 3 in head, 100 "
		     "needed\n  - not judged: lifetime_p99 of second: head has no value\n");
	free(text);
}
END_TEST

START_TEST(text_of_many)
{
	struct dms_comparison *comparison = many(3000);
	char *text = printed(dms_diff_print_text, comparison);

	ck_assert_uint_eq(count(text, "[fails]\n"), 3000);
	free(text);
	for (size_t i = 0; i < 3000; i++) {
		struct dms_finding_change *change =
			(struct dms_finding_change *)&comparison->findings[i];

		change->state = DMS_STATE_UNCHANGED;
		change->fails = false;
	}
	text = printed(dms_diff_print_text, comparison);
	ck_has(text, "and 2980 more that do not fail");
	free(text);
	many_free(comparison);
}
END_TEST

/* ---- markdown ----------------------------------------------------------------------------------
 */

/* Nothing of @text but our own tags may be markup. */
static void ck_markdown(const char *text)
{
	static const char *const tags[] = {"<code>",	"</code>",     "<pre>\n",
					   "</pre>\n",	"<details>",   "</details>\n",
					   "<summary>", "</summary>\n"};
	static const char *const never[] = {"@", "http:", "](", "`a`", " #1", "<script", "x\n::"};
	size_t n_ours = 0;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(tags); i++)
		n_ours += count(text, tags[i]);
	ck_assert_uint_eq(count(text, "<"), n_ours);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(never); i++)
		ck_has_not(text, never[i]);
	ck_assert_uint_eq(count(text, "<details>"), count(text, "</details>"));
	ck_assert_uint_eq(count(text, "<code>"), count(text, "</code>"));
	ck_assert_uint_lt(strlen(text), 60000);
}

START_TEST(markdown)
{
	char *text = printed(dms_diff_print_markdown, &hostile_comparison);

	ck_markdown(text);
	ck_has(text, "dmascope: FAIL");
	ck_has(text, "\u274c new error, **fails** | <code>double-unmap&#58;ethdrv&#58;rx&#95;alloc");
	ck_has(text, "call         rx&#95;refill&#91;ethdrv&#93;\n             ethdrv&#95;poll");
	ck_has(text, "mapped       rx&#95;alloc&#91;ethdrv&#93;");
	ck_has(text, "<code>leak-at-unbind</code>: <code>needs marks of unbinding");
	ck_has(text, "<code>sync-missing in base</code>: <code>no sync was seen");
	ck_has(text, "Suppressed findings (1)");
	ck_has(text, "2 metrics did not change.");
	free(text);
	for (size_t i = 1; i < DMS_ARRAY_SIZE(all_comparisons); i++) {
		text = printed(dms_diff_print_markdown, all_comparisons[i]);
		ck_markdown(text);
		free(text);
	}
}
END_TEST

/* However much there is, it fits, is whole, and says what it leaves out. */
START_TEST(markdown_of_many)
{
	static const size_t sizes[] = {1, 7, 13, 14, 15, 16, 49, 50, 51, 60, 400};
	struct dms_comparison *comparison = many(sizes[_i]);
	char *text = printed(dms_diff_print_markdown, comparison);

	ck_markdown(text);
	if (sizes[_i] > 100) {
		ck_has(text, "more findings left out");
		ck_has(text, "parts had no room here");
	}
	many_free(comparison);
	free(text);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("diff outputs");
	TCase *tc = tcase_create("outputs");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, plain_text_only, 0, DMS_ARRAY_SIZE(printers));
	tcase_add_loop_test(tc, full_disk, 0, DMS_ARRAY_SIZE(printers));
	tcase_add_test(tc, table_of_outputs);
	tcase_add_test(tc, values);
	tcase_add_test(tc, changes);
	tcase_add_test(tc, headline);
	tcase_add_test(tc, text_says_all);
	tcase_add_test(tc, text_colours);
	tcase_add_test(tc, text_width);
	tcase_add_test(tc, text_is_brief);
	tcase_add_test(tc, text_of_many);
	tcase_add_test(tc, markdown);
	tcase_add_loop_test(tc, markdown_of_many, 0, 11);
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

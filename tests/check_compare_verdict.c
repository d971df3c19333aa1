// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/diff/compare.c: verdicts, several runs, suppressions, coverage, and the order of it
 * all. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/baselines.h"

#define DOUBLE "double-unmap:e1000e:rx_alloc[e1000e]:rx_free[e1000e]:FROM_DEVICE:2^11"
#define LEAK   "leak-at-unbind:e1000e:rx_alloc[e1000e]:-:FROM_DEVICE:2^11"
#define SYNC   "sync-not-mapped:e1000e:-:rx_sync[e1000e]:FROM_DEVICE:2^11"

static struct bench *bench;

static void setup(void)
{
	bench = malloc(sizeof(*bench));
	ck_assert_ptr_nonnull(bench);
	bench_init(bench);
}

static void teardown(void)
{
	bench_clear(bench);
	free(bench);
}

/* ---- what fails ------------------------------------------------------------------------------ */

static const struct {
	enum dms_severity severity, fail_severity;
	enum dms_confidence confidence, fail_confidence;
	bool fails;
} limits[] = {
	{DMS_SEVERITY_ERROR, DMS_SEVERITY_ERROR, DMS_LIKELY, DMS_LIKELY, true},
	{DMS_SEVERITY_WARNING, DMS_SEVERITY_ERROR, DMS_LIKELY, DMS_LIKELY, false},
	{DMS_SEVERITY_WARNING, DMS_SEVERITY_WARNING, DMS_LIKELY, DMS_LIKELY, true},
	{DMS_SEVERITY_ERROR, DMS_SEVERITY_WARNING, DMS_CERTAIN, DMS_LIKELY, true},
	{DMS_SEVERITY_ERROR, DMS_SEVERITY_ERROR, DMS_POSSIBLE, DMS_LIKELY, false},
	{DMS_SEVERITY_ERROR, DMS_SEVERITY_ERROR, DMS_LIKELY, DMS_CERTAIN, false},
	{DMS_SEVERITY_INFO, DMS_SEVERITY_INFO, DMS_POSSIBLE, DMS_POSSIBLE, true},
};

START_TEST(limits_decide_what_fails)
{
	struct dms_base_finding *finding = add_finding(&bench->head[0], DOUBLE);

	finding->severity = limits[_i].severity;
	finding->confidence = limits[_i].confidence;
	bench->options.fail_severity = limits[_i].fail_severity;
	bench->options.fail_confidence = limits[_i].fail_confidence;
	ck_assert_int_eq(only_finding(bench)->fails, limits[_i].fails);
	ck_assert_int_eq(bench->result->verdict,
			 limits[_i].fails ? DMS_VERDICT_FAIL : DMS_VERDICT_PASS);
	bench->options.never_fails = true;
	ck_assert(!only_finding(bench)->fails);
	ck_assert_int_eq(bench->result->verdict, DMS_VERDICT_PASS);
	ck_assert_int_eq(bench->result->findings[0].state, DMS_STATE_NEW);
}
END_TEST

START_TEST(one_run_that_fails_is_enough)
{
	bench->n_head = 2;
	add_finding(&bench->head[0], DOUBLE)->count = 100;
	bench->head[0].findings[0].severity = DMS_SEVERITY_WARNING;
	add_finding(&bench->head[1], DOUBLE);
	ck_assert(only_finding(bench)->fails);
	ck_assert_uint_eq(bench->result->findings[0].head->count, 100);
}
END_TEST

static const struct {
	uint64_t events, lost, gaps;
	bool is_complete;
	const char *reason;
} losses[] = {
	{0, 0, 0, true, "head.db has no DMA events: record the dma events while the work is done"},
	{9, 0, 0, false, "head.db is not complete: record or analyze it again to its end"},
	{9, 1, 1, true, "head.db has lost 1 event: record with a larger buffer"},
	{9, 0, 2, true,
	 "events may be missing in head.db (2 gaps): record again, as dmascope doctor advises"},
};

START_TEST(a_lossy_head_fails_closed)
{
	struct dms_baseline *head = &bench->head[0].baseline;

	head->events = losses[_i].events;
	head->lost_events = losses[_i].lost;
	head->gaps = losses[_i].gaps;
	head->is_complete = losses[_i].is_complete;
	ck_assert_int_eq(compare(bench)->verdict, DMS_VERDICT_LOSSY);
	ck_assert_uint_eq(bench->result->n_reasons, 1);
	ck_assert_str_eq(bench->result->reasons[0], losses[_i].reason);
	bench->options.allow_lossy = true;
	ck_assert_int_eq(compare(bench)->verdict, DMS_VERDICT_PASS);
	bench->options.allow_lossy = false;
	bench->options.never_fails = true;
	ck_assert_int_eq(compare(bench)->verdict, DMS_VERDICT_PASS);
	bench->options.never_fails = false;
	add_finding(&bench->head[0], DOUBLE);
	ck_assert_int_eq(compare(bench)->verdict, DMS_VERDICT_FAIL);
	ck_assert_uint_eq(bench->result->n_reasons, 2);
	ck_assert_str_eq(bench->result->reasons[0], "1 finding is new: double-unmap of e1000e");
}
END_TEST

START_TEST(a_lossy_base_is_told_and_passes)
{
	bench->base[0].baseline.lost_events = 3;
	ck_assert_int_eq(compare(bench)->verdict, DMS_VERDICT_PASS);
	ck_assert_uint_eq(bench->result->n_reasons, 1);
	ck_assert_str_eq(bench->result->reasons[0],
			 "base.db has lost 3 events: record with a larger buffer");
}
END_TEST

START_TEST(no_head_is_no_pass)
{
	bench->n_head = 0;
	add_finding(&bench->base[0], DOUBLE);
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_NOT_JUDGED);
	ck_assert_int_eq(bench->result->verdict, DMS_VERDICT_LOSSY);
	ck_assert_str_eq(bench->result->reasons[0], "there is no run to judge");
}
END_TEST

/* ---- several runs ---------------------------------------------------------------------------- */

START_TEST(a_flaky_finding_is_unchanged)
{
	bench->n_base = bench->n_head = 3;
	add_finding(&bench->base[1], DOUBLE)->count = 5;
	add_finding(&bench->head[0], DOUBLE)->count = 3;
	add_finding(&bench->head[2], DOUBLE)->count = 8;
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_UNCHANGED);
	ck_assert_uint_eq(bench->result->findings[0].runs_base, 1);
	ck_assert_uint_eq(bench->result->findings[0].runs_head, 2);
	ck_assert_uint_eq(bench->result->findings[0].count_base, 5);
	ck_assert_uint_eq(bench->result->findings[0].count_head, 6); /* 5.5 */
	ck_assert_ptr_eq(bench->result->findings[0].head, &bench->head[2].findings[0]);
}
END_TEST

START_TEST(fixed_must_be_judged_in_every_run)
{
	bench->n_base = bench->n_head = 3;
	add_finding(&bench->base[2], DOUBLE);
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_FIXED);
	add_spot(&bench->head[1], "double-unmap", NULL, "needs eyes");
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_NOT_JUDGED);
	ck_assert_str_eq(bench->result->findings[0].reason, "head2.db cannot judge it: needs eyes");
}
END_TEST

/* ---- suppressions ---------------------------------------------------------------------------- */

static struct dms_config *read_config(const char *text)
{
	char path[] = "/tmp/check_compare.XXXXXX";
	struct dms_config *config = dms_config_create();
	int fd = mkstemp(path);
	struct dms_error *err;

	ck_assert_ptr_nonnull(config);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	err = dms_config_read(config, path);
	unlink(path);
	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	bench->options.config = config;
	return config;
}

/* 2024-10-04 is day 20000, which the bench takes for today. */
static const char suppressions[] = "suppressions:\n"
				   "  - name: known\n"
				   "    rule: double-*\n"
				   "    driver: e1000e\n"
				   "    reason: firmware\n"
				   "    expires: 2024-10-04\n"
				   "  - name: yesterday\n"
				   "    rule: sync-*\n"
				   "    reason: it was\n"
				   "    expires: 2024-10-03\n"
				   "  - name: idle\n"
				   "    rule: map-*\n"
				   "    reason: nobody needs it\n";

START_TEST(what_is_suppressed_never_fails_and_never_vanishes)
{
	struct dms_config *config = read_config(suppressions);
	const struct dms_comparison *result;

	add_finding(&bench->head[0], DOUBLE);
	add_finding(&bench->head[0], SYNC);
	result = compare(bench);
	ck_assert_uint_eq(result->n_findings, 2);
	ck_assert_str_eq(result->findings[0].head->rule, "sync-not-mapped");
	ck_assert(result->findings[0].fails); /* its suppression has expired */
	ck_assert_ptr_null(result->findings[0].suppressed);
	ck_assert_int_eq(result->findings[1].state, DMS_STATE_NEW);
	ck_assert(!result->findings[1].fails);
	ck_assert_str_eq(result->findings[1].suppressed->name, "known");
	ck_assert_uint_eq(result->n_unused, 1);
	ck_assert_str_eq(result->unused[0]->name, "idle");
	ck_assert_uint_eq(result->n_expired, 1);
	ck_assert_str_eq(result->expired[0]->name, "yesterday");
	bench->options.today++;
	result = compare(bench);
	ck_assert(result->findings[1].fails);
	ck_assert_uint_eq(result->n_expired, 2);
	dms_config_destroy(config);
}
END_TEST

START_TEST(what_is_suppressed_need_not_be_judged)
{
	struct dms_config *config = read_config(suppressions);

	add_finding(&bench->base[0], DOUBLE);
	add_spot(&bench->head[0], "double-unmap", NULL, "needs eyes");
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_NOT_JUDGED);
	ck_assert_int_eq(bench->result->verdict, DMS_VERDICT_PASS);
	ck_assert_uint_eq(bench->result->n_unused, 2); /* of head it hides nothing */
	bench->options.today++;
	ck_assert_int_eq(compare(bench)->verdict, DMS_VERDICT_LOSSY);
	dms_config_destroy(config);
}
END_TEST

START_TEST(a_suppression_must_fit_every_run)
{
	struct dms_config *config = read_config("suppressions:\n"
						"  - name: one card\n"
						"    device: '0000:01:*'\n"
						"    reason: broken\n");

	bench->n_head = 2;
	add_finding(&bench->head[0], DOUBLE)->device = "0000:01:00.0";
	add_finding(&bench->head[1], DOUBLE)->device = "0000:02:00.0";
	ck_assert(only_finding(bench)->fails);
	ck_assert_uint_eq(bench->result->n_unused, 0);
	bench->head[1].findings[0].device = "0000:01:00.1";
	ck_assert(!only_finding(bench)->fails);
	dms_config_destroy(config);
}
END_TEST

/* ---- coverage -------------------------------------------------------------------------------- */

START_TEST(coverage_tells_what_one_side_cannot_judge)
{
	static const struct dms_coverage_change expected[] = {
		{NULL, "nvme", "no maps were seen", false, true},
		{"call-sites", NULL, "no call stacks (record with -T)", false, true},
		{"double-unmap", NULL, "switched off", true, false},
		{"map-from-stack", NULL, "needs a probe", false, true},
	};
	const struct dms_comparison *result;

	bench->base[0].kinds[bench->base[0].baseline.n_kinds++] =
		(struct dms_base_kind){"nvme", 1, 5};
	bench->base[0].rules_off[bench->base[0].baseline.n_rules_off++] = "double-unmap";
	bench->head[0].baseline.has_stacks = false;
	add_spot(&bench->base[0], "map-exceeds-mask", "pci", "3 masks are not known");
	add_spot(&bench->head[0], "map-exceeds-mask", "pci", "42 masks are not known");
	add_spot(&bench->head[0], "map-from-stack", NULL, "needs a probe");
	result = compare(bench);
	ck_assert_uint_eq(result->n_coverage, DMS_ARRAY_SIZE(expected));
	for (size_t i = 0; i < DMS_ARRAY_SIZE(expected); i++) {
		ck_assert_pstr_eq(result->coverage[i].rule, expected[i].rule);
		ck_assert_pstr_eq(result->coverage[i].device_kind, expected[i].device_kind);
		ck_assert_str_eq(result->coverage[i].reason, expected[i].reason);
		ck_assert_int_eq(result->coverage[i].in_base, expected[i].in_base);
		ck_assert_int_eq(result->coverage[i].in_head, expected[i].in_head);
	}
}
END_TEST

START_TEST(what_neither_side_can_judge_is_told)
{
	const struct dms_comparison *result;

	add_spot(&bench->base[0], "leak-at-unbind", NULL, "needs marks of unbinding");
	add_spot(&bench->head[0], "leak-at-unbind", NULL, "needs marks of unbinding");
	add_spot(&bench->base[0], "map-from-stack", NULL, "needs a probe");
	add_spot(&bench->head[0], "map-from-stack", NULL, "3 probes have failed");
	add_spot(&bench->head[0], "sync-missing", "e1000e", "no syncs were seen");
	add_spot(&bench->base[0], "map-kernel-text", NULL, "needs iomem");
	/* it has told what it saw all the same */
	add_spot(&bench->head[0], "double-unmap", "pci", "some events are doubtful");
	add_finding(&bench->base[0], DOUBLE);
	add_finding(&bench->head[0], DOUBLE);
	result = compare(bench);
	ck_assert_int_eq(result->verdict, DMS_VERDICT_PASS);
	ck_assert_uint_eq(result->n_unjudged, 1);
	ck_assert_str_eq(result->unjudged[0].rule, "leak-at-unbind");
	ck_assert(result->unjudged[0].in_base && result->unjudged[0].in_head);
	ck_assert_uint_eq(result->n_reasons, 2);
	ck_assert_str_eq(result->reasons[0], "judged in base and not in head: sync-missing");
	ck_assert_str_eq(result->reasons[1],
			 "judged on neither side: leak-at-unbind, map-from-stack");
}
END_TEST

START_TEST(without_a_base_what_head_cannot_judge_is_told)
{
	static const char *const rules[] = {"leak-at-unbind", "map-from-stack", "sync-missing",
					    "map-kernel-text", "map-error-unchecked",
					    "map-exceeds-mask"};
	const struct dms_comparison *result;

	bench->n_base = 0;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(rules); i++)
		add_spot(&bench->head[0], rules[i], NULL, "needs eyes");
	result = compare(bench);
	ck_assert_int_eq(result->verdict, DMS_VERDICT_PASS);
	ck_assert_uint_eq(result->n_coverage, 0);
	ck_assert_uint_eq(result->n_unjudged, DMS_ARRAY_SIZE(rules));
	ck_assert_uint_eq(result->n_reasons, 1);
	ck_assert_int_eq(strncmp(result->reasons[0], "not judged: ", 12), 0);
	ck_assert_ptr_nonnull(strstr(result->reasons[0], " and 2 more rules"));
	ck_assert_ptr_null(strstr(result->reasons[0], "sync-missing")); /* a warning: the last */
}
END_TEST

/* A driver that did not come up broke no rule. */
START_TEST(a_driver_that_is_gone_fails_closed)
{
	bench->n_base = 2;
	bench->head[0].kinds[0].maps = 0;
	ck_assert_int_eq(compare(bench)->verdict, DMS_VERDICT_LOSSY);
	ck_assert_uint_eq(bench->result->n_reasons, 1);
	ck_assert_str_eq(bench->result->reasons[0], "head has no maps of e1000e, base has 1000: was "
						    "the same work done, and recorded in the same "
						    "way?");
	bench->options.allow_lossy = true;
	ck_assert_int_eq(compare(bench)->verdict, DMS_VERDICT_PASS);
	bench->options.allow_lossy = false;
	bench->base[1].kinds[0].maps = 99; /* so little may be chance */
	ck_assert_int_eq(compare(bench)->verdict, DMS_VERDICT_PASS);
	bench->base[1].kinds[0].maps = 1000;
	bench->head[0].kinds[0].maps = 1;
	ck_assert_int_eq(compare(bench)->verdict, DMS_VERDICT_PASS);
}
END_TEST

/* ---- order ----------------------------------------------------------------------------------- */

START_TEST(what_fails_comes_first_then_states_and_rules)
{
	static const char *const expected[] = {DOUBLE, SYNC, "map-failed:e1000e:-:-:-:-",
					       "free-in-atomic:e1000e:-:-:-:-", LEAK};
	const struct dms_comparison *result;

	add_finding(&bench->head[0], SYNC);
	add_finding(&bench->head[0], "map-failed:e1000e:-:-:-:-")->severity = DMS_SEVERITY_INFO;
	add_finding(&bench->head[0], "free-in-atomic:e1000e:-:-:-:-");
	add_finding(&bench->base[0], "free-in-atomic:e1000e:-:-:-:-");
	add_finding(&bench->head[0], DOUBLE);
	add_finding(&bench->base[0], LEAK);
	result = compare(bench);
	ck_assert_uint_eq(result->n_findings, DMS_ARRAY_SIZE(expected));
	for (size_t i = 0; i < DMS_ARRAY_SIZE(expected); i++) {
		const struct dms_finding_change *change = &result->findings[i];

		ck_assert_str_eq((change->head ? change->head : change->base)->fingerprint,
				 expected[i]);
	}
	ck_assert_str_eq(result->reasons[0], "2 findings are new: double-unmap of e1000e and others");
}
END_TEST

START_TEST(states_have_names)
{
	for (int i = 0; i < DMS_MAX_STATES; i++)
		ck_assert_uint_gt(strlen(dms_state_name((enum dms_state)i)), 2);
	dms_comparison_destroy(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compare_verdict");
	TCase *tests = tcase_create("verdict");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, limits_decide_what_fails, 0, (int)DMS_ARRAY_SIZE(limits));
	tcase_add_test(tests, one_run_that_fails_is_enough);
	tcase_add_loop_test(tests, a_lossy_head_fails_closed, 0, (int)DMS_ARRAY_SIZE(losses));
	tcase_add_test(tests, a_lossy_base_is_told_and_passes);
	tcase_add_test(tests, no_head_is_no_pass);
	tcase_add_test(tests, a_flaky_finding_is_unchanged);
	tcase_add_test(tests, fixed_must_be_judged_in_every_run);
	tcase_add_test(tests, what_is_suppressed_never_fails_and_never_vanishes);
	tcase_add_test(tests, what_is_suppressed_need_not_be_judged);
	tcase_add_test(tests, a_suppression_must_fit_every_run);
	tcase_add_test(tests, coverage_tells_what_one_side_cannot_judge);
	tcase_add_test(tests, what_neither_side_can_judge_is_told);
	tcase_add_test(tests, without_a_base_what_head_cannot_judge_is_told);
	tcase_add_test(tests, a_driver_that_is_gone_fails_closed);
	tcase_add_test(tests, what_fails_comes_first_then_states_and_rules);
	tcase_add_test(tests, states_have_names);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

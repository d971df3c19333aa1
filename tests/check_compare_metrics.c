// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/diff/compare_metrics.c: thresholds from both sides, several runs, chance and losses.
 */
#include <math.h>
#include <stdlib.h>

#include "lib/baselines.h"

/* Not our own names: the thresholds here stay what they are. */
static const struct dms_metric less = {
	"less", "ns", "less is better", DMS_LESS_IS_BETTER, {0.5, 100, 50}};
static const struct dms_metric more = {
	"more", "1/s", "more is better", DMS_MORE_IS_BETTER, {0.5, 100, 50}};
static const struct dms_metric told = {"told", "1", "told", DMS_NEITHER, {0.5, 100, 50}};
static const struct dms_metric off = {"off", "1", "never", DMS_LESS_IS_BETTER, {INFINITY, 0, 50}};
static const struct dms_metric robust = {
	"lifetime_p50", "ns", "median", DMS_LESS_IS_BETTER, {0.5, 100, 50}};

static struct bench *bench;

static void setup(void)
{
	bench = malloc(sizeof(*bench));
	ck_assert_ptr_nonnull(bench);
	bench_init(bench);
	bench->options.metrics_fail = true;
}

static void teardown(void)
{
	bench_clear(bench);
	free(bench);
}

/* ---- one run a side -------------------------------------------------------------------------- */

static const struct {
	const struct dms_metric *metric;
	double base, head, change;
	enum dms_state state;
} singles[] = {
	{&less, 1000, 1500, 0.5, DMS_STATE_UNCHANGED}, /* on the threshold is not beyond */
	{&less, 1000, 1501, 0.501, DMS_STATE_WORSE},
	{&less, 1000, 499, -0.501, DMS_STATE_BETTER},
	{&less, 1000, 500, -0.5, DMS_STATE_UNCHANGED},
	{&less, 100, 200, 1, DMS_STATE_UNCHANGED}, /* absolute */
	{&less, 100, 201, 1.01, DMS_STATE_WORSE},
	{&more, 1000, 1501, 0.501, DMS_STATE_BETTER},
	{&more, 1000, 499, -0.501, DMS_STATE_WORSE},
	{&less, 0, 0, 0, DMS_STATE_UNCHANGED},
	{&less, 0, 100, INFINITY, DMS_STATE_UNCHANGED}, /* from 0 only the absolute one decides */
	{&less, 0, 101, INFINITY, DMS_STATE_WORSE},
	{&less, 1000, 0, -1, DMS_STATE_BETTER},
	{&told, 1, 1e9, 999999999, DMS_STATE_UNCHANGED},
	{&off, 1000, 1e9, 999999, DMS_STATE_UNCHANGED},
	{&off, 0, 1e9, INFINITY, DMS_STATE_UNCHANGED},
};

START_TEST(a_difference_counts_beyond_both_thresholds)
{
	const struct dms_metric_change *change;

	add_value(&bench->base[0], singles[_i].metric, singles[_i].base);
	add_value(&bench->head[0], singles[_i].metric, singles[_i].head);
	change = only_metric(bench);
	ck_assert_int_eq(change->state, singles[_i].state);
	if (isinf(singles[_i].change))
		ck_assert(isinf(change->change) && change->change > 0);
	else
		ck_assert_double_eq_tol(change->change, singles[_i].change, 1e-9);
	ck_assert_int_eq(change->fails, singles[_i].state == DMS_STATE_WORSE);
	ck_assert_ptr_null(change->reason);
	ck_assert_double_nan(change->p);
	ck_assert_double_nan(change->p_holm);
	ck_assert_double_nan(change->effect);
	ck_assert_int_eq(bench->result->verdict == DMS_VERDICT_FAIL, change->fails);
	if (change->fails)
		ck_assert_int_eq(strncmp(bench->result->reasons[0], "1 metric is worse: ", 19), 0);
}
END_TEST

START_TEST(metrics_fail_only_if_asked_to)
{
	add_value(&bench->base[0], &less, 1000);
	add_value(&bench->head[0], &less, 2000);
	bench->options.metrics_fail = false;
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_WORSE);
	ck_assert(!bench->result->metrics[0].fails);
	ck_assert_int_eq(bench->result->verdict, DMS_VERDICT_PASS);
	bench->options.metrics_fail = true;
	bench->options.never_fails = true;
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_WORSE);
	ck_assert_int_eq(bench->result->verdict, DMS_VERDICT_PASS);
}
END_TEST

START_TEST(too_few_samples_are_not_judged)
{
	struct dms_measurement *base = add_value(&bench->base[0], &less, 1000);
	struct dms_measurement *head = add_value(&bench->head[0], &less, 2000);

	base->samples = 50;
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_WORSE);
	base->samples = 49;
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_NOT_JUDGED);
	ck_assert_str_eq(bench->result->metrics[0].reason,
			 "too few samples: 49 in base, 50 needed");
	base->samples = 1000;
	head->samples = 3;
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_NOT_JUDGED);
	ck_assert_str_eq(bench->result->metrics[0].reason, "too few samples: 3 in head, 50 needed");
	ck_assert_int_eq(bench->result->verdict, DMS_VERDICT_PASS);
	bench->n_head = 2; /* two runs with 25 each are enough, with 24 they are not */
	head->samples = 25;
	add_value(&bench->head[1], &less, 2000)->samples = 25;
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_WORSE);
	bench->head[1].measurements[0].samples = 24;
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_NOT_JUDGED);
}
END_TEST

START_TEST(what_one_side_has_is_not_judged)
{
	add_value(&bench->base[0], &less, 1000);
	add_value(&bench->head[0], &less, 1000)->subject = "another";
	compare(bench);
	ck_assert_uint_eq(bench->result->n_metrics, 2);
	ck_assert_str_eq(bench->result->metrics[0].subject, "another");
	ck_assert_int_eq(bench->result->metrics[0].state, DMS_STATE_NOT_JUDGED);
	ck_assert_str_eq(bench->result->metrics[0].reason, "base has no value");
	ck_assert_double_nan(bench->result->metrics[0].base);
	ck_assert_int_eq(bench->result->metrics[1].state, DMS_STATE_NOT_JUDGED);
	ck_assert_str_eq(bench->result->metrics[1].reason, "head has no value");
	bench->head[0].measurements[0] = bench->base[0].measurements[0];
	bench->head[0].measurements[0].value = NAN;
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_NOT_JUDGED);
	ck_assert_str_eq(bench->result->metrics[0].reason, "head has no value");
	bench->base[0].measurements[0].value = NAN;
	ck_assert_str_eq(only_metric(bench)->reason, "there is no value");
}
END_TEST

/* ---- losses ---------------------------------------------------------------------------------- */

START_TEST(what_losses_bias_is_not_judged)
{
	add_value(&bench->base[0], &less, 1000);
	add_value(&bench->head[0], &less, 2000);
	bench->head[0].baseline.lost_events = 1;
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_NOT_JUDGED);
	ck_assert_has(bench->result->metrics[0].reason, "events are missing in head.db");
	ck_assert_int_eq(bench->result->verdict, DMS_VERDICT_LOSSY);
	bench->options.allow_lossy = true;
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_WORSE);
	bench->options.allow_lossy = false;
	bench->head[0].baseline.lost_events = 0;
	bench->base[0].baseline.gaps = 1;
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_NOT_JUDGED);
	ck_assert_has(bench->result->metrics[0].reason, "events are missing in base.db");
	ck_assert_int_eq(bench->result->verdict, DMS_VERDICT_PASS);
	bench->base[0].baseline.gaps = 0;
	bench->head[0].baseline.is_complete = false;
	ck_assert_str_eq(only_metric(bench)->reason, "head.db is not complete");
}
END_TEST

START_TEST(a_median_survives_losses)
{
	add_value(&bench->base[0], &robust, 1000)->scope = DMS_SCOPE_SITE;
	add_value(&bench->head[0], &robust, 2000)->scope = DMS_SCOPE_SITE;
	bench->head[0].baseline.lost_events = 1;
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_WORSE);
}
END_TEST

START_TEST(a_median_of_several_call_sites_needs_several_runs)
{
	for (size_t i = 0; i < 4; i++) {
		add_value(&bench->base[i], &robust, 1000 + (double)i);
		add_value(&bench->head[i], &robust, 2000 + (double)i);
	}
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_NOISY);
	ck_assert_has(bench->result->metrics[0].reason, "several call sites");
	bench->n_head = 4;
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_NOISY);
	bench->n_base = 4;
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_WORSE);
	bench->n_base = bench->n_head = 1;
	bench->head[0].measurements[0].value = 1400;
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_UNCHANGED);
}
END_TEST

/* ---- several runs ---------------------------------------------------------------------------- */

static void add_values(struct bench_run *runs, size_t n, const double *values)
{
	for (size_t i = 0; i < n; i++)
		add_value(&runs[i], &less, values[i]);
}

static const struct {
	size_t n_base, n_head;
	double base[6], head[6], p, effect;
	enum dms_state state;
	const char *reason;
} several[] = {
	/* one test of 4 against 4 can be significant: 2 / C(8, 4) */
	{4,
	 4,
	 {1000, 1010, 1020, 990},
	 {2000, 2010, 2020, 1990},
	 2.0 / 70,
	 1,
	 DMS_STATE_WORSE,
	 NULL},
	{4,
	 4,
	 {2000, 2010, 2020, 1990},
	 {900, 910, 920, 990},
	 2.0 / 70,
	 -1,
	 DMS_STATE_BETTER,
	 NULL},
	/* significant, but the medians differ by less than the threshold */
	{4,
	 4,
	 {1000, 1010, 1020, 990},
	 {1100, 1110, 1120, 1190},
	 2.0 / 70,
	 1,
	 DMS_STATE_UNCHANGED,
	 NULL},
	/* beyond, but one run of head is as base: 2 * (1 + 1 + 2) / 70 */
	{4,
	 4,
	 {1000, 1010, 1020, 990},
	 {2000, 2010, 2020, 1005},
	 8.0 / 70,
	 0.75,
	 DMS_STATE_NOISY,
	 "4 against 4 runs: p = 0.114"},
	/* 3 against 3 never are: 2 / C(6, 3) = 0.1 */
	{3,
	 3,
	 {1000, 1010, 1020},
	 {2000, 2010, 2020},
	 0.1,
	 1,
	 DMS_STATE_WORSE,
	 "3 against 3 runs are too few for a test: all of head are beyond all of base"},
	{3,
	 3,
	 {1000, 1010, 2005},
	 {2000, 2010, 2020},
	 0.2,
	 7.0 / 9,
	 DMS_STATE_NOISY,
	 "3 against 3 runs are too few for a test: those of base and head overlap"},
	{2,
	 1,
	 {1000, 1010},
	 {2000},
	 NAN,
	 NAN,
	 DMS_STATE_WORSE,
	 "2 against 1 runs are too few for a test: all of head are beyond all of base"},
	{2,
	 1,
	 {1000, 2500},
	 {3000},
	 NAN,
	 NAN,
	 DMS_STATE_WORSE,
	 "2 against 1 runs are too few for a test: all of head are beyond all of base"},
	{3,
	 1,
	 {1000, 1010, 3500},
	 {3000},
	 NAN,
	 NAN,
	 DMS_STATE_NOISY,
	 "3 against 1 runs are too few for a test: those of base and head overlap"},
};

START_TEST(several_runs_must_differ_by_more_than_chance)
{
	const struct dms_metric_change *change;

	bench->n_base = several[_i].n_base;
	bench->n_head = several[_i].n_head;
	add_values(bench->base, bench->n_base, several[_i].base);
	add_values(bench->head, bench->n_head, several[_i].head);
	change = only_metric(bench);
	ck_assert_int_eq(change->state, several[_i].state);
	ck_assert_uint_eq(change->n_base, several[_i].n_base);
	ck_assert_uint_eq(change->n_head, several[_i].n_head);
	if (several[_i].reason)
		ck_assert_str_eq(change->reason, several[_i].reason);
	else
		ck_assert_ptr_null(change->reason);
	if (isnan(several[_i].p)) {
		ck_assert_double_nan(change->p);
		return;
	}
	ck_assert_double_eq_tol(change->p, several[_i].p, 1e-12);
	ck_assert_double_eq_tol(change->p_holm, several[_i].p, 1e-12);
	ck_assert_double_eq_tol(change->effect, several[_i].effect, 1e-12);
}
END_TEST

/* With two figures tested, 4 against 4 are too few; with 5 against 5 four can be told, 0.0079 * 6
 */
START_TEST(many_tests_need_more_runs)
{
	static const char *const subjects[] = {"a", "b", "c", "d", "e", "f", "g"};
	static const size_t n_runs[][2] = {{4, 1}, {5, 6}}; /* runs, tests that are enough for */

	for (size_t k = 0; k < 2; k++) {
		for (size_t n = n_runs[k][1]; n <= n_runs[k][1] + 1; n++) {
			bench_clear(bench);
			bench_init(bench);
			bench->n_base = bench->n_head = n_runs[k][0];
			for (size_t i = 0; i < n * n_runs[k][0]; i++) {
				add_value(&bench->base[i / n], &less, 1000)->subject =
					subjects[i % n];
				add_value(&bench->head[i / n], &less, 2000)->subject =
					subjects[i % n];
			}
			compare(bench);
			ck_assert_uint_eq(bench->result->n_metrics, n);
			ck_assert_int_eq(bench->result->metrics[0].state, DMS_STATE_WORSE);
			ck_assert_int_eq(bench->result->metrics[0].reason != NULL,
					 n > n_runs[k][1]);
			if (n > n_runs[k][1])
				ck_assert_has(bench->result->metrics[0].reason,
					      n == 2 ? " among 2 figures: all"
						     : " among 7 figures: all");
			ck_assert_double_eq_tol(bench->result->metrics[0].p_holm,
						bench->result->metrics[0].p * (double)n, 1e-12);
		}
	}
}
END_TEST

START_TEST(a_figure_of_one_run_of_several_is_not_judged)
{
	bench->n_base = bench->n_head = 2;
	add_value(&bench->base[0], &less, 1000);
	add_value(&bench->base[1], &less, 1000);
	add_value(&bench->head[1], &less, 9000);
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_NOT_JUDGED);
	ck_assert_str_eq(bench->result->metrics[0].reason, "only 1 of 2 runs of head has a value");
}
END_TEST

START_TEST(medians_and_least_samples_are_told)
{
	bench->n_base = 2;
	add_value(&bench->base[0], &less, 1000)->samples = 70;
	add_value(&bench->base[1], &less, 2000)->samples = 60;
	add_value(&bench->head[0], &less, 1500)->samples = 80;
	ck_assert_double_eq(only_metric(bench)->base, 1500);
	ck_assert_double_eq(bench->result->metrics[0].head, 1500);
	ck_assert_uint_eq(bench->result->metrics[0].samples_base, 60);
	ck_assert_uint_eq(bench->result->metrics[0].samples_head, 80);
}
END_TEST

/* ---- order ----------------------------------------------------------------------------------- */

START_TEST(what_fails_comes_first_and_then_what_changed_most)
{
	static const struct {
		const char *subject;
		double head;
		enum dms_state state;
	} rows[] = {
		{"c", 3000, DMS_STATE_WORSE},	  {"a", 2000, DMS_STATE_WORSE},
		{"b", 1200, DMS_STATE_UNCHANGED}, {"d", 1100, DMS_STATE_UNCHANGED},
		{"e", 1100, DMS_STATE_UNCHANGED}, {"f", 100, DMS_STATE_BETTER},
	};

	for (size_t i = DMS_ARRAY_SIZE(rows); i--;) {
		add_value(&bench->base[0], &less, 1000)->subject = rows[i].subject;
		add_value(&bench->head[0], &less, rows[i].head)->subject = rows[i].subject;
	}
	compare(bench);
	ck_assert_uint_eq(bench->result->n_metrics, DMS_ARRAY_SIZE(rows));
	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		ck_assert_str_eq(bench->result->metrics[i].subject, rows[i].subject);
		ck_assert_int_eq(bench->result->metrics[i].state, rows[i].state);
	}
}
END_TEST

/* ---- a configuration ------------------------------------------------------------------------- */

START_TEST(a_configuration_has_the_last_word)
{
	const struct dms_metric *metric = dms_metric_find("lifetime_p50");
	struct dms_config *config = dms_config_create();

	ck_assert_ptr_nonnull(metric);
	ck_assert_ptr_nonnull(config);
	bench->options.config = config;
	add_value(&bench->base[0], metric, 1000)->scope = DMS_SCOPE_SITE;
	add_value(&bench->head[0], metric, 1200)->scope = DMS_SCOPE_SITE;
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_UNCHANGED);
	ck_assert_ptr_null(dms_config_set_threshold(config, "lifetime_p50=0.1,100,10"));
	ck_assert_int_eq(only_metric(bench)->state, DMS_STATE_WORSE);
	ck_assert_double_eq(bench->result->metrics[0].threshold.relative, 0.1);
	dms_config_destroy(config);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compare_metrics");
	TCase *tests = tcase_create("metrics");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, a_difference_counts_beyond_both_thresholds, 0,
			    (int)DMS_ARRAY_SIZE(singles));
	tcase_add_test(tests, metrics_fail_only_if_asked_to);
	tcase_add_test(tests, too_few_samples_are_not_judged);
	tcase_add_test(tests, what_one_side_has_is_not_judged);
	tcase_add_test(tests, what_losses_bias_is_not_judged);
	tcase_add_test(tests, a_median_survives_losses);
	tcase_add_test(tests, a_median_of_several_call_sites_needs_several_runs);
	tcase_add_loop_test(tests, several_runs_must_differ_by_more_than_chance, 0,
			    (int)DMS_ARRAY_SIZE(several));
	tcase_add_test(tests, many_tests_need_more_runs);
	tcase_add_test(tests, a_figure_of_one_run_of_several_is_not_judged);
	tcase_add_test(tests, medians_and_least_samples_are_told);
	tcase_add_test(tests, what_fails_comes_first_and_then_what_changed_most);
	tcase_add_test(tests, a_configuration_has_the_last_word);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/diff/significance.c: p values against published tables, scipy and counted by hand.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include <dmascope/diff.h>

#define MAX_VALUES 64

/* ---- published critical values --------------------------------------------------------------- */

/* Two samples without ties, of which the first has U = @u. */
static void make_samples(size_t n_x, size_t n_y, size_t u, double *x, double *y)
{
	for (size_t i = 0; i < n_y; i++)
		y[i] = (double)(2 * i + 1);
	for (size_t i = 0; i < n_x; i++) {
		size_t beats = u > n_y ? n_y : u;

		x[i] = (double)(2 * beats) + (double)i / 100;
		u -= beats;
	}
}

static double p_of(size_t n_x, size_t n_y, size_t u)
{
	double x[MAX_VALUES], y[MAX_VALUES], ret_u, p;

	make_samples(n_x, n_y, u, x, y);
	p = dms_mann_whitney(x, n_x, y, n_y, &ret_u);
	ck_assert_double_eq(ret_u, (double)u);
	return p;
}

/*
 * Critical values of U, two-sided, as printed in tables since Mann & Whitney (1947) and Auble
 * (1953), for instance in Siegel, Nonparametric Statistics (1956), table K: significant is U or
 * less.
 */
static const struct {
	size_t n_x, n_y;
	int at_5, at_1; /* percent; -1: never */
} tables[] = {
	{2, 7, -1, -1},	    {2, 8, 0, -1},    {3, 4, -1, -1},	{3, 5, 0, -1},	  {4, 4, 0, -1},
	{4, 6, 2, 0},	    {5, 5, 2, 0},     {5, 8, 6, 2},	{6, 6, 5, 2},	  {7, 7, 8, 4},
	{8, 8, 13, 7},	    {9, 9, 17, 11},   {10, 10, 23, 16}, {12, 12, 37, 27}, {15, 15, 64, 51},
	{20, 20, 127, 105}, {10, 20, 55, 42}, {5, 20, 20, 13},
};

static void check_critical(size_t n_x, size_t n_y, int critical, double alpha)
{
	if (critical >= 0) {
		ck_assert_double_le(p_of(n_x, n_y, (size_t)critical), alpha);
		ck_assert_double_le(p_of(n_y, n_x, (size_t)critical), alpha);
		ck_assert_double_le(p_of(n_x, n_y, n_x * n_y - (size_t)critical), alpha);
	}
	ck_assert_double_gt(p_of(n_x, n_y, (size_t)(critical + 1)), alpha);
}

START_TEST(critical_values_are_those_of_the_tables)
{
	check_critical(tables[_i].n_x, tables[_i].n_y, tables[_i].at_5, 0.05);
	check_critical(tables[_i].n_x, tables[_i].n_y, tables[_i].at_1, 0.01);
}
END_TEST

/* ---- figures of scipy ------------------------------------------------------------------------ */

/*
 * scipy 1.10.1 (python3-scipy of Debian 12). Without ties:
 *   scipy.stats.mannwhitneyu(x, y, method='exact')
 * with ties, where that is not exact, the permutation test of the rank sum (x first):
 *   scipy.stats.permutation_test((x, y), lambda a, b:
 *     rankdata(numpy.concatenate([a, b]))[:len(a)].sum(), n_resamples=numpy.inf)
 * which is twice the smaller tail, as R's wilcox.test() takes it.
 */
static const struct {
	size_t n_x, n_y;
	double x[10], y[10];
	double u, p;
} exacts[] = {
	/* of scipy's own documentation: time of diagnosis of men and women */
	{5, 4, {19, 22, 16, 29, 24}, {20, 11, 17, 12}, 17, 0.1111111111111111},
	{5, 5, {1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}, 0, 0.007936507936507936},
	{2, 2, {1, 2}, {3, 4}, 0, 0.3333333333333333},
	{3, 3, {4, 5, 6}, {1, 2, 3}, 9, 0.1},
	/* Hollander & Wolfe (1973), 69f, the example of R's ?wilcox.test: 0.1272 for one side */
	{10,
	 5,
	 {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46},
	 {1.15, 0.88, 0.90, 0.74, 1.21},
	 35,
	 0.2544122544122544},
	/* with ties */
	{4, 5, {1, 2, 2, 3}, {2, 3, 4, 4, 5}, 2.5, 0.1111111111111111},
	{4, 5, {1, 1, 1, 2}, {1, 2, 2, 2, 2}, 4.5, 0.3333333333333333},
	{3, 4, {3, 3, 3}, {3, 3, 3, 3}, 6, 1},
	{6, 6, {1, 1, 2, 2, 3, 3}, {2, 2, 3, 3, 4, 4}, 8, 0.14935064935064934},
	{4, 5, {10, 10, 10, 10}, {10, 10, 10, 11, 11}, 6, 0.5555555555555556},
	{3, 6, {5, 5, 1}, {5, 7, 7, 7, 9, 9}, 1, 0.07142857142857142},
};

START_TEST(exact_p_is_that_of_scipy)
{
	size_t n_x = exacts[_i].n_x, n_y = exacts[_i].n_y;
	double u;

	ck_assert_double_eq_tol(dms_mann_whitney(exacts[_i].x, n_x, exacts[_i].y, n_y, &u),
				exacts[_i].p, 1e-12);
	ck_assert_double_eq_tol(u, exacts[_i].u, 1e-12);
	ck_assert_double_eq_tol(dms_mann_whitney(exacts[_i].y, n_y, exacts[_i].x, n_x, &u),
				exacts[_i].p, 1e-12);
	ck_assert_double_eq_tol(u, (double)(n_x * n_y) - exacts[_i].u, 1e-12);
}
END_TEST

/* x = arange(20) * 2.0 + 0.5 * (arange(20) % 3), y = arange(20) * 2.0 + 5.25: the most that is
 * exact */
START_TEST(forty_values_are_still_exact)
{
	double x[20], y[20], u;

	for (int i = 0; i < 20; i++) {
		x[i] = i * 2.0 + 0.5 * (i % 3);
		y[i] = i * 2.0 + 5.25;
	}
	ck_assert_double_eq_tol(dms_mann_whitney(x, 20, y, 20, &u), 0.21096432724812078, 1e-12);
	ck_assert_double_eq(u, 153);
}
END_TEST

/* mannwhitneyu(x, y, method='asymptotic'), whose defaults correct for ties and continuity */
START_TEST(many_values_are_approximated_as_scipy_does)
{
	double x[30], y[30], u;

	for (int i = 0; i < 30; i++) {
		x[i] = i;
		y[i] = i + 10.5;
	}
	ck_assert_double_eq_tol(dms_mann_whitney(x, 30, y, 30, &u), 0.00012477053789099933, 1e-15);
	ck_assert_double_eq(u, 190);
	for (int i = 0; i < 30; i++) {
		x[i] = i * 7 % 31;
		y[i] = i * 5 % 29 + 6;
	}
	ck_assert_double_eq_tol(dms_mann_whitney(x, 30, y, 25, &u), 0.061697273958191155, 1e-12);
	ck_assert_double_eq(u, 264);
}
END_TEST

START_TEST(equal_values_prove_nothing)
{
	double values[MAX_VALUES] = {0}, u;

	ck_assert_double_eq(dms_mann_whitney(values, 20, values, 20, &u), 1);
	ck_assert_double_eq(dms_mann_whitney(values, 30, values, 30, &u), 1);
	ck_assert_double_eq(u, 450);
}
END_TEST

START_TEST(an_empty_side_is_not_tested)
{
	double value = 1, u = 7;

	ck_assert_double_nan(dms_mann_whitney(&value, 1, &value, 0, &u));
	ck_assert_double_nan(u);
	ck_assert_double_nan(dms_mann_whitney(&value, 0, &value, 1, &u));
	ck_assert_double_eq(dms_mann_whitney(&value, 1, &value, 1, &u), 1);
}
END_TEST

/* ---- Holm ------------------------------------------------------------------------------------ */

/* Holm (1979): 4 * 0.005, 3 * 0.01, 2 * 0.03, and 1 * 0.04 raised to the one before. */
START_TEST(holm_steps_down_and_never_back)
{
	double p[] = {0.01, NAN, 0.04, 0.03, 0.005};

	ck_assert(dms_holm(p, 5));
	ck_assert_double_eq_tol(p[0], 0.03, 1e-15);
	ck_assert_double_nan(p[1]);
	ck_assert_double_eq_tol(p[2], 0.06, 1e-15);
	ck_assert_double_eq_tol(p[3], 0.06, 1e-15);
	ck_assert_double_eq_tol(p[4], 0.02, 1e-15);
}
END_TEST

START_TEST(holm_ends_at_one_and_takes_nothing)
{
	double p[] = {0.9, 0.5, 0.5};

	ck_assert(dms_holm(p, 3));
	for (size_t i = 0; i < 3; i++)
		ck_assert_double_eq(p[i], 1);
	ck_assert(dms_holm(NULL, 0));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("significance");
	TCase *tests = tcase_create("tests");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_loop_test(tests, critical_values_are_those_of_the_tables, 0,
			    (int)DMS_ARRAY_SIZE(tables));
	tcase_add_loop_test(tests, exact_p_is_that_of_scipy, 0, (int)DMS_ARRAY_SIZE(exacts));
	tcase_add_test(tests, forty_values_are_still_exact);
	tcase_add_test(tests, many_values_are_approximated_as_scipy_does);
	tcase_add_test(tests, equal_values_prove_nothing);
	tcase_add_test(tests, an_empty_side_is_not_tested);
	tcase_add_test(tests, holm_steps_down_and_never_back);
	tcase_add_test(tests, holm_ends_at_one_and_takes_nothing);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

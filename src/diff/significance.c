// SPDX-License-Identifier: LGPL-2.1-only
/* Are runs of one side really greater than those of the other: Mann-Whitney's U test, and Holm. */
#include <math.h>
#include <stdlib.h>

#include <dmascope/diff.h>

/* Two samples, seen as one. */
struct pooled {
	const double *x, *y;
	size_t n_x, n_y;
};

static double value_at(const struct pooled *pooled, size_t i)
{
	return i < pooled->n_x ? pooled->x[i] : pooled->y[i - pooled->n_x];
}

/* Twice the mid-rank of value @i, which makes it a whole number; *@ret_equal: how many share it. */
static size_t doubled_rank(const struct pooled *pooled, size_t i, size_t *ret_equal)
{
	double value = value_at(pooled, i);
	size_t n_less = 0, n_equal = 0;

	for (size_t j = 0; j < pooled->n_x + pooled->n_y; j++) {
		n_less += value_at(pooled, j) < value;
		n_equal += value_at(pooled, j) == value;
	}
	*ret_equal = n_equal;
	return 2 * n_less + n_equal + 1;
}

/*
 * The permutation distribution: in how many ways can @n_small of all values have each sum of ranks?
 * One value after the other is taken or left, which costs n * n_small * sums and not C(n, n_small).
 * C(40, 20) is below 2^53: every count is exact. NAN: memory.
 */
static double exact_p(const struct pooled *pooled, size_t n_small, size_t rank_sum)
{
	size_t n = pooled->n_x + pooled->n_y, width = n * (n + 1) + 1, equal;
	_cleanup_(dms_freep) double *ways = dms_zalloc((n_small + 1) * width * sizeof(*ways));
	double n_below = 0, n_above = 0, n_all = 0;
	const double *ends;

	if (!ways)
		return NAN;
	ways[0] = 1;
	for (size_t i = 0; i < n; i++) {
		size_t rank = doubled_rank(pooled, i, &equal);

		for (size_t taken = i + 1 < n_small ? i + 1 : n_small; taken; taken--) {
			const double *from = ways + (taken - 1) * width;
			double *to = ways + taken * width;

			for (size_t sum = rank; sum < width; sum++)
				to[sum] += from[sum - rank];
		}
	}
	ends = ways + n_small * width;
	for (size_t sum = 0; sum < width; sum++) {
		n_all += ends[sum];
		n_below += sum <= rank_sum ? ends[sum] : 0;
		n_above += sum >= rank_sum ? ends[sum] : 0;
	}
	return fmin(1, 2 * fmin(n_below, n_above) / n_all);
}

/* @u: of either side; the distribution is symmetric about its mean. @ties: sum of t^3 - t. */
static double normal_p(double u, double n_x, double n_y, double ties)
{
	double n = n_x + n_y;
	double variance = n_x * n_y / 12 * (n + 1 - ties / (n * (n - 1)));
	double distance = fabs(u - n_x * n_y / 2) - 0.5;

	if (!(variance > 0))
		return 1; /* all values are equal */
	return fmin(1, erfc(distance / sqrt(2 * variance)));
}

double dms_mann_whitney(const double *x, size_t n_x, const double *y, size_t n_y, double *ret_u)
{
	const struct pooled pooled = {x, y, n_x, n_y};
	size_t sums[2] = {0, 0}, equal;
	double ties = 0;

	*ret_u = NAN;
	if (!n_x || !n_y)
		return NAN;
	for (size_t i = 0; i < n_x + n_y; i++) {
		sums[i >= n_x] += doubled_rank(&pooled, i, &equal);
		ties += (double)equal * (double)equal - 1; /* t values of a tie: t^3 - t in all */
	}
	*ret_u = (double)(sums[0] - n_x * (n_x + 1)) / 2;
	if (n_x + n_y > DMS_EXACT_RUNS)
		return normal_p(*ret_u, (double)n_x, (double)n_y, ties);
	return n_x <= n_y ? exact_p(&pooled, n_x, sums[0]) : exact_p(&pooled, n_y, sums[1]);
}

static int compare_p(const void *a, const void *b)
{
	double x = **(double *const *)a, y = **(double *const *)b;

	return (x > y) - (x < y);
}

bool dms_holm(double *p, size_t n)
{
	_cleanup_(dms_freep) double **sorted = dms_alloc((n ? n : 1) * sizeof(*sorted));
	size_t n_tests = 0;
	double least = 0;

	if (!sorted)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!isnan(p[i]))
			sorted[n_tests++] = &p[i];
	}
	qsort(sorted, n_tests, sizeof(*sorted), compare_p);
	for (size_t i = 0; i < n_tests; i++) {
		least = fmax(least, fmin(1, *sorted[i] * (double)(n_tests - i)));
		*sorted[i] = least;
	}
	return true;
}

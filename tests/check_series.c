// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/stats/series.c: buckets that grow with the trace, and what is in them. */
#include <check.h>
#include <stdlib.h>

#include <dmascope/series.h>

static const struct dms_device device = {.index = 2};

static void feed(struct dms_series *series, enum dms_step_kind kind, uint64_t ts, uint64_t size)
{
	struct dms_mapping mapping = {
		.size = size, .device = 2, .kind = DMS_MAPPING_PAGE, .dir = DMS_DIR_TO_DEVICE};
	struct dms_step step = {.kind = kind, .device = &device, .mapping = &mapping, .ts = ts};

	step.end = kind == DMS_STEP_ENDED ? DMS_END_LIVE : DMS_END_UNMAPPED;
	ck_assert_ptr_null(dms_series_step(series, &step));
}

static uint64_t sum(const struct dms_series *series, enum dms_measure measure)
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < dms_series_count(series); i++)
		all += dms_series_value(series, 2, measure, i);
	return all;
}

START_TEST(figures_land_in_their_bucket)
{
	struct dms_series *series = dms_series_create();
	uint64_t length = dms_series_bucket_ns(series);

	feed(series, DMS_STEP_MAP, 10 * length + 5, 100);
	feed(series, DMS_STEP_MAP, 10 * length + 6, 50);
	feed(series, DMS_STEP_UNMAP, 13 * length, 100);
	feed(series, DMS_STEP_SYNC, 15 * length, 50);
	ck_assert_uint_eq(dms_series_start(series), 10 * length);
	ck_assert_uint_eq(dms_series_count(series), 6);
	ck_assert_uint_eq(dms_series_value(series, 2, DMS_MEASURE_MAPS, 0), 2);
	ck_assert_uint_eq(dms_series_value(series, 2, DMS_MEASURE_BYTES_TO_DEVICE, 0), 150);
	ck_assert_uint_eq(dms_series_value(series, 2, DMS_MEASURE_UNMAPS, 3), 1);
	/* a level holds until it changes, and a bucket shows the most of it */
	ck_assert_uint_eq(dms_series_value(series, 2, DMS_MEASURE_LIVE, 2), 2);
	ck_assert_uint_eq(dms_series_value(series, 2, DMS_MEASURE_LIVE, 3), 2);
	ck_assert_uint_eq(dms_series_value(series, 2, DMS_MEASURE_LIVE, 4), 1);
	ck_assert_uint_eq(dms_series_value(series, 2, DMS_MEASURE_LIVE_BYTES, 5), 50);
	ck_assert_uint_eq(dms_series_value(series, 1, DMS_MEASURE_MAPS, 0), 0);
	dms_series_destroy(series);
}
END_TEST

START_TEST(a_longer_trace_has_longer_buckets_and_the_same_sums)
{
	/* from an odd bucket on, so that pairs are split */
	uint64_t starts[] = {0, 7ull << DMS_SERIES_MIN_SHIFT, 123456789012345};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(starts); i++) {
		struct dms_series *series = dms_series_create();
		uint64_t n = 0, last = 0;

		for (uint64_t ts = 0; ts < 36000ull * 1000000000; ts = ts * 9 / 8 + 1000, n++) {
			feed(series, DMS_STEP_MAP, starts[i] + ts, 10);
			last = starts[i] + ts;
		}
		ck_assert_uint_eq(sum(series, DMS_MEASURE_MAPS), n);
		ck_assert_uint_eq(sum(series, DMS_MEASURE_BYTES_TO_DEVICE), 10 * n);
		ck_assert_uint_gt(dms_series_count(series), DMS_SERIES_BUCKETS / 2 - 2);
		ck_assert_uint_le(dms_series_count(series), DMS_SERIES_BUCKETS);
		ck_assert_uint_le(dms_series_start(series), starts[i]);
		ck_assert_uint_lt(last, dms_series_start(series) + dms_series_count(series) *
								     dms_series_bucket_ns(series));
		/* nothing ends: the level only rises, up to all */
		for (uint32_t j = 1; j < dms_series_count(series); j++)
			ck_assert_uint_ge(dms_series_value(series, 2, DMS_MEASURE_LIVE, j),
					  dms_series_value(series, 2, DMS_MEASURE_LIVE, j - 1));
		ck_assert_uint_eq(dms_series_value(series, 2, DMS_MEASURE_LIVE,
						   dms_series_count(series) - 1), n);
		dms_series_destroy(series);
	}
}
END_TEST

START_TEST(what_lives_at_the_end_is_live_in_the_last_bucket)
{
	struct dms_series *series = dms_series_create();

	feed(series, DMS_STEP_MAP, 1000, 10);
	feed(series, DMS_STEP_ENDED, 50000000, 10);
	ck_assert_uint_eq(dms_series_value(series, 2, DMS_MEASURE_LIVE,
					   dms_series_count(series) - 1), 1);
	ck_assert_uint_eq(sum(series, DMS_MEASURE_UNMAPS), 0);
	dms_series_destroy(series);
}
END_TEST

START_TEST(a_step_told_late_counts_where_it_happened)
{
	struct dms_series *series = dms_series_create();
	uint64_t length = dms_series_bucket_ns(series);

	feed(series, DMS_STEP_MAP, 4 * length, 10);
	feed(series, DMS_STEP_SYNC, 9 * length, 10);
	feed(series, DMS_STEP_UNMAP_UNMATCHED, 5 * length, 10);
	feed(series, DMS_STEP_UNMAP_UNMATCHED, 0, 10);
	ck_assert_uint_eq(dms_series_value(series, 2, DMS_MEASURE_UNMAPS, 1), 1);
	ck_assert_uint_eq(dms_series_value(series, 2, DMS_MEASURE_UNMAPS, 0), 1);
	dms_series_destroy(series);
}
END_TEST

START_TEST(every_measure_has_name_and_unit)
{
	for (int i = 0; i < DMS_N_MEASURES; i++) {
		ck_assert_ptr_nonnull(dms_measure_name((enum dms_measure)i));
		ck_assert_ptr_nonnull(dms_measure_unit((enum dms_measure)i));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("series");
	TCase *tests = tcase_create("buckets");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_test(tests, figures_land_in_their_bucket);
	tcase_add_test(tests, a_longer_trace_has_longer_buckets_and_the_same_sums);
	tcase_add_test(tests, what_lives_at_the_end_is_live_in_the_last_bucket);
	tcase_add_test(tests, a_step_told_late_counts_where_it_happened);
	tcase_add_test(tests, every_measure_has_name_and_unit);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

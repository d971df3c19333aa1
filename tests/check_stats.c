// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/stats: the histogram's error, and what each kind of step counts. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/statsbench.h"

/* ---- histogram ----------------------------------------------------------------------------- */

START_TEST(bounds_tile_all_values)
{
	uint64_t low, high, next = 0;

	for (uint32_t i = 0; i < DMS_HISTOGRAM_BUCKETS; i++) {
		dms_histogram_bounds(i, &low, &high);
		ck_assert_msg(low == next, "bucket %u begins at %" PRIu64, i, low);
		ck_assert_uint_ge(high, low);
		ck_assert_uint_le(high - low, low / 32);
		next = high + 1;
	}
	ck_assert_uint_eq(high, UINT64_MAX);
}
END_TEST

/* Every value falls into the bucket whose bounds hold it. */
START_TEST(values_find_their_bucket)
{
	struct dms_histogram *histogram = calloc(1, sizeof(*histogram));
	uint64_t bounds[2];

	for (uint32_t i = 0; i < DMS_HISTOGRAM_BUCKETS; i++) {
		dms_histogram_bounds(i, &bounds[0], &bounds[1]);
		dms_histogram_add(histogram, bounds[0]);
		dms_histogram_add(histogram, bounds[1]);
		ck_assert_uint_eq(histogram->buckets[i], 2);
	}
	/* and again, now that they lie between two that were added */
	for (uint32_t i = 0; i < DMS_HISTOGRAM_BUCKETS; i++) {
		dms_histogram_bounds(i, &bounds[0], &bounds[1]);
		dms_histogram_add(histogram, bounds[0]);
		dms_histogram_add(histogram, bounds[1]);
		ck_assert_uint_eq(histogram->buckets[i], 4);
	}
	ck_assert_uint_eq(histogram->count, 4 * DMS_HISTOGRAM_BUCKETS);
	ck_assert_uint_eq(histogram->min, 0);
	ck_assert_uint_eq(histogram->max, UINT64_MAX);
	ck_assert_uint_eq(histogram->sum, UINT64_MAX); /* saturated */
	free(histogram);
}
END_TEST

/* Of a value between two others, too: what is full stays full. */
START_TEST(full_stays_full)
{
	struct dms_histogram *histogram = calloc(1, sizeof(*histogram));
	uint32_t *bucket = NULL;

	dms_histogram_add(histogram, 100);
	dms_histogram_add(histogram, 1000);
	dms_histogram_add(histogram, 500);
	for (uint32_t i = 0; i < DMS_HISTOGRAM_BUCKETS; i++) {
		uint64_t low, high;

		dms_histogram_bounds(i, &low, &high);
		if (low <= 500 && high >= 500)
			bucket = &histogram->buckets[i];
	}
	ck_assert_ptr_nonnull(bucket);
	ck_assert_uint_eq(*bucket, 1);
	ck_assert_uint_eq(histogram->sum, 1600);
	*bucket = UINT32_MAX;
	histogram->sum = UINT64_MAX - 499;
	dms_histogram_add(histogram, 500);
	ck_assert_uint_eq(*bucket, UINT32_MAX);
	ck_assert_uint_eq(histogram->sum, UINT64_MAX);
	ck_assert_uint_eq(histogram->count, 4);
	ck_assert_uint_eq(histogram->min, 100);
	ck_assert_uint_eq(histogram->max, 1000);
	free(histogram);
}
END_TEST

static int compare_u64(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

static uint64_t next_random(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15ull;
	return dms_hash64(*state);
}

/* Shapes of distributions: random bits kept, and added to what. */
static const struct shape {
	const char *name;
	uint32_t n_values;
	unsigned int min_bits, max_bits; /* width of a value: drawn from this range */
	uint64_t offset;
} shapes[] = {
	{"tiny values", 1000, 1, 5, 0},	    {"lifetimes", 20000, 10, 34, 0},
	{"all widths", 20000, 1, 64, 0},    {"far from zero", 5000, 1, 8, 1000000},
	{"one value", 1, 20, 20, 0},	    {"two values", 2, 1, 40, 0},
	{"constant", 777, 0, 0, 123456789}, {"the top", 500, 1, 20, UINT64_MAX - (1u << 21)},
};

/* Each quantile against the same rank of the sorted values: never below, at most 1/32 above. */
START_TEST(quantile_error)
{
	static const unsigned int permilles[] = {0, 1, 10, 250, 333, 500, 750, 900, 990, 999, 1000};
	const struct shape *shape = &shapes[_i];
	uint64_t *values = calloc(shape->n_values, sizeof(*values));
	struct dms_histogram *histogram = calloc(1, sizeof(*histogram));
	uint64_t state = (uint64_t)_i + 1;

	for (uint32_t i = 0; i < shape->n_values; i++) {
		unsigned int bits =
			shape->min_bits + (unsigned int)(next_random(&state) %
							 (shape->max_bits - shape->min_bits + 1));

		values[i] = shape->offset + (bits ? next_random(&state) >> (64 - bits) : 0);
		dms_histogram_add(histogram, values[i]);
	}
	qsort(values, shape->n_values, sizeof(*values), compare_u64);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(permilles); i++) {
		uint64_t rank = ((uint64_t)shape->n_values * permilles[i] + 999) / 1000;
		uint64_t exact = values[rank ? rank - 1 : 0];
		uint64_t read = dms_histogram_quantile(histogram, permilles[i]);

		ck_assert_msg(read >= exact && read - exact <= exact / 32,
			      "%s: %u/1000 is %" PRIu64 ", read as %" PRIu64, shape->name,
			      permilles[i], exact, read);
	}
	ck_assert_uint_eq(dms_histogram_quantile(histogram, 1000), values[shape->n_values - 1]);
	ck_assert_uint_eq(dms_histogram_quantile(histogram, 0), values[0]);
	free(values);
	free(histogram);
}
END_TEST

START_TEST(quantile_of_nothing)
{
	struct dms_histogram *histogram = calloc(1, sizeof(*histogram));

	ck_assert_uint_eq(dms_histogram_quantile(histogram, 500), 0);
	dms_histogram_add(histogram, 9);
	ck_assert_uint_eq(dms_histogram_quantile(histogram, 2000), 9);
	/* a full bucket stays full, and the quantile answers with something that was seen */
	histogram->buckets[9] = UINT32_MAX;
	histogram->count = (uint64_t)UINT32_MAX + 5;
	dms_histogram_add(histogram, 9);
	ck_assert_uint_eq(histogram->buckets[9], UINT32_MAX);
	ck_assert_uint_eq(dms_histogram_quantile(histogram, 1000), 9);
	free(histogram);
}
END_TEST

/* ---- steps --------------------------------------------------------------------------------- */

START_TEST(names_are_distinct)
{
	for (unsigned int i = 0; i < DMS_N_DISTRIBUTIONS; i++) {
		ck_assert(dms_distribution_name(i) && dms_distribution_unit(i));
		for (unsigned int k = 0; k < i; k++)
			ck_assert_str_ne(dms_distribution_name(i), dms_distribution_name(k));
	}
	for (unsigned int i = 0; i < DMS_N_COUNTERS; i++) {
		ck_assert_msg(dms_counter_name(i) && dms_counter_unit(i), "counter %u", i);
		for (unsigned int k = 0; k < i; k++)
			ck_assert_str_ne(dms_counter_name(i), dms_counter_name(k));
	}
	/* the names of the 2012 proposal */
	ck_assert_str_eq(dms_counter_name(DMS_COUNT_MAP_ERRORS), "dma_map_errors");
	ck_assert_str_eq(dms_counter_name(DMS_COUNT_ERRORS_UNCHECKED),
			 "dma_map_errors_not_checked");
	ck_assert_str_eq(dms_counter_name(DMS_COUNT_UNMAP_ERRORS), "dma_unmap_errors");
}
END_TEST

START_TEST(maps_by_kind_and_direction)
{
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 100, 1);
	map(DMS_MAPPING_RESOURCE, DMS_DIR_FROM_DEVICE, 20, 2);
	mapping.nents = 7;
	mapping.ents = 3;
	map(DMS_MAPPING_SG, DMS_DIR_BIDIRECTIONAL, 3, 3);
	map(DMS_MAPPING_PAGE, DMS_DIR_NONE, 5000, 4);
	map(DMS_MAPPING_PAGE, DMS_DIR_UNKNOWN, 5000, 4);
	map(DMS_MAPPING_COHERENT, DMS_DIR_BIDIRECTIONAL, 4096, 5);
	map(DMS_MAPPING_PAGES, DMS_DIR_TO_DEVICE, 8192, 6);
	map(DMS_MAPPING_NONCONTIGUOUS, DMS_DIR_TO_DEVICE, 1, 7);
	EXPECT(1, {DMS_COUNT_MAPS, 5}, {DMS_COUNT_ALLOCS, 3}, {DMS_COUNT_BYTES_TO_DEVICE, 100},
	       {DMS_COUNT_BYTES_FROM_DEVICE, 20}, {DMS_COUNT_BYTES_BIDIRECTIONAL, 3},
	       {DMS_COUNT_BYTES_ALLOCATED, 12289}, {DMS_COUNT_SG_ENTRIES, 7},
	       {DMS_COUNT_SG_SEGMENTS, 3});
}
END_TEST

START_TEST(unmaps_by_call)
{
	static const enum dms_event_kind unmaps[] = {DMS_EV_UNMAP, DMS_EV_UNMAP_RESOURCE,
						     DMS_EV_UNMAP_SG};
	static const enum dms_event_kind frees[] = {DMS_EV_FREE, DMS_EV_FREE_PAGES,
						    DMS_EV_FREE_SGT};

	/* the mapping's kind is left alone: a free of a streaming mapping is still a free */
	step.end = DMS_END_UNMAPPED;
	for (size_t i = 0; i < 3; i++) {
		feed(DMS_STEP_UNMAP, unmaps[i], 10);
		feed(DMS_STEP_UNMAP, frees[i], 10);
	}
	step.end = DMS_END_PRE_TRACE;
	feed(DMS_STEP_UNMAP_UNMATCHED, DMS_EV_UNMAP, 11);
	step.end = DMS_END_UNMATCHED;
	feed(DMS_STEP_UNMAP_UNMATCHED, DMS_EV_FREE, 12);
	feed(DMS_STEP_UNMAP_UNMATCHED, DMS_EV_FREE, 12);
	feed(DMS_STEP_FREE_NULL, DMS_EV_FREE, 13);
	EXPECT(1, {DMS_COUNT_UNMAPS, 4}, {DMS_COUNT_FREES, 5}, {DMS_COUNT_PRE_TRACE, 1},
	       {DMS_COUNT_UNMAP_ERRORS, 2}, {DMS_COUNT_NULL_FREES, 1},
	       {DMS_COUNT_UNMAPS_MATCHED, 6});
}
END_TEST

START_TEST(other_calls)
{
	feed(DMS_STEP_SYNC, DMS_EV_SYNC_FOR_CPU, 1);
	feed(DMS_STEP_SYNC, DMS_EV_SYNC_SG_FOR_CPU, 2);
	feed(DMS_STEP_SYNC_UNMATCHED, DMS_EV_SYNC_FOR_DEVICE, 3);
	feed(DMS_STEP_SYNC, DMS_EV_SYNC_SG_FOR_DEVICE, 4);
	feed(DMS_STEP_SYNC, DMS_EV_SYNC_SG_FOR_DEVICE, 5);
	feed(DMS_STEP_MAP_FAILED, DMS_EV_MAP_SG_ERR, 6);
	feed(DMS_STEP_MAP_FAILED, DMS_EV_ALLOC, 7);
	event.size = 2048;
	feed(DMS_STEP_BOUNCE, DMS_EV_BOUNCE, 8);
	feed(DMS_STEP_FAULT, DMS_EV_IOMMU_FAULT, 9);
	feed(DMS_STEP_IOMMU, DMS_EV_IOMMU_MAP, 10);
	feed(DMS_STEP_DEVICE, DMS_EV_MAP, 11);
	EXPECT(1, {DMS_COUNT_SYNCS_FOR_CPU, 2}, {DMS_COUNT_SYNCS_FOR_DEVICE, 3},
	       {DMS_COUNT_MAP_ERRORS, 2}, {DMS_COUNT_BOUNCES, 1}, {DMS_COUNT_BOUNCED_BYTES, 2048},
	       {DMS_COUNT_BOUNCED_LARGEST, 2048}, {DMS_COUNT_FAULTS, 1});
}
END_TEST

/* Failed maps nobody checked, once a probe shows checks; allocations and lists have no such value. */
START_TEST(failures_not_checked)
{
	feed(DMS_STEP_MAP_FAILED, DMS_EV_MAP, 1);
	feed(DMS_STEP_MAP_FAILED, DMS_EV_MAP_RESOURCE, 2);
	feed(DMS_STEP_MAP_FAILED, DMS_EV_ALLOC, 3);
	feed(DMS_STEP_MAP_FAILED, DMS_EV_MAP_SG_RETURN, 4);
	EXPECT(1, {DMS_COUNT_MAP_ERRORS, 4});
	ck_assert(!dms_stats_knows(dms_stats_device(stats, 1), DMS_COUNT_ERRORS_UNCHECKED));
	feed(DMS_STEP_CHECK, DMS_EV_CHECK, 5); /* of a mapping */
	EXPECT(1, {DMS_COUNT_MAP_ERRORS, 4}, {DMS_COUNT_ERRORS_UNCHECKED, 2});
	ck_assert(dms_stats_knows(dms_stats_device(stats, 1), DMS_COUNT_ERRORS_UNCHECKED));
	step.mapping = NULL;
	for (unsigned int i = 0; i < 3; i++)
		feed(DMS_STEP_CHECK, DMS_EV_CHECK, 6 + i);
	EXPECT(1, {DMS_COUNT_MAP_ERRORS, 4});
	ck_assert(dms_stats_knows(dms_stats_device(stats, 1), DMS_COUNT_ERRORS_UNCHECKED));
}
END_TEST

/* A mapping that the kernel checked itself shows the probe, too. */
START_TEST(probe_seen_at_unmap)
{
	feed(DMS_STEP_MAP_FAILED, DMS_EV_MAP, 1);
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 64, 2);
	mapping.is_check_seen = true;
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 3);
	ck_assert_uint_eq(dms_stats_device(stats, 1)->counters[DMS_COUNT_ERRORS_UNCHECKED], 1);
}
END_TEST

START_TEST(messages_and_pools)
{
	static const uint8_t messages[] = {DMS_MSG_SWIOTLB_FULL, DMS_MSG_SEGMENT_LONG,
					   DMS_MSG_SEGMENT_BOUNDARY, DMS_MSG_LEAK, DMS_MSG_POOL};

	step.mapping = NULL;
	for (unsigned int i = 0; i < DMS_ARRAY_SIZE(messages); i++) {
		event.message = messages[i];
		feed(DMS_STEP_MESSAGE, DMS_EV_CONSOLE, i);
	}
	feed(DMS_STEP_NOTE, DMS_EV_POOL_CREATE, 10);
	feed(DMS_STEP_NOTE, DMS_EV_POOL_ALLOC, 11);
	feed(DMS_STEP_NOTE, DMS_EV_POOL_ALLOC, 12);
	ck_assert(!dms_stats_knows(dms_stats_device(stats, 1), DMS_COUNT_POOL_FREES));
	feed(DMS_STEP_NOTE, DMS_EV_POOL_FREE, 13);
	EXPECT(1, {DMS_COUNT_SWIOTLB_FULL, 1}, {DMS_COUNT_SEGMENT_MESSAGES, 2},
	       {DMS_COUNT_POOL_ALLOCS, 2}, {DMS_COUNT_POOL_FREES, 1});
	ck_assert(dms_stats_knows(dms_stats_device(stats, 1), DMS_COUNT_POOL_FREES));
	ck_assert(dms_stats_knows(dms_stats_device(stats, 1), DMS_COUNT_MAPS));
}
END_TEST

START_TEST(ends)
{
	for (unsigned int i = 0; i < 4; i++)
		map(DMS_MAPPING_PAGE, DMS_DIR_NONE, 100 + i, 1);
	ended(DMS_END_LOST, 100, 5);
	ended(DMS_END_ELIDED, 101, 5);
	ended(DMS_END_UNBOUND, 102, 5);
	ended(DMS_END_LIVE, 103, 9);
	EXPECT(1, {DMS_COUNT_MAPS, 4}, {DMS_COUNT_ENDED_LOST, 1}, {DMS_COUNT_ENDED_ELIDED, 1},
	       {DMS_COUNT_LIVE_AT_END, 1}, {DMS_COUNT_LIVE_BYTES_AT_END, 103});
	ck_assert_uint_eq(dms_stats_device(stats, 1)->live, 0);
	ck_assert_uint_eq(dms_stats_device(stats, 1)->live_bytes, 0);
	ck_assert_uint_eq(histogram_of(DMS_DIST_LIFETIME)->count, 0);
	/* the end of the trace is not the device's doing */
	ck_assert_uint_eq(dms_stats_device(stats, 1)->first_ts, 1);
	ck_assert_uint_eq(dms_stats_device(stats, 1)->last_ts, 1);
}
END_TEST

START_TEST(peaks_are_first_reached)
{
	const struct dms_device_stats *figures;

	map(DMS_MAPPING_PAGE, DMS_DIR_NONE, 4000, 10);
	map(DMS_MAPPING_PAGE, DMS_DIR_NONE, 1000, 20); /* both peaks */
	step.end = DMS_END_UNMAPPED;
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 30);	       /* the one of 1000 */
	map(DMS_MAPPING_PAGE, DMS_DIR_NONE, 1000, 40); /* reached again: the time stays */
	figures = dms_stats_device(stats, 1);
	ck_assert_uint_eq(figures->peak_live, 2);
	ck_assert_uint_eq(figures->peak_live_ts, 20);
	ck_assert_uint_eq(figures->peak_live_bytes, 5000);
	ck_assert_uint_eq(figures->peak_live_bytes_ts, 20);
	ended(DMS_END_LOST, 4000, 45);
	map(DMS_MAPPING_PAGE, DMS_DIR_NONE, 9000, 50); /* more bytes, not more mappings */
	figures = dms_stats_device(stats, 1);
	ck_assert_uint_eq(figures->peak_live, 2);
	ck_assert_uint_eq(figures->peak_live_ts, 20);
	ck_assert_uint_eq(figures->peak_live_bytes, 10000);
	ck_assert_uint_eq(figures->peak_live_bytes_ts, 50);
	ck_assert_uint_eq(figures->live, 2);
	ck_assert_uint_eq(figures->live_bytes, 10000);
	/* an unmatched unmap takes nothing away */
	step.end = DMS_END_PRE_TRACE;
	feed(DMS_STEP_UNMAP_UNMATCHED, DMS_EV_UNMAP, 60);
	ck_assert_uint_eq(dms_stats_device(stats, 1)->live, 2);
	/* a mapping that grew once its unmap was seen leaves 0, not a wrap */
	mapping.size = 1ull << 40;
	step.end = DMS_END_UNMAPPED;
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 70);
	ck_assert_uint_eq(dms_stats_device(stats, 1)->live_bytes, 0);
}
END_TEST

START_TEST(lifetimes)
{
	const struct dms_histogram *lifetime;

	step.end = DMS_END_UNMAPPED;
	mapping.map_ts = 1000;
	for (unsigned int kind = 0; kind < DMS_MAPPING_N_KINDS; kind++) {
		set_kind(kind);
		feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 1000 + 17 * (kind + 1)); /* 17, 34, 51 count */
	}
	lifetime = histogram_of(DMS_DIST_LIFETIME);
	ck_assert_uint_eq(lifetime->count, 3);
	ck_assert_uint_eq(lifetime->min, 17);
	ck_assert_uint_eq(lifetime->max, 51);
	ck_assert_uint_eq(lifetime->sum, 17 + 34 + 51);
	set_kind(DMS_MAPPING_PAGE);
	mapping.is_seeded = true; /* its map was not seen */
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 2000);
	ck_assert_uint_eq(lifetime->count, 3);
	mapping.is_seeded = false;
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 999); /* clocks of two CPUs disagree */
	ck_assert_uint_eq(lifetime->count, 4);
	ck_assert_uint_eq(lifetime->min, 0);
	/* the step may be told later than its event happened: the event's time counts */
	step.kind = DMS_STEP_UNMAP;
	step.ts = 99999;
	event.ts = 1060;
	count_step(&step);
	ck_assert_uint_eq(lifetime->max, 60);
}
END_TEST

START_TEST(devices_apart)
{
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 10, 5);
	step.device = &devices[2];
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 20, 3);
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 30, 4);
	step.device = NULL; /* an end that names no device: the mapping's counts */
	mapping.device = 2;
	ended(DMS_END_LIVE, 30, 9);
	ck_assert_ptr_null(dms_stats_device(stats, 0));
	ck_assert_ptr_null(dms_stats_device(stats, 3));
	ck_assert_ptr_null(dms_stats_device(stats, UINT32_MAX));
	EXPECT(1, {DMS_COUNT_MAPS, 1}, {DMS_COUNT_BYTES_TO_DEVICE, 10});
	EXPECT(2, {DMS_COUNT_MAPS, 2}, {DMS_COUNT_BYTES_TO_DEVICE, 50}, {DMS_COUNT_LIVE_AT_END, 1},
	       {DMS_COUNT_LIVE_BYTES_AT_END, 30});
	ck_assert_uint_eq(dms_stats_device(stats, 2)->first_ts, 3);
	ck_assert_uint_eq(dms_stats_device(stats, 2)->last_ts, 4);
	step.mapping = NULL;
	feed(DMS_STEP_GAP, DMS_EV_NONE, 10);
	feed(DMS_STEP_END, DMS_EV_NONE, 11);
	ck_assert_ptr_null(dms_stats_device(stats, 0));
	dms_stats_destroy(NULL);
}
END_TEST

/* What is summed up when figures are read is not added to what was read before. */
START_TEST(figures_are_read_twice)
{
	event.cpu = 3;
	for (unsigned int i = 1; i <= 3; i++) {
		map(DMS_MAPPING_SG, DMS_DIR_TO_DEVICE, 100, 10 * i);
		feed(DMS_STEP_SYNC, DMS_EV_SYNC_SG_FOR_CPU, 10 * i + 1);
		feed(DMS_STEP_UNMAP, DMS_EV_UNMAP_SG, 10 * i + 2);
		for (unsigned int reading = 0; reading < 2; reading++) {
			const uint64_t *counters = dms_stats_device(stats, 1)->counters;

			ck_assert_uint_eq(counters[DMS_COUNT_MAPS], i);
			ck_assert_uint_eq(counters[DMS_COUNT_BYTES_TO_DEVICE], 100 * i);
			ck_assert_uint_eq(counters[DMS_COUNT_SG_ENTRIES], i);
			ck_assert_uint_eq(counters[DMS_COUNT_SYNCS_FOR_CPU], i);
			ck_assert_uint_eq(counters[DMS_COUNT_UNMAPS], i);
		}
	}
}
END_TEST

static void unmap_list(uint64_t ts)
{
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP_SG, ts);
	step.device = NULL;
	step.mapping = NULL;
	feed(DMS_STEP_IOMMU, DMS_EV_IOMMU_UNMAP, ts + 7);
	step.device = &devices[1];
	step.mapping = &mapping;
}

/* Before the first event of the IOMMU nobody keeps what its events might end. */
START_TEST(latencies_begin_with_the_iommu)
{
	event.dma_addr = mapping.dma_addr = 0x10000;
	event.size = mapping.size = 4096;
	unmap_list(100);
	expect_values(DMS_DIST_UNMAP_SG_TO_IOMMU_UNMAP, 0, 0);
	unmap_list(200);
	unmap_list(300);
	expect_values(DMS_DIST_UNMAP_SG_TO_IOMMU_UNMAP, 2, 14);
}
END_TEST

static TCase *steps_case(const char *name, void (*set_up)(void))
{
	TCase *steps = tcase_create(name);

	tcase_add_checked_fixture(steps, set_up, teardown);
	tcase_add_test(steps, names_are_distinct);
	tcase_add_test(steps, maps_by_kind_and_direction);
	tcase_add_test(steps, unmaps_by_call);
	tcase_add_test(steps, other_calls);
	tcase_add_test(steps, failures_not_checked);
	tcase_add_test(steps, probe_seen_at_unmap);
	tcase_add_test(steps, messages_and_pools);
	tcase_add_test(steps, ends);
	tcase_add_test(steps, peaks_are_first_reached);
	tcase_add_test(steps, lifetimes);
	tcase_add_test(steps, devices_apart);
	tcase_add_test(steps, figures_are_read_twice);
	tcase_add_test(steps, latencies_begin_with_the_iommu);
	return steps;
}

int main(void)
{
	Suite *suite = suite_create("stats");
	TCase *histogram = tcase_create("histogram");
	SRunner *runner;
	int failed;

	tcase_add_test(histogram, bounds_tile_all_values);
	tcase_add_test(histogram, values_find_their_bucket);
	tcase_add_test(histogram, full_stays_full);
	tcase_add_loop_test(histogram, quantile_error, 0, (int)DMS_ARRAY_SIZE(shapes));
	tcase_add_test(histogram, quantile_of_nothing);
	suite_add_tcase(suite, histogram);
	suite_add_tcase(suite, steps_case("steps", setup));
	suite_add_tcase(suite, steps_case("notes of steps", setup_by_notes));
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

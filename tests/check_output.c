// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/output: records, times and losses that were written are read back. */
#include <inttypes.h>
#include <unistd.h>

#include "lib/fakesource.h"

static void check_same_record(const struct dms_record *a, const struct dms_record *b)
{
	ck_assert_uint_eq(a->ts, b->ts);
	ck_assert_uint_eq(a->cpu, b->cpu);
	ck_assert_uint_eq(a->instance, b->instance);
	ck_assert_uint_eq(a->size, b->size);
	ck_assert_mem_eq(a->data, b->data, a->size);
	ck_assert_uint_eq(!a->next, !b->next);
	ck_assert_uint_eq(a->next_size, b->next_size);
	if (a->next)
		ck_assert_mem_eq(a->next, b->next, a->next_size);
}

/* The same items of the same formats; returns how many. */
static uint64_t check_same(struct dms_source *a, struct dms_source *b)
{
	struct dms_item left, right;
	uint64_t n = 0;

	for (;; n++) {
		check_ok(dms_source_next(a, &left));
		check_ok(dms_source_next(b, &right));
		ck_assert_int_eq(left.kind, right.kind);
		if (left.kind == DMS_ITEM_END)
			return n;
		if (left.kind == DMS_ITEM_RECORD)
			check_same_record(&left.record, &right.record);
		else
			ck_assert_mem_eq(&left.gap, &right.gap, sizeof(left.gap));
	}
}

static void check_same_formats(const struct dms_source *a, const struct dms_source *b)
{
	uint32_t n_left, n_right;
	const struct dms_format *left = dms_source_formats(a, &n_left);
	const struct dms_format *right = dms_source_formats(b, &n_right);

	ck_assert_uint_eq(n_left, n_right);
	for (uint32_t i = 0; i < n_left; i++) {
		ck_assert_str_eq(left[i].system, right[i].system);
		ck_assert_str_eq(left[i].name, right[i].name);
		ck_assert_uint_eq(left[i].id, right[i].id);
		ck_assert_uint_eq(left[i].size, right[i].size);
		ck_assert_mem_eq(left[i].text, right[i].text, left[i].size);
	}
}

static void check_same_info(const struct dms_source_info *a, const struct dms_source_info *b)
{
	ck_assert_uint_eq(a->big_endian, b->big_endian);
	ck_assert_uint_eq(a->long_size, b->long_size);
	ck_assert_uint_eq(a->page_size, b->page_size);
	ck_assert_uint_eq(a->n_cpus, b->n_cpus);
	ck_assert_uint_eq(a->clock_is_ns, b->clock_is_ns);
	ck_assert_uint_eq(a->lost_by_stats, b->lost_by_stats);
	ck_assert_uint_eq(a->n_instances, b->n_instances);
	for (uint32_t i = 0; i < a->n_instances; i++)
		ck_assert_str_eq(a->instances[i], b->instances[i]);
	ck_assert_pstr_eq(a->uname, b->uname);
	ck_assert_pstr_eq(a->clock, b->clock);
}

static const char *const fixtures[] = {
	"armhf-7.2-mid",	 "lab-7.2-fault",	"lab-7.2-pagefree",  "lab-7.2-probes",
	"oracle-ctl_sg-stack",	 "oracle-ctl_sg.iommu", "s390x-7.2-v6",	     "s390x-7.2-v7-zstd",
	"stock-6.12-instance-v7", "stock-6.12-rmmod",	"stock-6.12-zoo",    "stock-7.2-swiotlb-bind",
	"stock-7.2-tsc",
};

START_TEST(fixture)
{
	const struct way *way = &ways[_i % (int)DMS_ARRAY_SIZE(ways)];
	const char *path = work_file("fixture.dat");
	struct dms_source *source, *original, *copy;
	const char *text, *text_copy;
	size_t size, size_copy;
	char name[256];

	snprintf(name, sizeof(name), FIXTURES "%s.dat", fixtures[_i / (int)DMS_ARRAY_SIZE(ways)]);
	source = open_or_fail(name);
	convert(&source, 1, way, path, NULL);
	original = open_or_fail(name);
	copy = open_or_fail(path);
	ck_assert_str_eq(dms_source_info(copy)->format, way->format);
	check_same_info(dms_source_info(original), dms_source_info(copy));
	check_same_formats(original, copy);
	ck_assert_uint_gt(check_same(original, copy), 0);
	check_ok(dms_source_kallsyms(original, &text, &size));
	check_ok(dms_source_kallsyms(copy, &text_copy, &size_copy));
	ck_assert_uint_eq(size, size_copy);
	ck_assert_mem_eq(text, text_copy, size);
	dms_source_close(original);
	dms_source_close(copy);
}
END_TEST

/* ---- gaps, times, sizes ---------------------------------------------------------------------- */

START_TEST(gaps)
{
	const struct dms_item items[] = {
		GAP(0, 5), RECORD(10, 0, 500, 12), GAP(0, 2), GAP(0, 3), RECORD(20, 0, 500, 12),
		GAP(0, 0), RECORD(30, 0, 500, 12), GAP(0, 4), GAP(0, 0), RECORD(40, 0, 500, 12),
		GAP(UINT32_MAX, 9), GAP(0, 6),
	};
	struct dms_output_report report;
	struct dms_source *source =
		write_and_open(fake_create(items, DMS_ARRAY_SIZE(items)), &ways[_i], &report);

	expect_gap(source, 0, 10, 5);
	expect_record(source, 10, 12);
	expect_gap(source, 10, 20, 5); /* two and three */
	expect_record(source, 20, 12);
	expect_gap(source, 20, 30, 0);
	expect_record(source, 30, 12);
	expect_gap(source, 30, 40, 0); /* four and who knows how many */
	expect_record(source, 40, 12);
	expect_gap(source, 40, UINT64_MAX, 6); /* on a page without events */
	ck_assert_int_eq(next_item(source).kind, DMS_ITEM_END);
	ck_assert_uint_eq(report.gaps, 7);
	ck_assert_uint_eq(report.gap_counts, 1);
	ck_assert_uint_eq(report.gaps_dropped, 1);
	ck_assert_uint_eq(report.records, 4);
	dms_source_close(source);
}
END_TEST

/* The count of a gap lies behind the data: a record that fills the page leaves it no room. */
START_TEST(gap_before_a_full_page)
{
	const struct dms_item items[] = {RECORD(10, 0, 500, 12), GAP(0, 5),
					 RECORD(20, 0, 500, 4072)};
	struct dms_output_report report;
	struct dms_source *source =
		write_and_open(fake_create(items, DMS_ARRAY_SIZE(items)), &ways[_i], &report);

	ck_assert_uint_eq(dms_source_info(source)->page_size, 4096);
	expect_record(source, 10, 12);
	expect_gap(source, 10, 20, 0);
	expect_record(source, 20, 4072);
	ck_assert_uint_eq(report.gap_counts, 1);
	dms_source_close(source);
}
END_TEST

START_TEST(far_times)
{
	static const uint64_t times[] = {
		0, 1, (1u << 27) - 1, (1u << 27) + 7, 1ull << 40, (1ull << 40) + (1u << 28),
		1ull << 58, (1ull << 63) + 5, UINT64_MAX - 1,
	};
	struct dms_item items[DMS_ARRAY_SIZE(times)];
	struct dms_source *source;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(times); i++)
		items[i] = (struct dms_item)RECORD(times[i], 0, 500, 12);
	source = write_and_open(fake_create(items, DMS_ARRAY_SIZE(items)), &ways[_i], NULL);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(times); i++)
		expect_record(source, times[i], 12);
	ck_assert_int_eq(next_item(source).kind, DMS_ITEM_END);
	dms_source_close(source);
}
END_TEST

/* A stream whose clock was set back: told as it is, not sorted. */
START_TEST(time_goes_back)
{
	const struct dms_item items[] = {RECORD(100, 0, 500, 12), RECORD(50, 0, 500, 16),
					 RECORD(60, 0, 500, 20)};
	struct dms_source *source =
		write_and_open(fake_create(items, DMS_ARRAY_SIZE(items)), &ways[_i], NULL);

	expect_record(source, 100, 12);
	expect_record(source, 50, 16);
	expect_record(source, 60, 20);
	dms_source_close(source);
}
END_TEST

/* Times in microseconds: the order of lines is kept, the nanoseconds stay below the resolution. */
START_TEST(coarse_times)
{
	const struct dms_item items[] = {
		RECORD(1000, 1, 500, 12), RECORD(1000, 1, 500, 12), RECORD(1000, 0, 500, 12),
		RECORD(1000, 0, 500, 12), RECORD(1000, 1, 500, 12), RECORD(2000, 0, 500, 12),
	};
	static const uint64_t expected[] = {1000, 1000, 1001, 1001, 1002, 2000};
	struct fake *fake = fake_create(items, DMS_ARRAY_SIZE(items));
	struct dms_source *source;

	fake->common.info.resolution_ns = 1000;
	source = write_and_open(fake, &ways[_i], NULL);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(items); i++) {
		struct dms_item item = next_item(source);

		ck_assert_uint_eq(item.record.ts, expected[i]);
		ck_assert_uint_eq(item.record.cpu, items[i].record.cpu);
	}
	dms_source_close(source);
}
END_TEST

/* Lengths up to 28 words are in the entry, others behind it; all are padded to words. */
START_TEST(sizes)
{
	struct dms_item items[600];
	struct dms_source *source;

	for (uint32_t i = 0; i < DMS_ARRAY_SIZE(items); i++)
		items[i] = (struct dms_item)RECORD(1000 + i, 0, 500, 12 + (i * 7) % 4000);
	source = write_and_open(fake_create(items, DMS_ARRAY_SIZE(items)), &ways[_i], NULL);
	for (uint32_t i = 0; i < DMS_ARRAY_SIZE(items); i++) {
		struct dms_item item = next_item(source);
		uint32_t size = items[i].record.size;

		ck_assert_int_eq(item.kind, DMS_ITEM_RECORD);
		ck_assert_uint_eq(item.record.size, (size + 3) / 4 * 4);
		ck_assert_mem_eq(item.record.data, items[i].record.data, size);
	}
	dms_source_close(source);
}
END_TEST

static const struct {
	unsigned int asked, version;
	uint32_t bytes, machine_page_size;
} large_records[] = {
	{0, 6, 4072, 4096}, /* the largest that fits */
	{0, 7, 4076, 4096},
	{0, 7, 16000, 4096},
	{6, 6, 16000, 16384}, /* it has no other place to say so */
	{7, 7, 4072, 4096},
};

START_TEST(large_record)
{
	const struct way way = {.version = large_records[_i].asked};
	const struct dms_item items[] = {RECORD(5, 0, 500, large_records[_i].bytes)};
	struct dms_output_report report;
	struct dms_source *source = write_and_open(fake_create(items, 1), &way, &report);

	ck_assert_uint_eq(report.version, large_records[_i].version);
	ck_assert_uint_eq(dms_source_info(source)->page_size, large_records[_i].machine_page_size);
	expect_record(source, 5, large_records[_i].bytes);
	dms_source_close(source);
}
END_TEST

START_TEST(far_cpus)
{
	const struct dms_item items[] = {RECORD(1, 700, 500, 12), RECORD(2, 3, 500, 12)};
	struct dms_source *source =
		write_and_open(fake_create(items, DMS_ARRAY_SIZE(items)), &ways[_i], NULL);

	ck_assert_uint_eq(dms_source_info(source)->n_cpus, 701);
	ck_assert_uint_eq(next_item(source).record.cpu, 700);
	ck_assert_uint_eq(next_item(source).record.cpu, 3);
	dms_source_close(source);
}
END_TEST

/* More than a slot of the temporary file, of several CPUs by turns. */
START_TEST(spilled)
{
	const struct dms_item shapes[] = {RECORD(0, 0, 500, 1000), RECORD(0, 1, 500, 12),
					  RECORD(0, 2, 500, 400)};
	static struct dms_item items[3000];
	struct dms_source *source;

	for (uint32_t i = 0; i < DMS_ARRAY_SIZE(items); i++) {
		items[i] = shapes[i % 3];
		items[i].record.ts = 10 * i;
	}
	source = write_and_open(fake_create(items, DMS_ARRAY_SIZE(items)), &ways[_i], NULL);
	for (uint32_t i = 0; i < DMS_ARRAY_SIZE(items); i++) {
		struct dms_item item = next_item(source);

		ck_assert_int_eq(item.kind, DMS_ITEM_RECORD);
		ck_assert_uint_eq(item.record.ts, 10 * i);
		ck_assert_uint_eq(item.record.cpu, i % 3);
		ck_assert_mem_eq(item.record.data, items[i].record.data, items[i].record.size);
	}
	ck_assert_int_eq(next_item(source).kind, DMS_ITEM_END);
	dms_source_close(source);
}
END_TEST

static TCase *new_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static Suite *output_suite(void)
{
	Suite *suite = suite_create("output");
	TCase *tcase = new_case(suite, "fixtures");
	int n_ways = (int)DMS_ARRAY_SIZE(ways);

	tcase_add_loop_test(tcase, fixture, 0, (int)DMS_ARRAY_SIZE(fixtures) * n_ways);
	tcase = new_case(suite, "records");
	tcase_add_loop_test(tcase, gaps, 0, n_ways);
	tcase_add_loop_test(tcase, gap_before_a_full_page, 0, n_ways);
	tcase_add_loop_test(tcase, far_times, 0, n_ways);
	tcase_add_loop_test(tcase, time_goes_back, 0, n_ways);
	tcase_add_loop_test(tcase, coarse_times, 0, n_ways);
	tcase_add_loop_test(tcase, sizes, 0, n_ways);
	tcase_add_loop_test(tcase, large_record, 0, (int)DMS_ARRAY_SIZE(large_records));
	tcase_add_loop_test(tcase, far_cpus, 0, n_ways);
	tcase_add_loop_test(tcase, spilled, 0, n_ways);
	return suite;
}

int main(void)
{
	SRunner *runner;
	int failed;

	if (!mkdtemp(work))
		return 1;
	runner = srunner_create(output_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return remove_work() || failed;
}

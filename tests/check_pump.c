// SPDX-License-Identifier: GPL-2.0-only
/* Read-ahead gives what reading gives: the same items, wherever it is stopped. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "run/pump.h"

#define FIXTURES SRCDIR "/tests/fixtures/"
/* So many times the same file fill all batches several times over. */
#define MANY 36

static struct dms_merge *open_many(const char *path, uint32_t n)
{
	struct dms_source *sources[MANY];

	for (uint32_t i = 0; i < n; i++) {
		struct dms_error *err = dms_source_open(path, &sources[i]);

		ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	}
	return dms_merge_create(sources, n);
}

/* What stands in the format of kernel_stack; UINT32_MAX: the file has none. */
static uint32_t stack_type(const struct dms_merge *merge)
{
	const struct dms_format *formats;
	uint32_t n;

	formats = dms_source_formats(dms_merge_source(merge, 0), &n);
	for (uint32_t i = 0; i < n; i++) {
		if (!strcmp(formats[i].name, "kernel_stack"))
			return formats[i].id;
	}
	return UINT32_MAX;
}

static bool is_stack(const struct dms_record *record, uint32_t type)
{
	uint16_t word = 0;

	if (record->next && record->next_size >= sizeof(word))
		memcpy(&word, record->next, sizeof(word));
	return record->next && word == type; /* fixtures here are little-endian, as this machine */
}

static void check_record(const struct dms_record *a, const struct dms_record *b, uint32_t type)
{
	ck_assert_uint_eq(a->ts, b->ts);
	ck_assert_uint_eq(a->offset, b->offset);
	ck_assert_uint_eq(a->cpu, b->cpu);
	ck_assert_uint_eq(a->instance, b->instance);
	ck_assert_uint_eq(a->size, b->size);
	ck_assert_mem_eq(a->data, b->data, a->size);
	ck_assert_uint_eq(a->n_chain, b->n_chain);
	if (a->n_chain)
		ck_assert_mem_eq(a->chain, b->chain, a->n_chain * sizeof(*a->chain));
	ck_assert_int_eq(is_stack(a, type), b->next != NULL);
	if (!b->next)
		return;
	ck_assert_uint_eq(a->next_size, b->next_size);
	ck_assert_mem_eq(a->next, b->next, a->next_size);
}

static void check_item(const struct dms_item *a, const struct dms_item *b, uint32_t type)
{
	ck_assert_int_eq(a->kind, b->kind);
	ck_assert(a->kind == DMS_ITEM_END || a->file == b->file);
	if (a->kind == DMS_ITEM_RECORD)
		check_record(&a->record, &b->record, type);
	if (a->kind != DMS_ITEM_GAP)
		return;
	ck_assert_uint_eq(a->gap.after_ts, b->gap.after_ts);
	ck_assert_uint_eq(a->gap.before_ts, b->gap.before_ts);
	ck_assert_uint_eq(a->gap.lost, b->gap.lost);
	ck_assert_uint_eq(a->gap.cpu, b->gap.cpu);
}

static struct dms_pump *begin(struct dms_merge *merge, uint64_t until_ts, const uint32_t *stacks)
{
	struct dms_pump_options options = {
		.until_ts = until_ts, .stacks = stacks, .has_thread = true};
	struct dms_pump *pump;

	ck_assert_ptr_null(dms_pump_create(merge, &options, &pump));
	return pump;
}

/* Compare up to @until_ts. Return: the number of items, the one behind it among them. */
static uint64_t compare(const char *path, uint32_t n_files, uint64_t until_ts)
{
	struct dms_merge *plain = open_many(path, n_files), *pumped = open_many(path, n_files);
	uint32_t type = stack_type(plain), stacks[MANY];
	struct dms_pump *pump;
	const struct dms_item *ahead;
	struct dms_item item;
	uint64_t n = 0, ts, done, total, n_damaged;
	const char *first;

	for (uint32_t i = 0; i < n_files; i++)
		stacks[i] = type;
	pump = begin(pumped, until_ts, stacks);
	do {
		ck_assert_ptr_null(dms_merge_next(plain, &item));
		ck_assert_ptr_null(dms_pump_next(pump, &ahead));
		check_item(&item, ahead, type);
		ts = item.kind == DMS_ITEM_GAP ? item.gap.after_ts : item.record.ts;
		n++;
	} while (item.kind != DMS_ITEM_END && ts <= until_ts);
	dms_pump_progress(pump, &done, &total);
	ck_assert_uint_gt(total, 0);
	ck_assert_uint_le(done, total);
	/* there is no more, as often as one asks */
	ck_assert_ptr_null(dms_pump_next(pump, &ahead));
	ck_assert_int_eq(ahead->kind, DMS_ITEM_END);
	ck_assert_ptr_null(dms_pump_next(pump, &ahead));
	ck_assert_int_eq(ahead->kind, DMS_ITEM_END);
	dms_pump_destroy(pump);
	/* it has read no further: what a source knows by then is the same */
	for (uint32_t i = 0; i < n_files; i++) {
		n_damaged = dms_source_damage(dms_merge_source(plain, i), &first);
		ck_assert_uint_eq(n_damaged,
				  dms_source_damage(dms_merge_source(pumped, i), &first));
		dms_source_progress(dms_merge_source(plain, i), &done, &total);
		ts = done;
		dms_source_progress(dms_merge_source(pumped, i), &done, &total);
		ck_assert_uint_eq(ts, done);
	}
	dms_merge_destroy(plain);
	dms_merge_destroy(pumped);
	return n;
}

static const char *const paths[] = {FIXTURES "twin-7.2-stack.dat", FIXTURES "twin-7.2-perf.data.xz",
				    FIXTURES "twin-7.2-stack.txt.zst"};

START_TEST(test_same_items)
{
	ck_assert_uint_gt(compare(paths[_i], 1, UINT64_MAX), 10);
}
END_TEST

START_TEST(test_many_batches)
{
	ck_assert_uint_gt(compare(paths[_i], MANY, UINT64_MAX), 4 * 2048);
}
END_TEST

START_TEST(test_until)
{
	struct dms_merge *merge = open_many(paths[_i], 1);
	uint64_t first = 0, last = 0, all = 0, some;
	struct dms_item item;

	do {
		ck_assert_ptr_null(dms_merge_next(merge, &item));
		all++;
		if (item.kind != DMS_ITEM_RECORD)
			continue;
		first = first ? first : item.record.ts;
		last = item.record.ts;
	} while (item.kind != DMS_ITEM_END);
	dms_merge_destroy(merge);
	some = compare(paths[_i], 1, first + (last - first) / 2);
	ck_assert_uint_gt(some, 1);
	ck_assert_uint_lt(some, all);
}
END_TEST

/* The thread may be waiting for room, reading, or done: closing must not hang. */
START_TEST(test_stopped_early)
{
	static const unsigned int taken[] = {0, 1, 100, 2048, 2049, 5000};
	uint32_t stacks[MANY] = {0};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(taken); i++) {
		struct dms_merge *merge = open_many(paths[_i], MANY);
		struct dms_pump *pump = begin(merge, UINT64_MAX, stacks);
		const struct dms_item *item;

		for (unsigned int n = 0; n < taken[i]; n++)
			ck_assert_ptr_null(dms_pump_next(pump, &item));
		dms_pump_destroy(pump);
		dms_merge_destroy(merge);
	}
	dms_pump_destroy(NULL);
}
END_TEST

START_TEST(test_environment_decides)
{
	struct dms_merge *merge = open_many(paths[0], 1);

	setenv("DMASCOPE_THREADS", "2", 1);
	ck_assert(dms_pump_pays(merge));
	setenv("DMASCOPE_THREADS", "1", 1);
	ck_assert(!dms_pump_pays(merge));
	unsetenv("DMASCOPE_THREADS");
	ck_assert(!dms_pump_pays(merge)); /* a fixture is small */
	dms_merge_destroy(merge);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pump");
	TCase *tcase = tcase_create("pump");
	SRunner *runner = srunner_create(suite);
	int n_paths = (int)DMS_ARRAY_SIZE(paths), n_failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_same_items, 0, n_paths);
	tcase_add_loop_test(tcase, test_many_batches, 0, n_paths);
	tcase_add_loop_test(tcase, test_until, 0, n_paths);
	tcase_add_loop_test(tcase, test_stopped_early, 0, n_paths);
	tcase_add_test(tcase, test_environment_decides);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? 1 : 0;
}

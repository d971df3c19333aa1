// SPDX-License-Identifier: GPL-2.0-only
/* Read-ahead gives what reading gives: the same items, wherever it is stopped. */
#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/** Where decode() puts lists: each call overwrites those of the one before. */
struct scratch {
	uint64_t phys[8], dma[8];
	uint32_t lengths[8];
	uint64_t n; /* calls */
};

/* So many records in a row are all events, and in so many they show the same. */
#define EVENTS_RUN 3000
#define INPUTS_RUN 4000

/* Stands in for the decoder: an event that is made of the record, lists and text and all. */
static struct dms_error *decode(void *context, const struct dms_item *item,
				struct dms_decoded *ret)
{
	const struct dms_record *record = &item->record;
	struct scratch *scratch = context;
	uint32_t n = record->size % 8;

	scratch->n++;
	ret->inputs = (uint32_t)scratch->n / INPUTS_RUN;
	ret->is_malformed = scratch->n % 7 == 0;
	memset(&ret->event, 0, sizeof(ret->event));
	ret->event.kind = n % 2 ? DMS_EV_MAP_SG : DMS_EV_UNMAP_SG;
	if (scratch->n / EVENTS_RUN % 2 && scratch->n % 5 == 0)
		ret->event.kind = DMS_EV_NONE;
	ret->is_silent = ret->event.kind == DMS_EV_NONE && !ret->is_malformed;
	ret->event.ts = record->ts;
	ret->event.cpu = record->cpu;
	ret->event.dma_addr = record->offset;
	for (uint32_t i = 0; i < n; i++) {
		scratch->phys[i] = dms_hash_bytes(record->data, record->size) + i;
		scratch->dma[i] = scratch->phys[i] ^ record->offset;
		scratch->lengths[i] = (uint32_t)scratch->n + i;
	}
	ret->event.n_phys = n;
	ret->event.n_dma = n / 2;
	ret->event.phys_list = n ? scratch->phys : NULL;
	ret->event.dma_list = n / 2 ? scratch->dma : NULL;
	ret->event.lengths = n / 2 ? scratch->lengths : NULL;
	ret->event.text = record->data;
	ret->event.text_len = record->size;
	return NULL;
}

static void check_list(const void *a, const void *b, size_t bytes)
{
	ck_assert_int_eq(a != NULL, b != NULL);
	if (a)
		ck_assert_mem_eq(a, b, bytes);
}

static void check_event(const struct dms_event *a, const struct dms_event *b)
{
	ck_assert_int_eq(a->kind, b->kind);
	if (a->kind == DMS_EV_NONE)
		return;
	ck_assert_uint_eq(a->ts, b->ts);
	ck_assert_uint_eq(a->cpu, b->cpu);
	ck_assert_uint_eq(a->dma_addr, b->dma_addr);
	ck_assert_uint_eq(a->n_phys, b->n_phys);
	ck_assert_uint_eq(a->n_dma, b->n_dma);
	ck_assert_uint_eq(a->text_len, b->text_len);
	check_list(a->phys_list, b->phys_list, a->n_phys * 8);
	check_list(a->dma_list, b->dma_list, a->n_dma * 8);
	check_list(a->lengths, b->lengths, a->n_dma * 4);
	ck_assert_mem_eq(a->text, b->text, a->text_len);
	ck_assert_uint_eq((uintptr_t)b->phys_list % 8, 0);
	ck_assert_uint_eq((uintptr_t)b->lengths % 4, 0);
}

/* @item as read without a pump, decoded as @wanted, and what the pump gave. */
static void check_item(const struct dms_item *item, const struct dms_decoded *wanted,
		       const struct dms_decoded *got)
{
	ck_assert_int_eq(item->kind, got->kind);
	ck_assert_uint_eq(dms_item_ts(item), got->ts);
	ck_assert(item->kind == DMS_ITEM_END || item->file == got->file);
	if (item->kind == DMS_ITEM_RECORD)
		check_event(&wanted->event, &got->event);
	if (item->kind == DMS_ITEM_RECORD && wanted->event.kind != DMS_EV_NONE) {
		ck_assert_uint_eq(wanted->inputs, got->inputs);
		ck_assert_int_eq(wanted->is_malformed, got->is_malformed);
	}
	if (item->kind != DMS_ITEM_GAP)
		return;
	ck_assert_uint_eq(item->gap.after_ts, got->gap.after_ts);
	ck_assert_uint_eq(item->gap.before_ts, got->gap.before_ts);
	ck_assert_uint_eq(item->gap.lost, got->gap.lost);
	ck_assert_uint_eq(item->gap.cpu, got->gap.cpu);
}

/** Items one by one. */
struct reading {
	struct dms_pump *pump;
	struct dms_stretch stretch;
	uint32_t at;
	uint64_t n_silent, n_plain; /* records left out; stretches */
	const struct scratch *in_step; /* the decoder's, if it may not be ahead; else NULL */
};

/* What is said of all items is true of each. */
static void check_stretch(const struct dms_stretch *stretch)
{
	uint64_t kinds = 0, first_ts = UINT64_MAX, last_ts = 0;
	bool is_plain = stretch->n_items > 0;

	for (uint32_t i = 0; i < stretch->n_items; i++) {
		const struct dms_decoded *item = &stretch->items[i];

		is_plain &= item->kind == DMS_ITEM_RECORD && item->event.kind != DMS_EV_NONE &&
			    item->file == stretch->items->file &&
			    item->inputs == stretch->items->inputs;
		if (!is_plain)
			break;
		kinds |= 1ull << item->event.kind;
		first_ts = item->ts < first_ts ? item->ts : first_ts;
		last_ts = item->ts > last_ts ? item->ts : last_ts;
	}
	ck_assert_int_eq(stretch->is_plain, is_plain);
	if (!is_plain)
		return;
	ck_assert_uint_eq(stretch->kinds, kinds);
	ck_assert_uint_eq(stretch->first_ts, first_ts);
	ck_assert_uint_eq(stretch->last_ts, last_ts);
}

static const struct dms_decoded *next(struct reading *reading)
{
	while (reading->at == reading->stretch.n_items) {
		ck_assert_ptr_null(dms_pump_next(reading->pump, &reading->stretch));
		check_stretch(&reading->stretch);
		reading->at = 0;
		reading->n_silent += reading->stretch.n_silent;
		reading->n_plain += reading->stretch.is_plain;
	}
	return &reading->stretch.items[reading->at++];
}

/* With a thread, without one, and without one and item by item. */
enum mode { THREAD, ALONE, IN_STEP, N_MODES };

static struct dms_pump *begin(struct dms_merge *merge, uint64_t until_ts, struct scratch *scratch,
			      enum mode mode)
{
	struct dms_pump_options options = {
		.until_ts = until_ts,
		.decode = decode,
		.context = scratch,
		.has_thread = mode == THREAD,
		.is_in_step = mode == IN_STEP,
	};
	struct dms_pump *pump;

	ck_assert_ptr_null(dms_pump_create(merge, &options, &pump));
	return pump;
}

/* Compare item by item up to @until_ts. Return: their number, the one behind it among them. */
static uint64_t compare_items(struct dms_merge *plain, struct reading *reading, uint64_t until_ts,
			      struct scratch *scratch)
{
	uint64_t n = 0, n_silent = 0;
	struct dms_item item;

	do {
		struct dms_decoded wanted = {.event.kind = DMS_EV_NONE};

		ck_assert_ptr_null(dms_merge_next(plain, &item));
		if (item.kind == DMS_ITEM_RECORD && item.record.ts <= until_ts)
			ck_assert_ptr_null(decode(scratch, &item, &wanted));
		n++;
		n_silent += wanted.is_silent;
		if (wanted.is_silent)
			continue;
		check_item(&item, &wanted, next(reading));
		ck_assert(!reading->in_step || reading->in_step->n == scratch->n);
	} while (item.kind != DMS_ITEM_END && dms_item_ts(&item) <= until_ts);
	ck_assert_uint_eq(n_silent, reading->n_silent);
	return n;
}

/* Compare up to @until_ts. Return: the number of items, the one behind it among them. */
static uint64_t compare(const char *path, uint32_t n_files, uint64_t until_ts, enum mode mode)
{
	struct dms_merge *plain = open_many(path, n_files), *pumped = open_many(path, n_files);
	struct scratch plain_scratch = {0}, pumped_scratch = {0};
	struct dms_pump *pump = begin(pumped, until_ts, &pumped_scratch, mode);
	struct reading reading = {.pump = pump,
				  .in_step = mode == IN_STEP ? &pumped_scratch : NULL};
	uint64_t n, ts, done, total, n_damaged;
	const char *first;

	n = compare_items(plain, &reading, until_ts, &plain_scratch);
	/* one file is all one stretch, or several: some of them are nothing but events */
	ck_assert(n_files > 1 || reading.n_plain > 0);
	dms_pump_progress(pump, &done, &total);
	ck_assert_uint_gt(total, 0);
	ck_assert_uint_le(done, total);
	/* there is no more, as often as one asks */
	ck_assert_int_eq(next(&reading)->kind, DMS_ITEM_END);
	ck_assert_int_eq(next(&reading)->kind, DMS_ITEM_END);
	dms_pump_destroy(pump);
	/* what lies behind is not decoded: decoders count and name what they see */
	ck_assert_uint_eq(plain_scratch.n, pumped_scratch.n);
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
	for (enum mode mode = THREAD; mode < N_MODES; mode++)
		ck_assert_uint_gt(compare(paths[_i], 1, UINT64_MAX, mode), 10);
}
END_TEST

START_TEST(test_many_batches)
{
	for (enum mode mode = THREAD; mode < N_MODES; mode++)
		ck_assert_uint_gt(compare(paths[_i], MANY, UINT64_MAX, mode), 4 * 2048);
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
	for (enum mode mode = THREAD; mode < N_MODES; mode++) {
		some = compare(paths[_i], 1, first + (last - first) / 2, mode);
		ck_assert_uint_gt(some, 1);
		ck_assert_uint_lt(some, all);
	}
}
END_TEST

/* The thread may be waiting for room, reading, or done: closing must not hang. */
START_TEST(test_stopped_early)
{
	static const unsigned int taken[] = {0, 1, 100, 2048, 2049, 5000};
	for (size_t i = 0; i < DMS_ARRAY_SIZE(taken); i++) {
		struct dms_merge *merge = open_many(paths[_i], MANY);
		struct scratch scratch = {0};
		struct reading reading = {.pump = begin(merge, UINT64_MAX, &scratch, THREAD)};

		for (unsigned int n = 0; n < taken[i]; n++)
			next(&reading);
		dms_pump_destroy(reading.pump);
		dms_merge_destroy(merge);
	}
	dms_pump_destroy(NULL);
}
END_TEST

/** Who was asked to help, and how often. */
struct helping {
	struct scratch scratch; /* first: decode() is given the same */
	pthread_t taker;
	atomic_uint by_taker, by_reader, in_a_row;
};

static bool help(void *context)
{
	struct helping *helping = context;

	if (pthread_equal(pthread_self(), helping->taker))
		atomic_fetch_add(&helping->by_taker, 1);
	else
		atomic_fetch_add(&helping->by_reader, 1);
	return atomic_fetch_add(&helping->in_a_row, 1) % 2; /* one batch, and there is no other */
}

/* Stretches that were taken while the other thread had time. @pause_us: of the taker, for each. */
static unsigned int count_helped(struct helping *helping, unsigned int pause_us)
{
	struct dms_merge *merge = open_many(paths[0], MANY);
	const struct dms_pump_options options = {
		.until_ts = UINT64_MAX,
		.decode = decode,
		.help = help,
		.context = helping,
		.has_thread = true,
	};
	struct dms_stretch stretch;
	struct dms_pump *pump;
	unsigned int n_helped = 0;

	helping->taker = pthread_self();
	ck_assert_ptr_null(dms_pump_create(merge, &options, &pump));
	do {
		ck_assert_ptr_null(dms_pump_next(pump, &stretch));
		n_helped += dms_pump_is_helped(pump);
		if (pause_us)
			usleep(pause_us);
	} while (stretch.items->kind != DMS_ITEM_END);
	ck_assert(!dms_pump_is_helped(pump)); /* it has read all, and is gone */
	dms_pump_destroy(pump);
	dms_merge_destroy(merge);
	return n_helped;
}

/* Who reads helps when he would sleep; where he does not, nothing is put off for him. */
START_TEST(test_help)
{
	struct helping helping = {0};

	ck_assert_uint_gt(count_helped(&helping, 2000), 0);
	ck_assert_uint_gt(helping.by_reader, 0);
	helping = (struct helping){0};
	count_helped(&helping, 0); /* who takes helps himself before he waits */
	ck_assert_uint_gt(helping.by_taker, 0);
}
END_TEST

START_TEST(test_environment_decides)
{
	struct dms_merge *merge = open_many(paths[0], 1);

	setenv("DMASCOPE_THREADS", "2", 1);
	ck_assert_uint_eq(dms_pump_threads(merge, true), 2);
	setenv("DMASCOPE_THREADS", "1", 1);
	ck_assert_uint_eq(dms_pump_threads(merge, true), 1);
	setenv("DMASCOPE_THREADS", "16", 1);
	ck_assert_uint_eq(dms_pump_threads(merge, false), 3);
	unsetenv("DMASCOPE_THREADS");
	ck_assert_uint_eq(dms_pump_threads(merge, true), 1); /* a fixture is small */
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
	tcase_add_test(tcase, test_help);
	tcase_add_test(tcase, test_environment_decides);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? 1 : 0;
}

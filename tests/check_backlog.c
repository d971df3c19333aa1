// SPDX-License-Identifier: GPL-2.0-only
/* Work put off is done once, in its order, whoever does it. */
#include <check.h>
#include <stdlib.h>

#include <dmascope/backlog.h>

/** An item as large as any there is. */
struct item {
	uint64_t number;
	uint64_t filling[13];
};

/** What is expected of the next item. */
struct work {
	uint64_t n_done;
	uint64_t n_wrong;
	uint64_t fails_at;
};

static bool do_items(void *context, const void *items, size_t n)
{
	struct work *work = context;
	const struct item *item = items;

	for (size_t i = 0; i < n; i++, item++) {
		work->n_wrong += item->number != work->n_done || item->filling[12] != ~item->number;
		if (work->n_done++ == work->fails_at)
			return false;
	}
	return true;
}

static bool put_off(struct dms_backlog *backlog, uint64_t number)
{
	struct item *item = dms_backlog_room(backlog);

	item->number = number;
	item->filling[12] = ~number;
	return dms_backlog_add(backlog);
}

/** Another thread, which helps until it is told to stop. */
struct helper {
	struct dms_backlog *backlog;
	atomic_bool is_over;
};

static void *help(void *arg)
{
	struct helper *helper = arg;

	while (!atomic_load(&helper->is_over))
		dms_backlog_help(helper->backlog);
	return NULL;
}

/* With a helper and without one; read now and then, or only at the end. */
START_TEST(all_is_done_in_order)
{
	enum { ITEMS = 300000 };
	struct work work = {.fails_at = UINT64_MAX};
	struct helper helper = {
		.backlog = dms_backlog_create(sizeof(struct item), do_items, &work)};
	uint64_t every = _i & 1 ? 777 : ITEMS;
	pthread_t thread;

	ck_assert_ptr_nonnull(helper.backlog);
	if (_i & 2)
		ck_assert(dms_thread_start(&thread, help, &helper));
	for (uint64_t number = 0; number < ITEMS; number++) {
		ck_assert(put_off(helper.backlog, number));
		if (number % every)
			continue;
		ck_assert(dms_backlog_drain(helper.backlog));
		ck_assert_uint_eq(work.n_done, number + 1);
	}
	ck_assert(dms_backlog_drain(helper.backlog));
	ck_assert(!dms_backlog_help(helper.backlog));
	ck_assert_uint_eq(work.n_done, ITEMS);
	ck_assert_uint_eq(work.n_wrong, 0);
	atomic_store(&helper.is_over, true);
	if (_i & 2)
		pthread_join(thread, NULL);
	dms_backlog_destroy(helper.backlog);
}
END_TEST

/* Nobody helps: what there is no room for is done by who makes it, and no more than that. */
START_TEST(the_oldest_make_room)
{
	enum { ROOM = DMS_BACKLOG_BATCH_BYTES / sizeof(struct item) * DMS_BACKLOG_BATCHES };
	struct work work = {.fails_at = UINT64_MAX};
	struct dms_backlog *backlog = dms_backlog_create(sizeof(struct item), do_items, &work);

	for (uint64_t number = 0; number < ROOM - 1; number++)
		put_off(backlog, number);
	ck_assert_uint_eq(work.n_done, 0);
	put_off(backlog, ROOM - 1);
	ck_assert_uint_gt(work.n_done, 0);
	ck_assert_uint_lt(work.n_done, ROOM / 2);
	dms_backlog_destroy(backlog); /* what waits is not done */
	ck_assert_uint_lt(work.n_done, ROOM / 2);
}
END_TEST

START_TEST(a_failure_is_told)
{
	struct work work = {.fails_at = 5};
	struct dms_backlog *backlog = dms_backlog_create(sizeof(struct item), do_items, &work);

	for (uint64_t number = 0; number < 10; number++)
		ck_assert(put_off(backlog, number));
	ck_assert(!dms_backlog_drain(backlog));
	ck_assert(!put_off(backlog, 10));
	dms_backlog_destroy(backlog);
	dms_backlog_destroy(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("backlog");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(all, 120);
	tcase_add_loop_test(all, all_is_done_in_order, 0, 4);
	tcase_add_test(all, the_oldest_make_room);
	tcase_add_test(all, a_failure_is_told);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of the public API share: calls that must go well or fail, and running a suite. */
#ifndef DMS_TESTS_API_H
#define DMS_TESTS_API_H

#include <check.h>
#include <string.h>

#include <dmascope/dmascope.h>

static inline void fine(struct dmascope_error *error)
{
	ck_assert_msg(!error, "%s", dmascope_error_message(error));
}

/* It is an error of this kind, whose message has @says in it. */
static inline void fails(struct dmascope_error *error, enum dmascope_code code, const char *says)
{
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(dmascope_error_code(error) == code && strstr(dmascope_error_message(error), says),
		      "%d, %s", (int)dmascope_error_code(error), dmascope_error_message(error));
	dmascope_error_free(error);
}

/* tcase_add_loop_test() pastes, so each test has its own case */
static inline void add_loop(Suite *suite, const char *name, const TTest *test,
			    size_t n_loops)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test, 0, (int)n_loops);
	suite_add_tcase(suite, tcase);
}

/* Return: how many tests failed. */
static inline int run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failures;

	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures;
}

#endif

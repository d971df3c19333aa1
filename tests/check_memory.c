// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/base/memory.c: what is freed is not there any more. */
#include <check.h>
#include <stdlib.h>

#include <dmascope/base.h>

START_TEST(what_is_freed_is_null)
{
	char *text = dms_strdup("text");
	uint64_t *numbers = dms_zalloc(sizeof(*numbers));

	dms_freep(&text);
	dms_freep(&numbers);
	ck_assert_ptr_null(text);
	ck_assert_ptr_null(numbers);
	dms_freep(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(all, what_is_freed_is_null);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

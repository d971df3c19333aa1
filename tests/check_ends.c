// SPDX-License-Identifier: GPL-2.0-only
/* What the engine adds to findings: both ends as facts; and what a rule lacks, in words. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rows.h"

static const struct dms_mapping live = {
	.has = DMS_HAS_SIZE, .map_ts = 100, .map_cpu = 1, .map_pid = 11, .map_stack = 4, .device = 0};
static const struct dms_mapping stand_in = {.map_ts = 0};
static const struct dms_mapping seeded = {
	.has = DMS_HAS_SIZE, .is_seeded = true, .map_stack = DMS_ID_NONE};
static const struct dms_mapping owner = {
	.has = DMS_HAS_SIZE, .map_ts = 300, .map_cpu = 3, .map_pid = 33, .map_stack = DMS_ID_NONE,
	.device = 1};
static const struct dms_past past = {
	.map_ts = 200, .map_cpu = 2, .map_pid = 22, .map_stack = 5, .unmap_ts = 250, .unmap_cpu = 0,
	.unmap_pid = 23, .unmap_stack = 6, .end = DMS_END_UNMAPPED};
static const struct dms_past older_past = {
	.map_stack = DMS_ID_NONE, .unmap_ts = 250, .unmap_stack = DMS_ID_NONE,
	.end = DMS_END_PRE_TRACE};

static const struct {
	struct dms_step step;
	enum dms_ends ends;
	const char *facts; /* sorted by key */
} cases[] = {
	{{.kind = DMS_STEP_UNMAP, .mapping = (struct dms_mapping *)&live, .past = &past}, 0,
	 "map_cpu=1 map_ns=100 map_pid=11 map_stack_id=5 "},
	{{.kind = DMS_STEP_UNMAP, .mapping = (struct dms_mapping *)&seeded}, 0, ""},
	{{.kind = DMS_STEP_MAP, .mapping = (struct dms_mapping *)&live}, 0, ""},
	{{.kind = DMS_STEP_UNMAP_UNMATCHED, .mapping = (struct dms_mapping *)&stand_in,
	  .related = &live, .past = &past}, 0, "map_cpu=1 map_ns=100 map_pid=11 map_stack_id=5 "},
	{{.kind = DMS_STEP_UNMAP_UNMATCHED, .mapping = (struct dms_mapping *)&stand_in,
	  .related = &live, .past = &past}, DMS_ENDS_PAST,
	 "map_cpu=2 map_ns=200 map_pid=22 map_stack_id=6 "
	 "unmap_cpu=0 unmap_ns=250 unmap_pid=23 unmap_stack_id=7 "},
	{{.kind = DMS_STEP_SYNC_UNMATCHED, .past = &older_past}, DMS_ENDS_PAST,
	 "unmap_cpu=0 unmap_ns=250 unmap_pid=0 "},
	{{.kind = DMS_STEP_UNMAP_UNMATCHED, .mapping = (struct dms_mapping *)&stand_in,
	  .past = &past, .elsewhere = &owner}, DMS_ENDS_OWNER,
	 "map_cpu=3 map_ns=300 map_pid=33 owner_device=2 "},
	{{.kind = DMS_STEP_UNMAP_UNMATCHED, .mapping = (struct dms_mapping *)&stand_in,
	  .elsewhere = &owner}, 0, "map_cpu=3 map_ns=300 map_pid=33 owner_device=2 "},
	{{.kind = DMS_STEP_OVERLAP, .mapping = (struct dms_mapping *)&owner, .related = &live,
	  .ts = 300}, 0,
	 "other_cpu=1 other_device=1 other_ns=100 other_pid=11 other_stack_id=5 "},
	{{.kind = DMS_STEP_OVERLAP, .mapping = (struct dms_mapping *)&owner, .related = &seeded,
	  .ts = 400}, 0, "map_cpu=3 map_ns=300 map_pid=33 other_device=1 "},
	{{.kind = DMS_STEP_MESSAGE}, 0, ""},
};

START_TEST(ends_are_told)
{
	struct dms_facts facts = {.n_items = 0};
	struct dms_finding finding = {.facts = &facts};
	const char *key;
	char told[512] = "";
	json_t *json, *value;
	char *text, *sorted;

	fact_ends(&facts, &cases[_i].step, cases[_i].ends);
	fact_ends(&facts, &cases[_i].step, cases[_i].ends); /* nothing twice */
	text = dms_finding_json(&finding, NULL, NULL);
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_uint_eq(json_object_size(json), facts.n_items);
	sorted = json_dumps(json, JSON_SORT_KEYS);
	dms_free(text);
	json_decref(json);
	json = json_loads(sorted, 0, NULL);
	json_object_foreach(json, key, value)
		snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s=%d ", key,
			 (int)json_integer_value(value));
	ck_assert_str_eq(told, cases[_i].facts);
	free(sorted);
	json_decref(json);
}
END_TEST

START_TEST(missing_is_told)
{
	struct dms_rule rule = {.inputs = DMS_INPUT_IOMEM | DMS_INPUT_CONSOLE};
	char *text = NULL;

	ck_assert_ptr_null(dms_rule_missing(&rule, 0, &text));
	ck_assert_str_eq(text, "needs the memory map of the machine, or kernel messages: give "
			       "--iomem (/proc/iomem, read as root), or record -e "
			       "printk:console, or give --kernel-log");
	dms_free(text);
	ck_assert_ptr_null(dms_rule_missing(&rule, ~rule.inputs, &text));
	ck_assert_ptr_nonnull(text);
	dms_free(text);
	ck_assert_ptr_null(dms_rule_missing(&rule, DMS_INPUT_CONSOLE, &text));
	ck_assert_ptr_null(text);
	rule.inputs = 0;
	ck_assert_ptr_null(dms_rule_missing(&rule, 0, &text));
	ck_assert_ptr_null(text);
}
END_TEST

/* Each bit has its words. */
START_TEST(every_input_is_named)
{
	struct dms_rule rule = {.inputs = DMS_BIT(_i)};
	char *text = NULL;

	/* reports of dma-debug are never asked for alone: they come with the probe */
	if (rule.inputs == DMS_INPUT_DEBUG)
		rule.inputs |= DMS_INPUT_CHECKS;
	ck_assert_ptr_null(dms_rule_missing(&rule, 0, &text));
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_null(strstr(text, "(null)"));
	ck_assert_uint_gt(strlen(text), strlen("needs : "));
	dms_free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ends");
	TCase *tests = tcase_create("ends");
	SRunner *runner = srunner_create(suite);
	int n_failed;

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, ends_are_told, 0, (int)DMS_ARRAY_SIZE(cases));
	tcase_add_test(tests, missing_is_told);
	tcase_add_loop_test(tests, every_input_is_named, 0, DMS_N_INPUTS);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? 1 : 0;
}

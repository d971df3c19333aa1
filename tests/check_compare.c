// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/diff/compare_findings.c and coverage.c: every state of a finding, and every reason.
 */
#include <stdlib.h>

#include "lib/baselines.h"

#define LEAK	   "leak-at-unbind:e1000e:rx_alloc[e1000e]:-:FROM_DEVICE:2^11"
#define LEAK_TX	   "leak-at-unbind:e1000e:tx_map[e1000e]:-:FROM_DEVICE:2^11"
#define LEAK_BARE  "leak-at-unbind:e1000e:-:-:FROM_DEVICE:2^11"
#define DOUBLE	   "double-unmap:e1000e:rx_alloc[e1000e]:rx_free[e1000e]:FROM_DEVICE:2^11"
#define DOUBLE_PCI "double-unmap:pci:rx_alloc[e1000e]:rx_free[e1000e]:FROM_DEVICE:2^11"

static struct bench *bench;

static void setup(void)
{
	bench = malloc(sizeof(*bench));
	ck_assert_ptr_nonnull(bench);
	bench_init(bench);
}

static void teardown(void)
{
	bench_clear(bench);
	free(bench);
}

/* ---- one run a side -------------------------------------------------------------------------- */

START_TEST(what_base_did_not_have_is_new_and_fails)
{
	const struct dms_finding_change *change;

	add_finding(&bench->head[0], DOUBLE)->count = 7;
	change = only_finding(bench);
	ck_assert_int_eq(change->state, DMS_STATE_NEW);
	ck_assert(change->fails);
	ck_assert_ptr_null(change->base);
	ck_assert_ptr_null(change->reason);
	ck_assert_uint_eq(change->count_head, 7);
	ck_assert_uint_eq(change->runs_base, 0);
	ck_assert_uint_eq(change->runs_head, 1);
	ck_assert_int_eq(bench->result->verdict, DMS_VERDICT_FAIL);
	ck_assert_str_eq(bench->result->reasons[0], "1 finding is new: double-unmap of e1000e");
}
END_TEST

START_TEST(what_both_have_is_unchanged)
{
	add_finding(&bench->base[0], DOUBLE);
	add_finding(&bench->head[0], DOUBLE);
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_UNCHANGED);
	ck_assert(!bench->result->findings[0].fails);
	ck_assert_int_eq(bench->result->verdict, DMS_VERDICT_PASS);
	ck_assert_uint_eq(bench->result->n_reasons, 0);
}
END_TEST

START_TEST(without_a_base_everything_is_new)
{
	bench->n_base = 0;
	add_finding(&bench->head[0], DOUBLE);
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_NEW);
	ck_assert_int_eq(bench->result->verdict, DMS_VERDICT_FAIL);
	ck_assert_uint_eq(bench->result->n_metrics + bench->result->n_coverage, 0);
}
END_TEST

START_TEST(graver_or_surer_is_worse_and_the_reverse_is_not)
{
	struct dms_base_finding *base = add_finding(&bench->base[0], DOUBLE);
	struct dms_base_finding *head = add_finding(&bench->head[0], DOUBLE);

	base->severity = DMS_SEVERITY_WARNING;
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_WORSE);
	ck_assert_str_eq(bench->result->findings[0].reason, "error, it was warning");
	ck_assert(bench->result->findings[0].fails);
	base->severity = DMS_SEVERITY_ERROR;
	base->confidence = DMS_LIKELY;
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_WORSE);
	ck_assert_str_eq(bench->result->findings[0].reason, "certain, it was only likely");
	base->confidence = DMS_CERTAIN;
	head->severity = DMS_SEVERITY_WARNING;
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_BETTER);
	head->confidence = DMS_LIKELY; /* whoever is not so sure tells nothing of the driver */
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_UNCHANGED);
}
END_TEST

/* Counts before and after, maps of base and head. */
static const struct {
	uint64_t before, after, maps_before, maps_after;
	enum dms_state state;
} counts[] = {
	{20, 40, 1000, 1000, DMS_STATE_UNCHANGED}, /* twice as many is not beyond */
	{20, 41, 1000, 1000, DMS_STATE_WORSE},
	{1, 11, 1000, 1000, DMS_STATE_UNCHANGED}, /* 10 more is not beyond */
	{1, 12, 1000, 1000, DMS_STATE_WORSE},
	{20, 81, 1000, 2000, DMS_STATE_WORSE},
	{20, 80, 1000, 2000, DMS_STATE_UNCHANGED}, /* as twice the work explains */
	{20, 41, 1000, 500, DMS_STATE_WORSE},	   /* less work is no excuse */
	{20, 40, 1000, 500, DMS_STATE_UNCHANGED}, /* and no reproach */
	{41, 20, 1000, 1000, DMS_STATE_BETTER},
	{40, 20, 1000, 1000, DMS_STATE_UNCHANGED},
	{12, 1, 1000, 1000, DMS_STATE_BETTER},
	{11, 1, 1000, 1000, DMS_STATE_UNCHANGED},
	{80, 20, 2000, 1000, DMS_STATE_UNCHANGED},
	{81, 20, 2000, 1000, DMS_STATE_BETTER},
	{100, 100, 0, 1000, DMS_STATE_UNCHANGED},
};

START_TEST(a_count_must_outgrow_the_work)
{
	add_finding(&bench->base[0], DOUBLE)->count = counts[_i].before;
	add_finding(&bench->head[0], DOUBLE)->count = counts[_i].after;
	bench->base[0].kinds[0].maps = counts[_i].maps_before;
	bench->head[0].kinds[0].maps = counts[_i].maps_after;
	ck_assert_int_eq(only_finding(bench)->state, counts[_i].state);
	ck_assert_int_eq(bench->result->findings[0].fails, counts[_i].state == DMS_STATE_WORSE);
	if (counts[_i].state == DMS_STATE_UNCHANGED)
		ck_assert_ptr_null(bench->result->findings[0].reason);
	else
		ck_assert_has(bench->result->findings[0].reason, ", it was ");
}
END_TEST

START_TEST(counts_of_what_is_only_possible_say_nothing)
{
	add_finding(&bench->base[0], DOUBLE)->confidence = DMS_POSSIBLE;
	add_finding(&bench->head[0], DOUBLE)->confidence = DMS_POSSIBLE;
	bench->head[0].findings[0].count = 1000;
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_UNCHANGED);
	bench->base[0].findings[0].count = 2000;
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_UNCHANGED);
}
END_TEST

START_TEST(fewer_after_losses_is_not_better)
{
	add_finding(&bench->base[0], DOUBLE)->count = 1000;
	add_finding(&bench->head[0], DOUBLE);
	bench->head[0].baseline.gaps = 1;
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_UNCHANGED);
}
END_TEST

/* ---- gone: fixed, or not judged -------------------------------------------------------------- */

START_TEST(what_head_would_have_seen_is_fixed)
{
	add_finding(&bench->base[0], DOUBLE);
	add_spot(&bench->head[0], "map-from-stack", NULL, "another rule");
	add_spot(&bench->head[0], "double-unmap", "nvme", "another kind");
	add_spot(&bench->head[0], NULL, "nvme", "another kind");
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_FIXED);
	ck_assert_ptr_null(bench->result->findings[0].head);
	ck_assert_int_eq(bench->result->verdict, DMS_VERDICT_PASS);
}
END_TEST

static void lose_events(struct bench_run *run)
{
	run->baseline.lost_events = 5;
}

static void have_gaps(struct bench_run *run)
{
	run->baseline.gaps = 1;
}

static void be_cut_short(struct bench_run *run)
{
	run->baseline.is_complete = false;
}

static void be_empty(struct bench_run *run)
{
	run->baseline.events = 0;
}

static void switch_off(struct bench_run *run)
{
	run->rules_off[run->baseline.n_rules_off++] = "double-unmap";
}

static void be_blind_for_rule(struct bench_run *run)
{
	add_spot(run, "double-unmap", NULL, "needs eyes");
}

static void be_blind_for_kind(struct bench_run *run)
{
	add_spot(run, NULL, "e1000e", "a filter");
}

static void be_blind_for_all(struct bench_run *run)
{
	add_spot(run, NULL, NULL, "text without a clock");
}

static void be_blind_for_an_area(struct bench_run *run)
{
	add_spot(run, "decode", NULL, "records not decoded");
}

static void miss_the_device(struct bench_run *run)
{
	run->kinds[0].maps = 0;
}

static void miss_the_kind(struct bench_run *run)
{
	run->baseline.n_kinds = 0;
}

/* The same rule and kind, but which one of them? Its size class is another: it may still be new. */
static void have_a_namesake(struct bench_run *run)
{
	run->baseline.has_stacks = false;
	add_finding(run, "double-unmap:e1000e:-:-:FROM_DEVICE:2^4")->severity = DMS_SEVERITY_INFO;
}

static const struct {
	void (*spoil)(struct bench_run *run);
	const char *reason;
} obstacles[] = {
	{lose_events, "head.db has lost 5 events"},
	{have_gaps, "events may be missing in head.db (1 gap)"},
	{be_cut_short, "head.db is not complete"},
	{be_empty, "head.db has no DMA events"},
	{switch_off, "head.db was judged with rule double-unmap switched off"},
	{be_blind_for_rule, "head.db cannot judge it: needs eyes"},
	{be_blind_for_kind, "head.db cannot judge it: a filter"},
	{be_blind_for_all, "head.db cannot judge it: text without a clock"},
	{be_blind_for_an_area, "head.db cannot judge it: records not decoded"},
	{miss_the_device, "head.db has no maps of a device of kind \"e1000e\""},
	{miss_the_kind, "head.db has no maps of a device of kind \"e1000e\""},
	{have_a_namesake,
	 "head.db has double-unmap, but no call stacks to tell whether it is this one "
	 "(record with -T)"},
};

/* The change of what base has: there may be others. */
static const struct dms_finding_change *change_of(const char *fingerprint)
{
	for (size_t i = 0; i < bench->result->n_findings; i++) {
		const struct dms_finding_change *change = &bench->result->findings[i];

		if (!strcmp((change->base ? change->base : change->head)->fingerprint, fingerprint))
			return change;
	}
	ck_abort_msg("%s is not there", fingerprint);
	return NULL;
}

START_TEST(what_head_could_not_see_is_not_judged_and_fails_closed)
{
	add_finding(&bench->base[0], DOUBLE);
	obstacles[_i].spoil(&bench->head[0]);
	compare(bench);
	ck_assert_int_eq(change_of(DOUBLE)->state, DMS_STATE_NOT_JUDGED);
	ck_assert_str_eq(change_of(DOUBLE)->reason, obstacles[_i].reason);
	ck_assert(!change_of(DOUBLE)->fails);
	ck_assert_int_eq(bench->result->verdict, DMS_VERDICT_LOSSY);
	ck_assert_has(bench->result->reasons[0], "double-unmap of e1000e is not judged: ");
	bench->options.allow_lossy = true;
	ck_assert_int_eq(compare(bench)->verdict, DMS_VERDICT_PASS);
	ck_assert_uint_ge(bench->result->n_reasons, 1);
}
END_TEST

START_TEST(what_base_could_not_judge_either_hides_nothing)
{
	add_finding(&bench->base[0], DOUBLE);
	add_spot(&bench->base[0], NULL, NULL, "12 iommu:map events belong to nothing");
	add_spot(&bench->head[0], NULL, NULL, "130 iommu:map events belong to nothing");
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_FIXED);
	ck_assert_uint_eq(bench->result->n_coverage, 0);
	bench->head[0].spots[0].reason = "130 iommu:map events belong to nobody";
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_NOT_JUDGED);
	ck_assert_uint_eq(bench->result->n_coverage, 2);
}
END_TEST

START_TEST(a_rule_that_is_no_more_is_not_fixed)
{
	add_finding(&bench->base[0], "renamed-rule:e1000e:-:-:-:-");
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_NOT_JUDGED);
	ck_assert_has(bench->result->findings[0].reason, "no rule \"renamed-rule\"");
}
END_TEST

START_TEST(what_would_not_fail_need_not_be_judged)
{
	struct dms_base_finding *finding = add_finding(&bench->base[0], DOUBLE);

	be_blind_for_rule(&bench->head[0]);
	finding->severity = DMS_SEVERITY_WARNING;
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_NOT_JUDGED);
	ck_assert_int_eq(bench->result->verdict, DMS_VERDICT_PASS);
	finding->severity = DMS_SEVERITY_ERROR;
	finding->confidence = DMS_POSSIBLE;
	ck_assert_int_eq(compare(bench)->verdict, DMS_VERDICT_PASS);
	finding->confidence = DMS_LIKELY;
	ck_assert_int_eq(compare(bench)->verdict, DMS_VERDICT_LOSSY);
}
END_TEST

START_TEST(what_base_could_not_see_is_new_with_a_remark)
{
	add_finding(&bench->head[0], DOUBLE);
	be_blind_for_rule(&bench->base[0]);
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_NEW);
	ck_assert_str_eq(bench->result->findings[0].reason, "base.db cannot judge it: needs eyes");
	ck_assert(bench->result->findings[0].fails);
}
END_TEST

/* ---- unknown call stacks and drivers --------------------------------------------------------- */

static const struct {
	const char *base, *head;
	bool base_has_stacks, head_has_stacks;
	enum dms_state state; /* UNCHANGED: they are the same */
} pairs[] = {
	{LEAK, LEAK_BARE, true, false, DMS_STATE_UNCHANGED},
	{LEAK_BARE, LEAK, false, true, DMS_STATE_UNCHANGED},
	{LEAK, LEAK_BARE, true, true, DMS_STATE_NEW}, /* of a leak the map is all there is */
	{LEAK, LEAK_TX, true, true, DMS_STATE_NEW},
	{DOUBLE, DOUBLE_PCI, true, true, DMS_STATE_UNCHANGED},
	{DOUBLE_PCI, DOUBLE, true, true, DMS_STATE_UNCHANGED},
	{DOUBLE, "double-unmap:igb:rx_alloc[e1000e]:rx_free[e1000e]:FROM_DEVICE:2^11", true, true,
	 DMS_STATE_NEW},
	{DOUBLE, "double-unmap:pci:rx_alloc[e1000e]:other[e1000e]:FROM_DEVICE:2^11", true, true,
	 DMS_STATE_NEW},
	/* the map was before the trace: whoever unmapped is the same */
	{DOUBLE, "double-unmap:e1000e:-:rx_free[e1000e]:FROM_DEVICE:2^11", true, true,
	 DMS_STATE_UNCHANGED},
	{DOUBLE, "double-unmap:e1000e:-:-:FROM_DEVICE:2^11", true, true, DMS_STATE_NEW},
	{DOUBLE, "double-unmap:pci:-:-:FROM_DEVICE:2^11", true, false, DMS_STATE_UNCHANGED},
	{DOUBLE, "double-unmap:e1000e:-:-:TO_DEVICE:2^11", true, false, DMS_STATE_NEW},
	{DOUBLE, "double-unmap:e1000e:-:-:FROM_DEVICE:2^12", true, false, DMS_STATE_NEW},
	{DOUBLE, "unmap-not-mapped:e1000e:-:-:FROM_DEVICE:2^11", true, false, DMS_STATE_NEW},
	{DOUBLE, "double-unmap", true, false, DMS_STATE_NEW}, /* not of our making */
};

START_TEST(unknown_parts_fit_if_nothing_contradicts)
{
	const struct dms_finding_change *change;

	add_finding(&bench->base[0], pairs[_i].base);
	add_finding(&bench->head[0], pairs[_i].head)->rule = "double-unmap";
	bench->base[0].baseline.has_stacks = pairs[_i].base_has_stacks;
	bench->head[0].baseline.has_stacks = pairs[_i].head_has_stacks;
	compare(bench);
	ck_assert_uint_eq(bench->result->n_findings,
			  pairs[_i].state == DMS_STATE_UNCHANGED ? 1 : 2);
	change = &bench->result->findings[0];
	ck_assert_int_eq(change->state, pairs[_i].state);
	ck_assert_int_eq(bench->result->verdict == DMS_VERDICT_FAIL,
			 pairs[_i].state == DMS_STATE_NEW);
}
END_TEST

START_TEST(one_of_several_is_not_judged)
{
	add_finding(&bench->base[0], LEAK);
	add_finding(&bench->base[0], LEAK_TX);
	add_finding(&bench->head[0], LEAK_BARE);
	bench->head[0].baseline.has_stacks = false;
	compare(bench);
	ck_assert_uint_eq(bench->result->n_findings, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(bench->result->findings[i].state, DMS_STATE_NOT_JUDGED);
		ck_assert_has(bench->result->findings[i].reason, "one of several");
	}
	ck_assert_int_eq(bench->result->verdict, DMS_VERDICT_LOSSY);
}
END_TEST

START_TEST(an_exact_match_comes_first)
{
	add_finding(&bench->base[0], LEAK);
	add_finding(&bench->base[0], LEAK_BARE);
	add_finding(&bench->head[0], LEAK);
	add_finding(&bench->head[0], LEAK_BARE);
	compare(bench);
	ck_assert_uint_eq(bench->result->n_findings, 2);
	ck_assert_int_eq(bench->result->findings[0].state, DMS_STATE_UNCHANGED);
	ck_assert_int_eq(bench->result->findings[1].state, DMS_STATE_UNCHANGED);
}
END_TEST

START_TEST(two_findings_of_one_run_are_two)
{
	add_finding(&bench->base[0], DOUBLE);
	add_finding(&bench->head[0], DOUBLE);
	add_finding(&bench->head[0], "double-unmap:e1000e:-:rx_free[e1000e]:FROM_DEVICE:2^11");
	compare(bench);
	ck_assert_uint_eq(bench->result->n_findings, 2);
	ck_assert_int_eq(bench->result->findings[0].state, DMS_STATE_NEW);
	ck_assert_int_eq(bench->result->findings[1].state, DMS_STATE_UNCHANGED);
}
END_TEST

START_TEST(runs_with_and_without_stacks_meet_on_one_side)
{
	bench->n_head = 2;
	add_finding(&bench->base[0], LEAK);
	add_finding(&bench->head[0], LEAK);
	add_finding(&bench->head[1], LEAK_BARE);
	bench->head[1].baseline.has_stacks = false;
	ck_assert_int_eq(only_finding(bench)->state, DMS_STATE_UNCHANGED);
	ck_assert_uint_eq(bench->result->findings[0].runs_head, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compare");
	TCase *tests = tcase_create("findings");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_base_did_not_have_is_new_and_fails);
	tcase_add_test(tests, what_both_have_is_unchanged);
	tcase_add_test(tests, without_a_base_everything_is_new);
	tcase_add_test(tests, graver_or_surer_is_worse_and_the_reverse_is_not);
	tcase_add_loop_test(tests, a_count_must_outgrow_the_work, 0, (int)DMS_ARRAY_SIZE(counts));
	tcase_add_test(tests, counts_of_what_is_only_possible_say_nothing);
	tcase_add_test(tests, fewer_after_losses_is_not_better);
	tcase_add_test(tests, what_head_would_have_seen_is_fixed);
	tcase_add_loop_test(tests, what_head_could_not_see_is_not_judged_and_fails_closed, 0,
			    (int)DMS_ARRAY_SIZE(obstacles));
	tcase_add_test(tests, what_base_could_not_judge_either_hides_nothing);
	tcase_add_test(tests, a_rule_that_is_no_more_is_not_fixed);
	tcase_add_test(tests, what_would_not_fail_need_not_be_judged);
	tcase_add_test(tests, what_base_could_not_see_is_new_with_a_remark);
	tcase_add_loop_test(tests, unknown_parts_fit_if_nothing_contradicts, 0,
			    (int)DMS_ARRAY_SIZE(pairs));
	tcase_add_test(tests, one_of_several_is_not_judged);
	tcase_add_test(tests, an_exact_match_comes_first);
	tcase_add_test(tests, two_findings_of_one_run_are_two);
	tcase_add_test(tests, runs_with_and_without_stacks_meet_on_one_side);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/rules: the rows, the engine, messages and facts. The rules: check_rule_scripts.c. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rulebench.h"

/* ---- rows ------------------------------------------------------------------------------------ */

static bool is_kebab(const char *id)
{
	size_t len = strlen(id);

	return len && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && id[0] != '-' &&
	       id[len - 1] != '-' && !strstr(id, "--") && strncmp(id, "no-", 3) != 0;
}

static void check_yields(const struct dms_rule *rule)
{
	char copy[256], *save = NULL, *word;

	snprintf(copy, sizeof(copy), "%s", rule->yields_to ? rule->yields_to : "");
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		const struct dms_rule *other = dms_rule_find(word);

		ck_assert_msg(other && other != rule, "%s yields to %s", rule->id, word);
		ck_assert_msg(other->on & rule->on, "%s never meets %s", rule->id, word);
	}
}

START_TEST(rows_are_sound)
{
	const struct dms_rule *rules[DMS_MAX_RULES];
	size_t count = dms_rules_all(rules);

	ck_assert_uint_ge(count, 26);
	for (size_t i = 0; i < count; i++) {
		const struct dms_rule *rule = rules[i];

		ck_assert_msg(is_kebab(rule->id), "%s is not kebab-case", rule->id);
		ck_assert_msg(!i || strcmp(rules[i - 1]->id, rule->id) < 0, "%s: twice or unsorted",
			      rule->id);
		ck_assert_msg(rule->title && rule->message && rule->cause && rule->cure &&
				      rule->source && rule->check,
			      "%s lacks a text", rule->id);
		ck_assert_msg(rule->on && !(rule->on >> DMS_N_STEPS), "%s: when?", rule->id);
		ck_assert_ptr_eq(dms_rule_find(rule->id), rule);
		check_yields(rule);
	}
}
END_TEST

/* ---- the engine ------------------------------------------------------------------------------ */

/* A list mapped as one, released as single with another direction: two rules see it, one speaks. */
static void unmap_wrongly(struct bench *bench)
{
	bench_feed(bench, "100 a alloc virt=0xf000 dma=0x1000 size=4096 dir=bi");
	bench_feed(bench, "200 a unmap dma=0x1000 size=512 dir=bi");
}

static void switch_rule(struct bench *bench, const char *word)
{
	ck_assert_ptr_null(dms_rules_switch(bench->rules, word));
}

START_TEST(a_rule_yields)
{
	struct bench bench;

	bench_create(&bench);
	unmap_wrongly(&bench);
	ck_assert_uint_eq(bench.n_told, 1);
	ck_assert_str_eq(bench.told[0].head, "unmap-wrong-function error certain");
	bench_destroy(&bench);
}
END_TEST

/* Switched off is not the same as satisfied: what yields to it stays silent. */
START_TEST(a_rule_switched_off_is_still_yielded_to)
{
	struct bench bench;

	bench_create(&bench);
	switch_rule(&bench, "no-unmap-wrong-function");
	unmap_wrongly(&bench);
	ck_assert_uint_eq(bench.n_told, 0);
	bench_destroy(&bench);
}
END_TEST

START_TEST(the_last_switch_counts)
{
	struct bench bench;

	bench_create(&bench);
	switch_rule(&bench, "no-unmap-wrong-function");
	switch_rule(&bench, "unmap-wrong-function");
	switch_rule(&bench, "no-unmap-not-mapped");
	unmap_wrongly(&bench);
	ck_assert_uint_eq(bench.n_told, 1);
	bench_destroy(&bench);
}
END_TEST

START_TEST(switching_off_leaves_the_others)
{
	struct bench bench;

	bench_create(&bench);
	switch_rule(&bench, "no-unmap-size-mismatch");
	bench_feed(&bench, "100 a map dma=0x1000 phys=0x1000 size=4096 dir=to");
	bench_feed(&bench, "200 a unmap dma=0x1000 size=512 dir=from");
	ck_assert_uint_eq(bench.n_told, 1);
	ck_assert_str_eq(bench.told[0].head, "unmap-direction-mismatch error certain");
	bench_destroy(&bench);
}
END_TEST

static const char *const not_rules[] = {
	"", "no-", "no-no-double-unmap", "unmap", "double-unmap ", "Double-unmap", "no-unmap-sizes",
};

START_TEST(what_is_no_rule_is_refused)
{
	struct bench bench;
	struct dms_error *err;

	bench_create(&bench);
	err = dms_rules_switch(bench.rules, not_rules[_i]);
	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_USAGE);
	dms_error_free(err);
	bench_destroy(&bench);
}
END_TEST

/* What the event does not have is not judged by what the field happens to hold. */
START_TEST(a_rule_needs_what_it_looks_at)
{
	struct bench bench;

	bench_create(&bench);
	bench_feed(&bench, "100 a map dma=0x1000 phys=0x1000 size=4096 dir=to");
	bench.hidden = DMS_HAS_SIZE | DMS_HAS_DIR;
	bench_feed(&bench, "200 a unmap dma=0x1000 size=512 dir=from");
	bench_feed(&bench, "300 a map dma=0x5000 phys=0x5000 size=0 dir=none");
	ck_assert_uint_eq(bench.n_told, 0);
	bench.hidden = 0;
	bench_feed(&bench, "400 a map dma=0x6000 phys=0x6000 size=0 dir=none");
	ck_assert_uint_eq(bench.n_told, 2);
	bench_destroy(&bench);
}
END_TEST

static struct dms_error *refuse(void *context, const struct dms_finding *finding)
{
	(void)finding;
	++*(int *)context;
	return &dms_error_nomem;
}

START_TEST(an_error_of_the_sink_is_passed_on)
{
	struct dms_event event = {.kind = DMS_EV_MAP, .has = DMS_HAS_SIZE | DMS_HAS_DIR};
	struct dms_mapping mapping = {.dir = DMS_DIR_NONE};
	struct dms_device device = {0};
	struct dms_step step = {
		.kind = DMS_STEP_MAP, .event = &event, .device = &device, .mapping = &mapping};
	struct dms_rules *rules;
	int count = 0;

	event.dir = DMS_DIR_NONE; /* and no size: two rules are broken, the first one is told */
	ck_assert_ptr_null(dms_rules_create(refuse, &count, &rules));
	ck_assert_ptr_eq(dms_rules_step(rules, &step), &dms_error_nomem);
	ck_assert_int_eq(count, 1);
	dms_rules_destroy(rules);
	dms_rules_destroy(NULL);
}
END_TEST

/* ---- messages and facts ---------------------------------------------------------------------- */

static const struct dms_rule odd_rule = {
	.id = "odd",
	.message = "{word}{none} {big} {addr} {open [{number} bytes]}",
};

START_TEST(facts_are_put_in_place)
{
	struct dms_facts facts = {
		.n_items = 4,
		.items = {{"word", DMS_FACT_WORD, 0, "quoted \" and \\"},
			  {"big", DMS_FACT_NUMBER, UINT64_MAX, NULL},
			  {"addr", DMS_FACT_ADDRESS, 0xf000, NULL},
			  {"number", DMS_FACT_NUMBER, 12, NULL}},
	};
	struct dms_finding finding = {.rule = &odd_rule, .facts = &facts};
	char *message = dms_finding_message(&finding, NULL, NULL);
	char *text = dms_finding_json(&finding, NULL, NULL);
	json_t *json = json_loads(text, 0, NULL);

	/* a fact nobody added leaves nothing; an open brace holds up to the next closing one */
	ck_assert_str_eq(message,
			 "quoted \" and \\ 18446744073709551615 0x000000000000f000  bytes]}");
	ck_assert_ptr_nonnull(json);
	ck_assert_str_eq(json_string_value(json_object_get(json, "word")), "quoted \" and \\");
	ck_assert_str_eq(json_string_value(json_object_get(json, "addr")), "0x000000000000f000");
	ck_assert_str_eq(json_string_value(json_object_get(json, "big")), "18446744073709551615");
	ck_assert_int_eq(json_integer_value(json_object_get(json, "number")), 12);
	json_decref(json);
	dms_free(text);
	dms_free(message);
}
END_TEST

/* What a log did not tell leaves no empty brackets; durations are for people. */
START_TEST(a_message_reads_well)
{
	static const struct dms_rule rule = {
		.id = "well",
		.message = "list [start={start}] [size={number}, {more} bytes] [len={number}], {a_ns} "
			   "before{hint}",
	};
	struct dms_facts facts = {
		.n_items = 2,
		.items = {{"number", DMS_FACT_NUMBER, 12, NULL},
			  {"a_ns", DMS_FACT_NUMBER, 813760407, NULL}},
	};
	struct dms_finding finding = {.rule = &rule, .facts = &facts};
	char *message = dms_finding_message(&finding, NULL, NULL);

	ck_assert_str_eq(message, "list [len=12], 813.8 ms before");
	dms_free(message);
}
END_TEST

/* Longer than any buffer: cut, and ended. */
START_TEST(a_long_message_is_cut)
{
	char *format = dms_alloc(4000), *word = dms_alloc(3000), *message;
	struct dms_facts facts = {.n_items = 1, .items = {{"word", DMS_FACT_WORD, 0, word}}};
	struct dms_rule rule = {.id = "long", .message = format};
	struct dms_finding finding = {.rule = &rule, .facts = &facts};

	memset(word, 'w', 2999);
	word[2999] = '\0';
	for (int i = 0; i < 3; i++) {
		snprintf(format, 4000, "%*s{word} and {word}%*s", i * 700, "", 1000, "");
		message = dms_finding_message(&finding, NULL, NULL);
		ck_assert_ptr_nonnull(message);
		ck_assert_uint_le(strlen(message), 1023);
		ck_assert_uint_ge(strlen(message), 1000);
		dms_free(message);
	}
	dms_free(format);
	dms_free(word);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, rows_are_sound);
	tcase_add_test(tests, a_rule_yields);
	tcase_add_test(tests, a_rule_switched_off_is_still_yielded_to);
	tcase_add_test(tests, the_last_switch_counts);
	tcase_add_test(tests, switching_off_leaves_the_others);
	tcase_add_loop_test(tests, what_is_no_rule_is_refused, 0, DMS_ARRAY_SIZE(not_rules));
	tcase_add_test(tests, a_rule_needs_what_it_looks_at);
	tcase_add_test(tests, an_error_of_the_sink_is_passed_on);
	tcase_add_test(tests, facts_are_put_in_place);
	tcase_add_test(tests, a_message_reads_well);
	tcase_add_test(tests, a_long_message_is_cut);
}

int main(void)
{
	Suite *suite = suite_create("rules");
	TCase *tests = tcase_create("rules");
	SRunner *runner;
	int n_failed;

	add_tests(tests);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? 1 : 0;
}

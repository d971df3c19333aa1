// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of src/rules. Scripts in tests/scripts/rules tell events, and behind "! " the findings they
 * must make, in order, nothing more and nothing less: "! ID SEVERITY CONFIDENCE [KEY=VALUE]...",
 * with "_" for a space in a value; "= TEXT" is the whole message of the finding above it.
 * ID-fire.txt must break the rule, ID-near.txt must not though it comes close, and in ID-gap.txt
 * something not recorded may explain it all: it fails nobody.
 */
#include <check.h>
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/rules.h>

#include "lib/textsource.h"

#define MAX_TOLD 16

/** One finding as it was told: its row, and what it says. */
struct told {
	const struct dms_rule *rule;
	char head[128]; /* "ID SEVERITY CONFIDENCE" */
	char *message;
	json_t *facts;
};

/** Model and rules under test, and what they told since the last event. */
struct bench {
	struct dms_names names;
	struct dms_model *model;
	struct dms_rules *rules;
	uint32_t hidden; /* DMS_HAS_* bits taken from every event */
	struct told told[MAX_TOLD];
	unsigned int n_told;
};

static struct dms_error *take(void *context, const struct dms_finding *finding)
{
	struct bench *bench = context;
	struct told *told = &bench->told[bench->n_told];
	char *text = dms_finding_json(finding);

	ck_assert_uint_lt(bench->n_told++, MAX_TOLD);
	snprintf(told->head, sizeof(told->head), "%s %s %s", finding->rule->id,
		 dms_severity_name(finding->severity), dms_confidence_name(finding->confidence));
	ck_assert_msg(!finding->reason == (finding->confidence == DMS_CERTAIN),
		      "%s: a reason is for doubt, and doubt needs one", told->head);
	ck_assert_uint_lt(finding->facts->n_items, DMS_MAX_FACTS);
	told->rule = finding->rule;
	told->message = dms_finding_message(finding);
	ck_assert_ptr_nonnull(told->message);
	ck_assert_ptr_nonnull(text);
	told->facts = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(json_is_object(told->facts), "%s: facts are no JSON: %s", told->head, text);
	ck_assert_uint_eq(json_object_size(told->facts), finding->facts->n_items);
	dms_free(text);
	return NULL;
}

static struct dms_error *judge(void *context, const struct dms_step *step)
{
	struct bench *bench = context;

	return dms_rules_step(bench->rules, step);
}

static void bench_create(struct bench *bench)
{
	*bench = (struct bench){.names.devices = dms_strtab_create()};
	ck_assert_ptr_null(dms_rules_create(take, bench, &bench->rules));
	ck_assert_ptr_null(dms_model_create(&bench->names, judge, bench, &bench->model));
}

static void forget(struct bench *bench)
{
	for (unsigned int i = 0; i < bench->n_told; i++) {
		dms_free(bench->told[i].message);
		json_decref(bench->told[i].facts);
	}
	bench->n_told = 0;
}

static void bench_destroy(struct bench *bench)
{
	forget(bench);
	dms_model_destroy(bench->model);
	dms_rules_destroy(bench->rules);
	dms_strtab_destroy(bench->names.devices);
}

static struct dms_error *apply(struct bench *bench, struct text_item *item)
{
	switch (item->kind) {
	case TEXT_EVENT:
		item->event.has &= ~bench->hidden;
		return dms_model_event(bench->model, &item->event);
	case TEXT_GAP:
		return dms_model_gap(bench->model, &item->gap);
	case TEXT_UNBIND:
		return dms_model_unbind(bench->model, item->device, item->ts);
	case TEXT_END:
		return dms_model_end(bench->model, item->ts);
	default:
		return NULL;
	}
}

/* False if the line tells nothing that happens. */
static bool feed(struct bench *bench, const char *line)
{
	struct text_item item;

	text_parse(line, bench->names.devices, &item);
	ck_assert_msg(item.kind != TEXT_BAD, "not understood: %s", line);
	if (item.kind == TEXT_NOTHING)
		return false;
	ck_assert_ptr_null(apply(bench, &item));
	return true;
}

/* ---- scripts ------------------------------------------------------------------------------- */

/* A fact's value as scripts write it: numbers in decimal, "_" for a space. */
static const char *value_of(const json_t *fact, char *buf, size_t size)
{
	if (json_is_integer(fact))
		snprintf(buf, size, "%" JSON_INTEGER_FORMAT, json_integer_value(fact));
	else
		snprintf(buf, size, "%s", json_is_string(fact) ? json_string_value(fact) : "none");
	for (char *at = buf; *at; at++) {
		if (*at == ' ')
			*at = '_';
	}
	return buf;
}

static void compare_finding(const struct told *told, const char *expected, const char *where)
{
	char copy[512], buf[128], *save, *pair;
	size_t head_len = strlen(told->head);

	ck_assert_msg(!strncmp(expected, told->head, head_len) &&
			      (expected[head_len] == ' ' || !expected[head_len]),
		      "%s: expected \"%s\", told \"%s\"", where, expected, told->head);
	snprintf(copy, sizeof(copy), "%s", expected + head_len);
	for (pair = strtok_r(copy, " ", &save); pair; pair = strtok_r(NULL, " ", &save)) {
		char *equals = strchr(pair, '=');
		const char *got;

		ck_assert_msg(equals != NULL, "%s: no fact: %s", where, pair);
		*equals = '\0';
		got = value_of(json_object_get(told->facts, pair), buf, sizeof(buf));
		ck_assert_msg(!strcmp(got, equals + 1), "%s: %s is %s, not %s", where, pair, got,
			      equals + 1);
	}
}

/** What the name of a script promises, and what came of it. */
struct promise {
	const struct dms_rule *rule;
	const char *what; /* "fire", "near", "gap" */
	unsigned int n_full, n_info;
};

static struct promise promise_of(const char *path)
{
	const char *name = strrchr(path, '/') + 1, *dash = strrchr(name, '-');
	struct promise promise = {0};
	char id[64];

	ck_assert_msg(dash != NULL, "%s: not called ID-fire.txt, -near or -gap", path);
	snprintf(id, sizeof(id), "%.*s", (int)(dash - name), name);
	promise.rule = dms_rule_find(id);
	promise.what = dash + 1;
	ck_assert_msg(promise.rule != NULL, "%s: no rule is called %s", path, id);
	return promise;
}

static void count_told(struct promise *promise, const struct bench *bench)
{
	for (unsigned int i = 0; i < bench->n_told; i++) {
		bool is_full = strstr(bench->told[i].head,
				      dms_severity_name(promise->rule->severity)) != NULL;

		if (bench->told[i].rule != promise->rule)
			continue;
		promise->n_full += is_full;
		promise->n_info += !is_full;
	}
}

static void check_promise(const struct promise *promise, const char *path)
{
	if (!strcmp(promise->what, "fire.txt"))
		ck_assert_msg(promise->n_full > 0, "%s: does not fire", path);
	else if (!strcmp(promise->what, "near.txt"))
		ck_assert_msg(!promise->n_full && !promise->n_info, "%s: fires", path);
	else if (!strcmp(promise->what, "gap.txt"))
		ck_assert_msg(!promise->n_full, "%s: sure in spite of the gap", path);
	else
		ck_abort_msg("%s: not called ID-fire.txt, -near or -gap", path);
}

static void run_script(const char *path)
{
	struct promise promise = promise_of(path);
	unsigned int line_number = 0, n_checked = 0;
	FILE *file = fopen(path, "r");
	struct bench bench;
	char line[4096], where[600];

	ck_assert_ptr_nonnull(file);
	bench_create(&bench);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(where, sizeof(where), "%s:%u", path, ++line_number);
		if (!strncmp(line, "! ", 2)) {
			ck_assert_msg(n_checked < bench.n_told, "%s: expected \"%s\", told nothing",
				      where, line + 2);
			compare_finding(&bench.told[n_checked++], line + 2, where);
			continue;
		}
		if (!strncmp(line, "= ", 2)) {
			ck_assert_msg(n_checked > 0, "%s: no finding above", where);
			ck_assert_str_eq(bench.told[n_checked - 1].message, line + 2);
			continue;
		}
		ck_assert_msg(n_checked == bench.n_told, "%s: told beyond what is expected: %s",
			      where, bench.told[n_checked].head);
		forget(&bench);
		n_checked = 0;
		if (feed(&bench, line))
			count_told(&promise, &bench);
	}
	ck_assert_msg(n_checked == bench.n_told, "%s: told beyond the last line: %s", path,
		      bench.told[n_checked].head);
	check_promise(&promise, path);
	fclose(file);
	bench_destroy(&bench);
}

#define MAX_SCRIPTS 256
static char script_paths[MAX_SCRIPTS][512];
static int n_scripts;

START_TEST(script)
{
	run_script(script_paths[_i]);
}
END_TEST

static int compare_paths(const void *left, const void *right)
{
	return strcmp(left, right);
}

static void find_scripts(void)
{
	const char *root = getenv("SRCDIR");
	char folder[256];
	struct dirent *entry;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/tests/scripts/rules", root ? root : ".");
	dir = opendir(folder);
	while (dir && (entry = readdir(dir)) && n_scripts < MAX_SCRIPTS) {
		if (strstr(entry->d_name, ".txt"))
			snprintf(script_paths[n_scripts++], sizeof(script_paths[0]), "%s/%.200s",
				 folder, entry->d_name);
	}
	if (dir)
		closedir(dir);
	qsort(script_paths, (size_t)n_scripts, sizeof(script_paths[0]), compare_paths);
}

/* Rules that have no gap script, because nothing lost or older than the trace could change them. */
static const char *const gapless[] = {
	"fault-unmapped",	 /* the IOMMU itself says so */
	"free-in-atomic",	 /* the context is in the event itself */
	"map-direction-none",	 /* so is the direction */
	"map-failed",		 /* so is the failure, and it is only information anyway */
	"map-zero-size",	 /* so is the size */
	"unmap-invalid-address", /* no mapping ever has this address */
};

static bool has_script(const char *id, const char *what)
{
	char wanted[128];

	snprintf(wanted, sizeof(wanted), "/%s-%s.txt", id, what);
	for (int i = 0; i < n_scripts; i++) {
		const char *name = strrchr(script_paths[i], '/');

		if (!strcmp(name, wanted))
			return true;
	}
	return false;
}

static bool is_gapless(const char *id)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(gapless); i++) {
		if (!strcmp(gapless[i], id))
			return true;
	}
	return false;
}

START_TEST(every_rule_fires_nearly_fires_and_knows_gaps)
{
	const struct dms_rule *rules[DMS_MAX_RULES];
	size_t count = dms_rules_all(rules);

	for (size_t i = 0; i < count; i++) {
		const char *id = rules[i]->id;

		ck_assert_msg(has_script(id, "fire"), "no script %s-fire.txt", id);
		ck_assert_msg(has_script(id, "near"), "no script %s-near.txt", id);
		ck_assert_msg(has_script(id, "gap") != is_gapless(id),
			      "%s: either %s-gap.txt or a row of gapless", id, id);
	}
	for (size_t i = 0; i < DMS_ARRAY_SIZE(gapless); i++)
		ck_assert_msg(dms_rule_find(gapless[i]) != NULL, "no rule %s", gapless[i]);
}
END_TEST

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
	feed(bench, "100 a alloc virt=0xf000 dma=0x1000 size=4096 dir=bi");
	feed(bench, "200 a unmap dma=0x1000 size=512 dir=bi");
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
	feed(&bench, "100 a map dma=0x1000 phys=0x1000 size=4096 dir=to");
	feed(&bench, "200 a unmap dma=0x1000 size=512 dir=from");
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
	feed(&bench, "100 a map dma=0x1000 phys=0x1000 size=4096 dir=to");
	bench.hidden = DMS_HAS_SIZE | DMS_HAS_DIR;
	feed(&bench, "200 a unmap dma=0x1000 size=512 dir=from");
	feed(&bench, "300 a map dma=0x5000 phys=0x5000 size=0 dir=none");
	ck_assert_uint_eq(bench.n_told, 0);
	bench.hidden = 0;
	feed(&bench, "400 a map dma=0x6000 phys=0x6000 size=0 dir=none");
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
	struct dms_step step = {.kind = DMS_STEP_MAP, .event = &event, .mapping = &mapping};
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
	char *message = dms_finding_message(&finding), *text = dms_finding_json(&finding);
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
		message = dms_finding_message(&finding);
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
	tcase_add_loop_test(tests, script, 0, n_scripts);
	tcase_add_test(tests, every_rule_fires_nearly_fires_and_knows_gaps);
	tcase_add_test(tests, rows_are_sound);
	tcase_add_test(tests, a_rule_yields);
	tcase_add_test(tests, a_rule_switched_off_is_still_yielded_to);
	tcase_add_test(tests, the_last_switch_counts);
	tcase_add_test(tests, switching_off_leaves_the_others);
	tcase_add_loop_test(tests, what_is_no_rule_is_refused, 0, DMS_ARRAY_SIZE(not_rules));
	tcase_add_test(tests, a_rule_needs_what_it_looks_at);
	tcase_add_test(tests, an_error_of_the_sink_is_passed_on);
	tcase_add_test(tests, facts_are_put_in_place);
	tcase_add_test(tests, a_long_message_is_cut);
}

int main(void)
{
	Suite *suite = suite_create("rules");
	TCase *tests = tcase_create("rules");
	SRunner *runner;
	int n_failed;

	find_scripts();
	add_tests(tests);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? 1 : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of src/rules. Scripts in tests/scripts/rules tell events, and behind "! " the findings they
 * must make, in order, nothing more and nothing less: "! ID SEVERITY CONFIDENCE [KEY=VALUE]...",
 * with "_" for a space in a value; "= TEXT" is the whole message of the finding above it.
 * Before the first event "@inventory LINE", "@iomem LINE", "@inputs BITS" and "@never-elides" tell
 * what is known of machine and trace: as in dmascope-inventory(5), /proc/iomem, enum dms_input.
 * ID-fire.txt must break the rule, ID-near.txt must not though it comes close, and in ID-gap.txt
 * something not recorded may explain it all: it fails nobody.
 */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rulebench.h"

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
		const char *severity = strchr(bench->told[i].head, ' '); /* behind the id */
		bool is_full = strstr(severity, dms_severity_name(promise->rule->severity)) != NULL;

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
	struct text_reader reader = {.file = fopen(path, "r")};
	unsigned int n_checked = 0;
	struct bench bench;
	char line[4096], where[600];

	ck_assert_ptr_nonnull(reader.file);
	bench_create(&bench);
	while (text_read_line(&reader, line, sizeof(line))) {
		snprintf(where, sizeof(where), "%s:%u", path, reader.line_number);
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
		bench_forget(&bench);
		n_checked = 0;
		if (bench_setting(&bench, line))
			continue;
		if (line[0] && line[0] != '#')
			bench_configure(&bench);
		if (bench_feed(&bench, line))
			count_told(&promise, &bench);
	}
	ck_assert_msg(n_checked == bench.n_told, "%s: told beyond the last line: %s", path,
		      bench.told[n_checked].head);
	check_promise(&promise, path);
	fclose(reader.file);
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
	"alloc-blocking-in-atomic", /* flags and context are in the event itself */
	"bounce-avoidable",	 /* what is counted was seen */
	"cacheline-misaligned",	 /* so it is here */
	"fault-overrun",	 /* the IOMMU itself says so: only the reason is a guess */
	"fault-unmapped",	 /* the IOMMU itself says so */
	"free-in-atomic",	 /* the context is in the event itself */
	"hot-remap",		 /* what is counted was seen */
	"iommu-unmap-mismatch",	 /* both sizes are in the event itself */
	"map-direction-none",	 /* so is the direction */
	"map-failed",		 /* so is the failure, and it is only information anyway */
	"map-from-stack",	 /* who tells it saw the stack itself */
	"small-coherent-alloc",	 /* what is counted was seen */
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

int main(void)
{
	Suite *suite = suite_create("rule scripts");
	TCase *tests = tcase_create("scripts");
	SRunner *runner;
	int n_failed;

	find_scripts();
	tcase_add_loop_test(tests, script, 0, n_scripts);
	tcase_add_test(tests, every_rule_fires_nearly_fires_and_knows_gaps);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? 1 : 0;
}

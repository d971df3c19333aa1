// SPDX-License-Identifier: GPL-2.0-only
/* Tests of suppressions: which findings they fit, when they expire, what is written and read back. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <dmascope/diff.h>

#define TODAY 20778 /* 2026-11-21 */

static char path[64];
static struct dms_config *config;

static const struct dms_function unmap_frames[] = {
	{"e1000_unmap", "e1000"}, {"e1000_clean_tx_irq", "e1000"}, {"e1000_clean", "e1000"},
	{"net_rx_action", NULL},
};
static const struct dms_function map_frames[] = {
	{"e1000_tx_map", "e1000"}, {"e1000_xmit_frame", "e1000"}, {NULL, NULL},
	{"dev_hard_start_xmit", NULL},
};
static const struct dms_base_finding finding = {
	.fingerprint = "unmap-size-mismatch:e1000:e1000_tx_map[e1000]:e1000_unmap[e1000]:TO_DEVICE:2^11",
	.rule = "unmap-size-mismatch",
	.device_kind = "e1000",
	.device = "0000:00:05.0",
	.frames = unmap_frames,
	.n_frames = 4,
	.map_frames = map_frames,
	.n_map_frames = 4,
};

static void setup(void)
{
	strcpy(path, "/tmp/check_suppress.XXXXXX");
	close(mkstemp(path));
	config = dms_config_create();
	ck_assert_ptr_nonnull(config);
}

static void teardown(void)
{
	dms_config_destroy(config);
	unlink(path);
}

/* Read a file that holds one suppression with @keys. */
static struct dms_error *read_block(const char *keys)
{
	FILE *file = fopen(path, "w");

	fprintf(file, "suppressions:\n- {name: n, reason: r, %s}\n", keys);
	fclose(file);
	dms_config_destroy(config);
	config = dms_config_create();
	return dms_config_read(config, path);
}

static bool is_suppressed(const char *keys, const struct dms_base_finding *which)
{
	struct dms_error *err = read_block(keys);

	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	return dms_suppression_find(config, which, TODAY);
}

START_TEST(test_fits)
{
	static const char *const fitting[] = {
		"rule: unmap-*",
		"rule: unmap-size-mismatch, driver: e1000",
		"driver: 'e1*'",
		"device: '0000:00:*'",
		"fingerprint: '*:2^11'",
		"frames: [e1000_unmap]",
		"frames: [e1000_*, e1000_clean_tx_irq]",
		"frames: ['*', '*', '*', net_rx_action]",
		"frames: ['...', net_rx_action]",
		"frames: ['...', e1000_clean_tx_irq, '...']",
		"frames: ['...', e1000_clean_tx_irq, '...', net_rx_action, '...', '...']",
		"frames: ['...', 'e1000_*', e1000_clean]", /* the first e1000_* is not the one */
		"frames: [e1000_tx_map]", /* who mapped */
		"frames: [e1000_tx_map, e1000_xmit_frame, '*', dev_hard_start_xmit]",
		"frames: ['...', dev_hard_start_xmit]",
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(fitting); i++)
		ck_assert_msg(is_suppressed(fitting[i], &finding), "%s", fitting[i]);
}
END_TEST

START_TEST(test_fits_not)
{
	static const char *const others[] = {
		"rule: sync-*",
		"rule: unmap-*, driver: nvme",
		"driver: e100",
		"device: '0000:01:*'",
		"fingerprint: '*:2^12'",
		"frames: [e1000_clean_tx_irq]", /* not the innermost */
		"frames: [e1000_unmap, e1000_clean]",
		"frames: ['*', '*', '*', '*', '*']", /* deeper than any stack */
		"frames: ['...', net_rx_action, '*']",
		"frames: ['...', net_rx_action, '...', e1000_clean]",
		"frames: [e1000_unmap, e1000_xmit_frame]", /* half of one, half of the other */
		"frames: [e1000_tx_map, e1000_xmit_frame, dev_hard_start_xmit]",
		"frames: [E1000_UNMAP]",
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(others); i++)
		ck_assert_msg(!is_suppressed(others[i], &finding), "%s", others[i]);
}
END_TEST

/* What is not known is not taken for what was meant. */
START_TEST(test_unknown)
{
	const struct dms_base_finding bare = {
		.fingerprint = "x", .rule = "unmap-size-mismatch", .device_kind = "e1000"};

	ck_assert(is_suppressed("rule: unmap-*", &bare));
	ck_assert(!is_suppressed("rule: unmap-*, frames: ['...', e1000_unmap]", &bare));
	ck_assert(!is_suppressed("rule: unmap-*, frames: ['*']", &bare));
	ck_assert(!is_suppressed("rule: unmap-*, device: '0000:*'", &bare));
}
END_TEST

START_TEST(test_expires)
{
	ck_assert(is_suppressed("rule: unmap-*, expires: 2026-11-21", &finding)); /* the last day */
	ck_assert(is_suppressed("rule: unmap-*, expires: 2027-01-01", &finding));
	ck_assert(!is_suppressed("rule: unmap-*, expires: 2026-11-20", &finding));
}
END_TEST

START_TEST(test_refused)
{
	static const struct {
		const char *keys, *words;
	} rows[] = {
		{"rule: unmap-sise-mismatch", "did you mean 'unmap-size-mismatch'?"},
		{"rule: 'xyz*'", "fits no rule"},
		{"rul: unmap-*", "did you mean 'rule'?"},
		{"driver: ''", "empty"},
		{"expires: 2027-01-01", "would suppress everything"},
		{"frames: ['...']", "would suppress everything"},
		{"rule: unmap-*, expires: 2027-02-30", "not a date"},
		{"rule: unmap-*, expires: 1970-01-01", "not a date"},
		{"frames: e1000_unmap", "expected a list, got a value"},
		{"frames: [[a]]", "expected a value, got a list"},
		{"rule: '*', frames: [a, '']", "empty"},
		{"rule: '*', name: twice", "already"},
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		struct dms_error *err = read_block(rows[i].keys);

		ck_assert_msg(err, "%s is taken", rows[i].keys);
		ck_assert_msg(strstr(dms_error_message(err), rows[i].words), "%s: %s", rows[i].keys,
			      dms_error_message(err));
		ck_assert_ptr_nonnull(strstr(dms_error_message(err), ":2: "));
		dms_error_free(err);
	}
}
END_TEST

START_TEST(test_needed)
{
	static const char *const texts[] = {
		"suppressions: [{name: n, rule: '*'}]", "suppressions: [{reason: r, rule: '*'}]",
		"suppressions: ['unmap-*']", "suppressions: {name: n}", "suppressions: [~]",
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(texts); i++) {
		FILE *file = fopen(path, "w");
		struct dms_error *err;

		fputs(texts[i], file);
		fclose(file);
		err = dms_config_read(config, path);
		ck_assert_msg(err, "%s is taken", texts[i]);
		dms_error_free(err);
	}
}
END_TEST

/* No pattern takes a second. */
START_TEST(test_slow)
{
	static struct dms_function deep[1000];
	static char name[2000];
	struct dms_base_finding slow = finding;
	char keys[1024] = "frames: [";
	clock_t begin;

	memset(name, 'a', sizeof(name) - 1);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(deep); i++)
		deep[i].name = name;
	slow.frames = deep;
	slow.n_frames = DMS_ARRAY_SIZE(deep);
	for (int i = 0; i < 16; i++)
		strcat(keys, "'...', 'a*', ");
	strcat(keys, "'...', '*a*a*a*a*a*b']");
	begin = clock();
	ck_assert(!is_suppressed(keys, &slow));
	ck_assert_int_lt(clock() - begin, 5 * CLOCKS_PER_SEC);
}
END_TEST

/* ---- written --------------------------------------------------------------------------------------- */

static void write_file(const struct dms_comparison *comparison)
{
	FILE *file = fopen(path, "w");
	struct dms_error *err = dms_suppressions_print(comparison, file);

	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	fclose(file);
	dms_config_destroy(config);
	config = dms_config_create();
	err = dms_config_read(config, path);
	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
}

START_TEST(test_written)
{
	struct dms_base_finding all[6];
	struct dms_finding_change changes[6] = {0};
	const struct dms_comparison comparison = {.findings = changes, .n_findings = 6};
	static const struct dms_function hostile[] = {{"a*b?[c]\\d\n\x1b[31m\xff: '#", NULL}};
	const struct dms_suppression *block;
	size_t n;

	for (size_t i = 0; i < 6; i++) {
		all[i] = finding;
		changes[i].head = &all[i];
		changes[i].fails = true;
	}
	/* 0: as it is. 1: the same but for its size: must stay. 2: another driver, no site */
	all[1].fingerprint = "the same site, another size";
	changes[1].fails = false;
	all[2].device_kind = "nvme";
	all[2].n_frames = all[2].n_map_frames = 0;
	/* 3: a leak: only who mapped. 4: names that mean something to YAML and globs */
	all[3].rule = "leak-at-unbind";
	all[3].n_frames = 0;
	all[4].rule = "unmap-not-mapped";
	all[4].frames = hostile;
	all[4].n_frames = 1;
	all[4].device_kind = "...";
	/* 5: gone */
	all[5].rule = "double-unmap";
	changes[5] = (struct dms_finding_change){.base = &all[5]};
	write_file(&comparison);
	dms_config_suppressions(config, &n);
	ck_assert_uint_eq(n, 4);
	for (size_t i = 0; i < 6; i++) {
		block = dms_suppression_find(config, &all[i], TODAY);
		ck_assert_msg(!!block == changes[i].fails, "%zu", i);
		ck_assert(!block || !strncmp(block->reason, "TODO: ", 6));
	}
	/* nothing fails: a file all the same */
	write_file(&(struct dms_comparison){.n_findings = 0});
	dms_config_suppressions(config, &n);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(test_unwritable)
{
	struct dms_finding_change change = {.head = &finding, .fails = true};
	FILE *full = fopen("/dev/full", "w");
	struct dms_error *err;

	if (!full)
		return;
	setvbuf(full, NULL, _IONBF, 0);
	err = dms_suppressions_print(
		&(struct dms_comparison){.findings = &change, .n_findings = 1}, full);
	fclose(full);
	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INTERNAL);
	dms_error_free(err);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("suppress");
	TCase *tcase = tcase_create("suppress");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, test_fits);
	tcase_add_test(tcase, test_fits_not);
	tcase_add_test(tcase, test_unknown);
	tcase_add_test(tcase, test_expires);
	tcase_add_test(tcase, test_refused);
	tcase_add_test(tcase, test_needed);
	tcase_add_test(tcase, test_slow);
	tcase_add_test(tcase, test_written);
	tcase_add_test(tcase, test_unwritable);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

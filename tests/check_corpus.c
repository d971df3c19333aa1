// SPDX-License-Identifier: GPL-2.0-only
/* Every case that fuzzing has found, again: each fuzz target over its folder of tests/fixtures/fuzz. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <dmascope/base.h>

/* tests/fuzz/fuzz_<name>.c, under the name it has here; the Makefile gives it. */
#define TARGETS(row)                                                                               \
	row(baseline) row(config) row(database) row(fleet) row(inventory) row(iomem) row(kallsyms) \
		row(perf) row(side) row(text) row(textline) row(tracedat) row(unpack)

#define DECLARE(name) int fuzz_##name(const uint8_t *data, size_t size);
TARGETS(DECLARE)

#define ROW(name) {#name, fuzz_##name},
static const struct {
	const char *name;
	int (*run)(const uint8_t *data, size_t size);
} targets[] = {TARGETS(ROW)};

/* libFuzzer's, which mutators call; nothing is mutated here. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	(void)data, (void)max_size;
	return size;
}

/* More than a second a KiB of input is a hang; sanitizers and busy machines have ten. */
static double limit_seconds(size_t size)
{
	return 10 * (1 + (double)size / 1024);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void replay(int target, const char *path)
{
	static uint8_t data[1 << 20];
	FILE *file = fopen(path, "r");
	double begin = now();
	uint8_t *exact;
	size_t size;

	ck_assert_msg(file != NULL, "%s", path);
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	/* in memory of exactly its size: a sanitizer sees the first byte behind it */
	exact = malloc(size ? size : 1);
	ck_assert_ptr_nonnull(exact);
	memcpy(exact, data, size);
	printf("%s\n", path); /* the last one told is the one that ended us */
	fflush(stdout);
	targets[target].run(exact, size);
	free(exact);
	ck_assert_msg(now() - begin < limit_seconds(size), "%s: %.1f s", path, now() - begin);
}

START_TEST(test_cases)
{
	char folder[512], path[1024];
	struct dirent *entry;
	DIR *dir;
	int n = 0;

	snprintf(folder, sizeof(folder), SRCDIR "/tests/fixtures/fuzz/%s", targets[_i].name);
	dir = opendir(folder);
	ck_assert_msg(dir != NULL, "%s: no folder", folder);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		replay(_i, path);
		n++;
	}
	closedir(dir);
	ck_assert_msg(n > 0, "%s: no case", folder);
}
END_TEST

/* The same for no bytes at all, and for a few that are nothing. */
START_TEST(test_nothing)
{
	static const char *const texts[] = {"", "\n", "x", "0123456789abcdef", "{}", "[]", "SQLite"};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(texts); i++)
		targets[_i].run((const uint8_t *)texts[i], strlen(texts[i]));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("corpus");
	TCase *tcase = tcase_create("targets");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_set_timeout(tcase, 250);
	tcase_add_loop_test(tcase, test_cases, 0, DMS_ARRAY_SIZE(targets));
	tcase_add_loop_test(tcase, test_nothing, 0, DMS_ARRAY_SIZE(targets));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Files read with each allocation failing alone: what they hold comes whole, or memory is short. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/input.h>

#include "lib/lack.h"

static const char *const files[] = {
	"stock-6.12-rmmod.dat", "s390x-7.2-v7-zstd.dat", "twin-7.2.txt",
	"twin-7.2-stack.txt.zst", "twin-7.2-pstore.txt.gz", "text-6.12-report.txt",
	"text-7.2-console.txt", "twin-7.2-perf.data.xz", "stock-6.12-perf-pipe.data.xz",
};

/** What came of one reading. */
struct sum {
	uint64_t n_records, n_gaps, n_lost, hash;
};

static void add_up(struct sum *sum, const struct dms_item *item)
{
	if (item->kind == DMS_ITEM_GAP) {
		sum->n_gaps++;
		sum->n_lost += item->gap.lost;
		return;
	}
	sum->n_records++;
	sum->hash = dms_hash64(sum->hash ^ dms_hash_bytes(item->record.data, item->record.size) ^
			       item->record.ts ^ item->record.n_chain);
}

static void add_formats(struct sum *sum, const struct dms_source *source)
{
	uint32_t n;
	const struct dms_format *formats = dms_source_formats(source, &n);

	for (uint32_t i = 0; i < n; i++)
		sum->hash = dms_hash64(sum->hash ^ dms_hash_bytes(formats[i].text, formats[i].size));
}

static struct dms_error *read_file(const char *path, struct sum *ret)
{
	struct dms_source *source = NULL;
	struct dms_error *err = dms_source_open(path, &source);
	struct dms_item item = {.kind = DMS_ITEM_RECORD};

	*ret = (struct sum){0};
	if (err)
		return err;
	add_formats(ret, source);
	while (!(err = dms_source_next(source, &item)) && item.kind != DMS_ITEM_END)
		add_up(ret, &item);
	dms_source_close(source);
	return err;
}

START_TEST(all_or_nothing)
{
	char path[256];
	struct sum whole, sum;
	bool is_lacking = true;

	snprintf(path, sizeof(path), "%s/tests/fixtures/%s", SRCDIR, files[_i]);
	ck_assert_ptr_null(read_file(path, &whole));
	ck_assert_uint_gt(whole.n_records, 0);
	for (unsigned long n = 1; is_lacking; n++) {
		struct dms_error *err;

		lack_begin(n);
		err = read_file(path, &sum);
		is_lacking = lack_end();
		ck_assert_msg(!err || dms_error_code(err) == DMS_ERROR_INTERNAL, "%s, %lu: %s",
			      files[_i], n, err ? dms_error_message(err) : "");
		ck_assert_msg(err || !memcmp(&sum, &whole, sizeof(sum)),
			      "%s, %lu: %lu records, %lu gaps", files[_i], n,
			      (unsigned long)sum.n_records, (unsigned long)sum.n_gaps);
		dms_error_free(err);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("source-memory");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(all, 120);
	tcase_add_loop_test(all, all_or_nothing, 0, DMS_ARRAY_SIZE(files));
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

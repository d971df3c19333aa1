// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/input/perf on files made by hand: layouts, byte orders, order, losses, damage. */
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "lib/perfimage.h"

static const uint64_t layouts[] = {ALL_BITS, ID_BITS, ID_BITS | 32, ID_BITS | 16,
				   2 | 4 | 64 | 128 | 1024 /* ID for IDENTIFIER */};

START_TEST(every_bit)
{
	static struct image image;
	struct dms_source *source;
	const struct dms_source_info *info;
	struct dms_item item;
	const char *text;
	size_t size;

	start_file(&image, layouts[_i / 2], _i % 2);
	put_sample(&image, 70, 1000, 3, 0xabcd);
	put_sample(&image, 90, 1001, 3, 5); /* a hardware sample */
	source = open_or_fail(finish_file(&image, "bits"));
	info = dms_source_info(source);
	ck_assert_str_eq(info->format, "perf.data");
	ck_assert_str_eq(info->release, "6.12.95");
	ck_assert_str_eq(info->clock, "mono");
	ck_assert(info->big_endian == (_i % 2 == 1));
	ck_assert_ptr_null(dms_source_kallsyms(source, &text, &size));
	ck_assert_uint_eq(size, 23);
	next(source, &item);
	ck_assert_int_eq(item.kind, DMS_ITEM_RECORD);
	ck_assert_uint_eq(item.record.ts, 1000);
	ck_assert_uint_eq(item.record.cpu, 3);
	ck_assert_uint_eq(mark_of(&item.record, _i % 2), 0xabcd);
	if (layouts[_i / 2] & 32) {
		ck_assert_uint_eq(item.record.n_chain, 2);
		ck_assert_uint_eq(item.record.chain[0], 0xffffffff81000010);
		ck_assert_uint_eq(item.record.chain[1], 0xffffffff81000020);
	} else {
		ck_assert_uint_eq(item.record.n_chain, 0);
	}
	ck_assert_str_eq(dms_source_comm(source, 9), "nine");
	expect_end(source, 0);
}
END_TEST

/* Two CPUs' buffers in turn, and one record that comes a round late. */
START_TEST(rounds_are_merged)
{
	static struct image image;
	struct dms_source *source;

	start_file(&image, ID_BITS, false);
	put_sample(&image, 70, 10, 0, 1);
	put_sample(&image, 70, 30, 0, 3);
	put_sample(&image, 70, 20, 1, 2);
	put_sample(&image, 70, 50, 1, 5);
	put_round(&image);
	put_sample(&image, 70, 40, 0, 4);
	put_sample(&image, 70, 60, 0, 6);
	put_round(&image);
	put_sample(&image, 70, 55, 1, 7);
	put_round(&image);
	source = open_or_fail(finish_file(&image, "rounds"));
	expect_record(source, 10, 0, 1);
	expect_record(source, 20, 1, 2);
	expect_record(source, 30, 0, 3);
	expect_record(source, 40, 0, 4);
	expect_record(source, 50, 1, 5);
	expect_record(source, 55, 1, 7);
	expect_record(source, 60, 0, 6);
	expect_end(source, 0);
}
END_TEST

/* One zstd stream through several records, cut where it happens to be; both kinds of record. */
START_TEST(compressed)
{
	static struct image image, plain;
	static uint8_t packed[1 << 17];
	struct dms_source *source;
	size_t bytes;

	start_file(&plain, ID_BITS, false);
	plain.size = 0;
	for (uint32_t i = 0; i < 900; i++)
		put_sample(&plain, 70, 1000 + i, 0, i);
	bytes = ZSTD_compress(packed, sizeof(packed), plain.data, plain.size, 1);
	ck_assert(!ZSTD_isError(bytes));
	start_file(&image, ID_BITS, false);
	for (size_t done = 0; done < bytes;) {
		size_t piece = bytes - done < 1000 ? bytes - done : 1000;
		size_t at = begin(&image, _i ? 83 : 81, 0);

		if (_i)
			put(&image, piece, 8);
		put_bytes(&image, packed + done, piece);
		while (_i && image.size % 8)
			put(&image, 0, 1);
		end(&image, at);
		done += piece;
	}
	source = open_or_fail(finish_file(&image, "packed"));
	for (uint32_t i = 0; i < 900; i++)
		expect_record(source, 1000 + i, 0, i);
	expect_end(source, 0);
}
END_TEST

/* perf record --threads: a head, and a file of records for each thread beside it. */
START_TEST(folder_of_threads)
{
	static struct image image;
	char folder[64], path[80];
	struct dms_source *source;
	struct dms_error *err;
	size_t at;

	snprintf(folder, sizeof(folder), "%s/threads", work);
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	start_file(&image, ID_BITS, false);
	image.is_folder = true;
	at = begin(&image, 3, 0); /* COMM of pid 7, tid 9: in the head, but of all */
	put(&image, 7, 4);
	put(&image, 9, 4);
	put_bytes(&image, "worker\0\0", 8);
	put_trailer(&image, 70, 0, 0);
	end(&image, at);
	finish_file(&image, "threads/data");
	ck_assert_ptr_nonnull(err = dms_source_open(folder, &source));
	ck_assert_ptr_nonnull(strstr(dms_error_message(err), "data.0"));
	dms_error_free(err);
	for (uint32_t cpu = 0; cpu < 2; cpu++) {
		image.size = 0;
		for (uint32_t i = 0; i < 3; i++)
			put_sample(&image, 70, 10 * (i + 1) + cpu, cpu, i);
		if (cpu)
			put_lost(&image, 5, 50, cpu);
		snprintf(path, sizeof(path), "threads/data.%u", cpu);
		write_file(work_file(path), image.data, image.size);
	}
	if (_i)
		snprintf(folder, sizeof(folder), "%s/threads/data", work);
	source = open_or_fail(folder);
	ck_assert_str_eq(dms_source_info(source)->format, "perf.data (folder)");
	for (uint32_t i = 0; i < 6; i++)
		expect_record(source, 10 * (i / 2 + 1) + i % 2, i % 2, i / 2);
	expect_gap(source,
		   (struct dms_gap){.after_ts = 31, .before_ts = 50, .lost = 5, .cpu = 1});
	ck_assert_str_eq(dms_source_comm(source, 9), "worker");
	expect_end(source, 0);
	snprintf(path, sizeof(path), "rm -r %s/threads", work);
	ck_assert_int_eq(system(path), 0);
}
END_TEST

/* Everything in records, the tracing data behind one of them. */
START_TEST(pipe_mode)
{
	static struct image image;
	struct dms_source *source;
	size_t at;

	image.big = _i;
	start_pipe(&image, 0);
	at = begin(&image, 3, 0); /* COMM of pid 7, tid 9 */
	put(&image, 7, 4);
	put(&image, 9, 4);
	put_bytes(&image, "worker\0\0", 8);
	put_trailer(&image, 70, 0, 0);
	end(&image, at);
	put_sample(&image, 70, 5, 1, 77);
	write_file(work_file("pipe"), image.data, image.size);
	source = open_or_fail(work_file("pipe"));
	ck_assert_str_eq(dms_source_info(source)->format, "perf.data (pipe)");
	ck_assert_str_eq(dms_source_info(source)->release, "6.12.95");
	expect_record(source, 5, 1, 77);
	ck_assert_str_eq(dms_source_comm(source, 9), "worker");
	expect_end(source, 0);
}
END_TEST

/* A record that is none is stepped over, counted, and a gap says so. */
START_TEST(damage_inside)
{
	static struct image image;
	struct dms_source *source;
	struct dms_item item;
	unsigned int n_records = 0, n_gaps = 0;
	const char *first;
	size_t bad = 0;

	start_file(&image, ID_BITS, false);
	for (uint32_t i = 0; i < 50; i++) {
		if (i == 20)
			bad = image.size;
		put_sample(&image, 70, 100 + i, 0, i);
	}
	put_at(&image, bad + (_i ? 0 : 6), _i ? 0xffffffff : 3, _i ? 4 : 2);
	source = open_or_fail(finish_file(&image, "damage"));
	do {
		next(source, &item);
		n_records += item.kind == DMS_ITEM_RECORD;
		n_gaps += item.kind == DMS_ITEM_GAP;
	} while (item.kind != DMS_ITEM_END);
	ck_assert_uint_eq(n_records, 49);
	ck_assert_uint_ge(n_gaps, 1);
	ck_assert_uint_eq(dms_source_damage(source, &first), 1);
	ck_assert_ptr_nonnull(strstr(first, "no record"));
	dms_source_close(source);
}
END_TEST

/* Sizes within a sample that pass its end: that sample is a gap of one, and no more. */
START_TEST(absurd_sizes)
{
	static struct image image;
	struct dms_source *source;
	size_t at;

	start_file(&image, ID_BITS | 32, false);
	put_sample(&image, 70, 10, 0, 1);
	at = image.size;
	put_sample(&image, 70, 20, 0, 2);
	/* the chain's length stands behind header, IDENTIFIER, IP, TID, TIME, CPU, PERIOD */
	if (_i)
		put_at(&image, at + 8 + 48, UINT64_MAX / 8 + 1, 8);
	else
		put_at(&image, at + 8 + 48 + 48, 0xfffffff0, 4);
	put_sample(&image, 70, 30, 0, 3);
	source = open_or_fail(finish_file(&image, "absurd"));
	expect_record(source, 10, 0, 1);
	expect_gap(source, (struct dms_gap){.after_ts = 10, .before_ts = 20, .lost = 1});
	expect_record(source, 30, 0, 3);
	expect_end(source, 1);
}
END_TEST

/* Cut anywhere, it opens or says why not, and ends. */
START_TEST(truncated)
{
	static struct image image;
	const char *path;

	start_file(&image, ALL_BITS, _i);
	for (uint32_t i = 0; i < 8; i++)
		put_sample(&image, 70, 100 + i, 0, i);
	finish_file(&image, "whole");
	for (size_t size = 16; size < image.size; size += 64) {
		struct dms_source *source;
		struct dms_item item;
		struct dms_error *err;

		path = work_file("cut");
		write_file(path, image.data, size);
		err = dms_source_open(path, &source);
		if (err) {
			ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
			dms_error_free(err);
			continue;
		}
		do {
			next(source, &item);
		} while (item.kind != DMS_ITEM_END);
		dms_source_close(source);
	}
}
END_TEST

static const struct {
	uint64_t sample_type;
	const char *says;
} refused[] = {
	{ID_BITS & ~4u, "no time"},
	{ID_BITS & ~1024u, "no raw data"},
};

START_TEST(what_cannot_be_read)
{
	static struct image image;
	struct dms_source *source;
	struct dms_error *err;

	start_file(&image, refused[_i].sample_type, false);
	err = dms_source_open(finish_file(&image, "refused"), &source);
	ck_assert_ptr_nonnull(err);
	ck_assert_msg(strstr(dms_error_message(err), refused[_i].says), "%s",
		      dms_error_message(err));
	dms_error_free(err);
}
END_TEST

int main(void)
{
	SRunner *runner;
	TCase *cases = tcase_create("perf");
	Suite *suite = suite_create("perf");
	char command[128];
	int n_failed;

	if (!mkdtemp(work))
		return 1;
	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(cases, every_bit, 0, 2 * (int)DMS_ARRAY_SIZE(layouts));
	tcase_add_test(cases, rounds_are_merged);
	tcase_add_loop_test(cases, compressed, 0, 2);
	tcase_add_loop_test(cases, folder_of_threads, 0, 2);
	tcase_add_loop_test(cases, pipe_mode, 0, 2);
	tcase_add_loop_test(cases, damage_inside, 0, 2);
	tcase_add_loop_test(cases, absurd_sizes, 0, 2);
	tcase_add_loop_test(cases, truncated, 0, 2);
	tcase_add_loop_test(cases, what_cannot_be_read, 0, (int)DMS_ARRAY_SIZE(refused));
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	snprintf(command, sizeof(command), "rm -rf %s", work);
	return system(command) || n_failed ? 1 : 0;
}

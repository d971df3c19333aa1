// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/input/perf on files made by hand: what they lack, and what says so. */
#include <unistd.h>

#include "lib/perfimage.h"

/*
 * A LOST record stands where its CPU lost; what only the counters know of, at its end. perf tells
 * the CPU of a counter by its id only: without an index of them only the sums compare.
 */
START_TEST(losses_are_gaps)
{
	static struct image image;
	struct dms_source *source;
	bool has_index = _i / 2;
	size_t at;

	start_file(&image, ID_BITS, _i % 2);
	if (has_index)
		put_id_index(&image, 1);
	put_sample(&image, 70, 10, 0, 1);
	put_sample(&image, 70, 20, 1, 2);
	put_round(&image);
	put_lost(&image, 5, 40, 0);
	put_sample(&image, 70, 41, 0, 3);
	at = begin(&image, 13, 0); /* LOST_SAMPLES: 5 were told, 2 more were not */
	put(&image, 7, 8);
	put_trailer(&image, 70, 0, 0);
	end(&image, at);
	at = begin(&image, 13, 1 << 15); /* dropped by the user's filter */
	put(&image, 99, 8);
	put_trailer(&image, 70, 0, 1);
	end(&image, at);
	source = open_or_fail(finish_file(&image, "lost"));
	expect_record(source, 10, 0, 1);
	expect_gap(source, (struct dms_gap){.after_ts = 10, .before_ts = 40, .lost = 5});
	expect_record(source, 20, 1, 2);
	if (!has_index)
		expect_gap(source,
			   (struct dms_gap){.after_ts = 20, .before_ts = UINT64_MAX, .lost = 2});
	expect_record(source, 41, 0, 3);
	if (has_index)
		expect_gap(source,
			   (struct dms_gap){.after_ts = 41, .before_ts = UINT64_MAX, .lost = 2});
	ck_assert_uint_eq(dms_source_info(source)->lost_by_stats, 7);
	expect_end(source, 0);
}
END_TEST

/* Counters tell the losses of LOST records once more, with another CPU (0) in the trailer: no gap. */
START_TEST(losses_are_told_twice)
{
	static struct image image;
	struct dms_source *source;
	size_t at;

	start_file(&image, ID_BITS, false);
	put_sample(&image, 70, 10, 0, 1);
	put_sample(&image, 70, 20, 1, 2);
	put_lost(&image, 5, 40, 1);
	at = begin(&image, 13, 0);
	put(&image, 5, 8);
	put_trailer(&image, 70, 0, 0);
	end(&image, at);
	source = open_or_fail(finish_file(&image, "twice"));
	expect_record(source, 10, 0, 1);
	expect_record(source, 20, 1, 2);
	expect_gap(source,
		   (struct dms_gap){.after_ts = 20, .before_ts = 40, .lost = 5, .cpu = 1});
	expect_end(source, 0);
}
END_TEST

/*
 * A file of --switch-output, known by its name: CPU 1 was stopped later than CPU 0, and begun
 * later. Under another name it is a recording as others are.
 */
START_TEST(switched_output)
{
	static struct image image;
	struct dms_source *source;

	start_file(&image, ID_BITS, false);
	put_sample(&image, 70, 10, 0, 1);
	put_sample(&image, 70, 30, 0, 2);
	put_sample(&image, 70, 12, 1, 3);
	put_sample(&image, 70, 40, 1, 4);
	put_round(&image);
	source = open_or_fail(finish_file(&image, _i ? "p.data.2026112110162526" : "p.data"));
	if (_i)
		expect_gap(source, (struct dms_gap){.before_ts = 12});
	expect_record(source, 10, 0, 1);
	expect_record(source, 12, 1, 3);
	expect_record(source, 30, 0, 2);
	if (_i)
		expect_gap(source, (struct dms_gap){.after_ts = 30, .before_ts = UINT64_MAX});
	expect_record(source, 40, 1, 4);
	ck_assert_uint_eq(dms_source_info(source)->n_notes, _i);
	expect_end(source, 0);
}
END_TEST

/* NRCPUS says that two CPUs were online, ID_INDEX on how many events were open. */
START_TEST(some_cpus_only)
{
	static struct image image;
	struct dms_source *source;
	uint32_t n_open = (uint32_t)_i;

	start_pipe(&image, 2);
	put_id_index(&image, n_open);
	put_sample(&image, 70, 5, 0, 1);
	write_file(work_file("cpus"), image.data, image.size);
	source = open_or_fail(work_file("cpus"));
	if (n_open == 1) {
		expect_gap(source, (struct dms_gap){.before_ts = UINT64_MAX});
		ck_assert_ptr_nonnull(
			strstr(dms_source_info(source)->notes[0], "only 1 of 2 CPUs"));
	}
	expect_record(source, 5, 0, 1);
	ck_assert_uint_eq(dms_source_info(source)->n_notes, n_open == 1);
	expect_end(source, 0);
}
END_TEST

/* Where the kernel was, without kallsyms: it is of use to move a table that was given. */
START_TEST(kernel_without_kallsyms)
{
	static const char given[] = "ffffffff81000000 T _text\nffffffff81000100 T schedule\n";
	static struct image image;
	struct dms_source_options options = {0};
	struct dms_source *source;
	const char *text;
	char map[256];
	size_t size, at;

	image.has_no_kallsyms = true;
	start_pipe(&image, 2);
	at = begin(&image, _i ? 10 : 1, 1);
	put(&image, UINT32_MAX, 4);
	put(&image, 0, 4);
	put(&image, 0xffffffffa2000000, 8);
	put(&image, 0x1000000, 8);
	put(&image, 0xffffffffa2000000, 8);
	for (int i = 0; i < (_i ? 4 : 0); i++)
		put(&image, 0, 8);
	put_bytes(&image, "[kernel.kallsyms]_text\0", 24);
	end(&image, at);
	put_sample(&image, 70, 5, 0, 1);
	write_file(work_file("moved"), image.data, image.size);
	write_file(work_file("map"), given, sizeof(given) - 1);
	source = open_or_fail(work_file("moved"));
	ck_assert_ptr_null(dms_source_kallsyms(source, &text, &size));
	ck_assert_ptr_null(text); /* by itself it would name every address */
	dms_source_close(source);
	snprintf(map, sizeof(map), "%s", work_file("map"));
	options.kallsyms = map;
	ck_assert_ptr_null(dms_source_open_with(work_file("moved"), &options, &source));
	ck_assert_ptr_null(dms_source_kallsyms(source, &text, &size));
	ck_assert_msg(strstr(text, "ffffffffa2000100 T schedule") != NULL, "%s", text);
	dms_source_close(source);
}
END_TEST

/* Cut in its head, a pipe's file lacks what stands at its beginning, and says so. */
START_TEST(pipe_is_cut)
{
	static struct image image;
	struct dms_source *source;
	struct dms_error *err;
	const char *first;

	start_pipe(&image, 2);
	write_file(work_file("cutpipe"), image.data, _i ? image.tracing_at : image.tracing_at + 80);
	err = dms_source_open(work_file("cutpipe"), &source);
	if (!err) { /* with half of the formats */
		ck_assert_ptr_null(dms_source_next(source, &(struct dms_item){0}));
		ck_assert_uint_eq(dms_source_damage(source, &first), 1);
		ck_assert_ptr_nonnull(strstr(first, "cut off"));
		dms_source_close(source);
		return;
	}
	ck_assert_ptr_null(strstr(dms_error_message(err), "its end"));
	ck_assert_msg(strstr(dms_error_message(err), "cut off") != NULL, "%s",
		      dms_error_message(err));
	dms_error_free(err);
}
END_TEST

int main(void)
{
	SRunner *runner;
	TCase *cases = tcase_create("gaps");
	Suite *suite = suite_create("perf_gaps");
	char command[128];
	int n_failed;

	if (!mkdtemp(work))
		return 1;
	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(cases, losses_are_gaps, 0, 4);
	tcase_add_test(cases, losses_are_told_twice);
	tcase_add_loop_test(cases, switched_output, 0, 2);
	tcase_add_loop_test(cases, some_cpus_only, 1, 3);
	tcase_add_loop_test(cases, kernel_without_kallsyms, 0, 2);
	tcase_add_loop_test(cases, pipe_is_cut, 0, 2);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	snprintf(command, sizeof(command), "rm -rf %s", work);
	return system(command) || n_failed ? 1 : 0;
}

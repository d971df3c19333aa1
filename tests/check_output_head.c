// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/output: formats, call stacks and names of one and of several files; what is refused. */
#include <unistd.h>

#include "lib/fakesource.h"

/* one is the same, three has the number of two, two has another */
static const struct dms_format formats_b[] = {FORMAT("one", 500, "x"), FORMAT("three", 501, "y"),
					      FORMAT("two", 502, "x"), FORMAT("four", 503, "z")};

/* ---- call stacks, names, formats ------------------------------------------------------------- */

static uint64_t load_long(const uint8_t *at, uint32_t bytes, bool big_endian)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < bytes; i++)
		value |= (uint64_t)at[big_endian ? bytes - 1 - i : i] << 8 * i;
	return value;
}

static void check_stack(const struct dms_record *record, const struct dms_source_info *info,
			const uint64_t *chain, uint32_t n_chain)
{
	const uint8_t *stack = record->next;
	uint32_t at = info->long_size == 8 ? 16 : 12;

	ck_assert_ptr_nonnull(stack);
	ck_assert_uint_eq(record->next_size, at + n_chain * info->long_size);
	ck_assert_uint_eq(load_long(stack, 2, info->big_endian), 4);
	ck_assert_mem_eq(stack + 4, (const uint8_t *)record->data + 4, 4); /* the same task */
	ck_assert_uint_eq(load_long(stack + 8, 4, info->big_endian), n_chain);
	for (uint32_t i = 0; i < n_chain; i++)
		ck_assert_uint_eq(load_long(stack + at + i * info->long_size, info->long_size,
					    info->big_endian),
				  chain[i]);
}

START_TEST(chains)
{
	static const uint64_t chain[] = {0x81234560, 0xc0001234, 0x89};
	struct dms_item items[] = {RECORD(10, 0, 500, 12), RECORD(20, 0, 501, 12)};
	struct fake *fake = fake_create(items, DMS_ARRAY_SIZE(items));
	struct dms_output_report report;
	const struct dms_format *formats;
	struct dms_source *source;
	struct dms_item item;
	uint32_t n_formats;

	items[0].record.chain = chain;
	items[0].record.n_chain = DMS_ARRAY_SIZE(chain);
	fake->common.info.long_size = _i & 1 ? 4 : 8;
	fake->common.info.big_endian = _i & 2;
	fake->kallsyms = "81234500 T f\n";
	source = write_and_open(fake, &ways[0], &report);
	formats = dms_source_formats(source, &n_formats);
	ck_assert_uint_eq(n_formats, 3);
	ck_assert_str_eq(formats[0].system, "ftrace");
	ck_assert_str_eq(formats[0].name, "kernel_stack");
	item = next_item(source);
	ck_assert_uint_eq(item.record.ts, 10);
	check_stack(&item.record, dms_source_info(source), chain, DMS_ARRAY_SIZE(chain));
	item = next_item(source); /* the stack itself */
	ck_assert_uint_eq(item.record.ts, 10);
	item = next_item(source);
	ck_assert_uint_eq(item.record.ts, 20);
	ck_assert_ptr_null(item.record.next);
	ck_assert_uint_eq(report.stacks, 1);
	dms_source_close(source);
}
END_TEST

START_TEST(task_names)
{
	const struct dms_item items[] = {RECORD(10, 0, 500, 12)};
	struct fake *fake = fake_create(items, 1);
	char names[] = "7 with space\n8 unseen\n";
	struct dms_source *source;

	fake->common.cmdlines = names;
	source = write_and_open(fake, &ways[_i], NULL);
	ck_assert_pstr_eq(dms_source_comm(source, 7), "with space");
	ck_assert_ptr_null(dms_source_comm(source, 8)); /* no record is its own */
	ck_assert_str_eq(dms_source_info(source)->release, "9.9");
	dms_source_close(source);
}
END_TEST

static uint32_t type_of(const struct dms_source *source, const char *name)
{
	uint32_t n_formats;
	const struct dms_format *formats = dms_source_formats(source, &n_formats);

	for (uint32_t i = 0; i < n_formats; i++) {
		if (!strcmp(formats[i].name, name))
			return formats[i].id;
	}
	ck_abort_msg("no event %s", name);
	return 0;
}

static uint32_t next_type(struct dms_source *source, uint32_t instance)
{
	struct dms_item item = next_item(source);

	ck_assert_int_eq(item.kind, DMS_ITEM_RECORD);
	ck_assert_uint_eq(item.record.instance, instance);
	return (uint32_t)load_long(item.record.data, 2, false);
}

/* Two files of one machine: each number stands for one event, and buffers stay apart. */
START_TEST(two_files)
{
	const struct dms_item items_a[] = {RECORD(10, 0, 500, 12), RECORD(30, 0, 501, 12)};
	const struct dms_item items_b[] = {RECORD(20, 0, 500, 12), RECORD(40, 0, 501, 12),
					   RECORD(50, 0, 502, 12), RECORD(60, 0, 503, 12)};
	struct fake *a = fake_create(items_a, 2), *b = fake_create(items_b, 4);
	struct dms_source *sources[] = {&a->common, &b->common}, *source;
	const char *path = work_file("two.dat");
	uint32_t n_formats;

	b->common.info.path = "other/b.dat";
	b->common.formats = formats_b;
	b->common.n_formats = DMS_ARRAY_SIZE(formats_b);
	convert(sources, 2, &ways[_i], path, NULL);
	source = open_or_fail(path);
	dms_source_formats(source, &n_formats);
	ck_assert_uint_eq(n_formats, 4);
	ck_assert_uint_eq(dms_source_info(source)->n_instances, 2);
	ck_assert_str_eq(dms_source_info(source)->instances[1], "b.dat");
	ck_assert_uint_eq(next_type(source, 0), type_of(source, "one"));
	ck_assert_uint_eq(next_type(source, 1), type_of(source, "one"));
	ck_assert_uint_eq(next_type(source, 0), type_of(source, "two"));
	ck_assert_uint_eq(next_type(source, 1), type_of(source, "three"));
	ck_assert_uint_eq(next_type(source, 1), type_of(source, "two"));
	ck_assert_uint_eq(next_type(source, 1), type_of(source, "four"));
	ck_assert_uint_eq(type_of(source, "two"), 501);
	ck_assert_uint_ne(type_of(source, "three"), 501);
	dms_source_close(source);
}
END_TEST

/* What a text was read from has no words: trace-cmd would print an event's name and no more. */
START_TEST(words_where_none_are)
{
	static const char text[] =
		"name: one\nID: 500\nformat:\n" COMMON
		"\tfield:__data_loc char[] device;\toffset:8;\tsize:4;\tsigned:0;\n"
		"\tfield:u64 addr;\toffset:12;\tsize:8;\tsigned:0;\n"
		"\tfield:int n;\toffset:20;\tsize:4;\tsigned:1;\n"
		"\tfield:__data_loc u64[] list;\toffset:24;\tsize:4;\tsigned:0;\n\n"
		"print fmt: \"\", __print_flags(REC->n, \"|\", {1, \"A\"})\n";
	static const char expected[] =
		"print fmt: \"device=%s addr=0x%llx n=%lld list=%s %s\", __get_str(device), "
		"REC->addr, REC->n, __print_array(__get_dynamic_array(list), "
		"__get_dynamic_array_len(list) / 8, 8), __print_flags(REC->n, \"|\", {1, "
		"\"A\"})\n";
	static const struct dms_format formats[] = {
		{.system = "test", .name = "one", .id = 500, .text = text,
		 .size = sizeof(text) - 1}};
	const struct dms_item items[] = {RECORD(10, 0, 500, 28)};
	struct fake *fake = fake_create(items, 1);
	const struct dms_format *written;
	struct dms_source *source;
	uint32_t n_formats;

	fake->common.formats = formats;
	fake->common.n_formats = 1;
	source = write_and_open(fake, &ways[_i], NULL);
	written = dms_source_formats(source, &n_formats);
	ck_assert_uint_eq(n_formats, 1);
	ck_assert_uint_gt(written->size, sizeof(expected));
	ck_assert_mem_eq(written->text + written->size - (sizeof(expected) - 1), expected,
			 sizeof(expected) - 1);
	dms_source_close(source);
}
END_TEST

static const struct {
	const char *says;
	const char *clock;
	uint32_t long_size, page_size;
	bool big_endian, is_text;
} unlike[] = {
	{"another byte order", "mono", 8, 4096, true, false},
	{"longs of another size", "mono", 4, 4096, false, false},
	{"pages of another size", "mono", 8, 16384, false, false},
	{"only names", "mono", 8, 4096, false, true},
	{"need one clock", "local", 8, 4096, false, false},
};

START_TEST(unlike_files)
{
	struct fake *a = fake_create(NULL, 0), *b = fake_create(NULL, 0);
	struct dms_source *sources[] = {&a->common, &b->common};
	const struct dms_output_options options = {.beside = work_file("unlike.dat")};
	struct dms_source_info *info = &b->common.info;
	struct dms_merge *merge;
	struct dms_output *output = NULL;
	struct dms_error *err;

	info->clock = unlike[_i].clock;
	info->long_size = unlike[_i].long_size;
	info->page_size = unlike[_i].page_size;
	info->big_endian = unlike[_i].big_endian;
	info->is_text = unlike[_i].is_text;
	merge = dms_merge_create(sources, 2);
	err = dms_output_create(merge, &options, &output);
	ck_assert_ptr_nonnull(err);
	ck_assert_ptr_null(output);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	ck_assert_msg(strstr(dms_error_message(err), unlike[_i].says), "%s",
		      dms_error_message(err));
	dms_error_free(err);
	dms_merge_destroy(merge);
}
END_TEST

/* ---- bad items ------------------------------------------------------------------------------- */

static const struct {
	uint32_t cpu, bytes;
	const char *says;
} bad_records[] = {
	{65536, 12, "CPU 65536"},
	{0, 17u << 20, "more than a trace.dat can hold"},
};

START_TEST(bad_record)
{
	_cleanup_(dms_freep) uint8_t *data = dms_zalloc(bad_records[_i].bytes);
	struct dms_item item = RECORD(1, bad_records[_i].cpu, 500, 12);
	const struct dms_output_options options = {.beside = work_file("bad.dat")};
	struct dms_source *source = &fake_create(NULL, 0)->common;
	struct dms_merge *merge = dms_merge_create(&source, 1);
	struct dms_output *output = NULL;
	struct dms_error *err;
	FILE *out = tmpfile();

	item.record.data = data;
	item.record.size = bad_records[_i].bytes;
	check_ok(dms_output_create(merge, &options, &output));
	err = dms_output_item(output, &item);
	if (!err)
		err = dms_output_write(output, out);
	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	ck_assert_msg(strstr(dms_error_message(err), bad_records[_i].says), "%s",
		      dms_error_message(err));
	dms_error_free(err);
	dms_output_destroy(output);
	dms_merge_destroy(merge);
	fclose(out);
}
END_TEST

static TCase *new_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static Suite *output_suite(void)
{
	Suite *suite = suite_create("output head");
	TCase *tcase = new_case(suite, "head");
	int n_ways = (int)DMS_ARRAY_SIZE(ways);

	tcase_add_loop_test(tcase, chains, 0, 4);
	tcase_add_loop_test(tcase, task_names, 0, n_ways);
	tcase_add_loop_test(tcase, two_files, 0, n_ways);
	tcase_add_loop_test(tcase, words_where_none_are, 0, n_ways);
	tcase_add_loop_test(tcase, unlike_files, 0, (int)DMS_ARRAY_SIZE(unlike));
	tcase_add_loop_test(tcase, bad_record, 0, (int)DMS_ARRAY_SIZE(bad_records));
	return suite;
}

int main(void)
{
	SRunner *runner;
	int failed;

	if (!mkdtemp(work))
		return 1;
	runner = srunner_create(output_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return remove_work() || failed;
}

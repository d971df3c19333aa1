// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/input/source.c and hash.c: what is no trace is refused with a hint; identity. */
#include <inttypes.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/workfiles.h"

/* ---- opening, identity
 * ------------------------------------------------------------------------------ */

static const struct {
	const char *content;
	size_t size;
	const char *says;
} no_traces[] = {
	{"", 0, "is empty"},
	{"hello", 5, "at offset 0: not a trace"},
	{"\x17\x08\x44tracinG6", 11, "at offset 0: not a trace"},
	{"\x17\x08\x44tracing6", 11, "expected the file version"},
	{"\x17\x08\x44tracing9\0\0\0\0\0", 16, "expected 6 or 7"},
	{"\x17\x08\x44tracing6\0\2\0\0\0", 16, "byte order 2"},
	{"\x17\x08\x44tracing6\0\0\x08\1\0\0\0", 18, "page size 1,"},
	{"\x17\x08\x44tracing7\0\0\x08\0\x10\0\0lzo\0", 22, "compressed with \"lzo\""},
	{"PERFILE2", 8, "ends at offset 0x8"},
	{"SQLite format 3\0", 16, "dmascope query"},
	{"\x28\xb5\x2f\xfd", 4, "at offset 0x4 of its zstd data: truncated"},
	{"\x1f\x8b", 2, "at offset 0x2 of its gzip data: truncated"},
	{"\xfd"
	 "7zXZ\0",
	 6, "at offset 0x6 of its xz data: truncated"},
	{"BZh91AY", 7, "bunzip2"},
	{"\x04\x22\x4d\x18", 4, "lz4 -d"},
	{"PK\3\4", 4, "unzip"},
	{"\x7f"
	 "ELF\2\1",
	 6, "nm vmlinux"},
	{"hello\0\0", 7, "at offset 0: not a trace"},
};

START_TEST(no_trace)
{
	const char *path = work_file("x");
	struct dms_source *source = NULL;
	struct dms_error *err;

	write_file(path, no_traces[_i].content, no_traces[_i].size);
	err = dms_source_open(path, &source);
	ck_assert_ptr_nonnull(err);
	ck_assert_ptr_null(source);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	ck_assert_msg(strstr(dms_error_message(err), path), "%s", dms_error_message(err));
	ck_assert_msg(strstr(dms_error_message(err), no_traces[_i].says), "%s",
		      dms_error_message(err));
	dms_error_free(err);
}
END_TEST

START_TEST(no_file)
{
	static const char *const paths[] = {"/nonexistent/x.dat", "/", "/dev/null"};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(paths); i++) {
		struct dms_source *source;
		struct dms_error *err = dms_source_open(paths[i], &source);

		ck_assert_ptr_nonnull(err);
		ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
		ck_assert_ptr_nonnull(strstr(dms_error_message(err), paths[i]));
		dms_error_free(err);
	}
}
END_TEST

START_TEST(hash_of_the_content)
{
	char first[DMS_HASH_TEXT], second[DMS_HASH_TEXT], want[DMS_HASH_TEXT];
	struct dms_source *source = open_or_fail(FIXTURES "stock-6.12-zoo.dat");
	XXH128_hash_t hash;
	struct dms_item item;
	uint8_t *data;
	size_t size;

	ck_assert_ptr_null(dms_source_hash(source, first));
	ck_assert_ptr_null(dms_source_next(source, &item));
	ck_assert_ptr_null(dms_source_hash(source, second)); /* whatever was read meanwhile */
	ck_assert_str_eq(first, second);
	dms_source_close(source);

	data = read_whole(FIXTURES "stock-6.12-zoo.dat", &size);
	hash = XXH3_128bits(data, size);
	snprintf(want, sizeof(want), "xxh3:%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64,
		 (uint64_t)hash.low64);
	ck_assert_str_eq(first, want);
	data[size - 1] ^= 1; /* the last byte counts */
	write_file(work_file("h.dat"), data, size);
	free(data);
	source = open_or_fail(work_file("h.dat"));
	ck_assert_ptr_null(dms_source_hash(source, second));
	ck_assert_str_ne(first, second);
	dms_source_close(source);
}
END_TEST

static void add(Suite *suite, const char *name, const TTest *test, int loops)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, test, 0, loops);
	suite_add_tcase(suite, tcase);
}

int main(void)
{
	Suite *suite = suite_create("source");
	SRunner *runner;
	int failures;

	if (!mkdtemp(work))
		return 1;
	add(suite, "no trace", no_trace, DMS_ARRAY_SIZE(no_traces));
	add(suite, "no file", no_file, 1);
	add(suite, "hash", hash_of_the_content, 1);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return remove_work() || failures ? 1 : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/input/unpack.c and kallsyms.c: compressed files, pipes, damage, tables of symbols. */
#include <fcntl.h>
#include <unistd.h>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "input/source.h"
#include "input/unpack.h"
#include "lib/workfiles.h"

#define ZOO	  FIXTURES "stock-6.12-zoo.dat"
#define PACK_BYTES (8u << 20)

/* ---- packing, with the libraries --------------------------------------------------------------- */

static size_t pack_gzip(const uint8_t *data, size_t size, uint8_t *ret)
{
	z_stream stream = {.next_in = (uint8_t *)data,
			   .avail_in = (uInt)size,
			   .next_out = ret,
			   .avail_out = PACK_BYTES};

	ck_assert_int_eq(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	return stream.total_out;
}

static size_t pack_xz(const uint8_t *data, size_t size, uint8_t *ret)
{
	size_t out = 0;

	ck_assert_int_eq(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, data, size, ret, &out,
						 PACK_BYTES),
			 LZMA_OK);
	return out;
}

static size_t pack_zstd(const uint8_t *data, size_t size, uint8_t *ret)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	size_t out;

	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	out = ZSTD_compress2(context, ret, PACK_BYTES, data, size);
	ck_assert(!ZSTD_isError(out));
	ZSTD_freeCCtx(context);
	return out;
}

static const struct {
	const char *name;
	size_t (*pack)(const uint8_t *data, size_t size, uint8_t *ret);
} packings[] = {{"gzip", pack_gzip}, {"xz", pack_xz}, {"zstd", pack_zstd}};

/** The fixture, and the same packed. */
struct pair {
	uint8_t *data, *packed;
	size_t size, packed_size;
};

static struct pair make_pair(int packing)
{
	struct pair pair;

	pair.data = read_whole(ZOO, &pair.size);
	pair.packed = malloc(PACK_BYTES);
	ck_assert_ptr_nonnull(pair.packed);
	pair.packed_size = packings[packing].pack(pair.data, pair.size, pair.packed);
	return pair;
}

static void free_pair(struct pair *pair)
{
	free(pair->data);
	free(pair->packed);
}

static struct file open_packed(const void *data, size_t size)
{
	struct dms_error *err;
	struct file file;

	write_file(work_file("packed"), data, size);
	err = file_open(work_file("packed"), &file);
	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	ck_assert_ptr_nonnull(file.origin);
	ck_assert_uint_eq(file.origin->bytes, size);
	return file;
}

static void check_content(const struct file *file, const uint8_t *data, size_t size)
{
	uint8_t *got = malloc(size + 1);

	ck_assert_uint_eq(file->size, size);
	ck_assert_ptr_null(file_read(file, 0, got, size));
	ck_assert_int_eq(memcmp(got, data, size), 0);
	free(got);
}

/* ---- whole files -------------------------------------------------------------------------------- */

START_TEST(unpacked)
{
	struct pair pair = make_pair(_i);
	struct file file = open_packed(pair.packed, pair.packed_size);

	ck_assert_str_eq(file.origin->packing, packings[_i].name);
	ck_assert_ptr_null(file.origin->damage);
	ck_assert_str_eq(file.path, work_file("packed"));
	check_content(&file, pair.data, pair.size);
	file_close(&file);
	free_pair(&pair);
}
END_TEST

/* cat a.gz b.gz: one file after the other */
START_TEST(two_members)
{
	struct pair pair = make_pair(_i);
	size_t half = pair.size / 2 + 123, bytes;
	struct file file;

	bytes = packings[_i].pack(pair.data, half, pair.packed);
	bytes += packings[_i].pack(pair.data + half, pair.size - half, pair.packed + bytes);
	file = open_packed(pair.packed, bytes);
	ck_assert_ptr_null(file.origin->damage);
	check_content(&file, pair.data, pair.size);
	file_close(&file);
	free_pair(&pair);
}
END_TEST

/* What is said of the whole as given does not depend on how it was unpacked. */
START_TEST(identity)
{
	char first[DMS_HASH_TEXT], second[DMS_HASH_TEXT], unpacked_hash[DMS_HASH_TEXT];
	struct pair pair = make_pair(_i);
	struct dms_source *source;
	struct file file = open_packed(pair.packed, pair.packed_size);

	memcpy(first, file.origin->hash, sizeof(first));
	file_close(&file);
	source = open_or_fail(work_file("packed"));
	ck_assert_ptr_null(dms_source_hash(source, second));
	ck_assert_str_eq(first, second);
	ck_assert_uint_eq(dms_source_info(source)->file_size, pair.packed_size);
	ck_assert_ptr_nonnull(strstr(dms_source_info(source)->format, packings[_i].name));
	dms_source_close(source);
	source = open_or_fail(ZOO);
	ck_assert_ptr_null(dms_source_hash(source, unpacked_hash));
	ck_assert_str_ne(first, unpacked_hash);
	dms_source_close(source);
	free_pair(&pair);
}
END_TEST

/* ---- damage ------------------------------------------------------------------------------------- */

/* Cut anywhere, it is damaged, and what came before is there. */
START_TEST(truncated)
{
	struct pair pair = make_pair(_i);

	for (size_t cut = 16; cut < pair.packed_size; cut += 997) {
		struct file file = open_packed(pair.packed, cut);
		uint8_t *got = malloc(file.size + 1);
		char offset[64];

		ck_assert_ptr_nonnull(file.origin->damage);
		snprintf(offset, sizeof(offset), "at offset %#zx of its %s data: truncated", cut,
			 packings[_i].name);
		ck_assert_msg(strstr(file.origin->damage, offset), "%s", file.origin->damage);
		ck_assert_uint_lt(file.size, pair.size + 1);
		ck_assert_ptr_null(file_read(&file, 0, got, file.size));
		ck_assert_int_eq(memcmp(got, pair.data, file.size), 0);
		free(got);
		file_close(&file);
	}
	free_pair(&pair);
}
END_TEST

/* One flipped bit: never more than was packed, and never unnoticed if the data differ. */
START_TEST(flipped)
{
	struct pair pair = make_pair(_i);
	unsigned int n_noticed = 0, n_tried = 0;

	for (size_t at = 40; at < pair.packed_size; at += 1501) {
		struct file file;
		uint8_t *got;

		pair.packed[at] ^= 0x10;
		file = open_packed(pair.packed, pair.packed_size);
		pair.packed[at] ^= 0x10;
		got = malloc(file.size + 1);
		ck_assert_ptr_null(file_read(&file, 0, got, file.size));
		n_tried++;
		n_noticed += file.origin->damage != NULL;
		ck_assert(file.origin->damage ||
			  (file.size == pair.size && !memcmp(got, pair.data, pair.size)));
		free(got);
		file_close(&file);
	}
	ck_assert_uint_ge(n_noticed * 10, n_tried * 9);
	free_pair(&pair);
}
END_TEST

START_TEST(trailing_bytes)
{
	static const uint8_t zeros[1000] = {0};
	struct pair pair = make_pair(0);
	struct file file;

	memcpy(pair.packed + pair.packed_size, zeros, sizeof(zeros)); /* as on a tape */
	file = open_packed(pair.packed, pair.packed_size + sizeof(zeros));
	ck_assert_ptr_null(file.origin->damage);
	check_content(&file, pair.data, pair.size);
	file_close(&file);
	memcpy(pair.packed + pair.packed_size, "hello, world", 12);
	file = open_packed(pair.packed, pair.packed_size + 12);
	ck_assert_ptr_nonnull(file.origin->damage);
	check_content(&file, pair.data, pair.size);
	file_close(&file);
	free_pair(&pair);
}
END_TEST

/* The trace is opened as far as it goes, and its damage counts from the start. */
START_TEST(damaged_source)
{
	struct pair pair = make_pair(_i);
	struct dms_source *source;
	const char *first;

	write_file(work_file("packed"), pair.packed, pair.packed_size * 9 / 10);
	source = open_or_fail(work_file("packed"));
	ck_assert_uint_ge(dms_source_damage(source, &first), 1);
	ck_assert_ptr_nonnull(strstr(first, packings[_i].name));
	dms_source_close(source);
	free_pair(&pair);
}
END_TEST

/* ---- limits ------------------------------------------------------------------------------------- */

START_TEST(too_much)
{
	struct pair pair = make_pair(_i);
	struct dms_error *err;
	struct file file = {.path = dms_strdup("bomb")};

	write_file(work_file("packed"), pair.packed, pair.packed_size);
	file.fd = open(work_file("packed"), O_RDONLY);
	ck_assert_int_ge(file.fd, 0);
	err = unpack_file(&file, pair.size - 1);
	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(dms_error_message(err), "bomb: gives more than"));
	dms_error_free(err);
	ck_assert_int_eq(lseek(file.fd, 0, SEEK_SET), 0);
	ck_assert_ptr_null(unpack_file(&file, pair.size)); /* just enough */
	file_close(&file);
	free_pair(&pair);
}
END_TEST

START_TEST(no_folder)
{
	struct pair pair = make_pair(0);
	struct dms_error *err;
	struct file file;

	write_file(work_file("packed"), pair.packed, pair.packed_size);
	setenv("TMPDIR", "/nonexistent/folder", 1);
	err = file_open(work_file("packed"), &file);
	unsetenv("TMPDIR");
	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INTERNAL);
	ck_assert_ptr_nonnull(strstr(dms_error_message(err), "/nonexistent/folder"));
	dms_error_free(err);
	free_pair(&pair);
}
END_TEST

START_TEST(twice_packed)
{
	struct pair pair = make_pair(_i);
	uint8_t *twice = malloc(PACK_BYTES);
	size_t bytes = pack_gzip(pair.packed, pair.packed_size, twice);
	struct dms_source *source = NULL;
	struct dms_error *err;

	write_file(work_file("packed"), twice, bytes);
	err = dms_source_open(work_file("packed"), &source);
	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(dms_error_message(err), "compressed again"));
	ck_assert_ptr_nonnull(strstr(dms_error_message(err), packings[_i].name));
	dms_error_free(err);
	free(twice);
	free_pair(&pair);
}
END_TEST

/* ---- what looks compressed ---------------------------------------------------------------------- */

START_TEST(magics)
{
	static const struct {
		const char *head;
		size_t bytes;
		const char *packing;
	} rows[] = {
		{"\x1f\x8b\x08", 3, "gzip"},
		{"\x1f", 1, NULL},
		{"", 0, NULL},
		{"\x28\xb5\x2f\xfd\x04", 5, "zstd"},
		{"\x50\x2a\x4d\x18\x04\x00\x00\x00", 8, "zstd"},
		{"\x5f\x2a\x4d\x18", 4, "zstd"},
		{"\x60\x2a\x4d\x18", 4, NULL},
		{"\xfd" "7zXZ\0", 6, "xz"},
		{"\xfd" "7zXY\0", 6, NULL},
		{"\x17\x08\x44tracing", 8, NULL},
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		const char *got = unpack_packing(rows[i].head, rows[i].bytes);

		ck_assert_msg(got == rows[i].packing ||
				      (got && rows[i].packing && !strcmp(got, rows[i].packing)),
			      "row %zu: %s", i, got ? got : "none");
	}
}
END_TEST

/* ---- kernel symbols ----------------------------------------------------------------------------- */

static const char map[] = "0000000000000000 D __per_cpu_start\n"
			  "ffffffff81000000 T _text\n"
			  "ffffffff81000010 t early_function\n"
			  "ffffffff81200000 T dma_map_page_attrs\n"
			  "ffffffff83000000 B _end\n"
			  "ffffffffff600000 A outside\n";

static void check_moved(const char *own, const char *want)
{
	char text[sizeof(map)];

	memcpy(text, map, sizeof(map));
	kallsyms_move(text, sizeof(map) - 1, own, strlen(own));
	ck_assert_msg(strstr(text, want), "%s", text);
	ck_assert_uint_eq(strlen(text), sizeof(map) - 1);
	ck_assert_ptr_nonnull(strstr(text, "0000000000000000 D __per_cpu_start\n"));
	ck_assert_ptr_nonnull(strstr(text, "ffffffffff600000 A outside\n"));
}

START_TEST(moved_symbols)
{
	check_moved("ffffffff9a000000 T _text\n", "\nffffffff9a200000 T dma_map_page_attrs\n");
	check_moved("ffffffff80000000 T _text\n", "\nffffffff80200000 T dma_map_page_attrs\n");
	check_moved("ffffffff81000000 T _text\n", "\nffffffff81200000 T dma_map_page_attrs\n");
	check_moved("0000000000000000 T _text\n", "\nffffffff81200000 T dma_map_page_attrs\n");
	check_moved("ffffffff9a000000 T _stext\n", "\nffffffff81200000 T dma_map_page_attrs\n");
	check_moved("", "\nffffffff81200000 T dma_map_page_attrs\n");
	check_moved("rubbish", "\nffffffff81200000 T dma_map_page_attrs\n");
}
END_TEST

START_TEST(given_symbols)
{
	struct dms_source_options options = {.kallsyms = work_file("map")};
	struct dms_source *source;
	struct dms_error *err;
	const char *text;
	char path[256];
	size_t size;

	snprintf(path, sizeof(path), "%s", work_file("map"));
	options.kallsyms = path;
	write_file(path, map, sizeof(map) - 1);
	ck_assert_ptr_null(dms_source_open_with(ZOO, &options, &source));
	ck_assert_ptr_null(dms_source_kallsyms(source, &text, &size));
	ck_assert_uint_eq(size, sizeof(map) - 1);
	ck_assert_ptr_nonnull(strstr(text, "dma_map_page_attrs"));
	dms_source_close(source);
	write_file(path, "\x7f" "ELF\2\1", 6);
	err = dms_source_open_with(ZOO, &options, &source);
	ck_assert_ptr_nonnull(err);
	ck_assert_ptr_nonnull(strstr(dms_error_message(err), "nm vmlinux"));
	dms_error_free(err);
	write_file(path, "hello\n", 6);
	err = dms_source_open_with(ZOO, &options, &source);
	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(dms_error_message(err), "expected kernel symbols"));
	dms_error_free(err);
}
END_TEST

/* A real kernel's whole table, linked elsewhere: moved back, it is the trace's own. */
START_TEST(moved_table)
{
	struct dms_source *source = open_or_fail(FIXTURES "oracle-ctl_sg-stack.dat");
	const char *own, *text_at;
	char *linked, *copy;
	size_t size;

	ck_assert_ptr_null(dms_source_kallsyms(source, &own, &size));
	ck_assert_ptr_nonnull(own);
	text_at = strstr(own, " T _text\n");
	if (!text_at)
		text_at = strstr(own, " T _stext\n");
	ck_assert_ptr_nonnull(text_at);
	copy = malloc(size);
	linked = malloc(size);
	memcpy(copy, own, size);
	/* "linked" at half the distance: first moved there, then back by what the trace says */
	memcpy(linked, own, size);
	{
		char elsewhere[64];
		uint64_t text = strtoull(text_at - 16, NULL, 16);

		snprintf(elsewhere, sizeof(elsewhere), "%016llx%.*s",
			 (unsigned long long)(text - 0x1000000), 10, text_at);
		kallsyms_move(linked, size, elsewhere, strlen(elsewhere));
	}
	ck_assert_int_ne(memcmp(linked, copy, size), 0);
	kallsyms_move(linked, size, own, size);
	ck_assert_int_eq(memcmp(linked, copy, size), 0);
	free(linked);
	free(copy);
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
	Suite *suite = suite_create("unpack");
	const int n = DMS_ARRAY_SIZE(packings);
	SRunner *runner;
	int failures;

	if (!mkdtemp(work))
		return 1;
	add(suite, "unpacked", unpacked, n);
	add(suite, "two members", two_members, n);
	add(suite, "identity", identity, n);
	add(suite, "truncated", truncated, n);
	add(suite, "flipped", flipped, n);
	add(suite, "trailing bytes", trailing_bytes, 1);
	add(suite, "damaged source", damaged_source, n);
	add(suite, "too much", too_much, n);
	add(suite, "no folder", no_folder, 1);
	add(suite, "twice packed", twice_packed, n);
	add(suite, "magics", magics, 1);
	add(suite, "moved symbols", moved_symbols, 1);
	add(suite, "moved table", moved_table, 1);
	add(suite, "given symbols", given_symbols, 1);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return remove_work() || failures ? 1 : 0;
}

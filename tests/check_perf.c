// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/input/perf on files made by hand: layouts, byte orders, order, losses, damage. */
#include <inttypes.h>
#include <unistd.h>

#include <zstd.h>

#include "lib/workfiles.h"

#define ALL_BITS (1u | 2 | 4 | 8 | 16 | 32 | 64 | 128 | 256 | 512 | 1024 | 65536)
#define ID_BITS	 (1u | 2 | 4 | 128 | 256 | 1024 | 65536)
#define FORMAT_TEXT                                                                                \
	"name: dma_test\nID: 300\nformat:\n"                                                       \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\nprint fmt: \"\"\n"

/* A file in the making. */
struct image {
	uint8_t data[1 << 17];
	size_t size;
	bool big;
	uint64_t sample_type;
	size_t data_at; /* where records begin */
};

static void put(struct image *image, uint64_t value, unsigned int bytes)
{
	ck_assert(image->size + bytes <= sizeof(image->data));
	for (unsigned int i = 0; i < bytes; i++)
		image->data[image->size++] =
			(uint8_t)(value >> 8 * (image->big ? bytes - 1 - i : i));
}

static void put_at(struct image *image, size_t at, uint64_t value, unsigned int bytes)
{
	size_t size = image->size;

	image->size = at;
	put(image, value, bytes);
	image->size = size;
}

static void put_bytes(struct image *image, const void *data, size_t bytes)
{
	ck_assert(image->size + bytes <= sizeof(image->data));
	memcpy(image->data + image->size, data, bytes);
	image->size += bytes;
}

static size_t begin(struct image *image, uint32_t type, uint16_t misc)
{
	size_t at = image->size;

	put(image, type, 4);
	put(image, misc, 2);
	put(image, 0, 2);
	return at;
}

static void end(struct image *image, size_t at)
{
	put_at(image, at + 6, image->size - at, 2);
}

static void put_attr(struct image *image, uint32_t type, uint64_t config, uint64_t flags)
{
	put(image, type, 4);
	put(image, 144, 4);
	put(image, config, 8);
	put(image, 1, 8);
	put(image, image->sample_type, 8);
	put(image, 4 | 16, 8);	      /* read_format ID, LOST */
	for (int i = 0; i < 8; i++) { /* a bit field: its first bit is the highest in big-endian */
		uint8_t byte = (uint8_t)(flags >> 8 * i), turned = 0;

		for (int j = 0; j < 8; j++)
			turned |= (uint8_t)((byte >> j & 1) << (7 - j));
		put(image, image->big ? turned : byte, 1);
	}
	for (int i = 48; i < 144; i += 4) /* 92 is clockid: CLOCK_MONOTONIC */
		put(image, i == 92, 4);
}

#define FLAGS (1u << 18 | 1u << 25) /* sample_id_all, use_clockid */

static void start_file(struct image *image, uint64_t sample_type, bool big)
{
	*image = (struct image){.big = big, .sample_type = sample_type};
	put_bytes(image, big ? "2ELIFREP" : "PERFILE2", 8);
	put(image, 104, 8);
	put(image, 160, 8);
	put(image, 104 + 16, 8); /* attrs, behind two ids */
	put(image, 2 * 160, 8);
	put(image, 104 + 16 + 320, 8);
	while (image->size < 104)
		put(image, 0, 8);
	put(image, 70, 8);
	put(image, 90, 8);
	put_attr(image, 2, 300, FLAGS);
	put(image, 104, 8);
	put(image, 8, 8);
	put_attr(image, 0, 0, FLAGS); /* hardware cycles, among ours */
	put(image, 112, 8);
	put(image, 8, 8);
	image->data_at = image->size;
}

static void put_tracing(struct image *image)
{
	put_bytes(image, "\x17\x08\x44tracing0.6", 14);
	put(image, image->big, 1);
	put(image, 8, 1);
	put(image, 4096, 4);
	put_bytes(image, "header_page", 12);
	put(image, 31, 8);
	put_bytes(image, "\tfield: local_t commit; size:8;", 31);
	put_bytes(image, "header_event", 13);
	put(image, 0, 8);
	put(image, 0, 4);
	put(image, 1, 4);
	put_bytes(image, "dma", 4);
	put(image, 1, 4);
	put(image, sizeof(FORMAT_TEXT) - 1, 8);
	put_bytes(image, FORMAT_TEXT, sizeof(FORMAT_TEXT) - 1);
	put(image, 23, 4);
	put_bytes(image, "ffffffff81000000 T a\nb\n", 23);
	put(image, 0, 4);
	put(image, 7, 8);
	put_bytes(image, "9 nine\n", 7);
}

/* Close the records, and put the features behind: TRACING_DATA, HOSTNAME, OSRELEASE. */
static const char *finish_file(struct image *image, const char *name)
{
	uint64_t bytes = image->size - image->data_at;
	size_t table = image->size, at;

	put_at(image, 40, image->data_at, 8);
	put_at(image, 48, bytes, 8);
	put_at(image, 72, 1 << 1 | 1 << 3 | 1 << 4, 8);
	for (int i = 0; i < 6; i++)
		put(image, 0, 8);
	at = image->size;
	put_tracing(image);
	put_at(image, table, at, 8);
	put_at(image, table + 8, image->size - at, 8);
	put_at(image, table + 16, image->size, 8);
	at = image->size;
	put(image, 8, 4);
	put_bytes(image, "6.12.95", 8);
	put_at(image, table + 32, at, 8);
	put_at(image, table + 40, image->size - at, 8);
	write_file(work_file(name), image->data, image->size);
	return work_file(name);
}

/* A sample of @id; its payload is 12 bytes: the type, and @mark. */
static void put_sample(struct image *image, uint64_t id, uint64_t ts, uint32_t cpu, uint32_t mark)
{
	uint64_t bits = image->sample_type;
	size_t at = begin(image, 9, 1);

	if (bits & 65536)
		put(image, id, 8);
	if (bits & 1)
		put(image, 0x1111, 8);
	if (bits & 2) {
		put(image, 7, 4);
		put(image, 9, 4);
	}
	if (bits & 4)
		put(image, ts, 8);
	if (bits & 8)
		put(image, 0x2222, 8);
	if (bits & 64)
		put(image, id, 8);
	if (bits & 512)
		put(image, 0x3333, 8);
	if (bits & 128) {
		put(image, cpu, 4);
		put(image, 0, 4);
	}
	if (bits & 256)
		put(image, 1, 8);
	if (bits & 16) { /* value, id, lost */
		put(image, 0x4444, 8);
		put(image, id, 8);
		put(image, 0, 8);
	}
	if (bits & 32) { /* kernel, two frames, user, one */
		static const uint64_t chain[] = {(uint64_t)-128, 0xffffffff81000010,
						 0xffffffff81000020, (uint64_t)-512, 0x400000};

		put(image, 5, 8);
		for (int i = 0; i < 5; i++)
			put(image, chain[i], 8);
	}
	if (bits & 1024) {
		put(image, 12, 4);
		put(image, 300, 2);
		put(image, 0, 2);
		put(image, 9, 4);
		put(image, mark, 4);
	}
	end(image, at);
}

static void put_trailer(struct image *image, uint64_t id, uint64_t ts, uint32_t cpu)
{
	put(image, 7, 4); /* TID, TIME, CPU, IDENTIFIER: for ID_BITS */
	put(image, 9, 4);
	put(image, ts, 8);
	put(image, cpu, 4);
	put(image, 0, 4);
	put(image, id, 8);
}

static void put_lost(struct image *image, uint64_t lost, uint64_t ts, uint32_t cpu)
{
	size_t at = begin(image, 2, 0);

	put(image, 70, 8);
	put(image, lost, 8);
	put_trailer(image, 70, ts, cpu);
	end(image, at);
}

static void put_round(struct image *image)
{
	end(image, begin(image, 68, 0));
}

static uint32_t mark_of(const struct dms_record *record, bool big)
{
	const uint8_t *at = (const uint8_t *)record->data + 8;

	ck_assert_uint_eq(record->size, 12);
	return big ? (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3]
		   : (uint32_t)at[3] << 24 | at[2] << 16 | at[1] << 8 | at[0];
}

static void next(struct dms_source *source, struct dms_item *ret)
{
	struct dms_error *err = dms_source_next(source, ret);

	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
}

static void expect_record(struct dms_source *source, uint64_t ts, uint32_t cpu, uint32_t mark)
{
	struct dms_item item;

	next(source, &item);
	ck_assert_int_eq(item.kind, DMS_ITEM_RECORD);
	ck_assert_uint_eq(item.record.ts, ts);
	ck_assert_uint_eq(item.record.cpu, cpu);
	ck_assert_uint_eq(mark_of(&item.record, dms_source_info(source)->big_endian), mark);
}

static void expect_end(struct dms_source *source, uint64_t damage)
{
	struct dms_item item;
	const char *first;

	next(source, &item);
	ck_assert_int_eq(item.kind, DMS_ITEM_END);
	ck_assert_uint_eq(dms_source_damage(source, &first), damage);
	dms_source_close(source);
}

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

static void expect_gap(struct dms_source *source, struct dms_gap expected)
{
	struct dms_item item;

	next(source, &item);
	ck_assert_int_eq(item.kind, DMS_ITEM_GAP);
	ck_assert_uint_eq(item.gap.after_ts, expected.after_ts);
	ck_assert_uint_eq(item.gap.before_ts, expected.before_ts);
	ck_assert_uint_eq(item.gap.lost, expected.lost);
	ck_assert_uint_eq(item.gap.cpu, expected.cpu);
}

/* A LOST record stands where its CPU lost; what only the counters know of, at its end. */
START_TEST(losses_are_gaps)
{
	static struct image image;
	struct dms_source *source;
	size_t at;

	start_file(&image, ID_BITS, _i);
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
	expect_record(source, 41, 0, 3);
	expect_gap(source, (struct dms_gap){.after_ts = 41, .before_ts = UINT64_MAX, .lost = 2});
	ck_assert_uint_eq(dms_source_info(source)->lost_by_stats, 7);
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

/* Everything in records, the tracing data behind one of them. */
START_TEST(pipe_mode)
{
	static struct image image;
	struct dms_source *source;
	size_t at, size_at;

	image = (struct image){.big = _i, .sample_type = ID_BITS};
	put_bytes(&image, _i ? "2ELIFREP" : "PERFILE2", 8);
	put(&image, 16, 8);
	at = begin(&image, 64, 0);
	put_attr(&image, 2, 300, FLAGS);
	put(&image, 70, 8);
	end(&image, at);
	at = begin(&image, 80, 0);
	put(&image, 4, 8);
	put(&image, 8, 4);
	put_bytes(&image, "6.12.95\0\0\0\0\0", 12);
	end(&image, at);
	at = begin(&image, 66, 0);
	size_at = image.size;
	put(&image, 0, 4);
	end(&image, at);
	at = image.size;
	put_tracing(&image);
	while ((image.size - at) % 8)
		put(&image, 0, 1);
	put_at(&image, size_at, image.size - at, 4);
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
	tcase_add_loop_test(cases, losses_are_gaps, 0, 2);
	tcase_add_loop_test(cases, compressed, 0, 2);
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

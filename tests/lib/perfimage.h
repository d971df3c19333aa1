/* SPDX-License-Identifier: GPL-2.0-only */
/* A perf.data made by hand, and what is expected of the source it is read with. */
#ifndef DMS_TESTS_PERFIMAGE_H
#define DMS_TESTS_PERFIMAGE_H

#include "workfiles.h"

#define ALL_BITS (1u | 2 | 4 | 8 | 16 | 32 | 64 | 128 | 256 | 512 | 1024 | 65536)
#define ID_BITS	 (1u | 2 | 4 | 128 | 256 | 1024 | 65536)
#define FORMAT_TEXT                                                                                \
	"name: dma_test\nID: 300\nformat:\n"                                                       \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\nprint fmt: \"\"\n"

/* A file in the making. */
struct image {
	uint8_t data[1 << 17];
	size_t size;
	bool big, has_no_kallsyms, is_folder;
	uint64_t sample_type;
	size_t data_at; /* where records begin */
	size_t tracing_at; /* in pipe mode: the record of the tracing data */
};

static inline void put(struct image *image, uint64_t value, unsigned int bytes)
{
	ck_assert(image->size + bytes <= sizeof(image->data));
	for (unsigned int i = 0; i < bytes; i++)
		image->data[image->size++] =
			(uint8_t)(value >> 8 * (image->big ? bytes - 1 - i : i));
}

static inline void put_at(struct image *image, size_t at, uint64_t value, unsigned int bytes)
{
	size_t size = image->size;

	image->size = at;
	put(image, value, bytes);
	image->size = size;
}

static inline void put_bytes(struct image *image, const void *data, size_t bytes)
{
	ck_assert(image->size + bytes <= sizeof(image->data));
	memcpy(image->data + image->size, data, bytes);
	image->size += bytes;
}

static inline size_t begin(struct image *image, uint32_t type, uint16_t misc)
{
	size_t at = image->size;

	put(image, type, 4);
	put(image, misc, 2);
	put(image, 0, 2);
	return at;
}

static inline void end(struct image *image, size_t at)
{
	put_at(image, at + 6, image->size - at, 2);
}

static inline void put_attr(struct image *image, uint32_t type, uint64_t config, uint64_t flags)
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

static inline void start_file(struct image *image, uint64_t sample_type, bool big)
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

static inline void put_tracing(struct image *image)
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
	put(image, image->has_no_kallsyms ? 0 : 23, 4);
	if (!image->has_no_kallsyms)
		put_bytes(image, "ffffffff81000000 T a\nb\n", 23);
	put(image, 0, 4);
	put(image, 7, 8);
	put_bytes(image, "9 nine\n", 7);
}

/* Close the records, and put the features behind: TRACING_DATA, HOSTNAME, OSRELEASE. */
static inline const char *finish_file(struct image *image, const char *name)
{
	uint64_t bytes = image->size - image->data_at;
	size_t table = image->size, at;

	put_at(image, 40, image->data_at, 8);
	put_at(image, 48, bytes, 8);
	put_at(image, 72, 1 << 1 | 1 << 3 | 1 << 4 | (image->is_folder ? 1 << 24 : 0), 8);
	for (int i = 0; i < (image->is_folder ? 8 : 6); i++)
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
static inline void put_sample(struct image *image, uint64_t id, uint64_t ts, uint32_t cpu, uint32_t mark)
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

static inline void put_trailer(struct image *image, uint64_t id, uint64_t ts, uint32_t cpu)
{
	put(image, 7, 4); /* TID, TIME, CPU, IDENTIFIER: for ID_BITS */
	put(image, 9, 4);
	put(image, ts, 8);
	put(image, cpu, 4);
	put(image, 0, 4);
	put(image, id, 8);
}

static inline void put_lost(struct image *image, uint64_t lost, uint64_t ts, uint32_t cpu)
{
	size_t at = begin(image, 2, 0);

	put(image, 70, 8);
	put(image, lost, 8);
	put_trailer(image, 70, ts, cpu);
	end(image, at);
}

static inline void put_round(struct image *image)
{
	end(image, begin(image, 68, 0));
}

/* Up to the first event; of the image's byte order. @n_online: CPUs, in NRCPUS; 0: not told. */
static inline void start_pipe(struct image *image, uint32_t n_online)
{
	size_t at, size_at;

	*image = (struct image){.big = image->big,
				.has_no_kallsyms = image->has_no_kallsyms,
				.sample_type = ID_BITS};
	put_bytes(image, image->big ? "2ELIFREP" : "PERFILE2", 8);
	put(image, 16, 8);
	at = begin(image, 64, 0);
	put_attr(image, 2, 300, FLAGS);
	for (uint64_t id = 70; id < 72; id++)
		put(image, id, 8);
	end(image, at);
	at = begin(image, 80, 0);
	put(image, 4, 8);
	put(image, 8, 4);
	put_bytes(image, "6.12.95\0\0\0\0\0", 12);
	end(image, at);
	if (n_online) {
		at = begin(image, 80, 0);
		put(image, 7, 8);
		put(image, n_online, 4);
		put(image, n_online, 4);
		end(image, at);
	}
	image->tracing_at = image->size;
	at = begin(image, 66, 0);
	size_at = image->size;
	put(image, 0, 4);
	end(image, at);
	at = image->size;
	put_tracing(image);
	while ((image->size - at) % 8)
		put(image, 0, 1);
	put_at(image, size_at, image->size - at, 4);
}

static inline uint32_t mark_of(const struct dms_record *record, bool big)
{
	const uint8_t *at = (const uint8_t *)record->data + 8;

	ck_assert_uint_eq(record->size, 12);
	return big ? (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3]
		   : (uint32_t)at[3] << 24 | at[2] << 16 | at[1] << 8 | at[0];
}

static inline void next(struct dms_source *source, struct dms_item *ret)
{
	struct dms_error *err = dms_source_next(source, ret);

	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
}

static inline void expect_record(struct dms_source *source, uint64_t ts, uint32_t cpu, uint32_t mark)
{
	struct dms_item item;

	next(source, &item);
	ck_assert_int_eq(item.kind, DMS_ITEM_RECORD);
	ck_assert_uint_eq(item.record.ts, ts);
	ck_assert_uint_eq(item.record.cpu, cpu);
	ck_assert_uint_eq(mark_of(&item.record, dms_source_info(source)->big_endian), mark);
}

static inline void expect_end(struct dms_source *source, uint64_t damage)
{
	struct dms_item item;
	const char *first;

	next(source, &item);
	ck_assert_int_eq(item.kind, DMS_ITEM_END);
	ck_assert_uint_eq(dms_source_damage(source, &first), damage);
	dms_source_close(source);
}

/* ID_INDEX: event 70 is open on CPUs 0 to @n_cpus - 1, each with an id of its own from 70 on. */
static inline void put_id_index(struct image *image, uint32_t n_cpus)
{
	size_t at = begin(image, 69, 0);

	put(image, n_cpus, 8);
	for (uint32_t i = 0; i < n_cpus; i++) {
		put(image, 70 + i, 8);
		put(image, i, 8);
		put(image, i, 8);
		put(image, UINT64_MAX, 8);
	}
	end(image, at);
}

static inline void expect_gap(struct dms_source *source, struct dms_gap expected)
{
	struct dms_item item;

	next(source, &item);
	ck_assert_int_eq(item.kind, DMS_ITEM_GAP);
	ck_assert_uint_eq(item.gap.after_ts, expected.after_ts);
	ck_assert_uint_eq(item.gap.before_ts, expected.before_ts);
	ck_assert_uint_eq(item.gap.lost, expected.lost);
	ck_assert_uint_eq(item.gap.cpu, expected.cpu);
}

#endif

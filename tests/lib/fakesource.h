/* SPDX-License-Identifier: GPL-2.0-only */
/* A source of items made by a test, and its way through src/output and back. */
#ifndef DMS_TESTS_FAKESOURCE_H
#define DMS_TESTS_FAKESOURCE_H

#include "input/source.h"
#include "workfiles.h"

#include <dmascope/output.h>

/* ---- writing and reading back ---------------------------------------------------------------- */

struct way {
	unsigned int version;
	bool is_zstd;
	const char *format; /* as the reader calls it */
};
static const struct way ways[] = {
	{6, false, "trace.dat v6"},
	{7, false, "trace.dat v7"},
	{7, true, "trace.dat v7 (zstd)"},
};

static inline void check_ok(struct dms_error *err)
{
	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
}

/* Convert @sources, which are closed; @ret_report: may be NULL. */
static inline void convert(struct dms_source **sources, uint32_t n_sources, const struct way *way,
		    const char *path, struct dms_output_report *ret_report)
{
	const struct dms_output_options options = {path, way->version, way->is_zstd};
	struct dms_merge *merge = dms_merge_create(sources, n_sources);
	struct dms_output *output = NULL;
	FILE *out = fopen(path, "w+b");
	struct dms_item item;

	ck_assert(merge && out);
	check_ok(dms_output_create(merge, &options, &output));
	do {
		check_ok(dms_merge_next(merge, &item));
		check_ok(dms_output_item(output, &item));
	} while (item.kind != DMS_ITEM_END);
	check_ok(dms_output_write(output, out));
	ck_assert_int_eq(fclose(out), 0);
	if (ret_report)
		*ret_report = *dms_output_report(output);
	dms_output_destroy(output);
	dms_merge_destroy(merge);
}

/* ---- a source of items made here ------------------------------------------------------------- */

struct fake {
	struct dms_source common;
	const struct dms_item *items;
	size_t n_items, at;
	const char *kallsyms;
};

static inline struct dms_error *fake_next(struct dms_source *source, struct dms_item *ret)
{
	struct fake *fake = (struct fake *)source;

	*ret = (struct dms_item){.kind = DMS_ITEM_END};
	if (fake->at < fake->n_items)
		*ret = fake->items[fake->at++];
	ret->file = 0;
	return NULL;
}

static inline struct dms_error *fake_kallsyms(struct dms_source *source, const char **ret,
				       size_t *ret_size)
{
	const struct fake *fake = (const struct fake *)source;

	*ret = fake->kallsyms;
	*ret_size = fake->kallsyms ? strlen(fake->kallsyms) : 0;
	return NULL;
}

static inline uint64_t fake_damage(const struct dms_source *source, const char **ret_first)
{
	(void)source;
	*ret_first = NULL;
	return 0;
}

static inline void fake_close(struct dms_source *source)
{
	dms_free(source);
}

static const struct source_ops fake_ops = {
	.next = fake_next,
	.kallsyms = fake_kallsyms,
	.damage = fake_damage,
	.close = fake_close,
};
static const char *const top[] = {""};

#define COMMON                                                                                     \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"                    \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"                    \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"            \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
#define FORMAT(event, number, field)                                                               \
	{                                                                                          \
		.system = "test", .name = event, .id = (number),                                   \
		.text = "name: " event "\nID: " #number "\nformat:\n" COMMON "\tfield:u32 " field   \
			";\toffset:8;\tsize:4;\tsigned:0;\n\nprint fmt: \"%u\", REC->" field "\n", \
		.size = sizeof("name: " event "\nID: " #number "\nformat:\n" COMMON                \
			       "\tfield:u32 " field ";\toffset:8;\tsize:4;\tsigned:0;\n\nprint "   \
			       "fmt: \"%u\", REC->" field "\n") - 1,                               \
	}
static const struct dms_format formats_a[] = {FORMAT("one", 500, "x"), FORMAT("two", 501, "x")};
static inline struct fake *fake_create(const struct dms_item *items, size_t n_items)
{
	struct fake *fake = dms_zalloc(sizeof(*fake));

	ck_assert_ptr_nonnull(fake);
	fake->common.ops = &fake_ops;
	fake->common.info = (struct dms_source_info){
		.path = "dir/fake.dat", .format = "fake", .release = "9.9", .clock = "mono",
		.instances = top, .n_instances = 1, .n_cpus = 1, .page_size = 4096, .long_size = 8,
		.clock_is_ns = true,
	};
	fake->common.formats = formats_a;
	fake->common.n_formats = DMS_ARRAY_SIZE(formats_a);
	fake->items = items;
	fake->n_items = n_items;
	return fake;
}

static inline struct dms_source *write_and_open(struct fake *fake, const struct way *way,
					 struct dms_output_report *ret)
{
	struct dms_source *source = &fake->common;
	const char *path = work_file("fake.dat");

	convert(&source, 1, way, path, ret);
	return open_or_fail(path);
}

/* type 500, pid 7, and as much as is asked for */
static inline const uint8_t *event(uint32_t type)
{
	static uint8_t events[4][20000];
	uint8_t *data = events[type % 4];

	memset(data, 0x41, sizeof(events[0]));
	memcpy(data, (uint8_t[]){(uint8_t)type, (uint8_t)(type >> 8), 0, 0, 7, 0, 0, 0}, 8);
	return data;
}

#define RECORD(time, cpu_nr, type, bytes)                                                          \
	{                                                                                          \
		.kind = DMS_ITEM_RECORD, .record = {.ts = (time), .cpu = (cpu_nr),                 \
						    .data = event(type), .size = (bytes)},         \
	}
#define GAP(cpu_nr, count) {.kind = DMS_ITEM_GAP, .gap = {.cpu = (cpu_nr), .lost = (count)}}

static inline struct dms_item next_item(struct dms_source *source)
{
	struct dms_item item;

	check_ok(dms_source_next(source, &item));
	return item;
}

static inline void expect_record(struct dms_source *source, uint64_t ts, uint32_t size)
{
	struct dms_item item = next_item(source);

	ck_assert_int_eq(item.kind, DMS_ITEM_RECORD);
	ck_assert_uint_eq(item.record.ts, ts);
	ck_assert_uint_eq(item.record.size, size);
	ck_assert_mem_eq((const uint8_t *)item.record.data + 8, event(500) + 8, size - 8);
}

static inline void expect_gap(struct dms_source *source, uint64_t after, uint64_t before, uint64_t lost)
{
	struct dms_item item = next_item(source);

	ck_assert_int_eq(item.kind, DMS_ITEM_GAP);
	ck_assert_uint_eq(item.gap.after_ts, after);
	ck_assert_uint_eq(item.gap.before_ts, before);
	ck_assert_uint_eq(item.gap.lost, lost);
}

#endif

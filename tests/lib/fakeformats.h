/* SPDX-License-Identifier: GPL-2.0-only */
/* A source made of format files alone, and records built field by field after them. */
#ifndef DMS_TESTS_FAKEFORMATS_H
#define DMS_TESTS_FAKEFORMATS_H

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/symbols.h>

#include "decode/table.h"
#include "input/source.h"

/* ---- kernels whose formats are known --------------------------------------------------------- */

static const struct kernel {
	const char *formats, *release;
	uint32_t long_size;
	bool big_endian, is_fixture;
} kernels[] = {
	{"/tests/fixtures/formats/6.12", "6.12.95+deb12-amd64", 8, false, true},
	{"/tests/fixtures/formats/6.12", "6.12.95", 8, true, true}, /* as if big-endian */
	{"/tests/fixtures/formats/7.2", "7.2.13+deb14-amd64", 8, false, true},
	{"/tests/fixtures/formats/7.2", "7.2.13", 8, true, true},
	{"/../shared/traces/stock/6.18/formats", "6.18.5", 8, false, false},
	{"/../shared/traces/arch/arm64-7.2/formats", "7.2.13", 8, false, false},
	{"/../shared/traces/arch/armhf-7.2/formats", "7.2.13", 4, false, false},
	{"/../shared/traces/arch/s390x-7.2/formats", "7.2.13", 8, true, false},
};

/* What is put into a number field of this name; cut to the field's size. */
static const struct {
	const char *name;
	uint64_t value;
} numbers[] = {
	{"common_pid", 4242},
	{"common_flags", 0x11},
	{"common_preempt_count", 3},
	{"phys_addr", 0x123456789000},
	{"paddr", 0x123456789000},
	{"dev_addr", 0x123456789000},
	{"dma_addr", 0xfedcba9876543000},
	{"addr", 0xfedcba9876543000},
	{"iova", 0xfedcba9876543000},
	{"virt_addr", 0xffff888012345678},
	{"size", 0x100001040},
	{"unmapped_size", 0x100001000},
	{"dir", DMS_DIR_FROM_DEVICE},
	{"attrs", 0x122},
	{"flags", 0xcc0},
	{"err", (uint64_t)-12},
	{"gid", 7},
	{"full_nents", 200},
	{"full_ents", 150},
	{"truncated", 1},
	{"dma_mask", 0xffffffff},
	{"force", 1},
};
static const uint64_t phys_values[] = {0x1000, 0xabcdef012000, 0x3000, 0x4000, 0x5000};
static const uint64_t dma_values[] = {0xfedcba9876543000, 0x2000, 0x3000};
static const uint32_t lengths_values[] = {4096, 0xfffff000, 512};

#define DEVICE "0000:00:05.0"
#define DRIVER "e1000e"

/* ---- a source that has formats and nothing else
 * -------------------------------------------------- */

/** A run of one decoder over formats this test wrote. */
struct fake {
	struct dms_source source;
	struct dms_format formats[8];
	char *texts[8]; /* terminated copies of the formats */
	struct dms_names names;
	struct dms_decoder *decoder;
	uint8_t record[8192]; /* what was built last */
	uint32_t size;
};

static struct fake fake;

static inline void fake_begin(const struct kernel *kernel)
{
	memset(&fake, 0, sizeof(fake));
	fake.source.info.release = kernel->release;
	fake.source.info.long_size = kernel->long_size;
	fake.source.info.big_endian = kernel->big_endian;
	fake.source.formats = fake.formats;
	fake.names.devices = dms_strtab_create();
	fake.names.stacks = dms_stacks_create();
}

/* Add the format file of an event; false if this kernel has none. */
static inline bool fake_add(const struct kernel *kernel, const char *system, const char *name)
{
	uint32_t at = fake.source.n_formats;
	char path[1024], *text = calloc(1, 8192);
	FILE *stream;

	snprintf(path, sizeof(path), SRCDIR "%s/%s/%s.format", kernel->formats, system, name);
	stream = fopen(path, "r");
	if (!stream) {
		free(text);
		return false;
	}
	ck_assert_uint_gt(fread(text, 1, 8191, stream), 100);
	fclose(stream);
	fake.texts[at] = text;
	fake.formats[at] = (struct dms_format){
		.system = system,
		.name = name,
		.text = text,
		.size = strlen(text),
		.id = (uint32_t)atoi(strstr(text, "ID: ") + 4),
	};
	fake.source.n_formats++;
	return true;
}

/* Replace @from by @to everywhere in the format last added. */
static inline void fake_edit(const char *from, const char *to)
{
	struct dms_format *format = &fake.formats[fake.source.n_formats - 1];
	char *old = fake.texts[fake.source.n_formats - 1], *text = calloc(1, 16384), *at,
	     *rest = old;

	ck_assert_ptr_nonnull(strstr(old, from));
	while ((at = strstr(rest, from))) {
		strncat(text, rest, (size_t)(at - rest));
		strcat(text, to);
		rest = at + strlen(from);
	}
	strcat(text, rest);
	free(old);
	fake.texts[fake.source.n_formats - 1] = text;
	format->text = text;
	format->size = strlen(text);
}

static inline void fake_start(void)
{
	ck_assert_ptr_null(dms_decoder_create(&fake.source, &fake.names, &fake.decoder));
}

static inline void fake_end(void)
{
	dms_decoder_destroy(fake.decoder);
	dms_stacks_destroy(fake.names.stacks);
	dms_strtab_destroy(fake.names.devices);
	for (uint32_t i = 0; i < fake.source.n_formats; i++)
		free(fake.texts[i]);
}

/* One kernel, one format, as it is. */
static inline void fake_one(const struct kernel *kernel, const char *system, const char *name)
{
	fake_begin(kernel);
	ck_assert(fake_add(kernel, system, name));
	fake_start();
}

/* ---- records
 * -------------------------------------------------------------------------------------- */

static inline void put(uint32_t offset, uint64_t value, uint32_t bytes)
{
	ck_assert_uint_le(offset + bytes, sizeof(fake.record));
	for (uint32_t i = 0; i < bytes; i++)
		fake.record[offset + (fake.source.info.big_endian ? bytes - 1 - i : i)] =
			i < 8 ? (uint8_t)(value >> (8 * i)) : 0;
	if (offset + bytes > fake.size)
		fake.size = offset + bytes;
}

/** A field as its line in the format says; this parser is not the decoder's. */
struct field {
	char declaration[64], name[32];
	uint32_t offset, size;
};

static inline bool next_field(const char **text, struct field *ret)
{
	const char *at = strstr(*text, "\tfield:"), *end;
	char *word, *bracket;

	if (!at)
		return false;
	*text = at + 1;
	ck_assert_int_eq(sscanf(at, "\tfield:%63[^;];\toffset:%u;\tsize:%u;", ret->declaration,
				&ret->offset, &ret->size),
			 3);
	word = strrchr(ret->declaration, ' ') + 1;
	bracket = strchr(word, '[');
	end = bracket ? bracket : word + strlen(word);
	snprintf(ret->name, sizeof(ret->name), "%.*s", (int)(end - word), word);
	return true;
}

static inline struct field find_field(const char *name)
{
	const char *text = fake.formats[fake.source.n_formats - 1].text;
	struct field field;

	while (next_field(&text, &field)) {
		if (!strcmp(field.name, name))
			return field;
	}
	ck_abort_msg("no field %s", name);
}

static inline uint64_t number_of(const char *name, uint32_t size)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(numbers); i++) {
		if (!strcmp(numbers[i].name, name))
			return size >= 8 ? numbers[i].value
					 : numbers[i].value & ((1ull << (8 * size)) - 1);
	}
	return 0;
}

/* The number the record holds for whichever of two fields its format has. */
static inline uint64_t held(const char *name, const char *other)
{
	const char *text = fake.formats[fake.source.n_formats - 1].text;
	struct field field;

	while (next_field(&text, &field)) {
		if (!strcmp(field.name, name) || !strcmp(field.name, other))
			return number_of(field.name, field.size);
	}
	ck_abort_msg("neither %s nor %s", name, other);
}

/* Point the word of a dynamic field at @bytes at @at. */
static inline void put_location(const struct field *field, uint32_t at, uint32_t bytes)
{
	if (strstr(field->declaration, "__rel_loc"))
		at -= field->offset + 4;
	put(field->offset, bytes << 16 | at, 4);
}

static inline void put_dynamic(const struct field *field)
{
	uint32_t at = (fake.size + 7) & ~7u, n = 0, size = 8;
	const uint64_t *values = phys_values;

	if (strstr(field->declaration, "char[]")) {
		const char *string = strcmp(field->name, "driver") ? DEVICE : DRIVER;

		for (uint32_t i = 0; i <= strlen(string); i++)
			put(at + i, (uint8_t)string[i], 1);
		put_location(field, at, (uint32_t)strlen(string) + 1);
		return;
	}
	if (!strcmp(field->name, "dma_addrs")) {
		values = dma_values;
		n = DMS_ARRAY_SIZE(dma_values);
	} else if (!strcmp(field->name, "lengths")) {
		n = DMS_ARRAY_SIZE(lengths_values);
		size = 4;
	} else {
		n = DMS_ARRAY_SIZE(phys_values);
	}
	for (uint32_t i = 0; i < n; i++)
		put(at + i * size, size == 4 ? lengths_values[i] : values[i], size);
	put_location(field, at, n * size);
}

/* A record of format @index with every field filled. */
static inline void build(uint32_t index)
{
	const char *text = fake.formats[index].text;
	struct field field;

	memset(fake.record, 0, sizeof(fake.record));
	fake.size = 0;
	while (next_field(&text, &field))
		put(field.offset, number_of(field.name, field.size), field.size);
	put(0, fake.formats[index].id, 2);
	text = fake.formats[index].text;
	while (next_field(&text, &field)) {
		if (strstr(field.declaration, "_loc "))
			put_dynamic(&field);
	}
}

static inline struct dms_event decode_record(const struct dms_record *record)
{
	struct dms_event event;

	ck_assert_ptr_null(dms_decode(fake.decoder, record, &event));
	return event;
}

/* The record lies at the end of its own memory: reading beyond is seen by a sanitizer. */
static inline struct dms_event decode_built(void)
{
	uint8_t *copy = malloc(fake.size);
	struct dms_record record = {
		.ts = 5, .offset = 77, .cpu = 3, .instance = 1, .data = copy, .size = fake.size};
	struct dms_event event;

	memcpy(copy, fake.record, fake.size);
	event = decode_record(&record);
	free(copy);
	return event;
}

static inline struct dms_tracepoint_count count(void)
{
	struct dms_tracepoint_count ret;

	dms_decoder_count(fake.decoder, 0, &ret);
	return ret;
}

/* Overwrite a number field of the record built last; its format is the one added last. */
static inline void set(const char *field, uint64_t value)
{
	struct field found = find_field(field);

	put(found.offset, value, found.size);
}

#endif

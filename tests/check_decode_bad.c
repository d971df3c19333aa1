// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/decode: malformed records are counted with a reason; stacks find their event. */
#include "lib/fakeformats.h"

/* ---- malformed records
 * --------------------------------------------------------------------------- */

static void expect_malformed(const char *reason, uint64_t so_far)
{
	struct dms_event event = decode_built();

	ck_assert_msg(event.kind == DMS_EV_NONE, "%s: kind %s", reason,
		      dms_event_kind_name(event.kind));
	ck_assert_uint_eq(count().malformed, so_far);
	ck_assert_str_eq(count().reason, reason);
	ck_assert_uint_eq(count().reason_offset, 77);
}

/* A dynamic field's word, as bytes << 16 | offset; what is said of it. */
static const struct {
	const char *event, *field;
	uint32_t word;
	const char *reason;
} locations[] = {
	{"dma_map_sg", "device", 0x00100000 | 0xffff, "a string lies outside the record"},
	{"dma_map_sg", "device", 0xffff0000 | 0x30, "a string lies outside the record"},
	{"dma_map_sg", "device", 0xffffffff, "a string lies outside the record"},
	{"dma_map_sg", "device", 0x00000030, "a string is not terminated"}, /* of no bytes */
	{"dma_map_sg", "device", 0x00040030, "a string is not terminated"},
	{"dma_map_sg", "phys_addrs", 0x0008ffff, "an array lies outside the record"},
	{"dma_map_sg", "phys_addrs", 0xfff80000, "an array lies outside the record"},
	{"dma_map_sg", "phys_addrs", 0x00070000, "an array is no whole number of elements"},
	{"dma_map_sg", "dma_addrs", 0x000c0000, "an array is no whole number of elements"},
	{"dma_map_sg", "lengths", 0x00060000, "an array is no whole number of elements"},
	{"dma_map_sg", "lengths", 0x00080000, "as many lengths as addresses expected"},
	{"dma_map_sg", "lengths", 0x00100000, "as many lengths as addresses expected"},
	{"dma_map_sg", "lengths", 0x00000000, "as many lengths as addresses expected"},
	{"dma_sync_sg_for_cpu", "dma_addrs", 0x00080000, "as many lengths as addresses expected"},
	{"dma_unmap_sg", "addrs", 0xffffffff, "an array lies outside the record"},
	{"dma_free_sgt", "phys_addrs", 0xfff80000, "an array lies outside the record"},
};

START_TEST(bad_location)
{
	for (int kernel = 2; kernel < 4; kernel++) {
		fake_one(&kernels[kernel], "dma", locations[_i].event);
		build(0);
		put(find_field(locations[_i].field).offset, locations[_i].word, 4);
		expect_malformed(locations[_i].reason, 1);
		expect_malformed(locations[_i].reason, 2);
		ck_assert_uint_eq(count().records, 2);
		fake_end();
	}
}
END_TEST

/* A list may end exactly at the record's end, or be empty anywhere up to there. */
START_TEST(list_at_the_end)
{
	struct dms_event event;

	fake_one(&kernels[2], "dma", "dma_unmap_sg");
	build(0);
	put(find_field("addrs").offset, 8u << 16 | (fake.size - 8), 4);
	event = decode_built();
	ck_assert(event.kind == DMS_EV_UNMAP_SG && event.n_phys == 1);
	put(find_field("addrs").offset, fake.size, 4);
	event = decode_built();
	ck_assert(event.kind == DMS_EV_UNMAP_SG && !event.n_phys && !event.nents);
	put(find_field("addrs").offset, 8u << 16 | (fake.size - 7), 4);
	expect_malformed("an array lies outside the record", 1);
	fake_end();
}
END_TEST

/* Each length from nothing on: no field may be read that is not there. */
START_TEST(short_record)
{
	static const char *const names[] = {"dma_map_phys", "dma_map_sg", "dma_alloc",
					    "dma_sync_sg_for_device"};
	for (size_t i = 0; i < DMS_ARRAY_SIZE(names); i++) {
		uint32_t whole, last, good = 0;

		fake_one(&kernels[2], "dma", names[i]);
		build(0);
		whole = fake.size;
		last = find_field(strcmp(names[i], "dma_sync_sg_for_device") ? "attrs" : "dir")
			       .offset;
		for (fake.size = 0; fake.size <= whole; fake.size++)
			good += decode_built().kind != DMS_EV_NONE;
		ck_assert_uint_eq(good, 1); /* the whole one: its device string comes last or so */
		ck_assert_uint_ge(count().malformed, last);
		ck_assert_uint_eq(count().records, count().malformed + 1);
		fake_end();
	}
}
END_TEST

START_TEST(foreign_records)
{
	struct dms_event event;

	fake_one(&kernels[2], "dma", "dma_map_phys");
	build(0);
	put(0, 65535, 2);
	event = decode_built();
	ck_assert_int_eq(event.kind, DMS_EV_NONE);
	put(0, 0, 2);
	event = decode_built();
	ck_assert_int_eq(event.kind, DMS_EV_NONE);
	ck_assert_uint_eq(count().records, 0);
	ck_assert_uint_eq(dms_decoder_n_tracepoints(fake.decoder), 1);
	fake_end();
}
END_TEST

/* ---- malformed formats
 * ---------------------------------------------------------------------------- */

/* The decoder must come about, or say why not, whatever the text of a format is. */
static void try_format(size_t at, char c)
{
	struct dms_event event;

	fake_begin(&kernels[2]);
	ck_assert(fake_add(&kernels[2], "dma", "dma_map_sg"));
	fake.texts[0][at] = c;
	fake.formats[0].id = 5;
	fake_start();
	fake.size = 0;
	put(0, 5, 2);
	put(2, 0, 40);
	event = decode_built();
	if (event.kind != DMS_EV_NONE && event.kind != DMS_EV_MAP_SG)
		ck_abort_msg("byte %zu: kind %s", at, dms_event_kind_name(event.kind));
	fake_end();
}

static const char hostile[] = {'\0', '\n', ' ', '[', ']', ';', ':', '(', '"', '9', '-', '\t'};

START_TEST(damaged_format)
{
	size_t from, to;

	fake_begin(&kernels[2]);
	ck_assert(fake_add(&kernels[2], "dma", "dma_map_sg"));
	from = (size_t)(strstr(fake.texts[0], "format:") - fake.texts[0]);
	to = (size_t)(strstr(fake.texts[0], "print fmt:") - fake.texts[0]) + 20;
	fake_start();
	fake_end();
	for (size_t at = from; at < to; at++)
		try_format(at, hostile[_i]);
}
END_TEST

/* Two formats of one name, with different ids: no trace should have them, a damaged one may. */
START_TEST(format_twice)
{
	struct dms_event event;

	fake_begin(&kernels[2]);
	ck_assert(fake_add(&kernels[2], "dma", "dma_map_phys"));
	ck_assert(fake_add(&kernels[2], "dma", "dma_map_phys"));
	fake.formats[1].id = fake.formats[0].id + 1;
	fake_start();
	for (uint32_t i = 0; i < 2; i++) {
		build(i);
		event = decode_built();
		ck_assert_int_eq(event.kind, DMS_EV_MAP);
	}
	fake_end();
}
END_TEST

/* ---- stacks
 * ------------------------------------------------------------------------------------------- */

/** Two records of one CPU, as a source gives them: the second is next of the first. */
struct pair {
	uint8_t event[256], stack[256];
	uint32_t event_size, stack_size;
};

static void take_built(uint8_t *ret, uint32_t *ret_size)
{
	ck_assert_uint_le(fake.size, 256);
	memcpy(ret, fake.record, fake.size);
	*ret_size = fake.size;
}

/* @n frames, then @end_mark if there is one; the kernel's format says 8 but means as many as fit.
 */
static void build_pair(struct pair *pair, uint32_t n, uint64_t first, bool end_mark)
{
	uint32_t size = fake.source.info.long_size, at;

	build(0);
	take_built(pair->event, &pair->event_size);
	build(1);
	at = find_field("caller").offset;
	fake.size = at;
	for (uint32_t i = 0; i < n; i++)
		put(at + i * size, first + i, size);
	if (end_mark)
		put(at + n * size, UINT64_MAX, size);
	if (end_mark)
		put(at + (n + 1) * size, 0x1234, size); /* stale */
	take_built(pair->stack, &pair->stack_size);
}

static struct dms_event decode_pair(const struct pair *pair)
{
	struct dms_record record = {.data = pair->event,
				    .size = pair->event_size,
				    .next = pair->stack,
				    .next_size = pair->stack_size};

	return decode_record(&record);
}

static struct dms_event decode_stack(const struct pair *pair)
{
	struct dms_record record = {.data = pair->stack, .size = pair->stack_size};

	return decode_record(&record);
}

static void stacks_begin(const struct kernel *kernel)
{
	fake_begin(kernel);
	ck_assert(fake_add(kernel, "dma", "dma_map_phys"));
	ck_assert(fake_add(kernel, "ftrace", "kernel_stack"));
	fake_start();
}

static void expect_stack(uint32_t id, uint32_t n, uint64_t first)
{
	uint32_t count_of;
	const uint64_t *frames = dms_stacks_get(fake.names.stacks, id, &count_of);

	ck_assert_uint_eq(count_of, n);
	for (uint32_t i = 0; i < n; i++)
		ck_assert_uint_eq(frames[i], first + i);
}

START_TEST(stack_of_its_event)
{
	struct dms_event event;
	struct pair pair, other;

	stacks_begin(&kernels[2 + _i]);
	build_pair(&pair, 12, 0xffffffff81000000, true);
	build_pair(&other, 5, 0xffffffffa0000000, false); /* to the record's end */
	for (int round = 0; round < 2; round++) {
		event = decode_pair(&pair);
		ck_assert(event.kind == DMS_EV_MAP && (event.has & DMS_HAS_STACK));
		expect_stack(event.stack, 12, 0xffffffff81000000);
		ck_assert_int_eq(decode_stack(&pair).kind, DMS_EV_NONE);
		event = decode_pair(&other);
		expect_stack(event.stack, 5, 0xffffffffa0000000);
		ck_assert_int_eq(decode_stack(&other).kind, DMS_EV_NONE);
	}
	ck_assert_uint_eq(dms_stacks_count(fake.names.stacks), 2); /* each once */
	ck_assert_uint_eq(dms_decoder_orphan_stacks(fake.decoder), 0);
	decode_stack(&pair); /* nothing before it: not the one last taken */
	ck_assert_uint_eq(dms_decoder_orphan_stacks(fake.decoder), 1);
	fake_end();
}
END_TEST

START_TEST(stack_of_32_bits)
{
	struct kernel kernel = kernels[2 + _i];
	struct dms_event event;
	struct pair pair;

	kernel.long_size = 4;
	stacks_begin(&kernel);
	build_pair(&pair, 9, 0xc0100000, true);
	event = decode_pair(&pair);
	ck_assert(event.has & DMS_HAS_STACK);
	expect_stack(event.stack, 9, 0xc0100000);
	fake_end();
}
END_TEST

START_TEST(event_without_stack)
{
	struct dms_event event;
	struct pair pair;

	stacks_begin(&kernels[2]);
	build_pair(&pair, 3, 0xffffffff81000000, true);
	build(0);
	event = decode_built(); /* no next record */
	ck_assert(event.stack == DMS_ID_NONE && !(event.has & DMS_HAS_STACK));
	memcpy(pair.stack, pair.event, pair.event_size); /* the next is another event */
	pair.stack_size = pair.event_size;
	event = decode_pair(&pair);
	ck_assert(event.stack == DMS_ID_NONE && !(event.has & DMS_HAS_STACK));
	build_pair(&pair, 0, 0, true); /* a stack of no frames */
	event = decode_pair(&pair);
	ck_assert(event.stack == DMS_ID_NONE && !(event.has & DMS_HAS_STACK));
	build_pair(&pair, 1, 0, true); /* old kernels end it by a zero */
	event = decode_pair(&pair);
	ck_assert(event.stack == DMS_ID_NONE && !(event.has & DMS_HAS_STACK));
	pair.stack_size = 3; /* cut off inside its header */
	event = decode_pair(&pair);
	ck_assert(event.kind == DMS_EV_MAP && !(event.has & DMS_HAS_STACK));
	ck_assert_uint_eq(dms_stacks_count(fake.names.stacks), 0);
	fake_end();
}
END_TEST

/* A run that keeps no stacks decodes as before. */
START_TEST(stacks_not_wanted)
{
	struct dms_stacks *stacks;
	struct dms_event event;
	struct pair pair;

	stacks_begin(&kernels[2]);
	build_pair(&pair, 3, 0xffffffff81000000, true);
	stacks = fake.names.stacks;
	fake.names.stacks = NULL;
	event = decode_pair(&pair);
	ck_assert(event.kind == DMS_EV_MAP && event.stack == DMS_ID_NONE);
	ck_assert(!(event.has & DMS_HAS_STACK));
	fake.names.stacks = stacks;
	fake_end();
}
END_TEST

/* ---- words
 * ------------------------------------------------------------------------------------------------
 */

START_TEST(words)
{
	char buf[256], tiny[8];

	for (int kind = 0; kind < DMS_EV_N_KINDS; kind++)
		ck_assert_ptr_nonnull(dms_event_kind_name((enum dms_event_kind)kind));
	ck_assert_str_eq(dms_event_kind_name(DMS_EV_UNMAP_SG), "unmap_sg");
	ck_assert_str_eq(dms_dir_name(DMS_DIR_FROM_DEVICE), "FROM_DEVICE");
	ck_assert_str_eq(dms_dir_name(DMS_DIR_UNKNOWN), "UNKNOWN");
	ck_assert_str_eq(dms_attrs_format(0, buf, sizeof(buf)), "");
	ck_assert_str_eq(dms_attrs_format(0x122, buf, sizeof(buf)),
			 "WEAK_ORDERING|SKIP_CPU_SYNC|NO_WARN");
	ck_assert_str_eq(dms_attrs_format(DMS_ATTR_MMIO | 1ull << 63, buf, sizeof(buf)),
			 "MMIO|0x8000000000000000");
	ck_assert_str_eq(dms_attrs_format(1, buf, sizeof(buf)), "0x1");
	ck_assert_str_eq(dms_attrs_format(UINT64_MAX, tiny, sizeof(tiny)), "WEAK_OR");
}
END_TEST

static void add(Suite *suite, const char *name, const TTest *test, int loops)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test, 0, loops);
	suite_add_tcase(suite, tcase);
}

int main(void)
{
	Suite *suite = suite_create("decode_bad");
	SRunner *runner;
	int failures;

	add(suite, "bad location", bad_location, DMS_ARRAY_SIZE(locations));
	add(suite, "list at the end", list_at_the_end, 1);
	add(suite, "short record", short_record, 1);
	add(suite, "foreign records", foreign_records, 1);
	add(suite, "damaged format", damaged_format, DMS_ARRAY_SIZE(hostile));
	add(suite, "format twice", format_twice, 1);
	add(suite, "stack", stack_of_its_event, 2);
	add(suite, "stack, 32 bits", stack_of_32_bits, 2);
	add(suite, "no stack", event_without_stack, 1);
	add(suite, "stacks not wanted", stacks_not_wanted, 1);
	add(suite, "words", words, 1);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

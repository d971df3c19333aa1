// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/decode: tracepoints of other systems than dma, allocation flags, releases. */
#include "lib/fakecells.h"

#define STRING(name)                                                                               \
	{                                                                                          \
		name, "str", 0, DEVICE                                                             \
	}

/* ---- tracepoints of other systems
 * ------------------------------------------------------------------ */

static const struct {
	const char *system, *name;
	struct cell cells[CELLS];
	enum dms_event_kind kind;
	uint64_t phys_addr, size;
	const char *text; /* MARKER's; a module's name */
} others[] = {
	{"module",
	 "module_load",
	 {{"taints", "u32", 0, NULL}, {"name", "str", 0, "e1000e"}},
	 DMS_EV_MODULE_LOAD,
	 0,
	 0,
	 "e1000e"},
	{"module", "module_free", {{"name", "str", 0, "nvme"}}, DMS_EV_MODULE_FREE, 0, 0, "nvme"},
	{"kmem",
	 "mm_page_free",
	 {{"pfn", "long", 0x12345, NULL}, {"order", "u32", 3, NULL}},
	 DMS_EV_PAGE_FREE,
	 0x12345000,
	 32768,
	 NULL},
	{"kmem",
	 "mm_page_free",
	 {{"pfn", "long", 1, NULL}, {"order", "u32", 33, NULL}},
	 DMS_EV_NONE,
	 0,
	 0,
	 NULL},
	{"kmem",
	 "mm_page_free",
	 {{"pfn", "u64", UINT64_MAX, NULL}, {"order", "u32", 0, NULL}},
	 DMS_EV_NONE,
	 0,
	 0,
	 NULL},
	{"kmem",
	 "mm_page_free_batched",
	 {{"pfn", "long", 2, NULL}},
	 DMS_EV_PAGE_FREE,
	 8192,
	 4096,
	 NULL},
	{"page_pool",
	 "page_pool_state_hold",
	 {{"pool", "long", 0, NULL}, {"pfn", "long", 2, NULL}},
	 DMS_EV_PAGE_POOL_HOLD,
	 8192,
	 0,
	 NULL},
	{"page_pool",
	 "page_pool_state_release",
	 {{"pool", "long", 0, NULL}, {"pfn", "long", 3, NULL}},
	 DMS_EV_PAGE_POOL_RELEASE,
	 12288,
	 0,
	 NULL},
	{"ftrace",
	 "print",
	 {{"ip", "long", 0, NULL}, {"buf", "rest", 0, "two\nlines\n"}},
	 DMS_EV_MARKER,
	 0,
	 0,
	 "two\nlines"},
	{"ftrace",
	 "print",
	 {{"ip", "long", 0, NULL}, {"buf", "rest", 0, "\n"}},
	 DMS_EV_NONE,
	 0,
	 0,
	 NULL},
	{"printk",
	 "console",
	 {{"msg", "str", 0, "usb 1-1: new high-speed USB device"}},
	 DMS_EV_NONE,
	 0,
	 0,
	 NULL},
};

START_TEST(other_tracepoints)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(machines); i++) {
		struct dms_event event;

		begin(&machines[i], NULL);
		add_format(others[_i].system, others[_i].name, others[_i].cells, "\"\"");
		fake_start();
		for (fill(0, others[_i].cells); fake.size; fake.size--) {
			uint32_t size = fake.size;

			event = decode_built();
			if (event.kind == others[_i].kind || event.kind == DMS_EV_NONE ||
			    event.kind == DMS_EV_MARKER)
				continue;
			ck_abort_msg("%u bytes: %s", size, dms_event_kind_name(event.kind));
		}
		fill(0, others[_i].cells);
		event = decode_built();
		ck_assert_int_eq(event.kind, others[_i].kind);
		if (event.kind != DMS_EV_NONE) {
			ck_assert_uint_eq(event.phys_addr, others[_i].phys_addr);
			ck_assert_uint_eq(event.size, others[_i].size);
		}
		if (event.kind == DMS_EV_MODULE_LOAD || event.kind == DMS_EV_MODULE_FREE)
			ck_assert_str_eq(dms_strtab_get(fake.names.devices, event.driver),
					 others[_i].text);
		if (event.kind == DMS_EV_MARKER)
			ck_assert_uint_eq(event.text_len, strlen(others[_i].text));
		fake_end();
	}
}
END_TEST

/* Text to the record's very end, without a terminator. */
START_TEST(marker_text)
{
	static const struct cell cells[CELLS] = {{"ip", "long", 0, NULL},
						 {"buf", "rest", 0, "dmascope"}};
	struct dms_record record = {.data = fake.record};
	struct dms_event event;

	begin(&machines[0], NULL);
	add_format("ftrace", "print", cells, "\"\"");
	fake_start();
	fill(0, cells);
	record.size = fake.size - 1;
	event = decode_record(&record);
	ck_assert_int_eq(event.kind, DMS_EV_MARKER);
	ck_assert(event.text_len == 8 && !memcmp(event.text, "dmascope", 8));
	fake_end();
}
END_TEST

/* The console's line keeps the time, CPU and task of its record. */
START_TEST(console_line)
{
	static const struct cell cells[CELLS] = {
		{"msg", "str", 0,
		 "e1000 " DEVICE
		 ": swiotlb buffer is full (sz: 4096 bytes), total 32 (slots), used 31 "
		 "(slots)"}};
	struct dms_event event;

	begin(&machines[0], NULL);
	event = one_event("printk", "console", cells);
	ck_assert_int_eq(event.kind, DMS_EV_CONSOLE);
	ck_assert_uint_eq(event.message, DMS_MSG_SWIOTLB_FULL);
	ck_assert(event.ts == 5 && event.cpu == 3 && event.pid == 4242 && event.instance == 1);
	ck_assert_str_eq(dms_strtab_get(fake.names.devices, event.device), DEVICE);
	fake_end();
}
END_TEST

/* Where a string should be, there is nothing, or the record is over. */
START_TEST(bad_location)
{
	static const struct {
		const char *system, *name;
		struct cell cells[CELLS];
		const char *reason;
	} rows[] = {
		{"printk",
		 "console",
		 {{"msg", "str", 0x00100030, NULL}},
		 "a text lies outside the record"},
		{"module",
		 "module_free",
		 {{"name", "str", 0xffffffff, NULL}},
		 "a string lies outside the record"},
		{"x",
		 "driver_bound",
		 {{"device", "str", 0x0010ffff, NULL}, {"__probe_ip", "u64", 0, NULL}},
		 "a string lies outside the record"},
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		struct dms_event event;

		begin(&machines[i], NULL);
		add_format(rows[i].system, rows[i].name, rows[i].cells, "\"\"");
		fake_start();
		fill(0, rows[i].cells);
		event = decode_built();
		ck_assert_int_eq(event.kind, DMS_EV_NONE);
		ck_assert_uint_eq(count().malformed, 1);
		ck_assert_str_eq(count().reason, rows[i].reason);
		fake_end();
	}
}
END_TEST

/* Each page of a batch has an event of its own, if both are recorded. */
START_TEST(pages_freed_once)
{
	static const struct cell cells[CELLS] = {{"pfn", "long", 2, NULL}};
	struct dms_event event;

	begin(&machines[0], NULL);
	add_format("kmem", "mm_page_free_batched", cells, "\"\"");
	add_format("kmem", "mm_page_free", cells, "\"\"");
	fake_start();
	fill(0, cells);
	event = decode_built();
	ck_assert_int_eq(event.kind, DMS_EV_NONE);
	fill(1, cells);
	event = decode_built();
	ck_assert_int_eq(event.kind, DMS_EV_PAGE_FREE);
	fake_end();
}
END_TEST

/* ---- allocation flags
 * ------------------------------------------------------------------------------ */

static const struct {
	const char *text;
	uint32_t bit;
} flags[] = {
	{"{( unsigned long)(( gfp_t)((((1UL))) << (10))), \"__GFP_DIRECT_RECLAIM\"}", 1u << 10},
	{"{( unsigned long)(( gfp_t)0x400u), \"__GFP_DIRECT_RECLAIM\"}", 0x400},
	{"{ 0x800, \"__GFP_X\" }, { 0x400, \"__GFP_DIRECT_RECLAIM\" }", 0x400},
	{"{1024, \"__GFP_DIRECT_RECLAIM\"}", 1024},
	{"{0x80000000, \"__GFP_DIRECT_RECLAIM\"}", 0x80000000},
	{"{(1UL << ___GFP_DIRECT_RECLAIM_BIT), \"__GFP_DIRECT_RECLAIM\"}", 0},
	{"{(1UL << 10) | (1UL << 11), \"__GFP_DIRECT_RECLAIM\"}", 0},
	{"{0xc00, \"__GFP_DIRECT_RECLAIM\"}", 0},
	{"{0, \"__GFP_DIRECT_RECLAIM\"}", 0},
	{"{~0x400, \"__GFP_DIRECT_RECLAIM\"}", 0},
	{"{1 << 32, \"__GFP_DIRECT_RECLAIM\"}", 0},
	{"{0x400 0x400, \"__GFP_DIRECT_RECLAIM\"}", 0},
	{"{<<10, \"__GFP_DIRECT_RECLAIM\"}", 0},
	{"{<<1 10, \"__GFP_DIRECT_RECLAIM\"}", 0},
	{"{1 10 <<, \"__GFP_DIRECT_RECLAIM\"}", 0},
	{"{1<<, \"__GFP_DIRECT_RECLAIM\"}", 0},
	{"{, \"__GFP_DIRECT_RECLAIM\"}", 0},
	{", \"__GFP_DIRECT_RECLAIM\"}", 0},
	{"\"__GFP_DIRECT_RECLAIM\"}", 0},
	{"{0x400, \"__GFP_IO\"}", 0},
	{"", 0},
};

START_TEST(blocking_bit)
{
	size_t size = strlen(flags[_i].text);
	char *copy = malloc(size + 1); /* not terminated */

	memcpy(copy, flags[_i].text, size);
	ck_assert_uint_eq(gfp_direct_reclaim(copy, size), flags[_i].bit);
	free(copy);
}
END_TEST

/* The bit is the file's own, and without it nothing is said. */
START_TEST(may_block)
{
	static const struct cell cells[CELLS] = {STRING("device"),
						 {"dma_addr", "u64", 1, NULL},
						 {"virt_addr", "u64", 1, NULL},
						 {"size", "u64", 1, NULL},
						 {"flags", "u32", 0x100, NULL}};
	static const struct {
		const char *print_fmt;
		uint32_t has, inputs;
		bool may_block;
	} rows[] = {
		{"{0x100, \"__GFP_DIRECT_RECLAIM\"}", DMS_HAS_MAY_BLOCK, DMS_INPUT_GFP, true},
		{"{0x400, \"__GFP_DIRECT_RECLAIM\"}", DMS_HAS_MAY_BLOCK, DMS_INPUT_GFP, false},
		{"", 0, 0, false},
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		struct dms_event event;

		begin(&machines[i], NULL);
		add_format("dma", "dma_alloc", cells, rows[i].print_fmt);
		fake_start();
		fill(0, cells);
		event = decode_built();
		ck_assert_int_eq(event.kind, DMS_EV_ALLOC);
		ck_assert_uint_eq(event.has & DMS_HAS_MAY_BLOCK, rows[i].has);
		ck_assert_int_eq(event.may_block, rows[i].may_block);
		ck_assert_uint_eq(dms_decoder_inputs(fake.decoder), rows[i].inputs);
		fake_end();
	}
}
END_TEST

/* ---- releases ---------------------------------------------------------------------------- */

static const struct {
	const char *release, *format;
	bool may_elide;
} elisions[] = {
	{"6.12.95", "dma_map_page", false},  {"6.15.0-rc1", "dma_map_page", false},
	{"6.15.9", "dma_unmap_page", false}, {"6.16.0", "dma_map_page", true},
	{"6.12.95", "dma_map_phys", true},   {"6.11.0", "dma_map_page", true},
	{"7.2.13", "dma_map_phys", true},    {NULL, "dma_map_page", true},
	{NULL, "dma_map_phys", true},
	{"next", "dma_map_page", true},	     {"6.12.95", "dma_map_sg", true},
};

START_TEST(elision)
{
	static const struct cell cells[CELLS] = {{"x", "u64", 1, NULL}};
	struct kernel machine = machines[0];

	machine.release = elisions[_i].release;
	begin(&machine, NULL);
	add_format("dma", elisions[_i].format, cells, "\"\"");
	fake_start();
	ck_assert_int_eq(dms_decoder_may_elide(fake.decoder), elisions[_i].may_elide);
	ck_assert_int_eq(dms_decoder_doubts_alloc_dir(fake.decoder),
			 !elisions[_i].release && strcmp(elisions[_i].format, "dma_map_phys") != 0);
	fake_end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tracepoints");

	add_case(suite, "tracepoints", other_tracepoints, DMS_ARRAY_SIZE(others));
	add_case(suite, "marker", marker_text, 1);
	add_case(suite, "console", console_line, 1);
	add_case(suite, "locations", bad_location, 1);
	add_case(suite, "batched", pages_freed_once, 1);
	add_case(suite, "gfp", blocking_bit, DMS_ARRAY_SIZE(flags));
	add_case(suite, "may block", may_block, 1);
	add_case(suite, "elision", elision, DMS_ARRAY_SIZE(elisions));
	return run_suite(suite);
}

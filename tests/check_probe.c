// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/decode: probes found by the function they sit on, whose call it was, and when. */
#include "lib/fakecells.h"

/* ---- every function ---------------------------------------------------------------------------
 */

#define IP(address)                                                                                \
	{                                                                                          \
		"__probe_ip", "long", address, NULL                                                \
	}
#define FUNC(address)                                                                              \
	{                                                                                          \
		"__probe_func", "long", address, NULL                                              \
	}
#define RETURNS_TO(address)                                                                        \
	{                                                                                          \
		"__probe_ret_ip", "long", address, NULL                                            \
	}
#define STRING(name)                                                                               \
	{                                                                                          \
		name, "str", 0, DEVICE                                                             \
	}
#define DEV DMS_HAS_DEVICE
#define PTR DMS_HAS_POINTER

/* clang-format off */
/* What the event is called and what it holds; hidden addresses, so its name must tell. */
static const struct named {
	const char *system, *name;
	struct cell cells[CELLS];
	enum dms_event_kind kind;
	uint32_t has;
	uint64_t value; /* of what each kind is about, see value_of() */
} named[] = {
	{"probe", "debug_dma_mapping_error",
	  {IP(0), STRING("device"), {"dma_addr", "u64", 7, NULL}},
	  DMS_EV_CHECK, DEV | DMS_HAS_DMA_ADDR, 7},
	{"dma_api", "dma_mapping_error",
	  {IP(0), {"dev", "long", 1, NULL}, {"addr", "u32", 7, NULL}},
	  DMS_EV_CHECK, PTR | DMS_HAS_DMA_ADDR, 7},
	{"kprobes", "p_debug_dma_mapping_error_4",
	  {IP(0), {"arg1", "long", 1, NULL}, {"arg2", "u64", UINT64_MAX, NULL}},
	  DMS_EV_CHECK, PTR | DMS_HAS_DMA_ADDR, UINT64_MAX},
	{"kprobes", "p_debug_dma_mapping_error_32",
	  {IP(0), {"arg1", "long", 1, NULL}, {"arg2", "u64", 7, NULL}},
	  DMS_EV_NONE, 0, 0},
	{"fprobes", "debug_dma_mapping_error__exit",
	  {FUNC(0), STRING("dev"), {"arg2", "u64", 7, NULL}},
	  DMS_EV_NONE, 0, 0}, /* unnamed, at a return: anything */
	{"fprobes", "debug_dma_mapping_error__exit",
	  {FUNC(0), STRING("dev"), {"dma_addr", "u64", 7, NULL}},
	  DMS_EV_CHECK, DEV | DMS_HAS_DMA_ADDR, 7},
	{"my", "dma_set_mask", {IP(0), STRING("name"), {"mask", "u64", 0xffffffff, NULL}},
	  DMS_EV_SET_MASK, DEV | DMS_HAS_DMA_MASK, 0xffffffff},
	{"dmascope", "coherent_mask", {IP(0), STRING("devname"), {"arg2", "u64", 5, NULL}},
	  DMS_EV_SET_COHERENT_MASK, DEV | DMS_HAS_DMA_MASK, 5},
	{"mine", "coherent_mask", {IP(0), STRING("devname"), {"arg2", "u64", 5, NULL}},
	  DMS_EV_NONE, 0, 0},
	{"my", "dma_set_mask__return",
	  {FUNC(0), STRING("dev"), {"mask", "u64", 9, NULL}, {"ret", "u32", 0, NULL}},
	  DMS_EV_SET_MASK, DEV | DMS_HAS_DMA_MASK | DMS_HAS_ERR, 9},
	{"my", "dma_set_mask__return",
	  {FUNC(0), STRING("dev"), {"mask", "u64", 9, NULL}, {"ret", "u32", (uint32_t)-5, NULL}},
	  DMS_EV_NONE, 0, 0},
	{"dmascope", "map_sg", {FUNC(0), {"ret", "u32", 3, NULL}}, DMS_EV_NONE, 0, 0},
	{"dmascope", "map_sg", {FUNC(0), {"ret", "u32", 0, NULL}},
	  DMS_EV_MAP_SG_RETURN, DMS_HAS_ERR, 0},
	{"kprobes", "r_dma_map_sg_attrs_0", {FUNC(0), {"arg1", "u64", 0xabc00000000, NULL}},
	  DMS_EV_MAP_SG_RETURN, DMS_HAS_ERR, 0}, /* an unsigned int in a wide register */
	{"kprobes", "r_dma_map_sg_attrs_0",
	  {FUNC(0), {"arg1", "u64", 0, NULL}, {"arg2", "u64", 0, NULL}},
	  DMS_EV_NONE, 0, 0}, /* which of the two is returned? */
	{"kprobes", "r_dma_map_sg_attrs_0", {FUNC(0), {"arg1", "u16", 0, NULL}},
	  DMS_EV_NONE, 0, 0},
	{"dmascope", "map_sgtable", {FUNC(0), {"ret", "u32", 0, NULL}}, DMS_EV_NONE, 0, 0},
	{"dmascope", "map_sgtable", {FUNC(0), {"ret", "u32", (uint32_t)-12, NULL}},
	  DMS_EV_MAP_SG_RETURN, DMS_HAS_ERR, (uint64_t)-12},
	{"probe", "dma_need_unmap__return", {FUNC(0), {"ret", "u64", 0xffffff00, NULL}},
	  DMS_EV_NEED_UNMAP, DMS_HAS_ERR, 0},
	{"probe", "dma_need_unmap__return_1", {FUNC(0), {"ret", "u8", 1, NULL}, STRING("device")},
	  DMS_EV_NEED_UNMAP, DEV | DMS_HAS_ERR, 1},
	{"probe", "dma_need_unmap", {IP(0), STRING("device")}, DMS_EV_NONE, 0, 0},
	{"probe", "dma_pool_create_node",
	  {IP(0), {"name", "str", 0, "pool"}, STRING("device"), {"size", "u64", 64, NULL}},
	  DMS_EV_POOL_CREATE, DEV | DMS_HAS_SIZE, 64},
	{"probe", "dma_pool_alloc",
	  {IP(0), {"pool", "long", 5, NULL}, {"mem_flags", "u32", 1, NULL}},
	  DMS_EV_POOL_ALLOC, DMS_HAS_GFP, 5},
	{"probe", "dma_pool_free",
	  {IP(0), {"arg1", "long", 5, NULL}, {"arg2", "long", 6, NULL}, {"arg3", "u64", 7, NULL}},
	  DMS_EV_POOL_FREE, DMS_HAS_VIRT_ADDR | DMS_HAS_DMA_ADDR, 5},
	{"probe", "dma_pool_destroy", {IP(0), {"pool", "long", 5, NULL}},
	  DMS_EV_POOL_DESTROY, 0, 5},
	{"x", "dma_map_phys", {IP(0), STRING("device"), {"stack_phys", "long", 0x12345, NULL}},
	  DMS_EV_STACK_PAGE, DEV | DMS_HAS_PHYS_ADDR | DMS_HAS_SIZE, 0x12000},
	{"x", "dma_map_sg_attrs", {IP(0), {"stack_page_phys", "long", 0x12fff, NULL}},
	  DMS_EV_STACK_PAGE, DMS_HAS_PHYS_ADDR | DMS_HAS_SIZE, 0x12000},
	{"x", "dma_map_page_attrs", {IP(0), {"phys", "long", 0x12345, NULL}}, DMS_EV_NONE, 0, 0},
	{"x", "device_release_driver_internal", {IP(0), STRING("device")},
	  DMS_EV_UNBIND_BEGIN, DEV, 0},
	{"x", "device_release_driver_internal__return", {FUNC(0), STRING("device")},
	  DMS_EV_UNBOUND, DEV, 0},
	{"x", "device_release_driver_internal__return", {FUNC(0)}, DMS_EV_NONE, 0, 0},
	{"x", "__device_release_driver", {IP(0), {"arg1", "long", 9, NULL}},
	  DMS_EV_UNBIND_BEGIN, PTR, 0},
	{"dmascope", "unbind", {IP(0), STRING("device"), {"dev", "long", 9, NULL}},
	  DMS_EV_UNBIND, DEV, 0},
	{"x", "device_unbind_cleanup__return", {FUNC(0), STRING("device")},
	  DMS_EV_UNBOUND, DEV, 0},
	{"x", "device_unbind_cleanup__return",
	  {FUNC(0), {"arg1", "long", 9, NULL}, {"arg2", "u64", 0, NULL}}, DMS_EV_UNBOUND, PTR, 0},
	{"x", "device_unbind_cleanup", {IP(0), {"device", "str", 0, "(fault)"}},
	  DMS_EV_NONE, 0, 0},
	{"x", "device_unbind_cleanup", {IP(0), {"device", "str", 0, ""}}, DMS_EV_NONE, 0, 0},
	{"x", "driver_bound", {IP(0), STRING("dev_name")}, DMS_EV_BOUND, DEV, 0},
	{"x", "kobject_uevent_env", {IP(0), STRING("kobj"), {"action", "u32", 7, NULL}},
	  DMS_EV_UNBOUND, DEV, 0},
	{"x", "kobject_uevent_env", {IP(0), STRING("kobj"), {"arg2", "u32", 6, NULL}},
	  DMS_EV_BOUND, DEV, 0},
	{"x", "kobject_uevent_env", {IP(0), STRING("kobj"), {"action", "u32", 2, NULL}},
	  DMS_EV_NONE, 0, 0},
	{"uprobes", "dma_set_mask", {IP(0), STRING("name"), {"mask", "u64", 1, NULL}},
	  DMS_EV_NONE, 0, 0},
	{"x", "dma_set_mask", {STRING("name"), {"mask", "u64", 1, NULL}}, DMS_EV_NONE, 0, 0},
};
/* clang-format on */

static uint64_t value_of(const struct dms_event *event)
{
	switch (event->kind) {
	case DMS_EV_CHECK:
		return event->dma_addr;
	case DMS_EV_SET_MASK:
	case DMS_EV_SET_COHERENT_MASK:
		return event->dma_mask;
	case DMS_EV_MAP_SG_RETURN:
	case DMS_EV_NEED_UNMAP:
		return (uint64_t)(int64_t)event->err;
	case DMS_EV_POOL_CREATE:
		return event->size;
	default:
		return event->phys_addr;
	}
}

START_TEST(every_function)
{
	const struct named *row = &named[_i];

	for (size_t i = 0; i < DMS_ARRAY_SIZE(machines); i++) {
		struct dms_event event;

		begin(&machines[i], NULL);
		event = one_event(row->system, row->name, row->cells);
		ck_assert_msg(event.kind == row->kind, "%s: %s", row->name,
			      dms_event_kind_name(event.kind));
		if (row->kind != DMS_EV_NONE) {
			ck_assert_msg(event.has == row->has, "%s has %#x", row->name, event.has);
			ck_assert_uint_eq(value_of(&event), row->value);
			ck_assert(event.pid == 4242 && event.cpu == 3 && event.ts == 5);
			ck_assert(
				!(event.has & DEV) ||
				!strcmp(dms_strtab_get(fake.names.devices, event.device), DEVICE));
			ck_assert(count().decoded && !count().reason);
		}
		/* half a record is never decoded, and never read beyond its end */
		for (uint32_t size = fake.size; size-- > 0;) {
			fake.size = size;
			decode_built();
		}
		fake_end();
	}
}
END_TEST

/* ---- the function by its address ----------------------------------------------------------------
 */

#define BASE 0xffffffff81000000ull
static const char symbols[] = "ffffffff81000000 T dma_set_mask\n"
			      "ffffffff81000100 T dma_set_coherent_mask\n"
			      "ffffffff81000200 T debug_dma_mapping_error\n"
			      "ffffffff81000300 t driver_bound.isra.0\n"
			      "ffffffff81000380 t driver_bound.cold\n"
			      "ffffffff81000400 T vfs_write\n"
			      "ffffffff81000500 T debug_dma_map_page\n"
			      "ffffffff81000600 t check_unmap\n"
			      "ffffffff81000700 T devres_release_all\n"
			      "ffffffff81000800 T devm_kfree\n"
			      "ffffffff81200000 T debug_dma_last\n"
			      "ffffffffa0000000 t e1000_probe\t[e1000]\n";

static const struct {
	const char *name;
	uint64_t address;
	enum dms_event_kind kind;
} addresses[] = {
	{"a", BASE, DMS_EV_SET_MASK},
	{"a", BASE + 4, DMS_EV_SET_MASK},
	{"a", BASE + 16, DMS_EV_SET_MASK},
	{"a", BASE + 17, DMS_EV_NONE},
	{"a", BASE + 0x104, DMS_EV_SET_COHERENT_MASK},
	{"a", BASE + 0x300, DMS_EV_BOUND},
	{"a", BASE + 0x380, DMS_EV_NONE},
	{"a", BASE + 0x400, DMS_EV_NONE},
	{"dma_set_coherent_mask", BASE, DMS_EV_SET_MASK}, /* the name lies */
	{"dma_set_mask", BASE + 0x20, DMS_EV_NONE},	  /* in its middle */
	/* cut symbol tables: what seems to be elsewhere proves nothing against a name */
	{"dma_set_mask", BASE + 0x440, DMS_EV_SET_MASK},
	{"dma_set_mask", BASE + 0x140, DMS_EV_SET_MASK},
	{"dma_set_mask", BASE + 0x20400, DMS_EV_SET_MASK},
	{"dma_set_mask", 0, DMS_EV_SET_MASK},
	{"dma_set_mask", 0x1234, DMS_EV_SET_MASK},
};

START_TEST(by_address)
{
	struct cell cells[CELLS] = {
		IP(addresses[_i].address), STRING("device"), {"mask", "u64", 7, NULL}};
	struct dms_event event;

	begin(&machines[0], symbols);
	event = one_event("x", addresses[_i].name, cells);
	ck_assert_msg(event.kind == addresses[_i].kind, "%d: %s", _i,
		      dms_event_kind_name(event.kind));
	event = decode_built();
	ck_assert_int_eq(event.kind, addresses[_i].kind);
	ck_assert_int_eq(count().decoded, event.kind != DMS_EV_NONE);
	fake_end();
}
END_TEST

/* ---- whose check it was
 * ---------------------------------------------------------------------------- */

static const struct {
	struct cell caller;
	enum caller expected;
} callers[] = {
	{{"caller", "u64", BASE + 0x55b, NULL}, CALLER_KERNEL},
	{{"caller", "u64", BASE + 0x700, NULL}, CALLER_KERNEL}, /* the call is before it */
	{{"caller", "u64", BASE + 0x640, NULL}, CALLER_KERNEL},
	{{"caller", "u64", BASE + 0x440, NULL}, CALLER_DRIVER},
	{{"arg3", "u64", 0xffffffffa0000123, NULL}, CALLER_DRIVER},
	{{"stack0", "u64", 0xffffffffa0000123, NULL}, CALLER_DRIVER},
	{{"caller", "u64", BASE + 0x200010, NULL}, CALLER_KERNEL},
	{{"caller", "u64", BASE + 0x204000, NULL}, CALLER_UNKNOWN}, /* behind the file's end */
	{{"caller", "u64", BASE + 0x240000, NULL}, CALLER_UNKNOWN},
	{{"caller", "u64", BASE + 0x20800, NULL}, CALLER_UNKNOWN}, /* far behind devm_kfree() */
	{{"caller", "u64", 0, NULL}, CALLER_UNKNOWN},
	{{"caller", "u64", 0xffff888000001234, NULL}, CALLER_UNKNOWN},
	{{"caller", "str", 0, "debug_dma_map_page+0x5b/0x80"}, CALLER_KERNEL},
	{{"caller", "str", 0, "e1000_probe+0x5b/0x80 [e1000]"}, CALLER_DRIVER},
	{{"caller", "str", 0, "0xffffffff81000000"}, CALLER_UNKNOWN},
	{{"nobody", "u64", BASE + 0x55b, NULL}, CALLER_UNKNOWN},
};

static void expect_caller(const struct dms_event *event, enum caller expected)
{
	ck_assert_int_eq(event->kind, DMS_EV_CHECK);
	ck_assert_int_eq(!(event->has & DMS_HAS_CALLER), expected == CALLER_UNKNOWN);
	ck_assert_int_eq(event->by_kernel, expected == CALLER_KERNEL);
	ck_assert(!event->phys_addr && !event->text && !(event->has & DMS_HAS_PHYS_ADDR));
}

START_TEST(whose_check)
{
	struct cell cells[CELLS] = {IP(BASE + 0x204),
				    STRING("device"),
				    {"dma_addr", "u64", 7, NULL},
				    callers[_i].caller};
	struct dms_event event;

	for (int has_symbols = 1; has_symbols >= 0; has_symbols--) {
		bool is_known = has_symbols || callers[_i].caller.string;

		begin(&machines[0], has_symbols ? symbols : NULL);
		event = one_event("x", "debug_dma_mapping_error", cells);
		expect_caller(&event, is_known ? callers[_i].expected : CALLER_UNKNOWN);
		event = decode_built(); /* from the cache */
		expect_caller(&event, is_known ? callers[_i].expected : CALLER_UNKNOWN);
		fake_end();
	}
}
END_TEST

/* A kretprobe's return address is in the caller. */
START_TEST(check_that_returns)
{
	struct cell cells[CELLS] = {FUNC(BASE + 0x204),
				    RETURNS_TO(BASE + 0x55b),
				    STRING("device"),
				    {"dma_addr", "u32", UINT32_MAX, NULL}};
	struct dms_event event;

	begin(&machines[0], symbols);
	fake.source.info.long_size = 4; /* its dma_addr_t has 32 bits: all ones is the error */
	for (int i = 0; i < 2; i++)
		cells[i].type = "u64";
	event = one_event("x", "y", cells);
	expect_caller(&event, CALLER_KERNEL);
	ck_assert_uint_eq(event.dma_addr, DMS_MAPPING_ERROR64);
	fake_end();
}
END_TEST

/* ---- a call that two probes tell of ----------------------------------------------------------- */

#define MAP_ENTRY(bytes, stack)                                                                    \
	{                                                                                          \
		IP(0), STRING("device"), {"size", "u64", bytes, NULL}, {"dir", "u32", 2, NULL},    \
			{"sp", "u64", stack, NULL}                                                 \
	}
#define MAP_RETURN(address, stack)                                                                 \
	{                                                                                          \
		FUNC(0), {"dma_addr", "u64", address, NULL}, {"sp", "u64", stack, NULL}            \
	}

static void begin_pairs(const struct kernel *machine)
{
	static const struct cell entry[CELLS] = MAP_ENTRY(0, 0), end[CELLS] = MAP_RETURN(0, 0);

	begin(machine, NULL);
	add_format("dma", "dma_map_page_entry", entry, "\"\"");
	add_format("dma", "dma_map_page", end, "\"\"");
	fake_start();
}

/* A map of task @pid begins, with its stack there. */
static void enter(uint32_t pid, uint64_t bytes, uint64_t stack)
{
	const struct cell cells[CELLS] = MAP_ENTRY(bytes, stack);

	fill(0, cells);
	put(4, pid, 4);
	ck_assert_int_eq(decode_built().kind, DMS_EV_NONE);
}

/* It returns: of how many bytes it was; 0: nothing is known of it. */
static uint64_t leave(uint32_t pid, uint64_t address, uint64_t stack)
{
	const struct cell cells[CELLS] = MAP_RETURN(address, stack);
	struct dms_event event;

	fill(1, cells);
	put(4, pid, 4);
	event = decode_built();
	if (event.kind == DMS_EV_NONE)
		return 0;
	ck_assert_int_eq(event.kind, DMS_EV_MAP);
	ck_assert_int_eq(event.failed, address == DMS_MAPPING_ERROR64);
	ck_assert_uint_eq(event.dma_addr, address);
	ck_assert_uint_eq(event.has, DEV | DMS_HAS_DMA_ADDR | DMS_HAS_SIZE | DMS_HAS_DIR);
	ck_assert(event.dir == 2 && !event.dma_mask && event.pid == pid);
	ck_assert_str_eq(dms_strtab_get(fake.names.devices, event.device), DEVICE);
	return event.size;
}

START_TEST(pairs)
{
	begin_pairs(&machines[_i]);
	enter(7, 100, 0x9000);
	enter(7, 200, 0x8000); /* an interrupt maps on top of it */
	enter(8, 300, 0xa000); /* another task, on another CPU */
	ck_assert_uint_eq(leave(7, 0x20, 0x8008), 200);
	ck_assert_uint_eq(leave(8, 0x30, 0xa000), 300); /* arm64 pops nothing */
	ck_assert_uint_eq(leave(7, DMS_MAPPING_ERROR64, 0x9010), 100);
	ck_assert_uint_eq(leave(7, 0x10, 0x9008), 0); /* once only */
	enter(7, 100, 0x9000);
	ck_assert_uint_eq(leave(9, 0x10, 0x9008), 0);  /* of another task */
	ck_assert_uint_eq(leave(7, 0x10, 0x9018), 0);  /* of another call */
	ck_assert_uint_eq(leave(7, 0x10, 0x8ff8), 0);
	enter(7, 400, 0x9000); /* the first one's return was missed */
	ck_assert_uint_eq(leave(7, 0x10, 0x9008), 400);
	ck_assert_uint_eq(leave(7, 0x10, 0x9008), 0);
	for (uint32_t i = 0; i < 5000; i++) /* returns that are all missed: the last ones are kept */
		enter(i, i + 1, 0x10000 + 64 * (uint64_t)i);
	ck_assert_uint_eq(leave(4999, 0x10, 0x10008 + 64 * 4999), 5000);
	ck_assert_uint_eq(leave(4000, 0x10, 0x10008 + 64 * 4000), 4001);
	ck_assert_uint_eq(leave(17, 0x10, 0x10008 + 64 * 17), 0);
	ck_assert_str_eq(dms_decoder_untold(fake.decoder),
			 "scatter lists, coherent memory and physical addresses of pages");
	fake_end();
}
END_TEST

/* ---- stacks that tell
 * ----------------------------------------------------------------------------- */

static struct dms_event with_stack(const struct cell *cells, const uint64_t *frames)
{
	static const struct cell stack[CELLS] = {{"caller", "u64", 0, NULL}};
	uint8_t next[64] = {101};
	struct dms_record record = {.ts = 5, .data = fake.record, .next = next, .next_size = 64};
	struct dms_event event;

	if (!fake.decoder) {
		add_format("ftrace", "kernel_stack", stack, "\"\"");
		fake_start();
	}
	fill(0, cells);
	record.size = fake.size;
	memcpy(next + 8, frames, 40);
	ck_assert_ptr_null(dms_decode(fake.decoder, &record, &event));
	return event;
}

START_TEST(check_by_stack)
{
	static const struct cell cells[CELLS] = {
		IP(BASE + 0x204), STRING("device"), {"dma_addr", "u64", 7, NULL}};
	static const struct {
		uint64_t frames[5];
		enum caller expected;
	} rows[] = {
		{{BASE + 0x205, BASE + 0x55b, 0xffffffffa0000123}, CALLER_KERNEL},
		{{BASE + 0x205, 0xffffffffa0000123, BASE + 0x55b}, CALLER_DRIVER},
		{{BASE + 0x440, BASE + 0x205, BASE + 0x55b}, CALLER_KERNEL},
		{{BASE + 0x440, BASE + 0x55b}, CALLER_UNKNOWN},
		{{BASE + 0x205}, CALLER_UNKNOWN},
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		struct dms_event event;

		begin(&machines[0], symbols);
		fake.decoder = NULL;
		add_format("f", "check", cells, "\"\"");
		event = with_stack(cells, rows[i].frames);
		expect_caller(&event, rows[i].expected);
		fake_end();
	}
}
END_TEST

/* dev:devres_log: the operation is a pointer to a string; only the stack shows a release. */
START_TEST(devres)
{
	static const struct cell cells[CELLS] = {STRING("devname"), {"op", "u64", 0x1234, NULL}};
	static const uint64_t release[5] = {BASE + 0x720, BASE + 0x440};
	static const uint64_t other[5] = {BASE + 0x820, BASE + 0x440}, none[5];
	struct dms_event event;

	begin(&machines[0], symbols);
	add_format("dev", "devres_log", cells, "\"\"");
	event = with_stack(cells, other);
	ck_assert_int_eq(event.kind, DMS_EV_NONE);
	event = with_stack(cells, none);
	ck_assert_int_eq(event.kind, DMS_EV_NONE);
	ck_assert_uint_eq(dms_decoder_inputs(fake.decoder), 0);
	event = with_stack(cells, release);
	ck_assert(event.kind == DMS_EV_DEVRES && (event.has & DEV));
	ck_assert_uint_eq(dms_decoder_inputs(fake.decoder), DMS_INPUT_UNBINDS);
	fake_end();
}
END_TEST

/* ---- what a file can show
 * ---------------------------------------------------------------------------- */

/* By its name a probe is known before its first record; by its address from then on. */
START_TEST(inputs)
{
	static const struct cell cells[CELLS] = {
		IP(BASE + 0x204), STRING("device"), {"dma_addr", "u64", 7, NULL}};
	static const struct {
		const char *name;
		uint32_t before, after;
	} rows[] = {
		{"debug_dma_mapping_error", DMS_INPUT_CHECKS, DMS_INPUT_CHECKS},
		{"anything", 0, DMS_INPUT_CHECKS},
		{"device_unbind_cleanup", DMS_INPUT_UNBINDS, DMS_INPUT_CHECKS},
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		begin(&machines[0], symbols);
		add_format("x", rows[i].name, cells, "\"\"");
		fake_start();
		ck_assert_uint_eq(dms_decoder_inputs(fake.decoder), rows[i].before);
		ck_assert_int_eq(dms_decoder_has_kind(fake.decoder, DMS_EV_CHECK),
				 rows[i].before == DMS_INPUT_CHECKS);
		fill(0, cells);
		decode_built();
		ck_assert_uint_eq(dms_decoder_inputs(fake.decoder), rows[i].after);
		fake_end();
	}
}
END_TEST

/* ---- real recordings
 * ----------------------------------------------------------------------------------- */

#define SHARED SRCDIR "/../shared/traces/"
static const struct {
	const char *path;
	uint32_t by_driver, by_kernel, unknown;
} recordings[] = {
	{"oracle/ctl_single/trace-probe.dat", 3, 3, 0},
	{"oracle/ctl_single/trace-rawprobe.dat", 3, 3, 0},
	{"oracle/ctl_single/trace-fprobe.dat", 0, 0, 6}, /* has neither caller nor stacks */
	{"oracle/ctl_resource/trace-probe.dat", 1, 0, 0},
	{"oracle/ctl_reuse/trace-probe.dat", 50, 50, 0},
	{"oracle/double_unmap/trace-probe.dat", 1, 2, 0}, /* check_unmap() */
	{"oracle/maperr_unchecked/trace-probe.dat", 0, 1, 0},
	{"oracle/maperr_unchecked/trace-stackprobe.dat", 0, 1, 0},
	{"oracle/maperr_unchecked.swiotlb/trace-probe.dat", 0, 1, 0},
	{"oracle/maperr_unchecked_resource/trace-probe.dat", 0, 0, 0},
	{"oracle/real_io/trace-probe.dat", 267, 267, 0},
	{"stock/7.2/iommu-tc/probes.dat", 0, 0, 0}, /* probes of map functions */
};

static void count_checks(struct dms_source *source, uint32_t counts[3], uint32_t *ret_others)
{
	struct dms_names names = {.devices = dms_strtab_create(), .stacks = dms_stacks_create()};
	struct dms_decoder *decoder;
	struct dms_event event;
	struct dms_item item;

	ck_assert_ptr_null(dms_decoder_create(source, &names, &decoder));
	for (;;) {
		ck_assert_ptr_null(dms_source_next(source, &item));
		if (item.kind == DMS_ITEM_END)
			break;
		if (item.kind != DMS_ITEM_RECORD)
			continue;
		ck_assert_ptr_null(dms_decode(decoder, &item.record, &event));
		if (event.kind == DMS_EV_CHECK)
			counts[event.has & DMS_HAS_CALLER ? event.by_kernel : 2]++;
		else
			*ret_others += event.kind > DMS_EV_CHECK;
	}
	for (uint32_t i = 0; i < dms_decoder_n_tracepoints(decoder); i++) {
		struct dms_tracepoint_count tracepoint;

		dms_decoder_count(decoder, i, &tracepoint);
		ck_assert_msg(!tracepoint.reason, "%s: %s", tracepoint.name, tracepoint.reason);
	}
	dms_decoder_destroy(decoder);
	dms_stacks_destroy(names.stacks);
	dms_strtab_destroy(names.devices);
}

START_TEST(real_recordings)
{
	uint32_t counts[3] = {0}, n_others = 0;
	struct dms_source *source;
	char path[1024];
	FILE *stream;

	snprintf(path, sizeof(path), SHARED "%s", recordings[_i].path);
	stream = fopen(path, "r");
	if (!stream)
		return; /* the shared traces are no part of the sources */
	fclose(stream);
	ck_assert_ptr_null(dms_source_open(path, &source));
	count_checks(source, counts, &n_others);
	ck_assert_uint_eq(counts[0], recordings[_i].by_driver);
	ck_assert_uint_eq(counts[1], recordings[_i].by_kernel);
	ck_assert_uint_eq(counts[2], recordings[_i].unknown);
	ck_assert_uint_eq(n_others, 0);
	dms_source_close(source);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("probe");

	add_case(suite, "functions", every_function, DMS_ARRAY_SIZE(named));
	add_case(suite, "addresses", by_address, DMS_ARRAY_SIZE(addresses));
	add_case(suite, "callers", whose_check, DMS_ARRAY_SIZE(callers));
	add_case(suite, "return address", check_that_returns, 1);
	add_case(suite, "pairs", pairs, 2);
	add_case(suite, "stacks", check_by_stack, 1);
	add_case(suite, "devres", devres, 1);
	add_case(suite, "inputs", inputs, 1);
	add_case(suite, "recordings", real_recordings, DMS_ARRAY_SIZE(recordings));
	return run_suite(suite);
}

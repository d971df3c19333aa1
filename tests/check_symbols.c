// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/symbols: kallsyms text, interned stacks, and the names of the DMA core. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <dmascope/symbols.h>

/* ---- symbol table -------------------------------------------------------------------------- */

static struct dms_symbols *table_of(const char *text, size_t size)
{
	struct dms_symbols *symbols = NULL;
	struct dms_error *err = dms_symbols_create(text, size, &symbols);

	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	ck_assert_ptr_nonnull(symbols);
	return symbols;
}

/* "name", "name [module]" or "-": what @address is found to be. */
static void expect(const struct dms_symbols *symbols, uint64_t address, const char *wanted)
{
	struct dms_symbol symbol;
	char text[256] = "-";

	if (dms_symbols_find(symbols, address, &symbol)) {
		ck_assert_uint_le(symbol.address, address);
		if (symbol.module)
			snprintf(text, sizeof(text), "%.*s [%.*s]", (int)symbol.name_len,
				 symbol.name, (int)symbol.module_len, symbol.module);
		else
			snprintf(text, sizeof(text), "%.*s", (int)symbol.name_len, symbol.name);
	}
	ck_assert_msg(!strcmp(text, wanted), "%#" PRIx64 " is %s, not %s", address, text, wanted);
}

struct find_case {
	const char *text;
	uint32_t count; /* distinct addresses */
	struct {
		uint64_t address;
		const char *wanted;
	} finds[5];
};

static const struct find_case find_cases[] = {
	/* the plain form; an address belongs to the symbol before it */
	{"ffffffff81000000 T first\nffffffff81000100 t second\n",
	 2,
	 {{0xffffffff81000000, "first"},
	  {0xffffffff810000ff, "first"},
	  {0xffffffff81000100, "second"},
	  {0xffffffff80ffffff, "-"},
	  {0xffffffff81000100 + 0x3ffff, "second"}}},
	/* a page of trampolines does not swallow the functions of a module without symbols */
	{"ffffffffc0000000 t ftrace_trampoline\t[__builtin__ftrace]\n"
	 "ffffffffc0100000 t bpf_prog_6deef7357e7b4530\t[bpf]\n",
	 2,
	 {{0xffffffffc0000fff, "ftrace_trampoline [__builtin__ftrace]"},
	  {0xffffffffc0001000, "-"},
	  {0xffffffffc010ffff, "bpf_prog_6deef7357e7b4530 [bpf]"},
	  {0xffffffffc0110000, "-"}}},
	/* neither does a module that is only called like that */
	{"ffffffffc0000000 t poll\t[bpf_tools]\n", 1, {{0xffffffffc0010000, "poll [bpf_tools]"}}},
	/* far behind the last function nothing is known, the marker of a cut stack included */
	{"ffffffff81000100 t last\n",
	 1,
	 {{0xffffffff81000100 + 0x40000, "-"}, {UINT64_MAX, "-"}, {0, "-"}}},
	/* modules, with tab or blank; unsorted */
	{"ffffffffc0002000 t b\t[nvme]\nffffffffc0001000 t a [xhci_hcd]\n"
	 "ffffffff81000000 T core\n",
	 3,
	 {{0xffffffffc0001004, "a [xhci_hcd]"},
	  {0xffffffffc0002004, "b [nvme]"},
	  {0xffffffff81000004, "core"}}},
	/* CRLF, no newline at the end, a zero byte behind the text */
	{"1000 T a\r\n2000 t b\t[m]\r\n3000 W c",
	 3,
	 {{0x1001, "a"}, {0x2001, "b [m]"}, {0x3001, "c"}}},
	/* junk of every kind is stepped over */
	{"\n\nhello\n1000\n1000 T\n1000 T \nzz T a\n1000 TT b\n11112222333344445 T c\n"
	 "1000T d\n-1 T e\n  2000   t   good  \n3000 t also [\n4000 t odd []\n",
	 3,
	 {{0x1001, "-"}, {0x2001, "good"}, {0x3001, "also"}, {0x4001, "odd"}}},
	/* functions win over data, although the data is nearer */
	{"1000 T function\n1800 d data\n1900 B more\n", 1, {{0x1850, "function"}}},
	/* weak ones count */
	{"1000 W weak\n1100 w weaker\n", 2, {{0x1000, "weak"}, {0x1180, "weaker"}}},
	/* a table without functions is better than none */
	{"1000 D data\n2000 b more\n", 2, {{0x1004, "data"}, {0x2004, "more"}}},
	/* markers of compilers are nobody's function */
	{"1000 t a\n1010 t __pfx_b\n1020 t b\n1030 t __cfi_c\n1040 t $x\n1050 t .Ltmp\n",
	 2,
	 {{0x1010, "a"}, {0x1020, "b"}, {0x1050, "b"}}},
	/* several names: a strong one, then fewer underscores, then the first */
	{"1000 W weak\n1000 T __strong\n1000 t strong\n1000 T strong2\n", 1, {{0x1000, "strong"}}},
	/* addresses hidden by kptr_restrict */
	{"0000000000000000 T a\n0000000000000000 t b\n", 0, {{0, "-"}, {0x10, "-"}}},
	{"0000000000000000 A percpu\nffff0000 T a\n", 1, {{0x10, "-"}, {0xffff0010, "a"}}},
	/* 32 bits, upper case */
	{"C0008000 T a\nc0008010 T b\n", 2, {{0xc0008004, "a"}, {0xc0008010, "b"}}},
	{"", 0, {{0x1000, "-"}}},
};

START_TEST(finds)
{
	const struct find_case *row = &find_cases[_i];
	struct dms_symbols *symbols = table_of(row->text, strlen(row->text));

	ck_assert_uint_eq(dms_symbols_count(symbols), row->count);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(row->finds) && row->finds[i].wanted; i++)
		expect(symbols, row->finds[i].address, row->finds[i].wanted);
	dms_symbols_destroy(symbols);
}
END_TEST

/* Lines that are none are counted; empty ones, and addresses that the kernel hides, are no damage. */
START_TEST(damaged_lines)
{
	static const char text[] = "1000 T a\n\n0000000000000000 T hidden\n20!0 t b\n3000 tc\n \t\n4000 t d\n";
	struct dms_symbols *symbols = table_of(text, strlen(text));

	ck_assert_uint_eq(dms_symbols_count(symbols), 2);
	ck_assert_uint_eq(dms_symbols_malformed(symbols), 2);
	dms_symbols_destroy(symbols);
}
END_TEST

START_TEST(null_text)
{
	struct dms_symbols *symbols = table_of(NULL, 0);

	ck_assert_uint_eq(dms_symbols_count(symbols), 0);
	expect(symbols, 0xffffffff81000000, "-");
	dms_symbols_destroy(symbols);
	dms_symbols_destroy(NULL);
}
END_TEST

/* The text may end anywhere; a copy of exact size lets the sanitizer see a read behind it. */
START_TEST(cut_anywhere)
{
	static const char text[] = "1000 T a\r\n2000 t bb\t[mod]\n0000 t c\n2000 W d\t[x]";

	for (size_t size = 0; size <= sizeof(text); size++) { /* the last with its zero byte */
		char *copy = malloc(size ? size : 1);
		struct dms_symbols *symbols;
		struct dms_symbol symbol;

		memcpy(copy, text, size);
		symbols = table_of(copy, size);
		ck_assert_uint_le(dms_symbols_count(symbols), 2);
		if (dms_symbols_find(symbols, 0x2001, &symbol))
			ck_assert(symbol.name + symbol.name_len <= copy + size);
		if (size == sizeof(text))
			expect(symbols, 0x2001, "bb [mod]");
		dms_symbols_destroy(symbols);
		free(copy);
	}
}
END_TEST

/* A table as large as real ones come, in an order that is none. */
START_TEST(large_and_shuffled)
{
	enum { N = 250000 };
	uint32_t state = 1, order;
	size_t capacity = (size_t)N * 48, size = 0;
	char *text = malloc(capacity), wanted[32];
	struct timespec begin, end;
	struct dms_symbols *symbols;

	for (uint32_t i = 0; i < N; i++) {
		order = (uint32_t)((uint64_t)i * 7919 % N); /* 7919 and N have no common factor */
		size += (size_t)snprintf(
			text + size, capacity - size, "%016" PRIx64 " t function_number_%u\n",
			UINT64_C(0xffffffff81000000) + (uint64_t)order * 64, order);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	symbols = table_of(text, size);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	if (getenv("DMS_TEST_TIMES"))
		fprintf(stderr, "# %zu bytes, %d symbols: %.1f ms\n", size, N,
			(double)(end.tv_sec - begin.tv_sec) * 1e3 +
				(double)(end.tv_nsec - begin.tv_nsec) / 1e6);
	ck_assert_uint_eq(dms_symbols_count(symbols), N);
	for (uint32_t i = 0; i < 10000; i++) {
		state = state * 1664525 + 1013904223;
		order = state % N;
		snprintf(wanted, sizeof(wanted), "function_number_%u", order);
		expect(symbols, UINT64_C(0xffffffff81000000) + (uint64_t)order * 64 + state % 64,
		       wanted);
	}
	dms_symbols_destroy(symbols);
	free(text);
}
END_TEST

/* ---- stacks -------------------------------------------------------------------------------- */

START_TEST(stacks_intern)
{
	static const uint64_t frames[] = {1, 2, 3}, other[] = {1, 2, 4};
	struct dms_stacks *stacks = dms_stacks_create();
	const uint64_t *got;
	uint32_t n = 7;

	ck_assert_ptr_nonnull(stacks);
	ck_assert_uint_eq(dms_stacks_count(stacks), 0);
	ck_assert_ptr_null(dms_stacks_get(stacks, 0, &n));
	ck_assert_uint_eq(n, 0);
	ck_assert_uint_eq(dms_stacks_add(stacks, frames, 3), 0);
	ck_assert_uint_eq(dms_stacks_add(stacks, frames, 2), 1); /* a prefix is another stack */
	ck_assert_uint_eq(dms_stacks_add(stacks, other, 3), 2);
	ck_assert_uint_eq(dms_stacks_add(stacks, other, 2), 1);
	ck_assert_uint_eq(dms_stacks_add(stacks, NULL, 0), 3);
	ck_assert_uint_eq(dms_stacks_add(stacks, frames, 0), 3);
	ck_assert_uint_eq(dms_stacks_add(stacks, frames, 3), 0);
	ck_assert_uint_eq(dms_stacks_count(stacks), 4);
	got = dms_stacks_get(stacks, 2, &n);
	ck_assert_uint_eq(n, 3);
	ck_assert_mem_eq(got, other, sizeof(other));
	ck_assert_ptr_ne(got, other);
	ck_assert_ptr_null(dms_stacks_get(stacks, 4, &n));
	dms_stacks_destroy(stacks);
	dms_stacks_destroy(NULL);
}
END_TEST

START_TEST(stacks_many)
{
	enum { N = 1000000, DEPTH = 12 };
	struct dms_stacks *stacks = dms_stacks_create();
	struct timespec begin, end;
	uint64_t frames[DEPTH];
	uint32_t wrong = 0, n;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < N; i++) {
			for (uint32_t k = 0; k < DEPTH; k++)
				frames[k] = UINT64_C(0xffffffff81000000) + (k == 5 ? i * 16 : k);
			wrong += dms_stacks_add(stacks, frames, DEPTH - i % 3) != i;
		}
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	if (getenv("DMS_TEST_TIMES"))
		fprintf(stderr, "# %d stacks added twice: %.0f ms\n", N,
			(double)(end.tv_sec - begin.tv_sec) * 1e3 +
				(double)(end.tv_nsec - begin.tv_nsec) / 1e6);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(dms_stacks_count(stacks), N);
	ck_assert_uint_eq(dms_stacks_get(stacks, 777777, &n)[5],
			  UINT64_C(0xffffffff81000000) + 777777 * 16);
	ck_assert_uint_eq(n, DEPTH - 777777 % 3);
	dms_stacks_destroy(stacks);
}
END_TEST

/* ---- the DMA core -------------------------------------------------------------------------- */

/* Frames above the call site in stacks recorded on stock kernels 6.12 and 7.2, and their kin. */
static const char *const core_names[] = {
	"trace_event_raw_event_dma_map",
	"do_trace_event_raw_event_dma_map_sg",
	"trace_event_raw_event_swiotlb_bounced",
	"trace_raw_output_dma_sync_sg",
	"perf_trace_dma_map",
	"__traceiter_dma_map_phys",
	"trace_event_buffer_commit",
	"trace_buffer_unlock_commit_regs",
	"__ftrace_trace_stack",
	"stack_trace_save",
	"ftrace_regs_caller",
	"bpf_trace_run5",
	"dma_map_page_attrs",
	"dma_unmap_page_attrs",
	"dma_map_phys",
	"dma_unmap_phys",
	"dma_map_sg_attrs",
	"__dma_map_sg_attrs",
	"dma_map_sgtable",
	"dma_unmap_sg_attrs",
	"dma_map_resource",
	"dma_unmap_resource",
	"dma_map_single_attrs.constprop.0",
	"dma_alloc_attrs",
	"dma_free_attrs",
	"dma_alloc_pages",
	"dma_free_pages",
	"__dma_alloc_pages",
	"__dma_alloc_pages.isra.0.cold",
	"dma_alloc_noncontiguous",
	"dma_free_noncontiguous",
	"__dma_sync_single_for_cpu",
	"__dma_sync_single_for_device",
	"__dma_sync_sg_for_cpu",
	"dma_sync_single_for_cpu",
	"dma_sync_sg_for_device",
	"__dma_direct_alloc_pages.isra.0",
	"dma_direct_alloc",
	"iommu_dma_map_phys",
	"__iommu_dma_unmap",
	"iommu_map",
	"iommu_map_nosync",
	"iommu_map_sg",
	"iommu_unmap",
	"iommu_unmap_fast",
	"__iommu_unmap",
	"dma_iova_link",
	"dma_pool_alloc",
	"dma_pool_destroy",
	"dmam_alloc_attrs",
	"dmam_free_coherent",
	"dmam_pool_release",
	"dmam_release",
	"swiotlb_map",
	"swiotlb_tbl_map_single",
	"__swiotlb_tbl_unmap_single",
	"xen_swiotlb_map_phys",
	"debug_dma_map_page",
};

/* Callers, and names that only look like the core: drivers' own, dmaengine, dma-buf. */
static const char *const other_names[] = {
	"nvme_prep_rq.part.0",
	"e1000_alloc_rx_buffers",
	"vring_map_one_sg.part.0",
	"usb_hcd_map_urb_for_dma",
	"blk_rq_dma_map_iter_next",
	"page_pool_dma_map",
	"ata_qc_issue",
	"dma_request_chan",
	"dma_release_channel",
	"dma_async_device_register",
	"dma_sync_wait",
	"dma_wait_for_async_tx",
	"dma_buf_map_attachment",
	"dma_buf_unmap_attachment",
	"dma_fence_signal",
	"dma_resv_add_fence",
	"dma_heap_ioctl",
	"dma_free_rx_skbufs", /* stmmac */
	"dma_free_tx_skbufs",
	"dma_alloc_rx_descs",
	"dma_free_chan_resources",
	"dma_set_mask",
	"__dma_rx_complete", /* 8250 */
	"__dma_tx_complete",
	"dmaengine_unmap_put",
	"dmabuf_iter_init",
	"dma_map",
	"dma",
	"iommu_probe_device",
	"iommufd_ioas_map",
	"trace_selftest_startup_stack",
	"",
	".part.0",
	"\xff\xff",
};

START_TEST(core_is_core)
{
	const char *name = core_names[_i];

	ck_assert_msg(dms_symbol_is_core(name, strlen(name)), "%s", name);
}
END_TEST

START_TEST(others_are_not)
{
	const char *name = other_names[_i];

	ck_assert_msg(!dms_symbol_is_core(name, strlen(name)), "%s", name);
}
END_TEST

/* The name is not terminated: what stands behind it must not count. */
START_TEST(core_by_length)
{
	ck_assert(dms_symbol_is_core("dma_alloc_attrs_x", 15));
	ck_assert(!dms_symbol_is_core("dma_alloc_attrs_x", 17));
	ck_assert(!dms_symbol_is_core("dma_alloc_attrs", 14));
	ck_assert(!dms_symbol_is_core(NULL, 0));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("symbols");
	TCase *table = tcase_create("table"), *stacks = tcase_create("stacks");
	TCase *core = tcase_create("core");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(table, finds, 0, (int)DMS_ARRAY_SIZE(find_cases));
	tcase_add_test(table, null_text);
	tcase_add_test(table, damaged_lines);
	tcase_add_test(table, cut_anywhere);
	tcase_add_test(table, large_and_shuffled);
	tcase_set_timeout(table, 60);
	suite_add_tcase(suite, table);
	tcase_add_test(stacks, stacks_intern);
	tcase_add_test(stacks, stacks_many);
	tcase_set_timeout(stacks, 60);
	suite_add_tcase(suite, stacks);
	tcase_add_loop_test(core, core_is_core, 0, (int)DMS_ARRAY_SIZE(core_names));
	tcase_add_loop_test(core, others_are_not, 0, (int)DMS_ARRAY_SIZE(other_names));
	tcase_add_test(core, core_by_length);
	suite_add_tcase(suite, core);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

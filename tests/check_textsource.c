// SPDX-License-Identifier: GPL-2.0-only
/* A text dump as a source: order, runs, stacks, made-up formats and symbols. */
#include <dmascope/decode.h>
#include <dmascope/symbols.h>

#include "lib/textfile.h"

START_TEST(sorted_lines_stay)
{
	expect(HEADER LINE(0, 10) LINE(1, 11) LINE(0, 11) LINE(0, 12),
	       "0:1000010 1:1000011 0:1000011 0:1000012");
}
END_TEST

START_TEST(late_lines_are_put_in_order)
{
	expect(HEADER LINE(0, 10) LINE(0, 13) LINE(1, 11) LINE(1, 12) LINE(0, 14) LINE(1, 14),
	       "0:1000010 1:1000011 1:1000012 0:1000013 0:1000014 1:1000014");
}
END_TEST

/* @n lines of CPU @cpu, from @first us on, two apart. */
static size_t write_run(char *at, unsigned int cpu, unsigned int first, unsigned int n)
{
	size_t used = 0;

	for (unsigned int i = 0; i < n; i++)
		used += (size_t)sprintf(at + used,
					"  cat-9 [%03u] d..1. 2.%06u: dma_unmap_page: d dir=TO_DEVICE "
					"dma_addr=1000 size=16 attrs=\n",
					cpu, first + 2 * i);
	return used;
}

static void expect_sorted(struct dms_source *source, unsigned int n, uint64_t damage)
{
	uint64_t last = 0;
	const char *first;
	struct dms_item item;

	for (;;) {
		ck_assert_ptr_null(dms_source_next(source, &item));
		if (item.kind == DMS_ITEM_END)
			break;
		ck_assert_int_eq(item.kind, DMS_ITEM_RECORD);
		ck_assert_uint_ge(item.record.ts, last);
		last = item.record.ts;
		n--;
	}
	ck_assert_uint_eq(n, 0);
	ck_assert_uint_eq(dms_source_damage(source, &first), damage);
	ck_assert_int_eq(first != NULL, damage != 0);
	dms_source_close(source);
}

/* Two files one behind the other, as with cat: the second is as old as the first. */
START_TEST(runs_are_merged)
{
	char *text = malloc(4000 * 128);
	size_t used = write_run(text, 0, 1000, 1500);
	struct dms_source *source;

	write_run(text + used, 1, 1001, 2000);
	source = open_text(text);
	ck_assert(has_note(source, "time begins anew in 1 places"));
	expect_sorted(source, 3500, 0);
	free(text);
}
END_TEST

/* A short one in front is told apart as well. */
START_TEST(short_run_before_long_one)
{
	char *text = malloc(3000 * 128);
	size_t used = write_run(text, 0, 200000, 300);
	struct dms_source *source;

	write_run(text + used, 1, 1000, 2500);
	source = open_text(text);
	ck_assert(has_note(source, "time begins anew in 1 places"));
	expect_sorted(source, 2800, 0);
	free(text);
}
END_TEST

/* Two readers' blocks by turns: no runs, a window holds them. */
START_TEST(blocks_by_turns)
{
	char *text = malloc(4000 * 128);
	struct dms_source *source;
	size_t used = 0;

	for (unsigned int i = 0; i < 20; i++) {
		used += write_run(text + used, 0, 1000 + 200 * i, 100);
		used += write_run(text + used, 1, 1001 + 200 * i, 100);
	}
	source = open_text(text);
	ck_assert(!has_note(source, "time begins anew"));
	expect_sorted(source, 4000, 0);
	free(text);
}
END_TEST

/* More runs than are told apart: the rest comes too late, and that is damage. */
START_TEST(too_many_runs)
{
	char *text = malloc(80 * 1500 * 128);
	struct dms_source *source;
	struct dms_item item;
	const char *first;
	uint64_t last = 0;
	size_t used = 0;

	for (unsigned int i = 0; i < 80; i++)
		used += write_run(text + used, i % 4, 100000 - 100 * i, 1200);
	source = open_text(text);
	for (;;) {
		ck_assert_ptr_null(dms_source_next(source, &item));
		if (item.kind == DMS_ITEM_END)
			break;
		ck_assert_uint_ge(item.record.ts, last);
		last = item.record.ts;
	}
	ck_assert_uint_ge(dms_source_damage(source, &first), 1200);
	ck_assert_ptr_nonnull(strstr(first, "ns older than those before it"));
	dms_source_close(source);
	free(text);
}
END_TEST

#define FRAMES " => dma_unmap_page_attrs\n => e1000_clean_tx_ring\n => do_idle\n"

START_TEST(stack_behind_its_event)
{
	expect(HEADER LINE(0, 10) STACK(0, 11, FRAMES) LINE(0, 12) LINE(1, 13)
		       STACK(1, 14, " => one\n"),
	       "0:1000010+3 0:1000012 1:1000013+1");
}
END_TEST

START_TEST(other_cpus_come_between)
{
	expect(HEADER LINE(0, 10) LINE(1, 11) STACK(1, 12, " => one\n") LINE(2, 13)
		       STACK(0, 14, FRAMES) STACK(2, 15, " => one\n => two\n"),
	       "0:1000010+3 1:1000011+1 2:1000013+2");
}
END_TEST

/* An event whose line was torn leaves its stack to nobody. */
START_TEST(orphans)
{
	struct dms_source *source = open_text(
		HEADER LINE(0, 10) "  cat-9   [000] d..1. 1.000011: dma_unmap_page: de\n" STACK(
			0, 12, FRAMES) LINE(0, 13));

	ck_assert(has_note(source, "1 call stack follows no event"));
	ck_assert_str_eq(tell(source), "0:1000010 gap0:1000010-*1 0:1000013");
	dms_source_close(source);
}
END_TEST

START_TEST(made_up_addresses_have_names)
{
	struct dms_source *source = open_text(HEADER LINE(0, 10) STACK(0, 11, FRAMES));
	struct dms_symbols *symbols;
	struct dms_symbol symbol;
	struct dms_item item;
	const char *text;
	uint64_t offset;
	size_t size;

	ck_assert_ptr_null(dms_source_next(source, &item));
	ck_assert_uint_eq(item.record.n_chain, 3);
	ck_assert_ptr_null(dms_source_kallsyms(source, &text, &size));
	ck_assert_ptr_null(dms_symbols_create(text, size, &symbols));
	for (int before = 0; before < 2; before++) {
		ck_assert(dms_symbols_find(symbols, item.record.chain[1] - before, &symbol));
		ck_assert_uint_eq(symbol.name_len, strlen("e1000_clean_tx_ring"));
		ck_assert_mem_eq(symbol.name, "e1000_clean_tx_ring", symbol.name_len);
	}
	ck_assert(dms_address_is_made_up(item.record.chain[1]));
	ck_assert(!dms_symbol_offset(&symbol, item.record.chain[1], &offset));
	dms_symbols_destroy(symbols);
	dms_source_close(source);
}
END_TEST

/* trace-cmd tells addresses and no offsets, perf both, sym-offset only offsets. */
START_TEST(symbols_of_addresses)
{
	struct dms_source *source = open_text(HEADER LINE(0, 10) STACK(
		0, 11,
		" => inner+0x20/0x40 <ffffffff81000120>\n => outer <ffffffff81000150>\n"
		" => inner+0x10/0x40 <ffffffff81000310>\n => outer <ffffffff81000190>\n"));
	struct dms_symbols *symbols;
	struct dms_symbol symbol;
	const char *text;
	uint64_t offset;
	size_t size;

	ck_assert_ptr_null(dms_source_kallsyms(source, &text, &size));
	ck_assert_ptr_null(dms_symbols_create(text, size, &symbols));
	ck_assert(dms_symbols_find(symbols, 0xffffffff81000120, &symbol));
	ck_assert_mem_eq(symbol.name, "inner", 5);
	ck_assert(dms_symbol_offset(&symbol, 0xffffffff81000120, &offset));
	ck_assert_uint_eq(offset, 0x20);
	ck_assert(dms_symbols_find(symbols, 0xffffffff81000190, &symbol));
	ck_assert_mem_eq(symbol.name, "outer", 5);
	ck_assert(!dms_symbol_offset(&symbol, 0xffffffff81000190, &offset));
	/* another function of the same name */
	ck_assert(dms_symbols_find(symbols, 0xffffffff81000310, &symbol));
	ck_assert_mem_eq(symbol.name, "inner", 5);
	ck_assert_uint_eq(symbol.address, 0xffffffff81000300);
	dms_symbols_destroy(symbols);
	dms_source_close(source);
}
END_TEST

/* perf script knows no symbols: a kallsyms of that boot does, and none of another one. */
static void name_frame(const char *kallsyms, const char *frames, const char *name)
{
	char file[] = "/tmp/check_kallsyms.XXXXXX";
	struct dms_source_options options = {.kallsyms = file};
	struct dms_symbols *symbols;
	struct dms_symbol symbol;
	struct dms_source *source;
	char text[512];
	size_t size;
	int fd = mkstemp(file);

	ck_assert_int_eq(write(fd, kallsyms, strlen(kallsyms)), (ssize_t)strlen(kallsyms));
	close(fd);
	snprintf(text, sizeof(text), "cat 9 [000] 1.000010: dma:x: y\n%s\n", frames);
	dms_source_close(open_text(text)); /* writes it */
	ck_assert_ptr_null(dms_source_open_with(path, &options, &source));
	unlink(file);
	ck_assert_ptr_null(dms_source_kallsyms(source, &kallsyms, &size));
	ck_assert_ptr_null(dms_symbols_create(kallsyms, size, &symbols));
	if (dms_symbols_find(symbols, 0xffffffff81000120, &symbol))
		snprintf(text, sizeof(text), "%.*s+%" PRIx64 " %.*s", (int)symbol.name_len,
			 symbol.name, 0xffffffff81000120 - symbol.address, (int)symbol.module_len,
			 symbol.module ? symbol.module : "");
	else
		strcpy(text, "none");
	ck_assert_str_eq(text, name);
	dms_symbols_destroy(symbols);
	dms_source_close(source);
}

START_TEST(names_for_addresses)
{
	static const char table[] = "ffffffff81000000 T first\nffffffff81000100 t second\t[mod]\n"
				    "ffffffff81000200 T third\n";

	name_frame(table, "\tffffffff81000120 [unknown] ([unknown])\n", "second+20 mod");
	name_frame(table, "\tffffffff81000120\n\tffffffff81000210\n", "second+20 mod");
	name_frame(table,
		   "\tffffffff81000120 [unknown] ([unknown])\n"
		   "\tffffffff81000210 third+0x10 ([kernel.kallsyms])\n",
		   "second+20 mod");
	name_frame(table,
		   "\tffffffff81000120 [unknown] ([unknown])\n"
		   "\tffffffff81000210 other+0x10 ([kernel.kallsyms])\n",
		   "none");
}
END_TEST

static struct dms_event first_event(const char *text)
{
	struct dms_names names = {.devices = dms_strtab_create(), .stacks = dms_stacks_create()};
	struct dms_source *source = open_text(text);
	struct dms_decoder *decoder;
	struct dms_event event;
	struct dms_item item;

	ck_assert_ptr_null(dms_decoder_create(source, &names, &decoder));
	ck_assert_ptr_null(dms_source_next(source, &item));
	ck_assert_int_eq(item.kind, DMS_ITEM_RECORD);
	ck_assert_ptr_null(dms_decode(decoder, &item.record, &event));
	dms_decoder_destroy(decoder);
	dms_source_close(source);
	dms_stacks_destroy(names.stacks);
	dms_strtab_destroy(names.devices);
	return event;
}

#define ALLOC(flags)                                                                               \
	HEADER "  cat-9 [001] d..1. 1.000010: dma_alloc: dev0 dir=BIDIRECTIONAL dma_addr=2000 "     \
	       "size=4096 virt_addr=00000000d4f0c32b flags=" flags " attrs=NO_WARN\n"

START_TEST(flags_by_name)
{
	struct dms_event event = first_event(ALLOC("GFP_KERNEL|__GFP_ZERO"));

	ck_assert_int_eq(event.kind, DMS_EV_ALLOC);
	ck_assert_uint_eq(event.has & DMS_HAS_MAY_BLOCK, DMS_HAS_MAY_BLOCK);
	ck_assert(event.may_block);
	ck_assert_uint_eq(event.has & DMS_HAS_HASH, DMS_HAS_HASH);
	ck_assert_uint_eq(event.common_flags & 1, 1);
	event = first_event(ALLOC("GFP_ATOMIC"));
	ck_assert_uint_eq(event.has & DMS_HAS_MAY_BLOCK, DMS_HAS_MAY_BLOCK);
	ck_assert(!event.may_block);
	/* a number's bits are those of a kernel we do not know */
	event = first_event(ALLOC("3264"));
	ck_assert_uint_eq(event.has & (DMS_HAS_MAY_BLOCK | DMS_HAS_GFP), 0);
}
END_TEST

#define MAP(address)                                                                               \
	"  cat-9 [001] d..1. 1.000010: dma_map_page: dev0 dir=TO_DEVICE dma_addr=" address          \
	" size=64 phys_addr=1000 attrs=\n"

START_TEST(failed_maps)
{
	ck_assert(first_event(HEADER MAP("ffffffffffffffff")).failed);
	ck_assert(first_event(HEADER MAP("ffffffff")).failed);
	ck_assert(!first_event(HEADER MAP("fffffffe")).failed);
	/* with wider addresses about it is one of them */
	ck_assert(!first_event(HEADER MAP("ffffffff") MAP("100000000")).failed);
}
END_TEST

START_TEST(probes_sit_on_functions)
{
	struct dms_event event = first_event(
		HEADER "  cat-9 [001] d..1. 1.000010: my_check: (debug_dma_mapping_error+0x4/0x80) "
		       "device=\"dev0\" dma_addr=0x1000 caller=0xffffffff81000000\n");

	ck_assert_int_eq(event.kind, DMS_EV_CHECK);
	ck_assert_uint_eq(event.dma_addr, 0x1000);
}
END_TEST

#define PROBE(words) HEADER "  cat-9 [001] d..1. 1.000010: " words "\n"

/* Option sym-addr: a place is its address, and the symbol says what is there. */
START_TEST(probes_with_both)
{
	struct dms_event event = first_event(
		PROBE("cleanup_done: (release+0x1c3/0x200 <ffffffffab44e3d3> <- "
		      "device_unbind_cleanup <ffffffffab44ca60>) device=\"dev0\""));

	ck_assert_int_eq(event.kind, DMS_EV_UNBOUND);
	event = first_event(PROBE("my_mask: (dma_set_mask+0x4/0x150 <ffffffffaaa99534>) "
				  "device=\"dev0\" mask=0xffff"));
	ck_assert_int_eq(event.kind, DMS_EV_SET_MASK);
	ck_assert_uint_eq(event.dma_mask, 0xffff);
	/* in the middle of it */
	event = first_event(PROBE("my_mask: (dma_set_mask+0x44/0x150 <ffffffffaaa99574>) "
				  "device=\"dev0\" mask=0xffff"));
	ck_assert_int_eq(event.kind, DMS_EV_NONE);
}
END_TEST

/* Option fields: all numbers twice, the places as symbols. */
START_TEST(probes_by_fields)
{
	struct dms_event event =
		first_event(PROBE("cleanup_done: __probe_func=device_unbind_cleanup+0x0/0xa0 "
				  "(-1421555104) __probe_ret_ip=nvme_probe+0x42c/0x6d0 [nvme] "
				  "(-1067307540) device=Fixed MDIO bus.0"));

	ck_assert_int_eq(event.kind, DMS_EV_UNBOUND);
	event = first_event(PROBE("my_mask: __probe_ip=dma_set_mask+0x4/0x150 (-1431726796) "
				  "device=dev0 mask=0xffffffffffffffff (-1)"));
	ck_assert_int_eq(event.kind, DMS_EV_SET_MASK);
	ck_assert_uint_eq(event.dma_mask, UINT64_MAX);
}
END_TEST

START_TEST(marks_of_programs)
{
	static const char *const lines[] = {
		PROBE("tracing_mark_write: lab: start"),
		PROBE("tracing_mark_write+0x81/0x180: lab: start"),
		PROBE("tracing_mark_write <ffffffffaab561a1>: lab: start"),
		PROBE("tracing_mark_write+0x81/0x180 <ffffffffaab561a1>: lab: start"),
		"cpus=2\n  cat-9 [001] 1.000010: print: tracing_mark_write: lab: start\n",
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(lines); i++) {
		struct dms_source *source = open_text(lines[i]);
		const struct dms_format *formats;
		uint32_t n;

		formats = dms_source_formats(source, &n);
		ck_assert_uint_eq(n, 1);
		ck_assert_str_eq(formats[0].system, "ftrace");
		ck_assert_str_eq(formats[0].name, "print");
		dms_source_close(source);
		ck_assert_int_eq(first_event(lines[i]).kind, DMS_EV_MARKER);
	}
}
END_TEST

/* Page frame numbers without the page size are no addresses, and no damage. */
START_TEST(pages_without_size)
{
	struct dms_source *source =
		open_text(PROBE("mm_page_free: page=0000000006eeaf21 pfn=0x8674 order=2"));
	struct dms_names names = {.devices = dms_strtab_create(), .stacks = dms_stacks_create()};
	struct dms_tracepoint_count count;
	struct dms_decoder *decoder;
	struct dms_event event;
	struct dms_item item;

	ck_assert(has_note(source, "page size"));
	ck_assert_ptr_null(dms_decoder_create(source, &names, &decoder));
	ck_assert_uint_eq(dms_decoder_inputs(decoder) & DMS_INPUT_PAGE_FREES, 0);
	ck_assert_ptr_null(dms_source_next(source, &item));
	ck_assert_ptr_null(dms_decode(decoder, &item.record, &event));
	ck_assert_int_eq(event.kind, DMS_EV_NONE);
	dms_decoder_count(decoder, 0, &count);
	ck_assert_uint_eq(count.records, 1);
	ck_assert_uint_eq(count.malformed, 0);
	dms_decoder_destroy(decoder);
	dms_strtab_destroy(names.devices);
	dms_stacks_destroy(names.stacks);
	dms_source_close(source);
}
END_TEST

START_TEST(tasks)
{
	struct dms_source *source = open_text(
		HEADER LINE(0, 10) "  kworker/0:1-33 [000] d..1. 1.000011: dma_unmap_page: dev0 "
				   "dir=TO_DEVICE dma_addr=1000 size=16 attrs=\n"
				   "  <...>-9 [000] d..1. 1.000011: dma_unmap_page: dev0 "
				   "dir=TO_DEVICE dma_addr=1000 size=16 attrs=\n");

	ck_assert_str_eq(dms_source_comm(source, 9), "cat");
	ck_assert_str_eq(dms_source_comm(source, 33), "kworker/0:1");
	ck_assert_ptr_null(dms_source_comm(source, 1));
	dms_source_close(source);
}
END_TEST

/* A form nobody can read says so, with its place. */
START_TEST(raw_text_is_refused)
{
	FILE *out = fopen(path, "w");
	struct dms_source *source;
	struct dms_error *err;

	fputs(HEADER "862 0 185425994217 type: 381\n", out);
	fclose(out);
	err = dms_source_open(path, &source);
	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(dms_error_message(err), "at offset 0x10: written with"));
	dms_error_free(err);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("textsource");
	TCase *tests = tcase_create("all");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, sorted_lines_stay);
	tcase_add_test(tests, late_lines_are_put_in_order);
	tcase_add_test(tests, runs_are_merged);
	tcase_add_test(tests, short_run_before_long_one);
	tcase_add_test(tests, blocks_by_turns);
	tcase_add_test(tests, too_many_runs);
	tcase_add_test(tests, stack_behind_its_event);
	tcase_add_test(tests, other_cpus_come_between);
	tcase_add_test(tests, orphans);
	tcase_add_test(tests, made_up_addresses_have_names);
	tcase_add_test(tests, symbols_of_addresses);
	tcase_add_test(tests, names_for_addresses);
	tcase_add_test(tests, flags_by_name);
	tcase_add_test(tests, failed_maps);
	tcase_add_test(tests, probes_sit_on_functions);
	tcase_add_test(tests, probes_with_both);
	tcase_add_test(tests, probes_by_fields);
	tcase_add_test(tests, marks_of_programs);
	tcase_add_test(tests, pages_without_size);
	tcase_add_test(tests, tasks);
	tcase_add_test(tests, raw_text_is_refused);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return run_with_file(make_suite());
}

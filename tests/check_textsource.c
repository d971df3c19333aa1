// SPDX-License-Identifier: GPL-2.0-only
/* A text dump as a source: order, runs, losses, stacks, made-up formats and symbols. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dmascope/decode.h>
#include <dmascope/symbols.h>

static char path[] = "/tmp/check_textsource.XXXXXX";

static struct dms_source *open_text(const char *text)
{
	FILE *out = fopen(path, "w");
	struct dms_source *source;
	struct dms_error *err;

	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
	err = dms_source_open(path, &source);
	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	return source;
}

/* "CPU:TIME", with "+FRAMES" for a stack, or "gapCPU:AFTER-BEFORE*LOST", times in us */
static char *tell(struct dms_source *source)
{
	static char told[65536];
	size_t used = 0;

	*told = '\0';
	for (;;) {
		struct dms_item item;
		struct dms_error *err = dms_source_next(source, &item);

		ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
		if (item.kind == DMS_ITEM_END)
			break;
		used += (size_t)sprintf(told + used, "%s", used ? " " : "");
		if (item.kind == DMS_ITEM_GAP)
			used += (size_t)sprintf(told + used, "gap%u:%" PRIu64 "-%s*%" PRIu64,
						item.gap.cpu, item.gap.after_ts / 1000,
						item.gap.before_ts == UINT64_MAX ? "end" : "",
						item.gap.lost);
		else
			used += (size_t)sprintf(told + used, "%u:%" PRIu64, item.record.cpu,
						item.record.ts / 1000);
		if (item.kind == DMS_ITEM_RECORD && item.record.n_chain)
			used += (size_t)sprintf(told + used, "+%u", item.record.n_chain);
		ck_assert_uint_lt(used, sizeof(told) - 64);
	}
	return told;
}

#define HEADER "# tracer: nop\n#\n"
/* a line of tracefs: CPU @cpu, @us microseconds */
#define LINE(cpu, us)                                                                       \
	"  cat-9   [00" #cpu "] d..1. 1.0000" #us ": dma_unmap_page: dev0 dir=TO_DEVICE dma_addr=1000 " \
	"size=16 attrs=\n"
#define STACK(cpu, us, names) "  cat-9   [00" #cpu "] d..1. 1.0000" #us ": <stack trace>\n" names

static void expect(const char *text, const char *told)
{
	struct dms_source *source = open_text(text);

	ck_assert_str_eq(tell(source), told);
	dms_source_close(source);
}

static bool has_note(struct dms_source *source, const char *words)
{
	const struct dms_source_info *info = dms_source_info(source);

	for (uint32_t i = 0; i < info->n_notes; i++) {
		if (strstr(info->notes[i], words))
			return true;
	}
	return false;
}

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

START_TEST(lost_events_are_gaps)
{
	expect(HEADER LINE(0, 10) LINE(1, 11) "CPU:0 [LOST 7 EVENTS]\n" LINE(1, 12) LINE(0, 13)
		       "CPU:1 [LOST EVENTS]\n",
	       "0:1000010 1:1000011 1:1000012 gap0:1000010-*7 0:1000013 gap1:1000012-end*0");
}
END_TEST

/* Each CPU's oldest events are gone: known for all but the one that begins the trace. */
START_TEST(overrun)
{
	struct dms_source *source = open_text(
		"# tracer: nop\n#\n# entries-in-buffer/entries-written: 3/10   #P:4\n" LINE(
			1, 10) LINE(0, 11) LINE(1, 12));

	ck_assert_uint_eq(dms_source_info(source)->lost_by_stats, 7);
	ck_assert_uint_eq(dms_source_info(source)->n_cpus, 4);
	ck_assert_str_eq(tell(source), "1:1000010 gap0:0-*0 0:1000011 1:1000012");
	dms_source_close(source);
}
END_TEST

START_TEST(header_that_counts_more)
{
	struct dms_source *source = open_text(
		"# tracer: nop\n#\n# entries-in-buffer/entries-written: 9/9   #P:4\n" LINE(1, 10));

	ck_assert(has_note(source, "its header counts 9 entries, and 1 are here"));
	ck_assert_uint_eq(dms_source_info(source)->lost_by_stats, 0);
	dms_source_close(source);
}
END_TEST

/* "size=16" might have been size=1600: the line is not used. */
START_TEST(last_line_without_end)
{
	static const char cut[] = "  cat-9 [000] d..1. 1.000020: dma_unmap_page: dev0 "
				  "dir=TO_DEVICE dma_addr=1000 size=16 attrs=";
	struct dms_source *source;
	char text[1024];

	for (size_t len = 12; len < strlen(cut); len++) {
		snprintf(text, sizeof(text), HEADER LINE(0, 10) "%.*s", (int)len, cut);
		source = open_text(text);
		ck_assert(has_note(source, "1 line cannot be used"));
		ck_assert_str_eq(tell(source), "0:1000010 gap0:1000010-end*1");
		dms_source_close(source);
	}
}
END_TEST

START_TEST(torn_line_is_a_gap)
{
	struct dms_source *source = open_text(
		HEADER LINE(0, 10) "  cat-9   [000] d..1. 1.000011: dma_unmap_page: dev0 "
				   "dir=TO_DEVICE dma_addr=1000 si\n" LINE(1, 12));

	ck_assert(has_note(source, "1 line cannot be used, the first at offset 0x"));
	ck_assert_str_eq(tell(source), "0:1000010 gap1:0-*1 1:1000012");
	dms_source_close(source);
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
	tcase_add_test(tests, lost_events_are_gaps);
	tcase_add_test(tests, overrun);
	tcase_add_test(tests, header_that_counts_more);
	tcase_add_test(tests, last_line_without_end);
	tcase_add_test(tests, torn_line_is_a_gap);
	tcase_add_test(tests, stack_behind_its_event);
	tcase_add_test(tests, other_cpus_come_between);
	tcase_add_test(tests, orphans);
	tcase_add_test(tests, made_up_addresses_have_names);
	tcase_add_test(tests, symbols_of_addresses);
	tcase_add_test(tests, flags_by_name);
	tcase_add_test(tests, failed_maps);
	tcase_add_test(tests, probes_sit_on_functions);
	tcase_add_test(tests, tasks);
	tcase_add_test(tests, raw_text_is_refused);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int fd = mkstemp(path), failures;

	if (fd < 0)
		return 1;
	close(fd);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	unlink(path);
	return failures ? 1 : 0;
}

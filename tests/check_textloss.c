// SPDX-License-Identifier: GPL-2.0-only
/* What a text dump lacks is told: losses, cuts, a header's counts, and several dumps in one log. */
#include <stdio.h>

#include "input/text/losses.h"
#include "lib/textfile.h"

START_TEST(lost_events_are_gaps)
{
	expect(HEADER LINE(0, 10) LINE(1, 11) "CPU:0 [LOST 7 EVENTS]\n" LINE(1, 12) LINE(0, 13)
		       "CPU:1 [LOST EVENTS]\n",
	       "0:1000010 gap0:1000010-*7 1:1000011 1:1000012 gap1:1000012-end*0 0:1000013");
}
END_TEST

/* Two marks before one event are one loss; one before a CPU's first event begins with the trace. */
START_TEST(losses_begin_where_their_cpu_was_last_seen)
{
	expect(HEADER "CPU:1 [LOST 2 EVENTS]\n" LINE(0, 10) LINE(0, 11) "CPU:0 [LOST 3 EVENTS]\n"
		      LINE(1, 12) "CPU:0 [LOST 4 EVENTS]\n" LINE(1, 13) LINE(0, 14) LINE(1, 15),
	       "gap1:0-*2 0:1000010 0:1000011 gap0:1000011-*7 1:1000012 1:1000013 0:1000014 1:1000015");
}
END_TEST

/* Marks beyond those that are remembered are told where they stand: none is forgotten. */
START_TEST(more_losses_than_are_remembered)
{
	enum { MARKS = TEXT_MAX_LOSSES + 3 };
	static char text[sizeof(HEADER) + MARKS * 160ul];
	uint32_t n_gaps = 0, n_records = 0;
	struct dms_source *source;
	struct dms_item item;
	char *at = text;

	at += sprintf(at, HEADER);
	for (uint32_t i = 0; i < MARKS; i++)
		at += sprintf(at, "CPU:0 [LOST 1 EVENTS]\n"
				  "  cat-9   [000] d..1. %u.%06u: dma_map_phys: a dir=TO_DEVICE "
				  "dma_addr=1000 size=16 phys_addr=1000 attrs=\n", 1 + i / 1000000,
			      i % 1000000);
	source = open_text(text);
	do {
		ck_assert_ptr_null(dms_source_next(source, &item));
		n_gaps += item.kind == DMS_ITEM_GAP;
		n_records += item.kind == DMS_ITEM_RECORD;
	} while (item.kind != DMS_ITEM_END);
	ck_assert_uint_eq(n_gaps, MARKS);
	ck_assert_uint_eq(n_records, MARKS);
	dms_source_close(source);
}
END_TEST

#define COUNTS(counts) "# tracer: nop\n#\n# entries-in-buffer/entries-written: " counts "   #P:4\n"

/* Each CPU's oldest events are gone: told first, for every CPU that has some left. */
START_TEST(overrun)
{
	struct dms_source *source =
		open_text(COUNTS("3/10") LINE(1, 10) LINE(0, 11) LINE(1, 12));

	ck_assert_uint_eq(dms_source_info(source)->lost_by_stats, 7);
	ck_assert_uint_eq(dms_source_info(source)->n_cpus, 4);
	ck_assert_str_eq(tell(source), "gap0:0-*0 gap1:0-*0 1:1000010 0:1000011 1:1000012");
	dms_source_close(source);
}
END_TEST

/* Texts of each CPU, one behind the other: all headers count the same buffer. */
START_TEST(overrun_of_parts)
{
	struct dms_source *source = open_text(
		COUNTS("3/10") LINE(1, 10) LINE(1, 12) COUNTS("3/10") LINE(0, 11));

	ck_assert_uint_eq(dms_source_info(source)->lost_by_stats, 7);
	ck_assert(!has_note(source, "its header counts"));
	ck_assert_str_eq(tell(source), "gap0:0-*0 gap1:0-*0 1:1000010 0:1000011 1:1000012");
	dms_source_close(source);
}
END_TEST

/* A second dump behind the first one has lost what lies between them. */
START_TEST(overrun_behind_another)
{
	expect(COUNTS("1/1") LINE(1, 10) COUNTS("2/5") LINE(1, 12) LINE(0, 13),
	       "gap0:0-*0 gap1:0-*0 1:1000010 gap1:1000010-*0 1:1000012 gap0:0-*0 0:1000013");
}
END_TEST

/* What is not here may have been anywhere. */
START_TEST(header_that_counts_more)
{
	struct dms_source *source = open_text(COUNTS("9/9") LINE(1, 10));

	ck_assert(has_note(source, "its header counts 9 entries, and 1 are here (of 1 of 4 CPUs"));
	ck_assert_uint_eq(dms_source_info(source)->lost_by_stats, 0);
	ck_assert_str_eq(tell(source), "gap0:0-end*8 1:1000010");
	dms_source_close(source);
}
END_TEST

/* An idle CPU has no events: nothing is missing. */
START_TEST(header_that_counts_right)
{
	struct dms_source *source = open_text(
		COUNTS("3/3") LINE(1, 10)
		"  cat-9   [001] d..1. 1.000011: <user stack trace>\n => /bin/cat[+0x1]\n" LINE(1, 12));

	ck_assert(!has_note(source, "its header counts"));
	ck_assert_str_eq(tell(source), "1:1000010 1:1000012");
	dms_source_close(source);
}
END_TEST

/* Cut inside a line: what is missing was behind it. */
START_TEST(header_of_a_cut_text)
{
	struct dms_source *source =
		open_text(COUNTS("9/9") LINE(1, 10) LINE(0, 11) "  cat-9   [001] d..1. 1.0");

	ck_assert(has_note(source, "its header counts 9 entries, and 3 are here"));
	ck_assert_str_eq(tell(source),
			 "1:1000010 0:1000011 gap0:1000011-end*1 gap0:1000011-end*6");
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

/* A line of a probe, as far as @rest goes. */
#define PROBED(us, rest)                                                                           \
	"  cat-9   [000] d..1. 1.0000" #us ": my_check: (debug_dma_mapping_error+0x0/0x90)" rest "\n"
#define DEVICE	" device=\"0000:00:05.0\""
#define ADDRESS " dma_addr=0x3841000"

/* It breaks off between two arguments: that others have more shows it. */
START_TEST(torn_probe_is_a_gap)
{
	static const char *const rests[] = {"", " ", DEVICE};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rests); i++) {
		char text[1024];
		struct dms_source *source;

		snprintf(text, sizeof(text), HEADER PROBED(10, DEVICE ADDRESS) PROBED(11, "%s")
			 PROBED(12, DEVICE ADDRESS), rests[i]);
		source = open_text(text);
		ck_assert(has_note(source, "1 event has no direction, or too few arguments"));
		ck_assert_str_eq(tell(source), "0:1000010 gap0:1000010-*1 0:1000012");
		dms_source_close(source);
	}
}
END_TEST

/* Where most have fewer, there are two probes of one name. */
START_TEST(two_probes_of_one_name)
{
	struct dms_source *source = open_text(HEADER PROBED(10, DEVICE) PROBED(11, DEVICE ADDRESS)
					      PROBED(12, DEVICE));

	ck_assert(!has_note(source, "arguments"));
	ck_assert_str_eq(tell(source), "0:1000010 0:1000011 0:1000012");
	dms_source_close(source);
}
END_TEST

/* ---- dumps in a console log ---------------------------------------------------------------------- */

#define BEGIN "[    9.000000] Dumping ftrace buffer:\n[    9.000000] ---------------------------------\n"
#define END "[    9.000000] ---------------------------------\n"
/* a line of a dump: CPU @cpu, @us microseconds */
#define DUMPED(cpu, us)                                                                            \
	"[    9.000000]      cat-9         " #cpu "d..1. " #us "us : dma_unmap_page: dev0 "        \
	"dir=TO_DEVICE dma_addr=1000 size=16 attrs=\n"
#define BOOT(release) "[    0.000000] Linux version " release " (somebody)\n"

START_TEST(one_dump)
{
	struct dms_source *source =
		open_text(BOOT("6.12.1") BEGIN DUMPED(0, 10) DUMPED(1, 11) END BOOT("6.12.2"));

	ck_assert(!has_note(source, "dump"));
	ck_assert_str_eq(dms_source_info(source)->release, "6.12.1");
	ck_assert_str_eq(tell(source), "0:10 1:11");
	dms_source_close(source);
}
END_TEST

/* Each has times of its own, and the same events again: only one is read. */
START_TEST(several_dumps)
{
	struct dms_source *source = open_text(
		BOOT("6.12.1") BEGIN DUMPED(0, 10) DUMPED(1, 11) DUMPED(1, 12) END BOOT("6.12.2")
			BEGIN DUMPED(0, 5) DUMPED(1, 14) END BEGIN END "[   10.000000] usb 1-1: new\n");

	ck_assert(has_note(source, "it holds 2 ftrace dumps"));
	ck_assert_str_eq(dms_source_info(source)->release, "6.12.2");
	ck_assert_str_eq(tell(source), "0:5 1:14");
	dms_source_close(source);
}
END_TEST

START_TEST(last_dump_is_cut)
{
	struct dms_source *source = open_text(
		BOOT("6.12.1") BEGIN DUMPED(0, 10) DUMPED(1, 11) END BOOT("6.12.2")
			BEGIN DUMPED(0, 5) DUMPED(1, 14) DUMPED(1, 15));

	ck_assert(has_note(source, "it holds 2 ftrace dumps"));
	ck_assert(!has_note(source, "has no end"));
	ck_assert_str_eq(dms_source_info(source)->release, "6.12.1");
	ck_assert_str_eq(tell(source), "0:10 1:11");
	dms_source_close(source);
}
END_TEST

/* Cut between two lines: its closing mark is missing. */
START_TEST(only_dump_is_cut)
{
	struct dms_source *source = open_text(BEGIN DUMPED(0, 10) DUMPED(1, 11));

	ck_assert(has_note(source, "has no end"));
	ck_assert_str_eq(tell(source), "0:10 1:11 gap0:11-end*0");
	dms_source_close(source);
}
END_TEST

/* Events with times of their own beside a dump are not mixed with it. */
START_TEST(dump_and_other_events)
{
	struct dms_source *source = open_text(LINE(0, 10) BEGIN DUMPED(0, 10) END LINE(0, 11));

	ck_assert(has_note(source, "2 events outside its ftrace dump are left out"));
	ck_assert_str_eq(tell(source), "0:10");
	dms_source_close(source);
}
END_TEST

/* Records of pstore hold the end of a log first: two parts of one dump. */
START_TEST(dump_in_parts)
{
	struct dms_source *source = open_text("Panic#1 Part1\n" DUMPED(1, 12) END
					      "Panic#1 Part2\n" BEGIN DUMPED(0, 10) DUMPED(1, 11));

	ck_assert(!has_note(source, "dump"));
	ck_assert_str_eq(tell(source), "0:10 1:11 1:12");
	dms_source_close(source);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("textloss");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, lost_events_are_gaps);
	tcase_add_test(tests, losses_begin_where_their_cpu_was_last_seen);
	tcase_add_test(tests, more_losses_than_are_remembered);
	tcase_add_test(tests, overrun);
	tcase_add_test(tests, overrun_of_parts);
	tcase_add_test(tests, overrun_behind_another);
	tcase_add_test(tests, header_that_counts_more);
	tcase_add_test(tests, header_that_counts_right);
	tcase_add_test(tests, header_of_a_cut_text);
	tcase_add_test(tests, last_line_without_end);
	tcase_add_test(tests, torn_line_is_a_gap);
	tcase_add_test(tests, torn_probe_is_a_gap);
	tcase_add_test(tests, two_probes_of_one_name);
	tcase_add_test(tests, one_dump);
	tcase_add_test(tests, several_dumps);
	tcase_add_test(tests, last_dump_is_cut);
	tcase_add_test(tests, only_dump_is_cut);
	tcase_add_test(tests, dump_and_other_events);
	tcase_add_test(tests, dump_in_parts);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return run_with_file(make_suite());
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what text dumps' lines are taken for: lines copied from recordings of every dialect,
 * near-misses and torn ones.
 */
#include "lib/textwords.h"

struct line_case {
	const char *line, *item;
};

static const struct line_case line_cases[] = {
	/* tracefs */
	{"              wc-806     [001] .Ns2.   162.190937: dma_unmap_page: 0000:00:06.0 dir=x",
	 "event wc|806|1|162190937000/1000|34.2|:dma_unmap_page"},
	{"     rcu_preempt-18      [001] dNH1.   178.179736: dma_unmap_page: x",
	 "event rcu_preempt|18|1|178179736000/1000|3d.1|:dma_unmap_page"},
	{"          <idle>-0       [000] DBh2.   150.297472: unmap: IOMMU:",
	 "event <idle>|0|0|150297472000/1000|af.2|:unmap"},
	{"           <...>-1234    [003] dlZ13   150.297472: unmap: IOMMU:",
	 "event <...>|1234|3|150297472000/1000|4b.31|:unmap"},
	{"              wc-806     (    801) [001] .Ns2.   162.190937: dma_unmap_page: x",
	 "event wc|806|1|162190937000/1000|34.2|:dma_unmap_page"},
	{"              wc-806     (-------) [001] .Ns2.   162.190937: dma_unmap_page: x",
	 "event wc|806|1|162190937000/1000|34.2|:dma_unmap_page"},
	{"              wc-806     [001]   162.190937: dma_unmap_page: x",
	 "event wc|806|1|162190937000/1000||:dma_unmap_page"},
	{"              wc-806     [001] .Ns2   162.190937: dma_unmap_page: x",
	 "event wc|806|1|162190937000/1000|34.2|:dma_unmap_page"},
	{"              wc-806     [001] QQQQQQ   162.190937: dma_unmap_page: x",
	 "event wc|806|1|162190937000/1000||:dma_unmap_page"},
	{"              wc-806     [001] .....        123456: dma_unmap_page: x",
	 "event wc|806|1|123456t/1|00.0|:dma_unmap_page"},
	{"              nc-828     [000] b..1.   169.459380: <stack trace>",
	 "stack nc|828|0|169459380000/1000|80.1|:"},
	{"            bash-99      [000] .....   169.459380: tracing_mark_write: a: b",
	 "event bash|99|0|169459380000/1000|00.0|:tracing_mark_write"},
	{"            bash-99      [000] .....   169.459380: my_probe+0x1/0x2: hi",
	 "event bash|99|0|169459380000/1000|00.0|:my_probe+0x1/0x2"},
	{"            bash-99      [000] .....   169.459380: schedule <-worker_thread", "foreign "},
	{" => e1000_xmit_frame", "frame e1000_xmit_frame+0 "},
	{" => e1000_xmit_frame+0x12/0x30 [e1000]", "frame e1000_xmit_frame+12 e1000"},
	{" => dma_map_phys <ffffffff88e9a864>", "frame dma_map_phys+0 @ffffffff88e9a864"},
	{" => 0xffffffff88e9a864", "frame +0 @ffffffff88e9a864"},
	{" => [unknown/kretprobe'd]", "frame +0 "},
	{"# tracer: nop", "note "},
	{"#", "note "},
	{"##### CPU 2 buffer started ####", "note "},
	{"# entries-in-buffer/entries-written: 170/2506   #P:2", "written 2336"},
	{"# latency: 0 us, #170/2506, CPU#0 | (M:desktop VP:0, KP:0, SP:0 HP:0 #P:2)", "written 2336"},
	{"CPU:1 [LOST 54 EVENTS]", "lost 54 on 1"},
	{"CPU:1 [LOST EVENTS]", "lost 0 on 1"},
	{"862 0 185425994217 type: 381", "foreign "},
	/* names of commands that look like something else */
	{" a-1 [000] 1.0: -77      [001] .....   169.459380: dma_map_page: x",
	 "event a-1 [000] 1.0:|77|1|169459380000/1000|00.0|:dma_map_page"},
	{"         foo-123-45      [001] .....   169.459380: dma_map_page: x",
	 "event foo-123|45|1|169459380000/1000|00.0|:dma_map_page"},
	{"    Web Content -45      [001] .....   169.459380: dma_map_page: x",
	 "event Web Content|45|1|169459380000/1000|00.0|:dma_map_page"},
	{"    kworker/u8:6-125     [000] .....   169.459380: dma_map_page: a-1 [000] 1.123456: x: y",
	 "event kworker/u8:6|125|0|169459380000/1000|00.0|:dma_map_page"},
	/* trace-cmd report */
	{"             cat-318   [000]    50.834227: dma_map_page:         0000:00:03.0",
	 "event cat|318|0|50834227000/1000||:dma_map_page"},
	{"             cat-283   [000]    46.353977080: dma_map_phys:         0000:00:03.0",
	 "event cat|283|0|46353977080/1||:dma_map_phys"},
	{"              nc-788   [000]366950083450: dma_map_phys:         0000:00:05.0",
	 "event nc|788|0|366950083450t/1||:dma_map_phys"},
	{"             cat-283   [000]    46.353977: (+1542)  dma_map_phys:         0000:00:03.0",
	 "event cat|283|0|46353977000/1000||:dma_map_phys"},
	{"iommu_buf:              cat-898   [000]   152.015971: map:                  IOMMU:",
	 "event cat|898|0|152015971000/1000||:map"},
	{"jbd2/nvm-294     1.....    46.694512: dma_alloc:            0000:00:01.0",
	 "event jbd2/nvm|294|1|46694512000/1000|00.0|:dma_alloc"},
	{"      nc-788     0...1.366950083450: dma_map_phys:         0000:00:05.0",
	 "event nc|788|0|366950083450t/1|00.1|:dma_map_phys"},
	{"             cat-521   [000]    77.615188: kernel_stack:         <stack trace >",
	 "stack cat|521|0|77615188000/1000||:kernel_stack"},
	{"=> vring_map_one_sg.part.0 (ffffffff8975ce02)",
	 "frame vring_map_one_sg.part.0+0 @ffffffff8975ce02"},
	{"CPU:0 [25 EVENTS DROPPED]", "lost 25 on 0"},
	{"CPU:1 [EVENTS DROPPED]", "lost 0 on 1"},
	{"cpus=2", "note "},
	{"version = 6", "note "},
	/* perf script */
	{"         swapper       0 [000]    28.025221:             dma:dma_unmap_page: 0000:00:03.0",
	 "event swapper|0|0|28025221000/1000||dma:dma_unmap_page"},
	{"cat     411 [000]    55.601849:               dma:dma_map_page: 0000:00:03.0",
	 "event cat|411|0|55601849000/1000||dma:dma_map_page"},
	{"             cat   570/579   [001]   105.485594453:               dma:dma_map_page: 0000",
	 "event cat|579|1|105485594453/1||dma:dma_map_page"},
	{"             cat   579 [001]   105.485594:          1               dma:dma_map_page: 0",
	 "event cat|579|1|105485594000/1000||dma:dma_map_page"},
	{"             cat   579 [001] K       105.485594:               dma:dma_map_page: 0",
	 "event cat|579|1|105485594000/1000||dma:dma_map_page"},
	{"  579 [001]   105.485594:               dma:dma_map_page: 0",
	 "event |579|1|105485594000/1000||dma:dma_map_page"},
	{"   tcp a 1-2 [x]    579 [001]   105.485594: dma:dma_map_page: 0",
	 "event tcp a 1-2 [x]|579|1|105485594000/1000||dma:dma_map_page"},
	{"             cat   579   105.485594:               dma:dma_map_page: 0", "foreign "},
	{"         swapper       0 [001]    28.025221: PERF_RECORD_LOST lost 23", "lost 23 on 1"},
	{"         swapper       0 [000]     0.000000: PERF_RECORD_MMAP2 -1/0: [0xff(0x2) @ 0]: ---p x.ko",
	 "note "},
	{"        kthreadd       0 [000]     0.000000: PERF_RECORD_FORK(3:3):(2:2)", "note "},
	{"            perf    2385 [001]     9.000000: PERF_RECORD_COMM: perf:2385/2387", "note "},
	{"            perf    2385 [001]     9.000000: PERF_RECORD_EXIT(2396:2396):(2388:2388)", "note "},
	{"\tffffffff9099aff9 dma_map_page_attrs+0x189 ([kernel.kallsyms])",
	 "frame dma_map_page_attrs+189 @ffffffff9099aff9"},
	{"\tffffffffc04a259b virtblk_add_req+0xeb ([virtio_blk])",
	 "frame virtblk_add_req+eb virtio_blk@ffffffffc04a259b"},
	{"\tffffffffc04a259b virtblk_add_req+0xeb (/lib/modules/6.12/kernel/virtio_blk.ko.xz)",
	 "frame virtblk_add_req+eb virtio_blk@ffffffffc04a259b"},
	{"\t          4cea0a [unknown] (/usr/bin/busybox)", "note "},
	{"\t          4cea0a std::sort<int>(int*)+0x12 (/usr/bin/a (b))", "note "},
	/* consoles */
	{"[  191.639746]       nc-879       0b..1. 650659us : dma_map_page: 0000",
	 "event nc|879|0|650659000/1000|80.1|:dma_map_page"},
	{"[  191.640276]   <idle>-0         1dNH1. 653323us+: dma_unmap_page: 0000",
	 "event <idle>|0|1|653323000/1000|3d.1|:dma_unmap_page"},
	{"             cat     675   0 1 00000001 0000012f [0009eb10] 650.659ms (+0.123ms): map: x",
	 "event cat|675|0|650000000/1000|01.1|:map"},
	{"[  191.638562] Dumping ftrace buffer:", "note "},
	{"[  191.638788] ---------------------------------", "note "},
	{"[  194.402365] sd 0:0:0:0: [sda] Synchronizing SCSI cache", "foreign "},
	{"[  194.402365] e1000 0000:00:05.0 eth0: (PCI:33MHz:32-bit) 52:54:00-12 [000] up", "cut "},
	{"Oops#1 Part2", "foreign "},
	{"", "foreign "},
	/* torn and near-misses */
	{"             cat-675     [000] d..1.   150.29", "cut "},
	{"             cat-675     [000] d..1.   150.294807: dma_ma", "cut "},
	{"             cat-675     [000] d..1.   150.[  191.6] usb 1-1: new", "cut "},
	{"             cat     257 [000]    28.024003:               dma:dma_map", "cut "},
	{"             cat-675     [00] d..1.   150.294807: dma_map_page: x", "foreign "},
	{"             cat_675     [000] d..1.   150.294807: dma_map_page: x", "foreign "},
	{"             cat-675     [000] d..1.   150.294807 dma_map_page: x", "cut "},
	{"             cat-99999999999 [000] d..1.   150.294807: dma_map_page: x", "foreign "},
	{"dma_map_page: 0000:00:05.0 dir=TO_DEVICE dma_addr=fff83f36 size=74", "foreign "},
};

START_TEST(test_lines)
{
	const struct line_case *it = &line_cases[_i];
	size_t len = strlen(it->line);
	char *line = exact(it->line, len);
	struct text_state state = {0};
	struct buffer got = {.len = 0};
	struct text_item item;

	text_read_line(&state, line, len, &item);
	put_item(&got, &item);
	ck_assert_str_eq(got.text, it->item);
	free(line);
}
END_TEST

/* ---- prefixes ------------------------------------------------------------------------------------ */

static const char *const prefixes[] = {
	"",
	"[  191.639746] ",
	"[  191.639746][    C0] ",
	"[  191.639746] [ T1234] ",
	"<0>[  191.639746] ",
	"<4>",
	"[Sat Nov 21 09:43:02 2026] ",
	"[2026-11-21 09:43:02] ",
	"[2026-11-21 09:43:02.123] [  191.639746] ",
	"Nov 21 09:43:02 host kernel: ",
	"Nov  1 09:43:02 host kernel: [  191.639746] ",
	"Nov 21 09:43:02 ",
	"2026-11-21T09:43:02+0000 host kernel: ",
	"2026-11-21 09:43:02.123456 host.example kernel: ",
	"[  191.639746] host kernel: ",
	"1763718182.123456 host kernel: ",
	"\r",
	"\033[32m[  191.639746] \033[0m",
	"0,1234,5678901,-;",
	"6,1234,5678901,c,caller=T12;",
	"kern  :emerg : [  191.639746] ",
};

static const char *const behind_prefixes[] = {
	"      nc-879       0b..1. 650659us : dma_map_page: " MAP_BODY,
	"  <idle>-0         0b..1. 650659us : dma_map_page: " MAP_BODY "\r",
	"              nc-879     [000] b..1.   0.650659: dma_map_page: " MAP_BODY,
};

START_TEST(test_prefixes)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(behind_prefixes); i++) {
		struct text_state state = {0};
		struct text_item item;
		char all[512], *line;
		int len = snprintf(all, sizeof(all), "%s%s", prefixes[_i], behind_prefixes[i]);

		line = exact(all, (size_t)len);
		text_read_line(&state, line, (size_t)len, &item);
		ck_assert_int_eq(item.kind, TEXT_EVENT);
		ck_assert_uint_eq(item.head.ts, 650659000);
		ck_assert_uint_eq(item.head.body.len, sizeof(MAP_BODY) - 1);
		ck_assert(item.head.comm.len == 2 || item.head.comm.len == 6);
		free(line);
	}
}
END_TEST

/* ---- several lines -------------------------------------------------------------------------------- */

static void check_lines(const struct line_case *lines, size_t n)
{
	struct text_state state = {0};

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(lines[i].line);
		char *line = exact(lines[i].line, len);
		struct buffer got = {.len = 0};
		struct text_item item;

		text_read_line(&state, line, len, &item);
		put_item(&got, &item);
		ck_assert_str_eq(got.text, lines[i].item);
		free(line);
	}
}

START_TEST(test_sequences)
{
	static const struct line_case user[] = {
		{" sh-1 [000] ..... 1.000001: map: x", "event sh|1|0|1000001000/1000|00.0|:map"},
		{" sh-1 [000] ..... 1.000002: <user stack trace>", "note "},
		{" => /usr/bin/sh[+0x12]", "note "},
		{" =>  <00007f12>", "note "},
		{" sh-1 [000] ..... 1.000003: <stack trace>", "stack sh|1|0|1000003000/1000|00.0|:"},
		{" => map", "frame map+0 "},
	};
	static const struct line_case perf[] = {
		{"cat 411 [000] 55.601849: dma:x: y", "event cat|411|0|55601849000/1000||dma:x"},
		{"\tffffffff9099aff9 dma_map+0x1 ([e1000])", "frame dma_map+1 e1000@ffffffff9099aff9"},
		{"", "end "},
		{"", "foreign "},
	};

	/* what a program's stack holds may have no name and no file */
	static const struct line_case both[] = {
		{"cat 411 [000] 55.601849: dma:x: y", "event cat|411|0|55601849000/1000||dma:x"},
		{"\tffffffff9099aff9 [unknown] ([unknown])", "frame +0 @ffffffff9099aff9"},
		{"\t    7f1b2c0a1b2c write+0x1c (/usr/lib/libc.so.6)", "note "},
		{"\t        5566aabb [unknown] ([unknown])", "note "},
		{"\tffffffff9099aff9 [unknown] ([unknown])", "note "},
		{"", "end "},
		{"cat 411 [000] 55.601850: dma:x: y", "event cat|411|0|55601850000/1000||dma:x"},
		{"\tffffffff9099aff9 [unknown] ([unknown])", "frame +0 @ffffffff9099aff9"},
		{"\t    7f1b2c0a1b2c [unknown] ([unknown])", "note "},
	};

	check_lines(ITEMS(user));
	check_lines(ITEMS(perf));
	check_lines(ITEMS(both));
}
END_TEST

START_TEST(test_reasons)
{
	static const struct line_case cases[] = {
		{"862 0 185425994217 type: 381", "option raw"},
		{"  cat   579   105.485594:  dma:dma_map_page: 0", "perf script -F +cpu"},
		{"dma_map_page: 0000:00:05.0 dir=TO_DEVICE dma_addr=fff83f36", "context-info"},
		{"             cat-675     [000] d..1.   150.29", "breaks off"},
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(cases); i++) {
		struct text_state state = {0};
		struct text_item item;

		text_read_line(&state, cases[i].line, strlen(cases[i].line), &item);
		ck_assert_ptr_nonnull(item.reason);
		ck_assert_ptr_nonnull(strstr(item.reason, cases[i].item));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("textline");
	TCase *tcase = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_loop_test(tcase, test_lines, 0, (int)DMS_ARRAY_SIZE(line_cases));
	tcase_add_loop_test(tcase, test_prefixes, 0, (int)DMS_ARRAY_SIZE(prefixes));
	tcase_add_test(tcase, test_sequences);
	tcase_add_test(tcase, test_reasons);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

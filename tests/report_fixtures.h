/* SPDX-License-Identifier: GPL-2.0-only */
/* Summaries and a run made by hand, for check_report.c: one tame, one hostile. */
#ifndef REPORT_FIXTURES_H
#define REPORT_FIXTURES_H

#include <dmascope/report.h>

static const char *const tame_inputs[] = {"run/nvme.dat", "run/net.dat"};
static const char *const tame_formats[] = {"trace.dat v7 (zstd)", "trace.dat v6"};

static const struct dms_device_summary tame_devices[] = {
	{
		.name = "0000:00:08.0",
		.generation = 1,
		.address_mode = "direct",
		.driver = "nvme",
		.maps = 1234567,
		.unmaps = 1234000,
		.live_at_end = 567,
		.live_bytes_at_end = 2322432,
		.maybe_elided = 560,
		.bytes_to_device = 5056786432,
		.bytes_from_device = 1048576,
		.bytes_allocated = 69632,
		.lifetime_p50_ns = 12345,
		.lifetime_p99_ns = 1234567,
		.lifetime_max_ns = 2000000000,
		.peak_live = 612,
		.peak_live_bytes = 3145728,
		.peak_live_bytes_ts = 7046780703,
	},
	{
		.name = "0000:00:1f.2",
		.generation = 2,
		.address_mode = "iommu",
		.maps = 10,
		.unmaps = 10,
		.failed = 3,
		.pre_trace = 1,
		.bytes_from_device = 40960,
		.lifetime_p50_ns = UINT64_MAX,
		.lifetime_p99_ns = UINT64_MAX,
		.lifetime_max_ns = UINT64_MAX,
		.peak_live = 4,
		.peak_live_bytes = 16384,
		.peak_live_bytes_ts = UINT64_MAX,
	},
};

static const struct dms_note tame_notes[] = {
	{NULL, NULL, "the trace holds no call stacks"},
	{"leak-at-unbind", "0000:00:1f.2", "no unbind was traced"},
	{"map-from-stack", NULL, "needs a probe"},
	{"leak-growth", "0000:00:1f.2", "too short"},
	{"map-invalid-area", NULL, "needs a probe"},
	{"leak-growth", "0000:00:08.0", "too short"},
	{"sync-missing", "0000:00:08.0", "too short"},
};

static const struct dms_frame_summary tame_frames[] = {
	{0xffffffff81000123, "trace_event_raw_event_dma_unmap", NULL, 0x23},
	{0xffffffff81000456, "dma_unmap_page_attrs", NULL, 0x56},
	{0xffffffffc0000010, "nvme_unmap_data", "nvme", 0x10},
	{0xffffffffc0000120, NULL, NULL, 0},
	{0xffffffffc0000230, "nvme_irq", "nvme", 0x30},
	{0xffffffff81000340, "__handle_irq_event_percpu", NULL, 0x40},
	{0xffffffff81000350, "handle_irq_event", NULL, 0x50},
	{0xffffffff81000360, "handle_edge_irq", NULL, 0x60},
};
static const struct dms_call_summary tame_calls[] = {
	{.what = DMS_CALL_BROKE, .ts = 8000000001, .cpu = 3, .pid = 87, .has_task = true,
	 .comm = "kworker/3:1", .stack_id = 2, .frames = tame_frames, .n_frames = 8},
	{.what = DMS_CALL_MAPPED, .ts = 7900000000, .cpu = 1, .pid = 90, .has_task = true,
	 .device = "0000:00:1f.2"},
	{.what = DMS_CALL_UNMAPPED, .ts = 7950000000, .cpu = 0, .pid = 0, .has_task = true,
	 .comm = "swapper/0", .stack_id = 1, .frames = tame_frames + 1, .n_frames = 2},
};
static const struct dms_finding_summary tame_findings[] = {
	{.rule = "double-unmap", .severity = "error", .device = "0000:00:08.0", .count = 1,
	 .first_ts = 8000000001, .confidence = "certain", .message = "freed before",
	 .calls = tame_calls, .n_calls = 3},
	{.rule = "live-at-end", .severity = "info", .device = NULL, .count = 12,
	 .first_ts = 19345678901, .confidence = "possible", .message = "still mapped",
	 .reason = "a request may still be on its way"},
};

static const struct dms_summary tame = {
	.inputs = tame_inputs,
	.formats = tame_formats,
	.n_inputs = 2,
	.kernel = "6.18.44",
	.clock = "mono",
	.clock_is_ns = true,
	.complete = true,
	.first_ts = 7000000000,
	.last_ts = 19345678901,
	.records = 3000000,
	.events = 2468577,
	.malformed = 2,
	.gaps = 3,
	.lost_events = 1200,
	.devices = tame_devices,
	.n_devices = 2,
	.findings = tame_findings,
	.n_findings = 2,
	.notes = tame_notes,
	.n_notes = 7,
};

/* ANSI escapes, quotes, commas, a formula, bad UTF-8, a right-to-left override. */
static const char *const hostile_inputs[] = {"a\033[31mb\n.dat"};
static const char *const hostile_formats[] = {"text"};
static const struct dms_device_summary hostile_devices[] = {
	{.name = "=cmd|'/c calc'!A0", .generation = 1, .address_mode = "unknown"},
	{.name = "\033]0;owned\007,\"x\"\r\n", .generation = 1, .address_mode = "unknown"},
	{.name = "\xff\xc0\xaf \xe2\x80\xae"
		 "gnp\xc2\x9b.\xc3\xa9",
	 .generation = 1,
	 .address_mode = "unknown",
	 .driver = "-2+3",
	 .maps = UINT64_MAX},
};
static const struct dms_note hostile_notes[] = {
	{"rule\t", "dev\033", "reason\r"},
};
static const struct dms_frame_summary hostile_frames[] = {
	{UINT64_MAX, "f\033[2J", "m\n", UINT64_MAX},
};
static const struct dms_call_summary hostile_calls[] = {
	{.what = DMS_CALL_OTHER, .ts = UINT64_MAX, .has_task = true, .comm = "t\033\n",
	 .device = "d\007", .frames = hostile_frames, .n_frames = 1},
};
static const struct dms_finding_summary hostile_findings[] = {
	{.rule = "r", .severity = "error", .device = "\033", .count = 1, .confidence = "certain",
	 .message = "m\r", .calls = hostile_calls, .n_calls = 1},
};
static const struct dms_summary hostile = {
	.inputs = hostile_inputs,
	.formats = hostile_formats,
	.n_inputs = 1,
	.kernel = "6\b",
	.clock = NULL,
	.devices = hostile_devices,
	.n_devices = 3,
	.findings = hostile_findings,
	.n_findings = 1,
	.notes = hostile_notes,
	.n_notes = 1,
};

/* ---- rows of a run database ---- */

static const char run_rows[] =
	"INSERT INTO run VALUES ('complete','1'),('clock','mono'),('clock_is_ns','1'),"
	"('first_ns','100'),('last_ns','1000'),('records','50'),('events','40'),('kernel','7.2.13')"
	","
	"('gaps','1'),('lost_events','7'),('malformed','0');"
	"INSERT INTO input_file VALUES (0,'a.dat',NULL,'trace.dat v7',NULL,'7.2.13','mono',NULL,2,"
	"4096,8,0,1,100,0,0);"
	"INSERT INTO device VALUES "
	"(1,'0000:00:05.0','pci','dmafault',1,'direct',NULL,NULL,100,900),"
	"(2,'0000:00:06.0',NULL,NULL,1,'iommu',NULL,NULL,150,NULL);"
	"INSERT INTO device_counter VALUES (1,'maps',3,'mappings'),(1,'allocs',1,'mappings'),"
	"(1,'live_at_end',1,'mappings'),(1,'peak_live_bytes',4096,'bytes'),"
	"(1,'peak_live_bytes_time',300,'ns');"
	"INSERT INTO not_judged VALUES (1,'leak-growth',2,'too short'),(2,NULL,NULL,'no stacks');";

static const char mapping_rows[] =
	"INSERT INTO "
	"mapping(id,device_id,kind,dma_addr,phys_addr,size_bytes,direction,attrs,segments,"
	"entries,map_ns,unmap_ns,ended_ns,end,confidence,reason,truncated,bounced,syncs_for_cpu,"
	"syncs_for_device) VALUES"
	/* lives from 200 to 300 */
	"(1,1,'page',0x2edf000,0x2edf000,4096,'FROM_DEVICE',0,1,1,200,300,NULL,'unmapped','certain'"
	","
	"NULL,0,0,0,0),"
	/* from before the trace to 400 */
	"(2,1,'sg',NULL,0x3993000,NULL,'TO_DEVICE',0,NULL,2,NULL,400,NULL,'pre-trace','likely','"
	"old',"
	"0,0,0,0),"
	/* from 250 on; an address that is negative for SQLite */
	"(3,2,'coherent',-4096,NULL,92416,'BIDIRECTIONAL',4,1,1,250,NULL,NULL,'live','certain',"
	"NULL,"
	"0,0,0,0),"
	/* from 260 until another took its address at 500 */
	"(4,1,'page',0x3cca000,0x3cca000,1024,'TO_DEVICE',0,1,1,260,NULL,500,'lost','likely','lost'"
	","
	"0,0,0,0),"
	/* an unmap of nothing: no life */
	"(5,1,'page',0x5000,0x5000,64,'TO_DEVICE',0,1,1,NULL,600,NULL,'unmatched','certain',NULL,0,"
	"0,"
	"0,0),"
	/* a list with its segments */
	"(6,1,'sg',0x6000,0x16000,8192,'TO_DEVICE',0,2,2,700,NULL,NULL,'live','certain',NULL,0,0,0,"
	"0);"
	"INSERT INTO mapping_segment VALUES (6,0,0x16000,0x6000,4096),(6,1,0x26000,0x9000,4096);";

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Comparisons made by hand, full of hostile names and of every state: for the tests of diff's outputs. */
#ifndef TESTS_LIB_COMPARISON_H
#define TESTS_LIB_COMPARISON_H

#include <math.h>

#include <dmascope/diff.h>

/** What no output may let through as it is: markup, commands, control characters, no UTF-8. */
#define HOSTILE_MARKUP	"<script>alert(1)</script>|`a`**b**[c](http://evil.example)@root #1 &lt;"
#define HOSTILE_CONTROL "x\n::error::pwned\r\n%0A::error::y\x1b[31m\t\x07 ]]> --> # SKIP"
#define HOSTILE_BYTES	"\xff\xc0\xaf\xe2\x80\xae"
#define HOSTILE_YAML	"...\n---\nok 1 - \"quoted\": '- {x}' \\"

// clang-format off

/* ---- metrics: rows of our own, so that the figures here stay what they are -------------------- */

static const struct dms_metric metric_p99 = {
	"lifetime_p99", "ns", "lifetime, 99th percentile", DMS_LESS_IS_BETTER, {0.5, 1000, 100}};
static const struct dms_metric metric_peak = {
	"peak_live_bytes", "bytes", "peak of live bytes", DMS_LESS_IS_BETTER, {0.25, 65536, 1}};
static const struct dms_metric metric_bounced = {
	"bounced_share", "1", "share of mappings bounced", DMS_LESS_IS_BETTER, {0.1, 0.01, 100}};
static const struct dms_metric metric_rate = {
	"maps_per_s", "1/s", "maps per second", DMS_NEITHER, {INFINITY, INFINITY, 1}};
static const struct dms_metric metric_failed = {
	"map_failures", "1", "maps that failed", DMS_LESS_IS_BETTER, {0, 0, 1}};

/* ---- findings --------------------------------------------------------------------------------- */

static const struct dms_function stack_rx[] = {
	{"rx_refill", "ethdrv"}, {"ethdrv_poll", "ethdrv"}, {"__napi_poll", NULL}, {"net_rx_action", NULL}};
static const struct dms_function stack_rx_map[] = {
	{"rx_alloc", "ethdrv"}, {"ethdrv_open", "ethdrv"}, {"__dev_open", NULL}, {NULL, NULL}};
static const struct dms_function stack_evil[] = {
	{HOSTILE_MARKUP, HOSTILE_CONTROL}, {HOSTILE_BYTES, NULL}, {HOSTILE_YAML, "m"}, {"", ""}};

#define RX_FINGERPRINT "double-unmap:ethdrv:rx_alloc[ethdrv]:rx_refill[ethdrv]:FROM_DEVICE:2^11"

static const struct dms_base_finding finding_new = {
	.fingerprint = RX_FINGERPRINT, .rule = "double-unmap", .device_kind = "ethdrv",
	.direction = "FROM_DEVICE", .severity = DMS_SEVERITY_ERROR, .confidence = DMS_CERTAIN,
	.count = 1234, .title = "device driver frees DMA memory a second time",
	.frames = stack_rx, .n_frames = 4, .map_frames = stack_rx_map, .n_map_frames = 4,
	.device = "0000:03:00.0",
	.message = "device driver frees DMA memory a second time [device address=0x00000000fe001000] [size=2048 bytes]",
	.first_ts = 1234567890123};
static const struct dms_base_finding finding_evil = {
	.fingerprint = "unmap-size-mismatch:" HOSTILE_MARKUP ":" HOSTILE_CONTROL ":" HOSTILE_BYTES ":-:-",
	.rule = "unmap-size-mismatch", .device_kind = HOSTILE_MARKUP, .severity = DMS_SEVERITY_ERROR,
	.confidence = DMS_LIKELY, .reason = "events were lost before it", .count = 1,
	.title = "device driver frees DMA memory with different size",
	.frames = stack_evil, .n_frames = 4, .map_frames = stack_evil + 1, .n_map_frames = 3,
	.device = HOSTILE_CONTROL, .message = HOSTILE_MARKUP HOSTILE_CONTROL HOSTILE_BYTES HOSTILE_YAML};
/* of a file: no device, no message, no stacks */
static const struct dms_base_finding finding_file = {
	.fingerprint = "sync-not-mapped:nvme:-:-:-:-", .rule = "sync-not-mapped",
	.device_kind = "nvme", .severity = DMS_SEVERITY_WARNING, .confidence = DMS_LIKELY,
	.reason = "the trace began later", .count = 3,
	.title = "device driver tries to sync DMA memory it has not allocated"};
static const struct dms_base_finding finding_file_more = {
	.fingerprint = "sync-not-mapped:nvme:-:-:-:-", .rule = "sync-not-mapped",
	.device_kind = "nvme", .severity = DMS_SEVERITY_ERROR, .confidence = DMS_CERTAIN, .count = 30,
	.title = "device driver tries to sync DMA memory it has not allocated",
	.device = "0000:01:00.0", .message = "device driver tries to sync DMA memory it has not allocated"};
static const struct dms_base_finding finding_better = {
	.fingerprint = "sync-not-mapped:nvme:-:nvme_poll[nvme]:-:2^12", .rule = "sync-not-mapped",
	.device_kind = "nvme", .severity = DMS_SEVERITY_WARNING, .confidence = DMS_LIKELY,
	.reason = "the trace began later", .count = 3,
	.title = "device driver tries to sync DMA memory it has not allocated"};
static const struct dms_base_finding finding_info = {
	.fingerprint = "hot-remap:virtio_net:xmit[virtio_net]:-:TO_DEVICE:2^12", .rule = "hot-remap",
	.device_kind = "virtio_net", .direction = "TO_DEVICE", .severity = DMS_SEVERITY_INFO,
	.confidence = DMS_CERTAIN, .count = UINT64_MAX,
	.title = "the same memory is mapped and unmapped again and again",
	.map_frames = stack_rx_map, .n_map_frames = 1};
static const struct dms_base_finding finding_leak = {
	.fingerprint = "leak-growth:ethdrv:rx_alloc[ethdrv]:-:FROM_DEVICE:2^11", .rule = "leak-growth",
	.device_kind = "ethdrv", .direction = "FROM_DEVICE", .severity = DMS_SEVERITY_WARNING,
	.confidence = DMS_CERTAIN, .count = 40, .title = "the mappings of one call site keep growing in number",
	.map_frames = stack_rx_map, .n_map_frames = 4, .device = "0000:03:00.0",
	.message = "the mappings of one call site keep growing in number [live=40]"};
static const struct dms_base_finding finding_fixed = {
	.fingerprint = "unmap-direction-mismatch:e1000:-:tx_clean[e1000]:BIDIRECTIONAL:2^9",
	.rule = "unmap-direction-mismatch", .device_kind = "e1000", .direction = "BIDIRECTIONAL",
	.severity = DMS_SEVERITY_ERROR, .confidence = DMS_CERTAIN, .count = 7,
	.title = "device driver frees DMA memory with different direction"};
static const struct dms_base_finding finding_blind = {
	.fingerprint = "map-error-unchecked:e1000:-:tx_map[e1000]:TO_DEVICE:2^9",
	.rule = "map-error-unchecked", .device_kind = "e1000", .direction = "TO_DEVICE",
	.severity = DMS_SEVERITY_ERROR, .confidence = DMS_CERTAIN, .count = 2,
	.title = "device driver failed to check map error"};

/* ---- suppressions ----------------------------------------------------------------------------- */

static const char *const evil_globs[] = {"rx_*", "...", HOSTILE_MARKUP};
static const struct dms_suppression suppression_used = {
	.name = "known leak of ethdrv, see @maintainer <b>", .rule = "leak-*", .driver = "ethdrv",
	.frames = evil_globs, .n_frames = 3, .reason = "vendor is told; --> ]]> " HOSTILE_CONTROL,
	.expires_day = 20820, .file = "dmascope.yaml", .line = 12};
static const struct dms_suppression suppression_unused = {
	.name = "old|thing", .rule = "sync-*", .reason = "was a bug of 6.1", .file = "dmascope.yaml",
	.line = 20};
static const struct dms_suppression suppression_expired = {
	.name = HOSTILE_YAML, .rule = "hot-remap", .device = HOSTILE_BYTES, .reason = HOSTILE_MARKUP,
	.expires_day = 19000, .file = "dir/" HOSTILE_CONTROL, .line = 31};
static const struct dms_suppression *const unused_suppressions[] = {&suppression_unused};
static const struct dms_suppression *const expired_suppressions[] = {&suppression_expired};

/* ---- what became of them ------------------------------------------------------------------------ */

static const struct dms_finding_change finding_changes[] = {
	{.state = DMS_STATE_NEW, .head = &finding_new, .runs_head = 3, .count_head = 1234, .fails = true},
	{.state = DMS_STATE_NEW, .head = &finding_evil, .runs_head = 1, .count_head = 1, .fails = true},
	{.state = DMS_STATE_WORSE, .base = &finding_file, .head = &finding_file_more, .runs_base = 2,
	 .runs_head = 3, .count_base = 3, .count_head = 30,
	 .reason = "graver: error, was warning; 10 times as often", .fails = true},
	{.state = DMS_STATE_NEW, .head = &finding_leak, .runs_head = 3, .count_head = 40,
	 .suppressed = &suppression_used},
	{.state = DMS_STATE_UNCHANGED, .base = &finding_info, .head = &finding_info, .runs_base = 2,
	 .runs_head = 3, .count_base = UINT64_MAX, .count_head = UINT64_MAX},
	{.state = DMS_STATE_BETTER, .base = &finding_better, .head = &finding_better, .runs_base = 2,
	 .runs_head = 2, .count_base = 30, .count_head = 3, .reason = "a tenth as often"},
	{.state = DMS_STATE_FIXED, .base = &finding_fixed, .runs_base = 2, .count_base = 7},
	{.state = DMS_STATE_NOT_JUDGED, .base = &finding_blind, .runs_base = 1, .count_base = 2,
	 .reason = "head has lost 12 events of e1000 " HOSTILE_CONTROL},
};

static const struct dms_metric_change metric_changes[] = {
	{.state = DMS_STATE_WORSE, .metric = &metric_p99, .polarity = DMS_LESS_IS_BETTER,
	 .threshold = {0.5, 1000, 100}, .scope = DMS_SCOPE_SITE, .subject = "ethdrv rx_alloc[ethdrv]",
	 .base = 12345, .head = 45678, .n_base = 5, .n_head = 5, .samples_base = 20000,
	 .samples_head = 21000, .change = 2.7001, .p = 0.0079365, .p_holm = 0.0158730, .effect = 1,
	 .fails = true},
	{.state = DMS_STATE_WORSE, .metric = &metric_failed, .polarity = DMS_LESS_IS_BETTER,
	 .threshold = {0, 0, 1}, .scope = DMS_SCOPE_KIND, .subject = HOSTILE_MARKUP HOSTILE_BYTES,
	 .base = 0, .head = 17, .n_base = 1, .n_head = 1, .samples_base = 900, .samples_head = 900,
	 .change = INFINITY, .p = NAN, .p_holm = NAN, .effect = NAN},
	{.state = DMS_STATE_BETTER, .metric = &metric_peak, .polarity = DMS_LESS_IS_BETTER,
	 .threshold = {0.25, 65536, 1}, .scope = DMS_SCOPE_DEVICE, .subject = "0000:03:00.0",
	 .base = 4194304, .head = 1048576, .n_base = 1, .n_head = 1, .samples_base = 20000,
	 .samples_head = 21000, .change = -0.75, .p = NAN, .p_holm = NAN, .effect = NAN},
	{.state = DMS_STATE_NOISY, .metric = &metric_bounced, .polarity = DMS_LESS_IS_BETTER,
	 .threshold = {0.1, 0.01, 100}, .scope = DMS_SCOPE_KIND, .subject = "nvme", .base = 0.031,
	 .head = 0.052, .n_base = 5, .n_head = 5, .samples_base = 400, .samples_head = 400,
	 .change = 0.677, .p = 0.31, .p_holm = 0.62, .effect = 0.44,
	 .reason = "runs of base differ by 80 % among themselves"},
	{.state = DMS_STATE_UNCHANGED, .metric = &metric_rate, .polarity = DMS_NEITHER,
	 .threshold = {INFINITY, INFINITY, 1}, .scope = DMS_SCOPE_KIND, .subject = "ethdrv", .base = 1000,
	 .head = 1500.5, .n_base = 5, .n_head = 5, .samples_base = 20000, .samples_head = 21000,
	 .change = 0.5005, .p = 0.0079, .p_holm = 0.0158, .effect = 1},
	{.state = DMS_STATE_UNCHANGED, .metric = &metric_p99, .polarity = DMS_LESS_IS_BETTER,
	 .threshold = {0.5, 1000, 100}, .scope = DMS_SCOPE_KIND, .subject = "nvme", .base = 1000000,
	 .head = 1010000, .n_base = 5, .n_head = 5, .samples_base = 20000, .samples_head = 21000,
	 .change = 0.01, .p = 0.8, .p_holm = 1, .effect = 0.1},
	{.state = DMS_STATE_NOT_JUDGED, .metric = &metric_p99, .polarity = DMS_LESS_IS_BETTER,
	 .threshold = {0.5, 1000, 100}, .scope = DMS_SCOPE_KIND, .subject = "e1000", .base = 5000,
	 .head = NAN, .n_base = 5, .n_head = 0, .samples_base = 20000, .change = NAN, .p = NAN,
	 .p_holm = NAN, .effect = NAN, .reason = "head has no value"},
	{.state = DMS_STATE_NOT_JUDGED, .metric = &metric_p99, .polarity = DMS_LESS_IS_BETTER,
	 .threshold = {0.5, 1000, 100}, .scope = DMS_SCOPE_SITE, .subject = "ethdrv " HOSTILE_CONTROL,
	 .base = NAN, .head = 900, .n_base = 0, .n_head = 5, .samples_head = 20000, .change = NAN,
	 .p = NAN, .p_holm = NAN, .effect = NAN, .reason = "base has no value " HOSTILE_CONTROL},
};

static const struct dms_coverage_change coverage_changes[] = {
	{"map-error-unchecked", "e1000", "needs the probe of dma_mapping_error()", false, true},
	{"sync-missing", NULL, "no sync was seen " HOSTILE_MARKUP, true, false},
	{NULL, NULL, "12 events were lost " HOSTILE_CONTROL, false, true},
};
static const struct dms_coverage_change unjudged_changes[] = {
	{"leak-at-unbind", NULL, "needs marks of unbinding " HOSTILE_CONTROL, true, true},
	{"map-exceeds-mask", HOSTILE_MARKUP, "the mask is not known", true, true},
};

/* ---- runs ----------------------------------------------------------------------------------------- */

static const struct dms_blind_spot head_blind_spots[] = {
	{NULL, NULL, "12 events were lost " HOSTILE_CONTROL},
	{"map-error-unchecked", "e1000", "needs the probe of dma_mapping_error()"},
	{"bounce-avoidable", HOSTILE_YAML, "no swiotlb events"},
};
static const struct dms_base_kind run_kinds[] = {
	{"e1000", 1, 900}, {"ethdrv", 2, 20000}, {"nvme", 1, 400}, {HOSTILE_MARKUP, 1, UINT64_MAX}};
static const char *const run_rules_off[] = {"cacheline-misaligned"};

static const struct dms_baseline run_base_file = {
	.path = "ci/baseline.json", .kernel = "6.12.9-200.fc41.x86_64", .version = "0.5.0",
	.is_complete = true, .has_stacks = true, .events = 123456, .seconds = 12.5,
	.kinds = run_kinds, .n_kinds = 3};
static const struct dms_baseline run_base_db = {
	.path = "base-2.db", .kernel = "6.12.9-200.fc41.x86_64", .version = "0.5.0",
	.is_complete = true, .has_stacks = true, .events = 123999, .seconds = 12.25,
	.kinds = run_kinds, .n_kinds = 3};
static const struct dms_baseline run_head = {
	.path = "head-1.db", .kernel = "7.2.0-rc1", .version = "0.5.0", .is_complete = true,
	.has_stacks = true, .events = 130000, .gaps = 1, .lost_events = 12, .seconds = 13,
	.findings = &finding_new, .n_findings = 1, .blind_spots = head_blind_spots, .n_blind_spots = 3,
	.kinds = run_kinds, .n_kinds = 4, .rules_off = run_rules_off, .n_rules_off = 1};
static const struct dms_baseline run_head_evil = {
	.path = "/tmp/runs/" HOSTILE_MARKUP HOSTILE_CONTROL HOSTILE_BYTES ".db", .kernel = HOSTILE_YAML,
	.version = NULL, .events = UINT64_MAX, .gaps = 3};
static const struct dms_baseline *const runs_base[] = {&run_base_file, &run_base_db};
static const struct dms_baseline *const runs_head[] = {&run_head, &run_head_evil, &run_head};

static const char *const fail_reasons[] = {
	"1 new error of double-unmap on ethdrv, certain",
	"1 new error of unmap-size-mismatch on " HOSTILE_MARKUP HOSTILE_CONTROL,
	"1 worse error of sync-not-mapped on nvme",
	"1 worse metric: lifetime_p99 of ethdrv rx_alloc[ethdrv]"};
static const char *const lossy_reasons[] = {"1 error of base could not be judged in head: events were lost"};
static const char *const pass_reasons[] = {"nothing is new or worse"};

/** Every state, several runs, everything hostile. */
static const struct dms_comparison hostile_comparison = {
	.base = runs_base, .head = runs_head, .n_base = 2, .n_head = 3, .verdict = DMS_VERDICT_FAIL,
	.reasons = fail_reasons, .n_reasons = 4, .findings = finding_changes, .n_findings = 8,
	.metrics = metric_changes, .n_metrics = 8, .coverage = coverage_changes, .n_coverage = 3,
	.unjudged = unjudged_changes, .n_unjudged = 2,
	.unused = unused_suppressions, .n_unused = 1, .expired = expired_suppressions, .n_expired = 1};
/** One run a side that could not judge. */
static const struct dms_comparison lossy_comparison = {
	.base = runs_base, .head = runs_head, .n_base = 1, .n_head = 1, .verdict = DMS_VERDICT_LOSSY,
	.reasons = lossy_reasons, .n_reasons = 1, .findings = finding_changes + 7, .n_findings = 1,
	.metrics = metric_changes + 6, .n_metrics = 1, .coverage = coverage_changes + 2, .n_coverage = 1};
/** Nothing to tell. */
static const struct dms_comparison clean_comparison = {
	.base = runs_base, .head = runs_base + 1, .n_base = 1, .n_head = 1, .verdict = DMS_VERDICT_PASS,
	.reasons = pass_reasons, .n_reasons = 1};
/** No base: everything is new. */
static const struct dms_comparison first_comparison = {
	.head = runs_head, .n_head = 1, .verdict = DMS_VERDICT_FAIL, .reasons = fail_reasons, .n_reasons = 1,
	.findings = finding_changes, .n_findings = 1};

// clang-format on

#endif

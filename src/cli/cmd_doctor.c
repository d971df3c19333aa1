// SPDX-License-Identifier: GPL-2.0-only
/* dmascope doctor TRACE: what it can and cannot show, and the command that records a better one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include <dmascope/record.h>

#include "../report/local.h"
#include "cli.h"
#include "doctor.h"
#include "../run/run.h"
#include "../run/trust.h"

static const char *const verdict_words[] = {"good", "partly", "missing", "unknown"};

/* ---- looking ----------------------------------------------------------------------------------
 */

static uint64_t records_of(const struct dms_run *run, const char *system, const char *prefix)
{
	struct dms_tracepoint_count count;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < run->n_files; i++) {
		for (uint32_t j = 0; j < dms_decoder_n_tracepoints(run->decoders[i]); j++) {
			dms_decoder_count(run->decoders[i], j, &count);
			if (!strcmp(count.system, system) &&
			    !strncmp(count.name, prefix, strlen(prefix)))
				sum += count.records;
		}
	}
	return sum;
}

static uint64_t sum_counter(const struct dms_run *run, enum dms_counter counter)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < dms_model_n_devices(run->model); i++) {
		const struct dms_device_stats *stats = dms_stats_device(run->stats, i);

		sum += stats ? stats->counters[counter] : 0;
	}
	return sum;
}

/* ---- checks: one function a row ----------------------------------------------------------- */

static const struct dms_source_info *first_info(const struct dms_run *run)
{
	return dms_source_info(dms_merge_source(run->merge, 0));
}

/* A text has the events that happened: what was enabled it does not tell. */
static bool tells_enabled(const struct dms_run *run)
{
	for (uint32_t i = 0; i < run->n_files; i++) {
		if (!dms_source_info(dms_merge_source(run->merge, i))->is_text)
			return true;
	}
	return false;
}

static const char *absence(const struct dms_run *run)
{
	return tells_enabled(run) ? "not enabled" : "not enabled, or did not happen: a text does not "
						    "tell which";
}

static void check_wholeness(const struct dms_run *run, struct advice *ret)
{
	for (uint32_t i = 0; i < run->n_files; i++) {
		struct dms_source *source = dms_merge_source(run->merge, i);
		const struct dms_source_info *info = dms_source_info(source);
		const char *first = NULL;
		uint64_t n_damaged = dms_source_damage(source, &first);

		if (!info->missing_bytes && !n_damaged)
			continue;
		ret->verdict = VERDICT_MISSING;
		ret->finding = info->missing_bytes
				       ? dms_asprintf("%s is truncated: %" PRIu64 " bytes are missing "
						      "at offset %#" PRIx64,
						      info->path, info->missing_bytes,
						      info->missing_offset)
				       : dms_asprintf("%s is damaged in %" PRIu64 " place%s, first %s",
						      info->path, n_damaged,
						      n_damaged == 1 ? "" : "s", first);
		ret->remedy = dms_asprintf("copy it again; analyze reads what is left with --salvage");
		return;
	}
	ret->finding = dms_asprintf("whole, as far as it tells");
}

/* ---- what it shows ---------------------------------------------------------------------------- */

static void check_dma(const struct dms_run *run, struct advice *ret)
{
	uint64_t records = records_of(run, "dma", "");

	if (records) {
		ret->finding = dms_asprintf("%" PRIu64 " DMA-API events recorded", records);
		return;
	}
	ret->verdict = VERDICT_MISSING;
	if (dms_run_has_kind(run, DMS_EV_MAP) || dms_run_has_kind(run, DMS_EV_ALLOC)) {
		ret->finding = dms_asprintf("the dma events were enabled, and none happened");
		ret->remedy = dms_asprintf("record while the device works");
	} else {
		ret->finding = dms_asprintf(tells_enabled(run) ? "no dma event was enabled"
							       : "there is no dma event");
		ret->remedy = dms_asprintf("record with %s (kernel 6.12 or newer)",
					   doctor_cure(first_info(run), CURE_DMA));
	}
}

/* A map without its unmap event is no leak if unmaps were not recorded. */
static void check_both_ends(const struct dms_run *run, struct advice *ret)
{
	static const struct {
		enum dms_event_kind begin, end;
		const char *name;
	} pairs[] = {
		{DMS_EV_MAP, DMS_EV_UNMAP, "dma_unmap_page/phys"},
		{DMS_EV_MAP_SG, DMS_EV_UNMAP_SG, "dma_unmap_sg"},
		{DMS_EV_ALLOC, DMS_EV_FREE, "dma_free"},
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(pairs); i++) {
		if (!dms_run_has_kind(run, pairs[i].begin) || dms_run_has_kind(run, pairs[i].end))
			continue;
		ret->verdict = VERDICT_MISSING;
		ret->finding =
			dms_asprintf("%s was %s; these mappings have no end", pairs[i].name,
				     absence(run));
		ret->remedy = dms_asprintf("enable the whole system: %s", doctor_cure(first_info(run), CURE_DMA));
		return;
	}
	ret->finding = dms_asprintf(tells_enabled(run) ? "maps and unmaps of every kind were enabled"
						       : "maps and unmaps of every kind are there");
}

static void check_losses(const struct dms_run *run, struct advice *ret)
{
	uint64_t by_stats = 0, gaps = run->gaps - run->clock_gaps;

	for (uint32_t i = 0; i < run->n_files; i++)
		by_stats += dms_source_info(dms_merge_source(run->merge, i))->lost_by_stats;
	if (!gaps && !by_stats) {
		ret->finding = dms_asprintf("no event was lost");
		return;
	}
	ret->verdict = VERDICT_PARTLY;
	ret->finding = dms_asprintf("events were lost in %" PRIu64 " place%s (%" PRIu64
				    " by the marks, %" PRIu64 " by the recorder's statistics)",
				    gaps, gaps == 1 ? "" : "s", run->lost_events, by_stats);
	ret->remedy = dms_asprintf("a larger buffer: %s, or fewer events",
				   doctor_cure(first_info(run), CURE_BUFFER));
}

static void check_beginning(const struct dms_run *run, struct advice *ret)
{
	uint64_t pre_trace = sum_counter(run, DMS_COUNT_PRE_TRACE);

	if (!pre_trace) {
		ret->finding = dms_asprintf("no unmap of a mapping older than the trace");
		return;
	}
	ret->verdict = VERDICT_PARTLY;
	ret->finding =
		dms_asprintf("%" PRIu64 " unmap%s not seen: the trace began while %s lived",
			     pre_trace, pre_trace == 1 ? " of a mapping that was" : "s of mappings that were",
			     pre_trace == 1 ? "it" : "they");
	ret->remedy = dms_asprintf("start recording before the driver binds, or at boot with "
				   "trace_event=dma:*");
}

static void check_stacks(const struct dms_run *run, struct advice *ret)
{
	uint64_t stacks = records_of(run, "ftrace", "kernel_stack");
	uint32_t n_distinct = run->names.stacks ? dms_stacks_count(run->names.stacks) : 0;

	if (stacks) {
		ret->finding = dms_asprintf("%" PRIu64 " call stacks recorded", stacks);
		return;
	}
	if (n_distinct) { /* perf.data and text have them with their events */
		ret->finding = dms_asprintf("%" PRIu32 " different call stacks recorded", n_distinct);
		return;
	}
	ret->verdict = VERDICT_MISSING;
	ret->finding = dms_asprintf("no call stacks: call sites and drivers cannot be named");
	ret->remedy = dms_asprintf("record with %s", doctor_cure(first_info(run), CURE_STACKS));
}

static void check_clock(const struct dms_run *run, struct advice *ret)
{
	const struct dms_source_info *info = first_info(run);
	const char *clock = info->clock;

	if (!clock && info->is_text) {
		ret->verdict = run->clock_is_ns ? VERDICT_PARTLY : VERDICT_MISSING;
		ret->finding = dms_asprintf(
			run->clock_is_ns ? "the text does not name its clock"
					 : "the text does not name its clock, which counts no "
					   "nanoseconds: no durations");
	} else if (!run->clock_is_ns) {
		ret->verdict = VERDICT_MISSING;
		ret->finding = dms_asprintf("clock \"%s\" does not count nanoseconds: no durations",
					    clock);
	} else if (run->clock_gaps) {
		ret->verdict = VERDICT_PARTLY;
		ret->finding = dms_asprintf("clock \"%s\" stood still in %" PRIu64
					    " place%s (an unstable TSC): the order of events is "
					    "not known there",
					    clock ? clock : "-", run->clock_gaps,
					    run->clock_gaps == 1 ? "" : "s");
	} else if (!clock || !strcmp(clock, "local")) {
		ret->verdict = VERDICT_PARTLY;
		ret->finding = dms_asprintf("clock \"local\" is not ordered between CPUs");
	} else {
		ret->finding = dms_asprintf("clock \"%s\"", clock);
	}
	if (ret->verdict != VERDICT_GOOD)
		ret->remedy = dms_asprintf("record with %s", doctor_cure(first_info(run), CURE_CLOCK));
}

static void check_syncs(const struct dms_run *run, struct advice *ret)
{
	if (sum_counter(run, DMS_COUNT_SYNCS_FOR_CPU) ||
	    sum_counter(run, DMS_COUNT_SYNCS_FOR_DEVICE)) {
		ret->finding = dms_asprintf("dma_sync_* events were seen");
		return;
	}
	ret->verdict = VERDICT_MISSING;
	ret->finding =
		dms_asprintf("no dma_sync_* event: a coherent device skips the traced call, so "
			     "missing syncs cannot be judged");
	ret->remedy = dms_asprintf("boot with swiotlb=force iommu.passthrough=1: what is bounced "
				   "is synced by traced calls");
}

static void check_iommu(const struct dms_run *run, struct advice *ret)
{
	struct dms_uncovered uncovered;

	dms_model_uncovered(run->model, &uncovered);
	if (!dms_run_has_kind(run, DMS_EV_IOMMU_MAP)) {
		ret->verdict = VERDICT_MISSING;
		ret->finding = dms_asprintf(
			"the iommu events were %s; faults and traffic through the IOVA API are not "
			"visible",
			absence(run));
		ret->remedy = dms_asprintf("record with %s", doctor_cure(first_info(run), CURE_IOMMU));
	} else if (uncovered.iommu_maps) {
		ret->verdict = VERDICT_PARTLY;
		ret->finding =
			dms_asprintf("%" PRIu64 " IOMMU mappings (%" PRIu64 " bytes) belong to no "
				     "traced DMA-API call: the IOVA API has no dma events",
				     uncovered.iommu_maps, uncovered.iommu_bytes);
	} else if (!records_of(run, "iommu", "")) {
		ret->finding = dms_asprintf("the iommu events were enabled, and none happened");
	} else {
		ret->finding =
			dms_asprintf("iommu events were enabled, and every map has its call");
	}
}

static void check_swiotlb(const struct dms_run *run, struct advice *ret)
{
	if (dms_run_has_kind(run, DMS_EV_BOUNCE)) {
		ret->finding = dms_asprintf("swiotlb_bounced was enabled: %" PRIu64 " bounces",
					    records_of(run, "swiotlb", ""));
		return;
	}
	ret->verdict = VERDICT_MISSING;
	ret->finding =
		dms_asprintf("swiotlb_bounced was %s; bounces and DMA masks are not visible",
			     absence(run));
	ret->remedy = dms_asprintf("record with %s", doctor_cure(first_info(run), CURE_SWIOTLB));
}

static uint32_t inputs_of(const struct dms_run *run)
{
	uint32_t inputs = 0;

	for (uint32_t i = 0; i < run->n_files; i++)
		inputs |= dms_decoder_inputs(run->decoders[i]);
	return inputs;
}

/* What only a probe tells: made by the lines print_probes() shows. */
static void check_input(const struct dms_run *run, uint32_t input, const char *good,
			const char *missing, struct advice *ret)
{
	if (inputs_of(run) & input) {
		ret->finding = dms_asprintf("%s", good);
		return;
	}
	ret->verdict = VERDICT_MISSING;
	ret->finding = dms_asprintf("%s", missing);
	ret->remedy = dms_asprintf("the probes below");
}

static void check_unbinds(const struct dms_run *run, struct advice *ret)
{
	struct dms_uncovered uncovered;

	dms_model_uncovered(run->model, &uncovered);
	if (uncovered.unnamed_unbinds) {
		ret->verdict = VERDICT_PARTLY;
		ret->finding = dms_asprintf("%" PRIu64 " marks of unbinds name no device",
					    uncovered.unnamed_unbinds);
		ret->remedy = dms_asprintf("give the probe device=+0(+0($arg1)):string");
		return;
	}
	check_input(run, DMS_INPUT_UNBINDS, "unbinding of drivers is recorded",
		    "no event tells when a driver lets go of its device: what it leaks then "
		    "cannot be told from what it still uses",
		    ret);
}

static void check_masks(const struct dms_run *run, struct advice *ret)
{
	uint32_t n_devices = dms_model_n_devices(run->model), n_known = 0;

	for (uint32_t i = 0; i < n_devices; i++)
		n_known += dms_model_device(run->model, i)->dma_mask != 0;
	if (n_known) {
		ret->verdict = n_known < n_devices ? VERDICT_PARTLY : VERDICT_GOOD;
		ret->finding = dms_asprintf("the DMA masks of %" PRIu32 " of %" PRIu32
					    " devices are known, by probes or bounces",
					    n_known, n_devices);
		return;
	}
	ret->verdict = VERDICT_MISSING;
	ret->finding = dms_asprintf("no event tells the DMA masks of devices");
	ret->remedy = dms_asprintf("the probes below, or give analyze --inventory");
}

static void check_error_checks(const struct dms_run *run, struct advice *ret)
{
	if (inputs_of(run) & DMS_INPUT_CHECKS) {
		ret->finding = dms_asprintf("dma_mapping_error() is recorded by a probe");
		return;
	}
	ret->verdict = VERDICT_PARTLY;
	ret->finding = dms_asprintf("whether a driver checks its maps with dma_mapping_error() is "
				    "not recorded");
	ret->remedy = dms_asprintf("a probe of debug_dma_mapping_error(), which only kernels with "
				   "CONFIG_DMA_API_DEBUG have: see dmascope-doctor(1)");
}

static void check_messages(const struct dms_run *run, struct advice *ret)
{
	if (dms_run_has_kind(run, DMS_EV_CONSOLE) || run->inputs & DMS_INPUT_CONSOLE) {
		ret->finding = dms_asprintf("messages of the kernel are recorded");
		return;
	}
	ret->verdict = VERDICT_MISSING;
	ret->finding = dms_asprintf("messages of the kernel are not recorded: the faults of Intel "
				    "and SMMUv3 IOMMUs, full bounce buffers, dma-debug's reports");
	ret->remedy = dms_asprintf("record with %s, or give the kernel's log to analyze --kernel-log",
				   doctor_cure(first_info(run), CURE_MESSAGES));
}

/* No recording without a probe shows these; to be silent about it would be a lie. */
static void check_list_failures(const struct dms_run *run, struct advice *ret)
{
	if (dms_run_has_kind(run, DMS_EV_MAP_SG_RETURN)) {
		ret->finding = dms_asprintf("what dma_map_sg() returns is recorded by a probe");
		return;
	}
	ret->verdict = VERDICT_PARTLY;
	ret->finding = dms_asprintf("a dma_map_sg() that fails leaves no event");
	ret->remedy = dms_asprintf("the probes below");
}

static const struct check {
	const char *topic;
	void (*look)(const struct dms_run *run, struct advice *ret);
} checks[] = {
	{"file", check_wholeness},     {"dma events", check_dma},     {"both ends", check_both_ends},
	{"losses", check_losses},      {"beginning", check_beginning},
	{"call stacks", check_stacks}, {"clock", check_clock},
	{"syncs", check_syncs},	       {"iommu", check_iommu},
	{"swiotlb", check_swiotlb},    {"messages", check_messages},
	{"unbinds", check_unbinds},    {"masks", check_masks},
	{"map errors", check_error_checks}, {"failed lists", check_list_failures},
};

/* ---- telling -------------------------------------------------------------------------------- */

#define TEXT_COLUMN 22 /* behind the topic and the verdict */

/* Findings quote the trace: what would steer a terminal is made visible. */
static bool tell_text(const char *topic, const struct advice *advice)
{
	_cleanup_(dms_freep) char *finding =
		dms_escape(advice->finding, strlen(advice->finding), DMS_ESCAPE_TEXT);

	if (!finding)
		return false;
	printf("%-12s %-8s ", topic, verdict_words[advice->verdict]);
	dms_put_wrapped(finding, TEXT_COLUMN, stdout);
	if (advice->remedy) {
		printf("%*s-> ", TEXT_COLUMN, "");
		dms_put_wrapped(advice->remedy, TEXT_COLUMN + 3, stdout);
	}
	return true;
}

static bool tell_json(json_t *list, const char *topic, const struct advice *advice)
{
	json_t *row = json_pack("{s:s, s:s, s:s, s:s?}", "topic", topic, "verdict",
				verdict_words[advice->verdict], "finding", advice->finding,
				"remedy", advice->remedy);

	return row && !json_array_append_new(list, row);
}

struct dms_error *doctor_dump_error(void)
{
	return ferror(stdout) ? dms_error_new(DMS_ERROR_INTERNAL, "writing the report failed")
			      : &dms_error_nomem;
}

bool doctor_tell(json_t *list, const char *topic, struct advice *advice)
{
	/* a remedy that memory was too short for looks like none */
	bool is_told = advice->finding && !dms_memory_was_refused() && (list ? tell_json(list, topic, advice)
						: tell_text(topic, advice));

	dms_free(advice->finding);
	dms_free(advice->remedy);
	return is_told;
}

/* @list NULL: as text. */
static struct dms_error *tell_all(const struct dms_run *run, json_t *list)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(checks); i++) {
		struct advice advice = {0};

		checks[i].look(run, &advice);
		if (!doctor_tell(list, checks[i].topic, &advice))
			return &dms_error_nomem;
	}
	return NULL;
}

/* What the file's container cannot tell, and which part of it is missing. */
static struct dms_error *print_notes(const struct dms_run *run)
{
	const struct dms_source_info *info = first_info(run);

	for (uint32_t i = 0; i < info->n_notes; i++) {
		_cleanup_(dms_freep) char *note =
			dms_escape(info->notes[i], strlen(info->notes[i]), DMS_ESCAPE_TEXT);

		if (!note)
			return &dms_error_nomem;
		printf("%s%-*s", i ? "" : "\n", TEXT_COLUMN, i ? "" : "the file itself");
		dms_put_wrapped(note, TEXT_COLUMN, stdout);
	}
	return NULL;
}

static json_t *list_notes(const struct dms_run *run)
{
	const struct dms_source_info *info = first_info(run);
	json_t *list = json_array();

	for (uint32_t i = 0; list && i < info->n_notes; i++) {
		if (json_array_append_new(list, dms_json_text(info->notes[i], strlen(info->notes[i])))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/*
 * Line @i for kprobe_events, which refuses all behind one that it refuses: only those for everybody. False:
 * it is not for everybody; *@ret NULL: memory.
 */
static bool probe_line(size_t i, char **ret)
{
	const struct dms_probe *probe = &dms_probes[i];

	*ret = probe->is_everywhere
		       ? dms_probe_line(probe, DMS_PROBING_KPROBE, "dmascope", NULL, false)
		       : NULL;
	return probe->is_everywhere;
}

static struct dms_error *print_text(const struct dms_run *run)
{
	const struct dms_source_info *info = first_info(run);
	const char *release = info->release ? info->release : "unknown";
	_cleanup_(dms_freep) char *shown = dms_escape(release, strlen(release), DMS_ESCAPE_TEXT);
	struct dms_error *err;

	if (!shown)
		return &dms_error_nomem;
	printf("%s: %s, kernel %s, %" PRIu64 " records\n\n", info->path, info->format, shown,
	       run->records);
	if ((err = tell_all(run, NULL)) || (err = print_notes(run)))
		return err;
	printf("\nA recording that shows what a stock kernel can show:\n  %s\n"
	       "\nProbes that show more: append these lines to /sys/kernel/tracing/kprobe_events\n"
	       "before, as root, and record with %s as well:\n",
	       doctor_cure(info, CURE_ALL), doctor_cure(info, CURE_PROBES));
	for (size_t i = 0; i < dms_n_probes; i++) {
		_cleanup_(dms_freep) char *line;

		if (!probe_line(i, &line))
			continue;
		if (!line)
			return &dms_error_nomem;
		printf("  %s\n", line);
	}
	return NULL;
}

static json_t *list_probes(void)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < dms_n_probes; i++) {
		_cleanup_(dms_freep) char *line;

		if (!probe_line(i, &line))
			continue;
		if (!line || json_array_append_new(list, json_string(line))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static struct dms_error *print_json(const struct dms_run *run)
{
	const struct dms_source_info *info = first_info(run);
	json_t *list = json_array(), *root;
	struct dms_error *err;

	if (!list || (err = tell_all(run, list))) {
		json_decref(list);
		return list ? err : &dms_error_nomem;
	}
	root = json_pack("{s:s, s:s, s:s?, s:I, s:o, s:s, s:o, s:o}", "input", info->path, "format",
			 info->format, "kernel", info->release, "records", (json_int_t)run->records,
			 "checks", list, "record_command", doctor_cure(first_info(run), CURE_ALL), "probes", list_probes(),
			 "notes", list_notes(run));
	if (!root || json_dumpf(root, stdout, JSON_INDENT(2)))
		err = doctor_dump_error();
	puts("");
	json_decref(root);
	return err;
}

struct dms_error *dms_cmd_doctor(const struct dms_call *call, enum dms_exit *ret)
{
	const struct dms_doctor_args *args = call->args;
	struct dms_run_options options = {
		.salvage = true,
		.keep_stacks = true,
		.kallsyms = args->kallsyms,
		.formats_dir = args->formats_dir,
	};
	struct dms_run run;
	struct dms_error *err;

	if (!call->n_operands)
		return doctor_kernel(args->format == DMS_FORMAT_JSON, ret);
	err = dms_run_open(&run, call->operands, call->n_operands, &options);
	if (!err)
		err = dms_run_read(&run, &options);
	if (!err)
		err = args->format == DMS_FORMAT_JSON ? print_json(&run) : print_text(&run);
	if (!err && !run.events)
		err = dms_run_nothing_found(&run); /* nothing to look at is no good health */
	dms_run_close(&run);
	return err;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* What a run lost and what its trace cannot show: told in words, never left to silence. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "recognise.h"
#include "trust.h"

struct dms_error *dms_run_add_note(struct dms_run *run, const char *rule, uint32_t device,
				   char *reason)
{
	struct dms_run_notes *notes = &run->notes;
	size_t bytes = reason ? strlen(reason) + 1 : 0;
	struct dms_note *note;
	char *kept;

	if (reason && ((rule && !dms_run_tells_rule(run, rule)) ||
		       (device != DMS_ID_NONE && !dms_run_tells_device(run, device)))) {
		dms_free(reason);
		return NULL;
	}
	kept = reason ? dms_arena_alloc(run->arena, bytes) : NULL;
	if (kept)
		memcpy(kept, reason, bytes);
	dms_free(reason);
	if (!kept ||
	    !dms_grow(&notes->notes, &notes->notes_capacity, notes->n_notes + 1,
		      sizeof(*notes->notes)) ||
	    !dms_grow(&notes->devices, &notes->devices_capacity, notes->n_notes + 1,
		      sizeof(*notes->devices)))
		return &dms_error_nomem;
	note = &notes->notes[notes->n_notes];
	*note = (struct dms_note){.rule = rule, .reason = kept};
	if (device != DMS_ID_NONE)
		note->device = dms_strtab_get(run->names.devices,
					      dms_model_device(run->model, device)->name);
	notes->devices[notes->n_notes++] = device;
	return NULL;
}

/* ---- notes on the whole run -------------------------------------------------------------------
 */

/* Gaps that are neither between files nor, as the source says itself, due to a clock. */
static uint64_t n_losses(const struct dms_run *run)
{
	return run->gaps - run->hole_gaps - run->clock_gaps;
}

/* Gaps of a known size are losses; of the others some only say that events may be missing. */
static struct dms_error *note_gaps(struct dms_run *run)
{
	uint64_t n_others = n_losses(run) - run->sized_gaps;
	_cleanup_(dms_freep) char *sized = NULL, *others = NULL;

	sized = dms_asprintf("events were lost in %" PRIu64 " place%s, %" PRIu64 " of them",
			     run->sized_gaps, run->sized_gaps == 1 ? "" : "s", run->lost_events);
	others = dms_asprintf("events may be missing in %" PRIu64 "%s place%s, how many is not known",
			      n_others, run->sized_gaps ? " other" : "", n_others == 1 ? "" : "s");
	if (!sized || !others)
		return &dms_error_nomem;
	return dms_run_add_note(run, NULL, DMS_ID_NONE,
				dms_asprintf("%s%s%s: pairs around %s doubtful%s",
					     run->sized_gaps ? sized : "",
					     run->sized_gaps && n_others ? "; " : "",
					     n_others ? others : "",
					     n_others + run->sized_gaps == 1 ? "it are" : "those places are",
					     run->sized_gaps ? " (record with a larger buffer)" : ""));
}

/* Files one after the other: what was mapped in one may have been unmapped before the next. */
static struct dms_error *note_holes(struct dms_run *run)
{
	for (uint32_t i = 0; run->hole_gaps && i < run->n_files; i++) {
		const struct dms_hole *hole = dms_merge_hole(run->merge, i);
		char length[40];
		struct dms_error *err;

		if (!hole)
			continue;
		if (run->clock_is_ns)
			dms_format_ns(hole->to_ts - hole->from_ts, length, sizeof(length));
		else
			snprintf(length, sizeof(length), "%" PRIu64 " ticks",
				 hole->to_ts - hole->from_ts);
		err = dms_run_add_note(
			run, NULL, DMS_ID_NONE,
			dms_asprintf("nothing was recorded between %s and %s: %s; pairs that span "
				     "it are doubtful",
				     dms_source_info(dms_merge_source(run->merge, hole->file))->path,
				     dms_source_info(dms_merge_source(run->merge, i))->path,
				     length));
		if (err)
			return err;
	}
	return NULL;
}

/* As the recorder's own statistics have it. */
static uint64_t lost_by_stats(const struct dms_run *run)
{
	uint64_t by_stats = 0;

	for (uint32_t i = 0; i < run->n_files; i++)
		by_stats += dms_source_info(dms_merge_source(run->merge, i))->lost_by_stats;
	return by_stats;
}

static struct dms_error *note_losses(struct dms_run *run)
{
	uint64_t by_stats = lost_by_stats(run);
	struct dms_error *err;

	if ((err = note_holes(run)) ||
	    (n_losses(run) && (err = note_gaps(run))))
		return err;
	if (by_stats <= run->lost_events)
		return NULL;
	return dms_run_add_note(run, NULL, DMS_ID_NONE,
				dms_asprintf("the recorder's own statistics say %" PRIu64
					     " events were lost, "
					     "%" PRIu64 " more than are marked in the trace",
					     by_stats, by_stats - run->lost_events));
}

static struct dms_error *note_damage(struct dms_run *run)
{
	for (uint32_t i = 0; i < run->n_files; i++) {
		struct dms_source *source = dms_merge_source(run->merge, i);
		const struct dms_source_info *info = dms_source_info(source);
		const char *first;
		uint64_t n_damaged = dms_source_damage(source, &first);
		struct dms_error *err = NULL;

		if (info->missing_bytes)
			err = dms_run_add_note(run, NULL, DMS_ID_NONE,
					       dms_asprintf("%s is truncated: %" PRIu64
							    " bytes of trace data "
							    "are missing",
							    info->path, info->missing_bytes));
		if (!err && n_damaged)
			err = dms_run_add_note(run, NULL, DMS_ID_NONE,
					       dms_asprintf("%s is damaged in %" PRIu64
							    " place%s, first %s",
							    info->path, n_damaged,
							    n_damaged == 1 ? "" : "s", first));
		if (err)
			return err;
	}
	return NULL;
}

static struct dms_error *note_malformed(struct dms_run *run)
{
	struct dms_tracepoint_count count;
	struct dms_error *err;

	for (uint32_t i = 0; i < run->n_files; i++) {
		for (uint32_t j = 0; j < dms_decoder_n_tracepoints(run->decoders[i]); j++) {
			dms_decoder_count(run->decoders[i], j, &count);
			if (!count.reason)
				continue;
			err = dms_run_add_note(
				run, NULL, DMS_ID_NONE,
				dms_asprintf("%s:%s: %" PRIu64 " of %" PRIu64
					     " records not decoded: %s",
					     count.system, count.name,
					     count.decoded ? count.malformed : count.records,
					     count.records, count.reason));
			if (err)
				return err;
		}
	}
	return NULL;
}

static struct dms_error *note_clock(struct dms_run *run)
{
	const struct dms_source_info *info = dms_source_info(dms_merge_source(run->merge, 0));

	if (run->clock_is_ns)
		return NULL;
	return dms_run_add_note(
		run, NULL, DMS_ID_NONE,
		dms_asprintf("the trace clock \"%s\" does not count nanoseconds: order is right, "
			     "durations and rates are not given (record with -C mono)",
			     info->clock));
}

/* What a container cannot tell, in its own words. */
static struct dms_error *note_sources(struct dms_run *run)
{
	for (uint32_t i = 0; i < run->n_files; i++) {
		const struct dms_source_info *info = dms_source_info(dms_merge_source(run->merge, i));

		for (uint32_t j = 0; j < info->n_notes; j++) {
			struct dms_error *err = dms_run_add_note(
				run, NULL, DMS_ID_NONE,
				run->n_files == 1 ? dms_strdup(info->notes[j])
						  : dms_asprintf("%s: %s", info->path, info->notes[j]));

			if (err)
				return err;
		}
	}
	return NULL;
}

/* A text does not name its clock: whoever gives it beside a trace says that it is the same one. */
static struct dms_error *note_clock_of_texts(struct dms_run *run)
{
	const struct dms_source_info *text = NULL, *other = NULL;

	for (uint32_t i = 0; i < run->n_files; i++) {
		const struct dms_source_info *info = dms_source_info(dms_merge_source(run->merge, i));

		if (info->is_text && !info->clock)
			text = info;
		else
			other = info;
	}
	if (!text || !other)
		return NULL;
	return dms_run_add_note(run, NULL, DMS_ID_NONE,
				dms_asprintf("%s is text and does not name its clock: its times are "
					     "taken to be of clock \"%s\", as those of %s",
					     text->path, other->clock ? other->clock : "local",
					     other->path));
}

static struct dms_error *note_unread_log(struct dms_run *run)
{
	const char *name = dms_run_unread_log(run);

	if (!name)
		return NULL;
	return dms_run_add_note(run, NULL, DMS_ID_NONE,
				dms_asprintf("the kernel messages of %s were not read: another file "
					     "is the kernel log",
					     name));
}

static struct dms_error *note_uncovered(struct dms_run *run)
{
	struct dms_uncovered uncovered;

	dms_model_uncovered(run->model, &uncovered);
	if (!uncovered.iommu_maps)
		return NULL;
	return dms_run_add_note(
		run, NULL, DMS_ID_NONE,
		dms_asprintf("%" PRIu64 " iommu:map event%s (%" PRIu64 " bytes) belong%s to no "
			     "traced DMA-API call: traffic through the IOVA API has no dma "
			     "events and is not covered",
			     uncovered.iommu_maps, uncovered.iommu_maps == 1 ? "" : "s",
			     uncovered.iommu_bytes, uncovered.iommu_maps == 1 ? "s" : ""));
}

/* Kernels before 6.12: see dmascope-record(1). */
static struct dms_error *note_stand_ins(struct dms_run *run)
{
	const char *untold = NULL;

	for (uint32_t i = 0; i < run->n_files && !untold; i++)
		untold = dms_decoder_untold(run->decoders[i]);
	if (!untold)
		return NULL;
	return dms_run_add_note(run, NULL, DMS_ID_NONE,
				dms_asprintf("probes stood in for the dma events, which the kernel "
					     "did not have: %s were not recorded",
					     untold));
}

static struct dms_error *note_unnamed(struct dms_run *run)
{
	struct dms_uncovered uncovered;

	dms_model_uncovered(run->model, &uncovered);
	if (!uncovered.unnamed_unbinds)
		return NULL;
	return dms_run_add_note(run, "leak-at-unbind", DMS_ID_NONE,
				dms_asprintf("%" PRIu64 " mark%s a device's address and "
					     "not its name: give the probe "
					     "device=+0(+0($arg1)):string",
					     uncovered.unnamed_unbinds,
					     uncovered.unnamed_unbinds == 1 ? " of an unbind tells"
									    : "s of unbinds tell"));
}

static bool has_syncs(const struct dms_run *run, uint32_t device)
{
	const struct dms_device_stats *stats = dms_stats_device(run->stats, device);

	return stats && (stats->counters[DMS_COUNT_SYNCS_FOR_CPU] ||
			 stats->counters[DMS_COUNT_SYNCS_FOR_DEVICE]);
}

static bool has_any_syncs(const struct dms_run *run)
{
	for (uint32_t i = 0; i < dms_model_n_devices(run->model); i++) {
		if (has_syncs(run, i))
			return true;
	}
	return false;
}

static const char no_syncs[] = "coherent devices skip the traced call, so that missing syncs "
			       "cannot be judged";

static struct dms_error *note_syncs(struct dms_run *run)
{
	const struct dms_rule *rule = dms_rule_find("sync-missing");

	if (run->has_syncs || (rule && rule->inputs && !(rule->inputs & run->inputs)))
		return NULL; /* they are there; or note_inputs() tells how to get them */
	return dms_run_add_note(run, "sync-missing", DMS_ID_NONE,
				dms_asprintf("no dma_sync_* event in the trace: %s", no_syncs));
}

/* A row for each rule that lacks what only a probe, another tracepoint or a side file tells. */
static struct dms_error *note_inputs(struct dms_run *run)
{
	const struct dms_rule *rules[DMS_MAX_RULES];
	size_t n_rules = dms_rules_all(rules);

	for (size_t i = 0; i < n_rules; i++) {
		struct dms_error *err;
		char *missing;

		if (dms_run_found(run, rules[i]))
			continue; /* it has been judged, whatever is missing */
		err = dms_rule_missing(rules[i], run->inputs, &missing);
		if (!err && missing)
			err = dms_run_add_note(run, rules[i]->id, DMS_ID_NONE, missing);
		if (err)
			return err;
	}
	return NULL;
}

/* Interrupts unmap in whatever task they meet, and often that is none. */
static struct dms_error *note_idle(struct dms_run *run)
{
	uint32_t n_sites = dms_model_unjudged_sites(run->model);

	if (!n_sites)
		return NULL;
	return dms_run_add_note(run, "live-at-end", DMS_ID_NONE,
				dms_asprintf("no call was made on an idle CPU: if some tasks only were "
					     "recorded, the unmaps of others are missing; what lives at "
					     "the end of %" PRIu32 " call site%s, or grows there, proves "
					     "no leak",
					     n_sites, n_sites == 1 ? "" : "s"));
}

static struct dms_error *note_orphans(struct dms_run *run)
{
	uint64_t orphans = 0;

	for (uint32_t i = 0; i < run->n_files; i++)
		orphans += dms_decoder_orphan_stacks(run->decoders[i]);
	if (!orphans || !run->names.stacks)
		return NULL;
	dms_log(DMS_LOG_INFO, "%" PRIu64 " stack records belong to no DMA event", orphans);
	return NULL;
}

/* ---- notes on devices --------------------------------------------------------------------------
 */

static struct dms_error *note_pre_trace(struct dms_run *run, uint32_t index,
					const struct dms_device_stats *stats)
{
	if (!stats->counters[DMS_COUNT_PRE_TRACE])
		return NULL;
	/* how many is a column of the devices: without it, devices share a line */
	return dms_run_add_note(run, "unmap-not-mapped", index,
				dms_asprintf("unmaps of mappings that were not seen: older than "
					     "the trace, or lost"));
}

/* The model said of each such life that its unmap may have been skipped; here once a device. */
static struct dms_error *note_elided(struct dms_run *run, uint32_t index,
				     const struct dms_device_stats *stats)
{
	uint64_t count = stats->counters[DMS_COUNT_MAYBE_ELIDED];

	if (!count)
		return NULL;
	return dms_run_add_note(
		run, "leak-at-unbind", index,
		dms_asprintf("%" PRIu64 " mapping%s never unmapped: without an IOMMU a driver "
			     "may skip unmaps (dma_need_unmap()), leaks cannot be judged",
			     count, count == 1 ? " was" : "s were"));
}

static struct dms_error *note_lost_ends(struct dms_run *run, uint32_t index,
					const struct dms_device_stats *stats)
{
	uint64_t count = stats->counters[DMS_COUNT_ENDED_LOST];

	if (!count)
		return NULL;
	return dms_run_add_note(run, "leak-at-unbind", index,
				dms_asprintf("%" PRIu64
					     " mapping%s ended without a recorded unmap: %s "
					     "handed out again",
					     count, count == 1 ? "" : "s",
					     count == 1 ? "its address was"
							: "their addresses were"));
}

static struct dms_error *(*const run_notes[])(struct dms_run *run) = {
	note_sources, note_clock_of_texts, note_unread_log, dms_run_note_symbols,
	dms_run_note_halves, note_losses, note_damage, note_malformed, note_clock,
	note_stand_ins, note_uncovered, note_unnamed, note_syncs, note_inputs, note_idle,
	note_orphans,
	dms_run_note_findings,
};

static struct dms_error *note_device_syncs(struct dms_run *run, uint32_t index,
					   const struct dms_device_stats *stats)
{
	uint64_t n_maps = stats->counters[DMS_COUNT_MAPS];

	if (!n_maps || has_syncs(run, index) || !run->has_syncs)
		return NULL; /* none at all is told once, of the run */
	return dms_run_add_note(run, "sync-missing", index,
				dms_asprintf("no dma_sync_* event of this device: %s", no_syncs));
}

/* What is known of other devices, but not of this one. */
static struct dms_error *note_limits(struct dms_run *run, uint32_t index,
				     const struct dms_device_stats *stats)
{
	const struct dms_device *device = dms_model_device(run->model, index);
	const struct {
		const char *rule;
		uint32_t input;
		bool is_known;
		const char *what;
	} rows[] = {
		{"map-exceeds-mask", DMS_INPUT_MASKS, device->dma_mask || device->coherent_mask,
		 "DMA mask"},
		{"sg-segment-too-long", DMS_INPUT_LIMITS, device->max_segment_bytes,
		 "longest segment"},
		{"sg-segment-boundary", DMS_INPUT_LIMITS, device->segment_boundary,
		 "segment boundary"},
	};

	if (!stats->counters[DMS_COUNT_MAPS])
		return NULL;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		struct dms_error *err;

		if (rows[i].is_known || !(run->inputs & rows[i].input))
			continue;
		err = dms_run_add_note(run, rows[i].rule, index,
				       dms_asprintf("the device's %s is not known", rows[i].what));
		if (err)
			return err;
	}
	return NULL;
}

static struct dms_error *note_filtered(struct dms_run *run, uint32_t index,
				       const struct dms_device_stats *stats)
{
	bool has_losses = n_losses(run) || lost_by_stats(run);

	if (!stats->counters[DMS_COUNT_MAPS] || !dms_model_lacks_calls(run->model, index))
		return NULL;
	/* what was lost may be all there is to it: who filtered, too, knows */
	return dms_run_add_note(run, NULL, index,
				dms_asprintf("maps or unmaps are missing here and there, as %s leave%s "
					     "them: what is found of pairs is only possible",
					     has_losses ? "lost events"
							: "a filter of CPUs, tasks or events",
					     has_losses ? "" : "s"));
}

static struct dms_error *(*const device_notes[])(struct dms_run *run, uint32_t index,
						 const struct dms_device_stats *stats) = {
	note_filtered,
	note_pre_trace,
	note_elided,
	note_lost_ends,
	note_device_syncs,
	note_limits,
};

struct dms_error *dms_run_note_all(struct dms_run *run)
{
	struct dms_error *err;

	run->has_syncs = has_any_syncs(run); /* once: each device asks */
	for (size_t i = 0; i < DMS_ARRAY_SIZE(run_notes); i++) {
		if ((err = run_notes[i](run)))
			return err;
	}
	for (uint32_t device = 0; device < dms_model_n_devices(run->model); device++) {
		const struct dms_device_stats *stats = dms_stats_device(run->stats, device);

		for (size_t i = 0; stats && i < DMS_ARRAY_SIZE(device_notes); i++) {
			if ((err = device_notes[i](run, device, stats)))
				return err;
		}
	}
	return NULL;
}

/* ---- nothing found --------------------------------------------------------------------------- */

#define MAX_LISTED 8

struct dms_error *dms_run_nothing_found(const struct dms_run *run)
{
	struct dms_tracepoint_count count;
	char listed[512] = "";
	bool has_formats = false;
	size_t used = 0, n_listed = 0;
	struct dms_source *source = dms_merge_source(run->merge, 0);
	const struct dms_source_info *info = dms_source_info(source);
	const char *damage = NULL;

	dms_source_damage(source, &damage);
	for (uint32_t i = 0; i < run->n_files; i++) {
		for (uint32_t j = 0; j < dms_decoder_n_tracepoints(run->decoders[i]); j++) {
			dms_decoder_count(run->decoders[i], j, &count);
			has_formats |= count.decoded;
			if (!count.records || n_listed > MAX_LISTED || used >= sizeof(listed))
				continue;
			used += (size_t)snprintf(listed + used, sizeof(listed) - used,
						 n_listed == MAX_LISTED ? ", ..." : "%s%s:%s",
						 n_listed ? ", " : "", count.system, count.name);
			n_listed++;
		}
	}
	return dms_error_new(
		DMS_ERROR_INPUT, "%s: no dma events in it%s (%s%s)%s%s; record them with `%s`",
		info->path, has_formats ? ", though they were enabled" : "",
		n_listed ? "it has " : "it has no events at all", listed, damage ? "; " : "",
		damage ? damage : "",
		strncmp(info->format, "perf.data", 9)
			? "trace-cmd record -e dma -e swiotlb -e iommu -T ..."
			: "perf record -a -g -e 'dma:*' -e 'swiotlb:*' -e 'iommu:*' -k mono ...");
}

// SPDX-License-Identifier: LGPL-2.1-only
/* The end of a run: what the database is told once, and the figures of the summary. */
#include <stdio.h>
#include <string.h>

#include "digest.h"
#include "run.h"

static const struct dms_source_info *first_info(const struct dms_run *run)
{
	return dms_source_info(dms_merge_source(run->merge, 0));
}

#define RELEASE offsetof(struct dms_source_info, release)
#define UNAME	offsetof(struct dms_source_info, uname)

/* The files are of one machine: what the first does not tell, a later one may. NULL: none does. */
static const char *first_told(const struct dms_run *run, size_t offset)
{
	const char *text = NULL;

	for (uint32_t i = 0; i < run->n_files && !text; i++) {
		const void *info = dms_source_info(dms_merge_source(run->merge, i));

		text = *(const char *const *)((const char *)info + offset);
	}
	return text;
}

static uint64_t count_malformed(const struct dms_run *run)
{
	struct dms_tracepoint_count count;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < run->n_files; i++) {
		for (uint32_t j = 0; j < dms_decoder_n_tracepoints(run->decoders[i]); j++) {
			dms_decoder_count(run->decoders[i], j, &count);
			sum += count.malformed;
		}
	}
	return sum;
}

/* ---- devices --------------------------------------------------------------------------------- */

static uint64_t mask_of(const struct dms_inventory_device *device)
{
	return device->dma_mask_bits ? UINT64_MAX >> (64 - device->dma_mask_bits) : 0;
}

/* The device's driver as its stacks tell it, kept in the arena; *@ret NULL: they do not. */
static struct dms_error *driver_of_stacks(const struct dms_run *run, uint32_t index,
					  const char **ret)
{
	const struct dms_device_stats *stats = dms_stats_device(run->stats, index);
	_cleanup_(dms_freep) char *driver = NULL;
	struct dms_error *err;
	char *copy;

	if (!run->symbols || !stats)
		return NULL;
	err = dms_driver_of_stacks(run->symbols, run->names.stacks, stats->map_stacks,
				   stats->n_map_stacks, &driver);
	if (err || !driver)
		return err;
	copy = dms_arena_alloc(run->arena, strlen(driver) + 1);
	if (!copy)
		return &dms_error_nomem;
	*ret = strcpy(copy, driver);
	return NULL;
}

/* What an inventory says stands; stacks tell the drivers of devices that are in none. */
static struct dms_error *identify_devices(struct dms_run *run)
{
	uint32_t n_devices = dms_model_n_devices(run->model);
	struct dms_error *err = NULL;

	run->device_facts = dms_arena_alloc(run->arena, n_devices * sizeof(*run->device_facts));
	if (!run->device_facts)
		return &dms_error_nomem;
	for (uint32_t i = 0; i < n_devices && !err; i++) {
		const char *name =
			dms_strtab_get(run->names.devices, dms_model_device(run->model, i)->name);
		const struct dms_inventory_device *told = dms_inventory_find(run->inventory, name);

		run->device_facts[i].iommu_group = -1;
		if (told)
			run->device_facts[i] = (struct dms_device_facts){
				.bus = told->bus,
				.driver = told->driver,
				.dma_mask = mask_of(told),
				.iommu_group = told->iommu_group,
			};
		else
			err = driver_of_stacks(run, i, &run->device_facts[i].driver);
		/* a device of a dump need not have an event */
		if (run->first_ts != UINT64_MAX)
			run->device_facts[i].since_ts = run->first_ts;
	}
	return err;
}

/* ---- database -------------------------------------------------------------------------------- */

/* Call stacks are no event, which is what decoders count, but used all the same. */
static bool is_used_stack(const struct dms_run *run, const struct dms_tracepoint_count *count)
{
	return count->records && run->names.stacks && dms_stacks_count(run->names.stacks) &&
	       !strcmp(count->system, "ftrace") && !strcmp(count->name, "kernel_stack");
}

static struct dms_error *store_file(struct dms_run *run, uint32_t file)
{
	struct dms_source *source = dms_merge_source(run->merge, file);
	const struct dms_source_info *info = dms_source_info(source);
	struct dms_tracepoint_count count;
	struct dms_error *err;
	char hash[DMS_HASH_TEXT];

	err = run->digest ? dms_digest_get(run->digest, file, hash) : dms_source_hash(source, hash);
	if (err ||
	    (err = dms_store_input(run->store, file, info, hash[0] ? hash : NULL)))
		return err;
	for (uint32_t i = 0; i < info->n_instances; i++) {
		if ((err = dms_store_instance(run->store, file, run->first_instance[file] + i,
					      info->instances[i])))
			return err;
	}
	for (uint32_t i = 0; i < dms_decoder_n_tracepoints(run->decoders[file]); i++) {
		dms_decoder_count(run->decoders[file], i, &count);
		count.decoded |= is_used_stack(run, &count);
		if ((err = dms_store_tracepoint(run->store, file, &count)))
			return err;
	}
	return NULL;
}

static struct dms_error *store_devices(struct dms_run *run)
{
	struct dms_error *err = NULL;

	for (uint32_t i = 0; i < dms_model_n_devices(run->model) && !err; i++)
		err = dms_store_device(run->store, &run->names, dms_model_device(run->model, i),
				       &run->device_facts[i], dms_stats_device(run->stats, i));
	return err;
}

static struct dms_error *store_sites(struct dms_run *run)
{
	for (uint32_t i = 0; i < dms_model_n_sites(run->model); i++) {
		struct dms_error *err = dms_store_site(run->store, (uint64_t)i + 1,
						       dms_model_site(run->model, i));

		if (err)
			return err;
	}
	return NULL;
}

static struct dms_error *store_stacks(struct dms_run *run)
{
	return run->symbols ? dms_store_stacks(run->store, run->names.stacks, run->symbols) : NULL;
}

/* What may have many rows; which stacks findings name is known when they are stored. */
static struct dms_error *store_many(struct dms_run *run)
{
	for (uint32_t i = 0; i < dms_model_n_devices(run->model); i++) {
		const struct dms_device *device = dms_model_device(run->model, i);
		struct dms_error *err = dms_store_series(run->store, device, run->series);

		if (!err)
			err = dms_store_histograms(run->store, device,
						   dms_stats_device(run->stats, i));
		if (err)
			return err;
	}
	struct dms_error *err = store_sites(run);

	return err || run->figures_only ? err : store_stacks(run);
}

static struct dms_error *store_findings_and_stacks(struct dms_run *run)
{
	struct dms_error *err = dms_run_store_findings(run);

	return err || !run->figures_only ? err : store_stacks(run);
}

struct dms_error *dms_run_comm(struct dms_run *run, uint32_t pid, const char **ret)
{
	*ret = pid ? NULL : "<idle>"; /* of every CPU, and in no list of tasks */
	for (uint32_t i = 0; !*ret && i < run->n_files; i++) {
		struct dms_source *source = dms_merge_source(run->merge, i);

		*ret = dms_source_comm(source, pid);
		if (!dms_source_comms_are_whole(source))
			return &dms_error_nomem;
	}
	return NULL;
}

static struct dms_error *store_tasks(struct dms_run *run)
{
	for (uint32_t word = 0; word < DMS_RUN_PID_LIMIT / 64; word++) {
		for (uint64_t bits = run->task_bits[word]; bits; bits &= bits - 1) {
			uint32_t pid = word * 64 + (uint32_t)__builtin_ctzll(bits);
			const char *comm;
			struct dms_error *err = dms_run_comm(run, pid, &comm);

			if (!err && comm)
				err = dms_store_task(run->store, pid, comm);
			if (err)
				return err;
		}
	}
	return NULL;
}

static struct dms_error *store_notes(struct dms_run *run)
{
	for (size_t i = 0; i < run->notes.n_notes; i++) {
		const struct dms_note *note = &run->notes.notes[i];
		struct dms_error *err;

		err = dms_store_not_judged(run->store, note->rule, run->notes.devices[i],
					   note->reason);
		if (err)
			return err;
	}
	return NULL;
}

/* A total in table run: NULL if it could be counted on no device. */
static struct dms_error *store_total(struct dms_run *run, enum dms_counter counter)
{
	bool is_known = false;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < dms_model_n_devices(run->model); i++) {
		const struct dms_device_stats *stats = dms_stats_device(run->stats, i);

		if (!stats || !dms_stats_knows(stats, counter))
			continue;
		is_known = true;
		sum += stats->counters[counter];
	}
	if (!is_known)
		return dms_store_run(run->store, dms_counter_name(counter), NULL);
	return dms_store_run_u64(run->store, dms_counter_name(counter), sum);
}

/* The counters of the 2012 proposal, of all devices. */
static struct dms_error *store_totals(struct dms_run *run)
{
	static const enum dms_counter totals[] = {
		DMS_COUNT_MAP_ERRORS, DMS_COUNT_ERRORS_UNCHECKED, DMS_COUNT_UNMAP_ERRORS};
	struct dms_error *err = NULL;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(totals) && !err; i++)
		err = store_total(run, totals[i]);
	return err;
}

/* Of the coarsest file. */
static uint32_t time_resolution_ns(const struct dms_run *run)
{
	uint32_t coarsest = 1;

	for (uint32_t i = 0; i < run->n_files; i++) {
		uint32_t ns = dms_source_info(dms_merge_source(run->merge, i))->resolution_ns;

		if (ns > coarsest)
			coarsest = ns;
	}
	return coarsest;
}

static struct dms_error *store_rules_off(struct dms_run *run)
{
	_cleanup_(dms_freep) char *ids = dms_run_rules_off(run);

	return ids ? dms_store_run(run->store, "rules_off", ids) : &dms_error_nomem;
}

/* What --since leaves out is in no counter. */
static uint64_t counted_from(const struct dms_run *run)
{
	return run->since_ts > run->first_ts ? run->since_ts : run->first_ts;
}

static uint64_t counted_to(const struct dms_run *run)
{
	return run->last_ts > counted_from(run) ? run->last_ts : counted_from(run);
}

/* Of so many devices nothing sure can be said: the recording has not all of their calls. */
static uint64_t n_filtered(const struct dms_run *run)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < dms_model_n_devices(run->model); i++) {
		const struct dms_device_stats *stats = dms_stats_device(run->stats, i);

		count += stats && stats->counters[DMS_COUNT_MAPS] &&
			 dms_model_lacks_calls(run->model, i);
	}
	return count;
}

static struct dms_error *store_run(struct dms_run *run)
{
	const struct dms_source_info *info = first_info(run);
	struct dms_uncovered uncovered;
	struct dms_error *err;

	dms_model_uncovered(run->model, &uncovered);
	const struct {
		const char *key, *value;
	} texts[] = {
		{"tool_version", DMS_VERSION},
		{"kernel", first_told(run, RELEASE)},
		{"uname", first_told(run, UNAME)},
		{"clock", info->clock},
		{"recorder", info->tool},
	};
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{"clock_is_ns", run->clock_is_ns},
		{"first_ns", run->first_ts},
		{"last_ns", run->last_ts},
		{"counted_from_ns", counted_from(run)},
		{"counted_to_ns", counted_to(run)},
		{"records", run->records},
		{"events", run->events},
		{"malformed", count_malformed(run)},
		{"gaps", run->gaps},
		{"lost_events", run->lost_events},
		{"mappings_stored", !run->figures_only},
		{"uncovered_iommu_maps", uncovered.iommu_maps},
		{"uncovered_iommu_bytes", uncovered.iommu_bytes},
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(texts); i++) {
		if ((err = dms_store_run(run->store, texts[i].key, texts[i].value)))
			return err;
	}
	for (size_t i = 0; i < DMS_ARRAY_SIZE(numbers); i++) {
		if ((err = dms_store_run_u64(run->store, numbers[i].key, numbers[i].value)))
			return err;
	}
	if (run->clock_gaps &&
	    (err = dms_store_run_u64(run->store, "clock_gaps", run->clock_gaps)))
		return err;
	if (n_filtered(run) &&
	    (err = dms_store_run_u64(run->store, "filtered_devices", n_filtered(run))))
		return err;
	if (time_resolution_ns(run) > 1 &&
	    (err = dms_store_run_u64(run->store, "time_resolution_ns", time_resolution_ns(run))))
		return err;
	return store_rules_off(run);
}

struct dms_error *dms_run_finish(struct dms_run *run)
{
	struct dms_error *err;

	if ((err = dms_run_load_symbols(run)) || (err = identify_devices(run)) ||
	    (err = dms_run_filter_check(run)))
		return err;
	dms_run_doubt_findings(run);
	dms_run_filter_findings(run);
	if ((err = dms_run_groups_settle(run)) || (err = dms_run_note_all(run)) || !run->store)
		return err;
	if ((err = store_many(run)))
		return err;
	for (uint32_t i = 0; i < run->n_files; i++) {
		if ((err = store_file(run, i)))
			return err;
	}
	if ((err = store_run(run)) || (err = store_totals(run)) || (err = store_devices(run)) ||
	    (err = store_findings_and_stacks(run)) ||
	    (err = store_tasks(run)) || (err = store_notes(run)))
		return err;
	return dms_store_finish(run->store);
}

/* ---- summary --------------------------------------------------------------------------------- */

static void summarise_device(const struct dms_run *run, uint32_t index,
			     struct dms_device_summary *ret)
{
	const struct dms_device *device = dms_model_device(run->model, index);
	const struct dms_device_stats *stats = dms_stats_device(run->stats, index);
	const struct dms_histogram *lifetime =
		stats ? stats->histograms[DMS_DIST_LIFETIME] : NULL;
	bool has_lifetime = lifetime && lifetime->count && run->clock_is_ns;

	*ret = (struct dms_device_summary){
		.name = dms_strtab_get(run->names.devices, device->name),
		.generation = device->generation,
		.address_mode = dms_address_mode_name(device->mode),
		.driver = run->device_facts[index].driver,
		.lifetime_p50_ns =
			has_lifetime ? dms_histogram_quantile(lifetime, 500) : UINT64_MAX,
		.lifetime_p99_ns =
			has_lifetime ? dms_histogram_quantile(lifetime, 990) : UINT64_MAX,
		.lifetime_max_ns = has_lifetime ? lifetime->max : UINT64_MAX,
		.peak_live_bytes_ts = UINT64_MAX,
	};
	if (!stats)
		return;
	ret->maps = stats->counters[DMS_COUNT_MAPS] + stats->counters[DMS_COUNT_ALLOCS];
	ret->unmaps = stats->counters[DMS_COUNT_UNMAPS] + stats->counters[DMS_COUNT_FREES];
	ret->syncs = stats->counters[DMS_COUNT_SYNCS_FOR_CPU] +
		     stats->counters[DMS_COUNT_SYNCS_FOR_DEVICE];
	ret->live_at_end = stats->counters[DMS_COUNT_LIVE_AT_END];
	ret->live_bytes_at_end = stats->counters[DMS_COUNT_LIVE_BYTES_AT_END];
	ret->maybe_elided = stats->counters[DMS_COUNT_MAYBE_ELIDED];
	ret->failed = stats->counters[DMS_COUNT_MAP_ERRORS];
	ret->pre_trace = stats->counters[DMS_COUNT_PRE_TRACE];
	ret->bytes_to_device = stats->counters[DMS_COUNT_BYTES_TO_DEVICE];
	ret->bytes_from_device = stats->counters[DMS_COUNT_BYTES_FROM_DEVICE];
	ret->bytes_bidirectional = stats->counters[DMS_COUNT_BYTES_BIDIRECTIONAL];
	ret->bytes_allocated = stats->counters[DMS_COUNT_BYTES_ALLOCATED];
	ret->peak_live = stats->peak_live;
	ret->peak_live_bytes = stats->peak_live_bytes;
	if (stats->peak_live)
		ret->peak_live_bytes_ts = stats->peak_live_bytes_ts > run->first_ts
						  ? stats->peak_live_bytes_ts
						  : run->first_ts;
	ret->bounces = stats->counters[DMS_COUNT_BOUNCES];
	ret->bounced_bytes = stats->counters[DMS_COUNT_BOUNCED_BYTES];
}

struct dms_error *dms_run_summarise(struct dms_run *run, struct dms_summary *ret)
{
	const struct dms_source_info *info = first_info(run);
	uint32_t n_devices = dms_model_n_devices(run->model), n_told = 0;

	run->device_summaries = dms_arena_alloc(run->arena, n_devices * sizeof(*ret->devices));
	run->paths = dms_arena_alloc(run->arena, run->n_files * sizeof(*run->paths));
	run->formats = dms_arena_alloc(run->arena, run->n_files * sizeof(*run->formats));
	if (!run->device_summaries || !run->paths || !run->formats)
		return &dms_error_nomem;
	for (uint32_t i = 0; i < n_devices; i++) {
		if (dms_run_tells_device(run, i))
			summarise_device(run, i, &run->device_summaries[n_told++]);
	}
	for (uint32_t i = 0; i < run->n_files; i++) {
		run->paths[i] = dms_source_info(dms_merge_source(run->merge, i))->path;
		run->formats[i] = dms_source_info(dms_merge_source(run->merge, i))->format;
	}
	*ret = (struct dms_summary){
		.inputs = run->paths,
		.formats = run->formats,
		.n_inputs = run->n_files,
		.kernel = first_told(run, RELEASE),
		.clock = info->clock,
		.clock_is_ns = run->clock_is_ns,
		.complete = true,
		.first_ts = run->first_ts,
		.last_ts = run->last_ts,
		.told_from_ts = counted_from(run),
		.told_to_ts = counted_to(run),
		.records = run->records,
		.events = run->events,
		.malformed = count_malformed(run),
		.gaps = run->gaps,
		.clock_gaps = run->clock_gaps,
		.lost_events = run->lost_events,
		.devices = run->device_summaries,
		.n_devices = n_told,
		.notes = run->notes.notes,
		.n_notes = run->notes.n_notes,
	};
	return dms_run_summarise_findings(run, ret);
}

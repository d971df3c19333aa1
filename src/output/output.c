// SPDX-License-Identifier: LGPL-2.1-only
/* Records of any files on their way into one trace.dat: sorted by CPU and kept until it is written. */
#include <inttypes.h>
#include <string.h>

#include "../input/file.h"
#include "../input/tracedat.h"
#include "local.h"

#define MAX_CPUS	  65536u /* as src/input/tracedat_head.c reads */
#define DEFAULT_PAGE_SIZE 4096u

const struct dms_source_info *output_info(const struct dms_output *output)
{
	return dms_source_info(dms_merge_source(output->merge, 0));
}

const char *output_clock(const struct dms_output *output)
{
	return output_info(output)->clock;
}

const struct dms_output_report *dms_output_report(const struct dms_output *output)
{
	return &output->report;
}

/* ---- creating -------------------------------------------------------------------------------- */

static struct dms_error *check_alike(const struct dms_output *output, uint32_t file)
{
	const struct dms_source_info *first = output_info(output);
	const struct dms_source_info *info = dms_source_info(dms_merge_source(output->merge, file));
	const char *clock = first->clock ? first->clock : "local";
	const char *other = info->clock ? info->clock : "local";
	const char *what = NULL;

	if (info->big_endian != first->big_endian)
		what = "another byte order";
	else if (info->long_size != first->long_size)
		what = "longs of another size";
	else if (info->page_size != first->page_size)
		what = "pages of another size";
	else if (file && (info->is_text || first->is_text))
		what = "other symbols: the call stacks of a text are only names";
	if (what)
		return dms_error_new(DMS_ERROR_INPUT, "%s has %s than %s: convert it alone",
				     info->path, what, first->path);
	if (strcmp(clock, other) != 0 || info->clock_is_ns != first->clock_is_ns)
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s: recorded with clock \"%s\", but %s with \"%s\": files of "
				     "one run need one clock",
				     info->path, other, first->path, clock);
	return NULL;
}

static bool is_name_taken(const struct dms_output *output, const char *name)
{
	for (uint32_t i = 0; i < output->n_instances; i++) {
		if (!strcmp(output->instances[i].name, name))
			return true;
	}
	return false;
}

/* Those of later files are called after them: "b.dat", "b.dat/irq". */
static char *name_instance(const struct dms_output *output, uint32_t file, const char *name)
{
	const char *path = dms_source_info(dms_merge_source(output->merge, file))->path;
	const char *slash = strrchr(path, '/');
	char *ret;

	if (!file)
		return dms_strdup(name);
	path = slash ? slash + 1 : path;
	ret = dms_asprintf("%s%s%s", path, *name ? "/" : "", name);
	if (ret && is_name_taken(output, ret)) {
		dms_free(ret);
		ret = dms_asprintf("%s#%" PRIu32 "%s%s", path, file + 1, *name ? "/" : "", name);
	}
	return ret;
}

static struct dms_error *add_instance(struct dms_output *output, uint32_t file, const char *name)
{
	struct output_instance *instance = &output->instances[output->n_instances];

	*instance = (struct output_instance){.file = file};
	instance->name = name_instance(output, file, name);
	if (!instance->name)
		return &dms_error_nomem;
	output->n_instances++;
	return NULL;
}

/* The top buffer comes first in a trace.dat, and there is always one. */
static struct dms_error *add_instances(struct dms_output *output)
{
	const struct dms_source_info *info = output_info(output);
	uint32_t n_files = dms_merge_count(output->merge), n_instances = 1;
	struct dms_error *err;

	for (uint32_t i = 0; i < n_files; i++)
		n_instances += dms_source_info(dms_merge_source(output->merge, i))->n_instances;
	output->instances = dms_zalloc(n_instances * sizeof(*output->instances));
	output->files = dms_zalloc(n_files * sizeof(*output->files));
	if (!output->instances || !output->files)
		return &dms_error_nomem;
	if (!info->n_instances || *info->instances[0]) {
		if ((err = add_instance(output, 0, "")))
			return err;
	}
	for (uint32_t i = 0; i < n_files; i++) {
		info = dms_source_info(dms_merge_source(output->merge, i));
		output->files[i].first_instance = output->n_instances;
		output->files[i].resolution_ns = info->resolution_ns;
		for (uint32_t j = 0; j < info->n_instances; j++) {
			if ((err = add_instance(output, i, info->instances[j])))
				return err;
		}
		if (info->n_cpus > output->n_cpus)
			output->n_cpus = info->n_cpus;
	}
	return NULL;
}

static struct dms_error *create(struct dms_output *output)
{
	const struct dms_source_info *info = output_info(output);
	struct dms_error *err;

	output->pid_bits = dms_zalloc(OUTPUT_PID_LIMIT / 8);
	if (!output->pid_bits)
		return &dms_error_nomem;
	output->shape.long_size = info->long_size == 4 ? 4 : 8;
	output->shape.big_endian = info->big_endian;
	output->swap = info->big_endian != HOST_BIG_ENDIAN;
	output->report.machine_page_size = info->page_size ? info->page_size : DEFAULT_PAGE_SIZE;
	for (uint32_t i = 1; i < dms_merge_count(output->merge); i++) {
		if ((err = check_alike(output, i)))
			return err;
	}
	if ((err = add_instances(output)))
		return err;
	return spill_open(&output->spill, output->options.beside);
}

struct dms_error *dms_output_create(struct dms_merge *merge,
				    const struct dms_output_options *options,
				    struct dms_output **ret)
{
	struct dms_output *output = dms_zalloc(sizeof(*output));
	struct dms_error *err;

	if (!output)
		return &dms_error_nomem;
	output->merge = merge;
	output->options = *options;
	output->spill.fd = -1;
	err = create(output);
	if (err) {
		dms_output_destroy(output);
		return err;
	}
	*ret = output;
	return NULL;
}

void dms_output_destroy(struct dms_output *output)
{
	if (!output)
		return;
	for (uint32_t i = 0; i < output->n_instances; i++) {
		struct output_instance *instance = &output->instances[i];

		for (size_t cpu = 0; cpu < instance->n_logs; cpu++)
			spill_log_deinit(&instance->logs[cpu]);
		dms_free(instance->logs);
		dms_free(instance->name);
	}
	output_formats_deinit(&output->formats);
	spill_close(&output->spill);
	dms_free(output->instances);
	dms_free(output->files);
	dms_free(output->pid_bits);
	dms_free(output);
}

/* ---- taking ---------------------------------------------------------------------------------- */

static struct dms_error *find_log(struct dms_output *output, uint32_t instance, uint32_t cpu,
				  struct spill_log **ret)
{
	struct output_instance *owner = &output->instances[instance];

	if (cpu >= owner->n_logs) {
		if (cpu >= MAX_CPUS)
			return dms_error_new(DMS_ERROR_INPUT,
					     "a record of CPU %" PRIu32 ", expected at most %u", cpu,
					     MAX_CPUS - 1);
		if (!dms_grow(&owner->logs, &owner->capacity, (size_t)cpu + 1, sizeof(*owner->logs)))
			return &dms_error_nomem;
		owner->n_logs = (size_t)cpu + 1;
		if (owner->n_logs > output->n_cpus)
			output->n_cpus = (uint32_t)owner->n_logs;
	}
	*ret = &owner->logs[cpu];
	return NULL;
}

static struct dms_error *append(struct dms_output *output, struct spill_log *log,
				const struct entry *entry, const void *data)
{
	struct dms_error *err = spill_append(&output->spill, log, entry, sizeof(*entry));

	return err ? err : spill_append(&output->spill, log, data, entry->bytes);
}

static void note_record(struct dms_output *output, const void *data, uint64_t bytes)
{
	if (bytes > output->max_bytes)
		output->max_bytes = bytes;
	if (bytes >= OUTPUT_COMMON_BYTES) {
		uint32_t pid = load32((const uint8_t *)data + 4, output->swap);

		if (pid < OUTPUT_PID_LIMIT)
			output->pid_bits[pid / 64] |= 1ull << pid % 64;
	}
}

/* Behind its event, on the same CPU and at the same time, as the kernel would put it. */
static struct dms_error *take_chain(struct dms_output *output, struct spill_log *log,
				    const struct dms_record *record, uint64_t ts)
{
	const struct entry entry = {ts, OUTPUT_COMMON_BYTES + 8 * record->n_chain, ENTRY_STACK};
	uint8_t common[OUTPUT_COMMON_BYTES] = {0};
	uint64_t bytes = 64 + (uint64_t)record->n_chain * 8; /* wherever the addresses begin */
	struct dms_error *err;

	memcpy(common, record->data,
	       record->size < sizeof(common) ? record->size : sizeof(common));
	if (bytes > output->max_bytes)
		output->max_bytes = bytes;
	output->has_stacks = true;
	output->report.stacks++;
	if ((err = spill_append(&output->spill, log, &entry, sizeof(entry))) ||
	    (err = spill_append(&output->spill, log, common, sizeof(common))))
		return err;
	return spill_append(&output->spill, log, record->chain, 8 * (size_t)record->n_chain);
}

/*
 * A text gives microseconds, and the order of its lines. Readers of a trace.dat order the CPUs by
 * time alone: of events of one microsecond, each change of the CPU takes a nanosecond.
 */
static uint64_t time_of(struct output_file *file, const struct dms_record *record, uint64_t log)
{
	uint64_t ts = record->ts;

	if (file->resolution_ns <= 1)
		return ts;
	if (ts <= file->last_ts && file->last_ts - ts < file->resolution_ns - 1)
		ts = file->last_ts + (log != file->last_log);
	file->last_ts = ts;
	file->last_log = log;
	return ts;
}

static struct dms_error *take_record(struct dms_output *output, struct output_file *file,
				     const struct dms_record *record)
{
	uint32_t instance = file->first_instance + record->instance;
	struct entry entry = {.bytes = record->size, .kind = ENTRY_EVENT};
	struct spill_log *log;
	struct dms_error *err;

	if ((err = find_log(output, instance, record->cpu, &log)))
		return err;
	entry.ts = time_of(file, record, (uint64_t)instance << 32 | record->cpu);
	output->report.records++;
	note_record(output, record->data, record->size);
	if ((err = append(output, log, &entry, record->data)) || !record->n_chain)
		return err;
	return take_chain(output, log, record, entry.ts);
}

static struct dms_error *take_gap(struct dms_output *output, uint32_t instance,
				  const struct dms_gap *gap)
{
	const struct entry entry = {.ts = gap->lost, .kind = ENTRY_GAP};
	struct spill_log *log;
	struct dms_error *err;

	if (gap->cpu >= MAX_CPUS) {
		output->report.gaps_dropped++;
		return NULL;
	}
	if ((err = find_log(output, instance, gap->cpu, &log)))
		return err;
	output->report.gaps++;
	return append(output, log, &entry, NULL);
}

struct dms_error *dms_output_item(struct dms_output *output, const struct dms_item *item)
{
	struct output_file *file = &output->files[item->file];

	if (item->kind == DMS_ITEM_RECORD)
		return take_record(output, file, &item->record);
	if (item->kind == DMS_ITEM_GAP)
		return take_gap(output, file->first_instance + item->gap.instance, &item->gap);
	return NULL;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Version 6 cannot tell a machine's pages from those of its buffers: 7 is for large records. */
static struct dms_error *choose_shape(struct dms_output *output)
{
	uint32_t machine = output->report.machine_page_size;
	uint32_t page_size = ring_page_size(machine, output->shape.long_size, output->max_bytes);

	if (!page_size)
		return dms_error_new(DMS_ERROR_INPUT,
				     "a record of %" PRIu64 " bytes: more than a trace.dat can hold",
				     output->max_bytes);
	output->shape.page_size = output->report.page_size = page_size;
	output->report.version = output->options.version;
	if (!output->options.version)
		output->report.version = page_size == machine ? 6 : 7;
	return NULL;
}

struct dms_error *dms_output_write(struct dms_output *output, FILE *out)
{
	struct container container = {.output = output, .out = out};
	struct dms_error *err;

	if ((err = choose_shape(output)) ||
	    (err = output_formats_init(&output->formats, output->merge, output->has_stacks)))
		return err;
	return output->report.version == 6 ? container_write_v6(&container)
					   : container_write_v7(&container);
}

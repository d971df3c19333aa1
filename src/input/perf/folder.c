// SPDX-License-Identifier: LGPL-2.1-only
/*
 * A folder of perf record --threads: "data" with the head, "data.0" and so on with the records of
 * each thread and no head. Each file is a source of its own, and those are merged.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reader.h"

#define MAX_PARTS 4096u /* threads: as many as CPUs, if not fewer */

/* ---- one file of it ---------------------------------------------------------------------------- */

static void part_close(struct dms_source *common)
{
	struct perf_source *part = (struct perf_source *)common;

	perf_source_deinit(part);
	file_close(&part->head.file);
	dms_free(part);
}

static const struct source_ops part_ops = {.next = perf_next, .close = part_close};

/* Takes @file. What its records need of the head is lent by @top, which lives longer. */
static struct dms_error *part_create(struct perf_source *top, struct file *file, bool is_head,
				     struct dms_source **ret)
{
	struct perf_source *part = dms_zalloc(sizeof(*part));

	if (!part) {
		file_close(file);
		return &dms_error_nomem;
	}
	part->common.ops = &part_ops;
	part->top = top;
	part->head = top->head;
	part->head.file = *file;
	part->has_still_clock = true; /* the note would be one of a part */
	if (!is_head) {
		part->head.data_offset = 0;
		part->head.data_end = file->size;
		part->head.missing_bytes = 0;
	}
	*ret = &part->common;
	return perf_reader_open(&part->reader, &part->head);
}

/* File @number beside @head, or the same file once more; *@ret stays NULL if there is none. */
static struct dms_error *part_open(struct perf_source *top, const char *suffix,
				   struct dms_source **ret)
{
	struct file file = {.path = dms_asprintf("%s%s", top->head.file.path, suffix), .fd = -1};
	struct dms_error *err = NULL;
	struct stat status;

	if (!file.path)
		return &dms_error_nomem;
	file.fd = *suffix ? open(file.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
			  : fcntl(top->head.file.fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (file.fd < 0 || fstat(file.fd, &status)) {
		if (!*suffix || errno != ENOENT)
			err = dms_error_errno(DMS_ERROR_INPUT, errno, "%s", file.path);
	} else if (!S_ISREG(status.st_mode)) {
		err = dms_error_new(DMS_ERROR_INPUT,
				    "%s: is no regular file, expected records of perf record "
				    "--threads",
				    file.path);
	} else {
		file.size = (uint64_t)status.st_size;
		return part_create(top, &file, !*suffix, ret);
	}
	file_close(&file);
	return err;
}

/* ---- all of them ------------------------------------------------------------------------------- */

struct dms_error *perf_folder_open(struct perf_source *top)
{
	struct dms_source **parts = dms_zalloc((MAX_PARTS + 1) * sizeof(struct dms_source *));
	struct dms_error *err = parts ? part_open(top, "", &parts[0]) : &dms_error_nomem;
	uint32_t n_parts = 0;
	char suffix[16];

	while (!err && parts[n_parts]) {
		snprintf(suffix, sizeof(suffix), ".%" PRIu32, n_parts++);
		if (n_parts <= MAX_PARTS)
			err = part_open(top, suffix, &parts[n_parts]);
	}
	if (!err && n_parts < 2)
		err = dms_error_new(DMS_ERROR_INPUT,
				    "%s: is the head of a folder that perf record --threads wrote, "
				    "expected data.0 and so on beside it: give the whole folder",
				    top->head.file.path);
	if (!err && !(top->parts = dms_merge_create(parts, n_parts)))
		err = &dms_error_nomem;
	for (uint32_t i = 0; err && parts && i <= n_parts; i++)
		dms_source_close(parts[i]);
	for (uint32_t i = 0; !err && i < n_parts; i++)
		((struct perf_source *)parts[i])->max_waiting_bytes = PERF_WAITING_BYTES / n_parts;
	dms_free(parts);
	return err;
}

static struct perf_source *part_at(const struct perf_source *top, uint32_t index)
{
	return (struct perf_source *)dms_merge_source(top->parts, index);
}

/* The counters of losses stand in "data", the LOST records where their CPUs are: sums compare. */
static struct dms_error *give_end(struct perf_source *top, struct dms_item *ret)
{
	struct dms_gap gap = {.after_ts = top->given_ts, .before_ts = UINT64_MAX};
	uint64_t n_marked = 0, n_by_stats = 0;

	if (top->is_ended)
		return NULL;
	top->is_ended = true;
	for (uint32_t i = 0; i < dms_merge_count(top->parts); i++) {
		const struct perf_source *part = part_at(top, i);

		n_by_stats += part->n_stats_anywhere;
		for (uint32_t cpu = 0; cpu < part->n_cpus; cpu++) {
			n_marked += part->cpus[cpu].n_marked;
			n_by_stats += part->cpus[cpu].n_by_stats;
		}
	}
	if (n_by_stats <= n_marked)
		return NULL;
	gap.lost = n_by_stats - n_marked;
	ret->kind = DMS_ITEM_GAP;
	ret->gap = gap;
	return NULL;
}

static struct dms_error *folder_next(struct dms_source *common, struct dms_item *ret)
{
	struct perf_source *top = (struct perf_source *)common;
	struct dms_error *err;

	/* what the head alone shows waits here: gaps over all */
	if (!top->has_begun && (err = perf_next_waiting(top, ret)))
		return err;
	if (!top->has_begun && ret->kind != DMS_ITEM_END)
		return NULL;
	top->has_begun = true;
	if ((err = dms_merge_next(top->parts, ret)))
		return err;
	ret->file = 0;
	if (ret->kind == DMS_ITEM_RECORD)
		top->given_ts = ret->record.ts;
	return ret->kind == DMS_ITEM_END ? give_end(top, ret) : NULL;
}

static void folder_progress(const struct dms_source *common, uint64_t *ret_done,
			    uint64_t *ret_total)
{
	const struct perf_source *top = (const struct perf_source *)common;

	*ret_done = *ret_total = 0;
	for (uint32_t i = 0; i < dms_merge_count(top->parts); i++) {
		const struct perf_reader *reader = &part_at(top, i)->reader;

		*ret_total += reader->end - reader->head->data_offset;
		*ret_done += reader->position - reader->head->data_offset;
	}
}

static uint64_t folder_damage(const struct dms_source *common, const char **ret_first)
{
	const struct perf_source *top = (const struct perf_source *)common;
	uint64_t n_damaged = 0;

	*ret_first = NULL;
	for (uint32_t i = 0; i < dms_merge_count(top->parts); i++) {
		const struct perf_reader *reader = &part_at(top, i)->reader;

		if (!*ret_first)
			*ret_first = reader->first_damage;
		n_damaged += reader->n_damaged;
	}
	return n_damaged;
}

static void folder_close(struct dms_source *common)
{
	dms_merge_destroy(((struct perf_source *)common)->parts);
	perf_ops.close(common);
}

const struct source_ops perf_folder_ops = {
	.next = folder_next,
	.kallsyms = perf_kallsyms,
	.progress = folder_progress,
	.damage = folder_damage,
	.close = folder_close,
};

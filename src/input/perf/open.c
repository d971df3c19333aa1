// SPDX-License-Identifier: LGPL-2.1-only
/* Opening a perf.data: what it says of itself, and what the way it was recorded hides. */
#include <stdio.h>

#include "reader.h"

/* By the names ftrace has for the same clocks. perf's default one is local_clock(). */
static const char *clock_name(const struct perf_head *head)
{
	static const struct {
		int32_t clockid;
		const char *name;
	} rows[] = {
		{0, "realtime"}, {1, "mono"}, {4, "mono_raw"}, {7, "boot"}, {11, "tai"},
	};

	if (!head->attrs[0].has_clockid)
		return "perf";
	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		if (rows[i].clockid == head->attrs[0].clockid)
			return rows[i].name;
	}
	return "unknown";
}

static void fill_info(struct perf_source *source)
{
	static const char *const instances[] = {""};
	const struct perf_head *head = &source->head;

	snprintf(source->format, sizeof(source->format), "perf.data%s%s%s",
		 head->is_pipe ? " (pipe)" : "", head->is_folder ? " (folder)" : "",
		 head->is_compressed ? " (zstd)" : "");
	snprintf(source->tool, sizeof(source->tool), "perf %.50s",
		 head->version ? head->version : "");
	source->common.info = (struct dms_source_info){
		.path = head->file.path,
		.format = source->format,
		.release = head->release,
		.clock = clock_name(head),
		.tool = head->version ? source->tool : "perf",
		.instances = instances,
		.n_instances = 1,
		.n_cpus = head->n_cpus ? head->n_cpus : 1,
		.page_size = head->page_size,
		.long_size = head->long_size,
		.big_endian = head->big_endian,
		.clock_is_ns = true,
		.notes = head->notes,
		.n_notes = (uint32_t)head->n_notes,
		.file_size = head->file.size,
		.missing_bytes = head->missing_bytes,
		.missing_offset = head->missing_bytes ? head->file.size : 0,
	};
	source->common.formats = head->formats;
	source->common.n_formats = (uint32_t)head->n_formats;
}

/*
 * One of the files of --switch-output is named by the time: "perf.data.2026112110162526". perf of
 * 6.12 to 7.2 forgets its own command line, where the option would be seen.
 */
static bool is_named_by_time(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && strlen(dot + 1) == 16 && strspn(dot + 1, "0123456789") == 16;
}

static struct dms_error *note_cpus(struct perf_source *source)
{
	static const struct dms_gap everywhere = {.before_ts = UINT64_MAX};
	struct perf_head *head = &source->head;
	uint32_t n_open = perf_head_n_open_cpus(head);
	struct dms_error *err;

	if (!n_open || n_open >= head->n_online)
		return NULL;
	err = perf_head_note(head, dms_asprintf("only %u of %u CPUs were recorded: what others "
						"mapped and unmapped is not in it (record without "
						"-C)",
						n_open, head->n_online));
	return err ? err : perf_source_add_gap(source, &everywhere);
}

/* Sentences on what the way it was recorded hides; a gap over all where events are missing. */
static struct dms_error *note_manner(struct perf_source *source)
{
	static const struct dms_gap everywhere = {.before_ts = UINT64_MAX};
	struct perf_head *head = &source->head;
	bool is_sampled = false, lacks_cpu = false;
	struct dms_error *err = NULL;

	head->is_switched |= is_named_by_time(head->file.path);
	for (size_t i = 0; i < head->n_attrs; i++) {
		const struct perf_attr *attr = &head->attrs[i];

		if (!attr->is_tracepoint)
			continue;
		is_sampled |= attr->is_sampled;
		lacks_cpu |= !attr->layout.cpu;
		if (!head->has_threads) /* a perf of before 4.4 */
			head->is_partial |= attr->is_on_exec || !attr->layout.cpu;
	}
	if (head->is_partial &&
	    !(err = perf_head_note(head, dms_strdup("only some tasks were recorded: what others "
						    "and interrupts mapped and unmapped is not "
						    "in it (record the whole system: -a)"))))
		err = perf_source_add_gap(source, &everywhere);
	if (!err && is_sampled &&
	    !(err = perf_head_note(head, dms_strdup("events were sampled, not all recorded "
						    "(record without -F and -c)"))))
		err = perf_source_add_gap(source, &everywhere);
	if (!err)
		err = note_cpus(source);
	if (!err && head->is_switched)
		err = perf_head_note(
			head, dms_strdup("it is one of the files of perf record --switch-output, "
					 "which stops and begins on one CPU after the other: what "
					 "is found in these moments is doubtful"));
	if (!err && lacks_cpu)
		err = perf_head_note(head, dms_strdup("samples do not tell their CPU"));
	return err;
}

/* The names the tracer had saved come first: those perf saw change replace them. */
static struct dms_error *seed_comms(struct perf_source *source)
{
	const char *text = source->head.cmdlines;
	size_t bytes = text ? strlen(text) : 0;

	if (!bytes)
		return NULL;
	if (!dms_grow(&source->comms.text, &source->comms.text_capacity, bytes + 2, 1))
		return &dms_error_nomem;
	memcpy(source->comms.text, text, bytes);
	if (text[bytes - 1] != '\n')
		source->comms.text[bytes++] = '\n';
	source->comms.n_text = bytes;
	source->common.cmdlines = source->comms.text;
	source->was_told = true;
	return NULL;
}

static struct dms_error *open_parts(struct perf_source *source, struct file *file,
				    const struct dms_source_options *options)
{
	struct dms_error *err;

	if ((err = perf_head_open(file, &source->head)) ||
	    (err = perf_formats_complete(&source->head, options)) || (err = note_manner(source)) ||
	    (err = seed_comms(source)))
		return err;
	fill_info(source);
	if ((err = perf_reader_open(&source->reader, &source->head)) || !source->head.is_folder)
		return err;
	if ((err = perf_folder_open(source)))
		return err;
	source->common.ops = &perf_folder_ops;
	return NULL;
}

struct dms_error *perf_source_open(struct file *file, const struct dms_source_options *options,
				   struct dms_source **ret)
{
	struct perf_source *source = dms_zalloc(sizeof(*source));
	struct dms_error *err;

	if (!source) {
		file_close(file);
		return &dms_error_nomem;
	}
	source->common.ops = &perf_ops;
	source->top = source;
	source->max_waiting_bytes = PERF_WAITING_BYTES;
	err = open_parts(source, file, options);
	if (err) {
		source->common.ops->close(&source->common);
		return err;
	}
	*ret = &source->common;
	return NULL;
}

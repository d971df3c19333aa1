// SPDX-License-Identifier: LGPL-2.1-only
/* Recognise a file by its first bytes, and pass calls on to the reader of its format. */
#include <stdlib.h>
#include <string.h>

#include "source.h"

#define SNIFF_BYTES 16

struct source_comm {
	uint32_t pid;
	const char *comm; /* terminated */
	size_t line;	  /* order in the file: a later name of a pid replaces an earlier one */
};

/* How a file we read begins, or one we can name but not read. */
static const struct format_row {
	const char *magic;
	size_t magic_bytes;
	struct dms_error *(*open)(struct file *file, const struct dms_source_options *options,
				  struct dms_source **ret);
	const char *hint; /* for those without open: what it is, and what to do */
} format_table[] = {
	{"\x17\x08\x44tracing", 10, tracedat_source_open, NULL},
	{"PERFILE2", 8, perf_source_open, NULL},
	{"2ELIFREP", 8, perf_source_open, NULL},
	{"SQLite format 3", 16, NULL,
	 "is an SQLite database, expected a trace; to read a run use `dmascope query`"},
	{"\x28\xb5\x2f\xfd", 4, NULL,
	 "is compressed with zstd, expected a trace; unpack it with `zstd -d`"},
	{"\x1f\x8b", 2, NULL, "is compressed with gzip, expected a trace; unpack it with `gunzip`"},
	{"\xfd"
	 "7zXZ",
	 5, NULL, "is compressed with xz, expected a trace; unpack it with `xz -d`"},
	{"# tracer:", 9, NULL,
	 "is a text dump of tracefs, expected a trace.dat of trace-cmd (text is not read yet)"},
};

static struct dms_error *not_a_trace(const struct file *file, const char *hint)
{
	if (!file->size)
		return dms_error_new(DMS_ERROR_INPUT, "%s: is empty, expected a trace.dat",
				     file->path);
	if (hint)
		return dms_error_new(DMS_ERROR_INPUT, "%s: %s", file->path, hint);
	return dms_error_new(DMS_ERROR_INPUT,
			     "%s: at offset 0: not a trace: expected the magic of a trace.dat "
			     "(17 08 44 \"tracing\")",
			     file->path);
}

struct dms_error *dms_source_open(const char *path, struct dms_source **ret)
{
	static const struct dms_source_options none = {0};

	return dms_source_open_with(path, &none, ret);
}

struct dms_error *dms_source_open_with(const char *path, const struct dms_source_options *options,
				       struct dms_source **ret)
{
	char head[SNIFF_BYTES] = {0};
	const char *hint = NULL;
	struct dms_error *err;
	struct file file;

	if ((err = file_open(path, &file)))
		return err;
	err = file_read(&file, 0, head, file.size < SNIFF_BYTES ? file.size : SNIFF_BYTES);
	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(format_table); i++) {
		const struct format_row *row = &format_table[i];

		if (file.size < row->magic_bytes || memcmp(head, row->magic, row->magic_bytes) != 0)
			continue;
		if (row->open)
			return row->open(&file, options, ret);
		hint = row->hint;
		break;
	}
	if (!err)
		err = not_a_trace(&file, hint);
	file_close(&file);
	return err;
}

void dms_source_close(struct dms_source *source)
{
	if (!source)
		return;
	dms_free(source->comms);
	source->ops->close(source);
}

struct dms_error *dms_source_next(struct dms_source *source, struct dms_item *ret)
{
	return source->ops->next(source, ret);
}

const struct dms_source_info *dms_source_info(const struct dms_source *source)
{
	return &source->info;
}

const struct dms_format *dms_source_formats(const struct dms_source *source, uint32_t *ret_n)
{
	*ret_n = source->n_formats;
	return source->formats;
}

struct dms_error *dms_source_kallsyms(struct dms_source *source, const char **ret, size_t *ret_size)
{
	return source->ops->kallsyms(source, ret, ret_size);
}

void dms_source_progress(const struct dms_source *source, uint64_t *ret_done, uint64_t *ret_total)
{
	source->ops->progress(source, ret_done, ret_total);
}

uint64_t dms_source_damage(const struct dms_source *source, const char **ret_first)
{
	return source->ops->damage(source, ret_first);
}

static int compare_comms(const void *left, const void *right)
{
	const struct source_comm *a = left, *b = right;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

/* Cut the text into terminated names, sorted by pid. Lines that are none are left out. */
static void index_comms(struct dms_source *source)
{
	char *line = (char *)source->cmdlines;

	while (line && *line) {
		char *end = strchr(line, '\n'), *comm;
		unsigned long pid = strtoul(line, &comm, 10);

		if (end)
			*end++ = '\0';
		if (comm != line && *comm == ' ' &&
		    dms_grow(&source->comms, &source->comms_capacity, source->n_comms + 1,
			     sizeof(*source->comms))) {
			source->comms[source->n_comms] =
				(struct source_comm){(uint32_t)pid, comm + 1, source->n_comms};
			source->n_comms++;
		}
		line = end;
	}
	source->cmdlines = NULL;
	qsort(source->comms, source->n_comms, sizeof(*source->comms), compare_comms);
}

const char *dms_source_comm(struct dms_source *source, uint32_t pid)
{
	size_t low = 0, high;

	if (source->cmdlines)
		index_comms(source);
	high = source->n_comms;
	while (low < high) { /* first row with a greater pid */
		size_t middle = (low + high) / 2;

		if (source->comms[middle].pid <= pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low && source->comms[low - 1].pid == pid ? source->comms[low - 1].comm : NULL;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Recognise a file by its first bytes, and pass calls on to the reader of its format. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source.h"
#include "unpack.h"

#define SNIFF_BYTES 4096

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
	{"BZh", 3, NULL, "is compressed with bzip2, expected a trace; unpack it with `bunzip2`"},
	{"\x04\x22\x4d\x18", 4, NULL,
	 "is compressed with lz4, expected a trace; unpack it with `lz4 -d`"},
	{"PK\3\4", 4, NULL, "is a zip archive, expected a trace; unpack it with `unzip`"},
	{"\x7f"
	 "ELF",
	 4, NULL, "is an ELF file, expected a trace; of a vmlinux, `nm vmlinux` makes a System.map"},
};

#define EXPECTED                                                                                   \
	"expected a trace.dat, a perf.data, or text of tracefs, trace-cmd report, perf script or " \
	"a console log with an ftrace dump"

/* ---- opening ---------------------------------------------------------------------------------- */

struct dms_error *source_no_trace(const char *path)
{
	return dms_error_new(DMS_ERROR_INPUT, "%s: at offset 0: not a trace: " EXPECTED, path);
}

/* Text has no zero bytes, at least not at its beginning. */
static bool is_text(const char *head, size_t bytes)
{
	return bytes && !memchr(head, '\0', bytes);
}

/* Why @file, which begins with @head and is no text, is none of ours. */
static struct dms_error *refuse(const struct file *file, const char *head, size_t bytes,
				const char *hint)
{
	const char *packing = unpack_packing(head, bytes);

	if (!file->size)
		return dms_error_new(DMS_ERROR_INPUT, "%s: is empty, expected a trace", file->path);
	if (packing)
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s: unpacked, it is compressed again, with %s: one layer is "
				     "read; unpack the outer one first",
				     file->path, packing);
	if (hint)
		return dms_error_new(DMS_ERROR_INPUT, "%s: %s", file->path, hint);
	return source_no_trace(file->path);
}

/* Let the reader of @file's format have it. */
static struct dms_error *open_by_content(struct file *file,
					 const struct dms_source_options *options,
					 struct dms_source **ret)
{
	size_t bytes = file->size < SNIFF_BYTES ? file->size : SNIFF_BYTES;
	char head[SNIFF_BYTES];
	const char *hint = NULL;
	struct dms_error *err = file_read(file, 0, head, bytes);

	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(format_table); i++) {
		const struct format_row *row = &format_table[i];

		if (bytes < row->magic_bytes || memcmp(head, row->magic, row->magic_bytes) != 0)
			continue;
		if (row->open)
			return row->open(file, options, ret);
		hint = row->hint;
		break;
	}
	if (!err && !hint && is_text(head, bytes))
		return text_source_open(file, options, ret);
	if (!err)
		err = refuse(file, head, bytes, hint);
	file_close(file);
	return err;
}

static void given_destroy(struct source_given *given)
{
	if (!given)
		return;
	if (given->fd >= 0)
		close(given->fd);
	file_origin_destroy(given->origin);
	dms_free(given->damage);
	dms_free(given->format);
	dms_free(given->kallsyms);
	dms_free(given);
}

/* Keep what @file's reader does not: how it was given. Takes its origin. */
static struct dms_error *given_create(struct file *file, const struct dms_source_options *options,
				      struct source_given **ret)
{
	struct source_given *given = *ret = dms_zalloc(sizeof(*given));

	if (!given)
		return &dms_error_nomem;
	given->fd = -1;
	given->origin = file->origin;
	file->origin = NULL;
	if (!given->origin) {
		given->fd = fcntl(file->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (given->fd < 0)
			return dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", file->path);
	} else if (given->origin->damage) {
		given->damage = dms_strdup(given->origin->damage);
		if (!given->damage)
			return &dms_error_nomem;
	}
	if (!options->kallsyms)
		return NULL;
	return kallsyms_read(options->kallsyms, &given->kallsyms, &given->kallsyms_bytes);
}

/* The file as given is what a user knows, and what its hash is of. */
static struct dms_error *adopt(struct dms_source *source, struct source_given *given)
{
	const struct file_origin *origin = given->origin;

	source->given = given;
	if (!origin)
		return NULL;
	source->info.file_size = origin->bytes;
	if (!origin->packing)
		return NULL;
	given->format = dms_asprintf("%s, in %s", source->info.format, origin->packing);
	if (!given->format)
		return &dms_error_nomem;
	source->info.format = given->format;
	return NULL;
}

struct dms_error *source_open_file(struct file *file, const struct dms_source_options *options,
				   struct dms_source **ret)
{
	_cleanup_(dms_freep) char *path = dms_strdup(file->path);
	struct source_given *given = NULL;
	struct dms_source *source = NULL;
	struct dms_error *err;

	*ret = NULL;
	err = path ? given_create(file, options, &given) : &dms_error_nomem;
	if (err)
		file_close(file);
	else
		err = open_by_content(file, options, &source);
	/* What is wrong then is that half of the data is missing. */
	if ((err || !source) && given && given->damage) {
		dms_error_free(err);
		err = dms_error_new(DMS_ERROR_INPUT, "%s: %s", path, given->damage);
	}
	if (!source) {
		given_destroy(given);
		return err;
	}
	if ((err = adopt(source, given))) {
		dms_source_close(source);
		return err;
	}
	*ret = source;
	return NULL;
}

struct dms_error *dms_source_open(const char *path, struct dms_source **ret)
{
	static const struct dms_source_options none = {0};

	return dms_source_open_with(path, &none, ret);
}

struct dms_error *dms_source_open_with(const char *path, const struct dms_source_options *options,
				       struct dms_source **ret)
{
	struct dms_source *source;
	struct dms_error *err;
	struct file file;

	if ((err = file_open(path, &file)) || (err = source_open_file(&file, options, &source)))
		return err;
	if (!source)
		return source_no_trace(strcmp(path, "-") ? path : "standard input");
	*ret = source;
	return NULL;
}

void dms_source_close(struct dms_source *source)
{
	struct source_given *given;

	if (!source)
		return;
	given = source->given;
	dms_free(source->comms);
	source->ops->close(source);
	given_destroy(given);
}

/* ---- calls passed on -------------------------------------------------------------------------- */

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

/*
 * A text's addresses are made up: only its own table knows them. Elsewhere a table that was given
 * stands, moved to where the trace's own says that the kernel was.
 */
struct dms_error *dms_source_kallsyms(struct dms_source *source, const char **ret, size_t *ret_size)
{
	struct source_given *given = source->given;
	struct dms_error *err;

	if (!given || !given->kallsyms || source->info.is_text)
		return source->ops->kallsyms(source, ret, ret_size);
	if (!given->is_moved) {
		if ((err = source->ops->kallsyms(source, ret, ret_size)))
			dms_error_free(err); /* damaged: that is why another one is given */
		else if (*ret)
			kallsyms_move(given->kallsyms, given->kallsyms_bytes, *ret, *ret_size);
		given->is_moved = true;
	}
	*ret = given->kallsyms;
	*ret_size = given->kallsyms_bytes;
	return NULL;
}

void dms_source_progress(const struct dms_source *source, uint64_t *ret_done, uint64_t *ret_total)
{
	source->ops->progress(source, ret_done, ret_total);
}

uint64_t dms_source_damage(const struct dms_source *source, const char **ret_first)
{
	uint64_t n_damaged = source->ops->damage(source, ret_first);

	if (!source->given || !source->given->damage)
		return n_damaged;
	*ret_first = source->given->damage; /* where the rest comes from */
	return n_damaged + 1;
}

/* ---- names of tasks --------------------------------------------------------------------------- */

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
		if (comm != line && *comm == ' ') {
			if (!dms_grow(&source->comms, &source->comms_capacity, source->n_comms + 1,
				      sizeof(*source->comms))) {
				source->lacks_comms = true;
				break;
			}
			source->comms[source->n_comms] =
				(struct source_comm){(uint32_t)pid, comm + 1, source->n_comms};
			source->n_comms++;
		}
		line = end;
	}
	source->cmdlines = NULL;
	if (source->n_comms)
		qsort(source->comms, source->n_comms, sizeof(*source->comms), compare_comms);
}

const char *dms_source_comm(struct dms_source *source, uint32_t pid)
{
	size_t low = 0, high;

	if (source->ops->comm)
		return source->ops->comm(source, pid);
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

bool dms_source_comms_are_whole(const struct dms_source *source)
{
	return !source->lacks_comms;
}

// SPDX-License-Identifier: LGPL-2.1-only
/*
 * The head of a trace.dat, versions 6 and 7: man pages trace-cmd.dat.v6.5 and trace-cmd.dat.v7.5.
 *
 * We read the container ourselves and not through libtracecmd: its public interface does not say
 * where the ring-buffer pages lie, and it allocates for every record (HACKING.md has the figures).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tracedat.h"

#define MAGIC	    "\x17\x08\x44tracing"
#define MAGIC_BYTES 10
#define KIND_BYTES  10 /* "options  ", "flyrecord", "latency  " with their NUL */
#define MAX_CPUS    65536

static struct dms_error *read_initial(struct tracedat *dat, struct cursor *cursor)
{
	uint64_t big_endian, user_long, page_size;
	struct dms_error *err;
	const char *version;

	if ((err = cursor_skip(cursor, MAGIC_BYTES, "the magic of a trace.dat")) ||
	    (err = cursor_string(cursor, "the file version", &version)))
		return err;
	dat->version = (unsigned int)strtoul(version, NULL, 10);
	if (dat->version != 6 && dat->version != 7)
		return cursor_error(
			cursor,
			"file version \"%.16s\", expected 6 or 7; "
			"`trace-cmd convert --file-version 7` of a newer trace-cmd may help",
			version);
	if ((err = cursor_number(cursor, 1, "the byte order", &big_endian)))
		return err;
	if (big_endian > 1)
		return cursor_error(cursor, "byte order %" PRIu64 ", expected 0 or 1", big_endian);
	cursor->big_endian = dat->big_endian = big_endian;
	if ((err = cursor_number(cursor, 1, "the size of a long", &user_long)) ||
	    (err = cursor_number(cursor, 4, "the page size", &page_size)))
		return err;
	if (page_size < TRACEDAT_MIN_PAGE || page_size > TRACEDAT_MAX_PAGE)
		return cursor_error(cursor, "page size %" PRIu64 ", expected %u to %u", page_size,
				    TRACEDAT_MIN_PAGE, TRACEDAT_MAX_PAGE);
	dat->page_size = (uint32_t)page_size;
	return NULL;
}

/* ---- version 7: sections, found through options ------------------------------------------- */

static struct dms_error *read_v7_options(struct tracedat *dat, uint64_t offset, uint64_t *ret_next)
{
	uint64_t id = UINT64_MAX, size;
	const uint8_t *data;
	struct dms_error *err;
	struct cursor cursor;

	*ret_next = 0;
	err = tracedat_load_section(dat, offset, "options", &cursor);
	if (err)
		return err;
	while (!err && id != TRACEDAT_OPTION_DONE) {
		if ((err = cursor_number(&cursor, 2, "an option", &id)) ||
		    (err = cursor_number(&cursor, 4, "the size of an option", &size)) ||
		    (err = cursor_take(&cursor, size, "an option", &data)))
			break;
		if (id == TRACEDAT_OPTION_DONE && size >= 8)
			*ret_next = load64(data, dat->big_endian != HOST_BIG_ENDIAN);
		else
			err = tracedat_option(dat, (unsigned int)id, data, size, &cursor);
	}
	cursor_deinit(&cursor);
	return err;
}

static struct dms_error *read_v7(struct tracedat *dat, struct cursor *cursor)
{
	const char *name, *library_version;
	struct dms_error *err;
	uint64_t offset, last = 0;

	if ((err = cursor_string(cursor, "the compression's name", &name)))
		return err;
	dat->compression_name = tracedat_copy(dat, name, strlen(name));
	if (!dat->compression_name)
		return &dms_error_nomem;
	if (!compression_find(dat->compression_name, &dat->compression))
		return cursor_error(
			cursor,
			"compressed with \"%.32s\", expected none, zstd or zlib; "
			"`trace-cmd convert --compression none -i IN -o OUT` where it was "
			"recorded makes it readable",
			dat->compression_name);
	if ((err = cursor_string(cursor, "the compression's version", &library_version)) ||
	    (err = cursor_number(cursor, 8, "the offset of the options", &offset)))
		return err;
	/* trace-cmd writes them front to back: an offset that goes back is a loop. */
	while (offset) {
		if (offset <= last)
			return cursor_error(
				cursor, "options at offset %#" PRIx64 " follow those at %#" PRIx64,
				offset, last);
		last = offset;
		if ((err = read_v7_options(dat, offset, &offset)))
			return err;
	}
	if (!dat->long_size)
		return cursor_error(cursor, "no header information section");
	return NULL;
}

/* ---- version 6: one part after the other --------------------------------------------------- */

static struct dms_error *skip_text(struct cursor *cursor, unsigned int size_bytes, const char *what,
				   uint64_t *ret_offset, uint64_t *ret_size)
{
	struct dms_error *err = cursor_number(cursor, size_bytes, "the size of a text", ret_size);

	if (err)
		return err;
	*ret_offset = cursor->position;
	return cursor_skip(cursor, *ret_size, what);
}

static struct dms_error *read_v6_options(struct tracedat *dat, struct cursor *cursor)
{
	for (;;) {
		_cleanup_(dms_freep) uint8_t *copy = NULL;
		struct dms_error *err;
		uint64_t id, size;
		const uint8_t *data;

		if ((err = cursor_number(cursor, 2, "an option", &id)) || !id)
			return err;
		if ((err = cursor_number(cursor, 4, "the size of an option", &size)) ||
		    (err = cursor_take(cursor, size, "an option", &data)))
			return err;
		copy = dms_alloc(size);
		if (!copy)
			return &dms_error_nomem;
		memcpy(copy, data, size);
		if ((err = tracedat_option(dat, (unsigned int)id, copy, size, cursor)))
			return err;
	}
}

/* "flyrecord\0", then offset and size of each CPU's data. */
static struct dms_error *read_v6_cpus(struct tracedat *dat, struct cursor *cursor,
				      struct tracedat_buffer *buffer, const char *kind)
{
	struct dms_error *err;

	if (memcmp(kind, "flyrecord", KIND_BYTES) != 0)
		return cursor_error(cursor, "expected \"flyrecord\" data, found \"%.9s\"%s", kind,
				    memcmp(kind, "latency", 7) ? "" : ": a latency tracer's text");
	buffer->cpus = dms_arena_alloc(dat->arena, dat->n_cpus * sizeof(*buffer->cpus));
	if (!buffer->cpus)
		return &dms_error_nomem;
	for (buffer->n_cpus = 0; buffer->n_cpus < dat->n_cpus; buffer->n_cpus++) {
		struct tracedat_cpu *cpu = &buffer->cpus[buffer->n_cpus];

		cpu->cpu = buffer->n_cpus;
		if ((err = cursor_number(cursor, 8, "the offset of a CPU's data", &cpu->offset)) ||
		    (err = cursor_number(cursor, 8, "the size of a CPU's data", &cpu->size)))
			return err;
	}
	return NULL;
}

static struct dms_error *read_kind(struct cursor *cursor, char kind[static KIND_BYTES])
{
	const uint8_t *at;
	struct dms_error *err = cursor_take(cursor, KIND_BYTES, "the kind of the data", &at);

	if (!err)
		memcpy(kind, at, KIND_BYTES);
	return err;
}

static struct dms_error *read_v6_instances(struct tracedat *dat)
{
	for (size_t i = 1; i < dat->n_buffers; i++) {
		struct tracedat_buffer *buffer = &dat->buffers[i];
		char kind[KIND_BYTES];
		struct dms_error *err;
		struct cursor cursor;

		cursor_init_file(&cursor, &dat->file, buffer->cpus->offset);
		cursor.big_endian = dat->big_endian;
		if (!(err = read_kind(&cursor, kind)))
			err = read_v6_cpus(dat, &cursor, buffer, kind);
		cursor_deinit(&cursor);
		if (err)
			return err;
	}
	return NULL;
}

static struct dms_error *read_v6_data(struct tracedat *dat, struct cursor *cursor)
{
	char kind[KIND_BYTES];
	struct dms_error *err;
	uint64_t n_cpus;

	if ((err = cursor_number(cursor, 4, "the number of CPUs", &n_cpus)))
		return err;
	if (n_cpus > MAX_CPUS)
		return cursor_error(cursor, "%" PRIu64 " CPUs, expected at most %u", n_cpus,
				    MAX_CPUS);
	dat->n_cpus = (uint32_t)n_cpus;
	if (!tracedat_add_buffer(dat, ""))
		return &dms_error_nomem;
	if ((err = read_kind(cursor, kind)))
		return err;
	if (!memcmp(kind, "options  ", KIND_BYTES)) {
		if ((err = read_v6_options(dat, cursor)) || (err = read_kind(cursor, kind)))
			return err;
	}
	if ((err = read_v6_cpus(dat, cursor, &dat->buffers[0], kind)))
		return err;
	return read_v6_instances(dat);
}

static struct dms_error *read_v6(struct tracedat *dat, struct cursor *cursor)
{
	uint64_t printk_offset, printk_size;
	struct dms_error *err;

	if ((err = tracedat_read_header_info(dat, cursor)) ||
	    (err = tracedat_read_ftrace_formats(dat, cursor)) ||
	    (err = tracedat_read_event_formats(dat, cursor)) ||
	    (err = skip_text(cursor, 4, "kallsyms", &dat->kallsyms_offset, &dat->kallsyms_size)) ||
	    (err = skip_text(cursor, 4, "printk formats", &printk_offset, &printk_size)) ||
	    (err = tracedat_read_cmdlines(dat, cursor)))
		return err;
	return read_v6_data(dat, cursor);
}

struct dms_error *tracedat_open(struct file *file, struct tracedat *ret)
{
	struct dms_error *err;
	struct cursor cursor;

	*ret = (struct tracedat){.file = *file, .arena = dms_arena_create()};
	file->fd = -1;
	file->path = NULL;
	if (!ret->arena)
		return &dms_error_nomem;
	cursor_init_file(&cursor, &ret->file, 0);
	err = read_initial(ret, &cursor);
	if (!err)
		err = ret->version == 6 ? read_v6(ret, &cursor) : read_v7(ret, &cursor);
	cursor_deinit(&cursor);
	return err;
}

void tracedat_close(struct tracedat *dat)
{
	file_close(&dat->file);
	dms_free(dat->formats);
	dms_free(dat->buffers);
	dms_arena_destroy(dat->arena);
	dat->formats = NULL;
	dat->buffers = NULL;
	dat->arena = NULL;
}

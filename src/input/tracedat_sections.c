// SPDX-License-Identifier: LGPL-2.1-only
/* The parts of a trace.dat's head that versions 6 and 7 share: formats, task names. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracedat.h"

/* No head of a real trace comes near; a compressed bomb passes it soon. */
#define MAX_SECTION_BYTES  (256u << 20)
#define SECTION_COMPRESSED 1

const char *tracedat_copy(struct tracedat *dat, const void *str, size_t bytes)
{
	char *copy = dms_arena_alloc(dat->arena, bytes + 1);

	return copy ? memcpy(copy, str, bytes) : NULL;
}

struct tracedat_buffer *tracedat_add_buffer(struct tracedat *dat, const char *name)
{
	struct tracedat_buffer *buffer;

	if (!dms_grow(&dat->buffers, &dat->buffers_capacity, dat->n_buffers + 1, sizeof(*buffer)))
		return NULL;
	buffer = &dat->buffers[dat->n_buffers];
	*buffer = (struct tracedat_buffer){.page_size = dat->page_size};
	buffer->name = tracedat_copy(dat, name, strlen(name));
	if (!buffer->name)
		return NULL;
	dat->n_buffers++;
	return buffer;
}

/* A block of text whose size stands before it, kept in the arena. */
static struct dms_error *read_text(struct tracedat *dat, struct cursor *cursor, const char *what,
				   const char **ret, uint64_t *ret_size)
{
	struct dms_error *err;
	const uint8_t *at;

	if ((err = cursor_number(cursor, 8, "the size of a text", ret_size)) ||
	    (err = cursor_take(cursor, *ret_size, what, &at)))
		return err;
	*ret = tracedat_copy(dat, at, *ret_size);
	return *ret ? NULL : &dms_error_nomem;
}

static struct dms_error *expect_label(struct cursor *cursor, const char *label)
{
	struct dms_error *err;
	const uint8_t *at;

	err = cursor_take(cursor, strlen(label) + 1, label, &at);
	if (!err && memcmp(at, label, strlen(label) + 1))
		err = cursor_error(cursor, "expected \"%s\" before this", label);
	return err;
}

/* The commit field's size is that of the kernel's long, whatever user space has. */
static struct dms_error *read_page_layout(struct tracedat *dat, const struct cursor *cursor,
					  const char *text)
{
	const char *commit = strstr(text, " commit;"),
		   *size = commit ? strstr(commit, "size:") : NULL;

	dat->long_size = size ? (unsigned int)atoi(size + strlen("size:")) : 0;
	if (dat->long_size != 4 && dat->long_size != 8)
		return cursor_error(cursor, "header_page gives no commit field of 4 or 8 bytes");
	return NULL;
}

struct dms_error *tracedat_read_header_info(struct tracedat *dat, struct cursor *cursor)
{
	struct dms_error *err;
	const char *text;
	uint64_t size;

	if ((err = expect_label(cursor, "header_page")) ||
	    (err = read_text(dat, cursor, "header_page", &text, &size)) ||
	    (err = read_page_layout(dat, cursor, text)) ||
	    (err = expect_label(cursor, "header_event")))
		return err;
	return read_text(dat, cursor, "header_event", &text, &size);
}

/* "name: X" and "ID: N" open every format file. */
static struct dms_error *read_format(struct tracedat *dat, struct cursor *cursor,
				     const char *system)
{
	struct dms_format *format;
	const char *text, *name, *id;
	struct dms_error *err;
	uint64_t size;

	if ((err = read_text(dat, cursor, "an event format", &text, &size)))
		return err;
	name = strstr(text, "name: ");
	id = strstr(text, "\nID: ");
	if (!name || !id)
		return cursor_error(cursor,
				    "an event format of system %s before this has no name "
				    "or ID",
				    system);
	if (!dms_grow(&dat->formats, &dat->formats_capacity, dat->n_formats + 1, sizeof(*format)))
		return &dms_error_nomem;
	name += strlen("name: ");
	format = &dat->formats[dat->n_formats++];
	*format = (struct dms_format){.system = system, .text = text, .size = size};
	format->id = (uint32_t)strtoul(id + strlen("\nID: "), NULL, 10);
	format->name = tracedat_copy(dat, name, strcspn(name, "\n"));
	return format->name ? NULL : &dms_error_nomem;
}

static struct dms_error *read_system(struct tracedat *dat, struct cursor *cursor,
				     const char *system)
{
	struct dms_error *err;
	uint64_t n_events;

	if ((err = cursor_number(cursor, 4, "the number of event formats", &n_events)))
		return err;
	for (uint64_t i = 0; i < n_events; i++) {
		if ((err = read_format(dat, cursor, system)))
			return err;
	}
	return NULL;
}

struct dms_error *tracedat_read_ftrace_formats(struct tracedat *dat, struct cursor *cursor)
{
	return read_system(dat, cursor, "ftrace");
}

struct dms_error *tracedat_read_event_formats(struct tracedat *dat, struct cursor *cursor)
{
	struct dms_error *err;
	uint64_t n_systems;

	if ((err = cursor_number(cursor, 4, "the number of event systems", &n_systems)))
		return err;
	for (uint64_t i = 0; i < n_systems; i++) {
		const char *name;

		if ((err = cursor_string(cursor, "the name of an event system", &name)))
			return err;
		name = tracedat_copy(dat, name, strlen(name));
		if (!name)
			return &dms_error_nomem;
		if ((err = read_system(dat, cursor, name)))
			return err;
	}
	return NULL;
}

struct dms_error *tracedat_read_cmdlines(struct tracedat *dat, struct cursor *cursor)
{
	uint64_t size;

	return read_text(dat, cursor, "the saved command lines", &dat->cmdlines, &size);
}

static struct dms_error *unpack_section(struct tracedat *dat, struct cursor *head, uint64_t offset,
					const char *what, struct cursor *ret)
{
	uint64_t packed_size, size;
	struct dms_error *err;
	enum unpacking unpacking;
	const uint8_t *packed;
	void *memory;

	if ((err = cursor_number(head, 4, "a compressed size", &packed_size)) ||
	    (err = cursor_number(head, 4, "an uncompressed size", &size)))
		return err;
	if (size > MAX_SECTION_BYTES)
		return cursor_error(head, "section %s claims %" PRIu64 " bytes, more than any has",
				    what, size);
	if ((err = cursor_take(head, packed_size, what, &packed)))
		return err;
	memory = dms_arena_alloc(dat->arena, size);
	if (!memory)
		return &dms_error_nomem;
	unpacking = compression_unpack(dat->compression, packed, packed_size, memory, size);
	if (unpacking == UNPACK_NO_MEMORY)
		return &dms_error_nomem;
	if (unpacking != UNPACK_DONE)
		return cursor_error(head, "section %s before this does not decompress as %s", what,
				    dat->compression_name);
	cursor_init_memory(ret, &dat->file, memory, size, offset);
	return NULL;
}

struct dms_error *tracedat_load_section(struct tracedat *dat, uint64_t offset, const char *what,
					struct cursor *ret)
{
	uint64_t id, flags, string, size;
	struct dms_error *err;
	struct cursor head;

	cursor_init_file(&head, &dat->file, offset);
	head.big_endian = dat->big_endian;
	if ((err = cursor_number(&head, 2, "a section header", &id)) ||
	    (err = cursor_number(&head, 2, "a section header", &flags)) ||
	    (err = cursor_number(&head, 4, "a section header", &string)) ||
	    (err = cursor_number(&head, 8, "a section header", &size)))
		goto out;
	if (flags & SECTION_COMPRESSED) {
		err = unpack_section(dat, &head, offset, what, ret);
	} else {
		cursor_init_file(ret, &dat->file, head.position);
		if (size < ret->end - ret->position)
			ret->end = ret->position + size;
	}
	ret->big_endian = dat->big_endian;
out:
	cursor_deinit(&head);
	return err;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* What perf.data keeps of the machine that recorded it: features, and a copy of tracefs. */
#include <inttypes.h>
#include <stdlib.h>

#include "perf.h"
#include "../tracedat.h"

#define TRACING_MAGIC	    "\x17\x08\x44tracing"
#define TRACING_MAGIC_BYTES 10
#define MAX_EVENTS	    16384u

/* u32 size, then so many bytes, padded with NULs: kept in the arena. */
static struct dms_error *read_string(struct perf_head *head, struct cursor *cursor,
				     const char **ret)
{
	struct dms_error *err;
	const uint8_t *at;
	uint64_t size;
	char *copy;

	if ((err = cursor_number(cursor, 4, "the size of a string", &size)) ||
	    (err = cursor_take(cursor, size, "a string", &at)))
		return err;
	copy = dms_arena_alloc(head->arena, size + 1);
	if (!copy)
		return &dms_error_nomem;
	memcpy(copy, at, size);
	*ret = copy;
	return NULL;
}

static struct dms_error *read_release(struct perf_head *head, struct cursor *cursor)
{
	return read_string(head, cursor, &head->release);
}

static struct dms_error *read_version(struct perf_head *head, struct cursor *cursor)
{
	return read_string(head, cursor, &head->version);
}

static struct dms_error *read_arch(struct perf_head *head, struct cursor *cursor)
{
	return read_string(head, cursor, &head->arch);
}

/* u32 available, u32 online */
static struct dms_error *read_cpus(struct perf_head *head, struct cursor *cursor)
{
	uint64_t available, online;
	struct dms_error *err;

	if ((err = cursor_number(cursor, 4, "the number of CPUs", &available)) ||
	    (err = cursor_number(cursor, 4, "the number of CPUs online", &online)))
		return err;
	head->n_cpus = available < 65536 ? (uint32_t)available : 0;
	head->n_online = online < 65536 ? (uint32_t)online : 0;
	return NULL;
}

/* u32 count, then strings: the command, and its arguments where perf did not forget them. */
static struct dms_error *read_command(struct perf_head *head, struct cursor *cursor)
{
	static const char option[] = "--switch-output";
	struct dms_error *err;
	uint64_t count;

	if ((err = cursor_number(cursor, 4, "the number of words of the command", &count)))
		return err;
	for (uint64_t i = 0; i < count; i++) {
		const char *word;

		if ((err = read_string(head, cursor, &word)))
			return err;
		head->is_switched |= !strncmp(word, option, sizeof(option) - 1);
	}
	return NULL;
}

static struct dms_error *read_event(struct perf_head *head, struct cursor *cursor,
				    uint64_t attr_bytes)
{
	uint64_t config, n_ids;
	struct dms_error *err;
	struct perf_name *name;
	const uint8_t *attr;
	const char *text;
	uint32_t type;

	if ((err = cursor_take(cursor, attr_bytes, "an event's description", &attr)))
		return err;
	type = load32(attr, head->swap);
	config = load64(attr + 8, head->swap);
	if ((err = cursor_number(cursor, 4, "the number of an event's ids", &n_ids)) ||
	    (err = read_string(head, cursor, &text)) ||
	    (err = cursor_skip(cursor, 8 * n_ids, "the ids of an event")))
		return err;
	if (type != 2 || !strchr(text, ':'))
		return NULL;
	if (!dms_grow(&head->names, &head->names_capacity, head->n_names + 1, sizeof(*name)))
		return &dms_error_nomem;
	head->names[head->n_names++] = (struct perf_name){text, config};
	return NULL;
}

/* u32 count, u32 bytes of an attr; each: attr, u32 count of ids, name, ids */
static struct dms_error *read_events(struct perf_head *head, struct cursor *cursor)
{
	uint64_t n_events, attr_bytes;
	struct dms_error *err;

	if ((err = cursor_number(cursor, 4, "the number of events", &n_events)) ||
	    (err = cursor_number(cursor, 4, "the size of an event's description", &attr_bytes)))
		return err;
	if (n_events > MAX_EVENTS || attr_bytes < PERF_MIN_ATTR || attr_bytes > PERF_MAX_ATTR)
		return cursor_error(cursor, "%" PRIu64 " events of %" PRIu64 " bytes make no sense",
				    n_events, attr_bytes);
	for (uint64_t i = 0; i < n_events; i++) {
		if ((err = read_event(head, cursor, attr_bytes)))
			return err;
	}
	return NULL;
}

static const struct {
	unsigned int feature;
	struct dms_error *(*read)(struct perf_head *head, struct cursor *cursor);
} feature_rows[] = {
	{4, read_release}, {5, read_version}, {6, read_arch}, {7, read_cpus}, {11, read_command},
	{12, read_events},
};

/* What it would have told is not known, and no more. Takes @damage. */
static struct dms_error *note_damage(struct perf_head *head, struct dms_error *damage)
{
	char *text = dms_asprintf("a part of the head is damaged: %s", dms_error_message(damage));

	dms_error_free(damage);
	return perf_head_note(head, text);
}

struct dms_error *perf_feature(struct perf_head *head, unsigned int feature, uint64_t offset,
			       uint64_t bytes)
{
	if (feature == PERF_FEATURE_TRACING_DATA)
		return perf_tracing_data(head, offset, bytes);
	if (feature == PERF_FEATURE_DIR_FORMAT)
		head->is_folder = true;
	if (feature == PERF_FEATURE_COMPRESSED)
		head->is_compressed = true;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(feature_rows); i++) {
		struct dms_error *err;
		struct cursor cursor;

		if (feature_rows[i].feature != feature)
			continue;
		cursor_init_file(&cursor, &head->file, offset);
		cursor.big_endian = head->big_endian;
		if (bytes < cursor.end - offset)
			cursor.end = offset + bytes;
		err = feature_rows[i].read(head, &cursor);
		cursor_deinit(&cursor);
		if (!err || err == &dms_error_nomem)
			return err;
		return note_damage(head, err);
	}
	return NULL;
}

/* ---- tracing data ------------------------------------------------------------------------------
 */

static struct dms_error *read_tracing_head(struct perf_head *head, struct cursor *cursor)
{
	uint64_t big_endian, user_long, page_size;
	struct dms_error *err;
	const char *version;
	const uint8_t *magic;

	if ((err = cursor_take(cursor, TRACING_MAGIC_BYTES, "the magic of tracing data", &magic)))
		return err;
	if (memcmp(magic, TRACING_MAGIC, TRACING_MAGIC_BYTES) != 0)
		return cursor_error(cursor, "expected tracing data before this");
	if ((err = cursor_string(cursor, "the version of the tracing data", &version)) ||
	    (err = cursor_number(cursor, 1, "the byte order", &big_endian)))
		return err;
	cursor->big_endian = head->big_endian;
	if (!big_endian == head->big_endian)
		return cursor_error(cursor, "the tracing data has another byte order than the "
					    "file");
	if ((err = cursor_number(cursor, 1, "the size of a long", &user_long)) ||
	    (err = cursor_number(cursor, 4, "the page size", &page_size)))
		return err;
	if (page_size >= TRACEDAT_MIN_PAGE && page_size <= TRACEDAT_MAX_PAGE)
		head->page_size = (uint32_t)page_size;
	return NULL;
}

static struct dms_error *skip_text(struct cursor *cursor, const char *what, uint64_t *ret_offset,
				   uint64_t *ret_size)
{
	struct dms_error *err = cursor_number(cursor, 4, "the size of a text", ret_size);

	if (err)
		return err;
	*ret_offset = cursor->position;
	return cursor_skip(cursor, *ret_size, what);
}

/* What stands behind the formats: older perfs leave kallsyms there, newer ones nothing. */
static struct dms_error *read_tracing_tail(struct perf_head *head, struct tracedat *dat,
					   struct cursor *cursor)
{
	uint64_t offset, size;
	struct dms_error *err;

	if ((err = skip_text(cursor, "kallsyms", &offset, &size)))
		return err;
	head->kallsyms_offset = offset;
	head->kallsyms_size = size;
	if ((err = skip_text(cursor, "the formats of printk", &offset, &size)) ||
	    cursor->position + 8 > cursor->end) /* version 0.5 ends here */
		return err;
	return tracedat_read_cmdlines(dat, cursor);
}

struct dms_error *perf_tracing_data(struct perf_head *head, uint64_t offset, uint64_t bytes)
{
	struct tracedat dat = {.arena = head->arena};
	struct dms_error *err;
	struct cursor cursor;

	if (head->n_formats || head->tracing_error)
		return NULL; /* one copy is enough */
	cursor_init_file(&cursor, &head->file, offset);
	if (offset > cursor.end)
		cursor.end = offset;
	if (bytes < cursor.end - offset)
		cursor.end = offset + bytes;
	cursor.big_endian = head->big_endian;
	if (!(err = read_tracing_head(head, &cursor)) &&
	    !(err = tracedat_read_header_info(&dat, &cursor)) &&
	    !(err = tracedat_read_ftrace_formats(&dat, &cursor)) &&
	    !(err = tracedat_read_event_formats(&dat, &cursor)))
		err = read_tracing_tail(head, &dat, &cursor);
	cursor_deinit(&cursor);
	if (dat.long_size)
		head->long_size = dat.long_size;
	head->formats = dat.formats;
	head->n_formats = dat.n_formats;
	head->formats_capacity = dat.formats_capacity;
	head->cmdlines = dat.cmdlines;
	if (err == &dms_error_nomem)
		return err;
	head->tracing_error = err; /* what was read may do */
	return NULL;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* The options of a trace.dat: a row for each that tells us something. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracedat.h"

typedef struct dms_error *(*option_fn)(struct tracedat *dat, const char *text,
				       const struct cursor *cursor);

/* "local global [mono] ...": the bracketed one is in use. */
static struct dms_error *option_clock(struct tracedat *dat, const char *text,
				      const struct cursor *cursor)
{
	const char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

	(void)cursor;
	if (!close)
		return NULL;
	dat->clock = tracedat_copy(dat, open + 1, (size_t)(close - open - 1));
	return dat->clock ? NULL : &dms_error_nomem;
}

/* "Linux host 6.12.95+deb12-amd64 x86_64": the third word is the release. */
static struct dms_error *option_uname(struct tracedat *dat, const char *text,
				      const struct cursor *cursor)
{
	const char *word = text;

	(void)cursor;
	dat->uname = text;
	for (int i = 0; i < 2 && word; i++) {
		word = strchr(word, ' ');
		word = word ? word + 1 : NULL;
	}
	if (!word)
		return NULL;
	dat->release = tracedat_copy(dat, word, strcspn(word, " \n"));
	return dat->release ? NULL : &dms_error_nomem;
}

static struct dms_error *option_writer(struct tracedat *dat, const char *text,
				       const struct cursor *cursor)
{
	(void)cursor;
	dat->writer = tracedat_copy(dat, text, strcspn(text, "\n"));
	return dat->writer ? NULL : &dms_error_nomem;
}

static struct dms_error *option_offset(struct tracedat *dat, const char *text,
				       const struct cursor *cursor)
{
	(void)cursor;
	dat->ts_offset_ns = (int64_t)strtoll(text, NULL, 0);
	return NULL;
}

/* "now ts:   204.612009", when the recorder read it; of clocks that count ticks there is no dot. */
static uint64_t stats_time(const char *text)
{
	static const char key[] = "\nnow ts:";
	const char *at = strstr(text, key);
	unsigned long long seconds, us;

	if (!at || sscanf(at + sizeof(key) - 1, " %12llu.%6llu", &seconds, &us) != 2)
		return 0;
	return seconds * 1000000000ull + us * 1000ull;
}

/* per_cpu/cpuN/stats: what the ring buffer overwrote or dropped, and when that was. */
static struct dms_error *option_cpustat(struct tracedat *dat, const char *text,
					const struct cursor *cursor)
{
	static const char *const losses[] = {"\noverrun: ", "\ndropped events: "};

	(void)cursor;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(losses); i++) {
		const char *at = strstr(text, losses[i]);

		if (at)
			dat->lost_by_stats += strtoull(at + strlen(losses[i]), NULL, 10);
	}
	if (!dat->stats_ts || stats_time(text) < dat->stats_ts)
		dat->stats_ts = stats_time(text);
	return NULL;
}

static const struct {
	unsigned int id;
	option_fn read; /* gets the data as a terminated string that lives with @dat */
} text_options[] = {
	{2, option_cpustat}, {4, option_clock},	 {5, option_uname},
	{7, option_offset},  {9, option_writer},
};

/* v6: offset of a second "flyrecord" table, and the instance's name. */
static struct dms_error *read_v6_buffer(struct tracedat *dat, const uint8_t *data, size_t size,
					const struct cursor *parent)
{
	struct tracedat_buffer *buffer;
	struct cursor cursor;
	struct dms_error *err;
	const char *name;
	uint64_t offset;

	cursor_init_memory(&cursor, &dat->file, data, size, parent->position - size);
	cursor.big_endian = dat->big_endian;
	if ((err = cursor_number(&cursor, 8, "the offset of an instance", &offset)) ||
	    (err = cursor_string(&cursor, "the name of an instance", &name)))
		return err;
	buffer = tracedat_add_buffer(dat, name);
	if (!buffer)
		return &dms_error_nomem;
	/* The table itself is read when the CPU count is known: tracedat_head.c. */
	buffer->cpus = dms_arena_alloc(dat->arena, sizeof(*buffer->cpus));
	if (!buffer->cpus)
		return &dms_error_nomem;
	buffer->cpus->offset = offset;
	return NULL;
}

static struct dms_error *read_v7_cpu(struct cursor *cursor, struct tracedat_cpu *cpu)
{
	struct dms_error *err;
	uint64_t id;

	if ((err = cursor_number(cursor, 4, "a CPU number", &id)) ||
	    (err = cursor_number(cursor, 8, "the offset of a CPU's data", &cpu->offset)) ||
	    (err = cursor_number(cursor, 8, "the size of a CPU's data", &cpu->size)))
		return err;
	cpu->cpu = (uint32_t)id;
	return NULL;
}

/* v7: section offset, name, clock, page size, and where each CPU's data is. */
static struct dms_error *read_v7_buffer(struct tracedat *dat, const uint8_t *data, size_t size,
					const struct cursor *parent)
{
	uint64_t section, page_size, n_cpus;
	struct tracedat_buffer *buffer;
	struct cursor cursor;
	struct dms_error *err;
	const char *str;

	cursor_init_memory(&cursor, &dat->file, data, size, parent->origin);
	cursor.big_endian = dat->big_endian;
	if ((err = cursor_number(&cursor, 8, "the offset of a buffer", &section)) ||
	    (err = cursor_string(&cursor, "the name of a buffer", &str)))
		return err;
	buffer = tracedat_add_buffer(dat, str);
	if (!buffer)
		return &dms_error_nomem;
	if ((err = cursor_string(&cursor, "the clock of a buffer", &str)))
		return err;
	buffer->clock = tracedat_copy(dat, str, strlen(str));
	if (!buffer->clock)
		return &dms_error_nomem;
	if ((err = cursor_number(&cursor, 4, "the page size of a buffer", &page_size)) ||
	    (err = cursor_number(&cursor, 4, "the CPU count of a buffer", &n_cpus)))
		return err;
	if (page_size < TRACEDAT_MIN_PAGE || page_size > TRACEDAT_MAX_PAGE)
		return cursor_error(&cursor, "a buffer with pages of %u bytes",
				    (unsigned int)page_size);
	if (n_cpus > (size - cursor.position) / 20)
		return cursor_error(&cursor, "a buffer of %u CPUs does not fit into its option",
				    (unsigned int)n_cpus);
	buffer->page_size = (uint32_t)page_size;
	buffer->compressed = dat->compression != COMPRESSION_NONE;
	buffer->cpus = dms_arena_alloc(dat->arena, n_cpus * sizeof(*buffer->cpus));
	if (!buffer->cpus)
		return &dms_error_nomem;
	for (; buffer->n_cpus < n_cpus; buffer->n_cpus++) {
		if ((err = read_v7_cpu(&cursor, &buffer->cpus[buffer->n_cpus])))
			return err;
	}
	return NULL;
}

static void read_tsc2nsec(struct tracedat *dat, const uint8_t *data, size_t size)
{
	bool swap = dat->big_endian != HOST_BIG_ENDIAN;

	if (size < 8)
		return;
	dat->tsc_mult = load32(data, swap);
	dat->tsc_shift = load32(data + 4, swap) & 63;
}

/* v7: options that point to a section we need. */
static const struct {
	unsigned int id;
	const char *what;
	struct dms_error *(*read)(struct tracedat *dat, struct cursor *cursor);
} section_options[] = {
	{16, "header information", tracedat_read_header_info},
	{17, "ftrace event formats", tracedat_read_ftrace_formats},
	{18, "event formats", tracedat_read_event_formats},
	{21, "saved command lines", tracedat_read_cmdlines},
};

static struct dms_error *read_section(struct tracedat *dat, size_t row, const uint8_t *data,
				      size_t size)
{
	struct cursor cursor;
	struct dms_error *err;
	uint64_t offset;

	if (size < 8)
		return NULL;
	offset = load64(data, dat->big_endian != HOST_BIG_ENDIAN);
	err = tracedat_load_section(dat, offset, section_options[row].what, &cursor);
	if (err)
		return err;
	err = section_options[row].read(dat, &cursor);
	cursor_deinit(&cursor);
	return err;
}

struct dms_error *tracedat_option(struct tracedat *dat, unsigned int id, const uint8_t *data,
				  size_t size, const struct cursor *cursor)
{
	if (id == TRACEDAT_OPTION_BUFFER)
		return dat->version == 6 ? read_v6_buffer(dat, data, size, cursor)
					 : read_v7_buffer(dat, data, size, cursor);
	if (id == 14)
		read_tsc2nsec(dat, data, size);
	if (id == 19 && dat->version == 7 && size >= 8)
		dat->kallsyms_offset = load64(data, dat->big_endian != HOST_BIG_ENDIAN);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(text_options); i++) {
		const char *text;

		if (text_options[i].id != id)
			continue;
		text = tracedat_copy(dat, data, size);
		return text ? text_options[i].read(dat, text, cursor) : &dms_error_nomem;
	}
	for (size_t i = 0; dat->version == 7 && i < DMS_ARRAY_SIZE(section_options); i++) {
		if (section_options[i].id == id)
			return read_section(dat, i, data, size);
	}
	return NULL;
}

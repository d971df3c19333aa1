// SPDX-License-Identifier: LGPL-2.1-only
/* The event formats of several files as those of one: each number stands for one event. */
#include <stdlib.h>
#include <string.h>

#include "local.h"

/* Of kernel v7.2; a long has 4 or 8 bytes. Fields past "size" are aligned to it. */
static const char own_stack_64[] =
	"name: kernel_stack\n"
	"ID: 4\n"
	"format:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
	"\n"
	"\tfield:int size;\toffset:8;\tsize:4;\tsigned:1;\n"
	"\tfield:unsigned long caller[8];\toffset:16;\tsize:64;\tsigned:0;\n"
	"\n"
	"print fmt: \"\\t=> %ps\\n\", (void *)REC->caller[0]\n";
static const char own_stack_32[] =
	"name: kernel_stack\n"
	"ID: 4\n"
	"format:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
	"\n"
	"\tfield:int size;\toffset:8;\tsize:4;\tsigned:1;\n"
	"\tfield:unsigned long caller[8];\toffset:12;\tsize:32;\tsigned:0;\n"
	"\n"
	"print fmt: \"\\t=> %ps\\n\", (void *)REC->caller[0]\n";
#define OWN_STACK_TYPE 4 /* TRACE_STACK of every kernel */

static bool is_same_event(const struct dms_format *a, const struct dms_format *b)
{
	return !strcmp(a->name, b->name) && !strcmp(a->system, b->system);
}

const char *format_id(const struct dms_format *format, const char **ret_end)
{
	static const char label[] = "\nID: ";
	const char *end = format->text + format->size,
		   *at = memmem(format->text, format->size, label, strlen(label));

	if (!at)
		return NULL;
	at += strlen(label);
	for (*ret_end = at; *ret_end < end && **ret_end >= '0' && **ret_end <= '9';)
		++*ret_end;
	return at;
}

/* Equal, but for the number. */
static bool is_same_text(const struct dms_format *a, const struct dms_format *b)
{
	const char *a_end, *b_end, *a_id = format_id(a, &a_end), *b_id = format_id(b, &b_end);
	size_t before, behind;

	if (!a_id || !b_id)
		return false;
	before = (size_t)(a_id - a->text);
	behind = (size_t)(a->text + a->size - a_end);
	return before == (size_t)(b_id - b->text) && behind == (size_t)(b->text + b->size - b_end) &&
	       !memcmp(a->text, b->text, before) && !memcmp(a_end, b_end, behind);
}

static struct dms_error *add(struct output_formats *formats, const struct dms_format *format,
			     uint32_t id)
{
	if (!dms_grow(&formats->items, &formats->capacity, formats->n_items + 1,
		      sizeof(*formats->items)))
		return &dms_error_nomem;
	formats->items[formats->n_items++] = (struct output_format){format, id};
	if (id < OUTPUT_TYPES && !formats->by_type[id])
		formats->by_type[id] = (uint32_t)formats->n_items;
	return NULL;
}

/* A number nobody has; 0 if all are taken. Those below 1000 may be the tracer's own. */
static uint32_t free_type(const struct output_formats *formats)
{
	for (uint32_t id = 1000; id < OUTPUT_TYPES; id++) {
		if (!formats->by_type[id])
			return id;
	}
	return 0;
}

static struct dms_error *map_type(struct output_formats *formats, uint32_t file, uint32_t from,
				  uint32_t to)
{
	uint16_t *map = formats->maps[file];

	if (from == to)
		return NULL;
	if (!map) {
		map = formats->maps[file] = dms_alloc(OUTPUT_TYPES * sizeof(*map));
		if (!map)
			return &dms_error_nomem;
		for (uint32_t i = 0; i < OUTPUT_TYPES; i++)
			map[i] = (uint16_t)i;
	}
	map[from] = (uint16_t)to;
	return NULL;
}

/* A format of a later file: one we have, a new one, or one whose number means another event. */
static struct dms_error *add_later(struct output_formats *formats, uint32_t file,
				   const struct dms_format *format)
{
	uint32_t item = formats->by_type[format->id], id = format->id;
	struct dms_error *err;

	if (item && is_same_event(formats->items[item - 1].format, format) &&
	    is_same_text(formats->items[item - 1].format, format))
		return NULL;
	for (size_t i = 0; i < formats->n_items; i++) {
		const struct output_format *other = &formats->items[i];

		if (other->id < OUTPUT_TYPES && is_same_event(other->format, format) &&
		    is_same_text(other->format, format))
			return map_type(formats, file, format->id, other->id);
	}
	if (item && !(id = free_type(formats)))
		return dms_error_new(DMS_ERROR_INPUT,
				     "more than %u kinds of events: convert the files one by one",
				     OUTPUT_TYPES);
	if ((err = add(formats, format, id)))
		return err;
	return map_type(formats, file, format->id, id);
}

static struct dms_error *add_file(struct output_formats *formats, struct dms_merge *merge,
				  uint32_t file)
{
	uint32_t n_formats;
	const struct dms_format *all =
		dms_source_formats(dms_merge_source(merge, file), &n_formats);
	_cleanup_(dms_freep) uint8_t *is_seen = dms_zalloc(OUTPUT_TYPES);
	struct dms_error *err = NULL;

	if (!is_seen)
		return &dms_error_nomem;
	for (uint32_t i = 0; !err && i < n_formats; i++) {
		bool has_type = all[i].id < OUTPUT_TYPES;

		if (!file || !has_type)
			err = add(formats, &all[i], all[i].id);
		else if (!is_seen[all[i].id]) /* of two of one file the first counts */
			err = add_later(formats, file, &all[i]);
		if (has_type)
			is_seen[all[i].id] = true;
	}
	return err;
}

/* "caller[8];\toffset:16;" */
static uint32_t stack_offset(const struct dms_format *format)
{
	_cleanup_(dms_freep) char *text = dms_strndup(format->text, format->size);
	const char *field = text ? strstr(text, " caller[") : NULL,
		   *offset = field ? strstr(field, "offset:") : NULL;
	unsigned long value = offset ? strtoul(offset + strlen("offset:"), NULL, 10) : 0;

	return value >= OUTPUT_COMMON_BYTES && value <= 64 ? (uint32_t)value : 0;
}

static struct dms_error *find_stack(struct output_formats *formats, uint32_t long_size)
{
	struct dms_error *err;

	for (size_t i = 0; i < formats->n_items; i++) {
		const struct output_format *item = &formats->items[i];

		if (strcmp(item->format->name, "kernel_stack") != 0 ||
		    strcmp(item->format->system, "ftrace") != 0 || item->id >= OUTPUT_TYPES)
			continue;
		formats->stack_type = item->id;
		formats->stack_offset = stack_offset(item->format);
		if (formats->stack_offset)
			return NULL;
	}
	formats->own_stack = (struct dms_format){
		.system = "ftrace",
		.name = "kernel_stack",
		.text = long_size == 8 ? own_stack_64 : own_stack_32,
		.size = long_size == 8 ? sizeof(own_stack_64) - 1 : sizeof(own_stack_32) - 1,
		.id = OWN_STACK_TYPE,
	};
	formats->stack_offset = stack_offset(&formats->own_stack);
	formats->stack_type =
		formats->by_type[OWN_STACK_TYPE] ? free_type(formats) : OWN_STACK_TYPE;
	err = add(formats, &formats->own_stack, formats->stack_type);
	return formats->stack_offset ? err : &dms_error_nomem;
}

struct dms_error *output_formats_init(struct output_formats *formats, struct dms_merge *merge,
				      bool needs_stack)
{
	struct dms_error *err = NULL;

	*formats = (struct output_formats){.n_files = dms_merge_count(merge)};
	formats->maps = dms_zalloc(formats->n_files * sizeof(uint16_t *));
	formats->by_type = dms_zalloc(OUTPUT_TYPES * sizeof(*formats->by_type));
	if (!formats->maps || !formats->by_type)
		return &dms_error_nomem;
	for (uint32_t i = 0; !err && i < formats->n_files; i++)
		err = add_file(formats, merge, i);
	if (!err && needs_stack)
		err = find_stack(formats, dms_source_info(dms_merge_source(merge, 0))->long_size);
	return err;
}

void output_formats_deinit(struct output_formats *formats)
{
	for (uint32_t i = 0; formats->maps && i < formats->n_files; i++)
		dms_free(formats->maps[i]);
	dms_free(formats->maps);
	dms_free(formats->by_type);
	dms_free(formats->items);
	*formats = (struct output_formats){0};
}

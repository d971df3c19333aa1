// SPDX-License-Identifier: LGPL-2.1-only
/*
 * The field list of a format file, line by line:
 *	field:__data_loc u64[] phys_addrs;	offset:24;	size:4;	signed:0;
 * Source: kernel/trace/trace_events.c f_show().
 */
#include <string.h>

#include "format.h"

/** A stretch of text. */
struct span {
	const char *at, *end;
};

/* What stands between @label and the next ';' of @line; false if there is no such thing. */
static bool find_part(struct span line, const char *label, struct span *ret)
{
	size_t label_len = strlen(label);

	ret->at = memmem(line.at, (size_t)(line.end - line.at), label, label_len);
	if (!ret->at)
		return false;
	ret->at += label_len;
	ret->end = memchr(ret->at, ';', (size_t)(line.end - ret->at));
	return ret->end != NULL;
}

/* A decimal number that fits a record; false for anything else. */
static bool read_number(struct span part, uint32_t *ret)
{
	uint32_t value = 0;

	if (part.at == part.end)
		return false;
	for (; part.at < part.end; part.at++) {
		if (*part.at < '0' || *part.at > '9' || value > UINT16_MAX)
			return false;
		value = value * 10 + (uint32_t)(*part.at - '0');
	}
	*ret = value;
	return true;
}

/* "unsigned long caller[8]": the name is the last word, without what stands in brackets. */
static bool read_declaration(struct span part, struct format_field *ret)
{
	const char *end = part.end, *bracket = memchr(part.at, '[', (size_t)(part.end - part.at));
	const char *name;

	if (bracket && part.end[-1] == ']' && bracket > part.at) {
		ret->is_array = true;
		end = memrchr(part.at, '[', (size_t)(part.end - part.at));
	}
	for (name = end; name > part.at && name[-1] != ' ' && name[-1] != '*'; name--)
		;
	if (name == end || name == part.at)
		return false;
	ret->type = part.at;
	ret->type_len = (size_t)(name - part.at);
	ret->name = name;
	ret->name_len = (size_t)(end - name);
	ret->is_relative = format_type_has(ret, "__rel_loc");
	ret->is_dynamic = ret->is_relative || format_type_has(ret, "__data_loc");
	return true;
}

static bool read_line(struct span line, struct format_field *ret)
{
	struct span declaration, offset, size;

	*ret = (struct format_field){0};
	return find_part(line, "field:", &declaration) && find_part(line, "offset:", &offset) &&
	       find_part(line, "size:", &size) && read_declaration(declaration, ret) &&
	       read_number(offset, &ret->offset) && read_number(size, &ret->size);
}

bool format_find(const char *text, size_t size, const char *name, struct format_field *ret)
{
	size_t name_len = strlen(name);
	struct span line = {.at = text};

	for (; line.at < text + size; line.at = line.end + 1) {
		size_t left = (size_t)(text + size - line.at);

		line.end = memchr(line.at, '\n', left);
		if (!line.end)
			line.end = text + size;
		if (left > 10 && !memcmp(line.at, "print fmt:", 10))
			break;
		if (read_line(line, ret) && ret->name_len == name_len &&
		    !memcmp(ret->name, name, name_len))
			return true;
	}
	return false;
}

bool format_type_has(const struct format_field *field, const char *word)
{
	return memmem(field->type, field->type_len, word, strlen(word)) != NULL;
}

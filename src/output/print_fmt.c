// SPDX-License-Identifier: LGPL-2.1-only
/* Words for events whose format has none: those read from a text say what fields are, not how to print them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local.h"

/** One "\tfield:TYPE NAME;\toffset:O;\tsize:S;\tsigned:B;" line. */
struct field {
	const char *name;
	int name_len;
	const char *type; /* not terminated; up to name */
	unsigned int bytes;
	bool is_signed;
};

/* The field at @line, which ends at @end; false if there is none to print. */
static bool read_field(const char *line, const char *end, struct field *ret)
{
	static const char label[] = "\tfield:";
	const char *semicolon = memchr(line, ';', (size_t)(end - line));
	const char *bytes, *is_signed;

	if (!semicolon || (size_t)(semicolon - line) < sizeof(label) ||
	    memcmp(line, label, strlen(label)) != 0)
		return false;
	ret->type = line + strlen(label);
	for (ret->name = semicolon; ret->name > ret->type && ret->name[-1] != ' ';)
		ret->name--;
	ret->name_len = (int)(semicolon - ret->name);
	bytes = memmem(semicolon, (size_t)(end - semicolon), "size:", strlen("size:"));
	is_signed = memmem(semicolon, (size_t)(end - semicolon), "signed:", strlen("signed:"));
	if (!bytes || !is_signed || ret->name == ret->type)
		return false;
	ret->bytes = (unsigned int)strtoul(bytes + strlen("size:"), NULL, 10);
	ret->is_signed = is_signed[strlen("signed:")] == '1';
	return (ret->name_len < 7 || memcmp(ret->name, "common_", 7) != 0) &&
	       !memchr(ret->name, '[', (size_t)ret->name_len);
}

static bool has_type(const struct field *field, const char *type)
{
	return (size_t)(field->name - field->type) > strlen(type) &&
	       !memcmp(field->type, type, strlen(type));
}

/* "name=%s" into @words, what it stands for into @values. */
static void put_field(const struct field *field, struct blob *words, struct blob *values)
{
	_cleanup_(dms_freep) char *word = NULL, *value = NULL;
	const char *how = field->is_signed ? "%lld" : field->bytes == 8 ? "0x%llx" : "%llu";
	int len = field->name_len;
	const char *name = field->name;

	if (has_type(field, "__data_loc char[]")) {
		how = "%s";
		value = dms_asprintf(", __get_str(%.*s)", len, name);
	} else if (has_type(field, "__data_loc ")) {
		int bytes = has_type(field, "__data_loc u64[]") ? 8 : 4;

		how = "%s";
		value = dms_asprintf(", __print_array(__get_dynamic_array(%.*s), "
				     "__get_dynamic_array_len(%.*s) / %d, %d)",
				     len, name, len, name, bytes, bytes);
	} else {
		value = dms_asprintf(", REC->%.*s", len, name);
	}
	word = dms_asprintf("%s%.*s=%s", words->size ? " " : "", len, name, how);
	if (!word || !value) {
		words->is_broken = true;
		return;
	}
	blob_put(words, word, strlen(word));
	blob_put(values, value, strlen(value));
}

void print_fmt_put(const struct dms_format *format, const char *empty, struct blob *blob)
{
	const char *end = format->text + format->size, *line = format->text;
	struct blob words = {0}, values = {0};

	while (line < empty) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		struct field field;

		if (!newline)
			break;
		if (read_field(line, newline, &field))
			put_field(&field, &words, &values);
		line = newline + 1;
	}
	blob_put(blob, "\"", 1);
	blob_put(blob, words.data, words.size);
	if (empty + 2 < end && empty[2] == ',') /* it has a value, and no words for it */
		blob_put(blob, " %s", 3);
	blob_put(blob, "\"", 1);
	blob_put(blob, values.data, values.size);
	blob->is_broken |= words.is_broken || values.is_broken;
	blob_deinit(&words);
	blob_deinit(&values);
}

const char *print_fmt_empty(const struct dms_format *format)
{
	static const char label[] = "\nprint fmt: \"\"";
	const char *at = memmem(format->text, format->size, label, strlen(label));

	return at ? at + strlen(label) - 2 : NULL;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* A table of kernel symbols given as a file: kallsyms text, or a System.map moved to fit. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"

/* Kernels have some 10 MB of it; with every module loaded, 30. */
#define MAX_FILE_BYTES (256u << 20)
/* Lines before the first symbol, at most: there should be none. */
#define MAX_STRANGE_LINES 16

/** One line: "address type name [module]". */
struct symbol_line {
	uint64_t address;
	size_t digits; /* of the address; they begin the line */
	const char *name;
	size_t name_len;
	bool is_module;
};

/* Take the line at @at, which ends at @end, apart; false if it is none. */
static bool read_symbol(const char *at, const char *end, struct symbol_line *ret)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	const char *digits = at, *blank;

	ret->address = 0;
	for (; at < end && *at && strchr(hex, *at); at++)
		ret->address = ret->address << 4 |
			       (uint64_t)(*at <= '9' ? *at - '0' : (*at | 0x20) - 'a' + 10);
	ret->digits = (size_t)(at - digits);
	if (ret->digits < 8 || ret->digits > 16 || end - at < 4 || *at != ' ' || at[2] != ' ' ||
	    at[1] <= ' ' || at[3] <= ' ')
		return false;
	ret->name = at + 3;
	for (blank = ret->name; blank < end && *blank > ' '; blank++)
		;
	ret->name_len = (size_t)(blank - ret->name);
	ret->is_module = blank < end && memchr(blank, '[', (size_t)(end - blank)) != NULL;
	return true;
}

static const char *line_end(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return newline ? newline : end;
}

static bool is_kallsyms(const char *text, size_t bytes)
{
	const char *end = text + bytes;
	struct symbol_line line;

	for (int i = 0; i < MAX_STRANGE_LINES && text < end; i++) {
		const char *stop = line_end(text, end);

		if (read_symbol(text, stop, &line))
			return true;
		text = stop < end ? stop + 1 : end;
	}
	return false;
}

static struct dms_error *check_table(const struct file *file, const char *text)
{
	if (file->origin && file->origin->damage)
		return dms_error_new(DMS_ERROR_INPUT, "%s: %s", file->path, file->origin->damage);
	if (file->size >= 4 && !memcmp(text, "\x7f" "ELF", 4))
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s: is an ELF file, expected kernel symbols as text; of a "
				     "vmlinux, make them with `nm vmlinux > System.map`",
				     file->path);
	if (!is_kallsyms(text, file->size))
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s: at offset 0: expected kernel symbols, lines of \"address "
				     "type name\" as in /proc/kallsyms or System.map",
				     file->path);
	return NULL;
}

struct dms_error *kallsyms_read(const char *path, char **ret, size_t *ret_bytes)
{
	struct dms_error *err;
	struct file file;
	char *text = NULL;

	if ((err = file_open(path, &file)))
		return err;
	if (file.size > MAX_FILE_BYTES)
		err = dms_error_new(DMS_ERROR_INPUT, "%s: larger than %u MiB: not kernel symbols",
				    file.path, MAX_FILE_BYTES >> 20);
	else if (!(text = dms_alloc(file.size + 1)))
		err = &dms_error_nomem;
	else if (!(err = file_read(&file, 0, text, file.size)))
		err = check_table(&file, text);
	if (err) {
		dms_free(text);
	} else {
		text[file.size] = '\0';
		*ret = text;
		*ret_bytes = file.size;
	}
	file_close(&file);
	return err;
}

/* ---- where the kernel was ----------------------------------------------------------------------- */

/** Where a table has the kernel's image: 0 is not told. */
struct image {
	uint64_t text, stext, end;
};

static bool is_called(const struct symbol_line *line, const char *name)
{
	return line->name_len == strlen(name) && !memcmp(line->name, name, line->name_len);
}

static struct image find_image(const char *text, size_t bytes)
{
	const char *end = text + bytes;
	struct symbol_line line;
	struct image image = {0};

	while (text < end) {
		const char *stop = line_end(text, end);

		if (read_symbol(text, stop, &line) && !line.is_module) {
			if (is_called(&line, "_text"))
				image.text = line.address;
			else if (is_called(&line, "_stext"))
				image.stext = line.address;
			else if (is_called(&line, "_end"))
				image.end = line.address;
		}
		text = stop < end ? stop + 1 : end;
	}
	return image;
}

void kallsyms_move(char *text, size_t bytes, const char *own, size_t own_bytes)
{
	struct image from = find_image(text, bytes), to = find_image(own, own_bytes);
	bool by_text = from.text && to.text;
	uint64_t first = by_text ? from.text : from.stext;
	uint64_t distance = (by_text ? to.text : to.stext) - first;
	char *end = text + bytes, digits[17];
	struct symbol_line line;

	if (!first || (!by_text && !to.stext) || !distance)
		return;
	while (text < end) {
		char *stop = (char *)line_end(text, end);

		/* what lies before is no part of it: offsets in the area of a CPU */
		if (read_symbol(text, stop, &line) && !line.is_module && line.address >= first &&
		    (!from.end || line.address <= from.end)) {
			snprintf(digits, sizeof(digits), "%0*" PRIx64, (int)line.digits,
				 (line.address + distance) & UINT64_MAX >> (64 - 4 * line.digits));
			memcpy(text, digits, line.digits);
		}
		text = stop < end ? stop + 1 : end;
	}
}

// SPDX-License-Identifier: LGPL-2.1-only
/*
 * Symbols of what may be in a call stack: the kernel, and every module that was there while it was
 * recorded. A module that goes takes its symbols along, so they are read when it comes.
 */
#include <errno.h>
#include <string.h>

#include "local.h"

struct dms_error *symbols_init(struct symbols *symbols)
{
	*symbols = (struct symbols){.seen = dms_strtab_create(), .modules = dms_strtab_create()};
	return symbols->seen && symbols->modules ? NULL : &dms_error_nomem;
}

void symbols_deinit(struct symbols *symbols)
{
	dms_strtab_destroy(symbols->seen);
	dms_strtab_destroy(symbols->modules);
	dms_free(symbols->lines.data);
	*symbols = (struct symbols){0};
}

/* Where it was loaded at is part of it: it may come again somewhere else. */
static bool has_new_module(struct symbols *symbols, const struct dms_kernel *kernel)
{
	_cleanup_(dms_freep) char *text = dms_kernel_read(kernel, "/proc/modules", NULL);
	uint32_t n_modules = dms_strtab_count(symbols->modules);
	const char *next;

	symbols->lines.is_broken |= !text && errno == ENOMEM;
	for (const char *line = text && *text ? text : NULL; line; line = next) {
		size_t size = text_line(line, &next);
		/* "NAME BYTES USERS BY STATE ADDRESS [(TAINT)]", where users change all the time */
		const char *address = memmem(line, size, " 0x", 3);
		_cleanup_(dms_freep) char *key = dms_asprintf(
			"%.*s %.*s", (int)strcspn(line, " "), line,
			address ? (int)strcspn(address + 1, " \n") : 0, address ? address + 1 : "");

		if (!key || dms_strtab_add(symbols->modules, key, strlen(key)) == DMS_STR_NONE)
			symbols->lines.is_broken = true;
	}
	return dms_strtab_count(symbols->modules) != n_modules;
}

static bool is_of_module(const char *line, size_t size)
{
	return size && line[size - 1] == ']';
}

/* The kernel's own do not change, so they are taken the first time only. */
static void add(struct symbols *symbols, const char *text)
{
	bool is_first = !symbols->lines.size;
	const char *next;

	for (const char *line = *text ? text : NULL; line; line = next) {
		size_t size = text_line(line, &next);
		uint32_t n_seen = dms_strtab_count(symbols->seen);
		uint32_t number = n_seen;

		if (is_of_module(line, size))
			number = dms_strtab_add(symbols->seen, line, size);
		else if (!is_first)
			continue;
		symbols->lines.is_broken |= number == DMS_STR_NONE;
		if (number != n_seen)
			continue;
		text_put(&symbols->lines, line, size);
		text_put(&symbols->lines, "\n", 1);
	}
}

void symbols_take(struct symbols *symbols, const struct dms_kernel *kernel)
{
	_cleanup_(dms_freep) char *text = NULL;

	has_new_module(symbols, kernel);
	if ((text = dms_kernel_read(kernel, "/proc/kallsyms", NULL)))
		add(symbols, text);
	else
		symbols->lines.is_broken |= errno == ENOMEM;
}

void symbols_look(struct symbols *symbols, const struct dms_kernel *kernel)
{
	if (has_new_module(symbols, kernel))
		symbols_take(symbols, kernel);
}

/* Does a line end in "\t[@name]"? */
static bool has_module(struct text *lines, const char *name, size_t size)
{
	_cleanup_(dms_freep) char *end = dms_asprintf("\t[%.*s]\n", (int)size, name);

	lines->is_broken |= !end;
	return end && strstr(lines->data, end);
}

char *symbols_fill_in(struct symbols *symbols)
{
	struct text names = {0}, lines = {0};

	for (uint32_t i = 0; symbols->lines.size && i < dms_strtab_count(symbols->modules); i++) {
		const char *name = dms_strtab_get(symbols->modules, i); /* "NAME 0xADDRESS" */
		size_t size = strcspn(name, " ");

		if (has_module(&symbols->lines, name, size))
			continue;
		text_printf(&names, "%s%.*s", names.size ? ", " : "", (int)size, name);
		if (strlen(name) > size + 3)
			text_printf(&lines, "%s t no_symbols\t[%.*s]\n", name + size + 3, (int)size, name);
	}
	text_put(&symbols->lines, lines.data ? lines.data : "", lines.size);
	symbols->lines.is_broken |= lines.is_broken || names.is_broken;
	dms_free(lines.data);
	return names.data;
}

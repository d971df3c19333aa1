// SPDX-License-Identifier: LGPL-2.1-only
/* Text that grows, files of /proc and /sys as text, lists of names. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "local.h"

/* No file of /proc or /sys that we read comes near to it: kallsyms has 10 to 20 MB. */
#define MAX_FILE_BYTES (256u << 20)

void text_put(struct text *text, const char *data, size_t size)
{
	if (text->is_broken)
		return;
	if (!dms_grow(&text->data, &text->capacity, text->size + size + 1, 1)) {
		text->is_broken = true;
		return;
	}
	if (size)
		memcpy(text->data + text->size, data, size);
	text->size += size;
	text->data[text->size] = '\0';
}

void text_printf(struct text *text, const char *fmt, ...)
{
	char *line;
	va_list args;

	va_start(args, fmt);
	line = dms_vasprintf(fmt, args);
	va_end(args);
	if (line)
		text_put(text, line, strlen(line));
	else
		text->is_broken = true;
	dms_free(line);
}

/* Return: 0, or what went wrong. */
static int read_all(int fd, struct text *text)
{
	ssize_t got;

	do {
		if (!dms_grow(&text->data, &text->capacity, text->size + 65536, 1))
			return ENOMEM;
		got = read(fd, text->data + text->size, text->capacity - text->size - 1);
		if (got > 0)
			text->size += (size_t)got;
		if (text->size > MAX_FILE_BYTES)
			return EFBIG;
	} while (got > 0 || (got < 0 && errno == EINTR));
	text->data[text->size] = '\0';
	return got < 0 ? errno : 0;
}

char *text_file(const char *path, size_t *ret_size)
{
	struct text text = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int failure = fd < 0 ? errno : read_all(fd, &text);

	if (fd >= 0)
		close(fd);
	if (failure) {
		dms_free(text.data);
		errno = failure;
		return NULL;
	}
	if (ret_size)
		*ret_size = text.size;
	return text.data;
}

size_t text_line(const char *text, const char **ret_next)
{
	size_t size = strcspn(text, "\n");

	*ret_next = text[size] ? text + size + 1 : NULL;
	if (*ret_next && !**ret_next)
		*ret_next = NULL;
	return size;
}

/* ---- names ----------------------------------------------------------------------------------- */

struct dms_error *dms_list_add(struct dms_list *names, const char *name)
{
	char *copy = dms_strdup(name);

	if (!copy ||
	    !dms_grow(&names->items, &names->capacity, names->n_items + 1, sizeof(*names->items))) {
		dms_free(copy);
		return &dms_error_nomem;
	}
	names->items[names->n_items++] = copy;
	return NULL;
}

void dms_list_free(struct dms_list *names)
{
	for (size_t i = 0; i < names->n_items; i++)
		dms_free(names->items[i]);
	dms_free(names->items);
	*names = (struct dms_list){0};
}

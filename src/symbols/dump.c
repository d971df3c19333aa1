// SPDX-License-Identifier: LGPL-2.1-only
/* The kernel's own list of live mappings, debugfs dma-api/dump, read line by line. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/machine.h>

#include "textfile.h"

#define MAX_FILE_BYTES (1u << 30) /* some 150 bytes a line: 7 million mappings */

/* dir2name[] of kernel/dma/debug.c, by enum dma_data_direction, whose numbers enum dms_dir has. */
static const char *const dir_words[] = {
	"DMA_BIDIRECTIONAL",
	"DMA_TO_DEVICE",
	"DMA_FROM_DEVICE",
	"DMA_NONE",
};

/* The number behind @key ("P="), with or without 0x. */
static bool read_hex(const char *text, const char *key, uint64_t *ret)
{
	const char *at = strstr(text, key);
	char *end;

	if (!at)
		return false;
	at += strlen(key);
	if (*at == ' ' || *at == '-' || *at == '+')
		return false; /* strtoull() would take them */
	*ret = strtoull(at, &end, 16);
	return end > at && (!*end || *end == ' ');
}

static bool read_dir(const char *text, uint8_t *ret)
{
	for (uint8_t i = 0; i < DMS_ARRAY_SIZE(dir_words); i++) {
		if (strstr(text, dir_words[i])) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* Cut the last word off @text; "" if there is none. */
static char *last_word(char *text)
{
	char *blank = strrchr(text, ' ');

	if (!blank)
		return text + strlen(text);
	*blank = '\0';
	return blank + 1;
}

/*
 * "DRIVER DEVICE TYPE idx N P=.. D=.. L=.. cln=.. DMA_DIR [attrs=0x..] dma map error ..."; P= was
 * preceded by N= before 5.15, and cln= did not exist. A driver's name may hold blanks, a device
 * or driver may be called anything: so the line is taken apart from its middle.
 */
static bool read_line(char *line, struct dms_dump_entry *ret)
{
	char *middle = NULL;

	for (char *at = line; (at = strstr(at, " idx ")); at += 5) {
		size_t digits = strspn(at + 5, "0123456789");

		if (digits && !strncmp(at + 5 + digits, " P=", 3))
			middle = at;
	}
	if (!middle)
		return false;
	*middle++ = '\0';
	*ret = (struct dms_dump_entry){.attrs = 0};
	if (!read_hex(middle, " P=", &ret->phys_addr) || !read_hex(middle, " D=", &ret->dma_addr) ||
	    !read_hex(middle, " L=", &ret->size) || !read_dir(middle, &ret->dir))
		return false;
	read_hex(middle, " attrs=", &ret->attrs);
	ret->is_unchecked = strstr(middle, "dma map error not checked") != NULL;
	ret->is_checked = strstr(middle, "dma map error checked") != NULL;
	ret->type = last_word(line);
	ret->device = last_word(line);
	ret->driver = line;
	if (!*ret->device) { /* a device without bus and driver: the line begins with a blank */
		ret->device = line;
		ret->driver = "";
	}
	return *ret->type && *ret->device;
}

static char *next_line(char **rest)
{
	char *line = *rest, *end = strchr(line, '\n');

	*rest = end ? end + 1 : line + strlen(line);
	if (end)
		*end = '\0';
	if (end && end > line && end[-1] == '\r')
		end[-1] = '\0';
	return line;
}

struct dms_error *dms_dump_read(const char *path,
				struct dms_error *(*take)(void *context,
							  const struct dms_dump_entry *entry),
				void *context)
{
	_cleanup_(dms_freep) char *text = NULL;
	struct dms_dump_entry entry;
	size_t size = 0;
	uint32_t number = 1;
	struct dms_error *err = textfile_read(path, MAX_FILE_BYTES, "a dma-api dump", &text, &size);

	if (err)
		return err;
	if (memchr(text, '\0', size))
		return dms_error_new(DMS_ERROR_INPUT, "%s: holds a zero byte: not a dma-api dump",
				     path);
	for (char *rest = text; *rest; number++) {
		char *line = next_line(&rest);

		if (!*line)
			continue;
		if (!read_line(line, &entry))
			return dms_error_new(DMS_ERROR_INPUT,
					     "%s: line %" PRIu32 " is none of a dma-api dump", path,
					     number);
		if ((err = take(context, &entry)))
			return err;
	}
	return NULL;
}

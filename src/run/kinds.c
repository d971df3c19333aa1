// SPDX-License-Identifier: LGPL-2.1-only
/* What a text file is, by its first lines. */
#include <string.h>

#include "recognise.h"

/** A line, not terminated. */
struct line {
	const char *at, *end;
};

static bool next_line(struct line *line, const char **rest, const char *end)
{
	const char *newline;

	if (*rest >= end)
		return false;
	newline = memchr(*rest, '\n', (size_t)(end - *rest));
	line->at = *rest;
	line->end = newline ? newline : end;
	*rest = newline ? newline + 1 : end;
	if (line->end > line->at && line->end[-1] == '\r')
		line->end--;
	return true;
}

static void skip(struct line *line, const char *chars)
{
	while (line->at < line->end && *line->at && strchr(chars, *line->at))
		line->at++;
}

/* Step over characters of @chars, up to @max. Return: how many there were. */
static size_t take(struct line *line, const char *chars, size_t max)
{
	const char *start = line->at;

	while (line->at < line->end && (size_t)(line->at - start) < max && *line->at &&
	       strchr(chars, *line->at))
		line->at++;
	return (size_t)(line->at - start);
}

static bool take_word(struct line *line, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(line->end - line->at) < len || memcmp(line->at, word, len) != 0)
		return false;
	line->at += len;
	return true;
}

static bool has(struct line line, const char *word)
{
	return memmem(line.at, (size_t)(line.end - line.at), word, strlen(word)) != NULL;
}

#define HEX "0123456789abcdefABCDEF"

/* "0000:00:1f.2 ahci": what some machines' inventories have of nearly every device */
static bool is_pci_device(struct line line)
{
	static const char *const behind[] = {":", ":", ".", " "};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(behind); i++) {
		if (!take(&line, HEX, 8) || !take_word(&line, behind[i]))
			return false;
	}
	return line.at < line.end && !memchr(line.at, ':', (size_t)(line.end - line.at));
}

/* "NAME DRIVER KEY=VALUE...": one key is known to be ours */
static bool is_inventory(struct line line)
{
	static const char *const keys[] = {" bus=",	    " dma_mask_bits=", " coherent_dma_mask_bits=",
					   " iommu_group=", " iommu_type=",    " coherent=",
					   " max_seg_size=", " seg_boundary="};

	if (has(line, DMS_INVENTORY_MARKER))
		return false;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(keys); i++) {
		if (has(line, keys[i]))
			return true;
	}
	return is_pci_device(line);
}

/* "  00100000-7fffffff : System RAM" */
static bool is_iomem(struct line line)
{
	skip(&line, " ");
	return take(&line, HEX, 16) >= 8 && take_word(&line, "-") && take(&line, HEX, 16) >= 8 &&
	       take_word(&line, " : ");
}

/* "e1000e 0000:00:02.0 single idx 15 P=... D=... L=... DMA_TO_DEVICE ..." */
static bool is_dump(struct line line)
{
	return has(line, " idx ") && has(line, " P=") && has(line, " D=") && has(line, " L=") &&
	       has(line, " DMA_");
}

/* "ffffffff81000000 T _text", "ffffffffc0000000 t function [module]" */
static bool is_kallsyms(struct line line)
{
	size_t digits = take(&line, HEX, 16);

	return (digits == 8 || digits == 16) && line.end - line.at > 3 && line.at[0] == ' ' &&
	       line.at[1] > ' ' && line.at[2] == ' ' && line.at[3] > ' ';
}

#define MAX_LINES 64

/* Three of four of the first lines: a file may have one that is damaged, and its reader tells. */
static bool are_lines(const char *head, const char *end, bool (*fits)(struct line line))
{
	unsigned int n_lines = 0, n_fit = 0;
	struct line line;

	while (n_lines < MAX_LINES && next_line(&line, &head, end)) {
		struct line word = line;

		skip(&word, " \t");
		if (word.at == word.end || *word.at == '#' || take_word(&word, "nic "))
			continue;
		n_lines++;
		n_fit += fits(line);
	}
	return n_fit && n_fit * 4 >= n_lines * 3;
}

static const struct {
	enum dms_file_kind kind;
	bool (*fits)(struct line line);
} kinds[] = {
	{DMS_FILE_KALLSYMS, is_kallsyms},
	{DMS_FILE_IOMEM, is_iomem},
	{DMS_FILE_DUMP, is_dump},
	{DMS_FILE_INVENTORY, is_inventory},
};

enum dms_file_kind dms_file_kind(const char *head, size_t bytes)
{
	if (memchr(head, '\0', bytes < 4096 ? bytes : 4096))
		return DMS_FILE_OTHER;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(kinds); i++) {
		if (are_lines(head, head + bytes, kinds[i].fits))
			return kinds[i].kind;
	}
	return DMS_FILE_OTHER;
}

/* "<6>[   12.345678] ", "[   12.345678] ", with or without what a journal puts before */
static bool has_stamp(struct line line)
{
	const char *host = memmem(line.at, (size_t)(line.end - line.at), " kernel: ", 9);

	if (host && host - line.at < 128)
		return true;
	if (take_word(&line, "<") && !(take(&line, "0123456789", 3) && take_word(&line, ">")))
		return false;
	if (!take_word(&line, "["))
		return false;
	skip(&line, " ");
	return take(&line, "0123456789", 10) && take_word(&line, ".") &&
	       take(&line, "0123456789", 9) >= 3 && (take_word(&line, "]") || has(line, "]"));
}

bool dms_file_has_log_lines(const char *head, size_t bytes)
{
	const char *end = head + bytes;
	unsigned int n_stamped = 0;
	struct line line;

	while (n_stamped < 2 && next_line(&line, &head, end))
		n_stamped += has_stamp(line);
	return n_stamped == 2;
}

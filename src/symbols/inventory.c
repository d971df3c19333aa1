// SPDX-License-Identifier: LGPL-2.1-only
/* The device inventory: text lines to devices, found by name. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/inventory.h>

#include "textfile.h"

#define MAX_FILE_BYTES (16u << 20)
#define MAX_LINE_BYTES 4096
/* Lines of the trace are put in their places one by one: more would only keep us busy. */
#define MAX_ADDED 65536

struct dms_inventory {
	struct dms_strtab *strings;
	struct dms_inventory_device *devices; /* sorted by name and bus */
	size_t capacity;
	uint32_t n_devices;
};

/** The line in hand, copied: its words are cut out in place. */
struct line {
	struct dms_inventory *inventory;
	uint32_t number; /* from 1; 0: it is the trace's */
	char *rest;
	char text[MAX_LINE_BYTES + 1];
};

/* What is wrong with @line; @text is taken. */
static struct dms_error *error_at(const struct line *line, char *text)
{
	struct dms_error *err;

	if (!text)
		return &dms_error_nomem;
	if (line->number)
		err = dms_error_new(DMS_ERROR_INPUT, "line %" PRIu32 ": %s", line->number, text);
	else
		err = dms_error_new(DMS_ERROR_INPUT, "%s", text);
	dms_free(text);
	return err;
}

static struct dms_error *malformed(const struct line *line, const char *what, const char *word)
{
	return error_at(line, dms_asprintf("%s%s%s%s", what, word ? " '" : "", word ? word : "",
					   word ? "'" : ""));
}

static char *next_word(struct line *line)
{
	char *word = line->rest + strspn(line->rest, " \t");

	line->rest = word + strcspn(word, " \t");
	if (*line->rest)
		*line->rest++ = '\0';
	return *word ? word : NULL;
}

/* "\040" stands for the byte of that octal number: a name may hold a blank. False: it is none. */
static bool unescape(char *word)
{
	char *to = word;

	while (*word) {
		unsigned int byte = (unsigned char)*word++;

		if (byte == '\\') {
			byte = 0;
			for (int i = 0; i < 3; i++, word++) {
				if (*word < '0' || *word > '7')
					return false;
				byte = byte * 8 + (unsigned int)(*word - '0');
			}
			if (!byte || byte > 255)
				return false;
		}
		*to++ = (char)byte;
	}
	*to = '\0';
	return true;
}

static struct dms_error *take_text(struct line *line, char *word, const char **ret)
{
	struct dms_strtab *strings = line->inventory->strings;
	uint32_t id;

	if (!unescape(word))
		return malformed(line, "a backslash needs three octal digits in", word);
	id = dms_strtab_add(strings, word, strlen(word));
	if (id == DMS_STR_NONE)
		return &dms_error_nomem;
	*ret = dms_strtab_get(strings, id);
	return NULL;
}

/* Decimal, or hexadecimal behind 0x. */
static bool read_number(const char *value, bool is_hex_allowed, uint64_t *ret)
{
	bool is_hex = is_hex_allowed && value[0] == '0' && (value[1] | 0x20) == 'x';
	const char *digits = value + (is_hex ? 2 : 0);
	size_t n = strspn(digits, is_hex ? "0123456789abcdefABCDEF" : "0123456789");

	errno = 0;
	*ret = strtoull(digits, NULL, is_hex ? 16 : 10);
	return n && !digits[n] && !errno;
}

enum value_type { VALUE_TEXT, VALUE_BITS, VALUE_GROUP, VALUE_BOOL, VALUE_BYTES, VALUE_MASK };

#define PLACE(name) offsetof(struct dms_inventory_device, name)
static const struct key_row {
	const char *key;
	enum value_type type;
	size_t place;
	uint64_t min, max;
} key_rows[] = {
	{"bus", VALUE_TEXT, PLACE(bus), 0, 0},
	{"iommu_type", VALUE_TEXT, PLACE(iommu_type), 0, 0},
	{"dma_mask_bits", VALUE_BITS, PLACE(dma_mask_bits), 1, 64},
	{"coherent_dma_mask_bits", VALUE_BITS, PLACE(coherent_dma_mask_bits), 1, 64},
	{"iommu_group", VALUE_GROUP, PLACE(iommu_group), 0, INT32_MAX},
	{"coherent", VALUE_BOOL, PLACE(coherent), 0, 1},
	{"max_seg_size", VALUE_BYTES, PLACE(max_segment_bytes), 1, UINT32_MAX},
	{"seg_boundary", VALUE_MASK, PLACE(segment_boundary), 1, UINT64_MAX},
};

static struct dms_error *take_number(const struct line *line, const struct key_row *row,
				     const char *value, uint64_t *ret)
{
	bool is_mask = row->type == VALUE_MASK;

	if (!read_number(value, is_mask, ret) || *ret < row->min || *ret > row->max)
		return error_at(line, dms_asprintf("%s takes a number from %" PRIu64 " to %" PRIu64
						   ", not '%s'",
						   row->key, row->min, row->max, value));
	if (is_mask && (*ret & (*ret + 1)))
		return error_at(line, dms_asprintf("%s takes a mask, such as 0xffff, not '%s'",
						   row->key, value));
	return NULL;
}

static struct dms_error *take_value(struct line *line, const struct key_row *row, char *value,
				    struct dms_inventory_device *device)
{
	char *place = (char *)device + row->place;
	struct dms_error *err;
	uint64_t number = 0;

	if (row->type == VALUE_TEXT)
		return take_text(line, value, (const char **)(void *)place);
	err = take_number(line, row, value, &number);
	if (err)
		return err;
	if (row->type == VALUE_GROUP)
		*(int32_t *)(void *)place = (int32_t)number;
	else if (row->type == VALUE_BYTES || row->type == VALUE_MASK)
		*(uint64_t *)(void *)place = number;
	else
		*place = (char)number; /* uint8_t and int8_t, up to 64 */
	return NULL;
}

/* @seen: a bit for each row of key_rows that the line had. */
static struct dms_error *take_pair(struct line *line, char *word, uint32_t *seen,
				   struct dms_inventory_device *device)
{
	char *equals = strchr(word, '=');

	if (!equals || equals == word)
		return malformed(line, "expected KEY=VALUE, not", word);
	*equals = '\0';
	for (size_t i = 0; i < DMS_ARRAY_SIZE(key_rows); i++) {
		if (strcmp(word, key_rows[i].key) != 0)
			continue;
		if (*seen & DMS_BIT(i))
			return malformed(line, "told twice:", word);
		*seen |= DMS_BIT(i);
		/* an empty value: whoever wrote the file did not know */
		return equals[1] ? take_value(line, &key_rows[i], equals + 1, device) : NULL;
	}
	return NULL; /* what later versions know */
}

static struct dms_error *take_device(struct line *line, char *name,
				     struct dms_inventory_device *ret)
{
	struct dms_inventory_device device = {
		.iommu_group = -1, .coherent = -1, .line = line->number};
	char *word = next_word(line);
	struct dms_error *err;
	uint32_t seen = 0;

	if (!word)
		return malformed(line, "no driver behind the device's name (- for none):", name);
	if ((err = take_text(line, name, &device.name)))
		return err;
	if (strcmp(word, "-") != 0 && (err = take_text(line, word, &device.driver)))
		return err;
	while ((word = next_word(line))) {
		if ((err = take_pair(line, word, &seen, &device)))
			return err;
	}
	*ret = device;
	return NULL;
}

/* Into *@ret, whose name stays NULL if the line tells of no device. */
static struct dms_error *take_line(struct line *line, const char *text, size_t size,
				   struct dms_inventory_device *ret)
{
	char *word;

	if (size && text[size - 1] == '\r')
		size--;
	if (size > MAX_LINE_BYTES)
		return malformed(line, "longer than 4096 bytes", NULL);
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)text[i];

		if ((byte < ' ' && byte != '\t') || byte == 0x7f)
			return malformed(line, "holds a control character", NULL);
	}
	if (size)
		memcpy(line->text, text, size);
	line->text[size] = '\0';
	line->rest = line->text;
	word = next_word(line);
	/* "nic" begins notes of our own recordings on pairs of network interfaces */
	if (!word || *word == '#' || !strcmp(word, "nic"))
		return NULL;
	return take_device(line, word, ret);
}

/* Room for one more at @index, which is not yet filled. */
static bool open_place(struct dms_inventory *inventory, uint32_t index)
{
	struct dms_inventory_device *place;

	if (!dms_grow(&inventory->devices, &inventory->capacity, (size_t)inventory->n_devices + 1,
		      sizeof(*place)))
		return false;
	place = &inventory->devices[index];
	memmove(place + 1, place, (inventory->n_devices++ - index) * sizeof(*place));
	return true;
}

static int compare_bus(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

static int by_name(const void *left, const void *right)
{
	const struct dms_inventory_device *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	if (!order)
		order = compare_bus(a->bus, b->bus);
	return order ? order : a->line < b->line ? -1 : a->line > b->line;
}

/* Names are unique on each bus only. */
static bool may_be_same(const struct dms_inventory_device *a, const struct dms_inventory_device *b)
{
	return !a->bus || !b->bus || !strcmp(a->bus, b->bus);
}

static struct dms_error *sort_unique(struct dms_inventory *inventory)
{
	struct dms_inventory_device *devices = inventory->devices;

	if (inventory->n_devices)
		qsort(devices, inventory->n_devices, sizeof(*devices), by_name);
	for (uint32_t i = 1; i < inventory->n_devices; i++) {
		struct dms_inventory_device *a = &devices[i - 1], *b = &devices[i];

		if (strcmp(a->name, b->name) != 0)
			continue;
		if (may_be_same(a, b))
			return dms_error_new(DMS_ERROR_INPUT,
					     "line %" PRIu32
					     ": device '%s' is told on line %" PRIu32
					     " already, and not of another bus",
					     a->line > b->line ? a->line : b->line, a->name,
					     a->line > b->line ? b->line : a->line);
		a->is_ambiguous = b->is_ambiguous = true;
	}
	return NULL;
}

struct dms_error *dms_inventory_create(const char *text, size_t size, struct dms_inventory **ret)
{
	struct dms_inventory *inventory = dms_zalloc(sizeof(*inventory));
	struct line line = {.inventory = inventory};
	struct dms_inventory_device device;
	struct dms_error *err = NULL;
	size_t at = 0;

	if (!inventory || !(inventory->strings = dms_strtab_create())) {
		dms_free(inventory);
		return &dms_error_nomem;
	}
	while (!err && at < size) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t bytes = end ? (size_t)(end - text) - at : size - at;

		line.number++;
		device.name = NULL;
		err = take_line(&line, text + at, bytes, &device);
		if (!err && device.name) {
			if (open_place(inventory, inventory->n_devices))
				inventory->devices[inventory->n_devices - 1] = device;
			else
				err = &dms_error_nomem;
		}
		at += bytes + 1;
	}
	if (!err)
		err = sort_unique(inventory);
	if (err) {
		dms_inventory_destroy(inventory);
		return err;
	}
	*ret = inventory;
	return NULL;
}

void dms_inventory_destroy(struct dms_inventory *inventory)
{
	if (!inventory)
		return;
	dms_strtab_destroy(inventory->strings);
	dms_free(inventory->devices);
	dms_free(inventory);
}

struct dms_error *dms_inventory_read(const char *path, struct dms_inventory **ret)
{
	_cleanup_(dms_freep) char *text = NULL;
	size_t size = 0;
	struct dms_error *err =
		textfile_read(path, MAX_FILE_BYTES, "a device inventory", &text, &size);

	if (err)
		return err;
	err = dms_inventory_create(text, size, ret);
	return err ? dms_error_wrap(err, "%s", path) : NULL;
}

/* The first device that is not named less than @name. */
static uint32_t lower_bound(const struct dms_inventory *inventory, const char *name)
{
	uint32_t low = 0, high = inventory ? inventory->n_devices : 0;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (strcmp(inventory->devices[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_called(const struct dms_inventory *inventory, uint32_t index, const char *name)
{
	return index < inventory->n_devices && !strcmp(inventory->devices[index].name, name);
}

static struct dms_error *add_device(struct dms_inventory *inventory,
				    const struct dms_inventory_device *device)
{
	uint32_t first = lower_bound(inventory, device->name), at = first, place = first;

	for (; is_called(inventory, at, device->name); at++) {
		struct dms_inventory_device *known = &inventory->devices[at];

		if (may_be_same(known, device)) {
			bool is_ambiguous = known->is_ambiguous;

			if (!known->line)
				*known = *device;
			known->is_ambiguous = is_ambiguous;
			return NULL;
		}
		if (strcmp(known->bus, device->bus) < 0)
			place = at + 1;
	}
	if (inventory->n_devices >= MAX_ADDED)
		return dms_error_new(DMS_ERROR_INPUT, "one device more than can be added");
	if (!open_place(inventory, place))
		return &dms_error_nomem;
	inventory->devices[place] = *device;
	for (uint32_t i = first; at > first && i <= at; i++)
		inventory->devices[i].is_ambiguous = true;
	return NULL;
}

struct dms_error *dms_inventory_add_line(struct dms_inventory *inventory, const char *text,
					 size_t size)
{
	struct line line = {.inventory = inventory};
	struct dms_inventory_device device = {.name = NULL};
	struct dms_error *err;

	while (size && (text[size - 1] == '\n' || text[size - 1] == '\0'))
		size--;
	err = take_line(&line, text, size, &device);
	return err || !device.name ? err : add_device(inventory, &device);
}

const struct dms_inventory_device *dms_inventory_find(const struct dms_inventory *inventory,
						      const char *name)
{
	uint32_t index = lower_bound(inventory, name);

	if (!inventory || !is_called(inventory, index, name) ||
	    inventory->devices[index].is_ambiguous)
		return NULL;
	return &inventory->devices[index];
}

uint32_t dms_inventory_count(const struct dms_inventory *inventory)
{
	return inventory->n_devices;
}

const struct dms_inventory_device *dms_inventory_at(const struct dms_inventory *inventory,
						    uint32_t index)
{
	return &inventory->devices[index];
}

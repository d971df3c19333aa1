// SPDX-License-Identifier: LGPL-2.1-only
/* The device inventory: text lines to devices, found by name. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/inventory.h>

#define MAX_FILE_BYTES (16u << 20)
#define MAX_LINE_BYTES 4096

struct dms_inventory {
	struct dms_strtab *strings;
	struct dms_inventory_device *devices; /* sorted by name */
	size_t capacity;
	uint32_t n_devices;
};

/** The line in hand, copied: its words are cut out in place. */
struct line {
	struct dms_inventory *inventory;
	uint32_t number; /* from 1 */
	char *rest;
	char text[MAX_LINE_BYTES + 1];
};

static struct dms_error *malformed(const struct line *line, const char *what, const char *word)
{
	return dms_error_new(DMS_ERROR_INPUT, "line %" PRIu32 ": %s%s%s%s", line->number, what,
			     word ? " '" : "", word ? word : "", word ? "'" : "");
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

static struct dms_error *take_number(const struct line *line, const char *key, const char *value,
				     uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t number = 0;
	size_t digits = strspn(value, "0123456789");

	if (digits && digits <= 10 && !value[digits])
		number = strtoull(value, NULL, 10);
	if (!digits || digits > 10 || value[digits] || number < min || number > max)
		return dms_error_new(DMS_ERROR_INPUT,
				     "line %" PRIu32 ": %s takes a number from %" PRIu32
				     " to %" PRIu32 ", not '%s'",
				     line->number, key, min, max, value);
	*ret = (uint32_t)number;
	return NULL;
}

enum value_type { VALUE_TEXT, VALUE_BITS, VALUE_GROUP, VALUE_BOOL };

#define PLACE(name) offsetof(struct dms_inventory_device, name)
static const struct key_row {
	const char *key;
	enum value_type type;
	size_t place;
	uint32_t min, max;
} key_rows[] = {
	{"bus", VALUE_TEXT, PLACE(bus), 0, 0},
	{"iommu_type", VALUE_TEXT, PLACE(iommu_type), 0, 0},
	{"dma_mask_bits", VALUE_BITS, PLACE(dma_mask_bits), 1, 64},
	{"coherent_dma_mask_bits", VALUE_BITS, PLACE(coherent_dma_mask_bits), 1, 64},
	{"iommu_group", VALUE_GROUP, PLACE(iommu_group), 0, INT32_MAX},
	{"coherent", VALUE_BOOL, PLACE(coherent), 0, 1},
};

static struct dms_error *take_value(struct line *line, const struct key_row *row, char *value,
				    struct dms_inventory_device *device)
{
	char *place = (char *)device + row->place;
	struct dms_error *err;
	uint32_t number = 0;

	if (row->type == VALUE_TEXT)
		return take_text(line, value, (const char **)(void *)place);
	err = take_number(line, row->key, value, row->min, row->max, &number);
	if (err)
		return err;
	if (row->type == VALUE_GROUP)
		*(int32_t *)(void *)place = (int32_t)number;
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

static struct dms_error *take_device(struct line *line, char *name)
{
	struct dms_inventory *inventory = line->inventory;
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
	if (!dms_grow(&inventory->devices, &inventory->capacity, (size_t)inventory->n_devices + 1,
		      sizeof(device)))
		return &dms_error_nomem;
	inventory->devices[inventory->n_devices++] = device;
	return NULL;
}

static struct dms_error *take_line(struct line *line, const char *text, size_t size)
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
	return take_device(line, word);
}

static int by_name(const void *left, const void *right)
{
	const struct dms_inventory_device *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	return order ? order : a->line < b->line ? -1 : a->line > b->line;
}

static struct dms_error *sort_unique(struct dms_inventory *inventory)
{
	const struct dms_inventory_device *devices = inventory->devices;

	if (inventory->n_devices)
		qsort(inventory->devices, inventory->n_devices, sizeof(*devices), by_name);
	for (uint32_t i = 1; i < inventory->n_devices; i++) {
		if (!strcmp(devices[i - 1].name, devices[i].name))
			return dms_error_new(DMS_ERROR_INPUT,
					     "line %" PRIu32
					     ": device '%s' is told on line %" PRIu32 " already",
					     devices[i].line, devices[i].name, devices[i - 1].line);
	}
	return NULL;
}

struct dms_error *dms_inventory_create(const char *text, size_t size, struct dms_inventory **ret)
{
	struct dms_inventory *inventory = dms_zalloc(sizeof(*inventory));
	struct line line = {.inventory = inventory};
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
		err = take_line(&line, text + at, bytes);
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

/* All of @file, at most one byte more than is allowed: a pipe has no size to ask for. */
static struct dms_error *slurp(FILE *file, char **ret, size_t *ret_size)
{
	size_t capacity = 0, size = 0, got;

	*ret = NULL;
	do {
		if (!dms_grow(ret, &capacity, size + 4096, 1))
			return &dms_error_nomem;
		got = fread(*ret + size, 1, capacity - size, file);
		size += got;
	} while (got && size <= MAX_FILE_BYTES);
	*ret_size = size;
	if (ferror(file))
		return dms_error_errno(DMS_ERROR_INPUT, errno, "cannot read");
	if (size > MAX_FILE_BYTES)
		return dms_error_new(DMS_ERROR_INPUT, "larger than 16 MiB: not a device inventory");
	return NULL;
}

struct dms_error *dms_inventory_read(const char *path, struct dms_inventory **ret)
{
	_cleanup_(dms_freep) char *text = NULL;
	FILE *file = fopen(path, "re");
	struct dms_error *err;
	size_t size = 0;

	if (!file)
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", path);
	err = slurp(file, &text, &size);
	fclose(file);
	if (!err)
		err = dms_inventory_create(text, size, ret);
	return err ? dms_error_wrap(err, "%s", path) : NULL;
}

const struct dms_inventory_device *dms_inventory_find(const struct dms_inventory *inventory,
						      const char *name)
{
	uint32_t low = 0, high = inventory ? inventory->n_devices : 0;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(name, inventory->devices[middle].name);

		if (!order)
			return &inventory->devices[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

uint32_t dms_inventory_count(const struct dms_inventory *inventory)
{
	return inventory->n_devices;
}

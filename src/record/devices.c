// SPDX-License-Identifier: LGPL-2.1-only
/* The device inventory of a running machine, from sysfs. Format: dmascope-inventory(5). */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "local.h"

/** Where a device is: "/sys/bus/pci/devices/0000:00:01.0". */
struct place {
	const struct dms_kernel *kernel;
	const char *path;
};

/* Blanks and what would end a word become octal. */
static void put_word(struct text *text, const char *word)
{
	for (; *word; word++) {
		unsigned char byte = (unsigned char)*word;

		if (byte <= ' ' || byte == '\\' || byte == 0x7f)
			text_printf(text, "\\%03o", byte);
		else
			text_put(text, word, 1);
	}
}

/* The last part of where the link @name leads; NULL: there is none, or @text is broken. */
static char *link_end(struct text *text, const struct place *place, const char *name)
{
	_cleanup_(dms_freep) char *path =
		dms_asprintf("%s%s/%s", place->kernel->root, place->path, name);
	char target[PATH_MAX];
	ssize_t size = path ? readlink(path, target, sizeof(target) - 1) : -1;
	const char *slash;
	char *end;

	text->is_broken |= !path;
	if (size <= 0)
		return NULL;
	target[size] = '\0';
	slash = strrchr(target, '/');
	end = dms_strdup(slash ? slash + 1 : target);
	text->is_broken |= !end;
	return end;
}

/* The first line of the attribute @name; NULL: there is none, it is empty, or @text is broken. */
static char *attribute(struct text *text, const struct place *place, const char *name)
{
	_cleanup_(dms_freep) char *path = dms_asprintf("%s/%s", place->path, name);
	char *value = path ? dms_kernel_read(place->kernel, path, NULL) : NULL;

	text->is_broken |= !value && errno == ENOMEM;
	if (value)
		value[strcspn(value, "\n")] = '\0';
	if (value && !*value)
		dms_freep(&value);
	return value;
}

static bool is_number(const char *text, unsigned int least, unsigned int most)
{
	unsigned int value = 0;

	for (const char *at = text; *at; at++) {
		if (!isdigit((unsigned char)*at) || value > most)
			return false;
		value = value * 10 + (unsigned int)(*at - '0');
	}
	return *text && value >= least && value <= most;
}

/** A number of an attribute, as a key. */
static void put_bits(struct text *text, const struct place *place, const char *key,
		     const char *name)
{
	_cleanup_(dms_freep) char *bits = attribute(text, place, name);

	if (bits && is_number(bits, 1, 64))
		text_printf(text, " %s=%s", key, bits);
}

/* x86 is coherent throughout; a device tree says so device by device, and nobody says the opposite.
 */
static bool is_coherent(struct text *text, const struct place *place)
{
	_cleanup_(dms_freep) char *path =
		dms_asprintf("%s%s/of_node/dma-coherent", place->kernel->root, place->path);

	text->is_broken |= !path;
	return !strcmp(place->kernel->arch, "x86_64") || (path && !access(path, F_OK));
}

static void put_device(struct text *text, const struct place *place, const char *bus,
		       const char *name)
{
	_cleanup_(dms_freep) char *driver = link_end(text, place, "driver");
	_cleanup_(dms_freep) char *group = link_end(text, place, "iommu_group");
	_cleanup_(dms_freep) char *type = group ? attribute(text, place, "iommu_group/type") : NULL;

	put_word(text, name);
	text_put(text, " ", 1);
	put_word(text, driver ? driver : "-");
	text_put(text, " bus=", 5);
	put_word(text, bus);
	put_bits(text, place, "dma_mask_bits", "dma_mask_bits");
	put_bits(text, place, "coherent_dma_mask_bits", "consistent_dma_mask_bits");
	if (group && is_number(group, 0, INT32_MAX))
		text_printf(text, " iommu_group=%s", group);
	if (type) {
		text_put(text, " iommu_type=", 12);
		put_word(text, type);
	}
	if (is_coherent(text, place))
		text_put(text, " coherent=1", 11);
	text_put(text, "\n", 1);
}

static struct dms_error *put_bus(struct text *text, const struct dms_kernel *kernel,
				 const char *bus)
{
	_cleanup_(dms_freep) char *folder = dms_asprintf("/sys/bus/%s/devices", bus);
	struct dms_list devices;
	struct dms_error *err;

	if (!folder)
		return &dms_error_nomem;
	if ((err = dms_kernel_list(kernel, folder, &devices)))
		return err;
	for (size_t i = 0; !err && i < devices.n_items; i++) {
		_cleanup_(dms_freep) char *path = dms_asprintf("%s/%s", folder, devices.items[i]);
		const struct place place = {kernel, path};

		if (path)
			put_device(text, &place, bus, devices.items[i]);
		else
			err = &dms_error_nomem;
	}
	dms_list_free(&devices);
	return err;
}

/* Buses whose devices are no users of DMA: they would only make names ambiguous. */
static bool is_of_interest(const char *bus)
{
	static const char *const others[] = {
		"acpi", "clockevents", "clocksource",	 "container", "cpu",   "event_source",
		"gpio", "memory",      "memory_tiering", "node",      "nvmem", "workqueue"};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(others); i++) {
		if (!strcmp(bus, others[i]))
			return false;
	}
	return true;
}

struct dms_error *dms_devices_read(const struct dms_kernel *kernel, char **ret)
{
	struct text text = {0};
	struct dms_list buses;
	struct dms_error *err = dms_kernel_list(kernel, "/sys/bus", &buses);

	if (err)
		return err;
	text_put(&text, "", 0);
	for (size_t i = 0; !err && i < buses.n_items; i++) {
		if (is_of_interest(buses.items[i]))
			err = put_bus(&text, kernel, buses.items[i]);
	}
	dms_list_free(&buses);
	if (!err && text.is_broken)
		err = &dms_error_nomem;
	if (err)
		dms_free(text.data);
	else
		*ret = text.data;
	return err;
}

char *dms_devices_changes(const char *before, const char *after)
{
	struct dms_strtab *lines = dms_strtab_create();
	struct text text = {0};
	const char *next;

	text_put(&text, "", 0);
	for (const char *line = lines && *before ? before : NULL; line; line = next)
		text.is_broken |= dms_strtab_add(lines, line, text_line(line, &next)) == DMS_STR_NONE;
	for (const char *line = lines && *after ? after : NULL; line; line = next) {
		size_t size = text_line(line, &next);
		uint32_t n_lines = dms_strtab_count(lines);
		uint32_t number = dms_strtab_add(lines, line, size);

		text.is_broken |= number == DMS_STR_NONE;
		if (number != n_lines)
			continue;
		text_put(&text, line, size);
		text_put(&text, "\n", 1);
	}
	text.is_broken |= !lines;
	dms_strtab_destroy(lines);
	if (!text.is_broken)
		return text.data;
	dms_free(text.data);
	return NULL;
}

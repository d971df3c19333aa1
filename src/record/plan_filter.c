// SPDX-License-Identifier: LGPL-2.1-only
/* Devices and drivers that are asked for, as filters of the kernel. */
#include <fnmatch.h>
#include <string.h>

#include "local.h"

/* The devices bound to the driver folder @path. */
static struct dms_error *add_bound(const struct dms_kernel *kernel, const char *path,
				   struct dms_list *ret)
{
	struct dms_list entries;
	struct dms_error *err = dms_kernel_list(kernel, path, &entries);

	for (size_t i = 0; !err && i < entries.n_items; i++) {
		/* a device's folder has a subsystem; bind, module and the like have none */
		_cleanup_(dms_freep) char *mark =
			dms_asprintf("%s/%s/subsystem", path, entries.items[i]);
		struct dms_list inside;

		if (!strcmp(entries.items[i], "module"))
			continue;
		err = mark ? dms_kernel_list(kernel, mark, &inside) : &dms_error_nomem;
		if (err)
			break;
		if (inside.n_items)
			err = dms_list_add(ret, entries.items[i]);
		dms_list_free(&inside);
	}
	dms_list_free(&entries);
	return err;
}

static struct dms_error *add_driver(const struct dms_kernel *kernel, const char *driver,
				    struct dms_list *ret)
{
	struct dms_list buses;
	struct dms_error *err;

	if (strchr(driver, '/') || !*driver)
		return dms_error_new(DMS_ERROR_USAGE, "--driver %s: no name of a driver", driver);
	if ((err = dms_kernel_list(kernel, "/sys/bus", &buses)))
		return err;
	for (size_t i = 0; !err && i < buses.n_items; i++) {
		_cleanup_(dms_freep) char *path =
			dms_asprintf("/sys/bus/%s/drivers/%s", buses.items[i], driver);

		err = path ? add_bound(kernel, path, ret) : &dms_error_nomem;
	}
	dms_list_free(&buses);
	return err;
}

/* The kernel's filters know no way to write a quote. */
static struct dms_error *check_name(const char *name)
{
	for (const char *at = name; *at; at++) {
		if (*at == '"' || (unsigned char)*at < ' ')
			return dms_error_new(DMS_ERROR_USAGE,
					     "--device: '%s' cannot be filtered by", name);
	}
	return *name ? NULL : dms_error_new(DMS_ERROR_USAGE, "--device: the name is empty");
}

struct dms_error *filter_devices(const struct dms_kernel *kernel,
				 const struct dms_record_options *options, struct dms_list *ret)
{
	struct dms_error *err = NULL;

	*ret = (struct dms_list){0};
	for (size_t i = 0; !err && i < options->n_devices; i++) {
		if (!(err = check_name(options->devices[i])))
			err = dms_list_add(ret, options->devices[i]);
	}
	for (size_t i = 0; !err && i < options->n_drivers; i++) {
		size_t before = ret->n_items;

		err = add_driver(kernel, options->drivers[i], ret);
		if (!err && ret->n_items == before)
			err = dms_error_new(DMS_ERROR_USAGE,
					    "--driver %s: no device is bound to it now; give "
					    "--device",
					    options->drivers[i]);
	}
	if (err)
		dms_list_free(ret);
	return err;
}

static bool is_wildcard(const char *name)
{
	return strpbrk(name, "*?") != NULL;
}

/* Does a line of the inventory begin with @name? */
static struct dms_error *has_device(const char *inventory, const char *name, bool *ret)
{
	const char *next;

	*ret = false;
	for (const char *line = *inventory ? inventory : NULL; line && !*ret; line = next) {
		size_t size = text_line(line, &next), name_size = strcspn(line, " ");
		_cleanup_(dms_freep) char *device =
			dms_strndup(line, name_size < size ? name_size : size);

		if (!device)
			return &dms_error_nomem;
		*ret = is_wildcard(name) ? !fnmatch(name, device, 0) : !strcmp(name, device);
	}
	return NULL;
}

struct dms_error *filter_note_absent(struct dms_plan *plan, const struct dms_kernel *kernel,
				     const struct dms_record_options *options)
{
	_cleanup_(dms_freep) char *inventory = NULL;
	struct dms_error *err = options->n_devices ? dms_devices_read(kernel, &inventory) : NULL;

	for (size_t i = 0; !err && i < options->n_devices; i++) {
		bool is_there;

		err = has_device(inventory, options->devices[i], &is_there);
		if (!err && !is_there)
			err = plan_note(plan, "no device is called %s now: only one that comes is "
					      "recorded",
					options->devices[i]);
	}
	return err;
}

char *filter_of(const struct dms_list *devices, const char *field)
{
	struct text text = {0};

	for (size_t i = 0; i < devices->n_items; i++) {
		const char *name = devices->items[i];

		text_printf(&text, "%s%s %s \"%s\"", i ? " || " : "", field,
			    is_wildcard(name) ? "~" : "==", name);
	}
	if (!text.is_broken)
		return text.data;
	dms_free(text.data);
	return NULL;
}

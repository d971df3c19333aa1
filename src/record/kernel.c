// SPDX-License-Identifier: LGPL-2.1-only
/* What a kernel offers: tracefs, events, functions, configuration; of this machine or of a copy. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <tracefs.h>
#include <zlib.h>

#include "local.h"

/* ---- opening --------------------------------------------------------------------------------- */

static const char *const tracefs_places[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};

/* The first of the places that we may look into; *@ret NULL: none. */
static struct dms_error *find_place(const struct dms_kernel *kernel, char **ret)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(tracefs_places) && !*ret; i++) {
		char *path = dms_asprintf("%s%s", kernel->root, tracefs_places[i]);
		_cleanup_(dms_freep) char *events = path ? dms_asprintf("%s/events", path) : NULL;

		if (!events) {
			dms_free(path);
			return &dms_error_nomem;
		}
		if (!access(events, R_OK | X_OK))
			*ret = path;
		else
			dms_free(path);
	}
	return NULL;
}

static struct dms_error *find_tracefs(struct dms_kernel *kernel, bool may_mount)
{
	struct dms_error *err = find_place(kernel, &kernel->tracefs);
	const char *mounted = NULL;

	if (err || kernel->tracefs || kernel->is_copy || !may_mount)
		return err;
	/* it knows both places as well; may we look into what it has mounted? */
	if (tracefs_tracing_dir_is_mounted(true, &mounted) < 0)
		return NULL;
	return find_place(kernel, &kernel->tracefs);
}

/* The first line of @path, or "". */
static char *first_line(const struct dms_kernel *kernel, const char *path)
{
	_cleanup_(dms_freep) char *text = dms_kernel_read(kernel, path, NULL);

	return text ? dms_strndup(text, strcspn(text, "\n")) : dms_strdup("");
}

static struct dms_error *find_release(struct dms_kernel *kernel)
{
	struct utsname name;

	if (!kernel->is_copy && !uname(&name)) {
		kernel->release = dms_strdup(name.release);
		kernel->arch = dms_strdup(name.machine);
	} else {
		kernel->release = first_line(kernel, "/proc/sys/kernel/osrelease");
		kernel->arch = first_line(kernel, "/proc/sys/kernel/arch");
	}
	return kernel->release && kernel->arch ? NULL : &dms_error_nomem;
}

struct dms_error *dms_kernel_open(const char *root, bool may_mount, struct dms_kernel **ret)
{
	struct dms_kernel *kernel = dms_zalloc(sizeof(*kernel));
	struct dms_error *err = &dms_error_nomem;

	if (!kernel)
		return err;
	kernel->is_copy = root && *root;
	kernel->root = dms_strdup(root ? root : "");
	if (kernel->root && !(err = find_tracefs(kernel, may_mount)) &&
	    !(err = find_release(kernel))) {
		*ret = kernel;
		return NULL;
	}
	dms_kernel_close(kernel);
	return err;
}

void dms_kernel_close(struct dms_kernel *kernel)
{
	if (!kernel)
		return;
	dms_free(kernel->root);
	dms_free(kernel->tracefs);
	dms_free(kernel->release);
	dms_free(kernel->arch);
	dms_free(kernel->kallsyms);
	dms_free(kernel->config);
	dms_free(kernel);
}

/* ---- looking --------------------------------------------------------------------------------- */

const char *dms_kernel_tracefs(const struct dms_kernel *kernel)
{
	return kernel->tracefs;
}

const char *dms_kernel_release(const struct dms_kernel *kernel)
{
	return kernel->release;
}

const char *dms_kernel_arch(const struct dms_kernel *kernel)
{
	return kernel->arch;
}

char *dms_kernel_read(const struct dms_kernel *kernel, const char *path, size_t *ret_size)
{
	_cleanup_(dms_freep) char *whole = dms_asprintf("%s%s", kernel->root, path);

	return whole ? text_file(whole, ret_size) : NULL;
}

char *dms_kernel_read_tracefs(const struct dms_kernel *kernel, const char *path, size_t *ret_size)
{
	_cleanup_(dms_freep) char *whole = NULL;

	if (!kernel->tracefs || !(whole = dms_asprintf("%s/%s", kernel->tracefs, path)))
		return NULL;
	return text_file(whole, ret_size);
}

bool dms_kernel_has_tracefs(const struct dms_kernel *kernel, const char *path)
{
	_cleanup_(dms_freep) char *whole = NULL;

	if (!kernel->tracefs || !(whole = dms_asprintf("%s/%s", kernel->tracefs, path)))
		return false;
	return !access(whole, F_OK);
}

bool dms_kernel_has_event(const struct dms_kernel *kernel, const char *system, const char *event)
{
	_cleanup_(dms_freep) char *path =
		dms_asprintf("events/%s%s%s", system, event ? "/" : "", event ? event : "");

	return path && dms_kernel_has_tracefs(kernel, path);
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static struct dms_error *list_folder(const char *path, struct dms_list *ret)
{
	DIR *folder = opendir(path);
	struct dms_error *err = NULL;
	struct dirent *entry;

	*ret = (struct dms_list){0};
	if (!folder)
		return errno == ENOMEM ? &dms_error_nomem : NULL;
	while (!err && (entry = readdir(folder))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			err = dms_list_add(ret, entry->d_name);
	}
	closedir(folder);
	if (err)
		dms_list_free(ret);
	else if (ret->n_items)
		qsort(ret->items, ret->n_items, sizeof(*ret->items), compare_names);
	return err;
}

struct dms_error *dms_kernel_list(const struct dms_kernel *kernel, const char *path,
				  struct dms_list *ret)
{
	_cleanup_(dms_freep) char *whole = dms_asprintf("%s%s", kernel->root, path);

	*ret = (struct dms_list){0};
	return whole ? list_folder(whole, ret) : &dms_error_nomem;
}

struct dms_error *dms_kernel_list_tracefs(const struct dms_kernel *kernel, const char *path,
					  struct dms_list *ret)
{
	_cleanup_(dms_freep) char *whole =
		dms_asprintf("%s/%s", kernel->tracefs ? kernel->tracefs : "", path);

	*ret = (struct dms_list){0};
	if (!whole)
		return &dms_error_nomem;
	return kernel->tracefs ? list_folder(whole, ret) : NULL;
}

/* ---- functions ------------------------------------------------------------------------------- */

/* @at: where the name may stand in "ffffffff81234567 T name\t[module]". */
static bool is_function(const char *text, const char *at, size_t size)
{
	return at - text >= 3 && at[-1] == ' ' && at[-3] == ' ' && strchr("tTwW", at[-2]) &&
	       (at[size] == '\n' || at[size] == '\t' || !at[size]);
}

bool dms_kernel_has_function(struct dms_kernel *kernel, const char *name)
{
	size_t size = strlen(name);

	if (!kernel->has_tried_kallsyms) {
		kernel->has_tried_kallsyms = true;
		kernel->kallsyms = dms_kernel_read(kernel, "/proc/kallsyms", NULL);
	}
	if (!kernel->kallsyms)
		return true;
	for (const char *at = kernel->kallsyms; (at = strstr(at, name)); at += size) {
		if (is_function(kernel->kallsyms, at, size))
			return true;
	}
	return false;
}

bool kernel_has_fprobes(const struct dms_kernel *kernel)
{
	_cleanup_(dms_freep) char *readme = dms_kernel_read_tracefs(kernel, "README", NULL);

	return readme && strstr(readme, "f[:[<group>/][<event>]]");
}

enum dms_probing dms_kernel_probing(const struct dms_kernel *kernel)
{
	if (dms_kernel_has_tracefs(kernel, "kprobe_events"))
		return DMS_PROBING_KPROBE;
	return kernel_has_fprobes(kernel) ? DMS_PROBING_FPROBE : DMS_PROBING_NONE;
}

bool dms_kernel_sees_arguments(const struct dms_kernel *kernel)
{
	unsigned int major, minor;

	return sscanf(dms_kernel_release(kernel), "%u.%u", &major, &minor) != 2 || major > 6 ||
	       (major == 6 && minor >= 9);
}

bool kernel_has_probed(const struct dms_kernel *kernel, const char *event)
{
	static const char *const files[] = {"dynamic_events", "kprobe_events"};
	_cleanup_(dms_freep) char *word = dms_asprintf(":%s ", event);
	bool has = false;

	for (size_t i = 0; word && i < DMS_ARRAY_SIZE(files) && !has; i++) {
		_cleanup_(dms_freep) char *lines =
			dms_kernel_read_tracefs(kernel, files[i], NULL);

		has = lines && strstr(lines, word);
	}
	return has;
}

/* ---- configuration --------------------------------------------------------------------------- */

static char *unpack_config(const char *path)
{
	struct text text = {0};
	gzFile file = gzopen(path, "re");
	char piece[16384];
	int got;

	if (!file)
		return NULL;
	while ((got = gzread(file, piece, sizeof(piece))) > 0)
		text_put(&text, piece, (size_t)got);
	gzclose(file);
	if (!got && !text.is_broken && text.size)
		return text.data;
	dms_free(text.data);
	return NULL;
}

/* gzread() takes plain text as well. */
static void read_config(struct dms_kernel *kernel)
{
	static const char *const places[] = {"/proc/config.gz", "/boot/config-%s",
					     "/lib/modules/%s/config",
					     "/lib/modules/%s/build/.config"};

	kernel->has_tried_config = true;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(places) && !kernel->config; i++) {
		_cleanup_(dms_freep) char *place = dms_asprintf(places[i], kernel->release);
		_cleanup_(dms_freep) char *path =
			place ? dms_asprintf("%s%s", kernel->root, place) : NULL;

		if (path)
			kernel->config = unpack_config(path);
	}
}

char dms_kernel_config(struct dms_kernel *kernel, const char *name)
{
	_cleanup_(dms_freep) char *key = dms_asprintf("CONFIG_%s=", name);
	size_t size = key ? strlen(key) : 0;

	if (!kernel->has_tried_config)
		read_config(kernel);
	if (!kernel->config || !key)
		return 0;
	for (const char *line = kernel->config; line; text_line(line, &line)) {
		if (!strncmp(line, key, size))
			return line[size] == 'm' ? 'm' : 'y';
	}
	return 'n';
}

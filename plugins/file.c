// SPDX-License-Identifier: LGPL-2.1-only
/* The trace file, as far as a plugin can know of it: nobody hands it to us. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin.h"

/* A plugin is given neither the file nor what its head says beside the formats. But the host has
 * it open, and a trace.dat begins with a mark: if there is just one, it is the one. Its head then
 * tells the kernel's release, the clock, the tasks, and symbols with their modules. */
static const char folder[] = "/proc/self/fd";

static bool is_tracedat(int dir, const char *name)
{
	static const char magic[10] = "\x17\x08\x44tracing";
	char head[sizeof(magic)];
	struct stat status;
	bool is_one;
	int fd;

	if (fstatat(dir, name, &status, 0) || !S_ISREG(status.st_mode))
		return false;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	is_one = pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
		 !memcmp(head, magic, sizeof(magic));
	close(fd);
	return is_one;
}

/* @path by the name it was opened by, as far as that still leads to it. For dms_free(). */
static char *name_of(const char *path)
{
	char real[PATH_MAX];
	struct stat status, named;

	if (realpath(path, real) && !stat(path, &status) && !stat(real, &named) &&
	    status.st_dev == named.st_dev && status.st_ino == named.st_ino)
		return dms_strdup(real);
	return dms_strdup(path);
}

/* The name of the only trace.dat among the open files, into @ret; false if there is no such. */
static bool find_only(char *ret, size_t size)
{
	unsigned int n_found = 0;
	struct stat status, found = {0};
	struct dirent *entry;
	DIR *dir = opendir(folder);

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !is_tracedat(dirfd(dir), entry->d_name) ||
		    fstatat(dirfd(dir), entry->d_name, &status, 0))
			continue;
		if (n_found && status.st_dev == found.st_dev && status.st_ino == found.st_ino)
			continue; /* the same, opened twice */
		found = status;
		n_found++;
		snprintf(ret, size, "%s/%s", folder, entry->d_name);
	}
	if (dir)
		closedir(dir);
	return n_found == 1;
}

static void take_info(const struct dms_source_info *from, struct dms_source_info *to)
{
	to->path = from->path;
	to->format = from->format;
	to->uname = from->uname;
	to->release = from->release;
	to->clock = from->clock;
	to->clock_is_ns = from->clock_is_ns;
	to->tool = from->tool;
	to->n_cpus = from->n_cpus;
	to->file_size = from->file_size;
	to->lost_by_stats = from->lost_by_stats;
	to->missing_bytes = from->missing_bytes;
	to->missing_offset = from->missing_offset;
	if (from->page_size)
		to->page_size = from->page_size;
}

void file_find(struct tep_handle *tep, struct dms_source_info *ret_info,
	       struct dms_source **ret_file)
{
	static const char *const instances[] = {""};
	static const char *const notes[] = {
		"read through the host's plugin interface, which does not tell from which buffer "
		"instance a record is: call stacks may have been given to the wrong event",
		"read through the host's plugin interface, which does not tell the file: the "
		"kernel's release, the clock and the modules of functions are not known",
	};
	const struct dms_source_info *info;
	struct dms_error *err;
	char *name;
	char path[sizeof(folder) + 256]; /* NAME_MAX, and a slash */

	*ret_file = NULL;
	*ret_info = (struct dms_source_info){
		.path = "(by plugin)",
		.format = "records of a host",
		.instances = instances,
		.n_instances = 1,
		.n_cpus = 1,
		.page_size = 4096,
		.long_size = tep_get_long_size(tep) == 4 ? 4 : 8,
		.big_endian = tep_is_file_bigendian(tep),
		.clock_is_ns = true,
		.notes = &notes[1],
		.n_notes = 1,
	};
	if (tep_get_cpus && tep_get_cpus(tep) > 0)
		ret_info->n_cpus = (uint32_t)tep_get_cpus(tep);
	if (tep_get_page_size && tep_get_page_size(tep) > 0)
		ret_info->page_size = (uint32_t)tep_get_page_size(tep);
	if (!find_only(path, sizeof(path)))
		return;
	name = name_of(path);
	err = name ? dms_source_open(name, ret_file) : &dms_error_nomem;
	dms_free(name);
	if (err) {
		dms_error_free(err); /* the host read it: we can do without */
		*ret_file = NULL;
		return;
	}
	info = dms_source_info(*ret_file);
	if (info->long_size != ret_info->long_size || info->big_endian != ret_info->big_endian) {
		dms_source_close(*ret_file);
		*ret_file = NULL;
		return;
	}
	take_info(info, ret_info);
	ret_info->notes = notes;
	ret_info->n_notes = info->n_instances > 1;
}

// SPDX-License-Identifier: GPL-2.0-only
/* A file the user named for output: half of it is never seen, and no device is replaced by it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "unfinished.h"

static struct dms_error *write_error(const char *path)
{
	return dms_error_errno(DMS_ERROR_INTERNAL, errno, "writing %s", path);
}

/* Through @fd, which is closed; below zero: opening @path has failed. */
static struct dms_error *write_to(int fd, const char *path, dms_write_fn write,
				  const void *context)
{
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	struct dms_error *err;

	if (!out) {
		err = write_error(path);
		if (fd >= 0)
			close(fd);
		return err;
	}
	err = write(context, out);
	if (fclose(out) && !err)
		err = write_error(path);
	return err;
}

/* Beside @path, then renamed. */
static struct dms_error *replace(const char *path, dms_write_fn write, const void *context)
{
	_cleanup_(dms_freep) char *part = dms_asprintf("%s.part", path);
	struct dms_error *err;
	int fd;

	if (!part)
		return &dms_error_nomem;
	if ((err = dms_part_open(part, &dms_unfinished_watch, &fd)))
		return err;
	/* its twin keeps the lock: closing may fail, and comes before the renaming */
	err = write_to(fcntl(fd, F_DUPFD_CLOEXEC, 0), part, write, context);
	if (!err && dms_part_rename(part, path, &dms_unfinished_watch))
		err = write_error(path);
	if (err)
		dms_part_remove(part, &dms_unfinished_watch);
	close(fd);
	return err;
}

/* A slip of the fingers must not cost the run it is made from. */
static bool is_database(const char *path)
{
	static const char magic[] = "SQLite format 3";
	char head[sizeof(magic)];
	int fd = open(path, O_RDONLY | O_CLOEXEC); /* no FILE: memory may be short */
	bool is_one = fd >= 0 && read(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
		      !memcmp(head, magic, sizeof(head));

	if (fd >= 0)
		close(fd);
	return is_one;
}

struct dms_error *dms_file_write(const char *path, dms_write_fn write, const void *context)
{
	char target[PATH_MAX];
	struct stat status;

	if (!strcmp(path, "-"))
		return write(context, stdout);
	if (stat(path, &status))
		return replace(path, write, context);
	/* a rename would put a file where /dev/null or a pipe was */
	if (!S_ISREG(status.st_mode))
		return write_to(open(path, O_WRONLY | O_CLOEXEC), path, write, context);
	if (!realpath(path, target))
		return write_error(path);
	if (is_database(target))
		return dms_error_new(DMS_ERROR_USAGE, "%s is a database: it is not overwritten",
				     path);
	return replace(target, write, context);
}

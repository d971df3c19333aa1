// SPDX-License-Identifier: LGPL-2.1-only
/* The file an output is built in, beside its final name: locked, and renamed when complete. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "part.h"
#include "store.h"

struct dms_part {
	char *given;	/* the name as the user wrote it, for messages */
	char *path;	/* the final name, symbolic links resolved */
	char *part;	/* where it is built */
	const struct dms_part_watch *watch; /* borrowed; NULL: none */
	int fd;		/* of part; holds the lock */
	bool published;
};

static void begin_change(const struct dms_part_watch *watch)
{
	if (watch)
		watch->begin();
}

static void end_change(const struct dms_part_watch *watch, const char *name, bool is_there)
{
	if (watch)
		watch->end(name, is_there);
}

/* SQLite's file format: the magic at 0, the application id at 68, most significant byte first. */
bool dms_is_database(int fd)
{
	static const char magic[16] = "SQLite format 3";
	static const unsigned char id[4] = "dmas";
	unsigned char head[72];

	return pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	       !memcmp(head, magic, sizeof(magic)) && !memcmp(head + 68, id, sizeof(id));
}

/* What is there under the final name must be nothing, or a database of ours. */
static struct dms_error *check_target(const char *path, const char *given)
{
	bool ours, is_being_written;
	struct stat st;
	int fd;

	if (stat(path, &st)) {
		if (errno == ENOENT)
			return NULL;
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", given);
	}
	if (S_ISDIR(st.st_mode))
		return dms_error_new(DMS_ERROR_USAGE,
				     "%s is a folder; name a file for the database", given);
	if (!S_ISREG(st.st_mode))
		return dms_error_new(DMS_ERROR_USAGE,
				     "%s is not a regular file; name another for the database",
				     given);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", given);
	errno = 0; /* what cannot be read is not known to be foreign */
	ours = dms_is_database(fd);
	if (!ours && errno) {
		struct dms_error *err = dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", given);

		close(fd);
		return err;
	}
	is_being_written = flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
	close(fd);
	if (is_being_written) /* in place */
		return dms_error_new(DMS_ERROR_INTERNAL, "%s: another dmascope is writing it",
				     given);
	if (!ours)
		return dms_error_new(DMS_ERROR_USAGE,
				     "%s exists and is not a dmascope database; not overwritten",
				     given);
	return NULL;
}

/* True if the locked @fd still is what the name leads to: its maker may have renamed it. */
static bool still_there(int fd, const char *name)
{
	struct stat mine, named;

	return !fstat(fd, &mine) && !lstat(name, &named) && mine.st_dev == named.st_dev &&
	       mine.st_ino == named.st_ino;
}

static struct dms_error *open_locked(const char *name, int *ret)
{
	struct stat st;
	int errnum;
	int fd;

	for (;;) {
		fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
		if (fd < 0)
			return dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", name);
		if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
			close(fd);
			return dms_error_new(DMS_ERROR_INTERNAL, "%s is not a regular file", name);
		}
		if (flock(fd, LOCK_EX | LOCK_NB)) {
			errnum = errno;
			close(fd);
			if (errnum == EWOULDBLOCK)
				return dms_error_new(DMS_ERROR_INTERNAL,
						     "%s: another dmascope is writing it", name);
			return dms_error_errno(DMS_ERROR_INTERNAL, errnum, "%s: locking", name);
		}
		if (still_there(fd, name))
			break;
		close(fd);
	}
	*ret = fd;
	return NULL;
}

struct dms_error *dms_part_open(const char *name, const struct dms_part_watch *watch, int *ret)
{
	struct dms_error *err;

	begin_change(watch);
	err = open_locked(name, ret);
	end_change(watch, name, !err);
	if (err)
		return err;
	/* left by a killed run: its content is worth nothing */
	if (!ftruncate(*ret, 0))
		return NULL;
	err = dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", name);
	dms_part_remove(name, watch);
	close(*ret);
	*ret = -1;
	return err;
}

void dms_part_remove(const char *name, const struct dms_part_watch *watch)
{
	begin_change(watch);
	unlink(name);
	end_change(watch, name, false);
}

int dms_part_rename(const char *name, const char *path, const struct dms_part_watch *watch)
{
	int saved, failed;

	begin_change(watch);
	failed = rename(name, path);
	saved = errno;
	end_change(watch, name, failed != 0);
	errno = saved;
	return failed;
}

/* A symbolic link is followed now, so that the rename replaces what it leads to. */
static char *resolve(const char *path)
{
	char real[PATH_MAX];

	return dms_strdup(realpath(path, real) ? real : path);
}

struct dms_error *dms_part_create(const char *path, const struct dms_part_watch *watch,
				  struct dms_part **ret)
{
	struct dms_part *part = dms_zalloc(sizeof(*part));
	struct dms_error *err;

	if (!part)
		return &dms_error_nomem;
	part->fd = -1;
	part->watch = watch;
	part->given = dms_strdup(path);
	part->path = resolve(path);
	part->part = part->path ? dms_asprintf("%s.part", part->path) : NULL;
	if (!part->given || !part->part)
		err = &dms_error_nomem;
	else
		err = check_target(part->path, part->given);
	if (!err)
		err = dms_part_open(part->part, watch, &part->fd);
	if (err) {
		dms_part_destroy(part);
		return err;
	}
	*ret = part;
	return NULL;
}

void dms_part_destroy(struct dms_part *part)
{
	if (!part)
		return;
	if (part->fd >= 0) {
		if (!part->published)
			dms_part_remove(part->part, part->watch);
		close(part->fd);
	}
	dms_free(part->part);
	dms_free(part->path);
	dms_free(part->given);
	dms_free(part);
}

const char *dms_part_path(const struct dms_part *part)
{
	return part->published ? part->path : part->part;
}

int dms_part_fd(const struct dms_part *part)
{
	return part->fd;
}

/* The rename itself must survive a power cut: it is an entry of the folder. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? dms_strndup(path, (size_t)(slash - path) + 1) : dms_strdup(".");
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		fsync(fd); /* some file systems refuse; the file itself is safe already */
		close(fd);
	}
	dms_free(folder);
}

/* Left beside an older database by a crashed program; SQLite would apply them to the new one. */
static void drop_stale(const char *path)
{
	static const char *const suffixes[] = { "-journal", "-wal", "-shm" };
	char *name;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(suffixes); i++) {
		name = dms_asprintf("%s%s", path, suffixes[i]);
		if (name)
			unlink(name);
		dms_free(name);
	}
}

struct dms_error *dms_part_publish(struct dms_part *part)
{
	struct dms_error *err = check_target(part->path, part->given);

	if (err)
		return err;
	if (fsync(part->fd))
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s: writing to the disk",
				       part->part);
	if (dms_part_rename(part->part, part->path, part->watch))
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s: renaming to %s", part->part,
				       part->path);
	part->published = true;
	drop_stale(part->path);
	sync_folder(part->path);
	return NULL;
}

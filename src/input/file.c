// SPDX-License-Identifier: LGPL-2.1-only
/* A file read by offset, and a bounds-checked cursor over a file or a block of memory. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unpack.h"

/* Opening a pipe waits for its writer, as everybody does; opening anything else must not wait. */
static struct dms_error *open_fd(const char *path, int *ret)
{
	struct stat status;
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;

	if (!strcmp(path, "-"))
		*ret = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	else
		*ret = open(path, !stat(path, &status) && S_ISFIFO(status.st_mode)
					  ? flags
					  : flags | O_NONBLOCK);
	return *ret < 0 ? dms_error_errno(DMS_ERROR_INPUT, errno, "%s", path) : NULL;
}

/* The folder perf record --threads wrote is read by its head, "data", which finds the rest. */
static struct dms_error *enter_folder(struct file *file)
{
	static const char magic[] = "PERFILE2";
	char head[sizeof(magic) - 1], *path;
	struct stat status;
	int fd;

	if (fstat(file->fd, &status) || !S_ISDIR(status.st_mode))
		return NULL;
	fd = openat(file->fd, "data", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return NULL;
	if (pread(fd, head, sizeof(head), 0) != sizeof(head) || memcmp(head, magic, sizeof(head))) {
		close(fd);
		return NULL;
	}
	path = dms_asprintf("%s/data", file->path);
	close(file->fd);
	dms_free(file->path);
	file->fd = fd;
	file->path = path;
	return path ? NULL : &dms_error_nomem;
}

/* A pipe is copied as it comes, a file only if it is compressed or was read in part. */
static struct dms_error *look_at(struct file *file)
{
	uint8_t head[UNPACK_SNIFF_BYTES];
	struct stat status;
	ssize_t got;

	if (fstat(file->fd, &status))
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", file->path);
	if (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))
		return unpack_file(file, UNPACK_MAX_BYTES);
	if (!S_ISREG(status.st_mode))
		return dms_error_new(DMS_ERROR_INPUT, "%s: is %s, expected a trace file", file->path,
				     S_ISDIR(status.st_mode)  ? "a directory"
				     : isatty(file->fd)	      ? "a terminal"
							      : "not a regular file");
	file->size = (uint64_t)status.st_size;
	got = pread(file->fd, head, sizeof(head), 0);
	if (got < 0)
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s: cannot read", file->path);
	/* /proc/kallsyms and its like tell no size, and can be read all the same */
	if (!unpack_packing(head, (size_t)got) && !lseek(file->fd, 0, SEEK_CUR) &&
	    !(got && !file->size))
		return NULL;
	return unpack_file(file, UNPACK_MAX_BYTES);
}

struct dms_error *file_open(const char *path, struct file *ret)
{
	struct file file = {.fd = -1};
	struct dms_error *err;

	if ((err = open_fd(path, &file.fd)))
		return err;
	file.path = dms_strdup(strcmp(path, "-") ? path : "standard input");
	err = file.path ? enter_folder(&file) : &dms_error_nomem;
	if (!err)
		err = look_at(&file);
	if (err)
		file_close(&file);
	else
		*ret = file;
	return err;
}

void file_close(struct file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	dms_free(file->path);
	file->path = NULL;
	file_origin_destroy(file->origin);
	file->origin = NULL;
}

struct dms_error *file_read(const struct file *file, uint64_t offset, void *buf, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t got =
			pread(file->fd, (char *)buf + done, bytes - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return dms_error_errno(DMS_ERROR_INPUT, errno,
					       "%s: reading %zu bytes at offset %#" PRIx64,
					       file->path, bytes, offset);
		if (!got)
			return dms_error_new(DMS_ERROR_INPUT,
					     "%s: ends at offset %#" PRIx64
					     ", expected %zu more bytes",
					     file->path, offset + done, bytes - done);
		done += (size_t)got;
	}
	return NULL;
}

void cursor_init_file(struct cursor *cursor, const struct file *file, uint64_t position)
{
	*cursor = (struct cursor){.file = file, .position = position, .end = file->size};
}

void cursor_init_memory(struct cursor *cursor, const struct file *file, const void *memory,
			size_t bytes, uint64_t origin)
{
	*cursor = (struct cursor){.file = file, .memory = memory, .end = bytes, .origin = origin};
}

void cursor_deinit(struct cursor *cursor)
{
	dms_free(cursor->buffer);
	cursor->buffer = NULL;
}

struct dms_error *cursor_error(const struct cursor *cursor, const char *fmt, ...)
{
	_cleanup_(dms_freep) char *text = NULL;
	va_list args;

	va_start(args, fmt);
	text = dms_vasprintf(fmt, args);
	va_end(args);
	if (!text)
		return &dms_error_nomem;
	if (cursor->memory)
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s: at byte %#" PRIx64 " of the section at offset %#" PRIx64
				     ": %s",
				     cursor->file->path, cursor->position, cursor->origin, text);
	return dms_error_new(DMS_ERROR_INPUT, "%s: at offset %#" PRIx64 ": %s", cursor->file->path,
			     cursor->position, text);
}

static struct dms_error *check_room(const struct cursor *cursor, uint64_t bytes, const char *what)
{
	uint64_t left = cursor->position > cursor->end ? 0 : cursor->end - cursor->position;

	if (bytes <= left)
		return NULL;
	return cursor_error(cursor,
			    "truncated: expected %s of %" PRIu64 " bytes, %" PRIu64 " are left",
			    what, bytes, left);
}

/* Bring @bytes at the cursor's position into its buffer. */
static struct dms_error *fill(struct cursor *cursor, size_t bytes)
{
	if (bytes > cursor->buffer_size) {
		uint8_t *grown = dms_realloc(cursor->buffer, bytes);

		if (!grown)
			return &dms_error_nomem;
		cursor->buffer = grown;
		cursor->buffer_size = bytes;
	}
	return file_read(cursor->file, cursor->position, cursor->buffer, bytes);
}

struct dms_error *cursor_take(struct cursor *cursor, uint64_t bytes, const char *what,
			      const uint8_t **ret)
{
	struct dms_error *err = check_room(cursor, bytes, what);

	if (err)
		return err;
	if (cursor->memory) {
		*ret = cursor->memory + cursor->position;
	} else {
		err = fill(cursor, bytes);
		if (err)
			return err;
		*ret = cursor->buffer;
	}
	cursor->position += bytes;
	return NULL;
}

struct dms_error *cursor_skip(struct cursor *cursor, uint64_t bytes, const char *what)
{
	struct dms_error *err = check_room(cursor, bytes, what);

	if (!err)
		cursor->position += bytes;
	return err;
}

struct dms_error *cursor_number(struct cursor *cursor, unsigned int bytes, const char *what,
				uint64_t *ret)
{
	bool swap = cursor->big_endian != HOST_BIG_ENDIAN;
	const uint8_t *at;
	struct dms_error *err = cursor_take(cursor, bytes, what, &at);

	if (err)
		return err;
	switch (bytes) {
	case 1:
		*ret = *at;
		break;
	case 2:
		*ret = load16(at, swap);
		break;
	case 4:
		*ret = load32(at, swap);
		break;
	default:
		*ret = load64(at, swap);
	}
	return NULL;
}

struct dms_error *cursor_string(struct cursor *cursor, const char *what, const char **ret)
{
	uint64_t left = cursor->position > cursor->end ? 0 : cursor->end - cursor->position;
	size_t window = left < CURSOR_MAX_STRING ? left : CURSOR_MAX_STRING;
	struct dms_error *err;
	const uint8_t *at, *nul;

	if (cursor->memory) {
		at = cursor->memory + cursor->position;
	} else {
		err = fill(cursor, window);
		if (err)
			return err;
		at = cursor->buffer;
	}
	nul = window ? memchr(at, '\0', window) : NULL;
	if (!nul)
		return cursor_error(cursor, "expected %s, a terminated string", what);
	cursor->position += (uint64_t)(nul - at) + 1;
	*ret = (const char *)at;
	return NULL;
}

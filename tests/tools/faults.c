// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into the program under test: lets the N-th call of a kind fail, and all after it; of
 * kind "lack", an allocation, only that one.
 *
 * DMS_FAULT=KIND:N, KIND one of the rows below; N from 1; 0: none fails. DMS_FAULT_COUNT names a
 * file for how many calls of the kind there were. Only what goes to regular files counts as reading
 * or writing. What stdio writes does not come by here: RLIMIT_FSIZE and /dev/full are for that.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { NONE, WRITE, SYNC, RENAME, TRUNCATE, READ, SHORT, MEMORY, LACK };

static const struct {
	const char *name;
	enum kind kind;
	int errnum;
} kinds[] = {
	{"write", WRITE, ENOSPC}, {"sync", SYNC, EIO},	 {"rename", RENAME, EIO},
	{"truncate", TRUNCATE, EIO}, {"read", READ, EIO}, {"short", SHORT, 0},
	{"memory", MEMORY, ENOMEM}, {"lack", LACK, ENOMEM},
};

static enum kind faulty;
static int errnum;
static unsigned long first, n_calls;

/* True if this call of @kind has to fail; errno is set. */
static bool fails(enum kind kind)
{
	unsigned long number;

	if (kind != faulty)
		return false;
	number = __atomic_add_fetch(&n_calls, 1, __ATOMIC_RELAXED);
	if (!first || number < first || (kind == LACK && number > first))
		return false;
	errno = errnum;
	return true;
}

static bool is_file(int fd)
{
	struct stat status;
	int saved = errno;
	bool is_one = fd > 2 && !fstat(fd, &status) && S_ISREG(status.st_mode);

	errno = saved;
	return is_one;
}

__attribute__((constructor)) static void begin(void)
{
	const char *fault = getenv("DMS_FAULT"), *colon = fault ? strchr(fault, ':') : NULL;

	for (size_t i = 0; colon && i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strlen(kinds[i].name) != (size_t)(colon - fault) ||
		    strncmp(kinds[i].name, fault, (size_t)(colon - fault)) != 0)
			continue;
		first = strtoul(colon + 1, NULL, 10);
		errnum = kinds[i].errnum;
		faulty = kinds[i].kind;
	}
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("DMS_FAULT_COUNT");
	char text[32];
	int fd;

	faulty = NONE;
	fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
	if (fd < 0)
		return;
	snprintf(text, sizeof(text), "%lu\n", n_calls);
	if (write(fd, text, strlen(text)) < 0)
		abort();
	close(fd);
}

#define REAL(name)                                                                                 \
	static __typeof__(&(name)) real;                                                           \
	if (!real)                                                                                 \
		real = (__typeof__(&(name)))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t bytes)
{
	REAL(write);
	return is_file(fd) && fails(WRITE) ? -1 : real(fd, data, bytes);
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset)
{
	REAL(pwrite);
	return is_file(fd) && fails(WRITE) ? -1 : real(fd, data, bytes, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t offset)
{
	REAL(pwrite64);
	return is_file(fd) && fails(WRITE) ? -1 : real(fd, data, bytes, offset);
}

int fsync(int fd)
{
	REAL(fsync);
	return fails(SYNC) ? -1 : real(fd);
}

int rename(const char *from, const char *to)
{
	REAL(rename);
	return fails(RENAME) ? -1 : real(from, to);
}

int ftruncate(int fd, off_t bytes)
{
	REAL(ftruncate);
	return fails(TRUNCATE) ? -1 : real(fd, bytes);
}

/* A file that has become shorter: from the N-th call on there is no more. */
static bool has_ended(int fd)
{
	return is_file(fd) && fails(SHORT);
}

ssize_t read(int fd, void *data, size_t bytes)
{
	REAL(read);
	if (has_ended(fd))
		return 0;
	return is_file(fd) && fails(READ) ? -1 : real(fd, data, bytes);
}

ssize_t pread(int fd, void *data, size_t bytes, off_t offset)
{
	REAL(pread);
	if (has_ended(fd))
		return 0;
	return is_file(fd) && fails(READ) ? -1 : real(fd, data, bytes, offset);
}

ssize_t pread64(int fd, void *data, size_t bytes, off64_t offset)
{
	REAL(pread64);
	if (has_ended(fd))
		return 0;
	return is_file(fd) && fails(READ) ? -1 : real(fd, data, bytes, offset);
}

/* dlsym() allocates: these are glibc's own names instead. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *ptr, size_t bytes);

static bool has_no_room(void)
{
	return fails(MEMORY) || fails(LACK);
}

void *malloc(size_t bytes)
{
	return has_no_room() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t n, size_t bytes)
{
	return has_no_room() ? NULL : __libc_calloc(n, bytes);
}

void *realloc(void *ptr, size_t bytes)
{
	return has_no_room() ? NULL : __libc_realloc(ptr, bytes);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fuzz targets share: bytes as a file, a stream that takes all, mutation inside bounds. */
#ifndef FUZZ_H
#define FUZZ_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dmascope/base.h>

/* libFuzzer's interface; in `make check` each target has its own names for them (Makefile). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* Does `make check` replay cases? Then each goes through all there is, and may take its time. */
#ifdef LLVMFuzzerTestOneInput
#define FUZZ_IS_REPLAY true
#else
#define FUZZ_IS_REPLAY false
#endif

/** The bytes under test as a file that readers can open by its path. */
struct fuzz_file {
	int fd;
	char path[40];
	bool has_name;
};

/* Return: false if there is no memory for it: then nothing is tested. */
static inline bool fuzz_file_open(struct fuzz_file *file, const uint8_t *data, size_t size)
{
	file->has_name = false;
	file->fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (file->fd < 0)
		return false;
	snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd);
	if (write(file->fd, data, size) == (ssize_t)size)
		return true;
	close(file->fd);
	return false;
}

/* SQLite finds no name for the other kind, and opens none. */
static inline bool fuzz_file_open_named(struct fuzz_file *file, const uint8_t *data, size_t size)
{
	snprintf(file->path, sizeof(file->path), "/tmp/dmascope-fuzz-XXXXXX");
	file->fd = mkostemp(file->path, O_CLOEXEC);
	if (file->fd < 0)
		return false;
	file->has_name = true;
	if (write(file->fd, data, size) == (ssize_t)size)
		return true;
	unlink(file->path);
	close(file->fd);
	return false;
}

static inline void fuzz_file_close(struct fuzz_file *file)
{
	if (file->has_name)
		unlink(file->path);
	close(file->fd);
}

static inline void fuzz_drop_line(void *context, enum dms_log_level level, const char *line)
{
	(void)context, (void)level, (void)line;
}

/** Nobody reads what is said of a million damaged files. */
static inline void fuzz_be_silent(void)
{
	dms_log_set_level(DMS_LOG_ERROR);
	dms_log_redirect((struct dms_log_sink){fuzz_drop_line, NULL});
}

/** Where outputs go: all their bytes are made, none is kept. Never closed. */
static inline FILE *fuzz_sink(void)
{
	static FILE *sink;

	if (!sink)
		sink = fopen("/dev/null", "w");
	if (!sink)
		abort();
	return sink;
}

/* ---- mutators --------------------------------------------------------------------------------- */

/** xorshift; @state is never 0. */
static inline uint32_t fuzz_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static inline uint32_t fuzz_seed(unsigned int seed)
{
	return (uint32_t)dms_hash64(seed + 1) | 1;
}

static inline size_t fuzz_below(uint32_t *state, size_t limit)
{
	return limit ? fuzz_random(state) % limit : 0;
}

/** Let libFuzzer change at most @bytes at @at, and nothing behind: offsets in the file still fit. */
static inline void fuzz_mutate_inside(uint8_t *at, size_t bytes)
{
	uint8_t copy[256];

	if (!bytes)
		return;
	bytes = bytes < sizeof(copy) ? bytes : sizeof(copy);
	memcpy(copy, at, bytes);
	LLVMFuzzerMutate(copy, bytes, bytes);
	memcpy(at, copy, bytes);
}

/** One of the numbers that programs mistake, into @bytes (1, 2, 4 or 8) at @at. */
static inline void fuzz_put_number(uint8_t *at, unsigned int bytes, uint32_t *state)
{
	static const uint64_t numbers[] = {
		0, 1, 2, 7, 8, 16, 27, 28, 29, 30, 31, 127, 128, 255, 256, 4079, 4080, 4095, 4096,
		0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		INT64_MAX, UINT64_MAX - 1, UINT64_MAX,
	};
	uint64_t number = numbers[fuzz_below(state, DMS_ARRAY_SIZE(numbers))];

	memcpy(at, &number, bytes);
}

#endif

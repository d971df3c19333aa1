/* SPDX-License-Identifier: LGPL-2.1-only */
/* A file read by offset, and a bounds-checked cursor over a file or a block of memory. */
#ifndef DMS_INPUT_FILE_H
#define DMS_INPUT_FILE_H

#include <string.h>

#include <dmascope/base.h>
#include <dmascope/input.h>

/** What was given, where struct file holds a copy of it: unpacked, or out of a pipe. */
struct file_origin {
	const char *packing; /* "gzip", "zstd", "xz"; NULL: it was not compressed */
	uint64_t bytes;	     /* as given */
	char hash[DMS_HASH_TEXT]; /* of these, see dms_source_hash() */
	char *damage;	     /* what is wrong with the compressed data, of which the copy is the
				beginning; NULL: nothing */
};

/** An open input file; it can be read at any offset. */
struct file {
	char *path; /* for messages: as given, "standard input" for "-" */
	uint64_t size;
	int fd;
	struct file_origin *origin; /* NULL: fd is the file as given */
};

/**
 * Open @path for reading; "-" is standard input. What is compressed and what comes out of a pipe is
 * copied into a temporary file without a name. Errors: DMS_ERROR_INPUT: missing, unreadable, neither
 * a regular file nor a pipe; DMS_ERROR_INTERNAL: no room for the copy. Compressed data that is
 * damaged is no error: see file_origin.
 */
struct dms_error *file_open(const char *path, struct file *ret);
void file_close(struct file *file);
/** Read exactly @bytes at @offset. Errors: DMS_ERROR_INPUT, naming path and offset. */
struct dms_error *file_read(const struct file *file, uint64_t offset, void *buf, size_t bytes);

/** The longest string a header may hold: a path or a name, not a text. */
#define CURSOR_MAX_STRING 4096

/** Reads forward over @file, or over memory that came from it. No read passes its end. */
struct cursor {
	const struct file *file;
	const uint8_t *memory; /* NULL: read from file */
	uint64_t position;     /* next byte, in file or memory */
	uint64_t end;	       /* first byte beyond */
	uint64_t origin;       /* of memory in the file, for messages */
	uint8_t *buffer;       /* what was taken last from a file */
	size_t buffer_size;
	bool big_endian;
};

void cursor_init_file(struct cursor *cursor, const struct file *file, uint64_t position);
void cursor_init_memory(struct cursor *cursor, const struct file *file, const void *memory,
			size_t bytes, uint64_t origin);
void cursor_deinit(struct cursor *cursor);

/** The next @bytes, borrowed until the next call; @what names them in the error. */
struct dms_error *cursor_take(struct cursor *cursor, uint64_t bytes, const char *what,
			      const uint8_t **ret);
/** Step over @bytes. */
struct dms_error *cursor_skip(struct cursor *cursor, uint64_t bytes, const char *what);
/** A number of 1, 2, 4 or 8 @bytes in the cursor's byte order. */
struct dms_error *cursor_number(struct cursor *cursor, unsigned int bytes, const char *what,
				uint64_t *ret);
/** A terminated string of at most CURSOR_MAX_STRING bytes, borrowed until the next call. */
struct dms_error *cursor_string(struct cursor *cursor, const char *what, const char **ret);
/** An error that names the file, the place of the cursor, and what is wrong. */
struct dms_error *cursor_error(const struct cursor *cursor, const char *fmt, ...) _printf_(2, 3);

/* Numbers at any alignment, in the byte order of the trace. */
static inline uint16_t load16(const void *at, bool swap)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return swap ? __builtin_bswap16(value) : value;
}

static inline uint32_t load32(const void *at, bool swap)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return swap ? __builtin_bswap32(value) : value;
}

static inline uint64_t load64(const void *at, bool swap)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return swap ? __builtin_bswap64(value) : value;
}

#define HOST_BIG_ENDIAN (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

#endif

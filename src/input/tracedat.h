/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a trace.dat file says about itself: the container, without its records. */
#ifndef DMS_INPUT_TRACEDAT_H
#define DMS_INPUT_TRACEDAT_H

#include <dmascope/input.h>

#include "file.h"

enum compression { COMPRESSION_NONE, COMPRESSION_ZSTD, COMPRESSION_ZLIB };

/* Sub-buffers of a ring buffer, bytes: from the smallest page to what a kernel would allocate. */
#define TRACEDAT_MIN_PAGE 1024u
#define TRACEDAT_MAX_PAGE (16u << 20)

/** Where the ring-buffer pages of one CPU lie. */
struct tracedat_cpu {
	uint64_t offset, size; /* bytes in the file; compressed size if the buffer is */
	uint32_t cpu;
};

/** One ring buffer: the top one, or a named instance. */
struct tracedat_buffer {
	const char *name;  /* "" for the top one */
	const char *clock; /* NULL: that of the file */
	struct tracedat_cpu *cpus;
	uint32_t n_cpus;
	uint32_t page_size; /* of the ring buffer's sub-buffers, bytes */
	bool compressed;    /* in chunks, see tracedat_stream.c */
};

/** A parsed container. Strings and tables live in the arena. */
struct tracedat {
	struct file file;
	struct dms_arena *arena;
	unsigned int version; /* 6 or 7 */
	enum compression compression;
	const char *compression_name;
	bool big_endian;
	unsigned int long_size; /* of the kernel's commit field, bytes */
	uint32_t page_size;
	uint32_t n_cpus; /* as the header counts them */

	struct dms_format *formats;
	size_t n_formats, formats_capacity;
	struct tracedat_buffer *buffers;
	size_t n_buffers, buffers_capacity;

	uint64_t kallsyms_offset; /* of the text (v6) or of its section (v7); 0: none */
	uint64_t kallsyms_size;	  /* v6 only */
	const char *cmdlines;	  /* "pid comm" lines, terminated; NULL: none */

	const char *uname, *release, *clock, *writer;
	int64_t ts_offset_ns;	      /* option OFFSET: added to each time stamp */
	uint32_t tsc_mult, tsc_shift; /* option TSC2NSEC; mult 0: no conversion */
	uint64_t lost_by_stats;	      /* sum over the CPUSTAT options */
	uint64_t stats_ts;	      /* ns: when they were read, the first of them; 0: not told */
};

/** Parse the container of @file, whose first bytes are a trace.dat's. Takes @file. */
struct dms_error *tracedat_open(struct file *file, struct tracedat *ret);
void tracedat_close(struct tracedat *dat);

/* tracedat_sections.c: the parts both versions share */
struct dms_error *tracedat_read_header_info(struct tracedat *dat, struct cursor *cursor);
struct dms_error *tracedat_read_ftrace_formats(struct tracedat *dat, struct cursor *cursor);
struct dms_error *tracedat_read_event_formats(struct tracedat *dat, struct cursor *cursor);
struct dms_error *tracedat_read_cmdlines(struct tracedat *dat, struct cursor *cursor);
/** Load section @offset of a v7 file, decompressed, into the arena. */
struct dms_error *tracedat_load_section(struct tracedat *dat, uint64_t offset, const char *what,
					struct cursor *ret);
/** A new, empty buffer at the end of @dat's. NULL when memory is short. */
struct tracedat_buffer *tracedat_add_buffer(struct tracedat *dat, const char *name);
/** A terminated copy of @bytes at @str in the arena. NULL when memory is short. */
const char *tracedat_copy(struct tracedat *dat, const void *str, size_t bytes);

/* tracedat_options.c */
/** One option of id @id with @size bytes at @data. @cursor is for messages. */
struct dms_error *tracedat_option(struct tracedat *dat, unsigned int id, const uint8_t *data,
				  size_t size, const struct cursor *cursor);
enum { TRACEDAT_OPTION_DONE = 0, TRACEDAT_OPTION_BUFFER = 3 };

/* compress.c */
enum unpacking { UNPACK_DONE, UNPACK_DAMAGED, UNPACK_NO_MEMORY };
/** Decompress @size bytes at @data into exactly @ret_size bytes at @ret. */
enum unpacking compression_unpack(enum compression compression, const void *data, size_t size,
				  void *ret, size_t ret_size);
/** The compression called @name in the file; false if this program does not know it. */
bool compression_find(const char *name, enum compression *ret);

#endif

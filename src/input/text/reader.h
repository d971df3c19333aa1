/* SPDX-License-Identifier: LGPL-2.1-only */
/* A stretch of a text dump line by line, each understood: what both passes over it read. */
#ifndef DMS_INPUT_TEXT_READER_H
#define DMS_INPUT_TEXT_READER_H

#include "../file.h"
#include "text.h"

/** More CPUs than any kernel is built for (NR_CPUS): a number beyond is a misread one. */
#define TEXT_MAX_CPUS 8192
/** A longer line is none of a trace: the longest list there is takes some 40 KB. */
#define TEXT_MAX_LINE (256 * 1024)

struct text_reader {
	const struct file *file;
	uint64_t position, end; /* in the file: what to read next, and where to stop */
	char *buffer;
	size_t capacity, filled, at; /* bytes: of buffer; in it; of the next line in it */
	struct text_state state;
	/* of the line read last */
	uint64_t offset; /* in the file */
	const char *line;
	uint32_t len;
	bool is_open; /* the file ends in it: it may be cut */
	bool is_end;  /* there is none */
	uint32_t column; /* events that reach it are cut; 0: none is */
	struct text_item item;
	struct text_body body; /* if item is an event */
	const char *why;       /* what is wrong with it, if item is TEXT_CUT; see text_item.reason */
};

/** Where the line read last ends in the file, with its line end. */
static inline uint64_t text_reader_position(const struct text_reader *reader)
{
	return reader->position - (reader->filled - reader->at);
}

/** Read from @offset to @end of @file. Errors: memory. */
struct dms_error *text_reader_open(struct text_reader *reader, const struct file *file,
				   uint64_t offset, uint64_t end);
void text_reader_close(struct text_reader *reader);
/**
 * Read and understand the next line; is_end if there is none. An event whose body is none, or
 * that the end of the file may have cut, is TEXT_CUT. Errors: reading failed, memory.
 */
struct dms_error *text_reader_next(struct text_reader *reader);

#endif

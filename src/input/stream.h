/* SPDX-License-Identifier: LGPL-2.1-only */
/* The records of one CPU in one ring buffer of a trace.dat, one after the other. */
#ifndef DMS_INPUT_STREAM_H
#define DMS_INPUT_STREAM_H

#include "page.h"
#include "tracedat.h"

/** A run of whole pages in memory. */
struct chunk {
	uint8_t *pages;
	size_t capacity; /* bytes allocated */
	uint32_t size;	 /* bytes filled */
	uint64_t offset; /* of pages in the file (of the compressed chunk, if it is) */
};

/**
 * record is current; the one after it is read ahead, so that a stack can be seen with its event.
 * Two chunks take turns: the current record stays valid while the next chunk is loaded.
 */
struct stream {
	const struct tracedat *dat;
	struct dms_record record;
	struct dms_gap gap; /* between record and the next one; valid if has_gap */
	bool has_gap;
	bool is_valid; /* record is one; false at the end */

	/* the record read ahead */
	const uint8_t *next_data;
	uint64_t next_ts, next_offset;
	uint32_t next_size;
	uint64_t next_missed; /* 0, a count, or PAGE_MISSED_UNKNOWN */
	bool has_next;

	uint64_t position, end; /* what of the file is still to be read */
	uint32_t chunks_left;	/* compressed data only */
	uint32_t page_size;
	uint32_t chunk_bytes; /* how much to read at a time; whole pages */
	bool compressed;
	struct chunk chunks[2];
	unsigned int filled;  /* index of the chunk filled last */
	unsigned int held;    /* of the chunk the current record lies in: it must not be filled */
	uint32_t page_offset; /* of the next page in it */
	struct page page;
	bool in_page;

	uint64_t n_damaged;
	char *first_damage; /* where and what; owned */
};

/**
 * Begin @stream over the data of @cpu; the first record becomes current, or is_valid is false.
 * Events lost before the first record are told as a gap with after_ts 0.
 */
struct dms_error *stream_open(struct stream *stream, const struct tracedat *dat,
			      const struct tracedat_buffer *buffer, const struct tracedat_cpu *cpu,
			      uint32_t chunk_bytes);
void stream_close(struct stream *stream);
/** Make the next record current. Errors: reading failed, memory. */
struct dms_error *stream_advance(struct stream *stream);

#endif

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
 * The head is the record to be taken next: the event that page stands at, so that nothing of it has
 * to be copied. Two chunks take turns: the record taken last stays valid while the next is loaded.
 */
struct stream {
	const struct tracedat *dat;
	struct page page;
	uint64_t head_ts;     /* of the head, as dms_record has it */
	uint64_t head_offset; /* of its page in the file */
	uint32_t cpu, instance;
	bool has_head; /* false at the end */
	bool has_gap;
	struct dms_gap gap; /* before the head, if has_gap; its taker clears that */
	uint64_t missed;    /* there: 0, a count, or PAGE_MISSED_UNKNOWN */

	uint64_t position, end; /* what of the file is still to be read */
	uint32_t chunks_left;	/* compressed data only */
	uint32_t page_size;
	uint32_t chunk_bytes; /* how much to read at a time; whole pages */
	bool compressed;
	struct chunk chunks[2];
	unsigned int filled;  /* index of the chunk filled last */
	unsigned int held;    /* of the chunk the record taken last lies in: not to be filled */
	uint32_t page_offset; /* of the next page in it */

	uint64_t n_damaged;
	char *first_damage; /* where and what; owned */
};

/**
 * Begin @stream over the data of @cpu, in buffer @instance: the first record becomes the head.
 * Events lost before it are told as a gap with after_ts 0.
 */
struct dms_error *stream_open(struct stream *stream, const struct tracedat *dat, uint32_t instance,
			      const struct tracedat_cpu *cpu, uint32_t chunk_bytes);
void stream_close(struct stream *stream);
/**
 * Take the head, which there must be; the record behind it is the next one.
 * Errors: reading failed, memory.
 */
struct dms_error *stream_take(struct stream *stream, struct dms_record *ret);

#endif

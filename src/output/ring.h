/* SPDX-License-Identifier: LGPL-2.1-only */
/* Events laid out in ring-buffer pages, as the kernel would: the counterpart of src/input/page.h. */
#ifndef DMS_OUTPUT_RING_H
#define DMS_OUTPUT_RING_H

#include <dmascope/base.h>

/** Takes a full page. */
typedef struct dms_error *(*ring_page_fn)(void *context, const uint8_t *page);

/** What all pages of a file have in common. */
struct ring_shape {
	uint32_t page_size; /* bytes */
	uint32_t long_size; /* of the traced kernel, bytes */
	bool big_endian;
};

/** The page of one CPU that is being filled. */
struct ring {
	const struct ring_shape *shape;
	ring_page_fn write;
	void *context;
	uint8_t *page;
	uint32_t used;	   /* bytes of data */
	uint32_t capacity; /* for data */
	uint64_t last_ts;
	uint64_t missed; /* before this page: 0, a count, or RING_MISSED_UNKNOWN */
	bool has_room;	 /* the count of what was missed fits behind the data */
	bool is_open;	 /* holds an event */
	uint64_t gap_counts; /* gaps whose count was not kept */
};
#define RING_MISSED_UNKNOWN UINT64_MAX

/** Smallest page size from @least on that holds events of @bytes; 0 if none does. */
uint32_t ring_page_size(uint32_t least, uint32_t long_size, uint64_t bytes);

/** Begin with an empty page. Errors: memory. */
struct dms_error *ring_init(struct ring *ring, const struct ring_shape *shape, ring_page_fn write,
			    void *context);
void ring_deinit(struct ring *ring);
/**
 * Room for an event of @bytes at @ts in @ret, which the caller fills before the next call.
 * @bytes must fit into a page. Time may go back: that begins a new page.
 */
struct dms_error *ring_reserve(struct ring *ring, uint64_t ts, uint32_t bytes, uint8_t **ret);
/** Events were lost here: @lost, or 0 if nobody knows how many. */
struct dms_error *ring_gap(struct ring *ring, uint64_t lost);
/** Write the page being filled, if it tells anything. */
struct dms_error *ring_flush(struct ring *ring);

/** Store a number of 1, 2, 4 or 8 @bytes in the byte order of the trace. */
static inline void ring_store(uint8_t *to, uint32_t bytes, uint64_t value, bool big_endian)
{
	for (uint32_t i = 0; i < bytes; i++)
		to[big_endian ? bytes - 1 - i : i] = (uint8_t)(value >> 8 * i);
}

#endif

// SPDX-License-Identifier: LGPL-2.1-only
/*
 * Events laid out in ring-buffer pages, as the kernel would: the counterpart of src/input/page.h.
 * Source of the format: kernel/trace/ring_buffer.c, header_page and header_event in tracefs.
 */
#include <string.h>

#include "../input/page.h"
#include "../input/tracedat.h"
#include "ring.h"

#define STAMP_BYTES	8u
#define ENTRY_BYTES	4u
#define EXTEND_BYTES	8u
#define EXTEND_BITS	59 /* 27 in the entry, 32 behind it */
#define SMALL_WORDS_MAX 28u

static uint32_t padded(uint32_t bytes)
{
	return (bytes + 3) & ~3u;
}

/* With its header: short ones have their length in it, others in a word of their own. */
static uint32_t entry_bytes(uint32_t data_bytes)
{
	bool is_small = data_bytes && data_bytes / 4 <= SMALL_WORDS_MAX;

	return data_bytes + (is_small ? ENTRY_BYTES : 2 * ENTRY_BYTES);
}

uint32_t ring_page_size(uint32_t least, uint32_t long_size, uint64_t bytes)
{
	uint64_t need;

	if (bytes > TRACEDAT_MAX_PAGE)
		return 0;
	need = STAMP_BYTES + long_size + entry_bytes(padded((uint32_t)bytes));
	while (least < need)
		least *= 2;
	return least <= TRACEDAT_MAX_PAGE ? least : 0;
}

struct dms_error *ring_init(struct ring *ring, const struct ring_shape *shape, ring_page_fn write,
			    void *context)
{
	*ring = (struct ring){.shape = shape, .write = write, .context = context};
	ring->page = dms_alloc(shape->page_size);
	return ring->page ? NULL : &dms_error_nomem;
}

void ring_deinit(struct ring *ring)
{
	dms_free(ring->page);
	ring->page = NULL;
}

static uint8_t *data_of(const struct ring *ring)
{
	return ring->page + STAMP_BYTES + ring->shape->long_size;
}

/* The bits of the commit field that tell of a loss, and the count behind the data. */
static uint64_t store_missed(struct ring *ring)
{
	const struct ring_shape *shape = ring->shape;

	if (!ring->missed)
		return 0;
	if (ring->missed == RING_MISSED_UNKNOWN)
		return PAGE_MISSED_EVENTS;
	if (!ring->has_room) {
		ring->gap_counts++;
		return PAGE_MISSED_EVENTS;
	}
	ring_store(data_of(ring) + ring->used, shape->long_size, ring->missed, shape->big_endian);
	return PAGE_MISSED_EVENTS | PAGE_MISSED_STORED;
}

struct dms_error *ring_flush(struct ring *ring)
{
	const struct ring_shape *shape = ring->shape;
	uint32_t head = STAMP_BYTES + shape->long_size;
	struct dms_error *err;
	uint64_t commit;

	if (!ring->is_open && !ring->missed)
		return NULL;
	if (!ring->is_open) { /* a loss after the last event */
		ring_store(ring->page, STAMP_BYTES, ring->last_ts, shape->big_endian);
		ring->used = 0;
		ring->has_room = true;
	}
	memset(data_of(ring) + ring->used, 0, shape->page_size - head - ring->used);
	commit = ring->used | store_missed(ring);
	ring_store(ring->page + STAMP_BYTES, shape->long_size, commit, shape->big_endian);
	err = ring->write(ring->context, ring->page);
	ring->is_open = false;
	ring->missed = 0;
	return err;
}

struct dms_error *ring_gap(struct ring *ring, uint64_t lost)
{
	struct dms_error *err = ring->is_open ? ring_flush(ring) : NULL;

	if (err)
		return err;
	if (!ring->missed) {
		ring->missed = lost ? lost : RING_MISSED_UNKNOWN;
	} else if (lost && ring->missed != RING_MISSED_UNKNOWN) {
		ring->missed += lost;
	} else { /* a count and an unknown one are unknown together */
		ring->gap_counts += lost || ring->missed != RING_MISSED_UNKNOWN;
		ring->missed = RING_MISSED_UNKNOWN;
	}
	return NULL;
}

/* Open a page whose first event is at @ts and takes @bytes with its header. */
static void begin(struct ring *ring, uint64_t ts, uint32_t bytes)
{
	const struct ring_shape *shape = ring->shape;
	bool has_count = ring->missed && ring->missed != RING_MISSED_UNKNOWN;

	ring_store(ring->page, STAMP_BYTES, ts, shape->big_endian);
	ring->capacity = shape->page_size - STAMP_BYTES - shape->long_size;
	ring->has_room = has_count && bytes + shape->long_size <= ring->capacity;
	if (ring->has_room)
		ring->capacity -= shape->long_size;
	ring->used = 0;
	ring->last_ts = ts;
	ring->is_open = true;
}

static void put_entry(struct ring *ring, uint32_t type, uint32_t delta)
{
	bool big_endian = ring->shape->big_endian;
	uint32_t word = big_endian ? type << PAGE_DELTA_BITS | delta : delta << 5 | type;

	ring_store(data_of(ring) + ring->used, ENTRY_BYTES, word, big_endian);
	ring->used += ENTRY_BYTES;
}

static void put_word(struct ring *ring, uint32_t word)
{
	ring_store(data_of(ring) + ring->used, ENTRY_BYTES, word, ring->shape->big_endian);
	ring->used += ENTRY_BYTES;
}

struct dms_error *ring_reserve(struct ring *ring, uint64_t ts, uint32_t bytes, uint8_t **ret)
{
	uint32_t data_bytes = padded(bytes), need = entry_bytes(data_bytes);
	bool is_near = ring->is_open && ts >= ring->last_ts && !((ts - ring->last_ts) >> EXTEND_BITS);
	uint64_t delta = is_near ? ts - ring->last_ts : 0;
	uint32_t extend = delta >> PAGE_DELTA_BITS ? EXTEND_BYTES : 0;

	if (!is_near || ring->used + extend + need > ring->capacity) {
		struct dms_error *err = ring->is_open ? ring_flush(ring) : NULL;

		if (err)
			return err;
		begin(ring, ts, need);
		delta = extend = 0;
	}
	if (extend) {
		put_entry(ring, PAGE_TYPE_TIME_EXTEND, delta & ((1u << PAGE_DELTA_BITS) - 1));
		put_word(ring, (uint32_t)(delta >> PAGE_DELTA_BITS));
		delta = 0;
	}
	ring->last_ts = ts;
	if (need == data_bytes + ENTRY_BYTES) {
		put_entry(ring, data_bytes / 4, (uint32_t)delta);
	} else {
		put_entry(ring, 0, (uint32_t)delta);
		put_word(ring, data_bytes + ENTRY_BYTES); /* counts itself */
	}
	*ret = data_of(ring) + ring->used;
	memset(*ret + bytes, 0, data_bytes - bytes);
	ring->used += data_bytes;
	return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Work put off: items in batches, made by one thread, done in their order by whichever has time. */
#ifndef DMASCOPE_BACKLOG_H
#define DMASCOPE_BACKLOG_H

#include <stdatomic.h>

#include <dmascope/base.h>

/** Bytes of one batch, some tens of microseconds of work. */
#define DMS_BACKLOG_BATCH_BYTES (32u << 10)
#define DMS_BACKLOG_BATCHES	24

/** Do @n items; one thread at a time is called. False: memory was short. */
typedef bool (*dms_backlog_fn)(void *context, const void *items, size_t n);

struct dms_backlog_batch {
	uint8_t items[DMS_BACKLOG_BATCH_BYTES];
	uint32_t n;
};

struct dms_backlog {
	dms_backlog_fn work;
	void *context;
	uint32_t item_bytes, max_items; /* of a batch */
	struct dms_backlog_batch *open; /* being filled */
	/* batches, ever: the first is for who makes items to change, the other for who has the lock */
	atomic_uint_fast64_t n_filled, n_done;
	atomic_bool has_failed;
	pthread_mutex_t lock;
	struct dms_backlog_batch *batches[DMS_BACKLOG_BATCHES];
};

/** Items have @item_bytes, a multiple of 8. Return: NULL when memory is short. */
struct dms_backlog *dms_backlog_create(size_t item_bytes, dms_backlog_fn work, void *context);
/** What waits is not done. No thread may be helping. NULL is allowed. */
void dms_backlog_destroy(struct dms_backlog *backlog);

/** By the thread that makes items: room for the next one, to be filled before dms_backlog_add(). */
static inline void *dms_backlog_room(const struct dms_backlog *backlog)
{
	return &backlog->open->items[(size_t)backlog->open->n * backlog->item_bytes];
}

/** A batch is full. For dms_backlog_add(). */
void dms_backlog_hand_over(struct dms_backlog *backlog);

/** By the same thread: the next item is where dms_backlog_room() was. False: memory was short. */
static inline bool dms_backlog_add(struct dms_backlog *backlog)
{
	if (++backlog->open->n == backlog->max_items)
		dms_backlog_hand_over(backlog);
	return !atomic_load_explicit(&backlog->has_failed, memory_order_relaxed);
}

/**
 * By the same thread: do what is left. Until the next dms_backlog_add() what the work changes is the
 * caller's. False: memory was short, then or before.
 */
bool dms_backlog_drain(struct dms_backlog *backlog);

/** By any thread: do a batch of what waits. False: nothing does. */
bool dms_backlog_help(struct dms_backlog *backlog);

#endif

// SPDX-License-Identifier: LGPL-2.1-only
/* Work put off: items in batches, made by one thread, done in their order by whichever has time. */
#include <dmascope/backlog.h>

/*
 * Nobody is woken for what waits here: waking a thread costs more than a batch holds. Who makes the
 * items does them himself when there is no room for more.
 */

struct dms_backlog *dms_backlog_create(size_t item_bytes, dms_backlog_fn work, void *context)
{
	struct dms_backlog *backlog = dms_zalloc(sizeof(*backlog));

	if (!backlog)
		return NULL;
	backlog->work = work;
	backlog->context = context;
	backlog->item_bytes = (uint32_t)item_bytes;
	backlog->max_items = (uint32_t)(DMS_BACKLOG_BATCH_BYTES / item_bytes);
	pthread_mutex_init(&backlog->lock, NULL);
	for (unsigned int i = 0; i < DMS_BACKLOG_BATCHES; i++) {
		backlog->batches[i] = dms_alloc_lines(sizeof(struct dms_backlog_batch));
		if (!backlog->batches[i]) {
			dms_backlog_destroy(backlog);
			return NULL;
		}
	}
	backlog->open = backlog->batches[0];
	backlog->open->n = 0;
	return backlog;
}

void dms_backlog_destroy(struct dms_backlog *backlog)
{
	if (!backlog)
		return;
	pthread_mutex_destroy(&backlog->lock);
	for (unsigned int i = 0; i < DMS_BACKLOG_BATCHES; i++)
		dms_free(backlog->batches[i]);
	dms_free(backlog);
}

/* Of @n_done batches that are done, is another one full? */
static bool is_waiting(struct dms_backlog *backlog, uint64_t n_done)
{
	return atomic_load_explicit(&backlog->n_filled, memory_order_acquire) != n_done;
}

/* The lock is held. */
static void do_batch(struct dms_backlog *backlog, uint64_t number)
{
	const struct dms_backlog_batch *batch = backlog->batches[number % DMS_BACKLOG_BATCHES];

	if (!backlog->work(backlog->context, batch->items, batch->n))
		atomic_store_explicit(&backlog->has_failed, true, memory_order_relaxed);
	atomic_store_explicit(&backlog->n_done, number + 1, memory_order_release);
}

bool dms_backlog_help(struct dms_backlog *backlog)
{
	uint64_t n_done = atomic_load_explicit(&backlog->n_done, memory_order_acquire);

	if (!is_waiting(backlog, n_done))
		return false;
	pthread_mutex_lock(&backlog->lock);
	n_done = atomic_load_explicit(&backlog->n_done, memory_order_relaxed);
	if (is_waiting(backlog, n_done))
		do_batch(backlog, n_done);
	pthread_mutex_unlock(&backlog->lock);
	return true;
}

_apart_ void dms_backlog_hand_over(struct dms_backlog *backlog)
{
	uint64_t n = atomic_load_explicit(&backlog->n_filled, memory_order_relaxed) + 1;

	atomic_store_explicit(&backlog->n_filled, n, memory_order_release);
	/* the next batch may still wait; if so, once helped it does not */
	if (n - atomic_load_explicit(&backlog->n_done, memory_order_acquire) == DMS_BACKLOG_BATCHES)
		dms_backlog_help(backlog);
	backlog->open = backlog->batches[n % DMS_BACKLOG_BATCHES];
	backlog->open->n = 0;
}

bool dms_backlog_drain(struct dms_backlog *backlog)
{
	if (backlog->open->n)
		dms_backlog_hand_over(backlog);
	while (dms_backlog_help(backlog))
		continue;
	return !atomic_load_explicit(&backlog->has_failed, memory_order_relaxed);
}

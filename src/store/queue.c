// SPDX-License-Identifier: LGPL-2.1-only
/* The bounded queue of batches and the one thread that writes them. */
#include "store.h"

/* One open batch for each table, and three under way: the memory of the store is bounded. */
#define MAX_BATCHES (DMS_N_BULK_TABLES + 3)

struct dms_queue {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work;  /* for the writer: a batch, or stop */
	pthread_cond_t space; /* for the producer: an empty batch, or idle */
	struct dms_batch *first, **last; /* to be written, in order */
	struct dms_batch *empty;
	unsigned int n_batches;
	unsigned int pending; /* in the list, or being written */
	bool stop;
	struct dms_error *error; /* the first; what comes after it is dropped */
	dms_batch_fn write;
	void *context;
};

static void write_one(struct dms_queue *queue, struct dms_batch *batch)
{
	bool failed = queue->error || queue->stop;
	struct dms_error *err;

	pthread_mutex_unlock(&queue->lock);
	err = failed ? NULL : queue->write(queue->context, batch);
	pthread_mutex_lock(&queue->lock);
	if (err)
		queue->error = err;
	batch->next = queue->empty;
	queue->empty = batch;
	queue->pending--;
	pthread_cond_signal(&queue->space);
}

static void *writer(void *arg)
{
	struct dms_queue *queue = arg;
	struct dms_batch *batch;

	pthread_mutex_lock(&queue->lock);
	for (;;) {
		while (!queue->first && !queue->stop)
			pthread_cond_wait(&queue->work, &queue->lock);
		batch = queue->first;
		if (!batch)
			break;
		queue->first = batch->next;
		if (!queue->first)
			queue->last = &queue->first;
		write_one(queue, batch);
	}
	pthread_mutex_unlock(&queue->lock);
	return NULL;
}

struct dms_error *dms_queue_create(dms_batch_fn write, void *context, struct dms_queue **ret)
{
	struct dms_queue *queue = dms_zalloc(sizeof(*queue));

	if (!queue)
		return &dms_error_nomem;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->work, NULL);
	pthread_cond_init(&queue->space, NULL);
	queue->last = &queue->first;
	queue->write = write;
	queue->context = context;
	if (!dms_thread_start(&queue->thread, writer, queue)) {
		dms_free(queue);
		return dms_error_new(DMS_ERROR_INTERNAL, "the writer thread cannot be started");
	}
	*ret = queue;
	return NULL;
}

void dms_queue_destroy(struct dms_queue *queue)
{
	struct dms_batch *batch;

	if (!queue)
		return;
	pthread_mutex_lock(&queue->lock);
	queue->stop = true;
	pthread_cond_signal(&queue->work);
	pthread_mutex_unlock(&queue->lock);
	pthread_join(queue->thread, NULL);
	while ((batch = queue->empty)) {
		queue->empty = batch->next;
		dms_free(batch);
	}
	pthread_cond_destroy(&queue->space);
	pthread_cond_destroy(&queue->work);
	pthread_mutex_destroy(&queue->lock);
	dms_error_free(queue->error);
	dms_free(queue);
}

struct dms_error *dms_queue_batch(struct dms_queue *queue, enum dms_bulk_table table,
				  struct dms_batch **ret)
{
	struct dms_batch *batch;

	pthread_mutex_lock(&queue->lock);
	while (!queue->empty && queue->n_batches == MAX_BATCHES)
		pthread_cond_wait(&queue->space, &queue->lock);
	batch = queue->empty;
	if (batch)
		queue->empty = batch->next;
	else if ((batch = dms_alloc(sizeof(*batch))))
		queue->n_batches++;
	pthread_mutex_unlock(&queue->lock);
	if (!batch)
		return &dms_error_nomem;
	batch->next = NULL;
	batch->table = table;
	batch->n_rows = 0;
	*ret = batch;
	return NULL;
}

void dms_queue_put(struct dms_queue *queue, struct dms_batch *batch)
{
	pthread_mutex_lock(&queue->lock);
	batch->next = NULL;
	*queue->last = batch;
	queue->last = &batch->next;
	queue->pending++;
	pthread_cond_signal(&queue->work);
	pthread_mutex_unlock(&queue->lock);
}

struct dms_error *dms_queue_drain(struct dms_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	while (queue->pending)
		pthread_cond_wait(&queue->space, &queue->lock);
	pthread_mutex_unlock(&queue->lock);
	return dms_queue_error(queue);
}

struct dms_error *dms_queue_error(struct dms_queue *queue)
{
	struct dms_error *err = NULL;

	pthread_mutex_lock(&queue->lock);
	if (queue->error)
		err = dms_error_new(dms_error_code(queue->error), "%s",
				    dms_error_message(queue->error));
	pthread_mutex_unlock(&queue->lock);
	return err;
}

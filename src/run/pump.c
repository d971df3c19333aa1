// SPDX-License-Identifier: LGPL-2.1-only
/* Read-ahead: items are copied into batches, which go round between two threads. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "pump.h"

/*
 * All that is under way takes about 2 MiB. A batch holds some milliseconds of work, far more than
 * it costs to wake a thread.
 */
#define BATCHES		4
#define BATCH_ITEMS	2048
#define BATCH_BYTES	(256u << 10)
#define HOST_BIG_ENDIAN (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
/* A smaller file is read before a thread has begun to run. */
#define MIN_FILE_BYTES (1u << 20)

/** Items in order, and what they point to. */
struct batch {
	struct dms_item items[BATCH_ITEMS];
	uint32_t n_items;
	uint8_t *bytes;
	size_t capacity, n_bytes;
	struct dms_error *error; /* of the reading, behind the last item */
	uint64_t done, total;	 /* see dms_pump_progress() */
};

struct dms_pump {
	struct dms_merge *merge;
	struct dms_pump_options options;
	bool has_thread;
	struct dms_item item; /* without a thread: the last one; with one: an END */

	/* the reading thread's */
	const void *next_from; /* the record that was copied for the one before it, */
	uint8_t *next_copy;    /* and its copy, if that is in the batch being filled */

	/* the other one's */
	struct batch *current; /* being emptied, from at on; NULL: none yet */
	uint32_t at;
	uint64_t done, total;

	/* shared, under the lock: batches in turn are filled, emptied, filled again */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	uint64_t n_filled, n_emptied; /* ever */
	bool is_reader_waiting;
	bool is_stopped; /* nobody wants more */
	bool is_done;	 /* there is no more */
	struct batch *batches[BATCHES];
};

static void add_progress(const struct dms_merge *merge, uint64_t *ret_done, uint64_t *ret_total)
{
	*ret_done = *ret_total = 0;
	for (uint32_t i = 0; i < dms_merge_count(merge); i++) {
		uint64_t done, total;

		dms_source_progress(dms_merge_source(merge, i), &done, &total);
		*ret_done += done;
		*ret_total += total;
	}
}

/* ---- filling batches ------------------------------------------------------------------------- */

/* make_room() made it; what lies there is kept aligned. */
static uint8_t *take_room(struct batch *batch, size_t bytes)
{
	uint8_t *room = batch->bytes + batch->n_bytes;

	batch->n_bytes += (bytes + 7) & ~(size_t)7;
	return room;
}

/* The record behind @record, if it is its call stack. */
static bool has_stack(const struct dms_pump *pump, uint32_t file, const struct dms_record *record)
{
	bool swap =
		dms_source_info(dms_merge_source(pump->merge, file))->big_endian != HOST_BIG_ENDIAN;
	uint16_t type;

	if (!record->next || record->next_size < sizeof(type))
		return false;
	memcpy(&type, record->next, sizeof(type));
	return pump->options.stacks[file] == (swap ? __builtin_bswap16(type) : type);
}

/* What copy_record() needs at most. */
static size_t bytes_of(const struct dms_item *item)
{
	const struct dms_record *record = &item->record;

	return item->kind != DMS_ITEM_RECORD
		       ? 0
		       : (size_t)record->size + record->next_size +
				 record->n_chain * sizeof(*record->chain) + 3 * 8;
}

/* Where the record's data are in @batch. It may have been copied with the one before it. */
static const void *copy_data(struct dms_pump *pump, struct batch *batch,
			     const struct dms_record *record)
{
	const void *copy = pump->next_copy;
	bool is_copied = copy && record->data == pump->next_from;

	if (is_copied) {
		pump->next_copy = NULL;
		return copy;
	}
	return memcpy(take_room(batch, record->size), record->data, record->size);
}

/* There is room for all of it. */
static void copy_record(struct dms_pump *pump, struct batch *batch, struct dms_item *item)
{
	struct dms_record *record = &item->record;

	record->data = copy_data(pump, batch, record);
	if (has_stack(pump, item->file, record)) {
		pump->next_from = record->next;
		pump->next_copy = take_room(batch, record->next_size);
		record->next = memcpy(pump->next_copy, record->next, record->next_size);
	} else {
		record->next = NULL;
		record->next_size = 0;
	}
	if (record->n_chain) {
		size_t bytes = record->n_chain * sizeof(*record->chain);

		record->chain = memcpy(take_room(batch, bytes), record->chain, bytes);
	}
}

/* The next empty batch; NULL: it is time to stop. */
static struct batch *next_batch(struct dms_pump *pump)
{
	struct batch *batch;

	pthread_mutex_lock(&pump->lock);
	if (pump->n_filled - pump->n_emptied == BATCHES) {
		/* woken when half of them are empty: sleeping and waking for each one costs more */
		pump->is_reader_waiting = true;
		while (pump->n_filled - pump->n_emptied > BATCHES / 2 && !pump->is_stopped)
			pthread_cond_wait(&pump->emptied, &pump->lock);
		pump->is_reader_waiting = false;
	}
	batch = pump->is_stopped ? NULL : pump->batches[pump->n_filled % BATCHES];
	pthread_mutex_unlock(&pump->lock);
	if (!batch)
		return NULL;
	batch->n_items = 0;
	batch->n_bytes = 0;
	pump->next_copy = NULL;
	return batch;
}

static void hand_over(struct dms_pump *pump, struct batch *batch)
{
	add_progress(pump->merge, &batch->done, &batch->total);
	pthread_mutex_lock(&pump->lock);
	pump->n_filled++;
	pthread_cond_signal(&pump->filled);
	pthread_mutex_unlock(&pump->lock);
}

/*
 * See to it that *@batch, if need be the next one, has room for one more item with @bytes. It is
 * NULL then if it is time to stop. Errors: memory.
 */
static struct dms_error *make_room(struct dms_pump *pump, struct batch **batch, size_t bytes)
{
	uint8_t *grown;

	if ((*batch)->n_items == BATCH_ITEMS ||
	    ((*batch)->n_items && bytes > (*batch)->capacity - (*batch)->n_bytes)) {
		hand_over(pump, *batch);
		*batch = next_batch(pump);
	}
	if (!*batch || bytes <= (*batch)->capacity)
		return NULL;
	grown = dms_realloc((*batch)->bytes, bytes); /* a record of enormous size, the first here */
	if (!grown)
		return &dms_error_nomem;
	(*batch)->bytes = grown;
	(*batch)->capacity = bytes;
	return NULL;
}

/* True if there is nothing to read behind @item. */
static bool is_last(const struct dms_pump *pump, const struct dms_item *item)
{
	if (item->kind == DMS_ITEM_END)
		return true;
	return (item->kind == DMS_ITEM_GAP ? item->gap.after_ts : item->record.ts) >
	       pump->options.until_ts;
}

static void read_all(struct dms_pump *pump)
{
	struct batch *batch = next_batch(pump);
	struct dms_error *err = NULL;
	struct dms_item read, *item;

	while (batch) {
		if ((err = dms_merge_next(pump->merge, &read)) ||
		    (err = make_room(pump, &batch, bytes_of(&read))) || !batch)
			break;
		item = &batch->items[batch->n_items++];
		*item = read;
		if (item->kind == DMS_ITEM_RECORD)
			copy_record(pump, batch, item);
		if (is_last(pump, item))
			break;
	}
	if (!batch)
		return;
	batch->error = err;
	hand_over(pump, batch);
}

static void *reader(void *arg)
{
	struct dms_pump *pump = arg;

	read_all(pump);
	pthread_mutex_lock(&pump->lock);
	pump->is_done = true;
	pthread_cond_signal(&pump->filled);
	pthread_mutex_unlock(&pump->lock);
	return NULL;
}

/* ---- emptying them --------------------------------------------------------------------------- */

/* Done with the current batch, if there is one: the next; NULL at the end. */
static struct batch *turn(struct dms_pump *pump)
{
	struct batch *batch;

	pthread_mutex_lock(&pump->lock);
	if (pump->current) {
		pump->n_emptied++;
		if (pump->is_reader_waiting && pump->n_filled - pump->n_emptied <= BATCHES / 2)
			pthread_cond_signal(&pump->emptied);
	}
	while (pump->n_filled == pump->n_emptied && !pump->is_done)
		pthread_cond_wait(&pump->filled, &pump->lock);
	batch = pump->n_filled == pump->n_emptied ? NULL : pump->batches[pump->n_emptied % BATCHES];
	pthread_mutex_unlock(&pump->lock);
	pump->current = batch;
	pump->at = 0;
	if (batch) {
		pump->done = batch->done;
		pump->total = batch->total;
	}
	return batch;
}

struct dms_error *dms_pump_next(struct dms_pump *pump, const struct dms_item **ret)
{
	struct batch *batch = pump->current;
	struct dms_error *err;

	*ret = &pump->item;
	if (!pump->has_thread)
		return dms_merge_next(pump->merge, &pump->item);
	while (!batch || pump->at == batch->n_items) {
		if (batch && batch->error) {
			err = batch->error;
			batch->error = NULL;
			return err;
		}
		if (!(batch = turn(pump)))
			return NULL; /* pump->item is an END */
	}
	*ret = &batch->items[pump->at++];
	return NULL;
}

void dms_pump_progress(const struct dms_pump *pump, uint64_t *ret_done, uint64_t *ret_total)
{
	if (!pump->has_thread) {
		add_progress(pump->merge, ret_done, ret_total);
		return;
	}
	*ret_done = pump->done;
	*ret_total = pump->total;
}

/* ---- opening and closing --------------------------------------------------------------------- */

bool dms_pump_pays(const struct dms_merge *merge)
{
	const char *wish = getenv("DMASCOPE_THREADS");
	uint64_t bytes = 0;
	cpu_set_t cpus;

	if (wish && *wish >= '1' && *wish <= '9')
		return strcmp(wish, "1") != 0;
	for (uint32_t i = 0; i < dms_merge_count(merge); i++)
		bytes += dms_source_info(dms_merge_source(merge, i))->file_size;
	/* more CPUs than the set has room for are an error, and more than one */
	return bytes >= MIN_FILE_BYTES &&
	       (sched_getaffinity(0, sizeof(cpus), &cpus) || CPU_COUNT(&cpus) > 1);
}

/* Signals are the main thread's: a handler there must not find itself in the reader. */
static bool start_quietly(struct dms_pump *pump)
{
	sigset_t all, before;
	int errnum;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errnum = pthread_create(&pump->thread, NULL, reader, pump);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return !errnum;
}

static bool allocate(struct dms_pump *pump)
{
	for (unsigned int i = 0; i < BATCHES; i++) {
		struct batch *batch = pump->batches[i] = dms_alloc(sizeof(*batch));

		if (!batch)
			return false;
		batch->error = NULL;
		batch->capacity = BATCH_BYTES;
		batch->bytes = dms_alloc(BATCH_BYTES);
		if (!batch->bytes)
			return false;
	}
	return true;
}

static void deinit_locks(struct dms_pump *pump)
{
	pthread_cond_destroy(&pump->emptied);
	pthread_cond_destroy(&pump->filled);
	pthread_mutex_destroy(&pump->lock);
	pump->has_thread = false;
}

struct dms_error *dms_pump_create(struct dms_merge *merge, const struct dms_pump_options *options,
				  struct dms_pump **ret)
{
	struct dms_pump *pump = dms_zalloc(sizeof(*pump));

	*ret = pump;
	if (!pump)
		return &dms_error_nomem;
	pump->merge = merge;
	pump->options = *options;
	if (!options->has_thread)
		return NULL;
	if (!allocate(pump))
		return &dms_error_nomem;
	pthread_mutex_init(&pump->lock, NULL);
	pthread_cond_init(&pump->filled, NULL);
	pthread_cond_init(&pump->emptied, NULL);
	pump->has_thread = true;
	if (start_quietly(pump))
		return NULL;
	/* where threads may not be, all goes without */
	deinit_locks(pump);
	return NULL;
}

void dms_pump_destroy(struct dms_pump *pump)
{
	if (!pump)
		return;
	if (pump->has_thread) {
		pthread_mutex_lock(&pump->lock);
		pump->is_stopped = true;
		pthread_cond_signal(&pump->emptied);
		pthread_mutex_unlock(&pump->lock);
		pthread_join(pump->thread, NULL);
		deinit_locks(pump);
	}
	for (unsigned int i = 0; i < BATCHES && pump->batches[i]; i++) {
		dms_error_free(pump->batches[i]->error);
		dms_free(pump->batches[i]->bytes);
		dms_free(pump->batches[i]);
	}
	dms_free(pump);
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Read-ahead: items are decoded into batches, which go round between two threads. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "pump.h"
#include "turns.h"

/*
 * A batch holds some 50 microseconds of work. Whoever fills them is the faster one, and sleeps until
 * half of them are empty: with 8 the threads woke each other 400 times in the shared recording, with
 * 32 about 100 times, in 10 % less time. All that is under way takes some 3 MiB.
 */
#define BATCHES	     32
#define BATCH_ITEMS 512
/* With so many full, whoever fills them has time to help; with less than these, no more. */
#define ENOUGH_BATCHES (BATCHES / 4)
#define FEW_BATCHES    (BATCHES / 16)
/*
 * Help is asked for when the reading thread sleeps that much of the time; until it falls behind. In
 * the shared recording, where it sleeps a quarter, what crosses over to the other core and back costs
 * 2 % more than it saves; in the generated mix (a half) it saves a sixth.
 */
#define SLEEPER_PERCENT 40
#define BATCH_BYTES (16u << 10)
/* A smaller file is read before a thread has begun to run. */
#define MIN_FILE_BYTES (1u << 20)
/* Records that tell nothing fill no batch, but time goes on. */
#define MAX_SILENT (BATCH_ITEMS * 16)

/** A stretch, and what its items point to. */
struct batch {
	struct dms_decoded items[BATCH_ITEMS];
	struct dms_stretch stretch;
	uint8_t *bytes; /* lists and texts */
	size_t capacity, n_bytes;
	struct dms_error *error; /* of the reading, behind the last item */
	uint64_t done, total;	 /* see dms_pump_progress() */
};

struct dms_pump {
	struct dms_merge *merge;
	struct dms_pump_options options;
	bool has_thread;
	struct dms_decoded end; /* what comes behind all batches */

	/* of the thread that takes items */
	struct batch *current; /* the one given last; NULL: none yet */
	uint64_t n_taken;      /* batches, ever */
	uint64_t done, total;
	bool is_helped;
	uint64_t alone_ns; /* when the other thread was last left alone with reading */
	uint64_t slept_ns; /* by it, up to then */
	uint64_t n_alone;  /* n_taken then */

	pthread_t thread;
	struct turns turns;
	struct batch *batches[BATCHES];
	/* of whoever reads; far from what the thread that takes items writes */
	struct dms_item read;	    /* by read_item() */
	struct dms_decoded carried; /* the next batch begins with it, if has_carried */
	bool has_carried;
	bool is_done; /* nothing is read any more */
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

/* True if there is nothing to read behind @item, and it is not decoded. */
static bool is_last(const struct dms_pump *pump, const struct dms_decoded *item)
{
	return item->kind == DMS_ITEM_END || item->ts > pump->options.until_ts;
}

/* The next item, and what it means. */
static struct dms_error *read_item(struct dms_pump *pump, struct dms_decoded *ret)
{
	struct dms_item *item = &pump->read;
	struct dms_error *err;

	if ((err = dms_merge_next(pump->merge, item)))
		return err;
	ret->kind = item->kind;
	ret->file = item->file;
	ret->ts = dms_item_ts(item);
	ret->is_silent = false;
	if (item->kind == DMS_ITEM_GAP)
		ret->gap = item->gap;
	if (item->kind != DMS_ITEM_RECORD)
		return NULL;
	if (is_last(pump, ret)) { /* it points to nothing: what was here is of another batch */
		ret->event.kind = DMS_EV_NONE;
		return NULL;
	}
	return pump->options.decode(pump->options.context, item, ret);
}

/* ---- filling batches ------------------------------------------------------------------------- */

/** What an event points to: its lists, and its text. */
struct tail {
	size_t phys_bytes, dma_bytes, lengths_bytes, text_bytes;
};

static struct tail tail_of(const struct dms_decoded *item)
{
	const struct dms_event *event = &item->event;

	if (item->kind != DMS_ITEM_RECORD || event->kind == DMS_EV_NONE)
		return (struct tail){0};
	return (struct tail){
		.phys_bytes = event->phys_list ? (size_t)event->n_phys * 8 : 0,
		.dma_bytes = event->dma_list ? (size_t)event->n_dma * 8 : 0,
		.lengths_bytes = event->lengths ? (size_t)event->n_dma * 4 : 0,
		.text_bytes = event->text ? event->text_len : 0,
	};
}

static size_t bytes_of(const struct tail *tail)
{
	return tail->phys_bytes + tail->dma_bytes + tail->lengths_bytes + tail->text_bytes;
}

/* There is room for it. What is there and empty stays there. */
static const void *keep(struct batch *batch, const void *from, size_t bytes)
{
	uint8_t *room = batch->bytes + batch->n_bytes;

	batch->n_bytes += bytes;
	return from ? memcpy(room, from, bytes) : NULL;
}

/* Lists of 8 bytes an entry come first: all stays aligned. */
static void keep_tail(struct batch *batch, const struct tail *tail, struct dms_event *event)
{
	batch->n_bytes = (batch->n_bytes + 7) & ~(size_t)7;
	event->phys_list = keep(batch, event->phys_list, tail->phys_bytes);
	event->dma_list = keep(batch, event->dma_list, tail->dma_bytes);
	event->lengths = keep(batch, event->lengths, tail->lengths_bytes);
	event->text = keep(batch, event->text, tail->text_bytes);
}

/* A tail beyond all measure goes into a batch of its own, made large enough. */
static struct dms_error *grow_bytes(struct batch *batch, size_t bytes)
{
	uint8_t *grown = dms_realloc(batch->bytes, bytes);

	if (!grown)
		return &dms_error_nomem;
	batch->bytes = grown;
	batch->capacity = bytes;
	return NULL;
}

/* @item is one more of @stretch. */
static void add_up(struct dms_stretch *stretch, const struct dms_decoded *item)
{
	const struct dms_decoded *first = stretch->items;

	stretch->n_items++;
	stretch->is_plain &= item->kind == DMS_ITEM_RECORD && item->event.kind != DMS_EV_NONE &&
			     item->file == first->file && item->inputs == first->inputs;
	if (!stretch->is_plain)
		return;
	stretch->kinds |= 1ull << item->event.kind;
	if (item->ts < stretch->first_ts)
		stretch->first_ts = item->ts;
	if (item->ts > stretch->last_ts)
		stretch->last_ts = item->ts;
}

/*
 * @item, which lies behind those of @batch, points to what the next one will overwrite: keep that.
 * If there is no room for it, it begins the next batch.
 */
static struct dms_error *keep_item(struct dms_pump *pump, struct batch *batch,
				   struct dms_decoded *item)
{
	struct tail tail = tail_of(item);
	size_t bytes = bytes_of(&tail) + 7;
	struct dms_error *err;

	if (bytes > 7 && batch->stretch.n_items && bytes > batch->capacity - batch->n_bytes) {
		pump->carried = *item;
		pump->has_carried = true;
		return NULL;
	}
	if (bytes > batch->capacity && (err = grow_bytes(batch, bytes)))
		return err;
	if (bytes > 7)
		keep_tail(batch, &tail, &item->event);
	add_up(&batch->stretch, item);
	return NULL;
}

/* One more item into @batch, unless it tells nothing. */
static struct dms_error *fill_one(struct dms_pump *pump, struct batch *batch)
{
	struct dms_decoded *item = &batch->items[batch->stretch.n_items];
	struct dms_error *err;

	if (pump->has_carried)
		*item = pump->carried;
	else if ((err = read_item(pump, item)))
		return err;
	pump->has_carried = false;
	pump->is_done = is_last(pump, item);
	if (!item->is_silent)
		return keep_item(pump, batch, item);
	batch->stretch.n_silent++;
	return NULL;
}

/* What is in it now has been taken: fill it with what comes next. */
static void fill(struct dms_pump *pump, struct batch *batch)
{
	uint32_t n_wanted = pump->options.is_in_step ? 1 : BATCH_ITEMS;
	struct dms_error *err = NULL;

	batch->n_bytes = 0;
	batch->stretch = (struct dms_stretch){
		.items = batch->items, .is_plain = true, .first_ts = UINT64_MAX};
	do {
		err = fill_one(pump, batch);
	} while (!err && !pump->is_done && !pump->has_carried &&
		 batch->stretch.n_items < n_wanted && batch->stretch.n_silent < MAX_SILENT);
	batch->stretch.is_plain &= batch->stretch.n_items > 0;
	batch->error = err;
	if (err)
		pump->is_done = true;
	add_progress(pump->merge, &batch->done, &batch->total);
}

static void read_all(struct dms_pump *pump)
{
	unsigned int slot;

	while (!pump->is_done && turns_take_empty(&pump->turns, &slot)) {
		fill(pump, pump->batches[slot]);
		turns_put_full(&pump->turns);
		while (pump->options.help && turns_is_ahead(&pump->turns, ENOUGH_BATCHES) &&
		       pump->options.help(pump->options.context))
			continue;
	}
}

static void *reader(void *arg)
{
	struct dms_pump *pump = arg;

	read_all(pump);
	turns_end(&pump->turns);
	return NULL;
}

/* ---- emptying them --------------------------------------------------------------------------- */

void dms_pump_release(struct dms_pump *pump)
{
	turns_put_empty(&pump->turns);
}

/* Done with the current batch, if there is one: the next; NULL at the end. */
static struct batch *turn(struct dms_pump *pump)
{
	unsigned int slot;

	if (pump->current && pump->options.turned)
		pump->options.turned(pump->options.context);
	else if (pump->current)
		dms_pump_release(pump);
	while (pump->options.help && !turns_is_there(&pump->turns, pump->n_taken) &&
	       pump->options.help(pump->options.context))
		continue;
	if (!turns_take_full(&pump->turns, pump->n_taken, &slot))
		return NULL;
	pump->n_taken++;
	return pump->batches[slot];
}

/* The same without a thread. */
static struct batch *refill(struct dms_pump *pump)
{
	if (pump->is_done)
		return NULL;
	fill(pump, pump->batches[0]);
	return pump->batches[0];
}

struct dms_error *dms_pump_next(struct dms_pump *pump, struct dms_stretch *ret)
{
	struct batch *batch = pump->current;

	*ret = (struct dms_stretch){.items = &pump->end, .n_items = 1};
	if (batch && batch->error) {
		struct dms_error *err = batch->error;

		batch->error = NULL;
		return err;
	}
	batch = pump->current = pump->has_thread ? turn(pump) : refill(pump);
	if (!batch)
		return NULL;
	pump->done = batch->done;
	pump->total = batch->total;
	*ret = batch->stretch;
	return NULL;
}

/* From now on nobody helps: how long does the reading thread sleep? */
static void begin_alone(struct dms_pump *pump)
{
	pump->alone_ns = dms_now_ns();
	pump->slept_ns = turns_slept_ns(&pump->turns);
	pump->n_alone = pump->n_taken;
}

static bool has_slept(struct dms_pump *pump)
{
	uint64_t slept_ns, ns;

	if (pump->n_taken - pump->n_alone < pump->options.n_watched)
		return false;
	slept_ns = turns_slept_ns(&pump->turns) - pump->slept_ns;
	ns = dms_now_ns() - pump->alone_ns;
	return slept_ns >= ns / 100 * SLEEPER_PERCENT;
}

bool dms_pump_is_helped(struct dms_pump *pump)
{
	bool was_helped = pump->is_helped;

	if (!pump->has_thread)
		return false;
	if (was_helped)
		pump->is_helped = turns_is_ahead(&pump->turns, FEW_BATCHES);
	else
		pump->is_helped = turns_is_ahead(&pump->turns, BATCHES - 2) && has_slept(pump);
	if (was_helped && !pump->is_helped)
		begin_alone(pump);
	return pump->is_helped;
}

void dms_pump_progress(const struct dms_pump *pump, uint64_t *ret_done, uint64_t *ret_total)
{
	*ret_done = pump->done;
	*ret_total = pump->total;
}

/* ---- opening and closing --------------------------------------------------------------------- */

unsigned int dms_pump_threads(const struct dms_merge *merge, bool has_rows)
{
	const char *wish = getenv("DMASCOPE_THREADS");
	uint64_t bytes = 0;
	cpu_set_t cpus;
	int n_cpus;

	if (wish && *wish >= '1' && *wish <= '9')
		return wish[1] || *wish > '3' ? 3 : (unsigned int)(*wish - '0');
	for (uint32_t i = 0; i < dms_merge_count(merge); i++)
		bytes += dms_source_info(dms_merge_source(merge, i))->file_size;
	if (bytes < MIN_FILE_BYTES)
		return 1;
	/* more CPUs than the set has room for are an error, and many */
	n_cpus = sched_getaffinity(0, sizeof(cpus), &cpus) ? CPU_SETSIZE : CPU_COUNT(&cpus);
	return n_cpus == 1 ? 1 : n_cpus == 2 && !has_rows ? 2 : 3;
}

static bool allocate(struct dms_pump *pump)
{
	unsigned int n_batches = pump->options.has_thread ? BATCHES : 1;

	for (unsigned int i = 0; i < n_batches; i++) {
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

struct dms_error *dms_pump_create(struct dms_merge *merge, const struct dms_pump_options *options,
				  struct dms_pump **ret)
{
	struct dms_pump *pump = dms_zalloc(sizeof(*pump));

	*ret = pump;
	if (!pump)
		return &dms_error_nomem;
	pump->merge = merge;
	pump->options = *options;
	pump->end = (struct dms_decoded){.kind = DMS_ITEM_END, .ts = UINT64_MAX};
	if (!allocate(pump))
		return &dms_error_nomem;
	if (!options->has_thread)
		return NULL;
	turns_init(&pump->turns, BATCHES);
	pump->alone_ns = dms_now_ns();
	pump->has_thread = dms_thread_start(&pump->thread, reader, pump);
	if (!pump->has_thread) /* where threads may not be, all goes without */
		turns_deinit(&pump->turns);
	return NULL;
}

bool dms_pump_has_thread(const struct dms_pump *pump)
{
	return pump->has_thread;
}

void dms_pump_destroy(struct dms_pump *pump)
{
	if (!pump)
		return;
	if (pump->has_thread) {
		turns_stop(&pump->turns);
		pthread_join(pump->thread, NULL);
		turns_deinit(&pump->turns);
	}
	for (unsigned int i = 0; i < BATCHES && pump->batches[i]; i++) {
		dms_error_free(pump->batches[i]->error);
		dms_free(pump->batches[i]->bytes);
		dms_free(pump->batches[i]);
	}
	dms_free(pump);
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Steps on their way to statistics, series and database, in batches. */
#include <stdatomic.h>
#include <string.h>

#include "ledger.h"
#include "pump.h"
#include "tally.h"
#include "turns.h"

/*
 * The model is one thread, and most of the work: what only listens to it need not wait for it, nor
 * it for them. A step points to what the model will change: what is needed of that is copied, some
 * 150 bytes; the event stays where the pump has it. Figures: docs/performance.md.
 */
#define BATCHES	      4
#define BATCH_ENTRIES 2048
#define BATCH_TURNS   4 /* of the pump: waking a thread costs more than some of these hold */
#define BATCH_BYTES   (16u << 10)

/** What is entered of a step. */
struct entry {
	union {
		const struct dms_event *event; /* NULL: none */
		const struct dms_gap *gap;     /* of GAP */
	};
	uint64_t ts;
	uint32_t device; /* index; DMS_ID_NONE */
	uint32_t doubts, differs;
	uint8_t kind, end, mode;
	bool has_mapping;
	struct dms_mapping mapping;
};

struct batch {
	struct entry entries[BATCH_ENTRIES];
	uint32_t n_entries;
	uint32_t n_turns; /* batches of the pump to release when it is entered */
	size_t n_bytes;
	_Alignas(8) uint8_t bytes[BATCH_BYTES]; /* lists, gaps, events that are not the pump's */
};

struct dms_ledger {
	struct dms_books books;
	struct dms_pump *pump;
	struct batch *open; /* being filled */
	bool has_thread;
	pthread_t thread;
	struct turns turns;
	_Atomic(struct dms_error *) error; /* of the thread, until it is told */
	/* of the thread */
	bool has_failed;
	/* of each device what its step told: index and mode, which is all that is looked at */
	struct dms_device *devices;
	size_t n_devices;
	struct batch *batches[BATCHES];
};

/* Apart, so that without a database the statistics are all there is to a step. */
_apart_ static struct dms_error *enter_rows(const struct dms_books *books,
					    const struct dms_step *step)
{
	struct dms_error *err = dms_series_step(books->series, step);

	return err ? err : dms_store_step(books->store, books->model, step);
}

struct dms_error *dms_books_enter(const struct dms_books *books, const struct dms_step *step)
{
	struct dms_error *err = books->tally ? dms_tally_step(books->tally, step)
					     : dms_stats_step(books->stats, step);

	return err || !books->store ? err : enter_rows(books, step);
}

/* ---- the thread: entering -------------------------------------------------------------------- */

static struct dms_error *find_device(struct dms_ledger *ledger, const struct entry *entry,
				     const struct dms_device **ret)
{
	struct dms_device *device;

	if (entry->device == DMS_ID_NONE)
		return NULL;
	if (!dms_grow(&ledger->devices, &ledger->n_devices, (size_t)entry->device + 1,
		      sizeof(*ledger->devices)))
		return &dms_error_nomem;
	device = &ledger->devices[entry->device];
	device->index = entry->device;
	device->mode = (enum dms_address_mode)entry->mode;
	*ret = device;
	return NULL;
}

_flat_ static struct dms_error *enter(struct dms_ledger *ledger, struct entry *entry)
{
	bool is_gap = entry->kind == DMS_STEP_GAP;
	struct dms_step step = {
		.kind = (enum dms_step_kind)entry->kind,
		.event = is_gap ? NULL : entry->event,
		.gap = is_gap ? entry->gap : NULL,
		.mapping = entry->has_mapping ? &entry->mapping : NULL,
		.ts = entry->ts,
		.differs = entry->differs,
		.doubts = entry->doubts,
		.end = (enum dms_end)entry->end,
	};
	struct dms_error *err = find_device(ledger, entry, &step.device);

	return err ? err : dms_books_enter(&ledger->books, &step);
}

static void *enter_all(void *context)
{
	struct dms_ledger *ledger = context;
	struct dms_error *err = NULL;
	struct batch *batch;
	unsigned int slot;

	for (uint64_t n = 0; turns_take_full(&ledger->turns, n, &slot); n++) {
		batch = ledger->batches[slot];
		/* what comes behind an error is not entered, but nobody is left waiting */
		for (uint32_t i = 0; i < batch->n_entries && !ledger->has_failed; i++) {
			if (!(err = enter(ledger, &batch->entries[i])))
				continue;
			ledger->has_failed = true;
			atomic_store(&ledger->error, err);
		}
		for (uint32_t i = 0; i < batch->n_turns; i++)
			dms_pump_release(ledger->pump);
		turns_put_empty(&ledger->turns);
	}
	return NULL;
}

/* ---- filling batches ------------------------------------------------------------------------- */

static void begin_batch(struct dms_ledger *ledger)
{
	unsigned int slot;

	turns_take_empty(&ledger->turns, &slot); /* nobody stops the ring while steps come */
	ledger->open = ledger->batches[slot];
	ledger->open->n_entries = 0;
	ledger->open->n_bytes = 0;
	ledger->open->n_turns = 0;
}

static void hand_over(struct dms_ledger *ledger)
{
	turns_put_full(&ledger->turns);
	begin_batch(ledger);
}

void dms_ledger_turn(struct dms_ledger *ledger)
{
	if (++ledger->open->n_turns == BATCH_TURNS)
		hand_over(ledger);
}

struct dms_error *dms_ledger_drain(struct dms_ledger *ledger)
{
	hand_over(ledger);
	turns_drain(&ledger->turns);
	return atomic_exchange(&ledger->error, NULL);
}

static void *room_for(struct batch *batch, size_t bytes)
{
	void *room = batch->bytes + batch->n_bytes;

	batch->n_bytes += (bytes + 7) & ~(size_t)7;
	return room;
}

/* Bytes of what has to be copied beside the mapping; SIZE_MAX: more than is worth it. */
_apart_ static size_t extra_bytes(const struct dms_step *step, bool copies_event)
{
	size_t bytes = 0;

	if (copies_event && (step->event->n_phys || step->event->n_dma || step->event->text_len))
		return SIZE_MAX; /* what it points to may go with it */
	if (copies_event)
		bytes += sizeof(*step->event);
	if (step->kind == DMS_STEP_GAP)
		bytes += (sizeof(*step->gap) + 7) & ~(size_t)7;
	if (step->mapping && step->mapping->sg)
		bytes += (dms_mapping_list_bytes(step->mapping) + 7) & ~(size_t)7;
	return bytes;
}

/* There is room for it. */
_apart_ static void copy_extra(struct batch *batch, struct entry *entry,
			       const struct dms_step *step, bool copies_event)
{
	struct dms_mapping *mapping = &entry->mapping;

	if (copies_event)
		entry->event = memcpy(room_for(batch, sizeof(*step->event)), step->event,
				      sizeof(*step->event));
	if (step->kind == DMS_STEP_GAP)
		entry->gap = memcpy(room_for(batch, sizeof(*step->gap)), step->gap,
				    sizeof(*step->gap));
	if (entry->has_mapping && mapping->sg)
		dms_mapping_copy_list(mapping, room_for(batch, dms_mapping_list_bytes(mapping)));
}

static void fill(struct entry *entry, const struct dms_step *step)
{
	entry->event = step->event;
	entry->ts = step->ts;
	entry->device = step->device ? step->device->index : DMS_ID_NONE;
	entry->mode = step->device ? (uint8_t)step->device->mode : 0;
	entry->doubts = step->doubts;
	entry->differs = step->differs;
	entry->kind = (uint8_t)step->kind;
	entry->end = (uint8_t)step->end;
	entry->has_mapping = step->mapping;
	if (step->mapping)
		entry->mapping = *step->mapping;
}

/* A row is numbered when its step is told: the model gives numbers to rules, too. */
static void number(struct dms_ledger *ledger, const struct dms_step *step)
{
	if (ledger->books.store && dms_store_wants_row(ledger->books.store, step->kind))
		dms_mapping_row(ledger->books.model, step->mapping);
}

/* Too much to copy: it is entered when all before it is. */
_apart_ static struct dms_error *enter_now(struct dms_ledger *ledger, const struct dms_step *step)
{
	struct dms_error *err = dms_ledger_drain(ledger);

	return err ? err : dms_books_enter(&ledger->books, step);
}

_flat_ struct dms_error *dms_ledger_step(struct dms_ledger *ledger, const struct dms_step *step,
					 const struct dms_event *event)
{
	bool copies_event = step->event && step->event != event;
	size_t bytes = 0;

	if (atomic_load_explicit(&ledger->error, memory_order_relaxed))
		return atomic_exchange(&ledger->error, NULL);
	if (copies_event || step->gap || (step->mapping && step->mapping->sg))
		bytes = extra_bytes(step, copies_event);
	number(ledger, step);
	if (bytes > BATCH_BYTES)
		return enter_now(ledger, step);
	if (ledger->open->n_entries == BATCH_ENTRIES || bytes > BATCH_BYTES - ledger->open->n_bytes)
		hand_over(ledger);
	struct entry *entry = &ledger->open->entries[ledger->open->n_entries++];

	fill(entry, step);
	if (bytes)
		copy_extra(ledger->open, entry, step, copies_event);
	return NULL;
}

/* ---- opening and closing --------------------------------------------------------------------- */

static bool allocate(struct dms_ledger *ledger)
{
	for (unsigned int i = 0; i < BATCHES; i++) {
		if (!(ledger->batches[i] = dms_alloc(sizeof(*ledger->batches[i]))))
			return false;
	}
	return true;
}

struct dms_error *dms_ledger_create(const struct dms_books *books, struct dms_pump *pump,
				    struct dms_ledger **ret)
{
	struct dms_ledger *ledger = dms_zalloc(sizeof(*ledger));

	*ret = NULL;
	if (!ledger)
		return &dms_error_nomem;
	ledger->books = *books;
	ledger->pump = pump;
	turns_init(&ledger->turns, BATCHES);
	if (!allocate(ledger)) {
		dms_ledger_destroy(ledger);
		return &dms_error_nomem;
	}
	begin_batch(ledger);
	ledger->has_thread = dms_thread_start(&ledger->thread, enter_all, ledger);
	if (ledger->has_thread)
		*ret = ledger;
	else
		dms_ledger_destroy(ledger);
	return NULL;
}

void dms_ledger_destroy(struct dms_ledger *ledger)
{
	if (!ledger)
		return;
	if (ledger->has_thread) {
		turns_stop(&ledger->turns);
		pthread_join(ledger->thread, NULL);
	}
	turns_deinit(&ledger->turns);
	dms_error_free(ledger->error);
	dms_free(ledger->devices);
	for (unsigned int i = 0; i < BATCHES; i++)
		dms_free(ledger->batches[i]);
	dms_free(ledger);
}

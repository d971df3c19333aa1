/* SPDX-License-Identifier: LGPL-2.1-only */
/* Read-ahead: one thread reads the files and decodes, another one makes sense of what it reads. */
#ifndef DMASCOPE_RUN_PUMP_H
#define DMASCOPE_RUN_PUMP_H

#include <dmascope/decode.h>
#include <dmascope/input.h>

struct dms_pump;

/** An item, and all that can be understood of it without those before it. */
struct dms_decoded {
	enum dms_item_kind kind;
	uint32_t file;
	uint64_t ts;	   /* of the record; where the gap begins; UINT64_MAX of the end */
	uint32_t inputs;   /* RECORD: DMS_INPUT_* its file can show, by its records up to this one */
	bool is_malformed; /* RECORD: a call that could not be decoded */
	bool is_silent;	   /* RECORD: it tells nothing, and is only counted */
	union {
		struct dms_event event; /* RECORD; its kind is NONE if it is none of ours */
		struct dms_gap gap;
	};
};

/** Items in the order of reading, and what is true of all of them: who takes them asks once. */
struct dms_stretch {
	const struct dms_decoded *items;
	uint32_t n_items;
	uint32_t n_silent; /* records beside them that were left out: is_silent */
	bool is_plain;	   /* one or more, all events of one file that can show the same all the time */
	uint64_t kinds;	   /* bits by enum dms_event_kind; these three: if is_plain */
	uint64_t first_ts, last_ts; /* the least and the greatest */
};

/** A gap counts from where it begins. */
static inline uint64_t dms_item_ts(const struct dms_item *item)
{
	return item->kind == DMS_ITEM_RECORD ? item->record.ts
	       : item->kind == DMS_ITEM_GAP  ? item->gap.after_ts
					     : UINT64_MAX;
}

/** How a run reads. */
struct dms_pump_options {
	uint64_t until_ts; /* the first item behind it is the last one read, and is not decoded */
	/**
	 * Decode the record of @item, in the order of reading: event, inputs, is_malformed and
	 * is_silent of *@ret. What the event points to is borrowed until the next call. Errors: memory.
	 */
	struct dms_error *(*decode)(void *context, const struct dms_item *item,
				    struct dms_decoded *ret);
	/**
	 * There will be another stretch: the one before is needed until dms_pump_release().
	 * NULL: until now.
	 */
	void (*turned)(void *context);
	/**
	 * Some work that either thread may do, of a batch's length at most: the reading one does it
	 * when it is ahead, the other one before it waits. False: there was none. NULL: never any.
	 */
	bool (*help)(void *context);
	uint32_t n_watched; /* stretches, for which is watched how much time there is for help */
	void *context;
	bool has_thread;  /* see dms_pump_threads() */
	bool is_in_step;  /* no item is read before the one before it was taken; without a thread */
};

/**
 * How many threads pay: 1 where there is one CPU or little to read; 2, reading and making sense of
 * it; 3, and statistics, where there is a CPU for that, or @has_rows: steps become rows of a
 * database. DMASCOPE_THREADS in the environment decides otherwise.
 */
unsigned int dms_pump_threads(const struct dms_merge *merge, bool has_rows);

/**
 * Begin to read @merge, which is borrowed. With a thread, the sources, and whatever decoding
 * changes, are the pump's as long as it lives: all the sources can be asked for is what
 * dms_source_info says of the file as it was opened. Errors: memory.
 */
struct dms_error *dms_pump_create(struct dms_merge *merge, const struct dms_pump_options *options,
				  struct dms_pump **ret);
/** False if there may be no thread, or none was wanted: turned() is not called then. */
bool dms_pump_has_thread(const struct dms_pump *pump);
/** Waits for the thread, which stops where it is. */
void dms_pump_destroy(struct dms_pump *pump);

/**
 * What dms_merge_next() would give, in the same order, decoded, its errors among it; behind the last
 * item ENDs. *@ret and all it points to are borrowed until the next call, with turned() until it is
 * released.
 */
struct dms_error *dms_pump_next(struct dms_pump *pump, struct dms_stretch *ret);
/** Of the stretches that turned() was called for, the oldest is not needed any more. By any thread. */
void dms_pump_release(struct dms_pump *pump);
/** For each stretch: true if the reading thread has time to help. */
bool dms_pump_is_helped(struct dms_pump *pump);
/** As dms_source_progress(), of all files together, up to about the items given last. */
void dms_pump_progress(const struct dms_pump *pump, uint64_t *ret_done, uint64_t *ret_total);

#endif

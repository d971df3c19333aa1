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
	union {
		struct dms_event event; /* RECORD; its kind is NONE if it is none of ours */
		struct dms_gap gap;
	};
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
	 * Decode the record of @item, in the order of reading: event, inputs and is_malformed of
	 * *@ret. What the event points to is borrowed until the next call. Errors: memory.
	 */
	struct dms_error *(*decode)(void *context, const struct dms_item *item,
				    struct dms_decoded *ret);
	void *context;
	bool has_thread; /* see dms_pump_pays() */
};

/**
 * True if a thread of its own for reading pays: there is more than one CPU, and enough to read.
 * DMASCOPE_THREADS in the environment decides otherwise: 1 is without, more is with.
 */
bool dms_pump_pays(const struct dms_merge *merge);

/**
 * Begin to read @merge, which is borrowed. With a thread, the sources, and whatever decoding
 * changes, are the pump's as long as it lives: all the sources can be asked for is what
 * dms_source_info says of the file as it was opened. Errors: memory.
 */
struct dms_error *dms_pump_create(struct dms_merge *merge, const struct dms_pump_options *options,
				  struct dms_pump **ret);
/** Waits for the thread, which stops where it is. */
void dms_pump_destroy(struct dms_pump *pump);

/**
 * What dms_merge_next() would give, in the same order, decoded, its errors among it. *@ret and all
 * it points to are borrowed until the next call.
 */
struct dms_error *dms_pump_next(struct dms_pump *pump, const struct dms_decoded **ret);
/** As dms_source_progress(), of all files together, up to about the item given last. */
void dms_pump_progress(const struct dms_pump *pump, uint64_t *ret_done, uint64_t *ret_total);

#endif

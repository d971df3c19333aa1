/* SPDX-License-Identifier: LGPL-2.1-only */
/* Memory that is mapped twice or freed while mapped: found at once, told when it is sure. */
#ifndef DMS_MODEL_OVERLAP_H
#define DMS_MODEL_OVERLAP_H

#include "memory.h"

/** Something that looks wrong, until the lives in it have ended. */
struct incident {
	struct dms_event event;	  /* the newer one's map, or the free; without lists */
	struct dms_mapping older; /* as it was when it ended */
	struct dms_mapping newer; /* the same; OVERLAP only */
	struct live_mapping *older_live, *newer_live; /* while they live */
	struct dms_overlap overlap;
	enum dms_step_kind kind; /* OVERLAP or PAGE_FREED */
	enum dms_end older_end, newer_end;
	uint32_t doubts;
	bool is_of_several; /* tasks: or an interrupt made one of the calls */
	uint32_t next_of_older; /* further incidents of the older one; also: free ones */
	uint32_t before, after; /* in age */
};

/* More at a time are a driver that never unmaps; the oldest are then forgotten. */
#define MAX_INCIDENTS 4095 /* all bits of a number, which struct live_mapping has 12 for */
/* One mapping that never ends, and others of its memory again and again: enough is told. */
#define MAX_INCIDENTS_OF_OLDER 16

/** All numbers of incidents are plus 1; 0 is none. */
struct incident_pool {
	struct incident *items;
	size_t capacity;
	uint32_t n_items, free;
	uint32_t oldest, newest;
	uint64_t n_forgotten;
};

/** Live mappings by the physical memory the device may write, and what awaits its telling. */
struct overlap_state {
	struct memory_index memory;
	struct incident_pool incidents;
};

/** Equal in all that an unmap names: either's unmap may have been taken for the other's. */
static inline bool overlap_are_alike(const struct dms_mapping *left,
				     const struct dms_mapping *right)
{
	return left->device == right->device && left->dma_addr == right->dma_addr &&
	       left->size == right->size && left->dir == right->dir && left->kind == right->kind;
}

/**
 * A new incident of kind @kind about @older and, unless it is NULL, @newer, with @event.
 * Return: NULL when memory is short, or if of @older there are enough.
 */
struct incident *incident_add(struct incident_pool *pool, enum dms_step_kind kind,
			      struct live_mapping *older, struct live_mapping *newer);
struct dms_model;
/** @live has ended by @event (NULL: without its unmap), as @step told it: tell what awaited it. */
struct dms_error *incident_end(struct dms_model *model, struct live_mapping *live,
			       const struct dms_event *event, const struct dms_step *step);

#endif

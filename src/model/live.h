/* SPDX-License-Identifier: LGPL-2.1-only */
/* The live mappings of one device, found by address: exactly, or by what they contain. */
#ifndef DMS_MODEL_LIVE_H
#define DMS_MODEL_LIVE_H

#include <dmascope/model.h>

struct live_mapping;

/** One address range of one live mapping, in a chain of its hash bucket. */
struct extent {
	struct dms_segment range;
	struct live_mapping *owner;
	struct extent *next;
};

/*
 * Extents hashed by where they start, in buckets as wide as the extents of their size class:
 * what contains an address then starts in its own bucket or the one before, in each class. Both
 * exact and containing searches touch few buckets, however many mappings live.
 */
#define EXTENT_CLASSES 27
struct extent_table {
	struct extent **buckets;
	uint32_t n_buckets; /* a power of two, or 0 */
	uint32_t count;
	uint32_t used_classes; /* bit set: class_count is not 0 */
	uint32_t class_count[EXTENT_CLASSES];
};

/** Add @extent, whose range and owner are set. Return: false when memory is short. */
bool extents_add(struct extent_table *table, struct extent *extent);
void extents_remove(struct extent_table *table, struct extent *extent);
void extents_deinit(struct extent_table *table);

/** Called for each extent found; false ends the search. */
typedef bool (*extent_fn)(void *context, struct extent *extent);
/** Every extent that starts at @addr. */
void extents_each_at(const struct extent_table *table, uint64_t addr, extent_fn visit,
		     void *context);
/** Those of them whose size is of @size's class: all of exactly @size are among them. */
void extents_each_of_size(const struct extent_table *table, uint64_t addr, uint64_t size,
			  extent_fn visit, void *context);
/** Every extent that contains @addr or starts at it. */
void extents_each_around(const struct extent_table *table, uint64_t addr, extent_fn visit,
			 void *context);

/** What a list adds to its mapping: one block of memory, freed with it. */
struct list_part {
	struct dms_sg sg;
	struct extent by_phys;	  /* in device_state.lists, range.dma_addr is phys[0] */
	struct extent segments[]; /* the mapping's extents; then the phys addresses */
};

/** A mapping while it lives. */
struct live_mapping {
	struct dms_mapping mapping; /* serial 0: the slot is free */
	struct extent extent;	    /* of a mapping without a list */
	struct list_part *list;
	struct live_mapping *next_free;
	bool is_superseded; /* its address was mapped again, an unmap is awaited */
};

/** Slots of live mappings, recycled; slots never move. */
#define SLOTS_PER_BLOCK 256
struct slot_block {
	struct slot_block *next;
	struct live_mapping slots[SLOTS_PER_BLOCK];
};
struct slot_pool {
	struct slot_block *first, *last;
	struct live_mapping *free;
	uint32_t n_live;
};

struct live_mapping *slots_take(struct slot_pool *pool);
/** Give back @live with the memory of its list. */
void slots_give(struct slot_pool *pool, struct live_mapping *live);
void slots_deinit(struct slot_pool *pool);

#endif

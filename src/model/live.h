/* SPDX-License-Identifier: LGPL-2.1-only */
/* The live mappings of one device, found by address: exactly, or by what they contain. */
#ifndef DMS_MODEL_LIVE_H
#define DMS_MODEL_LIVE_H

#include <dmascope/model.h>

/** What a list adds to its mapping: one block of memory, freed with it. */
struct list_part {
	struct dms_sg sg;
	struct dms_segment segments[]; /* n_segments; the physical addresses follow */
};

/** One entry of a mapping, chained by the page frame it lies in: see memory.h. 16 bytes. */
struct memory_node {
	struct memory_node *next;
	uint32_t slot;	 /* of its mapping, plus 1; 0: it lies in several frames, and in no chain */
	uint16_t number; /* of its list; 0 if it is none */
	uint16_t tag;	 /* of its frame: nearly always tells those of others in the chain */
};

/** A mapping while it lives. */
struct live_mapping {
	struct dms_mapping mapping; /* serial 0: the slot is free */
	union {
		struct list_part *list;		/* while it lives; NULL: it is no list */
		struct live_mapping *next_free; /* while it is free */
	};
	union { /* memory.c, if it is_indexed */
		struct memory_node node;   /* no list */
		struct memory_node *nodes; /* a list; owned */
	};
	uint32_t slot; /* its number in the pool */
	/* overlap.c: incidents that await its end, plus 1; 0: none */
	uint32_t as_newer, as_older; /* of two overlapping ones; of as_older there may be more */
	uint8_t n_as_older;
	bool is_indexed : 1;  /* by its memory */
	bool is_exact : 1;    /* the length of each of its entries is known */
	bool is_in_frame : 1; /* all its memory is in one page frame */
	bool may_have_ended : 1; /* an unmap before it, on another CPU, may be its own */
	bool is_freed : 1;    /* while it is mapped, and an incident tells so */
};

/** Slots of live mappings, recycled and numbered; slots never move. */
#define SLOTS_PER_BLOCK 256
struct slot_pool {
	struct live_mapping **blocks;
	size_t n_blocks, blocks_capacity;
	struct live_mapping *free;
	uint32_t n_live;
};

/** A free slot, zeroed but for its number; NULL when memory is short. */
struct live_mapping *slots_take(struct slot_pool *pool);
/** Give back @live with the memory of its list. */
void slots_give(struct slot_pool *pool, struct live_mapping *live);
void slots_deinit(struct slot_pool *pool);
static inline struct live_mapping *slots_at(const struct slot_pool *pool, uint32_t slot)
{
	return &pool->blocks[slot / SLOTS_PER_BLOCK][slot % SLOTS_PER_BLOCK];
}

/** One address range of one live mapping, as the table keeps it: 16 bytes. */
struct extent {
	uint64_t addr;
	uint32_t slot;	       /* of its mapping, plus 1; 0: the entry is empty */
	uint32_t class : 5;    /* of its size */
	uint32_t segment : 27; /* of its list; 0 if it is none */
};

/*
 * Extents hashed by where they start, in windows as wide as the extents of their size class: what
 * contains an address then starts in its own window or the one before, in each class in use. Both
 * exact and containing searches touch few places, however many mappings live. Open addressing
 * keeps the addresses of a window side by side: a search reads one or two cache lines before it
 * touches a mapping (with chains through the mappings 800,000 live ones cost four times as much).
 */
#define EXTENT_CLASSES 27
struct extent_table {
	struct extent *entries;
	uint32_t n_entries; /* a power of two, or 0 */
	uint32_t count;
	uint32_t used_classes; /* bit set: class_count is not 0 */
	uint32_t class_count[EXTENT_CLASSES];
};

/** Add @range, segment @segment of the mapping in @slot. Return: false when memory is short. */
bool extents_add(struct extent_table *table, const struct dms_segment *range, uint32_t slot,
		 uint32_t segment);
/** Remove what was added with the same arguments. */
void extents_remove(struct extent_table *table, const struct dms_segment *range, uint32_t slot,
		    uint32_t segment);
void extents_deinit(struct extent_table *table);

/** Called for each extent found; false ends the search. */
typedef bool (*extent_fn)(void *context, const struct extent *extent);
/** Every extent that starts at @addr. */
void extents_each_at(const struct extent_table *table, uint64_t addr, extent_fn visit,
		     void *context);
/** Those of them whose size is of @size's class: all of exactly @size are among them. */
void extents_each_of_size(const struct extent_table *table, uint64_t addr, uint64_t size,
			  extent_fn visit, void *context);
/** Every extent that may contain @addr: it starts at most one window before. */
void extents_each_around(const struct extent_table *table, uint64_t addr, extent_fn visit,
			 void *context);

static inline struct live_mapping *extent_owner(const struct slot_pool *pool,
						const struct extent *extent)
{
	return slots_at(pool, extent->slot - 1);
}

static inline struct dms_segment extent_range(const struct live_mapping *owner,
					      const struct extent *extent)
{
	if (owner->list)
		return owner->list->segments[extent->segment];
	return (struct dms_segment){owner->mapping.dma_addr, owner->mapping.size};
}

#endif

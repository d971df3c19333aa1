/* SPDX-License-Identifier: LGPL-2.1-only */
/* The live mappings of one device, found by address: exactly, or by what they contain. */
#ifndef DMS_MODEL_LIVE_H
#define DMS_MODEL_LIVE_H

#include <dmascope/model.h>

/** What a list adds to its mapping. */
struct list_part {
	struct dms_sg sg;
	struct dms_segment segments[]; /* n_segments; the physical addresses follow */
};

/** A mapping while it lives: two cache lines, where it were four without a thought. */
struct live_mapping {
	union {
		struct dms_mapping mapping; /* serial 0: the slot is free */
		struct {
			uint64_t no_serial;
			struct live_mapping *next_free; /* while it is free */
		};
	};
	uint32_t slot; /* its number in the pool */
	bool is_indexed : 1;  /* by its memory */
	bool is_exact : 1;    /* the length of each of its entries is known */
	bool is_in_frame : 1; /* all its memory is in one page frame */
	bool may_have_ended : 1; /* an unmap before it, on another CPU, may be its own */
	bool is_freed : 1;    /* while it is mapped, and an incident tells so */
	/* of several twins: in the tables is the eldest only, see twins.h */
	bool is_eldest : 1, is_younger : 1;
	/* numbers of incidents that await its end; 0: none */
	uint32_t as_newer : 12, as_older : 12; /* of as_older there may be more */
};
_Static_assert(sizeof(void *) != 8 || sizeof(struct live_mapping) == 128, "two cache lines");

/** The list of @live; NULL: it is none. */
static inline struct list_part *live_list(const struct live_mapping *live)
{
	return (struct list_part *)live->mapping.sg; /* sg is its first member */
}

/** A live mapping among its twins: slots of its neighbours, see twins.h. */
struct twin_link {
	uint32_t younger, older;
	/* of the eldest only: how many they are; the first of the latest loss epoch among them, plus 1 */
	uint32_t count, fresh, fresh_epoch;
};

/** Slots of live mappings, recycled and numbered; slots never move. */
#define SLOTS_PER_BLOCK 256
struct slot_pool {
	struct live_mapping **blocks;
	size_t n_blocks, blocks_capacity;
	struct twin_link **links; /* of each block in which there are any; else NULL */
	size_t links_capacity;
	struct live_mapping *free;
	uint32_t n_live;
};

/** A free slot, no list, its mapping to be filled; NULL when memory is short. */
struct live_mapping *slots_take(struct slot_pool *pool);
/**
 * Make @live a list of so many segments and physical addresses, to be filled. Return: NULL when
 * memory is short.
 */
struct list_part *live_add_list(struct live_mapping *live, uint32_t n_segments, uint32_t n_phys);
/** Give back @live with the memory of its list. */
void slots_give(struct slot_pool *pool, struct live_mapping *live);
void slots_deinit(struct slot_pool *pool);
static inline struct live_mapping *slots_at(const struct slot_pool *pool, uint32_t slot)
{
	return &pool->blocks[slot / SLOTS_PER_BLOCK][slot % SLOTS_PER_BLOCK];
}

/*
 * Tables of open addressing, and their sizes. In one that fits into the near caches, steps that
 * nobody can predict are what costs: it is a quarter full at most (with a half, the generated mix
 * took 10 % longer). Then half full: at three quarters searches take twice the steps. In a larger
 * one they wait for memory anyway, and its bytes count: up to three quarters, and it grows by a
 * quarter where smaller ones double. With 400,000 live mappings that is 12 MB less.
 */
#define CACHED_TABLE_PLACES 16384
#define SMALL_TABLE_PLACES 65536
struct table_size {
	uint32_t n_places; /* 0: there is none */
	uint32_t n_max;	   /* so many entries and no more */
};

/** The next size from @size on; at first @n_first places. */
struct table_size table_size_after(struct table_size size, uint32_t n_first);

/**
 * A table of entries of 16 bytes is being moved to a larger one, in their order, and @done of its
 * places are moved: their memory is given back. The larger one fills up at the same pace, so that
 * both take no more than it will: with 400,000 live mappings the peak is 10 MB lower.
 */
void table_give_back(void *places, uint32_t done);

/** Where a search for @key begins: as high among the places as its hash is among all hashes. */
static inline uint32_t table_home(struct table_size size, uint64_t key)
{
	return (uint32_t)((uint64_t)dms_hash_place(key, 32) * size.n_places >> 32);
}

/** The place after @at: after the last the first. */
static inline uint32_t table_next(struct table_size size, uint32_t at)
{
	return at + 1 < size.n_places ? at + 1 : 0;
}

/** May the entry at @at, whose search begins at @home, be moved to the hole at @hole, before it? */
static inline bool table_may_move(uint32_t home, uint32_t hole, uint32_t at)
{
	return hole < at ? home <= hole || home > at : home <= hole && home > at;
}

/** One address range of one live mapping, as the table keeps it: 16 bytes. */
struct extent {
	uint64_t addr;
	uint32_t slot;	       /* of its mapping, plus 1; 0: the entry is empty */
	uint32_t part;	       /* see extent_part(): bit fields would be stored in two pieces, and
				  the second would wait for the first (3 % of all time) */
};

/** The class of an extent's size, and which segment of its list it is; 0 if it is none. */
#define EXTENT_CLASS_BITS 5
static inline uint32_t extent_part(unsigned int class, uint32_t segment)
{
	return class | segment << EXTENT_CLASS_BITS;
}

static inline unsigned int extent_class(const struct extent *extent)
{
	return extent->part & ((1u << EXTENT_CLASS_BITS) - 1);
}

static inline uint32_t extent_segment(const struct extent *extent)
{
	return extent->part >> EXTENT_CLASS_BITS;
}

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
	struct table_size size;
	uint32_t count;
	uint32_t used_classes; /* bit set: class_count is not 0 */
	uint32_t class_count[EXTENT_CLASSES];
	uint8_t *starts; /* counts by the page they start in, see extents_count_starts(); or NULL */
};

/** Add @range, segment @segment of the mapping in @slot. Return: false when memory is short. */
bool extents_add(struct extent_table *table, const struct dms_segment *range, uint32_t slot,
		 uint32_t segment);
/** The same of each segment of a list. */
bool extents_add_list(struct extent_table *table, const struct dms_segment *segments,
		      uint32_t n_segments, uint32_t slot);
/** Called for each extent found; false ends the search. */
typedef bool (*extent_fn)(void *context, const struct extent *extent);
/**
 * Visits what starts where @range does and is of its size class, and then knows the place for @range
 * itself: for extents_add_at(), before anything else is added. False: memory is short.
 */
bool extents_find_place(struct extent_table *table, const struct dms_segment *range,
			extent_fn visit, void *context, uint32_t *ret);
/** As extents_add(), of no list. */
void extents_add_at(struct extent_table *table, const struct dms_segment *range, uint32_t slot,
		    uint32_t place);
/**
 * Remove what was added with the same arguments. Entry @hint, if the table has so many, is looked
 * at first: a search found it.
 */
void extents_remove(struct extent_table *table, const struct dms_segment *range, uint32_t slot,
		    uint32_t segment, uint32_t hint);
/** What was added with the same arguments is of @new_slot's mapping from now on. */
void extents_exchange(struct extent_table *table, const struct dms_segment *range, uint32_t slot,
		      uint32_t segment, uint32_t new_slot);
/** Remove what extents_add_list() added. */
void extents_remove_list(struct extent_table *table, const struct dms_segment *segments,
			 uint32_t n_segments, uint32_t slot);
void extents_deinit(struct extent_table *table);

/**
 * As long as @table is small, let extents_each_at() see at once that nothing starts in a page: behind
 * an IOMMU every map asks, for all classes in use. Not when memory is short.
 */
void extents_count_starts(struct extent_table *table);
/** Every extent that starts at @addr. */
void extents_each_at(const struct extent_table *table, uint64_t addr, extent_fn visit,
		     void *context);
/** Those of them whose size is of @size's class: all of exactly @size are among them. */
void extents_each_of_size(const struct extent_table *table, uint64_t addr, uint64_t size,
			  extent_fn visit, void *context);
/** The only one of them; NULL if there are none or several. */
const struct extent *extents_only_of_size(const struct extent_table *table, uint64_t addr,
					  uint64_t size);
/** Every extent that may contain @addr: it starts at most one window before. */
void extents_each_around(const struct extent_table *table, uint64_t addr, extent_fn visit,
			 void *context);
/**
 * Every extent that may touch @first to @last, and others near it: those of the largest classes
 * first, and of @max_windows windows at most.
 */
void extents_each_touching(const struct extent_table *table, uint64_t first, uint64_t last,
			   uint32_t max_windows, extent_fn visit, void *context);

static inline struct live_mapping *extent_owner(const struct slot_pool *pool,
						const struct extent *extent)
{
	return slots_at(pool, extent->slot - 1);
}

static inline struct dms_segment extent_range(const struct live_mapping *owner,
					      const struct extent *extent)
{
	if (owner->mapping.sg)
		return live_list(owner)->segments[extent_segment(extent)];
	return (struct dms_segment){owner->mapping.dma_addr, owner->mapping.size};
}

#endif

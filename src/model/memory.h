/* SPDX-License-Identifier: LGPL-2.1-only */
/* Live mappings by the physical memory they hold: which share any of it. */
#ifndef DMS_MODEL_MEMORY_H
#define DMS_MODEL_MEMORY_H

#include "live.h"

/** A stretch of physical memory, both ends included: it may end with the address space. */
struct stretch {
	uint64_t first, last;
};

static inline struct stretch stretch_of(uint64_t phys_addr, uint64_t size)
{
	uint64_t last = phys_addr + (size ? size - 1 : 0);

	return (struct stretch){phys_addr, last < phys_addr ? UINT64_MAX : last};
}

/**
 * True if it is known where the memory of @live is: all of it, or of lists whose entries' lengths
 * are not told at least their first bytes. Notes which. It must be true for what follows.
 */
bool memory_is_known(struct live_mapping *live);

/** How many stretches the memory of @live is. */
static inline uint32_t memory_n_stretches(const struct live_mapping *live)
{
	return live->mapping.sg ? live->mapping.sg->n_phys : 1;
}

static inline struct stretch memory_stretch(const struct live_mapping *live, uint32_t number)
{
	if (!live->mapping.sg)
		return stretch_of(live->mapping.cpu_addr, live->mapping.size);
	return stretch_of(live->mapping.sg->phys[number],
			  live->is_exact ? live_list(live)->segments[number].size : 1);
}

/** One entry of a mapping: a list has n_phys, any other mapping one. */
struct memory_entry {
	uint32_t slot;	 /* of its mapping, plus 1; 0: there is none */
	uint32_t number; /* of its list; 0 if it is none */
};

/** A page frame that an entry lies in, or several: 16 bytes. */
struct memory_frame {
	uint64_t frame;
	struct memory_entry entry; /* slot 0: the place is empty */
};
#define MEMORY_SEVERAL UINT32_MAX /* as number of an entry: its slot is the first of these */

/** One of several entries in a frame; or none, to be used again. */
struct memory_node {
	struct memory_entry entry;
	uint32_t next; /* the one before it, or free, plus 1; 0: none */
};

/*
 * Nearly all mappings and entries of lists lie in one page frame, and nearly always alone: each
 * frame in use has a place in a table, which names its entry; of several it names the newest, and
 * they are chained. A frame nobody holds, as nearly always, is found to be so in one cache line.
 * Entries in several frames are extents of a table, and a count for each neighbourhood of 16 KiB
 * (by hash) tells when there is none to look for: in the big recording 10 % of all maps had one
 * within the same 256 KiB, 1.4 % have one within 16.
 */
#define MEMORY_FRAME_SHIFT    12 /* not that of the traced machine: cells need not be its pages */
#define MEMORY_NEIGHBOURHOODS 65536
#define MEMORY_MANY	      UINT8_MAX
#define MEMORY_CACHED_PLACES  8192
struct memory_index {
	struct memory_frame *frames; /* by hash, open addressing */
	struct table_size size;
	uint32_t n_frames;
	uint32_t free_node; /* plus 1; 0: none */
	struct memory_node *nodes;
	size_t n_nodes, nodes_capacity;
	struct extent_table large;
	uint8_t *n_near; /* extents of large by neighbourhood; MEMORY_MANY: or more, for ever */
	uint32_t n_wide;  /* extents of more than a few of them */
};

/**
 * Enter @live if its memory is known to share nothing with others, as nearly always. Return: false:
 * it has to be searched for, and entered by memory_add().
 */
bool memory_add_alone(struct memory_index *index, const struct live_mapping *live);
/** Enter @live. Return: false when memory is short. */
bool memory_add(struct memory_index *index, const struct live_mapping *live);
/** Remove what was entered. */
void memory_remove(struct memory_index *index, const struct live_mapping *live);
void memory_deinit(struct memory_index *index);

/** Memory at @phys_addr is about to be added or removed: a table too large for caches is fetched. */
static inline void memory_expect(const struct memory_index *index, uint64_t phys_addr)
{
	if (index->size.n_places > MEMORY_CACHED_PLACES)
		__builtin_prefetch(&index->frames[table_home(index->size,
							     phys_addr >> MEMORY_FRAME_SHIFT)]);
}

/** Called with a live mapping and the number of its stretch; false: enough seen. */
typedef bool (*memory_fn)(void *context, struct live_mapping *live, uint32_t stretch);
/** Visit what may share memory with @memory, some of it several times. False: not all was seen. */
bool memory_search(const struct memory_index *index, const struct slot_pool *slots,
		   struct stretch memory, memory_fn visit, void *context);

#endif

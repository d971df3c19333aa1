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
	return live->list ? live->list->sg.n_phys : 1;
}

static inline struct stretch memory_stretch(const struct live_mapping *live, uint32_t number)
{
	if (!live->list)
		return stretch_of(live->mapping.cpu_addr, live->mapping.size);
	return stretch_of(live->list->sg.phys[number],
			  live->is_exact ? live->list->segments[number].size : 1);
}

/** A page frame that mappings lie in. */
struct memory_frame {
	uint64_t frame;
	struct memory_node *first; /* the newest in it; NULL: the place is empty */
};

/*
 * Nearly all mappings and entries of lists lie in one page frame: each frame in use has a place in a
 * table, and those in it are chained. A frame nobody holds, as nearly always, is found to be so in
 * one cache line. The others are extents of a table, and a count for each neighbourhood of 256 KiB
 * (by hash) tells when there is none to look for.
 */
#define MEMORY_FRAME_SHIFT    12 /* not that of the traced machine: cells need not be its pages */
#define MEMORY_NEIGHBOURHOODS 16384
struct memory_index {
	struct memory_frame *frames; /* by hash, open addressing */
	uint32_t n_places;	     /* a power of two, or 0 */
	uint32_t shift;		     /* 64 less its logarithm: see dms_hash_place() */
	uint32_t n_frames;
	struct extent_table large;
	uint32_t *n_near; /* extents of large by neighbourhood */
	uint32_t n_wide;  /* extents of more than a few of them */
};

/** Enter @live. Return: false when memory is short. */
bool memory_add(struct memory_index *index, struct live_mapping *live);
/** Remove what was entered. */
void memory_remove(struct memory_index *index, const struct live_mapping *live);
void memory_deinit(struct memory_index *index);

/** Memory at @phys_addr is about to be added or removed: the caches get what will be looked at. */
static inline void memory_expect(const struct memory_index *index, uint64_t phys_addr)
{
	if (index->n_frames)
		__builtin_prefetch(&index->frames[dms_hash_place(phys_addr >> MEMORY_FRAME_SHIFT,
								 index->shift)]);
}

/** False if a search for the memory of @live would find nothing: as nearly always. */
bool memory_may_share(const struct memory_index *index, const struct live_mapping *live);

/** Called with a live mapping and the number of its stretch; false: enough seen. */
typedef bool (*memory_fn)(void *context, struct live_mapping *live, uint32_t stretch);
/** Visit what may share memory with @memory, some of it several times. */
void memory_search(const struct memory_index *index, const struct slot_pool *slots,
		   struct stretch memory, memory_fn visit, void *context);

#endif

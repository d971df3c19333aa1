/* SPDX-License-Identifier: LGPL-2.1-only */
/* Lives that ended, by the address they are looked up by. */
#ifndef DMS_MODEL_PAST_H
#define DMS_MODEL_PAST_H

#include <dmascope/backlog.h>
#include <dmascope/model.h>

/*
 * Sets of four, in which the one that ended first makes room. A cache, not a history: it grows with
 * the live mappings, behind an IOMMU (whose faults come late) at once, and never beyond this.
 */
#define PAST_WAYS      4
#define PAST_MIN_SLOTS 64
#define PAST_MAX_SLOTS 4096
/** What a set of ended lives is searched by: as large as a cache line. */
struct past_set {
	uint64_t keys[PAST_WAYS];     /* 0: the slot is empty; they fill up in order */
	uint64_t ended_ts[PAST_WAYS]; /* dms_past.unmap_ts of each */
};
/** Of one device. */
struct past_table {
	struct past_set *sets;
	struct dms_past *lives; /* of each slot: PAST_WAYS a set */
	uint32_t n_slots;
	uint64_t forgotten_ts; /* no life that ended after this was forgotten; 0: none was */
};

/** NULL when memory is short. */
struct past_table *past_create(void);
void past_destroy(struct past_table *table);

/** Lists are looked up by physical address: a key that is no DMA address. */
static inline uint64_t past_list_key(uint64_t phys)
{
	return phys ^ 0xa5a5000000000000ull;
}

/**
 * Where to remember a life under @key that ended at @ended_ts, its unmap_ts: to be filled, all of
 * it, before another is asked for. @n_wanted: the table may grow to so many slots. Memory: when
 * short, the table stays as it is; NULL if there is none.
 */
struct dms_past *past_place(struct past_table *table, uint64_t key, uint64_t ended_ts,
			    uint32_t n_wanted);
/** past_place() will be asked for @key: what it looks at is fetched. */
void past_expect(const struct past_table *table, uint64_t key);

/** A life to be entered later: past_place() with these arguments, and then its copy. */
struct past_entry {
	struct past_table *table;
	uint64_t key;
	uint32_t n_wanted;
	struct dms_past life;
};
/** Room for such lives, which any thread may enter; NULL when memory is short. */
struct dms_backlog *past_share(void);
/** The next one in @late, whose life is to be filled in before dms_backlog_add(). */
static inline struct past_entry *past_put_off(const struct dms_backlog *late,
					      struct past_table *table, uint64_t key,
					      uint32_t n_wanted)
{
	struct past_entry *entry = dms_backlog_room(late);

	entry->table = table;
	entry->key = key;
	entry->n_wanted = n_wanted;
	return entry;
}

/* What follows may be asked when nothing is put off. */

/** The last life known under @key, or NULL. Borrowed until the next past_place(). */
const struct dms_past *past_find(const struct past_table *table, uint64_t key);
/**
 * The last life that held @addr, whose start is within 64 KiB of it. @is_contiguous: segments of a list
 * lie behind each other, as behind an IOMMU; else only the first one's place is known.
 */
const struct dms_past *past_find_containing(const struct past_table *table, uint64_t addr,
					    bool is_contiguous);

#endif

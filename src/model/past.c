// SPDX-License-Identifier: LGPL-2.1-only
/* Lives that ended, by the address they are looked up by. */
#include "past.h"

struct past_table *past_create(void)
{
	struct past_table *table = dms_alloc_lines(sizeof(*table));

	if (table)
		*table = (struct past_table){0};
	return table;
}

void past_destroy(struct past_table *table)
{
	if (!table)
		return;
	dms_free(table->sets);
	dms_free(table->lives);
	dms_free(table);
}

/* ---- slots ----------------------------------------------------------------------------------- */

/* Any address may be a key, 0 among them; the one that would look empty shares with another. */
static uint64_t kept_key(uint64_t key)
{
	key ^= 0x9e3779b97f4a7c15ull;
	return key ? key : 1;
}

static uint32_t set_of(const struct past_table *table, uint64_t kept)
{
	return dms_hash_place(kept, 32) & (table->n_slots / PAST_WAYS - 1);
}

/*
 * The way of @kept in @set, if it is in any. All are looked at, without a branch, as which it is
 * nobody can predict: a loop that ends there took a tenth of the time of all unmaps.
 */
static unsigned int way_of(const struct past_set *set, uint64_t kept)
{
	unsigned int is_1 = set->keys[1] == kept, is_2 = set->keys[2] == kept;
	unsigned int is_3 = set->keys[3] == kept;

	_Static_assert(PAST_WAYS == 4, "all ways are looked at");
	return (is_1 | is_3) + 2 * (is_2 | is_3);
}

/* The first way that is empty; PAST_WAYS if none is. */
static unsigned int empty_way(const struct past_set *set)
{
	unsigned int way = 0;

	while (way < PAST_WAYS && set->keys[way])
		way++;
	return way;
}

static bool allocate(struct past_table *table)
{
	table->sets = dms_zalloc(table->n_slots / PAST_WAYS * sizeof(*table->sets));
	table->lives = dms_alloc(table->n_slots * sizeof(*table->lives));
	if (table->sets && table->lives)
		return true;
	dms_free(table->sets);
	dms_free(table->lives);
	return false;
}

/* The life in @slot of @table moves to @grown, which has room for it. */
static void move(struct past_table *grown, const struct past_table *table, uint32_t slot)
{
	const struct past_set *from = &table->sets[slot / PAST_WAYS];
	uint64_t kept = from->keys[slot % PAST_WAYS];
	uint32_t set = kept ? set_of(grown, kept) : 0;
	unsigned int way = kept ? empty_way(&grown->sets[set]) : 0;

	if (!kept)
		return;
	grown->sets[set].keys[way] = kept;
	grown->sets[set].ended_ts[way] = from->ended_ts[slot % PAST_WAYS];
	grown->lives[set * PAST_WAYS + way] = table->lives[slot];
}

/* Twice as many slots: then each set becomes two, and nothing is lost. */
_apart_ static bool grow(struct past_table *table)
{
	struct past_table grown = {
		.n_slots = table->n_slots ? table->n_slots * 2 : PAST_MIN_SLOTS,
		.forgotten_ts = table->forgotten_ts,
	};

	if (!allocate(&grown))
		return false;
	for (uint32_t slot = 0; slot < table->n_slots; slot++)
		move(&grown, table, slot);
	dms_free(table->sets);
	dms_free(table->lives);
	*table = grown;
	return true;
}

static bool may_grow(const struct past_table *table, uint32_t n_wanted)
{
	return table->n_slots < PAST_MAX_SLOTS && (!table->n_slots || table->n_slots < n_wanted);
}

/* The one of @set, which is full, that ended first. */
static unsigned int first_of(const struct past_set *set)
{
	unsigned int first = set->ended_ts[1] < set->ended_ts[0];
	unsigned int other = 2 + (set->ended_ts[3] < set->ended_ts[2]);

	return set->ended_ts[other] < set->ended_ts[first] ? other : first;
}

/* In @set, which is full, what ended first is forgotten. */
static unsigned int forget(struct past_table *table, const struct past_set *set)
{
	unsigned int first = first_of(set);

	if (set->ended_ts[first] > table->forgotten_ts)
		table->forgotten_ts = set->ended_ts[first];
	return first;
}

/*
 * @way of @set is for a life under @kept. Its lines are fetched to be written: a table of 360 KiB for
 * each device is in no near cache, and 2 % of the model's time was spent waiting to fill them.
 */
static struct dms_past *place_in(struct past_table *table, uint32_t set, unsigned int way,
				 uint64_t kept, uint64_t ended_ts)
{
	struct dms_past *life = &table->lives[set * PAST_WAYS + way];

	__builtin_prefetch(life, 1);
	__builtin_prefetch((char *)(life + 1) - 1, 1);
	table->sets[set].keys[way] = kept;
	table->sets[set].ended_ts[way] = ended_ts;
	return life;
}

/* The table has no room for @kept where it belongs, and may grow. */
_apart_ static struct dms_past *grow_for(struct past_table *table, uint64_t kept,
					 uint64_t ended_ts, uint32_t n_wanted)
{
	unsigned int way = PAST_WAYS;
	uint32_t set = 0;

	while (way == PAST_WAYS && may_grow(table, n_wanted) && grow(table)) {
		set = set_of(table, kept);
		way = empty_way(&table->sets[set]);
	}
	if (!table->n_slots)
		return NULL;
	set = set_of(table, kept);
	if (way == PAST_WAYS)
		way = forget(table, &table->sets[set]);
	return place_in(table, set, way, kept, ended_ts);
}

void past_expect(const struct past_table *table, uint64_t key)
{
	if (table->n_slots)
		__builtin_prefetch(&table->sets[set_of(table, kept_key(key))], 1);
}

struct dms_past *past_place(struct past_table *table, uint64_t key, uint64_t ended_ts,
			    uint32_t n_wanted)
{
	uint64_t kept = kept_key(key);
	unsigned int way;
	uint32_t set;

	if (!table->n_slots)
		return grow_for(table, kept, ended_ts, n_wanted);
	set = set_of(table, kept);
	way = way_of(&table->sets[set], kept);
	if (table->sets[set].keys[way] == kept)
		return place_in(table, set, way, kept, ended_ts);
	if (!table->sets[set].keys[PAST_WAYS - 1]) /* they fill up in order */
		return place_in(table, set, empty_way(&table->sets[set]), kept, ended_ts);
	if (may_grow(table, n_wanted))
		return grow_for(table, kept, ended_ts, n_wanted);
	return place_in(table, set, forget(table, &table->sets[set]), kept, ended_ts);
}

/* ---- later ----------------------------------------------------------------------------------- */

/* So many entries ahead what they need is fetched: their sets are in no near cache. */
#define AHEAD 8

static bool enter_late(void *context, const void *items, size_t n)
{
	const struct past_entry *entries = items;

	(void)context;
	for (size_t i = 0; i < n; i++) {
		const struct past_entry *entry = &entries[i];
		struct dms_past *life;

		if (i + AHEAD < n)
			past_expect(entry[AHEAD].table, entry[AHEAD].key);
		life = past_place(entry->table, entry->key, entry->life.unmap_ts,
				  entry->n_wanted);
		if (life)
			*life = entry->life;
	}
	return true;
}

struct dms_backlog *past_share(void)
{
	return dms_backlog_create(sizeof(struct past_entry), enter_late, NULL);
}

/* ---- looking up ------------------------------------------------------------------------------ */

const struct dms_past *past_find(const struct past_table *table, uint64_t key)
{
	uint64_t kept = kept_key(key);
	unsigned int way;
	uint32_t set;

	if (!table->n_slots)
		return NULL;
	set = set_of(table, kept);
	way = way_of(&table->sets[set], kept);
	if (table->sets[set].keys[way] != kept)
		return NULL;
	return &table->lives[set * PAST_WAYS + way];
}

/*
 * Only starts at page boundaries and at @addr itself are tried: a walk over the whole table for
 * each packet of a receive ring older than the trace would cost more than the rest of the work.
 */
const struct dms_past *past_find_containing(const struct past_table *table, uint64_t addr,
					    bool is_contiguous)
{
	const struct dms_past *past = past_find(table, addr);

	for (uint64_t page = addr & ~0xfffull, i = 0; !past && i < 16; i++, page -= 0x1000) {
		past = past_find(table, page);
		if (past && addr - past->dma_addr >= (is_contiguous ? past->size : past->first_bytes))
			past = NULL;
		if (!page)
			break;
	}
	return past;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* The live mappings of one device, found by address: exactly, or by what they contain. */
#include "live.h"

/* Class 0 holds extents of up to 4 KiB; each next one up to four times as large ones. */
#define CLASS_0_SHIFT 12
#define CLASS_STEP    2

#define FIRST_ENTRIES 16

static unsigned int class_of(uint64_t size)
{
	unsigned int bits;

	if (size <= 1ull << CLASS_0_SHIFT)
		return 0;
	bits = 64 - (unsigned int)__builtin_clzll(size - 1); /* size <= 1 << bits */
	return (bits - CLASS_0_SHIFT + CLASS_STEP - 1) / CLASS_STEP;
}

/* In two steps: above 2^63 all starts share a window, and a shift by 64 is undefined. */
static uint64_t window_of(uint64_t addr, unsigned int class)
{
	return addr >> CLASS_0_SHIFT >> CLASS_STEP * class;
}

/* Where the entries of a window begin. */
static uint32_t home_of(const struct extent_table *table, uint64_t window, unsigned int class)
{
	return dms_hash_place(window ^ ((uint64_t) class << 58), table->shift);
}

static uint32_t home_of_entry(const struct extent_table *table, const struct extent *entry)
{
	return home_of(table, window_of(entry->addr, entry->class), entry->class);
}

static void place(struct extent_table *table, const struct extent *entry)
{
	uint32_t mask = table->n_entries - 1, at = home_of_entry(table, entry);

	while (table->entries[at].slot)
		at = (at + 1) & mask;
	table->entries[at] = *entry;
}

_apart_ static bool grow(struct extent_table *table)
{
	uint32_t n_old = table->n_entries;
	struct extent *old = table->entries, *entries;

	entries = dms_zalloc((n_old ? (size_t)n_old * 2 : FIRST_ENTRIES) * sizeof(*entries));
	if (!entries)
		return false;
	table->entries = entries;
	table->n_entries = n_old ? n_old * 2 : FIRST_ENTRIES;
	table->shift = 64 - (uint32_t)__builtin_ctz(table->n_entries);
	for (uint32_t i = 0; i < n_old; i++) {
		if (old[i].slot)
			place(table, &old[i]);
	}
	dms_free(old);
	return true;
}

static bool make_room(struct extent_table *table)
{
	return !is_table_full(table->count, table->n_entries) || grow(table);
}

static void count_one(struct extent_table *table, unsigned int class)
{
	table->count++;
	if (!table->class_count[class]++)
		table->used_classes |= DMS_BIT(class);
}

bool extents_add(struct extent_table *table, const struct dms_segment *range, uint32_t slot,
		 uint32_t segment)
{
	struct extent entry = {
		.addr = range->dma_addr,
		.slot = slot + 1,
		.class = class_of(range->size) & 31,
		.segment = segment & ((1u << 27) - 1),
	};

	if (!make_room(table))
		return false;
	place(table, &entry);
	count_one(table, entry.class);
	return true;
}

bool extents_add_beside(struct extent_table *table, const struct dms_segment *range, uint32_t slot,
			extent_fn visit, void *context)
{
	unsigned int class = class_of(range->size);
	bool wants_more = true;
	uint32_t at;

	if (!make_room(table))
		return false;
	at = home_of(table, window_of(range->dma_addr, class), class);
	for (; table->entries[at].slot; at = (at + 1) & (table->n_entries - 1)) {
		const struct extent *entry = &table->entries[at];

		if (entry->addr == range->dma_addr && entry->class == class && wants_more)
			wants_more = visit(context, entry);
	}
	table->entries[at] = (struct extent){
		.addr = range->dma_addr,
		.slot = slot + 1,
		.class = class & 31,
	};
	count_one(table, class);
	return true;
}

/* Close the hole at @hole: move back what could not be placed there before. */
static void close_hole(struct extent_table *table, uint32_t hole)
{
	uint32_t mask = table->n_entries - 1;

	for (uint32_t at = (hole + 1) & mask; table->entries[at].slot; at = (at + 1) & mask) {
		uint32_t home = home_of_entry(table, &table->entries[at]);

		/* It may move only if the hole is not before its home. */
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		table->entries[hole] = table->entries[at];
		hole = at;
	}
	table->entries[hole].slot = 0;
}

static bool is_extent(const struct extent *entry, uint64_t addr, uint32_t slot, uint32_t segment)
{
	return entry->addr == addr && entry->slot == slot + 1 && entry->segment == segment;
}

void extents_remove(struct extent_table *table, const struct dms_segment *range, uint32_t slot,
		    uint32_t segment, uint32_t hint)
{
	unsigned int class = class_of(range->size);
	uint32_t mask = table->n_entries - 1, at = hint;

	if (!is_extent(&table->entries[at], range->dma_addr, slot, segment))
		at = home_of(table, window_of(range->dma_addr, class), class);
	while (!is_extent(&table->entries[at], range->dma_addr, slot, segment))
		at = (at + 1) & mask;
	close_hole(table, at);
	table->count--;
	if (!--table->class_count[class])
		table->used_classes &= ~DMS_BIT(class);
}

void extents_deinit(struct extent_table *table)
{
	dms_free(table->entries);
	*table = (struct extent_table){0};
}

/* Visit the starts at @addr in one class; false: the visitor has enough. */
static bool visit_class(const struct extent_table *table, uint64_t addr, unsigned int class,
			extent_fn visit, void *context)
{
	uint32_t mask = table->n_entries - 1;
	uint32_t at = home_of(table, window_of(addr, class), class);

	for (; table->entries[at].slot; at = (at + 1) & mask) {
		const struct extent *entry = &table->entries[at];

		if (entry->addr == addr && entry->class == class && !visit(context, entry))
			return false;
	}
	return true;
}

void extents_each_at(const struct extent_table *table, uint64_t addr, extent_fn visit,
		     void *context)
{
	for (uint32_t left = table->used_classes; left; left &= left - 1) {
		if (!visit_class(table, addr, (unsigned int)__builtin_ctz(left), visit, context))
			return;
	}
}

void extents_each_of_size(const struct extent_table *table, uint64_t addr, uint64_t size,
			  extent_fn visit, void *context)
{
	unsigned int class = class_of(size);

	if (table->used_classes & DMS_BIT(class))
		visit_class(table, addr, class, visit, context);
}

/* Visit all starts of one window; false: the visitor has enough. */
static bool visit_window(const struct extent_table *table, uint64_t window, unsigned int class,
			 extent_fn visit, void *context)
{
	uint32_t mask = table->n_entries - 1, at = home_of(table, window, class);

	for (; table->entries[at].slot; at = (at + 1) & mask) {
		const struct extent *entry = &table->entries[at];

		if (entry->class == class && window_of(entry->addr, class) == window &&
		    !visit(context, entry))
			return false;
	}
	return true;
}

void extents_each_around(const struct extent_table *table, uint64_t addr, extent_fn visit,
			 void *context)
{
	for (uint32_t left = table->used_classes; left; left &= left - 1) {
		unsigned int class = (unsigned int)__builtin_ctz(left);
		uint64_t window = window_of(addr, class);

		if (!visit_window(table, window, class, visit, context))
			return;
		if (window && !visit_window(table, window - 1, class, visit, context))
			return;
	}
}

/* ---- slots -------------------------------------------------------------------------------------
 */

_apart_ static bool add_block(struct slot_pool *pool)
{
	struct live_mapping *block;

	if (!dms_grow(&pool->blocks, &pool->blocks_capacity, pool->n_blocks + 1, sizeof(block)))
		return false;
	block = dms_zalloc(SLOTS_PER_BLOCK * sizeof(*block));
	if (!block)
		return false;
	for (size_t i = SLOTS_PER_BLOCK; i--;) {
		block[i].slot = (uint32_t)(pool->n_blocks * SLOTS_PER_BLOCK + i);
		block[i].next_free = pool->free;
		pool->free = &block[i];
	}
	pool->blocks[pool->n_blocks++] = block;
	return true;
}

struct list_part *list_create(uint32_t n_segments, uint32_t n_phys)
{
	size_t segments_bytes = n_segments * sizeof(struct dms_segment);
	struct list_part *list =
		dms_alloc(sizeof(*list) + segments_bytes + n_phys * sizeof(uint64_t));

	if (!list)
		return NULL;
	list->nodes = NULL;
	list->sg = (struct dms_sg){
		.n_phys = n_phys,
		.n_segments = n_segments,
		.phys = (uint64_t *)(list->segments + n_segments),
	};
	return list;
}

static void list_destroy(struct list_part *list)
{
	if (!list)
		return;
	dms_free(list->nodes);
	dms_free(list);
}

struct live_mapping *slots_take(struct slot_pool *pool)
{
	struct live_mapping *live;

	if (!pool->free && !add_block(pool))
		return NULL;
	live = pool->free;
	pool->free = live->next_free;
	live->list = NULL;
	live->as_newer = live->as_older = 0;
	live->n_as_older = 0;
	live->is_indexed = live->is_exact = live->is_freed = false;
	pool->n_live++;
	return live;
}

void slots_give(struct slot_pool *pool, struct live_mapping *live)
{
	list_destroy(live->list);
	live->mapping.serial = 0;
	live->next_free = pool->free;
	pool->free = live;
	pool->n_live--;
}

void slots_deinit(struct slot_pool *pool)
{
	for (size_t i = 0; i < pool->n_blocks; i++) {
		for (size_t j = 0; j < SLOTS_PER_BLOCK; j++) {
			if (pool->blocks[i][j].mapping.serial)
				list_destroy(pool->blocks[i][j].list);
		}
		dms_free(pool->blocks[i]);
	}
	dms_free(pool->blocks);
	*pool = (struct slot_pool){0};
}

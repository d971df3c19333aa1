// SPDX-License-Identifier: LGPL-2.1-only
/* The live mappings of one device, found by address: exactly, or by what they contain. */
#include "live.h"

/* Class 0 holds extents of up to 4 KiB; each next one up to four times as large ones. */
#define CLASS_0_SHIFT 12
#define CLASS_STEP    2

static unsigned int class_shift(unsigned int class)
{
	return CLASS_0_SHIFT + CLASS_STEP * class;
}

static unsigned int class_of(uint64_t size)
{
	unsigned int bits;

	if (size <= 1ull << CLASS_0_SHIFT)
		return 0;
	bits = 64 - (unsigned int)__builtin_clzll(size - 1); /* size <= 1 << bits */
	return (bits - CLASS_0_SHIFT + CLASS_STEP - 1) / CLASS_STEP;
}

/* Above 2^63 all starts share a bucket: a shift by 64 is undefined. */
static uint64_t window_of(uint64_t addr, unsigned int class)
{
	unsigned int shift = class_shift(class);

	return shift > 63 ? 0 : addr >> shift;
}

static uint32_t bucket_of(const struct extent_table *table, uint64_t window, unsigned int class)
{
	return (uint32_t)dms_hash64(window ^ ((uint64_t) class << 58)) & (table->n_buckets - 1);
}

static struct extent **bucket_at(const struct extent_table *table, const struct extent *extent)
{
	unsigned int class = class_of(extent->range.size);

	return &table->buckets[bucket_of(table, window_of(extent->range.dma_addr, class), class)];
}

/* Twice the buckets, each chain in its old order. */
static bool grow(struct extent_table *table)
{
	uint32_t n_old = table->n_buckets;
	struct extent **old = table->buckets, **buckets;

	buckets = dms_zalloc((n_old ? (size_t)n_old * 2 : 16) * sizeof(*buckets));
	if (!buckets)
		return false;
	table->buckets = buckets;
	table->n_buckets = n_old ? n_old * 2 : 16;
	for (uint32_t i = 0; i < n_old; i++) {
		struct extent *extent, *reversed = NULL, *next;

		for (extent = old[i]; extent; extent = next) {
			next = extent->next;
			extent->next = reversed;
			reversed = extent;
		}
		for (extent = reversed; extent; extent = next) {
			struct extent **bucket = bucket_at(table, extent);

			next = extent->next;
			extent->next = *bucket;
			*bucket = extent;
		}
	}
	dms_free(old);
	return true;
}

bool extents_add(struct extent_table *table, struct extent *extent)
{
	unsigned int class = class_of(extent->range.size);
	struct extent **bucket;

	if (table->count >= table->n_buckets && !grow(table))
		return false;
	bucket = bucket_at(table, extent);
	extent->next = *bucket;
	*bucket = extent;
	table->count++;
	if (!table->class_count[class]++)
		table->used_classes |= DMS_BIT(class);
	return true;
}

void extents_remove(struct extent_table *table, struct extent *extent)
{
	unsigned int class = class_of(extent->range.size);
	struct extent **link = bucket_at(table, extent);

	while (*link != extent)
		link = &(*link)->next;
	*link = extent->next;
	table->count--;
	if (!--table->class_count[class])
		table->used_classes &= ~DMS_BIT(class);
}

void extents_deinit(struct extent_table *table)
{
	dms_free(table->buckets);
	*table = (struct extent_table){0};
}

/* Visit the starts at @addr in one class; false: the visitor has enough. */
static bool visit_class(const struct extent_table *table, uint64_t addr, unsigned int class,
			extent_fn visit, void *context)
{
	struct extent *extent = table->buckets[bucket_of(table, window_of(addr, class), class)];

	for (; extent; extent = extent->next) {
		if (extent->range.dma_addr == addr && !visit(context, extent))
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

static bool covers(const struct extent *extent, uint64_t addr)
{
	return addr - extent->range.dma_addr < extent->range.size || addr == extent->range.dma_addr;
}

void extents_each_around(const struct extent_table *table, uint64_t addr, extent_fn visit,
			 void *context)
{
	for (uint32_t left = table->used_classes; left; left &= left - 1) {
		unsigned int class = (unsigned int)__builtin_ctz(left);
		uint64_t window = window_of(addr, class);
		uint32_t here = bucket_of(table, window, class);
		uint32_t before = bucket_of(table, window - 1, class);
		struct extent *extent;

		for (extent = table->buckets[here]; extent; extent = extent->next) {
			if (covers(extent, addr) && !visit(context, extent))
				return;
		}
		if (!window || before == here)
			continue;
		for (extent = table->buckets[before]; extent; extent = extent->next) {
			if (covers(extent, addr) && !visit(context, extent))
				return;
		}
	}
}

struct live_mapping *slots_take(struct slot_pool *pool)
{
	struct live_mapping *live;

	if (!pool->free) {
		struct slot_block *block = dms_zalloc(sizeof(*block));

		if (!block)
			return NULL;
		if (pool->last)
			pool->last->next = block;
		else
			pool->first = block;
		pool->last = block;
		for (size_t i = SLOTS_PER_BLOCK; i--;) {
			block->slots[i].next_free = pool->free;
			pool->free = &block->slots[i];
		}
	}
	live = pool->free;
	pool->free = live->next_free;
	*live = (struct live_mapping){0};
	pool->n_live++;
	return live;
}

void slots_give(struct slot_pool *pool, struct live_mapping *live)
{
	dms_free(live->list);
	live->list = NULL;
	live->mapping.serial = 0;
	live->next_free = pool->free;
	pool->free = live;
	pool->n_live--;
}

void slots_deinit(struct slot_pool *pool)
{
	struct slot_block *block, *next;

	for (block = pool->first; block; block = next) {
		next = block->next;
		for (size_t i = 0; i < SLOTS_PER_BLOCK; i++) {
			if (block->slots[i].mapping.serial)
				dms_free(block->slots[i].list);
		}
		dms_free(block);
	}
	*pool = (struct slot_pool){0};
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Live mappings of one device that no unmap tells apart: one stands for all of them. */
#include <string.h>

#include "twins.h"

static bool are_lists_equal(const struct live_mapping *live, const struct live_mapping *other)
{
	const struct list_part *one = live_list(live), *two = live_list(other);

	return one->sg.n_phys == two->sg.n_phys && one->sg.n_segments == two->sg.n_segments &&
	       !memcmp(one->sg.phys, two->sg.phys, one->sg.n_phys * sizeof(uint64_t)) &&
	       !memcmp(one->segments, two->segments,
		       one->sg.n_segments * sizeof(struct dms_segment));
}

bool twins_are(const struct live_mapping *live, const struct live_mapping *other)
{
	const struct dms_mapping *one = &live->mapping, *two = &other->mapping;

	return one->dma_addr == two->dma_addr && one->size == two->size && one->dir == two->dir &&
	       one->kind == two->kind && one->cpu_addr == two->cpu_addr &&
	       one->attrs == two->attrs && one->has == two->has && one->nents == two->nents &&
	       one->ents == two->ents && one->truncated == two->truncated && !two->is_seeded &&
	       !one->sg == !two->sg && (!one->sg || are_lists_equal(live, other));
}

/* ---- links: a ring, the youngest before the eldest ------------------------------------------------ */

static struct twin_link *link_at(const struct slot_pool *pool, uint32_t slot)
{
	return &pool->links[slot / SLOTS_PER_BLOCK][slot % SLOTS_PER_BLOCK];
}

static struct twin_link *link_of(const struct slot_pool *pool, const struct live_mapping *live)
{
	return link_at(pool, live->slot);
}

/* Twins are few in most traces: links for all would be 6 MB with 400,000 live mappings. */
static bool make_link(struct slot_pool *pool, const struct live_mapping *live)
{
	uint32_t block = live->slot / SLOTS_PER_BLOCK;

	if (!dms_grow(&pool->links, &pool->links_capacity, block + 1, sizeof(*pool->links)))
		return false;
	if (!pool->links[block])
		pool->links[block] = dms_alloc(SLOTS_PER_BLOCK * sizeof(struct twin_link));
	return pool->links[block];
}

/* No twin so far: a ring of one. */
static void begin_ring(struct slot_pool *pool, struct live_mapping *eldest)
{
	*link_of(pool, eldest) = (struct twin_link){
		.younger = eldest->slot,
		.older = eldest->slot,
		.count = 1,
		.fresh = eldest->slot + 1,
		.fresh_epoch = eldest->mapping.epoch,
	};
	eldest->is_eldest = true;
}

bool twins_add(struct slot_pool *pool, struct live_mapping *eldest, struct live_mapping *live)
{
	struct twin_link *link;

	if (!make_link(pool, eldest) || !make_link(pool, live))
		return false;
	if (!eldest->is_eldest)
		begin_ring(pool, eldest);
	link = link_of(pool, eldest);
	link->count++;
	if (!link->fresh || live->mapping.epoch != link->fresh_epoch) {
		link->fresh = live->slot + 1;
		link->fresh_epoch = live->mapping.epoch;
	}
	*link_of(pool, live) = (struct twin_link){.younger = eldest->slot, .older = link->older};
	link_at(pool, link->older)->younger = live->slot;
	link->older = live->slot;
	live->is_younger = true;
	return true;
}

uint32_t twins_count(const struct slot_pool *pool, const struct live_mapping *eldest)
{
	return eldest->is_eldest ? link_of(pool, eldest)->count : 1;
}

struct live_mapping *twins_youngest(const struct slot_pool *pool, struct live_mapping *eldest)
{
	return eldest->is_eldest ? slots_at(pool, link_of(pool, eldest)->older) : eldest;
}

struct live_mapping *twins_older(const struct slot_pool *pool, const struct live_mapping *live)
{
	return live->is_younger ? slots_at(pool, link_of(pool, live)->older) : NULL;
}

struct live_mapping *twins_younger(const struct slot_pool *pool, const struct live_mapping *eldest)
{
	return eldest->is_eldest ? slots_at(pool, link_of(pool, eldest)->younger) : NULL;
}

struct live_mapping *twins_of_epoch(const struct slot_pool *pool, struct live_mapping *eldest,
				    uint32_t epoch)
{
	const struct twin_link *link;

	if (!eldest->is_eldest)
		return eldest;
	link = link_of(pool, eldest);
	return link->fresh && link->fresh_epoch == epoch ? slots_at(pool, link->fresh - 1) : eldest;
}

/** A search for who stands in the table. */
struct eldest_search {
	const struct slot_pool *pool;
	const struct live_mapping *live;
	struct live_mapping *found;
};

static bool is_eldest(void *context, const struct extent *extent)
{
	struct eldest_search *search = context;
	struct live_mapping *owner = extent_owner(search->pool, extent);

	if (owner->is_eldest && twins_are(search->live, owner))
		search->found = owner;
	return !search->found;
}

struct live_mapping *twins_eldest(const struct slot_pool *pool, const struct extent_table *table,
				  const struct dms_segment *range, struct live_mapping *live)
{
	struct eldest_search search = {.pool = pool, .live = live, .found = live};

	if (live->is_eldest)
		return live;
	search.found = NULL;
	extents_each_of_size(table, range->dma_addr, range->size, is_eldest, &search);
	return search.found;
}

/* @live leaves: the next younger one is the first of its epoch now, if there is one. */
static void pass_fresh(const struct slot_pool *pool, const struct live_mapping *eldest,
		       const struct live_mapping *live)
{
	struct twin_link *head = link_of(pool, eldest);
	const struct twin_link *link = link_of(pool, live);

	if (head->fresh == live->slot + 1)
		head->fresh = link->younger == eldest->slot ? 0 : link->younger + 1;
}

struct live_mapping *twins_remove(struct slot_pool *pool, struct live_mapping *eldest,
				  struct live_mapping *live)
{
	struct twin_link *link = link_of(pool, live), head;
	struct live_mapping *younger = slots_at(pool, link->younger);

	pass_fresh(pool, eldest, live);
	head = *link_of(pool, eldest);
	link_at(pool, link->younger)->older = link->older;
	link_at(pool, link->older)->younger = link->younger;
	if (live == eldest)
		eldest = younger;
	live->is_eldest = live->is_younger = false;
	eldest->is_younger = false;
	eldest->is_eldest = head.count > 2;
	link = link_of(pool, eldest);
	link->count = head.count - 1;
	link->fresh = head.fresh;
	link->fresh_epoch = head.fresh_epoch;
	return eldest;
}

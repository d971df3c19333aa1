// SPDX-License-Identifier: LGPL-2.1-only
/* Which live mapping an unmap or a sync means. */
#include <string.h>

#include "state.h"
#include "twins.h"

/*
 * dma-debug's mask: NO_KERNEL_MAPPING, FORCE_CONTIGUOUS, PRIVILEGED, MMIO, REQUIRE_COHERENT,
 * CC_SHARED. The other attributes may legally differ between map and unmap (nvme on 6.12 maps
 * with NO_WARN and unmaps without). Source: kernel/dma/debug.c, Linux 7.1 and later.
 */
#define COMPARED_ATTRS                                                                             \
	((1ull << 4) | (1ull << 6) | (1ull << 9) | (1ull << 10) | (1ull << 12) | (1ull << 13))

static uint64_t event_cpu_addr(const struct dms_event *event)
{
	return (event->has & DMS_HAS_VIRT_ADDR) ? event->virt_addr : event->phys_addr;
}

static bool is_list(const struct dms_mapping *mapping)
{
	return mapping->sg != NULL;
}

/* Entries beyond the shorter list are a matter of the count, not of the list. */
static bool lists_differ(const struct dms_mapping *mapping, const struct dms_event *event)
{
	uint32_t n = mapping->sg->n_phys < event->n_phys ? mapping->sg->n_phys : event->n_phys;

	return memcmp(mapping->sg->phys, event->phys_list, n * sizeof(uint64_t)) != 0;
}

/* dma-debug keeps memory that was allocated for streaming like what was mapped so. */
static bool is_of_kind(const struct dms_mapping *mapping, enum dms_mapping_kind kind)
{
	if (mapping->kind == kind || !mapping->is_seeded)
		return mapping->kind == kind;
	if (mapping->kind == DMS_MAPPING_SG)
		return kind == DMS_MAPPING_NONCONTIGUOUS;
	return mapping->kind == DMS_MAPPING_PAGE && kind == DMS_MAPPING_PAGES;
}

uint32_t match_differs(const struct dms_mapping *mapping, const struct dms_event *event,
		       enum dms_mapping_kind kind)
{
	uint32_t both = mapping->has & event->has, differs = 0;

	if (!is_of_kind(mapping, kind))
		differs |= DMS_DIFFERS_KIND;
	if ((both & DMS_HAS_SIZE) && mapping->size != event->size)
		differs |= DMS_DIFFERS_SIZE;
	if ((both & DMS_HAS_DIR) && mapping->dir != event->dir)
		differs |= DMS_DIFFERS_DIR;
	if ((both & DMS_HAS_ATTRS) && ((mapping->attrs ^ event->attrs) & COMPARED_ATTRS))
		differs |= DMS_DIFFERS_ATTRS;
	if ((both & DMS_HAS_VIRT_ADDR) && mapping->cpu_addr != event_cpu_addr(event))
		differs |= DMS_DIFFERS_CPU_ADDR;
	if ((both & DMS_HAS_PHYS_LIST) && is_list(mapping)) {
		if (mapping->nents != event->nents && kind == DMS_MAPPING_SG)
			differs |= DMS_DIFFERS_NENTS;
		if (lists_differ(mapping, event))
			differs |= DMS_DIFFERS_LIST;
	}
	return differs;
}

/** A search under way: the best candidate so far. */
struct search {
	const struct slot_pool *slots;
	const struct dms_event *event;
	enum dms_mapping_kind kind;
	uint32_t epoch;
	bool is_losing; /* a gap is open on some CPU */
	struct match best;
	const struct extent *best_extent;
	unsigned int best_count; /* of differences */
	uint32_t n_equally_good; /* candidates with the same number of differences */
};

/*
 * Of equals the oldest: the next owner's map may be logged before this owner's unmap. But one
 * mapped since events were last lost goes before one whose unmap may be among the lost.
 */
static bool is_preferred(const struct search *search, const struct dms_mapping *mapping)
{
	const struct dms_mapping *best = &search->best.live->mapping;
	bool is_sure = mapping->epoch == search->epoch;
	bool best_is_sure = best->epoch == search->epoch;

	if (is_sure != best_is_sure)
		return is_sure;
	return mapping->serial < best->serial;
}

static bool consider(void *context, const struct extent *extent)
{
	struct search *search = context;
	struct live_mapping *eldest = extent_owner(search->slots, extent);
	struct live_mapping *owner = twins_of_epoch(search->slots, eldest, search->epoch);
	uint32_t n_twins = twins_count(search->slots, eldest);
	const struct dms_mapping *mapping = &owner->mapping;
	uint32_t differs = match_differs(mapping, search->event, search->kind);
	unsigned int count = differs ? (unsigned int)__builtin_popcount(differs) : 0;

	search->best.n_candidates += n_twins;
	if (search->best.live && count == search->best_count)
		search->n_equally_good += n_twins;
	if (search->best.live && (count > search->best_count ||
				  (count == search->best_count && !is_preferred(search, mapping))))
		return true;
	if (!search->best.live || count < search->best_count)
		search->n_equally_good = n_twins;
	search->best.live = owner;
	search->best.differs = differs;
	search->best_extent = extent;
	search->best_count = count;
	return true;
}

static struct match conclude(struct search *search, const struct extent_table *table)
{
	struct match match = search->best;

	if (!match.live)
		return match;
	match.hint = (uint32_t)(search->best_extent - table->entries);
	if (match.differs && match.n_candidates > 1)
		match.doubts |= DMS_DOUBT_AMBIGUOUS;
	if (!match.differs && search->n_equally_good > 1 && match.live->mapping.is_superseded)
		match.doubts |= DMS_DOUBT_AMBIGUOUS; /* or was its own unmap not recorded? */
	if (search->is_losing || match.live->mapping.epoch != search->epoch)
		match.doubts |= DMS_DOUBT_LOST_EVENTS;
	return match;
}

static struct search search_for(const struct dms_model *model, const struct dms_event *event,
				enum dms_mapping_kind kind)
{
	return (struct search){
		.slots = &model->slots,
		.event = event,
		.kind = kind,
		.epoch = model->epoch,
		.is_losing = model->gap_until != 0,
	};
}

_apart_ static struct match search_unmap(const struct dms_model *model,
					 const struct device_state *state,
					 const struct dms_event *event, enum dms_mapping_kind kind)
{
	struct search search = search_for(model, event, kind);

	/* A mapping that fits exactly has the event's size. */
	extents_each_of_size(&state->extents, event->dma_addr, event->size, consider, &search);
	if (search.best.live && !search.best.differs)
		return conclude(&search, &state->extents);
	search = search_for(model, event, kind);
	extents_each_at(&state->extents, event->dma_addr, consider, &search);
	return conclude(&search, &state->extents);
}

/* Equal in all that the unmap of a single mapping can name: match_differs() would find nothing. */
static bool fits(const struct dms_mapping *mapping, const struct dms_event *event,
		 enum dms_mapping_kind kind)
{
	return mapping->size == event->size && mapping->kind == kind &&
	       mapping->dir == event->dir && !((mapping->attrs ^ event->attrs) & COMPARED_ATTRS) &&
	       !(event->has & (DMS_HAS_VIRT_ADDR | DMS_HAS_PHYS_LIST));
}

/* @extent of @table is the only candidate, and fits. */
static struct match only_match(const struct dms_model *model, const struct extent_table *table,
			       const struct extent *extent)
{
	struct match match = {
		.live = twins_of_epoch(&model->slots, extent_owner(&model->slots, extent),
				       model->epoch),
		.n_candidates = 1,
		.hint = (uint32_t)(extent - table->entries),
	};

	if (model_may_have_lost(model, match.live->mapping.epoch))
		match.doubts |= DMS_DOUBT_LOST_EVENTS;
	return match;
}

/* Healthy drivers' unmaps have one candidate, which fits: 2 % fewer instructions than the search. */
_flat_ struct match match_unmap(const struct dms_model *model, const struct device_state *state,
			 const struct dms_event *event, enum dms_mapping_kind kind)
{
	const struct extent *extent =
		extents_only_of_size(&state->extents, event->dma_addr, event->size);

	if (!extent || !fits(&extent_owner(&model->slots, extent)->mapping, event, kind))
		return search_unmap(model, state, event, kind);
	return only_match(model, &state->extents, extent);
}

_apart_ static struct match search_list(const struct dms_model *model,
					const struct device_state *state,
					const struct dms_event *event)
{
	struct search search = search_for(model, event, DMS_MAPPING_SG);
	const struct extent_table *table = &state->lists;
	uint64_t addr;

	if (event->n_phys)
		extents_each_at(table, event->phys_list[0], consider, &search);
	/* No list begins there: a single mapping of that memory, released as a list? */
	if (!search.best.live && event->n_phys &&
	    device_direct_addr(state, event->phys_list[0], &addr)) {
		table = &state->extents;
		extents_each_at(table, addr, consider, &search);
	}
	return conclude(&search, table);
}

/* The only list that begins there, if it is that of @event; else NULL. */
static const struct extent *only_list(const struct dms_model *model,
				      const struct device_state *state,
				      const struct dms_event *event)
{
	const struct extent *extent;

	if (!event->n_phys)
		return NULL;
	extent = extents_only_of_size(&state->lists, event->phys_list[0], 0);
	if (!extent || match_differs(&extent_owner(&model->slots, extent)->mapping, event,
				     DMS_MAPPING_SG))
		return NULL;
	return extent;
}

struct match match_unmap_list(const struct dms_model *model, const struct device_state *state,
			      const struct dms_event *event)
{
	const struct extent *extent = only_list(model, state, event);
	struct match match = extent ? only_match(model, &state->lists, extent)
				    : search_list(model, state, event);

	if (match.live && match.live->mapping.truncated)
		match.doubts |= DMS_DOUBT_TRUNCATED;
	return match;
}

/* ---- by what the IOMMU unmapped ---------------------------------------------------------------- */

/** A search for the list that begins in what was unmapped. */
struct witnessed_search {
	const struct slot_pool *slots;
	const struct dms_event *unmap;
	const struct extent *found;
	uint32_t n_found, n_touched; /* beginning in it; with any part in it */
};

/* Of peer-to-peer memory the first segments may be none of the IOMMU's. */
static bool is_touched(const struct dms_mapping *list, const struct dms_event *unmap)
{
	for (uint32_t i = 0; i < list->sg->n_segments; i++) {
		if (is_begun_by(dms_mapping_segment(list, i).dma_addr, unmap))
			return true;
	}
	return false;
}

static bool consider_unmapped(void *context, const struct extent *extent)
{
	struct witnessed_search *search = context;
	const struct live_mapping *owner = extent_owner(search->slots, extent);

	if (!is_list(&owner->mapping) || !is_touched(&owner->mapping, search->unmap))
		return true;
	search->n_touched += twins_count(search->slots, owner);
	if (!is_begun_by(owner->mapping.dma_addr, search->unmap))
		return true;
	search->n_found += twins_count(search->slots, owner);
	search->found = extent;
	return true;
}

_apart_ struct match match_unmap_witnessed(const struct dms_model *model,
					   const struct device_state *state,
					   const struct dms_event *event,
					   const struct dms_event *unmap)
{
	struct witnessed_search search = {.slots = &model->slots, .unmap = unmap};
	struct match match = {0};

	extents_each_at(&state->lists, event->phys_list[0], consider_unmapped, &search);
	match.n_candidates = search.n_touched;
	if (search.n_found != 1)
		return match;
	match = only_match(model, &state->lists, search.found);
	match.differs = match_differs(&match.live->mapping, event, DMS_MAPPING_SG);
	if (match.live->mapping.truncated)
		match.doubts |= DMS_DOUBT_TRUNCATED;
	return match;
}

/* ---- by memory --------------------------------------------------------------------------------- */

/* Mappings looked at in all: calls that fit nothing may be many, and each would look at all. */
#define MAX_SCANNED (1u << 22)

/* Of a list that begins elsewhere only where no list is older: memory may be part of several. */
static bool holds_start(const struct device_state *state, const struct dms_mapping *mapping,
			const struct dms_event *event)
{
	if (!mapping->sg)
		return mapping->kind == DMS_MAPPING_PAGE && event->n_phys == 1 &&
		       mapping->cpu_addr == event->phys_list[0];
	for (uint32_t i = 1; state->is_from_bind && i < mapping->sg->n_phys; i++) {
		if (mapping->sg->phys[i] == event->phys_list[0])
			return true;
	}
	return false;
}

_apart_ struct match match_unmap_memory(struct dms_model *model, const struct device_state *state,
				const struct dms_event *event)
{
	uint32_t n_slots = (uint32_t)model->slots.n_blocks * SLOTS_PER_BLOCK, n_left = state->n_live;
	struct match match = {0};

	if (!event->n_phys || state->device.mode == DMS_MODE_DIRECT || model_may_have_lost(model, 0) ||
	    state->has_older || model->n_scanned >= MAX_SCANNED)
		return match;
	for (uint32_t slot = 0; slot < n_slots && n_left; slot++) {
		struct live_mapping *live = slots_at(&model->slots, slot);

		if (!live->mapping.serial || model->devices[live->mapping.device] != state)
			continue;
		n_left--;
		if (live->mapping.dir != event->dir ||
		    !holds_start(state, &live->mapping, event))
			continue;
		match.n_candidates++;
		if (!match.live || live->mapping.serial < match.live->mapping.serial)
			match.live = live;
	}
	model->n_scanned += n_slots;
	if (!match.live)
		return match;
	match.differs = match_differs(&match.live->mapping, event, DMS_MAPPING_SG);
	match.hint = UINT32_MAX;
	if (match.n_candidates > 1)
		match.doubts |= DMS_DOUBT_AMBIGUOUS;
	return match;
}

/* ---- syncs ------------------------------------------------------------------------------------- */

/** The tightest mapping around a synced range. */
struct containing {
	const struct slot_pool *slots;
	const struct dms_event *event; /* NULL: anything that contains addr will do */
	uint64_t addr, size;
	struct live_mapping *best;
	uint64_t best_rank;
};

/* Small is good: first the size, then the direction, then age. */
static uint64_t rank_of(const struct containing *search, const struct dms_mapping *mapping,
			uint64_t size)
{
	uint64_t rank = size < UINT32_MAX ? size : UINT32_MAX;
	bool other_dir = search->event && (search->event->has & DMS_HAS_DIR) &&
			 (mapping->has & DMS_HAS_DIR) && mapping->dir != search->event->dir;

	return rank << 1 | other_dir;
}

static bool consider_containing(void *context, const struct extent *extent)
{
	struct containing *search = context;
	struct live_mapping *owner = extent_owner(search->slots, extent);
	struct dms_segment range = extent_range(owner, extent);
	uint64_t offset = search->addr - range.dma_addr, rank;

	if (offset > range.size || search->size > range.size - offset)
		return true;
	rank = rank_of(search, &owner->mapping, range.size);
	if (search->best &&
	    (rank > search->best_rank ||
	     (rank == search->best_rank && owner->mapping.serial > search->best->mapping.serial)))
		return true;
	search->best = owner;
	search->best_rank = rank;
	return true;
}

struct live_mapping *match_containing(const struct slot_pool *slots,
				      const struct device_state *state, uint64_t addr)
{
	struct containing search = {.slots = slots, .addr = addr, .size = 1};

	extents_each_around(&state->extents, addr, consider_containing, &search);
	return search.best;
}

struct match match_sync(const struct slot_pool *slots, const struct device_state *state,
			const struct dms_event *event)
{
	struct containing search = {.slots = slots, .event = event, .addr = event->dma_addr};
	struct match match = {0};
	const struct dms_mapping *mapping;

	/* Of a list sync the first segment leads to the list; its size is no single range. */
	search.size = event->n_dma ? event->lengths[0] : event->size;
	extents_each_around(&state->extents, event->dma_addr, consider_containing, &search);
	if (!search.best)
		return match;
	match.live = search.best;
	match.n_candidates = 1;
	mapping = &search.best->mapping;
	if ((event->has & mapping->has & DMS_HAS_DIR) && event->dir != mapping->dir)
		match.differs |= DMS_DIFFERS_DIR;
	if (event->n_dma && mapping->kind == DMS_MAPPING_SG && !mapping->is_seeded &&
	    event->nents != mapping->nents)
		match.differs |= DMS_DIFFERS_NENTS;
	return match;
}

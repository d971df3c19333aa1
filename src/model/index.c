// SPDX-License-Identifier: LGPL-2.1-only
/* A mapping enters the tables of its device, beside its twins, and leaves them. */
#include "state.h"
#include "twins.h"

/* ---- entering ---------------------------------------------------------------------------------- */

/* The memory where a list begins: what it is found by. */
static struct dms_segment list_range(const struct live_mapping *live)
{
	return (struct dms_segment){.dma_addr = live->mapping.cpu_addr};
}

static bool add_list(struct device_state *state, const struct live_mapping *live)
{
	struct dms_segment range = list_range(live);
	const struct list_part *list = live_list(live);

	return extents_add_list(&state->extents, list->segments, list->sg.n_segments, live->slot) &&
	       extents_add(&state->lists, &range, live->slot, 0);
}

/* More at one address, of different sizes or lists, are no driver's. */
#define MAX_VISITED 4096

/* What lives already, at an entry of the tables. */
static bool count_twin(void *context, const struct extent *extent)
{
	struct twin_search *search = context;
	struct live_mapping *owner = extent_owner(search->slots, extent);
	struct live_mapping *youngest = twins_youngest(search->slots, owner);
	const struct dms_mapping *old = &owner->mapping, *new = &search->live->mapping;

	if (search->n_visited++ >= MAX_VISITED)
		return false;
	if (!search->newest || youngest->mapping.serial > search->newest->mapping.serial)
		search->newest = youngest;
	if (old->size != new->size || old->kind != new->kind || old->dir != new->dir)
		return true;
	search->n_identical += twins_count(search->slots, owner);
	if (!search->oldest || old->serial < search->oldest->mapping.serial)
		search->oldest = owner;
	if (!search->eldest && twins_are(search->live, owner))
		search->eldest = owner;
	return true;
}

/* Behind an IOMMU whatever is at the address counts, and there are no twins: see settle_twins(). */
_apart_ static bool enter_iommu(struct device_state *state, struct live_mapping *live,
				struct twin_search *search)
{
	struct dms_segment range = {live->mapping.dma_addr, live->mapping.size};

	extents_count_starts(&state->extents);
	extents_each_at(&state->extents, range.dma_addr, count_twin, search);
	return live->mapping.sg ? add_list(state, live)
				: extents_add(&state->extents, &range, live->slot, 0);
}

/* Apart: so the others have registers enough, and take 3 % less. */
_apart_ static bool enter_list(struct slot_pool *slots, struct device_state *state,
			       struct live_mapping *live, struct twin_search *search)
{
	struct dms_segment range = list_range(live);

	extents_each_of_size(&state->lists, range.dma_addr, 0, count_twin, search);
	return search->eldest ? twins_add(slots, search->eldest, live) : add_list(state, live);
}

/* Find the new mapping's twins, and enter it: in one search, as its place is behind theirs. */
bool model_enter(struct slot_pool *slots, struct device_state *state, struct live_mapping *live,
		 struct twin_search *search)
{
	struct dms_segment range = {live->mapping.dma_addr, live->mapping.size};
	uint32_t place;

	if (state->device.mode == DMS_MODE_IOMMU)
		return enter_iommu(state, live, search);
	if (live->mapping.sg)
		return enter_list(slots, state, live, search);
	if (!extents_find_place(&state->extents, &range, count_twin, search, &place))
		return false;
	if (search->eldest)
		return twins_add(slots, search->eldest, live);
	extents_add_at(&state->extents, &range, live->slot, place);
	return true;
}

/* ---- leaving ----------------------------------------------------------------------------------- */

/* A list: found by its memory, and by each segment. */
_apart_ static void detach_list(struct device_state *state, const struct live_mapping *live,
				uint32_t hint)
{
	struct dms_segment range = list_range(live);
	const struct list_part *list = live_list(live);

	extents_remove(&state->lists, &range, live->slot, 0, hint);
	extents_remove_list(&state->extents, list->segments, list->sg.n_segments, live->slot);
}

/* Another one stands for them now. */
static void exchange(struct device_state *state, const struct live_mapping *live,
		     const struct live_mapping *next)
{
	struct dms_segment range = {live->mapping.dma_addr, live->mapping.size};
	const struct list_part *list = live_list(live);

	if (!list) {
		extents_exchange(&state->extents, &range, live->slot, 0, next->slot);
		return;
	}
	range = list_range(live);
	extents_exchange(&state->lists, &range, live->slot, 0, next->slot);
	for (uint32_t i = 0; i < list->sg.n_segments; i++)
		extents_exchange(&state->extents, &list->segments[i], live->slot, i, next->slot);
}

_apart_ static void detach_twin(struct slot_pool *slots, struct device_state *state,
				struct live_mapping *live)
{
	struct dms_segment range = {live->mapping.dma_addr, live->mapping.size};
	const struct extent_table *table = &state->extents;
	struct live_mapping *eldest, *next;

	if (live->mapping.sg) {
		range = (struct dms_segment){.dma_addr = live->mapping.cpu_addr};
		table = &state->lists;
	}
	eldest = twins_eldest(slots, table, &range, live);
	next = twins_remove(slots, eldest, live);
	if (next != eldest)
		exchange(state, live, next);
}

void model_detach(struct dms_model *model, struct device_state *state, struct live_mapping *live,
		  uint32_t hint)
{
	struct dms_segment range = {live->mapping.dma_addr, live->mapping.size};

	state->n_live--;
	state->n_truncated -= live->mapping.truncated;
	overlap_detach(model, live);
	if (twins_has(live))
		detach_twin(&model->slots, state, live);
	else if (live->mapping.sg)
		detach_list(state, live, hint);
	else
		extents_remove(&state->extents, &range, live->slot, 0, hint);
}


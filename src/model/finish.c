// SPDX-License-Identifier: LGPL-2.1-only
/* Lives end: unmaps and frees, matched or not, and ends that nobody logged. */
#include "state.h"

/* An unmap of more entries than this does not fit into a ring-buffer page (kernel-dma.md fact 8).
 */
#define VANISHING_ENTRIES 480

static struct dms_past past_of(const struct dms_mapping *mapping, const struct dms_event *event,
			       enum dms_end end, uint32_t epoch)
{
	struct dms_past past = {
		.dma_addr = mapping->dma_addr,
		.size = mapping->size,
		.map_ts = mapping->map_ts,
		.serial = mapping->serial,
		.row = mapping->row,
		.map_stack = mapping->map_stack,
		.map_cpu = mapping->map_cpu,
		.map_pid = mapping->map_pid,
		.unmap_stack = DMS_ID_NONE,
		.epoch = epoch,
		.kind = mapping->kind,
		.dir = mapping->dir,
		.end = (uint8_t)end,
	};

	if (event) {
		past.unmap_ts = event->ts;
		past.unmap_stack = event->stack;
		past.unmap_cpu = event->cpu;
		past.unmap_pid = event->pid;
	}
	return past;
}

static void remember(struct dms_model *model, struct device_state *state,
		     const struct dms_mapping *mapping, const struct dms_event *event,
		     enum dms_end end)
{
	struct dms_past past = past_of(mapping, event, end, model->epoch);

	past_add(state, mapping->dma_addr, &past);
	if (mapping->kind == DMS_MAPPING_SG && mapping->sg)
		past_add(state, past_list_key(mapping->cpu_addr), &past);
}

/* Take @live out of every index; its slot stays until slots_give(). */
static void detach(struct device_state *state, struct live_mapping *live)
{
	uint32_t n = live->list ? live->list->sg.n_segments : 1;
	struct dms_segment range;

	state->n_live--;
	for (uint32_t i = 0; i < n; i++) {
		range = dms_mapping_segment(&live->mapping, i);
		extents_remove(&state->extents, &range, live->slot, i);
	}
	if (!live->list)
		return;
	range = (struct dms_segment){.dma_addr = live->mapping.cpu_addr};
	extents_remove(&state->lists, &range, live->slot, 0);
}

struct dms_error *model_end_life(struct dms_model *model, struct live_mapping *live,
				 const struct dms_event *event, enum dms_end end, uint32_t doubts)
{
	struct device_state *state = model->devices[live->mapping.device];
	struct dms_step step = {
		.kind = DMS_STEP_ENDED,
		.mapping = &live->mapping,
		.end = end,
		.doubts = doubts,
	};
	struct dms_error *err;

	if (live->mapping.epoch != model->epoch)
		step.doubts |= DMS_DOUBT_LOST_EVENTS;
	if (live->mapping.nents > VANISHING_ENTRIES)
		step.doubts |= DMS_DOUBT_OVERSIZED;
	if (live->mapping.kind <= DMS_MAPPING_SG && device_may_elide(state))
		step.doubts |= DMS_DOUBT_ELIDED;
	detach(state, live);
	remember(model, state, &live->mapping, NULL, end);
	err = model_tell(model, state, event, &step);
	slots_give(&model->slots, live);
	return err;
}

/* ---- unmaps that match -------------------------------------------------------------------- */

static struct dms_error *end_by_unmap(struct dms_model *model, struct device_state *state,
				      const struct dms_event *event, const struct match *match)
{
	struct live_mapping *live = match->live;
	struct dms_step step = {
		.kind = DMS_STEP_UNMAP,
		.mapping = &live->mapping,
		.differs = match->differs,
		.doubts = match->doubts,
		.end = DMS_END_UNMAPPED,
	};
	struct dms_error *err;

	detach(state, live);
	err = model_tell(model, state, event, &step);
	remember(model, state, &live->mapping, event, DMS_END_UNMAPPED);
	slots_give(&model->slots, live);
	return err;
}

/* ---- unmaps that do not ------------------------------------------------------------------- */

void model_stand_in(const struct dms_event *event, const struct device_state *state,
		    enum dms_mapping_kind kind, struct dms_mapping *ret)
{
	*ret = (struct dms_mapping){
		.dma_addr = event->dma_addr,
		.cpu_addr = (event->has & DMS_HAS_VIRT_ADDR) ? event->virt_addr : event->phys_addr,
		.size = event->size,
		.attrs = event->attrs,
		.device = state->device.index,
		.map_stack = DMS_ID_NONE,
		.nents = event->nents ? event->nents : 1,
		.ents = event->ents,
		.kind = (uint8_t)kind,
		.dir = event->dir,
	};
	if (event->n_phys)
		ret->cpu_addr = event->phys_list[0];
}

static bool is_mapping_error(const struct dms_event *event)
{
	return event->dma_addr == DMS_MAPPING_ERROR64;
}

/* No state kept of the DMA address on this port: the driver had none to give. */
static bool is_stateless(const struct dms_event *event)
{
	return (event->has & DMS_HAS_DMA_ADDR) && !event->dma_addr && !event->size;
}

/** A search for one mapping, exactly. */
struct twin_search {
	const struct slot_pool *slots;
	const struct dms_event *event;
	const struct dms_mapping *found;
};

static bool is_twin(void *context, const struct extent *extent)
{
	struct twin_search *search = context;
	const struct dms_mapping *mapping = &extent_owner(search->slots, extent)->mapping;

	if (mapping->size == search->event->size && mapping->dir == search->event->dir)
		search->found = mapping;
	return !search->found;
}

static bool sees_physical(const struct device_state *state)
{
	return state->device.mode == DMS_MODE_DIRECT || state->device.mode == DMS_MODE_BOUNCED;
}

const struct dms_mapping *model_find_elsewhere(const struct dms_model *model,
					       const struct device_state *state,
					       const struct dms_event *event)
{
	struct twin_search search = {.slots = &model->slots, .event = event};

	if (state->device.mode == DMS_MODE_IOMMU || !(event->has & DMS_HAS_SIZE) || !event->size)
		return NULL;
	for (size_t i = 0; i < model->n_devices && !search.found; i++) {
		const struct device_state *other = model->devices[i];

		if (other != state && sees_physical(other))
			extents_each_of_size(&other->extents, event->dma_addr, event->size, is_twin,
					     &search);
	}
	return search.found;
}

static uint64_t key_of(const struct dms_event *event)
{
	return event->kind == DMS_EV_UNMAP_SG && event->n_phys ? past_list_key(event->phys_list[0])
							       : event->dma_addr;
}

/* What is known of an unmap that no live mapping fits: its end, its doubts, what it touches. */
static void explain(const struct dms_model *model, const struct device_state *state,
		    const struct dms_event *event, struct dms_step *step)
{
	struct live_mapping *around = NULL;

	step->end = DMS_END_UNMATCHED;
	if (is_mapping_error(event) && event->kind != DMS_EV_UNMAP_SG)
		return;
	if (event->kind != DMS_EV_UNMAP_SG)
		around = match_containing(&model->slots, state, event->dma_addr);
	step->related = around ? &around->mapping : NULL;
	step->past = past_find(state, key_of(event));
	if (step->past) {
		if (step->past->epoch != model->epoch)
			step->doubts |= DMS_DOUBT_LOST_EVENTS;
		if (step->past->end == DMS_END_ELIDED || state->has_elided)
			step->doubts |= DMS_DOUBT_ELIDED;
		if (step->past->end == DMS_END_LOST)
			step->doubts |= DMS_DOUBT_REORDERED;
		return;
	}
	if (model->epoch)
		step->doubts |= DMS_DOUBT_LOST_EVENTS;
	step->elsewhere = model_find_elsewhere(model, state, event);
	if (step->related || step->elsewhere) {
		step->doubts |= DMS_DOUBT_AMBIGUOUS;
		return;
	}
	if (is_stateless(event))
		step->doubts |= DMS_DOUBT_UNTRACED;
	if (!state->is_from_bind)
		step->doubts |= DMS_DOUBT_PRE_TRACE;
	if (step->doubts)
		step->end = DMS_END_PRE_TRACE;
}

struct dms_error *model_finish(struct dms_model *model, struct device_state *state,
			       const struct dms_event *event, enum dms_mapping_kind kind)
{
	struct dms_step step = {.kind = DMS_STEP_UNMAP_UNMATCHED};
	struct match match;

	if ((event->has & DMS_HAS_VIRT_ADDR) && !event->virt_addr) {
		step.kind = DMS_STEP_FREE_NULL;
		return model_tell(model, state, event, &step);
	}
	state->n_released += kind <= DMS_MAPPING_SG;
	match = event->kind == DMS_EV_UNMAP_SG ? match_unmap_list(model, state, event)
					       : match_unmap(model, state, event, kind);
	if (match.live)
		return end_by_unmap(model, state, event, &match);
	explain(model, state, event, &step);
	step.event = event;
	return reorder_hold(model, state, &step, kind);
}

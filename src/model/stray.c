// SPDX-License-Identifier: LGPL-2.1-only
/* Strays: unmaps that no live mapping fits, what they may be of, and how sure that is. */
#include "past.h"
#include "state.h"

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

/* Of older kernels: a longer list may have been mapped by an event too large for the ring buffer. */
#define VANISHING_MAP_ENTRIES 128

bool stray_may_vanish(const struct dms_model *model, const struct dms_event *event)
{
	return event->n_phys > VANISHING_MAP_ENTRIES && !model->caps_lists;
}

#define MAX_SEARCHED_DEVICES 256

/** A search for one mapping, exactly. */
struct elsewhere_search {
	const struct slot_pool *slots;
	const struct dms_event *event;
	const struct dms_mapping *found;
	uint32_t n_found; /* lists */
};

static bool is_twin(void *context, const struct extent *extent)
{
	struct elsewhere_search *search = context;
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
	struct elsewhere_search search = {.slots = &model->slots, .event = event};

	if (state->device.mode == DMS_MODE_IOMMU || !(event->has & DMS_HAS_SIZE) || !event->size)
		return NULL;
	/* A machine has some dozens; a million of them would only be a way to keep us busy. */
	for (size_t i = 0; i < model->n_devices && i < MAX_SEARCHED_DEVICES && !search.found; i++) {
		const struct device_state *other = model->devices[i];

		if (other != state && sees_physical(other))
			extents_each_of_size(&other->extents, event->dma_addr, event->size, is_twin,
					     &search);
	}
	return search.found;
}

static bool is_list_twin(void *context, const struct extent *extent)
{
	struct elsewhere_search *search = context;
	const struct dms_mapping *mapping = &extent_owner(search->slots, extent)->mapping;

	if (match_differs(mapping, search->event, DMS_MAPPING_SG) & ~(uint32_t)DMS_DIFFERS_ATTRS)
		return true;
	search->found = mapping;
	search->n_found++;
	return search->n_found < 2;
}

/*
 * The same memory may be mapped as the same list for many devices: what is written to two disks, or
 * a dma-buf. So a list is told to be another's only if this device cannot have mapped it as well, and
 * one other has: each entry of it, its count and its direction.
 */
static const struct dms_mapping *find_list_elsewhere(const struct dms_model *model,
						     const struct device_state *state,
						     const struct dms_event *event)
{
	struct elsewhere_search search = {.slots = &model->slots, .event = event};

	if (!event->n_phys || !state->is_from_bind || !sees_physical(state) ||
	    model_may_have_lost(model, 0) || model_lacks_calls(model, state) ||
	    model_lacks_maps(model, DMS_MAPPING_SG) || stray_may_vanish(model, event))
		return NULL;
	for (size_t i = 0; i < model->n_devices && i < MAX_SEARCHED_DEVICES; i++) {
		const struct device_state *other = model->devices[i];

		if (other != state && sees_physical(other))
			extents_each_of_size(&other->lists, event->phys_list[0], 0, is_list_twin,
					     &search);
	}
	return search.n_found == 1 ? search.found : NULL;
}

static uint64_t key_of(const struct dms_event *event)
{
	return event->kind == DMS_EV_UNMAP_SG && event->n_phys ? past_list_key(event->phys_list[0])
							       : event->dma_addr;
}

/* Neither's map was seen, and they cannot have been of one mapping. */
static bool is_other(const struct dms_past *past, const struct dms_event *event)
{
	return ((event->has & DMS_HAS_SIZE) && event->size != past->size) ||
	       ((event->has & DMS_HAS_DIR) && event->dir != past->dir);
}

/*
 * The address had a life, and it is over. But memory that a device only reads may be mapped several
 * times at one address where there is no IOMMU (page cache that is sent twice), and a mapping older
 * than the trace may be the one meant.
 */
static void explain_past(const struct dms_model *model, const struct device_state *state,
			 enum dms_mapping_kind kind, struct dms_step *step)
{
	const struct dms_past *past = step->past;

	step->doubts |= past->doubts;
	step->doubts |= model_sharing_doubts(model, state, (enum dms_mapping_kind)past->kind, past->dir);
	if (model_may_have_lost(model, past->epoch))
		step->doubts |= DMS_DOUBT_LOST_EVENTS;
	if (past->end == DMS_END_ELIDED || state->has_elided)
		step->doubts |= DMS_DOUBT_ELIDED;
	if (past->end == DMS_END_LOST)
		step->doubts |= DMS_DOUBT_REORDERED;
	if (past->end == DMS_END_PRE_TRACE && is_other(past, step->event))
		step->doubts |= DMS_DOUBT_UNTRACED;
	if (model_lacks_calls(model, state) || model_lacks_maps(model, kind))
		step->doubts |= DMS_DOUBT_UNTRACED;
	if (state->device.mode == DMS_MODE_IOMMU || state->is_from_bind ||
	    past->dir != DMS_DIR_TO_DEVICE)
		return;
	step->doubts |= past->end == DMS_END_PRE_TRACE ? DMS_DOUBT_PRE_TRACE : DMS_DOUBT_AMBIGUOUS;
}

/* What a driver left when it was unbound, and unmaps now: that it was late has been told. */
static const struct dms_past *find_left(const struct dms_model *model,
					const struct device_state *state,
					const struct dms_event *event)
{
	const struct dms_past *past;

	if (!state->before)
		return NULL;
	past = past_find(model_past(model, state->before), key_of(event));
	return past && past->end == DMS_END_UNBOUND ? past : NULL;
}

/*
 * Behind an IOMMU what lies inside of @around is its own: no other mapping shares its pages. If it
 * does live, and it is not the owner before it whose unmap comes late.
 */
_apart_ static void explain_interior(const struct dms_model *model, const struct device_state *state,
			     const struct dms_event *event, const struct dms_mapping *around,
			     struct dms_step *step)
{
	if (model_may_have_lost(model, around->epoch))
		step->doubts |= DMS_DOUBT_LOST_EVENTS;
	if (around->is_superseded)
		step->doubts |= DMS_DOUBT_AMBIGUOUS;
	if (model_may_be_late(model, state, event, around))
		step->doubts |= DMS_DOUBT_REORDERED;
	if (model_lacks_calls(model, state) ||
	    model_lacks_unmaps(model, (enum dms_mapping_kind)around->kind))
		step->doubts |= DMS_DOUBT_UNTRACED;
}

/* Another mapping may be what it means: of another device, or around it. False: there is none. */
static bool explain_elsewhere(const struct dms_model *model, const struct device_state *state,
			      const struct dms_event *event, enum dms_mapping_kind kind,
			      struct dms_step *step)
{
	if (event->kind == DMS_EV_UNMAP_SG) {
		step->elsewhere = find_list_elsewhere(model, state, event);
		if (step->elsewhere && step->elsewhere->truncated)
			step->doubts |= DMS_DOUBT_TRUNCATED;
		return step->elsewhere != NULL;
	}
	step->elsewhere = model_find_elsewhere(model, state, event);
	if (!step->related && !step->elsewhere)
		return false;
	step->doubts |= DMS_DOUBT_AMBIGUOUS | model_sharing_doubts(model, state, kind, event->dir);
	if (model_lacks_maps(model, kind))
		step->doubts |= DMS_DOUBT_UNTRACED;
	return true;
}

/* It is of a mapping that was not seen, or there was none. */
static void explain_unknown(const struct dms_model *model, struct device_state *state,
			    enum dms_mapping_kind kind, struct dms_step *step)
{
	if (!state->is_from_bind)
		step->doubts |= DMS_DOUBT_PRE_TRACE;
	else if (model_lacks_calls(model, state) || model_lacks_maps(model, kind))
		step->doubts |= DMS_DOUBT_UNTRACED;
	state->strays.n_unknown++;
	state->strays.n_unknown_sure += state->is_from_bind;
	state->has_older |= (step->doubts & DMS_DOUBT_PRE_TRACE) != 0;
	if (step->doubts)
		step->end = DMS_END_PRE_TRACE;
}

/* What is known of an unmap that no live mapping fits: its end, its doubts, what it touches. */
static void explain(const struct dms_model *model, struct device_state *state,
		    const struct dms_event *event, struct dms_step *step)
{
	enum dms_mapping_kind kind = lifecycle_mapping_kind(event->kind);
	struct live_mapping *around = NULL;

	step->end = DMS_END_UNMATCHED;
	if (is_mapping_error(event) && event->kind != DMS_EV_UNMAP_SG)
		return;
	if (is_stateless(event)) {
		step->doubts |= DMS_DOUBT_UNTRACED;
		step->end = DMS_END_PRE_TRACE;
		return;
	}
	if (event->kind != DMS_EV_UNMAP_SG)
		around = match_containing(&model->slots, state, event->dma_addr);
	step->related = around ? &around->mapping : NULL;
	step->past = past_find(model_past(model, state), key_of(event));
	if (stray_may_vanish(model, event))
		step->doubts |= DMS_DOUBT_OVERSIZED;
	if (step->past) {
		model_note_again(model, event, step->past, state);
		explain_past(model, state, kind, step);
		return;
	}
	step->past = find_left(model, state, event);
	if (step->past) {
		step->end = DMS_END_PRE_TRACE;
		return;
	}
	if (around && state->device.mode == DMS_MODE_IOMMU) {
		explain_interior(model, state, event, &around->mapping, step);
		return;
	}
	if (model_may_have_lost(model, 0))
		step->doubts |= DMS_DOUBT_LOST_EVENTS;
	if (explain_elsewhere(model, state, event, kind, step))
		return;
	explain_unknown(model, state, kind, step);
}

static void count_stray(struct dms_model *model, struct device_state *state,
			const struct dms_event *event, enum dms_mapping_kind kind)
{
	state->strays.n_unmaps += !is_mapping_error(event) && !is_stateless(event);
	state->strays.has_any = true;
	model->n_strays_of[kind]++;
}

_apart_ struct dms_error *stray_finish(struct dms_model *model, struct device_state *state,
				       const struct dms_event *event, enum dms_mapping_kind kind)
{
	struct dms_step step = {.kind = DMS_STEP_UNMAP_UNMATCHED};
	struct dms_error *err = seed_give_up(model, state);

	if (err)
		return err;
	count_stray(model, state, event, kind);
	if (state->device.mode == DMS_MODE_UNKNOWN)
		witness_note_unmatched(model, state, event);
	step.event = event;
	explain(model, state, event, &step);
	if (seed_hold(model, state, event, &step))
		return NULL;
	return reorder_hold(model, state, &step, kind);
}

/* The unmap @event fits no mapping; @is_unseen: but one whose map was not seen, as is known. */
_apart_ struct dms_error *stray_finish_told(struct dms_model *model, struct device_state *state,
					    const struct dms_event *event, bool is_unseen)
{
	struct dms_step step = {.kind = DMS_STEP_UNMAP_UNMATCHED, .event = event};
	const struct dms_past *past = past_find(model_past(model, state), key_of(event));
	struct dms_error *err = seed_give_up(model, state);

	if (err)
		return err;
	count_stray(model, state, event, DMS_MAPPING_SG);
	if (past) /* a map of that memory is missing, by a filter if not before the trace */
		model_note_again(model, event, past, state);
	step.end = DMS_END_UNMATCHED;
	if (!is_unseen)
		step.past = past;
	else if (model_may_have_lost(model, 0))
		step.doubts |= DMS_DOUBT_LOST_EVENTS;
	else if (state->is_from_bind)
		step.doubts |= DMS_DOUBT_UNTRACED;
	if (is_unseen)
		explain_unknown(model, state, DMS_MAPPING_SG, &step);
	return reorder_hold(model, state, &step, DMS_MAPPING_SG);
}

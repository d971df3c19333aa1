// SPDX-License-Identifier: LGPL-2.1-only
/* Lives end: unmaps and frees, matched or not, and ends that nobody logged. */
#include "state.h"

/* An unmap of more entries than this does not fit into a ring-buffer page (kernel-dma.md fact 8).
 */
#define VANISHING_ENTRIES 480

/* Member by member, in its place: put together elsewhere and copied it takes twice the time. */
static void fill_past(struct dms_past *past, const struct dms_mapping *mapping,
		      const struct dms_event *event, const struct dms_step *step)
{
	if (!past)
		return;
	past->dma_addr = mapping->dma_addr;
	past->size = mapping->size;
	past->map_ts = mapping->map_ts;
	past->unmap_ts = event ? event->ts : 0;
	past->serial = mapping->serial;
	past->row = mapping->row;
	past->map_stack = mapping->map_stack;
	past->map_cpu = mapping->map_cpu;
	past->map_pid = mapping->map_pid;
	past->unmap_stack = event ? event->stack : DMS_ID_NONE;
	past->unmap_cpu = event ? event->cpu : 0;
	past->unmap_pid = event ? event->pid : 0;
	past->epoch = mapping->epoch;
	past->doubts = (uint16_t)step->doubts;
	past->kind = mapping->kind;
	past->dir = mapping->dir;
	past->end = (uint8_t)step->end;
	past->differs = (uint8_t)step->differs;
}

/* Where lives are entered at once, their place is looked for first: it comes meanwhile. */
static struct dms_past *expect_place(const struct dms_model *model,
				     const struct device_state *state,
				     const struct dms_mapping *mapping,
				     const struct dms_event *event)
{
	if (model->late_past)
		return NULL;
	return past_place(state->past, mapping->dma_addr, event ? event->ts : 0,
			  device_past_slots(state));
}

static bool is_known_list(const struct dms_mapping *mapping)
{
	return mapping->kind == DMS_MAPPING_SG && mapping->sg;
}

static void put_off_one(const struct dms_model *model, const struct device_state *state,
			uint64_t key, const struct dms_mapping *mapping,
			const struct dms_event *event, const struct dms_step *step)
{
	struct past_entry *entry = past_put_off(model->late_past, state->past, key,
						device_past_slots(state));

	fill_past(&entry->life, mapping, event, step);
	dms_backlog_add(model->late_past);
}

_apart_ _flat_ static void put_off(const struct dms_model *model, const struct device_state *state,
				   const struct dms_mapping *mapping,
				   const struct dms_event *event, const struct dms_step *step)
{
	put_off_one(model, state, mapping->dma_addr, mapping, event, step);
	if (is_known_list(mapping))
		put_off_one(model, state, past_list_key(mapping->cpu_addr), mapping, event, step);
}

/* @past: its expect_place(). */
static void remember(const struct dms_model *model, const struct device_state *state,
		     const struct dms_mapping *mapping, const struct dms_event *event,
		     const struct dms_step *step, struct dms_past *past)
{
	if (model->late_past) {
		put_off(model, state, mapping, event, step);
		return;
	}
	fill_past(past, mapping, event, step);
	if (!is_known_list(mapping))
		return;
	past = past_place(state->past, past_list_key(mapping->cpu_addr), event ? event->ts : 0,
			  device_past_slots(state));
	fill_past(past, mapping, event, step);
}

void model_enter_past(const struct dms_model *model, const struct device_state *state,
		      uint64_t key, const struct dms_past *life)
{
	struct dms_past *place;

	if (model->late_past)
		dms_backlog_drain(model->late_past);
	place = past_place(state->past, key, life->unmap_ts, device_past_slots(state));
	if (place)
		*place = *life;
}

_apart_ struct dms_error *model_end_life(struct dms_model *model, struct live_mapping *live,
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

	if (model_may_have_lost(model, live->mapping.epoch))
		step.doubts |= DMS_DOUBT_LOST_EVENTS;
	if (live->may_have_ended)
		step.doubts |= DMS_DOUBT_REORDERED;
	if (live->mapping.nents > VANISHING_ENTRIES)
		step.doubts |= DMS_DOUBT_OVERSIZED;
	if (live->mapping.is_seeded)
		step.doubts |= seed_doubts(&live->mapping);
	if (live->mapping.kind <= DMS_MAPPING_SG && model_may_elide(model, state))
		step.doubts |= DMS_DOUBT_ELIDED;
	if (end == DMS_END_UNBOUND)
		unbind_explain(model, state, &step);
	check_is_suspect(model, &live->mapping);
	model_detach(model, state, live, 0);
	remember(model, state, &live->mapping, NULL, &step,
		 expect_place(model, state, &live->mapping, NULL));
	step.site = sites_of(model, &live->mapping);
	sites_end(model, &live->mapping, NULL);
	err = model_tell(model, state, event, &step);
	if (!err)
		err = overlap_end(model, live, NULL, &step);
	slots_give(&model->slots, live);
	return err;
}

/* ---- unmaps that match -------------------------------------------------------------------- */

/* True if @state was at work when the trace began, and not all of that work need be done. */
static bool has_unseen(const struct dms_model *model, const struct device_state *state)
{
	return state->has_older && model->now - model->begin_ts < UNDER_WAY_NS;
}

/*
 * What the device only reads may be mapped several times (a page sent on many sockets, the zero
 * page), and so may memory of user space, both ways: once of them before the trace or among the lost.
 */
static uint32_t unseen_doubts(const struct dms_model *model, const struct device_state *state,
			      enum dms_mapping_kind kind, uint8_t dir)
{
	uint32_t doubts = 0;

	if (kind > DMS_MAPPING_SG || dir == DMS_DIR_FROM_DEVICE)
		return 0;
	if (model_may_have_lost(model, 0))
		doubts |= DMS_DOUBT_LOST_EVENTS;
	if (!state->is_from_bind && (state->has_shared || has_unseen(model, state)))
		doubts |= DMS_DOUBT_PRE_TRACE;
	return doubts;
}

/* Behind an IOMMU each of them has an address of its own: but lists are found by their memory. */
static uint32_t sharing_doubts(const struct dms_model *model, const struct device_state *state,
			       enum dms_mapping_kind kind, uint8_t dir)
{
	uint32_t doubts = 0;

	if (state->device.mode == DMS_MODE_IOMMU && kind != DMS_MAPPING_SG)
		return 0;
	if (state->device.mode == DMS_MODE_IOMMU && state->has_list_guesses)
		doubts |= DMS_DOUBT_UNTRACED;
	return doubts | unseen_doubts(model, state, kind, dir);
}

/*
 * Behind an IOMMU an unmap may be that of the address's owner before, logged late, if the map came
 * just before it, from elsewhere, and that owner's map is not in the trace.
 */
static bool may_be_late(const struct dms_model *model, const struct device_state *state,
			const struct dms_event *event, const struct dms_mapping *mapping)
{
	bool is_elsewhere = event->cpu != mapping->map_cpu ||
			    (mapping->in_interrupt && !is_in_interrupt(event));

	return is_elsewhere && event->ts - mapping->map_ts <= model_reorder_window(model) &&
	       (model->epoch || !state->is_from_bind);
}

/* Whose unmap is this? Asked at each: what is seldom true is found not to be in a test or two. */
static uint32_t owner_doubts(const struct dms_model *model, const struct device_state *state,
			     const struct dms_event *event, enum dms_mapping_kind kind,
			     const struct match *match)
{
	const struct dms_mapping *mapping = &match->live->mapping;
	uint32_t doubts = 0;

	if (model_may_have_lost(model, mapping->epoch))
		doubts |= DMS_DOUBT_LOST_EVENTS;
	/* a slot of the bounce buffer has one owner */
	if (!mapping->bounced || mapping->sg)
		doubts |= sharing_doubts(model, state, (enum dms_mapping_kind)mapping->kind,
					 mapping->dir);
	if (state->device.mode == DMS_MODE_IOMMU && may_be_late(model, state, event, mapping))
		doubts |= DMS_DOUBT_REORDERED;
	if (model_lacks_calls(model, state) ||
	    model_lacks_half(model, (enum dms_mapping_kind)mapping->kind, kind, match->differs) ||
	    (match->differs == DMS_DIFFERS_DIR && mapping->kind == DMS_MAPPING_PAGES &&
	     model->config.doubts_alloc_dir))
		doubts |= DMS_DOUBT_UNTRACED;
	return doubts;
}

static struct dms_error *end_by_unmap(struct dms_model *model, struct device_state *state,
				      const struct dms_event *event, enum dms_mapping_kind kind,
				      const struct match *match)
{
	struct live_mapping *live = match->live;
	struct dms_past *past;
	struct dms_step step;
	uint32_t doubts;
	struct dms_error *err;

	if (live->is_indexed)
		memory_expect(&model->overlap.memory, live->mapping.cpu_addr);
	/* It is filled at the end: until then what the search waits for comes beside other work. */
	past = expect_place(model, state, &live->mapping, event);
	doubts = owner_doubts(model, state, event, kind, match);
	model_init_step(&step, DMS_STEP_UNMAP, &live->mapping);
	step.differs = match->differs;
	step.doubts = match->doubts;
	step.end = DMS_END_UNMAPPED;
	if (live->mapping.is_seeded) {
		seed_note_unmap(model, state, event, live);
		step.doubts |= match->differs ? seed_doubts(&live->mapping) : 0;
	}
	if (match->differs || check_is_suspect(model, &live->mapping))
		step.doubts |= doubts;
	if (live->mapping.is_superseded)
		state->strays.n_remapped--;
	state->has_list_guesses |= live->mapping.sg && match->n_candidates > 1;
	model_detach(model, state, live, match->hint);
	sites_end(model, &live->mapping, event);
	err = model_tell(model, state, event, &step);
	step.doubts |= doubts;
	remember(model, state, &live->mapping, event, &step, past);
	if (!err)
		err = overlap_end(model, live, event, &step);
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

/* Of older kernels: a longer list may have been mapped by an event too large for the ring buffer. */
#define VANISHING_MAP_ENTRIES 128

static bool may_vanish(const struct dms_model *model, const struct dms_event *event)
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
	    model_lacks_maps(model, DMS_MAPPING_SG) || may_vanish(model, event))
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
	step->doubts |= sharing_doubts(model, state, (enum dms_mapping_kind)past->kind, past->dir);
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
	if (may_be_late(model, state, event, around))
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
	step->doubts |= DMS_DOUBT_AMBIGUOUS | sharing_doubts(model, state, kind, event->dir);
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
	if (may_vanish(model, event))
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

_apart_ static struct dms_error *tell_free_null(struct dms_model *model, struct device_state *state,
						const struct dms_event *event)
{
	struct dms_step step = {.kind = DMS_STEP_FREE_NULL};

	return model_tell(model, state, event, &step);
}

static void count_stray(struct dms_model *model, struct device_state *state,
			const struct dms_event *event, enum dms_mapping_kind kind)
{
	state->strays.n_unmaps += !is_mapping_error(event) && !is_stateless(event);
	state->strays.has_any = true;
	model->n_strays_of[kind]++;
}

_apart_ static struct dms_error *finish_unmatched(struct dms_model *model,
						  struct device_state *state,
						  const struct dms_event *event,
						  enum dms_mapping_kind kind)
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

static struct match find_by_memory(struct dms_model *model, const struct device_state *state,
				   const struct dms_event *event)
{
	if (may_vanish(model, event) || unseen_doubts(model, state, DMS_MAPPING_SG, event->dir))
		return (struct match){0};
	return match_unmap_memory(model, state, event);
}

_apart_ struct dms_error *model_finish_list(struct dms_model *model, struct device_state *state,
					    const struct dms_event *event,
					    const struct match *match)
{
	struct match found = match->live ? *match : find_by_memory(model, state, event);

	if (found.live)
		return end_by_unmap(model, state, event, DMS_MAPPING_SG, &found);
	return finish_unmatched(model, state, event, DMS_MAPPING_SG);
}

/* The unmap @event fits no mapping; @is_unseen: but one whose map was not seen, as is known. */
_apart_ struct dms_error *model_finish_told(struct dms_model *model, struct device_state *state,
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

_flat_ struct dms_error *model_finish(struct dms_model *model, struct device_state *state,
				      const struct dms_event *event, enum dms_mapping_kind kind)
{
	struct match match;

	if ((event->has & DMS_HAS_VIRT_ADDR) && !event->virt_addr)
		return tell_free_null(model, state, event);
	/* comes while its mapping is searched for: waiting for it was 2 % of the generated mix */
	if (!model->late_past)
		past_expect(state->past, event->dma_addr);
	if (kind <= DMS_MAPPING_SG)
		state->n_released++;
	else
		state->n_freed += kind == DMS_MAPPING_COHERENT;
	model->n_released_of[kind]++;
	state->strays.n_all_unmaps++;
	state->last_release_ts = event->ts;
	if (event->kind == DMS_EV_UNMAP_SG) {
		match = match_unmap_list(model, state, event);
		if (state->device.mode == DMS_MODE_IOMMU &&
		    witness_await(model, state, event, &match))
			return NULL;
		if (!match.live)
			match = find_by_memory(model, state, event);
	} else {
		match = match_unmap(model, state, event, kind);
	}
	if (match.live)
		return end_by_unmap(model, state, event, kind, &match);
	return finish_unmatched(model, state, event, kind);
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Lives end: unmaps and frees, matched or not, and ends that nobody logged. */
#include "state.h"

/* An unmap of more entries than this does not fit into a ring-buffer page (kernel-dma.md fact 8).
 */
#define VANISHING_ENTRIES 480

static bool is_known_list(const struct dms_mapping *mapping)
{
	return mapping->kind == DMS_MAPPING_SG && mapping->sg;
}

/* What is known to lie behind its address; more than 4 GiB need not be. */
static uint32_t first_bytes(const struct dms_mapping *mapping)
{
	uint64_t bytes = mapping->sg && mapping->sg->n_segments ? dms_mapping_segment(mapping, 0).size
								: mapping->size;

	return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

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
	past->first_bytes = first_bytes(mapping);
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
uint32_t model_unseen_doubts(const struct dms_model *model, const struct device_state *state,
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
uint32_t model_sharing_doubts(const struct dms_model *model, const struct device_state *state,
			      enum dms_mapping_kind kind, uint8_t dir)
{
	uint32_t doubts = 0;

	if (state->device.mode == DMS_MODE_IOMMU && kind != DMS_MAPPING_SG)
		return 0;
	if (state->device.mode == DMS_MODE_IOMMU && state->has_list_guesses)
		doubts |= DMS_DOUBT_UNTRACED;
	return doubts | model_unseen_doubts(model, state, kind, dir);
}

/*
 * Behind an IOMMU an unmap may be that of the address's owner before, logged late, if the map came
 * just before it, from elsewhere, and that owner's map is not in the trace.
 */
bool model_may_be_late(const struct dms_model *model, const struct device_state *state,
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
		doubts |= model_sharing_doubts(model, state, (enum dms_mapping_kind)mapping->kind,
					 mapping->dir);
	if (state->device.mode == DMS_MODE_IOMMU &&
	    model_may_be_late(model, state, event, mapping) && !witness_tells(model, event, mapping))
		doubts |= DMS_DOUBT_REORDERED;
	if (model_lacks_calls(model, state) ||
	    model_lacks_half(model, (enum dms_mapping_kind)mapping->kind, kind, match->differs) ||
	    (match->differs == DMS_DIFFERS_DIR && mapping->kind == DMS_MAPPING_PAGES &&
	     model->config.doubts_alloc_dir))
		doubts |= DMS_DOUBT_UNTRACED;
	return doubts;
}

/*
 * Doubts that it means @match, if it differs from that. A single mapping's owner before it unmaps late
 * once in a thousand times; then the mapping's own unmap comes, too, and shows it: model_note_again().
 */
static uint32_t doubts_of_mismatch(uint32_t doubts, const struct match *match)
{
	if (match->live->mapping.sg || !(doubts & DMS_DOUBT_REORDERED))
		return doubts;
	return (doubts & ~(uint32_t)DMS_DOUBT_REORDERED) | DMS_DOUBT_AMBIGUOUS;
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
	if (match->differs)
		step.doubts |= doubts_of_mismatch(doubts, match);
	if (check_is_suspect(model, &live->mapping))
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

/* ---- the unmap -------------------------------------------------------------------------------- */

_apart_ static struct dms_error *tell_free_null(struct dms_model *model, struct device_state *state,
						const struct dms_event *event)
{
	struct dms_step step = {.kind = DMS_STEP_FREE_NULL};

	return model_tell(model, state, event, &step);
}

static struct match find_by_memory(struct dms_model *model, const struct device_state *state,
				   const struct dms_event *event)
{
	if (stray_may_vanish(model, event) || model_unseen_doubts(model, state, DMS_MAPPING_SG, event->dir))
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
	return stray_finish(model, state, event, DMS_MAPPING_SG);
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
	return stray_finish(model, state, event, kind);
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Syncs: ownership handed to the CPU or to the device while a mapping lives. */
#include "state.h"

static bool is_for_cpu(const struct dms_event *event)
{
	return event->kind == DMS_EV_SYNC_FOR_CPU || event->kind == DMS_EV_SYNC_SG_FOR_CPU;
}

/*
 * Without an IOMMU, memory that is mapped since before the trace (a page of a receive pool) may be
 * mapped once more, to send what lies in it: that mapping is not the one that is synced.
 */
static bool may_be_of_other(const struct device_state *state, const struct dms_event *event,
			    uint8_t dir)
{
	return state->device.mode != DMS_MODE_IOMMU && !state->is_from_bind &&
	       dir == DMS_DIR_TO_DEVICE && (event->has & DMS_HAS_DIR) &&
	       event->dir != DMS_DIR_TO_DEVICE;
}

/* The device had mappings before the trace, and memory may have several of them: so may this one. */
static bool may_be_of_older(const struct device_state *state)
{
	return state->device.mode != DMS_MODE_IOMMU && !state->is_from_bind &&
	       (state->has_older || state->has_shared);
}

/*
 * Since when must nothing have been lost for the address of @step to have no mapping that we did not
 * see? Behind an IOMMU what lives there, or did last, had it for itself.
 */
static uint32_t epoch_of(const struct device_state *state, const struct dms_step *step)
{
	if (step->past)
		return step->past->epoch;
	return step->related && state->device.mode == DMS_MODE_IOMMU ? step->related->epoch : 0;
}

static struct dms_error *tell_unmatched(struct dms_model *model, struct device_state *state,
					const struct dms_event *event)
{
	struct dms_step step = {.kind = DMS_STEP_SYNC_UNMATCHED};
	struct live_mapping *around;
	struct dms_error *err;

	if (event->dma_addr == DMS_MAPPING_ERROR64 && !(event->has & DMS_HAS_DMA_LIST))
		return model_tell(model, state, event, &step);
	if ((err = seed_give_up(model, state)))
		return err;
	around = match_containing(&model->slots, state, event->dma_addr);
	step.related = around ? &around->mapping : NULL;
	step.past = past_find_containing(model_past(model, state), event->dma_addr,
					 state->device.mode == DMS_MODE_IOMMU);
	if (model_may_have_lost(model, epoch_of(state, &step)))
		step.doubts |= DMS_DOUBT_LOST_EVENTS;
	if (step.past)
		step.doubts |= step.past->doubts;
	if ((step.past && may_be_of_other(state, event, step.past->dir)) ||
	    (step.related && may_be_of_other(state, event, step.related->dir)) ||
	    ((step.past || step.related) && may_be_of_older(state)))
		step.doubts |= DMS_DOUBT_PRE_TRACE;
	if (model_lacks_calls(model, state) || model_lacks_maps(model, DMS_MAPPING_PAGE) ||
	    model_lacks_maps(model, DMS_MAPPING_SG))
		step.doubts |= DMS_DOUBT_UNTRACED;
	if (!step.past && !step.related)
		step.elsewhere = model_find_elsewhere(model, state, event);
	if (step.elsewhere)
		step.doubts |= DMS_DOUBT_AMBIGUOUS;
	else if (!step.past && !step.related && !state->is_from_bind)
		step.doubts |= DMS_DOUBT_PRE_TRACE;
	if (model_may_elide(model, state))
		step.doubts |= DMS_DOUBT_ELIDED;
	if (model->is_coarse) /* its map may still come, and its unmap may have come early */
		step.doubts |= DMS_DOUBT_REORDERED;
	if (state->n_truncated)
		step.doubts |= DMS_DOUBT_TRUNCATED | DMS_DOUBT_OVERSIZED;
	if (seed_hold(model, state, event, &step))
		return NULL;
	return model_tell(model, state, event, &step);
}

struct dms_error *model_sync(struct dms_model *model, struct device_state *state,
			     const struct dms_event *event, enum dms_mapping_kind kind)
{
	struct match match = match_sync(&model->slots, state, event);
	struct dms_mapping *mapping;
	struct dms_step step;

	(void)kind;
	if ((event->has & DMS_HAS_DMA_LIST) && !event->n_dma)
		return NULL; /* an empty list: nothing was synced */
	state->device.has_syncs = true;
	if (!match.live)
		return tell_unmatched(model, state, event);
	mapping = &match.live->mapping;
	if (is_for_cpu(event))
		mapping->syncs_for_cpu++;
	else
		mapping->syncs_for_device++;
	/* On another CPU the check may have been earlier: clocks differ. */
	mapping->is_used_unchecked |= !mapping->is_checked && event->cpu == mapping->map_cpu;
	sites_sync(model, mapping, event);
	if (model_may_have_lost(model, mapping->epoch))
		match.doubts |= DMS_DOUBT_LOST_EVENTS;
	if (model_lacks_unmaps(model, (enum dms_mapping_kind)mapping->kind))
		match.doubts |= DMS_DOUBT_UNTRACED;
	if (match.differs && mapping->is_seeded)
		match.doubts |= seed_doubts(mapping);
	model_init_step(&step, DMS_STEP_SYNC, mapping);
	step.differs = match.differs;
	step.doubts = match.doubts;
	return model_tell(model, state, event, &step);
}

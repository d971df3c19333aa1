// SPDX-License-Identifier: LGPL-2.1-only
/* Syncs: ownership handed to the CPU or to the device while a mapping lives. */
#include "state.h"

static bool is_for_cpu(const struct dms_event *event)
{
	return event->kind == DMS_EV_SYNC_FOR_CPU || event->kind == DMS_EV_SYNC_SG_FOR_CPU;
}

static struct dms_error *tell_unmatched(struct dms_model *model, struct device_state *state,
					const struct dms_event *event)
{
	struct dms_step step = {.kind = DMS_STEP_SYNC_UNMATCHED};
	struct live_mapping *around = match_containing(&model->slots, state, event->dma_addr);

	step.related = around ? &around->mapping : NULL;
	step.past = past_find_containing(state, event->dma_addr);
	if (model_may_have_lost(model, step.past ? step.past->epoch : 0))
		step.doubts |= DMS_DOUBT_LOST_EVENTS;
	if (step.past)
		step.doubts |= step.past->doubts;
	if (!step.past && !step.related)
		step.elsewhere = model_find_elsewhere(model, state, event);
	if (step.elsewhere)
		step.doubts |= DMS_DOUBT_AMBIGUOUS;
	else if (!step.past && !step.related && !state->is_from_bind)
		step.doubts |= DMS_DOUBT_PRE_TRACE;
	if (device_may_elide(state))
		step.doubts |= DMS_DOUBT_ELIDED;
	if (state->n_truncated)
		step.doubts |= DMS_DOUBT_TRUNCATED | DMS_DOUBT_OVERSIZED;
	return model_tell(model, state, event, &step);
}

struct dms_error *model_sync(struct dms_model *model, struct device_state *state,
			     const struct dms_event *event, enum dms_mapping_kind kind)
{
	struct dms_step step = {.kind = DMS_STEP_SYNC};
	struct match match = match_sync(&model->slots, state, event);
	struct dms_mapping *mapping;

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
	mapping->is_used_unchecked |= !mapping->is_checked;
	sites_sync(model, mapping, event);
	if (model_may_have_lost(model, mapping->epoch))
		match.doubts |= DMS_DOUBT_LOST_EVENTS;
	step.mapping = mapping;
	step.differs = match.differs;
	step.doubts = match.doubts;
	return model_tell(model, state, event, &step);
}

// SPDX-License-Identifier: LGPL-2.1-only
/*
 * What an iommu:unmap tells of the call it is part of. It names the address that the call unmaps,
 * rounded to pages of the IOMMU, on the call's CPU and in its task, however the IOTLB is flushed.
 * The call's own event comes after it where the call unmaps a single mapping; of a list, or a free,
 * it comes before. Source: kernel/dma/mapping.c dma_unmap_sg_attrs(), drivers/iommu/dma-iommu.c
 * __iommu_dma_unmap(), drivers/iommu/iommu.c __iommu_unmap(), Linux 6.12 to 7.2.
 */
#include <string.h>

#include "state.h"

/* The same call, though its task was preempted, or the machine is an emulated one. */
#define CALL_NS 1000000000ull

static struct told_part part_of(const struct dms_event *event)
{
	return (struct told_part){
		.addr = event->dma_addr,
		.size = event->size,
		.ts = event->ts,
		.cpu = event->cpu,
		.pid = event->pid,
		.common_flags = event->common_flags,
	};
}

/* One call, and not one that interrupted the other. */
static bool are_one_call(const struct told_part *part, const struct dms_event *event)
{
	return part->cpu == event->cpu && part->pid == event->pid &&
	       !((part->common_flags ^ event->common_flags) & IN_INTERRUPT) &&
	       event->ts - part->ts <= CALL_NS;
}

/* Was it mapped, all of it? Else it was unmapped before, or never there. */
static bool is_whole(const struct dms_event *unmap)
{
	return !(unmap->has & DMS_HAS_UNMAPPED) || unmap->phys_addr == unmap->size;
}

/* ---- which list ------------------------------------------------------------------------------ */

/* Its memory is what dma_unmap_sg names: behind an IOMMU several live lists may be of that. */
_apart_ static bool hold(struct dms_model *model, struct device_state *state,
			 const struct dms_event *event)
{
	struct undecided *undecided = &model->undecided;
	uint32_t n = event->n_phys;

	if (!dms_grow(&undecided->phys, &undecided->phys_capacity, n, sizeof(uint64_t)))
		return false;
	memcpy(undecided->phys, event->phys_list, n * sizeof(uint64_t));
	undecided->event = *event;
	undecided->event.phys_list = undecided->phys;
	undecided->device = state;
	model->release.device = NULL; /* what comes next is of this call */
	model->has_pending = true;
	return true;
}

bool witness_await(struct dms_model *model, struct device_state *state,
		   const struct dms_event *event, const struct match *match)
{
	if (!(model->config.inputs & DMS_INPUT_IOMMU) || model->gap_until)
		return false;
	if (match->n_candidates != 1)
		return event->n_phys && hold(model, state, event);
	model->release = part_of(event);
	model->release.addr = match->live->mapping.dma_addr;
	model->release.is_list = true;
	model->release.device = state;
	return false;
}

/* Only what the IOMMU does for others may come between: whoever else is next may ask for a list. */
static bool is_beside(const struct told_part *call, const struct dms_event *event)
{
	return (event->kind == DMS_EV_IOMMU_MAP || event->kind == DMS_EV_IOMMU_UNMAP) &&
	       !are_one_call(call, event) && event->ts - call->ts <= CALL_NS;
}

/* The last life of that memory was where @unmap is: an earlier unmap was taken for its own. */
static bool was_ended(const struct dms_model *model, const struct device_state *state,
		      const struct dms_event *list, const struct dms_event *unmap)
{
	const struct dms_past *past =
		past_find(model_past(model, state), past_list_key(list->phys_list[0]));

	return past && is_begun_by(past->dma_addr, unmap);
}

/*
 * All of it was mapped, and nothing that is known: not a list that was unmapped already, of which the
 * IOMMU knows no more, but one whose map was not seen. If lists of @state begin where their
 * iommu:unmap says at all.
 */
static bool is_unseen(const struct dms_model *model, const struct device_state *state,
		      const struct dms_event *list, const struct dms_event *unmap)
{
	return state->has_witness && !match_containing(&model->slots, state, unmap->dma_addr) &&
	       !match_containing(&model->slots, state, unmap->dma_addr + unmap->size - 1) &&
	       !was_ended(model, state, list, unmap);
}

/** What the witness of an unmap that fits no list, or several, leaves of it. */
enum verdict { OPEN, ENDS_LIVE, ENDS_UNSEEN, ENDS_NOTHING };

static enum verdict judge(const struct dms_model *model, struct device_state *state,
			  const struct dms_event *list, const struct dms_event *unmap,
			  struct match *match)
{
	*match = match_unmap_witnessed(model, state, list, unmap);
	if (is_whole(unmap) && match->live) {
		state->has_witness = true;
		return ENDS_LIVE;
	}
	if (match->n_candidates)
		return OPEN;
	if (is_whole(unmap))
		return is_unseen(model, state, list, unmap) ? ENDS_UNSEEN : OPEN;
	return !unmap->phys_addr && was_ended(model, state, list, unmap) ? ENDS_NOTHING : OPEN;
}

_apart_ struct dms_error *witness_settle(struct dms_model *model, const struct dms_event *event)
{
	struct undecided *undecided = &model->undecided;
	const struct told_part call = part_of(&undecided->event);
	struct device_state *state = undecided->device;
	enum verdict verdict = OPEN;
	struct match match;

	if (event && is_beside(&call, event))
		return NULL;
	undecided->device = NULL;
	if (event && event->kind == DMS_EV_IOMMU_UNMAP && are_one_call(&call, event))
		verdict = judge(model, state, &undecided->event, event, &match);
	if (verdict > ENDS_LIVE)
		return stray_finish_told(model, state, &undecided->event, verdict == ENDS_UNSEEN);
	if (verdict == OPEN)
		match = match_unmap_list(model, state, &undecided->event);
	return model_finish_list(model, state, &undecided->event, &match);
}

/* ---- behind an IOMMU? ------------------------------------------------------------------------ */

/* Are @length bytes at @iova those @size at @addr, rounded to pages of the IOMMU? */
static bool is_rounded(uint64_t iova, uint64_t length, uint64_t addr, uint64_t size)
{
	for (uint64_t page = 4096; size && page <= MAX_IOMMU_PAGE; page *= 2) {
		uint64_t first = addr & ~(page - 1), last = (addr + size - 1) | (page - 1);

		if (iova == first && length == last - first + 1)
			return true;
	}
	return false;
}

_apart_ void witness_note_unmatched(struct dms_model *model, struct device_state *state,
				    const struct dms_event *event)
{
	const struct told_part *unmap = &model->iommu_unmap;

	if (event->kind == DMS_EV_UNMAP || event->kind == DMS_EV_UNMAP_RESOURCE) {
		if (are_one_call(unmap, event) &&
		    is_rounded(unmap->addr, unmap->size, event->dma_addr, event->size))
			state->is_unmapped_by_iommu = true;
	} else if (event->kind != DMS_EV_UNMAP_SG) {
		model->release = part_of(event);
		model->release.device = state;
	}
}

/* @event belongs to the release that was told before it. */
_apart_ static void compare(struct dms_model *model, const struct dms_event *event)
{
	const struct told_part *release = &model->release;
	struct device_state *state = release->device;

	if (!release->is_list)
		state->is_unmapped_by_iommu |=
			is_rounded(event->dma_addr, event->size, release->addr, release->size);
	else if (is_begun_by(release->addr, event))
		state->has_witness = true;
	else /* another one, older than the trace or mapped among the lost? */
		state->has_list_guesses |= is_whole(event);
	model->release.device = NULL;
}

bool witness_tells(const struct dms_model *model, const struct dms_event *event,
		   const struct dms_mapping *mapping)
{
	const struct told_part *unmap = &model->iommu_unmap;

	return event->kind != DMS_EV_UNMAP_SG && are_one_call(unmap, event) &&
	       event->dma_addr - unmap->addr < unmap->size && unmap->ts >= mapping->map_ts;
}

void witness_note(struct dms_model *model, const struct dms_event *event)
{
	if (model->release.device && are_one_call(&model->release, event))
		compare(model, event);
	model->iommu_unmap = part_of(event);
}

/*
 * Where no map tells a device's mode, its maps may all be missing: an address that is unmapped twice
 * is no proof of a mistake then, though behind an IOMMU it were. So this is known at the end only.
 */
void witness_at_end(struct dms_model *model)
{
	for (size_t i = 0; i < model->n_devices; i++) {
		struct device_state *state = model->devices[i];

		if (state->is_unmapped_by_iommu && state->device.mode == DMS_MODE_UNKNOWN)
			state->device.mode = DMS_MODE_IOMMU;
	}
}

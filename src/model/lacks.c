// SPDX-License-Identifier: LGPL-2.1-only
/* Which calls a recording leaves out without a mark: by a filter, or because they were not enabled. */
#include "state.h"

/* So few of one half may be the whole life of a small driver. */
#define MANY_STRAYS 3
/* So many maps and not one unmap, of any device: unmaps are not among the recorded events. */
#define MANY_MAPS 32

bool model_lacks_maps(const struct dms_model *model, enum dms_mapping_kind kind)
{
	if (model->config.hidden_maps & DMS_BIT(kind))
		return true;
	return !model->n_begun_of[kind] && model->n_strays_of[kind] >= MANY_STRAYS;
}

bool model_lacks_unmaps(const struct dms_model *model, enum dms_mapping_kind kind)
{
	if (model->config.hidden_unmaps & DMS_BIT(kind))
		return true;
	return model->n_begun_of[kind] >= MANY_MAPS && !model->n_released_of[kind];
}

/*
 * One map, and its unmap by the wrong function: then each is alone of its kind, and both are there.
 * If the maps of the one are hidden and the unmaps of the other, each may be whole.
 */
bool model_lacks_half(const struct dms_model *model, enum dms_mapping_kind mapped,
		      enum dms_mapping_kind unmapped, uint32_t differs)
{
	/* Both were seen, as nearly always: only what is known to be hidden can be missing. */
	if (mapped == unmapped && model->n_begun_of[mapped] && model->n_released_of[mapped])
		return (model->config.hidden_maps | model->config.hidden_unmaps) & DMS_BIT(mapped);
	if (mapped != unmapped && model->n_begun_of[mapped] < MANY_STRAYS)
		return false;
	if (mapped != unmapped && differs == DMS_DIFFERS_KIND)
		return model_lacks_maps(model, unmapped) && model_lacks_unmaps(model, mapped);
	return model_lacks_maps(model, unmapped) || model_lacks_unmaps(model, mapped);
}

/*
 * Unmaps that fit no map, and maps whose address or memory is mapped again with no unmap between: one
 * mistake of a driver leaves one of the two, lines that were taken out leave both. So does a driver
 * that forgets some unmaps and makes others twice; but behind an IOMMU the address of what it forgot
 * is not handed out again, and where nothing can have been taken out (@is_whole) it is the driver.
 */
static bool is_thinned(const struct device_state *state, bool is_whole)
{
	const struct strays *strays = &state->strays;
	uint64_t n_unmaps = strays->n_unknown_sure + strays->n_again;
	uint64_t n_maps = strays->n_remapped;

	if (state->device.mode != DMS_MODE_IOMMU)
		n_maps += strays->n_overlapped;
	/* nothing of it is older than the trace, and so many are no single mistake either */
	if (strays->n_unknown_sure > MANY_STRAYS &&
	    strays->n_unknown_sure * 4 > strays->n_all_unmaps)
		return true;
	return !is_whole && n_unmaps >= 2 && n_maps >= 2 &&
	       (n_unmaps + n_maps) * 16 > strays->n_all_unmaps;
}

/*
 * Too many unmaps fit no map, or an address was mapped twice without an unmap where that cannot be:
 * then calls are missing, by a filter of CPUs, tasks or events, and the map between two unmaps of an
 * address, or the unmap of what still seems to live, may be one of them. A trace that began late has
 * unmaps of addresses it never saw, and a driver that frees twice those of addresses it did see; a
 * filter leaves both.
 */
bool model_lacks_calls(const struct dms_model *model, const struct device_state *state)
{
	const struct strays *strays = &state->strays;

	if (!strays->has_any) /* asked at each unmap, so this comes first */
		return !model->last_serial;
	if (!(strays->n_unmaps | strays->n_unknown | strays->n_again | strays->n_remapped))
		return !model->last_serial; /* all adds up again */
	if (!model->last_serial || strays->n_remapped >= MANY_STRAYS)
		return true; /* not one map, of any device */
	if (is_thinned(state, model->config.is_whole))
		return true;
	return !model->config.is_whole && strays->n_unknown >= MANY_STRAYS && strays->n_again >= MANY_STRAYS &&
	       strays->n_unmaps * 16 > strays->n_all_unmaps;
}

/* Interrupts come in whoever's time, most of all in the idle task's: so many in one task's only are chosen ones. */
#define MANY_INTERRUPTS 8

_apart_ void model_note_task(struct task_watch *tasks, const struct dms_event *event)
{
	if (!tasks->has_begun)
		tasks->pid = event->pid;
	tasks->has_begun = true;
	tasks->has_several = tasks->pid != event->pid;
	tasks->n_in_interrupt += is_in_interrupt(event);
}

/** What does not add up, of all devices. */
struct sum {
	uint64_t n_unmaps, n_unmapping; /* unmaps that fit no map, though nothing is older; devices with them */
	uint64_t n_maps, n_mapping;	/* maps of what is mapped, and devices with several that prove something */
	uint64_t n_both;		/* devices counted in n_unmapping and in n_mapping */
	uint64_t n_all;			/* of whatever kind */
};

static void add_up(const struct dms_model *model, const struct device_state *state, struct sum *sum)
{
	const struct strays *strays = &state->strays;
	uint64_t n_unmaps = strays->n_unknown_sure + strays->n_again;
	uint64_t n_maps = strays->n_remapped + strays->n_overlapped;
	/* drivers that may skip unmaps leave such maps everywhere */
	bool is_mapping = !model_can_elide(model, state) && n_maps + strays->n_handed_on >= 2;

	sum->n_unmaps += n_unmaps;
	sum->n_maps += n_maps;
	sum->n_unmapping += n_unmaps > 0;
	sum->n_mapping += is_mapping;
	sum->n_both += n_unmaps && is_mapping;
	sum->n_all += strays->n_unmaps + n_maps + strays->n_handed_on;
}

/*
 * Is it more than one driver's mistake? Unmaps that fit nothing on several devices, and maps of what is
 * mapped; the one on one device and the other on another; the latter on three and more; or any, where
 * all that was recorded is what happened in one task's time.
 */
static bool is_of_filter(const struct dms_model *model, const struct sum *sum)
{
	if (sum->n_unmapping > 1 && sum->n_unmaps >= MANY_STRAYS && sum->n_maps > 1)
		return true;
	if (sum->n_unmapping && sum->n_mapping && sum->n_unmapping + sum->n_mapping - sum->n_both > 1)
		return true;
	if (sum->n_mapping >= MANY_STRAYS)
		return true;
	return !model->tasks.has_several && model->tasks.n_in_interrupt >= MANY_INTERRUPTS &&
	       sum->n_all >= MANY_STRAYS;
}

/* The same of all devices together: each may show too little of it. */
void model_judge_calls(struct dms_model *model)
{
	struct sum sum = {0};

	for (size_t i = 0; i < model->n_devices && !model->is_thinned; i++) {
		add_up(model, model->devices[i], &sum);
		/* what takes out calls of one device hardly spares the others */
		model->is_thinned = model_lacks_calls(model, model->devices[i]);
	}
	model->is_thinned |= !model->config.is_whole && is_of_filter(model, &sum);
}

bool dms_model_lacks_calls(const struct dms_model *model, uint32_t index)
{
	return model->is_thinned || model_lacks_calls(model, model->devices[index]);
}

bool dms_model_is_crossed(const struct dms_model *model, uint32_t index)
{
	return model->devices[index]->strays.n_crossed;
}

/* Is @event what the unmap of @past, which differed, should have been? */
static bool would_have_fitted(const struct dms_event *event, const struct dms_past *past)
{
	return past->differs && lifecycle_mapping_kind(event->kind) == (enum dms_mapping_kind)past->kind &&
	       (!(event->has & DMS_HAS_SIZE) || event->size == past->size) &&
	       (!(event->has & DMS_HAS_DIR) || event->dir == past->dir);
}

/* Behind an IOMMU: was the address's owner before it unmapped late, whose map is not in the trace? */
static bool was_late(const struct device_state *state, const struct dms_event *event,
		     const struct dms_past *past)
{
	return state->device.mode == DMS_MODE_IOMMU && (past->doubts & DMS_DOUBT_REORDERED) &&
	       would_have_fitted(event, past);
}

/*
 * Without an IOMMU what a device only reads may have several mappings at one address. An unmap of
 * another size, and then one that fits: if the first was of a mapping older than the trace, neither is
 * a mistake. Of other calls that says nothing.
 */
static bool is_crossed(const struct dms_model *model, const struct device_state *state,
		       const struct dms_event *event, const struct dms_past *past)
{
	return (past->differs & DMS_DIFFERS_SIZE) && (event->has & DMS_HAS_SIZE) &&
	       event->size == past->size && past->dir == DMS_DIR_TO_DEVICE &&
	       state->device.mode == DMS_MODE_DIRECT && !state->is_from_bind &&
	       model->now - model->begin_ts < UNDER_WAY_NS;
}

void model_note_again(const struct dms_model *model, const struct dms_event *event,
		      const struct dms_past *past, struct device_state *state)
{
	state->strays.n_again += past->end == DMS_END_UNMAPPED || past->end == DMS_END_PRE_TRACE;
	state->strays.n_crossed += is_crossed(model, state, event, past) ||
				   was_late(state, event, past);
}

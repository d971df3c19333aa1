// SPDX-License-Identifier: LGPL-2.1-only
/*
 * IOMMU faults: what lives at the address, what lived there, what ends right before it. IOMMUs map
 * pages, and VT-d tells no more than the page: so all of this is a matter of pages.
 */
#include <string.h>

#include "state.h"
#include "twins.h"

/* The smallest page of every IOMMU; larger ones of the CPU change nothing for DMA addresses. */
#define IOMMU_PAGE 4096ull

/* What the log tells so soon after the tracepoint told the same is the same fault. */
#define RETOLD_NS 1000000000ull

/* More devices than these are not searched for one that a fault does not name. */
#define MAX_SUSPECTS 256
/* Nor are they for more faults than these: a storm of them tells no more. */
#define MAX_SEARCHES 1024

/** What is known of the place of a fault on one device. */
struct place {
	struct device_state *state; /* NULL: no device */
	struct live_mapping *around, *before;
	const struct dms_past *past;
	bool has_several; /* lives that it may have been of, at other addresses of the page */
};

static uint64_t first_of_page(uint64_t addr)
{
	return addr & ~(IOMMU_PAGE - 1);
}

static uint64_t last_of_page(uint64_t addr)
{
	return addr | (IOMMU_PAGE - 1);
}

static uint64_t last_of(uint64_t addr, uint64_t size)
{
	uint64_t last = addr + (size ? size - 1 : 0);

	return last < addr ? UINT64_MAX : last;
}

static bool touches_page(uint64_t addr, uint64_t size, uint64_t iova)
{
	return addr <= last_of_page(iova) && last_of(addr, size) >= first_of_page(iova);
}

/** A search for a live mapping. */
struct search {
	const struct slot_pool *slots;
	uint64_t iova;
	struct live_mapping *best;
};

/* Of several the newest: an older one's unmap may not have been recorded. */
static void prefer(struct search *search, struct live_mapping *live)
{
	if (!search->best || live->mapping.serial > search->best->mapping.serial)
		search->best = live;
}

static bool visit_around(void *context, const struct extent *extent)
{
	struct search *search = context;
	struct live_mapping *owner = extent_owner(search->slots, extent);
	struct dms_segment range = extent_range(owner, extent);

	if (touches_page(range.dma_addr, range.size, search->iova))
		prefer(search, twins_youngest(search->slots, owner));
	return true;
}

static bool visit_before(void *context, const struct extent *extent)
{
	struct search *search = context;
	struct live_mapping *owner = extent_owner(search->slots, extent);
	struct dms_segment range = extent_range(owner, extent);

	if (last_of_page(last_of(range.dma_addr, range.size)) == first_of_page(search->iova) - 1)
		prefer(search, twins_youngest(search->slots, owner));
	return true;
}

static bool is_closed_by_unmap(const struct dms_past *past)
{
	/* Of a life that ended without its unmap nobody knows when. */
	return past->end == DMS_END_UNMAPPED || past->end == DMS_END_PRE_TRACE;
}

/* May the device have done to @past what @event tells? 2: at this very address; 0: not at all. */
static int fit_of(const struct dms_past *past, const struct dms_event *event)
{
	uint8_t denied = (event->err & 1) ? DMS_DIR_TO_DEVICE : DMS_DIR_FROM_DEVICE;

	if ((event->has & DMS_HAS_ERR) && past->dir == denied)
		return 0;
	/* the place in the page is told, and it lies in the mapping */
	if (event->dma_addr % IOMMU_PAGE && event->dma_addr - past->dma_addr < past->size)
		return 2;
	return 1;
}

/**
 * The ended life that the access of a fault most likely was of. Faults are rare: the whole table is
 * looked at, at most PAST_MAX_SLOTS.
 */
static void find_past(const struct past_table *table, const struct dms_event *event,
		      struct place *place)
{
	int best = -1;

	for (uint32_t i = 0; i < table->n_slots; i++) {
		const struct dms_past *past = &table->lives[i];
		uint64_t key = table->sets[i / PAST_WAYS].keys[i % PAST_WAYS];
		int fit;

		if (!key || !is_closed_by_unmap(past) ||
		    !touches_page(past->dma_addr, past->size, event->dma_addr))
			continue;
		fit = fit_of(past, event);
		if (fit < best)
			continue;
		if (fit > best)
			place->has_several = false;
		else if (past->dma_addr != place->past->dma_addr)
			place->has_several = true;
		if (fit > best || past->unmap_ts > place->past->unmap_ts)
			place->past = past;
		best = fit;
	}
}

/* What polls an address does so often. */
#define POLLED_NS 1000000000ull

/* Where it faulted before anything was mapped there, what was mapped since is not what it means. */
static bool is_stray(const struct device_state *state, const struct dms_event *event)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(state->stray_faults); i++) {
		const struct stray_fault *fault = &state->stray_faults[i];

		if (fault->page == first_of_page(event->dma_addr) + 1 &&
		    event->ts - fault->ts <= POLLED_NS)
			return true;
	}
	return false;
}

static void note_stray(struct device_state *state, const struct dms_event *event)
{
	state->stray_faults[state->n_stray_faults++ % DMS_ARRAY_SIZE(state->stray_faults)] =
		(struct stray_fault){first_of_page(event->dma_addr) + 1, event->ts};
}

static struct place look(const struct dms_model *model, struct device_state *state,
			 const struct dms_event *event)
{
	uint64_t iova = event->dma_addr;
	struct place place = {.state = state};
	struct search search = {.slots = &model->slots, .iova = iova};

	extents_each_around(&state->extents, last_of_page(iova), visit_around, &search);
	place.around = search.best;
	if (!is_stray(state, event))
		find_past(model_past(model, state), event, &place);
	search.best = NULL;
	if (!place.around && first_of_page(iova))
		extents_each_around(&state->extents, first_of_page(iova) - 1, visit_before,
				    &search);
	place.before = search.best;
	return place;
}

/* True if a fault there has a reason that we can see. */
static bool is_suspect(const struct place *place, const struct dms_event *event)
{
	if (!place->around)
		return place->past != NULL;
	if (!(event->has & DMS_HAS_ERR))
		return true;
	return place->around->mapping.dir ==
	       ((event->err & 1) ? DMS_DIR_TO_DEVICE : DMS_DIR_FROM_DEVICE);
}

/* The device of a fault that names none: if one only can be meant. */
static struct place find_suspect(struct dms_model *model, const struct dms_event *event)
{
	struct place found = {0};

	if (model->n_devices > MAX_SUSPECTS || model->n_fault_searches >= MAX_SEARCHES)
		return found;
	model->n_fault_searches++;
	for (size_t i = 0; i < model->n_devices; i++) {
		struct place place;

		if (model->devices[i]->device.mode != DMS_MODE_IOMMU)
			continue;
		place = look(model, model->devices[i], event);
		if (!is_suspect(&place, event))
			continue;
		if (found.state)
			return (struct place){0};
		found = place;
	}
	return found;
}

/*
 * Newer kernels report the faults of Arm SMMUs (before v3) as the SMMU's own, and a PCI bridge may
 * stand in for what is behind it: such a device never mapped anything.
 */
static bool has_mapped(const struct dms_model *model, const struct device_state *state)
{
	return state->n_live || model_past(model, state)->n_slots || state->n_streamed;
}

static uint32_t doubts_of(const struct dms_model *model, const struct place *place)
{
	uint32_t epoch = 0, doubts = 0;

	/* where nothing is known of a page, its map may have been lost at any time */
	if (place->around)
		epoch = place->around->mapping.epoch;
	else if (place->past)
		epoch = place->past->epoch;
	if (model_may_have_lost(model, epoch))
		doubts |= DMS_DOUBT_LOST_EVENTS;
	if (!place->around && !place->past && !place->state->is_from_bind)
		doubts |= DMS_DOUBT_PRE_TRACE;
	if (!place->around && place->state->n_truncated)
		doubts |= DMS_DOUBT_TRUNCATED;
	/* the latest of several lives is meant, most likely; were there several, had none been lost? */
	if (!place->around && (place->has_several || (place->past && model_may_have_lost(model, 0))))
		doubts |= DMS_DOUBT_AMBIGUOUS;
	/* The IOVA API leaves no events but these: whose was the page last? */
	if (!place->around && place->past && model->uncovered.iommu_maps)
		doubts |= DMS_DOUBT_AMBIGUOUS;
	/* Not every life is remembered: one that ended later may have been the page's last. */
	if (!place->around &&
	    model_past(model, place->state)->forgotten_ts > (place->past ? place->past->unmap_ts : 0))
		doubts |= DMS_DOUBT_AMBIGUOUS;
	return doubts;
}

/*
 * A device that maps nothing itself may stand in for another; or it is one that a guest or user
 * space drives (VFIO): then its addresses are its own, and what is found there means nothing.
 */
static uint32_t suspect_doubts(const struct dms_model *model, const struct device_state *named)
{
	const char *name = named ? dms_strtab_get(model->names->devices, named->device.name) : NULL;

	if (!name || strstr(name, "mmu")) /* "arm-smmu.0.auto", "15000000.iommu" */
		return DMS_DOUBT_AMBIGUOUS;
	return DMS_DOUBT_AMBIGUOUS | DMS_DOUBT_UNTRACED;
}

/* AMD-Vi and Arm SMMUs trace a fault, and then log it: @event has a text if it is the log's. */
static bool is_retold(struct dms_model *model, const struct dms_event *event)
{
	struct told_fault *last = &model->traced_fault;

	if (event->text)
		return last->is_set && last->iova == event->dma_addr && event->ts >= last->ts &&
		       event->ts - last->ts < RETOLD_NS;
	*last = (struct told_fault){event->dma_addr, event->ts, true};
	return false;
}

struct dms_error *fault_note(struct dms_model *model, struct device_state *state,
			     const struct dms_event *event, enum dms_mapping_kind kind)
{
	struct dms_step step = {.kind = DMS_STEP_FAULT};
	struct place place = {0};

	(void)kind;
	if (is_retold(model, event)) {
		step.kind = DMS_STEP_NOTE;
		return model_tell(model, state, event, &step);
	}
	if (state && has_mapped(model, state)) {
		place = look(model, state, event);
		if (!place.around && !place.past)
			note_stray(state, event);
	} else {
		place = find_suspect(model, event);
		step.doubts = place.state ? suspect_doubts(model, state) : DMS_DOUBT_UNTRACED;
	}
	if (place.state) {
		step.doubts |= doubts_of(model, &place);
		state = place.state;
	}
	step.mapping = place.around ? &place.around->mapping : NULL;
	step.related = place.before ? &place.before->mapping : NULL;
	step.past = place.past;
	return model_tell(model, state, event, &step);
}

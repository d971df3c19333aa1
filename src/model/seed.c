// SPDX-License-Identifier: LGPL-2.1-only
/* Mappings older than the trace, by a dma-api/dump taken when it began. */
#include <string.h>

#include "state.h"

/*
 * The dump and the trace do not begin in the same instant. What a device that is in use maps
 * between them is in neither; a device that does nothing for this long does nothing before either.
 */
#define QUIET_NS 100000000ull

/* The kernel's words for a mapping's type: type2name[] of kernel/dma/debug.c, old and new. */
static const struct type_row {
	const char *word;
	enum dms_mapping_kind kind;
} type_rows[] = {
	{"single", DMS_MAPPING_PAGE},	      {"phy", DMS_MAPPING_PAGE},
	{"page", DMS_MAPPING_PAGE},	      {"scatter-gather", DMS_MAPPING_SG},
	{"scather-gather", DMS_MAPPING_SG},   {"coherent", DMS_MAPPING_COHERENT},
	{"noncoherent", DMS_MAPPING_PAGES},   {"resource", DMS_MAPPING_RESOURCE},
};

/* ---- what the dump tells -------------------------------------------------------------------- */

static const struct type_row *find_type(const char *word)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(type_rows); i++) {
		if (!strcmp(word, type_rows[i].word))
			return &type_rows[i];
	}
	return NULL;
}

/* A list has one line for each of its segments: each becomes a list of its own. */
static bool add_list(struct live_mapping *live)
{
	const struct dms_mapping *mapping = &live->mapping;
	struct list_part *list = live_add_list(live, 1, 1);

	if (!list)
		return false;
	list->segments[0] = (struct dms_segment){mapping->dma_addr, mapping->size};
	list->sg.phys[0] = mapping->cpu_addr;
	return true;
}

static void fill(struct dms_mapping *mapping, const struct dms_dump_entry *entry,
		 enum dms_mapping_kind kind)
{
	*mapping = (struct dms_mapping){
		.dma_addr = entry->dma_addr,
		.cpu_addr = entry->phys_addr,
		.size = entry->size,
		.attrs = entry->attrs,
		.map_stack = DMS_ID_NONE,
		/* of a list only this part of its size is known */
		.has = DMS_HAS_DEVICE | DMS_HAS_DMA_ADDR | DMS_HAS_PHYS_ADDR | DMS_HAS_DIR |
		       (kind == DMS_MAPPING_SG ? DMS_HAS_LENGTHS : DMS_HAS_SIZE) |
		       (entry->attrs ? DMS_HAS_ATTRS : 0),
		.nents = 1,
		.ents = 1,
		.kind = (uint8_t)kind,
		.dir = entry->dir,
		.is_checked = entry->is_checked,
		.is_seeded = true,
	};
}

static bool index_seed(struct device_state *state, struct live_mapping *live)
{
	struct dms_segment range = {live->mapping.dma_addr, live->mapping.size};

	if (!extents_add(&state->extents, &range, live->slot, 0))
		return false;
	if (!live->mapping.sg)
		return true;
	range = (struct dms_segment){.dma_addr = live->mapping.cpu_addr};
	return extents_add(&state->lists, &range, live->slot, 0);
}

static bool is_streaming(enum dms_mapping_kind kind)
{
	return kind <= DMS_MAPPING_SG;
}

struct dms_error *dms_model_seed(struct dms_model *model, const struct dms_dump_entry *entry)
{
	const struct type_row *type = find_type(entry->type);
	uint32_t name = dms_strtab_add(model->names->devices, entry->device,
				       strlen(entry->device));
	enum dms_mapping_kind kind;
	struct device_state *state;
	struct live_mapping *live;
	struct dms_error *err;

	model->has_dump = true;
	if (name == DMS_STR_NONE)
		return &dms_error_nomem;
	if (!type) /* what later kernels know */
		return NULL;
	if ((err = model_device(model, name, 0, &state)))
		return err;
	live = slots_take(&model->slots);
	if (!live)
		return &dms_error_nomem;
	kind = type->kind == DMS_MAPPING_PAGE && (entry->attrs & DMS_ATTR_MMIO)
		       ? DMS_MAPPING_RESOURCE
		       : type->kind;
	fill(&live->mapping, entry, kind);
	live->mapping.serial = ++model->last_serial;
	live->mapping.device = state->device.index;
	if ((kind == DMS_MAPPING_SG && !add_list(live)) || !index_seed(state, live))
		return &dms_error_nomem;
	/* Of allocations the dump tells the memory itself, of bounced maps the original buffer. */
	if (!is_streaming(kind))
		device_learn_mode(state, entry->phys_addr, entry->dma_addr, false);
	state->n_seeded += is_streaming(kind);
	if (++state->n_live > state->peak_live)
		state->peak_live = state->n_live;
	return NULL;
}

/* ---- seeds end ------------------------------------------------------------------------------ */

static void end_silently(struct dms_model *model, struct device_state *state,
			 struct live_mapping *live)
{
	model_detach(model, state, live, 0);
	slots_give(&model->slots, live);
}

/** A search for one seed. */
struct seed_search {
	const struct slot_pool *slots;
	const struct live_mapping *except;
	uint64_t size; /* 0: any */
	uint8_t dir;   /* DMS_DIR_UNKNOWN: any */
	bool is_streaming;
	struct live_mapping *found;
};

static bool consider(void *context, const struct extent *extent)
{
	struct seed_search *search = context;
	struct live_mapping *live = extent_owner(search->slots, extent);
	const struct dms_mapping *mapping = &live->mapping;

	if (!mapping->is_seeded || live == search->except ||
	    (search->size && mapping->size != search->size) ||
	    (search->dir != DMS_DIR_UNKNOWN && mapping->dir != search->dir) ||
	    is_streaming(mapping->kind) != search->is_streaming)
		return true;
	if (!search->found || mapping->serial < search->found->mapping.serial)
		search->found = live;
	return true;
}

/* What is mapped at @range now cannot be what the dump told of. */
_apart_ static void replace(struct dms_model *model, struct device_state *state,
		    const struct dms_event *event, const struct dms_segment *range)
{
	bool is_iommu = state->device.mode == DMS_MODE_IOMMU;
	struct seed_search search = {
		.slots = &model->slots,
		.size = is_iommu ? 0 : range->size,
		.dir = is_iommu || !(event->has & DMS_HAS_DIR) ? DMS_DIR_UNKNOWN : event->dir,
		.is_streaming = is_streaming(lifecycle_mapping_kind(event->kind)),
	};

	if (!search.is_streaming)
		search.dir = DMS_DIR_UNKNOWN;
	do {
		search.found = NULL;
		extents_each_at(&state->extents, range->dma_addr, consider, &search);
		if (!search.found)
			return;
		/* Without an IOMMU memory that is only read may be mapped twice: it may live on. */
		state->has_shared |= !is_iommu && search.found->mapping.dir == DMS_DIR_TO_DEVICE;
		end_silently(model, state, search.found);
	} while (is_iommu);
}

_apart_ static struct dms_error *note_map(struct dms_model *model, struct device_state *state,
					  const struct dms_event *event)
{
	struct dms_segment range = {event->dma_addr, event->size};

	if (!event->n_dma)
		replace(model, state, event, &range);
	for (uint32_t i = 0; i < event->n_dma; i++) {
		range = (struct dms_segment){event->dma_list[i], event->lengths[i]};
		replace(model, state, event, &range);
	}
	/* It is in use: what it maps now it may have mapped before the trace as well. */
	return state->is_quiet ? NULL : seed_give_up(model, state);
}

struct dms_error *seed_note_map(struct dms_model *model, struct device_state *state,
				const struct dms_event *event)
{
	return model->has_dump ? note_map(model, state, event) : NULL;
}

_apart_ void seed_note_unmap(struct dms_model *model, struct device_state *state,
		     const struct dms_event *event, struct live_mapping *live)
{
	struct dms_mapping *mapping = &live->mapping;
	struct seed_search search = {
		.slots = &model->slots,
		.except = live,
		.dir = mapping->dir,
		.is_streaming = true,
	};

	if (is_streaming(lifecycle_mapping_kind(event->kind)) && state->n_released)
		state->n_released--; /* that of a map which was not counted either */
	if (mapping->kind != DMS_MAPPING_SG || !event->n_phys)
		return;
	for (uint32_t i = 1; i < event->n_phys; i++) {
		search.found = NULL;
		extents_each_at(&state->lists, event->phys_list[i], consider, &search);
		if (!search.found)
			continue; /* behind an IOMMU there are fewer segments than entries */
		mapping->size += search.found->mapping.size;
		mapping->ents++;
		end_silently(model, state, search.found);
	}
	mapping->nents = event->nents;
}

_apart_ uint32_t seed_doubts(const struct dms_mapping *mapping)
{
	/*
	 * Descriptor rings stay. What is mapped for a transfer may have been unmapped unseen, and
	 * its memory mapped for another one: a single packet between dump and trace will do.
	 */
	if (is_streaming(mapping->kind))
		return DMS_DOUBT_SNAPSHOT | DMS_DOUBT_PRE_TRACE;
	return DMS_DOUBT_SNAPSHOT;
}

/* ---- calls that no mapping fits -------------------------------------------------------------- */

void seed_note_event(struct dms_model *model, struct device_state *state,
		     const struct dms_event *event)
{
	if (state && state->has_events)
		return; /* as nearly always */
	if (!model->has_begun) {
		model->has_begun = true;
		model->begin_ts = event->ts;
	}
	if (!state)
		return;
	state->has_events = true;
	state->is_quiet = event->ts - model->begin_ts > QUIET_NS;
	state->device.first_ts = event->ts;
}

/* Tell the held step: as not mapped if @is_sure, else as maybe mapped before the trace. */
static struct dms_error *tell_held(struct dms_model *model, struct device_state *state,
				   bool is_sure)
{
	const struct dms_event event = state->held.event;
	struct dms_step step = {.kind = state->held.kind, .event = &event};

	state->held.is_set = false;
	model->n_held--;
	is_sure &= !model_may_have_lost(model, 0);
	state->is_dump_stale |= !is_sure;
	step.doubts = is_sure ? DMS_DOUBT_SNAPSHOT : DMS_DOUBT_PRE_TRACE;
	if (step.kind == DMS_STEP_SYNC_UNMATCHED)
		return model_tell(model, state, &event, &step);
	step.end = is_sure ? DMS_END_UNMATCHED : DMS_END_PRE_TRACE;
	return reorder_hold(model, state, &step, lifecycle_mapping_kind(event.kind));
}

_apart_ struct dms_error *seed_give_up(struct dms_model *model, struct device_state *state)
{
	return state->held.is_set ? tell_held(model, state, false) : NULL;
}

bool seed_hold(struct dms_model *model, struct device_state *state, const struct dms_event *event,
	       const struct dms_step *step)
{
	/*
	 * A device with transfers in the dump was in use, and so may have been since. One call
	 * that fits nothing is a mistake; several are mappings that the dump does not have.
	 */
	if (!model->has_dump || state->n_seeded || state->is_dump_stale || state->held.is_set ||
	    step->doubts != DMS_DOUBT_PRE_TRACE || event->n_phys || event->n_dma)
		return false;
	state->held = (struct held){.event = *event, .kind = step->kind, .is_set = true};
	model->n_held++;
	model->has_pending = true;
	return true;
}

_apart_ struct dms_error *seed_expire(struct dms_model *model, uint64_t now)
{
	for (size_t i = 0; model->n_held && i < model->n_devices; i++) {
		struct device_state *state = model->devices[i];
		struct dms_error *err;

		if (!state->held.is_set ||
		    (now != UINT64_MAX && now - state->held.event.ts <= QUIET_NS))
			continue;
		if ((err = tell_held(model, state, true)))
			return err;
	}
	return NULL;
}

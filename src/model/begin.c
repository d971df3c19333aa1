// SPDX-License-Identifier: LGPL-2.1-only
/* Lives begin: maps and allocations, successful or not. */
#include <stddef.h>
#include <string.h>

#include "state.h"
#include "twins.h"

/* As many identical mappings of an address are more than a driver's few buffers. */
#define MANY_TWINS 64
/* What is sent is sent by then. */
#define IN_FLIGHT_NS	100000000ull
#define IN_FLIGHT_TWINS 8192

/* Where in a mapping those members begin that are a byte or less: at its end. */
#define SMALL_MEMBERS offsetof(struct dms_mapping, kind)

/* The worst area an entry lies in. Entries' lengths are the segments' only if none was merged. */
_apart_ static enum dms_area area_of(const struct dms_iomem *iomem, const struct dms_event *event)
{
	enum dms_area worst = DMS_AREA_UNKNOWN;

	if (event->has & DMS_HAS_PHYS_ADDR)
		return dms_iomem_area(iomem, event->phys_addr, event->size);
	for (uint32_t i = 0; i < event->n_phys; i++) {
		uint64_t size = event->n_phys == event->n_dma ? event->lengths[i] : 1;
		enum dms_area area = dms_iomem_area(iomem, event->phys_list[i], size);

		if (area > worst)
			worst = area;
	}
	return worst;
}

static bool touches(const struct stack_page *stack, uint64_t phys, uint64_t size)
{
	return phys < stack->phys_addr + stack->size && phys + size > stack->phys_addr;
}

/* A probe told the task's stack just before, on the same CPU: is it what is mapped? */
_apart_ static bool is_on_stack(const struct stack_page *stack, const struct dms_event *event)
{
	if (stack->cpu != event->cpu || stack->pid != event->pid)
		return false;
	if (event->has & DMS_HAS_PHYS_ADDR)
		return touches(stack, event->phys_addr, event->size);
	for (uint32_t i = 0; i < event->n_phys; i++) {
		if (touches(stack, event->phys_list[i], 1))
			return true;
	}
	return false;
}

static void fill_compound(struct dms_mapping *mapping, enum dms_mapping_kind kind)
{
	mapping->is_compound = true;
	if (kind == DMS_MAPPING_COHERENT) { /* by the API's definition */
		mapping->dir = DMS_DIR_BIDIRECTIONAL;
		mapping->has |= DMS_HAS_DIR;
	}
}

/*
 * Fill the mapping from its event, every member once: clearing all of it first took some 20 of the
 * 700 instructions of a map, or a `rep stos`, which is slower still (see model_init_step()).
 */
static void fill(struct dms_mapping *mapping, struct dms_model *model,
		 const struct device_state *state, const struct dms_event *event,
		 enum dms_mapping_kind kind)
{
	_Static_assert(sizeof(void *) != 8 || sizeof(*mapping) == 120, "all members are set");
	memset((char *)mapping + SMALL_MEMBERS, 0, sizeof(*mapping) - SMALL_MEMBERS);
	mapping->serial = ++model->last_serial;
	mapping->row = 0;
	mapping->dma_addr = event->dma_addr;
	mapping->cpu_addr = (event->has & DMS_HAS_VIRT_ADDR) ? event->virt_addr : event->phys_addr;
	mapping->size = event->size;
	mapping->attrs = event->attrs;
	mapping->map_ts = event->ts;
	mapping->device = state->device.index;
	mapping->map_cpu = event->cpu;
	mapping->map_pid = event->pid;
	mapping->map_stack = event->stack;
	mapping->has = event->has;
	mapping->doubts = 0;
	mapping->nents = event->nents ? event->nents : 1;
	mapping->ents = event->ents ? event->ents : 1;
	mapping->syncs_for_cpu = mapping->syncs_for_device = 0;
	mapping->epoch = model->epoch;
	mapping->site = 0;
	mapping->kind = (uint8_t)kind;
	mapping->dir = event->dir;
	mapping->in_interrupt = is_in_interrupt(event);
	if (model->config.iomem)
		mapping->area = (uint8_t)area_of(model->config.iomem, event);
	if (model->stack_page.size)
		mapping->is_on_stack = is_on_stack(&model->stack_page, event);
	if (event->n_phys)
		mapping->cpu_addr = event->phys_list[0];
	if (event->truncated) {
		mapping->truncated = true;
		mapping->doubts = DMS_DOUBT_TRUNCATED;
	}
	if (kind >= DMS_MAPPING_SG)
		fill_compound(mapping, kind);
}

static bool add_list(struct live_mapping *live, const struct dms_event *event)
{
	uint32_t n = event->n_dma ? event->n_dma : 1;
	struct list_part *list = live_add_list(live, n, event->n_phys);

	if (!list)
		return false;
	memcpy(list->sg.phys, event->phys_list, (size_t)event->n_phys * 8);
	for (uint32_t i = 0; i < n; i++) {
		list->segments[i].dma_addr = event->n_dma ? event->dma_list[i] : event->dma_addr;
		list->segments[i].size = event->n_dma ? event->lengths[i] : event->size;
	}
	return true;
}

/* With the count of all entries came the limit of those an event holds: 6.12.74, 7.0. */
static bool begin_list(struct dms_model *model, struct live_mapping *live,
		       const struct dms_event *event)
{
	model->caps_lists |= (event->has & DMS_HAS_NENTS) != 0;
	return add_list(live, event);
}

/* Behind an IOMMU an address has one mapping: the older one's unmap is late, or was not recorded. */
_apart_ static struct dms_error *supersede(struct dms_model *model, const struct dms_event *event,
				   const struct twin_search *twins)
{
	if (twins->n_identical >= MANY_TWINS)
		return model_end_life(model, twins->oldest, event, DMS_END_LOST,
				      DMS_DOUBT_UNTRACED);
	if (twins->newest->mapping.is_superseded)
		return NULL;
	return reorder_supersede(model, twins->newest, event->ts) ? NULL : &dms_error_nomem;
}

/* Was the address unmapped since the oldest began? Then unmaps do come, and it is mapped often. */
static bool has_unmaps(const struct dms_model *model, const struct device_state *state,
		       const struct dms_event *event, const struct dms_mapping *oldest)
{
	const struct dms_past *past = past_find(model_past(model, state), event->dma_addr);

	return past && past->end == DMS_END_UNMAPPED && past->unmap_ts > oldest->map_ts;
}

/* The oldest, and the next while there are too many: so that they become fewer. */
static struct dms_error *end_oldest(struct dms_model *model, const struct dms_event *event,
				    const struct twin_search *twins, enum dms_end end,
				    uint32_t doubts)
{
	struct live_mapping *next = twins_younger(&model->slots, twins->oldest);
	struct dms_error *err = model_end_life(model, twins->oldest, event, end, doubts);

	/* the new one may be its only twin: what was counted is less strict than twins_are() */
	if (err || !next || next == twins->live || twins->n_identical == MANY_TWINS)
		return err;
	return model_end_life(model, next, event, end, doubts);
}

/* Longer than anything is in flight; where the clock does not tell, more than rings hold. */
static bool is_beyond_flight(const struct dms_model *model, const struct dms_event *event,
			     const struct twin_search *twins)
{
	if (model->config.is_in_ticks)
		return twins->n_identical >= IN_FLIGHT_TWINS;
	return event->ts - twins->oldest->mapping.map_ts >= IN_FLIGHT_NS;
}

/*
 * So many of one memory at once: a page that is sent on many sockets, and all of it in flight. Or
 * the unmaps are not in the trace: without an end these lives would fill the memory. Or the driver
 * forgets them: then they live.
 */
_apart_ static struct dms_error *bound_twins(struct dms_model *model, struct device_state *state,
				     const struct dms_event *event,
				     const struct twin_search *twins)
{
	const struct dms_mapping *oldest = &twins->oldest->mapping;
	enum dms_mapping_kind kind = oldest->kind;
	bool is_old = is_beyond_flight(model, event, twins);

	if (is_old && model_may_have_lost(model, oldest->epoch))
		return end_oldest(model, event, twins, DMS_END_LOST, DMS_DOUBT_LOST_EVENTS);
	if (model->config.hidden_unmaps & DMS_BIT(kind))
		return end_oldest(model, event, twins, DMS_END_LOST, DMS_DOUBT_UNTRACED);
	if ((!is_old && !state->has_elided) || has_unmaps(model, state, event, oldest))
		return NULL;
	if (!model->config.never_elides) {
		state->has_elided = true;
		return end_oldest(model, event, twins, DMS_END_ELIDED, DMS_DOUBT_ELIDED);
	}
	if (!model_lacks_unmaps(model, kind))
		return NULL; /* the driver forgets them */
	return end_oldest(model, event, twins, DMS_END_LOST, DMS_DOUBT_UNTRACED);
}

/* The new mapping's address is mapped already: without an IOMMU that is legal. */
_apart_ static struct dms_error *settle_twins(struct dms_model *model, struct device_state *state,
				      const struct dms_event *event,
				      const struct twin_search *twins)
{
	const struct dms_mapping *newest = &twins->newest->mapping, *live = &twins->live->mapping;

	if (state->device.mode == DMS_MODE_IOMMU)
		return supersede(model, event, twins);
	if (live->kind > DMS_MAPPING_SG && newest->kind == live->kind &&
	    newest->dma_addr == live->dma_addr) /* allocated once more: freed, and that not traced */
		return model_end_life(model, twins->newest, event, DMS_END_LOST,
				      DMS_DOUBT_UNTRACED);
	state->has_shared |= twins->oldest && event->dir == DMS_DIR_TO_DEVICE;
	/* Nor has a slot of the bounce buffer two owners. */
	state->strays.n_overlapped += newest->bounced && live->bounced &&
				      newest->dma_addr == live->dma_addr;
	return twins->n_identical < MANY_TWINS ? NULL : bound_twins(model, state, event, twins);
}

/* What device_learn_mode() has to know of the recording, as far as it goes. */
static void note_hidden(const struct dms_model *model, struct device_state *state)
{
	state->hides_bounces = model->config.hides_bounces && !model->has_iommu;
	state->hides_unmaps = model->config.hidden_unmaps & DMS_BIT(DMS_MAPPING_PAGE);
}

static bool learn(const struct dms_model *model, struct device_state *state,
		  const struct dms_event *event)
{
	bool bounced = false;

	if (event->has & DMS_HAS_PHYS_ADDR) {
		bounced = device_take_bounce(state, event, &event->phys_addr, 1);
		if (!bounced && device_confirms_mode(state, event->phys_addr, event->dma_addr))
			return false;
		note_hidden(model, state);
		device_learn_mode(state, event->phys_addr, event->dma_addr, bounced);
	} else if (event->n_phys) {
		bounced = device_take_bounce(state, event, event->phys_list, event->n_phys);
		note_hidden(model, state);
		if (event->n_dma && (bounced || event->n_phys == event->n_dma))
			device_learn_mode(state, event->phys_list[0], event->dma_list[0], bounced);
	}
	return bounced;
}

_apart_ static struct dms_error *tell_failed(struct dms_model *model, struct device_state *state,
				     const struct dms_event *event)
{
	struct dms_step step = {.kind = DMS_STEP_MAP_FAILED};
	uint64_t phys = event->phys_addr;

	device_take_bounce(state, event, &phys, 1); /* announced for this call, and in vain */
	check_begin(model, state, event, NULL);
	device_note_failure(state, event, &step);
	return model_tell(model, state, event, &step);
}

_flat_ struct dms_error *model_begin(struct dms_model *model, struct device_state *state,
			      const struct dms_event *event, enum dms_mapping_kind kind)
{
	struct live_mapping *live;
	struct dms_error *err;
	struct dms_step step;
	struct twin_search twins = {.slots = &model->slots};

	if (event->failed)
		return tell_failed(model, state, event);
	if ((err = unbind_before_map(model, state, event)))
		return err;
	if (state->is_closed) /* it was: this map is the next generation's first */
		return dms_model_event(model, event);
	if ((err = seed_note_map(model, state, event)))
		return err;
	memory_expect(&model->overlap.memory, event->phys_addr);
	live = slots_take(&model->slots);
	if (!live)
		return &dms_error_nomem;
	fill(&live->mapping, model, state, event, kind);
	if (learn(model, state, event))
		live->mapping.bounced = true;
	if (event->n_phys && !begin_list(model, live, event))
		return &dms_error_nomem;
	if ((model->n_iovas && iommu_cover(model, event, &live->mapping)) ||
	    (event->ents && event->ents < event->nents)) /* only an IOMMU makes one of several */
		device_note_translation(state);
	twins.live = live;
	if (!model_enter(&model->slots, state, live, &twins))
		return &dms_error_nomem;
	if (kind <= DMS_MAPPING_SG)
		state->n_streamed++;
	model->n_begun_of[kind]++;
	if (event->truncated)
		state->n_truncated++;
	if (++state->n_live > state->peak_live)
		state->peak_live = state->n_live;
	if (reorder_note_map(model, state, event))
		live->may_have_ended = true;
	check_begin(model, state, event, &live->mapping);
	if ((twins.newest && (err = settle_twins(model, state, event, &twins))) ||
	    (err = sites_begin(model, state, event, &live->mapping)))
		return err;
	model_init_step(&step, DMS_STEP_MAP, &live->mapping);
	if (twins.newest && twins.newest->mapping.serial) /* it may have been ended just now */
		step.related = &twins.newest->mapping;
	if ((err = model_tell(model, state, event, &step)))
		return err;
	return overlap_begin(model, state, event, live);
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Who checked a map for an error, by a probe of debug_dma_mapping_error(). */
#include "state.h"
#include "twins.h"

/*
 * With dma-debug on, debug_dma_map_page() (7.2: debug_dma_map_phys()) makes that call itself, right
 * after each map event, and check_unmap() for an address it does not know. The first is what proves
 * that the probe was on, unfiltered and in this buffer when the mapping was made; only of such
 * mappings is a missing check told. dma_map_resource() of 6.12 has none: there the probe must never
 * have been seen dark. Source: kernel/dma/debug.c; oracle/README.md, traps 14 to 16.
 */

/* Without the caller, two calls for each of this many maps show that the first is the kernel's. */
#define TWICE_PROOF 8
/* A CPU number or a pointer table beyond these is none of a real machine. */
#define MAX_CPUS     4096
#define MAX_POINTERS 1024

static bool is_error_value(uint64_t dma_addr)
{
	return dma_addr == DMS_MAPPING_ERROR64 || dma_addr == DMS_MAPPING_ERROR32;
}

/* Room for the context of @event, a map; NULL when memory is short: its checks prove nothing. */
static struct check_last *last_for(struct check_state *check, const struct dms_event *event)
{
	if (event->cpu >= MAX_CPUS ||
	    (event->cpu >= check->n_cpus &&
	     !dms_grow(&check->cpus, &check->n_cpus, event->cpu + 1, sizeof(*check->cpus))))
		return NULL;
	return &check->cpus[event->cpu].last[is_in_interrupt(event)];
}

/*
 * The last map of this address by the task that makes the check @event; NULL: there is none. Its
 * context does not tell which: a kprobe that works by int3 looks like an NMI.
 */
static struct check_last *last_of(const struct check_state *check, const struct dms_event *event)
{
	struct check_last *found = NULL;

	if (event->cpu >= check->n_cpus)
		return NULL;
	for (int i = 0; i < 2; i++) {
		struct check_last *last = &check->cpus[event->cpu].last[i];

		if (last->is_set && last->pid == event->pid && last->dma_addr == event->dma_addr &&
		    (!found || last->is_awaited))
			found = last;
	}
	return found;
}

/* ---- maps ------------------------------------------------------------------------------------ */

/* dma_map_phys() of MMIO is checked like any other map; the older dma_map_resource() is not. */
static bool is_checked_by_kernel(const struct dms_event *event)
{
	return event->kind == DMS_EV_MAP || (event->attrs & DMS_ATTR_MMIO);
}

_apart_ static void await(struct dms_model *model, struct device_state *state,
			  const struct dms_event *event, struct dms_mapping *mapping)
{
	struct check_state *check = &model->check;
	struct check_last *last;

	if (event->kind != DMS_EV_MAP && event->kind != DMS_EV_MAP_RESOURCE)
		return; /* lists and allocations have no value to check */
	if (!is_checked_by_kernel(event) && mapping)
		mapping->is_check_seen = !check->n_dark;
	last = last_for(check, event);
	if (!last)
		return;
	if (last->is_awaited && last->epoch == model->epoch && !model->gap_until) {
		check->n_dark++;
		check->is_dark = true;
	}
	*last = (struct check_last){
		.serial = mapping ? mapping->serial : 0,
		.dma_addr = event->dma_addr,
		.mapping = mapping,
		.name = state->device.name,
		.pid = event->pid,
		.epoch = model->epoch,
		.is_set = true,
		.is_awaited = is_checked_by_kernel(event),
	};
}

void check_begin(struct dms_model *model, struct device_state *state, const struct dms_event *event,
		 struct dms_mapping *mapping)
{
	if (model->config.inputs & DMS_INPUT_CHECKS)
		await(model, state, event, mapping);
}

/* ---- devices that are only a pointer -------------------------------------------------------- */

static struct check_pointer *find_pointer(const struct check_state *check, uint64_t pointer)
{
	for (size_t i = 0; i < check->n_pointers; i++) {
		if (check->pointers[i].pointer == pointer)
			return &check->pointers[i];
	}
	return NULL;
}

/* @event tells a pointer of the device called @name. */
static void learn_pointer(struct check_state *check, const struct dms_event *event, uint32_t name)
{
	struct check_pointer *known = find_pointer(check, event->virt_addr);

	if (known) {
		known->name = name;
		return;
	}
	if (check->n_pointers >= MAX_POINTERS ||
	    !dms_grow(&check->pointers, &check->pointers_capacity, check->n_pointers + 1,
		      sizeof(*check->pointers)))
		return;
	check->pointers[check->n_pointers++] = (struct check_pointer){event->virt_addr, name};
}

struct device_state *check_device(struct dms_model *model, struct device_state *state,
				  const struct dms_event *event)
{
	const struct check_pointer *known;

	if (!(event->has & DMS_HAS_POINTER))
		return state;
	if (event->has & DMS_HAS_DEVICE) {
		learn_pointer(&model->check, event, event->device);
		return state;
	}
	known = find_pointer(&model->check, event->virt_addr);
	return known ? model_current_device(model, known->name) : NULL;
}

/* ---- checks ---------------------------------------------------------------------------------- */

/** A search for the mapping a check is of. */
struct check_search {
	const struct slot_pool *slots;
	uint32_t epoch; /* of losses */
	struct dms_mapping *oldest_unchecked, *any;
	uint32_t n_found;
};

static bool is_checkable(const struct dms_mapping *mapping)
{
	return mapping->kind == DMS_MAPPING_PAGE || mapping->kind == DMS_MAPPING_RESOURCE;
}

/* As of unmaps the oldest, but first one mapped since events were lost: an older one's unmap may be among them. */
static bool is_preferred(const struct check_search *search, const struct dms_mapping *mapping)
{
	const struct dms_mapping *best = search->oldest_unchecked;
	bool is_sure = mapping->epoch == search->epoch;

	if (!best || is_sure != (best->epoch == search->epoch))
		return !best || is_sure;
	return mapping->serial < best->serial;
}

static void consider_mapping(struct check_search *search, struct dms_mapping *mapping)
{
	if (!mapping->is_checked && is_preferred(search, mapping))
		search->oldest_unchecked = mapping;
}

/* A check follows its map soon: of many twins it is one of the youngest. */
#define MAX_TWINS 64

static bool consider(void *context, const struct extent *extent)
{
	struct check_search *search = context;
	struct live_mapping *eldest = extent_owner(search->slots, extent);
	struct live_mapping *live = twins_youngest(search->slots, eldest);

	if (!is_checkable(&live->mapping))
		return true;
	search->n_found += twins_count(search->slots, eldest);
	search->any = &live->mapping;
	for (uint32_t i = 0; live && i < MAX_TWINS; i++) {
		consider_mapping(search, &live->mapping);
		live = twins_older(search->slots, live);
	}
	return true;
}

/* The probe made itself known by this very record: which map it follows was not noted. */
static void take_first_own(struct dms_model *model, struct device_state *state,
			   const struct dms_event *event)
{
	struct check_search search = {.slots = &model->slots};

	extents_each_at(&state->extents, event->dma_addr, consider, &search);
	if (search.n_found == 1 && search.any->map_cpu == event->cpu &&
	    search.any->map_pid == event->pid)
		search.any->is_check_seen = true;
}

/* The kernel's own check: the map it is of was made with the probe on. */
static void take_own(struct check_state *check, const struct dms_event *event,
		     const struct check_last *last)
{
	bool is_sure =
		(event->has & DMS_HAS_CALLER) || (check->n_twice >= TWICE_PROOF && !check->n_dark);

	check->is_dark = false;
	if (is_sure && last->serial && last->mapping->serial == last->serial)
		last->mapping->is_check_seen = true;
}

/*
 * A sync before the check is told only where nothing can have changed places: all on one CPU (see
 * model_sync()), and one mapping at that address.
 */
static void mark_checked(struct check_state *check, const struct dms_event *event,
			 const struct check_search *search)
{
	struct dms_mapping *mapping = search->oldest_unchecked;

	if (!mapping)
		return; /* a second check is no mistake */
	mapping->is_checked = true;
	if (event->cpu != mapping->map_cpu || search->n_found > 1)
		mapping->is_used_unchecked = false;
	check->n_twice += !(event->has & DMS_HAS_CALLER);
}

static struct dms_error *take_drivers(struct dms_model *model, struct device_state *state,
				      const struct dms_event *event)
{
	struct check_search search = {.slots = &model->slots, .epoch = model->epoch};
	struct dms_step step = {.kind = DMS_STEP_CHECK};

	extents_each_at(&state->extents, event->dma_addr, consider, &search);
	mark_checked(&model->check, event, &search);
	step.mapping = search.oldest_unchecked ? search.oldest_unchecked : search.any;
	if (!step.mapping && !is_error_value(event->dma_addr))
		return NULL; /* of a mapping older than the trace */
	return model_tell(model, state, event, &step);
}

struct dms_error *check_note(struct dms_model *model, struct device_state *state,
			     const struct dms_event *event, enum dms_mapping_kind kind)
{
	struct check_last *last = last_of(&model->check, event);
	bool is_own;

	(void)kind;
	/* It follows a map of this address by this task: its pointer is that map's device. */
	if (!state && last && last->is_awaited && (event->has & DMS_HAS_POINTER))
		learn_pointer(&model->check, event, last->name);
	state = check_device(model, state, event);
	if (!state)
		return NULL;
	if (last && last->name != state->device.name)
		last = NULL;
	if (event->has & DMS_HAS_CALLER)
		is_own = event->by_kernel;
	else
		is_own = last && last->is_awaited;
	if (!is_own)
		return take_drivers(model, state, event);
	if (last && last->is_awaited) {
		take_own(&model->check, event, last);
		last->is_awaited = false;
	} else if (!model->check.n_cpus) {
		take_first_own(model, state, event);
	}
	return NULL;
}

bool check_is_suspect(const struct dms_model *model, struct dms_mapping *mapping)
{
	const struct check_state *check = &model->check;

	if (!mapping->is_check_seen)
		return false;
	/* Where no check of the kernel vouches for the probe, it must never have been dark. */
	if (check->is_dark || (check->n_dark && mapping->kind == DMS_MAPPING_RESOURCE &&
			       !(mapping->attrs & DMS_ATTR_MMIO)))
		mapping->is_check_seen = false;
	return mapping->is_check_seen && (!mapping->is_checked || mapping->is_used_unchecked);
}

void check_deinit(struct check_state *check)
{
	dms_free(check->cpus);
	dms_free(check->pointers);
	*check = (struct check_state){0};
}

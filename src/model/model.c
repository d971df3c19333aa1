// SPDX-License-Identifier: LGPL-2.1-only
/* The model: devices and their generations, gaps, time, and the steps told to its sink. */
#include <string.h>

#include "state.h"

struct dms_error *dms_model_create(const struct dms_names *names, dms_step_fn sink, void *context,
				   struct dms_model **ret)
{
	struct dms_model *model = dms_zalloc(sizeof(*model));

	if (!model)
		return &dms_error_nomem;
	model->names = names;
	model->sink = sink;
	model->context = context;
	dms_model_configure(model, &(struct dms_model_config){0});
	*ret = model;
	return NULL;
}

void dms_model_destroy(struct dms_model *model)
{
	if (!model)
		return;
	dms_model_settle(model);
	slots_deinit(&model->slots);
	for (size_t i = 0; i < model->n_devices; i++) {
		device_deinit(model->devices[i]);
		dms_free(model->devices[i]);
	}
	dms_free(model->devices);
	dms_free(model->current);
	reorder_deinit(model);
	dms_free(model->undecided.phys);
	overlap_deinit(&model->overlap);
	check_deinit(&model->check);
	sites_deinit(&model->sites);
	dms_free(model);
}

void dms_model_configure(struct dms_model *model, const struct dms_model_config *config)
{
	model->config = *config;
	model->config.never_elides |= model->is_of_debug;
	if (!model->config.cache_line_bytes)
		model->config.cache_line_bytes = 64;
	if (!model->config.page_bytes)
		model->config.page_bytes = 4096;
}

void dms_model_add_inputs(struct dms_model *model, uint32_t inputs)
{
	model->config.inputs |= inputs;
}

/* ---- what can wait --------------------------------------------------------------------------- */

struct dms_error *dms_model_share(struct dms_model *model)
{
	model->shared_past = past_share();
	return model->shared_past ? NULL : &dms_error_nomem;
}

void dms_model_put_off(struct dms_model *model, bool is_put_off)
{
	if (!model->shared_past)
		return;
	dms_backlog_drain(model->shared_past);
	model->late_past = is_put_off ? model->shared_past : NULL;
}

bool dms_model_help(struct dms_model *model)
{
	return model->shared_past && dms_backlog_help(model->shared_past);
}

void dms_model_settle(struct dms_model *model)
{
	dms_model_put_off(model, false);
	dms_backlog_destroy(model->shared_past);
	model->shared_past = NULL;
}

struct dms_error *model_tell(struct dms_model *model, const struct device_state *state,
			     const struct dms_event *event, struct dms_step *step)
{
	step->event = event;
	step->device = state ? &state->device : NULL;
	step->ts = event ? event->ts : model->now;
	if (event && event->is_other_clock)
		step->doubts |= DMS_DOUBT_OTHER_CLOCK;
	return model->sink(model->context, step);
}

/* ---- devices --------------------------------------------------------------------------------- */

static uint64_t mask_of(uint8_t bits)
{
	return bits ? UINT64_MAX >> (64 - bits) : 0;
}

/* What the inventory tells stands until the trace knows better. */
static void look_up(const struct dms_model *model, struct dms_device *device)
{
	const struct dms_inventory_device *told;

	if (!model->config.inventory)
		return;
	told = dms_inventory_find(model->config.inventory,
				  dms_strtab_get(model->names->devices, device->name));
	if (!told)
		return;
	if (!device->is_mask_traced && !device->is_mask_of_bounce)
		device->dma_mask = mask_of(told->dma_mask_bits);
	if (!device->is_coherent_mask_traced)
		device->coherent_mask = mask_of(told->coherent_dma_mask_bits);
	device->max_segment_bytes = told->max_segment_bytes;
	device->segment_boundary = told->segment_boundary;
	device->coherent = told->coherent;
	device->driver = told->driver;
}

void dms_model_identify(struct dms_model *model)
{
	for (size_t i = 0; i < model->n_devices; i++)
		look_up(model, &model->devices[i]->device);
}

/* Masks stay as they are set when the driver goes, and the next one sets them before it maps. */
static void inherit(struct dms_device *device, const struct dms_device *before)
{
	device->dma_mask = before->dma_mask;
	device->coherent_mask = before->coherent_mask;
	device->is_mask_traced = before->is_mask_traced;
	device->is_mask_of_bounce = before->is_mask_of_bounce;
	device->is_coherent_mask_traced = before->is_coherent_mask_traced;
}

_apart_ static struct dms_error *add_device(struct dms_model *model, uint32_t name, uint64_t ts,
				    struct device_state **ret)
{
	struct device_state *before = model_current_device(model, name);
	struct device_state *state = dms_zalloc(sizeof(*state));
	struct past_table *past = past_create();
	struct dms_step step = {.kind = DMS_STEP_DEVICE};

	if (!state || !past ||
	    !dms_grow(&model->devices, &model->devices_capacity, model->n_devices + 1,
		      sizeof(struct device_state *)) ||
	    !dms_grow(&model->current, &model->current_capacity, (size_t)name + 1,
		      sizeof(struct device_state *))) {
		past_destroy(past);
		dms_free(state);
		return &dms_error_nomem;
	}
	state->past = past;
	state->before = before;
	state->device = (struct dms_device){
		.index = (uint32_t)model->n_devices,
		.name = name,
		.generation = before ? before->device.generation + 1 : 1,
		.iommu_group = -1,
		.coherent = -1,
		.first_ts = ts,
	};
	if (before)
		inherit(&state->device, &before->device);
	look_up(model, &state->device);
	state->is_from_bind = before != NULL;
	if (before)
		state->strays = before->strays;
	model->devices[model->n_devices++] = state;
	model->current[name] = state;
	*ret = state;
	model->now = ts;
	return model_tell(model, state, NULL, &step);
}

struct dms_error *model_device(struct dms_model *model, uint32_t name, uint64_t ts,
			       struct device_state **ret)
{
	*ret = model_current_device(model, name);
	if (*ret && !(*ret)->is_closed)
		return NULL;
	return add_device(model, name, ts, ret);
}

uint32_t dms_model_n_devices(const struct dms_model *model)
{
	return (uint32_t)model->n_devices;
}

const struct dms_device *dms_model_device(const struct dms_model *model, uint32_t index)
{
	return &model->devices[index]->device;
}

/* ---- events, gaps, ends ------------------------------------------------------------------------
 */

_apart_ static struct dms_error *expire(struct dms_model *model, uint64_t ts,
					const struct dms_event *event)
{
	struct dms_error *err;

	if (model->undecided.device && (err = witness_settle(model, event)))
		return err;
	if (model->gap_until && ts >= model->gap_until) {
		model->gap_until = 0;
		model->epoch++;
	}
	if (model->n_held && (err = seed_expire(model, model->now)))
		return err;
	if ((model->waiting.count || model->superseded.count) &&
	    (err = reorder_expire(model, model->now)))
		return err;
	model->has_pending = model->gap_until || model->n_held || model->waiting.count ||
			     model->superseded.count || model->undecided.device;
	return NULL;
}

/* Time moves on, to @event if it is one: gaps close, windows run out. */
static struct dms_error *advance(struct dms_model *model, uint64_t ts,
				 const struct dms_event *event)
{
	if (ts > model->now)
		model->now = ts;
	return model->has_pending ? expire(model, ts, event) : NULL;
}

static struct dms_error *apply(struct dms_model *model, struct device_state *state,
			       const struct dms_event *event)
{
	seed_note_event(model, state, event);
	return lifecycle_apply(model, state, event);
}

/* The device @event names is not known yet, or closed. */
_apart_ static struct dms_error *apply_anew(struct dms_model *model, const struct dms_event *event)
{
	struct device_state *state = model_current_device(model, event->device);
	bool begins = lifecycle_makes_device(event->kind);
	struct dms_error *err;

	/* What kernel and IOMMU say of a device whose driver is gone begins no new generation. */
	if (state && (event->kind == DMS_EV_CONSOLE || event->kind == DMS_EV_IOMMU_FAULT))
		begins = false;
	if (begins && (err = model_device(model, event->device, event->ts, &state)))
		return err;
	return apply(model, state, event);
}

struct dms_error *dms_model_event(struct dms_model *model, const struct dms_event *event)
{
	struct device_state *state = NULL;
	struct dms_error *err;

	if (model->config.is_in_ticks) {
		model->is_coarse |= event->ts == model->now && event->cpu != model->last_cpu;
		model->last_cpu = event->cpu;
	}
	if (!model->tasks.has_several)
		model_note_task(&model->tasks, event);
	if ((err = advance(model, event->ts, event)))
		return err;
	if (event->has & DMS_HAS_DEVICE) {
		state = model_current_device(model, event->device);
		if (!state || state->is_closed)
			return apply_anew(model, event);
	}
	return apply(model, state, event);
}

struct dms_error *dms_model_gap(struct dms_model *model, const struct dms_gap *gap)
{
	struct dms_step step = {.kind = DMS_STEP_GAP, .gap = gap};
	struct dms_error *err = advance(model, gap->after_ts, NULL);

	if (err)
		return err;
	model->epoch++;
	if (gap->before_ts > model->gap_until)
		model->gap_until = gap->before_ts;
	model->has_pending = true;
	return model_tell(model, NULL, NULL, &step);
}

/* End every life, or those of one device, in the order of their slots. */
static struct dms_error *end_all(struct dms_model *model, const struct device_state *only,
				 enum dms_end end)
{
	for (uint32_t slot = 0; slot < model->slots.n_blocks * SLOTS_PER_BLOCK; slot++) {
		struct live_mapping *live = slots_at(&model->slots, slot);
		struct dms_error *err;

		if (only && !only->n_live)
			break; /* that was all */
		if (!live->mapping.serial || (only && model->devices[live->mapping.device] != only))
			continue;
		if ((err = model_end_life(model, live, NULL, end, 0)))
			return err;
	}
	return NULL;
}

struct dms_error *dms_model_unbind(struct dms_model *model, uint32_t name, uint64_t ts)
{
	struct device_state *state = model_current_device(model, name);
	struct dms_error *err = advance(model, ts, NULL);

	if (err || !state || state->is_closed)
		return err;
	state->is_closed = true;
	return end_all(model, state, DMS_END_UNBOUND);
}

struct dms_error *dms_model_end(struct dms_model *model, uint64_t ts)
{
	struct dms_step step = {.kind = DMS_STEP_END};
	struct dms_error *err;

	if ((err = advance(model, ts, NULL)) || (err = seed_expire(model, UINT64_MAX)) ||
	    (err = reorder_expire(model, UINT64_MAX)) ||
	    (err = unbind_at_end(model)) || (err = sites_tell(model)) ||
	    (err = end_all(model, NULL, DMS_END_LIVE)))
		return err;
	iommu_flush(model);
	witness_at_end(model);
	model_judge_calls(model);
	return model_tell(model, NULL, NULL, &step);
}

void dms_model_uncovered(const struct dms_model *model, struct dms_uncovered *ret)
{
	*ret = model->uncovered;
}

uint64_t dms_mapping_row(struct dms_model *model, struct dms_mapping *mapping)
{
	if (!mapping->row)
		mapping->row = ++model->last_row;
	return mapping->row;
}

struct dms_segment dms_mapping_segment(const struct dms_mapping *mapping, uint32_t index)
{
	const struct list_part *list;

	if (!mapping->sg)
		return (struct dms_segment){mapping->dma_addr, mapping->size};
	list = (const struct list_part *)mapping->sg; /* sg is its first member */
	return list->segments[index];
}

size_t dms_mapping_list_bytes(const struct dms_mapping *mapping)
{
	return sizeof(struct list_part) + mapping->sg->n_segments * sizeof(struct dms_segment);
}

void dms_mapping_copy_list(struct dms_mapping *mapping, void *room)
{
	struct list_part *list = memcpy(room, mapping->sg, dms_mapping_list_bytes(mapping));

	list->sg.n_phys = 0;
	list->sg.phys = NULL;
	mapping->sg = &list->sg;
}

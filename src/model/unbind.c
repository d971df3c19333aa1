// SPDX-License-Identifier: LGPL-2.1-only
/* When a driver let go of a device: marks from probes, modules and dma-debug's own message. */
#include <string.h>

#include "state.h"

/*
 * The order in the kernel: remove(), managed resources are released, the driver is gone, maybe the
 * next one's probe(). Until the driver is gone a mapping may still be unmapped, and even made
 * (nvme talks to its device in remove()): so nothing ends at the first two marks. They only draw
 * the line: what was mapped before it and still lives when the driver is surely gone has leaked.
 * Source: drivers/base/dd.c __device_release_driver(), device_unbind_cleanup().
 */

/* A trace that ends this soon after a mark may have ended in the middle of the unbind. */
#define ENDING_NS 100000000ull
/* remove() may wait for its device for a while; releasing what is managed is done by then. */
#define SETTLE_NS 1000000000ull

/* ---- doubts ---------------------------------------------------------------------------------- */

static const char *skip_digits(const char *at)
{
	while ((*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f'))
		at++;
	return at;
}

/* "0000:00:05.0": only devices of other buses have coherent memory of their own. */
static bool is_pci_name(const char *name)
{
	const char *domain_end = skip_digits(name), *bus_end, *slot_end;

	if (domain_end == name || *domain_end != ':')
		return false;
	bus_end = skip_digits(domain_end + 1);
	if (bus_end == domain_end + 1 || *bus_end != ':')
		return false;
	slot_end = skip_digits(bus_end + 1);
	return slot_end > bus_end + 1 && *slot_end == '.' && slot_end[1];
}

/* Where this call site maps, its unmaps are events: nearly all of its maps were seen unmapped. */
static bool is_proven(const struct dms_model *model, const struct dms_mapping *mapping)
{
	const struct dms_site *site = sites_of(model, mapping);

	return site && site->unmapped * 10 >= site->maps * 9;
}

static bool may_be_elided(const struct dms_model *model, const struct device_state *state,
			  const struct dms_mapping *mapping)
{
	return mapping->kind <= DMS_MAPPING_SG && model_can_elide(model, state) &&
	       !mapping->bounced && !is_proven(model, mapping);
}

void unbind_explain(const struct dms_model *model, const struct device_state *state,
		    struct dms_step *step)
{
	const char *name = dms_strtab_get(model->names->devices, state->device.name);

	if (may_be_elided(model, state, step->mapping)) {
		step->doubts |= DMS_DOUBT_ELIDED;
		if (state->has_elided)
			step->end = DMS_END_ELIDED;
	}
	if (model_lacks_unmaps(model, (enum dms_mapping_kind)step->mapping->kind) ||
	    model_lacks_calls(model, state))
		step->doubts |= DMS_DOUBT_UNTRACED;
	/* Frees into a device's own pool are never traced (kernel-dma.md fact 9). */
	if (step->mapping->kind == DMS_MAPPING_COHERENT && !state->n_freed && !is_pci_name(name))
		step->doubts |= DMS_DOUBT_UNTRACED;
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* End what lives of @state and is not younger than mapping @serial. */
static struct dms_error *end_until(struct dms_model *model, const struct device_state *state,
				   uint64_t serial, uint32_t doubts)
{
	for (uint32_t slot = 0;
	     state->n_live && slot < model->slots.n_blocks * SLOTS_PER_BLOCK; slot++) {
		struct live_mapping *live = slots_at(&model->slots, slot);
		const struct dms_mapping *mapping = &live->mapping;
		struct dms_error *err;

		if (!mapping->serial || mapping->serial > serial ||
		    model->devices[mapping->device] != state)
			continue;
		if ((err = model_end_life(model, live, NULL, DMS_END_UNBOUND, doubts)))
			return err;
	}
	return NULL;
}

/* The driver is gone by now. What was mapped since the line is the next driver's. */
_apart_ static struct dms_error *settle(struct dms_model *model, struct device_state *state,
				uint32_t doubts)
{
	struct unbinding *unbinding = &state->unbinding;

	if (unbinding->phase == UNBIND_NONE)
		return NULL;
	unbinding->phase = UNBIND_NONE;
	state->is_closed = !unbinding->n_maps;
	return end_until(model, state, unbinding->serial, doubts);
}

/* ---- marks ----------------------------------------------------------------------------------- */

static void draw_line(struct dms_model *model, struct device_state *state,
		      const struct dms_event *event, int phase)
{
	struct unbinding *unbinding = &state->unbinding;

	unbinding->phase = phase;
	unbinding->ts = event->ts;
	unbinding->serial = model->last_serial;
	unbinding->pid = event->pid;
	unbinding->n_maps = 0;
}

static struct dms_error *note_begin(struct dms_model *model, struct device_state *state,
				    const struct dms_event *event)
{
	struct dms_error *err;

	/* Someone else wants it unbound, too, and waits for the one who does it. */
	if (state->unbinding.phase == UNBIND_BEGUN && state->unbinding.pid != event->pid)
		return NULL;
	if ((err = settle(model, state, 0)))
		return err;
	if (!state->is_closed)
		draw_line(model, state, event, UNBIND_BEGUN);
	return NULL;
}

static struct dms_error *note_returned(struct dms_model *model, struct device_state *state,
				       const struct dms_event *event)
{
	struct dms_error *err;

	/* A second mark of one unbind; but after maps it is that of a probe() that failed. */
	if (state->unbinding.phase == UNBIND_RETURNED) {
		if (!state->unbinding.n_maps)
			return NULL;
		if ((err = settle(model, state, 0)))
			return err;
	}
	draw_line(model, state, event, UNBIND_RETURNED);
	return NULL;
}

/*
 * All that is managed is being released (the decoder gives no other dev:devres_log), one event
 * for each resource: the same mark again and again, whatever a release may map.
 */
static struct dms_error *note_devres(struct dms_model *model, struct device_state *state,
				     const struct dms_event *event)
{
	const struct unbinding *unbinding = &state->unbinding;

	if (unbinding->phase == UNBIND_RETURNED && unbinding->pid == event->pid &&
	    event->ts <= unbinding->ts + SETTLE_NS)
		return NULL;
	return note_returned(model, state, event);
}

static struct dms_error *note_unbound(struct dms_model *model, struct device_state *state,
				      const struct dms_event *event)
{
	state->unbinding.phase = UNBIND_NONE;
	return dms_model_unbind(model, state->device.name, event->ts);
}

static struct dms_error *note_bound(struct dms_model *model, struct device_state *state,
				    const struct dms_event *event)
{
	(void)event;
	return settle(model, state, 0);
}

/*
 * dma-debug found entries left, and the driver is gone; but the message may come late, or be of a
 * log whose clock is another: what lives to the end is meant.
 */
static struct dms_error *note_told(struct dms_model *model, struct device_state *state,
				   const struct dms_event *event)
{
	state->unbinding.told_ts = event->ts;
	state->unbinding.told_serial = model->last_serial;
	state->unbinding.n_maps_since_told = 0;
	state->unbinding.is_told_elsewhere = event->is_other_clock;
	return NULL;
}

/* ---- modules --------------------------------------------------------------------------------- */

/* The kernel writes '_' in a module's name where its driver may have '-'. */
static bool is_same_driver(const char *driver, const char *module)
{
	for (; *driver && *module; driver++, module++) {
		if (*driver != *module && !(*driver == '-' && *module == '_'))
			return false;
	}
	return *driver == *module;
}

/* A module goes when it drives nothing any more. The inventory may be of another moment. */
static struct dms_error *note_module(struct dms_model *model, const struct dms_event *event)
{
	struct dms_step step = {.kind = DMS_STEP_NOTE};
	const char *module;
	struct dms_error *err;

	if ((err = model_tell(model, NULL, event, &step)) || event->driver == DMS_ID_NONE)
		return err;
	module = dms_strtab_get(model->names->devices, event->driver);
	for (size_t i = 0; i < model->n_devices; i++) {
		struct device_state *state = model->devices[i];

		if (state->is_closed || !state->device.driver ||
		    !is_same_driver(state->device.driver, module))
			continue;
		if (state->unbinding.has_marks) {
			err = settle(model, state, 0);
		} else {
			state->is_closed = true;
			err = end_until(model, state, UINT64_MAX, DMS_DOUBT_SNAPSHOT);
		}
		if (err)
			return err;
	}
	return NULL;
}

static struct dms_error *(*const mark_table[DMS_EV_N_KINDS])(struct dms_model *model,
							     struct device_state *state,
							     const struct dms_event *event) = {
	[DMS_EV_UNBIND_BEGIN] = note_begin, [DMS_EV_UNBIND] = note_returned,
	[DMS_EV_UNBOUND] = note_unbound,    [DMS_EV_BOUND] = note_bound,
	[DMS_EV_DEVRES] = note_devres,	    [DMS_EV_CONSOLE] = note_told,
};

struct dms_error *unbind_note(struct dms_model *model, struct device_state *state,
			      const struct dms_event *event, enum dms_mapping_kind kind)
{
	(void)kind;
	if (event->kind == DMS_EV_MODULE_FREE)
		return note_module(model, event);
	state = check_device(model, state, event);
	model->uncovered.unnamed_unbinds += !state && !(event->has & DMS_HAS_DEVICE);
	if (!state || state->is_closed || !mark_table[event->kind])
		return NULL;
	if (event->kind != DMS_EV_CONSOLE)
		state->unbinding.has_marks = true;
	return mark_table[event->kind](model, state, event);
}

struct dms_error *unbind_before_map(struct dms_model *model, struct device_state *state,
				    const struct dms_event *event)
{
	struct unbinding *unbinding = &state->unbinding;

	unbinding->n_maps_since_told += unbinding->told_ts != 0;
	if (unbinding->phase == UNBIND_NONE)
		return NULL;
	/* With nothing left this is the next driver's probe(), or as good as that. */
	if (unbinding->phase == UNBIND_RETURNED &&
	    (!state->n_live || event->ts > unbinding->ts + SETTLE_NS))
		return settle(model, state, 0);
	unbinding->n_maps++;
	unbinding->last_map_ts = event->ts;
	return NULL;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* What a trace that ends in @state's unbind leaves open. */
static uint32_t doubts_at_end(const struct dms_model *model, const struct device_state *state)
{
	const struct unbinding *unbinding = &state->unbinding;
	uint64_t last = unbinding->ts, now = model->now;

	if (model->config.until_ts > now)
		now = model->config.until_ts;
	if (state->last_release_ts > last)
		last = state->last_release_ts;
	if (unbinding->phase == UNBIND_RETURNED)
		return now < last + ENDING_NS ? DMS_DOUBT_ENDING : 0;
	if (unbinding->n_maps && unbinding->last_map_ts > unbinding->ts + SETTLE_NS)
		return DMS_DOUBT_UNTRACED; /* it lives on: by another driver, or never unbound */
	return now < last + SETTLE_NS ? DMS_DOUBT_ENDING : DMS_DOUBT_PATTERN;
}

/* What dma-debug told of, as far as it still lives; after later maps only what is clearly older. */
static struct dms_error *end_told(struct dms_model *model, struct device_state *state)
{
	struct unbinding *unbinding = &state->unbinding;
	uint64_t serial = unbinding->told_serial;

	if (!unbinding->told_ts || state->is_closed)
		return NULL;
	for (uint32_t slot = 0;
	     unbinding->n_maps_since_told && slot < model->slots.n_blocks * SLOTS_PER_BLOCK;
	     slot++) {
		const struct dms_mapping *mapping = &slots_at(&model->slots, slot)->mapping;

		if (mapping->serial && model->devices[mapping->device] == state &&
		    mapping->map_ts + SETTLE_NS > unbinding->told_ts && mapping->serial <= serial)
			serial = mapping->serial - 1;
	}
	return end_until(model, state, serial,
			 unbinding->is_told_elsewhere ? DMS_DOUBT_OTHER_CLOCK : 0);
}

struct dms_error *unbind_at_end(struct dms_model *model)
{
	for (size_t i = 0; i < model->n_devices; i++) {
		struct device_state *state = model->devices[i];
		struct dms_error *err = NULL;

		if (state->unbinding.phase != UNBIND_NONE)
			err = settle(model, state, doubts_at_end(model, state));
		if (!err)
			err = end_told(model, state);
		if (err)
			return err;
	}
	return NULL;
}

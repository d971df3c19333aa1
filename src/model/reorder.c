// SPDX-License-Identifier: LGPL-2.1-only
/* The reordering window: what is told or ended only after a while, should the trace explain it. */
#include <string.h>

#include "state.h"

/* More than this in one window is no reordering; the oldest is then told early. */
#define MAX_WAITING 4096
/* A list of more does not fit into a page of the ring buffer; with this, all together take 16 MiB. */
#define MAX_WAITING_ENTRIES 512

/* Room for one more of @bytes behind the queued ones; NULL when memory is short. */
static void *queue_push(struct queue *queue, size_t bytes)
{
	char *items;

	if (queue->head && queue->head + queue->count == queue->capacity) {
		memmove(queue->items, (char *)queue->items + queue->head * bytes,
			queue->count * bytes);
		queue->head = 0;
	}
	if (!dms_grow(&queue->items, &queue->capacity, queue->head + queue->count + 1, bytes))
		return NULL;
	items = queue->items;
	return items + (queue->head + queue->count++) * bytes;
}

static void *queue_at(const struct queue *queue, size_t index, size_t bytes)
{
	return (char *)queue->items + (queue->head + index) * bytes;
}

static void queue_pop(struct queue *queue)
{
	queue->head++;
	if (!--queue->count)
		queue->head = 0;
}

static struct waiting *waiting_at(const struct dms_model *model, size_t index)
{
	return queue_at(&model->waiting, index, sizeof(struct waiting));
}

/* ---- unmatched unmaps ------------------------------------------------------------------------ */

static struct dms_error *tell_unmatched(struct dms_model *model, struct device_state *state,
					struct dms_step *step, enum dms_mapping_kind kind)
{
	const struct dms_event *event = step->event;
	struct dms_mapping stand_in;
	struct dms_error *err;

	model_stand_in(event, state, kind, &stand_in);
	step->mapping = &stand_in;
	if (event->n_phys && model->is_coarse)
		step->doubts |= DMS_DOUBT_REORDERED; /* its map may still come */
	if (event->ts > state->told_stray_ts)
		state->told_stray_ts = event->ts;
	err = model_tell(model, state, event, step);
	if (!err && (step->end == DMS_END_PRE_TRACE || (event->n_phys && model->is_coarse))) {
		/* From here on the address has a history: a second unmap of it is one too many. */
		const struct dms_past past = {
			.dma_addr = stand_in.dma_addr,
			.size = stand_in.size,
			.first_bytes = stand_in.size < UINT32_MAX ? (uint32_t)stand_in.size : UINT32_MAX,
			.unmap_ts = event->ts,
			.serial = UINT64_MAX,
			.row = stand_in.row,
			.map_stack = DMS_ID_NONE,
			.unmap_stack = event->stack,
			.unmap_cpu = event->cpu,
			.unmap_pid = event->pid,
			.epoch = 0, /* it began before anything could be lost */
			.kind = stand_in.kind,
			.dir = stand_in.dir,
			.end = DMS_END_PRE_TRACE,
		};

		uint64_t key = event->kind == DMS_EV_UNMAP_SG ? past_list_key(stand_in.cpu_addr)
							      : stand_in.dma_addr;
		model_enter_past(model, state, key, &past);
	}
	return err;
}

static struct dms_error *tell_oldest(struct dms_model *model)
{
	struct waiting waiting = *waiting_at(model, 0);
	struct dms_step step = {
		.kind = DMS_STEP_UNMAP_UNMATCHED,
		.event = &waiting.event,
		.related = waiting.has_related ? &waiting.related : NULL,
		.elsewhere = waiting.has_elsewhere ? &waiting.elsewhere : NULL,
		.past = waiting.has_past ? &waiting.past : NULL,
		.doubts = waiting.doubts,
		.end = waiting.end,
	};
	struct dms_error *err;

	queue_pop(&model->waiting);
	waiting.device->n_waiting--;
	err = tell_unmatched(model, waiting.device, &step,
			     lifecycle_mapping_kind(waiting.event.kind));
	dms_free(waiting.phys);
	return err;
}

/* What @event points to, its list and no more, goes with it; false: memory is short. */
static bool copy_list(struct waiting *waiting, const struct dms_event *event)
{
	size_t bytes = event->n_phys * sizeof(*waiting->phys);

	waiting->event.dma_list = NULL;
	waiting->event.lengths = NULL;
	waiting->event.n_dma = 0;
	if (!bytes)
		return true;
	waiting->phys = dms_alloc(bytes);
	if (!waiting->phys)
		return false;
	waiting->event.phys_list = memcpy(waiting->phys, event->phys_list, bytes);
	return true;
}

struct dms_error *reorder_hold(struct dms_model *model, struct device_state *state,
			       const struct dms_step *step, enum dms_mapping_kind kind)
{
	struct dms_step now = *step;
	struct waiting *waiting;
	struct dms_error *err;

	if (step->end == DMS_END_PRE_TRACE || (step->event->n_phys && model->is_coarse) ||
	    step->event->n_phys > MAX_WAITING_ENTRIES)
		return tell_unmatched(model, state, &now, kind);
	if (model->waiting.count >= MAX_WAITING && (err = tell_oldest(model)))
		return err;
	waiting = queue_push(&model->waiting, sizeof(*waiting));
	if (!waiting)
		return &dms_error_nomem;
	*waiting = (struct waiting){
		.event = *step->event,
		.device = state,
		.doubts = step->doubts,
		.end = step->end,
		.has_related = step->related != NULL,
		.has_elsewhere = step->elsewhere != NULL,
		.has_past = step->past != NULL,
	};
	if (step->related) {
		waiting->related = *step->related;
		waiting->related.sg = NULL; /* it may be gone when this is told */
	}
	if (step->elsewhere) {
		waiting->elsewhere = *step->elsewhere;
		waiting->elsewhere.sg = NULL;
	}
	if (step->past)
		waiting->past = *step->past;
	state->n_waiting++;
	model->has_pending = true;
	return copy_list(waiting, step->event) ? NULL : &dms_error_nomem;
}

/* One that did not wait, of the address or the list that @event maps. */
static bool is_of_told_stray(const struct dms_model *model, const struct device_state *state,
			     const struct dms_event *event)
{
	uint64_t window = model_reorder_window(model);
	const struct dms_past *past;

	if (!state->told_stray_ts || event->ts - state->told_stray_ts > window)
		return false;
	past = past_find(model_past(model, state), event->n_phys ? past_list_key(event->phys_list[0])
					      : event->dma_addr);
	return past && past->serial == UINT64_MAX && past->unmap_cpu != event->cpu &&
	       event->ts - past->unmap_ts <= window;
}

/* Is it the unmap @unmap of the address, or of the list, that @map maps? */
static bool is_of_address(const struct dms_event *unmap, const struct dms_event *map)
{
	if (unmap->n_phys)
		return map->n_phys && unmap->phys_list[0] == map->phys_list[0];
	return unmap->dma_addr == map->dma_addr;
}

bool reorder_note_map(struct dms_model *model, const struct device_state *state,
		      const struct dms_event *event)
{
	bool is_noted;

	if (!state->told_stray_ts && !state->n_waiting)
		return false; /* as nearly always */
	is_noted = is_of_told_stray(model, state, event);
	for (size_t i = 0; state->n_waiting && i < model->waiting.count; i++) {
		struct waiting *waiting = waiting_at(model, i);

		if (waiting->device != state || waiting->event.cpu == event->cpu ||
		    !is_of_address(&waiting->event, event))
			continue;
		waiting->doubts |= DMS_DOUBT_REORDERED;
		is_noted = true;
	}
	return is_noted;
}

/* ---- superseded mappings --------------------------------------------------------------------- */

bool reorder_supersede(struct dms_model *model, struct live_mapping *live, uint64_t ts)
{
	struct superseded *superseded = queue_push(&model->superseded, sizeof(*superseded));
	struct strays *strays = &model->devices[live->mapping.device]->strays;

	if (!superseded)
		return false;
	*superseded = (struct superseded){live, live->mapping.serial, ts};
	live->mapping.is_superseded = true;
	strays->n_remapped++;
	strays->has_any = true;
	model->has_pending = true;
	return true;
}

static bool has_passed(uint64_t ts, uint64_t window, uint64_t now)
{
	return now == UINT64_MAX || (now > ts && now - ts > window);
}

static struct dms_error *end_superseded(struct dms_model *model, uint64_t now)
{
	while (model->superseded.count) {
		struct superseded superseded =
			*(struct superseded *)queue_at(&model->superseded, 0, sizeof(superseded));
		struct dms_error *err;

		if (!has_passed(superseded.ts, SUPERSEDE_NS, now))
			break;
		queue_pop(&model->superseded);
		if (superseded.live->mapping.serial != superseded.serial)
			continue; /* its unmap came */
		err = model_end_life(model, superseded.live, NULL, DMS_END_LOST,
				     DMS_DOUBT_UNTRACED);
		if (err)
			return err;
	}
	return NULL;
}

_apart_ struct dms_error *reorder_expire(struct dms_model *model, uint64_t now)
{
	struct dms_error *err;

	while (model->waiting.count &&
	       has_passed(waiting_at(model, 0)->event.ts, model_reorder_window(model), now)) {
		if ((err = tell_oldest(model)))
			return err;
	}
	return model->superseded.count ? end_superseded(model, now) : NULL;
}

void reorder_deinit(struct dms_model *model)
{
	for (size_t i = 0; i < model->waiting.count; i++)
		dms_free(waiting_at(model, i)->phys);
	dms_free(model->waiting.items);
	dms_free(model->superseded.items);
}

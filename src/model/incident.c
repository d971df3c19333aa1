// SPDX-License-Identifier: LGPL-2.1-only
/*
 * Incidents: two lives that held one memory, or memory freed in the midst of a life. Whether the
 * older life was one at that time, only its end shows: drivers may skip unmaps legally, and an
 * unmap is logged after the memory is free.
 */
#include "state.h"

static struct incident *incident_at(const struct incident_pool *pool, uint32_t number)
{
	return &pool->items[number - 1];
}

/* ---- the pool ------------------------------------------------------------------------------- */

/* No longer an incident of its older mapping. */
static void leave_older(struct incident_pool *pool, struct incident *incident)
{
	struct live_mapping *older = incident->older_live;
	uint32_t number = (uint32_t)(incident - pool->items) + 1, at;

	if (!older)
		return;
	incident->older_live = NULL;
	at = older->as_older;
	if (at == number) {
		older->as_older = incident->next_of_older & MAX_INCIDENTS;
		return;
	}
	while (incident_at(pool, at)->next_of_older != number)
		at = incident_at(pool, at)->next_of_older;
	incident_at(pool, at)->next_of_older = incident->next_of_older;
}

static void release(struct incident_pool *pool, struct incident *incident)
{
	uint32_t number = (uint32_t)(incident - pool->items) + 1;

	leave_older(pool, incident);
	if (incident->newer_live)
		incident->newer_live->as_newer = 0;
	*(incident->before ? &incident_at(pool, incident->before)->after : &pool->oldest) =
		incident->after;
	*(incident->after ? &incident_at(pool, incident->after)->before : &pool->newest) =
		incident->before;
	incident->next_of_older = pool->free;
	pool->free = number;
}

/* A place for one more; 0 when memory is short. */
static uint32_t take(struct incident_pool *pool)
{
	uint32_t number;

	if (!pool->free && pool->n_items >= MAX_INCIDENTS) {
		release(pool, incident_at(pool, pool->oldest));
		pool->n_forgotten++;
	}
	if (!pool->free) {
		if (!dms_grow(&pool->items, &pool->capacity, pool->n_items + 1,
			      sizeof(*pool->items)))
			return 0;
		return ++pool->n_items;
	}
	number = pool->free;
	pool->free = incident_at(pool, number)->next_of_older;
	return number;
}

static uint32_t n_as_older(const struct incident_pool *pool, const struct live_mapping *older)
{
	uint32_t n = 0;

	for (uint32_t at = older->as_older; at; at = incident_at(pool, at)->next_of_older)
		n++;
	return n;
}

struct incident *incident_add(struct incident_pool *pool, enum dms_step_kind kind,
			      struct live_mapping *older, struct live_mapping *newer)
{
	struct incident *incident;
	uint32_t number = n_as_older(pool, older) < MAX_INCIDENTS_OF_OLDER ? take(pool) : 0;

	if (!number)
		return NULL;
	incident = incident_at(pool, number);
	*incident = (struct incident){
		.kind = kind,
		.older_live = older,
		.newer_live = newer,
		.next_of_older = older->as_older,
		.before = pool->newest,
	};
	*(pool->newest ? &incident_at(pool, pool->newest)->after : &pool->oldest) = number;
	pool->newest = number;
	older->as_older = number & MAX_INCIDENTS;
	older->mapping.has_incident = true;
	if (newer) {
		newer->as_newer = number & MAX_INCIDENTS;
		newer->mapping.has_incident = true;
	}
	return incident;
}

/* ---- doubts, when the lives have ended ------------------------------------------------------- */

/*
 * Is the end of the older one an unmap, and its own? Where a driver seems to leave some out, the
 * unmap of a later mapping may have been taken for it.
 */
static bool is_end_sure(const struct incident *incident, const struct device_state *owner)
{
	if (incident->older_end != DMS_END_UNMAPPED || device_may_elide(owner))
		return false;
	return incident->kind != DMS_STEP_OVERLAP || incident->newer_end == DMS_END_UNMAPPED ||
	       !overlap_are_alike(&incident->older, &incident->newer);
}

/*
 * The unmap of a single mapping is logged when the memory is free already: what came between on
 * another CPU, or in an interrupt, may have come after it. That of a list comes before: there it is
 * only the clocks of two CPUs.
 */
static bool may_be_late(const struct incident *incident, const struct dms_event *unmap)
{
	const struct dms_event *event = &incident->event;
	bool is_late = incident->kind == DMS_STEP_OVERLAP && !unmap->n_phys;

	if (unmap->ts == event->ts && unmap->cpu != event->cpu)
		return true; /* the same moment, by this clock */
	if (unmap->ts - event->ts > (is_late ? SUPERSEDE_NS : REORDER_NS))
		return false;
	if (unmap->cpu != event->cpu || unmap->n_phys)
		return unmap->cpu != event->cpu;
	if (is_in_interrupt(event))
		return true;
	return unmap->pid != event->pid && !is_in_interrupt(unmap);
}

/* What user space may hand to the kernel for direct I/O: sectors, in the caller's context. */
#define SECTOR 512
#define PAGE   4096

static bool may_be_users(const struct dms_mapping *mapping)
{
	return mapping->kind <= DMS_MAPPING_SG && mapping->kind != DMS_MAPPING_RESOURCE &&
	       !mapping->in_interrupt && !(mapping->size % SECTOR) && !(mapping->cpu_addr % 4);
}

static bool is_of_pages(const struct dms_mapping *mapping)
{
	return mapping->kind == DMS_MAPPING_SG && !(mapping->size % PAGE) &&
	       !(mapping->cpu_addr % PAGE);
}

/*
 * User space may read into one buffer by several threads or requests at once, and have a dma-buf
 * mapped for each plane of an image: its own matter, and no driver's mistake. A list that was
 * mapped twice by mistake is unmapped once.
 */
static bool may_be_user_space(const struct incident *incident)
{
	const struct dms_mapping *older = &incident->older, *newer = &incident->newer;

	if (incident->kind != DMS_STEP_OVERLAP || !incident->overlap.bytes)
		return false;
	if (is_of_pages(older) && is_of_pages(newer) &&
	    (incident->older_end == DMS_END_UNMAPPED) == (incident->newer_end == DMS_END_UNMAPPED))
		return true;
	return may_be_users(older) && may_be_users(newer) &&
	       (incident->is_of_several || older->map_pid != newer->map_pid);
}

/* ---- telling -------------------------------------------------------------------------------- */

/* Memory was mapped again, and the first mapping's unmap never came: maybe it is only not here. */
static bool is_unended(const struct incident *incident)
{
	return incident->kind == DMS_STEP_OVERLAP && incident->overlap.bytes &&
	       incident->older_end != DMS_END_UNMAPPED;
}

static void count_unended(const struct incident *incident, struct strays *strays)
{
	if (incident->older.device == incident->newer.device)
		strays->n_overlapped++;
	else
		strays->n_handed_on++;
}

/* So many maps and not one unmap: they come on CPUs, or in tasks, that were not recorded. */
#define MANY_MAPS 8
static bool has_no_unmaps(const struct device_state *state)
{
	return state->n_streamed >= MANY_MAPS && !state->n_released;
}

static struct dms_error *tell(struct dms_model *model, struct incident *incident)
{
	struct device_state *owner = model->devices[incident->older.device];
	struct dms_step step = {
		.kind = incident->kind,
		.mapping = &incident->older,
		.doubts = incident->doubts,
		.end = incident->older_end,
	};

	if (is_unended(incident))
		count_unended(incident, &owner->strays);
	if (incident->older_end == DMS_END_LOST)
		return NULL; /* its unmap is known to be missing: it may have come before */
	if (!is_end_sure(incident, owner) && model_can_elide(model, owner))
		step.doubts |= DMS_DOUBT_ELIDED;
	if ((step.doubts & DMS_DOUBT_ELIDED) && device_may_elide(owner))
		return NULL; /* it does leave out unmaps: every page used again would be told */
	if (may_be_user_space(incident) || model_lacks_calls(model, owner) || has_no_unmaps(owner) ||
	    model_lacks_unmaps(model, (enum dms_mapping_kind)incident->older.kind) ||
	    (incident->kind == DMS_STEP_OVERLAP &&
	     model_lacks_calls(model, model->devices[incident->newer.device])))
		step.doubts |= DMS_DOUBT_UNTRACED;
	if (incident->kind == DMS_STEP_OVERLAP) {
		step.mapping = &incident->newer;
		step.related = &incident->older;
		step.overlap = &incident->overlap;
	}
	return model_tell(model, model->devices[step.mapping->device], &incident->event, &step);
}

/* Told when both lives are over. */
static struct dms_error *settle(struct dms_model *model, struct incident *incident)
{
	struct dms_error *err;

	if (incident->older_live || incident->newer_live)
		return NULL;
	err = tell(model, incident);
	release(&model->overlap.incidents, incident);
	return err;
}

/* Is it another task that unmaps, or an interrupt? */
static bool is_by_another(const struct live_mapping *live, const struct dms_event *event)
{
	return event && (event->pid != live->mapping.map_pid || is_in_interrupt(event));
}

/* Doubts that what was left at an unbind was forgotten: it was there up to then in any case. */
#define LEAK_DOUBTS (DMS_DOUBT_ENDING | DMS_DOUBT_PATTERN | DMS_DOUBT_OTHER_CLOCK)

static uint32_t doubts_of_end(const struct dms_step *step)
{
	if (step->kind != DMS_STEP_ENDED)
		return step->doubts & DMS_DOUBT_AMBIGUOUS;
	return step->end == DMS_END_UNBOUND ? step->doubts & ~(uint32_t)LEAK_DOUBTS : step->doubts;
}

static void end_older(struct dms_model *model, struct incident *incident,
		      const struct dms_event *event, const struct dms_step *step)
{
	struct live_mapping *live = incident->older_live;

	leave_older(&model->overlap.incidents, incident);
	incident->older = live->mapping;
	incident->older.sg = NULL;
	incident->older_end = step->end;
	incident->is_of_several |= is_by_another(live, event);
	incident->doubts |= doubts_of_end(step);
	if (event && may_be_late(incident, event))
		incident->doubts |= DMS_DOUBT_REORDERED;
}

_apart_ struct dms_error *incident_end(struct dms_model *model, struct live_mapping *live,
			       const struct dms_event *event, const struct dms_step *step)
{
	struct incident_pool *pool = &model->overlap.incidents;
	struct incident *incident;
	struct dms_error *err = NULL;

	if (live->as_newer) {
		incident = incident_at(pool, live->as_newer);
		incident->newer = live->mapping;
		incident->newer.sg = NULL;
		incident->newer_end = step->end;
		incident->newer_live = NULL;
		incident->is_of_several |= is_by_another(live, event);
		live->as_newer = 0;
		err = settle(model, incident);
	}
	while (!err && live->as_older) {
		incident = incident_at(pool, live->as_older);
		end_older(model, incident, event, step);
		err = settle(model, incident);
	}
	return err;
}

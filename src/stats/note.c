// SPDX-License-Identifier: LGPL-2.1-only
/* What statistics look at of a step, in one cache line, so that they need not look at it at once. */
#include "parts.h"

_Static_assert(sizeof(struct dms_stats_note) == 64, "one cache line");

/* In flags. */
#define IS_REMAP      DMS_BIT(0)
#define IS_BOUNCED    DMS_BIT(1)
#define IS_SEEDED     DMS_BIT(2)
#define IS_CHECK_SEEN DMS_BIT(3)
#define HAS_MAPPING   DMS_BIT(4)
#define HAS_EVENT     DMS_BIT(5)
#define REASON_SHIFT  6 /* enum dms_bounce_reason, 2 bits */

_apart_ static uint8_t unusual_flags(const struct dms_mapping *mapping)
{
	return (uint8_t)((mapping->bounced ? IS_BOUNCED : 0) |
			 (mapping->is_seeded ? IS_SEEDED : 0) |
			 (mapping->is_check_seen ? IS_CHECK_SEEN : 0) |
			 mapping->bounce_reason << REASON_SHIFT);
}

static void write_mapping(const struct dms_mapping *mapping, struct dms_stats_note *note)
{
	note->dma_addr = mapping->dma_addr;
	note->size = mapping->size;
	note->kind = mapping->kind;
	note->dir = mapping->dir;
	note->flags = HAS_MAPPING | (mapping->is_remap ? IS_REMAP : 0);
	if (mapping->is_unusual)
		note->flags |= unusual_flags(mapping);
}

static void write_event(const struct dms_event *event, struct dms_stats_note *note)
{
	note->ts = event->ts;
	note->cpu = event->cpu;
	note->flags |= HAS_EVENT;
}

static void write_map(const struct dms_step *step, struct dms_stats_note *note)
{
	write_mapping(step->mapping, note);
	write_event(step->event, note);
	note->map_stack = step->mapping->map_stack;
	note->nents = step->mapping->nents;
	note->ents = step->mapping->ents;
	addresses_of(step->mapping, &note->low, &note->high);
}

static void write_unmap(const struct dms_step *step, struct dms_stats_note *note)
{
	write_mapping(step->mapping, note);
	write_event(step->event, note);
	note->map_cpu = step->mapping->map_cpu;
	note->map_ts = step->mapping->map_ts;
	note->doubts = step->doubts;
	note->event = step->event->kind;
	note->end = (uint8_t)step->end;
}

_apart_ static void write_other(const struct dms_step *step, struct dms_stats_note *note)
{
	const struct dms_event *event = step->event;

	note->flags = 0;
	if (step->mapping)
		write_mapping(step->mapping, note);
	note->ts = step->ts;
	if (event)
		write_event(event, note);
	if (event && (!step->mapping || step->kind == DMS_STEP_BOUNCE)) {
		note->dir = event->dir;
		note->size = event->size;
	}
	note->doubts = step->doubts;
	note->event = event ? event->kind : DMS_EV_NONE;
	note->message = event ? event->message : 0;
	note->end = (uint8_t)step->end;
}

void note_write(const struct dms_step *step, struct dms_stats_note *note)
{
	note->step = (uint8_t)step->kind;
	if (step->kind == DMS_STEP_MAP)
		write_map(step, note);
	else if (step->kind == DMS_STEP_UNMAP)
		write_unmap(step, note);
	else
		write_other(step, note);
}

/* ---- and back ---------------------------------------------------------------------------------- */

static void read_mapping(const struct dms_stats_note *note, struct dms_mapping *mapping)
{
	bool begins = note->step == DMS_STEP_MAP;

	mapping->dma_addr = note->dma_addr;
	mapping->size = note->size;
	mapping->sg = NULL;
	mapping->map_ts = begins ? note->ts : note->map_ts;
	mapping->device = note->device;
	mapping->map_cpu = begins ? note->cpu : note->map_cpu;
	mapping->map_stack = begins ? note->map_stack : DMS_ID_NONE;
	mapping->nents = begins ? note->nents : 1;
	mapping->ents = begins ? note->ents : 1;
	mapping->kind = note->kind;
	mapping->dir = note->dir;
	mapping->is_remap = note->flags & IS_REMAP;
	mapping->is_unusual = 0;
	mapping->bounced = (note->flags & IS_BOUNCED) != 0;
	mapping->is_seeded = (note->flags & IS_SEEDED) != 0;
	mapping->is_check_seen = (note->flags & IS_CHECK_SEEN) != 0;
	mapping->is_compound = !is_single(note->kind);
	mapping->has = 0; /* where it lies the note tells */
	mapping->bounce_reason = note->flags >> REASON_SHIFT;
}

static void read_event(const struct dms_stats_note *note, struct dms_event *event)
{
	bool begins = note->step == DMS_STEP_MAP;

	event->ts = note->ts;
	event->cpu = note->cpu;
	event->kind = begins ? DMS_EV_MAP : (enum dms_event_kind)note->event;
	event->dir = note->dir;
	event->size = note->size;
	event->message = begins ? 0 : note->message;
}

void note_read(const struct dms_stats_note *note, struct noted *ret)
{
	bool begins = note->step == DMS_STEP_MAP;

	read_mapping(note, &ret->mapping);
	read_event(note, &ret->event);
	ret->step.kind = (enum dms_step_kind)note->step;
	ret->step.ts = note->ts;
	ret->step.device = NULL;
	ret->step.mapping = note->flags & HAS_MAPPING ? &ret->mapping : NULL;
	ret->step.event = note->flags & HAS_EVENT ? &ret->event : NULL;
	ret->step.doubts = begins ? 0 : note->doubts;
	ret->step.end = begins ? DMS_END_LIVE : (enum dms_end)note->end;
}

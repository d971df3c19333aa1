// SPDX-License-Identifier: LGPL-2.1-only
/*
 * The second pass over a text dump, one run of it: records wait in a heap until no line that
 * belongs before them, or to them, can follow. How long that is, the first pass has found out.
 */
#include <string.h>

#include "run.h"

/* Events whose stacks may still come are found by number. */
#define MAX_SLOTS (4 * TEXT_WINDOW)

/** What was lost on a CPU since its last event. */
struct loss {
	uint64_t lost;
	bool has_gap;
};

struct text_run_reader {
	const struct text_survey *survey;
	struct text_reader lines;
	struct text_stacks stacks;
	struct text_slot *slots;
	size_t slots_capacity;
	uint32_t n_slots, n_free, n_heap;
	uint32_t free[MAX_SLOTS];
	uint32_t heap[MAX_SLOTS]; /* the oldest first */
	uint32_t by_event[MAX_SLOTS]; /* slot of event n, if it waits still */
	struct loss on_cpu[TEXT_MAX_CPUS], anywhere;
	uint32_t last_cpu;
	/* a later overrun buffer lost each CPU's oldest events: a gap before its next of every CPU */
	uint64_t overrun, since_overrun[TEXT_MAX_CPUS];
	bool is_first_run, is_peeked, is_end;
};

struct dms_error *text_run_open(const struct text_survey *survey, const struct file *file,
				uint32_t run, struct text_run_reader **ret)
{
	const struct text_run *place = &survey->order.runs[run];
	struct text_run_reader *reader = dms_zalloc(sizeof(*reader));
	struct dms_error *err;

	*ret = reader;
	if (!reader)
		return &dms_error_nomem;
	reader->survey = survey;
	reader->is_first_run = !run;
	err = text_reader_open(&reader->lines, file, place->offset, place->end);
	reader->lines.state = place->state;
	reader->lines.column = survey->column;
	return err;
}

void text_run_close(struct text_run_reader *reader)
{
	if (!reader)
		return;
	for (uint32_t i = 0; i < reader->n_slots; i++) {
		dms_free(reader->slots[i].data);
		dms_free(reader->slots[i].chain);
	}
	dms_free(reader->slots);
	text_reader_close(&reader->lines);
	dms_free(reader);
}

uint64_t text_run_position(const struct text_run_reader *reader)
{
	return reader->lines.offset;
}

/* ---- the heap -------------------------------------------------------------------------------- */

/* Among equal times the line that stands first. */
static bool is_before(const struct text_run_reader *reader, uint32_t left, uint32_t right)
{
	const struct text_slot *a = &reader->slots[left], *b = &reader->slots[right];

	return a->ts != b->ts ? a->ts < b->ts : a->event < b->event;
}

static void sift_up(struct text_run_reader *reader, uint32_t at)
{
	uint32_t *heap = reader->heap, slot = heap[at];

	for (; at && is_before(reader, slot, heap[(at - 1) / 2]); at = (at - 1) / 2)
		heap[at] = heap[(at - 1) / 2];
	heap[at] = slot;
}

static void sift_down(struct text_run_reader *reader)
{
	uint32_t *heap = reader->heap, slot = heap[0], at = 0, child;

	while ((child = 2 * at + 1) < reader->n_heap) {
		if (child + 1 < reader->n_heap && is_before(reader, heap[child + 1], heap[child]))
			child++;
		if (!is_before(reader, heap[child], slot))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = slot;
}

static struct text_slot *take_slot(struct text_run_reader *reader, uint32_t *ret_index)
{
	if (reader->n_free) {
		*ret_index = reader->free[--reader->n_free];
	} else {
		if (!dms_grow(&reader->slots, &reader->slots_capacity, reader->n_slots + 1,
			      sizeof(*reader->slots)))
			return NULL;
		*ret_index = reader->n_slots++;
	}
	return &reader->slots[*ret_index];
}

void text_run_take(struct text_run_reader *reader)
{
	uint32_t index = reader->heap[0];

	reader->slots[index].event = 0;
	reader->free[reader->n_free++] = index;
	reader->heap[0] = reader->heap[--reader->n_heap];
	if (reader->n_heap)
		sift_down(reader);
	reader->is_peeked = false;
}

/* ---- losses ---------------------------------------------------------------------------------- */

static void note_loss(struct text_run_reader *reader, uint32_t cpu, uint64_t lost)
{
	struct loss *loss = cpu < TEXT_MAX_CPUS ? &reader->on_cpu[cpu] : &reader->anywhere;

	loss->has_gap = true;
	loss->lost += lost;
}

static void take_loss(struct loss *loss, struct text_slot *slot)
{
	if (!loss->has_gap)
		return;
	slot->has_gap = true;
	slot->lost += loss->lost;
	*loss = (struct loss){0};
}

/*
 * Which CPUs' events were overwritten the header does not say. Those of the first header, and of all
 * others that are equal to it, stand before all records: text.c tells them.
 */
static void note_overrun(struct text_run_reader *reader)
{
	bool is_first = reader->is_first_run && !reader->stacks.n_events;

	if (reader->lines.item.lost && !is_first && reader->survey->counted.are_different)
		reader->overrun++;
}

/* Another dump of the same CPUs follows: what was between the two is in neither. */
static void note_part(struct text_run_reader *reader)
{
	const struct text_reader *lines = &reader->lines;
	static const char word[] = "# tracer:";

	if (reader->survey->buffers.n_joined && reader->stacks.n_events &&
	    lines->len >= sizeof(word) - 1 && !memcmp(lines->line, word, sizeof(word) - 1))
		note_loss(reader, UINT32_MAX, 0);
}

static bool is_behind_overrun(struct text_run_reader *reader, uint32_t cpu)
{
	if (reader->since_overrun[cpu] == reader->overrun)
		return false;
	reader->since_overrun[cpu] = reader->overrun;
	return true;
}

bool text_run_end_gap(const struct text_run_reader *reader, uint64_t *ret_lost, uint32_t *ret_cpu)
{
	bool has_gap = reader->anywhere.has_gap;

	*ret_lost = reader->anywhere.lost;
	*ret_cpu = reader->last_cpu;
	for (uint32_t cpu = 0; cpu < TEXT_MAX_CPUS; cpu++) {
		if (!reader->on_cpu[cpu].has_gap)
			continue;
		has_gap = true;
		*ret_lost += reader->on_cpu[cpu].lost;
		*ret_cpu = cpu;
	}
	return has_gap;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static struct dms_error *fill_slot(struct text_run_reader *reader, const struct text_shape *shape,
				   uint32_t *ret_index)
{
	size_t bytes = text_record_size(shape, &reader->lines.body);
	const struct text_head *head = &reader->lines.item.head;
	struct text_slot *slot = take_slot(reader, ret_index);

	if (!slot)
		return &dms_error_nomem;
	if (!dms_grow(&slot->data, &slot->capacity, bytes, 1)) {
		reader->free[reader->n_free++] = *ret_index;
		return &dms_error_nomem;
	}
	text_record_write(shape, head, &reader->lines.body, slot->data);
	slot->size = (uint32_t)bytes;
	slot->ts = head->ts;
	slot->cpu = head->cpu;
	slot->offset = reader->lines.offset;
	slot->n_chain = 0;
	slot->has_gap = false;
	slot->lost = 0;
	return NULL;
}

static struct dms_error *take_event(struct text_run_reader *reader)
{
	const struct text_head *head = &reader->lines.item.head;
	struct text_body *body = &reader->lines.body;
	const struct text_shape *shape;
	struct text_slot *slot;
	struct dms_error *err;
	uint32_t index;

	text_symbols_settle(reader->survey->symbols, body);
	shape = text_shapes_find(reader->survey->shapes, head, body);
	if (!shape || shape->is_torn) {
		text_stacks_skip(&reader->stacks);
		note_loss(reader, head->cpu, 1);
		return NULL;
	}
	if ((err = fill_slot(reader, shape, &index)))
		return err;
	slot = &reader->slots[index];
	slot->event = text_stacks_event(&reader->stacks, head);
	reader->by_event[slot->event % MAX_SLOTS] = index;
	take_loss(&reader->on_cpu[head->cpu], slot);
	take_loss(&reader->anywhere, slot);
	slot->has_gap |= is_behind_overrun(reader, head->cpu);
	reader->last_cpu = head->cpu;
	reader->heap[reader->n_heap] = index;
	sift_up(reader, reader->n_heap++);
	return NULL;
}

static struct dms_error *take_frame(struct text_run_reader *reader)
{
	const struct text_item *item = &reader->lines.item;
	uint64_t event = text_stacks_line(&reader->stacks, item), address;
	struct text_slot *slot;

	if (!event || item->kind != TEXT_FRAME || !text_frame_is_kernel(&item->frame))
		return NULL;
	slot = &reader->slots[reader->by_event[event % MAX_SLOTS]];
	if (slot->event != event)
		return NULL; /* it was given already: its lines were not in order */
	address = text_symbols_add(reader->survey->symbols, &item->frame);
	if (!address)
		return NULL;
	if (!dms_grow(&slot->chain, &slot->chain_capacity, slot->n_chain + 1, sizeof(address)))
		return &dms_error_nomem;
	slot->chain[slot->n_chain++] = address;
	return NULL;
}

static struct dms_error *take_line(struct text_run_reader *reader)
{
	const struct text_item *item = &reader->lines.item;

	switch (item->kind) {
	case TEXT_EVENT:
		return take_event(reader);
	case TEXT_STACK:
	case TEXT_FRAME:
	case TEXT_END_OF_STACK:
		return take_frame(reader);
	case TEXT_LOST:
		if (!text_losses_know(&reader->survey->losses, reader->lines.offset, item->cpu))
			note_loss(reader, item->cpu, item->lost);
		break;
	case TEXT_CUT: /* of which CPU, a torn line does not tell */
		text_stacks_skip(&reader->stacks);
		note_loss(reader, UINT32_MAX, 1);
		break;
	case TEXT_WRITTEN:
		note_overrun(reader);
		break;
	case TEXT_NOTE:
		note_part(reader);
		break;
	default:
		break;
	}
	return NULL;
}

/* No line to come is older than the oldest record, or belongs to it. */
static bool is_ready(const struct text_run_reader *reader)
{
	const struct text_survey *survey = reader->survey;
	uint64_t newest = reader->stacks.n_events;

	if (!reader->n_heap)
		return false;
	if (reader->is_end || reader->n_heap >= MAX_SLOTS - 1)
		return true;
	return reader->n_heap > survey->order.depth &&
	       newest - reader->slots[reader->heap[0]].event >= survey->lag;
}

struct dms_error *text_run_peek(struct text_run_reader *reader, struct text_slot **ret)
{
	struct dms_error *err;

	*ret = NULL;
	while (!reader->is_peeked && !is_ready(reader)) {
		if (reader->is_end)
			return NULL;
		if ((err = text_reader_next(&reader->lines)))
			return err;
		reader->is_end = reader->lines.is_end;
		if (!reader->is_end && (err = take_line(reader)))
			return err;
	}
	reader->is_peeked = true;
	*ret = &reader->slots[reader->heap[0]];
	return NULL;
}

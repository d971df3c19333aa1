// SPDX-License-Identifier: LGPL-2.1-only
/* The call stack of an event: in its record, or in the record behind it. */
#include "decoder.h"

#define MAX_FRAMES 512

/* The stack of an event that its container keeps with it. */
static bool take_chain(struct dms_decoder *decoder, const struct dms_record *record,
		       struct dms_event *event)
{
	uint32_t n_frames = record->n_chain < MAX_FRAMES ? record->n_chain : MAX_FRAMES;

	if (!decoder->names->stacks)
		return true;
	event->stack = dms_stacks_add(decoder->names->stacks, record->chain, n_frames);
	event->has |= DMS_HAS_STACK;
	return event->stack != DMS_STR_NONE;
}

static bool has_stack(const struct dms_decoder *decoder, const struct dms_record *record)
{
	return decoder->stack_offset && record->next && decoder->names->stacks &&
	       record_type(decoder, record->next, record->next_size) == decoder->stack_type;
}

/* Else the stack of an event is the next record on its CPU. */
_apart_ static bool take_stack(struct dms_decoder *decoder, const struct dms_record *record,
		       struct dms_event *event)
{
	uint64_t frames[MAX_FRAMES], end_mark;
	uint32_t n_frames = 0;

	end_mark = decoder->long_size == 8 ? UINT64_MAX : UINT32_MAX;
	for (uint32_t at = decoder->stack_offset;
	     at + decoder->long_size <= record->next_size && n_frames < MAX_FRAMES;
	     at += decoder->long_size) {
		uint64_t frame =
			load((const uint8_t *)record->next + at, decoder->long_size, decoder->swap);

		if (frame == end_mark || !frame)
			break;
		frames[n_frames++] = frame;
	}
	decoder->has_taken_stack = true;
	decoder->taken_cpu = record->cpu;
	decoder->taken_instance = record->instance;
	if (!n_frames)
		return true;
	event->stack = dms_stacks_add(decoder->names->stacks, frames, n_frames);
	event->has |= DMS_HAS_STACK;
	return event->stack != DMS_STR_NONE;
}

bool stack_take(struct dms_decoder *decoder, const struct dms_record *record,
		struct dms_event *event)
{
	if (record->n_chain)
		return take_chain(decoder, record, event);
	return !has_stack(decoder, record) || take_stack(decoder, record, event);
}

/* The stack that was taken is the next record of its CPU; only those of others come between. */
void stack_count_orphan(struct dms_decoder *decoder, const struct dms_record *record)
{
	if (!decoder->has_taken_stack || record->cpu != decoder->taken_cpu ||
	    record->instance != decoder->taken_instance)
		decoder->orphan_stacks++;
	else
		decoder->has_taken_stack = false;
}

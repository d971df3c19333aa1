// SPDX-License-Identifier: LGPL-2.1-only
/* The call stack of an event: in its record, or in the record behind it. */
#include "decoder.h"

#define MAX_FRAMES 512

void stack_bind(struct dms_decoder *decoder, const struct dms_format *format)
{
	decoder->stack_type = format->id;
	decoder->stack_offset = bind_stack(format);
	decoder->taken_type = decoder->stack_offset ? decoder->stack_type : NO_TYPE;
}

/* The stack of an event that its container keeps with it. */
bool stack_take_chain(struct dms_decoder *decoder, const struct dms_record *record,
		      struct dms_event *event)
{
	uint32_t n_frames = record->n_chain < MAX_FRAMES ? record->n_chain : MAX_FRAMES;

	if (!decoder->names->stacks)
		return true;
	event->stack = dms_stacks_add(decoder->names->stacks, record->chain, n_frames);
	event->has |= DMS_HAS_STACK;
	return event->stack != DMS_STR_NONE;
}

/*
 * The addresses of the stack behind @record, as a 64-bit kernel of our byte order writes them:
 * nothing has to be converted, which saves 100 instructions a stack.
 */
static uint32_t copy_frames(const struct dms_decoder *decoder, const struct dms_record *record,
			    uint64_t frames[static MAX_FRAMES])
{
	const uint8_t *at = (const uint8_t *)record->next + decoder->stack_offset;
	uint32_t n_max = (record->next_size - decoder->stack_offset) / 8, n_frames = 0;

	if (n_max > MAX_FRAMES)
		n_max = MAX_FRAMES;
	for (; n_frames < n_max; n_frames++) {
		uint64_t frame;

		memcpy(&frame, at + n_frames * sizeof(frame), sizeof(frame));
		if (frame == UINT64_MAX || !frame)
			break;
		frames[n_frames] = frame;
	}
	return n_frames;
}

/* The same of any kernel. */
static uint32_t read_frames(const struct dms_decoder *decoder, const struct dms_record *record,
			    uint64_t frames[static MAX_FRAMES])
{
	uint64_t end_mark = decoder->long_size == 8 ? UINT64_MAX : UINT32_MAX;
	uint32_t n_frames = 0;

	for (uint32_t at = decoder->stack_offset;
	     at + decoder->long_size <= record->next_size && n_frames < MAX_FRAMES;
	     at += decoder->long_size) {
		uint64_t frame =
			load((const uint8_t *)record->next + at, decoder->long_size, decoder->swap);

		if (frame == end_mark || !frame)
			break;
		frames[n_frames++] = frame;
	}
	return n_frames;
}

/* Else the stack of an event is the next record on its CPU. */
_apart_ bool stack_take_next(struct dms_decoder *decoder, const struct dms_record *record,
			     struct dms_event *event)
{
	uint64_t frames[MAX_FRAMES];
	uint32_t n_frames;

	if (!decoder->names->stacks)
		return true;
	if (decoder->stack_offset > record->next_size)
		n_frames = 0;
	else if (decoder->long_size == 8 && !decoder->swap)
		n_frames = copy_frames(decoder, record, frames);
	else
		n_frames = read_frames(decoder, record, frames);
	decoder->has_taken_stack = true;
	decoder->taken_cpu = record->cpu;
	decoder->taken_instance = record->instance;
	if (!n_frames)
		return true;
	event->stack = dms_stacks_add(decoder->names->stacks, frames, n_frames);
	event->has |= DMS_HAS_STACK;
	return event->stack != DMS_STR_NONE;
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

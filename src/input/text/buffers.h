/* SPDX-License-Identifier: LGPL-2.1-only */
/* Does a text hold one trace, once? Each CPU's times tell: in one buffer they never go back. */
#ifndef DMS_INPUT_TEXT_BUFFERS_H
#define DMS_INPUT_TEXT_BUFFERS_H

#include "reader.h"

/** More than these are a text that is out of order, not several traces. */
#define TEXT_MAX_STRETCHES 64

/** Lines in which no CPU's time goes back. */
struct text_stretch {
	uint64_t offset, n_events;
	uint64_t sum; /* of the hashes of its events, whatever their order */
};

/** What CPUs' times told so far. Zeroed at the start. */
struct text_buffers {
	struct text_stretch stretches[TEXT_MAX_STRETCHES];
	uint32_t n_stretches;
	uint32_t part;		 /* headers of a tracer with events between */
	bool is_part_begun;	 /* by an event */
	uint64_t part_offset;	 /* of its header */
	uint64_t n_events;
	uint64_t n_back;	 /* places where a CPU's time goes back, and no header says why */
	uint64_t back_offset;
	uint64_t n_repeats;	 /* events that are the one before on their CPU once more */
	uint32_t n_joined;	 /* CPUs that go on behind another header */
	uint64_t restart_offset; /* of the header of a part in which a CPU's time goes back */
	uint32_t restart_cpu;
	bool is_restarted;
	struct {
		uint64_t newest, hash; /* of its last event */
		uint32_t stretch, part; /* it was in; from 1 */
	} cpus[TEXT_MAX_CPUS];
};

/** The first line of a tracer's header. */
void text_buffers_header(struct text_buffers *buffers, uint64_t offset);
/** The event that @reader has read. */
void text_buffers_event(struct text_buffers *buffers, const struct text_reader *reader);
/** There are no more. Return: an offset and why the text is not read, or NULL. */
const char *text_buffers_refuse(const struct text_buffers *buffers, uint64_t *ret_offset);

#endif

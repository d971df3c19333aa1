// SPDX-License-Identifier: LGPL-2.1-only
/* The ftrace dumps of a console log: where each begins and ends, and which one to read. */
#include <string.h>

#include "survey.h"

/* The last that is complete is what a user wants to know of; else the one with most in it. */
static void close_current(struct text_dumps *dumps)
{
	const struct text_dump *current = &dumps->current;
	bool is_better = current->is_complete ||
			 (!dumps->chosen.is_complete &&
			  current->n_events >= dumps->chosen.n_events);

	if (current->end && current->n_events) {
		dumps->n_dumps++;
		if (is_better)
			dumps->chosen = *current;
	}
	dumps->current.end = 0;
}

void text_dumps_line(struct text_dumps *dumps, const struct text_reader *reader,
		     const char release[static TEXT_RELEASE_BYTES])
{
	const struct text_state *state = &reader->state;
	struct text_dump *current = &dumps->current;

	if (state->n_dumps != dumps->n_begun) {
		close_current(dumps);
		dumps->n_begun = state->n_dumps;
		*current = (struct text_dump){.offset = reader->offset};
		memcpy(current->release, release, TEXT_RELEASE_BYTES);
		current->end = text_reader_position(reader);
	}
	if (!current->end) {
		dumps->n_outside += reader->item.kind == TEXT_EVENT;
		return;
	}
	current->end = text_reader_position(reader);
	current->n_events += reader->item.kind == TEXT_EVENT;
	if (state->is_in_dump)
		return;
	current->is_complete = true;
	close_current(dumps);
}

const struct text_dump *text_dumps_choose(struct text_dumps *dumps)
{
	close_current(dumps);
	return dumps->chosen.end ? &dumps->chosen : NULL;
}

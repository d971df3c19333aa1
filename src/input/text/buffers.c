// SPDX-License-Identifier: LGPL-2.1-only
/* Does a text hold one trace, once? Each CPU's times tell: in one buffer they never go back. */
#include "buffers.h"

/* One event more often than this is no coincidence of times in microseconds. */
#define REPEATS_PERCENT 25

void text_buffers_header(struct text_buffers *buffers, uint64_t offset)
{
	if (buffers->part && !buffers->is_part_begun)
		return; /* the same header, or one of an empty buffer */
	buffers->part++;
	buffers->is_part_begun = false;
	buffers->part_offset = offset;
}

static uint64_t hash_of(const struct text_head *head)
{
	uint64_t hash = dms_hash_bytes(head->body.str, head->body.len);

	return dms_hash64(hash ^ head->ts ^ (uint64_t)head->pid << 32 ^ (uint64_t)head->cpu << 17);
}

static void begin_stretch(struct text_buffers *buffers, uint64_t offset)
{
	if (buffers->n_stretches < TEXT_MAX_STRETCHES)
		buffers->stretches[buffers->n_stretches++] =
			(struct text_stretch){.offset = offset};
}

/* The CPU had events in a part before this one: parts of one buffer have each CPU once. */
static void note_part(struct text_buffers *buffers, const struct text_head *head)
{
	if (head->ts >= buffers->cpus[head->cpu].newest) {
		buffers->n_joined++;
	} else if (!buffers->is_restarted) {
		buffers->is_restarted = true;
		buffers->restart_offset = buffers->part_offset;
		buffers->restart_cpu = head->cpu;
	}
}

void text_buffers_event(struct text_buffers *buffers, const struct text_reader *reader)
{
	const struct text_head *head = &reader->item.head;
	uint64_t hash = hash_of(head);
	struct text_stretch *stretch;

	if (!buffers->part)
		buffers->part = 1;
	if (!buffers->is_part_begun)
		begin_stretch(buffers, reader->offset);
	buffers->is_part_begun = true;
	if (buffers->cpus[head->cpu].part && buffers->cpus[head->cpu].part != buffers->part) {
		note_part(buffers, head);
	} else if (buffers->cpus[head->cpu].stretch == buffers->n_stretches) {
		if (head->ts < buffers->cpus[head->cpu].newest) {
			if (!buffers->n_back++)
				buffers->back_offset = reader->offset;
			begin_stretch(buffers, reader->offset);
		} else if (hash == buffers->cpus[head->cpu].hash) {
			buffers->n_repeats++;
		}
	}
	stretch = &buffers->stretches[buffers->n_stretches - 1];
	stretch->n_events++;
	stretch->sum += hash;
	buffers->n_events++;
	buffers->cpus[head->cpu].newest = head->ts;
	buffers->cpus[head->cpu].hash = hash;
	buffers->cpus[head->cpu].stretch = buffers->n_stretches;
	buffers->cpus[head->cpu].part = buffers->part;
}

/* A stretch that is one before it once more; NULL: there is none. */
static const struct text_stretch *find_twin(const struct text_buffers *buffers)
{
	for (uint32_t i = 1; i < buffers->n_stretches; i++) {
		const struct text_stretch *later = &buffers->stretches[i];

		for (uint32_t j = 0; j < i && later->n_events > 1; j++) {
			const struct text_stretch *earlier = &buffers->stretches[j];

			if (later->n_events == earlier->n_events && later->sum == earlier->sum)
				return later;
		}
	}
	return NULL;
}

const char *text_buffers_refuse(const struct text_buffers *buffers, uint64_t *ret_offset)
{
	const struct text_stretch *twin = find_twin(buffers);

	*ret_offset = 0;
	if (twin) {
		*ret_offset = twin->offset;
		return "the events before it come once more: give each once";
	}
	if (buffers->n_repeats > 1 && buffers->n_repeats * 100 > buffers->n_events * REPEATS_PERCENT)
		return "its lines come twice: give each once";
	if (!buffers->is_restarted)
		return NULL;
	*ret_offset = buffers->restart_offset;
	return "another trace begins, whose times go back: cut the file here, and analyze its parts "
	       "one by one";
}

// SPDX-License-Identifier: LGPL-2.1-only
/*
 * A call that two probes tell of: one at its entry knows its arguments, one at its return what it
 * returns. Before Linux 6.9 no probe sees both.
 *
 * Both tell where the stack is, which no other call under way at that moment has in common: the
 * return finds its entry whatever interrupts did in between, and wherever the task went on.
 */
#include "format.h"
#include "probe.h"

/* Calls under way, and those whose return was missed: no machine has that many at once. */
#define MOST_CALLS 1024

/* The stack pointer waits where an event of this kind has nothing. */
#define AT_STACK offsetof(struct dms_event, dma_mask)

/* A return has popped the return address: 8 bytes, none where a register holds it; some kernels say 16. */
#define MOST_POPPED 16

#define AT(member)   offsetof(struct dms_event, member)
#define FIELDS(rows) rows, DMS_ARRAY_SIZE(rows)

/* clang-format off */
static const struct field_row entry_fields[] = {
	{ "device",	 FIELD_PROBE_NAME, AT(device),	DMS_HAS_DEVICE,	   true },
	{ "size",	 FIELD_U64,	AT(size),	DMS_HAS_SIZE,	   true },
	{ "sp",		 FIELD_U64,	AT_STACK,	0,		   true },
	{ "phys_addr",	 FIELD_U64,	AT(phys_addr),	DMS_HAS_PHYS_ADDR, false },
	{ "dir",	 FIELD_DIR,	AT(dir),	DMS_HAS_DIR,	   false },
	{ "attrs",	 FIELD_U64,	AT(attrs),	DMS_HAS_ATTRS,	   false },
};
static const struct field_row return_fields[] = {
	{ "dma_addr",	 FIELD_U64,	AT(dma_addr),	DMS_HAS_DMA_ADDR,  true },
	{ "sp",		 FIELD_U64,	AT_STACK,	0,		   true },
};

const struct probe_half probe_halves[] = {
	{ { "dma", "dma_map_page_entry",     DMS_EV_MAP,	  FIELDS(entry_fields) },  HALF_ENTRY },
	{ { "dma", "dma_map_page",	     DMS_EV_MAP,	  FIELDS(return_fields) }, HALF_RETURN },
	{ { "dma", "dma_map_resource_entry", DMS_EV_MAP_RESOURCE, FIELDS(entry_fields) },  HALF_ENTRY },
	{ { "dma", "dma_map_resource",	     DMS_EV_MAP_RESOURCE, FIELDS(return_fields) }, HALF_RETURN },
};
const size_t n_probe_halves = DMS_ARRAY_SIZE(probe_halves);
/* clang-format on */

/** A call whose entry was seen. */
struct call {
	uint64_t stack;
	struct dms_event event;
};

struct probe_calls {
	struct call calls[MOST_CALLS];
	size_t n_calls, oldest;
};

const struct probe_half *probe_half_of(const struct dms_format *format)
{
	struct format_field field;

	for (size_t i = 0; i < n_probe_halves; i++) {
		const struct event_row *row = &probe_halves[i].event;

		/* an event that is no probe has the name of a return, but no stack pointer */
		if (!strcmp(row->name, format->name) && !strcmp(row->system, format->system) &&
		    format_find(format->text, format->size, "sp", &field))
			return &probe_halves[i];
	}
	return NULL;
}

/* Where the entry of a call at @stack belongs: in place of one that never returned, if there is one. */
static struct call *find_place(struct probe_calls *calls, uint64_t stack)
{
	for (size_t i = 0; i < calls->n_calls; i++) {
		if (calls->calls[i].stack == stack)
			return &calls->calls[i];
	}
	if (calls->n_calls < MOST_CALLS)
		return &calls->calls[calls->n_calls++];
	return &calls->calls[calls->oldest++ % MOST_CALLS];
}

/* The entry of the call that returns with its stack at @stack; NULL: it was not seen. */
static struct call *find_call(struct probe_calls *calls, const struct dms_event *event,
			      uint64_t stack)
{
	struct call *best = NULL;

	for (size_t i = 0; i < calls->n_calls; i++) {
		struct call *call = &calls->calls[i];

		if (call->stack <= stack && stack - call->stack <= MOST_POPPED &&
		    call->event.pid == event->pid && call->event.kind == event->kind &&
		    call->event.instance == event->instance &&
		    (!best || call->stack > best->stack))
			best = call;
	}
	return best;
}

/* What the entry knows, in the event of the return, which has the time, the CPU and the call stack. */
static void join(struct dms_event *event, const struct dms_event *entry)
{
	event->has |= entry->has;
	event->device = entry->device;
	event->size = entry->size;
	event->phys_addr = entry->phys_addr;
	event->dir = entry->dir;
	event->attrs = entry->attrs;
}

malformed probe_join(struct dms_decoder *decoder, enum half half, struct dms_event *event)
{
	uint64_t stack = event->dma_mask;
	struct call *call;

	event->dma_mask = 0;
	if (!decoder->calls && !(decoder->calls = dms_zalloc(sizeof(*decoder->calls))))
		return out_of_memory;
	if (half == HALF_ENTRY) {
		*find_place(decoder->calls, stack) = (struct call){stack, *event};
		event->kind = DMS_EV_NONE;
		return NULL;
	}
	call = find_call(decoder->calls, event, stack);
	if (!call) { /* it began before the trace, or a probe missed it */
		event->kind = DMS_EV_NONE;
		return NULL;
	}
	join(event, &call->event);
	*call = decoder->calls->calls[--decoder->calls->n_calls];
	return NULL;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Which lines belong together in a text dump: sorted runs of events, and stacks with their event. */
#include "order.h"

/* A run this short at the end of a file is rather something that comes late. */
#define MIN_DEPTH 64

static uint64_t newest_of(const struct text_track *track)
{
	return track->n ? track->newest[(track->n - 1) % TEXT_WINDOW] : 0;
}

static void push(struct text_track *track, uint64_t ts)
{
	uint64_t newest = newest_of(track);

	track->newest[track->n % TEXT_WINDOW] = ts > newest ? ts : newest;
	track->n++;
}

/* How many events of @track would have to wait for one of time @ts; TEXT_WINDOW + 1: too many. */
static uint32_t depth_of(const struct text_track *track, uint64_t ts)
{
	uint64_t low = track->n > TEXT_WINDOW ? track->n - TEXT_WINDOW : 0, high = track->n;

	if (low && track->newest[low % TEXT_WINDOW] > ts)
		return TEXT_WINDOW + 1;
	while (low < high) { /* the first that is newer */
		uint64_t middle = (low + high) / 2;

		if (track->newest[middle % TEXT_WINDOW] <= ts)
			low = middle + 1;
		else
			high = middle;
	}
	return (uint32_t)(track->n - low);
}

static void deepen(struct text_order *order, uint32_t depth)
{
	if (depth > order->depth)
		order->depth = depth < TEXT_WINDOW ? depth : TEXT_WINDOW;
}

/* Those that are older are a run of their own. False: there are too many. */
static bool split(struct text_order *order)
{
	if (order->n_runs == TEXT_MAX_RUNS)
		return false;
	order->runs[order->n_runs++] = order->back_run;
	order->run = order->back;
	order->back.n = 0;
	order->back_depth = 0;
	return true;
}

/* They were late, no more. */
static void join(struct text_order *order)
{
	deepen(order, order->back_depth);
	order->back.n = 0;
	order->back_depth = 0;
}

static void come_late(struct text_order *order, uint64_t ts, uint32_t depth)
{
	deepen(order, depth_of(&order->back, ts));
	push(&order->back, ts);
	push(&order->run, ts);
	if (depth > order->back_depth)
		order->back_depth = depth;
	if (depth <= TEXT_WINDOW && order->back.n <= TEXT_WINDOW)
		return;
	if (!split(order))
		join(order);
}

void text_order_event(struct text_order *order, uint64_t ts, uint64_t offset,
		      const struct text_state *state)
{
	uint32_t depth;

	if (!order->n_runs) {
		order->runs[0] = (struct text_run){.offset = offset, .state = *state};
		order->n_runs = 1;
	}
	if (ts >= newest_of(&order->run)) {
		join(order);
		push(&order->run, ts);
		return;
	}
	depth = depth_of(&order->run, ts);
	if (order->back.n && depth > TEXT_WINDOW && order->back_depth <= TEXT_WINDOW &&
	    depth_of(&order->back, ts) && split(order)) {
		/* those before it are a run, and it is older than these as well */
		text_order_event(order, ts, offset, state);
		return;
	}
	if (!order->back.n)
		order->back_run = (struct text_run){.offset = offset, .state = *state};
	come_late(order, ts, depth);
}

void text_order_end(struct text_order *order, uint64_t offset, uint64_t end)
{
	if (!order->back.n || order->back_depth <= MIN_DEPTH || !split(order))
		join(order);
	for (uint32_t i = 0; i < order->n_runs; i++)
		order->runs[i].end = i + 1 < order->n_runs ? order->runs[i + 1].offset : end;
	if (order->n_runs)
		order->runs[0] = (struct text_run){
			.offset = offset, /* with its headers */
			.end = order->runs[0].end,
		};
}

/* ---- stacks ---------------------------------------------------------------------------------- */

uint64_t text_stacks_event(struct text_stacks *stacks, const struct text_head *head)
{
	stacks->n_events++;
	stacks->open = 0;
	stacks->is_closed = false;
	stacks->last[head->cpu].event = stacks->n_events;
	stacks->last[head->cpu].pid = head->pid;
	return stacks->n_events;
}

void text_stacks_skip(struct text_stacks *stacks)
{
	stacks->open = 0;
	stacks->is_closed = true;
	stacks->barrier = stacks->n_events;
}

/* A stack begins; who has none yet? */
static uint64_t find_event(struct text_stacks *stacks, const struct text_head *head)
{
	uint64_t event;

	if (!head->comm.str) /* it follows its event */
		return stacks->is_closed ? 0 : stacks->n_events;
	if (head->cpu >= TEXT_MAX_CPUS)
		return 0;
	event = stacks->last[head->cpu].event;
	if (event <= stacks->barrier || stacks->last[head->cpu].pid != head->pid ||
	    stacks->n_events - event > TEXT_WINDOW)
		return 0;
	stacks->last[head->cpu].event = 0;
	return event;
}

uint64_t text_stacks_line(struct text_stacks *stacks, const struct text_item *item)
{
	if (item->kind == TEXT_STACK) {
		stacks->open = find_event(stacks, &item->head);
		stacks->orphans += !stacks->open;
		stacks->is_closed = true;
	} else if (item->kind == TEXT_END_OF_STACK) {
		stacks->open = 0;
		stacks->is_closed = true;
	} else if (!stacks->is_closed) { /* the first frame, and no head before it */
		stacks->open = stacks->n_events;
		stacks->is_closed = true;
	}
	return stacks->open;
}

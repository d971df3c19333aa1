// SPDX-License-Identifier: LGPL-2.1-only
/* Where losses begin that a text marks where they end: before the CPU's next event. */
#include <stdlib.h>

#include "losses.h"

void text_losses_event(struct text_losses *losses, uint32_t cpu, uint64_t ts)
{
	uint32_t open = losses->cpus[cpu].open;

	if (open)
		losses->items[open - 1].before_ts = ts;
	losses->cpus[cpu].open = 0;
	losses->cpus[cpu].last_ts = ts;
}

static struct text_loss *add(struct text_losses *losses, uint32_t cpu)
{
	struct text_loss *loss;

	if (!dms_grow(&losses->items, &losses->capacity, losses->n_items + 1, sizeof(*loss)))
		return NULL;
	loss = &losses->items[losses->n_items++];
	*loss = (struct text_loss){
		.after_ts = losses->cpus[cpu].last_ts,
		.before_ts = UINT64_MAX,
		.cpu = cpu,
	};
	losses->cpus[cpu].open = (uint32_t)losses->n_items;
	return loss;
}

bool text_losses_mark(struct text_losses *losses, uint64_t offset, uint32_t cpu, uint64_t lost)
{
	struct text_loss *loss;

	losses->is_full |= losses->n_items >= TEXT_MAX_LOSSES;
	if (cpu >= TEXT_MAX_CPUS || losses->is_full)
		return true;
	loss = losses->cpus[cpu].open ? &losses->items[losses->cpus[cpu].open - 1]
				      : add(losses, cpu);
	if (!loss)
		return false;
	loss->lost += lost;
	losses->end = offset + 1;
	return true;
}

static int compare(const void *left, const void *right)
{
	const struct text_loss *a = left, *b = right;

	if (a->after_ts != b->after_ts)
		return a->after_ts < b->after_ts ? -1 : 1;
	return a->cpu < b->cpu ? -1 : a->cpu > b->cpu;
}

void text_losses_end(struct text_losses *losses)
{
	if (losses->n_items)
		qsort(losses->items, losses->n_items, sizeof(*losses->items), compare);
}

bool text_losses_know(const struct text_losses *losses, uint64_t offset, uint32_t cpu)
{
	return cpu < TEXT_MAX_CPUS && offset < losses->end;
}

void text_losses_deinit(struct text_losses *losses)
{
	dms_free(losses->items);
	losses->items = NULL;
}

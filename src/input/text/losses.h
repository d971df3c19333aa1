/* SPDX-License-Identifier: LGPL-2.1-only */
/* Where losses begin that a text marks where they end: before the CPU's next event. */
#ifndef DMS_INPUT_TEXT_LOSSES_H
#define DMS_INPUT_TEXT_LOSSES_H

#include "reader.h"

/** Marks beyond these are told where they stand: memory must not grow with the text. */
#define TEXT_MAX_LOSSES 65536

/** What was lost of one CPU, between two of its events. */
struct text_loss {
	uint64_t after_ts, before_ts; /* 0: there was none before; UINT64_MAX: nor comes one */
	uint64_t lost;		      /* 0: nobody knows how many */
	uint32_t cpu;
};

/** The marks of a text, as the first pass reads them; then by where they begin. Zeroed at the start. */
struct text_losses {
	struct text_loss *items;
	size_t n_items, capacity;
	uint64_t end; /* marks before this offset are known */
	bool is_full;
	struct {
		uint64_t last_ts; /* of its last event; 0: none */
		uint32_t open;	  /* item whose end is awaited, plus 1 */
	} cpus[TEXT_MAX_CPUS];
};

/** An event of CPU @cpu. */
void text_losses_event(struct text_losses *losses, uint32_t cpu, uint64_t ts);
/** The mark at @offset: so many are lost of @cpu, if it names one. False: memory is short. */
bool text_losses_mark(struct text_losses *losses, uint64_t offset, uint32_t cpu, uint64_t lost);
/** There are no more: put them in order. */
void text_losses_end(struct text_losses *losses);
/** True if the mark at @offset is one of them. */
bool text_losses_know(const struct text_losses *losses, uint64_t offset, uint32_t cpu);
void text_losses_deinit(struct text_losses *losses);

#endif

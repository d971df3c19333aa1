/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a text dump holds, found out before its first record is given. */
#ifndef DMS_INPUT_TEXT_SURVEY_H
#define DMS_INPUT_TEXT_SURVEY_H

#include "order.h"
#include "shape.h"
#include "symbols.h"

/** Lines that could not be used, and the first of them. */
struct text_trouble {
	uint64_t count, offset;
	const char *why; /* static; NULL: count says it all */
};

/** What was found out. Grows with what is distinct in the dump, never with the dump. */
struct text_survey {
	struct text_shapes *shapes;
	struct text_symbols *symbols;
	struct text_comms *comms;
	struct text_order order;
	struct text_stacks stacks;
	uint32_t lag; /* most events between one and its stack, and one more; 0: no stacks */
	const char *dialect; /* of the first event; NULL: there is none, this is no trace */
	bool has_dialects;   /* and of others */
	uint64_t n_events, n_entries; /* lines that a header would count: with stacks and strange ones */
	uint64_t n_unknown; /* of n_events: no row of ours knows them */
	struct text_trouble cut;     /* torn or malformed */
	struct text_trouble crowded; /* events beyond TEXT_MAX_SHAPES */
	struct text_trouble strange; /* written in a form that cannot be used */
	uint64_t lost;	     /* overwritten before the dump was taken: see text_source */
	uint64_t n_promised; /* entries, as the headers count them; 0: they do not */
	bool is_open;	     /* the last line has no end */
	uint32_t n_cpus;
	uint32_t resolution_ns;
	bool is_in_ticks;
	bool has_flags;	    /* interrupt and preemption state: of all events */
	bool has_hashes;    /* pointers the kernel hashed */
	bool has_addresses; /* of stack frames; of all of them */
	bool is_32bit;
	char release[128];
};

/** Read all of @file. Errors: reading failed, memory. */
struct dms_error *text_survey(struct text_survey *survey, const struct file *file);
void text_survey_deinit(struct text_survey *survey);

/* text_comms.c: names of tasks by pid. */
struct text_comms *text_comms_create(void);
void text_comms_destroy(struct text_comms *comms);
/** False: memory is short. */
bool text_comms_note(struct text_comms *comms, uint32_t pid, struct text_piece comm);
/** "pid comm" lines, by pid, the last name of each; terminated. NULL: memory is short. */
char *text_comms_text(const struct text_comms *comms);

#endif

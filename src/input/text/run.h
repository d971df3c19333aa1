/* SPDX-License-Identifier: LGPL-2.1-only */
/* The records of one run of a text dump, in time order and with their stacks. */
#ifndef DMS_INPUT_TEXT_RUN_H
#define DMS_INPUT_TEXT_RUN_H

#include "survey.h"

/** A record in the making, and what was lost before it. */
struct text_slot {
	uint64_t event; /* its number in the run, from 1; 0: the slot is free */
	uint64_t ts, offset, lost;
	uint8_t *data;
	size_t capacity; /* of data, bytes */
	uint64_t *chain;
	size_t chain_capacity;
	uint32_t size, n_chain, cpu;
	bool has_gap; /* lost events, 0: nobody knows how many */
};

/** Reads one run ahead, as far as needed. */
struct text_run_reader;
/** Errors: memory. @survey and @file are borrowed. */
struct dms_error *text_run_open(const struct text_survey *survey, const struct file *file,
				uint32_t run, struct text_run_reader **ret);
void text_run_close(struct text_run_reader *reader);

/** The oldest record that is complete, borrowed until it is taken; *@ret NULL at the end. */
struct dms_error *text_run_peek(struct text_run_reader *reader, struct text_slot **ret);
/** Done with what text_run_peek() gave: its memory is used again for records to come. */
void text_run_take(struct text_run_reader *reader);
/** What was lost behind the last record; false: nothing. */
bool text_run_end_gap(const struct text_run_reader *reader, uint64_t *ret_lost, uint32_t *ret_cpu);
/** Where it reads, in the file. */
uint64_t text_run_position(const struct text_run_reader *reader);

#endif

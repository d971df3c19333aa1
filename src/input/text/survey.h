/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a text dump holds, found out before its first record is given. */
#ifndef DMS_INPUT_TEXT_SURVEY_H
#define DMS_INPUT_TEXT_SURVEY_H

#include "buffers.h"
#include "losses.h"
#include "order.h"
#include "shape.h"
#include "symbols.h"

#define TEXT_RELEASE_BYTES 128

/** Lines that could not be used, and the first of them. */
struct text_trouble {
	uint64_t count, offset;
	const char *why; /* static; NULL: count says it all */
};

/**
 * What the headers count. Those of per_cpu/cpu0/trace and its like all count the whole buffer: equal
 * ones are taken for one.
 */
struct text_counted {
	uint64_t n_headers;
	uint64_t kept, lost; /* entries in the buffer; overwritten before: sums */
	uint64_t first_kept, first_lost;
	bool are_different;
};

/** A dump of ftrace in a console log. Its times count from its own first event. */
struct text_dump {
	uint64_t offset, end; /* in the file; end is behind its last line */
	uint64_t n_events;
	bool is_complete; /* its end was marked */
	char release[TEXT_RELEASE_BYTES]; /* of the kernel that wrote it; empty: not told */
};

/** The dumps of a log, as line by line is read. */
struct text_dumps {
	struct text_dump current; /* end 0: there is none */
	struct text_dump chosen;  /* the last complete one, else the longest; end 0: there is none */
	uint32_t n_begun, n_dumps; /* n_dumps: with events */
	uint64_t n_outside;	   /* events that are in none */
};

/** What was found out. Grows with what is distinct in the dump, never with the dump. */
struct text_survey {
	struct text_shapes *shapes;
	struct text_symbols *symbols;
	struct text_comms *comms;
	struct text_order order;
	struct text_buffers buffers;
	struct text_losses losses;
	struct text_stacks stacks;
	uint32_t lag; /* most events between one and its stack, and one more; 0: no stacks */
	const char *dialect; /* of the first event, or of the header if all are its lines; NULL: no trace */
	const char *headed;  /* who wrote a header; NULL: there is none */
	bool has_dialects;   /* and of others */
	uint64_t n_events, n_entries; /* lines that a header would count: with stacks and strange ones */
	uint64_t n_unknown; /* of n_events: no row of ours knows them */
	struct text_trouble cut;     /* torn or malformed */
	uint64_t n_torn;	     /* events of which a direction or arguments were torn out */
	struct text_trouble crowded; /* events beyond TEXT_MAX_SHAPES */
	struct text_trouble strange; /* written in a form that cannot be used */
	uint64_t lost;	     /* overwritten before the dump was taken: see text_source */
	uint64_t n_missing;  /* entries that the headers count and that are not here */
	struct text_counted counted;
	uint64_t offset, end; /* in the file: what is read of it */
	uint32_t n_dumps;     /* with events, in the file: one of them is read, or all if it is one */
	uint64_t n_left_out;  /* events in none of them, and not read */
	bool is_dump_cut;     /* the end of the dump that is read is missing */
	uint64_t first_ts[TEXT_MAX_CPUS]; /* of each CPU; UINT64_MAX: it has no event */
	uint32_t n_cpus_seen;
	bool is_open;	     /* the last line has no end */
	uint32_t column;     /* at which lines were cut; 0: they were not */
	struct text_widths {
		uint32_t longest; /* of event lines, bytes */
		uint64_t n_events, n_cut; /* so long: whole, broken off */
	} widths;
	uint32_t n_cpus;
	uint32_t resolution_ns;
	bool is_in_ticks;
	bool has_flags;	    /* interrupt and preemption state: of all events */
	bool has_hashes;    /* pointers the kernel hashed */
	bool has_addresses; /* of stack frames; of all of them */
	bool is_32bit;
	/* of the kernel, terminated: of the last messages; of those before the first event */
	char newest_release[TEXT_RELEASE_BYTES], release[TEXT_RELEASE_BYTES];
};

/** Read all of @file. Errors: reading failed, memory. */
struct dms_error *text_survey(struct text_survey *survey, const struct file *file);
void text_survey_deinit(struct text_survey *survey);

/* dumps.c */
/** The line that @reader has read; @release: of the kernel, as messages so far tell it. */
void text_dumps_line(struct text_dumps *dumps, const struct text_reader *reader,
		     const char release[static TEXT_RELEASE_BYTES]);
/** There are no more: the dump to read; NULL if there is none with events. */
const struct text_dump *text_dumps_choose(struct text_dumps *dumps);

/* text_comms.c: names of tasks by pid. */
struct text_comms *text_comms_create(void);
void text_comms_destroy(struct text_comms *comms);
/** False: memory is short. */
bool text_comms_note(struct text_comms *comms, uint32_t pid, struct text_piece comm);
/** "pid comm" lines, by pid, the last name of each; terminated. NULL: memory is short. */
char *text_comms_text(const struct text_comms *comms);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a line of a text dump says: the words between its readers (text_line.c, text_body.c) and text.c. */
#ifndef DMS_INPUT_TEXT_H
#define DMS_INPUT_TEXT_H

#include <string.h>

#include <dmascope/base.h>

/** A piece of a line: borrowed, not terminated. */
struct text_piece {
	const char *str; /* NULL: the dialect does not say */
	uint32_t len;
};

/** What stands before the event's own words. */
struct text_head {
	struct text_piece comm;
	struct text_piece system; /* "dma": perf and new trace-cmd name it, tracefs does not */
	struct text_piece name;	  /* "dma_map_page"; of a probe, its event */
	struct text_piece body;	  /* all behind the name's colon, trimmed */
	uint64_t ts;		  /* ns; where the clock has no unit, ticks */
	uint32_t pid;
	uint32_t cpu;
	uint32_t resolution_ns;	  /* of ts: 1000 for six decimals */
	uint8_t flags;		  /* TRACE_FLAG_*, as common_flags */
	uint8_t preempt_count;
	bool has_flags;		  /* flags and preempt_count are known */
	bool is_in_ticks;	  /* ts has no decimal point: counter, x86-tsc */
};

/** One frame of a call stack. */
struct text_frame {
	struct text_piece symbol; /* NULL: only the address */
	struct text_piece module; /* NULL: the kernel itself, or not told */
	uint64_t offset;	  /* in the function, bytes; 0 if not told */
	uint64_t address;	  /* valid if has_address */
	bool has_address;
};

enum text_kind {
	TEXT_FOREIGN,	  /* nothing of a trace: a kernel message, noise, an empty line */
	TEXT_NOTE,	  /* of the tracer's own: header lines, separators */
	TEXT_EVENT,	  /* head */
	TEXT_STACK,	  /* "<stack trace>", "kernel_stack:": frames follow; head where it has one */
	TEXT_FRAME,	  /* frame: of the stack of the event before */
	TEXT_END_OF_STACK,
	TEXT_LOST,	  /* events lost on cpu; lost 0: not told how many */
	TEXT_WRITTEN,	  /* "entries-in-buffer/entries-written: 170/2506": lost is the difference */
	TEXT_CUT	  /* an event line that breaks off or was torn by another: nothing usable */
};

/** One line, understood. */
struct text_item {
	enum text_kind kind;
	struct text_head head;
	struct text_frame frame;
	uint64_t lost;
	uint64_t kept; /* WRITTEN: entries in the buffer */
	uint32_t cpu;  /* LOST; UINT32_MAX: not told */
	bool is_entry; /* NOTE: one of those the header counts, like events */
	/* CUT; or FOREIGN of a tracer, in a form that cannot be used: why, for people; else NULL */
	const char *reason;
};

/** What earlier lines tell of later ones. Zeroed at the start of a file. */
struct text_state {
	const struct text_dialect *dialect; /* of the last event line; NULL: none so far */
	bool is_in_stack;
	bool is_in_dump; /* between the marks of an ftrace dump in a console log */
	uint32_t n_dumps; /* that have begun */
	uint8_t tries;	 /* for the dialects' own use */
	uint32_t words[8];
};

/** One way tools and kernels write a trace: a row of text_dialects in text_line.c. */
struct text_dialect {
	const char *name; /* "tracefs", "trace-cmd report", "perf script", "console dump", ... */
	bool (*read_head)(struct text_state *state, const char *line, size_t len,
			  struct text_head *ret);
};

/**
 * Understand one line, without its terminator. Prefixes of consoles and journals are skipped.
 * Never fails: what is not understood is TEXT_FOREIGN, or TEXT_CUT if it begins like an event.
 */
void text_read_line(struct text_state *state, const char *line, size_t len, struct text_item *ret);

/* ---- the event's own words: text_body.c ---- */

enum text_type {
	TEXT_NUMBER, /* number */
	TEXT_STRING, /* piece */
	TEXT_LIST	 /* list, n_list */
};

/** One field of an event, named as the binary format names it ("dma_addr", "phys_addrs", ...). */
struct text_value {
	const char *name;	/* of a row of text_body.c, or borrowed from the line: name_len */
	uint32_t name_len;
	uint8_t type;		/* enum text_type */
	uint8_t bytes;		/* of the number, or of a list's element, in a record: 1, 2, 4, 8 */
	bool is_signed;
	uint32_t n_list;
	uint64_t number;
	struct text_piece piece; /* of a number: the symbol at this address, or NULL */
	const uint64_t *list;	/* in text_body.numbers */
};

static inline bool text_value_is(const struct text_value *value, const char *name)
{
	return strlen(name) == value->name_len && !memcmp(value->name, name, value->name_len);
}

#define TEXT_MAX_VALUES 24
struct text_body {
	const char *system; /* of the row that knows this event; NULL: a probe or unknown event */
	const char *name;   /* as binary traces call the event; NULL: as the line does */
	uint32_t row;	    /* number of that row, from 1; 0: system is NULL */
	uint32_t n_values;
	struct text_value values[TEXT_MAX_VALUES];
	uint64_t *numbers;  /* of all lists; grown with dms_grow(), freed by its owner */
	size_t n_numbers, numbers_capacity;
	bool has_no_memory; /* for the numbers: the line is not to blame */
	/* Dumps of bytes: votes for a big-endian machine, minus the others. Kept between lines. */
	int32_t order;
};

/**
 * Take @head's body apart. Events are known by rows: names of their words as kernels 6.12 to 7.2
 * and tools print them. A pointer the kernel hashed becomes "virt_addr_hash". Words that say
 * nothing (an unknown event's prose) are left out. Of a probe: "__probe_ip", "__probe_func" and
 * "__probe_ret_ip" are numbers where the line has addresses, as in the binary formats, and their
 * piece is the symbol if the line has both (option sym-addr); where the kernel wrote symbols only,
 * "__probe_func" is the function, "dma_map_phys+0x4/0x50" or "dma_map_phys",
 * and "__probe_caller", of a return probe only, where it returns to: strings. Strings of its
 * arguments lose their quotes. "flags" of an allocation are a string, "GFP_KERNEL|__GFP_ZERO".
 * @body's values are those of the line before: the caller zeroes @body once, not between lines.
 * Return: NULL, or what is wrong with it ("dma_addr: a number expected"): then the line is damaged.
 */
const char *text_read_body(const struct text_head *head, struct text_body *body);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files that understand lines of text dumps (text_line.c and its neighbours) share. */
#ifndef DMS_INPUT_TEXT_LOCAL_H
#define DMS_INPUT_TEXT_LOCAL_H

#include "scan.h"

/** What text_state.words are used for. */
enum state_word {
	WORD_IS_USER_STACK, /* the frames that follow are a program's, not the kernel's */
	WORD_IS_TRACE_CMD,  /* "cpus=2": trace-cmd report began */
	WORD_N_MARKS,	    /* of an ftrace dump: lines of dashes */
	WORD_HAS_HIGH	    /* kernel addresses have their highest bit set */
};

/** What a reader of heads noted in text_state.tries before it said no. */
enum head_try {
	TRY_NOTHING, /* nothing like it */
	TRY_BROKEN,  /* it begins like an event and breaks off, or goes on as something else */
	TRY_OTHER    /* of the tracer, but no event: a line of the function tracer */
};

/** The readers of heads: the rows of text_dialects in text_line.c. */
bool read_tracefs(struct text_state *state, const char *line, size_t len, struct text_head *ret);
bool read_trace_cmd(struct text_state *state, const char *line, size_t len, struct text_head *ret);
bool read_perf(struct text_state *state, const char *line, size_t len, struct text_head *ret);
bool read_latency(struct text_state *state, const char *line, size_t len, struct text_head *ret);
bool read_verbose(struct text_state *state, const char *line, size_t len, struct text_head *ret);

/** The clock, the name and the body behind it; TRY_NOTHING: all is well. */
enum head_try read_clock(struct scan *scan, struct text_head *head);
enum head_try read_name(struct scan *scan, struct text_head *head);
/** Letters like "dNh1."; false: they are none, and nothing is taken. */
bool read_flags(struct scan *scan, struct text_head *head);
/** The same, or letters of a kernel to come: skipped, what they mean is not known. */
bool skip_flags(struct scan *scan, struct text_head *head);

/** Skip the time stamps, levels and names that consoles and journals put before a line. */
void skip_prefix(struct scan *scan);

/** A line of a call stack, behind its prefix. *@ret_is_user: perf says it is a program's. */
bool read_frame(struct scan scan, bool *ret_is_user, struct text_frame *ret);

/* ---- bodies ---- */

/** How a word's value is written. */
enum word_form {
	FORM_HEX,     /* ffff9680, 0xffff9680 */
	FORM_DECIMAL, /* 4096; 0x1000 where a tool prints so */
	FORM_SIGNED,  /* -5 */
	FORM_DIR,     /* TO_DEVICE, 1 */
	FORM_ATTRS,   /* WEAK_ORDERING|0x4000, 0x20, nothing */
	FORM_FLAGS,   /* GFP_KERNEL|__GFP_ZERO: a string; 2080: a number */
	FORM_POINTER, /* %p: hashed, or not */
	FORM_TOTAL,   /* 128/512: the second */
	FORM_RANGE,   /* 0x1000 - 0x2000: the first */
	FORM_LIST,    /* {0x1000,0x2000} or ARRAY[00, 10, ...] */
	FORM_NAME     /* all up to the next key */
};

/** A word of an event's body. */
struct word {
	const char *key;  /* as printed */
	const char *name; /* of the field */
	uint8_t key_len, name_len, form, bytes;
	bool is_required;
};

struct writing;

/** An event whose body is taken apart. */
struct body_row {
	const char *system, *name;
	uint32_t name_len;
	/* NULL: read_words() */
	const char *(*read)(const struct body_row *row, struct scan *scan, struct text_body *body);
	const char *lead;      /* what the kernel prints first, "IOMMU: " */
	const char *lead_name; /* field whose value, without a key, follows it; NULL: none */
	const struct word *words;
	uint32_t n_words;
};

/** How the values of a line are written. */
struct writing {
	bool is_failed; /* "[FAILED TO PARSE]": bare numbers are decimal, whatever the kernel prints */
	bool is_fields; /* names of fields instead of the kernel's words */
	bool has_dump;	/* a list was a dump of bytes */
	bool has_range; /* an end was told, range_bytes behind the start */
	uint64_t range_bytes;
};

/** A value more, of the field that @name of @len bytes calls; NULL: there is no room for it. */
static inline struct text_value *add_field(struct text_body *body, const char *name, size_t len,
					   uint8_t type)
{
	struct text_value *value;

	if (body->n_values == TEXT_MAX_VALUES)
		return NULL;
	value = &body->values[body->n_values++];
	*value = (struct text_value){.name = name, .name_len = (uint32_t)len, .type = type};
	return value;
}

/** The same; what finds no room is left out. */
static inline struct text_value *add_value(struct text_body *body, const char *name, uint8_t type)
{
	return add_field(body, name, strlen(name), type);
}

static inline void add_number(struct text_body *body, const char *name, uint64_t number,
			      uint8_t bytes)
{
	struct text_value *value = add_value(body, name, TEXT_NUMBER);

	if (!value)
		return;
	value->number = number;
	value->bytes = bytes;
}

static inline void add_string(struct text_body *body, const char *name, struct text_piece piece)
{
	struct text_value *value = add_value(body, name, TEXT_STRING);

	if (value)
		value->piece = piece;
}

/** The value of @word. Return: NULL, or what is wrong. */
const char *read_value(const struct word *word, struct scan *scan, struct writing *writing,
		       struct text_body *body);
/** "{0x1000,0x2000}", "ARRAY[00, 10, ...]". Return: as above. */
const char *read_list(const struct word *word, struct scan *scan, struct writing *writing,
		      struct text_body *body);
/** "Fixed MDIO bus.0" up to the next " key=". Return: as above. */
const char *read_name_value(const char *name, struct scan *scan, struct text_body *body);
/** True if the rest begins with "key=". */
bool begins_with_key(const struct scan *scan);

/** All of @row's words, its lead first. Return: as above. */
const char *read_words(const struct body_row *row, struct scan *scan, struct text_body *body);
/** Behind the lead. Return: as above. */
const char *read_keys(const struct body_row *row, struct scan *scan, struct writing *writing,
		      struct text_body *body);

/** "(dma_map_phys+0x0/0x50) device="..." dma_addr=0x1000". Return: as above. */
const char *read_probe(struct scan *scan, struct text_body *body);
bool is_probe(const struct scan *scan);
/** True if @head's event is one of the rows of text_body.c. */
bool is_known_event(const struct text_head *head);

#endif

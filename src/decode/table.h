/* SPDX-License-Identifier: LGPL-2.1-only */
/* The known tracepoints and their fields as rows, and how a row is bound to a file. */
#ifndef DMS_DECODE_TABLE_H
#define DMS_DECODE_TABLE_H

#include <dmascope/decode.h>

/** How a field's bytes become a member of struct dms_event. */
enum field_type {
	FIELD_U8,  /* member is uint8_t */
	FIELD_U32, /* member is uint32_t or int32_t */
	FIELD_U64, /* member is uint64_t */
	FIELD_BOOL,
	FIELD_DIR,	  /* enum dms_dir; a value beyond it is no direction */
	FIELD_NAME,	  /* string: a number in dms_names.devices */
	FIELD_PHYS,	  /* u64[]: phys_list */
	FIELD_DMA,	  /* u64[]: dma_list */
	FIELD_LENGTHS,	  /* u32[]: lengths */
	FIELD_S32,	  /* as U32, but of at least 4 bytes: it has a sign */
	FIELD_PROBE_NAME, /* as NAME; empty, or "(fault)": there is none */
	FIELD_TEXT	  /* string, or all the rest of the record: text, text_len */
};

/** One field under one of its names. The first row of a member whose field exists is taken. */
struct field_row {
	const char *name;
	enum field_type type;
	uint16_t member; /* offsetof in struct dms_event */
	uint32_t has;	 /* DMS_HAS_* set when the field was there */
	bool is_required;
};

/** One tracepoint under one of its spellings; or a probe, whose name is the function's. */
struct event_row {
	const char *system, *name;
	enum dms_event_kind kind;
	const struct field_row *fields;
	uint32_t n_fields;
};

extern const struct event_row event_table[];
extern const size_t n_event_rows;
/** Fields every event has. */
extern const struct field_row common_fields[];
extern const size_t n_common_fields;

/** A field found in a file's format. */
struct bound_field {
	uint32_t has;
	uint32_t offset; /* bytes, from the start of the record */
	uint16_t member;
	uint8_t type;	  /* enum field_type */
	uint8_t size;	  /* of a number: 1, 2, 4, 8; of an array's element */
	bool is_dynamic;  /* offset is that of a __data_loc or __rel_loc word */
	bool is_relative; /* __rel_loc: its offset counts from behind the word */
};

#define MAX_BOUND_FIELDS 20

/** Where a word of a record is, and where in the event it belongs. */
struct word_move {
	uint16_t from, to; /* bytes */
};
#define USUAL_WORDS 4

/** The fields that nearly every event has, found without looking for them: see read_usual(). */
struct usual_fields {
	struct word_move words[USUAL_WORDS]; /* of 8 bytes; what is left over repeats the last */
	uint16_t name_offset, name_member;   /* of the __data_loc word; 0: there is none */
	uint16_t dir_offset;		     /* 0: there is none */
};

/** What is known of a tracepoint that may be a probe. */
struct probe_state {
	const struct event_row *expected; /* by its name; NULL: the name says nothing */
	uint32_t address_offset;	  /* of the function's address in a record, bytes */
	uint8_t address_size;		  /* bytes */
	bool is_return;
	bool is_pending; /* no record has told its function so far */
	uint8_t half;	 /* enum half: of a call that two probes tell of */
};

/** A tracepoint of a file, known or not. */
struct tracepoint {
	const struct dms_format *format;
	const struct event_row *row; /* NULL: not one of ours, or not decodable */
	struct bound_field fields[MAX_BOUND_FIELDS];
	uint32_t n_fields;
	uint32_t n_usual; /* of fields, the first ones; 0: usual is not filled */
	struct usual_fields usual;
	uint32_t has;	   /* of all fields */
	uint32_t min_size; /* a record of fewer bytes lacks a field */
	uint64_t records, malformed, reason_offset;
	char *reason; /* owned */
	struct probe_state probe;
};

/** The row of @tracepoint, be it certain or expected; NULL: not one of ours. */
static inline const struct event_row *tracepoint_row(const struct tracepoint *tracepoint)
{
	return tracepoint->probe.is_pending ? tracepoint->probe.expected : tracepoint->row;
}

/**
 * Find the fields of @tracepoint's row in its format. A required field that is missing, or of
 * another type, leaves the tracepoint undecoded, with the reason. Errors: memory.
 */
struct dms_error *bind_tracepoint(struct tracepoint *tracepoint);
/** Where the addresses of a kernel_stack record begin; 0 if @format has no such array. */
uint32_t bind_stack(const struct dms_format *format);

/** True if allocations of this kernel log an uninitialised direction (see table.c). */
bool alloc_dir_is_garbage(const char *release);

#endif

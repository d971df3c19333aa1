/* SPDX-License-Identifier: LGPL-2.1-only */
/* The decoder's inside, shared by its own files only. */
#ifndef DMS_DECODE_DECODER_H
#define DMS_DECODE_DECODER_H

#include <string.h>

#include <dmascope/symbols.h>

#include "table.h"

#define MAX_TYPES	65536 /* common_type is 16 bits */
#define NO_TYPE		UINT32_MAX
#define NAME_CACHE_BITS 6 /* last names seen, by their hash; a trace has a handful of devices */
#define NAME_CACHE	(1u << NAME_CACHE_BITS)
#define CALLERS		64 /* last callers of probed functions, by their hash */

/** The first and the last 8 bytes of a name with its terminator; both all of a shorter one. */
struct name_ends {
	uint64_t first, last;
};

/** A device name as the last record spelled it. */
struct cached_name {
	const char *str; /* in the run's names */
	struct name_ends ends;
	uint32_t bytes; /* its terminator among them; UINT32_MAX: empty */
	uint32_t id;
};

/** One array of a record, in host order. */
struct list {
	uint64_t *values; /* lengths use it as uint32_t[] */
	size_t capacity;
	uint32_t count;
};

struct probe_calls;

/** Whose call an address belongs to. */
enum caller { CALLER_UNKNOWN, CALLER_KERNEL, CALLER_DRIVER };

struct cached_caller {
	uint64_t address; /* 0: empty */
	enum caller caller;
};

struct dms_decoder {
	struct dms_source *source;
	const struct dms_names *names;
	struct tracepoint *tracepoints; /* by system, then name */
	uint32_t n_tracepoints;
	struct tracepoint **by_type; /* by common_type; NULL: there is none */
	uint32_t n_types;
	uint32_t stack_type;   /* of stack records; NO_TYPE: there are none */
	uint32_t stack_offset; /* of their addresses; 0: not known */
	uint32_t taken_type;   /* stack_type if their addresses can be read, else NO_TYPE */
	uint32_t taken_cpu, taken_instance; /* whose next record is a stack that was taken */
	bool has_taken_stack;
	uint64_t n_malformed; /* records of tracepoints of ours that could not be decoded */
	uint64_t orphan_stacks;
	struct cached_name name_cache[NAME_CACHE];
	struct list phys, dma, lengths;
	uint64_t mapping_error;	 /* all ones in the traced kernel's dma_addr_t */
	uint32_t direct_reclaim; /* __GFP_DIRECT_RECLAIM of the traced kernel; 0: not known */
	unsigned int page_shift; /* of the traced machine; 0: not known */
	unsigned int long_size;
	bool swap;
	bool no_alloc_dir;
	struct probe_calls *calls;   /* of which an entry was seen; NULL: none so far */
	bool has_no_symbols;	     /* asked for, and there are none */
	bool is_short;		     /* of memory: whoever asked for a symbol could not say so */
	struct dms_symbols *symbols; /* NULL: not asked for yet, or none */
	struct cached_caller callers[CALLERS];
	struct dms_console_state console;
	uint32_t inputs_seen; /* DMS_INPUT_* that only records prove */
	uint32_t inputs;      /* all, by what is known so far */
};

/** Why a record could not be decoded; NULL is none. */
typedef const char *malformed;
extern const char out_of_memory[];

/** What follows from an event's fields, by its kind. May make it DMS_EV_NONE. */
typedef malformed (*finish_fn)(struct dms_decoder *decoder, struct dms_event *event);
extern const finish_fn finish[DMS_EV_N_KINDS];

/**
 * Nothing is known of @event. In two halves: gcc clears more than 96 bytes with `rep stos`, which
 * was a sixth of all decoding.
 */
static inline void event_clear(struct dms_event *event)
{
	enum { HALF = sizeof(*event) / 2 };

	memset(event, 0, HALF);
	memset((char *)event + HALF, 0, sizeof(*event) - HALF);
	event->device = DMS_ID_NONE;
	event->driver = DMS_ID_NONE;
	event->stack = DMS_ID_NONE;
	event->dir = DMS_DIR_UNKNOWN;
}

/** Set may_block of @event, if its flags and their meaning are known. */
void finish_gfp(const struct dms_decoder *decoder, struct dms_event *event);

static inline uint64_t load(const uint8_t *at, unsigned int size, bool swap)
{
	uint16_t half;
	uint32_t word;
	uint64_t value;

	switch (size) {
	case 8:
		memcpy(&value, at, 8);
		return swap ? __builtin_bswap64(value) : value;
	case 4:
		memcpy(&word, at, 4);
		return swap ? __builtin_bswap32(word) : word;
	case 2:
		memcpy(&half, at, 2);
		return swap ? __builtin_bswap16(half) : half;
	default:
		return *at;
	}
}

/** The type of a record; MAX_TYPES if it is too short to have one. */
static inline uint32_t record_type(const struct dms_decoder *decoder, const void *data, uint32_t size)
{
	return size < 2 ? MAX_TYPES : (uint32_t)load(data, 2, decoder->swap);
}

/* fields.c */
/** Fill the members of @event, which is blank, that @tracepoint has fields for. */
malformed read_fields(struct dms_decoder *decoder, const struct tracepoint *tracepoint,
		      const struct dms_record *record, struct dms_event *event);

/* stack.c */
/** @format is that of stack records. */
void stack_bind(struct dms_decoder *decoder, const struct dms_format *format);
/** Number the stack that comes with @record, or in the one behind it. False: memory is short. */
bool stack_take_chain(struct dms_decoder *decoder, const struct dms_record *record,
		      struct dms_event *event);
bool stack_take_next(struct dms_decoder *decoder, const struct dms_record *record,
		     struct dms_event *event);
/** Number the call stack of @event, which is @record, if there is one. False: memory is short. */
static inline bool stack_take(struct dms_decoder *decoder, const struct dms_record *record,
			      struct dms_event *event)
{
	if (record->n_chain)
		return stack_take_chain(decoder, record, event);
	if (!record->next ||
	    record_type(decoder, record->next, record->next_size) != decoder->taken_type)
		return true;
	return stack_take_next(decoder, record, event);
}
/** @record is a call stack: count it, unless its event has taken it. */
void stack_count_orphan(struct dms_decoder *decoder, const struct dms_record *record);

/* probe.c */
/**
 * If @tracepoint is a probe, note where its records hold the function's address, and expect the
 * function its name speaks of. Errors: memory.
 */
struct dms_error *probe_bind(struct tracepoint *tracepoint);
/** The first record of a probe: which function does it sit on? Binds its row. Errors: memory. */
struct dms_error *probe_settle(struct dms_decoder *decoder, struct tracepoint *tracepoint,
			       const struct dms_record *record);
/** finish functions of the kinds that only probes give */
malformed finish_check(struct dms_decoder *decoder, struct dms_event *event);
malformed finish_mask(struct dms_decoder *decoder, struct dms_event *event);
malformed finish_sg_return(struct dms_decoder *decoder, struct dms_event *event);
malformed finish_need_unmap(struct dms_decoder *decoder, struct dms_event *event);
malformed finish_pool(struct dms_decoder *decoder, struct dms_event *event);
malformed finish_stack_page(struct dms_decoder *decoder, struct dms_event *event);
malformed finish_bind(struct dms_decoder *decoder, struct dms_event *event);

/* caller.c */
/** Set by_kernel of the CHECK @event, if @address tells. */
void caller_note(struct dms_decoder *decoder, uint64_t address, struct dms_event *event);
/** As caller_note(), of a symbol's name with or without "+0x12/0x34" behind it. */
void caller_note_name(const char *name, size_t size, struct dms_event *event);
/** What only the call stack of @event tells: a check's caller, why devres logged. */
void caller_by_stack(struct dms_decoder *decoder, struct dms_event *event);
/** The traced kernel's symbol that holds @address; false if that cannot be known. */
bool caller_symbol(struct dms_decoder *decoder, uint64_t address, struct dms_symbol *ret);

/* inputs.c */
/** What the file can show has changed: see dms_decoder_inputs(). */
void inputs_note(struct dms_decoder *decoder);
/** The bit that a dma_alloc format calls __GFP_DIRECT_RECLAIM; 0 if that is not clear. */
uint32_t gfp_direct_reclaim(const char *text, size_t size);

#endif

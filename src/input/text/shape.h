/* SPDX-License-Identifier: LGPL-2.1-only */
/* The events of a text dump, by the fields they give: a made-up event format for each. */
#ifndef DMS_INPUT_TEXT_SHAPE_H
#define DMS_INPUT_TEXT_SHAPE_H

#include <dmascope/input.h>

#include "text.h"

/** More than a kernel has events; a dump that has more is none, or made to fill memory. */
#define TEXT_MAX_SHAPES 2048
/** One field of a shape. */
struct text_field {
	const char *name; /* terminated */
	const char *origin; /* the text_value.name it was made of: of a row, the same each time */
	uint32_t name_len;
	uint32_t offset; /* in a record, bytes; valid once there is a format */
	uint8_t type;	 /* enum text_type */
	uint8_t bytes;	 /* of a number, or of a list's element */
	bool is_signed;
	bool is_gfp;	/* a string in the text, names of allocation flags; a number in a record */
	bool is_hidden; /* allocation flags as a number, of a kernel whose bits we do not know */
};

/** One event with one set of fields. */
struct text_shape {
	const char *system, *name;
	uint64_t hash;
	uint32_t id; /* common_type; from 1 */
	uint32_t n_fields;
	uint32_t fixed_bytes; /* of a record, without lists and strings */
	bool has_flags;	      /* common_flags and common_preempt_count are known */
	bool is_torn;	      /* others of this event have a direction, or more arguments: they were torn out */
	uint64_t n_events;    /* that were added */
	struct text_field fields[TEXT_MAX_VALUES];
};

/** All shapes of a dump. */
struct text_shapes;
struct text_shapes *text_shapes_create(void);
void text_shapes_destroy(struct text_shapes *shapes);

/** The shape of an event, or NULL. */
const struct text_shape *text_shapes_find(const struct text_shapes *shapes,
					  const struct text_head *head,
					  const struct text_body *body);
/**
 * The same, made if there is none yet, or adjusted: a number is as wide as the widest.
 * *@ret NULL: there are TEXT_MAX_SHAPES. Errors: memory.
 */
struct dms_error *text_shapes_add(struct text_shapes *shapes, const struct text_head *head,
				  const struct text_body *body, const struct text_shape **ret);

/**
 * A kernel prints a direction with all events of a name, or with none, and all arguments of a probe:
 * those without, where most have them, are torn. Return: how many events are.
 */
uint64_t text_shapes_mark_torn(struct text_shapes *shapes);

/** True if some event has a field called @name. */
bool text_shapes_have(const struct text_shapes *shapes, const char *name);
/**
 * Lay out the records and write the event formats, as tracefs would have them; borrowed.
 * @is_32bit: so is dma_addr_t of the traced kernel.
 * No shape is added from now on. Errors: memory.
 */
struct dms_error *text_shapes_formats(struct text_shapes *shapes, bool is_32bit,
				      const struct dms_format **ret, uint32_t *ret_n);

/** Bytes of the record of @body after @shape: less than 64 KiB of what a text_reader gives. */
size_t text_record_size(const struct text_shape *shape, const struct text_body *body);
/** Write it to @at, which has room for it. */
void text_record_write(const struct text_shape *shape, const struct text_head *head,
		       const struct text_body *body, uint8_t *at);

/* text_gfp.c */
/** The number of allocation flags printed as "GFP_KERNEL|__GFP_ZERO"; unknown names are left out. */
uint32_t text_gfp_read(const char *str, size_t len);
/** Names of the bits that text_gfp_read() gives, as the print format of an event tells them. */
char *text_gfp_print_format(void);

#endif

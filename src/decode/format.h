/* SPDX-License-Identifier: LGPL-2.1-only */
/* The fields a tracepoint's format file describes. */
#ifndef DMS_DECODE_FORMAT_H
#define DMS_DECODE_FORMAT_H

#include <dmascope/base.h>

/** One "field:" line of a format file. Strings are borrowed from its text. */
struct format_field {
	const char *type; /* the declaration without the name: "__data_loc u64[]" */
	size_t type_len;
	const char *name;
	size_t name_len;
	uint32_t offset, size; /* bytes */
	bool is_array;	       /* of fixed length: "unsigned long caller[8]" */
	bool is_dynamic;       /* __data_loc or __rel_loc: a word that says where the bytes are */
	bool is_relative;      /* __rel_loc: its offset counts from behind the word */
};

/**
 * Find the field called @name in the format @text of @size bytes (not terminated).
 *
 * The field list is read here and not by libtraceevent (1.7), which follows NULL pointers when a
 * damaged file gives it a damaged format: `make fuzz` needed two minutes to show it. The print
 * format behind the list, for which that library is made, is of no use to us (kernel-dma.md fact
 * 1). Return: false if there is none, or its line is damaged.
 */
bool format_find(const char *text, size_t size, const char *name, struct format_field *ret);
/** True if the field's type mentions @word. */
bool format_type_has(const struct format_field *field, const char *word);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The inside of text_symbols, shared by its own files only. */
#ifndef DMS_INPUT_TEXT_SYMBOLS_LOCAL_H
#define DMS_INPUT_TEXT_SYMBOLS_LOCAL_H

#include "symbols.h"

/* A frame that has an address. */
struct place {
	uint64_t address; /* 0: an empty slot */
	uint32_t function; /* DMS_STR_NONE: not told */
	uint32_t offset;   /* bytes; 0: not told */
};

/** Whose function a name is, as another table tells. */
struct owner {
	char *module; /* terminated */
	bool is_known, is_ambiguous;
};

struct text_symbols {
	struct dms_strtab *functions; /* "name" or "name\t[module]": the end of a kallsyms line */
	struct place *places;	      /* open addressing, by address */
	size_t n_places, n_slots;
	struct owner *owners;	      /* of the functions, by number; NULL: nothing was learnt */
	uint32_t n_owners;
	char *text;
	size_t size;
	bool has_failed;
};

/* Say of @place that it is in @frame's function. */
void text_symbols_name(struct text_symbols *symbols, struct place *place,
		       const struct text_frame *frame);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Addresses and a kallsyms text for the functions that the stacks of a text dump name. */
#ifndef DMS_INPUT_TEXT_SYMBOLS_H
#define DMS_INPUT_TEXT_SYMBOLS_H

#include <dmascope/symbols.h>

#include "text.h"

/** The distinct functions of a dump; grows with them, never with the dump. */
struct text_symbols;
struct text_symbols *text_symbols_create(void);
void text_symbols_destroy(struct text_symbols *symbols);

/** False for a frame of a program, as perf shows them behind the kernel's. */
bool text_frame_is_kernel(const struct text_frame *frame);

/**
 * Note @frame and give its address: its own, or one made up (dms_address_is_made_up()). Notes
 * nothing new once a kallsyms text was made. Return: 0 if it has none, or memory is short.
 */
uint64_t text_symbols_add(struct text_symbols *symbols, const struct text_frame *frame);
/**
 * Make @body what a record of its event would hold: the places of a probe become addresses, and an
 * event that nobody decodes loses its values, since its words may be any.
 */
void text_symbols_settle(struct text_symbols *symbols, struct text_body *body);
/** True if there is something to name. */
bool text_symbols_exist(const struct text_symbols *symbols);
/** True when memory was short at some time. */
bool text_symbols_failed(const struct text_symbols *symbols);

/** True if another kallsyms text could tell more. */
bool text_symbols_may_learn(const struct text_symbols *symbols);
/**
 * Take names of addresses that have none, and modules, from @text, another kallsyms text of @size
 * bytes: most texts name functions only. A name that several modules have, or the kernel as well,
 * stays without. A table that has other names where the text has some is of another boot: its
 * addresses are not used. Errors: memory.
 */
struct dms_error *text_symbols_learn(struct text_symbols *symbols, const char *text, size_t size);

/**
 * What /proc/kallsyms would say so that every address noted resolves to its function, and the one
 * before it as well (a return address may be the first byte behind a call). Borrowed. A function
 * whose offset is not told begins one byte before its first frame. NULL: memory is short.
 */
const char *text_symbols_kallsyms(struct text_symbols *symbols, size_t *ret_size);

#endif

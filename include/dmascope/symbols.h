/* SPDX-License-Identifier: LGPL-2.1-only */
/* Call stacks by number, and names for kernel addresses. */
#ifndef DMASCOPE_SYMBOLS_H
#define DMASCOPE_SYMBOLS_H

#include <dmascope/base.h>

/**
 * Distinct call stacks of a run, numbered from 0 in order of first sight. While one thread adds,
 * others may get those whose numbers they were given.
 */
struct dms_stacks;
struct dms_stacks *dms_stacks_create(void);
void dms_stacks_destroy(struct dms_stacks *stacks);
/** Number of the stack @frames (innermost first); DMS_STR_NONE when memory is short. */
uint32_t dms_stacks_add(struct dms_stacks *stacks, const uint64_t *frames, uint32_t n_frames);
/** Frames of stack @id, borrowed; *@ret_n their number. */
const uint64_t *dms_stacks_get(const struct dms_stacks *stacks, uint32_t id, uint32_t *ret_n);
uint32_t dms_stacks_count(const struct dms_stacks *stacks);

/*
 * A text dump names functions and not where they are. Its source makes addresses up, in a range
 * where no kernel has any: they tell functions apart, and must not be shown. Each function has
 * DMS_MADE_UP_STRIDE bytes; an offset of 1 says that the text does not tell the offset.
 */
#define DMS_MADE_UP_FIRST  0x7465787400000000ull
#define DMS_MADE_UP_END	   0x7465ffff00000000ull
#define DMS_MADE_UP_STRIDE 0x10000u
static inline bool dms_address_is_made_up(uint64_t address)
{
	return address >= DMS_MADE_UP_FIRST && address < DMS_MADE_UP_END;
}

/** One symbol as found for an address. */
struct dms_symbol {
	const char *name;   /* not terminated: name_len bytes; borrowed */
	const char *module; /* not terminated: module_len bytes; NULL for the kernel itself */
	uint32_t name_len;
	uint32_t module_len;
	uint64_t address;   /* where the symbol begins */
	bool is_start_unknown; /* a text named the function, and told no offset in it */
};

/** *@ret_bytes: of @address, found in @symbol, from its beginning; false: a text did not tell. */
static inline bool dms_symbol_offset(const struct dms_symbol *symbol, uint64_t address,
				     uint64_t *ret_bytes)
{
	*ret_bytes = address - symbol->address;
	if (dms_address_is_made_up(address))
		return *ret_bytes > 1;
	return !symbol->is_start_unknown;
}

/** The traced kernel's symbol table. */
struct dms_symbols;
/**
 * Index @text (/proc/kallsyms form: "address type name [module]" lines); NULL text gives an
 * empty table. Ownership: borrows @text, which must outlive the table.
 */
struct dms_error *dms_symbols_create(const char *text, size_t size, struct dms_symbols **ret);
void dms_symbols_destroy(struct dms_symbols *symbols);
/** How many lines of the text were no symbols: it is damaged, and others may tell what is not so. */
uint64_t dms_symbols_malformed(const struct dms_symbols *symbols);
/** The symbol that holds @address; false if none does, or all addresses are hidden (0). */
bool dms_symbols_find(const struct dms_symbols *symbols, uint64_t address,
		      struct dms_symbol *ret);
uint32_t dms_symbols_count(const struct dms_symbols *symbols);

/**
 * True for a function of the tracing and DMA-mapping core, which every DMA call passes: the
 * call site is the first frame of a stack for which this is false.
 */
bool dms_symbol_is_core(const char *name, size_t name_len);

/**
 * The driver that made the DMA call of a stack: *@ret is the innermost frame of a module that
 * is neither the DMA core nor a subsystem's layer; its module is the driver's name. False where
 * the stack does not tell for sure: a block request that libata maps, a USB class driver.
 */
bool dms_driver_of_stack(const struct dms_symbols *symbols, const uint64_t *frames,
			 uint32_t n_frames, struct dms_symbol *ret);
/**
 * *@ret: the driver on which at least 80 % of those stacks @ids agree that tell one; NULL if
 * there is none. Ownership: the caller's, dms_free(). Errors: memory.
 */
struct dms_error *dms_driver_of_stacks(const struct dms_symbols *symbols,
				       const struct dms_stacks *stacks, const uint32_t *ids,
				       uint32_t n_ids, char **ret);

#endif

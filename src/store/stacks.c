// SPDX-License-Identifier: LGPL-2.1-only
/* Rows of stack, frame and symbol: every distinct call stack, with the kernel's names in it. */
#include <stdlib.h>
#include <string.h>

#include "store.h"

/** The symbols that occur, in order of address: their place here, from 1, is their row. */
struct used {
	struct dms_symbol *symbols;
	size_t n_symbols;
	size_t capacity;
};

static int by_address(const void *a, const void *b)
{
	const struct dms_symbol *left = a, *right = b;

	return (left->address > right->address) - (left->address < right->address);
}

static void sort_unique(struct used *used)
{
	size_t n = 0;

	if (!used->n_symbols)
		return;
	qsort(used->symbols, used->n_symbols, sizeof(*used->symbols), by_address);
	for (size_t i = 1; i < used->n_symbols; i++) {
		if (used->symbols[i].address != used->symbols[n].address)
			used->symbols[++n] = used->symbols[i];
	}
	used->n_symbols = n + 1;
}

/* Stacks share most of their frames: sorting now and then keeps this to the distinct ones. */
static struct dms_error *note(struct used *used, const struct dms_symbol *symbol)
{
	if (used->n_symbols == used->capacity) {
		sort_unique(used);
		if (used->n_symbols * 2 >= used->capacity &&
		    !dms_grow(&used->symbols, &used->capacity, used->capacity + 1024,
			      sizeof(*used->symbols)))
			return &dms_error_nomem;
	}
	used->symbols[used->n_symbols++] = *symbol;
	return NULL;
}

/* ---- which stacks are stored ------------------------------------------------------------------- */

/* Rows of table stack that are named: by call sites, findings and what these are made of. */
static const char wanted_sql[] =
	"SELECT stack_id FROM call_site WHERE stack_id IS NOT NULL UNION"
	" SELECT stack_id FROM finding WHERE stack_id IS NOT NULL UNION"
	" SELECT e.value FROM finding AS f, json_each(f.facts) AS e WHERE e.key LIKE '%_stack_id'";

/* *@ret: a bit for each stack, from 0; NULL: all are stored. */
static struct dms_error *find_wanted(struct dms_store *store, uint32_t n_stacks, uint64_t **ret)
{
	struct dms_error *err = store->options.figures_only ? dms_store_drain(store) : NULL;
	sqlite3_stmt *statement;
	int rc;

	*ret = NULL;
	if (err || !store->options.figures_only)
		return err;
	*ret = dms_zalloc((n_stacks / 64 + 1) * sizeof(**ret));
	if (!*ret)
		return &dms_error_nomem;
	rc = sqlite3_prepare_v2(store->db, wanted_sql, -1, &statement, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(statement);
		int64_t row = rc == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;

		if (row > 0 && row <= n_stacks)
			(*ret)[(row - 1) / 64] |= 1ull << (row - 1) % 64;
	}
	err = rc == SQLITE_DONE ? NULL : dms_store_error(store, "looking for call stacks");
	sqlite3_finalize(statement);
	return err;
}

static bool is_wanted(const uint64_t *wanted, uint32_t id)
{
	return !wanted || wanted[id / 64] >> id % 64 & 1;
}

/* ---- names of return addresses --------------------------------------------------------------- */

/* Stacks share their addresses: looking one up in the table and in the rows takes a microsecond. */
#define NAMED_BITS 15

/** An address, looked up. */
struct named {
	uint64_t address, offset, symbol_row;
	bool is_set, is_known, has_offset, is_core;
};

/** What names addresses, and what was looked up last: an address has one slot by its hash. */
struct namer {
	const struct dms_symbols *symbols; /* NULL: no address has a name */
	const struct used *used;
	struct named *slots;
};

static struct named *slot_of(const struct namer *namer, uint64_t address)
{
	return &namer->slots[dms_hash64(address) >> (64 - NAMED_BITS)];
}

static uint64_t row_of(const struct used *used, const struct dms_symbol *symbol)
{
	const struct dms_symbol *found = bsearch(symbol, used->symbols, used->n_symbols,
						 sizeof(*used->symbols), by_address);

	return (uint64_t)(found - used->symbols) + 1;
}

/* Valid until the next call. */
static const struct named *name_of(const struct namer *namer, uint64_t address)
{
	struct named *named = slot_of(namer, address);
	struct dms_symbol symbol;

	if (named->is_set && named->address == address)
		return named;
	*named = (struct named){.address = address, .is_set = true};
	if (!namer->symbols || !dms_symbols_find(namer->symbols, address, &symbol))
		return named;
	named->is_known = true;
	named->symbol_row = row_of(namer->used, &symbol);
	named->has_offset = dms_symbol_offset(&symbol, address, &named->offset);
	named->is_core = dms_symbol_is_core(symbol.name, symbol.name_len);
	return named;
}

/* The symbol of @address is one of those used, if it was not noted just before. */
static struct dms_error *note_address(const struct namer *namer, uint64_t address, struct used *used)
{
	struct named *named = slot_of(namer, address);
	struct dms_symbol symbol;

	if (named->is_set && named->address == address)
		return NULL;
	*named = (struct named){.address = address, .is_set = true};
	return dms_symbols_find(namer->symbols, address, &symbol) ? note(used, &symbol) : NULL;
}

static struct dms_error *collect(const struct dms_stacks *stacks, const struct namer *namer,
				 const uint64_t *wanted, struct used *used)
{
	uint32_t n_stacks = namer->symbols ? dms_stacks_count(stacks) : 0;
	const uint64_t *frames;
	struct dms_error *err;
	uint32_t n_frames;

	for (uint32_t id = 0; id < n_stacks; id++) {
		if (!is_wanted(wanted, id))
			continue;
		frames = dms_stacks_get(stacks, id, &n_frames);
		for (uint32_t i = 0; i < n_frames; i++) {
			if ((err = note_address(namer, frames[i], used)))
				return err;
		}
	}
	sort_unique(used);
	memset(namer->slots, 0, sizeof(*namer->slots) << NAMED_BITS); /* from now on with rows */
	return NULL;
}

/* ---- rows ------------------------------------------------------------------------------------- */

static struct dms_error *tell_symbols(struct dms_store *store, const struct used *used)
{
	struct dms_error *err = NULL;

	for (size_t i = 0; i < used->n_symbols && !err; i++) {
		const struct dms_symbol *symbol = &used->symbols[i];
		const struct dms_value values[] = {
			dms_int(i + 1),
			{ .text = symbol->name, .bytes = (int)symbol->name_len },
			{ .text = symbol->module, .bytes = (int)symbol->module_len,
			  .is_null = !symbol->module },
			dms_int_if(!symbol->is_start_unknown, symbol->address),
		};

		err = dms_store_tell(store, DMS_SQL_SYMBOL, values, DMS_ARRAY_SIZE(values));
	}
	return err;
}

/** The stack in hand. */
struct walk {
	const struct namer *namer;
	const uint64_t *frames;
	uint32_t n_frames;
	uint64_t row;
};

/* The call site is the first frame with a name that is not the DMA core's. */
static struct dms_error *add_stack(struct dms_store *store, const struct walk *walk)
{
	uint64_t symbol_row = 0;
	bool is_known = false;
	uint32_t depth;

	for (depth = 0; depth < walk->n_frames; depth++) {
		const struct named *named = name_of(walk->namer, walk->frames[depth]);

		is_known = named->is_known && !named->is_core;
		symbol_row = named->symbol_row;
		if (is_known)
			break;
	}
	const struct dms_value values[] = {
		dms_int(walk->row),
		dms_int(walk->n_frames),
		dms_int_if(is_known, depth),
		dms_int_if(is_known, symbol_row),
	};

	return dms_store_row(store, DMS_BULK_STACK, values);
}

static struct dms_error *add_frames(struct dms_store *store, const struct walk *walk)
{
	struct dms_error *err = NULL;

	for (uint32_t i = 0; i < walk->n_frames && !err; i++) {
		uint64_t address = walk->frames[i];
		const struct named *named = name_of(walk->namer, address);
		const struct dms_value values[] = {
			dms_int(walk->row),
			dms_int(i),
			dms_int_if(!dms_address_is_made_up(address), address),
			dms_int_if(named->is_known, named->symbol_row),
			dms_int_if(named->has_offset, named->offset),
		};

		err = dms_store_row(store, DMS_BULK_FRAME, values);
	}
	return err;
}

static struct dms_error *add_all(struct dms_store *store, const struct dms_stacks *stacks,
				 const struct namer *namer, const uint64_t *wanted)
{
	uint32_t n_stacks = dms_stacks_count(stacks);
	struct walk walk = {.namer = namer};
	struct dms_error *err = NULL;

	for (uint32_t id = 0; id < n_stacks && !err; id++) {
		if (!is_wanted(wanted, id))
			continue;
		walk.row = (uint64_t)id + 1;
		walk.frames = dms_stacks_get(stacks, id, &walk.n_frames);
		if (!(err = add_stack(store, &walk)))
			err = add_frames(store, &walk);
	}
	return err;
}

struct dms_error *dms_store_stacks(struct dms_store *store, const struct dms_stacks *stacks,
				   const struct dms_symbols *symbols)
{
	_cleanup_(dms_freep) struct named *slots = dms_zalloc(sizeof(*slots) << NAMED_BITS);
	struct used used = {0};
	struct namer namer = {.symbols = symbols, .used = &used, .slots = slots};
	_cleanup_(dms_freep) uint64_t *wanted = NULL;
	struct dms_error *err;

	if (!slots)
		return &dms_error_nomem;
	if (!(err = find_wanted(store, dms_stacks_count(stacks), &wanted)) &&
	    !(err = collect(stacks, &namer, wanted, &used)) &&
	    !(err = add_all(store, stacks, &namer, wanted)))
		err = tell_symbols(store, &used); /* last: it ends the time of many rows */
	dms_free(used.symbols);
	return err;
}

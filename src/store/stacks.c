// SPDX-License-Identifier: LGPL-2.1-only
/* Rows of stack, frame and symbol: every distinct call stack, with the kernel's names in it. */
#include <stdlib.h>

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
static const char named_sql[] =
	"SELECT stack_id FROM call_site WHERE stack_id IS NOT NULL UNION"
	" SELECT stack_id FROM finding WHERE stack_id IS NOT NULL UNION"
	" SELECT e.value FROM finding AS f, json_each(f.facts) AS e WHERE e.key LIKE '%_stack_id'";

/* *@ret: a bit for each stack, from 0; NULL: all are stored. */
static struct dms_error *find_named(struct dms_store *store, uint32_t n_stacks, uint64_t **ret)
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
	rc = sqlite3_prepare_v2(store->db, named_sql, -1, &statement, NULL);
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

static bool is_named(const uint64_t *named, uint32_t id)
{
	return !named || named[id / 64] >> id % 64 & 1;
}

static struct dms_error *collect(const struct dms_stacks *stacks, const struct dms_symbols *symbols,
				 const uint64_t *named, struct used *used)
{
	uint32_t n_stacks = symbols ? dms_stacks_count(stacks) : 0;
	struct dms_symbol symbol;
	const uint64_t *frames;
	struct dms_error *err;
	uint32_t n_frames;

	for (uint32_t id = 0; id < n_stacks; id++) {
		if (!is_named(named, id))
			continue;
		frames = dms_stacks_get(stacks, id, &n_frames);
		for (uint32_t i = 0; i < n_frames; i++) {
			if (!dms_symbols_find(symbols, frames[i], &symbol))
				continue;
			if ((err = note(used, &symbol)))
				return err;
		}
	}
	sort_unique(used);
	return NULL;
}

static uint64_t row_of(const struct used *used, const struct dms_symbol *symbol)
{
	const struct dms_symbol *found = bsearch(symbol, used->symbols, used->n_symbols,
						 sizeof(*used->symbols), by_address);

	return (uint64_t)(found - used->symbols) + 1;
}

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

/** The stack in hand: its frames, and what is known of its call site. */
struct walk {
	const struct dms_symbols *symbols;
	const struct used *used;
	const uint64_t *frames;
	uint32_t n_frames;
	uint64_t row;
};

/* The first frame with a name that is not the DMA core's; false if there is none. */
static bool find_site(const struct walk *walk, uint32_t *ret_depth, uint64_t *ret_symbol_row)
{
	struct dms_symbol symbol;

	for (uint32_t i = 0; walk->symbols && i < walk->n_frames; i++) {
		if (!dms_symbols_find(walk->symbols, walk->frames[i], &symbol) ||
		    dms_symbol_is_core(symbol.name, symbol.name_len))
			continue;
		*ret_depth = i;
		*ret_symbol_row = row_of(walk->used, &symbol);
		return true;
	}
	return false;
}

static struct dms_error *tell_stack(struct dms_store *store, const struct walk *walk)
{
	uint64_t symbol_row = 0;
	uint32_t depth = 0;
	bool known = find_site(walk, &depth, &symbol_row);
	const struct dms_value values[] = {
		dms_int(walk->row),
		dms_int(walk->n_frames),
		dms_int_if(known, depth),
		dms_int_if(known, symbol_row),
	};

	return dms_store_tell(store, DMS_SQL_STACK, values, DMS_ARRAY_SIZE(values));
}

static struct dms_error *tell_frames(struct dms_store *store, const struct walk *walk)
{
	struct dms_error *err = NULL;
	struct dms_symbol symbol;

	for (uint32_t i = 0; i < walk->n_frames && !err; i++) {
		uint64_t address = walk->frames[i], offset = 0;
		bool known = walk->symbols && dms_symbols_find(walk->symbols, address, &symbol);
		bool has_offset = known && dms_symbol_offset(&symbol, address, &offset);
		const struct dms_value values[] = {
			dms_int(walk->row),
			dms_int(i),
			dms_int_if(!dms_address_is_made_up(address), address),
			dms_int_if(known, known ? row_of(walk->used, &symbol) : 0),
			dms_int_if(has_offset, offset),
		};

		err = dms_store_tell(store, DMS_SQL_FRAME, values, DMS_ARRAY_SIZE(values));
	}
	return err;
}

struct dms_error *dms_store_stacks(struct dms_store *store, const struct dms_stacks *stacks,
				   const struct dms_symbols *symbols)
{
	struct used used = { 0 };
	struct walk walk = { .symbols = symbols, .used = &used };
	uint32_t n_stacks = dms_stacks_count(stacks);
	_cleanup_(dms_freep) uint64_t *named = NULL;
	struct dms_error *err;

	if (!(err = find_named(store, n_stacks, &named)) &&
	    !(err = collect(stacks, symbols, named, &used)))
		err = tell_symbols(store, &used);
	for (uint32_t id = 0; id < n_stacks && !err; id++) {
		if (!is_named(named, id))
			continue;
		walk.row = (uint64_t)id + 1;
		walk.frames = dms_stacks_get(stacks, id, &walk.n_frames);
		err = tell_stack(store, &walk);
		if (!err)
			err = tell_frames(store, &walk);
	}
	dms_free(used.symbols);
	return err;
}

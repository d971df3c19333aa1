// SPDX-License-Identifier: LGPL-2.1-only
/* What a kallsyms text of the kernel adds to a text dump's call stacks: modules, names of addresses. */
#include <stdlib.h>
#include <string.h>

#include "symbols_local.h"

/** A function by its name. */
struct named {
	const char *name;
	size_t len;
	uint32_t function;
};

static int compare_names(const void *left, const void *right)
{
	const struct named *a = left, *b = right;
	int order = memcmp(a->name, b->name, a->len < b->len ? a->len : b->len);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* The functions whose module is not told, by name. NULL: memory is short. */
static struct named *list_names(const struct text_symbols *symbols, size_t *ret_n)
{
	uint32_t n = dms_strtab_count(symbols->functions);
	struct named *names = dms_alloc(n * sizeof(*names));

	*ret_n = 0;
	for (uint32_t i = 0; names && i < n; i++) {
		const char *name = dms_strtab_get(symbols->functions, i);

		if (!strchr(name, '\t'))
			names[(*ret_n)++] = (struct named){name, strlen(name), i};
	}
	if (names && *ret_n)
		qsort(names, *ret_n, sizeof(*names), compare_names);
	return names;
}

static const char *word_end(const char *at, const char *end)
{
	while (at < end && *at > ' ')
		at++;
	return at;
}

/* @owner's function is that of @module, "[e1000]"; of @len 0: of the kernel. */
static bool note_owner(struct owner *owner, const char *module, size_t len)
{
	bool is_same = owner->module ? strlen(owner->module) == len &&
					       !memcmp(owner->module, module, len)
				     : !len;

	if (owner->is_known) {
		owner->is_ambiguous |= !is_same;
		return true;
	}
	owner->is_known = true;
	if (len)
		owner->module = dms_strndup(module, len);
	return !len || owner->module;
}

/* A line: "address type name\t[module]" */
static bool read_line(struct text_symbols *symbols, const struct named *names, size_t n_names,
		      const char *at, const char *end)
{
	const char *type = word_end(at, end), *module, *stop;
	const struct named *found;
	struct named key;

	if (end - type < 4 || !strchr("tTwW", type[1]))
		return true;
	key.name = type + 3;
	stop = word_end(key.name, end);
	key.len = (size_t)(stop - key.name);
	found = bsearch(&key, names, n_names, sizeof(*names), compare_names);
	if (!found)
		return true;
	module = stop < end && stop[1] == '[' ? stop + 1 : end;
	return note_owner(&symbols->owners[found->function], module,
			  (size_t)(word_end(module, end) - module));
}

/* ---- names of addresses ---------------------------------------------------------------------- */

static bool is_called(const struct text_symbols *symbols, const struct place *place,
		      const struct dms_symbol *symbol)
{
	const char *name = dms_strtab_get(symbols->functions, place->function);
	size_t len = strcspn(name, "\t");

	return len == symbol->name_len && !memcmp(name, symbol->name, len);
}

/* Of the addresses whose name the dump tells, does @table tell the same of most? */
static bool is_of_this_boot(const struct text_symbols *symbols, const struct dms_symbols *table)
{
	size_t n_same = 0, n_other = 0;

	for (size_t i = 0; i < symbols->n_slots; i++) {
		const struct place *place = &symbols->places[i];
		struct dms_symbol symbol;

		if (!place->address || place->function == DMS_STR_NONE ||
		    !dms_symbols_find(table, place->address, &symbol))
			continue;
		if (is_called(symbols, place, &symbol))
			n_same++;
		else
			n_other++;
	}
	return n_same >= n_other;
}

static void name_place(struct text_symbols *symbols, struct place *place,
		       const struct dms_symbols *table)
{
	struct text_frame frame = {.address = place->address, .has_address = true};
	struct dms_symbol symbol;

	if (!place->address || place->function != DMS_STR_NONE ||
	    !dms_symbols_find(table, place->address, &symbol))
		return;
	frame.symbol = (struct text_piece){symbol.name, symbol.name_len};
	frame.module = (struct text_piece){symbol.module, symbol.module_len};
	frame.offset = place->address - symbol.address;
	text_symbols_name(symbols, place, &frame);
}

static struct dms_error *learn_names(struct text_symbols *symbols, const char *text, size_t size)
{
	struct dms_symbols *table;
	struct dms_error *err;

	if (!symbols->n_places)
		return NULL;
	if ((err = dms_symbols_create(text, size, &table)))
		return err;
	if (is_of_this_boot(symbols, table)) {
		for (size_t i = 0; i < symbols->n_slots; i++)
			name_place(symbols, &symbols->places[i], table);
	}
	dms_symbols_destroy(table);
	return symbols->has_failed ? &dms_error_nomem : NULL;
}

struct dms_error *text_symbols_learn(struct text_symbols *symbols, const char *text, size_t size)
{
	const char *end = text + size;
	size_t n_names;
	_cleanup_(dms_freep) struct named *names = NULL;
	struct dms_error *err = learn_names(symbols, text, size);

	if (err)
		return err;
	names = list_names(symbols, &n_names);
	symbols->n_owners = dms_strtab_count(symbols->functions);
	symbols->owners = dms_zalloc(symbols->n_owners * sizeof(*symbols->owners));
	if (!names || !symbols->owners) {
		symbols->n_owners = 0;
		return &dms_error_nomem;
	}
	while (text < end && n_names) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));

		if (!stop)
			stop = end;
		if (!read_line(symbols, names, n_names, text, stop))
			return &dms_error_nomem;
		text = stop < end ? stop + 1 : end;
	}
	return NULL;
}

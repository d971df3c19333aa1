// SPDX-License-Identifier: LGPL-2.1-only
/* Probe events: recognised by the function they sit on, whatever their group and name. */
#include "probe.h"
#include "format.h"

/*
 * How far behind a function's symbol a probe of its entry may sit: endbr64 or bti (4 bytes), the
 * two instructions before the local entry of ppc64 (8), with some room for what comes.
 */
#define MAX_ENTRY_OFFSET 16

/* ---- which function -------------------------------------------------------------------------- */

/** A name, or part of one; not terminated. */
struct word {
	const char *at;
	size_t size;
};

static bool is_word(struct word word, const char *string)
{
	return strlen(string) == word.size && !memcmp(word.at, string, word.size);
}

static bool cut_front(struct word *word, const char *prefix)
{
	size_t size = strlen(prefix);

	if (word->size <= size || memcmp(word->at, prefix, size) != 0)
		return false;
	word->at += size;
	word->size -= size;
	return true;
}

static bool cut_end(struct word *word, const char *suffix)
{
	size_t size = strlen(suffix);

	if (word->size <= size || memcmp(word->at + word->size - size, suffix, size) != 0)
		return false;
	word->size -= size;
	return true;
}

/* Cut "_12" off the end of @word: 12; 0 if there is nothing like it. */
static unsigned int cut_number(struct word *word)
{
	unsigned int value = 0;
	size_t at = word->size;

	while (at && word->at[at - 1] >= '0' && word->at[at - 1] <= '9')
		at--;
	if (at == word->size || at < 2 || word->at[at - 1] != '_' || word->size - at > 6)
		return 0;
	for (size_t i = at; i < word->size; i++)
		value = value * 10 + (unsigned int)(word->at[i] - '0');
	word->size = at - 1;
	return value;
}

/*
 * The function an event is called after: kprobe_events makes p_SYMBOL_OFFSET and r_SYMBOL_OFFSET,
 * fprobes SYMBOL__entry and SYMBOL__exit, perf probe SYMBOL, SYMBOL_1 and SYMBOL__return.
 * Size 0: the offset says that it is not its entry.
 */
static struct word function_of(const char *name)
{
	struct word word = {name, strlen(name)};
	bool is_auto = cut_front(&word, "p_") || cut_front(&word, "r_");
	unsigned int number = cut_number(&word);

	if (is_auto && number > MAX_ENTRY_OFFSET)
		return (struct word){name, 0};
	if (!cut_end(&word, "__return") && !cut_end(&word, "__entry"))
		cut_end(&word, "__exit");
	return word;
}

/* With or without "debug_": the driver calls dma_mapping_error(). */
static bool is_symbol(struct word word, const char *symbol)
{
	return is_word(word, symbol) ||
	       (!strncmp(symbol, "debug_", 6) && is_word(word, symbol + 6));
}

static const struct probe_row *row_by_name(const struct dms_format *format, bool is_return)
{
	struct word whole = {format->name, strlen(format->name)};
	struct word function = function_of(format->name);
	bool is_ours = !strcmp(format->system, "dmascope");

	for (size_t i = 0; i < n_probe_rows; i++) {
		const struct probe_row *row = &probe_table[i];

		if (row->is_return != is_return)
			continue;
		if (is_symbol(whole, row->event.name) || is_symbol(function, row->event.name) ||
		    (is_ours && row->ours && is_word(whole, row->ours)))
			return row;
	}
	return NULL;
}

/* The compiler's copies of a function are called after it; ".cold" and ".part" are no entries. */
static struct word cut_clone(struct word symbol)
{
	const char *dot = memchr(symbol.at, '.', symbol.size);
	struct word rest;

	if (!dot || dot == symbol.at)
		return symbol;
	rest = (struct word){dot, (size_t)(symbol.at + symbol.size - dot)};
	if (cut_front(&rest, ".isra.") || cut_front(&rest, ".constprop."))
		symbol.size = (size_t)(dot - symbol.at);
	return symbol;
}

/* *@ret_row: the row of @symbol, if any. Return: @symbol is a function of the table. */
static bool row_by_symbol(struct word symbol, bool is_return, const struct event_row **ret_row)
{
	bool is_known = false;

	*ret_row = NULL;
	for (size_t i = 0; i < n_probe_rows; i++) {
		if (!is_word(symbol, probe_table[i].event.name))
			continue;
		is_known = true;
		if (probe_table[i].is_return == is_return)
			*ret_row = &probe_table[i].event;
	}
	return is_known;
}

/*
 * The function at @address, else the one the event is called after. Symbol tables are cut short
 * (kernel-dma.md, traps): an address that seems to be somewhere else, or far inside a function,
 * proves nothing against a name that is one of ours.
 */
static const struct event_row *row_of_address(struct dms_decoder *decoder,
					      const struct probe_state *probe, uint64_t address)
{
	const struct event_row *row;
	struct dms_symbol symbol;
	struct word name;
	bool is_known;

	if (!caller_symbol(decoder, address, &symbol))
		return probe->expected;
	name = cut_clone((struct word){symbol.name, symbol.name_len});
	is_known = row_by_symbol(name, probe->is_return, &row);
	if (is_known && address - symbol.address <= MAX_ENTRY_OFFSET)
		return row;
	if (probe->expected && is_word(name, probe->expected->name))
		return NULL; /* in the middle of it */
	return probe->expected;
}

/* ---- binding --------------------------------------------------------------------------------- */

static bool has_field(const struct dms_format *format, const char *name)
{
	struct format_field field;

	return format_find(format->text, format->size, name, &field);
}

/* True if @row would take an unnamed field for what the function returns. */
static bool wants_unnamed(const struct event_row *row)
{
	for (uint32_t i = 0; i < row->n_fields; i++) {
		if ((row->fields[i].has & (DMS_HAS_ERR | DMS_HAS_NENTS)) &&
		    !strcmp(row->fields[i].name, "arg1"))
			return true;
	}
	return false;
}

/* Of several unnamed fields the first may be an argument as well. */
static bool is_ambiguous(const struct tracepoint *tracepoint, const struct event_row *row)
{
	const struct dms_format *format = tracepoint->format;

	return wants_unnamed(row) && has_field(format, "arg1") && has_field(format, "arg2") &&
	       !has_field(format, "ret") && !has_field(format, "retval") &&
	       !has_field(format, "rc");
}

/* A probe that lacks our fields was made for another purpose, unless it can hardly have been. */
static bool is_for_others(const struct tracepoint *tracepoint, const struct event_row *row)
{
	return tracepoint->probe.is_return || row->kind == DMS_EV_STACK_PAGE;
}

/* Bind @row to @tracepoint, whose row stays NULL if it does not fit. Errors: memory. */
static struct dms_error *bind_row(struct tracepoint *tracepoint, const struct event_row *row)
{
	struct dms_error *err;

	dms_free(tracepoint->reason);
	tracepoint->reason = NULL;
	tracepoint->row = NULL;
	if (!row)
		return NULL;
	if (is_ambiguous(tracepoint, row)) {
		tracepoint->reason = dms_strdup("which of its fields is returned is not clear: "
						"none is called ret");
		return tracepoint->reason ? NULL : &dms_error_nomem;
	}
	tracepoint->row = row;
	err = bind_tracepoint(tracepoint);
	if (!err && !tracepoint->row && is_for_others(tracepoint, row)) {
		dms_free(tracepoint->reason);
		tracepoint->reason = NULL;
	}
	return err;
}

/* The field that holds the address of the probed function. */
static bool find_address(struct tracepoint *tracepoint)
{
	const struct dms_format *format = tracepoint->format;
	struct probe_state *probe = &tracepoint->probe;
	struct format_field field;

	probe->is_return = format_find(format->text, format->size, "__probe_func", &field);
	if (!probe->is_return && !format_find(format->text, format->size, "__probe_ip", &field))
		return false;
	if (field.is_dynamic || field.is_array || (field.size != 4 && field.size != 8))
		return false;
	probe->address_offset = field.offset;
	probe->address_size = (uint8_t)field.size;
	return true;
}

struct dms_error *probe_bind(struct tracepoint *tracepoint)
{
	const struct dms_format *format = tracepoint->format;
	const struct probe_row *named;
	struct dms_error *err;

	/* A uprobe sits in a program: its addresses are none of the kernel's. */
	if (!strcmp(format->system, "uprobes") || !find_address(tracepoint))
		return NULL;
	named = row_by_name(format, tracepoint->probe.is_return);
	if ((err = bind_row(tracepoint, named ? &named->event : NULL)))
		return err;
	tracepoint->probe.expected = tracepoint->row;
	tracepoint->probe.is_pending = true;
	tracepoint->row = NULL;
	return NULL;
}

struct dms_error *probe_settle(struct dms_decoder *decoder, struct tracepoint *tracepoint,
			       const struct dms_record *record)
{
	struct probe_state *probe = &tracepoint->probe;
	const struct event_row *row;

	if (record->size < probe->address_offset + probe->address_size)
		return NULL; /* the next one may be whole */
	probe->is_pending = false;
	row = row_of_address(decoder, probe,
			     load((const uint8_t *)record->data + probe->address_offset,
				  probe->address_size, decoder->swap));
	if (row == probe->expected && row) {
		tracepoint->row = row; /* its fields are bound */
		return NULL;
	}
	return bind_row(tracepoint, row);
}

/* ---- what follows from the fields ------------------------------------------------------------ */

/* A name is better than a pointer. */
static void choose_device(struct dms_event *event)
{
	if (!(event->has & DMS_HAS_DEVICE) || !(event->has & DMS_HAS_POINTER))
		return;
	event->has &= ~(uint32_t)DMS_HAS_POINTER;
	event->virt_addr = 0;
}

malformed finish_check(struct dms_decoder *decoder, struct dms_event *event)
{
	uint64_t caller = event->phys_addr;
	bool has_caller = event->has & DMS_HAS_CALLER;

	choose_device(event);
	event->phys_addr = 0;
	event->has &= ~(uint32_t)DMS_HAS_CALLER;
	if (event->text)
		caller_note_name(event->text, event->text_len, event);
	else if (has_caller)
		caller_note(decoder, caller, event);
	event->text = NULL;
	event->text_len = 0;
	if (event->dma_addr == decoder->mapping_error)
		event->dma_addr = DMS_MAPPING_ERROR64; /* of a 32-bit dma_addr_t, too */
	return NULL;
}

malformed finish_mask(struct dms_decoder *decoder, struct dms_event *event)
{
	(void)decoder;
	choose_device(event);
	if ((event->has & DMS_HAS_ERR) && event->err)
		event->kind = DMS_EV_NONE; /* the mask was refused */
	return NULL;
}

/*
 * dma_map_sg_attrs() returns a count (read as ents), 0 if it failed; dma_map_sgtable() 0 or an
 * error. What was mapped has an event of its own, so only failures are told.
 */
malformed finish_sg_return(struct dms_decoder *decoder, struct dms_event *event)
{
	bool is_count = event->has & DMS_HAS_NENTS;

	(void)decoder;
	choose_device(event);
	if (is_count)
		event->err = (int32_t)event->ents;
	event->ents = 0;
	event->has = (event->has & ~(uint32_t)DMS_HAS_NENTS) | DMS_HAS_ERR;
	event->failed = true;
	if (event->err > 0 || (!event->err && !is_count))
		event->kind = DMS_EV_NONE;
	return NULL;
}

malformed finish_need_unmap(struct dms_decoder *decoder, struct dms_event *event)
{
	(void)decoder;
	choose_device(event);
	event->err = (event->err & 0xff) != 0;
	return NULL;
}

/* The pool's own address stays in phys_addr: a key, no address of memory. */
malformed finish_pool(struct dms_decoder *decoder, struct dms_event *event)
{
	choose_device(event);
	finish_gfp(decoder, event);
	return NULL;
}

malformed finish_stack_page(struct dms_decoder *decoder, struct dms_event *event)
{
	uint64_t page_bytes = 1ull << (decoder->page_shift ? decoder->page_shift : 12);

	choose_device(event);
	event->phys_addr &= ~(page_bytes - 1);
	if (!(event->has & DMS_HAS_SIZE))
		event->size = page_bytes;
	event->has |= DMS_HAS_SIZE;
	return NULL;
}

/* enum kobject_action of include/linux/kobject.h */
#define KOBJ_BIND   6
#define KOBJ_UNBIND 7

malformed finish_bind(struct dms_decoder *decoder, struct dms_event *event)
{
	(void)decoder;
	choose_device(event);
	if (event->has & DMS_HAS_ERR) { /* of a uevent: the action */
		if (event->err == KOBJ_BIND)
			event->kind = DMS_EV_BOUND;
		else if (event->err != KOBJ_UNBIND)
			event->kind = DMS_EV_NONE;
		event->has &= ~(uint32_t)DMS_HAS_ERR;
		event->err = 0;
	}
	if (!(event->has & (DMS_HAS_DEVICE | DMS_HAS_POINTER)))
		event->kind = DMS_EV_NONE;
	return NULL;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Addresses and a kallsyms text for the functions that the stacks of a text dump name. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols_local.h"

#define MAX_NAME      256	  /* KSYM_NAME_LEN is 512 since 6.1; longer ones are Rust's and C++'s */
#define MAX_ADDRESSES 0x100000 /* distinct frames: a kernel has some 100,000 call sites */
#define MAX_FUNCTIONS 0x10000
#define LINE_BYTES    (16 + 3 + 1 + 1) /* "%016x t ", a tab, the line end */

struct text_symbols *text_symbols_create(void)
{
	struct text_symbols *symbols = dms_zalloc(sizeof(*symbols));

	if (!symbols)
		return NULL;
	symbols->functions = dms_strtab_create();
	if (!symbols->functions) {
		dms_free(symbols);
		return NULL;
	}
	return symbols;
}

void text_symbols_destroy(struct text_symbols *symbols)
{
	if (!symbols)
		return;
	dms_strtab_destroy(symbols->functions);
	for (uint32_t i = 0; i < symbols->n_owners; i++)
		dms_free(symbols->owners[i].module);
	dms_free(symbols->owners);
	dms_free(symbols->places);
	dms_free(symbols->text);
	dms_free(symbols);
}

bool text_symbols_failed(const struct text_symbols *symbols)
{
	return symbols->has_failed;
}

/* perf names the file of a function: a program, or "/lib/modules/.../virtio_blk.ko.xz". */
bool text_frame_is_kernel(const struct text_frame *frame)
{
	static const char *const others[] = {"unknown", "vdso", "vsyscall", "stack", "heap"};
	const struct text_piece *module = &frame->module;

	if (!module->str || !module->len)
		return true;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(others); i++) {
		if (strlen(others[i]) == module->len && !memcmp(module->str, others[i], module->len))
			return false;
	}
	return !memchr(module->str, '/', module->len) ||
	       memmem(module->str, module->len, ".ko", 3) != NULL;
}

/* The module in the name of its file. */
static struct text_piece module_name(struct text_piece module)
{
	const char *slash = memrchr(module.str, '/', module.len), *dot;

	if (!slash)
		return module;
	module.len -= (uint32_t)(slash + 1 - module.str);
	module.str = slash + 1;
	dot = memchr(module.str, '.', module.len);
	if (dot)
		module.len = (uint32_t)(dot - module.str);
	return module;
}

/* Append @piece; what would end a word of kallsyms text is no part of a name. */
static size_t append(char *at, size_t used, struct text_piece piece)
{
	for (uint32_t i = 0; i < piece.len && used < MAX_NAME; i++)
		at[used++] = (unsigned char)piece.str[i] <= ' ' ? '?' : piece.str[i];
	return used;
}

/* The number of the frame's function; DMS_STR_NONE: there is no room for it. */
static uint32_t function_of(struct text_symbols *symbols, const struct text_frame *frame)
{
	char name[2 * MAX_NAME];
	size_t used = append(name, 0, frame->symbol);
	uint32_t id;

	if (frame->module.str && frame->module.len && used < MAX_NAME - 3) {
		name[used++] = '\t';
		name[used++] = '[';
		used = append(name, used, module_name(frame->module));
		name[used++] = ']';
	}
	id = dms_strtab_add(symbols->functions, name, used);
	symbols->has_failed |= id == DMS_STR_NONE;
	return id < MAX_FUNCTIONS ? id : DMS_STR_NONE;
}

static struct place *find_slot(struct place *places, size_t n_slots, uint64_t address)
{
	size_t slot = dms_hash64(address) & (n_slots - 1);

	while (places[slot].address && places[slot].address != address)
		slot = (slot + 1) & (n_slots - 1);
	return &places[slot];
}

/* Keep the table at most half full. */
static bool make_room(struct text_symbols *symbols)
{
	size_t n_slots = symbols->n_slots ? symbols->n_slots * 2 : 1024;
	struct place *places;

	if (symbols->n_places < symbols->n_slots / 2)
		return true;
	places = dms_zalloc(n_slots * sizeof(*places));
	if (!places)
		return false;
	for (size_t i = 0; i < symbols->n_slots; i++) {
		if (symbols->places[i].address)
			*find_slot(places, n_slots, symbols->places[i].address) = symbols->places[i];
	}
	dms_free(symbols->places);
	symbols->places = places;
	symbols->n_slots = n_slots;
	return true;
}

void text_symbols_name(struct text_symbols *symbols, struct place *place,
		       const struct text_frame *frame)
{
	place->function = frame->symbol.len ? function_of(symbols, frame) : DMS_STR_NONE;
	place->offset = frame->offset < frame->address && frame->offset < DMS_MADE_UP_STRIDE
				? (uint32_t)frame->offset
				: 0;
}

static void note_place(struct text_symbols *symbols, const struct text_frame *frame)
{
	struct place *place;

	if (symbols->n_places >= MAX_ADDRESSES)
		return;
	if (!make_room(symbols)) {
		symbols->has_failed = true;
		return;
	}
	place = find_slot(symbols->places, symbols->n_slots, frame->address);
	if (place->address && (place->function != DMS_STR_NONE || !frame->symbol.len))
		return;
	symbols->n_places += !place->address;
	place->address = frame->address;
	text_symbols_name(symbols, place, frame);
}

uint64_t text_symbols_add(struct text_symbols *symbols, const struct text_frame *frame)
{
	uint64_t offset = frame->offset < DMS_MADE_UP_STRIDE ? frame->offset : 0;
	uint32_t function;

	if (frame->has_address) {
		if (!symbols->text && frame->address)
			note_place(symbols, frame);
		return frame->address;
	}
	if (!frame->symbol.str || !frame->symbol.len)
		return 0;
	function = function_of(symbols, frame);
	if (function == DMS_STR_NONE)
		return 0;
	return DMS_MADE_UP_FIRST + (uint64_t)function * DMS_MADE_UP_STRIDE + (offset ? offset : 1);
}

/* ---- places of probes ------------------------------------------------------------------------ */

/* "dma_map_phys+0x0/0x50" */
static struct text_frame read_place(struct text_piece place)
{
	const char *plus = place.len ? memchr(place.str, '+', place.len) : NULL;
	struct text_frame frame = {.symbol = place};

	if (!plus) {
		plus = place.len ? memchr(place.str, ' ', place.len) : NULL; /* its module */
		if (plus)
			frame.symbol.len = (uint32_t)(plus - place.str);
		return frame;
	}
	frame.symbol.len = (uint32_t)(plus - place.str);
	for (plus += 3; plus < place.str + place.len; plus++) {
		const char *digit = strchr("0123456789abcdef", *plus);

		if (!*plus || !digit)
			break;
		frame.offset = frame.offset << 4 | (uint64_t)(digit - "0123456789abcdef");
	}
	return frame;
}

static void settle_place(struct text_symbols *symbols, struct text_value *value, const char *name)
{
	struct text_frame frame;

	value->name = name;
	value->name_len = (uint32_t)strlen(name);
	if (value->type == TEXT_NUMBER && !value->piece.len)
		return;
	frame = read_place(value->piece);
	frame.has_address = value->type == TEXT_NUMBER;
	frame.address = value->number;
	value->type = TEXT_NUMBER;
	value->bytes = 8;
	value->number = text_symbols_add(symbols, &frame);
}

void text_symbols_settle(struct text_symbols *symbols, struct text_body *body)
{
	struct text_value *place = NULL, *caller = NULL;

	for (uint32_t i = 0; i < body->n_values && !body->system; i++) {
		struct text_value *value = &body->values[i];

		if (text_value_is(value, "__probe_func") || text_value_is(value, "__probe_ip"))
			place = value;
		else if (text_value_is(value, "__probe_caller") || text_value_is(value, "__probe_ret_ip"))
			caller = value;
	}
	if (caller)
		settle_place(symbols, caller, "__probe_ret_ip");
	if (place)
		settle_place(symbols, place, caller ? "__probe_func" : "__probe_ip");
	if (!place && !body->system)
		body->n_values = 0;
}

/* ---- the table ------------------------------------------------------------------------------- */

bool text_symbols_exist(const struct text_symbols *symbols)
{
	return dms_strtab_count(symbols->functions) != 0;
}

bool text_symbols_may_learn(const struct text_symbols *symbols)
{
	return text_symbols_exist(symbols) || symbols->n_places;
}

static int compare_places(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	return (a->address > b->address) - (a->address < b->address);
}

/* The table becomes a list in order of address; nothing is added from now on. */
static void sort_places(struct text_symbols *symbols)
{
	size_t n = 0;

	for (size_t i = 0; i < symbols->n_slots; i++) {
		if (symbols->places[i].address)
			symbols->places[n++] = symbols->places[i];
	}
	symbols->n_slots = 0;
	if (n)
		qsort(symbols->places, n, sizeof(*symbols->places), compare_places);
}

/* "[module]" of a function whose name does not tell it, or "" */
static const char *module_of(const struct text_symbols *symbols, uint32_t function)
{
	const struct owner *owner = function < symbols->n_owners ? &symbols->owners[function] : NULL;

	return owner && owner->module && !owner->is_ambiguous ? owner->module : "";
}

/* @type: 't', or '?' where it is not told where the function begins */
static void write_line(struct text_symbols *symbols, uint64_t address, char type,
		       uint32_t function)
{
	const char *module = module_of(symbols, function);

	symbols->size += (size_t)sprintf(symbols->text + symbols->size,
					 "%016" PRIx64 " %c %s%s%s\n", address, type,
					 dms_strtab_get(symbols->functions, function),
					 *module ? "\t" : "", module);
}

static size_t line_bytes(const struct text_symbols *symbols, uint32_t function)
{
	return LINE_BYTES + strlen(dms_strtab_get(symbols->functions, function)) +
	       strlen(module_of(symbols, function));
}

/*
 * Where the function of @place begins. Two functions of one name lie in different places, so
 * what counts is where frames are, in order.
 */
static uint64_t start_of(const struct place *place, uint64_t last)
{
	uint64_t start = place->address - (place->offset ? place->offset : 1);

	if (start <= last)
		start = last + 1;
	return start < place->address ? start : place->address;
}

static void write_places(struct text_symbols *symbols)
{
	const struct place *last = NULL;
	uint64_t last_start = 0;

	for (size_t i = 0; i < symbols->n_places; i++) {
		const struct place *place = &symbols->places[i];
		uint64_t start = start_of(place, last ? last->address : 0);
		bool is_same = last && last->function == place->function;

		if (place->function == DMS_STR_NONE)
			continue;
		if (is_same && (!place->offset || place->address - place->offset == last_start)) {
			last = place;
			continue;
		}
		write_line(symbols, start, place->offset ? 't' : '?', place->function);
		last_start = start;
		last = place;
	}
}

const char *text_symbols_kallsyms(struct text_symbols *symbols, size_t *ret_size)
{
	uint32_t n_functions = dms_strtab_count(symbols->functions);
	size_t bytes = 1;

	if (!symbols->text) {
		for (uint32_t i = 0; i < n_functions; i++)
			bytes += line_bytes(symbols, i);
		for (size_t i = 0; i < symbols->n_slots; i++) {
			const struct place *place = &symbols->places[i];

			if (place->address && place->function != DMS_STR_NONE)
				bytes += line_bytes(symbols, place->function);
		}
		symbols->text = dms_zalloc(bytes);
		if (!symbols->text)
			return NULL;
		for (uint32_t i = 0; i < n_functions && i < MAX_FUNCTIONS; i++)
			write_line(symbols, DMS_MADE_UP_FIRST + (uint64_t)i * DMS_MADE_UP_STRIDE,
				   '?', i);
		sort_places(symbols);
		write_places(symbols);
	}
	*ret_size = symbols->size;
	return symbols->text;
}

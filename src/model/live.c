// SPDX-License-Identifier: LGPL-2.1-only
/* The live mappings of one device, found by address: exactly, or by what they contain. */
#include <sys/mman.h>

#include "live.h"

/* Class 0 holds extents of up to 4 KiB; each next one up to four times as large ones. */
#define CLASS_0_SHIFT 12
#define CLASS_STEP    2

#define FIRST_ENTRIES 16

static unsigned int class_of(uint64_t size)
{
	unsigned int bits;

	if (size <= 1ull << CLASS_0_SHIFT)
		return 0;
	bits = 64 - (unsigned int)__builtin_clzll(size - 1); /* size <= 1 << bits */
	return (bits - CLASS_0_SHIFT + CLASS_STEP - 1) / CLASS_STEP;
}

/* In two steps: above 2^63 all starts share a window, and a shift by 64 is undefined. */
static uint64_t window_of(uint64_t addr, unsigned int class)
{
	return addr >> CLASS_0_SHIFT >> CLASS_STEP * class;
}

/* Where the entries of a window begin. */
static uint32_t home_of(const struct extent_table *table, uint64_t window, unsigned int class)
{
	return table_home(table->size, window ^ ((uint64_t) class << 58));
}

static uint32_t home_of_entry(const struct extent_table *table, const struct extent *entry)
{
	unsigned int class = extent_class(entry);

	return home_of(table, window_of(entry->addr, class), class);
}

static void place(struct extent_table *table, const struct extent *entry)
{
	uint32_t at = home_of_entry(table, entry);

	while (table->entries[at].slot)
		at = table_next(table->size, at);
	table->entries[at] = *entry;
}

struct table_size table_size_after(struct table_size size, uint32_t n_first)
{
	uint32_t n = size.n_places;

	n = n < SMALL_TABLE_PLACES ? n * 2 : n + n / 4;
	n = size.n_places ? n : n_first;
	if (n > SMALL_TABLE_PLACES)
		return (struct table_size){n, n - n / 4};
	return (struct table_size){n, n / (n > CACHED_TABLE_PLACES ? 2 : 4)};
}

_Static_assert(sizeof(struct extent) == 16, "as large as table_give_back() expects");

/* Whole pages only, and not for each of them: a call to the kernel takes a while. */
#define PLACE_BYTES	  16
#define GIVEN_BACK_PLACES 65536
#define PAGE_BYTES	  4096 /* or more: then the kernel refuses, and the pages stay */
void table_give_back(void *places, uint32_t done)
{
	uintptr_t end = (uintptr_t)places + (size_t)done * PLACE_BYTES;
	uintptr_t begin = end - GIVEN_BACK_PLACES * PLACE_BYTES;

	if (!done || done % GIVEN_BACK_PLACES)
		return;
	begin = (begin + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
	madvise((void *)begin, (end - begin) / PAGE_BYTES * PAGE_BYTES, MADV_DONTNEED);
}

/* ---- counts by page ---------------------------------------------------------------------------- */

/* As many as there are extents in the largest table they are counted for. */
#define STARTS_SHIFT (64 - 12)
#define MANY_STARTS  UINT8_MAX /* or more: it stays so */

static uint8_t *starts_at(const struct extent_table *table, uint64_t addr)
{
	return &table->starts[dms_hash_place(addr >> CLASS_0_SHIFT, STARTS_SHIFT)];
}

/* One more that starts at @addr, or one less. */
static void count_start(struct extent_table *table, uint64_t addr, int add)
{
	uint8_t *count;

	if (!table->starts)
		return;
	count = starts_at(table, addr);
	if (*count < MANY_STARTS)
		*count = (uint8_t)(*count + add);
}

static void forget_starts(struct extent_table *table)
{
	dms_free(table->starts);
	table->starts = NULL;
}

_apart_ static void begin_starts(struct extent_table *table)
{
	table->starts = dms_zalloc(1u << (64 - STARTS_SHIFT));
	for (uint32_t i = 0; table->starts && i < table->size.n_places; i++) {
		if (table->entries[i].slot)
			count_start(table, table->entries[i].addr, 1);
	}
}

void extents_count_starts(struct extent_table *table)
{
	if (!table->starts && table->size.n_places <= CACHED_TABLE_PLACES)
		begin_starts(table);
}

/* ---- adding and removing ----------------------------------------------------------------------- */

_apart_ static bool grow(struct extent_table *table)
{
	struct extent_table grown = *table;

	grown.size = table_size_after(table->size, FIRST_ENTRIES);
	grown.entries = dms_zalloc((size_t)grown.size.n_places * sizeof(*grown.entries));
	if (!grown.entries)
		return false;
	for (uint32_t i = 0; i < table->size.n_places; i++) {
		table_give_back(table->entries, i);
		if (table->entries[i].slot)
			place(&grown, &table->entries[i]);
	}
	dms_free(table->entries);
	*table = grown;
	if (table->size.n_places > CACHED_TABLE_PLACES)
		forget_starts(table);
	return true;
}

static bool make_room(struct extent_table *table, uint32_t n)
{
	while (table->size.n_max - table->count < n) {
		if (!grow(table))
			return false;
	}
	return true;
}

static void count_one(struct extent_table *table, uint64_t addr, unsigned int class)
{
	count_start(table, addr, 1);
	table->count++;
	if (!table->class_count[class]++)
		table->used_classes |= DMS_BIT(class);
}

bool extents_add(struct extent_table *table, const struct dms_segment *range, uint32_t slot,
		 uint32_t segment)
{
	unsigned int class = class_of(range->size);
	struct extent entry = {
		.addr = range->dma_addr,
		.slot = slot + 1,
		.part = extent_part(class, segment),
	};

	if (!make_room(table, 1))
		return false;
	place(table, &entry);
	count_one(table, entry.addr, class);
	return true;
}

/*
 * The segments of a list lie at random places, whose numbers are known before they are needed: all
 * are fetched at once. A longer list's would push each other out again.
 */
#define MAX_EXPECTED 64
static void expect_list(const struct extent_table *table, const struct dms_segment *segments,
			uint32_t n_segments)
{
	for (uint32_t i = 0; i < n_segments && i < MAX_EXPECTED; i++) {
		unsigned int class = class_of(segments[i].size);
		uint64_t window = window_of(segments[i].dma_addr, class);

		__builtin_prefetch(&table->entries[home_of(table, window, class)], 1);
	}
}

bool extents_add_list(struct extent_table *table, const struct dms_segment *segments,
		      uint32_t n_segments, uint32_t slot)
{
	if (!make_room(table, n_segments))
		return false;
	expect_list(table, segments, n_segments);
	for (uint32_t i = 0; i < n_segments; i++) {
		unsigned int class = class_of(segments[i].size);
		struct extent entry = {
			.addr = segments[i].dma_addr,
			.slot = slot + 1,
			.part = extent_part(class, i),
		};

		place(table, &entry);
		count_one(table, entry.addr, class);
	}
	return true;
}

bool extents_find_place(struct extent_table *table, const struct dms_segment *range,
			extent_fn visit, void *context, uint32_t *ret)
{
	unsigned int class = class_of(range->size);
	bool wants_more = true;
	uint32_t at;

	if (!make_room(table, 1))
		return false;
	at = home_of(table, window_of(range->dma_addr, class), class);
	for (; table->entries[at].slot; at = table_next(table->size, at)) {
		const struct extent *entry = &table->entries[at];

		if (entry->addr == range->dma_addr && extent_class(entry) == class && wants_more)
			wants_more = visit(context, entry);
	}
	*ret = at;
	return true;
}

void extents_add_at(struct extent_table *table, const struct dms_segment *range, uint32_t slot,
		    uint32_t place)
{
	unsigned int class = class_of(range->size);

	table->entries[place] = (struct extent){
		.addr = range->dma_addr,
		.slot = slot + 1,
		.part = extent_part(class, 0),
	};
	count_one(table, range->dma_addr, class);
}

/* Entry @at follows the hole at @hole: move back what could not be placed there before. */
_apart_ static void fill_hole(struct extent_table *table, uint32_t hole, uint32_t at)
{
	for (; table->entries[at].slot; at = table_next(table->size, at)) {
		if (!table_may_move(home_of_entry(table, &table->entries[at]), hole, at))
			continue;
		table->entries[hole] = table->entries[at];
		hole = at;
	}
	table->entries[hole].slot = 0;
}

/* No entry may be cut off from where its search begins; nearly always nothing follows. */
static void take_out(struct extent_table *table, uint32_t at)
{
	uint32_t next = table_next(table->size, at);

	table->count--;
	if (table->entries[next].slot)
		fill_hole(table, at, next);
	else
		table->entries[at].slot = 0;
}

static bool is_extent(const struct extent *entry, uint64_t addr, uint32_t slot, uint32_t segment)
{
	return entry->addr == addr && entry->slot == slot + 1 && extent_segment(entry) == segment;
}

_apart_ static uint32_t find(const struct extent_table *table, const struct dms_segment *range,
			     uint32_t slot, uint32_t segment)
{
	unsigned int class = class_of(range->size);
	uint32_t at = home_of(table, window_of(range->dma_addr, class), class);

	while (!is_extent(&table->entries[at], range->dma_addr, slot, segment))
		at = table_next(table->size, at);
	return at;
}

static void uncount_one(struct extent_table *table, uint64_t addr, unsigned int class)
{
	count_start(table, addr, -1);
	if (!--table->class_count[class])
		table->used_classes &= ~DMS_BIT(class);
}

void extents_remove(struct extent_table *table, const struct dms_segment *range, uint32_t slot,
		    uint32_t segment, uint32_t hint)
{
	uint32_t at = hint < table->size.n_places ? hint : 0;
	unsigned int class;

	if (!is_extent(&table->entries[at], range->dma_addr, slot, segment))
		at = find(table, range, slot, segment);
	class = extent_class(&table->entries[at]);
	take_out(table, at);
	uncount_one(table, range->dma_addr, class);
}

_apart_ void extents_exchange(struct extent_table *table, const struct dms_segment *range,
			      uint32_t slot, uint32_t segment, uint32_t new_slot)
{
	table->entries[find(table, range, slot, segment)].slot = new_slot + 1;
}

void extents_remove_list(struct extent_table *table, const struct dms_segment *segments,
			 uint32_t n_segments, uint32_t slot)
{
	expect_list(table, segments, n_segments);
	for (uint32_t i = 0; i < n_segments; i++) {
		unsigned int class = class_of(segments[i].size);
		uint64_t addr = segments[i].dma_addr;
		uint32_t at = home_of(table, window_of(addr, class), class);

		while (!is_extent(&table->entries[at], addr, slot, i))
			at = table_next(table->size, at);
		take_out(table, at);
		uncount_one(table, addr, class);
	}
}

void extents_deinit(struct extent_table *table)
{
	dms_free(table->entries);
	forget_starts(table);
	*table = (struct extent_table){0};
}

/* Visit the starts at @addr in one class; false: the visitor has enough. */
static bool visit_class(const struct extent_table *table, uint64_t addr, unsigned int class,
			extent_fn visit, void *context)
{
	uint32_t at = home_of(table, window_of(addr, class), class);

	for (; table->entries[at].slot; at = table_next(table->size, at)) {
		const struct extent *entry = &table->entries[at];

		if (entry->addr == addr && extent_class(entry) == class && !visit(context, entry))
			return false;
	}
	return true;
}

void extents_each_at(const struct extent_table *table, uint64_t addr, extent_fn visit,
		     void *context)
{
	if (table->starts && !*starts_at(table, addr))
		return;
	for (uint32_t left = table->used_classes; left; left &= left - 1) {
		if (!visit_class(table, addr, (unsigned int)__builtin_ctz(left), visit, context))
			return;
	}
}

void extents_each_of_size(const struct extent_table *table, uint64_t addr, uint64_t size,
			  extent_fn visit, void *context)
{
	unsigned int class = class_of(size);

	if (table->used_classes & DMS_BIT(class))
		visit_class(table, addr, class, visit, context);
}

const struct extent *extents_only_of_size(const struct extent_table *table, uint64_t addr,
					  uint64_t size)
{
	const struct extent *only = NULL;
	unsigned int class = class_of(size);
	uint32_t at;

	if (!table->count)
		return NULL;
	at = home_of(table, window_of(addr, class), class);
	for (; table->entries[at].slot; at = table_next(table->size, at)) {
		if (table->entries[at].addr != addr || extent_class(&table->entries[at]) != class)
			continue;
		if (only)
			return NULL;
		only = &table->entries[at];
	}
	return only;
}

/* Visit all starts of one window; false: the visitor has enough. */
static bool visit_window(const struct extent_table *table, uint64_t window, unsigned int class,
			 extent_fn visit, void *context)
{
	uint32_t at = home_of(table, window, class);

	for (; table->entries[at].slot; at = table_next(table->size, at)) {
		const struct extent *entry = &table->entries[at];

		if (extent_class(entry) == class && window_of(entry->addr, class) == window &&
		    !visit(context, entry))
			return false;
	}
	return true;
}

void extents_each_around(const struct extent_table *table, uint64_t addr, extent_fn visit,
			 void *context)
{
	for (uint32_t left = table->used_classes; left; left &= left - 1) {
		unsigned int class = (unsigned int)__builtin_ctz(left);
		uint64_t window = window_of(addr, class);

		if (!visit_window(table, window, class, visit, context))
			return;
		if (window && !visit_window(table, window - 1, class, visit, context))
			return;
	}
}

void extents_each_touching(const struct extent_table *table, uint64_t first, uint64_t last,
			   uint32_t max_windows, extent_fn visit, void *context)
{
	uint32_t left = table->used_classes;

	while (left && max_windows) {
		unsigned int class = 31 - (unsigned int)__builtin_clz(left);
		uint64_t window = window_of(first, class), end = window_of(last, class);

		left &= ~DMS_BIT(class);
		window -= window > 0; /* what begins before reaches into it */
		for (; window <= end && max_windows; window++, max_windows--) {
			if (!visit_window(table, window, class, visit, context))
				return;
		}
	}
}

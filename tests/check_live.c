// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of src/model/live.c and memory.c: over random entries, in tables that grow from small to
 * large and are emptied again, a search finds what was added and not removed, and nothing else.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "model/memory.h"

static uint64_t next_random(uint64_t *state)
{
	*state = dms_hash64(*state + 0x9e3779b97f4a7c15ull);
	return *state;
}

/* ---- sizes ----------------------------------------------------------------------------------- */

START_TEST(tables_keep_free_places_at_any_size)
{
	struct table_size size = {0}, next;

	for (uint64_t places = 0; places < 1u << 30; places = size.n_places) {
		next = table_size_after(size, 16);
		ck_assert_uint_gt(next.n_places, size.n_places);
		ck_assert_uint_gt(next.n_max, size.n_max);
		ck_assert_uint_le(next.n_max, next.n_places - next.n_places / 4);
		if (next.n_places <= SMALL_TABLE_PLACES)
			ck_assert_uint_le(next.n_max, next.n_places / 2);
		else if (size.n_places)
			ck_assert_uint_le(next.n_places, size.n_places + size.n_places / 4);
		ck_assert_uint_lt(table_home(next, UINT64_MAX / 3), next.n_places);
		size = next;
	}
}
END_TEST

/* ---- extents --------------------------------------------------------------------------------- */

/* Addresses that often coincide: 4 in a window of 4 KiB; each has extents of three size classes. */
#define STARTS	    65536
#define START_STEP  1024
#define N_SIZES	    3
static const uint64_t sizes[N_SIZES] = {512, 8192, 65536};

/** What the table should hold: each extent by its slot, and how many there are of each kind. */
struct known {
	struct dms_segment *ranges; /* by slot; size 0: not there */
	uint32_t n_slots;
	uint32_t counts[STARTS][N_SIZES];
};

static uint32_t *count_of(struct known *known, struct dms_segment range)
{
	uint32_t i = 0;

	while (sizes[i] != range.size)
		i++;
	return &known->counts[range.dma_addr / START_STEP][i];
}

/** A search: what is looked for, and how many were found. */
struct found {
	const struct known *known;
	struct dms_segment range; /* size 0: any */
	uint32_t count;
};

static bool note_found(void *context, const struct extent *extent)
{
	struct found *found = context;
	struct dms_segment known = found->known->ranges[extent->slot - 1];

	ck_assert_uint_eq(extent->addr, known.dma_addr);
	ck_assert_uint_eq(extent_segment(extent), extent->slot % 5);
	ck_assert_uint_eq(known.dma_addr, found->range.dma_addr);
	ck_assert_uint_ne(known.size, 0);
	if (found->range.size)
		ck_assert_uint_eq(known.size, found->range.size);
	found->count++;
	return true;
}

static void look_up(const struct extent_table *table, struct known *known, struct dms_segment range)
{
	struct found exact = {known, range, 0}, any = {known, {range.dma_addr, 0}, 0};
	const struct extent *only = extents_only_of_size(table, range.dma_addr, range.size);
	uint32_t expected = 0;

	for (uint32_t i = 0; i < N_SIZES; i++)
		expected += known->counts[range.dma_addr / START_STEP][i];
	extents_each_at(table, range.dma_addr, note_found, &any);
	ck_assert_uint_eq(any.count, expected);
	extents_each_of_size(table, range.dma_addr, range.size, note_found, &exact);
	ck_assert_uint_eq(exact.count, *count_of(known, range));
	ck_assert_int_eq(only != NULL, exact.count == 1);
	if (only)
		ck_assert_mem_eq(&known->ranges[only->slot - 1], &range, sizeof(range));
}

static bool note_place(void *context, const struct extent *extent)
{
	const struct extent **place = context;

	*place = extent;
	return true;
}

/* By a right hint, the hint of another extent, and one that no table has. */
static void remove_slot(struct extent_table *table, struct known *known, uint32_t slot,
			uint64_t how)
{
	const uint32_t hints[] = {UINT32_MAX, 0, (uint32_t)(how >> 32) % table->size.n_places};
	struct dms_segment *range = &known->ranges[slot];
	const struct extent *place = NULL;
	uint32_t hint = hints[how % 3];

	if (how % 7 == 0) {
		extents_each_of_size(table, range->dma_addr, range->size, note_place, &place);
		hint = (uint32_t)(place - table->entries);
	}
	extents_remove(table, range, slot, (slot + 1) % 5, hint);
	--*count_of(known, *range);
	range->size = 0;
}

/* As many starts as slots: each has what coincides with it, and what does not. */
static struct dms_segment some_range(const struct known *known, uint64_t random)
{
	uint32_t n_starts = known->n_slots < STARTS ? known->n_slots : STARTS;

	return (struct dms_segment){random % n_starts * START_STEP,
				    sizes[random / STARTS % N_SIZES]};
}

static void add_slot(struct extent_table *table, struct known *known, uint32_t slot,
		     uint64_t random)
{
	struct dms_segment range = some_range(known, random);

	known->ranges[slot] = range;
	++*count_of(known, range);
	ck_assert(extents_add(table, &range, slot, (slot + 1) % 5));
}

static const uint32_t table_slots[] = {6, 500, 150000};

START_TEST(extents_are_found_until_removed)
{
	struct known *known = calloc(1, sizeof(*known));
	struct extent_table table = {0};
	uint64_t seed = (uint64_t)_i + 1;

	known->n_slots = table_slots[_i];
	known->ranges = calloc(known->n_slots, sizeof(*known->ranges));
	for (uint32_t round = 0; round < 3 * known->n_slots + 20000; round++) {
		uint64_t random = next_random(&seed);
		uint32_t slot = (uint32_t)(random >> 32) % known->n_slots;

		if (round == 50) /* of what is there, and of what comes; of the largest table no more */
			extents_count_starts(&table);
		if (known->ranges[slot].size)
			remove_slot(&table, known, slot, next_random(&seed));
		else
			add_slot(&table, known, slot, random);
		if (round % (known->n_slots / 200 + 1) == 0 && table.count)
			look_up(&table, known, some_range(known, next_random(&seed)));
	}
	for (uint32_t slot = 0; slot < known->n_slots; slot++) {
		if (known->ranges[slot].size)
			remove_slot(&table, known, slot, next_random(&seed));
	}
	ck_assert_uint_eq(table.count, 0);
	ck_assert_int_eq(table.starts != NULL, known->n_slots < 10000);
	for (uint32_t i = 0; i < table.size.n_places; i++)
		ck_assert_uint_eq(table.entries[i].slot, 0);
	extents_deinit(&table);
	free(known->ranges);
	free(known);
}
END_TEST

/* ---- memory ---------------------------------------------------------------------------------- */

#define MAPPINGS 140000
#define FRAMES	 100000 /* so that several lie in one; and in more than a small table has */
#define FRAME	 4096ull

/** Mappings of a part of a frame, or of two and a half frames; one in 16 is a list of such. */
struct lives {
	struct slot_pool slots;
	struct extent_table extents; /* of the lists */
	struct memory_index memory;
	struct live_mapping *live[MAPPINGS]; /* NULL: not there */
	uint32_t in_frame[FRAMES + 3];	     /* of those mappings */
	uint32_t n_alone;		     /* were entered without a search */
};

static void count_frames(struct lives *lives, const struct live_mapping *live, uint32_t add)
{
	for (uint32_t i = 0; i < memory_n_stretches(live); i++) {
		struct stretch memory = memory_stretch(live, i);

		for (uint64_t at = memory.first / FRAME; at <= memory.last / FRAME; at++)
			lives->in_frame[at] += add;
	}
}

/* Is anything where @live is to be, but for what lies there in @live itself? */
static bool is_any_there(const struct lives *lives, const struct live_mapping *live)
{
	for (uint32_t i = 0; i < memory_n_stretches(live); i++) {
		struct stretch memory = memory_stretch(live, i);

		if (lives->in_frame[memory.first / FRAME] || lives->in_frame[memory.last / FRAME])
			return true;
	}
	return false;
}

/* Up to 300 entries: small lists, and some beyond what the pool keeps. */
static void make_list(struct lives *lives, struct live_mapping *live, uint64_t random)
{
	uint32_t n = 1 + (uint32_t)(random >> 40) % (random % 64 ? 8 : 300);
	struct list_part *list = live_add_list(live, n, n);

	ck_assert_ptr_nonnull(list);
	ck_assert_ptr_eq(list, live_list(live));
	live->mapping.kind = DMS_MAPPING_SG;
	live->mapping.nents = live->mapping.ents = n;
	for (uint32_t i = 0; i < n; i++) {
		random = next_random(&random);
		list->sg.phys[i] = random % FRAMES * FRAME;
		list->segments[i] = (struct dms_segment){list->sg.phys[i],
							 random >> 32 & 63 ? 4096 : 10240};
	}
	ck_assert(extents_add_list(&lives->extents, list->segments, n, live->slot));
}

static struct live_mapping *begin_life(struct lives *lives, uint64_t random)
{
	struct live_mapping *live = slots_take(&lives->slots);
	uint64_t frame = random % FRAMES;

	ck_assert_ptr_null(live->mapping.sg);
	live->mapping = (struct dms_mapping){
		.serial = 1,
		.cpu_addr = frame * FRAME + random / FRAMES % 8 * 512,
		.size = random % 16 ? 512 : 10240,
		.has = DMS_HAS_PHYS_ADDR,
		.kind = DMS_MAPPING_PAGE,
	};
	if (random >> 60 < 1)
		make_list(lives, live, random);
	ck_assert(memory_is_known(live));
	if (memory_add_alone(&lives->memory, live)) {
		ck_assert(!is_any_there(lives, live));
		lives->n_alone++;
	} else {
		ck_assert(memory_add(&lives->memory, live));
	}
	count_frames(lives, live, 1);
	return live;
}

/** A search for one segment. */
struct segment_search {
	uint32_t slot, segment, n_found;
};

static bool note_segment(void *context, const struct extent *extent)
{
	struct segment_search *search = context;

	search->n_found += extent->slot == search->slot && extent_segment(extent) == search->segment;
	return true;
}

static void search_segments(const struct lives *lives, const struct live_mapping *live)
{
	const struct list_part *list = live_list(live);

	for (uint32_t i = 0; i < list->sg.n_segments; i++) {
		struct segment_search search = {live->slot + 1, i, 0};

		extents_each_of_size(&lives->extents, list->segments[i].dma_addr,
				     list->segments[i].size, note_segment, &search);
		ck_assert_uint_eq(search.n_found, 1);
	}
}

static void end_life(struct lives *lives, struct live_mapping *live)
{
	const struct list_part *list = live_list(live);

	count_frames(lives, live, (uint32_t)-1);
	memory_remove(&lives->memory, live);
	if (list) {
		search_segments(lives, live);
		extents_remove_list(&lives->extents, list->segments, list->sg.n_segments,
				    live->slot);
	}
	slots_give(&lives->slots, live);
}

/** A search of one frame. */
struct frame_search {
	uint64_t frame;
	uint32_t n_found;
};

static bool note_life(void *context, struct live_mapping *live, uint32_t stretch)
{
	struct frame_search *search = context;
	struct stretch memory = memory_stretch(live, stretch);

	ck_assert_uint_eq(live->mapping.serial, 1);
	if (memory.first / FRAME <= search->frame && search->frame <= memory.last / FRAME)
		search->n_found++;
	return true;
}

static void search_frame(struct lives *lives, uint64_t frame)
{
	struct frame_search search = {frame, 0};

	memory_search(&lives->memory, &lives->slots, stretch_of(frame * FRAME, FRAME), note_life,
		      &search);
	ck_assert_uint_eq(search.n_found, lives->in_frame[frame]);
}

START_TEST(memory_is_found_until_it_is_removed)
{
	struct lives *lives = calloc(1, sizeof(*lives));
	uint64_t seed = 1;

	for (uint32_t round = 0; round < 3 * MAPPINGS; round++) {
		uint64_t random = next_random(&seed);
		struct live_mapping **live = &lives->live[(random >> 32) % MAPPINGS];

		if (*live) {
			end_life(lives, *live);
			*live = NULL;
		} else {
			*live = begin_life(lives, random);
		}
		search_frame(lives, next_random(&seed) % FRAMES);
	}
	ck_assert_uint_gt(lives->memory.size.n_places, SMALL_TABLE_PLACES);
	ck_assert_uint_gt(lives->memory.n_nodes, 1000);
	ck_assert_uint_gt(lives->n_alone, 10000);
	for (uint32_t i = 0; i < MAPPINGS; i++) {
		if (lives->live[i])
			end_life(lives, lives->live[i]);
	}
	ck_assert_uint_eq(lives->memory.n_frames, 0);
	ck_assert_uint_eq(lives->memory.large.count, 0);
	ck_assert_uint_eq(lives->extents.count, 0);
	search_frame(lives, 1);
	extents_deinit(&lives->extents);
	memory_deinit(&lives->memory);
	slots_deinit(&lives->slots);
	free(lives);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("live");
	TCase *tests = tcase_create("tables");
	SRunner *runner;
	int failures;

	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, tables_keep_free_places_at_any_size);
	tcase_add_loop_test(tests, extents_are_found_until_removed, 0,
			    sizeof(table_slots) / sizeof(table_slots[0]));
	tcase_add_test(tests, memory_is_found_until_it_is_removed);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

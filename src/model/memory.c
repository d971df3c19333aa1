// SPDX-License-Identifier: LGPL-2.1-only
/* Live mappings by the physical memory they hold: which share any of it. */
#include "memory.h"

#define FRAME_SHIFT  MEMORY_FRAME_SHIFT
#define FIRST_PLACES 1024

/* Cells one search may look into: of a larger stretch only the beginning, 2 MiB in frames. */
#define MAX_SEARCHED_CELLS 512

/* Does it lie in several frames? */
static bool is_large(struct stretch memory)
{
	return memory.first >> FRAME_SHIFT != memory.last >> FRAME_SHIFT;
}

/* The lengths of a list are those of its segments: merged, they are not its entries'. */
static bool is_exact(const struct live_mapping *live)
{
	const struct list_part *list = live->list;

	return !list || (live->mapping.nents == live->mapping.ents &&
			 list->sg.n_phys == list->sg.n_segments);
}

bool memory_is_known(struct live_mapping *live)
{
	const struct dms_mapping *mapping = &live->mapping;

	live->is_in_frame = false;
	live->is_exact = is_exact(live);
	if (live->list) /* more entries than a record of the ring buffer holds are no real list */
		return mapping->kind == DMS_MAPPING_SG && live->list->sg.n_phys <= UINT16_MAX;
	live->is_in_frame = !is_large(memory_stretch(live, 0));
	return mapping->kind == DMS_MAPPING_PAGE && (mapping->has & DMS_HAS_PHYS_ADDR) &&
	       mapping->size;
}

/* ---- what lies in one frame -------------------------------------------------------------------
 */

/* The place of @frame, or the empty one where it belongs. */
static struct memory_frame *place_of(const struct memory_index *index, uint64_t frame)
{
	uint32_t at = dms_hash_place(frame, index->shift);

	while (index->frames[at].first && index->frames[at].frame != frame)
		at = (at + 1) & (index->n_places - 1);
	return &index->frames[at];
}

_apart_ static bool grow(struct memory_index *index)
{
	struct memory_index grown = *index;

	grown.n_places = index->n_places ? index->n_places * 2 : FIRST_PLACES;
	grown.shift = 64 - (uint32_t)__builtin_ctz(grown.n_places);
	grown.frames = dms_zalloc(grown.n_places * sizeof(*grown.frames));
	if (!grown.frames)
		return false;
	for (uint32_t i = 0; i < index->n_places; i++) {
		if (index->frames[i].first)
			*place_of(&grown, index->frames[i].frame) = index->frames[i];
	}
	dms_free(index->frames);
	*index = grown;
	return true;
}

static bool add_node(struct memory_index *index, struct memory_node *node, uint64_t frame)
{
	struct memory_frame *place;

	if (is_table_full(index->n_frames, index->n_places) && !grow(index))
		return false;
	place = place_of(index, frame);
	index->n_frames += !place->first;
	place->frame = frame;
	node->next = place->first;
	place->first = node;
	return true;
}

/* Close the hole at @hole: move back what could not be placed there before. */
static void close_hole(struct memory_index *index, uint32_t hole)
{
	uint32_t mask = index->n_places - 1;

	for (uint32_t at = (hole + 1) & mask; index->frames[at].first; at = (at + 1) & mask) {
		uint32_t home = dms_hash_place(index->frames[at].frame, index->shift);

		/* It may move only if the hole is not before its home. */
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		index->frames[hole] = index->frames[at];
		hole = at;
	}
	index->frames[hole].first = NULL;
}

static void remove_node(struct memory_index *index, const struct memory_node *node, uint64_t frame)
{
	struct memory_frame *place = place_of(index, frame);
	struct memory_node **at = &place->first;

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	if (place->first)
		return;
	index->n_frames--;
	close_hole(index, (uint32_t)(place - index->frames));
}

static bool search_frames(const struct memory_index *index, const struct slot_pool *slots,
			  struct stretch memory, memory_fn visit, void *context)
{
	uint64_t frame = memory.first >> FRAME_SHIFT, n = (memory.last >> FRAME_SHIFT) - frame;

	for (uint64_t i = 0; i <= n && i < MAX_SEARCHED_CELLS; i++) {
		const struct memory_node *node = place_of(index, frame + i)->first;

		for (; node; node = node->next) {
			if (!visit(context, slots_at(slots, node->slot), node->number))
				return false;
		}
	}
	return true;
}

/* ---- all others ------------------------------------------------------------------------------ */

/*
 * A stretch is entered for each cell it touches, of the smallest cells that make it at most five
 * entries: what shares a cell is then in one place of the table, and a search looks into its own
 * cells only. Cells are those of the table's size classes: 4 KiB, 16 KiB, 64 KiB...
 */
#define CELL_STEP    2
#define CELL_CLASSES 26
#define MAX_CELLS    4 /* and one more if it begins inside of a cell */

static unsigned int cell_shift(unsigned int class)
{
	return FRAME_SHIFT + CELL_STEP * class;
}

static unsigned int class_of(struct stretch memory)
{
	unsigned int class = 0;

	while (class < CELL_CLASSES - 1 &&
	       (memory.last - memory.first) >> cell_shift(class) >= MAX_CELLS)
		class ++;
	return class;
}

static struct dms_segment cell_at(uint64_t cell, unsigned int class)
{
	return (struct dms_segment){cell << cell_shift(class), 1ull << cell_shift(class)};
}

#define NEAR_SHIFT     18
#define MAX_NEAR_CELLS 64
#define NEIGHBOURHOODS_SHIFT (64 - 14) /* of MEMORY_NEIGHBOURHOODS: see dms_hash_place() */

static uint32_t *n_near_at(const struct memory_index *index, uint64_t place)
{
	return &index->n_near[dms_hash_place(place, NEIGHBOURHOODS_SHIFT)];
}

/* One extent more, or less, in its neighbourhoods. */
static void count_near(struct memory_index *index, struct stretch memory, uint32_t add)
{
	uint64_t at = memory.first >> NEAR_SHIFT, last = memory.last >> NEAR_SHIFT;

	if (last - at >= MAX_NEAR_CELLS) {
		index->n_wide += add;
		return;
	}
	for (; at <= last; at++)
		*n_near_at(index, at) += add;
}

static bool is_any_near(const struct memory_index *index, struct stretch memory)
{
	uint64_t at = memory.first >> NEAR_SHIFT, last = memory.last >> NEAR_SHIFT;

	if (!index->large.count)
		return false;
	if (index->n_wide || last - at >= MAX_NEAR_CELLS)
		return true;
	for (; at <= last; at++) {
		if (*n_near_at(index, at))
			return true;
	}
	return false;
}

static bool add_stretch(struct memory_index *index, const struct live_mapping *live,
			uint32_t number)
{
	struct stretch memory = memory_stretch(live, number);
	unsigned int class = class_of(memory), shift = cell_shift(class);

	for (uint64_t at = memory.first >> shift; at <= memory.last >> shift; at++) {
		struct dms_segment cell = cell_at(at, class);

		if (!extents_add(&index->large, &cell, live->slot, number))
			return false;
	}
	count_near(index, memory, 1);
	return true;
}

_apart_ static void remove_stretch(struct memory_index *index, const struct live_mapping *live,
			   uint32_t number)
{
	struct stretch memory = memory_stretch(live, number);
	unsigned int class = class_of(memory), shift = cell_shift(class);

	for (uint64_t at = memory.first >> shift; at <= memory.last >> shift; at++) {
		struct dms_segment cell = cell_at(at, class);

		extents_remove(&index->large, &cell, live->slot, number, 0);
	}
	count_near(index, memory, (uint32_t)-1);
}

/** A search in the table for a visitor of mappings. */
struct large_search {
	const struct slot_pool *slots;
	memory_fn visit;
	void *context;
	bool is_over;
};

static bool visit_extent(void *context, const struct extent *extent)
{
	struct large_search *search = context;

	search->is_over = !search->visit(search->context, extent_owner(search->slots, extent),
					 extent->segment);
	return !search->is_over;
}

/* From the largest cells down: of those a large stretch has few. */
_apart_ static void search_large(const struct extent_table *table, struct stretch memory,
			 struct large_search *search)
{
	uint32_t left = table->used_classes, budget = MAX_SEARCHED_CELLS;

	while (left && budget) {
		unsigned int class = 31 - (unsigned int)__builtin_clz(left);
		unsigned int shift = cell_shift(class);
		uint64_t at = memory.first >> shift, n = (memory.last >> shift) - at;

		left &= ~DMS_BIT(class);
		for (uint64_t i = 0; i <= n && budget; i++, budget--) {
			struct dms_segment cell = cell_at(at + i, class);

			extents_each_of_size(table, cell.dma_addr, cell.size, visit_extent, search);
			if (search->is_over)
				return;
		}
	}
}

/* ---- both ------------------------------------------------------------------------------------ */

_apart_ static bool add_large(struct memory_index *index, const struct live_mapping *live, uint32_t number)
{
	if (!index->n_near) {
		index->n_near = dms_zalloc(MEMORY_NEIGHBOURHOODS * sizeof(*index->n_near));
		if (!index->n_near)
			return false;
	}
	return add_stretch(index, live, number);
}

/* Stretch @number of @live, by @node if it lies in one frame. */
static bool add(struct memory_index *index, const struct live_mapping *live, uint32_t number,
		struct memory_node *node)
{
	struct stretch memory = memory_stretch(live, number);

	if (is_large(memory))
		return add_large(index, live, number);
	node->slot = live->slot;
	node->number = number;
	return add_node(index, node, memory.first >> FRAME_SHIFT);
}

static void remove_one(struct memory_index *index, const struct live_mapping *live, uint32_t number,
		       const struct memory_node *node)
{
	struct stretch memory = memory_stretch(live, number);

	if (is_large(memory))
		remove_stretch(index, live, number);
	else
		remove_node(index, node, memory.first >> FRAME_SHIFT);
}

/* Many lists are never indexed, and 16 bytes for each of their entries would be a lot. */
_apart_ static bool add_list(struct memory_index *index, struct live_mapping *live)
{
	struct list_part *list = live->list;

	list->nodes = dms_alloc(list->sg.n_phys * sizeof(*list->nodes));
	if (!list->nodes)
		return false;
	for (uint32_t i = 0; i < live->list->sg.n_phys; i++) {
		if (!add(index, live, i, &live->list->nodes[i]))
			return false;
	}
	return true;
}

_apart_ static void remove_list(struct memory_index *index, const struct live_mapping *live)
{
	for (uint32_t i = 0; live->list->nodes && i < live->list->sg.n_phys; i++)
		remove_one(index, live, i, &live->list->nodes[i]);
}

bool memory_add(struct memory_index *index, struct live_mapping *live)
{
	return live->list ? add_list(index, live) : add(index, live, 0, &live->node);
}

void memory_remove(struct memory_index *index, const struct live_mapping *live)
{
	if (live->list)
		remove_list(index, live);
	else
		remove_one(index, live, 0, &live->node);
}

void memory_deinit(struct memory_index *index)
{
	dms_free(index->frames);
	dms_free(index->n_near);
	extents_deinit(&index->large);
	*index = (struct memory_index){0};
}

bool memory_may_share(const struct memory_index *index, const struct live_mapping *live)
{
	if (!live->is_in_frame)
		return true;
	return (index->n_frames &&
		place_of(index, live->mapping.cpu_addr >> FRAME_SHIFT)->first) ||
	       is_any_near(index, memory_stretch(live, 0));
}

void memory_search(const struct memory_index *index, const struct slot_pool *slots,
		   struct stretch memory, memory_fn visit, void *context)
{
	struct large_search search = {slots, visit, context, false};

	if (index->n_frames && !search_frames(index, slots, memory, visit, context))
		return;
	if (is_any_near(index, memory))
		search_large(&index->large, memory, &search);
}

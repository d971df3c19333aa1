// SPDX-License-Identifier: LGPL-2.1-only
/* Live mappings by the physical memory they hold: which share any of it. */
#include "memory.h"

/* Not that of the traced machine: cells need not be its pages. */
#define FRAME_SHIFT  12
#define FIRST_FRAMES 1024

/* Cells one search may look into: of a larger stretch only the beginning, 2 MiB in frames. */
#define MAX_SEARCHED_CELLS 512

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
	live->is_in_frame = mapping->cpu_addr >> FRAME_SHIFT ==
			    (mapping->cpu_addr + mapping->size - 1) >> FRAME_SHIFT;
	return mapping->kind == DMS_MAPPING_PAGE && (mapping->has & DMS_HAS_PHYS_ADDR) &&
	       mapping->size;
}

/* ---- what lies in one frame -------------------------------------------------------------------
 */

static struct memory_node **chain_at(const struct memory_index *index, uint64_t hash)
{
	return &index->frames[(uint32_t)hash & (index->n_frames - 1)];
}

static uint16_t tag_of(uint64_t hash)
{
	return (uint16_t)(hash >> 48);
}

static void chain(struct memory_index *index, struct memory_node *node, uint64_t hash)
{
	struct memory_node **head = chain_at(index, hash);

	node->next = *head;
	*head = node;
}

/* A node does not tell its frame: its mapping does. */
static uint64_t frame_hash(const struct slot_pool *slots, const struct memory_node *node)
{
	const struct live_mapping *live = slots_at(slots, node->slot - 1);

	return dms_hash64(memory_stretch(live, node->number).first >> FRAME_SHIFT);
}

_apart_ static bool grow(struct memory_index *index, const struct slot_pool *slots)
{
	struct memory_index grown = {.n_frames =
					     index->n_frames ? index->n_frames * 2 : FIRST_FRAMES};

	grown.frames = dms_zalloc(grown.n_frames * sizeof(*grown.frames));
	if (!grown.frames)
		return false;
	for (uint32_t i = 0; i < index->n_frames; i++) {
		for (struct memory_node *node = index->frames[i], *next; node; node = next) {
			next = node->next;
			chain(&grown, node, frame_hash(slots, node));
		}
	}
	dms_free(index->frames);
	index->frames = grown.frames;
	index->n_frames = grown.n_frames;
	return true;
}

static bool add_node(struct memory_index *index, const struct slot_pool *slots,
		     struct memory_node *node, uint64_t hash)
{
	if (index->n_chained >= index->n_frames && !grow(index, slots))
		return false;
	index->n_chained++;
	chain(index, node, hash);
	return true;
}

static void remove_node(struct memory_index *index, const struct memory_node *node, uint64_t hash)
{
	struct memory_node **at = chain_at(index, hash);

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	index->n_chained--;
}

/* Two frames of one tag are visited both: whoever visits looks at the memory itself. */
static bool search_frame(const struct memory_index *index, const struct slot_pool *slots,
			 uint64_t frame, memory_fn visit, void *context)
{
	uint64_t hash = dms_hash64(frame);
	uint16_t tag = tag_of(hash);

	for (const struct memory_node *node = *chain_at(index, hash); node; node = node->next) {
		if (node->tag == tag &&
		    !visit(context, slots_at(slots, node->slot - 1), node->number))
			return false;
	}
	return true;
}

static bool search_frames(const struct memory_index *index, const struct slot_pool *slots,
			  struct stretch memory, memory_fn visit, void *context)
{
	uint64_t at = memory.first >> FRAME_SHIFT, n = (memory.last >> FRAME_SHIFT) - at;

	for (uint64_t i = 0; i <= n && i < MAX_SEARCHED_CELLS; i++) {
		if (!search_frame(index, slots, at + i, visit, context))
			return false;
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

static uint32_t *n_near_at(const struct memory_index *index, uint64_t place)
{
	return &index->n_near[(uint32_t)dms_hash64(place) & (MEMORY_NEIGHBOURHOODS - 1)];
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

		extents_remove(&index->large, &cell, live->slot, number);
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

static bool is_large(struct stretch memory)
{
	return memory.first >> FRAME_SHIFT != memory.last >> FRAME_SHIFT;
}

_apart_ static bool add_large(struct memory_index *index, const struct live_mapping *live, uint32_t number)
{
	if (!index->n_near) {
		index->n_near = dms_zalloc(MEMORY_NEIGHBOURHOODS * sizeof(*index->n_near));
		if (!index->n_near)
			return false;
	}
	return add_stretch(index, live, number);
}

bool memory_add(struct memory_index *index, const struct slot_pool *slots,
		struct live_mapping *live)
{
	uint32_t n = memory_n_stretches(live);
	struct memory_node *nodes = &live->node;

	if (live->list) {
		nodes = live->nodes = dms_alloc(n * sizeof(*nodes));
		if (!nodes)
			return false;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct stretch memory = memory_stretch(live, i);
		uint64_t hash = dms_hash64(memory.first >> FRAME_SHIFT);

		nodes[i] = (struct memory_node){
			.slot = is_large(memory) ? 0 : live->slot + 1,
			.number = (uint16_t)i,
			.tag = tag_of(hash),
		};
		if (!(nodes[i].slot ? add_node(index, slots, &nodes[i], hash)
				    : add_large(index, live, i)))
			return false;
	}
	return true;
}

void memory_remove(struct memory_index *index, struct live_mapping *live)
{
	const struct memory_node *nodes = live->list ? live->nodes : &live->node;

	for (uint32_t i = 0; i < memory_n_stretches(live); i++) {
		uint64_t frame = memory_stretch(live, i).first >> FRAME_SHIFT;

		if (nodes[i].slot)
			remove_node(index, &nodes[i], dms_hash64(frame));
		else
			remove_stretch(index, live, i);
	}
	if (live->list)
		dms_free(live->nodes);
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
	return (index->n_chained && *chain_at(index, dms_hash64(live->mapping.cpu_addr >> FRAME_SHIFT))) ||
	       is_any_near(index, memory_stretch(live, 0));
}

void memory_search(const struct memory_index *index, const struct slot_pool *slots,
		   struct stretch memory, memory_fn visit, void *context)
{
	struct large_search search = {slots, visit, context, false};

	if (index->n_chained && !search_frames(index, slots, memory, visit, context))
		return;
	if (is_any_near(index, memory))
		search_large(&index->large, memory, &search);
}

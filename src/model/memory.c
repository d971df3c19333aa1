// SPDX-License-Identifier: LGPL-2.1-only
/* Live mappings by the physical memory they hold: which share any of it. */
#include "memory.h"

#define FRAME_SHIFT  MEMORY_FRAME_SHIFT
#define FIRST_PLACES 1024

/* Cells one search may look into: of a larger stretch only the beginning, 2 MiB in frames. */
#define MAX_SEARCHED_CELLS 512
/* And of what may lie there so many. */
#define MAX_SEARCHED_EXTENTS 1024

/* Does it lie in several frames? */
static bool is_large(struct stretch memory)
{
	return memory.first >> FRAME_SHIFT != memory.last >> FRAME_SHIFT;
}

/* The lengths of a list are those of its segments: merged, they are not its entries'. */
static bool is_exact(const struct live_mapping *live)
{
	return live->mapping.nents == live->mapping.ents &&
	       live->mapping.sg->n_phys == live->mapping.sg->n_segments;
}

/* From where it begins to the end of a frame, or less. */
static bool is_in_frame(const struct dms_mapping *mapping)
{
	const uint64_t frame_bytes = 1ull << FRAME_SHIFT;

	return mapping->size - 1 < frame_bytes - mapping->cpu_addr % frame_bytes;
}

bool memory_is_known(struct live_mapping *live)
{
	const struct dms_mapping *mapping = &live->mapping;

	if (mapping->sg) { /* more entries than a record of the ring buffer holds are no real list */
		live->is_exact = is_exact(live);
		return mapping->kind == DMS_MAPPING_SG && mapping->sg->n_phys <= UINT16_MAX;
	}
	live->is_exact = true;
	if (is_in_frame(mapping))
		live->is_in_frame = true;
	return mapping->kind == DMS_MAPPING_PAGE && (mapping->has & DMS_HAS_PHYS_ADDR) &&
	       mapping->size;
}

/* ---- what lies in one frame -------------------------------------------------------------------
 */

_Static_assert(sizeof(struct memory_frame) == 16, "as large as table_give_back() expects");

/* The place of @frame, or the empty one where it belongs. */
static struct memory_frame *place_of(const struct memory_index *index, uint64_t frame)
{
	uint32_t at = table_home(index->size, frame);

	while (index->frames[at].entry.slot && index->frames[at].frame != frame)
		at = table_next(index->size, at);
	return &index->frames[at];
}

_apart_ static bool grow(struct memory_index *index)
{
	struct memory_index grown = *index;

	grown.size = table_size_after(index->size, FIRST_PLACES);
	grown.frames = dms_zalloc((size_t)grown.size.n_places * sizeof(*grown.frames));
	if (!grown.frames)
		return false;
	for (uint32_t i = 0; i < index->size.n_places; i++) {
		table_give_back(index->frames, i);
		if (index->frames[i].entry.slot)
			*place_of(&grown, index->frames[i].frame) = index->frames[i];
	}
	dms_free(index->frames);
	*index = grown;
	return true;
}

/* A node of @entry, to be chained before @next; 0 when memory is short. */
static uint32_t take_node(struct memory_index *index, struct memory_entry entry, uint32_t next)
{
	uint32_t node = index->free_node;

	if (node) {
		index->free_node = index->nodes[node - 1].next;
	} else {
		if (!dms_grow(&index->nodes, &index->nodes_capacity, index->n_nodes + 1,
			      sizeof(*index->nodes)))
			return 0;
		node = (uint32_t)++index->n_nodes;
	}
	index->nodes[node - 1] = (struct memory_node){entry, next};
	return node;
}

/* To what is at @place, which is not empty. */
_apart_ static bool chain(struct memory_index *index, struct memory_frame *place,
		  struct memory_entry entry)
{
	uint32_t before = place->entry.slot, node;

	if (place->entry.number != MEMORY_SEVERAL && !(before = take_node(index, place->entry, 0)))
		return false;
	node = take_node(index, entry, before);
	place->entry = (struct memory_entry){node ? node : before, MEMORY_SEVERAL};
	return node;
}

/* Return: false if it was the last one. */
_apart_ static bool unchain(struct memory_index *index, struct memory_frame *place,
		    struct memory_entry entry)
{
	uint32_t *at = &place->entry.slot, number;
	struct memory_node *node = &index->nodes[*at - 1];

	while (node->entry.slot != entry.slot || node->entry.number != entry.number) {
		at = &node->next;
		node = &index->nodes[*at - 1];
	}
	number = *at;
	*at = node->next;
	node->next = index->free_node;
	index->free_node = number;
	return place->entry.slot;
}

static bool add_entry(struct memory_index *index, struct memory_entry entry, uint64_t frame)
{
	struct memory_frame *place;

	if (index->n_frames >= index->size.n_max && !grow(index))
		return false;
	place = place_of(index, frame);
	if (place->entry.slot)
		return chain(index, place, entry);
	*place = (struct memory_frame){frame, entry};
	index->n_frames++;
	return true;
}

/* Place @at follows the hole at @hole: move back what could not be placed there before. */
_apart_ static void fill_hole(struct memory_index *index, uint32_t hole, uint32_t at)
{
	for (; index->frames[at].entry.slot; at = table_next(index->size, at)) {
		if (!table_may_move(table_home(index->size, index->frames[at].frame), hole, at))
			continue;
		index->frames[hole] = index->frames[at];
		hole = at;
	}
	index->frames[hole].entry.slot = 0;
}

/* No place may be cut off from where its search begins; nearly always nothing follows. */
static void take_out(struct memory_index *index, uint32_t at)
{
	uint32_t next = table_next(index->size, at);

	index->n_frames--;
	if (index->frames[next].entry.slot)
		fill_hole(index, at, next);
	else
		index->frames[at].entry.slot = 0;
}

static void remove_entry(struct memory_index *index, struct memory_entry entry, uint64_t frame)
{
	struct memory_frame *place = place_of(index, frame);

	if (place->entry.number == MEMORY_SEVERAL && unchain(index, place, entry))
		return;
	take_out(index, (uint32_t)(place - index->frames));
}

/* Visit all entries in one frame, the newest first; false: the visitor has enough. */
static bool visit_frame(const struct memory_index *index, const struct slot_pool *slots,
			uint64_t frame, memory_fn visit, void *context)
{
	struct memory_node node = {place_of(index, frame)->entry, 0};

	if (!node.entry.slot)
		return true;
	if (node.entry.number == MEMORY_SEVERAL)
		node = index->nodes[node.entry.slot - 1];
	while (visit(context, slots_at(slots, node.entry.slot - 1), node.entry.number)) {
		if (!node.next)
			return true;
		node = index->nodes[node.next - 1];
	}
	return false;
}

static bool search_frames(const struct memory_index *index, const struct slot_pool *slots,
			  struct stretch memory, memory_fn visit, void *context)
{
	uint64_t frame = memory.first >> FRAME_SHIFT, n = (memory.last >> FRAME_SHIFT) - frame;

	for (uint64_t i = 0; i <= n && i < MAX_SEARCHED_CELLS; i++) {
		if (!visit_frame(index, slots, frame + i, visit, context))
			return false;
	}
	return true;
}

/* ---- all others ------------------------------------------------------------------------------ */

#define NEAR_SHIFT     14
#define MAX_NEAR_CELLS 1024
#define NEIGHBOURHOODS_SHIFT (64 - 16) /* of MEMORY_NEIGHBOURHOODS: see dms_hash_place() */

static uint8_t *n_near_at(const struct memory_index *index, uint64_t place)
{
	return &index->n_near[dms_hash_place(place, NEIGHBOURHOODS_SHIFT)];
}

/* One extent more, or less, in its neighbourhoods. @add: 1 or -1. */
static void count_near(struct memory_index *index, struct stretch memory, int add)
{
	uint64_t at = memory.first >> NEAR_SHIFT, last = memory.last >> NEAR_SHIFT;
	uint8_t *n_near;

	if (last - at >= MAX_NEAR_CELLS) {
		index->n_wide += (uint32_t)add;
		return;
	}
	for (; at <= last; at++) {
		n_near = n_near_at(index, at);
		if (*n_near < MEMORY_MANY)
			*n_near = (uint8_t)(*n_near + add);
	}
}

/* May one of them lie in the page frame at @phys_addr? */
static bool is_near(const struct memory_index *index, uint64_t phys_addr)
{
	return index->large.count &&
	       (index->n_wide || *n_near_at(index, phys_addr >> NEAR_SHIFT));
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

/* All of the address space is a byte short. */
static struct dms_segment range_of(struct stretch memory)
{
	uint64_t size = memory.last - memory.first + 1;

	return (struct dms_segment){memory.first, size ? size : UINT64_MAX};
}

static bool add_stretch(struct memory_index *index, const struct live_mapping *live,
			uint32_t number)
{
	struct stretch memory = memory_stretch(live, number);
	struct dms_segment range = range_of(memory);

	if (!extents_add(&index->large, &range, live->slot, number))
		return false;
	count_near(index, memory, 1);
	return true;
}

_apart_ static void remove_stretch(struct memory_index *index, const struct live_mapping *live,
				   uint32_t number)
{
	struct stretch memory = memory_stretch(live, number);
	struct dms_segment range = range_of(memory);

	extents_remove(&index->large, &range, live->slot, number, 0);
	count_near(index, memory, -1);
}

/** A search in the table for a visitor of mappings. */
struct large_search {
	const struct slot_pool *slots;
	struct stretch memory;
	memory_fn visit;
	void *context;
	uint32_t budget; /* of extents */
	bool is_over;
};

/* What begins in the same window need not be near; what shares no more than a line with it is. */
static bool may_touch(struct stretch left, struct stretch right)
{
	const uint64_t frame = ~(uint64_t)0 << FRAME_SHIFT;

	return (left.first & frame) <= right.last && (right.first & frame) <= left.last;
}

static bool visit_extent(void *context, const struct extent *extent)
{
	struct large_search *search = context;
	struct live_mapping *owner = extent_owner(search->slots, extent);
	uint32_t number = extent_segment(extent);

	if (!search->budget--)
		search->is_over = true;
	else if (may_touch(memory_stretch(owner, number), search->memory))
		search->is_over = !search->visit(search->context, owner, number);
	return !search->is_over;
}

_apart_ static void search_large(const struct extent_table *table, struct large_search *search)
{
	extents_each_touching(table, search->memory.first, search->memory.last,
			      MAX_SEARCHED_CELLS, visit_extent, search);
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

static struct memory_entry entry_of(const struct live_mapping *live, uint32_t number)
{
	return (struct memory_entry){live->slot + 1, number};
}

/* As expect_list() of live.c. */
#define MAX_EXPECTED 64
static void expect_list(const struct memory_index *index, const struct dms_sg *sg)
{
	for (uint32_t i = 0; i < sg->n_phys && i < MAX_EXPECTED && index->size.n_places; i++)
		__builtin_prefetch(&index->frames[table_home(index->size,
							     sg->phys[i] >> FRAME_SHIFT)], 1);
}

static bool add_list(struct memory_index *index, const struct live_mapping *live)
{
	const struct dms_sg *sg = live->mapping.sg;

	for (uint32_t i = 0; i < sg->n_phys; i++) {
		if (is_large(memory_stretch(live, i)) ?
			    !add_large(index, live, i) :
			    !add_entry(index, entry_of(live, i), sg->phys[i] >> FRAME_SHIFT))
			return false;
	}
	return true;
}

static void remove_list(struct memory_index *index, const struct live_mapping *live)
{
	const struct dms_sg *sg = live->mapping.sg;

	expect_list(index, sg);
	for (uint32_t i = 0; i < sg->n_phys; i++) {
		if (is_large(memory_stretch(live, i)))
			remove_stretch(index, live, i);
		else
			remove_entry(index, entry_of(live, i), sg->phys[i] >> FRAME_SHIFT);
	}
}

static uint64_t frame_of(const struct live_mapping *live)
{
	return live->mapping.cpu_addr >> FRAME_SHIFT;
}

/* Enter what lies at @phys_addr, in one frame, if nothing else is there, nor anything large near. */
static bool add_entry_alone(struct memory_index *index, struct memory_entry entry,
			    uint64_t phys_addr)
{
	uint64_t frame = phys_addr >> FRAME_SHIFT;
	struct memory_frame *place;

	if (index->n_frames >= index->size.n_max)
		return false;
	place = place_of(index, frame);
	if (place->entry.slot || is_near(index, phys_addr))
		return false;
	*place = (struct memory_frame){frame, entry};
	index->n_frames++;
	return true;
}

/* All entries or, if there is one that is not alone, none. */
_apart_ _flat_ static bool add_list_alone(struct memory_index *index,
					  const struct live_mapping *live)
{
	const struct dms_sg *sg = live->mapping.sg;
	uint32_t n = 0;

	expect_list(index, sg);
	while (n < sg->n_phys && !is_large(memory_stretch(live, n)) &&
	       add_entry_alone(index, entry_of(live, n), sg->phys[n]))
		n++;
	if (n == sg->n_phys)
		return true;
	while (n--)
		remove_entry(index, entry_of(live, n), sg->phys[n] >> FRAME_SHIFT);
	return false;
}

bool memory_add_alone(struct memory_index *index, const struct live_mapping *live)
{
	if (live->mapping.sg)
		return add_list_alone(index, live);
	return live->is_in_frame && add_entry_alone(index, entry_of(live, 0), live->mapping.cpu_addr);
}

_apart_ _flat_ bool memory_add(struct memory_index *index, const struct live_mapping *live)
{
	if (live->mapping.sg)
		return add_list(index, live);
	return live->is_in_frame ? add_entry(index, entry_of(live, 0), frame_of(live)) :
				   add_large(index, live, 0);
}

_apart_ _flat_ static void remove_several(struct memory_index *index, const struct live_mapping *live)
{
	if (live->mapping.sg)
		remove_list(index, live);
	else
		remove_stretch(index, live, 0);
}

void memory_remove(struct memory_index *index, const struct live_mapping *live)
{
	if (live->is_in_frame)
		remove_entry(index, entry_of(live, 0), frame_of(live));
	else
		remove_several(index, live);
}

void memory_deinit(struct memory_index *index)
{
	dms_free(index->frames);
	dms_free(index->nodes);
	dms_free(index->n_near);
	extents_deinit(&index->large);
	*index = (struct memory_index){0};
}

bool memory_search(const struct memory_index *index, const struct slot_pool *slots,
		   struct stretch memory, memory_fn visit, void *context)
{
	struct large_search search = {.slots = slots,
				      .memory = memory,
				      .visit = visit,
				      .context = context,
				      .budget = MAX_SEARCHED_EXTENTS};

	if (index->n_frames && !search_frames(index, slots, memory, visit, context))
		return false;
	if (is_any_near(index, memory))
		search_large(&index->large, &search);
	return !search.is_over;
}

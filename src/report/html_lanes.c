// SPDX-License-Identifier: LGPL-2.1-only
/* The lanes of the HTML page: of each finding, the mappings and syncs nearest to it in time. */
#include <inttypes.h>
#include <string.h>

#include "html_scan.h"

/** What is drawn: a mapping's bar or a sync's mark. */
struct item {
	uint64_t distance_ns; /* the heap's key: the farthest is on top */
	int64_t id;	      /* row of mapping or event: breaks ties, and is the order told */
	bool is_own;	      /* the finding's own mapping */
	struct html_mapping mapping; /* of a sync: map_ns is its time */
	char kind[24], direction;
};

struct heap {
	struct item *items;
	size_t n_items, capacity;
};

struct lane {
	int64_t finding_id, device_id, mapping_id;
	int64_t ts_ns, map_ns, unmap_ns; /* of the finding and its mapping; 0: not told */
	bool has_addr;
	uint64_t dma_addr, size_bytes;
	struct heap mappings, syncs;
};

struct html_lanes {
	struct html_page *page;
	struct dms_arena *arena;
	struct lane *lanes;
	size_t n_lanes;
};

static const char lanes_sql[] =
	"SELECT f.id, f.device_id, f.mapping_id, f.ts_ns, f.dma_addr, f.size_bytes,"
	" json_extract(f.facts, '$.map_ns'), json_extract(f.facts, '$.unmap_ns')"
	" FROM finding AS f JOIN temp.html_finding AS h USING (id)"
	" WHERE f.device_id IS NOT NULL ORDER BY h.place LIMIT :lanes";

static struct lane read_lane(sqlite3_stmt *stmt)
{
	return (struct lane){
		.finding_id = sqlite3_column_int64(stmt, 0),
		.device_id = sqlite3_column_int64(stmt, 1),
		.mapping_id = sqlite3_column_int64(stmt, 2),
		.ts_ns = sqlite3_column_int64(stmt, 3),
		.has_addr = sqlite3_column_type(stmt, 4) != SQLITE_NULL,
		.dma_addr = (uint64_t)sqlite3_column_int64(stmt, 4),
		.size_bytes = (uint64_t)sqlite3_column_int64(stmt, 5),
		.map_ns = sqlite3_column_int64(stmt, 6),
		.unmap_ns = sqlite3_column_int64(stmt, 7),
	};
}

static bool make_room(struct html_lanes *lanes, struct heap *heap)
{
	heap->capacity = lanes->page->limits.lane_items;
	heap->items = dms_arena_alloc(lanes->arena, heap->capacity * sizeof(*heap->items));
	return heap->items != NULL;
}

struct dms_error *html_lanes_create(struct html_page *page, struct html_lanes **ret)
{
	struct html_lanes *lanes = dms_zalloc(sizeof(*lanes));
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err;
	bool has_row = true;

	*ret = lanes;
	if (!lanes || !(lanes->arena = dms_arena_create()) ||
	    !(lanes->lanes = dms_zalloc((page->limits.lanes + 1) * sizeof(struct lane))))
		return &dms_error_nomem;
	lanes->page = page;
	err = html_prepare(page, lanes_sql, &stmt);
	while (!err && !(err = html_step(page, stmt, &has_row)) && has_row) {
		struct lane *lane = &lanes->lanes[lanes->n_lanes++];

		*lane = read_lane(stmt);
		if (!make_room(lanes, &lane->mappings) || !make_room(lanes, &lane->syncs))
			err = &dms_error_nomem;
	}
	sqlite3_finalize(stmt);
	return err;
}

void html_lanes_destroy(struct html_lanes *lanes)
{
	if (!lanes)
		return;
	dms_arena_destroy(lanes->arena);
	dms_free(lanes->lanes);
	dms_free(lanes);
}

/* ---- a heap of the nearest ------------------------------------------------------------------- */

static bool is_farther(const struct item *a, const struct item *b)
{
	if (a->distance_ns != b->distance_ns)
		return a->distance_ns > b->distance_ns;
	return a->id > b->id;
}

static void swap(struct item *a, struct item *b)
{
	struct item kept = *a;

	*a = *b;
	*b = kept;
}

static void sift_up(struct heap *heap, size_t i)
{
	for (; i && is_farther(&heap->items[i], &heap->items[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&heap->items[i], &heap->items[(i - 1) / 2]);
}

static void sift_down(struct heap *heap)
{
	size_t i = 0, child;

	while ((child = 2 * i + 1) < heap->n_items) {
		if (child + 1 < heap->n_items &&
		    is_farther(&heap->items[child + 1], &heap->items[child]))
			child++;
		if (!is_farther(&heap->items[child], &heap->items[i]))
			return;
		swap(&heap->items[i], &heap->items[child]);
		i = child;
	}
}

/* Is there a place for an item of this distance, or is @heap full of nearer ones? */
static bool has_room(const struct heap *heap, uint64_t distance_ns, int64_t id)
{
	const struct item item = {.distance_ns = distance_ns, .id = id};

	return heap->n_items < heap->capacity ||
	       (heap->n_items && heap->items[0].distance_ns >= distance_ns &&
		is_farther(&heap->items[0], &item));
}

static void keep(struct heap *heap, const struct item *item)
{
	if (heap->n_items < heap->capacity) {
		heap->items[heap->n_items++] = *item;
		sift_up(heap, heap->n_items - 1);
		return;
	}
	heap->items[0] = *item;
	sift_down(heap);
}

/* ---- what is near ---------------------------------------------------------------------------- */

/* A time the facts tell of the finding's mapping: may @mapping be that one? */
static bool is_time(int64_t told_ns, bool has_time, int64_t ns)
{
	return !told_ns || (has_time && told_ns == ns);
}

/* Faults tell no more than the page: the same page will do. */
static bool is_own(const struct lane *lane, const struct html_mapping *mapping)
{
	if (lane->mapping_id)
		return lane->mapping_id == mapping->id;
	return (lane->map_ns || lane->unmap_ns) && lane->has_addr && mapping->has_addr &&
	       (lane->dma_addr - mapping->dma_addr < mapping->size_bytes ||
		lane->dma_addr >> 12 == mapping->dma_addr >> 12) &&
	       is_time(lane->map_ns, mapping->has_map, mapping->map_ns) &&
	       is_time(lane->unmap_ns, mapping->has_unmap, mapping->unmap_ns);
}

static uint64_t distance(int64_t a, int64_t b)
{
	return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

/*
 * How far @mapping's ends are from the finding: a life that spans it for hours says less than
 * one that has just begun. What lies at the same address counts as sixteen times nearer.
 */
static uint64_t distance_of(const struct lane *lane, const struct html_mapping *mapping)
{
	uint64_t nearest = UINT64_MAX, end;

	if (mapping->has_map)
		nearest = distance(mapping->map_ns, lane->ts_ns);
	if (mapping->has_unmap) {
		end = distance(mapping->unmap_ns, lane->ts_ns);
		nearest = end < nearest ? end : nearest;
	}
	if (lane->has_addr && mapping->has_addr &&
	    (lane->dma_addr - mapping->dma_addr < mapping->size_bytes ||
	     mapping->dma_addr - lane->dma_addr < lane->size_bytes))
		nearest /= 16;
	return nearest;
}

static void copy_word(struct item *item, sqlite3_stmt *stmt, int kind, int direction)
{
	const char *word = (const char *)sqlite3_column_text(stmt, kind);
	const char *way = (const char *)sqlite3_column_text(stmt, direction);

	snprintf(item->kind, sizeof(item->kind), "%s", word ? word : "");
	item->direction = way && strchr("BTFNU", way[0]) && way[0] ? way[0] : 'U';
}

/* Most mappings are of other devices, or too far: they cost a comparison each. */
static void see(struct lane *lane, const struct html_mapping *mapping, sqlite3_stmt *stmt)
{
	bool own = is_own(lane, mapping);
	uint64_t distance_ns = own ? 0 : distance_of(lane, mapping);
	struct item item;

	if (!has_room(&lane->mappings, distance_ns, mapping->id))
		return;
	item = (struct item){.distance_ns = distance_ns, .id = mapping->id, .is_own = own,
			     .mapping = *mapping};
	copy_word(&item, stmt, 2, 5);
	keep(&lane->mappings, &item);
}

void html_lanes_see(struct html_lanes *lanes, const struct html_mapping *mapping,
		    sqlite3_stmt *stmt)
{
	for (size_t i = 0; i < lanes->n_lanes; i++) {
		if (lanes->lanes[i].device_id == mapping->device_id)
			see(&lanes->lanes[i], mapping, stmt);
	}
}

struct dms_error *html_lanes_see_syncs(struct html_lanes *lanes)
{
	static const char sql[] =
		"SELECT id, device_id, ts_ns, dma_addr, size_bytes, kind, direction FROM event"
		" WHERE kind LIKE 'sync%' AND dma_addr IS NOT NULL";
	sqlite3_stmt *stmt = NULL;
	bool has_row = lanes->n_lanes > 0;
	struct dms_error *err = html_prepare(lanes->page, sql, &stmt);

	while (!err && has_row && !(err = html_step(lanes->page, stmt, &has_row)) && has_row) {
		struct item item = {.id = sqlite3_column_int64(stmt, 0)};

		item.mapping.map_ns = sqlite3_column_int64(stmt, 2);
		item.mapping.has_addr = item.mapping.has_map = true;
		item.mapping.dma_addr = (uint64_t)sqlite3_column_int64(stmt, 3);
		item.mapping.size_bytes = (uint64_t)sqlite3_column_int64(stmt, 4);
		copy_word(&item, stmt, 5, 6);
		for (size_t i = 0; i < lanes->n_lanes; i++) {
			struct lane *lane = &lanes->lanes[i];

			item.distance_ns = distance_of(lane, &item.mapping);
			if (lane->device_id == sqlite3_column_int64(stmt, 1) &&
			    has_room(&lane->syncs, item.distance_ns, item.id))
				keep(&lane->syncs, &item);
		}
	}
	sqlite3_finalize(stmt);
	return err;
}

/* ---- what was kept --------------------------------------------------------------------------- */

static int compare_items(const void *a, const void *b)
{
	const struct item *left = a, *right = b;

	return left->id < right->id ? -1 : left->id > right->id;
}

static json_t *time_json(const struct html_page *page, bool is_known, int64_t ts)
{
	return is_known ? json_integer(ts - page->base_ns) : json_null();
}

/* [map, end, address, size, direction, kind, flags]: flags 1 own, 2 live, 4 ended without an unmap */
static json_t *item_json(const struct html_page *page, const struct item *item)
{
	const struct html_mapping *mapping = &item->mapping;
	bool was_cut = !mapping->has_unmap && mapping->ended_ns;
	int flags = item->is_own | mapping->is_live << 1 | was_cut << 2;
	_cleanup_(dms_freep) char *kind =
		dms_escape(item->kind, strlen(item->kind), DMS_ESCAPE_TEXT);

	if (!kind)
		return NULL;
	return json_pack(
		"[o,o,o,I,s#,s,i]", time_json(page, mapping->has_map, mapping->map_ns),
		time_json(page, mapping->has_unmap || was_cut,
			  mapping->has_unmap ? mapping->unmap_ns : mapping->ended_ns),
		mapping->has_addr ? json_sprintf("0x%" PRIx64, mapping->dma_addr) : json_null(),
		(json_int_t)mapping->size_bytes, &item->direction, 1, kind, flags);
}

static json_t *heap_json(const struct html_page *page, struct heap *heap)
{
	json_t *list = json_array();

	qsort(heap->items, heap->n_items, sizeof(*heap->items), compare_items);
	for (size_t i = 0; list && i < heap->n_items; i++) {
		if (json_array_append_new(list, item_json(page, &heap->items[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

struct dms_error *html_lanes_add(struct html_lanes *lanes)
{
	json_t *object = json_object();

	if (json_object_set_new(lanes->page->root, "lanes", object))
		return &dms_error_nomem;
	for (size_t i = 0; i < lanes->n_lanes; i++) {
		struct lane *lane = &lanes->lanes[i];
		json_t *told = json_object();
		char key[24];

		snprintf(key, sizeof(key), "%" PRId64, lane->finding_id);
		if (json_object_set_new(object, key, told) ||
		    json_object_set_new(told, "mappings",
					heap_json(lanes->page, &lane->mappings)) ||
		    json_object_set_new(told, "syncs", heap_json(lanes->page, &lane->syncs)))
			return &dms_error_nomem;
	}
	return NULL;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* The lanes of the HTML page: of each finding, the mappings and syncs nearest to it in time. */
#include <inttypes.h>
#include <string.h>

#include "exports.h"
#include "html_scan.h"

/** A row of mapping or event, and how far it is from the finding. */
struct item {
	uint64_t distance_ns;
	int64_t id;  /* breaks ties, and is the order told */
	bool is_own; /* the finding's own mapping */
};

/**
 * The items nearest to a finding. There is room for twice as many as are told; when it is full the
 * farther half goes. So an item costs the same wherever the finding is: at the end of the trace
 * every mapping is nearer than those before it.
 */
struct nearest {
	struct item *items;
	size_t n_items;
	struct item farthest; /* of those told, once there are enough: what is no nearer is not kept */
	bool has_farthest;
};

#define LANE_SLOTS 64 /* a power of two */

struct lane {
	int64_t finding_id, device_id, mapping_id;
	int64_t ts_ns, map_ns, unmap_ns; /* of the finding and its mapping; 0: not told */
	bool has_addr;
	uint64_t dma_addr, size_bytes;
	struct nearest mappings, syncs;
	struct lane *next; /* in the same slot */
};

struct html_lanes {
	struct html_page *page;
	struct dms_arena *arena;
	struct lane *lanes;
	size_t n_lanes;
	struct lane *slots[LANE_SLOTS]; /* by device: few of all mappings concern a lane */
};

#define MAX_KIND 23 /* bytes of a kind: a damaged file may hold anything */

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

static struct lane **slot_of(struct html_lanes *lanes, int64_t device_id)
{
	return &lanes->slots[(uint64_t)device_id % LANE_SLOTS];
}

static bool make_room(struct html_lanes *lanes, struct nearest *nearest)
{
	size_t n_told = lanes->page->limits.lane_items;

	nearest->items = dms_arena_alloc(lanes->arena, 2 * n_told * sizeof(*nearest->items));
	return nearest->items != NULL;
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
		struct lane *lane = &lanes->lanes[lanes->n_lanes++], **slot;

		*lane = read_lane(stmt);
		slot = slot_of(lanes, lane->device_id);
		lane->next = *slot;
		*slot = lane;
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

/* ---- the nearest ----------------------------------------------------------------------------- */

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

/* Bring the nearest @n_told of @items to the front, the farthest of them last: Hoare's selection. */
static void select_nearest(struct item *items, size_t n_items, size_t n_told)
{
	ptrdiff_t border = (ptrdiff_t)n_told - 1, low = 0, high = (ptrdiff_t)n_items - 1;

	while (low < high) {
		const struct item pivot = items[border];
		ptrdiff_t i = low, j = high;

		while (i <= j) {
			while (is_farther(&pivot, &items[i]))
				i++;
			while (is_farther(&items[j], &pivot))
				j--;
			if (i <= j)
				swap(&items[i++], &items[j--]);
		}
		if (j < border)
			low = i;
		if (border < i)
			high = j;
	}
}

static void drop_farthest(struct nearest *nearest, size_t n_told)
{
	if (nearest->n_items <= n_told)
		return;
	select_nearest(nearest->items, nearest->n_items, n_told);
	nearest->n_items = n_told;
	nearest->farthest = nearest->items[n_told - 1];
	nearest->has_farthest = true;
}

static void keep(struct nearest *nearest, const struct item *item, size_t n_told)
{
	if (nearest->has_farthest && !is_farther(&nearest->farthest, item))
		return;
	nearest->items[nearest->n_items++] = *item;
	if (nearest->n_items == 2 * n_told)
		drop_farthest(nearest, n_told);
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

/* Most mappings are of other devices, or too far. */
void html_lanes_see(struct html_lanes *lanes, const struct html_mapping *mapping)
{
	struct lane *lane = *slot_of(lanes, mapping->device_id);

	for (; lane; lane = lane->next) {
		struct item item = {.id = mapping->id};

		if (lane->device_id != mapping->device_id)
			continue;
		item.is_own = is_own(lane, mapping);
		item.distance_ns = item.is_own ? 0 : distance_of(lane, mapping);
		keep(&lane->mappings, &item, lanes->page->limits.lane_items);
	}
}

/* A sync is as near as a mapping that was mapped there and then. */
static bool see_sync(void *context, sqlite3_value **values)
{
	struct html_lanes *lanes = context;
	const struct html_mapping sync = {
		.id = sqlite3_value_int64(values[0]),
		.device_id = sqlite3_value_int64(values[1]),
		.has_map = true,
		.map_ns = sqlite3_value_int64(values[2]),
		.has_addr = true,
		.dma_addr = (uint64_t)sqlite3_value_int64(values[3]),
		.size_bytes = (uint64_t)sqlite3_value_int64(values[4]),
	};

	for (struct lane *lane = *slot_of(lanes, sync.device_id); lane; lane = lane->next) {
		struct item item = {.id = sync.id};

		if (lane->device_id != sync.device_id)
			continue;
		item.distance_ns = distance_of(lane, &sync);
		keep(&lane->syncs, &item, lanes->page->limits.lane_items);
	}
	return true;
}

struct dms_error *html_lanes_see_syncs(struct html_lanes *lanes)
{
	if (!lanes->n_lanes)
		return NULL;
	return export_scan(lanes->page->db, "id, device_id, ts_ns, dma_addr, size_bytes",
			   "event WHERE kind LIKE 'sync%' AND dma_addr IS NOT NULL", see_sync, lanes);
}

/* ---- what was kept --------------------------------------------------------------------------- */

static int compare_items(const void *a, const void *b)
{
	const struct item *left = a, *right = b;

	return left->id < right->id ? -1 : left->id > right->id;
}

/** The columns of these two, as item_json() reads them. A sync is told as a mapping without end. */
enum {
	ITEM_ID, ITEM_ADDR, ITEM_SIZE, ITEM_MAP_NS, ITEM_UNMAP_NS, ITEM_ENDED_NS, ITEM_LIVE,
	ITEM_DIRECTION, ITEM_KIND
};
static const char mapping_sql[] =
	"SELECT id, dma_addr, size_bytes, map_ns, unmap_ns, nullif(ended_ns, 0), end = 'live',"
	" direction, kind FROM mapping WHERE id = ?1";
static const char sync_sql[] = "SELECT id, dma_addr, size_bytes, ts_ns, NULL, NULL, 0,"
			       " direction, kind FROM event WHERE id = ?1";

static bool is_null(sqlite3_stmt *stmt, int index)
{
	return sqlite3_column_type(stmt, index) == SQLITE_NULL;
}

static json_t *time_json(const struct html_page *page, sqlite3_stmt *stmt, int index)
{
	return is_null(stmt, index) ? json_null()
				    : json_integer(sqlite3_column_int64(stmt, index) - page->base_ns);
}

/* [map, end, address, size, direction, kind, flags]: flags 1 own, 2 live, 4 ended without an unmap */
static json_t *item_json(const struct html_page *page, sqlite3_stmt *stmt, bool own)
{
	const char *kind = (const char *)sqlite3_column_text(stmt, ITEM_KIND);
	const char *way = (const char *)sqlite3_column_text(stmt, ITEM_DIRECTION);
	const char *direction = way && way[0] && strchr("BTFNU", way[0]) ? way : "U";
	bool was_cut = is_null(stmt, ITEM_UNMAP_NS) && !is_null(stmt, ITEM_ENDED_NS);
	int flags = own | sqlite3_column_int(stmt, ITEM_LIVE) << 1 | was_cut << 2;
	_cleanup_(dms_freep) char *harmless =
		dms_escape(kind ? kind : "", kind ? strnlen(kind, MAX_KIND) : 0, DMS_ESCAPE_TEXT);

	if (!harmless)
		return NULL;
	return json_pack("[o,o,o,I,s#,s,i]", time_json(page, stmt, ITEM_MAP_NS),
			 time_json(page, stmt, was_cut ? ITEM_ENDED_NS : ITEM_UNMAP_NS),
			 is_null(stmt, ITEM_ADDR)
				 ? json_null()
				 : json_sprintf("0x%" PRIx64,
						(uint64_t)sqlite3_column_int64(stmt, ITEM_ADDR)),
			 (json_int_t)sqlite3_column_int64(stmt, ITEM_SIZE), direction, 1, harmless,
			 flags);
}

/* The rows of @nearest, which @sql reads by their id, as member @name of @told. */
static struct dms_error *tell(const struct html_page *page, struct nearest *nearest,
			      const char *sql, json_t *told, const char *name)
{
	json_t *list = json_array();
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err;
	bool has_row;

	if (json_object_set_new(told, name, list))
		return &dms_error_nomem;
	err = html_prepare(page, sql, &stmt);
	drop_farthest(nearest, page->limits.lane_items);
	qsort(nearest->items, nearest->n_items, sizeof(*nearest->items), compare_items);
	for (size_t i = 0; !err && i < nearest->n_items; i++) {
		const struct item *item = &nearest->items[i];

		sqlite3_reset(stmt);
		sqlite3_bind_int64(stmt, 1, item->id);
		err = html_step(page, stmt, &has_row);
		if (!err && has_row &&
		    json_array_append_new(list, item_json(page, stmt, item->is_own)))
			err = &dms_error_nomem;
	}
	sqlite3_finalize(stmt);
	return err;
}

struct dms_error *html_lanes_add(struct html_lanes *lanes)
{
	const struct html_page *page = lanes->page;
	json_t *object = json_object();
	struct dms_error *err = NULL;

	if (json_object_set_new(page->root, "lanes", object))
		return &dms_error_nomem;
	for (size_t i = 0; !err && i < lanes->n_lanes; i++) {
		struct lane *lane = &lanes->lanes[i];
		json_t *told = json_object();
		char key[24];

		snprintf(key, sizeof(key), "%" PRId64, lane->finding_id);
		if (json_object_set_new(object, key, told))
			return &dms_error_nomem;
		err = tell(page, &lane->mappings, mapping_sql, told, "mappings");
		if (!err)
			err = tell(page, &lane->syncs, sync_sql, told, "syncs");
	}
	return err;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* One pass over all mappings for the HTML page: call sites, and the lanes of findings. */
#include <inttypes.h>
#include <string.h>

#include <dmascope/stats.h>

#include "exports.h"
#include "html_scan.h"

#define SITES_SHOWN 40 /* of a device */

/* What is live has no unmap: so the last column, far back in the row, is read of few rows. */
static const char mapping_columns[] =
	"id, device_id, dma_addr, size_bytes, map_ns, unmap_ns, map_stack_id,"
	" iif(unmap_ns IS NULL, end = 'live', 0)";

/** What the mappings of one device from one call site come to. */
struct site {
	int64_t device_id, symbol_id; /* 0: not known */
	int64_t stack_id;	      /* of the first mapping */
	uint64_t mappings, size_bytes, live, live_bytes;
	struct dms_histogram lifetime;
};

struct scan {
	struct html_page *page;
	struct dms_arena *arena;
	struct site **slots; /* hash table, a power of two of them */
	size_t n_slots, n_sites;
	int64_t *symbol_of;  /* by stack id */
	int64_t n_stacks;
	struct html_lanes *lanes;
};

/* ---- call sites ------------------------------------------------------------------------------ */

/* The function of each stack that the mapping is told to come from. */
static struct dms_error *read_symbols(struct scan *scan)
{
	sqlite3_stmt *stmt = NULL;
	bool has_row = true;
	struct dms_error *err = html_prepare(
		scan->page, "SELECT id, site_symbol_id, max(id) OVER () FROM stack", &stmt);

	while (!err && !(err = html_step(scan->page, stmt, &has_row)) && has_row) {
		int64_t id = sqlite3_column_int64(stmt, 0);

		if (!scan->symbol_of) {
			scan->n_stacks = sqlite3_column_int64(stmt, 2) + 1;
			if (scan->n_stacks <= 0 || scan->n_stacks > UINT32_MAX)
				scan->n_stacks = 0; /* not ours: no call sites */
			scan->symbol_of = dms_zalloc(((size_t)scan->n_stacks + 1) * sizeof(int64_t));
		}
		if (!scan->symbol_of)
			err = &dms_error_nomem;
		else if (id > 0 && id < scan->n_stacks)
			scan->symbol_of[id] = sqlite3_column_int64(stmt, 1);
	}
	sqlite3_finalize(stmt);
	return err;
}

static struct site **find_slot(struct site **slots, size_t n_slots, int64_t device_id,
			       int64_t symbol_id)
{
	uint64_t key = (uint64_t)device_id << 32 ^ (uint64_t)symbol_id;
	size_t i = dms_hash64(key) & (n_slots - 1);

	while (slots[i] && (slots[i]->device_id != device_id || slots[i]->symbol_id != symbol_id))
		i = (i + 1) & (n_slots - 1);
	return &slots[i];
}

static bool grow_sites(struct scan *scan)
{
	size_t n_slots = scan->n_slots ? scan->n_slots * 2 : 256;
	struct site **slots = dms_zalloc(n_slots * sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < scan->n_slots; i++) {
		struct site *site = scan->slots[i];

		if (site)
			*find_slot(slots, n_slots, site->device_id, site->symbol_id) = site;
	}
	dms_free(scan->slots);
	scan->slots = slots;
	scan->n_slots = n_slots;
	return true;
}

static struct site *find_site(struct scan *scan, int64_t device_id, int64_t stack_id)
{
	int64_t symbol_id = stack_id > 0 && stack_id < scan->n_stacks ? scan->symbol_of[stack_id] : 0;
	struct site **slot, *site;

	if (2 * scan->n_sites >= scan->n_slots && !grow_sites(scan))
		return NULL;
	slot = find_slot(scan->slots, scan->n_slots, device_id, symbol_id);
	if (*slot)
		return *slot;
	site = dms_arena_alloc(scan->arena, sizeof(*site));
	if (!site)
		return NULL;
	site->device_id = device_id;
	site->symbol_id = symbol_id;
	site->stack_id = stack_id;
	scan->n_sites++;
	return *slot = site;
}

/* Count a mapping whose map was seen; false: memory. */
static bool count(struct scan *scan, const struct html_mapping *mapping)
{
	struct site *site = find_site(scan, mapping->device_id, mapping->map_stack_id);

	if (!site)
		return false;
	site->mappings++;
	if (__builtin_add_overflow(site->size_bytes, mapping->size_bytes, &site->size_bytes))
		site->size_bytes = UINT64_MAX;
	if (mapping->is_live) {
		site->live++;
		site->live_bytes += mapping->size_bytes;
	}
	if (mapping->has_unmap && mapping->unmap_ns >= mapping->map_ns)
		dms_histogram_add(&site->lifetime, (uint64_t)(mapping->unmap_ns - mapping->map_ns));
	return true;
}

/* ---- the pass -------------------------------------------------------------------------------- */

static bool is_known(sqlite3_value *value)
{
	return sqlite3_value_type(value) != SQLITE_NULL;
}

/* A row of mapping_columns; false: memory. */
static bool see_mapping(void *context, sqlite3_value **values)
{
	struct scan *scan = context;
	const struct html_mapping mapping = {
		.id = sqlite3_value_int64(values[0]),
		.device_id = sqlite3_value_int64(values[1]),
		.has_addr = is_known(values[2]),
		.dma_addr = (uint64_t)sqlite3_value_int64(values[2]),
		.size_bytes = (uint64_t)sqlite3_value_int64(values[3]),
		.has_map = is_known(values[4]),
		.map_ns = sqlite3_value_int64(values[4]),
		.has_unmap = is_known(values[5]),
		.unmap_ns = sqlite3_value_int64(values[5]),
		.map_stack_id = sqlite3_value_int64(values[6]),
		.is_live = sqlite3_value_int(values[7]),
	};

	html_lanes_see(scan->lanes, &mapping);
	return !mapping.has_map || count(scan, &mapping);
}

/* ---- what came out --------------------------------------------------------------------------- */

/* The busiest first; ties by what does not change from run to run. */
static int compare_sites(const void *a, const void *b)
{
	const struct site *left = *(struct site *const *)a, *right = *(struct site *const *)b;

	if (left->device_id != right->device_id)
		return left->device_id < right->device_id ? -1 : 1;
	if (left->live_bytes != right->live_bytes)
		return left->live_bytes > right->live_bytes ? -1 : 1;
	if (left->mappings != right->mappings)
		return left->mappings > right->mappings ? -1 : 1;
	return left->symbol_id < right->symbol_id ? -1 : left->symbol_id > right->symbol_id;
}

/* Remaps, bounces and syncs of @site, as far as they were counted. */
static struct dms_error *add_costs(struct html_page *page, const struct site *site, json_t *row)
{
	static const char sql[] = "SELECT remaps, bounced, syncs FROM temp.html_site"
				  " WHERE device_id = ?1 AND symbol_id = ?2";
	sqlite3_stmt *stmt = NULL;
	bool has_row = false, failed = false;
	struct dms_error *err = html_prepare(page, sql, &stmt);

	if (!err) {
		sqlite3_bind_int64(stmt, 1, site->device_id);
		sqlite3_bind_int64(stmt, 2, site->symbol_id);
		err = html_step(page, stmt, &has_row);
	}
	for (int i = 0; !err && i < 3; i++)
		failed |= json_array_append_new(row, has_row ? html_value(stmt, i) : json_null());
	sqlite3_finalize(stmt);
	return failed ? &dms_error_nomem : err;
}

/* Function and module of @site, or nulls. */
static struct dms_error *name_site(struct html_page *page, const struct site *site, json_t *row)
{
	sqlite3_stmt *stmt = NULL;
	bool has_row = false, failed;
	struct dms_error *err =
		html_prepare(page, "SELECT name, module FROM symbol WHERE id = ?1", &stmt);

	if (!err) {
		sqlite3_bind_int64(stmt, 1, site->symbol_id);
		err = html_step(page, stmt, &has_row);
	}
	failed = !err && (json_array_append_new(row, has_row ? html_value(stmt, 0) : json_null()) ||
			  json_array_append_new(row, has_row ? html_value(stmt, 1) : json_null()));
	sqlite3_finalize(stmt);
	return failed ? &dms_error_nomem : err;
}

static struct dms_error *add_site(struct html_page *page, json_t *rows, const struct site *site)
{
	const struct dms_histogram *lifetime = &site->lifetime;
	uint64_t n = lifetime->count;
	const uint64_t figures[] = {site->mappings, site->size_bytes, site->live, site->live_bytes,
				    n, n ? dms_histogram_quantile(lifetime, 500) : 0,
				    n ? dms_histogram_quantile(lifetime, 990) : 0, lifetime->max,
				    (uint64_t)site->stack_id};
	json_t *row = json_array();
	struct dms_error *err;

	if (json_array_append_new(rows, row) ||
	    json_array_append_new(row, json_integer(site->device_id)))
		return &dms_error_nomem;
	if ((err = name_site(page, site, row)))
		return err;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(figures); i++) {
		if (json_array_append_new(row, json_integer((json_int_t)figures[i])))
			return &dms_error_nomem;
	}
	if ((err = add_costs(page, site, row)))
		return err;
	return html_add_stack(page, site->stack_id);
}

/* Is the device shown in detail? */
static struct dms_error *is_detailed(struct html_page *page, int64_t device_id, bool *ret)
{
	static const char sql[] =
		"SELECT 1 FROM temp.html_device WHERE device_id = ?1 AND place <= :details";
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err = html_prepare(page, sql, &stmt);

	*ret = false;
	if (!err) {
		sqlite3_bind_int64(stmt, 1, device_id);
		err = html_step(page, stmt, ret);
	}
	sqlite3_finalize(stmt);
	return err;
}

static struct dms_error *add_sites(struct scan *scan, struct site **sites)
{
	static const char columns[] = "[s,s,s,s,s,s,s,s,s,s,s,s,s,s,s]";
	json_t *table = json_object(), *rows = json_array(), *counts = json_object();
	struct dms_error *err = NULL;
	size_t n_shown = 0;
	bool is_shown = false;

	if (json_object_set_new(scan->page->root, "sites", table) ||
	    json_object_set_new(scan->page->root, "site_counts", counts) ||
	    json_object_set_new(table, "columns",
				json_pack(columns, "device_id", "function", "module", "mappings",
					  "size_bytes", "live", "live_bytes", "ended", "p50", "p99",
					  "max", "stack", "remaps", "bounced", "syncs")) ||
	    json_object_set_new(table, "rows", rows))
		return &dms_error_nomem;
	for (size_t i = 0; !err && i < scan->n_sites; i++) {
		bool is_new = !i || sites[i]->device_id != sites[i - 1]->device_id;

		n_shown = is_new ? 0 : n_shown;
		if (is_new)
			err = is_detailed(scan->page, sites[i]->device_id, &is_shown);
		if (!err && is_shown && n_shown++ < SITES_SHOWN)
			err = add_site(scan->page, rows, sites[i]);
		if (!err && is_shown) {
			char key[24];

			snprintf(key, sizeof(key), "%" PRId64, sites[i]->device_id);
			if (json_object_set_new(counts, key, json_integer((json_int_t)n_shown)))
				err = &dms_error_nomem;
		}
	}
	return err;
}

static struct dms_error *tell(struct scan *scan)
{
	struct site **sites = dms_zalloc((scan->n_sites + 1) * sizeof(*sites));
	struct dms_error *err = sites ? NULL : &dms_error_nomem;
	size_t n = 0;

	for (size_t i = 0; sites && i < scan->n_slots; i++) {
		if (scan->slots[i])
			sites[n++] = scan->slots[i];
	}
	if (sites)
		qsort(sites, n, sizeof(*sites), compare_sites);
	if (!err)
		err = add_sites(scan, sites);
	dms_free(sites);
	return err ? err : html_lanes_add(scan->lanes);
}

struct dms_error *html_add_scan(struct html_page *page)
{
	struct scan scan = {.page = page, .arena = dms_arena_create()};
	struct dms_error *err = scan.arena ? read_symbols(&scan) : &dms_error_nomem;

	if (!err)
		err = html_lanes_create(page, &scan.lanes);
	if (!err)
		err = export_scan(page->db, mapping_columns, "mapping", see_mapping, &scan);
	if (!err)
		err = html_lanes_see_syncs(scan.lanes);
	if (!err)
		err = tell(&scan);
	html_lanes_destroy(scan.lanes);
	dms_arena_destroy(scan.arena);
	dms_free(scan.slots);
	dms_free(scan.symbol_of);
	return err;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* What mapping costs, for the HTML page: distributions, rates, breakdowns, bounces, drivers. */
#include <inttypes.h>
#include <string.h>

#include "html.h"

#define KEYS_SHOWN "64" /* CPUs, and pairs of them, of a device */
#define MINE	   " JOIN temp.html_device AS p USING (device_id) WHERE place <= :details"

static const struct {
	const char *name, *sql;
} tables[] = {
	{"counting", "SELECT from_ns - :base AS from_t, to_ns - :base AS to_t, seconds FROM counting"},
	{"drivers",
	 "SELECT r.driver, devices, maps, unmaps, syncs, failed, bytes, maps_per_s, bytes_per_s,"
	 " l.p50 AS p50, l.p99 AS p99, b.share AS bounced_share, count(*) OVER () AS total_rows"
	 " FROM driver_rates AS r LEFT JOIN driver_distributions AS l"
	 " ON l.driver IS r.driver AND l.measure = 'lifetime'"
	 " LEFT JOIN (SELECT driver, 1.0 * sum(bounced) / nullif(sum(maps), 0) AS share FROM bounces"
	 " GROUP BY driver) AS b ON b.driver IS r.driver"
	 " ORDER BY r.driver IS NULL, maps + unmaps DESC, r.driver LIMIT :top"},
	{"latencies",
	 "SELECT device_id, measure, unit, count, sum, min, p50, p90, p99, p999, max"
	 " FROM temp.device_distributions" MINE " ORDER BY device_id, measure"},
	{"breakdown",
	 "SELECT device_id, dimension, key, maps, unmaps, syncs, failed, bytes FROM (SELECT b.*,"
	 " row_number() OVER (PARTITION BY device_id, dimension ORDER BY maps + unmaps + syncs DESC,"
	 " key) AS nth FROM breakdown AS b)" MINE " AND nth <= " KEYS_SHOWN
	 " ORDER BY device_id, dimension, nth"},
	{"bounces",
	 "SELECT device_id, bounces, bounced, share, bytes, forced, mask, other, largest_bytes,"
	 " peak_bytes, peak_ns - :base AS peak_t FROM bounces" MINE " AND bounces + bounced > 0"
	 " ORDER BY device_id"},
	{"merges", "SELECT device_id, lists, entries, segments, ratio FROM iommu_merge" MINE
		   " ORDER BY device_id"},
	{"iova", "SELECT device_id, low, high, span_bytes, fill FROM iova_space" MINE
		 " ORDER BY device_id"},
};

/* What call sites cost beside their mappings, which html_scan.c counts. */
static const char *const preparations[] = {
	"CREATE TEMP TABLE IF NOT EXISTS html_site (device_id INTEGER NOT NULL,"
	" symbol_id INTEGER NOT NULL, remaps INTEGER, bounced INTEGER, syncs INTEGER,"
	" PRIMARY KEY (device_id, symbol_id)) WITHOUT ROWID",
	"DELETE FROM temp.html_site",
	"INSERT INTO temp.html_site SELECT c.device_id, ifnull(s.site_symbol_id, 0), sum(remaps),"
	" sum(bounced), sum(syncs_for_cpu + syncs_for_device) FROM call_site AS c"
	" LEFT JOIN stack AS s ON s.id = c.stack_id GROUP BY 1, 2",
};

/* ---- distributions, in the coarser steps of the page ------------------------------------------ */

static const char buckets_sql[] =
	"SELECT device_id, measure, low, count FROM histogram" MINE
	" ORDER BY device_id, measure, low";

/** The steps of one measure of one device in the making. */
struct steps {
	json_t *root;	   /* by device, then by measure */
	char device[24];   /* its id; "": none yet */
	char measure[48];
	uint64_t counts[HTML_STEPS];
};

/* Put what was counted into its place, and forget it. false: memory. */
static bool put_steps(struct steps *steps)
{
	json_t *device;

	if (!steps->device[0])
		return true;
	device = json_object_get(steps->root, steps->device);
	if (!device) {
		device = json_object();
		if (json_object_set_new(steps->root, steps->device, device))
			return false;
	}
	if (json_object_set_new(device, steps->measure, html_steps_json(steps->counts)))
		return false;
	memset(steps->counts, 0, sizeof(steps->counts));
	return true;
}

static struct dms_error *add_buckets(struct html_page *page)
{
	struct steps steps = {.root = json_object()};
	sqlite3_stmt *stmt = NULL;
	bool has_row = true;
	struct dms_error *err;

	if (json_object_set_new(page->root, "distributions", steps.root))
		return &dms_error_nomem;
	err = html_prepare(page, buckets_sql, &stmt);
	while (!err && !(err = html_step(page, stmt, &has_row)) && has_row) {
		const char *measure = (const char *)sqlite3_column_text(stmt, 1);
		char device[24];

		snprintf(device, sizeof(device), "%" PRId64, (int64_t)sqlite3_column_int64(stmt, 0));
		if (!measure || json_object_get(json_object_get(steps.root, device), measure))
			continue; /* a damaged file may hold anything */
		if ((strcmp(device, steps.device) || strncmp(measure, steps.measure,
							     sizeof(steps.measure) - 1)) &&
		    !put_steps(&steps))
			err = &dms_error_nomem;
		snprintf(steps.device, sizeof(steps.device), "%s", device);
		snprintf(steps.measure, sizeof(steps.measure), "%s", measure);
		steps.counts[html_step_of((uint64_t)sqlite3_column_int64(stmt, 2))] +=
			(uint64_t)sqlite3_column_int64(stmt, 3);
	}
	sqlite3_finalize(stmt);
	if (!err && !put_steps(&steps))
		err = &dms_error_nomem;
	return err;
}

/* ---- the columns asked for -------------------------------------------------------------------- */

/* The words that FORMATS in tables.js knows. */
static const char *const type_names[] = {
	[DMS_COLUMN_TEXT] = "text",	  [DMS_COLUMN_U32] = "count",
	[DMS_COLUMN_COUNT] = "count",	  [DMS_COLUMN_BYTES] = "bytes",
	[DMS_COLUMN_DURATION] = "duration", [DMS_COLUMN_TIME] = "absolute",
	[DMS_COLUMN_RATE] = "perSecond",  [DMS_COLUMN_BYTE_RATE] = "rate",
	[DMS_COLUMN_PERMILLE] = "permille",
};

/* Member "layout": null, or the columns as [key, title, type]. */
static struct dms_error *add_layout(struct html_page *page)
{
	const struct dms_layout *layout = page->layout;
	json_t *columns = json_array();

	if (!layout || !layout->n_columns) {
		json_decref(columns);
		columns = json_null();
	}
	if (json_object_set_new(page->root, "layout", columns))
		return &dms_error_nomem;
	for (size_t i = 0; layout && i < layout->n_columns; i++) {
		const struct dms_column *column = &dms_device_columns[layout->columns[i]];

		if (json_array_append_new(columns, json_pack("[sss]", column->key, column->title,
							     type_names[column->type])))
			return &dms_error_nomem;
	}
	return NULL;
}

struct dms_error *html_add_costs(struct html_page *page)
{
	struct dms_error *err = add_layout(page);

	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(preparations); i++)
		err = html_execute(page, preparations[i]);
	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(tables); i++)
		err = html_table(page, tables[i].name, tables[i].sql);
	return err ? err : add_buckets(page);
}

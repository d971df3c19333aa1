// SPDX-License-Identifier: LGPL-2.1-only
/* The figures of a part of the time: counted anew from mappings and series, in place of the run's. */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/stats.h>

#include "exports.h"
#include "window.h"

/* What is counted here: mappings by what happened to them between the two times. */
enum {
	WINDOW_MAPS, WINDOW_ALLOCS, WINDOW_UNMAPS, WINDOW_FREES, WINDOW_MATCHED, WINDOW_HANDOVERS,
	WINDOW_PRE_TRACE, WINDOW_UNMAP_ERRORS, WINDOW_TO_DEVICE, WINDOW_FROM_DEVICE, WINDOW_BOTH,
	WINDOW_ALLOCATED, WINDOW_ENTRIES, WINDOW_SEGMENTS, WINDOW_BOUNCED, WINDOW_BOUNCED_BYTES,
	WINDOW_LIVE, WINDOW_LIVE_BYTES, WINDOW_MAYBE_ELIDED,
	N_WINDOW
};

/* Names and units as in the run's own counters. */
static const struct {
	const char *name, *unit;
} counters[N_WINDOW] = {
	[WINDOW_MAPS] = {"maps", "mappings"},
	[WINDOW_ALLOCS] = {"allocs", "mappings"},
	[WINDOW_UNMAPS] = {"unmaps", "calls"},
	[WINDOW_FREES] = {"frees", "calls"},
	[WINDOW_MATCHED] = {"unmaps_matched", "calls"},
	[WINDOW_HANDOVERS] = {"handovers", "calls"},
	[WINDOW_PRE_TRACE] = {"pre_trace", "calls"},
	[WINDOW_UNMAP_ERRORS] = {"dma_unmap_errors", "calls"},
	[WINDOW_TO_DEVICE] = {"bytes_to_device", "bytes"},
	[WINDOW_FROM_DEVICE] = {"bytes_from_device", "bytes"},
	[WINDOW_BOTH] = {"bytes_bidirectional", "bytes"},
	[WINDOW_ALLOCATED] = {"bytes_allocated", "bytes"},
	[WINDOW_ENTRIES] = {"sg_entries", "entries"},
	[WINDOW_SEGMENTS] = {"sg_segments", "segments"},
	[WINDOW_BOUNCED] = {"bounced_maps", "mappings"},
	[WINDOW_BOUNCED_BYTES] = {"bounced_bytes", "bytes"},
	[WINDOW_LIVE] = {"live_at_end", "mappings"},
	[WINDOW_LIVE_BYTES] = {"live_bytes_at_end", "bytes"},
	[WINDOW_MAYBE_ELIDED] = {"maybe_elided", "mappings"},
};

/* Distributions that mappings tell. */
enum { WINDOW_LIFETIMES, WINDOW_SIZES, WINDOW_ENTRIES_OF, WINDOW_SEGMENTS_OF, N_DISTRIBUTIONS };
static const struct {
	const char *name, *unit;
} distributions[N_DISTRIBUTIONS] = {
	[WINDOW_LIFETIMES] = {"lifetime", "ns"},
	[WINDOW_SIZES] = {"size", "bytes"},
	[WINDOW_ENTRIES_OF] = {"entries", "entries"},
	[WINDOW_SEGMENTS_OF] = {"segments", "segments"},
};

struct window_device {
	int64_t id;
	uint64_t counters[N_WINDOW];
	struct dms_histogram histograms[N_DISTRIBUTIONS];
};

struct window {
	struct sqlite3 *db;
	int64_t since_ns, until_ns;
	struct window_device *devices; /* by id */
	size_t n_devices, capacity, last;
};

enum {
	MAP_DEVICE, MAP_KIND, MAP_SIZE, MAP_DIRECTION, MAP_MAP_NS, MAP_UNMAP_NS, MAP_ENDED_NS, MAP_END,
	MAP_CONFIDENCE, MAP_MAP_CPU, MAP_UNMAP_CPU, MAP_ENTRIES, MAP_SEGMENTS, MAP_BOUNCED, MAP_REASON
};
static const char mapping_columns[] =
	"device_id, kind, size_bytes, direction, map_ns, unmap_ns, ended_ns, end, confidence,"
	" map_cpu, unmap_cpu, entries, segments, bounced, reason";

static const char tables_sql[] =
	"CREATE TEMP TABLE asked_counter (device_id INTEGER NOT NULL, name TEXT NOT NULL,"
	" value INTEGER NOT NULL, unit TEXT NOT NULL, PRIMARY KEY (device_id, name)) WITHOUT ROWID;"
	"CREATE TEMP TABLE asked_histogram (device_id INTEGER NOT NULL, measure TEXT NOT NULL,"
	" low INTEGER NOT NULL, high INTEGER NOT NULL, count INTEGER NOT NULL, unit TEXT NOT NULL,"
	" PRIMARY KEY (device_id, measure, low)) WITHOUT ROWID;"
	"CREATE TEMP TABLE asked_distribution (device_id INTEGER NOT NULL, measure TEXT NOT NULL,"
	" unit TEXT NOT NULL, count INTEGER NOT NULL, sum INTEGER NOT NULL, min INTEGER NOT NULL,"
	" max INTEGER NOT NULL, PRIMARY KEY (device_id, measure)) WITHOUT ROWID;";

#define IS_OURS "(device_id IS NULL OR device_id IN (SELECT id FROM temp.asked_device))"

/* Levels and calls without a mapping are known by time buckets: those the time touches count. */
static const char views_sql[] =
	"INSERT INTO temp.asked_counter SELECT device_id, CASE measure WHEN 'failed' THEN"
	" 'dma_map_errors' ELSE measure END, sum(value), unit FROM temp.series"
	" WHERE measure IN ('syncs', 'failed', 'bounces') GROUP BY device_id, measure;"
	"INSERT INTO temp.asked_counter SELECT device_id, 'peak_' || measure, max(value), unit"
	" FROM temp.series WHERE measure IN ('live', 'live_bytes') GROUP BY device_id, measure;"
	/* a bucket may begin before the time asked for */
	"INSERT INTO temp.asked_counter SELECT device_id, 'peak_live_bytes_time',"
	" max(start_ns, (SELECT since_ns FROM temp.asked_time)), 'ns' FROM"
	" (SELECT device_id, start_ns, value, row_number() OVER (PARTITION BY device_id"
	" ORDER BY value DESC, start_ns) AS nth FROM temp.series WHERE measure = 'live_bytes')"
	" WHERE nth = 1 AND value > 0;"
	"CREATE TEMP VIEW device_counter AS SELECT * FROM temp.asked_counter;"
	"CREATE TEMP VIEW histogram AS SELECT * FROM temp.asked_histogram;"
	"CREATE TEMP VIEW distribution AS SELECT * FROM temp.asked_distribution;"
	"CREATE TEMP VIEW breakdown AS SELECT * FROM main.breakdown WHERE 0;"
	"CREATE TEMP VIEW call_site AS SELECT * FROM main.call_site WHERE 0;"
	"CREATE TEMP VIEW call_site_lifetime AS SELECT * FROM main.call_site_lifetime WHERE 0;"
	/* only what has a row has a time */
	"CREATE TEMP VIEW finding_group AS SELECT min(id) AS id, rule, severity, confidence, reason,"
	" device_id, fingerprint, count(*) AS count, min(ts_ns) AS first_ns, min(id) AS finding_id"
	" FROM temp.finding GROUP BY rule, severity, confidence, reason, device_id, fingerprint;"
	"CREATE TEMP VIEW run AS SELECT key, CASE key"
	" WHEN 'counted_from_ns' THEN max(CAST(value AS INTEGER), (SELECT since_ns FROM temp.asked_time))"
	" WHEN 'counted_to_ns' THEN min(CAST(value AS INTEGER), (SELECT until_ns FROM temp.asked_time))"
	" ELSE value END AS value FROM main.run;"
	"CREATE TEMP VIEW not_judged AS SELECT * FROM main.not_judged WHERE device_id IS NULL"
	" OR device_id IN (SELECT id FROM temp.asked_device)"
	" UNION ALL SELECT (SELECT coalesce(max(id), 0) + 1 FROM main.not_judged), NULL, NULL,"
	" 'only a part of the time is told: maps, unmaps, bytes, lifetimes and sizes are of that time;"
	" syncs, failures, bounces and peaks are of the time buckets it touches; latencies, CPUs and"
	" reasons of bounces are not known of a part and are left out'"
	" UNION ALL SELECT (SELECT coalesce(max(id), 0) + 2 FROM main.not_judged), NULL, NULL,"
	" printf('findings are counted as far as they are stored one by one; when the other %d were is"
	" not known', n) FROM (SELECT (SELECT coalesce(sum(count), 0) FROM main.finding_group WHERE"
	" " IS_OURS ") - (SELECT count(*) FROM main.finding WHERE " IS_OURS ") AS n) WHERE n > 0;";

static struct dms_error *execute(struct sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return NULL;
	return dms_read_error(db, "counting a part of the time");
}

/* ---- counting -------------------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = ((const struct window_device *)b)->id;

	return left < right ? -1 : left > right;
}

/* Mappings of one device often stand together. NULL: no device of that id. */
static struct window_device *find_device(struct window *window, int64_t id)
{
	struct window_device *found;

	if (window->last < window->n_devices && window->devices[window->last].id == id)
		return &window->devices[window->last];
	found = window->n_devices ? bsearch(&id, window->devices, window->n_devices,
					    sizeof(*window->devices), compare_ids)
				  : NULL;
	if (found)
		window->last = (size_t)(found - window->devices);
	return found;
}

static bool is_inside(const struct window *window, sqlite3_value **row, int index)
{
	int64_t ts = sqlite3_value_int64(row[index]);

	return sqlite3_value_type(row[index]) != SQLITE_NULL && ts >= window->since_ns &&
	       ts <= window->until_ns;
}

static bool is_text(sqlite3_value **row, int index, const char *text)
{
	const char *value = (const char *)sqlite3_value_text(row[index]);

	return value && !strcmp(value, text);
}

static bool is_allocation(sqlite3_value **row)
{
	return is_text(row, MAP_KIND, "coherent") || is_text(row, MAP_KIND, "pages") ||
	       is_text(row, MAP_KIND, "noncontiguous");
}

static void count_map(struct window_device *device, sqlite3_value **row, uint64_t size)
{
	static const struct {
		const char *direction;
		int counter;
	} directions[] = {{"TO_DEVICE", WINDOW_TO_DEVICE},
			  {"FROM_DEVICE", WINDOW_FROM_DEVICE},
			  {"BIDIRECTIONAL", WINDOW_BOTH}};
	uint64_t entries = (uint64_t)sqlite3_value_int64(row[MAP_ENTRIES]);
	uint64_t segments = (uint64_t)sqlite3_value_int64(row[MAP_SEGMENTS]);
	bool has_alloc = is_allocation(row);

	device->counters[has_alloc ? WINDOW_ALLOCS : WINDOW_MAPS]++;
	if (has_alloc)
		device->counters[WINDOW_ALLOCATED] += size;
	for (size_t i = 0; !has_alloc && i < DMS_ARRAY_SIZE(directions); i++) {
		if (is_text(row, MAP_DIRECTION, directions[i].direction))
			device->counters[directions[i].counter] += size;
	}
	dms_histogram_add(&device->histograms[WINDOW_SIZES], size);
	if (sqlite3_value_int64(row[MAP_BOUNCED])) {
		device->counters[WINDOW_BOUNCED]++;
		device->counters[WINDOW_BOUNCED_BYTES] += size;
	}
	if (!is_text(row, MAP_KIND, "sg"))
		return;
	device->counters[WINDOW_ENTRIES] += entries;
	device->counters[WINDOW_SEGMENTS] += segments;
	dms_histogram_add(&device->histograms[WINDOW_ENTRIES_OF], entries);
	dms_histogram_add(&device->histograms[WINDOW_SEGMENTS_OF], segments);
}

static void count_unmap(struct window_device *device, sqlite3_value **row)
{
	int64_t map_ns = sqlite3_value_int64(row[MAP_MAP_NS]);
	int64_t unmap_ns = sqlite3_value_int64(row[MAP_UNMAP_NS]);
	bool has_alloc = is_allocation(row);

	device->counters[has_alloc ? WINDOW_FREES : WINDOW_UNMAPS]++;
	if (is_text(row, MAP_END, "unmatched") && !is_text(row, MAP_CONFIDENCE, "possible"))
		device->counters[WINDOW_UNMAP_ERRORS]++;
	else if (!is_text(row, MAP_END, "unmapped"))
		device->counters[WINDOW_PRE_TRACE]++;
	if (!is_text(row, MAP_END, "unmapped") ||
	    sqlite3_value_type(row[MAP_MAP_NS]) == SQLITE_NULL)
		return;
	device->counters[WINDOW_MATCHED]++;
	if (sqlite3_value_int64(row[MAP_MAP_CPU]) != sqlite3_value_int64(row[MAP_UNMAP_CPU]))
		device->counters[WINDOW_HANDOVERS]++;
	if (!has_alloc) /* clocks of two CPUs may disagree by a little */
		dms_histogram_add(&device->histograms[WINDOW_LIFETIMES],
				  unmap_ns > map_ns ? (uint64_t)(unmap_ns - map_ns) : 0);
}

/*
 * Is the mapping of this row live when the time ends? As live.c has it: whatever its end is called,
 * but an unmatched unmap is no life. That it had begun by then the view has seen to.
 */
static bool is_live(const struct window *window, sqlite3_value **row)
{
	static const int ends[] = {MAP_UNMAP_NS, MAP_ENDED_NS};

	if (is_text(row, MAP_END, "unmatched"))
		return false;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(ends); i++) {
		if (sqlite3_value_type(row[ends[i]]) != SQLITE_NULL)
			return sqlite3_value_int64(row[ends[i]]) > window->until_ns;
	}
	return true;
}

/*
 * Has this row no unmap, and may the driver have skipped it? A row gives one reason only: where that is
 * a loss it does not count.
 */
static bool is_maybe_elided(const struct window *window, sqlite3_value **row)
{
	return sqlite3_value_type(row[MAP_UNMAP_NS]) == SQLITE_NULL &&
	       is_text(row, MAP_REASON, dms_doubt_reason(DMS_DOUBT_ELIDED)) &&
	       (is_live(window, row) || is_inside(window, row, MAP_ENDED_NS));
}

/* A row of mapping_columns. */
static bool count_row(void *context, sqlite3_value **row)
{
	struct window *window = context;
	struct window_device *device =
		find_device(window, sqlite3_value_int64(row[MAP_DEVICE]));
	uint64_t size = (uint64_t)sqlite3_value_int64(row[MAP_SIZE]);

	if (!device)
		return true;
	if (is_inside(window, row, MAP_MAP_NS))
		count_map(device, row, size);
	if (is_inside(window, row, MAP_UNMAP_NS))
		count_unmap(device, row);
	if (is_live(window, row)) {
		device->counters[WINDOW_LIVE]++;
		device->counters[WINDOW_LIVE_BYTES] += size;
	}
	if (is_maybe_elided(window, row))
		device->counters[WINDOW_MAYBE_ELIDED]++;
	return true;
}

/* ---- what came out --------------------------------------------------------------------------- */

/* Run @insert with these values: texts where @texts has one, else numbers. */
static struct dms_error *insert(sqlite3_stmt *stmt, const char *const *texts,
				const uint64_t *numbers)
{
	struct dms_error *err;
	bool has_row;

	for (int i = 0; i < sqlite3_bind_parameter_count(stmt); i++) {
		uint64_t number = numbers[i] > INT64_MAX ? INT64_MAX : numbers[i];

		if (texts[i])
			sqlite3_bind_text(stmt, i + 1, texts[i], -1, SQLITE_STATIC);
		else
			sqlite3_bind_int64(stmt, i + 1, (sqlite3_int64)number);
	}
	err = export_step(stmt, &has_row);
	sqlite3_reset(stmt);
	return err;
}

struct inserts {
	sqlite3_stmt *counter, *histogram, *distribution;
};

static struct dms_error *put_counters(const struct window_device *device, sqlite3_stmt *stmt)
{
	const struct dms_histogram *lifetime = &device->histograms[WINDOW_LIFETIMES];
	const struct {
		const char *name;
		uint64_t value;
	} lifetimes[] = {
		{"lifetime_count", lifetime->count},
		{"lifetime_sum", lifetime->sum},
		{"lifetime_min", lifetime->min},
		{"lifetime_p50", dms_histogram_quantile(lifetime, 500)},
		{"lifetime_p90", dms_histogram_quantile(lifetime, 900)},
		{"lifetime_p99", dms_histogram_quantile(lifetime, 990)},
		{"lifetime_max", lifetime->max},
	};
	struct dms_error *err = NULL;

	for (size_t i = 0; !err && i < N_WINDOW; i++)
		err = insert(stmt, (const char *[4]){NULL, counters[i].name, NULL, counters[i].unit},
			     (uint64_t[4]){(uint64_t)device->id, 0, device->counters[i]});
	for (size_t i = 0; !err && lifetime->count && i < DMS_ARRAY_SIZE(lifetimes); i++)
		err = insert(stmt,
			     (const char *[4]){NULL, lifetimes[i].name, NULL, i ? "ns" : "mappings"},
			     (uint64_t[4]){(uint64_t)device->id, 0, lifetimes[i].value});
	return err;
}

static struct dms_error *put_histogram(const struct window_device *device, size_t which,
				       const struct inserts *inserts)
{
	const struct dms_histogram *histogram = &device->histograms[which];
	const char *name = distributions[which].name, *unit = distributions[which].unit;
	uint64_t id = (uint64_t)device->id, low, high;
	struct dms_error *err;

	if (!histogram->count)
		return NULL;
	err = insert(inserts->distribution, (const char *[7]){NULL, name, unit},
		     (uint64_t[7]){id, 0, 0, histogram->count, histogram->sum, histogram->min,
				   histogram->max});
	for (uint32_t i = 0; !err && i < DMS_HISTOGRAM_BUCKETS; i++) {
		if (!histogram->buckets[i])
			continue;
		dms_histogram_bounds(i, &low, &high);
		err = insert(inserts->histogram,
			     (const char *[6]){NULL, name, NULL, NULL, NULL, unit},
			     (uint64_t[6]){id, 0, low, high, histogram->buckets[i]});
	}
	return err;
}

static struct dms_error *put_all(struct window *window)
{
	struct inserts inserts = {0};
	struct dms_error *err;

	if (!(err = export_prepare(window->db, "INSERT INTO temp.asked_counter VALUES (?, ?, ?, ?)",
				   &inserts.counter)) &&
	    !(err = export_prepare(window->db,
				   "INSERT INTO temp.asked_histogram VALUES (?, ?, ?, ?, ?, ?)",
				   &inserts.histogram)))
		err = export_prepare(window->db,
				     "INSERT INTO temp.asked_distribution VALUES (?, ?, ?, ?, ?, ?, ?)",
				     &inserts.distribution);
	for (size_t i = 0; !err && i < window->n_devices; i++) {
		err = put_counters(&window->devices[i], inserts.counter);
		for (size_t j = 0; !err && j < N_DISTRIBUTIONS; j++)
			err = put_histogram(&window->devices[i], j, &inserts);
	}
	sqlite3_finalize(inserts.counter);
	sqlite3_finalize(inserts.histogram);
	sqlite3_finalize(inserts.distribution);
	return err;
}

static struct dms_error *read_window(struct window *window)
{
	static const char sql[] = "SELECT d.id, t.since_ns, t.until_ns FROM temp.device AS d,"
				  " temp.asked_time AS t ORDER BY d.id";
	sqlite3_stmt *stmt = NULL;
	bool has_row = true;
	struct dms_error *err = export_prepare(window->db, sql, &stmt);

	while (!err && !(err = export_step(stmt, &has_row)) && has_row) {
		if (!dms_grow(&window->devices, &window->capacity, window->n_devices + 1,
			      sizeof(*window->devices))) {
			err = &dms_error_nomem;
			break;
		}
		window->devices[window->n_devices++].id = sqlite3_column_int64(stmt, 0);
		window->since_ns = sqlite3_column_int64(stmt, 1);
		window->until_ns = sqlite3_column_int64(stmt, 2);
	}
	sqlite3_finalize(stmt);
	return err;
}

struct dms_error *window_count(struct sqlite3 *db)
{
	struct window window = {.db = db};
	struct dms_error *err = dms_db_need_mappings(db, "a part of the time");

	if (!err)
		err = execute(db, tables_sql);
	if (!err)
		err = read_window(&window);
	if (!err)
		err = export_scan(db, mapping_columns, "mapping WHERE device_id IS NOT NULL",
				  count_row, &window);
	if (!err)
		err = put_all(&window);
	dms_free(window.devices);
	return err ? err : execute(db, views_sql);
}

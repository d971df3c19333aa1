// SPDX-License-Identifier: LGPL-2.1-only
/* The figures of a run: those of its devices, of all devices of a kind, and of functions that map.
 */
#include <math.h>
#include <sqlite3.h>
#include <string.h>

#include "baseline.h"

/*
 * Whose figures there are, and what they are made of. Devices that come again are one device: at
 * one time there is one of them, so the largest peak is its peak. Those of a kind live side by
 * side, and their peaks are added: they need not have been at the same time.
 */
static const char subjects_sql[] =
	"CREATE TEMP TABLE base_subject (scope INTEGER, subject TEXT, device_id INTEGER, name TEXT,"
	" PRIMARY KEY (scope, subject, device_id)) WITHOUT ROWID;"
	"INSERT INTO temp.base_subject SELECT 0, kind, device_id, name FROM temp.base_device;"
	"INSERT INTO temp.base_subject SELECT 1, name, device_id, name FROM temp.base_device"
	" WHERE kind IN (SELECT kind FROM temp.base_device GROUP BY kind"
	"  HAVING count(DISTINCT name) > 1);"

	"CREATE TEMP TABLE base_figure AS SELECT scope, subject, sum(maps) AS maps,"
	" sum(maps) + sum(allocs) AS calls, sum(failed) AS failed, sum(bounced) AS bounced,"
	" sum(live) AS live, sum(live_bytes) AS live_bytes, sum(peak) AS peak,"
	" sum(peak_bytes) AS peak_bytes"
	" FROM (SELECT s.scope, s.subject, s.name,"
	"  total(c.value) FILTER (WHERE c.name = 'maps') AS maps,"
	"  total(c.value) FILTER (WHERE c.name = 'allocs') AS allocs,"
	"  total(c.value) FILTER (WHERE c.name = 'dma_map_errors') AS failed,"
	"  total(c.value) FILTER (WHERE c.name = 'bounced_maps') AS bounced,"
	"  total(c.value) FILTER (WHERE c.name = 'live_at_end') AS live,"
	"  total(c.value) FILTER (WHERE c.name = 'live_bytes_at_end') AS live_bytes,"
	"  max(c.value) FILTER (WHERE c.name = 'peak_live') AS peak,"
	"  max(c.value) FILTER (WHERE c.name = 'peak_live_bytes') AS peak_bytes"
	"  FROM temp.base_subject AS s JOIN main.device_counter AS c ON c.device_id = s.device_id"
	"  GROUP BY s.scope, s.subject, s.name)"
	" GROUP BY scope, subject;"

	"CREATE TEMP TABLE base_site (call_site_id INTEGER PRIMARY KEY, subject TEXT);"
	"INSERT INTO temp.base_site SELECT c.id, dms_clean(dms_site(b.kind, y.name, y.module))"
	" FROM main.call_site AS c JOIN temp.base_device AS b ON b.device_id = c.device_id"
	" JOIN main.stack AS k ON k.id = c.stack_id"
	" JOIN main.symbol AS y ON y.id = k.site_symbol_id;"
	"INSERT INTO temp.base_figure (scope, subject, maps, calls, bounced, live)"
	" SELECT 2, s.subject, total(c.maps) FILTER (WHERE c.kind IN ('page', 'resource', 'sg')),"
	" total(c.maps), total(c.bounced), total(c.live)"
	" FROM temp.base_site AS s JOIN main.call_site AS c ON c.id = s.call_site_id"
	" GROUP BY s.subject;"

	/* scope, subject: lifetimes no longer than high: passed of count; the rest caps the result
	 */
	"CREATE TEMP TABLE base_lifetime AS SELECT *,"
	" sum(n) OVER (PARTITION BY scope, subject ORDER BY high) AS passed,"
	" sum(n) OVER (PARTITION BY scope, subject) AS count"
	" FROM (SELECT s.scope, s.subject, h.high, sum(h.count) AS n"
	"  FROM temp.base_subject AS s JOIN main.histogram AS h"
	"  ON h.device_id = s.device_id AND h.measure = 'lifetime'"
	"  GROUP BY s.scope, s.subject, h.high"
	"  UNION ALL SELECT 2, s.subject, l.high_ns, sum(l.count)"
	"  FROM temp.base_site AS s JOIN main.call_site_lifetime AS l"
	"  ON l.call_site_id = s.call_site_id GROUP BY s.subject, l.high_ns)"
	" WHERE (SELECT value FROM main.run WHERE key = 'clock_is_ns') = '1';"
	"CREATE TEMP TABLE base_extreme AS SELECT s.scope, s.subject, min(d.min) AS min, "
	"max(d.max) AS max"
	" FROM temp.base_subject AS s JOIN main.distribution AS d"
	" ON d.device_id = s.device_id AND d.measure = 'lifetime' GROUP BY s.scope, s.subject;";

/*
 * The value of rank ceil(count * PERMILLE / 1000), as dms_histogram_quantile() has it: the end of
 * its bucket, and nothing beyond the largest. Of a call site it is the end of a bucket of log2.
 */
#define LIFETIME(permille)                                                                         \
	"SELECT t.scope, t.subject, coalesce(iif((t.count * " permille                             \
	" + 999) / 1000 <= 1, e.min,"                                                              \
	" min(e.max, min(t.high))), min(t.high)), t.count FROM temp.base_lifetime AS t"            \
	" LEFT JOIN temp.base_extreme AS e ON e.scope = t.scope AND e.subject = t.subject"         \
	" WHERE t.passed >= (t.count * " permille " + 999) / 1000 GROUP BY t.scope, t.subject"

/* Each row: scope, subject, value (NULL: there is none) and the number of samples behind it. */
static const struct {
	const char *metric, *sql;
} figures[] = {
	{"lifetime_p50", LIFETIME("500")},
	{"lifetime_p99", LIFETIME("990")},
	{"peak_live", "SELECT scope, subject, peak, calls FROM temp.base_figure WHERE peak > 0"},
	{"peak_live_bytes",
	 "SELECT scope, subject, peak_bytes, calls FROM temp.base_figure WHERE peak > 0"},
	{"live_at_end",
	 "SELECT scope, subject, live, calls FROM temp.base_figure WHERE calls > 0 OR live > 0"},
	{"live_bytes_at_end", "SELECT scope, subject, live_bytes, calls FROM temp.base_figure"
			      " WHERE calls > 0 OR live > 0"},
	{"failed_share",
	 "SELECT scope, subject, failed / (calls + failed), calls + failed FROM temp.base_figure"
	 " WHERE calls + failed > 0"},
	{"bounced_share",
	 "SELECT scope, subject, bounced / maps, maps FROM temp.base_figure WHERE maps > 0"},
	{"maps_per_s",
	 "SELECT f.scope, f.subject, f.calls / c.seconds, f.calls FROM temp.base_figure AS f,"
	 " main.counting AS c WHERE f.calls > 0 AND f.scope <> 2"},
	/* call sites are counted in all of the trace, devices from --since on */
	{"maps_per_s",
	 "SELECT f.scope, f.subject, f.calls / r.seconds, f.calls FROM temp.base_figure AS f,"
	 " (SELECT (max(CAST(value AS INTEGER)) FILTER (WHERE key = 'last_ns')"
	 "  - max(CAST(value AS INTEGER)) FILTER (WHERE key = 'first_ns')) / 1e9 AS seconds,"
	 "  max(value) FILTER (WHERE key = 'clock_is_ns') AS is_ns FROM main.run) AS r"
	 " WHERE f.scope = 2 AND r.is_ns = '1' AND r.seconds > 0"},
	{"bytes_per_map",
	 "SELECT s.scope, s.subject, total(d.sum) / sum(d.count), sum(d.count)"
	 " FROM temp.base_subject AS s JOIN main.distribution AS d"
	 " ON d.device_id = s.device_id AND d.measure = 'size' GROUP BY s.scope, s.subject"},
	{"bytes_per_map",
	 "SELECT 2, s.subject, total(c.size_bytes) / sum(c.maps), sum(c.maps)"
	 " FROM temp.base_site AS s JOIN main.call_site AS c ON c.id = s.call_site_id"
	 " GROUP BY s.subject"},
};

static struct dms_error *take_figure(struct dms_draft *draft, sqlite3_stmt *stmt)
{
	const char *subject = (const char *)sqlite3_column_text(stmt, 1);
	double value = sqlite3_column_double(stmt, 2);
	sqlite3_int64 samples = sqlite3_column_int64(stmt, 3);
	struct dms_measurement *measurement;

	if (!subject || sqlite3_column_type(stmt, 2) == SQLITE_NULL || !isfinite(value))
		return NULL;
	measurement = dms_draft_add(draft, DMS_DRAFT_MEASUREMENTS);
	if (!measurement || !(measurement->subject = dms_draft_text(draft, subject)))
		return &dms_error_nomem;
	measurement->scope = (enum dms_scope)sqlite3_column_int(stmt, 0);
	measurement->value = dms_draft_round(value);
	measurement->samples = samples > 0 ? (uint64_t)samples : 0;
	return NULL;
}

struct dms_error *dms_draft_measure(struct dms_draft *draft)
{
	const struct dms_draft_list *list = &draft->lists[DMS_DRAFT_MEASUREMENTS];
	struct dms_error *err;

	if (sqlite3_exec(draft->run->db, subjects_sql, NULL, NULL, NULL))
		return dms_draft_error(draft->run->db, "reading figures");
	for (size_t i = 0; i < DMS_ARRAY_SIZE(figures); i++) {
		size_t first = list->n_items;

		if ((err = dms_draft_query(draft, figures[i].sql, take_figure)))
			return err;
		for (size_t j = first; j < list->n_items; j++)
			((struct dms_measurement *)list->items)[j].metric =
				dms_metric_find(figures[i].metric);
	}
	return NULL;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* The counters of a run's devices as OpenMetrics 1.0 text, for dashboards. */
#include <inttypes.h>
#include <string.h>

#include "exports.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

/** One counter of the database as a metric; rows of one family stand together. */
struct metric {
	const char *counter; /* its name in table device_counter */
	const char *family;  /* without "dmascope_"; ends with the unit, if there is one */
	enum metric_type type;
	const char *unit;    /* NULL: a plain number */
	const char *label;   /* one more label, ready to print; NULL: none */
	const char *help;
};

#define SYNCS  "Sync calls, by whom memory is handed to."
#define BOUNCED "Maps that went through swiotlb, by why."
#define MAPPED "Bytes of streaming maps."

/* clang-format off */
static const struct metric metrics[] = {
	{"maps", "maps", METRIC_COUNTER, NULL, NULL, "Successful maps of streaming memory."},
	{"unmaps", "unmaps", METRIC_COUNTER, NULL, NULL, "Unmaps seen, matched or not."},
	{"allocs", "allocs", METRIC_COUNTER, NULL, NULL, "Successful allocations of DMA memory."},
	{"frees", "frees", METRIC_COUNTER, NULL, NULL, "Frees of DMA memory."},
	{"syncs_for_cpu", "syncs", METRIC_COUNTER, NULL, "owner=\"cpu\"", SYNCS},
	{"syncs_for_device", "syncs", METRIC_COUNTER, NULL, "owner=\"device\"", SYNCS},
	{"dma_map_errors", "map_errors", METRIC_COUNTER, NULL, NULL, "Failed maps and allocations."},
	{"dma_map_errors_not_checked", "map_errors_not_checked", METRIC_COUNTER, NULL, NULL, "Failed maps whose error value the driver did not look at."},
	{"dma_unmap_errors", "unmap_errors", METRIC_COUNTER, NULL, NULL, "Unmaps of what was certainly not mapped."},
	{"pre_trace", "pre_trace_unmaps", METRIC_COUNTER, NULL, NULL, "Unmaps whose map is older than the trace, or lost."},
	{"null_frees", "null_frees", METRIC_COUNTER, NULL, NULL, "Frees of nothing."},
	{"bounces", "bounces", METRIC_COUNTER, NULL, NULL, "Mappings bounced through swiotlb."},
	{"bounced_bytes", "bounced_bytes", METRIC_COUNTER, "bytes", NULL, "Bytes bounced through swiotlb."},
	{"swiotlb_full", "swiotlb_full", METRIC_COUNTER, NULL, NULL, "Bounces that found no room, by the kernel's messages."},
	{"segment_messages", "segment_messages", METRIC_COUNTER, NULL, NULL, "Messages of dma-debug on segments beyond a device's limits."},
	{"bytes_to_device", "mapped_bytes", METRIC_COUNTER, "bytes", "direction=\"TO_DEVICE\"", MAPPED},
	{"bytes_from_device", "mapped_bytes", METRIC_COUNTER, "bytes", "direction=\"FROM_DEVICE\"", MAPPED},
	{"bytes_bidirectional", "mapped_bytes", METRIC_COUNTER, "bytes", "direction=\"BIDIRECTIONAL\"", MAPPED},
	{"bytes_allocated", "allocated_bytes", METRIC_COUNTER, "bytes", NULL, "Bytes of allocations."},
	{"sg_entries", "sg_entries", METRIC_COUNTER, NULL, NULL, "Entries given to dma_map_sg."},
	{"sg_segments", "sg_segments", METRIC_COUNTER, NULL, NULL, "Segments they became."},
	{"ended_lost", "ended_lost", METRIC_COUNTER, NULL, NULL, "Mappings whose unmap was not recorded."},
	{"ended_elided", "ended_elided", METRIC_COUNTER, NULL, NULL, "Mappings whose unmap the driver skipped, as it may."},
	{"maybe_elided", "maybe_elided", METRIC_COUNTER, NULL, NULL, "Mappings whose unmap may have been skipped."},
	{"faults", "faults", METRIC_COUNTER, NULL, NULL, "IOMMU faults."},
	{"pool_allocs", "pool_allocs", METRIC_COUNTER, NULL, NULL, "Objects taken from dma_pool."},
	{"pool_frees", "pool_frees", METRIC_COUNTER, NULL, NULL, "Objects given back to dma_pool."},
	{"unmaps_matched", "matched_unmaps", METRIC_COUNTER, NULL, NULL, "Unmaps and frees whose map was seen."},
	{"handovers", "handovers", METRIC_COUNTER, NULL, NULL, "Of these, those on another CPU than the map."},
	{"remaps", "remaps", METRIC_COUNTER, NULL, NULL, "Maps of memory that was mapped before in the same way."},
	{"remapped_bytes", "remapped_bytes", METRIC_COUNTER, "bytes", NULL, "Bytes of these maps."},
	{"bounced_maps", "maps_bounced", METRIC_COUNTER, NULL, NULL, "Maps that went through swiotlb."},
	{"bounced_largest_bytes", "largest_bounce_bytes", METRIC_GAUGE, "bytes", NULL, "Largest attempt to bounce."},
	{"bounced_forced", "bounced_maps", METRIC_COUNTER, NULL, "reason=\"forced\"", BOUNCED},
	{"bounced_mask", "bounced_maps", METRIC_COUNTER, NULL, "reason=\"mask\"", BOUNCED},
	{"bounced_other", "bounced_maps", METRIC_COUNTER, NULL, "reason=\"other\"", BOUNCED},
	{"iova_span_bytes", "iova_span_bytes", METRIC_GAUGE, "bytes", NULL, "From the lowest to the highest DMA address used."},
	{"peak_bounced_bytes", "peak_bounced_bytes", METRIC_GAUGE, "bytes", NULL, "Most bytes bounced at one time."},
	{"live_at_end", "live_mappings", METRIC_GAUGE, NULL, NULL, "Mappings live when the trace ended."},
	{"live_bytes_at_end", "live_bytes", METRIC_GAUGE, "bytes", NULL, "Bytes mapped when the trace ended."},
	{"peak_live", "peak_live_mappings", METRIC_GAUGE, NULL, NULL, "Most mappings live at one time."},
	{"peak_live_bytes", "peak_live_bytes", METRIC_GAUGE, "bytes", NULL, "Most bytes mapped at one time."},
};

/* Facts of the whole run, in table run. */
static const struct metric run_metrics[] = {
	{"records", "trace_records", METRIC_COUNTER, NULL, NULL, "Records read from the trace."},
	{"events", "trace_events", METRIC_COUNTER, NULL, NULL, "Records that are DMA, swiotlb or IOMMU events."},
	{"malformed", "trace_malformed", METRIC_COUNTER, NULL, NULL, "Records that could not be decoded."},
	{"gaps", "trace_gaps", METRIC_COUNTER, NULL, NULL, "Places where events were lost, or their order is not known."},
	{"lost_events", "trace_lost_events", METRIC_COUNTER, NULL, NULL, "Events lost, as far as the tracer says how many."},
};
/* clang-format on */

static const char *const type_names[] = {
	[METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge"};
static const char *const sample_ends[] = {[METRIC_COUNTER] = "_total", [METRIC_GAUGE] = ""};

static void put_family(FILE *out, const char *family, const char *type, const char *unit,
		       const char *help)
{
	fprintf(out, "# TYPE dmascope_%s %s\n", family, type);
	if (unit)
		fprintf(out, "# UNIT dmascope_%s %s\n", family, unit);
	fprintf(out, "# HELP dmascope_%s %s\n", family, help);
}

/*
 * ',key="value"', "," only if @is_next; nothing for NULL. What a terminal would obey is made
 * visible first, so that two names never become the same.
 */
static bool put_label(FILE *out, bool is_next, const char *key, sqlite3_stmt *stmt, int index)
{
	_cleanup_(dms_freep) char *harmless = NULL;
	const char *text;
	size_t bytes;

	text = export_text(stmt, index, &bytes);
	if (!text)
		return sqlite3_column_type(stmt, index) == SQLITE_NULL;
	if (!(harmless = dms_escape(text, bytes, DMS_ESCAPE_BYTES)))
		return false;
	fprintf(out, "%s%s=\"", is_next ? "," : "", key);
	for (const char *at = harmless; *at; at++) {
		if (*at == '\\' || *at == '"')
			putc('\\', out);
		putc(*at, out);
	}
	putc('"', out);
	return true;
}

/* What every sample of a device begins with: columns 0 to 2 are name, generation, driver. */
static bool put_device(FILE *out, const char *family, const char *end, sqlite3_stmt *stmt)
{
	fprintf(out, "dmascope_%s%s{", family, end);
	return put_label(out, false, "device", stmt, 0) &&
	       put_label(out, true, "generation", stmt, 1) &&
	       put_label(out, true, "driver", stmt, 2);
}

/* ---- counters of devices ----------------------------------------------------------------------- */

static const char counter_sql[] =
	"SELECT d.name, d.generation, d.driver, c.value FROM device_counter AS c"
	" JOIN device AS d ON d.id = c.device_id WHERE c.name = ?1"
	" ORDER BY d.name, d.generation";

/* *@last: the family that was begun before; one without samples is not told. */
static struct dms_error *put_counter(sqlite3_stmt *stmt, const struct metric *metric,
				     const struct metric **last, FILE *out)
{
	struct dms_error *err = NULL;
	bool has_row = true;

	sqlite3_bind_text(stmt, 1, metric->counter, -1, SQLITE_STATIC);
	while (!err && !(err = export_step(stmt, &has_row)) && has_row) {
		if (!*last || strcmp((*last)->family, metric->family))
			put_family(out, metric->family, type_names[metric->type], metric->unit,
				   metric->help);
		*last = metric;
		if (!put_device(out, metric->family, sample_ends[metric->type], stmt))
			err = &dms_error_nomem;
		fprintf(out, "%s%s} %" PRIu64 "\n", metric->label ? "," : "",
			metric->label ? metric->label : "",
			(uint64_t)sqlite3_column_int64(stmt, 3));
	}
	sqlite3_reset(stmt);
	return err;
}

static struct dms_error *put_counters(struct sqlite3 *db, FILE *out)
{
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err = export_prepare(db, counter_sql, &stmt);
	const struct metric *last = NULL;

	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(metrics); i++)
		err = put_counter(stmt, &metrics[i], &last, out);
	sqlite3_finalize(stmt);
	return err;
}

/* ---- lifetimes --------------------------------------------------------------------------------- */

static const char lifetime_sql[] =
	"SELECT d.name, d.generation, d.driver, max(c.value) FILTER (WHERE c.name = 'lifetime_p50'),"
	" max(c.value) FILTER (WHERE c.name = 'lifetime_p90'),"
	" max(c.value) FILTER (WHERE c.name = 'lifetime_p99'),"
	" max(c.value) FILTER (WHERE c.name = 'lifetime_max'),"
	" max(c.value) FILTER (WHERE c.name = 'lifetime_count'),"
	" max(c.value) FILTER (WHERE c.name = 'lifetime_sum') FROM device_counter AS c"
	" JOIN device AS d ON d.id = c.device_id WHERE c.name GLOB 'lifetime_*'"
	" GROUP BY d.id ORDER BY d.name, d.generation";

static void put_seconds(FILE *out, sqlite3_stmt *stmt, int index)
{
	uint64_t ns = (uint64_t)sqlite3_column_int64(stmt, index);

	fprintf(out, "} %" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
}

static bool put_lifetime(FILE *out, sqlite3_stmt *stmt)
{
	static const char *const quantiles[] = {"0.5", "0.9", "0.99", "1.0"};
	static const char family[] = "mapping_lifetime_seconds";

	for (int i = 0; i < 4; i++) {
		if (sqlite3_column_type(stmt, 3 + i) == SQLITE_NULL)
			continue;
		if (!put_device(out, family, "", stmt))
			return false;
		fprintf(out, ",quantile=\"%s\"", quantiles[i]);
		put_seconds(out, stmt, 3 + i);
	}
	if (!put_device(out, family, "_count", stmt))
		return false;
	fprintf(out, "} %" PRIu64 "\n", (uint64_t)sqlite3_column_int64(stmt, 7));
	if (!put_device(out, family, "_sum", stmt))
		return false;
	put_seconds(out, stmt, 8);
	return true;
}

/* Seconds, if the clock counts any. */
static struct dms_error *put_lifetimes(struct sqlite3 *db, FILE *out)
{
	sqlite3_stmt *stmt = NULL;
	bool has_row = true;
	int64_t is_ns;
	struct dms_error *err = export_run_i64(db, "clock_is_ns", 1, &is_ns);

	if (err || !is_ns)
		return err;
	put_family(out, "mapping_lifetime_seconds", "summary", "seconds",
		   "Lifetimes of streaming mappings that ended by their unmap; quantiles are at most "
		   "3.2 percent too high, 1.0 is exact.");
	err = export_prepare(db, lifetime_sql, &stmt);
	while (!err && !(err = export_step(stmt, &has_row)) && has_row) {
		if (!put_lifetime(out, stmt))
			err = &dms_error_nomem;
	}
	sqlite3_finalize(stmt);
	return err;
}

/* ---- distributions ----------------------------------------------------------------------------- */

/** A measure of the database as a histogram: times in seconds, the rest as it is. */
struct distribution {
	const char *measure, *family, *unit; /* unit NULL: a plain number */
	const char *help;
};

/* Lifetimes are a summary already; a family cannot be both. */
static const struct distribution distributions[] = {
	{"size", "mapping_size_bytes", "bytes", "Sizes of maps and allocations."},
	{"entries", "sg_list_entries", NULL, "Entries of scatter lists, as given."},
	{"segments", "sg_list_segments", NULL, "Segments that lists became."},
	{"bounce_to_map", "map_after_bounce_seconds", "seconds",
	 "From the copy into the bounce buffer to the end of the map."},
	{"iommu_map_to_map", "map_after_iommu_seconds", "seconds",
	 "From the entries of the IOMMU to the end of the map."},
	{"iommu_unmap_to_unmap", "unmap_after_iommu_seconds", "seconds",
	 "From the entries of the IOMMU to the end of the unmap: IOTLB flush, IOVA free."},
	{"unmap_sg_to_iommu_unmap", "unmap_sg_before_iommu_seconds", "seconds",
	 "From the begin of a list's unmap to the entries of the IOMMU."},
	{"reuse", "address_reuse_seconds", "seconds",
	 "From the unmap of a streaming address to its next map."},
};

/*
 * Buckets end at powers of two less one: a power of two is where the database's buckets end too,
 * so that counts are exact, and a dashboard is not flooded. Whole numbers: le is inclusive.
 */
static const char distribution_sql[] =
	"WITH b AS (SELECT h.device_id, h.high, h.count FROM histogram AS h WHERE h.measure = ?1)"
	" SELECT d.name, d.generation, d.driver, p.le, (SELECT total(count) FROM b"
	" WHERE b.device_id = t.device_id AND b.high <= p.le), t.count, t.sum"
	" FROM distribution AS t JOIN device AS d ON d.id = t.device_id"
	" JOIN (WITH RECURSIVE n(le) AS (VALUES (0) UNION ALL SELECT 2 * le + 1 FROM n"
	" WHERE le < (1 << 61)) SELECT le FROM n) AS p"
	" ON p.le = 0 OR (p.le > t.min / 2 AND p.le / 2 < t.max)"
	" WHERE t.measure = ?1 ORDER BY d.name, d.generation, p.le";

static void put_bound(FILE *out, bool is_seconds, uint64_t value)
{
	if (is_seconds)
		fprintf(out, "%" PRIu64 ".%09" PRIu64, value / 1000000000, value % 1000000000);
	else
		fprintf(out, "%" PRIu64 ".0", value);
}

static bool put_bucket(FILE *out, const struct distribution *row, sqlite3_stmt *stmt)
{
	if (!put_device(out, row->family, "_bucket", stmt))
		return false;
	fputs(",le=\"", out);
	put_bound(out, row->unit && !strcmp(row->unit, "seconds"),
		  (uint64_t)sqlite3_column_int64(stmt, 3));
	fprintf(out, "\"} %" PRIu64 "\n", (uint64_t)sqlite3_column_int64(stmt, 4));
	return true;
}

/* What ends the buckets of a device. */
static bool put_sums(FILE *out, const struct distribution *row, sqlite3_stmt *stmt)
{
	uint64_t count = (uint64_t)sqlite3_column_int64(stmt, 5);
	bool is_seconds = row->unit && !strcmp(row->unit, "seconds");

	if (!put_device(out, row->family, "_bucket", stmt))
		return false;
	fprintf(out, ",le=\"+Inf\"} %" PRIu64 "\n", count);
	if (!put_device(out, row->family, "_count", stmt))
		return false;
	fprintf(out, "} %" PRIu64 "\n", count);
	if (!put_device(out, row->family, "_sum", stmt))
		return false;
	fputs("} ", out);
	put_bound(out, is_seconds, (uint64_t)sqlite3_column_int64(stmt, 6));
	fputc('\n', out);
	return true;
}

/* The smallest bound of a device begins its samples: what went before it is then complete. */
static struct dms_error *put_distribution(struct sqlite3 *db, const struct distribution *row,
					  FILE *out)
{
	sqlite3_stmt *rows = NULL, *ends = NULL;
	bool has_row = true, has_end = false, ok = true, is_first = true;
	struct dms_error *err = export_prepare(db, distribution_sql, &rows);

	if (!err)
		err = export_prepare(db, distribution_sql, &ends); /* one row behind */
	if (!err) {
		sqlite3_bind_text(rows, 1, row->measure, -1, SQLITE_STATIC);
		sqlite3_bind_text(ends, 1, row->measure, -1, SQLITE_STATIC);
	}
	while (!err && ok && !(err = export_step(rows, &has_row))) {
		bool begins = !has_row || sqlite3_column_int64(rows, 3) == 0;

		if (begins && !is_first)
			ok = put_sums(out, row, ends);
		if (!has_row)
			break;
		if (is_first)
			put_family(out, row->family, "histogram", row->unit, row->help);
		is_first = false;
		ok = ok && put_bucket(out, row, rows);
		err = export_step(ends, &has_end);
	}
	sqlite3_finalize(rows);
	sqlite3_finalize(ends);
	return ok ? err : &dms_error_nomem;
}

static struct dms_error *put_distributions(struct sqlite3 *db, FILE *out)
{
	int64_t is_ns;
	struct dms_error *err = export_run_i64(db, "clock_is_ns", 1, &is_ns);

	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(distributions); i++) {
		const char *unit = distributions[i].unit;

		if (is_ns || !unit || strcmp(unit, "seconds") != 0)
			err = put_distribution(db, &distributions[i], out);
	}
	return err;
}

/* ---- findings and the run ---------------------------------------------------------------------- */

static struct dms_error *put_findings(struct sqlite3 *db, FILE *out)
{
	static const char sql[] =
		"SELECT d.name, d.generation, d.driver, f.rule, f.severity, f.confidence, sum(f.count)"
		" FROM finding_group AS f LEFT JOIN device AS d ON d.id = f.device_id"
		" GROUP BY f.device_id, f.rule, f.severity, f.confidence"
		" ORDER BY d.name, d.generation, f.device_id, f.rule, f.severity, f.confidence";
	static const char *const keys[] = {"device",   "generation", "driver",
					   "rule",     "severity",   "confidence"};
	sqlite3_stmt *stmt = NULL;
	bool has_row = true;
	struct dms_error *err = export_prepare(db, sql, &stmt);

	put_family(out, "findings", "gauge", NULL, "Broken rules, by how sure that is.");
	while (!err && !(err = export_step(stmt, &has_row)) && has_row) {
		bool has_device = sqlite3_column_type(stmt, 0) != SQLITE_NULL;

		fputs("dmascope_findings{", out);
		for (int i = has_device ? 0 : 3; i < (int)DMS_ARRAY_SIZE(keys); i++) {
			if (!put_label(out, i && (has_device || i > 3), keys[i], stmt, i))
				err = &dms_error_nomem;
		}
		fprintf(out, "} %" PRIu64 "\n", (uint64_t)sqlite3_column_int64(stmt, 6));
	}
	sqlite3_finalize(stmt);
	return err;
}

static struct dms_error *put_run(struct sqlite3 *db, FILE *out)
{
	struct dms_error *err = NULL;

	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(run_metrics); i++) {
		const struct metric *metric = &run_metrics[i];
		int64_t value;

		err = export_run_i64(db, metric->counter, 0, &value);
		put_family(out, metric->family, type_names[metric->type], metric->unit,
			   metric->help);
		fprintf(out, "dmascope_%s%s %" PRIu64 "\n", metric->family,
			sample_ends[metric->type], (uint64_t)value);
	}
	return err;
}

static struct dms_error *put_info(struct sqlite3 *db, FILE *out)
{
	static const char sql[] = "SELECT max(value) FILTER (WHERE key = 'tool_version'),"
				  " max(value) FILTER (WHERE key = 'kernel'),"
				  " max(value) FILTER (WHERE key = 'clock') FROM run";
	static const char *const keys[] = {"version", "kernel", "clock"};
	sqlite3_stmt *stmt = NULL;
	bool has_row = true, is_next = false;
	struct dms_error *err = export_prepare(db, sql, &stmt);

	if (!err)
		err = export_step(stmt, &has_row);
	put_family(out, "run", "info", NULL, "The analysed run.");
	fputs("dmascope_run_info{", out);
	for (int i = 0; !err && i < (int)DMS_ARRAY_SIZE(keys); i++) {
		if (!put_label(out, is_next, keys[i], stmt, i))
			err = &dms_error_nomem;
		is_next |= sqlite3_column_type(stmt, i) != SQLITE_NULL;
	}
	fputs("} 1\n", out);
	sqlite3_finalize(stmt);
	return err;
}

struct dms_error *dms_export_openmetrics(struct sqlite3 *db, FILE *out)
{
	static struct dms_error *(*const parts[])(struct sqlite3 *db, FILE *out) = {
		put_info,      put_run,	  put_counters,
		put_lifetimes, put_distributions, put_findings};
	struct dms_error *err = NULL;

	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(parts); i++)
		err = parts[i](db, out);
	if (!err)
		fputs("# EOF\n", out);
	return err ? err : dms_check_written(out);
}

// SPDX-License-Identifier: LGPL-2.1-only
/* What mapping costs, as text: one small table each for rates, latencies, bounces, lists, reuse. */
#include <inttypes.h>
#include <sqlite3.h>
#include <string.h>

#include "exports.h"

/* How a column of a query is shown; the first is always the device. */
enum cost_format {
	COST_TEXT, COST_COUNT, COST_BYTES, COST_NS,
	COST_RATE,	/* a second, as a count */
	COST_BYTE_RATE,
	COST_SHARE	/* 1.0 is 100 % */
};

#define COST_COLUMNS 9
struct cost_table {
	const char *heading;
	const char *sql; /* columns as below; no rows: the table is not told */
	struct {
		const char *title;
		enum cost_format format;
	} columns[COST_COLUMNS]; /* up to the first without a title */
	bool needs_ns;		 /* means nothing unless the clock counts ns */
	size_t n_keys;		 /* columns that tell a row from others */
};

/** Where to print, and how. */
struct paper {
	FILE *out;
	unsigned int width;
	bool colour;
};

#define DEVICE "device || iif(generation > 1, '#' || generation, '')"
#define LATENCY(measure) "WHEN '" measure "' THEN "

/* clang-format off */
static const struct cost_table tables[] = {
	{"rates",
	 "SELECT " DEVICE ", maps_per_s, unmaps_per_s, syncs_per_s, failed_per_s, bytes_per_s,"
	 " bytes_to_device_per_s, bytes_from_device_per_s FROM rates WHERE maps + unmaps > 0"
	 " AND seconds IS NOT NULL ORDER BY bytes DESC, device_id",
	 {{"device", COST_TEXT}, {"maps", COST_RATE}, {"unmaps", COST_RATE}, {"syncs", COST_RATE},
	  {"failed", COST_RATE}, {"mapped", COST_BYTE_RATE}, {"to device", COST_BYTE_RATE},
	  {"from device", COST_BYTE_RATE}}, true, 1},
	{"latencies",
	 "SELECT " DEVICE ", CASE measure"
	 " " LATENCY("bounce_to_map") "'map: bounced memory copied, to the end'"
	 " " LATENCY("iommu_map_to_map") "'map: IOMMU entries made, to the end'"
	 " " LATENCY("iommu_unmap_to_unmap") "'unmap: IOMMU entries gone, to the end'"
	 " " LATENCY("unmap_sg_to_iommu_unmap") "'unmap of a list: begin, to IOMMU entries gone'"
	 " END, count, p50, p90, p99, p999, max FROM temp.device_distributions WHERE measure IN ('bounce_to_map',"
	 " 'iommu_map_to_map', 'iommu_unmap_to_unmap', 'unmap_sg_to_iommu_unmap')"
	 " ORDER BY sum(count) OVER (PARTITION BY device_id) DESC, device_id, measure",
	 {{"device", COST_TEXT}, {"from", COST_TEXT}, {"times", COST_COUNT}, {"p50", COST_NS},
	  {"p90", COST_NS}, {"p99", COST_NS}, {"p99.9", COST_NS}, {"max", COST_NS}}, true, 2},
	{"bounces through swiotlb",
	 "SELECT " DEVICE ", bounced, share, bytes, mask, forced, other, largest_bytes, peak_bytes"
	 " FROM bounces WHERE bounces + bounced > 0 ORDER BY bytes DESC, device_id",
	 {{"device", COST_TEXT}, {"maps bounced", COST_COUNT}, {"of its maps", COST_SHARE},
	  {"bytes", COST_BYTES}, {"above mask", COST_COUNT}, {"forced", COST_COUNT},
	  {"other", COST_COUNT}, {"largest", COST_BYTES}, {"peak", COST_BYTES}}, false, 1},
	{"scatter lists",
	 "SELECT " DEVICE ", lists, entries, segments, 1 - ratio FROM iommu_merge"
	 " ORDER BY entries DESC, device_id",
	 {{"device", COST_TEXT}, {"lists", COST_COUNT}, {"entries", COST_COUNT},
	  {"segments", COST_COUNT}, {"merged", COST_SHARE}}, false, 1},
	{"reuse",
	 "SELECT d.name || iif(d.generation > 1, '#' || d.generation, ''),"
	 " max(c.value) FILTER (WHERE c.name = 'remaps'),"
	 " max(c.value) FILTER (WHERE c.name = 'remapped_bytes'),"
	 " (SELECT p50 FROM temp.device_distributions AS t WHERE t.device_id = d.id AND measure = 'reuse'),"
	 " max(c.value) FILTER (WHERE c.name = 'handovers'),"
	 " 1.0 * max(c.value) FILTER (WHERE c.name = 'handovers')"
	 " / max(c.value) FILTER (WHERE c.name = 'unmaps_matched' AND c.value > 0)"
	 " FROM device_counter AS c JOIN device AS d ON d.id = c.device_id GROUP BY d.id"
	 " HAVING max(c.value) FILTER (WHERE c.name IN ('remaps', 'handovers')) > 0"
	 " ORDER BY 2 IS NULL, 2 DESC, 5 DESC, d.id",
	 {{"device", COST_TEXT}, {"remaps", COST_COUNT}, {"remapped", COST_BYTES},
	  {"address reused after (p50)", COST_NS}, {"unmapped on another CPU", COST_COUNT},
	  {"of its unmaps", COST_SHARE}}, false, 1},
};
/* clang-format on */

static const char *format_value(sqlite3_stmt *stmt, int index, enum cost_format format, char *buf,
				size_t size)
{
	double number = sqlite3_column_double(stmt, index);
	uint64_t value = number >= 1.8e19 ? UINT64_MAX : number > 0 ? (uint64_t)(number + 0.5) : 0;
	char figure[32];

	if (sqlite3_column_type(stmt, index) == SQLITE_NULL)
		return "-";
	switch (format) {
	case COST_TEXT:
		return (const char *)sqlite3_column_text(stmt, index);
	case COST_COUNT:
		return dms_format_count(value, buf, size);
	case COST_BYTES:
		return dms_format_bytes(value, buf, size);
	case COST_NS:
		return dms_format_ns(value, buf, size);
	case COST_RATE:
		snprintf(buf, size, "%s%s", dms_format_rate(number, figure, sizeof(figure)),
			 number > 0 ? "/s" : "");
		break;
	case COST_BYTE_RATE:
		snprintf(buf, size, "%s/s", dms_format_byte_rate(number, figure, sizeof(figure)));
		break;
	case COST_SHARE:
		snprintf(buf, size, "%.1f %%", 100 * number);
		break;
	}
	return buf;
}

static bool add_row(struct dms_table *table, const struct cost_table *cost, sqlite3_stmt *stmt)
{
	char buf[48];

	for (int i = 0; i < COST_COLUMNS && cost->columns[i].title; i++) {
		enum cost_format format = cost->columns[i].format;
		const char *text = format_value(stmt, i, format, buf, sizeof(buf));

		if (!dms_table_cell(table, text ? text : "-", format != COST_TEXT))
			return false;
	}
	return true;
}

static bool add_titles(struct dms_table *table, const struct cost_table *cost)
{
	bool ok = true;

	for (int i = 0; ok && i < COST_COLUMNS && cost->columns[i].title; i++)
		ok = dms_table_title(table, cost->columns[i].title);
	return ok;
}

static size_t n_columns(const struct cost_table *cost)
{
	size_t n = 0;

	while (n < COST_COLUMNS && cost->columns[n].title)
		n++;
	return n;
}

/* The rows of @cost in *@ret_table, up to @top of them (0: all), and how many more there are. */
static struct dms_error *read_table(struct sqlite3 *db, const struct cost_table *cost,
				    uint64_t top, struct dms_table *table, uint64_t *ret_more)
{
	sqlite3_stmt *stmt = NULL;
	bool has_row = true;
	struct dms_error *err = export_prepare(db, cost->sql, &stmt);

	*ret_more = 0;
	while (!err && !(err = export_step(stmt, &has_row)) && has_row) {
		if (top && dms_table_rows(table) >= top)
			++*ret_more;
		else if (!add_row(table, cost, stmt))
			err = &dms_error_nomem;
	}
	sqlite3_finalize(stmt);
	return err;
}

static struct dms_error *put_table(struct sqlite3 *db, const struct cost_table *cost,
				   uint64_t top, const struct paper *paper)
{
	FILE *out = paper->out;
	struct dms_table *table = dms_table_create(n_columns(cost));
	struct dms_error *err = table && add_titles(table, cost) ? NULL : &dms_error_nomem;
	uint64_t n_more = 0;
	char buf[32];

	if (!err)
		dms_table_repeat(table, cost->n_keys);
	if (!err)
		err = read_table(db, cost, top, table, &n_more);
	if (!err && dms_table_rows(table)) {
		fprintf(out, "\n%s%s%s\n", paper->colour ? "\033[1m" : "", cost->heading,
			paper->colour ? "\033[0m" : "");
		dms_table_print(table, out, paper->width, false);
	}
	if (n_more)
		fprintf(out, "and %s more, left out by --top %" PRIu64 "\n",
			dms_format_count(n_more, buf, sizeof(buf)), top);
	dms_table_destroy(table);
	return err;
}

struct dms_error *dms_costs_print(struct sqlite3 *db, uint64_t top, FILE *out, unsigned int width,
				  bool colour)
{
	const struct paper paper = {.out = out, .width = width, .colour = colour};
	struct dms_error *err;
	int64_t is_ns;

	err = export_run_i64(db, "clock_is_ns", 1, &is_ns);
	if (!err)
		err = dms_distributions_prepare(db);
	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(tables); i++) {
		if (is_ns || !tables[i].needs_ns)
			err = put_table(db, &tables[i], top, &paper);
	}
	return err ? err : dms_check_written(out);
}

struct dms_error *dms_findings_count(struct sqlite3 *db, enum dms_severity severity,
				     enum dms_confidence confidence, uint64_t *ret)
{
	static const char sql[] =
		"SELECT coalesce(sum(count), 0) FROM finding_group WHERE"
		" CASE severity WHEN 'error' THEN ?3 WHEN 'warning' THEN ?4 ELSE ?5 END >= ?1 AND"
		" CASE confidence WHEN 'certain' THEN ?6 WHEN 'likely' THEN ?7 ELSE ?8 END >= ?2";
	const int numbers[] = {severity, confidence, DMS_SEVERITY_ERROR, DMS_SEVERITY_WARNING,
			       DMS_SEVERITY_INFO, DMS_CERTAIN, DMS_LIKELY, DMS_POSSIBLE};
	sqlite3_stmt *stmt = NULL;
	bool has_row = false;
	struct dms_error *err = export_prepare(db, sql, &stmt);

	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(numbers); i++)
		sqlite3_bind_int(stmt, (int)i + 1, numbers[i]);
	if (!err)
		err = export_step(stmt, &has_row);
	*ret = has_row ? (uint64_t)sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_finalize(stmt);
	return err;
}

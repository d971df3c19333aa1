// SPDX-License-Identifier: LGPL-2.1-only
/* README of a CSV export: how to read the files, and what each column means. */
#include <inttypes.h>
#include <string.h>

#include "exports.h"

const char csv_readme_mark[] = "dmascope CSV export, version 1\n";

static const char how_to_read[] =
	"==============================\n"
	"\n"
	"Each file is one table or view of the database of one run; dmascope-db(5) says more.\n"
	"\n"
	"Form      RFC 4180, UTF-8 without byte order mark: commas, lines end with CR LF, the first\n"
	"          line has the names of the columns. Texts are quoted, numbers are not.\n"
	"NULL      An empty cell without quotes: the trace does not tell. \"\" is an empty text.\n"
	"Formulas  A text that a spreadsheet would run, or that begins with ', has a ' before it.\n"
	"          Take away one ' from the beginning of a text to get what was there.\n"
	"Bytes     Control characters, characters that turn the direction of text, and bytes that\n"
	"          are no UTF-8 are written \\xNN, two lower-case hexadecimal digits for each byte;\n"
	"          so is a backslash that would read like that. Newlines and tabs stay.\n"
	"Units     Columns that end in _ns hold nanoseconds of the trace clock, in _bytes bytes.\n"
	"Addresses Unsigned 64-bit numbers in two's complement: negative from 2^63 on. Spreadsheets\n"
	"          round numbers beyond 2^53; the views have addresses as hexadecimal text.\n"
	"\n"
	"sqlite3 new.db \".import --csv mapping.csv mapping\" reads a file into a database; there\n"
	"NULL becomes an empty text.\n";

/* Columns of the views. Tables have their comments in the schema. */
static const struct {
	const char *view, *column, *text; /* view NULL: any */
} view_columns[] = {
	{"device_summary", "device_id", "row of device"},
	{"driver_summary", "devices", "generations of devices of this driver"},
	{"findings", "id", "row of finding"},
	{"findings", "rule", "rule id, see dmascope-rules(7)"},
	{"findings", "severity", "error, warning or info"},
	{"findings", "confidence", "certain, likely or possible"},
	{"findings", "reason", "for less than certainty"},
	{"findings", "ts_ns", "when the rule was broken"},
	{"findings", "dma_addr", "bus address concerned, hexadecimal"},
	{"findings", "size_bytes", "bytes concerned"},
	{"findings", "message", "one sentence"},
	{"findings", "fingerprint", "same defect, same text, in any run"},
	{"call_sites", "function", "first function of the stack outside the DMA core; NULL: not known"},
	{"call_sites", "module", "its module; NULL: the kernel itself, or not known"},
	{"call_sites", "stacks", "distinct stacks with this call site"},
	{"call_sites", "mappings", "mappings made"},
	{"call_sites", "size_bytes", "bytes mapped"},
	{"call_sites", "unmapped", "mappings that ended by their unmap"},
	{"call_sites", "lifetime_mean_ns", "mean lifetime of these"},
	{"call_sites", "first_stack_id", "lowest row of stack with this call site"},
	{"distributions", "device_id", "row of device"},
	{"rates", "device_id", "row of device"},
	{"bounces", "device_id", "row of device"},
	{"iommu_merge", "device_id", "row of device"},
	{"iova_space", "device_id", "row of device"},
	{"handovers", "device_id", "row of device"},
	{"call_site_rates", "device_id", "row of device"},
	{"rates", "seconds", "time counted: NULL unless the clock counts nanoseconds"},
	{"driver_rates", "devices", "generations of devices of this driver"},
	{"driver_rates", "seconds", "time counted: NULL unless the clock counts nanoseconds"},
	{"rates", "bytes", "bytes of maps and allocations"},
	{"driver_rates", "bytes", "bytes of maps and allocations"},
	{"bounces", "maps", "streaming maps"},
	{"bounces", "bounces", "attempts to bounce"},
	{"bounces", "bounced", "streaming maps that went through swiotlb"},
	{"bounces", "share", "bounced of maps"},
	{"bounces", "bytes", "bytes bounced"},
	{"bounces", "forced", "of bounced: swiotlb=force, or a confidential guest"},
	{"bounces", "mask", "of bounced: memory above the mask of the device"},
	{"bounces", "other", "of bounced: alignment, small buffers, untrusted devices"},
	{"bounces", "largest_bytes", "largest attempt; swiotlb takes 256 KiB at most"},
	{"bounces", "peak_bytes", "most bytes bounced at one time"},
	{"bounces", "peak_ns", "when that was"},
	{"iommu_merge", "lists", "scatter lists mapped"},
	{"iommu_merge", "entries", "their entries, as given"},
	{"iommu_merge", "segments", "what they became"},
	{"iommu_merge", "ratio", "segments of each entry"},
	{"iova_space", "low", "lowest DMA address used"},
	{"iova_space", "high", "highest DMA address used"},
	{"iova_space", "span_bytes", "from the lowest to the highest"},
	{"iova_space", "fill", "most bytes live at one time, of the span"},
	{"handovers", "map_cpu", "CPU that mapped"},
	{"handovers", "unmap_cpu", "CPU that unmapped"},
	{"handovers", "mappings", "mappings handed over so"},
	{"handovers", "bytes", "their bytes"},
	{"handovers", "share", "of all unmaps whose map was seen"},
	{"call_site_rates", "id", "row of call_site"},
	{"call_site_rates", "function", "first function of the stack outside the DMA core"},
	{"call_site_rates", "module", "its module; NULL: the kernel itself, or not known"},
	{"call_site_rates", "seconds", "of the trace"},
	{"call_site_rates", "maps", "maps and allocations"},
	{NULL, "measure", "what: lifetime, size, ...; see dmascope-db(5)"},
	{NULL, "unit", "of the figures"},
	{NULL, "count", "values"},
	{NULL, "sum", "of all values, exact"},
	{NULL, "min", "smallest value, exact"},
	{NULL, "p50", "half of the values are no larger; at most 3.2 % too high"},
	{NULL, "p90", "90 % of them are no larger"},
	{NULL, "p99", "99 % of them are no larger"},
	{NULL, "p999", "99.9 % of them are no larger"},
	{NULL, "max", "largest value, exact"},
	{NULL, "maps_per_s", "maps and allocations a second"},
	{NULL, "unmaps_per_s", "unmaps and frees a second"},
	{NULL, "syncs_per_s", "sync calls a second"},
	{NULL, "failed_per_s", "failed maps and allocations a second"},
	{NULL, "bytes_per_s", "bytes mapped a second"},
	{NULL, "bytes_to_device_per_s", "bytes of streaming maps TO_DEVICE a second"},
	{NULL, "bytes_from_device_per_s", "bytes of streaming maps FROM_DEVICE a second"},
	{NULL, "bytes_bidirectional_per_s", "bytes of streaming maps BIDIRECTIONAL a second"},
	{NULL, "first_ns", "time of the first event"},
	{NULL, "last_ns", "time of the last event"},
};

void csv_readme_head(FILE *out)
{
	fputs(csv_readme_mark, out);
	fputs(how_to_read, out);
}

/* What the schema says of a column of that name in a table that views show again. */
static const char *of_table(const char *column, size_t *ret_bytes)
{
	struct ddl ddl = {0};
	const char *text;

	while (ddl_next(&ddl)) {
		if (ddl.is_view || (strcmp(ddl.name, "call_site") && strcmp(ddl.name, "device")))
			continue;
		if ((text = ddl_comment(&ddl, column, ret_bytes)))
			return text;
	}
	return NULL;
}

static const char *describe(const struct ddl *ddl, const char *column, size_t *ret_bytes)
{
	if (!ddl->is_view)
		return ddl_comment(ddl, column, ret_bytes);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(view_columns); i++) {
		if ((view_columns[i].view && strcmp(view_columns[i].view, ddl->name)) ||
		    strcmp(view_columns[i].column, column))
			continue;
		*ret_bytes = strlen(view_columns[i].text);
		return view_columns[i].text;
	}
	for (size_t i = 0; i < dms_n_device_columns; i++) {
		if (strcmp(dms_device_columns[i].key, column))
			continue;
		*ret_bytes = strlen(dms_device_columns[i].help);
		return dms_device_columns[i].help;
	}
	return of_table(column, ret_bytes);
}

static struct dms_error *put_column(const struct ddl *ddl, const char *column, FILE *out)
{
	_cleanup_(dms_freep) char *harmless = NULL;
	const char *text;
	size_t bytes;

	/* the file's own columns may be others than ours */
	harmless = column ? dms_escape(column, strlen(column), DMS_ESCAPE_BYTES) : NULL;
	if (!harmless)
		return &dms_error_nomem;
	text = describe(ddl, column, &bytes);
	if (text)
		fprintf(out, "  %-20s  %.*s\n", harmless, (int)bytes, text);
	else
		fprintf(out, "  %s\n", harmless);
	return NULL;
}

struct dms_error *csv_readme_file(struct sqlite3 *db, const struct ddl *ddl, uint64_t n_rows,
				  FILE *out)
{
	_cleanup_(dms_freep) char *sql = dms_asprintf("SELECT * FROM %s", ddl->name);
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err = sql ? export_prepare(db, sql, &stmt) : &dms_error_nomem;
	size_t bytes;
	const char *text = ddl_comment(ddl, NULL, &bytes);

	fprintf(out, "\n%s.csv  (%" PRIu64 " row%s)\n", ddl->name, n_rows,
		n_rows == 1 ? "" : "s");
	if (text)
		fprintf(out, "%.*s\n", (int)bytes, text);
	for (int i = 0; !err && i < sqlite3_column_count(stmt); i++)
		err = put_column(ddl, sqlite3_column_name(stmt, i), out);
	sqlite3_finalize(stmt);
	return err;
}

void csv_readme_table(const char *name, const struct dms_layout *layout, uint64_t n_rows,
		      FILE *out)
{
	fprintf(out, "\n%s.csv  (%" PRIu64 " row%s)\nWhat the report tells of each device\n", name,
		n_rows, n_rows == 1 ? "" : "s");
	for (size_t i = 0; i < layout->n_columns; i++) {
		const struct dms_column *column = &dms_device_columns[layout->columns[i]];

		fprintf(out, "  %-20s  %s\n", column->key, column->help);
	}
}

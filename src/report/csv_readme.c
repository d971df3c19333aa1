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
	{NULL, "device", "name of the device"},
	{NULL, "generation", "of the device: 1 for the first probe seen"},
	{NULL, "driver", "of the device; NULL: not known"},
	{NULL, "address_mode", "as in device"},
	{NULL, "maps", "maps of every kind, allocations among them"},
	{NULL, "unmaps", "unmaps and frees, matched or not"},
	{NULL, "syncs", "sync calls in both directions"},
	{NULL, "live_at_end", "mappings live when the trace ended"},
	{NULL, "live_bytes_at_end", "their bytes"},
	{NULL, "failed", "maps and allocations that failed"},
	{NULL, "pre_trace", "unmaps whose map was not seen"},
	{NULL, "bytes_to_device", "bytes of streaming maps TO_DEVICE"},
	{NULL, "bytes_from_device", "bytes of streaming maps FROM_DEVICE"},
	{NULL, "bytes_bidirectional", "bytes of streaming maps BIDIRECTIONAL"},
	{NULL, "bytes_allocated", "bytes of allocations"},
	{NULL, "lifetime_p50_ns", "half of the lifetimes are no longer; at most 3.2 % too high"},
	{NULL, "lifetime_p99_ns", "99 % of them are no longer; at most 3.2 % too high"},
	{NULL, "lifetime_max_ns", "longest lifetime, exact"},
	{NULL, "peak_live", "most mappings live at one time"},
	{NULL, "peak_live_bytes", "most bytes mapped at one time"},
	{NULL, "peak_live_bytes_ns", "when that was first reached"},
	{NULL, "bounces", "mappings bounced through swiotlb"},
	{NULL, "bounced_bytes", "their bytes"},
	{NULL, "first_ns", "time of the first event"},
	{NULL, "last_ns", "time of the last event"},
};

void csv_readme_head(FILE *out)
{
	fputs(csv_readme_mark, out);
	fputs(how_to_read, out);
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
	return NULL;
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

	fprintf(out, "\n%s.csv  (%" PRIu64 " rows)\n", ddl->name, n_rows);
	if (text)
		fprintf(out, "%.*s\n", (int)bytes, text);
	for (int i = 0; !err && i < sqlite3_column_count(stmt); i++)
		err = put_column(ddl, sqlite3_column_name(stmt, i), out);
	sqlite3_finalize(stmt);
	return err;
}

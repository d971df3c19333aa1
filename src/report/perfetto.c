// SPDX-License-Identifier: LGPL-2.1-only
/* A run in Chrome's trace event format: what is in time order four ways is merged into one. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "exports.h"

/** Rows in order of time, the time in column 0; and how one of them is written. */
struct track {
	const char *sql;
	bool (*put)(FILE *out, sqlite3_stmt *stmt); /* false: memory */
};

/** Where the merge stands in each track. */
struct cursor {
	sqlite3_stmt *stmt;
	bool has_row;
	int64_t ts_ns;
};

/* ---- pieces of an event ------------------------------------------------------------------------ */

/* "1234.567": microseconds, with every nanosecond of the trace clock. */
static void put_ts(FILE *out, int64_t ns)
{
	int fraction = (int)(ns % 1000);

	if (ns < 0) {
		fraction = -fraction;
		if (ns > -1000)
			putc('-', out); /* -0.5: the whole has no sign */
	}
	export_integer(out, ns / 1000);
	putc('.', out);
	putc('0' + fraction / 100, out);
	putc('0' + fraction / 10 % 10, out);
	putc('0' + fraction % 10, out);
}

/* Every event begins so: its phase, its device as a process, its time. */
static void put_head(FILE *out, char phase, sqlite3_stmt *stmt)
{
	fputs(",\n{\"ph\":\"", out);
	putc(phase, out);
	fputs("\",\"pid\":", out);
	export_integer(out, sqlite3_column_int64(stmt, 1));
	fputs(",\"tid\":0,\"ts\":", out);
	put_ts(out, sqlite3_column_int64(stmt, 0));
}

static bool put_text(FILE *out, const char *key, sqlite3_stmt *stmt, int index)
{
	const char *text;
	size_t bytes;

	fputs(key, out);
	text = export_text(stmt, index, &bytes);
	return export_json_string(out, text, bytes);
}

/* A member, unless its value is not known. */
static void put_number(FILE *out, const char *key, sqlite3_stmt *stmt, int index)
{
	if (sqlite3_column_type(stmt, index) == SQLITE_NULL)
		return;
	fputs(key, out);
	export_integer(out, sqlite3_column_int64(stmt, index));
}

static void put_address(FILE *out, const char *key, sqlite3_stmt *stmt, int index)
{
	if (sqlite3_column_type(stmt, index) != SQLITE_NULL)
		fprintf(out, "%s\"0x%" PRIx64 "\"", key,
			(uint64_t)sqlite3_column_int64(stmt, index));
}

/* ---- mappings: "b" where one begins, "e" where it ends ----------------------------------------- */

#define BEGIN_NS "coalesce(m.map_ns, :first_ns)"
#define END_NS	 "max(coalesce(m.unmap_ns, m.ended_ns, :last_ns), " BEGIN_NS ")"
/* an unmap of what was not mapped is no life */
#define LIVES	 " WHERE m.end <> 'unmatched'"

static const char begins_sql[] =
	"SELECT " BEGIN_NS " AS ts, ifnull(m.device_id, 0), m.id, m.kind, m.direction, m.size_bytes,"
	" m.dma_addr, m.map_cpu, m.map_pid, y.name, m.map_ns IS NULL, m.bounced FROM mapping AS m"
	" LEFT JOIN stack AS s ON s.id = m.map_stack_id"
	" LEFT JOIN symbol AS y ON y.id = s.site_symbol_id" LIVES " ORDER BY ts, m.id";
static const char ends_sql[] =
	"SELECT " END_NS " AS ts, ifnull(m.device_id, 0), m.id, m.kind, m.direction, m.size_bytes,"
	" m.end, m.unmap_cpu, m.unmap_pid FROM mapping AS m" LIVES " ORDER BY ts, m.id";

/*
 * Id and name of the slice. Viewers lay slices of one name out together, so the name has the
 * size as the power of two it fits into; the arguments have it exactly.
 */
static bool put_slice(FILE *out, sqlite3_stmt *stmt)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	int64_t size = sqlite3_column_int64(stmt, 5);
	const char *kind, *direction;
	size_t kind_bytes, direction_bytes;
	_cleanup_(dms_freep) char *name = NULL;
	unsigned int shift = 0;

	while (shift < 62 && (INT64_C(1) << shift) < size)
		shift++;
	kind = export_text(stmt, 3, &kind_bytes);
	direction = export_text(stmt, 4, &direction_bytes);
	fprintf(out, ",\"cat\":\"mapping\",\"id\":\"0x%" PRIx64 "\",\"name\":",
		(uint64_t)sqlite3_column_int64(stmt, 2));
	if (sqlite3_column_type(stmt, 5) == SQLITE_NULL)
		name = dms_asprintf("%.40s %.40s", kind ? kind : "?", direction ? direction : "?");
	else
		name = dms_asprintf("%.40s %.40s <= %u %s", kind ? kind : "?",
				    direction ? direction : "?", 1u << shift % 10,
				    units[shift / 10]);
	return name && export_json_string(out, name, strlen(name));
}

static bool put_begin(FILE *out, sqlite3_stmt *stmt)
{
	put_head(out, 'b', stmt);
	if (!put_slice(out, stmt) || !put_text(out, ",\"args\":{\"function\":", stmt, 9))
		return false;
	put_address(out, ",\"dma_addr\":", stmt, 6);
	put_number(out, ",\"size_bytes\":", stmt, 5);
	put_number(out, ",\"map_cpu\":", stmt, 7);
	put_number(out, ",\"map_pid\":", stmt, 8);
	if (sqlite3_column_int(stmt, 10))
		fputs(",\"before_trace\":true", out);
	if (sqlite3_column_int(stmt, 11))
		fputs(",\"bounced\":true", out);
	fputs("}}", out);
	return true;
}

static bool put_end(FILE *out, sqlite3_stmt *stmt)
{
	put_head(out, 'e', stmt);
	if (!put_slice(out, stmt) || !put_text(out, ",\"args\":{\"end\":", stmt, 6))
		return false;
	put_number(out, ",\"unmap_cpu\":", stmt, 7);
	put_number(out, ",\"unmap_pid\":", stmt, 8);
	fputs("}}", out);
	return true;
}

/* ---- findings and live bytes ------------------------------------------------------------------- */

static const char findings_sql[] =
	"SELECT ts_ns, ifnull(device_id, 0), id, rule, severity, confidence, message, dma_addr,"
	" size_bytes, mapping_id FROM finding ORDER BY ts_ns, id";

static bool put_finding(FILE *out, sqlite3_stmt *stmt)
{
	put_head(out, 'i', stmt);
	fprintf(out, ",\"s\":\"%c\",\"cat\":\"finding\"", sqlite3_column_int64(stmt, 1) ? 'p' : 'g');
	if (!put_text(out, ",\"name\":", stmt, 3) ||
	    !put_text(out, ",\"args\":{\"severity\":", stmt, 4) ||
	    !put_text(out, ",\"confidence\":", stmt, 5) || !put_text(out, ",\"message\":", stmt, 6))
		return false;
	put_number(out, ",\"finding\":", stmt, 2);
	put_address(out, ",\"dma_addr\":", stmt, 7);
	put_number(out, ",\"size_bytes\":", stmt, 8);
	put_address(out, ",\"mapping\":", stmt, 9);
	fputs("}}", out);
	return true;
}

static const char levels_sql[] =
	"SELECT start_ns, device_id, value FROM series WHERE measure = 'live_bytes'"
	" ORDER BY start_ns, device_id";

static bool put_level(FILE *out, sqlite3_stmt *stmt)
{
	put_head(out, 'C', stmt);
	fprintf(out, ",\"name\":\"live bytes\",\"args\":{\"bytes\":%" PRId64 "}}",
		(int64_t)sqlite3_column_int64(stmt, 2));
	return true;
}

/* ---- the merge --------------------------------------------------------------------------------- */

/* At the same time the first of these comes first: nothing ends before it began. */
static const struct track tracks[] = {
	{levels_sql, put_level},
	{begins_sql, put_begin},
	{findings_sql, put_finding},
	{ends_sql, put_end},
};
#define N_TRACKS DMS_ARRAY_SIZE(tracks)

static struct dms_error *advance(struct cursor *cursor)
{
	struct dms_error *err = export_step(cursor->stmt, &cursor->has_row);

	if (!err && cursor->has_row)
		cursor->ts_ns = sqlite3_column_int64(cursor->stmt, 0);
	return err;
}

static struct dms_error *open_tracks(struct sqlite3 *db, struct cursor *cursors)
{
	static const char *const keys[] = {":first_ns", ":last_ns"};
	struct dms_error *err = NULL;

	for (size_t i = 0; !err && i < N_TRACKS; i++) {
		err = export_prepare(db, tracks[i].sql, &cursors[i].stmt);
		for (size_t k = 0; !err && k < DMS_ARRAY_SIZE(keys); k++) {
			int64_t ns;
			int index = sqlite3_bind_parameter_index(cursors[i].stmt, keys[k]);

			err = export_run_i64(db, keys[k] + 1, 0, &ns);
			if (index)
				sqlite3_bind_int64(cursors[i].stmt, index, ns);
		}
		if (!err)
			err = advance(&cursors[i]);
	}
	return err;
}

static struct dms_error *merge(struct cursor *cursors, FILE *out)
{
	struct dms_error *err = NULL;

	while (!err) {
		size_t next = N_TRACKS;

		for (size_t i = 0; i < N_TRACKS; i++) {
			if (cursors[i].has_row &&
			    (next == N_TRACKS || cursors[i].ts_ns < cursors[next].ts_ns))
				next = i;
		}
		if (next == N_TRACKS)
			break;
		if (!tracks[next].put(out, cursors[next].stmt))
			err = &dms_error_nomem;
		else
			err = dms_check_written(out);
		if (!err)
			err = advance(&cursors[next]);
	}
	return err;
}

/* ---- the file ---------------------------------------------------------------------------------- */

/* Names of the processes that stand for devices. The first row, of none, begins the list. */
static struct dms_error *put_processes(struct sqlite3 *db, FILE *out)
{
	static const char sql[] =
		"SELECT 0, 0, 'no device' UNION ALL SELECT 0, id, name ||"
		" iif(generation > 1, ' #' || generation, '') || ifnull(' (' || driver || ')', '')"
		" FROM device ORDER BY 2";
	static const char event[] = "\n{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%" PRId64
				    ",\"tid\":0,\"args\":";
	sqlite3_stmt *stmt = NULL;
	bool has_row = true, is_first = true;
	struct dms_error *err = export_prepare(db, sql, &stmt);

	while (!err && !(err = export_step(stmt, &has_row)) && has_row) {
		if (!is_first)
			putc(',', out);
		is_first = false;
		fprintf(out, event, (int64_t)sqlite3_column_int64(stmt, 1));
		if (!put_text(out, "{\"name\":", stmt, 2))
			err = &dms_error_nomem;
		fputs("}}", out);
	}
	sqlite3_finalize(stmt);
	return err;
}

/* What the viewer shows of the file as a whole. */
static struct dms_error *put_metadata(struct sqlite3 *db, FILE *out)
{
	static const char sql[] = "SELECT key, value FROM run WHERE key IN ('clock', 'clock_is_ns',"
				  " 'kernel', 'first_ns', 'last_ns', 'lost_events') ORDER BY key";
	sqlite3_stmt *stmt = NULL;
	bool has_row = true;
	struct dms_error *err = export_prepare(db, sql, &stmt);

	fprintf(out, "\n],\n\"displayTimeUnit\":\"ns\",\n\"otherData\":{\"dmascope\":\"%s\"",
		DMS_VERSION);
	while (!err && !(err = export_step(stmt, &has_row)) && has_row) {
		if (!put_text(out, ",", stmt, 0) || !put_text(out, ":", stmt, 1))
			err = &dms_error_nomem;
	}
	fputs("}}\n", out);
	sqlite3_finalize(stmt);
	return err;
}

struct dms_error *dms_export_trace_json(struct sqlite3 *db, FILE *out)
{
	struct cursor cursors[N_TRACKS] = {0};
	struct dms_error *err = dms_db_need_mappings(db, "--trace-json");

	if (err)
		return err;
	fputs("{\"traceEvents\":[", out);
	err = put_processes(db, out);
	if (!err)
		err = open_tracks(db, cursors);
	if (!err)
		err = merge(cursors, out);
	for (size_t i = 0; i < N_TRACKS; i++)
		sqlite3_finalize(cursors[i].stmt);
	if (!err)
		err = put_metadata(db, out);
	return err ? err : dms_check_written(out);
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Folded stacks of all maps, the input of flame graphs: device and functions, outermost first. */
#include <inttypes.h>
#include <string.h>

#include "exports.h"

/* total() is a floating point number: sums of all the bytes of a run stay below 2^53. */
static const char maps_sql[] =
	"SELECT d.name, g.map_stack_id, g.maps, g.size_bytes FROM (SELECT device_id, map_stack_id,"
	" count(*) AS maps, CAST(total(size_bytes) AS INTEGER) AS size_bytes FROM mapping"
	" WHERE map_ns IS NOT NULL GROUP BY device_id, map_stack_id) AS g"
	" LEFT JOIN device AS d ON d.id = g.device_id"
	" ORDER BY d.name, d.generation, g.device_id, g.map_stack_id";
static const char frames_sql[] =
	"SELECT y.name, y.module, f.address FROM frame AS f LEFT JOIN symbol AS y"
	" ON y.id = f.symbol_id WHERE f.stack_id = ?1 ORDER BY f.depth DESC";

/* A name in a line of folded stacks: neither the sign between frames nor a line's end. */
static bool put_name(FILE *out, const char *name, size_t bytes)
{
	_cleanup_(dms_freep) char *harmless = dms_escape(name, bytes, DMS_ESCAPE_BYTES);

	for (const char *at = harmless; at && *at; at++) {
		if (*at == ';')
			fputs("\\x3b", out);
		else
			putc(*at, out);
	}
	return harmless != NULL;
}

static bool put_frame(FILE *out, sqlite3_stmt *frames)
{
	const char *name, *module;
	size_t name_bytes, module_bytes;

	name = export_text(frames, 0, &name_bytes);
	module = export_text(frames, 1, &module_bytes);
	putc(';', out);
	if (!name) {
		fprintf(out, "0x%" PRIx64, (uint64_t)sqlite3_column_int64(frames, 2));
		return true;
	}
	if (!put_name(out, name, name_bytes))
		return false;
	if (!module)
		return true;
	fputs(" [", out);
	if (!put_name(out, module, module_bytes))
		return false;
	putc(']', out);
	return true;
}

static struct dms_error *put_line(FILE *out, sqlite3_stmt *maps, sqlite3_stmt *frames,
				  uint64_t value)
{
	struct dms_error *err = NULL;
	bool has_row = true, has_frame = false;
	const char *device;
	size_t bytes;

	device = export_text(maps, 0, &bytes);
	if (!put_name(out, device ? device : "(no device)", device ? bytes : 11))
		return &dms_error_nomem;
	sqlite3_bind_int64(frames, 1, sqlite3_column_int64(maps, 1));
	while (!err && !(err = export_step(frames, &has_row)) && has_row) {
		has_frame = true;
		if (!put_frame(out, frames))
			err = &dms_error_nomem;
	}
	sqlite3_reset(frames);
	fprintf(out, "%s %" PRIu64 "\n", has_frame ? "" : ";(no stack)", value);
	return err;
}

struct dms_error *dms_export_folded(struct sqlite3 *db, enum dms_fold fold, FILE *out)
{
	static const int columns[] = {[DMS_FOLD_COUNT] = 2, [DMS_FOLD_BYTES] = 3};
	sqlite3_stmt *maps = NULL, *frames = NULL;
	struct dms_error *err = dms_db_need_mappings(db, "a flame graph");
	bool has_row = true;

	if (!err)
		err = export_prepare(db, maps_sql, &maps);
	if (!err)
		err = export_prepare(db, frames_sql, &frames);
	while (!err && !(err = export_step(maps, &has_row)) && has_row) {
		int64_t value = sqlite3_column_int64(maps, columns[fold]);

		if (value > 0)
			err = put_line(out, maps, frames, (uint64_t)value);
		if (!err)
			err = dms_check_written(out);
	}
	sqlite3_finalize(maps);
	sqlite3_finalize(frames);
	return err ? err : dms_check_written(out);
}

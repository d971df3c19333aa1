// SPDX-License-Identifier: LGPL-2.1-only
/* What was mapped at a time, one line each in the shape of debugfs dma-api/dump. */
#include <inttypes.h>
#include <sqlite3.h>
#include <string.h>

#include <dmascope/store.h>

#include "local.h"

/* HASH_FN_SHIFT and HASH_SIZE of kernel/dma/debug.c: "idx" is the bucket of the DMA address. */
#define BUCKET_SHIFT 13
#define BUCKET_MASK  16383
/* "cln" numbers the cache lines of 64 bytes; the trace does not know another size */
#define CACHELINE_SHIFT 6

/*
 * A life without its unmap (lost, elided, unbound) was over at ended_ns. An unmatched unmap is
 * no life. The order is that of the kernel: by bucket, then as mapped.
 */
static const char live_sql[] =
	"SELECT d.driver, d.name, m.kind, coalesce(s.dma_addr, m.dma_addr) AS dma,"
	" coalesce(s.phys_addr, m.phys_addr), coalesce(s.size_bytes, m.size_bytes), m.direction,"
	" m.attrs, m.map_ns IS NULL, m.truncated, s.number IS NULL, m.segments, m.end"
	" FROM mapping AS m LEFT JOIN device AS d ON d.id = m.device_id"
	" LEFT JOIN mapping_segment AS s ON s.mapping_id = m.id AND s.dma_addr IS NOT NULL"
	" WHERE (m.map_ns IS NULL OR m.map_ns <= ?1) AND m.end <> 'unmatched'"
	" AND coalesce(m.unmap_ns, m.ended_ns, 9223372036854775807) > ?1"
	" AND (?2 IS NULL OR d.name = ?2)"
	" ORDER BY dma IS NULL, (dma >> 13) & 16383, m.map_ns, m.id, s.number";

/* Places of the values in live_sql. */
enum live_column {
	LIVE_DRIVER,
	LIVE_DEVICE,
	LIVE_KIND,
	LIVE_DMA,
	LIVE_PHYS,
	LIVE_SIZE,
	LIVE_DIRECTION,
	LIVE_ATTRS,
	LIVE_PRE_TRACE,
	LIVE_TRUNCATED,
	LIVE_WHOLE_LIST,
	LIVE_SEGMENTS,
	LIVE_END
};

/* Our kinds in dma-debug's words. Only single mappings have an error check to forget. */
static const struct kind_words {
	const char *kind, *type;
	const char *check;
} kinds[] = {
	{"page", "single", "unknown"},
	{"resource", "resource", "unknown"},
	{"sg", "scatter-gather", "not applicable"},
	{"coherent", "coherent", "not applicable"},
	{"pages", "noncoherent", "not applicable"},
	{"noncontiguous", "scatter-gather", "not applicable"},
};

static const char *column_text(sqlite3_stmt *stmt, int index)
{
	const char *text = (const char *)sqlite3_column_text(stmt, index);

	return text ? text : "-";
}

static const struct kind_words *find_kind(const char *kind)
{
	static const struct kind_words none = {"-", "-", "unknown"};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(kinds); i++) {
		if (!strcmp(kinds[i].kind, kind))
			return &kinds[i];
	}
	return &none;
}

static bool put_name(sqlite3_stmt *stmt, int index, FILE *out)
{
	const char *text = column_text(stmt, index);
	_cleanup_(dms_freep) char *name = dms_escape(text, strlen(text), DMS_ESCAPE_TEXT);

	if (name)
		fprintf(out, "%s ", name);
	return name != NULL;
}

/* " idx N", " P=0x...", " D=...", " L=...", " cln=0x...": "-" for what is not known. */
static void put_addresses(sqlite3_stmt *stmt, FILE *out)
{
	uint64_t dma = (uint64_t)sqlite3_column_int64(stmt, LIVE_DMA);
	uint64_t phys = (uint64_t)sqlite3_column_int64(stmt, LIVE_PHYS);
	bool has_dma = sqlite3_column_type(stmt, LIVE_DMA) != SQLITE_NULL;
	bool has_phys = sqlite3_column_type(stmt, LIVE_PHYS) != SQLITE_NULL;

	if (has_dma)
		fprintf(out, " idx %" PRIu64, dma >> BUCKET_SHIFT & BUCKET_MASK);
	else
		fputs(" idx -", out);
	if (has_phys)
		fprintf(out, " P=0x%016" PRIx64, phys);
	else
		fputs(" P=-", out);
	if (has_dma)
		fprintf(out, " D=%" PRIx64, dma);
	else
		fputs(" D=-", out);
	if (sqlite3_column_type(stmt, LIVE_SIZE) != SQLITE_NULL)
		fprintf(out, " L=%" PRIx64, (uint64_t)sqlite3_column_int64(stmt, LIVE_SIZE));
	else
		fputs(" L=-", out);
	if (has_phys)
		fprintf(out, " cln=0x%016" PRIx64, phys >> CACHELINE_SHIFT);
	else
		fputs(" cln=-", out);
}

/* What the kernel's own dump never has to say, behind its words. */
static void put_remarks(sqlite3_stmt *stmt, FILE *out)
{
	sqlite3_int64 segments = sqlite3_column_int64(stmt, LIVE_SEGMENTS);

	if (sqlite3_column_int64(stmt, LIVE_ATTRS))
		fprintf(out, " attrs=0x%" PRIx64, (uint64_t)sqlite3_column_int64(stmt, LIVE_ATTRS));
	if (sqlite3_column_int(stmt, LIVE_WHOLE_LIST) && segments > 1)
		fprintf(out, " (%" PRId64 " segments)", (int64_t)segments);
	if (sqlite3_column_int(stmt, LIVE_TRUNCATED))
		fputs(" (list cut by the kernel)", out);
	if (sqlite3_column_int(stmt, LIVE_PRE_TRACE))
		fputs(" (mapped before the trace)", out);
	if (!strcmp(column_text(stmt, LIVE_END), "lost"))
		fputs(" (unmap not recorded)", out);
}

static struct dms_error *put_line(sqlite3_stmt *stmt, FILE *out)
{
	const struct kind_words *words = find_kind(column_text(stmt, LIVE_KIND));

	if (!put_name(stmt, LIVE_DRIVER, out) || !put_name(stmt, LIVE_DEVICE, out))
		return &dms_error_nomem;
	fputs(words->type, out);
	put_addresses(stmt, out);
	fprintf(out, " DMA_%s dma map error check %s", column_text(stmt, LIVE_DIRECTION),
		words->check);
	put_remarks(stmt, out);
	fputc('\n', out);
	return dms_check_written(out);
}

static struct dms_error *check_device(struct sqlite3 *db, const char *device)
{
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err = NULL;
	int rc = sqlite3_prepare_v2(db, "SELECT 1 FROM device WHERE name = ?1", -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(stmt, 1, device, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_DONE)
		err = dms_unknown_name(db, DMS_ERROR_USAGE, false, device);
	else if (rc != SQLITE_ROW)
		err = dms_read_error(db, "looking for the device");
	sqlite3_finalize(stmt);
	return err;
}

static struct dms_error *put_lines(struct sqlite3 *db, sqlite3_stmt *stmt, FILE *out)
{
	struct dms_error *err = NULL;
	int rc;

	while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		err = put_line(stmt, out);
	if (!err && rc != SQLITE_DONE)
		err = dms_read_error(db, "reading mappings");
	return err;
}

struct dms_error *dms_live_print(struct sqlite3 *db, uint64_t ts, const char *device, FILE *out)
{
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err = dms_db_need_mappings(db, "live");

	if (err || (device && (err = check_device(db, device))))
		return err;
	if (ts >= INT64_MAX)
		ts = INT64_MAX - 1; /* one less than "never" in live_sql */
	if (sqlite3_prepare_v2(db, live_sql, -1, &stmt, NULL) != SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 1, (sqlite3_int64)ts) != SQLITE_OK ||
	    sqlite3_bind_text(stmt, 2, device, -1, SQLITE_STATIC) != SQLITE_OK)
		err = dms_read_error(db, "reading mappings");
	else
		err = put_lines(db, stmt, out);
	sqlite3_finalize(stmt);
	return err;
}

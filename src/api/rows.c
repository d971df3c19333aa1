// SPDX-License-Identifier: LGPL-2.1-only
/* Run databases, row by row: mappings, findings, and the frames of call stacks. */
#include <sqlite3.h>
#include <string.h>

#include <dmascope/store.h>

#include "local.h"

static struct dms_error *prepare(struct sqlite3 *connection, const char *sql, sqlite3_stmt **ret)
{
	if (sqlite3_prepare_v2(connection, sql, -1, ret, NULL))
		return dms_db_error(connection, "reading the database");
	return NULL;
}

/* *@ret: there is a row. */
static struct dms_error *step(sqlite3_stmt *statement, bool *ret)
{
	int rc = sqlite3_step(statement);

	*ret = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return NULL;
	return dms_db_error(sqlite3_db_handle(statement), "reading the database");
}

/* ---- columns ---------------------------------------------------------------------------------- */

static uint64_t number(sqlite3_stmt *row, int column)
{
	if (sqlite3_column_type(row, column) == SQLITE_NULL)
		return DMASCOPE_UNKNOWN;
	return (uint64_t)sqlite3_column_int64(row, column);
}

static uint32_t small(sqlite3_stmt *row, int column)
{
	if (sqlite3_column_type(row, column) == SQLITE_NULL)
		return DMASCOPE_UNKNOWN32;
	return (uint32_t)sqlite3_column_int64(row, column);
}

/* NULL is 0: there is no row of that number. */
static uint64_t id(sqlite3_stmt *row, int column)
{
	return (uint64_t)sqlite3_column_int64(row, column);
}

static const char *text(sqlite3_stmt *row, int column)
{
	return (const char *)sqlite3_column_text(row, column);
}

/* What is never NULL in a database that we wrote; the file may come from anybody. */
static const char *word(sqlite3_stmt *row, int column)
{
	const char *value = text(row, column);

	return value ? value : "";
}

/* ---- cursors ---------------------------------------------------------------------------------- */

/** What each kind of rows has first: a struct dmascope_mappings * is one of these, too. */
struct cursor {
	sqlite3_stmt *statement;
	bool is_over;
};

struct dmascope_mappings {
	struct cursor cursor;
	struct dmascope_mapping row;
};

struct dmascope_findings {
	struct cursor cursor;
	struct dmascope_finding row;
};

struct dmascope_frames {
	struct cursor cursor;
	struct dmascope_frame row;
};

/* ?1 to ?6 are struct dmascope_query's, ?7 and ?8 what the program has numbers for. */
static const char mapping_sql[] =
	"SELECT m.id, d.name, d.driver, d.generation, m.kind, m.direction, m.end,"
	" CASE m.confidence WHEN 'certain' THEN 2 WHEN 'likely' THEN 1 ELSE 0 END, m.reason,"
	" m.dma_addr, m.phys_addr, m.virt_addr, m.size_bytes, m.attrs, m.segments, m.entries,"
	" m.map_ns, m.unmap_ns, m.ended_ns, m.map_cpu, m.unmap_cpu, m.map_pid, m.unmap_pid,"
	" m.map_stack_id, m.unmap_stack_id, m.syncs_for_cpu, m.syncs_for_device, m.truncated,"
	" m.bounced FROM mapping AS m LEFT JOIN device AS d ON d.id = m.device_id"
	" WHERE m.id >= ?1 AND (?2 IS NULL OR d.name = ?2) AND (?3 IS NULL OR d.driver = ?3)"
	" AND (?4 IS NULL OR m.end = ?4) ORDER BY m.id";
static const char finding_sql[] =
	"SELECT f.id, f.rule, CASE f.severity WHEN 'error' THEN 2 WHEN 'warning' THEN 1 ELSE 0 END"
	" AS grade, CASE f.confidence WHEN 'certain' THEN 2 WHEN 'likely' THEN 1 ELSE 0 END,"
	" f.reason, d.name, d.driver, f.message, f.facts, f.fingerprint, f.mapping_id, f.ts_ns,"
	" f.dma_addr, f.size_bytes, f.cpu, f.pid, f.stack_id"
	" FROM finding AS f LEFT JOIN device AS d ON d.id = f.device_id"
	" WHERE f.id >= ?1 AND (?2 IS NULL OR d.name = ?2) AND (?3 IS NULL OR d.driver = ?3)"
	" AND (?4 IS NULL OR f.rule = ?4) AND grade >= ?5 ORDER BY f.id";
static const char frame_sql[] =
	"SELECT f.address, s.name, s.module, f.offset_bytes FROM frame AS f"
	" LEFT JOIN symbol AS s ON s.id = f.symbol_id WHERE f.stack_id = ?1 ORDER BY f.depth";

_Static_assert(DMASCOPE_CERTAIN == 2 && DMASCOPE_ERROR == 2, "as the statements have it");

/* False: memory is short, and without its copy the statement would let all rows through. */
static bool bind(sqlite3_stmt *statement, int place, const char *value)
{
	return sqlite3_bind_text(statement, place, value, -1, SQLITE_TRANSIENT) == SQLITE_OK;
}

/* @word: the fourth parameter. */
static bool bind_words(sqlite3_stmt *statement, const struct dmascope_query *query,
		       const char *word)
{
	return sqlite3_bind_parameter_count(statement) < 4 ||
	       (bind(statement, 2, query->device) && bind(statement, 3, query->driver) &&
		bind(statement, 4, word));
}

/* A cursor of @bytes over the rows of @sql. */
static struct dms_error *open_cursor(struct dmascope_db *db, size_t bytes, const char *sql,
				     const struct dmascope_query *query, void **ret)
{
	struct cursor *cursor = dms_zalloc(bytes);
	struct dms_error *err =
		cursor ? prepare(api_connection(db), sql, &cursor->statement) : &dms_error_nomem;

	if (!err && !bind_words(cursor->statement, query,
				sql == mapping_sql ? query->end : query->rule)) {
		sqlite3_finalize(cursor->statement);
		err = &dms_error_nomem;
	}
	if (err) {
		dms_free(cursor);
		return err;
	}
	sqlite3_bind_int64(cursor->statement, 1, (sqlite3_int64)query->from_id);
	if (sql == finding_sql)
		sqlite3_bind_int(cursor->statement, 5, (int)query->min_severity);
	*ret = cursor;
	return NULL;
}

static void close_cursor(struct cursor *cursor)
{
	if (!cursor)
		return;
	sqlite3_finalize(cursor->statement);
	dms_free(cursor);
}

/*
 * The statement of @cursor with its next row; NULL: there is none, or *@ret is why. @is_given: the
 * caller of @function gave what else it needs. Behind the end SQLite would begin anew.
 */
static sqlite3_stmt *next(const char *function, bool is_given, struct cursor *cursor,
			  struct dmascope_error **ret)
{
	struct dms_error *err;
	bool has_row = false;

	*ret = api_need(function, is_given && cursor);
	if (*ret || cursor->is_over)
		return NULL;
	err = step(cursor->statement, &has_row);
	cursor->is_over = err || !has_row;
	*ret = api_error(err);
	return has_row ? cursor->statement : NULL;
}

/* Words that are no rule and no end would find nothing, and look like health. */
static struct dmascope_error *check_query(const struct dmascope_query *query)
{
	bool is_end = !query->end;

	for (int i = 0; i < DMS_N_ENDS; i++)
		is_end = is_end || !strcmp(query->end, dms_end_name((enum dms_end)i));
	if (!is_end)
		return api_usage("no mapping ends as '%s'", query->end);
	if (query->rule && !dms_rule_find(query->rule))
		return api_error(dms_rule_unknown(query->rule));
	if ((unsigned int)query->min_severity > DMASCOPE_ERROR)
		return api_usage("no severity is %d", (int)query->min_severity);
	if (query->from_id > INT64_MAX)
		return api_usage("no row has so great an id");
	return NULL;
}

/* What an _open() of rows begins with: @is_given, of its pointers; @query copied to @own. */
static struct dmascope_error *begin(const char *function, bool is_given,
				    const struct dmascope_query *query, struct dmascope_query *own)
{
	struct dmascope_error *error = api_need(function, is_given);

	if (!error)
		error = api_copy(own, sizeof(*own), query, "dmascope_query");
	return error ? error : check_query(own);
}

/* ---- mappings --------------------------------------------------------------------------------- */

struct dmascope_error *dmascope_mappings_open(struct dmascope_db *db,
					      const struct dmascope_query *query,
					      struct dmascope_mappings **ret)
{
	struct dmascope_query own;
	struct dmascope_error *error = begin(__func__, db && ret, query, &own);
	struct dms_error *err;
	void *cursor;

	if (ret)
		*ret = NULL;
	if (error)
		return error;
	err = dms_db_need_mappings(api_connection(db), "dmascope_mappings_open()");
	if (!err)
		err = open_cursor(db, sizeof(**ret), mapping_sql, &own, &cursor);
	if (!err)
		*ret = cursor;
	return api_error(err);
}

struct dmascope_error *dmascope_mappings_next(struct dmascope_mappings *mappings,
					      const struct dmascope_mapping **ret)
{
	struct dmascope_error *error;
	sqlite3_stmt *row = next(__func__, ret, (struct cursor *)mappings, &error);

	if (ret)
		*ret = row ? &mappings->row : NULL;
	if (!row)
		return error;
	mappings->row = (struct dmascope_mapping){
		.id = id(row, 0),
		.device = text(row, 1),
		.driver = text(row, 2),
		.generation = (uint32_t)id(row, 3),
		.kind = word(row, 4),
		.direction = word(row, 5),
		.end = word(row, 6),
		.confidence = (enum dmascope_confidence)id(row, 7),
		.reason = text(row, 8),
		.dma_addr = number(row, 9),
		.phys_addr = number(row, 10),
		.virt_addr = number(row, 11),
		.size_bytes = number(row, 12),
		.attrs = number(row, 13),
		.segments = number(row, 14),
		.entries = number(row, 15),
		.map_ns = number(row, 16),
		.unmap_ns = number(row, 17),
		.ended_ns = number(row, 18),
		.map_cpu = small(row, 19),
		.unmap_cpu = small(row, 20),
		.map_pid = small(row, 21),
		.unmap_pid = small(row, 22),
		.map_stack_id = id(row, 23),
		.unmap_stack_id = id(row, 24),
		.syncs_for_cpu = id(row, 25),
		.syncs_for_device = id(row, 26),
		.is_truncated = id(row, 27),
		.is_bounced = id(row, 28),
	};
	return NULL;
}

void dmascope_mappings_close(struct dmascope_mappings *mappings)
{
	close_cursor((struct cursor *)mappings);
}

/* ---- findings --------------------------------------------------------------------------------- */

struct dmascope_error *dmascope_findings_open(struct dmascope_db *db,
					      const struct dmascope_query *query,
					      struct dmascope_findings **ret)
{
	struct dmascope_query own;
	struct dmascope_error *error = begin(__func__, db && ret, query, &own);
	struct dms_error *err;
	void *cursor;

	if (ret)
		*ret = NULL;
	if (error)
		return error;
	err = open_cursor(db, sizeof(**ret), finding_sql, &own, &cursor);
	if (!err)
		*ret = cursor;
	return api_error(err);
}

struct dmascope_error *dmascope_findings_next(struct dmascope_findings *findings,
					      const struct dmascope_finding **ret)
{
	struct dmascope_error *error;
	sqlite3_stmt *row = next(__func__, ret, (struct cursor *)findings, &error);

	if (ret)
		*ret = row ? &findings->row : NULL;
	if (!row)
		return error;
	findings->row = (struct dmascope_finding){
		.id = id(row, 0),
		.rule = word(row, 1),
		.severity = (enum dmascope_severity)id(row, 2),
		.confidence = (enum dmascope_confidence)id(row, 3),
		.reason = text(row, 4),
		.device = text(row, 5),
		.driver = text(row, 6),
		.message = word(row, 7),
		.facts = word(row, 8),
		.fingerprint = word(row, 9),
		.mapping_id = id(row, 10),
		.ts_ns = number(row, 11),
		.dma_addr = id(row, 12),
		.size_bytes = id(row, 13),
		.cpu = small(row, 14),
		.pid = small(row, 15),
		.stack_id = id(row, 16),
	};
	return NULL;
}

void dmascope_findings_close(struct dmascope_findings *findings)
{
	close_cursor((struct cursor *)findings);
}

/* ---- frames ----------------------------------------------------------------------------------- */

struct dmascope_error *dmascope_frames_open(struct dmascope_db *db, uint64_t stack_id,
					    struct dmascope_frames **ret)
{
	const struct dmascope_query query = {.from_id = stack_id};
	struct dmascope_error *error = api_need(__func__, db && ret);
	struct dms_error *err;
	void *cursor;

	if (ret)
		*ret = NULL;
	if (error)
		return error;
	err = open_cursor(db, sizeof(**ret), frame_sql, &query, &cursor);
	if (!err)
		*ret = cursor;
	return api_error(err);
}

struct dmascope_error *dmascope_frames_next(struct dmascope_frames *frames,
					    const struct dmascope_frame **ret)
{
	struct dmascope_error *error;
	sqlite3_stmt *row = next(__func__, ret, (struct cursor *)frames, &error);

	if (ret)
		*ret = row ? &frames->row : NULL;
	if (!row)
		return error;
	frames->row = (struct dmascope_frame){
		.address = number(row, 0),
		.function = text(row, 1),
		.module = text(row, 2),
		.offset_bytes = number(row, 3),
	};
	return NULL;
}

void dmascope_frames_close(struct dmascope_frames *frames)
{
	close_cursor((struct cursor *)frames);
}

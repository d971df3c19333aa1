// SPDX-License-Identifier: LGPL-2.1-only
/* A part of a run: temporary views that hide from every reader what was not asked for. */
#include <sqlite3.h>
#include <string.h>

#include "exports.h"
#include "window.h"

#define IS_ASKED(column)                                                                           \
	"(" column " IN (SELECT id FROM temp.asked_device)"                                        \
	" OR (" column " IS NULL AND NOT EXISTS (SELECT 1 FROM temp.asked_name)))"
#define SINCE "(SELECT since_ns FROM temp.asked_time)"
#define UNTIL "(SELECT until_ns FROM temp.asked_time)"
#define NAMES "(SELECT name FROM temp.asked_name WHERE is_driver = "

/*
 * No PRAGMA temp_store = MEMORY, neither here nor by later readers: sorting a run for an export
 * would take memory without end, and a change of it drops these tables.
 */
static const char tables_sql[] =
	"CREATE TEMP TABLE asked_name (is_driver INTEGER NOT NULL, name TEXT NOT NULL);"
	"CREATE TEMP TABLE asked_time (since_ns INTEGER NOT NULL, until_ns INTEGER NOT NULL);";

/* A view of schema temp is found before the table of the same name in the file. */
static const char views_sql[] =
	"CREATE TEMP TABLE asked_device AS SELECT id FROM main.device WHERE"
	" (name IN " NAMES "0) OR NOT EXISTS " NAMES "0))"
	" AND (driver IN " NAMES "1) OR NOT EXISTS " NAMES "1));"
	"CREATE TEMP VIEW device AS SELECT * FROM main.device WHERE " IS_ASKED("id") ";"
	"CREATE TEMP VIEW finding AS SELECT * FROM main.finding WHERE " IS_ASKED("device_id")
	" AND ts_ns BETWEEN " SINCE " AND " UNTIL ";"
	"CREATE TEMP VIEW event AS SELECT * FROM main.event WHERE " IS_ASKED("device_id")
	" AND ts_ns BETWEEN " SINCE " AND " UNTIL ";"
	"CREATE TEMP VIEW series AS SELECT * FROM main.series WHERE " IS_ASKED("device_id")
	" AND start_ns + length_ns > " SINCE " AND start_ns <= " UNTIL ";"
	"CREATE TEMP VIEW gap AS SELECT * FROM main.gap WHERE coalesce(before_ns >= " SINCE ", 1)"
	" AND coalesce(after_ns <= " UNTIL ", 1);"
	"CREATE TEMP VIEW mapping AS SELECT * FROM main.mapping WHERE " IS_ASKED("device_id")
	/* a life without a map is older than the trace; an unmatched unmap is no life */
	" AND coalesce(map_ns, iif(end = 'unmatched', unmap_ns, NULL), 0) <= " UNTIL
	" AND coalesce(unmap_ns, ended_ns, " UNTIL ") >= " SINCE ";";

/* What the run has counted of the devices asked for; a part of the time is counted anew. */
static const char counted_sql[] =
	"CREATE TEMP VIEW device_counter AS SELECT * FROM main.device_counter WHERE "
	IS_ASKED("device_id") ";"
	"CREATE TEMP VIEW histogram AS SELECT * FROM main.histogram WHERE " IS_ASKED("device_id") ";"
	"CREATE TEMP VIEW distribution AS SELECT * FROM main.distribution WHERE "
	IS_ASKED("device_id") ";"
	"CREATE TEMP VIEW breakdown AS SELECT * FROM main.breakdown WHERE " IS_ASKED("device_id") ";"
	"CREATE TEMP VIEW call_site AS SELECT * FROM main.call_site WHERE " IS_ASKED("device_id") ";"
	"CREATE TEMP VIEW call_site_lifetime AS SELECT * FROM main.call_site_lifetime"
	" WHERE call_site_id IN (SELECT id FROM temp.call_site);"
	"CREATE TEMP VIEW finding_group AS SELECT * FROM main.finding_group WHERE "
	IS_ASKED("device_id") ";"
	"CREATE TEMP VIEW not_judged AS SELECT * FROM main.not_judged WHERE device_id IS NULL OR "
	IS_ASKED("device_id") ";";

static const char is_known_sql[] =
	"SELECT 1 FROM main.device WHERE iif(?1, driver, name) = ?2 LIMIT 1";
static const char known_sql[] = "SELECT DISTINCT iif(?1, driver, name) FROM main.device"
				" WHERE iif(?1, driver, name) IS NOT NULL ORDER BY 1";
static const char name_sql[] = "INSERT INTO temp.asked_name VALUES (?1, ?2)";
static const char time_sql[] = "INSERT INTO temp.asked_time VALUES (?1, ?2)";

static struct dms_error *execute(struct sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return NULL;
	return dms_read_error(db, "choosing what to report");
}

/* Run @sql with a flag and a name; *@ret: it gave a row. */
static struct dms_error *ask(struct sqlite3 *db, const char *sql, bool is_driver, const char *name,
			     bool *ret)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int(stmt, 1, is_driver);
		sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC);
		rc = sqlite3_step(stmt);
	}
	*ret = rc == SQLITE_ROW;
	sqlite3_finalize(stmt);
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return NULL;
	return dms_read_error(db, "choosing what to report");
}

#define KNOWN_BYTES 200 /* of names that are told when one is not known */

struct dms_error *dms_unknown_name(struct sqlite3 *db, enum dms_error_code code, bool is_driver,
				   const char *name)
{
	const char *option = is_driver ? "driver" : "device";
	struct dms_nearest nearest = dms_nearest_to(name, strlen(name));
	char known[KNOWN_BYTES] = "", near[64] = "";
	sqlite3_stmt *stmt = NULL;
	size_t used = 0;

	if (sqlite3_prepare_v2(db, known_sql, -1, &stmt, NULL) == SQLITE_OK)
		sqlite3_bind_int(stmt, 1, is_driver);
	while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(stmt, 0);

		nearest.word = NULL;
		if (text)
			dms_nearest_try(&nearest, text);
		if (nearest.word)
			snprintf(near, sizeof(near), "%s", text);
		if (text && used < sizeof(known))
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
						 used ? ", " : "", text);
	}
	sqlite3_finalize(stmt);
	if (used >= sizeof(known))
		strcpy(known + sizeof(known) - 4, "...");
	if (near[0])
		return dms_error_new(code, "--%s %s: none in this run, did you mean '%s'?", option, name,
				     near);
	return dms_error_new(code, "--%s %s: none in this run%s%s", option, name,
			     used ? "; it has " : is_driver ? "; no driver is known" : "", known);
}

/* A name that fits no device would make a clean bill out of a typo. */
static struct dms_error *add_names(struct sqlite3 *db, const char *const *names, size_t n_names,
				   bool is_driver)
{
	struct dms_error *err;
	bool is_known;

	for (size_t i = 0; i < n_names; i++) {
		if ((err = ask(db, is_known_sql, is_driver, names[i], &is_known)))
			return err;
		if (!is_known)
			return dms_unknown_name(db, DMS_ERROR_INPUT, is_driver, names[i]);
		if ((err = ask(db, name_sql, is_driver, names[i], &is_known)))
			return err;
	}
	return NULL;
}

/* Times beyond SQLite's integers are beyond every trace. */
static struct dms_error *add_times(struct sqlite3 *db, const struct dms_selection *selection)
{
	uint64_t times[] = {selection->since_ts, selection->until_ts};
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, time_sql, -1, &stmt, NULL);

	for (int i = 0; rc == SQLITE_OK && i < 2; i++)
		rc = sqlite3_bind_int64(stmt, i + 1,
					times[i] > INT64_MAX ? INT64_MAX : (sqlite3_int64)times[i]);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? NULL : dms_read_error(db, "choosing what to report");
}

struct dms_error *dms_select(struct sqlite3 *db, const struct dms_selection *selection)
{
	struct dms_error *err;
	bool has_window;

	if (!selection->n_devices && !selection->n_drivers && !selection->since_ts &&
	    selection->until_ts == UINT64_MAX)
		return NULL;
	has_window = selection->since_ts || selection->until_ts != UINT64_MAX;
	if ((err = execute(db, "DROP TABLE IF EXISTS temp.device_distributions")) ||
	    (err = execute(db, tables_sql)) ||
	    (err = add_names(db, selection->devices, selection->n_devices, false)) ||
	    (err = add_names(db, selection->drivers, selection->n_drivers, true)) ||
	    (err = add_times(db, selection)))
		return err;
	if (!(err = execute(db, views_sql)))
		err = has_window ? window_count(db) : execute(db, counted_sql);
	return err ? err : export_views(db);
}

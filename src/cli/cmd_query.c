// SPDX-License-Identifier: GPL-2.0-only
/* `dmascope query`: SQL, or a query that comes with us, on the database of a run. */
#include <sqlite3.h>
#include <string.h>

#include <dmascope/report.h>
#include <dmascope/store.h>

#include "cli.h"

/* The queries as a table in memory, so that the list is printed in every format there is. */
static struct dms_error *fill_list(struct sqlite3 *db)
{
	sqlite3_stmt *stmt = NULL;
	int rc;

	rc = sqlite3_exec(db, "CREATE TABLE query(name TEXT, title TEXT)", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, "INSERT INTO query VALUES (?1, ?2)", -1, &stmt, NULL);
	for (size_t i = 0; rc == SQLITE_OK && i < dms_n_named_queries; i++) {
		sqlite3_bind_text(stmt, 1, dms_named_queries[i].name, -1, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 2, dms_named_queries[i].title, -1, SQLITE_STATIC);
		sqlite3_step(stmt);
		rc = sqlite3_reset(stmt);
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_OK ? NULL : dms_db_error(db, "listing the queries");
}

static struct dms_error *list_queries(enum dms_output format)
{
	struct sqlite3 *db = NULL;
	struct dms_error *err;

	if (sqlite3_open(":memory:", &db) != SQLITE_OK)
		err = &dms_error_nomem;
	else
		err = fill_list(db);
	if (!err)
		err = dms_query_print(db, "SELECT name, title FROM query ORDER BY name", format,
				      stdout);
	dms_db_close(db);
	return err;
}

/* Rows that were never stored are not rows that are not there. */
static void warn_of_missing_rows(struct sqlite3 *db)
{
	struct dms_error *err = dms_db_need_mappings(db, "a query of mapping or event");

	if (err)
		dms_log(DMS_LOG_WARN, "%s", dms_error_message(err));
	dms_error_free(err);
}

static struct dms_error *find_query(const char *name, const char **ret)
{
	struct dms_nearest nearest = dms_nearest_to(name, strlen(name));

	for (size_t i = 0; i < dms_n_named_queries; i++) {
		if (!strcmp(dms_named_queries[i].name, name)) {
			*ret = dms_named_queries[i].sql;
			return NULL;
		}
		dms_nearest_try(&nearest, dms_named_queries[i].name);
	}
	if (nearest.word)
		return dms_error_new(DMS_ERROR_USAGE, "no query '%s', did you mean '%s'?", name,
				     nearest.word);
	return dms_error_new(DMS_ERROR_USAGE, "no query '%s'; see 'dmascope query --list'", name);
}

/* What the rows cannot say: exactly one of SQL and --name, and a database. */
static struct dms_error *check_usage(const struct dms_call *call)
{
	const struct dms_query_args *args = call->args;
	size_t wanted = args->name ? 1 : 2;

	if (args->list) {
		if (args->name || call->n_operands > 1) /* a database is harmless: all have them */
			return dms_error_new(DMS_ERROR_USAGE, "query: --list takes no query");
		return NULL;
	}
	if (!call->n_operands)
		return dms_error_new(DMS_ERROR_USAGE, "query: which database? see --help");
	if (call->n_operands < wanted)
		return dms_error_new(DMS_ERROR_USAGE, "query: give SQL, or --name QUERY");
	if (call->n_operands > wanted)
		return dms_error_new(DMS_ERROR_USAGE, "query: SQL or --name, not both");
	return NULL;
}

struct dms_error *dms_cmd_query(const struct dms_call *call, enum dms_exit *ret)
{
	const struct dms_query_args *args = call->args;
	struct sqlite3 *db = NULL;
	struct dms_error *err;
	const char *sql;

	(void)ret;
	if ((err = check_usage(call)))
		return err;
	if (args->list)
		return list_queries((enum dms_output)args->format);
	sql = call->operands[call->n_operands - 1];
	if (args->name && (err = find_query(args->name, &sql)))
		return err;
	if ((err = dms_db_open(call->operands[0], false, &db)))
		return err;
	warn_of_missing_rows(db);
	err = dms_query_print(db, sql, (enum dms_output)args->format, stdout);
	dms_db_close(db);
	return err;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Runs on their way into the fleet: table by table, in batches, the row that makes them count last.
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/store.h>

#include "local.h"

/* A batch is one part of a table for the server to write and merge: few and large ones are best,
 * and this is what memory holds here and there. */
#define BATCH_BYTES (16u << 20)

/** Runs being pushed. */
struct push {
	struct dms_fleet *fleet; /* NULL: count only */
	const struct fleet_table *table;
	struct fleet_bytes batch;
	struct dms_fleet_count count; /* of @table; batch included when it is sent */
};

static struct dms_error *send_batch(struct push *push)
{
	_cleanup_(dms_freep) char *sql = NULL, *doing = NULL;
	struct fleet_bytes columns = {0};
	struct fleet_request request;
	struct dms_error *err;
	bool is_made = true;

	if (!push->batch.n)
		return NULL;
	push->count.bytes += push->batch.n;
	push->count.inserts++;
	/* by name: a later release may have columns that this program does not know */
	for (size_t i = 0; is_made && i < push->table->n_columns; i++)
		is_made = fleet_bytes_print(&columns, "%s%s", i ? ", " : "",
					    push->table->columns[i].name);
	if (is_made) {
		sql = dms_asprintf("INSERT INTO %s (%.*s) FORMAT RowBinary", push->table->name,
				   (int)columns.n, (const char *)columns.data);
		doing = dms_asprintf("inserting into %s", push->table->name);
	}
	dms_free(columns.data);
	if (!sql || !doing)
		return &dms_error_nomem;
	request = (struct fleet_request){
		.doing = doing, .sql = sql, .body = push->batch.data, .body_bytes = push->batch.n};
	err = push->fleet ? fleet_send(push->fleet, &request, NULL) : NULL;
	push->batch.n = 0;
	return err;
}

static void bind(sqlite3_stmt *stmt, const struct dms_fleet_run *run)
{
	sqlite3_bind_blob(stmt, sqlite3_bind_parameter_index(stmt, ":run_id"), run->id,
			  DMS_RUN_ID_BYTES, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, sqlite3_bind_parameter_index(stmt, ":capture"), run->capture,
			  DMS_RUN_ID_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, sqlite3_bind_parameter_index(stmt, ":taken"), run->taken_s);
	sqlite3_bind_text(stmt, sqlite3_bind_parameter_index(stmt, ":host"), run->host, -1,
			  SQLITE_STATIC);
	sqlite3_bind_text(stmt, sqlite3_bind_parameter_index(stmt, ":build"), run->build, -1,
			  SQLITE_STATIC);
	sqlite3_bind_text(stmt, sqlite3_bind_parameter_index(stmt, ":release"), run->release, -1,
			  SQLITE_STATIC);
	sqlite3_bind_int(stmt, sqlite3_bind_parameter_index(stmt, ":mappings"),
			 !fleet_is_without(run, "mappings"));
	sqlite3_bind_int(stmt, sqlite3_bind_parameter_index(stmt, ":finding_groups"),
			 !fleet_is_without(run, "finding_groups"));
}

static struct dms_error *bad_database(const struct push *push, const struct dms_fleet_run *run)
{
	_cleanup_(dms_freep) char *doing =
		dms_asprintf("%s: reading rows for %s", run->path, push->table->name);

	return doing ? fleet_read_error(run->db, doing) : &dms_error_nomem;
}

static struct dms_error *push_rows(struct push *push, const struct dms_fleet_run *run,
				   sqlite3_stmt *stmt)
{
	struct dms_error *err = fleet_row_check(stmt, push->table);

	while (!err && sqlite3_step(stmt) == SQLITE_ROW) {
		err = fleet_row_add(&push->batch, stmt, push->table);
		if (err)
			return dms_error_wrap(err, "%s", run->path);
		push->count.rows++;
		if (push->batch.n >= BATCH_BYTES) /* rows of several runs: its error names none */
			err = send_batch(push);
	}
	if (!err && sqlite3_reset(stmt) != SQLITE_OK)
		err = bad_database(push, run);
	return err;
}

static struct dms_error *push_run(struct push *push, const struct dms_fleet_run *run)
{
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err;

	if (sqlite3_prepare_v2(run->db, push->table->select, -1, &stmt, NULL) != SQLITE_OK) {
		err = bad_database(push, run);
	} else {
		bind(stmt, run);
		err = push_rows(push, run, stmt);
	}
	sqlite3_finalize(stmt);
	return err;
}

static struct dms_error *push_table(struct push *push, const struct dms_fleet_run *runs,
				    size_t n_runs)
{
	struct dms_error *err = NULL;

	push->count = (struct dms_fleet_count){.table = push->table->name};
	for (size_t i = 0; !err && i < n_runs; i++) {
		if (!runs[i].was_there && !fleet_is_without(&runs[i], push->table->name))
			err = push_run(push, &runs[i]);
	}
	return err ? err : send_batch(push);
}

/* Which of @runs are in the fleet, and not behind a later analysis of the same capture. */
static struct dms_error *ask_server(struct dms_fleet *fleet, struct dms_fleet_run *runs,
				    size_t n_runs)
{
	struct fleet_request request = {.doing = "asking for runs", .is_read_only = true};
	struct fleet_bytes sql = {0}, answer = {0};
	char text[FLEET_ID_TEXT];
	struct dms_error *err = &dms_error_nomem;
	bool is_made = fleet_bytes_print(
		&sql, "SELECT lower(hex(run_id)) FROM runs FINAL WHERE run_id IN (");

	for (size_t i = 0; is_made && i < n_runs; i++)
		is_made = fleet_bytes_print(&sql, "%sunhex('%s')", i ? ", " : "",
					    fleet_id_text(runs[i].id, text));
	if (is_made && fleet_bytes_print(&sql, ") FORMAT TabSeparated") &&
	    fleet_bytes_add(&sql, "", 1)) {
		request.sql = (const char *)sql.data;
		err = fleet_send(fleet, &request, &answer);
	}
	for (size_t i = 0; !err && i < n_runs; i++) {
		fleet_id_text(runs[i].id, text);
		runs[i].was_there = answer.n && memmem(answer.data, answer.n, text, strlen(text));
	}
	dms_free(sql.data);
	dms_free(answer.data);
	return err;
}

struct dms_error *dms_fleet_push(struct dms_fleet *fleet, struct dms_fleet_run *runs, size_t n_runs,
				 dms_fleet_count_fn take, void *context)
{
	struct push push = {.fleet = fleet};
	struct dms_error *err = fleet ? ask_server(fleet, runs, n_runs) : NULL;

	for (size_t i = 0; !err && i < fleet_n_tables; i++) {
		push.table = &fleet_tables[i];
		err = push_table(&push, runs, n_runs);
		if (!err && take)
			take(context, &push.count);
	}
	dms_free(push.batch.data);
	return err;
}

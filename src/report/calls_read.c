// SPDX-License-Identifier: LGPL-2.1-only
/* The tasks and call stacks of a finding's calls, read out of a database. */
#include <sqlite3.h>
#include <string.h>

#include "local.h"

/** What is read with, and where it is kept. */
struct reader {
	struct sqlite3 *db;
	struct dms_arena *arena;
	sqlite3_stmt *task, *frames;
};

static bool keep_text(struct reader *reader, sqlite3_stmt *stmt, int index, const char **ret)
{
	const char *text = (const char *)sqlite3_column_text(stmt, index);
	char *copy = text ? dms_arena_alloc(reader->arena, strlen(text) + 1) : NULL;

	*ret = copy ? strcpy(copy, text) : NULL;
	return copy || !text;
}

static struct dms_error *read_comm(struct reader *reader, struct dms_call_summary *call)
{
	struct dms_error *err = NULL;
	int rc;

	if (!call->has_task)
		return NULL;
	sqlite3_bind_int64(reader->task, 1, call->pid);
	rc = sqlite3_step(reader->task);
	if (rc == SQLITE_ROW && !keep_text(reader, reader->task, 0, &call->comm))
		err = &dms_error_nomem;
	else if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		err = dms_read_error(reader->db, "reading tasks");
	sqlite3_reset(reader->task);
	return err;
}

static bool read_frame(struct reader *reader, struct dms_frame_summary *ret)
{
	sqlite3_stmt *stmt = reader->frames;

	ret->address = (uint64_t)sqlite3_column_int64(stmt, 0);
	ret->offset = sqlite3_column_type(stmt, 1) == SQLITE_NULL
			      ? UINT64_MAX
			      : (uint64_t)sqlite3_column_int64(stmt, 1);
	return keep_text(reader, stmt, 2, &ret->function) &&
	       keep_text(reader, stmt, 3, &ret->module);
}

/* The number of frames stands in each of their rows. */
static struct dms_error *read_frames(struct reader *reader, struct dms_call_summary *call)
{
	struct dms_frame_summary *frames = NULL;
	struct dms_error *err = NULL;
	size_t room = 0;
	int rc;

	sqlite3_bind_int64(reader->frames, 1, (sqlite3_int64)call->stack_id);
	while (!err && (rc = sqlite3_step(reader->frames)) == SQLITE_ROW) {
		if (!frames) {
			room = (size_t)sqlite3_column_int64(reader->frames, 4);
			frames = dms_arena_alloc(reader->arena, room * sizeof(*frames) + 1);
		}
		if (!frames || call->n_frames >= room ||
		    !read_frame(reader, &frames[call->n_frames]))
			err = &dms_error_nomem;
		else
			call->n_frames++;
	}
	if (!err && rc != SQLITE_DONE)
		err = dms_read_error(reader->db, "reading call stacks");
	call->frames = frames;
	sqlite3_reset(reader->frames);
	return err;
}

static struct dms_error *name_all(struct reader *reader, struct dms_finding_summary *findings,
				  size_t n_findings)
{
	struct dms_error *err = NULL;

	for (size_t i = 0; i < n_findings; i++) {
		struct dms_call_summary *calls = (struct dms_call_summary *)findings[i].calls;

		for (size_t j = 0; j < findings[i].n_calls; j++) {
			if ((err = read_comm(reader, &calls[j])) ||
			    (err = read_frames(reader, &calls[j])))
				return err;
		}
	}
	return NULL;
}

struct dms_error *dms_calls_name(struct sqlite3 *db, struct dms_arena *arena,
				 struct dms_finding_summary *findings, size_t n_findings)
{
	static const char task_sql[] = "SELECT comm FROM task WHERE pid = ?1";
	static const char frames_sql[] =
		"SELECT f.address, f.offset_bytes, y.name, y.module, count(*) OVER ()"
		" FROM frame AS f LEFT JOIN symbol AS y ON y.id = f.symbol_id"
		" WHERE f.stack_id = ?1 ORDER BY f.depth";
	struct reader reader = {.db = db, .arena = arena};
	struct dms_error *err;

	if (sqlite3_prepare_v2(db, task_sql, -1, &reader.task, NULL) ||
	    sqlite3_prepare_v2(db, frames_sql, -1, &reader.frames, NULL))
		err = dms_read_error(db, "reading the calls of findings");
	else
		err = name_all(&reader, findings, n_findings);
	sqlite3_finalize(reader.task);
	sqlite3_finalize(reader.frames);
	return err;
}

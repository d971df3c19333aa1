// SPDX-License-Identifier: LGPL-2.1-only
/* A finished database, opened to be read. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store.h"

struct dms_error *dms_db_error(struct sqlite3 *db, const char *doing)
{
	if ((sqlite3_errcode(db) & 0xff) == SQLITE_NOMEM)
		return &dms_error_nomem;
	return dms_error_new(DMS_ERROR_INTERNAL, "%s: %s", doing, sqlite3_errmsg(db));
}

/* Asked before SQLite is: its own message for any other file would be "not a database". */
static struct dms_error *check_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int errnum;
	bool ours;

	if (fd < 0)
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", path);
	errno = 0;
	ours = dms_is_database(fd);
	errnum = errno;
	close(fd);
	if (!ours && errnum && errnum != EISDIR)
		return dms_error_errno(DMS_ERROR_INPUT, errnum, "%s", path);
	if (!ours)
		return dms_error_new(DMS_ERROR_INPUT, "%s is not a dmascope database", path);
	return NULL;
}

/* The first column of the first row of @sql; -1 if there is none. */
static struct dms_error *ask_int(struct sqlite3 *db, const char *path, const char *sql, int *ret)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	*ret = -1;
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(statement);
		if (rc == SQLITE_ROW)
			*ret = sqlite3_column_int(statement, 0);
	}
	sqlite3_finalize(statement);
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return NULL;
	if ((rc & 0xff) == SQLITE_NOMEM)
		return &dms_error_nomem;
	return dms_error_new(DMS_ERROR_INPUT, "%s: %s", path, sqlite3_errmsg(db));
}

static struct dms_error *check_content(struct sqlite3 *db, const char *path, bool allow_incomplete)
{
	struct dms_error *err;
	int value;

	if ((err = ask_int(db, path, "PRAGMA user_version", &value)))
		return err;
	if (value != DMS_SCHEMA_VERSION)
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s has database schema %d; this dmascope reads schema %d",
				     path, value, DMS_SCHEMA_VERSION);
	if (allow_incomplete)
		return NULL;
	err = ask_int(db, path, "SELECT value = '1' FROM run WHERE key = 'complete'", &value);
	if (!err && value != 1)
		err = dms_error_new(DMS_ERROR_INPUT,
				    "%s is not complete: the run that wrote it did not finish",
				    path);
	return err;
}

struct dms_error *dms_db_open(const char *path, bool allow_incomplete, struct sqlite3 **ret)
{
	struct dms_error *err = check_file(path);
	struct sqlite3 *db = NULL;

	if (err)
		return err;
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL)) {
		err = (sqlite3_errcode(db) & 0xff) == SQLITE_NOMEM /* no db is that as well */
			      ? &dms_error_nomem
			      : dms_error_new(DMS_ERROR_INPUT, "%s: %s", path, sqlite3_errmsg(db));
	} else {
		/* The file may come from anybody: its views may not call what has side effects. */
		sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		err = check_content(db, path, allow_incomplete);
	}
	if (err) {
		dms_db_close(db);
		return err;
	}
	*ret = db;
	return NULL;
}

void dms_db_close(struct sqlite3 *db)
{
	sqlite3_close(db);
}

struct dms_error *dms_db_need_mappings(struct sqlite3 *db, const char *what)
{
	static const char sql[] = "SELECT value = '0' FROM run WHERE key = 'mappings_stored'";
	sqlite3_stmt *statement = NULL;
	struct dms_error *err = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW && sqlite3_column_int(statement, 0))
		err = dms_error_new(DMS_ERROR_INPUT,
				    "%s needs mappings, and this database holds figures and findings only",
				    what);
	else if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		err = dms_db_error(db, "reading the run");
	sqlite3_finalize(statement);
	return err;
}

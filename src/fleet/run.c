// SPDX-License-Identifier: LGPL-2.1-only
/* A run's database opened to be pushed, with what is told of it beside. */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <dmascope/store.h>

#include "local.h"

bool fleet_is_without(const struct dms_fleet_run *run, const char *table)
{
	for (size_t i = 0; run->without && i < run->without->n_items; i++) {
		if (!strcmp(run->without->items[i], table))
			return true;
	}
	return false;
}

const char *fleet_id_text(const uint8_t id[static DMS_RUN_ID_BYTES], char ret[static FLEET_ID_TEXT])
{
	for (size_t i = 0; i < DMS_RUN_ID_BYTES; i++)
		sprintf(ret + 2 * i, "%02x", id[i]);
	return ret;
}

static struct dms_error *check_table(const char *name)
{
	struct dms_nearest nearest = dms_nearest_to(name, strlen(name));

	if (!strcmp(name, "runs"))
		return dms_error_new(DMS_ERROR_USAGE,
				     "without its row in runs a run does not count");
	for (size_t i = 0; i < fleet_n_tables; i++) {
		if (!strcmp(fleet_tables[i].name, name))
			return NULL;
		dms_nearest_try(&nearest, fleet_tables[i].name);
	}
	if (nearest.word)
		return dms_error_new(DMS_ERROR_USAGE, "no table '%s', did you mean '%s'?", name,
				     nearest.word);
	return dms_error_new(DMS_ERROR_USAGE, "no table '%s'; see 'dmascope push --dry-run'", name);
}

static struct dms_error *check_without(const struct dms_strings *without)
{
	struct dms_error *err = NULL;

	for (size_t i = 0; !err && i < without->n_items; i++)
		err = check_table(without->items[i]);
	return err;
}

struct dms_error *fleet_read_error(struct sqlite3 *db, const char *doing)
{
	if ((sqlite3_errcode(db) & 0xff) == SQLITE_NOMEM)
		return &dms_error_nomem;
	return dms_error_new(DMS_ERROR_INPUT, "%s: %s", doing, sqlite3_errmsg(db));
}

/* *@ret: text of the fact @key, NULL if it is not known. */
static struct dms_error *read_fact(struct sqlite3 *db, const char *key, char **ret)
{
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err = NULL;
	const char *value;
	int rc = sqlite3_prepare_v2(db, "SELECT value FROM run WHERE key = ?", -1, &stmt, NULL);

	*ret = NULL;
	if (rc == SQLITE_OK) {
		sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
		rc = sqlite3_step(stmt);
	}
	if (rc == SQLITE_ROW && (value = (const char *)sqlite3_column_text(stmt, 0)))
		err = (*ret = dms_strdup(value)) ? NULL : &dms_error_nomem;
	else if (rc == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
		err = &dms_error_nomem;
	else if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		err = fleet_read_error(db, "reading the run");
	sqlite3_finalize(stmt);
	return err;
}

/* "Linux NODE 6.12.1 x86_64": the second word; "(none)": a machine without a name. */
static char *node_name(const char *uname)
{
	size_t len;

	if (!uname || strncmp(uname, "Linux ", 6))
		return dms_strdup("");
	uname += 6;
	len = strcspn(uname, " ");
	return !strncmp(uname, "(none)", len) ? dms_strdup("") : dms_strndup(uname, len);
}

/* As told, or as a spool's copy was told, or @fallback_key's fact. */
static struct dms_error *read_label(struct sqlite3 *db, const char *told, const char *key,
				    const char *fallback_key, char **ret)
{
	struct dms_error *err;

	if (told)
		return (*ret = dms_strdup(told)) ? NULL : &dms_error_nomem;
	if ((err = read_fact(db, key, ret)) || *ret)
		return err;
	return read_fact(db, fallback_key, ret);
}

static struct dms_error *read_host(struct dms_fleet_run *run, const char *told)
{
	_cleanup_(dms_freep) char *uname = NULL;
	struct dms_error *err = read_label(run->db, told, FLEET_HOST, FLEET_HOST, &run->host);

	if (err || run->host)
		return err;
	if ((err = read_fact(run->db, "uname", &uname)))
		return err;
	if (!(run->host = node_name(uname)))
		return &dms_error_nomem;
	if (!*run->host)
		dms_log(DMS_LOG_WARN, "%s does not say which machine was traced; --host may tell",
			run->path);
	return NULL;
}

static struct dms_error *read_taken(struct dms_fleet_run *run, uint64_t told_s)
{
	_cleanup_(dms_freep) char *spooled = NULL;
	struct dms_error *err;
	struct stat status;

	if (!told_s) {
		if ((err = read_fact(run->db, FLEET_TAKEN, &spooled)))
			return err;
		if (spooled)
			told_s = strtoull(spooled, NULL, 10);
		else if (stat(run->path, &status))
			return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", run->path);
		else
			told_s = (uint64_t)status.st_mtime;
	}
	run->taken_s = told_s > UINT32_MAX ? UINT32_MAX : (uint32_t)told_s;
	return NULL;
}

static struct dms_error *read_all(struct dms_fleet_run *run, const struct dms_fleet_labels *labels)
{
	struct dms_error *err = dms_db_open(run->path, false, &run->db);

	if (!err)
		err = read_host(run, labels->host);
	if (!err)
		err = read_label(run->db, labels->build, FLEET_BUILD, "kernel", &run->build);
	if (!err && !run->build && !(run->build = dms_strdup("")))
		err = &dms_error_nomem;
	if (!err)
		err = read_fact(run->db, "kernel", &run->release);
	if (!err && !run->release && !(run->release = dms_strdup("")))
		err = &dms_error_nomem;
	if (!err)
		err = read_taken(run, labels->taken_s);
	return err ? err : fleet_identify(run);
}

struct dms_error *dms_fleet_run_open(const char *path, const struct dms_fleet_labels *labels,
				     struct dms_fleet_run *ret)
{
	struct dms_error *err = check_without(&labels->without);

	*ret = (struct dms_fleet_run){.path = dms_strdup(path), .without = &labels->without};
	if (!err)
		err = ret->path ? read_all(ret, labels) : &dms_error_nomem;
	if (err)
		dms_fleet_run_close(ret);
	return err;
}

void dms_fleet_run_close(struct dms_fleet_run *run)
{
	dms_db_close(run->db);
	dms_free(run->path);
	dms_free(run->host);
	dms_free(run->build);
	dms_free(run->release);
	*run = (struct dms_fleet_run){0};
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Run databases: opened, closed, and what they say of their run. rows.c walks them. */
#include <sqlite3.h>
#include <string.h>

#include <dmascope/store.h>

#include "local.h"

/** A row of table run that was asked for; in the arena. */
struct fact {
	struct fact *next;
	const char *key, *value;
};

struct dmascope_db {
	struct sqlite3 *connection;
	struct dms_arena *arena;
	struct fact *facts;
};

struct sqlite3 *api_connection(struct dmascope_db *db)
{
	return db->connection;
}

struct dmascope_error *dmascope_db_open(const char *path, struct dmascope_db **ret)
{
	struct dmascope_error *error = api_need(__func__, path && ret);
	struct dmascope_db *db;
	struct dms_error *err;

	if (error)
		return error;
	*ret = NULL;
	db = dms_zalloc(sizeof(*db));
	if (db)
		db->arena = dms_arena_create();
	err = db && db->arena ? dms_db_open(path, false, &db->connection) : &dms_error_nomem;
	if (err) {
		dmascope_db_close(db);
		return api_error(err);
	}
	*ret = db;
	return NULL;
}

void dmascope_db_close(struct dmascope_db *db)
{
	if (!db)
		return;
	dms_db_close(db->connection);
	dms_arena_destroy(db->arena);
	dms_free(db);
}

static const struct fact *find_fact(const struct dmascope_db *db, const char *key)
{
	const struct fact *fact = db->facts;

	while (fact && strcmp(fact->key, key) != 0)
		fact = fact->next;
	return fact;
}

/* Several may be asked for before the first is used: each lives as long as @db. */
static const char *keep_fact(struct dmascope_db *db, const char *key, const char *value)
{
	size_t key_bytes = strlen(key) + 1, value_bytes = strlen(value) + 1;
	struct fact *fact = dms_arena_alloc(db->arena, sizeof(*fact));
	char *text = dms_arena_alloc(db->arena, key_bytes + value_bytes);

	if (!fact || !text)
		return NULL;
	memcpy(text, key, key_bytes);
	memcpy(text + key_bytes, value, value_bytes);
	*fact = (struct fact){.next = db->facts, .key = text, .value = text + key_bytes};
	db->facts = fact;
	return fact->value;
}

const char *dmascope_db_fact(struct dmascope_db *db, const char *key)
{
	static const char sql[] = "SELECT value FROM run WHERE key = ?";
	const struct fact *fact = db && key ? find_fact(db, key) : NULL;
	sqlite3_stmt *statement = NULL;
	const char *value = NULL;

	if (fact || !db || !key)
		return fact ? fact->value : NULL;
	if (sqlite3_prepare_v2(db->connection, sql, -1, &statement, NULL))
		return NULL;
	sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
	if (sqlite3_step(statement) == SQLITE_ROW)
		value = (const char *)sqlite3_column_text(statement, 0);
	if (value)
		value = keep_fact(db, key, value);
	sqlite3_finalize(statement);
	return value;
}

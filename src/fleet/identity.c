// SPDX-License-Identifier: LGPL-2.1-only
/* What a run is known by in the fleet: hashes that no path, host or time of ours gets into. */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/store.h>
#include <xxhash.h>

#include "local.h"

/* Order on the command line means nothing: the same files are the same capture. */
static const char inputs_sql[] = "SELECT hash, size_bytes FROM input_file ORDER BY hash, id";
static const char unhashed_sql[] = "SELECT 1 WHERE NOT EXISTS (SELECT * FROM input_file) OR "
				   "EXISTS (SELECT * FROM input_file WHERE hash IS NULL)";

/* Facts called fleet_ are the spool's, see spool.c; the program's version is a fact too. */
static const char *const figures_sql[] = {
	"SELECT key, value FROM run WHERE key NOT GLOB 'fleet_*' ORDER BY key",
	"SELECT * FROM device ORDER BY id",
	"SELECT * FROM device_counter ORDER BY device_id, name",
	"SELECT * FROM distribution ORDER BY device_id, measure",
	"SELECT * FROM finding_group ORDER BY id",
	"SELECT * FROM not_judged ORDER BY id",
};

/* Type and length go before each value: "ab","c" is not "a","bc". False: memory is short. */
static bool add_value(XXH3_state_t *state, sqlite3_stmt *stmt, int index)
{
	uint8_t type = (uint8_t)sqlite3_column_type(stmt, index);
	const void *data = sqlite3_column_blob(stmt, index); /* numbers as their decimal text */
	uint32_t n = (uint32_t)sqlite3_column_bytes(stmt, index);
	uint8_t head[5] = {type, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16),
			   (uint8_t)(n >> 24)};

	XXH3_128bits_update(state, head, sizeof(head));
	if (n)
		XXH3_128bits_update(state, data, n);
	/* without room for their text numbers are empty, and the run would be another */
	return data || type == SQLITE_NULL || sqlite3_errcode(sqlite3_db_handle(stmt)) != SQLITE_NOMEM;
}

/* *@ret_rows may be NULL. */
static struct dms_error *add_rows(XXH3_state_t *state, struct sqlite3 *db, const char *sql,
				  uint64_t *ret_rows)
{
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err = NULL;
	uint64_t n_rows = 0;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	while (!err && rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(stmt); i++)
			err = add_value(state, stmt, i) ? err : &dms_error_nomem;
		n_rows++;
	}
	if (!err && (rc != SQLITE_OK || sqlite3_reset(stmt) != SQLITE_OK))
		err = fleet_read_error(db, "reading the run");
	sqlite3_finalize(stmt);
	XXH3_128bits_update(state, &(uint8_t){0xff}, 1); /* one table's end */
	if (ret_rows)
		*ret_rows = n_rows;
	return err;
}

static struct dms_error *add_figures(XXH3_state_t *state, struct sqlite3 *db)
{
	struct dms_error *err = NULL;

	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(figures_sql); i++)
		err = add_rows(state, db, figures_sql[i], NULL);
	return err;
}

static void take_digest(const XXH3_state_t *state, uint8_t ret[static DMS_RUN_ID_BYTES])
{
	XXH128_canonical_t bytes;

	XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(state));
	memcpy(ret, bytes.digest, DMS_RUN_ID_BYTES);
}

/* A run fed by a program has no files, what came out of it is all there is to know it by. */
static struct dms_error *hash_capture(XXH3_state_t *state, struct dms_fleet_run *run)
{
	uint64_t is_unhashed;
	struct dms_error *err;

	XXH3_128bits_reset(state);
	err = add_rows(state, run->db, unhashed_sql, &is_unhashed);
	if (!err)
		err = is_unhashed ? add_figures(state, run->db)
				  : add_rows(state, run->db, inputs_sql, NULL);
	take_digest(state, run->capture);
	return err;
}

/* A run without its mappings is another run: the whole one may still come and take its place. So
 * may one whose labels are put right. */
static void add_told(XXH3_state_t *state, const struct dms_fleet_run *run)
{
	uint8_t taken[] = {(uint8_t)run->taken_s, (uint8_t)(run->taken_s >> 8),
			   (uint8_t)(run->taken_s >> 16), (uint8_t)(run->taken_s >> 24)};

	XXH3_128bits_update(state, run->host, strlen(run->host) + 1);
	XXH3_128bits_update(state, run->build, strlen(run->build) + 1);
	XXH3_128bits_update(state, taken, sizeof(taken));
	for (size_t i = 0; i < fleet_n_tables; i++) {
		uint8_t is_without = fleet_is_without(run, fleet_tables[i].name);

		XXH3_128bits_update(state, &is_without, 1);
	}
}

struct dms_error *fleet_identify(struct dms_fleet_run *run)
{
	XXH3_state_t *state = XXH3_createState();
	struct dms_error *err;

	if (!state)
		return &dms_error_nomem;
	err = hash_capture(state, run);
	XXH3_128bits_reset(state);
	XXH3_128bits_update(state, run->capture, DMS_RUN_ID_BYTES);
	if (!err)
		err = add_figures(state, run->db);
	add_told(state, run);
	take_digest(state, run->id);
	XXH3_freeState(state);
	return err;
}

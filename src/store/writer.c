// SPDX-License-Identifier: LGPL-2.1-only
/* The life of a database being written: begun, filled, finished or thrown away. */
#include <string.h>

#include "store.h"

/*
 * Nobody else sees the file before the rename, and a run that dies leaves nothing worth keeping:
 * so no journal and no syncing until the end. The CHECKs and foreign keys hold by construction
 * and are proven by the tests: evaluating them takes four times as long as the insert itself.
 * The cache is small because rows are appended: pages are written once and not read again.
 */
static const char settings[] = "PRAGMA page_size = 32768;" /* of a new file */
			       "PRAGMA journal_mode = OFF;"
			       "PRAGMA synchronous = OFF;"
			       "PRAGMA locking_mode = EXCLUSIVE;"
			       "PRAGMA temp_store = MEMORY;"
			       "PRAGMA cache_size = -4096;"
			       "PRAGMA foreign_keys = OFF;"
			       "PRAGMA ignore_check_constraints = ON;"
			       "BEGIN EXCLUSIVE;";

/*
 * Others see the file, and we may be killed at any time: what is not committed lies in the log beside
 * it. A power cut may cost what was committed last.
 */
static const char settings_in_place[] = "PRAGMA journal_mode = WAL;"
					"PRAGMA synchronous = OFF;"
					"PRAGMA temp_store = MEMORY;"
					"PRAGMA cache_size = -4096;"
					"PRAGMA foreign_keys = OFF;"
					"PRAGMA ignore_check_constraints = ON;"
					"BEGIN IMMEDIATE;";

struct dms_error *dms_store_error(struct dms_store *store, const char *doing)
{
	int errnum = sqlite3_system_errno(store->db);
	int rc = sqlite3_errcode(store->db) & 0xff;

	if (!store->db)
		return dms_error_new(DMS_ERROR_INTERNAL, "%s: %s: it has failed before",
				     dms_part_path(store->part), doing);
	if (rc == SQLITE_NOMEM)
		return &dms_error_nomem;
	if (errnum && (rc == SQLITE_IOERR || rc == SQLITE_FULL || rc == SQLITE_CANTOPEN))
		return dms_error_errno(DMS_ERROR_INTERNAL, errnum, "%s: %s",
				       dms_part_path(store->part), doing);
	return dms_error_new(DMS_ERROR_INTERNAL, "%s: %s: %s", dms_part_path(store->part), doing,
			     sqlite3_errmsg(store->db));
}

static struct dms_error *insert_batch(struct dms_store *store, const struct dms_batch *batch)
{
	sqlite3_stmt *insert = store->inserts[batch->table];
	int rc;

	store->sources[batch->table].batch = batch;
	sqlite3_step(insert);
	rc = sqlite3_reset(insert);
	store->sources[batch->table].batch = NULL;
	return rc == SQLITE_OK ? NULL : dms_store_error(store, "writing the database");
}

/* In the writer thread. */
static struct dms_error *write_batch(void *context, const struct dms_batch *batch)
{
	struct dms_store *store = context;
	struct dms_error *err;

	if (!store->bulk)
		return insert_batch(store, batch);
	err = dms_bulk_write(store->bulk, batch);
	return err || !dms_bulk_is_full(store->bulk) ? err : dms_store_end_bulk(store);
}

static void add_words(struct dms_store *store, unsigned int base, unsigned int count,
		      const char *(*name)(unsigned int))
{
	for (unsigned int i = 0; i < count; i++)
		store->words[base + i] = dms_word_make(name(i));
}

static const char *kind_word(unsigned int kind)
{
	return dms_mapping_kind_name((enum dms_mapping_kind)kind);
}

static const char *dir_word(unsigned int dir)
{
	return dms_dir_name((enum dms_dir)dir);
}

static const char *end_word(unsigned int end)
{
	return dms_end_name((enum dms_end)end);
}

static const char *event_word(unsigned int kind)
{
	return dms_event_kind_name((enum dms_event_kind)kind);
}

static const char *confidence_word(unsigned int doubts)
{
	return dms_confidence_name(dms_confidence_of(doubts));
}

static const char *reason_word(unsigned int doubts)
{
	return dms_doubt_reason(doubts);
}

static const char *measure_word(unsigned int measure)
{
	return dms_measure_name((enum dms_measure)measure);
}

static const char *measure_unit_word(unsigned int measure)
{
	return dms_measure_unit((enum dms_measure)measure);
}

static const char *distribution_word(unsigned int distribution)
{
	return dms_distribution_name((enum dms_distribution)distribution);
}

static const char *distribution_unit_word(unsigned int distribution)
{
	return dms_distribution_unit((enum dms_distribution)distribution);
}

static void make_words(struct dms_store *store)
{
	add_words(store, DMS_WORD_KIND, DMS_MAPPING_N_KINDS, kind_word);
	add_words(store, DMS_WORD_DIR, DMS_DIR_UNKNOWN + 1, dir_word);
	add_words(store, DMS_WORD_END, DMS_N_ENDS, end_word);
	add_words(store, DMS_WORD_EVENT, DMS_EV_N_KINDS, event_word);
	add_words(store, DMS_WORD_CONFIDENCE, 1u << DMS_N_DOUBTS, confidence_word);
	add_words(store, DMS_WORD_REASON, 1u << DMS_N_DOUBTS, reason_word);
	add_words(store, DMS_WORD_MEASURE, DMS_N_MEASURES, measure_word);
	add_words(store, DMS_WORD_MEASURE_UNIT, DMS_N_MEASURES, measure_unit_word);
	add_words(store, DMS_WORD_DISTRIBUTION, DMS_N_DISTRIBUTIONS, distribution_word);
	add_words(store, DMS_WORD_DISTRIBUTION_UNIT, DMS_N_DISTRIBUTIONS, distribution_unit_word);
}

static struct dms_error *open_database(struct dms_store *store)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	const char *how = store->is_shown ? settings_in_place : settings;

	int rc = sqlite3_open_v2(dms_part_path(store->part), &store->db, flags, NULL);

	if (!store->db)
		return &dms_error_nomem;
	if (rc || sqlite3_exec(store->db, how, NULL, NULL, NULL))
		return dms_store_error(store, "opening the database");
	return NULL;
}

static struct dms_error *prepare_inserts(struct dms_store *store)
{
	if (dms_batch_modules(store->db, store->sources))
		return dms_store_error(store, "preparing to write");
	for (int i = 0; i < DMS_N_BULK_TABLES; i++) {
		if (sqlite3_prepare_v3(store->db, dms_bulk_specs[i].insert, -1,
				       SQLITE_PREPARE_PERSISTENT, &store->inserts[i], NULL))
			return dms_store_error(store, "preparing to write");
	}
	return NULL;
}

static void close_database(struct dms_store *store)
{
	for (int i = 0; i < DMS_N_BULK_TABLES; i++)
		sqlite3_finalize(store->inserts[i]);
	for (int i = 0; i < DMS_N_STATEMENTS; i++)
		sqlite3_finalize(store->statements[i]);
	memset(store->inserts, 0, sizeof(store->inserts));
	memset(store->statements, 0, sizeof(store->statements));
	sqlite3_close(store->db);
	store->db = NULL;
}

/* Where SQLite put the first page of each bulk table. */
static struct dms_error *find_roots(struct dms_store *store, uint32_t *roots)
{
	sqlite3_stmt *statement;
	bool found = true;

	if (sqlite3_prepare_v2(store->db, "SELECT rootpage FROM sqlite_schema WHERE name = ?", -1,
			       &statement, NULL))
		return dms_store_error(store, "creating the database");
	for (int i = 0; i < DMS_N_BULK_TABLES && found; i++) {
		sqlite3_bind_text(statement, 1, dms_bulk_specs[i].table, -1, SQLITE_STATIC);
		found = sqlite3_step(statement) == SQLITE_ROW;
		roots[i] = (uint32_t)sqlite3_column_int64(statement, 0);
		sqlite3_reset(statement);
	}
	sqlite3_finalize(statement);
	return found ? NULL : dms_store_error(store, "creating the database");
}

/* SQLite makes the tables; then the bulk tables are filled without it, as long as that goes. */
static struct dms_error *create_database(struct dms_store *store)
{
	uint32_t roots[DMS_N_BULK_TABLES];
	struct dms_error *err = open_database(store);

	if (err)
		return err;
	if (sqlite3_exec(store->db, dms_schema_sql, NULL, NULL, NULL) ||
	    sqlite3_exec(store->db, "INSERT INTO run VALUES ('complete', '0')", NULL, NULL, NULL))
		return dms_store_error(store, "creating the database");
	if ((err = find_roots(store, roots)))
		return err;
	if (sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL))
		return dms_store_error(store, "creating the database");
	close_database(store);
	if (store->options.in_place) {
		err = dms_part_publish(store->part);
		store->is_shown = !err;
	} else {
		err = dms_bulk_create(store->part, store->words, roots, &store->bulk);
	}
	if (err || store->bulk)
		return err;
	err = open_database(store);
	return err ? err : prepare_inserts(store);
}

/* After an error SQLite stays closed, and nothing can be told or finished. */
struct dms_error *dms_store_end_bulk(struct dms_store *store)
{
	struct dms_error *err = dms_bulk_finish(store->bulk);

	if (!err)
		err = open_database(store);
	if (!err)
		err = prepare_inserts(store);
	for (const struct dms_batch *batch = dms_bulk_late(store->bulk); batch && !err;
	     batch = batch->next)
		err = insert_batch(store, batch);
	dms_bulk_destroy(store->bulk);
	store->bulk = NULL;
	if (err)
		close_database(store);
	return err;
}

struct dms_error *dms_store_create(const char *path, const struct dms_store_options *options,
				   struct dms_store **ret)
{
	struct dms_store *store = dms_zalloc(sizeof(*store));
	struct dms_error *err;

	if (!store)
		return &dms_error_nomem;
	if (options)
		store->options = *options;
	if (store->options.figures_only)
		store->options.keep_events = false;
	make_words(store);
	for (int i = 0; i < DMS_N_BULK_TABLES; i++) {
		store->sources[i].words = store->words;
		store->sources[i].spec = &dms_bulk_specs[i];
	}
	err = dms_part_create(path, store->options.part_watch, &store->part);
	if (!err)
		err = create_database(store);
	if (!err)
		err = dms_queue_create(write_batch, store, &store->queue);
	if (err) {
		dms_store_destroy(store);
		return err;
	}
	*ret = store;
	return NULL;
}

void dms_store_destroy(struct dms_store *store)
{
	if (!store)
		return;
	dms_queue_destroy(store->queue);
	for (int i = 0; i < DMS_N_BULK_TABLES; i++)
		dms_free(store->open[i]);
	dms_bulk_destroy(store->bulk);
	close_database(store);
	/* After SQLite: closing this file first would drop SQLite's own lock on it. */
	dms_part_destroy(store->part);
	dms_free(store->device_rows);
	dms_free(store);
}

struct dms_error *dms_store_commit(struct dms_store *store)
{
	struct dms_error *err;

	if (!store->is_shown)
		return NULL;
	if ((err = dms_store_drain(store)))
		return err;
	if (sqlite3_exec(store->db, "COMMIT; BEGIN IMMEDIATE", NULL, NULL, NULL))
		return dms_store_error(store, "writing the database");
	return NULL;
}

/* The log beside the file goes: one file, as others are. Whoever reads just now keeps it. */
static struct dms_error *finish_in_place(struct dms_store *store)
{
	if (sqlite3_exec(store->db, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE",
			 NULL, NULL, NULL) &&
	    sqlite3_errcode(store->db) != SQLITE_BUSY)
		return dms_store_error(store, "writing the database");
	close_database(store);
	return NULL;
}

struct dms_error *dms_store_finish(struct dms_store *store)
{
	struct dms_error *err = dms_store_run(store, "complete", "1");

	if (err)
		return err;
	if (sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL))
		return dms_store_error(store, "writing the database");
	if (store->is_shown)
		return finish_in_place(store);
	close_database(store);
	return dms_part_publish(store->part);
}

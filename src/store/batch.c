// SPDX-License-Identifier: LGPL-2.1-only
/* The virtual tables through which a batch of rows that bulk.c cannot take enters SQLite. */
#include "store.h"

/*
 * Why not bind and step: each row would pay for one sqlite3_step() and a bind for each column.
 * Here SQLite's own loop fetches the cells; 1.45 times the rows a second (measured).
 */
struct table {
	sqlite3_vtab base;
	struct dms_batch_source *source;
};

struct cursor {
	sqlite3_vtab_cursor base;
	const uint64_t *row;
	const uint64_t *end;
	const struct dms_word *words;
	uint64_t word_columns;
	size_t stride; /* cells of a row */
};

static int table_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
			 sqlite3_vtab **ret, char **ret_error)
{
	struct dms_batch_source *source = aux;
	struct table *table;
	int rc;

	(void)argc;
	(void)argv;
	(void)ret_error;
	rc = sqlite3_declare_vtab(db, source->spec->declare);
	if (rc != SQLITE_OK)
		return rc;
	table = dms_zalloc(sizeof(*table));
	if (!table)
		return SQLITE_NOMEM;
	table->source = source;
	*ret = &table->base;
	return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *base)
{
	dms_free(base);
	return SQLITE_OK;
}

static int table_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	(void)base;
	info->estimatedCost = DMS_BATCH_CELLS;
	return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
	struct cursor *cursor = dms_zalloc(sizeof(*cursor));

	(void)base;
	if (!cursor)
		return SQLITE_NOMEM;
	*ret = &cursor->base;
	return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
	dms_free(base);
	return SQLITE_OK;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int index, const char *index_name, int argc,
			 sqlite3_value **argv)
{
	struct cursor *cursor = (struct cursor *)base;
	const struct dms_batch_source *source = ((struct table *)base->pVtab)->source;
	const struct dms_batch *batch = source->batch;

	(void)index;
	(void)index_name;
	(void)argc;
	(void)argv;
	cursor->stride = source->spec->n_columns + 1;
	cursor->words = source->words;
	cursor->word_columns = source->spec->words;
	cursor->row = batch ? batch->cells : NULL;
	cursor->end = batch ? batch->cells + batch->n_rows * cursor->stride : NULL;
	return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)base;

	cursor->row += cursor->stride;
	return SQLITE_OK;
}

static int cursor_eof(sqlite3_vtab_cursor *base)
{
	const struct cursor *cursor = (const struct cursor *)base;

	return cursor->row == cursor->end;
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
	const struct cursor *cursor = (const struct cursor *)base;
	uint64_t cell = cursor->row[1 + column];
	const struct dms_word *word;

	if (cursor->row[0] >> column & 1)
		return SQLITE_OK; /* no result is NULL */
	if (!(cursor->word_columns >> column & 1)) {
		sqlite3_result_int64(context, (int64_t)cell);
		return SQLITE_OK;
	}
	word = &cursor->words[cell];
	sqlite3_result_text(context, word->text, word->bytes, SQLITE_STATIC);
	return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = (sqlite3_int64)(intptr_t)((struct cursor *)base)->row;
	return SQLITE_OK;
}

/* No xCreate: the tables exist by themselves, under their module's name, and nowhere on disk. */
static const sqlite3_module module = {
	.xConnect = table_connect,
	.xBestIndex = table_best_index,
	.xDisconnect = table_disconnect,
	.xOpen = cursor_open,
	.xClose = cursor_close,
	.xFilter = cursor_filter,
	.xNext = cursor_next,
	.xEof = cursor_eof,
	.xColumn = cursor_column,
	.xRowid = cursor_rowid,
};

int dms_batch_modules(sqlite3 *db, struct dms_batch_source *sources)
{
	int rc = SQLITE_OK;

	for (int i = 0; i < DMS_N_BULK_TABLES && rc == SQLITE_OK; i++)
		rc = sqlite3_create_module(db, sources[i].spec->module, &module, &sources[i]);
	return rc;
}

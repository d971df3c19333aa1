// SPDX-License-Identifier: LGPL-2.1-only
/* The time in which the bulk tables grow page by page, and the order their rows need for it. */
#include <string.h>

#include "leaf.h"

/*
 * A row of mapping is numbered when somebody first asks for its number, with --events that is
 * at its map, and comes when its life is over. So rows wait in a window until those before them
 * have come. What comes later than WINDOW_ROWS numbers after its turn is kept for SQLite, which
 * can insert anywhere; when there is too much of that, this time is over and all goes to SQLite.
 * Without --events numbers are given as rows come, and neither window nor late rows exist.
 */
#define WINDOW_ROWS 16384	/* of mapping: 3.5 MiB */
#define MAX_LATE_BATCHES 8	/* 2 MiB: 9360 rows of mapping */

/** Where a table has got to. */
struct order {
	uint64_t next;	  /* rowid that may be appended; index: 0 before the first row */
	uint64_t keys[DMS_BULK_KEYS]; /* index: of the last row */
	uint64_t *window; /* row n at n % WINDOW_ROWS; NULL until one comes early */
	uint32_t n_rows;  /* in window */
};

struct dms_bulk {
	struct dms_pages *pages;
	const struct dms_word *words;
	struct dms_tree *trees[DMS_N_BULK_TABLES];
	struct order orders[DMS_N_BULK_TABLES];
	struct dms_batch *late_open[DMS_N_BULK_TABLES]; /* in the list below, not full */
	struct dms_batch *late, **late_last;
	unsigned int n_late;
	struct dms_payload payload; /* being made */
};

/* Every row must fit into a page: the only cells known here are those that do. */
static bool rows_fit(const struct dms_pages *pages, const struct dms_word *words)
{
	for (int i = 0; i < DMS_N_BULK_TABLES; i++) {
		const struct dms_bulk_spec *spec = &dms_bulk_specs[i];

		if (dms_payload_max_bytes(spec, words, DMS_N_WORDS) >
		    dms_tree_max_bytes(pages, spec->n_keys > 0))
			return false;
	}
	return true;
}

struct dms_error *dms_bulk_create(const struct dms_part *part, const struct dms_word *words,
				  const uint32_t *roots, struct dms_bulk **ret)
{
	struct dms_bulk *bulk = dms_zalloc(sizeof(*bulk));
	struct dms_error *err;

	*ret = NULL;
	if (!bulk)
		return &dms_error_nomem;
	bulk->words = words;
	bulk->late_last = &bulk->late;
	err = dms_pages_create(dms_part_fd(part), dms_part_path(part), &bulk->pages);
	if (err || !bulk->pages || !rows_fit(bulk->pages, words)) {
		dms_bulk_destroy(bulk);
		return err;
	}
	for (int i = 0; i < DMS_N_BULK_TABLES && !err; i++) {
		bulk->orders[i].next = !dms_bulk_specs[i].n_keys;
		err = dms_tree_create(bulk->pages, roots[i], dms_bulk_specs[i].n_keys > 0,
				      &bulk->trees[i]);
	}
	if (err) {
		dms_bulk_destroy(bulk);
		return err;
	}
	*ret = bulk;
	return NULL;
}

void dms_bulk_destroy(struct dms_bulk *bulk)
{
	struct dms_batch *batch;

	if (!bulk)
		return;
	for (int i = 0; i < DMS_N_BULK_TABLES; i++) {
		dms_tree_destroy(bulk->trees[i]);
		dms_free(bulk->orders[i].window);
	}
	while ((batch = bulk->late)) {
		bulk->late = batch->next;
		dms_free(batch);
	}
	dms_pages_destroy(bulk->pages);
	dms_free(bulk);
}

static size_t stride_of(enum dms_bulk_table table)
{
	return dms_bulk_specs[table].n_columns + 1;
}

static struct dms_error *append(struct dms_bulk *bulk, enum dms_bulk_table table,
				const uint64_t *row)
{
	dms_payload_make(&bulk->payload, &dms_bulk_specs[table], bulk->words, row);
	return dms_tree_add(bulk->trees[table], row[1], &bulk->payload);
}

/* Too late for its place: SQLite's, when it has the file again. */
static struct dms_error *keep_late(struct dms_bulk *bulk, enum dms_bulk_table table,
				   const uint64_t *row)
{
	struct dms_batch *batch = bulk->late_open[table];
	size_t stride = stride_of(table);

	if (!batch || (batch->n_rows + 1) * stride > DMS_BATCH_CELLS) {
		batch = dms_alloc(sizeof(*batch));
		if (!batch)
			return &dms_error_nomem;
		batch->next = NULL;
		batch->table = table;
		batch->n_rows = 0;
		bulk->late_open[table] = *bulk->late_last = batch;
		bulk->late_last = &batch->next;
		bulk->n_late++;
	}
	memcpy(batch->cells + batch->n_rows++ * stride, row, stride * sizeof(*row));
	return NULL;
}

static uint64_t *slot_of(const struct order *order, enum dms_bulk_table table, uint64_t rowid)
{
	return order->window + rowid % WINDOW_ROWS * stride_of(table);
}

/* Append the rows of the window below @floor, then those that follow without a hole. */
static struct dms_error *advance(struct dms_bulk *bulk, enum dms_bulk_table table, uint64_t floor)
{
	struct order *order = &bulk->orders[table];
	struct dms_error *err;
	uint64_t *slot;

	for (; order->n_rows; order->next++) {
		slot = slot_of(order, table, order->next);
		if (slot[1] == order->next) {
			if ((err = append(bulk, table, slot)))
				return err;
			order->n_rows--;
		} else if (order->next >= floor) {
			return NULL;
		}
	}
	if (order->next < floor)
		order->next = floor;
	return NULL;
}

/* A row that is not the next one, or others wait already. */
static struct dms_error *wait_turn(struct dms_bulk *bulk, enum dms_bulk_table table, const uint64_t *row)
{
	struct order *order = &bulk->orders[table];
	size_t bytes = stride_of(table) * sizeof(*row);
	struct dms_error *err;
	uint64_t *slot;

	if (row[1] < order->next || row[1] > INT64_MAX)
		return keep_late(bulk, table, row);
	if (!order->window && !(order->window = dms_zalloc(WINDOW_ROWS * bytes)))
		return &dms_error_nomem;
	if (row[1] - order->next >= WINDOW_ROWS &&
	    (err = advance(bulk, table, row[1] - WINDOW_ROWS + 1)))
		return err;
	slot = slot_of(order, table, row[1]);
	if (slot[1] == row[1])
		return keep_late(bulk, table, row); /* twice: SQLite knows what to say */
	memcpy(slot, row, bytes);
	order->n_rows++;
	return advance(bulk, table, 0);
}

/* As SQLite orders them. */
static int compare_cells(const struct dms_bulk *bulk, bool is_word, uint64_t a, uint64_t b)
{
	if (is_word)
		return strcmp(bulk->words[a].text, bulk->words[b].text);
	return ((int64_t)a > (int64_t)b) - ((int64_t)a < (int64_t)b);
}

static bool is_behind(const struct dms_bulk *bulk, enum dms_bulk_table table, const uint64_t *row)
{
	const struct dms_bulk_spec *spec = &dms_bulk_specs[table];
	const struct order *order = &bulk->orders[table];

	for (unsigned int i = 0; i < spec->n_keys; i++) {
		int sign = compare_cells(bulk, spec->words >> i & 1, row[1 + i], order->keys[i]);

		if (sign)
			return sign > 0;
	}
	return false;
}

/* Keys of an index have gaps, so nothing can be waited for. */
static struct dms_error *take_index(struct dms_bulk *bulk, enum dms_bulk_table table,
				    const uint64_t *row)
{
	struct order *order = &bulk->orders[table];

	if (order->next && !is_behind(bulk, table, row))
		return keep_late(bulk, table, row);
	order->next = 1;
	memcpy(order->keys, row + 1, dms_bulk_specs[table].n_keys * sizeof(*row));
	return append(bulk, table, row);
}

static struct dms_error *take_row(struct dms_bulk *bulk, enum dms_bulk_table table,
				  const uint64_t *row)
{
	struct order *order = &bulk->orders[table];

	if (dms_bulk_specs[table].n_keys)
		return take_index(bulk, table, row);
	if (row[1] != order->next || order->n_rows)
		return wait_turn(bulk, table, row);
	order->next++;
	return append(bulk, table, row);
}

struct dms_error *dms_bulk_write(struct dms_bulk *bulk, const struct dms_batch *batch)
{
	size_t stride = stride_of(batch->table);
	struct dms_error *err = NULL;

	for (unsigned int i = 0; i < batch->n_rows && !err; i++)
		err = take_row(bulk, batch->table, batch->cells + i * stride);
	return err;
}

bool dms_bulk_is_full(const struct dms_bulk *bulk)
{
	return bulk->n_late >= MAX_LATE_BATCHES;
}

struct dms_error *dms_bulk_finish(struct dms_bulk *bulk)
{
	struct dms_error *err = NULL;

	for (int i = 0; i < DMS_N_BULK_TABLES && !err; i++) {
		err = advance(bulk, (enum dms_bulk_table)i, UINT64_MAX);
		if (!err)
			err = dms_tree_finish(bulk->trees[i]);
	}
	return err ? err : dms_pages_finish(bulk->pages);
}

const struct dms_batch *dms_bulk_late(const struct dms_bulk *bulk)
{
	return bulk->late;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files of this room share: batches of rows, their queue, and the store itself. */
#ifndef DMASCOPE_STORE_ROOM_H
#define DMASCOPE_STORE_ROOM_H

#include <pthread.h>
#include <sqlite3.h>

#include <dmascope/store.h>

/* ---- batches: rows of one table on their way to SQLite -------------------------------------- */

/** Tables filled row by row while the trace is read; and then those whose rows may be many. */
enum dms_bulk_table {
	DMS_BULK_MAPPING,
	DMS_BULK_SEGMENT,
	DMS_BULK_GAP,
	DMS_BULK_EVENT,
	DMS_BULK_EVENT_SEGMENT,
	DMS_BULK_SERIES,
	DMS_BULK_HISTOGRAM,
	DMS_BULK_CALL_SITE,
	DMS_BULK_CALL_SITE_LIFETIME,
	DMS_BULK_STACK,
	DMS_BULK_FRAME,
	DMS_N_BULK_TABLES
};

/** How a bulk table is declared and filled; columns as in schemas/001-init.sql. */
struct dms_bulk_spec {
	const char *table;
	const char *module;  /* name of the virtual table its batches appear as */
	const char *declare; /* columns of the virtual table */
	const char *insert;  /* moves one batch */
	unsigned int n_columns;
	uint64_t words;	     /* bit n: cells of column n are numbers of words, not values */
	unsigned int first_word; /* the least of them */
	unsigned int n_keys; /* WITHOUT ROWID: so many first columns are the key; 0: the first is the rowid */
};
/** Most columns of a key. */
#define DMS_BULK_KEYS 3
extern const struct dms_bulk_spec dms_bulk_specs[DMS_N_BULK_TABLES];

/* Most words are no longer: their bytes are copied without asking how many there are. */
#define DMS_WORD_START 16

/** A word of the schema's TEXT columns; static, so SQLite need not copy it. */
struct dms_word {
	const char *text;
	int bytes;
	char start[DMS_WORD_START]; /* of text, and 0: copied as one */
};
/** @text as a word; NULL is empty. */
struct dms_word dms_word_make(const char *text);

/** Where each kind of word begins among dms_store.words. */
enum dms_word_base {
	DMS_WORD_KIND = 0,
	DMS_WORD_DIR = DMS_WORD_KIND + DMS_MAPPING_N_KINDS,
	DMS_WORD_END = DMS_WORD_DIR + DMS_DIR_UNKNOWN + 1,
	DMS_WORD_EVENT = DMS_WORD_END + DMS_N_ENDS,
	DMS_WORD_CONFIDENCE = DMS_WORD_EVENT + DMS_EV_N_KINDS, /* by doubts */
	DMS_WORD_REASON = DMS_WORD_CONFIDENCE + (1 << DMS_N_DOUBTS), /* by doubts */
	/* of figures: of these a row of an index has two, so they are short */
	DMS_WORD_MEASURE = DMS_WORD_REASON + (1 << DMS_N_DOUBTS),
	DMS_WORD_MEASURE_UNIT = DMS_WORD_MEASURE + DMS_N_MEASURES,
	DMS_WORD_DISTRIBUTION = DMS_WORD_MEASURE_UNIT + DMS_N_MEASURES,
	DMS_WORD_DISTRIBUTION_UNIT = DMS_WORD_DISTRIBUTION + DMS_N_DISTRIBUTIONS,
	DMS_N_WORDS = DMS_WORD_DISTRIBUTION_UNIT + DMS_N_DISTRIBUTIONS
};

/* A quarter MiB: of the widest table 1170 rows, enough to make a hand-over cheap. */
#define DMS_BATCH_CELLS 32768

/**
 * Rows of one table. A row is one cell that says which columns are NULL (bit n: column n),
 * then one cell for each column.
 */
struct dms_batch {
	struct dms_batch *next;
	enum dms_bulk_table table;
	unsigned int n_rows;
	uint64_t cells[DMS_BATCH_CELLS];
};

/** What the virtual tables read: the batch being moved. */
struct dms_batch_source {
	const struct dms_batch *batch;
	const struct dms_word *words;
	const struct dms_bulk_spec *spec;
};

/** Make the virtual table of each bulk table known to @db; @sources has one for each. */
int dms_batch_modules(sqlite3 *db, struct dms_batch_source *sources);

/* ---- queue: bounded, one producer, one writer thread ---------------------------------------- */

/** Writes one batch; runs in the writer thread. */
typedef struct dms_error *(*dms_batch_fn)(void *context, const struct dms_batch *batch);

struct dms_queue;
struct dms_error *dms_queue_create(dms_batch_fn write, void *context, struct dms_queue **ret);
/** Stop the thread; batches not yet written are dropped. NULL is allowed. */
void dms_queue_destroy(struct dms_queue *queue);
/** An empty batch for @table; waits for the writer if too many are under way. */
struct dms_error *dms_queue_batch(struct dms_queue *queue, enum dms_bulk_table table,
				  struct dms_batch **ret);
/** Hand @batch to the writer. */
void dms_queue_put(struct dms_queue *queue, struct dms_batch *batch);
/** Wait until all is written. Until the next put the database is the caller's. */
struct dms_error *dms_queue_drain(struct dms_queue *queue);
/** What went wrong in the writer, as often as asked; NULL if nothing. */
struct dms_error *dms_queue_error(struct dms_queue *queue);

/* ---- the file beside the final name --------------------------------------------------------- */

struct dms_part;
/** Check @path, make and lock "<path>.part". @watch as dms_store_options.part_watch. Errors as
 * dms_store_create(). */
struct dms_error *dms_part_create(const char *path, const struct dms_part_watch *watch,
				  struct dms_part **ret);
/** Remove the file unless it was published; unlock. NULL is allowed. */
void dms_part_destroy(struct dms_part *part);
/** Where the file is: beside its final name until it is published. */
const char *dms_part_path(const struct dms_part *part);
int dms_part_fd(const struct dms_part *part);
/** Bring it to the disk and give it its final name. */
struct dms_error *dms_part_publish(struct dms_part *part);
/** True if @fd begins as a database of ours does. */
bool dms_is_database(int fd);

/* ---- bulk: rows straight into pages, while SQLite has the file closed ------------------------ */

struct dms_bulk;
/**
 * Begin to fill the bulk tables of @part, empty and below the pages @roots. @words is borrowed.
 * *@ret NULL, without an error: pages of this file have to be left to SQLite.
 */
struct dms_error *dms_bulk_create(const struct dms_part *part, const struct dms_word *words,
				  const uint32_t *roots, struct dms_bulk **ret);
/** NULL is allowed. */
void dms_bulk_destroy(struct dms_bulk *bulk);
/** Write the rows of @batch, or keep them until they can be. */
struct dms_error *dms_bulk_write(struct dms_bulk *bulk, const struct dms_batch *batch);
/** True if it keeps so many late rows that it should come to an end. */
bool dms_bulk_is_full(const struct dms_bulk *bulk);
/** Complete the file: SQLite may open it again. */
struct dms_error *dms_bulk_finish(struct dms_bulk *bulk);
/** List of batches that are still to be inserted: rows that came out of order. Borrowed. */
const struct dms_batch *dms_bulk_late(const struct dms_bulk *bulk);

/* ---- the store ------------------------------------------------------------------------------ */

/** Statements of the rows that are told once; text in tell.c. */
enum dms_statement {
	DMS_SQL_RUN,
	DMS_SQL_INPUT,
	DMS_SQL_INSTANCE,
	DMS_SQL_TRACEPOINT,
	DMS_SQL_DEVICE,
	DMS_SQL_COUNTER,
	DMS_SQL_DISTRIBUTION,
	DMS_SQL_BREAKDOWN,
	DMS_SQL_SYMBOL,
	DMS_SQL_TASK,
	DMS_SQL_NOT_JUDGED,
	DMS_SQL_FINDING,
	DMS_SQL_FINDING_GROUP,
	DMS_N_STATEMENTS
};

struct dms_store {
	struct dms_store_options options;
	struct dms_part *part;
	bool is_shown; /* in place: the file has its name, others may read it */
	/* These two are the writer thread's while the queue is not drained; one of them is NULL. */
	struct dms_bulk *bulk;
	sqlite3 *db;
	struct dms_queue *queue;
	struct dms_batch *open[DMS_N_BULK_TABLES]; /* being filled; NULL: none */
	sqlite3_stmt *inserts[DMS_N_BULK_TABLES];
	sqlite3_stmt *statements[DMS_N_STATEMENTS];
	struct dms_batch_source sources[DMS_N_BULK_TABLES];
	struct dms_word words[DMS_N_WORDS];
	uint64_t *device_rows;		  /* by name in dms_names.devices: newest generation's row */
	size_t n_device_rows;
	uint64_t n_gaps;
	uint64_t n_events;
	uint64_t n_not_judged;
	uint64_t n_findings;
};

/** An error out of the last message of @store's database. */
struct dms_error *dms_store_error(struct dms_store *store, const char *doing);
/** Hand over all open batches and wait: SQLite then has the database, and it is the caller's. */
struct dms_error *dms_store_drain(struct dms_store *store);
/** Bring all that is pages to an end, and let SQLite go on. */
struct dms_error *dms_store_end_bulk(struct dms_store *store);

/** One value to bind. */
struct dms_value {
	const char *text; /* NULL: integer or NULL */
	int bytes;	  /* of text; -1: terminated */
	bool is_null;
	int64_t integer;
};
/** Drain, bind @values to @statement and run it. */
struct dms_error *dms_store_tell(struct dms_store *store, enum dms_statement statement,
				 const struct dms_value *values, int n_values);

/** Hand on a row of @table: @values has one for each column, of words their numbers. */
struct dms_error *dms_store_row(struct dms_store *store, enum dms_bulk_table table,
				const struct dms_value *values);
/** Numbers 0 to @n - 1 to @ret, in order of their names. */
void dms_store_by_name(unsigned int n, const char *(*name)(unsigned int), uint8_t *ret);

/** dms_store_tell() of an array. */
#define DMS_STORE_TELL(store, statement, values)                                                  \
	dms_store_tell(store, statement, values, (int)DMS_ARRAY_SIZE(values))
/** tell_figures.c: rows of distribution and breakdown of the device in @device_row. */
struct dms_error *dms_store_figures(struct dms_store *store, uint64_t device_row,
				    const struct dms_device_stats *stats);
/** A row of device_counter. */
struct dms_error *dms_store_counter(struct dms_store *store, uint64_t device_row,
				    const char *name, struct dms_value value, const char *unit);

/* Values are built in place; addresses stay as they are, in two's complement. */
static inline struct dms_value dms_int(uint64_t integer)
{
	return (struct dms_value){ .integer = (int64_t)integer };
}

static inline struct dms_value dms_int_if(bool known, uint64_t integer)
{
	return (struct dms_value){ .integer = (int64_t)integer, .is_null = !known };
}

/** A count: too large for SQLite's signed integer becomes the largest, not a negative one. */
static inline struct dms_value dms_count(uint64_t count)
{
	return dms_int(count > INT64_MAX ? INT64_MAX : count);
}

/** @text NULL: NULL */
static inline struct dms_value dms_text(const char *text)
{
	return (struct dms_value){ .text = text, .bytes = -1, .is_null = !text };
}

#endif

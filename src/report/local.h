/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files of the report room share: escaping, tables, the columns of a device. */
#ifndef DMASCOPE_REPORT_LOCAL_H
#define DMASCOPE_REPORT_LOCAL_H

#include <dmascope/report.h>

/* ---- escape.c: the only place that knows what is dangerous where -------------------------- */

enum dms_escape {
	DMS_ESCAPE_TEXT, /* a terminal: no control, no bidirectional override, no bad UTF-8 */
	DMS_ESCAPE_CSV,	 /* as TEXT, but newline and tab stay; a formula is disarmed by "'" */
	DMS_ESCAPE_JSON, /* bad UTF-8 only: jansson escapes the rest */
	/* These two can be undone: each byte that TEXT does not keep becomes "\xNN", and so does a
	   backslash that would read like that. */
	DMS_ESCAPE_BYTES,
	DMS_ESCAPE_CELL, /* newline and tab stay; "'" before what begins with "'" or a formula */
};
/** A copy of @text (@bytes long) made harmless; NULL when memory is short. For dms_free(). */
char *dms_escape(const char *text, size_t bytes, enum dms_escape how);
/** Columns @text takes on a terminal: one for each code point. */
size_t dms_text_width(const char *text);

/** One CSV field, through libcsv; a comma before it unless it is the first of its line. */
struct dms_error *dms_csv_text(FILE *out, bool is_first, const char *text, size_t bytes);
/** The same for a number already formatted, or "" for NULL: never quoted. */
void dms_csv_plain(FILE *out, bool is_first, const char *number);
void dms_csv_end_line(FILE *out);

struct json_t;
/** As json_string() and json_integer(); above INT64_MAX "0x..." as text. NULL: memory. */
struct json_t *dms_json_text(const char *text, size_t bytes);
struct json_t *dms_json_u64(uint64_t value);
/** NULL in JSON, which has no infinity; NULL: memory. */
struct json_t *dms_json_real(double value);
struct json_error_t;
/** Read @text, with jansson's @flags. *@ret NULL: it is no JSON, and *@ret_why says where. Errors: memory. */
struct dms_error *dms_json_read(const char *text, size_t bytes, size_t flags, struct json_t **ret,
				struct json_error_t *ret_why);
/**
 * The facts of a finding: a damaged file may hold anything there. *@ret NULL: they are no JSON, or @facts
 * is NULL. Errors: memory.
 */
struct dms_error *dms_facts_read(const char *facts, struct json_t **ret);

/** DMS_ERROR_INTERNAL if writing to @out has failed at any time. */
struct dms_error *dms_check_written(FILE *out);

struct sqlite3;
/** @db's last trouble: DMS_ERROR_INPUT for a damaged file, else as dms_db_error(). */
struct dms_error *dms_read_error(struct sqlite3 *db, const char *doing);
/** Error @code: this run has no device, or driver, @name; which one is near, or which it has. */
struct dms_error *dms_unknown_name(struct sqlite3 *db, enum dms_error_code code, bool is_driver,
				   const char *name);

/* ---- table.c: aligned columns --------------------------------------------------------------- */

struct dms_table;
struct dms_table *dms_table_create(size_t n_columns);
void dms_table_destroy(struct dms_table *table);
/** Add the next title, then the next cell, column by column; copied. false: memory. */
bool dms_table_title(struct dms_table *table, const char *title);
bool dms_table_cell(struct dms_table *table, const char *text, bool is_number);
size_t dms_table_rows(const struct dms_table *table);
/** The first @n_keys columns (else one) tell a row from others: each part of a split table has them. */
void dms_table_repeat(struct dms_table *table, size_t n_keys);
/**
 * Print titles (only the first time) and rows, and forget the rows. Columns that do not fit
 * into @width (0: no limit) follow in further tables that repeat the keys.
 */
void dms_table_print(struct dms_table *table, FILE *out, unsigned int width, bool colour);

/* ---- columns.c: what is told of a device, for every output ---------------------------------- */

enum dms_column_type {
	DMS_COLUMN_TEXT,     /* const char *, NULL: not known */
	DMS_COLUMN_U32,
	DMS_COLUMN_COUNT,    /* uint64_t from here on */
	DMS_COLUMN_BYTES,
	DMS_COLUMN_DURATION, /* ns; meaningless unless the clock counts ns */
	DMS_COLUMN_TIME,     /* trace clock */
	DMS_COLUMN_RATE,     /* thousandths a second; meaningless unless the clock counts ns */
	DMS_COLUMN_BYTE_RATE,
	DMS_COLUMN_PERMILLE,
};

enum dms_column_total { DMS_TOTAL_NONE, DMS_TOTAL_SUM };
/** When text shows a column: always, if some device has a figure there, or only if asked for. */
enum dms_column_text { DMS_TEXT_ALWAYS, DMS_TEXT_USED, DMS_TEXT_ASKED };

struct dms_column {
	const char *key;   /* in JSON, CSV and view device_summary, or of column_sql */
	const char *title; /* in text and HTML */
	enum dms_column_type type;
	size_t offset;	   /* in struct dms_device_summary */
	enum dms_column_text text;
	enum dms_column_total total;
	const char *help;
	const char *sql;   /* where the database has it; NULL: in device_summary, and analyze tells it */
};
extern const struct dms_column dms_device_columns[];
extern const size_t dms_n_device_columns;

/** Numbers of the columns that @layout (NULL: none) asks for, or else of those analyze tells. */
size_t dms_layout_columns(const struct dms_layout *layout, uint8_t ret[static DMS_MAX_COLUMNS]);
/** Numbers of all columns there are. */
size_t dms_layout_all(uint8_t ret[static DMS_MAX_COLUMNS]);
/** Does @layout ask for the column @key, or for none and so for all? */
bool dms_layout_has(const struct dms_layout *layout, const char *key);
/**
 * Have temp.device_distributions: the rows of view distributions, which reads all of histogram and
 * is wanted again and again. dms_select() drops it.
 */
struct dms_error *dms_distributions_prepare(struct sqlite3 *db);
/** Have temp.device_figures: device_id and every column, and temp.device_order: their places. */
struct dms_error *dms_layout_prepare(struct sqlite3 *db, const struct dms_layout *layout);
/** Does UINT64_MAX in @column say that it is not known? */
bool dms_column_is_known(const struct dms_column *column, uint64_t value, bool is_ns);

/** Is its value in thousandths? */
bool dms_column_is_rate(const struct dms_column *column);
uint64_t dms_column_u64(const struct dms_column *column, const struct dms_device_summary *device);
const char *dms_column_text(const struct dms_column *column,
			    const struct dms_device_summary *device);
/** Sums over all devices of @summary; saturated; columns without a total stay 0. */
void dms_device_total(const struct dms_summary *summary, struct dms_device_summary *ret);

/* ---- one printer a format ------------------------------------------------------------------- */

struct dms_error *dms_summary_text(const struct dms_summary *summary, FILE *out,
				   unsigned int width, bool colour);
struct dms_error *dms_summary_json(const struct dms_summary *summary, FILE *out);
struct dms_error *dms_summary_csv(const struct dms_summary *summary, FILE *out);

/** The object dms_summary_json() prints; NULL: memory. */
struct json_t *dms_summary_object(const struct dms_summary *summary);
/** The calls of @finding with their stacks, as an array; NULL: memory. */
struct json_t *dms_calls_json(const struct dms_finding_summary *finding);

/** The calls of @finding, a line each and their stacks; @all frames of them. false: memory. */
bool dms_calls_print(const struct dms_finding_summary *finding, bool is_ns, bool all, FILE *out);

typedef void (*dms_line_fn)(const char *text, const void *context);
/** Have @put take what could not be judged, a line each reason, made harmless. false: memory. */
bool dms_notes_print(const struct dms_summary *summary, dms_line_fn put, const void *context);

/** Names of tasks and frames of the calls of @findings, out of @db into @arena. */
struct dms_error *dms_calls_name(struct sqlite3 *db, struct dms_arena *arena,
				 struct dms_finding_summary *findings, size_t n_findings);

/** Three digits that count: "0.0123", "7.62", "1,230"; 0 is "0". @rate: not negative. */
const char *dms_format_rate(double rate, char *buf, size_t size);
/** The same of bytes: "54.2 KiB". */
const char *dms_format_byte_rate(double rate, char *buf, size_t size);
/** "7.046780703" if @is_ns, else the plain count; "-" for UINT64_MAX. */
const char *dms_format_time(uint64_t ts, bool is_ns, char *buf, size_t size);

/** What cannot be judged or told: table not_judged, and that mappings were not stored. */
#define DMS_NOTES_SQL                                                                              \
	"(SELECT id, rule, device_id, reason FROM not_judged UNION ALL SELECT 0, NULL, NULL,"      \
	" 'mappings were not stored, only figures and findings: what is told of mappings one by one is"  \
	" missing' FROM run WHERE key = 'mappings_stored' AND value = '0')"

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files of the fleet room share: the server's handle, buffers, tables as rows. */
#ifndef FLEET_LOCAL_H
#define FLEET_LOCAL_H

#include <dmascope/fleet.h>

/* ---- schemas/clickhouse, made by embed.sh ---------------------------------------------------- */

/** How RowBinary writes a column: little-endian numbers, text with its length before it. */
enum fleet_kind { FLEET_8, FLEET_32, FLEET_I32, FLEET_64, FLEET_STRING, FLEET_ID };

struct fleet_column {
	const char *name;
	enum fleet_kind kind;
	bool is_nullable; /* one more byte before the value */
};

struct fleet_table {
	const char *name;
	const struct fleet_column *columns;
	size_t n_columns;
	const char *select; /* SQLite: its rows; columns are called as in @columns */
};
extern const struct fleet_table fleet_tables[]; /* the last one is runs */
extern const size_t fleet_n_tables;
/** Statements of the schemas; NULL ends them. */
extern const char *const fleet_single[], *const fleet_cluster[];

/* ---- bytes ----------------------------------------------------------------------------------- */

/** Bytes that grow; freed with dms_free(bytes.data). */
struct fleet_bytes {
	uint8_t *data;
	size_t n, capacity;
};
bool fleet_bytes_add(struct fleet_bytes *bytes, const void *data, size_t n);
/** printf() behind what is there. */
bool fleet_bytes_print(struct fleet_bytes *bytes, const char *fmt, ...) _printf_(2, 3);

/* ---- address.c ------------------------------------------------------------------------------- */

struct fleet_address {
	char *base;	/* "https://host:8443/" */
	char *database; /* a name of letters, digits and "_" */
	bool is_https, is_local;
};
struct dms_error *fleet_address_parse(const char *url, struct fleet_address *ret);
void fleet_address_deinit(struct fleet_address *address);

struct fleet_credentials {
	char *user, *password; /* NULL: none */
};
/** @path NULL: the environment. */
struct dms_error *fleet_credentials_read(const char *path, struct fleet_credentials *ret);
/** Overwrites what it frees. */
void fleet_credentials_deinit(struct fleet_credentials *credentials);

/* ---- http.c ---------------------------------------------------------------------------------- */

struct fleet_request {
	const char *doing; /* "inserting into mappings": begins every message */
	const char *sql;
	const void *body; /* data of an INSERT; NULL: none */
	size_t body_bytes;
	bool no_database;  /* it may not exist yet */
	bool is_read_only; /* the server is to refuse writing */
};
/** Send, again and again while that may help. @ret: the answer, may be NULL; it is appended to. */
struct dms_error *fleet_send(struct dms_fleet *fleet, const struct fleet_request *request,
			     struct fleet_bytes *ret);
/** Name of the database, as in the URL. */
const char *fleet_database(const struct dms_fleet *fleet);

/* ---- rowbinary.c ----------------------------------------------------------------------------- */

struct sqlite3_stmt;
/** Do the columns of @stmt have the names of those of @table? */
struct dms_error *fleet_row_check(struct sqlite3_stmt *stmt, const struct fleet_table *table);
/** Put the row @stmt stands on behind @bytes. A value that does not fit is an error. */
struct dms_error *fleet_row_add(struct fleet_bytes *bytes, struct sqlite3_stmt *stmt,
				const struct fleet_table *table);

/* ---- run.c, identity.c, result.c ------------------------------------------------------------- */

/** Facts in table run of a spool's copy: labels that were told. */
#define FLEET_HOST  "fleet_host"
#define FLEET_BUILD "fleet_build"
#define FLEET_TAKEN "fleet_taken_s"

/** Why rows of @db cannot be had: it is damaged, if memory is not short. */
struct sqlite3;
struct dms_error *fleet_read_error(struct sqlite3 *db, const char *doing);
/** Is @table not to be pushed? */
bool fleet_is_without(const struct dms_fleet_run *run, const char *table);
/** Room for an id as text, and the text. */
#define FLEET_ID_TEXT (2 * DMS_RUN_ID_BYTES + 1)
const char *fleet_id_text(const uint8_t id[static DMS_RUN_ID_BYTES],
			  char ret[static FLEET_ID_TEXT]);
/**
 * @run->capture: hash of the inputs. @run->id: of these, the program's version, the figures, the
 * labels, the tables that are not pushed: two pushes of one id send the same rows.
 */
struct dms_error *fleet_identify(struct dms_fleet_run *run);
/** Text of an answer in TabSeparatedWithNamesAndTypes as a database with table "result". */
struct dms_error *fleet_result_read(const char *text, size_t bytes, struct sqlite3 **ret);

#endif

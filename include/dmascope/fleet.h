/* SPDX-License-Identifier: LGPL-2.1-only */
/* Many runs in ClickHouse: pushing databases of analyze, and asking shipped questions. */
#ifndef DMASCOPE_FLEET_H
#define DMASCOPE_FLEET_H

#include <dmascope/base.h>

struct sqlite3;

/* ---- the server ------------------------------------------------------------------------------ */

/** A ClickHouse server, spoken to by HTTP. Used by one thread at a time. */
struct dms_fleet;

struct dms_fleet_options {
	const char *url;	 /* http[s]://HOST[:PORT][/DATABASE] */
	const char *credentials; /* file, mode 0600; NULL: what the environment says */
	const char *cacert;	 /* PEM file of who may sign the server; NULL: the system's */
	uint64_t retry_for_s;	 /* go on trying for so long when the server cannot take it */
	bool allow_plain;	 /* password over http to another machine */
};

/**
 * Get ready to speak to a server; nothing is sent. User and password are DMASCOPE_FLEET_USER and
 * DMASCOPE_FLEET_PASSWORD of the environment, or lines "user NAME" and "password WORD" of the file
 * of credentials (else DMASCOPE_FLEET_CREDENTIALS).
 * Errors: DMS_ERROR_USAGE: the URL is none, or holds a password; DMS_ERROR_INPUT: the file of
 * credentials is open to others; a password would cross the network in the clear.
 */
struct dms_error *dms_fleet_create(const struct dms_fleet_options *options, struct dms_fleet **ret);
void dms_fleet_destroy(struct dms_fleet *fleet);
/** Why the last call failed: the server was out of reach or overloaded, and may be back later. */
bool dms_fleet_may_recover(const struct dms_fleet *fleet);

/** Make the database and its tables, as far as they are not there; @cluster: on all its servers. */
struct dms_error *dms_fleet_init(struct dms_fleet *fleet, bool cluster);
/** The statements dms_fleet_init() would send, each ended by ";" and a line's end. */
void dms_fleet_schema(bool cluster, void (*take)(void *context, const char *sql), void *context);

/* ---- pushing --------------------------------------------------------------------------------- */

#define DMS_RUN_ID_BYTES 16

/** What is told of a run beside its database. NULL, 0: as the database has it. */
struct dms_fleet_labels {
	const char *host;  /* traced machine; database: the node name of its uname */
	const char *build; /* what was tested; database: the kernel's release */
	uint64_t taken_s;  /* when it was recorded, seconds since 1970; database: its file's time */
	struct dms_strings without; /* tables that are not pushed */
};

/** A run about to be pushed. */
struct dms_fleet_run {
	char *path;
	struct sqlite3 *db;
	uint8_t capture[DMS_RUN_ID_BYTES]; /* hash of the inputs */
	uint8_t id[DMS_RUN_ID_BYTES];	   /* hash of all that is pushed, see fleet_identify() */
	char *host, *build, *release; /* "": not known */
	uint32_t taken_s;
	const struct dms_strings *without; /* borrowed */
	bool was_there;			   /* dms_fleet_push(): in the fleet already, nothing sent */
};

/**
 * Open the finished database @path. @labels is borrowed. Errors: those of dms_db_open(); a table
 * in @labels->without that does not exist: DMS_ERROR_USAGE.
 */
struct dms_error *dms_fleet_run_open(const char *path, const struct dms_fleet_labels *labels,
				     struct dms_fleet_run *ret);
/** Free what @run has; zeroed memory is allowed. */
void dms_fleet_run_close(struct dms_fleet_run *run);

/** What a push did to one table, or would do. */
struct dms_fleet_count {
	const char *table; /* name */
	uint64_t rows;	   /* sent */
	uint64_t bytes;	   /* of RowBinary */
	uint64_t inserts;  /* requests */
};
typedef void (*dms_fleet_count_fn)(void *context, const struct dms_fleet_count *count);

/** As many runs as may be pushed at once. */
#define DMS_FLEET_MAX_RUNS 64

/**
 * Send @runs together, batch after batch, and their rows in table runs last: a run counts from then
 * on. Those that are in the fleet already are not sent. @fleet NULL: count only. @take, may be NULL,
 * is called for each table.
 * Errors: DMS_ERROR_INPUT: the server refuses, or is out of reach (see dms_fleet_may_recover()), or
 * a database holds what cannot be.
 */
struct dms_error *dms_fleet_push(struct dms_fleet *fleet, struct dms_fleet_run *runs, size_t n_runs,
				 dms_fleet_count_fn take, void *context);

/** "YYYY-MM-DD", "YYYY-MM-DD HH:MM:SS" (UTC) or "@SECONDS", since 1970. DMS_ERROR_USAGE. */
struct dms_error *dms_fleet_time(const char *text, uint64_t *ret_s);

/* ---- spool: runs that wait for the network --------------------------------------------------- */

/**
 * Copy the database of @run to @dir (made if missing, mode 0700) with its labels, safe from a power
 * cut when this returns. Twice: one file. @watch (NULL: nobody) is told of the file while it is unfinished.
 */
struct dms_part_watch;
struct dms_error *dms_fleet_spool_add(const char *dir, const struct dms_fleet_run *run,
				      const struct dms_part_watch *watch);
/** A spool being sent: the paths of its databases, sorted; no other process sends it meanwhile. */
struct dms_fleet_spool {
	int lock;
	char **paths;
	size_t n_paths, capacity;
};
/** Errors: DMS_ERROR_INPUT: no such folder, or another process is sending it. */
struct dms_error *dms_fleet_spool_open(const char *dir, struct dms_fleet_spool *ret);
/** Free and unlock @spool. */
void dms_fleet_spool_close(struct dms_fleet_spool *spool);

/* ---- asking ---------------------------------------------------------------------------------- */

/** The queries shipped in schemas/clickhouse/queries/, sorted by name. */
struct dms_fleet_query {
	const char *name;  /* "leaks" */
	const char *title; /* its first comment line */
	const char *sql;   /* with {words}: see struct dms_fleet_word */
};
extern const struct dms_fleet_query dms_fleet_queries[];
extern const size_t dms_n_fleet_queries;

/** *@ret: a database in memory with their names and titles in table "result". */
struct dms_error *dms_fleet_list(struct sqlite3 **ret);

/** A {word} of a query and the text that takes its place, quoted. */
struct dms_fleet_word {
	const char *word;
	const char *value; /* NULL: not given, an error if the query needs it */
};

/** @sql with its words replaced by quoted text; a word that is not there: DMS_ERROR_USAGE. */
struct dms_error *dms_fleet_fill(const char *sql, const struct dms_fleet_word *words,
				 size_t n_words, char **ret);
/** Run @sql, which only reads. *@ret: a database in memory with the rows in table "result". */
struct dms_error *dms_fleet_ask(struct dms_fleet *fleet, const char *sql, struct sqlite3 **ret);

#endif

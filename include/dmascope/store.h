/* SPDX-License-Identifier: LGPL-2.1-only */
/* The run database: written beside its name and renamed when complete; opened to read. */
#ifndef DMASCOPE_STORE_H
#define DMASCOPE_STORE_H

#include <dmascope/base.h>
#include <dmascope/model.h>
#include <dmascope/series.h>
#include <dmascope/stats.h>
#include <dmascope/symbols.h>

struct sqlite3;
struct dms_part_watch;

/** PRAGMA user_version of the schema this program writes and reads. */
#define DMS_SCHEMA_VERSION 3

/** A database being written. All rows pass to a writer thread in batches. */
struct dms_store;

struct dms_store_options {
	bool keep_events; /* fill event and event_segment (--events) */
	/*
	 * No row of mapping, mapping_segment and event, and of stacks only those that call sites and
	 * findings name: for whoever wants to compare runs. Wins over keep_events.
	 */
	bool figures_only;
	/*
	 * Whoever cannot know that he will come to an end (a plugin of another program): the database
	 * has its name from the beginning, and dms_store_commit() makes what is stored safe from our
	 * death; run.complete stays 0 until dms_store_finish(). Others may read meanwhile. Slower.
	 */
	bool in_place;
	/* Told when the file comes, goes and gets its name: src/store/part.h. Borrowed; NULL: nobody. */
	const struct dms_part_watch *part_watch;
};

/**
 * Begin the database that is to be called @path. It is built as "<path>.part" in the same
 * folder, locked against a second writer; an unlocked leftover of a killed run is replaced.
 * Errors: DMS_ERROR_INTERNAL (folder not writable, disk full), DMS_ERROR_USAGE (@path is a
 * folder, or exists and is not a dmascope database: never overwritten).
 */
struct dms_error *dms_store_create(const char *path, const struct dms_store_options *options,
				   struct dms_store **ret);
/** Free @store; if it was not finished, remove what was built, unless in place. NULL is allowed. */
void dms_store_destroy(struct dms_store *store);

/** Store what @step completes: a mapping row, a gap row. Errors of the writer come out here. */
struct dms_error *dms_store_step(struct dms_store *store, struct dms_model *model,
				 const struct dms_step *step);
/** True if storing a step of @kind asks the model for the number of its mapping's row. */
bool dms_store_wants_row(const struct dms_store *store, enum dms_step_kind kind);
/** Store one event, if events are kept. @mapping_row: of the mapping it concerns, or 0. */
struct dms_error *dms_store_event(struct dms_store *store, const struct dms_event *event,
				  uint64_t mapping_row);

/** Make all that was stored so far last, in place; otherwise nothing. */
struct dms_error *dms_store_commit(struct dms_store *store);

/*
 * The rest is told once, after the last step and before dms_store_finish(). What may have many rows,
 * dms_store_series() to dms_store_stacks(), should come first, devices in order: it goes to the file
 * as mappings do. Everything else ends that, and what then follows takes several times as long.
 */

/** Rows of series for one device: counts that are not 0, and every level. */
struct dms_error *dms_store_series(struct dms_store *store, const struct dms_device *device,
				   const struct dms_series *series);
/** Rows of histogram for one device. @stats may be NULL. */
struct dms_error *dms_store_histograms(struct dms_store *store, const struct dms_device *device,
				       const struct dms_device_stats *stats);
/** Row @number, from 1, of call_site, and its lifetimes. Told when the model has ended. */
struct dms_error *dms_store_site(struct dms_store *store, uint64_t number,
				 const struct dms_site *site);
/**
 * Rows of stack, frame and symbol for all of @stacks, named by @symbols (may be NULL). With
 * figures_only call sites and findings have to be told before.
 */
struct dms_error *dms_store_stacks(struct dms_store *store, const struct dms_stacks *stacks,
				   const struct dms_symbols *symbols);

/** One row of table run. NULL @value is allowed. */
struct dms_error *dms_store_run(struct dms_store *store, const char *key, const char *value);
struct dms_error *dms_store_run_u64(struct dms_store *store, const char *key, uint64_t value);
/** One row of input_file. */
struct dms_error *dms_store_input(struct dms_store *store, uint32_t index,
				  const struct dms_source_info *info, const char *hash);
struct dms_error *dms_store_instance(struct dms_store *store, uint32_t file, uint32_t index,
				     const char *name);
struct dms_error *dms_store_tracepoint(struct dms_store *store, uint32_t file,
				       const struct dms_tracepoint_count *count);
/** What is known of a device beside its events: from an inventory, or told by call stacks. */
struct dms_device_facts {
	const char *bus, *driver; /* NULL: not known */
	uint64_t dma_mask;	  /* 0: not known */
	int32_t iommu_group;	  /* -1: not known */
	uint64_t since_ts;	  /* no time is told that is earlier: what is older began with the trace */
};
/** Rows of device, device_counter, distribution and breakdown for one device. @facts, @stats may be NULL. */
struct dms_error *dms_store_device(struct dms_store *store, const struct dms_names *names,
				   const struct dms_device *device,
				   const struct dms_device_facts *facts,
				   const struct dms_device_stats *stats);
struct dms_error *dms_store_task(struct dms_store *store, uint32_t pid, const char *comm);
/** One row of table finding. Strings are borrowed for the call. */
struct dms_finding_row {
	const char *rule, *severity, *confidence;
	const char *reason;	/* NULL: certain */
	uint32_t device;	/* index, or DMS_ID_NONE */
	uint64_t mapping_row;	/* 0: none */
	uint64_t ts, dma_addr, size;
	uint32_t cpu, pid, stack; /* stack: DMS_ID_NONE if not recorded */
	bool has_event;		/* cpu and pid are known */
	bool has_dma_addr, has_size; /* else they are 0 */
	const char *message, *facts, *fingerprint;
};
struct dms_error *dms_store_finding(struct dms_store *store, const struct dms_finding_row *row);
/** One row of table finding_group. Strings are borrowed for the call. */
struct dms_finding_group {
	const char *rule, *severity, *confidence, *fingerprint;
	const char *reason; /* NULL: certain */
	uint32_t device;    /* index, or DMS_ID_NONE */
	uint64_t count, first_ts;
	uint64_t finding_row; /* the first that was stored, as told, from 1; 0: none */
};
struct dms_error *dms_store_finding_group(struct dms_store *store,
					  const struct dms_finding_group *group);

/** One row of not_judged; @device DMS_ID_NONE: the whole run. */
struct dms_error *dms_store_not_judged(struct dms_store *store, const char *rule, uint32_t device,
				       const char *reason);

/** Complete the database and give it its name. */
struct dms_error *dms_store_finish(struct dms_store *store);

/**
 * Open the finished database @path for reading.
 * Errors: DMS_ERROR_INPUT: missing, not SQLite, not ours, of another schema version, or not
 * complete (unless @allow_incomplete).
 */
struct dms_error *dms_db_open(const char *path, bool allow_incomplete, struct sqlite3 **ret);
/** sqlite3_close(); NULL is allowed. */
void dms_db_close(struct sqlite3 *db);
/**
 * An error if @db was built with figures_only: @what, such as "--folded", needs mappings.
 * DMS_ERROR_INPUT.
 */
struct dms_error *dms_db_need_mappings(struct sqlite3 *db, const char *what);
/** An error out of @db's last message. */
struct dms_error *dms_db_error(struct sqlite3 *db, const char *doing);

/** The queries shipped in schemas/queries/, sorted by name. */
struct dms_named_query {
	const char *name;  /* "leaks-by-device" */
	const char *title; /* its first comment line */
	const char *sql;
};
extern const struct dms_named_query dms_named_queries[];
extern const size_t dms_n_named_queries;
/** The schema, as shipped in schemas/001-init.sql. */
extern const char dms_schema_sql[];

#endif

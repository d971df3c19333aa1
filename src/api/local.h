/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files of the public API share: errors, structs of other versions, a run's handle. */
#ifndef DMASCOPE_API_LOCAL_H
#define DMASCOPE_API_LOCAL_H

#include <dmascope/dmascope.h>

#include "../run/run.h"

struct sqlite3;

/* error.c */
/** @err, which is taken, as the public API has it; NULL stays NULL. */
struct dmascope_error *api_error(struct dms_error *err);
/** The same, of kind STOPPED. */
struct dmascope_error *api_stopped(struct dms_error *err);
/** A caller's mistake. */
struct dmascope_error *api_usage(const char *fmt, ...) _printf_(1, 2);
/** NULL if @is_given, else that @function, a __func__, was given NULL for what it needs. */
struct dmascope_error *api_need(const char *function, bool is_given);
/**
 * Copy the caller's struct @from, whose first member is its size, to @to of @bytes: what an older
 * caller does not have is 0, what a newer one has and we do not must be. NULL @from: all 0.
 */
struct dmascope_error *api_copy(void *to, size_t bytes, const void *from, const char *what);

enum api_state { API_NEW, API_FEEDING, API_DONE, API_BROKEN };

/** A run: analysis.c and feed.c. */
struct dmascope_analysis {
	struct dms_arena *arena; /* the caller's strings, copied */
	struct dmascope_options options;
	struct dms_run_options run_options;
	struct dms_run_filter filter;
	struct dms_run run;
	enum api_state state;
	bool is_open;	 /* run is */
	bool is_stopped; /* by a callback */
	/* feed.c */
	struct dms_format *formats;
	size_t n_formats, formats_capacity;
	struct dmascope_feed_head head;
	struct dms_source *feed; /* the run's */
	uint64_t last_ts;
};

/* analysis.c */
/** A copy of @text in the handle; NULL stays NULL, and @ok becomes false when memory is short. */
const char *api_keep(struct dmascope_analysis *analysis, const char *text, bool *ok);
/** From here on the library talks to the handle's callback. Return: for api_leave(). */
struct dms_log_sink api_enter(struct dmascope_analysis *analysis);
/** The end of a call: what came of it, @err, is taken. */
struct dmascope_error *api_leave(struct dmascope_analysis *analysis, struct dms_log_sink before,
				 struct dms_error *err);
/** Open the run of @paths, or of run_options.source. */
struct dms_error *api_open(struct dmascope_analysis *analysis, const char *const *paths,
			   size_t n_paths);
/** All was read: write what it amounts to. */
struct dms_error *api_finish(struct dmascope_analysis *analysis);

/* tell.c: to the callbacks */
/** struct dms_run_watcher's; the context is the analysis. */
struct dms_error *api_tell_step(void *context, const struct dms_step *step);
struct dms_error *api_tell_finding(void *context, const struct dms_finding *finding,
				   const struct dms_finding_row *row);

/* database.c */
/** The connection of @db. */
struct sqlite3 *api_connection(struct dmascope_db *db);

#endif

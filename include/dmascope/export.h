/* SPDX-License-Identifier: LGPL-2.1-only */
/* A run for other programs: CSV, JSON, trace events, folded stacks, OpenMetrics. */
#ifndef DMASCOPE_EXPORT_H
#define DMASCOPE_EXPORT_H

#include <stdio.h>

#include <dmascope/base.h>

struct sqlite3;
struct dms_layout; /* see report.h; NULL: as the database has it */

/*
 * All of these only read @db, show what dms_select() has left of it, and give the same bytes for
 * the same database. Rows are written as they are read: memory does not grow with the run.
 * Errors: reading (DMS_ERROR_INPUT for a damaged database), memory, writing.
 */

/**
 * Write every table and the views device_summary, driver_summary, call_sites and findings into
 * the folder @dir, one RFC 4180 file each, and README, which describes their columns. The folder
 * is made, or is empty, or holds an export before: that is replaced once the new one is complete.
 * A README stands in complete exports only.
 * Errors: DMS_ERROR_USAGE: @dir is no folder, or holds files that are not ours.
 */
struct dms_error *dms_export_csv(struct sqlite3 *db, const char *dir,
				 const struct dms_layout *layout);

/** The whole report as one JSON object; schemas/report.schema.json describes it. */
struct dms_error *dms_export_json(struct sqlite3 *db, const struct dms_layout *layout,
				  FILE *out);

/**
 * Chrome's trace event format, which Perfetto reads too, sorted by time: a process for each
 * device, an asynchronous slice for each mapping, an instant for each finding, a counter for live
 * bytes. Times are those of the trace clock in microseconds, with the nanoseconds as fraction.
 */
struct dms_error *dms_export_trace_json(struct sqlite3 *db, FILE *out);

/** What a line of folded stacks counts. */
enum dms_fold { DMS_FOLD_BYTES, DMS_FOLD_COUNT };
/**
 * Folded stacks, the input of flame graphs: "device;outermost;...;innermost N", a line for each
 * device and stack that maps; N is the bytes it mapped, or how often.
 */
struct dms_error *dms_export_folded(struct sqlite3 *db, enum dms_fold fold, FILE *out);

/** The counters of the devices as OpenMetrics 1.0 text. */
struct dms_error *dms_export_openmetrics(struct sqlite3 *db, FILE *out);

#endif

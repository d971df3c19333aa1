/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files that make the HTML page share: its limits, and how rows become its data. */
#ifndef DMASCOPE_REPORT_HTML_H
#define DMASCOPE_REPORT_HTML_H

#include <jansson.h>
#include <sqlite3.h>

#include "local.h"

/** How much is told; whatever a run holds, the page stays below 2 MB. */
struct html_limits {
	uint32_t top;	     /* rows of any list */
	uint32_t each;	     /* findings of one rule on one device told one by one */
	uint32_t details;    /* devices with charts and call sites */
	uint32_t points;     /* of a series */
	uint32_t lanes;	     /* findings with a view of the mappings around them */
	uint32_t lane_items; /* mappings of such a view, and syncs */
	uint32_t notes;	     /* what was not judged: --top does not cut it */
};

/** The data of one page in the making. */
struct html_page {
	struct sqlite3 *db;
	struct html_limits limits;
	const struct dms_layout *layout; /* of the table of devices; may be NULL */
	int64_t base_ns; /* of the times in the page: JavaScript counts exactly to 2^53 only */
	json_t *root;
	json_t *frame_numbers; /* text of a frame to its place in member "frames" */
};

/* ---- html_rows.c: SQL to JSON ---------------------------------------------------------------- */

/**
 * Prepare @sql; the parameters :base, :top, :each, :details, :lanes, :notes, :sorted it names get
 * their values.
 * Ownership: *@ret is the caller's, sqlite3_finalize(); NULL after an error.
 */
struct dms_error *html_prepare(const struct html_page *page, const char *sql, sqlite3_stmt **ret);
/** Step @stmt: true in *@ret for a row, false at the end. */
struct dms_error *html_step(const struct html_page *page, sqlite3_stmt *stmt, bool *ret);
/** Run @sql, of whose rows nothing is wanted. */
struct dms_error *html_execute(const struct html_page *page, const char *sql);
/** Column @index as JSON; texts are made harmless and cut. NULL: memory. */
json_t *html_value(sqlite3_stmt *stmt, int index);
/**
 * The rows of @sql as member @name: {"columns": [...], "rows": [[...], ...], "total": n}. The
 * total is that of a last column called total_rows, which is left out, or the number of rows.
 */
struct dms_error *html_table(struct html_page *page, const char *name, const char *sql);

/**
 * Place of @value on a scale of four steps to each power of two, below HTML_STEPS; the script
 * in the page knows the way back.
 */
#define HTML_STEPS 252
unsigned int html_step_of(uint64_t value);
/** [[step, count], ...] of @counts, those that are not 0. NULL: memory. */
json_t *html_steps_json(const uint64_t counts[static HTML_STEPS]);

/* ---- the members ------------------------------------------------------------------------------ */

/** html_data.c: all that the tables hold ready. */
struct dms_error *html_add_tables(struct html_page *page);
/** html_series.c: figures over time. */
struct dms_error *html_add_series(struct html_page *page);
/** html_findings.c: findings one by one, with their calls and stacks. */
struct dms_error *html_add_findings(struct html_page *page);
/** The same: have stack @stack_id in members "stacks" and "frames"; 0: none. */
struct dms_error *html_add_stack(struct html_page *page, int64_t stack_id);
/** html_costs.c: what mapping costs: distributions, breakdowns, bounces, drivers. */
struct dms_error *html_add_costs(struct html_page *page);
/** html_scan.c: the lanes: one pass over all mappings; and call sites. */
struct dms_error *html_add_scan(struct html_page *page);

/* ---- made by scripts/embed-html.sh: the page around its summary and its data ---------------------- */

extern const char html_head[], html_middle[], html_tail[];

#endif

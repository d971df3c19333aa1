/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files that print a comparison as text share: the paper and the pen. */
#ifndef DMS_DIFF_OUT_TEXT_H
#define DMS_DIFF_OUT_TEXT_H

#include "../report/local.h"
#include "local.h"

#define DMS_MOST_LINES 20 /* of a list of what does not fail */

/** Where to print, and how. */
struct dms_paper {
	struct dms_pen pen;
	unsigned int width; /* 0: no limit */
	bool colour;
};

#define DMS_PLAIN  "\033[0m"
#define DMS_BOLD   "\033[1m"
#define DMS_RED	   "\033[1;31m"
#define DMS_YELLOW "\033[33m"
#define DMS_GREEN  "\033[32m"
#define DMS_DIM	   "\033[2m"

/** Go on in @escape, one of those above, if there are colours. */
void dms_paper_colour(struct dms_paper *paper, const char *escape);
void dms_paper_heading(struct dms_paper *paper, const char *text);
/** @text behind @label, which the lines that follow leave room for. */
void dms_paper_wrapped(struct dms_paper *paper, const char *label, const char *text);
/** A table with @n titles; NULL: memory, which the pen remembers. */
struct dms_table *dms_paper_table(struct dms_paper *paper, const char *const *titles, size_t n);
void dms_paper_cell(struct dms_paper *paper, struct dms_table *table, const char *text,
		    bool is_number);
/** A name behind @before: of a long one its end, which tells runs and functions apart. */
void dms_paper_name(struct dms_paper *paper, struct dms_table *table, const char *before,
		    const char *name);
/** Print @table, and destroy it. */
void dms_paper_close(struct dms_paper *paper, struct dms_table *table);

/** Findings by state, those that are suppressed apart: out_text_findings.c. */
void dms_paper_findings(struct dms_paper *paper, const struct dms_comparison *comparison);
/** Metrics that changed, and why others could not be judged: out_text_metrics.c. */
void dms_paper_metrics(struct dms_paper *paper, const struct dms_comparison *comparison);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The data of the HTML page of a comparison: lists by out_html_data.c, charts by out_html_charts.c.
 */
#ifndef DMS_DIFF_OUT_HTML_H
#define DMS_DIFF_OUT_HTML_H

#include <jansson.h>

#include "../report/local.h"
#include "local.h"

/** How much is told; whatever runs hold, the page stays below 2 MB. */
struct diff_html_limits {
	uint32_t findings, metrics, notes; /* rows of a list */
	uint32_t frames;		   /* of a stack */
	uint32_t kinds;			   /* device kinds with charts */
	uint32_t points;		   /* of a line */
};

struct diff_html {
	const struct dms_comparison *comparison;
	struct diff_html_limits limits;
	json_t *root;
};

/** @text harmless and cut; null for NULL. NULL: memory. */
json_t *diff_html_text(const char *text);
/** Add what there is to @page's root. */
struct dms_error *diff_html_add_lists(struct diff_html *page);
struct dms_error *diff_html_add_charts(struct diff_html *page);

/* ---- made by scripts/embed-html.sh: the page around its text and its data
 * ------------------------ */

extern const char diff_html_head[], diff_html_middle[], diff_html_tail[];

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files of src/diff share: the printers, one row each in outputs.c. */
#ifndef DMS_DIFF_LOCAL_H
#define DMS_DIFF_LOCAL_H

#include <dmascope/diff.h>

typedef struct dms_error *dms_diff_print(const struct dms_comparison *comparison, FILE *out,
					 unsigned int width, bool colour);

dms_diff_print dms_diff_print_text;	/* out_text.c */
dms_diff_print dms_diff_print_markdown; /* out_markdown.c: a comment of a merge request */
dms_diff_print dms_diff_print_json;	/* out_json.c: schemas/diff.schema.json */
dms_diff_print dms_diff_print_junit;	/* out_junit.c */
dms_diff_print dms_diff_print_sarif;	/* out_sarif.c: SARIF 2.1.0 */
dms_diff_print dms_diff_print_github;	/* out_github.c: workflow commands */
dms_diff_print dms_diff_print_gitlab;	/* out_gitlab.c: Code Quality report */
dms_diff_print dms_diff_print_tap;	/* out_tap.c: TAP 14, KTAP's elder */
dms_diff_print dms_diff_print_html;	/* out_html.c: one self-contained page */

/* ---- what several printers say alike: outputs.c ---------------------------------------------- */

/** "new error" or "unchanged warning (suppressed by NAME)": a finding's change in a few words. */
char *dms_change_label(const struct dms_finding_change *change);
/** The side of @change that tells most: head, or base where head has none. */
const struct dms_base_finding *dms_change_finding(const struct dms_finding_change *change);
/** "function[module]" of the innermost frame; "-": not known. @buf is returned. */
const char *dms_change_site(const struct dms_base_finding *finding, char *buf, size_t size);
/** A value of a metric with its unit, for people: "12.3 us", "4.0 KiB", "3.1 %", "1,234". */
const char *dms_format_value(double value, const struct dms_metric *metric, char *buf, size_t size);

#endif

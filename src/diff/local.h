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
dms_diff_print dms_diff_print_tap;	/* out_tap.c: TAP 13, which 14 includes */
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

/* ---- what several printers say alike: words.c ------------------------------------------------ */

/** "PASS", "FAIL", "TOO LOSSY TO JUDGE". */
const char *dms_verdict_name(enum dms_verdict verdict);
/**
 * What was found, in one line, gravest first: "2 new errors, 1 worse metric, 7 unchanged"; "no
 * findings" where there is nothing. NULL: memory.
 */
char *dms_diff_headline(const struct dms_comparison *comparison);
/** Is it worse, better or noisy: worth a row of its own? */
bool dms_metric_is_changed(const struct dms_metric_change *change);
size_t dms_count_metrics(const struct dms_comparison *comparison, enum dms_state state);
/** "+270 %", "-75 %", "x12"; "from 0" for INFINITY, "-" for NAN. @buf is returned. */
const char *dms_format_change(double change, char *buf, size_t size);
/** "50 % and 1.0 us": beyond what a difference counts. "never": it does not. @buf is returned. */
const char *dms_format_threshold(const struct dms_metric_change *change, char *buf, size_t size);
/** A p value, an effect: "0.0079", "<0.0001"; "-" for NAN. @buf is returned. */
const char *dms_format_p(double p, char *buf, size_t size);
/** strcmp() of two reasons but for their numbers: "12 maps" and "13 maps" are one. NULL is first.
 */
int dms_compare_reasons(const char *a, const char *b);
/** Metrics of one state and, but for its numbers, of one reason. */
struct dms_metric_group {
	const struct dms_metric_change *first;
	size_t n;
};
/**
 * Sort the metrics of @state into at most @most groups, in the order of their first ones.
 * *ret_left: how many are in none. Return: how many groups there are.
 */
size_t dms_metric_groups(const struct dms_comparison *comparison, enum dms_state state,
			 struct dms_metric_group *groups, size_t most, size_t *ret_left);
/** "lifetime_p99 of ethdrv", "lifetime_p99 of ethdrv and 11 more"; NULL: memory. */
char *dms_metric_group_text(const struct dms_metric_group *group);
/** The first run of the head, or else of the base, that has @finding; NULL: there is none. */
const struct dms_baseline *dms_change_run(const struct dms_comparison *comparison,
					  const struct dms_finding_change *change);

/** What a format wants instead of some characters. */
struct dms_swap {
	char from;
	const char *to;
};
/** Where to write, and what to swap; a list ends with a NUL. It remembers that memory was short. */
struct dms_pen {
	FILE *out;
	const struct dms_swap *swaps; /* NULL: none */
	size_t most_bytes;	      /* longer text is cut, and ends in "..."; 0: it never is */
	bool has_failed;
};
/** Write @text, which may come from a trace: on one line, controls visible, UTF-8, swapped. */
void dms_pen_text(struct dms_pen *pen, const char *text);
/** Write what is ours, as it is. */
void dms_pen_put(struct dms_pen *pen, const char *fmt, ...) _printf_(2, 3);
/** "function[module]", or "-". */
void dms_pen_frame(struct dms_pen *pen, const struct dms_function *frame);
/** What went wrong with @pen or its file. */
struct dms_error *dms_pen_end(const struct dms_pen *pen);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files that compare share: both sides, and how something is said about them. */
#ifndef DMS_DIFF_COMPARE_H
#define DMS_DIFF_COMPARE_H

#include <dmascope/diff.h>

enum dms_side { DMS_BASE, DMS_HEAD, DMS_SIDES };

/** A comparison being made. */
struct dms_comparing {
	const struct dms_compare_options *options;
	struct dms_comparison *result;
	struct dms_arena *arena; /* of the result */
	const struct dms_baseline *const *runs[DMS_SIDES];
	size_t n_runs[DMS_SIDES];
	const struct dms_suppression *suppressions;
	bool *is_used; /* one a suppression */
	size_t n_suppressions;
	double alpha;
	bool is_out_of_memory; /* asked once, at the end */
};

/** A finding of all runs of both sides. */
struct dms_finding_group {
	const struct dms_base_finding **of[DMS_SIDES]; /* one a run; NULL: it does not have it */
	uint32_t n_of[DMS_SIDES];		       /* how many have it */
	const char *doubt; /* it may be one of several of the other side; NULL: it is not */
	bool is_merged;	   /* it was found to be another one; nothing more is to be done */
};

/** Text of the result's arena; NULL when memory is short, which @comparing remembers. */
const char *dms_compare_say(struct dms_comparing *comparing, const char *fmt, ...) _printf_(2, 3);
/** Zeroed memory of the result's arena, likewise. */
void *dms_compare_alloc(struct dms_comparing *comparing, size_t n, size_t element_bytes);
/** The median of @values, which are sorted by it; NAN: there are none. */
double dms_compare_median(double *values, size_t n);
/** strcmp() where NULL comes before all strings. */
int dms_compare_strings(const char *a, const char *b);

/** Fill in the findings of the result: compare_findings.c; the metrics: compare_metrics.c. */
void dms_compare_findings(struct dms_comparing *comparing);
void dms_compare_metrics(struct dms_comparing *comparing);
/** What only one side can judge, and what none can: coverage.c. */
void dms_compare_coverage(struct dms_comparing *comparing);

/** Whoever is left over and has unknown parts may be one of the other side: compare_match.c. */
void dms_compare_match(struct dms_comparing *comparing, struct dms_finding_group *groups, size_t n);
/** Any of the findings of @group on @side; NULL: it has none. compare_match.c */
const struct dms_base_finding *dms_group_any(const struct dms_comparing *comparing,
					     const struct dms_finding_group *group,
					     enum dms_side side);

/**
 * Why @run would not have seen @finding if it were there; NULL: it would. What @witness, which saw
 * it, could not judge either is no reason; NULL: there is no witness. coverage.c
 */
const char *dms_compare_obstacle(struct dms_comparing *comparing, const struct dms_baseline *run,
				 const struct dms_base_finding *finding,
				 const struct dms_baseline *witness);
/**
 * Rules that head cannot judge, and base neither if @base_too, otherwise only head: "leak-at-unbind,
 * map-from-stack and 3 more rules", gravest first; NULL: none. After coverage. coverage.c
 */
const char *dms_compare_blind_rules(struct dms_comparing *comparing, bool base_too);
/** Events were lost in @run, or may have been. */
bool dms_run_is_lossy(const struct dms_baseline *run);
/** Maps of devices of @kind in @run; 0: it has not seen any. */
uint64_t dms_run_maps(const struct dms_baseline *run, const char *kind);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Runs compared: fingerprints, baselines, thresholds, suppressions, states, and how CI reads them. */
#ifndef DMASCOPE_DIFF_H
#define DMASCOPE_DIFF_H

#include <stdio.h>

#include <dmascope/base.h>
#include <dmascope/rules.h>

struct sqlite3;

/* ---- fingerprints: fingerprint.c ------------------------------------------------------------- */

/** One function, as a call stack names it. */
struct dms_function {
	const char *name;   /* without the compiler's suffixes; NULL: not known */
	const char *module; /* NULL: the kernel itself */
};

/** What the same defect has in common in any run, on any machine, in any build of its driver. */
struct dms_fingerprint {
	const char *rule;
	const char *device_kind;	 /* driver; without, the name with its numbers taken out */
	struct dms_function map_site;	 /* who mapped */
	struct dms_function site;	 /* who broke the rule; of a leak nobody did */
	const char *direction;		 /* "TO_DEVICE"; NULL: none is concerned */
	uint64_t size_bytes;		 /* 0: none is concerned */
};
/**
 * "RULE:KIND:MAP_SITE:SITE:DIRECTION:2^N" with sites as "function[module]" and "-" for what is not
 * known. Colons, and all that is not printable ASCII, become "_" in the parts. Names of sites may
 * still have the compiler's suffixes. NULL: memory.
 */
char *dms_fingerprint_text(const struct dms_fingerprint *fingerprint);
/**
 * Bytes of @name that are the function's own: without ".isra.0", ".constprop.0", ".part.0",
 * ".cold", ".llvm.123", which change with the compiler's mind.
 */
size_t dms_function_length(const char *name);
/**
 * What kind of device @name is where no driver is known: "pci" for a PCI address, otherwise runs
 * of digits become "#" ("serial8250.3" is "serial8250.#"), and so does a device tree's address at
 * the beginning ("fe300000.mmc" is "#.mmc"). NULL: memory.
 */
char *dms_device_kind(const char *name);

/* ---- configuration: config.c, suppress.c ----------------------------------------------------- */

enum dms_polarity {
	DMS_NEITHER,	    /* told, never judged */
	DMS_LESS_IS_BETTER,
	DMS_MORE_IS_BETTER,
};

/** Whose figure a measurement is. */
enum dms_scope {
	DMS_SCOPE_KIND,	  /* all devices of a device kind: of a driver, mostly */
	DMS_SCOPE_DEVICE, /* one device by its name; only where its kind has several */
	DMS_SCOPE_SITE,	  /* "KIND function[module]": a function that maps */
	DMS_MAX_SCOPES
};
/** "driver", "device", "site". */
const char *dms_scope_name(enum dms_scope scope);

/** When a difference counts: it must be beyond both limits, and of enough samples on both sides. */
struct dms_threshold {
	double relative;      /* 0.5: half as much again; infinite: never */
	double absolute;      /* in the unit of the metric */
	uint64_t min_samples; /* values behind each figure; of several runs, of all together */
};

/** A metric: rows of metrics.c. */
struct dms_metric {
	const char *name;  /* "lifetime_p99" */
	const char *unit;  /* "ns", "bytes", "1" (a share or a count), "1/s" */
	const char *title; /* "lifetime, 99th percentile" */
	enum dms_polarity polarity;
	struct dms_threshold threshold; /* if the configuration has no other */
};
extern const struct dms_metric dms_metrics[];
extern const size_t dms_n_metrics;
/** The metric called @name; NULL: there is none. */
const struct dms_metric *dms_metric_find(const char *name);

/** A block of a suppression file. Strings belong to the configuration; NULL: any. */
struct dms_suppression {
	const char *name;	    /* never NULL */
	const char *rule, *driver, *device; /* globs; driver also fits the device kind */
	const char *fingerprint;    /* glob: where all that is said above fits others, too */
	const char *const *frames;  /* globs of functions, innermost first; "..." is any number */
	size_t n_frames;
	const char *reason;	    /* never NULL */
	int32_t expires_day;	    /* days since 1970-01-01, the last on which it holds; 0: never */
	const char *file;	    /* where it stands */
	unsigned int line;
};

/** What a project decides: thresholds, kinds of devices, suppressions. */
struct dms_config;
/** The defaults. NULL: memory. */
struct dms_config *dms_config_create(void);
void dms_config_destroy(struct dms_config *config);
/**
 * Read the YAML file @path (at most 4 MiB) into @config: its keys are thresholds, device-kinds,
 * suppressions, each may be missing. Later files win. Errors: DMS_ERROR_USAGE with file and line:
 * unknown keys, metrics, rules that fit no rule, dates that are none.
 */
struct dms_error *dms_config_read(struct dms_config *config, const char *path);
/** One threshold as on the command line: "METRIC=RELATIVE[,ABSOLUTE[,SAMPLES]]" or "METRIC=off". */
struct dms_error *dms_config_set_threshold(struct dms_config *config, const char *text);
/** "GLOB=KIND": devices whose name fits GLOB are of that kind. Earlier ones win. */
struct dms_error *dms_config_set_kind(struct dms_config *config, const char *text);
/** The threshold of @metric, and its polarity, which a configuration may change. */
void dms_config_threshold(const struct dms_config *config, const struct dms_metric *metric,
			  struct dms_threshold *ret, enum dms_polarity *ret_polarity);
/** The kind a configuration gives to @device; NULL: none. Borrowed. */
const char *dms_config_kind(const struct dms_config *config, const char *device);
/** All suppressions, in the order they were read. */
const struct dms_suppression *dms_config_suppressions(const struct dms_config *config,
						      size_t *ret_n);
/** Days since 1970-01-01 of "YYYY-MM-DD"; -1: it is no date. */
int32_t dms_day_parse(const char *text);

/* ---- one run to be compared: baseline.c, baseline_read.c, baseline_json.c --------------------- */

/** A finding of a run: all that have one fingerprint. */
struct dms_base_finding {
	const char *fingerprint, *rule, *device_kind, *direction; /* direction: NULL: none */
	enum dms_severity severity;	/* the gravest, and how sure it is */
	enum dms_confidence confidence;
	const char *reason;		/* for less than certainty; NULL: certain */
	uint64_t count;
	const char *title;		/* of the rule */
	/* call stacks of the first one, innermost first, without the DMA core */
	const struct dms_function *frames, *map_frames;
	size_t n_frames, n_map_frames;
	/* known from a database only; NULL, 0 from a file */
	const char *device;		/* of the first one */
	const char *message;
	uint64_t first_ts;
};

struct dms_measurement {
	const struct dms_metric *metric;
	enum dms_scope scope;
	const char *subject;
	double value;
	uint64_t samples; /* values it was made of: maps, lifetimes */
};

/** What a run could not judge. */
struct dms_blind_spot {
	const char *rule;	 /* or area; NULL: everything */
	const char *device_kind; /* NULL: every device */
	const char *reason;
};

/** A device kind that a run has seen. */
struct dms_base_kind {
	const char *name;
	uint64_t devices, maps;
};

/** A run, as its database or its baseline file tells it. Everything sorted: same run, same bytes. */
struct dms_baseline {
	struct dms_arena *arena; /* of all strings and lists */
	const char *path;	 /* as given */
	struct sqlite3 *db;	 /* open; NULL: it was a file */
	const char *kernel, *version; /* release; of the program that judged. NULL: not known */
	bool is_complete, has_stacks;
	uint64_t events, gaps, lost_events;
	uint64_t filtered_devices; /* calls of theirs are missing, as a filter leaves them: not in files */
	double seconds;		 /* counted; 0: the clock does not tell */
	const struct dms_base_finding *findings; /* by fingerprint */
	size_t n_findings;
	const struct dms_measurement *measurements; /* by scope, subject, metric */
	size_t n_measurements;
	const struct dms_blind_spot *blind_spots;
	size_t n_blind_spots;
	const struct dms_base_kind *kinds;
	size_t n_kinds;
	const char *const *rules_off; /* switched off when it was judged */
	size_t n_rules_off;
};
/**
 * Open @path, a database or a baseline file, known by its content. @config: kinds of devices.
 * Errors: DMS_ERROR_INPUT: neither, damaged, of another schema.
 */
struct dms_error *dms_baseline_open(const char *path, const struct dms_config *config,
				    struct dms_baseline **ret);
void dms_baseline_destroy(struct dms_baseline *baseline);
/** Write @baseline as JSON of schemas/baseline.schema.json, a line an item, for git. */
struct dms_error *dms_baseline_print(const struct dms_baseline *baseline, FILE *out);

/* ---- comparison: compare.c, compare_metrics.c, significance.c ---------------------------------- */

enum dms_state {
	DMS_STATE_NEW,
	DMS_STATE_WORSE,
	DMS_STATE_UNCHANGED,
	DMS_STATE_BETTER,
	DMS_STATE_FIXED,
	DMS_STATE_NOT_JUDGED,
	DMS_STATE_NOISY, /* metrics: beyond the threshold, but so are runs of the same side */
	DMS_MAX_STATES
};
/** "new", "worse", "unchanged", "better", "fixed", "not judged", "too noisy". */
const char *dms_state_name(enum dms_state state);

struct dms_finding_change {
	enum dms_state state;
	const struct dms_base_finding *base, *head; /* NULL: that side has none; of several runs
						       the one with most */
	uint32_t runs_base, runs_head; /* how many of the runs have it */
	uint64_t count_base, count_head; /* median over the runs that have it, rounded up */
	const char *reason; /* NOT_JUDGED: why; WORSE, BETTER: in what; NEW: why base may have had
			       it unseen; NULL: nothing to tell */
	const struct dms_suppression *suppressed; /* then it never fails; NULL: it is not */
	bool fails;
};

struct dms_metric_change {
	enum dms_state state; /* NEW and FIXED do not occur; a subject only one side has is NOT_JUDGED */
	const struct dms_metric *metric;
	enum dms_polarity polarity;
	struct dms_threshold threshold;
	enum dms_scope scope;
	const char *subject;
	double base, head; /* medians over the runs; NAN: no value */
	uint32_t n_base, n_head; /* runs that have a value */
	uint64_t samples_base, samples_head; /* the least of a run */
	double change;	   /* (head - base) / base; NAN, INFINITY */
	double p, p_holm;  /* Mann-Whitney, two-sided, exact or not; NAN: not tested */
	double effect;	   /* Cliff's delta of the runs, -1 to 1; NAN: not tested */
	const char *reason; /* why not judged, or noisy; how it was decided where runs were too few
			       for a test; NULL: nothing to tell */
	bool fails;
};

struct dms_coverage_change {
	const char *rule, *device_kind, *reason; /* as in dms_blind_spot */
	bool in_base, in_head; /* which side has the blind spot */
};

/** What is said about the gate as a whole. */
enum dms_verdict {
	DMS_VERDICT_PASS,
	DMS_VERDICT_FAIL,   /* something is new or worse: exit code 1 */
	DMS_VERDICT_LOSSY,  /* nothing is, but what could have been was not judged: exit code 3 */
};

struct dms_compare_options {
	const struct dms_config *config;
	enum dms_severity fail_severity; /* new or worse findings at least so grave fail */
	enum dms_confidence fail_confidence;
	bool never_fails;    /* the states are told all the same */
	bool metrics_fail;   /* worse metrics fail, too */
	bool allow_lossy;    /* what is not judged does not fail */
	double alpha;	     /* of the tests; 0: 0.05 */
	int32_t today;	     /* days since 1970-01-01: suppressions expire */
};

struct dms_comparison {
	struct dms_arena *arena;
	const struct dms_baseline *const *base, *const *head; /* borrowed */
	/* n_base 0: nothing to compare with: all findings are new, no metrics, no coverage */
	size_t n_base, n_head;
	enum dms_verdict verdict;
	const char *const *reasons;  /* of the verdict, one sentence each, gravest first; the last
					ones: what was not judged at all */
	size_t n_reasons;
	const struct dms_finding_change *findings; /* those that fail first, then by state, rule */
	size_t n_findings;
	const struct dms_metric_change *metrics;   /* the same, by how much they changed */
	size_t n_metrics;
	const struct dms_coverage_change *coverage; /* what only one side could judge */
	size_t n_coverage;
	const struct dms_coverage_change *unjudged; /* what neither could; of no base: what head
						       could not */
	size_t n_unjudged;
	const struct dms_suppression *const *unused, *const *expired;
	size_t n_unused, n_expired;
};
/** Compare. The baselines must outlive the result. Errors: memory. */
struct dms_error *dms_compare(const struct dms_baseline *const *base, size_t n_base,
			      const struct dms_baseline *const *head, size_t n_head,
			      const struct dms_compare_options *options,
			      struct dms_comparison **ret);
void dms_comparison_destroy(struct dms_comparison *comparison);

/** The first suppression on @day that fits @finding; NULL: none. suppress.c */
const struct dms_suppression *dms_suppression_find(const struct dms_config *config,
						   const struct dms_base_finding *finding,
						   int32_t day);
/** Write a suppression for each finding that would fail, as a file dms_config_read() reads. */
struct dms_error *dms_suppressions_print(const struct dms_comparison *comparison, FILE *out);

/**
 * p of the two-sided Mann-Whitney U test: exact, also with ties, as long as that takes at most
 * DMS_EXACT_RUNS values in all, otherwise the normal approximation with ties and continuity
 * corrected, as scipy and R do. NAN: a side is empty, or memory is short. *ret_u: U of @x.
 */
double dms_mann_whitney(const double *x, size_t n_x, const double *y, size_t n_y, double *ret_u);
#define DMS_EXACT_RUNS 40
/** Holm's step-down correction of @n p values, in place, NAN left out. False: memory is short. */
bool dms_holm(double *p, size_t n);

/* ---- output: out_*.c ----------------------------------------------------------------------------- */

struct dms_diff_output {
	const char *name;	/* "markdown" */
	const char *extension;	/* "md" */
	const char *help;
	struct dms_error *(*print)(const struct dms_comparison *comparison, FILE *out,
				   unsigned int width, bool colour);
};
/** Ends with a NULL name. Only text cares for @width and @colour. */
extern const struct dms_diff_output dms_diff_outputs[];

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs by hand for the tests of comparisons: findings and figures are added as a test needs them.
 */
#ifndef TESTS_LIB_BASELINES_H
#define TESTS_LIB_BASELINES_H

#include <check.h>
#include <string.h>

#include <dmascope/diff.h>

#define MAX_ITEMS 64
#define MAX_RUNS  24

/** A run with room for what it says: complete, with call stacks, 1,000 maps of kinds "e1000e",
 * "pci". */
struct bench_run {
	struct dms_baseline baseline;
	struct dms_base_finding findings[MAX_ITEMS];
	struct dms_measurement measurements[MAX_ITEMS];
	struct dms_blind_spot spots[MAX_ITEMS];
	struct dms_base_kind kinds[MAX_ITEMS];
	const char *rules_off[4];
	char texts[MAX_ITEMS][4][64]; /* of the findings */
};

/** Two sides, of one run each unless a test says otherwise, and what came of them. */
struct bench {
	struct bench_run base[MAX_RUNS], head[MAX_RUNS];
	const struct dms_baseline *bases[MAX_RUNS], *heads[MAX_RUNS]; /* the result borrows them */
	size_t n_base, n_head;
	struct dms_compare_options options;
	struct dms_comparison *result;
};

static inline void run_init(struct bench_run *run, const char *path)
{
	*run = (struct bench_run){.baseline = {.path = path,
					       .is_complete = true,
					       .has_stacks = true,
					       .events = 2000,
					       .seconds = 1,
					       .findings = run->findings,
					       .measurements = run->measurements,
					       .blind_spots = run->spots,
					       .kinds = run->kinds,
					       .rules_off = run->rules_off}};
	run->kinds[0] = (struct dms_base_kind){"e1000e", 1, 1000};
	run->kinds[1] = (struct dms_base_kind){"pci", 1, 1000};
	run->baseline.n_kinds = 2;
}

static inline void bench_init(struct bench *bench)
{
	static const char *const paths[2][MAX_RUNS] = {{"base.db", "base2.db", "base3.db"},
						       {"head.db", "head2.db", "head3.db"}};

	*bench = (struct bench){.n_base = 1, .n_head = 1};
	bench->options.fail_severity = DMS_SEVERITY_ERROR;
	bench->options.fail_confidence = DMS_LIKELY;
	bench->options.today = 20000;
	for (size_t i = 0; i < MAX_RUNS; i++) {
		run_init(&bench->base[i], paths[0][i] ? paths[0][i] : "base");
		run_init(&bench->head[i], paths[1][i] ? paths[1][i] : "head");
	}
}

static inline void bench_clear(struct bench *bench)
{
	dms_comparison_destroy(bench->result);
	bench->result = NULL;
}

/** An error that is certain and was found once; its rule, kind and direction are of @fingerprint.
 */
static inline struct dms_base_finding *add_finding(struct bench_run *run, const char *fingerprint)
{
	size_t n = run->baseline.n_findings++;
	struct dms_base_finding *finding = &run->findings[n];
	static const struct dms_function frame = {"f", NULL};

	ck_assert_uint_lt(n, MAX_ITEMS);
	sscanf(fingerprint, "%63[^:]:%63[^:]", run->texts[n][0], run->texts[n][1]);
	*finding = (struct dms_base_finding){
		.fingerprint = fingerprint,
		.rule = run->texts[n][0],
		.device_kind = run->texts[n][1],
		.severity = DMS_SEVERITY_ERROR,
		.confidence = DMS_CERTAIN,
		.count = 1,
		.title = "title",
		.frames = &frame,
		.n_frames = 1,
	};
	return finding;
}

static inline void add_spot(struct bench_run *run, const char *rule, const char *kind,
			    const char *reason)
{
	ck_assert_uint_lt(run->baseline.n_blind_spots, MAX_ITEMS);
	run->spots[run->baseline.n_blind_spots++] = (struct dms_blind_spot){rule, kind, reason};
}

/** A figure of the device kind "e1000e", made of 1,000 samples. */
static inline struct dms_measurement *add_value(struct bench_run *run,
						const struct dms_metric *metric, double value)
{
	struct dms_measurement *measurement = &run->measurements[run->baseline.n_measurements++];

	ck_assert_uint_le(run->baseline.n_measurements, MAX_ITEMS);
	*measurement = (struct dms_measurement){
		.metric = metric, .subject = "e1000e", .value = value, .samples = 1000};
	return measurement;
}

static inline const struct dms_comparison *compare(struct bench *bench)
{
	struct dms_error *err;

	bench_clear(bench);
	for (size_t i = 0; i < MAX_RUNS; i++) {
		bench->bases[i] = &bench->base[i].baseline;
		bench->heads[i] = &bench->head[i].baseline;
	}
	err = dms_compare(bench->bases, bench->n_base, bench->heads, bench->n_head, &bench->options,
			  &bench->result);
	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	return bench->result;
}

/** The one change of a finding there is. */
static inline const struct dms_finding_change *only_finding(struct bench *bench)
{
	ck_assert_uint_eq(compare(bench)->n_findings, 1);
	return &bench->result->findings[0];
}

/** The one change of a metric there is. */
static inline const struct dms_metric_change *only_metric(struct bench *bench)
{
	ck_assert_uint_eq(compare(bench)->n_metrics, 1);
	return &bench->result->metrics[0];
}

/** @text has @part in it. */
#define ck_assert_has(text, part)                                                                  \
	ck_assert_msg((text) && strstr((text), (part)), "\"%s\" does not have \"%s\"",             \
		      (text) ? (text) : "NULL", (part))

#endif

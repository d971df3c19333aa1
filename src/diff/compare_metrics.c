// SPDX-License-Identifier: LGPL-2.1-only
/* Metrics of both sides: which differ by more than their thresholds, and by more than chance. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"

/*
 * How a figure is judged:
 * - The difference must be beyond the relative and the absolute threshold, and both sides must be
 *   made of enough samples.
 * - With one run on each side that is all, but for figures that jump without cause (traits).
 * - With two runs or more on both sides it must also be significant: Mann-Whitney, exact, corrected
 *   by Holm for all figures that were tested in this comparison.
 * - With so few runs that not even the clearest difference could be significant, and with several
 *   runs on one side only, the runs must be separate: every one of head beyond every one of base.
 * Otherwise runs of one side differ as much as the sides do: too noisy.
 */

/* ---- figures of both sides, side by side ----------------------------------------------------- */

struct sided_measurement {
	const struct dms_measurement *measurement;
	size_t run;
	enum dms_side side;
};

/* A figure of all runs: a stretch of the sorted list. */
struct figure {
	double *values[DMS_SIDES]; /* without those that are none */
	double p;		   /* raw; NAN: not tested */
	double u;
	bool is_tested; /* it may be judged, whatever the thresholds say */
};

static int compare_subjects(const struct dms_measurement *x, const struct dms_measurement *y)
{
	int order = (int)x->scope - (int)y->scope;

	if (!order)
		order = strcmp(x->subject, y->subject);
	return order ? order : strcmp(x->metric->name, y->metric->name);
}

static int compare_sided(const void *a, const void *b)
{
	const struct sided_measurement *x = a, *y = b;
	int order = compare_subjects(x->measurement, y->measurement);

	if (!order)
		order = (int)x->side - (int)y->side;
	return order ? order : (x->run > y->run) - (x->run < y->run);
}

static struct sided_measurement *gather(struct dms_comparing *comparing, size_t *ret_n)
{
	struct sided_measurement *all;
	size_t n = 0;

	for (int side = 0; side < DMS_SIDES; side++) {
		for (size_t i = 0; i < comparing->n_runs[side]; i++)
			n += comparing->runs[side][i]->n_measurements;
	}
	*ret_n = n;
	if (!(all = dms_compare_alloc(comparing, n, sizeof(*all))))
		return NULL;
	n = 0;
	for (int side = 0; side < DMS_SIDES; side++) {
		for (size_t i = 0; i < comparing->n_runs[side]; i++) {
			const struct dms_baseline *run = comparing->runs[side][i];

			for (size_t j = 0; j < run->n_measurements; j++)
				all[n++] = (struct sided_measurement){&run->measurements[j], i,
								      (enum dms_side)side};
		}
	}
	qsort(all, n, sizeof(*all), compare_sided);
	return all;
}

/* Fill in what the runs say: @n measurements of one metric of one subject. */
static void take(struct dms_comparing *comparing, const struct sided_measurement *of, size_t n,
		 struct figure *figure, struct dms_metric_change *change)
{
	uint32_t n_values[DMS_SIDES] = {0, 0};
	uint64_t least[DMS_SIDES] = {0, 0};

	figure->values[DMS_BASE] = dms_compare_alloc(comparing, 2 * n, sizeof(double));
	if (!figure->values[DMS_BASE])
		return;
	figure->values[DMS_HEAD] = figure->values[DMS_BASE] + n;
	for (size_t i = 0; i < n; i++) {
		const struct dms_measurement *measurement = of[i].measurement;
		enum dms_side side = of[i].side;

		if (isnan(measurement->value))
			continue;
		if (!n_values[side] || measurement->samples < least[side])
			least[side] = measurement->samples;
		figure->values[side][n_values[side]++] = measurement->value;
	}
	*change = (struct dms_metric_change){
		.metric = of[0].measurement->metric,
		.scope = of[0].measurement->scope,
		.subject = of[0].measurement->subject,
		.base = dms_compare_median(figure->values[DMS_BASE], n_values[DMS_BASE]),
		.head = dms_compare_median(figure->values[DMS_HEAD], n_values[DMS_HEAD]),
		.n_base = n_values[DMS_BASE],
		.n_head = n_values[DMS_HEAD],
		.samples_base = least[DMS_BASE],
		.samples_head = least[DMS_HEAD],
		.p = NAN,
		.p_holm = NAN,
		.effect = NAN,
	};
	change->change = change->head == change->base
				 ? 0
				 : (change->head - change->base) / fabs(change->base);
}

/* ---- what may be judged at all --------------------------------------------------------------- */

/* What a figure can be trusted in. What has no row can be trusted in nothing. */
static const struct trait {
	const char *metric;
	/*
	 * Random losses leave it as it is. All others are counts, sums, peaks or shares of them,
	 * which become too low, or take what lost its end for alive. A long life is the likelier to
	 * lose an end, so that high percentiles shrink; the median and the mean size hardly do.
	 */
	bool is_robust;
	/*
	 * Of a driver or a device it is made of several call sites: buffers that wait for a packet
	 * and those that are sent at once. With half of each the median is of the one or the other:
	 * two recordings of the same work differed by a factor of 57, at 700 and 1,168 lifetimes.
	 */
	bool is_mixed;
} traits[] = {
	{"lifetime_p50", true, true},
	{"bytes_per_map", true, false},
};

static struct trait find_trait(const struct dms_metric *metric)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(traits); i++) {
		if (!strcmp(metric->name, traits[i].metric))
			return traits[i];
	}
	return (struct trait){.metric = metric->name};
}

static const char *find_loss(struct dms_comparing *comparing)
{
	for (int side = DMS_SIDES - 1; side >= 0; side--) {
		for (size_t i = 0; i < comparing->n_runs[side]; i++) {
			const struct dms_baseline *run = comparing->runs[side][i];

			if (dms_run_is_lossy(run))
				return dms_compare_say(
					comparing,
					"events are missing in %s, which makes it too "
					"low or too high",
					run->path);
			if (!run->is_complete)
				return dms_compare_say(comparing, "%s is not complete", run->path);
		}
	}
	return NULL;
}

/* All runs of a side together stand behind its figure. */
static const char *find_shortage(struct dms_comparing *comparing,
				 const struct dms_metric_change *change)
{
	uint64_t needed = change->threshold.min_samples;
	uint64_t of_base = change->samples_base * change->n_base;
	uint64_t of_head = change->samples_head * change->n_head;
	uint64_t least = of_head < of_base ? of_head : of_base;

	if (least >= needed)
		return NULL;
	return dms_compare_say(comparing, "too few samples: %" PRIu64 " in %s, %" PRIu64 " needed",
			       least, of_head < of_base ? "head" : "base", needed);
}

/* With several runs of a side, a figure that only one of them has has no spread. */
static const char *find_lonely(struct dms_comparing *comparing,
			       const struct dms_metric_change *change)
{
	const uint32_t n_values[DMS_SIDES] = {change->n_base, change->n_head};
	static const char *const names[DMS_SIDES] = {"base", "head"};

	for (int side = 0; side < DMS_SIDES; side++) {
		if (n_values[side] == 1 && comparing->n_runs[side] > 1)
			return dms_compare_say(comparing, "only 1 of %zu runs of %s has a value",
					       comparing->n_runs[side], names[side]);
	}
	return NULL;
}

/* Why @change cannot be judged; NULL: it can. @loss: what was lost of any run. */
static const char *find_doubt(struct dms_comparing *comparing, const char *loss,
			      const struct dms_metric_change *change)
{
	const char *reason;

	if (!change->n_base || !change->n_head)
		return !change->n_base && !change->n_head ? "there is no value"
		       : change->n_head			  ? "base has no value"
							  : "head has no value";
	if (loss && !find_trait(change->metric).is_robust)
		return loss;
	reason = find_shortage(comparing, change);
	return reason ? reason : find_lonely(comparing, change);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void test_figure(struct dms_comparing *comparing, struct figure *figure,
			struct dms_metric_change *change)
{
	figure->p = NAN;
	if (!figure->is_tested || change->n_base < 2 || change->n_head < 2)
		return;
	figure->p = dms_mann_whitney(figure->values[DMS_HEAD], change->n_head,
				     figure->values[DMS_BASE], change->n_base, &figure->u);
	comparing->is_out_of_memory |= isnan(figure->p);
	change->p = figure->p;
	change->effect = 2 * figure->u / ((double)change->n_head * change->n_base) - 1;
}

/* p of all tested figures, corrected. Return: how many there are. */
static size_t correct_all(struct dms_comparing *comparing, const struct figure *figures,
			  struct dms_metric_change *changes, size_t n)
{
	double *p = dms_compare_alloc(comparing, n, sizeof(*p));
	size_t n_tests = 0;

	if (!p)
		return 0;
	for (size_t i = 0; i < n; i++) {
		p[i] = figures[i].p;
		n_tests += !isnan(p[i]);
	}
	if (!dms_holm(p, n))
		comparing->is_out_of_memory = true;
	for (size_t i = 0; i < n; i++)
		changes[i].p_holm = p[i];
	return n_tests;
}

/* The least p that so many runs can have: two of all ways to divide them. */
static double least_p(uint32_t n_base, uint32_t n_head)
{
	double ways = 1;

	for (uint32_t i = 1; i <= n_base; i++)
		ways *= (double)(n_head + i) / i;
	return fmin(1, 2 / ways);
}

/* ---- states ---------------------------------------------------------------------------------- */

/* From 0 any change is infinite: then only the absolute threshold can hold it back. */
static bool is_beyond(const struct dms_metric_change *change)
{
	double difference = fabs(change->head - change->base);

	return difference > change->threshold.absolute &&
	       fabs(change->change) > change->threshold.relative;
}

/* Values are sorted, by the median. */
static bool is_separate(const struct figure *figure, const struct dms_metric_change *change)
{
	const double *base = figure->values[DMS_BASE], *head = figure->values[DMS_HEAD];

	return head[0] > base[change->n_base - 1] || base[0] > head[change->n_head - 1];
}

static const char *tell_family(struct dms_comparing *comparing, size_t n_tests)
{
	return n_tests == 1 ? "" : dms_compare_say(comparing, " among %zu figures", n_tests);
}

/* Is it more than chance? If not, or if no test could tell, @change says so. */
static bool is_proven(struct dms_comparing *comparing, const struct figure *figure, size_t n_tests,
		      struct dms_metric_change *change)
{
	double best = least_p(change->n_base, change->n_head) * (double)n_tests;

	if (change->n_base == 1 || change->n_head == 1) {
		if (find_trait(change->metric).is_mixed && change->scope != DMS_SCOPE_SITE) {
			change->reason =
				"several call sites make one median: give several runs, or "
				"record with -T, which tells each of them";
			return false;
		}
		if (change->n_base == change->n_head)
			return true;
	}
	if (!isnan(figure->p) && best <= comparing->alpha) {
		if (change->p_holm <= comparing->alpha)
			return true;
		change->reason = dms_compare_say(comparing,
						 "%" PRIu32 " against %" PRIu32 " runs: p = %.3f%s",
						 change->n_base, change->n_head, change->p_holm,
						 tell_family(comparing, n_tests));
		return false;
	}
	change->reason = dms_compare_say(
		comparing, "%" PRIu32 " against %" PRIu32 " runs are too few for a test%s: %s",
		change->n_base, change->n_head,
		isnan(figure->p) ? "" : tell_family(comparing, n_tests),
		is_separate(figure, change) ? "all of head are beyond all of base"
					    : "those of base and head overlap");
	return is_separate(figure, change);
}

static void judge(struct dms_comparing *comparing, const struct figure *figure, size_t n_tests,
		  struct dms_metric_change *change)
{
	bool is_more = change->head > change->base;

	if (!figure->is_tested)
		return;
	change->state = DMS_STATE_UNCHANGED;
	if (!is_beyond(change))
		return;
	if (!is_proven(comparing, figure, n_tests, change))
		change->state = DMS_STATE_NOISY;
	else
		change->state = is_more == (change->polarity == DMS_LESS_IS_BETTER)
					? DMS_STATE_WORSE
					: DMS_STATE_BETTER;
	change->fails = change->state == DMS_STATE_WORSE && comparing->options->metrics_fail &&
			!comparing->options->never_fails;
}

/* The rules of @change, and whether it may be judged by them. */
static void prepare(struct dms_comparing *comparing, const char *loss, struct figure *figure,
		    struct dms_metric_change *change)
{
	const char *reason;

	change->polarity = change->metric->polarity;
	change->threshold = change->metric->threshold;
	if (comparing->options->config)
		dms_config_threshold(comparing->options->config, change->metric, &change->threshold,
				     &change->polarity);
	figure->is_tested =
		change->polarity != DMS_NEITHER && change->threshold.relative < INFINITY;
	change->state = DMS_STATE_UNCHANGED;
	if (!figure->is_tested && change->n_base && change->n_head)
		return; /* told, never judged: no reason could matter */
	if (!(reason = find_doubt(comparing, loss, change)))
		return;
	figure->is_tested = false;
	change->state = DMS_STATE_NOT_JUDGED;
	change->reason = reason;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int compare_changes(const void *a, const void *b)
{
	const struct dms_metric_change *x = a, *y = b;
	double by_x = isnan(x->change) ? -1 : fabs(x->change);
	double by_y = isnan(y->change) ? -1 : fabs(y->change);
	int order = (int)y->fails - (int)x->fails;

	if (!order)
		order = (int)x->state - (int)y->state;
	if (!order)
		order = (by_x < by_y) - (by_x > by_y);
	if (!order)
		order = (int)x->scope - (int)y->scope;
	if (!order)
		order = strcmp(x->subject, y->subject);
	return order ? order : strcmp(x->metric->name, y->metric->name);
}

static size_t take_all(struct dms_comparing *comparing, const struct sided_measurement *all,
		       size_t n_all, struct figure *figures, struct dms_metric_change *changes)
{
	const char *loss = comparing->options->allow_lossy ? NULL : find_loss(comparing);
	size_t n = 0;

	for (size_t i = 0, next; i < n_all && !comparing->is_out_of_memory; i = next) {
		for (next = i;
		     next < n_all && !compare_subjects(all[i].measurement, all[next].measurement);)
			next++;
		take(comparing, all + i, next - i, &figures[n], &changes[n]);
		if (comparing->is_out_of_memory)
			break;
		prepare(comparing, loss, &figures[n], &changes[n]);
		test_figure(comparing, &figures[n], &changes[n]);
		n++;
	}
	return n;
}

void dms_compare_metrics(struct dms_comparing *comparing)
{
	size_t n_all, n, n_tests;
	struct sided_measurement *all;
	struct figure *figures;
	struct dms_metric_change *changes;

	if (!comparing->n_runs[DMS_BASE])
		return;
	all = gather(comparing, &n_all);
	figures = dms_compare_alloc(comparing, n_all, sizeof(*figures));
	changes = dms_compare_alloc(comparing, n_all, sizeof(*changes));
	if (!all || !figures || !changes)
		return;
	n = take_all(comparing, all, n_all, figures, changes);
	n_tests = correct_all(comparing, figures, changes, n);
	for (size_t i = 0; i < n && !comparing->is_out_of_memory; i++)
		judge(comparing, &figures[i], n_tests, &changes[i]);
	qsort(changes, n, sizeof(*changes), compare_changes);
	comparing->result->metrics = changes;
	comparing->result->n_metrics = n;
}

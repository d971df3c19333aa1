// SPDX-License-Identifier: LGPL-2.1-only
/* Findings of both sides by their fingerprints: which are new, worse, unchanged, better or gone. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"

/* A count has changed if it is more than twice as high, and by more than this. */
#define GROWTH_RELATIVE 1.0
#define GROWTH_ABSOLUTE 10.0

/* ---- groups ---------------------------------------------------------------------------------- */

struct sided_finding {
	const struct dms_base_finding *finding;
	size_t run;
	enum dms_side side;
};

static int compare_sided(const void *a, const void *b)
{
	const struct sided_finding *x = a, *y = b;
	int order = strcmp(x->finding->fingerprint, y->finding->fingerprint);

	if (!order)
		order = (int)x->side - (int)y->side;
	return order ? order : (x->run > y->run) - (x->run < y->run);
}

/* All findings of all runs, by fingerprint. NULL: memory. */
static struct sided_finding *gather(struct dms_comparing *comparing, size_t *ret_n)
{
	struct sided_finding *all;
	size_t n = 0;

	for (int side = 0; side < DMS_SIDES; side++) {
		for (size_t i = 0; i < comparing->n_runs[side]; i++)
			n += comparing->runs[side][i]->n_findings;
	}
	*ret_n = 0;
	if (!(all = dms_compare_alloc(comparing, n, sizeof(*all))))
		return NULL;
	for (int side = 0; side < DMS_SIDES; side++) {
		for (size_t i = 0; i < comparing->n_runs[side]; i++) {
			const struct dms_baseline *run = comparing->runs[side][i];

			for (size_t j = 0; j < run->n_findings; j++)
				all[(*ret_n)++] = (struct sided_finding){&run->findings[j], i,
									 (enum dms_side)side};
		}
	}
	qsort(all, n, sizeof(*all), compare_sided);
	return all;
}

static struct dms_finding_group *group_all(struct dms_comparing *comparing, size_t *ret_n)
{
	size_t n_all, n_runs = comparing->n_runs[DMS_BASE] + comparing->n_runs[DMS_HEAD];
	const struct sided_finding *all = gather(comparing, &n_all);
	struct dms_finding_group *groups = dms_compare_alloc(comparing, n_all, sizeof(*groups));
	struct dms_finding_group *group = NULL;

	*ret_n = 0;
	if (!all || !groups)
		return NULL;
	for (size_t i = 0; i < n_all; i++) {
		if (!i || strcmp(all[i].finding->fingerprint, all[i - 1].finding->fingerprint)) {
			group = &groups[(*ret_n)++];
			group->of[DMS_BASE] =
				dms_compare_alloc(comparing, n_runs, sizeof(*group->of[DMS_BASE]));
			if (!group->of[DMS_BASE])
				return NULL;
			group->of[DMS_HEAD] = group->of[DMS_BASE] + comparing->n_runs[DMS_BASE];
		}
		if (!group->of[all[i].side][all[i].run])
			group->n_of[all[i].side]++;
		group->of[all[i].side][all[i].run] = all[i].finding;
	}
	return groups;
}

/* ---- what one side says ---------------------------------------------------------------------- */

/* A side of a group in figures. */
struct side_figures {
	const struct dms_base_finding *most; /* the one with the highest count */
	enum dms_severity severity;	     /* the gravest */
	enum dms_confidence confidence;	     /* the surest */
	uint64_t count;			     /* median of those that have it, rounded up */
	double maps;			     /* of the device kind, likewise */
};

static void sum_up(struct dms_comparing *comparing, const struct dms_finding_group *group,
		   enum dms_side side, struct side_figures *ret)
{
	size_t n_runs = comparing->n_runs[side], n = 0;
	double *counts = dms_compare_alloc(comparing, n_runs, sizeof(*counts));
	double *maps = dms_compare_alloc(comparing, n_runs, sizeof(*maps));

	*ret = (struct side_figures){.count = 0};
	if (!group->n_of[side] || !counts || !maps)
		return;
	for (size_t i = 0; i < n_runs; i++) {
		const struct dms_base_finding *finding = group->of[side][i];

		if (!finding)
			continue;
		if (!ret->most || finding->count > ret->most->count)
			ret->most = finding;
		if (finding->severity > ret->severity)
			ret->severity = finding->severity;
		if (finding->confidence > ret->confidence)
			ret->confidence = finding->confidence;
		maps[n] = (double)dms_run_maps(comparing->runs[side][i], finding->device_kind);
		counts[n++] = (double)finding->count;
	}
	ret->count = (uint64_t)ceil(dms_compare_median(counts, n));
	ret->maps = dms_compare_median(maps, n);
}

/* ---- both sides have it ---------------------------------------------------------------------- */

/* More work breaks a rule more often: only what exceeds that is told. */
static bool has_grown(double before, double after, double work)
{
	double expected = before * fmax(work, 1);

	return after > expected * (1 + GROWTH_RELATIVE) && after - expected > GROWTH_ABSOLUTE;
}

static const char *tell_work(struct dms_comparing *comparing, double work)
{
	if (fabs(work - 1) < 0.005)
		return "with as many maps";
	return dms_compare_say(comparing, "with %.2f times the maps", work);
}

static void judge_both(struct dms_comparing *comparing, const struct side_figures *base,
		       const struct side_figures *head, struct dms_finding_change *change)
{
	double before = (double)base->count, after = (double)head->count;
	double work = base->maps > 0 && head->maps > 0 ? head->maps / base->maps : 1;
	/* what is only possible counts what the trace did not see, not what the driver did */
	bool is_countable = base->confidence > DMS_POSSIBLE || head->confidence > DMS_POSSIBLE;
	bool has_more = is_countable && has_grown(before, after, work);
	bool has_less = is_countable && has_grown(after, before, 1 / work);

	change->state = DMS_STATE_UNCHANGED;
	if (head->severity > base->severity) {
		change->state = DMS_STATE_WORSE;
		change->reason = dms_compare_say(comparing, "%s, it was %s",
						 dms_severity_name(head->severity),
						 dms_severity_name(base->severity));
	} else if (head->confidence > base->confidence) {
		change->state = DMS_STATE_WORSE;
		change->reason = dms_compare_say(comparing, "%s, it was only %s",
						 dms_confidence_name(head->confidence),
						 dms_confidence_name(base->confidence));
	} else if (has_more || has_less) {
		change->state = has_more ? DMS_STATE_WORSE : DMS_STATE_BETTER;
		change->reason = dms_compare_say(
			comparing, "%" PRIu64 " time%s, it was %" PRIu64 " time%s, %s", head->count,
			head->count == 1 ? "" : "s", base->count, base->count == 1 ? "" : "s",
			tell_work(comparing, work));
	} else if (head->severity < base->severity && head->confidence == base->confidence) {
		change->state = DMS_STATE_BETTER;
		change->reason = dms_compare_say(comparing, "%s, it was %s",
						 dms_severity_name(head->severity),
						 dms_severity_name(base->severity));
	}
}

/* A lower count of a run that has lost events says nothing. */
static void doubt_better(struct dms_comparing *comparing, struct dms_finding_change *change)
{
	for (size_t i = 0; i < comparing->n_runs[DMS_HEAD]; i++) {
		const struct dms_baseline *run = comparing->runs[DMS_HEAD][i];

		if (change->state == DMS_STATE_BETTER &&
		    (dms_run_is_lossy(run) || !run->is_complete)) {
			change->state = DMS_STATE_UNCHANGED;
			change->reason = NULL;
		}
	}
}

/* ---- one side has it ------------------------------------------------------------------------- */

/* The run of base that knows @group: what it could not judge, either, is no excuse for head. */
static const struct dms_baseline *find_witness(const struct dms_comparing *comparing,
					       const struct dms_finding_group *group,
					       enum dms_side side)
{
	for (size_t i = 0; i < comparing->n_runs[side]; i++) {
		if (group->of[side][i])
			return comparing->runs[side][i];
	}
	return NULL;
}

/* Why a run of @side may have it unseen; NULL: all of them would have told. */
static const char *find_obstacle(struct dms_comparing *comparing,
				 const struct dms_finding_group *group, enum dms_side side)
{
	enum dms_side other = side == DMS_BASE ? DMS_HEAD : DMS_BASE;
	const struct dms_base_finding *finding = dms_group_any(comparing, group, other);
	const struct dms_baseline *witness = find_witness(comparing, group, other);
	const char *reason = NULL;

	for (size_t i = 0; !reason && i < comparing->n_runs[side]; i++)
		reason =
			dms_compare_obstacle(comparing, comparing->runs[side][i], finding, witness);
	return reason;
}

static void judge_gone(struct dms_comparing *comparing, const struct dms_finding_group *group,
		       struct dms_finding_change *change)
{
	change->reason = comparing->n_runs[DMS_HEAD] ? find_obstacle(comparing, group, DMS_HEAD)
						     : "there is no run to judge";
	change->state = change->reason ? DMS_STATE_NOT_JUDGED : DMS_STATE_FIXED;
}

/* ---- suppressed, failing, told --------------------------------------------------------------- */

/* A change is suppressed if every finding it is made of is: a glob may fit one device of two. */
static const struct dms_suppression *suppress(struct dms_comparing *comparing,
					      const struct dms_finding_group *group)
{
	enum dms_side side = group->n_of[DMS_HEAD] ? DMS_HEAD : DMS_BASE;
	const struct dms_suppression *first = NULL;
	bool is_missed = false;

	if (!comparing->options->config)
		return NULL;
	for (size_t i = 0; i < comparing->n_runs[side]; i++) {
		const struct dms_suppression *found;

		if (!group->of[side][i])
			continue;
		found = dms_suppression_find(comparing->options->config, group->of[side][i],
					     comparing->options->today);
		is_missed |= !found;
		if (!found)
			continue;
		first = first ? first : found;
		for (size_t j = 0; side == DMS_HEAD && j < comparing->n_suppressions; j++)
			comparing->is_used[j] |= &comparing->suppressions[j] == found;
	}
	return is_missed ? NULL : first;
}

/* Any run that has it so grave and so sure, even if others of the side do not. */
static bool fails(const struct dms_comparing *comparing, const struct dms_finding_group *group,
		  const struct dms_finding_change *change)
{
	const struct dms_compare_options *options = comparing->options;

	if (options->never_fails || change->suppressed ||
	    (change->state != DMS_STATE_NEW && change->state != DMS_STATE_WORSE))
		return false;
	for (size_t i = 0; i < comparing->n_runs[DMS_HEAD]; i++) {
		const struct dms_base_finding *finding = group->of[DMS_HEAD][i];

		if (finding && finding->severity >= options->fail_severity &&
		    finding->confidence >= options->fail_confidence)
			return true;
	}
	return false;
}

static void judge_group(struct dms_comparing *comparing, const struct dms_finding_group *group,
			struct dms_finding_change *change)
{
	struct side_figures base, head;

	sum_up(comparing, group, DMS_BASE, &base);
	sum_up(comparing, group, DMS_HEAD, &head);
	*change = (struct dms_finding_change){
		.base = base.most,
		.head = head.most,
		.runs_base = group->n_of[DMS_BASE],
		.runs_head = group->n_of[DMS_HEAD],
		.count_base = base.count,
		.count_head = head.count,
	};
	if (group->doubt) {
		change->state = DMS_STATE_NOT_JUDGED;
		change->reason = group->doubt;
	} else if (base.most && head.most) {
		judge_both(comparing, &base, &head, change);
		doubt_better(comparing, change);
	} else if (head.most) {
		change->state = DMS_STATE_NEW;
		change->reason = find_obstacle(comparing, group, DMS_BASE);
	} else {
		judge_gone(comparing, group, change);
	}
	change->suppressed = suppress(comparing, group);
	change->fails = fails(comparing, group, change);
}

static int compare_changes(const void *a, const void *b)
{
	const struct dms_finding_change *x = a, *y = b;
	const struct dms_base_finding *of_x = x->head ? x->head : x->base;
	const struct dms_base_finding *of_y = y->head ? y->head : y->base;
	int order = (int)y->fails - (int)x->fails;

	if (!order)
		order = (int)x->state - (int)y->state;
	if (!order)
		order = strcmp(of_x->rule, of_y->rule);
	return order ? order : strcmp(of_x->fingerprint, of_y->fingerprint);
}

void dms_compare_findings(struct dms_comparing *comparing)
{
	size_t n_groups, n = 0;
	struct dms_finding_group *groups = group_all(comparing, &n_groups);
	struct dms_finding_change *changes =
		dms_compare_alloc(comparing, n_groups, sizeof(*changes));

	if (!groups || !changes)
		return;
	dms_compare_match(comparing, groups, n_groups);
	for (size_t i = 0; i < n_groups && !comparing->is_out_of_memory; i++) {
		if (!groups[i].is_merged)
			judge_group(comparing, &groups[i], &changes[n++]);
	}
	if (comparing->is_out_of_memory)
		return;
	qsort(changes, n, sizeof(*changes), compare_changes);
	comparing->result->findings = changes;
	comparing->result->n_findings = n;
}

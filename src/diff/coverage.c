// SPDX-License-Identifier: LGPL-2.1-only
/* What a run could have seen: whether silence of a run means that a defect is gone. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "local.h"

bool dms_run_is_lossy(const struct dms_baseline *run)
{
	return run->gaps || run->lost_events;
}

static const struct dms_base_kind *find_kind(const struct dms_baseline *run, const char *kind)
{
	for (size_t i = 0; i < run->n_kinds; i++) {
		if (!strcmp(run->kinds[i].name, kind))
			return &run->kinds[i];
	}
	return NULL;
}

uint64_t dms_run_maps(const struct dms_baseline *run, const char *kind)
{
	const struct dms_base_kind *row = find_kind(run, kind);

	return row ? row->maps : 0;
}

static int compare_spots(const struct dms_blind_spot *a, const struct dms_blind_spot *b)
{
	int order = dms_compare_strings(a->rule, b->rule);

	if (!order)
		order = dms_compare_strings(a->device_kind, b->device_kind);
	return order ? order : dms_compare_reasons(a->reason, b->reason);
}

/* ---- one run, one finding -------------------------------------------------------------------- */

static bool has_spot(const struct dms_baseline *run, const struct dms_blind_spot *spot)
{
	for (size_t i = 0; i < run->n_blind_spots; i++) {
		if (!compare_spots(&run->blind_spots[i], spot))
			return true;
	}
	return false;
}

/* What is named, but is no rule, is an area: it may hide anything. */
static bool is_hidden_by(const struct dms_base_finding *finding, const struct dms_blind_spot *spot)
{
	if (spot->device_kind && strcmp(spot->device_kind, finding->device_kind))
		return false;
	return !spot->rule || !strcmp(spot->rule, finding->rule) || !dms_rule_find(spot->rule);
}

static const char *find_loss(struct dms_comparing *comparing, const struct dms_baseline *run)
{
	if (!run->events)
		return dms_compare_say(comparing, "%s has no DMA events", run->path);
	if (!run->is_complete)
		return dms_compare_say(comparing, "%s is not complete", run->path);
	if (run->lost_events)
		return dms_compare_say(comparing, "%s has lost %" PRIu64 " event%s", run->path,
				       run->lost_events, run->lost_events == 1 ? "" : "s");
	if (run->gaps)
		return dms_compare_say(comparing, "events may be missing in %s (%" PRIu64 " gap%s)",
				       run->path, run->gaps, run->gaps == 1 ? "" : "s");
	return NULL;
}

static const char *find_spot(struct dms_comparing *comparing, const struct dms_baseline *run,
			     const struct dms_base_finding *finding,
			     const struct dms_baseline *witness)
{
	for (size_t i = 0; i < run->n_blind_spots; i++) {
		const struct dms_blind_spot *spot = &run->blind_spots[i];

		if (is_hidden_by(finding, spot) && !(witness && has_spot(witness, spot)))
			return dms_compare_say(comparing, "%s cannot judge it: %s", run->path,
					       spot->reason ? spot->reason : "no reason is given");
	}
	return NULL;
}

/* Of a leak without call stacks one cannot say which of several leaks it is. */
static const char *find_namesake(struct dms_comparing *comparing, const struct dms_baseline *run,
				 const struct dms_base_finding *finding)
{
	if (run->has_stacks || !(finding->n_frames || finding->n_map_frames))
		return NULL;
	for (size_t i = 0; i < run->n_findings; i++) {
		const struct dms_base_finding *other = &run->findings[i];

		if (!strcmp(other->rule, finding->rule) &&
		    !strcmp(other->device_kind, finding->device_kind))
			return dms_compare_say(
				comparing,
				"%s has %s, but no call stacks to tell whether it is "
				"this one (record with -T)",
				run->path, finding->rule);
	}
	return NULL;
}

const char *dms_compare_obstacle(struct dms_comparing *comparing, const struct dms_baseline *run,
				 const struct dms_base_finding *finding,
				 const struct dms_baseline *witness)
{
	const char *reason = find_loss(comparing, run);

	if (reason)
		return reason;
	if (!dms_rule_find(finding->rule))
		return dms_compare_say(comparing, "there is no rule \"%s\" in this version",
				       finding->rule);
	for (size_t i = 0; i < run->n_rules_off; i++) {
		if (!strcmp(run->rules_off[i], finding->rule))
			return dms_compare_say(comparing, "%s was judged with rule %s switched off",
					       run->path, finding->rule);
	}
	if ((reason = find_spot(comparing, run, finding, witness)))
		return reason;
	if (!dms_run_maps(run, finding->device_kind))
		return dms_compare_say(comparing, "%s has no maps of a device of kind \"%s\"",
				       run->path, finding->device_kind);
	return find_namesake(comparing, run, finding);
}

/* ---- what one side cannot judge, or none ----------------------------------------------------- */

struct sided_spot {
	struct dms_blind_spot spot;
	enum dms_side side;
};

struct spot_list {
	struct sided_spot *items;
	size_t n;
};

static void add_spot(struct spot_list *list, enum dms_side side, struct dms_blind_spot spot)
{
	list->items[list->n++] = (struct sided_spot){.spot = spot, .side = side};
}

static bool side_has_maps(const struct dms_comparing *comparing, enum dms_side side,
			  const char *kind)
{
	for (size_t i = 0; i < comparing->n_runs[side]; i++) {
		if (dms_run_maps(comparing->runs[side][i], kind))
			return true;
	}
	return false;
}

/* Everything that hides something of @run, and what the other side does not even have. */
static void add_run(const struct dms_comparing *comparing, enum dms_side side,
		    const struct dms_baseline *run, struct spot_list *list)
{
	enum dms_side other = side == DMS_BASE ? DMS_HEAD : DMS_BASE;

	for (size_t i = 0; i < run->n_blind_spots; i++)
		add_spot(list, side, run->blind_spots[i]);
	for (size_t i = 0; i < run->n_rules_off; i++)
		add_spot(list, side,
			 (struct dms_blind_spot){run->rules_off[i], NULL, "switched off"});
	if (!run->has_stacks)
		add_spot(list, side,
			 (struct dms_blind_spot){"call-sites", NULL,
						 "no call stacks (record with -T)"});
	for (size_t i = 0; comparing->n_runs[DMS_BASE] && i < run->n_kinds; i++) {
		const struct dms_base_kind *kind = &run->kinds[i];

		if (kind->maps && !side_has_maps(comparing, other, kind->name))
			add_spot(list, other,
				 (struct dms_blind_spot){NULL, kind->name, "no maps were seen"});
	}
}

static int compare_sided(const void *a, const void *b)
{
	const struct sided_spot *x = a, *y = b;
	int order = compare_spots(&x->spot, &y->spot);

	if (!order)
		order = (int)x->side - (int)y->side;
	return order ? order : dms_compare_strings(x->spot.reason, y->spot.reason);
}

/* Blind spots of one side, and those of all sides there are. */
static void fold_spots(struct dms_comparing *comparing, const struct spot_list *list)
{
	struct dms_coverage_change *changes =
		dms_compare_alloc(comparing, list->n, sizeof(*changes));
	struct dms_coverage_change *unjudged =
		dms_compare_alloc(comparing, list->n, sizeof(*unjudged));
	struct dms_comparison *result = comparing->result;

	result->coverage = changes;
	result->unjudged = unjudged;
	for (size_t i = 0, next; changes && unjudged && i < list->n; i = next) {
		const struct dms_blind_spot *spot = &list->items[i].spot;
		bool in[DMS_SIDES] = {false, false}, is_everywhere;

		for (next = i; next < list->n && !compare_spots(spot, &list->items[next].spot);
		     next++)
			in[list->items[next].side] = true;
		is_everywhere = in[DMS_HEAD] && (in[DMS_BASE] || !comparing->n_runs[DMS_BASE]);
		*(is_everywhere ? &unjudged[result->n_unjudged++]
				: &changes[result->n_coverage++]) = (struct dms_coverage_change){
			.rule = spot->rule,
			.device_kind = spot->device_kind,
			.reason = spot->reason,
			.in_base = in[DMS_BASE],
			.in_head = in[DMS_HEAD],
		};
	}
}

#define MOST_NAMED 4 /* all of them if there is one more: "and 1 more rule" is as long */

/* Head has found something by it: it is blind in part only, and its findings say so themselves. */
static bool has_found(const struct dms_comparing *comparing, const char *rule)
{
	for (size_t i = 0; i < comparing->n_runs[DMS_HEAD]; i++) {
		const struct dms_baseline *run = comparing->runs[DMS_HEAD][i];

		for (size_t j = 0; j < run->n_findings; j++) {
			if (!strcmp(run->findings[j].rule, rule))
				return true;
		}
	}
	return false;
}

static void find_blind_sides(const struct dms_coverage_change *changes, size_t n, const char *rule,
			     bool is_blind[DMS_SIDES])
{
	for (size_t i = 0; i < n; i++) {
		if (dms_compare_strings(changes[i].rule, rule))
			continue;
		is_blind[DMS_BASE] |= changes[i].in_base;
		is_blind[DMS_HEAD] |= changes[i].in_head;
	}
}

/* Both sides may be blind, each for a reason of its own. */
static bool is_wanted(const struct dms_comparing *comparing, const struct dms_rule *rule,
		      bool base_too)
{
	const struct dms_comparison *result = comparing->result;
	bool is_blind[DMS_SIDES] = {false, false};

	find_blind_sides(result->coverage, result->n_coverage, rule->id, is_blind);
	find_blind_sides(result->unjudged, result->n_unjudged, rule->id, is_blind);
	return is_blind[DMS_HEAD] && is_blind[DMS_BASE] == base_too &&
	       !has_found(comparing, rule->id);
}

const char *dms_compare_blind_rules(struct dms_comparing *comparing, bool base_too)
{
	const struct dms_rule *rules[DMS_MAX_RULES], *wanted[DMS_MAX_RULES];
	size_t n_rules = dms_rules_all(rules), n = 0, n_named;
	const char *text = NULL;

	for (int severity = DMS_SEVERITY_ERROR; severity >= DMS_SEVERITY_INFO; severity--) {
		for (size_t i = 0; i < n_rules; i++) {
			if ((int)rules[i]->severity == severity &&
			    is_wanted(comparing, rules[i], base_too))
				wanted[n++] = rules[i];
		}
	}
	n_named = n > MOST_NAMED + 1 ? MOST_NAMED : n;
	for (size_t i = 0; i < n_named; i++)
		text = dms_compare_say(comparing, "%s%s%s", text ? text : "", text ? ", " : "",
				       wanted[i]->id);
	if (n > n_named)
		text = dms_compare_say(comparing, "%s and %zu more rules", text ? text : "",
				       n - n_named);
	return text;
}

void dms_compare_coverage(struct dms_comparing *comparing)
{
	struct spot_list list = {NULL, 0};
	size_t n = 0;

	if (!comparing->n_runs[DMS_HEAD])
		return;
	for (int side = 0; side < DMS_SIDES; side++) {
		for (size_t i = 0; i < comparing->n_runs[side]; i++) {
			const struct dms_baseline *run = comparing->runs[side][i];

			n += run->n_blind_spots + run->n_rules_off + run->n_kinds + 1;
		}
	}
	if (!(list.items = dms_compare_alloc(comparing, n, sizeof(*list.items))))
		return;
	for (int side = 0; side < DMS_SIDES; side++) {
		for (size_t i = 0; i < comparing->n_runs[side]; i++)
			add_run(comparing, (enum dms_side)side, comparing->runs[side][i], &list);
	}
	qsort(list.items, list.n, sizeof(*list.items), compare_sided);
	fold_spots(comparing, &list);
}

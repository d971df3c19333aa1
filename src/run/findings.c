// SPDX-License-Identifier: LGPL-2.1-only
/* The findings of a run: kept as they come, told to the database and the summary at the end. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

/** One finding, kept. Strings live in the run's arena. */
struct kept_finding {
	const struct dms_rule *rule;
	enum dms_severity severity;
	enum dms_confidence confidence;
	struct dms_finding_row row;
	uint32_t group; /* of dms_run_groups_add() */
};

/**
 * The findings of one rule on one device. Up to a limit for each severity they are kept: a flood
 * of what is only possible must not hide what is certain. Beyond, they are only counted.
 */
struct group {
	const struct dms_rule *rule;
	uint32_t device;
	enum dms_severity severity; /* the gravest */
	enum dms_confidence confidence;
	uint64_t count;
	uint64_t n_sure[DMS_SEVERITY_ERROR + 1][DMS_CERTAIN + 1]; /* by severity and confidence */
	uint64_t n_rows[DMS_SEVERITY_ERROR + 1];		  /* kept, by severity */
	struct dms_finding_row first; /* of the gravest; its message is NULL if there is none */
	uint32_t first_number;	      /* the same, of dms_run_groups_add() */
	size_t first_kept;	      /* the same, while the trace is read */
};

#define NO_PLACE SIZE_MAX

struct dms_run_findings {
	struct dms_rules *rules;
	struct kept_finding *kept;
	size_t n_kept, kept_capacity;
	struct group *groups;
	size_t n_groups, groups_capacity;
	struct dms_finding_summary *summaries;
	uint64_t n_filtered, n_outside; /* by device, driver or rule; by time */
};

static const char *keep(struct dms_run *run, char *text)
{
	size_t bytes = text ? strlen(text) + 1 : 0;
	char *kept = text ? dms_arena_alloc(run->arena, bytes) : NULL;

	if (kept)
		memcpy(kept, text, bytes);
	dms_free(text);
	return kept;
}

static struct group *group_of(struct dms_run_findings *findings, const struct dms_rule *rule,
			      uint32_t device)
{
	struct group *group;

	for (size_t i = 0; i < findings->n_groups; i++) {
		group = &findings->groups[i];
		if (group->rule == rule && group->device == device)
			return group;
	}
	if (!dms_grow(&findings->groups, &findings->groups_capacity, findings->n_groups + 1,
		      sizeof(*group)))
		return NULL;
	group = &findings->groups[findings->n_groups++];
	*group = (struct group){.rule = rule, .device = device};
	return group;
}

/** What a finding is about, as far as the trace tells it. */
struct range {
	uint64_t dma_addr, size;
	bool has_addr, has_size;
};

/* @has: DMS_HAS_* of the event that told of it. */
static struct range range_told(uint32_t has, uint64_t dma_addr, uint64_t size)
{
	return (struct range){
		.dma_addr = dma_addr,
		.size = size,
		.has_addr = has & (DMS_HAS_DMA_ADDR | DMS_HAS_DMA_LIST),
		.has_size = has & (DMS_HAS_SIZE | DMS_HAS_LENGTHS),
	};
}

/* Its mapping, its event, or of a list's second unmap its last life. */
static struct range range_of(const struct dms_step *step)
{
	const struct dms_event *event = step->event;
	const struct dms_mapping *mapping = step->mapping;

	if (step->kind == DMS_STEP_UNMAP_UNMATCHED && step->past &&
	    !(event->has & DMS_HAS_DMA_ADDR))
		return (struct range){step->past->dma_addr, step->past->size, true, true};
	if (mapping && mapping->has)
		return range_told(mapping->has, mapping->dma_addr, mapping->size);
	return event ? range_told(event->has, event->dma_addr, event->size) : (struct range){0};
}

/* A fault is seen by whatever CPU and task takes the interrupt: they tell nothing of the mistake. */
static const struct dms_event *call_of(const struct dms_step *step)
{
	return step->kind == DMS_STEP_FAULT ? NULL : step->event;
}

static uint32_t stack_of(const struct dms_step *step)
{
	const struct dms_event *call = call_of(step);

	if (call)
		return call->stack;
	return step->kind == DMS_STEP_SITE ? step->site->stack : DMS_ID_NONE;
}

/* Without its texts, which take memory. */
static struct dms_finding_row row_of(struct dms_run *run, const struct dms_finding *finding,
				     uint32_t device)
{
	const struct dms_step *step = finding->step;
	const struct dms_event *call = call_of(step);
	struct range range = range_of(step);

	return (struct dms_finding_row){
		.rule = finding->rule->id,
		.severity = dms_severity_name(finding->severity),
		.confidence = dms_confidence_name(finding->confidence),
		.reason = finding->reason,
		.device = device,
		.mapping_row = step->mapping ? dms_mapping_row(run->model, step->mapping) : 0,
		.ts = step->ts,
		.dma_addr = range.dma_addr,
		.size = range.size,
		.has_dma_addr = range.has_addr,
		.has_size = range.has_size,
		.cpu = call ? call->cpu : 0,
		.pid = call ? call->pid : 0,
		.stack = stack_of(step),
		/* a line of a log knows neither CPU nor task */
		.has_event = call && !call->is_other_clock,
	};
}

/* Whoever watches is told of each, those beyond the limit among them. */
static struct dms_error *show(struct dms_run *run, const struct dms_finding *finding,
			      uint32_t device)
{
	_cleanup_(dms_freep) char *message = NULL;
	_cleanup_(dms_freep) char *facts = NULL;
	struct dms_finding_row row;

	if (!run->watcher.finding)
		return NULL;
	message = dms_finding_message(finding, run->model, &run->names);
	facts = dms_finding_json(finding, run->model, &run->names);
	if (!message || !facts)
		return &dms_error_nomem;
	row = row_of(run, finding, device);
	row.message = message;
	row.facts = facts;
	return run->watcher.finding(run->watcher.context, finding, &row);
}

/* Strings live as long as the run. */
static struct dms_error *keep_row(struct dms_run *run, const struct dms_finding *finding,
				  uint32_t device, struct kept_finding *kept)
{
	*kept = (struct kept_finding){
		.rule = finding->rule,
		.severity = finding->severity,
		.confidence = finding->confidence,
		.row = row_of(run, finding, device),
	};
	kept->row.message = keep(run, dms_finding_message(finding, run->model, &run->names));
	kept->row.facts = keep(run, dms_finding_json(finding, run->model, &run->names));
	return kept->row.message && kept->row.facts ? NULL : &dms_error_nomem;
}

/* The order they are stored in; of one rule. */
static int compare_rows(const struct dms_finding_row *a, const struct dms_finding_row *b)
{
	if (a->ts != b->ts)
		return a->ts < b->ts ? -1 : 1;
	return a->mapping_row < b->mapping_row ? -1 : a->mapping_row > b->mapping_row;
}

/* What is told when lives end comes later than what happened behind it. */
static void take_first(struct group *group, const struct dms_run_findings *findings, size_t index)
{
	const struct kept_finding *kept = &findings->kept[index];

	if (group->first.message && (kept->severity < group->severity ||
				     (kept->severity == group->severity &&
				      compare_rows(&kept->row, &group->first) >= 0)))
		return;
	group->severity = kept->severity;
	group->confidence = kept->confidence;
	group->first = kept->row;
	group->first_number = kept->group;
	group->first_kept = index;
}

/* Where to keep @finding, when all places are taken that of a first one that is none; or NO_PLACE. */
static struct dms_error *find_place(struct dms_run *run, const struct dms_finding *finding,
				    struct group *group, size_t *ret)
{
	struct dms_run_findings *findings = run->findings;
	bool is_full = group->n_rows[finding->severity] >= dms_run_limit(run);
	bool is_first = group->first.message && finding->severity == group->severity &&
			finding->step->ts < group->first.ts;

	*ret = is_full && is_first ? group->first_kept : NO_PLACE;
	if (is_full)
		return NULL;
	if (!dms_grow(&findings->kept, &findings->kept_capacity, findings->n_kept + 1,
		      sizeof(*findings->kept)))
		return &dms_error_nomem;
	group->n_rows[finding->severity]++;
	*ret = findings->n_kept++;
	return NULL;
}

/* Others' findings must not use up what may be kept: dma-debug's num_errors does just that. */
static bool is_filtered(struct dms_run *run, const struct dms_finding *finding, uint32_t device)
{
	if (!dms_run_tells_rule(run, finding->rule->id) || !dms_run_tells_device(run, device)) {
		run->findings->n_filtered++;
		return true;
	}
	if (!dms_run_tells_time(run, finding->step->ts)) {
		run->findings->n_outside++;
		return true;
	}
	return false;
}

static struct dms_error *take_finding(void *context, const struct dms_finding *finding)
{
	struct dms_run *run = context;
	uint32_t device = finding->step->device ? finding->step->device->index : DMS_ID_NONE;
	struct dms_error *err;
	struct group *group;
	uint32_t number;
	size_t place;

	if (is_filtered(run, finding, device))
		return NULL;
	if ((err = show(run, finding, device)))
		return err;
	group = group_of(run->findings, finding->rule, device);
	if (!group)
		return &dms_error_nomem;
	if ((err = dms_run_groups_add(run->groups, finding, device, &number)))
		return err;
	group->count++;
	group->n_sure[finding->severity][finding->confidence]++;
	if ((err = find_place(run, finding, group, &place)) || place == NO_PLACE)
		return err;
	if ((err = keep_row(run, finding, device, &run->findings->kept[place])))
		return err;
	run->findings->kept[place].group = number;
	take_first(group, run->findings, place);
	return NULL;
}

/*
 * What each of two unmaps of one address would be, if they are crossed: behind an IOMMU it is that of
 * the address's owner before, which may differ in anything.
 */
static bool is_of_crossed(const struct dms_rule *rule, enum dms_address_mode mode)
{
	static const char *const ids[] = {"unmap-size-mismatch", "double-unmap",
					  "unmap-direction-mismatch", "unmap-wrong-function"};
	size_t n_ids = mode == DMS_MODE_IOMMU ? DMS_ARRAY_SIZE(ids) : 2;

	for (size_t i = 0; i < n_ids; i++) {
		if (!strcmp(rule->id, ids[i]))
			return true;
	}
	return false;
}

/* Only the whole trace shows that calls are missing in it: then nothing of pairs is sure. */
bool dms_run_is_overturned(const struct dms_run *run, const struct dms_rule *rule, uint32_t device)
{
	if (device == DMS_ID_NONE)
		return false;
	return (dms_rule_needs_all_calls(rule) && dms_model_lacks_calls(run->model, device)) ||
	       (is_of_crossed(rule, dms_model_device(run->model, device)->mode) &&
		dms_model_is_crossed(run->model, device));
}

static void doubt_kept(struct kept_finding *kept)
{
	kept->severity = DMS_SEVERITY_INFO;
	kept->confidence = DMS_POSSIBLE;
	kept->row.severity = dms_severity_name(kept->severity);
	kept->row.confidence = dms_confidence_name(kept->confidence);
	kept->row.reason = dms_doubt_reason(DMS_DOUBT_UNTRACED);
}

static void doubt_group(struct group *group)
{
	uint64_t n_rows = 0;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(group->n_rows); i++)
		n_rows += group->n_rows[i];
	memset(group->n_sure, 0, sizeof(group->n_sure));
	memset(group->n_rows, 0, sizeof(group->n_rows));
	group->n_sure[DMS_SEVERITY_INFO][DMS_POSSIBLE] = group->count;
	group->n_rows[DMS_SEVERITY_INFO] = n_rows;
	group->severity = DMS_SEVERITY_INFO;
	group->confidence = DMS_POSSIBLE;
	group->first.message = NULL; /* now that all are as grave, it may be another */
}

void dms_run_doubt_findings(struct dms_run *run)
{
	struct dms_run_findings *findings = run->findings;

	for (size_t i = 0; i < findings->n_groups; i++) {
		struct group *group = &findings->groups[i];

		if (dms_run_is_overturned(run, group->rule, group->device))
			doubt_group(group);
	}
	for (size_t i = 0; i < findings->n_kept; i++) {
		struct kept_finding *kept = &findings->kept[i];

		if (!dms_run_is_overturned(run, kept->rule, kept->row.device))
			continue;
		doubt_kept(kept);
		take_first(group_of(findings, kept->rule, kept->row.device), findings, i);
	}
	dms_run_groups_doubt(run);
}

/* Groups and kept findings, in place. */
void dms_run_filter_findings(struct dms_run *run)
{
	struct dms_run_findings *findings = run->findings;
	size_t n_groups = 0, n_kept = 0;

	for (size_t i = 0; i < findings->n_groups; i++) {
		if (dms_run_tells_device(run, findings->groups[i].device))
			findings->groups[n_groups++] = findings->groups[i];
		else
			findings->n_filtered += findings->groups[i].count;
	}
	for (size_t i = 0; i < findings->n_kept; i++) {
		if (dms_run_tells_device(run, findings->kept[i].row.device))
			findings->kept[n_kept++] = findings->kept[i];
	}
	findings->n_groups = n_groups;
	findings->n_kept = n_kept;
	dms_run_groups_filter(run);
}

struct dms_error *dms_run_findings_create(struct dms_run *run,
					  const struct dms_run_options *options)
{
	struct dms_error *err;

	run->findings = dms_zalloc(sizeof(*run->findings));
	run->groups = dms_run_groups_create();
	if (!run->findings || !run->groups)
		return &dms_error_nomem;
	err = dms_rules_create(take_finding, run, &run->findings->rules);
	for (size_t i = 0; !err && i < options->n_rule_switches; i++)
		err = dms_rules_switch(run->findings->rules, options->rule_switches[i]);
	return err;
}

void dms_run_findings_destroy(struct dms_run_findings *findings)
{
	if (!findings)
		return;
	dms_rules_destroy(findings->rules);
	dms_free(findings->kept);
	dms_free(findings->groups);
	dms_free(findings->summaries);
	dms_free(findings);
}

bool dms_run_may_judge(const struct dms_run *run, const struct dms_step *step)
{
	return dms_rules_care(run->findings->rules, step);
}

struct dms_error *dms_run_judge(struct dms_run *run, const struct dms_step *step)
{
	return dms_rules_step(run->findings->rules, step);
}

static bool has_finding(const struct group *group, enum dms_severity severity,
			enum dms_confidence confidence)
{
	for (size_t i = severity; i < DMS_ARRAY_SIZE(group->n_sure); i++) {
		for (size_t j = confidence; j < DMS_ARRAY_SIZE(group->n_sure[i]); j++) {
			if (group->n_sure[i][j])
				return true;
		}
	}
	return false;
}

bool dms_run_found(const struct dms_run *run, const struct dms_rule *rule)
{
	for (size_t i = 0; i < run->findings->n_groups; i++) {
		if (run->findings->groups[i].rule == rule)
			return true;
	}
	return false;
}

uint64_t dms_run_count_findings(const struct dms_run *run, enum dms_severity severity,
				enum dms_confidence confidence)
{
	uint64_t count = 0;

	for (size_t i = 0; i < run->findings->n_groups; i++) {
		const struct group *group = &run->findings->groups[i];

		for (size_t j = severity; j < DMS_ARRAY_SIZE(group->n_sure); j++) {
			for (size_t k = confidence; k < DMS_ARRAY_SIZE(group->n_sure[j]); k++)
				count += group->n_sure[j][k];
		}
	}
	return count;
}

bool dms_run_has_finding(const struct dms_run *run, enum dms_severity severity,
			 enum dms_confidence confidence)
{
	for (size_t i = 0; i < run->findings->n_groups; i++) {
		if (has_finding(&run->findings->groups[i], severity, confidence))
			return true;
	}
	return false;
}

/* ---- telling -------------------------------------------------------------------------------- */

static int compare_kept(const void *left, const void *right)
{
	const struct kept_finding *a = left, *b = right;

	int order = compare_rows(&a->row, &b->row);

	return order ? order : strcmp(a->rule->id, b->rule->id);
}

struct dms_error *dms_run_store_findings(struct dms_run *run)
{
	struct dms_run_findings *findings = run->findings;
	struct dms_error *err = NULL;

	if (findings->n_kept)
		qsort(findings->kept, findings->n_kept, sizeof(*findings->kept), compare_kept);
	for (size_t i = 0; i < findings->n_kept && !err; i++) {
		struct kept_finding *kept = &findings->kept[i];

		kept->row.fingerprint = dms_run_groups_row(run->groups, kept->group, i + 1);
		err = dms_store_finding(run->store, &kept->row);
	}
	return err ? err : dms_run_groups_store(run);
}

char *dms_run_rules_off(const struct dms_run *run)
{
	const struct dms_rule *rules[DMS_MAX_RULES];
	size_t n_rules = dms_rules_all(rules);
	char *ids = dms_strdup("");

	for (size_t i = 0; i < n_rules && ids; i++) {
		char *before = ids;

		if (dms_rules_is_on(run->findings->rules, rules[i]) &&
		    dms_run_tells_rule(run, rules[i]->id))
			continue;
		ids = dms_asprintf("%s%s%s", before, before[0] ? " " : "", rules[i]->id);
		dms_free(before);
	}
	return ids;
}

static uint64_t n_not_stored(const struct group *group)
{
	uint64_t count = group->count;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(group->n_rows); i++)
		count -= group->n_rows[i];
	return count;
}

struct dms_error *dms_run_note_findings(struct dms_run *run)
{
	struct dms_error *noted =
		dms_run_note_filter(run, run->findings->n_filtered, run->findings->n_outside);

	if (noted || (noted = dms_run_groups_note(run)))
		return noted;
	for (size_t i = 0; i < run->findings->n_groups; i++) {
		const struct group *group = &run->findings->groups[i];
		struct dms_error *err;

		if (!n_not_stored(group))
			continue;
		err = dms_run_add_note(run, group->rule->id, group->device,
				       dms_asprintf("%" PRIu64
						    " more findings were counted and not "
						    "stored one by one",
						    n_not_stored(group)));
		if (err)
			return err;
	}
	return NULL;
}

static int compare_groups(const void *left, const void *right)
{
	const struct group *a = left, *b = right;
	int order = strcmp(a->rule->id, b->rule->id);

	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	if (order)
		return order;
	return a->device < b->device ? -1 : a->device > b->device;
}

static struct dms_error *summarise_group(struct dms_run *run, const struct group *group,
					 struct dms_finding_summary *ret)
{
	*ret = (struct dms_finding_summary){
		.rule = group->rule->id,
		.severity = dms_severity_name(group->severity),
		.count = group->count,
		.first_ts = group->first.ts,
		.confidence = dms_confidence_name(group->confidence),
		.reason = group->first.reason,
		.message = group->first.message,
		.fingerprint = dms_run_groups_fingerprint(run->groups, group->first_number),
	};
	if (group->device != DMS_ID_NONE)
		ret->device = dms_strtab_get(run->names.devices,
					     dms_model_device(run->model, group->device)->name);
	return dms_run_calls(run, &group->first, ret);
}

struct dms_error *dms_run_summarise_findings(struct dms_run *run, struct dms_summary *summary)
{
	struct dms_run_findings *findings = run->findings;
	struct dms_error *err = NULL;

	dms_free(findings->summaries);
	findings->summaries = dms_alloc(findings->n_groups * sizeof(*findings->summaries));
	if (!findings->summaries)
		return &dms_error_nomem;
	if (findings->n_groups)
		qsort(findings->groups, findings->n_groups, sizeof(*findings->groups),
		      compare_groups);
	for (size_t i = 0; i < findings->n_groups && !err; i++)
		err = summarise_group(run, &findings->groups[i], &findings->summaries[i]);
	summary->findings = findings->summaries;
	summary->n_findings = findings->n_groups;
	return err;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* The engine: every rule that wants a step looks at it; what one says, others may yield to. */
#include <stdlib.h>
#include <string.h>

#include "rows.h"

static const struct family {
	const struct dms_rule *rows;
	const size_t *n_rows;
} families[] = {
	{dms_rules_unmap, &dms_n_rules_unmap}, {dms_rules_map, &dms_n_rules_map},
	{dms_rules_sync, &dms_n_rules_sync},   {dms_rules_context, &dms_n_rules_context},
	{dms_rules_fault, &dms_n_rules_fault}, {dms_rules_end, &dms_n_rules_end},
	{dms_rules_check, &dms_n_rules_check}, {dms_rules_overlap, &dms_n_rules_overlap},
	{dms_rules_machine, &dms_n_rules_machine}, {dms_rules_site, &dms_n_rules_site},
	{dms_rules_message, &dms_n_rules_message},
};

/** A rule as this engine uses it. */
struct active {
	const struct dms_rule *rule;
	uint64_t bit, yields_to; /* bits of the rules it yields to */
};

/** What a step must show for any rule to look at it. */
struct guard {
	uint32_t differs, signs;
	bool is_open; /* some rule looks at every step */
};

struct dms_rules {
	dms_finding_fn sink;
	void *context;
	uint64_t all, switched_off;	     /* bits of rules */
	struct active active[DMS_MAX_RULES]; /* those others yield to first */
	size_t n_active;
	/* rules by step kind, in the order of active */
	const struct active *by_step[DMS_N_STEPS][DMS_MAX_RULES];
	size_t n_by_step[DMS_N_STEPS];
	struct guard guards[DMS_N_STEPS];
};

static size_t collect(const struct dms_rule **ret)
{
	size_t count = 0;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(families); i++) {
		for (size_t j = 0; j < *families[i].n_rows && count < DMS_MAX_RULES; j++)
			ret[count++] = &families[i].rows[j];
	}
	return count;
}

static int compare_ids(const void *left, const void *right)
{
	return strcmp((*(const struct dms_rule *const *)left)->id,
		      (*(const struct dms_rule *const *)right)->id);
}

size_t dms_rules_all(const struct dms_rule *ret[static DMS_MAX_RULES])
{
	size_t count = collect(ret);

	qsort(ret, count, sizeof(ret[0]), compare_ids);
	return count;
}

const struct dms_rule *dms_rule_find(const char *id)
{
	const struct dms_rule *rules[DMS_MAX_RULES];
	size_t count = collect(rules);

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(rules[i]->id, id))
			return rules[i];
	}
	return NULL;
}

struct dms_error *dms_rule_unknown(const char *id)
{
	struct dms_nearest nearest = dms_nearest_to(id, strlen(id));
	const struct dms_rule *rules[DMS_MAX_RULES];
	size_t count = collect(rules);

	for (size_t i = 0; i < count; i++)
		dms_nearest_try(&nearest, rules[i]->id);
	if (nearest.word)
		return dms_error_new(DMS_ERROR_USAGE,
				     "no rule is called \"%s\", did you mean \"%s\"?", id,
				     nearest.word);
	return dms_error_new(DMS_ERROR_USAGE,
			     "no rule is called \"%s\"; `dmascope rules` lists them", id);
}

bool dms_rule_needs_all_calls(const struct dms_rule *rule)
{
	const uint32_t of_pairs = ON(UNMAP) | ON(UNMAP_UNMATCHED) | ON(ENDED) | ON(SYNC) |
				  ON(SYNC_UNMATCHED) | ON(OVERLAP) | ON(PAGE_FREED);

	return (rule->on & of_pairs) && !(rule->beside & DMS_DOUBT_UNTRACED);
}

/* True if @id is one of the space-separated words of @list. */
static bool names(const char *list, const char *id)
{
	size_t len = strlen(id);

	for (const char *at = list; at && (at = strstr(at, id)); at += len) {
		if ((at == list || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	}
	return false;
}

static uint64_t yield_bits(const struct dms_rules *rules, const char *list)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < rules->n_active; i++) {
		if (names(list, rules->active[i].rule->id))
			bits |= rules->active[i].bit;
	}
	return bits;
}

static void guard_step(struct guard *guard, const struct dms_rule *rule)
{
	guard->differs |= rule->differs;
	guard->signs |= rule->signs;
	guard->is_open |= !rule->differs && !rule->signs;
}

/* A rule looks after those it yields to: as many rounds as chains are long. */
static void add_by_step(struct dms_rules *rules)
{
	uint64_t placed = 0, before;

	do {
		before = placed;
		for (size_t i = 0; i < rules->n_active; i++) {
			const struct active *active = &rules->active[i];

			if ((placed & active->bit) || (active->yields_to & ~placed))
				continue;
			for (unsigned int step = 0; step < DMS_N_STEPS; step++) {
				if (!(active->rule->on & DMS_BIT(step)))
					continue;
				rules->by_step[step][rules->n_by_step[step]++] = active;
				guard_step(&rules->guards[step], active->rule);
			}
			placed |= active->bit;
		}
	} while (placed != before);
}

struct dms_error *dms_rules_create(dms_finding_fn sink, void *context, struct dms_rules **ret)
{
	struct dms_rules *rules = dms_zalloc(sizeof(*rules));
	const struct dms_rule *all[DMS_MAX_RULES];

	if (!rules)
		return &dms_error_nomem;
	rules->sink = sink;
	rules->context = context;
	rules->n_active = collect(all);
	for (size_t i = 0; i < rules->n_active; i++)
		rules->active[i] = (struct active){.rule = all[i], .bit = 1ull << i};
	for (size_t i = 0; i < rules->n_active; i++)
		rules->all |= rules->active[i].bit;
	for (size_t i = 0; i < rules->n_active; i++)
		rules->active[i].yields_to = yield_bits(rules, all[i]->yields_to);
	add_by_step(rules);
	*ret = rules;
	return NULL;
}

void dms_rules_destroy(struct dms_rules *rules)
{
	dms_free(rules);
}

struct dms_error *dms_rules_switch(struct dms_rules *rules, const char *word)
{
	bool off = !strncmp(word, "no-", 3);
	const char *id = off ? word + 3 : word;

	for (size_t i = 0; i < rules->n_active; i++) {
		if (strcmp(rules->active[i].rule->id, id) != 0)
			continue;
		if (off)
			rules->switched_off |= rules->active[i].bit;
		else
			rules->switched_off &= ~rules->active[i].bit;
		return NULL;
	}
	return dms_rule_unknown(id);
}

bool dms_rules_is_on(const struct dms_rules *rules, const struct dms_rule *rule)
{
	for (size_t i = 0; i < rules->n_active; i++) {
		if (rules->active[i].rule == rule)
			return !(rules->active[i].bit & rules->switched_off);
	}
	return false;
}

static struct dms_error *tell(struct dms_rules *rules, const struct dms_rule *rule,
			      const struct dms_step *step, struct dms_facts *facts)
{
	uint32_t all_doubts = step->doubts | (step->mapping ? step->mapping->doubts : 0);
	uint32_t doubts = (all_doubts & ~rule->beside) | rule->always |
			  (rule->doubts ? rule->doubts(step) : 0);
	struct dms_finding finding = {
		.rule = rule,
		.severity = rule->grade ? rule->grade(step) : rule->severity,
		.confidence = dms_confidence_of(doubts),
		.reason = dms_doubt_reason(doubts),
		.doubts = doubts,
		.step = step,
		.facts = facts,
	};

	fact_ends(facts, step, rule->ends);
	if (finding.confidence == DMS_POSSIBLE)
		finding.severity = DMS_SEVERITY_INFO;
	return rules->sink(rules->context, &finding);
}

/* common_flags of a trace entry but need_resched: include/linux/trace_events.h */
#define FLAGS_ATOMIC (0x01 | 0x08 | 0x10 | 0x40)

static bool is_atomic(const struct dms_event *event)
{
	return event->common_flags & FLAGS_ATOMIC;
}

static uint32_t signs_of_map(const struct dms_step *step)
{
	const struct dms_mapping *mapping = step->mapping;
	const struct dms_device *device = step->device;
	uint32_t signs = 0;

	if (step->event->may_block && is_atomic(step->event))
		signs |= DMS_SIGN_BLOCKING;
	if (!mapping->size)
		signs |= DMS_SIGN_EMPTY;
	if (mapping->dir == DMS_DIR_NONE)
		signs |= DMS_SIGN_NO_DIR;
	if (mapping->area != DMS_AREA_UNKNOWN)
		signs |= DMS_SIGN_AREA;
	if (mapping->is_on_stack)
		signs |= DMS_SIGN_STACK;
	if (device->dma_mask || device->coherent_mask)
		signs |= DMS_SIGN_MASK;
	if (mapping->sg && (device->max_segment_bytes || device->segment_boundary))
		signs |= DMS_SIGN_LIMITS;
	return signs;
}

static uint32_t signs_of_end(const struct dms_step *step)
{
	const struct dms_mapping *mapping = step->mapping;
	uint32_t signs = 0;

	if (step->event && step->event->kind == DMS_EV_FREE && is_atomic(step->event))
		signs |= DMS_SIGN_ATOMIC;
	if (mapping->is_check_seen && (!mapping->is_checked || mapping->is_used_unchecked))
		signs |= DMS_SIGN_UNCHECKED;
	return signs;
}

static uint32_t signs_of_sync(const struct dms_step *step)
{
	uint8_t kind = step->mapping->kind;

	return kind == DMS_MAPPING_COHERENT || kind == DMS_MAPPING_RESOURCE ? DMS_SIGN_UNSTREAMED : 0;
}

static uint32_t signs_of(const struct dms_step *step)
{
	switch (step->kind) {
	case DMS_STEP_MAP:
		return signs_of_map(step);
	case DMS_STEP_UNMAP:
	case DMS_STEP_ENDED:
		return signs_of_end(step);
	case DMS_STEP_SYNC:
		return signs_of_sync(step);
	default: /* rare: let the rules look */
		return UINT32_MAX;
	}
}

/* Ask each rule that may have something to say on @step. */
_apart_ static struct dms_error *ask(struct dms_rules *rules, const struct dms_step *step)
{
	uint32_t has = step->event ? step->event->has : 0, signs = signs_of(step);
	uint64_t spoke = 0;
	struct dms_facts facts;

	for (size_t i = 0; i < rules->n_by_step[step->kind]; i++) {
		const struct active *active = rules->by_step[step->kind][i];
		const struct dms_rule *rule = active->rule;
		struct dms_error *err;

		if ((rule->differs && !(rule->differs & step->differs)) ||
		    (rule->signs && !(rule->signs & signs)))
			continue;
		if ((rule->needs & ~has) || (active->yields_to & spoke))
			continue;
		facts.n_items = 0;
		if (!rule->check(step, &facts))
			continue;
		spoke |= active->bit;
		if (active->bit & rules->switched_off)
			continue;
		if ((err = tell(rules, rule, step, &facts)))
			return err;
	}
	return NULL;
}

bool dms_rules_care(const struct dms_rules *rules, const struct dms_step *step)
{
	const struct guard *guard = &rules->guards[step->kind];

	return ((guard->differs & step->differs) || (guard->signs & signs_of(step)) ||
		guard->is_open) &&
	       rules->switched_off != rules->all;
}

struct dms_error *dms_rules_step(struct dms_rules *rules, const struct dms_step *step)
{
	return dms_rules_care(rules, step) ? ask(rules, step) : NULL;
}

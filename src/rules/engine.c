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

struct dms_rules {
	dms_finding_fn sink;
	void *context;
	uint64_t switched_off;		     /* bits of rules */
	struct active active[DMS_MAX_RULES]; /* those others yield to first */
	size_t n_active;
	/* rules by step kind, in the order of active */
	const struct active *by_step[DMS_N_STEPS][DMS_MAX_RULES];
	size_t n_by_step[DMS_N_STEPS];
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
				if (active->rule->on & DMS_BIT(step))
					rules->by_step[step][rules->n_by_step[step]++] = active;
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
	return dms_error_new(DMS_ERROR_USAGE,
			     "no rule is called \"%s\"; `dmascope rules` lists them", id);
}

static struct dms_error *tell(struct dms_rules *rules, const struct dms_rule *rule,
			      const struct dms_step *step, const struct dms_facts *facts)
{
	uint32_t all_doubts = step->doubts | (step->mapping ? step->mapping->doubts : 0);
	uint32_t doubts = (all_doubts & ~rule->beside) | rule->always;
	struct dms_finding finding = {
		.rule = rule,
		.severity = rule->severity,
		.confidence = dms_confidence_of(doubts),
		.reason = dms_doubt_reason(doubts),
		.doubts = doubts,
		.step = step,
		.facts = facts,
	};

	if (finding.confidence == DMS_POSSIBLE)
		finding.severity = DMS_SEVERITY_INFO;
	return rules->sink(rules->context, &finding);
}

struct dms_error *dms_rules_step(struct dms_rules *rules, const struct dms_step *step)
{
	uint32_t has = step->event ? step->event->has : 0;
	uint64_t spoke = 0;
	struct dms_facts facts;

	for (size_t i = 0; i < rules->n_by_step[step->kind]; i++) {
		const struct active *active = rules->by_step[step->kind][i];
		const struct dms_rule *rule = active->rule;
		struct dms_error *err;

		if (rule->differs && !(rule->differs & step->differs))
			continue; /* healthy steps leave here */
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

/* SPDX-License-Identifier: LGPL-2.1-only */
/* struct dms_rule: a rule of the DMA API as a row; struct dms_finding: it was found broken. */
#ifndef DMASCOPE_RULES_H
#define DMASCOPE_RULES_H

#include <dmascope/base.h>
#include <dmascope/model.h>

enum dms_severity { DMS_SEVERITY_INFO, DMS_SEVERITY_WARNING, DMS_SEVERITY_ERROR };
/** "info", "warning", "error". */
const char *dms_severity_name(enum dms_severity severity);

/** How a fact is written. */
enum dms_fact_type {
	DMS_FACT_NUMBER,  /* decimal */
	DMS_FACT_ADDRESS, /* hexadecimal with 0x */
	DMS_FACT_WORD,	  /* one of our own words; not from the trace */
	DMS_FACT_DEVICE,  /* index of a device of the model */
};

/** One thing a rule saw: what its message is made of. */
struct dms_fact {
	const char *key; /* "map_size_bytes": with its unit */
	enum dms_fact_type type;
	uint64_t number;
	const char *word;
};

#define DMS_MAX_FACTS 24
struct dms_facts {
	struct dms_fact items[DMS_MAX_FACTS];
	size_t n_items;
};

/** A rule is one row and one pure function. */
struct dms_rule {
	const char *id; /* stable, kebab-case */
	enum dms_severity severity;
	const char *title;	/* lower case, in dma-debug's words */
	const char *message;	/* as dma-debug would say it; {key} stands for a fact */
	uint32_t on;		/* bits of enum dms_step_kind */
	uint32_t needs;		/* DMS_HAS_* of the event: silent where the trace lacks them */
	uint32_t differs;	/* DMS_DIFFERS_*: only steps that differ so; 0: all */
	const char *yields_to;	/* ids, space separated: silent where one of these spoke */
	uint32_t beside;	/* DMS_DOUBT_* that cannot overturn it: the event alone tells */
	uint32_t always;	/* DMS_DOUBT_* every finding has: it is inferred */
	uint32_t inputs;	/* DMS_INPUT_*: any of them lets it be judged; 0: events suffice */
	/** True if broken; adds the facts its message needs. */
	bool (*check)(const struct dms_step *step, struct dms_facts *facts);
	const char *cause, *cure, *limits, *source; /* sentences for `dmascope rules ID` */
};

/** A rule found broken. Borrowed for the callback. */
struct dms_finding {
	const struct dms_rule *rule;
	enum dms_severity severity; /* the rule's, or info if the confidence is only possible */
	enum dms_confidence confidence;
	const char *reason;	    /* for doubt; NULL if certain */
	uint32_t doubts;	    /* DMS_DOUBT_* behind the confidence */
	const struct dms_step *step;
	const struct dms_facts *facts;
};

typedef struct dms_error *(*dms_finding_fn)(void *context, const struct dms_finding *finding);

/** No more rules than this: each has a bit. */
#define DMS_MAX_RULES 64
/** Every rule, sorted by id, into @ret. Return: how many. */
size_t dms_rules_all(const struct dms_rule *ret[static DMS_MAX_RULES]);
/** The rule called @id, or NULL. */
const struct dms_rule *dms_rule_find(const char *id);

/** Judges steps. */
struct dms_rules;
struct dms_error *dms_rules_create(dms_finding_fn sink, void *context, struct dms_rules **ret);
void dms_rules_destroy(struct dms_rules *rules);
/** Switch a rule: "ID" on, "no-ID" off. Errors: DMS_ERROR_USAGE: no such rule. */
struct dms_error *dms_rules_switch(struct dms_rules *rules, const char *word);
/** Judge one step. Errors: those of the sink. */
struct dms_error *dms_rules_step(struct dms_rules *rules, const struct dms_step *step);

/**
 * The finding's message: its rule's, with the facts in place.
 * Ownership: the caller's, dms_free(). Return: NULL when memory is short.
 */
char *dms_finding_message(const struct dms_finding *finding);
/** The facts as one JSON object; dms_free(). NULL when memory is short. */
char *dms_finding_json(const struct dms_finding *finding);

#endif

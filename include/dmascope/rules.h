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

/** Whose map and unmap a finding shows beside its own call. */
enum dms_ends {
	DMS_ENDS_NEAREST, /* of the step's mapping, else of related, past or elsewhere */
	DMS_ENDS_PAST,	  /* of the last life of the address */
	DMS_ENDS_OWNER,	  /* of the mapping on another device */
};

/**
 * What the engine sees of a step at a glance: bits. Nearly every step of a healthy driver shows
 * none of those a rule is about, and is let go without asking the rule.
 */
enum dms_sign {
	DMS_SIGN_EMPTY = DMS_BIT(0),	 /* MAP of 0 bytes */
	DMS_SIGN_NO_DIR = DMS_BIT(1),	 /* MAP with DMA_NONE */
	DMS_SIGN_AREA = DMS_BIT(2),	 /* MAP of memory whose area is known */
	DMS_SIGN_STACK = DMS_BIT(3),	 /* MAP of the task's stack */
	DMS_SIGN_MASK = DMS_BIT(4),	 /* MAP for a device whose mask is known */
	DMS_SIGN_LIMITS = DMS_BIT(5),	 /* MAP of a list for a device whose limits are known */
	DMS_SIGN_BLOCKING = DMS_BIT(6),	 /* an allocation that may sleep where it must not */
	DMS_SIGN_ATOMIC = DMS_BIT(7),	 /* a free in an interrupt, or with interrupts disabled */
	DMS_SIGN_UNCHECKED = DMS_BIT(8), /* a map that was to be checked for an error, and was not */
	DMS_SIGN_UNSTREAMED = DMS_BIT(9), /* SYNC of what is no streaming mapping */
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
	uint32_t signs;		/* DMS_SIGN_*: only steps that show one of them; 0: all */
	const char *yields_to;	/* ids, space separated: silent where one of these spoke */
	uint32_t beside;	/* DMS_DOUBT_* that cannot overturn it: the event alone tells */
	uint32_t always;	/* DMS_DOUBT_* every finding has: it is inferred */
	uint32_t inputs;	/* DMS_INPUT_*: any of them lets it be judged; 0: events suffice */
	/** DMS_DOUBT_* of this finding beside the step's own; NULL: none. */
	uint32_t (*doubts)(const struct dms_step *step);
	/** This finding's severity, where it is not always the rule's; NULL: it is. */
	enum dms_severity (*grade)(const struct dms_step *step);
	/** True if broken; adds the facts its message needs. */
	bool (*check)(const struct dms_step *step, struct dms_facts *facts);
	enum dms_ends ends;	/* whose ends the engine adds to the facts */
	const char *cause, *cure, *limits, *source; /* sentences for `dmascope rules ID` */
};

/** A rule found broken. Borrowed for the callback. */
struct dms_finding {
	const struct dms_rule *rule;
	enum dms_severity severity; /* the rule's or its grade, or info if the confidence is only possible */
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
/** The error that there is no rule @id, with the one that may have been meant. */
struct dms_error *dms_rule_unknown(const char *id);

/** True if a call that is missing in the trace could overturn what @rule finds. */
bool dms_rule_needs_all_calls(const struct dms_rule *rule);

/** Judges steps. */
struct dms_rules;
struct dms_error *dms_rules_create(dms_finding_fn sink, void *context, struct dms_rules **ret);
void dms_rules_destroy(struct dms_rules *rules);
/** Switch a rule: "ID" on, "no-ID" off. Errors: DMS_ERROR_USAGE: no such rule. */
struct dms_error *dms_rules_switch(struct dms_rules *rules, const char *word);
/** True if @rule judges: nobody switched it off. */
bool dms_rules_is_on(const struct dms_rules *rules, const struct dms_rule *rule);
/** False if no rule has anything to say on @step: healthy steps are known by a glance. */
bool dms_rules_care(const struct dms_rules *rules, const struct dms_step *step);
/** Judge one step. Errors: those of the sink. */
struct dms_error *dms_rules_step(struct dms_rules *rules, const struct dms_step *step);

/**
 * The finding's message: its rule's, with the facts in place. Devices are named by @model and
 * @names; without them (NULL) they are told by number.
 * Ownership: the caller's, dms_free(). Return: NULL when memory is short.
 */
char *dms_finding_message(const struct dms_finding *finding, const struct dms_model *model,
			  const struct dms_names *names);
/**
 * The facts as one JSON object; dms_free(). NULL when memory is short. The engine adds, where
 * they are known, map_ns, map_cpu, map_pid, map_stack_id; unmap_* of the unmap before;
 * owner_device; and other_* of the older of two overlapping mappings. Stacks: row in table stack.
 */
char *dms_finding_json(const struct dms_finding *finding, const struct dms_model *model,
		       const struct dms_names *names);

/**
 * What @rule cannot do without and @inputs (DMS_INPUT_*) lack, and how to get it: "needs ...".
 * *@ret: the caller's, dms_free(); NULL if it can judge. Errors: memory.
 */
struct dms_error *dms_rule_missing(const struct dms_rule *rule, uint32_t inputs, char **ret);

#endif

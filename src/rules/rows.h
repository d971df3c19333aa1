/* SPDX-License-Identifier: LGPL-2.1-only */
/* The families of rule rows, and what their checks share. */
#ifndef DMS_RULES_ROWS_H
#define DMS_RULES_ROWS_H

#include <dmascope/rules.h>

extern const struct dms_rule dms_rules_unmap[], dms_rules_map[], dms_rules_sync[],
	dms_rules_context[], dms_rules_fault[], dms_rules_end[], dms_rules_check[],
	dms_rules_overlap[], dms_rules_machine[], dms_rules_site[], dms_rules_message[];
extern const size_t dms_n_rules_unmap, dms_n_rules_map, dms_n_rules_sync, dms_n_rules_context,
	dms_n_rules_fault, dms_n_rules_end, dms_n_rules_check, dms_n_rules_overlap,
	dms_n_rules_machine, dms_n_rules_site, dms_n_rules_message;

#define ON(step) DMS_BIT(DMS_STEP_##step)
/* For beside: whatever is not known of the mapping, the event itself is wrong. */
#define ALL_DOUBTS (DMS_BIT(DMS_N_DOUBTS) - 1)

/* Facts; a fact beyond DMS_MAX_FACTS is a mistake of the rule and is dropped. */
void fact_number(struct dms_facts *facts, const char *key, uint64_t number);
void fact_address(struct dms_facts *facts, const char *key, uint64_t address);
void fact_word(struct dms_facts *facts, const char *key, const char *word);
/* The same, unless there is a fact of that key. */
void fact_number_once(struct dms_facts *facts, const char *key, uint64_t number);
void fact_device_once(struct dms_facts *facts, const char *key, uint32_t index);
/** Who mapped and who unmapped: the life that @ends chooses. */
void fact_ends(struct dms_facts *facts, const struct dms_step *step, enum dms_ends ends);
/** "DMA_TO_DEVICE" and so on, as dma-debug prints directions. */
void fact_dir(struct dms_facts *facts, const char *key, uint8_t dir);

/** What dma-debug calls a mapping of @kind: "single", "scatter-gather", "coherent"... */
const char *debug_kind_name(uint8_t kind);

/** message_rules.c: True if @step is a MESSAGE of that kind; adds what the kernel told as facts. */
bool message_is(const struct dms_step *step, enum dms_message message, struct dms_facts *facts);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* dmascope rules: the rules there are, or one of them explained. */
#include <stdio.h>

#include <dmascope/rules.h>

#include "cli.h"

static void list_all(void)
{
	const struct dms_rule *rules[DMS_MAX_RULES];
	size_t count = dms_rules_all(rules);

	for (size_t i = 0; i < count; i++)
		printf("%-26s %-8s %s\n", rules[i]->id, dms_severity_name(rules[i]->severity),
		       rules[i]->title);
}

static void explain(const struct dms_rule *rule)
{
	const struct {
		const char *label, *text;
	} parts[] = {
		{"says", rule->message},  {"cause", rule->cause},	  {"cure", rule->cure},
		{"limits", rule->limits}, {"yields to", rule->yields_to}, {"source", rule->source},
	};

	printf("%s (%s)\n%s\n\n", rule->id, dms_severity_name(rule->severity), rule->title);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(parts); i++) {
		if (parts[i].text)
			printf("%-10s %s\n", parts[i].label, parts[i].text);
	}
}

struct dms_error *dms_cmd_rules(const struct dms_call *call, enum dms_exit *ret)
{
	const struct dms_rule *rule;

	(void)ret;
	if (!call->n_operands) {
		list_all();
		return NULL;
	}
	rule = dms_rule_find(call->operands[0]);
	if (!rule)
		return dms_error_new(DMS_ERROR_USAGE,
				     "no rule is called \"%s\"; `dmascope rules` lists them",
				     call->operands[0]);
	explain(rule);
	return NULL;
}

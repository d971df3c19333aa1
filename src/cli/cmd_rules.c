// SPDX-License-Identifier: GPL-2.0-only
/* dmascope rules: the rules there are, or one of them explained. */
#include <stdio.h>
#include <string.h>

#include <dmascope/rules.h>

#include "cli.h"
#include "rule_code.h"

#define LABEL_COLUMNS 11
#define PAGE_COLUMNS  80

static void list_all(void)
{
	const struct dms_rule *rules[DMS_MAX_RULES];
	size_t count = dms_rules_all(rules);

	for (size_t i = 0; i < count; i++)
		printf("%-26s %-8s %s\n", rules[i]->id, dms_severity_name(rules[i]->severity),
		       rules[i]->title);
}

/* A label, and behind it the text in lines of the page. */
static void print_part(const char *label, const char *text)
{
	size_t column = LABEL_COLUMNS;

	if (!text || !*text)
		return;
	printf("%-*s", LABEL_COLUMNS - 1, label);
	while (*text) {
		size_t bytes = strcspn(text, " ");

		if (column > LABEL_COLUMNS && column + bytes >= PAGE_COLUMNS) {
			printf("\n%*s", LABEL_COLUMNS - 1, "");
			column = LABEL_COLUMNS;
		}
		printf(" %.*s", (int)bytes, text);
		column += bytes + 1;
		text += bytes;
		text += *text != '\0';
	}
	putchar('\n');
}

/* The fields of an event a rule cannot do without, in words; "" if any event will do. */
static const char *format_fields(uint32_t needs, char *buf, size_t size)
{
	static const struct {
		uint32_t bit;
		const char *word;
	} rows[] = {
		{DMS_HAS_DMA_ADDR, "the DMA address"},
		{DMS_HAS_PHYS_ADDR, "the physical address"},
		{DMS_HAS_VIRT_ADDR, "the CPU address"},
		{DMS_HAS_SIZE, "the size"},
		{DMS_HAS_DIR, "the direction"},
		{DMS_HAS_ATTRS, "the attributes"},
		{DMS_HAS_PHYS_LIST, "the list's entries"},
		{DMS_HAS_DMA_LIST, "the list's segments"},
		{DMS_HAS_MAY_BLOCK, "the allocation flags"},
	};
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows) && used < size; i++) {
		if (needs & rows[i].bit)
			used += (size_t)snprintf(buf + used, size - used, "%s%s",
						 used ? ", " : "an event that tells ",
						 rows[i].word);
	}
	return buf;
}

static struct dms_error *print_needs(const struct dms_rule *rule)
{
	_cleanup_(dms_freep) char *missing = NULL, *needs = NULL;
	struct dms_error *err = dms_rule_missing(rule, 0, &missing);
	char fields[160];

	if (err)
		return err;
	format_fields(rule->needs, fields, sizeof(fields));
	/* what is missing begins with "needs " */
	needs = dms_asprintf("%s%s%s", fields, fields[0] && missing ? "; " : "",
			     missing ? missing + strlen("needs ") : "");
	if (!needs)
		return &dms_error_nomem;
	print_part("needs", needs);
	return NULL;
}

static void print_code(const struct dms_rule *rule)
{
	const struct dms_rule_code *const tables[] = {dms_rule_code_ends, dms_rule_code_uses};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(tables); i++) {
		for (const struct dms_rule_code *row = tables[i]; row->id; row++) {
			if (!strcmp(row->id, rule->id))
				printf("\ncode (-: breaks the rule, +: keeps it)\n%s", row->text);
		}
	}
}

static void print_example(const struct dms_rule *rule)
{
	for (size_t i = 0; i < dms_n_examples; i++) {
		if (!strcmp(dms_examples[i].id, rule->id))
			printf("\nexample (nanoseconds, device, call; => what is found)\n%s",
			       dms_examples[i].text);
	}
}

static struct dms_error *explain(const struct dms_rule *rule)
{
	struct dms_error *err;

	printf("%s (%s)\n%s\n\n", rule->id, dms_severity_name(rule->severity), rule->title);
	print_part("says", rule->message);
	print_part("cause", rule->cause);
	print_part("cure", rule->cure);
	print_part("limits", rule->limits);
	if ((err = print_needs(rule)))
		return err;
	print_part("yields to", rule->yields_to);
	print_part("source", rule->source);
	print_code(rule);
	print_example(rule);
	return NULL;
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
		return dms_rule_unknown(call->operands[0]);
	return explain(rule);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Model and rules on a bench: events in as text, findings out, for the tests of src/rules. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rulebench.h"

static struct dms_error *take(void *context, const struct dms_finding *finding)
{
	struct bench *bench = context;
	struct told *told = &bench->told[bench->n_told];
	char *text = dms_finding_json(finding, bench->model, &bench->names);

	ck_assert_uint_lt(bench->n_told++, MAX_TOLD);
	snprintf(told->head, sizeof(told->head), "%s %s %s", finding->rule->id,
		 dms_severity_name(finding->severity), dms_confidence_name(finding->confidence));
	ck_assert_msg(!finding->reason == (finding->confidence == DMS_CERTAIN),
		      "%s: a reason is for doubt, and doubt needs one", told->head);
	ck_assert_uint_lt(finding->facts->n_items, DMS_MAX_FACTS);
	told->rule = finding->rule;
	told->message = dms_finding_message(finding, bench->model, &bench->names);
	ck_assert_ptr_nonnull(told->message);
	ck_assert_ptr_nonnull(text);
	told->facts = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(json_is_object(told->facts), "%s: facts are no JSON: %s", told->head, text);
	ck_assert_uint_eq(json_object_size(told->facts), finding->facts->n_items);
	dms_free(text);
	return NULL;
}

static struct dms_error *judge(void *context, const struct dms_step *step)
{
	struct bench *bench = context;

	return dms_rules_step(bench->rules, step);
}

void bench_create(struct bench *bench)
{
	*bench = (struct bench){.names.devices = dms_strtab_create()};
	ck_assert_ptr_null(dms_rules_create(take, bench, &bench->rules));
	ck_assert_ptr_null(dms_model_create(&bench->names, judge, bench, &bench->model));
}

void bench_forget(struct bench *bench)
{
	for (unsigned int i = 0; i < bench->n_told; i++) {
		dms_free(bench->told[i].message);
		json_decref(bench->told[i].facts);
	}
	bench->n_told = 0;
}

void bench_destroy(struct bench *bench)
{
	bench_forget(bench);
	dms_model_destroy(bench->model);
	dms_rules_destroy(bench->rules);
	dms_strtab_destroy(bench->names.devices);
	dms_inventory_destroy((struct dms_inventory *)bench->config.inventory);
	dms_iomem_destroy((struct dms_iomem *)bench->config.iomem);
}

bool bench_setting(struct bench *bench, const char *line)
{
	size_t used;

	if (!strncmp(line, "@inventory ", 11)) {
		used = strlen(bench->inventory);
		snprintf(bench->inventory + used, sizeof(bench->inventory) - used, "%s\n", line + 11);
	} else if (!strncmp(line, "@iomem ", 7)) {
		used = strlen(bench->iomem);
		snprintf(bench->iomem + used, sizeof(bench->iomem) - used, "%s\n", line + 7);
	} else if (!strncmp(line, "@inputs ", 8)) {
		bench->config.inputs = (uint32_t)strtoul(line + 8, NULL, 0);
	} else if (!strcmp(line, "@never-elides")) {
		bench->config.never_elides = true;
	} else {
		return false;
	}
	ck_assert_msg(!bench->is_configured, "too late: %s", line);
	return true;
}

void bench_configure(struct bench *bench)
{
	struct dms_inventory *inventory = NULL;
	struct dms_iomem *iomem = NULL;

	if (bench->is_configured)
		return;
	bench->is_configured = true;
	if (bench->inventory[0])
		ck_assert_ptr_null(dms_inventory_create(bench->inventory, strlen(bench->inventory),
							&inventory));
	if (bench->iomem[0])
		ck_assert_ptr_null(dms_iomem_create(bench->iomem, strlen(bench->iomem), &iomem));
	bench->config.inventory = inventory;
	bench->config.iomem = iomem;
	dms_model_configure(bench->model, &bench->config);
}

static struct dms_error *apply(struct bench *bench, struct text_item *item)
{
	switch (item->kind) {
	case TEXT_EVENT:
		item->event.has &= ~bench->hidden;
		return dms_model_event(bench->model, &item->event);
	case TEXT_GAP:
		return dms_model_gap(bench->model, &item->gap);
	case TEXT_UNBIND:
		return dms_model_unbind(bench->model, item->device, item->ts);
	case TEXT_END:
		return dms_model_end(bench->model, item->ts);
	default:
		return NULL;
	}
}

bool bench_feed(struct bench *bench, const char *line)
{
	struct text_item item;

	text_parse(line, bench->names.devices, &item);
	ck_assert_msg(item.kind != TEXT_BAD, "not understood: %s", line);
	if (item.kind == TEXT_NOTHING)
		return false;
	ck_assert_ptr_null(apply(bench, &item));
	return true;
}

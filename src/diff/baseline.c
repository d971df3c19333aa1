// SPDX-License-Identifier: LGPL-2.1-only
/* A run to be compared: opened by what the file holds, sorted, each thing in it once. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dmascope/store.h>

#include "baseline.h"

/* A baseline of a large machine has some hundred kilobytes. In memory JSON is 30 times as large. */
#define MAX_FILE_BYTES ((size_t)16 << 20)

/* ---- drafts -----------------------------------------------------------------------------------
 */

static const size_t item_bytes[DMS_N_DRAFTS] = {
	[DMS_DRAFT_FINDINGS] = sizeof(struct dms_base_finding),
	[DMS_DRAFT_MEASUREMENTS] = sizeof(struct dms_measurement),
	[DMS_DRAFT_BLIND_SPOTS] = sizeof(struct dms_blind_spot),
	[DMS_DRAFT_KINDS] = sizeof(struct dms_base_kind),
	[DMS_DRAFT_RULES_OFF] = sizeof(const char *),
};

void *dms_draft_add(struct dms_draft *draft, enum dms_draft_kind kind)
{
	struct dms_draft_list *list = &draft->lists[kind];

	if (!dms_grow(&list->items, &list->capacity, list->n_items + 1, item_bytes[kind]))
		return NULL;
	return list->items + item_bytes[kind] * list->n_items++;
}

static void *keep(struct dms_draft *draft, enum dms_draft_kind kind)
{
	const struct dms_draft_list *list = &draft->lists[kind];
	size_t bytes = list->n_items * item_bytes[kind];
	void *items = dms_arena_alloc(draft->run->arena, bytes);

	if (items && bytes)
		memcpy(items, list->items, bytes);
	return items;
}

static void draft_deinit(struct dms_draft *draft)
{
	for (size_t i = 0; i < DMS_N_DRAFTS; i++)
		dms_free(draft->lists[i].items);
}

const char *dms_draft_text(struct dms_draft *draft, const char *text)
{
	char *copy = dms_arena_alloc(draft->run->arena, strlen(text) + 1);

	return copy ? strcpy(copy, text) : NULL;
}

const char *dms_draft_clean_text(struct dms_draft *draft, const char *text, size_t bytes)
{
	char *copy = dms_arena_alloc(draft->run->arena, bytes + 1);

	for (size_t i = 0; copy && i < bytes; i++)
		copy[i] = text[i] < ' ' || text[i] > '~' ? '_' : text[i];
	return copy;
}

double dms_draft_round(double value)
{
	char buf[40];

	snprintf(buf, sizeof(buf), "%.6g", value);
	return strtod(buf, NULL);
}

const char *dms_draft_title(const char *id)
{
	const struct dms_rule *rule = dms_rule_find(id);

	return rule ? rule->title : id;
}

/* ---- order ------------------------------------------------------------------------------------
 */

/* NULL, which is everything, first. */
static int compare_text(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int compare_findings(const void *left, const void *right)
{
	const struct dms_base_finding *a = left, *b = right;

	return strcmp(a->fingerprint, b->fingerprint);
}

static int compare_measurements(const void *left, const void *right)
{
	const struct dms_measurement *a = left, *b = right;
	int order;

	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	order = strcmp(a->subject, b->subject);
	return order ? order : strcmp(a->metric->name, b->metric->name);
}

static int compare_blind_spots(const void *left, const void *right)
{
	const struct dms_blind_spot *a = left, *b = right;
	int order = compare_text(a->rule, b->rule);

	if (!order)
		order = compare_text(a->device_kind, b->device_kind);
	return order ? order : strcmp(a->reason, b->reason);
}

static int compare_kinds(const void *left, const void *right)
{
	const struct dms_base_kind *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static int compare_rules(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static const struct {
	int (*compare)(const void *left, const void *right);
	const char *what;
} orders[DMS_N_DRAFTS] = {
	[DMS_DRAFT_FINDINGS] = {compare_findings, "two findings have one fingerprint"},
	[DMS_DRAFT_MEASUREMENTS] = {compare_measurements, "a metric of one subject is given twice"},
	[DMS_DRAFT_BLIND_SPOTS] = {compare_blind_spots, "a blind spot is given twice"},
	[DMS_DRAFT_KINDS] = {compare_kinds, "a kind of devices is given twice"},
	[DMS_DRAFT_RULES_OFF] = {compare_rules, "a rule is given twice in rules_off"},
};

/* A merge in git may leave lines in any order, and some of them twice. */
static struct dms_error *sort(struct dms_draft *draft)
{
	for (size_t kind = 0; kind < DMS_N_DRAFTS; kind++) {
		struct dms_draft_list *list = &draft->lists[kind];
		size_t bytes = item_bytes[kind];

		if (list->n_items)
			qsort(list->items, list->n_items, bytes, orders[kind].compare);
		for (size_t i = 1; i < list->n_items; i++) {
			const char *item = list->items + i * bytes;

			if (!orders[kind].compare(item - bytes, item))
				return dms_error_new(DMS_ERROR_INPUT, "%s: %s", draft->run->path,
						     orders[kind].what);
		}
	}
	return NULL;
}

static struct dms_error *finish(struct dms_draft *draft)
{
	struct dms_baseline *run = draft->run;
	struct dms_error *err = sort(draft);

	if (err)
		return err;
	run->findings = keep(draft, DMS_DRAFT_FINDINGS);
	run->n_findings = draft->lists[DMS_DRAFT_FINDINGS].n_items;
	run->measurements = keep(draft, DMS_DRAFT_MEASUREMENTS);
	run->n_measurements = draft->lists[DMS_DRAFT_MEASUREMENTS].n_items;
	run->blind_spots = keep(draft, DMS_DRAFT_BLIND_SPOTS);
	run->n_blind_spots = draft->lists[DMS_DRAFT_BLIND_SPOTS].n_items;
	run->kinds = keep(draft, DMS_DRAFT_KINDS);
	run->n_kinds = draft->lists[DMS_DRAFT_KINDS].n_items;
	run->rules_off = keep(draft, DMS_DRAFT_RULES_OFF);
	run->n_rules_off = draft->lists[DMS_DRAFT_RULES_OFF].n_items;
	if (!run->findings || !run->measurements || !run->blind_spots || !run->kinds ||
	    !run->rules_off)
		return &dms_error_nomem;
	return NULL;
}

/* ---- files ------------------------------------------------------------------------------------
 */

/* As much of @fd as there is, up to @max bytes behind what *@text holds. */
static struct dms_error *read_up_to(int fd, const char *path, size_t max, char *text,
				    size_t *n_bytes)
{
	ssize_t got = 1;

	while (got && *n_bytes < max) {
		got = read(fd, text + *n_bytes, max - *n_bytes);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", path);
		*n_bytes += (size_t)got;
	}
	return NULL;
}

/* The whole of a baseline file of which @head_bytes are known already. */
static struct dms_error *open_json(struct dms_draft *draft, int fd, const char *head,
				   size_t head_bytes)
{
	const char *path = draft->run->path;
	size_t n_bytes = head_bytes, capacity = 0, blanks = strspn(head, " \t\r\n");
	_cleanup_(dms_freep) char *text = NULL;
	struct dms_error *err;

	if (blanks < head_bytes && head[blanks] != '{')
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s is neither a dmascope database nor a baseline file", path);
	for (size_t room = 1 << 16;; room *= 4) {
		if (!dms_grow(&text, &capacity, room + 1, 1))
			return &dms_error_nomem;
		memcpy(text, head, head_bytes);
		if ((err = read_up_to(fd, path, room, text, &n_bytes)))
			return err;
		if (n_bytes < room)
			return dms_draft_parse(draft, text, n_bytes);
		if (n_bytes > MAX_FILE_BYTES)
			return dms_error_new(DMS_ERROR_INPUT,
					     "%s: a baseline file has at most %zu MiB", path,
					     MAX_FILE_BYTES >> 20);
	}
}

static struct dms_error *open_file(struct dms_draft *draft, const struct dms_config *config)
{
	static const char magic[16] = "SQLite format 3";
	const char *path = draft->run->path;
	char head[sizeof(magic) + 1] = "";
	size_t n_bytes = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct dms_error *err;

	if (fd < 0)
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", path);
	err = read_up_to(fd, path, sizeof(magic), head, &n_bytes);
	if (!err && (n_bytes < sizeof(magic) || memcmp(head, magic, sizeof(magic)) != 0)) {
		err = open_json(draft, fd, head, n_bytes);
		close(fd);
		return err;
	}
	close(fd);
	if (!err)
		err = dms_db_open(path, false, &draft->run->db);
	if (!err && (err = dms_draft_read(draft, config)))
		err = dms_error_wrap(err, "%s", path);
	return err;
}

struct dms_error *dms_baseline_open(const char *path, const struct dms_config *config,
				    struct dms_baseline **ret)
{
	struct dms_draft draft = {.run = dms_zalloc(sizeof(*draft.run))};
	struct dms_error *err = NULL;

	if (!draft.run)
		return &dms_error_nomem;
	draft.run->arena = dms_arena_create();
	if (!draft.run->arena || !(draft.run->path = dms_draft_text(&draft, path)))
		err = &dms_error_nomem;
	if (!err)
		err = open_file(&draft, config);
	if (!err)
		err = finish(&draft);
	draft_deinit(&draft);
	if (err) {
		dms_baseline_destroy(draft.run);
		return err;
	}
	*ret = draft.run;
	return NULL;
}

void dms_baseline_destroy(struct dms_baseline *baseline)
{
	if (!baseline)
		return;
	dms_db_close(baseline->db);
	dms_arena_destroy(baseline->arena);
	dms_free(baseline);
}

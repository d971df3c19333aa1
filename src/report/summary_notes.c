// SPDX-License-Identifier: LGPL-2.1-only
/* What could not be judged, put together: each reason once, with all that it is about. */
#include <stdlib.h>
#include <string.h>

#include "local.h"

#define SHOWN_DEVICES 6 /* of a note; the database has all */

/** A note on its way to its line. */
struct told {
	const struct dms_note *note;  /* as all: in the array of the summary, in its order */
	const struct dms_note *first; /* of those that share its line */
};

static int compare_places(const struct dms_note *a, const struct dms_note *b)
{
	return (a > b) - (a < b);
}

/*
 * 0: they share a line, as the same holds for several rules, or for several devices, of one rule or
 * of all that is said of them. What is about the whole run shares none.
 */
static int compare_lines(const struct dms_note *a, const struct dms_note *b)
{
	bool is_of_run = !a->rule && !a->device;
	int order = is_of_run - (!b->rule && !b->device);

	if (order || is_of_run)
		return order ? order : compare_places(a, b);
	if (!a->rule != !b->rule)
		return !a->rule - !b->rule;
	if ((order = strcmp(a->reason, b->reason)))
		return order;
	if (!a->device || !b->device)
		return !a->device - !b->device;
	return a->rule ? strcmp(a->rule, b->rule) : 0;
}

static int compare_by_device(const void *left, const void *right)
{
	const struct dms_note *a = ((const struct told *)left)->note;
	const struct dms_note *b = ((const struct told *)right)->note;
	int order = compare_lines(a, b);

	if (!order && a->device)
		order = strcmp(a->device, b->device);
	return order ? order : compare_places(a, b);
}

static int compare_by_first(const void *left, const void *right)
{
	const struct told *a = left, *b = right;
	int order = compare_places(a->first, b->first);

	return order ? order : compare_places(a->note, b->note);
}

/*
 * The beginning of @told, sorted by device, shares a line: give all of it the same first one.
 * Generations of a device share its name, which is told once: the others go. Returns how many there
 * were; *@ret_n of them are left, from @kept on.
 */
static size_t take_line(const struct told *told, size_t n_told, struct told *kept, size_t *ret_n)
{
	const struct dms_note *line = told->note, *first = line, *last = NULL;
	size_t n = 0, n_kept = 0;

	for (; n < n_told && !compare_lines(line, told[n].note); n++) {
		const struct dms_note *note = told[n].note;

		if (last && last->device && note->device && !strcmp(last->device, note->device))
			continue;
		first = note < first ? note : first;
		last = note;
		kept[n_kept++].note = note;
	}
	for (size_t i = 0; i < n_kept; i++)
		kept[i].first = first;
	*ret_n = n_kept;
	return n;
}

/* Sort @told by lines, in the order of their first notes; returns how many are left of @n. */
static size_t arrange(struct told *told, size_t n)
{
	size_t n_kept = 0, n_line;

	qsort(told, n, sizeof(*told), compare_by_device);
	for (size_t i = 0; i < n; n_kept += n_line)
		i += take_line(told + i, n - i, told + n_kept, &n_line);
	qsort(told, n_kept, sizeof(*told), compare_by_first);
	return n_kept;
}

/*
 * "reason", "rule, rule: reason", "rule, device, device and 3 more: reason", or without the rule;
 * NULL: memory.
 */
static char *join(const struct told *line, size_t n)
{
	const struct dms_note *note = line->note;
	size_t n_shown = note->device && n > SHOWN_DEVICES ? SHOWN_DEVICES : n;
	size_t bytes = strlen(note->reason) + sizeof(", : and 18446744073709551615 more");
	const char *head = note->rule ? note->rule : note->device;
	char *text, *end;

	if (!head)
		return dms_strdup(note->reason);
	bytes += strlen(head);
	for (size_t i = 0; i < n_shown; i++) {
		const char *name = note->device ? line[i].note->device : line[i].note->rule;

		bytes += strlen(name) + strlen(", ");
	}
	text = dms_alloc(bytes);
	if (!text)
		return NULL;
	end = stpcpy(text, head);
	for (size_t i = note->rule && note->device ? 0 : 1; i < n_shown; i++)
		end = stpcpy(stpcpy(end, ", "),
			     note->device ? line[i].note->device : line[i].note->rule);
	if (n > n_shown)
		end += sprintf(end, " and %zu more", n - n_shown);
	stpcpy(stpcpy(end, ": "), note->reason);
	return text;
}

static bool put_line(const struct told *line, size_t n, dms_line_fn put, const void *context)
{
	_cleanup_(dms_freep) char *text = join(line, n), *harmless = NULL;

	if (text)
		harmless = dms_escape(text, strlen(text), DMS_ESCAPE_TEXT);
	if (harmless)
		put(harmless, context);
	return harmless != NULL;
}

bool dms_notes_print(const struct dms_summary *summary, dms_line_fn put, const void *context)
{
	struct told *told = dms_zalloc(summary->n_notes * sizeof(*told));
	size_t n = 0, end;
	bool ok = told;

	for (size_t i = 0; ok && i < summary->n_notes; i++)
		told[i].note = &summary->notes[i];
	if (ok)
		n = arrange(told, summary->n_notes);
	for (size_t i = 0; ok && i < n; i = end) {
		for (end = i + 1; end < n && told[end].first == told[i].first; end++)
			continue;
		ok = put_line(told + i, end - i, put, context);
	}
	dms_free(told);
	return ok;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Findings without call stacks or drivers, matched with those that have them, if that is
 * unambiguous. */
#include <string.h>

#include "compare.h"

/* Parts of a fingerprint, in their order. */
enum part { PART_RULE, PART_KIND, PART_MAP_SITE, PART_SITE, PART_DIRECTION, PART_SIZE, N_PARTS };

struct part_text {
	const char *start;
	size_t bytes;
};

/* A group of findings as seen here. */
struct coarse {
	struct part_text parts[N_PARTS];
	bool is_whole;	  /* it has all parts: one from elsewhere may not */
	bool has_stacks;  /* every run that has it recorded stacks */
	size_t n_matches; /* of the other side */
	size_t match;
};

const struct dms_base_finding *dms_group_any(const struct dms_comparing *comparing,
					     const struct dms_finding_group *group,
					     enum dms_side side)
{
	for (size_t i = 0; i < comparing->n_runs[side]; i++) {
		if (group->of[side][i])
			return group->of[side][i];
	}
	return NULL;
}

static bool split(const char *fingerprint, struct part_text parts[static N_PARTS])
{
	for (size_t i = 0; i < N_PARTS; i++) {
		parts[i].start = fingerprint;
		parts[i].bytes = strcspn(fingerprint, ":");
		fingerprint += parts[i].bytes;
		if (*fingerprint != (i + 1 < N_PARTS ? ':' : '\0'))
			return false;
		fingerprint++;
	}
	return true;
}

static void describe(const struct dms_comparing *comparing, const struct dms_finding_group *group,
		     struct coarse *ret)
{
	const struct dms_base_finding *finding = NULL;

	*ret = (struct coarse){.has_stacks = true};
	for (int side = 0; side < DMS_SIDES; side++) {
		for (size_t i = 0; i < comparing->n_runs[side]; i++) {
			if (!group->of[side][i])
				continue;
			finding = group->of[side][i];
			ret->has_stacks &= comparing->runs[side][i]->has_stacks;
		}
	}
	ret->is_whole = finding && split(finding->fingerprint, ret->parts);
}

static bool is_same(const struct coarse *a, const struct coarse *b, enum part part)
{
	return a->parts[part].bytes == b->parts[part].bytes &&
	       !memcmp(a->parts[part].start, b->parts[part].start, a->parts[part].bytes);
}

static bool is_word(const struct coarse *coarse, enum part part, const char *word)
{
	return coarse->parts[part].bytes == strlen(word) &&
	       !memcmp(coarse->parts[part].start, word, coarse->parts[part].bytes);
}

/* Kinds made of the device's name, as dms_device_kind() makes them, stand for an unknown driver. */
static bool has_driver(const struct coarse *coarse)
{
	return !is_word(coarse, PART_KIND, "-") && !is_word(coarse, PART_KIND, "pci") &&
	       !memchr(coarse->parts[PART_KIND].start, '#', coarse->parts[PART_KIND].bytes);
}

static bool lacks_site(const struct coarse *coarse, enum part part)
{
	return !coarse->has_stacks && is_word(coarse, part, "-");
}

/*
 * A map that was not seen has no site even where stacks were recorded: whoever broke the rule then
 * must be the same, and known.
 */
static bool maps_fit(const struct coarse *a, const struct coarse *b)
{
	if (is_same(a, b, PART_MAP_SITE) || lacks_site(a, PART_MAP_SITE) ||
	    lacks_site(b, PART_MAP_SITE))
		return true;
	return (is_word(a, PART_MAP_SITE, "-") || is_word(b, PART_MAP_SITE, "-")) &&
	       is_same(a, b, PART_SITE) && !is_word(a, PART_SITE, "-");
}

static bool fit(const struct coarse *a, const struct coarse *b)
{
	if (!a->is_whole || !b->is_whole || !is_same(a, b, PART_RULE) ||
	    !is_same(a, b, PART_DIRECTION) || !is_same(a, b, PART_SIZE))
		return false;
	if (!is_same(a, b, PART_KIND) && has_driver(a) == has_driver(b))
		return false;
	if (!is_same(a, b, PART_SITE) && !lacks_site(a, PART_SITE) && !lacks_site(b, PART_SITE))
		return false;
	return maps_fit(a, b);
}

/* Two findings of one run are two. */
static bool share_a_run(const struct dms_comparing *comparing, const struct dms_finding_group *a,
			const struct dms_finding_group *b)
{
	for (int side = 0; side < DMS_SIDES; side++) {
		for (size_t i = 0; i < comparing->n_runs[side]; i++) {
			if (a->of[side][i] && b->of[side][i])
				return true;
		}
	}
	return false;
}

static bool is_left_over(const struct dms_finding_group *group)
{
	return !group->n_of[DMS_BASE] || !group->n_of[DMS_HEAD];
}

/* One of them at least is left over, and together they are of both sides. */
static bool complete_each_other(const struct dms_finding_group *a,
				const struct dms_finding_group *b)
{
	return (is_left_over(a) || is_left_over(b)) && (a->n_of[DMS_BASE] || b->n_of[DMS_BASE]) &&
	       (a->n_of[DMS_HEAD] || b->n_of[DMS_HEAD]);
}

static void count_matches(const struct dms_comparing *comparing,
			  const struct dms_finding_group *groups, struct coarse *coarse, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t j = i + 1; j < n; j++) {
			if (!complete_each_other(&groups[i], &groups[j]) ||
			    !fit(&coarse[i], &coarse[j]) ||
			    share_a_run(comparing, &groups[i], &groups[j]))
				continue;
			coarse[i].n_matches++;
			coarse[j].n_matches++;
			coarse[i].match = j;
			coarse[j].match = i;
		}
	}
}

static void merge(const struct dms_comparing *comparing, struct dms_finding_group *into,
		  struct dms_finding_group *from)
{
	for (int side = 0; side < DMS_SIDES; side++) {
		for (size_t i = 0; i < comparing->n_runs[side]; i++) {
			if (from->of[side][i])
				into->of[side][i] = from->of[side][i];
		}
		into->n_of[side] += from->n_of[side];
	}
	from->is_merged = true;
}

void dms_compare_match(struct dms_comparing *comparing, struct dms_finding_group *groups, size_t n)
{
	struct coarse *coarse = dms_compare_alloc(comparing, n, sizeof(*coarse));

	if (!coarse)
		return;
	for (size_t i = 0; i < n; i++)
		describe(comparing, &groups[i], &coarse[i]);
	count_matches(comparing, groups, coarse, n);
	for (size_t i = 0; i < n; i++) {
		size_t j = coarse[i].match;

		if (!coarse[i].n_matches || groups[i].is_merged)
			continue;
		if (coarse[i].n_matches == 1 && coarse[j].n_matches == 1)
			merge(comparing, &groups[i], &groups[j]);
		else if (is_left_over(&groups[i]))
			groups[i].doubt =
				dms_compare_say(comparing, "call stacks or drivers are not known "
							   "on one side: it may be one of "
							   "several findings of the other (record "
							   "both with -T and an inventory)");
	}
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* What an output makes of a comparison, as a string, and comparisons as large as one likes. */
#ifndef TESTS_LIB_PRINTED_H
#define TESTS_LIB_PRINTED_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "comparison.h"
#include "diff/local.h"

static const struct dms_comparison *const all_comparisons[] = {
	&hostile_comparison, &lossy_comparison, &clean_comparison, &first_comparison};

static inline char *printed_as(dms_diff_print *print, const struct dms_comparison *comparison,
			       unsigned int width, bool colour)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	struct dms_error *err;

	ck_assert_ptr_nonnull(out);
	err = print(comparison, out, width, colour);
	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_uint_eq(strlen(text), bytes);
	return text;
}

/* For free(). */
static inline char *printed(dms_diff_print *print, const struct dms_comparison *comparison)
{
	return printed_as(print, comparison, 100, false);
}

static inline size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

static inline void ck_has(const char *text, const char *what)
{
	ck_assert_msg(strstr(text, what) != NULL, "no \"%s\" in:\n%.600s", what, text);
}

static inline void ck_has_not(const char *text, const char *what)
{
	ck_assert_msg(!strstr(text, what), "\"%s\" in:\n%.600s", what, text);
}

/* A comparison of @n findings, each with a fingerprint of its own. */
static inline struct dms_comparison *many(size_t n)
{
	struct dms_comparison *comparison = calloc(1, sizeof(*comparison));
	struct dms_finding_change *changes = calloc(n, sizeof(*changes));
	struct dms_base_finding *findings = calloc(n, sizeof(*findings));

	ck_assert(comparison && changes && findings);
	*comparison = hostile_comparison;
	for (size_t i = 0; i < n; i++) {
		char *fingerprint = malloc(256);

		snprintf(fingerprint, 256, "%s:%zu", HOSTILE_MARKUP, i);
		findings[i] = finding_evil;
		findings[i].fingerprint = fingerprint;
		changes[i] = (struct dms_finding_change){.state = DMS_STATE_NEW,
							 .head = &findings[i],
							 .runs_head = 1,
							 .count_head = 1,
							 .fails = true};
	}
	comparison->findings = changes;
	comparison->n_findings = n;
	return comparison;
}

static inline void many_free(struct dms_comparison *comparison)
{
	for (size_t i = 0; i < comparison->n_findings; i++)
		free((char *)comparison->findings[i].head->fingerprint);
	free((void *)comparison->findings[0].head);
	free((void *)comparison->findings);
	free(comparison);
}

#endif

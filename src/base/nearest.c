// SPDX-License-Identifier: LGPL-2.1-only
/* The known word that is nearest to what was typed: "did you mean". */
#include <string.h>

#include <dmascope/base.h>

#define WORD_MAX 31

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance; words longer than any of ours are far from all. */
static unsigned int distance(const char *typed, size_t typed_len, const char *known)
{
	unsigned int row[WORD_MAX + 1], diagonal, above;
	size_t known_len = strlen(known);

	if (typed_len > WORD_MAX || known_len > WORD_MAX)
		return WORD_MAX;
	for (size_t i = 0; i <= known_len; i++)
		row[i] = (unsigned int)i;
	for (size_t j = 1; j <= typed_len; j++) {
		diagonal = row[0];
		row[0] = (unsigned int)j;
		for (size_t i = 1; i <= known_len; i++) {
			above = row[i];
			row[i] = min3(above + 1, row[i - 1] + 1,
				      diagonal + (typed[j - 1] != known[i - 1]));
			diagonal = above;
		}
	}
	return row[known_len];
}

void dms_nearest_try(struct dms_nearest *nearest, const char *word)
{
	unsigned int cost = distance(nearest->typed, nearest->typed_len, word);
	size_t len = strlen(word);

	/* a beginning typed in full ("--out") is nearer than any misspelling */
	if (nearest->typed_len >= 2 && nearest->typed_len < len &&
	    !strncmp(word, nearest->typed, nearest->typed_len))
		cost = 1;
	if (cost < nearest->distance && cost <= 1 + len / 3) {
		nearest->distance = cost;
		nearest->word = word;
	}
}

struct dms_nearest dms_nearest_to(const char *typed, size_t len)
{
	return (struct dms_nearest){.typed = typed, .typed_len = len, .distance = WORD_MAX};
}

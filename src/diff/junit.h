/* SPDX-License-Identifier: LGPL-2.1-only */
/* The cases of a JUnit file: gathered by junit_cases.c, written by out_junit.c. */
#ifndef DMS_DIFF_JUNIT_H
#define DMS_DIFF_JUNIT_H

#include <dmascope/diff.h>

enum junit_outcome { JUNIT_PASS, JUNIT_SKIP, JUNIT_FAIL, JUNIT_ERROR, JUNIT_OUTCOMES };

/** Texts are those of the arena; they may hold anything a trace may hold. */
struct junit_case {
	const char *class, *name;
	const char *message, *text; /* NULL: none */
	enum junit_outcome outcome;
};

struct junit {
	const struct dms_comparison *comparison;
	struct dms_arena *arena;
	struct junit_case *cases; /* those of one class stand together */
	size_t n_cases, capacity;
	struct _xmlTextWriter *xml;
	bool has_failed; /* memory was short, or libxml2 refused */
};

/** Fill in the cases. False: memory. */
bool junit_gather(struct junit *junit);

#endif

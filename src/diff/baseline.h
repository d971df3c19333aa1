/* SPDX-License-Identifier: LGPL-2.1-only */
/* A baseline while it is being read: lists that grow, and what is the same for both kinds of file.
 */
#ifndef DMS_DIFF_BASELINE_H
#define DMS_DIFF_BASELINE_H

#include <dmascope/diff.h>

/** Frames of a call stack that are kept: the innermost. */
#define DMS_BASELINE_FRAMES 16
/** The version of schemas/baseline.schema.json, written and read. */
#define DMS_BASELINE_SCHEMA 1
/** What a baseline file says it is. */
#define DMS_BASELINE_FORMAT "dmascope baseline"

enum dms_draft_kind {
	DMS_DRAFT_FINDINGS,
	DMS_DRAFT_MEASUREMENTS,
	DMS_DRAFT_BLIND_SPOTS,
	DMS_DRAFT_KINDS,
	DMS_DRAFT_RULES_OFF,
	DMS_N_DRAFTS
};

struct dms_draft {
	struct dms_baseline *run;
	struct dms_draft_list {
		char *items;
		size_t n_items, capacity;
	} lists[DMS_N_DRAFTS];
};

/** A zeroed item at the end of list @kind, valid until the next is added; NULL: memory. */
void *dms_draft_add(struct dms_draft *draft, enum dms_draft_kind kind);
/** A copy of @text in the arena of @draft; NULL: memory. */
const char *dms_draft_text(struct dms_draft *draft, const char *text);
/** The same of its first @bytes, fit for git and for a fingerprint: "_" for what is not ASCII. */
const char *dms_draft_clean_text(struct dms_draft *draft, const char *text, size_t bytes);
/**
 * @value with 6 significant digits: what is read from a database compares equal to what is read
 * back from a file.
 */
double dms_draft_round(double value);
/** The title of rule @id, of another version of the program its id. Borrowed. */
const char *dms_draft_title(const char *id);

/** baseline_read.c: fill @draft from the database that is open as its run's. */
struct dms_error *dms_draft_read(struct dms_draft *draft, const struct dms_config *config);
/** baseline_kinds.c: functions for its SQL, and temp.base_device: clean names of devices, kinds. */
struct dms_error *dms_draft_name_devices(struct dms_draft *draft, const struct dms_config *config);
/** baseline_measure.c: the measurements of it, when its devices are named. */
struct dms_error *dms_draft_measure(struct dms_draft *draft);
/** baseline_json.c: fill @draft from @text, @bytes of JSON out of the file that its run names. */
struct dms_error *dms_draft_parse(struct dms_draft *draft, const char *text, size_t bytes);

/** Run @sql, which has no parameters, and let @take see each row. @take: NULL: there is none. */
struct sqlite3_stmt;
typedef struct dms_error *dms_draft_take(struct dms_draft *draft, struct sqlite3_stmt *stmt);
struct dms_error *dms_draft_query(struct dms_draft *draft, const char *sql, dms_draft_take *take);
/** What went wrong last in @db: what is damaged or was made by hand is the input's fault. */
struct sqlite3;
struct dms_error *dms_draft_error(struct sqlite3 *db, const char *doing);

#endif

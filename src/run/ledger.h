/* SPDX-License-Identifier: LGPL-2.1-only */
/* What steps amount to: statistics, series and rows, entered by a thread of its own. */
#ifndef DMASCOPE_RUN_LEDGER_H
#define DMASCOPE_RUN_LEDGER_H

#include <dmascope/series.h>
#include <dmascope/stats.h>
#include <dmascope/store.h>

struct dms_pump;
struct dms_tally;
struct dms_ledger;

/** Where steps are entered; borrowed, and the ledger's as long as it lives. */
struct dms_books {
	struct dms_model *model; /* gives out numbers of rows */
	struct dms_stats *stats;
	struct dms_tally *tally;   /* of the statistics; NULL: they count what is entered at once */
	struct dms_series *series; /* these two: NULL without a database */
	struct dms_store *store;
};

/** Enter @step, here and now. Errors: memory; of the database. */
struct dms_error *dms_books_enter(const struct dms_books *books, const struct dms_step *step);

/**
 * Begin to enter steps into @books in a thread. Events lie in batches of @pump, which are released
 * when the steps about them are entered. *@ret NULL, without an error: there may be no thread.
 */
struct dms_error *dms_ledger_create(const struct dms_books *books, struct dms_pump *pump,
				    struct dms_ledger **ret);
/** Stops where it is. NULL is allowed. */
void dms_ledger_destroy(struct dms_ledger *ledger);

/**
 * Enter @step in time. @event: of the pump, just being taken; what else @step points to is copied.
 * Errors, also of steps before it: as dms_books_enter().
 */
struct dms_error *dms_ledger_step(struct dms_ledger *ledger, const struct dms_step *step,
				  const struct dms_event *event);
/** The pump turned: release its last batch in time. */
void dms_ledger_turn(struct dms_ledger *ledger);
/** Wait until all is entered: until the next step the books are the caller's. */
struct dms_error *dms_ledger_drain(struct dms_ledger *ledger);

#endif

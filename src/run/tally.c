// SPDX-License-Identifier: LGPL-2.1-only
/* Steps noted for the statistics, and counted by whichever thread has time. */
#include <dmascope/backlog.h>

#include "tally.h"

struct dms_tally {
	struct dms_stats *stats;
	struct dms_backlog *notes;
};

static bool count(void *context, const void *items, size_t n)
{
	const struct dms_tally *tally = context;

	/* there is but one error that it can be: memory */
	return !dms_stats_count(tally->stats, items, n);
}

struct dms_tally *dms_tally_create(struct dms_stats *stats)
{
	struct dms_tally *tally = dms_zalloc(sizeof(*tally));

	if (!tally)
		return NULL;
	tally->stats = stats;
	tally->notes = dms_backlog_create(sizeof(struct dms_stats_note), count, tally);
	if (!tally->notes) {
		dms_tally_destroy(tally);
		return NULL;
	}
	return tally;
}

void dms_tally_destroy(struct dms_tally *tally)
{
	if (!tally)
		return;
	dms_backlog_destroy(tally->notes);
	dms_free(tally);
}

struct dms_error *dms_tally_drain(struct dms_tally *tally)
{
	return dms_backlog_drain(tally->notes) ? NULL : &dms_error_nomem;
}

bool dms_tally_help(struct dms_tally *tally)
{
	return dms_backlog_help(tally->notes);
}

/* All that was noted before it has to be counted first. */
_apart_ static struct dms_error *count_now(struct dms_tally *tally, const struct dms_step *step)
{
	struct dms_error *err = dms_tally_drain(tally);

	return err ? err : dms_stats_step(tally->stats, step);
}

/* Apart: so that the model, which counts what it tells where there is one thread, stays in one piece. */
_apart_ _flat_ struct dms_error *dms_tally_step(struct dms_tally *tally, const struct dms_step *step)
{
	if (!dms_stats_note(tally->stats, step, dms_backlog_room(tally->notes)))
		return count_now(tally, step);
	return dms_backlog_add(tally->notes) ? NULL : &dms_error_nomem;
}

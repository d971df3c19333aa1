// SPDX-License-Identifier: GPL-2.0-only
/*
 * No statistics: `make bench` links this in front of the library, and so measures what src/stats
 * costs. No option of dmascope leads here.
 */
#include <dmascope/stats.h>

struct dms_stats {
	char nothing;
};

struct dms_stats *dms_stats_create(void)
{
	return dms_zalloc(sizeof(struct dms_stats));
}

void dms_stats_destroy(struct dms_stats *stats)
{
	dms_free(stats);
}

struct dms_error *dms_stats_step(struct dms_stats *stats, const struct dms_step *step)
{
	(void)stats;
	(void)step;
	return NULL;
}

bool dms_stats_note(const struct dms_stats *stats, const struct dms_step *step,
		    struct dms_stats_note *ret)
{
	(void)stats;
	(void)step;
	(void)ret;
	return true;
}

struct dms_error *dms_stats_count(struct dms_stats *stats, const struct dms_stats_note *notes, size_t n)
{
	(void)stats;
	(void)notes;
	(void)n;
	return NULL;
}

void dms_stats_restart(struct dms_stats *stats, uint64_t ts)
{
	(void)stats;
	(void)ts;
}

/* As of a device that had no step. */
const struct dms_device_stats *dms_stats_device(const struct dms_stats *stats, uint32_t index)
{
	(void)stats;
	(void)index;
	return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Live mappings of one device that no unmap tells apart: one stands for all of them. */
#ifndef DMS_MODEL_TWINS_H
#define DMS_MODEL_TWINS_H

#include "live.h"

/*
 * Where there is no IOMMU, what a device only reads may be mapped as often as its rings have places:
 * a page of a file that is sent on many sockets, or pktgen's one packet. Each in the table, n of
 * them cost the square of n (two maps for each unmap, 60,000 times: 2.6 s, and 0.1 so). In the
 * table is the eldest, which the next unmap means; the younger ones follow it, by age.
 */

/** Is @live, which is in no table, in the place of @other? Both of one device. */
bool twins_are(const struct live_mapping *live, const struct live_mapping *other);

/** @live, which is in no table, follows @eldest and those behind it. False: memory is short. */
bool twins_add(struct slot_pool *pool, struct live_mapping *eldest, struct live_mapping *live);

/** How many @eldest stands for, itself included. */
uint32_t twins_count(const struct slot_pool *pool, const struct live_mapping *eldest);
/** The youngest of them: @eldest, if it is alone. */
struct live_mapping *twins_youngest(const struct slot_pool *pool, struct live_mapping *eldest);
/** The next older one than @live; NULL: it is the eldest. */
struct live_mapping *twins_older(const struct slot_pool *pool, const struct live_mapping *live);
/** The next younger one than @eldest; NULL: it is alone. */
struct live_mapping *twins_younger(const struct slot_pool *pool, const struct live_mapping *eldest);
/** The eldest of those mapped since loss epoch @epoch began; if there is none, @eldest. */
struct live_mapping *twins_of_epoch(const struct slot_pool *pool, struct live_mapping *eldest,
				    uint32_t epoch);
/** Who stands for @live, which is one of several, in @table, where it is entered with @range. */
struct live_mapping *twins_eldest(const struct slot_pool *pool, const struct extent_table *table,
				  const struct dms_segment *range, struct live_mapping *live);

/**
 * @live leaves those @eldest stands for. Return: who stands for them now: not @eldest if that is who
 * left, and the caller has to exchange it in its table.
 */
struct live_mapping *twins_remove(struct slot_pool *pool, struct live_mapping *eldest,
				  struct live_mapping *live);

static inline bool twins_has(const struct live_mapping *live)
{
	return live->is_eldest || live->is_younger;
}

#endif

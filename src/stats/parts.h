/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files of this room share: distributions, breakdowns, times within one call. */
#ifndef DMS_STATS_PARTS_H
#define DMS_STATS_PARTS_H

#include <dmascope/stats.h>

/** Addresses that were unmapped, and when. A newer one takes the slot of an older one. */
struct dms_reuse {
	struct {
		uint64_t key; /* dma_addr + 1; 0: the slot is empty */
		uint64_t unmap_ts;
	} slots[DMS_STATS_REUSE_SLOTS];
};

/** The last event of a CPU, if a latency may begin with it. */
struct cpu_event {
	uint64_t ts, addr, size;
	uint32_t pid;
	uint32_t device; /* index, of UNMAP_SG */
	uint32_t kind;	 /* enum dms_event_kind; NONE: nothing begins here */
};

/** Last events by CPU. */
struct latencies {
	struct cpu_event *cpus;
	size_t n_cpus;
};

struct dms_stats {
	struct dms_device_stats **devices; /* by index; NULL: no step yet */
	size_t capacity;
	struct latencies latencies;
};

/** Make the histogram of @distribution; false when memory is short. */
bool stats_begin_histogram(struct dms_device_stats *device, enum dms_distribution distribution);

/** @device has one more @value. False when memory is short. */
static inline bool stats_measure(struct dms_device_stats *device,
				 enum dms_distribution distribution, uint64_t value)
{
	if (!device->histograms[distribution] && !stats_begin_histogram(device, distribution))
		return false;
	dms_histogram_add(device->histograms[distribution], value);
	return true;
}

/* breakdown.c: calls by CPU, kind and direction */
#define BREAKDOWN_NO_KEY UINT64_MAX /* there were no calls */
/** Count the recent calls where they belong: the next ones are of @key. False: no memory. */
bool breakdown_turn(struct dms_device_stats *device, uint64_t key);
/** No recent calls are left uncounted. */
void breakdown_settle(struct dms_device_stats *device);

/**
 * Where a call is to be counted; NULL when memory is short. Most calls are like the one before:
 * those are collected in one place, and go to the rows of their CPU and kind when another one comes.
 */
static inline struct dms_calls *breakdown_calls(struct dms_device_stats *device, uint32_t cpu,
						uint8_t kind, uint8_t dir)
{
	uint64_t key = (uint64_t)cpu << 16 | (uint32_t)kind << 8 | dir;

	if (key != device->recent_key && !breakdown_turn(device, key))
		return NULL;
	return &device->recent;
}

bool breakdown_sync(struct dms_device_stats *device, const struct dms_step *step);
bool breakdown_failed(struct dms_device_stats *device, const struct dms_step *step);
/** The mapping of @step, an UNMAP, was made on another CPU. */
bool breakdown_handover(struct dms_device_stats *device, const struct dms_step *step);
void breakdown_deinit(struct dms_device_stats *device);
void breakdown_restart(struct dms_device_stats *device);

/* latency.c */
/** Measure what @step is the end of, and keep what it may be the beginning of. */
bool latency_step(struct dms_stats *stats, struct dms_device_stats *device,
		  const struct dms_step *step);

/** The map of @key at @ts, or its unmap: see reuse_map(). */
bool reuse_end(struct dms_device_stats *device, uint64_t key, uint32_t hash, uint64_t ts);
bool reuse_begin(struct dms_device_stats *device, uint64_t key, uint32_t hash, uint64_t ts);

/** A multiplication mixes an address well enough, and this is done twice for each mapping. */
static inline uint32_t reuse_hash(uint64_t key)
{
	return (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 32);
}

/** @dma_addr is mapped at @ts: how soon after its unmap? */
static inline bool reuse_map(struct dms_device_stats *device, uint64_t dma_addr, uint64_t ts)
{
	uint32_t hash = reuse_hash(dma_addr + 1);

	return (hash & device->reuse_mask) || reuse_end(device, dma_addr + 1, hash, ts);
}

/** @dma_addr is unmapped at @ts. */
static inline bool reuse_unmap(struct dms_device_stats *device, uint64_t dma_addr, uint64_t ts)
{
	uint32_t hash = reuse_hash(dma_addr + 1);

	return (hash & device->reuse_mask) || reuse_begin(device, dma_addr + 1, hash, ts);
}

#endif

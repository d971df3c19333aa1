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
	uint32_t steps; /* bits of enum dms_step_kind: those that matter so far */
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

/*
 * breakdown.c: each call counts in two rows, that of its CPU and that of its kind and direction. To
 * collect those of one CPU and kind first cost more: the next one is mostly of another.
 */
/** A row that breakdown_cpu() does not find; NULL when memory is short. */
struct dms_calls *breakdown_add_cpu(struct dms_device_stats *device, uint32_t cpu);

/** The calls of @cpu; NULL when memory is short. */
static inline struct dms_calls *breakdown_cpu(struct dms_device_stats *device, uint32_t cpu)
{
	return cpu < device->n_cpus ? &device->cpus[cpu] : breakdown_add_cpu(device, cpu);
}

/** The calls of @kind and @dir: one that is none counts as unknown. */
static inline struct dms_calls *breakdown_kind(struct dms_device_stats *device, uint8_t kind,
					       uint8_t dir)
{
	return &device->calls[kind][dir < DMS_DIR_UNKNOWN ? dir : DMS_DIR_UNKNOWN];
}

bool breakdown_sync(struct dms_device_stats *device, const struct dms_step *step);
bool breakdown_failed(struct dms_device_stats *device, const struct dms_event *event);
/** @mapping was unmapped on @unmap_cpu, another than where it was mapped. */
bool breakdown_handover(struct dms_device_stats *device, const struct dms_mapping *mapping,
			uint32_t unmap_cpu);
void breakdown_deinit(struct dms_device_stats *device);
void breakdown_restart(struct dms_device_stats *device);

/* latency.c */
void latency_init(struct latencies *latencies);
/** May a step of @kind be the beginning or the end of a latency, or stand between? */
static inline bool latency_needs(const struct latencies *latencies, enum dms_step_kind kind)
{
	return latencies->steps >> kind & 1;
}

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

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

/** What is left; 0 if @by is more, as clocks of two CPUs may disagree by a little. */
static inline uint64_t stats_less(uint64_t from, uint64_t by)
{
	uint64_t rest;

	return __builtin_sub_overflow(from, by, &rest) ? 0 : rest;
}

/** A cell of a table that names a counter; an empty cell, 0, names none. */
#define COUNTER(name) (DMS_COUNT_##name + 1)

/** @counter is a COUNTER() cell of a table; 0 counts nothing. */
static inline void count(struct dms_device_stats *device, unsigned int counter, uint64_t by)
{
	if (counter)
		device->counters[counter - 1] += by;
}

static inline bool is_single(unsigned int kind)
{
	return kind < DMS_MAPPING_SG;
}

static inline bool is_streaming(unsigned int kind)
{
	return kind <= DMS_MAPPING_SG;
}

/* settle.c */
/** Make live and live_bytes up to date; and all that dms_stats_device() returns. */
void stats_settle_live(struct dms_device_stats *device);
void stats_settle(struct dms_device_stats *device);

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

/* addresses.c: iova_low and iova_high */
void addresses_init(struct dms_device_stats *device);
/** Nearly all lie where others lay: then it does not matter whether they are known, or damaged. */
static inline bool addresses_are_inside(const struct dms_device_stats *device, uint64_t first,
					uint64_t last)
{
	return first >= device->iova_low && last <= device->iova_high;
}
/** Those of @mapping are used, and not all inside. */
void addresses_use_new(struct dms_device_stats *device, const struct dms_mapping *mapping);
/** Those of @mapping, which is no list, are used. */
static inline void addresses_use(struct dms_device_stats *device,
				 const struct dms_mapping *mapping)
{
	if (!addresses_are_inside(device, mapping->dma_addr,
				  mapping->dma_addr + mapping->size - 1))
		addresses_use_new(device, mapping);
}
/** The same of a list. */
void addresses_use_list(struct dms_device_stats *device, const struct dms_mapping *mapping);
/** The lowest and the highest that @mapping has; low > high: none is known. */
void addresses_of(const struct dms_mapping *mapping, uint64_t *ret_low, uint64_t *ret_high);
void addresses_widen(struct dms_device_stats *device, uint64_t low, uint64_t high);

/** What statistics look at of a step, made of its note; step points to the rest. */
struct noted {
	struct dms_step step;
	struct dms_mapping mapping;
	struct dms_event event;
};
/* note.c */
/** Note @step, all but its device. */
void note_write(const struct dms_step *step, struct dms_stats_note *note);
/** The device is not in it; @ret must not be moved. */
void note_read(const struct dms_stats_note *note, struct noted *ret);

/*
 * breakdown.c: each call is counted once, in the cell of its kind, direction and CPU, of which the
 * rows by kind and by CPU are sums. A driver maps buffers of one size over and over (94 % of the
 * shared recording's maps have that of the cell's last one): a map that repeats the one before is
 * one more of the run, and what that makes in bytes and in the distribution is left for its end.
 */
struct dms_cell {
	/* by is_remap, which is anybody's guess: so nothing branches on it */
	uint64_t run_maps[2]; /* repeats of the last map of another size */
	uint64_t run_bytes;   /* of each of them */
	struct {
		uint64_t maps, bytes;
	} told[2]; /* without the run */
	uint64_t unmaps, syncs, failed; /* see dms_calls */
};

/** Kind and direction as one number. */
static inline size_t breakdown_shape(uint8_t kind, uint8_t dir)
{
	_Static_assert(DMS_DIR_UNKNOWN < DMS_STATS_DIRS, "each direction has its own");
	return (size_t)kind * DMS_STATS_DIRS + dir;
}

/** A cell that breakdown_find() does not find. NULL when memory is short. */
struct dms_cell *breakdown_add(struct dms_device_stats *device, size_t shape, uint32_t cpu);

/** The cell of @kind, @dir and @cpu. False when memory is short. */
static inline bool breakdown_find(struct dms_device_stats *device, uint8_t kind, uint8_t dir,
				  uint32_t cpu, struct dms_cell **ret)
{
	size_t shape = breakdown_shape(kind, dir);

	if (cpu >= device->n_cells[shape]) {
		*ret = breakdown_add(device, shape, cpu);
		return *ret;
	}
	*ret = &device->cells[shape][cpu];
	return true;
}

/** Add the run of @cell to what is counted; none is left. */
void breakdown_end_run(struct dms_device_stats *device, struct dms_cell *cell);
/** A map of another size than the one before. */
void breakdown_begin_run(struct dms_device_stats *device, struct dms_cell *cell,
			 const struct dms_mapping *mapping);

/** A map, or an allocation. */
static inline void breakdown_map(struct dms_device_stats *device, struct dms_cell *cell,
				 const struct dms_mapping *mapping)
{
	if (mapping->size == cell->run_bytes)
		cell->run_maps[mapping->is_remap]++;
	else
		breakdown_begin_run(device, cell, mapping);
}

/** Make the rows up to date: calls, cpus, and the distribution of sizes. */
void breakdown_settle(struct dms_device_stats *device);
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

/** What reuse_map() and reuse_unmap() do with the addresses they do not leave out. */
void reuse_end(struct dms_device_stats *device, uint64_t dma_addr, uint64_t ts);
bool reuse_begin(struct dms_device_stats *device, uint64_t dma_addr, uint64_t ts);

/** A multiplication mixes an address well enough, and this is done twice for each mapping. */
static inline uint64_t reuse_hash(uint64_t dma_addr)
{
	return dma_addr * 0x9e3779b97f4a7c15ull;
}

/** @dma_addr is mapped at @ts: how soon after its unmap? */
static inline void reuse_map(struct dms_device_stats *device, uint64_t dma_addr, uint64_t ts)
{
	if (reuse_hash(dma_addr) <= device->reuse_limit)
		reuse_end(device, dma_addr, ts);
}

/** @dma_addr is unmapped at @ts. False when memory is short. */
static inline bool reuse_unmap(struct dms_device_stats *device, uint64_t dma_addr, uint64_t ts)
{
	return reuse_hash(dma_addr) > device->reuse_limit || reuse_begin(device, dma_addr, ts);
}

#endif

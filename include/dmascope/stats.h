/* SPDX-License-Identifier: LGPL-2.1-only */
/* Counts, totals and distributions per device: a consumer of steps. */
#ifndef DMASCOPE_STATS_H
#define DMASCOPE_STATS_H

#include <dmascope/base.h>
#include <dmascope/model.h>

/**
 * A log-linear histogram of 64-bit values: 32 buckets to each power of two, so a value read
 * back is at most 1/32 (3.2 %) above the true one.
 */
#define DMS_HISTOGRAM_SUB_BITS 5
#define DMS_HISTOGRAM_BUCKETS  ((64 - DMS_HISTOGRAM_SUB_BITS + 1) << DMS_HISTOGRAM_SUB_BITS)
struct dms_histogram {
	uint64_t count;
	uint64_t min, max; /* exact */
	/* so many values from the lowest on, which are most, change neither and take the short way */
	uint64_t usual_low, n_usual;
	uint64_t sum; /* saturates */
	uint32_t buckets[DMS_HISTOGRAM_BUCKETS];
};
void dms_histogram_add(struct dms_histogram *histogram, uint64_t value);
/** The same only between values that are there already, and below 2^53. False: it is not. */
bool dms_histogram_add_usual(struct dms_histogram *histogram, uint64_t value);
/** Add @value @times; not at all if that is 0. */
void dms_histogram_add_many(struct dms_histogram *histogram, uint64_t value, uint64_t times);
/** Smallest value v such that at least @permille/1000 of all values are <= v, within the error. */
uint64_t dms_histogram_quantile(const struct dms_histogram *histogram, unsigned int permille);
/** Smallest and largest value bucket @index stands for. */
void dms_histogram_bounds(uint32_t index, uint64_t *ret_low, uint64_t *ret_high);

/** Names of the per-device counters, in the order of dms_device_stats.counters. */
enum dms_counter {
	DMS_COUNT_MAPS,		    /* successful maps of every kind but allocations */
	DMS_COUNT_UNMAPS,	    /* unmaps seen, matched or not */
	DMS_COUNT_ALLOCS,
	DMS_COUNT_FREES,
	DMS_COUNT_SYNCS_FOR_CPU,
	DMS_COUNT_SYNCS_FOR_DEVICE,
	DMS_COUNT_MAP_ERRORS,	    /* dma_map_errors of the 2012 proposal: failed maps and allocs */
	DMS_COUNT_ERRORS_UNCHECKED, /* dma_map_errors_not_checked: failed maps of single memory whose
				       error value no driver looked at; see dms_stats_knows() */
	DMS_COUNT_UNMAP_ERRORS,	    /* dma_unmap_errors: unmaps of what was certainly not mapped */
	DMS_COUNT_PRE_TRACE,	    /* unmaps whose map is older than the trace, or lost */
	DMS_COUNT_NULL_FREES,
	DMS_COUNT_BOUNCES,
	DMS_COUNT_BOUNCED_BYTES,
	DMS_COUNT_BYTES_TO_DEVICE,  /* bytes of streaming maps, by direction */
	DMS_COUNT_BYTES_FROM_DEVICE,
	DMS_COUNT_BYTES_BIDIRECTIONAL,
	DMS_COUNT_BYTES_ALLOCATED,
	DMS_COUNT_SG_ENTRIES,	    /* entries given to dma_map_sg */
	DMS_COUNT_SG_SEGMENTS,	    /* segments they became */
	DMS_COUNT_LIVE_AT_END,
	DMS_COUNT_LIVE_BYTES_AT_END,
	DMS_COUNT_ENDED_LOST,
	DMS_COUNT_ENDED_ELIDED,
	DMS_COUNT_MAYBE_ELIDED,	    /* lives without an unmap that may have been skipped legally */
	DMS_COUNT_FAULTS,
	DMS_COUNT_SWIOTLB_FULL,	    /* messages of the kernel: a bounce found no room */
	DMS_COUNT_SEGMENT_MESSAGES, /* of dma-debug: a list's segment breaks the device's limits */
	DMS_COUNT_POOL_ALLOCS,	    /* of dma_pool objects, by probes */
	DMS_COUNT_POOL_FREES,
	DMS_COUNT_UNMAPS_MATCHED,   /* unmaps and frees of mappings whose map was seen */
	DMS_COUNT_HANDOVERS,	    /* of these, on another CPU than the map */
	DMS_COUNT_BOUNCED_MAPS,	    /* maps that went through swiotlb; DMS_COUNT_BOUNCES: attempts */
	DMS_COUNT_BOUNCED_FORCED,   /* the same by reason, see enum dms_bounce_reason */
	DMS_COUNT_BOUNCED_MASK,
	DMS_COUNT_BOUNCED_OTHER,
	DMS_COUNT_BOUNCED_LARGEST,  /* bytes of the largest attempt: swiotlb takes 256 KiB at most */
	DMS_COUNT_REMAPS,	    /* maps of memory that was mapped before in the same way */
	DMS_COUNT_REMAPPED_BYTES,
	DMS_N_COUNTERS
};
/** "maps", "dma_map_errors", ...: the counter's name in the database and in JSON. */
const char *dms_counter_name(enum dms_counter counter);
/** "mappings", "bytes", ... */
const char *dms_counter_unit(enum dms_counter counter);

/** What is kept as a histogram of each device. */
enum dms_distribution {
	DMS_DIST_LIFETIME, /* of streaming mappings that ended by their unmap, ns */
	DMS_DIST_SIZE,	   /* of maps and allocations, bytes */
	DMS_DIST_ENTRIES,  /* of each list, as given */
	DMS_DIST_SEGMENTS, /* of each list, after mapping */
	/*
	 * Times within one call, in ns: from one event to the next of its CPU, if that is of the
	 * same task and concerns the same addresses (kernel-dma.md section 7). No other event of
	 * dma, swiotlb or iommu may stand between.
	 */
	DMS_DIST_BOUNCE_TO_MAP,		  /* swiotlb_bounced to the map: slot search and copy */
	DMS_DIST_IOMMU_MAP_TO_MAP,	  /* iommu:map to the map: what is left to do */
	DMS_DIST_IOMMU_UNMAP_TO_UNMAP,	  /* iommu:unmap to the unmap: IOTLB flush, IOVA free */
	DMS_DIST_UNMAP_SG_TO_IOMMU_UNMAP, /* a list's unmap to iommu:unmap: lookup and caches */
	DMS_DIST_REUSE, /* from the unmap of a streaming address to its next map, ns */
	DMS_N_DISTRIBUTIONS
};
/** "lifetime", "size", ...; and "ns", "bytes", "entries", "segments". */
const char *dms_distribution_name(enum dms_distribution distribution);
const char *dms_distribution_unit(enum dms_distribution distribution);

/** Addresses of the last unmaps that are remembered of each device, by their hash. */
#define DMS_STATS_REUSE_SLOTS 1024

/** Calls of one CPU, or of one kind and direction. */
struct dms_calls {
	uint64_t maps;	 /* and allocations, without those that failed */
	uint64_t unmaps; /* and frees, matched or not, without those of NULL */
	uint64_t syncs, failed;
	uint64_t bytes; /* of maps */
};
/** Add @calls to @to. */
static inline void dms_calls_add(struct dms_calls *to, const struct dms_calls *calls)
{
	to->maps += calls->maps;
	to->unmaps += calls->unmaps;
	to->syncs += calls->syncs;
	to->failed += calls->failed;
	to->bytes += calls->bytes;
}

/** Pairs of a kind and a direction; with room for 8 directions they are the faster to number. */
#define DMS_STATS_DIRS	 8
#define DMS_STATS_SHAPES (DMS_MAPPING_N_KINDS * DMS_STATS_DIRS)
/** CPUs with figures of their own: those above share the last row. */
#define DMS_STATS_CPUS 512
/** CPUs whose pairs are told apart. */
#define DMS_STATS_PAIR_CPUS 64
/** Mappings that one CPU mapped and one other unmapped. */
struct dms_handover {
	uint64_t mappings, bytes;
};

/** Distinct stacks of maps that are kept of each device, the first seen. */
#define DMS_STATS_MAP_STACKS 32

struct dms_device_stats {
	/* first what each map and unmap touches */
	int64_t spare_live, spare_bytes;	/* what may begin to live before a peak is passed */
	/*
	 * Mappings, and when first reached. Those older than the trace are counted when they end,
	 * for all the time before: a peak is complete at the end of the trace.
	 */
	uint64_t peak_live, peak_live_ts;
	uint64_t peak_live_bytes, peak_live_bytes_ts;
	uint64_t first_ts, last_ts;
	uint64_t iova_low, iova_high;		/* DMA addresses used; low > high: none is known */
	struct dms_histogram *histograms[DMS_N_DISTRIBUTIONS]; /* NULL: no value yet */
	struct dms_reuse *reuse;		/* ended addresses; NULL: none yet */
	uint64_t reuse_limit;			/* only addresses whose hash is not above */
	uint32_t n_reused;
	uint32_t n_map_stacks;
	bool has_checks;	/* a probe showed checks of this device's maps */
	uint64_t unchecked;	/* failed maps since the last check of an error value */
	uint64_t frees_matched; /* what UNMAPS_MATCHED counts beside the lifetimes */
	uint64_t bounced_bytes;			/* of live mappings that went through swiotlb */
	uint64_t peak_bounced_bytes, peak_bounced_bytes_ts;
	/* calls of each kind and direction, by CPU, and DMS_STATS_CPUS for the rest: what is counted
	   with, see src/stats/breakdown.c. Two arrays, for an index then needs no arithmetic */
	struct dms_cell *cells[DMS_STATS_SHAPES];
	size_t n_cells[DMS_STATS_SHAPES];
	/* what follows, calls and counters are complete in what dms_stats_device() returns */
	uint64_t live, live_bytes;		/* now */
	struct dms_calls calls[DMS_MAPPING_N_KINDS][DMS_DIR_UNKNOWN + 1];
	struct dms_calls *cpus;			/* n_cpus of them, and DMS_STATS_CPUS for the rest */
	size_t n_cpus;
	uint64_t events[DMS_EV_N_KINDS];	/* unmaps, frees and syncs */
	uint64_t counters[DMS_N_COUNTERS];
	struct dms_handover *handovers[DMS_STATS_PAIR_CPUS]; /* by map CPU, then by unmap CPU */
	uint32_t map_stacks[DMS_STATS_MAP_STACKS]; /* a sample: who maps for this device */
};

/**
 * False if @counter could not be counted on this device: a 0 would lie. The checks of a failed map
 * are known only by a probe; messages and pool objects only if there were any.
 */
bool dms_stats_knows(const struct dms_device_stats *device, enum dms_counter counter);

/** The figures of all devices of a run. */
struct dms_stats;
struct dms_stats *dms_stats_create(void);
void dms_stats_destroy(struct dms_stats *stats);
/** Count one step. Errors: memory. */
struct dms_error *dms_stats_step(struct dms_stats *stats, const struct dms_step *step);

/**
 * A step as far as statistics look at it: one cache line that points to nothing, so that it may be
 * counted later, and by another thread. What a kind of step does not need is not set.
 */
struct dms_stats_note {
	uint64_t ts;	   /* of the event; of the step, if there is none */
	uint64_t dma_addr; /* of the mapping */
	uint64_t size;	   /* of the mapping; of the event, if there is none */
	uint32_t device;   /* index; DMS_ID_NONE: there is nothing to count */
	uint32_t cpu;	   /* of the event */
	uint8_t step;	   /* enum dms_step_kind */
	uint8_t kind, dir; /* of the mapping; dir: of the event, if there is none */
	uint8_t flags;	   /* see src/stats/note.c */
	union {
		uint32_t map_stack; /* MAP */
		uint32_t map_cpu;   /* all others */
	};
	union {
		struct { /* MAP */
			uint64_t low, high; /* DMA addresses; low > high: none is known */
			uint32_t nents, ents;
		};
		struct { /* all others */
			uint64_t map_ts;
			uint32_t doubts; /* DMS_DOUBT_* */
			uint8_t event;	 /* enum dms_event_kind */
			uint8_t message; /* enum dms_message */
			uint8_t end;	 /* enum dms_end */
		};
	};
};
/**
 * Note @step in *@ret. False: it cannot be noted, and has to be counted by dms_stats_step() when all
 * notes before it are; counting notes changes nothing that is looked at here.
 */
bool dms_stats_note(const struct dms_stats *stats, const struct dms_step *step,
		    struct dms_stats_note *ret);
/** Count @n steps by their notes, in their order. Errors: memory. */
struct dms_error *dms_stats_count(struct dms_stats *stats, const struct dms_stats_note *notes,
				  size_t n);

/** Count from @ts on as if nothing had been counted; what lives now lives on. */
void dms_stats_restart(struct dms_stats *stats, uint64_t ts);
/** Figures of device @index up to now, borrowed; NULL if it had no step. */
const struct dms_device_stats *dms_stats_device(const struct dms_stats *stats, uint32_t index);

#endif

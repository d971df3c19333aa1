/* SPDX-License-Identifier: LGPL-2.1-only */
/* struct dms_mapping: one life; struct dms_step: one change in it; the model makes them. */
#ifndef DMASCOPE_MODEL_H
#define DMASCOPE_MODEL_H

#include <dmascope/base.h>
#include <dmascope/decode.h>
#include <dmascope/inventory.h>
#include <dmascope/machine.h>

/** What was mapped, and so by which call it has to be released. */
enum dms_mapping_kind {
	DMS_MAPPING_PAGE,	   /* dma_map_single/page/phys */
	DMS_MAPPING_RESOURCE,	   /* dma_map_resource, or phys with DMA_ATTR_MMIO */
	DMS_MAPPING_SG,		   /* dma_map_sg, dma_map_sgtable */
	DMS_MAPPING_COHERENT,	   /* dma_alloc_coherent/attrs */
	DMS_MAPPING_PAGES,	   /* dma_alloc_pages, dma_alloc_noncoherent */
	DMS_MAPPING_NONCONTIGUOUS, /* dma_alloc_noncontiguous */
	DMS_MAPPING_N_KINDS
};
/** "page", "resource", "sg", "coherent", "pages", "noncontiguous". */
const char *dms_mapping_kind_name(enum dms_mapping_kind kind);

/** How a life ended, or why its row has only one end. */
enum dms_end {
	DMS_END_LIVE,	   /* still mapped when the trace ended */
	DMS_END_UNMAPPED,  /* by its unmap or free */
	DMS_END_LOST,	   /* its unmap was not recorded: the address was handed out again */
	DMS_END_ELIDED,	   /* driver may skip the unmap (dma_need_unmap()), and does */
	DMS_END_UNBOUND,   /* still mapped when its device's driver was unbound */
	DMS_END_PRE_TRACE, /* unmapped; mapped before the trace began, or while events were lost */
	DMS_END_UNMATCHED, /* an unmap of what was not mapped: a second one, or inside a mapping */
	DMS_N_ENDS
};
/** "live", "unmapped", "lost", "elided", "unbound", "pre-trace", "unmatched". */
const char *dms_end_name(enum dms_end end);

/** Why a verdict may be wrong: bits. 0 is certainty. */
enum dms_doubt {
	DMS_DOUBT_LOST_EVENTS = DMS_BIT(0), /* events were lost while it could matter */
	DMS_DOUBT_PRE_TRACE = DMS_BIT(1),   /* it may be older than the trace */
	DMS_DOUBT_TRUNCATED = DMS_BIT(2),   /* the kernel cut the list at 128 entries */
	DMS_DOUBT_AMBIGUOUS = DMS_BIT(3),   /* several mappings fit and none exactly */
	DMS_DOUBT_REORDERED = DMS_BIT(4),   /* events of two CPUs may have changed places */
	DMS_DOUBT_ELIDED = DMS_BIT(5),	    /* unmaps may be skipped legally here */
	DMS_DOUBT_OVERSIZED = DMS_BIT(6),   /* an event this large vanishes from the ring buffer */
	DMS_DOUBT_UNTRACED = DMS_BIT(7),    /* the event that would tell is not in this trace */
	DMS_DOUBT_OTHER_CLOCK = DMS_BIT(8), /* it is told by a kernel log, on another clock */
	DMS_DOUBT_PATTERN = DMS_BIT(9),	    /* inferred from many events, none of which proves it */
	DMS_DOUBT_ENDING = DMS_BIT(10),	    /* the trace ends too soon after it */
	DMS_DOUBT_SNAPSHOT = DMS_BIT(11),   /* a side file may tell of another moment */
	DMS_N_DOUBTS = 12
};

enum dms_confidence { DMS_POSSIBLE, DMS_LIKELY, DMS_CERTAIN };
/** The confidence left by @doubts: the least that any of them leaves. */
enum dms_confidence dms_confidence_of(uint32_t doubts);
/** "possible", "likely", "certain". */
const char *dms_confidence_name(enum dms_confidence confidence);
/** The reason, in words, of the first doubt that leaves no more confidence; NULL if @doubts is 0. */
const char *dms_doubt_reason(uint32_t doubts);

/** A stretch of DMA addresses that one mapping holds: a list has one for each segment. */
struct dms_segment {
	uint64_t dma_addr;
	uint64_t size; /* bytes */
};

/** A scatter list's two sides, which need not be equally long: the IOMMU merges. */
struct dms_sg {
	uint32_t n_phys;     /* entries known: the caller's, at most 128 if truncated */
	uint32_t n_segments; /* mapped segments known */
	uint64_t *phys;	     /* CPU physical address of each entry given */
};

/** Why memory goes through a bounce buffer, as far as swiotlb_bounced tells; of several the last. */
enum dms_bounce_reason {
	DMS_BOUNCE_NONE,   /* it does not */
	DMS_BOUNCE_OTHER,  /* alignment, small kmalloc() buffers, untrusted devices */
	DMS_BOUNCE_MASK,   /* it lies above the device's DMA mask */
	DMS_BOUNCE_FORCED, /* swiotlb=force, or a confidential guest */
};

/** One mapping from its map or allocation on. Owned by the model, borrowed through steps. */
struct dms_mapping {
	uint64_t serial;     /* order of mapping, from 1 */
	uint64_t row;	     /* dms_mapping_row(): its row in the database; 0 until asked for */
	uint64_t dma_addr;   /* of the first segment */
	uint64_t cpu_addr;   /* physical address of a streaming map, virtual of an allocation */
	uint64_t size;	     /* bytes; "at least" if truncated */
	uint64_t attrs;
	uint64_t map_ts;
	struct dms_sg *sg;   /* lists and noncontiguous memory only */
	uint32_t device;     /* index into the model's devices */
	uint32_t map_cpu;
	uint32_t map_pid;
	uint32_t map_stack;
	uint32_t has;	     /* DMS_HAS_* of the map event; 0: the map was not seen */
	uint32_t doubts;     /* DMS_DOUBT_* about its pairing */
	uint32_t nents;	     /* entries given to dma_map_sg; 1 otherwise */
	uint32_t ents;	     /* segments after mapping */
	uint32_t syncs_for_cpu;
	uint32_t syncs_for_device;
	uint32_t epoch;	     /* the model's loss epoch when it was mapped */
	uint32_t site;	     /* number of its call site; 0: not known */
	uint8_t kind;	     /* enum dms_mapping_kind */
	uint8_t dir;	     /* enum dms_dir */
	uint8_t area;	     /* enum dms_area of its memory, the worst of a list's entries */
	bool is_remap;	     /* its site mapped this memory before, in the same way */
	union {
		struct {
			bool bounced : 1;	/* through swiotlb */
			bool is_seeded : 1;	/* from a dma-api/dump: older than the trace */
			bool is_check_seen : 1; /* a probe would show the driver's dma_mapping_error() */
			bool is_compound : 1;	/* a list, or an allocation */
		};
		uint8_t is_unusual; /* any of these: one test where every mapping passes */
	};
	bool is_checked : 1;	/* and it did */
	bool is_used_unchecked : 1; /* synced before it was checked */
	bool is_on_stack : 1;	/* a probe told that it is the mapping task's own stack */
	bool truncated : 1;
	bool is_superseded : 1; /* its address was mapped again, its unmap is awaited */
	bool in_interrupt : 1;	/* mapped in a hard or soft interrupt */
	uint8_t bounce_reason : 2; /* enum dms_bounce_reason; NONE unless bounced */
	bool has_incident : 1;	/* the model awaits its end to tell of an overlap or a freed page */
};

/** How a device's DMA addresses come about, inferred from its mappings. */
enum dms_address_mode {
	DMS_MODE_UNKNOWN,
	DMS_MODE_DIRECT,  /* DMA address = physical address + constant */
	DMS_MODE_BOUNCED, /* direct, through swiotlb for some or all mappings */
	DMS_MODE_IOMMU
};
/** "unknown", "direct", "bounced", "iommu". */
const char *dms_address_mode_name(enum dms_address_mode mode);

/** One generation of one device. Owned by the model; lives as long as it. */
struct dms_device {
	uint32_t index;	     /* into the model's devices */
	uint32_t name;	     /* in dms_names.devices */
	uint32_t generation; /* 1 for the first */
	int32_t iommu_group; /* -1 if not traced */
	uint64_t dma_mask;   /* streaming, the last told; 0 if never */
	uint64_t coherent_mask; /* the last told; 0 if never */
	uint64_t max_segment_bytes, segment_boundary; /* by the inventory; 0 if not told */
	int8_t coherent;     /* 0: its DMA is not cache-coherent; -1: not known */
	bool is_mask_traced; /* dma_mask is what dma_set_mask() was given, by a probe */
	bool is_mask_of_bounce; /* it is what swiotlb_bounced told: it may have changed since */
	bool is_coherent_mask_traced;
	bool has_syncs;	     /* its syncs are events: at least one was seen */
	const char *driver;  /* by the inventory; NULL if not told */
	uint64_t first_ts;   /* of its first event; 0: only a dump names it */
	enum dms_address_mode mode;
};

enum dms_step_kind {
	DMS_STEP_DEVICE,	  /* a device, or a new generation of one, is seen first */
	DMS_STEP_MAP,		  /* a mapping begins */
	DMS_STEP_MAP_FAILED,	  /* a map or allocation failed; no mapping */
	DMS_STEP_UNMAP,		  /* a mapping ends by its unmap */
	DMS_STEP_UNMAP_UNMATCHED, /* an unmap that no live mapping fits; the mapping is a stand-in */
	DMS_STEP_FREE_NULL,	  /* a free of NULL: legal, nothing happens */
	DMS_STEP_SYNC,		  /* of a live mapping */
	DMS_STEP_SYNC_UNMATCHED,  /* of no live mapping */
	DMS_STEP_ENDED,		  /* a mapping ends without its unmap, see end */
	DMS_STEP_BOUNCE,	  /* swiotlb_bounced */
	DMS_STEP_IOMMU,		  /* iommu:map, unmap, attach, group events */
	DMS_STEP_FAULT,		  /* iommu:io_page_fault, or a fault the kernel's log tells */
	DMS_STEP_CHECK,		  /* the driver checked a map for an error; mapping NULL: a failed one */
	DMS_STEP_OVERLAP,	  /* two mappings of one memory lived at once: see overlap */
	DMS_STEP_PAGE_FREED,	  /* memory was freed while mapped; event: the kmem event */
	DMS_STEP_SITE,		  /* at the end: the figures of one call site */
	DMS_STEP_MESSAGE,	  /* a message of the kernel: event is CONSOLE */
	DMS_STEP_NOTE,		  /* any other event that concerns no mapping: masks, pools, modules */
	DMS_STEP_GAP,		  /* events were lost */
	DMS_STEP_END,		  /* of the trace; the last step */
	DMS_N_STEPS
};

/** In what an unmap or sync differs from its mapping: bits of dms_step.differs. */
enum dms_differs {
	DMS_DIFFERS_SIZE = DMS_BIT(0),
	DMS_DIFFERS_KIND = DMS_BIT(1),
	DMS_DIFFERS_DIR = DMS_BIT(2),
	DMS_DIFFERS_ATTRS = DMS_BIT(3), /* under dma-debug's mask */
	DMS_DIFFERS_NENTS = DMS_BIT(4),
	DMS_DIFFERS_CPU_ADDR = DMS_BIT(5),
	DMS_DIFFERS_LIST = DMS_BIT(6), /* same first entry, other entries */
};

/** What a recently ended life leaves behind: enough to recognise its address again. */
struct dms_past {
	uint64_t dma_addr, size, map_ts, unmap_ts;
	uint64_t serial; /* of the mapping; 0: the slot is empty */
	uint64_t row;	 /* of the mapping in the database */
	uint32_t map_stack, map_cpu, map_pid;
	uint32_t unmap_stack, unmap_cpu, unmap_pid;
	uint32_t epoch;	 /* loss epoch when it began: another of its kind may have been lost since */
	uint32_t first_bytes; /* of a list's first segment, where size is of all; else of size */
	uint16_t doubts; /* DMS_DOUBT_*: its unmap may have been another mapping's */
	uint8_t kind, dir, end;
	uint8_t differs; /* DMS_DIFFERS_*: in what its unmap differed */
};

/** Two mappings of the same memory. In the step, mapping is the newer and related the older. */
struct dms_overlap {
	uint64_t phys_addr;    /* where the shared memory begins */
	uint64_t bytes;	       /* of memory that both hold; 0: they share only a cache line */
	uint32_t depth;	       /* live mappings of that memory, the newer among them */
	bool is_same_list;     /* both are lists, of the same entries */
};

/**
 * One call site of one device: the maps made with one stack, of one kind and direction. In the
 * series, buckets begin at first_ts; bucket_ns doubles as the trace grows.
 */
#define DMS_SITE_BUCKETS 32
struct dms_site {
	uint32_t device; /* index */
	uint32_t stack;	 /* DMS_ID_NONE if not recorded */
	uint8_t kind, dir;
	uint32_t n_buckets;	 /* begun */
	uint64_t maps, unmapped; /* begun; ended by their unmap */
	uint64_t live;		 /* now */
	uint64_t size_bytes;	 /* of all maps */
	uint64_t min_size, max_size;
	uint64_t first_ts, last_ts; /* of its maps */
	uint64_t lifetime_max_ns;   /* of those that ended by their unmap */
	uint64_t remaps;     /* of memory this site mapped before, in the same way */
	uint64_t small;	     /* allocations of less than half a page */
	uint64_t misaligned; /* not TO_DEVICE, not bounced, and beginning inside a cache line */
	uint64_t unsynced;   /* FROM_DEVICE, SKIP_CPU_SYNC at the unmap, handed to the device at
				least 4 times and never to the CPU */
	uint64_t uncopied;   /* bounced, SKIP_CPU_SYNC at the unmap, never handed to the CPU: what
				the device wrote stayed in the bounce buffer */
	uint64_t syncs_for_cpu, syncs_for_device;
	uint64_t bounced_forced, bounced_mask, bounced_other; /* by reason */
	uint64_t bounced_bytes;
	uint32_t lifetimes[64]; /* of those unmapped: how many lived 2^i to 2^(i+1)-1 ns */
	/* what follows is made up to date for SITE steps */
	uint32_t ages[64];	/* of the live ones, like lifetimes; at the site's last map */
	uint64_t age_max_ns;	/* of the oldest live one, at the end of the trace */
	uint64_t bucket_ns;	/* length of a bucket */
	uint64_t live_series[DMS_SITE_BUCKETS]; /* live mappings at the end of each time bucket */
	uint64_t maps_series[DMS_SITE_BUCKETS]; /* maps in each */
};

/** One change. Everything it points to is borrowed and valid during the callback only. */
struct dms_step {
	enum dms_step_kind kind;
	const struct dms_event *event;	   /* NULL for GAP, END, ENDED at the end of the trace */
	const struct dms_device *device;   /* NULL where the event names none */
	struct dms_mapping *mapping;	   /* NULL where none is concerned; see UNMAP_UNMATCHED */
	const struct dms_mapping *related; /* UNMATCHED: a live mapping it touches; FAULT: one that
					      ends in the page before; or NULL */
	const struct dms_mapping *elsewhere; /* UNMATCHED: the same on another device; or NULL */
	const struct dms_past *past;	   /* UNMATCHED, FAULT: the last life of this address; or NULL */
	const struct dms_gap *gap;	   /* GAP */
	const struct dms_overlap *overlap; /* OVERLAP */
	const struct dms_site *site;	   /* SITE, and ENDED: of the mapping */
	uint64_t ts;			   /* of the step; UNMATCHED may be told late */
	uint32_t differs;		   /* UNMAP, SYNC: DMS_DIFFERS_* */
	uint32_t doubts;		   /* DMS_DOUBT_* about this step */
	enum dms_end end;		   /* UNMAP, UNMAP_UNMATCHED, ENDED */
	/* MAP_FAILED: calls and failures of the last second, if this one makes it a storm; else 0 */
	uint32_t storm_calls, storm_failures;
};

/** Receives each step, in order. An error stops the model and is returned by its caller. */
typedef struct dms_error *(*dms_step_fn)(void *context, const struct dms_step *step);

/** Segment @index of @mapping: of its list, or the whole mapping if it is none. */
struct dms_segment dms_mapping_segment(const struct dms_mapping *mapping, uint32_t index);
/** Bytes that the segments of @mapping take, which is a list. */
size_t dms_mapping_list_bytes(const struct dms_mapping *mapping);
/** @mapping is a copy: make it own segments in @room, aligned, of so many bytes; no entries. */
void dms_mapping_copy_list(struct dms_mapping *mapping, void *room);

struct dms_model;

/** @names is borrowed. @sink gets every step. */
struct dms_error *dms_model_create(const struct dms_names *names, dms_step_fn sink, void *context,
				   struct dms_model **ret);
void dms_model_destroy(struct dms_model *model);

/** What is known of trace and machine before the first event. Borrowed; all may be 0 or NULL. */
struct dms_model_config {
	uint32_t inputs; /* DMS_INPUT_*: what the trace can show */
	bool is_in_ticks;  /* the clock does not count nanoseconds: events may share one tick */
	uint64_t until_ts; /* nothing of a CPU is missing before it, but for gaps; 0: not known */
	bool never_elides; /* to this kernel every unmap is needed, and an event */
	bool doubts_alloc_dir; /* the directions of allocations may be garbage */
	bool is_whole; /* no filter of CPUs, tasks or events was at work: what is missing was lost */
	bool checks_lines; /* its dma-debug would tell of mappings that share but a cache line */
	bool hides_bounces; /* swiotlb_bounced is not among the recorded events */
	/* bits of enum dms_mapping_kind: one half of the pair is not among the recorded events */
	uint32_t hidden_maps, hidden_unmaps;
	const struct dms_inventory *inventory;
	const struct dms_iomem *iomem;
	uint32_t cache_line_bytes; /* 0: 64 */
	uint32_t page_bytes;	   /* 0: 4096 */
};
void dms_model_configure(struct dms_model *model, const struct dms_model_config *config);
/** What turns up later: probes are recognised by their records. */
void dms_model_add_inputs(struct dms_model *model, uint32_t inputs);

/** The inventory has grown: what it tells of the devices seen so far is looked up again. */
void dms_model_identify(struct dms_model *model);

/**
 * A mapping that lived when the trace began, by a dma-api/dump. Told before the first event. Of a
 * scatter list the dump has one entry a segment, and each is a mapping until the list is unmapped.
 * Errors: memory.
 */
struct dms_error *dms_model_seed(struct dms_model *model, const struct dms_dump_entry *entry);

/** Be ready to put off what can wait, until dms_model_settle(); steps are the same. Errors: memory. */
struct dms_error *dms_model_share(struct dms_model *model);
/** From now on what can wait is put off for dms_model_help(), or done at once: so it begins. */
void dms_model_put_off(struct dms_model *model, bool is_put_off);
/** By any thread, also while another one gives the model events: do some of it. False: none waits. */
bool dms_model_help(struct dms_model *model);
/** Do what is left of it; nobody else may be helping. */
void dms_model_settle(struct dms_model *model);

/** One event in, its steps out. Events must come in time order, as sources give them. */
struct dms_error *dms_model_event(struct dms_model *model, const struct dms_event *event);
/** Lost events, in time order with the events: told at the beginning of the gap. */
struct dms_error *dms_model_gap(struct dms_model *model, const struct dms_gap *gap);
/** The end of the trace at @ts: everything live becomes an ENDED step, then END. */
struct dms_error *dms_model_end(struct dms_model *model, uint64_t ts);
/**
 * The driver of device @name was unbound (or the device removed): its live mappings end as
 * UNBOUND, and its next event begins a new generation.
 */
struct dms_error *dms_model_unbind(struct dms_model *model, uint32_t name, uint64_t ts);

/** The devices seen so far, by index in order of first sight. Borrowed; lives as the model. */
uint32_t dms_model_n_devices(const struct dms_model *model);
const struct dms_device *dms_model_device(const struct dms_model *model, uint32_t index);

/**
 * True if calls of device @index are missing in the trace, by all that was seen of it so far: it
 * was recorded with a filter. What was told of it before that showed is then only possible.
 */
bool dms_model_lacks_calls(const struct dms_model *model, uint32_t index);
/** True if unmaps of other sizes than their mappings' may have been of mappings older than the trace. */
bool dms_model_is_crossed(const struct dms_model *model, uint32_t index);
/**
 * After the end: call sites with lives of which nothing can be said, as no call of an idle CPU is in
 * the trace: it may have been recorded of some tasks only.
 */
uint32_t dms_model_unjudged_sites(const struct dms_model *model);

/**
 * Call sites, numbered from 0 in order of their first maps; their figures once dms_model_end() has
 * told them. What was live at the end is then in the last bucket of live_series. Borrowed.
 */
uint32_t dms_model_n_sites(const struct dms_model *model);
const struct dms_site *dms_model_site(const struct dms_model *model, uint32_t index);

/** Totals of what the model could not attribute to a mapping. */
struct dms_uncovered {
	uint64_t iommu_maps;  /* iommu:map events inside no traced DMA-API call */
	uint64_t iommu_bytes; /* bytes they mapped */
	uint64_t unnamed_unbinds; /* marks of unbinds whose device is but a pointer, never named */
};
void dms_model_uncovered(const struct dms_model *model, struct dms_uncovered *ret);

/** The mapping's row number in the database, given out in order of first asking. */
uint64_t dms_mapping_row(struct dms_model *model, struct dms_mapping *mapping);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* struct dms_event: one decoded tracepoint, and the decoder that makes it from a record. */
#ifndef DMASCOPE_DECODE_H
#define DMASCOPE_DECODE_H

#include <dmascope/base.h>
#include <dmascope/input.h>

/** What happened. The values are stored nowhere; names are in dms_event_kind_name(). */
enum dms_event_kind {
	DMS_EV_NONE, /* not one of ours */
	DMS_EV_MAP,
	DMS_EV_MAP_RESOURCE,
	DMS_EV_MAP_SG,
	DMS_EV_MAP_SG_ERR,
	DMS_EV_UNMAP,
	DMS_EV_UNMAP_RESOURCE,
	DMS_EV_UNMAP_SG,
	DMS_EV_ALLOC,
	DMS_EV_ALLOC_PAGES,
	DMS_EV_ALLOC_SGT,
	DMS_EV_ALLOC_SGT_ERR,
	DMS_EV_FREE,
	DMS_EV_FREE_PAGES,
	DMS_EV_FREE_SGT,
	DMS_EV_SYNC_FOR_CPU,
	DMS_EV_SYNC_FOR_DEVICE,
	DMS_EV_SYNC_SG_FOR_CPU,
	DMS_EV_SYNC_SG_FOR_DEVICE,
	DMS_EV_BOUNCE,
	DMS_EV_IOMMU_MAP,
	DMS_EV_IOMMU_UNMAP,
	DMS_EV_IOMMU_FAULT,
	DMS_EV_IOMMU_GROUP_ADD,
	DMS_EV_IOMMU_GROUP_REMOVE,
	DMS_EV_IOMMU_ATTACH,
	/* probes (kprobe, kretprobe, fprobe), recognised by the function they sit on */
	DMS_EV_CHECK,		  /* debug_dma_mapping_error(): the driver checks dma_addr */
	DMS_EV_SET_MASK,	  /* dma_set_mask(): dma_mask */
	DMS_EV_SET_COHERENT_MASK, /* dma_set_coherent_mask(): dma_mask */
	DMS_EV_MAP_SG_RETURN,	  /* dma_map_sg_attrs(), dma_map_sgtable() failed: err, 0 or errno */
	DMS_EV_NEED_UNMAP,	  /* dma_need_unmap() returns: err 0 if unmaps may be skipped */
	DMS_EV_POOL_CREATE,	  /* of dma_pool objects; phys_addr is the pool's own address */
	DMS_EV_POOL_ALLOC,
	DMS_EV_POOL_FREE,
	DMS_EV_POOL_DESTROY,
	DMS_EV_STACK_PAGE,	  /* the mapping task's stack: phys_addr, size */
	DMS_EV_UNBIND_BEGIN,	  /* the driver's remove() is still to come */
	DMS_EV_UNBIND,		  /* remove() has returned, managed resources are being released */
	DMS_EV_UNBOUND,		  /* the driver is gone */
	DMS_EV_BOUND,		  /* a driver was bound */
	/* other tracepoints */
	DMS_EV_DEVRES,		  /* dev:devres_log of a release: managed resources of device go */
	DMS_EV_MODULE_LOAD,	  /* driver: the module */
	DMS_EV_MODULE_FREE,
	DMS_EV_PAGE_FREE,	  /* kmem:mm_page_free: phys_addr, size */
	DMS_EV_PAGE_POOL_HOLD,	  /* page_pool:page_pool_state_hold: phys_addr */
	DMS_EV_PAGE_POOL_RELEASE,
	DMS_EV_MARKER,		  /* text a program wrote to trace_marker */
	DMS_EV_CONSOLE,		  /* printk:console, or a line of a kernel log: message, text */
	DMS_EV_N_KINDS
};

/** What a line of the kernel log says that is of use to us. A fault becomes IOMMU_FAULT. */
enum dms_message {
	DMS_MSG_NONE,
	DMS_MSG_SWIOTLB_FULL,	/* "swiotlb buffer is full": size */
	DMS_MSG_OVERFLOW,	/* "DMA addr ... overflow": dma_addr, size, dma_mask */
	DMS_MSG_VMALLOC,	/* "rejecting DMA map of vmalloc memory" */
	DMS_MSG_STACK,		/* D10: "maps memory from stack" */
	DMS_MSG_KERNEL_TEXT,	/* D11: "maps memory from kernel text or rodata" */
	DMS_MSG_INVALID_AREA,	/* D12: "maps memory from invalid area" */
	DMS_MSG_RESOURCE_RAM,	/* D25: "dma_map_resource called for RAM address": phys_addr */
	DMS_MSG_SEGMENT_LONG,	/* D22: size is the length, dma_mask the maximum */
	DMS_MSG_SEGMENT_BOUNDARY, /* D23: dma_addr is the start */
	DMS_MSG_LEAK,		/* D24: "has pending DMA allocations": an unbind mark, too */
	DMS_MSG_UNCHECKED,	/* D8: "failed to check map error", when it is unmapped */
	DMS_MSG_DEBUG_OTHER,	/* any other "DMA-API:" report of dma-debug on a device */
	DMS_MSG_DEBUG_ON,	/* dma-debug begins */
	DMS_MSG_DEBUG_OFF,	/* dma-debug ran out of memory or is switched off */
	DMS_MSG_POOL,		/* dma_pool: busy, already free, bad dma, corrupted */
	DMS_N_MESSAGES
};

/** What a trace and its side files can show: bits. Rules name those they cannot do without. */
enum dms_input {
	DMS_INPUT_CHECKS = DMS_BIT(0),	    /* a probe of debug_dma_mapping_error() */
	DMS_INPUT_UNBINDS = DMS_BIT(1),	    /* marks of drivers being unbound */
	DMS_INPUT_MASKS = DMS_BIT(2),	    /* DMA masks of devices */
	DMS_INPUT_IOMEM = DMS_BIT(3),	    /* /proc/iomem */
	DMS_INPUT_LIMITS = DMS_BIT(4),	    /* segment limits of devices */
	DMS_INPUT_FAULTS = DMS_BIT(5),	    /* IOMMU faults */
	DMS_INPUT_PAGE_FREES = DMS_BIT(6),  /* kmem:mm_page_free */
	DMS_INPUT_SYNCS = DMS_BIT(7),	    /* dma_sync_* events */
	DMS_INPUT_IOMMU = DMS_BIT(8),	    /* iommu:unmap */
	DMS_INPUT_GFP = DMS_BIT(9),	    /* allocation flags, with the bit that means blocking */
	DMS_INPUT_STACK_PAGES = DMS_BIT(10), /* where the mapping task's stack is */
	DMS_INPUT_COHERENCY = DMS_BIT(11),  /* which devices are not cache-coherent */
	DMS_INPUT_CONSOLE = DMS_BIT(12),    /* kernel messages */
	DMS_INPUT_BOUNCES = DMS_BIT(13),    /* swiotlb_bounced */
	DMS_INPUT_DEBUG = DMS_BIT(14),	    /* dma-debug's reports */
	DMS_N_INPUTS = 15
};

/** enum dma_data_direction as traced; UNKNOWN when the kernel did not record one. */
enum dms_dir {
	DMS_DIR_BIDIRECTIONAL,
	DMS_DIR_TO_DEVICE,
	DMS_DIR_FROM_DEVICE,
	DMS_DIR_NONE,
	DMS_DIR_UNKNOWN
};

/** Which fields of an event the trace really gave: bits of dms_event.has. */
enum dms_has {
	DMS_HAS_DEVICE = DMS_BIT(0),
	DMS_HAS_DMA_ADDR = DMS_BIT(1),
	DMS_HAS_PHYS_ADDR = DMS_BIT(2),
	DMS_HAS_VIRT_ADDR = DMS_BIT(3), /* CPU address of an allocation */
	DMS_HAS_SIZE = DMS_BIT(4),
	DMS_HAS_DIR = DMS_BIT(5),
	DMS_HAS_ATTRS = DMS_BIT(6),
	DMS_HAS_PHYS_LIST = DMS_BIT(7),
	DMS_HAS_DMA_LIST = DMS_BIT(8),
	DMS_HAS_LENGTHS = DMS_BIT(9),
	DMS_HAS_NENTS = DMS_BIT(10), /* nents/ents are the kernel's own counts */
	DMS_HAS_GFP = DMS_BIT(11),
	DMS_HAS_STACK = DMS_BIT(12),
	DMS_HAS_ERR = DMS_BIT(13),
	DMS_HAS_DMA_MASK = DMS_BIT(14),
	DMS_HAS_CALLER = DMS_BIT(15),	/* CHECK: by_kernel is known */
	DMS_HAS_MAY_BLOCK = DMS_BIT(16), /* ALLOC: may_block is known */
	DMS_HAS_UNMAPPED = DMS_BIT(17),	/* IOMMU_UNMAP: phys_addr holds the bytes really unmapped */
	DMS_HAS_POINTER = DMS_BIT(18),	/* a probe's struct device, in virt_addr; no name */
	DMS_HAS_HASH = DMS_BIT(19),	/* virt_addr is a text's hashed pointer: comparable, no address */
};

/* DMA_ATTR_* bits the program itself looks at (kernel-dma.md section 1.1) */
#define DMS_ATTR_SKIP_CPU_SYNC (1ull << 5)
#define DMS_ATTR_MMIO	       (1ull << 10)
#define DMS_ATTR_CACHELINES_OVERLAP (1ull << 11)
#define DMS_ATTR_REQUIRE_COHERENT (1ull << 12)

/** DMA_MAPPING_ERROR is all ones in the traced kernel's dma_addr_t: 64 or 32 bits. */
#define DMS_MAPPING_ERROR64 UINT64_MAX
#define DMS_MAPPING_ERROR32 ((uint64_t)UINT32_MAX)

#define DMS_ID_NONE UINT32_MAX

/**
 * One decoded tracepoint. Lists are borrowed from the decoder until its next call. What nearly every
 * event has comes first: it travels from one CPU's cache to another's.
 */
struct dms_event {
	enum dms_event_kind kind;
	uint32_t has;	       /* DMS_HAS_*: everything else below is 0 */
	uint64_t ts;	       /* trace clock, see dms_source_info */
	uint32_t cpu;
	uint32_t pid;
	uint32_t device;       /* number of dev_name() in the run's device names; DMS_ID_NONE */
	uint32_t stack;	       /* number of the call stack in the run's stacks; DMS_ID_NONE */
	uint64_t phys_addr;    /* CPU physical address; BOUNCE: the original buffer's */
	uint64_t dma_addr;     /* bus address, or IOVA */
	uint64_t size;	       /* bytes */
	uint64_t attrs;	       /* DMA_ATTR_* as traced */
	uint8_t dir;	       /* enum dms_dir */
	bool failed;	       /* a map or allocation that failed */
	uint8_t common_flags;  /* irqs off, hard and soft irq, as the tracer set them */
	uint8_t preempt_count; /* low byte as traced */
	bool truncated;	       /* the kernel cut the lists (MAP_SG over 128 entries) */
	bool is_other_clock;   /* of a kernel log: ts only tells about where in the trace */
	bool force;	       /* BOUNCE: swiotlb=force */
	uint8_t message;       /* CONSOLE: enum dms_message */
	uint32_t nents;	       /* entries the caller gave (UNMAP_SG: the caller's nents) */
	uint32_t ents;	       /* entries after mapping; 0 if not traced */
	uint32_t n_phys;       /* length of phys_list: at most nents */
	uint32_t n_dma;	       /* length of dma_list and lengths */
	uint64_t virt_addr;    /* kernel virtual address of an allocation; 0: it failed */
	const uint64_t *phys_list;
	const uint64_t *dma_list;
	const uint32_t *lengths; /* bytes */
	uint32_t instance;     /* buffer instance it was recorded in */
	uint32_t driver;       /* same table as device; iommu:io_page_fault only */
	uint64_t dma_mask;     /* BOUNCE */
	const char *text;      /* MARKER, CONSOLE: borrowed like the lists, not terminated */
	uint32_t text_len;     /* bytes of text */
	uint32_t gfp;	       /* gfp_t as traced; bit numbers differ between releases */
	int32_t err;	       /* MAP_SG_ERR: negative errno. IOMMU_FAULT: flags. GROUP: gid */
	bool by_kernel;	       /* CHECK: the DMA core's own call, not a driver's */
	bool may_block;	       /* ALLOC: the flags allow direct reclaim */
};

/** "map", "unmap_sg", "sync_for_cpu", ...: the API's word without its dma_ prefix. */
const char *dms_event_kind_name(enum dms_event_kind kind);
/** "TO_DEVICE" and so on; "UNKNOWN". */
const char *dms_dir_name(enum dms_dir dir);
/**
 * "SKIP_CPU_SYNC|NO_WARN": @attrs in the kernel's words, unknown bits in hex; "" for 0.
 * Return: @buf, always terminated.
 */
const char *dms_attrs_format(uint64_t attrs, char *buf, size_t buf_size);

/** Counts of what one tracepoint's records came to. */
struct dms_tracepoint_count {
	const char *system, *name; /* borrowed from the decoder */
	uint64_t records;	   /* seen in the trace */
	uint64_t malformed;	   /* of these, skipped: see reason */
	const char *reason;	   /* first malformed record's, or NULL; borrowed */
	uint64_t reason_offset;	   /* its place in the file, bytes */
	bool decoded;		   /* one of ours, and its format has what we need */
};

struct dms_stacks;

/** What events refer to by number, shared by all files of one run. */
struct dms_names {
	struct dms_strtab *devices; /* dev_name() strings, and driver names */
	struct dms_stacks *stacks;  /* call stacks; NULL drops them */
	bool is_in_ticks;	    /* the clock does not count nanoseconds: durations are ticks */
};

struct dms_decoder;

/**
 * Bind the known tracepoints to the formats of @source, by system, event and field name.
 * Ownership: borrows @source and @names; both must outlive the decoder.
 */
struct dms_error *dms_decoder_create(struct dms_source *source, const struct dms_names *names,
				     struct dms_decoder **ret);
void dms_decoder_destroy(struct dms_decoder *decoder);

/**
 * Decode one record. *@ret gets kind DMS_EV_NONE for records that are not ours, for stack
 * records (they belong to the event before them) and for malformed ones, which are counted.
 * Errors: memory only.
 */
struct dms_error *dms_decode(struct dms_decoder *decoder, const struct dms_record *record,
			     struct dms_event *ret);

/** How many distinct tracepoints the file has formats for; dms_decoder_count() walks them. */
uint32_t dms_decoder_n_tracepoints(const struct dms_decoder *decoder);
/** Counts of tracepoint @index, sorted by system and name. */
void dms_decoder_count(const struct dms_decoder *decoder, uint32_t index,
		       struct dms_tracepoint_count *ret);
/** True if the file holds a format for the tracepoints of @kind. */
bool dms_decoder_has_kind(const struct dms_decoder *decoder, enum dms_event_kind kind);
/** What the file's formats (and, for probes, its records so far) can show: DMS_INPUT_*. */
uint32_t dms_decoder_inputs(const struct dms_decoder *decoder);
/**
 * True unless the traced kernel is known to be older than dma_need_unmap() (6.16): its drivers
 * may skip unmaps. dma_map_phys proves 6.18 or later; else the release is asked, for doubt only.
 */
bool dms_decoder_may_elide(const struct dms_decoder *decoder);
/**
 * True if the directions of allocations may be what nobody assigned: the release is not told, and may
 * be one of those that forgot it (before the spelling of 6.18).
 */
bool dms_decoder_doubts_alloc_dir(const struct dms_decoder *decoder);
/** What probes that stand in for the dma events do not tell, in words; NULL: they are the events. */
const char *dms_decoder_untold(const struct dms_decoder *decoder);
/** Calls that were records and could not be decoded: as good as lost. */
uint64_t dms_decoder_malformed(const struct dms_decoder *decoder);
/** Stack records that followed no event of ours they could belong to. */
uint64_t dms_decoder_orphan_stacks(const struct dms_decoder *decoder);

/** True of what only dma-debug says: the kernel was built with CONFIG_DMA_API_DEBUG. */
bool dms_message_is_of_debug(enum dms_message message);
/**
 * Read one kernel message, without time stamp and level: *@event becomes a CONSOLE or IOMMU_FAULT
 * event; its ts, cpu and pid are the caller's matter. Devices are named by @names.
 * Faults that come in several lines (SMMUv3) are put together by @state, zeroed at the start.
 * Return: false if the line says nothing of DMA, or memory is short (kind stays DMS_EV_NONE).
 */
struct dms_console_state {
	uint64_t words[4]; /* of an SMMUv3 event record, the last one */
	uint32_t n_words, device;
	bool is_open;
	bool is_named; /* this kernel names the device in a line of its own */
};
bool dms_console_read(struct dms_console_state *state, const char *text, size_t size,
		      struct dms_strtab *names, struct dms_event *event);
/**
 * Read the kernel log @path (dmesg output: "[   12.345678] text", with or without <level>, journal
 * and -T forms without a usable time give ts UINT64_MAX) and give each event to @take, in order.
 * Errors: unreadable file; one without a line of a kernel log; those of @take.
 */
struct dms_error *dms_console_read_file(const char *path, struct dms_strtab *names,
					struct dms_error *(*take)(void *context,
								  const struct dms_event *event),
					void *context);
/** True if a line of the file @path is one of a kernel log; it is read up to there. */
bool dms_console_is_log(const char *path);

#endif

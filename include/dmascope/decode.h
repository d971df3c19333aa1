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
	DMS_EV_N_KINDS
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
};

/* DMA_ATTR_* bits the program itself looks at (kernel-dma.md section 1.1) */
#define DMS_ATTR_SKIP_CPU_SYNC (1ull << 5)
#define DMS_ATTR_MMIO	       (1ull << 10)

/** DMA_MAPPING_ERROR is all ones in the traced kernel's dma_addr_t: 64 or 32 bits. */
#define DMS_MAPPING_ERROR64 UINT64_MAX
#define DMS_MAPPING_ERROR32 ((uint64_t)UINT32_MAX)

#define DMS_ID_NONE UINT32_MAX

/** One decoded tracepoint. Lists are borrowed from the decoder until its next call. */
struct dms_event {
	enum dms_event_kind kind;
	uint32_t has;	       /* DMS_HAS_*: everything else below is 0 */
	uint64_t ts;	       /* trace clock, see dms_source_info */
	uint32_t cpu;
	uint32_t pid;
	uint32_t device;       /* number of dev_name() in the run's device names; DMS_ID_NONE */
	uint32_t driver;       /* same table; iommu:io_page_fault only */
	uint64_t dma_addr;     /* bus address, or IOVA */
	uint64_t phys_addr;    /* CPU physical address; BOUNCE: the original buffer's */
	uint64_t virt_addr;    /* kernel virtual address of an allocation; 0: it failed */
	uint64_t size;	       /* bytes */
	uint64_t attrs;	       /* DMA_ATTR_* as traced */
	uint64_t dma_mask;     /* BOUNCE */
	uint32_t gfp;	       /* gfp_t as traced; bit numbers differ between releases */
	int32_t err;	       /* MAP_SG_ERR: negative errno. IOMMU_FAULT: flags. GROUP: gid */
	uint32_t stack;	       /* number of the call stack in the run's stacks; DMS_ID_NONE */
	uint8_t dir;	       /* enum dms_dir */
	uint8_t common_flags;  /* irqs off, hard and soft irq, as the tracer set them */
	uint8_t preempt_count; /* low byte as traced */
	bool truncated;	       /* the kernel cut the lists (MAP_SG over 128 entries) */
	bool failed;	       /* a map or allocation that failed */
	bool force;	       /* BOUNCE: swiotlb=force */
	uint32_t nents;	       /* entries the caller gave (UNMAP_SG: the caller's nents) */
	uint32_t ents;	       /* entries after mapping; 0 if not traced */
	uint32_t n_phys;       /* length of phys_list: at most nents */
	uint32_t n_dma;	       /* length of dma_list and lengths */
	const uint64_t *phys_list;
	const uint64_t *dma_list;
	const uint32_t *lengths; /* bytes */
	uint32_t instance;     /* buffer instance it was recorded in */
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
/** Stack records that followed no event of ours they could belong to. */
uint64_t dms_decoder_orphan_stacks(const struct dms_decoder *decoder);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the model keeps of one generation of one device. */
#ifndef DMS_MODEL_DEVICE_H
#define DMS_MODEL_DEVICE_H

#include "live.h"

/** A life that ended, under the address it is looked up by. */
struct past_slot {
	uint64_t key;
	struct dms_past past;
};

/* A cache, not a history: it grows with the live mappings and never beyond this. */
#define PAST_MIN_SLOTS 64
#define PAST_MAX_SLOTS 4096
struct past_table {
	struct past_slot *slots;
	uint32_t n_slots;
};

/** A swiotlb_bounced whose map event is still to come on that CPU. */
struct pending_bounce {
	uint64_t phys_addr;
	uint32_t cpu, pid;
	bool is_set;
};
#define PENDING_BOUNCES 16

struct device_state {
	struct dms_device device;
	struct extent_table extents; /* by DMA address */
	struct extent_table lists;   /* by the physical address of the first entry */
	struct past_table past;
	struct pending_bounce bounces[PENDING_BOUNCES];
	uint32_t next_bounce;
	uint32_t n_live, peak_live;
	uint32_t n_waiting;	      /* unmatched unmaps in the reordering window */
	uint64_t n_identity;	      /* mappings with dma == phys */
	uint64_t n_offset;	      /* with dma == phys + offset, on pages not the same */
	uint64_t n_other, n_bounced;  /* with neither; through swiotlb */
	uint64_t offset, offset_phys; /* of n_offset: the difference, and the last page's address */
	uint32_t n_truncated;	      /* live lists whose tail is not known */
	bool is_from_bind;	      /* nothing can be older than what we saw */
	bool is_closed;		      /* unbound: the next event begins a new generation */
	bool has_elided;	      /* some mapping here ended as ELIDED */
	bool has_shared;	      /* memory was mapped twice at a time TO_DEVICE, as is legal */
	uint64_t n_streamed;	      /* streaming maps seen */
	uint64_t n_released;	      /* streaming unmaps seen, matched or not */
};

void device_deinit(struct device_state *state);

/** Learn the address mode from one successful map of @phys to @dma. */
void device_learn_mode(struct device_state *state, uint64_t phys, uint64_t dma, bool bounced);
/** The DMA address @phys has without an IOMMU; false if that is not known. */
bool device_direct_addr(const struct device_state *state, uint64_t phys, uint64_t *ret);

/**
 * True if the driver may be skipping unmaps: without an IOMMU, a bounce or a sync the kernel
 * allows it (dma_need_unmap(), since 6.16), and there are far fewer unmaps than maps.
 */
bool device_may_elide(const struct device_state *state);

void device_note_bounce(struct device_state *state, const struct dms_event *event);
/** True if a bounce of one of the @n addresses was announced on this CPU; forgets it. */
bool device_take_bounce(struct device_state *state, const struct dms_event *event,
			const uint64_t *phys, uint32_t n);

/** Remember an ended life under @key. Memory: when short, the table stays as it is. */
void past_add(struct device_state *state, uint64_t key, const struct dms_past *past);
/** The last life known under @key, or NULL. Borrowed until the next past_add(). */
const struct dms_past *past_find(const struct device_state *state, uint64_t key);
/** Lists are looked up by physical address: a key that is no DMA address. */
static inline uint64_t past_list_key(uint64_t phys)
{
	return phys ^ 0xa5a5000000000000ull;
}
/** The last life that held @addr, whose start is within 64 KiB of it. */
const struct dms_past *past_find_containing(const struct device_state *state, uint64_t addr);

#endif

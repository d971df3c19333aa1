/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the model keeps of one generation of one device. */
#ifndef DMS_MODEL_DEVICE_H
#define DMS_MODEL_DEVICE_H

#include "live.h"
#include "past.h"

/** A swiotlb_bounced whose map event is still to come on that CPU. */
struct pending_bounce {
	uint64_t phys_addr;
	uint32_t cpu, pid;
	enum dms_bounce_reason reason;
	bool is_set;
};
#define PENDING_BOUNCES 16

/** Failed maps within a second from the first of them on. */
struct failures {
	uint64_t start_ts, streamed_before; /* n_streamed then */
	uint32_t count;
	bool is_told; /* as a storm, and it has not ended since */
};

/** A call that no mapping fits, until the device proves to be idle. */
struct held {
	struct dms_event event; /* it has no lists */
	enum dms_step_kind kind;
	bool is_set;
};

/** How far the unbind of a device's driver has come, by marks in the trace. */
struct unbinding {
	enum { UNBIND_NONE, UNBIND_BEGUN, UNBIND_RETURNED } phase;
	uint64_t ts;	     /* of the mark that began the phase */
	uint64_t serial;     /* the model's last mapping then: later ones may be the next driver's */
	uint32_t pid;	     /* who unbinds */
	uint32_t n_maps;     /* since */
	uint64_t last_map_ts;
	uint64_t told_ts, told_serial; /* dma-debug told of a leak; 0: it did not */
	uint32_t n_maps_since_told;
	bool is_told_elsewhere; /* by a log on another clock */
	bool has_marks;	     /* there was one, ever */
};

/** What does not add up; generations inherit it: the recording is the same. */
struct strays {
	uint64_t n_unmaps;     /* unmaps and frees that fit no mapping */
	uint64_t n_unknown;    /* of these, of addresses that had no mapping before either */
	uint64_t n_again;      /* of these, of addresses whose mapping had been unmapped */
	uint64_t n_all_unmaps; /* those that do, too */
	uint64_t n_remapped;   /* behind an IOMMU: mapped again, and the first one's unmap never came */
	uint64_t n_unknown_sure; /* of n_unknown, of a device that was bound in the trace */
	uint64_t n_overlapped; /* of memory the device writes: mapped again, and not unmapped before */
	uint64_t n_handed_on;  /* the same, but mapped for another device */
	uint64_t n_crossed;    /* unmaps of one address that fit in the other order only */
	bool has_any;	       /* one of those that model_lacks_calls() asks for first was counted, ever */
};

struct device_state {
	struct dms_device device;
	struct device_state *before; /* the generation before it; NULL: it is the first */
	struct extent_table extents; /* by DMA address */
	struct extent_table lists;   /* by the physical address of the first entry */
	struct past_table *past;     /* its ended lives */
	struct pending_bounce bounces[PENDING_BOUNCES];
	uint32_t next_bounce;
	enum dms_bounce_reason bounce; /* of the last map; DMS_BOUNCE_NONE: it was not bounced */
	struct failures failures;
	struct site *site;     /* the last map's; NULL: none */
	uint32_t site_number;  /* its number */
	uint16_t *remaps;      /* tags of what was mapped, by their hash; NULL: not enough yet */
	uint64_t n_matched;    /* streaming unmaps of known mappings; counted at the end */
	uint32_t n_live, peak_live;
	uint32_t n_waiting;	      /* unmatched unmaps in the reordering window */
	uint64_t told_stray_ts; /* of the last unmatched unmap that did not wait; 0: none */
	uint32_t n_seeded;	      /* streaming mappings that a dump told of */
	struct held held;
	bool has_events;	      /* that name it; a dump may have named it before */
	bool is_quiet;		      /* it did nothing in the trace's first tenth of a second */
	bool is_dump_stale;	      /* it mapped memory between the dump and the trace */
	uint64_t n_identity;	      /* mappings with dma == phys */
	uint64_t n_offset;	      /* with dma == phys + offset, on pages not the same */
	uint64_t n_other, n_bounced;  /* with neither; through swiotlb */
	uint64_t n_kept;	      /* of n_other, inside of a page and at the same place in it */
	bool hides_unmaps;	      /* of single mappings: the trace has none */
	bool hides_bounces;	      /* neither bounces nor an IOMMU could be seen so far */
	uint64_t offset, offset_phys; /* of n_offset: the difference, and the last page's address */
	uint32_t n_truncated;	      /* live lists whose tail is not known */
	bool is_from_bind;	      /* nothing can be older than what we saw */
	bool is_closed;		      /* unbound: the next event begins a new generation */
	bool may_have_elided;	      /* before its first bounce: since then unmaps are needed */
	bool has_elided;	      /* some mapping here ended as ELIDED */
	bool has_older;		      /* an unmap was of a mapping older than the trace */
	bool has_list_guesses;	      /* a list's unmap was another's, or may have been: those of one first page */
	bool has_witness;	      /* a list began where the iommu:unmap of its unmap said */
	bool is_translated;	      /* an IOMMU was seen to map for it */
	bool is_unmapped_by_iommu;    /* one was seen to unmap what fits no mapping */
	bool has_shared;	      /* memory was mapped twice at a time TO_DEVICE, as is legal */
	uint64_t n_streamed;	      /* streaming maps seen */
	uint64_t n_released;	      /* streaming unmaps seen, matched or not */
	uint64_t n_freed;	      /* frees of coherent memory seen */
	struct strays strays;
	uint64_t last_release_ts;     /* of the last unmap or free */
	struct unbinding unbinding;
	struct stray_fault {
		uint64_t page, ts; /* its address plus 1; 0: none */
	} stray_faults[4]; /* where nothing was mapped */
	uint32_t n_stray_faults;
};

void device_deinit(struct device_state *state);

/** About two slots for each mapping that lived at the peak are enough where nothing faults. */
static inline uint32_t device_past_slots(const struct device_state *state)
{
	return state->device.mode == DMS_MODE_IOMMU ? PAST_MAX_SLOTS : 2 * state->peak_live;
}

/** An IOMMU was seen to map for one of its calls: no difference of addresses says otherwise. */
void device_note_translation(struct device_state *state);
/** Learn the address mode from one successful map of @phys to @dma. */
void device_learn_mode(struct device_state *state, uint64_t phys, uint64_t dma, bool bounced);
/** The same of one not bounced that cannot change the mode, as nearly always; false: it may. */
static inline bool device_confirms_mode(struct device_state *state, uint64_t phys, uint64_t dma)
{
	if (phys != dma || state->device.mode != DMS_MODE_DIRECT)
		return false;
	state->n_identity++;
	return true;
}
/** The DMA address @phys has without an IOMMU; false if that is not known. */
bool device_direct_addr(const struct device_state *state, uint64_t phys, uint64_t *ret);

/**
 * True if the driver may be skipping unmaps: without an IOMMU, a bounce or a sync the kernel
 * allows it (dma_need_unmap(), since 6.16), and there are far fewer unmaps than maps.
 */
bool device_may_elide(const struct device_state *state);

void device_note_bounce(struct device_state *state, const struct dms_event *event);
/**
 * True if a bounce of one of the @n addresses was announced on this CPU; forgets it. Its reason,
 * the gravest of a list's, is in state->bounce.
 */
bool device_take_bounce(struct device_state *state, const struct dms_event *event,
			const uint64_t *phys, uint32_t n);

/** A map failed, as @step tells: if with this one it is a storm, @step gets the figures. */
void device_note_failure(struct device_state *state, const struct dms_event *event,
			 struct dms_step *step);

#endif

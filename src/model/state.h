/* SPDX-License-Identifier: LGPL-2.1-only */
/* The model's inside, shared by its own files only. */
#ifndef DMS_MODEL_STATE_H
#define DMS_MODEL_STATE_H

#include "check.h"
#include "match.h"
#include "overlap.h"
#include "sites.h"

/*
 * How far events of two CPUs may stand in the wrong order before a verdict is told: an unmap is
 * logged after the address is free, and the default clock differs between CPUs.
 */
#define REORDER_NS 1000000ull
/* How long an unmap may be late behind the next map of its address: its task was preempted. */
#define SUPERSEDE_NS 1000000000ull

/** An unmatched unmap in the reordering window, with all its step borrows. */
struct waiting {
	struct dms_event event; /* without its lists */
	struct dms_mapping related, elsewhere;
	struct dms_past past;
	struct device_state *device;
	uint32_t doubts;
	enum dms_end end;
	bool has_related, has_elsewhere, has_past;
};

/** A mapping whose address was mapped again before its unmap was seen. */
struct superseded {
	struct live_mapping *live;
	uint64_t serial; /* to see whether the slot still holds it */
	uint64_t ts;
};

/** A first-in first-out queue of either. */
struct queue {
	void *items;
	size_t capacity;
	size_t head, count; /* items [head, head + count) are queued */
};

/** An iommu:map whose DMA-API call is still to come. */
struct pending_iova {
	uint64_t iova, size, ts;
	uint32_t cpu, pid;
	bool is_set;
};
/* A list of 128 entries behind an IOMMU makes at most as many. */
#define PENDING_IOVAS 256

/** The stack of a task that is about to map, as a probe told it. */
struct stack_page {
	uint64_t phys_addr, size, ts;
	uint32_t cpu, pid;
};

struct dms_model {
	const struct dms_names *names;
	dms_step_fn sink;
	void *context;
	struct slot_pool slots;
	struct device_state **devices; /* by index */
	size_t n_devices, devices_capacity;
	uint32_t *current; /* name to index + 1 of its last generation */
	size_t current_capacity;
	uint64_t last_serial, last_row;
	uint64_t now;		 /* latest time stamp seen */
	uint64_t gap_until;	 /* events may be missing up to here; 0: no gap is open */
	uint32_t epoch;		 /* counts beginnings and ends of gaps */
	struct queue waiting;	 /* of struct waiting, by time */
	struct queue superseded; /* of struct superseded, by time */
	struct pending_iova iovas[PENDING_IOVAS];
	uint32_t next_iova, n_iovas;
	struct dms_uncovered uncovered;
	struct dms_model_config config;
	struct stack_page stack_page; /* size 0: none */
	struct overlap_state overlap;
	struct check_state check;
	struct sites_state sites;
};

/**
 * True if an event that was lost could have changed what was known at loss epoch @epoch: events
 * were lost since, or are being lost right now on some CPU.
 */
static inline bool model_may_have_lost(const struct dms_model *model, uint32_t epoch)
{
	return model->gap_until || model->epoch != epoch;
}

/** Tell the sink. @step.ts, .event and .device are filled in from @event and @state. */
struct dms_error *model_tell(struct dms_model *model, const struct device_state *state,
			     const struct dms_event *event, struct dms_step *step);

/* TRACE_FLAG_HARDIRQ, _SOFTIRQ, _NMI of include/linux/trace_events.h */
static inline bool is_in_interrupt(const struct dms_event *event)
{
	return event->common_flags & (0x08 | 0x10 | 0x40);
}

/* begin.c: maps and allocations */
struct dms_error *model_begin(struct dms_model *model, struct device_state *state,
			      const struct dms_event *event, enum dms_mapping_kind kind);
/* finish.c: unmaps and frees, and lives that end without one */
struct dms_error *model_finish(struct dms_model *model, struct device_state *state,
			       const struct dms_event *event, enum dms_mapping_kind kind);
struct dms_error *model_end_life(struct dms_model *model, struct live_mapping *live,
				 const struct dms_event *event, enum dms_end end, uint32_t doubts);
/** A stand-in mapping for an unmap whose map was not seen: has is 0. */
void model_stand_in(const struct dms_event *event, const struct device_state *state,
		    enum dms_mapping_kind kind, struct dms_mapping *ret);
/**
 * A live mapping with the address, size and direction of @event on another device than @state.
 * Only where both see physical addresses: behind an IOMMU the numbers of two devices coincide.
 */
const struct dms_mapping *model_find_elsewhere(const struct dms_model *model,
					       const struct device_state *state,
					       const struct dms_event *event);
/* sync.c */
struct dms_error *model_sync(struct dms_model *model, struct device_state *state,
			     const struct dms_event *event, enum dms_mapping_kind kind);

/* reorder.c */
/** Tell the unmatched unmap @step later, or now if it has lists. */
struct dms_error *reorder_hold(struct dms_model *model, struct device_state *state,
			       const struct dms_step *step, enum dms_mapping_kind kind);
/** @event maps an address on @state: does an unmap of it wait? Then it may have come early. */
void reorder_note_map(struct dms_model *model, const struct device_state *state,
		      const struct dms_event *event);
/** @live's address was mapped again. */
bool reorder_supersede(struct dms_model *model, struct live_mapping *live, uint64_t ts);
/** Tell and end what has waited long enough at @now; UINT64_MAX: everything. */
struct dms_error *reorder_expire(struct dms_model *model, uint64_t now);

/* iommu.c */
void iommu_note_map(struct dms_model *model, const struct dms_event *event);
/** A DMA-API call of @event's task just mapped @range: what it made the IOMMU map is covered. */
void iommu_cover(struct dms_model *model, const struct dms_event *event,
		 const struct dms_segment *range);
/** Count what no call covered. */
void iommu_flush(struct dms_model *model);

/* overlap.c */
/** @live begins: does it share memory with others? It is indexed by memory from now on. */
struct dms_error *overlap_begin(struct dms_model *model, struct device_state *state,
				const struct dms_event *event, struct live_mapping *live);
/** @live leaves the index. */
void overlap_detach(struct dms_model *model, struct live_mapping *live);
/** @live has ended, as @step told (an UNMAP or ENDED step): tell what waited for that. */
struct dms_error *overlap_end(struct dms_model *model, struct live_mapping *live,
			      const struct dms_event *event, const struct dms_step *step);
/** Memory is freed: by DMS_EV_PAGE_FREE. @state is NULL. */
struct dms_error *overlap_page_free(struct dms_model *model, struct device_state *state,
				    const struct dms_event *event, enum dms_mapping_kind kind);
void overlap_deinit(struct overlap_state *overlap);

/* check.c */
/** @mapping begins, or a map failed (@mapping NULL): its check is awaited. */
void check_begin(struct dms_model *model, struct device_state *state,
		 const struct dms_event *event, struct dms_mapping *mapping);
struct dms_error *check_note(struct dms_model *model, struct device_state *state,
			     const struct dms_event *event, enum dms_mapping_kind kind);
void check_deinit(struct check_state *check);

/* unbind.c */
struct dms_error *unbind_note(struct dms_model *model, struct device_state *state,
			      const struct dms_event *event, enum dms_mapping_kind kind);
/** A map of @state is about to begin: if its driver was let go, the next one makes it. */
struct dms_error *unbind_before_map(struct dms_model *model, struct device_state *state,
				    const struct dms_event *event);
/** The trace ends: unbinds that were under way are over. */
struct dms_error *unbind_at_end(struct dms_model *model);

/* sites.c */
struct dms_error *sites_begin(struct dms_model *model, struct device_state *state,
			      const struct dms_event *event, struct dms_mapping *mapping);
/** @mapping ends; @event is its unmap, or NULL if it has none. */
void sites_end(struct dms_model *model, const struct dms_mapping *mapping,
	       const struct dms_event *event);
void sites_sync(struct dms_model *model, const struct dms_mapping *mapping,
		const struct dms_event *event);
/** The site of @mapping, borrowed until the next map; NULL if it is not known. */
const struct dms_site *sites_of(const struct dms_model *model, const struct dms_mapping *mapping);
/** Tell every site, at the end of the trace. */
struct dms_error *sites_tell(struct dms_model *model);
void sites_deinit(struct sites_state *sites);

/* lifecycle.c: which kind of mapping an event is about */
enum dms_mapping_kind lifecycle_mapping_kind(enum dms_event_kind kind);
/** Apply @event, of device @state (NULL for the iommu events that name none). */
struct dms_error *lifecycle_apply(struct dms_model *model, struct device_state *state,
				  const struct dms_event *event);

#endif

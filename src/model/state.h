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
/* What was under way when the trace began, or events were lost, has ended by then. */
#define UNDER_WAY_NS 2000000000ull

/** An unmatched unmap in the reordering window, with all its step borrows. */
struct waiting {
	struct dms_event event; /* its only list is phys */
	uint64_t *phys;
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
	uint64_t phys_addr; /* UINT64_MAX: not told */
};
/* A list of 128 entries behind an IOMMU makes at most as many. */
#define PENDING_IOVAS 256

/** Part of a release, for the part of the same call that is told after it. */
struct told_part {
	uint64_t addr, size, ts;
	uint32_t cpu, pid;
	uint8_t common_flags;
	bool is_list;		     /* it ended a list that begins at addr; else it fits no mapping */
	struct device_state *device; /* NULL: there is none, or it is an iommu:unmap */
};

/** The unmap of a list that fits several live ones: it ends one when the trace tells which. */
struct undecided {
	struct dms_event event;
	uint64_t *phys; /* its list */
	size_t phys_capacity;
	struct device_state *device; /* NULL: there is none */
};

/** The stack of a task that is about to map, as a probe told it. */
struct stack_page {
	uint64_t phys_addr, size, ts;
	uint32_t cpu, pid;
};

/** Whether all that was recorded happened while one task ran. */
struct task_watch {
	uint32_t pid;		 /* of the first event */
	uint32_t n_in_interrupt; /* events in interrupts, as long as there is no other task */
	bool has_begun, has_several;
};

/** The last fault iommu:io_page_fault told. */
struct told_fault {
	uint64_t iova, ts;
	bool is_set;
};

struct dms_model {
	const struct dms_names *names;
	dms_step_fn sink;
	void *context;
	struct slot_pool slots;
	struct device_state **devices; /* by index */
	size_t n_devices, devices_capacity;
	struct device_state **current; /* name to its last generation; NULL: not seen */
	size_t current_capacity;
	uint64_t last_serial, last_row;
	uint64_t now;		 /* latest time stamp seen */
	uint32_t last_cpu;	 /* of the last event, where the clock counts ticks */
	bool is_coarse;		 /* ticks that events of several CPUs share: they have no order */
	uint64_t gap_until;	 /* events may be missing up to here; 0: no gap is open */
	uint32_t epoch;		 /* counts beginnings and ends of gaps */
	bool has_pending;	 /* a gap is open, or what is waiting or held may run out of time */
	struct queue waiting;	 /* of struct waiting, by time */
	struct queue superseded; /* of struct superseded, by time */
	struct pending_iova iovas[PENDING_IOVAS];
	uint32_t next_iova, n_iovas;
	struct told_part release;     /* the last that is told before its iommu:unmap */
	struct told_part iommu_unmap; /* the last */
	struct dms_uncovered uncovered;
	struct undecided undecided;
	struct dms_model_config config;
	struct stack_page stack_page; /* size 0: none */
	uint64_t n_begun_of[DMS_MAPPING_N_KINDS], n_released_of[DMS_MAPPING_N_KINDS];
	uint64_t n_strays_of[DMS_MAPPING_N_KINDS]; /* of those released, of no known mapping */
	bool caps_lists;	 /* map events of lists are cut at 128 entries, and none is too large */
	bool is_of_debug;	 /* a message of the kernel's shows that it has dma-debug */
	bool has_dump;		 /* a dma-api/dump was given; one without a line tells nothing */
	bool has_begun;		 /* there was an event */
	bool is_thinned;	 /* calls are missing, by all that was seen of it */
	bool has_iommu;		 /* an IOMMU mapped something, for whomever */
	uint64_t begin_ts;	 /* of the first event */
	uint32_t n_held;	 /* devices whose held is set */
	struct dms_backlog *shared_past; /* lives that ended, to be entered; NULL: nobody helps */
	struct dms_backlog *late_past;	 /* the same while it is used; NULL: they are entered at once */
	struct overlap_state overlap;
	struct check_state check;
	struct sites_state sites;
	struct told_fault traced_fault;
	struct task_watch tasks;
	uint32_t n_fault_searches; /* for devices that faults do not name */
	uint32_t n_scanned;	   /* mappings looked at by match_unmap_memory() */
};

/**
 * Make @step one of @kind about @mapping, all else 0, where every event passes. Member by member:
 * gcc clears what is larger than 96 bytes with `rep stos`, which takes some 30 cycles to begin and
 * was a sixth of the model's time; and what model_tell() sets anyway it then leaves out here.
 */
static inline void model_init_step(struct dms_step *step, enum dms_step_kind kind,
				   struct dms_mapping *mapping)
{
	_Static_assert(sizeof(void *) != 8 || sizeof(*step) == 112, "all members are set");
	step->kind = kind;
	step->event = NULL;
	step->device = NULL;
	step->mapping = mapping;
	step->related = NULL;
	step->elsewhere = NULL;
	step->past = NULL;
	step->gap = NULL;
	step->overlap = NULL;
	step->site = NULL;
	step->ts = 0;
	step->differs = 0;
	step->doubts = 0;
	step->end = DMS_END_LIVE;
	step->storm_calls = 0;
	step->storm_failures = 0;
}

/** A step of @kind, all else 0. */
static inline struct dms_step model_step(const struct dms_model *model, enum dms_step_kind kind)
{
	struct dms_step step;

	(void)model;
	model_init_step(&step, kind, NULL);
	return step;
}

/** How far events of two CPUs may stand in the wrong order, in units of the trace's clock. */
static inline uint64_t model_reorder_window(const struct dms_model *model)
{
	return model->is_coarse ? 1 : REORDER_NS;
}

/**
 * True if an event that was lost could have changed what was known at loss epoch @epoch: events
 * were lost since, or are being lost right now on some CPU.
 */
static inline bool model_may_have_lost(const struct dms_model *model, uint32_t epoch)
{
	return model->gap_until || model->epoch != epoch;
}

/** The last generation of the device called @name; NULL: it has not been seen. */
static inline struct device_state *model_current_device(const struct dms_model *model,
							uint32_t name)
{
	return name < model->current_capacity ? model->current[name] : NULL;
}

/** The ended lives of @state, all of them. */
static inline const struct past_table *model_past(const struct dms_model *model,
						  const struct device_state *state)
{
	if (model->late_past)
		dms_backlog_drain(model->late_past);
	return state->past;
}

/** Remember @life of @state under @key. */
void model_enter_past(const struct dms_model *model, const struct device_state *state,
		      uint64_t key, const struct dms_past *life);

/** True if drivers may be skipping unmaps on this device, on this kernel. */
static inline bool model_may_elide(const struct dms_model *model, const struct device_state *state)
{
	return !model->config.never_elides && device_may_elide(state);
}

/**
 * True if drivers of this kernel may leave out unmaps on this device, whether they seem to or not:
 * not behind an IOMMU, nor from the first bounce on.
 */
static inline bool model_can_elide(const struct dms_model *model, const struct device_state *state)
{
	return !model->config.never_elides && state->device.mode != DMS_MODE_IOMMU &&
	       (state->device.mode != DMS_MODE_BOUNCED || device_may_elide(state));
}

/** Tell the sink. @step.ts, .event and .device are filled in from @event and @state. */
struct dms_error *model_tell(struct dms_model *model, const struct device_state *state,
			     const struct dms_event *event, struct dms_step *step);

/* TRACE_FLAG_HARDIRQ, _SOFTIRQ, _NMI of include/linux/trace_events.h */
#define IN_INTERRUPT (0x08 | 0x10 | 0x40)
static inline bool is_in_interrupt(const struct dms_event *event)
{
	return event->common_flags & IN_INTERRUPT;
}

/* An IOMMU's page is no larger. */
#define MAX_IOMMU_PAGE 65536ull
/** Does what the iommu:unmap @unmap names begin in the page in which @addr is? */
static inline bool is_begun_by(uint64_t addr, const struct dms_event *unmap)
{
	uint64_t offset = addr - unmap->dma_addr;

	return offset < MAX_IOMMU_PAGE && offset < unmap->size;
}

/** The current generation of device @name, a new one at @ts if there is none. */
struct dms_error *model_device(struct dms_model *model, uint32_t name, uint64_t ts,
			       struct device_state **ret);

/* begin.c: maps and allocations */
struct dms_error *model_begin(struct dms_model *model, struct device_state *state,
			      const struct dms_event *event, enum dms_mapping_kind kind);
/* finish.c: unmaps and frees, and lives that end without one */
struct dms_error *model_finish(struct dms_model *model, struct device_state *state,
			       const struct dms_event *event, enum dms_mapping_kind kind);
struct dms_error *model_end_life(struct dms_model *model, struct live_mapping *live,
				 const struct dms_event *event, enum dms_end end, uint32_t doubts);
/** What model_finish() does with the list @match, if there is one, by its unmap @event. */
struct dms_error *model_finish_list(struct dms_model *model, struct device_state *state,
				    const struct dms_event *event, const struct match *match);
/** Doubts about an unmap of @kind and @dir: of @state mappings may live that were not seen. */
uint32_t model_unseen_doubts(const struct dms_model *model, const struct device_state *state,
			     enum dms_mapping_kind kind, uint8_t dir);
/** The same, and those of memory that several mappings share. */
uint32_t model_sharing_doubts(const struct dms_model *model, const struct device_state *state,
			      enum dms_mapping_kind kind, uint8_t dir);
/** True if the unmap @event may be late, of a mapping that had its address before @mapping. */
bool model_may_be_late(const struct dms_model *model, const struct device_state *state,
		       const struct dms_event *event, const struct dms_mapping *mapping);
/* stray.c: unmaps that no live mapping fits */
/** Tell the unmap @event, of @kind, which fits no mapping, and what it may be of. */
struct dms_error *stray_finish(struct dms_model *model, struct device_state *state,
			       const struct dms_event *event, enum dms_mapping_kind kind);
/**
 * The same where it is known that @event ends no list that is live: if @is_unseen one whose map was not
 * seen, else one that was unmapped before.
 */
struct dms_error *stray_finish_told(struct dms_model *model, struct device_state *state,
				    const struct dms_event *event, bool is_unseen);
/** True if the map of the list @event unmaps may have been too large to be recorded. */
bool stray_may_vanish(const struct dms_model *model, const struct dms_event *event);
/* index.c: the tables of a device */
/** The mappings an address, or a list's memory, already has. */
struct twin_search {
	const struct slot_pool *slots;
	const struct live_mapping *live; /* the new one */
	struct live_mapping *newest;	 /* at the same address, whatever it is; NULL: nothing */
	struct live_mapping *oldest;	 /* of the same size, kind and direction */
	struct live_mapping *eldest;	 /* stands for the new one's twins, see twins.h */
	uint32_t n_visited;
	uint32_t n_identical;		 /* to the new one in size, kind and direction */
};
/** Find the twins of @search->live, and enter it beside them. False: memory is short. */
bool model_enter(struct slot_pool *slots, struct device_state *state, struct live_mapping *live,
		 struct twin_search *search);
/**
 * Take @live out of every index; its slot stays until slots_give(). @hint: where a search found it,
 * by struct match; or 0.
 */
void model_detach(struct dms_model *model, struct device_state *state, struct live_mapping *live,
		  uint32_t hint);
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
/* lacks.c: calls that are not in the trace though no event is known to be lost */
/** True if calls of @state are missing: by a filter. */
bool model_lacks_calls(const struct dms_model *model, const struct device_state *state);
/** @event is of some task: of the only one so far? Asked until there are several. */
void model_note_task(struct task_watch *tasks, const struct dms_event *event);
/** At the end of the trace: does all of it together show that? Then dms_model_lacks_calls() is true. */
void model_judge_calls(struct dms_model *model);
/** True if maps, or unmaps, of @kind are not recorded, of any device. */
bool model_lacks_maps(const struct dms_model *model, enum dms_mapping_kind kind);
bool model_lacks_unmaps(const struct dms_model *model, enum dms_mapping_kind kind);
/**
 * True if the mapping of kind @mapped, unmapped as @unmapped, from which that differs in @differs, may
 * be another one than it seems.
 */
bool model_lacks_half(const struct dms_model *model, enum dms_mapping_kind mapped,
		      enum dms_mapping_kind unmapped, uint32_t differs);
/** The unmap @event is of an address whose last life, @past, is over. */
void model_note_again(const struct dms_model *model, const struct dms_event *event,
		      const struct dms_past *past, struct device_state *state);
/* sync.c */
struct dms_error *model_sync(struct dms_model *model, struct device_state *state,
			     const struct dms_event *event, enum dms_mapping_kind kind);

/* reorder.c */
/** Tell the unmatched unmap @step later, or now if nothing can change what it is. */
struct dms_error *reorder_hold(struct dms_model *model, struct device_state *state,
			       const struct dms_step *step, enum dms_mapping_kind kind);
/**
 * @event maps an address on @state: did an unmap of it come that fits no mapping? Then it may have
 * come early. Return: true: it may be the new mapping's own.
 */
bool reorder_note_map(struct dms_model *model, const struct device_state *state,
		      const struct dms_event *event);
/** @live's address was mapped again. */
bool reorder_supersede(struct dms_model *model, struct live_mapping *live, uint64_t ts);
/** Tell and end what has waited long enough at @now; UINT64_MAX: everything. */
struct dms_error *reorder_expire(struct dms_model *model, uint64_t now);
void reorder_deinit(struct dms_model *model);

/* iommu.c */
void iommu_note_map(struct dms_model *model, const struct dms_event *event);
/**
 * A DMA-API call of @event's task just mapped @mapping: what it made the IOMMU map is covered.
 * Return: true if that shows that @mapping is translated.
 */
bool iommu_cover(struct dms_model *model, const struct dms_event *event,
		 const struct dms_mapping *mapping);
/** Count what no call covered. */
void iommu_flush(struct dms_model *model);

/* witness.c: what an iommu:unmap tells of the call it is part of */
void witness_note(struct dms_model *model, const struct dms_event *event);
/**
 * The unmap @event of @state, which is behind an IOMMU, fits the list @match, or none. Return: true:
 * it fits none, or several: what comes next tells which one ends, by witness_settle(). False: it ends
 * now.
 */
bool witness_await(struct dms_model *model, struct device_state *state,
		   const struct dms_event *event, const struct match *match);
/** @event is about to be applied (NULL: time passes, or is lost): is what was awaited decided? */
struct dms_error *witness_settle(struct dms_model *model, const struct dms_event *event);
/**
 * True if the call that the unmap @event tells unmapped its address when @mapping had it: then it is of
 * no earlier owner of that.
 */
bool witness_tells(const struct dms_model *model, const struct dms_event *event,
		   const struct dms_mapping *mapping);
/** No mapping of @state fits the release @event: does an IOMMU unmap just that? */
void witness_note_unmatched(struct dms_model *model, struct device_state *state,
			    const struct dms_event *event);
/** The trace ends: modes that nothing but releases showed are known now. */
void witness_at_end(struct dms_model *model);

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

/* seed.c: mappings that a dma-api/dump told of */
/** The model's first event, or the first of @state (which may be NULL)? */
void seed_note_event(struct dms_model *model, struct device_state *state,
		     const struct dms_event *event);
/** @event maps: seeds that this proves gone end, without a step. */
struct dms_error *seed_note_map(struct dms_model *model, struct device_state *state,
				const struct dms_event *event);
/** @event unmaps the seed @live: the other entries of its list are made part of it. */
void seed_note_unmap(struct dms_model *model, struct device_state *state,
		     const struct dms_event *event, struct live_mapping *live);
/** Doubts about what is told of the seed @mapping. */
uint32_t seed_doubts(const struct dms_mapping *mapping);
/**
 * True if @step, of a call that no mapping fits, is told later: the dump should have shown the
 * mapping, had there been one. Else it has to be told now.
 */
bool seed_hold(struct dms_model *model, struct device_state *state, const struct dms_event *event,
	       const struct dms_step *step);
/** The dump proved to lack a mapping of @state: what is held may be of another one. */
struct dms_error *seed_give_up(struct dms_model *model, struct device_state *state);
/** Tell what has been held long enough at @now; UINT64_MAX: everything. */
struct dms_error *seed_expire(struct dms_model *model, uint64_t now);

/* check.c */
/** @mapping begins, or a map failed (@mapping NULL): its check is awaited. */
void check_begin(struct dms_model *model, struct device_state *state,
		 const struct dms_event *event, struct dms_mapping *mapping);
struct dms_error *check_note(struct dms_model *model, struct device_state *state,
			     const struct dms_event *event, enum dms_mapping_kind kind);
/**
 * @mapping ends: is its check missing, or did it come after a sync? Forgets is_check_seen where the
 * probe turned out to have been dark.
 */
bool check_is_suspect(const struct dms_model *model, struct dms_mapping *mapping);
/**
 * The device of the probe event @event: @state if it has a name, else the one its pointer is known
 * to be, by an event that told both or by the map that a check follows; NULL: neither.
 */
struct device_state *check_device(struct dms_model *model, struct device_state *state,
				  const struct dms_event *event);
void check_deinit(struct check_state *check);

/* unbind.c */
/** Why the mapping of @step, left when its driver was unbound, may be no leak: doubts, or its end. */
void unbind_explain(const struct dms_model *model, const struct device_state *state,
		    struct dms_step *step);
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

/* fault.c: @state is NULL if the fault names no device */
struct dms_error *fault_note(struct dms_model *model, struct device_state *state,
			     const struct dms_event *event, enum dms_mapping_kind kind);

/* lifecycle.c: which kind of mapping an event is about */
enum dms_mapping_kind lifecycle_mapping_kind(enum dms_event_kind kind);
/** False if an event of @kind may be of a device that makes no DMA, or is told after its end. */
bool lifecycle_makes_device(enum dms_event_kind kind);
/** Apply @event, of device @state (NULL for the iommu events that name none). */
struct dms_error *lifecycle_apply(struct dms_model *model, struct device_state *state,
				  const struct dms_event *event);

#endif

// SPDX-License-Identifier: LGPL-2.1-only
/* Memory that is mapped twice or freed while mapped: live mappings by their physical memory. */
#include <string.h>

#include "state.h"

/* More mappings of one memory than this need not be looked at. */
#define MAX_VISITS 64
/* Nor more memory of one list. */
#define MAX_SEARCHED_BYTES (32ull << 20)

/* ---- what is judged ------------------------------------------------------------------------ */

/* Does the device, or the cache maintenance, write this memory? As dma-debug sees it. */
static bool is_written(const struct dms_mapping *mapping)
{
	return (mapping->dir == DMS_DIR_FROM_DEVICE || mapping->dir == DMS_DIR_BIDIRECTIONAL) &&
	       !(mapping->attrs & DMS_ATTR_SKIP_CPU_SYNC);
}

/* A driver that says so knows what it does. Source: kernel/dma/debug.c, Linux 7.1 */
static bool is_meant(const struct dms_mapping *left, const struct dms_mapping *right)
{
	const uint64_t attrs = DMS_ATTR_CACHELINES_OVERLAP | DMS_ATTR_REQUIRE_COHERENT;

	return (left->attrs & attrs) && (right->attrs & attrs);
}

/* Where drivers are known to leave out unmaps, a live mapping proves nothing. */
static bool is_proof(const struct dms_model *model, const struct device_state *state)
{
	return !state->has_elided || model->config.never_elides;
}

/* ---- pairs ---------------------------------------------------------------------------------- */

/** Another mapping of the new one's memory: the better one pair, the rather it is told. */
struct pair {
	struct live_mapping *older;
	uint32_t older_segment, newer_segment;
	uint64_t phys_addr, bytes;
	bool is_same_list;
};

/** A search for pairs. */
struct pair_search {
	const struct dms_model *model;
	struct live_mapping *newer;
	struct stretch memory; /* of its segment */
	uint32_t segment;
	struct pair best;
	uint32_t n_visited;
};

static bool are_same_list(const struct live_mapping *left, const struct live_mapping *right)
{
	const struct dms_sg *one = left->mapping.sg, *other = right->mapping.sg;

	return one && other && left->mapping.device == right->mapping.device &&
	       one->n_phys >= 2 && one->n_phys == other->n_phys &&
	       left->mapping.size == right->mapping.size &&
	       !memcmp(one->phys, other->phys, one->n_phys * sizeof(uint64_t));
}

/* Maybe through a bounce buffer: its cache lines are not those of the memory. */
static bool is_elsewhere(const struct dms_model *model, const struct live_mapping *live,
			 uint32_t segment)
{
	const struct device_state *state = model->devices[live->mapping.device];
	uint64_t direct;

	return live->mapping.bounced || !live->is_exact ||
	       (device_direct_addr(state, memory_stretch(live, segment).first, &direct) &&
		direct != dms_mapping_segment(&live->mapping, segment).dma_addr);
}

/* Do they share a line, though no byte? On a device that is not coherent, or may not be. */
static bool share_line(const struct pair_search *search, struct stretch other,
		       const struct pair *pair)
{
	const struct dms_model *model = search->model;
	uint64_t mask = ~(uint64_t)(model->config.cache_line_bytes - 1);

	if ((search->memory.first & mask) > other.last ||
	    (other.first & mask) > search->memory.last)
		return false;
	return !is_elsewhere(model, search->newer, pair->newer_segment) &&
	       !is_elsewhere(model, pair->older, pair->older_segment);
}

static bool is_better(const struct pair *pair, const struct pair *best)
{
	if (!best->older || pair->is_same_list != best->is_same_list)
		return !best->older || pair->is_same_list;
	if (!pair->bytes != !best->bytes)
		return pair->bytes;
	return pair->older->mapping.serial > best->older->mapping.serial;
}

static bool look_at(void *context, struct live_mapping *older, uint32_t stretch)
{
	struct pair_search *search = context;
	struct pair pair = {
		.older = older,
		.older_segment = stretch,
		.newer_segment = search->segment,
	};
	struct stretch other = memory_stretch(older, stretch);
	uint64_t first = other.first > search->memory.first ? other.first : search->memory.first;
	uint64_t last = other.last < search->memory.last ? other.last : search->memory.last;

	if (search->n_visited++ >= MAX_VISITS)
		return false;
	if (!is_written(&pair.older->mapping) ||
	    is_meant(&pair.older->mapping, &search->newer->mapping))
		return true;
	if (first > last && !share_line(search, other, &pair))
		return true;
	pair.phys_addr = first;
	pair.bytes = first <= last ? last - first + 1 : 0;
	pair.is_same_list = are_same_list(search->newer, pair.older);
	if (pair.is_same_list)
		pair.bytes = older->mapping.size;
	if (is_better(&pair, &search->best))
		search->best = pair;
	return true;
}

/** Who holds one place in memory. */
struct depth_search {
	const struct dms_model *model;
	uint64_t phys_addr;
	uint32_t depth;
};

static bool count_depth(void *context, struct live_mapping *owner, uint32_t stretch)
{
	struct depth_search *search = context;
	struct stretch memory = memory_stretch(owner, stretch);
	uint64_t mask = ~(uint64_t)(search->model->config.cache_line_bytes - 1);

	if ((memory.first & mask) <= search->phys_addr &&
	    (memory.last | ~mask) >= search->phys_addr && is_written(&owner->mapping))
		search->depth++;
	return search->depth < MAX_VISITS;
}

/* ---- incidents ------------------------------------------------------------------------------- */

/* One buffer cut in two inside a line, by one driver: dma-debug of that time reports no less. */
static bool is_cut_in_two(const struct dms_mapping *newer, const struct dms_mapping *older)
{
	return newer->device == older->device && !newer->in_interrupt && !older->in_interrupt &&
	       newer->map_pid == older->map_pid &&
	       (newer->cpu_addr == older->cpu_addr + older->size ||
		older->cpu_addr == newer->cpu_addr + newer->size);
}

/* Syncs are events where there is something to do: caches, or bounce buffers. */
static bool has_visible_caches(const struct dms_device *device)
{
	return device->coherent == 0 || (device->has_syncs && device->mode == DMS_MODE_DIRECT);
}

/*
 * A shared line without a shared byte harms only where caches are not coherent. False: nowhere
 * here. Newer kernels' dma-debug does not look at such lines on x86 (dma_get_cache_alignment() is
 * 1); buffers of a few bytes from kmalloc() lie that way there, in healthy drivers.
 */
static bool line_matters(const struct dms_model *model, const struct pair *pair,
			 const struct dms_mapping *newer, uint32_t *doubts)
{
	const struct dms_mapping *older = &pair->older->mapping;
	const struct dms_device *one = &model->devices[newer->device]->device;
	const struct dms_device *other = &model->devices[older->device]->device;

	if (one->coherent > 0 && other->coherent > 0)
		return false;
	if (!has_visible_caches(one) && !has_visible_caches(other) &&
	    !(model->config.checks_lines && is_cut_in_two(newer, older)))
		*doubts |= DMS_DOUBT_UNTRACED;
	return true;
}

/*
 * Memory that user space handed out twice: a dma-buf to two devices, or a buffer registered twice
 * for RDMA. Both are lists, and neither leaves an event.
 */
static bool may_be_shared(const struct dms_mapping *newer, const struct dms_mapping *older)
{
	if (newer->kind != DMS_MAPPING_SG || older->kind != DMS_MAPPING_SG)
		return false;
	return newer->device != older->device ||
	       (newer->dir == DMS_DIR_BIDIRECTIONAL && older->dir == DMS_DIR_BIDIRECTIONAL);
}

_apart_ static void note_pair(struct dms_model *model, const struct dms_event *event,
		      struct live_mapping *newer, const struct pair *pair)
{
	struct depth_search depth = {.model = model, .phys_addr = pair->phys_addr, .depth = 1};
	struct dms_mapping *older = &pair->older->mapping;
	struct incident *incident;
	uint32_t doubts = 0;

	if (!pair->bytes && !line_matters(model, pair, &newer->mapping, &doubts))
		return;
	incident = incident_add(&model->overlap.incidents, DMS_STEP_OVERLAP, pair->older, newer);
	if (!incident)
		return;
	if (model_may_have_lost(model, older->epoch))
		doubts |= DMS_DOUBT_LOST_EVENTS;
	if (may_be_shared(&newer->mapping, older))
		doubts |= DMS_DOUBT_UNTRACED;
	memory_search(&model->overlap.memory, &model->slots, stretch_of(pair->phys_addr, 1),
		      count_depth, &depth);
	incident->event = *event;
	incident->event.n_phys = incident->event.n_dma = 0;
	incident->event.phys_list = incident->event.dma_list = NULL;
	incident->event.lengths = NULL;
	incident->doubts = doubts;
	incident->overlap = (struct dms_overlap){
		.phys_addr = pair->phys_addr,
		.bytes = pair->bytes,
		.depth = depth.depth,
		.is_same_list = pair->is_same_list,
	};
}

/*
 * True if @live has to be entered, too. Where a driver seems to leave out unmaps, one mapping
 * stands for all that are like it: else they pile up, and each search has to pass them. For the same
 * reason nothing is added where there is more already than anybody looks at.
 */
_apart_ _flat_ static bool find_pairs(struct dms_model *model, const struct dms_event *event,
		       struct live_mapping *live)
{
	const struct live_mapping *older;
	struct pair_search search;
	uint64_t searched_bytes = 0;
	bool is_crowded = false;

	search.model = model;
	search.newer = live;
	search.best = (struct pair){0};
	for (uint32_t i = 0; i < memory_n_stretches(live) && !search.best.is_same_list &&
			     searched_bytes < MAX_SEARCHED_BYTES;
	     i++) {
		search.memory = memory_stretch(live, i);
		searched_bytes += search.memory.last - search.memory.first;
		search.segment = i;
		search.n_visited = 0;
		is_crowded |= !memory_search(&model->overlap.memory, &model->slots, search.memory,
					     look_at, &search);
	}
	older = search.best.older;
	if (!older)
		return !is_crowded;
	if (!model->config.never_elides && overlap_are_alike(&live->mapping, &older->mapping) &&
	    device_may_elide(model->devices[live->mapping.device]))
		return false;
	note_pair(model, event, live, &search.best);
	return !is_crowded;
}

static bool count_visit(void *context, struct live_mapping *owner, uint32_t stretch)
{
	uint32_t *n_visited = context;

	(void)owner, (void)stretch;
	return ++*n_visited < MAX_VISITS;
}

/* As find_pairs() of what is not compared with others, as nobody writes it. */
_apart_ static bool is_crowded(const struct dms_model *model, const struct live_mapping *live)
{
	bool is_crowded = false;

	for (uint32_t i = 0; i < memory_n_stretches(live) && !is_crowded; i++) {
		uint32_t n_visited = 0;

		is_crowded = !memory_search(&model->overlap.memory, &model->slots,
					    memory_stretch(live, i), count_visit, &n_visited);
	}
	return is_crowded;
}

struct dms_error *overlap_begin(struct dms_model *model, struct device_state *state,
				const struct dms_event *event, struct live_mapping *live)
{
	bool may_be_freed = model->config.inputs & DMS_INPUT_PAGE_FREES;

	if (!is_written(&live->mapping) && !may_be_freed)
		return NULL; /* half of all maps leave here */
	if (!memory_is_known(live) || !is_proof(model, state))
		return NULL;
	if (memory_add_alone(&model->overlap.memory, live)) {
		live->is_indexed = true;
		return NULL;
	}
	if (event && is_written(&live->mapping) ? !find_pairs(model, event, live)
						: is_crowded(model, live))
		return NULL;
	live->is_indexed = true;
	return memory_add(&model->overlap.memory, live) ? NULL : &dms_error_nomem;
}

void overlap_detach(struct dms_model *model, struct live_mapping *live)
{
	if (live->is_indexed)
		memory_remove(&model->overlap.memory, live);
	live->is_indexed = false;
}

struct dms_error *overlap_end(struct dms_model *model, struct live_mapping *live,
			      const struct dms_event *event, const struct dms_step *step)
{
	return live->mapping.has_incident ? incident_end(model, live, event, step) : NULL;
}

/* ---- freed memory ---------------------------------------------------------------------------- */

/** A free under way. */
struct free_search {
	struct dms_model *model;
	const struct dms_event *event;
	struct stretch memory;
	uint32_t n_visited;
};

static bool note_free(void *context, struct live_mapping *owner, uint32_t stretch)
{
	struct free_search *search = context;
	struct stretch memory = memory_stretch(owner, stretch);
	struct incident *incident;

	if (memory.first > search->memory.last || memory.last < search->memory.first)
		return true;
	if (!owner->is_freed) {
		incident = incident_add(&search->model->overlap.incidents, DMS_STEP_PAGE_FREED,
					owner, NULL);
		if (incident) {
			owner->is_freed = true;
			incident->event = *search->event;
			if (model_may_have_lost(search->model, owner->mapping.epoch))
				incident->doubts |= DMS_DOUBT_LOST_EVENTS;
		}
	}
	return ++search->n_visited < MAX_VISITS;
}

struct dms_error *overlap_page_free(struct dms_model *model, struct device_state *state,
				    const struct dms_event *event, enum dms_mapping_kind kind)
{
	struct free_search search = {.model = model, .event = event};

	(void)state, (void)kind;
	if (!(event->has & DMS_HAS_PHYS_ADDR) || !event->size)
		return NULL;
	search.memory = stretch_of(event->phys_addr, event->size);
	memory_search(&model->overlap.memory, &model->slots, search.memory, note_free, &search);
	return NULL;
}

void overlap_deinit(struct overlap_state *overlap)
{
	memory_deinit(&overlap->memory);
	dms_free(overlap->incidents.items);
	overlap->incidents = (struct incident_pool){0};
}

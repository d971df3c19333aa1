/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which live mapping an unmap or a sync means. */
#ifndef DMS_MODEL_MATCH_H
#define DMS_MODEL_MATCH_H

#include "device.h"

/** What a search found. */
struct match {
	struct live_mapping *live; /* NULL: none */
	uint32_t differs;	   /* DMS_DIFFERS_* against the event */
	uint32_t doubts;
	uint32_t n_candidates; /* live mappings with that address */
	uint32_t hint;	       /* for model_detach() */
};

struct dms_model;

/**
 * The mapping @event (an unmap or free) releases.
 * Source: best fit among equal addresses as kernel/dma/debug.c __hash_bucket_find(), but several
 * imperfect candidates are an ambiguous match and never none.
 */
struct match match_unmap(const struct dms_model *model, const struct device_state *state,
			 const struct dms_event *event, enum dms_mapping_kind kind);
/** The mapping @event (dma_unmap_sg) releases, found by its list of physical addresses. */
struct match match_unmap_list(const struct dms_model *model, const struct device_state *state,
			      const struct dms_event *event);
/**
 * The same, of the only list the IOMMU has in what it unmapped within that call, which @unmap (an
 * iommu:unmap) tells; none if there is none, or several, by n_candidates.
 */
struct match match_unmap_witnessed(const struct dms_model *model, const struct device_state *state,
				   const struct dms_event *event, const struct dms_event *unmap);
/**
 * The same where the list's memory does not tell its DMA address, and no list begins there: a single
 * mapping of that memory, released as a list, or a list whose beginning was left out. None where a
 * mapping that was not seen may be meant.
 */
struct match match_unmap_memory(struct dms_model *model, const struct device_state *state,
				const struct dms_event *event);
/** The smallest live mapping that holds what @event (a sync) names. */
struct match match_sync(const struct slot_pool *slots, const struct device_state *state,
			const struct dms_event *event);
/** A live mapping that @addr lies inside of, not at its start; NULL if none. */
struct live_mapping *match_containing(const struct slot_pool *slots,
				      const struct device_state *state, uint64_t addr);

/** DMS_DIFFERS_* between a release of @kind by @event and @mapping. */
uint32_t match_differs(const struct dms_mapping *mapping, const struct dms_event *event,
		       enum dms_mapping_kind kind);

#endif

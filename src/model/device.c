// SPDX-License-Identifier: LGPL-2.1-only
/* What the model keeps of one device: its address mode, announced bounces. */
#include "device.h"

void device_deinit(struct device_state *state)
{
	extents_deinit(&state->extents);
	extents_deinit(&state->lists);
	past_destroy(state->past);
	dms_free(state->remaps);
}

/* ---- address mode ------------------------------------------------------------------------- */

/* A constant difference on this many different pages is no coincidence of an IOMMU. */
#define OFFSET_PROOF 4
/* The smallest any has. */
#define IOMMU_PAGE 4096
/* IO_TLB_SIZE: where a bounce buffer keeps the place in the page by chance. */
#define BOUNCE_SLOT 2048

static enum dms_address_mode infer_mode(const struct device_state *state)
{
	uint64_t n_direct = state->n_identity;

	if (state->is_translated)
		return DMS_MODE_IOMMU;
	if (state->n_offset >= OFFSET_PROOF)
		n_direct += state->n_offset;
	if (state->n_other > n_direct + state->n_bounced) {
		/* Whole pages, and nothing that tells of an IOMMU: a bounce buffer looks like that. */
		bool may_be_bounced = state->hides_bounces && (!state->n_kept || state->hides_unmaps);

		return may_be_bounced ? DMS_MODE_UNKNOWN : DMS_MODE_IOMMU;
	}
	if (state->n_bounced)
		return DMS_MODE_BOUNCED;
	return n_direct ? DMS_MODE_DIRECT : DMS_MODE_UNKNOWN;
}

void device_learn_mode(struct device_state *state, uint64_t phys, uint64_t dma, bool bounced)
{
	uint64_t offset = dma - phys, page = phys >> 12;

	if (bounced) {
		state->may_have_elided |= !state->n_bounced && device_may_elide(state);
		state->n_bounced++;
	} else if (!offset) {
		state->n_identity++;
	} else if (offset % IOMMU_PAGE) {
		state->n_bounced++; /* an IOMMU keeps the place in the page */
	} else if (offset == state->offset) {
		state->n_offset += page != state->offset_phys; /* one page again proves nothing */
		state->offset_phys = page;
	} else {
		state->n_other++;
		state->n_kept += phys % BOUNCE_SLOT != 0;
		if (!state->n_offset) {
			state->offset = offset;
			state->offset_phys = page;
		}
	}
	state->device.mode = infer_mode(state);
}

_apart_ void device_note_translation(struct device_state *state)
{
	state->is_translated = true;
	state->device.mode = infer_mode(state);
}

bool device_direct_addr(const struct device_state *state, uint64_t phys, uint64_t *ret)
{
	if (state->device.mode != DMS_MODE_DIRECT && state->device.mode != DMS_MODE_BOUNCED)
		return false;
	*ret = state->n_offset >= OFFSET_PROOF ? phys + state->offset : phys;
	return true;
}

/* Fewer mappings than these are a ring being filled, or a driver under test. */
#define ELIDE_MIN_MAPS 64

bool device_may_elide(const struct device_state *state)
{
	if (state->has_elided || state->may_have_elided)
		return true;
	return state->device.mode == DMS_MODE_DIRECT && state->n_streamed >= ELIDE_MIN_MAPS &&
	       state->n_released < state->n_streamed / 2;
}

/* ---- bounces -------------------------------------------------------------------------------- */

static enum dms_bounce_reason reason_of(const struct dms_event *event)
{
	if (event->force)
		return DMS_BOUNCE_FORCED;
	if ((event->has & DMS_HAS_DMA_MASK) && event->size &&
	    event->phys_addr + event->size - 1 > event->dma_mask)
		return DMS_BOUNCE_MASK;
	return DMS_BOUNCE_OTHER;
}

void device_note_bounce(struct device_state *state, const struct dms_event *event)
{
	state->bounces[state->next_bounce++ % PENDING_BOUNCES] = (struct pending_bounce){
		.phys_addr = event->phys_addr,
		.cpu = event->cpu,
		.pid = event->pid,
		.reason = reason_of(event),
		.is_set = true,
	};
}

static bool holds(const uint64_t *phys, uint32_t n, uint64_t addr)
{
	for (uint32_t i = 0; i < n; i++) {
		if (phys[i] == addr)
			return true;
	}
	return false;
}

bool device_take_bounce(struct device_state *state, const struct dms_event *event,
			const uint64_t *phys, uint32_t n)
{
	state->bounce = DMS_BOUNCE_NONE;
	if (!state->next_bounce)
		return false;
	for (uint32_t i = 0; i < PENDING_BOUNCES; i++) {
		struct pending_bounce *bounce = &state->bounces[i];

		if (!bounce->is_set || bounce->cpu != event->cpu || bounce->pid != event->pid)
			continue;
		bounce->is_set = false;
		if (holds(phys, n, bounce->phys_addr) && bounce->reason > state->bounce)
			state->bounce = bounce->reason;
	}
	return state->bounce != DMS_BOUNCE_NONE;
}

/* ---- failures ------------------------------------------------------------------------------- */

/* This many failures within a second, and this share of all calls, are no accident. */
#define STORM_NS       1000000000ull
#define STORM_FAILURES 16
#define STORM_PERCENT  25

/* DMA_ATTR_NO_WARN, __GFP_NOWARN among the flags: it tries, and has something else to do. */
#define ATTR_NO_WARN (1ull << 8)

void device_note_failure(struct device_state *state, const struct dms_event *event,
			 struct dms_step *step)
{
	struct failures *failures = &state->failures;
	uint64_t calls;

	if (event->attrs & ATTR_NO_WARN)
		return;
	if (!failures->count || event->ts - failures->start_ts > STORM_NS) {
		failures->is_told &= failures->count >= STORM_FAILURES &&
				     event->ts - failures->start_ts <= 2 * STORM_NS;
		failures->start_ts = event->ts;
		failures->streamed_before = state->n_streamed;
		failures->count = 0;
	}
	calls = ++failures->count + state->n_streamed - failures->streamed_before;
	if (failures->is_told || failures->count < STORM_FAILURES ||
	    failures->count * 100ull < calls * STORM_PERCENT)
		return;
	failures->is_told = true;
	step->storm_calls = (uint32_t)calls;
	step->storm_failures = failures->count;
}

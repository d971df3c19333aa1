// SPDX-License-Identifier: LGPL-2.1-only
/* What the model keeps of one device: its address mode, announced bounces, ended lives. */
#include "device.h"

void device_deinit(struct device_state *state)
{
	extents_deinit(&state->extents);
	extents_deinit(&state->lists);
	dms_free(state->past.slots);
	state->past = (struct past_table){0};
}

/* ---- address mode ------------------------------------------------------------------------- */

/* A constant difference on this many different pages is no coincidence of an IOMMU. */
#define OFFSET_PROOF 4

static enum dms_address_mode infer_mode(const struct device_state *state)
{
	uint64_t n_direct = state->n_identity;

	if (state->n_offset >= OFFSET_PROOF)
		n_direct += state->n_offset;
	if (state->n_other > n_direct + state->n_bounced)
		return DMS_MODE_IOMMU;
	if (state->n_bounced)
		return DMS_MODE_BOUNCED;
	return n_direct ? DMS_MODE_DIRECT : DMS_MODE_UNKNOWN;
}

void device_learn_mode(struct device_state *state, uint64_t phys, uint64_t dma, bool bounced)
{
	uint64_t offset = dma - phys, page = phys >> 12;

	if (bounced) {
		state->n_bounced++;
	} else if (!offset) {
		state->n_identity++;
	} else if (offset == state->offset) {
		state->n_offset += page != state->offset_phys; /* one page again proves nothing */
		state->offset_phys = page;
	} else {
		state->n_other++;
		if (!state->n_offset) {
			state->offset = offset;
			state->offset_phys = page;
		}
	}
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
	if (state->has_elided)
		return true;
	return state->device.mode == DMS_MODE_DIRECT && state->n_streamed >= ELIDE_MIN_MAPS &&
	       state->n_released < state->n_streamed / 2;
}

/* ---- bounces -------------------------------------------------------------------------------- */

void device_note_bounce(struct device_state *state, const struct dms_event *event)
{
	state->bounces[state->next_bounce++ % PENDING_BOUNCES] = (struct pending_bounce){
		.phys_addr = event->phys_addr,
		.cpu = event->cpu,
		.pid = event->pid,
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
	bool found = false;

	if (!state->next_bounce)
		return false;
	for (uint32_t i = 0; i < PENDING_BOUNCES; i++) {
		struct pending_bounce *bounce = &state->bounces[i];

		if (!bounce->is_set || bounce->cpu != event->cpu || bounce->pid != event->pid)
			continue;
		bounce->is_set = false;
		found |= holds(phys, n, bounce->phys_addr);
	}
	return found;
}

/* ---- ended lives ----------------------------------------------------------------------------- */

static struct past_slot *slot_of(const struct past_table *table, uint64_t key)
{
	return &table->slots[dms_hash64(key) & (table->n_slots - 1)];
}

/* Keep about two slots for each mapping that lived at the peak. */
static void grow(struct device_state *state)
{
	struct past_table *table = &state->past, grown = {.n_slots = table->n_slots};

	if (table->n_slots >= PAST_MAX_SLOTS ||
	    (table->n_slots && table->n_slots >= 2 * state->peak_live))
		return;
	grown.n_slots = table->n_slots ? table->n_slots * 2 : PAST_MIN_SLOTS;
	grown.slots = dms_zalloc(grown.n_slots * sizeof(*grown.slots));
	if (!grown.slots)
		return;
	for (uint32_t i = 0; i < table->n_slots; i++) {
		if (table->slots[i].past.serial)
			*slot_of(&grown, table->slots[i].key) = table->slots[i];
	}
	dms_free(table->slots);
	*table = grown;
}

void past_add(struct device_state *state, uint64_t key, const struct dms_past *past)
{
	grow(state);
	if (state->past.n_slots)
		*slot_of(&state->past, key) = (struct past_slot){key, *past};
}

const struct dms_past *past_find(const struct device_state *state, uint64_t key)
{
	const struct past_slot *slot;

	if (!state->past.n_slots)
		return NULL;
	slot = slot_of(&state->past, key);
	return slot->past.serial && slot->key == key ? &slot->past : NULL;
}

/*
 * Only starts at page boundaries and at @addr itself are tried: a walk over the whole table for
 * each packet of a receive ring older than the trace would cost more than the rest of the work.
 */
const struct dms_past *past_find_containing(const struct device_state *state, uint64_t addr)
{
	const struct dms_past *past = past_find(state, addr);

	for (uint64_t page = addr & ~0xfffull, i = 0; !past && i < 16; i++, page -= 0x1000) {
		past = past_find(state, page);
		if (past && addr - past->dma_addr >= past->size)
			past = NULL;
		if (!page)
			break;
	}
	return past;
}

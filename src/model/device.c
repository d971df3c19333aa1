// SPDX-License-Identifier: LGPL-2.1-only
/* What the model keeps of one device: its address mode, announced bounces, ended lives. */
#include "device.h"

void device_deinit(struct device_state *state)
{
	extents_deinit(&state->extents);
	extents_deinit(&state->lists);
	dms_free(state->past.sets);
	dms_free(state->past.lives);
	dms_free(state->remaps);
	state->past = (struct past_table){0};
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

/* ---- ended lives ----------------------------------------------------------------------------- */

/* Any address may be a key, 0 among them; the one that would look empty shares with another. */
static uint64_t kept_key(uint64_t key)
{
	key ^= 0x9e3779b97f4a7c15ull;
	return key ? key : 1;
}

static uint32_t set_of(const struct past_table *table, uint64_t kept)
{
	return dms_hash_place(kept, 32) & (table->n_slots / PAST_WAYS - 1);
}

/*
 * The way of @kept in @set, if it is in any. All are looked at, without a branch, as which it is
 * nobody can predict: a loop that ends there took a tenth of the time of all unmaps.
 */
static unsigned int way_of(const struct past_set *set, uint64_t kept)
{
	unsigned int is_1 = set->keys[1] == kept, is_2 = set->keys[2] == kept;
	unsigned int is_3 = set->keys[3] == kept;

	_Static_assert(PAST_WAYS == 4, "all ways are looked at");
	return (is_1 | is_3) + 2 * (is_2 | is_3);
}

/* The first way that is empty; PAST_WAYS if none is. */
static unsigned int empty_way(const struct past_set *set)
{
	unsigned int way = 0;

	while (way < PAST_WAYS && set->keys[way])
		way++;
	return way;
}

static bool allocate(struct past_table *table)
{
	table->sets = dms_zalloc(table->n_slots / PAST_WAYS * sizeof(*table->sets));
	table->lives = dms_alloc(table->n_slots * sizeof(*table->lives));
	if (table->sets && table->lives)
		return true;
	dms_free(table->sets);
	dms_free(table->lives);
	return false;
}

/* The life in @slot of @table moves to @grown, which has room for it. */
static void move(struct past_table *grown, const struct past_table *table, uint32_t slot)
{
	const struct past_set *from = &table->sets[slot / PAST_WAYS];
	uint64_t kept = from->keys[slot % PAST_WAYS];
	uint32_t set = kept ? set_of(grown, kept) : 0;
	unsigned int way = kept ? empty_way(&grown->sets[set]) : 0;

	if (!kept)
		return;
	grown->sets[set].keys[way] = kept;
	grown->sets[set].ended_ts[way] = from->ended_ts[slot % PAST_WAYS];
	grown->lives[set * PAST_WAYS + way] = table->lives[slot];
}

/* Twice as many slots: then each set becomes two, and nothing is lost. */
_apart_ static bool grow(struct past_table *table)
{
	struct past_table grown = {
		.n_slots = table->n_slots ? table->n_slots * 2 : PAST_MIN_SLOTS,
		.forgotten_ts = table->forgotten_ts,
	};

	if (!allocate(&grown))
		return false;
	for (uint32_t slot = 0; slot < table->n_slots; slot++)
		move(&grown, table, slot);
	dms_free(table->sets);
	dms_free(table->lives);
	*table = grown;
	return true;
}

/* About two slots for each mapping that lived at the peak are enough where nothing faults. */
static bool may_grow(const struct device_state *state)
{
	uint32_t n_slots = state->past.n_slots;

	return n_slots < PAST_MAX_SLOTS &&
	       (!n_slots || n_slots < 2 * state->peak_live || state->device.mode == DMS_MODE_IOMMU);
}

/* The one of @set, which is full, that ended first. */
static unsigned int first_of(const struct past_set *set)
{
	unsigned int first = set->ended_ts[1] < set->ended_ts[0];
	unsigned int other = 2 + (set->ended_ts[3] < set->ended_ts[2]);

	return set->ended_ts[other] < set->ended_ts[first] ? other : first;
}

/* In @set, which is full, what ended first is forgotten. */
static unsigned int forget(struct past_table *table, const struct past_set *set)
{
	unsigned int first = first_of(set);

	if (set->ended_ts[first] > table->forgotten_ts)
		table->forgotten_ts = set->ended_ts[first];
	return first;
}

/*
 * @way of @set is for a life under @kept. Its lines are fetched to be written: a table of 360 KiB for
 * each device is in no near cache, and 2 % of the model's time was spent waiting to fill them.
 */
static struct dms_past *place_in(struct past_table *table, uint32_t set, unsigned int way,
				 uint64_t kept, uint64_t ended_ts)
{
	struct dms_past *life = &table->lives[set * PAST_WAYS + way];

	__builtin_prefetch(life, 1);
	__builtin_prefetch((char *)(life + 1) - 1, 1);
	table->sets[set].keys[way] = kept;
	table->sets[set].ended_ts[way] = ended_ts;
	return life;
}

/* The table has no room for @kept where it belongs, and may grow. */
_apart_ static struct dms_past *grow_for(struct device_state *state, uint64_t kept,
					 uint64_t ended_ts)
{
	struct past_table *table = &state->past;
	unsigned int way = PAST_WAYS;
	uint32_t set = 0;

	while (way == PAST_WAYS && may_grow(state) && grow(table)) {
		set = set_of(table, kept);
		way = empty_way(&table->sets[set]);
	}
	if (!table->n_slots)
		return NULL;
	set = set_of(table, kept);
	if (way == PAST_WAYS)
		way = forget(table, &table->sets[set]);
	return place_in(table, set, way, kept, ended_ts);
}

void past_expect(const struct device_state *state, uint64_t key)
{
	if (state->past.n_slots)
		__builtin_prefetch(&state->past.sets[set_of(&state->past, kept_key(key))], 1);
}

struct dms_past *past_place(struct device_state *state, uint64_t key, uint64_t ended_ts)
{
	struct past_table *table = &state->past;
	uint64_t kept = kept_key(key);
	unsigned int way;
	uint32_t set;

	if (!table->n_slots)
		return grow_for(state, kept, ended_ts);
	set = set_of(table, kept);
	way = way_of(&table->sets[set], kept);
	if (table->sets[set].keys[way] == kept)
		return place_in(table, set, way, kept, ended_ts);
	if (!table->sets[set].keys[PAST_WAYS - 1]) /* they fill up in order */
		return place_in(table, set, empty_way(&table->sets[set]), kept, ended_ts);
	if (may_grow(state))
		return grow_for(state, kept, ended_ts);
	return place_in(table, set, forget(table, &table->sets[set]), kept, ended_ts);
}

const struct dms_past *past_find(const struct device_state *state, uint64_t key)
{
	const struct past_table *table = &state->past;
	uint64_t kept = kept_key(key);
	unsigned int way;
	uint32_t set;

	if (!table->n_slots)
		return NULL;
	set = set_of(table, kept);
	way = way_of(&table->sets[set], kept);
	if (table->sets[set].keys[way] != kept)
		return NULL;
	return &table->lives[set * PAST_WAYS + way];
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

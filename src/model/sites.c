// SPDX-License-Identifier: LGPL-2.1-only
/* Call sites: the figures of all maps one stack made for one device. */
#include "state.h"

/* The first bucket's length: a power of two, doubled whenever the trace outgrows all buckets. */
#define FIRST_BUCKET_NS (1ull << 20)

static struct site *site_at(const struct sites_state *sites, uint32_t number)
{
	return sites->sites[number - 1];
}

static unsigned int log2_of(uint64_t value)
{
	return 63 - (unsigned int)__builtin_clzll(value | 1);
}

/* ---- finding -------------------------------------------------------------------------------- */

static uint64_t owner_of(uint32_t device, uint32_t stack)
{
	return (uint64_t)device << 32 | stack;
}

static uint16_t manner_of(const struct dms_mapping *mapping)
{
	return (uint16_t)(mapping->dir << 8 | mapping->kind);
}

/* The entry of the site of @owner and @manner, or the empty one where it belongs: there is one. */
static struct site_key *find_key(const struct sites_state *sites, uint64_t owner, uint16_t manner)
{
	uint64_t hashed = owner + ((uint64_t)manner << 48);
	struct site_key *key = &sites->keys[dms_hash_place(hashed, sites->keys_shift)];

	while (key->number && (key->owner != owner || key->manner != manner)) {
		if (++key == sites->keys + sites->n_keys)
			key = sites->keys;
	}
	return key;
}

/* At most a quarter of the entries are used: nearly every search ends where it begins. */
static bool make_room(struct sites_state *sites)
{
	struct sites_state grown = {.n_keys = sites->n_keys ? sites->n_keys * 2 : FIRST_KEYS};

	if (sites->n_sites * 4 < sites->n_keys)
		return true;
	grown.keys_shift = 64 - log2_of(grown.n_keys);
	grown.keys = dms_zalloc(grown.n_keys * sizeof(*grown.keys));
	if (!grown.keys)
		return false;
	for (uint32_t i = 0; i < sites->n_keys; i++) {
		const struct site_key *key = &sites->keys[i];

		if (key->number)
			*find_key(&grown, key->owner, key->manner) = *key;
	}
	dms_free(sites->keys);
	sites->keys = grown.keys;
	sites->keys_shift = grown.keys_shift;
	sites->n_keys = grown.n_keys;
	return true;
}

static struct site *add_site(struct sites_state *sites)
{
	struct site *site;

	if (!dms_grow(&sites->sites, &sites->sites_capacity, sites->n_sites + 1,
		      sizeof(struct site *)))
		return NULL;
	site = dms_zalloc(sizeof(*site));
	if (site)
		sites->sites[sites->n_sites++] = site;
	return site;
}

/* The site of @mapping, which was not found: a new one, or that of all that came too late. */
_apart_ static uint32_t begin_site(struct sites_state *sites, const struct dms_mapping *mapping)
{
	uint32_t stack = sites->n_sites < MAX_SITES ? mapping->map_stack : DMS_ID_NONE;
	uint64_t owner = owner_of(mapping->device, stack);
	struct site_key *key;
	struct site *site;

	if (!make_room(sites))
		return 0;
	key = find_key(sites, owner, manner_of(mapping));
	if (key->number)
		return key->number;
	site = add_site(sites);
	if (!site)
		return 0;
	*key = (struct site_key){
		.owner = owner, .manner = manner_of(mapping), .number = sites->n_sites};
	site->bucket_end = mapping->map_ts + FIRST_BUCKET_NS;
	site->figures = (struct dms_site){
		.device = mapping->device,
		.stack = stack,
		.kind = mapping->kind,
		.dir = mapping->dir,
		.min_size = UINT64_MAX,
		.first_ts = mapping->map_ts,
		.bucket_ns = FIRST_BUCKET_NS,
		.n_buckets = 1,
	};
	return key->number;
}

/* The site of @mapping, which begins; NULL when memory is short. */
static struct site *find_site(struct sites_state *sites, struct device_state *state,
			      struct dms_mapping *mapping)
{
	uint64_t owner = owner_of(mapping->device, mapping->map_stack);
	uint32_t number = 0;

	if (sites->n_keys)
		number = find_key(sites, owner, manner_of(mapping))->number;
	if (!number && !(number = begin_site(sites, mapping)))
		return NULL;
	mapping->site = state->site_number = number;
	state->site = site_at(sites, number);
	return state->site;
}

/* Most maps of real drivers come from where the device's last one came from. */
static struct site *site_for(struct sites_state *sites, struct device_state *state,
			     struct dms_mapping *mapping)
{
	struct site *last = state->site;

	if (!last || last->figures.stack != mapping->map_stack ||
	    last->figures.kind != mapping->kind || last->figures.dir != mapping->dir)
		return find_site(sites, state, mapping);
	mapping->site = state->site_number;
	return last;
}

/* ---- time ----------------------------------------------------------------------------------- */

/* Pairs of buckets become one. */
static void double_buckets(struct dms_site *figures)
{
	for (unsigned int i = 0; i < DMS_SITE_BUCKETS / 2; i++) {
		figures->live_series[i] = figures->live_series[2 * i + 1];
		figures->maps_series[i] =
			figures->maps_series[2 * i] + figures->maps_series[2 * i + 1];
	}
	figures->n_buckets = DMS_SITE_BUCKETS / 2;
	figures->bucket_ns *= 2;
}

static void begin_buckets(struct dms_site *figures, uint64_t until)
{
	while (figures->n_buckets < until) {
		figures->live_series[figures->n_buckets] = figures->live;
		figures->maps_series[figures->n_buckets++] = 0;
	}
}

/* What the current bucket holds so far. */
static void settle(struct site *site)
{
	struct dms_site *figures = &site->figures;

	figures->live_series[figures->n_buckets - 1] = figures->live;
	figures->maps_series[figures->n_buckets - 1] += figures->maps - site->maps_before;
	site->maps_before = figures->maps;
}

/* Time goes on to @ts: buckets in which nothing happened carry the live count on. */
_apart_ static void roll(struct site *site, uint64_t ts)
{
	struct dms_site *figures = &site->figures;

	settle(site);
	while ((ts - figures->first_ts) / figures->bucket_ns >= DMS_SITE_BUCKETS) {
		begin_buckets(figures, DMS_SITE_BUCKETS);
		double_buckets(figures);
	}
	begin_buckets(figures, (ts - figures->first_ts) / figures->bucket_ns + 1);
	site->bucket_end = figures->first_ts + figures->n_buckets * figures->bucket_ns;
}

/* ---- maps ----------------------------------------------------------------------------------- */

/* Enough maps to be worth the memory, and how many of the last different ones are known again. */
#define REMAPS_FROM  64
#define REMAPS_SLOTS 1024

static bool is_remap(struct device_state *state, const struct dms_mapping *mapping)
{
	uint64_t hash;
	uint16_t *tag;
	bool found;

	if (!state->remaps) {
		if (state->n_streamed < REMAPS_FROM)
			return false;
		state->remaps = dms_zalloc(REMAPS_SLOTS * sizeof(*state->remaps));
		if (!state->remaps)
			return false;
	}
	hash = dms_hash64(mapping->cpu_addr + ((uint64_t)mapping->site << 48) +
			  (mapping->size << 20));
	tag = &state->remaps[hash % REMAPS_SLOTS];
	found = *tag == (uint16_t)(hash >> 48);
	*tag = (uint16_t)(hash >> 48);
	return found;
}

static void count_bounce(struct dms_site *figures, enum dms_bounce_reason reason, uint64_t size)
{
	figures->bounced_forced += reason == DMS_BOUNCE_FORCED;
	figures->bounced_mask += reason == DMS_BOUNCE_MASK;
	figures->bounced_other += reason == DMS_BOUNCE_OTHER;
	figures->bounced_bytes += size;
}

/* The device, or a cache that is written back for it, changes what shares a line with its start. */
static bool is_misaligned(const struct dms_model *model, const struct dms_mapping *mapping)
{
	uint64_t starts = mapping->cpu_addr;

	if (mapping->bounced || (mapping->attrs & DMS_ATTR_CACHELINES_OVERLAP))
		return false;
	for (uint32_t i = 0; mapping->sg && i < mapping->sg->n_phys; i++)
		starts |= mapping->sg->phys[i];
	return starts & (model->config.cache_line_bytes - 1);
}

struct dms_error *sites_begin(struct dms_model *model, struct device_state *state,
			      const struct dms_event *event, struct dms_mapping *mapping)
{
	struct site *site = site_for(&model->sites, state, mapping);
	struct dms_site *figures;

	if (!site)
		return &dms_error_nomem;
	figures = &site->figures;
	if (mapping->map_ts >= site->bucket_end)
		roll(site, mapping->map_ts);
	figures->maps++;
	figures->live++;
	if (mapping->size < figures->min_size)
		figures->min_size = mapping->size;
	if (mapping->size > figures->max_size)
		figures->max_size = mapping->size;
	figures->size_bytes += mapping->size;
	if (mapping->map_ts > figures->last_ts)
		figures->last_ts = mapping->map_ts;
	if (!model->sites.has_idle)
		model->sites.has_idle = !event->pid;
	if (mapping->kind != DMS_MAPPING_PAGE && mapping->kind != DMS_MAPPING_SG) {
		if (mapping->kind == DMS_MAPPING_COHERENT)
			figures->small += mapping->size < model->config.page_bytes / 2;
		return NULL;
	}
	if (mapping->bounced) {
		mapping->bounce_reason = state->bounce & 3;
		count_bounce(figures, state->bounce, mapping->size);
	}
	mapping->is_remap = is_remap(state, mapping);
	figures->remaps += mapping->is_remap;
	if (mapping->dir != DMS_DIR_TO_DEVICE && is_misaligned(model, mapping))
		figures->misaligned++;
	return NULL;
}

/* ---- ends and syncs ------------------------------------------------------------------------- */

/* So often handed to the device, a buffer has been used. */
#define USED_SYNCS 4

static void count_unmap(struct dms_site *figures, const struct dms_mapping *mapping,
			const struct dms_event *event)
{
	uint64_t lifetime_ns = event->ts > mapping->map_ts ? event->ts - mapping->map_ts : 0;

	figures->unmapped++;
	figures->lifetimes[log2_of(lifetime_ns)]++;
	if (lifetime_ns > figures->lifetime_max_ns)
		figures->lifetime_max_ns = lifetime_ns;
	if (!(event->attrs & DMS_ATTR_SKIP_CPU_SYNC) || mapping->syncs_for_cpu ||
	    mapping->dir == DMS_DIR_TO_DEVICE)
		return;
	figures->uncopied += mapping->bounced;
	figures->unsynced +=
		mapping->dir == DMS_DIR_FROM_DEVICE && mapping->syncs_for_device >= USED_SYNCS;
}

void sites_end(struct dms_model *model, const struct dms_mapping *mapping,
	       const struct dms_event *event)
{
	struct site *site;

	if (!mapping->site)
		return;
	site = site_at(&model->sites, mapping->site);
	if (model->now >= site->bucket_end)
		roll(site, model->now);
	site->figures.live--;
	if (!event)
		return;
	if (!model->sites.has_idle)
		model->sites.has_idle = !event->pid;
	count_unmap(&site->figures, mapping, event);
}

void sites_sync(struct dms_model *model, const struct dms_mapping *mapping,
		const struct dms_event *event)
{
	bool is_for_cpu =
		event->kind == DMS_EV_SYNC_FOR_CPU || event->kind == DMS_EV_SYNC_SG_FOR_CPU;
	struct dms_site *figures;

	model->sites.has_cpu_sync |= is_for_cpu;
	if (!mapping->site)
		return;
	figures = &site_at(&model->sites, mapping->site)->figures;
	figures->syncs_for_cpu += is_for_cpu;
	figures->syncs_for_device += !is_for_cpu;
}

const struct dms_site *sites_of(const struct dms_model *model, const struct dms_mapping *mapping)
{
	return mapping->site ? &site_at(&model->sites, mapping->site)->figures : NULL;
}

uint32_t dms_model_n_sites(const struct dms_model *model)
{
	return model->sites.n_sites;
}

const struct dms_site *dms_model_site(const struct dms_model *model, uint32_t index)
{
	return &site_at(&model->sites, index + 1)->figures;
}

/* ---- the end of the trace ------------------------------------------------------------------- */

static void count_live(struct dms_model *model, const struct live_mapping *live)
{
	const struct dms_mapping *mapping = &live->mapping, *oldest;
	struct site *site = site_at(&model->sites, mapping->site);
	struct dms_site *figures = &site->figures;

	/* Whoever maps no more has no reason to unmap: what it holds does not age meanwhile. */
	figures->ages[log2_of(figures->last_ts - mapping->map_ts)]++;
	oldest = site->oldest ? &slots_at(&model->slots, site->oldest - 1)->mapping : NULL;
	if (oldest && (oldest->map_ts < mapping->map_ts ||
		       (oldest->map_ts == mapping->map_ts && oldest->serial < mapping->serial)))
		return;
	site->oldest = live->slot + 1;
	figures->age_max_ns = model->now > mapping->map_ts ? model->now - mapping->map_ts : 0;
}

static void survey(struct dms_model *model)
{
	for (uint32_t slot = 0; slot < model->slots.n_blocks * SLOTS_PER_BLOCK; slot++) {
		const struct live_mapping *live = slots_at(&model->slots, slot);

		if (live->mapping.serial && live->mapping.site)
			count_live(model, live);
	}
	for (uint32_t number = 1; number <= model->sites.n_sites; number++) {
		struct site *site = site_at(&model->sites, number);

		if (model->now >= site->bucket_end)
			roll(site, model->now);
		settle(site);
		if (site->figures.kind <= DMS_MAPPING_SG)
			model->devices[site->figures.device]->n_matched += site->figures.unmapped;
	}
}

/* An unmap of more entries than this vanishes (kernel-dma.md fact 8). */
#define VANISHING_ENTRIES 480

/*
 * Unmaps whose maps were not seen. If there are many beside what is live, the live ones may just
 * have taken the places of older ones: a ring of before the trace turns slowly. If they never
 * cease, CPUs or tasks are left out of the trace, and unmaps are missing as well as maps.
 */
static uint32_t stray_doubts(const struct device_state *state, const struct dms_site *figures)
{
	uint64_t n_stray = state->n_released - state->n_matched;
	uint32_t doubts = 0;

	if (n_stray * 4 > figures->live)
		doubts |= DMS_DOUBT_PRE_TRACE;
	if (n_stray * 64 > state->n_matched)
		doubts |= DMS_DOUBT_UNTRACED;
	return doubts;
}

/* What may have hidden unmaps: from the lists' size to a filter of tasks, which leaves no mark. */
static uint32_t doubts_of(const struct dms_model *model, const struct site *site,
			  const struct dms_mapping *oldest)
{
	const struct device_state *state = model->devices[site->figures.device];
	uint32_t doubts = model_may_have_lost(model, 0) ? DMS_DOUBT_LOST_EVENTS : 0;

	if (oldest && oldest->nents > VANISHING_ENTRIES)
		doubts |= DMS_DOUBT_OVERSIZED;
	if (!model->sites.has_idle || (site->figures.unsynced && !model->sites.has_cpu_sync))
		doubts |= DMS_DOUBT_UNTRACED;
	if (site->figures.kind > DMS_MAPPING_SG)
		return doubts;
	doubts |= stray_doubts(state, &site->figures);
	if (model->config.never_elides)
		return doubts;
	if (device_may_elide(state) ||
	    (state->device.mode == DMS_MODE_DIRECT && !site->figures.unmapped))
		doubts |= DMS_DOUBT_ELIDED;
	return doubts;
}

/* So many lives that ended are enough to say that another one is old. */
#define MANY_ENDED 32

/* Lives that a filter of tasks may have hidden the ends of: the rule does not speak. */
static bool is_unjudged(const struct dms_model *model, const struct dms_site *site)
{
	return !model->sites.has_idle && site->live && site->unmapped >= MANY_ENDED;
}

uint32_t dms_model_unjudged_sites(const struct dms_model *model)
{
	return model->sites.n_unjudged;
}

struct dms_error *sites_tell(struct dms_model *model)
{
	struct dms_error *err = NULL;

	survey(model);
	model->sites.has_idle |= model->config.is_whole;
	for (uint32_t number = 1; !err && number <= model->sites.n_sites; number++) {
		const struct site *site = site_at(&model->sites, number);
		struct dms_step step = {
			.kind = DMS_STEP_SITE,
			.device = &model->devices[site->figures.device]->device,
			.site = &site->figures,
			.ts = site->figures.last_ts,
		};

		if (site->oldest)
			step.mapping = &slots_at(&model->slots, site->oldest - 1)->mapping;
		if (step.mapping)
			step.ts = step.mapping->map_ts;
		step.doubts = doubts_of(model, site, step.mapping);
		model->sites.n_unjudged += is_unjudged(model, &site->figures);
		err = model->sink(model->context, &step);
	}
	return err;
}

void sites_deinit(struct sites_state *sites)
{
	for (uint32_t i = 0; i < sites->n_sites; i++)
		dms_free(sites->sites[i]);
	dms_free(sites->sites);
	dms_free(sites->keys);
}

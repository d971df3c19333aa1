// SPDX-License-Identifier: LGPL-2.1-only
/* Rules of call sites: what many mappings together show. */
#include "rows.h"

/* ---- distributions -------------------------------------------------------------------------- */

/* In histograms bucket i counts 2^i to 2^(i+1)-1 ns. */
#define N_BUCKETS 64

static uint64_t upper_ns(unsigned int bucket)
{
	return bucket >= 63 ? UINT64_MAX : 2ull << bucket;
}

/* Above what at most one in @one_in of @total is: the upper end of a bucket. */
static uint64_t quantile_ns(const uint32_t *counts, uint64_t total, uint64_t one_in)
{
	uint64_t above = 0;

	for (unsigned int i = N_BUCKETS; i-- > 0;) {
		above += counts[i];
		if (above * one_in > total)
			return upper_ns(i);
	}
	return 0;
}

/* How many are at least @ns for certain. */
static uint64_t count_from(const uint32_t *counts, uint64_t ns)
{
	uint64_t count = 0;

	for (unsigned int i = N_BUCKETS; i-- > 0 && (1ull << i) >= ns;)
		count += counts[i];
	return count;
}

static void site_facts(const struct dms_site *site, struct dms_facts *facts)
{
	fact_word(facts, "mapped_as", debug_kind_name(site->kind));
	fact_dir(facts, "map_dir", site->dir);
	fact_number(facts, "maps", site->maps);
	if (site->stack != DMS_ID_NONE)
		fact_number(facts, "site_stack_id", (uint64_t)site->stack + 1);
}

/* ---- leaks ---------------------------------------------------------------------------------- */

#define SECOND_NS	 1000000000ull
#define MIN_SPAN_NS	 (10 * SECOND_NS) /* rings, caches and page pools fill within seconds */
#define MIN_SPAN_POOL_NS (60 * SECOND_NS) /* where nothing tells a leak from a pool that grows */
#define MIN_GROWTH	 48
#define MIN_LIVE	 64
#define MIN_ENDED	 64
#define MIN_BUSY	 16 /* time buckets with maps */
#define EIGHTHS		 8

/** The live count by eighths of the site's life: the least of each, which in-flight work lifts. */
struct growth {
	uint64_t least[EIGHTHS], maps[EIGHTHS];
	uint64_t total, ns; /* from the second eighth to the last: the first fills rings */
};

static bool measure(const struct dms_site *site, struct growth *growth)
{
	uint32_t width = site->n_buckets / EIGHTHS, first, n_busy = 0;

	*growth = (struct growth){0};
	if (site->n_buckets < MIN_BUSY || site->n_buckets > DMS_SITE_BUCKETS)
		return false;
	first = site->n_buckets - width * EIGHTHS; /* the earliest ones are left out */
	for (uint32_t i = 0; i < width * EIGHTHS; i++) {
		uint64_t live = site->live_series[first + i];
		uint64_t *least = &growth->least[i / width];

		*least = i % width && *least < live ? *least : live;
		growth->maps[i / width] += site->maps_series[first + i];
	}
	for (uint32_t i = 0; i < site->n_buckets; i++)
		n_busy += site->maps_series[i] != 0;
	if (growth->least[7] <= growth->least[1])
		return false;
	growth->total = growth->least[7] - growth->least[1];
	growth->ns = (EIGHTHS - 2) * width * site->bucket_ns;
	return n_busy >= MIN_BUSY;
}

/*
 * Each eighth begins and ends higher than the one before, by about as much, and with about as many
 * maps: not a ramp of load, not a pool on its way to its size, no plateau.
 */
static bool is_steady(const struct growth *growth)
{
	uint64_t n_maps = 0, steps = EIGHTHS - 2;

	for (unsigned int i = 1; i < EIGHTHS; i++)
		n_maps += growth->maps[i];
	for (unsigned int i = 1; i < EIGHTHS; i++) {
		uint64_t step = growth->least[i] - growth->least[i - 1];
		uint64_t maps = growth->maps[i] * (EIGHTHS - 1);

		if (maps * 3 < n_maps || maps > n_maps * 3)
			return false;
		if (i == 1)
			continue;
		if (growth->least[i] <= growth->least[i - 1] || step * steps * 4 < growth->total ||
		    step * steps > growth->total * 4)
			return false;
	}
	return (growth->least[7] - growth->least[5]) * 6 >= growth->total;
}

/* Most of the maps are undone: then there are lifetimes to compare with. */
static bool has_lifetimes(const struct dms_site *site)
{
	return site->unmapped >= MIN_ENDED && site->unmapped * 2 >= site->maps;
}

/* Far older than all but one in a hundred of those that ended. */
static uint64_t count_old(const struct dms_site *site)
{
	uint64_t usual_ns = quantile_ns(site->lifetimes, site->unmapped, 100);

	return usual_ns > UINT64_MAX / 2 ? 0 : count_from(site->ages, usual_ns * 2);
}

static void age_facts(const struct dms_site *site, struct dms_facts *facts)
{
	uint64_t from_1s = count_from(site->ages, SECOND_NS);
	uint64_t from_17s = count_from(site->ages, 10 * SECOND_NS);
	uint64_t from_137s = count_from(site->ages, 100 * SECOND_NS);

	/* the histogram's own limits: 2^30, 2^34 and 2^37 ns */
	fact_number(facts, "younger_than_1s", site->live - from_1s);
	fact_number(facts, "younger_than_17s", site->live - from_17s);
	fact_number(facts, "younger_than_137s", site->live - from_137s);
	fact_number(facts, "oldest_ms", site->age_max_ns / 1000000);
}

static bool leak_growth(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_site *site = step->site;
	uint64_t span_ns = site->n_buckets * site->bucket_ns, old;
	struct growth growth;

	if (site->live < MIN_LIVE || span_ns < MIN_SPAN_NS || !measure(site, &growth) ||
	    growth.total < MIN_GROWTH || growth.total * 16 < site->live || !is_steady(&growth))
		return false;
	old = has_lifetimes(site) ? count_old(site) : 0;
	if (has_lifetimes(site) ? old * 4 < growth.total * 3
				: span_ns < MIN_SPAN_POOL_NS || (step->doubts & DMS_DOUBT_ELIDED))
		return false;
	site_facts(site, facts);
	fact_number(facts, "unmapped", site->unmapped);
	fact_number(facts, "live", site->live);
	fact_number(facts, "live_before", growth.least[1]);
	fact_number(facts, "live_after", growth.least[7]);
	fact_number(facts, "growth_ms", growth.ns / 1000000);
	fact_number(facts, "growth_per_hour",
		    (uint64_t)((double)growth.total * 3600e9 / (double)growth.ns));
	fact_number(facts, "lifetime_max_us", site->lifetime_max_ns / 1000);
	fact_number(facts, "outlived", old);
	age_facts(site, facts);
	return true;
}

static enum dms_severity leak_grade(const struct dms_step *step)
{
	return has_lifetimes(step->site) ? DMS_SEVERITY_WARNING : DMS_SEVERITY_INFO;
}

/* Ended lives that make a distribution, and how far beyond its longest is remarkable. */
#define MIN_COMPARED 32
#define OUTLIVES     10

static bool live_at_end(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_site *site = step->site;
	const uint32_t hidden = DMS_DOUBT_ELIDED | DMS_DOUBT_LOST_EVENTS | DMS_DOUBT_UNTRACED;
	uint64_t limit_ns, count;

	if (site->unmapped < MIN_COMPARED || !site->live || (step->doubts & hidden) ||
	    __builtin_mul_overflow(site->lifetime_max_ns, OUTLIVES, &limit_ns))
		return false;
	count = count_from(site->ages, limit_ns);
	if (!count)
		return false;
	site_facts(site, facts);
	fact_number(facts, "outlived", count);
	fact_number(facts, "live", site->live);
	fact_number(facts, "unmapped", site->unmapped);
	fact_number(facts, "lifetime_max_us", site->lifetime_max_ns / 1000);
	age_facts(site, facts);
	return true;
}

/* ---- syncs ---------------------------------------------------------------------------------- */

/* Each unsynced mapping has syncs of its own, and bounces make the kernel trace a device's syncs.
 */
#define MIN_UNSYNCED 8

static bool sync_missing(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_site *site = step->site;

	if (site->syncs_for_cpu || (site->unsynced < MIN_UNSYNCED && !site->uncopied))
		return false;
	site_facts(site, facts);
	fact_number(facts, "unsynced", site->unsynced);
	fact_number(facts, "uncopied", site->uncopied);
	fact_number(facts, "syncs_for_device", site->syncs_for_device);
	return true;
}

/* A receive buffer that no packet ever came for is unmapped like this, too. */
static enum dms_severity sync_grade(const struct dms_step *step)
{
	return step->site->unsynced >= MIN_UNSYNCED ? DMS_SEVERITY_WARNING : DMS_SEVERITY_INFO;
}

#define MIN_MISALIGNED 8

static bool misaligned(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_device *device = step->device;
	bool is_noncoherent = device->coherent == 0 || (device->coherent < 0 && device->has_syncs &&
							device->mode == DMS_MODE_DIRECT);

	if (!is_noncoherent || step->site->misaligned < MIN_MISALIGNED)
		return false;
	site_facts(step->site, facts);
	fact_number(facts, "misaligned", step->site->misaligned);
	return true;
}

/* ---- cost ----------------------------------------------------------------------------------- */

#define MIN_BOUNCED 8

static bool bounce_avoidable(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_site *site = step->site;
	uint64_t count = site->bounced_mask + site->bounced_other;

	if (count < MIN_BOUNCED)
		return false;
	site_facts(site, facts);
	fact_number(facts, "bounced", count);
	fact_number(facts, "bounced_percent", count * 100 / site->maps);
	fact_number(facts, "bounced_bytes", site->bounced_bytes);
	fact_word(facts, "because",
		  site->bounced_mask >= site->bounced_other
			  ? "it lies above the device's DMA mask"
			  : "it shares cache lines or pages with other memory");
	if (step->device->dma_mask)
		fact_address(facts, "dma_mask", step->device->dma_mask);
	return true;
}

#define MIN_SMALL	 16
#define MIN_SMALL_DEVICE 64 /* without stacks: of many call sites together */

static bool small_coherent(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_site *site = step->site;

	if (site->small < (site->stack == DMS_ID_NONE ? MIN_SMALL_DEVICE : MIN_SMALL))
		return false;
	site_facts(site, facts);
	fact_number(facts, "small", site->small);
	fact_number(facts, "min_size_bytes", site->min_size);
	fact_number(facts, "max_size_bytes", site->max_size);
	return true;
}

#define MIN_REMAP_MAPS 4096 /* fewer are no hot path */
#define REMAP_PERCENT  90
#define SHORT_LIFE_NS  16777216ull /* half of the lives are shorter */

static bool hot_remap(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_site *site = step->site;
	uint64_t median_ns = quantile_ns(site->lifetimes, site->unmapped, 2);

	if (site->maps < MIN_REMAP_MAPS || site->remaps * 100 < site->maps * REMAP_PERCENT ||
	    site->unmapped * 100 < site->maps * REMAP_PERCENT || median_ns > SHORT_LIFE_NS)
		return false;
	site_facts(site, facts);
	fact_number(facts, "remaps", site->remaps);
	fact_number(facts, "median_us_below", median_ns / 1000 + 1);
	fact_number(facts, "min_size_bytes", site->min_size);
	fact_number(facts, "max_size_bytes", site->max_size);
	return true;
}

const struct dms_rule dms_rules_site[] = {
	{
		.id = "leak-growth",
		.severity = DMS_SEVERITY_WARNING,
		.title = "the mappings of one call site keep growing in number",
		.message = "mappings made by one call site grow in number: {live_before} to "
			   "{live_after} in {growth_ms} ms [maps={maps}] [unmapped={unmapped}] "
			   "[mapped with {map_dir}] [mapped as {mapped_as}] [oldest={oldest_ms} "
			   "ms]",
		.on = ON(SITE),
		.beside = DMS_DOUBT_TRUNCATED,
		.always = DMS_DOUBT_PATTERN,
		.grade = leak_grade,
		.check = leak_growth,
		.cause = "Some path, often one of errors or timeouts, returns without unmapping "
			 "what was mapped.",
		.cure = "Look for the way out of this call site's request that skips the unmap or "
			"the free.",
		.limits = "Told after ten seconds of steady load, when what stays is far older "
			  "than other lives of the site. Where most maps stay it is information: "
			  "a growing pool looks the same. A recording filtered by CPU or task may "
			  "lack unmaps, and so may kernels that let drivers skip them.",
		.source = "Documentation/core-api/dma-api-howto.rst: every "
			  "dma_map_{page,single}() has its dma_unmap_{page,single}()",
	},
	{
		.id = "live-at-end",
		.severity = DMS_SEVERITY_INFO,
		.title = "mappings outlive all others of their call site",
		.message = "{outlived} mappings of one call site live on, ten times as old as the "
			   "longest of {unmapped} that ended [longest={lifetime_max_us} us] "
			   "[oldest={oldest_ms} ms] [mapped with {map_dir}] [mapped as "
			   "{mapped_as}]",
		.on = ON(SITE),
		.yields_to = "leak-growth",
		.beside = DMS_DOUBT_TRUNCATED | DMS_DOUBT_PRE_TRACE,
		.always = DMS_DOUBT_PATTERN,
		.check = live_at_end,
		.cause = "A request or buffer was forgotten, or waits for a device that never "
			 "answers.",
		.cure = "Look at the oldest one's map: what was to unmap it?",
		.limits = "Buffers of an idle queue, posted by the same code as those of a busy "
			  "one, look the same. Not told where unmaps may be skipped, or events "
			  "were lost.",
		.source = "Documentation/core-api/dma-api-howto.rst: the mapping must be undone",
	},
	{
		.id = "sync-missing",
		.severity = DMS_SEVERITY_WARNING,
		.title = "device driver never syncs for the CPU what the device wrote",
		.message = "{unsynced} mappings of one call site were handed to the device again "
			   "and again, never to the CPU, and unmapped without a sync "
			   "[maps={maps}] [bounced ones never copied back={uncopied}] [mapped "
			   "with {map_dir}] [mapped as {mapped_as}]",
		.on = ON(SITE),
		.beside = DMS_DOUBT_ELIDED | DMS_DOUBT_OVERSIZED | DMS_DOUBT_TRUNCATED |
			  DMS_DOUBT_PRE_TRACE,
		.always = DMS_DOUBT_PATTERN,
		.inputs = DMS_INPUT_SYNCS,
		.grade = sync_grade,
		.check = sync_missing,
		.cause = "The driver reads received data without dma_sync_single_for_cpu(), and "
			 "unmaps with DMA_ATTR_SKIP_CPU_SYNC, which does not sync either.",
		.cure = "Sync for the CPU before reading, or unmap without DMA_ATTR_SKIP_CPU_SYNC.",
		.limits = "Judged only where syncs are events: on devices that are not "
			  "cache-coherent, or have bounced. Bounced memory alone is information: "
			  "a buffer the device never filled is given back in the same way.",
		.source = "Documentation/core-api/dma-attributes.rst: DMA_ATTR_SKIP_CPU_SYNC; "
			  "Documentation/core-api/dma-api.rst: dma_sync_single_for_cpu()",
	},
	{
		.id = "cacheline-misaligned",
		.severity = DMS_SEVERITY_INFO,
		.title = "device driver maps memory that begins inside a cache line",
		.message = "{misaligned} of {maps} maps of one call site begin inside a cache "
			   "line [mapped with {map_dir}] [mapped as {mapped_as}]",
		.on = ON(SITE),
		.beside = ALL_DOUBTS,
		.always = DMS_DOUBT_PATTERN,
		.inputs = DMS_INPUT_COHERENCY | DMS_INPUT_SYNCS,
		.check = misaligned,
		.cause =
			"The buffer is part of a larger structure, or was moved on by a few bytes.",
		.cure = "Allocate it on its own, or mark its first member "
			"__dma_from_device_group_begin() or ____cacheline_aligned.",
		.limits = "Harmless where the CPU leaves what lies before it in the line alone "
			  "while it is mapped, as network drivers do with headroom. An end inside "
			  "a line is not told: it is mostly followed by padding. Whether a device "
			  "is coherent is inferred from its syncs unless an inventory tells.",
		.source = "Documentation/core-api/dma-api.rst: memory must begin and end on a "
			  "cache line",
	},
	{
		.id = "bounce-avoidable",
		.severity = DMS_SEVERITY_INFO,
		.title = "memory is copied through swiotlb, which the driver could avoid",
		.message = "{bounced} of {maps} maps of one call site ({bounced_percent} %, "
			   "{bounced_bytes} bytes) went through swiotlb: {because} [mapped with "
			   "{map_dir}] [mapped as {mapped_as}]",
		.on = ON(SITE),
		.beside = ALL_DOUBTS,
		.always = DMS_DOUBT_PATTERN,
		.inputs = DMS_INPUT_BOUNCES,
		.check = bounce_avoidable,
		.cause = "The device's mask is smaller than the machine's memory, or the memory "
			 "is too small or too badly aligned to be handed to the device by itself.",
		.cure = "Set the widest mask the device has with dma_set_mask_and_coherent(); "
			"allocate buffers below the mask, on their own, as multiples of a cache "
			"line.",
		.limits = "An untrusted (external) device bounces pages it gets only in part "
			  "whatever its driver does. swiotlb=force and confidential guests are "
			  "not told.",
		.source = "include/trace/events/swiotlb.h; kernel/dma/direct.h "
			  "dma_direct_map_phys(); Documentation/core-api/swiotlb.rst",
	},
	{
		.id = "small-coherent-alloc",
		.severity = DMS_SEVERITY_INFO,
		.title = "coherent memory is allocated in small pieces",
		.message = "{small} of {maps} coherent allocations of one call site take less "
			   "than half of the page each gets [smallest={min_size_bytes} bytes] "
			   "[largest={max_size_bytes} bytes]",
		.on = ON(SITE),
		.beside = ALL_DOUBTS,
		.always = DMS_DOUBT_PATTERN,
		.check = small_coherent,
		.cause = "dma_alloc_coherent() hands out whole pages.",
		.cure = "Use a dma_pool, or one allocation cut into pieces.",
		.limits = "Without call stacks all coherent allocations of a device count as one "
			  "site.",
		.source = "Documentation/core-api/dma-api.rst part Ib: small DMA buffers, dma_pool",
	},
	{
		.id = "hot-remap",
		.severity = DMS_SEVERITY_INFO,
		.title = "the same memory is mapped and unmapped again and again",
		.message = "{remaps} of {maps} maps of one call site were of memory it had mapped "
			   "before in the same way; half of them lived less than "
			   "{median_us_below} us [mapped with {map_dir}] [mapped as {mapped_as}]",
		.on = ON(SITE),
		.beside = ALL_DOUBTS,
		.always = DMS_DOUBT_PATTERN,
		.check = hot_remap,
		.cause = "Buffers that are used again and again are mapped for each use.",
		.cure = "Keep them mapped and use dma_sync_single_for_cpu() and _for_device(); "
			"for receive buffers of a network device, a page_pool: as many pairs of "
			"map and unmap are saved.",
		.limits = "Said of call sites with 4096 maps or more, 90 % of them of memory mapped "
			  "before, 90 % unmapped again, and half of them within 17 ms; query "
			  "hot-remap tells of the others. "
			  "Memory of others (page cache, socket buffers) comes back by chance, "
			  "and then only its owner could keep it mapped. Of each device some 1000 "
			  "addresses are remembered.",
		.source = "Documentation/core-api/dma-api-howto.rst: syncing instead of mapping "
			  "again",
	},
};
const size_t dms_n_rules_site = DMS_ARRAY_SIZE(dms_rules_site);

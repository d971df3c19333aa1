// SPDX-License-Identifier: GPL-2.0-only
/* The workload: devices that map, sync and unmap as healthy drivers do, in one time order. */
#include "tracegen.h"

#include <stdio.h>
#include <string.h>

#define PAGE_BYTES	4096u
#define SLOT_BYTES	(2ull << 20) /* one mapping's memory: no two live ones ever overlap */
#define SLOT_PAGES	512u
#define PHYS_BASE	(4ull << 30)
#define MMIO_BASE	(1ull << 46)
#define IOVA_TOP	(1ull << 47)
#define LINEAR_BASE	0xffff888000000000ULL
#define SEGMENT_MAX	65536u /* what dma-iommu merges up to, by default */
#define MAPPING_ERROR	UINT64_MAX
#define GFP_KERNEL_BITS 0xcc0u
#define ATTR_WEAK	(1ull << 1)
#define ATTR_SKIP_SYNC	(1ull << 5)
#define ATTR_MMIO	(1ull << 10)
#define FLAG_SOFTIRQ	0x10
#define DIR_BIDIRECTIONAL 0
#define DIR_TO		1
#define DIR_FROM	2
#define NO_SLOT		UINT32_MAX

/* A live mapping. A list is not kept but made again from its seed. */
struct mapping {
	uint64_t phys, dma, attrs, size;
	uint32_t seed, slot;
	uint16_t nents;
	uint8_t family, dir;
};

struct device {
	char name[24];
	bool iommu;
	uint32_t number, driver;
	uint64_t n_live, n_free, n_fresh, n_leaked;
	struct mapping *live;
	uint32_t *free_slots;
	uint16_t *users; /* mappings of each slot: legal duplicates share one */
};

struct tg_work {
	const struct tg_config *config;
	const struct tg_formats *formats;
	struct tg_ring *ring;
	struct tg_work_totals totals;
	struct device *devices;
	uint64_t n_slots; /* of a device, without those leaked */
	uint64_t random, now_ns, next_leak;
	uint32_t mix_total, cpu, pid, context;
	uint64_t phys_list[TG_LISTS_MAX], dma_list[TG_LISTS_MAX];
	uint32_t lengths[TG_LISTS_MAX], total_ents;
};

struct tg_work *tg_work_create(const struct tg_config *config, const struct tg_formats *formats,
			       struct tg_ring *ring)
{
	struct tg_work *w = tg_alloc(sizeof(*w));

	w->config = config;
	w->formats = formats;
	w->ring = ring;
	w->random = (config->seed + 1) * 0xd1342543de82ef95ULL | 1;
	w->now_ns = 55ull * 1000000000;
	w->n_slots = config->live + config->live / 8 + 64;
	w->next_leak = config->leak ? config->events / (config->leak + 1) : 0;
	for (int i = 0; i < TG_N_FAMILIES; i++)
		w->mix_total += config->mix[i];
	w->devices = tg_alloc(config->devices * sizeof(*w->devices));
	for (uint32_t i = 0; i < config->devices; i++) {
		struct device *d = &w->devices[i];

		snprintf(d->name, sizeof(d->name), "0000:%02x:%02x.%u", i / 256, i / 8 % 32, i % 8);
		d->number = i;
		d->driver = i % TG_DRIVERS;
		d->iommu = config->mode == TG_IOMMU || (config->mode == TG_MIXED && i % 2);
		d->live = tg_alloc(w->n_slots * sizeof(*d->live));
		d->free_slots = tg_alloc(w->n_slots * sizeof(*d->free_slots));
		d->users = tg_alloc(w->n_slots * sizeof(*d->users));
	}
	return w;
}

void tg_work_destroy(struct tg_work *work)
{
	if (!work)
		return;
	for (uint32_t i = 0; i < work->config->devices; i++) {
		tg_free(work->devices[i].live);
		tg_free(work->devices[i].free_slots);
		tg_free(work->devices[i].users);
	}
	tg_free(work->devices);
	tg_free(work);
}

static uint32_t below(struct tg_work *w, uint32_t limit)
{
	return tg_below(&w->random, limit);
}

/* ---- writing events ---- */

static void tick(struct tg_work *w)
{
	w->now_ns += 1 + below(w, (uint32_t)w->config->mean_gap_ns * 2);
	if (!w->totals.first_ns)
		w->totals.first_ns = w->now_ns;
	w->totals.last_ns = w->now_ns;
}

static void put_event(struct tg_work *w, const struct tg_event *event)
{
	const struct tg_desc *desc = &w->formats->desc[event->tp];
	uint8_t *to = tg_ring_reserve(w->ring, w->cpu, w->now_ns, tg_event_size(desc, event),
				      event);

	if (to) /* the kernel too drops what does not fit a page, and says nothing */
		tg_event_encode(desc, event, to, w->config->big_endian);
}

static void put_stack(struct tg_work *w, const struct tg_event *cause, const struct device *d,
		      enum tg_family family, bool unmap)
{
	uint64_t callers[TG_STACK_MAX];
	struct tg_event event = { .tp = TG_TP_STACK, .pid = cause->pid, .flags = cause->flags,
				  .preempt_count = cause->preempt_count };

	event.n_phys = w->config->distinct
			       ? tg_stack_number(w->totals.dma_events % w->config->distinct, callers)
			       : tg_stack_fill(d->driver, family, unmap,
					       cause->flags ? 0 : w->context, callers);
	event.phys_list = callers;
	w->totals.last_ns = w->now_ns += 30;
	put_event(w, &event);
}

/* Fills in who, when and where, writes, and adds the stack. */
static void emit(struct tg_work *w, const struct device *d, const struct mapping *m,
		 struct tg_event *event, bool unmap)
{
	/* allocations and frees are for process context; maps may come from a softirq */
	bool softirq = m->family <= TG_SG && w->context == 0;

	if (!w->formats->have[event->tp])
		return;
	tick(w);
	event->pid = softirq && w->pid % 4 == 0 ? 0 : w->pid;
	event->flags = softirq ? FLAG_SOFTIRQ : 0;
	event->preempt_count = softirq ? 1 : 0;
	event->device = d->name;
	event->device_size = (uint32_t)strlen(d->name) + 1;
	put_event(w, event);
	w->totals.dma_events++;
	if (w->config->stacks)
		put_stack(w, event, d, (enum tg_family)m->family, unmap);
}

/* ---- lists ---- */

/* The same mapping gives the same list. An odd stride walks the slot's pages without return. */
static void build_list(struct tg_work *w, const struct device *d, const struct mapping *m)
{
	bool straight = d->iommu && w->config->iommu_events;
	uint32_t stride = straight ? 1 : (m->seed & 0xff) | 1;
	uint32_t start = straight ? 0 : m->seed >> 8 & (SLOT_PAGES - 1);
	uint32_t first = m->family == TG_SG ? (m->seed >> 17 & 7) * 512 : 0;
	uint64_t slot = m->phys & ~(SLOT_BYTES - 1);

	for (uint32_t i = 0; i < m->nents; i++) {
		uint32_t page = (i * stride + start) & (SLOT_PAGES - 1);

		w->phys_list[i] = slot + (uint64_t)page * PAGE_BYTES + (i ? 0 : first);
		w->lengths[i] = PAGE_BYTES - (i ? 0 : first);
	}
	if (m->nents > 1 && m->family == TG_SG)
		w->lengths[m->nents - 1] = 512 * (1 + (m->seed >> 20 & 7));
}

static uint64_t list_bytes(const struct tg_work *w, uint32_t nents)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < nents; i++)
		bytes += w->lengths[i];
	return bytes;
}

/* The device's view: direct is the list itself; an IOMMU makes it one run, cut at 64 KiB. */
static void map_list(struct tg_work *w, const struct device *d, const struct mapping *m)
{
	uint64_t left = m->size;

	w->total_ents = m->nents;
	if (!d->iommu) {
		memcpy(w->dma_list, w->phys_list, m->nents * sizeof(*w->dma_list));
		return;
	}
	for (w->total_ents = 0; left; w->total_ents++) {
		uint32_t length = left < SEGMENT_MAX ? (uint32_t)left : SEGMENT_MAX;

		w->dma_list[w->total_ents] = m->dma + m->size - left;
		w->lengths[w->total_ents] = length;
		left -= length;
	}
}

/* ---- one function per event of a mapping's life ---- */

static struct tg_event event_of(const struct mapping *m, enum tg_tp tp)
{
	struct tg_event event = { .tp = tp };

	event.scalar[TG_F_PHYS] = m->phys;
	event.scalar[TG_F_DMA] = m->dma;
	event.scalar[TG_F_VIRT] = m->dma == MAPPING_ERROR ? 0 : LINEAR_BASE + m->phys;
	event.scalar[TG_F_SIZE] = m->size;
	event.scalar[TG_F_DIR] = m->dir;
	event.scalar[TG_F_ATTRS] = m->attrs;
	event.scalar[TG_F_GFP] = GFP_KERNEL_BITS;
	return event;
}

static void emit_iommu(struct tg_work *w, const struct device *d, const struct mapping *m,
		       bool unmap)
{
	struct tg_event event = event_of(m, unmap ? TG_TP_IOMMU_UNMAP : TG_TP_IOMMU_MAP);
	uint64_t offset = m->dma & (PAGE_BYTES - 1);
	uint64_t size = (offset + m->size + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);

	if (!d->iommu || !w->config->iommu_events || m->dma == MAPPING_ERROR)
		return;
	event.scalar[TG_F_DMA] -= offset;
	event.scalar[TG_F_PHYS] &= ~(uint64_t)(PAGE_BYTES - 1);
	event.scalar[TG_F_SIZE] = event.scalar[TG_F_UNMAPPED] = size;
	emit(w, d, m, &event, unmap);
}

static void emit_map_sg(struct tg_work *w, const struct device *d, const struct mapping *m)
{
	struct tg_event event = event_of(m, TG_TP_MAP_SG);

	build_list(w, d, m);
	map_list(w, d, m);
	event.n_phys = m->nents < TG_TRACE_CAP ? m->nents : TG_TRACE_CAP;
	event.n_dma = w->total_ents < TG_TRACE_CAP ? w->total_ents : TG_TRACE_CAP;
	event.phys_list = w->phys_list;
	event.dma_list = w->dma_list;
	event.lengths = w->lengths;
	event.scalar[TG_F_NENTS] = m->nents;
	event.scalar[TG_F_ENTS] = w->total_ents;
	event.scalar[TG_F_TRUNCATED] = m->nents > TG_TRACE_CAP || w->total_ents > TG_TRACE_CAP;
	emit(w, d, m, &event, false);
}

/* Unmap of a list, and both ends of noncontiguous memory: the physical list, uncut. */
static void emit_phys_list(struct tg_work *w, const struct device *d, const struct mapping *m,
			   enum tg_tp tp)
{
	struct tg_event event = event_of(m, tp);

	build_list(w, d, m);
	event.n_phys = m->nents;
	event.phys_list = w->phys_list;
	emit(w, d, m, &event, tp != TG_TP_ALLOC_SGT);
}

static void emit_single(struct tg_work *w, const struct device *d, const struct mapping *m,
			enum tg_tp tp, bool unmap)
{
	struct tg_event event = event_of(m, tp);

	/* 7.2 knows no resource events: the attribute tells */
	if (m->family == TG_RESOURCE && !w->formats->have[TG_TP_MAP_RESOURCE]) {
		event.tp = unmap ? TG_TP_UNMAP : TG_TP_MAP;
		event.scalar[TG_F_ATTRS] |= ATTR_MMIO;
	}
	if (m->dma == MAPPING_ERROR && m->family >= TG_COHERENT)
		event.scalar[TG_F_DMA] = 0; /* as 7.2.8 on does for a failed allocation */
	emit(w, d, m, &event, unmap);
}

static const struct family_row {
	enum tg_tp map, unmap;
} family_rows[TG_N_FAMILIES] = {
	[TG_PAGE] = { TG_TP_MAP, TG_TP_UNMAP },
	[TG_RESOURCE] = { TG_TP_MAP_RESOURCE, TG_TP_UNMAP_RESOURCE },
	[TG_SG] = { TG_TP_MAP_SG, TG_TP_UNMAP_SG },
	[TG_COHERENT] = { TG_TP_ALLOC, TG_TP_FREE },
	[TG_PAGES] = { TG_TP_ALLOC_PAGES, TG_TP_FREE_PAGES },
	[TG_NONCONTIG] = { TG_TP_ALLOC_SGT, TG_TP_FREE_SGT },
};

static void emit_map(struct tg_work *w, const struct device *d, const struct mapping *m)
{
	w->totals.maps += m->dma != MAPPING_ERROR;
	emit_iommu(w, d, m, false);
	if (m->dma == MAPPING_ERROR && m->family == TG_NONCONTIG)
		emit_single(w, d, m, TG_TP_ALLOC_SGT_ERR, false);
	else if (m->family == TG_SG)
		emit_map_sg(w, d, m);
	else if (m->family == TG_NONCONTIG)
		emit_phys_list(w, d, m, TG_TP_ALLOC_SGT);
	else
		emit_single(w, d, m, family_rows[m->family].map, false);
}

/* Streaming unmaps of one address are logged after the unmap, all others before. */
static void emit_unmap(struct tg_work *w, const struct device *d, const struct mapping *m)
{
	bool list = m->family == TG_SG || m->family == TG_NONCONTIG;
	bool after = m->family <= TG_RESOURCE;

	w->totals.unmaps++;
	if (after)
		emit_iommu(w, d, m, true);
	if (list)
		emit_phys_list(w, d, m, family_rows[m->family].unmap);
	else
		emit_single(w, d, m, family_rows[m->family].unmap, true);
	if (!after)
		emit_iommu(w, d, m, true);
}

/* @part: bytes, from the start of the mapping. */
static void emit_sync(struct tg_work *w, const struct device *d, const struct mapping *m,
		      bool for_cpu, uint64_t part)
{
	struct tg_event event = event_of(m, for_cpu ? TG_TP_SYNC_CPU : TG_TP_SYNC_DEVICE);

	w->totals.syncs++;
	event.scalar[TG_F_SIZE] = part;
	if (m->family == TG_SG) {
		event.tp = for_cpu ? TG_TP_SYNC_SG_CPU : TG_TP_SYNC_SG_DEVICE;
		build_list(w, d, m);
		map_list(w, d, m);
		/* segments behind the mapped ones read all-ones and 0 */
		for (uint32_t i = w->total_ents; i < m->nents; i++) {
			w->dma_list[i] = MAPPING_ERROR;
			w->lengths[i] = 0;
		}
		event.n_dma = m->nents;
		event.dma_list = w->dma_list;
		event.lengths = w->lengths;
	}
	emit(w, d, m, &event, for_cpu);
}

/* ---- making a mapping ---- */

static uint32_t slot_take(struct tg_work *w, struct device *d, bool leak)
{
	if (leak)
		return (uint32_t)(w->n_slots + d->n_leaked++);
	if (d->n_free)
		return d->free_slots[--d->n_free];
	return d->n_fresh < w->n_slots ? (uint32_t)d->n_fresh++ : NO_SLOT;
}

static void slot_drop(struct device *d, uint32_t slot)
{
	if (--d->users[slot] == 0)
		d->free_slots[d->n_free++] = slot;
}

static uint16_t pick_nents(struct tg_work *w)
{
	uint32_t dice = below(w, 100);

	if (dice < 30)
		return 1;
	if (dice < 75)
		return (uint16_t)(2 + below(w, 7));
	if (dice < 95)
		return (uint16_t)(9 + below(w, 56));
	if (dice < 99)
		return (uint16_t)(65 + below(w, 64));
	return (uint16_t)(129 + below(w, TG_LISTS_MAX - 128));
}

static uint64_t pick_size(struct tg_work *w, enum tg_family family)
{
	static const uint16_t usual[] = { 64, 1536, 2048, 4096, 4096, 4096, 16384 };

	if (family == TG_COHERENT)
		return (uint64_t)PAGE_BYTES << below(w, 5);
	if (family == TG_RESOURCE)
		return (uint64_t)PAGE_BYTES << below(w, 4);
	if (below(w, 4) == 0)
		return 60 + below(w, 1460);
	return usual[below(w, sizeof(usual) / sizeof(*usual))];
}

static void place(struct tg_work *w, const struct device *d, struct mapping *m)
{
	uint64_t base = m->family == TG_RESOURCE ? MMIO_BASE : PHYS_BASE;
	uint64_t slots = w->n_slots + w->config->leak;
	uint32_t page = below(w, SLOT_PAGES / 2 - 16) + SLOT_PAGES / 2 * below(w, 2);
	bool list = m->family == TG_SG || (m->family == TG_NONCONTIG && d->iommu);

	m->phys = base + (d->number * slots + m->slot) * SLOT_BYTES;
	if (list) {
		build_list(w, d, m);
		m->phys = w->phys_list[0];
		m->size = list_bytes(w, m->nents);
	} else {
		m->phys += (uint64_t)page * PAGE_BYTES;
		if (m->family == TG_PAGE)
			m->phys += 64ull * below(w, 32);
	}
	m->dma = m->phys;
	if (d->iommu)
		m->dma = IOVA_TOP - (m->slot + 1) * SLOT_BYTES + (m->phys & (PAGE_BYTES - 1));
}

static enum tg_family pick_family(struct tg_work *w)
{
	uint32_t dice = below(w, w->mix_total);
	int family = 0;

	while (dice >= w->config->mix[family])
		dice -= w->config->mix[family++];
	return (enum tg_family)family;
}

static void make(struct tg_work *w, const struct device *d, enum tg_family family,
		 struct mapping *m)
{
	*m = (struct mapping){ .family = (uint8_t)family, .slot = m->slot, .nents = 1 };
	m->seed = (uint32_t)tg_random(&w->random);
	m->dir = family == TG_COHERENT ? DIR_BIDIRECTIONAL : (uint8_t)(DIR_TO + below(w, 2));
	if (family == TG_PAGE && below(w, 16) == 0)
		m->dir = DIR_BIDIRECTIONAL;
	m->size = pick_size(w, family);
	if (family == TG_SG)
		m->nents = pick_nents(w);
	if (family == TG_NONCONTIG && d->iommu)
		m->nents = (uint16_t)(1 + below(w, 64));
	else if (family == TG_NONCONTIG)
		m->size = (uint64_t)PAGE_BYTES << below(w, 5);
	/* a page pool's receive buffers: mapped once, synced by hand */
	if (family == TG_PAGE && m->dir == DIR_FROM && below(w, 4) == 0)
		m->attrs = ATTR_WEAK | ATTR_SKIP_SYNC;
	place(w, d, m);
	if (family == TG_NONCONTIG && !d->iommu) /* one block: the list's only entry */
		m->phys = m->dma = m->phys & ~(SLOT_BYTES - 1);
}

/* ---- what a driver does next ---- */

/* In direct mode a buffer that only the CPU writes may be mapped by two requests at once. */
static bool try_duplicate(struct tg_work *w, struct device *d)
{
	struct mapping m;

	if (d->iommu || !d->n_live || !tg_chance(&w->random, w->config->duplicate_ppm))
		return false;
	m = d->live[below(w, (uint32_t)d->n_live)];
	if (m.family != TG_PAGE || m.dir != DIR_TO)
		return false;
	d->users[m.slot]++;
	d->live[d->n_live++] = m;
	w->totals.duplicates++;
	emit_map(w, d, &m);
	return true;
}

static void do_map(struct tg_work *w, struct device *d)
{
	bool leak = w->next_leak && w->totals.leaked < w->config->leak &&
		    w->totals.dma_events >= w->next_leak * (w->totals.leaked + 1);
	struct mapping m = { .slot = NO_SLOT };

	if (try_duplicate(w, d))
		return;
	m.slot = slot_take(w, d, leak);
	if (m.slot == NO_SLOT)
		return;
	make(w, d, leak ? TG_PAGE : pick_family(w), &m);
	if (!leak && tg_chance(&w->random, w->config->fail_ppm)) {
		d->free_slots[d->n_free++] = m.slot;
		m.dma = MAPPING_ERROR;
		if (m.family == TG_SG)
			return; /* the kernel logs no failed list */
		w->totals.failed++;
		emit_map(w, d, &m);
		return;
	}
	emit_map(w, d, &m);
	if (w->config->syncs && m.attrs & ATTR_SKIP_SYNC)
		emit_sync(w, d, &m, false, m.size);
	if (leak) {
		w->totals.leaked++;
		return;
	}
	d->users[m.slot] = 1;
	d->live[d->n_live++] = m;
}

/* The address is free before its unmap is logged: another CPU's map may come first. */
static bool try_reorder(struct tg_work *w, struct device *d, struct mapping *m)
{
	struct mapping next = *m;
	uint32_t cpu = w->cpu;

	if (!d->iommu || m->family != TG_PAGE || !tg_chance(&w->random, w->config->reorder_ppm))
		return false;
	next.phys ^= SLOT_BYTES / 2; /* other memory, same IOVA */
	emit_iommu(w, d, m, true);
	w->cpu = (w->cpu + 1) % w->config->cpus;
	emit_map(w, d, &next);
	w->cpu = cpu;
	w->totals.unmaps++;
	emit_single(w, d, m, TG_TP_UNMAP, true);
	*m = next;
	return true;
}

static void do_unmap(struct tg_work *w, struct device *d)
{
	uint32_t index = below(w, (uint32_t)d->n_live);
	uint32_t cpu = w->cpu;
	struct mapping m;

	/* allocations live longer than streaming mappings */
	for (int i = 0; i < 3 && d->live[index].family >= TG_COHERENT; i++)
		index = below(w, (uint32_t)d->n_live);
	if (below(w, 3) == 0)
		w->cpu = below(w, w->config->cpus);
	m = d->live[index];
	if (w->config->syncs && m.attrs & ATTR_SKIP_SYNC)
		emit_sync(w, d, &m, true, m.size);
	if (!try_reorder(w, d, &d->live[index])) {
		emit_unmap(w, d, &m);
		d->live[index] = d->live[--d->n_live];
		slot_drop(d, m.slot);
	}
	w->cpu = cpu;
}

/* What the device may write is taken over and handed back; what it reads is only handed over. */
static void do_sync(struct tg_work *w, struct device *d)
{
	const struct mapping *m = &d->live[below(w, (uint32_t)d->n_live)];
	uint64_t part = m->size > 128 && below(w, 2) ? m->size / 2 : m->size;

	if (m->family != TG_PAGE && m->family != TG_SG)
		return;
	if (m->dir != DIR_TO)
		emit_sync(w, d, m, true, part);
	emit_sync(w, d, m, false, part);
}

static void step(struct tg_work *w, struct device *d)
{
	uint64_t target = w->config->live;
	uint32_t map_share = d->n_live < target ? 72 : d->n_live > target ? 40 : 50;

	if (w->config->syncs && d->n_live && below(w, 4) == 0)
		do_sync(w, d);
	else if (!d->n_live || (d->n_live < w->n_slots - 8 && below(w, 100) < map_share))
		do_map(w, d);
	else
		do_unmap(w, d);
}

/* A driver runs for a few operations at once, mostly on its own CPUs. */
static void burst(struct tg_work *w)
{
	struct device *d = &w->devices[below(w, w->config->devices)];
	uint32_t n = 1 + below(w, 12);

	w->cpu = below(w, 4) ? d->number * 3 % w->config->cpus : below(w, w->config->cpus);
	w->pid = 100 + below(w, 32);
	w->context = below(w, 4);
	if (below(w, 8192) == 0)
		w->now_ns += 150000000 + below(w, 300000000); /* needs a time extend */
	while (n-- && w->totals.dma_events < w->config->events)
		step(w, d);
}

void tg_work_run(struct tg_work *work, struct tg_work_totals *ret)
{
	while (work->totals.dma_events < work->config->events)
		burst(work);
	for (uint32_t i = 0; i < work->config->devices; i++) {
		while (work->config->drain && work->devices[i].n_live)
			do_unmap(work, &work->devices[i]);
		work->totals.live += work->devices[i].n_live;
	}
	work->totals.live += work->totals.leaked;
	*ret = work->totals;
}

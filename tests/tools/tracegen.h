/* SPDX-License-Identifier: GPL-2.0-only */
/* The trace generator's rooms: options, formats, ring buffer, stacks, workload, containers. */
#ifndef TRACEGEN_H
#define TRACEGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TG_CPUS_MAX    512
#define TG_DEVICES_MAX 512
#define TG_LISTS_MAX   480 /* segments: the unmap of more does not fit a 4 KiB page */
#define TG_TRACE_CAP   128 /* DMA_TRACE_MAX_ENTRIES, kernel include/trace/events/dma.h */

/* ---- tracegen.c: what the user asked for ---- */

enum tg_family { TG_PAGE, TG_RESOURCE, TG_SG, TG_COHERENT, TG_PAGES, TG_NONCONTIG, TG_N_FAMILIES };
enum tg_mode { TG_DIRECT, TG_IOMMU, TG_MIXED };

/** Options. Rates are in parts per million. */
struct tg_config {
	const char *output;
	const char *formats; /* folder with <system>/<event>.format and header_event */
	const char *kernel;  /* "7.2" or "6.12": names the formats folder and uname */
	const char *clock;
	uint64_t seed, events, live, leak;
	uint64_t distinct; /* call stacks; 0: as few as a driver has */
	uint64_t lost_ppm, reorder_ppm, fail_ppm, duplicate_ppm, discard_ppm;
	uint64_t mean_gap_ns; /* between two events, over all CPUs */
	uint32_t cpus, devices, page_size, version;
	uint32_t mix[TG_N_FAMILIES]; /* weights */
	enum tg_mode mode;
	bool zstd, big_endian, stacks, syncs, iommu_events, drain;
	bool perf; /* a perf.data is wanted, not a trace.dat */
};

/** Say why and exit with status 2; the generator has no way to go on half-way. */
void tg_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void *tg_alloc(size_t size_bytes); /* zeroed; dies */
void tg_free(void *memory);
void *tg_realloc(void *memory, size_t size_bytes);

/* Marsaglia's xorshift64*: the same on every machine, which rand() is not. */
static inline uint64_t tg_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

static inline uint32_t tg_below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)(((tg_random(state) >> 32) * limit) >> 32);
}

/** True @ppm times in a million. */
static inline bool tg_chance(uint64_t *state, uint64_t ppm)
{
	return ppm && tg_below(state, 1000000) < ppm;
}

/** Write the low @size bytes of @value in the trace's byte order. */
static inline void tg_put(void *to, unsigned int size, uint64_t value, bool big_endian)
{
	bool swap = big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	uint64_t v8 = swap ? __builtin_bswap64(value) : value;
	uint32_t v4 = swap ? __builtin_bswap32((uint32_t)value) : (uint32_t)value;
	uint16_t v2 = swap ? __builtin_bswap16((uint16_t)value) : (uint16_t)value;
	uint8_t v1 = (uint8_t)value;

	__builtin_memcpy(to,
			 size == 8   ? (void *)&v8
			 : size == 4 ? (void *)&v4
			 : size == 2 ? (void *)&v2
				     : (void *)&v1,
			 size);
}

/* ---- tracegen_buf.c: a growing piece of file ---- */

struct tg_buf {
	uint8_t *data; /* tg_free() */
	size_t size, room;
	bool big_endian;
};

void tg_buf_bytes(struct tg_buf *b, const void *data, size_t size); /* NULL: zeroes */
void tg_buf_number(struct tg_buf *b, unsigned int size, uint64_t value);
void tg_buf_string(struct tg_buf *b, const char *text); /* with its NUL */
void tg_buf_write(const struct tg_buf *b, int fd, uint64_t offset, const char *path);

/* ---- tracegen_format.c: event formats, bound by name ---- */

enum tg_tp {
	TG_TP_MAP,
	TG_TP_MAP_RESOURCE,
	TG_TP_UNMAP,
	TG_TP_UNMAP_RESOURCE,
	TG_TP_MAP_SG,
	TG_TP_UNMAP_SG,
	TG_TP_ALLOC,
	TG_TP_FREE,
	TG_TP_ALLOC_PAGES,
	TG_TP_FREE_PAGES,
	TG_TP_ALLOC_SGT,
	TG_TP_ALLOC_SGT_ERR,
	TG_TP_FREE_SGT,
	TG_TP_SYNC_CPU,
	TG_TP_SYNC_DEVICE,
	TG_TP_SYNC_SG_CPU,
	TG_TP_SYNC_SG_DEVICE,
	TG_TP_IOMMU_MAP,
	TG_TP_IOMMU_UNMAP,
	TG_TP_STACK,
	TG_N_TPS
};

enum tg_field {
	TG_F_PHYS,
	TG_F_DMA,
	TG_F_VIRT,
	TG_F_SIZE,
	TG_F_DIR,
	TG_F_ATTRS,
	TG_F_GFP,
	TG_F_NENTS,
	TG_F_ENTS,
	TG_F_TRUNCATED,
	TG_F_UNMAPPED,
	TG_N_SCALARS,
	TG_F_DEVICE = TG_N_SCALARS, /* arrays from here, in the order the kernel lays them out */
	TG_F_PHYS_LIST,
	TG_F_DMA_LIST,
	TG_F_LENGTHS,
	TG_F_CALLERS,
	TG_N_FIELDS
};

struct tg_bound {
	uint16_t field, offset, size;
};

/** One event format: where each known field lies. */
struct tg_desc {
	char name[64], system[32];
	uint16_t id, data_offset, struct_size; /* data: where dynamic arrays begin */
	uint32_t n_bound;
	struct tg_bound bound[16];
};

struct tg_file {
	char *system, *text;
	size_t size;
};

struct tg_formats {
	struct tg_desc desc[TG_N_TPS];
	bool have[TG_N_TPS];
	struct tg_file *files; /* sorted by system and file name */
	uint32_t n_files;
	char *header_event;
};

struct tg_formats *tg_formats_load(const char *folder);
void tg_formats_destroy(struct tg_formats *formats);
/** First line of @text that starts with @key, after the key; the end of line is not cut. */
const char *tg_format_line(const char *text, const char *key);

/** One event to be written: scalars by field, arrays borrowed. */
struct tg_event {
	enum tg_tp tp;
	uint32_t pid;
	uint8_t flags, preempt_count;
	uint32_t n_phys, n_dma, device_size; /* device_size: bytes with the NUL */
	const char *device;
	const uint64_t *phys_list, *dma_list;
	const uint32_t *lengths; /* n_dma of them */
	uint64_t scalar[TG_N_SCALARS];
};

uint32_t tg_event_size(const struct tg_desc *desc, const struct tg_event *event);
void tg_event_encode(const struct tg_desc *desc, const struct tg_event *event, uint8_t *to,
		     bool big_endian);

/* ---- tracegen_ring.c: ring buffer pages, one stream per CPU ---- */

struct tg_cpu_totals {
	uint64_t bytes, records, lost;
	uint32_t chunks;
	int fd; /* the stream so far, in a file without a name */
};

struct tg_perf;
struct tg_ring;
/** With @perf, borrowed, records go there, not into pages. */
struct tg_ring *tg_ring_create(const struct tg_config *config, struct tg_perf *perf);
void tg_ring_destroy(struct tg_ring *ring);
/**
 * Room for one record of @size bytes, which @event will fill; valid until the next call.
 * NULL: too big for a page.
 */
uint8_t *tg_ring_reserve(struct tg_ring *ring, uint32_t cpu, uint64_t ts_ns, uint32_t size,
			 const struct tg_event *event);
/** Write what is pending; no reserve after it. */
void tg_ring_finish(struct tg_ring *ring);
const struct tg_cpu_totals *tg_ring_totals(const struct tg_ring *ring, uint32_t cpu);
/** Records of @tp that are in the file: those of dropped pages are not. */
uint64_t tg_ring_count(const struct tg_ring *ring, enum tg_tp tp);
/** Lost events the file gives a number for, and markers that give none. */
void tg_ring_lost(const struct tg_ring *ring, uint64_t *ret_known, uint64_t *ret_unknown);

/* ---- tracegen_stack.c: synthetic functions ---- */

#define TG_STACK_MAX 16
#define TG_DRIVERS   4

/** The call stack of @family's map or unmap in a driver; returns the number of frames. */
uint32_t tg_stack_fill(uint32_t driver, enum tg_family family, bool unmap, uint32_t variant,
		       uint64_t *callers);
/** One of a million call stacks of one function: two of its callers call from 1000 places each. */
uint32_t tg_stack_number(uint64_t number, uint64_t *callers);
/** kallsyms text naming all of these; the caller frees. */
char *tg_stack_kallsyms(size_t *ret_size);

/* ---- tracegen_work.c: a healthy driver's day ---- */

struct tg_work_totals {
	uint64_t dma_events, live, leaked, failed, duplicates, syncs, maps, unmaps;
	uint64_t first_ns, last_ns;
};

struct tg_work;
struct tg_work *tg_work_create(const struct tg_config *config, const struct tg_formats *formats,
			       struct tg_ring *ring);
void tg_work_destroy(struct tg_work *work);
void tg_work_run(struct tg_work *work, struct tg_work_totals *ret);

/* ---- tracegen_container.c: trace.dat version 6 and 7 ---- */

void tg_container_write(const struct tg_config *config, const struct tg_formats *formats,
			const struct tg_ring *ring);
/** Formats, kallsyms and tasks, as version 6 has them and perf copies them with version 0.6. */
void tg_container_tracing(struct tg_buf *b, const struct tg_config *config,
			  const struct tg_formats *formats, const char *version);

/* ---- tracegen_perf.c: perf.data, what `perf record -e dma:*` writes ---- */

struct tg_perf *tg_perf_create(const struct tg_config *config, const struct tg_formats *formats);
void tg_perf_destroy(struct tg_perf *perf);
/** As tg_ring_reserve(), for one sample with its raw data. */
uint8_t *tg_perf_reserve(struct tg_perf *perf, uint32_t cpu, uint64_t ts_ns, uint32_t size,
			 const struct tg_event *event);
/** Write what is pending and the head of the file; no reserve after it. */
void tg_perf_finish(struct tg_perf *perf);

#endif

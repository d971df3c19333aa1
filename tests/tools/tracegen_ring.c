// SPDX-License-Identifier: GPL-2.0-only
/* Packs records into ring-buffer pages as the kernel does, and drops pages to lose events. */
#include "tracegen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zstd.h>

#define PAGE_HEADER_BYTES  16 /* u64 timestamp, long commit */
#define CHUNK_PAGES	   16
#define DELTA_BITS	   27
#define TYPE_PADDING	   29
#define TYPE_TIME_EXTEND   30
#define TYPE_TIME_STAMP	   31
#define SMALL_DATA_MAX	   112 /* type_len counts words up to 28 */
#define FLAG_MISSED	   (1u << 31)
#define FLAG_MISSED_STORED (1u << 30)

/* One CPU's page being filled, and the pages waiting to be written. */
struct stream {
	struct tg_cpu_totals totals;
	uint64_t page_ts, last_ts, missed;
	uint32_t used;	  /* bytes of data in the page being filled */
	uint32_t pages;	  /* full pages in front of it in the chunk */
	uint32_t records; /* in the page being filled */
	uint16_t counts[TG_N_TPS];
	uint8_t *chunk;
};

struct tg_ring {
	const struct tg_config *config;
	struct tg_perf *perf; /* takes the records instead, or NULL */
	struct stream *streams;
	uint64_t counts[TG_N_TPS];
	uint64_t lost_known, lost_unknown, random;
	void *packed;
	size_t packed_bytes;
	ZSTD_CCtx *zstd;
};

/* A file without a name beside the output: it goes away however we end. */
static int open_unnamed(const char *output)
{
	char path[4096];
	const char *slash = strrchr(output, '/');
	int fd;

	snprintf(path, sizeof(path), "%.*s/tracegen.XXXXXX", slash ? (int)(slash - output) : 1,
		 slash ? output : ".");
	fd = mkstemp(path);
	if (fd < 0)
		tg_die("%s: %s", path, strerror(errno));
	unlink(path);
	return fd;
}

/* 512 CPUs are 512 open files; the usual soft limit is 1024, but not everywhere. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

struct tg_ring *tg_ring_create(const struct tg_config *config, struct tg_perf *perf)
{
	struct tg_ring *ring = tg_alloc(sizeof(*ring));

	raise_file_limit();
	ring->config = config;
	ring->perf = perf;
	ring->random = config->seed * 0x9e3779b97f4a7c15ULL | 1;
	ring->streams = tg_alloc(config->cpus * sizeof(*ring->streams));
	for (uint32_t i = 0; !perf && i < config->cpus; i++) {
		ring->streams[i].chunk = tg_alloc((size_t)CHUNK_PAGES * config->page_size);
		ring->streams[i].totals.fd = open_unnamed(config->output);
	}
	if (config->zstd) {
		ring->zstd = ZSTD_createCCtx();
		ring->packed_bytes = ZSTD_compressBound((size_t)CHUNK_PAGES * config->page_size);
		ring->packed = tg_alloc(ring->packed_bytes);
	}
	return ring;
}

void tg_ring_destroy(struct tg_ring *ring)
{
	if (!ring)
		return;
	for (uint32_t i = 0; !ring->perf && i < ring->config->cpus; i++) {
		close(ring->streams[i].totals.fd);
		tg_free(ring->streams[i].chunk);
	}
	ZSTD_freeCCtx(ring->zstd);
	tg_free(ring->packed);
	tg_free(ring->streams);
	tg_free(ring);
}

static void write_all(struct tg_cpu_totals *totals, const void *data, size_t size)
{
	const uint8_t *from = data;

	totals->bytes += size;
	while (size) {
		ssize_t done = write(totals->fd, from, size);

		if (done < 0 && errno != EINTR)
			tg_die("temporary file: %s", strerror(errno));
		if (done > 0) {
			from += done;
			size -= (size_t)done;
		}
	}
}

static void write_chunk(struct tg_ring *ring, struct stream *s)
{
	size_t size = (size_t)s->pages * ring->config->page_size;
	bool be = ring->config->big_endian;
	uint8_t head[8];
	size_t packed;

	if (!s->pages)
		return;
	s->pages = 0;
	if (!ring->zstd) {
		write_all(&s->totals, s->chunk, size);
		return;
	}
	packed = ZSTD_compressCCtx(ring->zstd, ring->packed, ring->packed_bytes, s->chunk, size, 1);
	if (ZSTD_isError(packed))
		tg_die("zstd: %s", ZSTD_getErrorName(packed));
	tg_put(head, 4, packed, be);
	tg_put(head + 4, 4, size, be);
	write_all(&s->totals, head, sizeof(head));
	write_all(&s->totals, ring->packed, packed);
	s->totals.chunks++;
}

static uint8_t *page_of(const struct tg_ring *ring, const struct stream *s)
{
	return s->chunk + (size_t)s->pages * ring->config->page_size;
}

static void page_restart(struct stream *s)
{
	s->used = 0;
	s->records = 0;
	memset(s->counts, 0, sizeof(s->counts));
}

/* What ring_buffer_read_page() does about events missed before this page. */
static uint32_t store_missed(struct tg_ring *ring, struct stream *s, uint8_t *data, uint32_t room)
{
	uint64_t missed = s->missed;

	if (!missed)
		return 0;
	s->missed = 0;
	if (room < 8) {
		ring->lost_unknown++;
		return FLAG_MISSED;
	}
	ring->lost_known += missed;
	tg_put(data + s->used, 8, missed, ring->config->big_endian);
	return FLAG_MISSED | FLAG_MISSED_STORED;
}

/* Close the page being filled. A last page is never dropped: nothing would tell of it. */
static void page_flush(struct tg_ring *ring, struct stream *s, bool last)
{
	uint32_t room = ring->config->page_size - PAGE_HEADER_BYTES - s->used;
	uint8_t *page = page_of(ring, s), *data = page + PAGE_HEADER_BYTES;
	bool be = ring->config->big_endian;
	uint32_t flags;

	if (!s->used)
		return;
	if (!last && tg_chance(&ring->random, ring->config->lost_ppm)) {
		s->missed += s->records;
		s->totals.lost += s->records;
		page_restart(s);
		return;
	}
	memset(data + s->used, 0, room);
	flags = store_missed(ring, s, data, room);
	tg_put(page, 8, s->page_ts, be);
	tg_put(page + 8, 8, s->used | flags, be);
	s->totals.records += s->records;
	for (uint32_t i = 0; i < TG_N_TPS; i++)
		ring->counts[i] += s->counts[i];
	page_restart(s);
	if (++s->pages == CHUNK_PAGES)
		write_chunk(ring, s);
}

static void put_header(uint8_t *to, uint32_t type_len, uint32_t delta, bool be)
{
	tg_put(to, 4, be ? type_len << DELTA_BITS | delta : delta << 5 | type_len, be);
}

/* A delta over 27 bits takes an extend, or an absolute stamp: readers must take both. */
static void put_extend(struct tg_ring *ring, struct stream *s, uint8_t *to, uint64_t ts)
{
	bool absolute = tg_below(&ring->random, 4) == 0;
	uint64_t value = absolute ? ts : ts - s->last_ts;

	put_header(to, absolute ? TYPE_TIME_STAMP : TYPE_TIME_EXTEND,
		   value & ((1u << DELTA_BITS) - 1), ring->config->big_endian);
	tg_put(to + 4, 4, value >> DELTA_BITS, ring->config->big_endian);
}

/* An event the kernel threw away after reserving it, as a filter does. */
static uint32_t put_discarded(struct tg_ring *ring, uint8_t *to, uint32_t delta)
{
	uint32_t size = 16 + 8 * tg_below(&ring->random, 6);

	put_header(to, TYPE_PADDING, delta ? delta : 1, ring->config->big_endian);
	tg_put(to + 4, 4, size - 4, ring->config->big_endian);
	memset(to + 8, 0x5a, size - 8);
	return size;
}

uint8_t *tg_ring_reserve(struct tg_ring *ring, uint32_t cpu, uint64_t ts_ns, uint32_t size,
			 const struct tg_event *event)
{
	uint32_t capacity = ring->config->page_size - PAGE_HEADER_BYTES;
	uint32_t data_bytes = (size + 3) & ~3u, head_bytes = size > SMALL_DATA_MAX ? 8 : 4;
	uint32_t extend_bytes = 0;
	struct stream *s = &ring->streams[cpu];
	uint64_t delta;
	uint8_t *to;

	if (data_bytes + 8 > capacity)
		return NULL;
	if (ring->perf) {
		ring->counts[event->tp]++;
		return tg_perf_reserve(ring->perf, cpu, ts_ns, size, event);
	}
	if ((ts_ns - s->last_ts) >> DELTA_BITS)
		extend_bytes = 8;
	if (s->used + extend_bytes + head_bytes + data_bytes > capacity)
		page_flush(ring, s, false);
	if (!s->used)
		s->page_ts = s->last_ts = ts_ns;
	delta = ts_ns - s->last_ts;
	to = page_of(ring, s) + PAGE_HEADER_BYTES + s->used;
	if (delta >> DELTA_BITS) {
		put_extend(ring, s, to, ts_ns);
		to += 8;
		s->used += 8;
		delta = 0;
	} else if (delta > 2 && s->used + data_bytes + head_bytes + 64 < capacity &&
		   tg_chance(&ring->random, ring->config->discard_ppm)) {
		uint32_t skipped = put_discarded(ring, to, (uint32_t)(delta / 2));

		to += skipped;
		s->used += skipped;
		delta -= delta / 2;
	}
	s->last_ts = ts_ns;
	s->used += head_bytes + data_bytes;
	s->records++;
	s->counts[event->tp]++;
	put_header(to, size > SMALL_DATA_MAX ? 0 : data_bytes / 4, (uint32_t)delta,
		   ring->config->big_endian);
	if (size > SMALL_DATA_MAX)
		tg_put(to + 4, 4, data_bytes + 4, ring->config->big_endian);
	return to + head_bytes;
}

void tg_ring_finish(struct tg_ring *ring)
{
	for (uint32_t i = 0; i < ring->config->cpus; i++) {
		page_flush(ring, &ring->streams[i], true);
		write_chunk(ring, &ring->streams[i]);
	}
}

const struct tg_cpu_totals *tg_ring_totals(const struct tg_ring *ring, uint32_t cpu)
{
	return &ring->streams[cpu].totals;
}

uint64_t tg_ring_count(const struct tg_ring *ring, enum tg_tp tp)
{
	return ring->counts[tp];
}

void tg_ring_lost(const struct tg_ring *ring, uint64_t *ret_known, uint64_t *ret_unknown)
{
	*ret_known = ring->lost_known;
	*ret_unknown = ring->lost_unknown;
}

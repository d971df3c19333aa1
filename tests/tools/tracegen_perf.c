// SPDX-License-Identifier: GPL-2.0-only
/* Writes the samples as a perf.data, in the file and record order of `perf record -a -e dma:*`. */
#include "tracegen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* linux/perf_event.h; the file: tools/perf/Documentation/perf.data-file-format.txt */
enum {
	ATTR_BYTES = 112, /* PERF_ATTR_SIZE_VER5, which every perf of the last ten years reads */
	FILE_HEADER_BYTES = 104,
	TYPE_TRACEPOINT = 2,
	SAMPLE_TYPE = 1 << 0 /* IP */ | 1 << 1 /* TID */ | 1 << 2 /* TIME */ | 1 << 7 /* CPU */ |
		      1 << 8 /* PERIOD */ | 1 << 10 /* RAW */ | 1 << 16 /* IDENTIFIER */,
	READ_FORMAT_ID = 4,
	FLAG_DISABLED = 0,
	FLAG_COMM = 9,
	FLAG_TASK = 13,
	FLAG_SAMPLE_ID_ALL = 18,
	FLAG_USE_CLOCKID = 25,
	RECORD_COMM = 3,
	RECORD_SAMPLE = 9,
	RECORD_FINISHED_ROUND = 68,
	MISC_KERNEL = 1,
	SAMPLE_HEAD_BYTES = 8 + 6 * 8 + 4, /* up to the raw data */
	ROUND_BYTES = 256 << 10, /* half of a default ring buffer: perf is woken up to read all */
};

#define TRACE_IP 0xffffffff81000059ULL /* where tg_stack_fill() has the tracepoint */

/* Trace clocks and what `perf record -k` calls them; perf's own is that of "perf" and "local". */
static const struct clock_row {
	const char *name;
	int clockid; /* -1: perf's own */
} clock_rows[] = {
	{ "mono", 1 }, { "mono_raw", 4 }, { "boot", 7 }, { "tai", 11 }, { "perf", -1 }, { "local", -1 },
};

struct tg_perf {
	const struct tg_config *config;
	const struct tg_formats *formats;
	const struct clock_row *clock;
	int fd;
	uint32_t n_attrs;
	uint16_t *ids;		   /* tracepoint of each attr */
	uint16_t attrs[TG_N_TPS];  /* attr of each of ours */
	struct tg_buf *cpus;	   /* what perf has not read yet */
	uint32_t reading;	   /* CPU whose buffer is read next; config->cpus: none */
	struct tg_buf head;
	uint64_t data_offset, end;
};

static uint64_t id_of(const struct tg_perf *perf, uint32_t attr, uint32_t cpu)
{
	return 10 + (uint64_t)attr * perf->config->cpus + cpu;
}

static uint16_t format_id(const struct tg_file *file)
{
	return (uint16_t)atoi(tg_format_line(file->text, "ID: "));
}

/* Every event of dma and swiotlb is open, those of iommu if they were asked for. */
static bool is_open(const struct tg_perf *perf, const struct tg_file *file)
{
	return strcmp(file->system, "ftrace") != 0 &&
	       (strcmp(file->system, "iommu") != 0 || perf->config->iommu_events);
}

static void number_attrs(struct tg_perf *perf)
{
	const struct tg_formats *formats = perf->formats;

	perf->ids = tg_alloc(formats->n_files * sizeof(*perf->ids));
	for (uint32_t i = 0; i < formats->n_files; i++) {
		if (!is_open(perf, &formats->files[i]))
			continue;
		perf->ids[perf->n_attrs] = format_id(&formats->files[i]);
		for (uint32_t tp = 0; tp < TG_N_TPS; tp++)
			if (formats->have[tp] && formats->desc[tp].id == perf->ids[perf->n_attrs])
				perf->attrs[tp] = (uint16_t)perf->n_attrs;
		perf->n_attrs++;
	}
}

/* ---- records ---- */

static void put_record_head(struct tg_buf *b, uint32_t type, uint16_t misc, size_t bytes)
{
	tg_buf_number(b, 4, type);
	tg_buf_number(b, 2, misc);
	tg_buf_number(b, 2, bytes);
}

/* Move @b to the file. */
static void flush(struct tg_perf *perf, struct tg_buf *b)
{
	tg_buf_write(b, perf->fd, perf->end, perf->config->output);
	perf->end += b->size;
	b->size = 0;
}

/* The tasks that already ran, as perf finds them in /proc: with a trailer of zeroes. */
static void put_comms(struct tg_perf *perf)
{
	struct tg_buf b = { .big_endian = perf->config->big_endian };

	for (uint32_t pid = 100; pid < 132; pid++) {
		char comm[16] = "";

		snprintf(comm, sizeof(comm), "synth/%u", pid - 100);
		put_record_head(&b, RECORD_COMM, 0, 8 + 8 + sizeof(comm) + 32);
		tg_buf_number(&b, 4, pid);
		tg_buf_number(&b, 4, pid);
		tg_buf_bytes(&b, comm, sizeof(comm));
		tg_buf_bytes(&b, NULL, 32);
	}
	flush(perf, &b);
	tg_free(b.data);
}

static void finish_round(struct tg_perf *perf)
{
	struct tg_buf b = { .big_endian = perf->config->big_endian };

	put_record_head(&b, RECORD_FINISHED_ROUND, 0, 8);
	flush(perf, &b);
	tg_free(b.data);
}

/* perf reads one CPU's buffer after the other, while all of them go on filling. */
static void read_next(struct tg_perf *perf)
{
	if (perf->reading == perf->config->cpus)
		return;
	flush(perf, &perf->cpus[perf->reading++]);
	if (perf->reading == perf->config->cpus)
		finish_round(perf);
}

uint8_t *tg_perf_reserve(struct tg_perf *perf, uint32_t cpu, uint64_t ts_ns, uint32_t size,
			 const struct tg_event *event)
{
	/* size and raw data together end at a multiple of 8 */
	uint32_t raw_bytes = ((size + 4 + 7) & ~7u) - 4;
	uint32_t attr = perf->attrs[event->tp];
	struct tg_buf *b = &perf->cpus[cpu];

	read_next(perf);
	if (b->size >= ROUND_BYTES && perf->reading == perf->config->cpus)
		perf->reading = 0;
	put_record_head(b, RECORD_SAMPLE, MISC_KERNEL, SAMPLE_HEAD_BYTES + raw_bytes);
	tg_buf_number(b, 8, id_of(perf, attr, cpu));
	tg_buf_number(b, 8, TRACE_IP);
	tg_buf_number(b, 4, event->pid);
	tg_buf_number(b, 4, event->pid);
	tg_buf_number(b, 8, ts_ns);
	tg_buf_number(b, 4, cpu);
	tg_buf_number(b, 4, 0);
	tg_buf_number(b, 8, 1);
	tg_buf_number(b, 4, raw_bytes);
	tg_buf_bytes(b, NULL, raw_bytes);
	return b->data + b->size - raw_bytes;
}

/* ---- the head ---- */

static void put_attr(const struct tg_perf *perf, struct tg_buf *b, uint32_t attr)
{
	bool be = perf->config->big_endian;
	uint64_t flags = 1ull << FLAG_DISABLED | 1ull << FLAG_SAMPLE_ID_ALL;
	size_t at = b->size;

	/* one event tells of tasks for all */
	if (attr == 0)
		flags |= 1ull << FLAG_COMM | 1ull << FLAG_TASK;
	if (perf->clock->clockid >= 0)
		flags |= 1ull << FLAG_USE_CLOCKID;
	tg_buf_bytes(b, NULL, ATTR_BYTES);
	tg_put(b->data + at, 4, TYPE_TRACEPOINT, be);
	tg_put(b->data + at + 4, 4, ATTR_BYTES, be);
	tg_put(b->data + at + 8, 8, perf->ids[attr], be);
	tg_put(b->data + at + 16, 8, 1, be); /* sample_period */
	tg_put(b->data + at + 24, 8, SAMPLE_TYPE, be);
	tg_put(b->data + at + 32, 8, READ_FORMAT_ID, be);
	/* bit fields begin at the other end there */
	for (unsigned int bit = 0; bit < 64; bit++)
		if (flags >> bit & 1)
			b->data[at + 40 + bit / 8] |= (uint8_t)(be ? 0x80 >> bit % 8 : 1 << bit % 8);
	if (perf->clock->clockid >= 0)
		tg_put(b->data + at + 92, 4, (uint32_t)perf->clock->clockid, be);
}

static void put_ids(const struct tg_perf *perf, struct tg_buf *b, uint32_t attr)
{
	for (uint32_t cpu = 0; cpu < perf->config->cpus; cpu++)
		tg_buf_number(b, 8, id_of(perf, attr, cpu));
}

/* Header, ids, attrs, data, features: in this order, as perf writes them. */
static void put_head(struct tg_perf *perf)
{
	uint64_t ids_bytes = 8ull * perf->config->cpus;
	struct tg_buf *b = &perf->head;
	uint64_t attrs_at = FILE_HEADER_BYTES + ids_bytes * perf->n_attrs;

	tg_buf_number(b, 8, 0x32454c4946524550ULL); /* "PERFILE2", or backwards */
	tg_buf_number(b, 8, FILE_HEADER_BYTES);
	tg_buf_number(b, 8, ATTR_BYTES + 16);
	tg_buf_number(b, 8, attrs_at);
	tg_buf_number(b, 8, (uint64_t)perf->n_attrs * (ATTR_BYTES + 16));
	tg_buf_bytes(b, NULL, FILE_HEADER_BYTES - b->size); /* until the end is known */
	for (uint32_t i = 0; i < perf->n_attrs; i++)
		put_ids(perf, b, i);
	for (uint32_t i = 0; i < perf->n_attrs; i++) {
		put_attr(perf, b, i);
		tg_buf_number(b, 8, FILE_HEADER_BYTES + i * ids_bytes);
		tg_buf_number(b, 8, ids_bytes);
	}
}

static const struct clock_row *find_clock(const char *name)
{
	for (size_t i = 0; i < sizeof(clock_rows) / sizeof(*clock_rows); i++)
		if (!strcmp(clock_rows[i].name, name))
			return &clock_rows[i];
	tg_die("--clock: perf record has no %s", name);
}

struct tg_perf *tg_perf_create(const struct tg_config *config, const struct tg_formats *formats)
{
	struct tg_perf *perf = tg_alloc(sizeof(*perf));

	*perf = (struct tg_perf){ .config = config, .formats = formats, .reading = config->cpus };
	perf->clock = find_clock(config->clock);
	perf->fd = open(config->output, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (perf->fd < 0)
		tg_die("%s: %s", config->output, strerror(errno));
	number_attrs(perf);
	perf->cpus = tg_alloc(config->cpus * sizeof(*perf->cpus));
	for (uint32_t i = 0; i < config->cpus; i++)
		perf->cpus[i].big_endian = config->big_endian;
	perf->head.big_endian = config->big_endian;
	put_head(perf);
	perf->data_offset = perf->end = perf->head.size;
	put_comms(perf);
	return perf;
}

void tg_perf_destroy(struct tg_perf *perf)
{
	if (!perf)
		return;
	for (uint32_t i = 0; i < perf->config->cpus; i++)
		tg_free(perf->cpus[i].data);
	tg_free(perf->cpus);
	tg_free(perf->ids);
	tg_free(perf->head.data);
	tg_free(perf);
}

/* ---- features, behind the data ---- */

/* Padded as perf pads its strings. */
static void put_padded(struct tg_buf *b, const char *text)
{
	size_t bytes = (strlen(text) + 1 + 63) & ~63ull;

	tg_buf_number(b, 4, bytes);
	tg_buf_bytes(b, text, strlen(text));
	tg_buf_bytes(b, NULL, bytes - strlen(text));
}

static void put_tracing_data(const struct tg_perf *perf, struct tg_buf *b)
{
	tg_container_tracing(b, perf->config, perf->formats, "0.6");
}

static void put_hostname(const struct tg_perf *perf, struct tg_buf *b)
{
	(void)perf;
	put_padded(b, "synth");
}

static void put_release(const struct tg_perf *perf, struct tg_buf *b)
{
	char release[64];

	snprintf(release, sizeof(release), "%s.0-tracegen", perf->config->kernel);
	put_padded(b, release);
}

static void put_version(const struct tg_perf *perf, struct tg_buf *b)
{
	(void)perf;
	put_padded(b, "tracegen");
}

static void put_arch(const struct tg_perf *perf, struct tg_buf *b)
{
	put_padded(b, perf->config->big_endian ? "s390x" : "x86_64");
}

static void put_n_cpus(const struct tg_perf *perf, struct tg_buf *b)
{
	tg_buf_number(b, 4, perf->config->cpus);
	tg_buf_number(b, 4, perf->config->cpus);
}

static void put_event_desc(const struct tg_perf *perf, struct tg_buf *b)
{
	uint32_t attr = 0;

	tg_buf_number(b, 4, perf->n_attrs);
	tg_buf_number(b, 4, ATTR_BYTES);
	for (uint32_t i = 0; i < perf->formats->n_files; i++) {
		const struct tg_file *file = &perf->formats->files[i];
		const char *name = tg_format_line(file->text, "name: ");
		char full[128];

		if (!is_open(perf, file))
			continue;
		snprintf(full, sizeof(full), "%s:%.*s", file->system, (int)strcspn(name, "\n"), name);
		put_attr(perf, b, attr);
		tg_buf_number(b, 4, perf->config->cpus);
		put_padded(b, full);
		put_ids(perf, b, attr++);
	}
}

static void put_clock_resolution(const struct tg_perf *perf, struct tg_buf *b)
{
	(void)perf;
	tg_buf_number(b, 8, 1);
}

static const struct feature_row {
	unsigned int bit;
	void (*put)(const struct tg_perf *perf, struct tg_buf *b);
} feature_rows[] = {
	{ 1, put_tracing_data }, { 3, put_hostname }, { 4, put_release },
	{ 5, put_version },	 { 6, put_arch },     { 7, put_n_cpus },
	{ 12, put_event_desc },	 { 23, put_clock_resolution },
};

/* A table of where each is, then all of them. */
static void put_features(struct tg_perf *perf)
{
	enum { N = sizeof(feature_rows) / sizeof(*feature_rows) };
	bool be = perf->config->big_endian;
	struct tg_buf b = { .big_endian = be };
	uint64_t bits = 0;

	tg_buf_bytes(&b, NULL, N * 16);
	for (size_t i = 0; i < N; i++) {
		size_t begin = b.size;

		feature_rows[i].put(perf, &b);
		tg_put(b.data + i * 16, 8, perf->end + begin, be);
		tg_put(b.data + i * 16 + 8, 8, b.size - begin, be);
		bits |= 1ull << feature_rows[i].bit;
	}
	tg_put(perf->head.data + 72, 8, bits, be); /* longs of 8 bytes */
	flush(perf, &b);
	tg_free(b.data);
}

void tg_perf_finish(struct tg_perf *perf)
{
	bool be = perf->config->big_endian;

	while (perf->reading < perf->config->cpus)
		read_next(perf);
	perf->reading = 0;
	while (perf->reading < perf->config->cpus)
		read_next(perf);
	tg_put(perf->head.data + 40, 8, perf->data_offset, be);
	tg_put(perf->head.data + 48, 8, perf->end - perf->data_offset, be);
	put_features(perf);
	tg_buf_write(&perf->head, perf->fd, 0, perf->config->output);
	if (close(perf->fd))
		tg_die("%s: %s", perf->config->output, strerror(errno));
}

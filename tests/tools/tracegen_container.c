// SPDX-License-Identifier: GPL-2.0-only
/* Puts headers, options and the CPUs' pages together as a trace.dat of version 6 or 7. */
#include "tracegen.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

/* Numbers of sections and options: trace-cmd.dat.v7(5). Version 6 has some of them as options. */
enum {
	OPT_DONE = 0,
	OPT_CPUSTAT = 2,
	OPT_BUFFER = 3,
	OPT_TRACECLOCK = 4,
	OPT_UNAME = 5,
	OPT_CPUCOUNT = 8,
	OPT_VERSION = 9,
	SEC_OPTIONS = 0,
	SEC_BUFFER = 3,
	SEC_HEADER = 16,
	SEC_FTRACE = 17,
	SEC_EVENTS = 18,
	SEC_KALLSYMS = 19,
	SEC_PRINTK = 20,
	SEC_CMDLINES = 21,
};

struct writer {
	const struct tg_config *config;
	const struct tg_formats *formats;
	const struct tg_ring *ring;
	struct tg_buf head;    /* all before the CPU data */
	struct tg_buf options; /* version 7: the option list, written last */
	uint64_t offsets[TG_CPUS_MAX], sizes[TG_CPUS_MAX];
};

static void put_text8(struct tg_buf *b, const char *text, size_t size)
{
	tg_buf_number(b, 8, size);
	tg_buf_bytes(b, text, size);
}

static void put_option(struct tg_buf *b, uint32_t id, const void *data, size_t size)
{
	tg_buf_number(b, 2, id);
	tg_buf_number(b, 4, size);
	tg_buf_bytes(b, data, size);
}

/* ---- the pieces both versions have ---- */

static void put_header_info(struct tg_buf *b, const struct writer *w)
{
	char page[512];
	int size = snprintf(page, sizeof(page),
			    "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
			    "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
			    "\tfield: char overwrite;\toffset:8;\tsize:1;\tsigned:0;\n"
			    "\tfield: char data;\toffset:16;\tsize:%u;\tsigned:0;\n",
			    w->config->page_size - 16);

	tg_buf_string(b, "header_page");
	put_text8(b, page, (size_t)size);
	tg_buf_string(b, "header_event");
	put_text8(b, w->formats->header_event, strlen(w->formats->header_event));
}

static uint32_t count_files(const struct tg_formats *f, const char *system)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->n_files; i++)
		n += !strcmp(f->files[i].system, system);
	return n;
}

static void put_files(struct tg_buf *b, const struct tg_formats *f, const char *system)
{
	tg_buf_number(b, 4, count_files(f, system));
	for (uint32_t i = 0; i < f->n_files; i++)
		if (!strcmp(f->files[i].system, system))
			put_text8(b, f->files[i].text, f->files[i].size);
}

static void put_ftrace(struct tg_buf *b, const struct writer *w)
{
	put_files(b, w->formats, "ftrace");
}

static void put_events(struct tg_buf *b, const struct writer *w)
{
	static const char *const systems[] = { "dma", "iommu", "swiotlb" };

	tg_buf_number(b, 4, 3);
	for (size_t i = 0; i < 3; i++) {
		tg_buf_string(b, systems[i]);
		put_files(b, w->formats, systems[i]);
	}
}

static void put_kallsyms(struct tg_buf *b, const struct writer *w)
{
	size_t size;
	char *text = tg_stack_kallsyms(&size);

	(void)w;
	tg_buf_number(b, 4, size);
	tg_buf_bytes(b, text, size);
	tg_free(text);
}

static void put_printk(struct tg_buf *b, const struct writer *w)
{
	(void)w;
	tg_buf_number(b, 4, 0);
}

/* Tasks 100..131 are those the workload runs as. */
static void put_cmdlines(struct tg_buf *b, const struct writer *w)
{
	char text[2048];
	int n = 0;

	(void)w;
	for (int pid = 100; pid < 132; pid++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%d synth/%d\n", pid, pid - 100);
	put_text8(b, text, (size_t)n);
}

static void put_clock(struct tg_buf *b, const struct tg_config *config)
{
	static const char *const clocks[] = { "local",	  "global", "counter", "uptime", "perf", "mono",
					      "mono_raw", "boot",   "tai",     "x86-tsc" };
	char text[128] = "";

	for (size_t i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
		bool on = !strcmp(clocks[i], config->clock);
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, "%s%s%s%s", i ? " " : "", on ? "[" : "",
			 clocks[i], on ? "]" : "");
	}
	strcat(text, "\n");
	put_option(b, OPT_TRACECLOCK, text, strlen(text) + 1);
}

static void put_cpustat(struct tg_buf *b, const struct tg_cpu_totals *totals, uint32_t cpu)
{
	char text[256];
	int n = snprintf(text, sizeof(text),
			 "CPU: %u\nentries: 0\noverrun: %" PRIu64
			 "\ncommit overrun: 0\nbytes: 0\noldest event ts:     0.000000\n"
			 "now ts:     0.000000\ndropped events: 0\nread events: %" PRIu64 "\n",
			 cpu, totals->lost, totals->records);

	put_option(b, OPT_CPUSTAT, text, (size_t)n + 1);
}

static void put_common_options(struct tg_buf *b, const struct writer *w)
{
	char uname[64];

	snprintf(uname, sizeof(uname), "Linux synth %s.0-tracegen x86_64", w->config->kernel);
	put_clock(b, w->config);
	put_option(b, OPT_UNAME, uname, strlen(uname) + 1);
	put_option(b, OPT_VERSION, "tracegen", sizeof("tracegen"));
	for (uint32_t i = 0; i < w->config->cpus; i++)
		put_cpustat(b, tg_ring_totals(w->ring, i), i);
}

static void put_magic(struct tg_buf *b, const struct tg_config *config, const char *version)
{
	tg_buf_bytes(b, "\x17\x08\x44tracing", 10);
	tg_buf_string(b, version);
	tg_buf_number(b, 1, config->big_endian);
	tg_buf_number(b, 1, 8);
	tg_buf_number(b, 4, config->page_size);
}

void tg_container_tracing(struct tg_buf *b, const struct tg_config *config,
			  const struct tg_formats *formats, const char *version)
{
	struct writer *w = tg_alloc(sizeof(*w));

	*w = (struct writer){ .config = config, .formats = formats };
	put_magic(b, config, version);
	put_header_info(b, w);
	put_ftrace(b, w);
	put_events(b, w);
	put_kallsyms(b, w);
	put_printk(b, w);
	put_cmdlines(b, w);
	tg_free(w);
}

/* ---- where the CPUs' data will lie ---- */

static uint64_t align_page(const struct writer *w, uint64_t offset)
{
	return (offset + w->config->page_size - 1) / w->config->page_size * w->config->page_size;
}

/* Compressed data have a count of chunks in front. Returns the end of the last CPU's data. */
static uint64_t place_cpus(struct writer *w, uint64_t after)
{
	uint64_t end = after;

	for (uint32_t i = 0; i < w->config->cpus; i++) {
		const struct tg_cpu_totals *totals = tg_ring_totals(w->ring, i);

		w->offsets[i] = align_page(w, end);
		w->sizes[i] = totals->bytes;
		if (totals->bytes && w->config->zstd)
			w->sizes[i] += 4;
		if (w->sizes[i])
			end = w->offsets[i] + w->sizes[i];
	}
	return end;
}

static void build_v6(struct writer *w)
{
	struct tg_buf *b = &w->head;
	size_t table_bytes, tail_bytes;
	char clock[32];

	snprintf(clock, sizeof(clock), "[%s]", w->config->clock);
	tg_container_tracing(b, w->config, w->formats, "6");
	tg_buf_number(b, 4, w->config->cpus);
	tg_buf_bytes(b, "options  ", 10);
	put_common_options(b, w);
	tg_buf_number(b, 2, OPT_DONE);
	tg_buf_bytes(b, "flyrecord", 10);
	table_bytes = w->config->cpus * 16u;
	tail_bytes = 8 + strlen(clock) + 1;
	place_cpus(w, b->size + table_bytes + tail_bytes);
	for (uint32_t i = 0; i < w->config->cpus; i++) {
		tg_buf_number(b, 8, w->offsets[i]);
		tg_buf_number(b, 8, w->sizes[i]);
	}
	put_text8(b, clock, strlen(clock));
}

/* ---- version 7: sections ---- */

static void put_section(struct writer *w, uint32_t id, const struct tg_buf *content)
{
	size_t room = ZSTD_compressBound(content->size), packed;
	uint8_t *data;

	tg_buf_number(&w->head, 2, id);
	tg_buf_number(&w->head, 2, w->config->zstd);
	tg_buf_number(&w->head, 4, 0);
	if (!w->config->zstd) {
		tg_buf_number(&w->head, 8, content->size);
		tg_buf_bytes(&w->head, content->data, content->size);
		return;
	}
	data = tg_alloc(room);
	packed = ZSTD_compress(data, room, content->data, content->size, 3);
	if (ZSTD_isError(packed))
		tg_die("zstd: %s", ZSTD_getErrorName(packed));
	tg_buf_number(&w->head, 8, packed + 8);
	tg_buf_number(&w->head, 4, packed);
	tg_buf_number(&w->head, 4, content->size);
	tg_buf_bytes(&w->head, data, packed);
	tg_free(data);
}

static const struct section_row {
	uint32_t id; /* of the section, and of the option that says where it is */
	void (*put)(struct tg_buf *b, const struct writer *w);
} section_rows[] = {
	{ SEC_HEADER, put_header_info }, { SEC_FTRACE, put_ftrace }, { SEC_EVENTS, put_events },
	{ SEC_KALLSYMS, put_kallsyms },	 { SEC_PRINTK, put_printk }, { SEC_CMDLINES, put_cmdlines },
};

static void build_sections(struct writer *w)
{
	for (size_t i = 0; i < sizeof(section_rows) / sizeof(*section_rows); i++) {
		struct tg_buf content = { .big_endian = w->config->big_endian };
		uint8_t offset[8];

		tg_put(offset, 8, w->head.size, w->config->big_endian);
		put_option(&w->options, section_rows[i].id, offset, 8);
		section_rows[i].put(&content, w);
		put_section(w, section_rows[i].id, &content);
		tg_free(content.data);
	}
}

static void put_buffer_option(struct writer *w, uint64_t section_offset)
{
	struct tg_buf b = { .big_endian = w->config->big_endian };
	uint32_t used = 0;

	for (uint32_t i = 0; i < w->config->cpus; i++)
		used += w->sizes[i] != 0;
	tg_buf_number(&b, 8, section_offset);
	tg_buf_string(&b, "");
	tg_buf_string(&b, w->config->clock);
	tg_buf_number(&b, 4, w->config->page_size);
	tg_buf_number(&b, 4, used);
	for (uint32_t i = 0; i < w->config->cpus; i++) {
		if (!w->sizes[i])
			continue;
		tg_buf_number(&b, 4, i);
		tg_buf_number(&b, 8, w->offsets[i]);
		tg_buf_number(&b, 8, w->sizes[i]);
	}
	put_option(&w->options, OPT_BUFFER, b.data, b.size);
	tg_free(b.data);
}

/* Returns where the option section goes: behind the data. */
static uint64_t build_v7(struct writer *w)
{
	struct tg_buf *b = &w->head;
	uint64_t section, end;
	size_t options_at;
	uint8_t bytes[8];

	put_magic(b, w->config, "7");
	tg_buf_string(b, w->config->zstd ? "zstd" : "none");
	tg_buf_string(b, w->config->zstd ? ZSTD_versionString() : "");
	options_at = b->size;
	tg_buf_number(b, 8, 0);
	build_sections(w);
	put_common_options(&w->options, w);
	tg_put(bytes, 4, w->config->cpus, w->config->big_endian);
	put_option(&w->options, OPT_CPUCOUNT, bytes, 4);
	section = b->size;
	end = place_cpus(w, section + 16);
	put_buffer_option(w, section);
	tg_put(bytes, 8, 0, w->config->big_endian);
	put_option(&w->options, OPT_DONE, bytes, 8);
	tg_buf_number(b, 2, SEC_BUFFER);
	tg_buf_number(b, 2, w->config->zstd);
	tg_buf_number(b, 4, 0);
	tg_buf_number(b, 8, end - section - 16);
	tg_put(b->data + options_at, 8, end, w->config->big_endian);
	return end;
}

/* ---- writing ---- */

static void copy_cpu(const struct writer *w, int fd, uint32_t cpu)
{
	const struct tg_cpu_totals *totals = tg_ring_totals(w->ring, cpu);
	struct tg_buf piece = { .data = tg_alloc(1 << 18), .room = 1 << 18 };
	uint64_t to = w->offsets[cpu];
	off_t from = 0;

	if (totals->bytes && w->config->zstd) {
		tg_put(piece.data, 4, totals->chunks, w->config->big_endian);
		piece.size = 4;
		tg_buf_write(&piece, fd, to, w->config->output);
		to += 4;
	}
	while ((uint64_t)from < totals->bytes) {
		ssize_t n = pread(totals->fd, piece.data, piece.room, from);

		if (n <= 0)
			tg_die("temporary file: %s", n ? strerror(errno) : "too short");
		piece.size = (size_t)n;
		tg_buf_write(&piece, fd, to + (uint64_t)from, w->config->output);
		from += n;
	}
	tg_free(piece.data);
}

void tg_container_write(const struct tg_config *config, const struct tg_formats *formats,
			const struct tg_ring *ring)
{
	struct writer *w = tg_alloc(sizeof(*w));
	struct tg_buf section = { .big_endian = config->big_endian };
	uint64_t end = 0;
	int fd = open(config->output, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0)
		tg_die("%s: %s", config->output, strerror(errno));
	*w = (struct writer){ .config = config, .formats = formats, .ring = ring };
	w->head.big_endian = w->options.big_endian = config->big_endian;
	if (config->version == 6)
		build_v6(w);
	else
		end = build_v7(w);
	tg_buf_write(&w->head, fd, 0, w->config->output);
	for (uint32_t i = 0; i < config->cpus; i++)
		copy_cpu(w, fd, i);
	if (end) {
		tg_buf_number(&section, 2, SEC_OPTIONS);
		tg_buf_number(&section, 2, 0);
		tg_buf_number(&section, 4, 0);
		tg_buf_number(&section, 8, w->options.size);
		tg_buf_bytes(&section, w->options.data, w->options.size);
		tg_buf_write(&section, fd, end, w->config->output);
	}
	if (close(fd))
		tg_die("%s: %s", config->output, strerror(errno));
	tg_free(section.data);
	tg_free(w->head.data);
	tg_free(w->options.data);
	tg_free(w);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Writes trace.dat and perf.data files of any length with a healthy driver's DMA traffic, from a seed. */
#include "tracegen.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SRCDIR
#define SRCDIR "."
#endif

void tg_die(const char *format, ...)
{
	va_list args;

	fputs("tracegen: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

void *tg_alloc(size_t size_bytes)
{
	void *memory = calloc(1, size_bytes ? size_bytes : 1);

	if (!memory)
		tg_die("out of memory");
	return memory;
}

void tg_free(void *memory)
{
	free(memory);
}

void *tg_realloc(void *memory, size_t size_bytes)
{
	void *bigger = realloc(memory, size_bytes);

	if (!bigger)
		tg_die("out of memory");
	return bigger;
}

static const char *const family_names[TG_N_FAMILIES] = { "page",     "resource", "sg",
							 "coherent", "pages",	 "noncontig" };

/* How an option's word becomes a value. */
enum kind { U64, U32, RATE, STRING, FLAG, MIX, MODE, COMPRESSION };

#define AT(member) offsetof(struct tg_config, member)
static const struct option_row {
	const char *name, *value, *help;
	enum kind kind;
	size_t offset;
} option_rows[] = {
	{ "output", "FILE", "the file to write (also -o)", STRING, AT(output) },
	{ "seed", "N", "same seed, same bytes (1)", U64, AT(seed) },
	{ "events", "N", "DMA events, stacks not counted (10000)", U64, AT(events) },
	{ "cpus", "N", "1..512 (4)", U32, AT(cpus) },
	{ "devices", "N", "1..512 (8)", U32, AT(devices) },
	{ "live", "N", "live mappings to hover at, per device (256)", U64, AT(live) },
	{ "leak", "N", "mappings that are never unmapped (0)", U64, AT(leak) },
	{ "drain", NULL, "unmap everything else at the end", FLAG, AT(drain) },
	{ "mix", "page:60,sg:20", "weights of the families", MIX, AT(mix) },
	{ "mode", "WORD", "direct, iommu or mixed (mixed)", MODE, AT(mode) },
	{ "stacks", NULL, "a kernel_stack after every event", FLAG, AT(stacks) },
	{ "distinct", "N", "with --stacks: N different ones, to 1000000 (0: few)", U64,
	  AT(distinct) },
	{ "syncs", NULL, "with dma_sync events", FLAG, AT(syncs) },
	{ "iommu-events", NULL, "with iommu:map and iommu:unmap", FLAG, AT(iommu_events) },
	{ "lost", "RATE", "share of pages dropped, 0..1 (0)", RATE, AT(lost_ppm) },
	{ "reorder", "RATE", "unmaps logged after the next map (0)", RATE, AT(reorder_ppm) },
	{ "fail", "RATE", "maps that fail (0.0002)", RATE, AT(fail_ppm) },
	{ "duplicate", "RATE", "legal second maps, direct mode (0.005)", RATE, AT(duplicate_ppm) },
	{ "discard", "RATE", "records thrown away in the buffer (0.0005)", RATE, AT(discard_ppm) },
	{ "gap", "NS", "mean time between events (800)", U64, AT(mean_gap_ns) },
	{ "perf", NULL, "a perf.data, not a trace.dat", FLAG, AT(perf) },
	{ "file-version", "6|7", "of trace.dat (6)", U32, AT(version) },
	{ "compression", "none|zstd", "version 7 only (none)", COMPRESSION, AT(zstd) },
	{ "big-endian", NULL, "as s390x writes", FLAG, AT(big_endian) },
	{ "page-size", "N", "of the traced machine (4096)", U32, AT(page_size) },
	{ "kernel", "7.2|6.12", "whose formats (7.2)", STRING, AT(kernel) },
	{ "formats", "DIR", "formats from here instead", STRING, AT(formats) },
	{ "clock", "NAME", "trace clock (mono)", STRING, AT(clock) },
};

#define N_OPTIONS (sizeof(option_rows) / sizeof(*option_rows))

static void usage(void)
{
	puts("usage: tracegen -o FILE [options]\n"
	     "Writes a trace.dat or perf.data of synthetic DMA traffic; prints what is in it as key=value.\n");
	for (size_t i = 0; i < N_OPTIONS; i++)
		printf("  --%-13s %-14s %s\n", option_rows[i].name,
		       option_rows[i].value ? option_rows[i].value : "", option_rows[i].help);
}

static uint64_t parse_number(const char *name, const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (end == text || *end || *text == '-')
		tg_die("--%s: not a number: %s", name, text);
	return value;
}

static uint64_t parse_rate(const char *name, const char *text)
{
	char *end;
	double rate = strtod(text, &end);

	if (end == text || *end || !(rate >= 0 && rate <= 1))
		tg_die("--%s: not a rate between 0 and 1: %s", name, text);
	return (uint64_t)(rate * 1e6 + 0.5);
}

static void parse_mix(const char *text, uint32_t *mix)
{
	memset(mix, 0, TG_N_FAMILIES * sizeof(*mix));
	while (*text) {
		size_t length = strcspn(text, ":"), i = 0;
		char *end;

		while (i < TG_N_FAMILIES && (strlen(family_names[i]) != length ||
					     strncmp(family_names[i], text, length)))
			i++;
		if (i == TG_N_FAMILIES || text[length] != ':')
			tg_die("--mix: not family:weight,...: %s", text);
		mix[i] = (uint32_t)strtoul(text + length + 1, &end, 10);
		if (end == text + length + 1 || (*end && *end != ','))
			tg_die("--mix: not a weight: %s", text);
		text = *end ? end + 1 : end;
	}
}

/* Index of @text among three words, NULL for none. */
static uint32_t parse_word(const char *name, const char *text, const char *const *words)
{
	for (uint32_t i = 0; i < 3; i++)
		if (words[i] && !strcmp(words[i], text))
			return i;
	tg_die("--%s: unknown word: %s", name, text);
}

static void apply(struct tg_config *config, const struct option_row *row, const char *text)
{
	static const char *const modes[] = { "direct", "iommu", "mixed" };
	static const char *const compressions[] = { "none", "zstd", NULL };
	void *to = (char *)config + row->offset;

	switch (row->kind) {
	case U64:
		*(uint64_t *)to = parse_number(row->name, text);
		break;
	case U32:
		*(uint32_t *)to = (uint32_t)parse_number(row->name, text);
		break;
	case RATE:
		*(uint64_t *)to = parse_rate(row->name, text);
		break;
	case STRING:
		*(const char **)to = text;
		break;
	case FLAG:
		*(bool *)to = true;
		break;
	case MIX:
		parse_mix(text, to);
		break;
	case MODE:
		*(enum tg_mode *)to = (enum tg_mode)parse_word(row->name, text, modes);
		break;
	case COMPRESSION:
		*(bool *)to = parse_word(row->name, text, compressions);
		break;
	}
}

static void parse_options(struct tg_config *config, int argc, char **argv)
{
	struct option longs[N_OPTIONS + 2] = { 0 };
	int got;

	for (size_t i = 0; i < N_OPTIONS; i++)
		longs[i] = (struct option){ option_rows[i].name, option_rows[i].value != NULL, NULL,
					    (int)(1000 + i) };
	longs[N_OPTIONS] = (struct option){ "help", 0, NULL, 'h' };
	while ((got = getopt_long(argc, argv, "o:h", longs, NULL)) != -1) {
		if (got == 'h') {
			usage();
			exit(0);
		}
		if (got == '?')
			exit(2);
		apply(config, &option_rows[got == 'o' ? 0 : got - 1000], optarg);
	}
	if (optind < argc)
		tg_die("unexpected argument: %s", argv[optind]);
}

static void check_config(const struct tg_config *c)
{
	uint32_t weights = 0;

	for (int i = 0; i < TG_N_FAMILIES; i++)
		weights += c->mix[i];
	if (!c->output)
		tg_die("no output file: -o FILE");
	if (!c->cpus || c->cpus > TG_CPUS_MAX || !c->devices || c->devices > TG_DEVICES_MAX)
		tg_die("--cpus and --devices are 1..512");
	if (c->version != 6 && c->version != 7)
		tg_die("--file-version is 6 or 7");
	if (c->zstd && c->version == 6)
		tg_die("version 6 has no compression: --file-version 7");
	if (c->perf && (c->version != 6 || c->stacks || c->lost_ppm))
		tg_die("--perf knows no --file-version, --stacks and --lost");
	if (c->page_size < 4096 || c->page_size > 65536 || c->page_size & (c->page_size - 1))
		tg_die("--page-size is a power of two from 4096 to 65536");
	if (!weights || !c->live || c->live > 4000000 || !c->mean_gap_ns)
		tg_die("--mix, --gap and --live (to 4000000) must not be 0");
	if (c->distinct > 1000000)
		tg_die("--distinct goes to 1000000");
	if (c->mean_gap_ns > 1000000000 || c->leak > 1000000)
		tg_die("--gap goes to 1000000000 and --leak to 1000000");
	if (c->leak && c->events / (c->leak + 1) == 0)
		tg_die("--leak: more leaks than events");
}

static void print_counts(const struct tg_formats *formats, const struct tg_ring *ring,
			 const struct tg_work_totals *totals)
{
	uint64_t known, unknown, records = 0;

	tg_ring_lost(ring, &known, &unknown);
	for (int i = 0; i < TG_N_TPS; i++)
		records += tg_ring_count(ring, (enum tg_tp)i);
	printf("records=%" PRIu64 " events=%" PRIu64 " live=%" PRIu64 " leaked=%" PRIu64
	       " maps=%" PRIu64 " unmaps=%" PRIu64 " failed=%" PRIu64 " duplicates=%" PRIu64
	       " lost=%" PRIu64 " lost_unknown=%" PRIu64 " first_ns=%" PRIu64 " last_ns=%" PRIu64,
	       records, totals->dma_events, totals->live, totals->leaked, totals->maps,
	       totals->unmaps, totals->failed, totals->duplicates, known, unknown,
	       totals->first_ns, totals->last_ns);
	for (int i = 0; i < TG_N_TPS; i++) {
		uint64_t n = tg_ring_count(ring, (enum tg_tp)i);

		if (n)
			printf(" %s:%s=%" PRIu64, formats->desc[i].system, formats->desc[i].name, n);
	}
	putchar('\n');
}

int main(int argc, char **argv)
{
	struct tg_config config = {
		.kernel = "7.2", .clock = "mono", .seed = 1, .events = 10000, .live = 256,
		.fail_ppm = 200, .duplicate_ppm = 5000, .discard_ppm = 500, .mean_gap_ns = 800,
		.cpus = 4, .devices = 8, .page_size = 4096, .version = 6, .mode = TG_MIXED,
		.mix = { 65, 2, 20, 8, 3, 2 },
	};
	struct tg_work_totals totals;
	struct tg_perf *perf = NULL;
	struct tg_formats *formats;
	struct tg_ring *ring;
	struct tg_work *work;
	char folder[4096];

	parse_options(&config, argc, argv);
	check_config(&config);
	snprintf(folder, sizeof(folder), SRCDIR "/tests/fixtures/formats/%s", config.kernel);
	formats = tg_formats_load(config.formats ? config.formats : folder);
	if (config.perf)
		perf = tg_perf_create(&config, formats);
	ring = tg_ring_create(&config, perf);
	work = tg_work_create(&config, formats, ring);
	tg_work_run(work, &totals);
	if (perf) {
		tg_perf_finish(perf);
	} else {
		tg_ring_finish(ring);
		tg_container_write(&config, formats, ring);
	}
	print_counts(formats, ring, &totals);
	tg_work_destroy(work);
	tg_ring_destroy(ring);
	tg_perf_destroy(perf);
	tg_formats_destroy(formats);
	if (fflush(stdout) || ferror(stdout))
		tg_die("standard output: cannot write");
	return 0;
}

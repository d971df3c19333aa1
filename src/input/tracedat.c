// SPDX-License-Identifier: LGPL-2.1-only
/* A trace.dat as a source: its CPU streams merged into one time order. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "source.h"
#include "stream.h"

/* All read-ahead together; a stream never gets less than a page nor more than its share. */
#define READ_AHEAD_BYTES (8u << 20)
#define MAX_CHUNK_BYTES	 (256u << 10)

/** A stream, and the time of its head. */
struct turn {
	uint64_t ts;
	struct stream *stream;
};

struct tracedat_source {
	struct dms_source common;
	struct tracedat dat;
	char format[64];
	const char **instances;
	struct stream *streams; /* those that have data */
	struct turn *heap;	/* those that have a head: by (ts, instance, cpu), the first one first */
	uint64_t second_ts;	/* of the head that follows it; UINT64_MAX: there is none */
	struct stream *gapped;	/* whose gap is told next; NULL: none */
	uint32_t n_streams, n_heap;
	uint32_t next_first_gap; /* stream whose gap before its first record is told next */
	bool is_started;
	char *kallsyms;
	size_t kallsyms_size;
};

/* Earlier first; equal times in a fixed order, so that the same file gives the same run. */
static bool precedes(const struct turn *left, const struct turn *right)
{
	const struct stream *a, *b;

	if (left->ts != right->ts)
		return left->ts < right->ts;
	a = left->stream;
	b = right->stream;
	if (a->instance != b->instance)
		return a->instance < b->instance;
	return a->cpu < b->cpu;
}

static void sift_down(struct tracedat_source *source, uint32_t at)
{
	struct turn *heap = source->heap, moving = heap[at];

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= source->n_heap)
			break;
		if (child + 1 < source->n_heap && precedes(&heap[child + 1], &heap[child]))
			child++;
		if (!precedes(&heap[child], &moving))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moving;
}

/* The first of the heap has another time, or is another one. */
_apart_ static void reorder(struct tracedat_source *source)
{
	const struct turn *heap = source->heap;

	if (source->n_heap)
		sift_down(source, 0);
	source->second_ts = source->n_heap > 1 ? heap[1].ts : UINT64_MAX;
	if (source->n_heap > 2 && heap[2].ts < source->second_ts)
		source->second_ts = heap[2].ts;
}

static void give_gap(struct stream *stream, struct dms_item *ret)
{
	ret->kind = DMS_ITEM_GAP;
	ret->file = 0;
	ret->gap = stream->gap;
	stream->has_gap = false;
}

/* What was lost before the first records, before them all. False if there is no more. */
static bool give_first_gap(struct tracedat_source *source, struct dms_item *ret)
{
	while (source->next_first_gap < source->n_streams) {
		struct stream *stream = &source->streams[source->next_first_gap++];

		if (stream->has_gap) {
			give_gap(stream, ret);
			return true;
		}
	}
	return false;
}

/*
 * The first of the heap gives its head. Nearly always (96 % of the shared recording) it stays the
 * first: its CPU has more to tell before another one does.
 */
static struct dms_error *give_record(struct tracedat_source *source, struct dms_item *ret)
{
	struct turn *first = &source->heap[0];
	struct stream *stream = first->stream;
	struct dms_error *err;

	ret->kind = DMS_ITEM_RECORD;
	ret->file = 0;
	if ((err = stream_take(stream, &ret->record)))
		return err;
	if (stream->has_gap)
		source->gapped = stream;
	first->ts = stream->head_ts;
	if (!stream->has_head)
		*first = source->heap[--source->n_heap];
	else if (first->ts < source->second_ts)
		return NULL;
	reorder(source);
	return NULL;
}

/* There are no heads: it is the beginning, or the end. */
_apart_ static struct dms_error *give_outermost(struct tracedat_source *source,
						struct dms_item *ret)
{
	*ret = (struct dms_item){.kind = DMS_ITEM_END};
	if (source->is_started || give_first_gap(source, ret))
		return NULL;
	source->is_started = true;
	for (uint32_t i = 0; i < source->n_streams; i++) {
		struct stream *stream = &source->streams[i];

		if (stream->has_head)
			source->heap[source->n_heap++] = (struct turn){stream->head_ts, stream};
	}
	for (uint32_t i = source->n_heap / 2; i--;)
		sift_down(source, i);
	reorder(source);
	return source->n_heap ? give_record(source, ret) : NULL;
}

_flat_ static struct dms_error *tracedat_next(struct dms_source *common, struct dms_item *ret)
{
	struct tracedat_source *source = (struct tracedat_source *)common;

	if (source->gapped) { /* it begins right behind the record given last */
		give_gap(source->gapped, ret);
		source->gapped = NULL;
		return NULL;
	}
	return source->n_heap ? give_record(source, ret) : give_outermost(source, ret);
}

/* "size, then the text", in a section of its own (v7) or inline (v6). */
static struct dms_error *load_kallsyms(struct tracedat_source *source)
{
	struct tracedat *dat = &source->dat;
	uint64_t size = dat->kallsyms_size;
	struct cursor cursor = {0};
	struct dms_error *err = NULL;
	const uint8_t *at;

	if (dat->version == 7) {
		err = tracedat_load_section(dat, dat->kallsyms_offset, "kallsyms", &cursor);
		if (!err)
			err = cursor_number(&cursor, 4, "the size of kallsyms", &size);
	} else {
		cursor_init_file(&cursor, &dat->file, dat->kallsyms_offset);
	}
	if (!err)
		err = cursor_take(&cursor, size, "kallsyms", &at);
	if (!err) {
		source->kallsyms = dms_strndup((const char *)at, size);
		source->kallsyms_size = size;
		err = source->kallsyms ? NULL : &dms_error_nomem;
	}
	cursor_deinit(&cursor);
	return err;
}

static struct dms_error *tracedat_kallsyms(struct dms_source *common, const char **ret,
					   size_t *ret_size)
{
	struct tracedat_source *source = (struct tracedat_source *)common;
	struct dms_error *err = NULL;

	if (!source->kallsyms && source->dat.kallsyms_offset)
		err = load_kallsyms(source);
	*ret = source->kallsyms;
	*ret_size = source->kallsyms_size;
	return err;
}

static void tracedat_progress(const struct dms_source *common, uint64_t *ret_done,
			      uint64_t *ret_total)
{
	const struct tracedat_source *source = (const struct tracedat_source *)common;

	*ret_done = *ret_total = 0;
	for (size_t i = 0; i < source->dat.n_buffers; i++) {
		for (uint32_t j = 0; j < source->dat.buffers[i].n_cpus; j++)
			*ret_total += source->dat.buffers[i].cpus[j].size;
	}
	*ret_done = *ret_total;
	for (uint32_t i = 0; i < source->n_streams; i++)
		*ret_done -= source->streams[i].end - source->streams[i].position;
}

static uint64_t tracedat_damage(const struct dms_source *common, const char **ret_first)
{
	const struct tracedat_source *source = (const struct tracedat_source *)common;
	uint64_t sum = 0;

	*ret_first = NULL;
	for (uint32_t i = 0; i < source->n_streams; i++) {
		sum += source->streams[i].n_damaged;
		if (!*ret_first)
			*ret_first = source->streams[i].first_damage;
	}
	return sum;
}

static void tracedat_source_close(struct dms_source *common)
{
	struct tracedat_source *source = (struct tracedat_source *)common;

	for (uint32_t i = 0; i < source->n_streams; i++)
		stream_close(&source->streams[i]);
	dms_free(source->streams);
	dms_free(source->heap);
	dms_free(source->instances);
	dms_free(source->kallsyms);
	tracedat_close(&source->dat);
	dms_free(source);
}

static const struct source_ops tracedat_ops = {
	.next = tracedat_next,
	.kallsyms = tracedat_kallsyms,
	.progress = tracedat_progress,
	.damage = tracedat_damage,
	.close = tracedat_source_close,
};

/* Units of these clocks are no nanoseconds, unless the file says how to convert them. */
static bool clock_is_ns(const struct tracedat *dat)
{
	static const char *const cycle_clocks[] = {"x86-tsc", "ppc-tb"};

	if (!dat->clock)
		return true; /* trace-cmd names every clock but the default one */
	if (!strcmp(dat->clock, "counter") || !strcmp(dat->clock, "uptime"))
		return false; /* of events; of ticks, 10 ms each */
	for (size_t i = 0; i < DMS_ARRAY_SIZE(cycle_clocks); i++) {
		if (!strcmp(dat->clock, cycle_clocks[i]))
			return dat->tsc_mult != 0;
	}
	return true;
}

static bool fill_info(struct tracedat_source *source)
{
	struct dms_source_info *info = &source->common.info;
	struct tracedat *dat = &source->dat;

	source->instances = dms_alloc(dat->n_buffers * sizeof(*source->instances));
	if (!source->instances)
		return false;
	for (size_t i = 0; i < dat->n_buffers; i++)
		source->instances[i] = dat->buffers[i].name;
	if (!dat->clock && dat->n_buffers)
		dat->clock = dat->buffers[0].clock;
	snprintf(source->format, sizeof(source->format), "trace.dat v%u%s%.20s%s", dat->version,
		 dat->compression ? " (" : "", dat->compression ? dat->compression_name : "",
		 dat->compression ? ")" : "");
	*info = (struct dms_source_info){
		.path = dat->file.path,
		.format = source->format,
		.uname = dat->uname,
		.release = dat->release,
		.clock = dat->clock,
		.tool = dat->writer,
		.instances = source->instances,
		.n_instances = (uint32_t)dat->n_buffers,
		.n_cpus = dat->n_cpus,
		.page_size = dat->page_size,
		.long_size = dat->long_size,
		.big_endian = dat->big_endian,
		.clock_is_ns = clock_is_ns(dat),
		.file_size = dat->file.size,
		.lost_by_stats = dat->lost_by_stats,
		.stats_ts = dat->stats_ts ? dat->stats_ts + (uint64_t)dat->ts_offset_ns : 0,
	};
	source->common.formats = dat->formats;
	source->common.n_formats = (uint32_t)dat->n_formats;
	source->common.cmdlines = dat->cmdlines;
	return true;
}

/* How much of a CPU's data the file lacks. */
static void count_missing(struct dms_source_info *info, const struct tracedat_cpu *cpu)
{
	uint64_t present = cpu->offset < info->file_size ? info->file_size - cpu->offset : 0;

	if (cpu->size <= present)
		return;
	if (!info->missing_bytes)
		info->missing_offset = cpu->offset + present;
	info->missing_bytes += cpu->size - present;
}

static struct dms_error *open_streams(struct tracedat_source *source)
{
	struct tracedat *dat = &source->dat;
	uint32_t n_cpus = 0, share;

	for (size_t i = 0; i < dat->n_buffers; i++)
		n_cpus += dat->buffers[i].n_cpus;
	source->streams = dms_zalloc(n_cpus * sizeof(*source->streams));
	source->heap = dms_zalloc(n_cpus * sizeof(*source->heap));
	if (!source->streams || !source->heap)
		return &dms_error_nomem;
	share = READ_AHEAD_BYTES / (2 * (n_cpus ? n_cpus : 1));
	if (share > MAX_CHUNK_BYTES)
		share = MAX_CHUNK_BYTES;
	for (size_t i = 0; i < dat->n_buffers; i++) {
		const struct tracedat_buffer *buffer = &dat->buffers[i];
		uint32_t bytes = share > buffer->page_size ? share : buffer->page_size;

		for (uint32_t j = 0; j < buffer->n_cpus; j++) {
			struct stream *stream = &source->streams[source->n_streams];
			struct dms_error *err;

			count_missing(&source->common.info, &buffer->cpus[j]);
			if (!buffer->cpus[j].size)
				continue;
			source->n_streams++;
			err = stream_open(stream, dat, (uint32_t)i, &buffer->cpus[j], bytes);
			if (err)
				return err;
			if (buffer->cpus[j].cpu >= source->common.info.n_cpus)
				source->common.info.n_cpus = buffer->cpus[j].cpu + 1;
		}
	}
	return NULL;
}

struct dms_error *tracedat_source_open(struct file *file, const struct dms_source_options *options,
				       struct dms_source **ret)
{
	(void)options; /* a trace.dat has its formats */
	struct tracedat_source *source = dms_zalloc(sizeof(*source));
	struct dms_error *err;

	if (!source) {
		file_close(file);
		return &dms_error_nomem;
	}
	source->common.ops = &tracedat_ops;
	err = tracedat_open(file, &source->dat);
	if (!err && !fill_info(source))
		err = &dms_error_nomem;
	if (!err)
		err = open_streams(source);
	if (err) {
		tracedat_source_close(&source->common);
		return err;
	}
	*ret = &source->common;
	return NULL;
}

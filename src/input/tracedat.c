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

struct tracedat_source {
	struct dms_source common;
	struct tracedat dat;
	char format[64];
	const char **instances;
	struct stream *streams; /* those that have data */
	struct stream **heap;	/* by (ts, instance, cpu), the next record first */
	uint32_t n_streams, n_heap;
	uint32_t next_first_gap; /* stream whose gap before its first record is told next */
	bool is_started;
	char *kallsyms;
	size_t kallsyms_size;
};

/* Earlier first; equal times in a fixed order, so that the same file gives the same run. */
static bool precedes(const struct stream *left, const struct stream *right)
{
	const struct dms_record *a = &left->record, *b = &right->record;

	if (a->ts != b->ts)
		return a->ts < b->ts;
	if (a->instance != b->instance)
		return a->instance < b->instance;
	return a->cpu < b->cpu;
}

static void sift_down(struct tracedat_source *source, uint32_t at)
{
	struct stream **heap = source->heap, *moving = heap[at];

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= source->n_heap)
			break;
		if (child + 1 < source->n_heap && precedes(heap[child + 1], heap[child]))
			child++;
		if (!precedes(heap[child], moving))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moving;
}

/* Make each stream's first record current and order the heap. */
_apart_ static struct dms_error *start(struct tracedat_source *source)
{
	for (uint32_t i = 0; i < source->n_streams; i++) {
		struct dms_error *err = stream_advance(&source->streams[i]);

		if (err)
			return err;
		if (source->streams[i].is_valid)
			source->heap[source->n_heap++] = &source->streams[i];
	}
	for (uint32_t i = source->n_heap / 2; i--;)
		sift_down(source, i);
	source->is_started = true;
	return NULL;
}

/* The stream whose record was given last moves on. */
static struct dms_error *advance_first(struct tracedat_source *source)
{
	struct stream *first = source->heap[0];
	struct dms_error *err = stream_advance(first);

	if (err)
		return err;
	if (!first->is_valid)
		source->heap[0] = source->heap[--source->n_heap];
	if (source->n_heap)
		sift_down(source, 0);
	return NULL;
}

static void give_gap(struct stream *stream, struct dms_item *ret)
{
	ret->kind = DMS_ITEM_GAP;
	ret->gap = stream->gap;
	ret->gap.instance = stream->record.instance;
	stream->has_gap = false;
}

/* What was lost before the first records, before them all. False if there is no more. */
_apart_ static bool give_first_gap(struct tracedat_source *source, struct dms_item *ret)
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
 * One by one, which volatile is for: what stream_advance() has just written member by member cannot
 * be read 16 bytes at a time without waiting for it, a quarter of the time that reading takes.
 */
static void give_record(const volatile struct dms_record *record, struct dms_item *ret)
{
	ret->kind = DMS_ITEM_RECORD;
	ret->record.ts = record->ts;
	ret->record.offset = record->offset;
	ret->record.data = record->data;
	ret->record.next = record->next;
	ret->record.size = record->size;
	ret->record.next_size = record->next_size;
	ret->record.cpu = record->cpu;
	ret->record.instance = record->instance;
	ret->record.n_chain = 0;
	ret->record.chain = NULL;
}

_flat_ static struct dms_error *tracedat_next(struct dms_source *common, struct dms_item *ret)
{
	struct tracedat_source *source = (struct tracedat_source *)common;
	struct dms_error *err = NULL;

	ret->file = 0;
	if (!source->is_started) {
		if (give_first_gap(source, ret))
			return NULL;
		err = start(source);
	} else if (source->n_heap) {
		if (source->heap[0]->has_gap) { /* it begins right after the record given last */
			give_gap(source->heap[0], ret);
			return NULL;
		}
		err = advance_first(source);
	}
	if (err)
		return err;
	if (!source->n_heap) {
		ret->kind = DMS_ITEM_END;
		return NULL;
	}
	give_record(&source->heap[0]->record, ret);
	return NULL;
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
	source->heap = dms_zalloc(n_cpus * sizeof(struct stream *));
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
			err = stream_open(stream, dat, buffer, &buffer->cpus[j], bytes);
			if (err)
				return err;
			stream->record.instance = (uint32_t)i;
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

// SPDX-License-Identifier: LGPL-2.1-only
/* The records of one CPU, from their log into pages of the file. */
#include <string.h>

#include <zstd.h>

#include "../input/file.h"
#include "local.h"

/* Compressed together, as trace-cmd does; a page may be larger. */
#define CHUNK_BYTES (64u << 10)
#define ZSTD_LEVEL  3

/** Pages on their way into the file. */
struct cpu_writer {
	struct container *container;
	struct cpu_extent *extent;
	uint8_t *chunk, *packed; /* compressed files only */
	size_t filled, room, packed_room;
	uint32_t n_chunks;
};

/* Data begin on a page, and only where there are some. */
static struct dms_error *begin_data(struct cpu_writer *writer)
{
	static const uint8_t no_chunks[4];
	struct dms_error *err;

	if (writer->extent->offset)
		return NULL;
	if ((err = container_align(writer->container)))
		return err;
	writer->extent->offset = writer->container->position;
	if (!writer->chunk)
		return NULL;
	return container_write(writer->container, no_chunks, sizeof(no_chunks));
}

static struct dms_error *write_chunk(struct cpu_writer *writer)
{
	bool big_endian = writer->container->output->shape.big_endian;
	struct dms_error *err;
	uint8_t head[8];
	size_t packed;

	if (!writer->filled)
		return NULL;
	packed = ZSTD_compress(writer->packed, writer->packed_room, writer->chunk, writer->filled,
			       ZSTD_LEVEL);
	if (ZSTD_isError(packed))
		return dms_error_new(DMS_ERROR_INTERNAL, "zstd: %s", ZSTD_getErrorName(packed));
	ring_store(head, 4, packed, big_endian);
	ring_store(head + 4, 4, writer->filled, big_endian);
	writer->filled = 0;
	writer->n_chunks++;
	err = container_write(writer->container, head, sizeof(head));
	return err ? err : container_write(writer->container, writer->packed, packed);
}

static struct dms_error *take_page(void *context, const uint8_t *page)
{
	struct cpu_writer *writer = context;
	uint32_t page_size = writer->container->output->shape.page_size;
	struct dms_error *err = begin_data(writer);

	if (err)
		return err;
	if (!writer->chunk)
		return container_write(writer->container, page, page_size);
	memcpy(writer->chunk + writer->filled, page, page_size);
	writer->filled += page_size;
	return writer->filled + page_size > writer->room ? write_chunk(writer) : NULL;
}

/* The number its event has in this file, in place of that of its own. */
static void patch_type(const struct dms_output *output, uint32_t file, uint8_t *record,
		       uint32_t bytes)
{
	const uint16_t *map = output->formats.maps[file];

	if (map && bytes >= 2)
		ring_store(record, 2, map[load16(record, output->swap)], output->shape.big_endian);
}

static struct dms_error *copy_event(struct dms_output *output, struct ring *ring, uint32_t file,
				    struct spill_reader *reader, const struct entry *entry)
{
	struct dms_error *err;
	uint8_t *to;

	if ((err = ring_reserve(ring, entry->ts, entry->bytes, &to)) ||
	    (err = spill_read(reader, to, entry->bytes)))
		return err;
	patch_type(output, file, to, entry->bytes);
	return NULL;
}

/* What a log has of a stack: the common fields of its event, then addresses of 64 bits. */
static struct dms_error *copy_stack(struct dms_output *output, struct ring *ring,
				    struct spill_reader *reader, const struct entry *entry)
{
	uint32_t n_frames = (entry->bytes - OUTPUT_COMMON_BYTES) / 8, at = output->formats.stack_offset;
	const struct ring_shape *shape = &output->shape;
	struct dms_error *err;
	uint8_t *to;

	if ((err = ring_reserve(ring, entry->ts, at + n_frames * shape->long_size, &to)) ||
	    (err = spill_read(reader, to, OUTPUT_COMMON_BYTES)))
		return err;
	ring_store(to, 2, output->formats.stack_type, shape->big_endian);
	memset(to + OUTPUT_COMMON_BYTES, 0, at - OUTPUT_COMMON_BYTES);
	if (at >= OUTPUT_COMMON_BYTES + 4)
		ring_store(to + OUTPUT_COMMON_BYTES, 4, n_frames, shape->big_endian);
	for (uint32_t i = 0; i < n_frames; i++) {
		uint64_t address;

		if ((err = spill_read(reader, &address, sizeof(address))))
			return err;
		ring_store(to + at + i * shape->long_size, shape->long_size, address,
			   shape->big_endian);
	}
	return NULL;
}

static struct dms_error *lay_out(struct dms_output *output, struct ring *ring, uint32_t file,
				 struct spill_reader *reader)
{
	struct dms_error *err = NULL;
	struct entry entry;

	while (!err && !spill_reader_at_end(reader)) {
		if ((err = spill_read(reader, &entry, sizeof(entry))))
			break;
		if (entry.kind == ENTRY_GAP)
			err = ring_gap(ring, entry.ts);
		else if (entry.kind == ENTRY_STACK)
			err = copy_stack(output, ring, reader, &entry);
		else
			err = copy_event(output, ring, file, reader, &entry);
	}
	return err ? err : ring_flush(ring);
}

static struct dms_error *alloc_chunk(struct cpu_writer *writer, uint32_t page_size)
{
	writer->room = page_size > CHUNK_BYTES ? page_size : CHUNK_BYTES;
	writer->packed_room = ZSTD_compressBound(writer->room);
	writer->chunk = dms_alloc(writer->room);
	writer->packed = dms_alloc(writer->packed_room);
	return writer->chunk && writer->packed ? NULL : &dms_error_nomem;
}

static struct dms_error *end_data(struct cpu_writer *writer)
{
	struct container *container = writer->container;
	struct dms_error *err;
	uint8_t count[4];

	if (!writer->extent->offset)
		return NULL;
	if (writer->chunk) {
		if ((err = write_chunk(writer)))
			return err;
		ring_store(count, sizeof(count), writer->n_chunks,
			   container->output->shape.big_endian);
		err = container_patch(container, writer->extent->offset, count, sizeof(count));
		if (err)
			return err;
	}
	writer->extent->bytes = container->position - writer->extent->offset;
	return NULL;
}

struct dms_error *cpu_write(struct container *container, const struct output_instance *instance,
			    uint32_t cpu, struct cpu_extent *ret)
{
	struct dms_output *output = container->output;
	struct cpu_writer writer = {.container = container, .extent = ret};
	struct spill_reader reader = {0};
	struct dms_error *err;
	struct ring ring;

	*ret = (struct cpu_extent){0};
	if (cpu >= instance->n_logs || !instance->logs[cpu].slot)
		return NULL;
	err = ring_init(&ring, &output->shape, take_page, &writer);
	if (!err && output->options.is_zstd)
		err = alloc_chunk(&writer, output->shape.page_size);
	if (!err)
		err = spill_reader_init(&reader, &output->spill, &instance->logs[cpu]);
	if (!err)
		err = lay_out(output, &ring, instance->file, &reader);
	if (!err)
		err = end_data(&writer);
	output->report.gap_counts += ring.gap_counts;
	spill_reader_deinit(&reader);
	ring_deinit(&ring);
	dms_free(writer.chunk);
	dms_free(writer.packed);
	return err;
}

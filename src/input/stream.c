// SPDX-License-Identifier: LGPL-2.1-only
/* The records of one CPU in one ring buffer of a trace.dat, one after the other. */
#include <inttypes.h>

#include "stream.h"

/* trace-cmd writes chunks of some pages; a header that claims more than this is damaged. */
#define MAX_CHUNK_BYTES (64u << 20)

_apart_ static struct dms_error *note_damage(struct stream *stream, uint64_t offset, const char *what)
{
	stream->n_damaged++;
	stream->next_missed = PAGE_MISSED_UNKNOWN;
	if (stream->first_damage)
		return NULL;
	stream->first_damage = dms_asprintf("at offset %#" PRIx64 ": %s", offset, what);
	return stream->first_damage ? NULL : &dms_error_nomem;
}

static bool chunk_reserve(struct chunk *chunk, size_t bytes)
{
	uint8_t *pages;

	if (bytes <= chunk->capacity)
		return true;
	pages = dms_realloc(chunk->pages, bytes);
	if (!pages)
		return false;
	chunk->pages = pages;
	chunk->capacity = bytes;
	return true;
}

static struct dms_error *load_plain(struct stream *stream, struct chunk *chunk)
{
	uint64_t left = stream->end - stream->position;
	uint32_t bytes = left < stream->chunk_bytes ? (uint32_t)left : stream->chunk_bytes;
	struct dms_error *err;

	if (!chunk_reserve(chunk, bytes))
		return &dms_error_nomem;
	err = file_read(&stream->dat->file, stream->position, chunk->pages, bytes);
	if (err)
		return err;
	chunk->offset = stream->position;
	chunk->size = bytes;
	stream->position += bytes;
	return NULL;
}

/* A compressed chunk that cannot be read ends the stream: where the next begins is unknown. */
static struct dms_error *give_up(struct stream *stream, const char *what)
{
	struct dms_error *err = note_damage(stream, stream->position, what);

	stream->position = stream->end;
	stream->chunks_left = 0;
	return err;
}

static struct dms_error *load_packed(struct stream *stream, struct chunk *chunk)
{
	bool swap = stream->dat->big_endian != HOST_BIG_ENDIAN;
	_cleanup_(dms_freep) uint8_t *packed = NULL;
	struct dms_error *err;
	uint32_t packed_size, size;
	uint8_t head[8];

	if (stream->end - stream->position < sizeof(head))
		return give_up(stream, "expected the header of a compressed chunk");
	if ((err = file_read(&stream->dat->file, stream->position, head, sizeof(head))))
		return err;
	packed_size = load32(head, swap);
	size = load32(head + 4, swap);
	if (packed_size > stream->end - stream->position - sizeof(head))
		return give_up(stream, "truncated: a compressed chunk ends behind its CPU's data");
	if (size > MAX_CHUNK_BYTES)
		return give_up(stream, "a compressed chunk claims more than 64 MiB");
	packed = dms_alloc(packed_size);
	if (!packed || !chunk_reserve(chunk, size))
		return &dms_error_nomem;
	err = file_read(&stream->dat->file, stream->position + sizeof(head), packed, packed_size);
	if (err)
		return err;
	if (!compression_unpack(stream->dat->compression, packed, packed_size, chunk->pages, size))
		return give_up(stream, "a compressed chunk does not decompress");
	chunk->offset = stream->position;
	chunk->size = size;
	stream->position += sizeof(head) + packed_size;
	stream->chunks_left--;
	return NULL;
}

/* Fill the chunk whose turn it is. *@ret false: no more data. */
static struct dms_error *load_chunk(struct stream *stream, bool *ret)
{
	struct chunk *chunk = &stream->chunks[!stream->held];
	struct dms_error *err;

	chunk->size = 0;
	*ret = stream->compressed ? stream->chunks_left > 0 : stream->position < stream->end;
	if (!*ret)
		return NULL;
	err = stream->compressed ? load_packed(stream, chunk) : load_plain(stream, chunk);
	stream->filled = !stream->held;
	stream->page_offset = 0;
	return err;
}

static uint64_t page_file_offset(const struct stream *stream)
{
	const struct chunk *chunk = &stream->chunks[stream->filled];

	return stream->compressed ? chunk->offset : chunk->offset + stream->page_offset;
}

/* Begin the next page, in the next chunk if need be. *@ret false: no more data. */
_apart_ static struct dms_error *load_page(struct stream *stream, bool *ret)
{
	struct chunk *chunk = &stream->chunks[stream->filled];
	struct dms_error *err;
	uint64_t missed;
	uint32_t left;

	*ret = true;
	while (stream->page_offset >= chunk->size) {
		err = load_chunk(stream, ret);
		if (err || !*ret)
			return err;
		chunk = &stream->chunks[stream->filled];
	}
	left = chunk->size - stream->page_offset;
	if (left < stream->page_size) {
		err = note_damage(stream, page_file_offset(stream),
				  "truncated: expected a whole ring-buffer page");
		stream->page_offset = chunk->size;
		return err;
	}
	if (page_begin(&stream->page, chunk->pages + stream->page_offset, stream->page_size,
		       stream->dat->long_size, &missed)) {
		stream->in_page = true;
		if (missed)
			stream->next_missed = missed;
		err = NULL;
	} else {
		err = note_damage(stream, page_file_offset(stream),
				  "a ring-buffer page claims more data than fits");
	}
	stream->page_offset += stream->page_size;
	return err;
}

/* Read the next record ahead; has_next false at the end. */
static struct dms_error *read_ahead(struct stream *stream)
{
	struct dms_error *err;
	bool more = true;

	stream->next_missed = 0;
	stream->held = stream->filled;
	for (;;) {
		if (!stream->in_page) {
			err = load_page(stream, &more);
			if (err || !more)
				break;
			continue;
		}
		switch (page_next(&stream->page)) {
		case PAGE_EVENT:
			stream->next_data = stream->page.data;
			stream->next_size = stream->page.size;
			stream->next_ts = stream->page.ts;
			stream->next_offset = page_file_offset(stream) -
					      (stream->compressed ? 0 : stream->page_size);
			stream->has_next = true;
			return NULL;
		case PAGE_END:
			stream->in_page = false;
			break;
		case PAGE_DAMAGED:
			stream->in_page = false;
			err = note_damage(
				stream, page_file_offset(stream),
				"a ring-buffer page before this has an entry that does not fit");
			if (err)
				return err;
		}
	}
	stream->has_next = false;
	return err;
}

/* Trace clock to what dms_record promises. */
static uint64_t convert_ts(const struct tracedat *dat, uint64_t ts)
{
	if (dat->tsc_mult)
		ts = (uint64_t)(((unsigned __int128)ts * dat->tsc_mult) >> dat->tsc_shift);
	return ts + (uint64_t)dat->ts_offset_ns;
}

/* What was lost between the current record, if there is one, and the one read ahead. */
static void set_gap(struct stream *stream)
{
	stream->has_gap = stream->next_missed != 0;
	if (!stream->has_gap)
		return;
	stream->gap.after_ts = stream->is_valid ? stream->record.ts : 0;
	stream->gap.before_ts =
		stream->has_next ? convert_ts(stream->dat, stream->next_ts) : UINT64_MAX;
	stream->gap.lost = stream->next_missed == PAGE_MISSED_UNKNOWN ? 0 : stream->next_missed;
}

struct dms_error *stream_advance(struct stream *stream)
{
	struct dms_error *err;

	stream->is_valid = stream->has_next;
	if (!stream->is_valid)
		return NULL;
	stream->record.data = stream->next_data;
	stream->record.size = stream->next_size;
	stream->record.offset = stream->next_offset;
	stream->record.ts = convert_ts(stream->dat, stream->next_ts);
	err = read_ahead(stream);
	stream->record.next = stream->has_next ? stream->next_data : NULL;
	stream->record.next_size = stream->has_next ? stream->next_size : 0;
	set_gap(stream);
	return err;
}

static struct dms_error *read_chunk_count(struct stream *stream)
{
	struct dms_error *err;
	uint32_t count;

	if (stream->end - stream->position < sizeof(count))
		return give_up(stream, "expected the number of compressed chunks");
	err = file_read(&stream->dat->file, stream->position, &count, sizeof(count));
	if (err)
		return err;
	stream->chunks_left = load32(&count, stream->dat->big_endian != HOST_BIG_ENDIAN);
	stream->position += sizeof(count);
	return NULL;
}

struct dms_error *stream_open(struct stream *stream, const struct tracedat *dat,
			      const struct tracedat_buffer *buffer, const struct tracedat_cpu *cpu,
			      uint32_t chunk_bytes)
{
	uint64_t size = dat->file.size, bytes;
	struct dms_error *err = NULL;

	*stream = (struct stream){
		.dat = dat,
		.position = cpu->offset < size ? cpu->offset : size,
		.page_size = buffer->page_size,
		.chunk_bytes = chunk_bytes - chunk_bytes % buffer->page_size,
		.compressed = buffer->compressed,
		.record.cpu = cpu->cpu,
		.gap.cpu = cpu->cpu,
		.page.swap = dat->big_endian != HOST_BIG_ENDIAN,
		.page.big_endian = dat->big_endian,
	};
	/* trace-cmd 3.1 does not count the number of chunks in the size of compressed data. */
	bytes = cpu->size + (buffer->compressed ? sizeof(uint32_t) : 0);
	stream->end = bytes < size - stream->position ? stream->position + bytes : size;
	if (stream->compressed && stream->position < stream->end)
		err = read_chunk_count(stream);
	if (!err)
		err = read_ahead(stream);
	if (!err)
		set_gap(stream);
	return err;
}

void stream_close(struct stream *stream)
{
	dms_free(stream->chunks[0].pages);
	dms_free(stream->chunks[1].pages);
	dms_free(stream->first_damage);
	stream->chunks[0].pages = NULL;
	stream->chunks[1].pages = NULL;
	stream->first_damage = NULL;
}

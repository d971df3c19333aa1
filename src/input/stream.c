// SPDX-License-Identifier: LGPL-2.1-only
/* The records of one CPU in one ring buffer of a trace.dat, one after the other. */
#include <inttypes.h>

#include "stream.h"

/* trace-cmd writes chunks of some pages; a header that claims more than this is damaged. */
#define MAX_CHUNK_BYTES (64u << 20)

_apart_ static struct dms_error *note_damage(struct stream *stream, uint64_t offset, const char *what)
{
	stream->n_damaged++;
	stream->missed = PAGE_MISSED_UNKNOWN;
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
	enum unpacking unpacking;
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
	unpacking = compression_unpack(stream->dat->compression, packed, packed_size, chunk->pages,
				       size);
	if (unpacking == UNPACK_NO_MEMORY)
		return &dms_error_nomem;
	if (unpacking != UNPACK_DONE)
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

static struct dms_error *begin_page(struct stream *stream, const uint8_t *memory)
{
	uint64_t missed;

	stream->head_offset = page_file_offset(stream);
	if (!page_begin(&stream->page, memory, stream->page_size, stream->dat->long_size, &missed))
		return note_damage(stream, stream->head_offset,
				   "a ring-buffer page claims more data than fits");
	if (missed)
		stream->missed = missed;
	return NULL;
}

/*
 * Begin the next page, in the next chunk if need be; a damaged one has no records. *@ret false: no
 * more data.
 */
static struct dms_error *load_page(struct stream *stream, bool *ret)
{
	struct chunk *chunk = &stream->chunks[stream->filled];
	struct dms_error *err;
	uint32_t left;

	*ret = true;
	while (stream->page_offset >= chunk->size) {
		err = load_chunk(stream, ret);
		if (err || !*ret)
			return err;
		chunk = &stream->chunks[stream->filled];
	}
	stream->page.at = stream->page.end = chunk->pages;
	left = chunk->size - stream->page_offset;
	if (left < stream->page_size) {
		err = note_damage(stream, page_file_offset(stream),
				  "truncated: expected a whole ring-buffer page");
		stream->page_offset = chunk->size;
		return err;
	}
	err = begin_page(stream, chunk->pages + stream->page_offset);
	stream->page_offset += stream->page_size;
	return err;
}

/* Trace clock to what dms_record promises. */
static uint64_t convert_ts(const struct tracedat *dat, uint64_t ts)
{
	if (dat->tsc_mult)
		ts = (uint64_t)(((unsigned __int128)ts * dat->tsc_mult) >> dat->tsc_shift);
	return ts + (uint64_t)dat->ts_offset_ns;
}

/* What was lost between the record taken last, of @after_ts, and the head, if there is one. */
static void set_gap(struct stream *stream, uint64_t after_ts)
{
	stream->has_gap = stream->missed != 0;
	if (!stream->has_gap)
		return;
	stream->gap.after_ts = after_ts;
	stream->gap.before_ts = stream->has_head ? stream->head_ts : UINT64_MAX;
	stream->gap.lost = stream->missed == PAGE_MISSED_UNKNOWN ? 0 : stream->missed;
}

/* Look for the head in the pages behind this one, which is over; @found says how. */
static struct dms_error *search_pages(struct stream *stream, enum page_result found)
{
	bool more;

	do {
		struct dms_error *err = NULL;

		if (found == PAGE_DAMAGED)
			err = note_damage(
				stream, page_file_offset(stream),
				"a ring-buffer page before this has an entry that does not fit");
		if (err || (err = load_page(stream, &more)) || !more)
			return err;
		found = page_next(&stream->page);
	} while (found != PAGE_EVENT);
	stream->head_ts = convert_ts(stream->dat, stream->page.ts);
	stream->has_head = true;
	return NULL;
}

/* The head is in another page, one in 56: only between pages can anything be lost. */
_apart_ static struct dms_error *turn_page(struct stream *stream, enum page_result found,
					   uint64_t after_ts)
{
	struct dms_error *err;

	stream->missed = 0;
	stream->held = stream->filled;
	stream->has_head = false;
	err = search_pages(stream, found);
	if (!stream->has_head) { /* as in a record that is followed by none */
		stream->page.data = NULL;
		stream->page.size = 0;
	}
	set_gap(stream, after_ts);
	return err;
}

struct dms_error *stream_take(struct stream *stream, struct dms_record *ret)
{
	struct dms_error *err = NULL;
	enum page_result found;

	ret->ts = stream->head_ts;
	ret->offset = stream->head_offset;
	ret->data = stream->page.data;
	ret->size = stream->page.size;
	ret->cpu = stream->cpu;
	ret->instance = stream->instance;
	ret->n_chain = 0;
	ret->chain = NULL;
	found = page_next(&stream->page);
	if (found == PAGE_EVENT)
		stream->head_ts = convert_ts(stream->dat, stream->page.ts);
	else
		err = turn_page(stream, found, ret->ts);
	ret->next = stream->page.data;
	ret->next_size = stream->page.size;
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

struct dms_error *stream_open(struct stream *stream, const struct tracedat *dat, uint32_t instance,
			      const struct tracedat_cpu *cpu, uint32_t chunk_bytes)
{
	const struct tracedat_buffer *buffer = &dat->buffers[instance];
	uint64_t size = dat->file.size, bytes;
	struct dms_error *err = NULL;

	*stream = (struct stream){
		.dat = dat,
		.cpu = cpu->cpu,
		.instance = instance,
		.position = cpu->offset < size ? cpu->offset : size,
		.page_size = buffer->page_size,
		.chunk_bytes = chunk_bytes - chunk_bytes % buffer->page_size,
		.compressed = buffer->compressed,
		.gap = {.cpu = cpu->cpu, .instance = instance},
		.page.swap = dat->big_endian != HOST_BIG_ENDIAN,
		.page.big_endian = dat->big_endian,
	};
	/* trace-cmd 3.1 does not count the number of chunks in the size of compressed data. */
	bytes = cpu->size + (buffer->compressed ? sizeof(uint32_t) : 0);
	stream->end = bytes < size - stream->position ? stream->position + bytes : size;
	if (stream->compressed && stream->position < stream->end)
		err = read_chunk_count(stream);
	return err ? err : turn_page(stream, PAGE_END, 0);
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

// SPDX-License-Identifier: LGPL-2.1-only
/* The records of a perf.data one after the other, those of its compressed records among them. */
#include <inttypes.h>

#include "perf.h"

#define RESYNC_RECORDS 4 /* so many headers in a row make sense after damage: we are back */

struct dms_error *perf_reader_open(struct perf_reader *reader, const struct perf_head *head)
{
	*reader = (struct perf_reader){
		.head = head, .position = head->data_offset, .end = head->data_end};
	if (reader->end > head->file.size)
		reader->end = head->file.size;
	return NULL;
}

void perf_reader_close(struct perf_reader *reader)
{
	struct perf_block *held[] = {reader->block, reader->plain};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(held); i++) {
		if (held[i])
			perf_reader_release(reader, held[i]);
	}
	while (reader->free) {
		struct perf_block *next = reader->free->next;

		dms_free(reader->free->data);
		dms_free(reader->free);
		reader->free = next;
	}
	perf_unpacker_destroy(reader->unpacker);
	dms_free(reader->first_damage);
}

/* ---- blocks ----------------------------------------------------------------------------------
 */

static struct perf_block *block_get(struct perf_reader *reader)
{
	struct perf_block *block = reader->free;
	uint8_t *data = block ? block->data : NULL;

	if (block)
		reader->free = block->next;
	else if (!(block = dms_alloc(sizeof(*block))))
		return NULL;
	if (!data)
		data = dms_alloc(PERF_BLOCK_BYTES);
	*block = (struct perf_block){.data = data, .n_waiting = 1};
	if (data) {
		reader->loaded_bytes += PERF_BLOCK_BYTES;
		return block;
	}
	dms_free(block);
	return NULL;
}

void perf_reader_keep(struct perf_block *block)
{
	block->n_waiting++;
}

static void let_go(struct perf_reader *reader, struct perf_block *block)
{
	if (!block->data)
		return;
	reader->loaded_bytes -= block->is_window ? block->n_data : PERF_BLOCK_BYTES;
	dms_free(block->data);
	block->data = NULL;
}

void perf_reader_release(struct perf_reader *reader, struct perf_block *block)
{
	if (--block->n_waiting)
		return;
	if (block->is_window)
		let_go(reader, block);
	else if (block->data)
		reader->loaded_bytes -= PERF_BLOCK_BYTES;
	block->next = reader->free;
	reader->free = block;
}

uint64_t perf_block_offset(const struct perf_block *block, const uint8_t *data)
{
	return block->is_unpacked ? block->origin
				  : block->origin + block->data_at + (uint64_t)(data - block->data);
}

/* The window that begins with the record at @at. */
static struct dms_error *load_window(struct perf_reader *reader, struct perf_block *block,
				     uint32_t at)
{
	uint32_t bytes = block->n_bytes - at;
	struct dms_error *err;

	let_go(reader, block);
	if (bytes > PERF_WINDOW_BYTES + PERF_MAX_RECORD)
		bytes = PERF_WINDOW_BYTES + PERF_MAX_RECORD;
	block->data = dms_alloc(bytes);
	if (!block->data)
		return &dms_error_nomem;
	block->is_window = true;
	block->data_at = at;
	block->n_data = bytes;
	reader->loaded_bytes += bytes;
	err = file_read(&reader->head->file, block->origin + at, block->data, bytes);
	/* the file may have changed since: its sizes were checked then */
	if (!err && perf_record_size(reader->head, block->data) > bytes)
		err = dms_error_new(DMS_ERROR_INPUT, "%s: changed while it was read",
				    reader->head->file.path);
	return err;
}

struct dms_error *perf_block_record(struct perf_reader *reader, struct perf_block *block,
				    uint32_t at, const uint8_t **ret)
{
	struct dms_error *err = NULL;
	uint32_t in = at - block->data_at;

	if (!block->data ||
	    (block->is_window &&
	     (at < block->data_at || in + PERF_HEADER_BYTES > block->n_data ||
	      in + perf_record_size(reader->head, block->data + in) > block->n_data)))
		err = load_window(reader, block, at);
	*ret = err ? NULL : block->data + (at - block->data_at);
	return err;
}

/* A new block in place of *@at, which whoever waits in it keeps. */
static struct dms_error *block_renew(struct perf_reader *reader, struct perf_block **at)
{
	struct perf_block *block, *old = *at;

	if (old && old->n_waiting > 1 && !old->is_unpacked &&
	    reader->loaded_bytes > PERF_LOADED_BYTES)
		let_go(reader, old);
	if (old)
		perf_reader_release(reader, old);
	*at = NULL;
	block = block_get(reader);
	*at = block;
	return block ? NULL : &dms_error_nomem;
}

/* ---- damage ----------------------------------------------------------------------------------
 */

struct dms_error *perf_reader_damage(struct perf_reader *reader, uint64_t offset, const char *what)
{
	if (reader->n_damaged++)
		return NULL;
	reader->first_damage = dms_asprintf("at offset %#" PRIx64 ": %s", offset, what);
	return reader->first_damage ? NULL : &dms_error_nomem;
}

/* Records are multiples of 8 bytes, but for those of pipe mode that have something behind them. */
static bool is_plausible(const struct perf_reader *reader, const uint8_t *header)
{
	uint32_t type = perf_record_type(reader->head, header);
	uint32_t size = perf_record_size(reader->head, header);

	return type && type < PERF_TYPE_END && size >= PERF_HEADER_BYTES &&
	       (size % 8 == 0 || type >= PERF_KERNEL_END);
}

/* Bytes from @at on that are no records: up to where a few in a row look like some. */
static uint32_t junk_bytes(const struct perf_reader *reader, const uint8_t *at, uint32_t bytes)
{
	for (uint32_t start = 4; start + PERF_HEADER_BYTES <= bytes; start += 4) {
		uint32_t next = start;
		int n_good = 0;

		while (n_good < RESYNC_RECORDS && next + PERF_HEADER_BYTES <= bytes &&
		       is_plausible(reader, at + next)) {
			next += perf_record_size(reader->head, at + next);
			n_good++;
		}
		if (n_good == RESYNC_RECORDS || (n_good && next == bytes))
			return start;
	}
	return bytes > PERF_HEADER_BYTES ? bytes - PERF_HEADER_BYTES : bytes;
}

/* ---- records within the compressed ones --------------------------------------------------------
 */

/* More of the stream behind what is left of the block. */
static struct dms_error *unpack_more(struct perf_reader *reader)
{
	struct perf_block *old = reader->plain;
	uint32_t left = old ? old->n_bytes - reader->plain_at : 0;
	struct dms_error *err;
	int64_t got;

	if (!old || PERF_BLOCK_BYTES - old->n_bytes < PERF_MAX_RECORD) {
		const uint8_t *from = old ? old->data + reader->plain_at : NULL;
		struct perf_block *block = block_get(reader);

		if (!block)
			return &dms_error_nomem;
		if (left)
			memcpy(block->data, from, left);
		block->n_bytes = left;
		block->is_unpacked = true;
		block->origin = reader->packed_offset;
		if (old)
			perf_reader_release(reader, old);
		reader->plain = block;
		reader->plain_at = 0;
	}
	got = perf_unpack(reader->unpacker, &reader->packed, &reader->n_packed,
			  reader->plain->data + reader->plain->n_bytes,
			  PERF_BLOCK_BYTES - reader->plain->n_bytes);
	if (got >= 0) {
		/* a full block: there may be more, even if all input is consumed */
		reader->has_pending = reader->plain->n_bytes + (uint32_t)got == PERF_BLOCK_BYTES;
		reader->plain->n_bytes += (uint32_t)got;
		return NULL;
	}
	err = perf_reader_damage(reader, reader->packed_offset,
				 "a compressed record that does not decompress");
	perf_unpacker_reset(reader->unpacker);
	reader->n_packed = 0;
	reader->has_pending = false;
	reader->plain_at = reader->plain->n_bytes;
	return err;
}

/* The next record in what was unpacked; ret->data NULL if more must be read first. */
static struct dms_error *next_plain(struct perf_reader *reader, struct perf_raw *ret)
{
	ret->data = NULL;
	while (reader->plain) {
		uint8_t *at = reader->plain->data + reader->plain_at;
		uint32_t left = reader->plain->n_bytes - reader->plain_at;
		struct dms_error *err;

		if (left >= PERF_HEADER_BYTES) {
			uint32_t size = perf_record_size(reader->head, at);

			if (!is_plausible(reader, at)) {
				reader->plain_at += junk_bytes(reader, at, left);
				err = perf_reader_damage(reader, reader->plain->origin,
							 "no record in what was compressed here");
				if (err)
					return err;
				continue;
			}
			if (size <= left) {
				reader->plain_at += size;
				*ret = (struct perf_raw){at, reader->plain,
							 perf_record_type(reader->head, at), size};
				return NULL;
			}
		}
		if (!reader->n_packed && !reader->has_pending)
			return NULL;
		if ((err = unpack_more(reader)))
			return err;
	}
	return NULL;
}

/* COMPRESSED: the data to the end; COMPRESSED2: u64 size, data, padding. */
static struct dms_error *begin_packed(struct perf_reader *reader, const struct perf_raw *raw)
{
	uint32_t before = PERF_HEADER_BYTES + (raw->type == PERF_COMPRESSED2 ? 8 : 0);
	uint64_t size = raw->size - PERF_HEADER_BYTES;

	if (raw->size < before)
		return perf_reader_damage(reader, perf_block_offset(raw->block, raw->data),
					  "a compressed record without data");
	if (raw->type == PERF_COMPRESSED2)
		size = load64(raw->data + PERF_HEADER_BYTES, reader->head->swap);
	if (size > raw->size - before)
		return perf_reader_damage(reader, perf_block_offset(raw->block, raw->data),
					  "a compressed record larger than itself");
	if (!reader->unpacker && !(reader->unpacker = perf_unpacker_create()))
		return &dms_error_nomem;
	reader->packed = raw->data + before;
	reader->n_packed = (uint32_t)size;
	reader->packed_offset = perf_block_offset(raw->block, raw->data);
	return reader->plain ? NULL : unpack_more(reader);
}

/* ---- records of the file -----------------------------------------------------------------------
 */

/* See to it that the block holds the record at reader->position, as far as the file does. */
static struct dms_error *fill(struct perf_reader *reader, uint32_t need, uint32_t *ret_left)
{
	struct perf_block *block = reader->block;
	uint64_t left = reader->end - reader->position;
	struct dms_error *err;

	if (block && reader->position >= block->origin &&
	    reader->position < block->origin + block->n_bytes) {
		*ret_left = (uint32_t)(block->origin + block->n_bytes - reader->position);
		if (*ret_left >= need || *ret_left == left)
			return NULL;
	}
	if ((err = block_renew(reader, &reader->block)))
		return err;
	block = reader->block;
	block->origin = reader->position;
	block->n_bytes = left < PERF_BLOCK_BYTES ? (uint32_t)left : PERF_BLOCK_BYTES;
	*ret_left = block->n_bytes;
	return file_read(&reader->head->file, block->origin, block->data, block->n_bytes);
}

static const uint8_t *here(const struct perf_reader *reader)
{
	return reader->block->data + (reader->position - reader->block->origin);
}

/* Bytes that stand behind a record without being part of it. */
static uint64_t bytes_behind(const struct perf_reader *reader, const struct perf_raw *raw)
{
	if (raw->type == PERF_TRACING_DATA && raw->size >= 12)
		return load32(raw->data + 8, reader->head->swap);
	if (raw->type == PERF_AUXTRACE && raw->size >= 16)
		return load64(raw->data + 8, reader->head->swap);
	return 0;
}

static struct dms_error *skip_junk(struct perf_reader *reader, const uint8_t *at, uint32_t left)
{
	uint64_t offset = reader->position;

	reader->position += junk_bytes(reader, at, left);
	if (reader->unpacker) /* a piece of its stream may be among it */
		perf_unpacker_reset(reader->unpacker);
	return perf_reader_damage(reader, offset, "no record of perf.data");
}

/* The next record of the file; ret->data NULL: none, or something had to be skipped. */
static struct dms_error *next_stored(struct perf_reader *reader, struct perf_raw *ret)
{
	struct dms_error *err;
	uint32_t left, size;
	const uint8_t *at;
	uint64_t behind;

	if ((err = fill(reader, PERF_HEADER_BYTES, &left)))
		return err;
	if (left < PERF_HEADER_BYTES)
		goto cut;
	at = here(reader);
	size = perf_record_size(reader->head, at);
	if (!is_plausible(reader, at))
		return skip_junk(reader, at, left);
	if ((err = fill(reader, size, &left)))
		return err;
	if (left < size)
		goto cut;
	at = here(reader);
	*ret = (struct perf_raw){at, reader->block, perf_record_type(reader->head, at), size};
	reader->position += size;
	behind = bytes_behind(reader, ret);
	if (behind > reader->end - reader->position) {
		reader->is_cut = true;
		err = perf_reader_damage(reader, reader->position,
					 "what stands behind a record is cut off");
		behind = reader->end - reader->position;
	}
	reader->position += behind;
	return err;
cut:
	reader->is_cut = true;
	err = reader->head->missing_bytes
		      ? NULL
		      : perf_reader_damage(reader, reader->position, "a record that is cut off");
	reader->position = reader->end;
	return err;
}

/* The compressed stream ended within a record. */
static struct dms_error *check_end(struct perf_reader *reader)
{
	struct perf_block *plain = reader->plain;

	if (!plain || reader->plain_at == plain->n_bytes)
		return NULL;
	reader->plain_at = plain->n_bytes;
	return reader->is_cut ? NULL
			      : perf_reader_damage(reader, plain->origin,
						   "a compressed record that is cut off");
}

struct dms_error *perf_reader_next(struct perf_reader *reader, struct perf_raw *ret)
{
	struct dms_error *err;

	for (;;) {
		if ((err = next_plain(reader, ret)) || ret->data)
			return err;
		if (reader->position >= reader->end)
			return check_end(reader);
		if ((err = next_stored(reader, ret)))
			return err;
		if (!ret->data)
			continue;
		if (ret->type != PERF_COMPRESSED && ret->type != PERF_COMPRESSED2)
			return NULL;
		if ((err = begin_packed(reader, ret)))
			return err;
		ret->data = NULL;
	}
}

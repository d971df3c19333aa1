// SPDX-License-Identifier: LGPL-2.1-only
/* What cannot be read at any offset, compressed files and pipes, copied into a temporary file. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lzma.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "unpack.h"

#define BLOCK_BYTES (256u << 10)
#define ZSTD_PIECE_BYTES 4096u
/* xz -9 needs 65 MiB; zstd's own limit, for what is not packed with --long=28 or more, is 128. */
#define MAX_MEMORY_BYTES (128ull << 20)

/** One format's decompressor, and what it is given. */
struct unpacker {
	const struct codec *codec; /* NULL: the data is copied as it is */
	union {
		z_stream zlib;
		lzma_stream lzma;
		ZSTD_DStream *zstd;
	};
	const uint8_t *in; /* what is left of the block */
	uint8_t *out;	   /* room for what comes out */
	size_t in_bytes, out_bytes;
	bool is_last;	   /* there is no more behind in */
	bool is_complete;  /* the data may end here */
	const char *fault; /* what is wrong with the data */
	bool has_no_memory; /* the fault is not theirs */
};

/* ---- formats: each takes what it can of in and fills out; fault is set where it cannot go on ---- */

static bool gzip_begin(struct unpacker *unpacker)
{
	return inflateInit2(&unpacker->zlib, 15 + 16) == Z_OK; /* 16: with gzip's head and sum */
}

/* Behind a member there may be another one, or zeros: tapes and cut pipes leave them. */
static bool begin_member(struct unpacker *unpacker)
{
	while (unpacker->in_bytes && !*unpacker->in) {
		unpacker->in++;
		unpacker->in_bytes--;
	}
	return unpacker->in_bytes && inflateReset(&unpacker->zlib) == Z_OK;
}

static void gzip_step(struct unpacker *unpacker)
{
	z_stream *zlib = &unpacker->zlib;
	int result;

	if (unpacker->is_complete && !begin_member(unpacker))
		return;
	zlib->next_in = (uint8_t *)unpacker->in;
	zlib->avail_in = (uInt)unpacker->in_bytes;
	zlib->next_out = unpacker->out;
	zlib->avail_out = (uInt)unpacker->out_bytes;
	result = inflate(zlib, Z_NO_FLUSH);
	unpacker->in = zlib->next_in;
	unpacker->in_bytes = zlib->avail_in;
	unpacker->out = zlib->next_out;
	unpacker->out_bytes = zlib->avail_out;
	unpacker->is_complete = result == Z_STREAM_END;
	if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
		unpacker->fault = zlib->msg ? zlib->msg : zError(result);
	unpacker->has_no_memory = result == Z_MEM_ERROR;
}

static void gzip_end(struct unpacker *unpacker)
{
	inflateEnd(&unpacker->zlib);
}

static bool xz_begin(struct unpacker *unpacker)
{
	unpacker->lzma = (lzma_stream)LZMA_STREAM_INIT;
	return lzma_stream_decoder(&unpacker->lzma, MAX_MEMORY_BYTES, LZMA_CONCATENATED) == LZMA_OK;
}

static const char *xz_fault(lzma_ret result)
{
	static const struct {
		lzma_ret result;
		const char *text;
	} faults[] = {
		{LZMA_FORMAT_ERROR, "no xz data"},
		{LZMA_DATA_ERROR, "incorrect data"},
		{LZMA_OPTIONS_ERROR, "options of a newer xz"},
		{LZMA_MEMLIMIT_ERROR, "needs more than 128 MiB of memory to be unpacked"},
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(faults); i++) {
		if (faults[i].result == result)
			return faults[i].text;
	}
	return "liblzma cannot go on";
}

static void xz_step(struct unpacker *unpacker)
{
	lzma_stream *lzma = &unpacker->lzma;
	lzma_ret result;

	if (unpacker->is_complete)
		return; /* only after the last block */
	lzma->next_in = unpacker->in;
	lzma->avail_in = unpacker->in_bytes;
	lzma->next_out = unpacker->out;
	lzma->avail_out = unpacker->out_bytes;
	result = lzma_code(lzma, unpacker->is_last ? LZMA_FINISH : LZMA_RUN);
	unpacker->in = lzma->next_in;
	unpacker->in_bytes = lzma->avail_in;
	unpacker->out = lzma->next_out;
	unpacker->out_bytes = lzma->avail_out;
	unpacker->is_complete = result == LZMA_STREAM_END;
	if (result != LZMA_OK && result != LZMA_STREAM_END && result != LZMA_BUF_ERROR)
		unpacker->fault = xz_fault(result);
	unpacker->has_no_memory = result == LZMA_MEM_ERROR;
}

static void xz_end(struct unpacker *unpacker)
{
	lzma_end(&unpacker->lzma);
}

static bool zstd_begin(struct unpacker *unpacker)
{
	unpacker->zstd = ZSTD_createDStream();
	return unpacker->zstd && !ZSTD_isError(ZSTD_initDStream(unpacker->zstd));
}

static void zstd_step(struct unpacker *unpacker)
{
	/* an error does not tell where, nor gives what came before: so it is fed in small pieces */
	size_t piece = unpacker->in_bytes < ZSTD_PIECE_BYTES ? unpacker->in_bytes : ZSTD_PIECE_BYTES;
	ZSTD_inBuffer in = {unpacker->in, piece, 0};
	ZSTD_outBuffer out = {unpacker->out, unpacker->out_bytes, 0};
	size_t result;

	if (unpacker->is_complete && !in.size)
		return; /* it would wait for another frame */
	result = ZSTD_decompressStream(unpacker->zstd, &out, &in);
	unpacker->in += in.pos;
	unpacker->in_bytes -= in.pos;
	unpacker->out += out.pos;
	unpacker->out_bytes -= out.pos;
	unpacker->is_complete = !result;
	if (ZSTD_isError(result))
		unpacker->fault = ZSTD_getErrorName(result);
	unpacker->has_no_memory = ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation;
}

static void zstd_end(struct unpacker *unpacker)
{
	ZSTD_freeDStream(unpacker->zstd);
}

static void copy_step(struct unpacker *unpacker)
{
	size_t bytes = unpacker->in_bytes < unpacker->out_bytes ? unpacker->in_bytes
								: unpacker->out_bytes;

	memcpy(unpacker->out, unpacker->in, bytes);
	unpacker->in += bytes;
	unpacker->in_bytes -= bytes;
	unpacker->out += bytes;
	unpacker->out_bytes -= bytes;
	unpacker->is_complete = true;
}

static const struct codec {
	const char *name;
	const char *magic;
	size_t magic_bytes;
	uint8_t first_mask; /* of the magic's first byte */
	bool (*begin)(struct unpacker *unpacker);
	void (*step)(struct unpacker *unpacker);
	void (*end)(struct unpacker *unpacker);
} codecs[] = {
	{"gzip", "\x1f\x8b", 2, 0xff, gzip_begin, gzip_step, gzip_end},
	{"zstd", "\x28\xb5\x2f\xfd", 4, 0xff, zstd_begin, zstd_step, zstd_end},
	/* a skippable frame: pzstd begins with one */
	{"zstd", "\x50\x2a\x4d\x18", 4, 0xf0, zstd_begin, zstd_step, zstd_end},
	{"xz", "\xfd" "7zXZ\0", 6, 0xff, xz_begin, xz_step, xz_end},
};

static const struct codec *find_codec(const uint8_t *head, size_t bytes)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(codecs); i++) {
		const struct codec *codec = &codecs[i];

		if (bytes >= codec->magic_bytes &&
		    (head[0] & codec->first_mask) == (uint8_t)codec->magic[0] &&
		    !memcmp(head + 1, codec->magic + 1, codec->magic_bytes - 1))
			return codec;
	}
	return NULL;
}

const char *unpack_packing(const void *head, size_t bytes)
{
	const struct codec *codec = find_codec(head, bytes);

	return codec ? codec->name : NULL;
}

/* ---- the copy --------------------------------------------------------------------------------- */

/** Unpacking one file. */
struct copy {
	struct file *file;
	struct file_origin *origin;
	struct unpacker unpacker;
	XXH3_state_t *hash;
	uint8_t *blocks; /* one of input, and one of output */
	uint64_t written, max_bytes;
	int fd;
};

/* Users share the folder, so the name that it may need for a moment is the user's. */
static struct dms_error *make_temporary(const struct file *file, int *ret)
{
	const char *folder = secure_getenv("TMPDIR");
	_cleanup_(dms_freep) char *beside = NULL;

	if (!folder || !*folder)
		folder = "/tmp";
	beside = dms_asprintf("%s/dmascope.%u", folder, (unsigned int)geteuid());
	if (!beside)
		return &dms_error_nomem;
	*ret = dms_open_nameless(beside);
	return *ret >= 0 ? NULL :
			   dms_error_errno(DMS_ERROR_INTERNAL, errno,
					   "%s: no temporary file in %s (set TMPDIR to another folder)",
					   file->path, folder);
}

#define LIMIT_VARIABLE "DMASCOPE_MAX_UNPACKED"
/* Traces pack 10 to 60 times smaller; what packs much better than that is made to fill a disk. */
#define BOMB_FACTOR 200
#define BOMB_BYTES  (256ull << 20)

/* What the user allows: bytes, or with K, M, G, T; 0: nothing was said. */
static uint64_t told_limit(void)
{
	static const char units[] = "KMGT";
	const char *text = getenv(LIMIT_VARIABLE), *unit;
	char *end;
	uint64_t bytes;

	if (!text || *text < '0' || *text > '9')
		return 0;
	bytes = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end & ~0x20) : NULL;
	if (!unit)
		return *end ? 0 : bytes;
	return bytes > UINT64_MAX >> 40 ? UINT64_MAX : bytes << 10 * (unit - units + 1);
}

static uint64_t limit_of(const struct copy *copy)
{
	uint64_t told = told_limit(), relative = copy->origin->bytes * BOMB_FACTOR;

	if (told)
		return told;
	if (!copy->unpacker.codec)
		return copy->max_bytes;
	if (relative < BOMB_BYTES)
		relative = BOMB_BYTES;
	return relative < copy->max_bytes ? relative : copy->max_bytes;
}

static struct dms_error *write_block(struct copy *copy, const uint8_t *data, size_t bytes)
{
	uint64_t limit = limit_of(copy);

	copy->written += bytes;
	if (copy->written > limit)
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s: gives more than %" PRIu64 " bytes when %s, at byte %" PRIu64
				     " of it: refused; " LIMIT_VARIABLE "=BYTES (or 8G) allows more",
				     copy->file->path, limit,
				     copy->unpacker.codec ? "unpacked" : "read to its end",
				     copy->origin->bytes);
	while (bytes) {
		ssize_t put = write(copy->fd, data, bytes);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return dms_error_errno(DMS_ERROR_INTERNAL, errno,
					       "%s: writing its copy into a temporary file, at byte "
					       "%" PRIu64 " (set TMPDIR to a folder with more room)",
					       copy->file->path, copy->written - bytes);
		data += put;
		bytes -= (size_t)put;
	}
	return NULL;
}

/* The next block of the file as given, whole unless it is the last; 0 bytes at its end. */
static struct dms_error *read_block(struct copy *copy)
{
	size_t done = 0;
	ssize_t got;

	do {
		got = read(copy->file->fd, copy->blocks + done, BLOCK_BYTES - done);
		if (got < 0 && errno != EINTR)
			return dms_error_errno(DMS_ERROR_INPUT, errno,
					       "%s: reading at offset %#" PRIx64, copy->file->path,
					       copy->origin->bytes + done);
		done += got > 0 ? (size_t)got : 0;
	} while (got && done < BLOCK_BYTES);
	XXH3_128bits_update(copy->hash, copy->blocks, done);
	copy->origin->bytes += done;
	copy->unpacker.in = copy->blocks;
	copy->unpacker.in_bytes = done;
	copy->unpacker.is_last = !done;
	return NULL;
}

/* No library may keep us going round without taking or giving anything. */
static void step(struct unpacker *unpacker)
{
	size_t in_bytes = unpacker->in_bytes, out_bytes = unpacker->out_bytes;

	if (unpacker->codec)
		unpacker->codec->step(unpacker);
	else
		copy_step(unpacker);
	if (in_bytes && !unpacker->fault && unpacker->in_bytes == in_bytes &&
	    unpacker->out_bytes == out_bytes)
		unpacker->fault = "no data that can be unpacked";
}

static struct dms_error *unpack_block(struct copy *copy)
{
	struct unpacker *unpacker = &copy->unpacker;
	uint8_t *out = copy->blocks + BLOCK_BYTES;
	struct dms_error *err;

	do {
		unpacker->out = out;
		unpacker->out_bytes = BLOCK_BYTES;
		step(unpacker);
		err = write_block(copy, out, BLOCK_BYTES - unpacker->out_bytes);
	} while (!err && !unpacker->fault && (unpacker->in_bytes || !unpacker->out_bytes));
	return err || !unpacker->has_no_memory ? err : &dms_error_nomem;
}

/* What is behind damage is of no use, but it belongs to the file's identity. */
static struct dms_error *note_damage(struct copy *copy)
{
	const struct unpacker *unpacker = &copy->unpacker;
	uint64_t offset = copy->origin->bytes - unpacker->in_bytes;

	copy->origin->damage = dms_asprintf(
		"at offset %#" PRIx64 " of its %s data: %s", offset, unpacker->codec->name,
		unpacker->fault ? unpacker->fault : "truncated: expected more");
	return copy->origin->damage ? NULL : &dms_error_nomem;
}

static struct dms_error *copy_all(struct copy *copy)
{
	struct unpacker *unpacker = &copy->unpacker;
	struct dms_error *err = read_block(copy);

	if (err)
		return err;
	unpacker->codec = find_codec(unpacker->in, unpacker->in_bytes);
	if (unpacker->codec)
		copy->origin->packing = unpacker->codec->name;
	if (unpacker->codec && !unpacker->codec->begin(unpacker))
		return dms_error_new(DMS_ERROR_INTERNAL, "%s: no memory to unpack it",
				     copy->file->path);
	for (;;) {
		bool is_last = unpacker->is_last;

		if (!copy->origin->damage && (err = unpack_block(copy)))
			return err;
		if (unpacker->codec && !copy->origin->damage &&
		    (unpacker->fault || (is_last && !unpacker->is_complete)) &&
		    (err = note_damage(copy)))
			return err;
		if (is_last)
			return NULL;
		if ((err = read_block(copy)))
			return err;
	}
}

static void take_copy(struct copy *copy)
{
	XXH128_hash_t hash = XXH3_128bits_digest(copy->hash);
	struct file *file = copy->file;

	snprintf(copy->origin->hash, DMS_HASH_TEXT, "xxh3:%016" PRIx64 "%016" PRIx64, hash.high64,
		 hash.low64);
	close(file->fd);
	file->fd = copy->fd;
	file->size = copy->written;
	file->origin = copy->origin;
	copy->origin = NULL;
	copy->fd = -1;
}

struct dms_error *unpack_file(struct file *file, uint64_t max_bytes)
{
	struct copy copy = {.file = file, .max_bytes = max_bytes, .fd = -1};
	struct dms_error *err;

	copy.origin = dms_zalloc(sizeof(*copy.origin));
	copy.blocks = dms_alloc(2 * (size_t)BLOCK_BYTES);
	copy.hash = XXH3_createState();
	if (!copy.origin || !copy.blocks || !copy.hash ||
	    XXH3_128bits_reset(copy.hash) == XXH_ERROR)
		err = &dms_error_nomem;
	else if (!(err = make_temporary(file, &copy.fd)) && !(err = copy_all(&copy)))
		take_copy(&copy);
	if (copy.unpacker.codec)
		copy.unpacker.codec->end(&copy.unpacker);
	if (copy.fd >= 0)
		close(copy.fd);
	XXH3_freeState(copy.hash);
	dms_free(copy.blocks);
	file_origin_destroy(copy.origin);
	return err;
}

void file_origin_destroy(struct file_origin *origin)
{
	if (!origin)
		return;
	dms_free(origin->damage);
	dms_free(origin);
}

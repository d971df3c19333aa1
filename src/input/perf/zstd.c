// SPDX-License-Identifier: LGPL-2.1-only
/* Compressed records of perf.data: pieces of one zstd stream that runs through the file. */
#include <zstd.h>

#include "perf.h"

struct perf_unpacker {
	ZSTD_DStream *stream;
	bool is_lost; /* after damage: what follows makes sense only from the next frame on */
};

struct perf_unpacker *perf_unpacker_create(void)
{
	struct perf_unpacker *unpacker = dms_zalloc(sizeof(*unpacker));

	if (!unpacker)
		return NULL;
	unpacker->stream = ZSTD_createDStream();
	if (!unpacker->stream) {
		dms_free(unpacker);
		return NULL;
	}
	return unpacker;
}

void perf_unpacker_destroy(struct perf_unpacker *unpacker)
{
	if (!unpacker)
		return;
	ZSTD_freeDStream(unpacker->stream);
	dms_free(unpacker);
}

void perf_unpacker_reset(struct perf_unpacker *unpacker)
{
	ZSTD_DCtx_reset(unpacker->stream, ZSTD_reset_session_only);
	unpacker->is_lost = true;
}

int64_t perf_unpack(struct perf_unpacker *unpacker, const uint8_t **data, uint32_t *size,
		    uint8_t *ret, uint32_t room)
{
	static const uint8_t frame_magic[] = {0x28, 0xb5, 0x2f, 0xfd};
	ZSTD_inBuffer in = {*data, *size, 0};
	ZSTD_outBuffer out = {ret, room, 0};
	size_t hint;

	if (unpacker->is_lost) {
		if (*size < sizeof(frame_magic) || memcmp(*data, frame_magic, sizeof(frame_magic)))
			return -1;
		unpacker->is_lost = false;
	}
	hint = ZSTD_decompressStream(unpacker->stream, &out, &in);
	if (ZSTD_isError(hint))
		return -1;
	*data += in.pos;
	*size -= (uint32_t)in.pos;
	return (int64_t)out.pos;
}

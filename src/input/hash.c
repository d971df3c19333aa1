// SPDX-License-Identifier: LGPL-2.1-only
/* The identity of an input file, by content. */
#include <inttypes.h>
#include <stdio.h>

#include <xxhash.h>

#include "source.h"

#define BLOCK_BYTES (256u << 10)

struct dms_error *dms_source_hash(const struct dms_source *source, char ret[static DMS_HASH_TEXT])
{
	_cleanup_(dms_freep) uint8_t *block = dms_alloc(BLOCK_BYTES);
	XXH3_state_t *state = XXH3_createState();
	struct dms_error *err = NULL;
	struct file file = {.fd = -1};
	XXH128_hash_t hash;

	if (!block || !state)
		err = &dms_error_nomem;
	if (!err)
		err = file_open(source->info.path, &file);
	if (!err && XXH3_128bits_reset(state) == XXH_ERROR)
		err = &dms_error_nomem;
	for (uint64_t at = 0; !err && at < file.size; at += BLOCK_BYTES) {
		size_t bytes = file.size - at < BLOCK_BYTES ? file.size - at : BLOCK_BYTES;

		err = file_read(&file, at, block, bytes);
		if (!err)
			XXH3_128bits_update(state, block, bytes);
	}
	if (!err) {
		hash = XXH3_128bits_digest(state);
		snprintf(ret, DMS_HASH_TEXT, "xxh3:%016" PRIx64 "%016" PRIx64, hash.high64,
			 hash.low64);
	}
	file_close(&file);
	XXH3_freeState(state);
	return err;
}

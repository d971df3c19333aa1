// SPDX-License-Identifier: LGPL-2.1-only
/* The identity of an input file, by content. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include <xxhash.h>

#include "source.h"

#define BLOCK_BYTES (256u << 10)

static struct dms_error *hash_file(const struct file *file, const atomic_bool *stop,
				   char ret[static DMS_HASH_TEXT])
{
	_cleanup_(dms_freep) uint8_t *block = dms_alloc(BLOCK_BYTES);
	XXH3_state_t *state = XXH3_createState();
	struct dms_error *err = NULL;
	XXH128_hash_t hash;

	if (!block || !state || XXH3_128bits_reset(state) == XXH_ERROR)
		err = &dms_error_nomem;
	for (uint64_t at = 0; !err && at < file->size; at += BLOCK_BYTES) {
		size_t bytes = file->size - at < BLOCK_BYTES ? file->size - at : BLOCK_BYTES;

		if (atomic_load(stop))
			break;
		err = file_read(file, at, block, bytes);
		if (!err)
			XXH3_128bits_update(state, block, bytes);
	}
	*ret = '\0';
	if (!err && !atomic_load(stop)) {
		hash = XXH3_128bits_digest(state);
		snprintf(ret, DMS_HASH_TEXT, "xxh3:%016" PRIx64 "%016" PRIx64, hash.high64,
			 hash.low64);
	}
	XXH3_freeState(state);
	return err;
}

/* Of what was unpacked or came out of a pipe it was made on the way. */
struct dms_error *dms_source_hash_beside(const struct dms_source *source, const atomic_bool *stop,
					 char ret[static DMS_HASH_TEXT])
{
	const struct source_given *given = source->given;
	struct file file = {.path = (char *)source->info.path};
	struct stat status;

	if (source->ops->hash)
		return source->ops->hash(source, ret);
	if (given->origin) {
		memcpy(ret, given->origin->hash, DMS_HASH_TEXT);
		return NULL;
	}
	file.fd = given->fd;
	if (fstat(given->fd, &status))
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", file.path);
	file.size = (uint64_t)status.st_size;
	return hash_file(&file, stop, ret);
}

struct dms_error *dms_source_hash(const struct dms_source *source, char ret[static DMS_HASH_TEXT])
{
	static const atomic_bool never;

	return dms_source_hash_beside(source, &never, ret);
}

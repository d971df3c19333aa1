// SPDX-License-Identifier: LGPL-2.1-only
/* The compressions a trace.dat may use, by the name it gives them. */
#include <string.h>

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "tracedat.h"

static enum unpacking unpack_none(const void *data, size_t size, void *ret, size_t ret_size)
{
	if (size != ret_size)
		return UNPACK_DAMAGED;
	memcpy(ret, data, size);
	return UNPACK_DONE;
}

static enum unpacking unpack_zstd(const void *data, size_t size, void *ret, size_t ret_size)
{
	size_t got = ZSTD_decompress(ret, ret_size, data, size);

	if (got == ret_size)
		return UNPACK_DONE;
	return ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation ? UNPACK_NO_MEMORY
								      : UNPACK_DAMAGED;
}

static enum unpacking unpack_zlib(const void *data, size_t size, void *ret, size_t ret_size)
{
	uLongf got = ret_size;

	int result = uncompress(ret, &got, data, size);

	if (result == Z_OK && got == ret_size)
		return UNPACK_DONE;
	return result == Z_MEM_ERROR ? UNPACK_NO_MEMORY : UNPACK_DAMAGED;
}

static const struct {
	const char *name;
	enum unpacking (*unpack)(const void *data, size_t size, void *ret, size_t ret_size);
} compressions[] = {
	[COMPRESSION_NONE] = {"none", unpack_none},
	[COMPRESSION_ZSTD] = {"zstd", unpack_zstd},
	[COMPRESSION_ZLIB] = {"zlib", unpack_zlib},
};

enum unpacking compression_unpack(enum compression compression, const void *data, size_t size,
				  void *ret, size_t ret_size)
{
	return compressions[compression].unpack(data, size, ret, ret_size);
}

bool compression_find(const char *name, enum compression *ret)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(compressions); i++) {
		if (!strcmp(compressions[i].name, name)) {
			*ret = (enum compression)i;
			return true;
		}
	}
	return false;
}

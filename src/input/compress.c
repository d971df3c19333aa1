// SPDX-License-Identifier: LGPL-2.1-only
/* The compressions a trace.dat may use, by the name it gives them. */
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "tracedat.h"

static bool unpack_none(const void *data, size_t size, void *ret, size_t ret_size)
{
	if (size != ret_size)
		return false;
	memcpy(ret, data, size);
	return true;
}

static bool unpack_zstd(const void *data, size_t size, void *ret, size_t ret_size)
{
	return ZSTD_decompress(ret, ret_size, data, size) == ret_size;
}

static bool unpack_zlib(const void *data, size_t size, void *ret, size_t ret_size)
{
	uLongf got = ret_size;

	return uncompress(ret, &got, data, size) == Z_OK && got == ret_size;
}

static const struct {
	const char *name;
	bool (*unpack)(const void *data, size_t size, void *ret, size_t ret_size);
} compressions[] = {
	[COMPRESSION_NONE] = {"none", unpack_none},
	[COMPRESSION_ZSTD] = {"zstd", unpack_zstd},
	[COMPRESSION_ZLIB] = {"zlib", unpack_zlib},
};

bool compression_unpack(enum compression compression, const void *data, size_t size, void *ret,
			size_t ret_size)
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

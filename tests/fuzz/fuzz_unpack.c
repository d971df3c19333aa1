// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer entry: any bytes as a compressed file; the first byte says by what, the magic is right. */
#include <dmascope/input.h>

#include "fuzz.h"

static const struct {
	const char *magic;
	size_t bytes;
} packings[] = {{"\x1f\x8b\x08", 3}, {"\x28\xb5\x2f\xfd", 4}, {"\xfd" "7zXZ\0", 6}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dms_source *source = NULL;
	struct fuzz_file file;
	struct dms_error *err;

	fuzz_be_silent();
	if (size < 8 || !fuzz_file_open(&file, data, size))
		return 0;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(packings); i++) {
		if (data[0] == (uint8_t)packings[i].magic[0] &&
		    pwrite(file.fd, packings[i].magic, packings[i].bytes, 0) < 0)
			abort();
	}
	err = dms_source_open(file.path, &source);
	if (!err)
		dms_source_close(source);
	dms_error_free(err);
	fuzz_file_close(&file);
	return 0;
}

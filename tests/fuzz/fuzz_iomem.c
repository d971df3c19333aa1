// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer entry: any bytes as a copy of /proc/iomem, and questions to the map made of it. */
#include <dmascope/machine.h>

#include "fuzz_lines.h"

FUZZ_LINES_MUTATOR

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dms_iomem *iomem = NULL;
	struct dms_error *err = dms_iomem_create((const char *)data, size, &iomem);
	uint64_t addr = 0;

	if (err) {
		dms_error_free(err);
		return 0;
	}
	for (unsigned int i = 0; i < 64; i++) {
		enum dms_area area = dms_iomem_area(iomem, addr, addr >> (i & 15));

		if (area > DMS_AREA_RODATA)
			abort();
		addr = i & 1 ? dms_hash64(addr) : UINT64_MAX >> i;
	}
	dms_iomem_destroy(iomem);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Who checked a map for an error, by a probe of debug_dma_mapping_error(). */
#ifndef DMS_MODEL_CHECK_H
#define DMS_MODEL_CHECK_H

#include "live.h"

/** The map a CPU made last: the kernel's own check of it comes first. */
struct check_state {
	uint32_t unused;
};

#endif

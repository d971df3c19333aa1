/* SPDX-License-Identifier: LGPL-2.1-only */
/* Memory that is mapped twice or freed while mapped: found at once, told when it is sure. */
#ifndef DMS_MODEL_OVERLAP_H
#define DMS_MODEL_OVERLAP_H

#include "live.h"

/** Live mappings by the physical memory the device may write, and what awaits its telling. */
struct overlap_state {
	struct extent_table memory;
};

#endif

// SPDX-License-Identifier: LGPL-2.1-only
/* Rules of map errors that nobody looked for: dma_mapping_error(). */
#include "rows.h"

const struct dms_rule dms_rules_check[] = {{0}};
const size_t dms_n_rules_check = 0;

// SPDX-License-Identifier: LGPL-2.1-only
/* Rules of what may be mapped at all: memory areas, masks, segment limits, contexts. */
#include "rows.h"

const struct dms_rule dms_rules_machine[] = {{0}};
const size_t dms_n_rules_machine = 0;

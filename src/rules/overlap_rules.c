// SPDX-License-Identifier: LGPL-2.1-only
/* Rules of memory that is mapped twice, or freed while it is mapped. */
#include "rows.h"

const struct dms_rule dms_rules_overlap[] = {{0}};
const size_t dms_n_rules_overlap = 0;

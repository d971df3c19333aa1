// SPDX-License-Identifier: LGPL-2.1-only
/* Rules of call sites: what many mappings together show. */
#include "rows.h"

const struct dms_rule dms_rules_site[] = {{0}};
const size_t dms_n_rules_site = 0;

// SPDX-License-Identifier: LGPL-2.1-only
/* Rules the kernel itself found broken, by its log. */
#include "rows.h"

const struct dms_rule dms_rules_message[] = {{0}};
const size_t dms_n_rules_message = 0;

/* SPDX-License-Identifier: GPL-2.0-only */
/* Driver code for each rule: what breaks it, and what keeps it. */
#ifndef DMASCOPE_CLI_RULE_CODE_H
#define DMASCOPE_CLI_RULE_CODE_H

#include "cli.h"

/** Lines that begin with "-" (they break the rule), "+" (they keep it) or a space (both). */
struct dms_rule_code {
	const char *id; /* of the rule; NULL ends a table */
	const char *text;
};

extern const struct dms_rule_code dms_rule_code_ends[], dms_rule_code_uses[];

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What reading, matching and writing suppressions share. */
#ifndef DMS_DIFF_SUPPRESS_H
#define DMS_DIFF_SUPPRESS_H

#include <dmascope/diff.h>

#include "yaml.h"

/** "..." among the frames of a suppression. */
#define SUPPRESS_ANY_FRAMES "..."

/** suppress_read.c: the list of suppressions at @pair, into the configuration. */
struct dms_error *suppress_read(struct yaml_walk *walk, const struct yaml_pair *pair, void *into);
/** suppress_match.c: does @suppression speak of @finding? Its date does not count. */
bool suppress_fits(const struct dms_suppression *suppression,
		   const struct dms_base_finding *finding);

#endif

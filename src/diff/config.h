/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a configuration holds, and the values it is told as text. */
#ifndef DMS_DIFF_CONFIG_H
#define DMS_DIFF_CONFIG_H

#include <dmascope/diff.h>

/** When a metric counts. */
struct config_limits {
	struct dms_threshold threshold;
	enum dms_polarity polarity;
};

/** A device whose name fits @glob is a @kind. */
struct config_kind {
	const char *glob, *kind;
	uint32_t rank; /* of what says so: files from 1 on, then the command line; the last wins */
};
#define CONFIG_RANK_COMMAND_LINE UINT32_MAX

struct dms_config {
	struct dms_arena *arena;      /* of all strings and lists */
	struct config_limits *limits; /* of each metric, in the order of dms_metrics */
	struct config_kind *kinds;
	struct dms_suppression *suppressions;
	size_t n_kinds, kinds_capacity, n_suppressions, suppressions_capacity;
	uint32_t n_files;
};

/** @bytes of @text, terminated, in the arena; NULL: memory. */
const char *config_keep(struct dms_config *config, const char *text, size_t bytes);
struct dms_error *config_add_kind(struct dms_config *config, const struct config_kind *kind);
/** NULL, or an error that offers the nearest there is. */
struct dms_error *config_find_metric(const char *name, const struct dms_metric **ret);

/* config_value.c; errors: DMS_ERROR_USAGE, which say what was expected */

/** "50us": a number at least 0, with a unit that fits @unit behind it or without, in @unit. */
struct dms_error *config_parse_value(const char *text, const char *unit, double *ret);
/** "0.5" or "50%". */
struct dms_error *config_parse_share(const char *text, double *ret);
/** A count. */
struct dms_error *config_parse_count(const char *text, uint64_t *ret);
/** "less", "more", "neither". */
struct dms_error *config_parse_polarity(const char *text, enum dms_polarity *ret);
/** A glob that is neither empty, nor long, nor slow to try. */
struct dms_error *config_check_glob(const char *glob);

#endif

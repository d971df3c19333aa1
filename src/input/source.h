/* SPDX-License-Identifier: LGPL-2.1-only */
/* What every reader of a trace format implements; dms_source is its common head. */
#ifndef DMS_INPUT_SOURCE_H
#define DMS_INPUT_SOURCE_H

#include <dmascope/input.h>

#include "file.h"

/** The operations of one format. Their contracts are those of the dms_source_* calls. */
struct source_ops {
	struct dms_error *(*next)(struct dms_source *source, struct dms_item *ret);
	struct dms_error *(*kallsyms)(struct dms_source *source, const char **ret,
				      size_t *ret_size);
	void (*progress)(const struct dms_source *source, uint64_t *ret_done, uint64_t *ret_total);
	uint64_t (*damage)(const struct dms_source *source, const char **ret_first);
	void (*close)(struct dms_source *source);
};

/** First member of each format's own struct. */
struct dms_source {
	const struct source_ops *ops;
	struct dms_source_info info;
	const struct dms_format *formats;
	uint32_t n_formats;
	const char *cmdlines;	   /* "pid comm" lines, terminated, or NULL */
	struct source_comm *comms; /* cmdlines by pid, made at first use */
	size_t n_comms, comms_capacity;
};

/*
 * Rows of the table of formats in source.c. All take @file, also when they fail.
 * @options: what dms_source_open_with() was given; never NULL.
 */
struct dms_error *tracedat_source_open(struct file *file, const struct dms_source_options *options,
				       struct dms_source **ret);
struct dms_error *perf_source_open(struct file *file, const struct dms_source_options *options,
				   struct dms_source **ret);
/* *@ret is NULL, without an error, if no line is one of a trace. */
struct dms_error *text_source_open(struct file *file, const struct dms_source_options *options,
				   struct dms_source **ret);

#endif

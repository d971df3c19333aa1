/* SPDX-License-Identifier: LGPL-2.1-only */
/* The files of a run, each taken for what it is: traces, and what goes beside them. */
#ifndef DMASCOPE_RUN_RECOGNISE_H
#define DMASCOPE_RUN_RECOGNISE_H

#include "run.h"

/**
 * Open @paths: traces become *@ret (an array of @n_paths at least, *@ret_n of it filled), the others
 * are put into @options as if its options had named them. Side files that @options names and that
 * are compressed or pipes are replaced by copies. What was opened is @run's, up to
 * dms_run_files_close(); sources are the caller's.
 * Errors: USAGE: two files of a kind; INPUT: unreadable, or not recognised.
 */
struct dms_error *dms_run_recognise(struct dms_run *run, const char *const *paths, size_t n_paths,
				    struct dms_run_options *options, struct dms_source **ret,
				    uint32_t *ret_n);
void dms_run_files_close(struct dms_run *run);

/** What the user calls the side file @path of the options. */
const char *dms_run_file_name(const struct dms_run *run, const char *path);
/** @err, which may be NULL, with that name where it begins with @path. */
struct dms_error *dms_run_file_error(const struct dms_run *run, const char *path,
				     struct dms_error *err);
/** The kernel log that was not read because another one was, or NULL. */
const char *dms_run_unread_log(const struct dms_run *run);

/* kinds.c */
enum dms_file_kind {
	DMS_FILE_OTHER, /* a trace, a kernel log, or nothing we know */
	DMS_FILE_INVENTORY,
	DMS_FILE_IOMEM,
	DMS_FILE_DUMP,
	DMS_FILE_KALLSYMS,
	DMS_FILE_LOG,
	DMS_N_FILE_KINDS
};
/** What text that begins with @head is. */
enum dms_file_kind dms_file_kind(const char *head, size_t bytes);
/** True if lines of text that begins with @head begin as those of a kernel log. */
bool dms_file_has_log_lines(const char *head, size_t bytes);

#endif

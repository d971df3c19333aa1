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
	/* These two are NULL where common members and the file as given tell. */
	const char *(*comm)(struct dms_source *source, uint32_t pid);
	struct dms_error *(*hash)(const struct dms_source *source, char ret[static DMS_HASH_TEXT]);
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
	bool lacks_comms;	   /* memory was short then */
	size_t n_comms, comms_capacity;
	struct source_given *given; /* source.c's: the file as given, and what was given with it */
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

/** What was given to make a source of, beside what its reader holds. */
struct source_given {
	struct file_origin *origin; /* NULL: fd is the file as given */
	int fd;			    /* for the hash; -1: origin has it */
	char *damage;		    /* of the compressed file, or NULL */
	char *format;		    /* info.format, with what was unpacked; or NULL */
	char *kallsyms;		    /* text in place of the trace's own; NULL: none was given */
	size_t kallsyms_bytes;
	bool is_moved;		    /* kallsyms was fitted to the trace's own, if it has one */
};

/**
 * As dms_source_open_with(), of an open file, which it takes; but *@ret is NULL, without an error,
 * if the file is text in which no line is one of a trace.
 */
struct dms_error *source_open_file(struct file *file, const struct dms_source_options *options,
				   struct dms_source **ret);
/** The error that says that @path, which is text, is no trace. */
struct dms_error *source_no_trace(const char *path);

/* kallsyms.c */
/** Read @path, a copy of /proc/kallsyms or a System.map. Ownership: *@ret is the caller's. */
struct dms_error *kallsyms_read(const char *path, char **ret, size_t *ret_bytes);
/**
 * Move the kernel's own symbols in @text to where @own, the traced kernel's table, has them: those
 * of a System.map are where the kernel was linked for. Nothing is done if they are there already, or
 * if one of the two does not say where the kernel begins.
 */
void kallsyms_move(char *text, size_t bytes, const char *own, size_t own_bytes);

#endif

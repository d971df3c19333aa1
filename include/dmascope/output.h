/* SPDX-License-Identifier: LGPL-2.1-only */
/* Records and gaps of any trace files, written as one trace.dat that trace-cmd and KernelShark read. */
#ifndef DMASCOPE_OUTPUT_H
#define DMASCOPE_OUTPUT_H

#include <stdio.h>

#include <dmascope/input.h>

/** How to write. */
struct dms_output_options {
	const char *beside;   /* file to be written: temporary data lie in its folder, without name */
	unsigned int version; /* of trace.dat: 6 or 7; 0: 6, or 7 if a record exceeds a page */
	bool is_zstd;	      /* compress; version 7 only */
};

/** What was written, and what a trace.dat has no place for. */
struct dms_output_report {
	uint64_t records;      /* taken, call stacks not counted */
	uint64_t stacks;       /* call stacks made records of their own */
	uint64_t gaps;	       /* marked */
	uint64_t gap_counts;   /* gaps whose count of lost events is not kept */
	uint64_t gaps_dropped; /* gaps of a CPU that is not told */
	unsigned int version;  /* written */
	uint32_t page_size;    /* of the ring buffers written, bytes */
	uint32_t machine_page_size; /* of the traced machine, bytes */
};

/**
 * A trace.dat in the making. Memory stays bounded: 16 KiB for each CPU of each buffer, the rest
 * lies in a temporary file about as large as the one to be written.
 */
struct dms_output;

/**
 * Begin to write what @merge yields. The buffers of its first file keep their names; those of the
 * other files become instances called after their files. Strings and formats are borrowed from
 * @merge until dms_output_destroy().
 * Errors: files of unlike machines (byte order, size of long, clock), the temporary file.
 */
struct dms_error *dms_output_create(struct dms_merge *merge,
				    const struct dms_output_options *options,
				    struct dms_output **ret);
void dms_output_destroy(struct dms_output *output);
/** Take @item; those of one CPU and instance in order. Errors: disk full, no such CPU. */
struct dms_error *dms_output_item(struct dms_output *output, const struct dms_item *item);
/** Write the whole file to @out, which can seek and is empty. Errors: disk full, formats. */
struct dms_error *dms_output_write(struct dms_output *output, FILE *out);
/** What became of it; complete after dms_output_write(). Borrowed. */
const struct dms_output_report *dms_output_report(const struct dms_output *output);

#endif

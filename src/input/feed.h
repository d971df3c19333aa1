/* SPDX-License-Identifier: LGPL-2.1-only */
/* A source without a file of its own: somebody else reads the trace and hands the records over. */
#ifndef DMS_INPUT_FEED_H
#define DMS_INPUT_FEED_H

#include <dmascope/input.h>

/** What is known before the first record. Everything is borrowed, but @file, which is taken. */
struct dms_feed_head {
	struct dms_source_info info; /* with at least one instance */
	const struct dms_format *formats;
	uint32_t n_formats;
	uint32_t stack_type;	 /* common_type of stack records; UINT32_MAX: there are none */
	struct dms_source *file; /* what the records are read from, for what beside them it holds;
				    NULL: not known */
	const char *(*comm)(void *context, uint32_t pid); /* in place of file; may be NULL */
	void *context;
	const char *kallsyms;	 /* in place of file, kallsyms_bytes of text; NULL: none */
	size_t kallsyms_bytes;
};

/** Errors: memory; then @head->file is the caller's still. */
struct dms_error *dms_feed_create(const struct dms_feed_head *head, struct dms_source **ret);

/**
 * Hand over a copy of @record, in time order; next, chain and instance are not looked at.
 * @lost: events lost before it on its CPU; 0: none, negative: some.
 *
 * A record is given on by dms_source_next() when the record after it on its CPU is here, which may
 * be its call stack; or when too many others have come meanwhile. DMS_ITEM_END then means: nothing
 * to give on at the moment. All that can be taken must have been taken before the next call.
 * Errors: memory.
 */
struct dms_error *dms_feed_put(struct dms_source *feed, const struct dms_record *record,
			       int64_t lost);
/** There are no more records: what waits may be taken. */
void dms_feed_end(struct dms_source *feed);

#endif

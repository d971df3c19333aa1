/* SPDX-License-Identifier: LGPL-2.1-only */
/* The input files' hashes, made beside the reading. */
#ifndef DMASCOPE_RUN_DIGEST_H
#define DMASCOPE_RUN_DIGEST_H

#include <dmascope/input.h>

struct dms_digest;

/**
 * Begin to hash the files of @merge, which is borrowed, in a thread. *@ret NULL, without an error:
 * there may be no thread. Errors: memory.
 */
struct dms_error *dms_digest_create(const struct dms_merge *merge, struct dms_digest **ret);
/** Stops where it is. NULL is allowed. */
void dms_digest_destroy(struct dms_digest *digest);
/** What dms_source_hash() gives of file @file, when it is there: as often as asked, an error once. */
struct dms_error *dms_digest_get(struct dms_digest *digest, uint32_t file,
				 char ret[static DMS_HASH_TEXT]);

#endif

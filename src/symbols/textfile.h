/* SPDX-License-Identifier: LGPL-2.1-only */
/* Side files are text and small: read whole, pipes too. */
#ifndef DMS_SYMBOLS_TEXTFILE_H
#define DMS_SYMBOLS_TEXTFILE_H

#include <dmascope/base.h>

/**
 * All of the file @path, with a zero byte behind it. @what it is said to be: for the error of one that is larger than
 * @max_bytes. Ownership: *@ret is the caller's, dms_free(). Errors: unreadable; too large.
 */
struct dms_error *textfile_read(const char *path, size_t max_bytes, const char *what, char **ret,
				size_t *ret_size);

#endif

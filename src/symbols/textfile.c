// SPDX-License-Identifier: LGPL-2.1-only
/* Side files are text and small: read whole, pipes too. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "textfile.h"

static struct dms_error *too_large(size_t max_bytes, const char *what)
{
	return dms_error_new(DMS_ERROR_INPUT, "larger than %zu MiB: not %s", max_bytes >> 20, what);
}

/* All of @file, at most one piece more than is allowed: a pipe has no size to ask for. */
static struct dms_error *slurp(FILE *file, size_t max_bytes, const char *what, char **ret,
			       size_t *ret_size)
{
	size_t capacity = 0, size = 0, got;

	do {
		if (!dms_grow(ret, &capacity, size + 4096, 1))
			return &dms_error_nomem;
		got = fread(*ret + size, 1, capacity - size, file);
		size += got;
	} while (got && size <= max_bytes);
	*ret_size = size;
	if (size < capacity)
		(*ret)[size] = '\0';
	if (ferror(file))
		return dms_error_errno(DMS_ERROR_INPUT, errno, "cannot read");
	return size > max_bytes ? too_large(max_bytes, what) : NULL;
}

struct dms_error *textfile_read(const char *path, size_t max_bytes, const char *what, char **ret,
				size_t *ret_size)
{
	FILE *file = fopen(path, "re");
	struct dms_error *err;
	struct stat status;

	*ret = NULL;
	if (!file)
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", path);
	/* no need to read a gigabyte to learn that there is more */
	if (!fstat(fileno(file), &status) && S_ISREG(status.st_mode) &&
	    (uint64_t)status.st_size > max_bytes)
		err = too_large(max_bytes, what);
	else
		err = slurp(file, max_bytes, what, ret, ret_size);
	fclose(file);
	if (!err)
		return NULL;
	dms_free(*ret);
	*ret = NULL;
	return dms_error_wrap(err, "%s", path);
}

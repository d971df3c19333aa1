// SPDX-License-Identifier: LGPL-2.1-only
/* perf.data as a source. */
#include "source.h"

struct dms_error *perf_source_open(struct file *file, const struct dms_source_options *options,
				   struct dms_source **ret)
{
	struct dms_error *err = dms_error_new(DMS_ERROR_INPUT, "%s: perf.data is not read yet",
					      file->path);

	(void)options;
	(void)ret;
	file_close(file);
	return err;
}

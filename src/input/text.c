// SPDX-License-Identifier: LGPL-2.1-only
/* A text dump of a trace as a source: lines in, records of made-up formats out. */
#include "source.h"
#include "text.h"

struct dms_error *text_source_open(struct file *file, const struct dms_source_options *options,
				   struct dms_source **ret)
{
	(void)options;
	*ret = NULL;
	file_close(file);
	return NULL;
}

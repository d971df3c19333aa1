// SPDX-License-Identifier: LGPL-2.1-only
/* Mappings older than the trace, by a dma-api/dump taken when it began. */
#include "state.h"

struct dms_error *dms_model_seed(struct dms_model *model, const struct dms_dump_entry *entry)
{
	(void)model, (void)entry;
	return NULL;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Who checked a map for an error, by a probe of debug_dma_mapping_error(). */
#include "state.h"

void check_begin(struct dms_model *model, struct device_state *state,
		 const struct dms_event *event, struct dms_mapping *mapping)
{
	(void)model, (void)state, (void)event, (void)mapping;
}

struct dms_error *check_note(struct dms_model *model, struct device_state *state,
			     const struct dms_event *event, enum dms_mapping_kind kind)
{
	(void)model, (void)state, (void)event, (void)kind;
	return NULL;
}

void check_deinit(struct check_state *check)
{
	(void)check;
}

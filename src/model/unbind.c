// SPDX-License-Identifier: LGPL-2.1-only
/* When a driver let go of a device: marks from probes, modules and managed resources. */
#include "state.h"

struct dms_error *unbind_note(struct dms_model *model, struct device_state *state,
			      const struct dms_event *event, enum dms_mapping_kind kind)
{
	(void)model, (void)state, (void)event, (void)kind;
	return NULL;
}

struct dms_error *unbind_before_map(struct dms_model *model, struct device_state *state,
				    const struct dms_event *event)
{
	(void)model, (void)state, (void)event;
	return NULL;
}

struct dms_error *unbind_at_end(struct dms_model *model)
{
	(void)model;
	return NULL;
}

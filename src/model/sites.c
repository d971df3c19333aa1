// SPDX-License-Identifier: LGPL-2.1-only
/* Call sites: the figures of all maps one stack made for one device. */
#include "state.h"

struct dms_error *sites_begin(struct dms_model *model, struct device_state *state,
			      const struct dms_event *event, struct dms_mapping *mapping)
{
	(void)model, (void)state, (void)event, (void)mapping;
	return NULL;
}

void sites_end(struct dms_model *model, const struct dms_mapping *mapping,
	       const struct dms_event *event)
{
	(void)model, (void)mapping, (void)event;
}

void sites_sync(struct dms_model *model, const struct dms_mapping *mapping,
		const struct dms_event *event)
{
	(void)model, (void)mapping, (void)event;
}

const struct dms_site *sites_of(const struct dms_model *model, const struct dms_mapping *mapping)
{
	(void)model, (void)mapping;
	return NULL;
}

struct dms_error *sites_tell(struct dms_model *model)
{
	(void)model;
	return NULL;
}

void sites_deinit(struct sites_state *sites)
{
	dms_free(sites->sites);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Call sites: the figures of all maps one stack made for one device. */
#ifndef DMS_MODEL_SITES_H
#define DMS_MODEL_SITES_H

#include "live.h"

/** All sites of a run, found by device, stack, kind and direction. */
struct sites_state {
	struct dms_site *sites;
	size_t n_sites, capacity;
};

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Between the pass over all mappings and the lanes of findings that it fills. */
#ifndef DMASCOPE_REPORT_HTML_SCAN_H
#define DMASCOPE_REPORT_HTML_SCAN_H

#include "html.h"

/** What the pass reads of a row of table mapping. */
struct html_mapping {
	int64_t id, device_id;
	bool has_addr, has_map, has_unmap;
	bool is_live; /* at the end of the trace */
	uint64_t dma_addr, size_bytes;
	int64_t map_ns, unmap_ns;
	int64_t map_stack_id; /* 0: not recorded */
};

/** The findings that get a lane, and the mappings nearest to each. */
struct html_lanes;
struct dms_error *html_lanes_create(struct html_page *page, struct html_lanes **ret);
/** NULL is allowed. */
void html_lanes_destroy(struct html_lanes *lanes);
/** Keep @mapping where it is near enough. */
void html_lanes_see(struct html_lanes *lanes, const struct html_mapping *mapping);
/** Keep the syncs near the findings, if the run has its events stored. */
struct dms_error *html_lanes_see_syncs(struct html_lanes *lanes);
/** Member "lanes": what was kept, by the finding's id. */
struct dms_error *html_lanes_add(struct html_lanes *lanes);

#endif

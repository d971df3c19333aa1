// SPDX-License-Identifier: LGPL-2.1-only
/* Rules of lives that end without an unmap. */
#include "rows.h"

static bool leaked(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_mapping *mapping = step->mapping;

	if (step->end != DMS_END_UNBOUND)
		return false;
	fact_address(facts, "dma_addr", mapping->dma_addr);
	fact_number(facts, "size_bytes", mapping->size);
	fact_dir(facts, "map_dir", mapping->dir);
	fact_word(facts, "mapped_as", debug_kind_name(mapping->kind));
	fact_number(facts, "map_ns", mapping->map_ts);
	if (mapping->map_stack != DMS_ID_NONE)
		fact_number(facts, "map_stack_id", (uint64_t)mapping->map_stack + 1);
	return true;
}

const struct dms_rule dms_rules_end[] = {
	{
		.id = "leak-at-unbind",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver has pending DMA allocations while released from device",
		.message = "device driver has pending DMA allocations while released from device [device "
			   "address={dma_addr}] [size={size_bytes} bytes] [mapped with {map_dir}] [mapped as "
			   "{mapped_as}]",
		.on = ON(ENDED),
		.check = leaked,
		.cause = "The driver was unbound, or the device went away, with this memory still mapped.",
		.cure = "Unmap in remove() what probe() and the data path mapped; look at the error paths.",
		.limits = "Needs a mark of the unbind in the trace. Memory of a device's own coherent pool is "
			  "freed without an event; where unmaps may be skipped legally nothing is certain.",
		.source = "kernel/dma/debug.c dma_debug_device_change()",
	},
};
const size_t dms_n_rules_end = DMS_ARRAY_SIZE(dms_rules_end);

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
		.inputs = DMS_INPUT_UNBINDS,
		.check = leaked,
		.cause = "The driver was unbound, or the device went away, with this memory still mapped.",
		.cure = "Unmap in remove() what probe() and the data path mapped; look at the error paths.",
		.limits = "Needs a mark of the unbind in the trace: a probe, dev:devres_log with stacks, "
			  "module:module_free of the driver that an inventory names, the device leaving its "
			  "IOMMU group, or dma-debug's own message. What is managed (dmam_*) goes after "
			  "remove(): a trace that ends within 100 ms of its return proves nothing. Where the "
			  "kernel lets drivers skip unmaps, only call sites whose other maps were unmapped "
			  "are judged. Memory of a device's own coherent pool is freed without an event: off "
			  "PCI, a device must have freed some before its allocations are judged.",
		.source = "kernel/dma/debug.c dma_debug_device_change(), which looks at PCI devices only "
			  "and tells one mapping of all",
	},
};
const size_t dms_n_rules_end = DMS_ARRAY_SIZE(dms_rules_end);

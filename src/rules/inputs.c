// SPDX-License-Identifier: LGPL-2.1-only
/* What a rule needs beside the events every trace has, in words: what is missing, how to get it. */
#include "rows.h"

/* Each bit of enum dms_input, in its order: what it is, and how to record it. */
static const struct input_row {
	const char *what, *how;
} input_rows[DMS_N_INPUTS] = {
	[0] = {"a probe of debug_dma_mapping_error()",
	       "only a kernel with CONFIG_DMA_API_DEBUG has it"},
	[1] = {"marks of drivers being unbound",
	       "`dmascope doctor` prints the probe; or record -e dev:devres_log with -T"},
	[2] = {"the DMA masks of devices",
	       "`dmascope doctor` prints the probes; or give --inventory (dma_mask_bits=)"},
	[3] = {"the memory map of the machine",
	       "give --iomem (/proc/iomem, read as root)"},
	[4] = {"the segment limits of devices", "give --inventory (max_seg_size=, seg_boundary=)"},
	[5] = {"IOMMU faults", "record -e iommu"},
	[6] = {"page frees", "record -e kmem:mm_page_free"},
	[7] = {"dma_sync_* events", "record -e dma"},
	[8] = {"iommu:unmap events", "record -e iommu"},
	[9] = {"the flags of allocations",
	       "record -e dma on a kernel that tells them"},
	[10] = {"the place of the mapping task's stack",
		"add a probe with stack_phys, see dmascope-doctor(1)"},
	[11] = {"which devices are not cache-coherent", "give --inventory (coherent=)"},
	[12] = {"kernel messages", "record -e printk:console, or give --kernel-log"},
	[13] = {"swiotlb_bounced events", "record -e swiotlb"},
	[14] = {NULL, NULL}, /* they do as well, but nobody builds a kernel for us */
};

/* @text grown by " or " and @more; NULL when memory is short. Takes @text. */
static char *append(char *text, const char *more)
{
	char *longer = text ? dms_asprintf("%s, or %s", text, more) : dms_strdup(more);

	dms_free(text);
	return longer;
}

struct dms_error *dms_rule_missing(const struct dms_rule *rule, uint32_t inputs, char **ret)
{
	_cleanup_(dms_freep) char *what = NULL, *how = NULL;

	*ret = NULL;
	if (!rule->inputs || (rule->inputs & inputs))
		return NULL;
	for (unsigned int i = 0; i < DMS_N_INPUTS; i++) {
		if (!(rule->inputs & DMS_BIT(i)) || !input_rows[i].what)
			continue;
		if (!(what = append(what, input_rows[i].what)) ||
		    !(how = append(how, input_rows[i].how)))
			return &dms_error_nomem;
	}
	*ret = dms_asprintf("needs %s: %s", what, how);
	return *ret ? NULL : &dms_error_nomem;
}

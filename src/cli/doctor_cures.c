// SPDX-License-Identifier: GPL-2.0-only
/* How a trace is recorded better, in the words of what recorded it. */
#include <string.h>

#include "cli.h"
#include "doctor.h"

enum way { WAY_TRACE_CMD, WAY_PERF, WAY_TRACEFS, N_WAYS };

static const char *const cures[DOCTOR_N_CURES][N_WAYS] = {
	[CURE_DMA] = {"-e dma", "-e 'dma:*'", "echo 1 > events/dma/enable"},
	[CURE_IOMMU] = {"-e iommu", "-e 'iommu:*'", "echo 1 > events/iommu/enable"},
	[CURE_SWIOTLB] = {"-e swiotlb", "-e 'swiotlb:*'", "echo 1 > events/swiotlb/enable"},
	[CURE_MESSAGES] = {"-e printk:console", "-e printk:console",
			   "echo 1 > events/printk/console/enable"},
	[CURE_STACKS] = {"-T", "-g", "echo 1 > options/stacktrace"},
	[CURE_CLOCK] = {"-C mono", "-k mono", "echo mono > trace_clock"},
	[CURE_BUFFER] = {"-b 32768 (KiB for each CPU)", "-m 32M",
			 "echo 32768 > buffer_size_kb (KiB for each CPU)"},
	[CURE_PROBES] = {"-e dmascope", "-e 'dmascope:*'", "echo 1 > events/dmascope/enable"},
	[CURE_ALL] = {"trace-cmd record -e dma -e swiotlb -e iommu -e printk:console -e module -T "
		      "-C mono -b 32768 -o trace.dat",
		      "perf record -a -g -k mono -m 32M -e 'dma:*' -e 'swiotlb:*' -e 'iommu:*' "
		      "-e printk:console -e 'module:*' -o perf.data",
		      "trace-cmd record -e dma -e swiotlb -e iommu -e printk:console -e module -T "
		      "-C mono -b 32768 -o trace.dat"},
};

const char *doctor_cure(const struct dms_source_info *info, enum doctor_cure cure)
{
	enum way way = WAY_TRACE_CMD;

	if (!strncmp(info->format, "perf.data", 9) || strstr(info->format, "perf script"))
		way = WAY_PERF;
	else if (info->is_text && !strstr(info->format, "trace-cmd"))
		way = WAY_TRACEFS;
	return cures[cure][way];
}

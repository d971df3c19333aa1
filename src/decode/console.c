// SPDX-License-Identifier: LGPL-2.1-only
/* Messages of the kernel that tell of DMA: faults, bounces without room, dma-debug's reports. */
#include <dmascope/decode.h>

bool dms_console_read(struct dms_console_state *state, const char *text, size_t size,
		      struct dms_strtab *names, struct dms_event *event)
{
	(void)state, (void)text, (void)size, (void)names, (void)event;
	return false;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Events written as text, one a line: how tests tell the model what happened. */
#ifndef DMS_TESTS_TEXTSOURCE_H
#define DMS_TESTS_TEXTSOURCE_H

#include <dmascope/decode.h>

/* clang-format off */
/*
 *   100 nvme0 map dma=0x1000 phys=0x8000 size=4096 dir=to [cpu=1] [pid=7] [attrs=0x20] [failed]
 *   200 nvme0 unmap dma=0x1000 size=4096 dir=to
 *   300 nvme0 map_sg plist=0x1000,0x3000 dlist=0x1000+4096,0x3000+512 dir=from [nents=200] [truncated]
 *   400 nvme0 unmap_sg plist=0x1000,0x3000 dir=from
 *   500 nvme0 alloc virt=0xf000 dma=0x2000 size=4096
 *   550 nvme0 free virt=0xf000 dma=0x2000 size=4096 [flags=0x1]
 *   600 gap until=700 lost=3 cpu=0
 *   800 unbind nvme0
 *   900 end
 * The words after the device are those of dms_event_kind_name(); numbers are C's.
 */
/* clang-format on */
enum text_line { TEXT_NOTHING, TEXT_EVENT, TEXT_GAP, TEXT_UNBIND, TEXT_END, TEXT_BAD };

/** One line, parsed. Lists lie in it. */
struct text_item {
	enum text_line kind;
	struct dms_event event;
	struct dms_gap gap;
	uint32_t device; /* UNBIND */
	uint64_t ts;
	uint64_t phys[256], dma[256];
	uint32_t lengths[256];
};

/** Parse @line into @ret; devices are numbered in @names. Empty lines and # are NOTHING. */
void text_parse(const char *line, struct dms_strtab *names, struct text_item *ret);

#endif

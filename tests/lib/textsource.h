/* SPDX-License-Identifier: GPL-2.0-only */
/* Events written as text, one a line: how tests tell the model what happened. */
#ifndef DMS_TESTS_TEXTSOURCE_H
#define DMS_TESTS_TEXTSOURCE_H

#include <stdio.h>

#include <dmascope/decode.h>

/* clang-format off */
/*
 *   100 nvme0 map dma=0x1000 phys=0x8000 size=4096 dir=to [cpu=1] [pid=7] [attrs=0x20] [failed]
 *   200 nvme0 unmap dma=0x1000 size=4096 dir=to
 *   300 nvme0 map_sg plist=0x1000,0x3000 dlist=0x1000+4096,0x3000+512 dir=from [nents=200] [truncated]
 *   400 nvme0 unmap_sg plist=0x1000,0x3000 dir=from
 *   500 nvme0 alloc virt=0xf000 dma=0x2000 size=4096
 *   550 nvme0 free virt=0xf000 dma=0x2000 size=4096 [flags=0x1]
 *   560 nvme0 console message=stack [text=WORD], 570 - io_page_fault dma=0x1000 err=1 [text=WORD]
 *   600 gap until=700 lost=3 cpu=0
 *   800 unbind nvme0
 *   900 end
 * The words after the device are those of dms_event_kind_name(); numbers are C's.
 *   580 nvme0 check dma=0x1000 [by_kernel|by_driver], 590 - check dma=0x1000 ptr=0xff00
 *   595 nvme module_free, and nvme0 unbind_begin, unbind_cleanup, unbound, bound
 *   *100
 *   	@1000+50 nvme0 map dma=@0x1000+0x2000 ...
 * What follows "*N" behind a tab is told N times; "@A+B" there is A, then A+B, A+2B...
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
	char text[256]; /* of a message, without blanks */
};

/** Reads a script's lines, telling repeated ones as often as they say. */
struct text_reader {
	FILE *file;
	long block; /* where the repeated lines begin */
	unsigned long turn, turns;
	unsigned int line_number, block_line;
};
/** The next line without its end into @line; false at the end of the file. */
bool text_read_line(struct text_reader *reader, char *line, size_t size);

/** Parse @line into @ret; devices are numbered in @names. Empty lines and # are NOTHING. */
void text_parse(const char *line, struct dms_strtab *names, struct text_item *ret);

#endif

// SPDX-License-Identifier: LGPL-2.1-only
/*
 * Allocation flags out of their names. Bits differ between kernels, names do not: these are the
 * bits of Linux 7.2, and they stand in the made-up formats beside their names. Source: the format
 * of dma:dma_alloc (include/trace/events/mmflags.h) and include/linux/gfp_types.h of 6.12 to 7.2.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shape.h"

/* clang-format off */
enum {
	DMA	       = 1 << 0,  HIGHMEM	 = 1 << 1,  DMA32	= 1 << 2,
	MOVABLE	       = 1 << 3,  RECLAIMABLE	 = 1 << 4,  HIGH	= 1 << 5,
	IO	       = 1 << 6,  FS		 = 1 << 7,  ZERO	= 1 << 8,
	DIRECT_RECLAIM = 1 << 10, KSWAPD_RECLAIM = 1 << 11, WRITE	= 1 << 12,
	NOWARN	       = 1 << 13, RETRY_MAYFAIL	 = 1 << 14, NOFAIL	= 1 << 15,
	NORETRY	       = 1 << 16, MEMALLOC	 = 1 << 17, COMP	= 1 << 18,
	NOMEMALLOC     = 1 << 19, HARDWALL	 = 1 << 20, THISNODE	= 1 << 21,
	ACCOUNT	       = 1 << 22, ZEROTAGS	 = 1 << 23, NO_OBJ_EXT	= 1 << 24,

	RECLAIM	       = DIRECT_RECLAIM | KSWAPD_RECLAIM,
	KERNEL	       = RECLAIM | IO | FS,
	USER	       = KERNEL | HARDWALL,
	HIGHUSER       = USER | HIGHMEM,
	TRANSHUGE      = ((HIGHUSER | MOVABLE | COMP | NOMEMALLOC | NOWARN) & ~RECLAIM),
};

static const struct row {
	const char *name;
	uint32_t bits;
} rows[] = {
	{ "GFP_TRANSHUGE",	  TRANSHUGE | DIRECT_RECLAIM },
	{ "GFP_TRANSHUGE_LIGHT",  TRANSHUGE },
	{ "GFP_HIGHUSER_MOVABLE", HIGHUSER | MOVABLE },
	{ "GFP_HIGHUSER",	  HIGHUSER },
	{ "GFP_USER",		  USER },
	{ "GFP_KERNEL_ACCOUNT",	  KERNEL | ACCOUNT },
	{ "GFP_KERNEL",		  KERNEL },
	{ "GFP_NOFS",		  RECLAIM | IO },
	{ "GFP_ATOMIC",		  HIGH | KSWAPD_RECLAIM },
	{ "GFP_NOIO",		  RECLAIM },
	{ "GFP_NOWAIT",		  KSWAPD_RECLAIM },
	{ "GFP_DMA",		  DMA },
	{ "GFP_DMA32",		  DMA32 },
	{ "__GFP_RECLAIM",	  RECLAIM },
	/* single bits from here on */
	{ "__GFP_DMA",		  DMA },
	{ "__GFP_HIGHMEM",	  HIGHMEM },
	{ "__GFP_DMA32",	  DMA32 },
	{ "__GFP_MOVABLE",	  MOVABLE },
	{ "__GFP_RECLAIMABLE",	  RECLAIMABLE },
	{ "__GFP_HIGH",		  HIGH },
	{ "__GFP_IO",		  IO },
	{ "__GFP_FS",		  FS },
	{ "__GFP_ZERO",		  ZERO },
	{ "__GFP_DIRECT_RECLAIM", DIRECT_RECLAIM },
	{ "__GFP_KSWAPD_RECLAIM", KSWAPD_RECLAIM },
	{ "__GFP_WRITE",	  WRITE },
	{ "__GFP_NOWARN",	  NOWARN },
	{ "__GFP_RETRY_MAYFAIL",  RETRY_MAYFAIL },
	{ "__GFP_NOFAIL",	  NOFAIL },
	{ "__GFP_NORETRY",	  NORETRY },
	{ "__GFP_MEMALLOC",	  MEMALLOC },
	{ "__GFP_COMP",		  COMP },
	{ "__GFP_NOMEMALLOC",	  NOMEMALLOC },
	{ "__GFP_HARDWALL",	  HARDWALL },
	{ "__GFP_THISNODE",	  THISNODE },
	{ "__GFP_ACCOUNT",	  ACCOUNT },
	{ "__GFP_ZEROTAGS",	  ZEROTAGS },
	{ "__GFP_NO_OBJ_EXT",	  NO_OBJ_EXT },
};
/* clang-format on */

static uint32_t bits_of(const char *name, size_t len)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		if (strlen(rows[i].name) == len && !memcmp(rows[i].name, name, len))
			return rows[i].bits;
	}
	return 0;
}

uint32_t text_gfp_read(const char *str, size_t len)
{
	const char *end = str + len;
	uint32_t bits = 0;

	while (str < end) {
		const char *bar = memchr(str, '|', (size_t)(end - str));

		if (!bar)
			bar = end;
		bits |= bits_of(str, (size_t)(bar - str));
		str = bar + 1;
	}
	return bits;
}

char *text_gfp_print_format(void)
{
	char *text = NULL;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		char *longer = dms_asprintf("%s%s{0x%xu, \"%s\"}", text ? text : "",
					    text ? ", " : "", rows[i].bits, rows[i].name);

		dms_free(text);
		text = longer;
		if (!text)
			return NULL;
	}
	return text;
}

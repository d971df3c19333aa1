/* SPDX-License-Identifier: LGPL-2.1-only */
/* Call sites: the figures of all maps one stack made for one device. */
#ifndef DMS_MODEL_SITES_H
#define DMS_MODEL_SITES_H

#include "live.h"

/** A site, and what only its upkeep needs. */
struct site {
	uint64_t bucket_end;  /* ts: from here on another bucket begins */
	uint64_t maps_before; /* the bucket; what is in it is written when it ends */
	struct dms_site figures;
	uint32_t oldest; /* slot of its oldest live mapping, plus 1; found at the end */
};

/** What a site is found by. */
struct site_key {
	uint64_t owner;	 /* device << 32 | stack */
	uint16_t manner; /* dir << 8 | kind */
	uint32_t number; /* of the site; 0: the entry is empty */
};

/* Beyond, maps of a stack not seen before count for the site without stack of their device. */
#define MAX_SITES  32768
#define FIRST_KEYS 256

/** All sites of a run, numbered from 1 in the order of their first maps. Sites never move. */
struct sites_state {
	struct site **sites;
	size_t sites_capacity;
	uint32_t n_sites;
	uint32_t n_keys;       /* a power of two, or 0 */
	struct site_key *keys; /* hashed, open addressing */
	unsigned int keys_shift; /* for dms_hash_place() */
	bool has_idle;	       /* a map or unmap of the idle task, or so told: no filter of tasks */
	uint32_t n_unjudged;   /* sites whose lives at the end prove nothing for want of has_idle */
	bool has_cpu_sync;     /* a sync for the CPU, of any device */
};

#endif

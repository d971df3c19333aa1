// SPDX-License-Identifier: LGPL-2.1-only
/* Words for kinds, ends, modes and doubts; what each doubt leaves of a verdict's confidence. */
#include <dmascope/model.h>

const char *dms_mapping_kind_name(enum dms_mapping_kind kind)
{
	static const char *const names[DMS_MAPPING_N_KINDS] = {
		[DMS_MAPPING_PAGE] = "page",   [DMS_MAPPING_RESOURCE] = "resource",
		[DMS_MAPPING_SG] = "sg",       [DMS_MAPPING_COHERENT] = "coherent",
		[DMS_MAPPING_PAGES] = "pages", [DMS_MAPPING_NONCONTIGUOUS] = "noncontiguous",
	};

	return names[kind];
}

const char *dms_end_name(enum dms_end end)
{
	static const char *const names[DMS_N_ENDS] = {
		[DMS_END_LIVE] = "live",	   [DMS_END_UNMAPPED] = "unmapped",
		[DMS_END_LOST] = "lost",	   [DMS_END_ELIDED] = "elided",
		[DMS_END_UNBOUND] = "unbound",	   [DMS_END_PRE_TRACE] = "pre-trace",
		[DMS_END_UNMATCHED] = "unmatched",
	};

	return names[end];
}

const char *dms_address_mode_name(enum dms_address_mode mode)
{
	static const char *const names[] = {
		[DMS_MODE_UNKNOWN] = "unknown",
		[DMS_MODE_DIRECT] = "direct",
		[DMS_MODE_BOUNCED] = "bounced",
		[DMS_MODE_IOMMU] = "iommu",
	};

	return names[mode];
}

const char *dms_confidence_name(enum dms_confidence confidence)
{
	static const char *const names[] = {
		[DMS_POSSIBLE] = "possible",
		[DMS_LIKELY] = "likely",
		[DMS_CERTAIN] = "certain",
	};

	return names[confidence];
}

/* In the order of the bits of enum dms_doubt. */
static const struct {
	enum dms_confidence leaves;
	const char *reason;
} doubts_table[DMS_N_DOUBTS] = {
	{DMS_POSSIBLE, "events were lost while it could have mattered"},
	{DMS_POSSIBLE, "it may have been mapped before the trace began"},
	{DMS_LIKELY, "the kernel cut the list at 128 entries, only those were compared"},
	{DMS_LIKELY, "more than one mapping comes into question"},
	{DMS_POSSIBLE, "events of two CPUs may have changed places"},
	{DMS_POSSIBLE, "the driver may skip unmaps on this device (dma_need_unmap())"},
	{DMS_POSSIBLE, "an event of this size vanishes from the ring buffer without a mark"},
	{DMS_POSSIBLE, "the event that would tell is not in this trace"},
	{DMS_LIKELY, "the kernel log that tells it has another clock than the trace"},
	{DMS_LIKELY, "it is inferred from many events, none of which proves it"},
	{DMS_POSSIBLE, "the trace ends too soon after it to tell"},
	{DMS_LIKELY, "a side file tells it, maybe of another moment"},
};

enum dms_confidence dms_confidence_of(uint32_t doubts)
{
	enum dms_confidence least = DMS_CERTAIN;

	for (unsigned int i = 0; i < DMS_N_DOUBTS; i++) {
		if ((doubts & DMS_BIT(i)) && doubts_table[i].leaves < least)
			least = doubts_table[i].leaves;
	}
	return least;
}

const char *dms_doubt_reason(uint32_t doubts)
{
	enum dms_confidence confidence = dms_confidence_of(doubts);

	for (unsigned int i = 0; i < DMS_N_DOUBTS; i++) {
		if ((doubts & DMS_BIT(i)) && doubts_table[i].leaves == confidence)
			return doubts_table[i].reason;
	}
	return NULL;
}

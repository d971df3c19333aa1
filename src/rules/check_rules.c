// SPDX-License-Identifier: LGPL-2.1-only
/* Rules of map errors that nobody looked for: dma_mapping_error(). */
#include <stdio.h>
#include <string.h>

#include "rows.h"

/* A map is checked within microseconds; slow virtual machines take milliseconds. */
#define CHECK_NS 100000000ull

static void fact_unchecked(struct dms_facts *facts, const struct dms_mapping *mapping)
{
	fact_address(facts, "dma_addr", mapping->dma_addr);
	fact_number(facts, "size_bytes", mapping->size);
	fact_word(facts, "mapped_as", debug_kind_name(mapping->kind));
}

static bool is_checkable(const struct dms_mapping *mapping)
{
	return mapping->is_check_seen &&
	       (mapping->kind == DMS_MAPPING_PAGE || mapping->kind == DMS_MAPPING_RESOURCE);
}

/* The error value itself is synced: the map that gave it failed, and nobody looked. */
static bool is_error_synced(const struct dms_step *step, struct dms_facts *facts)
{
	if (step->event->dma_addr != DMS_MAPPING_ERROR64 || (step->event->has & DMS_HAS_DMA_LIST))
		return false;
	fact_address(facts, "dma_addr", step->event->dma_addr);
	fact_number(facts, "size_bytes", step->event->size);
	fact_word(facts, "mapped_as", debug_kind_name(DMS_MAPPING_PAGE));
	fact_word(facts, "hint", ": the map failed, and its error value is synced");
	return true;
}

/* "[mapped as single]": dma-debug's word, which is one of ours; NULL: it is not there. */
static const char *told_kind(const struct dms_event *event)
{
	static const char *const words[] = {"single", "page", "resource", "phy"};
	char wanted[32];

	for (size_t i = 0; event->text && i < DMS_ARRAY_SIZE(words); i++) {
		snprintf(wanted, sizeof(wanted), "[mapped as %s]", words[i]);
		if (memmem(event->text, event->text_len, wanted, strlen(wanted)))
			return words[i];
	}
	return NULL;
}

static bool is_told(const struct dms_step *step, struct dms_facts *facts)
{
	const char *kind;

	if (!message_is(step, DMS_MSG_UNCHECKED, facts))
		return false;
	kind = told_kind(step->event);
	fact_word(facts, "mapped_as", kind ? kind : "?");
	fact_word(facts, "hint", ", as the kernel's log tells");
	return true;
}

static bool map_unchecked(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_mapping *mapping = step->mapping;

	if (step->kind == DMS_STEP_MESSAGE)
		return is_told(step, facts);
	if (step->kind == DMS_STEP_SYNC_UNMATCHED)
		return is_error_synced(step, facts);
	if (!is_checkable(mapping) ||
	    (step->kind == DMS_STEP_ENDED && (step->end != DMS_END_LIVE || mapping->is_checked)))
		return false;
	if (mapping->is_checked && !mapping->is_used_unchecked)
		return false;
	fact_unchecked(facts, mapping);
	if (mapping->is_checked)
		fact_word(facts, "hint", ": it was checked only after its first use");
	else if (step->kind == DMS_STEP_ENDED)
		fact_word(facts, "hint", ": it is still mapped");
	return true;
}

/* The check of what was mapped last may be what the trace just missed. */
static uint32_t unchecked_doubts(const struct dms_step *step)
{
	return step->kind == DMS_STEP_ENDED && step->ts < step->mapping->map_ts + CHECK_NS
		       ? DMS_DOUBT_ENDING
		       : 0;
}

const struct dms_rule dms_rules_check[] = {
	{
		.id = "map-error-unchecked",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver failed to check map error",
		.message = "device driver failed to check map error[device address={dma_addr}] "
			   "[size={size_bytes} bytes] [mapped as {mapped_as}]{hint}",
		.on = ON(UNMAP) | ON(ENDED) | ON(SYNC_UNMATCHED) | ON(MESSAGE),
		.signs = DMS_SIGN_UNCHECKED,
		.beside = DMS_DOUBT_ELIDED | DMS_DOUBT_OVERSIZED | DMS_DOUBT_OTHER_CLOCK,
		.inputs = DMS_INPUT_CHECKS | DMS_INPUT_DEBUG,
		.doubts = unchecked_doubts,
		.check = map_unchecked,
		.cause = "The address that a map returned was used without asking dma_mapping_error(), or "
			 "before: had the map failed, the device would read or write somewhere else.",
		.cure = "Call dma_mapping_error() on the address before anything else is done with it, and "
			"handle the failure.",
		.limits = "Needs a probe of debug_dma_mapping_error(), which kernels with "
			  "CONFIG_DMA_API_DEBUG have; it should record its caller. A mapping is judged only "
			  "if the kernel's own call of that function right after the map was recorded: it "
			  "proves that the probe was on. Resources of kernels before 6.18 have no such call "
			  "and are judged unless the probe was seen off. Without the caller the kernel's own "
			  "calls are told apart only after eight mappings were checked twice. A sync of the "
			  "error value is told without any probe, and so is what dma-debug reports in a "
			  "kernel's log that is given.",
		.source = "kernel/dma/debug.c check_unmap(), which sees neither a late check nor what is "
			  "never unmapped",
	},
};
const size_t dms_n_rules_check = DMS_ARRAY_SIZE(dms_rules_check);

// SPDX-License-Identifier: LGPL-2.1-only
/* Rules of where a call may be made from. */
#include "rows.h"

/* common_flags of a trace entry: include/linux/trace_events.h */
#define FLAG_IRQS_OFF 0x01
#define FLAG_HARDIRQ  0x08
#define FLAG_NMI      0x40

static bool free_atomic(const struct dms_step *step, struct dms_facts *facts)
{
	uint8_t flags = step->event->common_flags;

	if (step->event->kind != DMS_EV_FREE || !(flags & (FLAG_IRQS_OFF | FLAG_HARDIRQ | FLAG_NMI)))
		return false;
	fact_address(facts, "dma_addr", step->mapping->dma_addr);
	fact_number(facts, "size_bytes", step->mapping->size);
	fact_word(facts, "context",
		  flags & FLAG_NMI ? "in an NMI" : flags & FLAG_HARDIRQ ? "in a hard interrupt"
								     : "with interrupts disabled");
	return true;
}

const struct dms_rule dms_rules_context[] = {
	{
		.id = "free-in-atomic",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver frees coherent memory with interrupts disabled",
		.message = "device driver frees coherent memory {context} [device address={dma_addr}] "
			   "[size={size_bytes} bytes]",
		.on = ON(UNMAP) | ON(UNMAP_UNMATCHED),
		.signs = DMS_SIGN_ATOMIC,
		.beside = ALL_DOUBTS,
		.check = free_atomic,
		.cause = "dma_free_coherent() may have to change page tables and flush TLBs of other CPUs, "
			 "which needs interrupts.",
		.cure = "Free from process context: after the lock, or from a work item.",
		.limits = "Softirq context is forbidden by the documentation too, but not told apart here.",
		.source = "kernel/dma/mapping.c dma_free_attrs() WARN_ON(irqs_disabled())",
	},
};
const size_t dms_n_rules_context = DMS_ARRAY_SIZE(dms_rules_context);

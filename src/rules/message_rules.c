// SPDX-License-Identifier: LGPL-2.1-only
/* Rules the kernel itself found broken, by its log. */
#include "rows.h"

bool message_is(const struct dms_step *step, enum dms_message message, struct dms_facts *facts)
{
	const struct dms_event *event = step->event;

	if (step->kind != DMS_STEP_MESSAGE || !event || event->message != message)
		return false;
	fact_word(facts, "told_by", "the kernel's log");
	if (event->has & DMS_HAS_DMA_ADDR)
		fact_address(facts, "dma_addr", event->dma_addr);
	if (event->has & DMS_HAS_PHYS_ADDR)
		fact_address(facts, "phys_addr", event->phys_addr);
	if (event->has & DMS_HAS_SIZE)
		fact_number(facts, "size_bytes", event->size);
	return true;
}

static bool from_stack(const struct dms_step *step, struct dms_facts *facts)
{
	const struct dms_mapping *mapping = step->mapping;

	if (message_is(step, DMS_MSG_STACK, facts))
		return true;
	if (step->kind != DMS_STEP_MAP || !mapping || !mapping->is_on_stack)
		return false;
	fact_word(facts, "told_by", "a probe");
	fact_address(facts, "dma_addr", mapping->dma_addr);
	fact_address(facts, "phys_addr", mapping->cpu_addr);
	fact_number(facts, "size_bytes", mapping->size);
	return true;
}

const struct dms_rule dms_rules_message[] = {
	{
		.id = "map-from-stack",
		.severity = DMS_SEVERITY_ERROR,
		.title = "device driver maps memory from stack",
		.message = "device driver maps memory from stack, as {told_by} tells",
		.on = ON(MAP) | ON(MESSAGE),
		.signs = DMS_SIGN_STACK,
		.beside = ALL_DOUBTS, /* who tells it saw the stack itself */
		.inputs = DMS_INPUT_STACK_PAGES | DMS_INPUT_CONSOLE,
		.check = from_stack,
		.cause = "A buffer that is a local variable was mapped. Its cache lines hold other "
			 "variables as well, and with CONFIG_VMAP_STACK it is not even in the "
			 "linear "
			 "map.",
		.cure = "Allocate the buffer with kmalloc(), or put it into the driver's own "
			"structure "
			"in cache lines of its own.",
		.limits =
			"No tracepoint tells where a stack is: it takes dma-debug's report in the "
			"kernel's log, or a probe of the mapping task's stack.",
		.source = "kernel/dma/debug.c check_for_stack(), "
			  "Documentation/core-api/dma-api-howto.rst",
	},
};
const size_t dms_n_rules_message = DMS_ARRAY_SIZE(dms_rules_message);

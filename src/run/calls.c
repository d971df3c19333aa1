// SPDX-License-Identifier: LGPL-2.1-only
/* The calls a finding is about, for the summary: their tasks and stacks by name. */
#include <string.h>

#include "run.h"

static const char *copy_name(struct dms_run *run, const char *text, size_t len)
{
	char *copy = dms_arena_alloc(run->arena, len + 1);

	if (copy)
		memcpy(copy, text, len); /* the arena's memory is zeroed */
	return copy;
}

static bool name_frame(struct dms_run *run, uint64_t address, struct dms_frame_summary *ret)
{
	struct dms_symbol symbol;

	*ret = (struct dms_frame_summary){
		.address = dms_address_is_made_up(address) ? 0 : address,
	};
	if (!run->symbols || !dms_symbols_find(run->symbols, address, &symbol))
		return true;
	if (!dms_symbol_offset(&symbol, address, &ret->offset))
		ret->offset = UINT64_MAX;
	ret->function = copy_name(run, symbol.name, symbol.name_len);
	if (symbol.module)
		ret->module = copy_name(run, symbol.module, symbol.module_len);
	return ret->function && (!symbol.module || ret->module);
}

static struct dms_error *name_stack(struct dms_run *run, struct dms_call_summary *call)
{
	struct dms_frame_summary *named;
	const uint64_t *frames;
	uint32_t n_frames = 0;

	if (!call->stack_id || !run->names.stacks)
		return NULL;
	frames = dms_stacks_get(run->names.stacks, (uint32_t)(call->stack_id - 1), &n_frames);
	named = dms_arena_alloc(run->arena, n_frames * sizeof(*named) + 1);
	if (!named)
		return &dms_error_nomem;
	for (uint32_t i = 0; i < n_frames; i++) {
		if (!name_frame(run, frames[i], &named[i]))
			return &dms_error_nomem;
	}
	call->frames = named;
	call->n_frames = n_frames;
	return NULL;
}

struct dms_error *dms_run_calls(struct dms_run *run, const struct dms_finding_row *row,
				struct dms_finding_summary *ret)
{
	struct dms_call_summary *calls =
		dms_arena_alloc(run->arena, DMS_MAX_CALLS * sizeof(*calls));
	struct dms_error *err = NULL;

	if (!calls)
		return &dms_error_nomem;
	calls[0] = (struct dms_call_summary){
		.what = DMS_CALL_BROKE,
		.ts = row->ts,
		.cpu = row->cpu,
		.pid = row->pid,
		.has_task = row->has_event,
		.stack_id = row->stack == DMS_ID_NONE ? 0 : (uint64_t)row->stack + 1,
	};
	ret->calls = calls;
	ret->n_calls = 1;
	err = dms_calls_of_facts(row->facts, run->arena, calls, &ret->n_calls);
	for (size_t i = 0; i < ret->n_calls && !err; i++) {
		if (calls[i].has_task)
			err = dms_run_comm(run, calls[i].pid, &calls[i].comm);
		if (!err)
			err = name_stack(run, &calls[i]);
	}
	return err;
}

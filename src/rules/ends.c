// SPDX-License-Identifier: LGPL-2.1-only
/* Both ends of a finding: where its memory was mapped, and unmapped before, as facts. */
#include "rows.h"

/** Keys of one end's facts. Stacks are told by their row in the database: number + 1. */
struct end_keys {
	const char *ns, *cpu, *pid, *stack_id;
};

static const struct end_keys map_keys = {"map_ns", "map_cpu", "map_pid", "map_stack_id"};
static const struct end_keys unmap_keys = {"unmap_ns", "unmap_cpu", "unmap_pid", "unmap_stack_id"};
static const struct end_keys other_keys = {"other_ns", "other_cpu", "other_pid", "other_stack_id"};

/** One call: when, where, by whom. */
struct call {
	uint64_t ts;
	uint32_t cpu, pid, stack;
};

static void fact_call(struct dms_facts *facts, const struct end_keys *keys, struct call call)
{
	fact_number_once(facts, keys->ns, call.ts);
	fact_number_once(facts, keys->cpu, call.cpu);
	fact_number_once(facts, keys->pid, call.pid);
	if (call.stack != DMS_ID_NONE)
		fact_number_once(facts, keys->stack_id, (uint64_t)call.stack + 1);
}

/* A dump tells neither when nor by whom. */
static bool is_seen(const struct dms_mapping *mapping)
{
	return mapping && mapping->has && !mapping->is_seeded;
}

static void fact_map(struct dms_facts *facts, const struct end_keys *keys,
		     const struct dms_mapping *mapping)
{
	if (is_seen(mapping))
		fact_call(facts, keys,
			  (struct call){mapping->map_ts, mapping->map_cpu, mapping->map_pid,
					mapping->map_stack});
}

static void fact_past(struct dms_facts *facts, const struct dms_past *past)
{
	const struct call map = {past->map_ts, past->map_cpu, past->map_pid, past->map_stack};
	const struct call unmap = {past->unmap_ts, past->unmap_cpu, past->unmap_pid,
				   past->unmap_stack};

	if (past->end != DMS_END_PRE_TRACE && past->end != DMS_END_UNMATCHED && past->map_ts)
		fact_call(facts, &map_keys, map);
	if (past->end == DMS_END_UNMAPPED || past->end == DMS_END_PRE_TRACE)
		fact_call(facts, &unmap_keys, unmap);
}

static void fact_owner(struct dms_facts *facts, const struct dms_mapping *elsewhere)
{
	fact_device_once(facts, "owner_device", elsewhere->device);
	fact_map(facts, &map_keys, elsewhere);
}

static void fact_overlap(struct dms_facts *facts, const struct dms_step *step)
{
	if (step->mapping && step->mapping->map_ts != step->ts)
		fact_map(facts, &map_keys, step->mapping); /* else it is the finding's own call */
	if (!step->related)
		return;
	fact_device_once(facts, "other_device", step->related->device);
	fact_map(facts, &other_keys, step->related);
}

/* The life the step itself points to first: its own, one it touches, the last, another device's. */
static void fact_nearest(struct dms_facts *facts, const struct dms_step *step)
{
	if (step->mapping && step->mapping->has)
		fact_map(facts, &map_keys, step->mapping);
	else if (step->related)
		fact_map(facts, &map_keys, step->related);
	else if (step->past)
		fact_past(facts, step->past);
	else if (step->elsewhere)
		fact_owner(facts, step->elsewhere);
}

void fact_ends(struct dms_facts *facts, const struct dms_step *step, enum dms_ends ends)
{
	if (step->kind == DMS_STEP_MAP)
		return; /* the finding's call is the map */
	if (step->kind == DMS_STEP_OVERLAP)
		fact_overlap(facts, step);
	else if (ends == DMS_ENDS_PAST && step->past)
		fact_past(facts, step->past);
	else if (ends == DMS_ENDS_OWNER && step->elsewhere)
		fact_owner(facts, step->elsewhere);
	else
		fact_nearest(facts, step);
}

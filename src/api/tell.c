// SPDX-License-Identifier: LGPL-2.1-only
/* Mappings and findings of a run that goes on, told to the callbacks of its caller. */
#include "local.h"

_Static_assert((int)DMASCOPE_ERROR == (int)DMS_SEVERITY_ERROR &&
		       (int)DMASCOPE_CERTAIN == (int)DMS_CERTAIN,
	       "severity and confidence are the same");
_Static_assert(DMASCOPE_UNKNOWN32 == DMS_ID_NONE, "what is not known is the same");

static uint64_t if_known(bool is_known, uint64_t value)
{
	return is_known ? value : DMASCOPE_UNKNOWN;
}

static uint64_t stack_id(uint32_t stack)
{
	return stack == DMS_ID_NONE ? 0 : (uint64_t)stack + 1;
}

/* A hashed pointer tells allocations apart, and is no address. */
static bool has_virt_addr(uint32_t has)
{
	return (has & (DMS_HAS_VIRT_ADDR | DMS_HAS_HASH)) == DMS_HAS_VIRT_ADDR;
}

/* The same as the store's row, src/store/rows.c, which tests hold it against. */
static void tell_map(struct dmascope_mapping *ret, const struct dms_mapping *mapping)
{
	uint32_t has = mapping->has;

	ret->dma_addr = if_known(has & (DMS_HAS_DMA_ADDR | DMS_HAS_DMA_LIST), mapping->dma_addr);
	ret->phys_addr = if_known(has & (DMS_HAS_PHYS_ADDR | DMS_HAS_PHYS_LIST), mapping->cpu_addr);
	ret->virt_addr = if_known(has_virt_addr(has), mapping->cpu_addr);
	ret->size_bytes = if_known(has & (DMS_HAS_SIZE | DMS_HAS_LENGTHS), mapping->size);
	if (has & DMS_HAS_DIR)
		ret->direction = dms_dir_name((enum dms_dir)mapping->dir);
	ret->attrs = if_known(has & DMS_HAS_ATTRS, mapping->attrs);
	if (mapping->is_seeded)
		return; /* nobody saw who mapped it, and when */
	ret->map_ns = mapping->map_ts;
	ret->map_cpu = mapping->map_cpu;
	ret->map_pid = mapping->map_pid;
	ret->map_stack_id = stack_id(mapping->map_stack);
}

/* Without a map all that is known are the addresses of its unmap. */
static void tell_orphan(struct dmascope_mapping *ret, const struct dms_event *event)
{
	uint32_t has = event->has;
	bool has_list = has & DMS_HAS_PHYS_LIST && event->n_phys;

	ret->dma_addr = if_known(has & DMS_HAS_DMA_ADDR, event->dma_addr);
	if (!(has & DMS_HAS_DMA_ADDR) && has & DMS_HAS_DMA_LIST && event->n_dma)
		ret->dma_addr = event->dma_list[0];
	ret->phys_addr = if_known(has_list || has & DMS_HAS_PHYS_ADDR,
				  has_list ? event->phys_list[0] : event->phys_addr);
	ret->virt_addr = if_known(has_virt_addr(has), event->virt_addr);
	ret->size_bytes = if_known(has & DMS_HAS_SIZE, event->size);
	if (has & DMS_HAS_DIR)
		ret->direction = dms_dir_name((enum dms_dir)event->dir);
	ret->attrs = if_known(has & DMS_HAS_ATTRS, event->attrs);
}

static struct dmascope_mapping mapping_of(struct dms_run *run, const struct dms_step *step)
{
	struct dms_mapping *mapping = step->mapping;
	uint32_t doubts = (mapping->doubts | step->doubts) & (DMS_BIT(DMS_N_DOUBTS) - 1);
	const uint64_t none = DMASCOPE_UNKNOWN;

	return (struct dmascope_mapping){
		.id = dms_mapping_row(run->model, mapping),
		.kind = dms_mapping_kind_name((enum dms_mapping_kind)mapping->kind),
		.direction = dms_dir_name(DMS_DIR_UNKNOWN),
		.end = dms_end_name(step->end),
		.confidence = (enum dmascope_confidence)dms_confidence_of(doubts),
		.reason = dms_doubt_reason(doubts),
		.dma_addr = none, .phys_addr = none, .virt_addr = none,
		.size_bytes = none, .attrs = none,
		.segments = if_known(mapping->ents, mapping->ents),
		.entries = if_known(mapping->nents, mapping->nents),
		.map_ns = none, .unmap_ns = none, .ended_ns = none,
		.map_cpu = DMASCOPE_UNKNOWN32, .unmap_cpu = DMASCOPE_UNKNOWN32,
		.map_pid = DMASCOPE_UNKNOWN32, .unmap_pid = DMASCOPE_UNKNOWN32,
		.syncs_for_cpu = mapping->syncs_for_cpu,
		.syncs_for_device = mapping->syncs_for_device,
		.is_truncated = mapping->truncated,
		.is_bounced = mapping->bounced,
	};
}

static struct dms_error *stopped(struct dmascope_analysis *analysis)
{
	analysis->is_stopped = true;
	return dms_error_new(DMS_ERROR_INTERNAL, "stopped by a callback");
}

static void tell_device(const struct dms_run *run, uint32_t index, const char **ret_name,
			const char **ret_driver, uint32_t *ret_generation)
{
	const struct dms_device *device;

	if (index == DMS_ID_NONE)
		return;
	device = dms_model_device(run->model, index);
	*ret_name = dms_strtab_get(run->names.devices, device->name);
	*ret_driver = device->driver;
	*ret_generation = device->generation;
}

struct dms_error *api_tell_step(void *context, const struct dms_step *step)
{
	struct dmascope_analysis *analysis = context;
	const struct dms_event *unmap = step->kind == DMS_STEP_ENDED ? NULL : step->event;
	struct dmascope_mapping mapping;

	if (step->kind != DMS_STEP_UNMAP && step->kind != DMS_STEP_UNMAP_UNMATCHED &&
	    step->kind != DMS_STEP_ENDED)
		return NULL;
	mapping = mapping_of(&analysis->run, step);
	tell_device(&analysis->run, step->mapping->device, &mapping.device, &mapping.driver,
		    &mapping.generation);
	if (step->mapping->has)
		tell_map(&mapping, step->mapping);
	else if (unmap)
		tell_orphan(&mapping, unmap);
	if (unmap) {
		mapping.unmap_ns = unmap->ts;
		mapping.unmap_cpu = unmap->cpu;
		mapping.unmap_pid = unmap->pid;
		mapping.unmap_stack_id = stack_id(unmap->stack);
	} else if (step->end != DMS_END_LIVE) {
		mapping.ended_ns = step->ts;
	}
	return analysis->options.on_mapping(analysis->options.context, &mapping) ? stopped(analysis)
										 : NULL;
}

struct dms_error *api_tell_finding(void *context, const struct dms_finding *finding,
				   const struct dms_finding_row *row)
{
	struct dmascope_analysis *analysis = context;
	uint32_t generation;
	struct dmascope_finding told = {
		.rule = row->rule,
		.severity = (enum dmascope_severity)finding->severity,
		.confidence = (enum dmascope_confidence)finding->confidence,
		.reason = row->reason,
		.message = row->message,
		.facts = row->facts,
		.mapping_id = row->mapping_row,
		.ts_ns = row->ts,
		.dma_addr = row->dma_addr,
		.size_bytes = row->size,
		.cpu = row->has_event ? row->cpu : DMASCOPE_UNKNOWN32,
		.pid = row->has_event ? row->pid : DMASCOPE_UNKNOWN32,
		.stack_id = stack_id(row->stack),
	};

	tell_device(&analysis->run, row->device, &told.device, &told.driver, &generation);
	return analysis->options.on_finding(analysis->options.context, &told) ? stopped(analysis)
									      : NULL;
}

// SPDX-License-Identifier: LGPL-2.1-only
/* The life of a mapping as a table: what each kind of event does, and to which kind of mapping. */
#include <dmascope/model.h>

#include "state.h"

typedef struct dms_error *(*lifecycle_fn)(struct dms_model *model, struct device_state *state,
					  const struct dms_event *event,
					  enum dms_mapping_kind kind);

static struct dms_error *note_bounce(struct dms_model *model, struct device_state *state,
				     const struct dms_event *event, enum dms_mapping_kind kind)
{
	struct dms_step step = model_step(model, DMS_STEP_BOUNCE);

	(void)kind;
	device_note_bounce(state, event);
	if ((event->has & DMS_HAS_DMA_MASK) && !state->device.is_mask_traced) {
		state->device.dma_mask = event->dma_mask;
		state->device.is_mask_of_bounce = true;
	}
	return model_tell(model, state, event, &step);
}

static struct dms_error *note_iommu(struct dms_model *model, struct device_state *state,
				    const struct dms_event *event, enum dms_mapping_kind kind)
{
	struct dms_step step = model_step(model, DMS_STEP_IOMMU);

	(void)kind;
	model->has_iommu |= event->kind == DMS_EV_IOMMU_MAP || event->kind == DMS_EV_IOMMU_UNMAP;
	if (event->kind == DMS_EV_IOMMU_MAP && event->size)
		iommu_note_map(model, event);
	else if (event->kind == DMS_EV_IOMMU_UNMAP)
		witness_note(model, event);
	return model_tell(model, state, event, &step);
}

static struct dms_error *note_group(struct dms_model *model, struct device_state *state,
				    const struct dms_event *event, enum dms_mapping_kind kind)
{
	struct dms_error *err;

	if (event->has & DMS_HAS_ERR)
		state->device.iommu_group = event->err;
	err = note_iommu(model, state, event, kind);
	/* The device leaves the system: nothing of it outlives that. */
	if (!err && event->kind == DMS_EV_IOMMU_GROUP_REMOVE)
		err = dms_model_unbind(model, state->device.name, event->ts);
	return err;
}

/* ---- events of no mapping ------------------------------------------------------------------ */

/* A step of @step_kind for whom it concerns; the model itself learns nothing from it. */
static struct dms_error *tell_only(struct dms_model *model, struct device_state *state,
				   const struct dms_event *event, enum dms_step_kind step_kind)
{
	struct dms_step step = model_step(model, step_kind);

	return model_tell(model, state, event, &step);
}

static struct dms_error *note_mask(struct dms_model *model, struct device_state *state,
				   const struct dms_event *event, enum dms_mapping_kind kind)
{
	(void)kind;
	if (!state || !(event->has & DMS_HAS_DMA_MASK))
		return NULL;
	if (event->kind == DMS_EV_SET_MASK) {
		state->device.dma_mask = event->dma_mask;
		state->device.is_mask_traced = true;
		state->device.is_mask_of_bounce = false;
	} else {
		state->device.coherent_mask = event->dma_mask;
		state->device.is_coherent_mask_traced = true;
	}
	return tell_only(model, state, event, DMS_STEP_NOTE);
}

/* A list that could not be mapped leaves no event but this. */
static struct dms_error *note_sg_return(struct dms_model *model, struct device_state *state,
					const struct dms_event *event, enum dms_mapping_kind kind)
{
	(void)kind;
	if (!(event->has & DMS_HAS_ERR) || event->err > 0)
		return NULL;
	return tell_only(model, state, event, DMS_STEP_MAP_FAILED);
}

static struct dms_error *note_need_unmap(struct dms_model *model, struct device_state *state,
					 const struct dms_event *event, enum dms_mapping_kind kind)
{
	(void)kind;
	if (!(event->has & DMS_HAS_ERR))
		return NULL;
	if (state && !event->err)
		state->has_elided = true; /* the driver asked, and was told that it need not */
	return tell_only(model, state, event, DMS_STEP_NOTE);
}

/* What tells the same of the mapping itself, and is told there: one mistake, once. */
static const uint32_t shown_by[DMS_N_MESSAGES] = {
	[DMS_MSG_STACK] = DMS_INPUT_STACK_PAGES,   [DMS_MSG_UNCHECKED] = DMS_INPUT_CHECKS,
	[DMS_MSG_KERNEL_TEXT] = DMS_INPUT_IOMEM,   [DMS_MSG_INVALID_AREA] = DMS_INPUT_IOMEM,
	[DMS_MSG_RESOURCE_RAM] = DMS_INPUT_IOMEM,
};

static struct dms_error *note_message(struct dms_model *model, struct device_state *state,
				      const struct dms_event *event, enum dms_mapping_kind kind)
{
	bool is_known = model->config.inputs & shown_by[event->message];
	struct dms_error *err = tell_only(model, state, event,
					  is_known ? DMS_STEP_NOTE : DMS_STEP_MESSAGE);

	/* Then dma_need_unmap() is always true. Source: kernel/dma/mapping.c, Linux 6.16 to 7.2 */
	model->is_of_debug |= dms_message_is_of_debug((enum dms_message)event->message);
	model->config.never_elides |= model->is_of_debug;
	/* dma-debug counts leaks when the driver is gone. */
	if (!err && event->message == DMS_MSG_LEAK)
		err = unbind_note(model, state, event, kind);
	return err;
}

/* Where the stack of a task is that is about to map: begin.c holds the map against it. */
static struct dms_error *note_stack(struct dms_model *model, struct device_state *state,
				    const struct dms_event *event, enum dms_mapping_kind kind)
{
	(void)state, (void)kind;
	model->stack_page = (struct stack_page){
		.phys_addr = event->phys_addr,
		.size = event->size,
		.ts = event->ts,
		.cpu = event->cpu,
		.pid = event->pid,
	};
	return NULL;
}

static struct dms_error *note_other(struct dms_model *model, struct device_state *state,
				    const struct dms_event *event, enum dms_mapping_kind kind)
{
	(void)kind;
	return tell_only(model, state, event, DMS_STEP_NOTE);
}

/* clang-format off */
static const struct lifecycle_row {
	lifecycle_fn apply; /* NULL: DMS_EV_NONE */
	enum dms_mapping_kind kind;
} lifecycle[DMS_EV_N_KINDS] = {
	[DMS_EV_MAP]		     = { model_begin,  DMS_MAPPING_PAGE },
	[DMS_EV_MAP_RESOURCE]	     = { model_begin,  DMS_MAPPING_RESOURCE },
	[DMS_EV_MAP_SG]		     = { model_begin,  DMS_MAPPING_SG },
	[DMS_EV_MAP_SG_ERR]	     = { model_begin,  DMS_MAPPING_SG },
	[DMS_EV_ALLOC]		     = { model_begin,  DMS_MAPPING_COHERENT },
	[DMS_EV_ALLOC_PAGES]	     = { model_begin,  DMS_MAPPING_PAGES },
	[DMS_EV_ALLOC_SGT]	     = { model_begin,  DMS_MAPPING_NONCONTIGUOUS },
	[DMS_EV_ALLOC_SGT_ERR]	     = { model_begin,  DMS_MAPPING_NONCONTIGUOUS },
	[DMS_EV_UNMAP]		     = { model_finish, DMS_MAPPING_PAGE },
	[DMS_EV_UNMAP_RESOURCE]	     = { model_finish, DMS_MAPPING_RESOURCE },
	[DMS_EV_UNMAP_SG]	     = { model_finish, DMS_MAPPING_SG },
	[DMS_EV_FREE]		     = { model_finish, DMS_MAPPING_COHERENT },
	[DMS_EV_FREE_PAGES]	     = { model_finish, DMS_MAPPING_PAGES },
	[DMS_EV_FREE_SGT]	     = { model_finish, DMS_MAPPING_NONCONTIGUOUS },
	[DMS_EV_SYNC_FOR_CPU]	     = { model_sync,   DMS_MAPPING_PAGE },
	[DMS_EV_SYNC_FOR_DEVICE]     = { model_sync,   DMS_MAPPING_PAGE },
	[DMS_EV_SYNC_SG_FOR_CPU]     = { model_sync,   DMS_MAPPING_SG },
	[DMS_EV_SYNC_SG_FOR_DEVICE]  = { model_sync,   DMS_MAPPING_SG },
	[DMS_EV_BOUNCE]		     = { note_bounce,  DMS_MAPPING_PAGE },
	[DMS_EV_IOMMU_MAP]	     = { note_iommu,   DMS_MAPPING_PAGE },
	[DMS_EV_IOMMU_UNMAP]	     = { note_iommu,   DMS_MAPPING_PAGE },
	[DMS_EV_IOMMU_FAULT]	     = { fault_note,   DMS_MAPPING_PAGE },
	[DMS_EV_IOMMU_GROUP_ADD]     = { note_group,   DMS_MAPPING_PAGE },
	[DMS_EV_IOMMU_GROUP_REMOVE]  = { note_group,   DMS_MAPPING_PAGE },
	[DMS_EV_IOMMU_ATTACH]	     = { note_iommu,   DMS_MAPPING_PAGE },
	[DMS_EV_CHECK]		     = { check_note,   DMS_MAPPING_PAGE },
	[DMS_EV_SET_MASK]	     = { note_mask,    DMS_MAPPING_PAGE },
	[DMS_EV_SET_COHERENT_MASK]   = { note_mask,    DMS_MAPPING_PAGE },
	[DMS_EV_MAP_SG_RETURN]	     = { note_sg_return, DMS_MAPPING_SG },
	[DMS_EV_NEED_UNMAP]	     = { note_need_unmap, DMS_MAPPING_PAGE },
	[DMS_EV_POOL_CREATE]	     = { note_other,   DMS_MAPPING_COHERENT },
	[DMS_EV_POOL_ALLOC]	     = { note_other,   DMS_MAPPING_COHERENT },
	[DMS_EV_POOL_FREE]	     = { note_other,   DMS_MAPPING_COHERENT },
	[DMS_EV_POOL_DESTROY]	     = { note_other,   DMS_MAPPING_COHERENT },
	[DMS_EV_STACK_PAGE]	     = { note_stack,   DMS_MAPPING_PAGE },
	[DMS_EV_UNBIND_BEGIN]	     = { unbind_note,  DMS_MAPPING_PAGE },
	[DMS_EV_UNBIND]		     = { unbind_note,  DMS_MAPPING_PAGE },
	[DMS_EV_UNBOUND]	     = { unbind_note,  DMS_MAPPING_PAGE },
	[DMS_EV_BOUND]		     = { unbind_note,  DMS_MAPPING_PAGE },
	[DMS_EV_DEVRES]		     = { unbind_note,  DMS_MAPPING_PAGE },
	[DMS_EV_MODULE_LOAD]	     = { note_other,   DMS_MAPPING_PAGE },
	[DMS_EV_MODULE_FREE]	     = { unbind_note,  DMS_MAPPING_PAGE },
	[DMS_EV_PAGE_FREE]	     = { overlap_page_free, DMS_MAPPING_PAGE },
	[DMS_EV_PAGE_POOL_HOLD]	     = { note_other,   DMS_MAPPING_PAGE },
	[DMS_EV_PAGE_POOL_RELEASE]   = { note_other,   DMS_MAPPING_PAGE },
	[DMS_EV_CONSOLE]	     = { note_message, DMS_MAPPING_PAGE },
};
/* clang-format on */

enum dms_mapping_kind lifecycle_mapping_kind(enum dms_event_kind kind)
{
	return lifecycle[kind].kind;
}

bool lifecycle_makes_device(enum dms_event_kind kind)
{
	return lifecycle[kind].apply != unbind_note && kind != DMS_EV_CHECK;
}

struct dms_error *lifecycle_apply(struct dms_model *model, struct device_state *state,
				  const struct dms_event *event)
{
	const struct lifecycle_row *row = &lifecycle[event->kind];

	return row->apply ? row->apply(model, state, event, row->kind) : NULL;
}

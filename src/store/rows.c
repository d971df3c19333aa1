// SPDX-License-Identifier: LGPL-2.1-only
/* Steps and events become rows of the bulk tables, in batches. */
#include <string.h>

#include "store.h"

/* Columns in the order of schemas/001-init.sql. */
enum mapping_column {
	M_ID, M_DEVICE, M_KIND, M_DMA_ADDR, M_PHYS_ADDR, M_VIRT_ADDR, M_SIZE, M_DIRECTION, M_ATTRS,
	M_SEGMENTS, M_ENTRIES, M_MAP_NS, M_UNMAP_NS, M_ENDED_NS, M_MAP_CPU, M_UNMAP_CPU, M_MAP_PID,
	M_UNMAP_PID, M_MAP_STACK, M_UNMAP_STACK, M_END, M_CONFIDENCE, M_REASON, M_TRUNCATED,
	M_BOUNCED, M_SYNCS_FOR_CPU, M_SYNCS_FOR_DEVICE, M_N_COLUMNS
};
enum segment_column { S_OWNER, S_NUMBER, S_PHYS_ADDR, S_DMA_ADDR, S_SIZE, S_N_COLUMNS };
enum gap_column { G_ID, G_CPU, G_INSTANCE, G_AFTER_NS, G_BEFORE_NS, G_LOST, G_N_COLUMNS };
enum event_column {
	E_ID, E_TS, E_CPU, E_PID, E_INSTANCE, E_KIND, E_DEVICE, E_MAPPING, E_DMA_ADDR, E_PHYS_ADDR,
	E_VIRT_ADDR, E_SIZE, E_DIRECTION, E_ATTRS, E_GFP, E_ERR, E_ENTRIES, E_SEGMENTS, E_STACK,
	E_FLAGS, E_PREEMPT_COUNT, E_TRUNCATED, E_FAILED, E_N_COLUMNS
};

#define BIT64(column) (1ull << (column))

/* The virtual tables' columns have the real ones' order; their names do not matter. */
#define C4  "a, b, c, d"
#define C5  C4 ", e"
#define C6  C5 ", f"
#define C23 C6 ", g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w"
#define C25 C23 ", x, y"
#define C27 C25 ", z, aa"

const struct dms_bulk_spec dms_bulk_specs[DMS_N_BULK_TABLES] = {
	[DMS_BULK_MAPPING] = {
		"mapping", "dms_batch_mapping", "CREATE TABLE x (" C27 ")",
		"INSERT INTO mapping SELECT * FROM dms_batch_mapping", M_N_COLUMNS,
		BIT64(M_KIND) | BIT64(M_DIRECTION) | BIT64(M_END) | BIT64(M_CONFIDENCE) |
			BIT64(M_REASON),
		0, 0,
	},
	[DMS_BULK_SEGMENT] = {
		"mapping_segment", "dms_batch_segment", "CREATE TABLE x (" C5 ")",
		"INSERT INTO mapping_segment SELECT * FROM dms_batch_segment", S_N_COLUMNS, 0, 0, 2,
	},
	[DMS_BULK_GAP] = {
		"gap", "dms_batch_gap", "CREATE TABLE x (" C6 ")",
		"INSERT INTO gap SELECT * FROM dms_batch_gap", G_N_COLUMNS, 0, 0, 0,
	},
	[DMS_BULK_EVENT] = {
		"event", "dms_batch_event", "CREATE TABLE x (" C23 ")",
		"INSERT INTO event SELECT * FROM dms_batch_event", E_N_COLUMNS,
		BIT64(E_KIND) | BIT64(E_DIRECTION), 0, 0,
	},
	[DMS_BULK_EVENT_SEGMENT] = {
		"event_segment", "dms_batch_event_segment", "CREATE TABLE x (" C5 ")",
		"INSERT INTO event_segment SELECT * FROM dms_batch_event_segment", S_N_COLUMNS, 0, 0, 2,
	},
	[DMS_BULK_SERIES] = {
		"series", "dms_batch_series", "CREATE TABLE x (" C6 ")",
		"INSERT INTO series SELECT * FROM dms_batch_series", 6, BIT64(1) | BIT64(5),
		DMS_WORD_MEASURE, 3,
	},
	[DMS_BULK_HISTOGRAM] = {
		"histogram", "dms_batch_histogram", "CREATE TABLE x (" C6 ")",
		"INSERT INTO histogram SELECT * FROM dms_batch_histogram", 6, BIT64(1) | BIT64(5),
		DMS_WORD_MEASURE, 3,
	},
	[DMS_BULK_CALL_SITE] = {
		"call_site", "dms_batch_call_site", "CREATE TABLE x (" C25 ")",
		"INSERT INTO call_site SELECT * FROM dms_batch_call_site", 25, BIT64(3) | BIT64(4),
		0, 0,
	},
	[DMS_BULK_CALL_SITE_LIFETIME] = {
		"call_site_lifetime", "dms_batch_call_site_lifetime", "CREATE TABLE x (" C4 ")",
		"INSERT INTO call_site_lifetime SELECT * FROM dms_batch_call_site_lifetime", 4, 0, 0,
		2,
	},
	[DMS_BULK_STACK] = {
		"stack", "dms_batch_stack", "CREATE TABLE x (" C4 ")",
		"INSERT INTO stack SELECT * FROM dms_batch_stack", 4, 0, 0, 0,
	},
	[DMS_BULK_FRAME] = {
		"frame", "dms_batch_frame", "CREATE TABLE x (" C5 ")",
		"INSERT INTO frame SELECT * FROM dms_batch_frame", 5, 0, 0, 2,
	},
};

/* A hashed pointer tells allocations apart, and is no address. */
static bool has_virt_addr(uint32_t has)
{
	return (has & (DMS_HAS_VIRT_ADDR | DMS_HAS_HASH)) == DMS_HAS_VIRT_ADDR;
}

/** A row under construction: all columns are NULL until set. */
struct row {
	uint64_t *cells;
};

static void set(struct row row, unsigned int column, uint64_t value)
{
	row.cells[0] &= ~BIT64(column);
	row.cells[1 + column] = value;
}

static void set_if(struct row row, unsigned int column, bool known, uint64_t value)
{
	row.cells[0] &= ~((uint64_t)known << column);
	row.cells[1 + column] = value;
}

/* Rows of devices and stacks are their numbers, from 1. */
static void set_id(struct row row, unsigned int column, uint32_t id)
{
	set_if(row, column, id != DMS_ID_NONE, (uint64_t)id + 1);
}

/* The next row of @table; a full batch is handed over first, so rows never move once begun. */
static struct dms_error *next_row(struct dms_store *store, enum dms_bulk_table table,
				  struct row *ret)
{
	size_t stride = dms_bulk_specs[table].n_columns + 1;
	struct dms_batch *batch = store->open[table];
	struct dms_error *err;

	if (batch && (batch->n_rows + 1) * stride > DMS_BATCH_CELLS) {
		dms_queue_put(store->queue, batch);
		store->open[table] = batch = NULL;
		if ((err = dms_queue_error(store->queue)))
			return err;
	}
	if (!batch) {
		if ((err = dms_queue_batch(store->queue, table, &batch)))
			return err;
		store->open[table] = batch;
	}
	ret->cells = batch->cells + batch->n_rows++ * stride;
	ret->cells[0] = UINT64_MAX;
	return NULL;
}

struct dms_error *dms_store_row(struct dms_store *store, enum dms_bulk_table table,
				const struct dms_value *values)
{
	struct dms_error *err;
	struct row row;

	if ((err = next_row(store, table, &row)))
		return err;
	for (unsigned int i = 0; i < dms_bulk_specs[table].n_columns; i++)
		set_if(row, i, !values[i].is_null, (uint64_t)values[i].integer);
	return NULL;
}

void dms_store_by_name(unsigned int n, const char *(*name)(unsigned int), uint8_t *ret)
{
	for (unsigned int i = 0, at; i < n; i++) {
		for (at = i; at && strcmp(name(ret[at - 1]), name(i)) > 0; at--)
			ret[at] = ret[at - 1];
		ret[at] = (uint8_t)i;
	}
}

struct dms_error *dms_store_drain(struct dms_store *store)
{
	struct dms_error *err;

	for (int i = 0; i < DMS_N_BULK_TABLES; i++) {
		if (store->open[i])
			dms_queue_put(store->queue, store->open[i]);
		store->open[i] = NULL;
	}
	err = dms_queue_drain(store->queue);
	return err || !store->bulk ? err : dms_store_end_bulk(store);
}

static uint64_t dir_word(bool known, unsigned int dir)
{
	return DMS_WORD_DIR + (known && dir <= DMS_DIR_UNKNOWN ? dir : DMS_DIR_UNKNOWN);
}

/* The map side, as the map event gave it. */
static void set_map_side(struct row row, const struct dms_mapping *mapping)
{
	uint32_t has = mapping->has;

	set_if(row, M_DMA_ADDR, has & (DMS_HAS_DMA_ADDR | DMS_HAS_DMA_LIST), mapping->dma_addr);
	set_if(row, M_PHYS_ADDR, has & (DMS_HAS_PHYS_ADDR | DMS_HAS_PHYS_LIST), mapping->cpu_addr);
	set_if(row, M_VIRT_ADDR, has_virt_addr(has), mapping->cpu_addr);
	set_if(row, M_SIZE, has & (DMS_HAS_SIZE | DMS_HAS_LENGTHS), mapping->size);
	set(row, M_DIRECTION, dir_word(has & DMS_HAS_DIR, mapping->dir));
	set_if(row, M_ATTRS, has & DMS_HAS_ATTRS, mapping->attrs);
	if (mapping->is_seeded)
		return; /* nobody saw who mapped it, and when */
	set(row, M_MAP_NS, mapping->map_ts);
	set(row, M_MAP_CPU, mapping->map_cpu);
	set(row, M_MAP_PID, mapping->map_pid);
	set_id(row, M_MAP_STACK, mapping->map_stack);
}

/* Without a map the addresses are those of the unmap: all that is known of this life. */
static void set_orphan_side(struct row row, const struct dms_event *event)
{
	uint32_t has = event->has;
	bool list = has & DMS_HAS_PHYS_LIST && event->n_phys;

	set_if(row, M_DMA_ADDR, has & DMS_HAS_DMA_ADDR, event->dma_addr);
	if (!(has & DMS_HAS_DMA_ADDR) && has & DMS_HAS_DMA_LIST && event->n_dma)
		set(row, M_DMA_ADDR, event->dma_list[0]);
	set_if(row, M_PHYS_ADDR, list || has & DMS_HAS_PHYS_ADDR,
	       list ? event->phys_list[0] : event->phys_addr);
	set_if(row, M_VIRT_ADDR, has_virt_addr(has), event->virt_addr);
	set_if(row, M_SIZE, has & DMS_HAS_SIZE, event->size);
	set(row, M_DIRECTION, dir_word(has & DMS_HAS_DIR, event->dir));
	set_if(row, M_ATTRS, has & DMS_HAS_ATTRS, event->attrs);
}

static void set_unmap_side(struct row row, const struct dms_event *event)
{
	set(row, M_UNMAP_NS, event->ts);
	set(row, M_UNMAP_CPU, event->cpu);
	set(row, M_UNMAP_PID, event->pid);
	set_id(row, M_UNMAP_STACK, event->stack);
}

/* The lists of @event, as rows of mapping_segment or event_segment. */
static struct dms_error *add_segments(struct dms_store *store, enum dms_bulk_table table,
				      uint64_t owner, const struct dms_event *event)
{
	uint32_t n_phys = event->has & DMS_HAS_PHYS_LIST ? event->n_phys : 0;
	uint32_t n_dma = event->has & DMS_HAS_DMA_LIST ? event->n_dma : 0;
	uint32_t n_lengths = event->has & DMS_HAS_LENGTHS ? event->n_dma : 0;
	uint32_t n = n_phys > n_lengths ? n_phys : n_lengths;
	struct dms_error *err;
	struct row row;

	for (uint32_t i = 0; i < n || i < n_dma; i++) {
		if ((err = next_row(store, table, &row)))
			return err;
		set(row, S_OWNER, owner);
		set(row, S_NUMBER, i);
		if (i < n_phys)
			set(row, S_PHYS_ADDR, event->phys_list[i]);
		if (i < n_dma)
			set(row, S_DMA_ADDR, event->dma_list[i]);
		if (i < n_lengths)
			set(row, S_SIZE, event->lengths[i]);
	}
	return NULL;
}

/* Lists are stored when they are seen: the model does not keep what it needs no more. */
static struct dms_error *add_mapping_segments(struct dms_store *store, struct dms_model *model,
					      const struct dms_step *step)
{
	if (!store->options.keep_events || !step->event || !step->mapping ||
	    !(step->event->has & (DMS_HAS_PHYS_LIST | DMS_HAS_DMA_LIST)))
		return NULL;
	return add_segments(store, DMS_BULK_SEGMENT, dms_mapping_row(model, step->mapping),
			    step->event);
}

/* UNMAP, UNMAP_UNMATCHED, ENDED: a life is complete. */
static struct dms_error *add_mapping(struct dms_store *store, struct dms_model *model,
				     const struct dms_step *step)
{
	struct dms_mapping *mapping = step->mapping;
	const struct dms_event *unmap = step->kind == DMS_STEP_ENDED ? NULL : step->event;
	uint32_t doubts = (mapping->doubts | step->doubts) & ((1u << DMS_N_DOUBTS) - 1);
	struct dms_error *err;
	struct row row;

	if ((err = next_row(store, DMS_BULK_MAPPING, &row)))
		return err;
	set(row, M_ID, dms_mapping_row(model, mapping));
	set_id(row, M_DEVICE, mapping->device);
	set(row, M_KIND, DMS_WORD_KIND + mapping->kind);
	set(row, M_DIRECTION, dir_word(false, 0));
	set_if(row, M_SEGMENTS, mapping->ents, mapping->ents);
	set_if(row, M_ENTRIES, mapping->nents, mapping->nents);
	if (mapping->has)
		set_map_side(row, mapping);
	else if (unmap)
		set_orphan_side(row, unmap);
	if (unmap)
		set_unmap_side(row, unmap);
	else if (step->end != DMS_END_LIVE)
		set(row, M_ENDED_NS, step->ts);
	set(row, M_END, DMS_WORD_END + step->end);
	set(row, M_CONFIDENCE, DMS_WORD_CONFIDENCE + doubts);
	set_if(row, M_REASON, doubts, DMS_WORD_REASON + doubts);
	set(row, M_TRUNCATED, mapping->truncated);
	set(row, M_BOUNCED, mapping->bounced);
	set(row, M_SYNCS_FOR_CPU, mapping->syncs_for_cpu);
	set(row, M_SYNCS_FOR_DEVICE, mapping->syncs_for_device);
	return NULL;
}

static struct dms_error *add_gap(struct dms_store *store, const struct dms_gap *gap)
{
	struct dms_error *err;
	struct row row;

	if ((err = next_row(store, DMS_BULK_GAP, &row)))
		return err;
	set(row, G_ID, ++store->n_gaps);
	set(row, G_CPU, gap->cpu);
	set(row, G_INSTANCE, gap->instance);
	set_if(row, G_AFTER_NS, gap->after_ts, gap->after_ts);
	set_if(row, G_BEFORE_NS, gap->before_ts != UINT64_MAX, gap->before_ts);
	set_if(row, G_LOST, gap->lost, gap->lost);
	return NULL;
}

/* Events name devices, rows want their newest generation. */
static struct dms_error *note_device(struct dms_store *store, const struct dms_device *device)
{
	if (!store->options.keep_events)
		return NULL;
	if (!dms_grow(&store->device_rows, &store->n_device_rows, (size_t)device->name + 1,
		      sizeof(*store->device_rows)))
		return &dms_error_nomem;
	store->device_rows[device->name] = (uint64_t)device->index + 1;
	return NULL;
}

bool dms_store_wants_row(const struct dms_store *store, enum dms_step_kind kind)
{
	return !store->options.figures_only &&
	       (kind == DMS_STEP_UNMAP || kind == DMS_STEP_UNMAP_UNMATCHED ||
		kind == DMS_STEP_ENDED);
}

struct dms_error *dms_store_step(struct dms_store *store, struct dms_model *model,
				 const struct dms_step *step)
{
	if (store->options.figures_only && step->kind != DMS_STEP_GAP)
		return NULL;
	switch (step->kind) {
	case DMS_STEP_UNMAP:
	case DMS_STEP_UNMAP_UNMATCHED:
	case DMS_STEP_ENDED:
		return add_mapping(store, model, step);
	case DMS_STEP_MAP:
		return add_mapping_segments(store, model, step);
	case DMS_STEP_GAP:
		return add_gap(store, step->gap);
	case DMS_STEP_DEVICE:
		return note_device(store, step->device);
	default:
		return NULL;
	}
}

struct dms_error *dms_store_event(struct dms_store *store, const struct dms_event *event,
				  uint64_t mapping_row)
{
	uint64_t device = 0;
	uint32_t has = event->has;
	struct dms_error *err;
	struct row row;

	if (!store->options.keep_events)
		return NULL;
	if ((err = next_row(store, DMS_BULK_EVENT, &row)))
		return err;
	if (has & DMS_HAS_DEVICE && event->device < store->n_device_rows)
		device = store->device_rows[event->device];
	set(row, E_ID, ++store->n_events);
	set(row, E_TS, event->ts);
	set(row, E_CPU, event->cpu);
	set(row, E_PID, event->pid);
	set(row, E_INSTANCE, event->instance);
	set(row, E_KIND, DMS_WORD_EVENT + event->kind);
	set_if(row, E_DEVICE, device, device);
	set_if(row, E_MAPPING, mapping_row, mapping_row);
	set_if(row, E_DMA_ADDR, has & DMS_HAS_DMA_ADDR, event->dma_addr);
	set_if(row, E_PHYS_ADDR, has & DMS_HAS_PHYS_ADDR, event->phys_addr);
	set_if(row, E_VIRT_ADDR, has_virt_addr(has), event->virt_addr);
	set_if(row, E_SIZE, has & DMS_HAS_SIZE, event->size);
	set(row, E_DIRECTION, dir_word(has & DMS_HAS_DIR, event->dir));
	set_if(row, E_ATTRS, has & DMS_HAS_ATTRS, event->attrs);
	set_if(row, E_GFP, has & DMS_HAS_GFP, event->gfp);
	set_if(row, E_ERR, has & DMS_HAS_ERR, (uint64_t)(int64_t)event->err);
	set_if(row, E_ENTRIES, event->nents, event->nents);
	set_if(row, E_SEGMENTS, event->ents, event->ents);
	set_id(row, E_STACK, event->stack);
	set(row, E_FLAGS, event->common_flags);
	set(row, E_PREEMPT_COUNT, event->preempt_count);
	set(row, E_TRUNCATED, event->truncated);
	set(row, E_FAILED, event->failed);
	return add_segments(store, DMS_BULK_EVENT_SEGMENT, store->n_events, event);
}

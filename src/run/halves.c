// SPDX-License-Identifier: LGPL-2.1-only
/* Pairs of events of which only one half was recorded: what the trace says of them proves nothing. */
#include "trust.h"

/** The events of a kind of mapping, and their names for people. */
static const struct half_row {
	enum dms_mapping_kind kind;
	enum dms_event_kind map, unmap;
	const char *maps, *unmaps;
} half_rows[] = {
	{DMS_MAPPING_PAGE, DMS_EV_MAP, DMS_EV_UNMAP, "dma_map_page or dma_map_phys",
	 "dma_unmap_page or dma_unmap_phys"},
	{DMS_MAPPING_RESOURCE, DMS_EV_MAP_RESOURCE, DMS_EV_UNMAP_RESOURCE,
	 "dma_map_resource", "dma_unmap_resource"},
	{DMS_MAPPING_SG, DMS_EV_MAP_SG, DMS_EV_UNMAP_SG, "dma_map_sg", "dma_unmap_sg"},
	{DMS_MAPPING_COHERENT, DMS_EV_ALLOC, DMS_EV_FREE, "dma_alloc", "dma_free"},
	{DMS_MAPPING_PAGES, DMS_EV_ALLOC_PAGES, DMS_EV_FREE_PAGES, "dma_alloc_pages",
	 "dma_free_pages"},
	{DMS_MAPPING_NONCONTIGUOUS, DMS_EV_ALLOC_SGT, DMS_EV_FREE_SGT,
	 "dma_alloc_sgt", "dma_free_sgt"},
};

bool dms_run_has_kind(const struct dms_run *run, enum dms_event_kind kind)
{
	for (uint32_t i = 0; i < run->n_files; i++) {
		if (dms_decoder_has_kind(run->decoders[i], kind))
			return true;
	}
	return false;
}

void dms_run_hidden(const struct dms_run *run, uint32_t *ret_maps, uint32_t *ret_unmaps)
{
	*ret_maps = *ret_unmaps = 0;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(half_rows); i++) {
		const struct half_row *row = &half_rows[i];
		bool has_maps = dms_run_has_kind(run, row->map);
		bool has_unmaps = dms_run_has_kind(run, row->unmap);

		if (has_maps && !has_unmaps)
			*ret_unmaps |= DMS_BIT(row->kind);
		if (row->kind == DMS_MAPPING_SG)
			has_unmaps |= dms_run_has_kind(run, DMS_EV_SYNC_SG_FOR_CPU) ||
				      dms_run_has_kind(run, DMS_EV_SYNC_SG_FOR_DEVICE);
		if (has_unmaps && !has_maps)
			*ret_maps |= DMS_BIT(row->kind);
	}
}

static struct dms_error *note_half(struct dms_run *run, const char *rule, const char *missing,
				   const char *here, const char *what)
{
	return dms_run_add_note(run, rule, DMS_ID_NONE,
				dms_asprintf("the trace has %s events and no %s: they were not "
					     "recorded, or there were none; %s",
					     here, missing, what));
}

struct dms_error *dms_run_note_halves(struct dms_run *run)
{
	struct dms_error *err = NULL;
	uint32_t maps, unmaps;

	dms_run_hidden(run, &maps, &unmaps);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(half_rows) && !err; i++) {
		const struct half_row *row = &half_rows[i];

		if (unmaps & DMS_BIT(row->kind))
			err = note_half(run, "leak-at-unbind", row->unmaps, row->maps,
					"leaks and overlaps cannot be judged");
		if (!err && (maps & DMS_BIT(row->kind)))
			err = note_half(run, "unmap-not-mapped", row->maps, row->unmaps,
					"unmaps cannot be judged");
	}
	return err;
}

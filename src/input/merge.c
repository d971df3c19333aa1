// SPDX-License-Identifier: LGPL-2.1-only
/* Several files of one machine as one stream in time order. */
#include <dmascope/input.h>

struct lane {
	struct dms_source *source;
	struct dms_item item; /* the lane's next, if is_loaded */
	bool is_loaded;
};

struct dms_merge {
	uint32_t n_lanes;
	uint32_t given; /* lane whose item was given last: the only one to be refilled */
	struct lane lanes[];
};

struct dms_merge *dms_merge_create(struct dms_source **sources, uint32_t n_sources)
{
	struct dms_merge *merge = dms_zalloc(sizeof(*merge) + n_sources * sizeof(struct lane));

	if (!merge)
		return NULL;
	merge->n_lanes = n_sources;
	for (uint32_t i = 0; i < n_sources; i++)
		merge->lanes[i].source = sources[i];
	return merge;
}

void dms_merge_destroy(struct dms_merge *merge)
{
	if (!merge)
		return;
	for (uint32_t i = 0; i < merge->n_lanes; i++)
		dms_source_close(merge->lanes[i].source);
	dms_free(merge);
}

/* A gap counts from where it begins. */
static uint64_t item_ts(const struct dms_item *item)
{
	if (item->kind == DMS_ITEM_RECORD)
		return item->record.ts;
	return item->kind == DMS_ITEM_GAP ? item->gap.after_ts : UINT64_MAX;
}

static struct dms_error *load(struct lane *lane)
{
	if (lane->is_loaded)
		return NULL;
	lane->is_loaded = true;
	return dms_source_next(lane->source, &lane->item);
}

struct dms_error *dms_merge_next(struct dms_merge *merge, struct dms_item *ret)
{
	struct dms_error *err;
	uint32_t best = 0;

	if (merge->n_lanes == 1)
		return dms_source_next(merge->lanes[0].source, ret);
	merge->lanes[merge->given].is_loaded = false;
	for (uint32_t i = 0; i < merge->n_lanes; i++) {
		if ((err = load(&merge->lanes[i])))
			return err;
		if (item_ts(&merge->lanes[i].item) < item_ts(&merge->lanes[best].item))
			best = i;
	}
	*ret = merge->lanes[best].item;
	ret->file = best;
	merge->given = best;
	return NULL;
}

uint32_t dms_merge_count(const struct dms_merge *merge)
{
	return merge->n_lanes;
}

struct dms_source *dms_merge_source(const struct dms_merge *merge, uint32_t file)
{
	return merge->lanes[file].source;
}

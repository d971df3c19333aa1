// SPDX-License-Identifier: LGPL-2.1-only
/* Memory of live mappings, used again and again, and of their lists. */
#include "live.h"

struct list_part *live_add_list(struct live_mapping *live, uint32_t n_segments, uint32_t n_phys)
{
	struct list_part *list = dms_alloc(sizeof(*list) +
					   n_segments * sizeof(struct dms_segment) +
					   n_phys * sizeof(uint64_t));

	if (!list)
		return NULL;
	list->sg = (struct dms_sg){
		.n_phys = n_phys,
		.n_segments = n_segments,
		.phys = (uint64_t *)(list->segments + n_segments),
	};
	live->mapping.sg = &list->sg;
	return list;
}

_apart_ static bool add_block(struct slot_pool *pool)
{
	struct live_mapping *block;

	if (!dms_grow(&pool->blocks, &pool->blocks_capacity, pool->n_blocks + 1, sizeof(block)))
		return false;
	block = dms_alloc_lines(SLOTS_PER_BLOCK * sizeof(*block));
	if (!block)
		return false;
	for (size_t i = SLOTS_PER_BLOCK; i--;) {
		block[i] = (struct live_mapping){0};
		block[i].slot = (uint32_t)(pool->n_blocks * SLOTS_PER_BLOCK + i);
		block[i].next_free = pool->free;
		pool->free = &block[i];
	}
	pool->blocks[pool->n_blocks++] = block;
	return true;
}

struct live_mapping *slots_take(struct slot_pool *pool)
{
	struct live_mapping *live;

	if (!pool->free && !add_block(pool))
		return NULL;
	live = pool->free;
	pool->free = live->next_free;
	live->mapping.sg = NULL;
	live->as_newer = live->as_older = 0;
	live->is_indexed = live->is_exact = live->is_in_frame = live->may_have_ended =
		live->is_freed = live->is_eldest = live->is_younger = false;
	pool->n_live++;
	return live;
}

void slots_give(struct slot_pool *pool, struct live_mapping *live)
{
	if (live->mapping.sg)
		dms_free(live_list(live));
	live->mapping.serial = 0;
	live->next_free = pool->free;
	pool->free = live;
	pool->n_live--;
}

void slots_deinit(struct slot_pool *pool)
{
	for (size_t i = 0; i < pool->n_blocks; i++) {
		for (size_t j = 0; j < SLOTS_PER_BLOCK; j++) {
			struct live_mapping *live = &pool->blocks[i][j];

			if (live->mapping.serial && live->mapping.sg)
				dms_free(live_list(live));
		}
		dms_free(pool->blocks[i]);
	}
	dms_free(pool->blocks);
	for (size_t i = 0; i < pool->links_capacity; i++)
		dms_free(pool->links[i]);
	dms_free(pool->links);
	*pool = (struct slot_pool){0};
}

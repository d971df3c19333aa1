// SPDX-License-Identifier: LGPL-2.1-only
/* Interned call stacks: each distinct stack once, numbered in order of first sight. */
#include <string.h>

#include <dmascope/symbols.h>

struct entry {
	const uint64_t *frames; /* in the arena */
	uint32_t n_frames;
	uint32_t hash;
};

struct dms_stacks {
	struct dms_arena *arena;
	struct dms_blocks entries;
	uint32_t count; /* entries that others may look at */
	uint32_t n_slots;
	uint32_t *slots; /* entry number + 1, 0 is empty; open addressing */
};

static struct entry *entry_at(const struct dms_stacks *stacks, uint32_t id)
{
	return dms_blocks_at(&stacks->entries, id, sizeof(struct entry));
}

struct dms_stacks *dms_stacks_create(void)
{
	struct dms_stacks *stacks = dms_zalloc(sizeof(*stacks));

	if (!stacks)
		return NULL;
	stacks->arena = dms_arena_create();
	if (!stacks->arena) {
		dms_free(stacks);
		return NULL;
	}
	return stacks;
}

void dms_stacks_destroy(struct dms_stacks *stacks)
{
	if (!stacks)
		return;
	dms_arena_destroy(stacks->arena);
	dms_blocks_deinit(&stacks->entries);
	dms_free(stacks->slots);
	dms_free(stacks);
}

/* Keep the table at most half full. */
static bool make_room(struct dms_stacks *stacks)
{
	uint32_t n_slots = stacks->n_slots ? stacks->n_slots * 2 : 64;
	uint32_t *slots;

	if (stacks->count < stacks->n_slots / 2)
		return true;
	if (!n_slots)
		return false; /* 2^31 stacks: the doubling has wrapped */
	slots = dms_zalloc((size_t)n_slots * sizeof(*slots));
	if (!slots)
		return false;
	for (uint32_t i = 0; i < stacks->count; i++) {
		uint32_t slot = entry_at(stacks, i)->hash & (n_slots - 1);

		while (slots[slot])
			slot = (slot + 1) & (n_slots - 1);
		slots[slot] = i + 1;
	}
	dms_free(stacks->slots);
	stacks->slots = slots;
	stacks->n_slots = n_slots;
	return true;
}

static uint32_t append(struct dms_stacks *stacks, const uint64_t *frames, uint32_t n_frames,
		       uint32_t hash)
{
	size_t bytes = (size_t)n_frames * sizeof(*frames);
	uint64_t *copy;

	if (!dms_blocks_reserve(&stacks->entries, stacks->count, sizeof(struct entry)))
		return DMS_STR_NONE;
	copy = dms_arena_alloc(stacks->arena, bytes);
	if (!copy)
		return DMS_STR_NONE;
	if (bytes)
		memcpy(copy, frames, bytes);
	*entry_at(stacks, stacks->count) = (struct entry){copy, n_frames, hash};
	__atomic_store_n(&stacks->count, stacks->count + 1, __ATOMIC_RELEASE);
	return stacks->count - 1;
}

uint32_t dms_stacks_add(struct dms_stacks *stacks, const uint64_t *frames, uint32_t n_frames)
{
	size_t bytes = (size_t)n_frames * sizeof(*frames);
	/* an empty stack may come as NULL, which memcpy() and memcmp() must not see */
	uint32_t hash = (uint32_t)dms_hash_bytes(n_frames ? (const void *)frames : "", bytes);
	uint32_t slot, id;

	if (!make_room(stacks))
		return DMS_STR_NONE;
	for (slot = hash & (stacks->n_slots - 1); stacks->slots[slot];
	     slot = (slot + 1) & (stacks->n_slots - 1)) {
		const struct entry *entry = entry_at(stacks, stacks->slots[slot] - 1);

		if (entry->hash == hash && entry->n_frames == n_frames &&
		    (!n_frames || !memcmp(entry->frames, frames, bytes)))
			return stacks->slots[slot] - 1;
	}
	id = append(stacks, frames, n_frames, hash);
	if (id != DMS_STR_NONE)
		stacks->slots[slot] = id + 1;
	return id;
}

const uint64_t *dms_stacks_get(const struct dms_stacks *stacks, uint32_t id, uint32_t *ret_n)
{
	if (id >= dms_stacks_count(stacks)) {
		*ret_n = 0;
		return NULL;
	}
	*ret_n = entry_at(stacks, id)->n_frames;
	return entry_at(stacks, id)->frames;
}

uint32_t dms_stacks_count(const struct dms_stacks *stacks)
{
	return __atomic_load_n(&stacks->count, __ATOMIC_ACQUIRE);
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Interned strings: each distinct string once, numbered in order of first sight. */
#include <string.h>

#include <dmascope/base.h>

struct entry {
	const char *str; /* in the arena, terminated */
	size_t bytes;
	uint64_t hash;
};

struct dms_strtab {
	struct dms_arena *arena;
	struct dms_blocks entries;
	uint32_t count; /* entries that others may look at */
	uint32_t *slots; /* entry number + 1, 0 is empty; open addressing */
	uint32_t n_slots;
};

static struct entry *entry_at(const struct dms_strtab *tab, uint32_t id)
{
	return dms_blocks_at(&tab->entries, id, sizeof(struct entry));
}

uint64_t dms_hash_bytes(const void *data, size_t bytes)
{
	const unsigned char *byte = data;
	uint64_t hash = 0x9e3779b97f4a7c15ull ^ bytes, word;

	for (; bytes >= sizeof(word); bytes -= sizeof(word), byte += sizeof(word)) {
		memcpy(&word, byte, sizeof(word));
		hash = dms_hash64(hash ^ word) + 0x9e3779b97f4a7c15ull;
	}
	word = 0;
	memcpy(&word, byte, bytes);
	return dms_hash64(hash ^ word);
}

struct dms_strtab *dms_strtab_create(void)
{
	struct dms_strtab *tab = dms_zalloc(sizeof(*tab));

	if (!tab)
		return NULL;
	tab->arena = dms_arena_create();
	if (!tab->arena) {
		dms_free(tab);
		return NULL;
	}
	return tab;
}

void dms_strtab_destroy(struct dms_strtab *tab)
{
	if (!tab)
		return;
	dms_arena_destroy(tab->arena);
	dms_blocks_deinit(&tab->entries);
	dms_free(tab->slots);
	dms_free(tab);
}

/* Keep the table at most half full. */
static bool make_room(struct dms_strtab *tab)
{
	uint32_t n_slots = tab->n_slots ? tab->n_slots * 2 : 64;
	uint32_t *slots;

	if (tab->count < tab->n_slots / 2)
		return true;
	slots = dms_zalloc((size_t)n_slots * sizeof(*slots));
	if (!slots)
		return false;
	for (uint32_t i = 0; i < tab->count; i++) {
		uint32_t slot = entry_at(tab, i)->hash & (n_slots - 1);

		while (slots[slot])
			slot = (slot + 1) & (n_slots - 1);
		slots[slot] = i + 1;
	}
	dms_free(tab->slots);
	tab->slots = slots;
	tab->n_slots = n_slots;
	return true;
}

static uint32_t append(struct dms_strtab *tab, const char *str, size_t bytes, uint64_t hash)
{
	char *copy;

	if (tab->count == DMS_STR_NONE ||
	    !dms_blocks_reserve(&tab->entries, tab->count, sizeof(struct entry)))
		return DMS_STR_NONE;
	copy = dms_arena_alloc(tab->arena, bytes + 1);
	if (!copy)
		return DMS_STR_NONE;
	memcpy(copy, str, bytes);
	*entry_at(tab, tab->count) = (struct entry){copy, bytes, hash};
	__atomic_store_n(&tab->count, tab->count + 1, __ATOMIC_RELEASE);
	return tab->count - 1;
}

uint32_t dms_strtab_add(struct dms_strtab *tab, const char *str, size_t bytes)
{
	uint64_t hash = dms_hash_bytes(str, bytes);
	uint32_t slot, id;

	if (!make_room(tab))
		return DMS_STR_NONE;
	for (slot = hash & (tab->n_slots - 1); tab->slots[slot];
	     slot = (slot + 1) & (tab->n_slots - 1)) {
		const struct entry *entry = entry_at(tab, tab->slots[slot] - 1);

		if (entry->hash == hash && entry->bytes == bytes && !memcmp(entry->str, str, bytes))
			return tab->slots[slot] - 1;
	}
	id = append(tab, str, bytes, hash);
	if (id != DMS_STR_NONE)
		tab->slots[slot] = id + 1;
	return id;
}

const char *dms_strtab_get(const struct dms_strtab *tab, uint32_t id)
{
	return id < __atomic_load_n(&tab->count, __ATOMIC_ACQUIRE) ? entry_at(tab, id)->str : NULL;
}

uint32_t dms_strtab_count(const struct dms_strtab *tab)
{
	return __atomic_load_n(&tab->count, __ATOMIC_ACQUIRE);
}

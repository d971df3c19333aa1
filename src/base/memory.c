// SPDX-License-Identifier: LGPL-2.1-only
/* The only malloc: plain blocks, growing arrays, and the run arena. */
#include <stdlib.h>
#include <string.h>

#include <dmascope/base.h>

/* Whether memory was ever short: of the process, as memory is. */
static bool was_refused;

bool dms_memory_was_refused(void)
{
	return __atomic_load_n(&was_refused, __ATOMIC_RELAXED);
}

static void *note_refusal(void *ptr)
{
	if (!ptr)
		__atomic_store_n(&was_refused, true, __ATOMIC_RELAXED);
	return ptr;
}

void *dms_alloc(size_t bytes)
{
	return note_refusal(malloc(bytes ? bytes : 1));
}

void *dms_zalloc(size_t bytes)
{
	return note_refusal(calloc(1, bytes ? bytes : 1));
}

#define LINE_BYTES 64
void *dms_alloc_lines(size_t bytes)
{
	void *ptr;

	return note_refusal(posix_memalign(&ptr, LINE_BYTES, bytes ? bytes : 1) ? NULL : ptr);
}

void *dms_realloc(void *ptr, size_t bytes)
{
	return note_refusal(realloc(ptr, bytes ? bytes : 1));
}

void dms_free(void *ptr)
{
	free(ptr);
}

void dms_freep(void *ptr_to_ptr)
{
	void *ptr;

	/* whatever type the pointer has: a compiler that sees both takes stores of another for no change */
	memcpy(&ptr, ptr_to_ptr, sizeof(ptr));
	free(ptr);
	memset(ptr_to_ptr, 0, sizeof(ptr));
}

char *dms_strndup(const char *str, size_t bytes)
{
	char *copy = dms_alloc(bytes + 1);

	if (copy) {
		if (bytes) /* an empty section has no address */
			memcpy(copy, str, bytes);
		copy[bytes] = '\0';
	}
	return copy;
}

char *dms_strdup(const char *str)
{
	return dms_strndup(str, strlen(str));
}

bool dms_grow(void *array, size_t *capacity, size_t need, size_t element_bytes)
{
	size_t wanted = *capacity ? *capacity : 16, bytes;
	char *grown;

	if (need <= *capacity)
		return true;
	while (wanted < need) {
		if (__builtin_mul_overflow(wanted, 2, &wanted))
			return false;
	}
	if (__builtin_mul_overflow(wanted, element_bytes, &bytes))
		return false;
	grown = dms_realloc(*(void **)array, bytes);
	if (!grown)
		return false;
	memset(grown + *capacity * element_bytes, 0, (wanted - *capacity) * element_bytes);
	*(void **)array = grown;
	*capacity = wanted;
	return true;
}

bool dms_blocks_reserve(struct dms_blocks *blocks, uint32_t index, size_t element_bytes)
{
	unsigned int block = 57 - (unsigned int)__builtin_clzll((uint64_t)index + 64);
	size_t bytes;

	if (blocks->blocks[block])
		return true;
	if (__builtin_mul_overflow((size_t)64 << block, element_bytes, &bytes))
		return false;
	blocks->blocks[block] = dms_zalloc(bytes);
	return blocks->blocks[block];
}

void dms_blocks_deinit(struct dms_blocks *blocks)
{
	for (unsigned int block = 0; block < DMS_N_BLOCKS; block++)
		dms_free(blocks->blocks[block]);
	*blocks = (struct dms_blocks){0};
}

#define ARENA_BLOCK_BYTES 65536

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	uint64_t data[];
};

struct dms_arena {
	struct arena_block *blocks; /* the newest, partly used one first */
};

struct dms_arena *dms_arena_create(void)
{
	return dms_zalloc(sizeof(struct dms_arena));
}

void dms_arena_destroy(struct dms_arena *arena)
{
	struct arena_block *block, *next;

	if (!arena)
		return;
	for (block = arena->blocks; block; block = next) {
		next = block->next;
		dms_free(block);
	}
	dms_free(arena);
}

void *dms_arena_alloc(struct dms_arena *arena, size_t bytes)
{
	struct arena_block *block = arena->blocks;
	void *mem;

	if (bytes > SIZE_MAX / 2)
		return NULL;
	bytes = (bytes + 7) & ~(size_t)7;
	if (!block || block->size - block->used < bytes) {
		size_t size = bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES;

		block = dms_zalloc(sizeof(*block) + size);
		if (!block)
			return NULL;
		block->size = size;
		block->next = arena->blocks;
		arena->blocks = block;
	}
	mem = (char *)block->data + block->used;
	block->used += bytes;
	return mem;
}

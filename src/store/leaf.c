// SPDX-License-Identifier: LGPL-2.1-only
/* The b-tree pages of SQLite's file format, written in order of key and each of them once. */
#include <string.h>

#include "leaf.h"

/*
 * Why not leave it to SQLite: it takes 1100 ns of the writer thread for a row of mapping (its
 * byte code calls back for each of 27 cells), while the pipeline makes one every 400 ns. This
 * takes 170 ns, the write to the file included (STORE_BENCH_ROWS, same machine, same minute).
 *
 * The format is documented and will stay: https://www.sqlite.org/fileformat2.html, "B-tree
 * Pages". A page has a head (type, number of cells, where the cells begin; an interior page:
 * its last child), an array of cell offsets, and cells that grow down from the page's end. A
 * table keeps its rows in leaves, and in interior pages the largest rowid below each child. An
 * index (a table WITHOUT ROWID) keeps rows in interior pages, too: between two children is the
 * row that lies between their rows. Keys come in ascending order, so each level has one page
 * that is being filled; when it is full it goes to the end of the file and a cell that divides
 * it from what follows goes to the level above. The root has its place already: it comes last.
 */
enum {
	TYPE_INDEX = 0x02, TYPE_TABLE = 0x05, TYPE_LEAF = 0x08, /* added to either */
	HEAD_TYPE = 0, HEAD_N_CELLS = 3, HEAD_CONTENT = 5, HEAD_LAST_CHILD = 8,
	LEAF_HEAD_BYTES = 8, INTERIOR_HEAD_BYTES = 12,
	CHILD_BYTES = 4, OFFSET_BYTES = 2,
};

/* SQLite itself follows no more than 20. */
#define MAX_LEVELS 16
/* Largest cell of an interior page: of an index a whole row (of a segment table: 52 bytes). */
#define MAX_DIVIDER_BYTES 128

/** What stands between two children: a rowid, or a row of an index. */
struct divider {
	uint32_t child; /* left of it; 0 in a leaf */
	uint32_t n_bytes; /* 0: there is none */
	unsigned char bytes[MAX_DIVIDER_BYTES];
};

/** The page being filled at one height of a tree. */
struct level {
	uint32_t n_cells;
	uint32_t content;   /* offset of the last cell, the lowest */
	uint32_t last_bytes; /* of that cell */
	struct divider held; /* did not fit: divides this page from the next, if more follows */
	unsigned char page[];
};

struct dms_tree {
	struct dms_pages *pages;
	uint32_t root;
	bool is_index;
	uint64_t last_rowid;
	unsigned int n_levels;
	struct level *levels[MAX_LEVELS]; /* 0: the leaves */
};

size_t dms_tree_max_bytes(const struct dms_pages *pages, bool is_index)
{
	size_t page = pages->page_bytes, index = (page - 12) * 64 / 255 - 23;

	if (!is_index)
		return page - 35;
	return index < MAX_DIVIDER_BYTES - 9 ? index : MAX_DIVIDER_BYTES - 9;
}

static uint32_t head_bytes(unsigned int depth)
{
	return depth ? INTERIOR_HEAD_BYTES : LEAF_HEAD_BYTES;
}

static void empty(const struct dms_tree *tree, struct level *level)
{
	level->n_cells = 0;
	level->last_bytes = 0;
	level->content = tree->pages->page_bytes;
	memset(level->page, 0, tree->pages->page_bytes);
}

/* The level at @depth, made when it is first needed. */
static struct dms_error *level_at(struct dms_tree *tree, unsigned int depth, struct level **ret)
{
	struct level *level;

	if (depth == tree->n_levels) {
		level = depth < MAX_LEVELS ? dms_alloc(sizeof(*level) + tree->pages->page_bytes) :
					     NULL;
		if (!level)
			return &dms_error_nomem;
		level->held.n_bytes = 0;
		empty(tree, level);
		tree->levels[tree->n_levels++] = level;
	}
	*ret = tree->levels[depth];
	return NULL;
}

static bool fits(const struct level *level, unsigned int depth, uint32_t cell_bytes)
{
	return head_bytes(depth) + (level->n_cells + 1) * OFFSET_BYTES + cell_bytes <=
	       level->content;
}

/* Room for a cell that fits. */
static unsigned char *new_cell(struct level *level, unsigned int depth, uint32_t cell_bytes)
{
	level->content -= cell_bytes;
	level->last_bytes = cell_bytes;
	dms_put16(level->page + head_bytes(depth) + level->n_cells++ * OFFSET_BYTES, level->content);
	return level->page + level->content;
}

static void put_divider(struct level *level, unsigned int depth, const struct divider *divider)
{
	uint32_t child_bytes = depth ? CHILD_BYTES : 0;
	unsigned char *cell = new_cell(level, depth, child_bytes + divider->n_bytes);

	if (depth)
		dms_put32(cell, divider->child);
	memcpy(cell + child_bytes, divider->bytes, divider->n_bytes);
}

/* Take back the last cell put. */
static void take_divider(struct level *level, unsigned int depth, struct divider *ret)
{
	uint32_t child_bytes = depth ? CHILD_BYTES : 0;
	unsigned char *cell = level->page + level->content;

	ret->child = depth ? dms_get32(cell) : 0;
	ret->n_bytes = level->last_bytes - child_bytes;
	memcpy(ret->bytes, cell + child_bytes, ret->n_bytes);
	memset(cell, 0, level->last_bytes);
	level->content += level->last_bytes;
	dms_put16(level->page + head_bytes(depth) + --level->n_cells * OFFSET_BYTES, 0);
}

/* What is known only when a page is full. */
static void seal(const struct dms_tree *tree, struct level *level, unsigned int depth,
		 uint32_t last_child)
{
	level->page[HEAD_TYPE] = (unsigned char)((tree->is_index ? TYPE_INDEX : TYPE_TABLE) |
						 (depth ? 0 : TYPE_LEAF));
	dms_put16(level->page + HEAD_N_CELLS, level->n_cells);
	dms_put16(level->page + HEAD_CONTENT, level->content); /* 65536 is written as 0 */
	if (depth)
		dms_put32(level->page + HEAD_LAST_CHILD, last_child);
}

/* @divider to the level at @depth; where a page is full for good, one more goes a level up. */
static struct dms_error *add_divider(struct dms_tree *tree, unsigned int depth,
				     struct divider *divider)
{
	struct dms_error *err;
	struct divider up;
	struct level *level;

	for (;; depth++) {
		if ((err = level_at(tree, depth, &level)))
			return err;
		if (!level->held.n_bytes) {
			if (fits(level, depth, (depth ? CHILD_BYTES : 0) + divider->n_bytes))
				put_divider(level, depth, divider);
			else
				level->held = *divider;
			return NULL;
		}
		up = level->held;
		level->held.n_bytes = 0;
		seal(tree, level, depth, up.child);
		if ((err = dms_pages_append(tree->pages, level->page, &up.child)))
			return err;
		empty(tree, level);
		put_divider(level, depth, divider);
		*divider = up;
	}
}

struct dms_error *dms_tree_create(struct dms_pages *pages, uint32_t root, bool is_index,
				  struct dms_tree **ret)
{
	struct dms_tree *tree = dms_zalloc(sizeof(*tree));

	if (!tree)
		return &dms_error_nomem;
	tree->pages = pages;
	tree->root = root;
	tree->is_index = is_index;
	*ret = tree;
	return NULL;
}

void dms_tree_destroy(struct dms_tree *tree)
{
	if (!tree)
		return;
	for (unsigned int i = 0; i < tree->n_levels; i++)
		dms_free(tree->levels[i]);
	dms_free(tree);
}

static struct dms_error *add_to_index(struct dms_tree *tree, const struct dms_payload *payload)
{
	struct divider divider = { .child = 0 };
	unsigned char *out = divider.bytes;

	out += dms_varint_put(out, payload->head_bytes + payload->body_bytes);
	memcpy(out, payload->head, payload->head_bytes);
	memcpy(out + payload->head_bytes, payload->body, payload->body_bytes);
	divider.n_bytes = (uint32_t)(out - divider.bytes) + payload->head_bytes + payload->body_bytes;
	return add_divider(tree, 0, &divider);
}

/* A full leaf of a table; the level above needs its largest rowid. */
static struct dms_error *close_leaf(struct dms_tree *tree, struct level *leaf)
{
	struct divider divider;
	struct dms_error *err;

	seal(tree, leaf, 0, 0);
	if ((err = dms_pages_append(tree->pages, leaf->page, &divider.child)))
		return err;
	empty(tree, leaf);
	divider.n_bytes = dms_varint_put(divider.bytes, tree->last_rowid);
	return add_divider(tree, 1, &divider);
}

struct dms_error *dms_tree_add(struct dms_tree *tree, uint64_t rowid,
			       const struct dms_payload *payload)
{
	uint32_t payload_bytes = payload->head_bytes + payload->body_bytes, front_bytes;
	unsigned char front[18], *cell; /* size and rowid */
	struct dms_error *err;
	struct level *leaf;

	if (tree->is_index)
		return add_to_index(tree, payload);
	if ((err = level_at(tree, 0, &leaf)))
		return err;
	front_bytes = dms_varint_put(front, payload_bytes);
	front_bytes += dms_varint_put(front + front_bytes, rowid);
	if (!fits(leaf, 0, front_bytes + payload_bytes) && (err = close_leaf(tree, leaf)))
		return err;
	cell = new_cell(leaf, 0, front_bytes + payload_bytes);
	memcpy(cell, front, front_bytes);
	memcpy(cell + front_bytes, payload->head, payload->head_bytes);
	memcpy(cell + front_bytes + payload->head_bytes, payload->body, payload->body_bytes);
	tree->last_rowid = rowid;
	return NULL;
}

/*
 * The held cell was the last: a page cannot end with a divider and nothing behind it. The cell
 * before it divides instead, and it gets a page of its own.
 */
static struct dms_error *split(struct dms_tree *tree, struct level *level, unsigned int depth)
{
	struct divider up, last = level->held;
	struct dms_error *err;

	level->held.n_bytes = 0;
	take_divider(level, depth, &up);
	seal(tree, level, depth, up.child);
	if ((err = dms_pages_append(tree->pages, level->page, &up.child)))
		return err;
	empty(tree, level);
	put_divider(level, depth, &last);
	return add_divider(tree, depth + 1, &up);
}

struct dms_error *dms_tree_finish(struct dms_tree *tree)
{
	struct dms_error *err;
	struct level *level;
	uint32_t child = 0;

	for (unsigned int depth = 0; depth < tree->n_levels; depth++) {
		level = tree->levels[depth];
		if (level->held.n_bytes && (err = split(tree, level, depth)))
			return err;
		seal(tree, level, depth, child);
		if (depth + 1 == tree->n_levels)
			return dms_pages_put(tree->pages, tree->root, level->page);
		if ((err = dms_pages_append(tree->pages, level->page, &child)))
			return err;
	}
	return NULL;
}

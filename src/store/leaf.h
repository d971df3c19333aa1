/* SPDX-License-Identifier: LGPL-2.1-only */
/* Rows into the pages of SQLite's file format, for tables that are appended in order of key. */
#ifndef DMASCOPE_STORE_LEAF_H
#define DMASCOPE_STORE_LEAF_H

#include "store.h"

/* ---- a row as SQLite's record --------------------------------------------------------------- */

/** Longest header (one byte says how long) and body that dms_payload_make() can be asked for. */
#define DMS_PAYLOAD_HEAD_BYTES 127
#define DMS_PAYLOAD_BODY_BYTES 1024

struct dms_payload {
	uint32_t head_bytes;
	uint32_t body_bytes;
	/* room for a last number and a last word, which are written whole */
	unsigned char head[DMS_PAYLOAD_HEAD_BYTES + 9];
	unsigned char body[DMS_PAYLOAD_BODY_BYTES + DMS_WORD_START];
};

/** Bytes of the largest record of @spec's rows; SIZE_MAX if dms_payload_make() cannot hold it. */
size_t dms_payload_max_bytes(const struct dms_bulk_spec *spec, const struct dms_word *words,
			    unsigned int n_words);
/** @row, cells as in struct dms_batch, as a record; column 0 as NULL if it is the rowid. */
void dms_payload_make(struct dms_payload *payload, const struct dms_bulk_spec *spec,
		     const struct dms_word *words, const uint64_t *row);
/** @value as SQLite's variable-length number, of 1 to 9 bytes, to @out; their number. */
unsigned int dms_varint_put(unsigned char *out, uint64_t value);

/* Numbers in the file have their most significant byte first. */
static inline void dms_put16(unsigned char *out, uint32_t value)
{
	out[0] = (unsigned char)(value >> 8);
	out[1] = (unsigned char)value;
}

static inline void dms_put32(unsigned char *out, uint32_t value)
{
	dms_put16(out, value >> 16);
	dms_put16(out + 2, value);
}

static inline uint32_t dms_get32(const unsigned char *in)
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

/* ---- pages: the end of a database file ------------------------------------------------------ */

struct dms_pages {
	int fd;
	const char *name;	/* of the file, for messages; borrowed */
	uint32_t page_bytes;
	uint32_t lock_page;	/* SQLite locks a byte in it and never uses it otherwise */
	uint32_t n_pages;	/* of the file, those still in block included */
	uint64_t block_offset;	/* where block belongs in the file */
	size_t block_used;	/* bytes */
	unsigned char *block;	/* pages on their way to the file */
};

/**
 * Begin to append to the database @fd, which nobody else has open meanwhile. *@ret NULL, without
 * an error: of a kind this file does not know (pages that end early, auto-vacuum).
 */
struct dms_error *dms_pages_create(int fd, const char *name, struct dms_pages **ret);
void dms_pages_destroy(struct dms_pages *pages);
/** Put @page at the end of the file; its number is *@ret. */
struct dms_error *dms_pages_append(struct dms_pages *pages, const unsigned char *page,
				   uint32_t *ret);
/** Write @page over page @number of the file as it was found. */
struct dms_error *dms_pages_put(struct dms_pages *pages, uint32_t number,
				const unsigned char *page);
/** Write what is left, then the new size into the file's header. */
struct dms_error *dms_pages_finish(struct dms_pages *pages);

/* ---- trees: the pages of one table ---------------------------------------------------------- */

struct dms_tree;

/** A tree below page @root, where SQLite made an empty one. Index: a table WITHOUT ROWID. */
struct dms_error *dms_tree_create(struct dms_pages *pages, uint32_t root, bool is_index,
				  struct dms_tree **ret);
/** NULL is allowed. */
void dms_tree_destroy(struct dms_tree *tree);
/** Bytes of the largest record that fits into a page of this kind of tree. */
size_t dms_tree_max_bytes(const struct dms_pages *pages, bool is_index);
/** Append @payload; its key, for an index part of the record, is larger than all before. */
struct dms_error *dms_tree_add(struct dms_tree *tree, uint64_t rowid,
			       const struct dms_payload *payload);
/** Write what is not yet written, the root last. */
struct dms_error *dms_tree_finish(struct dms_tree *tree);

#endif

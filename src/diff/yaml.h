/* SPDX-License-Identifier: LGPL-2.1-only */
/* A YAML file walked by what is expected in it: every error tells file, line and what was expected. */
#ifndef DMS_DIFF_YAML_H
#define DMS_DIFF_YAML_H

#include <yaml.h>

#include <dmascope/diff.h>

/** A YAML file that is being walked. */
struct yaml_walk {
	const char *path;
	char *text;
	yaml_document_t document;
	bool has_document;
	struct dms_config *config; /* what is made of it */
};

/**
 * Read @path. Errors: DMS_ERROR_INPUT: unreadable, large; DMS_ERROR_USAGE: no YAML, several
 * documents, nested deeply, or with aliases, which let a small file say endlessly much.
 */
struct dms_error *yaml_walk_open(struct yaml_walk *walk, const char *path);
void yaml_walk_close(struct yaml_walk *walk);

/** What the file holds; NULL: nothing. */
const yaml_node_t *yaml_walk_root(struct yaml_walk *walk);
/** From 1. */
unsigned int yaml_node_line(const yaml_node_t *node);
/** Nothing stands there: "key:" alone, "~" or "null". */
bool yaml_node_is_null(const yaml_node_t *node);

/** A usage error at @node of struct yaml_walk *walk. */
#define YAML_ERROR(walk, node, fmt, ...)                                                           \
	dms_error_new(DMS_ERROR_USAGE, "%s:%u: " fmt, (walk)->path, yaml_node_line(node),          \
		      ##__VA_ARGS__)
/** @err, which a value at @node gave, with file and line; @key: whose value. NULL stays NULL. */
struct dms_error *yaml_walk_wrap(const struct yaml_walk *walk, const yaml_node_t *node,
				 const char *key, struct dms_error *err);

/** The text of @node. Errors: it is a list, a mapping, empty, or holds a zero byte. */
struct dms_error *yaml_walk_text(struct yaml_walk *walk, const yaml_node_t *node, const char *key,
				 const char **ret);

/** One key and what follows it, or, without @key, one item of a list. */
struct yaml_pair {
	const char *key;
	const yaml_node_t *key_node, *value;
};
typedef struct dms_error *(*yaml_pair_fn)(struct yaml_walk *walk, const struct yaml_pair *pair,
					  void *into);
/** Give each pair of @node to @take; NULL and null are empty. Errors: no mapping; a key twice. */
struct dms_error *yaml_walk_mapping(struct yaml_walk *walk, const yaml_node_t *node,
				    const char *key, yaml_pair_fn take, void *into);
/** Give each item of @node to @take. Errors: no list. */
struct dms_error *yaml_walk_list(struct yaml_walk *walk, const yaml_node_t *node, const char *key,
				 yaml_pair_fn take, void *into);

/** A key that is expected, and who takes its value. Tables end with a NULL name. */
struct yaml_key {
	const char *name;
	yaml_pair_fn take;
};
/** Let the row of @pair's key take it. Errors: an unknown key, with the nearest. */
struct dms_error *yaml_walk_key(struct yaml_walk *walk, const struct yaml_pair *pair,
				const struct yaml_key *keys, void *into);

#endif

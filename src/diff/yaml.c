// SPDX-License-Identifier: LGPL-2.1-only
/* A YAML file walked by what is expected in it: every error tells file, line and what was expected. */
#include <string.h>

#include "../symbols/textfile.h"
#include "yaml.h"

#define MAX_BYTES  ((size_t)4 << 20)
#define MAX_DEPTH  16	  /* a configuration is four deep */
#define MAX_EVENTS 500000 /* memory is a hundred bytes for each */

/* ---- reading ------------------------------------------------------------------------------------- */

/* What libyaml complains of. Only what stands in the text has a line; bytes have an offset. */
static struct dms_error *parser_error(const yaml_parser_t *parser, const char *path)
{
	const char *problem = parser->problem ? parser->problem : "not readable";

	if (parser->error == YAML_MEMORY_ERROR)
		return &dms_error_nomem;
	if (parser->error == YAML_READER_ERROR)
		return dms_error_new(DMS_ERROR_USAGE, "%s: not YAML at byte %zu: %s", path,
				     parser->problem_offset, problem);
	return dms_error_new(DMS_ERROR_USAGE, "%s:%zu: not YAML: %s%s%s", path,
			     parser->problem_mark.line + 1, parser->context ? parser->context : "",
			     parser->context ? ": " : "", problem);
}

/** What was seen of a file that is looked through. */
struct scan {
	const char *path;
	int depth, documents;
	size_t events;
};

static struct dms_error *check_event(struct scan *scan, const yaml_event_t *event)
{
	size_t line = event->start_mark.line + 1;

	scan->depth += event->type == YAML_SEQUENCE_START_EVENT ||
		       event->type == YAML_MAPPING_START_EVENT;
	scan->depth -= event->type == YAML_SEQUENCE_END_EVENT ||
		       event->type == YAML_MAPPING_END_EVENT;
	scan->documents += event->type == YAML_DOCUMENT_START_EVENT;
	if (event->type == YAML_ALIAS_EVENT)
		return dms_error_new(DMS_ERROR_USAGE,
				     "%s:%zu: the alias *%s: expected what it stands for, in full",
				     scan->path, line, event->data.alias.anchor);
	if (scan->depth > MAX_DEPTH)
		return dms_error_new(DMS_ERROR_USAGE, "%s:%zu: nested deeper than %d", scan->path,
				     line, MAX_DEPTH);
	if (scan->documents > 1)
		return dms_error_new(DMS_ERROR_USAGE,
				     "%s:%zu: a second document: expected one in the file",
				     scan->path, line);
	if (++scan->events > MAX_EVENTS)
		return dms_error_new(DMS_ERROR_USAGE, "%s:%zu: more than %d items", scan->path,
				     line, MAX_EVENTS);
	return NULL;
}

/* Look through @text before anything is built of it. */
static struct dms_error *scan_text(const char *path, const char *text, size_t size)
{
	struct scan scan = {.path = path};
	struct dms_error *err = NULL;
	yaml_parser_t parser;
	yaml_event_t event;
	bool is_end = false;

	if (!yaml_parser_initialize(&parser))
		return &dms_error_nomem;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	while (!err && !is_end) {
		if (!yaml_parser_parse(&parser, &event)) {
			err = parser_error(&parser, path);
			break;
		}
		err = check_event(&scan, &event);
		is_end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return err;
}

static struct dms_error *load(struct yaml_walk *walk, size_t size)
{
	struct dms_error *err = scan_text(walk->path, walk->text, size);
	yaml_parser_t parser;

	if (err)
		return err;
	if (!yaml_parser_initialize(&parser))
		return &dms_error_nomem;
	yaml_parser_set_input_string(&parser, (const unsigned char *)walk->text, size);
	walk->has_document = yaml_parser_load(&parser, &walk->document);
	if (!walk->has_document)
		err = parser_error(&parser, walk->path);
	yaml_parser_delete(&parser);
	return err;
}

struct dms_error *yaml_walk_open(struct yaml_walk *walk, const char *path)
{
	struct dms_error *err;
	size_t size;

	walk->path = path;
	err = textfile_read(path, MAX_BYTES, "a configuration", &walk->text, &size);
	return err ? err : load(walk, size);
}

void yaml_walk_close(struct yaml_walk *walk)
{
	if (walk->has_document)
		yaml_document_delete(&walk->document);
	dms_free(walk->text);
}

/* ---- nodes ----------------------------------------------------------------------------------------- */

const yaml_node_t *yaml_walk_root(struct yaml_walk *walk)
{
	return yaml_document_get_root_node(&walk->document);
}

unsigned int yaml_node_line(const yaml_node_t *node)
{
	return (unsigned int)node->start_mark.line + 1;
}

bool yaml_node_is_null(const yaml_node_t *node)
{
	static const char *const words[] = {"", "~", "null"};
	const char *text = (const char *)node->data.scalar.value;

	if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(words); i++) {
		if (!strcmp(words[i], text))
			return true;
	}
	return false;
}

static const char *node_kind(const yaml_node_t *node)
{
	static const char *const kinds[] = {
		[YAML_NO_NODE] = "nothing",
		[YAML_SCALAR_NODE] = "a value",
		[YAML_SEQUENCE_NODE] = "a list",
		[YAML_MAPPING_NODE] = "keys with values",
	};

	return yaml_node_is_null(node) ? "nothing" : kinds[node->type];
}

struct dms_error *yaml_walk_wrap(const struct yaml_walk *walk, const yaml_node_t *node,
				 const char *key, struct dms_error *err)
{
	return err ? dms_error_wrap(err, "%s:%u: %s", walk->path, yaml_node_line(node), key) : NULL;
}

struct dms_error *yaml_walk_text(struct yaml_walk *walk, const yaml_node_t *node, const char *key,
				 const char **ret)
{
	if (node->type != YAML_SCALAR_NODE || yaml_node_is_null(node))
		return YAML_ERROR(walk, node, "%s: expected a value, got %s", key, node_kind(node));
	*ret = (const char *)node->data.scalar.value;
	if (strlen(*ret) != node->data.scalar.length)
		return YAML_ERROR(walk, node, "%s: a zero byte in a text", key);
	return NULL;
}

/* ---- walking ----------------------------------------------------------------------------------------- */

/* Whoever takes pairs refuses keys he does not know: those before @pair are few. */
static const yaml_node_t *find_earlier(struct yaml_walk *walk, const yaml_node_t *node,
				       const yaml_node_pair_t *pair, const char *key)
{
	for (const yaml_node_pair_t *at = node->data.mapping.pairs.start; at < pair; at++) {
		const yaml_node_t *other = yaml_document_get_node(&walk->document, at->key);

		if (!strcmp((const char *)other->data.scalar.value, key))
			return other;
	}
	return NULL;
}

static struct dms_error *take_pair(struct yaml_walk *walk, const yaml_node_t *node,
				   const yaml_node_pair_t *item, struct yaml_pair *ret)
{
	const yaml_node_t *earlier;
	struct dms_error *err;

	ret->key_node = yaml_document_get_node(&walk->document, item->key);
	ret->value = yaml_document_get_node(&walk->document, item->value);
	if ((err = yaml_walk_text(walk, ret->key_node, "a key", &ret->key)))
		return err;
	earlier = find_earlier(walk, node, item, ret->key);
	if (earlier)
		return YAML_ERROR(walk, ret->key_node, "%s: the key stands in line %u already",
				  ret->key, yaml_node_line(earlier));
	return NULL;
}

struct dms_error *yaml_walk_mapping(struct yaml_walk *walk, const yaml_node_t *node,
				    const char *key, yaml_pair_fn take, void *into)
{
	struct dms_error *err = NULL;
	struct yaml_pair pair;

	if (yaml_node_is_null(node))
		return NULL;
	if (node->type != YAML_MAPPING_NODE)
		return YAML_ERROR(walk, node, "%s: expected keys with values, got %s", key,
				  node_kind(node));
	for (const yaml_node_pair_t *item = node->data.mapping.pairs.start;
	     !err && item < node->data.mapping.pairs.top; item++) {
		err = take_pair(walk, node, item, &pair);
		if (!err)
			err = take(walk, &pair, into);
	}
	return err;
}

struct dms_error *yaml_walk_list(struct yaml_walk *walk, const yaml_node_t *node, const char *key,
				 yaml_pair_fn take, void *into)
{
	struct dms_error *err = NULL;
	struct yaml_pair pair = {.key = key};

	if (yaml_node_is_null(node))
		return NULL;
	if (node->type != YAML_SEQUENCE_NODE)
		return YAML_ERROR(walk, node, "%s: expected a list, got %s", key, node_kind(node));
	for (const yaml_node_item_t *item = node->data.sequence.items.start;
	     !err && item < node->data.sequence.items.top; item++) {
		pair.value = yaml_document_get_node(&walk->document, *item);
		pair.key_node = pair.value;
		err = take(walk, &pair, into);
	}
	return err;
}

struct dms_error *yaml_walk_key(struct yaml_walk *walk, const struct yaml_pair *pair,
				const struct yaml_key *keys, void *into)
{
	struct dms_nearest nearest = dms_nearest_to(pair->key, strlen(pair->key));
	_cleanup_(dms_freep) char *all = dms_strdup("");

	for (const struct yaml_key *key = keys; key->name; key++) {
		char *longer;

		if (!strcmp(key->name, pair->key))
			return key->take(walk, pair, into);
		dms_nearest_try(&nearest, key->name);
		longer = all ? dms_asprintf("%s%s%s", all, *all ? ", " : "", key->name) : NULL;
		dms_free(all);
		all = longer;
	}
	if (nearest.word)
		return YAML_ERROR(walk, pair->key_node, "unknown key '%s'; did you mean '%s'?",
				  pair->key, nearest.word);
	return all ? YAML_ERROR(walk, pair->key_node, "unknown key '%s'; expected one of %s",
				pair->key, all)
		   : &dms_error_nomem;
}

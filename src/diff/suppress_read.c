// SPDX-License-Identifier: LGPL-2.1-only
/* Suppressions as YAML: blocks of globs, with a reason, and on request a last day. */
#include <fnmatch.h>
#include <string.h>

#include <dmascope/rules.h>

#include "config.h"
#include "suppress.h"

#define MAX_FRAMES 64

/* A text of a suppression, which may not be empty. */
static struct dms_error *keep_text(struct yaml_walk *walk, const struct yaml_pair *pair,
				   const char **ret)
{
	struct dms_error *err = yaml_walk_text(walk, pair->value, pair->key, ret);

	if (err)
		return err;
	if (!**ret)
		return YAML_ERROR(walk, pair->value, "%s: an empty text", pair->key);
	*ret = config_keep(walk->config, *ret, strlen(*ret));
	return *ret ? NULL : &dms_error_nomem;
}

static struct dms_error *keep_glob(struct yaml_walk *walk, const struct yaml_pair *pair,
				   const char **ret)
{
	struct dms_error *err = keep_text(walk, pair, ret);

	return err ? err
		   : yaml_walk_wrap(walk, pair->value, pair->key, config_check_glob(*ret));
}

/* A pattern that fits no rule suppresses nothing, and looks as if it did. */
static struct dms_error *check_rule(struct yaml_walk *walk, const struct yaml_pair *pair,
				    const char *glob)
{
	const struct dms_rule *rules[DMS_MAX_RULES];
	struct dms_nearest nearest = dms_nearest_to(glob, strlen(glob));
	size_t n = dms_rules_all(rules);

	for (size_t i = 0; i < n; i++) {
		if (!fnmatch(glob, rules[i]->id, 0))
			return NULL;
		dms_nearest_try(&nearest, rules[i]->id);
	}
	if (nearest.word)
		return YAML_ERROR(walk, pair->value, "rule: '%s' fits no rule; did you mean '%s'?",
				  glob, nearest.word);
	return YAML_ERROR(walk, pair->value, "rule: '%s' fits no rule; see 'dmascope rules'", glob);
}

static struct dms_error *take_name(struct yaml_walk *walk, const struct yaml_pair *pair, void *into)
{
	return keep_text(walk, pair, &((struct dms_suppression *)into)->name);
}

static struct dms_error *take_rule(struct yaml_walk *walk, const struct yaml_pair *pair, void *into)
{
	struct dms_suppression *block = into;
	struct dms_error *err = keep_glob(walk, pair, &block->rule);

	return err ? err : check_rule(walk, pair, block->rule);
}

static struct dms_error *take_driver(struct yaml_walk *walk, const struct yaml_pair *pair,
				     void *into)
{
	return keep_glob(walk, pair, &((struct dms_suppression *)into)->driver);
}

static struct dms_error *take_device(struct yaml_walk *walk, const struct yaml_pair *pair,
				     void *into)
{
	return keep_glob(walk, pair, &((struct dms_suppression *)into)->device);
}

static struct dms_error *take_fingerprint(struct yaml_walk *walk, const struct yaml_pair *pair,
					  void *into)
{
	return keep_glob(walk, pair, &((struct dms_suppression *)into)->fingerprint);
}

static struct dms_error *take_reason(struct yaml_walk *walk, const struct yaml_pair *pair,
				     void *into)
{
	return keep_text(walk, pair, &((struct dms_suppression *)into)->reason);
}

static struct dms_error *take_expires(struct yaml_walk *walk, const struct yaml_pair *pair,
				      void *into)
{
	struct dms_suppression *block = into;
	const char *text;
	struct dms_error *err = yaml_walk_text(walk, pair->value, pair->key, &text);

	if (err)
		return err;
	block->expires_day = dms_day_parse(text);
	if (block->expires_day <= 0) /* the first day of all would be never */
		return YAML_ERROR(walk, pair->value,
				  "expires: '%s' is not a date, YYYY-MM-DD from 1970-01-02 on",
				  text);
	return NULL;
}

/** Frames as they are read. */
struct frames {
	const char *globs[MAX_FRAMES];
	size_t n;
};

static struct dms_error *take_frame(struct yaml_walk *walk, const struct yaml_pair *pair,
				    void *into)
{
	struct frames *frames = into;

	if (frames->n == MAX_FRAMES)
		return YAML_ERROR(walk, pair->value, "frames: more than %d", MAX_FRAMES);
	return keep_glob(walk, pair, &frames->globs[frames->n++]);
}

static struct dms_error *take_frames(struct yaml_walk *walk, const struct yaml_pair *pair,
				     void *into)
{
	struct dms_suppression *block = into;
	struct frames frames = {.n = 0};
	struct dms_error *err = yaml_walk_list(walk, pair->value, pair->key, take_frame, &frames);
	const char **copy;

	if (err || !frames.n)
		return err;
	copy = dms_arena_alloc(walk->config->arena, frames.n * sizeof(*copy));
	if (!copy)
		return &dms_error_nomem;
	memcpy(copy, frames.globs, frames.n * sizeof(*copy));
	block->frames = copy;
	block->n_frames = frames.n;
	return NULL;
}

static struct dms_error *take_key(struct yaml_walk *walk, const struct yaml_pair *pair, void *into)
{
	static const struct yaml_key keys[] = {
		{"name", take_name},	   {"rule", take_rule},
		{"driver", take_driver},   {"device", take_device},
		{"frames", take_frames},   {"fingerprint", take_fingerprint},
		{"reason", take_reason},   {"expires", take_expires},
		{NULL, NULL},
	};

	return yaml_walk_key(walk, pair, keys, into);
}

/* Does it say of what it speaks? "..." alone says nothing. */
static bool is_limited(const struct dms_suppression *block)
{
	for (size_t i = 0; i < block->n_frames; i++) {
		if (strcmp(block->frames[i], SUPPRESS_ANY_FRAMES))
			return true;
	}
	return block->rule || block->driver || block->device || block->fingerprint;
}

static struct dms_error *take_block(struct yaml_walk *walk, const struct yaml_pair *pair,
				    void *into)
{
	struct dms_config *config = walk->config;
	struct dms_suppression block = {.file = walk->path, .line = yaml_node_line(pair->value)};
	struct dms_error *err = yaml_walk_mapping(walk, pair->value, pair->key, take_key, &block);

	(void)into;
	if (err)
		return err;
	if (!block.name || !block.reason)
		return YAML_ERROR(walk, pair->value, "a suppression without %s: expected one",
				  block.name ? "a reason" : "a name");
	if (!is_limited(&block))
		return YAML_ERROR(walk, pair->value, "%s: it would suppress everything: expected "
				  "rule, driver, device, frames or fingerprint", block.name);
	if (!dms_grow(&config->suppressions, &config->suppressions_capacity,
		      config->n_suppressions + 1, sizeof(block)))
		return &dms_error_nomem;
	config->suppressions[config->n_suppressions++] = block;
	return NULL;
}

struct dms_error *suppress_read(struct yaml_walk *walk, const struct yaml_pair *pair, void *into)
{
	return yaml_walk_list(walk, pair->value, pair->key, take_block, into);
}

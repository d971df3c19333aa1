// SPDX-License-Identifier: LGPL-2.1-only
/* What a project decides: thresholds of metrics, kinds of devices; told by files and a command line. */
#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "config.h"

struct dms_config *dms_config_create(void)
{
	struct dms_config *config = dms_zalloc(sizeof(*config));

	if (!config)
		return NULL;
	config->arena = dms_arena_create();
	if (config->arena)
		config->limits = dms_arena_alloc(config->arena,
						 dms_n_metrics * sizeof(*config->limits));
	if (!config->limits) {
		dms_config_destroy(config);
		return NULL;
	}
	for (size_t i = 0; i < dms_n_metrics; i++) {
		config->limits[i].threshold = dms_metrics[i].threshold;
		config->limits[i].polarity = dms_metrics[i].polarity;
	}
	return config;
}

void dms_config_destroy(struct dms_config *config)
{
	if (!config)
		return;
	dms_free(config->suppressions);
	dms_free(config->kinds);
	dms_arena_destroy(config->arena);
	dms_free(config);
}

const char *config_keep(struct dms_config *config, const char *text, size_t bytes)
{
	char *copy = dms_arena_alloc(config->arena, bytes + 1);

	return copy ? memcpy(copy, text, bytes) : NULL;
}

struct dms_error *config_find_metric(const char *name, const struct dms_metric **ret)
{
	struct dms_nearest nearest = dms_nearest_to(name, strlen(name));

	*ret = dms_metric_find(name);
	if (*ret)
		return NULL;
	for (size_t i = 0; i < dms_n_metrics; i++)
		dms_nearest_try(&nearest, dms_metrics[i].name);
	if (nearest.word)
		return dms_error_new(DMS_ERROR_USAGE, "unknown metric '%s'; did you mean '%s'?",
				     name, nearest.word);
	return dms_error_new(DMS_ERROR_USAGE,
			     "unknown metric '%s'; dmascope-config(5) lists them", name);
}

struct dms_error *config_add_kind(struct dms_config *config, const struct config_kind *kind)
{
	struct dms_error *err = config_check_glob(kind->glob);

	if (err)
		return err;
	if (!*kind->kind)
		return dms_error_new(DMS_ERROR_USAGE, "a kind of device without a name");
	if (!dms_grow(&config->kinds, &config->kinds_capacity, config->n_kinds + 1,
		      sizeof(*config->kinds)))
		return &dms_error_nomem;
	config->kinds[config->n_kinds++] = *kind;
	return NULL;
}

/* ---- the command line --------------------------------------------------------------------------- */

/* The part of *@rest up to the comma, which is cut off; NULL: there is none. */
static char *next_part(char **rest)
{
	return *rest ? strsep(rest, ",") : NULL;
}

static struct dms_error *parse_limits(char *text, const struct dms_metric *metric,
				      struct dms_threshold *ret)
{
	const char *relative = next_part(&text), *absolute = next_part(&text),
		   *samples = next_part(&text);
	struct dms_error *err;

	if (text)
		return dms_error_new(DMS_ERROR_USAGE, "too much: '%s'", text);
	if (!strcmp(relative, "off") && !absolute) {
		ret->relative = INFINITY;
		return NULL;
	}
	err = config_parse_share(relative, &ret->relative);
	if (!err && absolute)
		err = config_parse_value(absolute, metric->unit, &ret->absolute);
	if (!err && samples)
		err = config_parse_count(samples, &ret->min_samples);
	return err;
}

struct dms_error *dms_config_set_threshold(struct dms_config *config, const char *text)
{
	_cleanup_(dms_freep) char *copy = dms_strdup(text);
	char *value = copy ? strchr(copy, '=') : NULL;
	const struct dms_metric *metric;
	struct dms_threshold threshold;
	struct dms_error *err;

	if (!copy)
		return &dms_error_nomem;
	if (!value)
		return dms_error_new(DMS_ERROR_USAGE,
				     "'%s' is not METRIC=RELATIVE[,ABSOLUTE[,SAMPLES]] or METRIC=off",
				     text);
	*value++ = '\0';
	if ((err = config_find_metric(copy, &metric)))
		return err;
	threshold = config->limits[metric - dms_metrics].threshold;
	if ((err = parse_limits(value, metric, &threshold)))
		return dms_error_wrap(err, "%s", copy);
	config->limits[metric - dms_metrics].threshold = threshold;
	return NULL;
}

struct dms_error *dms_config_set_kind(struct dms_config *config, const char *text)
{
	const char *equals = strrchr(text, '=');
	struct config_kind kind = {.rank = CONFIG_RANK_COMMAND_LINE};
	struct dms_error *err;

	if (!equals)
		return dms_error_new(DMS_ERROR_USAGE, "'%s' is not GLOB=KIND", text);
	kind.glob = config_keep(config, text, (size_t)(equals - text));
	kind.kind = config_keep(config, equals + 1, strlen(equals + 1));
	if (!kind.glob || !kind.kind)
		return &dms_error_nomem;
	err = config_add_kind(config, &kind);
	return err ? dms_error_wrap(err, "'%s'", text) : NULL;
}

/* ---- asking --------------------------------------------------------------------------------------- */

void dms_config_threshold(const struct dms_config *config, const struct dms_metric *metric,
			  struct dms_threshold *ret, enum dms_polarity *ret_polarity)
{
	const struct config_limits *limits = &config->limits[metric - dms_metrics];

	*ret = limits->threshold;
	*ret_polarity = limits->polarity;
}

const char *dms_config_kind(const struct dms_config *config, const char *device)
{
	const struct config_kind *best = NULL;

	for (size_t i = 0; i < config->n_kinds; i++) {
		const struct config_kind *kind = &config->kinds[i];

		if ((!best || kind->rank > best->rank) && !fnmatch(kind->glob, device, 0))
			best = kind;
	}
	return best ? best->kind : NULL;
}

const struct dms_suppression *dms_config_suppressions(const struct dms_config *config,
						      size_t *ret_n)
{
	*ret_n = config->n_suppressions;
	return config->suppressions;
}

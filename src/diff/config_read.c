// SPDX-License-Identifier: LGPL-2.1-only
/* A configuration as YAML: its keys as rows, one function for each kind of value. */
#include <math.h>
#include <string.h>

#include "config.h"
#include "suppress.h"
#include "yaml.h"

/* ---- thresholds ------------------------------------------------------------------------------- */

/** The limits that are being read, and the unit of what they are about. */
struct limits_reading {
	struct config_limits *limits;
	const char *unit;
};

static struct dms_error *take_relative(struct yaml_walk *walk, const struct yaml_pair *pair,
				       void *into)
{
	struct limits_reading *reading = into;
	const char *text;
	struct dms_error *err = yaml_walk_text(walk, pair->value, pair->key, &text);

	return err ? err
		   : yaml_walk_wrap(walk, pair->value, pair->key,
				    config_parse_share(text, &reading->limits->threshold.relative));
}

static struct dms_error *take_absolute(struct yaml_walk *walk, const struct yaml_pair *pair,
				       void *into)
{
	struct limits_reading *reading = into;
	const char *text;
	struct dms_error *err = yaml_walk_text(walk, pair->value, pair->key, &text);

	return err ? err
		   : yaml_walk_wrap(walk, pair->value, pair->key,
				    config_parse_value(text, reading->unit,
						       &reading->limits->threshold.absolute));
}

static struct dms_error *take_samples(struct yaml_walk *walk, const struct yaml_pair *pair,
				      void *into)
{
	struct limits_reading *reading = into;
	const char *text;
	struct dms_error *err = yaml_walk_text(walk, pair->value, pair->key, &text);

	return err ? err
		   : yaml_walk_wrap(
			     walk, pair->value, pair->key,
			     config_parse_count(text, &reading->limits->threshold.min_samples));
}

static struct dms_error *take_polarity(struct yaml_walk *walk, const struct yaml_pair *pair,
				       void *into)
{
	struct limits_reading *reading = into;
	const char *text;
	struct dms_error *err = yaml_walk_text(walk, pair->value, pair->key, &text);

	return err ? err
		   : yaml_walk_wrap(walk, pair->value, pair->key,
				    config_parse_polarity(text, &reading->limits->polarity));
}

static struct dms_error *take_limit(struct yaml_walk *walk, const struct yaml_pair *pair,
				    void *into)
{
	static const struct yaml_key keys[] = {
		{"relative", take_relative}, {"absolute", take_absolute},
		{"samples", take_samples},   {"polarity", take_polarity},
		{NULL, NULL},
	};

	return yaml_walk_key(walk, pair, keys, into);
}

static struct dms_error *take_metric(struct yaml_walk *walk, const struct yaml_pair *pair,
				     void *into)
{
	struct limits_reading reading;
	const struct dms_metric *metric;
	const yaml_node_t *value = pair->value;
	struct dms_error *err;

	(void)into;
	if ((err = config_find_metric(pair->key, &metric)))
		return dms_error_wrap(err, "%s:%u", walk->path, yaml_node_line(pair->key_node));
	reading.limits = &walk->config->limits[metric - dms_metrics];
	reading.unit = metric->unit;
	if (value->type == YAML_MAPPING_NODE)
		return yaml_walk_mapping(walk, value, pair->key, take_limit, &reading);
	if (value->type != YAML_SCALAR_NODE || strcmp((char *)value->data.scalar.value, "off"))
		return YAML_ERROR(walk, value, "%s: expected off, or relative, absolute, samples "
				  "and polarity", pair->key);
	reading.limits->threshold.relative = INFINITY;
	return NULL;
}

static struct dms_error *take_thresholds(struct yaml_walk *walk, const struct yaml_pair *pair,
					 void *into)
{
	return yaml_walk_mapping(walk, pair->value, pair->key, take_metric, into);
}

/* ---- kinds of devices ---------------------------------------------------------------------------- */

/* A text that outlives the file. */
static struct dms_error *keep_text(struct yaml_walk *walk, const struct yaml_pair *pair,
				   const char **ret)
{
	struct dms_error *err = yaml_walk_text(walk, pair->value, pair->key, ret);

	if (err)
		return err;
	*ret = config_keep(walk->config, *ret, strlen(*ret));
	return *ret ? NULL : &dms_error_nomem;
}

static struct dms_error *take_kind_device(struct yaml_walk *walk, const struct yaml_pair *pair,
					  void *into)
{
	struct config_kind *kind = into;

	return keep_text(walk, pair, &kind->glob);
}

static struct dms_error *take_kind_name(struct yaml_walk *walk, const struct yaml_pair *pair,
					void *into)
{
	struct config_kind *kind = into;

	return keep_text(walk, pair, &kind->kind);
}

static struct dms_error *take_kind_key(struct yaml_walk *walk, const struct yaml_pair *pair,
				       void *into)
{
	static const struct yaml_key keys[] = {
		{"device", take_kind_device}, {"kind", take_kind_name}, {NULL, NULL}};

	return yaml_walk_key(walk, pair, keys, into);
}

static struct dms_error *take_kind(struct yaml_walk *walk, const struct yaml_pair *pair, void *into)
{
	struct config_kind kind = {.rank = walk->config->n_files};
	struct dms_error *err = yaml_walk_mapping(walk, pair->value, pair->key, take_kind_key,
						  &kind);

	(void)into;
	if (err)
		return err;
	if (!kind.glob || !kind.kind)
		return YAML_ERROR(walk, pair->value, "%s: expected device and kind", pair->key);
	return yaml_walk_wrap(walk, pair->value, pair->key, config_add_kind(walk->config, &kind));
}

static struct dms_error *take_kinds(struct yaml_walk *walk, const struct yaml_pair *pair,
				    void *into)
{
	return yaml_walk_list(walk, pair->value, pair->key, take_kind, into);
}

/* ---- the file ---------------------------------------------------------------------------------------- */

static struct dms_error *take_section(struct yaml_walk *walk, const struct yaml_pair *pair,
				      void *into)
{
	static const struct yaml_key keys[] = {
		{"thresholds", take_thresholds},
		{"device-kinds", take_kinds},
		{"suppressions", suppress_read},
		{NULL, NULL},
	};

	return yaml_walk_key(walk, pair, keys, into);
}

struct dms_error *dms_config_read(struct dms_config *config, const char *path)
{
	struct yaml_walk walk = {.config = config};
	const yaml_node_t *root;
	struct dms_error *err;

	config->n_files++;
	path = config_keep(config, path, strlen(path)); /* suppressions tell where they stand */
	if (!path)
		return &dms_error_nomem;
	err = yaml_walk_open(&walk, path);
	root = err ? NULL : yaml_walk_root(&walk);
	if (root)
		err = yaml_walk_mapping(&walk, root, "a configuration", take_section, NULL);
	yaml_walk_close(&walk);
	return err;
}

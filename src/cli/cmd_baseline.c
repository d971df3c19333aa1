// SPDX-License-Identifier: GPL-2.0-only
/* `dmascope baseline`: a run as the small file a project keeps in git, to compare later ones with. */
#include <dmascope/diff.h>

#include "cli.h"

static struct dms_error *read_config(const struct dms_baseline_args *args,
				     struct dms_config *config)
{
	struct dms_error *err = NULL;

	for (size_t i = 0; !err && i < args->configs.n_items; i++)
		err = dms_config_read(config, args->configs.items[i]);
	for (size_t i = 0; !err && i < args->kinds.n_items; i++) {
		err = dms_config_set_kind(config, args->kinds.items[i]);
		if (err)
			return dms_error_wrap(err, "--kind");
	}
	return err;
}

static struct dms_error *print(const void *context, FILE *out)
{
	return dms_baseline_print(context, out);
}

struct dms_error *dms_cmd_baseline(const struct dms_call *call, enum dms_exit *ret)
{
	const struct dms_baseline_args *args = call->args;
	struct dms_config *config = dms_config_create();
	struct dms_baseline *baseline = NULL;
	struct dms_error *err;

	(void)ret;
	if (!config)
		return &dms_error_nomem;
	err = read_config(args, config);
	if (!err)
		err = dms_baseline_open(call->operands[0], config, &baseline);
	if (!err)
		err = dms_file_write(args->output ? args->output : "-", print, baseline);
	dms_baseline_destroy(baseline);
	dms_config_destroy(config);
	return err;
}

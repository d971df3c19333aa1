// SPDX-License-Identifier: GPL-2.0-only
/* dmascope diff: what is new, worse, better, fixed or not judged between the runs of two sides. */
#include "cli.h"
#include "judging.h"

static struct dms_error *add_list(struct dms_judging *judging, const struct dms_strings *paths,
				  bool is_base)
{
	struct dms_error *err = NULL;

	for (size_t i = 0; !err && i < paths->n_items; i++)
		err = dms_judging_add(judging, paths->items[i], paths->items[i], is_base);
	return err;
}

/* BASE and what --base gives, then HEAD and what --head gives. */
static struct dms_error *add_runs(struct dms_judging *judging, const struct dms_call *call)
{
	const struct dms_diff_args *args = call->args;
	const char *const *operands = call->operands;
	bool has_operands = call->n_operands == 2;
	struct dms_error *err = NULL;

	if (has_operands)
		err = dms_judging_add(judging, operands[0], operands[0], true);
	if (!err)
		err = add_list(judging, &args->base, true);
	if (!err && has_operands)
		err = dms_judging_add(judging, operands[1], operands[1], false);
	return err ? err : add_list(judging, &args->head, false);
}

struct dms_error *dms_cmd_diff(const struct dms_call *call, enum dms_exit *ret)
{
	const struct dms_diff_args *args = call->args;
	struct dms_judging judging;
	struct dms_error *err;

	if (call->n_operands == 1 ||
	    (!call->n_operands && (!args->base.n_items || !args->head.n_items)))
		return dms_error_new(DMS_ERROR_USAGE,
				     "diff needs BASE and HEAD, or --base and --head");
	err = dms_judging_open(&judging, &args->judging);
	if (!err)
		err = add_runs(&judging, call);
	if (!err)
		err = dms_judging_finish(&judging, ret);
	dms_judging_close(&judging);
	return err;
}

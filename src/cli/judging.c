// SPDX-License-Identifier: GPL-2.0-only
/* What `dmascope diff` and `dmascope check` have in common: runs compared, told, judged. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "judging.h"
#include "terminal.h"

#define DAY_S 86400

/* ---- the command line ------------------------------------------------------------------------- */

static struct dms_error *find_format(const char *name, const struct dms_diff_output **ret)
{
	struct dms_nearest nearest = dms_nearest_to(name, strlen(name));

	for (const struct dms_diff_output *row = dms_diff_outputs; row->name; row++) {
		if (!strcmp(row->name, name)) {
			*ret = row;
			return NULL;
		}
		dms_nearest_try(&nearest, row->name);
	}
	if (nearest.word)
		return dms_error_new(DMS_ERROR_USAGE, "--format: unknown word '%s'; did you mean '%s'?",
				     name, nearest.word);
	return dms_error_new(DMS_ERROR_USAGE, "--format: unknown word '%s'; see --help", name);
}

/* "FORMAT" or "FORMAT=FILE". */
static struct dms_error *add_output(struct dms_judging *judging, const char *text)
{
	const char *equals = strchr(text, '=');
	_cleanup_(dms_freep) char *name =
		dms_strndup(text, equals ? (size_t)(equals - text) : strlen(text));
	struct dms_judging_output output = {.path = equals ? equals + 1 : "-"};
	struct dms_error *err;

	if (!name)
		return &dms_error_nomem;
	if ((err = find_format(name, &output.format)))
		return err;
	if (!*output.path)
		return dms_error_new(DMS_ERROR_USAGE, "--format %s: no file behind =", text);
	for (size_t i = 0; i < judging->n_outputs; i++) {
		if (!strcmp(judging->outputs[i].path, output.path))
			return dms_error_new(DMS_ERROR_USAGE, "--format: %s is given twice",
					     strcmp(output.path, "-") ? output.path
								      : "standard output");
	}
	if (!dms_grow(&judging->outputs, &judging->outputs_capacity, judging->n_outputs + 1,
		      sizeof(output)))
		return &dms_error_nomem;
	judging->outputs[judging->n_outputs++] = output;
	return NULL;
}

static struct dms_error *read_config(struct dms_judging *judging)
{
	const struct dms_judging_args *args = judging->args;
	struct dms_error *err = NULL;

	judging->config = dms_config_create();
	if (!judging->config)
		return &dms_error_nomem;
	for (size_t i = 0; !err && i < args->configs.n_items; i++)
		err = dms_config_read(judging->config, args->configs.items[i]);
	for (size_t i = 0; !err && i < args->thresholds.n_items; i++) {
		err = dms_config_set_threshold(judging->config, args->thresholds.items[i]);
		if (err)
			return dms_error_wrap(err, "--threshold");
	}
	for (size_t i = 0; !err && i < args->kinds.n_items; i++) {
		err = dms_config_set_kind(judging->config, args->kinds.items[i]);
		if (err)
			return dms_error_wrap(err, "--kind");
	}
	return err;
}

static struct dms_error *find_alpha(const char *text, double *ret)
{
	char *end;

	if (!text)
		return NULL; /* the default is that of dms_compare() */
	*ret = strtod(text, &end);
	if (end == text || *end || !(*ret > 0 && *ret < 1))
		return dms_error_new(DMS_ERROR_USAGE,
				     "--alpha: '%s' is not a probability between 0 and 1", text);
	return NULL;
}

/* The only clock that is looked at: suppressions expire. */
static struct dms_error *find_today(const char *text, int32_t *ret)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	char *end = NULL;
	long long seconds;

	if (text) {
		*ret = dms_day_parse(text);
		return *ret >= 0 ? NULL
				 : dms_error_new(DMS_ERROR_USAGE,
						 "--today: '%s' is not a date, YYYY-MM-DD", text);
	}
	errno = 0;
	seconds = epoch && *epoch ? strtoll(epoch, &end, 10) : (long long)time(NULL);
	if (errno || (end && *end) || seconds < 0 || seconds / DAY_S > INT32_MAX)
		return dms_error_new(DMS_ERROR_USAGE,
				     "SOURCE_DATE_EPOCH: '%s' is not a number of seconds", epoch);
	*ret = (int32_t)(seconds / DAY_S);
	return NULL;
}

static struct dms_error *find_options(struct dms_judging *judging)
{
	const struct dms_judging_args *args = judging->args;
	struct dms_compare_options *options = &judging->options;
	int fail_on = args->fail_on ? args->fail_on
				    : DMS_FAIL_ON(DMS_SEVERITY_ERROR, DMS_POSSIBLE);
	struct dms_error *err;

	options->config = judging->config;
	options->never_fails = fail_on == DMS_FAIL_NEVER;
	if (!options->never_fails) {
		options->fail_severity = (enum dms_severity)DMS_FAIL_SEVERITY(fail_on);
		options->fail_confidence = (enum dms_confidence)DMS_FAIL_CONFIDENCE(fail_on);
	}
	options->metrics_fail = !args->no_metrics;
	options->allow_lossy = args->allow_lossy;
	err = find_alpha(args->alpha, &options->alpha);
	return err ? err : find_today(args->today, &options->today);
}

struct dms_error *dms_judging_open(struct dms_judging *judging,
				   const struct dms_judging_args *args)
{
	struct dms_error *err = NULL;

	*judging = (struct dms_judging){.args = args};
	for (size_t i = 0; !err && i < args->formats.n_items; i++)
		err = add_output(judging, args->formats.items[i]);
	if (!err && !args->formats.n_items)
		err = add_output(judging, dms_diff_outputs[0].name);
	if (!err)
		err = read_config(judging);
	if (!err)
		err = find_options(judging);
	/* those it would hold are not those that are read, which would be lost */
	for (size_t i = 0; !err && i < args->configs.n_items; i++)
		err = dms_judging_spare(judging, args->configs.items[i]);
	return err;
}

void dms_judging_close(struct dms_judging *judging)
{
	for (size_t i = 0; i < judging->n_runs; i++)
		dms_baseline_destroy(judging->runs[i]);
	dms_free(judging->runs);
	dms_free(judging->outputs);
	dms_config_destroy(judging->config);
}

/* ---- inputs --------------------------------------------------------------------------------------- */

/* Are both the same regular file? What is not there is none. */
static bool is_same_file(const char *path, const char *other)
{
	struct stat a, b;

	return !stat(path, &a) && !stat(other, &b) && S_ISREG(a.st_mode) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

struct dms_error *dms_judging_spare(const struct dms_judging *judging, const char *path)
{
	const char *output = judging->args->write_suppressions;
	bool is_hit = output && is_same_file(output, path);

	for (size_t i = 0; !is_hit && i < judging->n_outputs; i++) {
		output = judging->outputs[i].path;
		is_hit = is_same_file(output, path);
	}
	return is_hit ? dms_error_new(DMS_ERROR_USAGE, "%s is read: it is not overwritten", output)
		      : NULL;
}

struct dms_error *dms_judging_add(struct dms_judging *judging, const char *path, const char *name,
				  bool is_base)
{
	struct dms_baseline *run;
	struct dms_error *err = dms_judging_spare(judging, path);

	if (!err && !dms_grow(&judging->runs, &judging->runs_capacity, judging->n_runs + 1,
			      sizeof(run)))
		err = &dms_error_nomem;
	if (!err)
		err = dms_baseline_open(path, judging->config, &run);
	if (err)
		return err;
	run->path = name;
	judging->runs[judging->n_runs++] = run;
	judging->n_base += is_base;
	return NULL;
}

/* ---- outputs -------------------------------------------------------------------------------------- */

/** One output to be written. */
struct writing {
	const struct dms_diff_output *format;
	const struct dms_comparison *comparison;
};

static struct dms_error *write_output(const void *context, FILE *out)
{
	const struct writing *writing = context;

	return writing->format->print(writing->comparison, out, dms_terminal_width(out),
				      dms_terminal_has_colour(out));
}

static struct dms_error *write_suppressions(const void *context, FILE *out)
{
	return dms_suppressions_print(context, out);
}

/* Of several errors the first is told. */
static void keep_first(struct dms_error **first, struct dms_error *err)
{
	if (*first)
		dms_error_free(err);
	else
		*first = err;
}

/* All of them: that one cannot be written must not cost the others. */
static struct dms_error *write_all(const struct dms_judging *judging,
				   const struct dms_comparison *comparison)
{
	struct dms_error *first = NULL;

	for (size_t i = 0; i < judging->n_outputs; i++) {
		const struct dms_judging_output *output = &judging->outputs[i];
		const struct writing writing = {output->format, comparison};

		keep_first(&first, dms_file_write(output->path, write_output, &writing));
	}
	if (judging->args->write_suppressions)
		keep_first(&first, dms_file_write(judging->args->write_suppressions,
						  write_suppressions, comparison));
	return first;
}

/* Whoever has everything written to files still learns why a job failed. */
static void tell_verdict(const struct dms_judging *judging, const struct dms_comparison *comparison)
{
	if (comparison->verdict == DMS_VERDICT_PASS)
		return;
	for (size_t i = 0; i < judging->n_outputs; i++) {
		if (!strcmp(judging->outputs[i].path, "-"))
			return;
	}
	for (size_t i = 0; i < comparison->n_reasons; i++)
		dms_log(DMS_LOG_WARN, "%s", comparison->reasons[i]);
}

struct dms_error *dms_judging_finish(struct dms_judging *judging, enum dms_exit *ret)
{
	static const enum dms_exit exits[] = {
		[DMS_VERDICT_PASS] = DMS_EXIT_CLEAN,
		[DMS_VERDICT_FAIL] = DMS_EXIT_FINDINGS,
		[DMS_VERDICT_LOSSY] = DMS_EXIT_INPUT,
	};
	const struct dms_baseline *const *runs = (const struct dms_baseline *const *)judging->runs;
	struct dms_comparison *comparison;
	struct dms_error *err =
		dms_compare(runs, judging->n_base, runs + judging->n_base,
			    judging->n_runs - judging->n_base, &judging->options, &comparison);

	if (err)
		return err;
	err = write_all(judging, comparison);
	if (!err) {
		tell_verdict(judging, comparison);
		*ret = exits[comparison->verdict];
	}
	dms_comparison_destroy(comparison);
	return err;
}

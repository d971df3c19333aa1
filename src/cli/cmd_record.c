// SPDX-License-Identifier: GPL-2.0-only
/* dmascope record: a recording by tracefs, and the command that analyzes it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dmascope/record.h>

#include "cli.h"

static const char *const side_ends[DMS_N_SIDE_FILES] = {
	[DMS_SIDE_DEVICES] = "devices",
	[DMS_SIDE_IOMEM] = "iomem",
	[DMS_SIDE_DUMP] = "dump",
};

/* ---- what is asked for ----------------------------------------------------------------------- */

static struct dms_record_options options_of(const struct dms_call *call)
{
	const struct dms_record_args *args = call->args;

	return (struct dms_record_options){
		.output = args->output ? args->output : "trace.dat",
		.clock = args->clock,
		.buffer_kb = args->buffer_kb,
		.subbuf_kb = args->subbuf_kb,
		.stacks = args->stacks,
		.devices = args->devices.items,
		.n_devices = args->devices.n_items,
		.drivers = args->drivers.items,
		.n_drivers = args->drivers.n_items,
		.events = args->events.items,
		.n_events = args->events.n_items,
		.command = call->operands,
		.n_command = call->n_operands,
		.duration_s = args->duration_s,
		.has_no_probes = args->has_no_probes,
		.id = args->is_dry ? "" : NULL,
	};
}

static struct dms_error *check_output(const char *output)
{
	struct stat status;

	if (!strcmp(output, "-") || !*output ||
	    (!stat(output, &status) && !S_ISREG(status.st_mode)))
		return dms_error_new(DMS_ERROR_USAGE, "-o %s: expected the name of a regular file",
				     output);
	return NULL;
}

/* ---- what came of it ------------------------------------------------------------------------- */

struct side {
	const struct dms_recording *recording;
	enum dms_side_file file;
};

static struct dms_error *write_side(const void *context, FILE *out)
{
	const struct side *side = context;

	if (fputs(dms_recording_side(side->recording, side->file), out) < 0)
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "writing a file");
	return NULL;
}

/* One that lies there from an earlier recording would be taken for this one's. */
static struct dms_error *write_sides(const struct dms_recording *recording, const char *output)
{
	for (int file = 0; file < DMS_N_SIDE_FILES; file++) {
		const struct side side = {recording, (enum dms_side_file)file};
		_cleanup_(dms_freep) char *path = dms_asprintf("%s.%s", output, side_ends[file]);
		struct dms_error *err = NULL;

		if (!path)
			return &dms_error_nomem;
		if (!dms_recording_side(recording, side.file))
			unlink(path);
		else
			err = dms_file_write(path, write_side, &side);
		if (err)
			return err;
	}
	return NULL;
}

static struct dms_error *write_trace(const void *context, FILE *out)
{
	/* what is written is given back to the disk meanwhile */
	return dms_recording_write(*(struct dms_recording *const *)context, out);
}

/* ---- talk ------------------------------------------------------------------------------------ */

static void tell_notes(const struct dms_plan *plan, size_t first)
{
	const struct dms_list *notes = dms_plan_notes(plan);

	for (size_t i = first; i < notes->n_items; i++)
		dms_log(DMS_LOG_WARN, "%s", notes->items[i]);
}

static void tell_command(const char *command, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status))
		dms_log(DMS_LOG_WARN, "%s ended with exit code %d", command, WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		dms_log(DMS_LOG_WARN, "%s was ended by signal %d", command, WTERMSIG(status));
}

/* The inventory stands in the trace itself. */
static void tell_analysis(const struct dms_recording *recording, const char *output)
{
	static const enum dms_side_file files[] = {DMS_SIDE_IOMEM, DMS_SIDE_DUMP};

	fprintf(stderr, "To analyze it:\n  dmascope analyze '%s'", output);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(files); i++) {
		if (dms_recording_side(recording, files[i]))
			fprintf(stderr, " '%s.%s'", output, side_ends[files[i]]);
	}
	fprintf(stderr, " -o '%s.db'\n", output);
}

static void tell(const struct dms_call *call, const struct dms_recording *recording,
		 const char *output)
{
	const struct dms_recording_report *report = dms_recording_report(recording);

	if (call->n_operands)
		tell_command(call->operands[0], report->command_status);
	if (report->lost)
		dms_log(DMS_LOG_WARN,
			"%" PRIu64 " events were lost: a larger --buffer-size, --stacks none, "
			"--device or --driver will help",
			report->lost);
	if (!report->events)
		dms_log(DMS_LOG_WARN, "no event was recorded");
	if (call->common.quiet)
		return;
	fprintf(stderr, "%s: %" PRIu64 " events, %.1f MiB\n", output, report->events,
		(double)report->bytes / (1 << 20));
	tell_analysis(recording, output);
}

/* ---- the command ----------------------------------------------------------------------------- */

static struct dms_error *keep(const struct dms_call *call, struct dms_recording *recording,
			      const char *output)
{
	struct dms_error *err;

	if ((err = dms_file_write(output, write_trace, &recording)) ||
	    (err = write_sides(recording, output)))
		return err;
	tell(call, recording, output);
	if (dms_recording_report(recording)->is_full)
		return dms_error_new(DMS_ERROR_INTERNAL,
				     "the disk was full: %s ends before the recording was to end",
				     output);
	return NULL;
}

static struct dms_error *record(const struct dms_call *call, struct dms_kernel *kernel,
				struct dms_plan *plan, const struct dms_record_options *options)
{
	size_t n_notes = dms_plan_notes(plan)->n_items;
	struct dms_recording *recording;
	struct dms_error *err;

	tell_notes(plan, 0);
	if (!call->common.quiet && !options->n_command && !options->duration_s)
		fprintf(stderr, "Recording; Ctrl-C ends it.\n");
	err = dms_recording_run(kernel, plan, options, &recording);
	tell_notes(plan, n_notes);
	if (err)
		return err;
	err = keep(call, recording, options->output);
	dms_recording_destroy(recording);
	return err;
}

static struct dms_error *plan_and_record(const struct dms_call *call, struct dms_kernel *kernel,
					 const struct dms_record_options *options)
{
	const struct dms_record_args *args = call->args;
	struct dms_plan *plan;
	struct dms_error *err = dms_plan_create(kernel, options, &plan);

	if (err)
		return err;
	if (args->is_dry) {
		err = dms_plan_print(plan, stdout);
		tell_notes(plan, 0);
	} else {
		err = record(call, kernel, plan, options);
	}
	dms_plan_destroy(plan);
	return err;
}

struct dms_error *dms_cmd_record(const struct dms_call *call, enum dms_exit *ret)
{
	const struct dms_record_options options = options_of(call);
	const struct dms_record_args *args = call->args;
	const char *root = getenv("DMASCOPE_ROOT");
	struct dms_kernel *kernel;
	struct dms_error *err;

	(void)ret;
	if (root && *root && !args->is_dry)
		return dms_error_new(DMS_ERROR_USAGE,
				     "DMASCOPE_ROOT names a copy of a machine, which "
				     "records nothing: only --dry-run");
	if ((err = check_output(options.output)) ||
	    (err = dms_kernel_open(root, !args->is_dry, &kernel)))
		return err;
	err = plan_and_record(call, kernel, &options);
	dms_kernel_close(kernel);
	return err;
}

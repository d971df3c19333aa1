// SPDX-License-Identifier: LGPL-2.1-only
/* The steps of a plan: doing them, undoing them, telling them as lines for a shell. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "local.h"

/* A buffer that another process has just let go of is free a moment later. */
#define UNDO_TRIES    40
#define UNDO_PAUSE_NS 25000000l

/* ---- doing ----------------------------------------------------------------------------------- */

/* One write, as the kernel takes a command whole. Return: 0, or what went wrong. */
static int write_file(const char *tracefs, const char *path, const char *text, int flags)
{
	_cleanup_(dms_freep) char *whole = dms_asprintf("%s/%s", tracefs, path);
	_cleanup_(dms_freep) char *line = dms_asprintf("%s\n", text);
	int fd, failure = 0;

	if (!whole || !line)
		return ENOMEM;
	fd = open(whole, O_WRONLY | O_CLOEXEC | flags);
	if (fd < 0)
		return errno;
	if (write(fd, line, strlen(line)) < 0)
		failure = errno;
	close(fd);
	return failure;
}

static int make_folder(const char *tracefs, const char *path)
{
	_cleanup_(dms_freep) char *whole = dms_asprintf("%s/%s", tracefs, path);

	if (!whole)
		return ENOMEM;
	return mkdir(whole, 0750) ? errno : 0;
}

static bool is_there(const char *tracefs, const char *path)
{
	_cleanup_(dms_freep) char *whole = dms_asprintf("%s/%s", tracefs, path);

	return whole && !access(whole, F_OK);
}

/* Return: 0, or what went wrong. */
static int do_step(const struct dms_plan *plan, const struct step *step)
{
	int flags = step->kind == STEP_APPEND ? O_APPEND : O_TRUNC;
	int failure;

	if (step->kind == STEP_INSTANCE)
		return make_folder(plan->tracefs, step->path);
	failure = write_file(plan->tracefs, step->path, step->text, flags);
	if (failure && step->fallback)
		failure = write_file(plan->tracefs, step->path, step->fallback, flags);
	return failure;
}

static struct dms_error *step_error(const struct dms_plan *plan, const struct step *step,
				    int failure)
{
	bool is_denied = failure == EACCES || failure == EPERM;
	struct dms_error *err =
		dms_error_errno(failure == ENOMEM ? DMS_ERROR_INTERNAL : DMS_ERROR_INPUT, failure,
				step->text ? "%s/%s: writing \"%s\"" : "%s/%s", plan->tracefs,
				step->path, step->text);

	if (is_denied && geteuid())
		err = dms_error_wrap(err, "recording needs root");
	else if (failure == EEXIST)
		err = dms_error_wrap(err, "a recording of this name is there already");
	else if (failure == EINVAL && step->kind == STEP_APPEND)
		err = dms_error_wrap(err,
				     "no probe can stand in for the events of maps: it has to "
				     "see arguments on return, which Linux 6.9 was the first to "
				     "allow");
	return err;
}

struct dms_error *dms_plan_apply(struct dms_plan *plan)
{
	struct dms_error *err = NULL;

	plan->is_undone = false;
	for (size_t i = 0; !err && i < plan->n_steps; i++) {
		struct step *step = &plan->steps[i];
		int failure;

		if (step->depends && !is_there(plan->tracefs, step->depends))
			continue;
		failure = do_step(plan, step);
		step->is_done = !failure;
		if (failure && step->loss)
			err = plan_note(plan, "%s (%s: %s)", step->loss, step->path,
					strerror(failure));
		else if (failure)
			err = step_error(plan, step, failure);
	}
	if (err)
		dms_plan_undo(plan);
	return err;
}

/* ---- undoing --------------------------------------------------------------------------------- */

static int remove_folder(const char *tracefs, const char *path)
{
	_cleanup_(dms_freep) char *whole = dms_asprintf("%s/%s", tracefs, path);

	if (!whole)
		return ENOMEM;
	return rmdir(whole) ? errno : 0;
}

static int undo_step(const struct dms_plan *plan, const struct step *step)
{
	if (step->kind == STEP_INSTANCE)
		return remove_folder(plan->tracefs, step->path);
	if (step->kind == STEP_APPEND)
		return write_file(plan->tracefs, step->path, step->undo, O_APPEND);
	return 0;
}

void dms_plan_undo(struct dms_plan *plan)
{
	const struct timespec pause = {.tv_nsec = UNDO_PAUSE_NS};

	if (plan->is_undone)
		return;
	plan->is_undone = true;
	/* the instance first: it uses the probes */
	for (size_t i = 0; i < plan->n_steps; i++) {
		struct step *step = &plan->steps[i];
		int failure = EBUSY;

		if (!step->is_done)
			continue;
		for (int tries = 0; failure == EBUSY && tries < UNDO_TRIES; tries++) {
			failure = undo_step(plan, step);
			if (failure == EBUSY)
				nanosleep(&pause, NULL);
		}
		step->is_done = false;
		if (failure && failure != ENOENT && !plan->is_orphaned)
			dms_log(DMS_LOG_ERROR, "%s/%s: cannot be restored: %s", plan->tracefs,
				step->path, strerror(failure));
	}
}

/* ---- telling --------------------------------------------------------------------------------- */

/* Comments are for what is to come, in one line each. */
static void print_step(const struct step *step, FILE *out)
{
	_cleanup_(dms_freep) char *text = step->text ? shell_quote(step->text) : NULL;
	_cleanup_(dms_freep) char *fallback = step->fallback ? shell_quote(step->fallback) : NULL;
	const char *arrow = step->kind == STEP_APPEND ? ">>" : ">";

	if (step->kind == STEP_INSTANCE)
		fprintf(out, "mkdir $T/%s\n", step->path);
	else if (text && fallback)
		fprintf(out, "echo %s %s $T/%s || \\\n  echo %s %s $T/%s\n", text, arrow,
			step->path, fallback, arrow, step->path);
	else if (text)
		fprintf(out, "echo %s %s $T/%s\n", text, arrow, step->path);
}

static void print_end(const struct dms_plan *plan, const char *output, FILE *out)
{
	fprintf(out, "echo 0 > $T/%s/tracing_on\n", plan->folder);
	fprintf(out,
		"# what the buffers still hold; dmascope record moves it to the disk all the time\n"
		"trace-cmd extract -B %s -o %s\n",
		plan->instance, output);
	fprintf(out, "[ ! -d $T/%s ] || rmdir $T/%s\n", plan->folder, plan->folder);
	for (size_t i = 0; i < plan->n_steps; i++) {
		_cleanup_(dms_freep) char *undo =
			plan->steps[i].undo ? shell_quote(plan->steps[i].undo) : NULL;

		if (undo)
			fprintf(out, "echo %s >> $T/%s\n", undo, plan->steps[i].path);
	}
}

/* What is recorded, where that is a command; behind @before. trace-cmd alone ends by Ctrl-C, too. */
static void print_work(const struct dms_plan *plan, const char *before, FILE *out)
{
	if (plan->command)
		fprintf(out, "%s%s", before, plan->command);
	else if (plan->duration_s)
		fprintf(out, "%ssleep %llu", before, (unsigned long long)plan->duration_s);
}

struct dms_error *dms_plan_print(const struct dms_plan *plan, FILE *out)
{
	_cleanup_(dms_freep) char *tracefs = shell_quote(plan->tracefs);
	_cleanup_(dms_freep) char *output = shell_quote(plan->output);

	if (!tracefs || !output)
		return &dms_error_nomem;
	fprintf(out, "# What dmascope record would do; as root:\nT=%s\n", tracefs);
	for (size_t i = 0; i < plan->n_steps; i++)
		print_step(&plan->steps[i], out);
	fprintf(out, "echo 1 > $T/%s/tracing_on\n", plan->folder);
	if (plan->command || plan->duration_s)
		print_work(plan, "", out);
	else
		fputs("sleep infinity # until Ctrl-C", out);
	fputc('\n', out);
	print_end(plan, output, out);
	fprintf(out,
		"\n# The same by trace-cmd alone, the probes apart:\n# trace-cmd record -B %s "
		"-o %s %s",
		plan->instance, output, plan->trace_cmd);
	print_work(plan, " ", out);
	fputc('\n', out);
	/* a line that could not be quoted is missing above */
	return dms_memory_was_refused() ? &dms_error_nomem : NULL;
}

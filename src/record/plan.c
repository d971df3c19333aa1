// SPDX-License-Identifier: LGPL-2.1-only
/* What is to be done to tracefs for a recording: an instance of our own, its clock and its size. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "local.h"

/* KiB for each CPU: what is filled in 50 ms by a million events a second with their stacks. */
#define MOST_BUFFER_KB	32768
#define LEAST_BUFFER_KB 1024
/* All buffers together take at most this part of the memory that is free. */
#define MEMORY_PART 8

struct dms_error *plan_note(struct dms_plan *plan, const char *fmt, ...)
{
	_cleanup_(dms_freep) char *note = NULL;
	va_list args;

	va_start(args, fmt);
	note = dms_vasprintf(fmt, args);
	va_end(args);
	return note ? dms_list_add(&plan->notes, note) : &dms_error_nomem;
}

static void free_step(struct step *step)
{
	dms_free(step->path);
	dms_free(step->text);
	dms_free(step->fallback);
	dms_free(step->undo);
	dms_free(step->loss);
	dms_free(step->depends);
}

struct dms_error *plan_add(struct dms_plan *plan, struct step step)
{
	if (!step.path || (step.kind != STEP_INSTANCE && !step.text) ||
	    (step.kind == STEP_APPEND && !step.undo) ||
	    !dms_grow(&plan->steps, &plan->capacity, plan->n_steps + 1, sizeof(*plan->steps))) {
		free_step(&step);
		return &dms_error_nomem;
	}
	plan->steps[plan->n_steps++] = step;
	return NULL;
}

char *shell_quote(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_./:=@%+,-";
	struct text quoted = {0};

	if (*text && strspn(text, plain) == strlen(text))
		return dms_strdup(text);
	text_put(&quoted, "'", 1);
	for (; *text; text++) {
		if (*text == '\'')
			text_put(&quoted, "'\\''", 4);
		else
			text_put(&quoted, text, 1);
	}
	text_put(&quoted, "'", 1);
	if (!quoted.is_broken)
		return quoted.data;
	dms_free(quoted.data);
	return NULL;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static struct dms_error *set_names(struct dms_plan *plan, const struct dms_kernel *kernel,
				   const struct dms_record_options *options)
{
	_cleanup_(dms_freep) char *id =
		options->id ? dms_strdup(options->id) : dms_asprintf("%d", (int)getpid());
	bool has_id = id && *id;

	if (!id)
		return &dms_error_nomem;
	plan->tracefs = dms_strdup(dms_kernel_tracefs(kernel));
	plan->instance = dms_asprintf("dmascope%s%s", has_id ? "-" : "", id);
	plan->group = dms_asprintf("dmascope%s%s", has_id ? "_" : "", id);
	plan->folder = plan->instance ? dms_asprintf("instances/%s", plan->instance) : NULL;
	plan->output = dms_strdup(options->output);
	plan->duration_s = options->duration_s;
	return plan->tracefs && plan->group && plan->folder && plan->output ? NULL
									    : &dms_error_nomem;
}

static struct dms_error *set_command(struct dms_plan *plan,
				     const struct dms_record_options *options)
{
	struct text text = {0};

	for (size_t i = 0; i < options->n_command; i++) {
		_cleanup_(dms_freep) char *word = shell_quote(options->command[i]);

		text_printf(&text, "%s%s", i ? " " : "", word ? word : "");
		text.is_broken |= !word;
	}
	plan->command = text.data;
	return text.is_broken ? &dms_error_nomem : NULL;
}

/* Is @clock a word of @clocks, "local [global] counter"? */
static bool has_clock(const char *clocks, const char *clock)
{
	size_t size = strlen(clock);

	for (const char *at = clocks; (at = strstr(at, clock)); at += size) {
		if ((at == clocks || strchr(" [", at[-1])) && strchr(" ]\n", at[size]))
			return true;
	}
	return false;
}

static struct dms_error *set_clock(struct dms_plan *plan, const struct dms_kernel *kernel,
				   const char *wanted)
{
	static const char *const best[] = {"mono", "boot", "global", "perf", "local"};
	static const char *const no_ns[] = {"counter", "uptime", "x86-tsc", "ppc-tb"};
	_cleanup_(dms_freep) char *clocks = dms_kernel_read_tracefs(kernel, "trace_clock", NULL);
	size_t i = 0;

	if (wanted && clocks && !has_clock(clocks, wanted))
		return dms_error_new(DMS_ERROR_USAGE, "--clock %s: this kernel has %.*s", wanted,
				     (int)strcspn(clocks, "\n"), clocks);
	while (!wanted && clocks && i + 1 < DMS_ARRAY_SIZE(best) && !has_clock(clocks, best[i]))
		i++;
	plan->clock = dms_strdup(wanted ? wanted : best[i]);
	if (!plan->clock)
		return &dms_error_nomem;
	for (i = 0; i < DMS_ARRAY_SIZE(no_ns); i++) {
		if (!strcmp(plan->clock, no_ns[i]))
			return plan_note(plan,
					 "clock %s does not count nanoseconds: the recording "
					 "will tell no durations",
					 plan->clock);
	}
	return NULL;
}

static uint64_t free_memory_kb(const struct dms_kernel *kernel)
{
	_cleanup_(dms_freep) char *text = dms_kernel_read(kernel, "/proc/meminfo", NULL);
	const char *line = text ? strstr(text, "MemAvailable:") : NULL;

	return line ? strtoull(line + strlen("MemAvailable:"), NULL, 10) : 0;
}

static struct dms_error *set_buffer(struct dms_plan *plan, const struct dms_kernel *kernel,
				    uint64_t wanted_kb)
{
	uint64_t free_kb = free_memory_kb(kernel), size_kb = MOST_BUFFER_KB;
	struct dms_list cpus;
	struct dms_error *err = dms_kernel_list_tracefs(kernel, "per_cpu", &cpus);

	if (err)
		return err;
	if (free_kb && cpus.n_items && free_kb / MEMORY_PART / cpus.n_items < size_kb)
		size_kb = free_kb / MEMORY_PART / cpus.n_items;
	dms_list_free(&cpus);
	if (size_kb < LEAST_BUFFER_KB)
		size_kb = LEAST_BUFFER_KB;
	plan->cpu_buffer_kb = wanted_kb ? wanted_kb : size_kb;
	return NULL;
}

/* A setting of the instance. @loss: what is lost if it fails. */
static struct dms_error *add_setting(struct dms_plan *plan, const char *file, const char *value,
				     const char *loss)
{
	struct step step = {
		.kind = STEP_WRITE,
		.path = dms_asprintf("%s/%s", plan->folder, file),
		.text = dms_strdup(value),
	};

	if (loss && !(step.loss = dms_strdup(loss))) {
		free_step(&step);
		return &dms_error_nomem;
	}
	return plan_add(plan, step);
}

static struct dms_error *add_subbuf(struct dms_plan *plan, const struct dms_kernel *kernel,
				    uint64_t subbuf_kb)
{
	char number[24];

	if (!subbuf_kb)
		return NULL;
	if (!dms_kernel_has_tracefs(kernel, "buffer_subbuf_size_kb"))
		return dms_error_new(DMS_ERROR_USAGE,
				     "--subbuf-size: this kernel's sub-buffers are a page (Linux "
				     "6.8 was the first to have others)");
	snprintf(number, sizeof(number), "%" PRIu64, subbuf_kb);
	return add_setting(plan, "buffer_subbuf_size_kb", number, NULL);
}

static struct dms_error *add_instance(struct dms_plan *plan, const struct dms_kernel *kernel,
				      const struct dms_record_options *options)
{
	const struct step instance = {.kind = STEP_INSTANCE, .path = dms_strdup(plan->folder)};
	struct dms_error *err;
	char number[24];

	snprintf(number, sizeof(number), "%" PRIu64, plan->cpu_buffer_kb);
	if ((err = plan_add(plan, instance)) ||
	    (err = add_setting(plan, "tracing_on", "0", NULL)) ||
	    (err = add_setting(plan, "trace_clock", plan->clock, NULL)) ||
	    (err = add_subbuf(plan, kernel, options->subbuf_kb)) ||
	    (err = add_setting(plan, "buffer_size_kb", number, NULL)))
		return err;
	plan->trace_cmd = dms_asprintf("-C %s -b %s%s", plan->clock, number,
				       options->stacks == DMS_STACKS_ALL ? " -T" : "");
	return plan->trace_cmd ? NULL : &dms_error_nomem;
}

/* ---- the plan -------------------------------------------------------------------------------- */

static struct dms_error *check_kernel(const struct dms_kernel *kernel)
{
	if (!dms_kernel_tracefs(kernel))
		return dms_error_new(
			DMS_ERROR_INPUT,
			geteuid() ? "/sys/kernel/tracing cannot be read: recording "
				    "needs root"
				  : "there is no tracefs: this kernel has no tracepoints "
				    "(CONFIG_FTRACE), or they are locked down");
	if (!dms_kernel_has_tracefs(kernel, "instances"))
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s/instances is missing: this kernel has no trace instances, "
				     "and another's buffer is not touched",
				     dms_kernel_tracefs(kernel));
	return NULL;
}

/* What cannot be read for want of memory looks as if the kernel had none of it: that is no answer. */
static struct dms_error *short_of_memory(struct dms_error *err)
{
	if (!dms_memory_was_refused())
		return err;
	dms_error_free(err);
	return &dms_error_nomem;
}

struct dms_error *dms_plan_create(struct dms_kernel *kernel,
				  const struct dms_record_options *options, struct dms_plan **ret)
{
	struct dms_error *err = check_kernel(kernel);
	struct dms_plan *plan;
	bool has_stand_ins;

	if (err)
		return short_of_memory(err);
	plan = dms_zalloc(sizeof(*plan));
	if (!plan)
		return &dms_error_nomem;
	if (!(err = set_names(plan, kernel, options)) && !(err = set_command(plan, options)) &&
	    !(err = set_clock(plan, kernel, options->clock)) &&
	    !(err = set_buffer(plan, kernel, options->buffer_kb)) &&
	    !(err = add_instance(plan, kernel, options)) &&
	    !(err = plan_probes(plan, kernel, options, &has_stand_ins)) &&
	    !(err = plan_events(plan, kernel, options, has_stand_ins)) &&
	    !dms_memory_was_refused()) {
		*ret = plan;
		return NULL;
	}
	dms_plan_destroy(plan);
	return short_of_memory(err);
}

void dms_plan_destroy(struct dms_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->n_steps; i++)
		free_step(&plan->steps[i]);
	dms_free(plan->steps);
	dms_free(plan->tracefs);
	dms_free(plan->instance);
	dms_free(plan->folder);
	dms_free(plan->group);
	dms_free(plan->output);
	dms_free(plan->command);
	dms_free(plan->clock);
	dms_free(plan->trace_cmd);
	dms_list_free(&plan->systems);
	dms_list_free(&plan->notes);
	dms_free(plan);
}

const struct dms_list *dms_plan_notes(const struct dms_plan *plan)
{
	return &plan->notes;
}

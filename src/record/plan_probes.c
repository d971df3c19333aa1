// SPDX-License-Identifier: LGPL-2.1-only
/* The steps that make probes, and events out of probes where a kernel has no dma events. */
#include <stdio.h>
#include <string.h>

#include "local.h"

/* At a function's entry the return address is on top of the stack on x86 only. */
static bool is_x86(const struct dms_kernel *kernel)
{
	const char *arch = dms_kernel_arch(kernel);

	return !strcmp(arch, "x86_64") || (arch[0] == 'i' && strstr(arch, "86"));
}

/* That of the events they stand in for. */
#define STAND_IN_GROUP "dma"

/* NULL: memory is short; that probes are there was asked before all others, now it may not be known. */
static char *probe_file(enum dms_probing probing)
{
	static const char *const files[] = {NULL, "kprobe_events", "dynamic_events"};

	return files[probing] ? dms_strdup(files[probing]) : NULL;
}

/* Whatever the probe's group: it is known by its name, which is its function's. */
static struct dms_error *add_probe(struct dms_plan *plan, const struct dms_kernel *kernel,
				   const struct dms_probe *probe)
{
	enum dms_probing probing = dms_kernel_probing(kernel);
	bool is_second = strstr(probe->arguments, "$stack") && !is_x86(kernel);
	struct step step = {
		.kind = STEP_APPEND,
		.path = probe_file(probing),
		.text = dms_probe_line(probe, probing, plan->group, probe->function, is_second),
		.undo = dms_asprintf("-:%s/%s", plan->group, probe->function),
		.loss = dms_asprintf("no probe tells %s", probe->tells),
	};

	if (probe->fallback && !is_second)
		step.fallback =
			dms_probe_line(probe, probing, plan->group, probe->function, true);
	return plan_add(plan, step);
}

/*
 * Calls that may be under way at once, for what a return probe keeps of each: the kernel's own
 * choice is two a CPU, and allocations sleep.
 */
#define LEAST_CALLS 64
#define MOST_CALLS  4096

static struct dms_error *count_calls(const struct dms_kernel *kernel, size_t *ret)
{
	struct dms_list cpus;
	struct dms_error *err = dms_kernel_list_tracefs(kernel, "per_cpu", &cpus);

	if (err)
		return err;
	*ret = LEAST_CALLS + 4 * cpus.n_items;
	if (*ret > MOST_CALLS)
		*ret = MOST_CALLS;
	dms_list_free(&cpus);
	return NULL;
}

/* The line of a stand-in: "r72:dma/..." where it keeps something of each call. */
static char *stand_in_line(const struct dms_probe *probe, enum dms_probing probing, size_t n_calls)
{
	_cleanup_(dms_freep) char *line =
		dms_probe_line(probe, probing, STAND_IN_GROUP, probe->name, false);

	if (!line || !probe->is_return)
		return line ? dms_strdup(line) : NULL;
	return dms_asprintf("%c%zu%s", *line, n_calls, line + 1);
}

/* A kprobe misses calls while another runs on its CPU, an fprobe does not. */
static struct dms_error *add_stand_in(struct dms_plan *plan, const struct dms_kernel *kernel,
				      const struct dms_probe *probe, size_t n_calls)
{
	enum dms_probing probing = dms_kernel_probing(kernel);
	bool has_fprobes = kernel_has_fprobes(kernel);
	struct step step = {
		.kind = STEP_APPEND,
		.path = probe_file(has_fprobes ? DMS_PROBING_FPROBE : probing),
		.text = stand_in_line(probe, has_fprobes ? DMS_PROBING_FPROBE : probing, n_calls),
		.undo = dms_asprintf("-:%s/%s", STAND_IN_GROUP, probe->name),
	};

	if (has_fprobes && probing == DMS_PROBING_KPROBE)
		step.fallback = stand_in_line(probe, probing, n_calls);
	if (probe != &dms_stand_ins[0]) /* without maps a recording is of no use */
		step.loss = dms_asprintf("no probe tells %s", probe->tells);
	return plan_add(plan, step);
}

/* The arguments of @probe that are told at a function's entry, or only when it returns. */
static char *half_of(const struct dms_probe *probe, bool is_return)
{
	struct text text = {0};
	const char *at = probe->arguments;

	for (; *at; at += strspn(at, " ")) {
		size_t size = strcspn(at, " ");

		if (is_return == (memmem(at, size, "$retval", 7) != NULL))
			text_printf(&text, "%.*s ", (int)size, at);
		at += size;
	}
	text_put(&text, "sp=$stack:x64", 13);
	if (!text.is_broken)
		return text.data;
	dms_free(text.data);
	return NULL;
}

static struct dms_error *add_half(struct dms_plan *plan, const struct dms_kernel *kernel,
				  const struct dms_probe *probe, bool is_return, size_t n_calls)
{
	_cleanup_(dms_freep) char *arguments = half_of(probe, is_return);
	_cleanup_(dms_freep) char *name =
		dms_asprintf("%s%s", probe->name, is_return ? "" : "_entry");
	const struct dms_probe half = {
		.name = name,
		.function = probe->function,
		.arguments = arguments,
		.is_return = is_return,
	};
	enum dms_probing probing = dms_kernel_probing(kernel);
	struct step step = {.kind = STEP_APPEND};

	if (!arguments || !name)
		return &dms_error_nomem;
	step.path = probe_file(probing);
	step.text = stand_in_line(&half, probing, n_calls);
	step.undo = dms_asprintf("-:%s/%s", STAND_IN_GROUP, name);
	if (probe != &dms_stand_ins[0])
		step.loss = dms_asprintf("no probe tells %s", probe->tells);
	return plan_add(plan, step);
}

/* Before Linux 6.9 a return has no arguments: the entry tells them. */
static struct dms_error *add_pair(struct dms_plan *plan, const struct dms_kernel *kernel,
				  const struct dms_probe *probe, size_t n_calls)
{
	struct dms_error *err;

	/* its address is behind a pointer that only the entry knows, where only the return finds it */
	if (!strcmp(probe->name, "dma_alloc") || !strcmp(probe->name, "dma_free"))
		return NULL;
	if (!probe->is_return)
		return add_stand_in(plan, kernel, probe, n_calls);
	if ((err = add_half(plan, kernel, probe, false, n_calls)))
		return err;
	return add_half(plan, kernel, probe, true, n_calls);
}

static struct dms_error *add_ours(struct dms_plan *plan, struct dms_kernel *kernel)
{
	struct dms_error *err;

	for (size_t i = 0; i < dms_n_probes; i++) {
		const struct dms_probe *probe = &dms_probes[i];

		if (!dms_kernel_has_function(kernel, probe->function)) {
			if (probe->is_everywhere &&
			    (err = plan_note(plan, "no probe tells %s (no function %s)",
					     probe->tells, probe->function)))
				return err;
			continue;
		}
		if ((err = add_probe(plan, kernel, probe)))
			return err;
	}
	return NULL;
}

/* Maps are what all is about: without them probes are no use. */
static struct dms_error *check_stand_ins(struct dms_kernel *kernel)
{
	if (dms_kernel_probing(kernel) == DMS_PROBING_NONE)
		return dms_error_new(DMS_ERROR_INPUT,
				     "this kernel has no dma events (Linux 6.12 was the first to "
				     "have them), and no probes that could stand in for them "
				     "(CONFIG_KPROBE_EVENTS)");
	if (!dms_kernel_has_function(kernel, dms_stand_ins[0].function))
		return dms_error_new(DMS_ERROR_INPUT,
				     "this kernel has no dma events (Linux 6.12 was the first to "
				     "have them), and no function %s to be probed in their place",
				     dms_stand_ins[0].function);
	return NULL;
}

static struct dms_error *add_stand_ins(struct dms_plan *plan, struct dms_kernel *kernel)
{
	struct dms_error *err = check_stand_ins(kernel);
	bool is_pair = !dms_kernel_sees_arguments(kernel);
	size_t n_calls = 0;

	if (err || (err = count_calls(kernel, &n_calls)))
		return err;
	err = plan_note(plan,
			"this kernel has no dma events: probes stand in for them; scatter lists, "
			"physical addresses of pages%s and failures of lists are not recorded",
			is_pair ? ", coherent memory" : "");
	for (size_t i = 0; !err && i < dms_n_stand_ins; i++) {
		const struct dms_probe *probe = &dms_stand_ins[i];

		if (!dms_kernel_has_function(kernel, probe->function))
			continue;
		err = is_pair ? add_pair(plan, kernel, probe, n_calls)
			      : add_stand_in(plan, kernel, probe, n_calls);
	}
	return err;
}

struct dms_error *plan_probes(struct dms_plan *plan, struct dms_kernel *kernel,
			      const struct dms_record_options *options, bool *ret_stand_ins)
{
	struct dms_error *err;

	if (kernel_has_probed(kernel, STAND_IN_GROUP "/dma_map_page"))
		return dms_error_new(DMS_ERROR_INPUT,
				     "there are probes that stand in for the dma events already: "
				     "only one recording at a time can have them on this kernel. "
				     "If none is being made, `grep :dma/ %s/dynamic_events` shows "
				     "what was left over",
				     dms_kernel_tracefs(kernel));
	*ret_stand_ins = !dms_kernel_has_event(kernel, "dma", NULL);
	if (*ret_stand_ins && (err = add_stand_ins(plan, kernel)))
		return err;
	if (options->has_no_probes)
		return NULL;
	if (dms_kernel_probing(kernel) == DMS_PROBING_NONE)
		return plan_note(plan, "this kernel has no probes (CONFIG_KPROBE_EVENTS): unbinds, "
				       "masks and failed lists are not recorded");
	return add_ours(plan, kernel);
}

/* "  dma_map_page    17047    0": of an event's name, without its group, what hit and what missed */
static uint64_t missed_of(const char *profile, const char *name)
{
	const char *next;
	size_t size = strlen(name);

	for (const char *line = profile; line; line = next) {
		const char *word = line + strspn(line, " ");
		unsigned long long missed;

		text_line(line, &next);
		if (!strncmp(word, name, size) && word[size] == ' ' &&
		    sscanf(word + size, "%*u %llu", &missed) == 1)
			return missed;
	}
	return 0;
}

uint64_t plan_missed_calls(const struct dms_plan *plan, const struct dms_kernel *kernel)
{
	static const char prefix[] = "-:" STAND_IN_GROUP "/";
	_cleanup_(dms_freep) char *profile =
		dms_kernel_read_tracefs(kernel, "kprobe_profile", NULL);
	uint64_t missed = 0;

	for (size_t i = 0; i < plan->n_steps && profile; i++) {
		const char *undo = plan->steps[i].undo;

		if (undo && !strncmp(undo, prefix, strlen(prefix)))
			missed += missed_of(profile, undo + strlen(prefix));
	}
	return missed;
}

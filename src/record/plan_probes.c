// SPDX-License-Identifier: LGPL-2.1-only
/* The steps that make probes, and events out of probes where a kernel has no dma events. */
#include <string.h>

#include "local.h"

/* At a function's entry the return address is on top of the stack on x86 only. */
static bool is_x86(const struct dms_kernel *kernel)
{
	const char *arch = dms_kernel_arch(kernel);

	return !strcmp(arch, "x86_64") || (arch[0] == 'i' && strstr(arch, "86"));
}

static const char *const probe_files[] = {NULL, "kprobe_events", "dynamic_events"};

/* Whatever the probe's group: it is known by its name, which is its function's. */
static struct dms_error *add_probe(struct dms_plan *plan, const struct dms_kernel *kernel,
				   const struct dms_probe *probe, bool is_stand_in)
{
	const char *group = is_stand_in ? "dma" : plan->group;
	const char *name = is_stand_in ? probe->name : probe->function;
	enum dms_probing probing = dms_kernel_probing(kernel);
	bool is_second = strstr(probe->arguments, "$stack") && !is_x86(kernel);
	struct step step = {
		.kind = STEP_APPEND,
		.path = dms_strdup(probe_files[probing]),
		.text = dms_probe_line(probe, probing, group, name, is_second),
		.undo = dms_asprintf("-:%s/%s", group, name),
	};

	if (probe->fallback && !is_second)
		step.fallback = dms_probe_line(probe, probing, group, name, true);
	if (probe != &dms_stand_ins[0]) /* without maps a recording is of no use */
		step.loss = dms_asprintf("no probe tells %s", probe->tells);
	return plan_add(plan, step);
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
		if ((err = add_probe(plan, kernel, probe, false)))
			return err;
	}
	return NULL;
}

static struct dms_error *add_stand_ins(struct dms_plan *plan, struct dms_kernel *kernel)
{
	struct dms_error *err;

	if (dms_kernel_probing(kernel) == DMS_PROBING_NONE)
		return dms_error_new(DMS_ERROR_INPUT,
				     "this kernel has no dma events (Linux 6.12 was the first to "
				     "have them), and no probes that could stand in for them "
				     "(CONFIG_KPROBE_EVENTS)");
	err = plan_note(plan, "this kernel has no dma events: probes stand in for them; scatter "
			      "lists, physical addresses of pages and failures of lists are not "
			      "recorded");
	for (size_t i = 0; !err && i < dms_n_stand_ins; i++) {
		const struct dms_probe *probe = &dms_stand_ins[i];

		if (dms_kernel_has_function(kernel, probe->function))
			err = add_probe(plan, kernel, probe, true);
	}
	return err;
}

struct dms_error *plan_probes(struct dms_plan *plan, struct dms_kernel *kernel,
			      const struct dms_record_options *options, bool *ret_stand_ins)
{
	struct dms_error *err;

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

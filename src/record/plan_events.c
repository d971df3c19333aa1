// SPDX-License-Identifier: LGPL-2.1-only
/* The events of a recording as rows, and the steps that switch them on, with filters and stacks. */
#include <string.h>

#include "local.h"

enum stack_choice { STACK_NEVER, STACK_OF_MAPS, STACK_ALWAYS };

/** Events to be recorded if the kernel has them. */
static const struct event_choice {
	const char *system, *event; /* event NULL: all of the system */
	const char *field;	    /* that names the device; NULL: none does */
	enum stack_choice stacks;
	bool is_general;  /* recorded whatever devices are asked for */
	const char *only; /* filter for all devices, or NULL */
} choices[] = {
	/* clang-format off */
	{"dma",	    NULL,		    "device",	STACK_OF_MAPS,	false, NULL},
	{"swiotlb", NULL,		    "dev_name",	STACK_NEVER,	false, NULL},
	{"iommu",   "map",		    NULL,	STACK_NEVER,	false, NULL},
	{"iommu",   "unmap",		    NULL,	STACK_NEVER,	false, NULL},
	{"iommu",   "io_page_fault",	    "device",	STACK_NEVER,	false, NULL},
	{"iommu",   "add_device_to_group",  "device",	STACK_NEVER,	false, NULL},
	{"iommu",   "remove_device_from_group", "device", STACK_NEVER,	false, NULL},
	{"iommu",   "attach_device_to_domain", "device", STACK_NEVER,	false, NULL},
	{"printk",  "console",		    NULL,	STACK_NEVER,	true, NULL},
	{"module",  "module_load",	    NULL,	STACK_NEVER,	true, NULL},
	{"module",  "module_free",	    NULL,	STACK_NEVER,	true, NULL},
	/* who calls it tells what it means */
	{"dev",	    "devres_log",	    "devname",	STACK_ALWAYS,	false, NULL},
	/* clang-format on */
};

/** What is the same for all of them. */
struct choosing {
	struct dms_plan *plan;
	struct dms_kernel *kernel;
	struct dms_list devices; /* none: all */
	int stacks;		 /* enum dms_record_stacks */
};

static bool begins_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool is_map(const char *event)
{
	return begins_with(event, "dma_map") || begins_with(event, "dma_unmap") ||
	       begins_with(event, "dma_alloc") || begins_with(event, "dma_free");
}

static bool wants_stack(const struct choosing *choosing, const struct event_choice *choice,
			const char *event)
{
	if (choosing->stacks != DMS_STACKS_MAPS)
		return false;
	return choice->stacks == STACK_ALWAYS || (choice->stacks == STACK_OF_MAPS && is_map(event));
}

/* One file of one event in the instance. */
static struct dms_error *add_file(struct choosing *choosing, const char *event, const char *file,
				  const char *text)
{
	struct dms_plan *plan = choosing->plan;
	struct step step = {
		.kind = STEP_WRITE,
		.path = dms_asprintf("%s/events/%s/%s", plan->folder, event, file),
		.text = dms_strdup(text),
		.loss = dms_asprintf("%s of %s was refused", file, event),
		.depends = dms_asprintf("events/%s", event),
	};

	if (!step.loss || !step.depends)
		dms_freep(&step.text); /* plan_add() frees the rest */
	return plan_add(plan, step);
}

static struct dms_error *tell_trace_cmd(struct dms_plan *plan, const char *event,
					const char *filter, const char *trigger)
{
	_cleanup_(dms_freep) char *quoted = filter ? shell_quote(filter) : NULL;
	_cleanup_(dms_freep) char *shot = trigger ? shell_quote(trigger) : NULL;
	char *longer =
		dms_asprintf("%s -e %s%s%s%s%s", plan->trace_cmd, event, quoted ? " -f " : "",
			     quoted ? quoted : "", shot ? " -R " : "", shot ? shot : "");

	if (!longer || (filter && !quoted) || (trigger && !shot)) {
		dms_free(longer);
		return &dms_error_nomem;
	}
	dms_free(plan->trace_cmd);
	plan->trace_cmd = longer;
	return NULL;
}

static struct dms_error *add_system(struct dms_plan *plan, const char *system)
{
	for (size_t i = 0; i < plan->systems.n_items; i++) {
		if (!strcmp(plan->systems.items[i], system))
			return NULL;
	}
	return dms_list_add(&plan->systems, system);
}

/* *@ret NULL: none is needed. */
static struct dms_error *make_filter(const struct choosing *choosing,
				     const struct event_choice *choice, char **ret)
{
	bool is_of_device = choosing->devices.n_items && choice->field;
	_cleanup_(dms_freep) char *device = NULL;

	if (!is_of_device && !choice->only)
		return NULL;
	if (is_of_device && !(device = filter_of(&choosing->devices, choice->field)))
		return &dms_error_nomem;
	if (device && choice->only)
		*ret = dms_asprintf("(%s) && %s", device, choice->only);
	else
		*ret = dms_strdup(device ? device : choice->only);
	return *ret ? NULL : &dms_error_nomem;
}

static struct dms_error *add_event(struct choosing *choosing, const struct event_choice *choice,
				   const char *system, const char *name)
{
	_cleanup_(dms_freep) char *event = dms_asprintf("%s/%s", system, name);
	_cleanup_(dms_freep) char *with_colon = dms_asprintf("%s:%s", system, name);
	_cleanup_(dms_freep) char *filter = NULL, *trigger = NULL;
	struct dms_error *err;

	if (!event || !with_colon)
		return &dms_error_nomem;
	if (choosing->devices.n_items && !choice->is_general && !choice->field)
		return NULL; /* of all devices: more than was asked for */
	if ((err = make_filter(choosing, choice, &filter)))
		return err;
	/* what the filter drops would leave its stack behind */
	if (wants_stack(choosing, choice, name) &&
	    !(trigger = dms_asprintf("stacktrace%s%s", filter ? " if " : "", filter ? filter : "")))
		return &dms_error_nomem;
	if ((filter && (err = add_file(choosing, event, "filter", filter))) ||
	    (err = add_file(choosing, event, "enable", "1")) ||
	    (trigger && (err = add_file(choosing, event, "trigger", trigger))) ||
	    (err = add_system(choosing->plan, system)))
		return err;
	/* ours are not there when trace-cmd looks for them */
	return choice->system ? tell_trace_cmd(choosing->plan, with_colon, filter, trigger) : NULL;
}

static struct dms_error *add_choice(struct choosing *choosing, const struct event_choice *choice)
{
	_cleanup_(dms_freep) char *path = dms_asprintf("events/%s", choice->system);
	struct dms_list events;
	struct dms_error *err;

	if (!path)
		return &dms_error_nomem;
	if (choice->event)
		return dms_kernel_has_event(choosing->kernel, choice->system, choice->event)
			       ? add_event(choosing, choice, choice->system, choice->event)
			       : NULL;
	if ((err = dms_kernel_list_tracefs(choosing->kernel, path, &events)))
		return err;
	for (size_t i = 0; !err && i < events.n_items; i++) {
		_cleanup_(dms_freep) char *format =
			dms_asprintf("events/%s/%s/format", choice->system, events.items[i]);

		if (!format)
			err = &dms_error_nomem;
		else if (dms_kernel_has_tracefs(choosing->kernel, format))
			err = add_event(choosing, choice, choice->system, events.items[i]);
	}
	dms_list_free(&events);
	return err;
}

/* The filter of the probe that sits on @function and is called after it. */
static const char *filter_of_probe(const char *function)
{
	for (size_t i = 0; i < dms_n_probes; i++) {
		if (!strcmp(dms_probes[i].function, function))
			return dms_probes[i].filter;
	}
	return NULL;
}

/* How the probe that @step makes is recorded. */
static struct event_choice choice_of_probe(const struct step *step, const char *group,
					   const char *name, bool has_stand_ins)
{
	/* a return probe of old kernels has no device to filter by: it is refused then */
	struct event_choice choice = {NULL, NULL, "device", STACK_NEVER, false, NULL};
	bool is_half = strstr(step->text, "sp=$stack");

	choice.only = filter_of_probe(name);
	if (!has_stand_ins || strcmp(group, "dma") != 0)
		return choice;
	choice = (struct event_choice){"dma", NULL, "device", STACK_OF_MAPS, false, NULL};
	/* of the two halves of a call one knows the device, the other takes the stack */
	if (is_half && strstr(step->text, "device="))
		choice.stacks = STACK_NEVER;
	else if (is_half) {
		choice.field = NULL;
		choice.is_general = true;
	}
	return choice;
}

/* Events that are probes: they are not there yet. */
static struct dms_error *add_probed(struct choosing *choosing, bool has_stand_ins)
{
	for (size_t i = 0; i < choosing->plan->n_steps; i++) {
		const struct step *step = &choosing->plan->steps[i];
		_cleanup_(dms_freep) char *group = NULL;
		struct event_choice choice;
		const char *name;
		struct dms_error *err;

		if (step->kind != STEP_APPEND) /* "-:GROUP/NAME" */
			continue;
		name = strchr(step->undo, '/') + 1;
		group = dms_strndup(step->undo + 2, (size_t)(name - step->undo) - 3);
		if (!group)
			return &dms_error_nomem;
		choice = choice_of_probe(step, group, name, has_stand_ins);
		if ((err = add_event(choosing, &choice, group, name)))
			return err;
	}
	return NULL;
}

/* Error: the kernel's event, or its system if it is that, whose name is nearest to @wanted's. */
static struct dms_error *unknown_event(const struct dms_kernel *kernel, const char *wanted,
				       const struct event_choice *choice)
{
	bool has_system = choice->event && *choice->system &&
			  dms_kernel_has_event(kernel, choice->system, NULL);
	const char *name = has_system ? choice->event : choice->system;
	struct dms_nearest nearest = dms_nearest_to(name, strlen(name));
	_cleanup_(dms_freep) char *folder =
		dms_asprintf("events%s%s", has_system ? "/" : "", has_system ? choice->system : "");
	struct dms_list names = {0};
	struct dms_error *err =
		folder ? dms_kernel_list_tracefs(kernel, folder, &names) : &dms_error_nomem;

	if (err)
		return err;
	for (size_t i = 0; i < names.n_items; i++)
		dms_nearest_try(&nearest, names.items[i]);
	err = nearest.word ? dms_error_new(DMS_ERROR_USAGE,
					   "--event %s: this kernel has no such event; did you mean "
					   "'%s%s%s'?",
					   wanted, has_system ? choice->system : "",
					   has_system ? ":" : "", nearest.word) :
			     dms_error_new(DMS_ERROR_USAGE,
					   "--event %s: this kernel has no such event", wanted);
	dms_list_free(&names);
	return err;
}

/* What the user asks for besides: "SYSTEM" or "SYSTEM:EVENT". */
static struct dms_error *add_wanted(struct choosing *choosing, const char *wanted)
{
	const char *colon = strpbrk(wanted, ":/");
	_cleanup_(dms_freep) char *system =
		dms_strndup(wanted, colon ? (size_t)(colon - wanted) : strlen(wanted));
	struct event_choice choice = {system, colon ? colon + 1 : NULL, NULL, STACK_NEVER, true,
				      NULL};

	if (!system)
		return &dms_error_nomem;
	if (!*system || strchr(system, '.') || (colon && strpbrk(colon + 1, "/.")) ||
	    (colon && !colon[1]) ||
	    !dms_kernel_has_event(choosing->kernel, choice.system, choice.event))
		return unknown_event(choosing->kernel, wanted, &choice);
	return add_choice(choosing, &choice);
}

static struct dms_error *add_all(struct choosing *choosing,
				 const struct dms_record_options *options, bool has_stand_ins)
{
	struct dms_error *err = NULL;

	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(choices); i++)
		err = add_choice(choosing, &choices[i]);
	if (!err)
		err = add_probed(choosing, has_stand_ins);
	for (size_t i = 0; !err && i < options->n_events; i++)
		err = add_wanted(choosing, options->events[i]);
	if (err || options->stacks != DMS_STACKS_ALL)
		return err;
	return plan_add(choosing->plan, (struct step){
						.kind = STEP_WRITE,
						.path = dms_asprintf("%s/options/stacktrace",
								     choosing->plan->folder),
						.text = dms_strdup("1"),
						.loss = dms_strdup("call stacks are refused"),
					});
}

struct dms_error *plan_events(struct dms_plan *plan, struct dms_kernel *kernel,
			      const struct dms_record_options *options, bool has_stand_ins)
{
	struct choosing choosing = {.plan = plan, .kernel = kernel, .stacks = options->stacks};
	struct dms_error *err = filter_devices(kernel, options, &choosing.devices);

	if (!err)
		err = add_all(&choosing, options, has_stand_ins);
	if (!err && choosing.devices.n_items && dms_kernel_has_event(kernel, "iommu", "map"))
		err = plan_note(plan, "iommu:map and iommu:unmap name no device: they are not "
				      "recorded with --device or --driver");
	if (!err)
		err = filter_note_absent(plan, kernel, options);
	dms_list_free(&choosing.devices);
	return err;
}

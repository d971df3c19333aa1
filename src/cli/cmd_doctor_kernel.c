// SPDX-License-Identifier: GPL-2.0-only
/* dmascope doctor, without a file: what the running kernel can and cannot record of DMA. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dmascope/record.h>

#include "doctor.h"

#define NEEDS_ROOT "look again as root"

/* ---- looking --------------------------------------------------------------------------------- */

/* The first line of @path; NULL: it cannot be read. */
char *doctor_line(const struct dms_kernel *kernel, const char *path)
{
	_cleanup_(dms_freep) char *text = dms_kernel_read(kernel, path, NULL);

	return text ? dms_strndup(text, strcspn(text, "\n")) : NULL;
}

static bool begins_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* What cannot be told because tracefs cannot be read. */
bool doctor_is_blind(const struct dms_kernel *kernel, struct advice *ret)
{
	if (dms_kernel_tracefs(kernel))
		return false;
	ret->verdict = VERDICT_UNKNOWN;
	ret->finding = dms_asprintf("not told: tracefs cannot be read");
	return true;
}

void doctor_say(struct advice *ret, enum verdict verdict, const char *finding, const char *remedy)
{
	ret->verdict = verdict;
	ret->finding = dms_asprintf("%s", finding);
	ret->remedy = remedy ? dms_asprintf("%s", remedy) : NULL;
}

/* ---- checks of tracing: one function a row --------------------------------------------------- */

static void check_tracefs(struct dms_kernel *kernel, struct advice *ret)
{
	const char *tracefs = dms_kernel_tracefs(kernel);

	if (tracefs && !access(tracefs, W_OK))
		ret->finding = dms_asprintf("tracefs is at %s", tracefs);
	else if (tracefs)
		doctor_say(ret, VERDICT_PARTLY, "tracefs can be read, but not written",
			   "record as root");
	else if (geteuid())
		doctor_say(ret, VERDICT_UNKNOWN, "tracefs cannot be read without root", NEEDS_ROOT);
	else
		doctor_say(ret, VERDICT_MISSING, "there is no tracefs",
			   "mount -t tracefs tracefs /sys/kernel/tracing; a kernel with "
			   "CONFIG_FTRACE");
}

static void check_lockdown(struct dms_kernel *kernel, struct advice *ret)
{
	_cleanup_(dms_freep) char *line = doctor_line(kernel, "/sys/kernel/security/lockdown");

	if (line && strstr(line, "[confidentiality]"))
		doctor_say(ret, VERDICT_MISSING,
			   "the kernel is locked down (confidentiality): no tracing",
			   "boot without lockdown=confidentiality");
	else if (line && strstr(line, "[integrity]"))
		doctor_say(ret, VERDICT_GOOD,
			   "the kernel is locked down (integrity), which leaves tracing", NULL);
	else
		doctor_say(ret, VERDICT_GOOD, "the kernel is not locked down", NULL);
}

static uint64_t count_events(const struct dms_kernel *kernel, const char *system)
{
	_cleanup_(dms_freep) char *folder = dms_asprintf("events/%s", system);
	struct dms_list names;
	uint64_t n_events = 0;
	struct dms_error *err =
		folder ? dms_kernel_list_tracefs(kernel, folder, &names) : &dms_error_nomem;

	if (err) {
		dms_error_free(err);
		return 0;
	}
	for (size_t i = 0; i < names.n_items; i++) {
		_cleanup_(dms_freep) char *format =
			dms_asprintf("%s/%s/format", folder, names.items[i]);

		n_events += format && dms_kernel_has_tracefs(kernel, format);
	}
	dms_list_free(&names);
	return n_events;
}

/* What stands in while a recording is made is a probe all the same. */
static bool has_dma_events(const struct dms_kernel *kernel)
{
	_cleanup_(dms_freep) char *probes = dms_kernel_read_tracefs(kernel, "dynamic_events", NULL);

	return count_events(kernel, "dma") && !(probes && strstr(probes, ":dma/dma_map_page "));
}

static bool can_stand_in(struct dms_kernel *kernel)
{
	return dms_kernel_probing(kernel) != DMS_PROBING_NONE &&
	       dms_kernel_has_function(kernel, dms_stand_ins[0].function);
}

static void check_dma(struct dms_kernel *kernel, struct advice *ret)
{
	if (doctor_is_blind(kernel, ret))
		return;
	if (has_dma_events(kernel)) {
		ret->finding = dms_asprintf("%" PRIu64 " dma events", count_events(kernel, "dma"));
	} else if (can_stand_in(kernel)) {
		ret->verdict = VERDICT_PARTLY;
		ret->finding = dms_asprintf(
			"no dma events (Linux 6.12 was the first to have them): record sets "
			"probes on the functions instead. Lost are scatter lists, physical "
			"addresses of pages%s and pages of pools",
			dms_kernel_sees_arguments(kernel)
				? ""
				: ", coherent memory (its address is known on return only, when "
				  "probes before Linux 6.9 see no arguments)");
		ret->remedy = dms_asprintf("Linux 6.12 or later");
	} else if (dms_kernel_probing(kernel) != DMS_PROBING_NONE) {
		ret->verdict = VERDICT_MISSING;
		ret->finding = dms_asprintf("no dma events (Linux 6.12 was the first to have "
					    "them), and no function %s to be probed in their place "
					    "(Linux 5.10 was the first to have it)",
					    dms_stand_ins[0].function);
		ret->remedy = dms_asprintf("Linux 6.12 or later");
	} else {
		doctor_say(ret, VERDICT_MISSING,
			   "neither dma events nor probes to stand in for them",
			   "Linux 6.12 or later, with CONFIG_FTRACE");
	}
}

/* Is a field of dma_map_sg that came with Linux 6.12.74, 6.18.12 and 7.0 there? */
static void check_lists(struct dms_kernel *kernel, struct advice *ret)
{
	_cleanup_(dms_freep) char *format =
		dms_kernel_read_tracefs(kernel, "events/dma/dma_map_sg/format", NULL);

	if (doctor_is_blind(kernel, ret))
		return;
	if (!format)
		doctor_say(ret, VERDICT_MISSING,
			   "no dma_map_sg event: scatter lists are not recorded", NULL);
	else if (strstr(format, "full_nents"))
		doctor_say(ret, VERDICT_PARTLY,
			   "of a scatter list the first 128 segments are recorded; unmaps of more "
			   "than "
			   "about 500 and syncs of more than about 330 vanish without a mark",
			   NULL);
	else
		doctor_say(ret, VERDICT_PARTLY,
			   "maps of scatter lists of more than about 200 segments vanish without a "
			   "mark",
			   "Linux 6.12.74, 6.18.12, 7.0 or later");
}

static void check_event(struct dms_kernel *kernel, const char *event, const char *lost,
			struct advice *ret)
{
	_cleanup_(dms_freep) char *path = dms_asprintf("events/%s", event);

	if (doctor_is_blind(kernel, ret))
		return;
	if (path && dms_kernel_has_tracefs(kernel, path)) {
		ret->finding = dms_asprintf("the event %s is there", event);
		return;
	}
	ret->verdict = VERDICT_MISSING;
	ret->finding = dms_asprintf("no event %s: %s", event, lost);
}

static void check_messages(struct dms_kernel *kernel, struct advice *ret)
{
	check_event(kernel, "printk/console",
		    "faults of Intel and SMMUv3 IOMMUs are told by the kernel's log only", ret);
	if (ret->verdict == VERDICT_MISSING)
		ret->remedy = dms_asprintf("give the log to analyze --kernel-log");
}

static void check_bounces(struct dms_kernel *kernel, struct advice *ret)
{
	check_event(kernel, "swiotlb/swiotlb_bounced", "bounces are not recorded", ret);
}

static void check_iommu_events(struct dms_kernel *kernel, struct advice *ret)
{
	check_event(kernel, "iommu/map", "traffic through the IOVA API is not visible", ret);
}

/* The first may be at 0 in truth: x86 has its variables of a CPU there. */
static bool are_hidden(const char *symbols)
{
	const char *line = symbols;

	while (line && begins_with(line, "0000000000000000 ")) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return !line || !*line;
}

static void check_stacks(struct dms_kernel *kernel, struct advice *ret)
{
	_cleanup_(dms_freep) char *symbols = dms_kernel_read(kernel, "/proc/kallsyms", NULL);

	if (doctor_is_blind(kernel, ret))
		return;
	if (!dms_kernel_has_tracefs(kernel, "options/stacktrace") &&
	    dms_kernel_config(kernel, "STACKTRACE") != 'y')
		doctor_say(ret, VERDICT_MISSING,
			   "no call stacks: call sites and drivers cannot be named",
			   "a kernel with CONFIG_STACKTRACE");
	else if (!symbols)
		doctor_say(
			ret, VERDICT_PARTLY,
			"call stacks, but no names for them: no /proc/kallsyms",
			"a kernel with CONFIG_KALLSYMS, or give analyze --kallsyms a System.map");
	else if (are_hidden(symbols))
		doctor_say(ret, VERDICT_PARTLY,
			   "call stacks, but the addresses in /proc/kallsyms are hidden",
			   "as root; sysctl kernel.kptr_restrict=1 if root is refused them");
	else
		doctor_say(ret, VERDICT_GOOD, "call stacks, and names for them", NULL);
}

static void check_clock(struct dms_kernel *kernel, struct advice *ret)
{
	_cleanup_(dms_freep) char *clocks = dms_kernel_read_tracefs(kernel, "trace_clock", NULL);

	if (doctor_is_blind(kernel, ret))
		return;
	if (clocks && strstr(clocks, "mono"))
		doctor_say(ret, VERDICT_GOOD, "the clock mono is there", NULL);
	else
		doctor_say(ret, VERDICT_PARTLY, "no clock mono: times of CPUs may be out of order",
			   NULL);
}

static void check_instances(struct dms_kernel *kernel, struct advice *ret)
{
	if (doctor_is_blind(kernel, ret))
		return;
	if (dms_kernel_has_tracefs(kernel, "instances"))
		doctor_say(ret, VERDICT_GOOD, "recordings have buffers of their own", NULL);
	else
		doctor_say(ret, VERDICT_MISSING, "no trace instances: record cannot be used",
			   "trace-cmd record, see dmascope-inputs(7)");
}

static uint64_t free_memory_kb(const struct dms_kernel *kernel)
{
	_cleanup_(dms_freep) char *text = dms_kernel_read(kernel, "/proc/meminfo", NULL);
	const char *at = text ? strstr(text, "MemAvailable:") : NULL;

	return at ? strtoull(at + strlen("MemAvailable:"), NULL, 10) : 0;
}

static void check_buffers(struct dms_kernel *kernel, struct advice *ret)
{
	uint64_t free_kb = free_memory_kb(kernel);
	struct dms_list cpus = {0};
	uint64_t need_kb;

	if (doctor_is_blind(kernel, ret))
		return;
	dms_error_free(dms_kernel_list_tracefs(kernel, "per_cpu", &cpus));
	need_kb = cpus.n_items * 32768;
	ret->finding = dms_asprintf("%zu CPUs with 32 MiB of buffer each are %" PRIu64
				    " MiB, of %" PRIu64 " MiB that are free",
				    cpus.n_items, need_kb / 1024, free_kb / 1024);
	if (free_kb && need_kb > free_kb / 8) {
		ret->verdict = VERDICT_PARTLY;
		ret->remedy = dms_asprintf("record takes smaller ones; --device, --driver or "
					   "--stacks none make them last");
	}
	dms_list_free(&cpus);
}

/* ---- checks of probes ------------------------------------------------------------------------ */

static void check_probes(struct dms_kernel *kernel, struct advice *ret)
{
	static const char *const kinds[] = {NULL, "kprobes", "fprobes"};
	enum dms_probing probing = dms_kernel_probing(kernel);
	size_t n_there = 0;
	char *missing = dms_strdup("");

	if (doctor_is_blind(kernel, ret)) {
		dms_free(missing);
		return;
	}
	for (size_t i = 0; i < dms_n_probes && missing; i++) {
		const struct dms_probe *probe = &dms_probes[i];
		bool is_there = probing != DMS_PROBING_NONE &&
				dms_kernel_has_function(kernel, probe->function);
		char *longer = is_there ? NULL
					: dms_asprintf("%s%s%s", missing, *missing ? "; " : "",
						       probe->tells);

		n_there += is_there;
		if (is_there)
			continue;
		dms_free(missing);
		missing = longer;
	}
	if (missing && probing == DMS_PROBING_NONE)
		ret->finding = dms_asprintf("no probes. Not told: %s", missing);
	else if (missing)
		ret->finding = dms_asprintf("%s can be set on %zu of %zu functions%s%s",
					    kinds[probing], n_there, dms_n_probes,
					    *missing ? ". Not told: " : "", missing);
	dms_free(missing);
	ret->verdict = n_there == dms_n_probes ? VERDICT_GOOD
		       : n_there	       ? VERDICT_PARTLY
					       : VERDICT_MISSING;
	if (probing == DMS_PROBING_NONE)
		ret->remedy = dms_asprintf("a kernel with CONFIG_KPROBE_EVENTS; without, give "
					   "analyze --inventory for masks");
}

static const struct kernel_check {
	const char *topic;
	void (*look)(struct dms_kernel *kernel, struct advice *ret);
} checks[] = {
	{"tracefs", check_tracefs},	 {"lockdown", check_lockdown},
	{"dma events", check_dma},	 {"lists", check_lists},
	{"instances", check_instances},	 {"call stacks", check_stacks},
	{"clock", check_clock},		 {"buffers", check_buffers},
	{"probes", check_probes},	 {"iommu events", check_iommu_events},
	{"bounces", check_bounces},	 {"messages", check_messages},
	{"syncs", doctor_syncs},	 {"iommu", doctor_iommu},
	{"swiotlb", doctor_swiotlb},	 {"dma-debug", doctor_debug},
	{"config", doctor_config},	 {"tools", doctor_tools},
	{"leftovers", doctor_leftovers},
};

/* ---- telling --------------------------------------------------------------------------------- */

static struct dms_error *tell_all(struct dms_kernel *kernel, json_t *list)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(checks); i++) {
		struct advice advice = {0};

		checks[i].look(kernel, &advice);
		if (!doctor_tell(list, checks[i].topic, &advice))
			return &dms_error_nomem;
	}
	return NULL;
}

static struct dms_error *tell_json(struct dms_kernel *kernel)
{
	json_t *list = json_array();
	struct dms_error *err = list ? tell_all(kernel, list) : &dms_error_nomem;
	json_t *root = err ? NULL
			   : json_pack("{s:s, s:s, s:O}", "kernel", dms_kernel_release(kernel),
				       "architecture", dms_kernel_arch(kernel), "checks", list);

	if (!err && (!root || json_dumpf(root, stdout, JSON_INDENT(2))))
		err = doctor_dump_error();
	if (!err)
		puts("");
	json_decref(root);
	json_decref(list);
	return err;
}

/* Where there is no tracefs to be seen nothing is known. */
static bool can_record(struct dms_kernel *kernel)
{
	return !dms_kernel_tracefs(kernel) || has_dma_events(kernel) || can_stand_in(kernel);
}

static struct dms_error *tell_text(struct dms_kernel *kernel)
{
	struct dms_error *err;

	printf("This kernel: %s, %s\n\n", dms_kernel_release(kernel), dms_kernel_arch(kernel));
	if ((err = tell_all(kernel, NULL)))
		return err;
	if (can_record(kernel))
		printf("\nTo record what it can show, as root:\n  dmascope record -o trace.dat -- "
		       "COMMAND\n");
	else
		printf("\nNothing can be recorded on this kernel.\n");
	return NULL;
}

struct dms_error *doctor_kernel(bool is_json, enum dms_exit *ret)
{
	struct dms_kernel *kernel;
	struct dms_error *err = dms_kernel_open(getenv("DMASCOPE_ROOT"), false, &kernel);

	if (err)
		return err;
	err = is_json ? tell_json(kernel) : tell_text(kernel);
	if (!can_record(kernel))
		*ret = DMS_EXIT_INPUT;
	dms_kernel_close(kernel);
	return err;
}

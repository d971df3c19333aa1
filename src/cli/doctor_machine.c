// SPDX-License-Identifier: GPL-2.0-only
/* dmascope doctor, without a file: how the machine does DMA, what tools it has, what was left over.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/record.h>

#include "doctor.h"

static bool begins_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* The words of the kernel's command line that begin with one of @keys; NULL: memory is short. */
static char *boot_words(const struct dms_kernel *kernel, const char *const *keys)
{
	_cleanup_(dms_freep) char *line = doctor_line(kernel, "/proc/cmdline");
	char *words = dms_zalloc(line ? strlen(line) + 1 : 1); /* they are some of its words */
	char *rest = NULL;

	for (char *word = line && words ? strtok_r(line, " ", &rest) : NULL; word;
	     word = strtok_r(NULL, " ", &rest)) {
		size_t i = 0;

		while (keys[i] && !begins_with(word, keys[i]))
			i++;
		if (keys[i] && *words)
			strcat(words, " ");
		if (keys[i])
			strcat(words, word);
	}
	return words;
}

/* ---- checks of the machine ------------------------------------------------------------------- */

/* Is @word one of @list, "DMA, identity"? */
static bool has_word(const char *list, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += size) {
		if ((at == list || at[-1] == ' ') && (!at[size] || at[size] == ','))
			return true;
	}
	return false;
}

/* Types of the groups' domains, each once. */
static char *domain_types(const struct dms_kernel *kernel, const struct dms_list *groups)
{
	char *types = dms_strdup("");

	for (size_t i = 0; i < groups->n_items && types; i++) {
		_cleanup_(dms_freep) char *path =
			dms_asprintf("/sys/kernel/iommu_groups/%s/type", groups->items[i]);
		_cleanup_(dms_freep) char *type = path ? doctor_line(kernel, path) : NULL;
		_cleanup_(dms_freep) char *before = types;

		if (!type || !*type || has_word(types, type))
			types = dms_strdup(before);
		else
			types = dms_asprintf("%s%s%s", before, *before ? ", " : "", type);
	}
	return types;
}

void doctor_iommu(struct dms_kernel *kernel, struct advice *ret)
{
	static const char *const keys[] = {
		"iommu=", "iommu.", "intel_iommu=", "amd_iommu=", "arm-smmu", NULL};
	_cleanup_(dms_freep) char *words = boot_words(kernel, keys);
	_cleanup_(dms_freep) char *types = NULL;
	struct dms_list groups = {0}, units = {0};

	if (!words)
		return;
	dms_error_free(dms_kernel_list(kernel, "/sys/kernel/iommu_groups", &groups));
	dms_error_free(dms_kernel_list(kernel, "/sys/class/iommu", &units));
	types = domain_types(kernel, &groups);
	if (!groups.n_items) {
		ret->verdict = VERDICT_PARTLY;
		ret->finding =
			dms_asprintf("no IOMMU is in use%s%s: DMA is direct, and a device that "
				     "uses memory after its unmap is not caught",
				     *words ? ", booted with " : "", words);
		ret->remedy =
			dms_asprintf("intel_iommu=on or amd_iommu=on, with iommu.strict=1 and "
				     "iommu.passthrough=0");
	} else {
		bool is_translated = types && strstr(types, "DMA");

		ret->verdict =
			is_translated && !strstr(types, "DMA-FQ") ? VERDICT_GOOD : VERDICT_PARTLY;
		ret->finding =
			dms_asprintf("%zu IOMMUs, %zu groups, domains: %s%s%s", units.n_items,
				     groups.n_items, types && *types ? types : "not told",
				     *words ? "; booted with " : "", words);
		if (!is_translated)
			ret->remedy =
				dms_asprintf("iommu.passthrough=0: devices then fault on what "
					     "is not mapped");
		else if (strstr(types, "DMA-FQ"))
			ret->remedy =
				dms_asprintf("iommu.strict=1: with lazy flushes (DMA-FQ), use "
					     "after unmap goes unseen for a while");
	}
	dms_list_free(&groups);
	dms_list_free(&units);
}

/* Can we look into debugfs, and is it mounted? */
static bool has_debugfs(const struct dms_kernel *kernel)
{
	struct dms_list entries = {0};
	bool is_there;

	dms_error_free(dms_kernel_list(kernel, "/sys/kernel/debug", &entries));
	is_there = entries.n_items > 1; /* tracing is mounted there by itself */
	dms_list_free(&entries);
	return is_there;
}

void doctor_swiotlb(struct dms_kernel *kernel, struct advice *ret)
{
	static const char *const keys[] = {"swiotlb=", NULL};
	_cleanup_(dms_freep) char *slabs =
		doctor_line(kernel, "/sys/kernel/debug/swiotlb/io_tlb_nslabs");
	_cleanup_(dms_freep) char *used =
		doctor_line(kernel, "/sys/kernel/debug/swiotlb/io_tlb_used");
	_cleanup_(dms_freep) char *most =
		doctor_line(kernel, "/sys/kernel/debug/swiotlb/io_tlb_used_hiwater");
	uint64_t n_slabs = slabs ? strtoull(slabs, NULL, 10) : 0;
	uint64_t n_used = used ? strtoull(used, NULL, 10) : 0;
	_cleanup_(dms_freep) char *words = boot_words(kernel, keys);

	if (!words)
		return;
	if (!slabs && has_debugfs(kernel)) {
		ret->finding = dms_asprintf("no bounce buffers%s%s", *words ? "; booted with " : "",
					    words);
		return;
	}
	if (!slabs) {
		ret->verdict = VERDICT_UNKNOWN;
		ret->finding = dms_asprintf("not told: debugfs cannot be read%s%s",
					    *words ? "; booted with " : "", words);
		ret->remedy = dms_asprintf("as root: mount -t debugfs debugfs /sys/kernel/debug");
		return;
	}
	if (!n_slabs) {
		ret->finding = dms_asprintf("no bounce buffers");
		return;
	}
	/* slots of 2 KiB: IO_TLB_SIZE of include/linux/swiotlb.h */
	ret->finding =
		dms_asprintf("%" PRIu64 " KiB of bounce buffers, %" PRIu64 " KiB in use%s%s%s%s%s",
			     n_slabs * 2, n_used * 2, most ? ", at most " : "", most ? most : "",
			     most ? " slots" : "", *words ? "; booted with " : "", words);
	if (n_used > n_slabs / 4 * 3) {
		ret->verdict = VERDICT_PARTLY;
		ret->remedy = dms_asprintf("swiotlb=N with more slots; record who bounces");
	}
}

void doctor_syncs(struct dms_kernel *kernel, struct advice *ret)
{
	const char *arch = dms_kernel_arch(kernel);

	if (dms_kernel_config(kernel, "DMA_NEED_SYNC") == 'n' &&
	    !begins_with(dms_kernel_release(kernel), "5."))
		doctor_say(ret, VERDICT_MISSING,
			   "the kernel was built without syncs (CONFIG_DMA_NEED_SYNC)", NULL);
	else if (!strcmp(arch, "x86_64") || begins_with(arch, "s390"))
		doctor_say(ret, VERDICT_PARTLY,
			   "devices are coherent: syncs are traced only of devices that bounce, so "
			   "missing ones cannot be judged",
			   "boot with swiotlb=force iommu.passthrough=1 to see them all");
	else
		doctor_say(ret, VERDICT_PARTLY,
			   "syncs are traced of devices that are not coherent, or bounce", NULL);
}

void doctor_debug(struct dms_kernel *kernel, struct advice *ret)
{
	_cleanup_(dms_freep) char *disabled =
		doctor_line(kernel, "/sys/kernel/debug/dma-api/disabled");
	char config = dms_kernel_config(kernel, "DMA_API_DEBUG");

	if (disabled && *disabled != 'Y')
		doctor_say(
			ret, VERDICT_GOOD,
			"dma-debug is on: record takes its dump, so that mappings from before the "
			"recording are known; all calls are slower by it",
			NULL);
	else if (disabled)
		doctor_say(ret, VERDICT_PARTLY, "dma-debug has switched itself off",
			   "boot with dma_debug_entries=N, larger");
	else if (config == 'y')
		doctor_say(ret, VERDICT_UNKNOWN,
			   "the kernel has dma-debug; debugfs does not show it",
			   "as root: mount -t debugfs debugfs /sys/kernel/debug");
	else
		doctor_say(ret, VERDICT_GOOD,
			   config ? "no dma-debug, which no recording needs"
				  : "no dma-debug to be seen, which no recording needs",
			   NULL);
}

void doctor_config(struct dms_kernel *kernel, struct advice *ret)
{
	if (dms_kernel_config(kernel, "TRACING"))
		doctor_say(ret, VERDICT_GOOD, "the kernel's configuration can be read", NULL);
	else
		doctor_say(ret, VERDICT_UNKNOWN, "the kernel's configuration cannot be read",
			   "/boot/config-RELEASE, or modprobe configs for /proc/config.gz");
}

/* ---- checks of tools and leftovers ----------------------------------------------------------- */

/* The first line that @command prints; NULL: there is no such program. */
static char *ask(const char *command)
{
	FILE *pipe = popen(command, "re");
	char line[256] = "";
	bool is_there = pipe && fgets(line, sizeof(line), pipe) && *line;

	while (is_there && *line == '\n' && fgets(line, sizeof(line), pipe))
		;
	if (pipe)
		pclose(pipe);
	line[strcspn(line, "\n")] = '\0';
	return is_there && *line ? dms_strdup(line) : NULL;
}

void doctor_tools(struct dms_kernel *kernel, struct advice *ret)
{
	_cleanup_(dms_freep) char *trace_cmd = ask("trace-cmd --version 2>/dev/null");
	_cleanup_(dms_freep) char *perf = ask("perf --version 2>/dev/null");

	(void)kernel;
	ret->finding =
		dms_asprintf("%s; %s; record needs neither", trace_cmd ? trace_cmd : "no trace-cmd",
			     perf ? perf : "no perf");
}

/* "dmascope-PID" of a process that is no more. */
static bool is_left_over(const char *instance)
{
	long pid;

	if (!begins_with(instance, "dmascope-") || !isdigit((unsigned char)instance[9]))
		return false;
	pid = strtol(instance + 9, NULL, 10);
	return pid > 0 && kill((pid_t)pid, 0) && errno == ESRCH;
}

void doctor_leftovers(struct dms_kernel *kernel, struct advice *ret)
{
	struct dms_list names = {0};
	const char *found = NULL;

	if (doctor_is_blind(kernel, ret))
		return;
	dms_error_free(dms_kernel_list_tracefs(kernel, "instances", &names));
	for (size_t i = 0; i < names.n_items && !found; i++)
		found = is_left_over(names.items[i]) ? names.items[i] : NULL;
	if (found) {
		ret->verdict = VERDICT_PARTLY;
		ret->finding = dms_asprintf("an instance %s was left over", found);
		ret->remedy =
			dms_asprintf("rmdir %s/instances/%s", dms_kernel_tracefs(kernel), found);
	} else {
		doctor_say(ret, VERDICT_GOOD, "no recording has left anything behind", NULL);
	}
	dms_list_free(&names);
}

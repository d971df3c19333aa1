// SPDX-License-Identifier: GPL-2.0-only
/* Call stacks of four invented drivers, and the kallsyms text that names their functions. */
#include "tracegen.h"

#include <stdio.h>
#include <string.h>

#define KERNEL_BASE   0xffffffff81000000ULL
#define KERNEL_STEP   0x400u
#define MODULE_BASE   0xffffffffc0000000ULL
#define MODULE_STEP   0x10000u
#define FUNCTION_STEP 0x100u
#define N_ENTRIES     4 /* ways into a driver */

static const char *const kernel_functions[] = {
	"trace_event_raw_event_dma", "dma_map_phys", "dma_unmap_phys", "dma_map_sg_attrs",
	"dma_unmap_sg_attrs", "dma_alloc_attrs", "dma_free_attrs", "dma_alloc_pages",
	"dma_free_pages", "dma_alloc_noncontiguous", "dma_free_noncontiguous", "net_rx_action",
	"handle_softirqs", "__irq_exit_rcu", "common_interrupt", "asm_common_interrupt",
	"vfs_write", "ksys_write", "do_syscall_64", "entry_SYSCALL_64_after_hwframe",
	"process_one_work", "worker_thread", "kthread", "ret_from_fork",
};

enum { K_TRACE, K_API, K_IRQ = 11, K_SYSCALL = 16, K_WORK = 20, K_CONTEXT_FRAMES = 4 };

static const char *const drivers[TG_DRIVERS] = { "synthnet", "synthblk", "synthgpu", "synthusb" };
static const char *const families[TG_N_FAMILIES] = { "page",	 "resource", "sg",
						     "coherent", "pages",    "noncontig" };
static const char *const entries[N_ENTRIES] = { "poll", "submit", "ioctl", "work" };
static const uint8_t contexts[N_ENTRIES] = { K_IRQ, K_SYSCALL, K_SYSCALL, K_WORK };

/* The API function of each family's map; its unmap is the next one. */
static const uint8_t api[TG_N_FAMILIES] = { 1, 1, 3, 5, 7, 9 };

static uint64_t kernel_address(uint32_t index)
{
	return KERNEL_BASE + (uint64_t)index * KERNEL_STEP;
}

/* A module's functions: map and unmap of each family, then the entries. */
static uint64_t module_address(uint32_t driver, uint32_t index)
{
	return MODULE_BASE + (uint64_t)driver * MODULE_STEP + (uint64_t)index * FUNCTION_STEP;
}

uint32_t tg_stack_fill(uint32_t driver, enum tg_family family, bool unmap, uint32_t variant,
		       uint64_t *callers)
{
	uint32_t entry = variant % N_ENTRIES, n = 0;

	callers[n++] = kernel_address(K_TRACE) + 0x59;
	callers[n++] = kernel_address(api[family] + unmap) + 0x39;
	callers[n++] = module_address(driver, family * 2u + unmap) + 0x1d + variant;
	callers[n++] = module_address(driver, TG_N_FAMILIES * 2 + entry) + 0x5d;
	for (uint32_t i = 0; i < K_CONTEXT_FRAMES; i++)
		callers[n++] = kernel_address(contexts[entry] + i) + 0x77;
	if (contexts[entry] == K_IRQ)
		callers[n++] = kernel_address(K_IRQ + K_CONTEXT_FRAMES) + 0x26;
	return n;
}

uint32_t tg_stack_number(uint64_t number, uint64_t *callers)
{
	uint32_t n = tg_stack_fill(0, TG_PAGE, false, 0, callers);

	callers[n - 1] += number % 1000;
	callers[n - 2] += number / 1000;
	return n;
}

char *tg_stack_kallsyms(size_t *ret_size)
{
	char *text = tg_alloc(16384);
	size_t n = 0;

	for (uint32_t i = 0; i < sizeof(kernel_functions) / sizeof(*kernel_functions); i++)
		n += (size_t)sprintf(text + n, "%016llx T %s\n",
				     (unsigned long long)kernel_address(i), kernel_functions[i]);
	for (uint32_t d = 0; d < TG_DRIVERS; d++) {
		for (uint32_t i = 0; i < TG_N_FAMILIES * 2; i++)
			n += (size_t)sprintf(text + n, "%016llx t %s_%s_%s\t[%s]\n",
					     (unsigned long long)module_address(d, i), drivers[d],
					     i % 2 ? "unmap" : "map", families[i / 2], drivers[d]);
		for (uint32_t i = 0; i < N_ENTRIES; i++)
			n += (size_t)sprintf(text + n, "%016llx t %s_%s\t[%s]\n",
					     (unsigned long long)
						     module_address(d, TG_N_FAMILIES * 2 + i),
					     drivers[d], entries[i], drivers[d]);
	}
	*ret_size = n;
	return text;
}

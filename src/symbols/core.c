// SPDX-License-Identifier: LGPL-2.1-only
/* The names of the tracing and DMA-mapping core: frames above the call site of a stack. */
#include <stdlib.h>
#include <string.h>

#include <dmascope/symbols.h>

/* A whole name, or with @prefix the beginning of one. */
struct row {
	const char *name;
	bool prefix;
};

/*
 * Sorted by bytes, and no row begins with a prefix row, so that one bsearch() decides.
 *
 * The verbs dma_map_, dma_alloc_ and so on are spelled out with their objects: drivers have
 * functions of their own beginning with them (dma_free_rx_skbufs() of stmmac), and so do other
 * parts of the kernel (dma_request_chan(), dma_buf_map_attachment(), dma_sync_wait()). Helpers
 * that drivers call by choice, such as those of virtio, blk, usb and page_pool, are not core:
 * they are the call site, and who called them is the frame behind.
 * Source: kernel/dma/, mm/dmapool.c, drivers/iommu/{dma-iommu,iommu}.c, kernel/trace/ of
 * 6.12 to 7.2, and stacks recorded there.
 */
static const struct row rows[] = {
	{"__bpf_trace_", true},
	{"__dma_alloc_pages", false},
	{"__dma_direct_", true},
	{"__dma_free_pages", false},
	{"__dma_iova_", true},
	{"__dma_map_cont", false},
	{"__dma_map_sg_attrs", false},
	{"__dma_sync_s", true}, /* single and sg */
	{"__ftrace_trace_stack", false},
	{"__iommu_dma_", true},
	{"__iommu_map", true},
	{"__iommu_unmap", true},
	{"__swiotlb_", true},
	{"__trace_stack", false},
	{"__traceiter_", true},
	{"arch_rethook_trampoline", true},
	{"arch_stack_walk", true},
	{"bpf_get_stack", true},
	{"bpf_prog_", true},
	{"bpf_trace_run", true},
	{"bpf_trampoline_", true},
	{"debug_dma_", true},
	{"dma_alloc_attrs", false},
	{"dma_alloc_coherent", false},
	{"dma_alloc_contiguous", false},
	{"dma_alloc_from_", true},
	{"dma_alloc_noncoherent", false},
	{"dma_alloc_noncontiguous", false},
	{"dma_alloc_pages", false},
	{"dma_alloc_wc", false},
	{"dma_common_", true},
	{"dma_direct_", true},
	{"dma_free_attrs", false},
	{"dma_free_coherent", false},
	{"dma_free_contiguous", false},
	{"dma_free_from_", true},
	{"dma_free_noncoherent", false},
	{"dma_free_noncontiguous", false},
	{"dma_free_pages", false},
	{"dma_free_wc", false},
	{"dma_iova_", true},
	{"dma_map_direct", false},
	{"dma_map_page", true},
	{"dma_map_phys", true},
	{"dma_map_resource", true},
	{"dma_map_sg", true},
	{"dma_map_single", true},
	{"dma_mapping_error", false},
	{"dma_pool_", true},
	{"dma_sync_sg_", true},
	{"dma_sync_sgtable_", true},
	{"dma_sync_single_", true},
	{"dma_unmap_page", true},
	{"dma_unmap_phys", true},
	{"dma_unmap_resource", true},
	{"dma_unmap_sg", true},
	{"dma_unmap_single", true},
	{"dmam_", true},
	{"do_perf_trace_", true},
	{"do_trace_event_raw_event_", true},
	{"dump_stack", true},
	{"fprobe_", true},
	{"ftrace_caller", true},
	{"ftrace_regs_caller", true},
	{"ftrace_stacktrace", true},
	{"ftrace_trace_", true},
	{"function_stack_trace_call", false},
	{"get_perf_callchain", false},
	{"iommu_dma_", true},
	{"iommu_map", true},
	{"iommu_sync_map", false},
	{"iommu_unmap", true},
	{"kprobe_dispatcher", false},
	{"kprobe_ftrace_handler", false},
	{"kprobe_trace_func", false},
	{"kretprobe_", true},
	{"opt_pre_handler", false},
	{"optimized_callback", false},
	{"perf_callchain", true},
	{"perf_trace_", true},
	{"report_iommu_fault", false},
	{"rethook_trampoline_handler", false},
	{"return_to_handler", false},
	{"save_stack_trace", true},
	{"stack_trace_", true},
	{"swiotlb_", true},
	{"synth_event_trace", true},
	{"trace_buffer_unlock_commit", true},
	{"trace_call_bpf", true},
	{"trace_dump_stack", false},
	{"trace_event_", true},	     /* trace_event_raw_event_*, trace_event_buffer_* */
	{"trace_raw_output_", true}, /* what a cut symbol table makes of the above */
	{"unwind_next_frame", false},
	{"xen_swiotlb_", true},
};

struct key {
	const char *name;
	size_t stem_len; /* without what the compiler put behind it */
};

/*
 * Compilers mark the parts and copies that they make of a function: foo.part.0, foo.cold,
 * foo.isra.0.cold, foo.llvm.123. A dot is in no C name.
 */
static size_t stem_length(const char *name, size_t len)
{
	const char *dot = len ? memchr(name, '.', len) : NULL;

	return dot ? (size_t)(dot - name) : len;
}

static int compare(const void *left, const void *right)
{
	const struct key *key = left;
	const struct row *row = right;
	size_t row_len = strlen(row->name);
	int order = memcmp(key->name, row->name, key->stem_len < row_len ? key->stem_len : row_len);

	if (order)
		return order;
	if (key->stem_len < row_len)
		return -1;
	return row->prefix || key->stem_len == row_len ? 0 : 1;
}

bool dms_symbol_is_core(const char *name, size_t name_len)
{
	struct key key = {name, stem_length(name, name_len)};

	if (!key.stem_len)
		return false;
	return bsearch(&key, rows, DMS_ARRAY_SIZE(rows), sizeof(rows[0]), compare) != NULL;
}

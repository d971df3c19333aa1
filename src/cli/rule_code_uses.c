// SPDX-License-Identifier: GPL-2.0-only
/* Code that breaks the rules of maps, allocations, syncs and lists, and code that keeps them. */
#include "rule_code.h"

/*
 * Lines of a diff: "-" breaks the rule, "+" keeps it. Both sides compile as parts of a function
 * with the kernel's headers; rulecode_test.sh checks it against the DMA API as it stands there.
 */
/* clang-format off */
const struct dms_rule_code dms_rule_code_uses[] = {
	{"alloc-blocking-in-atomic",
	 "+\tring->desc = dma_alloc_coherent(dev, ring->size, &ring->dma, GFP_KERNEL);\n"
	 " \tspin_lock_irqsave(&ring->lock, flags);\n"
	 "-\tring->desc = dma_alloc_coherent(dev, ring->size, &ring->dma, GFP_KERNEL);\n"
	 " \tring->is_up = true;\n"
	 " \tspin_unlock_irqrestore(&ring->lock, flags);\n"},
	{"bounce-avoidable",
	 " \t/* the device decodes 64 bits */\n"
	 "-\terr = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));\n"
	 "+\terr = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));\n"
	 " \tif (err)\n"
	 " \t\treturn err;\n"},
	{"cacheline-misaligned",
	 " \tstruct request {\n"
	 " \t\tu32 state;\n"
	 "-\t\tu8 status[16]; /* the device writes it */\n"
	 "+\t\tu8 status[16] __aligned(ARCH_DMA_MINALIGN);\n"
	 " \t} *req = priv;\n"
	 " \n"
	 " \tdma = dma_map_single(dev, req->status, sizeof(req->status), DMA_FROM_DEVICE);\n"},
	{"hot-remap",
	 "-\tdma = dma_map_single(dev, buf, len, DMA_FROM_DEVICE);\n"
	 "-\tif (dma_mapping_error(dev, dma))\n"
	 "-\t\treturn -ENOMEM;\n"
	 "+\t/* mapped in probe(), unmapped in remove() */\n"
	 "+\tdma_sync_single_for_device(dev, dma, len, DMA_FROM_DEVICE);\n"
	 " \tstart(regs, dma);\n"
	 " \twait_for_completion(&done);\n"
	 "-\tdma_unmap_single(dev, dma, len, DMA_FROM_DEVICE);\n"
	 "+\tdma_sync_single_for_cpu(dev, dma, len, DMA_FROM_DEVICE);\n"},
	{"map-direction-none",
	 "-\tenum dma_data_direction dir = DMA_NONE;\n"
	 "+\tenum dma_data_direction dir = is_write ? DMA_TO_DEVICE : DMA_FROM_DEVICE;\n"
	 " \n"
	 "-\tif (is_write)\n"
	 "-\t\tdir = DMA_TO_DEVICE;\n"
	 " \tdma = dma_map_single(dev, buf, len, dir);\n"},
	{"map-error-unchecked",
	 " \tdma = dma_map_single(dev, buf, len, DMA_TO_DEVICE);\n"
	 "+\tif (dma_mapping_error(dev, dma))\n"
	 "+\t\treturn -ENOMEM;\n"
	 " \tdesc->addr = cpu_to_le64(dma);\n"},
	{"map-exceeds-mask",
	 " \t/* the device decodes 40 bits */\n"
	 "-\terr = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));\n"
	 "+\terr = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(40));\n"
	 " \tif (err)\n"
	 " \t\treturn err;\n"
	 " \tdma = dma_map_single(dev, buf, len, DMA_TO_DEVICE);\n"},
	{"map-failed",
	 "-\tdma = dma_map_single(dev, buf, len, DMA_TO_DEVICE);\n"
	 "+\t/* no more at a time than the machine can map: swiotlb has 256 KiB */\n"
	 "+\tchunk = min(len, dma_max_mapping_size(dev));\n"
	 "+\tdma = dma_map_single(dev, buf, chunk, DMA_TO_DEVICE);\n"
	 " \tif (dma_mapping_error(dev, dma))\n"
	 " \t\treturn -ENOMEM;\n"},
	{"map-from-stack",
	 "-\tu8 command[8];\n"
	 "+\tu8 *command = kmalloc(8, GFP_KERNEL);\n"
	 " \n"
	 "+\tif (!command)\n"
	 "+\t\treturn -ENOMEM;\n"
	 " \tmemcpy(command, buf, 8);\n"
	 " \tdma = dma_map_single(dev, command, 8, DMA_TO_DEVICE);\n"},
	{"map-invalid-area",
	 "-\tbuf = vmalloc(len);\n"
	 "+\tbuf = kmalloc(len, GFP_KERNEL);\n"
	 " \tif (!buf)\n"
	 " \t\treturn -ENOMEM;\n"
	 " \tdma = dma_map_single(dev, buf, len, DMA_TO_DEVICE);\n"},
	{"map-kernel-text",
	 " \tstatic const u8 reset[8] = {0x11, 0x22};\n"
	 " \n"
	 "+\tbuf = kmemdup(reset, sizeof(reset), GFP_KERNEL);\n"
	 "+\tif (!buf)\n"
	 "+\t\treturn -ENOMEM;\n"
	 "-\tdma = dma_map_single(dev, (void *)reset, sizeof(reset), DMA_TO_DEVICE);\n"
	 "+\tdma = dma_map_single(dev, buf, sizeof(reset), DMA_TO_DEVICE);\n"},
	{"map-resource-ram",
	 "-\tdma = dma_map_resource(dev, page_to_phys(page), len, DMA_TO_DEVICE, 0);\n"
	 "+\tdma = dma_map_page(dev, page, 0, len, DMA_TO_DEVICE);\n"
	 " \tif (dma_mapping_error(dev, dma))\n"
	 " \t\treturn -ENOMEM;\n"},
	{"map-zero-size",
	 "+\tif (!len)\n"
	 "+\t\treturn 0;\n"
	 " \tdma = dma_map_single(dev, buf, len, DMA_TO_DEVICE);\n"},
	{"overlapping-cacheline",
	 " \t/* two words of status that the device writes, for two commands */\n"
	 "-\tstatus = kmalloc(2 * 16, GFP_KERNEL);\n"
	 "-\tfirst = dma_map_single(dev, status, 16, DMA_FROM_DEVICE);\n"
	 "-\tsecond = dma_map_single(dev, status + 16, 16, DMA_FROM_DEVICE);\n"
	 "+\tstatus = kmalloc(16, GFP_KERNEL);\n"
	 "+\tother = kmalloc(16, GFP_KERNEL);\n"
	 "+\tfirst = dma_map_single(dev, status, 16, DMA_FROM_DEVICE);\n"
	 "+\tsecond = dma_map_single(dev, other, 16, DMA_FROM_DEVICE);\n"},
	{"sg-mapped-twice",
	 " \tcount = dma_map_sg(dev, sgl, nents, DMA_TO_DEVICE);\n"
	 " \tif (!count)\n"
	 " \t\treturn -ENOMEM;\n"
	 " \terr = submit(regs, sg_dma_address(sgl));\n"
	 "-\tif (err == -EAGAIN)\n"
	 "-\t\tcount = dma_map_sg(dev, sgl, nents, DMA_TO_DEVICE);\n"
	 "+\tif (err == -EAGAIN)\n"
	 "+\t\terr = submit(regs, sg_dma_address(sgl)); /* it is still mapped */\n"},
	{"sg-segment-boundary",
	 " \t/* probe(): the device cannot count over 4 GiB */\n"
	 "+\tdma_set_seg_boundary(dev, DMA_BIT_MASK(32));\n"
	 " \tcount = dma_map_sg(dev, sgl, nents, DMA_TO_DEVICE);\n"},
	{"sg-segment-too-long",
	 " \t/* probe(): a descriptor has 22 bits of length */\n"
	 "+\tdma_set_max_seg_size(dev, SZ_4M - 1);\n"
	 "-\terr = sg_alloc_table_from_pages(sgt, pages, n_pages, 0, len, GFP_KERNEL);\n"
	 "+\terr = sg_alloc_table_from_pages_segment(sgt, pages, n_pages, 0, len,\n"
	 "+\t\t\t\t\t\tdma_get_max_seg_size(dev), GFP_KERNEL);\n"},
	{"small-coherent-alloc",
	 " \t/* one of many */\n"
	 "-\tdesc = dma_alloc_coherent(dev, sizeof(*desc), &dma, GFP_KERNEL);\n"
	 "+\tdesc = dma_pool_alloc(pool, GFP_KERNEL, &dma);\n"},
	{"sync-after-unmap",
	 "-\tdma_unmap_single(dev, dma, len, DMA_FROM_DEVICE);\n"
	 " \tdma_sync_single_for_cpu(dev, dma, len, DMA_FROM_DEVICE);\n"
	 " \tparse(buf);\n"
	 "+\tdma_unmap_single(dev, dma, len, DMA_FROM_DEVICE);\n"},
	{"sync-direction-mismatch",
	 " \tdma = dma_map_single(dev, buf, len, DMA_FROM_DEVICE);\n"
	 " \twait_for_completion(&done);\n"
	 "-\tdma_sync_single_for_cpu(dev, dma, len, DMA_BIDIRECTIONAL);\n"
	 "+\tdma_sync_single_for_cpu(dev, dma, len, DMA_FROM_DEVICE);\n"},
	{"sync-missing",
	 " \twait_for_completion(&done);\n"
	 "+\tdma_sync_single_for_cpu(dev, dma, len, DMA_FROM_DEVICE);\n"
	 " \tparse(buf);\n"
	 " \tdma_unmap_single_attrs(dev, dma, len, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);\n"},
	{"sync-not-mapped",
	 "-\tdma_sync_single_for_cpu(dev, virt_to_phys(buf), len, DMA_FROM_DEVICE);\n"
	 "+\tdma_sync_single_for_cpu(dev, dma, len, DMA_FROM_DEVICE);\n"},
	{"sync-not-streaming",
	 " \tdesc = dma_alloc_coherent(dev, sizeof(*desc), &dma, GFP_KERNEL);\n"
	 " \twait_for_completion(&done);\n"
	 "-\tdma_sync_single_for_cpu(dev, dma, sizeof(*desc), DMA_FROM_DEVICE);\n"
	 "+\tdma_rmb();\n"
	 " \tlen = le32_to_cpu(desc->len);\n"},
	{"sync-outside-range",
	 " \tdma = dma_map_single(dev, buf, len, DMA_FROM_DEVICE);\n"
	 "-\tdma_sync_single_for_cpu(dev, dma + HEADER, len, DMA_FROM_DEVICE);\n"
	 "+\tdma_sync_single_for_cpu(dev, dma + HEADER, len - HEADER, DMA_FROM_DEVICE);\n"},
	{"sync-readonly-for-cpu",
	 " \tdma = dma_map_single(dev, buf, len, DMA_TO_DEVICE);\n"
	 " \twait_for_completion(&done);\n"
	 "-\tdma_sync_single_for_cpu(dev, dma, len, DMA_FROM_DEVICE);\n"
	 " \tdma_unmap_single(dev, dma, len, DMA_TO_DEVICE);\n"},
	{"sync-sg-count-mismatch",
	 " \tcount = dma_map_sg(dev, sgl, nents, DMA_FROM_DEVICE);\n"
	 "-\tdma_sync_sg_for_cpu(dev, sgl, count, DMA_FROM_DEVICE);\n"
	 "+\tdma_sync_sg_for_cpu(dev, sgl, nents, DMA_FROM_DEVICE);\n"},
	{"sync-writeonly-for-device",
	 " \tdma = dma_map_single(dev, buf, len, DMA_FROM_DEVICE);\n"
	 " \t/* the buffer is given to the device once more */\n"
	 "-\tdma_sync_single_for_device(dev, dma, len, DMA_TO_DEVICE);\n"
	 "+\tdma_sync_single_for_device(dev, dma, len, DMA_FROM_DEVICE);\n"},
	{NULL, NULL},
};
/* clang-format on */

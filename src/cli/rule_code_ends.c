// SPDX-License-Identifier: GPL-2.0-only
/* Code that breaks the rules of unmaps, frees, leaks and faults, and code that keeps them. */
#include "rule_code.h"

/*
 * Lines of a diff: "-" breaks the rule, "+" keeps it. Both sides compile as parts of a function
 * with the kernel's headers; rulecode_test.sh checks it against the DMA API as it stands there.
 */
/* clang-format off */
const struct dms_rule_code dms_rule_code_ends[] = {
	{"double-unmap",
	 " \t/* on completion */\n"
	 " \tdma_unmap_single(dev, tx->dma, tx->len, DMA_TO_DEVICE);\n"
	 "+\ttx->len = 0;\n"
	 " \n"
	 " \t/* when the ring is torn down */\n"
	 "-\tdma_unmap_single(dev, tx->dma, tx->len, DMA_TO_DEVICE);\n"
	 "+\tif (tx->len)\n"
	 "+\t\tdma_unmap_single(dev, tx->dma, tx->len, DMA_TO_DEVICE);\n"},
	{"fault-direction",
	 " \t/* the device reads the command, and writes its status into it */\n"
	 "-\tdma = dma_map_single(dev, cmd, sizeof(*cmd), DMA_TO_DEVICE);\n"
	 "+\tdma = dma_map_single(dev, cmd, sizeof(*cmd), DMA_BIDIRECTIONAL);\n"},
	{"fault-overrun",
	 " \tdma = dma_map_single(dev, buf, len, DMA_FROM_DEVICE);\n"
	 " \tif (dma_mapping_error(dev, dma))\n"
	 " \t\treturn -ENOMEM;\n"
	 " \tdesc->addr = cpu_to_le64(dma);\n"
	 "-\tdesc->len = cpu_to_le32(RX_MAX);\n"
	 "+\tdesc->len = cpu_to_le32(len);\n"},
	{"fault-unmapped",
	 " \tdma = dma_map_single(dev, buf, len, DMA_TO_DEVICE);\n"
	 "+\tif (dma_mapping_error(dev, dma))\n"
	 "+\t\treturn -ENOMEM;\n"
	 " \tdesc->addr = cpu_to_le64(dma);\n"
	 " \twmb();\n"
	 " \twritel(1, regs + DOORBELL);\n"},
	{"free-cpu-address-mismatch",
	 "-\tdma_free_coherent(dev, rx->size, rx->desc, tx->dma);\n"
	 "-\tdma_free_coherent(dev, tx->size, tx->desc, rx->dma);\n"
	 "+\tdma_free_coherent(dev, rx->size, rx->desc, rx->dma);\n"
	 "+\tdma_free_coherent(dev, tx->size, tx->desc, tx->dma);\n"},
	{"free-in-atomic",
	 " \tspin_lock_irqsave(&ring->lock, flags);\n"
	 " \tring->is_up = false;\n"
	 "-\tdma_free_coherent(dev, ring->size, ring->desc, ring->dma);\n"
	 " \tspin_unlock_irqrestore(&ring->lock, flags);\n"
	 "+\tdma_free_coherent(dev, ring->size, ring->desc, ring->dma);\n"},
	{"iommu-unmap-mismatch",
	 " \terr = iommu_map(domain, iova, paddr, SZ_4K, IOMMU_READ, GFP_KERNEL);\n"
	 " \tif (err)\n"
	 " \t\treturn err;\n"
	 " \tstart(regs, iova);\n"
	 " \twait_for_completion(&done);\n"
	 "-\tiommu_unmap(domain, iova, SZ_8K);\n"
	 "+\tiommu_unmap(domain, iova, SZ_4K);\n"},
	{"leak-at-unbind",
	 " \t/* remove() */\n"
	 " \tfree_irq(irq, rx);\n"
	 "+\tdma_unmap_single(dev, rx->dma, rx->len, DMA_FROM_DEVICE);\n"
	 " \tkfree(rx->buf);\n"},
	{"leak-growth",
	 " \tdma = dma_map_single(dev, buf, len, DMA_TO_DEVICE);\n"
	 " \tif (dma_mapping_error(dev, dma))\n"
	 " \t\treturn -ENOMEM;\n"
	 " \terr = submit(regs, dma);\n"
	 "-\tif (err)\n"
	 "-\t\treturn err;\n"
	 "+\tif (err) {\n"
	 "+\t\tdma_unmap_single(dev, dma, len, DMA_TO_DEVICE);\n"
	 "+\t\treturn err;\n"
	 "+\t}\n"},
	{"live-at-end",
	 " \t/* the device never answered this one */\n"
	 " \tif (time_after(jiffies, tx->deadline)) {\n"
	 "+\t\tstop(regs);\n"
	 "+\t\tdma_unmap_single(dev, tx->dma, tx->len, DMA_TO_DEVICE);\n"
	 " \t\tkfree(tx->buf);\n"
	 " \t\treturn -ETIMEDOUT;\n"
	 " \t}\n"},
	{"page-freed-while-mapped",
	 "-\t__free_page(page);\n"
	 " \tdma_unmap_page(dev, dma, PAGE_SIZE, DMA_FROM_DEVICE);\n"
	 "+\t__free_page(page);\n"},
	{"unmap-attrs-mismatch",
	 " \tbuf = dma_alloc_attrs(dev, len, &dma, GFP_KERNEL, DMA_ATTR_FORCE_CONTIGUOUS);\n"
	 "-\tdma_free_attrs(dev, len, buf, dma, 0);\n"
	 "+\tdma_free_attrs(dev, len, buf, dma, DMA_ATTR_FORCE_CONTIGUOUS);\n"},
	{"unmap-direction-mismatch",
	 " \tdma = dma_map_single(dev, buf, len, DMA_FROM_DEVICE);\n"
	 "-\tdma_unmap_single(dev, dma, len, DMA_TO_DEVICE);\n"
	 "+\tdma_unmap_single(dev, dma, len, DMA_FROM_DEVICE);\n"},
	{"unmap-interior-address",
	 " \trx->dma = dma_map_single(dev, buf, len, DMA_FROM_DEVICE);\n"
	 "-\trx->dma += HEADER;\n"
	 "-\tdesc->addr = cpu_to_le64(rx->dma);\n"
	 "+\tdesc->addr = cpu_to_le64(rx->dma + HEADER);\n"
	 " \tdma_unmap_single(dev, rx->dma, len, DMA_FROM_DEVICE);\n"},
	{"unmap-invalid-address",
	 " \ttx->dma = dma_map_single(dev, buf, len, DMA_TO_DEVICE);\n"
	 "-\tif (dma_mapping_error(dev, tx->dma))\n"
	 "-\t\tgoto unmap;\n"
	 "+\tif (dma_mapping_error(dev, tx->dma))\n"
	 "+\t\treturn -ENOMEM;\n"
	 " \terr = submit(regs, tx->dma);\n"
	 " \tif (!err)\n"
	 " \t\treturn 0;\n"
	 "-unmap:\n"
	 " \tdma_unmap_single(dev, tx->dma, len, DMA_TO_DEVICE);\n"},
	{"unmap-not-mapped",
	 " \t/* of the descriptors, only those in use were ever mapped */\n"
	 "-\tfor (i = 0; i < ring->count; i++)\n"
	 "+\tfor (i = ring->tail; i != ring->head; i = (i + 1) % ring->count)\n"
	 " \t\tdma_unmap_single(dev, ring->bufs[i].dma, len, DMA_TO_DEVICE);\n"},
	{"unmap-sg-count-mismatch",
	 " \tcount = dma_map_sg(dev, sgl, nents, DMA_TO_DEVICE);\n"
	 " \tif (!count)\n"
	 " \t\treturn -ENOMEM;\n"
	 "-\tdma_unmap_sg(dev, sgl, count, DMA_TO_DEVICE);\n"
	 "+\tdma_unmap_sg(dev, sgl, nents, DMA_TO_DEVICE);\n"},
	{"unmap-size-mismatch",
	 " \trx->len = len;\n"
	 " \trx->dma = dma_map_single(dev, buf, rx->len, DMA_FROM_DEVICE);\n"
	 " \twait_for_completion(&done);\n"
	 "-\tdma_unmap_single(dev, rx->dma, le32_to_cpu(desc->len), DMA_FROM_DEVICE);\n"
	 "+\tdma_unmap_single(dev, rx->dma, rx->len, DMA_FROM_DEVICE);\n"},
	{"unmap-wrong-device",
	 " \tdma = dma_map_single(dev->parent, buf, len, DMA_TO_DEVICE);\n"
	 "-\tdma_unmap_single(dev, dma, len, DMA_TO_DEVICE);\n"
	 "+\tdma_unmap_single(dev->parent, dma, len, DMA_TO_DEVICE);\n"},
	{"unmap-wrong-function",
	 " \tbuf = dma_alloc_coherent(dev, len, &dma, GFP_KERNEL);\n"
	 "-\tdma_unmap_single(dev, dma, len, DMA_BIDIRECTIONAL);\n"
	 "-\tkfree(buf);\n"
	 "+\tdma_free_coherent(dev, len, buf, dma);\n"},
	{"use-after-unmap",
	 " \tstart(regs, dma);\n"
	 "-\twait_for_completion_timeout(&done, HZ / 50);\n"
	 "+\tif (!wait_for_completion_timeout(&done, HZ))\n"
	 "+\t\tstop(regs); /* nothing it still does reaches memory */\n"
	 " \tdma_unmap_single(dev, dma, len, DMA_FROM_DEVICE);\n"},
	{NULL, NULL},
};
/* clang-format on */

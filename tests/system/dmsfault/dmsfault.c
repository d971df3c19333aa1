// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of QEMU's "edu" device that breaks a rule of the DMA API when told to, for the system
 * test.
 *
 * The name of a fault is written to the attribute "fault" of a device. Each is a function of its
 * own, so that a report can be asked for the right call site; nothing is ever given to the device.
 * What a fault leaves in the kernel is harmless in a guest that lives for a minute, and nowhere
 * else.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#define BUFFER_BYTES PAGE_SIZE
#define LIST_LENGTH  4

struct dmsfault {
	struct device *dev;
	u8 *buffer;	 /* LIST_LENGTH + 1 times BUFFER_BYTES; the last is that of held */
	dma_addr_t held; /* one mapping of the whole life, as drivers have them */
};

/* The one that was probed first. */
static struct device *first;

static dma_addr_t map(struct dmsfault *fault, enum dma_data_direction direction)
{
	dma_addr_t addr = dma_map_single(fault->dev, fault->buffer, BUFFER_BYTES, direction);

	return dma_mapping_error(fault->dev, addr) ? DMA_MAPPING_ERROR : addr;
}

/* What all the others do wrong, done well: none of it may be reported. */
static noinline int fault_none(struct dmsfault *fault)
{
	struct device *dev = fault->dev;
	struct scatterlist list[LIST_LENGTH];
	dma_addr_t addr;
	void *memory = dma_alloc_coherent(dev, BUFFER_BYTES, &addr, GFP_KERNEL);
	int i;

	if (!memory)
		return -ENOMEM;
	dma_free_coherent(dev, BUFFER_BYTES, memory, addr);

	addr = map(fault, DMA_FROM_DEVICE);
	if (addr == DMA_MAPPING_ERROR)
		return -EIO;
	dma_sync_single_for_cpu(dev, addr, BUFFER_BYTES, DMA_FROM_DEVICE);
	dma_sync_single_for_device(dev, addr, BUFFER_BYTES, DMA_FROM_DEVICE);
	dma_unmap_single(dev, addr, BUFFER_BYTES, DMA_FROM_DEVICE);

	sg_init_table(list, LIST_LENGTH);
	for (i = 0; i < LIST_LENGTH; i++)
		sg_set_buf(&list[i], fault->buffer + i * BUFFER_BYTES, BUFFER_BYTES);
	if (!dma_map_sg(dev, list, LIST_LENGTH, DMA_TO_DEVICE))
		return -EIO;
	dma_unmap_sg(dev, list, LIST_LENGTH, DMA_TO_DEVICE);
	return 0;
}

static noinline int fault_double_unmap(struct dmsfault *fault)
{
	dma_addr_t addr = map(fault, DMA_TO_DEVICE);

	if (addr == DMA_MAPPING_ERROR)
		return -EIO;
	dma_unmap_single(fault->dev, addr, BUFFER_BYTES, DMA_TO_DEVICE);
	dma_unmap_single(fault->dev, addr, BUFFER_BYTES, DMA_TO_DEVICE);
	return 0;
}

static noinline int fault_size(struct dmsfault *fault)
{
	dma_addr_t addr = map(fault, DMA_TO_DEVICE);

	if (addr == DMA_MAPPING_ERROR)
		return -EIO;
	dma_unmap_single(fault->dev, addr, BUFFER_BYTES / 2, DMA_TO_DEVICE);
	return 0;
}

static noinline int fault_direction(struct dmsfault *fault)
{
	dma_addr_t addr = map(fault, DMA_TO_DEVICE);

	if (addr == DMA_MAPPING_ERROR)
		return -EIO;
	dma_unmap_single(fault->dev, addr, BUFFER_BYTES, DMA_FROM_DEVICE);
	return 0;
}

/* As if the list had as many entries as were mapped after merging, a common mistake. */
static noinline int fault_list_length(struct dmsfault *fault)
{
	struct scatterlist list[LIST_LENGTH];
	int i;

	sg_init_table(list, LIST_LENGTH);
	for (i = 0; i < LIST_LENGTH; i++)
		sg_set_buf(&list[i], fault->buffer + i * BUFFER_BYTES, BUFFER_BYTES);
	if (!dma_map_sg(fault->dev, list, LIST_LENGTH, DMA_TO_DEVICE))
		return -EIO;
	dma_unmap_sg(fault->dev, list, LIST_LENGTH - 1, DMA_TO_DEVICE);
	return 0;
}

static noinline int fault_other_device(struct dmsfault *fault)
{
	dma_addr_t addr;

	if (!first || first == fault->dev)
		return -ENODEV;
	addr = map(fault, DMA_TO_DEVICE);
	if (addr == DMA_MAPPING_ERROR)
		return -EIO;
	dma_unmap_single(first, addr, BUFFER_BYTES, DMA_TO_DEVICE);
	dma_unmap_single(fault->dev, addr, BUFFER_BYTES,
			 DMA_TO_DEVICE); /* or it would leak as well */
	return 0;
}

/* Too much for the 24 bits of the mask where nothing translates, and for a bounce buffer. */
static noinline int fault_unchecked(struct dmsfault *fault)
{
	size_t size = SZ_512K;
	void *memory = kmalloc(size, GFP_KERNEL);
	bool has_failed;
	dma_addr_t addr;

	if (!memory)
		return -ENOMEM;
	if (dma_set_mask(fault->dev, DMA_BIT_MASK(24)))
		pr_info("dmsfault: a mask of 24 bits is refused\n");
	addr = dma_map_single(fault->dev, memory, size, DMA_TO_DEVICE);
	has_failed = addr == DMA_MAPPING_ERROR;
	dma_unmap_single(fault->dev, addr, size, DMA_TO_DEVICE);
	dma_set_mask(fault->dev, DMA_BIT_MASK(32));
	kfree(memory);
	return has_failed ? 0 : -EOPNOTSUPP;
}

static noinline int fault_free_in_atomic(struct dmsfault *fault)
{
	unsigned long flags;
	dma_addr_t addr;
	void *memory = dma_alloc_coherent(fault->dev, BUFFER_BYTES, &addr, GFP_KERNEL);

	if (!memory)
		return -ENOMEM;
	local_irq_save(flags);
	dma_free_coherent(fault->dev, BUFFER_BYTES, memory, addr);
	local_irq_restore(flags);
	return 0;
}

static noinline int fault_overlap(struct dmsfault *fault)
{
	dma_addr_t one = map(fault, DMA_FROM_DEVICE), other;

	if (one == DMA_MAPPING_ERROR)
		return -EIO;
	other = dma_map_single(fault->dev, fault->buffer + 16, 64, DMA_FROM_DEVICE);
	if (!dma_mapping_error(fault->dev, other))
		dma_unmap_single(fault->dev, other, 64, DMA_FROM_DEVICE);
	dma_unmap_single(fault->dev, one, BUFFER_BYTES, DMA_FROM_DEVICE);
	return 0;
}

static noinline int fault_late_sync(struct dmsfault *fault)
{
	dma_addr_t addr = map(fault, DMA_FROM_DEVICE);

	if (addr == DMA_MAPPING_ERROR)
		return -EIO;
	dma_unmap_single(fault->dev, addr, BUFFER_BYTES, DMA_FROM_DEVICE);
	dma_sync_single_for_cpu(fault->dev, addr, BUFFER_BYTES, DMA_FROM_DEVICE);
	return 0;
}

/* Nobody will unmap it: told when the driver is unbound. */
static noinline int fault_leak(struct dmsfault *fault)
{
	dma_addr_t addr =
		dma_map_single(fault->dev, fault->buffer, BUFFER_BYTES, DMA_BIDIRECTIONAL);

	return dma_mapping_error(fault->dev, addr) ? -EIO : 0;
}

static const struct {
	const char *name;
	int (*commit)(struct dmsfault *fault);
} faults[] = {
	{"none", fault_none},
	{"double_unmap", fault_double_unmap},
	{"size", fault_size},
	{"direction", fault_direction},
	{"list_length", fault_list_length},
	{"other_device", fault_other_device},
	{"unchecked", fault_unchecked},
	{"free_in_atomic", fault_free_in_atomic},
	{"overlap", fault_overlap},
	{"late_sync", fault_late_sync},
	{"leak", fault_leak},
};

static ssize_t fault_store(struct device *dev, struct device_attribute *attribute, const char *name,
			   size_t count)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (!sysfs_streq(name, faults[i].name))
			continue;
		err = faults[i].commit(dev_get_drvdata(dev));
		return err ? err : count;
	}
	return -EINVAL;
}
static DEVICE_ATTR_WO(fault);

static struct attribute *dmsfault_attrs[] = {&dev_attr_fault.attr, NULL};
ATTRIBUTE_GROUPS(dmsfault);

static int dmsfault_probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	struct dmsfault *fault = devm_kzalloc(&pci->dev, sizeof(*fault), GFP_KERNEL);
	int err;

	if (!fault)
		return -ENOMEM;
	err = dma_set_mask_and_coherent(&pci->dev, DMA_BIT_MASK(32));
	if (err)
		return err;
	fault->dev = &pci->dev;
	fault->buffer = (u8 *)devm_get_free_pages(&pci->dev, GFP_KERNEL,
						  get_order((LIST_LENGTH + 1) * BUFFER_BYTES));
	if (!fault->buffer)
		return -ENOMEM;
	fault->held = dma_map_single(&pci->dev, fault->buffer + LIST_LENGTH * BUFFER_BYTES,
				     BUFFER_BYTES, DMA_TO_DEVICE);
	if (dma_mapping_error(&pci->dev, fault->held))
		return -EIO;
	pci_set_drvdata(pci, fault);
	if (!first)
		first = &pci->dev;
	return 0;
}

static void dmsfault_remove(struct pci_dev *pci)
{
	struct dmsfault *fault = pci_get_drvdata(pci);

	if (first == &pci->dev)
		first = NULL;
	dma_unmap_single(&pci->dev, fault->held, BUFFER_BYTES, DMA_TO_DEVICE);
}

static const struct pci_device_id ids[] = {{PCI_DEVICE(0x1234, 0x11e8)}, {}};
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver dmsfault_driver = {
	.name = "dmsfault",
	.id_table = ids,
	.probe = dmsfault_probe,
	.remove = dmsfault_remove,
	.dev_groups = dmsfault_groups,
};
module_pci_driver(dmsfault_driver);

MODULE_DESCRIPTION("Breaks rules of the DMA API on purpose");
MODULE_LICENSE("GPL");

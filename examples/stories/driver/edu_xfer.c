// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of QEMU's "edu" device with four real mistakes, and, with EDU_FIXED, without them: the
 * driver of the stories in docs/stories.md.
 *
 * Its attribute "run" takes "JOB COUNT". The device takes 100 ms for a transfer. For guests that
 * live for a minute.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#define EDU_SOURCE    0x80
#define EDU_TARGET    0x88
#define EDU_BYTES     0x90
#define EDU_COMMAND   0x98
#define EDU_START     1
#define EDU_TO_MEMORY 2
#define EDU_WINDOW    0x40000
#define EDU_BURST     2048 /* half of the window: QEMU 7 rejects all of it */

#define BLOCK_BYTES  8192
#define STREAM_BYTES 16384

#ifdef EDU_FIXED
#define EDU_MASK       DMA_BIT_MASK(64)
#define EDU_TIMEOUT_MS 1000
#else
#define EDU_MASK       DMA_BIT_MASK(32)
#define EDU_TIMEOUT_MS 20
#endif

struct edu {
	struct pci_dev *pci;
	void __iomem *regs;
};

/* The device writes a burst to @addr. */
static void edu_start_read(struct edu *edu, dma_addr_t addr)
{
	writeq(EDU_WINDOW, edu->regs + EDU_SOURCE);
	writeq(addr, edu->regs + EDU_TARGET);
	writeq(EDU_BURST, edu->regs + EDU_BYTES);
	writeq(EDU_START | EDU_TO_MEMORY, edu->regs + EDU_COMMAND);
}

/* Return: false if the device is still at it after @timeout_ms. */
static bool edu_wait(struct edu *edu, unsigned int timeout_ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(timeout_ms);

	while (readq(edu->regs + EDU_COMMAND) & EDU_START) {
		if (time_after(jiffies, end))
			return false;
		msleep(1);
	}
	return true;
}

/* Stands for the checksum of a protocol: every fourth block is damaged. */
static bool edu_is_good(unsigned int number)
{
	return number % 4 != 3;
}

/* Story 1: blocks are read, and some are damaged. */
static noinline int edu_read_block(struct edu *edu, unsigned int number)
{
	struct device *dev = &edu->pci->dev;
	void *block = kmalloc(PAGE_SIZE, GFP_KERNEL);
	dma_addr_t addr;
	int err = 0;

	if (!block)
		return -ENOMEM;
	addr = dma_map_single(dev, block, PAGE_SIZE, DMA_FROM_DEVICE);
	if (dma_mapping_error(dev, addr)) {
		kfree(block);
		return -EIO;
	}
	edu_start_read(edu, addr);
	if (!edu_wait(edu, 1000) || !edu_is_good(number))
		err = -EIO;
#ifndef EDU_FIXED
	if (err)
		return err;
#endif
	dma_unmap_single(dev, addr, PAGE_SIZE, DMA_FROM_DEVICE);
	kfree(block);
	return err;
}

/* Story 2: a buffer of two pages, of which the device fills a part. */
static noinline int edu_read_short(struct edu *edu, unsigned int number)
{
	struct device *dev = &edu->pci->dev;
	void *block = kmalloc(BLOCK_BYTES, GFP_KERNEL);
	dma_addr_t addr;

	if (!block)
		return -ENOMEM;
	addr = dma_map_single(dev, block, BLOCK_BYTES, DMA_FROM_DEVICE);
	if (dma_mapping_error(dev, addr)) {
		kfree(block);
		return -EIO;
	}
	edu_start_read(edu, addr);
	edu_wait(edu, 1000);
#ifdef EDU_FIXED
	dma_unmap_single(dev, addr, BLOCK_BYTES, DMA_FROM_DEVICE);
#else
	dma_unmap_single(dev, addr, EDU_BURST, DMA_FROM_DEVICE);
#endif
	kfree(block);
	return 0;
}

/* Story 3: buffers wherever the kernel has memory. The device, which reaches it all, stays idle. */
static noinline int edu_stream(struct edu *edu, unsigned int number)
{
	struct device *dev = &edu->pci->dev;
	void *buffer = kmalloc(STREAM_BYTES, GFP_KERNEL);
	dma_addr_t addr;

	if (!buffer)
		return -ENOMEM;
	addr = dma_map_single(dev, buffer, STREAM_BYTES, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, addr)) {
		kfree(buffer);
		return -EIO;
	}
	dma_unmap_single(dev, addr, STREAM_BYTES, DMA_TO_DEVICE);
	kfree(buffer);
	return 0;
}

/* Story 4: the device takes longer than the driver waits. */
static noinline int edu_read_hasty(struct edu *edu, unsigned int number)
{
	struct device *dev = &edu->pci->dev;
	void *block = kmalloc(PAGE_SIZE, GFP_KERNEL);
	dma_addr_t addr;

	if (!block)
		return -ENOMEM;
	addr = dma_map_single(dev, block, PAGE_SIZE, DMA_FROM_DEVICE);
	if (dma_mapping_error(dev, addr)) {
		kfree(block);
		return -EIO;
	}
	edu_start_read(edu, addr);
	if (!edu_wait(edu, EDU_TIMEOUT_MS)) {
#ifdef EDU_FIXED
		pci_clear_master(edu->pci); /* nothing it still does reaches memory */
#else
		dev_warn(dev, "transfer %u timed out\n", number);
#endif
	}
	dma_unmap_single(dev, addr, PAGE_SIZE, DMA_FROM_DEVICE);
	kfree(block);
	msleep(150);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct edu *edu, unsigned int number);
} jobs[] = {
	{"read", edu_read_block},
	{"short", edu_read_short},
	{"stream", edu_stream},
	{"hasty", edu_read_hasty},
};

static ssize_t run_store(struct device *dev, struct device_attribute *attribute, const char *line,
			 size_t bytes)
{
	struct edu *edu = dev_get_drvdata(dev);
	unsigned int i, count, number;
	char name[16];

	if (sscanf(line, "%15s %u", name, &count) != 2)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		if (strcmp(name, jobs[i].name))
			continue;
		for (number = 0; number < count; number++)
			jobs[i].run(edu, number);
		return bytes;
	}
	return -EINVAL;
}
static DEVICE_ATTR_WO(run);

static struct attribute *edu_attrs[] = {&dev_attr_run.attr, NULL};
ATTRIBUTE_GROUPS(edu);

static int edu_probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	struct edu *edu = devm_kzalloc(&pci->dev, sizeof(*edu), GFP_KERNEL);
	int err;

	if (!edu)
		return -ENOMEM;
	err = pcim_enable_device(pci);
	if (err)
		return err;
	err = dma_set_mask_and_coherent(&pci->dev, EDU_MASK);
	if (err)
		return err;
	edu->pci = pci;
	edu->regs = pcim_iomap(pci, 0, 0);
	if (!edu->regs)
		return -ENOMEM;
	pci_set_master(pci);
	pci_set_drvdata(pci, edu);
	return 0;
}

static void edu_remove(struct pci_dev *pci)
{
	pci_clear_master(pci);
}

static const struct pci_device_id edu_ids[] = {{PCI_DEVICE(0x1234, 0x11e8)}, {}};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name = "edu_xfer",
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
	.dev_groups = edu_groups,
};
module_pci_driver(edu_driver);

MODULE_DESCRIPTION("Stories of DMA mistakes");
MODULE_LICENSE("GPL");

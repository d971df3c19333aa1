/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The DMA API of Linux 6.12 as far as the code that `dmascope rules` prints uses it, and the names
 * that code takes for granted: enough for a compiler to see a wrong argument. Only declarations.
 */
#ifndef DMASCOPE_TESTS_DMA_API_H
#define DMASCOPE_TESTS_DMA_API_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef uint32_t __le32;
typedef uint64_t __le64;
typedef u64 dma_addr_t;
typedef u64 phys_addr_t;
/* no plain number: neither a size nor a direction is one */
typedef struct { unsigned int bits; } gfp_t;
static const gfp_t GFP_KERNEL, GFP_ATOMIC;
enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_NONE };

#define DMA_BIT_MASK(n)		  (((n) == 64) ? ~0ULL : ((1ULL << (n)) - 1))
#define DMA_ATTR_SKIP_CPU_SYNC	  (1UL << 5)
#define DMA_ATTR_FORCE_CONTIGUOUS (1UL << 6)
#define ARCH_DMA_MINALIGN	  128
#define __aligned(n)		  __attribute__((aligned(n)))
#define PAGE_SIZE		  4096UL
#define SZ_4K			  4096
#define SZ_8K			  8192
#define SZ_4M			  0x400000
#define HZ			  250
#define IOMMU_READ		  1
#define RX_MAX			  16384
#define DOORBELL		  4
#define HEADER			  64
#define min(a, b)		  ((a) < (b) ? (a) : (b))
#define time_after(a, b)	  ((long)((b) - (a)) < 0)
#define wmb()			  __asm__("" : : : "memory")
#define dma_rmb()		  wmb()
#define spin_lock_irqsave(lock, flags)	    ((flags) = lock_it(lock))
#define spin_unlock_irqrestore(lock, flags) unlock_it(lock, flags)
#define dma_map_sg(d, s, n, r)	  dma_map_sg_attrs(d, s, n, r, 0)
#define dma_unmap_sg(d, s, n, r)  dma_unmap_sg_attrs(d, s, n, r, 0)

struct device { struct device *parent; };
struct page;
struct scatterlist;
struct sg_table;
struct dma_pool;
struct iommu_domain;
struct completion;
typedef struct { int held; } spinlock_t;

unsigned long lock_it(spinlock_t *lock);
void unlock_it(spinlock_t *lock, unsigned long flags);
void *kmalloc(size_t size, gfp_t gfp);
void *kmemdup(const void *from, size_t size, gfp_t gfp);
void kfree(const void *memory);
void *vmalloc(unsigned long size);
void __free_page(struct page *page);
phys_addr_t page_to_phys(struct page *page);
phys_addr_t virt_to_phys(volatile void *address);
void free_irq(unsigned int irq, void *id);
void writel(u32 value, volatile void *address);
__le32 cpu_to_le32(u32 value);
__le64 cpu_to_le64(u64 value);
u32 le32_to_cpu(__le32 value);
void wait_for_completion(struct completion *done);
unsigned long wait_for_completion_timeout(struct completion *done, unsigned long jiffies);

int dma_set_mask_and_coherent(struct device *dev, u64 mask);
void dma_set_seg_boundary(struct device *dev, unsigned long mask);
void dma_set_max_seg_size(struct device *dev, unsigned int size);
unsigned int dma_get_max_seg_size(struct device *dev);
size_t dma_max_mapping_size(struct device *dev);
int dma_mapping_error(struct device *dev, dma_addr_t addr);
dma_addr_t dma_map_single(struct device *dev, void *ptr, size_t size, enum dma_data_direction dir);
void dma_unmap_single(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir);
void dma_unmap_single_attrs(struct device *dev, dma_addr_t addr, size_t size,
			    enum dma_data_direction dir, unsigned long attrs);
dma_addr_t dma_map_page(struct device *dev, struct page *page, size_t offset, size_t size,
			enum dma_data_direction dir);
void dma_unmap_page(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir);
dma_addr_t dma_map_resource(struct device *dev, phys_addr_t addr, size_t size,
			    enum dma_data_direction dir, unsigned long attrs);
unsigned int dma_map_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
			      enum dma_data_direction dir, unsigned long attrs);
void dma_unmap_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
			enum dma_data_direction dir, unsigned long attrs);
void dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir);
void dma_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir);
void dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg, int nents,
			 enum dma_data_direction dir);
void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *addr, gfp_t gfp);
void dma_free_coherent(struct device *dev, size_t size, void *memory, dma_addr_t addr);
void *dma_alloc_attrs(struct device *dev, size_t size, dma_addr_t *addr, gfp_t gfp,
		      unsigned long attrs);
void dma_free_attrs(struct device *dev, size_t size, void *memory, dma_addr_t addr,
		    unsigned long attrs);
void *dma_pool_alloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *addr);
dma_addr_t sg_dma_address(struct scatterlist *sg);
int sg_alloc_table_from_pages(struct sg_table *sgt, struct page **pages, unsigned int n_pages,
			      unsigned int offset, unsigned long size, gfp_t gfp);
int sg_alloc_table_from_pages_segment(struct sg_table *sgt, struct page **pages,
				      unsigned int n_pages, unsigned int offset, unsigned long size,
				      unsigned int max_segment, gfp_t gfp);
int iommu_map(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr, size_t size,
	      int prot, gfp_t gfp);
size_t iommu_unmap(struct iommu_domain *domain, unsigned long iova, size_t size);

/* a driver's own */
struct desc { __le64 addr; __le32 len; };
struct buffer { dma_addr_t dma; };
struct ring {
	dma_addr_t dma;
	size_t size, len;
	void *desc, *buf;
	bool is_up;
	spinlock_t lock;
	unsigned int head, tail, count;
	struct buffer *bufs;
	unsigned long deadline;
};
int submit(volatile void *regs, dma_addr_t dma);
void start(volatile void *regs, dma_addr_t dma);
void stop(volatile void *regs);
void parse(void *buf);
extern struct device *dev;
extern struct ring *ring, *rx, *tx;
extern struct desc *desc, *cmd;
extern struct page *page, **pages;
extern struct scatterlist *sgl;
extern struct sg_table *sgt;
extern struct iommu_domain *domain;
extern struct completion done;
extern struct dma_pool *pool;
extern volatile void *regs;
extern void *buf, *priv, *status, *other;
extern size_t len, chunk;
extern dma_addr_t dma, first, second;
extern phys_addr_t paddr;
extern unsigned long flags, iova, jiffies;
extern unsigned int i, n_pages, irq;
extern int nents, count, err;
extern bool is_write;

#endif

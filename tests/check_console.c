// SPDX-License-Identifier: GPL-2.0-only
/* Tests of kernel messages: their wordings, the faults in several lines, hostile bytes. */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/decode.h>

/* ---- single lines ---------------------------------------------------------------------------- */

#define FAULT	0x100 /* beside enum dms_message: it is an IOMMU_FAULT */
#define READ	0
#define WRITE	1
#define UNKNOWN 2

/** A message, and what it must come to. Numbers not told are NONE. */
#define NONE UINT64_MAX
static const struct wording {
	const char *text;
	int what;	    /* enum dms_message, or FAULT; DMS_MSG_NONE: nothing */
	const char *device; /* NULL: none */
	uint64_t dma_addr, size, dma_mask;
	int access; /* of a fault */
} wordings[] = {
	/* kernel/dma/debug.c */
	{"DMA-API: e1000e 0000:00:19.0: device driver tries to free an invalid DMA memory address",
	 DMS_MSG_DEBUG_OTHER, "0000:00:19.0", NONE, NONE, NONE, 0},
	{"DMA-API: nvme 0000:00:05.0: device driver frees DMA memory with different size "
	 "[device address=0x00000000fff00000] [map size=8192 bytes] [unmap size=4096 bytes]",
	 DMS_MSG_DEBUG_OTHER, "0000:00:05.0", 0xfff00000, 8192, NONE, 0},
	{"DMA-API: nvme 0000:00:05.0: device driver failed to check map error"
	 "[device address=0x0000000004795000] [size=64 bytes] [mapped as single]",
	 DMS_MSG_UNCHECKED, "0000:00:05.0", 0x4795000, 64, NONE, 0},
	{"DMA-API: drv usb1: device driver frees DMA memory with different attributes "
	 "[device address=0x0000000000001000] [size=1 bytes] [mapped with 0x400] [unmapped with "
	 "0x0]",
	 DMS_MSG_DEBUG_OTHER, "usb1", 0x1000, 1, NONE, 0},
	{"DMA-API: drv a: device driver maps memory from stack [probable addr=00000000f3a1b2c3]",
	 DMS_MSG_STACK, "a", NONE, NONE, NONE, 0},
	{"DMA-API: NULL NULL: device driver maps memory from stack [addr=00000000f3a1b2c3]",
	 DMS_MSG_STACK, NULL, NONE, NONE, NONE, 0},
	{"DMA-API: drv a: device driver maps memory from kernel text or rodata [addr=1] [len=64]",
	 DMS_MSG_KERNEL_TEXT, "a", NONE, 64, NONE, 0},
	{"DMA-API: drv a: device driver maps memory from invalid area [addr=0x1] [len=4096]",
	 DMS_MSG_INVALID_AREA, "a", NONE, 4096, NONE, 0},
	{"DMA-API: drv a: device driver maps memory from vmalloc area [addr=0x1] [len=4096]",
	 DMS_MSG_VMALLOC, "a", NONE, 4096, NONE, 0},
	{"DMA-API: drv a: cacheline tracking EEXIST, overlapping mappings aren't supported",
	 DMS_MSG_DEBUG_OTHER, "a", NONE, NONE, NONE, 0},
	{"DMA-API: exceeded 7 overlapping mappings of cacheline 0x0000000000046c1",
	 DMS_MSG_DEBUG_OTHER, NULL, NONE, NONE, NONE, 0},
	{"DMA-API: drv a: mapping sg segment longer than device claims to support [len=16384] "
	 "[max=4096]",
	 DMS_MSG_SEGMENT_LONG, "a", NONE, 16384, 4096, 0},
	{"DMA-API: drv a: mapping sg segment across boundary [start=0x0000000000001800] "
	 "[end=0x00000000000027ff] [boundary=0x0000000000000fff]",
	 DMS_MSG_SEGMENT_BOUNDARY, "a", 0x1800, NONE, 0xfff, 0},
	{"DMA-API: pci 0000:00:05.0: device driver has pending DMA allocations while released from "
	 "device [count=4]\nOne of leaked entries details: [device address=0x00000000ffffe000] "
	 "[size=1024 bytes] [mapped with DMA_TO_DEVICE] [mapped as single]",
	 DMS_MSG_LEAK, "0000:00:05.0", 0xffffe000, 1024, NONE, 0},
	{"DMA-API: drv a: dma_map_resource called for RAM address 0x0000000012345000",
	 DMS_MSG_RESOURCE_RAM, "a", NONE, NONE, NONE, 0},
	{"DMA-API: debugging out of memory - disabling", DMS_MSG_DEBUG_OFF, NULL, NONE, NONE, NONE,
	 0},
	{"DMA-API: cacheline tracking ENOMEM, dma-debug disabled", DMS_MSG_DEBUG_OFF, NULL, NONE,
	 NONE, NONE, 0},
	{"DMA-API: Mapped at:", DMS_MSG_NONE, NULL, NONE, NONE, NONE, 0},
	{"DMA-API: preallocated 65536 debug entries", DMS_MSG_DEBUG_ON, NULL, NONE, NONE, NONE, 0},
	{"DMA-API: debugging enabled by kernel config", DMS_MSG_DEBUG_ON, NULL, NONE, NONE, NONE,
	 0},
	{"DMA-API: dma_debug_entry pool grown to 65536 (100%)", DMS_MSG_NONE, NULL, NONE, NONE,
	 NONE, 0},
	/* kernel/dma/direct.h, swiotlb.c, include/linux/dma-mapping.h, mm/dmapool.c */
	{"megaraid_sas 0000:01:00.0: swiotlb buffer is full (sz: 524288 bytes), total 32768 "
	 "(slots), "
	 "used 16 (slots)",
	 DMS_MSG_SWIOTLB_FULL, "0000:01:00.0", NONE, 524288, NONE, 0},
	{"b43 ssb0:0: DMA addr 0x0000000137fe4000+4096 overflow (mask 3fffffff, bus limit 0).",
	 DMS_MSG_OVERFLOW, "ssb0:0", 0x137fe4000, 4096, 0x3fffffff, 0},
	{"drv a: swiotlb addr 0x0000000137fe4000+256 overflow (mask ffffffff, bus limit 0).",
	 DMS_MSG_OVERFLOW, "a", 0x137fe4000, 256, 0xffffffff, 0},
	{"drv a: rejecting DMA map of vmalloc memory", DMS_MSG_VMALLOC, "a", NONE, NONE, NONE, 0},
	{"drv a: dma_pool_destroy buffer-32, 00000000c5a1d3f2 busy", DMS_MSG_POOL, "a", NONE, NONE,
	 NONE, 0},
	{"drv a: dma_pool_free io/x, dma 0x0000000012345680 already free", DMS_MSG_POOL, "a",
	 0x12345680, NONE, NONE, 0},
	{"drv a: dma_pool_free io/x, 00000000c5a1d3f2 (bad vaddr)/0x0000000012345680", DMS_MSG_POOL,
	 "a", 0x12345680, NONE, NONE, 0},
	{"drv a: dma_pool_free io/x, 00000000c5a1d3f2/0x0000000012345680 (bad dma)", DMS_MSG_POOL,
	 "a", 0x12345680, NONE, NONE, 0},
	{"drv a: dma_pool_alloc io, 00000000c5a1d3f2 (corrupted)", DMS_MSG_POOL, "a", NONE, NONE,
	 NONE, 0},
	{" ? dma_pool_free+0x1a/0x40", DMS_MSG_NONE, NULL, NONE, NONE, NONE, 0},
	{"RIP: 0010:swiotlb_bounce+0x1a/0x40", DMS_MSG_NONE, NULL, NONE, NONE, NONE, 0},
	/* VT-d: today's, and three older ones */
	{"DMAR: [DMA Write NO_PASID] Request device [00:05.0] fault addr 0xfffff000 "
	 "[fault reason 0x05] PTE Write access is not set",
	 FAULT, "0000:00:05.0", 0xfffff000, NONE, NONE, WRITE},
	{"DMAR: [DMA Read NO_PASID] Request device [3a:1f.7] fault addr 0x1000 "
	 "[fault reason 0x06] PTE Read access is not set",
	 FAULT, "0000:3a:1f.7", 0x1000, NONE, NONE, READ},
	{"DMAR: [DMA Write] Request device [00:05.0] PASID ffffffff fault addr fffff000 "
	 "[fault reason 05] PTE Write access is not set",
	 FAULT, "0000:00:05.0", 0xfffff000, NONE, NONE, WRITE},
	{"DMAR:[DMA Read] Request device [0a:00.1] fault addr ffd4e000 ", FAULT, "0000:0a:00.1",
	 0xffd4e000, NONE, NONE, READ},
	{"DMAR: [DMA Write NO_PASID] Request device [0x00:0x05.0] fault addr 0xfffff000 "
	 "[fault reason 0x05] PTE Write access is not set",
	 FAULT, "0000:00:05.0", 0xfffff000, NONE, NONE, WRITE},
	{"DMAR: [DMA Read PASID 0x1] Request device [00:05.0] fault addr 0x7f0000001000 "
	 "[fault reason 0x71] SM: Present bit in first-level paging entry is clear",
	 DMS_MSG_NONE, NULL, NONE, NONE, NONE, 0},
	{"DMAR: [DMA Write] Request device [00:05.0] PASID 3 fault addr fffff000 [fault reason 05]",
	 DMS_MSG_NONE, NULL, NONE, NONE, NONE, 0},
	{"DMAR: [INTR-REMAP] Request device [f0:1f.7] fault index 0x0 [fault reason 0x25] Blocked",
	 DMS_MSG_NONE, NULL, NONE, NONE, NONE, 0},
	{"DMAR: DRHD: handling fault status reg 2", DMS_MSG_NONE, NULL, NONE, NONE, NONE, 0},
	/* AMD */
	{"AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:03:00.0 domain=0x000b "
	 "address=0xfffff000 flags=0x0020]",
	 FAULT, "0000:03:00.0", 0xfffff000, NONE, NONE, WRITE},
	{"AMD-Vi: Event logged [IO_PAGE_FAULT device=03:00.1 domain=0x000b "
	 "address=0x00000000fdf8f0c0 flags=0x0000]",
	 FAULT, "0000:03:00.1", 0xfdf8f0c0, NONE, NONE, READ},
	{"AMD-Vi: Event logged [IO_PAGE_FAULT device=0001:c1:00.0 domain=0x000b "
	 "address=0xfffff000 flags=0x0070]",
	 FAULT, "0001:c1:00.0", 0xfffff000, NONE, NONE, WRITE},
	{"nvme 0000:01:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0010 "
	 "address=0x0 flags=0x0000]",
	 FAULT, "0000:01:00.0", 0, NONE, NONE, READ},
	{"AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:03:00.0 domain=0x000b "
	 "address=0xfffffffdf8000000 flags=0x0008]",
	 DMS_MSG_NONE, NULL, NONE, NONE, NONE, 0},
	{"AMD-Vi: Interrupt remapping enabled", DMS_MSG_NONE, NULL, NONE, NONE, NONE, 0},
	/* Arm SMMU v1 and v2, virtio-iommu */
	{"arm-smmu 5000000.iommu: Unhandled context fault: fsr=0x402, iova=0xffff0000, "
	 "fsynr=0x10011, cbfrsynra=0x1, cb=1",
	 FAULT, NULL, 0xffff0000, NONE, NONE, WRITE},
	{"arm-smmu 5000000.iommu: Unhandled context fault: fsr=0x402, iova=0xffff0000, fsynr=0x1, "
	 "cb=1",
	 FAULT, NULL, 0xffff0000, NONE, NONE, READ},
	{"virtio_iommu virtio0: page fault from EP 8 at 0xfffff000 [W]", FAULT, NULL, 0xfffff000,
	 NONE, NONE, WRITE},
	{"virtio_iommu virtio0: page fault from EP 8 at 0xfffff000 []", FAULT, NULL, 0xfffff000,
	 NONE, NONE, UNKNOWN},
	/* what others may have left before it */
	{"<4>[   12.345678] DMA-API: drv a: device driver maps memory from stack [addr=1]",
	 DMS_MSG_STACK, "a", NONE, NONE, NONE, 0},
	{"[   12.345678][  T123] drv a: rejecting DMA map of vmalloc memory\r\n", DMS_MSG_VMALLOC,
	 "a", NONE, NONE, NONE, 0},
	{"[    1.2] [C1] DMAR: [DMA Read NO_PASID] Request device [00:02.0] fault addr 0x0 [",
	 FAULT, "0000:00:02.0", 0, NONE, NONE, READ},
	/* broken */
	{"", DMS_MSG_NONE, NULL, NONE, NONE, NONE, 0},
	{"DMAR: [DMA Write] Request device [00:25.0] fault addr 0x1000 [", FAULT, NULL, 0x1000, NONE,
	 NONE, WRITE},
	/* the last digits may be missing */
	{"DMAR: [DMA Write] Request device [00:05.0] fault addr 0x1000", DMS_MSG_NONE, NULL, NONE, NONE,
	 NONE, 0},
	{"virtio_iommu virtio0: page fault from EP 8 at 0xfffff", DMS_MSG_NONE, NULL, NONE, NONE, NONE, 0},
	{"DMAR: [DMA Write] Request device [00:05.0] fault addr 0x11112222333344445", DMS_MSG_NONE,
	 NULL, NONE, NONE, NONE, 0},
	{"DMAR: [DMA Write] Request device [00:05.0] fault addr ", DMS_MSG_NONE, NULL, NONE, NONE,
	 NONE, 0},
	{": swiotlb buffer is full (sz: 1 bytes)", DMS_MSG_NONE, NULL, NONE, NONE, NONE, 0},
	{"drv \x1b[31m: swiotlb buffer is full (sz: 1 bytes)", DMS_MSG_NONE, NULL, NONE, NONE, NONE,
	 0},
};

static const char *device_name(const struct dms_strtab *names, const struct dms_event *event)
{
	return (event->has & DMS_HAS_DEVICE) ? dms_strtab_get(names, event->device) : NULL;
}

static void check_number(const char *text, const struct dms_event *event, uint32_t bit,
			 uint64_t got, uint64_t wanted)
{
	ck_assert_msg(!(event->has & bit) == (wanted == NONE), "%s: has %x", text, event->has);
	ck_assert_msg(wanted == NONE || got == wanted, "%s: %" PRIx64 ", not %" PRIx64, text, got,
		      wanted);
}

static void check_wording(const struct wording *wording, const struct dms_event *event,
			  const char *device)
{
	bool is_fault = wording->what == FAULT;

	ck_assert_msg(event->kind == (is_fault ? DMS_EV_IOMMU_FAULT : DMS_EV_CONSOLE),
		      "%s: kind %d", wording->text, event->kind);
	ck_assert_msg(event->message == (is_fault ? DMS_MSG_NONE : wording->what), "%s: message %d",
		      wording->text, event->message);
	ck_assert_msg(!device == !wording->device && (!device || !strcmp(device, wording->device)),
		      "%s: device %s", wording->text, device ? device : "none");
	check_number(wording->text, event, DMS_HAS_DMA_ADDR, event->dma_addr, wording->dma_addr);
	check_number(wording->text, event, DMS_HAS_SIZE, event->size, wording->size);
	check_number(wording->text, event, DMS_HAS_DMA_MASK, event->dma_mask, wording->dma_mask);
	ck_assert_msg(!(event->has & DMS_HAS_ERR) == (!is_fault || wording->access == UNKNOWN),
		      "%s: access", wording->text);
	ck_assert_msg(!(event->has & DMS_HAS_ERR) || event->err == wording->access, "%s: err %d",
		      wording->text, event->err);
	ck_assert_ptr_nonnull(event->text);
}

START_TEST(wording)
{
	const struct wording *row = &wordings[_i];
	struct dms_strtab *names = dms_strtab_create();
	struct dms_console_state state = {0};
	struct dms_event event;
	bool is_told = dms_console_read(&state, row->text, strlen(row->text), names, &event);

	ck_assert_msg(is_told == (row->what != DMS_MSG_NONE), "%s", row->text);
	if (is_told)
		check_wording(row, &event, device_name(names, &event));
	else
		ck_assert_uint_eq(event.kind, DMS_EV_NONE);
	dms_strtab_destroy(names);
}
END_TEST

START_TEST(ram_address)
{
	static const char text[] =
		"DMA-API: drv a: dma_map_resource called for RAM address 0x0000000012345000";
	struct dms_strtab *names = dms_strtab_create();
	struct dms_console_state state = {0};
	struct dms_event event;

	ck_assert(dms_console_read(&state, text, strlen(text), names, &event));
	ck_assert(event.has & DMS_HAS_PHYS_ADDR);
	ck_assert_uint_eq(event.phys_addr, 0x12345000);
	ck_assert_uint_eq(event.text_len, strlen(text));
	dms_strtab_destroy(names);
}
END_TEST

/* ---- faults in several lines ----------------------------------------------------------------- */

#define SMMU "arm-smmu-v3 9050000.smmuv3: "
#define WORDS(second)                                                                              \
	SMMU "event 0x10 received:", SMMU "\t0x0000000800000010", SMMU "\t" second,                \
		SMMU "\t0x00000000fffff000", SMMU "\t0x0000000000000000"

/* Feed @lines; the line that told something, from 1, is @told; 0: none, and of several the last. */
static struct dms_event feed(struct dms_console_state *state, struct dms_strtab *names,
			     const char *const *lines, unsigned int *told)
{
	struct dms_event event, last = {0};

	*told = 0;
	for (unsigned int i = 0; lines[i]; i++) {
		if (!dms_console_read(state, lines[i], strlen(lines[i]), names, &event))
			continue;
		*told = i + 1;
		last = event;
	}
	return last;
}

START_TEST(smmu_v3)
{
	static const char *const write[] = {WORDS("0x0000020000000000"), NULL};
	static const char *const read[] = {WORDS("0x0000020800000000"), NULL};
	static const char *const named[] = {
		WORDS("0x0000020800000000"),
		SMMU "event: F_TRANSLATION client: 0000:00:01.0 sid: 0x8 ssid: 0 iova: 0xfffff000 "
		     "ipa: 0x0",
		SMMU "unpriv data read s1 \"Input address caused fault\" stag: 0", NULL};
	static const char *const mixed[] = {SMMU "event 0x10 received:",
					    SMMU "\t0x0000000800000010",
					    "usb 1-1: new device",
					    "arm-smmu-v3 other: \t0x1",
					    SMMU "\t0x0",
					    SMMU "\t0xabc000",
					    SMMU "\t0x0",
					    NULL};
	static const char *const others[] = {SMMU "event 0x02 received:",
					     SMMU "\t0x2",
					     SMMU "\t0x0",
					     SMMU "\t0x1000",
					     SMMU "\t0x0",
					     SMMU "event 0x10 received:",
					     SMMU "\t0x0000000800005810",
					     SMMU "\t0x0",
					     SMMU "\t0x1000",
					     SMMU "\t0x0",
					     SMMU "\t0x5",
					     NULL};
	struct dms_strtab *names = dms_strtab_create();
	struct dms_console_state state = {0};
	unsigned int told;
	struct dms_event event = feed(&state, names, write, &told);

	ck_assert_uint_eq(told, 5);
	ck_assert_uint_eq(event.dma_addr, 0xfffff000);
	ck_assert_uint_eq(event.has, DMS_HAS_DMA_ADDR | DMS_HAS_ERR);
	ck_assert_int_eq(event.err, WRITE);
	ck_assert_int_eq(feed(&state, names, read, &told).err, READ);
	event = feed(&state, names, mixed, &told);
	ck_assert_uint_eq(told, 7);
	ck_assert_uint_eq(event.dma_addr, 0xabc000);
	/* another kind of event, and a process's own address space */
	feed(&state, names, others, &told);
	ck_assert_uint_eq(told, 0);
	event = feed(&state, names, named, &told);
	ck_assert_uint_eq(told, 6);
	ck_assert_str_eq(device_name(names, &event), "0000:00:01.0");
	ck_assert_int_eq(event.err, READ);
	/* a kernel that tells the device is not listened to before it does */
	feed(&state, names, write, &told);
	ck_assert_uint_eq(told, 0);
	ck_assert_uint_eq(dms_strtab_count(names), 1);
	dms_strtab_destroy(names);
}
END_TEST

START_TEST(smmu_v3_named)
{
	static const char *const lone[] = {SMMU "event: F_PERMISSION client: (unassigned sid) sid: "
						"0x8 ssid: 0 iova: 0x1000 ipa: 0",
					   NULL};
	static const char *const process[] = {SMMU "event: F_TRANSLATION client: a sid: 0x8 ssid: "
						   "0x1 iova: 0x1000 ipa: 0",
					      SMMU "event: C_BAD_STE client: a sid: 0x8 ssid: 0",
					      NULL};
	struct dms_strtab *names = dms_strtab_create();
	struct dms_console_state state = {0};
	unsigned int told;
	struct dms_event event = feed(&state, names, lone, &told);

	ck_assert_uint_eq(told, 1);
	ck_assert_uint_eq(event.has, DMS_HAS_DMA_ADDR);
	feed(&state, names, process, &told);
	ck_assert_uint_eq(told, 0);
	dms_strtab_destroy(names);
}
END_TEST

/* ---- hostile bytes --------------------------------------------------------------------------- */

/* In a block of its own size: a sanitizer sees each byte read beyond. */
static void read_exactly(struct dms_console_state *state, struct dms_strtab *names,
			 const char *text, size_t size)
{
	char *copy = malloc(size ? size : 1);
	struct dms_event event;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, size);
	if (dms_console_read(state, copy, size, names, &event))
		ck_assert_uint_le(event.text_len, size);
	free(copy);
}

START_TEST(hostile)
{
	struct dms_strtab *names = dms_strtab_create();
	struct dms_console_state state = {0};
	uint64_t random = 1;
	char text[512];

	for (size_t i = 0; i < DMS_ARRAY_SIZE(wordings); i++) {
		size_t size = strlen(wordings[i].text);

		for (size_t cut = 0; cut <= size; cut++)
			read_exactly(&state, names, wordings[i].text, cut);
		for (size_t at = 0; at < size; at++) {
			memcpy(text, wordings[i].text, size);
			random = dms_hash64(random + 1);
			text[at] = (char)random;
			text[(random >> 8) % size] = (char)(random >> 32);
			read_exactly(&state, names, text, size);
		}
	}
	for (int turn = 0; turn < 5000; turn++) {
		for (size_t at = 0; at < sizeof(text); at++) {
			random = dms_hash64(random + at);
			text[at] = (char)random;
		}
		read_exactly(&state, names, text, random % sizeof(text));
	}
	dms_strtab_destroy(names);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("console");
	TCase *tcase = tcase_create("console");
	SRunner *runner;
	int failures;

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, wording, 0, (int)DMS_ARRAY_SIZE(wordings));
	tcase_add_test(tcase, ram_address);
	tcase_add_test(tcase, smmu_v3);
	tcase_add_test(tcase, smmu_v3_named);
	tcase_add_test(tcase, hostile);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of src/decode: records made by hand after the format files of real kernels, field by
 * field, and formats edited to lack fields or to spell them otherwise.
 */
#include "lib/fakeformats.h"

/* What each tracepoint must come to. "has" only where every kernel gives it. */
#define COMMON	 (DMS_HAS_DEVICE | DMS_HAS_SIZE | DMS_HAS_DIR)
#define MAPPED	 (COMMON | DMS_HAS_DMA_ADDR | DMS_HAS_PHYS_ADDR | DMS_HAS_ATTRS)
#define UNMAPPED (COMMON | DMS_HAS_DMA_ADDR | DMS_HAS_ATTRS)
#define FREED	 (UNMAPPED | DMS_HAS_VIRT_ADDR)
#define FLAGS	 (DMS_HAS_GFP | DMS_HAS_MAY_BLOCK)
#define LISTS	 (DMS_HAS_DMA_LIST | DMS_HAS_LENGTHS)
static const struct expected {
	const char *system, *name;
	enum dms_event_kind kind;
	uint32_t has;
} expected[] = {
	{ "dma", "dma_map_page", DMS_EV_MAP, MAPPED },
	{ "dma", "dma_map_phys", DMS_EV_MAP, MAPPED },
	{ "dma", "dma_map_resource", DMS_EV_MAP_RESOURCE, MAPPED },
	{ "dma", "dma_unmap_page", DMS_EV_UNMAP, UNMAPPED },
	{ "dma", "dma_unmap_phys", DMS_EV_UNMAP, UNMAPPED },
	{ "dma", "dma_unmap_resource", DMS_EV_UNMAP_RESOURCE, UNMAPPED },
	{ "dma", "dma_map_sg", DMS_EV_MAP_SG, UNMAPPED | LISTS | DMS_HAS_PHYS_LIST | DMS_HAS_NENTS },
	{ "dma", "dma_map_sg_err", DMS_EV_MAP_SG_ERR,
	  DMS_HAS_DEVICE | DMS_HAS_PHYS_LIST | DMS_HAS_ERR | DMS_HAS_DIR | DMS_HAS_ATTRS },
	{ "dma", "dma_unmap_sg", DMS_EV_UNMAP_SG,
	  DMS_HAS_DEVICE | DMS_HAS_PHYS_LIST | DMS_HAS_DIR | DMS_HAS_ATTRS },
	{ "dma", "dma_alloc", DMS_EV_ALLOC, FREED | FLAGS },
	{ "dma", "dma_alloc_pages", DMS_EV_ALLOC_PAGES, FREED | FLAGS },
	{ "dma", "dma_alloc_sgt", DMS_EV_ALLOC_SGT, UNMAPPED | DMS_HAS_PHYS_LIST | FLAGS },
	{ "dma", "dma_alloc_sgt_err", DMS_EV_ALLOC_SGT_ERR,
	  (FREED | FLAGS) & ~DMS_HAS_DMA_ADDR }, /* it failed: the address is noise */
	{ "dma", "dma_free", DMS_EV_FREE, FREED },
	{ "dma", "dma_free_pages", DMS_EV_FREE_PAGES, FREED },
	{ "dma", "dma_free_sgt", DMS_EV_FREE_SGT, COMMON | DMS_HAS_DMA_ADDR | DMS_HAS_PHYS_LIST },
	{ "dma", "dma_sync_single_for_cpu", DMS_EV_SYNC_FOR_CPU, COMMON | DMS_HAS_DMA_ADDR },
	{ "dma", "dma_sync_single_for_device", DMS_EV_SYNC_FOR_DEVICE, COMMON | DMS_HAS_DMA_ADDR },
	{ "dma", "dma_sync_sg_for_cpu", DMS_EV_SYNC_SG_FOR_CPU,
	  LISTS | DMS_HAS_DEVICE | DMS_HAS_DIR },
	{ "dma", "dma_sync_sg_for_device", DMS_EV_SYNC_SG_FOR_DEVICE,
	  LISTS | DMS_HAS_DEVICE | DMS_HAS_DIR },
	{ "swiotlb", "swiotlb_bounced", DMS_EV_BOUNCE,
	  DMS_HAS_DEVICE | DMS_HAS_PHYS_ADDR | DMS_HAS_SIZE | DMS_HAS_DMA_MASK },
	{ "iommu", "map", DMS_EV_IOMMU_MAP, DMS_HAS_DMA_ADDR | DMS_HAS_PHYS_ADDR | DMS_HAS_SIZE },
	{ "iommu", "unmap", DMS_EV_IOMMU_UNMAP,
	  DMS_HAS_DMA_ADDR | DMS_HAS_SIZE | DMS_HAS_UNMAPPED },
	{ "iommu", "io_page_fault", DMS_EV_IOMMU_FAULT,
	  DMS_HAS_DEVICE | DMS_HAS_DMA_ADDR | DMS_HAS_ERR },
	{ "iommu", "add_device_to_group", DMS_EV_IOMMU_GROUP_ADD, DMS_HAS_DEVICE | DMS_HAS_ERR },
	{ "iommu", "remove_device_from_group", DMS_EV_IOMMU_GROUP_REMOVE,
	  DMS_HAS_DEVICE | DMS_HAS_ERR },
	{ "iommu", "attach_device_to_domain", DMS_EV_IOMMU_ATTACH, DMS_HAS_DEVICE },
};

/* ---- every spelling of every kernel ----------------------------------------------------------------- */

static void check_numbers(const struct dms_event *event, const struct expected *row)
{
	uint32_t scalar = row->kind == DMS_EV_MAP_SG ? 0 : event->has; /* its are derived */

	ck_assert_uint_eq(event->pid, 4242);
	ck_assert_uint_eq(event->common_flags, 0x11);
	ck_assert_uint_eq(event->preempt_count, 3);
	if (event->has & DMS_HAS_DEVICE)
		ck_assert_str_eq(dms_strtab_get(fake.names.devices, event->device), DEVICE);
	else
		ck_assert_uint_eq(event->device, DMS_ID_NONE);
	if (scalar & DMS_HAS_DMA_ADDR)
		ck_assert_uint_eq(event->dma_addr, 0xfedcba9876543000);
	if (scalar & DMS_HAS_SIZE)
		ck_assert_uint_eq(event->size, held("size", "size"));
	if (event->has & DMS_HAS_PHYS_ADDR)
		ck_assert_uint_eq(event->phys_addr,
				  row->kind == DMS_EV_BOUNCE ? held("dev_addr", "dev_addr")
							     : 0x123456789000);
	if (event->has & DMS_HAS_VIRT_ADDR)
		ck_assert_uint_eq(event->virt_addr, held("virt_addr", "virt_addr"));
	if (event->has & DMS_HAS_ATTRS)
		ck_assert_uint_eq(event->attrs, 0x122);
	if (event->has & DMS_HAS_GFP)
		ck_assert(event->gfp == 0xcc0 && event->may_block);
	if (event->has & DMS_HAS_UNMAPPED)
		ck_assert_uint_eq(event->phys_addr, held("unmapped_size", "unmapped_size"));
	if (event->has & DMS_HAS_DMA_MASK)
		ck_assert(event->dma_mask == 0xffffffff && event->force);
	ck_assert_uint_eq(event->dir, event->has & DMS_HAS_DIR ? DMS_DIR_FROM_DEVICE
							       : DMS_DIR_UNKNOWN);
}

static void check_lists(const struct dms_event *event)
{
	ck_assert_uint_eq(event->n_phys, event->has & DMS_HAS_PHYS_LIST ? 5 : 0);
	ck_assert_uint_eq(event->n_dma, event->has & DMS_HAS_DMA_LIST ? 3 : 0);
	if (event->n_phys)
		ck_assert_mem_eq(event->phys_list, phys_values, sizeof(phys_values));
	if (event->n_dma)
		ck_assert_mem_eq(event->dma_list, dma_values, sizeof(dma_values));
	if (event->has & DMS_HAS_LENGTHS)
		ck_assert_mem_eq(event->lengths, lengths_values, sizeof(lengths_values));
	if (event->kind == DMS_EV_MAP_SG) {
		ck_assert(event->nents == 200 && event->ents == 150 && event->truncated);
		ck_assert_uint_eq(event->size, 4096ull + 0xfffff000 + 512);
		ck_assert_uint_eq(event->dma_addr, dma_values[0]);
	} else if (event->kind == DMS_EV_UNMAP_SG) {
		ck_assert_uint_eq(event->nents, 5);
	} else if (event->n_dma) {
		ck_assert(event->nents == 3 && event->ents == 3);
	}
}

static void check_event(const struct dms_event *event, const struct expected *row)
{
	ck_assert_msg(event->kind == row->kind, "%s is %s", row->name,
		      dms_event_kind_name(event->kind));
	ck_assert_msg(event->has == row->has, "%s has %#x, not %#x", row->name, event->has,
		      row->has);
	ck_assert(event->ts == 5 && event->cpu == 3 && event->instance == 1);
	ck_assert_uint_eq(event->stack, DMS_ID_NONE);
	ck_assert_int_eq(event->failed, row->kind == DMS_EV_MAP_SG_ERR ||
						row->kind == DMS_EV_ALLOC_SGT_ERR);
	check_numbers(event, row);
	check_lists(event);
	if (row->kind == DMS_EV_MAP_SG_ERR)
		ck_assert_int_eq(event->err, -12);
	if (row->kind == DMS_EV_IOMMU_FAULT) {
		ck_assert_int_eq(event->err, 0xcc0);
		ck_assert_str_eq(dms_strtab_get(fake.names.devices, event->driver), DRIVER);
	} else {
		ck_assert_uint_eq(event->driver, DMS_ID_NONE);
	}
	if (row->kind == DMS_EV_IOMMU_GROUP_ADD)
		ck_assert_int_eq(event->err, 7);
}

START_TEST(every_field)
{
	const struct kernel *kernel = &kernels[_i];
	unsigned int seen = 0;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(expected); i++) {
		struct dms_event event;

		fake_begin(kernel);
		if (fake_add(kernel, expected[i].system, expected[i].name)) {
			fake_start();
			build(0);
			event = decode_built();
			ck_assert_msg(!count().malformed, "%s: %s", expected[i].name, count().reason);
			check_event(&event, &expected[i]);
			ck_assert(dms_decoder_has_kind(fake.decoder, expected[i].kind));
			ck_assert(count().decoded && count().records == 1);
			seen++;
		}
		fake_end();
	}
	/* 16 of dma since 6.18, 18 before; and seven others */
	if (kernel->is_fixture || seen)
		ck_assert_uint_ge(seen, 16 + 7);
}
END_TEST

/* Of tests/check_probe.c. */
static const char *const other_systems[] = { "dev",	  "module", "kmem",
					     "page_pool", "ftrace", "printk" };

static bool is_other(const char *system)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(other_systems); i++) {
		if (!strcmp(system, other_systems[i]))
			return true;
	}
	return false;
}

/* The test's own list and the program's must name the same tracepoints. */
START_TEST(no_row_is_untested)
{
	ck_assert_uint_eq(n_event_rows, DMS_ARRAY_SIZE(expected) + 9);
	for (size_t i = 0; i < n_event_rows; i++) {
		size_t at = 0;

		if (is_other(event_table[i].system))
			continue;
		while (at < DMS_ARRAY_SIZE(expected) &&
		       (strcmp(expected[at].name, event_table[i].name) != 0 ||
			strcmp(expected[at].system, event_table[i].system) != 0))
			at++;
		ck_assert_msg(at < DMS_ARRAY_SIZE(expected), "%s", event_table[i].name);
	}
}
END_TEST

/* ---- formats that differ ------------------------------------------------------------------------------ */

static const struct {
	const char *name, *from, *to; /* the format, and how it is changed */
	uint32_t lacks, gains;	      /* DMS_HAS_* */
	bool is_decoded;
} edits[] = {
	{ "dma_map_phys", " dir;", " xdir;", DMS_HAS_DIR, 0, true },
	{ "dma_map_phys", " attrs;", " xattrs;", DMS_HAS_ATTRS, 0, true },
	{ "dma_map_phys", " phys_addr;", " xphys_addr;", DMS_HAS_PHYS_ADDR, 0, true },
	{ "dma_map_phys", " dma_addr;", " xdma_addr;", 0, 0, false },
	{ "dma_map_phys", " size;", " xsize;", 0, 0, false },
	{ "dma_map_phys", " device;", " xdevice;", 0, 0, false },
	{ "dma_map_phys", "u64 dma_addr;", "u64 dma_addr[2];", 0, 0, true },
	{ "dma_unmap_phys", " addr;", " dma_addr;", 0, 0, false },
	{ "dma_alloc", " virt_addr;", " phys_addr;", DMS_HAS_VIRT_ADDR, DMS_HAS_PHYS_ADDR, true },
	{ "dma_alloc", " flags;", " xflags;", FLAGS, 0, true },
	{ "dma_alloc", "\"__GFP_DIRECT_RECLAIM\"", "\"__GFP_X\"", DMS_HAS_MAY_BLOCK, 0, true },
	{ "dma_map_sg", " full_nents;", " xfull_nents;", 0, 0, true },
	{ "dma_map_sg", " full_", " xfull_", DMS_HAS_NENTS, 0, true },
	{ "dma_map_sg", " lengths;", " xlengths;", 0, 0, false },
	{ "dma_unmap_sg", " addrs;", " xaddrs;", 0, 0, false },
	{ "dma_map_sg_err", " err;", " xerr;", DMS_HAS_ERR, 0, true },
	{ "dma_sync_sg_for_cpu", " dma_addrs;", " xdma_addrs;", 0, 0, false },
	{ "dma_free_sgt", " phys_addrs;", " xphys_addrs;", DMS_HAS_PHYS_LIST, 0, true },
};

START_TEST(edited_format)
{
	const struct expected *row = expected;
	struct dms_event event;

	while (strcmp(row->name, edits[_i].name) != 0)
		row++;
	fake_begin(&kernels[2]);
	ck_assert(fake_add(&kernels[2], "dma", edits[_i].name));
	fake_edit(edits[_i].from, edits[_i].to);
	fake_start();
	build(0);
	event = decode_built();
	ck_assert_uint_eq(count().records, 1);
	ck_assert_int_eq(count().decoded, edits[_i].is_decoded);
	if (edits[_i].is_decoded) {
		ck_assert_int_eq(event.kind, row->kind);
		ck_assert_uint_eq(event.has, (row->has & ~edits[_i].lacks) | edits[_i].gains);
	} else {
		ck_assert_int_eq(event.kind, DMS_EV_NONE);
		ck_assert_ptr_nonnull(strstr(count().reason, "its format has no usable "));
		ck_assert(!dms_decoder_has_kind(fake.decoder, row->kind));
	}
	fake_end();
}
END_TEST

/* Before 6.12.74 dma_map_sg gave no counts of its own: the lists' lengths are they. */
START_TEST(list_without_counts)
{
	struct dms_event event;

	fake_begin(&kernels[0]);
	ck_assert(fake_add(&kernels[0], "dma", "dma_map_sg"));
	fake_edit(" full_", " xfull_");
	fake_edit(" truncated", " xtruncated");
	fake_start();
	build(0);
	event = decode_built();
	ck_assert(event.nents == 5 && event.ents == 3 && !event.truncated);
	fake_end();
}
END_TEST

START_TEST(relative_locations)
{
	static const struct kernel *kernel = &kernels[3]; /* big-endian, to make it harder */

	for (size_t i = 0; i < DMS_ARRAY_SIZE(expected); i++) {
		struct dms_event event;

		fake_begin(kernel);
		if (fake_add(kernel, expected[i].system, expected[i].name) &&
		    strstr(fake.texts[0], "__data_loc")) {
			fake_edit("__data_loc", "__rel_loc");
			fake_start();
			build(0);
			event = decode_built();
			check_event(&event, &expected[i]);
		}
		fake_end();
	}
}
END_TEST

/* Probes of old kernels make a fixed array of a string. */
START_TEST(fixed_string)
{
	struct dms_event event;

	fake_begin(&kernels[0]);
	ck_assert(fake_add(&kernels[0], "dma", "dma_unmap_page"));
	fake_edit("__data_loc char[] device;\toffset:8;\tsize:4;",
		  "char device[16];\toffset:48;\tsize:16;");
	fake_start();
	build(0);
	memcpy(fake.record + 48, DEVICE, sizeof(DEVICE));
	event = decode_built();
	ck_assert_int_eq(event.kind, DMS_EV_UNMAP);
	ck_assert_str_eq(dms_strtab_get(fake.names.devices, event.device), DEVICE);
	memset(fake.record + 48, 'x', 16);
	event = decode_built();
	ck_assert_int_eq(event.kind, DMS_EV_NONE);
	ck_assert_str_eq(count().reason, "a string is not terminated");
	fake_end();
}
END_TEST

static void check_name(const char *name, uint32_t bytes)
{
	const struct field field = find_field("device");
	struct dms_event event;

	build(0);
	for (uint32_t i = 0; i < bytes; i++)
		put(200 + i, (uint8_t)name[i], 1);
	put(200 + bytes, 0, 1);
	put_location(&field, 200, bytes + 1);
	for (int again = 0; again < 2; again++) { /* by the table, then by the cache of last names */
		event = decode_built();
		ck_assert_int_eq(event.kind, DMS_EV_UNMAP);
		ck_assert_str_eq(dms_strtab_get(fake.names.devices, event.device), name);
	}
}

/* Names that only differ in their middle or in their length, one after the other. */
START_TEST(names_of_every_length)
{
	char name[41];

	fake_begin(&kernels[0]);
	ck_assert(fake_add(&kernels[0], "dma", "dma_unmap_page"));
	fake_start();
	for (uint32_t bytes = 0; bytes < sizeof(name); bytes++) {
		memset(name, 'a', sizeof(name));
		name[bytes] = '\0';
		check_name(name, bytes);
		for (uint32_t i = 0; i < bytes; i++) {
			name[i] = 'b';
			check_name(name, bytes);
			name[i] = '\0'; /* ends there, whatever follows */
			check_name(name, bytes);
			name[i] = 'a';
		}
	}
	fake_end();
}
END_TEST

/* ---- what follows from the values ------------------------------------------------------------------------ */

START_TEST(failed_map)
{
	static const struct {
		int kernel;
		const char *dma_addr_t; /* size of it in swiotlb_bounced; NULL: not traced */
		uint64_t address;
		bool failed;
	} rows[] = {
		{ 2, "8", UINT64_MAX, true }, { 2, "8", UINT32_MAX, false },
		{ 2, NULL, UINT64_MAX, true }, { 2, NULL, 0, false },
		{ 2, "4", UINT32_MAX, true },  { 2, "4", UINT64_MAX, false },
	};
	struct dms_event event;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		const struct kernel *kernel = &kernels[rows[i].kernel];

		fake_begin(kernel);
		if (rows[i].dma_addr_t) {
			ck_assert(fake_add(kernel, "swiotlb", "swiotlb_bounced"));
			if (rows[i].dma_addr_t[0] == '4')
				fake_edit("dev_addr;\toffset:24;\tsize:8", "dev_addr;\toffset:24;\tsize:4");
		}
		ck_assert(fake_add(kernel, "dma", "dma_map_phys"));
		fake_start();
		build(fake.source.n_formats - 1);
		set("dma_addr", rows[i].address);
		event = decode_built();
		ck_assert_msg(event.failed == rows[i].failed, "row %zu", i);
		fake_end();
	}
}
END_TEST

/* A 32-bit kernel: dma_addr_t is as wide as a long unless swiotlb_bounced says otherwise. */
START_TEST(failed_map_of_32_bits)
{
	struct kernel kernel = kernels[2];
	struct dms_event event;

	kernel.long_size = 4;
	for (int with_bounce = 0; with_bounce < 2; with_bounce++) {
		fake_begin(&kernel);
		if (with_bounce)
			ck_assert(fake_add(&kernel, "swiotlb", "swiotlb_bounced"));
		ck_assert(fake_add(&kernel, "dma", "dma_map_phys"));
		fake_start();
		build(fake.source.n_formats - 1);
		set("dma_addr", UINT32_MAX);
		event = decode_built();
		ck_assert_int_eq(event.failed, !with_bounce);
		fake_end();
	}
}
END_TEST

START_TEST(failed_alloc)
{
	static const char *const names[] = { "dma_alloc", "dma_alloc_pages", "dma_free" };
	struct dms_event event;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(names); i++) {
		fake_one(&kernels[_i], "dma", names[i]);
		build(0);
		set("virt_addr", 0);
		set("dma_addr", 0x5a5a5a5a); /* the caller's variable, before 7.2.8 */
		event = decode_built();
		ck_assert_int_eq(event.failed, i < 2);
		ck_assert_uint_eq(event.dma_addr, i < 2 ? 0 : 0x5a5a5a5a);
		ck_assert_int_eq(!!(event.has & DMS_HAS_DMA_ADDR), i == 2);
		fake_end();
	}
}
END_TEST

static const struct {
	const char *release;
	bool is_garbage;
} windows[] = {
	{ "6.12.0", false },	{ "6.12.47", false },	       { "6.12.48-1-amd64", true },
	{ "6.12.53", true },	{ "6.12.54", false },	       { "6.12.95+deb12-amd64", false },
	{ "6.13.0", true },	{ "6.13-rc1", true },	       { "6.17.9-arch1-1", true },
	{ "6.18.0", false },	{ "6.1.170", false },	       { "7.2.13+deb14-amd64", false },
	{ "7.13.0", false },	{ "16.13.0", false },	       { "x", false },
	{ "", false },		{ NULL, false },
};

START_TEST(alloc_dir_window)
{
	static const struct {
		const char *name;
		bool is_touched;
	} rows[] = { { "dma_alloc", true }, { "dma_alloc_pages", true },
		     { "dma_alloc_sgt_err", true }, { "dma_alloc_sgt", false },
		     { "dma_free", false }, { "dma_map_page", false } };
	struct kernel kernel = kernels[0];
	bool garbage;

	kernel.release = windows[_i].release;
	ck_assert_int_eq(alloc_dir_is_garbage(kernel.release), windows[_i].is_garbage);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		struct dms_event event;

		fake_one(&kernel, "dma", rows[i].name);
		build(0);
		event = decode_built();
		garbage = windows[_i].is_garbage && rows[i].is_touched;
		ck_assert_uint_eq(event.dir, garbage ? DMS_DIR_UNKNOWN : DMS_DIR_FROM_DEVICE);
		ck_assert_int_eq(!(event.has & DMS_HAS_DIR), garbage);
		fake_end();
	}
}
END_TEST

START_TEST(mmio_is_a_resource)
{
	struct dms_event event;

	fake_one(&kernels[2], "dma", "dma_map_phys");
	build(0);
	set("attrs", DMS_ATTR_MMIO | DMS_ATTR_SKIP_CPU_SYNC);
	event = decode_built();
	ck_assert_int_eq(event.kind, DMS_EV_MAP_RESOURCE);
	set("dma_addr", UINT64_MAX);
	event = decode_built();
	ck_assert(event.kind == DMS_EV_MAP_RESOURCE && event.failed);
	fake_end();
	fake_one(&kernels[2], "dma", "dma_unmap_phys");
	build(0);
	set("attrs", DMS_ATTR_MMIO);
	event = decode_built();
	ck_assert_int_eq(event.kind, DMS_EV_UNMAP_RESOURCE);
	fake_end();
}
END_TEST

START_TEST(direction_out_of_range)
{
	static const uint64_t bad[] = { 4, 5, 255, 256, 0x80000002, UINT32_MAX };
	struct dms_event event;

	fake_one(&kernels[_i], "dma", "dma_free");
	for (size_t i = 0; i < DMS_ARRAY_SIZE(bad); i++) {
		build(0);
		set("dir", bad[i]);
		event = decode_built();
		ck_assert_int_eq(event.kind, DMS_EV_FREE);
		ck_assert_uint_eq(event.dir, DMS_DIR_UNKNOWN);
		ck_assert(!(event.has & DMS_HAS_DIR));
	}
	for (uint32_t dir = 0; dir <= DMS_DIR_NONE; dir++) {
		build(0);
		set("dir", dir);
		event = decode_built();
		ck_assert_uint_eq(event.dir, dir);
	}
	fake_end();
}
END_TEST

static void add(Suite *suite, const char *name, const TTest *test, int loops)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test, 0, loops);
	suite_add_tcase(suite, tcase);
}

int main(void)
{
	Suite *suite = suite_create("decode");
	SRunner *runner;
	int failures;

	add(suite, "every field", every_field, DMS_ARRAY_SIZE(kernels));
	add(suite, "all rows", no_row_is_untested, 1);
	add(suite, "edited", edited_format, DMS_ARRAY_SIZE(edits));
	add(suite, "no counts", list_without_counts, 1);
	add(suite, "relative", relative_locations, 1);
	add(suite, "fixed string", fixed_string, 1);
	add(suite, "names", names_of_every_length, 1);
	add(suite, "failed map", failed_map, 1);
	add(suite, "failed map, 32 bits", failed_map_of_32_bits, 1);
	add(suite, "failed alloc", failed_alloc, 4);
	add(suite, "alloc dir", alloc_dir_window, DMS_ARRAY_SIZE(windows));
	add(suite, "mmio", mmio_is_a_resource, 1);
	add(suite, "direction", direction_out_of_range, 4);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the device inventory's text, and of drivers told by call stacks. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/inventory.h>
#include <dmascope/symbols.h>

/* ---- inventory ------------------------------------------------------------------------------ */

static struct dms_inventory *inventory_of(const char *text)
{
	struct dms_inventory *inventory = NULL;
	struct dms_error *err = dms_inventory_create(text, strlen(text), &inventory);

	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	return inventory;
}

static void expect_error(const char *text, size_t size, const char *wanted)
{
	struct dms_inventory *inventory = NULL;
	struct dms_error *err = dms_inventory_create(text, size, &inventory);

	ck_assert_msg(err != NULL, "accepted: %s", text);
	ck_assert_ptr_null(inventory);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	ck_assert_msg(strstr(dms_error_message(err), wanted) != NULL, "'%s', not '%s'",
		      dms_error_message(err), wanted);
	dms_error_free(err);
}

START_TEST(test_good)
{
	struct dms_inventory *inventory = inventory_of(
		"# a comment\n\n \t \n  # another\r\n"
		"0000:00:1f.2\tahci iommu_group= dma_mask_bits=64\r\n"
		"0000:00:01.0  nvme  bus=pci dma_mask_bits=1 coherent_dma_mask_bits=32 "
		"iommu_group=2147483647 iommu_type=DMA-FQ coherent=0 colour=a=b numa=\n"
		"nic eth0 e1000e pair 0 side 0\n"
		"none - iommu_group=0 coherent=1\n"
		"a\\040b\\134 c\\043d bus=x\\011y"); /* no newline at the end */
	const struct dms_inventory_device *device;

	ck_assert_uint_eq(dms_inventory_count(inventory), 4);
	device = dms_inventory_find(inventory, "0000:00:01.0");
	ck_assert_ptr_nonnull(device);
	ck_assert_str_eq(device->driver, "nvme");
	ck_assert_str_eq(device->bus, "pci");
	ck_assert_str_eq(device->iommu_type, "DMA-FQ");
	ck_assert_uint_eq(device->dma_mask_bits, 1);
	ck_assert_uint_eq(device->coherent_dma_mask_bits, 32);
	ck_assert_int_eq(device->iommu_group, INT32_MAX);
	ck_assert_int_eq(device->coherent, 0);
	ck_assert_uint_eq(device->line, 6);
	device = dms_inventory_find(inventory, "0000:00:1f.2");
	ck_assert_ptr_nonnull(device);
	ck_assert_str_eq(device->driver, "ahci");
	ck_assert_uint_eq(device->dma_mask_bits, 64);
	ck_assert_int_eq(device->iommu_group, -1);
	ck_assert_int_eq(device->coherent, -1);
	ck_assert_uint_eq(device->coherent_dma_mask_bits, 0);
	ck_assert_ptr_null(device->bus);
	ck_assert_ptr_null(device->iommu_type);
	device = dms_inventory_find(inventory, "none");
	ck_assert_ptr_nonnull(device);
	ck_assert_ptr_null(device->driver);
	ck_assert_int_eq(device->iommu_group, 0);
	ck_assert_int_eq(device->coherent, 1);
	device = dms_inventory_find(inventory, "a b\\");
	ck_assert_ptr_nonnull(device);
	ck_assert_str_eq(device->driver, "c#d");
	ck_assert_str_eq(device->bus, "x\ty");
	ck_assert_ptr_null(dms_inventory_find(inventory, "nic"));
	ck_assert_ptr_null(dms_inventory_find(inventory, "0000:00:01"));
	ck_assert_ptr_null(dms_inventory_find(NULL, "none"));
	dms_inventory_destroy(inventory);
	dms_inventory_destroy(NULL);
}
END_TEST

START_TEST(test_empty)
{
	struct dms_inventory *inventory = inventory_of("");

	ck_assert_uint_eq(dms_inventory_count(inventory), 0);
	ck_assert_ptr_null(dms_inventory_find(inventory, ""));
	dms_inventory_destroy(inventory);
}
END_TEST

START_TEST(test_limits)
{
	struct dms_inventory *inventory =
		inventory_of("a b max_seg_size=4294967295 seg_boundary=0xFFFFffffffffffff\n"
			     "c d max_seg_size=65536 seg_boundary=65535\n"
			     "e f max_seg_size= seg_boundary=18446744073709551615\n");
	const struct dms_inventory_device *device = dms_inventory_find(inventory, "a");

	ck_assert_uint_eq(device->max_segment_bytes, UINT32_MAX);
	ck_assert_uint_eq(device->segment_boundary, UINT64_MAX);
	device = dms_inventory_find(inventory, "c");
	ck_assert_uint_eq(device->max_segment_bytes, 65536);
	ck_assert_uint_eq(device->segment_boundary, 65535);
	device = dms_inventory_find(inventory, "e");
	ck_assert_uint_eq(device->max_segment_bytes, 0);
	ck_assert_uint_eq(device->segment_boundary, UINT64_MAX);
	dms_inventory_destroy(inventory);
}
END_TEST

/* A name is unique on its bus only, and a trace does not tell the bus. */
START_TEST(test_ambiguous)
{
	struct dms_inventory *inventory = inventory_of("b x bus=usb\na y\nb z bus=pci\nc w\n");

	ck_assert_uint_eq(dms_inventory_count(inventory), 4);
	ck_assert_ptr_null(dms_inventory_find(inventory, "b"));
	ck_assert_str_eq(dms_inventory_find(inventory, "a")->driver, "y");
	ck_assert_str_eq(dms_inventory_at(inventory, 1)->driver, "z");
	ck_assert(dms_inventory_at(inventory, 1)->is_ambiguous);
	ck_assert(dms_inventory_at(inventory, 2)->is_ambiguous);
	ck_assert(!dms_inventory_at(inventory, 3)->is_ambiguous);
	dms_inventory_destroy(inventory);
}
END_TEST

static void add_line(struct dms_inventory *inventory, const char *text)
{
	struct dms_error *err = dms_inventory_add_line(inventory, text, strlen(text));

	ck_assert_msg(!err, "%s: %s", text, err ? dms_error_message(err) : "");
}

START_TEST(test_added)
{
	struct dms_inventory *inventory = inventory_of("b x bus=pci\n");
	struct dms_error *err;

	add_line(inventory, "b other coherent=1"); /* the file stands */
	ck_assert_str_eq(dms_inventory_find(inventory, "b")->driver, "x");
	ck_assert_uint_eq(dms_inventory_count(inventory), 1);
	add_line(inventory, "c first bus=pci coherent=1\n");
	add_line(inventory, "a - bus=pci");
	ck_assert_str_eq(dms_inventory_find(inventory, "c")->driver, "first");
	ck_assert_uint_eq(dms_inventory_find(inventory, "c")->line, 0);
	add_line(inventory, "c second bus=pci"); /* a driver was bound since */
	ck_assert_str_eq(dms_inventory_find(inventory, "c")->driver, "second");
	ck_assert_int_eq(dms_inventory_find(inventory, "c")->coherent, -1);
	ck_assert_ptr_null(dms_inventory_find(inventory, "a")->driver);
	add_line(inventory, "# nothing");
	ck_assert_uint_eq(dms_inventory_count(inventory), 3);
	add_line(inventory, "b y bus=acpi");
	ck_assert_ptr_null(dms_inventory_find(inventory, "b"));
	ck_assert_str_eq(dms_inventory_at(inventory, 1)->bus, "acpi");
	ck_assert_str_eq(dms_inventory_at(inventory, 2)->bus, "pci");
	add_line(inventory, "b z bus=acpi");
	ck_assert_str_eq(dms_inventory_at(inventory, 1)->driver, "z");
	ck_assert_ptr_null(dms_inventory_find(inventory, "b"));
	err = dms_inventory_add_line(inventory, "d", 1);
	ck_assert_ptr_nonnull(err);
	ck_assert_str_eq(dms_error_message(err),
			 "no driver behind the device's name (- for none): 'd'");
	dms_error_free(err);
	ck_assert_uint_eq(dms_inventory_count(inventory), 4);
	dms_inventory_destroy(inventory);
}
END_TEST

static const struct {
	const char *text, *wanted;
} bad_cases[] = {
	{"a b\nonly\n", "line 2: no driver"},
	{"a b word\n", "line 1: expected KEY=VALUE, not 'word'"},
	{"a b =x\n", "line 1: expected KEY=VALUE"},
	{"a b dma_mask_bits=0\n", "line 1: dma_mask_bits takes a number from 1 to 64, not '0'"},
	{"a b dma_mask_bits=65\n", "not '65'"},
	{"a b dma_mask_bits=-1\n", "not '-1'"},
	{"a b coherent_dma_mask_bits=0x20\n", "not '0x20'"},
	{"a b coherent_dma_mask_bits=99999999999999999999\n", "coherent_dma_mask_bits takes"},
	{"a b iommu_group=2147483648\n", "from 0 to 2147483647"},
	{"a b iommu_group=4294967296\n", "from 0 to 2147483647"},
	{"a b coherent=yes\n", "from 0 to 1, not 'yes'"},
	{"a b bus=x bus=x\n", "line 1: told twice: 'bus'"},
	{"a b bus= bus=x\n", "told twice"},
	{"a b max_seg_size=0\n", "max_seg_size takes a number from 1 to 4294967295, not '0'"},
	{"a b max_seg_size=0x1000\n", "not '0x1000'"},
	{"a b max_seg_size=4294967296\n", "not '4294967296'"},
	{"a b seg_boundary=0\n", "seg_boundary takes a number from 1"},
	{"a b seg_boundary=0x\n", "not '0x'"},
	{"a b seg_boundary=0x1ffffffffffffffff\n", "seg_boundary takes"},
	{"a b seg_boundary=65536\n", "seg_boundary takes a mask, such as 0xffff, not '65536'"},
	{"a b\n\nc d\na e\n", "line 4: device 'a' is told on line 1 already"},
	{"a b bus=x\na e\n", "line 2: device 'a' is told on line 1 already, and not of another"},
	{"a b bus=x\na e bus=y\na f bus=x\n", "line 3: device 'a' is told on line 1 already"},
	{"a b\nA b\n\\141 b\n", "line 3: device 'a' is told on line 1 already"},
	{"a\\04 b\n", "line 1: a backslash needs three octal digits"},
	{"a\\ b\n", "three octal digits"},
	{"a\\000 b\n", "three octal digits"},
	{"a b\\400\n", "three octal digits"},
	{"a b bus=\\8\n", "three octal digits"},
	{"a b\n\033[31m x\n", "line 2: holds a control character"},
	{"a b\rc d\n", "line 1: holds a control character"},
	{"a b\177\n", "control character"},
};

START_TEST(test_bad)
{
	expect_error(bad_cases[_i].text, strlen(bad_cases[_i].text), bad_cases[_i].wanted);
}
END_TEST

START_TEST(test_zero_byte)
{
	static const char text[] = "a b\nc\0d e\n";

	expect_error(text, sizeof(text) - 1, "line 2: holds a control character");
}
END_TEST

START_TEST(test_long_lines)
{
	char *text = malloc(5000);
	struct dms_inventory *inventory;
	const struct dms_inventory_device *device;

	memset(text, 'x', 5000);
	memcpy(text, "a ", 2);
	text[4096] = '\n';
	text[4097] = '\0';
	inventory = inventory_of(text); /* exactly as long as may be */
	device = dms_inventory_find(inventory, "a");
	ck_assert_ptr_nonnull(device);
	ck_assert_uint_eq(strlen(device->driver), 4094);
	dms_inventory_destroy(inventory);
	text[4096] = 'x';
	text[4097] = '\n';
	expect_error(text, 4098, "line 1: longer than 4096 bytes");
	free(text);
}
END_TEST

START_TEST(test_many)
{
	char *text = malloc(20000 * 16), *pos = text, name[16];
	struct dms_inventory *inventory;

	for (int i = 0; i < 20000; i++)
		pos += sprintf(pos, "d%d drv%d\n", (i * 7919) % 20000, i % 3);
	inventory = inventory_of(text);
	ck_assert_uint_eq(dms_inventory_count(inventory), 20000);
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		ck_assert_ptr_nonnull(dms_inventory_find(inventory, name));
	}
	dms_inventory_destroy(inventory);
	free(text);
}
END_TEST

START_TEST(test_no_file)
{
	static const char *const paths[] = {"/nonexistent/inventory", "/"};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(paths); i++) {
		struct dms_inventory *inventory = NULL;
		struct dms_error *err = dms_inventory_read(paths[i], &inventory);

		ck_assert_ptr_nonnull(err);
		ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
		ck_assert_ptr_nonnull(strstr(dms_error_message(err), paths[i]));
		dms_error_free(err);
	}
}
END_TEST

/* ---- drivers told by stacks ----------------------------------------------------------------- */

#define FUNCTION_BYTES 0x100

/* "name" or "name [module]" of each frame, innermost first; empty: no symbol has the address. */
struct stack_case {
	const char *wanted; /* NULL: must not be told */
	const char *frames[12];
};

/* clang-format off */
static const struct stack_case stack_cases[] = {
	{"nvme", {"dma_map_page_attrs", "nvme_map_data [nvme]", "nvme_queue_rq [nvme]",
		  "blk_mq_dispatch_rq_list"}},
	{"xhci_hcd", {"do_trace_event_raw_event_dma_map_sg", "dma_map_sg_attrs",
		      "usb_hcd_map_urb_for_dma [usbcore]", "xhci_map_urb_for_dma [xhci_hcd]",
		      "usb_hcd_submit_urb [usbcore]", "usb_stor_msg_common [usb_storage]"}},
	/* the same driver without a function of its own: the class driver is not it */
	{NULL, {"dma_map_sg_attrs", "usb_hcd_map_urb_for_dma [usbcore]",
		"usb_hcd_submit_urb [usbcore]", "usb_sg_wait [usbcore]",
		"usb_stor_bulk_transfer_sglist [usb_storage]"}},
	{NULL, {"dma_alloc_attrs", "hcd_buffer_alloc [usbcore]", "usb_alloc_coherent [usbcore]",
		"usbhid_start [usbhid]"}},
	/* ahci maps through libata for a block request, but allocates for itself */
	{NULL, {"dma_map_sg_attrs", "ata_qc_issue [libata]", "ata_scsi_queuecmd [libata]",
		"scsi_queue_rq [scsi_mod]", "blk_mq_dispatch_rq_list", "sd_probe [sd_mod]"}},
	{"ahci", {"dma_alloc_attrs", "dmam_alloc_attrs", "ahci_port_start [libahci]",
		  "ata_host_start [libata]", "ahci_init_one [ahci]", "local_pci_probe"}},
	{"megaraid_sas", {"dma_map_sg_attrs", "scsi_dma_map [scsi_mod]",
			  "megasas_make_sgl [megaraid_sas]", "scsi_queue_rq [scsi_mod]"}},
	{NULL, {"dma_map_sg_attrs", "sdhci_pre_dma_transfer [sdhci]", "sdhci_pre_req [sdhci]",
		"mmc_pre_req [mmc_core]", "mmc_blk_mq_issue_rq [mmc_block]"}},
	{"virtio_net", {"dma_map_page_attrs", "virtqueue_add_inbuf_ctx [virtio_ring]",
			"add_recvbuf_mergeable [virtio_net]", "net_rx_action"}},
	{"virtio_blk", {"dma_map_page_attrs", "vring_map_one_sg", "virtqueue_add_sgs",
			"virtblk_add_req [virtio_blk]"}},
	{"igb", {"dma_map_page_attrs", "page_pool_dma_map", "__page_pool_alloc_pages_slow",
		 "page_pool_alloc_pages", "igb_alloc_rx_buffers [igb]"}},
	{"snd_hda_intel", {"dma_alloc_attrs", "snd_dma_alloc_pages", "snd_pcm_lib_malloc [snd_pcm]",
			   "azx_open [snd_hda_codec]", "azx_probe [snd_hda_intel]"}},
	/* a driver that is built in has no name, and who called it is another */
	{NULL, {"dma_map_page_attrs", "mydriver_map", "other_call [othermod]"}},
	{NULL, {"dma_map_page_attrs", "skb_dma_map_of_someone", "bond_xmit [bonding]"}},
	/* a frame that no symbol covers may be the driver's */
	{NULL, {"dma_map_page_attrs", "", "outer [othermod]"}},
	/* a shared buffer is mapped for the importer's device */
	{NULL, {"dma_map_sg_attrs", "i915_gem_map_dma_buf [i915]", "dma_buf_map_attachment",
		"amdgpu_import [amdgpu]"}},
	/* the tracer's frames, misnamed by a cut symbol table */
	{"nvme", {"rcu_cpu_kthread", "dma_map_phys", "nvme_queue_rq [nvme]"}},
	{NULL, {"rcu_cpu_kthread", "a_builtin", "b_builtin", "c_builtin", "dma_map_phys",
		"nvme_queue_rq [nvme]"}},
	{NULL, {"dma_map_sg_attrs", "ib_dma_map [ib_core]", "isert_map [ib_isert]"}},
	{NULL, {"dma_map_page_attrs"}},
	{NULL, {""}},
	{NULL, {NULL}},
};
/* clang-format on */

/** A symbol table made for the frames of one case: each function lies between two of its own. */
struct scene {
	char text[8192];
	uint64_t frames[12];
	uint32_t n_frames;
	struct dms_symbols *symbols;
};

static void make_scene(struct scene *scene, const char *const *frames, bool followed)
{
	uint64_t address = 0xffffffff81000000;
	struct dms_error *err;
	size_t at = 0;

	memset(scene, 0, sizeof(*scene));
	for (uint32_t i = 0; i < 12 && frames[i]; i++, address += 0x100000) {
		const char *module = strchr(frames[i], '[');

		scene->frames[scene->n_frames++] = address + 0x10;
		if (!*frames[i])
			continue;
		at += (size_t)snprintf(scene->text + at, sizeof(scene->text) - at,
				       "%" PRIx64 " t %s\n", address, frames[i]);
		if (followed)
			at += (size_t)snprintf(scene->text + at, sizeof(scene->text) - at,
					       "%" PRIx64 " t next %s\n", address + FUNCTION_BYTES,
					       module ? module : "");
	}
	err = dms_symbols_create(scene->text, at, &scene->symbols);
	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
}

START_TEST(test_stack)
{
	const struct stack_case *c = &stack_cases[_i];
	struct dms_symbol symbol = {0};
	struct scene scene;
	bool told;

	make_scene(&scene, c->frames, true);
	told = dms_driver_of_stack(scene.symbols, scene.frames, scene.n_frames, &symbol);
	ck_assert_msg(told == (c->wanted != NULL), "told: %d '%.*s'", told, (int)symbol.module_len,
		      symbol.module ? symbol.module : "");
	if (told) {
		ck_assert_uint_eq(symbol.module_len, strlen(c->wanted));
		ck_assert_int_eq(memcmp(symbol.module, c->wanted, symbol.module_len), 0);
	}
	dms_symbols_destroy(scene.symbols);
}
END_TEST

/* The last function of a module may stand for the code of one that was unloaded. */
START_TEST(test_tail_of_module)
{
	static const char *const frames[12] = {"dma_map_page_attrs", "nvme_map_data [nvme]"};
	struct dms_symbol symbol;
	struct scene scene;

	make_scene(&scene, frames, false);
	ck_assert(!dms_driver_of_stack(scene.symbols, scene.frames, scene.n_frames, &symbol));
	dms_symbols_destroy(scene.symbols);
}
END_TEST

/* Of ten stacks, @others are of another driver and @silent tell none. */
static const struct {
	uint32_t others, silent;
	const char *wanted;
} vote_cases[] = {
	{0, 0, "nvme"}, {2, 0, "nvme"}, {3, 0, NULL},	{5, 0, NULL}, {8, 0, "igb"},
	{0, 9, "nvme"}, {0, 10, NULL},	{1, 5, "nvme"}, {1, 6, NULL},
};

START_TEST(test_votes)
{
	static const char *const frames[12] = {"dma_map_page_attrs", "nvme_map_data [nvme]",
					       "igb_xmit [igb]", "builtin"};
	struct dms_stacks *stacks = dms_stacks_create();
	uint32_t ids[10];
	struct scene scene;
	char *driver = NULL;
	struct dms_error *err;

	make_scene(&scene, frames, true);
	for (uint32_t i = 0; i < 10; i++) {
		uint32_t whose = i < vote_cases[_i].others			     ? 2
				 : i < vote_cases[_i].others + vote_cases[_i].silent ? 3
										     : 1;
		uint64_t stack[2] = {scene.frames[0], scene.frames[whose] + i};

		ids[i] = dms_stacks_add(stacks, stack, 2);
	}
	err = dms_driver_of_stacks(scene.symbols, stacks, ids, 10, &driver);
	ck_assert_ptr_null(err);
	if (vote_cases[_i].wanted)
		ck_assert_str_eq(driver, vote_cases[_i].wanted);
	else
		ck_assert_ptr_null(driver);
	dms_free(driver);
	err = dms_driver_of_stacks(scene.symbols, stacks, ids, 0, &driver);
	ck_assert_ptr_null(err);
	ck_assert_ptr_null(driver);
	dms_stacks_destroy(stacks);
	dms_symbols_destroy(scene.symbols);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inventory");
	TCase *inventory = tcase_create("inventory"), *drivers = tcase_create("drivers");
	SRunner *runner;
	int failed;

	tcase_add_test(inventory, test_good);
	tcase_add_test(inventory, test_empty);
	tcase_add_test(inventory, test_limits);
	tcase_add_test(inventory, test_ambiguous);
	tcase_add_test(inventory, test_added);
	tcase_add_loop_test(inventory, test_bad, 0, DMS_ARRAY_SIZE(bad_cases));
	tcase_add_test(inventory, test_zero_byte);
	tcase_add_test(inventory, test_long_lines);
	tcase_add_test(inventory, test_many);
	tcase_add_test(inventory, test_no_file);
	tcase_add_loop_test(drivers, test_stack, 0, DMS_ARRAY_SIZE(stack_cases));
	tcase_add_test(drivers, test_tail_of_module);
	tcase_add_loop_test(drivers, test_votes, 0, DMS_ARRAY_SIZE(vote_cases));
	suite_add_tcase(suite, inventory);
	suite_add_tcase(suite, drivers);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

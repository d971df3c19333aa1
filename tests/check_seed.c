// SPDX-License-Identifier: GPL-2.0-only
/* Tests of mappings that a dma-api/dump told of: lines of a dump, events, and the steps expected. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/model.h>

#include "lib/textsource.h"

/** Steps as text. */
struct listener {
	struct dms_names names;
	struct dms_model *model;
	char told[2048];
};

static void tell(struct listener *listener, const char *fmt, ...) _printf_(2, 3);
static void tell(struct listener *listener, const char *fmt, ...)
{
	size_t used = strlen(listener->told);
	va_list args;

	va_start(args, fmt);
	vsnprintf(listener->told + used, sizeof(listener->told) - used, fmt, args);
	va_end(args);
}

static const char *const told_steps[DMS_N_STEPS] = {
	[DMS_STEP_MAP] = "map",		[DMS_STEP_UNMAP] = "unmap",
	[DMS_STEP_SYNC] = "sync",	[DMS_STEP_UNMAP_UNMATCHED] = "unmap-unmatched",
	[DMS_STEP_ENDED] = "ended",	[DMS_STEP_SYNC_UNMATCHED] = "sync-unmatched",
	[DMS_STEP_MESSAGE] = "message",
};

static struct dms_error *listen(void *context, const struct dms_step *step)
{
	struct listener *listener = context;
	uint32_t doubts = step->doubts;

	if (!told_steps[step->kind])
		return NULL;
	tell(listener, "%s", told_steps[step->kind]);
	if (step->mapping)
		tell(listener, " %s %" PRIx64 " %" PRIu64 "%s",
		     dms_mapping_kind_name(step->mapping->kind), step->mapping->dma_addr,
		     step->mapping->size, step->mapping->is_seeded ? " seed" : "");
	if (step->kind == DMS_STEP_ENDED || step->kind == DMS_STEP_UNMAP_UNMATCHED)
		tell(listener, " %s", dms_end_name(step->end));
	if (step->differs)
		tell(listener, " differs=%x", step->differs);
	if (doubts & DMS_DOUBT_PRE_TRACE)
		tell(listener, " pre-trace");
	if (doubts & DMS_DOUBT_SNAPSHOT)
		tell(listener, " snapshot");
	if (doubts & DMS_DOUBT_OTHER_CLOCK)
		tell(listener, " other-clock");
	if (doubts & ~(DMS_DOUBT_PRE_TRACE | DMS_DOUBT_SNAPSHOT | DMS_DOUBT_OTHER_CLOCK))
		tell(listener, " doubts=%x",
		     doubts & ~(DMS_DOUBT_PRE_TRACE | DMS_DOUBT_SNAPSHOT | DMS_DOUBT_OTHER_CLOCK));
	tell(listener, "\n");
	return NULL;
}

/* "seed DEVICE TYPE PHYS DMA SIZE DIR ATTRS" */
static void seed(struct listener *listener, const char *line)
{
	static const char *const dirs[] = {"bi", "to", "from"};
	struct dms_dump_entry entry = {.driver = "drv"};
	char device[32], type[32], dir[8];
	struct dms_error *err;

	ck_assert_int_eq(sscanf(line,
				"seed %31s %31s %" SCNx64 " %" SCNx64 " %" SCNi64 " %7s %" SCNx64,
				device, type, &entry.phys_addr, &entry.dma_addr,
				(int64_t *)&entry.size, dir, &entry.attrs),
			 7);
	entry.device = device;
	entry.type = type;
	for (uint8_t i = 0; i < DMS_ARRAY_SIZE(dirs); i++) {
		if (!strcmp(dir, dirs[i]))
			entry.dir = i;
	}
	err = dms_model_seed(listener->model, &entry);
	ck_assert_ptr_null(err);
}

static void apply(struct listener *listener, const char *line)
{
	struct dms_error *err = NULL;
	struct text_item item;

	if (!strncmp(line, "seed ", 5)) {
		seed(listener, line);
		return;
	}
	text_parse(line, listener->names.devices, &item);
	ck_assert_msg(item.kind != TEXT_BAD && item.kind != TEXT_NOTHING, "%s", line);
	if (item.kind == TEXT_EVENT)
		err = dms_model_event(listener->model, &item.event);
	else if (item.kind == TEXT_UNBIND)
		err = dms_model_unbind(listener->model, item.device, item.ts);
	else if (item.kind == TEXT_GAP)
		err = dms_model_gap(listener->model, &item.gap);
	else
		err = dms_model_end(listener->model, item.ts);
	ck_assert_ptr_null(err);
}

#define RING  "seed n coherent 9000 9000 4096 bi 0\n"
#define OTHER "1 other map dma=0x5000 phys=0x5000 size=64 dir=from\n"
#define OTHER_END "map page 5000 64\n"
/* the tenth of a second in which the device proves to be idle */
#define LATE "200000001 "

static const struct {
	const char *name, *script, *wanted;
} cases[] = {
	{"a single mapping is unmapped",
	 "seed n single 8000 1000 4096 to 0\n5 n unmap dma=0x1000 size=4096 dir=to\n",
	 "unmap page 1000 4096 seed\n"},
	{"what a transfer left may be another one's",
	 "seed n phy 8000 1000 4096 to 0\n5 n unmap dma=0x1000 size=2048 dir=from\n",
	 "unmap page 1000 4096 seed differs=5 pre-trace snapshot\n"},
	{"a descriptor ring stays",
	 RING "5 n free virt=0xffff9000 dma=0x9000 size=8192 dir=bi\n",
	 "unmap coherent 9000 4096 seed differs=1 snapshot\n"},
	{"the address of the ring's memory is not compared",
	 RING "5 n free virt=0xffff9000 dma=0x9000 size=4096 dir=bi\n",
	 "unmap coherent 9000 4096 seed\n"},
	{"attributes tell a resource",
	 "seed n phy 8000 1000 64 bi 400\n5 n unmap_resource dma=0x1000 size=64 dir=bi\n",
	 "unmap resource 1000 64 seed\n"},
	{"streaming memory that was allocated",
	 "seed n single 8000 1000 4096 from 0\n5 n free_pages dma=0x1000 size=4096 dir=from\n"
	 "seed n noncoherent 8000 2000 4096 from 0\n6 n free_pages dma=0x2000 size=4096 dir=from\n",
	 "unmap page 1000 4096 seed\nunmap pages 2000 4096 seed\n"},
	{"a list is unmapped whole",
	 "seed n scatter-gather 8000 1000 512 to 0\nseed n scatter-gather a000 3000 4096 to 0\n"
	 "seed n scatter-gather c000 5000 64 to 0\nseed n scatter-gather c000 6000 32 from 0\n"
	 "5 n unmap_sg plist=0x8000,0xa000,0xc000 dir=to\n6 end\n",
	 "unmap sg 1000 4672 seed\nended sg 6000 32 seed live pre-trace snapshot\n"},
	{"a list that the IOMMU merged",
	 "seed n scatter-gather 8000 fff00000 8192 to 0\n"
	 "5 n unmap_sg plist=0x8000,0x9000 dir=to\n6 end\n",
	 "unmap sg fff00000 8192 seed\n"},
	{"a list in the wrong direction",
	 "seed n scatter-gather 8000 1000 512 to 0\n5 n unmap_sg plist=0x8000 dir=from\n",
	 "unmap sg 1000 512 seed differs=4 pre-trace snapshot\n"},
	{"a list is synced",
	 "seed n scatter-gather 8000 1000 512 from 0\nseed n scatter-gather a000 3000 512 from 0\n"
	 "5 n sync_sg_for_cpu dlist=0x1000+512,0x3000+512 dir=from\n",
	 "sync sg 1000 512 seed\n"},
	{"mapped again: the same, or another one of that memory",
	 "seed n single 1000 1000 4096 from 0\n"
	 "5 n map dma=0x1000 phys=0x1000 size=4096 dir=from\n"
	 "6 n unmap dma=0x1000 size=4096 dir=from\n7 end\n",
	 "map page 1000 4096\nunmap page 1000 4096\n"},
	{"a list mapped again",
	 "seed n scatter-gather 1000 1000 512 from 0\nseed n scatter-gather 3000 3000 512 from 0\n"
	 "5 n map_sg plist=0x1000,0x3000 dlist=0x1000+512,0x3000+512 dir=from\n"
	 "6 n unmap_sg plist=0x1000,0x3000 dir=from\n7 end\n",
	 "map sg 1000 1024\nunmap sg 1000 1024\n"},
	{"another mapping of that address is none of its business",
	 "seed n single 1000 1000 4096 from 0\n5 n map dma=0x1000 phys=0x1000 size=64 dir=from\n"
	 "6 n unmap dma=0x1000 size=64 dir=from\n7 n unmap dma=0x1000 size=4096 dir=from\n",
	 "map page 1000 64\nunmap page 1000 64\nunmap page 1000 4096 seed\n"},
	{"behind an IOMMU an address has one owner",
	 "seed n coherent 8000 ffff0000 4096 bi 0\nseed n coherent 9000 fffe0000 4096 bi 0\n"
	 "seed n single 8000 1000 4096 from 0\n5 n map dma=0x1000 phys=0x4000 size=64 dir=to\n"
	 "6 n unmap dma=0x1000 size=64 dir=to\n",
	 "map page 1000 64\nunmap page 1000 64\n"},
	{"a second unmap is one too many",
	 "seed n single 8000 1000 4096 from 0\n5 n unmap dma=0x1000 size=4096 dir=from\n"
	 "6 n unmap dma=0x1000 size=4096 dir=from\n7 end\n",
	 "unmap page 1000 4096 seed\nunmap-unmatched page 1000 4096 unmatched\n"},
	{"live at unbind and at the end",
	 "seed 0000:00:05.0 coherent 9000 9000 4096 bi 0\nseed m single 8000 1000 64 to 0\n" OTHER
	 "5 unbind 0000:00:05.0\n9 end\n",
	 OTHER_END "ended coherent 9000 4096 seed unbound snapshot\n"
		   "ended page 1000 64 seed live pre-trace snapshot\n"
		   "ended page 5000 64 live\n"},
	{"an idle device frees what it never had",
	 RING "5 n unmap dma=0x1000 size=4096 dir=from\n9 end\n",
	 "unmap-unmatched page 1000 4096 unmatched snapshot\nended coherent 9000 4096 seed live snapshot\n"},
	{"an idle device syncs what it never had",
	 "seed other coherent 9000 9000 64 bi 0\n5 n sync_for_cpu dma=0x1000 size=4096 dir=from\n"
	 "100000006 other unmap dma=0x9000 size=64 dir=bi\n",
	 "sync-unmatched snapshot\nunmap coherent 9000 64 seed differs=2 snapshot\n"},
	{"a busy device's dump is of another moment",
	 RING "5 n unmap dma=0x1000 size=4096 dir=from\n"
	      "6 n map dma=0x1000 phys=0x1000 size=64 dir=to\n"
	      "7 n unmap dma=0x3000 size=4096 dir=from\n",
	 "unmap-unmatched page 1000 4096 pre-trace pre-trace\nmap page 1000 64\n"
	 "unmap-unmatched page 3000 4096 pre-trace pre-trace\n"},
	{"two calls that fit nothing: the dump lacks them",
	 RING OTHER LATE "n unmap dma=0x1000 size=4096 dir=from\n"
			 "200000002 n unmap dma=0x1000 size=4096 dir=from\n400000000 end\n",
	 OTHER_END "unmap-unmatched page 1000 4096 pre-trace pre-trace\n"
		   "unmap-unmatched page 1000 4096 unmatched\n"
		   "ended coherent 9000 4096 seed live snapshot\nended page 5000 64 live\n"},
	{"a device that was idle when the trace began",
	 RING OTHER LATE "n unmap dma=0x1000 size=4096 dir=from\n"
			 "200000002 n map dma=0x3000 phys=0x3000 size=64 dir=to\n300000002 end\n",
	 OTHER_END "map page 3000 64\nunmap-unmatched page 1000 4096 unmatched snapshot\n"
		   "ended coherent 9000 4096 seed live snapshot\nended page 5000 64 live\n"
		   "ended page 3000 64 live\n"},
	{"transfers in the dump: the device was in use",
	 "seed n single 8000 8000 64 to 0\n" OTHER LATE
	 "n unmap dma=0x1000 size=4096 dir=from\n",
	 OTHER_END "unmap-unmatched page 1000 4096 pre-trace pre-trace\n"},
	{"lost events overturn it",
	 RING "5 n unmap dma=0x1000 size=4096 dir=from\n6 gap until=7 lost=1 cpu=0\n9 end\n",
	 "unmap-unmatched page 1000 4096 pre-trace pre-trace\n"
	 "ended coherent 9000 4096 seed live snapshot doubts=1\n"},
	{"a type of later kernels, and no dump at all",
	 "seed n quantum 8000 1000 4096 to 0\n5 n unmap dma=0x1000 size=4096 dir=to\n9 end\n",
	 "unmap-unmatched page 1000 4096 unmatched snapshot\n"},
	{"without a dump",
	 "5 n unmap dma=0x1000 size=4096 dir=to\n9 end\n",
	 "unmap-unmatched page 1000 4096 pre-trace pre-trace\n"},
};

START_TEST(test_script)
{
	struct listener listener = {.names.devices = dms_strtab_create()};
	char *script = strdup(cases[_i].script), *save = NULL;

	ck_assert_ptr_null(dms_model_create(&listener.names, listen, &listener, &listener.model));
	for (char *line = strtok_r(script, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		apply(&listener, line);
	ck_assert_msg(!strcmp(listener.told, cases[_i].wanted), "%s: told\n%swanted\n%s",
		      cases[_i].name, listener.told, cases[_i].wanted);
	dms_model_destroy(listener.model);
	dms_strtab_destroy(listener.names.devices);
	free(script);
}
END_TEST

/* What a device's first event is does not depend on whether a dump named it before. */
START_TEST(test_first_ts)
{
	struct listener listener = {.names.devices = dms_strtab_create()};

	ck_assert_ptr_null(dms_model_create(&listener.names, listen, &listener, &listener.model));
	apply(&listener, "seed n coherent 9000 9000 4096 bi 0");
	apply(&listener, "77 n sync_for_cpu dma=0x9000 size=64 dir=bi");
	apply(&listener, "78 n sync_for_cpu dma=0x9000 size=64 dir=bi");
	ck_assert_uint_eq(dms_model_n_devices(listener.model), 1);
	ck_assert_uint_eq(dms_model_device(listener.model, 0)->first_ts, 77);
	dms_model_destroy(listener.model);
	dms_strtab_destroy(listener.names.devices);
}
END_TEST

START_TEST(test_other_clock)
{
	struct listener listener = {.names.devices = dms_strtab_create()};
	struct dms_event event = {.kind = DMS_EV_CONSOLE, .message = DMS_MSG_STACK, .ts = 5,
				  .stack = DMS_ID_NONE, .is_other_clock = true};

	ck_assert_ptr_null(dms_model_create(&listener.names, listen, &listener, &listener.model));
	ck_assert_ptr_null(dms_model_event(listener.model, &event));
	ck_assert_str_eq(listener.told, "message other-clock\n");
	dms_model_destroy(listener.model);
	dms_strtab_destroy(listener.names.devices);
}
END_TEST

/* The inventory may come in the trace, after the device's first events. */
START_TEST(test_identify)
{
	static const char late[] = "n drv bus=pci dma_mask_bits=32 coherent=0 max_seg_size=4096";
	struct listener listener = {.names.devices = dms_strtab_create()};
	struct dms_inventory *inventory = NULL;
	const struct dms_device *device;

	ck_assert_ptr_null(dms_inventory_create("", 0, &inventory));
	ck_assert_ptr_null(dms_model_create(&listener.names, listen, &listener, &listener.model));
	dms_model_configure(listener.model, &(struct dms_model_config){.inventory = inventory});
	apply(&listener, "5 n map dma=0x1000 phys=0x1000 size=4096 dir=to");
	device = dms_model_device(listener.model, 0);
	ck_assert_ptr_null(device->driver);
	ck_assert_int_eq(device->coherent, -1);
	ck_assert_ptr_null(dms_inventory_add_line(inventory, late, strlen(late)));
	dms_model_identify(listener.model);
	ck_assert_str_eq(device->driver, "drv");
	ck_assert_uint_eq(device->dma_mask, UINT32_MAX);
	ck_assert_uint_eq(device->max_segment_bytes, 4096);
	ck_assert_int_eq(device->coherent, 0);
	apply(&listener, "6 n set_mask mask=0xffffff");
	dms_model_identify(listener.model);
	ck_assert_uint_eq(device->dma_mask, 0xffffff); /* the trace knows better */
	dms_model_destroy(listener.model);
	dms_inventory_destroy(inventory);
	dms_strtab_destroy(listener.names.devices);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("seed");
	TCase *seeds = tcase_create("seeds");
	SRunner *runner;
	int failures;

	tcase_add_loop_test(seeds, test_script, 0, DMS_ARRAY_SIZE(cases));
	tcase_add_test(seeds, test_first_ts);
	tcase_add_test(seeds, test_other_clock);
	tcase_add_test(seeds, test_identify);
	suite_add_tcase(suite, seeds);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

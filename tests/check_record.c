// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/record on a made-up machine: the inventory, lines of probes, undoing of a plan. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dmascope/inventory.h>
#include <dmascope/record.h>

#include "../src/record/local.h"
#include "lib/lack.h"
#include "lib/madeup_root.h"

/* ---- a machine ------------------------------------------------------------------------------- */

static void make_machine(void)
{
	shell("rm -rf sys proc; mkdir -p sys/kernel/tracing/events/dma/dma_map_phys "
	      "sys/kernel/tracing/instances sys/kernel/tracing/per_cpu/cpu0 proc/sys/kernel; "
	      "cd sys/kernel/tracing; echo before >kprobe_events; echo '[local] mono' "
	      ">trace_clock; "
	      "touch events/dma/dma_map_phys/format; echo riscv64 >%s/proc/sys/kernel/arch",
	      root);
}

static struct dms_kernel *open_kernel(void)
{
	struct dms_kernel *kernel = NULL;
	struct dms_error *err = dms_kernel_open(root, false, &kernel);

	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	return kernel;
}

static bool exists(const char *path)
{
	char whole[256];

	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	return !access(whole, F_OK);
}

/* ---- the inventory --------------------------------------------------------------------------- */

START_TEST(test_devices)
{
	struct dms_inventory *inventory = NULL;
	struct dms_kernel *kernel;
	char *text = NULL;

	make_machine();
	shell("mkdir -p sys/bus/pci/devices/0000:00:01.0 'sys/bus/usb/devices/a b\\c' "
	      "sys/bus/cpu/devices/cpu0 sys/bus/platform/devices/soc/of_node sys/g/7 sys/d/nvme; "
	      "cd sys/bus/pci/devices/0000:00:01.0; echo 64 >dma_mask_bits; "
	      "echo 99 >consistent_dma_mask_bits; ln -s ../../../../d/nvme driver; "
	      "ln -s ../../../../g/7 iommu_group; echo DMA-FQ >iommu_group/type; "
	      "touch ../../../platform/devices/soc/of_node/dma-coherent");
	kernel = open_kernel();
	ck_assert_ptr_null(dms_devices_read(kernel, &text));
	/* 99 bits are none; the CPU is no user of DMA; what would end a word is octal */
	ck_assert_str_eq(text, "0000:00:01.0 nvme bus=pci dma_mask_bits=64 iommu_group=7 "
			       "iommu_type=DMA-FQ\n"
			       "soc - bus=platform coherent=1\n"
			       "a\\040b\\134c - bus=usb\n");
	ck_assert_ptr_null(dms_inventory_create(text, strlen(text), &inventory));
	ck_assert_ptr_nonnull(dms_inventory_find(inventory, "a b\\c"));
	ck_assert_str_eq(dms_inventory_find(inventory, "0000:00:01.0")->driver, "nvme");
	dms_inventory_destroy(inventory);
	dms_free(text);
	dms_kernel_close(kernel);
}
END_TEST

START_TEST(test_changes)
{
	static const struct {
		const char *before, *after, *changes;
	} cases[] = {
		{"", "", ""},
		{"a -\nb x\n", "a -\nb x\n", ""},
		{"a -\nb x\n", "a nvme\nb x\nc -\n", "a nvme\nc -\n"},
		{"a -\n", "", ""},
		{"", "a -\n", "a -\n"},
		{"ab -\n", "a -\n", "a -\n"},
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(cases); i++) {
		char *changes = dms_devices_changes(cases[i].before, cases[i].after);

		ck_assert_str_eq(changes, cases[i].changes);
		dms_free(changes);
	}
}
END_TEST

/* Each allocation fails alone: there is the whole inventory, or none. */
START_TEST(test_devices_without_memory)
{
	_cleanup_(dms_freep) char *whole = NULL;
	struct dms_kernel *kernel;
	bool is_lacking = true;

	make_machine();
	shell("mkdir -p sys/bus/pci/devices/0000:00:01.0 sys/g/7 sys/d/nvme; "
	      "cd sys/bus/pci/devices/0000:00:01.0; echo 64 >dma_mask_bits; "
	      "ln -s ../../../../d/nvme driver; ln -s ../../../../g/7 iommu_group; "
	      "echo DMA-FQ >iommu_group/type; mkdir of_node; touch of_node/dma-coherent");
	kernel = open_kernel();
	ck_assert_ptr_null(dms_devices_read(kernel, &whole));
	for (unsigned long n = 1; is_lacking; n++) {
		_cleanup_(dms_freep) char *text = NULL;
		struct dms_error *err;

		lack_begin(n);
		err = dms_devices_read(kernel, &text);
		is_lacking = lack_end();
		ck_assert_msg(err == &dms_error_nomem || !strcmp(text, whole), "%lu: %s", n, text);
	}
	dms_kernel_close(kernel);
}
END_TEST

START_TEST(test_changes_without_memory)
{
	bool is_lacking = true;

	for (unsigned long n = 1; is_lacking; n++) {
		_cleanup_(dms_freep) char *changes = NULL;

		lack_begin(n);
		changes = dms_devices_changes("a -\nb x\n", "a nvme\nb x\nc -\n");
		is_lacking = lack_end();
		ck_assert_msg(!changes || !strcmp(changes, "a nvme\nc -\n"), "%lu: %s", n, changes);
	}
}
END_TEST

/* ---- the kernel ------------------------------------------------------------------------------ */

START_TEST(test_functions)
{
	static const struct {
		const char *name;
		bool is_there;
	} cases[] = {
		{"dma_set_mask", true}, /* the first, and what begins alike */
		{"in_a_module", true},	{"weak", true},	     {"dma_set", false},
		{"a_variable", false},	{"set_mask", false}, {"last", true},
	};
	struct dms_kernel *kernel;

	make_machine();
	shell("printf 'ff T dma_set_mask_and\\nff T dma_set_mask\\nff t in_a_module\\t[m]\\n"
	      "ff D a_variable\\nff W weak\\nff T last' >proc/kallsyms");
	kernel = open_kernel();
	for (size_t i = 0; i < DMS_ARRAY_SIZE(cases); i++)
		ck_assert_msg(dms_kernel_has_function(kernel, cases[i].name) == cases[i].is_there,
			      "%s", cases[i].name);
	dms_kernel_close(kernel);
	shell("rm proc/kallsyms");
	kernel = open_kernel();
	ck_assert(dms_kernel_has_function(kernel, "who_knows"));
	dms_kernel_close(kernel);
}
END_TEST

/* A module that goes takes its symbols along: they are kept, and looked for when one comes only. */
START_TEST(test_symbols)
{
	struct dms_kernel *kernel;
	char *missing;
	struct symbols symbols;

	make_machine();
	shell("printf '0 A percpu\\nf1 T kernel\\nf2 t old\\t[m]\\n' >proc/kallsyms;"
	      "printf 'm 4096 0 - Live 0xf2\\n' >proc/modules");
	kernel = open_kernel();
	ck_assert_ptr_null(symbols_init(&symbols));
	symbols_take(&symbols, kernel);
	shell("printf '0 A percpu\\nf3 t nobody_looks\\t[m]\\n' >proc/kallsyms;"
	      "printf 'm 4096 7 a,b, Live 0xf2\\n' >proc/modules");
	symbols_look(&symbols, kernel);
	shell("printf '0 A percpu\\nf1 T kernel\\nf4 t new\\t[n]\\n' >proc/kallsyms;"
	      "printf 'm 4096 0 - Live 0xf2\\nn 4096 1 - Loading 0xf4 (OE)\\n' >proc/modules");
	symbols_look(&symbols, kernel);
	/* the same module at another place */
	shell("printf 'f5 t new\\t[n]\\nf2 t old\\t[m]\\n' >proc/kallsyms;"
	      "printf 'n 4096 1 - Live 0xf5 (OE)\\n' >proc/modules");
	symbols_look(&symbols, kernel);
	ck_assert_str_eq(symbols.lines.data,
			 "0 A percpu\nf1 T kernel\nf2 t old\t[m]\nf4 t new\t[n]\nf5 t new\t[n]\n");
	ck_assert_ptr_null(symbols_fill_in(&symbols));
	/* they went while the symbols were read */
	shell("printf 'mm 4096 1 - Live 0xf6\\nf2 1 1 - Live\\nm 1 1 - Live 0xf8\\n' >proc/modules");
	symbols_look(&symbols, kernel);
	missing = symbols_fill_in(&symbols);
	ck_assert_str_eq(missing, "mm, f2");
	ck_assert_str_eq(strstr(symbols.lines.data, "f5 t new"),
			 "f5 t new\t[n]\nf6 t no_symbols\t[mm]\n");
	dms_free(missing);
	symbols_deinit(&symbols);
	dms_kernel_close(kernel);
}
END_TEST

/* Each allocation fails alone: all symbols and names are there, or it is known that some are not. */
START_TEST(test_names_without_memory)
{
	bool is_lacking = true;
	struct dms_kernel *kernel;

	make_machine();
	shell("printf 'f1 T kernel\nf2 t old\\t[m]\n' >proc/kallsyms; mkdir -p proc/1/task/1; "
	      "printf 'm 4096 0 - Live 0xf2\nn 1 0 - Live 0xf3\n' >proc/modules; "
	      "echo init >proc/1/task/1/comm");
	kernel = open_kernel();
	for (unsigned long n = 1; is_lacking; n++) {
		_cleanup_(dms_freep) char *missing = NULL;
		struct symbols symbols = {.seen = NULL};
		struct tasks tasks = {.pids = NULL};
		bool has_begun, is_told;

		lack_begin(n);
		has_begun = !symbols_init(&symbols) && !tasks_init(&tasks);
		is_told = !has_begun;
		if (has_begun) {
			symbols_take(&symbols, kernel);
			missing = symbols_fill_in(&symbols);
			tasks_add_lines(&tasks, "7 seven\n");
			is_told = tasks_add_running(&tasks, kernel) != NULL;
		}
		is_lacking = lack_end();
		is_told |= symbols.lines.is_broken || tasks.lines.is_broken;
		ck_assert_msg(is_told || (missing && !strcmp(missing, "n")), "%lu", n);
		ck_assert_msg(is_told || !strcmp(symbols.lines.data, "f1 T kernel\nf2 t old\t[m]\n"
								     "f3 t no_symbols\t[n]\n"),
			      "%lu: %s", n, symbols.lines.data);
		ck_assert_msg(is_told || !strcmp(tasks.lines.data, "7 seven\n1 init\n"), "%lu: %s", n,
			      tasks.lines.data);
		symbols_deinit(&symbols);
		tasks_deinit(&tasks);
	}
	dms_kernel_close(kernel);
}
END_TEST

/* Nothing readable, nothing in it, no end of line at the end, a module without address. */
START_TEST(test_symbols_edges)
{
	struct dms_kernel *kernel;
	struct symbols symbols;

	make_machine();
	kernel = open_kernel();
	ck_assert_ptr_null(symbols_init(&symbols));
	symbols_look(&symbols, kernel);
	shell(": >proc/kallsyms; : >proc/modules");
	symbols_take(&symbols, kernel);
	ck_assert_uint_eq(symbols.lines.size, 0);
	ck_assert_ptr_null(symbols_fill_in(&symbols));
	shell("printf '\nf1 T kernel' >proc/kallsyms; printf 'm' >proc/modules");
	symbols_look(&symbols, kernel);
	ck_assert_str_eq(symbols.lines.data, "\nf1 T kernel\n");
	/* what was seen once is no news, nor is what is left when one goes */
	shell("printf 'f1 T kernel\nf6 t late\t[m]' >proc/kallsyms; printf 'm' >proc/modules");
	symbols_look(&symbols, kernel);
	shell(": >proc/modules");
	symbols_look(&symbols, kernel);
	ck_assert_str_eq(symbols.lines.data, "\nf1 T kernel\n");
	/* the last look of a recording asks nobody */
	symbols_take(&symbols, kernel);
	symbols_take(&symbols, kernel);
	ck_assert_str_eq(symbols.lines.data, "\nf1 T kernel\nf6 t late\t[m]\n");
	ck_assert(!symbols.lines.is_broken);
	symbols_deinit(&symbols);
	dms_kernel_close(kernel);
}
END_TEST

START_TEST(test_config)
{
	struct dms_kernel *kernel;

	make_machine();
	kernel = open_kernel();
	ck_assert_int_eq(dms_kernel_config(kernel, "SWIOTLB"), 0);
	dms_kernel_close(kernel);
	shell("printf 'CONFIG_SWIOTLB=y\\n# CONFIG_X is not "
	      "set\\nCONFIG_NVME=m\\nCONFIG_S=\"m\"\\n' | "
	      "gzip >proc/config.gz");
	kernel = open_kernel();
	ck_assert_int_eq(dms_kernel_config(kernel, "SWIOTLB"), 'y');
	ck_assert_int_eq(dms_kernel_config(kernel, "NVME"), 'm');
	ck_assert_int_eq(dms_kernel_config(kernel, "X"), 'n');
	ck_assert_int_eq(dms_kernel_config(kernel, "SWIO"), 'n');
	dms_kernel_close(kernel);
}
END_TEST

START_TEST(test_probe_lines)
{
	static const struct dms_probe probe = {
		.name = "x",
		.function = "f",
		.arguments = "a=$arg1",
		.fallback = "r=$retval",
		.is_return = true,
	};
	static const struct {
		enum dms_probing probing;
		const char *name;
		bool is_fallback;
		const char *line;
	} cases[] = {
		{DMS_PROBING_KPROBE, NULL, false, "r:g/x f a=$arg1"},
		{DMS_PROBING_KPROBE, "y", true, "r:g/y f r=$retval"},
		{DMS_PROBING_FPROBE, NULL, false, "f:g/x f%return a=$arg1"},
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(cases); i++) {
		char *line = dms_probe_line(&probe, cases[i].probing, "g", cases[i].name,
					    cases[i].is_fallback);

		ck_assert_str_eq(line, cases[i].line);
		dms_free(line);
	}
	for (size_t i = 0; i < dms_n_probes; i++) /* a return's arguments may be refused */
		ck_assert_msg(!dms_probes[i].is_return || dms_probes[i].fallback, "%s",
			      dms_probes[i].name);
}
END_TEST

/* ---- doing and undoing ----------------------------------------------------------------------- */

static struct dms_plan *make_plan(struct dms_kernel *kernel)
{
	const struct dms_record_options options = {.output = "x.dat", .id = "7"};
	struct dms_plan *plan = NULL;
	struct dms_error *err = dms_plan_create(kernel, &options, &plan);

	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	return plan;
}

/* The made-up instance has no files: what was done until then is undone. */
START_TEST(test_failure_is_undone)
{
	struct dms_kernel *kernel;
	struct dms_error *err;
	struct dms_plan *plan;

	make_machine();
	kernel = open_kernel();
	plan = make_plan(kernel);
	err = dms_plan_apply(plan);
	ck_assert_ptr_nonnull(err);
	ck_assert_msg(strstr(dms_error_message(err), "instances/dmascope-7/tracing_on") != NULL,
		      "%s", dms_error_message(err));
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	dms_error_free(err);
	ck_assert(!exists("sys/kernel/tracing/instances/dmascope-7"));
	shell("echo before | cmp - sys/kernel/tracing/kprobe_events");
	dms_plan_destroy(plan);
	dms_kernel_close(kernel);
}
END_TEST

START_TEST(test_others_stay)
{
	struct dms_kernel *kernel;
	struct dms_error *err;
	struct dms_plan *plan;

	make_machine();
	shell("mkdir sys/kernel/tracing/instances/dmascope-7");
	kernel = open_kernel();
	plan = make_plan(kernel);
	err = dms_plan_apply(plan);
	ck_assert_ptr_nonnull(err);
	ck_assert_msg(strstr(dms_error_message(err), "is there already") != NULL, "%s",
		      dms_error_message(err));
	dms_error_free(err);
	dms_plan_undo(plan);
	ck_assert(exists("sys/kernel/tracing/instances/dmascope-7"));
	dms_plan_destroy(plan);
	dms_kernel_close(kernel);
}
END_TEST

/* Calls that stand-ins missed count, those of other probes do not, whatever their names begin with. */
START_TEST(test_missed_calls)
{
	struct dms_kernel *kernel;
	struct dms_plan *plan;

	make_machine();
	shell("cd sys/kernel/tracing; rm -r events/dma; "
	      "printf 'ffffffff81000000 T dma_map_page_attrs\n"
	      "ffffffff81000010 T dma_unmap_page_attrs\n"
	      "ffffffff81000020 T dma_set_mask\n' >%s/proc/kallsyms",
	      root);
	kernel = open_kernel();
	plan = make_plan(kernel);
	ck_assert_uint_eq(plan_missed_calls(plan, kernel), 0); /* no profile */
	shell("printf '  %%-44s %%15s %%15s\n' dma_map_page 17047 3 dma_map_page_mine 5 100 "
	      "my_dma_map_page 5 1000 dma_unmap_page 17026 24 dma_set_mask 5 10000 "
	      "dma_free 1 >sys/kernel/tracing/kprobe_profile");
	ck_assert_uint_eq(plan_missed_calls(plan, kernel), 27);
	dms_plan_destroy(plan);
	dms_kernel_close(kernel);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record");
	TCase *tcase = tcase_create("record");
	SRunner *runner;
	char line[64];
	int failures;

	if (!mkdtemp(root))
		return 1;
	tcase_add_test(tcase, test_devices);
	tcase_add_test(tcase, test_changes);
	tcase_add_test(tcase, test_devices_without_memory);
	tcase_add_test(tcase, test_changes_without_memory);
	tcase_add_test(tcase, test_functions);
	tcase_add_test(tcase, test_symbols);
	tcase_add_test(tcase, test_symbols_edges);
	tcase_add_test(tcase, test_names_without_memory);
	tcase_add_test(tcase, test_config);
	tcase_add_test(tcase, test_probe_lines);
	tcase_add_test(tcase, test_failure_is_undone);
	tcase_add_test(tcase, test_others_stay);
	tcase_add_test(tcase, test_missed_calls);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	snprintf(line, sizeof(line), "rm -rf '%s'", root);
	return system(line) || failures ? 1 : 0;
}

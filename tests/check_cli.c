// SPDX-License-Identifier: GPL-2.0-only
/* Tests of a run's side files: lines of an inventory in the trace, a kernel log's place in it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/run.h"

#define TRACE SRCDIR "/tests/fixtures/oracle-unmap_size_small.dat"

static char log_path[64];

static void write_log(const char *text)
{
	int fd;

	strcpy(log_path, "/tmp/check_cli.XXXXXX");
	fd = mkstemp(log_path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void open_run(struct dms_run *run, const struct dms_run_options *options)
{
	const char *path = TRACE;
	struct dms_error *err = dms_run_open(run, &path, 1, options);

	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
}

static void give(struct dms_run *run, enum dms_event_kind kind, uint64_t ts, const char *text)
{
	struct dms_event event = {.kind = kind, .ts = ts, .device = DMS_ID_NONE,
				  .stack = DMS_ID_NONE, .text = text,
				  .text_len = text ? (uint32_t)strlen(text) : 0};

	run->last_ts = ts;
	ck_assert_ptr_null(dms_run_side_event(run, &event));
}

static bool is_noted(const struct dms_run *run, const char *words)
{
	for (size_t i = 0; i < run->notes.n_notes; i++) {
		if (strstr(run->notes.notes[i].reason, words))
			return true;
	}
	return false;
}

START_TEST(test_markers)
{
	struct dms_run run;

	open_run(&run, &(struct dms_run_options){0});
	ck_assert_ptr_null(run.inventory);
	give(&run, DMS_EV_MARKER, 1, "something else");
	give(&run, DMS_EV_MARKER, 1, NULL);
	ck_assert_ptr_null(run.inventory);
	give(&run, DMS_EV_MARKER, 1,
	     "dmascope-inventory: a drv coherent=1\nhello\ndmascope-inventory: b other\n");
	ck_assert_uint_eq(dms_inventory_count(run.inventory), 2);
	ck_assert_str_eq(dms_inventory_find(run.inventory, "b")->driver, "other");
	ck_assert(!(run.inputs & DMS_INPUT_COHERENCY)); /* the model looks when it needs to */
	give(&run, DMS_EV_MAP, 2, NULL);
	ck_assert(run.inputs & DMS_INPUT_COHERENCY);
	ck_assert(!(run.inputs & DMS_INPUT_LIMITS));
	give(&run, DMS_EV_MARKER, 3, "dmascope-inventory: c drv max_seg_size=0\n"
				     "dmascope-inventory: d\n");
	give(&run, DMS_EV_MARKER, 3, "dmascope-inventory: a drv coherent=0 max_seg_size=4096");
	ck_assert_uint_eq(dms_inventory_count(run.inventory), 2);
	ck_assert_ptr_null(dms_run_side_end(&run));
	ck_assert(run.inputs & DMS_INPUT_LIMITS);
	ck_assert(is_noted(&run, "2 of 5 lines of a device inventory in the trace are malformed and "
				 "were skipped, the first: max_seg_size takes a number"));
	dms_run_close(&run);
}
END_TEST

START_TEST(test_ambiguous)
{
	struct dms_event event = {.kind = DMS_EV_MAP, .stack = DMS_ID_NONE, .has = DMS_HAS_DEVICE};
	struct dms_run run;

	open_run(&run, &(struct dms_run_options){0});
	give(&run, DMS_EV_MARKER, 1, "dmascope-inventory: a one bus=pci\n"
				     "dmascope-inventory: a two bus=usb\n"
				     "dmascope-inventory: b one bus=pci\n"
				     "dmascope-inventory: b two bus=usb\n");
	event.device = dms_strtab_add(run.names.devices, "b", 1);
	ck_assert_ptr_null(dms_model_event(run.model, &event));
	ck_assert_ptr_null(dms_run_side_end(&run));
	ck_assert_uint_eq(run.notes.n_notes, 1);
	ck_assert_str_eq(run.notes.notes[0].device, "b");
	ck_assert(is_noted(&run, "devices of several buses"));
	dms_run_close(&run);
}
END_TEST

#define SECOND 1000000000ull
static const char log_text[] =
	"[    1.000000] DMA-API: drv a: device driver maps memory from stack [probable addr=1]\n"
	"[   10.000000] DMA-API: drv a: device driver maps memory from stack [probable addr=2]\n"
	"[   12.500000] DMA-API: drv a: device driver maps memory from stack [probable addr=3]\n"
	"DMA-API: drv a: device driver maps memory from stack [probable addr=4]\n"
	"[   90.000000] DMA-API: drv a: device driver maps memory from stack [probable addr=5]\n";

static uint64_t found(const struct dms_run *run)
{
	uint32_t name = dms_strtab_add(run->names.devices, "a", 1);

	for (uint32_t i = 0; i < dms_model_n_devices(run->model); i++) {
		if (dms_model_device(run->model, i)->name == name)
			return dms_model_device(run->model, i)->first_ts;
	}
	return 0;
}

/* Lines go where their time is; those without one to the end, those of another time nowhere. */
START_TEST(test_log)
{
	struct dms_run run;

	write_log(log_text);
	open_run(&run, &(struct dms_run_options){.kernel_log = log_path});
	unlink(log_path);
	ck_assert(run.inputs & DMS_INPUT_CONSOLE);
	ck_assert(run.inputs & DMS_INPUT_FAULTS);
	give(&run, DMS_EV_MAP, 10 * SECOND - 1, NULL);
	ck_assert_uint_eq(found(&run), 0);
	give(&run, DMS_EV_MAP, 11 * SECOND, NULL);
	ck_assert_uint_eq(found(&run), 11 * SECOND); /* never earlier than what the model knows */
	give(&run, DMS_EV_MAP, 13 * SECOND, NULL);
	ck_assert_ptr_null(dms_run_side_end(&run));
	ck_assert(is_noted(&run, "2 lines of the kernel log that tell of DMA are of another time"));
	dms_run_close(&run);
}
END_TEST

START_TEST(test_unreadable)
{
	static const struct dms_run_options cases[] = {
		{.inventory = "/nonexistent/a"}, {.iomem = "/nonexistent/a"},
		{.dump_seed = "/nonexistent/a"}, {.kernel_log = "/nonexistent/a"},
		{.iomem = "/dev/null"},
	};
	const char *path = TRACE;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(cases); i++) {
		struct dms_run run;
		struct dms_error *err = dms_run_open(&run, &path, 1, &cases[i]);

		ck_assert_ptr_nonnull(err);
		ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
		dms_error_free(err);
		dms_run_close(&run);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli");
	TCase *side = tcase_create("side");
	SRunner *runner;
	int failures;

	tcase_add_test(side, test_markers);
	tcase_add_test(side, test_ambiguous);
	tcase_add_test(side, test_log);
		tcase_add_test(side, test_unreadable);
	suite_add_tcase(suite, side);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* A recording on a made-up machine, from its plan to its trace.dat: all but the kernel is real. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <dmascope/input.h>
#include <dmascope/record.h>

#include "lib/madeup_root.h"

#define INSTANCE "sys/kernel/tracing/instances/dmascope-7"

/* ---- what the kernel does -------------------------------------------------------------------- */

/* A page of the ring buffer with one event: 4 bytes at the time @ts. */
static void make_page(unsigned int cpu, uint64_t ts)
{
	struct {
		uint64_t ts;
		unsigned long bytes;
		uint32_t head, data; /* head: the number of words that follow */
		char rest[4096 - 2 * sizeof(uint32_t) - sizeof(uint64_t) - sizeof(unsigned long)];
	} page = {.ts = ts, .bytes = 8, .head = 1, .data = 1};
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/" INSTANCE "/per_cpu/cpu%u/trace_pipe_raw", root, cpu);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(&page, sizeof(page), 1, file), 1);
	fclose(file);
}

/* These two stand before the C library's: an instance comes with its files and goes with them. */
int mkdir(const char *path, mode_t mode)
{
	int failed = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);

	if (failed || !strstr(path, "instances/"))
		return failed;
	shell("cd " INSTANCE "; for c in 2 0 11; do mkdir -p per_cpu/cpu$c; "
	      "echo 'read events: 1' >per_cpu/cpu$c/stats; done; mkdir per_cpu/cpufreq; "
	      "mkdir -p events/dma/dma_map_phys; cp ../../events/header_* events; "
	      "touch tracing_on trace_clock buffer_size_kb trace_marker events/dma/dma_map_phys/enable");
	make_page(0, 100);
	make_page(2, 200);
	make_page(11, 300);
	return 0;
}

int rmdir(const char *path)
{
	if (strstr(path, "instances/"))
		shell("rm -r '%s'", path);
	else
		ck_assert_int_eq((int)syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR), 0);
	return 0;
}

/* Or the one process more than there may be. */
static bool may_fork;
pid_t fork(void)
{
	if (may_fork)
		return _Fork();
	errno = EAGAIN;
	return -1;
}

/* Closing what is open does not fail, and may leave any number there. */
int close(int fd)
{
	int failed = (int)syscall(SYS_close, fd);

	errno = ENOTTY;
	return failed;
}

static void make_machine(void)
{
	shell("rm -rf sys proc; mkdir -p sys/kernel/tracing/events/dma/dma_map_phys proc/sys/kernel "
	      "sys/kernel/tracing/instances sys/kernel/tracing/per_cpu/cpu0 sys/kernel/debug/dma-api; "
	      "echo riscv64 >proc/sys/kernel/arch; cd sys/kernel/tracing; echo '[local] mono' >trace_clock; "
	      "printf 'name: dma_map_phys\\nID: 1\\nformat:\\n' >events/dma/dma_map_phys/format; "
	      "touch events/header_event; printf '\\tfield: u64 timestamp;\\toffset:0;\\tsize:8;\\tsigned:0;\\n"
	      "\\tfield: local_t commit;\\toffset:8;\\tsize:%zu;\\tsigned:1;\\n"
	      "\\tfield: char data;\\toffset:%zu;\\tsize:%zu;\\tsigned:1;\\n' >events/header_page",
	      sizeof(long), 8 + sizeof(long), 4096 - 8 - sizeof(long));
}

/* ---- recording ------------------------------------------------------------------------------- */

static const char *const nothing[] = {"true"};
static const char *const *command = nothing;

/* *@ret_plan is there in any case. */
static struct dms_error *record(struct dms_recording **ret, struct dms_plan **ret_plan)
{
	_cleanup_(dms_freep) char *output = dms_asprintf("%s/out.dat", root);
	const struct dms_record_options options = {.output = output,
						   .id = "7",
						   .command = command,
						   .n_command = 1,
						   .stacks = DMS_STACKS_NONE,
						   .has_no_probes = true};
	struct dms_kernel *kernel = NULL;
	struct dms_error *err;

	ck_assert_ptr_null(dms_kernel_open(root, false, &kernel));
	ck_assert_ptr_null(dms_plan_create(kernel, &options, ret_plan));
	err = dms_recording_run(kernel, *ret_plan, &options, ret);
	dms_kernel_close(kernel);
	return err;
}

static void write_trace(struct dms_recording *recording)
{
	_cleanup_(dms_freep) char *path = dms_asprintf("%s/out.dat", root);
	FILE *out = fopen(path, "w");
	struct dms_error *err = dms_recording_write(recording, out);

	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	ck_assert_int_eq(fclose(out), 0);
}

/* CPUs behind a hole are recorded, and keep their numbers. */
START_TEST(cpus_have_holes)
{
	static const uint32_t cpus[] = {0, 2, 11};
	_cleanup_(dms_freep) char *path = dms_asprintf("%s/out.dat", root);
	struct dms_recording *recording = NULL;
	struct dms_source *source = NULL;
	struct dms_plan *plan = NULL;
	struct dms_item item;
	struct dms_error *err;

	may_fork = true;
	make_machine();
	err = record(&recording, &plan);
	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	ck_assert_uint_eq(dms_recording_report(recording)->events, 3);
	write_trace(recording);
	err = dms_source_open(path, &source);
	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	for (size_t i = 0; i < DMS_ARRAY_SIZE(cpus); i++) {
		ck_assert_ptr_null(dms_source_next(source, &item));
		ck_assert_int_eq(item.kind, DMS_ITEM_RECORD);
		ck_assert_uint_eq(item.record.ts, 100 * (i + 1));
		ck_assert_uint_eq(item.record.cpu, cpus[i]);
	}
	ck_assert_ptr_null(dms_source_next(source, &item));
	ck_assert_int_eq(item.kind, DMS_ITEM_END);
	dms_source_close(source);
	dms_recording_destroy(recording);
	dms_plan_destroy(plan);
}
END_TEST

/* A memory map of zeros and a dump of nothing are no side files. */
START_TEST(sides_that_tell_nothing)
{
	struct dms_recording *recording = NULL;
	struct dms_plan *plan = NULL;

	may_fork = true;
	make_machine();
	shell("echo '00000000-00000000 : System RAM' >proc/iomem; : >sys/kernel/debug/dma-api/dump");
	ck_assert_ptr_null(record(&recording, &plan));
	ck_assert_ptr_null(dms_recording_side(recording, DMS_SIDE_IOMEM));
	ck_assert_ptr_null(dms_recording_side(recording, DMS_SIDE_DUMP));
	dms_recording_destroy(recording);
	dms_plan_destroy(plan);
}
END_TEST

START_TEST(no_process_for_the_guard)
{
	struct dms_recording *recording = NULL;
	struct dms_plan *plan = NULL;
	struct dms_error *err;

	may_fork = false;
	make_machine();
	err = record(&recording, &plan);
	ck_assert_ptr_nonnull(err);
	ck_assert_msg(strstr(dms_error_message(err), strerror(EAGAIN)) != NULL, "%s",
		      dms_error_message(err));
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INTERNAL);
	dms_error_free(err);
	dms_plan_destroy(plan);
}
END_TEST

/* It is the command that is wrong, or it is not. */
START_TEST(no_command)
{
	static const char *const missing[] = {"/nowhere/at/all"};
	struct dms_recording *recording = NULL;
	struct dms_plan *plan = NULL;
	struct dms_error *err;

	may_fork = true;
	make_machine();
	command = missing;
	err = record(&recording, &plan);
	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_USAGE);
	dms_error_free(err);
	dms_plan_destroy(plan);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("recording");
	TCase *all = tcase_create("all");
	SRunner *runner;
	char line[64];
	int failures;

	may_fork = true; /* each test is a process */
	if (!mkdtemp(root))
		return 1;
	tcase_add_test(all, cpus_have_holes);
	tcase_add_test(all, sides_that_tell_nothing);
	tcase_add_test(all, no_process_for_the_guard);
	tcase_add_test(all, no_command);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	snprintf(line, sizeof(line), "rm -rf '%s'", root);
	return system(line) || failures ? 1 : 0;
}

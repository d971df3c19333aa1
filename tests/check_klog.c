// SPDX-License-Identifier: GPL-2.0-only
/* Tests of kernel logs as files: their time stamps, messages in two lines, dma-debug's own logs. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dmascope/decode.h>

static const char *srcdir(void)
{
	const char *root = getenv("SRCDIR");

	return root ? root : ".";
}

static const char *device_name(const struct dms_strtab *names, const struct dms_event *event)
{
	return (event->has & DMS_HAS_DEVICE) ? dms_strtab_get(names, event->device) : NULL;
}

#define SMMU "arm-smmu-v3 9050000.smmuv3: "

#define WRITE 1

/* ---- logs ------------------------------------------------------------------------------------ */

#define MAX_EVENTS 8192

/** What a log told. Texts are not kept. */
struct heard {
	struct dms_strtab *names;
	struct dms_event events[MAX_EVENTS];
	char first_text[128];
	size_t n_events, stop_at, n_beginnings;
};

static struct dms_error *hear(void *context, const struct dms_event *event)
{
	struct heard *heard = context;

	if (heard->stop_at && heard->n_events + 1 == heard->stop_at)
		return dms_error_new(DMS_ERROR_INTERNAL, "enough");
	ck_assert_uint_lt(heard->n_events, MAX_EVENTS);
	if (event->text && !heard->n_events)
		snprintf(heard->first_text, sizeof(heard->first_text), "%.*s", (int)event->text_len,
			 event->text);
	heard->events[heard->n_events++] = *event;
	heard->n_beginnings += event->message == DMS_MSG_DEBUG_ON;
	return NULL;
}

static struct heard *heard_create(void)
{
	struct heard *heard = calloc(1, sizeof(*heard));

	ck_assert_ptr_nonnull(heard);
	heard->names = dms_strtab_create();
	return heard;
}

static void heard_destroy(struct heard *heard)
{
	dms_strtab_destroy(heard->names);
	free(heard);
}

static struct dms_error *hear_bytes(struct heard *heard, const char *bytes, size_t size)
{
	char path[] = "/tmp/check_klog.XXXXXX";
	int fd = mkstemp(path);
	struct dms_error *err;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
	err = dms_console_read_file(path, heard->names, hear, heard);
	unlink(path);
	return err;
}

static const struct stamp {
	const char *line;
	uint64_t ts;
} stamps[] = {
	{"[   12.345678] drv a: rejecting DMA map of vmalloc memory", 12345678000},
	{"<4>[   12.345678] drv a: rejecting DMA map of vmalloc memory", 12345678000},
	{"<6>[ 12.3] drv a: rejecting DMA map of vmalloc memory", 12300000000},
	{"[   12.345678][  T123] drv a: rejecting DMA map of vmalloc memory", 12345678000},
	{"[123456.000001] my-host kernel: drv a: rejecting DMA map of vmalloc memory",
	 123456000001000},
	{"kern  :warn  : [   12.345678] drv a: rejecting DMA map of vmalloc memory", 12345678000},
	{"Nov 21 07:01:09 host kernel: [   12.5] drv a: rejecting DMA map of vmalloc memory",
	 12500000000},
	{"Nov 21 07:01:09 host kernel: drv a: rejecting DMA map of vmalloc memory", UINT64_MAX},
	{"[Sat Nov 21 07:01:09 2026] drv a: rejecting DMA map of vmalloc memory", UINT64_MAX},
	{"2026-11-21T07:01:09,123456+00:00 drv a: rejecting DMA map of vmalloc memory", UINT64_MAX},
	{"drv a: rejecting DMA map of vmalloc memory", UINT64_MAX},
	{"[99999999999999999999.5] drv a: rejecting DMA map of vmalloc memory", UINT64_MAX},
	{"[18446744073.99] drv a: rejecting DMA map of vmalloc memory", UINT64_MAX},
};

START_TEST(stamp)
{
	struct heard *heard = heard_create();
	char line[256];

	snprintf(line, sizeof(line), "[ 1.0] other\r\n%s\r\n\r\n", stamps[_i].line);
	ck_assert_ptr_null(hear_bytes(heard, line, strlen(line)));
	ck_assert_uint_eq(heard->n_events, 1);
	ck_assert_uint_eq(heard->events[0].ts, stamps[_i].ts);
	ck_assert_str_eq(device_name(heard->names, &heard->events[0]), "a");
	ck_assert_ptr_nonnull(strstr(heard->first_text, "rejecting DMA map of vmalloc memory"));
	heard_destroy(heard);
}
END_TEST

START_TEST(two_lines)
{
	static const char log[] =
		"[ 1.0] " SMMU "event 0x10 received:\n[ 1.0] " SMMU "\t0x0000000800000010\n"
		"[ 1.0] " SMMU "\t0x0\n[ 1.0] " SMMU "\t0x1000\n[ 1.5] " SMMU "\t0x0\n"
		"[ 2.0] " SMMU
		"event: F_TRANSLATION client: a sid: 0x8 ssid: 0 iova: 0x1000 ipa: 0\n"
		"[ 3.0] DMA-API: pci b: device driver has pending DMA allocations while released "
		"from "
		"device [count=4]\n[ 3.0] One of leaked entries details: [device "
		"address=0x00000000ffffe000] [size=1024 bytes] [mapped with DMA_TO_DEVICE]";
	struct heard *heard = heard_create();

	ck_assert_ptr_null(hear_bytes(heard, log, strlen(log)));
	ck_assert_uint_eq(heard->n_events, 2);
	ck_assert_str_eq(device_name(heard->names, &heard->events[0]), "a");
	ck_assert_int_eq(heard->events[0].err, WRITE);
	ck_assert_uint_eq(heard->events[1].dma_addr, 0xffffe000);
	ck_assert_uint_eq(heard->events[1].size, 1024);
	ck_assert_uint_eq(heard->events[1].ts, 3000000000);
	heard_destroy(heard);
}
END_TEST

START_TEST(odd_files)
{
	static const char good[] = "[ 1.0] drv a: rejecting DMA map of vmalloc memory\n";
	size_t size = 100000 + 2 * strlen(good);
	struct heard *heard = heard_create();
	char *bytes = calloc(1, size);
	struct dms_error *err;

	/* a line of zeroes, far longer than the kernel's, between two good ones */
	memcpy(bytes, good, strlen(good));
	bytes[strlen(good) + 100000 - 1] = '\n';
	memcpy(bytes + strlen(good) + 100000, good, strlen(good));
	ck_assert_ptr_null(hear_bytes(heard, bytes, size));
	ck_assert_uint_eq(heard->n_events, 2);
	free(bytes);
	ck_assert_ptr_null(hear_bytes(heard, "", 0));
	ck_assert_uint_eq(heard->n_events, 2);
	heard->stop_at = 3;
	err = hear_bytes(heard, good, strlen(good));
	ck_assert_ptr_nonnull(err);
	ck_assert_str_eq(dms_error_message(err), "enough");
	dms_error_free(err);
	err = dms_console_read_file("/nonexistent/log", heard->names, hear, heard);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(dms_error_message(err), "/nonexistent/log"));
	dms_error_free(err);
	err = dms_console_read_file("/", heard->names, hear, heard);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	dms_error_free(err);
	heard_destroy(heard);
}
END_TEST

/* Files are read by blocks of 64 KiB: a line may begin in one and end in the next. */
START_TEST(blocks)
{
	static const char good[] = "[    1.000000] drv a: rejecting DMA map of vmalloc memory\n";
	static const size_t block = 64 << 10;
	struct heard *heard = heard_create();
	char *bytes = malloc(block + 2 * sizeof(good));

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, '\n', block);
	for (size_t before = 0; before <= strlen(good); before++) {
		memcpy(bytes + block - before, good, strlen(good));
		memcpy(bytes + block - before + strlen(good), good, strlen(good));
		heard->n_events = 0;
		ck_assert_ptr_null(hear_bytes(heard, bytes, block - before + 2 * strlen(good)));
		ck_assert_uint_eq(heard->n_events, 2);
		ck_assert_str_eq(heard->first_text, "drv a: rejecting DMA map of vmalloc memory");
		ck_assert_uint_eq(heard->events[1].ts, 1000000000);
		memset(bytes + block - before, '\n', before);
	}
	free(bytes);
	heard_destroy(heard);
}
END_TEST

static const struct {
	const char *bytes;
	bool is_log;
} kinds_of_file[] = {
	{"U-Boot 2026.01\n\n[    0.000000] Linux version 7.2\nany\n", true},
	{"<6>any\n", true},
	{"any\ndrv a: rejecting DMA map of vmalloc memory\n", true},
	{"any: 1\nother: [2]\n", false},
	{"any", false},
	{"", true}, /* a machine that has said nothing */
};

START_TEST(is_log)
{
	char path[] = "/tmp/check_klog.XXXXXX";
	size_t size = strlen(kinds_of_file[_i].bytes);
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, kinds_of_file[_i].bytes, size), (ssize_t)size);
	close(fd);
	ck_assert_int_eq(dms_console_is_log(path), kinds_of_file[_i].is_log);
	unlink(path);
	ck_assert(!dms_console_is_log(path));
}
END_TEST

/* ---- dma-debug's own logs -------------------------------------------------------------------- */

/* Kinds of expected.tsv that are messages of their own; all others are DMS_MSG_DEBUG_OTHER. */
static const struct {
	const char *kind;
	enum dms_message message;
} kinds[] = {
	{"leak", DMS_MSG_LEAK},
	{"map-stack", DMS_MSG_STACK},
	{"map-invalid-area", DMS_MSG_INVALID_AREA},
	{"other-map-overflow", DMS_MSG_OVERFLOW},
	{"other-vmalloc-rejected", DMS_MSG_VMALLOC},
	{"sg-boundary", DMS_MSG_SEGMENT_BOUNDARY},
	{"map-error-unchecked", DMS_MSG_UNCHECKED},
	{"sg-segment-long", DMS_MSG_SEGMENT_LONG},
};

static enum dms_message message_of(const char *kind)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(kinds); i++) {
		if (!strcmp(kinds[i].kind, kind))
			return kinds[i].message;
	}
	return DMS_MSG_DEBUG_OTHER;
}

/** A row of expected.tsv. */
struct verdict {
	char folder[64], variant[16], kind[32], device[32], dma_addr[32], size[32];
};

static bool read_verdict(FILE *table, struct verdict *ret)
{
	char line[1024];

	do {
		if (!fgets(line, sizeof(line), table))
			return false;
	} while (*line == '#');
	ck_assert_int_eq(sscanf(line, "%63[^\t]\t%15[^\t]\t%31[^\t]\t%31[^\t]\t%31[^\t]\t%31[^\t]",
				ret->folder, ret->variant, ret->kind, ret->device, ret->dma_addr,
				ret->size),
			 6);
	return true;
}

static void check_verdict(const struct verdict *verdict, const struct dms_event *event,
			  const struct dms_strtab *names)
{
	ck_assert_msg(event->kind == DMS_EV_CONSOLE && event->message == message_of(verdict->kind),
		      "%s %s: %d", verdict->folder, verdict->kind, event->message);
	ck_assert_str_eq(device_name(names, event), verdict->device);
	if (*verdict->dma_addr != '-')
		ck_assert_uint_eq(event->dma_addr, strtoull(verdict->dma_addr, NULL, 16));
	if (*verdict->size != '-')
		ck_assert_uint_eq(event->size, strtoull(verdict->size, NULL, 10));
}

START_TEST(fixture)
{
	struct heard *heard = heard_create();
	struct verdict verdict;
	char path[512];
	size_t n = 0;
	FILE *table;

	snprintf(path, sizeof(path), "%s/tests/fixtures/klog-oracle.txt", srcdir());
	ck_assert_ptr_null(dms_console_read_file(path, heard->names, hear, heard));
	snprintf(path, sizeof(path), "%s/tests/fixtures/klog-oracle.tsv", srcdir());
	table = fopen(path, "r");
	ck_assert_ptr_nonnull(table);
	while (read_verdict(table, &verdict)) {
		ck_assert_uint_lt(n, heard->n_events);
		check_verdict(&verdict, &heard->events[n++], heard->names);
	}
	ck_assert_uint_ge(n, 20);
	ck_assert_uint_eq(n, heard->n_events);
	fclose(table);
	heard_destroy(heard);
}
END_TEST

/* The log of the recording @verdict is about; false: it is not in this set. */
static bool hear_log_of(struct heard *heard, const struct verdict *verdict, const char *folder)
{
	bool is_base = !strcmp(verdict->variant, "base");
	char path[600];

	snprintf(path, sizeof(path), "%s/%s/dmesg%s%s.txt", folder, verdict->folder,
		 is_base ? "" : "-", is_base ? "" : verdict->variant);
	heard->n_events = 0;
	if (access(path, R_OK))
		return false;
	ck_assert_ptr_null(dms_console_read_file(path, heard->names, hear, heard));
	return true;
}

/* Every report of every log, in order, and no other event but dma-debug's own trouble. */
START_TEST(oracle)
{
	struct heard *heard = heard_create();
	struct verdict verdict, last = {.folder = ""};
	size_t n = 0, n_rows = 0, n_absent = 0;
	bool is_there = false;
	char folder[400], path[512];
	FILE *table;

	snprintf(folder, sizeof(folder), "%s/../shared/traces/oracle", srcdir());
	snprintf(path, sizeof(path), "%s/expected.tsv", folder);
	table = fopen(path, "r");
	while (table && read_verdict(table, &verdict)) {
		if (strcmp(verdict.folder, last.folder) != 0 ||
		    strcmp(verdict.variant, last.variant) != 0) {
			ck_assert_msg(n == heard->n_events, "%s %s: %zu of %zu events", last.folder,
				      last.variant, n, heard->n_events);
			is_there = hear_log_of(heard, &verdict, folder);
			n = 0;
		}
		last = verdict;
		n_absent += !is_there;
		if (!is_there || !strcmp(verdict.kind, "-"))
			continue;
		ck_assert_msg(n < heard->n_events, "%s: row %zu", verdict.folder, n);
		check_verdict(&verdict, &heard->events[n++], heard->names);
		n_rows++;
	}
	ck_assert_uint_eq(n, heard->n_events);
	if (table) {
		printf("oracle: %zu reports, %zu rows without a log\n", n_rows, n_absent);
		ck_assert_uint_ge(n_rows, 150);
		fclose(table);
	}
	heard_destroy(heard);
}
END_TEST

/* Machines that booted and worked: no fault, no report but that dma-debug begins. */
START_TEST(healthy)
{
	static const char *const logs[] = {
		"stock/6.12/iommu-perf/console.log",
		"stock/7.2/iommu-perf/console.log",
		"arch/arm64-7.2/noncoh-arch/dmesg-dma.txt",
		"oracle/boot-dmesg-direct.txt",
		"oracle/boot-dmesg-iommu.txt",
		"oracle/boot-dmesg-force.txt",
		"oracle/boot-dmesg-iommulazy.txt",
		"oracle/boot-dmesg-swiotlb1.txt",
	};
	struct heard *heard = heard_create();
	char path[512];

	for (size_t i = 0; i < DMS_ARRAY_SIZE(logs); i++) {
		snprintf(path, sizeof(path), "%s/../shared/traces/%s", srcdir(), logs[i]);
		if (!access(path, R_OK))
			ck_assert_ptr_null(dms_console_read_file(path, heard->names, hear, heard));
	}
	ck_assert_uint_eq(heard->n_events, heard->n_beginnings);
	heard_destroy(heard);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("klog");
	TCase *tcase = tcase_create("klog");
	SRunner *runner;
	int failures;

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, stamp, 0, (int)DMS_ARRAY_SIZE(stamps));
	tcase_add_test(tcase, two_lines);
	tcase_add_test(tcase, odd_files);
	tcase_add_test(tcase, blocks);
	tcase_add_loop_test(tcase, is_log, 0, (int)DMS_ARRAY_SIZE(kinds_of_file));
	tcase_add_test(tcase, fixture);
	tcase_add_test(tcase, oracle);
	tcase_add_test(tcase, healthy);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

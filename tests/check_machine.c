// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the machine's side files: its memory map, and dma-debug's list of live mappings. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dmascope/decode.h>
#include <dmascope/machine.h>

/* ---- memory map ----------------------------------------------------------------------------- */

static struct dms_iomem *iomem_of(const char *text)
{
	struct dms_iomem *iomem = NULL;
	struct dms_error *err = dms_iomem_create(text, strlen(text), &iomem);

	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	return iomem;
}

static const char x86_text[] = "00000000-00000fff : Reserved\n"
			       "00001000-0009fbff : System RAM\n"
			       "000a0000-000bffff : PCI Bus 0000:00\n"
			       "000f0000-000fffff : Reserved\n"
			       "  000f0000-000fffff : System ROM\n"
			       "00100000-1ffd6fff : System RAM\n"
			       "  01000000-017fffff : Kernel code\n"
			       "  01800000-01a41fff : Kernel rodata\n"
			       "  01c00000-01d4487f : Kernel data\n"
			       "  020d9000-021fffff : Kernel bss\n"
			       "  10000000-17ffffff : Crash kernel\n"
			       "20000000-afffffff : PCI Bus 0000:00\n"
			       "  20000000-2fffffff : PCI Bus 0000:01\n"
			       "    20000000-200fffff : 0000:01:00.0\n"
			       "100000000-1ffffffff : System RAM\n"
			       "200000000-2ffffffff : Persistent Memory\n"
			       "  200000000-2ffffffff : dax0.0\n"
			       "    200000000-27fffffff : System RAM (kmem)\n"
			       "fffffffffffff000-ffffffffffffffff : last\n";
/* Kernels for Arm nest what they keep for themselves, one inside the image. */
static const char arm64_text[] = "09000000-09000fff : pl011@9000000\r\n"
				 "40000000-bfffffff : System RAM\r\n"
				 "  40210000-41d4ffff : Kernel code\r\n"
				 "  41d50000-4257ffff : reserved\r\n"
				 "  42580000-429dffff : Kernel data\r\n"
				 "  b0000000-b0ffffff : ramoops:dump(0/4)\r\n"
				 "  b8000000-b8ffffff : reserved\r\n";
static const char riscv_text[] = "80000000-ffffffff : System RAM\n"
				 "  80202000-8219bfff : Kernel image\n"
				 "    80202000-80e1bfff : Kernel code\n"
				 "    81c00000-81dfffff : Kernel rodata\n"
				 "    82000000-821293ff : Kernel data\n";

static const struct {
	const char *map;
	uint64_t addr, size;
	enum dms_area area;
} area_cases[] = {
	{x86_text, 0x0, 1, DMS_AREA_DEVICE},
	{x86_text, 0x1000, 0x1000, DMS_AREA_RAM},
	{x86_text, 0xfff, 2, DMS_AREA_DEVICE},
	{x86_text, 0x9fbff, 1, DMS_AREA_RAM},
	{x86_text, 0x9fbff, 2, DMS_AREA_NONE},
	{x86_text, 0x9fc00, 0, DMS_AREA_NONE},
	{x86_text, 0xc0000, 64, DMS_AREA_NONE},
	{x86_text, 0xf1000, 64, DMS_AREA_DEVICE},
	{x86_text, 0x3a5c000, 4096, DMS_AREA_RAM},
	{x86_text, 0x0fff000, 4096, DMS_AREA_RAM},
	{x86_text, 0x0fff000, 4097, DMS_AREA_TEXT},
	{x86_text, 0x17fffff, 1, DMS_AREA_TEXT},
	{x86_text, 0x17fffff, 2, DMS_AREA_RODATA},
	{x86_text, 0x1800000, 64, DMS_AREA_RODATA},
	{x86_text, 0x1a42000, 64, DMS_AREA_RAM},
	{x86_text, 0x1c00000, 64, DMS_AREA_RAM},
	{x86_text, 0x1d44880, 64, DMS_AREA_RAM},
	{x86_text, 0x10000000, 64, DMS_AREA_RAM},
	{x86_text, 0x1ffd6000, 4096, DMS_AREA_RAM},
	{x86_text, 0x1ffd7000, 1, DMS_AREA_NONE},
	{x86_text, 0x20000000, 64, DMS_AREA_DEVICE},
	{x86_text, 0xafffffff, 1, DMS_AREA_DEVICE},
	{x86_text, 0xb0000000, 1, DMS_AREA_NONE},
	{x86_text, 0x100000000, 1ull << 32, DMS_AREA_RAM},
	{x86_text, 0x200000000, 64, DMS_AREA_RAM},
	{x86_text, 0x280000000, 64, DMS_AREA_DEVICE},
	{x86_text, 0x300000000, 64, DMS_AREA_NONE},
	{x86_text, 0xfffffffffffff800, 0x1000, DMS_AREA_DEVICE}, /* beyond the last byte */
	{x86_text, UINT64_MAX, 1, DMS_AREA_DEVICE},
	{x86_text, 0, UINT64_MAX, DMS_AREA_RODATA},
	{arm64_text, 0x9000000, 4, DMS_AREA_DEVICE},
	{arm64_text, 0x41000000, 64, DMS_AREA_TEXT},
	{arm64_text, 0x41d50000, 64, DMS_AREA_RAM},
	{arm64_text, 0x42580000, 64, DMS_AREA_RAM},
	{arm64_text, 0xb0000000, 64, DMS_AREA_RAM},
	{arm64_text, 0xb8000000, 0x8000000, DMS_AREA_RAM},
	{arm64_text, 0xc0000000, 1, DMS_AREA_NONE},
	{riscv_text, 0x80201fff, 1, DMS_AREA_RAM},
	{riscv_text, 0x80300000, 1, DMS_AREA_TEXT},
	{riscv_text, 0x80e1c000, 1, DMS_AREA_RAM},
	{riscv_text, 0x81c00000, 1, DMS_AREA_RODATA},
	{riscv_text, 0x8219c000, 1, DMS_AREA_RAM},
	/* one line outlasts the one it stands in, which the kernel never writes */
	{"1000-1fff : A\n  1800-2fff : System RAM\n", 0x1900, 1, DMS_AREA_RAM},
	{"1000-1fff : A\n  1800-2fff : System RAM\n", 0x2000, 1, DMS_AREA_NONE},
};

START_TEST(test_area)
{
	struct dms_iomem *iomem = iomem_of(area_cases[_i].map);

	ck_assert_int_eq(dms_iomem_area(iomem, area_cases[_i].addr, area_cases[_i].size),
			 area_cases[_i].area);
	dms_iomem_destroy(iomem);
}
END_TEST

START_TEST(test_no_map)
{
	ck_assert_int_eq(dms_iomem_area(NULL, 0x1000, 1), DMS_AREA_UNKNOWN);
	dms_iomem_destroy(NULL);
}
END_TEST

static const struct {
	const char *text, *wanted;
} bad_maps[] = {
	{"00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n",
	 "all addresses are 0: the kernel shows those of /proc/iomem only to root"},
	{"", "no line of a memory map"},
	{"\n\n", "no line of a memory map"},
	{"1000-1fff : A\nhello\n", "line 2: expected START-END : NAME"},
	{"1000 : A\n", "line 1: expected"},
	{"2000-1fff : A\n", "line 1: expected"},
	{"1000-1fff A\n", "line 1: expected"},
	{"10000000000000000-20000000000000000 : A\n", "line 1: expected"},
};

START_TEST(test_bad_map)
{
	struct dms_iomem *iomem = NULL;
	struct dms_error *err =
		dms_iomem_create(bad_maps[_i].text, strlen(bad_maps[_i].text), &iomem);

	ck_assert_ptr_nonnull(err);
	ck_assert_ptr_null(iomem);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	ck_assert_msg(strstr(dms_error_message(err), bad_maps[_i].wanted) != NULL, "%s",
		      dms_error_message(err));
	dms_error_free(err);
}
END_TEST

/* Lines one in the other by their addresses, though none of them says so: the 65th is one too many. */
START_TEST(test_deep_map)
{
	char text[65 * 32];
	size_t size = 0;

	for (int i = 0; i < 65; i++) {
		struct dms_iomem *iomem = NULL;
		struct dms_error *err;

		size += (size_t)snprintf(text + size, sizeof(text) - size, "%04x-%04x : A\n", 0x1000 + i,
					 0x2000 - i);
		err = dms_iomem_create(text, size, &iomem);
		if (i < 64) {
			ck_assert_ptr_null(err);
			dms_iomem_destroy(iomem);
			continue;
		}
		ck_assert_ptr_nonnull(err);
		ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
		ck_assert_str_eq(dms_error_message(err), "more than 64 lines around address 0x1040");
		dms_error_free(err);
	}
}
END_TEST

/* ---- files ---------------------------------------------------------------------------------- */

/* A file with @text; its path is static. */
static const char *file_of(const char *text, size_t size)
{
	static char path[64];
	int fd;

	strcpy(path, "/tmp/check_machine.XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, size), (ssize_t)size);
	close(fd);
	return path;
}

START_TEST(test_map_file)
{
	const char *path = file_of(x86_text, strlen(x86_text));
	struct dms_iomem *iomem = NULL;
	struct dms_error *err = dms_iomem_read(path, &iomem);

	unlink(path);
	ck_assert_ptr_null(err);
	ck_assert_int_eq(dms_iomem_area(iomem, 0x1000000, 1), DMS_AREA_TEXT);
	dms_iomem_destroy(iomem);
	err = dms_iomem_read(path, &iomem);
	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(dms_error_message(err), path));
	dms_error_free(err);
}
END_TEST

/* ---- dump ------------------------------------------------------------------------------------ */

/** What the reader gave, as text. */
struct taken {
	char text[1024];
	unsigned int n;
};

static struct dms_error *take(void *context, const struct dms_dump_entry *entry)
{
	struct taken *taken = context;
	size_t used = strlen(taken->text);

	taken->n++;
	snprintf(taken->text + used, sizeof(taken->text) - used,
		 "%s|%s|%s|%llx|%llx|%llx|%s|%llx|%d%d\n", entry->driver, entry->device, entry->type,
		 (unsigned long long)entry->phys_addr, (unsigned long long)entry->dma_addr,
		 (unsigned long long)entry->size, dms_dir_name(entry->dir),
		 (unsigned long long)entry->attrs, entry->is_checked, entry->is_unchecked);
	return NULL;
}

static const struct {
	const char *line, *wanted;
} lines[] = {
	/* Linux 6.12, as recorded */
	{"nvme 0000:00:08.0 coherent idx 6824 P=0x0000000003550000 D=3550000 L=200 "
	 "cln=0x00000000000d5400 DMA_BIDIRECTIONAL dma map error check not applicable\n",
	 "nvme|0000:00:08.0|coherent|3550000|3550000|200|BIDIRECTIONAL|0|00\n"},
	{"dmafault 0000:00:05.0 single idx 7 P=0x0000000003550040 D=fffff000 L=10000 "
	 "cln=0x00000000000d5400 DMA_TO_DEVICE dma map error not checked\r\n",
	 "dmafault|0000:00:05.0|single|3550040|fffff000|10000|TO_DEVICE|0|01\n"},
	{"dmafault 0000:00:05.0 scatter-gather idx 7 P=0x1 D=2 L=3 cln=0x0 DMA_FROM_DEVICE "
	 "dma map error checked\n",
	 "dmafault|0000:00:05.0|scatter-gather|1|2|3|FROM_DEVICE|0|10\n"},
	/* 7.2 has attributes; before 5.15 there was a page number and no cache line */
	{"a b phy idx 7 P=0x1000 D=2000 L=3 cln=0x0 DMA_NONE attrs=0x420 dma map error checked\n",
	 "a|b|phy|1000|2000|3|NONE|420|10\n"},
	{"a b resource idx 7 P=1000 N=1 D=2000 L=3 DMA_FROM_DEVICE dma map error checked",
	 "a|b|resource|1000|2000|3|FROM_DEVICE|0|10\n"},
	/* names that are up to no good */
	{"my driver idx 1 of two dev idx noncoherent idx 7 P=0x1 D=2 L=3 cln=0x0 DMA_TO_DEVICE x\n",
	 "my driver idx 1 of two dev|idx|noncoherent|1|2|3|TO_DEVICE|0|00\n"},
	{" dev single idx 7 P=0x1 D=2 L=3 cln=0x0 DMA_TO_DEVICE x\n",
	 "|dev|single|1|2|3|TO_DEVICE|0|00\n"},
	{"\n\n", ""},
};

START_TEST(test_dump_line)
{
	const char *path = file_of(lines[_i].line, strlen(lines[_i].line));
	struct taken taken = {.n = 0};
	struct dms_error *err = dms_dump_read(path, take, &taken);

	unlink(path);
	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	ck_assert_str_eq(taken.text, lines[_i].wanted);
}
END_TEST

#define GOOD "a b phy idx 7 P=0x1000 D=2000 L=3 cln=0x0 DMA_NONE dma map error checked\n"
static const struct {
	const char *text, *wanted;
} bad_dumps[] = {
	{GOOD "hello\n", "line 2 is none of a dma-api dump"},
	{GOOD GOOD "a b phy idx 7 P=0x1000 D=2000 L=3\n", "line 3"}, /* no direction */
	{"a b phy idx 7 P=0x1000 D=2000 cln=0 DMA_NONE\n", "line 1"},
	{"a b phy idx 7 P=zero D=2000 L=3 DMA_NONE\n", "line 1"},
	{"a b phy idx 7 P=0x1000 D=-1 L=3 DMA_NONE\n", "line 1"},
	{"a b phy idx x P=0x1000 D=1 L=3 DMA_NONE\n", "line 1"},
	{"phy idx 7 P=0x1000 D=1 L=3 DMA_NONE\n", "line 1"},
};

START_TEST(test_bad_dump)
{
	const char *path = file_of(bad_dumps[_i].text, strlen(bad_dumps[_i].text));
	struct taken taken = {.n = 0};
	struct dms_error *err = dms_dump_read(path, take, &taken);

	unlink(path);
	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(dms_error_code(err), DMS_ERROR_INPUT);
	ck_assert_msg(strstr(dms_error_message(err), bad_dumps[_i].wanted) != NULL, "%s",
		      dms_error_message(err));
	dms_error_free(err);
}
END_TEST

static struct dms_error *refuse(void *context, const struct dms_dump_entry *entry)
{
	(void)entry;
	++*(int *)context;
	return dms_error_new(DMS_ERROR_INTERNAL, "enough");
}

START_TEST(test_dump_stops)
{
	const char *path = file_of(GOOD GOOD, strlen(GOOD GOOD));
	int n_taken = 0;
	struct dms_error *err = dms_dump_read(path, refuse, &n_taken);

	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(n_taken, 1);
	dms_error_free(err);
	unlink(path);
	err = dms_dump_read(path, refuse, &n_taken);
	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(n_taken, 1);
	dms_error_free(err);
	path = file_of(GOOD "\0", strlen(GOOD) + 1);
	err = dms_dump_read(path, refuse, &n_taken);
	unlink(path);
	ck_assert_ptr_nonnull(strstr(dms_error_message(err), "zero byte"));
	dms_error_free(err);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("machine");
	TCase *iomem = tcase_create("iomem"), *dump = tcase_create("dump");
	SRunner *runner;
	int failures;

	tcase_add_loop_test(iomem, test_area, 0, DMS_ARRAY_SIZE(area_cases));
	tcase_add_test(iomem, test_no_map);
	tcase_add_loop_test(iomem, test_bad_map, 0, DMS_ARRAY_SIZE(bad_maps));
	tcase_add_test(iomem, test_deep_map);
	tcase_add_test(iomem, test_map_file);
	tcase_add_loop_test(dump, test_dump_line, 0, DMS_ARRAY_SIZE(lines));
	tcase_add_loop_test(dump, test_bad_dump, 0, DMS_ARRAY_SIZE(bad_dumps));
	tcase_add_test(dump, test_dump_stops);
	suite_add_tcase(suite, iomem);
	suite_add_tcase(suite, dump);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

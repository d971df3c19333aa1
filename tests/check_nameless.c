// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/base/nameless.c: files without a name, and what a dead run left of one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <check.h>

#include <dmascope/base.h>

/* A file system without O_TMPFILE, as some network and overlay file systems are. */
static bool has_tmpfile = true;

/* Stands before the C library's, for everything in this program. */
int open(const char *path, int flags, ...)
{
	va_list args;
	int mode = 0;

	if (flags & (O_CREAT | O_TMPFILE)) {
		va_start(args, flags);
		mode = va_arg(args, int);
		va_end(args);
	}
	if (!has_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static char folder[] = "/tmp/check-nameless-XXXXXX";

static void make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
}

static void remove_folder(void)
{
	has_tmpfile = true;
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(folder), 0); /* so it is empty */
}

static void write_and_read(const char *path)
{
	int fd = dms_open_nameless(path);
	char back[4] = "";
	struct stat status;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, "dma", 3, 0), 3);
	ck_assert_int_eq(pread(fd, back, 3, 0), 3);
	ck_assert_str_eq(back, "dma");
	ck_assert_int_eq(fstat(fd, &status), 0);
	ck_assert_int_eq((int)status.st_nlink, 0);
	ck_assert_int_eq((int)(status.st_mode & 0777), 0600);
	close(fd);
}

START_TEST(a_file_has_no_name)
{
	has_tmpfile = _i == 0;
	write_and_read("out.dat");
	write_and_read("./out.dat");
}
END_TEST

START_TEST(a_dead_run_s_file_is_cleared_away)
{
	int fd = open("out.dat.nameless.part", O_CREAT | O_WRONLY, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
	has_tmpfile = false;
	write_and_read("out.dat");
}
END_TEST

START_TEST(what_cannot_be_cleared_away_is_an_error)
{
	has_tmpfile = false;
	ck_assert_int_eq(mkdir("out.dat.nameless.part", 0700), 0);
	ck_assert_int_eq(dms_open_nameless("out.dat"), -1);
	ck_assert_int_ne(errno, 0);
	ck_assert_int_eq(rmdir("out.dat.nameless.part"), 0);
}
END_TEST

START_TEST(no_folder_is_an_error)
{
	has_tmpfile = _i == 0;
	ck_assert_int_eq(dms_open_nameless("none/out.dat"), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nameless");
	TCase *tcase = tcase_create("nameless");
	SRunner *runner;
	int failures;

	tcase_add_checked_fixture(tcase, make_folder, remove_folder);
	tcase_add_loop_test(tcase, a_file_has_no_name, 0, 2);
	tcase_add_test(tcase, a_dead_run_s_file_is_cleared_away);
	tcase_add_test(tcase, what_cannot_be_cleared_away_is_an_error);
	tcase_add_loop_test(tcase, no_folder_is_an_error, 0, 2);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

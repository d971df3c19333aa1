// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/store when things go wrong: killed, full disks, second writers, strange files. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/store_room.h"

/* ---- faults ---------------------------------------------------------------------------------- */

START_TEST(nothing_under_the_name_before_finish)
{
	struct room room;

	room_enter(&room);
	room_begin(&room, false);
	room_must(room_complete(&room, DMS_STEP_ENDED, DMS_END_LIVE));
	ck_assert_int_ne(access(room.path, F_OK), 0);
	ck_assert_int_eq(access(room.part, F_OK), 0);
	dms_store_destroy(room.store);
	room.store = NULL;
	ck_assert_int_ne(access(room.path, F_OK), 0);
	ck_assert_int_ne(access(room.part, F_OK), 0);
	room_leave(&room);
}
END_TEST

START_TEST(older_database_replaced_only_at_finish)
{
	struct room room;

	room_enter(&room);
	room_begin(&room, false);
	room_must(dms_store_run(room.store, "which", "old"));
	room_finish(&room);
	room_begin(&room, false);
	room_must(dms_store_run(room.store, "which", "thrown away"));
	dms_store_destroy(room.store);
	ASK(&room, "SELECT value FROM run WHERE key = 'which'", "old");
	room_begin(&room, false);
	room_must(dms_store_run(room.store, "which", "new"));
	ASK(&room, "SELECT value FROM run WHERE key = 'which'", "old");
	room_finish(&room);
	ASK(&room, "SELECT value FROM run WHERE key = 'which'", "new");
	ck_assert_int_ne(access(room.part, F_OK), 0);
	room_leave(&room);
}
END_TEST

START_TEST(second_writer_refused)
{
	struct dms_store *second = NULL;
	struct room room;

	room_enter(&room);
	room_begin(&room, false);
	room_must_fail(dms_store_create(room.path, NULL, &second), DMS_ERROR_INTERNAL,
		  "another dmascope is writing");
	room_must(room_complete(&room, DMS_STEP_ENDED, DMS_END_LIVE));
	room_finish(&room);
	ASK(&room, "SELECT count(*) FROM mapping", "1");
	room_leave(&room);
}
END_TEST

START_TEST(leftover_of_a_killed_run_replaced)
{
	struct room room;
	pid_t child;
	int status;

	room_enter(&room);
	child = fork();
	if (!child) {
		room_begin(&room, false);
		room_fill(&room, 5000);
		raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(access(room.part, F_OK), 0);
	ck_assert_int_ne(access(room.path, F_OK), 0);
	room_begin(&room, false);
	room_must(room_complete(&room, DMS_STEP_ENDED, DMS_END_LIVE));
	room_finish(&room);
	ASK(&room, "SELECT count(*) FROM mapping", "1");
	room_leave(&room);
}
END_TEST

START_TEST(strange_files_never_overwritten)
{
	static const char *const texts[] = { "", "my thesis", "SQLite format 3" };
	struct dms_store *store = NULL;
	struct room room;
	char *text;
	size_t size;

	room_enter(&room);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(texts); i++) {
		room_spill(room.path, texts[i]);
		room_must_fail(dms_store_create(room.path, NULL, &store), DMS_ERROR_USAGE,
			  "not a dmascope database");
		text = room_slurp(room.path, &size);
		ck_assert_str_eq(text, texts[i]);
		dms_free(text);
		ck_assert_int_ne(access(room.part, F_OK), 0);
	}
	room_must_fail(dms_store_create(room.folder, NULL, &store), DMS_ERROR_USAGE, "folder");
	room_must_fail(dms_store_create("/dev/null", NULL, &store), DMS_ERROR_USAGE, "regular file");
	room_must_fail(dms_store_create("/tmp/check_store.none/run.db", NULL, &store),
		  DMS_ERROR_INTERNAL, "No such file");
	room_leave(&room);
}
END_TEST

START_TEST(file_that_appears_meanwhile_not_overwritten)
{
	struct room room;
	char *text;
	size_t size;

	room_enter(&room);
	room_begin(&room, false);
	room_spill(room.path, "my thesis");
	room_must_fail(dms_store_finish(room.store), DMS_ERROR_USAGE, "not a dmascope database");
	text = room_slurp(room.path, &size);
	ck_assert_str_eq(text, "my thesis");
	dms_free(text);
	room_leave(&room);
}
END_TEST

START_TEST(symbolic_link_followed)
{
	struct room room;
	struct stat st;
	char real[96];

	room_enter(&room);
	room_begin(&room, false);
	room_finish(&room);
	snprintf(real, sizeof(real), "%s/real.db", room.folder);
	ck_assert_int_eq(rename(room.path, real), 0);
	ck_assert_int_eq(symlink("real.db", room.path), 0);
	room_begin(&room, false);
	room_must(room_complete(&room, DMS_STEP_ENDED, DMS_END_LIVE));
	room_finish(&room);
	ck_assert(!lstat(room.path, &st) && S_ISLNK(st.st_mode));
	ASK(&room, "SELECT count(*) FROM mapping", "1");
	room_leave(&room);
}
END_TEST

/* In a child: a limit on the size of files stands in for a full disk. */
static int fill_a_full_disk(struct room *room)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };
	struct dms_mapping mapping;
	struct dms_step step = { .kind = DMS_STEP_ENDED, .device = &room->device,
				 .mapping = &mapping, .end = DMS_END_LIVE };
	struct dms_error *err = NULL;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	room_must(dms_store_create(room->path, NULL, &room->store));
	for (int i = 0; i < 1000000 && !err; i++) {
		mapping = room->mapping;
		err = dms_store_step(room->store, room->model, &step);
	}
	if (!err || dms_error_code(err) != DMS_ERROR_INTERNAL)
		return 1;
	if (!strstr(dms_error_message(err), "writing the database: File too large"))
		return 2;
	dms_error_free(err);
	err = dms_store_finish(room->store);
	if (!err)
		return 3;
	dms_error_free(err);
	dms_store_destroy(room->store);
	return access(room->part, F_OK) ? 0 : 4;
}

START_TEST(full_disk)
{
	struct room room;
	pid_t child;
	int status;

	room_enter(&room);
	room_begin(&room, false);
	room_must(dms_store_run(room.store, "which", "old"));
	room_finish(&room);
	child = fork();
	if (!child)
		_exit(fill_a_full_disk(&room));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "child ended with %#x", status);
	ASK(&room, "SELECT value FROM run WHERE key = 'which'", "old");
	room_leave(&room);
}
END_TEST

/* In a child: the disk is full when @n_rows rows, not yet written, have to be. */
static int finish_on_a_full_disk(struct room *room, uint32_t n_rows)
{
	struct rlimit limit = { 4096, 4096 };

	signal(SIGXFSZ, SIG_IGN);
	room_begin(room, false);
	room_fill(room, n_rows);
	setrlimit(RLIMIT_FSIZE, &limit);
	room_must_fail(dms_store_finish(room->store), DMS_ERROR_INTERNAL, "writing the database");
	if (n_rows) /* asked again it does not forget */
		room_must_fail(dms_store_finish(room->store), DMS_ERROR_INTERNAL, "failed before");
	dms_store_destroy(room->store);
	return access(room->part, F_OK) && access(room->path, F_OK) ? 0 : 1;
}

START_TEST(disk_full_at_the_end)
{
	static const uint32_t n_rows[] = { 0, 100, 1000 };

	for (size_t i = 0; i < DMS_ARRAY_SIZE(n_rows); i++) {
		struct room room;
		pid_t child;
		int status;

		room_enter(&room);
		child = fork();
		if (!child)
			_exit(finish_on_a_full_disk(&room, n_rows[i]));
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "%u rows: child %#x",
			      n_rows[i], status);
		room_leave(&room);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		nothing_under_the_name_before_finish, older_database_replaced_only_at_finish,
		second_writer_refused, leftover_of_a_killed_run_replaced,
		strange_files_never_overwritten, file_that_appears_meanwhile_not_overwritten,
		symbolic_link_followed, full_disk, disk_full_at_the_end,
	};
	Suite *suite = suite_create("store_faults");
	TCase *tcase = tcase_create("store_faults");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

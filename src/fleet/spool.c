// SPDX-License-Identifier: LGPL-2.1-only
/* A folder of runs that wait for the network: whole databases, called after their runs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dmascope/store.h>

#include "../store/part.h"
#include "local.h"

#define LOCK_NAME   ".lock"
#define BLOCK_BYTES (256u << 10)

/* ---- adding -----------------------------------------------------------------------------------
 */

static struct dms_error *copy_bytes(const char *path, int to, const char *to_path)
{
	_cleanup_(dms_freep) uint8_t *block = dms_alloc(BLOCK_BYTES);
	struct dms_error *err = NULL;
	ssize_t n = 1, done;
	int from = open(path, O_RDONLY | O_CLOEXEC);

	if (from < 0)
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", path);
	if (!block)
		err = &dms_error_nomem;
	while (!err && n) {
		n = read(from, block, BLOCK_BYTES);
		if (n < 0)
			err = dms_error_errno(DMS_ERROR_INPUT, errno, "%s", path);
		for (ssize_t at = 0; !err && at < n; at += done) {
			done = write(to, block + at, (size_t)(n - at));
			if (done < 0)
				err = dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", to_path);
		}
	}
	close(from);
	return err;
}

/* Labels travel in the copy itself: they cannot get lost on the way. */
static struct dms_error *add_labels(const char *path, const struct dms_fleet_run *run)
{
	_cleanup_(dms_freep) char *taken = dms_asprintf("%u", run->taken_s);
	const char *facts[][2] = {
		{FLEET_HOST, run->host}, {FLEET_BUILD, run->build}, {FLEET_TAKEN, taken}};
	struct sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err = NULL;
	int rc;

	if (!taken)
		return &dms_error_nomem;
	rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
	if (rc == SQLITE_OK) /* nobody else knows this file */
		rc = sqlite3_exec(db, "PRAGMA journal_mode = MEMORY", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, "REPLACE INTO run VALUES (?, ?)", -1, &stmt, NULL);
	for (size_t i = 0; rc == SQLITE_OK && i < DMS_ARRAY_SIZE(facts); i++) {
		sqlite3_bind_text(stmt, 1, facts[i][0], -1, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 2, facts[i][1], -1, SQLITE_STATIC);
		sqlite3_step(stmt);
		rc = sqlite3_reset(stmt);
	}
	if (rc != SQLITE_OK)
		err = dms_db_error(db, path);
	sqlite3_finalize(stmt);
	dms_db_close(db);
	return err;
}

static struct dms_error *sync_folder(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);
	struct dms_error *err = rc ? dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", dir) : NULL;

	if (fd >= 0)
		close(fd);
	return err;
}

/* Is @part still called so? While we waited for its lock, its writer may have given it its name. */
static bool is_same(int fd, const char *part)
{
	struct stat opened, named;

	return !fstat(fd, &opened) && !stat(part, &named) && opened.st_ino == named.st_ino &&
	       opened.st_dev == named.st_dev;
}

/* Make @part, or take over what a killed process has left. Return: its descriptor, or -1 and errno;
 * *@ret_ours: nobody else has it, and it is still called so. */
static int try_part(const char *part, const struct dms_part_watch *watch, bool *ret_ours)
{
	int fd, failure;

	if (watch)
		watch->begin();
	fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	failure = errno;
	*ret_ours = fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB) && is_same(fd, part);
	if (watch)
		watch->end(part, *ret_ours);
	errno = failure;
	return fd;
}

/* What another process is writing is waited for, as it may be killed. *@ret -1: it has become @path
 * meanwhile. */
static struct dms_error *lock_part(const char *part, const char *path,
				   const struct dms_part_watch *watch, int *ret)
{
	struct dms_error *err = NULL;
	bool is_ours = false;

	*ret = -1;
	while (!err && !is_ours && access(path, F_OK)) {
		int fd = try_part(part, watch, &is_ours);

		if (fd < 0)
			return dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", part);
		if (is_ours)
			*ret = fd;
		else if (flock(fd, LOCK_EX) && errno != EINTR)
			err = dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s: locking", part);
		if (!is_ours)
			close(fd);
	}
	return err;
}

static struct dms_error *write_copy(const struct dms_fleet_run *run, int fd, const char *part)
{
	struct dms_error *err;

	if (ftruncate(fd, 0))
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", part);
	if ((err = copy_bytes(run->path, fd, part)) || (err = add_labels(part, run)))
		return err;
	return fsync(fd) ? dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", part) : NULL;
}

struct dms_error *dms_fleet_spool_add(const char *dir, const struct dms_fleet_run *run,
				      const struct dms_part_watch *watch)
{
	char id[FLEET_ID_TEXT];
	_cleanup_(dms_freep) char *path = dms_asprintf("%s/%s.db", dir, fleet_id_text(run->id, id));
	_cleanup_(dms_freep) char *part = path ? dms_asprintf("%s.part", path) : NULL;
	struct dms_error *err;
	int fd;

	if (!part)
		return &dms_error_nomem;
	if (mkdir(dir, 0700) && errno != EEXIST)
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", dir);
	if ((err = lock_part(part, path, watch, &fd)) || fd < 0)
		return err;
	err = write_copy(run, fd, part);
	if (!err && dms_part_rename(part, path, watch))
		err = dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", part);
	if (err)
		dms_part_remove(part, watch);
	close(fd);
	return err ? err : sync_folder(dir);
}

/* ---- sending ----------------------------------------------------------------------------------
 */

static bool ends_in(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	return len > n && !strcmp(name + len - n, suffix);
}

/* What a killed process has left; one that is being written is locked. */
static void remove_leftover(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		unlink(path);
	close(fd);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct dms_error *list(DIR *folder, const char *dir, struct dms_fleet_spool *spool)
{
	struct dirent *entry;
	char *path;

	while ((entry = readdir(folder))) {
		if (!ends_in(entry->d_name, ".db") && !ends_in(entry->d_name, ".part"))
			continue;
		if (!(path = dms_asprintf("%s/%s", dir, entry->d_name)))
			return &dms_error_nomem;
		if (ends_in(path, ".part")) {
			remove_leftover(path);
			dms_free(path);
			continue;
		}
		if (!dms_grow(&spool->paths, &spool->capacity, spool->n_paths + 1,
			      sizeof(*spool->paths))) {
			dms_free(path);
			return &dms_error_nomem;
		}
		spool->paths[spool->n_paths++] = path;
	}
	if (spool->n_paths)
		qsort(spool->paths, spool->n_paths, sizeof(*spool->paths), compare);
	return NULL;
}

static struct dms_error *lock(const char *dir, struct dms_fleet_spool *spool)
{
	_cleanup_(dms_freep) char *path = dms_asprintf("%s/" LOCK_NAME, dir);

	if (!path)
		return &dms_error_nomem;
	spool->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (spool->lock < 0)
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", path);
	if (!flock(spool->lock, LOCK_EX | LOCK_NB))
		return NULL;
	if (errno != EWOULDBLOCK)
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", path);
	return dms_error_new(DMS_ERROR_INPUT, "%s: another process is sending this spool", dir);
}

struct dms_error *dms_fleet_spool_open(const char *dir, struct dms_fleet_spool *ret)
{
	struct dms_error *err;
	DIR *folder = opendir(dir);

	*ret = (struct dms_fleet_spool){.lock = -1};
	if (!folder)
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", dir);
	err = lock(dir, ret);
	if (!err)
		err = list(folder, dir, ret);
	closedir(folder);
	if (err)
		dms_fleet_spool_close(ret);
	return err;
}

void dms_fleet_spool_close(struct dms_fleet_spool *spool)
{
	for (size_t i = 0; i < spool->n_paths; i++)
		dms_free(spool->paths[i]);
	dms_free(spool->paths);
	if (spool->lock >= 0)
		close(spool->lock);
	*spool = (struct dms_fleet_spool){.lock = -1};
}

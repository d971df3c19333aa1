// SPDX-License-Identifier: LGPL-2.1-only
/* A folder of CSV files, one for each table of the run: written aside, then put in place. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exports.h"

/* Where the files are written before they get their place. Only we make a folder of this name. */
#define PART   ".dmascope-part"
#define README "README"
#define TABLE  "device_table" /* what the report tells of each device: of no table of the run */

/* Views are made anew by each query: their order has to be said. */
static const struct csv_file views[] = {
	{"device_summary", "device_id"},
	{"driver_summary", "driver"},
	{"findings", "id"},
	{"call_sites", "device, generation, function, module, first_stack_id"},
	{"distributions", "device_id, measure"},
	{"driver_distributions", "driver, measure"},
	{"rates", "device_id"},
	{"driver_rates", "driver"},
	{"bounces", "device_id"},
	{"iommu_merge", "device_id"},
	{"iova_space", "device_id"},
	{"handovers", "device_id, map_cpu, unmap_cpu"},
	{"call_site_rates", "id"},
};

/** An export under way. */
struct csv_dir {
	struct sqlite3 *db;
	const char *path;
	const struct dms_layout *layout; /* of devices.csv; may be NULL */
	int fd, part_fd; /* of the folder and of PART in it; -1: not open */
	bool is_new;	 /* we made the folder */
	FILE *readme;
};

static struct dms_error *dir_error(const struct csv_dir *dir, const char *name)
{
	return dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s/%s", dir->path, name);
}

/* ---- whose folder it is ------------------------------------------------------------------------ */

/* Is the README there one of ours? */
static bool has_readme(int fd)
{
	char begin[64] = "";
	int readme = openat(fd, README, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = readme < 0 ? 0 : read(readme, begin, sizeof(begin));

	if (readme >= 0)
		close(readme);
	return n >= (ssize_t)strlen(csv_readme_mark) &&
	       !memcmp(begin, csv_readme_mark, strlen(csv_readme_mark));
}

/* Is there anything in the folder, and our unfinished work among it? */
static struct dms_error *look_into(const struct csv_dir *dir, bool *ret_any, bool *ret_part)
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	*ret_any = *ret_part = false;
	if (!stream) {
		if (fd >= 0)
			close(fd);
		return dir_error(dir, "");
	}
	while ((entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			*ret_any = true;
		if (!strcmp(entry->d_name, PART))
			*ret_part = true;
	}
	closedir(stream);
	return NULL;
}

static struct dms_error *check_owner(const struct csv_dir *dir)
{
	bool has_any, has_part;
	struct dms_error *err = look_into(dir, &has_any, &has_part);

	if (err || !has_any || has_part || has_readme(dir->fd))
		return err;
	return dms_error_new(DMS_ERROR_USAGE,
			     "%s is neither empty nor an earlier export; name another folder",
			     dir->path);
}

/* ---- opening, cleaning ------------------------------------------------------------------------- */

/* Remove PART and the files in it; we make no folders there. */
static void remove_part(struct csv_dir *dir)
{
	int fd = openat(dir->fd, PART, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (stream && (entry = readdir(stream)))
		unlinkat(fd, entry->d_name, 0);
	if (stream)
		closedir(stream);
	else if (fd >= 0)
		close(fd);
	unlinkat(dir->fd, PART, AT_REMOVEDIR);
}

static struct dms_error *open_part(struct csv_dir *dir)
{
	remove_part(dir); /* of a killed run; the lock says that it is no running one's */
	if (mkdirat(dir->fd, PART, 0777))
		return dir_error(dir, PART);
	dir->part_fd = openat(dir->fd, PART, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return dir->part_fd < 0 ? dir_error(dir, PART) : NULL;
}

static struct dms_error *open_dir(struct csv_dir *dir)
{
	struct dms_error *err;

	dir->is_new = !mkdir(dir->path, 0777);
	if (!dir->is_new && errno != EEXIST)
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", dir->path);
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0 && errno == ENOTDIR)
		return dms_error_new(DMS_ERROR_USAGE, "%s is not a folder", dir->path);
	if (dir->fd < 0)
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", dir->path);
	if (flock(dir->fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK
			       ? dms_error_new(DMS_ERROR_INTERNAL,
					       "%s: another dmascope is writing it", dir->path)
			       : dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s: locking",
						 dir->path);
	err = check_owner(dir);
	return err ? err : open_part(dir);
}

static void close_dir(struct csv_dir *dir)
{
	if (dir->readme)
		fclose(dir->readme);
	if (dir->part_fd >= 0) {
		close(dir->part_fd);
		remove_part(dir);
	}
	if (dir->fd >= 0)
		close(dir->fd);
	if (dir->is_new)
		rmdir(dir->path); /* fails if the export stands in it, as it should */
}

/* ---- writing ----------------------------------------------------------------------------------- */

static FILE *create(struct csv_dir *dir, const char *name)
{
	int fd = openat(dir->part_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0666);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

	if (fd >= 0 && !out)
		close(fd);
	if (out)
		__fsetlocking(out, FSETLOCKING_BYCALLER); /* no other thread knows of it */
	return out;
}

static struct dms_error *write_file(struct csv_dir *dir, const struct ddl *ddl,
				    const struct csv_file *file)
{
	_cleanup_(dms_freep) char *name = dms_asprintf("%s.csv", file->name);
	FILE *out = name ? create(dir, name) : NULL;
	struct dms_error *err;
	uint64_t n_rows;

	if (!name)
		return &dms_error_nomem;
	if (!out)
		return dir_error(dir, name);
	err = csv_write_rows(dir->db, file, out, &n_rows);
	if (fclose(out) && !err)
		err = dir_error(dir, name);
	return err ? err : csv_readme_file(dir->db, ddl, n_rows, dir->readme);
}

/* The file @ddl becomes; false: it is a view that is not exported. */
static bool find_file(const struct ddl *ddl, struct csv_file *ret)
{
	*ret = (struct csv_file){.name = ddl->name};
	for (size_t i = 0; ddl->is_view && i < DMS_ARRAY_SIZE(views); i++) {
		if (!strcmp(views[i].name, ddl->name)) {
			*ret = views[i];
			return true;
		}
	}
	return !ddl->is_view;
}

/* The table of devices as the other outputs have it: all columns, or those asked for. */
static struct dms_error *write_table(struct csv_dir *dir)
{
	struct dms_layout layout = {0};
	struct dms_summary *summary = NULL;
	FILE *out = create(dir, TABLE ".csv");
	struct dms_error *err;

	if (!out)
		return dir_error(dir, TABLE ".csv");
	if (dir->layout)
		layout = *dir->layout;
	if (!layout.n_columns)
		layout.n_columns = dms_layout_all(layout.columns);
	err = dms_summary_read_as(dir->db, &layout, &summary);
	if (!err)
		err = dms_summary_csv(summary, out);
	if (!err)
		csv_readme_table(TABLE, &layout, summary->n_devices, dir->readme);
	dms_summary_destroy(summary);
	if (fclose(out) && !err)
		err = dir_error(dir, TABLE ".csv");
	return err;
}

static struct dms_error *write_files(struct csv_dir *dir)
{
	struct dms_error *err = NULL;
	struct csv_file file;
	struct ddl ddl = {0};
	FILE *readme;

	if (!(dir->readme = create(dir, README)))
		return dir_error(dir, README);
	csv_readme_head(dir->readme);
	err = write_table(dir);
	while (!err && ddl_next(&ddl)) {
		if (find_file(&ddl, &file))
			err = write_file(dir, &ddl, &file);
	}
	if (!err)
		err = dms_check_written(dir->readme);
	readme = dir->readme;
	dir->readme = NULL;
	if (fclose(readme) && !err)
		err = dir_error(dir, README);
	return err;
}

static struct dms_error *put_in_place(struct csv_dir *dir, const char *name)
{
	if (renameat(dir->part_fd, name, dir->fd, name))
		return dir_error(dir, name);
	return NULL;
}

/* While files change places there is no README: who finds one finds files of one run. */
static struct dms_error *put_all_in_place(struct csv_dir *dir)
{
	struct dms_error *err = NULL;
	struct csv_file file;
	struct ddl ddl = {0};

	if (unlinkat(dir->fd, README, 0) && errno != ENOENT)
		return dir_error(dir, README);
	while (!err && ddl_next(&ddl)) {
		_cleanup_(dms_freep) char *name = NULL;

		if (!find_file(&ddl, &file))
			continue;
		name = dms_asprintf("%s.csv", file.name);
		err = name ? put_in_place(dir, name) : &dms_error_nomem;
	}
	if (!err)
		err = put_in_place(dir, TABLE ".csv");
	return err ? err : put_in_place(dir, README);
}

struct dms_error *dms_export_csv(struct sqlite3 *db, const char *path,
				 const struct dms_layout *layout)
{
	struct csv_dir dir = {.db = db, .path = path, .layout = layout, .fd = -1, .part_fd = -1};
	struct dms_error *err = dms_db_need_mappings(db, "--csv");

	if (err)
		return err;
	err = open_dir(&dir);
	if (!err)
		err = write_files(&dir);
	if (!err && (err = put_all_in_place(&dir))) {
		close(dir.part_fd); /* PART stays, a sign that the files there are ours */
		dir.part_fd = -1;
	}
	close_dir(&dir);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/* The files that `dmascope report` writes for other programs: one row an option. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <dmascope/export.h>

#include "cli.h"

static struct dms_error *folded_bytes(struct sqlite3 *db, FILE *out)
{
	return dms_export_folded(db, DMS_FOLD_BYTES, out);
}

static struct dms_error *folded_count(struct sqlite3 *db, FILE *out)
{
	return dms_export_folded(db, DMS_FOLD_COUNT, out);
}

static const struct {
	size_t offset; /* of the file's name in struct dms_report_args */
	struct dms_error *(*write)(struct sqlite3 *db, FILE *out);
} exports[] = {
	{offsetof(struct dms_report_args, json), dms_export_json},
	{offsetof(struct dms_report_args, trace_json), dms_export_trace_json},
	{offsetof(struct dms_report_args, folded_bytes), folded_bytes},
	{offsetof(struct dms_report_args, folded_count), folded_count},
	{offsetof(struct dms_report_args, openmetrics), dms_export_openmetrics},
};

static struct dms_error *write_error(const char *path)
{
	return dms_error_errno(DMS_ERROR_INTERNAL, errno, "writing %s", path);
}

/* Write beside @path and rename: who opens the file never sees half of it. */
static struct dms_error *write_file(struct sqlite3 *db, size_t row, const char *path)
{
	_cleanup_(dms_freep) char *part = dms_asprintf("%s.part", path);
	struct dms_error *err;
	FILE *out;

	if (!part)
		return &dms_error_nomem;
	out = fopen(part, "we");
	if (!out)
		return write_error(part);
	err = exports[row].write(db, out);
	if (fclose(out) && !err)
		err = write_error(part);
	if (!err && rename(part, path))
		err = write_error(path);
	if (err)
		unlink(part);
	return err;
}

static const char *path_of(const struct dms_report_args *args, size_t row)
{
	return *(const char *const *)((const char *)args + exports[row].offset);
}

/* Two files in one stream are none. */
static struct dms_error *check_paths(const struct dms_report_args *args)
{
	size_t n_stdout = args->html && !strcmp(args->html, "-");

	for (size_t i = 0; i < DMS_ARRAY_SIZE(exports); i++) {
		const char *path = path_of(args, i);

		n_stdout += path && !strcmp(path, "-");
	}
	if (n_stdout <= 1)
		return NULL;
	return dms_error_new(DMS_ERROR_USAGE, "only one output can be standard output");
}

struct dms_error *dms_report_exports(struct sqlite3 *db, const struct dms_report_args *args,
				     bool *ret_any)
{
	struct dms_error *err = check_paths(args);

	*ret_any = args->csv;
	if (!err && args->csv)
		err = dms_export_csv(db, args->csv);
	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(exports); i++) {
		const char *path = path_of(args, i);

		if (!path)
			continue;
		*ret_any = true;
		err = strcmp(path, "-") ? write_file(db, i, path) : exports[i].write(db, stdout);
	}
	return err;
}

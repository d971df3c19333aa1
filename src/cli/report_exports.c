// SPDX-License-Identifier: GPL-2.0-only
/* The files that `dmascope report` writes for other programs: one row an option. */
#include <string.h>

#include <dmascope/export.h>

#include "cli.h"

static struct dms_error *folded_bytes(struct sqlite3 *db, const struct dms_layout *layout,
				      FILE *out)
{
	(void)layout;
	return dms_export_folded(db, DMS_FOLD_BYTES, out);
}

static struct dms_error *folded_count(struct sqlite3 *db, const struct dms_layout *layout,
				      FILE *out)
{
	(void)layout;
	return dms_export_folded(db, DMS_FOLD_COUNT, out);
}

static struct dms_error *trace_json(struct sqlite3 *db, const struct dms_layout *layout, FILE *out)
{
	(void)layout;
	return dms_export_trace_json(db, out);
}

static struct dms_error *openmetrics(struct sqlite3 *db, const struct dms_layout *layout, FILE *out)
{
	(void)layout;
	return dms_export_openmetrics(db, out);
}

static const struct {
	size_t offset; /* of the file's name in struct dms_report_args */
	struct dms_error *(*write)(struct sqlite3 *db, const struct dms_layout *layout, FILE *out);
} exports[] = {
	{offsetof(struct dms_report_args, json), dms_export_json},
	{offsetof(struct dms_report_args, trace_json), trace_json},
	{offsetof(struct dms_report_args, folded_bytes), folded_bytes},
	{offsetof(struct dms_report_args, folded_count), folded_count},
	{offsetof(struct dms_report_args, openmetrics), openmetrics},
};

/** One export to one file. */
struct writing {
	struct sqlite3 *db;
	const struct dms_layout *layout;
	size_t row;
};

static struct dms_error *write_one(const void *context, FILE *out)
{
	const struct writing *writing = context;

	return exports[writing->row].write(writing->db, writing->layout, out);
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
				     const struct dms_layout *layout, bool *ret_any)
{
	struct dms_error *err = check_paths(args);

	*ret_any = args->csv;
	if (!err && args->csv)
		err = dms_export_csv(db, args->csv, layout);
	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(exports); i++) {
		const struct writing writing = {.db = db, .layout = layout, .row = i};
		const char *path = path_of(args, i);

		if (!path)
			continue;
		*ret_any = true;
		err = dms_file_write(path, write_one, &writing);
	}
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/* dmascope convert: any trace we read, written as a trace.dat that other tools read. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dmascope/input.h>
#include <dmascope/output.h>

#include "cli.h"
#include "progress.h"

/* Look at the clock of the progress bar this often, in records. */
#define PROGRESS_RECORDS 65536

struct conversion {
	const struct dms_call *call;
	const struct dms_convert_args *args;
	struct dms_merge *merge;
	struct dms_output *output;
};

/* ---- what cannot be: said before anything is read ------------------------------------------- */

/* Standard input may be a file like any other. */
static int status_of(const char *path, struct stat *ret)
{
	return strcmp(path, "-") ? stat(path, ret) : fstat(STDIN_FILENO, ret);
}

static bool is_same_file(const char *path, const char *other)
{
	struct stat one, two;

	return !status_of(path, &one) && !status_of(other, &two) && one.st_dev == two.st_dev &&
	       one.st_ino == two.st_ino;
}

/* An older trace.dat, or what mktemp made: anything else is somebody's only copy. */
static bool may_overwrite(const char *path)
{
	static const char magic[] = "\x17\x08\x44tracing";
	char head[sizeof(magic) - 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC); /* no FILE: memory may be short */
	ssize_t got;

	if (fd < 0)
		return errno == ENOENT;
	got = read(fd, head, sizeof(head));
	close(fd);
	return !got || (got == sizeof(head) && !memcmp(head, magic, sizeof(head)));
}

static struct dms_error *check_output(const struct dms_call *call)
{
	const struct dms_convert_args *args = call->args;
	struct stat status;

	if (!args->output)
		return dms_error_new(DMS_ERROR_USAGE, "-o OUT.dat is needed: the file to write");
	if (!strcmp(args->output, "-") ||
	    (!stat(args->output, &status) && !S_ISREG(status.st_mode)))
		return dms_error_new(DMS_ERROR_USAGE,
				     "%s: a trace.dat is written back and forth, expected the name "
				     "of a regular file",
				     args->output);
	if (args->is_zstd && args->file_version == 6)
		return dms_error_new(DMS_ERROR_USAGE,
				     "version 6 knows no compression: --compression zstd needs "
				     "--file-version 7");
	return NULL;
}

static struct dms_error *check_overwriting(const struct dms_call *call)
{
	const struct dms_convert_args *args = call->args;

	if (may_overwrite(args->output))
		return NULL;
	return dms_error_new(DMS_ERROR_USAGE, "%s: exists and is no trace.dat: it is not overwritten",
			     args->output);
}

static struct dms_error *check_inputs(const struct dms_call *call)
{
	const struct dms_convert_args *args = call->args;

	for (size_t i = 0; i < call->n_operands; i++) {
		if (is_same_file(call->operands[i], args->output))
			return dms_error_new(DMS_ERROR_USAGE, "%s is also to be read: give another "
							      "name for the output",
					     args->output);
		for (size_t j = 0; j < i; j++) {
			if (is_same_file(call->operands[i], call->operands[j]))
				return dms_error_new(DMS_ERROR_USAGE, "%s is given twice",
						     call->operands[i]);
		}
	}
	return NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

static struct dms_error *check_whole(const struct dms_source *source)
{
	const struct dms_source_info *info = dms_source_info(source);

	if (!info->missing_bytes)
		return NULL;
	return dms_error_new(DMS_ERROR_INPUT,
			     "%s: truncated: expected %" PRIu64
			     " more bytes of trace data at offset %#" PRIx64
			     "; --salvage converts what is left",
			     info->path, info->missing_bytes, info->missing_offset);
}

static struct dms_error *open_sources(struct conversion *conversion)
{
	const struct dms_source_options options = {
		.formats_dir = conversion->args->formats_dir,
		.kallsyms = conversion->args->kallsyms,
	};
	size_t n_paths = conversion->call->n_operands, n_open = 0;
	_cleanup_(dms_freep) struct dms_source **sources = dms_zalloc(n_paths * sizeof(*sources));
	struct dms_error *err = NULL;

	if (!sources)
		return &dms_error_nomem;
	while (!err && n_open < n_paths) {
		err = dms_source_open_with(conversion->call->operands[n_open], &options,
					   &sources[n_open]);
		n_open += !err;
		if (!err && !conversion->args->salvage)
			err = check_whole(sources[n_open - 1]);
	}
	if (!err && !(conversion->merge = dms_merge_create(sources, (uint32_t)n_paths)))
		err = &dms_error_nomem;
	while (err && n_open)
		dms_source_close(sources[--n_open]);
	return err;
}

static void draw(const struct conversion *conversion, struct progress *progress, uint64_t records)
{
	uint64_t done = 0, total = 0;

	for (uint32_t i = 0; i < dms_merge_count(conversion->merge); i++) {
		uint64_t file_done, file_total;

		dms_source_progress(dms_merge_source(conversion->merge, i), &file_done,
				    &file_total);
		done += file_done;
		total += file_total;
	}
	progress_draw(progress, done, total, records);
}

/* Between two files nothing was recorded: a trace.dat marks it as a loss of each CPU. */
static void tell_holes(const struct conversion *conversion)
{
	for (uint32_t i = 0; i < dms_merge_count(conversion->merge); i++) {
		const struct dms_hole *hole = dms_merge_hole(conversion->merge, i);

		if (hole)
			dms_log(DMS_LOG_WARN,
				"nothing was recorded between %s and %s: marked as a loss",
				dms_source_info(dms_merge_source(conversion->merge, hole->file))->path,
				dms_source_info(dms_merge_source(conversion->merge, i))->path);
	}
}

static struct dms_error *read_all(struct conversion *conversion)
{
	bool is_shown = !conversion->call->common.quiet && isatty(STDERR_FILENO);
	struct dms_error *err = NULL;
	struct progress progress;
	uint64_t records = 0;
	struct dms_item item;

	progress_begin(&progress);
	dms_merge_find_holes(conversion->merge);
	for (;;) {
		if ((err = dms_merge_next(conversion->merge, &item)) || item.kind == DMS_ITEM_END ||
		    (err = dms_output_item(conversion->output, &item)))
			break;
		if (!(++records % PROGRESS_RECORDS) && is_shown)
			draw(conversion, &progress, records);
	}
	progress_end(&progress);
	return err;
}

/* ---- saying what is not there ---------------------------------------------------------------- */

static struct dms_error *check_undamaged(const struct conversion *conversion)
{
	for (uint32_t i = 0; i < dms_merge_count(conversion->merge); i++) {
		struct dms_source *source = dms_merge_source(conversion->merge, i);
		const struct dms_source_info *info = dms_source_info(source);
		const char *first;
		uint64_t n_damaged = dms_source_damage(source, &first);

		if (n_damaged && !conversion->args->salvage)
			return dms_error_new(DMS_ERROR_INPUT,
					     "%s: damaged in %" PRIu64 " place%s, first %s; "
					     "--salvage converts what is left",
					     info->path, n_damaged, n_damaged == 1 ? "" : "s",
					     first);
		if (n_damaged)
			dms_log(DMS_LOG_WARN,
				"%s: damaged in %" PRIu64 " place%s, marked as losses: first %s",
				info->path, n_damaged, n_damaged == 1 ? "" : "s", first);
		if (info->missing_bytes)
			dms_log(DMS_LOG_WARN,
				"%s: truncated: %" PRIu64 " bytes of trace data are missing",
				info->path, info->missing_bytes);
		/* from now on nobody can see that this was so */
		for (uint32_t j = 0; j < info->n_notes; j++)
			dms_log(DMS_LOG_WARN, "%s: %s", info->path, info->notes[j]);
	}
	return NULL;
}

static void tell(const struct conversion *conversion)
{
	const struct dms_output_report *report = dms_output_report(conversion->output);

	if (report->gaps_dropped)
		dms_log(DMS_LOG_WARN,
			"%" PRIu64 " losses belong to no CPU: a trace.dat cannot mark them",
			report->gaps_dropped);
	if (report->gap_counts)
		dms_log(DMS_LOG_WARN,
			"%" PRIu64 " losses are marked without the number of events, for which a "
			"trace.dat had no room",
			report->gap_counts);
	if (report->version == 6 && report->page_size != report->machine_page_size)
		dms_log(DMS_LOG_WARN,
			"large records need pages of %" PRIu32 " bytes, which version 6 gives as "
			"those of the machine (%" PRIu32 "); version 7 tells both",
			report->page_size, report->machine_page_size);
	dms_log(DMS_LOG_INFO,
		"%s: trace.dat v%u, %" PRIu64 " records, %" PRIu64 " call stacks, %" PRIu64
		" losses",
		conversion->args->output, report->version, report->records, report->stacks,
		report->gaps);
}

/* ---- the command ----------------------------------------------------------------------------- */

static struct dms_error *write_trace(const void *context, FILE *out)
{
	const struct conversion *conversion = context;

	return dms_output_write(conversion->output, out);
}

static struct dms_error *convert(struct conversion *conversion)
{
	const struct dms_convert_args *args = conversion->args;
	const struct dms_output_options options = {
		.beside = args->output,
		.version = args->is_zstd ? 7 : (unsigned int)args->file_version,
		.is_zstd = args->is_zstd,
	};
	struct dms_error *err;

	if ((err = open_sources(conversion)) ||
	    (err = dms_output_create(conversion->merge, &options, &conversion->output)) ||
	    (err = dms_merge_check_machine(conversion->merge)) ||
	    (err = read_all(conversion)) || (err = check_undamaged(conversion)))
		return err;
	if (!dms_output_report(conversion->output)->records)
		return dms_error_new(DMS_ERROR_INPUT, "%s: no event to convert",
				     conversion->call->operands[0]);
	if ((err = dms_file_write(args->output, write_trace, conversion)))
		return err;
	tell_holes(conversion);
	tell(conversion);
	return NULL;
}

struct dms_error *dms_cmd_convert(const struct dms_call *call, enum dms_exit *ret)
{
	struct conversion conversion = {.call = call, .args = call->args};
	struct dms_error *err;

	(void)ret;
	if ((err = check_output(call)) || (err = check_inputs(call)) ||
	    (err = check_overwriting(call)))
		return err;
	err = convert(&conversion);
	dms_output_destroy(conversion.output);
	dms_merge_destroy(conversion.merge);
	return err;
}

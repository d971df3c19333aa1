// SPDX-License-Identifier: LGPL-2.1-only
/* The files of a run, each taken for what it is: traces, and what goes beside them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../input/source.h"
#include "../input/unpack.h"
#include "recognise.h"

/* So much of a file tells what it is; console logs may begin with the talk of a boot loader. */
#define HEAD_BYTES (256u << 10)

/** A copy of a side file that is compressed or a pipe: its readers want a path. */
struct copy {
	char *path; /* of the descriptor */
	char *name; /* the user's */
	int fd;
};

struct dms_run_files {
	struct copy *copies;
	size_t n_copies, copies_capacity;
	char *head;
	const char *console;	/* a console log with a trace in it: its path, ours or a copy's */
	const char *unread_log; /* another one */
};

/** A kind of side file, and where the options have its path. */
static const struct kind_row {
	const char *what, *option;
	size_t offset;
} kind_rows[DMS_N_FILE_KINDS] = {
	[DMS_FILE_INVENTORY] = {"a device inventory", "--inventory",
				offsetof(struct dms_run_options, inventory)},
	[DMS_FILE_IOMEM] = {"a copy of /proc/iomem", "--iomem",
			    offsetof(struct dms_run_options, iomem)},
	[DMS_FILE_DUMP] = {"a copy of dma-api/dump", "--dump-seed",
			   offsetof(struct dms_run_options, dump_seed)},
	[DMS_FILE_KALLSYMS] = {"a table of kernel symbols", "--kallsyms",
			       offsetof(struct dms_run_options, kallsyms)},
	[DMS_FILE_LOG] = {"a kernel log", "--kernel-log",
			  offsetof(struct dms_run_options, kernel_log)},
};

static const char **place_of(struct dms_run_options *options, enum dms_file_kind kind)
{
	return (const char **)((char *)options + kind_rows[kind].offset);
}

/* ---- side files by path ----------------------------------------------------------------------- */

const char *dms_run_file_name(const struct dms_run *run, const char *path)
{
	for (size_t i = 0; run->files && i < run->files->n_copies; i++) {
		if (!strcmp(run->files->copies[i].path, path))
			return run->files->copies[i].name;
	}
	return path;
}

struct dms_error *dms_run_file_error(const struct dms_run *run, const char *path,
				     struct dms_error *err)
{
	const char *name = path ? dms_run_file_name(run, path) : NULL;
	struct dms_error *named;
	size_t len;

	if (!err || !path || name == path || err == &dms_error_nomem)
		return err;
	len = strlen(path);
	if (strncmp(dms_error_message(err), path, len) != 0)
		return err;
	named = dms_error_new(dms_error_code(err), "%s%s", name, dms_error_message(err) + len);
	dms_error_free(err);
	return named;
}

/* A path by which @file, a copy, can be opened again: it has no name of its own. */
static struct dms_error *keep_copy(struct dms_run_files *files, const struct file *file,
				   const char **ret)
{
	struct copy *copy;

	if (!dms_grow(&files->copies, &files->copies_capacity, files->n_copies + 1, sizeof(*copy)))
		return &dms_error_nomem;
	copy = &files->copies[files->n_copies];
	*copy = (struct copy){.fd = fcntl(file->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
	if (copy->fd < 0)
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", file->path);
	files->n_copies++;
	copy->path = dms_asprintf("/proc/self/fd/%d", copy->fd);
	copy->name = dms_strdup(file->path);
	*ret = copy->path;
	return copy->path && copy->name ? NULL : &dms_error_nomem;
}

/* Where @file, given as @path, can be opened again. */
static struct dms_error *path_of(struct dms_run *run, const struct file *file, const char *path,
				 const char **ret)
{
	*ret = path;
	return file->origin || !strcmp(path, "-") ? keep_copy(run->files, file, ret) : NULL;
}

/* A trace tells of its damage when it is read; of what goes beside it, all is needed. */
static struct dms_error *check_side(const struct dms_run *run, const struct file *file)
{
	if (!file->origin || !file->origin->damage)
		return NULL;
	if (!run->salvage)
		return dms_error_new(DMS_ERROR_INPUT, "%s: %s; --salvage analyzes what is left",
				     file->path, file->origin->damage);
	dms_log(DMS_LOG_WARN, "%s: %s", file->path, file->origin->damage);
	return NULL;
}

static bool is_device(const char *path)
{
	struct stat status;

	return !stat(path, &status) && (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode));
}

/* Why it could not be unpacked, no reader would say. */
static bool is_packed(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char head[8];
	ssize_t got = fd < 0 ? -1 : read(fd, head, sizeof(head));

	if (fd >= 0)
		close(fd);
	return got > 0 && unpack_packing(head, (size_t)got);
}

/* The path of an option: readers of side files open it themselves, and know no compression. */
static struct dms_error *resolve_option(struct dms_run *run, const char **path)
{
	struct dms_error *err;
	struct file file;

	if (!*path)
		return NULL;
	if ((err = file_open(*path, &file))) {
		if (!strcmp(*path, "-") || dms_error_code(err) == DMS_ERROR_INTERNAL ||
		    is_device(*path) || is_packed(*path)) /* /dev/kmsg never ends */
			return err;
		dms_error_free(err); /* its reader says it better */
		return NULL;
	}
	err = check_side(run, &file);
	if (!err)
		err = path_of(run, &file, *path, path);
	file_close(&file);
	return err;
}

/* ---- operands --------------------------------------------------------------------------------- */

static bool is_same_file(const char *path, const char *other)
{
	struct stat one, two;

	if (!strcmp(path, other))
		return true;
	return !stat(path, &one) && !stat(other, &two) && one.st_dev == two.st_dev &&
	       one.st_ino == two.st_ino && !S_ISCHR(one.st_mode);
}

/* The same events twice would be twice as many maps. Hard links and other spellings count. */
static struct dms_error *check_distinct(const char *const *paths, size_t n_paths)
{
	for (size_t i = 1; i < n_paths; i++) {
		for (size_t j = 0; j < i; j++) {
			if (is_same_file(paths[i], paths[j]))
				return dms_error_new(DMS_ERROR_USAGE, "%s is given twice%s%s",
						     paths[i],
						     strcmp(paths[i], paths[j]) ? ", also as " : "",
						     strcmp(paths[i], paths[j]) ? paths[j] : "");
		}
	}
	return NULL;
}

/* Standard input, like any pipe, can be read once. */
static struct dms_error *check_input_once(const char *const *paths, size_t n_paths,
					  struct dms_run_options *options)
{
	unsigned int n_times = 0;

	for (size_t i = 0; i < n_paths; i++)
		n_times += !strcmp(paths[i], "-");
	for (int kind = DMS_FILE_OTHER + 1; kind < DMS_N_FILE_KINDS; kind++) {
		const char *path = *place_of(options, (enum dms_file_kind)kind);

		n_times += path && !strcmp(path, "-");
	}
	return n_times > 1 ? dms_error_new(DMS_ERROR_USAGE,
					   "- is given twice: standard input can be read once")
			   : NULL;
}

/** One run's operands on their way into sources and options. */
struct recogniser {
	struct dms_run *run;
	struct dms_run_options *options;
	bool is_operand[DMS_N_FILE_KINDS]; /* one of them is of that kind */
	struct dms_source **sources;
	uint32_t n_sources;
};

static struct dms_error *take_side(struct recogniser *all, const struct file *file,
				   const char *path, enum dms_file_kind kind)
{
	const struct kind_row *row = &kind_rows[kind];
	const char **place = place_of(all->options, kind);

	if (*place && all->is_operand[kind])
		return dms_error_new(DMS_ERROR_USAGE, "%s and %s: each is %s; give one",
				     dms_run_file_name(all->run, *place), file->path, row->what);
	if (*place)
		return dms_error_new(DMS_ERROR_USAGE, "%s is %s, and %s names %s: give one",
				     file->path, row->what, row->option,
				     dms_run_file_name(all->run, *place));
	dms_log(DMS_LOG_INFO, "%s: taken for %s", file->path, row->what);
	all->is_operand[kind] = true;
	return path_of(all->run, file, path, place);
}

static struct dms_error *read_head(struct dms_run_files *files, const struct file *file,
				   size_t *ret_bytes)
{
	*ret_bytes = file->size < HEAD_BYTES ? file->size : HEAD_BYTES;
	return file_read(file, 0, files->head, *ret_bytes);
}

static struct dms_error *not_recognised(const char *name)
{
	return dms_error_new(
		DMS_ERROR_INPUT,
		"%s: at offset 0: not a trace (trace.dat, perf.data, text of tracefs, trace-cmd "
		"report or perf script, console log with an ftrace dump) and nothing that goes beside "
		"one (kernel log, device inventory, copy of /proc/iomem, dma-api/dump or kallsyms)",
		name);
}

/* The first console log with a trace in it is the kernel's log as well, if no other is given. */
static void note_console(struct recogniser *all, const char *path)
{
	struct dms_run_files *files = all->run->files;

	if (files->console)
		files->unread_log = path;
	else
		files->console = path;
}

static void say_trace(const struct dms_source *source, bool is_console)
{
	const struct dms_source_info *info = dms_source_info(source);

	dms_log(DMS_LOG_INFO, "%s: taken for a trace: %s%s", info->path, info->format,
		is_console ? "; it is a kernel log as well" : "");
}

/* @source is NULL if the file called @name, which @path opens again, holds no trace. */
static struct dms_error *take_trace(struct recogniser *all, struct dms_source *source,
				    const char *path, const char *name, bool has_log_lines)
{
	const struct file file = {.path = (char *)name};

	if (source) {
		bool is_console = has_log_lines && dms_source_info(source)->is_text;

		if (is_console)
			note_console(all, path);
		say_trace(source, is_console);
		all->sources[all->n_sources++] = source;
		return NULL;
	}
	/* no line of it is one of a trace: does it tell anything that a kernel log does? */
	return dms_console_is_log(path) ? take_side(all, &file, path, DMS_FILE_LOG) : not_recognised(name);
}

/* A trace, or a kernel log. Takes @file. */
static struct dms_error *open_trace(struct recogniser *all, struct file *file, const char *path)
{
	const struct dms_source_options options = {
		.formats_dir = all->options->formats_dir,
		.kallsyms = all->options->kallsyms,
	};
	_cleanup_(dms_freep) char *name = dms_strdup(file->path);
	struct dms_source *source = NULL;
	struct dms_error *err;
	bool has_log_lines;
	size_t bytes;

	err = name ? read_head(all->run->files, file, &bytes) : &dms_error_nomem;
	if (!err)
		err = path_of(all->run, file, path, &path);
	if (err) {
		file_close(file);
		return err;
	}
	has_log_lines = dms_file_has_log_lines(all->run->files->head, bytes);
	err = source_open_file(file, &options, &source);
	if (err)
		return dms_run_file_error(all->run, options.kallsyms, err);
	return take_trace(all, source, path, name, has_log_lines);
}

/* Open all and take what goes beside traces; *@files keeps the others, by operand. */
static struct dms_error *take_sides(struct recogniser *all, const char *const *paths, size_t n_paths,
				    struct file *files)
{
	for (size_t i = 0; i < n_paths; i++) {
		enum dms_file_kind kind;
		struct dms_error *err;
		size_t bytes;

		if ((err = file_open(paths[i], &files[i])) ||
		    (err = read_head(all->run->files, &files[i], &bytes)))
			return err;
		kind = dms_file_kind(all->run->files->head, bytes);
		if (kind == DMS_FILE_OTHER)
			continue;
		if ((err = check_side(all->run, &files[i])) ||
		    (err = take_side(all, &files[i], paths[i], kind)))
			return err;
		file_close(&files[i]);
	}
	return NULL;
}

/* Side files come first: traces are opened with the kernel symbols. */
static struct dms_error *take_all(struct recogniser *all, const char *const *paths, size_t n_paths,
				  struct file *files)
{
	struct dms_error *err = take_sides(all, paths, n_paths, files);

	for (size_t i = 0; i < n_paths && !err; i++) {
		struct file file = files[i];

		if (!file.path)
			continue;
		files[i] = (struct file){.fd = -1};
		err = open_trace(all, &file, paths[i]);
	}
	return err;
}

/* What is beside a trace says nothing without one. */
static struct dms_error *check_any_trace(const struct recogniser *all)
{
	for (int kind = 0; kind < DMS_N_FILE_KINDS && !all->n_sources; kind++) {
		if (all->is_operand[kind])
			return dms_error_new(DMS_ERROR_INPUT,
					     "%s: is %s%s: a trace is needed beside it",
					     dms_run_file_name(all->run,
							       *place_of(all->options,
									 (enum dms_file_kind)kind)),
					     kind_rows[kind].what,
					     kind == DMS_FILE_LOG ? " without an ftrace dump in it" : "");
	}
	return NULL;
}

static struct dms_error *resolve_options(struct dms_run *run, struct dms_run_options *options)
{
	struct dms_error *err = NULL;

	for (int kind = DMS_FILE_OTHER + 1; kind < DMS_N_FILE_KINDS && !err; kind++)
		err = resolve_option(run, place_of(options, (enum dms_file_kind)kind));
	return err;
}

struct dms_error *dms_run_recognise(struct dms_run *run, const char *const *paths, size_t n_paths,
				    struct dms_run_options *options, struct dms_source **ret,
				    uint32_t *ret_n)
{
	struct recogniser all = {.run = run, .options = options, .sources = ret};
	_cleanup_(dms_freep) struct file *files = dms_zalloc(n_paths * sizeof(*files));
	struct dms_error *err;

	*ret_n = 0;
	run->files = dms_zalloc(sizeof(*run->files));
	if (!files || !run->files || !(run->files->head = dms_alloc(HEAD_BYTES)))
		return &dms_error_nomem;
	for (size_t i = 0; i < n_paths; i++)
		files[i].fd = -1;
	if (!(err = check_distinct(paths, n_paths)) &&
	    !(err = check_input_once(paths, n_paths, options)) &&
	    !(err = resolve_options(run, options)) &&
	    !(err = take_all(&all, paths, n_paths, files)))
		err = check_any_trace(&all);
	for (size_t i = 0; i < n_paths; i++)
		file_close(&files[i]);
	dms_free(run->files->head);
	run->files->head = NULL;
	if (!options->kernel_log)
		options->kernel_log = run->files->console;
	else if (run->files->console)
		run->files->unread_log = run->files->console;
	*ret_n = all.n_sources;
	return err;
}

const char *dms_run_unread_log(const struct dms_run *run)
{
	const char *path = run->files ? run->files->unread_log : NULL;

	return path ? dms_run_file_name(run, path) : NULL;
}

void dms_run_files_close(struct dms_run *run)
{
	struct dms_run_files *files = run->files;

	if (!files)
		return;
	for (size_t i = 0; i < files->n_copies; i++) {
		close(files->copies[i].fd);
		dms_free(files->copies[i].path);
		dms_free(files->copies[i].name);
	}
	dms_free(files->copies);
	dms_free(files->head);
	dms_free(files);
}

// SPDX-License-Identifier: GPL-2.0-only
/* From argv to a command, and from what it says to an exit code; the commands are in cli/rows.c. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/unfinished.h"

/*
 * A closed stdin, stdout or stderr would be handed out again by the next open(), and data or
 * talk would end up inside a database. A read-only descriptor keeps the place, and makes
 * writing fail as it should.
 */
static void occupy_standard_streams(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDONLY) != fd)
			_exit(DMS_EXIT_INTERNAL);
	}
}

static void set_log_level(const struct dms_common_args *common)
{
	static const enum dms_log_level levels[] = {DMS_LOG_WARN, DMS_LOG_INFO, DMS_LOG_DEBUG};
	size_t most = DMS_ARRAY_SIZE(levels) - 1;

	dms_log_set_level(
		common->quiet
			? DMS_LOG_ERROR
			: levels[(size_t)common->verbose < most ? (size_t)common->verbose : most]);
}

/*
 * Under --max-memory it is the input that asks for too much. Whatever else failed, failed for want
 * of memory; and where nothing did, something may have been left out.
 */
static struct dms_error *blame_limit(uint64_t max_bytes, struct dms_error *err)
{
	if (!max_bytes || (err != &dms_error_nomem && !dms_memory_was_refused()))
		return err;
	dms_error_free(err);
	return dms_error_new(DMS_ERROR_INPUT,
			     "needs more memory than --max-memory allows, %" PRIu64
			     " MiB: nothing was finished", max_bytes >> 20);
}

static struct dms_error *run_command(const struct dms_command *command,
				     const struct dms_common_args *common, int argc, char **argv,
				     enum dms_exit *ret)
{
	struct dms_call call = {.common = *common};
	struct dms_error *err;

	err = dms_call_init(&call, command, argc, argv);
	if (!err && call.common.help) {
		dms_command_help(command, (enum dms_help)call.common.help, stdout);
	} else if (!err && call.common.version) {
		puts("dmascope " DMS_VERSION);
	} else if (!err) {
		set_log_level(&call.common);
		if (call.common.max_memory_bytes)
			err = dms_memory_limit(call.common.max_memory_bytes);
		if (err)
			err = dms_error_wrap(err, "--max-memory");
		else
			err = command->run(&call, ret);
	}
	dms_call_deinit(&call);
	return blame_limit(call.common.max_memory_bytes, err);
}

static struct dms_error *run(int argc, char **argv, enum dms_exit *ret)
{
	const struct dms_command *command;
	struct dms_common_args common = {0};
	struct dms_error *err;
	int index;

	if ((err = dms_common_parse(argc, argv, &common, &index)))
		return err;
	if (common.help && index >= argc) {
		dms_program_help((enum dms_help)common.help, stdout);
		return NULL;
	}
	if (common.version) {
		puts("dmascope " DMS_VERSION);
		return NULL;
	}
	if (index >= argc)
		return dms_error_new(DMS_ERROR_USAGE, "no command given; see 'dmascope --help'");
	if ((err = dms_command_find(argv[index], &command)))
		return err;
	return run_command(command, &common, argc - index - 1, argv + index + 1, ret);
}

/* What was printed counts only once it has left us: a full disk shows no earlier than here. */
static struct dms_error *flush_stdout(void)
{
	bool had_error = ferror(stdout);

	if (fflush(stdout))
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "writing standard output");
	return had_error ? dms_error_new(DMS_ERROR_INTERNAL, "writing standard output failed")
			 : NULL;
}

int main(int argc, char **argv)
{
	enum dms_exit code = DMS_EXIT_CLEAN;
	struct dms_error *err;

	occupy_standard_streams();
	dms_unfinished_sweep();
	err = run(argc, argv, &code);
	if (!err)
		err = flush_stdout();
	if (err) {
		dms_log(DMS_LOG_ERROR, "%s", dms_error_message(err));
		code = (enum dms_exit)dms_error_code(err);
		dms_error_free(err);
	}
	exit(code);
}

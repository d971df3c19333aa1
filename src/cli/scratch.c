// SPDX-License-Identifier: GPL-2.0-only
/* A private folder for one file, which is gone when we are, however we end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

/* Removes the file, built or half built, and the folder. */
static void sweep(const struct dms_scratch *scratch, const char *part)
{
	unlink(scratch->path);
	unlink(part);
	rmdir(scratch->folder);
}

/*
 * A child that waits for the other end of a pipe to close, which the kernel sees to even if we are
 * killed. It is out of reach of Ctrl-C, and holds none of our streams open.
 */
static void run_sweeper(const struct dms_scratch *scratch, const char *part, int pipe_end)
{
	char byte;

	setsid();
	signal(SIGTERM, SIG_IGN);
	for (int fd = 0; fd <= 2; fd++)
		close(fd);
	while (read(pipe_end, &byte, 1) < 0 && errno == EINTR)
		continue;
	sweep(scratch, part);
	_exit(0);
}

static struct dms_error *start_sweeper(struct dms_scratch *scratch)
{
	_cleanup_(dms_freep) char *part = dms_asprintf("%s.part", scratch->path);
	int ends[2], saved;

	if (!part)
		return &dms_error_nomem;
	if (!pipe2(ends, O_CLOEXEC)) {
		scratch->sweeper = fork();
		if (!scratch->sweeper) {
			close(ends[1]);
			run_sweeper(scratch, part, ends[0]);
		}
		saved = errno;
		close(ends[0]);
		scratch->pipe = ends[1];
		if (scratch->sweeper > 0)
			return NULL;
		close(ends[1]);
		errno = saved;
	}
	saved = errno;
	sweep(scratch, part);
	return dms_error_errno(DMS_ERROR_INTERNAL, saved, "a process that cleans up");
}

struct dms_error *dms_scratch_open(struct dms_scratch *scratch, const char *file)
{
	const char *parent = getenv("TMPDIR");

	*scratch = (struct dms_scratch){.sweeper = -1};
	scratch->folder = dms_asprintf("%s/dmascope-XXXXXX", parent && *parent ? parent : "/tmp");
	if (!scratch->folder)
		return &dms_error_nomem;
	if (!mkdtemp(scratch->folder))
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s: a temporary folder",
				       parent && *parent ? parent : "/tmp");
	scratch->path = dms_asprintf("%s/%s", scratch->folder, file);
	if (!scratch->path) {
		rmdir(scratch->folder);
		return &dms_error_nomem;
	}
	return start_sweeper(scratch);
}

void dms_scratch_close(struct dms_scratch *scratch)
{
	if (scratch->sweeper > 0) {
		close(scratch->pipe);
		while (waitpid(scratch->sweeper, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	dms_free(scratch->path);
	dms_free(scratch->folder);
}

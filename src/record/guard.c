// SPDX-License-Identifier: LGPL-2.1-only
/* A second process that restores tracing if the first one is killed. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "local.h"

/*
 * Nothing is sent when the other process dies: its end of the pipe is closed. What of the plan
 * was done by then is not known here, so all of it is undone; names are of this recording only.
 */
static void watch_over(struct dms_plan *plan, int fd)
{
	ssize_t got;
	char byte;

	setsid();
	prctl(PR_SET_NAME, "dmascope-guard");
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_IGN);
	do
		got = read(fd, &byte, 1);
	while (got < 0 && errno == EINTR);
	if (got == 1)
		_exit(0);
	dms_log_set_level(DMS_LOG_ERROR);
	for (size_t i = 0; i < plan->n_steps; i++)
		plan->steps[i].is_done = true;
	plan->is_undone = false;
	plan->is_orphaned = true;
	dms_plan_undo(plan);
	_exit(0);
}

struct dms_error *guard_start(struct guard *guard, struct dms_plan *plan)
{
	int ends[2], failure;

	*guard = (struct guard){.pipe = -1};
	if (pipe2(ends, O_CLOEXEC))
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "making a pipe");
	guard->pid = fork();
	failure = errno;
	if (!guard->pid) {
		close(ends[1]);
		watch_over(plan, ends[0]);
	}
	close(ends[0]);
	guard->pipe = ends[1];
	if (guard->pid > 0)
		return NULL;
	close(ends[1]);
	guard->pipe = -1;
	return dms_error_errno(DMS_ERROR_INTERNAL, failure, "starting a second process");
}

void guard_end(struct guard *guard)
{
	if (guard->pipe < 0)
		return;
	while (write(guard->pipe, "", 1) < 0 && errno == EINTR)
		;
	close(guard->pipe);
	guard->pipe = -1;
	while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A signal that ends the program takes its unfinished files along; only SIGKILL leaves them.
 *
 * Any thread may be the one that gets the signal, while any other makes or renames such a file. So a
 * lock is held over each change together with the call that makes it, by a thread that has those
 * signals blocked: it cannot be interrupted by a handler that waits for the lock. The handler keeps
 * it: nobody goes on from there, and nothing is removed that has got its final name, or is another's.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "unfinished.h"

/* Each ends a program that does nothing about it, and people and systems send them. */
static const int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGXCPU, SIGXFSZ};

#define MOST_FILES 4 /* at a time; today it is one */

/* A handler has no other way to what it needs. */
static struct {
	atomic_flag is_held;
	sigset_t signals, before; /* those above; what its holder had blocked */
	pid_t owner; /* a child of ours has our handlers, and none of our files */
	char paths[MOST_FILES][PATH_MAX]; /* copies; "": none */
} unfinished = {.is_held = ATOMIC_FLAG_INIT};

static void wait_for_lock(void)
{
	while (atomic_flag_test_and_set(&unfinished.is_held))
		poll(NULL, 0, 1); /* as the other thread may be in a slow rename() */
}

static void begin_change(void)
{
	sigset_t before;

	pthread_sigmask(SIG_BLOCK, &unfinished.signals, &before);
	wait_for_lock();
	unfinished.before = before;
}

/* A name that does not fit, or one too many, is left behind, as by SIGKILL. */
static void remember(const char *path)
{
	for (size_t i = 0; strlen(path) < PATH_MAX && i < MOST_FILES; i++) {
		if (!unfinished.paths[i][0]) {
			strcpy(unfinished.paths[i], path);
			return;
		}
	}
}

static void end_change(const char *path, bool is_there)
{
	const sigset_t before = unfinished.before;

	for (size_t i = 0; i < MOST_FILES; i++) {
		if (!strcmp(unfinished.paths[i], path))
			unfinished.paths[i][0] = '\0';
	}
	if (is_there)
		remember(path);
	atomic_flag_clear(&unfinished.is_held);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Calls only what signal-safety(7) lists. The signal comes again when this returns, and ends us. */
static void sweep_and_die(int signal_number)
{
	if (getpid() == unfinished.owner) {
		wait_for_lock();
		for (size_t i = 0; i < MOST_FILES; i++) {
			if (unfinished.paths[i][0])
				unlink(unfinished.paths[i]);
		}
	}
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

const struct dms_part_watch dms_unfinished_watch = {begin_change, end_change};

void dms_unfinished_sweep(void)
{
	struct sigaction action = {.sa_handler = sweep_and_die}, now;

	unfinished.owner = getpid();
	sigemptyset(&unfinished.signals);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(ending); i++)
		sigaddset(&unfinished.signals, ending[i]);
	action.sa_mask = unfinished.signals;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(ending); i++) {
		/* nohup and shells have reasons to ignore some */
		if (!sigaction(ending[i], NULL, &now) && now.sa_handler == SIG_DFL)
			sigaction(ending[i], &action, NULL);
	}
}

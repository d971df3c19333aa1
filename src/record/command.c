// SPDX-License-Identifier: LGPL-2.1-only
/* From the beginning of a recording to its end: the command, the duration, the signals. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "local.h"

/* How often buffers are looked at; they are sized for ten times as long. */
#define DRAIN_MS 50
/* A command that was told to end has this long. */
#define GRACE_MS 3000

void watch_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGHUP);
	sigaddset(ret, SIGCHLD);
}

struct watching {
	struct watch *watch;
	int signals;		   /* descriptor */
	int pid;		   /* of the command; 0: none, or it has ended */
	int64_t begin_ms, stop_ms; /* stop_ms: when the command was told to end; 0: it was not */
};

static int64_t now_ms(void)
{
	return (int64_t)(dms_now_ns() / 1000000);
}

/* ---- the command ----------------------------------------------------------------------------- */

/* In the child: become the command, or tell why not. */
static void become(const struct dms_record_options *options, int failure_fd)
{
	char **words = dms_zalloc((options->n_command + 1) * sizeof(*words));
	int failure;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* a copy that memory is short for would end the words; nobody changes them */
	for (size_t i = 0; words && i < options->n_command; i++)
		words[i] = (char *)options->command[i];
	if (words)
		execvp(words[0], words);
	failure = words ? errno : ENOMEM;
	(void)!write(failure_fd, &failure, sizeof(failure));
	_exit(127);
}

static struct dms_error *start_command(struct watching *watching)
{
	const struct dms_record_options *options = watching->watch->options;
	int ends[2], failure = 0;
	bool is_ours;

	if (!options->n_command)
		return NULL;
	if (pipe2(ends, O_CLOEXEC))
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "making a pipe");
	watching->pid = fork();
	if (!watching->pid)
		become(options, ends[1]);
	close(ends[1]);
	if (watching->pid < 0)
		failure = errno;
	else if (read(ends[0], &failure, sizeof(failure)) != sizeof(failure))
		failure = 0;
	close(ends[0]);
	if (!failure)
		return NULL;
	/* it is the command's, or there is no memory or no process for any */
	is_ours = watching->pid < 0 || failure == ENOMEM;
	if (watching->pid > 0)
		waitpid(watching->pid, NULL, 0);
	watching->pid = 0;
	return dms_error_errno(is_ours ? DMS_ERROR_INTERNAL : DMS_ERROR_USAGE, failure,
			       "running %s", options->command[0]);
}

static void stop_command(struct watching *watching)
{
	if (!watching->pid || watching->stop_ms)
		return;
	watching->stop_ms = now_ms();
	kill(watching->pid, SIGTERM);
}

/* Has the command ended? */
static bool has_ended(struct watching *watching)
{
	int status;

	if (!watching->pid || waitpid(watching->pid, &status, WNOHANG) != watching->pid)
		return false;
	watching->watch->report->command_status = status;
	watching->pid = 0;
	return true;
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* Take the signals that have come. Return: the recording is to end. */
static bool take_signals(struct watching *watching)
{
	struct signalfd_siginfo info;

	while (read(watching->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		watching->watch->report->signal = (int)info.ssi_signo;
	}
	return watching->watch->report->signal != 0;
}

/* Is it over? With a command, not before that has ended, or has had its time to. */
static bool is_over(struct watching *watching)
{
	uint64_t duration_s = watching->watch->options->duration_s;
	bool is_time = duration_s && (uint64_t)(now_ms() - watching->begin_ms) >= duration_s * 1000;
	bool wants_end = take_signals(watching) || is_time;

	if (has_ended(watching))
		return true;
	if (!wants_end)
		return false;
	stop_command(watching);
	return !watching->pid || now_ms() - watching->stop_ms > GRACE_MS;
}

static struct dms_error *wait_for_end(struct watching *watching)
{
	struct dms_recording_report *report = watching->watch->report;
	struct dms_error *err;

	do {
		struct pollfd signals = {.fd = watching->signals, .events = POLLIN};

		poll(&signals, 1, DRAIN_MS);
		if ((err = drain_some(watching->watch->drain, &report->is_full)))
			return err;
		symbols_look(watching->watch->symbols, watching->watch->kernel);
	} while (!report->is_full && !is_over(watching));
	if (watching->pid)
		stop_command(watching);
	return NULL;
}

struct dms_error *watch_run(struct watch *watch)
{
	struct watching watching = {.watch = watch, .begin_ms = now_ms()};
	struct dms_error *err;
	sigset_t all;

	watch_signals(&all);
	watching.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (watching.signals < 0)
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "waiting for signals");
	err = start_command(&watching);
	if (!err)
		err = wait_for_end(&watching);
	close(watching.signals);
	return err;
}

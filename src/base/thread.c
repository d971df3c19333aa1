// SPDX-License-Identifier: LGPL-2.1-only
/* Threads that work for the main one and are nobody else's business. */
#include <signal.h>
#include <time.h>

#include <dmascope/base.h>

uint64_t dms_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool dms_thread_start(pthread_t *ret, void *(*work)(void *), void *context)
{
	sigset_t all, before;
	int errnum;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errnum = pthread_create(ret, NULL, work, context);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return !errnum;
}

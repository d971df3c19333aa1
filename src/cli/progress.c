// SPDX-License-Identifier: GPL-2.0-only
/* A progress bar on standard error: share, rate, remaining time. */
#include <stdbool.h>
#include <stdio.h>

#include "progress.h"

#define REDRAW_S  0.1
#define BAR_WIDTH 30

static double seconds_between(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

void progress_begin(struct progress *progress)
{
	*progress = (struct progress){0};
	clock_gettime(CLOCK_MONOTONIC, &progress->start);
	progress->last = progress->start;
}

void progress_draw(void *context, uint64_t bytes_done, uint64_t bytes_total, uint64_t records)
{
	struct progress *progress = context;
	double share = bytes_total ? (double)bytes_done / (double)bytes_total : 1, elapsed;
	struct timespec now;
	int filled = (int)(share * BAR_WIDTH);

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (seconds_between(&progress->last, &now) < REDRAW_S)
		return;
	progress->last = now;
	progress->is_shown = true;
	elapsed = seconds_between(&progress->start, &now);
	fprintf(stderr, "\r[%.*s%*s] %3.0f %%  %.1f M records/s  %.0f s left \033[K", filled,
		"##############################", BAR_WIDTH - filled, "", share * 100,
		(double)records / elapsed / 1e6, share > 0 ? elapsed / share - elapsed : 0);
	fflush(stderr);
}

void progress_end(struct progress *progress)
{
	if (progress->is_shown)
		fputs("\r\033[K", stderr);
}

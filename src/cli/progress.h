/* SPDX-License-Identifier: GPL-2.0-only */
/* A progress bar on standard error. */
#ifndef DMASCOPE_PROGRESS_H
#define DMASCOPE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct progress {
	struct timespec start, last;
	bool is_shown;
};

void progress_begin(struct progress *progress);
/** Redraw, at most ten times a second. @records are those read so far. */
void progress_draw(void *progress, uint64_t bytes_done, uint64_t bytes_total, uint64_t records);
/** Wipe the bar, so that what follows begins on an empty line. */
void progress_end(struct progress *progress);

#endif

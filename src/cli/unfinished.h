/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals that end the program take its unfinished files along. */
#ifndef CLI_UNFINISHED_H
#define CLI_UNFINISHED_H

#include "../store/part.h"

/** To be handed over with each output that is begun. */
extern const struct dms_part_watch dms_unfinished_watch;
/** To be called once, before there are threads. Signals that are ignored stay so. */
void dms_unfinished_sweep(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals that end the program take its unfinished files along. */
#ifndef CLI_UNFINISHED_H
#define CLI_UNFINISHED_H

/** To be called once, before there are threads. Signals that are ignored stay so. */
void dms_unfinished_sweep(void);

#endif

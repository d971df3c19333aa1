/* SPDX-License-Identifier: GPL-2.0-only */
/* What text is written for: how wide, and in colours or not. */
#ifndef DMASCOPE_TERMINAL_H
#define DMASCOPE_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/** Columns of @out: what COLUMNS says, else the terminal's own; 132 where there is none to ask. */
unsigned int dms_terminal_width(FILE *out);
/** True if @out is a terminal and NO_COLOR is not set, or empty (no-color.org). */
bool dms_terminal_has_colour(FILE *out);

#endif

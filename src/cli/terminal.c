// SPDX-License-Identifier: GPL-2.0-only
/* The terminal, if there is one: its width, and whether colours are wanted. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "terminal.h"

#define PIPE_WIDTH 132
#define MIN_WIDTH  40
#define MAX_WIDTH  10000

/* A user's COLUMNS is a wish for pipes as well (POSIX.1-2017, chapter 8.3). 0: none that makes sense. */
static unsigned int wished_width(void)
{
	const char *columns = getenv("COLUMNS");
	char *end = NULL;
	unsigned long width = columns ? strtoul(columns, &end, 10) : 0;

	return columns && *columns && !*end && width >= MIN_WIDTH && width <= MAX_WIDTH
		       ? (unsigned int)width
		       : 0;
}

unsigned int dms_terminal_width(FILE *out)
{
	unsigned int width = wished_width();
	struct winsize size;

	if (width)
		return width;
	if (isatty(fileno(out)) && !ioctl(fileno(out), TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return PIPE_WIDTH;
}

bool dms_terminal_has_colour(FILE *out)
{
	const char *no_colour = getenv("NO_COLOR");

	return isatty(fileno(out)) && !(no_colour && *no_colour);
}

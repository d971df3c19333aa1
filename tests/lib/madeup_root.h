/* SPDX-License-Identifier: GPL-2.0-only */
/* The folder that is a made-up machine's root. */
#ifndef TESTS_MADEUP_ROOT_H
#define TESTS_MADEUP_ROOT_H

#include <check.h>
#include <stdarg.h>
#include <stdlib.h>

#include <dmascope/base.h>

static char root[] = "/tmp/dmascope-root.XXXXXX"; /* for mkdtemp() */

/** Run what it says by the shell, in that folder. */
static void shell(const char *fmt, ...) _printf_(1, 2);
static void shell(const char *fmt, ...)
{
	va_list args;
	char *body, *line;

	va_start(args, fmt);
	body = dms_vasprintf(fmt, args);
	va_end(args);
	line = dms_asprintf("set -e; cd '%s'; %s", root, body);
	ck_assert_int_eq(system(line), 0);
	dms_free(line);
	dms_free(body);
}

#endif

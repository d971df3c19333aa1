// SPDX-License-Identifier: LGPL-2.1-only
/* Four levels of talk to stderr. */
#include <stdio.h>

#include <dmascope/base.h>

/* The one mutable global of the program: how much it talks. */
static enum dms_log_level log_level = DMS_LOG_WARN;

void dms_log_set_level(enum dms_log_level level)
{
	log_level = level;
}

/* A library does not talk: whose it is says so, and each thread for itself. */
static _Thread_local struct dms_log_sink log_sink;

struct dms_log_sink dms_log_redirect(struct dms_log_sink sink)
{
	struct dms_log_sink before = log_sink;

	log_sink = sink;
	return before;
}

/* A name out of a trace must not steer the terminal: control characters are shown as \xNN. */
static void put_visible(FILE *out, const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c < 0x20 || *c == 0x7f)
			fprintf(out, "\\x%02x", *c);
		else
			fputc(*c, out);
	}
}

void dms_log(enum dms_log_level level, const char *fmt, ...)
{
	static const char *const prefix[] = {
		[DMS_LOG_ERROR] = "dmascope: ",
		[DMS_LOG_WARN] = "dmascope: warning: ",
		[DMS_LOG_INFO] = "dmascope: ",
		[DMS_LOG_DEBUG] = "dmascope: debug: ",
	};
	char line[4096];
	va_list args;

	if (!log_sink.take && level > log_level)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (log_sink.take) {
		log_sink.take(log_sink.context, level, line);
		return;
	}
	flockfile(stderr);
	fputs(prefix[level], stderr);
	put_visible(stderr, line);
	fputc('\n', stderr);
	funlockfile(stderr);
}

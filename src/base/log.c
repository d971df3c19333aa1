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

/* Bytes of the well-formed UTF-8 sequence at @text that is no control and hides nothing; 0: none. */
static size_t harmless_bytes(const unsigned char *text)
{
	uint32_t code = text[0];
	size_t bytes = code < 0x80 ? 1 : code >= 0xf0 ? 4 : code >= 0xe0 ? 3 : 2;

	if (bytes == 1)
		return code >= 0x20 && code != 0x7f;
	if (code < 0xc2 || code > 0xf4)
		return 0;
	code &= 0x7fu >> bytes;
	for (size_t i = 1; i < bytes; i++) {
		if ((text[i] & 0xc0) != 0x80) /* the text's end is none */
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	/* controls of 8 bits, zero width, line separators, bidirectional overrides, byte order marks */
	if (code < 0xa0 || (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000) ||
	    (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	    (code >= 0x2060 && code <= 0x206f) || code == 0x61c || code == 0xfeff ||
	    (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
		return 0;
	return bytes;
}

/* A name out of a trace must not steer the terminal: what could is shown as \xNN. */
static void put_visible(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		size_t bytes = harmless_bytes(at);

		if (bytes)
			fwrite(at, 1, bytes, out);
		else
			fprintf(out, "\\x%02x", *at);
		at += bytes ? bytes : 1;
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

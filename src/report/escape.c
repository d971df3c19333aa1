// SPDX-License-Identifier: LGPL-2.1-only
/* Make names out of a trace harmless where they are printed: terminal, CSV, JSON. */
#include <csv.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "local.h"

/* Code points that steer a terminal or hide what is there: controls, bidi, zero width. */
static bool is_steering(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0, 0x1f },	    { 0x7f, 0x9f },	{ 0xad, 0xad },	    { 0x61c, 0x61c },
		{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
		{ 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(ranges); i++) {
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	}
	return false;
}

static bool is_kept(uint32_t code, enum dms_escape how)
{
	bool has_lines = how == DMS_ESCAPE_CSV || how == DMS_ESCAPE_CELL;

	if (how == DMS_ESCAPE_JSON || (has_lines && (code == '\n' || code == '\t')))
		return true;
	return !is_steering(code);
}

/* A visible stand-in; returns its end. At most 8 bytes, "\U0001234" style being cut to need. */
static char *put_visible(char *out, uint32_t code)
{
	static const struct {
		uint32_t code;
		const char *text;
	} known[] = { { '\n', "\\n" }, { '\r', "\\r" }, { '\t', "\\t" } };

	for (size_t i = 0; i < DMS_ARRAY_SIZE(known); i++) {
		if (known[i].code == code)
			return stpcpy(out, known[i].text);
	}
	return out + sprintf(out, code < 0x80 ? "\\x%02" PRIx32 : "\\u%04" PRIx32, code);
}

static bool is_undone(enum dms_escape how)
{
	return how == DMS_ESCAPE_CELL || how == DMS_ESCAPE_BYTES;
}

/* Would it be taken for an escape when DMS_ESCAPE_BYTES is undone? */
static bool is_like_escape(const unsigned char *in, const unsigned char *end)
{
	return end - in >= 4 && in[0] == '\\' && in[1] == 'x' &&
	       memchr("0123456789abcdef", in[2], 16) && memchr("0123456789abcdef", in[3], 16);
}

static char *put_bytes(char *out, const unsigned char *in, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		out += sprintf(out, "\\x%02x", in[i]);
	return out;
}

/* What makes a spreadsheet see a formula, in either width, and the sign that disarms it. */
static bool is_armed(const char *text, size_t bytes)
{
	static const char *const signs[] = {"=", "+", "-", "@", "\t", "\r", "\n", "'",
					    "\uff1d", "\uff0b", "\uff0d", "\uff20"};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(signs); i++) {
		size_t len = strlen(signs[i]);

		if (bytes >= len && !memcmp(text, signs[i], len))
			return true;
	}
	return false;
}

/* What a spreadsheet would take for a formula. A lone sign is none. */
static bool is_formula(const char *text, size_t bytes)
{
	return bytes > 1 && strchr("=+-@\t\r", text[0]) && text[0];
}

char *dms_escape(const char *text, size_t bytes, enum dms_escape how)
{
	const unsigned char *in = (const unsigned char *)text, *end = in + bytes;
	char *escaped, *out;
	uint32_t code;
	size_t len;

	/* a byte becomes at most "\xNN", a code point of 3 bytes or more at most "\uNNNNN" */
	if (bytes > SIZE_MAX / 4 - 2 || !(escaped = dms_alloc(bytes * 4 + 2)))
		return NULL;
	out = escaped;
	if ((how == DMS_ESCAPE_CSV && is_formula(text, bytes)) ||
	    (how == DMS_ESCAPE_CELL && is_armed(text, bytes)))
		*out++ = '\'';
	for (; in < end; in += len ? len : 1) {
		len = dms_utf8_sequence(in, (size_t)(end - in), &code);
		if (!len)
			out += sprintf(out, "\\x%02x", *in);
		else if (is_kept(code, how) && !(is_undone(how) && is_like_escape(in, end)))
			out = mempcpy(out, in, len);
		else if (is_undone(how))
			out = put_bytes(out, in, len);
		else
			out = put_visible(out, code);
	}
	*out = '\0';
	return escaped;
}

size_t dms_text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* ---- CSV ------------------------------------------------------------------------------------- */

struct dms_error *dms_csv_text(FILE *out, bool is_first, const char *text, size_t bytes)
{
	_cleanup_(dms_freep) char *harmless = dms_escape(text, bytes, DMS_ESCAPE_CSV);

	if (!harmless)
		return &dms_error_nomem;
	if (!is_first)
		fputc(',', out);
	csv_fwrite(out, harmless, strlen(harmless));
	return NULL;
}

void dms_csv_plain(FILE *out, bool is_first, const char *number)
{
	fprintf(out, "%s%s", is_first ? "" : ",", number);
}

void dms_csv_end_line(FILE *out)
{
	fputs("\r\n", out);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

json_t *dms_json_text(const char *text, size_t bytes)
{
	_cleanup_(dms_freep) char *clean = NULL;
	json_t *string = json_stringn(text, bytes);

	if (string)
		return string;
	clean = dms_escape(text, bytes, DMS_ESCAPE_JSON);
	return clean ? json_string(clean) : NULL;
}

json_t *dms_json_real(double value)
{
	return isfinite(value) ? json_real(value) : json_null(); /* JSON has no infinity */
}

json_t *dms_json_u64(uint64_t value)
{
	if (value > INT64_MAX)
		return json_sprintf("0x%" PRIx64, value);
	return json_integer((json_int_t)value);
}

struct dms_error *dms_check_written(FILE *out)
{
	bool has_failed = ferror(out);

	/* A failure of before has its reason no longer: what is left in the buffer meets it again. */
	clearerr(out);
	if (fflush(out))
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "writing the output");
	if (has_failed)
		return dms_error_new(DMS_ERROR_INTERNAL, "writing the output failed");
	return NULL;
}

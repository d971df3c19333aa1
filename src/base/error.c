// SPDX-License-Identifier: LGPL-2.1-only
/* Build, wrap and free error values. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/base.h>

struct dms_error {
	enum dms_error_code code;
	char *message;
};

static char nomem_message[] = "out of memory";
struct dms_error dms_error_nomem = {DMS_ERROR_INTERNAL, nomem_message};

static struct dms_error *error_make(enum dms_error_code code, char *message)
{
	struct dms_error *err = message ? dms_alloc(sizeof(*err)) : NULL;

	if (!err) {
		dms_free(message);
		return &dms_error_nomem;
	}
	err->code = code;
	err->message = message;
	return err;
}

char *dms_vasprintf(const char *fmt, va_list args)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	text = len < 0 ? NULL : dms_alloc((size_t)len + 1);
	if (text)
		vsnprintf(text, (size_t)len + 1, fmt, args);
	return text;
}

char *dms_asprintf(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = dms_vasprintf(fmt, args);
	va_end(args);
	return text;
}

struct dms_error *dms_error_new(enum dms_error_code code, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = dms_vasprintf(fmt, args);
	va_end(args);
	return error_make(code, text);
}

struct dms_error *dms_error_errno(enum dms_error_code code, int errnum, const char *fmt, ...)
{
	_cleanup_(dms_freep) char *text = NULL;
	va_list args;

	if (errnum == ENOMEM) /* whatever @code the caller has for other reasons */
		return &dms_error_nomem;
	va_start(args, fmt);
	text = dms_vasprintf(fmt, args);
	va_end(args);
	if (!text)
		return &dms_error_nomem;
	return error_make(code, dms_asprintf("%s: %s", text, strerror(errnum)));
}

struct dms_error *dms_error_wrap(struct dms_error *err, const char *fmt, ...)
{
	_cleanup_(dms_freep) char *text = NULL;
	struct dms_error *wrapped;
	va_list args;

	if (err == &dms_error_nomem)
		return err;
	va_start(args, fmt);
	text = dms_vasprintf(fmt, args);
	va_end(args);
	if (!text) {
		dms_error_free(err);
		return &dms_error_nomem;
	}
	wrapped = error_make(err->code, dms_asprintf("%s: %s", text, err->message));
	dms_error_free(err);
	return wrapped;
}

void dms_error_free(struct dms_error *err)
{
	if (!err || err == &dms_error_nomem)
		return;
	dms_free(err->message);
	dms_free(err);
}

const char *dms_error_message(const struct dms_error *err)
{
	return err->message;
}

enum dms_error_code dms_error_code(const struct dms_error *err)
{
	return err->code;
}

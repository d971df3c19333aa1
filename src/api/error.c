// SPDX-License-Identifier: LGPL-2.1-only
/* Errors of the public API, and structs that callers of other versions fill. */
#include <string.h>

#include "local.h"

struct dmascope_error {
	enum dmascope_code code;
	struct dms_error *cause;
};

/* The one error that needs no memory to report: nobody writes to it. */
static struct dmascope_error no_memory = {DMASCOPE_ERROR_INTERNAL, &dms_error_nomem};

static struct dmascope_error *make(enum dmascope_code code, struct dms_error *cause)
{
	struct dmascope_error *error;

	if (!cause)
		return NULL;
	error = cause == &dms_error_nomem ? NULL : dms_alloc(sizeof(*error));
	if (!error) {
		dms_error_free(cause);
		return &no_memory;
	}
	*error = (struct dmascope_error){code, cause};
	return error;
}

struct dmascope_error *api_error(struct dms_error *err)
{
	static const enum dmascope_code codes[] = {
		[DMS_ERROR_USAGE] = DMASCOPE_ERROR_USAGE,
		[DMS_ERROR_INPUT] = DMASCOPE_ERROR_INPUT,
		[DMS_ERROR_INTERNAL] = DMASCOPE_ERROR_INTERNAL,
	};

	return err ? make(codes[dms_error_code(err)], err) : NULL;
}

struct dmascope_error *api_stopped(struct dms_error *err)
{
	return make(DMASCOPE_ERROR_STOPPED, err);
}

struct dmascope_error *api_usage(const char *fmt, ...)
{
	_cleanup_(dms_freep) char *text = NULL;
	va_list args;

	va_start(args, fmt);
	text = dms_vasprintf(fmt, args);
	va_end(args);
	return api_error(text ? dms_error_new(DMS_ERROR_USAGE, "%s", text) : &dms_error_nomem);
}

struct dmascope_error *api_need(const char *function, bool is_given)
{
	return is_given ? NULL : api_usage("%s() was given NULL for what it needs", function);
}

enum dmascope_code dmascope_error_code(const struct dmascope_error *error)
{
	return error ? error->code : DMASCOPE_OK;
}

const char *dmascope_error_message(const struct dmascope_error *error)
{
	return error ? dms_error_message(error->cause) : "";
}

void dmascope_error_free(struct dmascope_error *error)
{
	if (!error || error == &no_memory)
		return;
	dms_error_free(error->cause);
	dms_free(error);
}

/* A struct will hardly grow beyond: rather its size was never set. */
#define MAX_STRUCT_BYTES 4096

struct dmascope_error *api_copy(void *to, size_t bytes, const void *from, const char *what)
{
	size_t size;

	memset(to, 0, bytes);
	if (!from)
		return NULL;
	memcpy(&size, from, sizeof(size));
	if (size < 2 * sizeof(size) || size > MAX_STRUCT_BYTES)
		return api_usage("struct %s: its size is not set", what);
	for (size_t i = bytes; i < size; i++) {
		if (((const unsigned char *)from)[i])
			return api_usage("struct %s has members that libdmascope %s does not know",
					 what, DMS_VERSION);
	}
	memcpy(to, from, size < bytes ? size : bytes);
	return NULL;
}

const char *dmascope_version(void)
{
	return DMS_VERSION;
}

const char *dmascope_severity_name(enum dmascope_severity severity)
{
	static const char *const names[] = {
		[DMASCOPE_INFO] = "info",
		[DMASCOPE_WARNING] = "warning",
		[DMASCOPE_ERROR] = "error",
	};

	return (size_t)severity < DMS_ARRAY_SIZE(names) ? names[severity] : NULL;
}

const char *dmascope_confidence_name(enum dmascope_confidence confidence)
{
	static const char *const names[] = {
		[DMASCOPE_POSSIBLE] = "possible",
		[DMASCOPE_LIKELY] = "likely",
		[DMASCOPE_CERTAIN] = "certain",
	};

	return (size_t)confidence < DMS_ARRAY_SIZE(names) ? names[confidence] : NULL;
}

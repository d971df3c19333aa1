// SPDX-License-Identifier: LGPL-2.1-only
/* Bytes that grow: a batch of rows, an answer. */
#include <stdio.h>
#include <string.h>

#include "local.h"

bool fleet_bytes_add(struct fleet_bytes *bytes, const void *data, size_t n)
{
	if (!dms_grow(&bytes->data, &bytes->capacity, bytes->n + n, 1))
		return false;
	if (n)
		memcpy(bytes->data + bytes->n, data, n);
	bytes->n += n;
	return true;
}

bool fleet_bytes_print(struct fleet_bytes *bytes, const char *fmt, ...)
{
	char *text;
	va_list args;
	bool is_added;

	va_start(args, fmt);
	text = dms_vasprintf(fmt, args);
	va_end(args);
	is_added = text && fleet_bytes_add(bytes, text, strlen(text));
	dms_free(text);
	return is_added;
}

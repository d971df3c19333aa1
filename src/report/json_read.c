// SPDX-License-Identifier: LGPL-2.1-only
/* JSON that others have written, or we, into a file: what is there, or that memory was short. */
#include <jansson.h>
#include <string.h>

#include "local.h"

/* Does this say the same as that? */
static bool is_same(const json_t *json, const json_error_t *why, const json_t *other,
		    const json_error_t *other_why)
{
	if (json || other)
		return json && other && json_equal(json, other);
	return why->position == other_why->position && !strcmp(why->text, other_why->text);
}

/*
 * Where memory is short, jansson (2.14, strbuffer.c, load.c) finds wrong syntax or drops a byte of a
 * text, and does not say so: what it reads twice is there.
 */
struct dms_error *dms_json_read(const char *text, size_t bytes, size_t flags, json_t **ret,
				json_error_t *ret_why)
{
	json_error_t again_why;
	json_t *json = json_loadb(text, bytes, flags, ret_why);
	json_t *again = json_loadb(text, bytes, flags, &again_why);
	bool is_there = is_same(json, ret_why, again, &again_why);

	json_decref(again);
	if (!is_there) {
		json_decref(json);
		json = NULL;
	}
	*ret = json;
	return is_there ? NULL : &dms_error_nomem;
}

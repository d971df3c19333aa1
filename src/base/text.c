// SPDX-License-Identifier: LGPL-2.1-only
/* Streams into memory that tell when memory was short. */
#include <stdio.h>
#include <string.h>

#include <dmascope/base.h>

static ssize_t add(void *context, const char *bytes, size_t n_bytes)
{
	struct dms_text *text = context;

	/* one more for the NUL */
	if (text->is_short ||
	    !dms_grow(&text->bytes, &text->capacity, text->n_bytes + n_bytes + 1, 1)) {
		text->is_short = true;
		return 0;
	}
	memcpy(text->bytes + text->n_bytes, bytes, n_bytes);
	text->n_bytes += n_bytes;
	text->bytes[text->n_bytes] = '\0';
	return (ssize_t)n_bytes;
}

FILE *dms_text_open(struct dms_text *text)
{
	const cookie_io_functions_t functions = {.write = add};
	FILE *out;

	add(text, "", 0);
	out = text->is_short ? NULL : fopencookie(text, "w", functions);
	if (!out)
		dms_freep(&text->bytes);
	return out;
}

bool dms_text_close(struct dms_text *text, FILE *out)
{
	if (!fclose(out) && !text->is_short)
		return true;
	dms_free(text->bytes);
	*text = (struct dms_text){.is_short = true};
	return false;
}

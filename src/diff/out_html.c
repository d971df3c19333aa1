// SPDX-License-Identifier: LGPL-2.1-only
/* A comparison as one HTML page: the page made at build time, the comparison's data in its middle.
 */
#include <stdlib.h>
#include <string.h>

#include "out_html.h"

/*
 * The data may take this much; the page around it takes a quarter of a megabyte, the text for
 * readers without script at most TEXT_BYTES. Together they stay below 2 MB.
 */
#define DATA_BYTES (1536u << 10)
#define TEXT_BYTES (64u << 10)

static const struct diff_html_limits most = {
	.findings = 1000,
	.metrics = 1000,
	.notes = 500,
	.frames = 32,
	.kinds = 24,
	.points = 240,
};

/* @text with what @escapes has for some of its bytes, at most @room bytes. */
static void put_escaped(const char *text, const char *const escapes[256], size_t room, FILE *out)
{
	for (; *text; text++) {
		const char plain[] = {*text, '\0'};
		const char *escape = escapes[(unsigned char)*text];
		const char *bytes = escape ? escape : plain;

		if (strlen(bytes) > room) {
			fputs("\n...\n", out);
			return;
		}
		room -= strlen(bytes);
		fputs(bytes, out);
	}
}

/* What a reader without script sees: the comparison as text. */
static struct dms_error *put_summary(const struct dms_comparison *comparison, FILE *out)
{
	static const char *const escapes[256] = {['<'] = "&lt;",
						 ['>'] = "&gt;",
						 ['&'] = "&amp;",
						 ['"'] = "&quot;",
						 ['\''] = "&#39;"};
	struct dms_text text = {0};
	FILE *stream = dms_text_open(&text);
	struct dms_error *err;

	if (!stream)
		return &dms_error_nomem;
	err = dms_diff_print_text(comparison, stream, 120, false);
	if (!dms_text_close(&text, stream) && !err)
		err = &dms_error_nomem;
	if (!err)
		put_escaped(text.bytes, escapes, TEXT_BYTES, out);
	dms_free(text.bytes);
	return err;
}

static struct dms_error *gather(struct diff_html *page)
{
	struct dms_error *err;

	page->root = json_object();
	if (json_object_set_new(page->root, "tool", json_string(DMS_VERSION)) ||
	    json_object_set_new(page->root, "base", json_string("0")))
		return &dms_error_nomem;
	err = diff_html_add_lists(page);
	return err ? err : diff_html_add_charts(page);
}

static void halve(struct diff_html_limits *limits)
{
	uint32_t *const values[] = {&limits->findings, &limits->metrics, &limits->notes,
				    &limits->frames,   &limits->kinds,	 &limits->points};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(values); i++)
		*values[i] = (*values[i] + 1) / 2;
}

static struct dms_error *dump(const json_t *root, char **ret)
{
	const size_t flags = JSON_ENSURE_ASCII | JSON_COMPACT;
	size_t n_bytes = json_dumpb(root, NULL, 0, flags);

	*ret = n_bytes ? dms_alloc(n_bytes + 1) : NULL;
	if (!*ret)
		return &dms_error_nomem;
	if (json_dumpb(root, *ret, n_bytes, flags) != n_bytes) {
		dms_freep(ret);
		return &dms_error_nomem;
	}
	(*ret)[n_bytes] = '\0';
	return NULL;
}

/* Bytes of @json once it is in the page: each sign of markup is six there. */
static size_t page_bytes(const char *json)
{
	size_t n_bytes = strlen(json);

	for (; *json; json++)
		n_bytes += strchr("<>&", *json) ? 5 : 0;
	return n_bytes;
}

/* The data as text: with less and less in it until it fits. */
static struct dms_error *make_data(struct diff_html *page, char **ret)
{
	for (;; halve(&page->limits)) {
		struct dms_error *err = gather(page);

		*ret = NULL;
		if (!err)
			err = dump(page->root, ret);
		json_decref(page->root);
		page->root = NULL;
		if (err || page_bytes(*ret) <= DATA_BYTES || page->limits.findings <= 1)
			return err;
		dms_free(*ret);
	}
}

struct dms_error *dms_diff_print_html(const struct dms_comparison *comparison, FILE *out,
				      unsigned int width, bool colour)
{
	/* the HTML parser must find nothing in the data: in strings \u003c is the same as < */
	static const char *const escapes[256] = {
		['<'] = "\\u003c", ['>'] = "\\u003e", ['&'] = "\\u0026"};
	struct diff_html page = {.comparison = comparison, .limits = most};
	_cleanup_(dms_freep) char *data = NULL;
	struct dms_error *err = make_data(&page, &data);

	(void)width;
	(void)colour;
	if (!err) {
		fputs(diff_html_head, out);
		err = put_summary(comparison, out);
	}
	if (!err) {
		fputs(diff_html_middle, out);
		put_escaped(data, escapes, SIZE_MAX, out);
		fputc('\n', out);
		fputs(diff_html_tail, out);
		err = dms_check_written(out);
	}
	return err;
}

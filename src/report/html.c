// SPDX-License-Identifier: LGPL-2.1-only
/* A run as one HTML page: the page made at build time, the run's data in its middle. */
#include <string.h>

#include "html.h"

/*
 * The data may take this much; the page around it takes a quarter of a megabyte, the summary for
 * readers without script at most TEXT_BYTES. Together they stay below 2 MB.
 */
#define DATA_BYTES (1536u << 10)
#define TEXT_BYTES (64u << 10)

static const struct html_limits most = {
	.top = 1000, .each = 10, .details = 48, .points = 240, .lanes = 24, .lane_items = 160,
	.notes = 2000,
};

/* ---- writing into an HTML page --------------------------------------------------------------- */

/** Text in the making. */
struct text {
	char *bytes;
	size_t n_bytes, capacity;
	bool is_short; /* of memory: jansson does not always ask whether a key was taken */
};

/*
 * JSON for a script element: the HTML parser must find nothing in it. These signs stand in
 * strings only, where \u003c is the same as <; all that is not ASCII jansson has escaped.
 */
static int add_json(const char *json, size_t n_bytes, void *context)
{
	static const char *const escapes[256] = {
		['<'] = "\\u003c", ['>'] = "\\u003e", ['&'] = "\\u0026"};
	struct text *text = context;

	for (size_t i = 0; i < n_bytes; i++) {
		const char *escape = escapes[(unsigned char)json[i]];
		size_t len = escape ? strlen(escape) : 1;

		if (!dms_grow(&text->bytes, &text->capacity, text->n_bytes + len, 1)) {
			text->is_short = true;
			return -1;
		}
		memcpy(text->bytes + text->n_bytes, escape ? escape : &json[i], len);
		text->n_bytes += len;
	}
	return 0;
}

/** A stream into an HTML page: what is written is escaped, and cut where it gets too long. */
struct escaping {
	FILE *out;
	size_t room; /* bytes it may still write */
};

static ssize_t write_escaped(void *cookie, const char *text, size_t n_bytes)
{
	static const char *const escapes[256] = {
		['<'] = "&lt;", ['>'] = "&gt;", ['&'] = "&amp;", ['"'] = "&quot;", ['\''] = "&#39;"};
	struct escaping *escaping = cookie;

	for (size_t i = 0; i < n_bytes && escaping->room; i++) {
		const char plain[] = {text[i], '\0'};
		const char *escape = escapes[(unsigned char)text[i]];
		const char *out = escape ? escape : plain;

		if (strlen(out) > escaping->room) {
			fputs("\n...\n", escaping->out);
			escaping->room = 0;
			break;
		}
		fputs(out, escaping->out);
		escaping->room -= strlen(out);
	}
	return (ssize_t)n_bytes;
}

/* ---- the data -------------------------------------------------------------------------------- */

static struct dms_error *read_base(struct html_page *page)
{
	static const char sql[] =
		"SELECT CAST(value AS INTEGER), value FROM run WHERE key = 'first_ns'";
	sqlite3_stmt *stmt = NULL;
	bool has_row = false;
	struct dms_error *err = html_prepare(page, sql, &stmt);

	if (!err)
		err = html_step(page, stmt, &has_row);
	page->base_ns = has_row ? sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_finalize(stmt);
	if (!err && json_object_set_new(page->root, "base",
					json_sprintf("%lld", (long long)page->base_ns)))
		err = &dms_error_nomem;
	return err;
}

static struct dms_error *gather(struct html_page *page)
{
	static struct dms_error *(*const adders[])(struct html_page *page) = {
		read_base,	   html_add_tables,   html_add_series,
		html_add_costs,	   html_add_findings, html_add_scan,
	};
	struct dms_error *err = NULL;

	page->root = json_object();
	page->frame_numbers = json_object();
	if (!page->root || !page->frame_numbers ||
	    json_object_set_new(page->root, "tool", json_string(DMS_VERSION)) ||
	    json_object_set_new(page->root, "top", json_integer(page->limits.top)))
		return &dms_error_nomem;
	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(adders); i++)
		err = adders[i](page);
	return err;
}

static void forget(struct html_page *page)
{
	json_decref(page->root);
	json_decref(page->frame_numbers);
	page->root = page->frame_numbers = NULL;
}

static void halve(struct html_limits *limits)
{
	uint32_t *const values[] = {&limits->top,	 &limits->each,	 &limits->details,
				    &limits->points, &limits->lanes, &limits->lane_items,
				    &limits->notes};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(values); i++)
		*values[i] = (*values[i] + 1) / 2;
}

/* The data as text: with less and less in it until it fits. */
static struct dms_error *make_data(struct html_page *page, struct text *ret)
{
	struct dms_error *err;

	for (;; halve(&page->limits)) {
		err = gather(page);
		ret->n_bytes = 0;
		if (!err && (json_dump_callback(page->root, add_json, ret,
						JSON_ENSURE_ASCII | JSON_COMPACT) ||
			     ret->is_short))
			err = &dms_error_nomem;
		forget(page);
		if (err || ret->n_bytes <= DATA_BYTES || page->limits.notes <= 1)
			return err;
	}
}

/* What a reader without script sees: the summary as text. */
static struct dms_error *put_summary(const struct dms_summary *summary, FILE *out)
{
	struct escaping escaping = {.out = out, .room = TEXT_BYTES};
	const cookie_io_functions_t functions = {.write = write_escaped};
	FILE *stream = fopencookie(&escaping, "w", functions);
	struct dms_error *err;

	if (!stream)
		return &dms_error_nomem;
	err = dms_summary_print(summary, DMS_FORMAT_TEXT, stream, 120, false);
	if (fclose(stream) && !err)
		err = &dms_error_nomem;
	return err;
}

struct dms_error *dms_html_print(struct sqlite3 *db, uint64_t top, const struct dms_layout *layout,
				 FILE *out)
{
	struct html_page page = {.db = db, .limits = most, .layout = layout};
	struct dms_summary *summary = NULL;
	struct text data = {0};
	struct dms_error *err;

	if (top < page.limits.top)
		page.limits.top = top ? (uint32_t)top : 1;
	/* the tables of devices that this makes serve the data, too */
	err = dms_summary_read_as(db, layout, &summary);
	if (!err)
		err = make_data(&page, &data);
	if (!err) {
		fputs(html_head, out);
		err = put_summary(summary, out);
	}
	if (!err) {
		fputs(html_middle, out);
		fwrite(data.bytes, 1, data.n_bytes, out);
		fputc('\n', out);
		fputs(html_tail, out);
		err = dms_check_written(out);
	}
	dms_summary_destroy(summary);
	dms_free(data.bytes);
	return err;
}

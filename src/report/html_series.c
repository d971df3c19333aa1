// SPDX-License-Identifier: LGPL-2.1-only
/* Figures over time of the devices that the HTML page shows in detail. */
#include <string.h>

#include "html.h"

/* The measures shown, and whether several buckets are told by their sum or by their largest. */
static const struct {
	const char *name;
	bool is_level;
} measures[] = {
	{"live", true},		       {"live_bytes", true},
	{"maps", false},	       {"unmaps", false},
	{"failed", false},	       {"bytes_to_device", false},
	{"bytes_from_device", false},  {"bytes_bidirectional", false},
};

/* The buckets of the whole run, and how many of them make one point. */
static const char span_sql[] = "SELECT min(start_ns), max(start_ns), max(length_ns) FROM series";
static const char points_sql[] =
	"SELECT device_id, measure, start_ns, value FROM series JOIN temp.html_device"
	" USING (device_id) WHERE place <= :details ORDER BY device_id, measure, start_ns";

struct time_scale {
	int64_t start_ns, length_ns; /* of a point */
	int64_t n_points;
};

static struct dms_error *read_scale(struct html_page *page, struct time_scale *ret)
{
	sqlite3_stmt *stmt = NULL;
	bool has_row;
	struct dms_error *err = html_prepare(page, span_sql, &stmt);

	*ret = (struct time_scale){0};
	if (!err)
		err = html_step(page, stmt, &has_row);
	if (!err && has_row && sqlite3_column_int64(stmt, 2) > 0) {
		int64_t length_ns = sqlite3_column_int64(stmt, 2);
		int64_t first = sqlite3_column_int64(stmt, 0), last = sqlite3_column_int64(stmt, 1);
		int64_t n_buckets = (last - first) / length_ns + 1;
		int64_t merged = (n_buckets + page->limits.points - 1) / page->limits.points;

		ret->start_ns = first;
		ret->length_ns = length_ns * merged;
		ret->n_points = (n_buckets + merged - 1) / merged;
	}
	sqlite3_finalize(stmt);
	return err;
}

static int find_measure(const char *name)
{
	for (size_t i = 0; name && i < DMS_ARRAY_SIZE(measures); i++) {
		if (!strcmp(measures[i].name, name))
			return (int)i;
	}
	return -1;
}

/* Write the finished @points of a measure into @series[device][measure], and clear them. */
static bool put_points(json_t *series, int64_t device_id, int measure, int64_t *points,
		       const struct time_scale *scale)
{
	_cleanup_(dms_freep) char *key = dms_asprintf("%lld", (long long)device_id);
	json_t *device = key ? json_object_get(series, key) : NULL, *values = json_array();
	bool failed = !key || !values;

	for (int64_t i = 0; !failed && i < scale->n_points; i++) {
		failed = json_array_append_new(values, json_integer(points[i]));
		points[i] = 0;
	}
	if (!failed && !device) {
		device = json_object();
		failed = json_object_set_new(series, key, device);
	}
	if (failed)
		json_decref(values);
	return !failed && !json_object_set_new(device, measures[measure].name, values);
}

static void add_point(int64_t *points, const struct time_scale *scale, int measure,
		      sqlite3_stmt *stmt)
{
	int64_t place = (sqlite3_column_int64(stmt, 2) - scale->start_ns) / scale->length_ns;
	int64_t value = sqlite3_column_int64(stmt, 3);

	if (place < 0 || place >= scale->n_points)
		return;
	if (!measures[measure].is_level) {
		if (__builtin_add_overflow(points[place], value, &points[place]))
			points[place] = INT64_MAX;
	} else if (points[place] < value) {
		points[place] = value;
	}
}

static struct dms_error *add_points(struct html_page *page, json_t *series,
				    const struct time_scale *scale, int64_t *points)
{
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err = html_prepare(page, points_sql, &stmt);
	int64_t device_id = 0;
	bool has_row = true;
	int measure = -1;

	while (!err && !(err = html_step(page, stmt, &has_row))) {
		int64_t next_id = has_row ? sqlite3_column_int64(stmt, 0) : 0;
		int next = has_row ? find_measure((const char *)sqlite3_column_text(stmt, 1)) : -1;

		if (measure >= 0 && (next != measure || next_id != device_id) &&
		    !put_points(series, device_id, measure, points, scale))
			err = &dms_error_nomem;
		if (!has_row)
			break;
		device_id = next_id;
		measure = next;
		if (measure >= 0)
			add_point(points, scale, measure, stmt);
	}
	sqlite3_finalize(stmt);
	return err;
}

struct dms_error *html_add_series(struct html_page *page)
{
	_cleanup_(dms_freep) int64_t *points = NULL;
	struct time_scale scale;
	json_t *series = json_object();
	struct dms_error *err;

	if (json_object_set_new(page->root, "series", series))
		return &dms_error_nomem;
	if ((err = read_scale(page, &scale)))
		return err;
	points = dms_zalloc((size_t)(scale.n_points + 1) * sizeof(*points));
	if (!points || json_object_set_new(page->root, "scale",
					   json_pack("{s:I, s:I, s:I}", "start", scale.n_points ?
						     scale.start_ns - page->base_ns : 0,
						     "step", scale.length_ns, "points",
						     scale.n_points)))
		return &dms_error_nomem;
	return scale.n_points ? add_points(page, series, &scale, points) : NULL;
}

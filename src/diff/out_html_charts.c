// SPDX-License-Identifier: LGPL-2.1-only
/* Live bytes over time and lifetimes of each device kind, of both sides, as data of the HTML page.
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "../report/html.h"
#include "out_html.h"

/* temp.base_device is what the baseline was made with: the device kinds of this comparison. */
static const char span_sql[] =
	"SELECT max(CAST(value AS INTEGER)) FILTER (WHERE key = 'first_ns'),"
	" max(CAST(value AS INTEGER)) FILTER (WHERE key = 'last_ns'),"
	" ifnull(max(value) FILTER (WHERE key = 'clock_is_ns'), '1') <> '0' FROM main.run";
static const char live_sql[] =
	"SELECT b.kind, s.start_ns, max(s.length_ns), CAST(total(s.value) AS INTEGER)"
	" FROM main.series AS s JOIN temp.base_device AS b USING (device_id)"
	" WHERE s.measure = 'live_bytes' GROUP BY b.kind, s.start_ns ORDER BY b.kind, s.start_ns";
static const char lifetimes_sql[] =
	"SELECT b.kind, h.low, sum(h.count)"
	" FROM main.histogram AS h JOIN temp.base_device AS b USING (device_id)"
	" WHERE h.measure = 'lifetime' GROUP BY b.kind, h.low ORDER BY b.kind, h.low";

/* One side: the first of its runs. */
struct side {
	const char *name;
	const struct dms_baseline *run; /* NULL: there is none */
	json_t *kinds;			/* name of a kind to {"live": [...], "lifetime": [...]} */
	int64_t first_ns, span_ns;
	bool clock_is_ns;
};

/* Both sides on one scale: N points of step_ns each, from the beginning of each run. */
struct scale {
	int64_t step_ns, n_points;
};

static struct dms_error *prepare(const struct side *side, const char *sql, sqlite3_stmt **ret)
{
	*ret = NULL;
	if (sqlite3_prepare_v2(side->run->db, sql, -1, ret, NULL) != SQLITE_OK)
		return dms_read_error(side->run->db, side->run->path);
	return NULL;
}

static struct dms_error *step(const struct side *side, sqlite3_stmt *stmt, bool *ret)
{
	int rc = sqlite3_step(stmt);

	*ret = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return NULL;
	return dms_read_error(side->run->db, side->run->path);
}

static struct dms_error *read_span(struct side *side)
{
	sqlite3_stmt *stmt;
	bool has_row = false;
	struct dms_error *err = prepare(side, span_sql, &stmt);

	if (!err)
		err = step(side, stmt, &has_row);
	if (!err && has_row) {
		int64_t last_ns = sqlite3_column_int64(stmt, 1);

		side->first_ns = sqlite3_column_int64(stmt, 0);
		if (__builtin_sub_overflow(last_ns, side->first_ns, &side->span_ns) ||
		    side->span_ns < 0)
			side->span_ns = 0;
		side->clock_is_ns = sqlite3_column_int(stmt, 2);
	}
	sqlite3_finalize(stmt);
	return err;
}

/* ---- the page's figures of one kind ------------------------------------------------------------
 */

/* Only the kinds that are on the page have a place. */
static bool put_figures(struct side *side, const char *kind, const char *name, json_t *figures)
{
	json_t *key = diff_html_text(kind);
	json_t *object = key ? json_object_get(side->kinds, json_string_value(key)) : NULL;
	bool is_fine = key && (!object || !json_object_set(object, name, figures));

	json_decref(key);
	json_decref(figures);
	return is_fine && figures;
}

/* The level is as high as its highest moment in the time of a point; null after the run's end. */
static json_t *points_json(const struct side *side, const struct scale *scale,
			   const int64_t *points)
{
	json_t *values = json_array();
	bool has_failed = !values;

	for (int64_t i = 0; !has_failed && i < scale->n_points; i++) {
		bool is_over = i * scale->step_ns > side->span_ns;

		has_failed = json_array_append_new(values,
						   is_over ? json_null() : json_integer(points[i]));
	}
	if (!has_failed)
		return values;
	json_decref(values);
	return NULL;
}

static void add_point(int64_t *points, const struct side *side, const struct scale *scale,
		      sqlite3_stmt *stmt)
{
	int64_t start_ns = sqlite3_column_int64(stmt, 1) - side->first_ns;
	int64_t end_ns = start_ns + sqlite3_column_int64(stmt, 2);
	int64_t value = sqlite3_column_int64(stmt, 3);
	int64_t last = (end_ns - 1) / scale->step_ns;

	for (int64_t i = start_ns > 0 ? start_ns / scale->step_ns : 0;
	     i <= last && i < scale->n_points; i++) {
		if (points[i] < value)
			points[i] = value;
	}
}

static struct dms_error *add_live(struct side *side, const struct scale *scale)
{
	size_t n_bytes = (size_t)scale->n_points * sizeof(int64_t);
	_cleanup_(dms_freep) int64_t *points = dms_zalloc(n_bytes);
	_cleanup_(dms_freep) char *kind = NULL;
	sqlite3_stmt *stmt = NULL;
	bool has_row = true;
	struct dms_error *err = points ? prepare(side, live_sql, &stmt) : &dms_error_nomem;

	while (!err && has_row && !(err = step(side, stmt, &has_row))) {
		const char *next = has_row ? (const char *)sqlite3_column_text(stmt, 0) : NULL;

		if (kind && (!next || strcmp(kind, next))) {
			if (!put_figures(side, kind, "live", points_json(side, scale, points)))
				err = &dms_error_nomem;
			memset(points, 0, n_bytes);
			dms_freep(&kind);
		}
		if (next && !kind && !(kind = dms_strdup(next)))
			err = &dms_error_nomem;
		if (next)
			add_point(points, side, scale, stmt);
	}
	sqlite3_finalize(stmt);
	return err;
}

static struct dms_error *add_lifetimes(struct side *side)
{
	uint64_t counts[HTML_STEPS] = {0};
	_cleanup_(dms_freep) char *kind = NULL;
	sqlite3_stmt *stmt = NULL;
	bool has_row = true;
	struct dms_error *err = prepare(side, lifetimes_sql, &stmt);

	while (!err && has_row && !(err = step(side, stmt, &has_row))) {
		const char *next = has_row ? (const char *)sqlite3_column_text(stmt, 0) : NULL;

		if (kind && (!next || strcmp(kind, next))) {
			if (!put_figures(side, kind, "lifetime", html_steps_json(counts)))
				err = &dms_error_nomem;
			memset(counts, 0, sizeof(counts));
			dms_freep(&kind);
		}
		if (next && !kind && !(kind = dms_strdup(next)))
			err = &dms_error_nomem;
		if (next)
			counts[html_step_of((uint64_t)sqlite3_column_int64(stmt, 1))] +=
				(uint64_t)sqlite3_column_int64(stmt, 2);
	}
	sqlite3_finalize(stmt);
	return err;
}

/* ---- which kinds -------------------------------------------------------------------------------
 */

static uint64_t maps_of(const struct side *side, const char *kind)
{
	for (size_t i = 0; side->run && i < side->run->n_kinds; i++) {
		if (!strcmp(side->run->kinds[i].name, kind))
			return side->run->kinds[i].maps;
	}
	return 0;
}

struct kind {
	const char *name;
	uint64_t maps; /* of the side with more */
};

static int compare_kinds(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;

	if (x->maps != y->maps)
		return x->maps < y->maps ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* The busiest kinds get charts: their names in member "kinds", and places in each side. */
static struct dms_error *add_kinds(struct diff_html *page, struct side sides[static 2])
{
	size_t n = 0, most = 1;
	json_t *names = json_array();
	struct kind *kinds;
	bool has_all;

	for (int s = 0; s < 2; s++)
		most += sides[s].run ? sides[s].run->n_kinds : 0;
	kinds = dms_alloc(most * sizeof(*kinds));
	for (int s = 0; kinds && s < 2; s++) {
		for (size_t i = 0; sides[s].run && i < sides[s].run->n_kinds; i++) {
			const struct dms_base_kind *kind = &sides[s].run->kinds[i];
			uint64_t other = maps_of(&sides[!s], kind->name);

			if (kind->maps > other || (kind->maps == other && (!s || !other)))
				kinds[n++] = (struct kind){kind->name, kind->maps};
		}
	}
	has_all = kinds != NULL;
	if (kinds)
		qsort(kinds, n, sizeof(*kinds), compare_kinds);
	for (size_t i = 0; kinds && i < n && i < page->limits.kinds; i++) {
		json_t *name = diff_html_text(kinds[i].name);

		for (int s = 0; s < 2; s++)
			has_all &= name && !json_object_set_new(sides[s].kinds, json_string_value(name),
								json_object());
		has_all &= !json_array_append_new(names, name);
	}
	dms_free(kinds);
	has_all &= !json_object_set_new(page->root, "kinds", names);
	return has_all ? NULL : &dms_error_nomem;
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

/* What base.js and charts.js want to know of a run: here, of the longer of both. */
static bool add_scale(struct diff_html *page, const struct side sides[static 2],
		      const struct scale *scale)
{
	int64_t span_ns = sides[0].span_ns > sides[1].span_ns ? sides[0].span_ns : sides[1].span_ns;
	bool is_ns = sides[0].clock_is_ns && sides[1].clock_is_ns;
	json_t *run = json_pack("{s:[s, s], s:[[s, o], [s, s]], s:i}", "columns", "key", "value",
				"rows", "last_ns", json_sprintf("%lld", (long long)span_ns),
				"clock_is_ns", is_ns ? "1" : "0", "total", 2);

	return !json_object_set_new(page->root, "run", run) &&
	       !json_object_set_new(page->root, "scale",
				    json_pack("{s:i, s:I, s:I}", "start", 0, "step",
					      (json_int_t)scale->step_ns, "points",
					      (json_int_t)scale->n_points));
}

static struct dms_error *add_sides(struct diff_html *page, struct side sides[static 2])
{
	struct scale scale = {.n_points = page->limits.points};
	struct dms_error *err = add_kinds(page, sides);
	int64_t span_ns;

	for (int s = 0; !err && s < 2; s++) {
		if (sides[s].run && sides[s].run->db)
			err = read_span(&sides[s]);
	}
	span_ns = sides[0].span_ns > sides[1].span_ns ? sides[0].span_ns : sides[1].span_ns;
	scale.step_ns = span_ns / scale.n_points + 1;
	for (int s = 0; !err && s < 2; s++) {
		if (!sides[s].run || !sides[s].run->db)
			continue;
		err = add_live(&sides[s], &scale);
		if (!err)
			err = add_lifetimes(&sides[s]);
	}
	return err || add_scale(page, sides, &scale) ? err : &dms_error_nomem;
}

struct dms_error *diff_html_add_charts(struct diff_html *page)
{
	const struct dms_comparison *comparison = page->comparison;
	struct side sides[2] = {
		{.name = "baseCharts",
		 .clock_is_ns = true,
		 .kinds = json_object(),
		 .run = comparison->n_base ? comparison->base[0] : NULL},
		{.name = "headCharts",
		 .clock_is_ns = true,
		 .kinds = json_object(),
		 .run = comparison->n_head ? comparison->head[0] : NULL},
	};
	struct dms_error *err = add_sides(page, sides);

	for (int s = 0; s < 2; s++) {
		if (json_object_set_new(page->root, sides[s].name, sides[s].kinds) && !err)
			err = &dms_error_nomem;
	}
	return err;
}

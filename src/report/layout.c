// SPDX-License-Identifier: LGPL-2.1-only
/* Which columns of the devices are told, and in which order: what the user asks for, and its tables. */
#include <sqlite3.h>
#include <string.h>

#include "local.h"

/* ---- what is asked for ----------------------------------------------------------------------- */

static bool is_number(const struct dms_column *column)
{
	return column->type != DMS_COLUMN_TEXT;
}

/* The column whose key is @key, or the only one whose key begins so; dms_n_device_columns: none. */
static size_t find_column(const char *key, size_t bytes)
{
	size_t found = dms_n_device_columns, n_found = 0;

	for (size_t i = 0; bytes && i < dms_n_device_columns; i++) {
		if (strncmp(dms_device_columns[i].key, key, bytes) != 0)
			continue;
		if (!dms_device_columns[i].key[bytes])
			return i;
		found = i;
		n_found++;
	}
	return n_found == 1 ? found : dms_n_device_columns;
}

static struct dms_error *parse_key(const char *option, const char *key, size_t bytes,
				   uint8_t *ret)
{
	_cleanup_(dms_freep) char *keys = dms_strdup("");
	struct dms_nearest nearest = dms_nearest_to(key, bytes);
	size_t index = find_column(key, bytes);

	*ret = (uint8_t)index;
	if (index < dms_n_device_columns)
		return NULL;
	for (size_t i = 0; i < dms_n_device_columns; i++)
		dms_nearest_try(&nearest, dms_device_columns[i].key);
	if (nearest.word && strncmp(nearest.word, key, bytes) != 0)
		return dms_error_new(DMS_ERROR_USAGE, "--%s: no column '%.*s', did you mean '%s'?",
				     option, (int)bytes, key, nearest.word);
	for (size_t i = 0; keys && i < dms_n_device_columns; i++) {
		char *shorter = keys;

		keys = dms_asprintf("%s%s%s", shorter, i ? ", " : "", dms_device_columns[i].key);
		dms_free(shorter);
	}
	if (!keys)
		return &dms_error_nomem;
	return dms_error_new(DMS_ERROR_USAGE, "--%s: no column '%.*s'; there are: %s", option,
			     (int)bytes, key, keys);
}

static struct dms_error *parse_columns(const char *columns, struct dms_layout *ret)
{
	struct dms_error *err = NULL;

	for (const char *at = columns; !err; at++) {
		size_t bytes = strcspn(at, ",");
		uint8_t column;

		err = parse_key("columns", at, bytes, &column);
		if (!err && memchr(ret->columns, column, ret->n_columns))
			err = dms_error_new(DMS_ERROR_USAGE, "--columns: %s is named twice",
					    dms_device_columns[column].key);
		if (!err)
			ret->columns[ret->n_columns++] = column;
		at += bytes;
		if (!*at)
			break;
	}
	return err;
}

/* Names from the first letter on, figures from the largest on: what is looked for comes first. */
static struct dms_error *parse_sort(const char *sort, struct dms_layout *ret)
{
	size_t bytes = strcspn(sort, ":");
	const char *order = sort + bytes;
	uint8_t column;
	struct dms_error *err = parse_key("sort", sort, bytes, &column);

	if (err)
		return err;
	if (*order && strcmp(order, ":asc") && strcmp(order, ":desc"))
		return dms_error_new(DMS_ERROR_USAGE,
				     "--sort: '%s' is no order; say asc or desc", order + 1);
	ret->sort = (uint8_t)(column + 1);
	ret->is_descending =
		*order ? !strcmp(order, ":desc") : is_number(&dms_device_columns[column]);
	return NULL;
}

struct dms_error *dms_layout_parse(const char *columns, const char *sort, struct dms_layout *ret)
{
	struct dms_error *err = NULL;

	*ret = (struct dms_layout){0};
	if (columns)
		err = parse_columns(columns, ret);
	if (!err && sort)
		err = parse_sort(sort, ret);
	return err;
}

void dms_layout_help(FILE *out)
{
	for (size_t i = 0; i < dms_n_device_columns; i++)
		fprintf(out, "%-20s  %s\n", dms_device_columns[i].key, dms_device_columns[i].help);
}

size_t dms_layout_columns(const struct dms_layout *layout, uint8_t ret[static DMS_MAX_COLUMNS])
{
	size_t n = 0;

	if (layout && layout->n_columns) {
		memcpy(ret, layout->columns, layout->n_columns);
		return layout->n_columns;
	}
	for (size_t i = 0; i < dms_n_device_columns; i++) {
		if (!dms_device_columns[i].sql)
			ret[n++] = (uint8_t)i;
	}
	return n;
}

size_t dms_layout_all(uint8_t ret[static DMS_MAX_COLUMNS])
{
	for (size_t i = 0; i < dms_n_device_columns; i++)
		ret[i] = (uint8_t)i;
	return dms_n_device_columns;
}

bool dms_layout_has(const struct dms_layout *layout, const char *key)
{
	for (size_t i = 0; i < dms_n_device_columns; i++) {
		if (!strcmp(dms_device_columns[i].key, key))
			return !layout || !layout->n_columns ||
			       memchr(layout->columns, (int)i, layout->n_columns);
	}
	return false;
}

/* ---- their tables ---------------------------------------------------------------------------- */

/* What text shows too, but the view of databases that older programs have written lacks. */
#define FIGURES "SELECT s.*, coalesce(c.maybe_elided, 0) AS maybe_elided"
/* The columns beside those of device_summary are read from these. */
#define QUANTILE(measure, quantile, name)                                                          \
	"max(" quantile ") FILTER (WHERE measure = '" measure "') AS " name
#define SOURCES                                                                                    \
	" FROM device_summary AS s"                                                                \
	" LEFT JOIN rates AS r ON r.device_id = s.device_id"                                       \
	" LEFT JOIN bounces AS b ON b.device_id = s.device_id"                                     \
	" LEFT JOIN iommu_merge AS i ON i.device_id = s.device_id"                                 \
	" LEFT JOIN (SELECT device_id,"                                                            \
	" max(value) FILTER (WHERE name = 'handovers') AS handovers,"                              \
	" max(value) FILTER (WHERE name = 'remaps') AS remaps,"                                    \
	" max(value) FILTER (WHERE name = 'maybe_elided') AS maybe_elided"                         \
	" FROM device_counter GROUP BY device_id) AS c ON c.device_id = s.device_id"               \
	" LEFT JOIN (SELECT device_id, " QUANTILE("lifetime", "p90", "life_p90") ", "              \
	QUANTILE("lifetime", "p999", "life_p999") ", " QUANTILE("size", "p50", "size_p50") ", "    \
	QUANTILE("size", "p99", "size_p99") ", " QUANTILE("size", "max", "size_max") ", "          \
	QUANTILE("bounce_to_map", "p50", "bounce_p50") ", "                                        \
	QUANTILE("iommu_map_to_map", "p50", "iommu_map_p50") ", "                                  \
	QUANTILE("iommu_unmap_to_unmap", "p50", "iommu_unmap_p50")                                 \
	" FROM temp.device_distributions GROUP BY device_id) AS q ON q.device_id = s.device_id"

static struct dms_error *execute(struct sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return NULL;
	return dms_read_error(db, "reading the figures of the devices");
}

struct dms_error *dms_distributions_prepare(struct sqlite3 *db)
{
	return execute(db, "CREATE TEMP TABLE IF NOT EXISTS device_distributions AS"
			   " SELECT * FROM distributions;"
			   "CREATE INDEX IF NOT EXISTS temp.device_distributions_by_measure"
			   " ON device_distributions (device_id, measure)");
}

static struct dms_error *make_figures(struct sqlite3 *db)
{
	_cleanup_(dms_freep) char *sql =
		dms_strdup("CREATE TEMP TABLE device_figures AS " FIGURES);

	for (size_t i = 0; sql && i < dms_n_device_columns; i++) {
		const struct dms_column *column = &dms_device_columns[i];
		char *shorter = sql;

		if (!column->sql)
			continue;
		sql = dms_asprintf(dms_column_is_rate(column)
					   ? "%s, round(%s, 3) AS %s"
					   : "%s, CAST(round(%s) AS INTEGER) AS %s",
				   shorter, column->sql, column->key);
		dms_free(shorter);
	}
	if (sql) {
		char *shorter = sql;

		sql = dms_asprintf("%s" SOURCES, shorter);
		dms_free(shorter);
	}
	return sql ? execute(db, sql) : &dms_error_nomem;
}

static struct dms_error *make_order(struct sqlite3 *db, const struct dms_layout *layout)
{
	const struct dms_column *column =
		layout && layout->sort ? &dms_device_columns[layout->sort - 1] : NULL;
	_cleanup_(dms_freep) char *sql = dms_asprintf(
		"CREATE TEMP TABLE device_order AS SELECT device_id, row_number() OVER (ORDER BY"
		" %s %s NULLS LAST, device_id) AS place FROM temp.device_figures",
		column ? column->key : "device_id", layout && layout->is_descending ? "DESC" : "ASC");
	struct dms_error *err = sql ? execute(db, sql) : &dms_error_nomem;

	return err ? err : execute(db, "CREATE UNIQUE INDEX temp.device_order_by_id"
				       " ON device_order (device_id)");
}

struct dms_error *dms_layout_prepare(struct sqlite3 *db, const struct dms_layout *layout)
{
	struct dms_error *err = execute(db, "DROP TABLE IF EXISTS temp.device_figures;"
					    "DROP TABLE IF EXISTS temp.device_order");

	if (!err)
		err = dms_distributions_prepare(db);
	if (!err)
		err = make_figures(db);
	return err ? err : make_order(db, layout);
}

// SPDX-License-Identifier: LGPL-2.1-only
/* Aligned columns of text, split into several tables where the terminal is narrow. */
#include <string.h>

#include "local.h"

#define GUTTER 2 /* blanks between columns */

struct table_column {
	char *title;
	size_t width;
	bool has_text; /* some cell is not a number: align to the left */
};

struct dms_table {
	size_t n_columns, n_titles, n_cells, capacity;
	size_t n_keys; /* leading columns that every part repeats */
	bool titles_printed;
	char **cells; /* row by row */
	struct table_column columns[];
};

struct dms_table *dms_table_create(size_t n_columns)
{
	struct dms_table *table =
		dms_zalloc(sizeof(*table) + n_columns * sizeof(table->columns[0]));

	if (!table)
		return NULL;
	table->n_columns = n_columns;
	table->n_keys = 1;
	return table;
}

static void forget_rows(struct dms_table *table)
{
	for (size_t i = 0; i < table->n_cells; i++)
		dms_free(table->cells[i]);
	table->n_cells = 0;
}

void dms_table_destroy(struct dms_table *table)
{
	if (!table)
		return;
	forget_rows(table);
	for (size_t i = 0; i < table->n_titles; i++)
		dms_free(table->columns[i].title);
	dms_free(table->cells);
	dms_free(table);
}

static char *fit(struct table_column *column, const char *text)
{
	char *copy = dms_escape(text, strlen(text), DMS_ESCAPE_TEXT);
	size_t width = copy ? dms_text_width(copy) : 0;

	if (width > column->width)
		column->width = width;
	return copy;
}

void dms_table_repeat(struct dms_table *table, size_t n_keys)
{
	table->n_keys = n_keys;
}

bool dms_table_title(struct dms_table *table, const char *title)
{
	struct table_column *column = &table->columns[table->n_titles];

	column->title = fit(column, title);
	table->n_titles += column->title != NULL;
	return column->title != NULL;
}

bool dms_table_cell(struct dms_table *table, const char *text, bool is_number)
{
	struct table_column *column = &table->columns[table->n_cells % table->n_columns];

	if (!dms_grow(&table->cells, &table->capacity, table->n_cells + 1, sizeof(char *)))
		return false;
	table->cells[table->n_cells] = fit(column, text);
	if (!table->cells[table->n_cells])
		return false;
	column->has_text |= !is_number;
	table->n_cells++;
	return true;
}

size_t dms_table_rows(const struct dms_table *table)
{
	return table->n_cells / table->n_columns;
}

/* Print @text in @column; @blanks are owed from the columns before. Return: blanks owed after. */
static size_t put_cell(const struct table_column *column, const char *text, size_t blanks,
		       FILE *out)
{
	size_t width = dms_text_width(text),
	       pad = column->width > width ? column->width - width : 0;

	/* owed blanks are paid by the next text only: no line ends in them */
	if (!*text)
		return blanks + pad;
	if (!column->has_text) {
		blanks += pad;
		pad = 0;
	}
	fprintf(out, "%*s%s", (int)blanks, "", text);
	return pad;
}

/* One line: the keys, and the columns from @begin up to @end. @cells NULL: the titles. */
static void put_line(const struct dms_table *table, char **cells, size_t begin, size_t end,
		     FILE *out)
{
	const struct table_column *columns = table->columns;
	size_t blanks = 0;

	for (size_t i = 0; i < end; i = i + 1 == table->n_keys ? begin : i + 1)
		blanks = put_cell(&columns[i], cells ? cells[i] : columns[i].title,
				  blanks + (i ? GUTTER : 0), out);
}

/* How many columns from @begin on fit beside the keys; one at least. */
static size_t fitting_end(const struct dms_table *table, size_t begin, unsigned int width)
{
	size_t used = 0, end = begin;

	for (size_t i = 0; i < table->n_keys; i++)
		used += table->columns[i].width + (i ? GUTTER : 0);
	while (end < table->n_columns) {
		used += GUTTER + table->columns[end].width;
		if (width && used > width && end > begin)
			break;
		end++;
	}
	return end;
}

/* A later part of the table has nothing of this row, as of sums in columns that have none. */
static bool is_left_out(const struct dms_table *table, char **cells, size_t begin, size_t end)
{
	if (begin == table->n_keys)
		return false;
	while (begin < end && !*cells[begin])
		begin++;
	return begin == end;
}

void dms_table_print(struct dms_table *table, FILE *out, unsigned int width, bool colour)
{
	size_t begin = table->n_keys, end, n_rows = dms_table_rows(table);

	do {
		end = fitting_end(table, begin, width);
		if (!table->titles_printed) {
			fputs(colour ? "\033[1m" : "", out);
			put_line(table, NULL, begin, end, out);
			fputs(colour ? "\033[0m\n" : "\n", out);
		}
		for (size_t row = 0; row < n_rows; row++) {
			char **cells = table->cells + row * table->n_columns;

			if (is_left_out(table, cells, begin, end))
				continue;
			put_line(table, cells, begin, end, out);
			fputc('\n', out);
		}
		begin = end;
		if (begin < table->n_columns)
			fputc('\n', out);
	} while (begin < table->n_columns);
	table->titles_printed = true;
	forget_rows(table);
}

// SPDX-License-Identifier: LGPL-2.1-only
/* The schema read as text: its tables and views, and what its comments say of them. */
#include <dmascope/store.h>
#include <ctype.h>
#include <string.h>

#include "exports.h"

static const char *line_end(const char *line)
{
	return strchrnul(line, '\n');
}

/* A statement ends with the first line that has a semicolon before its comment. */
static const char *statement_end(const char *line)
{
	for (; *line; line = *line_end(line) ? line_end(line) + 1 : line_end(line)) {
		for (const char *at = line; at < line_end(line); at++) {
			if (at[0] == '-' && at[1] == '-')
				break;
			if (*at == ';')
				return at + 1;
		}
	}
	return line;
}

bool ddl_next(struct ddl *ddl)
{
	static const char table[] = "CREATE TABLE ", view[] = "CREATE VIEW ";
	const char *line = ddl->end ? ddl->end : dms_schema_sql, *name;

	for (; *line; line = *line_end(line) ? line_end(line) + 1 : line_end(line)) {
		ddl->is_view = !strncmp(line, view, strlen(view));
		if (ddl->is_view || !strncmp(line, table, strlen(table)))
			break;
	}
	if (!*line)
		return false;
	name = line + (ddl->is_view ? strlen(view) : strlen(table));
	snprintf(ddl->name, sizeof(ddl->name), "%.*s", (int)strcspn(name, " (\n"), name);
	ddl->begin = line;
	ddl->end = statement_end(line);
	return true;
}

/* The text behind "--" in @line, if there is any. */
static const char *comment_of(const char *line, size_t *ret_bytes)
{
	const char *end = line_end(line);

	for (const char *at = line; at + 3 < end; at++) {
		if (at[0] == '-' && at[1] == '-' && at[2] == ' ') {
			*ret_bytes = (size_t)(end - at - 3);
			return at + 3;
		}
	}
	return NULL;
}

const char *ddl_comment(const struct ddl *ddl, const char *column, size_t *ret_bytes)
{
	size_t len = column ? strlen(column) : 0;
	bool is_inside = !column;

	for (const char *line = line_end(ddl->begin); line < ddl->end; line = line_end(line)) {
		const char *text;

		line++;
		/* a column has one tab before it, what goes on with it has two */
		if (column && line[0] == '\t' && islower((unsigned char)line[1]))
			is_inside = !strncmp(line + 1, column, len) && line[1 + len] == ' ';
		text = is_inside ? comment_of(line, ret_bytes) : NULL;
		if (text)
			return text;
		if (!column)
			break; /* of the whole: the first line or none */
	}
	return NULL;
}

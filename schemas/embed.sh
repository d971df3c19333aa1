#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Print the schema (the first argument and its views, 002-views.sql beside it) and the named queries
# (the other arguments) as C. POSIX tools only.
set -eu
export LC_ALL=C

# The text on stdin as C string literals, one a line.
literals() {
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/	/\\t/g' \
		-e 's/^/	"/' -e 's/$/\\n"/'
}

# "name path" of each query, sorted by name; a query's name is its file's without ".sql".
by_name() {
	for path; do
		name=${path##*/}
		printf '%s %s\n' "${name%.sql}" "$path"
	done | sort
}

schema=$1
shift
printf '/* Made by schemas/embed.sh; edit the SQL instead. */\n'
printf '#include <dmascope/store.h>\n\nconst char dms_schema_sql[] =\n'
cat "$schema" "${schema%/*}/002-views.sql" | literals
printf '	;\n\nconst struct dms_named_query dms_named_queries[] = {\n'
[ $# -eq 0 ] || by_name "$@" | while read -r name path; do
	title=$(sed -n '1s/^-- *//p' "$path" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g')
	[ -n "$title" ] || {
		echo "embed.sh: $path: the first line is not '-- title'" >&2
		exit 1
	}
	printf '	{ "%s", "%s",\n' "$name" "$title"
	sed 1d "$path" | literals
	printf '	},\n'
done
[ $# -gt 0 ] || printf '	{ 0 },\n'
printf '};\n\nconst size_t dms_n_named_queries = %d;\n' $#

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Print the folder of this script as C: statements, tables with their columns, queries. POSIX only.
set -eu
export LC_ALL=C
dir=$1

literals() {
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/	/\\t/g' \
		-e 's/^/	"/' -e 's/$/\\n"/'
}

# statements NAME FILE: the statements of FILE, comments of whole lines left out
statements() {
	printf '\nconst char *const %s[] = {\n' "$1"
	grep -v '^[	]*--' "$2" | sed '/^$/d' | literals |
		sed -e 's/;\\n"$/",/'
	printf '	NULL,\n};\n'
}

# The columns of every table, and the statement that makes its rows.
tables() {
	awk '
		BEGIN {
			kinds["FixedString(16)"] = "FLEET_ID"
			kinds["String"] = "FLEET_STRING"
			kinds["DateTime('"'UTC'"')"] = "FLEET_32"
			kinds["UInt8"] = "FLEET_8"
			kinds["UInt32"] = "FLEET_32"
			kinds["Int32"] = "FLEET_I32"
			kinds["UInt64"] = "FLEET_64"
		}
		/^CREATE TABLE/ {
			table = $6
			printf "\nstatic const struct fleet_column %s_columns[] = {\n", table
			next
		}
		/^\) ENGINE/ {
			print "};"
			table = ""
		}
		table != "" && $1 != "--" && $3 != "DEFAULT" {
			type = $2
			sub(/,$/, "", type)
			null = "false"
			if (type ~ /^Nullable\(/) {
				null = "true"
				type = substr(type, 10, length(type) - 10)
			}
			if (!(type in kinds)) {
				print "embed.sh: " table "." $1 ": unknown type " type > "/dev/stderr"
				exit 1
			}
			printf "\t{ \"%s\", %s, %s },\n", $1, kinds[type], null
		}' "$dir/single.sql"
	names=$(awk '/^CREATE TABLE/ { print $6 }' "$dir/single.sql")
	printf '\nconst struct fleet_table fleet_tables[] = {\n'
	for table in $names; do
		printf '	{ "%s", %s_columns, DMS_ARRAY_SIZE(%s_columns),\n' "$table" "$table" "$table"
		grep -v '^--' "$dir/push/$table.sql" | literals
		printf '	},\n'
	done
	printf '};\nconst size_t fleet_n_tables = DMS_ARRAY_SIZE(fleet_tables);\n'
}

queries() {
	printf '\nconst struct dms_fleet_query dms_fleet_queries[] = {\n'
	for path in "$dir"/queries/*.sql; do
		name=${path##*/}
		echo "${name%.sql}"
	done | sort | while read -r name; do
		path=$dir/queries/$name.sql
		title=$(sed -n '2s/^-- *//p' "$path" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g')
		[ -n "$title" ] || {
			echo "embed.sh: $path: the second line is not '-- title'" >&2
			exit 1
		}
		printf '	{ "%s", "%s",\n' "$name" "$title"
		sed -e 1,2d -e "/^	{runs}\$/{" -e "r $dir/runs-wanted.sql" -e d -e '}' "$path" |
			grep -v '^--' | literals
		printf '	},\n'
	done
	printf '};\nconst size_t dms_n_fleet_queries = DMS_ARRAY_SIZE(dms_fleet_queries);\n'
}

printf '/* Made by schemas/clickhouse/embed.sh; edit the SQL instead. */\n#include "fleet/local.h"\n'
statements fleet_single "$dir/single.sql"
statements fleet_cluster "$dir/cluster.sql"
tables
queries

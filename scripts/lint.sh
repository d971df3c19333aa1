#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The house rules that a program can see; one line a rule, "ok - " or "not ok - ".
#
# DMS_SUM, if set, names a file for "passed failed skipped". Exit: 0 clean, 1 not.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
passed=0 failed=0 skipped=0

# Upstream first; a file may include its own stage and those before it. rules and stats stand
# side by side; symbols knows nothing of traces, and decode puts the stacks it meets there.
stages="base symbols input decode model rules:stats store report diff:record:fleet:output run api:cli"
# headers that are called otherwise than their stage
headers="dmascope=api backlog=base inventory=symbols machine=symbols series=stats export=report"

mapfile -t all < <(find . \( -path ./.git -o -path './build*' \) -prune -o -type f -print | sort)
mapfile -t c_files < <(printf '%s\n' "${all[@]}" | grep -E '\.[ch]$')
mapfile -t sources < <(printf '%s\n' "${all[@]}" |
	grep -E '\.([chly]|sh|sql|py|yml)$|^\./(Makefile|dev|\.ci/run)$')
mapfile -t scripts < <(printf '%s\n' "${all[@]}" | grep -E '\.sh$|^\./(dev|\.ci/run)$')

# verdict NAME: judge by the offenders on standard input, which are printed
verdict() {
	local offenders
	offenders=$(cat)
	if [ -z "$offenders" ]; then
		echo "ok - lint: $1"
		passed=$((passed + 1))
	else
		echo "not ok - lint: $1"
		printf '%s\n' "$offenders" | sed 's/^/    /'
		failed=$((failed + 1))
	fi
}

skip() {
	echo "skip - lint: $1: $2"
	skipped=$((skipped + 1))
}

# Each include of a stage's file that points to a later stage, or sideways.
includes() {
	local staged
	mapfile -t staged < <(printf '%s\n' "${c_files[@]}" |
		grep -E '^\./(src/[a-z]+|include/dmascope)/')
	awk -v stages="$stages" -v headers="$headers" '
		BEGIN {
			n = split(headers, pairs, " ")
			for (i = 1; i <= n; i++)
				alias[substr(pairs[i], 1, index(pairs[i], "=") - 1)] = \
					substr(pairs[i], index(pairs[i], "=") + 1)
			n = split(stages, groups, " ")
			for (i = 1; i <= n; i++) {
				m = split(groups[i], names, ":")
				for (k = 1; k <= m; k++)
					rank[names[k]] = i
			}
		}
		FNR == 1 {
			n = split(FILENAME, path, "/")
			stage = path[n - 1]
			is_nested = path[n - 2] != "src" # src/input/perf/head.c
			if (stage == "dmascope") # include/dmascope/stats.h
				stage = substr(path[n], 1, length(path[n]) - 2)
			else if (is_nested)
				stage = path[n - 2]
			if (stage in alias)
				stage = alias[stage]
		}
		/^#[ \t]*include[ \t]*[<"]/ {
			target = $0
			sub(/^[^<"]*[<"]/, "", target)
			sub(/[>"].*/, "", target)
			if (is_nested)
				sub(/^\.\.\//, "", target)
			if (target ~ /^dmascope\//)
				other = substr(target, 10, length(target) - 11)
			else if (target ~ /^\.\.\//)
				other = substr(target, 4, index(substr(target, 4), "/") - 1)
			else
				next
			if (other in alias)
				other = alias[other]
			if (!(stage in rank) || !(other in rank))
				print FILENAME ":" FNR ": unknown stage in: " $0
			else if (other != stage && rank[other] >= rank[stage])
				print FILENAME ":" FNR ": " stage " may not know " other
		}' "${staged[@]}"
}

# Calls of the C library's allocator outside src/base; comments and strings do not count.
allocations() {
	printf '%s\n' "${c_files[@]}" | grep -E '^\./(src|plugins)/' | grep -v '^\./src/base/' |
		xargs -r awk '{
			line = $0
			gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
			sub(/\/\*.*/, "", line)
			if (line ~ /^[ \t]*\*/)
				next
			if (line ~ /(^|[^a-zA-Z0-9_.>])(malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf)[ \t]*\(/)
				print FILENAME ":" FNR ": " $0
		}'
}

long_functions() {
	printf '%s\n' "${c_files[@]}" |
		ctags -x --language-force=C --c-kinds=f --_xformat='%F %n %{end} %N' -L - |
		awk '$3 - $2 + 1 > 60 { print $1 ":" $2 ": " $4 "() has " $3 - $2 + 1 " lines" }'
}

long_files() {
	printf '%s\n' "${sources[@]}" | xargs -r wc -l |
		awk '$1 > 600 && $2 != "total" { print $2 " has " $1 " lines" }'
}

# The shipped queries are shown to users as they stand; COPYING speaks for schemas/.
licences() {
	local file
	for file in "${sources[@]}"; do
		[[ $file == ./schemas/queries/* ]] && continue
		head -n 2 "$file" | grep -qE 'SPDX-License-Identifier: (GPL-2.0-only|LGPL-2.1-only)' ||
			echo "$file"
	done
}

# A declared function needs a comment in its paragraph, or stands behind one that has it.
undocumented() {
	awk '
		FNR == 1 { documented = comment = 0 }
		/^$/ { documented = 0 }
		/\/\*/ { documented = 1; comment = 1 }
		comment { if (/\*\//) comment = 0; next }
		/^[a-z][a-z0-9_ *]*[ *]dms_[a-z0-9_]+\(/ && !/^static|^typedef/ && !documented {
			print FILENAME ":" FNR ": " $0
		}' include/dmascope/*.h
}

# Names of this workshop in files that go out into the world.
machine_paths() {
	local texts
	mapfile -t texts < <(printf '%s\n' "${all[@]}" | grep -E '\.(md|[1-8])$')
	grep -nE '(^|[^a-zA-Z0-9_.])/(work|root|home)/[a-z]' "${sources[@]}" "${texts[@]}" |
		grep -v '^\./scripts/lint\.sh:'
}

verdict "includes point upstream only" < <(includes)
verdict "only src/base allocates" < <(allocations)
verdict "no file over 600 lines" < <(long_files)
verdict "each file names its licence" < <(licences)
verdict "each public function has its comment" < <(undocumented)
verdict "no path of one machine" < <(machine_paths)
verdict "no trailing whitespace" < <(grep -nE '[ 	]+$' "${sources[@]}")
if command -v ctags >/dev/null && ctags --version | grep -q Universal; then
	verdict "no function over 60 lines" < <(long_functions)
else
	skip "no function over 60 lines" "no universal-ctags"
fi
if command -v shellcheck >/dev/null; then
	verdict "shellcheck" < <(shellcheck -S warning -f gcc "${scripts[@]}")
else
	skip "shellcheck" "not installed"
fi
if command -v clang-format >/dev/null; then
	# advice only: the layout is not worth a red light
	n=$(clang-format --dry-run "${c_files[@]}" 2>&1 | grep -c 'code should be clang-formatted')
	echo "# clang-format would change $n places"
fi
[ -n "${DMS_SUM-}" ] && echo "$passed $failed $skipped" >"$DMS_SUM"
echo "lint: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]

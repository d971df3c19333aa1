#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every record of every recording is counted: the database's tracepoint and gap tables must say
# what libtracecmd says of the same file (tests/tools/count_events).
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${BUILD:?}" "${SRCDIR:?}"
count_events=$BUILD/tools/count_events
shared=$SRCDIR/../shared/traces
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0 same=0

ok() { echo "ok - counts: $1"; }
not_ok() {
	echo "not ok - counts: $1: $2"
	failed=1
}

if ! command -v sqlite3 >/dev/null || [ ! -x "$count_events" ]; then
	echo "skip - counts: sqlite3 or count_events is missing"
	exit 0
fi
# Under sanitizers all is ten times slower: every fourth file must do.
step=1
if grep -q __asan_init "$DMASCOPE"; then step=4; fi

counts_of_database() {
	sqlite3 "$1" "SELECT system || ':' || name || ' ' || sum(records) FROM tracepoint
		GROUP BY system, name HAVING sum(records) > 0 ORDER BY 1;
		SELECT 'lost ' || coalesce(sum(lost), 0) FROM gap;
		SELECT 'lost_unknown ' || count(*) FROM gap WHERE lost IS NULL;"
}

# What libtracecmd says; where it dies of a file (1.3 does, of version 6 with two instances), what
# trace-cmd prints, which has no system names.
counts_of_trace() {
	"$count_events" "$1" >"$work/want" 2>"$work/err" && return
	trace-cmd report -t "$1" 2>/dev/null | awk '
		match($0, /\[[0-9]+\] *[0-9.]+: [a-z_]+:/) {
			n = split(substr($0, RSTART, RLENGTH), part, " ")
			sub(/:$/, "", part[n])
			count[part[n]]++
		}
		END { for (name in count) print name " " count[name] }' | sort >"$work/want"
	sqlite3 "$work/run.db" "SELECT name || ' ' || sum(records) FROM tracepoint
		GROUP BY name HAVING sum(records) > 0 ORDER BY 1" >"$work/got"
	[ -s "$work/want" ]
}

# compare NAME FILE: true if they agree. A sum must be there: an empty answer agrees with nothing.
compare() {
	local difference
	if "$DMASCOPE" analyze "$2" -o "$work/run.db" --quiet >/dev/null 2>"$work/err"; then
		counts_of_database "$work/run.db" >"$work/got" 2>&1
	elif grep -q 'it has no events at all' "$work/err"; then
		printf 'lost 0\nlost_unknown 0\n' >"$work/got"
	else
		not_ok "$1" "$(head -1 "$work/err")"
		return 1
	fi
	if ! counts_of_trace "$2"; then
		not_ok "$1" "count_events: $(head -1 "$work/err")"
		return 1
	fi
	if ! difference=$(diff "$work/want" "$work/got"); then
		not_ok "$1" "$(echo "$difference" | tr '\n' ' ' | cut -c1-300)"
		return 1
	fi
	same=$((same + 1))
}

# compare_all NAME AT-LEAST STEP FILE...: one case for a folder of many small files
compare_all() {
	local name=$1 least=$2 every=$3 all_well=1 number=0 file
	shift 3
	same=0
	for file in "$@"; do
		number=$((number + 1))
		[ $((number % every)) -eq 0 ] || continue
		compare "$name: ${file#"$shared/"}" "$file" || all_well=0
	done
	[ $all_well -eq 1 ] || return
	if [ $same -ge $((least / every)) ]; then
		ok "$name ($same files)"
	else
		not_ok "$name" "only $same files"
	fi
}

compare_all fixtures 12 1 "$SRCDIR"/tests/fixtures/*.dat
for shape in '--stacks --syncs' '--lost 0.2 --big-endian' '--file-version 7 --compression zstd --lost 0.3' \
	'--cpus 64 --discard 0.2 --mode iommu --iommu-events'; do
	# word splitting makes options of it
	# shellcheck disable=SC2086
	if "$BUILD/tools/tracegen" -o "$work/t.dat" --events 20000 $shape >/dev/null; then
		compare "generated $shape" "$work/t.dat" && ok "generated $shape"
	else
		not_ok "generated $shape" "tracegen failed"
	fi
done

if [ ! -d "$shared" ]; then
	echo "skip - counts: recordings: no ../shared/traces here"
	exit $failed
fi
compare_all stock 20 "$step" "$shared"/stock/*/*/*.dat
compare_all architectures 10 $(((step + 1) / 2)) "$shared"/arch/*/*/*.dat
compare_all oracle 200 "$step" "$shared"/oracle/*/*.dat
if command -v zstd >/dev/null; then
	for file in "$shared"/arch/*/*/*.dat.zst; do
		zstd -dqc "$file" >"$work/t.dat"
		compare "${file#"$shared/"}" "$work/t.dat" && ok "${file#"$shared/"}"
	done
else
	echo "skip - counts: compressed recordings: no zstd"
fi
exit $failed

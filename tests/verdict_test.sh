#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Verdicts on small texts in the tracer's own words (tests/scripts/verdicts): what is told, how surely,
# how each device gets its addresses, and how mappings end. Each text says why in its first line; a log
# beside it is the kernel's.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${SRCDIR:?}"
scripts=$SRCDIR/tests/scripts/verdicts
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - verdict: $1"; }
not_ok() {
	echo "not ok - verdict: $1: $2"
	failed=1
}

if ! command -v sqlite3 >/dev/null; then
	echo "skip - verdict: sqlite3 is not installed"
	exit 0
fi

# What the database says of $1, a line each.
told() {
	sqlite3 "$1" "
		SELECT 'device ' || name || ' ' || address_mode FROM device ORDER BY id;
		SELECT rule || ' ' || severity || ' ' || confidence || ' ' || count(*) FROM findings
			GROUP BY rule, severity, confidence ORDER BY rule, severity;
		SELECT rule || ' outside of the trace' FROM finding WHERE ts_ns >
			(SELECT max(max(map_ns), max(unmap_ns)) FROM mapping);
		SELECT 'end ' || \"end\" || ' ' || count(*) FROM mapping GROUP BY \"end\" ORDER BY 1"
}

for script in "$scripts"/*.txt; do
	name=${script##*/}
	name=${name%.txt}
	log=()
	[ ! -e "$scripts/$name.log" ] || log=(--kernel-log "$scripts/$name.log")
	if ! "$DMASCOPE" analyze -q "$script" "${log[@]}" -o "$work/run.db" >"$work/out" 2>"$work/err"; then
		not_ok "$name" "$(head -1 "$work/err")"
		continue
	fi
	told "$work/run.db" >"$work/told"
	if cmp -s "$work/told" "$scripts/$name.expected"; then
		ok "$name"
	else
		not_ok "$name" "$(diff "$scripts/$name.expected" "$work/told" | head -4 | tr '\n' ';')"
	fi
done

# Of `dmascope record` nothing is filtered but by device: here its name stands in place of the converter's.
"$DMASCOPE" convert -q "$scripts/leaks-and-double-unmaps.txt" -o "$work/whole.dat" 2>"$work/err" &&
	sed -i 's/, from/  from/' "$work/whole.dat"
"$DMASCOPE" analyze -q "$work/whole.dat" -o "$work/run.db" >"$work/out" 2>>"$work/err"
if told "$work/run.db" | grep -q '^double-unmap error certain 3$'; then ok 'of our recorder'; else
	not_ok 'of our recorder' "$(told "$work/run.db" | grep double; head -1 "$work/err")"
fi
exit $failed

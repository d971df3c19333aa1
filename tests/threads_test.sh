#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The same result with any number of threads: what is printed, what is stored, and how it fails.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${BUILD:?}" "${SRCDIR:?}"
tracegen=$BUILD/tools/tracegen
fixtures=$SRCDIR/tests/fixtures
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - threads: $1"; }
not_ok() {
	echo "not ok - threads: $1: $2"
	failed=1
}

if ! command -v sqlite3 >/dev/null; then
	echo "skip - threads: sqlite3 is not installed"
	exit 0
fi

# analyze THREADS OPTION...: what it prints, its exit code, and all rows into $work/THREADS
analyze() {
	local threads=$1

	shift
	rm -f "$work/run.db"
	{
		DMASCOPE_THREADS=$threads "$DMASCOPE" analyze "$@" -o "$work/run.db" 2>&1
		echo "exit code $?"
		[ ! -e "$work/run.db" ] || sqlite3 "$work/run.db" .dump 2>&1
	} >"$work/$threads"
}

# same NAME WORD OPTION...: 1, 2 and 3 threads agree; one of the lines has WORD, so that nothing agrees with nothing
same() {
	local name=$1 word=$2 threads

	shift 2
	analyze 1 "$@"
	if ! grep -q -- "$word" "$work/1"; then
		not_ok "$name" "no line has '$word': $(tail -n 1 "$work/1")"
		return
	fi
	for threads in 2 3; do
		analyze $threads "$@"
		if ! cmp -s "$work/1" "$work/$threads"; then
			not_ok "$name" "$threads threads: $(diff "$work/1" "$work/$threads" | sed -n 2p)"
			return
		fi
	done
	ok "$name"
}

for fixture in "$fixtures"/*.dat "$fixtures"/*.data.xz "$fixtures"/text-*.txt; do
	[ "$(basename "$fixture")" = text-7.2-console.txt ] || # a side file
		same "$(basename "$fixture")" "COMMIT" "$fixture"
done
same "a trace and its kernel log" "INSERT INTO mapping" \
	--kernel-log "$fixtures/lab-7.2-fault.log" "$fixtures/lab-7.2-fault.dat"

# so much that every batch goes round, with lists, losses and leaks
"$tracegen" -o "$work/all.dat" --events 60000 --cpus 4 --devices 8 --stacks --distinct 500 \
	--lost 0.0005 --leak 50 --seed 7 >/dev/null || exit 1
same "lists, losses and stacks" "INSERT INTO gap" "$work/all.dat"
same "every event" "INSERT INTO event" --events "$work/all.dat"
same "findings up to a limit" "INSERT INTO finding" --limit 3 "$work/all.dat"
first=$(sqlite3 "$work/run.db" "SELECT value FROM run WHERE key = 'first_ns'")
last=$(sqlite3 "$work/run.db" "SELECT value FROM run WHERE key = 'last_ns'")
ns=$(((first + last) / 2))
same "figures of a window" "'counted_from_ns','$ns'" \
	--since "$((ns / 1000000000)).$(printf %09d $((ns % 1000000000)))" "$work/all.dat"
same "two files" "INSERT INTO mapping" "$fixtures/twin-6.12.dat" "$fixtures/twin-6.12-perf.dat"

# many lives ended by one event, and at the end of the trace
"$tracegen" -o "$work/live.dat" --events 40000 --cpus 2 --devices 2 --live 9000 --seed 8 >/dev/null || exit 1
same "many live mappings" "'live'" "$work/live.dat"

head -c 3000000 "$work/all.dat" >"$work/cut.dat"
same "a file cut short" "exit code 3" "$work/cut.dat"
same "what is left of it" "INSERT INTO mapping" --salvage "$work/cut.dat"

# the database fails half-way, in a thread of its own: one line, no half database, nobody waits for ever
(
	ulimit -f 1000
	trap '' XFSZ
	for threads in 1 2 3; do
		DMASCOPE_THREADS=$threads timeout 300 "$DMASCOPE" analyze -o "$work/full.db" \
			"$work/all.dat" >/dev/null 2>"$work/err"
		code=$?
		[ $code = 4 ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -q 'full.db.part' "$work/err" &&
			! ls "$work"/full.db* >/dev/null 2>&1 ||
			not_ok "a database that fails" "$threads threads: exit code $code: $(cat "$work/err")"
	done
	exit $failed
) && ok "a database that fails" || failed=1

exit $failed

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Calls that fail, one after the other: each write of a database, its sync and its rename, each read
# of a trace, allocations. What is under the final name is the old database or the whole new one.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${BUILD:?}" "${SRCDIR:?}"
fixtures=$SRCDIR/tests/fixtures
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - fault: $1"; }
not_ok() {
	echo "not ok - fault: $1: $2"
	failed=1
}

if grep -q __asan_init "$DMASCOPE" || grep -q __tsan_init "$DMASCOPE"; then
	echo "skip - fault: a sanitizer has its own allocator and wants to be first"
	exit 0
fi
"${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -O1 -shared -fPIC -o "$work/faults.so" \
	"$SRCDIR/tests/tools/faults.c" || exit 1

# faulty KIND N ARG...: the program, its N-th call of KIND failing
faulty() {
	local fault=$1:$2
	shift 2
	timeout 20 env "DMS_FAULT=$fault" "DMS_FAULT_COUNT=$work/count" "LD_PRELOAD=$work/faults.so" \
		"$DMASCOPE" "$@" >"$work/out" 2>"$work/err" </dev/null
}

# wrong CODE WANTED...: what is wrong with how it ended, or nothing
wrong() {
	local code=$1 wanted
	shift
	for wanted; do
		[ "$code" -eq "$wanted" ] || continue
		[ "$code" -eq 0 ] && return
		[ "$(grep -vc ': warning: ' "$work/err")" -eq 1 ] || break
		grep -q '^dmascope: ' "$work/err" || break
		return
	done
	echo "exit $code, not one of $*: $(head -c 200 "$work/err")"
}

# steps COUNT MOST: at most MOST numbers from 1 to COUNT, and the first 8 and the last among them
steps() { awk -v n="$1" -v most="$2" 'BEGIN {
	for (i = 1; i <= n && i <= 8; i++) print i
	step = (n - 8) / most; if (step < 1) step = 1
	for (x = 9; x < n; x += step) print int(x)
	if (n > 8) print n }'; }

# sweep NAME KIND CODES MOST AFTER ARG...: each call fails once; AFTER is asked then
sweep() {
	local name=$1 kind=$2 codes=$3 most=$4 after=$5 n count said times=0
	shift 5
	faulty "$kind" 0 "$@"
	count=$(cat "$work/count" 2>/dev/null)
	if [ "${count:-0}" -eq 0 ]; then
		not_ok "$name" "no such call: $(head -c 200 "$work/err")"
		return
	fi
	for n in $(steps "$count" "$most"); do
		restore
		faulty "$kind" "$n" "$@"
		code=$?
		# shellcheck disable=SC2086 # a list
		said=$(wrong $code $codes)
		[ -z "$said" ] && said=$($after)
		if [ -n "$said" ]; then
			not_ok "$name" "call $n of $count: $said"
			return
		fi
		times=$((times + 1))
	done
	ok "$name ($times of $count calls)"
}

good=$fixtures/stock-6.12-rmmod.dat other=$fixtures/oracle-ctl_sg-stack.dat
"$DMASCOPE" analyze "$other" -o "$work/was.db" --quiet >/dev/null || exit 1
"$DMASCOPE" analyze "$good" -o "$work/new.db" --quiet >"$work/new.out" || exit 1
restore() { cp "$work/was.db" "$work/run.db"; }

# After success the new database, otherwise the old one; and nothing beside it.
is_as_told() {
	if [ "$code" -eq 0 ]; then
		cmp -s "$work/run.db" "$work/new.db" || echo "exit 0, but not the new database"
	else
		cmp -s "$work/run.db" "$work/was.db" || echo "the old database has changed"
	fi
	[ -e "$work/run.db.part" ] && echo "a .part is left"
}

# written NAME KIND CODES MOST FILE [OPTION]
written() {
	local name=$1 kind=$2 codes=$3 most=$4 file=$5
	shift 5
	sweep "$name" "$kind" "$codes" "$most" is_as_told analyze "$file" "$@" -o "$work/run.db" --quiet
}

written "each write of a database fails" write 4 50 "$good"
written "each write of a database with events fails" write 4 15 "$fixtures/twin-7.2.dat" --events
# of the folder's sync, the last one, only a power cut would tell
written "each sync of a database fails" sync "0 4" 9 "$good"
written "its rename fails" rename 4 9 "$good"
written "its truncation fails" truncate 4 9 "$good"
written "each read of a trace fails" read "3 4" 30 "$good"
# the old database may be what is short: then it is none
written "a trace becomes shorter at each read" short "2 3 4" 30 "$good"
written "each read of a perf.data fails" read "3 4" 25 "$fixtures/twin-7.2-perf.data.xz"
written "each write of a file unpacked fails" write 4 10 "$fixtures/twin-7.2-stack.txt.zst"
written "memory is short from each allocation on" memory "0 3 4" 60 "$good"

# ---- what reads a database
nothing() { :; }
reads() {
	local name=$1
	shift
	sweep "memory is short in $name" memory "0 3 4" 12 nothing "$@"
	sweep "each read fails in $name" read "0 3 4" 8 nothing "$@"
}
cp "$work/new.db" "$work/r.db"
reads report report "$work/r.db"
reads "report --html" report "$work/r.db" --html "$work/page.html"
reads "report --json" report "$work/r.db" --json "$work/report.json"
reads baseline baseline "$work/r.db" -o "$work/base.json"
reads diff diff "$work/r.db" "$work/was.db" --fail-on never --format "json=$work/diff.json"
reads query query "$work/r.db" 'SELECT * FROM mappings'
# ---- one allocation fails alone: what is there then is the same, or it is said
"$DMASCOPE" push "$work/new.db" --spool "$work/whole" --host h >/dev/null || exit 1
restore() { rm -rf "$work/spool"; }
is_spooled() {
	if [ "$code" -eq 0 ]; then
		diff -r "$work/spool" "$work/whole" >/dev/null || echo "exit 0, but another spool"
	elif [ -d "$work/spool" ] && find "$work/spool" -type f | grep -q .; then
		echo "exit $code, and $(ls "$work/spool")"
	fi
}
sweep "an allocation fails in push --spool" lack "0 4" 400 is_spooled push "$work/new.db" --spool "$work/spool" --host h
restore() { :; }
is_counted() { [ "$code" -ne 0 ] || cmp -s "$work/out" "$work/counted" || echo "exit 0, but $(head -c 300 "$work/out")"; }
"$DMASCOPE" push "$work/new.db" --dry-run --host h >"$work/counted" || exit 1
sweep "an allocation fails in push --dry-run" lack "0 4" 400 is_counted push "$work/new.db" --dry-run --host h
is_told() { [ "$code" -ne 0 ] || cmp -s "$work/out" "$work/told" || echo "exit 0, but $(diff "$work/out" "$work/told" | head -3)"; }
"$DMASCOPE" report "$work/new.db" >"$work/told" || exit 1
sweep "an allocation fails in report" lack "0 4" 100 is_told report "$work/new.db"
# lacks NAME MOST FILE ARG...: what is printed and what is in FILE are whole, or memory is said to be short
lacks() {
	local name=$1 most=$2 file=$3
	shift 3
	rm -f "$work/sound" "$file"
	"$DMASCOPE" "$@" >"$work/told" 2>/dev/null || not_ok "$name" "cannot even do it"
	[ ! -e "$file" ] || mv "$file" "$work/sound"
	restore() { rm -f "$file"; }
	is_whole() {
		if [ "$code" -ne 0 ]; then
			grep -q "out of memory\|no memory to" "$work/err" || echo "exit $code, and $(head -1 "$work/err")"
		elif ! cmp -s "$work/out" "$work/told"; then
			echo "exit 0, but $(diff "$work/told" "$work/out" | head -3)"
		elif [ -e "$work/sound" ] && ! cmp -s "$work/sound" "$file"; then
			echo "exit 0, but another file"
		fi
	}
	sweep "an allocation fails in $name" lack "0 4" "$most" is_whole "$@"
}
none=$work/none
lacks "analyze of a text" 300 "$none" analyze "$fixtures/twin-7.2-stack.txt.zst"
lacks "analyze with symbols and probes" 80 "$none" analyze "$fixtures/lab-7.2-probes.dat"
lacks "analyze --kernel-log" 150 "$none" analyze "$fixtures/lab-7.2-fault.dat" \
	--kernel-log "$fixtures/lab-7.2-fault.log"
lacks doctor 100 "$none" doctor "$good"
lacks "doctor --format json" 150 "$none" doctor "$good" --format json
lacks convert 200 "$work/one.dat" convert "$fixtures/twin-7.2-stack.txt.zst" -o "$work/one.dat"
lacks "report --json" 60 "$work/one.json" report "$work/new.db" --json "$work/one.json"
lacks "report --html" 90 "$work/one.html" report "$work/new.db" --html "$work/one.html"
"$DMASCOPE" analyze "$fixtures/twin-7.2-stack.txt.zst" -o "$work/calls.db" --quiet >/dev/null || exit 1
lacks "report --json of two calls" 60 "$work/one.json" report "$work/calls.db" --json "$work/one.json"
lacks baseline 90 "$work/one.base" baseline "$work/new.db" -o "$work/one.base"
for run in new was; do "$DMASCOPE" baseline "$work/$run.db" -o "$work/$run.json" || exit 1; done
for format in html junit markdown json; do
	lacks "diff --format $format" 150 "$work/one.$format" diff "$work/new.json" "$work/was.json" \
		--fail-on never --format "$format=$work/one.$format"
done

if ls "$work"/*.part >/dev/null 2>&1; then
	not_ok "no .part behind reports" "$(ls "$work"/*.part)"
else
	ok "no .part behind reports"
fi
exit $failed

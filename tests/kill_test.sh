#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Death at any moment, 200 times: what has the final name is the old file or the whole new one, and
# nothing is left beside it; but SIGKILL and folders leave what is called .part, and the next run
# clears it away. DMS_KILLS: another number.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${BUILD:?}" "${SRCDIR:?}"
tracegen=$BUILD/tools/tracegen
work=$(mktemp -d) || exit 1
# not in a child that a signal meets before it is another program
trap '[ $BASHPID -ne $$ ] || rm -rf "$work"' EXIT
failed=0
kills=${DMS_KILLS:-200}
grep -q -e __asan_init -e __tsan_init "$DMASCOPE" && kills=$((kills / 8))
RANDOM=8

ok() { echo "ok - kill: $1"; }
not_ok() {
	echo "not ok - kill: $1: $2"
	failed=1
}

if ! env --default-signal=INT true 2>/dev/null; then
	echo "skip - kill: this env cannot give SIGINT back to a script's job"
	exit 0
fi

# milliseconds: since the machine began
milliseconds() { awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime; }

# killed SIGNAL MOST_MS ARG...: after 0 to MOST_MS
killed() {
	local signal=$1 most=$2 pid
	shift 2
	env --default-signal=INT "$DMASCOPE" "$@" >/dev/null 2>"$work/err" </dev/null &
	pid=$!
	sleep "$(printf '0.%03d' $((RANDOM % (most + 1) % 1000)))"
	kill "-$signal" $pid 2>/dev/null
	wait $pid 2>/dev/null
	code=$?
}

# is_one_of FILE OLD NEW
is_one_of() { cmp -s "$1" "$2" || cmp -s "$1" "$3"; }

is_same_folder() { diff -rx .dmascope-part "$1" "$2" >/dev/null; }

# A folder of CSV files is whole if it has its README.
is_old_or_new() {
	if [ -d "$1" ]; then
		[ ! -e "$1/README" ] || is_same_folder "$1" "$2" || is_same_folder "$1" "$3"
	else
		is_one_of "$@"
	fi
}

# Whatever is beside it tells by its name what it is.
has_stranger() {
	find "$work/place" -mindepth 1 -maxdepth 1 ! -name "$1" ! -name "$1.part" ! -name "$1.part-journal" \
		! -name "$1.*part*" | grep -q .
}

has_part() { ls "$work/place"/*part* >/dev/null 2>&1; }

# torture NAME SHARE OUTPUT OLD NEW ARG...: SHARE percent of all kills
torture() {
	local name=$1 n=$((kills * $2 / 100)) output=$3 old=$4 new=$5 i most hit=0 left=0 said=
	local signals=(KILL KILL KILL INT TERM)
	shift 5
	mkdir "$work/place"
	most=$(milliseconds)
	"$DMASCOPE" "$@" >/dev/null 2>&1
	most=$(($(milliseconds) - most))
	[ $most -gt 900 ] && most=900
	for i in $(seq $n); do
		[ $((i % 4)) -eq 1 ] && rm -rf "$work/place" && mkdir "$work/place" &&
			cp -r "$old" "$work/place/$output"
		# of what SIGKILL has left another signal's death may come too soon to take it over
		[ "${signals[i % 5]}" != KILL ] && rm -f "$work/place"/*part*
		killed "${signals[i % 5]}" $most "$@"
		# how long it takes depends on who else runs: aim before its end, and not always at its beginning
		if [ $code -gt 128 ]; then
			hit=$((hit + 1))
			most=$((most < 850 ? most + most / 8 + 1 : 850))
		else
			most=$((most - most / 4))
		fi
		has_part && left=$((left + 1))
		if [ $code -ne 0 ] && [ $code -le 128 ]; then
			said="exit $code: $(head -c 200 "$work/err")"
		elif ! is_old_or_new "$work/place/$output" "$old" "$new"; then
			said="neither the old file nor the new one, after kill $i"
		elif has_stranger "$output"; then
			said="left $(ls "$work/place")"
		elif [ "${signals[i % 5]}" != KILL ] && has_part; then
			said="SIG${signals[i % 5]} left $(ls "$work/place")"
		fi
		[ -n "$said" ] && break
	done
	[ -z "$said" ] && { "$DMASCOPE" "$@" >/dev/null 2>"$work/err" || said="the next run: exit $?"; }
	[ -z "$said" ] && [ "$(ls -A "$work/place")" != "$output" ] && said="still there: $(ls -A "$work/place")"
	[ -z "$said" ] && [ -f "$new" ] && ! cmp -s "$work/place/$output" "$new" && said="the next run's is another"
	[ -z "$said" ] && [ $hit -lt $((n / 4)) ] && said="only $hit of $n were in time"
	if [ -z "$said" ]; then
		ok "$name ($n kills, $hit in time, $left left a .part)"
	else
		not_ok "$name" "$said"
	fi
	rm -rf "$work/place"
}

"$tracegen" -o "$work/long.dat" --events 60000 --cpus 2 --stacks >/dev/null || exit 1
"$tracegen" -o "$work/other.dat" --events 2000 --cpus 1 >/dev/null || exit 1
"$DMASCOPE" analyze "$work/long.dat" -o "$work/new.db" --quiet >/dev/null || exit 1
"$DMASCOPE" analyze "$work/other.dat" -o "$work/old.db" --quiet >/dev/null || exit 1
for run in old new; do
	"$DMASCOPE" report "$work/$run.db" --html "$work/$run.html" >/dev/null || exit 1
	"$DMASCOPE" report "$work/$run.db" --csv "$work/$run.csv" >/dev/null || exit 1
	"$DMASCOPE" report "$work/$run.db" --trace-json "$work/$run.json" >/dev/null || exit 1
done
"$DMASCOPE" convert "$work/long.dat" -o "$work/new.dat" >/dev/null 2>&1 || exit 1

# Stopped while the .part is there, so that the signal comes at no other moment.
# dies_of SIGNAL NUMBER PART ARG...: what is wrong with it, or nothing
dies_of() {
	local signal=$1 number=$2 part=$3 try pid
	shift 3
	for try in $(seq 40); do
		rm -rf "$work/place" && mkdir "$work/place"
		(ulimit -c 0 && exec env --default-signal "$DMASCOPE" "$@") >/dev/null 2>&1 </dev/null &
		pid=$!
		until [ -e "$part" ] || ! kill -0 $pid 2>/dev/null; do sleep 0.002; done
		kill -STOP $pid 2>/dev/null
		# it stops a moment later, and may have got to its end by then
		if [ -e "$part" ] && sleep 0.05 && [ -e "$part" ]; then
			kill "-$signal" $pid
			kill -CONT $pid
			wait $pid 2>/dev/null
			code=$?
			[ $code -eq $((128 + number)) ] || echo "exit $code"
			has_part && echo "left $(ls -A "$work/place")"
			return
		fi
		kill -CONT $pid 2>/dev/null
		wait $pid 2>/dev/null
	done
	echo "never in time, in $try tries"
}

for case in HUP:1 INT:2 QUIT:3 PIPE:13 TERM:15 XCPU:24 XFSZ:25; do
	said=$(dies_of "${case%:*}" "${case#*:}" "$work/place/run.db.part" \
		analyze "$work/long.dat" -o "$work/place/run.db" --quiet)
	if [ -z "$said" ]; then ok "SIG${case%:*} takes the .part along"; else
		not_ok "SIG${case%:*} takes the .part along" "$said"
	fi
done
# takes_along NAME PART ARG...: each command that writes hands over who watches
takes_along() {
	local name=$1
	shift
	said=$(dies_of TERM 15 "$work/place/$1.part" "${@:2}")
	if [ -z "$said" ]; then ok "that of $name too"; else not_ok "that of $name too" "$said"; fi
}
takes_along report page.html report "$work/new.db" --html "$work/place/page.html"
takes_along convert out.dat convert "$work/long.dat" -o "$work/place/out.dat" --quiet
takes_along check run.db check "$work/long.dat" --baseline "$work/old.db" \
	-o "$work/place/run.db" --quiet
# The spool's copy has the name of its run; its labels come last, so it is there long enough.
"$DMASCOPE" push "$work/new.db" --spool "$work/spool" --host h >/dev/null || exit 1
copy=$(cd "$work/spool" && echo ./*.db) copy=${copy#./}
takes_along "push --spool" "$copy" push "$work/new.db" --spool "$work/place" --host h
rm -rf "$work/place"

# Who has the lock is writing it.
mkdir "$work/place"
(
	flock 9
	"$DMASCOPE" report "$work/new.db" --html "$work/place/page.html" >/dev/null 2>"$work/err" 9>&-
	echo $? >"$work/code"
) 9>"$work/place/page.html.part"
if [ "$(cat "$work/code")" -eq 4 ] && grep -q 'page.html.part: another dmascope is writing it$' "$work/err" &&
	[ "$(ls -A "$work/place")" = page.html.part ]; then
	ok "two do not write one file"
else
	not_ok "two do not write one file" "exit $(cat "$work/code"): $(cat "$work/err"): $(ls -A "$work/place")"
fi
rm -rf "$work/place"

torture "analyze -o" 60 run.db "$work/old.db" "$work/new.db" \
	analyze "$work/long.dat" -o "$work/place/run.db" --quiet
torture "report --html" 10 page.html "$work/old.html" "$work/new.html" \
	report "$work/new.db" --html "$work/place/page.html"
torture "report --trace-json" 10 trace.json "$work/old.json" "$work/new.json" \
	report "$work/new.db" --trace-json "$work/place/trace.json"
torture "report --csv" 10 csv "$work/old.csv" "$work/new.csv" \
	report "$work/new.db" --csv "$work/place/csv"
torture "convert -o" 10 out.dat "$work/other.dat" "$work/new.dat" \
	convert "$work/long.dat" -o "$work/place/out.dat" --quiet
exit $failed

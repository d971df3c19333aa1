#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The bench: speed and memory of analyze as ratios against trace-cmd report, its start-up, and report
# and diff of long runs, in one run.
#
# Environment: BUILD and SRCDIR as for the tests; DMASCOPE the program (default $BUILD/dmascope);
# BENCH_EVENTS events of the generated trace (5000000), BENCH_RUNS runs of which the best counts
# (3), BENCH_PERF a perf.data of some 100 MB to take instead of a generated one, BENCH_DIR where
# traces and databases go (about 250 bytes an event are needed).
# Exit: 0 all targets met, 1 a target missed, 4 the bench itself could not run.
set -u
LC_ALL=C
: "${BUILD:=build}" "${SRCDIR:=.}"
dmascope=${DMASCOPE:-$BUILD/dmascope}
tracegen=$BUILD/tools/tracegen
nostats=$BUILD/tools/dmascope-nostats # dmascope, linked without its statistics
count_events=$BUILD/tools/count_events
events=${BENCH_EVENTS:-5000000}
runs=${BENCH_RUNS:-3}
work=$(mktemp -d -p "${BENCH_DIR:-$BUILD}" bench.XXXXXX) || exit 4
trap 'rm -rf "$work"' EXIT
missed=0
facts=""

fail() {
	echo "bench: $1" >&2
	exit 4
}

# fact KEY VALUE: for the closing line
fact() { facts="$facts $1=$2"; }

# calc EXPRESSION: floating point
calc() { awk "BEGIN { printf \"%.${2:-2}f\", $1 }"; }

# row WHAT TARGET MEASURED CONDITION: one line of the table; the condition says if it is met
row() {
	local verdict=-

	if [ -n "$4" ]; then
		verdict=ok
		if [ "$(calc "($4) ? 1 : 0" 0)" != 1 ]; then
			verdict=MISSED
			missed=1
		fi
	fi
	printf '%-54s %14s %16s  %s\n' "$1" "$2" "$3" "$verdict"
}

# run COMMAND...: its wall seconds into $wall, user and system seconds into $cpu
run() {
	local out

	TIMEFORMAT='%R %U %S'
	out=$({ time "$@" >/dev/null 2>"$work/stderr"; } 2>&1) ||
		fail "failed: $*: $(tail -n 1 "$work/stderr")"
	read -r wall user sys <<<"$out"
	cpu=$(calc "$user + $sys" 3)
}

# best KEY COMMAND...: keeps the fastest run in best_wall[KEY], its CPU time in best_cpu[KEY], the
# user's part of that in best_user[KEY]
declare -A best_wall best_cpu best_user
best() {
	local key=$1

	shift
	run "$@"
	if [ -z "${best_wall[$key]:-}" ] || [ "$(calc "$wall < ${best_wall[$key]}" 0)" = 1 ]; then
		best_wall[$key]=$wall
		best_cpu[$key]=$cpu
		best_user[$key]=$user
	fi
}

# peak COMMAND...: maximum resident set in KiB into $peak_kib
peak() {
	/usr/bin/time -o "$work/rss" -f %M "$@" >/dev/null 2>"$work/stderr" ||
		fail "failed: $*: $(tail -n 1 "$work/stderr")"
	peak_kib=$(tail -n 1 "$work/rss")
}

# generate FILE OPTIONS...: the generator's line goes to FILE.said
generate() {
	local file=$1

	shift
	"$tracegen" -o "$file" --cpus 4 --devices 8 "$@" >"$file.said" || fail "tracegen $*"
}

said() { tr ' ' '\n' <"$1.said" | sed -n "s/^$2=//p"; }

# every rule switched off
mapfile -t no_rules < <("$dmascope" rules | sed 's/^\([^ ]*\) .*/-W\nno-\1/')

# speed NAME FILE: the rivals take turns, so that each meets the same machine
speed() {
	local name=$1 file=$2 n i cost

	n=$("$count_events" "$file" | awk '/:/ { n += $2 } END { print n + 0 }')
	best_wall=() best_cpu=()
	cat "$file" >/dev/null # nobody pays for the disk
	for ((i = 0; i < runs; i++)); do
		best report trace-cmd report "$file"
		best iterate "$count_events" --iterate "$file"
		best analyze "$dmascope" analyze "$file"
		best one env DMASCOPE_THREADS=1 "$dmascope" analyze "$file"
		best norules "$dmascope" analyze "$file" "${no_rules[@]}"
		rm -f "$work/run.db"
		best store "$dmascope" analyze "$file" -o "$work/run.db"
	done
	echo
	echo "$name: $n records, $(($(stat -c %s "$file") / 1048576)) MiB; best of $runs"
	printf '%-54s %14s %16s  %s\n' what target measured verdict
	speed_row "$name" report "trace-cmd report" "$n" 0
	speed_row "$name" iterate "libtracecmd, ordered, nothing done" "$n" 0
	speed_row "$name" analyze "analyze" "$n" 30
	speed_row "$name" store "analyze -o run.db" "$n" 12
	row "analyze, 1 thread: wall s (CPU s)" - "${best_wall[one]} (${best_cpu[one]})" ""
	# T2 = T1 * (s + (1 - s) / 2)
	row "serial share, by Amdahl, per cent" - \
		"$(calc "100 * (2 * ${best_wall[analyze]} / (${best_wall[one]} + 0.0005) - 1)" 0)" ""
	fact "${name}_one_wall_s" "${best_wall[one]}"
	cost=$(calc "100 * (${best_wall[analyze]} / (${best_wall[norules]} + 0.0005) - 1)" 1)
	row "rules on: per cent more than all of them off" "< 15" "$cost" "$cost < 15"
	fact "${name}_rules_percent" "$cost"
	statistics "$name" "$file" "$n"
	row "run.db, bytes a record" - "$(calc "$(stat -c %s "$work/run.db") / $n" 1)" ""
	rm -f "$work/run.db"
}

# least A B: the smaller number; A may be empty
least() { awk -v a="$1" -v b="$2" 'BEGIN { print a == "" || b + 0 < a + 0 ? b : a }'; }

# instructions COMMAND...: into $count
instructions() {
	DMASCOPE_THREADS=1 valgrind --tool=callgrind --callgrind-out-file="$work/callgrind" "$@" \
		>/dev/null 2>"$work/stderr" || fail "valgrind $*: $(tail -n 1 "$work/stderr")"
	count=$(sed -n 's/^totals: //p' "$work/callgrind")
	[ "${count:-0}" -gt 0 ] || fail "valgrind counted no instructions"
}

# more_row NAME KEY WHAT ON OFF: per cent that statistics add
more_row() {
	local cost

	cost=$(calc "100 * ($4 / ($5 + 0.0005) - 1)" 1)
	row "statistics on: per cent more $3 than off" "< 10" "$cost" "$cost < 10"
	fact "$1_statistics_$2_percent" "$cost"
}

# statistics NAME FILE RECORDS: against the same program without them: the time it takes, CPU time on
# one thread, and instructions there, which nothing else that runs here can change. The first two
# differ by less than runs do, so there are three times as many, in turns, and more of a short trace:
# the least of nine runs of 65 ms said 1 per cent, and 14 the next time. Counting takes some 50 times as
# long: of a long trace the first part will do.
statistics() {
	local on="" off="" cpu_on="" cpu_off="" until i begin=$SECONDS

	for ((i = 0; i < 3 * runs || SECONDS - begin < 20; i++)); do
		run "$dmascope" analyze "$2"
		on=$(least "$on" "$wall")
		run "$nostats" analyze "$2"
		off=$(least "$off" "$wall")
		run env DMASCOPE_THREADS=1 "$dmascope" analyze "$2"
		cpu_on=$(least "$cpu_on" "$cpu")
		run env DMASCOPE_THREADS=1 "$nostats" analyze "$2"
		cpu_off=$(least "$cpu_off" "$cpu")
	done
	more_row "$1" wall "time" "$on" "$off"
	more_row "$1" cpu "CPU time" "$cpu_on" "$cpu_off"
	command -v valgrind >/dev/null || return 0
	until=$("$dmascope" analyze "$2" | awk -v n="$3" '/^span / {
		printf "%.6f", $(NF - 2) + ($NF - $(NF - 2)) * (n > 2000000 ? 300000 / n : 1) }')
	instructions "$dmascope" analyze "$2" --until "$until"
	on=$count
	instructions "$nostats" analyze "$2" --until "$until"
	more_row "$1" instructions instructions "$on" "$count"
}

# speed_row NAME KEY LABEL RECORDS TARGET: 0 is no target
speed_row() {
	local ratio

	ratio=$(calc "${best_wall[report]} / (${best_wall[$2]} + 0.0005)")
	row "$3: wall s (CPU s)" - "${best_wall[$2]} (${best_cpu[$2]})" ""
	fact "$1_$2_wall_s" "${best_wall[$2]}"
	fact "$1_$2_cpu_s" "${best_cpu[$2]}"
	[ "$2" = report ] && return
	row "$3: million records/s" - "$(calc "$4 / (${best_wall[$2]} + 0.0005) / 1e6")" ""
	if [ "$5" = 0 ]; then
		row "$3: times faster than report" - "$ratio" ""
	else
		row "$3: times faster than report" ">= $5" "$ratio" "$ratio >= $5"
	fi
	fact "$1_$2_ratio" "$ratio"
}

# A call stack behind every record: a third of the speed without is enough
stacks() {
	local n i ratio with without

	generate "$work/stacks.dat" --events "$((events / 5))" --stacks
	n=$(said "$work/stacks.dat" events)
	generate "$work/plain.dat" --events "$((events / 5))"
	best_wall=() best_cpu=()
	for ((i = 0; i < runs; i++)); do
		best with "$dmascope" analyze "$work/stacks.dat"
		best without "$dmascope" analyze "$work/plain.dat"
	done
	rm -f "$work/stacks.dat" "$work/plain.dat"
	echo
	echo "stacks in every record: $n events; best of $runs"
	printf '%-54s %14s %16s  %s\n' what target measured verdict
	with=$(calc "$n / (${best_wall[with]} + 0.0005) / 1e6")
	without=$(calc "$n / (${best_wall[without]} + 0.0005) / 1e6")
	row "analyze: million events/s, without stacks" - "$without" ""
	row "analyze: million events/s, with them" - "$with" ""
	ratio=$(calc "$with / $without")
	row "share of the speed that is left" ">= 0.33" "$ratio" "$ratio >= 0.33"
	fact stacks_ratio "$ratio"
}

# Empty, or why perf cannot be the rival with the perf.data FILE.
perf_cannot() {
	if ! command -v perf >/dev/null; then
		echo "perf is not installed"
	elif ! perf --version >/dev/null 2>&1; then
		# some distributions' perf looks for one made for the kernel that runs
		echo "perf does not run here: $(perf --version 2>&1 | head -n 1)"
	elif ! perf evlist -i "$1" >/dev/null 2>"$work/stderr"; then
		# an older perf refuses what a newer one wrote
		echo "this perf cannot read it: $(head -n 1 "$work/stderr")"
	fi
}

# shellcheck disable=SC2317 # called through best
perf_script() { perf script -i "$1" >/dev/null; }

# perf.data against perf script, which does for it what trace-cmd report does for trace.dat
perf_data() {
	local file=${BENCH_PERF:-} i n="" ratio why limit

	if [ -z "$file" ]; then
		file=$work/perf.data
		generate "$file" --perf --events "$((events / 8))" # perf script takes some 5 s for 600000
		n=", $(said "$file" records) records"
	fi
	why=$(perf_cannot "$file")
	echo
	if [ -n "$why" ]; then
		echo "perf.data: skipped, $why"
		fact perf skipped
		rm -f "$work/perf.data"
		return
	fi
	best_wall=() best_cpu=() best_user=()
	cat "$file" >/dev/null
	for ((i = 0; i < runs; i++)); do
		best report perf_script "$file"
		best analyze "$dmascope" analyze "$file"
	done
	echo "perf.data: $(($(stat -L -c %s "$file") / 1048576)) MiB$n; best of $runs"
	printf '%-54s %14s %16s  %s\n' what target measured verdict
	row "perf script >/dev/null: wall s (user s)" - "${best_wall[report]} (${best_user[report]})" ""
	row "analyze: wall s (user s)" - "${best_wall[analyze]} (${best_user[analyze]})" ""
	ratio=$(calc "${best_wall[report]} / (${best_wall[analyze]} + 0.0005)")
	row "analyze: times faster than perf script" ">= 8" "$ratio" "$ratio >= 8"
	fact perf_analyze_ratio "$ratio"
	ratio=$(calc "${best_user[report]} / (${best_user[analyze]} + 0.0005)")
	row "analyze: times less user time than perf script" - "$ratio" ""
	fact perf_analyze_user_ratio "$ratio"
	if [ -n "$n" ]; then
		peak "$dmascope" analyze "$file"
		limit=$(calc "64 * 1024 + 200 * $(said "$file" live) / 1024" 0)
		row "analyze: peak KiB (live $(said "$file" live))" "<= $limit" "$peak_kib" "$peak_kib <= $limit"
		fact perf_analyze_kib "$peak_kib"
	fi
	rm -f "$work/perf.data"
}

# what trace-cmd report prints, as a trace
text_dump() {
	local n i rate

	generate "$work/short.dat" --events "$((events / 10))"
	n=$("$count_events" "$work/short.dat" | awk '/:/ { n += $2 } END { print n + 0 }')
	trace-cmd report "$work/short.dat" >"$work/short.txt" 2>/dev/null || fail "trace-cmd report"
	rm -f "$work/short.dat"
	best_wall=() best_cpu=()
	for ((i = 0; i < runs; i++)); do
		best analyze "$dmascope" analyze "$work/short.txt"
	done
	echo
	echo "text: $n events, $(($(stat -c %s "$work/short.txt") / 1048576)) MiB; best of $runs"
	printf '%-54s %14s %16s  %s\n' what target measured verdict
	row "analyze: wall s (CPU s)" - "${best_wall[analyze]} (${best_cpu[analyze]})" ""
	rate=$(calc "$n / (${best_wall[analyze]} + 0.0005)" 0)
	row "analyze: events/s" ">= 300000" "$rate" "$rate >= 300000"
	fact text_events_per_s "$rate"
	rm -f "$work/short.txt"
}

# What a file costs that has next to nothing in it
start_up() {
	local small=$SRCDIR/tests/fixtures/lab-7.2-fault.dat i ms

	[ -r "$small" ] || fail "$small is missing"
	best_wall=() best_cpu=()
	for ((i = 0; i < 20; i++)); do
		best small "$dmascope" analyze "$small"
	done
	echo
	echo "start-up: a file of $(($(stat -c %s "$small") / 1024)) KiB; best of 20"
	printf '%-54s %14s %16s  %s\n' what target measured verdict
	ms=$(calc "1000 * ${best_wall[small]}" 0)
	row "analyze: wall ms" "< 15" "$ms" "$ms < 15"
	fact start_up_ms "$ms"
	ms=$(calc "1000 * ${best_cpu[small]}" 0)
	row "analyze: CPU ms of that run" - "$ms" ""
	fact start_up_cpu_ms "$ms"
}

# shellcheck disable=SC2317 # called through best and peak; the runs differ, which is no failure
differ() {
	"$dmascope" diff "$work/base.db" "$work/head.db"
	[ $? -le 1 ]
}

# database NAME OPTIONS...: the run NAME.db of a generated trace
database() {
	local name=$1

	shift
	generate "$work/run.dat" --devices 20 --events "$events" "$@"
	run "$dmascope" analyze -q "$work/run.dat" -o "$work/$name.db"
	rm -f "$work/run.dat"
}

# read_row KEY LABEL SECONDS: against a target in seconds
read_row() {
	row "$2: wall s" "< $3" "${best_wall[$1]}" "${best_wall[$1]} < $3"
	fact "$1_wall_s" "${best_wall[$1]}"
}

# Those who read databases: what a report and a comparison take
databases() {
	local i n form

	database base --seed 1
	database head --seed 2
	n=$("$dmascope" query "$work/base.db" "SELECT count(*) FROM mapping" | tail -n 1 | tr -d ' ')
	best_wall=() best_cpu=()
	cat "$work"/*.db >/dev/null
	for ((i = 0; i < runs; i++)); do
		best report_text "$dmascope" report "$work/base.db"
		best report_html "$dmascope" report "$work/base.db" --html "$work/page.html"
		best diff differ
	done
	echo
	echo "report and diff: runs of $n mappings, 20 devices; best of $runs"
	printf '%-54s %14s %16s  %s\n' what target measured verdict
	read_row report_text report 3
	read_row report_html "report --html" 3
	read_row diff diff 2
	for form in "" "--html $work/page.html"; do
		# shellcheck disable=SC2086 # two words, or none
		peak "$dmascope" report "$work/base.db" $form
		row "report${form:+ --html}: peak KiB" "<= 204800" "$peak_kib" "$peak_kib <= 204800"
		fact "report${form:+_html}_kib" "$peak_kib"
	done
	rm -f "$work/base.db" "$work/head.db" "$work/page.html"
}

declare -A peaks lives
# memory_pair LABEL FILE: peak of both forms against 64 MiB + 200 bytes per live mapping
memory_pair() {
	local live limit form

	live=$(said "$2" live)
	limit=$(calc "64 * 1024 + 200 * $live / 1024" 0)
	for form in analyze store; do
		rm -f "$work/run.db"
		if [ $form = analyze ]; then
			peak "$dmascope" analyze "$2"
		else
			peak "$dmascope" analyze "$2" -o "$work/run.db"
		fi
		row "$1, $form: peak KiB (live $live)" "<= $limit" "$peak_kib" \
			"$peak_kib <= $limit"
		fact "memory_$1_${form}_kib" "$peak_kib"
		peaks[$1_$form]=$peak_kib
	done
	lives[$1]=$live
	rm -f "$work/run.db"
}

memory() {
	local form growth each

	echo
	echo "memory: peak resident set"
	printf '%-54s %14s %16s  %s\n' what target measured verdict
	generate "$work/short.dat" --events "$((events / 10))"
	memory_pair short "$work/short.dat"
	rm -f "$work/short.dat"
	memory_pair long "$work/mixed.dat"
	rm -f "$work/mixed.dat"
	generate "$work/many.dat" --events "$events" --live $((events / 100))
	memory_pair many "$work/many.dat"
	rm -f "$work/many.dat"
	for form in analyze store; do
		growth=$(calc "${peaks[long_$form]} / ${peaks[short_$form]}")
		row "10 times as long, $form: times the memory" "<= 1.10" "$growth" "$growth <= 1.10"
		fact "memory_growth_$form" "$growth"
		growth=$((${peaks[many_$form]} - ${peaks[long_$form]}))
		each=$(calc "1024 * $growth / (${lives[many]} - ${lives[long]})" 1)
		row "$form: bytes per live mapping, lists among them" "-" "$each" ""
		fact "memory_per_live_${form}_bytes" "$each"
	done
}

big_recording() {
	local packed

	for packed in "$SRCDIR"/../shared/traces/big/*.zst; do break; done
	if [ ! -r "$packed" ]; then
		echo
		echo "recording: skipped, ../shared/traces/big/*.zst is not there"
		fact recording skipped
		return
	fi
	zstd -q -d -f -o "$work/recording.dat" "$packed" || fail "cannot unpack $packed"
	speed recording "$work/recording.dat"
	rm -f "$work/recording.dat"
}

[ "$events" -ge 100000 ] 2>/dev/null || fail "BENCH_EVENTS must be a number from 100000"
for tool in "$dmascope" "$nostats" "$tracegen" "$count_events" trace-cmd zstd /usr/bin/time; do
	command -v "$tool" >/dev/null || fail "$tool is missing"
done

echo "bench: $(nproc) CPUs, load $(cut -d' ' -f1 /proc/loadavg); ratios hold within this run only"
generate "$work/mixed.dat" --events "$events"
speed generated "$work/mixed.dat"
big_recording
start_up
stacks
perf_data
text_dump
memory
databases
echo
echo "bench:$facts events=$events missed=$missed"
exit $missed

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The scaling curves of analyze, as tables in docs/performance.md and as a plot beside it.
#
# Environment: BUILD and SRCDIR as for the tests; DMASCOPE the program (default $BUILD/dmascope);
# BENCH_RUNS runs of which the best counts (3); BENCH_LIVE_MAX the most live mappings (1000000;
# 10000000 takes 4 GiB of memory and 3 GiB of disk); BENCH_EVENTS events of most points (1000000);
# BENCH_DIR where traces go; BENCH_DOCS where performance.md is ($SRCDIR/docs).
# Exit: 0 written, 4 the bench could not run.
set -uo pipefail
LC_ALL=C
: "${BUILD:=build}" "${SRCDIR:=.}"
dmascope=${DMASCOPE:-$BUILD/dmascope}
tracegen=$BUILD/tools/tracegen
runs=${BENCH_RUNS:-3}
live_max=${BENCH_LIVE_MAX:-1000000}
events=${BENCH_EVENTS:-1000000}
docs=${BENCH_DOCS:-$SRCDIR/docs}
work=$(mktemp -d -p "${BENCH_DIR:-$BUILD}" report.XXXXXX) || exit 4
trap 'rm -rf "$work"' EXIT

fail() {
	echo "bench-report: $1" >&2
	exit 4
}

calc() { awk "BEGIN { printf \"%.${2:-2}f\", $1 }"; }
said() { tr ' ' '\n' <"$work/said" | sed -n "s/^$1=//p"; }

# once THREADS COMMAND...: one line "wall cpu KiB"
once() {
	local threads=$1

	shift
	DMASCOPE_THREADS=$threads /usr/bin/time -o "$work/time" -f '%e %U %S %M' "$@" \
		>"$work/stdout" 2>"$work/stderr" || fail "failed: $*: $(tail -n 1 "$work/stderr")"
	tail -n 1 "$work/time" | awk '{ print $1, $2 + $3, $4 }'
}

# best THREADS COMMAND...: least wall, least CPU, most memory, spread of wall in per cent
best() {
	local i

	for ((i = 0; i < runs; i++)); do
		once "$@"
	done | awk '
		NR == 1 { wall = slow = $1; cpu = $2 }
		$1 < wall { wall = $1 }
		$1 > slow { slow = $1 }
		$2 < cpu { cpu = $2 }
		$3 > kib { kib = $3 }
		END { print wall, cpu, kib, wall ? 100 * (slow / wall - 1) : 0 }'
}

# measure FILE RECORDS: sets the figures of one point, in ns a record and MiB
measure() {
	local one two store

	cat "$1" >/dev/null # nobody pays for the disk
	one=$(best 1 "$dmascope" analyze "$1") || exit 4
	two=$(best 2 "$dmascope" analyze "$1") || exit 4
	store=$(best 2 "$dmascope" analyze "$1" -o "$work/run.db") || exit 4
	read -r cpu_ns one_ns two_ns store_ns mib store_mib noise < <(
		echo "$one $two $store" | awk -v n="$2" '{
			each = 1e9 / n
			printf "%.0f %.0f %.0f %.0f %.1f %.1f %.0f\n", $2 * each, $1 * each,
				$5 * each, $9 * each, $7 / 1024, $11 / 1024, ($4 > $8 ? $4 : $8) }')
	db_bytes=$(stat -c %s "$work/run.db")
	[ "$noise" -le "$noisiest" ] || noisiest=$noise
	rm -f "$work/run.db"
}

# begin TITLE COLUMN: a table; its points are also those of a line in the plot
begin() {
	local key=${2// /-}

	data=$work/$key.data
	before=""
	printf '\n### %s\n\n' "$1"
	echo "| $2 | records | CPU ns, 1 thread | wall ns, 1 | wall ns, 2 |" \
		"with -o, 2 | MiB | MiB with -o | to the row before |"
	echo "|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
}

# point VALUE TRACEGEN-OPTIONS...: one row
point() {
	local value=$1 records ratio=""

	shift
	"$tracegen" -o "$work/trace.dat" "$@" >"$work/said" || fail "tracegen $*"
	records=$(said records)
	measure "$work/trace.dat" "$records"
	[ -z "$before" ] || ratio="$(calc "$cpu_ns / $before") times"
	before=$cpu_ns
	echo "| $value | $records | $cpu_ns | $one_ns | $two_ns | $store_ns | $mib | $store_mib |" \
		"$ratio |"
	echo "$value $cpu_ns" >>"$data"
	echo "bench-report: ${data##*/} $value: $cpu_ns ns a record" >&2
}

curves() {
	local n

	begin "Length of the trace" "events"
	for n in 1 10 50; do
		point $((events * n / 4)) --events $((events * n / 4)) --cpus 4 --devices 8
	done
	begin "Devices, 4,096 live mappings in all" "devices"
	for n in 1 8 64 512; do
		point $n --events "$events" --cpus 4 --devices $n --live $((4096 / n))
	done
	begin "Live mappings, of single pages, on 8 devices" "live mappings"
	for ((n = 1000; n <= live_max; n *= 10)); do
		point $n --events $((n * 3 > events ? n * 3 : events)) --cpus 4 --devices 8 \
			--live $((n / 8)) --mix page:1
	done
	begin "CPUs" "CPUs"
	for n in 1 4 32 128 512; do
		point $n --events "$events" --cpus $n --devices 8
	done
	begin "Distinct call stacks, one in every record" "stacks"
	for n in 100 10000 100000 1000000; do
		point $n --events $((n > events ? n : events)) --cpus 4 --devices 8 \
			--stacks --distinct $n
	done
}

# What nothing can beat: the bytes read once and the database's bytes written once.
limits() {
	local read write i one two db

	"$tracegen" -o "$work/trace.dat" --events $((events * 2)) --cpus 4 --devices 8 \
		>"$work/said" || fail "tracegen"
	measure "$work/trace.dat" "$(said records)"
	one=$one_ns two=$two_ns db=$db_bytes
	read=$(best 1 dd if="$work/trace.dat" of=/dev/null bs=256k) || exit 4
	head -c "$db" "$work/trace.dat" >"$work/bytes"
	write=$(best 1 dd if="$work/bytes" of="$work/copy" bs=256k) || exit 4
	rm -f "$work/bytes" "$work/copy"
	printf '\n### Limits\n\n| what | ns a record | analyze, times that |\n|---|---:|---:|\n'
	echo "$(said records) ${read%% *} ${write%% *}" | awk -v two="$two" -v store="$store_ns" '{
		r = 1e9 * ($2 > 0 ? $2 : 0.005) / $1
		w = 1e9 * ($3 > 0 ? $3 : 0.005) / $1
		printf "| reading the bytes of the trace once (dd from the page cache) | %.0f | %.1f |\n", r, two / r
		printf "| the same, and writing the bytes of run.db once | %.0f | %.1f with -o |\n", r + w, store / (r + w) }'
	printf '\nOne thread needs %s ns of wall time a record, two need %s: ' "$one" "$two"
	if [ "$noise" -gt 20 ]; then
		printf 'the runs differed by %s %%, which says nothing of a serial share.\n' "$noise"
	else
		printf 'by Amdahl a serial share of %s %%.\n' "$(calc "100 * (2 * $two / $one - 1)" 0)"
	fi
}

start_up() {
	local i small=$SRCDIR/tests/fixtures/lab-7.2-fault.dat

	[ -r "$small" ] || return
	for ((i = 0; i < 20; i++)); do
		TIMEFORMAT=%R
		{ time "$dmascope" analyze "$small" >/dev/null 2>&1; } 2>&1
	done | sort -n | awk -v kib=$(($(stat -c %s "$small") / 1024)) '
		NR == 1 { least = $1 }
		{ all[NR] = $1 }
		END { printf "\nStart-up: a file of %d KiB takes %.0f ms at best, %.0f ms in the middle of %d runs (target 15).\n", kib, 1000 * least, 1000 * all[int((NR + 1) / 2)], NR }'
}

plot() {
	command -v gnuplot >/dev/null || {
		echo "bench-report: gnuplot is missing: the plot stays as it was" >&2
		return
	}
	gnuplot <<-END || fail "gnuplot"
		set terminal svg size 860,420 font "sans-serif,13" background "white"
		set output "$docs/performance.svg"
		set logscale x
		set yrange [0:*]
		set key outside right
		set grid ytics lc rgb "#dddddd"
		set xlabel "how many"
		set ylabel "CPU ns a record, one thread"
		plot $(for file in "$work"/*.data; do
			name=${file##*/}
			printf '"%s" using 1:2 with linespoints lw 2 title "%s", ' "$file" \
				"$(echo "${name%.data}" | tr - ' ')"
		done | sed 's/, $//')
	END
}

for tool in "$dmascope" "$tracegen" /usr/bin/time awk; do
	command -v "$tool" >/dev/null || fail "$tool is missing"
done
[ -w "$docs/performance.md" ] || fail "$docs/performance.md is missing"
noisiest=0
load=$(cut -d' ' -f1 /proc/loadavg)
{
	curves
	limits
	start_up
	printf '\nMeasured with %s CPUs at a load of %s when it began; the best of %s runs. ' \
		"$(nproc)" "$load" "$runs"
	printf 'Runs of one point differed by up to %s %% in wall time.\n' "$noisiest"
} >"$work/body" || exit 4
plot
awk -v body="$work/body" '
	/<!-- bench-report begins/ { print; while ((getline line < body) > 0) print line; print ""; skip = 1 }
	/<!-- bench-report ends/ { skip = 0 }
	!skip' "$docs/performance.md" >"$work/performance.md" || fail "awk"
cp "$work/performance.md" "$docs/performance.md" || fail "cannot write $docs/performance.md"

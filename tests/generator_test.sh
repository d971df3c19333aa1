#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The trace generator's files: trace-cmd, libtracecmd and perf must see exactly what it says it wrote,
# and a perf.data is the trace.dat of the same seed in other clothes.
set -u
LC_ALL=C
export LC_ALL
: "${BUILD:?}" "${SRCDIR:?}" "${DMASCOPE:?}"
tracegen=$BUILD/tools/tracegen
count_events=$BUILD/tools/count_events
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - generator: $1"; }
not_ok() {
	echo "not ok - generator: $1: $2"
	failed=1
}

# value of KEY in the generator's line
value() { tr ' ' '\n' <"$work/said" | sed -n "s/^$1=//p"; }

# Events, dropped events, markers without a number, and the last time, as trace-cmd shows them.
# An empty answer is one that trace-cmd could not give.
report() {
	trace-cmd report -t "$1" 2>/dev/null | awk '
		match($0, /\] +[0-9]+\.[0-9]+: [a-z_]+:/) {
			n++
			split(substr($0, RSTART + 1), part, /[ :]+/)
			last = part[2]
			sub(/\./, "", last)
		}
		/EVENTS DROPPED\]$/ {
			if (match($0, /\[[0-9]+ EVENTS/))
				lost += substr($0, RSTART + 1)
			else
				unknown++
		}
		END { printf "%d %d %d %s\n", n, lost, unknown, last }'
}

# shape NAME OPTIONS...: write, count in two independent ways, compare
shape() {
	local name=$1 want got
	shift
	if ! "$tracegen" -o "$work/t.dat" --events 20000 "$@" >"$work/said"; then
		not_ok "$name" "tracegen failed"
		return
	fi
	tr ' ' '\n' <"$work/said" | grep -E '^lost|:' | tr '=' ' ' | LC_ALL=C sort >"$work/want"
	"$count_events" "$work/t.dat" 2>&1 | LC_ALL=C sort >"$work/got"
	if ! got=$(diff "$work/want" "$work/got"); then
		not_ok "$name" "count_events disagrees: $(echo "$got" | tr '\n' ' ' | cut -c1-200)"
		return
	fi
	want="$(value records) $(value lost) $(value lost_unknown) $(value last_ns)"
	got=$(report "$work/t.dat")
	if [ "$want" != "$got" ]; then
		not_ok "$name" "trace-cmd report shows '$got', written '$want'"
		return
	fi
	ok "$name ($(value records) records)"
}

# expect NAME CONDITION: an arithmetic condition on the last file
expect() {
	if (($2)); then ok "$1"; else not_ok "$1" "not so: $2"; fi
}

shape "version 6"
shape "version 6, 1 CPU, 1 device" --cpus 1 --devices 1
shape "version 6, 64 CPUs, long pauses" --cpus 64 --events 50000
shape "version 6, 512 CPUs, 512 devices" --cpus 512 --devices 512 --live 16
shape "version 7" --file-version 7
shape "version 7 zstd" --file-version 7 --compression zstd
shape "version 7 zstd, 64 CPUs, stacks" --file-version 7 --compression zstd --cpus 64 --stacks
shape "big-endian" --big-endian
shape "big-endian version 7 zstd" --big-endian --file-version 7 --compression zstd
shape "stacks" --stacks
expect "every event has its stack" "$(value ftrace:kernel_stack) == $(value events)"
shape "syncs" --syncs
expect "syncs are there" "$(value dma:dma_sync_single_for_cpu) > 100"
shape "16 KiB pages" --page-size 16384
shape "kernel 6.12" --kernel 6.12 --syncs
expect "6.12 has resource events" "$(value dma:dma_map_resource) > 0"
shape "IOMMU events, reordered unmaps" --mode iommu --iommu-events --reorder 0.1
expect "IOMMU events are there" "$(value iommu:map) > 100 && $(value iommu:unmap) > 100"
shape "discarded records" --discard 0.2
shape "pauses beyond a time delta" --gap 100000000 --events 5000
shape "lost pages" --lost 0.2 --events 300000
expect "events were lost" "$(value lost) > 1000"
expect "some markers have no number" "$(value lost_unknown) > 0"
shape "lost pages, big-endian zstd" --lost 0.2 --big-endian --file-version 7 --compression zstd
shape "long lists" --mix sg:1 --mode direct
shape "leaks only at the end" --leak 17 --drain
expect "17 mappings live" "$(value live) == 17 && $(value maps) - $(value unmaps) == 17"
shape "failed maps" --fail 0.2
expect "failures are no mappings" "$(value failed) > 100 && $(value live) == $(value maps) - $(value unmaps)"

"$tracegen" -o "$work/a.dat" --seed 5 >/dev/null
"$tracegen" -o "$work/b.dat" --seed 5 >/dev/null
"$tracegen" -o "$work/c.dat" --seed 6 >/dev/null
if cmp -s "$work/a.dat" "$work/b.dat"; then ok "same seed, same bytes"; else not_ok "same seed, same bytes" "differ"; fi
if cmp -s "$work/a.dat" "$work/c.dat"; then not_ok "other seed, other bytes" "the same"; else ok "other seed, other bytes"; fi

"$tracegen" -o "$work/x.dat" --cpus 513 2>/dev/null
status=$?
expect "513 CPUs are refused" "$status == 2"

# ---- perf.data -------------------------------------------------------------------------------------

why_not=""
command -v perf >/dev/null || why_not="perf is not installed"
# some distributions' perf looks for one made for the kernel that runs, and gives up
[ -n "$why_not" ] || perf --version >/dev/null 2>&1 ||
	why_not="perf does not run here: $(perf --version 2>&1 | head -n 1)"

# Events in time order, counted by name; then "disorder" if time ever goes back.
heard() {
	perf script -i "$1" 2>/dev/null | awk '
		match($0, / [0-9]+\.[0-9]+: +[a-z]+:[a-z_]+: /) {
			split(substr($0, RSTART, RLENGTH), part, / +/)
			if (part[2] + 0 < last)
				disorder++
			last = part[2] + 0
			sub(/:$/, "", part[3])
			n[part[3]]++
		}
		END {
			for (name in n)
				print name, n[name]
			if (disorder)
				print "disorder", disorder
		}' | sort
}

# What analyze makes of FILE, but for lines on the file itself.
understood() {
	rm -f "$work/run.db"
	"$DMASCOPE" analyze "$1" -o "$work/run.db" --quiet >/dev/null 2>"$work/err"
	[ $? -le 1 ] || return 1
	sqlite3 "$work/run.db" .dump |
		grep -vE "INTO input_file |INTO run VALUES\('(recorder|uname)'," | sort
}

# twins NAME OPTIONS...: perf script counts what was written, analyze sees the trace.dat's twin
twins() {
	local name="perf.data, $1" got
	shift
	if ! "$tracegen" --perf -o "$work/t.data" --events 20000 "$@" >"$work/said" ||
		! "$tracegen" -o "$work/t.dat" --events 20000 "$@" >"$work/said.dat"; then
		not_ok "$name" "tracegen failed"
		return
	fi
	cmp -s "$work/said" "$work/said.dat" || not_ok "$name" "the trace.dat holds something else"
	tr ' ' '\n' <"$work/said" | grep : | tr '=' ' ' | sort >"$work/want"
	if [ -n "$why_not" ]; then
		echo "skip - generator: $name: perf script: $why_not"
	elif ! got=$(diff "$work/want" <(heard "$work/t.data")); then
		not_ok "$name" "perf script disagrees: $(echo "$got" | tr '\n' ' ' | cut -c1-200)"
	else
		ok "$name: perf script prints $(value records) events"
	fi
	if ! command -v sqlite3 >/dev/null; then
		echo "skip - generator: $name: analyze: sqlite3 is not installed"
	elif ! understood "$work/t.dat" >"$work/want" || ! understood "$work/t.data" >"$work/got"; then
		not_ok "$name" "analyze: $(head -n 1 "$work/err")"
	elif [ "$(grep -c 'INTO mapping VALUES' "$work/got")" -lt 1000 ]; then
		not_ok "$name" "analyze sees $(grep -c 'INTO mapping VALUES' "$work/got") mappings"
	elif ! got=$(diff "$work/want" "$work/got"); then
		not_ok "$name" "analyze: not the trace.dat's: $(echo "$got" | sed -n 2,3p | cut -c1-200)"
	else
		ok "$name: analyze sees what it sees in the trace.dat ($(
			grep -c 'INTO finding VALUES' "$work/got") findings)"
	fi
}

twins "4 CPUs"
twins "64 CPUs" --cpus 64 --events 50000
twins "big-endian, syncs" --big-endian --syncs
twins "6.12, leaks" --kernel 6.12 --leak 17 --drain
twins "IOMMU events, reordered unmaps" --mode iommu --iommu-events --reorder 0.1
twins "failed maps" --fail 0.2
"$tracegen" --perf -o "$work/x.data" --stacks 2>/dev/null
status=$?
expect "stacks in a perf.data are refused" "$status == 2"
exit $failed

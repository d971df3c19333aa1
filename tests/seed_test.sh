#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Traces with dma-debug's list of what was mapped before them: correct code stays without alarms,
# calls that fit nothing become mistakes, and what lives at the end is what dma-debug says lives.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${SRCDIR:?}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - seed: $1"; }
not_ok() {
	echo "not ok - seed: $1: $2"
	failed=1
}

if ! command -v sqlite3 >/dev/null; then
	echo "skip - seed: sqlite3 is not installed"
	exit 0
fi

# analyze TRACE DUMP: into $work/run.db; the dump may be a pipe
analyze() {
	rm -f "$work/run.db"
	"$DMASCOPE" analyze "$1" --dump-seed "$2" -o "$work/run.db" --quiet >"$work/out" 2>"$work/err"
}

sql() { sqlite3 -separator ' ' "$work/run.db" "$1"; }

alarms() {
	sql "SELECT rule || ' ' || device || ' ' || confidence FROM findings
		WHERE severity IN ('error', 'warning')" | head -3 | tr '\n' ';'
}

# ---- a recording of the fixtures and a dump written by hand
fixture=$SRCDIR/tests/fixtures/armhf-7.2-mid.dat
line() { # DRIVER DEVICE TYPE PHYS DMA SIZE DIR
	printf '%s %s %s idx 1 P=0x%016x D=%x L=%x cln=0x0 %s dma map error checked\n' "$@"
}
if [ -f "$fixture" ]; then
	rm -f "$work/run.db"
	"$DMASCOPE" analyze "$fixture" -o "$work/run.db" --quiet >/dev/null 2>&1
	before=$(sql "SELECT count(*) FROM mapping")
	pre=$(sql "SELECT count(*) FROM mapping WHERE end = 'pre-trace'")
	line absent never:1 coherent 0x1000 0x1000 4096 DMA_BIDIRECTIONAL >"$work/dump"
	if ! analyze "$fixture" "$work/dump"; then
		not_ok "a device of the dump only" "$(head -1 "$work/err")"
	elif [ "$(sql "SELECT m.end, m.map_ns IS NULL, m.size_bytes, m.direction FROM mapping AS m
			JOIN device AS d ON d.id = m.device_id WHERE d.name = 'never:1'")" != \
		"live 1 4096 BIDIRECTIONAL" ]; then
		not_ok "a device of the dump only" "$(sql "SELECT * FROM mapping WHERE map_ns IS NULL")"
	elif [ "$(sql "SELECT count(*) FROM mapping")" != $((before + 1)) ] ||
		[ "$(sql "SELECT count(*) FROM mapping WHERE end = 'pre-trace'")" != "$pre" ]; then
		not_ok "a device of the dump only" "other rows changed"
	else
		ok "a device of the dump only"
	fi
	# one of the calls whose map the trace lacks, as a line of the dump
	"$DMASCOPE" analyze "$fixture" -o "$work/run.db" --quiet >/dev/null 2>&1
	read -r device dma size dir <<-EOF
		$(sql "SELECT d.name, m.dma_addr, m.size_bytes, 'DMA_' || m.direction FROM mapping AS m
			JOIN device AS d ON d.id = m.device_id WHERE m.end = 'pre-trace' AND
			m.kind = 'page' AND m.dma_addr > 0 ORDER BY m.id LIMIT 1")
	EOF
	line drv "${device:-}" single "${dma:-0}" "${dma:-0}" "${size:-0}" "${dir:-}" >"$work/dump"
	if ! analyze "$fixture" "$work/dump"; then
		not_ok "a call is paired with the dump" "$(head -1 "$work/err")"
	elif [ "$(sql "SELECT m.end, m.map_ns IS NULL, m.unmap_ns IS NULL FROM mapping AS m
			JOIN device AS d ON d.id = m.device_id WHERE d.name = '$device' AND
			m.dma_addr = $dma ORDER BY m.id LIMIT 1")" != "unmapped 1 0" ] ||
		[ "$(sql "SELECT count(*) FROM mapping")" != "$before" ] ||
		[ "$(sql "SELECT count(*) FROM mapping WHERE end = 'pre-trace'")" != $((pre - 1)) ]; then
		not_ok "a call is paired with the dump" "$(cat "$work/dump")"
	else
		ok "a call is paired with the dump"
	fi
	echo "no dump" >"$work/dump"
	analyze "$fixture" "$work/dump"
	if [ $? -ne 3 ] || ! grep -q "line 1 is none of a dma-api dump" "$work/err"; then
		not_ok "a file that is no dump" "$(head -1 "$work/err")"
	else
		ok "a file that is no dump"
	fi
else
	not_ok "fixture" "$fixture is missing"
fi

# ---- healthy drivers and dumps that were made too early
# stale FIXTURE SQL: rows of (device, type, dma, size, direction) that the dump has
stale() {
	fixture=$SRCDIR/tests/fixtures/$1.dat
	rm -f "$work/run.db"
	"$DMASCOPE" analyze "$fixture" -o "$work/run.db" --quiet >/dev/null 2>&1
	sql "WITH unmapped AS (SELECT d.name, m.* FROM mapping AS m JOIN device AS d
			ON d.id = m.device_id WHERE m.end = 'pre-trace' AND m.kind = 'page')
		$2" | while read -r device type dma size dir; do
		line drv "$device" "$type" "$dma" "$dma" "$size" "$dir"
	done >"$work/dump"
	if [ ! -s "$work/dump" ] || ! analyze "$fixture" "$work/dump"; then
		not_ok "$3: $1" "$(head -1 "$work/err")"
	elif [ -n "$(alarms)" ]; then
		not_ok "$3: $1" "$(alarms)"
	else
		ok "$3: $1"
	fi
}
for name in stock-6.12-zoo stock-6.12-instance-v7 stock-7.2-swiotlb-bind stock-7.2-tsc armhf-7.2-mid; do
	stale "$name" "SELECT name, 'single', dma_addr, size_bytes, 'DMA_' || direction
		FROM unmapped WHERE id % 2" "half of a ring is of another time"
	stale "$name" "SELECT name, 'single', dma_addr, size_bytes + 64, 'DMA_TO_DEVICE'
		FROM unmapped WHERE id % 2" "other buffers were there"
	stale "$name" "SELECT DISTINCT name, 'coherent', 0x7ffff000, 4096, 'DMA_BIDIRECTIONAL'
		FROM unmapped" "the device was idle"
	stale "$name" "SELECT 'other', 'coherent', 0x7ffff000, 4096, 'DMA_BIDIRECTIONAL'
		FROM unmapped LIMIT 1" "the driver was not loaded"
done

oracle=$SRCDIR/../shared/traces/oracle
if [ ! -d "$oracle" ]; then
	echo "skip - seed: no ../shared/traces/oracle here"
	exit $failed
fi

# a device that only the dump knows lived before the trace, which tells no such time
if analyze "$oracle/leak_unbind/trace.dat" "$oracle/leak_unbind/dump-before.txt"; then
	early=$(sql "SELECT count(*) FROM device, (SELECT CAST(value AS INTEGER) AS ns FROM run WHERE key = 'first_ns')
			WHERE first_ns < ns OR last_ns < ns
		UNION ALL SELECT count(*) FROM device_counter, (SELECT CAST(value AS INTEGER) AS ns FROM run WHERE key = 'first_ns')
			WHERE unit = 'ns' AND name LIKE 'peak%' AND value < ns" | tr '\n' ' ')
	if [ "$early" = '0 0 ' ]; then ok "no time before the trace"; else not_ok "no time before the trace" "$early"; fi
	if "$DMASCOPE" analyze "$oracle/leak_unbind/trace.dat" "$oracle/leak_unbind/dump-before.txt" |
		grep -q ' 0\.000000000$'; then not_ok "no time before the trace" "the summary tells one"; fi
fi

# what lives, one a line: DEVICE DMA SIZE
live_by_us() {
	sql "SELECT d.name, m.dma_addr, m.size_bytes FROM mapping AS m
		JOIN device AS d ON d.id = m.device_id WHERE m.end = 'live' AND m.kind <> 'sg'
		UNION ALL SELECT d.name, m.dma_addr, m.size_bytes FROM mapping AS m
		JOIN device AS d ON d.id = m.device_id WHERE m.end = 'live' AND m.kind = 'sg'
			AND m.segments = 1" | sort
}
live_by_debug() {
	sed -n 's/^.* \([^ ]*\) \([^ ]*\) idx [0-9]* P=[0-9a-fx]* D=\([0-9a-f]*\) L=\([0-9a-f]*\) .*/\1 \3 \4/p' \
		"$1" | while read -r device dma size; do
		echo "$device $((0x$dma)) $((0x$size))"
	done | sort
}

seen=0 same=0 alarmed=0 other=
for trace in "$oracle"/ctl_*/*.dat "$oracle"/real_*/*.dat; do
	case=${trace%/*} case=${case##*/}
	variant=${trace##*/trace} variant=${variant%.dat}
	dump=${trace%/*}/dump-before$variant.txt
	[ -f "$dump" ] || continue
	if ! analyze "$trace" "$dump"; then
		grep -q 'it has no events at all' "$work/err" ||
			not_ok "$case$variant" "$(head -1 "$work/err")"
		continue
	fi
	seen=$((seen + 1))
	alarms=$(alarms)
	if [ -n "$alarms" ]; then
		alarmed=$((alarmed + 1))
		not_ok "correct code: $case$variant" "$alarms"
	fi
	live_by_us >"$work/ours"
	live_by_debug "${trace%/*}/dump-after$variant.txt" >"$work/debug"
	if cmp -s "$work/ours" "$work/debug"; then
		same=$((same + 1))
	else
		other="$other $case$variant"
	fi
done
[ "$seen" -gt 0 ] || not_ok "correct code" "no recording with a dump"
[ "$alarmed" -gt 0 ] || ok "correct code: no alarm in $seen recordings"
if [ -z "$other" ]; then
	ok "live at the end: dma-debug's list in all $seen recordings"
else
	not_ok "live at the end" "not dma-debug's list in$other"
fi

# CASE RULE: the dump shows that it was not mapped
is_mistake() {
	if ! analyze "$oracle/$1/trace.dat" "$oracle/$1/dump-before.txt"; then
		not_ok "$1" "$(head -1 "$work/err")"
	elif [ "$(sql "SELECT count(*) FROM finding WHERE rule = '$2' AND severity = 'error'
			AND confidence <> 'possible'")" != 1 ]; then
		not_ok "$1" "no $2: $(sql 'SELECT rule, severity, confidence FROM finding' | tr '\n' ';')"
	else
		ok "$1 is $2"
	fi
}
is_mistake sync_unmapped sync-not-mapped
is_mistake unmap_never_mapped unmap-not-mapped
exit $failed

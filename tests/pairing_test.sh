#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Pairing on whole recordings: every map and unmap event is in exactly one row, correct code leaves
# nothing behind, and what is live at the end is what dma-debug says is live.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${BUILD:?}" "${SRCDIR:?}"
tracegen=$BUILD/tools/tracegen
shared=$SRCDIR/../shared/traces
oracle=$shared/oracle
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - pairing: $1"; }
not_ok() {
	echo "not ok - pairing: $1: $2"
	failed=1
}

if ! command -v sqlite3 >/dev/null; then
	echo "skip - pairing: sqlite3 is not installed"
	exit 0
fi
# Under sanitizers all is ten times slower: every fourth file must do.
step=1
if grep -q __asan_init "$DMASCOPE"; then step=4; fi

# analyze FILE: into $work/run.db. 1: it says there are no events; 2: it failed
analyze() {
	"$DMASCOPE" analyze "$1" -o "$work/run.db" --quiet >/dev/null 2>"$work/err" && return 0
	grep -q 'it has no events at all' "$work/err" && return 1
	return 2
}

sql() { sqlite3 -separator ' ' "$work/run.db" "$1" 2>&1; }

# What must hold in any database: one line for each thing that does not.
# Unmaps may be fewer than rows say only by frees of NULL; a malformed record is in no row.
broken_invariants() {
	sql "CREATE TEMP VIEW n AS SELECT
		(SELECT coalesce(sum(records), 0) FROM tracepoint WHERE system = 'dma' AND (name IN
			('dma_map_page', 'dma_map_phys', 'dma_map_resource', 'dma_map_sg',
			'dma_map_sg_err', 'dma_alloc', 'dma_alloc_pages', 'dma_alloc_sgt',
			'dma_alloc_sgt_err'))) AS maps,
		(SELECT coalesce(sum(records), 0) FROM tracepoint WHERE system = 'dma' AND
			(name LIKE 'dma_unmap%' OR name LIKE 'dma_free%')) AS unmaps,
		(SELECT coalesce(sum(value), 0) FROM device_counter WHERE name = 'dma_map_errors')
			AS failures,
		(SELECT coalesce(sum(value), 0) FROM device_counter WHERE name = 'null_frees')
			AS nulls,
		(SELECT count(*) FROM mapping WHERE map_ns IS NOT NULL) AS map_rows,
		(SELECT count(*) FROM mapping WHERE unmap_ns IS NOT NULL) AS unmap_rows;
	SELECT 'malformed records' FROM tracepoint WHERE malformed > 0 OR reason IS NOT NULL;
	SELECT maps || ' map events, ' || map_rows || ' rows, ' || failures || ' failed' FROM n
		WHERE maps <> map_rows + failures;
	SELECT unmaps || ' unmap events, ' || unmap_rows || ' rows, ' || nulls || ' of NULL' FROM n
		WHERE unmaps <> unmap_rows + nulls;
	SELECT 'one map in ' || count(*) || ' rows: ' || min(id) FROM mapping
		WHERE map_ns IS NOT NULL
		GROUP BY device_id, map_ns, map_cpu, dma_addr, kind, size_bytes HAVING count(*) > 1;
	SELECT 'one unmap in ' || count(*) || ' rows: ' || min(id) FROM mapping
		WHERE unmap_ns IS NOT NULL
		GROUP BY device_id, unmap_ns, unmap_cpu, dma_addr, phys_addr HAVING count(*) > 1;
	SELECT 'unmapped before it was mapped: ' || id FROM mapping WHERE unmap_ns < map_ns;
	SELECT 'ends ' || end || ' and has unmap_ns ' || quote(unmap_ns) || ': ' || id FROM mapping
		WHERE (unmap_ns IS NULL) <> (end IN ('live', 'lost', 'elided', 'unbound'));
	SELECT 'ends ' || end || ' and has map_ns ' || quote(map_ns) || ': ' || id FROM mapping
		WHERE (map_ns IS NULL) <> (end IN ('pre-trace', 'unmatched'));
	SELECT 'live is ' || value || ', counted ' || (SELECT count(*) FROM mapping AS m
		WHERE m.device_id = c.device_id AND end = 'live') FROM device_counter AS c
		WHERE name = 'live_at_end' AND value <> (SELECT count(*) FROM mapping AS m
		WHERE m.device_id = c.device_id AND end = 'live');" | head -3 | tr '\n' ';'
}

# invariants NAME AT-LEAST STEP FILE...
invariants() {
	local name=$1 least=$2 every=$3 number=0 seen=0 bad=0 broken file
	shift 3
	for file in "$@"; do
		number=$((number + 1))
		[ $((number % every)) -eq 0 ] || continue
		analyze "$file"
		case $? in
		0) broken=$(broken_invariants) ;;
		1) continue ;;
		*) broken=$(head -1 "$work/err") ;;
		esac
		seen=$((seen + 1))
		[ -z "$broken" ] && continue
		not_ok "$name: ${file#"$shared/"}" "$broken"
		bad=1
	done
	[ $bad -eq 1 ] && return
	if [ $seen -ge $((least / every)) ]; then
		ok "$name hold ($seen files)"
	else
		not_ok "$name" "only $seen files"
	fi
}

# ends: how the lives ended, as "unmapped 7, live 2"
ends() { sql "SELECT end, count(*) FROM mapping GROUP BY end ORDER BY end" | paste -sd, | sed 's/,/, /g'; }

expect_ends() {
	local got
	analyze "$2" || not_ok "$1" "$(head -1 "$work/err")"
	got=$(ends)
	if [ "$got" = "$3" ]; then ok "$1"; else not_ok "$1" "'$got', not '$3'"; fi
}

# ---- what the generator wrote, from seeds: a healthy driver
# value of KEY in the generator's line
value() { tr ' ' '\n' <"$work/said" | sed -n "s/^$1=//p"; }

generated() {
	local name="generated: $*" got want broken
	if ! "$tracegen" -o "$work/t.dat" --events 20000 "$@" >"$work/said"; then
		not_ok "$name" "tracegen failed"
		return
	fi
	analyze "$work/t.dat" || not_ok "$name" "$(head -1 "$work/err")"
	want="$(value maps) $(value unmaps) $(value live) $(value failed) 0"
	got=$(sql "SELECT count(map_ns), count(unmap_ns), coalesce(sum(end = 'live'), 0),
		(SELECT sum(value) FROM device_counter WHERE name = 'dma_map_errors'),
		coalesce(sum(end NOT IN ('live', 'unmapped')), 0) FROM mapping")
	broken=$(broken_invariants)
	if [ "$got" != "$want" ]; then
		not_ok "$name" "maps, unmaps, live, failed, others: '$got', not '$want'"
	elif [ -n "$broken" ]; then
		not_ok "$name" "$broken"
	else
		ok "$name ($(value live) live)"
	fi
}

generated --seed 1
generated --seed 2 --drain
generated --seed 3 --leak 13 --drain
generated --seed 4 --mode direct --drain --duplicate 0.1
generated --seed 5 --mode iommu --drain --iommu-events
generated --seed 6 --mode iommu --reorder 0.2 --drain
generated --seed 7 --reorder 0.1 --leak 3 --drain --cpus 16
generated --seed 8 --stacks --syncs --drain
generated --seed 9 --kernel 6.12 --fail 0.1 --drain
generated --seed 10 --mix sg:1 --drain
generated --seed 11 --big-endian --file-version 7 --compression zstd --leak 1
generated --seed 12 --devices 200 --live 8 --drain

# ---- durations, counted again from what trace-cmd prints
# Matches by address, last in first out; one device, no lists, no reuse: what awk can do.
durations() {
	trace-cmd report -t "$1" 2>/dev/null | awk '
		function field(name) { match($0, name "=[^ ]+"); return substr($0, RSTART + length(name) + 1,
			RLENGTH - length(name) - 1) }
		{ match($0, /\] +[0-9]+\.[0-9]+:/); time = substr($0, RSTART + 1, RLENGTH - 2)
		  gsub(/[ .]/, "", time) }
		/ dma_map_(page|phys): / { d = $0; sub(/.*dma_map_(page|phys): +/, "", d); sub(/ .*/, "", d)
			start[d, field("dma_addr")] = time }
		/ dma_unmap_(page|phys): / { d = $0; sub(/.*dma_unmap_(page|phys): +/, "", d); sub(/ .*/, "", d)
			key = d SUBSEP field("dma_addr")
			if (key in start) { printf "%s 0x%s %d\n", d, field("dma_addr"), time - start[key]
				delete start[key] } }' | sort
}

for file in stock-6.12-rmmod armhf-7.2-mid; do
	if ! command -v trace-cmd >/dev/null; then
		echo "skip - pairing: durations of $file: no trace-cmd"
		continue
	fi
	analyze "$SRCDIR/tests/fixtures/$file.dat"
	durations "$SRCDIR/tests/fixtures/$file.dat" >"$work/want"
	sql "SELECT device, dma_addr, lifetime_ns FROM mappings WHERE kind = 'page' AND
		end = 'unmapped'" | sort >"$work/got"
	if [ "$(wc -l <"$work/want")" -lt 20 ]; then
		not_ok "durations of $file" "awk found $(wc -l <"$work/want")"
	elif difference=$(diff "$work/want" "$work/got"); then
		ok "durations of $file ($(wc -l <"$work/got"))"
	else
		not_ok "durations of $file" "$(echo "$difference" | head -3 | tr '\n' ';')"
	fi
done

# ---- the fixtures
invariants "invariants of fixtures" 12 1 "$SRCDIR"/tests/fixtures/*.dat
expect_ends "legal reuse before the unmap's event" "$SRCDIR/tests/fixtures/oracle-ctl_irq_reuse.iommu.dat" \
	'unmapped 1646'
expect_ends "a list" "$SRCDIR/tests/fixtures/oracle-ctl_sg.iommu.dat" 'unmapped 1'
expect_ends "an unmap of another size" "$SRCDIR/tests/fixtures/oracle-unmap_size_small.dat" 'unmapped 1'
expect_ends "a failed allocation" "$SRCDIR/tests/fixtures/oracle-ctl_fail_coherent.dat" ''

# ---- the recordings
if [ ! -d "$shared" ]; then
	echo "skip - pairing: recordings: no ../shared/traces here"
	exit $failed
fi
invariants "invariants of stock recordings" 20 "$step" "$shared"/stock/*/*/*.dat
invariants "invariants of other architectures" 10 "$step" "$shared"/arch/*/*/*.dat
invariants "invariants of broken drivers" 80 "$step" \
	"$oracle"/[!c]*/*.dat "$oracle"/coherent*/*.dat
# 9802 + 19 were mapped in it, and their NICs went down before its end
expect_ends "whole lives on arm64" "$shared/arch/arm64-7.2/zoo-life/life.dat" \
	'pre-trace 4080, unmapped 9821'

# left_by_design CASE: what correct code leaves behind, and may
left_by_design() {
	case $1 in
	ctl_longlived) echo 'live certain 2' ;;
	ctl_prerecord) echo 'pre-trace possible 3' ;;
	ctl_sg_600) echo 'live possible 1' ;; # its unmap is too large for the ring buffer
	esac
}

bad=0 seen=0
for file in "$oracle"/ctl_*/*.dat; do
	seen=$((seen + 1))
	[ $((seen % step)) -eq 0 ] || continue
	name=${file%/*}
	analyze "$file"
	case $? in
	0) ;;
	1) continue ;;
	*) not_ok "$name" "$(head -1 "$work/err")" ;;
	esac
	got=$(sql "SELECT end, confidence, count(*) FROM mapping WHERE end <> 'unmapped' GROUP BY 1, 2")
	[ "$got" = "$(left_by_design "${name##*/}")" ] && broken=$(broken_invariants) &&
		[ -z "$broken" ] && continue
	not_ok "correct code: ${file#"$oracle/"}" "left over: '$got' ${broken-}"
	bad=1
done
[ $seen -ge 60 ] || { not_ok "correct code" "only $seen recordings" && bad=1; }
[ $bad -eq 0 ] && ok "correct code leaves nothing behind ($seen recordings)"

# ---- dma-debug's own list of what is live, but for lists, of which it keeps each entry by itself
# live_by_dma_debug BEFORE AFTER: "device 0xaddress size" of what came to be
live_by_dma_debug() {
	for dump in "$1" "$2"; do
		awk '$3 != "scatter-gather" { split($7, d, "="); split($8, l, "=")
			print $2, "0x" d[2], l[2] }' "$dump" | sort >"$dump_dir/${dump##*/}"
	done
	comm -13 "$dump_dir/${1##*/}" "$dump_dir/${2##*/}"
}

dump_dir=$work/dumps
mkdir "$dump_dir"
bad=0 seen=0 alive=0
for file in "$oracle"/ctl_*/*.dat "$oracle"/stress_s*/*.dat "$oracle"/leak*/*.dat; do
	[ -f "$file" ] || continue
	seen=$((seen + 1))
	[ $((seen % step)) -eq 0 ] || continue
	variant=${file##*/trace}
	variant=${variant%.dat}
	before=${file%/*}/dump-before$variant.txt
	after=${file%/*}/dump-after$variant.txt
	[ -f "$before" ] || continue
	[ -f "$after" ] || continue
	analyze "$file" || continue
	live_by_dma_debug "$before" "$after" >"$work/want"
	sql "SELECT device, dma_addr, printf('%x', size_bytes) FROM mappings
		WHERE end = 'live' AND kind <> 'sg'" | sort >"$work/got"
	alive=$((alive + $(wc -l <"$work/want")))
	difference=$(diff "$work/want" "$work/got") && continue
	not_ok "live as dma-debug says: ${file#"$oracle/"}" "$(echo "$difference" | head -3 | tr '\n' ';')"
	bad=1
done
if [ $bad -eq 0 ] && [ $alive -ge $((12 / step)) ]; then
	ok "live as dma-debug says ($seen recordings, $alive mappings)"
elif [ $bad -eq 0 ]; then
	not_ok "live as dma-debug says" "only $alive mappings in $seen recordings"
fi
exit $failed

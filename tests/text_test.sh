#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Text dumps as inputs: the same capture as text and as binary gives the same mappings and findings,
# counts are those of grep, healthy text has no findings, and a cut text says that it is cut.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${BUILD:?}" "${SRCDIR:?}"
shared=$SRCDIR/../shared/traces
fixtures=$SRCDIR/tests/fixtures
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - text: $1"; }
not_ok() {
	echo "not ok - text: $1: $2"
	failed=1
}

if ! command -v sqlite3 >/dev/null; then
	echo "skip - text: sqlite3 is not installed"
	exit 0
fi
step=1 every=512
if grep -q __asan_init "$DMASCOPE"; then step=4 every=4096; fi

# analyze FILE NAME: into $work/NAME.{db,out,err}
analyze() {
	rm -f "$work/$2.db"
	"$DMASCOPE" analyze "$1" -o "$work/$2.db" --quiet >"$work/$2.out" 2>"$work/$2.err"
}

sql() { sqlite3 -separator ' ' "$work/$1.db" "$2" 2>&1; }

# What must agree. Not: times below a microsecond and what is made of them; interrupt and preemption
# state, symbols' beginnings and offsets where the text has none; the kernel's release and clock.
# trace-cmd rounds times (half=500), perf cuts them off (half=0). Rounded equal, two events may end
# up in another order in the binary: rows are compared sorted.
half=500
declare -A queries
queries[mappings]="SELECT d.name, m.kind, m.dma_addr, m.phys_addr, m.virt_addr, m.size_bytes, m.direction,
	m.attrs, m.segments, m.end, m.map_cpu, m.unmap_cpu, m.map_pid, m.unmap_pid,
	(m.map_ns + HALF) / 1000 AS map_us, (m.unmap_ns + HALF) / 1000 AS unmap_us,
	m.map_stack_id, m.unmap_stack_id
	FROM mapping AS m JOIN device AS d ON d.id = m.device_id
	ORDER BY map_us, unmap_us, d.name, m.dma_addr, m.size_bytes"
queries[findings]="SELECT rule, severity, confidence, device, (ts_ns + HALF) / 1000 AS us, dma_addr, size_bytes
	FROM findings ORDER BY rule, device, us, dma_addr"
queries[devices]="SELECT d.name, d.address_mode, c.name, c.value FROM device AS d
	JOIN device_counter AS c ON c.device_id = d.id
	WHERE c.name NOT LIKE 'lifetime%' AND c.name NOT LIKE '%_time' AND c.name NOT LIKE '%_ns'
	ORDER BY d.id, c.name"
queries[stacks]="SELECT f.stack_id, f.depth, f.address FROM frame AS f ORDER BY f.stack_id, f.depth"

# compare NAME: what analyze() made of $work/binary.db and $work/text.db
compare() {
	local what query

	for what in mappings findings devices stacks; do
		query=${queries[$what]//HALF/$half}
		sql binary "$query" >"$work/a"
		sql text "$query" >"$work/b"
		if ! cmp -s "$work/a" "$work/b"; then
			not_ok "$1" "$what differ: $(diff "$work/a" "$work/b" | sed -n 2,3p | tr '\n' ';')"
			return
		fi
	done
	ok "$1 ($(sql text 'SELECT count(*) FROM mapping') mappings, $(
		sql text 'SELECT count(*) FROM finding') findings)"
}

# ---- text made from binary recordings ------------------------------------------------------------

# What never happened leaves no line: that a probe or a tracepoint was recorded, text does not tell.
# beyond_*, overlap_cacheline: sure only of a kernel that text does not name (6.12).
lacking="maperr_unchecked_resource/trace-probe|overlap_cacheline/|beyond_free_while_mapped/"

compare_report() {
	local name=${1#"$shared/"}

	name=${name#"$SRCDIR/tests/"}
	if [[ $name =~ $lacking ]]; then
		echo "skip - text: report of $name: lacks what the rule asks for"
		return
	fi
	trace-cmd report "$1" >"$work/report.txt" 2>/dev/null || return
	analyze "$1" binary || return # that is another test's
	if [ "$(sql binary "SELECT value FROM run WHERE key = 'events'")" = 0 ]; then return; fi
	if ! analyze "$work/report.txt" text; then
		# a recording that has formats and no event says more than its text
		grep -q : "$work/report.txt" || return
		not_ok "report of $name" "$(head -1 "$work/text.err")"
		return
	fi
	compare "report of $name"
}

if command -v trace-cmd >/dev/null; then
	n=0
	for file in "$fixtures"/oracle-*.dat "$fixtures"/stock-*.dat "$fixtures"/armhf-*.dat \
		"$shared"/stock/*/iommu-tc/{v6,bind,stack,lost,probes,tsc,mono}.dat \
		"$shared"/stock/*/{zoo,swiotlb}-short/*.dat "$shared"/arch/*/*/v6.dat \
		"$shared"/oracle/{u,m,s,o,fn_}*/trace.dat; do
		n=$((n + 1))
		[ -r "$file" ] && [ $((n % step)) = 0 ] && compare_report "$file"
	done
else
	echo "skip - text: reports of recordings: trace-cmd is not installed"
fi

# ---- perf script against perf.data -----------------------------------------------------------------

half=0
for file in "$shared"/stock/*/iommu-perf/perf-plain.data; do
	[ -r "$file" ] || continue
	if ! analyze "$file" binary; then
		echo "skip - text: perf script of ${file#"$shared/"}: $(head -1 "$work/binary.err")"
	elif ! analyze "${file%.data}.script.txt" text; then
		not_ok "perf script of ${file#"$shared/"}" "$(head -1 "$work/text.err")"
	else
		compare "perf script of ${file#"$shared/"}"
	fi
done

# ---- dumps as they were saved ----------------------------------------------------------------------

# Every dump: no finding of weight, and as many events of each kind as lines that name it.
check_dump() {
	local name=${1#"$shared/"} pattern n wrong=""

	analyze "$1" text || {
		not_ok "$name" "$(head -1 "$work/text.err")"
		return
	}
	for pattern in dma_map_page dma_map_phys dma_map_sg dma_unmap_page dma_unmap_phys dma_unmap_sg \
		dma_alloc dma_free swiotlb_bounced map unmap; do
		n=$(grep -cE ": *$pattern: " "$1")
		[ "$n" = "$(sql text "SELECT coalesce(sum(records), 0) FROM tracepoint
			WHERE name = '$pattern'")" ] || wrong="$wrong $pattern: expected $n;"
	done
	wrong="$wrong$(sql text "SELECT rule || ' (' || severity || ')' FROM findings
		WHERE severity IN ('warning', 'error')")"
	wrong="$wrong$(sql text "SELECT name || ': malformed' FROM tracepoint WHERE malformed > 0")"
	if [ -n "$wrong" ]; then
		not_ok "$name" "$wrong"
	else
		ok "$name: $(sql text "SELECT sum(records) FROM tracepoint") events"
	fi
}

for file in "$fixtures"/text-* "$shared"/stock/*/*/text-trace.txt "$shared"/arch/*/*/text-trace.txt \
	"$shared"/stock/*/iommu-perf/text-trace-{pipe,stack,overrun}.txt \
	"$shared"/stock/*/iommu-perf/{perf-g,perf-plain}.script.txt \
	"$shared"/stock/*/iommu-perf/console.log "$shared"/stock/*/iommu-tc/v6.report.txt; do
	[ -r "$file" ] && check_dump "$file"
done

# has TEXT NAME: what $work/NAME.out says
has() { tr -s ' \n' ' ' <"$work/$2.out" | grep -qF -- "$1"; }

analyze "$fixtures/text-6.12-tracefs-stack.txt" text
sites=$(sql text "SELECT group_concat(DISTINCT function) FROM (SELECT function FROM call_sites
	ORDER BY function)")
case $sites in
*e1000_xmit_frame*) ok "call sites of a stack text: $sites" ;;
*) not_ok "call sites of a stack text" "$sites" ;;
esac
made_up=$(sql text "SELECT count(*) FROM frame WHERE address IS NOT NULL OR offset_bytes IS NOT NULL
	UNION ALL SELECT count(*) FROM symbol WHERE address IS NOT NULL")
if [ "$made_up" = "0
0" ]; then
	ok "made-up addresses are not in the database"
else
	not_ok "made-up addresses are not in the database" "$made_up"
fi
printf '%s\n' "ffffffffc0000000 t e1000_xmit_frame	[e1000]" \
	"ffffffffc0000100 t e1000_alloc_rx_buffers	[e1000]" \
	"ffffffffc0100100 t e1000_alloc_rx_buffers	[e1000e]" "ffffffff81000000 T _text" >"$work/kallsyms"
"$DMASCOPE" analyze "$fixtures/text-6.12-tracefs-stack.txt" --kallsyms "$work/kallsyms" \
	-o "$work/text.db" --quiet >/dev/null 2>"$work/text.err"
told=$(sql text "SELECT name, coalesce(module, 'none') FROM symbol WHERE name LIKE 'e1000_%'
	ORDER BY name" | tr '\n' ' ')
case $told in
*"e1000_alloc_rx_buffers none "*"e1000_xmit_frame e1000 "*) ok "modules out of --kallsyms" ;;
*) not_ok "modules out of --kallsyms" "$told $(cat "$work/text.err")" ;;
esac
analyze "$fixtures/text-6.12-perf.txt" text
told=$(sql text "SELECT printf('%x', f.address), y.name, f.offset_bytes FROM frame AS f
	JOIN symbol AS y ON y.id = f.symbol_id WHERE f.stack_id = 1 AND f.depth = 0")
if [ "$told" = "ffffffff9099aff9 dma_map_page_attrs 393" ]; then
	ok "addresses that a text tells"
else
	not_ok "addresses that a text tells" "$told"
fi
analyze "$fixtures/text-7.2-console.txt" text
if has "7.2.13+deb14-amd64" text && has "text (console dump)" text; then
	ok "a console log names its kernel"
else
	not_ok "a console log names its kernel" "$(head -3 "$work/text.out")"
fi
analyze "$fixtures/text-6.12-tracefs-overrun.txt" text
if has "the recorder's own statistics say 2995 events were lost" text; then
	ok "an overrun text says how many are lost"
else
	not_ok "an overrun text says how many are lost" "$(grep lost "$work/text.out")"
fi

# ---- texts without events --------------------------------------------------------------------------

# told NAME TEXT WANTED: analyze of TEXT ends with 3 and says WANTED
told() {
	printf '%s' "$2" >"$work/none.txt"
	analyze "$work/none.txt" none
	code=$?
	if [ $code -eq 3 ] && grep -qF "$3" "$work/none.err" && [ ! -e "$work/none.db" ]; then ok "$1"; else
		not_ok "$1" "exit $code: $(head -1 "$work/none.err")"
	fi
}
header='# tracer: nop
#
# entries-in-buffer/entries-written: 0/0   #P:2
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
'
told 'a trace of tracefs without events' "$header" 'no dma events in it (it has no events at all)'
told 'its first line, cut' '# tracer: nop' 'no dma events in it (it has no events at all)'
told 'the buffers of two CPUs without events' "$header$header" 'no dma events in it (it has no events at all)'
told 'a report without events' $'cpus=2\n' 'no dma events in it (it has no events at all)'
told 'comments of others' $'# tracers: none\n#\n' 'not a trace'
told 'a header and words' "$header"$'Nothing happened.\n' 'not a trace'
# beside another trace it adds nothing
printf '%s' "$header" >"$work/none.txt"
analyze "$fixtures/twin-7.2.dat" binary
"$DMASCOPE" analyze "$work/none.txt" "$fixtures/twin-7.2.dat" -o "$work/text.db" --quiet >"$work/text.out" 2>&1
if [ "$(sql binary 'SELECT count(*), sum(size_bytes) FROM mapping')" = \
	"$(sql text 'SELECT count(*), sum(size_bytes) FROM mapping')" ]; then ok 'none beside a trace'; else
	not_ok 'none beside a trace' "$(tail -1 "$work/text.out")"
fi

# ---- cut texts -------------------------------------------------------------------------------------

# A line that the end of the file cuts off is not used, and that is said; between lines nobody sees it.
for file in "$fixtures"/text-*; do
	bytes=$(wc -c <"$file")
	name="cut: ${file##*/}"
	wrong=""
	for ((at = every; at < bytes; at += every)); do
		head -c "$at" "$file" >"$work/cut.txt"
		"$DMASCOPE" analyze "$work/cut.txt" --quiet >"$work/cut.out" 2>"$work/cut.err"
		rc=$?
		[ "$rc" = 3 ] && continue
		if [ "$rc" != 0 ]; then
			wrong="at $at: exit $rc"
		elif [ -n "$(tail -c 1 "$work/cut.txt")" ] && ! has "the file ends in it" cut &&
			! has "cannot be used" cut && ! grep -q 'us : [a-z_]*: \|^\[' "$work/cut.txt"; then
			wrong="at $at: it does not say so"
		elif grep -qE '^- (error|warning)' "$work/cut.out"; then
			wrong="at $at: $(grep -E '^- (error|warning)' "$work/cut.out")"
		fi
		[ -n "$wrong" ] && break
	done
	if [ -n "$wrong" ]; then not_ok "$name" "$wrong"; else ok "$name"; fi
done

exit $failed

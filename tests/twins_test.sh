#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One buffer in several containers: trace.dat, the text of tracefs, the dump on a console, and
# perf.data of the same workload. What is found in them must not depend on the container.
# shellcheck disable=SC2317 # the comparisons are called through their names
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${SRCDIR:?}"
fixtures=$SRCDIR/tests/fixtures
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - twins: $1"; }
not_ok() {
	echo "not ok - twins: $1: $2"
	failed=1
}
# same NAME FILE FILE: equal, and not empty
same() {
	if [ ! -s "$2" ]; then
		not_ok "$1" "nothing to compare"
	elif diff -u "$2" "$3" >"$work/diff"; then
		ok "$1"
	else
		not_ok "$1" "$(grep -c '^[-+][^-+]' "$work/diff") lines differ: $(
			grep '^[-+][^-+]' "$work/diff" | head -4 | tr '\n' ';')"
	fi
}
# is NAME GOT WANTED
is() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "got $(echo "$2" | tr '\n' ';'), not $(echo "$3" | tr '\n' ';')"
	fi
}

if ! command -v sqlite3 >/dev/null; then
	echo "skip - twins: sqlite3 is not installed"
	exit 0
fi

# run NAME: of the fixture called so, into $work/NAME.db
run() {
	if ! "$DMASCOPE" analyze "$fixtures/twin-$1" -o "$work/$1.db" --events --quiet \
		>"$work/$1.out" 2>"$work/err"; then
		not_ok "$1 is read" "$(head -1 "$work/err")"
		return 1
	fi
}
sql() { sqlite3 -separator ' ' -nullvalue - "$work/$1.db" "$2"; }

# Times: a text has microseconds, rounded as the kernel rounds ("us"); a console dump has them from
# the first event on, so that only their order is left ("order"); clocks of two tools differ.
time_of() {
	case $2 in
	us) echo "($1 + 500) / 1000" ;;
	*) echo "$1 IS NOT NULL" ;;
	esac
}

# What must be equal in any container, one line each, in an order of content. TIMES: us or order.
# lives NAME TIMES
lives() {
	sql "$1" "SELECT d.name, d.generation, d.address_mode, m.kind, printf('%x', m.dma_addr),
			printf('%x', m.phys_addr), m.size_bytes, m.direction, m.attrs, m.segments, m.entries,
			m.end, m.confidence, m.truncated, m.bounced, m.syncs_for_cpu, m.syncs_for_device,
			m.map_cpu, m.unmap_cpu, m.map_pid, m.unmap_pid,
			$(time_of m.map_ns "$2"), $(time_of m.unmap_ns "$2")
		FROM mapping AS m LEFT JOIN device AS d ON d.id = m.device_id
		ORDER BY m.map_ns IS NULL, m.map_ns, m.unmap_ns, m.dma_addr" |
		if [ "$2" = us ]; then sort; else cat; fi
}
# Scatter lists, entry by entry.
lists() {
	sql "$1" "SELECT d.name, s.number, printf('%x', s.phys_addr), printf('%x', s.dma_addr),
			s.size_bytes
		FROM mapping_segment AS s JOIN mapping AS m ON m.id = s.mapping_id
		LEFT JOIN device AS d ON d.id = m.device_id ORDER BY m.map_ns, m.id, s.number"
}
# findings NAME TIMES
findings() {
	sql "$1" "SELECT f.rule, f.severity, f.confidence, d.name, printf('%x', f.dma_addr), f.size_bytes,
			f.facts ->> 'dma_addr', f.facts ->> 'size_bytes', $(time_of f.ts_ns "$2")
		FROM finding AS f LEFT JOIN device AS d ON d.id = f.device_id
		ORDER BY f.ts_ns, f.rule, f.dma_addr"
}
events() {
	sql "$1" "SELECT name, sum(records), sum(malformed) FROM tracepoint
		WHERE system IN ('dma', 'iommu', 'swiotlb') AND records > 0 GROUP BY name ORDER BY name"
}
# Every call. A text has no page size, so that its page frees are no calls.
# calls NAME TIMES
calls() {
	sql "$1" "SELECT e.kind, d.name, e.cpu, e.pid, $(time_of e.ts_ns "$2"), printf('%x', e.dma_addr),
			printf('%x', e.phys_addr), e.size_bytes, e.direction, e.attrs, e.gfp, e.err,
			e.entries, e.segments, e.flags, e.preempt_count, e.truncated, e.failed
		FROM event AS e LEFT JOIN device AS d ON d.id = e.device_id
		WHERE e.kind <> 'page_free' ORDER BY e.ts_ns, e.id"
}
# Functions of the stacks of every life: names, as a text has no addresses.
stacks() {
	sql "$1" "SELECT d.name, printf('%x', m.dma_addr),
			(SELECT group_concat(coalesce(y.name, '?'), '<') FROM (SELECT symbol_id FROM frame
				WHERE stack_id = m.map_stack_id ORDER BY depth) AS f
				LEFT JOIN symbol AS y ON y.id = f.symbol_id),
			(SELECT group_concat(coalesce(y.name, '?'), '<') FROM (SELECT symbol_id FROM frame
				WHERE stack_id = m.unmap_stack_id ORDER BY depth) AS f
				LEFT JOIN symbol AS y ON y.id = f.symbol_id)
		FROM mapping AS m LEFT JOIN device AS d ON d.id = m.device_id
		ORDER BY m.map_ns IS NULL, m.map_ns, m.unmap_ns, m.dma_addr"
}

# twins NAME NAME TIMES: the second has what the first has
twins() {
	local what
	for what in lives findings calls; do
		"$what" "$1" "$3" >"$work/a"
		"$what" "$2" "$3" >"$work/b"
		same "$what of $1 and $2" "$work/a" "$work/b"
	done
	for what in lists events; do
		"$what" "$1" >"$work/a"
		"$what" "$2" >"$work/b"
		same "$what of $1 and $2" "$work/a" "$work/b"
	done
}

for kernel in 7.2 6.12; do
	text=$kernel.txt
	if [ ! -e "$fixtures/twin-$text" ]; then text=$text.xz; fi

	# ---- one buffer: trace-cmd extract, and cat trace before it
	if run $kernel.dat && run $text; then
		twins $kernel.dat $text us
		is "$kernel: what a text cannot judge is said" "$(sql $text "SELECT count(*) > 0
			FROM not_judged WHERE rule = 'page-freed-while-mapped'")" 1
		is "$kernel: the faults of the NIC are found" "$(sql $kernel.dat "SELECT rule, severity,
			count(*) FROM finding WHERE severity <> 'info' GROUP BY 1, 2")" \
			'use-after-unmap error 2'
	fi

	# ---- one buffer: cat trace, and sysrq-z, on a serial console with messages between the lines
	if run $kernel-dump.txt.xz && run $kernel-dump.log.gz; then
		twins $kernel-dump.txt.xz $kernel-dump.log.gz order
		# by hand: lines of the dump that "grep -c 'us : '" counts
		# page frame numbers are no addresses without the page size, which no text tells
		is "$kernel: no line of the dump is lost" "$(sql $kernel-dump.log.gz \
			"SELECT sum(records), sum(malformed) FILTER (WHERE name <> 'mm_page_free')
			FROM tracepoint")" \
			"$(zcat "$fixtures/twin-$kernel-dump.log.gz" | grep -c 'us : ') 0"
	fi

	# ---- one workload: perf record -k CLOCK_MONOTONIC beside a trace whose clock is mono
	if run $kernel-perf.dat && run $kernel-perf.data.xz; then
		for what in lives findings; do
			$what $kernel-perf.dat order >"$work/a"
			$what $kernel-perf.data.xz order >"$work/b"
			if [ $what = lives ]; then sort -o "$work/a" "$work/a"; sort -o "$work/b" "$work/b"; fi
			same "$what of perf.data and trace.dat of $kernel" "$work/a" "$work/b"
		done
		lists $kernel-perf.dat >"$work/a"
		lists $kernel-perf.data.xz >"$work/b"
		same "lists of perf.data and trace.dat of $kernel" "$work/a" "$work/b"
		events $kernel-perf.dat >"$work/a"
		events $kernel-perf.data.xz >"$work/b"
		same "events of perf.data and trace.dat of $kernel" "$work/a" "$work/b"
		# The two tracers stamp one event one after the other.
		is "$kernel: both clocks are one" "$(sqlite3 "$work/$kernel-perf.dat.db" "
			ATTACH '$work/$kernel-perf.data.xz.db' AS p;
			SELECT count(*) FROM mapping AS m WHERE m.map_ns IS NOT NULL AND NOT EXISTS (
				SELECT 1 FROM p.mapping AS o WHERE o.dma_addr = m.dma_addr
				AND abs(o.map_ns - m.map_ns) < 1000000)")" 0
	fi
done

# ---- stacks: tracefs names its frames, with or without their addresses
if run 7.2-stack.dat; then
	for text in 7.2-stack.txt.zst 7.2-stack-sym.txt.xz; do
		run $text || continue
		twins 7.2-stack.dat $text us
		stacks 7.2-stack.dat >"$work/a"
		stacks $text >"$work/b"
		same "stacks of 7.2-stack.dat and $text" "$work/a" "$work/b"
	done
fi

# ---- pointers: hashed ones are no addresses, the others are those of the trace
pointers() {
	sql "$1" "SELECT printf('%x', virt_addr) FROM mapping WHERE kind = 'coherent'
		ORDER BY map_ns, unmap_ns"
}
if run 7.2-pointers.txt.xz; then
	twins 7.2.dat 7.2-pointers.txt.xz us
	pointers 7.2.dat >"$work/a"
	pointers 7.2-pointers.txt.xz >"$work/b"
	same "pointers that are not hashed" "$work/a" "$work/b"
	is "hashed pointers are no addresses" \
		"$(sql 7.2.txt "SELECT count(*) FROM mapping WHERE virt_addr IS NOT NULL")" 0
fi

# ---- an overrun: until its first event, what a CPU did is not known, and pairs of that time are
# doubtful. A text has the sum of what is lost only.
if run 7.2-overrun.dat && run 7.2-overrun.txt.xz; then
	for what in lives findings events; do
		"$what" 7.2-overrun.dat us >"$work/a"
		"$what" 7.2-overrun.txt.xz us >"$work/b"
		same "$what of an overrun" "$work/a" "$work/b"
	done
	is "the losses of an overrun, of both CPUs" "$(sql 7.2-overrun.txt.xz "SELECT sum(lost_by_stats)
		FROM input_file")" $((5725 + 2065))
fi

# ---- several dumps in one log: times of each begin anew, and the buffer may be the same again
if run 7.2-dump.txt.xz; then
	log=$fixtures/twin-7.2-dump.log.gz
	zcat "$log" "$log" "$log" >"$work/dumps.log"
	"$DMASCOPE" analyze "$work/dumps.log" -o "$work/dumps.db" --events --quiet >"$work/out" 2>&1
	for what in lives findings; do
		$what 7.2-dump.txt.xz order >"$work/a"
		$what dumps order >"$work/b"
		same "$what of a log with three dumps" "$work/a" "$work/b"
	done
	is "how many dumps there are" "$(grep -c 'holds 3 ftrace dumps' "$work/out")" 1
fi

# ---- the text of one CPU alone: what the other CPU unmapped is no error; of both, one after the other
for cpu in 0 1; do
	grep -E "^#|\[00$cpu\]" "$fixtures/twin-7.2.txt" >"$work/cpu$cpu.txt"
	"$DMASCOPE" analyze "$work/cpu$cpu.txt" -o "$work/cpu$cpu.db" --quiet >"$work/out" 2>&1
	is "one CPU alone, CPU $cpu: nothing is certain" "$(sqlite3 "$work/cpu$cpu.db" \
		"SELECT (SELECT count(*) FROM finding WHERE confidence = 'certain'),
			(SELECT sum(lost) FROM gap) > 0")" '0|1'
	is "one CPU alone, CPU $cpu: it is said" "$(grep -c 'of 1 of 2 CPUs' "$work/out")" 1
done
cat "$work/cpu0.txt" "$work/cpu1.txt" >"$work/cpus.txt"
if run 7.2.txt &&
	"$DMASCOPE" analyze "$work/cpus.txt" -o "$work/cpus.db" --quiet >"$work/out" 2>&1; then
	for what in lives findings; do
		$what 7.2.txt us >"$work/a"
		$what cpus us >"$work/b"
		same "$what of both CPUs' texts in one file" "$work/a" "$work/b"
	done
fi

# ---- a panic's dump out of pstore, and the text of that buffer before the panic
if run 7.2-pstore-trace.txt.xz && run 7.2-pstore.txt.gz; then
	twins 7.2-pstore-trace.txt.xz 7.2-pstore.txt.gz order
fi
exit $failed

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Recordings of stock kernels with more than the dma events: real IOMMU faults of a device that was
# told to use memory after its unmap, drivers unbound under probes, freed pages.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${SRCDIR:?}"
fixtures=$SRCDIR/tests/fixtures
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# is NAME GOT WANTED
is() {
	if [ "$2" = "$3" ]; then
		echo "ok - lab: $1"
	else
		echo "not ok - lab: $1: got $(echo "$2" | tr '\n' ';'), not $(echo "$3" | tr '\n' ';')"
		failed=1
	fi
}

if ! command -v sqlite3 >/dev/null; then
	echo "skip - lab: sqlite3 is not installed"
	exit 0
fi

# analyze NAME [OPTION]...: into $work/run.db
analyze() {
	local name=$1
	shift
	rm -f "$work/run.db"
	"$DMASCOPE" analyze "$fixtures/lab-7.2-$name.dat" -o "$work/run.db" --quiet "$@" \
		>"$work/out" 2>"$work/err" || echo "analyze exits with $?: $(cat "$work/err")"
}
sql() { sqlite3 "$work/run.db" "$1"; }
grave="SELECT rule, device, count(*) FROM findings WHERE severity <> 'info' GROUP BY 1, 2"

# ---- the NIC sent a descriptor again whose buffer was unmapped: three faults on its page
analyze fault
is "three faults are a use after unmap" "$(sql "$grave")" 'use-after-unmap|0000:00:05.0|3'
# two buffers of one page were sent: which of them it reads the IOMMU does not tell
is "and likely" "$(sql "SELECT DISTINCT confidence FROM finding WHERE severity = 'error'")" likely
# by hand: trace-cmd report has the unmap of ffff3802 (942 bytes) at 53.826553624 as the page's last event
is "the buffer is the page's last" "$(sql "SELECT DISTINCT facts ->> 'unmap_ns', facts ->> 'dma_addr',
	facts ->> 'size_bytes' FROM finding WHERE severity = 'error'")" \
	'53826553624|0x00000000ffff3802|942'
for end in 'Mapped at:e1000_xmit_frame' 'Already unmapped at:e1000_clean_tx_irq'; do
	is "${end#*:} is shown" "$(sed -n "/use-after-unmap/,/^- /{/${end%:*}/,\$p}" "$work/out" |
		grep -c -m1 "${end#*:}+")" 1
done
is "a fault is no task's" "$(sql "SELECT count(*) FROM finding WHERE severity = 'error' AND
	(stack_id IS NOT NULL OR pid IS NOT NULL)")" 0

# ---- the same told once more by the kernel log is one finding; told by it alone it is likely
analyze fault --kernel-log "$fixtures/lab-7.2-fault.log"
is "what the trace has itself is not told twice" "$(sql "$grave")" 'use-after-unmap|0000:00:05.0|3'
is "and that is said" "$(sql "SELECT count(*) FROM not_judged WHERE reason LIKE '%were left out%'")" 1

# ---- a file that is none of what it is given as would let rules pass as judged
echo 'just a text' >"$work/text"
: >"$work/empty"
# refused OPTION FILE: exit code, and what is said of the file
refused() {
	"$DMASCOPE" analyze "$fixtures/lab-7.2-fault.dat" --quiet "$1" "$work/$2" >/dev/null 2>"$work/err"
	echo "$? $(sed "s|.*/$2: ||" "$work/err")"
}
is "a text is no kernel log" "$(refused --kernel-log text)" '3 no line of a kernel log'
is "an empty file is no dump" "$(refused --dump-seed empty)" '3 no entry of a dma-api dump'
if [ -w /dev/full ]; then
	is "a full disk has its reason" "$("$DMASCOPE" report "$work/run.db" --openmetrics /dev/full \
		2>&1 >/dev/null | grep -c 'No space left on device')" 1
fi

# ---- drivers unbound and bound under probes: nothing is left behind, each probe is a generation
analyze probes
is "healthy drivers leak nothing" "$(sql "$grave")" ''
is "unbinds are judged" "$(sql "SELECT count(*) FROM not_judged WHERE rule = 'leak-at-unbind'")" 0
is "a bound driver is a new generation" \
	"$(sql "SELECT name FROM device WHERE generation = 2 ORDER BY name")" \
	"$(printf '0000:00:%s\n' 01.0 02.0 05.0 1f.2)"
is "masks are those of dma_set_mask()" \
	"$(sql "SELECT DISTINCT printf('%x', dma_mask) FROM device WHERE generation = 2 AND dma_mask")" \
	ffffffffffffffff

# ---- pages freed while their neighbours are mapped
analyze pagefree
is "no page is freed while it is mapped" "$(sql "$grave")" ''
is "and that was judged" \
	"$(sql "SELECT count(*) FROM not_judged WHERE rule = 'page-freed-while-mapped'")" 0
exit $failed

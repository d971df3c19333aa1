#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dmascope check: traces judged in one step, and nothing left behind.
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}"
DMASCOPE=$(realpath "$DMASCOPE")
SRCDIR=$(realpath "$SRCDIR")
fixtures=$SRCDIR/tests/fixtures
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir tmp
export TMPDIR=$work/tmp
failed=0

ok() { echo "ok - check: $1"; }
not_ok() {
	echo "not ok - check: $1: $2"
	failed=1
}
# gives NAME CODE ARGUMENT...
gives() {
	local name=$1 wanted=$2 code
	shift 2
	"$DMASCOPE" check "$@" >out 2>err
	code=$?
	if [ $code -ne "$wanted" ]; then
		not_ok "$name" "exit code $code, not $wanted: $(head -1 err)"
	elif [ -n "$(ls -A tmp)" ]; then
		not_ok "$name" "left behind: $(ls tmp)"
	else
		ok "$name"
	fi
	rm -rf tmp/*
}
has() {
	if grep -qF -- "$2" "$3"; then ok "$1"; else not_ok "$1" "no '$2' in $(head -c 200 "$3" | tr '\n' '|')"; fi
}
bad=$fixtures/oracle-unmap_size_small.dat
good=$fixtures/oracle-ctl_sg.iommu.dat
zoo=$fixtures/stock-6.12-zoo.dat

"$DMASCOPE" analyze "$zoo" -o zoo.db >/dev/null 2>&1 || not_ok 'analyze' 'failed'
"$DMASCOPE" analyze "$good" -o good.db >/dev/null 2>&1 || not_ok 'analyze' 'failed'

gives 'a healthy driver, no baseline' 0 "$zoo"
has 'the trace is named, no temporary file' 'stock-6.12-zoo.dat' out
grep -q "$TMPDIR" out err && not_ok 'temporary names' 'told'
gives 'a fault, no baseline' 1 "$bad"
gives 'a fault, rule off' 0 "$bad" -W no-unmap-size-mismatch
gives 'the same as its baseline' 0 "$zoo" --baseline zoo.db
gives 'a fault against a control' 1 "$bad" --baseline good.db --no-metrics
gives 'only another device' 3 "$bad" --device no-such-device
gives 'a database is kept' 1 "$bad" -o kept.db
"$DMASCOPE" report kept.db --fail-on error >/dev/null 2>&1
code=$?
if [ $code -eq 1 ]; then ok 'the database kept is whole'; else not_ok 'the database kept' "exit code $code"; fi
"$DMASCOPE" check "$zoo" --baseline zoo.db --format json >one 2>/dev/null
"$DMASCOPE" check "$zoo" --baseline zoo.db --format json >two 2>/dev/null
if [ -s one ] && cmp -s one two; then ok 'same input, same bytes'; else not_ok 'same input' 'other bytes'; fi

gives 'lost events' 3 "$fixtures/twin-7.2-overrun.dat"
gives 'lost events, allowed' 0 "$fixtures/twin-7.2-overrun.dat" --allow-lossy
# each address is mapped and mapped again: an IOMMU's addresses show that unmaps were left out
for i in 1 2 3 4 5; do
	line="drv-1 [000] ..... 10$i.000001: dma_map_page: 0000:00:05.0 dir=TO_DEVICE dma_addr=ff${i}00040 size=64"
	echo "$line phys_addr=1${i}30040 attrs="
	echo "${line/000001/500000} phys_addr=2${i}70040 attrs="
	echo "drv-1 [000] ..... 10$i.900000: dma_unmap_page: 0000:00:05.0 dir=TO_DEVICE dma_addr=ee${i}00040 size=64 attrs="
done >filtered.txt
gives 'calls are missing' 3 filtered.txt
gives 'calls are missing, allowed' 0 filtered.txt --allow-lossy
# what was mapped before the recording began is no filter's doing
grep unmap filtered.txt >older.txt
gives 'unmaps of what is older' 0 older.txt
: >empty.dat
gives 'an empty file' 3 empty.dat
head -c 20000 "$zoo" >cut.dat
gives 'a file cut short' 3 cut.dat
gives 'no such trace' 3 no-such.dat
gives 'no such baseline' 3 "$zoo" --baseline no-such.json
gives 'no trace' 2
gives 'a wrong option' 2 "$zoo" --format xml
cp "$bad" mine.dat
gives 'an output over the trace' 2 mine.dat --format json=mine.dat
cmp -s "$bad" mine.dat || not_ok 'an output over the trace' 'it is overwritten'
gives 'an output that cannot be written' 4 "$zoo" --format json=/dev/full
TMPDIR=$work/none gives 'no temporary folder' 4 "$zoo"
TMPDIR=$work/none gives 'no temporary folder needed' 0 "$zoo" -o kept.db

# killed in the middle: a pipe that never ends keeps it reading
if command -v mkfifo >/dev/null; then
	for signal in HUP TERM KILL; do # INT is ignored behind &
		mkfifo pipe.$signal
		"$DMASCOPE" check pipe.$signal >/dev/null 2>&1 &
		pid=$!
		exec 9>pipe.$signal
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			[ -n "$(ls -A tmp)" ] && break
			sleep 0.1
		done
		began=$(ls -A tmp)
		kill -s $signal $pid
		wait $pid 2>/dev/null
		exec 9>&-
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			[ -z "$(ls -A tmp)" ] && break
			sleep 0.1
		done
		if [ -z "$began" ]; then
			echo "skip - check: killed by $signal: no temporary folder yet"
		elif [ -z "$(ls -A tmp)" ]; then
			ok "killed by $signal: nothing is left"
		else
			not_ok "killed by $signal" "left behind: $(ls tmp)"
		fi
		rm -rf tmp/*
	done
fi
# ---- every fault of the oracle against its control: one finding that is new, and nothing else fails
shared=$SRCDIR/../shared/traces
# base TRACE: as a baseline file, made once
base() {
	local json=${1##*/traces/}
	json=${json//\//-}.json
	if [ ! -e "$json" ]; then
		"$DMASCOPE" analyze -q "$1" -o base.db >/dev/null 2>err
		"$DMASCOPE" baseline base.db -o "$json" 2>>err || not_ok "baseline of $1" "$(head -1 err)" >&2
	fi
	echo "$json"
}
# one_new CASE RULE
one_new() {
	local control=ctl_single
	case $1 in *.*) control=ctl_single.${1##*.} ;; esac
	gives "oracle: $1" 1 "$shared/oracle/$1/trace.dat" --baseline "$(base "$shared/oracle/$control/trace.dat")" --format json
	is "oracle: $1 is one finding" "$(jq -r '[.findings[], .metrics[] | select(.fails) | .state + " " + .rule] | join(",")' out)" "new $2"
}
is() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "'$2', not '$3'"; fi
}
if [ ! -d "$shared/oracle" ]; then
	echo 'skip - check: oracle: no recordings beside the project (../shared/traces)'
	exit $failed
elif ! command -v jq >/dev/null; then
	echo 'skip - check: oracle: no jq'
	exit $failed
fi
while read -r rule cases; do
	for case in $cases; do one_new "$case" "$rule"; done
done <<'EOF'
double-unmap double_unmap double_unmap.iommu double_unmap_sg double_free_coherent
free-cpu-address-mismatch coherent_cpuaddr pages_cpuaddr
sync-after-unmap sync_after_unmap sync_after_unmap.iommu
sync-direction-mismatch sync_dir sync_dir_dev
sync-outside-range sync_outside sync_outside.swiotlb
unmap-direction-mismatch unmap_dir unmap_dir.iommu unmap_dir_sg noncontig_dir
unmap-interior-address unmap_mid
unmap-invalid-address unmap_mapping_error
unmap-sg-count-mismatch sg_unmap_nents
unmap-size-mismatch unmap_size_small unmap_size_large coherent_size pages_size
unmap-wrong-device unmap_wrong_dev
unmap-wrong-function fn_coherent_as_pages fn_resource_as_single fn_sg_as_single fn_single_as_sg
EOF
for control in "$shared"/oracle/ctl_{single,page,sg,sgtable,coherent,pool,alloc_pages,noncoherent}{,.iommu,.swiotlb}/trace.dat; do
	[ -f "$control" ] || continue
	case=${control%/trace.dat}
	gives "oracle: control ${case##*/}" 0 "$control" --baseline "$(base "$shared/oracle/ctl_single/trace.dat")"
done

# ---- the same work recorded again, and by another kernel: no false alarm; other work of the machine is one
stock=$shared/stock
for kernel in 6.12 7.2; do
	for again in v7-zstd mono instance stack; do
		gives "$kernel again: $again" 0 "$stock/$kernel/iommu-tc/$again.dat" --baseline "$(base "$stock/$kernel/iommu-tc/v6.dat")"
	done
done
for work in zoo-short swiotlb-short iommu-tc; do
	gives "7.2 against 6.12: $work" 0 "$stock/7.2/$work/v6.dat" --baseline "$(base "$stock/6.12/$work/v6.dat")"
done
gives 'everything is bounced of a sudden' 1 "$stock/6.12/swiotlb-short/v6.dat" --baseline "$(base "$stock/6.12/zoo-short/v6.dat")"
has 'the share that is bounced has told' 'bounced_share of pci' out
exit $failed

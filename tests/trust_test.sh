#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Recordings of healthy drivers that were filtered, cut, torn or given twice: nothing in them is sure.
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}"
DMASCOPE=$(realpath "$DMASCOPE")
fixtures=$(realpath "$SRCDIR")/tests/fixtures
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir tmp
export TMPDIR=$work/tmp
failed=0

ok() { echo "ok - trust: $1"; }
not_ok() {
	echo "not ok - trust: $1: $2"
	failed=1
}
# unsure NAME FILE [PATTERN]: it is read, nothing is an error or a warning, and PATTERN is said
unsure() {
	if ! timeout 60 "$DMASCOPE" analyze -q "$2" >out 2>err; then
		not_ok "$1" "$(head -1 err)"
	elif grep -Eq '^- (error|warning) ' out; then
		not_ok "$1" "$(grep -E '^- (error|warning) ' out | head -1)"
	elif ! tr '\n' ' ' <out | tr -s ' ' | grep -Eq -e "${3:-.}"; then
		not_ok "$1" "does not say: $3"
	else
		ok "$1"
	fi
}
# sure NAME FILE RULE: the twin of a case above, whole: what is wrong in it is said
sure() {
	timeout 60 "$DMASCOPE" analyze -q "$2" >out 2>err
	if grep -Eq "^- (error|warning) $3:.*\(certain\)" out; then ok "$1"; else
		not_ok "$1" "no $3: $(grep '^- ' out | head -2 | tr '\n' ';') $(head -1 err)"
	fi
}
# refused NAME CODE PATTERN ARG...: nothing on stdout, one line on stderr
refused() {
	local name=$1 code=$2 pattern=$3 got
	shift 3
	timeout 20 "$DMASCOPE" "$@" >out 2>err </dev/null
	got=$?
	if [ $got -ne "$code" ] || [ -s out ] || [ "$(wc -l <err)" -ne 1 ]; then
		not_ok "$name" "exit $got, not $code: $(head -2 err)"
	elif ! grep -Eq -e "$pattern" err; then
		not_ok "$name" "says: $(cat err)"
	else
		ok "$name"
	fi
}
# event TIME NAME WORDS: a line of tracefs; DEV, CPU, TASK may be set
event() {
	printf '%16s-%-7s [%03d] ..... %12s: %s: %s\n' "${TASK:-sh}" "${PID:-86}" "${CPU:-0}" "$1" "$2" "$3"
}
dev=0000:00:05.0
map() { # TIME DIR ADDR SIZE PHYS
	event "$1" dma_map_phys "$dev dir=$2 dma_addr=$3 size=$4 phys_addr=$5 attrs="
}
unmap() { # TIME DIR ADDR SIZE
	event "$1" dma_unmap_phys "$dev dir=$2 dma_addr=$3 size=$4 attrs="
}
sync() { # TIME DIR ADDR SIZE
	event "$1" dma_sync_single_for_cpu "$dev dir=$2 dma_addr=$3 size=$4"
}
head_of() { # KEPT
	printf '# tracer: nop\n#\n# entries-in-buffer/entries-written: %d/%d   #P:1\n#\n' "$1" "$1"
}

# ---- one half of a pair ---------------------------------------------------------------------------
# A page of a receive ring, used again and again; its unmaps were not enabled.
{
	for i in 1 2 3 4 5; do map "1.00000$i" FROM_DEVICE "77ec${i}000" 4096 2be3000; done
	event 2.000001 dma_free "$dev dir=BIDIRECTIONAL dma_addr=1000 size=4096 virt_addr=0xffff888000001000 attrs="
	for i in 1 2 3 4 5; do map "3.00000$i" FROM_DEVICE "77ec${i}000" 4096 2be3000; done
} >only-maps.txt
unsure "maps without unmaps" only-maps.txt 'no dma_unmap_page or dma_unmap_phys'
if grep -Eq "^$dev +iommu" out; then not_ok "maps alone tell no IOMMU" "$(grep "^$dev" out)"; else
	ok "maps alone tell no IOMMU"
fi
{
	event 0.500001 dma_map_sg "$dev dir=TO_DEVICE dma_addrs={0x1000} sizes={512} phys_addrs={0x1000} attrs="
	event 0.500002 dma_unmap_sg "$dev dir=TO_DEVICE phys_addrs={0x1000} attrs="
	for i in 1 2 3 4 5; do unmap "1.00000$i" FROM_DEVICE 77ec5000 4096; done
} >only-unmaps.txt
unsure "unmaps without maps" only-unmaps.txt 'no dma_map_page or dma_map_phys'
{
	map 1.000001 FROM_DEVICE 77ec5000 4096 77ec5000
	unmap 1.000002 FROM_DEVICE 77ec5000 4096
	unmap 1.000003 FROM_DEVICE 77ec5000 4096
} >double.txt
sure "a real second unmap" double.txt double-unmap

# ---- one capture twice ----------------------------------------------------------------------------
refused "a trace.dat and its text" 2 'holds the same events as' analyze "$fixtures/twin-7.2.dat" \
	"$fixtures/twin-7.2.txt"
gzip -c "$fixtures/twin-7.2.txt" >twin.txt.gz
refused "a text and the same one packed" 2 'holds the same events as' analyze \
	"$fixtures/twin-7.2.txt" twin.txt.gz
cp "$fixtures/twin-7.2.dat" copy.dat
refused "a file and its copy" 2 'holds the same events as' analyze "$fixtures/twin-7.2.dat" copy.dat
{
	for i in 1 2 3 4; do
		map "1.0000${i}1" FROM_DEVICE "77ec${i}000" 4096 "2be${i}000"
		unmap "1.0000${i}5" FROM_DEVICE "77ec${i}000" 4096
	done
} >good.txt
unsure "a healthy text" good.txt
cat good.txt good.txt >twice.txt
refused "a text with itself behind it" 3 'come once more' analyze twice.txt
sed p good.txt >doubled.txt
refused "a text whose lines are doubled" 3 'lines come twice' analyze doubled.txt

# ---- two traces in one text -----------------------------------------------------------------------
{
	head_of 8 && cat good.txt
	head_of 2 && map 0.900001 FROM_DEVICE 5000 4096 5000 && unmap 0.900002 FROM_DEVICE 5000 4096
} >two-boots.txt
refused "a second header, and time goes back" 3 'another trace begins' analyze two-boots.txt
{
	map 1.000001 FROM_DEVICE 5000 4096 5000
	map 1.000002 FROM_DEVICE 6000 4096 6000
	map 1.000003 FROM_DEVICE 7000 4096 7000
	map 0.900001 FROM_DEVICE 8000 4096 8000
	unmap 0.900002 FROM_DEVICE 8000 4096
	unmap 0.900003 FROM_DEVICE 8000 4096
	unmap 0.900004 FROM_DEVICE 5000 2048
} >boots.txt
unsure "two boots without a header" boots.txt "time goes back"
{
	head_of 3 && map 1.000001 FROM_DEVICE 5000 4096 5000
	map 1.000002 FROM_DEVICE 6000 4096 6000
	unmap 1.000003 FROM_DEVICE 6000 4096
	head_of 2 && unmap 2.000001 FROM_DEVICE 5000 2048
	unmap 2.000002 FROM_DEVICE 6000 4096
} >two-dumps.txt
unsure "two dumps one after the other" two-dumps.txt 'several dumps'
{
	head_of 4 && CPU=0 map 1.000001 FROM_DEVICE 5000 4096 5000
	CPU=0 unmap 1.000003 FROM_DEVICE 5000 4096
	head_of 4 && CPU=1 map 1.000002 FROM_DEVICE 6000 4096 6000
	CPU=1 unmap 1.000004 FROM_DEVICE 6000 2048
} >per-cpu.txt
sure "per_cpu/cpu*/trace are one buffer" per-cpu.txt unmap-size-mismatch

# ---- lines that are not whole ---------------------------------------------------------------------
{
	event 1.000001 map 'IOMMU: iova=0x00000000fff00000 - 0x00000000fff10000 paddr=0x0000000002be3000 size=65536'
	event 1.000002 unmap 'IOMMU: iova=0x00000000fff00000 - 0x00000000fff10000 size=65536 unmapped_size=65'
	cat good.txt
} >torn-size.txt
unsure "the last digits of a size" torn-size.txt 'last digits are missing'
{
	for i in 1 2 3 4 5 6; do
		map "1.0000${i}1" FROM_DEVICE "77ec${i}000" 4096 "2be${i}000"
		unmap "1.0000${i}3" TO_DEVICE "88ec${i}000" 512
		unmap "1.0000${i}5" FROM_DEVICE "77ec${i}000" 4096
	done
} >whole.txt
column=$(grep -m1 'dma_unmap.*FROM' whole.txt | tr -d '\n' | wc -c) # these are whole, and look as if they were not
cut -c "1-$column" whole.txt >columns.txt
unsure "lines cut at a column" columns.txt "cut at column $column"

{
	head_of 16
	for i in 1 2 3 4 5 6 7 8; do
		TASK=e map "1.0000${i}1" TO_DEVICE "77ec${i}000" 4096 "2be${i}000"
		TASK=e unmap "1.0000${i}5" TO_DEVICE "77ec${i}000" 4096
	done
} >spaces.txt
sed 's/ \{4,\}/\t/g' spaces.txt >tabs.txt
sed 's/\t/\t(\t26)\t/2' tabs.txt >tgids.txt # of option record-tgid
for file in tabs.txt tgids.txt; do
	unsure "tabs in place of blanks, $file" $file
	if grep -Eq '^events +16 ' out; then ok "all events of $file"; else
		not_ok "all events of $file" "$(grep '^events' out)"
	fi
done
{
	event 1.000001 dma_alloc "$dev dir=BIDIRECTIONAL dma_addr=1000 size=4096 virt_addr=0xffff888000001000 flags=GFP_KERNEL attrs="
	event 1.000002 dma_free "$dev dir=BIDIRECTIONAL dma_addr=1000 size=4096 virt_addr=0xffff888000001000 attrs="
	event 1.000003 dma_alloc "0000:IONAL dma_addr=1000 size=4096 virt_addr=0xffff888000001000 flags=GFP_KERNEL attrs="
	event 1.000004 dma_free "$dev dir=BIDIRECTIONAL dma_addr=1000 size=4096 virt_addr=0xffff888000001000 attrs="
} >torn-dir.txt
unsure "a direction that was torn out" torn-dir.txt 'no direction'
{
	echo "sh 86 [000] 1.000001: dma:dma_map_phys: $dev dir=FROM_DEVICE dma_addr=5000 size=4096 phys_addr=5000 attrs="
	echo "sh 86 [000] 1.000002: dma:dma_unmap_phys: $dev dir=FROM_DEVICE dma_addr=5000 size=4096 attrs="
	echo "_map_phys: $dev dir=FROM_DEVICE dma_addr=5000 size=4096 phys_addr=5000 attrs="
	echo "sh 86 [000] 1.000004: dma:dma_unmap_phys: $dev dir=FROM_DEVICE dma_addr=5000 size=4096 attrs="
} >torn-perf.txt
unsure "the rest of a torn line of perf script" torn-perf.txt 'rest of a torn line'
{ head_of 4 && cat double.txt; } >counted.txt
unsure "lines that the header counts and are not there" counted.txt 'its header counts 4 entries, and 3'
{
	head_of 2
	event 1.000001 dma_map_phys 'nothing that is expected here'
	event 1.000002 dma_unmap_phys 'nothing that is expected here'
} >unusable.txt
refused "no line can be used: why" 3 'none of its 2 event lines can be used.*a word is missing' analyze unusable.txt

# ---- a trace that began late ----------------------------------------------------------------------
{
	map 1.000001 TO_DEVICE 3064000 512 3064000
	unmap 1.000002 TO_DEVICE 3064000 4096
	unmap 1.000003 TO_DEVICE 3064000 512
} >late.txt
unsure "it began between two maps of one page" late.txt
{
	unmap 1.000001 FROM_DEVICE 398e000 6944
	map 1.000002 FROM_DEVICE 30e0000 3312 30e0000
	unmap 1.000003 FROM_DEVICE 30e0000 3312
	sync 1.000004 FROM_DEVICE 30e0100 64
} >late-sync.txt
unsure "a sync of what may be an older mapping's" late-sync.txt

# Behind an IOMMU an address is free before its unmap is logged: the next owner's map may come between.
{
	event 0.900001 map 'IOMMU: iova=0x00000000fff00000 - 0x00000000fff01000 paddr=0x0000000002be3000 size=4096'
	map 0.900002 FROM_DEVICE fff00000 4096 2be3000
	unmap 0.900003 FROM_DEVICE fff00000 4096
	event 1.000000 map 'IOMMU: iova=0x00000000ffe00000 - 0x00000000ffe01000 paddr=0x0000000002be4000 size=4096'
	map 1.000001 FROM_DEVICE ffe00000 2048 2be4000
	CPU=1 unmap 1.000003 TO_DEVICE ffe00000 512
} >late-owner.txt
"$DMASCOPE" analyze -q late-owner.txt >out 2>err
if grep -Eq '^- error unmap-size-mismatch: .*\(likely\)' out; then ok "an unmap that differs, on another CPU"; else
	not_ok "an unmap that differs, on another CPU" "$(grep '^- ' out | head -2 | tr '\n' ';')"
fi
{ cat late-owner.txt && unmap 1.500000 FROM_DEVICE ffe00000 2048; } >late-owners.txt
unsure "its own unmap comes, too: it was its owner's before" late-owners.txt

# ---- what may be read and written -----------------------------------------------------------------
echo "my notes" >notes.txt
refused "convert: another file is not overwritten" 2 'is no trace.dat: it is not overwritten' \
	convert good.txt -o notes.txt
if [ "$(cat notes.txt)" = "my notes" ]; then ok "it is what it was"; else not_ok "it is what it was" "changed"; fi
cp "$fixtures/twin-7.2.dat" own.dat
"$DMASCOPE" convert - -o own.dat <own.dat >out 2>err
if [ $? -eq 2 ] && cmp -s "$fixtures/twin-7.2.dat" own.dat; then ok "convert: standard input is the output"; else
	not_ok "convert: standard input is the output" "$(head -1 err)"
fi
"$DMASCOPE" convert -q good.txt -o own.dat 2>err || not_ok "convert: over a trace.dat" "$(head -1 err)"
if [ -c /dev/zero ]; then
	refused "a device is no kernel log" 3 'not a regular file' analyze good.txt --kernel-log /dev/zero
fi
if [ -r /proc/kallsyms ]; then
	refused "a file of proc has no size, and is read" 3 'table of kernel symbols' analyze /proc/kallsyms
fi
head -c 3000000 /dev/zero | gzip -c >bomb.gz
DMASCOPE_MAX_UNPACKED=1M refused "what unpacks to more than is allowed" 3 \
	'more than 1048576 bytes when unpacked.*DMASCOPE_MAX_UNPACKED' analyze bomb.gz
head -c 300000000 /dev/zero | gzip -1c >bomb.gz
refused "what unpacks to 200 times its size" 3 'more than 268435456 bytes' analyze bomb.gz
if [ -z "$(ls -A tmp)" ]; then ok "nothing is left behind"; else not_ok "nothing is left behind" "$(ls tmp)"; fi
head -c -1000 "$fixtures/stock-6.12-rmmod.dat" >cut.dat
"$DMASCOPE" doctor cut.dat >out 2>err
if grep -q '^file .*missing .*cut.dat is' out; then ok "doctor names a truncated file"; else
	not_ok "doctor names a truncated file" "$(sed -n 3p out) $(head -1 err)"
fi
"$DMASCOPE" doctor good.txt >out 2>err
if grep -q 'did not happen' out && ! grep -q 'record with -[eTC] [^d]' out; then ok "doctor of a text"; else
	not_ok "doctor of a text" "$(grep -m1 'with -' out)"
fi

exit $failed

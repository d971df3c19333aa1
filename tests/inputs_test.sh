#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What may be given: compressed files, pipes, standard input, and several files that are recognised.
# shellcheck disable=SC2002 # pipes are what is tested
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

ok() { echo "ok - $1"; }
not_ok() {
	echo "not ok - $1: $2"
	failed=1
}
# refused NAME CODE PATTERN ARG...: nothing on stdout, one line on stderr
refused() {
	local name=$1 code=$2 pattern=$3 got
	shift 3
	timeout 60 "$DMASCOPE" "$@" >out 2>err </dev/null
	got=$?
	if [ $got -ne "$code" ]; then
		not_ok "$name" "exit $got, not $code: $(head -1 err)"
	elif [ -s out ] || [ "$(wc -l <err)" -ne 1 ]; then
		not_ok "$name" "stdout or more than a line: $(head -2 err)"
	elif ! grep -Eq -e "$pattern" err; then
		not_ok "$name" "says: $(cat err)"
	else
		ok "$name"
	fi
}
# same NAME WANT GOT
same() {
	if [ -s "$2" ] && cmp -s "$2" "$3"; then ok "$1"; else
		not_ok "$1" "$(diff "$2" "$3" 2>&1 | head -3 | tr '\n' ';')"
	fi
}
# summary FILE...: what is found, without what the files are called
summary() {
	"$DMASCOPE" analyze -q --format json "$@" 2>>err | jq -S 'del(.inputs)'
}
# says NAME PATTERN FILE
says() {
	if grep -Eq -e "$2" "$3"; then ok "$1"; else not_ok "$1" "not in: $(head -3 "$3" | tr '\n' ';')"; fi
}

pack() { # pack TOOL IN: the packed file's name
	case $1 in
	gzip) gzip -c "$2" >"$2.gz" && echo "$2.gz" ;;
	xz) xz -1c "$2" >"$2.xz" && echo "$2.xz" ;;
	zstd) zstd -qfc "$2" >"$2.zst" && echo "$2.zst" ;;
	esac
}

for tool in jq gzip xz zstd sqlite3; do
	if ! command -v $tool >/dev/null; then
		echo "skip - inputs: $tool is not installed"
		exit 0
	fi
done

# ---- compressed, and through pipes -------------------------------------------------------------
cp "$fixtures/stock-6.12-zoo.dat" v6.dat
cp "$fixtures/s390x-7.2-v7-zstd.dat" v7.dat
cp "$fixtures/lab-7.2-fault.dat" fault.dat
cp "$fixtures/lab-7.2-fault.log" fault.log
for trace in v6.dat v7.dat; do
	summary $trace >want
	for tool in gzip xz zstd; do
		packed=$(pack $tool $trace)
		summary "$packed" >got
		same "$tool of $trace" want got
		cat "$packed" | summary - >got # a pipe and not a file
		same "$tool of $trace through a pipe" want got
		summary - <"$packed" >got
		same "$tool of $trace as standard input" want got
	done
	summary - <$trace >got
	same "$trace as standard input" want got
	cat $trace | summary - >got
	same "$trace through a pipe" want got
	summary <(zcat $trace.gz) >got
	same "$trace by process substitution" want got
	mkfifo fifo && { cat $trace >fifo & }
	summary fifo >got
	same "$trace through a FIFO" want got
	rm -f fifo
done
{ printf 'X' && cat v6.dat; } >shifted
summary v6.dat >want
{ dd bs=1 count=1 status=none of=/dev/null && summary -; } <shifted >got
same 'standard input that was read in part' want got
gzip -c v6.dat | split -b 15000 - part. && cat part.* | "$DMASCOPE" analyze -q - >text
says 'standard input is called so' '^input +standard input \(trace.dat v6, in gzip\)$' text
{ head -c 150000 v6.dat | gzip && tail -c +150001 v6.dat | gzip; } >members.gz
summary members.gz >got
same 'a gzip file of two members' want got
{ head -c 150000 v6.dat | zstd -q && tail -c +150001 v6.dat | zstd -q; } >frames.zst
summary frames.zst >got
same 'a zstd file of two frames' want got

# ---- identity ----------------------------------------------------------------------------------
hash_of() {
	rm -f run.db
	"$DMASCOPE" analyze -q -o run.db "$@" >/dev/null 2>err && sqlite3 run.db 'SELECT hash, size_bytes FROM input_file'
}
hash_of v6.dat >want
hash_of - <v6.dat >got
same 'hash of standard input' want got
cat v6.dat | hash_of - >got
same 'hash of a pipe' want got
hash_of v6.dat.gz >want
cat v6.dat.gz | hash_of - >got
same 'hash of a compressed pipe' want got
if [ "$(cut -d'|' -f2 want)" = "$(stat -c %s v6.dat.gz)" ]; then ok 'size as given'; else
	not_ok 'size as given' "$(cat want)"
fi
if command -v xxh128sum >/dev/null; then
	printf 'xxh3:%s|%s\n' "$(xxh128sum v6.dat.gz | cut -d' ' -f1)" "$(stat -c %s v6.dat.gz)" >got
	same 'hash as xxh128sum has it' want got
else
	echo 'skip - hash as xxh128sum has it: it is not installed'
fi

# ---- damage ------------------------------------------------------------------------------------
for tool in gzip xz zstd; do
	packed=$(pack $tool v6.dat)
	head -c 20000 "$packed" >cut.pack
	refused "$tool, truncated" 3 "^dmascope: cut.pack: at offset 0x4e20 of its $tool data: truncated: .*--salvage" analyze cut.pack -o cut.db
	"$DMASCOPE" analyze -q --salvage cut.pack >text 2>err
	if [ $? -eq 0 ] && grep -q 'cut.pack is damaged in .*at offset 0x4e20' text && grep -Eq '^events +[0-9,]+ of DMA' text; then
		ok "$tool, salvaged"
	else
		not_ok "$tool, salvaged" "$(head -1 err)"
	fi
	head -c 20 "$packed" >cut.pack
	refused "$tool, nothing left" 3 "cut.pack: at offset 0x14 of its $tool data: truncated" analyze --salvage cut.pack
	{ head -c 15000 "$packed" && printf 'rubbishrubbish' && tail -c +15015 "$packed"; } >bad
	refused "$tool, damaged" 3 "^dmascope: bad: at offset 0x[0-9a-f]+ of its $tool data: " analyze bad
	: >empty && pack $tool empty >/dev/null
done
refused 'nothing inside' 3 'empty.gz: is empty' analyze empty.gz
refused 'nothing in a pipe' 3 'standard input: is (empty|not a regular file)' analyze -
zstd -qc v6.dat.gz >twice.zst
refused 'compressed twice' 3 'twice.zst: unpacked, it is compressed again, with gzip' analyze twice.zst
TMPDIR=/nonexistent refused 'no folder for copies' 4 'v6.dat.gz: no temporary file in /nonexistent .*TMPDIR' analyze v6.dat.gz
if [ -w /dev/full ] && mkdir -p small && mount -t tmpfs -o size=64k tmpfs small 2>/dev/null; then
	TMPDIR=$work/small refused 'no room for the copy' 4 'v6.dat.gz: writing its copy .*No space left' analyze v6.dat.gz
	umount small
else
	echo 'skip - no room for the copy: no small file system can be mounted here'
fi
if [ -z "$(ls -A tmp)" ]; then ok 'nothing is left behind'; else not_ok 'nothing is left behind' "$(ls tmp)"; fi

# ---- several files -----------------------------------------------------------------------------
cat >devices.txt <<-END
	# an inventory
	0000:00:03.0 nvme iommu_group=3 dma_mask_bits=64
	0000:00:05.0 e1000e iommu_group=5 dma_mask_bits=64
END
cat >iomem <<-END
	00000000-00000fff : Reserved
	00001000-0009fbff : System RAM
	00100000-7ffdbfff : System RAM
	  01000000-01ffffff : Kernel code
	  02000000-02a48fff : Kernel rodata
END
cat >dump <<-END
	e1000e 0000:00:05.0 single idx 0 P=0x7bc0800 D=0x7bc0800 L=0x5ea cln=0x1ef020 DMA_FROM_DEVICE attrs=0x0 dma map error checked
	nvme 0000:00:03.0 coherent idx 1 P=0x1234000 D=0x1234000 L=0x1000 cln=0x48d00 DMA_BIDIRECTIONAL attrs=0x0 dma map error check not applicable
END
"$DMASCOPE" analyze -q --format json v6.dat --inventory devices.txt --iomem iomem --dump-seed dump --kernel-log fault.log 2>err >want
if [ -s want ]; then ok 'side files by options'; else not_ok 'side files by options' "$(cat err)"; fi
for order in 'v6.dat devices.txt iomem dump fault.log' 'fault.log dump iomem devices.txt v6.dat' \
	'iomem v6.dat dump fault.log devices.txt'; do
	# shellcheck disable=SC2086 # words
	"$DMASCOPE" analyze -q --format json $order 2>err >got
	same "recognised: $order" want got
done
"$DMASCOPE" analyze -v v6.dat devices.txt iomem dump fault.log 2>err >/dev/null
for line in 'v6.dat: taken for a trace: trace.dat v6' 'devices.txt: taken for a device inventory' \
	'iomem: taken for a copy of /proc/iomem' 'dump: taken for a copy of dma-api/dump' 'fault.log: taken for a kernel log'; do
	says "-v: $line" "^dmascope: $line\$" err
done
for name in devices.txt iomem dump fault.log; do gzip -kf $name; done
"$DMASCOPE" analyze -q --format json v6.dat devices.txt.gz iomem.gz dump.gz fault.log.gz 2>err >got
same 'compressed side files' want got
"$DMASCOPE" analyze -q --format json v6.dat --inventory devices.txt.gz --iomem <(cat iomem) --dump-seed dump.gz --kernel-log - <fault.log 2>err >got
same 'compressed side files by options' want got
"$DMASCOPE" analyze -q --format json v6.dat <(cat devices.txt) <(gzip -c iomem) <(cat dump) - <fault.log 2>err >got
same 'side files out of pipes' want got
sed 's/iommu_group=3/iommu_group=x/' devices.txt | gzip >malformed.gz
refused 'a malformed inventory, compressed' 3 '^dmascope: malformed.gz: line 2' analyze v6.dat malformed.gz
head -c 60 fault.log.gz >cut.gz
refused 'a kernel log, truncated' 3 'cut.gz: at offset 0x3c of its gzip data: truncated' analyze v6.dat cut.gz

# The recorder writes the inventory into the trace, and older ones many lines at once: first of all a dump shows those.
{
	for n in {1..80}; do
		mark="dmascope-inventory: platform-$n - bus=platform coherent=1"
		if ((n == 1)); then echo "            bash-9       [000]    46.029331: print:                tracing_mark_write: $mark"; else echo "$mark"; fi
	done
	echo '            bash-9       [000]    47.000001: dma_map_page: 0000:00:01.0 dir=TO_DEVICE dma_addr=798bc000 size=64 phys_addr=798bc000 attrs='
} >marked.txt
"$DMASCOPE" analyze -q --format json marked.txt 2>err >got
if [ "$(jq '.devices | map(.maps) | add' got)" = 1 ]; then ok 'a trace that begins with an inventory'; else
	not_ok 'a trace that begins with an inventory' "$(cat err)"
fi

# ---- what does not go together -------------------------------------------------------------------
cp devices.txt other.txt
refused 'two inventories' 2 'devices.txt and other.txt: each is a device inventory; give one' analyze v6.dat devices.txt other.txt
refused 'an inventory both ways' 2 'other.txt is a device inventory, and --inventory names devices.txt' analyze v6.dat other.txt --inventory devices.txt
refused 'a kernel log both ways' 2 'fault.log is a kernel log, and --kernel-log names fault.log.gz' analyze v6.dat fault.log --kernel-log fault.log.gz
refused 'a file twice' 2 './v6.dat is given twice, also as v6.dat' analyze v6.dat ./v6.dat
refused 'standard input twice' 2 'given twice' analyze - -
refused 'standard input twice, once by an option' 2 'standard input can be read once' analyze - --kernel-log -
refused 'only a kernel log' 3 'fault.log: is a kernel log without an ftrace dump in it: a trace is needed' analyze fault.log
refused 'only a kernel log for doctor' 3 'fault.log: is a kernel log' doctor fault.log
refused 'only side files' 3 'is a device inventory: a trace is needed' analyze devices.txt iomem
echo 'hello, world' >hello
refused 'something else beside a trace' 3 '^dmascope: hello: at offset 0: not a trace .*kernel log, device inventory' analyze v6.dat hello

# ---- kernel symbols ------------------------------------------------------------------------------
cp "$fixtures/oracle-ctl_sg-stack.dat" stack.dat
printf '%s\n' 'hello' >nosymbols
refused 'no symbols' 3 'nosymbols: at offset 0: expected kernel symbols' analyze stack.dat --kallsyms nosymbols
refused 'no such symbols' 3 'none: No such file' analyze stack.dat --kallsyms none
printf '\177ELF\2\1\1' >vmlinux
refused 'a vmlinux' 3 'vmlinux: is an ELF file.*nm vmlinux' analyze stack.dat --kallsyms vmlinux
names_of() { # names_of ARG...: function, and how often it stands in a stack
	rm -f run.db
	"$DMASCOPE" analyze -q -o run.db stack.dat "$@" >text 2>err &&
		sqlite3 run.db 'SELECT name, count(*) FROM frame JOIN symbol ON symbol.id = symbol_id GROUP BY name ORDER BY 1' 2>>err
}
names_of >want
if [ -s want ]; then ok 'names of the trace'; else not_ok 'names of the trace' "$(head -1 err)"; fi
sqlite3 run.db "SELECT printf('%016x t %s', address, name) ||
	CASE WHEN module IS NULL THEN '' ELSE char(9) || '[' || module || ']' END FROM symbol ORDER BY address" >own.map
names_of --kallsyms own.map >got
same 'symbols given' want got
gzip -kf own.map
names_of own.map.gz >got
same 'symbols given, compressed, recognised' want got
names_of --kallsyms <(cat own.map) >got
same 'symbols given by a pipe' want got
printf '%s\n' 'c000000000000000 T _text' 'c000000000001000 T nowhere' >strange.map
"$DMASCOPE" analyze -q stack.dat --kallsyms strange.map >text 2>err
says 'symbols of another kernel' 'are no function of strange.map: it is of another kernel' text

exit $failed

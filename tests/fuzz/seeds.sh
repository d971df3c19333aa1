#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Seeds for one fuzz target: fixtures unpacked, small files of the generator, what the program makes.
#
# seeds.sh TARGET FOLDER; BUILD and SRCDIR as tests get them. What it cannot make is not there.
set -u
: "${BUILD:?}" "${SRCDIR:?}"
target=$1 folder=$2
fixtures=$SRCDIR/tests/fixtures
program=$BUILD/dmascope
mkdir -p "$folder" || exit 1

# unpacked FILE: its bytes, whatever packed them
unpacked() {
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*.zst) zstd -qdc "$1" ;;
	*) cat "$1" ;;
	esac
}

# unpack PATTERN: every fixture whose name fits
unpack_fixtures() {
	local file name
	for file in "$fixtures"/$1; do
		name=${file##*/}
		unpacked "$file" >"$folder/$name.seed"
	done
}

generate() {
	local version
	for version in 6 7; do
		"$BUILD/tools/tracegen" -o "$folder/gen$version.seed" --events 200 --cpus 2 \
			--file-version $version --stacks --syncs >/dev/null
		"$BUILD/tools/tracegen" -o "$folder/genz$version.seed" --events 200 --cpus 2 \
			--file-version $version >/dev/null
	done
}

# database FIXTURE NAME
database() {
	"$program" analyze "$fixtures/$1" -o "$folder/$2" --quiet >/dev/null 2>&1
}

tracedat() {
	unpack_fixtures '*.dat'
	generate
}
perf() { unpack_fixtures '*.data.xz'; }
# Small pieces of whole lines: what is found in one is found soon.
text() {
	local file name
	for file in "$fixtures"/*.txt*; do
		name=${file##*/}
		unpacked "$file" | split -C 6000 -a 3 - "$folder/$name."
	done
}
textline() { text; }
unpack_target() { cp "$fixtures"/*.xz "$fixtures"/*.gz "$fixtures"/*.zst "$folder"; }

inventory() {
	sed -n '/^\.nf/,/^\.fi/p' "$SRCDIR"/man/dmascope-inventory.5 | grep -v '^\.' |
		tr -d '\\' >"$folder/man.seed"
}

iomem() {
	printf '%s\n' '00001000-0009fbff : System RAM' '000a0000-000bffff : PCI Bus 0000:00' \
		'00100000-bffdffff : System RAM' '  01000000-01ffffff : Kernel code' \
		'  02000000-027fffff : Kernel rodata' 'fec00000-fec003ff : IOAPIC 0' >"$folder/a.seed"
}

kallsyms() {
	printf '%s\n' 'ffffffff81000000 T _text' 'ffffffff81000000 T _stext' \
		'ffffffff8109a1b0 t dma_map_page_attrs' 'ffffffff82000000 B _end' \
		'ffffffffc0001000 t e1000_xmit_frame	[e1000]' 'ffffffff81000000 T _text' \
		'ffffffff81000000 T _stext' '0000000000000000 A fixed_percpu_data' >"$folder/a.seed"
}

side() {
	local file
	for file in "$fixtures"/*.log "$fixtures"/klog-oracle.txt; do
		{ printf 'l' && cat "$file"; } >"$folder/${file##*/}.seed"
	done
	printf '%s\n' 'e1000 0000:00:03.0 single idx 0 P=2b6f040 D=102b6f040 L=5ea DMA_TO_DEVICE dma map error checked' \
		'nvme 0000:00:05.0 coherent idx 7 P=1 N=2 D=fffff000 L=1000 DMA_BIDIRECTIONAL dma map error not applicable' |
		sed '1s/^/d/' >"$folder/dump.seed"
}

# As fuzz_fleet.c says: a letter for what it is, a byte for how the request went.
fleet() {
	printf 'a0a\tb\nUInt64\tNullable(String)\n18446744073709551615\tx\\ty\\n\n1\t\\N\n' >"$folder/rows.seed"
	printf 'a1host\tshare\tn\nString\tFloat64\tInt32\nlab\t1.5\t-2\nlab2\tnan\t0\n' >"$folder/figures.seed"
	printf 'a2Code: 60. DB::Exception: Table a.b does not exist. (UNKNOWN_TABLE)\n' >"$folder/error.seed"
	printf 'p0%032d\n%032d\n' 0 1 >"$folder/ids.seed"
	printf 'p3Code: 252. DB::Exception: Too many parts\n' >"$folder/busy.seed"
	printf 'c# ours\nuser joe\npassword\ta b\n' >"$folder/credentials.seed"
	printf 'qSELECT {runs} FROM runs WHERE {runs} AND x = {device}' >"$folder/query.seed"
	printf 's%032d.db\n%032d.db.part\n.lock\n.db\nREADME\n' 0 1 >"$folder/spool.seed"
}

config() {
	local file
	for file in "$SRCDIR"/examples/*.y*ml "$SRCDIR"/examples/*/*.y*ml; do
		[ -f "$file" ] && cp "$file" "$folder"
	done
	printf '%s\n' 'thresholds:' '  lifetime_p99: {relative: 0.5, absolute: 1000, samples: 20}' \
		'device-kinds:' '  - {match: "0000:*", kind: pci}' 'suppressions:' '  - name: a' \
		'    rule: "unmap-*"' '    driver: e1000' '    frames: [a, "...", b]' \
		'    reason: known' '    expires: 2030-01-01' >"$folder/a.seed"
}

baseline() {
	local name
	for name in lab-7.2-fault stock-6.12-rmmod twin-7.2-stack; do
		database "$name.dat" "$name.db" &&
			"$program" baseline "$folder/$name.db" >"$folder/$name.seed"
		rm -f "$folder/$name.db"
	done
}

# Whole databases, with small pages: the other kind of input is made of any bytes.
database_target() {
	local name
	for name in lab-7.2-fault oracle-unmap_size_small; do
		database "$name.dat" "$name.seed" &&
			sqlite3 "$folder/$name.seed" 'DELETE FROM series WHERE start_ns % 13;
				DELETE FROM frame WHERE stack_id % 5; PRAGMA page_size = 512; VACUUM'
	done
	for name in 1 2 3; do
		head -c 64 "$program" | od -An -tx1 | head -c $((name * 20)) >"$folder/edit$name.seed"
	done
}

case $target in
unpack | database) "${target}_target" ;;
*) "$target" ;;
esac

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What `dmascope convert` writes is what was read: for dmascope, trace-cmd and libtracecmd.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${BUILD:?}" "${SRCDIR:?}"
fixtures=$SRCDIR/tests/fixtures
shared=$SRCDIR/../shared/traces
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - convert: $1"; }
not_ok() {
	echo "not ok - convert: $1: $2"
	failed=1
}
# verdict NAME FILE: FILE is a diff, empty if all is well
verdict() {
	if [ -s "$2" ]; then not_ok "$1" "$(grep -m1 '^[<>]' "$2" | cut -c1-200)"; else ok "$1"; fi
}
convert() { "$DMASCOPE" convert -q "$@" 2>"$work/err"; }

# The whole database, but for what names the file, its writer and its stacks' records.
dump_of() {
	rm -f "$work/dump.db"
	"$DMASCOPE" analyze -q --events -o "$work/dump.db" "$1" >/dev/null 2>"$work/err" ||
		echo "analyze failed: $(head -1 "$work/err")"
	sqlite3 "$work/dump.db" .dump | grep -v "^INSERT INTO input_file\|'recorder'"
}
# The same, where a container tells more than another: mappings, findings, stacks, losses.
lives_of() {
	rm -f "$work/dump.db"
	"$DMASCOPE" analyze -q -o "$work/dump.db" "$1" >/dev/null 2>"$work/err" ||
		echo "analyze failed: $(head -1 "$work/err")"
	sqlite3 "$work/dump.db" 'SELECT * FROM mapping ORDER BY id; SELECT * FROM finding ORDER BY id;
		SELECT * FROM frame ORDER BY 1, 2; SELECT * FROM symbol ORDER BY 1; SELECT * FROM gap'
}
report_of() { trace-cmd report -t "$1" 2>/dev/null | grep -v '^cpus=\|^version = '; }

if ! command -v sqlite3 >/dev/null || ! command -v trace-cmd >/dev/null; then
	echo 'skip - convert: sqlite3 or trace-cmd is missing'
	exit 0
fi

# ---- trace.dat to trace.dat ---------------------------------------------------------------------

# same_trace NAME FILE OPTION...
same_trace() {
	local name=$1 from=$2
	shift 2
	if ! convert "$from" -o "$work/out.dat" "$@"; then
		not_ok "$name" "$(head -1 "$work/err")"
		return
	fi
	dump_of "$from" >"$work/a" # one after the other: they share a database's name
	dump_of "$work/out.dat" >"$work/b"
	diff "$work/a" "$work/b" >"$work/diff"
	diff <(report_of "$from") <(report_of "$work/out.dat") >>"$work/diff"
	[ -n "$(report_of "$work/out.dat" | head -1)" ] || echo '< no report' >>"$work/diff"
	verdict "$name" "$work/diff"
}

for file in "$fixtures"/*.dat; do
	name=${file##*/}
	same_trace "$name as version 6" "$file"
	same_trace "$name as version 7, zstd" "$file" --compression zstd
done
same_trace 'version 7, not compressed' "$fixtures/stock-6.12-zoo.dat" --file-version 7

tracegen=$BUILD/tools/tracegen
count_events=$BUILD/tools/count_events
if [ -x "$tracegen" ] && [ -x "$count_events" ]; then
	while read -r name options; do
		# shellcheck disable=SC2086 # options are words
		"$tracegen" -o "$work/$name.dat" --events 8000 $options >/dev/null
		same_trace "losses, $name" "$work/$name.dat"
		report_of "$work/out.dat" | grep -q 'EVENTS DROPPED' ||
			not_ok "losses, $name" 'none is marked'
		diff <("$count_events" "$work/$name.dat") <("$count_events" "$work/out.dat") \
			>"$work/diff" 2>&1
		verdict "libtracecmd counts $name" "$work/diff"
	done <<-'END'
		stacks --stacks --lost 0.05
		big-endian --big-endian --lost 0.05 --gap 300000000
		version-7 --lost 0.2 --file-version 7 --compression zstd --clock counter
		large-pages --page-size 65536 --lost 0.3
	END
else
	echo 'skip - convert: losses: tracegen or count_events is missing'
fi

# ---- damage, full disks ---------------------------------------------------------------------------

zoo=$fixtures/stock-6.12-zoo.dat
head -c 300000 "$zoo" >"$work/cut.dat"
rm -f "$work/out.dat"
convert "$work/cut.dat" -o "$work/out.dat"
code=$?
if [ $code = 3 ] && [ ! -e "$work/out.dat" ] && grep -q -- '--salvage converts' "$work/err"; then
	ok 'a truncated file needs --salvage'
else
	not_ok 'a truncated file needs --salvage' "exit $code: $(cat "$work/err")"
fi
"$DMASCOPE" convert --salvage "$work/cut.dat" -o "$work/out.dat" 2>"$work/err"
code=$?
n=$(report_of "$work/out.dat" | wc -l)
if [ $code = 0 ] && [ "$n" = 2868 ] && grep -q 'truncated' "$work/err"; then
	ok '--salvage keeps what is left, and says what is missing'
else
	not_ok '--salvage keeps what is left, and says what is missing' "exit $code, $n events"
fi

# full KIB NAME: the disk is full behind that many KiB
full() {
	local code
	mkdir -p "$work/full"
	(
		trap '' XFSZ
		ulimit -f "$1"
		"$DMASCOPE" convert -q "$zoo" -o "$work/full/out.dat" 2>"$work/err"
	)
	code=$?
	if [ $code = 4 ] && grep -q "$2.*File too large" "$work/err" &&
		[ -z "$(ls -A "$work/full")" ]; then
		ok "a full disk ($2) leaves nothing behind"
	else
		not_ok "a full disk ($2) leaves nothing behind" \
			"exit $code, $(find "$work/full" -type f): $(cat "$work/err")"
	fi
}
full 40 'the temporary file'
convert "$zoo" -o "$work/out.dat"
full $(($(stat -c %s "$work/out.dat") / 1024 - 1)) 'writing'

# ---- command line ---------------------------------------------------------------------------------

# refused NAME CODE WORDS ARGUMENT...
refused() {
	local name=$1 want=$2 words=$3 code
	shift 3
	"$DMASCOPE" convert -q "$@" >/dev/null 2>"$work/err"
	code=$?
	if [ $code = "$want" ] && grep -q -- "$words" "$work/err"; then
		ok "refused: $name"
	else
		not_ok "refused: $name" "exit $code: $(cat "$work/err")"
	fi
}
cp "$zoo" "$work/in.dat"
ln -f "$work/in.dat" "$work/link.dat"
"$DMASCOPE" analyze -q -o "$work/run.db" "$zoo" >/dev/null
refused 'no output' 2 'is needed' "$zoo"
refused 'standard output' 2 'regular file' "$zoo" -o -
refused 'a device' 2 'regular file' "$zoo" -o /dev/null
refused 'the input as output' 2 'also to be read' "$work/in.dat" -o "$work/link.dat"
refused 'a file twice' 2 'given twice' "$work/in.dat" "$work/link.dat" -o "$work/out.dat"
refused 'version 6, compressed' 2 'version 7' "$zoo" -o "$work/out.dat" --compression zstd \
	--file-version 6
refused 'no such folder' 4 'No such file' "$zoo" -o "$work/none/out.dat"
refused 'no trace' 3 'expected a trace' "$work/run.db" -o "$work/out.dat"
refused 'byte orders' 3 'another byte order' "$zoo" "$fixtures/s390x-7.2-v6.dat" -o "$work/out.dat"
refused 'clocks' 3 'one clock' "$zoo" "$fixtures/lab-7.2-fault.dat" -o "$work/out.dat"
refused 'kernels' 3 'of kernel' "$zoo" "$fixtures/stock-7.2-swiotlb-bind.dat" -o "$work/out.dat"
refused 'a database as output' 2 'not overwritten' "$zoo" -o "$work/run.db"
cmp -s "$zoo" "$work/in.dat" || not_ok 'refusals' 'an input was changed'

cp "$fixtures/stock-6.12-rmmod.dat" "$work/target.dat"
ln -sf target.dat "$work/symlink.dat"
convert "$zoo" -o "$work/symlink.dat"
if [ -L "$work/symlink.dat" ] && cmp -s "$work/target.dat" <(convert "$zoo" -o "$work/b.dat" &&
	cat "$work/b.dat"); then
	ok 'replaces what a symbolic link names; same input, same bytes'
else
	not_ok 'replaces what a symbolic link names; same input, same bytes' "$(cat "$work/err")"
fi

# ---- several files ----------------------------------------------------------------------------------

other=$fixtures/stock-6.12-rmmod.dat
"$DMASCOPE" convert "$zoo" "$other" -o "$work/two.dat" 2>"$work/err"
n=$(($(report_of "$zoo" | wc -l) + $(report_of "$other" | wc -l)))
# what was between the two is a loss of each CPU
if [ "$(report_of "$work/two.dat" | grep -vc 'EVENTS DROPPED')" = $n ]; then
	ok 'two files in one: all events'
else
	not_ok 'two files in one: all events' "$(report_of "$work/two.dat" | wc -l), expected $n"
fi
if report_of "$work/two.dat" | grep -q 'EVENTS DROPPED' &&
	grep -q 'nothing was recorded between' "$work/err"; then
	ok 'two files in one: the hole between them is said and marked'
else
	not_ok 'two files in one: the hole between them is said and marked' "$(head -2 "$work/err")"
fi
"$DMASCOPE" analyze -q -o "$work/two-a.db" "$zoo" "$other" >/dev/null
"$DMASCOPE" analyze -q -o "$work/two-b.db" "$work/two.dat" >/dev/null
for db in a b; do
	# one file knows nothing of the time between the two, and so of no doubt about it
	sqlite3 "$work/two-$db.db" 'SELECT id, device_id, kind, dma_addr, phys_addr, size_bytes,
		direction, attrs, map_ns, unmap_ns, map_cpu, unmap_cpu, map_pid, unmap_pid, end
		FROM mapping ORDER BY id; SELECT rule, device_id, ts_ns, message FROM finding ORDER BY id' \
		>"$work/two-$db.txt"
done
diff "$work/two-a.txt" "$work/two-b.txt" >"$work/diff"
verdict 'two files in one: the same lives' "$work/diff"

# ---- other containers ---------------------------------------------------------------------------------

# foreign FILE: perf.data or a text
foreign() {
	local name=${1##*/stock/} n want
	if ! convert "$1" -o "$work/out.dat"; then
		if grep -q 'is not read yet' "$work/err"; then
			echo "skip - convert: $name: not read yet"
		else
			not_ok "$name" "$(head -1 "$work/err")"
		fi
		return
	fi
	lives_of "$1" >"$work/a"
	want=$(sqlite3 "$work/dump.db" "SELECT sum(records) FROM tracepoint
		WHERE name <> 'kernel_stack'")
	lives_of "$work/out.dat" >"$work/b"
	diff "$work/a" "$work/b" >"$work/diff"
	verdict "$name: the same lives and stacks" "$work/diff"
	n=$(trace-cmd report "$work/out.dat" 2>/dev/null | grep '\] *[0-9][0-9.]*: [a-z_]*: ' |
		grep -vc ': kernel_stack: ')
	trace-cmd report "$work/out.dat" 2>/dev/null | grep -q 'dma_map_p[a-z]*: .*size=' ||
		not_ok "$name in trace-cmd report" 'no fields are printed'
	[ "$n" = "$want" ] || not_ok "$name in trace-cmd report" "$n events, expected $want"
}
if [ -d "$shared/stock" ]; then
	for file in "$shared"/stock/*/iommu-perf/perf-{g,plain,pipe,z}.data \
		"$shared"/stock/*/iommu-perf/text-trace{,-stack}.txt; do
		[ -s "$file" ] && foreign "$file"
	done
else
	echo 'skip - convert: perf.data and texts: the shared recordings are not there'
fi
exit $failed

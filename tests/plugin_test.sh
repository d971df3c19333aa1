#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The plugin in its real hosts: what they print with it, and the database it writes.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${BUILD:?}" "${SRCDIR:?}"
fixtures=$SRCDIR/tests/fixtures
plugin=$BUILD/plugins/dmascope.so
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - plugin: $1"; }
not_ok() {
	echo "not ok - plugin: $1: $2"
	failed=1
}
skip() { echo "skip - plugin: $1: $2"; }
# check STATUS NAME WHY
check() {
	if [ "$1" -eq 0 ]; then ok "$2"; else not_ok "$2" "$3"; fi
}

[ -f "$plugin" ] || {
	skip all "not built: libtraceevent is not here"
	exit 0
}
for tool in trace-cmd sqlite3; do
	command -v $tool >/dev/null || {
		skip all "$tool is not installed"
		exit 0
	}
done
export TRACEEVENT_PLUGIN_DIR=$BUILD/plugins
# a host that is not instrumented needs the runtime of a plugin that is
asan=$(ldd "$plugin" | awk '/libasan/ {print $3}')
# report ARGUMENT...: stdout to report.txt, talk to report.err
report() {
	LD_PRELOAD=$asan ASAN_OPTIONS=detect_leaks=0 trace-cmd report "$@" \
		>"$work/report.txt" 2>"$work/report.err"
}
zoo=$fixtures/stock-6.12-zoo.dat

# ---- what it is made of ----
exported=$(nm -D --defined-only "$plugin" | awk '{print $NF}' | sort | tr '\n' ' ')
case $exported in
"tep_plugin_alias tep_plugin_loader tep_plugin_options tep_plugin_unloader ") ok "four symbols" ;;
*) [ -n "$asan" ] && skip "four symbols" "sanitizers add theirs" ||
	not_ok "four symbols" "$exported" ;;
esac
! ldd "$plugin" | grep -q libtraceevent
check $? "the host brings libtraceevent" "it is linked"

# ---- text ----
report -i "$zoo"
check $? "report" "exit code, $(head -1 "$work/report.err")"
[ "$(grep -c 'FAILED TO PARSE' "$work/report.txt")" -eq 0 ] &&
	grep -q 'dma_map_sg: .* dir=FROM_DEVICE nents=16/16 .*phys_addrs={0x714f000,.*\[16 segments, 65536 bytes\]' \
		"$work/report.txt"
check $? "lists are text" "$(grep -m1 map_sg "$work/report.txt")"
# what stock prints well stays as it is, but for what is said behind it
TRACEEVENT_PLUGIN_DIR='' trace-cmd report -i "$zoo" 2>/dev/null |
	grep -v 'FAILED TO PARSE' >"$work/stock.txt"
grep -v 'dma_[a-z]*_sg:' "$work/report.txt" | sed 's/ \[failed\]$//' |
	cmp -s - <(grep -v 'dma_[a-z]*_sg:' "$work/stock.txt")
check $? "other lines as stock prints them" "differ"
report -i "$zoo" -O dmascope:segments=2
grep -q 'dma_addrs={0x714f000,0x7179000,...} sizes={4096,4096,...}' "$work/report.txt"
check $? "segments=2" "$(grep -m1 map_sg "$work/report.txt")"
report -i "$zoo" -O dmascope:segments=x
[ "$(grep -c '^dmascope: segments=x' "$work/report.err")" -eq 1 ]
check $? "segments=x is refused once" "$(cat "$work/report.err")"
LD_PRELOAD=$asan ASAN_OPTIONS=detect_leaks=0 trace-cmd options 2>/dev/null >"$work/options.txt"
[ "$(grep -c 'plugin:.*dmascope' "$work/options.txt")" -eq 4 ]
check $? "trace-cmd options lists four" "$(cat "$work/options.txt")"

report -i "$zoo"
grep -v '^cpus=' "$work/report.txt" >"$work/again.txt"
"$DMASCOPE" analyze "$work/again.txt" -o "$work/again.db" >"$work/again.out" 2>&1 &&
	"$DMASCOPE" analyze "$zoo" -o "$work/zoo.db" >/dev/null &&
	[ "$(sqlite3 "$work/again.db" 'SELECT count(*) FROM mapping')" -eq \
		"$(sqlite3 "$work/zoo.db" 'SELECT count(*) FROM mapping')" ]
check $? "analyze reads the report" "$(tail -1 "$work/again.out")"

# ---- lifetimes ----
report -i "$fixtures/oracle-unmap_size_small.dat" -O dmascope:lifetimes
grep -q 'size=2048 attrs= \[mapped [0-9.]* us ago on CPU 0[^]]*\] <== unmap-size-mismatch: mapped 4096, unmapped 2048$' \
	"$work/report.txt"
check $? "a finding on its line" "$(grep -m1 unmap_page "$work/report.txt")"
report -i "$fixtures/lab-7.2-fault.dat" -O dmascope:lifetimes
[ "$(grep -c 'console: .*<== use-after-unmap' "$work/report.txt")" -eq 3 ] &&
	grep -q '\[mapped [^]]* by e1000_[a-z_]*, ' "$work/report.txt"
check $? "faults and callers" "$(grep -m1 '<==' "$work/report.txt")"
report -i "$zoo" -O dmascope:lifetimes
grep -q '\[mapped ' "$work/report.txt" && ! grep -q ' <== ' "$work/report.txt"
check $? "healthy drivers get no mark" "$(grep -m1 '<==' "$work/report.txt")"

# ---- the database ----
# same FILE [OPTION]: whether all tables are, and what the host printed went well
same() {
	local table file
	differing=''
	file=$(realpath "$1") # which is what a plugin is told
	rm -f "$work/a.db" "$work/p.db"
	report -i "$file" -O "dmascope:db=$work/p.db" ${2:+-O "dmascope:$2"} || differing=" exit code $?,"
	"$DMASCOPE" analyze "$file" -o "$work/a.db" >/dev/null 2>"$work/a.err" ||
		differing=" no database by analyze,"
	for table in $(sqlite3 "$work/a.db" "SELECT name FROM sqlite_master WHERE type = 'table'"); do
		cmp -s <(sqlite3 "$work/a.db" "SELECT * FROM $table") \
			<(sqlite3 "$work/p.db" "SELECT * FROM $table" 2>&1) ||
			differing="$differing $table"
	done
	[ -s "$work/report.err" ] && differing="$differing $(head -1 "$work/report.err")"
	[ -e "$work/p.db-wal" ] && differing="$differing it was not closed"
	[ -z "$differing" ] && [ "$(sqlite3 "$work/p.db" "SELECT value FROM run WHERE key='complete'")" = 1 ]
}
# losses are in twin-7.2-overrun, another byte order and size of words in s390x and armhf
for name in stock-6.12-zoo stock-6.12-rmmod lab-7.2-fault lab-7.2-probes lab-7.2-pagefree \
	oracle-ctl_sg-stack oracle-ctl_sg.iommu oracle-ctl_fail_coherent oracle-unmap_size_small \
	s390x-7.2-v6 s390x-7.2-v7-zstd armhf-7.2-mid stock-7.2-swiotlb-bind stock-7.2-tsc \
	twin-7.2-stack twin-7.2-overrun; do
	same "$fixtures/$name.dat"
	check $? "$name: the same database" "differ:$differing"
done
# which buffer a record is of the plugin is not told: that is noted, and all else is the same
same "$fixtures/stock-6.12-instance-v7.dat"
[ "$differing" = " instance not_judged" ] &&
	[ "$(sqlite3 "$work/p.db" "SELECT count(*) FROM not_judged WHERE reason LIKE '%which buffer instance%'")" = 1 ]
check $? "two instances: the same but for a note" "differ:$differing"
# what is at hand beside: every fifth recording, under sanitizers fewer, with everything switched on
traces=${SHARED:-$SRCDIR/../shared}/traces
every=${asan:+20}
if [ -d "$traces/oracle" ]; then
	bad='' n=0
	for file in $(find "$traces"/{oracle,stock,arch} -name '*.dat' | sort | awk -v every="${every:-5}" 'NR % every == 1'); do
		n=$((n + 1))
		same "$file" lifetimes && continue
		# of a recording without DMA events nobody makes a database
		grep -q 'no dma events in it' "$work/a.err" && [ ! -e "$work/p.db" ] &&
			[ "$(grep -c '^dmascope: no DMA event was printed' "$work/report.err")" -eq 1 ] && continue
		bad="$bad ${file#"$traces"/}:$differing;"
	done
	[ -z "$bad" ] && [ "$n" -gt 5 ]
	check $? "$n recordings: the same databases" "$bad"
else
	skip "recordings at hand" "none in $traces"
fi

rm -f "$work/cut.db"
(
	set +o pipefail
	LD_PRELOAD=$asan ASAN_OPTIONS=detect_leaks=0 trace-cmd report -i "$zoo" \
		-O "dmascope:db=$work/cut.db" 2>/dev/null | head -3000 >/dev/null
)
incomplete() { # incomplete FILE
	[ "$(sqlite3 "$1" 'PRAGMA integrity_check')" = ok ] &&
		[ "$(sqlite3 "$1" "SELECT value FROM run WHERE key='complete'")" = 0 ] &&
		[ "$(sqlite3 "$1" 'SELECT count(*) > 0 FROM mappings')" = 1 ]
}
incomplete "$work/cut.db"
check $? "| head leaves a valid, incomplete database" \
	"$(sqlite3 "$work/cut.db" 'SELECT * FROM run; SELECT count(*) FROM mappings' 2>&1 | tr '\n' ' ')"
"$DMASCOPE" report "$work/cut.db" >/dev/null 2>"$work/cut.err"
grep -q 'not complete' "$work/cut.err"
check $? "report says that it is incomplete" "$(cat "$work/cut.err")"

mkfifo "$work/pipe"
LD_PRELOAD=$asan ASAN_OPTIONS=detect_leaks=0 trace-cmd report -i "$zoo" \
	-O "dmascope:db=$work/kill.db" >"$work/pipe" 2>/dev/null &
pid=$!
exec 3<"$work/pipe"
head -c 300000 <&3 >/dev/null # then it stands still, and is killed
kill -9 $pid
wait $pid 2>/dev/null
exec 3<&-
incomplete "$work/kill.db"
check $? "kill -9 leaves a valid, incomplete database" "it is not"

report -i "$zoo" -i "$fixtures/oracle-unmap_size_small.dat" -O "dmascope:db=$work/two.db"
[ "$(grep -c '^dmascope: db=' "$work/report.err")" -eq 1 ]
check $? "two inputs: the second has no database" "$(head -2 "$work/report.err")"
report -i "$zoo" -O "dmascope:db=$work/none/x.db"
[ "$(grep -c dmascope: "$work/report.err")" -eq 1 ] && grep -q '16 segments' "$work/report.txt"
check $? "no folder: said once, and the report goes on" "$(cat "$work/report.err")"
echo text >"$work/text.txt"
report -i "$zoo" -O "dmascope:db=$work/text.txt"
[ "$(cat "$work/text.txt")" = text ] && grep -q 'not overwritten' "$work/report.err"
check $? "another file is not overwritten" "$(cat "$work/report.err")"
report -i "$zoo" -O dmascope:summary
grep -q '^all devices' "$work/report.txt" && tail -3 "$work/report.txt" | grep -q unmap-not-mapped
check $? "summary behind the report" "$(tail -1 "$work/report.txt")"

# ---- perf ----
# what `perf record -o -` wrote, which perf of any version reads
perf_data=$work/perf.data
xz -dc "$fixtures/stock-6.12-perf-pipe.data.xz" >"$perf_data"
# perf_script FOLDER: of plugins; stdout to perf.txt, talk of ours to perf.err
perf_script() {
	TRACEEVENT_PLUGIN_DIR=$1 LD_PRELOAD=$asan ASAN_OPTIONS=detect_leaks=0 \
		perf script -i "$perf_data" >"$work/perf.txt" 2>"$work/perf.all"
	local code=$?
	grep '^dmascope:' "$work/perf.all" >"$work/perf.err"
	return $code
}
if ! command -v perf >/dev/null || ! mkdir "$work/none" || ! perf_script "$work/none" || ! grep -q 'dma:dma_map_sg:' "$work/perf.txt"; then
	skip "perf script" "no perf, or one without libtraceevent: $(head -1 "$work/perf.all" 2>/dev/null)"
else
	mv "$work/perf.txt" "$work/perf.stock"
	perf_script "$BUILD/plugins"
	! grep -q 'dma:.*FAILED TO PARSE' "$work/perf.txt" &&
		grep -q 'dma:dma_map_sg: 0000:00:01.0 dir=FROM_DEVICE nents=13/13 .*\[1 segment, 131072 bytes\]' "$work/perf.txt"
	check $? "perf script prints lists" "$(grep -m1 map_sg "$work/perf.txt")"
	cmp -s <(grep -v 'dma:dma_[a-z]*_sg:' "$work/perf.txt" | sed 's/ \[failed\]$//') \
		<(grep -v 'dma:dma_[a-z]*_sg:' "$work/perf.stock") && [ "$(grep -c 'dma:dma_[a-z]*_page:' "$work/perf.txt")" -eq 334 ]
	check $? "perf script prints other lines as without the plugin" "differ"
	# that is 400 events of four kinds, for each of which all is bound anew
	[ "$(wc -l <"$work/perf.err")" -eq 1 ] && grep -q 'does not tell the time of events: they are only printed' "$work/perf.err"
	check $? "perf script: that it only prints is said once" "$(head -3 "$work/perf.err")"
	# perf has no way to give options; those of its user for trace-cmd are not taken, nor is a file made
	! grep -qE ' <== |\[mapped |^dmascope' "$work/perf.txt" && [ -z "$(find "$work" -name '*.db' -newer "$work/perf.stock")" ]
	check $? "perf script: decodes, and nothing else" "$(grep -m1 -E '<==|\[mapped|^dmascope' "$work/perf.txt")"
	echo '0x0 [0]: no trace' >"$work/perf.data.no"
	perf_data=$work/perf.data.no perf_script "$BUILD/plugins"
	[ ! -s "$work/perf.err" ]
	check $? "perf script without DMA events: nothing is said" "$(cat "$work/perf.err")"
fi

# ---- where it is installed ----
# install_line PREFIX [DESTDIR=FOLDER]: what make install does with the plugin
install_line() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -n -C "$SRCDIR" B="${BUILD#"$SRCDIR"/}" PREFIX="$1" ${2:+"$2"} install 2>/dev/null |
		grep -E '^install .*/dmascope\.so$'
}
# the library has the name of its own folder in it
library=$(ldd "$(command -v trace-cmd)" | awk '/libtraceevent/ {print $3}')
folder=$(grep -aoE '/[[:alnum:]_/.-]+/traceevent/plugins' "$library" | head -1)
install_line /usr | grep -qF -- " -t $folder "
check $? "installed where libtraceevent looks ($folder)" "$(install_line /usr)"
install_line /usr DESTDIR="$work/root" | sh -e >"$work/install.err" 2>&1
TRACEEVENT_PLUGIN_DIR=$work/root$folder report -i "$zoo"
grep -q 'dma_map_sg: .*\[16 segments, 65536 bytes\]' "$work/report.txt"
check $? "DESTDIR: what is packed is a plugin" "$(head -1 "$work/install.err") $(find "$work/root" -name '*.so')"
install_line "$work/home/.local" >"$work/install.sh"
sh -e "$work/install.sh" >"$work/install.err" 2>&1 &&
	env -u TRACEEVENT_PLUGIN_DIR HOME="$work/home" LD_PRELOAD="$asan" ASAN_OPTIONS=detect_leaks=0 \
		trace-cmd report -i "$zoo" 2>/dev/null | grep -q 'dma_map_sg: .*\[16 segments, 65536 bytes\]'
check $? "PREFIX=~/.local is found without being told" "$(head -1 "$work/install.err") $(cat "$work/install.sh")"

# ---- KernelShark ----
# shellcheck disable=SC2046 # flags are words
if ! pkg-config --exists libkshark libtracefs 2>/dev/null; then
	skip "KernelShark" "libkshark-dev and libjson-c-dev are not installed"
elif ! "${CC:-gcc}" -o "$work/kshark" "$SRCDIR/tests/plugin_kshark.c" -Wl,--allow-shlib-undefined \
	$(pkg-config --cflags --libs libkshark libtracefs) 2>"$work/kshark.err"; then
	not_ok "KernelShark" "cannot be built: $(grep -m1 error "$work/kshark.err")"
else
	LD_PRELOAD=$asan ASAN_OPTIONS=detect_leaks=0 "$work/kshark" "$zoo" >"$work/kshark.txt" 2>&1
	check $? "KernelShark reads it" "exit code, $(tail -1 "$work/kshark.txt")"
	! grep -q 'FAILED TO PARSE' "$work/kshark.txt" &&
		grep -q '^dma/dma_map_sg: .*\[16 segments, 65536 bytes\]' "$work/kshark.txt"
	check $? "KernelShark shows lists" "$(grep -m1 map_sg "$work/kshark.txt")"
fi
exit $failed

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Damaged, foreign and unreadable input; outputs that cannot be written; death half way: analyze
# must end soon, say one line, and leave either a whole database or what was there before.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${BUILD:?}" "${SRCDIR:?}"
fixtures=$SRCDIR/tests/fixtures
tracegen=$BUILD/tools/tracegen
corrupt=$BUILD/tools/corrupt
work=$(mktemp -d) || exit 1
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - damage: $1"; }
not_ok() {
	echo "not ok - damage: $1: $2"
	failed=1
}

# Under sanitizers all is ten times slower, and they need address space without end.
part=1
if grep -q __asan_init "$DMASCOPE"; then part=6; else export CORRUPT_MEMORY_MB=2048; fi

if [ ! -x "$corrupt" ]; then
	corrupt=$work/corrupt
	"${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -O1 -o "$corrupt" "$SRCDIR/tests/tools/corrupt.c" || exit 1
fi

# ---- no checksum guards the symbols in a trace: what is changed there is told
perl -e 'local $/; open F, "<", $ARGV[0]; $_ = <F>; substr($_, 9000, 200) ^= "\xa5" x 200; print' \
	"$fixtures/twin-7.2-stack.dat" >"$work/symbols.dat"
if "$DMASCOPE" analyze "$work/symbols.dat" 2>&1 | grep -q "lines of the kernel's symbols are damaged"; then
	ok 'symbols changed'
else
	not_ok 'symbols changed' 'not a word'
fi

# ---- bytes missing, bytes changed
# torture NAME FILE cut|flip NUMBER NUMBER NUMBER [OPTION]
torture() {
	local name=$1 file=$2 said
	shift 2
	if said=$("$corrupt" "$DMASCOPE" "$file" "$work" "$@" 2>&1); then
		ok "$name ($said)"
	else
		not_ok "$name" "$(echo "$said" | tr '\n' ';')"
	fi
}

"$tracegen" -o "$work/v6.dat" --events 3000 --cpus 2 --stacks --syncs >/dev/null || exit 1
"$tracegen" -o "$work/v7.dat" --events 3000 --cpus 2 --file-version 7 >/dev/null || exit 1
end=100000000
for name in oracle-ctl_sg.iommu oracle-unmap_size_small oracle-ctl_irq_reuse.iommu \
	stock-6.12-rmmod armhf-7.2-mid s390x-7.2-v7-zstd stock-6.12-instance-v7 lab-7.2-probes; do
	torture "$name cut" "$fixtures/$name.dat" cut 0 $end $((512 * part))
	torture "$name flipped" "$fixtures/$name.dat" flip 1 $((100 / part)) 8192
done
for name in oracle-ctl_sg-stack s390x-7.2-v6 stock-7.2-tsc stock-7.2-swiotlb-bind; do
	torture "$name cut" "$fixtures/$name.dat" cut 100 $end $((8192 * part + 4))
	torture "$name flipped" "$fixtures/$name.dat" flip 2 $((40 / part)) 16384
done
for name in v6 v7; do
	torture "$name flipped" "$work/$name.dat" flip 3 $((100 / part)) 4096
	torture "$name flipped, salvaged" "$work/$name.dat" flip 4 $((100 / part)) 4096 --salvage
	torture "$name cut, salvaged" "$work/$name.dat" cut 0 $end $((4096 * part - 100)) --salvage
done
torture "head of version 6, byte by byte" "$fixtures/stock-6.12-rmmod.dat" cut 0 120 "$part"
torture "head of version 7, byte by byte" "$fixtures/oracle-ctl_sg.iommu.dat" cut 0 300 "$part"

# ---- what is no trace
# refused NAME CODE PATTERN ARG...: one line of ours, no database, no .part
refused() {
	local name=$1 code=$2 pattern=$3 got
	shift 3
	rm -f "$work/out.db"
	timeout 10 "$DMASCOPE" "$@" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	if [ $got -ne "$code" ]; then
		not_ok "$name" "exit $got, not $code: $(head -c 300 "$work/err")"
	elif [ "$(wc -l <"$work/err")" -ne 1 ] || ! grep -q "^dmascope: .*$pattern" "$work/err"; then
		not_ok "$name" "says: $(head -c 300 "$work/err")"
	elif [ -s "$work/out" ]; then
		not_ok "$name" "data on stdout"
	elif [ -e "$work/out.db" ] || ls "$work"/*.part >/dev/null 2>&1; then
		not_ok "$name" "left a database"
	else
		ok "$name"
	fi
}

good=$fixtures/stock-6.12-rmmod.dat
"$DMASCOPE" analyze "$good" -o "$work/good.db" --quiet >/dev/null || not_ok "a good file" "exit $?"
: >"$work/empty"
echo '# tracer: nop' >"$work/text"
echo 'hello' >"$work/hello"
gzip -c "$good" | head -c 9000 >"$work/x.gz"
printf 'PERFILE2xxxxxxxxxxxxxxxx' >"$work/perf.data"
cp "$good" "$work/secret.dat"
chmod 0 "$work/secret.dat"
refused "an empty file" 3 'empty' analyze "$work/empty" -o "$work/out.db"
refused "a folder" 3 'a directory' analyze "$work" -o "$work/out.db"
refused "a device" 3 'not a regular file' analyze /dev/null -o "$work/out.db"
refused "no file" 3 'No such file' analyze "$work/none" -o "$work/out.db"
refused "a file of text" 3 'text' analyze "$work/text" -o "$work/out.db"
refused "any file" 3 'not a trace' analyze "$work/hello" -o "$work/out.db"
refused "a database" 3 'SQLite' analyze "$work/good.db" -o "$work/out.db"
refused "a damaged compressed file" 3 'of its gzip data: truncated' analyze "$work/x.gz" -o "$work/out.db"
refused "perf.data" 3 'perf.data' analyze "$work/perf.data" -o "$work/out.db"
refused "a good file and a bad one" 3 'hello' analyze "$good" "$work/hello" -o "$work/out.db"
if [ "$(id -u)" -eq 0 ]; then
	echo "skip - damage: an unreadable file: root reads all"
else
	refused "an unreadable file" 3 'Permission denied' analyze "$work/secret.dat" -o "$work/out.db"
fi
if mkfifo "$work/fifo"; then
	: >"$work/fifo" & # opens it and writes nothing
	refused "a pipe, though nobody writes" 3 'is empty' analyze "$work/fifo" -o "$work/out.db"
fi

# ---- where the database goes
# untouched NAME FILE COPY
untouched() {
	if cmp -s "$2" "$3"; then ok "$1"; else not_ok "$1" "it changed"; fi
}

refused "into a missing folder" 4 'No such file' analyze "$good" -o "$work/none/out.db"
refused "onto a folder" 2 'is a folder' analyze "$good" -o "$work"
cp "$work/hello" "$work/hello.copy"
refused "onto a foreign file" 2 'not a dmascope database' analyze "$good" -o "$work/hello"
untouched "the foreign file stays" "$work/hello" "$work/hello.copy"
refused "onto its own input" 2 'not a dmascope database' analyze "$work/v6.dat" -o "$work/v6.dat"
cp "$work/good.db" "$work/old.db"
head -c 40000 "$good" >"$work/cut.dat"
refused "a bad trace over an old database" 3 '' analyze "$work/cut.dat" -o "$work/old.db"
untouched "the old database stays" "$work/old.db" "$work/good.db"
if "$DMASCOPE" analyze "$good" -o "$work/old.db" --quiet >/dev/null 2>&1; then
	untouched "and is replaced by an equal one" "$work/old.db" "$work/good.db"
else
	not_ok "over an old database" "exit $?"
fi

# ---- death half way
"$tracegen" -o "$work/long.dat" --events $((400000 / part)) --stacks >/dev/null || exit 1

# killed SIGNAL AFTER_SECONDS: true if it hit a running analysis that had begun to write
killed() {
	local pid
	"$DMASCOPE" analyze "$work/long.dat" --events -o "$work/old.db" --quiet >/dev/null 2>"$work/err" &
	pid=$!
	for _ in $(seq 200); do
		[ -s "$work/old.db.part" ] && break
		sleep 0.01
	done
	sleep "$2"
	kill "-$1" "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	code=$?
	[ $code -gt 128 ] || [ $code -eq 4 ]
}

for signal in KILL TERM; do # a script's background jobs ignore SIGINT
	if killed $signal 0.02; then
		untouched "the old database survives SIG$signal" "$work/old.db" "$work/good.db"
	else
		not_ok "SIG$signal" "the analysis was over before: exit $code"
	fi
done
if "$DMASCOPE" analyze "$good" -o "$work/old.db" --quiet >/dev/null 2>"$work/err" &&
	[ ! -e "$work/old.db.part" ]; then
	untouched "a second run after a killed one" "$work/old.db" "$work/good.db"
else
	not_ok "a second run after a killed one" "$(head -1 "$work/err")"
fi

# ---- no room: the limit of a file's size stands for a full disk
(
	trap '' XFSZ
	ulimit -f 1000
	exec "$DMASCOPE" analyze "$work/long.dat" --events -o "$work/old.db" --quiet
) >"$work/out" 2>"$work/err"
code=$?
if [ $code -ne 4 ]; then
	not_ok "no room" "exit $code: $(head -1 "$work/err")"
elif [ "$(wc -l <"$work/err")" -ne 1 ] || ! grep -q '^dmascope: ' "$work/err"; then
	not_ok "no room" "says: $(head -c 300 "$work/err")"
elif [ -e "$work/old.db.part" ]; then
	not_ok "no room" "a .part is left"
else
	ok "no room"
fi
untouched "the old database survives a full disk" "$work/old.db" "$work/good.db"
if [ -w /dev/full ]; then
	"$DMASCOPE" analyze "$good" >/dev/full 2>"$work/err"
	code=$?
	if [ $code -eq 4 ]; then ok "stdout is full"; else not_ok "stdout is full" "exit $code"; fi
fi
exit $failed

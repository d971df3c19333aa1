#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Inputs that ask for too much: memory beyond --max-memory, absurd counts, files that grow when
# unpacked, endless lines, a million devices, deep and cyclic YAML and JSON. Refused, or bounded.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${BUILD:?}" "${SRCDIR:?}"
fixtures=$SRCDIR/tests/fixtures
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - limits: $1"; }
not_ok() {
	echo "not ok - limits: $1: $2"
	failed=1
}

# Sanitizers need address space without end, and more memory than is counted here.
limit_kb=$((512 << 10))
if grep -q -e __asan_init -e __tsan_init "$DMASCOPE"; then limit_kb=unlimited; fi

# ends NAME CODE PATTERN ARG...: soon, in half a GiB, with one line of ours; no file of its own
ends() {
	local name=$1 code=$2 pattern=$3 got
	shift 3
	rm -f "$work/out.db"
	(
		ulimit -v $limit_kb
		exec timeout 30 "$DMASCOPE" "$@"
	) >"$work/out" 2>"$work/err" </dev/null
	got=$?
	if [ $got -ne "$code" ]; then
		not_ok "$name" "exit $got, not $code: $(head -c 300 "$work/err")"
	elif [ "$code" -ge 2 ] && { [ "$(grep -vc ': warning: ' "$work/err")" -ne 1 ] ||
		! grep -q "^dmascope: .*$pattern" "$work/err"; }; then
		not_ok "$name" "says: $(head -c 300 "$work/err")"
	elif [ "$code" -ge 2 ] && { [ -s "$work/out" ] || ls "$work"/out.db* >/dev/null 2>&1; }; then
		not_ok "$name" "something was shown or written as if it were whole"
	else
		ok "$name"
	fi
}

good=$fixtures/stock-6.12-rmmod.dat

# ---- --max-memory
for wrong in '' x 12x -1 1.5G 99999999999999999999G; do
	ends "--max-memory '$wrong'" 2 "is no size" analyze --max-memory "$wrong" "$good"
done
ends "--max-memory of a byte" 2 "too little" analyze --max-memory 1 "$good"

# Distinct devices, one map each: memory has to grow with them.
devices() {
	awk -v n="$1" 'BEGIN {
		print "# tracer: nop\n#"
		for (i = 0; i < n; i++)
			printf "            insmod-85      [001] .....     8.%09d: dma_map_phys: d%d dir=TO_DEVICE " \
				"dma_addr=%x size=1024 phys_addr=%x attrs=0x0\n", i, i, 4096 * i, 4096 * i
	}'
}
if [ "$limit_kb" = unlimited ]; then
	echo "skip - limits: memory within and beyond --max-memory: a sanitizer's own is counted"
else
	ends "--max-memory that is enough" 0 '' analyze --max-memory 256M "$good" --quiet
	devices 12000 >"$work/devices.txt"
	"$DMASCOPE" analyze "$good" -o "$work/was.db" --quiet >/dev/null
	ends "more than --max-memory" 3 "more memory than --max-memory allows, 20 MiB" \
		analyze --max-memory 20M "$work/devices.txt" --quiet
	ends "more than --max-memory, with a database" 3 "more memory than --max-memory allows" \
		--max-memory=20M analyze "$work/devices.txt" -o "$work/out.db" --quiet
	cp "$work/was.db" "$work/is.db"
	"$DMASCOPE" analyze --max-memory 20M "$work/devices.txt" -o "$work/is.db" --quiet >/dev/null 2>&1
	if cmp -s "$work/was.db" "$work/is.db"; then ok "the old database stays"; else
		not_ok "the old database stays" "it has changed"; fi
	# no more a device than dmascope(1) says
	devices 3000 >"$work/some.txt"
	ends "55 KiB a device are enough" 0 '' analyze --max-memory 175M "$work/some.txt" --quiet
	ends "75 KiB more with a database" 0 '' --max-memory=385M analyze "$work/some.txt" -o "$work/out.db" --quiet
	rm -f "$work/out.db"
	if [ -x "$BUILD/tools/tracegen" ]; then
		"$BUILD/tools/tracegen" -o "$work/busy.dat" --devices 48 --live 8 --events 480000 --mode iommu --drain >/dev/null
		ends "630 KiB a busy device behind an IOMMU" 0 '' analyze --max-memory 46M "$work/busy.dat" --quiet
		ends "and 75 KiB more" 0 '' analyze --max-memory 52M "$work/busy.dat" -o "$work/out.db" --quiet
		rm -f "$work/busy.dat" "$work/out.db"
	else
		echo 'skip - limits: busy devices: tracegen is missing'
	fi
	ends "as many with enough memory" 0 '' analyze --max-memory 400M "$work/devices.txt" --quiet
fi

# ---- counts in heads: of a trace.dat, of a perf.data, each place that may hold one
# put FILE OFFSET HEX
put() { printf '%b' "$(echo "$3" | sed 's/../\\x&/g')" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# every 4 bytes of the first 2000 as a large number: none may make it ask for gigabytes
absurd() {
	local name=$1 file=$2 step=$3 offset code n=0
	for offset in $(seq 10 "$step" 2000); do
		cp "$file" "$work/absurd"
		put "$work/absurd" "$offset" ffffff7f
		(
			ulimit -v $limit_kb
			exec timeout 20 "$DMASCOPE" analyze "$work/absurd" --quiet
		) >/dev/null 2>"$work/err" </dev/null
		code=$?
		if [ $code -ne 0 ] && { [ $code -ne 3 ] || [ "$(grep -vc ': warning: ' "$work/err")" -ne 1 ]; }; then
			not_ok "$name" "at offset $offset: exit $code: $(head -c 200 "$work/err")"
			return
		fi
		n=$((n + 1))
	done
	ok "$name ($n places)"
}
absurd "absurd counts in a trace.dat of version 6" "$good" 41
absurd "absurd counts in a trace.dat of version 7" "$fixtures/oracle-ctl_sg.iommu.dat" 41
xz -dc "$fixtures/twin-7.2-perf.data.xz" >"$work/perf.data"
absurd "absurd counts in a perf.data" "$work/perf.data" 61

# ---- what grows when it is unpacked
zeros() { head -c "$1" /dev/zero; }
zeros 400000000 | gzip -9 >"$work/bomb.gz"
zeros 400000000 | zstd -q >"$work/bomb.zst"
zeros 400000000 | xz -0 >"$work/bomb.xz"
for kind in gz zst xz; do
	ends "a bomb in $kind" 3 'refused; DMASCOPE_MAX_UNPACKED' analyze "$work/bomb.$kind" -o "$work/out.db"
	ends "a bomb in $kind as a kernel log" 3 'refused' analyze "$good" --kernel-log "$work/bomb.$kind"
done
DMASCOPE_MAX_UNPACKED=1M
export DMASCOPE_MAX_UNPACKED
ends "a bomb behind a pipe's limit" 3 'refused' analyze "$work/bomb.gz"
unset DMASCOPE_MAX_UNPACKED

# ---- lines and strings without end
{ echo '# tracer: nop'; zeros 100000000 | tr '\0' 'a'; } >"$work/line.txt"
ends "a line of 100 MB" 3 '' analyze "$work/line.txt"
{ cat "$fixtures/twin-7.2.txt"; zeros 50000000 | tr '\0' 'a'; } >"$work/tail.txt"
ends "a good text with a line of 50 MB behind" 0 '' analyze "$work/tail.txt" --quiet
{ printf '0000:00:03.0 e1000 bus='; zeros 40000000 | tr '\0' 'b'; echo; } >"$work/inventory"
ends "an inventory with a value of 40 MB" 3 '' analyze "$good" --inventory "$work/inventory"
truncate -s 5G "$work/huge.dat"
ends "five gigabytes of nothing" 3 'not a trace' analyze "$work/huge.dat"
cp "$good" "$work/huge.dat"
truncate -s 5G "$work/huge.dat"
ends "a trace with five gigabytes of nothing behind" 0 '' analyze "$work/huge.dat" --quiet
rm -f "$work/huge.dat"
for option in inventory iomem dump-seed kernel-log kallsyms; do
	truncate -s 5G "$work/side"
	ends "five gigabytes of nothing as --$option" 3 '' analyze "$good" --$option "$work/side"
	rm -f "$work/side"
done

# ---- deep, cyclic and swelling
python3 - "$work" <<'END' 2>/dev/null || echo "skip - limits: deep and cyclic files: no python3"
import sys
def put(name, text):
    open(sys.argv[1] + "/" + name, "w").write(text)
put("deep.yaml", "[" * 100000)
put("deep2.yaml", "".join(" " * i + "a:\n" for i in range(1500)))
put("cyclic.yaml", "suppressions: &a\n  - *a\n")
put("laughs.yaml", "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i-1},*a{i-1}]\n" for i in range(1, 40)))
put("many.yaml", "suppressions:\n" + "- {}\n" * 400000)
put("deep.json", "[" * 1000000)
put("deep2.json", '{"format": "dmascope-baseline", "schema": 1, "findings": ' + '{"a":' * 100000)
put("long.json", '{"format": "' + "x" * 30000000 + '"}')
END
if [ -e "$work/long.json" ]; then
	"$DMASCOPE" analyze "$good" -o "$work/run.db" --quiet >/dev/null
	for file in deep deep2 cyclic laughs many; do
		ends "$file.yaml" 2 "$file.yaml" diff "$work/run.db" "$work/run.db" --config "$work/$file.yaml"
	done
	for file in deep deep2 long; do
		ends "$file.json" 3 "$file.json" diff "$work/$file.json" "$work/run.db"
	done
fi
exit $failed
